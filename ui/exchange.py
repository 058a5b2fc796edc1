"""One question of a conversation and what comes of it, while it is answered and afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rag.errors import CitewellError
from rag.types import (
    Answer,
    Citation,
    Claim,
    ClaimReady,
    Document,
    Done,
    Event,
    Ranking,
    Retrieved,
    Timings,
    Turn,
)

STOPPED = "Stopped before the end."


class Answerer(Protocol):
    """What the page asks of an engine; `rag.open_engine` gives one."""

    def stream(self, question: str, history: Sequence[Turn] = ()) -> Iterator[Event]:
        """The answer to a question, piece by piece."""

    def document(self, doc_id: str) -> Document:
        """A document by its id; raises NotFoundError where there is none."""

    def documents(self) -> tuple[Document, ...]:
        """All documents, by doc_id."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question of a conversation and what came of it.

    Attributes:
        question: As it was asked.
        answer: The answer, or as much of it as has been checked so far.
        error: Why there is no (whole) answer, in one line; empty otherwise.
        working: What is being done now, in one line; empty when it is finished.
    """

    question: str
    answer: Answer | None = None
    error: str = ""
    working: str = ""


Conversation = tuple[Exchange, ...]
"""Exchanges, oldest first."""


def exchanged(engine: Answerer, question: str, earlier: Conversation = ()) -> Iterator[Exchange]:
    """One question as it is answered: that it is worked on, then each checked sentence, then the end.

    Whatever fails becomes the exchange's error, in one line below the sentences that were checked by then.
    """
    last = Exchange(question, working="Searching the documents …")
    yield last
    try:
        for event in engine.stream(question, history=turns(earlier)):
            last = _after(last, event)
            yield last
    except CitewellError as error:
        yield replace(last, error=str(error), working="")
    except Exception as error:  # the page outlives a bug; its trace goes to whoever runs it
        logging.getLogger(__name__).exception("The question %r failed", question)
        yield replace(last, error=f"This question failed ({type(error).__name__}: {error}).", working="")


def turns(conversation: Conversation) -> tuple[Turn, ...]:
    """The conversation as the engine takes it; questions without an answer are left out."""
    return tuple(
        turn
        for exchange in conversation
        if exchange.answer is not None
        for turn in (Turn("user", exchange.question), Turn("assistant", exchange.answer.text))
    )


def stopped(conversation: Conversation) -> Conversation:
    """The conversation after a stop: the sentences that were checked by then stay."""
    if not conversation or not conversation[-1].working:
        return conversation
    return (*conversation[:-1], replace(conversation[-1], working="", error=STOPPED))


def _after(last: Exchange, event: Event) -> Exchange:
    match event:
        case Retrieved(ranking):
            return replace(last, working=_reading(ranking))
        case ClaimReady(claim, citations):
            return replace(last, answer=_so_far(last, claim, citations))
        case Done(answer):
            return Exchange(last.question, answer)


def _reading(ranking: Ranking) -> str:
    count = len({ranked.chunk.doc_id for ranked in ranking.chunks})
    return "Reading 1 document …" if count == 1 else f"Reading {count} documents …"


def _so_far(last: Exchange, claim: Claim, citations: Iterable[Citation]) -> Answer:
    """The sentences that were checked by now, as an answer that is not finished."""
    question = last.question
    answer = last.answer or Answer(question, question, "answered", 0.0, (), (), Timings(0.0, 0.0))
    known = {citation.marker: citation for citation in (*answer.citations, *citations)}
    ordered = tuple(known[marker] for marker in sorted(known))
    return replace(answer, claims=(*answer.claims, claim), citations=ordered)
