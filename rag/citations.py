"""sentence + sources -> checked Citations; the only place where one is made.

A citation is cut from its document, never from what somebody wrote; and a sentence counts as carried only
where the cited words hold every amount, date, count, frequency and name of it, deny what it denies, and say
what it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.errors import NotFoundError
from rag.facts import Fact, find_facts, missing, same
from rag.terms import topic
from rag.types import Citation, Conflict, Document

MOST_NEW_WORDS = 0.34
"""A sentence may use other words than its sources, but not for more than this share of what it is about."""
SAME_WORDS = 0.6
"""Two sentences without figures say the same where the shorter shares this much with the other."""
FIGURES = frozenset({"money", "percentage", "count", "frequency", "duration", "date"})


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


def says_the_same(claim: str, other: str, question: str, kinds: frozenset[str] = FIGURES) -> bool:
    """Whether another sentence says what a claim answers to a question.

    Where the claim has figures of the kinds asked for, the other must have them too, about the same part of
    the question; elsewhere it must share most of its words.
    """
    figures = [fact for fact in find_facts(claim) if fact.kind in kinds & FIGURES]
    if figures:
        return _holds_all(figures, find_facts(other)) and _same_topic(claim, other, question)
    mine, theirs = set(topic(claim)), set(topic(other))
    fewer = min(len(mine), len(theirs))
    return fewer >= 3 and len(mine & theirs) >= SAME_WORDS * fewer


def _holds_all(wanted: Sequence[Fact], found: Sequence[Fact]) -> bool:
    return all(any(same(fact, other) for other in found) for fact in wanted)


def _same_topic(claim: str, other: str, question: str) -> bool:
    asked = set(topic(question)) & set(topic(claim))
    return bool(asked) and len(asked & set(topic(other))) * 2 >= len(asked)
