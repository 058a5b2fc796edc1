"""A question set: JSON lines -> questions, with the facts that a right answer states.

One schema serves our gold and the third-party sets: `{"id", "question", "answers", "answerable", "type",
"evidence": [{"doc_id", "text"?}], "history"?}`. Our gold adds `facts`: typed values, each with the spellings
that state it, near-misses that do not, and the exact place in a document that says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.values import states, states_value
from rag.types import Turn

KINDS = (
    "money",
    "percentage",
    "count",
    "frequency",
    "duration",
    "date",
    "name",
    "negation",
    "phrase",
)
"""The kinds of a fact: those of `rag.facts`, compared by value; a `phrase` by its spellings alone."""

TEXT_SUFFIXES = (".txt", ".md")
Json = dict[str, Any]


class DatasetError(Exception):
    """A question set cannot be trusted; the message begins with file and line."""


@dataclass(frozen=True, slots=True)
class GoldFact:
    """One value that a right answer states, and where one document says it.

    Where several documents say the same, each has its own GoldFact with the same `kind` and `value`.

    Attributes:
        kind: One of `KINDS`.
        value: The value as a person would write it.
        accepted: Spellings that state it.
        rejected: Near-misses: an answer that holds one is wrong.
        vital: An answer without it is incomplete; else it is welcome and not asked for.
        doc_id: The document that says it.
        quote: The words that say it.
        start: Where the quote begins, in document characters.
        end: Where it ends, exclusive.
    """

    kind: str
    value: str
    accepted: tuple[str, ...]
    rejected: tuple[str, ...]
    vital: bool
    doc_id: str
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A document that holds the answer; `text` is empty where the set does not give the words."""

    doc_id: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, with what the documents have to say to it.

    Attributes:
        id: Unique in its set.
        question: As a person would ask it.
        answers: Short right answers; empty where there are none.
        answerable: Whether the documents hold the answer.
        type: What is asked for (`how_much`, `who`); for an unanswerable question, why it is so.
        evidence: Where the answer stands.
        facts: The facts of the answer; empty in sets that have none.
        history: The conversation before it.
        line: Where it stands in its file, from 1.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    answerable: bool
    type: str
    evidence: tuple[Evidence, ...] = ()
    facts: tuple[GoldFact, ...] = ()
    history: tuple[Turn, ...] = ()
    line: int = 0


def load(path: str | Path) -> tuple[Question, ...]:
    """Read a question set; empty lines are skipped.

    Raises:
        DatasetError: A line is not a question, or an id is used twice.
        OSError: The file cannot be read.
    """
    path = Path(path)
    questions = tuple(_questions(path))
    if not questions:
        raise DatasetError(f"{path}:1: there is no question in this file.")
    lines: dict[str, int] = {}
    for question in questions:
        first = lines.setdefault(question.id, question.line)
        if first != question.line:
            raise DatasetError(f"{path}:{question.line}: the id {question.id!r} is that of line {first}.")
    return questions


def validate(path: str | Path, questions: tuple[Question, ...], texts: Mapping[str, str]) -> None:
    """Prove that the facts stand where they say: each quote exact, each spelling plausible.

    An accepted spelling of every fact must stand in its quote, and a rejected value neither there nor in an
    accepted spelling. Questions without facts pass as they are.

    Args:
        path: The file of the set, for the message.
        questions: The set.
        texts: The corpus, as `corpus_texts` gives it.

    Raises:
        DatasetError: With all faults, one a line.
    """
    faults = [
        f"{path}:{question.line}: {question.id}: {fault}"
        for question in questions
        for fault in _faults(question, texts)
    ]
    if faults:
        raise DatasetError("\n".join(faults))


def corpus_texts(corpus: str | Path) -> dict[str, str]:
    r"""The texts of a corpus by doc_id, read without the engine that is judged.

    Plain text files below a folder (`.txt`, `.md`: the path below it is the doc_id) and records of `.jsonl`
    corpora, where they are UTF-8; the rest is left out. Texts are without byte-order mark, line ends as `\n`.

    Raises:
        OSError: The corpus is not there.
    """
    root = Path(corpus)
    if not root.exists():
        raise FileNotFoundError(f"there is no corpus at {root}.")
    texts: dict[str, str] = {}
    for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
        name = path.relative_to(root).as_posix() if root.is_dir() else path.name
        with suppress(UnicodeDecodeError):
            if path.suffix in TEXT_SUFFIXES:
                texts[name] = _text(path)
            elif path.suffix == ".jsonl":
                texts.update(_records(path))
    return texts


def _records(path: Path) -> Iterator[tuple[str, str]]:
    for line in _text(path).split("\n"):
        with suppress(ValueError, KeyError, TypeError):  # no record of the corpus either
            record = json.loads(line)
            yield record["doc_id"], _lines(record["text"])


def _text(path: Path) -> str:
    return _lines(path.read_bytes().decode("utf-8-sig"))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _questions(path: Path) -> Iterator[Question]:
    try:
        lines = _text(path).split("\n")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}:1: not UTF-8: {error.reason} at byte {error.start}.") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield _question(json.loads(line), number)
        except json.JSONDecodeError as error:
            raise DatasetError(f"{path}:{number}: not JSON: {error.msg}.") from None
        except ValueError as error:
            raise DatasetError(f"{path}:{number}: {error}") from None


def _question(row: Any, line: int) -> Question:
    if not isinstance(row, dict):
        raise ValueError(f"a question is a JSON object, not {row!r}.")
    return Question(
        id=_get(row, "id", str),
        question=_get(row, "question", str),
        answers=_strings(row, "answers"),
        answerable=_get(row, "answerable", bool),
        type=_get(row, "type", str, ""),
        evidence=tuple(
            Evidence(_get(item, "doc_id", str), _get(item, "text", str, ""))
            for item in _objects(row, "evidence")
        ),
        facts=tuple(_fact(item) for item in _objects(row, "facts")),
        history=tuple(
            Turn(_get(item, "role", str), _get(item, "text", str)) for item in _objects(row, "history")
        ),
        line=line,
    )


def _fact(row: Json) -> GoldFact:
    kind = _get(row, "kind", str)
    if kind not in KINDS:
        raise ValueError(f"the kind {kind!r} of a fact is none of {', '.join(KINDS)}.")
    return GoldFact(
        kind=kind,
        value=_get(row, "value", str),
        accepted=_strings(row, "accepted"),
        rejected=_strings(row, "rejected"),
        vital=_get(row, "vital", bool),
        doc_id=_get(row, "doc_id", str),
        quote=_get(row, "quote", str),
        start=_get(row, "start", int),
        end=_get(row, "end", int),
    )


def _get(row: Json, key: str, kind: type, default: Any = None) -> Any:
    """The value of a key; a missing one is its default, where it has one."""
    value = row.get(key, default)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{key!r} must be {kind.__name__}, and is {value!r}.")
    return value


def _strings(row: Json, key: str) -> tuple[str, ...]:
    values = _get(row, key, list, [])
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{key!r} must be a list of strings, and is {values!r}.")
    return tuple(values)


def _objects(row: Json, key: str) -> list[Json]:
    values = _get(row, key, list, [])
    if not all(isinstance(value, dict) for value in values):
        raise ValueError(f"{key!r} must be a list of objects, and is {values!r}.")
    return list(values)


def _faults(question: Question, texts: Mapping[str, str]) -> Iterator[str]:
    if not question.answerable and (question.answers or question.facts):
        yield "it is not answerable, and yet has an answer."
    if question.facts and not any(fact.vital for fact in question.facts):
        yield "none of its facts is vital."
    for fact in question.facts:
        yield from _place_faults(fact, texts)
        yield from _spelling_faults(fact)


def _place_faults(fact: GoldFact, texts: Mapping[str, str]) -> Iterator[str]:
    text = texts.get(fact.doc_id)
    if text is None:
        yield f"the document {fact.doc_id!r} of {fact.value!r} is not in the corpus."
    elif not fact.quote or text[fact.start : fact.end] != fact.quote:
        found = [match.start() for match in re.finditer(re.escape(fact.quote), text)] if fact.quote else []
        yield f"{fact.doc_id} has not {fact.quote!r} at {fact.start} to {fact.end}; it is at {found}."


def _spelling_faults(fact: GoldFact) -> Iterator[str]:
    if not any(states(spelling, fact.quote) for spelling in fact.accepted):
        yield f"no accepted spelling of {fact.value!r} stands in {fact.quote!r}."
    for rejected in fact.rejected:
        for place in (fact.quote, *fact.accepted):
            if states(rejected, place) or states_value(fact.kind, rejected, place):
                yield f"the rejected {rejected!r} stands in {place!r}."
