"""What is measured: pure functions on a question, an answer as JSON, and the texts of the documents.

    Question + Answer JSON + texts -> Score -> (all Scores) -> Summary: a Rate by measure

Unscored is not wrong: a measure that does not apply is None, and a rate over nothing has no value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from eval.dataset import GoldFact, Question
from eval.values import states, states_value

Json = Mapping[str, Any]
Z95 = 1.959963984540054
"""The standard normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of how many.

    Examples:
        >>> Rate(3, 4).value, Rate(0, 0).value
        (0.75, None)
    """

    count: int
    total: int

    @property
    def value(self) -> float | None:
        """The share in [0, 1], or None over nothing."""
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval by Wilson's score method, or None over nothing.

        Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
        JASA 22 (1927), 209-212.
        """
        if not self.total:
            return None
        share, square = self.count / self.total, Z95 * Z95
        centre = (share + square / (2 * self.total)) / (1 + square / self.total)
        spread = sqrt(share * (1 - share) / self.total + square / (4 * self.total**2))
        half = Z95 * spread / (1 + square / self.total)
        return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True, slots=True)
class Score:
    """One answer, judged.

    Attributes:
        id: The question's.
        answerable: Whether the documents hold the answer.
        answered: Whether the answer is anything but a refusal.
        vital: Vital facts found, of all vital ones.
        facts: Facts found, of all.
        missed: The values of the vital facts that were not found.
        wrong: The rejected values that the answer states.
        answer_found: Whether one of the short answers is stated; None where facts decide, or there is none.
        citations: Citations that are exact, of all.
        claims: Claims with at least one citation and no dangling marker, of all.
        faults: What is wrong with the citations, for a person.
        evidence_found: Whether a citation overlaps a gold quote; None where the set gives no place.
        support: Gold documents that the answer cites or names as support, of all; of answered questions only.
    """

    id: str
    answerable: bool
    answered: bool
    vital: Rate
    facts: Rate
    missed: tuple[str, ...]
    wrong: tuple[str, ...]
    answer_found: bool | None
    citations: Rate
    claims: Rate
    faults: tuple[str, ...]
    evidence_found: bool | None
    support: Rate

    @property
    def right(self) -> bool:
        """Refused where it should be; else answered with all vital facts, none wrong, citations in order."""
        if not self.answerable:
            return not self.answered and not self.faults
        told = self.answered and self.answer_found is not False
        return told and not (self.missed or self.wrong or self.faults)


def score(question: Question, answer: Json, texts: Mapping[str, str]) -> Score:
    """Judge one answer.

    Args:
        question: With its gold facts, where the set has them.
        answer: The Answer as JSON.
        texts: The documents' texts by doc_id; a cited document that is not there is a fault.
    """
    told = claims_text(answer)
    vital, every, missed = found_facts(question.facts, told)
    faults = tuple(citation_faults(answer, texts))
    return Score(
        id=question.id,
        answerable=question.answerable,
        answered=answer["status"] != "refused",
        vital=vital,
        facts=every,
        missed=missed,
        wrong=wrong_values(question.facts, told),
        answer_found=answer_found(question, told),
        citations=exact_citations(answer, texts),
        claims=cited_claims(answer),
        faults=faults,
        evidence_found=evidence_found(question.facts, answer),
        support=support_found(question.facts, answer),
    )


def claims_text(answer: Json) -> str:
    """The sentences of an answer, one a line; a refusal's reason is not among them."""
    return "\n".join(claim["text"] for claim in answer["claims"])


def found_facts(facts: Sequence[GoldFact], told: str) -> tuple[Rate, Rate, tuple[str, ...]]:
    """Fact recall: vital facts found, all facts found, and the vital values that are missing.

    A value counts once, in however many documents it stands. Source: vital and okay nuggets, E. Voorhees,
    "Overview of the TREC 2003 question answering track" (2004), section 4.
    """
    values: dict[tuple[str, str], list[GoldFact]] = {}
    for fact in facts:
        values.setdefault((fact.kind, fact.value), []).append(fact)
    vital = {key: any(fact.vital for fact in group) for key, group in values.items()}
    found = {key: any(is_found(fact, told) for fact in group) for key, group in values.items()}
    missed = tuple(key[1] for key in values if vital[key] and not found[key])
    needed = sum(vital.values())
    return Rate(needed - len(missed), needed), Rate(sum(found.values()), len(values)), missed


def is_found(fact: GoldFact, told: str) -> bool:
    """Whether the text states the fact: in an accepted spelling, or by a typed value that is the same."""
    return any(states(spelling, told) for spelling in fact.accepted) or states_value(
        fact.kind, fact.value, told
    )


def wrong_values(facts: Sequence[GoldFact], told: str) -> tuple[str, ...]:
    """The rejected values that a text states, each once, in the order of the facts."""
    rejected = {value: fact.kind for fact in facts for value in fact.rejected}
    return tuple(
        value for value, kind in rejected.items() if states(value, told) or states_value(kind, value, told)
    )


def answer_found(question: Question, told: str) -> bool | None:
    """Whether one of the short answers stands in the text; None where there are facts, or no answers."""
    if question.facts or not question.answers:
        return None
    return any(states(answer, told) for answer in question.answers)


def exact_citations(answer: Json, texts: Mapping[str, str]) -> Rate:
    """Citations whose quote is the document's text from `start` to `end`, of all."""
    citations = answer["citations"]
    return Rate(sum(_is_exact(citation, texts) for citation in citations), len(citations))


def cited_claims(answer: Json) -> Rate:
    """Claims with a citation, all of whose markers resolve, of all."""
    markers = {citation["marker"] for citation in answer["citations"]}
    claims = answer["claims"]
    cited = sum(bool(claim["citations"]) and markers.issuperset(claim["citations"]) for claim in claims)
    return Rate(cited, len(claims))


def citation_faults(answer: Json, texts: Mapping[str, str]) -> Iterator[str]:
    """What breaks the promise of the citations, each in words for a person; nothing where it is kept."""
    markers = [citation["marker"] for citation in answer["citations"]]
    if markers != list(range(1, len(markers) + 1)):
        yield f"the markers are {markers}, and not 1 to {len(markers)}"
    for citation in answer["citations"]:
        if not _is_exact(citation, texts):
            yield f"[{citation['marker']}] is not exact: {_place(citation)} is not {citation['quote']!r}"
    for claim in answer["claims"]:
        if not claim["citations"]:
            yield f"no citation: {claim['text']!r}"
    sides = [side for conflict in answer["conflicts"] for side in conflict["sides"]]
    for holder in (*answer["claims"], *sides):
        for marker in sorted(set(holder["citations"]) - set(markers)):
            yield f"[{marker}] names no citation: {holder.get('text', holder.get('value'))!r}"
    yield from _status_faults(answer)


def evidence_found(facts: Sequence[GoldFact], answer: Json) -> bool | None:
    """Whether a citation overlaps a gold quote; None where no place is known or the answer is a refusal."""
    if not facts or answer["status"] == "refused":
        return None
    return any(_overlaps(fact, citation) for fact in facts for citation in answer["citations"])


def support_found(facts: Sequence[GoldFact], answer: Json) -> Rate:
    """Documents of the gold facts that the answer cites or names in a claim's support, of all.

    Over nothing for a refusal, and where the gold names fewer than two documents.
    """
    wanted = {fact.doc_id for fact in facts}
    if len(wanted) < 2 or answer["status"] == "refused":
        return Rate(0, 0)
    named = {citation["doc_id"] for citation in answer["citations"]}
    named.update(doc_id for claim in answer["claims"] for doc_id in claim["support"])
    return Rate(len(wanted & named), len(wanted))


def summarise(scores: Iterable[Score]) -> dict[str, Rate]:
    """The measures over all scores, by name, in the order of the table.

    `right`: see `Score.right`. `vital_facts`, `all_facts`: facts found, of those of the answerable questions.
    `answers_found`: short answers stated, in sets without facts. `wrong_answers`: answers with a rejected
    value, of those given to questions with facts. `exact_citations`, `cited_claims`: over all answers.
    `broken_answers`: answers with any fault of citation. `evidence_found`, `support`: over the answered.
    `false_refusals`: of the answerable. `false_answers`: of the unanswerable.
    """
    scores = tuple(scores)
    answerable = [score for score in scores if score.answerable]
    unanswerable = [score for score in scores if not score.answerable]
    checked = [score for score in answerable if score.facts.total and score.answered]
    return {
        "right": _share(score.right for score in scores),
        "vital_facts": _pool(score.vital for score in answerable),
        "all_facts": _pool(score.facts for score in answerable),
        "answers_found": _share(score.answer_found for score in answerable),
        "wrong_answers": _share(bool(score.wrong) for score in checked),
        "exact_citations": _pool(score.citations for score in scores),
        "cited_claims": _pool(score.claims for score in scores),
        "broken_answers": _share(bool(score.faults) for score in scores),
        "evidence_found": _share(score.evidence_found for score in answerable),
        "support": _pool(score.support for score in answerable),
        "false_refusals": _share(not score.answered for score in answerable),
        "false_answers": _share(score.answered for score in unanswerable),
    }


def _is_exact(citation: Json, texts: Mapping[str, str]) -> bool:
    text, quote = texts.get(citation["doc_id"]), citation["quote"]
    start, end = citation["start"], citation["end"]
    return text is not None and bool(quote) and 0 <= start < end and text[start:end] == quote


def _place(citation: Json) -> str:
    return f"{citation['doc_id']} {citation['start']} to {citation['end']}"


def _status_faults(answer: Json) -> Iterator[str]:
    refused, empty = answer["status"] == "refused", not answer["claims"]
    if refused != empty:
        yield f"the status is {answer['status']!r} with {len(answer['claims'])} claims"
    if refused and answer["citations"]:
        yield f"a refusal has {len(answer['citations'])} citations"
    if refused and not answer["reason"]:
        yield "a refusal gives no reason"


def _overlaps(fact: GoldFact, citation: Json) -> bool:
    same_document = fact.doc_id == citation["doc_id"]
    return bool(same_document and fact.start < citation["end"] and citation["start"] < fact.end)


def _share(flags: Iterable[bool | None]) -> Rate:
    known = [flag for flag in flags if flag is not None]
    return Rate(sum(known), len(known))


def _pool(rates: Iterable[Rate]) -> Rate:
    rates = tuple(rates)
    return Rate(sum(rate.count for rate in rates), sum(rate.total for rate in rates))
