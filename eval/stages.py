"""One stage of the engine, asked as the whole is: the check of support, the rewriting of a follow-up.

A set that needs no retrieval is run like any other: its questions go to one of these in place of an engine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from rag.citations import Citer, uncarried
from rag.errors import NotFoundError
from rag.support import support_grade
from rag.types import Answer, Claim, Document, Done, Event, Ranking, Retrieved, Timings, Turn

Rewrite = Callable[[str, Sequence[Turn]], str]
"""Makes of a question and the conversation before it a question that stands alone."""


class SupportCheck:
    """Answers a claim with itself where given documents carry it, and refuses it elsewhere.

    Args:
        texts: The documents by doc_id.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, within: Collection[str] | None = None
    ) -> Iterator[Event]:
        """Check a claim against the whole text of the documents in `within`."""
        yield Retrieved(Ranking(question, ()))
        yield Done(self._check(question, sorted(within or ())))

    def document(self, doc_id: str) -> Document:
        """A document by its id; raises NotFoundError where there is none."""
        if doc_id not in self._texts:
            raise NotFoundError(f"There is no document `{doc_id}`.")
        return Document(doc_id, "", None, None, self._texts[doc_id], "")

    def _check(self, claim: str, doc_ids: Sequence[str]) -> Answer:
        given = [doc_id for doc_id in doc_ids if self._texts.get(doc_id)]
        evidence = [self._texts[doc_id] for doc_id in given]
        why = uncarried(claim, evidence) if evidence else "there is nothing to check it against"
        citer, told = Citer(self.document), []
        if not why:
            markers = tuple(citer.cite(doc_id, 0, len(self._texts[doc_id])).marker for doc_id in given)
            told = [Claim(claim, markers, tuple(given))]
        return Answer(
            question=claim,
            standalone=claim,
            status="refused" if why else "answered",
            confidence=support_grade(claim, evidence),
            claims=tuple(told),
            citations=citer.citations,
            timings=Timings(0.0, 0.0),
            reason=why,
        )


class Rewriter:
    """Gives a follow-up as a question that stands alone, and answers nothing.

    Args:
        rewrite: Makes the question.
    """

    def __init__(self, rewrite: Rewrite) -> None:
        self._rewrite = rewrite

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, within: Collection[str] | None = None
    ) -> Iterator[Event]:
        """Rewrite a question; `within` is of no use here."""
        standalone = self._rewrite(question, history)
        yield Retrieved(Ranking(standalone, ()))
        yield Done(
            Answer(
                question=question,
                standalone=standalone,
                status="refused",
                confidence=0.0,
                claims=(),
                citations=(),
                timings=Timings(0.0, 0.0),
                reason="The question was only rewritten.",
            )
        )

    def document(self, doc_id: str) -> Document:
        """Raises NotFoundError: there are no documents."""
        raise NotFoundError(f"There is no document `{doc_id}`.")


def as_asked(question: str, history: Sequence[Turn]) -> str:
    """The question as it was asked: what an engine that does not look back searches for."""
    return question
