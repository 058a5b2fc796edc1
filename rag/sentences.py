"""Text -> the exact spans of its sentences.

Three questions, in this order: which line ends end a sentence (`_passages`), where it ends within the
lines (`_ends`: Punkt, mended), and where to cut what is too long (`_capped`). Every stage only names
places to cut, so that no character can get lost: a span is what lies between two cuts, trimmed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby, pairwise
from statistics import median_low
from typing import Any

Span = tuple[int, int]

CAP = 600
"""The longest sentence, in characters; a longer one is cut where it reads best."""

NARROW, WIDE = 40, 120
"""The widths, in characters, at which people and programs wrap text."""


RAGGED = 0.85
"""How full a wrapped line is at least: proportional type, as in a PDF, leaves lines uneven."""

_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_HEADING = re.compile(r"\s*#{1,6}\s")
_BULLET = re.compile(r"\s*(?:[-*+•‣◦▪–—]\s|\(?\d{1,3}[.)]\s|\(?[a-zA-Z]{1,4}\)\s|#{1,6}\s|[|>]|```|~~~)")
_BOXED = re.compile(r"\s*([*#])\s(?P<boxed>.*\S)\s+\1|\s*>\s(?P<quoted>.*\S)")
_LINK = re.compile(r"\]\((?:https?:|[./#])")
_DEFINED = re.compile(r"\[[^\]]{0,200}\]:")
_MARKS = "(*_`\"'“"
_OPEN = re.compile(r"[({\[,=]$")
_KEY = re.compile(r"\s*[\w.-]+\s*[:=]")
_ROW = re.compile(r"\s*\||\t\S|[,;]\S+[,;]\S|\S {3,}\S.*\S {3,}\S|\S \| \S|^\W+$")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\S+")
_STOPPED = re.compile(r"[.!?:;…。！？][\"'”’»)\]]*$")

_CLOSERS = "\"'”’“‘»«›‹)\\]}*_`」』）】》〉"
_STOP = re.compile(
    rf"(?<![.!?])([.!?]++)[{_CLOSERS}]*+(?:\s?»(?=\s))?(?:\[[^\]\n]{{1,20}}\])*+"
    r"(?=\s++[^\w\s]{0,8}+(\w\S{0,60})?)"
)
_IDEOGRAPH = r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]"
_GLUED = (
    r"(?<=[a-z]{2})[.!?][\"”’)]*+(?=(?:The|This|These|Those|There|It|He|She|They|We|You|I|An?|In|On|If|As|At|But|And"
    r"|However|Our|Your|His|Her|Its|Their|What|When|Where|Who|Why|How|For|From|To|While|Since|After|Before)\s)"
)
_SHUT = "\"'”’»)」』）】》〉"
_OTHER_ENDS = re.compile(
    rf"[。！？｡।॥]++[{_SHUT}]*+"
    rf"|(?<!\d)．+[{_SHUT}]*+"
    rf"|(?<={_IDEOGRAPH})[.!?]++[{_SHUT}]*+(?={_IDEOGRAPH})"
    rf"|[؟۔።…]++[{_SHUT}]*+(?=\s)"
    rf"|{_GLUED}"
)
_LETTER = re.compile(r"\w")
_MARKER = re.compile(r"\s*(?:[-*+#|]\s+)?\(?(?:\d{1,3}(?:\.\d{1,3})*|[a-zA-Z]|[ivxlcIVXLC]{1,5})[.)]")
_NUMBER = re.compile(r"\s*\(?\d{1,3}(?:\.\d{1,3})*[.)]")
_FIRST = re.compile(r"(?<=:) 1[.)](?=\s[^\n]{0,600} 2[.)]\s)")
_BARE = re.compile(r"[.!?]*\W+$")
_SOFT_END = re.compile(rf"(?:[?!…]|\. ?\.|[.?!…][{_CLOSERS}]+)$")
_CUTS = tuple(map(re.compile, (r"[;；]\s|；", r":\s|[：—]|\s[–-]\s", r",\s|[，、]", r"\s")))

_TITLES = "gen gov capt sgt cpl cmdr brig hon rev supt atty messrs mme mlle mt"
_SHORT_FORMS = "e.g i.e etc cf al approx dept univ assn est viz mar apr jun jul thurs thur thu tue mon"
_NUMBERED = "no nos nr p pp art sec ch fig figs eq vol para op ex"


def sentence_spans(text: str) -> list[Span]:
    r"""Find the sentences of a text, exactly.

    The boundaries are those of Punkt (Kiss and Strunk 2006, English), with what its training corpus
    lacks: lines, lists, tables, quotation marks, and scripts that do not put a space after a full stop.

    Args:
        text: Any text.

    Returns:
        The spans (start, end), in characters: in order, not overlapping, no white space at either end,
        together covering every character that is not white space.

    Examples:
        >>> text = "He paid 5.6 million.  Why?\n- To leave"
        >>> [text[start:end] for start, end in sentence_spans(text)]
        ['He paid 5.6 million.', 'Why?', '- To leave']
    """
    spans: list[Span] = []
    for start, end in _passages(text):
        cuts = [start, *(start + cut for cut in _ends(text[start:end])), end]
        for piece in pairwise(cuts):
            spans.extend(_capped(text, *_trimmed(text, *piece)))
    return list(_whole(text, [span for span in spans if span[0] < span[1]]))


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


# Which line ends end a sentence


def _passages(text: str) -> Iterator[Span]:
    """Give the spans between the line ends that end a sentence, blank ones left out."""
    lines = _lines(text)
    usual = _usual_width(text, lines)
    for blank, group in groupby(lines, key=lambda line: not text[slice(*line)].strip()):
        if not blank:
            yield from _joined(text, list(group), usual)


def _lines(text: str) -> list[Span]:
    ends = [match.span() for match in _LINE_END.finditer(text)]
    starts = [0, *(end for _, end in ends)]
    return list(zip(starts, [*(start for start, _ in ends), len(text)], strict=True))


def _usual_width(text: str, lines: list[Span]) -> int:
    """Give the usual length of a line that another follows; 0 where no line is as short as a wrapped one."""
    lengths = [end - start for (start, end), (low, high) in pairwise(lines) if text[low:high].strip()]
    wrapped = [length for length in lengths if 0 < length <= WIDE]
    return median_low(wrapped) if wrapped else 0


def _joined(text: str, block: list[Span], usual: int) -> Iterator[Span]:
    """Join the lines of a block without blank lines where they are one text, wrapped."""
    soft = _soft([text[slice(*line)].rstrip() for line in block], usual)
    start = block[0][0]
    for (_, end), (following, _), wrapped in zip(block, block[1:], soft, strict=False):
        if not wrapped:
            yield start, end
            start = following
    yield start, block[-1][1]


def _soft(block: list[str], usual: int) -> list[bool]:
    """Say for each line end of a block whether the text runs on across it.

    It does where the break was forced: the next word had no room. One full line proves little (in any
    list the longest line looks full), so that most of the block must agree; and one line in twenty may be
    longer than the text is wide, as an address or a table is. Markdown with links is broken anywhere, since
    their addresses are long: there it does where a sentence goes on. Not from or into a box or a quotation.
    """
    marked, block = block, _unboxed(block)
    longest = sorted(map(len, block))[-1 - len(block) // 20]
    pairs = list(pairwise(block))
    alike = [one == other for one, other in pairwise(map(str.__eq__, marked, block))]
    free = [
        same and not (fence or _fixed(*pair))
        for same, fence, pair in zip(alike, _fenced(block), pairs, strict=False)
    ]
    width = max(longest, usual) if NARROW <= longest <= WIDE else 0
    soft = [open_ and width > 0 and _runs_on(*pair, width) for open_, pair in zip(free, pairs, strict=True)]
    if 2 * sum(soft) < sum(free):
        soft = [False] * len(free)
    linked = _STOPPED.search(block[-1]) is not None and any(map(_LINK.search, block))
    return [
        one or (free[at] and (_hangs(at, pairs, soft) or (linked and _goes_on(*pairs[at]))))
        for at, one in enumerate(soft)
    ]


def _unboxed(block: list[str]) -> list[str]:
    """The lines without the marks of a box or a quotation, where two or more follow one another."""
    inner = [
        match["boxed"] or match["quoted"] if (match := _BOXED.fullmatch(line)) else None for line in block
    ]
    return [
        text if text is not None and any(inner[max(0, at - 1) : at] + inner[at + 1 : at + 2]) else line
        for at, (line, text) in enumerate(zip(block, inner, strict=True))
    ]


def _hangs(at: int, pairs: list[tuple[str, str]], soft: list[bool]) -> bool:
    """Say whether what follows hangs from the line: a term and, set in below it, what it means.

    That is one line, or several that run on; several that do not are a list.
    """
    line, following = pairs[at]
    last = at + 1 == len(pairs) or _depth(pairs[at + 1][1]) < _depth(following)
    deeper = _depth(following) > _depth(line)
    code = _OPEN.search(line) or _KEY.match(following)
    return deeper and _begun(line, following) and not code and (last or soft[at + 1])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _begun(line: str, following: str) -> bool:
    """Say whether a line is in the midst of a sentence that the following goes on with."""
    return following.lstrip()[:1].islower() and not _STOPPED.search(line)


def _goes_on(line: str, following: str) -> bool:
    """Say whether a sentence of Markdown goes on in the next line, with a small letter or with a link."""
    begins = following.lstrip()
    if begins.startswith("["):
        return (line[-1:].islower() or line.endswith(",")) and not _DEFINED.match(begins)
    words = begins.lstrip(_MARKS)
    return _begun(line, words) and not _KEY.match(words.replace("*", ""))


def _fenced(block: list[str]) -> list[bool]:
    inside, fenced = False, []
    for line in block:
        inside ^= _FENCE.match(line) is not None
        fenced.append(inside)
    return fenced


def _fixed(line: str, following: str) -> bool:
    """Say whether the form of two lines keeps them apart: lists, headings, tables, rules."""
    return bool(
        _BULLET.match(following)
        or _HEADING.match(line)
        or _ROW.search(line.lstrip())
        or _ROW.search(following.lstrip())
    )


def _runs_on(line: str, following: str, width: int) -> bool:
    word = _WORD.search(following)
    full = len(line) + 1 + len(word.group() if word else "") > RAGGED * width
    return full or (_begun(line, following) and 2 * len(line) >= width)


# Where a sentence ends within its lines


def _ends(passage: str) -> list[int]:
    """Give the places in a passage where a sentence ends and another follows, in order."""
    found = {stop.end() for stop in _STOP.finditer(passage) if _breaks(_words(passage, stop))}
    found |= {match.end() for match in _OTHER_ENDS.finditer(passage)}
    ends = [end for end in sorted(found) if end < len(passage) and _stands(passage, end)]
    return _worded(passage, ends) if ends else ends


def _words(passage: str, stop: re.Match[str]) -> str:
    """Give what Punkt decides on: the word with its full stop, and the next word, both bare."""
    word = passage[max(0, stop.start() - 60) : stop.end(1)].split()[-1]
    return f"{word} {_BARE.sub('', stop.group(2) or '-')}"


@lru_cache(maxsize=1 << 14)
def _breaks(words: str) -> bool:
    return bool(_punkt().text_contains_sentbreak(words))


def _stands(passage: str, end: int) -> bool:
    """Say whether a sentence really ends here, and not before `he said`."""
    rest = passage[end : end + 80].lstrip()
    before = passage[max(0, end - 20) : end]
    return not (rest[:1].islower() and _SOFT_END.search(before))


def _worded(passage: str, ends: list[int]) -> list[int]:
    """Drop the ends that would leave a sentence without a word, or with nothing but its number in a list."""
    marker = _MARKER.match(passage)
    start, kept = marker.end() if marker else 0, []
    for end in ends:
        answers = passage.endswith("?", 0, start)
        numbered = not answers and (_NUMBER.fullmatch(passage, start, end) or _FIRST.match(passage, end - 3))
        if _LETTER.search(passage, start, end) and not numbered:
            kept.append(end)
            start = end
    return kept if not kept or _LETTER.search(passage, start) else kept[:-1]


class _Abbreviations(set[str]):
    """Punkt's abbreviations, and everything of the form `e.u`: letters with full stops between them."""

    _dotted = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")

    def __contains__(self, word: object) -> bool:
        return super().__contains__(word) or (
            isinstance(word, str) and self._dotted.fullmatch(word) is not None
        )


@cache
def _punkt() -> Any:
    """Load Punkt with the parameters that ship with us (see `punkt/PROVENANCE.md`).

    nltk's own loader would look for data on the disk, and refuses files that are hard links, which is
    how some installers place them. Importing nltk takes about two seconds: hence here.
    """
    import gzip
    import json
    from importlib.resources import files

    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    model = json.loads(gzip.decompress((files("rag") / "punkt" / "english.json.gz").read_bytes()))
    parameters = PunktParameters()
    parameters.abbrev_types = _Abbreviations([*model["abbreviations"], *f"{_TITLES} {_SHORT_FORMS}".split()])
    parameters.sent_starters = set(model["starters"])
    parameters.collocations = {(first, second) for first, second in model["collocations"]}
    parameters.collocations |= {(word, "##number##") for word in _NUMBERED.split()}
    parameters.ortho_context.update(model["orthography"])
    return PunktSentenceTokenizer(parameters)


# Where to cut what is too long


def _capped(text: str, start: int, end: int) -> Iterator[Span]:
    while end - start > CAP:
        cut = _best_cut(text, start, end)
        yield _trimmed(text, start, cut)
        start = _trimmed(text, cut, end)[0]
    yield start, end


def _best_cut(text: str, start: int, end: int) -> int:
    """Give the place to cut an over-long sentence: after a clause, else a word, else anywhere.

    What is left over is not to be tiny either, which is why the last sixth is left alone.
    """
    low, high = start + CAP // 3, min(start + CAP, end - CAP // 6)
    for pattern in _CUTS:
        places = [match.end() for match in pattern.finditer(text, low, high)]
        if places:
            return places[-1]
    while high > low and splits_character(text, high):
        high -= 1
    return high


# Characters as people see them


def _whole(text: str, spans: list[Span]) -> Iterator[Span]:
    """Move or drop the boundaries that lie within a character as people see it."""
    start = None
    for (low, high), (following, _) in pairwise([*spans, (len(text), len(text))]):
        start = low if start is None else start
        if not splits_character(text, following) or following == len(text):
            yield start, high
            start = None


def splits_character(text: str, place: int) -> bool:
    r"""Say whether `place` lies within a character as people see it (Unicode annex 29, nearly).

    Examples:
        >>> splits_character("e\u0301", 1), splits_character("ab", 1)
        (True, False)
    """
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    if unicodedata.category(before) in ("Cc", "Zl", "Zp"):
        return before == "\r" and after == "\n"
    return (
        before == "\u200d"
        or _extends(after)
        or (unicodedata.combining(before) == 9 and unicodedata.category(after) == "Lo")
        or _within_flag(text, place)
    )


def _extends(character: str) -> bool:
    """Say whether a character belongs to the one before it: marks, joiners, skin tones, tags, vowel jamo."""
    return (
        unicodedata.category(character)[0] == "M"
        or character in "\u200c\u200d"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
        or "\u1160" <= character <= "\u11ff"
    )


def _within_flag(text: str, place: int) -> bool:
    """Say whether `place` parts the two letters of a flag, which come in pairs."""
    letters = 0
    if not _is_flag_letter(text[place]):
        return False
    while place > letters < 100 and _is_flag_letter(text[place - 1 - letters]):
        letters += 1
    return letters % 2 == 1


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
