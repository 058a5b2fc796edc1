"""A document -> its chunks: runs of whole sentences that tile it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from math import ceil

from rag.sentences import Span, sentence_spans
from rag.types import Chunk, Document

SIZE = 120
"""The words of a chunk, at most, unless one sentence alone has more."""

RECIPE = f"sentences-3/chunks-1/{SIZE}"
"""The rules that cut a document, by version: a store made by others has to be cut anew."""

_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]"
    r"|[^\s\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]{1,20}"
)
_PARAGRAPH = re.compile(r"\n\s*\n")

# What it costs to end a chunk between two sentences: within a paragraph, at a line's end, at a blank line;
# and to miss the wanted length by all of it.
_WITHIN, _LINE, _BLANK = 0.3, 0.1, 0.0


def chunk(document: Document, size: int = SIZE) -> list[Chunk]:
    r"""Cut a document into chunks of nearly equal length, rather between paragraphs than within.

    Args:
        document: What to cut.
        size: The words of a chunk, at most; a sentence with more is a chunk of its own. A Chinese or
            Japanese character counts as a word, and so do each 20 characters of an overlong one.

    Returns:
        The chunks in order. Joined, their texts are `document.text`: white space between two belongs to the
        first. None, where the text is nothing but white space.

    Examples:
        >>> text = "One two three. Four five.\n\nSix seven eight nine."
        >>> [piece.text for piece in chunk(Document("a.txt", "One", None, None, text, ""), size=6)]
        ['One two three. Four five.\n\n', 'Six seven eight nine.']
    """
    text, spans = document.text, sentence_spans(document.text)
    runs = list(_runs(text, spans, size))
    starts = [0, *(spans[first][0] for first, _ in runs[1:]), len(text)]
    return [
        Chunk(document.doc_id, text[start:end], start, tuple(spans[first:last]))
        for (first, last), start, end in zip(runs, starts, starts[1:], strict=False)
    ]


def count_words(text: str) -> int:
    """Count the words of a text as `chunk` does.

    Examples:
        >>> count_words("a word, 你好"), count_words("x" * 45)
        (4, 3)
    """
    return len(_WORD.findall(text))


def _runs(text: str, spans: list[Span], size: int) -> Iterator[Span]:
    """Give the runs of sentences, as (first, last), the last exclusive.

    The rest is thought of as the fewest pieces that hold it, all equal; this sets the length to aim at, and
    leaves no tiny piece at the end.
    """
    totals = [0, *accumulate(count_words(text[start:end]) for start, end in spans)]
    first = 0
    while first < len(spans):
        rest = totals[-1] - totals[first]
        aim = rest / ceil(rest / size) if rest else size
        last = _last(text, spans, totals, first, size, aim)
        yield first, last
        first = last


def _last(text: str, spans: list[Span], totals: list[int], first: int, size: int, aim: float) -> int:
    """Give the sentence before which the run that starts at `first` is best ended."""
    best, lowest = first + 1, float("inf")
    for last in range(first + 1, len(spans) + 1):
        words = totals[last] - totals[first]
        if words > size:
            break
        cost = abs(words - aim) / aim + _cost(text, spans, last)
        if cost <= lowest:
            best, lowest = last, cost
    return best


def _cost(text: str, spans: list[Span], last: int) -> float:
    if last == len(spans):
        return _BLANK
    between = text[spans[last - 1][1] : spans[last][0]]
    if "\n" not in between:
        return _WITHIN
    return _BLANK if _PARAGRAPH.search(between) else _LINE
