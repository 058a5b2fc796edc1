"""The folder of a run: what it is a run of, and how an unfinished one goes on.

A folder that was left by a killed run is good for another one if questions, documents, code, packages and
settings are the same: each stands in `run.json` by its hash.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.dataset import Question
from eval.records import FIGURES, RECORDS, RUN, TIMINGS, line_of, write_aside
from rag.errors import BusyError

if TYPE_CHECKING:
    from eval.sets import QuestionSet
    from rag.settings import Settings

Json = dict[str, Any]
ROOT = Path(__file__).parents[1]
SHOWN = ("questions", "corpus")
"""What a manifest says for a person: paths, which may differ while what they hold is the same."""
BROUGHT = "the documents that each question brings"
HTML, JUNIT = "report.html", "junit.xml"
FILES = (FIGURES, HTML, JUNIT, RECORDS, TIMINGS)
"""What a run writes beside its manifest, in the order in which it is cleared away."""
OURS = ("set", "questions_sha256", "corpus_sha256", "total")
"""What tells a manifest of ours from another `run.json`."""


class OtherFilesError(Exception):
    """A folder holds files of the names that a run writes, and they are of no run; the text is one line."""


def manifest(asked: QuestionSet, questions: Sequence[Question], settings: Settings) -> Json:
    """What `run.json` holds: what is asked of what, so that two runs are known to be of the same."""
    return {
        "set": asked.name,
        "questions": shown(asked.path),
        "corpus": BROUGHT if asked.closed else shown(asked.corpus),
        "questions_sha256": _sha256(line_of(_identity(question)).encode() for question in asked.questions),
        "corpus_sha256": corpus_sha256(asked.corpus),
        "code_sha256": code_sha256(),
        "packages_sha256": packages_sha256(),
        "settings_sha256": settings_sha256(settings),
        "answerer": settings.llm or "extractive",
        "embedding": settings.embedding,
        "total": len(questions),
        "whole": len(questions) == len(asked.questions),
    }


def shown(path: Path) -> str:
    """A path as it is short: below the current folder where it is there."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def resume(out: Path, wanted: Json, questions: Sequence[Question], fresh: bool = False) -> int:
    """Make a folder ready to be written on, and say how many questions of it are answered already.

    The records of an unfinished run with the same manifest are kept up to the last whole line; a finished
    run, and one of anything else, is cleared away; what is of no run is left alone.

    Args:
        out: The folder of the run.
        wanted: The manifest of the run that is to be.
        questions: In their order.
        fresh: Clear away whatever run is there.

    Raises:
        OtherFilesError: The folder holds files of the names that a run writes, without the manifest of one.
    """
    out.mkdir(parents=True, exist_ok=True)
    _check_ours(out)
    if not fresh and not (out / FIGURES).exists() and (there := read_manifest(out)) is not None:
        if _same(there, wanted):
            return _kept(out, questions)
        print(f"{out} holds an unfinished run of something else: starting anew.", file=sys.stderr)
    for name in FILES:
        (out / name).unlink(missing_ok=True)
    write_aside(out / RUN, json.dumps(wanted, ensure_ascii=False, indent=1) + "\n")
    return 0


def _check_ours(out: Path) -> None:
    there = [name for name in (RUN, *FILES) if (out / name).exists()]
    manifest = read_manifest(out) or {}
    if there and not all(name in manifest for name in OURS):
        raise OtherFilesError(
            f"`{out}` holds a {there[0]} that is of no run of ours, and a run would overwrite it. "
            "Name another folder with --out, or move it away."
        )


def read_manifest(out: Path) -> Json | None:
    """What `run.json` of a folder holds, or None where there is none that can be read."""
    try:
        found = json.loads((out / RUN).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Hold a folder, so that no two runs write into it.

    Raises:
        BusyError: Another run holds it.
    """
    from filelock import FileLock, Timeout

    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise BusyError(
            f"Another run is writing to `{out}`. Wait for it, or name another folder with --out."
        ) from None
    try:
        yield
    finally:
        lock.release()


def corpus_sha256(corpus: Path | None) -> str:
    """The hash of a corpus: of a file, or of all files of a folder with their names; empty without one."""
    if corpus is None:
        return ""
    return _sha256(_contents(corpus, [corpus] if corpus.is_file() else _files(corpus)))


def code_sha256() -> str:
    """The hash of what answers and what judges: `rag/` with its weights, and the modules here."""
    return _sha256(_contents(ROOT, [*_files(ROOT / "rag"), *sorted((ROOT / "eval").glob("*.py"))]))


def packages_sha256() -> str:
    """The hash of the versions of Python and of every installed package."""
    from importlib.metadata import distributions

    versions = sorted({f"{found.name} {found.version}\n" for found in distributions()})
    return _sha256(line.encode() for line in (sys.version, *versions))


def settings_sha256(settings: Settings) -> str:
    """The hash of the settings, but for the key and the place of the index, which change no answer."""
    plain = settings.model_dump(mode="json", exclude={"openai_api_key", "store"})
    return _sha256([json.dumps(plain, sort_keys=True).encode()])


def _kept(out: Path, questions: Sequence[Question]) -> int:
    """Cut records and timings back to the whole lines of the first questions; how many those are."""
    records = _whole(out / RECORDS)
    timings = {_id_of(line): line for line in _whole(out / TIMINGS)}
    done = 0
    for line, question in zip(records, questions, strict=False):
        if _id_of(line) != question.id:
            break
        done += 1
    (out / RECORDS).write_bytes(b"".join(records[:done]))
    (out / TIMINGS).write_bytes(b"".join(timings.get(question.id, b"") for question in questions[:done]))
    if done:
        print(f"{out}: going on after {done} of {len(questions)} questions.", file=sys.stderr)
    return done


def _id_of(line: bytes) -> object:
    """The id in a line; None where the line is no record, as a disk that was cut off can leave it."""
    try:
        return json.loads(line)["id"]
    except (ValueError, KeyError, TypeError):
        return None


def _whole(path: Path) -> list[bytes]:
    """The lines of a file that end as lines do: a killed writer leaves a torn one behind."""
    if not path.exists():
        return []
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def _same(one: Json, other: Json) -> bool:
    return all(one.get(name) == other.get(name) for name in one.keys() | other.keys() - set(SHOWN))


def _identity(question: Question) -> Json:
    """All that is asked and judged by; where a question stands in its file changes nothing."""
    return {name: value for name, value in asdict(question).items() if name != "line"}


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]


def _contents(root: Path, paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        yield path.relative_to(root).as_posix().encode()
        yield hashlib.sha256(path.read_bytes()).digest()


def _sha256(pieces: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()
