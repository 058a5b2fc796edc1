"""sentence + sources -> checked Citations; the only place where one is made.

A citation is cut from its document, never from what somebody wrote; and a sentence counts as carried only
where the cited words hold every amount, date, count, frequency and name of it, deny what it denies, and say
what it is about.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from rag.errors import NotFoundError
from rag.facts import Fact, comparable, compatible, find_facts, missing, states, turns
from rag.terms import topic
from rag.types import Citation, Conflict, Document
from rag.words import FUNCTION_WORDS, split, stem, straighten

MOST_NEW_WORDS = 0.34
"""A sentence may use other words than its sources, but not for more than this share of what it is about."""
SOME_WORDS = 0.2
SAME_WORDS = 0.7
MOST_WORDS = 0.9
"""How much of a claim's words and pairs of words, of 2, another sentence must have: beside a value, where
only a name tells that it is about the same; without a value; and without the name that is asked for. These
and `NEAR` are chosen on pairs of sentences of RAMDocs that give the same answer or another, and on the claims
of AttributionBench."""
NEAR = 0.5
"""A figure may be the answer where it is at least so near to what is asked about as the nearest one."""
HALF = 4
"""Words between a figure and a word asked about at which that word counts half."""
UNTOLD = 0.5
"""What a claim without new words, or of one word, is taken to share."""
FIGURES = frozenset({"money", "percentage", "count", "frequency", "duration", "date"})
_CONVERTED = re.compile(r"[\s,]*(?:[(\[/=~≈]|or\b|equivalent to\b)[\s\w~≈]{0,24}")
"""What stands between a sum and the same in another currency: "5 million euros (about $5.6 million)"."""


class Citer:
    """Makes the citations of one answer, and numbers them in the order of first use.

    Args:
        document: Gives a document by its id, and raises NotFoundError where there is none.
    """

    def __init__(self, document: Callable[[str], Document]) -> None:
        self.document = document
        self._made: dict[tuple[str, int, int], Citation] = {}

    def cite(self, doc_id: str, start: int, end: int) -> Citation:
        """The citation of a span; the same span has the same marker.

        Raises:
            NotFoundError: There is no such document, or no such characters in it.
        """
        key = (doc_id, start, end)
        if key not in self._made:
            self._made[key] = self._cut(len(self._made) + 1, *key)
        return self._made[key]

    def _cut(self, marker: int, doc_id: str, start: int, end: int) -> Citation:
        document = self.document(doc_id)
        if not 0 <= start < end <= len(document.text):
            raise NotFoundError(
                f"`{doc_id}` has {len(document.text)} characters; nothing can be cited from {start} to {end}."
            )
        quote = document.text[start:end]
        return Citation(
            marker, doc_id, document.title, document.source, document.published_at, start, end, quote
        )

    @property
    def citations(self) -> tuple[Citation, ...]:
        """All that were made, by marker."""
        return tuple(self._made.values())


def recited(conflict: Conflict, made: Citer, by: Citer) -> Conflict:
    """A conflict whose citations one maker numbered, with those of another."""
    spans = {one.marker: (one.doc_id, one.start, one.end) for one in made.citations}
    sides = tuple(
        replace(side, citations=tuple(by.cite(*spans[marker]).marker for marker in side.citations))
        for side in conflict.sides
    )
    return replace(conflict, sides=sides)


def uncarried(sentence: str, quotes: Sequence[str]) -> str:
    """Why quotes, together, do not carry a sentence; empty where they do.

    Examples:
        >>> uncarried("Bail was 6 million euros.", ["He was released on bail of 5 million euros."])
        'the cited words do not hold the amount 6 million euros'
        >>> uncarried("He was released on bail.", ["He was released on bail of 5 million euros."])
        ''
    """
    lacking = missing(sentence, quotes)
    if lacking:
        return f"the cited words do not hold {' and '.join(lacking)}"
    about, said = topic(sentence), set(topic(" ".join(quotes)))
    new = [stem for stem in about if stem not in said]
    if about and len(new) > MOST_NEW_WORDS * len(about):
        return f"the cited words do not say {', '.join(new)}"
    return ""


def says_the_same(
    claim: str, other: str, question: str, kinds: frozenset[str] = FIGURES, answer: str = ""
) -> bool:
    """Whether another sentence says what a claim answers to a question.

    Where figures are asked for and the claim has them, the other must give the one that stands nearest to
    what is asked about. Where names are, half of the claim's, or most of its words: of the names in its
    answer, where that has any, since another may only name what is asked about. Elsewhere the words
    decide, unless the figures of the two exclude each other; one word alone does not where the other lacks
    most of what the question asks about. What the question has already tells nothing else; and neither may
    deny what the other affirms.

    Args:
        claim: A sentence that answers.
        other: A sentence of another document.
        question: What both are to answer.
        kinds: The kinds of fact asked for; empty where it may be anything.
        answer: The words of the claim that answer, as they stand in it; empty where they are not known.

    Examples:
        >>> claim = "Rudd, 39, was told to pay 5 million euros ($5.6 million) bail."
        >>> says_the_same(claim, "Bail for Rudd was set at €5M.", "How much was Rudd's bail?")
        True
        >>> says_the_same(claim, "Rudd paid 5 million euros for a house.", "How much was Rudd's bail?")
        False
    """
    return _agrees(claim, other, question, kinds, answer) and not turns(claim, [other])


def _agrees(claim: str, other: str, question: str, kinds: frozenset[str], answer: str) -> bool:
    wanted = _asked_for(claim, kinds)
    figures = _answering(claim, question, wanted or FIGURES, 1.0)
    theirs = _answering(other, question, FIGURES, NEAR) if figures else ()
    held = _is_about(claim, other, question) and all(_held(figure, theirs) for figure in figures)
    if wanted and figures:
        return held
    if any(_excluded(figure, other) for figure in _answering(claim, question, FIGURES, NEAR)):
        return False
    words = _shared(claim, other, question)
    names = _new_names(claim, question, answer) if "name" in kinds else []
    if names:
        return words >= MOST_WORDS or (_is_about(claim, other, question) and _names_half(names, other))
    return words >= SAME_WORDS or (bool(figures) and held)


def _asked_for(claim: str, kinds: frozenset[str]) -> frozenset[str]:
    """The kinds of figure that answer: a sum, where it may be one and there is one, else all that may."""
    wanted = kinds & FIGURES
    sums = {"money"} & wanted & {fact.kind for fact in find_facts(claim)}
    return frozenset(sums) or wanted


@lru_cache(maxsize=512)
def _answering(text: str, question: str, kinds: frozenset[str], least: float) -> tuple[list[Fact], ...]:
    """The figures that answer: new to the question, and `least` times as near to its words as the nearest."""
    known, asked = find_facts(question), frozenset(_stems(question))
    new = [
        figure
        for figure in _figures(text, kinds)
        if not any(states(fact, one) or states(one, fact) for fact in figure for one in known)
    ]
    near = _nearness(new, asked, text)
    most = max(near, default=0.0)
    return tuple(figure for figure, one in zip(new, near, strict=True) if one >= least * most)


def _figures(text: str, kinds: frozenset[str]) -> list[list[Fact]]:
    """The figures of a text; one sum in several currencies is one figure."""
    figures: list[list[Fact]] = []
    for fact in find_facts(text):
        last = figures[-1][-1] if figures else None
        if last and last.kind == fact.kind == "money" and _CONVERTED.fullmatch(text[last.end : fact.start]):
            figures[-1].append(fact)
        elif fact.kind in kinds:
            figures.append([fact])
    return figures


def _nearness(figures: Sequence[Sequence[Fact]], asked: frozenset[str], text: str) -> list[float]:
    """How near the words asked about stand to each figure: each by its nearest place, half at `HALF`."""
    words = split(straighten(text)) if figures else []
    starts = [word.start for word in words]
    places: dict[str, list[int]] = {}
    for place, word in enumerate(words):
        if (found := stem(word.fold)) in asked:
            places.setdefault(found, []).append(place)
    spans = [(bisect_left(starts, one[0].start), bisect_left(starts, one[-1].end) - 1) for one in figures]
    return [
        sum(HALF / (HALF + min(max(first - at, at - last, 0) for at in found)) for found in places.values())
        for first, last in spans
    ]


def _held(figure: Sequence[Fact], others: Sequence[Sequence[Fact]]) -> bool:
    return any(states(theirs, mine) for mine in figure for other in others for theirs in other)


def _excluded(figure: Sequence[Fact], text: str) -> bool:
    """Whether a text has such a figure too, and none that can be true beside this one."""
    others = [(mine, theirs) for mine in figure for theirs in find_facts(text) if comparable(mine, theirs)]
    return bool(others) and not any(compatible(mine, theirs) for mine, theirs in others)


def _new_names(text: str, question: str, answer: str) -> list[Fact]:
    """The names that the question does not have: those in the answer, or all where it has none."""
    asked, begin = set(_stems(question)), text.find(answer)
    names = [fact for fact in find_facts(text) if fact.kind == "name"]
    new = [name for name in names if not set(_stems(name.text)) <= asked]
    return [name for name in new if name.start < begin + len(answer) and begin < name.end] or new


def _names_half(names: Sequence[Fact], text: str) -> bool:
    found = find_facts(text)
    return sum(any(states(fact, name) for fact in found) for name in names) * 2 >= len(names)


def _is_about(claim: str, other: str, question: str) -> bool:
    """Whether a text has half the words that claim and question share, and one of them that is no name.

    A name alone tells little, since much is said of the same person: where the two share nothing else, the
    text must have some of the claim's own words.
    """
    asked, found = set(_stems(question)) & set(_stems(claim)), set(_stems(other))
    if not asked & found or not _has_what_is_asked(claim, other, question):
        return False
    names = {part for fact in find_facts(question) if fact.kind == "name" for part in _stems(fact.text)}
    return bool((asked - names) & found) or (asked <= names and _shared(claim, other, question) >= SOME_WORDS)


def _has_what_is_asked(claim: str, other: str, question: str) -> bool:
    """Whether a text has half the words that claim and question share."""
    asked, found = set(_stems(question)) & set(_stems(claim)), set(_stems(other))
    return len(asked & found) * 2 >= len(asked)


def _shared(claim: str, other: str, question: str) -> float:
    """The share of a claim's new words that a text has, and of its pairs of words, together in [0, 2].

    One word alone is none, in a text that lacks most of what is asked about.
    """
    said, found = _stems(claim), _stems(other)
    new, pairs = set(said) - set(_stems(question)), set(pairwise(said))
    held = new & set(found)
    if len(held) < 2 and not _has_what_is_asked(claim, other, question):
        return 0.0
    words = len(held) / len(new) if new else UNTOLD
    return words + (len(pairs & set(pairwise(found))) / len(pairs) if pairs else UNTOLD)


@lru_cache(maxsize=512)
def _stems(text: str) -> tuple[str, ...]:
    """The words that tell something, in order."""
    return tuple(stem(word.fold) for word in split(straighten(text)) if word.fold not in FUNCTION_WORDS)
