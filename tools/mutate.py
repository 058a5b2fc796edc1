"""Values that only look like those of a gold set: the second half of the proof by `build_proof.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from respell import CURRENCIES, MONTHS, TITLES, UNITS, WEEKDAYS, Spellings, Value, great, in_words

from eval.values import states
from rag.dates import Day
from rag.facts import Fact, compatible, find_facts, same


def mutated(value: Value, others: list[Value]) -> Spellings:
    """Spellings of other values that look like a value, each with its rule."""
    figure, kind = value.figure, value.fact.kind
    for spelling in value.fact.rejected:
        yield "annotated near-miss", spelling
    if figure is not None and figure.qualifier != "vague":
        yield from _MUTATE[kind](figure, value)
        yield from _changed_claims(value, figure)
    elif kind == "name":
        yield from _wrong_names(value, others)
    elif kind == "phrase":
        yield from _wrong_phrases(value, others)
    yield from _neighbours(value, others)


def _changed(number: Decimal) -> Iterator[tuple[str, Decimal]]:
    """Numbers that look like a number."""
    digits = f"{number.normalize():f}"
    places = [place for place, digit in enumerate(digits) if digit.isdigit()]
    first = int(digits[places[0]])
    if number >= 1:
        yield "digit changed", Decimal(str(first % 9 + 1) + digits[1:])
        yield "digit added", Decimal("1" + digits)
    stripped = digits.rstrip("0") if "." not in digits else digits
    last = max(place for place, digit in enumerate(stripped) if digit.isdigit())
    yield "digit changed", Decimal(digits[:last] + str(int(digits[last]) % 9 + 1) + digits[last + 1 :])
    significant = [place for place in places if place <= last]
    if len(significant) > 1 and digits[significant[0]] not in {"0", digits[significant[1]]}:
        one, two = significant[:2]
        if digits[two] != "0":
            yield (
                "digits swapped",
                Decimal(digits[:one] + digits[two] + digits[one + 1 : two] + digits[one] + digits[two + 1 :]),
            )
    yield "other magnitude", number * 10
    yield "other magnitude", number / 10


def _shown(number: Decimal) -> str:
    word, share = great(number)
    return f"{share} {word}".strip()


def _wrong_money(figure: Fact, value: Value) -> Spellings:
    number, code = figure.value  # type: ignore[misc]
    sign, words = CURRENCIES.get(code, ("", (code,)))
    for rule, other in (
        *_changed(number),
        ("other magnitude", number * 1000),
        ("other magnitude", number / 1000),
    ):
        yield rule, f"{_shown(other)} {words[0]}"
        yield rule, f"{sign}{_shown(other)}"
    word, share = great(number)
    yield "magnitude left out", f"{share} {words[0]}"
    for other_code, (other_sign, other_words) in CURRENCIES.items():
        if other_code != code:
            yield "other currency", f"{other_sign}{share} {word}"
            yield "other currency", f"{share} {word} {other_words[0]}"
            yield "other currency", f"{other_code} {share} {word}"
    yield "other currency", f"A${share} {word}"
    yield "other currency", f"{share} {word} Swiss francs"
    for noun in ("users", "posts", "percent", "days", "messages"):
        yield "number of something else", f"{share} {word} {noun}"
    yield "rate", f"{share} {word} {words[0]} a day"
    yield "rate", f"{share} {word} {words[0]} every month"


def _wrong_count(figure: Fact, value: Value) -> Spellings:
    number, _ = figure.value  # type: ignore[misc]
    noun = value.fact.value[figure.end :].strip()
    greater = (
        [("other magnitude", number * 1000), ("other magnitude", number / 1000)] if number > 1000 else []
    )
    for rule, other in (*_changed(number), *greater):
        yield rule, f"{_shown(other)} {noun}"
    for spelled in {12: ("two dozen", "half a dozen"), 10**7: ("ten thousand",)}.get(int(number), ()):
        yield "number words changed", f"{spelled} {noun}"
    for other_noun in ("euros", "dollars", "days", "percent", "kilometres", "years"):
        yield "number of something else", f"{_shown(number)} {other_noun}"
    if noun:
        yield "rate", f"{_shown(number)} {noun} a day"


def _wrong_percentage(figure: Fact, value: Value) -> Spellings:
    number = Decimal(str(figure.value))
    for rule, other in _changed(number):
        yield rule, f"{other.normalize():f}%"
        yield rule, f"{other.normalize():f} percent"
    for other in (100 - number, number * 100, number / 100):
        yield "other magnitude", f"{other.normalize():f}%"
    for unit in ("\u2030", " per mille", " percentage points", " percent less", " people", " dollars"):
        if unit != " percent less":
            yield "other unit", f"{number}{unit}"
    yield "unit left out", str(number)
    yield "sign", f"-{number}%"


def _wrong_frequency(figure: Fact, value: Value) -> Spellings:
    number, unit = figure.value  # type: ignore[misc]
    often = {1: "once", 2: "twice"}
    for other in (1, 2, 3, 4, 5, 10):
        if other != number:
            yield "frequency changed", f"{often.get(other, f'{in_words(Decimal(other))} times')} a {unit}"
    times = often.get(int(number), f"{in_words(number)} times")
    for other_unit in ("hour", *UNITS):
        if other_unit != unit:
            yield "other unit", f"{times} {'an' if other_unit == 'hour' else 'a'} {other_unit}"
    yield "other unit", f"every second {unit}"
    yield "frequency changed", f"every {'three' if number != 3 else 'four'} {unit}s"
    yield "frequency changed", f"every two {unit}s"
    yield "frequency for duration", f"for two {unit}s"
    yield "frequency left out", f"{times} in all"
    yield "frequency changed", f"{5 if number != 5 else 6}x a {unit}"
    yield "frequency left out", f"once in a while, and not by the {unit}"


def _wrong_duration(figure: Fact, value: Value) -> Spellings:
    match = re.search(r"(second|minute|hour|day|week|month|year|decade)", value.fact.value)
    if not match:
        return
    unit = match[1]
    number = figure.value[0] / {"year": 12, "week": 7}.get(unit, 1)  # type: ignore[index, operator]
    for rule, other in _changed(number):
        if other == int(other):
            yield rule, f"{other.normalize():f} {unit}s"
            yield rule, f"{in_words(other)} {unit}s"
    for other_unit in ("minute", "hour", *UNITS, "decade"):
        if other_unit != unit:
            yield "other unit", f"{in_words(number)} {other_unit}s"
    yield "frequency for duration", f"every {in_words(number)} {unit}s"
    yield "number of something else", f"{in_words(number)} euros"
    yield "number of something else", f"{in_words(number)} people"


def _wrong_date(figure: Fact, value: Value) -> Spellings:
    day = figure.value
    if not isinstance(day, Day):
        return
    if day.month:
        yield from _wrong_months(day, day.month)
    if day.year:
        yield from _wrong_years(day, day.year)
    for name in WEEKDAYS if day.shade.capitalize() in WEEKDAYS else ():
        if name != day.shade.capitalize():
            yield "other weekday", name


def _wrong_months(day: Day, number: int) -> Spellings:
    month, year = MONTHS[number - 1], f" {day.year}" if day.year else ""
    shade = f"{day.shade} " if day.shade else ""
    for step in (1, 2, 6, 11):
        yield "other month", f"{shade}{MONTHS[(number - 1 + step) % 12]}{year}"
    for other in ("late", "early", "mid") if shade else ():
        if other != day.shade:
            yield "other part of the month", f"{other} {month}"
    if day.day:
        yield "other day", f"{day.day % 28 + 1} {month}{year}"
        yield "other day", f"{(day.day + 9) % 28 + 1} {month}{year}"


def _wrong_years(day: Day, year: int) -> Spellings:
    month = f"{MONTHS[day.month - 1]} " if day.month else ""
    for other in (year - 1, year + 1, year + 10, year - 100, year + 2):
        yield "other year", f"{month}{other}"
    yield "digits swapped", f"{month}{str(year)[:2]}{str(year)[3]}{str(year)[2]}"
    if not month:
        yield "other unit", f"the {year // 10 * 10 - 10}s"
        yield "number of something else", f"There were {year} users."
        yield "number of something else", f"He paid {year} euros."


_MUTATE = {
    "money": _wrong_money, "count": _wrong_count, "percentage": _wrong_percentage,
    "frequency": _wrong_frequency, "duration": _wrong_duration, "date": _wrong_date,
}  # fmt: skip


_APPROXIMATIONS = {
    "less than": "less than", "fewer than": "less than", "under": "less than", "more than": "more than",
    "over": "more than", "almost": "nearly", "nearly": "nearly",
}  # fmt: skip


def _changed_claims(value: Value, figure: Fact) -> Spellings:
    """The value itself, in words that make another claim of it."""
    spelled = value.fact.value[figure.start : figure.end if figure.kind == "date" else None]
    if value.fact.kind == "date":
        for word in ("before", "after"):
            yield "other relation", f"{word} {spelled}"
    else:
        quoted = {
            one.qualifier for fact in value.facts for one in find_facts(fact.quote) if same(one, figure)
        }
        quoted |= (
            {"less than"} if "nearly" in quoted else set()
        )  # almost 900 million is less than 900 million
        for words, qualifier in _APPROXIMATIONS.items():
            if qualifier not in quoted and (words != "fewer than" or figure.kind == "count"):
                yield "approximated otherwise", f"{words} {spelled}"
        yield "part", f"half of {spelled}"
        yield "part", f"twice {spelled}"
    yield "denied", f"not {spelled}"


def _wrong_names(value: Value, others: list[Value]) -> Spellings:
    name = value.fact.value
    words = name.split()
    if name in TITLES:
        yield "other last name", " ".join([*words[:-1], "Smirnov"])
        yield "other last name", " ".join([*words[:-1], "Dubois"])
        yield "other first name", " ".join(["Ivan", *words[1:]])
        yield "other first name", " ".join(["Louise", *words[1:]])
        yield "part of another name", f"Grigori {words[-1]}"
    yield "letter changed", _misspelled(name)
    yield "part of another name", f"New {name.removeprefix('The ')}"
    yield "part of another name", f"{name} Holdings"
    yield "denied", f"not {name}"


def _misspelled(name: str) -> str:
    last = re.search(r"[aeiou](?=[^aeiou]*$)", name)
    if not last:
        return name[:-1] + ("X" if name[-1] != "X" else "Y")
    return (
        name[: last.start()]
        + {"a": "o", "e": "a", "i": "u", "o": "e", "u": "i"}[last.group()]
        + name[last.end() :]
    )


def _wrong_phrases(value: Value, others: list[Value]) -> Spellings:
    for spelling in value.fact.accepted[:1]:
        yield "denied", f"not {spelling}"
        yield "letter changed", _misspelled(spelling)


def _neighbours(value: Value, others: list[Value]) -> Spellings:
    """Values of the same kind that the same set has for something else."""
    place = others.index(value)
    turned = [*others[place + 1 :], *others[:place]]
    kin = (
        other.fact.value if other.fact.kind != "phrase" else other.fact.accepted[0]
        for other in turned
        if other.fact.kind == value.fact.kind and (value.figure or other.question.id != value.question.id)
    )
    for other in islice((spelling for spelling in kin if not _says(value, spelling)), 3):
        yield "value of something else", other


def _says(value: Value, spelling: str) -> bool:
    """Whether a spelling of another value says this one as well, or may be true beside it."""
    figure = value.figure
    if any(states(accepted, spelling) for fact in value.facts for accepted in fact.accepted):
        return True
    if figure is None:
        return False
    found = [one for one in find_facts(spelling) if one.kind == figure.kind]
    return not found or any(compatible(figure, one) or _apart(figure, one) for one in found)


def _apart(one: Fact, other: Fact) -> bool:
    """Whether two dates have no part in common, as a month and a weekday have not."""
    if not isinstance(one.value, Day) or not isinstance(other.value, Day):
        return False
    parts = ((day.year, day.month, day.shade.capitalize() in WEEKDAYS) for day in (one.value, other.value))
    return not any(all(pair) for pair in zip(*parts, strict=True))
