"""statements -> the values on which documents differ, side by side, each with its citations.

    statements ─> the value each gives to the question ─> those that cannot both be true ─> sides

Values are looked for in two ways. *Counts*: two figures of one counted thing of the same subject, wherever
they stand, since a sentence may give the number of users in passing, where no search and no reader finds it.
*Answers*: the best sentences of two documents both answer, say much the same otherwise, and give figures or
dates that are comparable and not compatible (`rag.facts`), or names without a word in common. How sure that
must be is `DISAGREEING`, fitted on documents that differ (RAMDocs) and on some that hardly do (SQuAD, NQ).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from itertools import combinations

from rag.amounts import singular
from rag.citations import FIGURES, Citer
from rag.dates import Day
from rag.facts import Fact, comparable, compatible, find_facts, number_of
from rag.terms import FUNCTION_WORDS, topic
from rag.types import Conflict, Side

MOST_SIDES = 4
"""More values than these are no disagreement to look at, but a list."""


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


@dataclass(frozen=True, slots=True)
class Signs:
    """The signs that two statements disagree on what is asked, or what each of them counts.

    Attributes:
        spanned: How likely the less likely of the two values is the answer, a logit.
        alike: The share of the stems of both, their values left out, that both have, in [0, 1].
        asked: The share of the question's stems that both have, in [0, 1].
        beside: 1 where the same of them stands beside both values, else 0.
    """

    spanned: float
    alike: float
    asked: float
    beside: float


DISAGREEING = Signs(spanned=0.37, alike=4.22, asked=2.05, beside=1.52)
BIAS = -4.71
"""Both by `tools/fit_conflicts.py`."""
SHOWN_FROM = 0.6
"""The probability from which a disagreement is shown."""


def find_conflicts(
    question: str, statements: Sequence[Statement], kinds: frozenset[str], citer: Citer
) -> tuple[Conflict, ...]:
    """The values on which documents differ, in answer to a question.

    Args:
        question: The question, standing alone.
        statements: The sentences that were found, those too that the reader did not read.
        kinds: The kinds of fact that the question asks for; empty where it may be any.
        citer: Makes the citations.

    Returns:
        One conflict at most, its sides in the order of how well they answer.
    """
    best_first = sorted(statements, key=lambda one: (-one.share, -one.chosen, one.doc_id, one.start))
    sides = _counts(question, best_first, kinds) or _answers(question, best_first, kinds)
    if not sides:
        return ()
    return (Conflict(_about(question, sides), tuple(_side(side, citer) for side in sides)),)


# answers


def _answers(question: str, statements: Sequence[Statement], kinds: frozenset[str]) -> list[list[Given]]:
    given = answers(question, statements, kinds)
    return _sides(given, lambda one, other: surety(question, one, other) >= SHOWN_FROM)


def answers(question: str, statements: Sequence[Statement], kinds: frozenset[str]) -> list[Given]:
    """The value of the best statement of each document, where it gives one.

    Args:
        question: The question.
        statements: Best first.
        kinds: The kinds of fact that the question asks for.
    """
    best: dict[str, Statement] = {}
    for statement in statements:
        if statement.answer:
            best.setdefault(statement.doc_id, statement)
    figures, known = kinds & FIGURES, find_facts(question)
    sought = figures or frozenset({*FIGURES, "name"})
    found = (_answer(statement, sought, known) for statement in best.values())
    return [given for given in found if given]


def _answer(statement: Statement, kinds: frozenset[str], known: Sequence[Fact]) -> Given | None:
    """The fact of a statement where the reader sees the answer, or the only one of the kinds asked for."""
    begin, end = statement.begins, statement.begins + len(statement.answer)
    found = [
        fact
        for fact in find_facts(statement.text)
        if fact.kind in kinds and all(fact.value != other.value for other in known)
    ]
    seen = [fact for fact in found if fact.start < end and begin < fact.end]
    chosen = seen[:1] or (found if len(found) == 1 and "name" not in kinds else [])
    # of any two things some names differ: one that is hardly the answer excludes none
    unsure = chosen and chosen[0].kind == "name" and statement.share < LEAST_SHARE
    return _given(statement, chosen[0]) if chosen and not unsure else None


def surety(question: str, one: Given, other: Given) -> float:
    """The probability in [0, 1] that two statements disagree on what is asked; 0 where both can be true."""
    if not exclude(one, other):
        return 0.0
    signs = astuple(read_signs(question, one, other))
    weighed = BIAS + sum(weight * sign for weight, sign in zip(astuple(DISAGREEING), signs, strict=True))
    return 1 / (1 + math.exp(-weighed))


def read_signs(question: str, one: Given, other: Given) -> Signs:
    """The signs that two statements disagree on what a question asks."""
    asked, both = frozenset(topic(question)), one.said & other.said
    return Signs(
        spanned=min(one.statement.spanned, other.statement.spanned),
        alike=len(both) / max(1, len(one.said | other.said)),
        asked=len(both & asked) / max(1, len(asked)),
        beside=float(bool(asked & one.beside & other.beside)),
    )


def exclude(one: Given, other: Given) -> bool:
    """Whether two values cannot both be right, and neither statement says the other's value as well."""
    if one.fact.kind == other.fact.kind == "name":
        mine, theirs = frozenset(topic(one.value)), frozenset(topic(other.value))
        return bool(mine and theirs) and not (mine & (theirs | other.said) or theirs & one.said)
    if not _differ(one.fact, other.fact) or _holds(one, other.fact) or _holds(other, one.fact):
        return False
    return not _at_other_times(one, other)


def _differ(one: Fact, other: Fact) -> bool:
    return comparable(one, other) and not compatible(one, other)


def _holds(given: Given, fact: Fact) -> bool:
    facts = find_facts(given.statement.text)
    return any(compatible(fact, other) for other in facts if other.kind == fact.kind)


def _at_other_times(one: Given, other: Given) -> bool:
    """Whether both state a month or year, none of one can be one of the other's, and no date is asked for."""
    times, others = _times(one), _times(other)
    return (
        one.fact.kind != "date"
        and bool(times and others)
        and all(_differ(time, that) for time in times for that in others)
    )


def _times(given: Given) -> list[Fact]:
    facts = find_facts(given.statement.text)
    return [fact for fact in facts if isinstance(fact.value, Day) and (fact.value.year or fact.value.month)]


# counts

_SIZE = r"how (?:large|big|close|many (?:people|persons|men|women))|numbers?|figures?|size|total|count"
_UNNAMED = re.compile(rf"\b(?!numbers? of \w)(?:{_SIZE})\b", re.IGNORECASE)
_NUMBER = re.compile(rf"\b(?:{_SIZE}|how many)\b", re.IGNORECASE)
"""How a question asks for a number: without a word, maybe, for what is counted; and in all."""
_PERSONS = frozenset("people persons men women".split())
_PART = re.compile(r"\b(?:per ?cent|percentage|proportion|share|fraction|part of)\b", re.IGNORECASE)
_WHETHER = re.compile(
    r"\s*(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b", re.IGNORECASE
)
_FIGURE = r"\d|illion|thousand|hundred|dozen"
"""What a sentence has that may count more than a few."""
LEAST_SHARE = 0.1
"""A sentence is likely enough the answer for what it counts to be what is asked for."""
_ANYTHING = frozenset("person time year day thing part side way one".split())
"""What is counted of nearly anything, so that two counts of it need not be of the same thing."""
_LIMITS = frozenset(
    "in of from among across within under aged for on at between since during who whom that whose per to by"
    " with without".split()
)
"""Words after a counted thing that begin what limits it: "users in Russia", "users who pay"."""
_CHANGES = re.compile(
    r"\b(?:another|additional|extra|further|gain|add(?:s|ed|ing)?\b|los[et]|losing|attract|remov)\w*\b"
    r"|\b(?:grew|grown?|rose|rise[ns]?|increase[ds]?|climbed|fell|fall|fallen|dropped|declined?)\b.* by\b",
    re.IGNORECASE,
)
"""Words before a figure by which it counts a change, not a whole."""
_SUPPOSED = frozenset(
    "would will could may might should expects expected aims aimed hopes hoped plans planned predicts"
    " predicted forecast target goal if".split()
)
"""Words by which a figure is supposed or wished for."""
_NEAR = 4
"""How many words before and after a figure are read for these."""
MOST_APART = 2
"""Counts of the same whole differ by this factor at most: greater ones are of something else."""


def _counts(question: str, statements: Sequence[Statement], kinds: frozenset[str]) -> list[list[Given]]:
    """The figures that statements give of the thing whose number is asked for."""
    if (kinds and not kinds & {"count", "name"}) or _PART.search(question):
        return []
    known = frozenset(topic(question))
    units = _units(question, statements)
    statements = [one for one in statements if units and re.search(_FIGURE, one.text)]
    for unit in units:
        about = known - frozenset(topic(unit))
        near = [one for one in statements if _may_count(one.text, unit)]
        given = [one for one in (_count(unit, statement, about) for statement in near) if one]
        if sides := _sides(given, partial(_count_otherwise, about)):
            return sides
    return []


def _count_otherwise(about: frozenset[str], one: Given, other: Given) -> bool:
    return _differ(one.fact, other.fact) and _is_of_the_same(one, other, about)


def _units(question: str, statements: Sequence[Statement]) -> list[str]:
    """What may be counted in answer: what the question names or has the number of, or the answer counts."""
    asked = [fact for fact in find_facts(question) if fact.kind == "count"]
    number, unnamed = bool(_NUMBER.search(question)), bool(_UNNAMED.search(question))
    units = dict.fromkeys(unit_of(fact) for fact in asked if number or _WHETHER.match(question))
    units |= dict.fromkeys(_named(question) if number else ())
    for statement in statements if number or asked else ():
        for fact in find_facts(statement.text) if statement.share >= LEAST_SHARE else ():
            if _is_asked(fact, asked) or (unnamed and _seen(statement, fact)):
                units[unit_of(fact)] = None
    return [unit for unit in units if unit and unit not in _ANYTHING]


def _named(question: str) -> Iterator[str]:
    """The things of a question that could be counted: as named, or by what people do, since users use."""
    words = [word.lower() for word in re.findall(r"[^\W\d_]{3,}", question)]
    words = [word for word in words if word not in FUNCTION_WORDS]
    yield from map(singular, words)
    if not _PERSONS.isdisjoint(words):
        yield from (f"{word}{ending}" for word in words for ending in ("r", "er"))


def _may_count(text: str, unit: str) -> bool:
    """Whether a sentence may count a thing: a cheap look, since facts take longer to find."""
    if unit[:4] not in text.lower():
        return False
    begins = re.escape(unit[:4])
    word = r"\S{0,40}"  # without an end a long line of hyphens and figures would take seconds
    near = (
        rf"(?:{_FIGURE}){word}(?:\s{word}){{0,4}}?[\s-]{begins}|\bnumbers? of {begins}|\b{begins}\w* numbers"
    )
    return re.search(near, text, re.IGNORECASE) is not None


def _is_asked(fact: Fact, asked: Sequence[Fact]) -> bool:
    """Whether a question has the figure itself, of people or of nothing: "Is it 40 or 42 thousand?"."""
    return any(unit_of(one) in {"", *_ANYTHING} and number_of(one) == number_of(fact) for one in asked)


def _seen(statement: Statement, fact: Fact) -> bool:
    """Whether the reader sees the answer where a fact stands."""
    return fact.start < statement.begins + len(statement.answer) and statement.begins < fact.end


def _count(unit: str, statement: Statement, known: frozenset[str]) -> Given | None:
    """The one figure that a statement gives of a thing as a whole, now and in fact."""
    facts = [fact for fact in find_facts(statement.text) if fact.kind == "count" and unit_of(fact) == unit]
    if not facts or any(fact.qualifier == "vague" or not compatible(facts[0], fact) for fact in facts):
        return None
    before = statement.text[: facts[0].start].lower().split()[-_NEAR:]
    if _CHANGES.search(" ".join(before)) or not _SUPPOSED.isdisjoint(before):
        return None
    given = _given(statement, facts[0])
    return given if _subject(given, known) else None


def _subject(given: Given, known: frozenset[str]) -> frozenset[str]:
    """The stems of the names of a statement that the question has, too."""
    names = [fact.text for fact in find_facts(given.statement.text) if fact.kind == "name"]
    return known & frozenset(topic(" ".join(names)))


def _is_of_the_same(one: Given, other: Given, known: frozenset[str]) -> bool:
    """Whether two statements count the same whole: same subject, same limits, no other time."""
    if _subject(one, known) != _subject(other, known) or _at_other_times(one, other):
        return False
    fewer, more = sorted((number_of(one.fact), number_of(other.fact)))
    return more <= MOST_APART * fewer and _limits(one) <= other.said and _limits(other) <= one.said


def _limits(given: Given) -> frozenset[str]:
    """The stems that limit what is counted: "paid" and "Russia" in "10 million paid users in Russia"."""
    unit, words = unit_of(given.fact), given.statement.text[given.fact.end :].split()
    place = next((at for at, word in enumerate(words[:_NEAR]) if word.lower().startswith(unit[:4])), -1)
    following = words[place + 1 : place + 1 + _NEAR]
    limited = bool(following) and following[0].lower() in _LIMITS
    return frozenset(topic(" ".join(words[: max(place, 0)] + following * limited)))


# sides


def _given(statement: Statement, fact: Fact) -> Given:
    value = f"{fact.qualifier} {fact.text}" if fact.qualifier not in {"", "vague"} else fact.text
    before, after = statement.text[: fact.start].split(), statement.text[fact.end :].split()
    said, beside = (
        frozenset(topic(" ".join(words))) for words in (before + after, before[-_NEAR:] + after[:_NEAR])
    )
    return Given(statement, value, fact, said, beside)


def unit_of(fact: Fact) -> str:
    """What a figure counts; empty where it counts nothing that is named."""
    value = fact.value
    return value[1] if fact.kind == "count" and isinstance(value, tuple) and isinstance(value[1], str) else ""


def _sides(given: Sequence[Given], disagree: Callable[[Given, Given], bool]) -> list[list[Given]]:
    """Values by side, best first; one that goes with several sides stands on none.

    Args:
        given: The values, best first.
        disagree: Whether two of them do, surely enough to begin a side each.
    """
    sure = {id(one) for pair in combinations(given, 2) if disagree(*pair) for one in pair}
    sides: list[list[Given]] = []
    for one in given:
        if id(one) in sure and len(sides) < MOST_SIDES and not any(_agree(one, side[0]) for side in sides):
            sides.append([one])
    for one in given:
        agreeing = [side for side in sides if _agree(one, side[0])]
        if len(agreeing) == 1 and one is not agreeing[0][0]:
            agreeing[0].append(one)
    sides.sort(key=lambda side: min(given.index(one) for one in side))
    return sides if len(sides) > 1 else []


def _agree(one: Given, other: Given) -> bool:
    if one.fact.kind == other.fact.kind == "name":
        return bool(frozenset(topic(one.value)) & frozenset(topic(other.value)))
    return compatible(one.fact, other.fact)


def _side(side: Sequence[Given], citer: Citer) -> Side:
    first = {one.statement.doc_id: one.statement for one in reversed(side)}
    ordered = sorted(first.values(), key=lambda one: (-one.share, -one.chosen, one.doc_id))
    return Side(side[0].value, tuple(citer.cite(one.doc_id, one.start, one.end).marker for one in ordered))


def _about(question: str, sides: Sequence[Sequence[Given]]) -> str:
    """What differs: the thing counted, in the words of the documents, or the question."""
    unit = unit_of(sides[0][0].fact)
    if unit:
        texts = [one.statement.text[one.fact.end :] for side in sides for one in side]
        named = [word for text in texts for word in re.findall(rf"\b{re.escape(unit[:4])}\w*", text)]
        return named[0] if named else unit
    return f"“{question.strip()}”"
