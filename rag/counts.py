"""statements -> the figures that they give of one counted thing, by side.

A sentence may give the number of users in passing, where no search and no reader finds it: so figures are
looked for wherever the thing is counted whose number a question asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from rag.amounts import singular
from rag.facts import Fact, compatible, find_facts, number_of
from rag.questions import asks_whether
from rag.statements import (
    LEAST_SHARE,
    NEAR,
    Given,
    Statement,
    at_other_times,
    by_side,
    differ,
    given_by,
    unit_of,
)
from rag.terms import FUNCTION_WORDS, topic

_SIZE = r"how (?:large|big|close|many (?:people|persons|men|women))|numbers?|figures?|size|total|count"
_UNNAMED = re.compile(rf"\b(?!numbers? of \w)(?:{_SIZE})\b", re.IGNORECASE)
_NUMBER = re.compile(rf"\b(?:{_SIZE}|how many)\b", re.IGNORECASE)
"""How a question asks for a number: without a word, maybe, for what is counted; and in all."""
_PERSONS = frozenset("people persons men women".split())
_PART = re.compile(r"\b(?:per ?cent|percentage|proportion|share|fraction|part of)\b", re.IGNORECASE)
_FIGURE = r"\d|illion|thousand|hundred|dozen"
"""What a sentence has that may count more than a few."""
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
MOST_APART = 2
"""Counts of the same whole differ by this factor at most: greater ones are of something else."""


def counted(question: str, statements: Sequence[Statement], kinds: frozenset[str]) -> list[list[Given]]:
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
        if sides := by_side(given, partial(_count_otherwise, about)):
            return sides
    return []


def _count_otherwise(about: frozenset[str], one: Given, other: Given) -> bool:
    return differ(one.fact, other.fact) and _is_of_the_same(one, other, about)


def _units(question: str, statements: Sequence[Statement]) -> list[str]:
    """What may be counted in answer: what the question names or has the number of, or the answer counts."""
    asked = [fact for fact in find_facts(question) if fact.kind == "count"]
    number, unnamed = bool(_NUMBER.search(question)), bool(_UNNAMED.search(question))
    units = dict.fromkeys(unit_of(fact) for fact in asked if number or asks_whether(question))
    units |= dict.fromkeys(_named(question) if number else ())
    for statement in statements if number or asked else ():
        facts = find_facts(statement.text) if statement.share >= LEAST_SHARE else ()
        there = [unit_of(fact) for fact in facts if unnamed and _seen(statement, fact)]
        seen = [unit for unit in there if unit and unit not in _ANYTHING]
        units |= dict.fromkeys([*(unit_of(fact) for fact in facts if _is_asked(fact, asked)), *seen])
        unnamed = unnamed and not seen  # what the best of them counts is what is asked for
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
    before = statement.text[: facts[0].start].lower().split()[-NEAR:]
    if _CHANGES.search(" ".join(before)) or not _SUPPOSED.isdisjoint(before):
        return None
    given = given_by(statement, facts[0])
    return given if _subject(given, known) else None


def _subject(given: Given, known: frozenset[str]) -> frozenset[str]:
    """The stems of the names of a statement that the question has, too."""
    names = [fact.text for fact in find_facts(given.statement.text) if fact.kind == "name"]
    return known & frozenset(topic(" ".join(names)))


def _is_of_the_same(one: Given, other: Given, known: frozenset[str]) -> bool:
    """Whether two statements count the same whole: same subject, same limits, no other time."""
    if _subject(one, known) != _subject(other, known) or at_other_times(one, other):
        return False
    fewer, more = sorted((number_of(one.fact), number_of(other.fact)))
    return more <= MOST_APART * fewer and _limits(one) <= other.said and _limits(other) <= one.said


def _limits(given: Given) -> frozenset[str]:
    """The stems that limit what is counted: "paid" and "Russia" in "10 million paid users in Russia"."""
    unit, words = unit_of(given.fact), given.statement.text[given.fact.end :].split()
    place = next((at for at, word in enumerate(words[:NEAR]) if word.lower().startswith(unit[:4])), -1)
    following = words[place + 1 : place + 1 + NEAR]
    limited = bool(following) and following[0].lower() in _LIMITS
    return frozenset(topic(" ".join(words[: max(place, 0)] + following * limited)))
