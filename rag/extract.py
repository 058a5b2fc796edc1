"""The embedded answerer: the best sentences of the best chunks, as they stand, each with its exact citation.

    ranking ─> sentences ─> read, and weighed with other signs ─> one to three claims, or a refusal

It writes nothing of its own, so it can say nothing that no document says. How sentences are weighed is
`Choosing`, and when it stays silent `Stopping`: numbers fitted on third-party questions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rag.chunks import count_words
from rag.citations import Citer, recited, says_the_same
from rag.conflicts import Statement, find_conflicts
from rag.facts import Fact, find_facts
from rag.questions import asks_for_an_opinion, expected_kinds, parts, unmentioned
from rag.reader import Reader, Reading
from rag.terms import topic
from rag.types import Citation, Claim, Conflict, Document, Passage, RankedChunk, Ranking

READ = 4
"""How many chunks the reader reads: with a fifth the answer is as often first, and it takes longer."""
SUPPORTING = 10
"""How many chunks are looked through for others that say the same."""
COMPARED = 40
"""How many are looked through for other values: a sentence may give one in passing, and rank low."""
MOST_CLAIMS = 3
FEWEST_WORDS = 4
"""Shorter sentences are headings and signatures: they answer nothing, unless there is nothing else."""
_HEADING = re.compile(r"#{1,6}\s|```|~~~")
_MARKUP = re.compile(
    r"\W{0,9}(?:\{\s*[\"'{]|<\w+\s[^<>]{0,200}=|\[[^\]]{0,200}\]\([^)]{0,400}\)\W{0,9}$|\[\[\w+:|【)"
)
"""How a line begins that is no sentence but data or marks for a page: JSON, tags, citations, a bare link."""


@dataclass(frozen=True, slots=True)
class Choosing:
    """How much each sign of a sentence counts towards 'this answers the question best'.

    Attributes:
        read: What the reader gives it for choosing, a logit.
        words: The share of what is asked about, by rarity, that the sentence names, in [0, 1].
        kind: 1 where it holds a fact of the kind asked for that the question does not state, else 0.
        rank: The fused score of its chunk, in [0, 1].
    """

    read: float
    words: float
    kind: float
    rank: float


@dataclass(frozen=True, slots=True)
class Stopping:
    """How much each sign of what was read for a question counts towards 'the documents answer it'.

    Attributes:
        surest: The reader's surest answer of all sentences, a logit.
        cosine: The highest cosine of question and chunk, in [-1, 1].
        bias: Added to both.
    """

    surest: float
    cosine: float
    bias: float


# by tools/fit_extract.py
CHOOSING = Choosing(read=0.56, words=1.29, kind=1.58, rank=8.49)
STOPPING = Stopping(surest=0.39, cosine=7.18, bias=-4.71)
STOPPING_ALONE = Stopping(surest=0.61, cosine=0.0, bias=-0.29)
"""For another embedder, whose cosines have a scale of their own; its bias serves the same threshold."""
REFUSED_BELOW = 0.1
"""By this one in fifty answerable questions was refused of those fitted on, the sets counting alike."""
ENOUGH = 0.95
"""Sentences are told until one of them is the best answer with this probability."""
LEAST = 0.05
"""A further sentence is told where it is the best answer with this probability at least."""


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
class Extract:
    """What the documents say by themselves: claims, or why there are none; and the nearest passages.

    Attributes:
        claims: One to three, or none.
        confidence: How likely the documents answer, in [0, 1].
        reason: Why there are no claims, or what of the question is not answered.
        nearest: The best sentences.
        conflicts: Where documents differ.
    """

    claims: tuple[Claim, ...]
    confidence: float
    reason: str
    nearest: tuple[Passage, ...]
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """What an answer is made from.

    Attributes:
        ranking: The chunks to read, best first.
        reader: The embedded reader.
        rarity: Gives how much a stem tells, above 0.
        title: Gives the title of a document, by its id.
        has: Whether a word of a stem stands in any document.
        stopping: What tells an answerable question.
    """

    ranking: Ranking
    reader: Reader
    rarity: Callable[[str], float]
    title: Callable[[str], str]
    has: Callable[[str], bool]
    stopping: Stopping = STOPPING


def extract(question: str, sources: Sources, citer: Citer) -> Extract:
    """Answer with one to three sentences of the ranking, or refuse.

    Args:
        question: The question, standing alone.
        sources: What to answer from.
        citer: Makes the citations.
    """
    asked = parts(question)
    weighed = [weigh(part, sources) for part in asked]
    likely = [answerable(part, sentences, sources) for part, sentences in zip(asked, weighed, strict=True)]
    nearest = _nearest([one for sentences in zip(*weighed, strict=True) for one in sentences], sources.title)
    told = [at for at in range(len(asked)) if weighed[at] and likely[at] >= REFUSED_BELOW]
    if not told:
        return Extract((), max(likely), _reason(question, any(weighed), sources), nearest)
    tellings = [_telling(asked[at], weighed[at], sources, citer.document) for at in told]
    claims = tuple(_claim(one, telling, citer) for one, telling in _in_turn(tellings))
    differing = tuple(recited(one, telling.citer, citer) for telling in tellings for one in telling.conflicts)
    silent = [part for at, part in enumerate(asked) if at not in told]
    return Extract(claims, max(likely), _unanswered(silent), nearest, differing)


def weigh(question: str, sources: Sources) -> list[Sentence]:
    """The sentences of the best chunks, best first."""
    asked = {stem: sources.rarity(stem) for stem in topic(question)}
    ranked = sources.ranking.chunks[:READ]
    passages = [(sources.title(one.chunk.doc_id), one.chunk) for one in ranked]
    kinds, known = expected_kinds(question), find_facts(question)
    rows = []
    for one, readings in zip(ranked, sources.reader.read(question, passages), strict=True):
        for (start, end, text), reading in zip(_sentences(one), readings, strict=True):
            kind = float(any(_is_new(fact, kinds, known) for fact in find_facts(text)))
            words = _overlap(asked, text)
            signs = {"read": reading.chosen, "words": words, "kind": kind, "rank": one.score}
            rows.append((one, start, end, text, reading, signs, _weighed(CHOOSING, signs)))
    rows = [row for row in rows if _tells(row[3])] or rows
    shares = _shares([row[-1] for row in rows])
    weighed = [Sentence(*row, share) for row, share in zip(rows, shares, strict=True)]
    return sorted(weighed, key=lambda one: (-round(one.score, 9), one.doc_id, one.start))


def answerable(question: str, sentences: Sequence[Sentence], sources: Sources) -> float:
    """The probability in [0, 1] that the documents hold the answer, by the sentences read."""
    if not sentences or asks_for_an_opinion(question) or unmentioned(question, sources.has):
        return 0.0
    stopping = sources.stopping
    return 1 / (1 + math.exp(-_weighed(stopping, stopping_signs(sentences)) - stopping.bias))


def stopping_signs(sentences: Sequence[Sentence]) -> dict[str, float]:
    """The signs of `Stopping`, by name."""
    return {
        "surest": max(one.reading.answered for one in sentences),
        "cosine": max(one.chunk.cosine for one in sentences),
    }


def _sentences(ranked: RankedChunk) -> Iterator[tuple[int, int, str]]:
    """The sentences of a chunk; one that announces the next ("You must:") goes on to the end of that."""
    chunk = ranked.chunk
    ends = [end for _, end in chunk.sentences]
    for place, (start, end) in enumerate(chunk.sentences):
        announces = chunk.text[start - chunk.start : end - chunk.start].endswith(":")
        end = ends[place + 1] if announces and place + 1 < len(ends) else end
        yield start, end, " ".join(chunk.text[start - chunk.start : end - chunk.start].split())


def _tells(text: str) -> bool:
    return count_words(text) >= FEWEST_WORDS and not _HEADING.match(text) and not _MARKUP.match(text)


def _overlap(asked: dict[str, float], text: str) -> float:
    whole = sum(asked.values())
    held = set(topic(text))
    return sum(weight for stem, weight in asked.items() if stem in held) / whole if whole else 0.0


def _is_new(fact: Fact, kinds: frozenset[str], known: Sequence[Fact]) -> bool:
    return fact.kind in kinds and all(fact.value != other.value for other in known)


def _weighed(weights: Choosing | Stopping, signs: dict[str, float]) -> float:
    return sum(float(getattr(weights, name)) * value for name, value in signs.items())


def _shares(scores: Sequence[float]) -> list[float]:
    """The probability of each to be the best: the softmax of the scores, which the weights are fitted for."""
    most = max(scores, default=0.0)
    each = [math.exp(score - most) for score in scores]
    whole = sum(each)
    return [one / whole for one in each]


def _choose(sentences: Sequence[Sentence], question: str) -> list[Sentence]:
    """The fewest sentences of which one is the best answer, surely enough; none that says the same again."""
    chosen, held = [sentences[0]], sentences[0].share
    for sentence in sentences[1:]:
        if len(chosen) == MOST_CLAIMS or held >= ENOUGH or sentence.share < LEAST:
            break
        if not any(_repeats(sentence, other, question) for other in chosen):
            chosen.append(sentence)
        held += sentence.share
    return chosen


@dataclass(frozen=True, slots=True)
class _Telling:
    """What is told of one part of a question.

    Attributes:
        question: The part.
        told: The sentences to tell, the best first.
        near: The sentences that may say the same, best first.
        conflicts: Where documents differ on it.
        citer: What made the citations of the conflicts.
    """

    question: str
    told: tuple[Statement, ...]
    near: tuple[Statement, ...]
    conflicts: tuple[Conflict, ...]
    citer: Citer


def _telling(
    question: str, sentences: Sequence[Sentence], sources: Sources, document: Callable[[str], Document]
) -> _Telling:
    citer, chunks = Citer(document), sources.ranking.chunks
    compared = statements(sentences, chunks[:COMPARED])
    conflicts = find_conflicts(question, compared, expected_kinds(question), citer)
    told = [as_statement(one) for one in _choose(sentences, question)]
    if conflicts:
        told = _of_each_side(told[0], conflicts, citer)
    near = statements(sentences, chunks[:SUPPORTING])
    return _Telling(question, tuple(told), tuple(near), conflicts, citer)


def _of_each_side(best: Statement, conflicts: Sequence[Conflict], citer: Citer) -> list[Statement]:
    """The best sentence, and one of each side that it does not stand on, three in all."""
    told = [best]
    for side in (side for conflict in conflicts for side in conflict.sides):
        cited = [citer.citations[marker - 1] for marker in side.citations]
        if not any((one.doc_id, one.start) == (best.doc_id, best.start) for one in cited):
            first = cited[0]
            told.append(Statement(first.doc_id, first.start, first.end, " ".join(first.quote.split())))
    return told[:MOST_CLAIMS]


def _in_turn(tellings: Sequence[_Telling]) -> list[tuple[Statement, _Telling]]:
    """The first sentence of each part, then the second …, three in all, each with its part."""
    turns = sorted((turn, at) for at, telling in enumerate(tellings) for turn in range(len(telling.told)))
    picked: dict[tuple[str, int], tuple[int, int]] = {}
    for turn, at in turns:
        one = tellings[at].told[turn]
        if len(picked) < MOST_CLAIMS:
            picked.setdefault((one.doc_id, one.start), (at, turn))
    return [(tellings[at].told[turn], tellings[at]) for at, turn in sorted(picked.values())]


def _repeats(sentence: Sentence, other: Sentence, question: str) -> bool:
    if sentence.doc_id == other.doc_id and sentence.start < other.end and other.start < sentence.end:
        return True
    kinds = expected_kinds(question)
    return says_the_same(other.text, sentence.text, question, kinds, other.answer) or says_the_same(
        sentence.text, other.text, question, kinds, sentence.answer
    )


def _claim(told: Statement, telling: _Telling, citer: Citer) -> Claim:
    """A sentence as a claim: cited where it stands, and where another document says the same best."""
    cited: dict[str, Citation] = {told.doc_id: citer.cite(told.doc_id, told.start, told.end)}
    kinds = expected_kinds(telling.question)
    for one in telling.near:
        if one.doc_id not in cited and says_the_same(
            told.text, one.text, telling.question, kinds, told.answer
        ):
            cited[one.doc_id] = citer.cite(one.doc_id, one.start, one.end)
    return Claim(told.text, tuple(one.marker for one in cited.values()), tuple(sorted(cited)))


def statements(read: Sequence[Sentence], chunks: Sequence[RankedChunk]) -> list[Statement]:
    """What may say the same or another value: the sentences read, best first, then others of the chunks."""
    seen = {(one.doc_id, one.start) for one in read}
    others = (
        Statement(ranked.chunk.doc_id, start, end, text)
        for ranked in chunks
        for start, end, text in _sentences(ranked)
        if (ranked.chunk.doc_id, start) not in seen and _tells(text)
    )
    return [*map(as_statement, read), *others]


def as_statement(sentence: Sentence) -> Statement:
    """A sentence as what may state a value."""
    reading = sentence.reading
    return Statement(
        doc_id=sentence.doc_id,
        start=sentence.start,
        end=sentence.end,
        text=sentence.text,
        answer=sentence.answer,
        begins=sentence.answer_begins,
        chosen=reading.chosen,
        spanned=reading.spanned,
        share=sentence.share,
    )


def _reason(question: str, read: bool, sources: Sources) -> str:
    if not read:
        return "There is nothing in the documents to answer from."
    if asks_for_an_opinion(question):
        return "The documents do not say: the question asks for an opinion of its reader."
    if absent := unmentioned(question, sources.has):
        return f"The documents do not mention {' or '.join(absent)}."
    return "The documents do not say."


def _unanswered(asked: Sequence[str]) -> str:
    if not asked:
        return ""
    return "The documents do not say: " + "; ".join(f"{one.rstrip(' ?')}?" for one in asked)


def _nearest(sentences: Sequence[Sentence], title: Callable[[str], str]) -> tuple[Passage, ...]:
    spans = {(one.doc_id, one.start): one for one in reversed(sentences)}
    first = sorted(spans.values(), key=sentences.index)[:MOST_CLAIMS]
    return tuple(Passage(one.doc_id, title(one.doc_id), one.start, one.end, one.quote) for one in first)
