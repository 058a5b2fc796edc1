"""An `Answer` as text for the terminal and as HTML for the page; pure, and without gradio.

Everything that comes from a document, a question or a model is escaped here, so that it is read and never
obeyed: no markup on the page, no control sequences in the terminal.
"""

from __future__ import annotations

import html
import json
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from unicodedata import normalize

from rag.types import Answer, Citation, Claim, Conflict, Document, Passage, Side
from ui.exchange import Exchange

NOT_EVIDENCE = "Nearest passages (not evidence):"
PARTIAL = "Part of what was asked is not in the documents."
DOUBTED_BELOW = 0.5
"""The confidence below which the documents more likely do not answer: then the reader is told."""
LISTED = 200

Span = Citation | Passage
"""Words of a document that the page can show at their place."""


# --- the terminal ---------------------------------------------------------------------------------------


def answer_text(answer: Answer, width: int = 88) -> str:
    """The answer for a terminal: sentences with their markers, then the numbered sources.

    Sentences are wrapped to `width` columns; quotes keep their own lines, since they are exact.
    """
    parts = [
        _wrapped(f"Note: {answer.notice}" if answer.notice else "", width),
        _wrapped(f"Searched for: {answer.standalone}" if _completed(answer) else "", width),
        *(_wrapped(_marked(claim.text, claim.citations), width) for claim in answer.claims),
        _wrapped(_unanswered(answer), width),
        _wrapped(_doubt(answer), width),
        *(_conflict_text(conflict, width) for conflict in answer.conflicts),
        _refusal_text(answer, width),
        _dropped_text(answer, width),
        "\n".join(_source_text(citation) for citation in answer.citations),
    ]
    return "\n\n".join(part for part in parts if part)


def _wrapped(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(
        printable(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _marked(text: str, markers: Iterable[int]) -> str:
    return f"{text} {''.join(f'[{marker}]' for marker in markers)}".rstrip()


def _unanswered(answer: Answer) -> str:
    """What of the question the documents do not say, where they say the rest."""
    if answer.status == "refused":
        return ""
    return answer.reason or (PARTIAL if answer.status == "partial" else "")


def _doubt(answer: Answer) -> str:
    """That sentences told without a model may be beside the point, where it is more likely than not."""
    told = bool(answer.claims) and answer.mode == "extractive"
    confidence = round(answer.confidence, 2)
    if not told or confidence >= DOUBTED_BELOW:
        return ""
    return f"The documents may not answer this: confidence {confidence:.2f}."


def _conflict_text(conflict: Conflict, width: int) -> str:
    sides = (_wrapped(_marked(side.value, side.citations), width, "  - ") for side in conflict.sides)
    return "\n".join([_wrapped(f"The documents differ on {conflict.about}:", width), *sides])


def _refusal_text(answer: Answer, width: int) -> str:
    if answer.status != "refused":
        return ""
    if not answer.nearest:
        return _wrapped(answer.reason, width)
    passages = "\n".join(_passage_text(passage) for passage in answer.nearest)
    return f"{_wrapped(answer.reason, width)}\n\n{NOT_EVIDENCE}\n{passages}"


def _dropped_text(answer: Answer, width: int) -> str:
    if not answer.dropped:
        return ""
    lines = (_wrapped(f"“{dropped.text}” ({dropped.why})", width, "  ") for dropped in answer.dropped)
    return "\n".join([f"Left out, as the documents do not carry it ({len(answer.dropped)}):", *lines])


def _source_text(citation: Citation) -> str:
    return f"[{citation.marker}] {_heading(citation)}\n{_place_text(citation)}"


def _passage_text(passage: Passage) -> str:
    return f"  - {_heading(passage)}\n{_place_text(passage)}"


def _heading(span: Span) -> str:
    date = span.published_at[:10] if isinstance(span, Citation) and span.published_at else ""
    return printable(f"{span.title} ({date})" if date else span.title)


def _place_text(span: Span) -> str:
    place = f"{span.doc_id}:{span.start}-{span.end}"
    return textwrap.indent(f"{printable(place)}\n“{printable(span.quote)}”", "    ")


def printable(text: str) -> str:
    r"""The text with control characters made visible, since a terminal would obey them.

    Examples:
        >>> printable("a\x1b[31mred")
        'a␛[31mred'
    """
    return "".join(_picture(character) for character in text)


def _picture(character: str) -> str:
    code = ord(character)
    if code >= 0xA0 or 0x20 <= code < 0x7F or character in "\n\t":
        return character
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"


def _completed(answer: Answer) -> bool:
    asked, read = (normalize("NFC", text).strip() for text in (answer.question, answer.standalone))
    return read not in ("", asked)


# --- the conversation -----------------------------------------------------------------------------------


def conversation_html(exchanges: Sequence[Exchange], examples: Sequence[str] = ()) -> str:
    """The conversation, oldest question first; a welcome with example questions where it is empty."""
    if not exchanges:
        return _welcome_html(examples)
    return "".join(_exchange_html(exchange, turn) for turn, exchange in enumerate(exchanges))


def _welcome_html(examples: Sequence[str]) -> str:
    asks = "".join(
        f'<li><button type="button" class="cw-example" data-ask="{_escape(example)}">'
        f"{_escape(example)}</button></li>"
        for example in examples
    )
    tries = f'<p class="cw-try" id="cw-try">For example</p><ul aria-labelledby="cw-try">{asks}</ul>'
    return (
        '<section class="cw-welcome"><h2>What would you like to know?</h2>'
        "<p>Answers come from your documents alone. Every sentence names the exact words it rests on, "
        "and where the documents do not say it, you are told so.</p>"
        f"{tries if examples else ''}</section>"
    )


def _exchange_html(exchange: Exchange, turn: int) -> str:
    answer = "" if exchange.answer is None else answer_html(exchange.answer, turn, not exchange.working)
    error = f'<p class="cw-error">{_escape(exchange.error)}</p>' if exchange.error else ""
    working = f'<p class="cw-working">{_escape(exchange.working)}</p>' if exchange.working else ""
    return (
        f'<article class="cw-exchange"><h2 class="cw-question" dir="auto">{_escape(exchange.question)}</h2>'
        f"{answer}{error}{working}</article>"
    )


def answer_html(answer: Answer, turn: int = 0, finished: bool = True) -> str:
    """The answer for the page: sentences with citations to click, conflicts, sources, or the refusal.

    Args:
        answer: The answer, or as much of it as has been checked so far.
        turn: Its place in the conversation, from 0, by which its citations are found again.
        finished: Whether this is the whole answer: then doubt, its sources and its mode are shown too.

    Returns:
        HTML in which nothing but this module's own elements is markup.
    """
    parts = [
        _note("cw-standalone", f"Searched for: {answer.standalone}" if _completed(answer) else ""),
        _note("cw-notice", answer.notice),
        "".join(_claim_html(answer, claim, turn, place) for place, claim in enumerate(answer.claims)),
        _note("cw-open", _unanswered(answer)),
        _note("cw-doubt", _doubt(answer) if finished else ""),
        "".join(
            _conflict_html(answer, conflict, turn, place) for place, conflict in enumerate(answer.conflicts)
        ),
        _refusal_html(answer, turn),
    ]
    if finished:
        parts += [_sources_html(answer, turn), _dropped_html(answer), _foot_html(answer)]
    return f'<div class="cw-answer cw-{answer.status}">{"".join(parts)}</div>'


def _note(name: str, text: str) -> str:
    return f'<p class="{name}">{_escape(text)}</p>' if text else ""


def _claim_html(answer: Answer, claim: Claim, turn: int, place: int) -> str:
    chips = _chips(answer, claim.citations, turn, f"s{place}")
    count = len(claim.support)
    said = f' <span class="cw-support">{count} documents say so</span>' if count > 1 else ""
    return f'<p class="cw-claim" dir="auto">{_escape(claim.text)} {chips}{said}</p>'


def _chips(answer: Answer, markers: Iterable[int], turn: int, owner: str) -> str:
    cited = {citation.marker: citation for citation in answer.citations}
    return "".join(_chip(cited[marker], turn, owner) for marker in markers if marker in cited)


def _chip(citation: Citation, turn: int, owner: str) -> str:
    """A citation to click, with a card of its quote that shows on hover and on keyboard focus."""
    card = f"cw-card-{turn}-{owner}-{citation.marker}"
    return (
        f'<span class="cw-cite"><button type="button" class="cw-chip" '
        f"{_opens(turn=turn, marker=citation.marker)} "
        f'aria-label="Citation {citation.marker}" aria-describedby="{card}">{citation.marker}</button>'
        f'<span class="cw-card" role="tooltip" id="{card}">'
        f'<span class="cw-card-title">{_escape(citation.title)}</span>'
        f'<span class="cw-meta">{_meta(citation)}</span>'
        f'<span class="cw-quote" dir="auto">{_escape(citation.quote)}</span></span></span>'
    )


def _opens(**place: int | str) -> str:
    return f'data-open="{_escape(place_key(**place))}"'


def place_key(**place: int | str) -> str:
    """How the page names what a click opens, the same on a citation and on the document it opened.

    Examples:
        >>> place_key(turn=0, marker=2)
        '{"marker": 2, "turn": 0}'
    """
    return json.dumps(place, sort_keys=True)


def _conflict_html(answer: Answer, conflict: Conflict, turn: int, place: int) -> str:
    rows = "".join(_side_html(answer, side, turn, f"c{place}v{i}") for i, side in enumerate(conflict.sides))
    return (
        f'<table class="cw-sides"><caption>The documents differ on {_escape(conflict.about)}</caption>'
        f'<thead><tr><th scope="col">They say</th><th scope="col">Where</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _side_html(answer: Answer, side: Side, turn: int, owner: str) -> str:
    return f"<tr><td>{_escape(side.value)}</td><td>{_chips(answer, side.citations, turn, owner)}</td></tr>"


def _refusal_html(answer: Answer, turn: int) -> str:
    if answer.status != "refused":
        return ""
    rows = "".join(_near_html(passage, turn, place) for place, passage in enumerate(answer.nearest))
    heading = "<h3>Nearest passages <em>not evidence</em></h3>"
    near = f'<section class="cw-nearest">{heading}<ul>{rows}</ul></section>' if rows else ""
    return f'<p class="cw-reason">{_escape(answer.reason)}</p>{near}'


def _near_html(passage: Passage, turn: int, place: int) -> str:
    return (
        f'<li><span class="cw-quote" dir="auto">{_escape(passage.quote)}</span>'
        f'<button type="button" class="cw-source" {_opens(turn=turn, passage=place)}>'
        f"{_escape(passage.title)}</button></li>"
    )


def _dropped_html(answer: Answer) -> str:
    if not answer.dropped:
        return ""
    count = len(answer.dropped)
    rows = "".join(
        f'<li><span class="cw-quote">{_escape(dropped.text)}</span> <span class="cw-meta">'
        f"{_escape(dropped.why)}</span></li>"
        for dropped in answer.dropped
    )
    what = "1 sentence was" if count == 1 else f"{count} sentences were"
    return (
        f'<details class="cw-dropped"><summary>{what} left out: the documents do not carry what the model '
        f"wrote</summary><ul>{rows}</ul></details>"
    )


def _sources_html(answer: Answer, turn: int) -> str:
    if not answer.citations:
        return ""
    rows = "".join(
        f'<li><span class="cw-number" aria-hidden="true">{citation.marker}</span>'
        f'<button type="button" class="cw-source" {_opens(turn=turn, marker=citation.marker)}>'
        f'{_escape(citation.title)}</button> <span class="cw-meta">{_meta(citation)}</span></li>'
        for citation in answer.citations
    )
    return f'<section class="cw-sources"><h3>Sources</h3><ol>{rows}</ol></section>'


def _foot_html(answer: Answer) -> str:
    copied = _escape("\n\n".join([answer.question, answer_text(answer)]))
    return (
        f'<p class="cw-foot">{_mode_html(answer)}'
        f'<button type="button" class="cw-plain" data-copy="{copied}">Copy</button></p>'
    )


def _mode_html(answer: Answer) -> str:
    if not answer.claims:
        return ""
    if answer.mode == "extractive":
        return "<span>Sentences from the documents</span> "
    return f"<span>Written by {_escape(answer.mode)}, checked</span> "


# --- the panel ------------------------------------------------------------------------------------------


def documents_html(documents: Sequence[Document]) -> str:
    """The list of what is indexed, each title to click; the first `LISTED` of a longer list."""
    rows = "".join(
        f'<li><button type="button" class="cw-source" {_opens(doc=document.doc_id)}>'
        f'{_escape(document.title)}</button> <span class="cw-meta">{_meta(document)}</span></li>'
        for document in documents[:LISTED]
    )
    more = _note("cw-meta", f"and {len(documents) - LISTED} more" if len(documents) > LISTED else "")
    count = "1 document" if len(documents) == 1 else f"{len(documents)} documents"
    return (
        f'<section class="cw-documents"><header class="cw-head"><h2>{count}</h2></header>'
        f'<div class="cw-scroll" tabindex="0" role="group" aria-label="Documents"><ul>{rows}</ul>{more}</div>'
        "</section>"
    )


def document_html(
    document: Document, spans: Sequence[Span] = (), focus: Span | None = None, shown: str = ""
) -> str:
    """A document for the side panel, its cited words marked at their place.

    Each `<mark>` holds one quote exactly, character for character. Marks cannot overlap, so the focused one
    is drawn first and what is left of a span that overlaps another is only tinted. A span whose words no
    longer stand at its place (the file has changed since) is not drawn, and the reader is told.

    Args:
        document: The document.
        spans: The citations or passages to mark; those of other documents are ignored.
        focus: The one that was opened.
        shown: The `place_key` that opened it.
    """
    own = [span for span in spans if span.doc_id == document.doc_id]
    standing = [span for span in own if document.text[span.start : span.end] == span.quote]
    return (
        f'<article class="cw-document" data-shown="{_escape(shown)}">'
        f'<header class="cw-head"><h2 dir="auto">{_escape(document.title)}</h2>'
        f'<p class="cw-meta">{_meta(document)}</p>{_panel_notes(own, standing, focus)}'
        f'<p class="cw-tools">{_BACK if focus else ""}{_LIST}</p></header>'
        f'<div class="cw-scroll" tabindex="0" role="group" aria-label="Text of the document">'
        f'<div class="cw-text" dir="auto">{"".join(_marked_text(document.text, standing, focus))}</div></div>'
        "</article>"
    )


_BACK = '<button type="button" class="cw-plain cw-back" data-back>Back to the answer</button>'
_LIST = '<button type="button" class="cw-plain" data-open="{}">All documents</button>'


def line_html(text: str) -> str:
    """The panel with nothing to show but a line that says why."""
    return (
        f'<div class="cw-head"><p class="cw-error">{_escape(text)}</p><p class="cw-tools">{_LIST}</p></div>'
    )


def _panel_notes(own: Sequence[Span], standing: Sequence[Span], focus: Span | None) -> str:
    changed = "This document has changed since the answer: the words no longer stand where they were cited."
    near = "Near to the question, but not evidence for an answer."
    notes = _note("cw-changed", changed if len(standing) < len(own) else "")
    return notes + _note("cw-near-note", near if isinstance(focus, Passage) else "")


def _marked_text(text: str, spans: Sequence[Span], focus: Span | None) -> Iterator[str]:
    """The text in pieces, in order: marks, tinted rests of overlapping spans, and plain text."""
    whole = _disjoint(spans, focus)
    starts = {span.start: span for span in whole}
    cuts = {0, len(text), *(place for span in spans for place in (span.start, span.end))}
    inside = _covers(whole)
    for start, end in pairwise(sorted(cuts)):
        if start in starts:
            yield _mark(starts[start], starts[start] == focus)
        elif not inside(start):
            piece = _escape(text[start:end])
            yield f'<span class="cw-rest">{piece}</span>' if _covers(spans)(start) else piece


def _disjoint(spans: Sequence[Span], focus: Span | None) -> list[Span]:
    """As many spans as can be marked whole without overlap, the focused one first of all."""
    chosen: list[Span] = []
    for span in sorted(spans, key=lambda span: (span != focus, span.start, -span.end)):
        if span.end > span.start and all(span.end <= one.start or one.end <= span.start for one in chosen):
            chosen.append(span)
    return chosen


def _covers(spans: Sequence[Span]) -> Callable[[int], bool]:
    return lambda place: any(span.start <= place < span.end for span in spans)


def _mark(span: Span, focused: bool) -> str:
    near = isinstance(span, Passage)
    name = "cw-mark" + (" cw-near" if near else "") + (" cw-focus" if focused else "")
    number = "" if isinstance(span, Passage) else f' data-marker="{span.marker}"'
    return f'<mark id="cw-mark-{span.start}-{span.end}" class="{name}"{number}>{_escape(span.quote)}</mark>'


def _meta(what: Document | Citation) -> str:
    date = (what.published_at or "")[:10]
    parts = dict.fromkeys(part for part in (what.source, date, what.doc_id) if part)
    return " · ".join(f"<bdi>{_escape(part)}</bdi>" for part in parts)


def _escape(text: str) -> str:
    """Text as HTML text or attribute; a carriage return stays one, which a parser would make a line feed."""
    return html.escape(text).replace("\r", "&#13;")
