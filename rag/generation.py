"""A generation: the folder that serves the searches, made from the truth and never written to again.

`chroma/` holds the vectors for the dense search, `bm25/` the words for the lexical one. A folder is written
beside the serving one, probed, and swapped in by name; a broken one is made again from the truth.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import StoreError
from rag.terms import plain, terms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COLLECTION = "chunks"
K1, B = 1.2, 0.75
"""BM25's saturation and length weights (Robertson & Zaragoza 2009); measured on four question sets."""
_BATCH = 2000


class Generation:
    """A generation, open for searching.

    Args:
        folder: The folder of the generation.
        chunk_ids: The ids of its chunks, in the order of the BM25 rows.

    Raises:
        StoreError: The folder cannot serve: it was cut short, or does not hold these chunks.
    """

    def __init__(self, folder: Path, chunk_ids: Sequence[str], sizes: dict[str, int]) -> None:
        check_sizes(folder, sizes)
        self._client: Any = None
        self._rows = {chunk_id: row for row, chunk_id in enumerate(chunk_ids)}
        try:
            self._client, self._vectors = _open_chroma(folder)
            self._words = _open_bm25(folder)
            held = self._vectors.count()
        except Exception as error:  # Chroma's errors on broken files have no common base
            self.close()
            raise StoreError(f"{folder.name} cannot be opened: {_one_line(error)}") from None
        if held != len(chunk_ids):
            self.close()
            raise StoreError(f"{folder.name} holds {held} vectors for {len(chunk_ids)} chunks")

    def nearest(self, vector: NDArray[np.float32], k: int) -> list[int]:
        """The rows of the k chunks of highest cosine, best first."""
        wanted = min(k, len(self._rows))
        try:
            found = self._vectors.query(query_embeddings=[vector], n_results=wanted, include=[])
        except Exception as error:  # Chroma's errors on broken files have no common base
            raise StoreError(f"The dense search failed: {_one_line(error)}. Run `citewell index`.") from None
        return [self._rows[chunk_id] for chunk_id in found["ids"][0]]

    def distance(self, vector: NDArray[np.float32]) -> float:
        """The cosine distance of the nearest chunk, in [0, 2]."""
        found = self._vectors.query(query_embeddings=[vector], n_results=1, include=["distances"])
        return float(found["distances"][0][0])

    def bm25(self, question: str) -> NDArray[np.float64]:
        """The BM25 score of every chunk for a question, [chunks]."""
        import numpy as np

        known = self._words.vocab_dict
        tokens = [token for token in terms(question) if token in known]
        if not tokens:
            return np.zeros(len(self._rows))
        return np.asarray(self._words.get_scores(tokens), dtype=np.float64)

    def rarity(self, stem: str) -> float:
        """How much a word tells: BM25's inverse document frequency over the chunks, above 0."""
        held = len(self.rows_with(stem))
        return math.log1p((len(self._rows) - held + 0.5) / (held + 0.5))

    def mentions(self, stem: str) -> bool:
        """Whether a word of this stem stands in a chunk or its title, with other accents or none."""
        bare = plain(stem)
        return self.has(stem) or any(other == bare for other, _ in self.stems(bare[:1]))

    def stems(self, letter: str) -> Sequence[tuple[str, str]]:
        """The stems of letters alone that begin with a letter, each after itself without accents."""
        return self._by_letter.get(letter, ())

    @cached_property
    def _by_letter(self) -> dict[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = {}
        for stem in filter(str.isalpha, self._words.vocab_dict):
            bare = plain(stem)
            found.setdefault(bare[:1], []).append((bare, stem))
        return found

    def has(self, stem: str) -> bool:
        """Whether a word of this stem stands in a chunk or its title."""
        return stem in self._words.vocab_dict

    def rows_with(self, stem: str) -> NDArray[np.integer[Any]]:
        """The rows of the chunks in which it stands, titles counted, ascending."""
        number, columns = self._words.vocab_dict.get(stem), self._words.scores
        starts = columns["indptr"]
        first, end = (0, 0) if number is None else (starts[number], starts[number + 1])
        return columns["indices"][first:end]  # type: ignore[no-any-return]

    def close(self) -> None:
        """Give back the threads and files that Chroma holds; harmless when done twice."""
        if self._client is not None:
            self._client.close()
            self._client = None


def build(
    folder: Path,
    texts: Iterable[str],
    added: Sequence[str],
    vectors: NDArray[np.float32],
    *,
    base: Path | None = None,
    removed: Sequence[str] = (),
) -> None:
    """Write the folder of a generation.

    Args:
        folder: Where; it must not be there yet.
        texts: What the lexical search reads of every chunk, in order.
        added: The ids of the chunks that `base` does not hold.
        vectors: Theirs, [added, dimension].
        base: A generation to copy the other vectors from, or None.
        removed: The ids of the chunks in `base` to leave out.

    Raises:
        StoreError: Chroma cannot write it.
    """
    folder.mkdir(parents=True)
    _build_bm25(folder / "bm25", texts)
    if base is not None:
        shutil.copytree(base / "chroma", folder / "chroma")
    from chromadb.errors import ChromaError

    client, collection = _open_chroma(folder, create=base is None)
    try:
        for at in range(0, len(removed), _BATCH):
            collection.delete(ids=list(removed[at : at + _BATCH]))
        for at in range(0, len(added), _BATCH):
            collection.add(ids=list(added[at : at + _BATCH]), embeddings=vectors[at : at + _BATCH])
    except ChromaError as error:
        raise StoreError(
            f"The new generation `{folder}` cannot be written ({_one_line(error)}). Run this again."
        ) from None
    finally:
        client.close()


def sizes(folder: Path) -> dict[str, int]:
    """The size in bytes of each file below a folder, by its path there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


def check_sizes(folder: Path, expected: dict[str, int]) -> None:
    """Notice files that are gone or were cut short; Chroma's own writes on opening only lengthen them.

    Raises:
        StoreError: One is.
    """
    found = sizes(folder)
    for name, size in expected.items():
        if found.get(name, -1) < size:
            raise StoreError(f"{folder.name}/{name} has {found.get(name, 0)} of {size} bytes")


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _open_chroma(folder: Path, *, create: bool = False) -> tuple[Any, Any]:
    import chromadb
    from chromadb.config import Settings

    path = folder / "chroma"
    if not create and not (path / "chroma.sqlite3").is_file():
        raise FileNotFoundError(f"{path.name}/chroma.sqlite3 is gone")
    client: Any = chromadb.PersistentClient(str(path), settings=Settings(anonymized_telemetry=False))
    try:
        if create:
            space = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 128}}
            return client, client.create_collection(COLLECTION, configuration=space, embedding_function=None)
        return client, client.get_collection(COLLECTION, embedding_function=None)
    except BaseException:
        client.close()
        raise


def _build_bm25(folder: Path, texts: Iterable[str]) -> None:
    import bm25s
    from bm25s.tokenization import Tokenized

    tokens = [terms(text) or [""] for text in texts]
    vocabulary = {token: number for number, token in enumerate(sorted({t for row in tokens for t in row}))}
    words = bm25s.BM25(k1=K1, b=B)
    ids = [[vocabulary[token] for token in row] for row in tokens]
    words.index(Tokenized(ids=ids, vocab=vocabulary), show_progress=False)
    words.save(str(folder), show_progress=False)


def _open_bm25(folder: Path) -> Any:
    import bm25s

    return bm25s.BM25.load(str(folder / "bm25"), load_corpus=False)
