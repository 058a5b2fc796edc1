"""What the embedded reader learns from at once: a question with a few chunks, their sentences labelled.

An answerable question is read with a chunk that answers it and with hard ones: others of its document, and
chunks of other documents that retrieval ranks high. What cannot be answered comes from four places: questions
written to look answerable (squad2, clapnq), questions of another corpus, questions whose answering chunk was
taken away, and questions in which a name, number or word was put in another's place (`reader_swaps`). Some of
all questions have a slip of the hand in them or are mere words to look for, which changes no label.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reader_questions import Asked, Piece, flat
from reader_swaps import Swaps, slipped, terse

BESIDE = 2
"""Chunks read beside the answering one."""
DRAWN_FROM = 8
"""They are drawn from so many of the retrieved."""
TAKEN_AWAY = 0.15
"""How often an answerable question is read without the chunk that answers it."""
SWAPPED = 0.3
"""How often it is read with another name, number or word in it."""
SLIPPED = 0.07
"""How often a question is read with a word of it written wrong."""
TERSE = 0.05
"""How often without the words that make it a sentence, as one types into a search box."""
OWN_BESIDE = 0.4
"""How likely another chunk of its own document is to be read beside."""


@dataclass(frozen=True, slots=True)
class Group:
    """What is read together for one question.

    Attributes:
        asked: The question as it was asked of the corpus.
        question: Its words as they are read.
        pieces: The chunks, each with a label for each sentence: 1 answers, 0 does not, -1 is not counted.
        answerable: Whether these chunks answer it.
    """

    asked: Asked
    question: str
    pieces: tuple[tuple[Piece, list[int]], ...]
    answerable: bool


def teaches(asked: Asked) -> bool:
    """Whether there is something to learn from a question: a sentence that answers, or chunks that do not."""
    if not asked.answerable:
        return bool(asked.read or asked.written_for)
    return any(1 in labels for _, labels in labelled(asked, asked.written_for))


def group(asked: Asked, swaps: Swaps, chance: random.Random) -> Group:
    """Draw what is read for a question that teaches something."""
    drawn = _group(asked, swaps, chance)
    luck = chance.random()
    if luck < SLIPPED:
        return replace(drawn, question=slipped(drawn.question, chance))
    return replace(drawn, question=terse(drawn.question)) if luck < SLIPPED + TERSE else drawn


def _group(asked: Asked, swaps: Swaps, chance: random.Random) -> Group:
    if not asked.answerable:
        return _unanswerable(asked, chance)
    # of what has no short answer: whether it is so is still told where something else is so
    other = swaps.swapped(asked, chance) if asked.answers and chance.random() < SWAPPED else None
    drawn = _answerable(asked, chance)
    if other is None or not drawn.answerable:
        return drawn
    return Group(asked, other, tuple((piece, [0] * len(labels)) for piece, labels in drawn.pieces[:2]), False)


def _answerable(asked: Asked, chance: random.Random) -> Group:
    if chance.random() < TAKEN_AWAY and (others := labelled(asked, _drawn(asked, 2, chance))):
        return Group(asked, asked.question, tuple(others), False)
    own = labelled(asked, asked.written_for)
    answering = chance.choice([one for one in own if 1 in one[1]])
    beside = [one for one in own if 1 not in one[1] and chance.random() < OWN_BESIDE][:1]
    others = labelled(asked, _drawn(asked, BESIDE - len(beside), chance))
    return Group(asked, asked.question, (answering, *beside, *others), True)


def _unanswerable(asked: Asked, chance: random.Random) -> Group:
    ranked = [piece for piece in asked.read[:DRAWN_FROM] if piece.doc_id == asked.doc_id]
    own = (ranked or list(asked.written_for))[:1]
    pieces = [*own, *_drawn(asked, 2 - len(own), chance)]
    return Group(asked, asked.question, tuple((one, [0] * len(one.sentences)) for one in pieces), False)


def _drawn(asked: Asked, count: int, chance: random.Random) -> list[Piece]:
    """Some retrieved chunks of other documents, those that rank high being likelier."""
    luck = [
        (chance.random() ** (1 + place / 2), piece)
        for place, piece in enumerate(asked.read[:DRAWN_FROM])
        if piece.doc_id != asked.doc_id
    ]
    return [piece for _, piece in sorted(luck, key=lambda pair: -pair[0])[:count]]


def labelled(asked: Asked, pieces: Iterable[Piece]) -> list[tuple[Piece, list[int]]]:
    """Label sentences 1, 0, or -1 (not counted).

    1 are those of the question's document that hold the most of its answers; others that hold any may answer
    it or not, and are -1.
    """
    counted = [(piece, right(asked, piece)) for piece in pieces]
    most = max((max(counts, default=0) for one, counts in counted if one.doc_id == asked.doc_id), default=0)
    return [
        (piece, [_label(count, most if piece.doc_id == asked.doc_id else 0) for count in counts])
        for piece, counts in counted
    ]


def _label(count: int, most: int) -> int:
    return 0 if not count else 1 if count == most else -1


def right(asked: Asked, piece: Piece) -> list[int]:
    """For each sentence of a chunk how many answers it holds, or 1 where it is annotated as evidence."""
    if asked.evidence:
        evidence = [_squeezed(text) for text in asked.evidence]
        return [int(_is_evidence(_squeezed(text), evidence)) for text in piece.sentences]
    answers = [flat(answer).lower() for answer in asked.answers]
    return [sum(answer in text.lower() for answer in answers) for text in piece.sentences]


def _squeezed(text: str) -> str:
    """Without spaces and quotation marks: annotated evidence is tokenised, and cut in other places."""
    return re.sub(r"\s+|``|''|\"", "", text).lower()


def _is_evidence(text: str, evidence: Sequence[str]) -> bool:
    return len(text) > 10 and any(text in one or one in text for one in evidence)


def answer_place(asked: Asked, sentence: str) -> tuple[int, int] | None:
    """The characters of a sentence where the shortest answer stands."""
    if asked.evidence or not asked.answers:
        return None
    answer = min((flat(answer).lower() for answer in asked.answers), key=len)
    start = sentence.lower().find(answer)
    return (start, start + len(answer)) if start >= 0 else None
