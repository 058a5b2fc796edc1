"""The store's writer: files -> truth -> a new generation, swapped in by one commit.

    roots ─> documents ─> chunks ─> vectors (kept as they are made) ─> generations/<new>/ ─> probe ─> commit

Killed anywhere, the index is the old one or the new one, and the same command again goes on from there. One
process writes at a time; readers never wait for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag import generation, roots
from rag.chunks import RECIPE, chunk
from rag.embedding import Embedder
from rag.errors import BusyError, MismatchError, NoIndexError, NotFoundError, StoreError
from rag.probe import probe, spread
from rag.roots import Scan
from rag.truth import FILE_NAME, Change, Origin, StoredChunk, StoredDocument, Truth, fingerprint, way_back
from rag.types import Document, IndexReport, Rejected

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UPLOADS = "uploads"
_MEND_WAIT_S = 60.0  # another reader may be mending already
_EMBED_BATCH = 256
_MOST_DELETED = 0.5
"""A copied Chroma folder keeps the room of deleted vectors: beyond this share it is made anew."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What an index run will do to the documents."""

    roots: tuple[str, ...]
    excluded: frozenset[Origin]
    scan: Scan
    removed_files: tuple[tuple[str, str], ...]
    origins: Mapping[str, Origin]
    rewritten: Mapping[str, Document]
    moved: frozenset[str]
    removed: tuple[str, ...]
    report: IndexReport


def update(
    store: Path,
    embedder: Embedder,
    *,
    add: Sequence[Path] = (),
    remove: Sequence[str] = (),
    max_bytes: int = 50_000_000,
    show_progress: bool = False,
) -> IndexReport:
    """Bring the index up to its roots, and write nothing where nothing changed.

    Args:
        store: The folder of the store; made where it is not there.
        embedder: Must be the one that made the index.
        add: Folders and files to index and remember as roots.
        remove: Roots (by path) and documents (by doc_id) to drop.
        max_bytes: Larger files are rejected.
        show_progress: Draw a bar on standard error while embedding.

    Raises:
        BusyError: Another process writes.
        MismatchError: The index was made by another embedding model.
        NotFoundError: Something to add or remove is not there.
        DamagedError: The truth cannot be read.
    """
    started = time.perf_counter()
    missing = [path for path in add if not path.exists()]
    if missing:
        raise NotFoundError(f"There is no file or folder `{missing[0]}` to index. Check the path.")
    for path in (store, *add):
        _check_name(path)
    with writing(store), Truth(store, create=True) as truth:
        check_embedder(truth.meta(), embedder, store)
        _clean(store, truth)
        plan = _plan(store, truth, add, remove, max_bytes)
        _execute(store, truth, embedder, plan, show_progress)
        documents, chunks = truth.counts()
    seconds = time.perf_counter() - started
    return replace(plan.report, documents=documents, chunks=chunks, seconds=seconds)


def mend(store: Path, embedder: Embedder, broken: str) -> None:
    """Make a generation again from the truth, if it still serves: no file is read, nothing is embedded.

    Raises:
        BusyError: Another process writes.
        DamagedError: The truth cannot be read.
    """
    with writing(store, _MEND_WAIT_S), Truth(store) as truth:
        meta = truth.meta()
        check_embedder(meta, embedder, store)
        if meta.get("generation") == broken:
            _swap(store, truth, embedder, _nothing(truth), sound=False)


@contextmanager
def writing(store: Path, wait_s: float = 0.5) -> Iterator[None]:
    """Hold the store's lock; a process that dies lets it go.

    Raises:
        BusyError: Another process holds it, and goes on to after `wait_s` seconds.
    """
    from filelock import FileLock, Timeout

    store.mkdir(parents=True, exist_ok=True)
    lock = FileLock(store / "write.lock")
    try:
        lock.acquire(timeout=wait_s)
    except Timeout:
        raise BusyError(
            f"Another process is writing to the index `{store}`. Wait until it ends, then run this again."
        ) from None
    try:
        yield
    finally:
        lock.release()


def exists(store: Path) -> bool:
    """Whether a store was ever written to."""
    return (store / FILE_NAME).is_file()


def is_indexed(store: Path) -> bool:
    """Whether an index run ever ended there.

    Raises:
        DamagedError: The truth cannot be read.
    """
    if not exists(store):
        return False
    try:
        with Truth(store) as truth:
            return bool(truth.generation())
    except NoIndexError:
        return False


def is_sound(store: Path, meta: Mapping[str, str]) -> bool:
    """Whether the files of the serving generation are there in full length."""
    name = meta.get("generation", "")
    if not name or not meta["sizes"]:
        return True
    try:
        generation.check_sizes(folder_of(store, name), json.loads(meta["sizes"]))
    except StoreError:
        return False
    return True


def folder_of(store: Path, name: str) -> Path:
    """The folder of a generation."""
    return store / "generations" / name


def check_embedder(meta: Mapping[str, str], embedder: Embedder, store: Path) -> None:
    """Refuse to mix the vectors of two models.

    Raises:
        MismatchError: The index was made by another model, or one of another dimension.
    """
    made_by = meta.get("embedding")
    if made_by is not None and made_by != embedder.name:
        raise MismatchError(
            f"The index `{store}` was made by the embedding model {made_by}, and {embedder.name} is set. "
            "Set CITEWELL_EMBEDDING back, or index into another folder with `--store DIR`."
        )
    dimension = meta.get("dimension")
    if dimension is not None and int(dimension) != embedder.dimension:
        raise MismatchError(
            f"The index `{store}` holds vectors of {dimension} numbers, and {embedder.name} now gives "
            f"{embedder.dimension}. Index into another folder with `--store DIR`."
        )


def searched_text(title: str, text: str) -> str:
    """What the searches read of a chunk: the title of its document, then its text."""
    return f"{title}\n{text}" if title else text


def _plan(store: Path, truth: Truth, add: Sequence[Path], remove: Sequence[str], max_bytes: int) -> _Plan:
    held = truth.origins()
    keys, excluded = _choose(store, truth, held, add, remove)
    known = truth.files()
    returned = {(origin.root, origin.file) for origin in truth.excluded() - excluded}
    unread = {at: file for at, file in known.items() if at not in returned}
    scan = roots.scan(keys, store, unread, max_bytes)
    lost = {root for root in scan.missing if root in keys}
    origins = [
        stored.origin
        for stored in held.values()
        if stored.origin.root in lost or (stored.origin.root, stored.origin.file) in scan.kept
    ]
    origins = [*origins, *scan.fresh]
    if hidden := {_record_of(origin, store) for origin in excluded}:
        excluded |= {origin for origin in origins if _record_of(origin, store) in hidden}
    origins = [origin for origin in origins if origin not in excluded]
    named = roots.doc_ids(origins, store)
    rewritten = _rewritten(truth, held, named, scan)
    ids = set(named.values())
    removed = tuple(sorted(set(held) - ids))
    added = sum(doc_id not in held for doc_id in rewritten)
    report = IndexReport(
        added=added,
        changed=len(rewritten) - added,
        unchanged=len(ids) - len(rewritten),
        removed=len(removed),
        rejected=_rejected(scan, lost),
        documents=len(ids),
        chunks=0,
        seconds=0.0,
    )
    return _Plan(
        roots=tuple(keys),
        excluded=excluded,
        scan=scan,
        removed_files=tuple(sorted(at for at in known if at not in scan.files and at[0] not in lost)),
        origins={doc_id: origin for origin, doc_id in named.items()},
        rewritten=rewritten,
        moved=frozenset(i for o, i in named.items() if i in held and held[i].origin != o),
        removed=removed,
        report=report,
    )


def _choose(
    store: Path, truth: Truth, held: Mapping[str, StoredDocument], add: Sequence[Path], remove: Sequence[str]
) -> tuple[list[str], frozenset[Origin]]:
    """The roots and the excluded documents after what was asked for."""
    keys, excluded = set(truth.roots()), truth.excluded()
    added = {roots.key_of(path, store) for path in add}
    named = {Path(os.path.abspath(path)) for path in add}
    excluded = {origin for origin in excluded if roots.place_of(origin, store) not in named}
    keys |= added
    uploads = store / UPLOADS
    if uploads.is_dir():
        keys.add(roots.key_of(uploads, store))
    for name in remove:
        path = roots.key_of(Path(name), store)
        key = path if path in keys else name  # as the report and the errors call it
        if key in keys:
            keys.remove(key)
        elif name in held:
            excluded.add(held[name].origin)
        elif beneath := _documents_of(Path(os.path.abspath(name)), held, store):
            excluded |= beneath
        else:
            raise NotFoundError(
                f"The index `{store}` has no root and no document `{name}`. "
                f"Its roots: {', '.join(sorted(keys)) or 'none'}."
            )
    return sorted(keys), frozenset(origin for origin in excluded if origin.root in keys)


def _documents_of(file: Path, held: Mapping[str, StoredDocument], store: Path) -> set[Origin]:
    return {stored.origin for stored in held.values() if roots.place_of(stored.origin, store) == file}


def _record_of(origin: Origin, store: Path) -> tuple[Path, str]:
    """What a document is whatever root it is found by: its file, and which record of it."""
    return roots.place_of(origin, store), "" if origin.name == origin.file else origin.name


def _rewritten(
    truth: Truth, held: Mapping[str, StoredDocument], named: Mapping[Origin, str], scan: roots.Scan
) -> dict[str, Document]:
    """The documents that are new, changed or under a new name, by doc_id."""
    fresh = {
        doc_id: replace(scan.fresh[origin], doc_id=doc_id)
        for origin, doc_id in named.items()
        if origin in scan.fresh
    }
    result = {
        doc_id: document
        for doc_id, document in fresh.items()
        if doc_id not in held or held[doc_id].fingerprint != fingerprint(document)
    }
    before = {stored.origin: doc_id for doc_id, stored in held.items()}
    renamed = {
        doc_id: before[origin]
        for origin, doc_id in named.items()
        if doc_id not in fresh and before[origin] != doc_id
    }
    texts = truth.documents(list(renamed.values()))
    return result | {new: replace(texts[old], doc_id=new) for new, old in renamed.items()}


def _rejected(scan: Scan, lost: set[str]) -> tuple[Rejected, ...]:
    rejected = [*scan.unread, *(item for file in scan.files.values() for item in file.rejected)]
    rejected += [
        Rejected(root, f"the root is gone, its documents are kept; `citewell remove {root}` drops them")
        for root in sorted(lost)
    ]
    return tuple(sorted(rejected, key=lambda item: (item.path, item.reason)))


def _check_name(path: Path) -> None:
    try:
        os.path.abspath(path).encode()
    except UnicodeEncodeError:
        raise StoreError(f"The name of `{path}` is not UTF-8, so it cannot be kept. Rename it.") from None


def _nothing(truth: Truth) -> _Plan:
    """The plan that leaves every document as it is."""
    held = truth.origins()
    return _Plan(
        roots=tuple(truth.roots()),
        excluded=frozenset(truth.excluded()),
        scan=Scan({}, (), {}, frozenset(), ()),
        removed_files=(),
        origins={doc_id: stored.origin for doc_id, stored in held.items()},
        rewritten={},
        moved=frozenset(),
        removed=(),
        report=IndexReport(0, 0, len(held), 0, (), len(held), 0, 0.0),
    )


def _execute(store: Path, truth: Truth, embedder: Embedder, plan: _Plan, show_progress: bool) -> None:
    meta = truth.meta()
    changed = (
        plan.rewritten
        or plan.moved
        or plan.removed
        or plan.removed_files
        or plan.scan.touched
        or list(plan.roots) != truth.roots()
        or plan.excluded != truth.excluded()
    )
    sound = is_sound(store, meta)
    if changed or meta.get("recipe") != RECIPE or not sound:
        _swap(store, truth, embedder, plan, sound=sound, show_progress=show_progress)


def _swap(
    store: Path, truth: Truth, embedder: Embedder, plan: _Plan, *, sound: bool, show_progress: bool = False
) -> None:
    """Write what the plan says beside what serves, copying from that where it is sound, and commit it."""
    meta = truth.meta()
    documents = {doc_id: doc for doc_id, doc in truth.documents().items() if doc_id not in plan.removed}
    documents |= plan.rewritten
    rechunked = set(plan.rewritten) if meta.get("recipe") == RECIPE else set(documents)
    old = truth.chunks()
    kept = [row for row in old if row.doc_id in documents and row.doc_id not in rechunked]
    made = [row for doc_id in sorted(rechunked) for row in _stored_chunks(documents[doc_id])]
    rows = sorted([*kept, *made], key=lambda row: (row.doc_id, row.start))
    _embed(truth, embedder, rows, documents, show_progress)
    names = _build(store, truth, embedder, old if sound else [], rows, documents)
    ids = {row.chunk_id for row in rows}
    truth.commit(
        Change(
            meta={
                "embedding": embedder.name,
                "dimension": str(embedder.dimension),
                "recipe": RECIPE,
                **names,
            },
            roots=plan.roots,
            excluded=sorted(plan.excluded, key=lambda origin: (origin.root, origin.file, origin.name)),
            files=plan.scan.touched,
            removed_files=plan.removed_files,
            documents=[(documents[i], plan.origins[i]) for i in sorted(plan.moved | set(plan.rewritten))],
            removed_documents=plan.removed,
            chunks=made,
            removed_chunks=[row.chunk_id for row in old if row.chunk_id not in ids],
        )
    )
    _clean(store, truth)


def _stored_chunks(document: Document) -> Iterator[StoredChunk]:
    for piece in chunk(document):
        key = hashlib.sha256(searched_text(document.title, piece.text).encode()).hexdigest()
        place = f"{document.doc_id}\0{piece.start}\0{piece.end}\0{key}"
        chunk_id = hashlib.sha256(place.encode()).hexdigest()[:32]
        yield StoredChunk(chunk_id, document.doc_id, piece.start, piece.end, piece.sentences, key)


def _text_of(row: StoredChunk, documents: Mapping[str, Document]) -> str:
    document = documents[row.doc_id]
    return searched_text(document.title, document.text[row.start : row.end])


def _embed(
    truth: Truth,
    embedder: Embedder,
    rows: Sequence[StoredChunk],
    documents: Mapping[str, Document],
    show_progress: bool,
) -> None:
    from tqdm import tqdm

    known = truth.known_vectors(embedder.name)
    new = {row.text_sha256: row for row in rows if row.text_sha256 not in known}
    keys = list(new)
    with tqdm(
        total=len(keys),
        desc="Embedding",
        unit=" chunks",
        file=sys.stderr,
        disable=not (show_progress and keys),
    ) as bar:
        for at in range(0, len(keys), _EMBED_BATCH):
            part = keys[at : at + _EMBED_BATCH]
            vectors = embedder.embed([_text_of(new[key], documents) for key in part], bar.update)
            truth.add_vectors(embedder.name, part, vectors)


def _build(
    store: Path,
    truth: Truth,
    embedder: Embedder,
    base: Sequence[StoredChunk],
    rows: Sequence[StoredChunk],
    documents: Mapping[str, Document],
) -> dict[str, str]:
    """Write a new generation where `base`, the sound chunks of the serving one, will not do; name it."""
    meta = truth.meta()
    held, wanted = {row.chunk_id for row in base}, {row.chunk_id for row in rows}
    if held == wanted and "generation" in meta:
        return {}
    name = secrets.token_hex(8)  # never used before, since Chroma keeps what it knows of a path
    deleted = int(meta.get("deleted", "0")) + len(held - wanted)
    again = not held or deleted > _MOST_DELETED * len(wanted)
    names = {
        "generation": name,
        "previous": meta.get("generation", ""),
        "deleted": "0" if again else str(deleted),
    }
    if not rows:
        return {**names, "sizes": ""}
    added = [row for row in rows if again or row.chunk_id not in held]
    folder = folder_of(store, name)
    generation.build(
        folder,
        (_text_of(row, documents) for row in rows),
        [row.chunk_id for row in added],
        vectors_of(truth, embedder, added),
        base=None if again else folder_of(store, meta["generation"]),
        removed=[] if again else sorted(held - wanted),
    )
    probe(folder, [row.chunk_id for row in rows], vectors_of(truth, embedder, spread(rows)))
    return {**names, "sizes": json.dumps(generation.sizes(folder))}


def vectors_of(truth: Truth, embedder: Embedder, rows: Sequence[StoredChunk]) -> NDArray[np.float32]:
    """The vectors of chunks, [rows, dimension].

    Raises:
        StoreError: The truth has lost some.
    """
    import numpy as np

    found = truth.vectors(embedder.name, [row.text_sha256 for row in rows])
    lost = sum(row.text_sha256 not in found for row in rows)
    if lost:
        raise StoreError(
            f"The truth `{truth.path}` lacks the vectors of {lost} chunks. {way_back(truth.path.parent)}"
        )
    return (
        np.stack([found[row.text_sha256] for row in rows])
        if rows
        else np.empty((0, embedder.dimension), np.float32)
    )


def _clean(store: Path, truth: Truth) -> None:
    """Remove the generations that neither serve nor served last (a reader may still be in that one)."""
    meta = truth.meta()
    used = {meta.get("generation", ""), meta.get("previous", "")}
    folder = store / "generations"
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in used:
            shutil.rmtree(path, ignore_errors=True)
