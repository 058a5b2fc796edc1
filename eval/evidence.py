"""What an answer rests on: citations, annotated sentences, documents and the ranking; measures of a Case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from eval.answers import Case
from eval.dataset import Evidence, Question
from eval.records import Value
from rag.citations import uncarried
from rag.errors import CitewellError
from rag.sentences import sentence_spans

Json = Mapping[str, Any]
Span = tuple[str, int, int]
"""doc_id, start and end, in document characters."""
RETRIEVAL = ("Success@1", "R@5", "R@10", "RR@10", "nDCG@10")
"""What ir-measures calls its measures."""
DEPTH = 10
"""How many documents of a ranking are looked at."""


def exact_citations(case: Case) -> Value:
    """The share of citations whose quote is the document's text from `start` to `end`, to the character.

    Source: the promise of the engine; the definition is ours.
    """
    citations = case.answer["citations"]
    return sum(is_exact(citation, case.texts) for citation in citations), len(citations)


def cited_claims(case: Case) -> Value:
    """The share of sentences that have a citation, and none that leads nowhere.

    Source: the promise of the engine; the definition is ours.
    """
    markers = {citation["marker"] for citation in case.answer["citations"]}
    claims = case.answer["claims"]
    cited = sum(bool(claim["citations"]) and markers.issuperset(claim["citations"]) for claim in claims)
    return cited, len(claims)


def broken_answers(case: Case) -> Value:
    """The share of answers that break a promise of the citations, or of a refusal, in any way.

    Source: the contract of an answer: markers count from 1 and resolve, quotes are exact, a refusal has a
    reason and neither claims nor citations.
    """
    return int(any(faults(case))), 1


def citation_recall(case: Case) -> Value:
    """The share of sentences that their citations, together, carry.

    Source: ALCE, Gao et al. 2023, "Enabling Large Language Models to Generate Text with Citations".
    In place of its language model: the sentence stands in a quote, or the quotes hold its typed facts, what
    it denies and what it is about.
    """
    claims = case.answer["claims"]
    return sum(_carries(claim["text"], _quotes(case, claim)) for claim in claims), len(claims)


def citation_precision(case: Case) -> Value:
    """The share of citations that help: their sentence is carried, by this one alone or not without it.

    Source: as `citation_recall`; citations of a sentence that is not carried count as not needed.
    """
    quotes = [(claim["text"], _quotes(case, claim)) for claim in case.answer["claims"]]
    return sum(_needed(*one) for one in quotes), sum(len(cited) for _, cited in quotes)


def evidence_found(case: Case) -> Value:
    """The share of the answers given that cite words of a gold fact's place.

    Source: the definition is ours.
    """
    facts = case.question.facts
    if not facts or case.refused or not case.question.answerable:
        return None
    places = [(fact.doc_id, fact.start, fact.end) for fact in facts]
    return int(any(_overlap(span, place) > 0 for span in _cited(case) for place in places)), 1


def evidence_documents(case: Case) -> Value:
    """The share of the annotated documents that the answers given cite.

    Source: recall of supporting documents, Yang et al. 2018, "HotpotQA".
    """
    wanted = relevant(case.question)
    if not wanted or case.refused or not case.question.answerable:
        return None
    cited = {citation["doc_id"] for citation in case.answer["citations"]}
    return len(wanted & cited), len(wanted)


def support(case: Case) -> Value:
    """The share of the documents that say a fact which the answers given cite or name as support.

    Over questions whose facts stand in at least two documents. Source: the definition is ours.
    """
    wanted = {fact.doc_id for fact in case.question.facts}
    if len(wanted) < 2 or case.refused or not case.question.answerable:
        return None
    named = {citation["doc_id"] for citation in case.answer["citations"]}
    named.update(doc_id for claim in case.answer["claims"] for doc_id in claim["support"])
    return len(wanted & named), len(wanted)


def sentence_precision(case: Case) -> Value:
    """The share of cited sentences that are annotated as evidence.

    Two sentences are the same where they share at least half the characters of the shorter one; over the
    answers given. Source: supporting facts, Yang et al. 2018, "HotpotQA".
    """
    gold = _annotated(case)
    if case.refused or not gold:
        return None
    cited = _sentences(_cited(case), case.texts)
    return sum(any(_same(one, other) for other in gold) for one in cited), len(cited)


def sentence_recall(case: Case) -> Value:
    """The share of sentences annotated as evidence that are cited.

    Source: as `sentence_precision`.
    """
    gold = _annotated(case)
    if case.refused or not gold:
        return None
    cited = _sentences(_cited(case), case.texts)
    return sum(any(_same(one, other) for other in cited) for one in gold), len(gold)


def sentence_f1(case: Case) -> Value:
    """The mean F1 of the cited sentences against those annotated as evidence, over the answers given.

    Source: as `sentence_precision`.
    """
    return None if case.refused else _f1(_cited(case), case)


def shown_f1(case: Case) -> Value:
    """The mean F1 of the shown sentences against those annotated as evidence, over all answerable questions.

    Before the decision to refuse: of a refusal the nearest passages are looked at. Source: as
    `sentence_precision`.
    """
    return _f1(_spans(case.shown) if case.refused else _cited(case), case)


def all_evidence(case: Case) -> Value:
    """The share of questions all of whose annotated documents are among the first ten.

    Source: Tang and Yang 2024, "MultiHop-RAG": a question over several documents needs them all.
    """
    wanted = relevant(case.question)
    return (int(wanted <= set(documents(case.ranking)[:DEPTH])), 1) if wanted else None


def success_at_1(case: Case) -> Value:
    """The share of questions whose first document is an annotated one.

    Documents stand at the place of their best chunk, here and in the other measures of retrieval. Source:
    Success@k as ir-measures computes it (MacAvaney et al. 2022, "Streamlining Evaluation with ir-measures").
    """
    value = _retrieved(case, "Success@1")
    return None if value is None else (int(value), 1)


def recall_at_5(case: Case) -> Value:
    """The mean share of the annotated documents that are among the first five.

    Source: R@k, as `success@1`.
    """
    return _retrieved(case, "R@5")


def recall_at_10(case: Case) -> Value:
    """The mean share of the annotated documents that are among the first ten.

    Source: R@k, as `success@1`.
    """
    return _retrieved(case, "R@10")


def reciprocal_rank(case: Case) -> Value:
    """The mean of 1 / the rank of the first annotated document among the first ten, 0 where there is none.

    Source: RR@k, as `success@1`.
    """
    return _retrieved(case, "RR@10")


def ndcg(case: Case) -> Value:
    """The mean discounted gain of the annotated documents among the first ten, of the best that it could be.

    Source: Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques"; as `success@1`.
    """
    return _retrieved(case, "nDCG@10")


def relevant(question: Question) -> set[str]:
    """The documents that are annotated as holding the answer."""
    found = {piece.doc_id for piece in question.evidence} | {fact.doc_id for fact in question.facts}
    return found if question.answerable else set()


def documents(ranking: Iterable[Json]) -> list[str]:
    """The documents of a ranking, each at the place of its best chunk.

    Examples:
        >>> documents([{"doc_id": "b"}, {"doc_id": "a"}, {"doc_id": "b"}])
        ['b', 'a']
    """
    return list(dict.fromkeys(chunk["doc_id"] for chunk in ranking))


def shows_evidence(case: Case) -> bool | None:
    """Whether a sentence shown is one annotated as evidence; None where the set gives none of the words."""
    gold = _annotated(case)
    if not gold:
        return None
    return any(_same(one, other) for one in _sentences(_spans(case.shown), case.texts) for other in gold)


def is_exact(citation: Json, texts: Mapping[str, str]) -> bool:
    """Whether a citation is words of a document, exactly where it says."""
    text, quote = texts.get(citation["doc_id"]), citation["quote"]
    start, end = citation["start"], citation["end"]
    return text is not None and bool(quote) and 0 <= start < end and text[start:end] == quote


def faults(case: Case) -> Iterator[str]:
    """What breaks the promise of the citations, each in words for a person; nothing where it is kept."""
    answer = case.answer
    markers = [citation["marker"] for citation in answer["citations"]]
    if markers != list(range(1, len(markers) + 1)):
        yield f"the markers are {markers}, and not 1 to {len(markers)}"
    for one in answer["citations"]:
        if not is_exact(one, case.texts):
            place = f"{one['doc_id']} {one['start']} to {one['end']}"
            yield f"[{one['marker']}] is not exact: {place} is not {one['quote']!r}"
    for claim in answer["claims"]:
        if not claim["citations"]:
            yield f"no citation: {claim['text']!r}"
    sides = [side for conflict in answer["conflicts"] for side in conflict["sides"]]
    for holder in (*answer["claims"], *sides):
        for marker in sorted(set(holder["citations"]) - set(markers)):
            yield f"[{marker}] names no citation: {holder.get('text', holder.get('value'))!r}"
    yield from _status_faults(answer)


def place(quote: str, text: str) -> tuple[int, int] | None:
    """Where words stand in a text, whatever its spaces, case and punctuation; None where they do not.

    Sets annotate words of a document as they were cut and spaced for another program.

    Examples:
        >>> place("It recurs , over one - year periods .", "Well: it recurs, over one-year periods. So.")
        (6, 38)
    """
    at = text.find(quote) if quote else -1
    if at >= 0:
        return at, at + len(quote)
    letters, where = _letters(text)
    wanted, _ = _letters(quote)
    begin = letters.find(wanted) if wanted else -1
    return (where[begin], where[begin + len(wanted) - 1] + 1) if begin >= 0 else None


def _status_faults(answer: Json) -> Iterator[str]:
    refused, empty = answer["status"] == "refused", not answer["claims"]
    if refused != empty:
        yield f"the status is {answer['status']!r} with {len(answer['claims'])} claims"
    if refused and answer["citations"]:
        yield f"a refusal has {len(answer['citations'])} citations"
    if refused and not answer["reason"]:
        yield "a refusal gives no reason"


def _quotes(case: Case, claim: Json) -> list[str]:
    quotes = {citation["marker"]: citation["quote"] for citation in case.answer["citations"]}
    return [quotes[marker] for marker in claim["citations"] if marker in quotes]


def _carries(sentence: str, quotes: Sequence[str]) -> bool:
    words = " ".join(sentence.split())
    stands = any(words in " ".join(quote.split()) for quote in quotes)
    return bool(quotes) and (stands or not uncarried(sentence, quotes))


def _needed(sentence: str, quotes: Sequence[str]) -> int:
    if not _carries(sentence, quotes):
        return 0
    others = [[*quotes[:at], *quotes[at + 1 :]] for at in range(len(quotes))]
    return sum(
        _carries(sentence, [quote]) or not _carries(sentence, rest)
        for quote, rest in zip(quotes, others, strict=True)
    )


def _cited(case: Case) -> list[Span]:
    """The spans that the claims cite, each once."""
    markers = {marker for claim in case.answer["claims"] for marker in claim["citations"]}
    return _spans(citation for citation in case.answer["citations"] if citation["marker"] in markers)


def _spans(passages: Iterable[Json]) -> list[Span]:
    return list(dict.fromkeys((one["doc_id"], one["start"], one["end"]) for one in passages))


def _annotated(case: Case) -> list[Span]:
    """The annotated sentences that stand in the documents; of an answerable question only."""
    if not case.question.answerable:
        return []
    found = (_placed(piece, case.texts) for piece in case.question.evidence if piece.text)
    return list(dict.fromkeys(span for span in found if span is not None))


def _placed(piece: Evidence, texts: Mapping[str, str]) -> Span | None:
    found = place(piece.text, texts.get(piece.doc_id, ""))
    return (piece.doc_id, *found) if found else None


def _sentences(spans: Sequence[Span], texts: Mapping[str, str]) -> list[Span]:
    """The sentences of spans, each once, in document characters."""
    found = (
        (doc_id, start + begin, start + stop)
        for doc_id, start, end in spans
        for begin, stop in sentence_spans(texts.get(doc_id, "")[start:end])
    )
    return list(dict.fromkeys(found))


def _overlap(one: Span, other: Span) -> int:
    """How many characters two spans share."""
    return max(0, min(one[2], other[2]) - max(one[1], other[1])) if one[0] == other[0] else 0


def _same(one: Span, other: Span) -> bool:
    shorter = min(one[2] - one[1], other[2] - other[1])
    return 0 < shorter <= 2 * _overlap(one, other)


def _f1(spans: Sequence[Span], case: Case) -> float | None:
    gold = _annotated(case)
    if not gold:
        return None
    cited = _sentences(spans, case.texts)
    matched = sum(any(_same(one, other) for other in gold) for one in cited)
    recalled = sum(any(_same(one, other) for other in cited) for one in gold)
    if not matched or not recalled:
        return 0.0
    precision, recall = matched / len(cited), recalled / len(gold)
    return 2 * precision * recall / (precision + recall)


@lru_cache(maxsize=4096)
def _letters(text: str) -> tuple[str, tuple[int, ...]]:
    """The letters and digits of a text in lower case, and where each stands."""
    kept = [(at, one) for at, letter in enumerate(text) for one in letter.casefold() if one.isalnum()]
    return "".join(one for _, one in kept), tuple(at for at, _ in kept)


def _retrieved(case: Case, name: str) -> float | None:
    wanted = relevant(case.question)
    return _measured(tuple(sorted(wanted)), tuple(documents(case.ranking)))[name] if wanted else None


@lru_cache(maxsize=256)
def _measured(wanted: Sequence[str], ranked: Sequence[str]) -> dict[str, float]:
    """The measures of retrieval of one question, by the names of ir-measures."""
    try:
        import ir_measures
    except ImportError:
        raise CitewellError(
            "Retrieval is measured by ir-measures, which is not installed. Run `pip install ir-measures`."
        ) from None
    if not ranked:
        return dict.fromkeys(RETRIEVAL, 0.0)
    run = {doc_id: 1.0 / rank for rank, doc_id in enumerate(ranked, start=1)}
    measures = [ir_measures.parse_measure(name) for name in RETRIEVAL]
    found = ir_measures.iter_calc(measures, {"q": dict.fromkeys(wanted, 1)}, {"q": run})
    return {str(one.measure): float(one.value) for one in found}
