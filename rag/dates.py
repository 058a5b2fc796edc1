"""Text -> the dates in it: days, months, years, decades, weekdays, clock times, "last month".

A date is what the words say and no more: "late August" has a month and a shade, no year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_FULL = "january february march april may june july august september october november december".split()
_MONTHS = {name: number for number, name in enumerate(_FULL, 1)}
_MONTHS |= {name[:3]: number for name, number in _MONTHS.items()} | {"sept": 9}
_ANY_MONTH = rf"(?:{'|'.join(_FULL)}|sept|jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)\b\.?"
_WHOLE_MONTH = rf"(?:{'|'.join(_FULL)})\b"
_YEAR = r"(?:1\d{3}|20\d{2}|2100)(?![\d\w]|[.,/]\d)"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?\b"
_SHADE = r"(?:(?P<shade>early|mid|late|(?:beginning|start|middle|end)\ of)[- ](?:the\ )?(?:in\ )?)?"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT_WEEKDAY = "Mon|Tues?|Wed|Thu(?:rs?)?|Fri"
_SHORT_WEEKDAYS = rf"(?:{_SHORT_WEEKDAY})\.|(?<=[Oo]n\ )(?:{_SHORT_WEEKDAY}|Sat|Sun)\b\.?"
_SEASONS = "spring|summer|autumn|fall|winter"
_NEAR = rf"(?:last|next|this|previous|following)[- ](?:week|month|year|weekend|decade|century|{_SEASONS})"
_NTHS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first"
)
_CENTURIES = {word: number for number, word in enumerate(_NTHS.split(), 1)}
_ANY_NTH = "|".join(_CENTURIES)
_CLOCK = r"\d{1,2}(?::[0-5]\d(?::[0-5]\d)?)?\ ?(?:[ap]\.m\.|[ap]m\b)|(?:[01]?\d|2[0-3]):[0-5]\d(?![:\d])"
_DATE = re.compile(
    rf"""(?<!\w)(?=[\d'a-z])(?:(?<![/.-])(?P<iso>\d{{4}}-\d{{1,2}}-\d{{1,2}})(?!\d)
    |(?<![\w/.,:-])(?P<month_first>(?:0?[1-9]|1[0-2])/(?:19|20)\d{{2}})(?![\w/]|[.,]\d)
    |(?<![\w/.,:-])(?P<year_first>(?:19|20)\d{{2}}-(?:0[1-9]|1[0-2]))(?![\w/-]|[.,]\d)
    |(?<![\w/.,])(?P<slashed>\d{{1,2}}(?P<mark>[/.])\d{{1,2}}(?P=mark)(?:\d{{4}}|\d{{2}}))(?![\w/]|\.\d)
    |(?<![\w.,:])(?P<day>{_DAY})[ -](?:of\ )?(?P<month>{_ANY_MONTH})(?:,?[ -](?P<year>{_YEAR}))?
    |(?<!\w)(?P<month2>{_ANY_MONTH})\ (?:the\ )?(?P<day2>{_DAY})(?![:.,]\d)(?:,?\ (?P<year2>{_YEAR}))?
    |(?<!\w){_SHADE}(?P<month3>{_ANY_MONTH})(?:,?\ (?:of\ )?|-)(?P<year3>{_YEAR})
    |(?<!\w)(?P<season>{_SEASONS}|Q[1-4])(?:\ of)?\ (?P<season_year>{_YEAR})
    |(?<!\w)(?P<near>{_NEAR}|yesterday|tomorrow)(?!\w)
    |(?<!\w)(?P<weekday>{"|".join(WEEKDAYS)})s?(?!\w)
    |(?<!\w)(?P<weekday2>(?-i:{_SHORT_WEEKDAYS}))
    |(?<![\w$€£¥.,]){_SHADE.replace("shade", "shade4")}(?P<decade>(?:1\d|20)\d0|'\d0)'?s(?!\w)
    |(?<!\w)(?P<century>(?:\d{{1,2}}(?:st|nd|rd|th)|{_ANY_NTH}))[ -]century(?!\w)
    |(?<![\w:.,])(?P<clock>{_CLOCK})
    |(?<!\w){_SHADE.replace("shade", "shade5")}(?P<bare>{_WHOLE_MONTH})
    |(?<![\w$€£¥₽₹/.,#])(?<![^\W\d_]\d-){_SHADE.replace("shade", "shade6")}(?P<lone>{_YEAR}))""",
    re.IGNORECASE | re.VERBOSE,
)
_SHADE_NAMES = {"beginning of": "early", "start of": "early", "middle of": "mid", "end of": "late"}
_DATED = re.compile(
    r"(?:\b(?:in|since|until|till|by|from|to|through|before|after|during|of|around|between|late|early|mid|year|the|"
    r"and|circa|c\.|ca\.|for|as of|than)[ -]+|[(\u2013\u2014/-]\s?|^)$",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"[ -](?:[a-z]+ ){0,1}(?!was\b|is\b|has\b|as\b|this\b|its\b|his\b|does\b|us\b|thus\b)[a-z]+s\b"
)
_MEASURED = re.compile(
    r"\s?(?:%|[€£¥₽₹])|[ -](?:per ?cent|percent|hundred|thousand|million|billion|trillion|euros?|dollars?|"
    r"pounds?|EUR|USD|GBP|people|men|women|children|km|kg|m|years?|days?|hours?)\b"
)


class Day(NamedTuple):
    """What a date says.

    Attributes:
        year: The year, or None.
        month: From 1, or None.
        day: Of the month, from 1, or None.
        shade: What else it says: `early`, `mid`, `late`, a weekday, `1990s`, `century 19`, `17:30`,
            a season, `last month`; else empty.
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    shade: str = ""

    def agrees(self, other: Day) -> bool:
        """Whether both can be the same date: what both say is equal, and shades do not fight."""
        pairs = zip(self[:3], other[:3], strict=True)
        if any(None not in pair and pair[0] != pair[1] for pair in pairs):
            return False
        return _shades_agree(self, other) and _shades_agree(other, self)

    def within(self, other: Day) -> bool:
        """Whether `other` says all that this date says: it is the same or more precise."""
        parts = all(mine is None or mine == theirs for mine, theirs in zip(self[:3], other[:3], strict=True))
        decade = self.year is None and bool(self.shade) and _in_span(self.shade, other.year)
        shade = not self.shade or self.shade == other.shade or decade or _in_part(self.shade, other)
        return parts and shade

    def touches(self, other: Day) -> bool:
        """Whether the two say anything of the same kind, so that they could differ."""
        both = any(None not in pair for pair in zip(self[:3], other[:3], strict=True))
        years = (self.year or _spans_years(self.shade)) and (other.year or _spans_years(other.shade))
        return both or bool(years) or bool(self.shade and other.shade and not self.month and not other.month)


class FoundDate(NamedTuple):
    """A date where it stands; `other` is the other reading of 05/03/2025."""

    start: int
    end: int
    day: Day
    other: Day | None = None


def find_dates(text: str) -> Iterator[FoundDate]:
    """All dates of a straightened text, in order.

    "2025-03" is a month, as in ISO 8601; "2010-12", which could as well be two years, is the first of them.
    A bare number from 1900 to 2100 is a year unless it counts things; from 1000 to 1899 it needs a
    word such as "in" before it. May and March need their capital, and May no name before it.

    Examples:
        >>> [found.day for found in find_dates("until 5 March 2025")]
        [Day(year=2025, month=3, day=5, shade='')]
    """
    for match in _DATE.finditer(text):
        groups = {name: value for name, value in match.groupdict().items() if value is not None}
        if found := _read(text, match, groups):
            yield found


def _read(text: str, match: re.Match[str], groups: dict[str, str]) -> FoundDate | None:
    start, end = match.span()
    shade = _shade(groups)
    if groups.keys() & {"iso", "slashed", "month_first", "year_first"}:
        return _numeric(match, groups)
    if "lone" in groups:
        return FoundDate(start, end, Day(int(groups["lone"]), shade=shade)) if _is_year(text, match) else None
    month = groups.get("month") or groups.get("month2") or groups.get("month3") or groups.get("bare")
    if month:
        if not _is_month(text, match, month, alone="bare" in groups and not shade):
            return None
        number = _MONTHS[month.lower().rstrip(".")]
        year = groups.get("year") or groups.get("year2") or groups.get("year3")
        day = groups.get("day") or groups.get("day2")
        return FoundDate(
            start, end, Day((year and int(year)) or None, number, (day and _ordinal(day)) or None, shade)
        )
    return FoundDate(start, end, _named(groups, shade))


def _named(groups: dict[str, str], shade: str) -> Day:
    if "season" in groups:
        return Day(int(groups["season_year"]), shade=groups["season"].lower().replace("fall", "autumn"))
    if "century" in groups:
        word = groups["century"].lower()
        return Day(shade=f"century {_CENTURIES.get(word) or _ordinal(word)}")
    if "decade" in groups:
        digits = groups["decade"]
        return Day(shade=f"{shade} {'19' + digits[1:] if digits[0] == chr(39) else digits}s".strip())
    if "clock" in groups:
        return Day(shade=_clock(groups["clock"]))
    if "weekday2" in groups:
        short = groups["weekday2"][:3].lower()
        return Day(shade=next(day for day in WEEKDAYS if day.startswith(short)))
    return Day(shade=(groups.get("near") or groups["weekday"]).lower().replace("-", " "))


def _shade(groups: dict[str, str]) -> str:
    words = next((value.lower() for name, value in groups.items() if name.startswith("shade")), "")
    return _SHADE_NAMES.get(words, words)


def _numeric(match: re.Match[str], groups: dict[str, str]) -> FoundDate | None:
    if "month_first" in groups or "year_first" in groups:
        low, high = sorted(map(int, re.split("[-/]", match.group())))
        if "year_first" in groups and low > high % 100:  # "2010-12", which is as well two years
            return FoundDate(match.start(), match.start() + 4, Day(high))
        return FoundDate(*match.span(), Day(high, low))
    first, second, third = map(int, re.split(r"[-/.]", match.group()))
    if "iso" in groups:
        return FoundDate(*match.span(), Day(first, second, third)) if _exists(second, third) else None
    year = third if third > 99 else third + (2000 if third < 70 else 1900)
    readings = [Day(year, m, d) for d, m in ((first, second), (second, first)) if _exists(m, d)]
    if not readings:
        return None
    return FoundDate(
        *match.span(), readings[0], readings[1] if first != second and len(readings) > 1 else None
    )


def _exists(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31


def _ordinal(day: str) -> int:
    return int(re.sub(r"\D", "", day))


def _is_month(text: str, match: re.Match[str], month: str, *, alone: bool) -> bool:
    if month[0].islower() and (
        alone or (month in {"may", "march", "mar"} and not match.group()[-4:].isdigit())
    ):
        return False
    before = text[max(0, match.start() - 30) : match.start()]
    named = re.search(r"([^\W\d_]\w*)[ ]$", before)
    if alone and named and named[1][0].isupper() and not _DATED.search(before):
        return False  # "Theresa May"
    if alone and month.lower() in {"may", "march", "april", "june", "august"}:
        after = text[match.end() : match.end() + 2]
        initial = not before.strip() or before.rstrip()[-1] in '.!?"'
        return not initial and not re.match(r" [A-Z]", after)
    return True


def _is_year(text: str, match: re.Match[str]) -> bool:
    if _MEASURED.match(text, match.end()):
        return False
    before = text[max(0, match.start() - 12) : match.start()]
    if _DATED.search(before):
        return True
    return (int(match["lone"]) >= 1900 and not _COUNTED.match(text, match.end())) or bool(match["shade6"])


def _clock(words: str) -> str:
    hour, minute = (*(int(part) for part in re.findall(r"\d+", words)), 0)[:2]
    letters = words.lower()
    if "p" in letters:
        hour = hour % 12 + 12
    elif "a" in letters:
        hour %= 12
    return f"{hour}:{minute:02}"


def _spans_years(shade: str) -> bool:
    return shade.startswith("century") or shade[-5:-1].isdigit()


def _in_span(shade: str, year: int | None) -> bool:
    if year is None or not _spans_years(shade):
        return False
    if shade.startswith("century"):
        return (year - 1) // 100 + 1 == int(shade.split()[1])
    within = year - int(shade[-5:-1])
    low, high = {"early": (0, 3), "mid": (4, 6), "late": (7, 9)}.get(shade.split()[0], (0, 9))
    return low <= within <= high


def _in_part(shade: str, other: Day) -> bool:
    place = other.day if other.day is not None else other.month if other.month is not None else None
    if shade not in {"early", "mid", "late"} or place is None or other.shade:
        return False
    third = (10, 20) if other.day is not None else (4, 8)
    return {"early": place <= third[0], "mid": third[0] < place <= third[1], "late": place > third[1]}[shade]


def _shades_agree(one: Day, other: Day) -> bool:
    if not one.shade or one.shade == other.shade:
        return True
    if _spans_years(one.shade):
        return _in_span(one.shade, other.year) if other.year else not _spans_years(other.shade)
    if one.shade in {"early", "mid", "late"} and other.day is not None:
        return _in_part(one.shade, other)
    return not other.shade
