"""Whether a question set can be trusted: every quote where it says, no rejected value where the answer is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from eval.dataset import DatasetError, GoldConflict, GoldFact, Place, Question
from eval.values import judge_value, states, states_value
from rag.sentences import sentence_spans


def validate(path: str | Path, questions: tuple[Question, ...], texts: Mapping[str, str]) -> None:
    """Prove that the facts stand where they say: each quote exact, each spelling plausible.

    An accepted spelling of every fact must stand in its quote, and a rejected value neither there nor in an
    accepted spelling. Questions without facts pass as they are.

    Args:
        path: The file of the set, for the message.
        questions: The set.
        texts: The corpus, as `corpus_texts` gives it.

    Raises:
        DatasetError: With all faults, one a line.
    """
    named = {fact.doc_id for question in questions for fact in question.facts}
    if named and not named & texts.keys():
        held = ", ".join(sorted(texts)[:3]) or "nothing that can be read"
        raise DatasetError(
            f"{path}:1: none of the {len(named)} documents that its facts name is in the corpus, "
            f"which holds {held}. Name their folder with --corpus."
        )
    faults = [
        f"{path}:{question.line}: {question.id}: {fault}"
        for question in questions
        for fault in _faults(question, texts)
    ]
    if faults:
        raise DatasetError("\n".join(faults))


def _faults(question: Question, texts: Mapping[str, str]) -> Iterator[str]:
    if not question.answerable and (question.answers or question.facts):
        yield "it is not answerable, and yet has an answer."
    told = question.facts or question.answers or question.evidence or question.conflict
    if question.answerable and not told:
        yield "it is answerable, and nothing says what is right: give it `facts`, `answers` or `evidence`."
    if question.facts and not any(fact.vital for fact in question.facts):
        yield "none of its facts is vital."
    for fact in question.facts if not question.paraphrase_of else ():
        yield from _place_faults(fact, texts)
        yield from _spelling_faults(fact)
    for evidence in question.evidence if question.facts and not question.paraphrase_of else ():
        if evidence.text not in texts.get(evidence.doc_id, ""):
            yield f"{evidence.doc_id} has not the evidence {evidence.text!r}."
    if not question.paraphrase_of:
        yield from _truth_faults(question, texts)
    if question.conflict is not None and not question.paraphrase_of:
        yield from _conflict_faults(question.conflict, texts)


def _truth_faults(question: Question, texts: Mapping[str, str]) -> Iterator[str]:
    """Rejected values that a sentence which holds the answer states as well: quoting it would be wrong."""
    told = [evidence.text for evidence in question.evidence]
    told += [_sentences_around(fact, texts[fact.doc_id]) for fact in question.facts if fact.doc_id in texts]
    for text in dict.fromkeys(told):
        for value in sorted({one for fact in question.facts for one in judge_value(fact, text).wrong}):
            yield f"the rejected {value!r} stands in the sentence of the answer, {text!r}."


def _sentences_around(fact: GoldFact, text: str) -> str:
    """The sentences that a fact's quote touches."""
    touched = (span for span in _sentences(text) if span[0] < fact.end and fact.start < span[1])
    return " ".join(text[start:end] for start, end in touched)


@lru_cache(maxsize=64)
def _sentences(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((start, end) for start, end in sentence_spans(text))


def _conflict_faults(conflict: GoldConflict, texts: Mapping[str, str]) -> Iterator[str]:
    if len({side.value for side in conflict.sides}) < 2:
        yield f"the conflict about {conflict.about!r} has fewer than two sides."
    for side in conflict.sides:
        if not side.places:
            yield f"no document says {side.value!r}."
        for place in side.places:
            yield from _place_faults(place, texts)
            if not any(states(spelling, place.quote) for spelling in side.accepted):
                yield f"no accepted spelling of {side.value!r} stands in {place.quote!r}."


def _place_faults(fact: GoldFact | Place, texts: Mapping[str, str]) -> Iterator[str]:
    text = texts.get(fact.doc_id)
    if text is None:
        yield f"the document {fact.doc_id!r} of {fact.quote!r} is not in the corpus."
    elif not fact.quote or text[fact.start : fact.end] != fact.quote:
        found = [match.start() for match in re.finditer(re.escape(fact.quote), text)] if fact.quote else []
        yield f"{fact.doc_id} has not {fact.quote!r} at {fact.start} to {fact.end}; it is at {found}."


def _spelling_faults(fact: GoldFact) -> Iterator[str]:
    if not any(states(spelling, fact.quote) for spelling in fact.accepted):
        yield f"no accepted spelling of {fact.value!r} stands in {fact.quote!r}."
    for rejected in fact.rejected:
        for place in (fact.quote, *fact.accepted):
            if states(rejected, place) or states_value(fact.kind, rejected, place):
                yield f"the rejected {rejected!r} stands in {place!r}."
