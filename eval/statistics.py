"""Numbers -> a value with its 95 % interval: shares, means, and how well confidence tells right from wrong.

Shares have Wilson's interval; everything else a percentile bootstrap over the questions (Efron and
Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13), seeded, so that it is the same each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING

from eval.records import Figure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Weights = NDArray[np.float64]

Z95 = 1.959963984540054
"""The standard normal quantile of a two-sided 95 % interval."""
RESAMPLES = 1_000
Point = tuple[float, float]
"""A coverage and the risk at it, both in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of how many.

    Examples:
        >>> Rate(3, 4).value, Rate(0, 0).value
        (0.75, None)
    """

    count: int
    total: int

    @property
    def value(self) -> float | None:
        """The share in [0, 1], or None over nothing."""
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval by Wilson's score method, or None over nothing.

        Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
        JASA 22 (1927), 209-212.
        """
        if not self.total:
            return None
        share, square = self.count / self.total, Z95 * Z95
        centre = (share + square / (2 * self.total)) / (1 + square / self.total)
        spread = sqrt(share * (1 - share) / self.total + square / (4 * self.total**2))
        half = Z95 * spread / (1 + square / self.total)
        return max(0.0, centre - half), min(1.0, centre + half)


def share(count: int, total: int) -> Figure:
    """How many of how many, with Wilson's interval; no value over nothing."""
    rate = Rate(count, total)
    low, high = rate.interval or (None, None)
    return Figure(rate.value, low, high, count, total)


def mean(values: Sequence[float]) -> Figure:
    """The mean of the values of single questions, with its interval; no value over nothing."""
    import numpy as np

    given = np.asarray(values, dtype=np.float64)
    return estimate(len(given), lambda weights: float(weights @ given / weights.sum()))


def estimate(total: int, statistic: Callable[[Weights], float | None]) -> Figure:
    """A statistic over so many questions, with its bootstrap interval.

    Args:
        total: How many questions it is over.
        statistic: Gives its value where each question counts so many times, or None where it has none.

    Returns:
        The value with every question counted once; without an interval below two questions.
    """
    import numpy as np

    value = statistic(np.ones(total)) if total else None
    if value is None:
        return Figure(None)
    if total < 2:
        return Figure(value, total=total)
    draws = np.random.default_rng(0)
    weights = (np.bincount(draws.integers(0, total, total), minlength=total) for _ in range(RESAMPLES))
    drawn = [one for row in weights if (one := statistic(row.astype(np.float64))) is not None]
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (value, value)
    return Figure(value, float(low), float(high), None, total)


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> Figure:
    """The probability that a positive question scores above a negative one, ties counting half.

    0.5 is chance. Source: Hanley and McNeil, "The meaning and use of the area under a receiver operating
    characteristic (ROC) curve", Radiology 143 (1982), 29-36: it is the Mann-Whitney statistic.

    Returns:
        The area with its interval; no value where either class is empty.
    """
    import numpy as np

    order, starts = _tied(scores)
    is_positive = np.asarray(positive, dtype=np.float64)[order] if len(order) else np.zeros(0)

    def area(weights: Weights) -> float | None:
        weights = weights[order]
        above = np.add.reduceat(weights * is_positive, starts)
        others = np.add.reduceat(weights * (1 - is_positive), starts)
        pairs = above.sum() * others.sum()
        won = above.cumsum() - above / 2  # positives that score at least as high, ties half
        return float(won @ others / pairs) if pairs else None

    return estimate(len(order), area)


def risk_curve(confidences: Sequence[float], errors: Sequence[float]) -> list[Point]:
    """The risk at each coverage: the share wrong among the most confident share of the questions.

    Questions of the same confidence are answered together. Source: El-Yaniv and Wiener, "On the Foundations
    of Noise-free Selective Classification", JMLR 11 (2010).

    Examples:
        >>> risk_curve([0.9, 0.5, 0.5, 0.1], [0, 1, 0, 1])
        [(0.25, 0.0), (0.75, 0.3333333333333333), (1.0, 0.5)]
    """
    import numpy as np

    order, starts = _tied(confidences)
    if not len(order):
        return []
    answered, wrong = _cumulated(np.ones(len(order)), np.asarray(errors, dtype=np.float64)[order], starts)
    return [
        (float(count / len(order)), float(error / count))
        for count, error in zip(answered, wrong, strict=True)
    ]


def area_under_risk(confidences: Sequence[float], errors: Sequence[float]) -> Figure:
    """The mean risk over all coverages (AURC); lower is better.

    Source: Geifman, Uziel and El-Yaniv, "Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers",
    ICLR 2019.
    """
    import numpy as np

    order, starts = _tied(confidences)
    wrong = np.asarray(errors, dtype=np.float64)[order] if len(order) else np.zeros(0)

    def area(weights: Weights) -> float:
        counts, failed = _cumulated(weights[order], wrong, starts)
        sizes = np.diff(counts, prepend=0.0)
        held = counts > 0
        return float((sizes[held] * failed[held] / counts[held]).sum() / counts[-1])

    return estimate(len(order), area)


def risk_at(coverage: float, confidences: Sequence[float], errors: Sequence[float]) -> Figure:
    """The risk where at least this share of the questions is answered, the most confident first.

    Source: Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS 2017.
    """
    import numpy as np

    order, starts = _tied(confidences)
    wrong = np.asarray(errors, dtype=np.float64)[order] if len(order) else np.zeros(0)

    def risk(weights: Weights) -> float:
        counts, failed = _cumulated(weights[order], wrong, starts)
        at = int(np.searchsorted(counts, coverage * counts[-1] - 1e-9))
        return float(failed[at] / counts[at])

    return estimate(len(order), risk)


def nearest_rank(values: Sequence[float], percent: float) -> float | None:
    """The smallest value that is at least as large as this percentage of them; None of nothing.

    Examples:
        >>> nearest_rank([3.0, 1.0, 2.0], 50), nearest_rank([3.0, 1.0, 2.0], 95), nearest_rank([], 50)
        (2.0, 3.0, None)
    """
    ordered = sorted(values)
    return ordered[max(ceil(percent / 100 * len(ordered)), 1) - 1] if ordered else None


def _tied(scores: Sequence[float]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Questions by falling score, and where each run of equal scores begins among them."""
    import numpy as np

    given = np.asarray(scores, dtype=np.float64)
    order = np.argsort(-given, kind="stable")
    return order, np.flatnonzero(np.diff(given[order], prepend=np.inf))


def _cumulated(weights: Weights, wrong: Weights, starts: NDArray[np.intp]) -> tuple[Weights, Weights]:
    """How many are answered, and how many of them are wrong, after each run of equal confidences."""
    import numpy as np

    counts = np.add.reduceat(weights, starts).cumsum()
    return counts, np.add.reduceat(weights * wrong, starts).cumsum()
