"""Questions made from questions: with a name, number or word in another's place, and with a slip of the hand.

A question with another name, number or word in it looks like one that its passage answers, and is not: so the
reader learns to read all of a question. Half of the words drawn stand in the passage itself, so that it does
not learn to look for a word of the question that the passage lacks: people ask in words of their own.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from reader_questions import Asked

from rag.reader import _tokens
from rag.terms import FUNCTION_WORDS, terms

WORDS = 0.6
"""How often a word is changed, where a question has both words and names or numbers."""
TRIES = 8
"""Draws of something to put in, of which the nearest is taken; where none is fit, nothing is changed."""
SAME = 0.5
"""Words nearer than this may say the same."""
SHORTEST_SLIP = 5
"""Letters of the shortest word that is written wrong."""

_CHANGEABLE = re.compile(
    r"(?<=[a-z,] )[A-Z][\w.'-]*[a-z](?: (?:of |the |de |and )?[A-Z][\w.'-]*[a-z])*"
    r"|(?<![\w.])(?P<number>\d(?:[\d,]*\d)?)(?:th|s|st|nd|rd)?(?![\w.])"
)
_WORD = re.compile(r"(?<![\w'-])[a-z]{4,}(?![\w'-])")
_ENDING = re.compile(r"(?:ing|ed|ion|ment|ly|er|al|s)?$")
_LONG = re.compile(rf"[A-Za-z]{{{SHORTEST_SLIP},}}")


@dataclass(frozen=True, slots=True)
class Place:
    """Something in a question that another may take the place of.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        kind: "name", "number", or the ending of a word in small letters ("-ing", "-").
    """

    start: int
    end: int
    kind: str

    @property
    def is_word(self) -> bool:
        """Whether it is a word in small letters."""
        return self.kind.startswith("-")


def changeable(question: str) -> list[Place]:
    """The names and numbers of a question; a name is capitals after a small letter or a comma.

    Examples:
        >>> changeable("When did Ada Lovelace write 12 letters?")
        [Place(start=9, end=21, kind='name'), Place(start=28, end=30, kind='number')]
    """
    return [
        Place(one.start(), one.end(), "number" if one["number"] else "name")
        for one in _CHANGEABLE.finditer(question)
    ]


def words(text: str) -> list[Place]:
    """The words of a text that say what it is about, in small letters.

    Examples:
        >>> [place.kind for place in words("When did Ada Lovelace start writing letters?")]
        ['-', '-ing', '-s']
    """
    return [
        Place(one.start(), one.end(), f"-{_ENDING.search(one[0])[0]}")  # type: ignore[index]
        for one in _WORD.finditer(text)
        if one[0] not in FUNCTION_WORDS
    ]


class Swaps:
    """What stands in questions, by kind and article, to put in one another's place.

    Args:
        asked: The questions.
        table: The model's word table, [ids, dimension]: a word is changed for one that is near it there,
            which is of a kind with it, but not so near that it says the same.
    """

    def __init__(self, asked: Iterable[Asked], table: NDArray[np.float32]) -> None:
        self._table, self._vectors = table, dict[str, NDArray[np.float32]]()
        by_title: dict[tuple[str, str], set[str]] = defaultdict(set)
        for one in asked:
            for place in (*changeable(one.question), *words(one.question)):
                by_title[place.kind, one.title].add(one.question[place.start : place.end])
        whole: dict[str, set[str]] = defaultdict(set)
        for (kind, _), texts in by_title.items():
            whole[kind] |= texts
        self._by_title = {key: sorted(texts) for key, texts in by_title.items()}
        self._all = {kind: sorted(texts) for kind, texts in whole.items()}

    def swapped(self, asked: Asked, chance: random.Random) -> str | None:
        """The question with something in another's place, of its own article or passage most of the time.

        None where there is nothing to change, or where some draws gave nothing fit.
        """
        named, worded = changeable(asked.question), words(asked.question)
        places = worded if worded and (not named or chance.random() < WORDS) else named
        if not places:
            return None
        place = chance.choice(places)
        old, pools = asked.question[place.start : place.end], self._pools(place, asked)
        drawn = [chance.choice(chance.choice(pools)) for _ in range(TRIES)]
        fit = [new for new in drawn if _is_another(new, old, asked.question, place)]
        new = self._nearest(old, fit) if place.is_word else next(iter(fit), None)
        return new and f"{asked.question[: place.start]}{new}{asked.question[place.end :]}"

    def _nearest(self, old: str, fit: Sequence[str]) -> str | None:
        """The word nearest to another, of those that do not say the same."""
        near = [(float(self._vector(old) @ self._vector(new)), new) for new in fit]
        return max((pair for pair in near if pair[0] < SAME), default=(0.0, None))[1]

    def _vector(self, word: str) -> NDArray[np.float32]:
        """The mean of the word's rows in the table, at unit length."""
        if word not in self._vectors:
            mean = self._table[list(_tokens(word)[0])].mean(axis=0)
            self._vectors[word] = mean / np.linalg.norm(mean)
        return self._vectors[word]

    def _pools(self, place: Place, asked: Asked) -> list[list[str]]:
        """What may be put in: of the article's questions and of all, and words of the passage as often."""
        own = self._by_title.get((place.kind, asked.title), [])
        pools = [own if len(own) > 2 else self._all[place.kind], self._all[place.kind]]
        if not place.is_word:
            return pools
        text = " ".join(sentence for piece in asked.written_for for sentence in piece.sentences)
        there = sorted({text[one.start : one.end] for one in words(text) if one.kind == place.kind})
        return [*pools, there, there] if there else pools


def _is_another(new: str, old: str, question: str, place: Place) -> bool:
    if place.is_word:
        return not set(terms(new)) & set(terms(question))
    like = place.kind == "name" or len(new) == len(old)
    return like and new.lower() not in question.lower() and old.lower() not in new.lower()


def slipped(question: str, chance: random.Random) -> str:
    """The question with a longer word of it written wrong: two letters changed about, one lost or doubled.

    Examples:
        >>> slipped("Who is it?", random.Random(0))
        'Who is it?'
    """
    long = list(_LONG.finditer(question))
    if not long:
        return question
    word = chance.choice(long)
    at = chance.randrange(word.start() + 1, word.end() - 1)
    one, next_one = question[at], question[at + 1]
    put = chance.choice((next_one + one, next_one, one + one + next_one))
    return f"{question[:at]}{put}{question[at + 2 :]}"


def terse(question: str) -> str:
    """The question without the words that make it a sentence, where two others are left.

    Examples:
        >>> terse("How much was the bail of Durov?")
        'bail Durov'
    """
    kept = [word for word in question.rstrip(" ?.").split() if word.lower() not in FUNCTION_WORDS]
    return " ".join(kept) if len(kept) > 1 else question
