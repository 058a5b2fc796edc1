"""Roots -> files -> documents: what is there now, against what the store remembers.

A root is a folder or a file that somebody named. Its key in the store is its path from the store's parent
where it lies below that (so that a project can be moved as a whole), and its absolute path elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rag.documents import SUFFIXES, read
from rag.errors import DocumentError
from rag.truth import Origin, StoredFile
from rag.types import Document, Rejected

_UNSETTLED_NS = 2_000_000_000
"""A file changed this shortly before it was read may change again without a new time stamp."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What the roots hold now.

    Attributes:
        files: The fingerprint of every file.
        touched: The files whose fingerprint differs from the one remembered.
        fresh: The documents of those whose bytes differ, by origin; their doc_id is not final.
        kept: The files whose bytes are the remembered ones.
        missing: The keys of the roots that are not there.
        unread: The folders that could not be listed.
    """

    files: dict[tuple[str, str], StoredFile]
    touched: tuple[StoredFile, ...]
    fresh: dict[Origin, Document]
    kept: frozenset[tuple[str, str]]
    missing: tuple[str, ...]
    unread: tuple[Rejected, ...] = ()


def key_of(path: Path, store: Path) -> str:
    """The key of a root in a store.

    Examples:
        >>> key_of(Path("/home/ann/notes"), Path("/home/ann/.citewell"))
        'notes'
        >>> key_of(Path("/data"), Path("/home/ann/.citewell"))
        '/data'
    """
    path, base = Path(os.path.abspath(path)), Path(os.path.abspath(store)).parent
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()


def path_of(key: str, store: Path) -> Path:
    """The path of a root, from its key."""
    return Path(os.path.abspath(store)).parent / key


def scan(
    keys: Sequence[str], store: Path, known: Mapping[tuple[str, str], StoredFile], max_bytes: int
) -> Scan:
    """Look at every file below the roots, and read those that changed.

    A file below two roots counts for the outer one.
    """
    files: dict[tuple[str, str], StoredFile] = {}
    fresh: dict[Origin, Document] = {}
    kept: set[tuple[str, str]] = set()
    touched: list[StoredFile] = []
    unread: list[OSError] = []
    missing = tuple(key for key in keys if not path_of(key, store).exists())
    there = [key for key in keys if key not in missing]
    for key, path in _files(there, store, unread.append):
        name = _readable(_below(path, path_of(key, store)))
        old = known.get((key, name))
        now, documents = _look(path, key, name, old, max_bytes)
        files[key, name] = now
        if now != old:
            touched.append(now)
        if documents is None:
            kept.add((key, name))
        else:
            fresh |= {Origin(key, name, document.doc_id): document for document in documents}
    for at, old in known.items():
        # what cannot be seen is not gone
        if at not in files and any(_is_below(old, str(error.filename), store) for error in unread):
            files[at] = old
            kept.add(at)
    rejected = {_readable(str(error.filename)): error.strerror or str(error) for error in unread}
    folders = tuple(
        Rejected(path, f"the folder cannot be read ({why}); its documents are kept")
        for path, why in rejected.items()
    )
    return Scan(files, tuple(touched), fresh, frozenset(kept), missing, folders)


def doc_ids(origins: Iterable[Origin], store: Path) -> dict[Origin, str]:
    """Name every document: its name, with the root's in front where two would clash.

    Where that is not enough, a record has its file in front too, and then any document as many of the
    root's own folders as it takes. The ids depend on what there is alone, not on what came first.
    """
    names = {origin: iter(_names(origin, store)) for origin in origins}
    named = {origin: next(options) for origin, options in names.items()}
    while True:
        times = Counter(named.values())
        longer = {o: next(names[o], name) for o, name in named.items() if times[name] > 1}
        if all(named[origin] == name for origin, name in longer.items()):
            return _numbered(named)
        named |= longer


def _names(origin: Origin, store: Path) -> Iterator[str]:
    """The names that a document may have, the shortest first."""
    name = origin.name
    yield name
    folder = place_of(origin, store).parents[origin.file.count("/")]
    fronts = [part for part in reversed(folder.parts) if part != folder.anchor]
    if origin.name != origin.file:
        yield "/".join([*fronts[:1], name])
        name = f"{origin.file}/{name}"
    yield from ("/".join([*reversed(fronts[:times]), name]) for times in range(1, len(fronts) + 1))


def _numbered(named: dict[Origin, str]) -> dict[Origin, str]:
    """The names, with a number behind those that are alike even in full."""
    result: dict[Origin, str] = {}
    taken = set(named.values())
    seen: set[str] = set()
    for origin in sorted(named, key=lambda origin: (origin.root, origin.file, origin.name)):
        name, number = named[origin], 1
        while name in seen or (number > 1 and name in taken):
            number += 1
            name = f"{named[origin]} ({number})"
        seen.add(name)
        result[origin] = name
    return result


def place_of(origin: Origin, store: Path) -> Path:
    """The path of the file that a document came from; its root is that file, or a folder above it."""
    root = path_of(origin.root, store)
    return root if root.name == origin.file and not root.is_dir() else root / origin.file


def _is_below(file: StoredFile, folder: str, store: Path) -> bool:
    return (path_of(file.root, store) / file.file).is_relative_to(folder)


def _below(path: Path, root: Path) -> str:
    return path.name if path == root else path.relative_to(root).as_posix()


def _files(
    keys: Sequence[str], store: Path, on_error: Callable[[OSError], None]
) -> Iterator[tuple[str, Path]]:
    seen: set[Path] = set()
    inside = Path(os.path.abspath(store))
    for key in sorted(keys, key=lambda key: (len(path_of(key, store).parts), key)):
        root = path_of(key, store)
        for path in [root] if root.is_file() else _walk(root, inside, on_error):
            if path not in seen:
                seen.add(path)
                yield key, path


def _walk(root: Path, store: Path, on_error: Callable[[OSError], None]) -> Iterator[Path]:
    for folder, names, files in os.walk(root, onerror=on_error):
        here = Path(folder)
        names[:] = sorted(name for name in names if not name.startswith(".") and here / name != store)
        yield from (here / name for name in sorted(files) if not name.startswith("."))


def _look(
    path: Path, root: str, name: str, old: StoredFile | None, max_bytes: int
) -> tuple[StoredFile, list[Document] | None]:
    """The fingerprint of a file, and its documents unless its bytes are the remembered ones."""
    now = StoredFile(root, name, 0, 0, time.time_ns(), "")
    try:
        found = path.stat()
        now = replace(now, size=found.st_size, mtime_ns=found.st_mtime_ns)
        if old is not None and _settled(old, now):
            return old, None
        if reason := _unwanted(path, found, max_bytes):
            raise DocumentError(reason)
        now = replace(now, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
        if old is not None and old.sha256 == now.sha256:
            return (old if _same_stamp(old, now) else replace(now, rejected=old.rejected)), None
        documents, rejected = read(path, name, max_bytes=max_bytes)
        return replace(now, rejected=tuple(rejected)), documents
    except OSError as error:
        return _reject(now, old, error.strerror or str(error)), []
    except DocumentError as error:
        return _reject(now, old, str(error)), []


def _reject(now: StoredFile, old: StoredFile | None, reason: str) -> StoredFile:
    rejected = replace(now, rejected=(Rejected(now.file, reason),))
    same = old is not None and replace(rejected, seen_ns=old.seen_ns) == old
    return old if same and old is not None else rejected


def _same_stamp(old: StoredFile, now: StoredFile) -> bool:
    return (old.size, old.mtime_ns) == (now.size, now.mtime_ns)


def _settled(old: StoredFile, now: StoredFile) -> bool:
    return _same_stamp(old, now) and bool(old.sha256) and old.mtime_ns < old.seen_ns - _UNSETTLED_NS


def _unwanted(path: Path, found: os.stat_result, max_bytes: int) -> str:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8; rename it"
    if not stat.S_ISREG(found.st_mode):
        return "it is not a regular file"
    if path.suffix.lower() not in SUFFIXES:
        return f"its kind is not one of {' '.join(sorted(SUFFIXES))}"
    if found.st_size > max_bytes:
        return (
            f"it has {found.st_size:,} bytes, more than the {max_bytes:,} allowed; raise CITEWELL_MAX_FILE_MB"
        )
    return ""


def _readable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()
