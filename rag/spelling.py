"""question -> the question with its slips of the hand mended, by the words of the documents.

A word that no document has, and that is one slip from one that documents have, was most likely meant as that
one: "Krakow" finds "Kraków", and "goverment" "government". Words of their own are left alone, as far as they
are known. Since many are not, a letter in another's place, which makes nitrate of nitrite, is mended only
where the documents are about the word; and whoever ends otherwise is another: Petrova, the payee.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

from rag.reader import is_word
from rag.terms import FUNCTION_WORDS, plain, terms

MOST = 8
"""How many unknown words of a question are looked at."""
FREQUENT, FEWEST_CHUNKS = 0.05, 3
"""The share of the chunks, and their number, from which the documents are about a word."""
SHORT = 5
"""Letters of a word that is mended for a frequent one; a shorter one has only its accents mended."""
LONG = 6
"""Letters of a word that is mended for one that is not frequent."""
LONGER = 7
"""The same where a word in small letters would become a name."""
_OTHERS = ({"ee", "er"}, {"ee", "or"})
"""Ends by which two words name two parties: payee and payer."""
_WORD = re.compile(r"(?<![\w.@/])[^\W\d_]{3,}(?![\w@/])")


class Lexicon(Protocol):
    """The words of what is indexed."""

    def has(self, stem: str) -> bool:
        """Whether a word of this stem stands in the documents."""

    def stems(self, letter: str) -> Sequence[tuple[str, str]]:
        """The stems that begin with a letter, each after itself without accents."""

    def chunks_with(self, stem: str) -> tuple[int, float]:
        """In how many chunks a word of this stem stands, and in which share of them, in [0, 1]."""

    def spelled(self, stem: str) -> Counter[str]:
        """The words of this stem as documents spell them, with how often (in some chunks, not in all)."""


def mended(question: str, lexicon: Lexicon) -> str:
    """The question with each word that is one slip from a word of the documents as that word."""
    question = unicodedata.normalize("NFC", question)
    unknown = (word for word in _WORD.finditer(question) if _is_unknown(word[0], lexicon))
    for word in reversed(list(islice(unknown, MOST))):
        is_first = not question[: word.start()].strip(" \"'“‘«(¿¡")
        if meant := _meant(word[0], is_first, lexicon):
            question = f"{question[: word.start()]}{meant}{question[word.end() :]}"
    return question


def _is_unknown(word: str, lexicon: Lexicon) -> bool:
    small = word.lower()
    return not (word.isupper() or small in FUNCTION_WORDS or any(map(lexicon.has, terms(small))))


def _meant(word: str, is_first: bool, lexicon: Lexicon) -> str | None:
    """The word of the documents that an unknown word is a slip of; None where it is none."""
    found = Counter[str]()
    for one, count, frequent in _near(word, lexicon):
        if plain(one) == plain(word) or _is_slip(one, word, is_first, frequent):
            found[one] += count
    by_word = Counter[str]()
    for one, count in found.items():
        by_word[one.lower()] += count
    best = min(by_word, key=lambda one: (-by_word[one], one), default=None)
    return best and _as_written(best, word, found)


def _near(word: str, lexicon: Lexicon) -> Iterator[tuple[str, int, bool]]:
    """The words that begin alike, with how often they stand and whether they are frequent."""
    asked, small = plain(word), word.lower()
    stem, only_accents = plain((terms(small) or [small])[0]), len(word) < SHORT or is_word(small)
    for bare, other in lexicon.stems(asked[:1]):
        if bare == other and only_accents:
            continue
        if (
            one_slip(bare, stem)
            or _begins(bare, asked)
            or (bare[-1:] == "i" and _begins(f"{bare[:-1]}y", asked))
        ):
            chunks, share = lexicon.chunks_with(other)
            frequent = chunks >= FEWEST_CHUNKS and share >= FREQUENT
            yield from ((one, count, frequent) for one, count in lexicon.spelled(other).items())


def _begins(stem: str, word: str) -> bool:
    """Whether a stem is a slip away from how a word begins, or less."""
    near = range(len(stem) - 1, len(stem) + 2)
    return 2 * len(stem) >= len(word) and any(one_slip(stem, word[:length]) for length in near)


def _is_slip(one: str, word: str, is_first: bool, frequent: bool) -> bool:
    """Whether a word of a question is a slip of one of the documents; a name only of a name.

    Args:
        one: The word of the documents.
        word: That of the question.
        is_first: Whether the question begins with it, so that its capital does not make it a name.
        frequent: Whether the documents are about theirs.
    """
    from_name, to_name = word[0].isupper(), one[0].isupper()
    if is_word(word.lower()) or (from_name and not to_name and not is_first):
        return False
    meant, asked = plain(one), plain(word)
    if {meant[-2:], asked[-2:]} in _OTHERS or (from_name and to_name and _is_longer_by_a_vowel(meant, asked)):
        return False
    least = SHORT if frequent else LONGER if to_name and not from_name else LONG
    return len(word) >= least and one_slip(meant, asked, another=frequent)


def _is_longer_by_a_vowel(one: str, other: str) -> bool:
    """Whether one of two names is the other and a vowel at its end, as Petrova is and Petrov."""
    short, long = sorted((one, other), key=len)
    return long[:-1] == short and long[-1] in "aeio"


def _as_written(meant: str, word: str, found: Counter[str]) -> str:
    """A word in the letters of the question where these are small or a name's, else in the documents'."""
    forms = {one: count for one, count in found.items() if one.lower() == meant}
    capital = [one[0].isupper() for one in forms if not one.isupper()]
    if word[0].islower() and not (capital and all(capital)):
        return meant
    best = min(forms, key=lambda one: (one.isupper(), -forms[one], one))
    return f"{best[0].upper()}{best[1:] if not best.isupper() else meant[1:]}"


def one_slip(one: str, other: str, *, another: bool = True) -> bool:
    """Whether words are the same but for one letter too many or too few, two changed about, or `another` one.

    The optimal string alignment distance is at most 1 (Damerau 1964 found four of five misspellings there).

    Examples:
        >>> [one_slip("police", other) for other in ("polcie", "polic", "pollice", "polize", "plicy")]
        [True, True, True, True, False]
        >>> one_slip("nitrate", "nitrite", another=False)
        False
    """
    long, short = (one, other) if len(one) >= len(other) else (other, one)
    same = next((at for at in range(len(short)) if long[at] != short[at]), len(short))
    rest, tail = long[same:], short[same:]
    if len(long) > len(short):
        return rest[1:] == tail
    return (another and rest[1:] == tail[1:]) or (rest[1::-1] == tail[:2] and rest[2:] == tail[2:])
