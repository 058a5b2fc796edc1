"""The answers of a run that are not right, as HTML: what was asked, expected and told, and on what words.

All that comes from a record is escaped here, and kept from turning the text around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from eval.records import FoundFact, Json, Record, Run
from eval.report import not_right, parts, told, visible
from eval.run import AROUND

LISTED = 300
"""How many failures a page holds; a larger set leaves the rest in its records."""
OPEN = 12
"""A page with no more failures than this shows them opened."""
LONGEST = 900
"""The characters that are shown of one text."""
PASSAGES, NEAREST, TURNS = 6, 3, 6
"""How many citations, nearest passages and turns of a conversation are shown, at most."""

_FILTER = (
    '<form id="filter" hidden><label>Find <input type="search" '
    'placeholder="a word, an id, a reason"></label> <button type="button">Open all</button> <output></output>'
    "</form>"
)


def failures(run: Run) -> tuple[str, str]:
    """The section of what is not right, grouped by part; `LISTED` of them at most.

    Returns:
        The section's title and its HTML, empty where everything judged is right.
    """
    groups = {part: found for part in parts(run) if (found := not_right(run, part))}
    count = sum(map(len, groups.values()))
    if not count:
        return "Failures", ""
    shares = _shares({part: len(records) for part, records in groups.items()})
    drawn = "".join(
        _group(part, records, shares[part], opened=count <= OPEN) for part, records in groups.items()
    )
    return "Failures", (
        f'<section id="failures"><h2>Failures <small>{count} answers are not right</small></h2>'
        f"{_FILTER}{drawn}</section>"
    )


def _shares(counts: Mapping[str, int]) -> dict[str, int]:
    """How many failures of each part are shown, `LISTED` in all: a small part whole, large ones alike.

    Examples:
        >>> _shares({"questions": 900, "attacks": 20}) == {"attacks": 20, "questions": LISTED - 20}
        True
    """
    shares: dict[str, int] = {}
    for part in sorted(counts, key=lambda part: counts[part]):
        left, parts_left = LISTED - sum(shares.values()), len(counts) - len(shares)
        shares[part] = min(counts[part], left // parts_left)
    return shares


def _group(part: str, records: Sequence[Record], share: int, opened: bool) -> str:
    cards = "".join(_failure(record, opened) for record in records[:share])
    left = len(records) - share
    more = f'<p class="note">{left} more stand in records.jsonl.</p>' if left else ""
    return f"<h3>{_kept(part)} <small>{len(records)} not right</small></h3>{cards}{more}"


def disagreements(run: Run) -> tuple[str, str]:
    """The facts that annotated spellings and typed comparison judge differently; the spellings decided.

    Returns:
        The section's title and its HTML, empty where there are none.
    """
    found = [(record, fact) for record in run.records for fact in record.score.facts if fact.differ]
    rows = "".join(
        f'<tr><th scope="row">{_kept(record.id)}</th><td>{_kept(fact.kind)}</td>'
        f"<td>{_kept(fact.value)}</td><td>{'found' if fact.found else 'not found'}</td>"
        f"<td>{_kept(told(record.answer))}</td></tr>"
        for record, fact in found[:LISTED]
    )
    more = f'<p class="note">{len(found) - LISTED} more stand in records.jsonl.</p>'
    section = (
        '<section id="disagreements"><h2>Disagreements</h2><p class="note">Here the annotated spellings and '
        "the typed comparison differ. The spellings decided; one of the two wants a look.</p>"
        '<table class="beside"><thead><tr><th scope="col">Question</th><th scope="col">Kind</th>'
        '<th scope="col">Value</th><th scope="col">Judged</th><th scope="col">Answer</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{more if len(found) > LISTED else ''}</section>"
    )
    return "Disagreements", section if found else ""


def _text(text: object) -> str:
    words = visible(str(text))
    if len(words) <= LONGEST:
        return escape(words)
    return f"{escape(words[:LONGEST])} … ({len(words) - LONGEST} more characters)"


def _kept(text: object) -> str:
    """Words within a line, which turn nothing beside them."""
    return f"<bdi>{_text(text)}</bdi>"


def _failure(record: Record, opened: bool) -> str:
    original = f", {_kept(record.paraphrase_of)} in other words" if record.paraphrase_of else ""
    reasons = "".join(map(_kept, record.score.reasons))
    return (
        f'<details class="failure"{" open" if opened else ""}><summary>'
        f'<span class="asked" dir="auto">{_text(record.question)}</span>'
        f'<span class="meta"><code>{_kept(record.id)}</code> {_kept(record.type)}{original}</span>'
        f'<span class="reasons">{reasons}</span></summary>'
        f"{_history(record.history)}"
        f'<div class="sides"><section><h4>Expected</h4>{_expected(record)}</section>'
        f"<section><h4>{_status(record.answer)}</h4>{_answer(record.answer)}</section></div>"
        f"{_passages(record)}{_nearest(record.answer)}</details>"
    )


def _history(turns: Sequence[Json]) -> str:
    if not turns:
        return ""
    shown = turns[-TURNS:]
    before = f'<p class="note">{len(turns) - TURNS} turns before</p>' if len(turns) > TURNS else ""
    rows = "".join(
        f'<dt>{_kept(turn["role"])}</dt><dd dir="auto">{_text(turn["text"])}</dd>' for turn in shown
    )
    return f'{before}<dl class="history">{rows}</dl>'


def _expected(record: Record) -> str:
    if not record.answerable:
        return "<p>A refusal: the documents do not say it.</p>"
    said = "".join(f'<li dir="auto">{_text(answer)}</li>' for answer in record.expected)
    facts = "".join(map(_fact, record.score.facts))
    wrong = "".join(
        f'<li class="missed"><b aria-hidden="true">✗</b> <span>says {_kept(value)}'
        " <small>wrong</small></span></li>"
        for value in record.score.wrong
    )
    marked = facts + wrong
    return f'<ul class="answers">{said}</ul>{f"<ul class=facts>{marked}</ul>" if marked else ""}'


def _fact(fact: FoundFact) -> str:
    mark, name = ("✓", "found") if fact.found else ("✗", "missed") if fact.vital else ("–", "absent")
    weight = "vital" if fact.vital else "welcome"
    return (
        f'<li class="{name}"><b aria-hidden="true">{mark}</b> <span>{_kept(fact.value)} '
        f"<small>{_kept(fact.kind)}, {weight}, {'found' if fact.found else 'not found'}</small></span></li>"
    )


def _status(answer: Json) -> str:
    return f"{_text(answer['status']).capitalize()} <small>confidence {answer['confidence']:.3f}</small>"


def _answer(answer: Json) -> str:
    notice = f'<p class="note" dir="auto">{_text(answer["notice"])}</p>' if answer["notice"] else ""
    if answer["status"] == "refused":
        return f'{notice}<p dir="auto">{_text(answer["reason"])}</p>'
    claims = "".join(
        f'<p class="claim" dir="auto">{_text(claim["text"])} {_markers(claim["citations"])}</p>'
        for claim in answer["claims"]
    )
    conflicts = "".join(map(_conflict, answer["conflicts"]))
    return f"{notice}{claims}{conflicts}"


def _markers(markers: Iterable[int]) -> str:
    return "".join(f'<span class="marker">{_text(marker)}</span>' for marker in markers)


def _conflict(conflict: Json) -> str:
    sides = "".join(
        f"<li>{_kept(side['value'])} {_markers(side['citations'])}</li>" for side in conflict["sides"]
    )
    return f'<p class="claim">The documents differ on {_kept(conflict["about"])}:</p><ul>{sides}</ul>'


def _passages(record: Record) -> str:
    around = {passage["marker"]: passage for passage in record.passages}
    citations = record.answer["citations"]
    shown = "".join(_passage(citation, around) for citation in citations[:PASSAGES])
    if len(citations) > PASSAGES:
        shown += f'<p class="note">{len(citations) - PASSAGES} more citations</p>'
    return f'<section class="passages"><h4>Cited</h4>{shown}</section>' if shown else ""


def _passage(citation: Json, around: Mapping[int, Json]) -> str:
    passage = around.get(citation["marker"], {"before": "", "after": ""})
    before, after = passage["before"], passage["after"]
    cut = "… " if len(before) < citation["start"] else ""
    return (
        f"<figure><figcaption>{_markers([citation['marker']])} {_place(citation)}</figcaption>"
        f'<blockquote dir="auto">{cut}{_text(before)}<mark>{_text(citation["quote"])}</mark>'
        f"{_text(after)}{' …' if len(after) >= AROUND else ''}</blockquote></figure>"
    )


def _nearest(answer: Json) -> str:
    if answer["status"] != "refused" or not answer["nearest"]:
        return ""
    shown = "".join(_near(passage) for passage in answer["nearest"][:NEAREST])
    return f'<section class="passages"><h4>Nearest <small>not evidence</small></h4>{shown}</section>'


def _near(passage: Json) -> str:
    return (
        f'<figure><figcaption>{_place(passage)}</figcaption><blockquote dir="auto">{_text(passage["quote"])}'
        "</blockquote></figure>"
    )


def _place(span: Json) -> str:
    return (
        f'<bdi class="title">{_text(span["title"])}</bdi> <code>{_kept(span["doc_id"])}</code> '
        f"<span>{_text(span['start'])}–{_text(span['end'])}</span>"
    )
