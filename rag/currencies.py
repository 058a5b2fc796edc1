"""The currencies: which one stands before or after a number, as its ISO 4217 code.

Subunits are units of their own (`cent`, `penny`); a bare dollar is a US dollar, a bare yen sign Japan's.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rag.words import table

_SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₽": "RUB", "₹": "INR", "₩": "KRW", "₺": "TRY"}
_SYMBOLS |= {"₴": "UAH", "₪": "ILS", "₦": "NGN", "₫": "VND", "₱": "PHP", "₿": "BTC"}
_DOLLARS = {
    "us": "USD",
    "u.s.": "USD",
    "a": "AUD",
    "au": "AUD",
    "c": "CAD",
    "ca": "CAD",
    "hk": "HKD",
    "nz": "NZD",
}
_DOLLARS |= {"s": "SGD", "nt": "TWD", "r": "BRL"}
_CODES = (
    "USD EUR GBP JPY CHF RUB RUR INR CNY RMB AED AUD CAD NZD HKD SGD TWD KRW TRY UAH ILS NGN VND PHP BTC ETH "
    "SEK NOK DKK PLN CZK HUF BRL MXN ZAR SAR QAR KZT THB IDR MYR EGP".split()
)
_SAME_CODE = {"RMB": "CNY", "RUR": "RUB"}
_UNIT_WORDS = table(
    """euro:EUR dollar:USD buck:USD pound:GBP quid:GBP yen:JPY franc:CHF ruble:RUB rouble:RUB rupee:INR
    yuan:CNY renminbi:CNY dirham:AED won:KRW lira:TRY hryvnia:UAH shekel:ILS peso:MXN zloty:PLN rand:ZAR
    riyal:SAR bitcoin:BTC cent:cent penny:penny pence:penny krona:SEK krone:NOK real:BRL tenge:KZT"""
)
_NATIONS = {
    ("dollar", "australian"): "AUD", ("dollar", "canadian"): "CAD", ("dollar", "singapore"): "SGD",
    ("dollar", "hong kong"): "HKD", ("dollar", "new zealand"): "NZD", ("pound", "egyptian"): "EGP",
    ("franc", "french"): "FRF", ("peso", "philippine"): "PHP", ("krone", "danish"): "DKK",
}  # fmt: skip
_SYMBOL = "[" + "".join(_SYMBOLS) + "]"
_CODE = "|".join(_CODES)
_BEFORE = re.compile(
    rf"(?:\b(?P<nation>US|U\.S\.|AU?|CA?|HK|NZ|S|NT|R)?(?P<dollar>\$)|(?P<symbol>{_SYMBOL})|\b(?P<code>{_CODE}))"
    r" ?(?P<sign>-)?$"
)
_NATION = (
    r"US|U\.S\.|American|Australian|Canadian|Singapore|Hong Kong|New Zealand|British|Egyptian|French|Swiss|"
    r"Russian|Indian|Chinese|Japanese|Philippine|Danish|Emirati|UAE|Turkish|Mexican|(?:South )?Korean|"
    r"South African|Brazilian"
)
_AFTER = re.compile(
    rf"(?: ?(?P<symbol>{_SYMBOL})(?!\s?\d)|[ -]?(?P<code>(?-i:{_CODE}))\b|[ -](?:(?P<nation>{_NATION})[ -])?"
    r"(?P<unit>euros?|dollars?|bucks?|pounds?|quid|yen|francs?|rou?bles?|rupees?|yuan|renminbi|dirhams?|lira|"
    r"hryvnias?|shekels?|pesos?|zlotys?|riyals?|bitcoins?|cents?|penn(?:y|ies)|pence|kron[ae]r?|tenge"
    r"|(?<=Korean )won|(?<=African )rand|(?<=Brazilian )reals?)"
    r"\b(?: sterling\b)?)",
    re.IGNORECASE,
)


class Currency(NamedTuple):
    """A currency beside a number; `place` is where it begins before it, or ends after it, in characters."""

    code: str
    place: int
    negative: bool = False


def currency_before(text: str, start: int) -> Currency | None:
    """The currency that ends where a number starts, as in `US$5` and `EUR 5`.

    Examples:
        >>> currency_before("a US$5 fee", 5)
        Currency(code='USD', place=2, negative=False)
    """
    begin = max(0, start - 8)
    match = _BEFORE.search(text[begin:start])
    if not match:
        return None
    if match["dollar"]:
        code = _DOLLARS[(match["nation"] or "us").lower()]
    else:
        code = _SYMBOLS[match["symbol"]] if match["symbol"] else match["code"]
    return Currency(_SAME_CODE.get(code, code), begin + match.start(), bool(match["sign"]))


def currency_after(text: str, end: int) -> Currency | None:
    """The currency that begins where a number ends, as in `5 Swiss francs` and `5€`.

    Examples:
        >>> currency_after("5 Swiss francs", 1)
        Currency(code='CHF', place=14, negative=False)
    """
    match = _AFTER.match(text, end)
    if not match:
        return None
    if match["symbol"] or match["code"]:
        code = _SYMBOLS[match["symbol"]] if match["symbol"] else match["code"]
        return Currency(_SAME_CODE.get(code, code), match.end())
    return Currency(
        _named(match["unit"].lower().removesuffix(" sterling"), match["nation"] or ""), match.end()
    )


def _named(unit: str, nation: str) -> str:
    unit = {"pennies": "penny", "kroner": "krone", "kronor": "krona"}.get(unit, unit)
    unit = unit if unit in _UNIT_WORDS else unit.removesuffix("s")
    return _NATIONS.get((unit, nation.lower()), _UNIT_WORDS[unit])
