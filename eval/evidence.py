"""What an answer rests on: citations, annotated sentences, documents and the ranking; measures of a Case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, get_args

from eval.answers import Case, Span, covers, cut, sentences_of, span_of
from eval.dataset import Evidence, Question
from eval.records import Value
from rag.citations import uncarried
from rag.errors import CitewellError
from rag.facts import find_facts, turns
from rag.sentences import sentence_spans
from rag.terms import topic
from rag.types import Status

Json = Mapping[str, Any]
RETRIEVAL = ("Success@1", "R@5", "R@10", "RR@10", "nDCG@10")
"""What ir-measures calls its measures."""
_WORD = re.compile(r"\w+(?:[.,]\d+)*")
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
    """The share of answers that break a promise of the citations, or of the form of an answer, in any way.

    Source: the contract of an answer: markers count from 1 and resolve, quotes are exact, no sentence is
    empty, the status is one of four and fits what is told, confidence is in [0, 1], documents named as
    support are there, and a refusal has a reason and neither claims, citations nor conflicts.
    """
    return int(any(faults(case))), 1


def citation_recall(case: Case) -> Value:
    """The share of sentences that their citations, together, carry.

    Source: ALCE, Gao et al. 2023, "Enabling Large Language Models to Generate Text with Citations".
    In place of its language model: the sentence is a whole one of the cited words, or these hold its typed
    facts, what it denies and what it is about. Words are cut from the documents, whatever a quote says. It is
    pooled over sentences, where ALCE averages over answers, and 1 by construction for an answerer that
    copies the sentences it cites.
    """
    claims = case.answer["claims"]
    return len(claims) - len(uncarried_claims(case)), len(claims)


def citation_precision(case: Case) -> Value:
    """The share of citations that help: their sentence is carried, by this one alone or not without it.

    Source: as `citation_recall`, pooled over citations, each once a sentence; those of a sentence that is not
    carried count as not needed.
    """
    told = [(claim["text"], _claim_spans(case, claim)) for claim in case.answer["claims"]]
    return sum(_needed(*one, case.texts) for one in told), sum(len(spans) for _, spans in told)


def evidence_found(case: Case) -> Value:
    """The share of the answers given that cite a gold fact's place: half of it, or a whole sentence of it.

    Source: the definition is ours.
    """
    facts = case.question.facts
    if not facts or case.refused or not case.question.answerable:
        return None
    places = [(fact.doc_id, fact.start, fact.end) for fact in facts]
    return int(any(covers(span, place, case.texts) for span in _cited(case) for place in places)), 1


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

    Cited words count where they hold half the characters of an annotated sentence, or a whole sentence of
    it; over the answers given. Source: supporting facts, Yang et al. 2018, "HotpotQA".
    """
    gold = _annotated(case)
    if case.refused or not gold:
        return None
    cited = _sentences(_cited(case), case.texts)
    return sum(any(covers(one, other, case.texts) for other in gold) for one in cited), len(cited)


def sentence_recall(case: Case) -> Value:
    """The share of sentences annotated as evidence that are cited.

    Source: as `sentence_precision`.
    """
    gold = _annotated(case)
    if case.refused or not gold:
        return None
    cited = _sentences(_cited(case), case.texts)
    return sum(any(covers(one, other, case.texts) for one in cited) for other in gold), len(gold)


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
    """The share of questions all of whose annotated documents are among those of the ten best chunks.

    Source: Tang and Yang 2024, "MultiHop-RAG": a question over several documents needs them all.
    """
    wanted = relevant(case.question)
    return (int(wanted <= set(documents(case.ranking)[:DEPTH])), 1) if wanted else None


def success_at_1(case: Case) -> Value:
    """The share of questions whose first document is an annotated one.

    Here and in the other measures of retrieval the ranking is the documents of the ten best chunks, which
    are ten or fewer, each at the place of its best chunk. Source: Success@k as ir-measures computes it
    (MacAvaney et al. 2022, "Streamlining Evaluation with ir-measures").
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
    shown = _sentences(_spans(case.shown), case.texts)
    return any(covers(one, other, case.texts) for one in shown for other in gold)


def uncarried_claims(case: Case) -> list[str]:
    """The sentences of the answer that their citations, together, do not carry."""
    return [
        claim["text"]
        for claim in case.answer["claims"]
        if not _carries(claim["text"], _claim_spans(case, claim), case.texts)
    ]


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
            at = f"{one['doc_id']} {one['start']} to {one['end']}"
            yield f"[{one['marker']}] is not exact: {at} is not {one['quote']!r}"
    yield from _claim_faults(case)
    sides = [side for conflict in answer["conflicts"] for side in conflict["sides"]]
    for holder in (*answer["claims"], *sides):
        for marker in sorted(set(holder["citations"]) - set(markers)):
            yield f"[{marker}] names no citation: {holder.get('text', holder.get('value'))!r}"
    for passage in answer["nearest"]:  # the text of a document that is no plain text may not be known
        if passage["doc_id"] in case.texts and not is_exact(passage, case.texts):
            at = f"{passage['doc_id']} {passage['start']} to {passage['end']}"
            yield f"a nearest passage is not exact: {at}"
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


def _claim_faults(case: Case) -> Iterator[str]:
    known = {*case.texts, *documents(case.ranking)}
    for claim in case.answer["claims"]:
        if not claim["text"].strip():
            yield "a sentence is empty"
        if not claim["citations"]:
            yield f"no citation: {claim['text']!r}"
        for doc_id in sorted(set(claim["support"]) - known):
            yield f"named as support, and no document: {doc_id!r}"


def _status_faults(answer: Json) -> Iterator[str]:
    status, differing = answer["status"], len(answer["conflicts"])
    refused, empty = status == "refused", not answer["claims"]
    if status not in get_args(Status):
        yield f"the status {status!r} is none of {', '.join(get_args(Status))}"
    if refused != empty:
        yield f"the status is {status!r} with {len(answer['claims'])} claims"
    if (status == "conflict") != bool(differing):
        yield f"the status is {status!r} with {differing} conflicts"
    if not 0 <= answer["confidence"] <= 1:
        yield f"the confidence {answer['confidence']} is not between 0 and 1"
    if refused and answer["citations"]:
        yield f"a refusal has {len(answer['citations'])} citations"
    if refused and not answer["reason"]:
        yield "a refusal gives no reason"


def _claim_spans(case: Case, claim: Json) -> list[Span]:
    """What a claim cites, each marker once; a marker that names nothing is a span of no document."""
    cited = {citation["marker"]: span_of(citation) for citation in case.answer["citations"]}
    return [cited.get(marker, ("", 0, 0)) for marker in dict.fromkeys(claim["citations"])]


def _carries(sentence: str, spans: Sequence[Span], texts: Mapping[str, str]) -> bool:
    """Whether cited words, together, carry a sentence; they do not where one of them is nowhere."""
    if not spans or not all(cut(span, texts) for span in spans) or not any(map(str.isalnum, sentence)):
        return False
    # on one line a list may be cut in other places than in its document
    if any(_stands(sentence, span, texts) for span in spans):
        return True
    pieces = [sentence[start:end] for start, end in sentence_spans(sentence)]
    return all(
        any(_stands(piece, span, texts) for span in spans) or _says(piece, spans, texts) for piece in pieces
    )


def _says(sentence: str, spans: Sequence[Span], texts: Mapping[str, str]) -> bool:
    """Whether cited words say a sentence in other words, and the words around them do not deny it."""
    quotes = [_cut_words(span, texts) for span in spans]
    if uncarried(sentence, quotes) or not (topic(sentence) or find_facts(sentence)):
        return False
    return not turns(sentence, [_whole(span, texts) for span in spans])


def _stands(sentence: str, span: Span, texts: Mapping[str, str]) -> bool:
    """Whether a sentence is one or more whole ones of a document, within a span, white space apart."""
    text, words = texts[span[0]], " ".join(sentence.split())
    joined, begins, ends = "", set(), set()
    for start, end in sentences_of(text):
        if span[1] <= start and end <= span[2]:
            begins.add(len(joined))
            joined += " ".join(text[start:end].split())
            ends.add(len(joined))
            joined += " "
    return any(begin + len(words) in ends for begin in begins if joined.startswith(words, begin))


def _cut_words(span: Span, texts: Mapping[str, str]) -> str:
    """The whole words and numbers of a span: who cuts "5 million" out of "25 million" cites "million"."""
    (_, start, end), text = span, texts[span[0]]
    for word in _WORD.finditer(text):
        if word.start() < start < word.end():
            start = word.end()
        if word.start() < end < word.end():
            end = word.start()
    return text[start:end]


def _whole(span: Span, texts: Mapping[str, str]) -> str:
    """The sentences that a span touches, whole: what they deny may stand before the words cited."""
    text = texts[span[0]]
    touched = [one for one in sentences_of(text) if one[0] < span[2] and span[1] < one[1]]
    return text[touched[0][0] : touched[-1][1]] if touched else cut(span, texts)


def _needed(sentence: str, spans: Sequence[Span], texts: Mapping[str, str]) -> int:
    if not _carries(sentence, spans, texts):
        return 0
    return sum(
        _carries(sentence, [span], texts) or not _carries(sentence, [*spans[:at], *spans[at + 1 :]], texts)
        for at, span in enumerate(spans)
    )


def _cited(case: Case) -> list[Span]:
    """The spans that the claims cite, each once."""
    markers = {marker for claim in case.answer["claims"] for marker in claim["citations"]}
    return _spans(citation for citation in case.answer["citations"] if citation["marker"] in markers)


def _spans(passages: Iterable[Json]) -> list[Span]:
    return list(dict.fromkeys(map(span_of, passages)))


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


def _f1(spans: Sequence[Span], case: Case) -> float | None:
    gold = _annotated(case)
    if not gold:
        return None
    cited = _sentences(spans, case.texts)
    matched = sum(any(covers(one, other, case.texts) for other in gold) for one in cited)
    recalled = sum(any(covers(one, other, case.texts) for one in cited) for other in gold)
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
