"""Text -> typed facts, and whether other words hold them.

    text -> words + numbers -> dates, amounts, names, denials -> Facts
    sentence + evidence -> what of the sentence the evidence does not hold

Facts are compared by value: "€5M" and "five million euros" are the same, "$5M" is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from rag.amounts import Amount, find_amounts
from rag.dates import Day, find_dates
from rag.names import find_names, stands
from rag.negation import Denial, Polarity, find_denials, read_polarity, turned
from rag.words import Word, split, straighten

Kind = Literal["money", "percentage", "count", "frequency", "duration", "date", "name", "negation"]
Value = Decimal | tuple[Decimal, str] | Day | str | tuple[str, tuple[str, ...]]

_LABELS: dict[Kind, str] = {
    "money": "amount",
    "percentage": "percentage",
    "count": "number",
    "frequency": "frequency",
    "duration": "duration",
    "date": "date",
    "name": "name",
    "negation": "negation",
}
_HOLDS = {
    "": {"", "about", "nearly", "more than", "at least"},
    "about": {"about", "", "nearly", "more than", "at least"},
    "nearly": {"nearly"},
    "more than": {"more than"},
    "at least": {"at least", "more than", ""},
    "less than": {"less than", "nearly"},
    "at most": {"at most", "less than", "nearly", ""},
    "vague": {"vague"},
}
"""For each qualifier of a sentence, those of evidence with the same number that hold it."""

_BELOW = {"nearly", "less than", "at most"}
_ABOVE = {"more than", "at least"}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a text states and another text can state differently.

    Attributes:
        kind: Which sort of fact it is.
        value: Money: (amount, ISO code). Percentage: the percent. Count: (number, what is counted in
            the singular, or ""). Frequency: (times, in one unit of time). Duration: (number, "day" or
            "month"). Date: a `Day`. Name: its folded words. Negation: (its sort, stems it denies).
        text: The words as they stand.
        start: Where it begins, in characters of the text given.
        end: Where it ends, exclusive.
        qualifier: `about`, `nearly`, `more than`, `at least`, `less than`, `at most` or `vague`
            ("millions"); else empty.
        other: The second value that the words can be read as (05/03/2025, "biweekly"), or None.
    """

    kind: Kind
    value: Value
    text: str
    start: int
    end: int
    qualifier: str = ""
    other: Value | None = None

    @property
    def values(self) -> tuple[Value, ...]:
        """The value, and the other reading where there is one."""
        return (self.value,) if self.other is None else (self.value, self.other)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text as it is compared."""

    words: tuple[Word, ...]
    facts: tuple[Fact, ...]
    denials: tuple[Denial, ...]
    polarity: Polarity


def find_facts(text: str) -> tuple[Fact, ...]:
    """The facts of a text, in order, none overlapping another; any text is taken.

    Args:
        text: A sentence or a passage; offsets are characters in it.

    Examples:
        >>> [(fact.kind, fact.text) for fact in find_facts("He must pay 5 million euros by March 2025.")]
        [('money', '5 million euros'), ('date', 'March 2025')]
    """
    return _read(text).facts


def same(a: Fact, b: Fact) -> bool:
    """Whether two facts say the same value, however they are spelled.

    Approximations are the same as their number, unless one is above it and the other below.

    Examples:
        >>> same(find_facts("€5M")[0], find_facts("five million euros")[0])
        True
        >>> same(find_facts("once a week")[0], find_facts("twice a week")[0])
        False
    """
    if a.kind != b.kind or ("vague" in {a.qualifier, b.qualifier} and a.qualifier != b.qualifier):
        return False
    opposed = {a.qualifier, b.qualifier}
    return not (opposed & _BELOW and opposed & _ABOVE) and bool(set(a.values) & set(b.values))


def comparable(a: Fact, b: Fact) -> bool:
    """Whether two facts give a value of the same sort, so that they could differ: both in euros, say."""
    if a.kind != b.kind or a.kind in {"name", "negation"}:
        return False
    if isinstance(a.value, Day) and isinstance(b.value, Day):
        return a.value.touches(b.value)
    return _unit(a) == _unit(b)


def compatible(a: Fact, b: Fact) -> bool:
    """Whether two facts can both be true of the same thing, and speak of the same sort of value.

    A date is compatible with a less precise one, "almost a billion" with 950 million (within a
    tenth), "more than 900 million" with 950 million, a surname with the full name. Values that
    differ contradict each other where they are `comparable` and not compatible.

    Examples:
        >>> compatible(find_facts("late August")[0], find_facts("in August")[0])
        True
    """
    if same(a, b):
        return True
    if a.kind == b.kind == "name":
        return _shares_name(str(a.value).split(), str(b.value).split())
    if not comparable(a, b):
        return False
    if isinstance(a.value, Day) or isinstance(b.value, Day):
        return any(
            x.agrees(y) for x in a.values for y in b.values if isinstance(x, Day) and isinstance(y, Day)
        )
    low, high = _bounds(a)
    other_low, other_high = _bounds(b)
    return low <= other_high and other_low <= high


def states(theirs: Fact, mine: Fact) -> bool:
    """Whether a fact says what another says, perhaps more precisely, or leaving out what goes without saying.

    Of a date the finest part must be there (a day may lack its year), of a sum the number, of a name
    its last word.

    Examples:
        >>> day, month = find_facts("on 24 August 2024")[0], find_facts("in August 2024")[0]
        >>> states(day, month), states(month, day), states(find_facts("on August 24")[0], day)
        (True, False, True)
    """
    if mine.kind == theirs.kind == "name":
        return compatible(theirs, mine)
    if same(theirs, mine) or _holds(theirs, mine):
        return True
    if isinstance(mine.value, Day) and isinstance(theirs.value, Day):
        days = [day for day in theirs.values if isinstance(day, Day)]
        return any(a.agrees(b) and _finest(a, b) for a in mine.values if isinstance(a, Day) for b in days)
    return theirs.kind == "count" and _unit(theirs) == "" and _holds(mine, theirs)


def _finest(mine: Day, theirs: Day) -> bool:
    """Whether the most precise part of a date is in another."""
    part = next((at for at in (2, 1, 0) if mine[at] is not None), None)
    return part is not None and mine[part] == theirs[part]


def missing(sentence: str, evidence: Sequence[str]) -> tuple[str, ...]:
    """What of a sentence the evidence does not hold, each as a phrase for a person.

    Every amount, count, frequency, duration and date must stand in the evidence with the same value
    and unit (a date may be more precise there), every name with its words, and what the
    sentence denies or affirms the evidence must deny or affirm (`rag.negation` names the limits). A number
    without a unit is held by any count or sum of that number. It is a check of values and
    polarity, not of who did what to whom: that two facts belong together is not seen.

    Args:
        sentence: The sentence to be shown.
        evidence: The texts cited for it, which may carry it together.

    Examples:
        >>> missing("Bail was 50 million euros.", ["He was released on bail of 5 million euros."])
        ('the amount 50 million euros',)
        >>> missing("He was released.", ["He was not released."])
        ("the negation 'not'",)
    """
    lacking = [_phrase(fact) for fact in unheld(sentence, evidence)]
    lacking += _turned(_read(sentence), [_read(text) for text in evidence])
    return tuple(dict.fromkeys(lacking))


def unheld(sentence: str, evidence: Sequence[str]) -> tuple[Fact, ...]:
    """The facts of a sentence that the evidence does not hold, by the rules of `missing`, in order.

    Examples:
        >>> [fact.text for fact in unheld("Bail was €6M in Paris.", ["He was bailed in Paris for €5M."])]
        ['€6M']
    """
    said = _read(sentence)
    sources = [_read(text) for text in evidence]
    return tuple(fact for fact in said.facts if not _held(fact, said, sources))


def turns(sentence: str, evidence: Sequence[str]) -> tuple[str, ...]:
    """The negations, on either side, by which a sentence and the evidence say the reverse of each other.

    Examples:
        >>> turns("He was never released on bail.", ["He was released on bail of 5 million euros."])
        ("the negation 'never'",)
    """
    return tuple(dict.fromkeys(_turned(_read(sentence), [_read(text) for text in evidence])))


def _held(fact: Fact, said: _Reading, sources: Sequence[_Reading]) -> bool:
    if fact.kind == "name":
        return any(stands(str(fact.value).split(), source.words) for source in sources)
    if fact.kind == "negation":
        denial = next(denial for denial in said.denials if denial.start == fact.start)
        return any(other.carries(denial) for source in sources for other in source.denials)
    single = _unit(fact) if fact.kind == "count" and fact.value == (1, _unit(fact)) else ""
    if single and any(word.fold == single for source in sources for word in source.words):
        return True  # "a person" and "the person" are one person
    return any(_holds(other, fact) for source in sources for other in source.facts)


def _holds(theirs: Fact, mine: Fact) -> bool:
    """Whether a fact of the evidence holds one of the sentence."""
    if theirs.qualifier not in _HOLDS[mine.qualifier]:
        return False
    return any(_value_holds(theirs.kind, a, mine.kind, b) for a in theirs.values for b in mine.values)


def _value_holds(their_kind: Kind, theirs: Value, my_kind: Kind, mine: Value) -> bool:
    if isinstance(mine, Day):
        return (isinstance(theirs, Day) and mine.within(theirs)) or _is_bare(mine, theirs)
    if my_kind == "count" and isinstance(mine, tuple) and mine[1] == "":
        if isinstance(theirs, Day):
            return theirs[1:] == (None, None, "") and theirs.year == mine[0]
        return their_kind in {"count", "money"} and isinstance(theirs, tuple) and theirs[0] == mine[0]
    return their_kind == my_kind and theirs == mine


def _is_bare(day: Day, number: Value) -> bool:
    """Whether a date is only a year, and the other value that bare number."""
    bare = isinstance(number, tuple) and len(number) == 2 and number[1] == ""
    return bare and day[1:] == (None, None, "") and number[0] == day.year  # type: ignore[index]


def _turned(said: _Reading, sources: Sequence[_Reading]) -> Iterator[str]:
    """The negations that turn a word of the sentence round, from whichever side has them."""
    stems = set(turned(said.polarity, [source.polarity for source in sources]))
    for reading in (said, *sources):
        for fact, denial in zip(_negations(reading), reading.denials, strict=True):
            if stems & set(denial.heads):
                yield _phrase(fact)


def _negations(reading: _Reading) -> list[Fact]:
    return [fact for fact in reading.facts if fact.kind == "negation"]


def _phrase(fact: Fact) -> str:
    if fact.kind == "negation":
        return f"the negation '{fact.text}'"
    unit = _unit(fact) if fact.kind == "count" else ""
    shown = fact.text if not unit or unit in fact.text else f"{fact.text} ({unit})"
    return f"the {_LABELS[fact.kind]} {shown}"


def _unit(fact: Fact) -> str:
    return fact.value[1] if isinstance(fact.value, tuple) and isinstance(fact.value[1], str) else ""


def number_of(fact: Fact) -> Decimal:
    """The number of a figure; 0 where it has none."""
    first = fact.value[0] if isinstance(fact.value, tuple) else fact.value
    return first if isinstance(first, Decimal) else Decimal(0)


def _bounds(fact: Fact) -> tuple[Decimal, Decimal]:
    """The least and the greatest number that a fact allows."""
    number = number_of(fact)
    tenth, infinity = abs(number) / 10, Decimal("Infinity")
    return {
        "about": (number - tenth, number + tenth),
        "nearly": (number - tenth, number),
        "more than": (number, infinity),
        "at least": (number, infinity),
        "less than": (-infinity, number),
        "at most": (-infinity, number),
        "vague": (number, number * 1000),
    }.get(fact.qualifier, (number, number))


def _shares_name(one: Sequence[str], other: Sequence[str]) -> bool:
    short, long = sorted((one, other), key=len)
    return short[-1] == long[-1] and set(short) <= set(long)


@lru_cache(maxsize=512)
def _read(text: str) -> _Reading:
    straight = straighten(text)
    words = tuple(split(straight))
    taken = bytearray(len(text))
    denials = tuple(find_denials(words))
    facts = list(_values(text, straight, words, taken, denials))
    facts.sort(key=lambda fact: fact.start)
    return _Reading(words, tuple(facts), denials, read_polarity(words, denials))


def _values(
    text: str, straight: str, words: Sequence[Word], taken: bytearray, denials: Sequence[Denial]
) -> Iterator[Fact]:
    """The facts of a text by sort, each where no earlier one stands."""
    for denial in denials:
        taken[denial.start : denial.end] = b"\1" * (denial.end - denial.start)
        yield Fact(
            "negation",
            (denial.force, denial.heads),
            text[denial.start : denial.end],
            denial.start,
            denial.end,
        )
    for date in find_dates(straight):
        if _take(taken, date.start, date.end):
            yield Fact("date", date.day, text[date.start : date.end], date.start, date.end, other=date.other)
    for amount in find_amounts(straight):
        if _take(taken, amount.start, amount.end):
            value, other = _amount_values(amount)
            yield Fact(
                amount.kind,
                value,
                text[amount.start : amount.end],
                amount.start,
                amount.end,
                amount.qualifier,
                other,
            )
    for name in find_names(words, taken):
        if _take(taken, name.start, name.end):
            yield Fact("name", " ".join(name.words), text[name.start : name.end], name.start, name.end)


def _take(taken: bytearray, start: int, end: int) -> bool:
    if any(taken[start:end]):
        return False
    taken[start:end] = b"\1" * (end - start)
    return True


def _amount_values(amount: Amount) -> tuple[Value, Value | None]:
    if amount.kind == "percentage":
        return amount.number, amount.other
    other = None if amount.other is None else (amount.other, amount.unit)
    return (amount.number, amount.unit), other
