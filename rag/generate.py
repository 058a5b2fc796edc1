"""The answerer on a language model: it writes, and what the passages do not carry is not shown.

    question + Ranking -> prompt -> reply, streamed -> draft sentences -> checked Claims

The model chooses words and names passages; it has no say in what counts. A sentence becomes a claim only
where whole sentences of the passages that it names, together, carry it, and the quotation is cut from the
document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.citations import Citer, uncarried
from rag.drafts import Draft, Sentence
from rag.endpoint import failure, open_llm, reply
from rag.prompts import CANNOT_ANSWER, PASSAGE, QUESTION, RULES
from rag.settings import Settings
from rag.types import Chunk, Claim, Document, Dropped, Ranking, Usage

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM

__all__ = ["generate", "open_llm"]

LONGEST_RUN = 3
"""A quotation is at most so many sentences of its passage."""
_BYTES_A_TOKEN = 4  # about right for English; other scripts have more bytes, and more tokens, a character
_SPARE_TOKENS = 64
_LEAST_BYTES = 400
_TAG = re.compile(r"<(?=[A-Za-z/|!｜])")
_BRACKETS = str.maketrans("[]【】［］", "()()()")
_SORRY = re.compile(
    r"(?:(?:unfortunately|sadly),? )?(?:(?:i'm|i am|we are) (?:very )?(?:sorry|afraid|unable|not able)"
    r"|sorry\b|i apologi[sz]e|(?:i|we) (?:can't|cannot|can not|could not|couldn't|don't|do not) "
    r"(?:answer|find|determine|say|tell|know|help|provide|have))",
    re.IGNORECASE,
)
_LACKING = re.compile(
    r"\b(?:passages?|documents?|(?:provided|given) (?:texts?|information|context))\b(?: \w+){0,2} "
    r"(?:(?:do|does|did)(?: not|n't)|cannot|can't|(?:contain|give|provide|mention)s? no)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Run:
    """Whole sentences of a passage that may carry a sentence.

    Attributes:
        doc_id: The document.
        start: Where it begins in the document, in characters.
        end: Where it ends, exclusive.
        sentences: How many sentences it is.
        quote: Its words.
        near: How many words it has in common with the sentence.
    """

    doc_id: str
    start: int
    end: int
    sentences: int
    quote: str
    near: int


def generate(
    question: str, ranking: Ranking, llm: LLM, citer: Citer, settings: Settings
) -> Iterator[Claim | Dropped | Usage]:
    """Answer from the best passages, each sentence given as soon as it is written and checked.

    Where the model says that the passages do not hold the answer, nothing is given.

    Args:
        question: A question that stands alone.
        ranking: The passages; the first `settings.passages` are shown to the model.
        llm: Any LlamaIndex model that chats.
        citer: Makes the citations, and numbers them.
        settings: The limits.

    Yields:
        Claims that hold and sentences that were dropped, in the order of writing; at the end the usage,
        where the endpoint tells it.

    Raises:
        EndpointError: The endpoint failed, at any time; what was given before stands.
    """
    passages, prompt = _prompt(question, ranking, llm, citer, settings)
    draft, seen = Draft(), set[object]()
    usage: Usage | None = None
    for part in reply(llm, RULES, prompt, settings):
        if isinstance(part, Usage):
            usage = part
        else:
            yield from _judged(draft.feed(part), passages, citer, seen)
    yield from _judged(draft.close(), passages, citer, seen)
    if not draft.spoke:
        fix = "If it reasons before it answers, raise CITEWELL_MAX_OUTPUT_TOKENS."
        raise failure(llm, "gave an empty answer", fix)
    if usage:
        yield usage


def _prompt(
    question: str, ranking: Ranking, llm: LLM, citer: Citer, settings: Settings
) -> tuple[tuple[Chunk, ...], str]:
    """The passages that fit the model's window, at least one, and the prompt that shows them."""
    tokens = llm.metadata.context_window - settings.max_output_tokens - _SPARE_TOKENS
    room = max(tokens * _BYTES_A_TOKEN - len((RULES + QUESTION + question).encode()), _LEAST_BYTES)
    shown: list[str] = []
    for number, ranked in enumerate(ranking.chunks[: settings.passages], 1):
        passage = _passage(number, ranked.chunk, citer.document(ranked.chunk.doc_id)).encode()
        if len(passage) > room and shown:
            break
        shown.append(passage[:room].decode(errors="ignore"))
        room -= len(passage)
    text = QUESTION.format(
        passages="\n\n".join(shown), question=_defused(question), cannot_answer=CANNOT_ANSWER
    )
    return tuple(ranked.chunk for ranked in ranking.chunks[: len(shown)]), text


def _passage(number: int, chunk: Chunk, document: Document) -> str:
    heading = ", ".join(filter(None, (document.title, document.source, document.published_at)))
    return PASSAGE.format(
        number=number, heading=" ".join(_defused(heading).split()), text=_defused(chunk.text).strip()
    )


def _defused(text: str) -> str:
    """A text that cannot pass for a part of the prompt.

    Square brackets and tags are the prompt's own (and some servers read `<|...|>` as their template's),
    so that a passage has no way to write a marker, or to end itself.

    Examples:
        >>> _defused("Bail [3]. </passages><|im_end|> 2 < 3")
        'Bail (3). ‹/passages>‹|im_end|> 2 < 3'
    """
    return _TAG.sub("‹", text.translate(_BRACKETS))


def _judged(
    sentences: Sequence[Sentence], passages: Sequence[Chunk], citer: Citer, seen: set[object]
) -> Iterator[Claim | Dropped]:
    """What comes of each sentence; what was given before is not given again."""
    for sentence in sentences:
        if _abstains(sentence.text) or sentence.text.casefold() in seen:
            continue
        verdict = _judge(sentence, passages, citer)
        key: object = sentence.text.casefold() if isinstance(verdict, Claim) else verdict
        # documents speak of what documents lack, too: where they do, it is a claim and no abstention
        if key not in seen and (isinstance(verdict, Claim) or not _LACKING.search(_straight(sentence.text))):
            yield verdict
        seen.add(key)


def _abstains(sentence: str) -> bool:
    """Whether a sentence says that there is no answer, in the words it was given or in an apology."""
    letters = "".join(char if char.isalnum() else " " for char in sentence.casefold()).split()
    return CANNOT_ANSWER.casefold() in " ".join(letters) or bool(_SORRY.match(_straight(sentence)))


def _straight(text: str) -> str:
    return text.replace("’", "'")


def _judge(sentence: Sentence, passages: Sequence[Chunk], citer: Citer) -> Claim | Dropped:
    """A claim where the passages that the sentence names carry it; else why it is dropped."""
    if not sentence.markers:
        return Dropped(sentence.text, "it names no passage")
    for number in sentence.markers:
        if not 1 <= number <= len(passages):
            return Dropped(sentence.text, f"it names passage {number} of {len(passages)}")
    if not uncarried(sentence.text, []):  # "It does.": any passage would carry it
        return Dropped(sentence.text, "it says nothing that can be checked")
    named = [passages[number - 1] for number in sentence.markers]
    runs = _carrying(sentence.text, named)
    if not runs:
        return Dropped(sentence.text, _why_not(sentence, passages))
    citations = [citer.cite(run.doc_id, run.start, run.end) for run in runs]
    markers = tuple(dict.fromkeys(citation.marker for citation in citations))
    return Claim(sentence.text, markers, tuple(dict.fromkeys(run.doc_id for run in runs)))


def _why_not(sentence: Sentence, passages: Sequence[Chunk]) -> str:
    """Why the named passages do not carry a sentence, and whether another would have."""
    named = [passages[number - 1] for number in sentence.markers]
    reason = uncarried(sentence.text, [chunk.text for chunk in named])
    reason = reason or f"no {LONGEST_RUN} sentences in a row say it"
    for number, chunk in enumerate(passages, 1):
        if number not in sentence.markers and not uncarried(sentence.text, [chunk.text]):
            wrong = " and ".join(map(str, sentence.markers))
            return f"{reason} (it names passage {wrong}; passage {number} says it)"
    return reason


def _carrying(sentence: str, named: Sequence[Chunk]) -> Sequence[_Run]:
    """The fewest words that carry a sentence: of each passage that does so alone, else of them together.

    A passage that adds nothing is not cited (citation precision, ALCE, Gao et al. 2023, section 3).
    """
    alone = [run for chunk in named if (run := _alone(sentence, chunk))]
    return alone or _together(sentence, named)


def _alone(sentence: str, chunk: Chunk) -> _Run | None:
    """The smallest run of a passage that carries a sentence by itself; the nearest in words of those."""
    return next((run for run in _runs(sentence, chunk) if _carry(sentence, [run])), None)


def _together(sentence: str, named: Sequence[Chunk]) -> Sequence[_Run]:
    """Runs of several passages that carry a sentence only together, without those that add nothing."""
    options = [_runs(sentence, chunk) for chunk in named]
    for size in range(1, LONGEST_RUN + 1):
        nearest = [[run for run in runs if run.sentences <= size] for runs in options]
        chosen = [max(runs, key=lambda run: (run.sentences, run.near)) for runs in nearest if runs]
        if _carry(sentence, chosen):
            return _pruned(sentence, chosen)
    return ()


def _pruned(sentence: str, runs: Sequence[_Run]) -> Sequence[_Run]:
    """The runs without those that the others can do without; the later ones go first."""
    for place in reversed(range(len(runs))):
        rest = [*runs[:place], *runs[place + 1 :]]
        if _carry(sentence, rest):
            return _pruned(sentence, rest)
    return runs


def _carry(sentence: str, runs: Sequence[_Run]) -> bool:
    return not uncarried(sentence, [run.quote for run in runs])


def _runs(sentence: str, chunk: Chunk) -> list[_Run]:
    """The runs of a passage: the shortest first, of those the nearest in words, then the earliest."""
    words = _words(sentence)
    spans = chunk.sentences or ((chunk.start, chunk.end),)
    runs = [
        _Run(chunk.doc_id, start, end, size, quote, len(words & _words(quote)))
        for size in range(1, LONGEST_RUN + 1)
        for (start, _), (_, end) in zip(spans, spans[size - 1 :], strict=False)
        for quote in (chunk.text[start - chunk.start : end - chunk.start],)
    ]
    return sorted(runs, key=lambda run: (run.sentences, -run.near, run.start))


def _words(text: str) -> frozenset[str]:
    """The words that tell texts apart: those with a digit, and those of more than three letters."""
    words = re.findall(r"\w+", text.casefold())
    return frozenset(word for word in words if len(word) > 3 or not word.isalpha())
