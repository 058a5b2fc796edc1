"""The truth of a store: one SQLite file that everything else is built from.

It holds the roots, the fingerprints of their files, the documents with their text, the chunks, every
vector by model and sha256 of its text, and the name of the generation that serves. Vectors are committed as
they are made, so that nothing is embedded twice; all the rest changes in one transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rag.errors import BusyError, DamagedError, NoIndexError, StoreError
from rag.types import Chunk, Document, Rejected

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE_NAME = "corpus.sqlite"
SCHEMA = "1"
_NOT_DAMAGE = ("unable to open", "readonly", "disk is full")
_LIMIT = 500  # variables in one statement; SQLite's own limit was 999 for long

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS roots (path TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS excluded (root TEXT, file TEXT, name TEXT, PRIMARY KEY (root, file, name))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    root TEXT, file TEXT, size INTEGER, mtime_ns INTEGER, seen_ns INTEGER, sha256 TEXT, rejected TEXT,
    PRIMARY KEY (root, file)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
    doc_id TEXT PRIMARY KEY, root TEXT, file TEXT, name TEXT, title TEXT, source TEXT,
    published_at TEXT, text TEXT, sha256 TEXT);
CREATE TABLE IF NOT EXISTS chunks (
    chunk_id TEXT PRIMARY KEY, doc_id TEXT, start INTEGER, stop INTEGER, sentences TEXT, text_sha256 TEXT);
CREATE INDEX IF NOT EXISTS chunks_by_document ON chunks (doc_id);
CREATE TABLE IF NOT EXISTS vectors (
    model TEXT, text_sha256 TEXT, vector BLOB, PRIMARY KEY (model, text_sha256));
"""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The fingerprint of a file, by its root and its path below that.

    Attributes:
        root: The root's key in `roots`.
        file: The path below the root, with forward slashes.
        size: Bytes.
        mtime_ns: When it was last changed, by the file system.
        seen_ns: When it was read, by our clock.
        sha256: The hash of its bytes; empty where it was not read.
        rejected: What of it could not be read.
    """

    root: str
    file: str
    size: int
    mtime_ns: int
    seen_ns: int
    sha256: str
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document came from: its file, and its name there (the record's id, or the path)."""

    root: str
    file: str
    name: str


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What tells whether a document changed, without its text."""

    doc_id: str
    origin: Origin
    fingerprint: str


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk without its text: a span of its document, its sentences, and the key of its vector."""

    chunk_id: str
    doc_id: str
    start: int
    end: int
    sentences: tuple[tuple[int, int], ...]
    text_sha256: str

    def cut(self, text: str) -> Chunk:
        """The chunk with its characters, cut from the text of its document."""
        return Chunk(self.doc_id, text[self.start : self.end], self.start, self.sentences)


@dataclass(frozen=True, slots=True)
class Change:
    """Everything that one index run changes, to be committed together.

    `origins` names every document that the index holds afterwards; documents, chunks and files that are
    not in `documents`, `chunks` and `files` stay as they are unless they are removed by name.
    """

    meta: Mapping[str, str]
    roots: Sequence[str]
    excluded: Sequence[Origin]
    files: Sequence[StoredFile]
    removed_files: Sequence[tuple[str, str]]
    documents: Sequence[tuple[Document, Origin]]
    removed_documents: Sequence[str]
    chunks: Sequence[StoredChunk]
    removed_chunks: Sequence[str]


class Truth:
    """The SQLite file of a store, open."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.path = folder / FILE_NAME
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        mode = "rwc" if create else "rw"
        with self._explained():
            # one connection serves all threads of an engine, one at a time
            self._sql = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode={mode}",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=10,
            )
        try:
            with self._explained():
                self._prepare(create)
        except BaseException:
            self.close()
            raise

    def _prepare(self, create: bool) -> None:
        empty = not self._sql.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        # a truth without tables beside generations has lost them; alone, it was never written
        if empty and not (self.path.parent / "generations").exists():
            if not create:
                raise unfinished(self.path.parent)
            self._sql.execute("PRAGMA journal_mode = WAL")
            made = f"INSERT INTO meta VALUES ('schema', '{SCHEMA}');"
            self._sql.executescript(f"BEGIN IMMEDIATE; {_TABLES} {made} COMMIT;")
        self._check()

    def _check(self) -> None:
        pages, size = (
            self._sql.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
        )
        wal = self.path.with_name(self.path.name + "-wal")
        if pages * size > self.path.stat().st_size + (wal.stat().st_size if wal.exists() else 0):
            raise sqlite3.DatabaseError("it is shorter than it says")
        schema = self.meta().get("schema")
        if schema != SCHEMA:
            raise sqlite3.DatabaseError(f"it has the form {schema!r}, and this Citewell reads {SCHEMA!r}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, UnicodeDecodeError, json.JSONDecodeError) as error:
            said = str(error)
            if "locked" in said:
                raise BusyError(f"The store's truth `{self.path}` is locked. Try again soon.") from None
            if any(cause in said for cause in _NOT_DAMAGE):
                raise StoreError(
                    f"The store's truth `{self.path}` cannot be used ({error}). "
                    "Check who may write to its folder, and the room on its disk."
                ) from None
            raise DamagedError(
                f"The store's truth `{self.path}` cannot be read ({error}). {way_back(self.path.parent)}"
            ) from None

    def close(self) -> None:
        """Close the file; harmless when done twice."""
        self._sql.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._explained():
            return self._sql.execute(statement, values).fetchall()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read from one moment: what others commit meanwhile is not seen inside."""
        with self._explained():
            self._sql.execute("BEGIN")
        try:
            yield
        finally:
            self._sql.execute("ROLLBACK")

    def meta(self) -> dict[str, str]:
        """The remembered names: schema, embedding, dimension, recipe, generation, files of it."""
        return {str(key): str(value) for key, value in self._rows("SELECT key, value FROM meta")}

    def generation(self) -> str:
        """The name of the generation that serves; empty before the first."""
        rows = self._rows("SELECT value FROM meta WHERE key = 'generation'")
        return str(rows[0][0]) if rows else ""

    def roots(self) -> list[str]:
        """The keys of all roots, in order."""
        return [str(path) for (path,) in self._rows("SELECT path FROM roots ORDER BY path")]

    def excluded(self) -> set[Origin]:
        """The documents that were removed by name while their files are still there."""
        rows = self._rows("SELECT root, file, name FROM excluded")
        return {Origin(str(root), str(file), str(name)) for root, file, name in rows}

    def files(self) -> dict[tuple[str, str], StoredFile]:
        """All fingerprints, by root and file."""
        rows = self._rows("SELECT root, file, size, mtime_ns, seen_ns, sha256, rejected FROM files")
        with self._explained():
            stored = [_stored_file(row) for row in rows]
        return {(file.root, file.file): file for file in stored}

    def origins(self) -> dict[str, StoredDocument]:
        """All documents without their text, by doc_id."""
        rows = self._rows(
            "SELECT doc_id, root, file, name, title, source, published_at, sha256 FROM documents"
        )
        return {
            str(row[0]): StoredDocument(
                str(row[0]), Origin(str(row[1]), str(row[2]), str(row[3])), json.dumps(row[4:])
            )
            for row in rows
        }

    def documents(self, doc_ids: Sequence[str] | None = None) -> dict[str, Document]:
        """Documents with their text, by doc_id in order; all of them, or those named."""
        columns = "SELECT doc_id, title, source, published_at, text, sha256 FROM documents"
        if doc_ids is None:
            rows = self._rows(f"{columns} ORDER BY doc_id")
        else:
            rows = [row for part in _parts(doc_ids) for row in self._rows(*_among(columns, "doc_id", part))]
        return {str(row[0]): Document(*row) for row in rows}

    def chunks(self) -> list[StoredChunk]:
        """All chunks, by (doc_id, start)."""
        rows = self._rows(
            "SELECT chunk_id, doc_id, start, stop, sentences, text_sha256 FROM chunks ORDER BY doc_id, start"
        )
        with self._explained():
            return [_stored_chunk(row) for row in rows]

    def counts(self) -> tuple[int, int]:
        """How many documents and chunks there are."""
        ((documents, chunks),) = self._rows(
            "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM chunks)"
        )
        return int(documents), int(chunks)

    def vectors(self, model: str, keys: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors of texts by their sha256, where they are known."""
        import numpy as np

        found: dict[str, NDArray[np.float32]] = {}
        statement = "SELECT text_sha256, vector FROM vectors WHERE model = ?"
        for part in _parts(keys):
            marks = ",".join("?" * len(part))
            for key, blob in self._rows(f"{statement} AND text_sha256 IN ({marks})", model, *part):
                found[str(key)] = np.frombuffer(blob, dtype="<f4")
        return found

    def known_vectors(self, model: str) -> set[str]:
        """The sha256 of every text that has a vector by this model."""
        return {str(key) for (key,) in self._rows("SELECT text_sha256 FROM vectors WHERE model = ?", model)}

    def add_vectors(self, model: str, keys: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keep vectors (rows, float32) at once: what is embedded once is not embedded again."""
        rows = [
            (model, key, vector.astype("<f4").tobytes()) for key, vector in zip(keys, vectors, strict=True)
        ]
        with self._transaction():
            self._sql.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", rows)

    def commit(self, change: Change) -> None:
        """Make a change the truth, as one transaction: afterwards it is there wholly, or not at all."""
        with self._transaction():
            self._remove(change)
            self._insert(change)
            self._sql.execute("DELETE FROM vectors WHERE text_sha256 NOT IN (SELECT text_sha256 FROM chunks)")

    def set_meta(self, values: Mapping[str, str]) -> None:
        """Remember names alone, as one transaction."""
        with self._transaction():
            self._sql.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))

    def _remove(self, change: Change) -> None:
        for name in ("roots", "excluded"):
            self._sql.execute(f"DELETE FROM {name}")
        many = self._sql.executemany
        many("DELETE FROM files WHERE root = ? AND file = ?", change.removed_files)
        many("DELETE FROM documents WHERE doc_id = ?", [(name,) for name in change.removed_documents])
        many("DELETE FROM chunks WHERE chunk_id = ?", [(name,) for name in change.removed_chunks])

    def _insert(self, change: Change) -> None:
        many = self._sql.executemany
        many("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(change.meta.items()))
        many("INSERT INTO roots VALUES (?)", [(path,) for path in change.roots])
        many("INSERT INTO excluded VALUES (?, ?, ?)", [(o.root, o.file, o.name) for o in change.excluded])
        many("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", map(_file_row, change.files))
        many(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_document_row(document, origin) for document, origin in change.documents],
        )
        many("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?, ?, ?)", map(_chunk_row, change.chunks))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._explained():
            self._sql.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._sql.execute("ROLLBACK")
                raise
            self._sql.execute("COMMIT")


def way_back(store: Path) -> str:
    """How a damaged store is made again; never by deleting its folder, which may hold uploads and more."""
    return (
        f"Delete `{FILE_NAME}` and the folder `generations` in `{store}`, "
        "and run `citewell index PATH…` to make them again from your files."
    )


def unfinished(store: Path) -> NoIndexError:
    """What to say of a store whose very first run was stopped."""
    return NoIndexError(
        f"The index `{store}` is incomplete: its first run did not end. Run `citewell index PATH…` again."
    )


def fingerprint(document: Document) -> str:
    """What tells whether a document changed: everything but its name, the text by its hash."""
    return json.dumps((document.title, document.source, document.published_at, document.sha256))


def _parts(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[at : at + _LIMIT] for at in range(0, len(keys), _LIMIT))


def _among(columns: str, column: str, values: Sequence[str]) -> tuple[str, ...]:
    return (f"{columns} WHERE {column} IN ({','.join('?' * len(values))})", *values)


def _stored_file(row: tuple[Any, ...]) -> StoredFile:
    root, file, size, mtime_ns, seen_ns, sha256, packed = row
    rejected = tuple(Rejected(path, reason) for path, reason in json.loads(packed))
    return StoredFile(root, file, size, mtime_ns, seen_ns, sha256, rejected)


def _stored_chunk(row: tuple[Any, ...]) -> StoredChunk:
    chunk_id, doc_id, start, end, packed, key = row
    sentences = tuple((first, last) for first, last in json.loads(packed))
    return StoredChunk(chunk_id, doc_id, start, end, sentences, key)


def _file_row(file: StoredFile) -> tuple[object, ...]:
    rejected = json.dumps([(item.path, item.reason) for item in file.rejected])
    return (file.root, file.file, file.size, file.mtime_ns, file.seen_ns, file.sha256, rejected)


def _document_row(document: Document, origin: Origin) -> tuple[object, ...]:
    facts = (document.title, document.source, document.published_at, document.text, document.sha256)
    return (document.doc_id, origin.root, origin.file, origin.name, *facts)


def _chunk_row(chunk: StoredChunk) -> tuple[object, ...]:
    spans = json.dumps(chunk.sentences, separators=(",", ":"))
    return (chunk.chunk_id, chunk.doc_id, chunk.start, chunk.end, spans, chunk.text_sha256)
