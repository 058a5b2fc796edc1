"""Text -> the amounts in it: money, percentages, durations, frequencies and counts.

Each number of `rag.numbers` is read with the words around it, and belongs to one amount only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal, NamedTuple

from rag.currencies import currency_after, currency_before
from rag.numbers import COUNTING, Number, find_numbers
from rag.words import FUNCTION_WORDS, table

AmountKind = Literal["money", "percentage", "count", "frequency", "duration"]

_PERCENT = re.compile(r" ?%|[ -]?(?:per[ -]?cent|pct)\b", re.IGNORECASE)
_POINTS = re.compile(r"[ -](?:percentage[ -]points?|pp)\b", re.IGNORECASE)
_TIME = "second|minute|hour|day|night|week|fortnight|month|quarter|year|decade|century"
_DURATION = re.compile(
    r"[ -]?(?:(?:full|whole|straight|consecutive|more|further|additional|working|long|calendar)[ -])?"
    r"(?P<unit>second|minute|hour|day|night|week|fortnight|month|year|decade|centur(?:y|ie)|sec|min|hr|yr|wk)s?"
    r"\b(?:'(?!\w))?(?P<old>[ -]olds?\b)?(?! hand)",
    re.IGNORECASE,
)
_DAYS = {"second": 86400, "sec": 86400, "minute": 1440, "min": 1440, "hour": 24, "hr": 24}
"""How many of a unit make a day."""
_LONG = {
    "day": (1, "day"), "night": (1, "night"), "week": (7, "day"), "wk": (7, "day"), "fortnight": (14, "day"),
    "month": (1, "month"), "quarter": (3, "month"), "year": (12, "month"), "yr": (12, "month"),
    "decade": (120, "month"), "century": (1200, "month"), "centurie": (1200, "month"),
}  # fmt: skip
_ADVERBS = {
    "hourly": "hour", "daily": "day", "nightly": "night", "weekly": "week", "fortnightly": "fortnight",
    "monthly": "month", "quarterly": "quarter", "yearly": "year", "annually": "year", "annual": "year",
}  # fmt: skip
_FEW = {word: int(number) for word, number in COUNTING.items() if number}
_FEW |= {"other": 2, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_EVER = "|".join(_ADVERBS)
_EACH = (
    rf"(?:(?P<few>\d{{1,3}}|{'|'.join(_FEW)}) )?"
    rf"(?P<unit>{_TIME}|morning|evening|afternoon|weekend|weekday)s?\b"
)
_PER = re.compile(
    rf"(?:[ -]?(?:\b(?:an?|per|every|each|in every|in each)[ -]|/ ?){_EACH}|[ -]?\b(?P<adverb>{_EVER})\b)",
    re.IGNORECASE,
)
_TIMES = re.compile(r"(?:[ -]times?|x|\u00d7)(?!\w)", re.IGNORECASE)
_ONCE = re.compile(r"(?<![\w-])(?:once|twice|thrice)\b", re.IGNORECASE)
_EVERY = re.compile(
    rf"(?<![\w-])(?:(?:every|each|per|once in|once) (?:single )?{_EACH}|(?P<adverb>{_EVER})(?![\w-]))",
    re.IGNORECASE,
)
_TWO_PER = re.compile(
    r"(?<![\w-])(?P<much>bi|semi)-?(?P<adverb>weekly|monthly|annual|annually)\b", re.IGNORECASE
)
_RATE = re.compile(
    rf"(?: [a-z-]+){{0,2}}? (?P<rate>an? (?P<unit>{_TIME})\b)(?! (?:ago|later|before|after|earlier|of)\b)"
)
_A_SPAN = re.compile(
    r"(?<![\w-])(?:for|within|in|after|over|under|about|almost|nearly|than|during) "
    rf"(?P<span>an? (?P<unit>{_TIME})\b)"
    rf"|(?<![\w-])(?P<ago>an? (?P<unit2>{_TIME}) (?:ago|later|earlier)\b)",
    re.IGNORECASE,
)
_SHARE = re.compile(
    r"(?<![\w-])(?:(?P<half>half)(?= of\b| the\b| its\b| their\b)|(?P<top>an?|one|two|three|four|\d)[ -]"
    r"(?P<bottom>third|quarter|fifth|sixth|eighth|tenth)s?(?= of\b| the\b))",
    re.IGNORECASE,
)
_NOT_SHARE = re.compile(r"(?:first|second|latter|other|better|later|and a|former)[ -]$", re.IGNORECASE)
_BOTTOMS = {"third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
_QUALIFYING = {
    "about": "about|around|roughly|approximately|approx.|approx|some|circa|an estimated|~|≈",
    "nearly": "nearly|almost|close to|just under|just below",
    "more than": "more than|over|above|exceeding|upwards of|greater than|just over|>",
    "at least": "at least|a minimum of|no fewer than|no less than",
    "less than": "less than|fewer than|under|below|<",
    "at most": "up to|at most|as many as|as much as|a maximum of|no more than|not more than",
}
_QUALIFIERS = {word: name for name, words in _QUALIFYING.items() for word in words.split("|")}
_BEFORE_COUNTS = FUNCTION_WORDS | _QUALIFIERS.keys()
_LONGEST_FIRST = "|".join(re.escape(word) for word in sorted(_QUALIFIERS, key=len, reverse=True))
_QUALIFIED = re.compile(rf"(?<!\w)(?P<words>{_LONGEST_FIRST}) ?(?:the |a |an )?$", re.IGNORECASE)
_PEOPLE = frozenset("people men women children feet".split())
_NOUN = re.compile(r"(?P<gap>[ -])(?P<word>[^\W\d_]+(?:'(?!s\b)[^\W\d_]+)?)")
_NUMBERS_OF = re.compile(
    r"\b(?:numbers? of (?P<many>[a-z]+s|people|men|women|children)|(?P<one>[a-z]{3,}) numbers)\b"
    r"(?: [a-z]+){0,4}? (?:to|at|of|by|is|was|are|were|reached|hit|topped|passed|exceeded)"
    rf"(?: (?:now|then|already|currently|still|only))?(?: (?:{_LONGEST_FIRST}))?(?: (?:the|a|an))? ?$",
    re.IGNORECASE,
)
_NOT_NOUN = frozenset(
    "is was has does as this its his thus us plus across always perhaps says less towards".split()
)
_MEASURES = table(
    """m:metre meter:metre km:kilometre kilometer:kilometre cm:centimetre centimeter:centimetre mm:millimetre
    kg:kilogram g:gram mg:milligram mi:mile ft:foot feet:foot ml:millilitre l:litre liter:litre c:celsius
    f:fahrenheit lb:pound lbs:pound oz:ounce inches:inch"""
)
_MEASURE = re.compile(
    r"[ -]?°?(?P<unit>km/h|[kKMGT]?[Ww]h?|[kKMGT]i?[Bb]|[kMG]?Hz|[cmk]?m|[km]?g|m?[lL]|[CF]|mi|ft|mph|nm"
    r"|lbs?|oz|mmHg)(?!\w)"
)
_IRREGULAR = {"people": "person", "men": "man", "women": "woman", "children": "child", "inches": "inch"}
_BRITISH = table("offence:offense defence:defense licence:license programme:program cheque:check")
_REMARKS = frozenset(
    """reason way example concern aspect factor side hand day thing point major main key common important
    possible potential such option problem issue area form method approach sort kind type another big
    notable""".split()
)
"""What "one" only introduces."""
_RANGE = re.compile(r" ?(?:[-\u2013\u2014]|to|or|and) ?", re.IGNORECASE)
_AGED = re.compile(r"(?:\b(?:aged|age of|age)|[A-Z]\w*,) $")


class Amount(NamedTuple):
    """An amount where it stands.

    Attributes:
        start: Where it begins, in characters.
        end: Where it ends, exclusive.
        kind: What it is.
        number: Its number: of units, of percent, of times in one unit of time.
        unit: A currency code, a unit of time, or what is counted in the singular; empty where none is named.
        qualifier: `about`, `nearly`, `more than`, `at least`, `less than`, `at most`, `vague`, or empty.
        other: The other reading of the number, or None.
    """

    start: int
    end: int
    kind: AmountKind
    number: Decimal
    unit: str = ""
    qualifier: str = ""
    other: Decimal | None = None


def find_amounts(text: str) -> Iterator[Amount]:
    """All amounts of a straightened text; those found first win where two overlap.

    Examples:
        >>> [(a.kind, str(a.number), a.unit) for a in find_amounts("5 million euros, twice a week")]
        [('frequency', '2', 'week'), ('money', '5000000', 'EUR')]
    """
    numbers = find_numbers(text)
    yield from _frequencies(text, numbers)
    yield from _shares(text)
    amounts = [_amount(text, number) for number in numbers]
    for index in range(len(numbers) - 2, -1, -1):
        low, high = amounts[index : index + 2]
        if low and high:
            amounts[index : index + 2] = _join(text, numbers[index : index + 2], low, high)
    for amount in amounts:
        if amount:
            yield amount
            yield from _rates(text, amount)
    yield from _spans(text)


def _frequencies(text: str, numbers: list[Number]) -> Iterator[Amount]:
    for match in _ONCE.finditer(text):
        times = Decimal(1 + ("once", "twice", "thrice").index(match.group().lower()))
        if per := _PER.match(text, match.end()):
            yield _frequency(text, match.start(), times, per)
        elif times > 1:
            yield Amount(*match.span(), "count", times, "time")
    for number in numbers:
        mark = _TIMES.match(text, number.end)
        if mark and (per := _PER.match(text, mark.end())):
            yield _frequency(text, number.start, number.value, per)
    for match in _TWO_PER.finditer(text):
        unit = _ADVERBS[match["adverb"].lower()]
        halves = match["much"].lower() == "bi"
        other = Decimal("0.5") if halves else None
        yield Amount(*match.span(), "frequency", Decimal(2), unit, _qualifier(text, match.start()), other)
    for match in _EVERY.finditer(text):
        titled = (
            match["adverb"]
            and match["adverb"][0].isupper()
            and text[match.end() + 1 : match.end() + 2].isupper()
        )
        if not titled:  # "The Daily Mail"
            yield _frequency(text, match.start(), Decimal(1), match)


def _frequency(text: str, start: int, times: Decimal, per: re.Match[str]) -> Amount:
    qualifier = _qualifier(text, start)
    if per["adverb"]:
        return Amount(start, per.end(), "frequency", times, _ADVERBS[per["adverb"].lower()], qualifier)
    few = (per["few"] or "1").lower()
    number = Decimal(_FEW.get(few) or max(int(few) if few.isdigit() else 1, 1))
    unit = per["unit"].lower()
    if unit == "fortnight":
        number, unit = number * 2, "week"
    return Amount(start, per.end(), "frequency", times / number, unit, qualifier)


def _shares(text: str) -> Iterator[Amount]:
    for match in _SHARE.finditer(text):
        if _NOT_SHARE.search(text[max(0, match.start() - 10) : match.start()]):
            continue
        top = (match["top"] or "a").lower()
        parts = int(top) if top.isdigit() else _FEW.get(top, 1)
        share = Decimal(100 * parts) / (2 if match["half"] else _BOTTOMS[match["bottom"].lower()])
        yield Amount(*match.span(), "percentage", share, qualifier=_qualifier(text, match.start()))


def _amount(text: str, number: Number) -> Amount | None:
    number = _short_million(text, number)
    if currency := currency_before(text, number.start):
        value = -number.value if currency.negative else number.value
        number = _signed(text, number._replace(start=currency.place, value=value))
        return _make(text, number, number.end, "money", currency.code)
    number = _signed(text, number)
    if number.form == "vague" and text[number.end : number.end + 4] == " of ":
        number = number._replace(end=number.end + 3)
    return _measured(text, number) or _counted(text, number)


def _short_million(text: str, number: Number) -> Number:
    """The number of "US$ 5.6 m" and "5.6 m euros", where a spaced `m` beside a currency is a million."""
    short = text[number.end : number.end + 2] == " m" and not text[number.end + 2 : number.end + 3].isalnum()
    if not short or number.great or number.form != "digits":
        return number
    if not currency_before(text, number.start) and not currency_after(text, number.end + 2):
        return number
    other = None if number.other is None else number.other * 10**6
    return number._replace(value=number.value * 10**6, end=number.end + 2, great=True, other=other)


def _measured(text: str, number: Number) -> Amount | None:
    if currency := currency_after(text, number.end):
        return _make(text, number, currency.place, "money", currency.code)
    if match := _PERCENT.match(text, number.end):
        return _make(text, number, match.end(), "percentage")
    if match := _POINTS.match(text, number.end):
        return _make(text, number, match.end(), "count", "percentage point")
    if match := _TIMES.match(text, number.end):
        return _make(text, number, match.end(), "count", "time")
    if match := _DURATION.match(text, number.end):
        return _lasting(text, number, match)
    return _aged(text, number)


def _lasting(text: str, number: Number, match: re.Match[str]) -> Amount:
    value, unit = length(number.value, match["unit"].lower().removesuffix("s"))
    return _make(text, number._replace(value=value, other=None), match.end(), "duration", unit)


def is_time(noun: str) -> bool:
    """Whether a noun in the singular is a unit of time."""
    return noun in _DAYS or noun in _LONG


def length(number: Decimal, unit: str) -> tuple[Decimal, str]:
    """A span of time in days, nights or months, which do not convert into each other.

    Examples:
        >>> length(Decimal(2), "year")
        (Decimal('24'), 'month')
    """
    if unit in _DAYS:
        return number / _DAYS[unit], "day"
    factor, base = _LONG[unit]
    return number * factor, base


def _aged(text: str, number: Number) -> Amount | None:
    """The age in "Durov, 39, was accused" and "aged 39", as years."""
    before = _AGED.search(text[max(0, number.start - 24) : number.start])
    if not before or not 0 < number.value < 125 or number.great:
        return None
    if before.group().endswith(", ") and text[number.end : number.end + 1] not in {",", "."}:
        return None
    return _make(text, number._replace(value=number.value * 12, other=None), number.end, "duration", "month")


def _counted(text: str, number: Number) -> Amount | None:
    if (number.form == "digits" and text[number.end : number.end + 1].isalpha()) or number.metres:
        return _short_unit(text, number)
    unit = "" if _identifies(text, number) else _unit(text, number) or _unit_before(text, number)
    if (
        number.form == "words"
        and number.value == 1
        and not number.great
        and not _is_count_of_one(text, number, unit)
    ):
        return None
    if not unit and (match := _MEASURE.match(text, number.end)):
        return _make(text, number, match.end(), "count", _measure(match["unit"]))
    return _make(text, number, number.end, "count", unit)


def _short_unit(text: str, number: Number) -> Amount | None:
    if number.metres and not (unit := _unit(text, number)):
        metres = number._replace(value=number.value / 10**6)
        return _make(text, metres, number.end, "count", "metre")
    if number.metres:
        return _make(text, number, number.end, "count", unit)
    match = _MEASURE.match(text, number.end)
    return _make(text, number, match.end(), "count", _measure(match["unit"])) if match else None


def _measure(unit: str) -> str:
    lower = unit.lower().lstrip("°")
    return _MEASURES.get(lower, lower)


def _make(text: str, number: Number, end: int, kind: AmountKind, unit: str = "") -> Amount:
    qualifier = "vague" if number.form == "vague" else _qualifier(text, number.start)
    if kind == "count" and text[end : end + 1] == "+":
        qualifier = "at least"
    return Amount(number.start, end, kind, number.value, unit, qualifier, number.other)


def _qualifier(text: str, start: int) -> str:
    match = _QUALIFIED.search(text[max(0, start - 20) : start])
    return _QUALIFIERS[match["words"].lower()] if match else ""


def _signed(text: str, number: Number) -> Number:
    before = text[max(0, number.start - 6) : number.start]
    if re.search(r"(?:^|[\s(])-$", before):
        return number._replace(value=-number.value, start=number.start - 1)
    if re.search(r"\bminus $", before, re.IGNORECASE):
        return number._replace(value=-number.value, start=number.start - 6)
    return number


def _unit(text: str, number: Number) -> str:
    """What is counted: after one the next word, else by `noun_after`."""
    one = number.value == 1 and not number.great
    match = _NOUN.match(text, number.end) if one else None
    if match and match["word"].lower() not in FUNCTION_WORDS:
        return singular(match["word"].lower())
    return "" if one else noun_after(text, number.end)


def noun_after(text: str, place: int) -> str:
    """What is counted by what ends at a place: the first plural among the next four words, in the singular.

    Without a tagger, a plural is a word in s (or people, men, women, children, feet) before any
    function word; after a hyphen it is the next word. Empty where there is none.

    Examples:
        >>> noun_after("How many active users has it?", 8)
        'user'
    """
    for _ in range(4):
        match = _NOUN.match(text, place)
        if not match or match["word"].lower() in FUNCTION_WORDS:
            return ""
        word, place = match["word"].lower(), match.end()
        if match["gap"] == "-":
            return singular(word)
        if word in _PEOPLE or (word[-1] == "s" and word[-2:] != "ss" and word not in _NOT_NOUN):
            return singular(word)
    return ""


def _unit_before(text: str, number: Number) -> str:
    """What is counted, where it stands before: "user numbers rose to 5", "the number of users is 5"."""
    match = _NUMBERS_OF.search(text[max(0, number.start - 80) : number.start])
    return singular((match["many"] or f"{match['one']}s").lower()) if match else ""


def singular(noun: str) -> str:
    """A plural noun in the singular, well enough that both sides of a comparison agree.

    Examples:
        >>> singular("users"), singular("people"), singular("countries"), singular("boxes")
        ('user', 'person', 'country', 'box')
    """
    if noun in _IRREGULAR or noun in _MEASURES:
        return _IRREGULAR.get(noun) or _MEASURES[noun]
    if noun.endswith("ies") and len(noun) > 4:
        noun = noun[:-3] + "y"
    elif noun.endswith(("xes", "ches", "shes", "sses")):
        noun = noun[:-2]
    elif noun.endswith("s") and not noun.endswith("ss"):
        noun = noun[:-1]
    return _MEASURES.get(noun) or _BRITISH.get(noun, noun)


def _identifies(text: str, number: Number) -> bool:
    """Whether the number is part of a name, as in "Boeing 737": a capitalised word stands before it."""
    if number.great or number.form != "digits":
        return False
    match = re.search(r"([^\W\d_]\w*)[ -]$", text[max(0, number.start - 24) : number.start])
    return bool(match and match[1][0].isupper() and match[1].lower() not in _BEFORE_COUNTS)


def _is_count_of_one(text: str, number: Number, unit: str) -> bool:
    """Whether "one" counts ("one person") and does not stand for somebody or open a remark ("one reason")."""
    if unit in _REMARKS:
        return False
    before = re.search(r"(\w+)[ -]$", text[max(0, number.start - 12) : number.start])
    return bool(unit) and not (
        before and before[1].lower() in FUNCTION_WORDS - {"of", "in", "with", "for", "from"}
    )


def _join(text: str, numbers: list[Number], low: Amount, high: Amount) -> tuple[Amount, Amount]:
    """Both ends of a range, each with what the other says for it.

    "10 to 15 million euros" names magnitude and currency at its upper end, "€5-6 million" the
    currency at its lower end.
    """
    first, second = numbers
    gap = text[low.end : high.start]
    if not _RANGE.fullmatch(gap) or (low.kind != "count" and high.kind != "count"):
        return low, high
    if gap.strip().lower() == "and" and not re.search(
        r"\bbetween $", text[max(0, low.start - 8) : low.start]
    ):
        return low, high
    if low.kind == "count" and not low.unit:
        factor = high.number / second.value if second.value else Decimal(1)
        low = low._replace(kind=high.kind, unit=high.unit, number=low.number * factor)
    elif high.kind == "count" and not high.unit and low.kind == "money":
        high = high._replace(kind=low.kind, unit=low.unit)
    else:
        return low, high
    great = _greatness(second) if not first.great and first.value <= second.value else Decimal(1)
    return low._replace(number=low.number * great), high


def _greatness(number: Number) -> Decimal:
    if not number.great:
        return Decimal(1)
    power = max(number.value.adjusted() // 3 * 3, 0)
    return Decimal(10) ** power


def _rates(text: str, amount: Amount) -> Iterator[Amount]:
    if amount.kind in {"count", "money", "duration"} and (match := _RATE.match(text, amount.end)):
        yield Amount(match.start("rate"), match.end("rate"), "frequency", Decimal(1), match["unit"].lower())


def _spans(text: str) -> Iterator[Amount]:
    for match in _A_SPAN.finditer(text):
        number, unit = length(Decimal(1), (match["unit"] or match["unit2"]).lower())
        start, end = match.span("span") if match["span"] else match.span("ago")
        yield Amount(start, end, "duration", number, unit, _qualifier(text, start))
