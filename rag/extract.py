"""The embedded answerer: the best sentences of the best chunks, as they stand, each with its exact citation.

    ranking ─> sentences ─> read, and weighed with other signs ─> one to three claims, or a refusal

It writes nothing of its own, so it can say nothing that no document says. How sentences are weighed stands in
`rag/weigh.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rag.citations import Citer, recited, says_the_same
from rag.conflicts import find_conflicts
from rag.expected import expected_kinds
from rag.questions import asks_for_an_opinion, asks_nothing, parts, standing_alone, unmentioned
from rag.statements import Statement
from rag.types import Citation, Claim, Conflict, Document, Passage, RankedChunk
from rag.weigh import Sentence, Sources, answerable, sentences_of, tells, weigh

SUPPORTING = 10
"""How many chunks are looked through for others that say the same."""
COMPARED = 40
"""How many are looked through for other values: a sentence may give one in passing, and rank low."""
MOST_CLAIMS = 3
REFUSED_BELOW = 0.176
"""By this five in a hundred answerable questions were refused of those fitted on, the sets counting alike."""
ENOUGH = 0.95
"""Sentences are told until one of them is the best answer with this probability."""
LEAST = 0.05
"""A further sentence is told where it is the best answer with this probability at least."""


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


def extract(question: str, sources: Sources, citer: Citer) -> Extract:
    """Answer with one to three sentences of the ranking, or refuse.

    Args:
        question: The question, standing alone.
        sources: What to answer from.
        citer: Makes the citations.
    """
    if asks_nothing(question):
        return Extract((), 0.0, "That asks for nothing that documents could say.", ())
    as_asked = parts(question)
    asked = standing_alone(as_asked)
    weighed = [weigh(part, sources) for part in asked]
    likely = [answerable(part, sentences, sources) for part, sentences in zip(asked, weighed, strict=True)]
    by_turns = [one for sentences in zip_longest(*weighed) for one in sentences if one is not None]
    nearest = _nearest(by_turns, sources.title)
    told = [at for at in range(len(asked)) if weighed[at] and likely[at] >= REFUSED_BELOW]
    if not told:
        return Extract((), max(likely), _reason(question, any(weighed), sources), nearest)
    tellings = [_telling(asked[at], weighed[at], sources, citer.document) for at in told]
    claims = tuple(_claim(one, telling, citer) for one, telling in _in_turn(tellings))
    differing = tuple(recited(one, telling.citer, citer) for telling in tellings for one in telling.conflicts)
    silent = [part for at, part in enumerate(as_asked) if at not in told]
    return Extract(claims, max(likely), _unanswered(silent), nearest, differing)


def choose(sentences: Sequence[Sentence], question: str) -> list[Sentence]:
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
    told = [as_statement(one) for one in choose(sentences, question)]
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
        for start, end, text in sentences_of(ranked)
        if (ranked.chunk.doc_id, start) not in seen and tells(text)
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
    names = (name for part in parts(question) for name in unmentioned(part, sources.mentions))
    if absent := dict.fromkeys(names):
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
