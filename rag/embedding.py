"""Texts -> vectors: the embedded MiniLM, or an embedding model at an OpenAI-compatible endpoint."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import EndpointError, SettingsError
from rag.sessions import encodable, open_session, open_tokenizer
from rag.settings import MINILM, Settings, variable

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
OnDone = Callable[[int], object]

OPENAI = "https://api.openai.com/v1"
MAX_TOKENS = 256  # what the model was trained on; longer texts are cut
BATCH = 32  # texts a request; some servers take no more
RETRIES = 2


class Embedder(Protocol):
    """What the index and the retriever need of an embedding model."""

    @property
    def name(self) -> str:
        """What a store remembers; vectors of different names are never mixed."""
        ...

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        ...

    def embed(self, texts: Sequence[str], on_done: OnDone | None = None) -> Vectors:
        """Embed texts.

        Args:
            texts: What to embed; a text's vector does not depend on the others.
            on_done: Called in the caller's thread with the number of texts finished since the last call.

        Returns:
            float32 [len(texts), dimension], rows of unit length, in the order of `texts`.

        Raises:
            EndpointError: The endpoint failed, or gave what cannot be used.
        """
        ...


class MiniLM:
    """all-MiniLM-L6-v2 in int8, from the weights in `rag/weights`: no network, and the same bytes each time.

    One text a run, so that a vector cannot depend on a batch; the threads share out the texts, and each run
    uses one. The weights are read at the first use.

    Args:
        threads: Texts embedded at a time; by default as many as there are processors.
    """

    name = "all-MiniLM-L6-v2/int8-1"
    dimension = 384

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or os.cpu_count() or 1
        self._loading = threading.Lock()
        self._parts: tuple[Tokenizer, Any] | None = None

    def embed(self, texts: Sequence[str], on_done: OnDone | None = None) -> Vectors:
        """Embed texts, cut to 256 tokens; see `Embedder.embed`."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        report = on_done or _ignore
        if len(texts) == 1:
            vectors[0] = self._vector(texts[0])
            report(1)
        elif texts:
            self._share_out(texts, vectors, report)
        return vectors

    def _share_out(self, texts: Sequence[str], vectors: Vectors, report: OnDone) -> None:
        longest_first = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        with ThreadPoolExecutor(min(self._threads, len(texts))) as pool:
            places = {pool.submit(self._vector, texts[place]): place for place in longest_first}
            try:
                for done in as_completed(places):
                    vectors[places[done]] = done.result()
                    report(1)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _vector(self, text: str) -> Vectors:
        tokenizer, session = self._load()
        # an undecodable argument of a command leaves surrogates
        encoding = tokenizer.encode(encodable(text))
        tokens = np.array([encoding.ids], dtype=np.int64)
        feed = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
        vector: Vectors = session.run(None, feed)[0][0]
        return vector

    def _load(self) -> tuple[Tokenizer, Any]:
        with self._loading:
            if self._parts is None:
                self._parts = open_tokenizer(MAX_TOKENS), open_session("minilm.onnx")
            return self._parts


def _ignore(count: int) -> None:
    pass


class LlamaEmbedder:
    """Any LlamaIndex embedding model as an `Embedder`.

    Args:
        model: The model; its texts and its questions are embedded alike.
        name: What the store remembers; by default the model's own name.
        endpoint: Where the model is, for the errors.
    """

    def __init__(self, model: BaseEmbedding, name: str = "", endpoint: str = "") -> None:
        self.name = name or model.model_name
        self._model = model
        self._place = f"The embedding model `{self.name}`" + (f" at {endpoint}" if endpoint else "")
        self._dimension = 0

    @property
    def dimension(self) -> int:
        """The length of a vector; asks the model once, where nothing has been embedded yet."""
        if not self._dimension:
            self.embed(["dimension"])
        return self._dimension

    def embed(self, texts: Sequence[str], on_done: OnDone | None = None) -> Vectors:
        """Embed texts, a batch of the model's size a request; see `Embedder.embed`."""
        report = on_done or _ignore
        rows = []
        for start in range(0, len(texts), self._model.embed_batch_size):
            batch = list(texts[start : start + self._model.embed_batch_size])
            rows.append(self._unit(self._ask(batch), len(batch)))
            report(len(batch))
        return np.concatenate(rows) if rows else np.empty((0, self._dimension), dtype=np.float32)

    def _ask(self, batch: list[str]) -> list[list[float]]:
        try:
            return self._model.get_text_embedding_batch(batch)
        except Exception as error:
            secret = getattr(self._model, "api_key", "")
            reason = _one_line(error).replace(secret, "***") if secret else _one_line(error)
            raise EndpointError(f"{self._place} failed: {reason}. {_advice(error)}") from error

    def _unit(self, answer: list[list[float]], count: int) -> Vectors:
        try:
            vectors = np.array(answer, dtype=np.float32)
        except (TypeError, ValueError):
            vectors = np.empty(0, dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != count or not vectors.size:
            raise EndpointError(
                f"{self._place} did not give {count} vectors of one length for {count} texts. "
                f"Check that {variable('embedding')} names an embedding model."
            )
        self._check_dimension(vectors.shape[1])
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise EndpointError(
                f"{self._place} gave a vector that is zero or not finite. "
                f"Set {variable('embedding')} to another model."
            )
        unit: Vectors = (vectors / lengths).astype(np.float32)
        return unit

    def _check_dimension(self, found: int) -> None:
        if self._dimension and found != self._dimension:
            raise EndpointError(
                f"{self._place} gave vectors of {found} numbers, and {self._dimension} before. "
                "Check that the endpoint serves one model under this name."
            )
        self._dimension = found


def _one_line(error: Exception) -> str:
    """What happened, with the cause where the error itself does not say it (as "Connection error.")."""
    cause = f" {error.__cause__}" if error.__cause__ else ""
    text = " ".join(f"{error}{cause}".split()).rstrip(".") or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]}…"


def _advice(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    if not isinstance(status, int):
        return f"Check {variable('openai_base_url')}, and that the server there is running."
    if status in (401, 403):
        return f"Check {variable('openai_api_key')}."
    if status == 404:
        return f"Check {variable('embedding')} and {variable('openai_base_url')}."
    if status == 429 or status >= 500:
        return "Try again later."
    return f"Set {variable('embedding')} to a model that takes these texts."


def open_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings name: the embedded one, or a model at an endpoint.

    An endpoint is not asked before the first text.

    Raises:
        SettingsError: A model is named, but neither an endpoint nor a key.
    """
    if settings.embedding == MINILM:
        return MiniLM()
    key, base = settings.openai_api_key.get_secret_value(), settings.openai_base_url
    if not key and not base:
        raise SettingsError(
            f"{variable('embedding')} is `{settings.embedding}`, but no endpoint is set. Set "
            f"{variable('openai_base_url')} (and {variable('openai_api_key')}, where it asks for one), "
            f"or {variable('embedding')}={MINILM}."
        )
    return _open_endpoint(settings, base or OPENAI, key)


def _open_endpoint(settings: Settings, base: str, key: str) -> LlamaEmbedder:
    from llama_index.embeddings.openai import OpenAIEmbedding

    model = OpenAIEmbedding(
        model_name=settings.embedding,
        api_base=base,
        api_key=key or "none",  # the client wants one, a local server does not
        embed_batch_size=BATCH,
        max_retries=RETRIES,
        timeout=settings.llm_timeout_s,
    )
    return LlamaEmbedder(model, endpoint=re.sub(r"//[^/@]*@", "//", base))
