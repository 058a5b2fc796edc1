"""A question set: JSON lines -> questions, with the facts that a right answer states.

One schema serves our gold and the third-party sets: `{"id", "question", "answers", "answerable", "type",
"evidence": [{"doc_id", "text"?}], "history"?}`. Our gold adds `facts` (typed values, each with the spellings
that state it, near-misses that do not, and the exact place in a document that says so), `paraphrase_of`,
`conflict` (the sides, where documents differ) and `attack` (what a question or document tries). Third-party
sets add `context_doc_id`, `candidates`, `wrong_answers`, `rewrite`, `claim` and `label`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

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

PARTS = ("questions", "paraphrases", "conflicts", "conversations", "attacks")
"""The parts of a set, each with figures of its own; the headline is over the first."""
ROLES = {"agent": "assistant"}
"""What other sets call a role of ours."""
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
class Place:
    """Words of a document: `text[start:end] == quote`."""

    doc_id: str
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Side:
    """One value of several that documents give, with where they do.

    Attributes:
        kind: One of `KINDS`.
        value: As a person would write it.
        accepted: Spellings that state it.
        places: Who says so.
    """

    kind: str
    value: str
    accepted: tuple[str, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class GoldConflict:
    """Where documents differ: what about, and the sides; `typed` where the values are figures or dates."""

    about: str
    typed: bool
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Attack:
    """What a document or question tries, and the words that must not become the engine's own."""

    kind: str
    must_not: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document of a closed reading list, as the question brings it; `label` says what it is there for."""

    doc_id: str
    text: str
    label: str = ""
    answer: str = ""


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
        paraphrase_of: The id of the question that it words differently, whose facts are its own; or empty.
        conflict: The sides, where documents differ.
        attack: What the question or a document tries.
        context: The documents that it was written from.
        candidates: The documents to answer from, where the question brings them.
        wrong_answers: Short wrong answers that some candidate gives.
        rewrite: The question as it stands alone, where the set says.
        claim: A statement to check against the evidence, in sets of claims.
        label: Whether the evidence carries the claim; None in sets without.
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
    paraphrase_of: str = ""
    conflict: GoldConflict | None = None
    attack: Attack | None = None
    context: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    wrong_answers: tuple[str, ...] = ()
    rewrite: str = ""
    claim: str = ""
    label: bool | None = None
    line: int = 0

    @property
    def part(self) -> str:
        """One of `PARTS`."""
        signs = (self.paraphrase_of, self.attack, self.history, self.conflict)
        parts = ("paraphrases", "attacks", "conversations", "conflicts")
        return next((part for part, sign in zip(parts, signs, strict=True) if sign), "questions")


def load(path: str | Path) -> tuple[Question, ...]:
    """Read a question set; empty lines are skipped, and a paraphrase has what its base question has.

    Raises:
        DatasetError: A line is not a question, an id is used twice, or a paraphrase is of no question.
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
    bases = {question.id: question for question in questions if not question.paraphrase_of}
    return tuple(_completed(question, bases, path) for question in questions)


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


def _completed(question: Question, bases: Mapping[str, Question], path: Path) -> Question:
    """A paraphrase with the answers, evidence, facts, conflict, history and attack of its base."""
    if not question.paraphrase_of:
        return question
    base = bases.get(question.paraphrase_of)
    if base is None:
        raise DatasetError(
            f"{path}:{question.line}: {question.id!r} is a paraphrase of {question.paraphrase_of!r}, "
            "and there is no such question."
        )
    return replace(
        question,
        answers=base.answers,
        answerable=base.answerable,
        type=base.type,
        evidence=base.evidence,
        facts=base.facts,
        history=question.history or base.history,
        conflict=question.conflict or base.conflict,
        attack=question.attack or base.attack,
    )


def _records(path: Path) -> Iterator[tuple[str, str]]:
    for line in _text(path).split("\n"):
        with suppress(ValueError, KeyError, TypeError):  # no record of the corpus either
            record = json.loads(line)
            yield record["doc_id"], _lines(record["text"].removeprefix("\ufeff"))


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
        id=_words(row, "id"),
        question=_words(row, "question"),
        answers=_strings(row, "answers"),
        answerable=_get(row, "answerable", bool),
        type=_get(row, "type", str, ""),
        evidence=tuple(
            Evidence(_get(item, "doc_id", str), _get(item, "text", str, ""))
            for item in _objects(row, "evidence")
        ),
        facts=tuple(_fact(item) for item in _objects(row, "facts")),
        history=tuple(_turn(item) for item in _objects(row, "history")),
        paraphrase_of=_get(row, "paraphrase_of", str, ""),
        conflict=_conflict(row),
        attack=_attack(row),
        context=_context(row),
        candidates=tuple(_candidate(item) for item in _objects(row, "candidates")),
        wrong_answers=_strings(row, "wrong_answers"),
        rewrite=_get(row, "rewrite", str, ""),
        claim=_get(row, "claim", str, ""),
        label=_get(row, "label", bool) if "label" in row else None,
        line=line,
    )


def _turn(row: Json) -> Turn:
    role = _get(row, "role", str)
    role = ROLES.get(role, role)
    if role not in {"user", "assistant"}:
        raise ValueError(f"the role {role!r} of a turn is neither 'user' nor 'assistant'.")
    return Turn(role, _get(row, "text", str))


def _conflict(row: Json) -> GoldConflict | None:
    if "conflict" not in row:
        return None
    found = _get(row, "conflict", dict)
    sides = tuple(_side(item) for item in _objects(found, "sides"))
    return GoldConflict(_get(found, "about", str), _get(found, "typed", bool), sides)


def _side(row: Json) -> Side:
    return Side(
        kind=_kind(row),
        value=_get(row, "value", str),
        accepted=_strings(row, "accepted"),
        places=tuple(
            Place(
                _get(item, "doc_id", str),
                _get(item, "quote", str),
                _get(item, "start", int),
                _get(item, "end", int),
            )
            for item in _objects(row, "places")
        ),
    )


def _attack(row: Json) -> Attack | None:
    if "attack" not in row:
        return None
    found = _get(row, "attack", dict)
    return Attack(_get(found, "kind", str), _strings(found, "must_not"))


def _context(row: Json) -> tuple[str, ...]:
    one = _get(row, "context_doc_id", str, "")
    return (one,) if one else _strings(row, "context_doc_ids")


def _candidate(row: Json) -> Candidate:
    given = (_get(row, name, str, "") for name in ("label", "answer"))
    return Candidate(_get(row, "doc_id", str), _get(row, "text", str), *given)


def _kind(row: Json) -> str:
    kind = str(_get(row, "kind", str))
    if kind not in KINDS:
        raise ValueError(f"the kind {kind!r} of a fact is none of {', '.join(KINDS)}.")
    return kind


def _fact(row: Json) -> GoldFact:
    unknown = sorted(row.keys() - {field.name for field in fields(GoldFact)})
    if unknown:
        raise ValueError(f"a fact has no {unknown[0]!r}; it has {', '.join(GoldFact.__slots__)}.")
    return GoldFact(
        kind=_kind(row),
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


def _words(row: Json, key: str) -> str:
    """The string of a key, which says something."""
    words = str(_get(row, key, str))
    if not words.strip():
        raise ValueError(f"{key!r} must not be empty, and is {words!r}.")
    return words


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
