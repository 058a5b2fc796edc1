"""question -> the kind of fact that it asks for, and its unit: "how many users" asks for a count of users."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from rag.amounts import singular
from rag.currencies import currency_after
from rag.dates import Day
from rag.facts import Fact
from rag.terms import FUNCTION_WORDS, terms

_AGE = (
    r"how old|how many years old|(?:what|which) age(?! of)"
    r"|(?:\w+['’]s?|his|her|their|minimum|maximum|average|legal) age(?! of)"
)
_KINDS: tuple[tuple[str, frozenset[str]], ...] = (
    (r"how (?:often|frequently)|how many times", frozenset({"frequency"})),
    (r"how long|(?:what|which) (?:duration|period)", frozenset({"duration", "date", "count"})),
    (_AGE, frozenset({"duration", "count"})),
    (
        r"(?:what|which) (?:percentage|percent|share|proportion|fraction)|how many per ?cent|in per ?cent"
        r"|^(?:percentage|share|proportion|fraction) of",
        frozenset({"percentage"}),
    ),
    (r"how many (?:years|months|weeks|days|hours|minutes|seconds)", frozenset({"duration", "count"})),
    (r"how many|how (?:large|big|far|high|tall|deep|wide|heavy|fast)", frozenset({"count", "percentage"})),
    (
        r"(?:what|which)(?:(?: is| was| are| were|['’]s) the(?: total)?)? (?:number|figures?|size)",
        frozenset({"count"}),
    ),
    (r"how much|what (?:price|cost|sum|amount)", frozenset({"money", "percentage", "count"})),
    (
        r"when|(?:what|which) (?:year|date|day|month|time)|(?:since|until|till) when|^(?:year|date|day) of",
        frozenset({"date"}),
    ),
    (r"who|whom|whose|where|(?:what|which) (?:country|city|company|person)", frozenset({"name"})),
)
_AGED = re.compile(rf"\b(?:{_AGE})\b", re.IGNORECASE)
_QUESTION_WORDS = tuple((re.compile(rf"\b(?:{words})\b", re.IGNORECASE), kinds) for words, kinds in _KINDS)
_MANY = re.compile(r"\bhow many(?= )", re.IGNORECASE)
_IN = re.compile(r"\b(?:in|into|to)(?= )", re.IGNORECASE)
"""What stands before the currency that an amount is asked for in."""
_WORTH = re.compile(
    r"\bhow (?:much|high|large|big)\b|\b(?:worth|costs?|prices?|fees?|amounts?|sums?|bail|fines?|come to)\b",
    re.IGNORECASE,
)
"""How a question asks for an amount, where it names a currency."""
_COUNTED = re.compile(r"\b(?:how many|number of)\s+((?:[\w'’-]+\s*){1,4})", re.IGNORECASE)
_SPANS = {
    "year": ("year", "month"),
    "week": ("day",),
    "hour": ("day",),
    "minut": ("day",),
    "second": ("day",),
}
"""The units that tell a span of time of this name: years may be told in months, as facts have them."""
_PERSONS = frozenset("people persons men women children".split())
"""What may be counted under any name: workers, guests."""
_PART_OF_DATE = re.compile(
    r"\b(?:(?P<weekday>day of the week|weekday)|(?:what|which) (?:(?P<year>year)|(?P<month>month)))\b",
    re.IGNORECASE,
)
_WEEKDAYS = frozenset("monday tuesday wednesday thursday friday saturday sunday".split())


@dataclass(frozen=True, slots=True)
class Expected:
    """What kind of fact answers a question.

    Attributes:
        kinds: Kinds of fact; empty where it may be anything.
        units: In any of these units, where not empty: an ISO 4217 code of a sum, the stem of what is counted,
            `month` or `day` of a span of time, or `year`, `month` or `weekday`, which a date must tell.
    """

    kinds: frozenset[str]
    units: frozenset[str] = frozenset()

    def is_met_by(self, fact: Fact) -> bool:
        """Whether a fact is of such a kind, and of such a unit; a count that names nothing may be of any."""
        units = _units_of(fact)
        return fact.kind in self.kinds and (not self.units or units is None or bool(self.units & units))

    def is_named_by(self, fact: Fact) -> bool:
        """Whether a fact is of such a kind, and names such a unit."""
        return fact.kind in self.kinds and bool(self.units & (_units_of(fact) or frozenset()))


@lru_cache(maxsize=256)
def expected(question: str) -> Expected:
    """What a question asks for, by its first question word, and by the unit that it names.

    Examples:
        >>> expected("How many users has it?").units, expected("What is it worth in euros?").units
        (frozenset({'user'}), frozenset({'EUR'}))
    """
    if currency := _currency(question):
        return Expected(frozenset({"money"}), frozenset({currency}))
    found = [(match.start(), kinds) for words, kinds in _QUESTION_WORDS if (match := words.search(question))]
    kinds = min(found, key=lambda pair: pair[0])[1] if found else frozenset[str]()
    if kinds == {"date"}:
        return Expected(kinds, frozenset(_part_of_date(question)))
    if kinds == {"duration", "count"}:
        return Expected(kinds, frozenset(_spans(question)))
    return Expected(kinds, frozenset(_counted(question)) if "count" in kinds else frozenset())


def expected_kinds(question: str) -> frozenset[str]:
    """The kinds of fact that a question asks for; empty where it may be anything.

    Examples:
        >>> expected_kinds("How often does he report?")
        frozenset({'frequency'})
        >>> expected_kinds("Who was mayor when the war ended?")
        frozenset({'name'})
    """
    return expected(question).kinds


def _currency(question: str) -> str:
    """The currency that an amount is asked for in, or nothing."""
    before = [*_MANY.finditer(question), *(_IN.finditer(question) if _WORTH.search(question) else ())]
    found = (currency_after(question, match.end()) for match in before)
    return next((currency.code for currency in found if currency), "")


def _part_of_date(question: str) -> list[str]:
    match = _PART_OF_DATE.search(question)
    return [match.lastgroup] if match and match.lastgroup else []


def _spans(question: str) -> list[str]:
    """The units of a span of time: of an age years."""
    asked = ["year"] if _AGED.search(question) else _counted(question)
    return [unit for name in asked for unit in _SPANS.get(name, (name,))]


def _counted(question: str) -> list[str]:
    """The stems of what is counted; none where anything may be."""
    match = _COUNTED.search(question)
    words = [word.lower() for word in match[1].split()] if match else []
    named = list(takewhile(lambda word: word not in FUNCTION_WORDS, words))
    return [] if not _PERSONS.isdisjoint(named) else terms(" ".join(map(singular, named)))


def _units_of(fact: Fact) -> frozenset[str] | None:
    """The units of a fact, as `Expected` names them; None where it has none that could be another."""
    value = fact.value
    if isinstance(value, Day):
        parts = {"year": value.year, "month": value.month, "weekday": value.shade in _WEEKDAYS}
        return frozenset(part for part, told in parts.items() if told)
    unit = value[1] if isinstance(value, tuple) else ""
    if not isinstance(unit, str) or not unit or fact.kind not in {"money", "count", "duration"}:
        return None
    return frozenset(terms(unit) if fact.kind == "count" else {unit})
