"""question + chunks -> scores of their sentences: the embedded reader, a small cross-encoder.

    [CLS] question [SEP] title [SEP] (mark) sentence (mark) sentence … [SEP]

It reads a question with a whole chunk, so that each sentence is read in its surroundings, and a chunk costs
one run. What it gives for a sentence is what it gives at the sentence's mark, plus the log of the summed
exponentials of what it gives at the mark and at each word: a good sentence holds one word, at least, that
answers.

Fine-tuned from all-MiniLM-L6-v2 by `tools/train_reader.py`, which lays its inputs out by this module.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.sessions import encodable, open_session, open_tokenizer
from rag.types import Chunk

if TYPE_CHECKING:
    from tokenizers import Tokenizer

START, END, MARK = 101, 102, 1
"""The ids of [CLS], [SEP] and the mark, which is [unused0]."""
MOST_QUESTION, MOST_TITLE, MOST_TOKENS = 40, 12, 288
"""How many tokens are read of a question, of a title, and at once."""
CHOSEN, ANSWERED, WORD, SPAN = 0, 1, 2, 3
"""Where in a token's scores stand: two for a mark, one for every word, one for words of an answer."""
NEARLY = 2.0
"""Words beside the likeliest of an answer belong to it where their score is lower by at most this."""
_ADDRESS = re.compile(r"(?<=\])\((?:https?:|[./#])[^)\s]{0,400}\)")
_REMEMBERED = 4_000
_LONGEST = 8_000
"""Characters of a text beyond which nothing can be read: a run has fewer tokens."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader makes of a sentence for a question; both are logits, comparable between questions.

    Attributes:
        chosen: How well it answers, compared with other sentences.
        answered: How surely the question is answered by it at all.
        span: The characters of the sentence that are likeliest the answer itself, (start, end).
        spanned: How likely they are that, compared with other words.
    """

    chosen: float
    answered: float
    span: tuple[int, int] = (0, 0)
    spanned: float = -20.0


UNREAD = Reading(-20.0, -20.0)
"""For a sentence without words: far below what the reader gives to any."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The input of one run.

    Attributes:
        ids: The tokens.
        types: 0 up to the first [SEP], 1 after it.
        sentences: For each token the number of its sentence, or -1.
        offsets: For each token of a sentence where its characters stand in the sentence, else None.
    """

    ids: list[int]
    types: list[int]
    sentences: list[int]
    offsets: list[tuple[int, int] | None]


class Reader:
    """Reads chunks for a question; safe to use from several threads. The weights are read at first use.

    Args:
        threads: Chunks read at a time; by default as many as there are processors.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or os.cpu_count() or 1
        self._loading = threading.Lock()
        self._session: Any = None

    def read(self, question: str, passages: Sequence[tuple[str, Chunk]]) -> list[list[Reading]]:
        """Read chunks, each with its document's title.

        Args:
            question: The question, standing alone.
            passages: (title, chunk) of each; what is made of one does not depend on the others.

        Returns:
            For each chunk what is made of its sentences, in their order.
        """
        texts = [_sentences(chunk) for _, chunk in passages]
        runs = [
            (place, first, layout)
            for place, ((title, _), sentences) in enumerate(zip(passages, texts, strict=True))
            for first, layout in laid_out(question, title, sentences)
        ]
        found = [[UNREAD] * len(sentences) for sentences in texts]
        for (place, first, _), readings in zip(runs, self._run_all([run[2] for run in runs]), strict=True):
            found[place][first : first + len(readings)] = readings
        return found

    def _run_all(self, layouts: Sequence[Layout]) -> list[list[Reading]]:
        if len(layouts) < 2 or self._threads == 1:
            return [self._run(layout) for layout in layouts]
        longest_first = sorted(range(len(layouts)), key=lambda place: -len(layouts[place].ids))
        with ThreadPoolExecutor(min(self._threads, len(layouts))) as pool:
            read = {place: pool.submit(self._run, layouts[place]) for place in longest_first}
            return [read[place].result() for place in range(len(layouts))]

    def _run(self, layout: Layout) -> list[Reading]:
        feed = {
            "input_ids": np.array([layout.ids], dtype=np.int64),
            "token_type_ids": np.array([layout.types], dtype=np.int64),
        }
        return readings(layout, self._load().run(None, feed)[0][0])

    def _load(self) -> Any:
        with self._loading:
            if self._session is None:
                self._session = open_session("reader.onnx")
            return self._session


def laid_out(question: str, title: str, sentences: Sequence[str]) -> Iterator[tuple[int, Layout]]:
    """The runs that read sentences in their order, each with the number of its first sentence.

    A sentence that does not fit begins the next run; one that is too long by itself is cut.
    """
    asked = _tokens(question)[0][:MOST_QUESTION]
    head = [START, *asked, END, *_tokens(title)[0][:MOST_TITLE], END]
    types = [0] * (len(asked) + 2) + [1] * (len(head) - len(asked) - 2)
    first = 0
    while first < len(sentences):
        layout = Layout(list(head), list(types), [-1] * len(head), [None] * len(head))
        count = _fill(layout, sentences[first:])
        yield first, layout
        first += count


def _fill(layout: Layout, sentences: Sequence[str]) -> int:
    """Lay out the sentences that fit, at least one, and give their number."""
    count = 0
    for number, sentence in enumerate(sentences):
        tokens, offsets = _tokens(sentence)
        room = MOST_TOKENS - len(layout.ids) - 2
        if len(tokens) > room and number:
            break
        layout.ids.extend((MARK, *tokens[:room]))
        layout.offsets.extend((None, *offsets[:room]))
        layout.sentences.extend([number] * (len(layout.ids) - len(layout.sentences)))
        count += 1
    layout.ids.append(END)
    layout.sentences.append(-1)
    layout.offsets.append(None)
    layout.types.extend([1] * (len(layout.ids) - len(layout.types)))
    return count


def readings(layout: Layout, scores: NDArray[np.float32]) -> list[Reading]:
    """What the scores of a run make of its sentences.

    Args:
        layout: The run's input.
        scores: float32 [tokens, 4], by `CHOSEN`, `ANSWERED`, `WORD`, `SPAN`.
    """
    place = np.array(layout.sentences)
    found = []
    for number in range(place.max() + 1):
        tokens = np.flatnonzero(place == number)
        if len(tokens) == 1:  # the mark alone
            found.append(UNREAD)
            continue
        words = scores[tokens, WORD].astype(np.float64)
        peak = words.max()
        best = float(peak + np.log(np.exp(words - peak).sum()))
        mark = scores[tokens[0]]
        span, spanned = _span([layout.offsets[token] for token in tokens[1:]], scores[tokens[1:], SPAN])
        found.append(Reading(float(mark[CHOSEN]) + best, float(mark[ANSWERED]) + best, span, spanned))
    return found


def _span(
    offsets: Sequence[tuple[int, int] | None], scores: NDArray[np.float32]
) -> tuple[tuple[int, int], float]:
    """The run of words around the likeliest, in characters of the sentence, and its score."""
    if not len(scores):
        return (0, 0), UNREAD.spanned
    first = last = int(scores.argmax())
    least = scores[first] - NEARLY
    while first and scores[first - 1] >= least:
        first -= 1
    while last + 1 < len(scores) and scores[last + 1] >= least:
        last += 1
    begin, end = offsets[first], offsets[last]
    return (begin[0] if begin else 0, end[1] if end else 0), float(scores.max())


def is_word(word: str) -> bool:
    """Whether a word in small letters is one that the models know whole, as they know common ones.

    Examples:
        >>> is_word("government"), is_word("goverment")
        (True, False)
    """
    return _tokenizer().token_to_id(word) is not None


def _sentences(chunk: Chunk) -> list[str]:
    """The sentences as they are read: the addresses of Markdown's links are blank, and nothing is moved."""
    texts = (chunk.text[start - chunk.start : end - chunk.start] for start, end in chunk.sentences)
    return [_ADDRESS.sub(lambda address: " " * len(address[0]), text) for text in texts]


@lru_cache(maxsize=_REMEMBERED)
def _tokens(text: str) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    encoding = _tokenizer().encode(encodable(text[:_LONGEST]), add_special_tokens=False)
    return tuple(encoding.ids), tuple(encoding.offsets)


@lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    tokenizer = open_tokenizer()
    tokenizer.encode_special_tokens = True  # "[SEP]" in a document is five characters of it, no order
    return tokenizer
