"""Plots as inline SVG: pure functions from numbers to a string, the same bytes for the same numbers.

Colours are CSS variables of the page that holds them (`eval/report.css`), so a plot follows it into the dark.
What differs in colour differs in dashes or in words too. Nothing to draw gives an empty string.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from math import floor, log10

from eval.records import Figure
from eval.statistics import nearest_rank

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 420, 290
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 14, 46
BAR_WIDTH, BAR_HEIGHT, BAR_INSET = 140, 18, 6
ROW_HEIGHT, LABEL_WIDTH, LABEL_LETTERS, COUNT_WIDTH = 24, 134, 20, 62
LINES = 5
"""How many lines a plot can tell apart, by colour and dashes."""


def interval_bar(figure: Figure, bound: float | None = None) -> str:
    """A share as a dot on a line from 0 to 1, over its 95 % interval; the gate's bound is a tick.

    Args:
        figure: Its value and interval, in [0, 1]; nothing is drawn of one without, as seconds are.
        bound: What the gate asks for, in [0, 1].
    """
    value, low, high = figure.value, figure.low, figure.high
    if value is None or low is None or high is None or not 0 <= low <= high <= 1:
        return ""
    middle = BAR_HEIGHT / 2

    def across(share: float) -> float:
        return BAR_INSET + min(max(share, 0.0), 1.0) * (BAR_WIDTH - 2 * BAR_INSET)

    drawn = [
        _line("rail", across(0), middle, across(1), middle),
        _line("range", across(low), middle, across(high), middle),
    ]
    if bound is not None:
        drawn.append(_line("bound", across(bound), 1, across(bound), BAR_HEIGHT - 1))
    drawn.append(f'<circle class="dot" cx="{_n(across(value))}" cy="{_n(middle)}" r="4.5"/>')
    return (
        f'<svg class="bar" viewBox="0 0 {BAR_WIDTH} {BAR_HEIGHT}" width="{BAR_WIDTH}" height="{BAR_HEIGHT}" '
        f'preserveAspectRatio="xMinYMid meet" aria-hidden="true" focusable="false">{"".join(drawn)}</svg>'
    )


def risk_coverage(curves: Mapping[str, Points]) -> str:
    """The risk over the coverage, one line a part: how often it errs, of the share that it answers first.

    Source: Y. Geifman & R. El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017.

    Args:
        curves: By name, points of (coverage, risk), both in [0, 1]; the first `LINES` that have points.
    """
    drawn = {name: sorted(points) for name, points in curves.items() if points}
    drawn = dict(list(drawn.items())[:LINES])
    if not drawn:
        return ""
    top = _ceiling(max(risk for points in drawn.values() for _, risk in points) or 0.1)
    across, down = _scale(0, 1, LEFT, WIDTH - RIGHT), _scale(0, top, HEIGHT - BOTTOM, TOP)
    marks = [
        *_grid(across, down, _steps(1), _steps(top)),
        *_axes("share answered (most confident first)", "share of these that is wrong"),
    ]
    for place, (_, points) in enumerate(reversed(drawn.items())):
        marks.append(_curve(len(drawn) - 1 - place, points, across, down))
    ends = ", ".join(f"{name} {_share(points[-1][1])}" for name, points in drawn.items())
    return _svg("Risk over coverage", f"Risk where all is answered: {ends}.", HEIGHT, marks)


def kinds(rows: Sequence[tuple[str, Figure]]) -> str:
    """Shares with their intervals, one row a kind: a dot on a line, and how many of how many.

    Args:
        rows: The name of a kind with its figure; a kind without a value is left out.
    """
    rows = [(name, figure) for name, figure in rows if figure.value is not None]
    if not rows:
        return ""
    height = TOP + ROW_HEIGHT * len(rows) + BOTTOM - 16
    across = _scale(0, 1, LABEL_WIDTH, WIDTH - COUNT_WIDTH)
    marks = [
        mark
        for share in _steps(1)
        for mark in (
            _line("grid", across(share), TOP - 6, across(share), height - BOTTOM + 22),
            _words("tick", across(share), height - BOTTOM + 38, _tick(share, 1), "middle"),
        )
    ]
    for place, (name, figure) in enumerate(rows):
        marks += _kind(name, figure, TOP + ROW_HEIGHT * (place + 0.5), across)
    said = "; ".join(f"{name} {_share(figure.value or 0)}" for name, figure in rows)
    return _svg("Right, by kind", f"Share of right answers: {said}.", height, marks)


def speed(seconds: Sequence[float]) -> str:
    """How long answers took: a histogram, with the median and the 95th percentile.

    The last bar holds all that took longer than three times the 95th percentile, where there is any.

    Args:
        seconds: One figure a question.
    """
    middle, late = nearest_rank(seconds, 50), nearest_rank(seconds, 95)
    if middle is None or late is None:
        return ""
    longest = max(seconds)
    top = _ceiling(longest if longest <= 3 * late else 1.5 * late) or 1.0
    bars = _histogram(seconds, top)
    most = _ceiling(max(bars))
    across, down = _scale(0, top, LEFT, WIDTH - RIGHT), _scale(0, most, HEIGHT - BOTTOM, TOP)
    marks = [
        *_grid(across, down, _steps(top), _counts(most)),
        *_axes("seconds to the whole answer", "questions"),
        *_bars(bars, top, across, down),
        *_percentile_mark("p50", middle, 0, across, middle > top / 2),
        *_percentile_mark("p95", late, 1, across, late > top / 2),
    ]
    slower = sum(second > top for second in seconds)
    told = f"Median {_seconds(middle)}, 95th percentile {_seconds(late)}, longest {_seconds(longest)}."
    more = f" The last bar holds {slower} that took longer than {_seconds(top)}." if slower else ""
    return _svg("Seconds to the answer", told + more, HEIGHT, marks)


def spread(seconds: Sequence[float]) -> str:
    """The median and the 95th percentile, in words.

    Args:
        seconds: At least one.
    """
    middle, late = nearest_rank(seconds, 50), nearest_rank(seconds, 95)
    return f"median {_seconds(middle or 0)}, 95th percentile {_seconds(late or 0)}"


def swatch(place: int) -> str:
    """The sample of a line in a legend, by the place of the line in its plot."""
    return (
        '<svg class="swatch" viewBox="0 0 28 10" width="28" height="10" aria-hidden="true" focusable="false">'
        f'<line class="curve c{place}" x1="1" y1="5" x2="27" y2="5"/></svg>'
    )


def _curve(
    place: int, points: Points, across: Callable[[float], float], down: Callable[[float], float]
) -> str:
    path = " ".join(f"{_n(x)},{_n(y)}" for x, y in _thinned([(across(c), down(r)) for c, r in points]))
    return f'<polyline class="curve c{place}" points="{path}"/>'


def _thinned(points: Points) -> Iterator[tuple[float, float]]:
    """Points at least half a pixel apart; the first and the last always."""
    last = (-1.0, -1.0)
    for place, point in enumerate(points):
        far = abs(point[0] - last[0]) + abs(point[1] - last[1]) >= 0.5
        if far or place == len(points) - 1:
            yield point
            last = point


def _kind(name: str, figure: Figure, y: float, across: Callable[[float], float]) -> Iterator[str]:
    value = figure.value or 0.0
    short = name if len(name) <= LABEL_LETTERS else name[: LABEL_LETTERS - 1] + "…"
    label = _words("label", LABEL_WIDTH - 10, y + 4, short, "end")
    yield label.replace("</text>", f"<title>{escape(name)}</title></text>") if short != name else label
    if figure.low is not None and figure.high is not None:
        yield _line("range", across(figure.low), y, across(figure.high), y)
    yield f'<circle class="dot" cx="{_n(across(value))}" cy="{_n(y)}" r="4.5"/>'
    told = f"{figure.count} / {figure.total}" if figure.count is not None else _share(value)
    yield _words("tick", WIDTH - 2, y + 4, told, "end")


def _histogram(seconds: Sequence[float], top: float) -> list[int]:
    counts = [0] * 20
    for second in seconds:
        counts[min(floor(second / top * len(counts)), len(counts) - 1)] += 1
    return counts


def _steps(top: float) -> list[float]:
    """The marks of an axis from 0 to a round number, as `_ceiling` gives it: round numbers too."""
    count = 5 if f"{top:e}".startswith("5") else 4
    return [top * step / count for step in range(count + 1)]


def _counts(most: float) -> list[float]:
    """The marks of an axis of counts: whole numbers only."""
    return [step for step in _steps(most) if step == round(step)]


def _bars(
    bars: Sequence[int], top: float, across: Callable[[float], float], down: Callable[[float], float]
) -> Iterator[str]:
    width = across(top / len(bars)) - across(0)
    for place, count in enumerate(bars):
        if count:
            x, y = across(top * place / len(bars)), down(count)
            yield (
                f'<rect class="column" x="{_n(x + 0.75)}" y="{_n(y)}" width="{_n(width - 1.5)}" '
                f'height="{_n(down(0) - y)}"/>'
            )


def _percentile_mark(
    name: str, value: float, place: int, across: Callable[[float], float], flipped: bool
) -> Iterator[str]:
    x, y = across(value), TOP + 10 + 16 * place
    yield _line(f"percentile c{place}", x, TOP, x, HEIGHT - BOTTOM)
    yield _words(
        "label halo",
        x + (-5 if flipped else 5),
        y,
        f"{name} {_seconds(value)}",
        "end" if flipped else "start",
    )


def _grid(
    across: Callable[[float], float],
    down: Callable[[float], float],
    columns: Sequence[float],
    rows: Sequence[float],
) -> Iterator[str]:
    for row in rows:
        yield _line("grid", LEFT, down(row), WIDTH - RIGHT, down(row))
        yield _words("tick", LEFT - 7, down(row) + 4, _tick(row, rows[-1]), "end")
    for column in columns:
        yield _line("grid", across(column), TOP, across(column), HEIGHT - BOTTOM)
        yield _words("tick", across(column), HEIGHT - BOTTOM + 17, _tick(column, columns[-1]), "middle")


def _axes(below: str, beside: str) -> Iterator[str]:
    yield _words("axis", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, below, "middle")
    turned = f'transform="rotate(-90 12 {_n((TOP + HEIGHT - BOTTOM) / 2)})"'
    yield _words("axis", 12, (TOP + HEIGHT - BOTTOM) / 2, beside, "middle").replace(
        "<text", f"<text {turned}"
    )


def _scale(low: float, high: float, first: float, last: float) -> Callable[[float], float]:
    """From numbers to pixels; what is beyond the end stands at the end."""
    return lambda value: first + (min(max(value, low), high) - low) / (high - low) * (last - first)


def _ceiling(value: float) -> float:
    """The next round number that is not below: one, two, four, five, eight or ten of its magnitude.

    Examples:
        >>> _ceiling(0.31), _ceiling(37), _ceiling(0.07)
        (0.4, 40.0, 0.08)
    """
    if value <= 0:
        return 0.0
    unit = 10.0 ** floor(log10(value))
    return next(round(step * unit, 9) for step in (1, 2, 4, 5, 8, 10) if value <= step * unit * (1 + 1e-9))


def _svg(title: str, told: str, height: float, marks: Sequence[str]) -> str:
    said = escape(f"{title}. {told}", quote=True)
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {_n(height)}" role="img" aria-label="{said}">'
        f"{''.join(marks)}</svg>"
    )


def _line(name: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{name}" x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"/>'


def _words(name: str, x: float, y: float, words: str, anchor: str) -> str:
    return f'<text class="{name}" x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{escape(words)}</text>'


def _n(number: float) -> str:
    """Pixels, to a tenth."""
    return f"{number:.1f}".removesuffix(".0")


def _tick(value: float, most: float) -> str:
    """A mark on an axis that ends at `most`: no more decimals than tell its marks apart.

    Examples:
        >>> _tick(0.25, 1), _tick(0.02, 0.08), _tick(0.005, 0.02), _tick(30, 40), _tick(0.5, 2), _tick(1, 1)
        ('0.25', '0.02', '0.005', '30', '0.5', '1')
    """
    return f"{round(value, 3 if most < 1 else 2):g}"


def _share(value: float) -> str:
    return f"{value:.2f}"


def _seconds(value: float) -> str:
    """Seconds to two digits that mean something.

    Examples:
        >>> _seconds(0.1234), _seconds(12.34)
        ('0.12 s', '12.3 s')
    """
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
