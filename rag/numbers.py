"""Text -> the numbers in it: digits with their separators, number words, magnitudes.

What a number counts (euros, days, users) is read by `rag.amounts`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal, NamedTuple

LONGEST = 40
"""Digits beyond which a run of digits is a key or a hash, not a number (characters)."""

_SMALL = {
    word: Decimal(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: Decimal(10 * number)
    for number, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
COUNTING = (
    _SMALL | _TENS | {f"{ten}-{one}": _TENS[ten] + _SMALL[one] for ten in _TENS for one in list(_SMALL)[1:10]}
)
"""The numbers under a hundred, by their words."""
MAGNITUDES = {
    "dozen": Decimal(12),
    "hundred": Decimal(100),
    "thousand": Decimal(10**3),
    "lakh": Decimal(10**5),
    "million": Decimal(10**6),
    "crore": Decimal(10**7),
    "billion": Decimal(10**9),
    "trillion": Decimal(10**12),
}
_SUFFIXES = {
    "k": MAGNITUDES["thousand"],
    "m": MAGNITUDES["million"],
    "mn": MAGNITUDES["million"],
    "mln": MAGNITUDES["million"],
    "b": MAGNITUDES["billion"],
    "bn": MAGNITUDES["billion"],
    "bln": MAGNITUDES["billion"],
    "t": MAGNITUDES["trillion"],
    "tn": MAGNITUDES["trillion"],
    "trn": MAGNITUDES["trillion"],
}
_FRACTIONS = {"½": Decimal("0.5"), "¼": Decimal("0.25"), "¾": Decimal("0.75")}

_GREAT = "hundred|thousand|lakh|million|crore|billion|trillion"
_LOW = "|".join([*_SMALL][::-1])
_DECADE = "|".join(_TENS)
_DIGIT = "one|two|three|four|five|six|seven|eight|nine"
_UNDER_100 = rf"(?:(?:{_DECADE})(?:-(?:{_DIGIT})\b| (?:{_DIGIT})\b(?!-))?|(?:{_LOW}))\b"
_UNDER_1000 = rf"(?:(?:(?:{_DIGIT}|an?)[- ]hundred\b(?:(?: and)? {_UNDER_100})?)|{_UNDER_100})"
_POINT = rf" point(?: (?:zero|{_DIGIT})\b)+"
_NTH = r"(?![-\s]?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)\b(?! of))"
_SPELLED = (
    rf"(?:(?:(?<=almost )|(?<=nearly )|(?<=about )|(?<=over )|(?<=than ))(?:million|billion|trillion)\b"
    rf"|half[- ](?:an? )?(?:{_GREAT}|dozen)|quarter of an? (?:{_GREAT})"
    rf"|(?:{_UNDER_1000}|an?|several|a few)(?: and a half)?"
    rf"[- ](?:{_GREAT}|dozen)\b(?:[- ](?:thousand|million|billion|trillion)\b)?"
    rf"(?:,? (?:and )?{_UNDER_1000}(?: (?:{_GREAT})\b)*){{0,6}}"
    rf"|(?!(?<=at )one )(?:{_UNDER_1000}){_POINT}(?:[- ](?:{_GREAT})\b)?"  # "at one point two men left"
    rf"|{_UNDER_1000}(?: and a half)?)(?!\w){_NTH}"
)
_VAGUE = (
    r"(?:(?:tens|dozens|hundreds|thousands) of )?(?:dozens|hundreds|thousands|millions|billions|trillions)\b"
)
_DIGITS = r"\d{1,3}(?:[ ']\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)*[½¼¾]?|(?<![\w.])\.\d+|[½¼¾]"
_CODED = "EUR|USD|GBP|JPY|CHF|RUB|INR|CNY|AED"
_NUMBER = re.compile(
    rf"(?:(?<!\w)|(?<={_CODED}))(?<!\d[.,])(?<![^\W\d_]-)(?P<digits>{_DIGITS})"
    rf"(?P<great>(?:[- ](?:{_GREAT}|dozen)\b)+|(?P<suffix>(?-i:[kKmMBT]|[mb]l?n|[MB]L?N|Bn|Mn|tr?n))(?!\w)"
    r"|(?P<spaced> (?-i:mln|mn|bln|bn|trn|tn|M)(?!\w)))?"
    rf"|(?<![\w-])(?:(?P<vague>{_VAGUE})|(?P<spelled>{_SPELLED}))",
    re.IGNORECASE,
)
_LISTED = re.compile(r"(?m)^[ ]*\(?\d{1,3}[.)](?=\s|$)|\[\d{1,3}(?:,\s?\d{1,3})*\]")
_PIECE = re.compile(r"[a-z]+")


class Number(NamedTuple):
    """A number where it stands.

    Attributes:
        value: What it says.
        start: Where it begins, in characters.
        end: Where it ends, exclusive, magnitude included.
        form: `digits`, `words`, or `vague` for "millions" and "several hundred" (the value is the least).
        great: Whether a magnitude (million, k, bn) is part of it.
        metres: Whether its magnitude is a bare `m`, which may mean metres.
        other: The other value that the digits can be read as ("1.500"), if there is one.
    """

    value: Decimal
    start: int
    end: int
    form: Literal["digits", "words", "vague"]
    great: bool = False
    metres: bool = False
    other: Decimal | None = None


def find_numbers(text: str) -> list[Number]:
    """All numbers of a straightened text, in order; numbering of lists and [1] marks are none.

    Examples:
        >>> [str(number.value) for number in find_numbers("5,000 of two million")]
        ['5000', '2000000']
    """
    listed = {place for match in _LISTED.finditer(text) for place in range(*match.span())}
    numbers: list[Number] = []
    for match in _NUMBER.finditer(text):
        if match.start() not in listed and (number := _read(match)):
            numbers.append(number)
    return numbers


def _read(match: re.Match[str]) -> Number | None:
    start, end = match.span()
    if match["vague"]:
        return Number(_vague(match["vague"]), start, end, "vague", great=True)
    if match["spelled"]:
        return _from_words(match["spelled"].lower(), start, end)
    value, other = read_digits(match["digits"])
    if value is None or len(match["digits"]) > LONGEST:
        return None
    factor = _magnitude(match["great"] or "")
    metres = match["suffix"] == "m"
    return Number(
        value * factor, start, end, "digits", factor > 1, metres, None if other is None else other * factor
    )


def read_digits(digits: str) -> tuple[Decimal | None, Decimal | None]:
    """The value of digits with separators, and the other reading where they have two.

    Groups of three after commas, dots, spaces or apostrophes are thousands; a single dot is a
    decimal point first, a single comma only where no group of three follows.

    Returns:
        The value, or None where the digits are no number ("1.2.3"); the other reading or None.

    Examples:
        >>> read_digits("5.000.000"), read_digits("1,5"), read_digits("1.500")
        ((Decimal('5000000'), None), (Decimal('1.5'), None), (Decimal('1.500'), Decimal('1500')))
    """
    if digits[-1] in _FRACTIONS:
        whole = read_digits(digits[:-1])[0] if digits[:-1] else Decimal(0)
        return (None if whole is None else whole + _FRACTIONS[digits[-1]]), None
    plain = digits.replace(" ", "").replace("'", "")
    marks = [mark for mark in plain if mark in ".,"]
    if not marks:
        return Decimal(plain), None
    if len(set(marks)) == 2:
        return _mixed(plain), None
    groups = plain.split(marks[0])
    grouped = 0 < len(groups[0]) <= 3 and groups[0] != "0" and all(len(group) == 3 for group in groups[1:])
    thousands = Decimal("".join(groups)) if grouped else None
    if len(marks) > 1:
        return thousands, None
    decimal = Decimal(f"{groups[0] or 0}.{groups[1]}")
    return (thousands, None) if marks[0] == "," and grouped else (decimal, thousands)


def _mixed(digits: str) -> Decimal | None:
    point = max(digits.rfind("."), digits.rfind(","))
    whole, mark = digits[:point], digits[point]
    groups = re.split(r"[.,]", whole)
    if mark in whole or any(len(group) != 3 for group in groups[1:]):
        return None
    return Decimal(f"{''.join(groups)}.{digits[point + 1 :]}")


def _magnitude(words: str) -> Decimal:
    factor = Decimal(1)
    for word in _PIECE.findall(words.lower()):
        factor *= MAGNITUDES.get(word) or _SUFFIXES[word]
    return factor


def _vague(words: str) -> Decimal:
    value = Decimal(1)
    for word in _PIECE.findall(words.lower()):
        if word != "of":
            value *= Decimal(10) if word == "tens" else MAGNITUDES[word.removesuffix("s")]
    return value


def _from_words(words: str, start: int, end: int) -> Number:
    pieces = _PIECE.findall(words)
    great = any(piece in MAGNITUDES for piece in pieces)
    if pieces[0] == "several" or pieces[:2] == ["a", "few"]:
        return Number(_vague(" ".join(p for p in pieces if p in MAGNITUDES)), start, end, "vague", True)
    return Number(_count(pieces), start, end, "words", great)


def _count(pieces: list[str]) -> Decimal:
    if "point" in pieces:
        return _decimal(pieces)
    if pieces[0] in {"half", "quarter"}:
        share = Decimal("0.5") if pieces[0] == "half" else Decimal("0.25")
        return share * MAGNITUDES[pieces[-1]]
    total, part = Decimal(0), Decimal(0)
    for piece in pieces:
        if piece == "half":
            part += Decimal("0.5")
        elif piece in {"hundred", "dozen"}:
            part = (part or 1) * MAGNITUDES[piece]
        elif piece in MAGNITUDES:
            total, part = _scale(total, part, MAGNITUDES[piece])
        elif piece not in {"a", "an", "and"}:
            part += _SMALL.get(piece) or _TENS.get(piece) or 0
    return total + part


def _decimal(pieces: list[str]) -> Decimal:
    """The number of "five point six million": digit by digit after the point."""
    point = pieces.index("point")
    digits = "".join(str(_SMALL[piece]) for piece in pieces[point + 1 :] if piece in _SMALL)
    factor = MAGNITUDES.get(pieces[-1], Decimal(1))
    return Decimal(f"{_count(pieces[:point])}.{digits}") * factor


def _scale(total: Decimal, part: Decimal, factor: Decimal) -> tuple[Decimal, Decimal]:
    if not part and total:  # "one thousand million"
        return total * factor, part
    return total + (part or 1) * factor, Decimal(0)
