"""sentences of the best chunks -> how well each answers a question, and whether the documents answer it.

How sentences are weighed is `Choosing`, and what tells an answerable question `Stopping`: numbers fitted on
third-party questions and on stories written for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.chunks import count_words
from rag.expected import expected, expected_kinds
from rag.facts import find_facts
from rag.questions import asks_for_an_opinion, names_asked_about, unmentioned
from rag.reader import Reader, Reading
from rag.terms import topic
from rag.types import RankedChunk, Ranking

READ = 4
"""How many chunks the reader reads at first: more take longer than most questions need."""
FURTHER = 4
"""How many more it reads where those leave it open whether the question is answered."""
NEAREST = 3
"""How many are read for their cosine alone, one of the first and two of the further: with none of the further
fewer questions had their answer among the eight (squad2 .971 for .973, the stories .964 for .967).
"""
SETTLED_ABOVE = 0.0
"""A question is open while the reader gives less for the answers of all sentences together, a logit: above it
reading on changes little, and takes time.
"""
HOPELESS_BELOW = 0.03
"""It is no more open where it is answered with less than this probability, as far as has been read."""
FEWEST_WORDS = 4
"""Shorter sentences are headings and signatures: they answer nothing, unless there is nothing else."""
_HEADING = re.compile(r"#{1,6}\s|```|~~~")
_FENCE = re.compile(r"```|~~~")
_MARKUP = re.compile(
    r"\W{0,9}(?:\{\s*[\"'{]|<\w+\s[^<>]{0,200}=|\[[^\]]{0,200}\]\([^)]{0,400}\)\W{0,9}$|\[\[\w+:|【)"
)
"""How a line begins that is no sentence but data or marks for a page: JSON, tags, citations, a bare link."""
_TARGET = r"(?:\([^)]{0,400}\)|\[[^\]]{0,100}\])"
_PICTURE = re.compile(rf"\[?!\[[^\]]{{0,200}}\]{_TARGET}(?:\]{_TARGET})?")
"""In Markdown, as a badge with its link: no word of it is read."""


@dataclass(frozen=True, slots=True)
class Choosing:
    """How much each sign of a sentence counts towards 'this answers the question best'.

    Attributes:
        read: What the reader gives it for choosing, a logit.
        words: The share of what is asked about, by rarity, that the sentence names, in [0, 1].
        kind: 1 where it holds a fact of the kind asked for that the question does not state, else 0. A fact
            in another unit than the one asked for does not count.
        unit: 1 where such a fact names the unit that is asked for, else 0.
        rank: The fused score of its chunk, in [0, 1].
        cosine: The cosine of question and chunk, in [-1, 1].
    """

    read: float
    words: float
    kind: float
    unit: float
    rank: float
    cosine: float


@dataclass(frozen=True, slots=True)
class Stopping:
    """How much each sign of what was read for a question counts towards 'the documents answer it'.

    Attributes:
        answered: The reader's answers of all sentences together, the log of their summed exponentials.
        cosine: The highest cosine of question and chunk, in [-1, 1].
        absent: The share of the names in the question that no document mentions, in [0, 1].
        lacking: 1 where the best sentence holds no new fact of the kind asked for, else 0.
        bias: Added to them.
    """

    answered: float
    cosine: float
    absent: float
    lacking: float
    bias: float


@dataclass(frozen=True, slots=True)
class Weights:
    """How signs are weighed.

    Attributes:
        choosing: Of a sentence.
        stopping: Of all that was read.
    """

    choosing: Choosing
    stopping: Stopping


# by tools/fit_extract.py
WEIGHTS = Weights(
    Choosing(read=0.49, words=1.33, kind=1.52, unit=1.34, rank=3.71, cosine=6.88),
    Stopping(answered=0.59, cosine=3.01, absent=-1.92, lacking=-0.88, bias=-2.24),
)
WEIGHTS_ALONE = Weights(
    Choosing(read=0.50, words=1.06, kind=1.60, unit=1.20, rank=5.84, cosine=0.0),
    Stopping(answered=0.69, cosine=0.0, absent=-2.05, lacking=-0.69, bias=-0.86),
)
"""For another embedder, whose cosines have a scale of their own; its bias serves the same threshold."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a chunk, with its signs.

    Attributes:
        chunk: The chunk, as ranked.
        start: Where it begins in the document.
        end: Where it ends there.
        text: Its words, runs of white space made one space.
        reading: What the reader makes of it.
        signs: By name, as in `Choosing`.
        score: The weighed signs.
        share: How likely it is the best of all sentences read, in [0, 1].
    """

    chunk: RankedChunk
    start: int
    end: int
    text: str
    reading: Reading
    signs: dict[str, float]
    score: float
    share: float

    @property
    def doc_id(self) -> str:
        """The document it stands in."""
        return self.chunk.chunk.doc_id

    @property
    def quote(self) -> str:
        """Its characters, as they stand."""
        chunk = self.chunk.chunk
        return chunk.text[self.start - chunk.start : self.end - chunk.start]

    @property
    def answer(self) -> str:
        """The words of it that are likeliest the answer itself, on one line."""
        begin, end = self.reading.span
        return " ".join(self.quote[begin:end].split())

    @property
    def answer_begins(self) -> int:
        """Where the answer begins in `text`."""
        return len(" ".join(f"{self.quote[: self.reading.span[0]]}x".split())) - 1


@dataclass(frozen=True, slots=True)
class Sources:
    """What an answer is made from.

    Attributes:
        ranking: The chunks to read, best first.
        reader: The embedded reader.
        rarity: Gives how much a stem tells, above 0.
        title: Gives the title of a document, by its id.
        mentions: Whether a word of a stem stands in any document, accents apart.
        weights: How the signs of sentences and questions are weighed.
    """

    ranking: Ranking
    reader: Reader
    rarity: Callable[[str], float]
    title: Callable[[str], str]
    mentions: Callable[[str], bool]
    weights: Weights = WEIGHTS


def weigh(question: str, sources: Sources) -> list[Sentence]:
    """The sentences of the best chunks, best first.

    A question that the first chunks leave open is looked for in further ones: that costs time where there is
    something to gain by it, and most questions are done with the first.
    """
    ordered = reading_order(sources.ranking.chunks)
    signed = _signed(question, ordered[:READ], sources)
    if _is_open(question, signed, sources):
        signed += _signed(question, ordered[READ : READ + FURTHER], sources)
    return _best_first(signed)


def _best_first(signed: Sequence[Sentence]) -> list[Sentence]:
    """Those that may be told, or all where none may, each with its share."""
    signed = [one for one in signed if tells(one.text)] or signed
    likely = shares([one.score for one in signed])
    weighed = [replace(one, share=share) for one, share in zip(signed, likely, strict=True)]
    return sorted(weighed, key=lambda one: (-round(one.score, 9), one.doc_id, one.start))


def _is_open(question: str, signed: Sequence[Sentence], sources: Sources) -> bool:
    """Whether the sentences read leave it open whether a question is answered."""
    told = [one for one in signed if tells(one.text)]
    if not told:
        return not asks_for_an_opinion(question)
    answered = _summed([one.reading.answered for one in told])
    return answered < SETTLED_ABOVE and answerable(question, _best_first(told), sources) >= HOPELESS_BELOW


def _signed(question: str, ranked: Sequence[RankedChunk], sources: Sources) -> list[Sentence]:
    """The sentences of chunks with their signs and scores, without a share: they are not compared yet."""
    asked = {stem: sources.rarity(stem) for stem in topic(question)}
    passages = [(sources.title(one.chunk.doc_id), one.chunk) for one in ranked]
    wanted, known = expected(question), find_facts(question)
    signed = []
    for one, readings in zip(ranked, sources.reader.read(question, passages), strict=True):
        for (start, end, text), reading in zip(sentences_of(one), readings, strict=True):
            new = [fact for fact in find_facts(text) if all(fact.value != other.value for other in known)]
            signs = {
                "read": reading.chosen,
                "words": _overlap(asked, text),
                "kind": float(any(map(wanted.is_met_by, new))),
                "unit": float(any(map(wanted.is_named_by, new))),
                "rank": one.score,
                "cosine": one.cosine,
            }
            score = _weighed(sources.weights.choosing, signs)
            signed.append(Sentence(one, start, end, text, reading, signs, score, 0.0))
    return signed


def reading_order(chunks: Sequence[RankedChunk]) -> list[RankedChunk]:
    """All chunks: the best; of the others the nearest, which may say it in quite other words; the rest."""
    best, others = chunks[: READ - 1], chunks[READ - 1 :]
    nearest = sorted(others, key=lambda one: -round(one.cosine, 9))[:NEAREST]
    return [*best, *nearest, *(one for one in others if one not in nearest)]


def answerable(question: str, sentences: Sequence[Sentence], sources: Sources) -> float:
    """The probability in [0, 1] that the documents hold the answer, by the sentences read."""
    if not sentences or asks_for_an_opinion(question):
        return 0.0
    stopping, signs = sources.weights.stopping, stopping_signs(question, sentences, sources.mentions)
    return 1 / (1 + math.exp(-_weighed(stopping, signs) - stopping.bias))


def stopping_signs(
    question: str, sentences: Sequence[Sentence], mentions: Callable[[str], bool]
) -> dict[str, float]:
    """The signs of `Stopping`, by name, of sentences that are weighed, best first."""
    names = names_asked_about(question)
    return {
        "answered": _summed([one.reading.answered for one in sentences]),
        "cosine": max(one.chunk.cosine for one in sentences),
        "absent": len(unmentioned(question, mentions)) / max(1, len(names)),
        "lacking": lacking(question, sentences[0]),
    }


def lacking(question: str, best: Sentence) -> float:
    """1 where the best sentence lacks the kind or unit of fact asked for, but for a name, which most have."""
    return float(bool(expected_kinds(question) - {"name"}) and not best.signs["kind"])


def _summed(logits: Sequence[float]) -> float:
    most = max(logits)
    return most + math.log(sum(math.exp(logit - most) for logit in logits))


def sentences_of(ranked: RankedChunk) -> Iterator[tuple[int, int, str]]:
    """The sentences of a chunk; one that announces the next ("You must:") goes on to the end of that.

    Where it announces a code block, it goes on to the end of its first line.
    """
    chunk = ranked.chunk
    texts = [chunk.text[start - chunk.start : end - chunk.start] for start, end in chunk.sentences]
    coded, last = False, len(texts) - 1
    for place, (start, end) in enumerate(chunk.sentences):
        coded ^= _FENCE.match(texts[place]) is not None
        if texts[place].endswith(":"):
            opens = not coded and place < last and _FENCE.match(texts[place + 1]) is not None
            end = chunk.sentences[min(place + 1 + opens, last)][1]
        yield start, end, " ".join(chunk.text[start - chunk.start : end - chunk.start].split())


def tells(text: str) -> bool:
    """Whether a line is a sentence: no heading, no signature, no data or marks for a page, no picture."""
    return (
        count_words(_PICTURE.sub("", text)) >= FEWEST_WORDS
        and not _HEADING.match(text)
        and not _MARKUP.match(text)
    )


def _overlap(asked: dict[str, float], text: str) -> float:
    whole = sum(asked.values())
    held = set(topic(text))
    return sum(weight for stem, weight in asked.items() if stem in held) / whole if whole else 0.0


def _weighed(weights: Choosing | Stopping, signs: dict[str, float]) -> float:
    return sum(float(getattr(weights, name)) * value for name, value in signs.items())


def shares(scores: Sequence[float]) -> list[float]:
    """The probability of each to be the best: the softmax of the scores, which the weights are fitted for."""
    most = max(scores, default=0.0)
    each = [math.exp(score - most) for score in scores]
    whole = sum(each)
    return [one / whole for one in each]
