"""The embedded answerer: the best sentences of the best chunks, as they stand, each with its exact citation.

    ranking ─> sentences ─> scored by meaning, words, kind and rank ─> one to three claims, or a refusal

It writes nothing of its own, so it can say nothing that no document says. How sentences are weighed, and when
it stays silent, is `Weights`: numbers fitted on third-party questions, none made for one question.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.chunks import count_words
from rag.citations import Citer, says_the_same
from rag.facts import Fact, find_facts
from rag.retrieve import Embed
from rag.terms import topic
from rag.types import Citation, Claim, Passage, RankedChunk, Ranking

CHUNKS = 8
"""How many chunks are read for sentences."""
EMBEDDED = 16
"""How many sentences, those of the most words in common, are compared by meaning."""
MOST_CLAIMS = 3
FEWEST_WORDS = 4
"""Shorter sentences are headings and signatures: they answer nothing, unless there is nothing else."""
_HEADING = re.compile(r"#{1,6}\s|```|~~~")

_EXPECTED: tuple[tuple[str, frozenset[str]], ...] = (
    (r"how (often|frequently)|how many times", frozenset({"frequency"})),
    (r"how long|(what|which) (duration|period)", frozenset({"duration", "date"})),
    (r"how old", frozenset({"count", "duration"})),
    (r"(what|which) (percentage|percent|share|proportion)", frozenset({"percentage"})),
    (r"how many", frozenset({"count", "percentage"})),
    (r"how much|what (price|cost|sum|amount)", frozenset({"money", "percentage", "count"})),
    (r"when|(what|which) (year|date|day|month|time)|(since|until|till) when", frozenset({"date"})),
    (r"who|whom|whose|where|(what|which) (country|city|company|person)", frozenset({"name"})),
)
_QUESTION_WORDS = tuple((re.compile(rf"\b({words})\b", re.IGNORECASE), kinds) for words, kinds in _EXPECTED)


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each sign of a sentence counts towards 'this answers the question'.

    Attributes:
        meaning: The cosine of question and sentence, in [-1, 1].
        words: The share of what is asked about, by rarity, that the sentence names, in [0, 1].
        around: The same for its chunk and title.
        kind: 1 where it holds a fact of the kind asked for that the question does not state, else 0.
        rank: The fused score of its chunk, in [0, 1].
        bias: Added to all.
    """

    meaning: float
    words: float
    around: float
    kind: float
    rank: float
    bias: float = 0.0


CHOOSING = Weights(meaning=2.0, words=1.0, around=1.0, kind=1.0, rank=1.0)
STOPPING = Weights(meaning=11.84, words=0.0, around=5.53, kind=1.45, rank=0.0, bias=-8.59)
"""Both by `tools/fit_extract.py`: choosing on squad2 and nq, stopping on nq and clapnq."""
REFUSED_BELOW = 0.5
NEXT_BY = 0.93
"""A further sentence is told where its score is at least this share of the best one's."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a chunk, with its signs.

    Attributes:
        chunk: The chunk, as ranked.
        start: Where it begins in the document.
        end: Where it ends there.
        text: Its words, runs of white space made one space.
        signs: By name, as in `Weights`.
        score: The weighed signs, for choosing.
    """

    chunk: RankedChunk
    start: int
    end: int
    text: str
    signs: dict[str, float]
    score: float

    @property
    def doc_id(self) -> str:
        """The document it stands in."""
        return self.chunk.chunk.doc_id


@dataclass(frozen=True, slots=True)
class Extract:
    """What the documents say by themselves: claims, or why there are none; and the nearest passages."""

    claims: tuple[Claim, ...]
    confidence: float
    reason: str
    nearest: tuple[Passage, ...]


def extract(
    question: str,
    ranking: Ranking,
    embed: Embed,
    rarity: Callable[[str], float],
    title: Callable[[str], str],
    citer: Citer,
) -> Extract:
    """Answer with one to three sentences of the ranking, or refuse.

    Args:
        question: The question, standing alone.
        ranking: The chunks to read, best first.
        embed: Gives the vectors of texts.
        rarity: How much a stem tells, above 0.
        title: The title of a document, by its id.
        citer: Makes the citations.
    """
    sentences = weigh(question, ranking, embed, rarity, title)
    confidence = answerable(sentences)
    if not sentences or confidence < REFUSED_BELOW:
        return Extract((), confidence, _reason(sentences), _nearest(sentences, title))
    chosen = _choose(sentences, question)
    claims = tuple(_claim(sentence, sentences, question, citer) for sentence in chosen)
    return Extract(claims, confidence, "", _nearest(sentences, title))


def weigh(
    question: str,
    ranking: Ranking,
    embed: Embed,
    rarity: Callable[[str], float],
    title: Callable[[str], str],
) -> list[Sentence]:
    """The sentences of the best chunks, best first."""
    asked = {stem: rarity(stem) for stem in topic(question)}
    read = [
        (ranked, start, end, " ".join(text.split()), _overlap(asked, text))
        for ranked in ranking.chunks[:CHUNKS]
        for start, end, text in _sentences(ranked)
    ]
    read = [row for row in read if _tells(row[3])] or read
    nearest = sorted(read, key=lambda row: (-row[4], row[0].rank, row[1]))[:EMBEDDED]
    vectors = embed([question, *(row[3] for row in nearest)])
    cosines = (vectors[1:] @ vectors[0]).tolist()
    kinds, known = expected_kinds(question), find_facts(question)
    weighed = []
    for (ranked, start, end, text, words), cosine in zip(nearest, cosines, strict=True):
        around = _overlap(asked, f"{title(ranked.chunk.doc_id)}\n{ranked.chunk.text}")
        kind = float(any(_is_new(fact, kinds, known) for fact in find_facts(text)))
        signs = {"meaning": cosine, "words": words, "around": around, "kind": kind, "rank": ranked.score}
        weighed.append(Sentence(ranked, start, end, text, signs, _weighed(CHOOSING, signs)))
    return sorted(weighed, key=lambda one: (-round(one.score, 9), one.doc_id, one.start))


def answerable(sentences: Sequence[Sentence]) -> float:
    """The probability in [0, 1] that the documents hold the answer, by the best sentence."""
    if not sentences:
        return 0.0
    return 1 / (1 + math.exp(-_weighed(STOPPING, sentences[0].signs)))


def expected_kinds(question: str) -> frozenset[str]:
    """The kinds of fact that a question asks for, by its question words; empty where it may be anything.

    Examples:
        >>> expected_kinds("How often does he report?")
        frozenset({'frequency'})
    """
    return next((kinds for words, kinds in _QUESTION_WORDS if words.search(question)), frozenset())


def _sentences(ranked: RankedChunk) -> list[tuple[int, int, str]]:
    chunk = ranked.chunk
    return [
        (start, end, chunk.text[start - chunk.start : end - chunk.start]) for start, end in chunk.sentences
    ]


def _tells(text: str) -> bool:
    return count_words(text) >= FEWEST_WORDS and not _HEADING.match(text)


def _overlap(asked: dict[str, float], text: str) -> float:
    whole = sum(asked.values())
    held = set(topic(text))
    return sum(weight for stem, weight in asked.items() if stem in held) / whole if whole else 0.0


def _is_new(fact: Fact, kinds: frozenset[str], known: Sequence[Fact]) -> bool:
    return fact.kind in kinds and all(fact.value != other.value for other in known)


def _weighed(weights: Weights, signs: dict[str, float]) -> float:
    return weights.bias + sum(float(getattr(weights, name)) * value for name, value in signs.items())


def _choose(sentences: Sequence[Sentence], question: str) -> list[Sentence]:
    chosen = [sentences[0]]
    for sentence in sentences[1:]:
        if len(chosen) == MOST_CLAIMS or sentence.score < NEXT_BY * sentences[0].score:
            break
        if not any(_repeats(sentence, other, question) for other in chosen):
            chosen.append(sentence)
    return chosen


def _repeats(sentence: Sentence, other: Sentence, question: str) -> bool:
    kinds = expected_kinds(question)
    return says_the_same(other.text, sentence.text, question, kinds) or says_the_same(
        sentence.text, other.text, question, kinds
    )


def _claim(sentence: Sentence, sentences: Sequence[Sentence], question: str, citer: Citer) -> Claim:
    """A sentence as a claim: cited where it stands, and wherever another document says the same."""
    cited: dict[str, Citation] = {sentence.doc_id: citer.cite(sentence.doc_id, sentence.start, sentence.end)}
    kinds = expected_kinds(question)
    for other in sentences:
        if other.doc_id not in cited and says_the_same(sentence.text, other.text, question, kinds):
            cited[other.doc_id] = citer.cite(other.doc_id, other.start, other.end)
    return Claim(sentence.text, tuple(one.marker for one in cited.values()), tuple(sorted(cited)))


def _reason(sentences: Sequence[Sentence]) -> str:
    if not sentences:
        return "There is nothing in the documents to answer from."
    return "The documents do not say."


def _nearest(sentences: Sequence[Sentence], title: Callable[[str], str]) -> tuple[Passage, ...]:
    return tuple(
        Passage(one.doc_id, title(one.doc_id), one.start, one.end, _quote(one))
        for one in sentences[:MOST_CLAIMS]
    )


def _quote(sentence: Sentence) -> str:
    chunk = sentence.chunk.chunk
    return chunk.text[sentence.start - chunk.start : sentence.end - chunk.start]
