"""text -> terms, as the lexical search and the comparison of sentences count them."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

_CJK = "぀-ヿ㐀-鿿가-힯豈-﫿"
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+")
_UNPARTED = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"})
"""Letters that Unicode does not part into one without and an accent."""
STOP_WORDS = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there "
    "these they this to was will with".split()
)
"""Lucene's English stop words, as bm25s has them."""
FUNCTION_WORDS = STOP_WORDS | frozenset(
    "about after again all also am any because been before being between both can could did do does doing "
    "done during each ever few from further get give given had has have having he her here him his how i its "
    "just let many may me might more most much must my name now often one only other our out over own per "
    "please same say says said shall she should since so some tell than them through too under until up upon "
    "us very want we were what when where whether which while who whom whose why would you your s t".split()
)
"""Words that say little about what a sentence is about: stop words, auxiliaries, question words."""


def terms(text: str) -> list[str]:
    """Words in order: lower case, without stop words, stemmed; a CJK character is a word of its own.

    Examples:
        >>> terms("Reporting to the police, 2 times")
        ['report', 'polic', '2', 'time']
    """
    return _stem(word for word in _WORD.findall(text.lower()) if word not in STOP_WORDS)


def plain(word: str) -> str:
    """A word in small letters without accents.

    Examples:
        >>> plain("Schrödinger")
        'schrodinger'
    """
    parted = unicodedata.normalize("NFKD", word.lower()).translate(_UNPARTED)
    return "".join(character for character in parted if not unicodedata.combining(character))


def words_of(stem: str, text: str) -> list[str]:
    """The words of a text that have a stem, as they are spelt.

    Examples:
        >>> words_of("report", "Reporting is a duty. He reports to her.")
        ['Reporting', 'reports']
    """
    words = [word for word in _WORD.findall(text) if word.lower() not in STOP_WORDS]
    return [word for word, own in zip(words, _stem(map(str.lower, words)), strict=True) if own == stem]


def topic(text: str) -> list[str]:
    """What a question or sentence is about: its terms without function words, each once, in order.

    Examples:
        >>> topic("How often must he report to the police?")
        ['report', 'polic']
    """
    words = (word for word in _WORD.findall(text.lower()) if word not in FUNCTION_WORDS)
    return list(dict.fromkeys(_stem(words)))


def _stem(words: Iterable[str]) -> list[str]:
    stemmed: list[str] = _stemmer(threading.get_ident()).stemWords(list(words))
    return stemmed


@lru_cache(maxsize=256)
def _stemmer(_thread: int) -> Any:
    import Stemmer

    # a stemmer must not be shared between threads
    return Stemmer.Stemmer("english")
