"""The seams to LlamaIndex: our parts as its types, for programs that are built of them.

Importing this module imports LlamaIndex; `import rag` does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.response.schema import Response
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from pydantic import PrivateAttr

from rag.embedding import MiniLM
from rag.types import Answer, Chunk, Document, Done, Event, Ranking, Retrieved, Turn

DEFAULT_K = 10


class Asked(Protocol):
    """What the seams need of an engine; `rag.engine.Engine` is one."""

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, within: Collection[str] | None = None
    ) -> Iterator[Event]:
        """Answer piece by piece."""
        ...

    def search(self, question: str, k: int = DEFAULT_K) -> Ranking:
        """The nearest chunks."""
        ...

    def document(self, doc_id: str) -> Document:
        """A document by its id."""
        ...

    def documents(self) -> tuple[Document, ...]:
        """All documents."""
        ...

    def close(self) -> None:
        """Close the index."""
        ...


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


class CitedRetriever(BaseRetriever):
    """The fused search as a LlamaIndex retriever.

    Each result is a `TextNode` with the chunk's text, its place in the document as `start_char_idx` and
    `end_char_idx`, and `doc_id`, `title`, `source` and `published_at` in its metadata; its score is the fused
    one, in [0, 1].

    Args:
        engine: An open engine.
        k: How many chunks to give.
    """

    def __init__(self, engine: Asked, k: int = DEFAULT_K) -> None:
        super().__init__()
        self._engine = engine
        self._k = k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return _scored(self._engine.search(query_bundle.query_str, self._k), self._engine)

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class CitedQueryEngine(BaseQueryEngine):
    """An engine that is a LlamaIndex query engine as well.

    `query` and `aquery` give a `Response` whose text carries the markers, whose `source_nodes` are the chunks
    that were retrieved, and whose `metadata["answer"]` is the answer as JSON.

    Args:
        engine: The engine that answers.
    """

    def __init__(self, engine: Asked) -> None:
        super().__init__(callback_manager=None)
        self._engine = engine

    def ask(
        self, question: str, history: Sequence[Turn] = (), *, within: Collection[str] | None = None
    ) -> Answer:
        """Answer a question; see `rag.engine.Engine.ask`."""
        return _last(self.stream(question, history, within=within))[1]

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, within: Collection[str] | None = None
    ) -> Iterator[Event]:
        """Answer piece by piece; see `rag.engine.Engine.stream`."""
        return self._engine.stream(question, history, within=within)

    def search(self, question: str, k: int = DEFAULT_K) -> Ranking:
        """The k chunks nearest to a question, best first."""
        return self._engine.search(question, k)

    def document(self, doc_id: str) -> Document:
        """A document by its id; raises NotFoundError where there is none."""
        return self._engine.document(doc_id)

    def documents(self) -> tuple[Document, ...]:
        """All documents, by doc_id."""
        return self._engine.documents()

    def as_retriever(self, k: int = DEFAULT_K) -> CitedRetriever:
        """The search of this engine, for LlamaIndex."""
        return CitedRetriever(self._engine, k)

    def close(self) -> None:
        """Close the index after the questions in flight."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """The chunks nearest to a question, as LlamaIndex asks for them."""
        return _scored(self._engine.search(query_bundle.query_str), self._engine)

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}

    def _query(self, query_bundle: QueryBundle) -> Response:
        ranking, answer = _last(self._engine.stream(query_bundle.query_str))
        return Response(answer.text, _scored(ranking, self._engine), {"answer": answer.to_json()})

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)


def _last(events: Iterator[Event]) -> tuple[Ranking, Answer]:
    ranking = Ranking("", ())
    for event in events:
        if isinstance(event, Retrieved):
            ranking = event.ranking
        elif isinstance(event, Done):
            return ranking, event.answer
    raise AssertionError("a stream ends with Done")


def _scored(ranking: Ranking, engine: Asked) -> list[NodeWithScore]:
    titles = {document.doc_id: document for document in engine.documents()}
    return [
        NodeWithScore(node=_text_node(ranked.chunk, titles.get(ranked.chunk.doc_id)), score=ranked.score)
        for ranked in ranking.chunks
    ]


def _text_node(chunk: Chunk, document: Document | None) -> TextNode:
    about = {"doc_id": chunk.doc_id}
    if document is not None:
        about |= {name: getattr(document, name) for name in ("title", "source", "published_at")}
    return TextNode(
        id_=f"{chunk.doc_id}:{chunk.start}-{chunk.end}",
        text=chunk.text,
        start_char_idx=chunk.start,
        end_char_idx=chunk.end,
        metadata=about,
    )
