"""The values of a gold set in other spellings: the first half of the scorer's proof (`build_proof.py`)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from eval.dataset import GoldFact, Question
from eval.values import FIGURES
from rag.dates import Day
from rag.facts import Fact, find_facts, same

Spellings = Iterator[tuple[str, str]]
"""Each a rule, and what it makes."""
TITLES = {
    "Pavel Durov": "CEO",
    "Alexandre de Moraes": "Judge",
    "Eric Goldman": "Professor",
    "Mary Anne Franks": "Professor",
    "Ellen Francis": "Ms.",
}
"""The people among the names, each with a title that is theirs."""
ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
GREAT = {"billion": 10**9, "million": 10**6, "thousand": 10**3}
_SUFFIXES = {"billion": ("bn", "B"), "million": ("m", "M", "mn", "mln"), "thousand": ("k",)}
CURRENCIES = {
    "EUR": ("\u20ac", ("euros",)),
    "USD": ("$", ("dollars", "US dollars")),
    "GBP": ("\u00a3", ("pounds",)),
}
MONTHS = ("January February March April May June July August September October November December").split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
UNITS = ("day", "week", "month", "year")


@dataclass(frozen=True)
class Value:
    """A value of the gold, and the facts that hold it."""

    question: Question
    facts: tuple[GoldFact, ...]

    @cached_property
    def fact(self) -> GoldFact:
        """The fact whose quote is used."""
        return next((fact for fact in self.facts if self.places(fact)), self.facts[0])

    @cached_property
    def figure(self) -> Fact | None:
        """The typed reading of the value, where it is one figure."""
        found = [fact for fact in find_facts(self.fact.value) if fact.kind == self.fact.kind]
        return found[0] if self.fact.kind in FIGURES and len(found) == 1 else None

    def places(self, fact: GoldFact) -> list[tuple[int, int]]:
        """Where the value stands in the quote, in characters: as a figure, or as an accepted spelling."""
        figures = [one for one in find_facts(fact.quote) if self.figure_of(fact, one)]
        if figures:
            return [(one.start, one.end) for one in figures]
        for spelling in (fact.value, *sorted(fact.accepted, key=len, reverse=True)):
            found = [
                match.span() for match in re.finditer(rf"\b{re.escape(spelling)}(?!\w)", fact.quote, re.I)
            ]
            if found:
                return found
        return []

    @staticmethod
    def figure_of(fact: GoldFact, one: Fact) -> bool:
        """Whether a figure of the quote is the value."""
        wanted = [found for found in find_facts(fact.value) if found.kind == fact.kind]
        return fact.kind in FIGURES and len(wanted) == 1 and same(one, wanted[0])


def in_words(number: Decimal) -> str:
    """A number as it is spoken.

    Examples:
        >>> in_words(Decimal(950_000_000)), in_words(Decimal("5.6"))
        ('nine hundred and fifty million', 'five point six')
    """
    if number != number.to_integral_value():
        whole, digits = f"{number.normalize():f}".split(".")
        return f"{in_words(Decimal(whole))} point {' '.join(ONES[int(digit)] for digit in digits)}"
    for word, factor in GREAT.items():
        if number >= factor and not number % factor:
            return f"{in_words(number / factor)} {word}"
    return _below_thousand(int(number)) if number < 1000 else f"{int(number):,}"


def _below_thousand(number: int) -> str:
    if number < 20:
        return ONES[number]
    if number < 100:
        return _TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")
    rest = f" and {_below_thousand(number % 100)}" if number % 100 else ""
    return f"{ONES[number // 100]} hundred{rest}"


def great(number: Decimal) -> tuple[str, str]:
    """The magnitude of a number and how many there are of it ("million", "5.6"); none below 10,000."""
    for word, factor in GREAT.items():
        if number >= factor and number >= 10_000:
            return word, f"{(number / factor).normalize():f}"
    return "", f"{number.normalize():f}"


def _figures(number: Decimal) -> Spellings:
    """A number in digits, by the rule that spells it so."""
    word, share = great(number)
    if number == number.to_integral_value() and number >= 1000:
        grouped = f"{int(number):,}"
        yield "thousands separator", grouped
        yield "thousands separator", grouped.replace(",", "\u2009")
        yield "thousands separator", grouped.replace(",", "\u00a0")
        yield "thousands separator", grouped.replace(",", "'")
        yield "no separator", str(int(number))
    if word:
        yield "digits and magnitude", f"{share} {word}"
        yield "digits and magnitude", f"{share}-{word}"
        yield "decimals", f"{share}{'0' if '.' in share else '.0'} {word}"
        for suffix in _SUFFIXES[word]:
            yield "magnitude suffix", f"{share}{suffix}"
    else:
        yield "digits", share


def _spelled(number: Decimal) -> Spellings:
    word, share = great(number)
    if word and "." in share:
        yield "number words", f"{in_words(Decimal(share))} {word}"
    elif number < 1000 or word:
        yield "number words", in_words(number)
        yield "number words, in capitals", in_words(number).upper()
    if number == 12:
        yield "number words", "a dozen"
        yield "number words", "one dozen"


def respelled(value: Value) -> Spellings:
    """Other spellings of a value, each with its rule."""
    figure, kind = value.figure, value.fact.kind
    if figure is not None and figure.qualifier != "vague":
        yield from _RESPELL[kind](figure, value)
    elif kind == "name":
        yield from _other_names(value)
    elif kind == "phrase":
        yield from _other_phrases(value)


def _money(figure: Fact, value: Value) -> Spellings:
    number, code = figure.value  # type: ignore[misc]
    sign, words = CURRENCIES.get(code, ("", ()))
    for rule, digits in _figures(number):
        if "-" not in digits and sign:
            yield f"currency sign before, {rule}", sign + digits
        yield f"currency code before, {rule}", f"{code} {digits}"
        for word in words[:1]:
            yield f"currency word after, {rule}", f"{digits} {word}"
    for rule, spelled in _spelled(number):
        for word in words:
            yield f"currency word after, {rule}", f"{spelled} {word}"
        yield f"currency code after, {rule}", f"{spelled} {code}"
    word, share = great(number)
    if sign and word:
        yield "currency sign after", f"{share} {word} {sign}"
        yield "currency sign and a space", f"{sign} {share} {word}"
        yield "currency code joined", f"{code}{share}{_SUFFIXES[word][0]}"
        yield "European separators", f"{int(number):,}".replace(",", ".") + f" {words[0]}"


def _count(figure: Fact, value: Value) -> Spellings:
    number, _ = figure.value  # type: ignore[misc]
    noun = value.fact.value[figure.end :].strip() if value.places(value.fact) else ""
    for rule, digits in (*_figures(number), *_spelled(number)):
        yield rule, f"{value.fact.value[: figure.start]}{digits} {noun}"


def _percentage(figure: Fact, value: Value) -> Spellings:
    number = f"{figure.value:f}"  # type: ignore[str-bytes-safe]
    for sign in ("%", " %", " percent", " per cent", " pct", "\u00a0%"):
        yield f"percent as {sign.strip()!r}", number + sign
    yield "decimals", f"{number}0%" if "." in number else f"{number}.0%"
    yield "number words", f"{in_words(Decimal(number))} percent"


def _frequency(figure: Fact, value: Value) -> Spellings:
    number, unit = figure.value  # type: ignore[misc]
    if number == 1:
        adverb = "daily" if unit == "day" else f"{unit}ly"
        for spelled in (
            f"every {unit}",
            f"once a {unit}",
            f"each {unit}",
            f"once per {unit}",
            f"once {adverb}",
        ):
            yield "frequency in other words", spelled
        yield "frequency in other words", f"on a {adverb} basis"
        yield "frequency in other words", f"1x a {unit}"
    if number >= 2 and number == int(number):
        adverb = "daily" if unit == "day" else f"{unit}ly"
        times = {2: "twice"}.get(int(number), f"{in_words(number)} times")
        for often in dict.fromkeys((times, f"{in_words(number)} times", f"{number} times", f"{number}x")):
            for per in (f"a {unit}", f"per {unit}", f"each {unit}", f"every {unit}", adverb):
                yield "frequency in other words", f"{often} {per}"
        yield "frequency with hyphens", f"{times}-{adverb}".replace(" ", "-")
        yield "frequency with hyphens", f"{times}-a-{unit}".replace(" ", "-")
        yield "frequency with a sign", f"{number}\u00d7/{unit}"
        yield "frequency in capitals", f"{times} a {unit}".upper()


def _duration(figure: Fact, value: Value) -> Spellings:
    match = re.search(r"(\S+) (second|minute|hour|day|week|month|year|decade)s?\b", value.fact.value)
    if not match:
        return
    number, unit = figure.value[0] / {"year": 12, "week": 7}.get(match[2], 1), match[2]  # type: ignore[index, operator]
    place = value.places(value.fact)
    bare = bool(place) and unit not in value.fact.quote[place[0][0] : place[0][1]]
    if bare:
        for spelled in (
            f"{number} years old",
            f"{in_words(number)} years old",
            f"aged {number}",
            f"{number} years of age",
        ):
            yield "age in other words", spelled
        yield "age in other words", f"a {number}-year-old"
        yield "age in other words", f"a {in_words(number)}-year-old"
        return
    for spelled in (f"{number} {unit}s", f"{in_words(number)} {unit}s", f"{in_words(number)} full {unit}s"):
        yield "duration in other words", spelled
    yield "duration in capitals", f"{in_words(number)} {unit}s".upper()
    yield "duration with a space of its own", f"{number}\u00a0{unit}s"
    yield "duration with hyphens", f"a {number}-{unit} stretch"
    yield "duration with hyphens", f"a {in_words(number)}-{unit} period"
    smaller = {"day": (24, "hour"), "week": (7, "day"), "year": (12, "month")}.get(unit)
    if smaller:
        yield "duration in a smaller unit", f"{number * smaller[0]} {smaller[1]}s"


def _date(figure: Fact, value: Value) -> Spellings:
    day = figure.value
    if not isinstance(day, Day):
        return
    if day.month and day.day:
        yield from _days(day, MONTHS[day.month - 1])
    elif day.month and day.shade:
        yield from _parts_of_months(day, MONTHS[day.month - 1])
    elif day.month:
        yield from _months(day, MONTHS[day.month - 1])
    elif day.year and not day.shade:
        yield "year in other words", f"the year {day.year}"
        yield "year in other words", f"{day.year} itself"
    elif day.shade.capitalize() in WEEKDAYS:
        name = day.shade.capitalize()
        for spelled in (name, f"a {name}", f"{name} night"):
            yield "weekday in other words", spelled
        yield "weekday in capitals", name.upper()
        yield "weekday in short", f"{name[:3]}."


def _months(day: Day, month: str) -> Spellings:
    year = f" {day.year}" if day.year else ""
    yield "month in other words", month + year
    yield "month in capitals", (month + year).upper()
    if day.year:
        for spelled in (f"{month[:3]}. {day.year}", f"{month[:3]} {day.year}", f"{month}, {day.year}"):
            yield "month in short", spelled
        yield "month in other words", f"{month} of {day.year}"
        yield "month in digits", f"{day.year}-{day.month:02}"
        yield "month in digits", f"{day.month:02}/{day.year}"


def _parts_of_months(day: Day, month: str) -> Spellings:
    forms = {
        "late": ("late {}", "the end of {}", "late in {}"),
        "early": ("early {}", "the beginning of {}", "early in {}"),
        "mid": ("mid {}", "mid-{}", "the middle of {}"),
    }
    year = f" {day.year}" if day.year else ""
    for form in forms.get(day.shade, ()):
        yield "month in other words", form.format(month) + year
        yield "month in capitals", (form.format(month) + year).upper()


def _days(day: Day, month: str) -> Spellings:
    year = f" {day.year}" if day.year else ""
    american = f"{month} {day.day}" + (f", {day.year}" if day.year else "")
    for spelled in (f"{day.day} {month}{year}", f"{day.day} {month[:3]}{year}", american):
        yield "day in other words", spelled
    if day.year:
        yield "day in digits", f"{day.year}-{day.month:02}-{day.day:02}"


_RESPELL = {
    "money": _money, "count": _count, "percentage": _percentage, "frequency": _frequency,
    "duration": _duration, "date": _date,
}  # fmt: skip


def _other_names(value: Value) -> Spellings:
    name = value.fact.value
    yield "name in capitals", name.upper()
    yield "name in quotes", f"\u201c{name}\u201d"
    yield "name with a possessive", f"{name}\u2019s"
    yield "name in brackets", f"({name})"
    if " " in name:
        yield "name with other spaces", name.replace(" ", "\u00a0")
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter)
    )
    if plain != name:
        yield "name without accents", plain
        yield "name decomposed", unicodedata.normalize("NFD", name)
    elif name in TITLES:
        yield (
            "name with an accent",
            re.sub(r"[aeiou](?=[^aeiou]*$)", lambda found: found.group() + "\u0301", name),
        )
    for spelling in value.fact.accepted:
        if spelling.casefold() != name.casefold():
            yield "annotated spelling", spelling
    if name in TITLES:
        yield "name with a title", f"{TITLES[name]} {name}"


def _other_phrases(value: Value) -> Spellings:
    for spelling in value.fact.accepted:
        yield "annotated spelling", spelling
        yield "phrase in capitals", spelling.upper()
        if "-" in spelling:
            yield "phrase with other dashes", spelling.replace("-", "\u2010")
            yield "phrase with a space for the dash", spelling.replace("-", " ")
        elif " " in spelling:
            yield "phrase with other spaces", spelling.replace(" ", "\u00a0")
            if spelling.count(" ") == 1:
                yield "phrase with a dash", spelling.replace(" ", "-")
        yield "phrase in quotes", f"\u201c{spelling}\u201d"
        if "'" in spelling:
            yield "phrase with a curly apostrophe", spelling.replace("'", "\u2019")
