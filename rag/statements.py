"""sentences that may answer a question -> the values that they give, and whether these go together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from rag.dates import Day
from rag.facts import Fact, comparable, compatible, find_facts
from rag.terms import topic

MOST_SIDES = 4
"""More values than these are no disagreement to look at, but a list."""
NEAR = 4
"""How many words before and after a value are said beside it."""
LEAST_SHARE = 0.1
"""The part of the probability from which a sentence is likely enough an answer to compare its values."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence that may answer the question.

    Attributes:
        doc_id: The document it stands in.
        start: Where it begins there, in characters.
        end: Where it ends there, exclusive.
        text: Its words, on one line.
        answer: The words of it that are likeliest the answer itself, as they stand in `text`.
        begins: Where they begin in `text`.
        chosen: How well it answers, a logit of the reader; below all others where it was not read.
        spanned: How likely `answer` is the answer, a logit.
        share: Its part of the probability over all sentences read, in [0, 1].
    """

    doc_id: str
    start: int
    end: int
    text: str
    answer: str = ""
    begins: int = 0
    chosen: float = -20.0
    spanned: float = -20.0
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Given:
    """A statement with the value that it gives to the question.

    Attributes:
        statement: The statement.
        value: The value, in words.
        fact: The value as a fact: a figure, a date or a name.
        said: The stems of what else the statement says.
        beside: Those of them within four words of the value.
    """

    statement: Statement
    value: str
    fact: Fact
    said: frozenset[str]
    beside: frozenset[str]


def given_by(statement: Statement, fact: Fact) -> Given:
    """A statement with one of its facts as the value that it gives."""
    value = f"{fact.qualifier} {fact.text}" if fact.qualifier not in {"", "vague"} else fact.text
    before, after = statement.text[: fact.start].split(), statement.text[fact.end :].split()
    said, beside = (
        frozenset(topic(" ".join(words))) for words in (before + after, before[-NEAR:] + after[:NEAR])
    )
    return Given(statement, value, fact, said, beside)


def unit_of(fact: Fact) -> str:
    """What a figure counts; empty where it counts nothing that is named."""
    value = fact.value
    return value[1] if fact.kind == "count" and isinstance(value, tuple) and isinstance(value[1], str) else ""


def differ(one: Fact, other: Fact) -> bool:
    """Whether two facts are of a kind and cannot both be true."""
    return comparable(one, other) and not compatible(one, other)


def at_other_times(one: Given, other: Given) -> bool:
    """Whether both state a month or year, none of one can be one of the other's, and no date is asked for."""
    times, others = _times(one), _times(other)
    return (
        one.fact.kind != "date"
        and bool(times and others)
        and all(differ(time, that) for time in times for that in others)
    )


def _times(given: Given) -> list[Fact]:
    facts = find_facts(given.statement.text)
    return [fact for fact in facts if isinstance(fact.value, Day) and (fact.value.year or fact.value.month)]


def by_side(given: Sequence[Given], disagree: Callable[[Given, Given], bool]) -> list[list[Given]]:
    """Values by side, best first; one that goes with several sides stands on none.

    Args:
        given: The values, best first.
        disagree: Whether two of them do, surely enough to begin a side each.
    """
    sure = {id(one) for pair in combinations(given, 2) if disagree(*pair) for one in pair}
    sides: list[list[Given]] = []
    for one in given:
        if id(one) in sure and len(sides) < MOST_SIDES and not any(agree(one, side[0]) for side in sides):
            sides.append([one])
    for one in given:
        agreeing = [side for side in sides if agree(one, side[0])]
        if len(agreeing) == 1 and one is not agreeing[0][0]:
            agreeing[0].append(one)
    sides.sort(key=lambda side: min(given.index(one) for one in side))
    return sides if len(sides) > 1 else []


def agree(one: Given, other: Given) -> bool:
    """Whether two values can both be true; of names, whether they share a word."""
    if one.fact.kind == other.fact.kind == "name":
        return bool(frozenset(topic(one.value)) & frozenset(topic(other.value)))
    return compatible(one.fact, other.fact)
