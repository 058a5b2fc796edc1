"""The seams to LlamaIndex: our parts as its types, for programs that are built of them.

Importing this module imports LlamaIndex; `import rag` does not.
"""

from __future__ import annotations

import asyncio
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from pydantic import PrivateAttr

from rag.embedding import MiniLM


class MiniLMEmbedding(BaseEmbedding):
    """The embedded all-MiniLM-L6-v2 as a LlamaIndex embedding model: 384 numbers, unit length, no network."""

    _minilm: MiniLM = PrivateAttr(default_factory=MiniLM)

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"model_name": MiniLM.name, "embed_batch_size": 256} | options)

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex serialises it."""
        return "MiniLMEmbedding"

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        rows: list[list[float]] = self._minilm.embed(texts).tolist()
        return rows

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)
