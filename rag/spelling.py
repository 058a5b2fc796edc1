"""question -> the question with its slips of the hand mended, by the words of the documents.

A word that no document has, and that is one slip from one that documents have, was most likely meant as that
one: "Schrodinger" finds "Schrödinger", and "goverment" "government". Words that are words of their own are
left alone, but for accents, and so are short ones, which have many neighbours, unless the documents are about
the neighbour.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from rag.reader import is_word
from rag.terms import FUNCTION_WORDS, plain, terms

SHORTEST = 5
"""Letters of a word that may be mended, where the word meant stands in"""
OFTEN = 0.05
"""this share of the chunks."""
LONG, LONGER = 6, 7
"""Letters of one that may be mended for any word of the documents, and, where it has a small first letter and
the word meant is a name, for that."""
_WORD = re.compile(rf"[^\W\d_]{{{SHORTEST},}}")


class Lexicon(Protocol):
    """The words of what is indexed."""

    def has(self, stem: str) -> bool:
        """Whether a word of this stem stands in the documents."""

    def stems(self, letter: str) -> Sequence[tuple[str, str]]:
        """The stems that begin with a letter, each after itself without accents."""

    def share(self, stem: str) -> float:
        """The share of the chunks in which it stands, in [0, 1]."""

    def spelled(self, stem: str) -> Counter[str]:
        """The words of this stem as documents spell them, with how often (in some chunks, not in all)."""


def mended(question: str, lexicon: Lexicon) -> str:
    """The question with each word that is one slip from a word of the documents as that word."""
    return _WORD.sub(lambda word: _meant(word[0], word.start() == 0, lexicon) or word[0], question)


def _meant(word: str, is_first: bool, lexicon: Lexicon) -> str | None:
    """The word of the documents that a word is a slip of; None where it is none."""
    small = word.lower()
    if word.isupper() or small in FUNCTION_WORDS or any(map(lexicon.has, terms(small))):
        return None
    asked, own, found = plain(word), is_word(small), Counter[str]()
    for bare, stem in lexicon.stems(asked[0]):
        if _may_spell(bare, asked):
            often = lexicon.share(stem) >= OFTEN
            for one, count in lexicon.spelled(stem).items():
                if plain(one) == asked or (not own and _is_near(one, word, is_first, often)):
                    found[one] += count
    best = min(found, key=lambda one: (-found[one], one.swapcase()), default=None)  # small letters first
    return best[0].upper() + best[1:] if best and word[0].isupper() else best


def _may_spell(stem: str, word: str) -> bool:
    """Whether a word of this stem may be a slip away: the stem is one from how the word begins."""
    return any(one_slip(stem, word[:length]) for length in range(len(stem) - 1, len(stem) + 2))


def _is_near(one: str, word: str, is_first: bool, often: bool) -> bool:
    """Whether a word of the documents is a slip away from one of a question; a name only from a name.

    Args:
        one: The word of the documents.
        word: That of the question.
        is_first: Whether the question begins with it, so that its capital does not make it a name.
        often: Whether the documents have theirs often.
    """
    from_name, to_name = word[0].isupper(), one[0].isupper()
    if from_name and not to_name and not is_first:
        return False
    least = SHORTEST if often else LONGER if to_name and not from_name else LONG
    return len(word) >= least and plain(one)[0] == plain(word)[0] and one_slip(plain(one), plain(word))


def one_slip(one: str, other: str) -> bool:
    """Whether words are the same but for one letter too many, too few, another, or two changed about.

    The optimal string alignment distance is at most 1 (Damerau 1964 found four of five misspellings there).

    Examples:
        >>> [one_slip("police", other) for other in ("polcie", "polic", "pollice", "polize", "plicy")]
        [True, True, True, True, False]
    """
    long, short = (one, other) if len(one) >= len(other) else (other, one)
    same = next((at for at in range(len(short)) if long[at] != short[at]), len(short))
    rest, tail = long[same:], short[same:]
    if len(long) > len(short):
        return rest[1:] == tail
    return rest[1:] == tail[1:] or (rest[1::-1] == tail[:2] and rest[2:] == tail[2:])
