"""A run as text that a person likes to read: measures by part, right by type, failures, gate.

What the text, the HTML and the JUnit report all say of a run is read from it here.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from eval.dataset import PARTS
from eval.metrics import BY_NAME, right, speed
from eval.records import Figure, Json, Record, Run
from eval.thresholds import ANY, THRESHOLDS, Threshold, bounds

Prices = tuple[float, float]
"""What a million tokens cost, read and written, in one currency."""

WIDTH = 100
LISTED = 10
"""How many failures of a part the text lists."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
"""Characters that do not show, turn the text around, or may not stand in XML; the joiners of scripts and
emoji, and the selector of a coloured emoji, are not among them."""


def render(run: Run, prices: Prices | None = None) -> str:
    """The whole report; nothing in it but the seconds depends on time or place.

    Args:
        run: A finished run.
        prices: Of tokens; without them no cost is told.

    Returns:
        Lines of at most `WIDTH` characters, words longer than that apart.
    """
    names = parts(run)
    blocks = [
        _head(run),
        *("\n".join(_measures(run, part)) for part in names),
        *("\n".join(_types(run, part)) for part in names if by_type(run, part)),
        "\n".join(_spent(run, prices)),
        *(block for part in names for block in _failures(run, part)),
        "\n".join(_gate(run)),
    ]
    return "\n\n".join(filter(None, blocks))


def verdicts(runs: Sequence[Run]) -> str:
    """What the gate says of several runs, a line each."""
    rows = (f"{run.set}: {judged(run)}. The gate is {verdict(run)}." for run in runs)
    return visible("\n".join(["VERDICTS", *rows]))


def visible(text: str) -> str:
    r"""The text with what cannot be seen named by its number: no terminal, page or XML obeys the rest.

    Examples:
        >>> visible("a\x1b[31mred\u202edetrever")
        'a‹U+001B›[31mred‹U+202E›detrever'
    """
    return _UNSEEN.sub(lambda match: f"‹U+{ord(match.group()):04X}›", text)


def parts(run: Run) -> tuple[str, ...]:
    """The parts of a run, the headline part first."""
    names = dict.fromkeys([*run.figures, *(record.part for record in run.records)])
    return tuple(sorted(names, key=lambda part: PARTS.index(part) if part in PARTS else len(PARTS)))


def headline(run: Run) -> str:
    """The part whose figures stand for the run: `questions`, or the first that is there."""
    return next(iter(parts(run)), PARTS[0])


def of_part(run: Run, part: str) -> tuple[Record, ...]:
    """The records of a part, in the order of the set."""
    return tuple(record for record in run.records if record.part == part)


def not_right(run: Run, part: str) -> tuple[Record, ...]:
    """The records of a part that were judged and are not right."""
    return tuple(record for record in of_part(run, part) if record.score.right is False)


def by_type(run: Run, part: str) -> tuple[tuple[str, Figure], ...]:
    """The share of right answers by type of question, in the order of the set; what was judged only."""
    types: dict[str, list[Record]] = {}
    for record in of_part(run, part):
        types.setdefault(record.type or "no type", []).append(record)
    figures = ((name, right(records)) for name, records in types.items())
    return tuple((name, figure) for name, figure in figures if figure.total)


def meaning(measure: str) -> str:
    """What a measure says, in a line or two; nothing of one that is not in `MEASURES`."""
    if measure not in BY_NAME:
        return ""
    known = BY_NAME[measure]
    return f"{known.what} Lower is better." if known.better == "low" else known.what


def told(answer: Json) -> str:
    """What an answer says, in one line: its sentences, or that it refused and why."""
    said = " ".join(claim["text"] for claim in answer["claims"])
    return " ".join((said or f"(refused) {answer['reason']}").split())


def expected(record: Record) -> str:
    """What a right answer says, in one line."""
    if not record.answerable:
        return "a refusal"
    return " | ".join(record.expected) or "an answer"


def value_of(figure: Figure) -> str:
    """Its value; a share's from its counts, since files hold values to four decimals only.

    Examples:
        >>> value_of(Figure(0.8475, count=50, total=59)), value_of(Figure(None))
        ('0.847', '-')
    """
    return number(figure.value if figure.count is None or not figure.total else figure.count / figure.total)


def told_of(measure: str, figure: Figure) -> str:
    """The value of a measure, with its unit where it is no share but percentage points.

    Examples:
        >>> told_of("paraphrase_drop_right", Figure(60.0)), told_of("right", Figure(0.6))
        ('60.0 points', '0.600')
    """
    if measure.startswith("paraphrase_drop_") and figure.value is not None:
        return f"{figure.value:.1f} points"
    return value_of(figure)


def count_of(figure: Figure) -> str:
    """How many of how many, or over how many a mean was taken."""
    if figure.value is None:
        return "unscored"
    return f"of {figure.total}" if figure.count is None else f"{figure.count} / {figure.total}"


def limits(run: Run, part: str) -> dict[str, Threshold]:
    """The bounds applied to a part, by measure: of a limited run, those alone that hold for any set."""
    return bounds(ANY if is_limited(run) else run.set, part)


def is_limited(run: Run) -> bool:
    """Whether only the first questions of the set were asked."""
    return not run.manifest.get("whole", True)


def verdict(run: Run) -> str:
    """What the gate says of a run: that it is `passed`, `not passed` or, of a limited one, not applied."""
    if run.breaches:
        return "not passed"
    return "not applied (limited)" if is_limited(run) else "passed"


def has_own_bounds(run: Run) -> bool:
    """Whether the gate asks more of the set than what holds for any."""
    return any(bound.set == run.set for bound in THRESHOLDS)


def judged(run: Run, part: str | None = None) -> str:
    """How many answers are right, of a part or in all; that nothing can be, where nothing was judged."""
    figure = right(run.records if part is None else of_part(run, part))
    return (
        f"{figure.count} of {figure.total} right" if figure.total else "nothing here is judged right or wrong"
    )


def spent(run: Run, prices: Prices | None = None) -> dict[str, str]:
    """Seconds, tokens and cost of an answer, each in words, by what it is; what was not counted is left out.

    As `metrics.speed` counts them, over the questions whose timings are there.
    """
    figures = speed(list(run.timings.values()), prices)
    labels = {
        "seconds_p50": ("seconds, median", "{:.3f}"),
        "seconds_p95": ("seconds, 95th percentile", "{:.3f}"),
        "tokens": ("tokens an answer, mean", "{:.0f}"),
        "cost": ("cost an answer, mean", "{:.6f}"),
    }
    return {
        label: form.format(figures[name].value)
        for name, (label, form) in labels.items()
        if figures[name].value is not None
    }


def number(value: float | None) -> str:
    """A value to three decimals, a whole large one to none.

    Examples:
        >>> number(0.83544), number(1234.0), number(None)
        ('0.835', '1234', '-')
    """
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3f}"


def interval_of(figure: Figure) -> str:
    """The 95 % interval, or nothing."""
    low, high = figure.low, figure.high
    return "" if low is None or high is None else f"{number(low)} to {number(high)}"


def _head(run: Run) -> str:
    count = len(run.records)
    return visible(f"{count} questions of {run.set} over {run.manifest.get('corpus', 'no corpus')}")


def asked(bound: Threshold) -> str:
    """What the gate asks of a measure.

    Examples:
        >>> asked(Threshold("gold", "questions", "right", "it was so before", low=0.8))
        '≥ 0.800'
    """
    return f"≥ {number(bound.low)}" if bound.low is not None else f"≤ {number(bound.high)}"


def is_kept(bound: Threshold, figure: Figure) -> bool:
    """Whether a figure is within its bound; what is unscored is."""
    low, high, value = bound.low, bound.high, figure.value
    return value is None or ((low is None or value >= low) and (high is None or value <= high))


def _measures(run: Run, part: str) -> Iterator[str]:
    yield f"{part.upper():<26}{'value':>8}{'count':>14}   {'95 % interval':<18}gate"
    figures, asked_of = run.figures.get(part, {}), limits(run, part)
    for name, figure in figures.items():
        if figure.value is not None:
            limit = asked_of.get(name)
            mark = "" if limit is None or is_kept(limit, figure) else ", BELOW"
            yield _row(name, figure, "" if limit is None else f"{asked(limit)}{mark}")
    if unscored := [visible(name) for name, figure in figures.items() if figure.value is None]:
        yield textwrap.fill(f"unscored: {', '.join(unscored)}", WIDTH, subsequent_indent="    ")


def _types(run: Run, part: str) -> Iterator[str]:
    yield f"{f'right, by type: {part}':<26}{'value':>8}{'count':>14}   95 % interval"
    for name, figure in by_type(run, part):
        yield _row(name, figure)


def _row(name: str, figure: Figure, gate: str = "") -> str:
    value = told_of(name, figure)
    room = 34 - max(8, len(value) + 1)
    cells = f"{visible(name):<{room}}{value:>{34 - room}}{count_of(figure):>14}"
    return f"{cells}   {interval_of(figure):<18}{gate}".rstrip()


def _failures(run: Run, part: str) -> Iterator[str]:
    failures = not_right(run, part)
    yield from ("\n".join(_failure(record)) for record in failures[:LISTED])
    if len(failures) > LISTED:
        yield f"... and {len(failures) - LISTED} more of {visible(part)} that are not right, in report.html"


def _failure(record: Record) -> Iterator[str]:
    question = visible(" ".join(record.question.split()))
    yield textwrap.fill(
        f"NOT RIGHT {visible(record.id)}: {question}",
        WIDTH,
        subsequent_indent=" " * 14,
        break_long_words=False,
    )
    for label, text in (
        ("answer", told(record.answer)),
        ("expected", expected(record)),
        ("because", "; ".join(record.score.reasons)),
    ):
        yield textwrap.fill(
            visible(text),
            WIDTH,
            initial_indent=f"    {label:<10}",
            subsequent_indent=" " * 14,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _spent(run: Run, prices: Prices | None) -> Iterator[str]:
    if run.timings:
        yield f"{'SPENT':<26}{'value':>8}"
    yield from (f"{label:<26}{value:>8}" for label, value in spent(run, prices).items())


def _gate(run: Run) -> Iterator[str]:
    said = judged(run)
    yield f"{said[:1].upper()}{said[1:]}. The gate is {verdict(run)}."
    if verdict(run) == "passed" and not has_own_bounds(run):
        yield "It holds for the promises of the citations alone: this set has no bounds of its own."
    yield from (f"BELOW THE GATE {visible(breach)}" for breach in run.breaches)
