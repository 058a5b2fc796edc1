"""What the embedded reader learns from at once: a question with a few chunks, their sentences labelled.

An answerable question is read with a chunk that answers it and with hard ones: others of its document, and
chunks of other documents that retrieval ranks high. What cannot be answered comes from four places: questions
written to look answerable (squad2, clapnq, stories), questions of another corpus, questions whose answering
chunk was taken away, and questions in which one name or number was put in another's place.

The documents of a story say much of the same, so its questions are read as they are when they are asked: with
what ranks high, its own documents or not.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reader_questions import STORIES, Asked, Piece, flat

BESIDE = 2
"""Chunks read beside the answering one."""
ALONE = 0.65
"""How often a question is read with one chunk alone: most of what it teaches, for a third of the time."""
DRAWN_FROM = 8
"""They are drawn from so many of the retrieved."""
TAKEN_AWAY = 0.15
"""How often an answerable question is read without the chunk that answers it."""
SWAPPED = 0.25
"""How often it is read with another name or number in it."""
OWN_BESIDE = 0.4
"""How likely another chunk of its own document is to be read beside."""

OPENINGS = frozenset("what who when where which why how did is was does do whose".split())
COUNTED = frozenset("many much long often far big old large".split())

_CHANGEABLE = re.compile(
    r"(?<=[a-z,] )[A-Z][\w.'-]*[a-z](?: (?:of |the |de |and )?[A-Z][\w.'-]*[a-z])*"
    r"|(?<![\w.])(?P<number>\d(?:[\d,]*\d)?)(?:th|s|st|nd|rd)?(?![\w.])"
)
Place = tuple[int, int, bool]
"""Where a name or number stands in a question, from and to, and whether it is a number."""


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


class Swaps:
    """Names and numbers of questions, by article, to put in one another's place."""

    def __init__(self, asked: Iterable[Asked]) -> None:
        found: dict[tuple[bool, str], set[str]] = defaultdict(set)
        for one in asked:
            for start, end, is_number in changeable(one.question):
                found[is_number, one.title].add(one.question[start:end])
        self._by_title = {key: sorted(texts) for key, texts in found.items()}
        self._all = {
            kind: sorted(
                {text for (is_number, _), texts in found.items() if is_number is kind for text in texts}
            )
            for kind in (False, True)
        }

    def swapped(self, asked: Asked, chance: random.Random) -> str | None:
        """The question with one name or number in another's place, of its own article half of the time.

        None where it has neither, or where eight draws gave nothing fit.
        """
        places = changeable(asked.question)
        if not places:
            return None
        start, end, is_number = chance.choice(places)
        old, own = asked.question[start:end], self._by_title.get((is_number, asked.title), [])
        for _ in range(8):
            new = chance.choice(own if len(own) > 2 and chance.random() < 0.5 else self._all[is_number])
            if _is_another(new, old, asked.question, is_number):
                return f"{asked.question[:start]}{new}{asked.question[end:]}"
        return None


def changeable(question: str) -> list[Place]:
    """Where the names and numbers of a question stand; a name is capitals after a small letter or a comma.

    Examples:
        >>> changeable("When did Ada Lovelace write 12 letters?")
        [(9, 21, False), (28, 30, True)]
    """
    return [(one.start(), one.end(), one["number"] is not None) for one in _CHANGEABLE.finditer(question)]


def _is_another(new: str, old: str, question: str, is_number: bool) -> bool:
    like = not is_number or len(new) == len(old)
    return like and new.lower() not in question.lower() and old.lower() not in new.lower()


def even(asked: Sequence[Asked]) -> list[Asked]:
    """Leave out questions until how one opens ("When", "How many") does not tell whether it is answered.

    Those who write questions that nothing answers like to ask when, and a reader would learn that.
    """
    by_opening: dict[str, tuple[list[Asked], list[Asked]]] = defaultdict(lambda: ([], []))
    for one in sorted(asked, key=lambda one: hashlib.sha256(one.id.encode()).digest()):
        by_opening[_opening(one.question)][one.answerable].append(one)
    others, answerable = (sum(len(part[label]) for part in by_opening.values()) for label in (0, 1))
    kept: list[Asked] = []
    for silent, answered in by_opening.values():
        most = min(len(silent) / max(1, others), len(answered) / max(1, answerable))
        kept += [*silent[: round(most * others)], *answered[: round(most * answerable)]]
    return kept


def _opening(question: str) -> str:
    first, *further = re.findall(r"\w+", question.lower()) or [""]
    if first not in OPENINGS:
        return ""
    return f"{first} {further[0]}" if first == "how" and further and further[0] in COUNTED else first


def teaches(asked: Asked) -> bool:
    """Whether there is something to learn from a question: a sentence that answers, or chunks that do not."""
    if not asked.answerable:
        return bool(asked.read or asked.written_for)
    return any(1 in labels for _, labels in labelled(asked, asked.written_for))


def group(asked: Asked, swaps: Swaps, chance: random.Random) -> Group:
    """Draw what is read for a question that teaches something."""
    drawn = _drawn_for(asked, swaps, chance)
    return replace(drawn, pieces=drawn.pieces[: 1 if chance.random() < ALONE else None])


def _drawn_for(asked: Asked, swaps: Swaps, chance: random.Random) -> Group:
    if asked.own and asked.corpus == STORIES.name:
        return _of_story(asked, chance)
    if not asked.answerable:
        return _unanswerable(asked, chance)
    other = swaps.swapped(asked, chance) if chance.random() < SWAPPED else None
    drawn = _answerable(asked, chance)
    if other is None or not drawn.answerable:
        return drawn
    return Group(asked, other, tuple((piece, [0] * len(labels)) for piece, labels in drawn.pieces[:2]), False)


def _of_story(asked: Asked, chance: random.Random) -> Group:
    own = labelled(asked, asked.written_for)
    answering = [piece for piece, labels in own if 1 in labels]
    silent = [piece for piece, labels in own if 1 not in labels]
    taken_away = bool(silent) and chance.random() < TAKEN_AWAY
    first = chance.choice(silent if taken_away or not answering else answering)
    left_out = {first, *(answering if taken_away else ())}
    pieces = [first, *_likeliest([one for one in asked.read[:DRAWN_FROM] if one not in left_out], chance)]
    read = labelled(asked, pieces[: 1 + BESIDE])
    return Group(asked, asked.question, tuple(read), any(1 in labels for _, labels in read))


def _answerable(asked: Asked, chance: random.Random) -> Group:
    if chance.random() < TAKEN_AWAY and (others := labelled(asked, _drawn(asked, 2, chance))):
        return Group(asked, asked.question, tuple(others), False)
    own = labelled(asked, asked.written_for)
    answering = chance.choice([one for one in own if 1 in one[1]])
    beside = [one for one in own if 1 not in one[1] and chance.random() < OWN_BESIDE][:1]
    others = labelled(asked, _drawn(asked, BESIDE - len(beside), chance))
    return Group(asked, asked.question, (answering, *beside, *others), True)


def _unanswerable(asked: Asked, chance: random.Random) -> Group:
    ranked = [piece for piece in asked.read[:DRAWN_FROM] if asked.owns(piece)]
    own = (ranked or list(asked.written_for))[:1]
    pieces = [*own, *_drawn(asked, 2 - len(own), chance)]
    return Group(asked, asked.question, tuple((one, [0] * len(one.sentences)) for one in pieces), False)


def _drawn(asked: Asked, count: int, chance: random.Random) -> list[Piece]:
    """Some retrieved chunks of other documents, those that rank high being likelier."""
    return _likeliest([one for one in asked.read[:DRAWN_FROM] if not asked.owns(one)], chance)[:count]


def _likeliest(ranked: Sequence[Piece], chance: random.Random) -> list[Piece]:
    """Ranked chunks in an order by chance, in which those that rank high are likely to be first."""
    luck = [(chance.random() ** (1 + place / 2), piece) for place, piece in enumerate(ranked)]
    return [piece for _, piece in sorted(luck, key=lambda pair: -pair[0])]


def labelled(asked: Asked, pieces: Iterable[Piece]) -> list[tuple[Piece, list[int]]]:
    """Label sentences 1, 0, or -1 (not counted).

    1 are those of the question's document that hold the most of its answers; others that hold any may answer
    it or not, and are -1.
    """
    counted = [(piece, right(asked, piece)) for piece in pieces]
    most = max((max(counts, default=0) for one, counts in counted if asked.owns(one)), default=0)
    return [
        (piece, [_label(count, most if asked.owns(piece) else 0) for count in counts])
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
