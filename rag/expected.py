"""question -> the kind of fact that it asks for, and its unit: "how many users" asks for a count of users."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from rag.amounts import is_time, length, noun_after, singular
from rag.currencies import Currency, currency_after
from rag.dates import WEEKDAYS, Day
from rag.facts import Fact, Kind
from rag.terms import FUNCTION_WORDS

PERSONS = frozenset("person man woman child".split())
"""What people are counted as: a number of these may be one of workers or guests, and the other way round."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What kind of fact answers a question.

    Attributes:
        kinds: Kinds of fact; empty where it may be anything.
        units: In any of these units, where not empty: the ISO 4217 code of a sum, what is counted in the
            singular, `day`, `night` or `month` of a span of time, or what a date must tell: `year`, `month`
            or `weekday`.
    """

    kinds: frozenset[Kind]
    units: frozenset[str] = frozenset()

    def is_met_by(self, fact: Fact) -> bool:
        """Whether a fact is of such a kind, and of no other unit; a count of people may be one of workers."""
        if fact.kind not in self.kinds:
            return False
        units = _units_of(fact)
        anything = not self.units or units is None or (fact.kind == "count" and units <= PERSONS)
        return anything or self.is_named_by(fact)

    def is_named_by(self, fact: Fact) -> bool:
        """Whether a fact is of such a kind, and names such a unit."""
        return fact.kind in self.kinds and bool(self.units & (_units_of(fact) or frozenset()))


def _units_of(fact: Fact) -> frozenset[str] | None:
    """The units of a fact, as `Expected` names them; None where it has none that could be another."""
    value = fact.value
    if isinstance(value, Day):
        parts = {"year": value.year, "month": value.month, "weekday": value.shade in WEEKDAYS}
        return frozenset(part for part, told in parts.items() if told)
    unit = value[1] if isinstance(value, tuple) else ""
    has_unit = isinstance(unit, str) and unit and fact.kind in {"money", "count", "duration"}
    return frozenset({str(unit)}) if has_unit else None


def _of(*kinds: Kind, units: tuple[str, ...] = ()) -> Callable[[str, int], Expected]:
    """What a question word asks for whatever follows it."""
    found = Expected(frozenset(kinds), frozenset(units))
    return lambda question, place: found


def _number_of(question: str, place: int) -> Expected:
    """What a count is asked for of, by the words from a place on: "how many users", "the number of users"."""
    if (currency := currency_after(question, place)) and _ends(question, currency.place):
        named = singular(question[place : currency.place].split()[-1].lower())
        return Expected(frozenset({"money", "count"}), frozenset({currency.code, named}))
    noun = noun_after(question, place)
    if is_time(noun):
        return Expected(frozenset({"duration", "count"}), frozenset({noun, length(Decimal(1), noun)[1]}))
    units = frozenset({noun} - PERSONS - {""})
    return Expected(frozenset({"count", "percentage"}), units)


def _ends(question: str, place: int) -> bool:
    """Whether the name of a currency ends at a place: in "how many dollar stores" it does not."""
    following = re.match(r"\s*([^\W_]*)", question[place:])
    return not following or following[1] in {"", *FUNCTION_WORDS}


_IS = r"(?:is|was|are|were|['’]s)"
_AGE = (
    r"how old|how many years old|(?:at|from) (?:what|which) age\b(?! group)"
    rf"|(?:what|which) ?{_IS} (?:[\w'’]+ ){{0,4}}?(?-i:age)(?= of\b| at\b| for\b|\W*$)"
)
_RULES: tuple[tuple[str, Callable[[str, int], Expected]], ...] = (
    (r"how (?:often|frequently)|how many times", _of("frequency")),
    (r"how long|(?:what|which) (?:duration|period)", _of("duration", "date", "count")),
    (_AGE, _of("duration", "count", units=("year", "month"))),
    (
        r"(?:what|which) (?:percentage|percent|share|proportion|fraction)|how many per ?cent"
        r"|^(?:percentage|share|proportion|fraction) of",
        _of("percentage"),
    ),
    (rf"how many|(?:what|which)(?: ?{_IS} the(?: total)?)? number(?: of)?", _number_of),
    (r"how (?:large|big|far|high|tall|deep|wide|heavy|fast)", _of("count", "percentage")),
    (rf"(?:what|which)(?: ?{_IS} the(?: total)?)? (?:figures?|size)", _of("count")),
    (
        r"how much|what (?:price|cost|sum|amount)"
        r"|what [^?]{1,80}? (?:worth|cost|(?:come|amount) to)(?= in\b|\W*$)",
        _of("money", "percentage", "count"),
    ),
    (r"(?:what|which) (?:day of the week|weekday)", _of("date", units=("weekday",))),
    (r"(?:what|which) year", _of("date", units=("year",))),
    (r"(?:what|which) month", _of("date", units=("month",))),
    (r"when|(?:what|which) (?:date|day|time)|(?:since|until|till) when|^(?:year|date|day) of", _of("date")),
    (r"who|whom|whose|where|(?:what|which) (?:country|city|company|person)", _of("name")),
)
_ASKING = tuple((re.compile(rf"\b(?:{words})(?!\w)", re.IGNORECASE), asked) for words, asked in _RULES)
"""How a question asks, and for what; of several at the same place the first counts."""
_PER_CENT = re.compile(r"\bin per ?cent\b", re.IGNORECASE)
_IN = re.compile(
    r"(?<!\binvest )(?<!\binvested )(?<!\btrade )(?<!\btraded )(?<!\bheld )(?<!\bhold )\bin(?= )"
    r"|\b(?:come|comes|came|amounts?|amounted|converts?|converted) (?:in)?to(?= )",
    re.IGNORECASE,
)
"""What stands before the currency that an amount is asked for in: not "how much did he invest in bitcoin"."""
_WORTH = re.compile(
    r"\bhow (?:high|large|big)\b.{0,200}\b(?:prices?|costs?|fees?|amounts?|sums?|bail|fines?|salar(?:y|ies)"
    r"|debts?|profits?|losses|taxes|rents?|wages?)\b",
    re.IGNORECASE,
)
"""How the size of an amount is asked for."""


@lru_cache(maxsize=256)
def expected(question: str) -> Expected:
    """What a question asks for, by its first question word, and by the unit that it names.

    Examples:
        >>> expected("How many users has it?").units, expected("How much is it in euros?").units
        (frozenset({'user'}), frozenset({'EUR'}))
    """
    found = [
        (match.start(), match.end(), asked) for words, asked in _ASKING if (match := words.search(question))
    ]
    if not found:
        return Expected(frozenset())
    _, end, asked = min(found, key=lambda one: one[0])
    kind = asked(question, end)
    if "count" in kind.kinds and _PER_CENT.search(question):
        return Expected(frozenset({"percentage"}))
    if ("money" in kind.kinds or _WORTH.search(question)) and (currency := _currency(question)):
        return Expected(frozenset({"money"}), frozenset({currency.code}))
    return kind


def expected_kinds(question: str) -> frozenset[Kind]:
    """The kinds of fact that a question asks for; empty where it may be anything.

    Examples:
        >>> expected_kinds("How often does he report?")
        frozenset({'frequency'})
        >>> expected_kinds("Who was mayor when the war ended?")
        frozenset({'name'})
    """
    return expected(question).kinds


def _currency(question: str) -> Currency | None:
    """The currency that an amount is asked for in."""
    found = (currency_after(question, match.end()) for match in _IN.finditer(question))
    return next((one for one in found if one and _ends(question, one.place)), None)
