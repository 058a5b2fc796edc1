"""The gate: how good the answers over the gold must be, each bound with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.metrics import Rate, Score


@dataclass(frozen=True, slots=True)
class Threshold:
    """A bound on one measure: at least `low`, at most `high`, both in [0, 1]."""

    measure: str
    reason: str
    low: float = 0.0
    high: float = 1.0


THRESHOLDS = (
    Threshold("exact_citations", "a citation is exact to the character, or it is none", low=1.0),
    Threshold("cited_claims", "every sentence of an answer carries a citation", low=1.0),
    Threshold("broken_answers", "markers resolve, and a refusal has a reason and no claims", high=0.0),
    Threshold("wrong_answers", "a near-miss is worse than silence", high=0.0),
    Threshold("evidence_found", "an answer rests on the words that hold it: reached .94", low=0.9),
    Threshold("right", "the first answerer reaches .84", low=0.8),
    Threshold("vital_facts", "the first answerer reaches .85", low=0.8),
    Threshold("false_refusals", "the first answerer reaches .09", high=0.15),
    Threshold("false_answers", "the first answerer reaches .21: near looks answered to it", high=0.22),
)

MUST_BE_RIGHT = {
    "bail-amount": "the question the product is known by",
    "reporting": "the question the product is known by",
    "net-worth": "near to the documents, and not in them",
}
"""Questions, by id, that no average may hide; a set that does not hold them is not asked for them."""


def breaches(summary: Mapping[str, Rate], scores: Sequence[Score]) -> tuple[str, ...]:
    """What is below the gate, each in one line for a person; a measure over nothing passes."""
    found = [
        _breach(bound, value)
        for bound in THRESHOLDS
        if (value := summary[bound.measure].value) is not None and not bound.low <= value <= bound.high
    ]
    found += [
        f"{score.id} must be right: {MUST_BE_RIGHT[score.id]}."
        for score in scores
        if score.id in MUST_BE_RIGHT and not score.right
    ]
    return tuple(found)


def _breach(bound: Threshold, value: float) -> str:
    side = f"at least {bound.low:.3f}" if value < bound.low else f"at most {bound.high:.3f}"
    return f"{bound.measure} is {value:.3f}, and must be {side}: {bound.reason}."
