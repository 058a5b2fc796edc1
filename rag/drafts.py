"""The text that a model streams -> draft sentences, each with the passages that it names.

A model writes as it likes: markers before or after the full stop, in brackets of several kinds, lists,
emphasis, its reasoning in tags. All of that is taken off here, piece by piece as it arrives; what is left
is a sentence as a reader would see it. Nothing is checked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_THOUGHT = "think|thinking|thought|reasoning|reflection"
_TAG = re.compile(rf"</?(?:{_THOUGHT})>", re.IGNORECASE)
_CLOSE = re.compile(rf"</(?:{_THOUGHT})>", re.IGNORECASE)
_LONGEST_TAG = 13
_PART_OF_A_TAG = re.compile(r"</?[a-z]{0,10}$", re.IGNORECASE)

_NUMBERS = r"\d{1,3}(?:(?:[ ,;&#–—-]{1,4}|[ ,]{1,2}and )\d{1,3}){0,20}"
_LABEL = r"(?:\^|\#|(?:passages?|sources?|documents?|docs?) )?"
_MARKER = rf"[\[【［] ?{_LABEL}{_NUMBERS} ?(?:†[^\]】］]{{0,80}})?[\]】］]"
_RUN = rf"{_MARKER}(?: ?(?:,|;|&|and\b|-|–|—)? ?{_MARKER})*"
# what a reader does not see: emphasis, code marks, and runs of markers with what leans on them
_CUT = re.compile(
    rf"\*\*|`+"
    rf"|(?:, )?\b(?:according to|as stated in|as per) (?P<lead>{_RUN})(?:,|(?=\W)|$)"
    rf"| ?\((?:see )?(?P<inside>{_RUN})\)"
    rf"|(?P<stop>[.!?…。！？]['\"”’)]?)? {{0,3}}(?P<run>{_RUN})(?P<twice>\.(?!\w))?",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(\d+)[\]】］ ]*[-–—][\[【［ ^#]*(\d+)|\d+")
_HALF_A_MARKER = re.compile(r"(?:\( ?(?:see ?)?)?(?:[\[【［][^\[\]【】［］\n]{0,90})?$", re.IGNORECASE)
_STOPS = re.compile(r"[.!?…。！？'\"”’)]*")
_STOPPED = re.compile(r"[.!?…。！？]['\"”’)]*$")
_PREFIX = re.compile(r"\s*(?:> ?)*(?:(?:[-*•+]|\d{1,2}[.)])\s+)?")
_HEADING = re.compile(r"\s*#{1,6} ")
_FENCE = re.compile(r"\s*(?:```|~~~)\s*\w*\s*$")
_EMPHASIS = re.compile(r"(?<![\w*_])([*_])(?=\S)([^*_]+)(?<=\S)\1(?![\w*_])")
_SAFE = re.compile(r".*[\s。！？]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a draft.

    Attributes:
        text: Its words, without markers and markup.
        markers: The numbers of the passages that it names, in order, each once.
    """

    text: str
    markers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Cut:
    """Characters taken out of a line: where they stood in what is left, how many, the markers in them."""

    at: int
    length: int
    markers: tuple[int, ...]


class Draft:
    """Collects what a model streams, and gives each sentence as soon as it is complete.

    A sentence is complete when words of the next one are there: until then a marker may follow.

    Examples:
        >>> draft = Draft()
        >>> draft.feed("Bail is 5 million euros. [1][2] He must")
        [Sentence(text='Bail is 5 million euros.', markers=(1, 2))]
        >>> draft.feed(" report twice a week [1]."), draft.close()
        ([], [Sentence(text='He must report twice a week.', markers=(1,))])
    """

    def __init__(self) -> None:
        self._unread = ""
        self._hidden = False
        self._text = ""
        self._enough = 0  # characters; a long text without end is not read again for every word
        self.spoke = False

    def feed(self, delta: str) -> list[Sentence]:
        """Take the next characters, and give the sentences that they complete."""
        self._unread += delta
        self._show()
        if len(self._text) < self._enough:
            return []
        ready = _parse(_settled(self._text))
        if len(ready) > 1:
            self._text = self._text[ready[-1][0] :]
        self._enough = len(self._text) + len(self._text) // 10
        return [sentence for _, sentence in ready[:-1]]

    def close(self) -> list[Sentence]:
        """Give the sentences that are left when the stream has ended."""
        self._show(last=True)
        ready, self._text = _parse(self._text), ""
        return [sentence for _, sentence in ready]

    def _show(self, last: bool = False) -> None:
        """Move what was read into the text, without the model's reasoning."""
        while tag := (_CLOSE if self._hidden else _TAG).search(self._unread):
            before, self._unread = self._unread[: tag.start()], self._unread[tag.end() :]
            opens = not tag[0].startswith("</")
            if opens:
                self._say(before)
            elif not self._hidden:  # a template opened it in the prompt: all before it was reasoning
                self._text, self._enough = "", 0
            self._hidden = opens
        if self._hidden:
            self._unread = self._unread[-_LONGEST_TAG:]
            return
        part = None if last else _PART_OF_A_TAG.search(self._unread)
        end = part.start() if part else len(self._unread)
        self._say(self._unread[:end])
        self._unread = self._unread[end:]

    def _say(self, text: str) -> None:
        self._text += text
        self.spoke = self.spoke or bool(text.strip())


def _settled(text: str) -> str:
    """The part of a growing text whose words and markers are whole."""
    safe = _SAFE.match(text)
    if safe is None:
        return ""
    settled = safe[0]
    half = _HALF_A_MARKER.search(settled)
    return settled[: half.start()] if half else settled


def _parse(text: str) -> list[tuple[int, Sentence]]:
    """The sentences of a text, each with where it begins, its list bullet and leading marker included."""
    found: list[tuple[int, Sentence]] = []
    start = 0
    for line in text.splitlines(keepends=True):
        for begin, sentence in _parse_line(line):
            if sentence.text:
                found.append((start + begin, sentence))
            elif found:  # a line of markers belongs to the sentence before it
                before, said = found[-1]
                found[-1] = (before, Sentence(said.text, _once((*said.markers, *sentence.markers))))
        start += len(line)
    return found


def _parse_line(line: str) -> Iterator[tuple[int, Sentence]]:
    from rag.sentences import sentence_spans  # late: nltk takes long to import

    if _FENCE.match(line):
        return
    heading = _HEADING.match(line)
    prefix = heading or _PREFIX.match(line)
    offset = prefix.end() if prefix else 0
    bare, cuts = _cut(line[offset:])
    if heading and not any(cut.markers for cut in cuts):
        return
    begin, after = 0, -1
    pieces = [*_closings(bare, cuts), len(bare)]
    spans = [
        (after + start, after + end)
        for after, piece in pairwise([0, *pieces])
        for start, end in sentence_spans(bare[after:piece])
    ] or [(0, len(bare))]
    for start, end in spans:
        last = end == spans[-1][1]
        mine = [cut for cut in cuts if after < cut.at and (last or cut.at <= end)]
        markers = _once(tuple(number for cut in mine for number in cut.markers))
        text = _tidy(bare[start:end])
        if text or markers:
            yield begin, Sentence(text, markers)
        begin, after = offset + end + sum(cut.length for cut in cuts if cut.at <= end), end


def _closings(bare: str, cuts: list[_Cut]) -> Iterator[int]:
    """Where a marker at a full stop ends a sentence, also after what looks like an abbreviation."""
    for cut in cuts:
        stops = _STOPS.match(bare, cut.at)
        end = stops.end() if stops else cut.at
        following = bare[end:].lstrip()[:1]
        stopped = _STOPPED.search(bare[max(0, end - 4) : end])
        if cut.markers and stopped and following and not following.islower():
            yield end


def _cut(line: str) -> tuple[str, list[_Cut]]:
    """A line without markers and emphasis, and what was taken out of it."""
    kept: list[str] = []
    cuts: list[_Cut] = []
    end = length = 0
    for match in _CUT.finditer(line):
        run = match["lead"] or match["inside"] or match["run"] or ""
        kept.append(line[end : match.start()] + (match["stop"] or ""))
        length += len(kept[-1])
        end = match.end()
        if match["twice"] and not match["stop"]:
            end -= 1
        taken = end - match.start() - len(match["stop"] or "")
        cuts.append(_Cut(length, taken, _numbers(run)))
    return "".join([*kept, line[end:]]), cuts


def _numbers(run: str) -> tuple[int, ...]:
    """The numbers that a run of markers names, ranges filled: `[1]-[3]` names 1, 2 and 3."""
    numbers: list[int] = []
    inside = re.sub(r"†[^\]】］]*", "", run)
    for match in _RANGE.finditer(inside):
        if match[1] is None:
            numbers.append(int(match[0]))
        else:
            low, high = int(match[1]), int(match[2])
            numbers.extend(range(low, high + 1) if low <= high else (low, high))
    return _once(tuple(numbers))


def _once(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(numbers))


def _tidy(text: str) -> str:
    """A sentence as a reader sees it, or nothing where no word is in it."""
    plain = _EMPHASIS.sub(r"\2", " ".join(text.split())).strip("*_| ").lstrip(",; ")
    if not any(map(str.isalnum, plain)):
        return ""
    first = plain.split()[0]
    return plain[0].upper() + plain[1:] if first.islower() and first.isalpha() else plain
