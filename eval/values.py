"""Whether a text states a value: in an annotated spelling, or in any other spelling of the same value.

    GoldFact + text -> sentences -> places where the value stands -> Found

An annotated spelling decides first, and only where it stands whole: "5 million" does not stand in "5 million
dollars". Typed comparison (`rag.facts`) says what is whole, and adds the spellings that nobody wrote down.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from eval.asides import CLAUSES, is_set_aside
from rag.dates import Day
from rag.facts import Fact, comparable, find_facts, missing, same, turns
from rag.names import TITLES
from rag.negation import Denial, find_denials
from rag.numbers import find_numbers
from rag.sentences import sentence_spans
from rag.words import FUNCTION_WORDS, Word, fold, split, stem, straighten

if TYPE_CHECKING:
    from eval.dataset import GoldFact

Span = tuple[int, int]
FIGURES = frozenset("money percentage count frequency duration date".split())
"""The kinds that have a figure; the others are a name, a negation or a phrase."""

_WORDED = {"phrase", "negation"}
"""The kinds whose spellings hold what is affirmed or denied."""

_SEPARATED = re.compile(r"(?<![\d.,])\d{1,3}(?:[,'\u2019\u00a0\u2009\u202f]\d{3})+(?!\d)")
_QUOTES = str.maketrans("\u2018\u2019\u02bc\u201c\u201d\u00ab\u00bb", "'''" + '"' * 4)
_DASHES = re.compile(r"[-\u2010-\u2015]")
_RELATION = re.compile(
    r"\b(?:(?P<before>before|prior to|earlier than)|(?P<after>after|later than|following)"
    r"|(?P<until>until|till|through|up to)|(?P<since>since|from))"
    r" (?:(?:the|early|mid|late|end|beginning|start|of) )*$",
    re.IGNORECASE,
)
_PART = re.compile(
    r"\b(?:half|third|quarter|twice|double|triple|times|fraction|part)(?: of| as much as)? "
    r"(?:the |those |an? )?$",
    re.IGNORECASE,
)
_PER = re.compile(r"(?:an?|per) (?:second|minute|hour|day|night|week|month|quarter|year)", re.IGNORECASE)
"""A frequency that belongs to what stands before it."""
_RANGE = re.compile(r" ?(?:[-\u2013\u2014]|to|or|and) ?", re.IGNORECASE)
_WORDS_BETWEEN = re.compile(r"(?: ?[-(]?(?P<word>[^\W\d_]+)\)?){0,2} ?")
_ELAPSED = re.compile(
    r" (?:(?P<ago>ago)|(?P<earlier>earlier|before|previously|prior)"
    r"|(?P<later>later|after|afterwards?|since|from now|hence|thereafter))\b",
    re.IGNORECASE,
)
_LASTING = re.compile(
    r"\b(?:for|of|took|takes?|taken|last(?:s|ed|ing)?|over|during|throughout) (?:[a-z]+ly |about )?$", re.I
)
_MORE = re.compile(r" (?:more|less|fewer|extra|additional|too (?:much|many|high|low))\b(?! or less\b)", re.I)
_LABEL = re.compile(
    r"\b(?:pages?|pp?\.|chapters?|articles?|sections?|paragraphs?|lines?|rooms?|items?|tables?|flights?|gates?"
    r"|(?<!a )(?<!the )numbers?) (?:no\.? ?|#)?$",
    re.IGNORECASE,
)
_NOUNS = re.compile(r"(?: [a-z]+){1,3} ")
_PEOPLE = {"person", "user", "subscriber", "member", "customer"}
"""Nouns that "people" may stand for; none of the others stands for another."""


@dataclass(frozen=True, slots=True)
class Found:
    """Whether a text states a gold fact.

    Attributes:
        found: It does.
        by: `spelling`, where an annotated one stands there whole; `value`, where typed comparison alone
            finds it; None where it is not found.
        differ: An annotated spelling stands in the text, and typed comparison does not find the value
            there: a person should look.
        wrong: The rejected values that the text states, in the order of the fact.
    """

    found: bool
    by: Literal["spelling", "value"] | None = None
    differ: bool = False
    wrong: tuple[str, ...] = ()


def judge_value(fact: GoldFact, told: str) -> Found:
    """Decide whether a text states a gold fact, sentence by sentence.

    A place counts where an accepted spelling stands, or where typed comparison finds the same value. It
    does not count where the words around it make another value of it:

    - it is part of a rejected value, of a longer or another figure, or of another name ("5 million
      dollars", "39 days" for an age of 39, "Nikolai Durov"). What a spelling leaves open, the value closes:
      "950 million" stands in "950 million users" and not in "950 million posts". A date may be more precise;
    - it is approximated or related otherwise than in the quote ("less than", "before", "a day", "ago"), one
      end of a range, multiplied ("half of"), a label ("page 39") or a difference ("5 million euros more");
    - it is denied: the place itself, what the quote affirms, or the clause up to the place. Of a phrase
      or a negation only the place itself is asked: their spellings hold what is affirmed or denied;
    - it is asked, supposed, called false, refused or ended (`eval.asides`).

    What is not seen: who did it or to whom, of which event it is told ("39 years" of somebody else), irony,
    and a statement taken back in another sentence. A sentence of nothing but a phrase's own value states
    it, as a short answer to the question.

    One place that counts is enough, so that a sentence may hold several values. A rejected value is stated
    where it stands whole and is neither denied itself nor set aside so, however it is approximated.

    Args:
        fact: With its spellings and its quote.
        told: What was answered.

    Examples:
        >>> from eval.dataset import GoldFact
        >>> quote = "was released on bail of 5 million euros"
        >>> bail = GoldFact("money", "5 million euros", ("€5M",), ("$5M",), True, "000.txt", quote, 0, 39)
        >>> judge_value(bail, "Bail was five million euros.")
        Found(found=True, by='value', differ=False, wrong=())
        >>> judge_value(bail, "Bail was 5 million dollars.")
        Found(found=False, by=None, differ=False, wrong=('$5M',))
    """
    statements = _statements(told)
    raw = [(at, span) for at in statements for spelling in fact.accepted for span in at.spans(spelling)]
    typed = any(_stated_by_value(fact, at) for at in statements)
    spelled = any(_counts(fact, at, span) for at, span in raw)
    by: Literal["spelling", "value"] | None = "spelling" if spelled else "value" if typed else None
    open_to_types = fact.kind in FIGURES and bool(_values(fact))
    return Found(
        found=by is not None,
        by=by,
        differ=bool(raw) and not (typed if open_to_types else spelled),
        wrong=tuple(value for value in fact.rejected if any(_rejects(fact, value, at) for at in statements)),
    )


def normalise(text: str) -> str:
    """Fold what does not change a value: case, white space, quotes, dashes, thousands separators.

    Examples:
        >>> normalise("EUR 5,000,000  “Twice-weekly”")
        'eur 5000000 "twice weekly"'
    """
    return _folded(unicodedata.normalize("NFC", text))[0]


def states(spelling: str, text: str) -> bool:
    """Whether the spelling stands in the text, as whole words and whole numbers.

    Examples:
        >>> states("5 million", "Bail was 5 million euros."), states("5 million", "Bail was 2.5 million.")
        (True, False)
        >>> states("1%", "The 0.001% involved"), states("€5M", "a bail of €5m")
        (False, True)
    """
    pattern = _pattern(spelling)
    return pattern is not None and pattern.search(normalise(text)) is not None


def states_value(kind: str, value: str, text: str) -> bool:
    """Whether a typed fact of the text is the same as the value, by `rag.facts`.

    False where the value is not exactly one fact of its kind: spellings alone decide then.

    Examples:
        >>> states_value("money", "5 million euros", "a bail of EUR 5,000,000")
        True
        >>> states_value("money", "5 million euros", "a bail of $5M")
        False
    """
    wanted = _of_kind(value, kind)
    return len(wanted) == 1 and any(same(wanted[0], fact) for fact in find_facts(text))


@dataclass(frozen=True, slots=True)
class _Statement:
    """A sentence as it is judged; `places` has, for each character of `folded`, where it stands in `text`."""

    text: str
    folded: str
    places: tuple[int, ...]
    words: tuple[Word, ...]
    figures: tuple[Fact, ...]
    denials: tuple[Denial, ...]

    def spans(self, spelling: str) -> Iterator[Span]:
        """Where a spelling stands as whole words and whole numbers, in characters of `text`."""
        pattern = _pattern(spelling)
        for match in pattern.finditer(self.folded) if pattern else ():
            yield self.places[match.start()], self.places[match.end() - 1] + 1

    def within(self, span: Span) -> range:
        """Which words stand in a span, from 0."""
        inside = [
            place for place, word in enumerate(self.words) if word.start < span[1] and span[0] < word.end
        ]
        return range(inside[0], inside[-1] + 1) if inside else range(0)


@lru_cache(maxsize=64)
def _statements(told: str) -> tuple[_Statement, ...]:
    return tuple(
        _statement(line[start:end]) for line in told.split("\n") for start, end in sentence_spans(line)
    )


@lru_cache(maxsize=512)
def _statement(text: str) -> _Statement:
    text = unicodedata.normalize("NFC", text)
    words = tuple(split(straighten(text)))
    figures = tuple(fact for fact in find_facts(text) if fact.kind in FIGURES)
    return _Statement(text, *_folded(text), words, figures, tuple(find_denials(words)))


def _folded(text: str) -> tuple[str, tuple[int, ...]]:
    """The text as spellings are compared, and where each character of that stands in it."""
    separators = {
        place
        for match in _SEPARATED.finditer(text)
        for place in range(*match.span())
        if not text[place].isdigit()
    }
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if place in separators:
            continue
        plain = _DASHES.sub(" ", unicodedata.normalize("NFKC", character).translate(_QUOTES)).casefold()
        for letter in plain:
            if not letter.isspace() or (folded and folded[-1] != " "):
                folded.append(" " if letter.isspace() else letter)
                places.append(place)
    if folded and folded[-1] == " ":
        folded, places = folded[:-1], places[:-1]
    return "".join(folded), tuple(places)


@lru_cache(maxsize=4096)
def _pattern(spelling: str) -> re.Pattern[str] | None:
    words = normalise(spelling)
    if not words:
        return None
    before = r"(?<!\w)(?<!\d[.,])" if words[0].isalnum() else ""
    after = r"(?!\w|[.,]\d|\s?%)" if words[-1].isalnum() else ""
    return re.compile(before + re.escape(words) + after)


def _of_kind(text: str, kind: str) -> list[Fact]:
    return [fact for fact in find_facts(text) if fact.kind == kind]


def _stated_by_value(fact: GoldFact, at: _Statement) -> bool:
    """Whether typed comparison finds the value in a sentence."""
    if fact.kind == "negation":
        return _denies(fact, at)
    if fact.kind == "phrase":
        spans: Iterable[Span] = [*_short(fact, at), *_vaguely(fact, at)]
    elif fact.kind == "name":
        spans = _name_spans(fact.value, at)
    else:
        spans = ((found.start, found.end) for found in _alike(at, _values(fact)))
    return any(_counts(fact, at, span) for span in spans)


def _short(fact: GoldFact, at: _Statement) -> Iterator[Span]:
    """The whole sentence, where it says the value of a phrase and nothing else, as a short answer does."""
    wanted, said = (
        [word.fold for word in words if word.text.lower() not in FUNCTION_WORDS]
        for words in (split(straighten(fact.value)), at.words)
    )
    if wanted and wanted == said and not at.denials:
        yield 0, len(at.text)


def _vaguely(fact: GoldFact, at: _Statement) -> Iterator[Span]:
    """The figures that a phrase is as a whole: "a few million posts" are "millions"."""
    figures = [one for one in find_facts(fact.value) if one.text == fact.value and one.qualifier == "vague"]
    for found in at.figures:
        if any(same(_opened(fact, found), one) for one in figures):
            yield found.start, found.end


def _alike(at: _Statement, wanted: Sequence[Fact]) -> Iterator[Fact]:
    """The figures of a sentence that are one of those wanted.

    "5 euros a week" and "two visits every week" hold no "once a week".
    """
    for found in at.figures:
        alike = any(same(found, one) or same(_as_people(found, one), one) for one in wanted)
        if alike and not _PER.match(found.text) and not _repeated(at, found):
            yield found


def _repeated(at: _Statement, found: Fact) -> bool:
    """Whether a frequency ("every week") is one of several times that are counted before it."""
    if found.kind != "frequency" or not found.text.lower().startswith(("every", "each")):
        return False
    counts = [one for one in at.figures if one.kind == "count" and one.end <= found.start]
    return any(
        _number_of(one) in range(2, 100)
        and re.fullmatch(r"(?: [a-z]+){1,3} ", at.text[one.end : found.start])
        for one in counts
    )


def _number_of(figure: Fact) -> object:
    return figure.value[0] if isinstance(figure.value, tuple) else None


def _denies(fact: GoldFact, at: _Statement) -> bool:
    """Whether a sentence makes the denial of a fact in its own words, and takes it back by no other."""
    if missing(fact.value, [at.text]) or turns(at.text, [fact.quote]):
        return False
    spans = [(denial.start, denial.end) for denial in at.denials]
    if any(_denied_itself(at, span, set()) or _aside(fact, at, span) for span in spans):
        return False
    return not any(_rejects(fact, value, at) for value in fact.rejected)


def _counts(fact: GoldFact, at: _Statement, span: Span) -> bool:
    """Whether the value stands in a span, and the words around it leave it as it is."""
    larger = (wider for value in fact.rejected for wider in at.spans(value))
    if any(start <= span[0] and span[1] <= end for start, end in larger):
        return False
    return _whole(fact, at, span) and not _denied(fact, at, span) and not _aside(fact, at, span)


def _aside(fact: GoldFact, at: _Statement, span: Span) -> bool:
    return is_set_aside(at.text, span, " | ".join((fact.quote, fact.value, *fact.accepted)))


def _values(fact: GoldFact) -> tuple[Fact, ...]:
    """The typed readings that state the fact: of its value, and of the spellings that name a unit."""
    own = _of_kind(fact.value, fact.kind)
    if fact.kind not in FIGURES or len(own) != 1:
        return ()
    spelled = [found for spelling in fact.accepted for found in _of_kind(spelling, fact.kind)]
    return (*own, *(found for found in spelled if fact.kind != "count" or found.value[1]))  # type: ignore[index]


def _name_spans(name: str, at: _Statement) -> Iterator[Span]:
    wanted = [word.fold for word in split(straighten(name))]
    for place in range(len(at.words) - len(wanted) + 1):
        run = at.words[place : place + len(wanted)]
        if wanted and [word.fold for word in run] == wanted and not any(word.stop for word in run[1:]):
            yield run[0].start, run[-1].end


def _whole(fact: GoldFact, at: _Statement, span: Span) -> bool:
    """Whether what stands in a span is the value itself, and not part of another one."""
    if fact.kind == "name":
        return not _is_other_name(fact, at, span)
    around = _around(fact, at, span)
    quoted = _quoted(fact)
    readings = [*_readings(fact, [fact.value, *fact.accepted]), *quoted]
    if not readings:
        return True
    relations = {_relation(fact.quote, found, found.start) for found in quoted}
    own = _statement(fact.quote)
    rates = {None, *(one.value for one in _of_kind(fact.quote, "frequency"))}
    if not all(any(_agrees(found, reading, strict=True) for reading in readings) for found in around):
        return False
    return fact.kind == "phrase" or all(
        _is_related(_relation(at.text, found, span[0]), relations)
        and _rate(at, found) in rates
        and not (_is_part(at, found) and not any(_is_part(own, one) for one in quoted))
        and not (_is_other(at, found) and not any(_is_other(own, one) for one in quoted))
        for found in around
    )


def _readings(fact: GoldFact, spellings: Iterable[str]) -> list[Fact]:
    """What spellings say as figures: a bare number also with the unit that the value of the fact has."""
    found: list[Fact] = []
    for spelling in spellings:
        figures = [one for one in find_facts(spelling) if one.kind in FIGURES]
        found += figures
        numbers = find_numbers(straighten(fact.value))
        if len(numbers) == 1 and len(figures) == 1 and figures[0].kind == "count":
            number = numbers[0]
            closed = fact.value[: number.start] + spelling + fact.value[number.end :]
            whole = [one for one in find_facts(closed) if one.kind in FIGURES]
            found += whole
            found += [replace(figures[0], qualifier=one.qualifier) for one in whole if one.kind == "count"]
    return [_opened(fact, one) for one in found]


def _around(fact: GoldFact, at: _Statement, span: Span) -> list[Fact]:
    """The figures that a span touches."""
    touched = (one for one in at.figures if one.start < span[1] and span[0] < one.end)
    return [_opened(fact, one) for one in touched]


def _opened(fact: GoldFact, figure: Fact) -> Fact:
    """A figure as it is compared: a phrase ("millions") leaves open what it counts."""
    if fact.kind == "phrase" and figure.kind == "count":
        return replace(figure, value=(figure.value[0], ""))  # type: ignore[index, arg-type]
    return figure


def _quoted(fact: GoldFact) -> list[Fact]:
    """The figures of the quote that are the value, or that an accepted spelling touches."""
    quote = _statement(fact.quote)
    spans = [span for spelling in fact.accepted for span in quote.spans(spelling)]
    wanted = _values(fact)
    own = [one for one in quote.figures if any(same(one, value) for value in wanted)]
    return [*own, *(one for span in spans for one in _around(fact, quote, span))]


def _agrees(found: Fact, reading: Fact, *, strict: bool) -> bool:
    """Whether a figure is the same as a reading.

    `strict` asks for the approximation of the reading, or none; else one that the reading has is needed.
    """
    if strict and found.qualifier not in {"", "about", reading.qualifier}:
        return False
    if not strict and reading.qualifier not in {"", found.qualifier}:
        return False
    return (
        same(found, reading)
        or same(_as_people(found, reading), reading)
        or any(
            wide.within(narrow)
            for wide in reading.values
            for narrow in found.values
            if isinstance(wide, Day) and isinstance(narrow, Day)
        )
    )


def _as_people(found: Fact, reading: Fact) -> Fact:
    """A figure with the noun of a reading, where one counts people and the other users, say."""
    if not (found.kind == reading.kind == "count"):
        return found
    units = {found.value[1], reading.value[1]}  # type: ignore[index]
    if "person" in units and units <= _PEOPLE:
        return replace(found, value=(found.value[0], reading.value[1]))  # type: ignore[index, arg-type]
    return found


def _relation(text: str, figure: Fact, start: int) -> str:
    """The word that says how a figure is meant: after a span of time, or before a date and before `start`."""
    if figure.kind == "duration":
        return _elapsed(text, figure)
    match = _RELATION.search(text[: figure.start]) if figure.kind == "date" else None
    return match.lastgroup or "" if match and match.start() < start else ""


def _elapsed(text: str, span: Fact) -> str:
    """Whether a span of time only places something: `ago`, `earlier` or `later`; else empty."""
    match = _ELAPSED.search(f" {span.text}") or _ELAPSED.match(text, span.end)
    if match is None or (not match["ago"] and _LASTING.search(text[: span.start])):
        return ""
    return match.lastgroup or ""


def _is_related(relation: str, known: set[str]) -> bool:
    return relation in known | {""} or (relation == "since" and known <= {""})


def _rate(at: _Statement, found: Fact) -> object:
    """The frequency that follows a figure at once, as in "5 million euros a day", or None."""
    following = [one for one in at.figures if one.kind == "frequency" and one.start >= found.end]
    if found.kind in {"frequency", "date"} or not following:
        return None
    gap = _WORDS_BETWEEN.fullmatch(at.text[found.end : following[0].start])
    noun = at.text[following[0].end :].lstrip().split(" ")[0].strip(".,;:!?\"'")
    adverb = " " not in following[0].text and noun.lower() not in FUNCTION_WORDS | {""}
    at_once = gap is not None and (gap["word"] or "").lower() not in FUNCTION_WORDS and not adverb
    return following[0].value if at_once else None


def _is_part(at: _Statement, found: Fact) -> bool:
    """Whether a figure is one end of a range, or multiplied, as in "half of 5 million euros"."""
    if found.kind == "date":
        return False
    ends = ((one, found) if one.start < found.start else (found, one) for one in at.figures)
    ranged = any(comparable(low, high) and _is_range(at.text, low, high) for low, high in ends)
    return ranged or _PART.search(at.text[: found.start]) is not None


def _is_other(at: _Statement, found: Fact) -> bool:
    """Whether a figure is a label ("page 39") or only the difference ("5 million euros more")."""
    bare = found.kind == "count" and not isinstance(found.value, Day)
    labelled = bare and _LABEL.search(at.text[: found.start]) is not None
    return labelled or (found.kind != "date" and _MORE.match(at.text, found.end) is not None)


def _is_range(text: str, low: Fact, high: Fact) -> bool:
    """Whether two figures are the ends of a range; joined by "and" only after "between"."""
    gap = text[low.end : high.start]
    listed = gap.strip().lower() == "and" and not re.search(r"\bbetween\W*$", text[: low.start], re.I)
    return _RANGE.fullmatch(gap) is not None and not listed


def _is_other_name(fact: GoldFact, at: _Statement, span: Span) -> bool:
    """Whether a capitalised word that neither the fact nor its quote has stands beside the name."""
    places = at.within(span)
    texts = (fact.value, fact.quote, *fact.accepted)
    known = {word.fold for text in texts for word in split(straighten(text))}
    for step in (-1, 1):
        place = (places[0] if step < 0 else places[-1]) if places else -1
        while 0 <= place + step < len(at.words) and _is_beside(at.words, place, step):
            place += step
            word = at.words[place]
            if word.fold not in known:
                if word.capital and not _is_plain(word):
                    return True
                break
    return False


def _is_beside(words: Sequence[Word], place: int, step: int) -> bool:
    later = words[max(place, place + step)]
    return not later.stop and later.gap in {" ", "-", ". "}


def _is_plain(word: Word) -> bool:
    """Whether a capitalised word is none of a name: a title, or a word that only begins the sentence."""
    first = word.stop and word.start == 0
    return word.fold in TITLES or (first and word.fold in FUNCTION_WORDS)


def _denied(fact: GoldFact, at: _Statement, span: Span) -> bool:
    if not at.denials and fact.kind in _WORDED:
        return False
    quote = _statement(fact.quote)
    if _denied_itself(at, span, {head for denial in quote.denials for head in denial.heads}):
        return True
    if fact.kind in _WORDED:
        return False
    outright = any(denial.force in {"not", "never", "ban"} for denial in quote.denials)
    return bool(turns(at.text, [fact.quote])) or (not outright and _in_denied_clause(at, span))


def _denied_itself(at: _Statement, span: Span, known: set[str]) -> bool:
    """Whether a denial outside the span governs a word in it that is not among the stems `known`."""
    inside = set(at.within(span))
    return any(
        place in inside and head not in known
        for denial in at.denials
        if not span[0] <= denial.start < span[1]
        for place, head in zip(denial.places, denial.heads, strict=True)
    )


def _in_denied_clause(at: _Statement, span: Span) -> bool:
    """Whether a "not" or "never" stands before the span with no break of the clause between."""
    for denial in at.denials:
        if denial.force in {"not", "never"} and denial.end <= span[0]:
            first = at.words[inside[0]].start if (inside := at.within(span)) else span[0]
            between = [word for word in at.words if denial.end <= word.start <= first]
            if not any(word.stop or word.text.lower() in CLAUSES for word in between):
                return True
    return False


def _rejects(fact: GoldFact, value: str, at: _Statement) -> bool:
    """Whether a sentence states a rejected value."""
    if _rejects_denial(value, at):
        return True
    spans = [span for span in at.spans(value) if _is_like(fact, value, at.text[span[0] : span[1]])]
    readings = _readings(fact, [value])
    figures = [one for one in readings if one.kind == fact.kind]
    spans = [
        span
        for span in spans
        if not readings
        or all(
            any(_agrees(found, reading, strict=False) for reading in readings)
            for found in _around(fact, at, span)
        )
    ]
    if len(_of_kind(value, fact.kind)) == 1 and _says_the_rest(value, figures, at):
        spans += [
            (one.start, one.end)
            for one in _alike(at, figures)
            if any(figure.qualifier in {"", one.qualifier} for figure in figures)
        ]
    return any(
        not _denied_itself(at, span, set())
        and not _aside(fact, at, span)
        and not _is_elapsed(fact, value, at, span)
        for span in spans
    )


def _is_elapsed(fact: GoldFact, value: str, at: _Statement, span: Span) -> bool:
    """Whether a span of time is put in another relation ("ago") than a rejected value and the quote have."""
    texts = (value, fact.quote, *fact.accepted)
    known = {_elapsed(text, one) for text in texts for one in _of_kind(text, "duration")}
    around = (one for one in _around(fact, at, span) if one.kind == "duration")
    return any(_elapsed(at.text, one) not in known | {""} for one in around)


def _is_like(fact: GoldFact, value: str, words: str) -> bool:
    """Whether a rejected name is written as one: "a medium" is not Medium."""
    return fact.kind != "name" or not value[0].isupper() or not words[0].islower()


def _rejects_denial(value: str, at: _Statement) -> bool:
    """Whether a rejected denial ("not released on bail") is made in other words of denying."""
    wanted = split(straighten(value))
    if not find_denials(wanted) or missing(value, [at.text]):
        return False
    return _holds_words(wanted, at)


def _says_the_rest(value: str, figures: Sequence[Fact], at: _Statement) -> bool:
    """Whether the words of a rejected value beside its figure stand in a sentence ("left Russia in 2018")."""
    taken = [place for figure in figures for place in range(figure.start, figure.end)]
    return _holds_words([word for word in split(straighten(value)) if word.start not in taken], at)


def _holds_words(wanted: Iterable[Word], at: _Statement) -> bool:
    """Whether the words stand in a sentence, in any form, function words apart."""
    said = {stem(word.fold) for word in at.words}
    content = [word for word in wanted if word.text.lower() not in FUNCTION_WORDS | {"not", "never"}]
    return all(stem(fold(word.text)) in said for word in content)
