"""A run as one self-contained HTML page: the verdict, the figures, the plots, and every answer that failed.

The page needs no script, no font and no address to be read. All that comes from a record goes through
`_text`: it is shown, and is never markup. `eval/failures.py` draws the answers.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from pathlib import Path

from eval import plots
from eval.failures import disagreements, failures
from eval.metrics import BY_NAME, right
from eval.records import Figure, Json, Run
from eval.report import (
    Prices,
    asked,
    by_type,
    count_of,
    has_own_bounds,
    headline,
    interval_of,
    is_kept,
    is_limited,
    limits,
    meaning,
    number,
    of_part,
    parts,
    spent,
    told_of,
    value_of,
    verdict,
    visible,
)
from eval.thresholds import Threshold

CSS = Path(__file__).with_name("report.css")
KEYS = (
    ("vital_facts", "answers_found", "only_right_values", "sentence_f1", "rewrite_f1", "nDCG@10"),
    ("wrong_answers", "answer_in_first", "no_wrong_values", "rewrite_exact", "success@1"),
    ("false_answers", "balanced_accuracy", "exact_citations", "recall@10"),
    ("false_refusals", "auroc", "evidence_documents", "RR@10"),
)
"""What stands at the top below how many are right: of each group the first measure that the run has."""

ACRONYMS = {"auroc": "AUROC", "aurc": "AURC", "f1": "F1"}
_SCRIPT = """
const box = document.getElementById("filter"), all = [...document.querySelectorAll("details.failure")];
if (box && all.length) {
  const words = box.querySelector("input"), told = box.querySelector("output");
  const button = box.querySelector("button");
  const anyOpen = () => all.some(one => one.open && !one.hidden);
  const label = () => { button.textContent = anyOpen() ? "Close all" : "Open all"; };
  box.hidden = false;
  box.addEventListener("submit", event => event.preventDefault());
  words.addEventListener("input", () => {
    const wanted = words.value.toLowerCase();
    for (const one of all) one.hidden = !one.textContent.toLowerCase().includes(wanted);
    told.textContent = wanted ? all.filter(one => !one.hidden).length + " of " + all.length : "";
    label();
  });
  button.addEventListener("click", () => {
    const open = !anyOpen();
    for (const one of all) if (!one.hidden) one.open = open;
    label();
  });
  for (const one of all) one.addEventListener("toggle", label);
  label();
}
"""
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    f"script-src 'sha256-{b64encode(sha256(_SCRIPT.encode()).digest()).decode()}'"
)
"""What the page may do: no more than its own script, which is known by its hash."""


def render(run: Run, prices: Prices | None = None) -> str:
    """The whole page; the same bytes for the same run.

    Args:
        run: A finished run.
        prices: Of tokens; without them no cost is told.
    """
    plotted = _plots(run, prices)
    sections = [_figures(run), plotted, failures(run), disagreements(run), _references(run), _about(run)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{_plain(run.set)}: {_verdict(run)}</title><style>\n{CSS.read_text(encoding='utf-8')}</style>"
        f"</head>\n<body><main>\n{_head(run)}\n{_contents(sections)}\n"
        f"{''.join(f'{section}{chr(10)}' for _, section in sections if section)}"
        f"</main><script>{_SCRIPT}</script></body></html>\n"
    )


def _plain(text: object) -> str:
    return escape(visible(str(text)))


def _text(text: object) -> str:
    """Words as data: no markup, and no text that runs the other way turns what stands beside it."""
    return f"<bdi>{_plain(text)}</bdi>"


def _verdict(run: Run) -> str:
    said = verdict(run)
    if said == "passed" and not has_own_bounds(run):
        return "kept the promises of the citations; this set has no bounds of its own"
    return {"passed": "passed the gate", "not passed": "below the gate"}.get(said, f"gate {said}")


def _head(run: Run) -> str:
    first = headline(run)
    judged = right(of_part(run, first))
    state, sign = (
        ("failed", "✗") if run.breaches else ("limited", "–") if is_limited(run) else ("passed", "✓")
    )
    said = (
        f"{judged.count} of {judged.total} right" if judged.total else f"{len(run.records)} questions asked"
    )
    which = f"{_text(first)}: " if len(parts(run)) > 1 and judged.total else ""
    breaches = "".join(f"<li>{_text(breach)}</li>" for breach in run.breaches)
    return (
        f'<header><p class="kicker">Citewell evaluation {_text(run.set)}</p>'
        f"<h1>{said} <small>{which}{_interval(judged)}</small></h1>"
        f'<p class="verdict {state}"><span class="seal">'
        f"{sign} {_verdict(run).capitalize()}</span></p>"
        f"{f'<ul class=breaches>{breaches}</ul>' if breaches else ''}"
        f'<dl class="keys">{"".join(_keys(run, first))}</dl>{_parts(run)}{_source(run)}</header>'
    )


def _keys(run: Run, part: str) -> Iterator[str]:
    figures = run.figures.get(part, {})
    there = {name for name, figure in figures.items() if figure.value is not None}
    chosen = [next((name for name in group if name in there), "") for group in KEYS]
    for name in dict.fromkeys(filter(None, chosen)):
        figure = figures[name]
        yield (
            f"<div><dt>{_name(name)}{_better(name)}</dt><dd><b>{value_of(figure)}</b> "
            f"<span>{interval_of(figure)}</span>{plots.interval_bar(figure)}</dd></div>"
        )


def _better(name: str) -> str:
    low = name in BY_NAME and BY_NAME[name].better == "low"
    return " <small>lower is better</small>" if low else ""


def _interval(figure: Figure) -> str:
    interval = interval_of(figure)
    return f"{value_of(figure)} (95 % interval {interval})" if interval else ""


def _parts(run: Run) -> str:
    names = parts(run)
    if len(names) < 2:
        return ""
    judged = ((name, right(of_part(run, name))) for name in names)
    rows = "".join(
        f'<li><a href="#part-{place}">{_text(name)}</a> <b>{count_of(figure)}</b>'
        f"{plots.interval_bar(figure)}</li>"
        for place, (name, figure) in enumerate(judged)
    )
    return f'<ul class="parts" aria-label="Right, by part">{rows}</ul>'


def _source(run: Run) -> str:
    labels = {
        "questions": "Questions",
        "corpus": "Documents",
        "answerer": "Answers",
        "embedding": "Embedding",
    }
    rows = "".join(
        f"<div><dt>{label}</dt><dd>{_text(run.manifest[key])}</dd></div>"
        for key, label in labels.items()
        if run.manifest.get(key)
    )
    return f'<dl class="source">{rows}</dl>'


def _contents(sections: list[tuple[str, str]]) -> str:
    links = "".join(
        f'<a href="#{title.lower().replace(" ", "-")}">{title}</a>' for title, section in sections if section
    )
    return f'<nav aria-label="Sections">{links}</nav>'


def _figures(run: Run) -> tuple[str, str]:
    defined: set[str] = set()
    tables = []
    for place, part in enumerate(parts(run)):
        tables.append(_part(run, part, place, defined))
        defined.update(name for name, figure in run.figures.get(part, {}).items() if figure.value is not None)
    note = (
        '<p class="note">Each dot is the value, the line through it the 95 % interval, the upright tick what '
        "the gate asks for.</p>"
    )
    return "Figures", f'<section id="figures"><h2>Figures</h2>{note}{"".join(tables)}</section>'


def _part(run: Run, part: str, place: int, defined: set[str]) -> str:
    figures, applied = run.figures.get(part, {}), limits(run, part)
    scored = {name: figure for name, figure in figures.items() if figure.value is not None}
    rows = "".join(
        _measure(name, figure, applied.get(name), name not in defined) for name, figure in scored.items()
    )
    unscored = ", ".join(_name(name) for name in figures if name not in scored)
    judged = right(of_part(run, part))
    count = f"{judged.count} of {judged.total} right" if judged.total else f"{len(of_part(run, part))} asked"
    return (
        f'<details class="part" id="part-{place}"{"" if place else " open"}>'
        f"<summary><h3>{_text(part)}</h3> <span>{count}</span></summary>"
        '<table class="measures"><thead><tr><th scope="col">Measure</th><th scope="col">Value</th>'
        '<th scope="col">Count</th><th scope="col">95 % interval</th><th scope="col">Gate</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
        f"{f'<p class=note>Unscored here: {unscored}.</p>' if unscored else ''}</details>"
    )


def _measure(name: str, figure: Figure, bound: Threshold | None, define: bool) -> str:
    said = meaning(name) if define else ""
    tick = None if bound is None else bound.high if bound.low is None else bound.low
    return (
        f'<tr><th scope="row">{_name(name)}{f"<small>{_coded(said)}</small>" if said else ""}</th>'
        f'<td class="value">{told_of(name, figure)}</td><td class="count">{count_of(figure)}</td>'
        f'<td class="interval">{plots.interval_bar(figure, tick)}<span>{interval_of(figure)}</span></td>'
        f'<td class="gate">{"" if bound is None else _mark(figure, bound)}</td></tr>'
    )


def _mark(figure: Figure, bound: Threshold) -> str:
    state, sign = ("kept", "✓") if is_kept(bound, figure) else ("broken", "✗")
    return (
        f'<span class="{state}" title="{_plain(bound.reason)}"><b role="img" aria-label="{state}">{sign}</b> '
        f"{asked(bound)}</span>"
    )


def _name(name: str) -> str:
    """A measure's name as words: `token_f1` is Token F1, and `nDCG@10` stays as the field writes it."""
    said = " ".join(ACRONYMS.get(word, word) for word in name.split("_"))
    return _text(said[:1].upper() + said[1:] if name.islower() else said)


def _coded(said: str) -> str:
    """A definition, its names in backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", _text(said))


def _plots(run: Run, prices: Prices | None) -> tuple[str, str]:
    rows = _timings(run)
    curves = {visible(part): run.risk_coverage[part] for part in parts(run) if run.risk_coverage.get(part)}
    figures = [
        _plot("Risk over coverage", plots.risk_coverage(curves), _legend(curves), _RISK),
        _plot(
            "Seconds to the answer", plots.speed([_whole(row) for row in rows]), "", _speed_note(run, prices)
        ),
        *(
            _plot(f"Right, by type: {_text(part)}", _kinds(run, part), "", "")
            for part in parts(run)
            if len(by_type(run, part)) > 1
        ),
    ]
    drawn = "".join(figures)
    return "Plots", drawn and f'<section id="plots"><h2>Plots</h2><div class="plots">{drawn}</div></section>'


_RISK = (
    "Answers are taken in order of confidence. The line says how many of those taken so far are wrong: "
    "the lower it stays, the better the confidence tells right from wrong."
)


def _plot(title: str, drawn: str, legend: str, note: str) -> str:
    if not drawn:
        return ""
    caption = f"<p>{note}</p>" if note else ""
    return f"<figure><figcaption><h3>{title}</h3>{caption}</figcaption>{drawn}{legend}</figure>"


def _legend(curves: Mapping[str, object]) -> str:
    if len(curves) < 2:
        return ""
    rows = "".join(
        f"<li>{plots.swatch(place)} {_text(name)}</li>"
        for place, name in enumerate(list(curves)[: plots.LINES])
    )
    return f'<ul class="legend">{rows}</ul>'


def _kinds(run: Run, part: str) -> str:
    return plots.kinds([(visible(name), figure) for name, figure in by_type(run, part)])


def _timings(run: Run) -> list[Json]:
    rows = (run.timings.get(record.id) for record in run.records)
    return [row for row in rows if row is not None]


def _whole(row: Json) -> float:
    """Seconds from the question to the whole answer, as `metrics.speed` counts them."""
    return float(row["wall_s"] if "wall_s" in row else row["retrieval_s"] + row["answer_s"])


def _speed_note(run: Run, prices: Prices | None) -> str:
    """What an answer took in all, as the text says it too, then by stage."""
    rows = _timings(run)
    if not rows:
        return ""
    said = [f"{label}: {value}" for label, value in spent(run, prices).items()]
    for stage in ("retrieval", "answer"):
        said.append(f"{stage}: {plots.spread([float(row[f'{stage}_s']) for row in rows])}")
    return f"{'; '.join(said)}.".capitalize()


def _references(run: Run) -> tuple[str, str]:
    figures = run.figures.get(headline(run), {})
    ours = {name: value_of(figure) for name, figure in figures.items()}
    rows = "".join(
        f'<tr><th scope="row">{_name(reference.measure)}</th>'
        f'<td class="value">{ours.get(reference.measure, "-")}</td>'
        f'<td class="value">{number(reference.value)}</td>'
        f"<td>{_text(reference.what)}<small>{_text(reference.source)}</small></td></tr>"
        for reference in run.references
    )
    table = (
        '<section id="references"><h2>References</h2><p class="note">Floors, and what others have published '
        'on this set.</p><table class="beside"><thead><tr><th scope="col">Measure</th><th scope="col">Ours'
        '</th><th scope="col">Theirs</th><th scope="col">What it is</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )
    return "References", rows and table


def _about(run: Run) -> tuple[str, str]:
    hashes = "".join(
        f"<div><dt>{_text(key.replace('_', ' '))}</dt><dd><code>{_text(value)}</code></dd></div>"
        for key, value in run.manifest.items()
        if key.endswith("sha256")
    )
    judged = (
        "Answers are judged by code alone, by the gold's spellings and typed values; no language model takes "
        "part. What a measure does not apply to is unscored, and not wrong."
    )
    about = f'<section id="about"><h2>About</h2><p>{judged}</p><dl class="source">{hashes}</dl></section>'
    return "About", about
