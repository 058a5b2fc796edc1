"""The store's reader: what one generation holds, as it was committed, open for questions.

A snapshot never changes. `Corpus` gives the one that serves now, and opens the next when the name in the
truth has changed; questions in flight keep theirs until they end.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rag.embedding import Embedder
from rag.errors import NoIndexError, NotFoundError, StoreError
from rag.generation import Generation
from rag.index import check_embedder, exists, folder_of, mend, searched_text, vectors_of
from rag.terms import words_of
from rag.truth import StoredChunk, Truth, unfinished
from rag.types import Chunk, Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TRIES = 3
_SAMPLE = 512
_SPELLED = 20
"""How many chunks are looked through for how a word is spelt."""


@dataclass(slots=True)
class Snapshot:
    """One state of the index.

    Attributes:
        name: The generation's.
        documents: By doc_id.
        rows: The chunks by (doc_id, start); a row number names a chunk in what follows.
        vectors: Theirs, [rows, dimension], in memory: 15 MB for 10,000 chunks.
        generation: The searches; None where there are no chunks.
    """

    name: str
    documents: dict[str, Document]
    rows: list[StoredChunk]
    vectors: NDArray[np.float32]
    generation: Generation | None
    _readers: int = 0
    _retired: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def chunk(self, row: int) -> Chunk:
        """The chunk of a row, with its text."""
        stored = self.rows[row]
        return stored.cut(self.documents[stored.doc_id].text)

    def rows_of(self, doc_ids: Collection[str]) -> list[int]:
        """The rows of the chunks of some documents.

        Raises:
            NotFoundError: There is no document of one of these ids.
        """
        wanted = {self.document(doc_id).doc_id for doc_id in sorted(doc_ids)}
        return [row for row, stored in enumerate(self.rows) if stored.doc_id in wanted]

    def document(self, doc_id: str) -> Document:
        """A document by its id.

        Raises:
            NotFoundError: There is none.
        """
        if doc_id not in self.documents:
            raise NotFoundError(f"There is no document `{doc_id}` here. `citewell show` lists them all.")
        return self.documents[doc_id]

    def title(self, doc_id: str) -> str:
        """The title of a document."""
        return self.documents[doc_id].title

    def has(self, stem: str) -> bool:
        """Whether a word of this stem stands in a document or a title."""
        return self.generation is not None and self.generation.has(stem)

    def mentions(self, stem: str) -> bool:
        """Whether a word of this stem stands in a document or a title, with other accents or none."""
        return self.generation is not None and self.generation.mentions(stem)

    def stems(self, letter: str) -> Sequence[tuple[str, str]]:
        """The stems that begin with a letter, each after itself without accents."""
        return self.generation.stems(letter) if self.generation is not None else ()

    def chunks_with(self, stem: str) -> tuple[int, float]:
        """In how many chunks, titles counted, a stem stands, and in which share of them, in [0, 1]."""
        count = len(self.generation.rows_with(stem)) if self.generation is not None else 0
        return count, count / max(1, len(self.rows))

    def spelled(self, stem: str) -> Counter[str]:
        """The words of a stem as documents and titles spell them, with how often (in some chunks)."""
        rows = self.generation.rows_with(stem) if self.generation is not None else ()
        spread = (self.chunk(int(row)) for row in rows[:: -(-len(rows) // _SPELLED) or 1])
        texts = (searched_text(self.title(chunk.doc_id), chunk.text) for chunk in spread)
        return Counter(word for text in texts for word in words_of(stem, text))

    @property
    def sample(self) -> NDArray[np.float32]:
        """The vectors of up to 512 chunks, evenly spread, [sampled, dimension]."""
        return self.vectors[:: -(-len(self.rows) // _SAMPLE)]

    def enter(self) -> bool:
        """Count a question in; False where the snapshot is closed already."""
        with self._lock:
            if self._retired and not self._readers:
                return False
            self._readers += 1
            return True

    def leave(self) -> None:
        """Count a question out, and close after the last one of a retired snapshot."""
        with self._lock:
            self._readers -= 1
            last = self._retired and not self._readers
        if last:
            self._close()

    def retire(self) -> None:
        """Close as soon as no question is in flight."""
        with self._lock:
            first, self._retired = not self._retired, True
            idle = first and not self._readers
        if idle:
            self._close()

    def _close(self) -> None:
        if self.generation is not None:
            self.generation.close()


class Corpus:
    """The indexed documents, always as they were last committed.

    Args:
        store: The folder of the store.
        embedder: The one that made the index.

    Raises:
        NoIndexError: Nothing was ever indexed there.
        MismatchError: Another embedding model made it.
        DamagedError: The truth cannot be read.
    """

    def __init__(self, store: Path, embedder: Embedder) -> None:
        self.store = store
        self._embedder = embedder
        self._lock = threading.Lock()
        self._closed = False
        self._truth, self._inode = self._watch()
        self._now = _open(store, embedder)

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """The snapshot that serves now, kept open until the end of the block."""
        snapshot = self._current()
        while not snapshot.enter():
            snapshot = self._current()
        try:
            yield snapshot
        finally:
            snapshot.leave()

    def close(self) -> None:
        """Close files and threads after the questions in flight."""
        with self._lock:
            self._closed = True
            self._now.retire()
            self._truth.close()

    def _watch(self) -> tuple[Truth, int]:
        truth = Truth(_existing(self.store))
        return truth, truth.path.stat().st_ino

    def _current(self) -> Snapshot:
        with self._lock:
            if self._closed:
                raise StoreError(f"The engine on `{self.store}` was closed. Open another.")
            path = _existing(self.store) / self._truth.path.name
            if path.stat().st_ino != self._inode:
                self._truth.close()
                self._truth, self._inode = self._watch()
                self._reopen()
            elif self._truth.generation() != self._now.name:
                self._reopen()
            return self._now

    def _reopen(self) -> None:
        fresh = _open(self.store, self._embedder)
        self._now.retire()
        self._now = fresh


def _existing(store: Path) -> Path:
    if not exists(store):
        raise NoIndexError(
            f"There is no index in `{store}`. Run `citewell index PATH… --store {store}` first."
        )
    return store


def _open(store: Path, embedder: Embedder) -> Snapshot:
    """Open what serves; a broken generation is made again, one that was swapped meanwhile is tried anew."""
    for last in range(1, _TRIES + 1):
        try:
            return _load(store, embedder)
        except _BrokenError as error:
            if last == _TRIES:
                raise StoreError(f"The index `{store}` cannot be opened: {error}.") from None
            if not error.swapped:
                mend(store, embedder, error.generation)
    raise AssertionError("unreachable")


class _BrokenError(StoreError):
    def __init__(self, reason: str, generation: str, *, swapped: bool) -> None:
        super().__init__(reason)
        self.generation = generation
        self.swapped = swapped


def _load(store: Path, embedder: Embedder) -> Snapshot:
    with Truth(_existing(store)) as truth:
        with truth.snapshot():
            meta, documents, rows = truth.meta(), truth.documents(), truth.chunks()
            check_embedder(meta, embedder, store)
            vectors = vectors_of(truth, embedder, rows)
        name = meta.get("generation", "")
        if not name:
            raise unfinished(store)
        searches = None
        if rows:
            ids = [row.chunk_id for row in rows]
            searches = _searches(store, truth, name, ids, json.loads(meta["sizes"]))
        return Snapshot(name, documents, rows, vectors, searches)


def _searches(store: Path, truth: Truth, name: str, ids: list[str], sizes: dict[str, int]) -> Generation:
    try:
        return Generation(folder_of(store, name), ids, sizes)
    except StoreError as error:
        raise _BrokenError(str(error), name, swapped=truth.generation() != name) from None
