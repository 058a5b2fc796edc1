"""A verdict as text that a person likes to read: measures, kinds of question, failures, gate."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from eval.metrics import Rate, Score, claims_text
from eval.run import Record, Verdict
from eval.thresholds import THRESHOLDS

WIDTH = 100


def render(verdict: Verdict) -> str:
    """The whole report; nothing in it depends on time or place.

    Args:
        verdict: A finished run.

    Returns:
        Lines of at most `WIDTH` characters, words longer than that apart.
    """
    head = f"{len(verdict.records)} questions of {verdict.gold} over {verdict.corpus}"
    parts = [
        head,
        "\n".join(_measures(verdict)),
        "\n".join(_kinds(verdict)),
        *("\n".join(_failure(record)) for record in verdict.records if not record.score.right),
        "\n".join(_gate(verdict)),
    ]
    return "\n\n".join(parts)


def reasons(score: Score) -> tuple[str, ...]:
    """Why an answer is not right, each in a phrase; empty where it is."""
    if score.answerable and not score.answered:
        return ("refused, and the documents say it", *score.faults)
    found = [f"does not say {value}" for value in score.missed]
    found += [f"says {value}, which is wrong" for value in score.wrong]
    if score.answered and not score.answerable:
        found.append("answered, and the documents do not say it")
    if score.answer_found is False:
        found.append("holds none of the answers")
    return (*found, *score.faults)


def _measures(verdict: Verdict) -> Iterator[str]:
    bounds = {bound.measure: bound for bound in THRESHOLDS}
    yield f"{'measure':<18}{'value':>7}{'count':>12}   {'95 % interval':<16}gate"
    for name, rate in verdict.summary.items():
        bound, gate = bounds.get(name), ""
        if bound is not None:
            gate = f">= {bound.low:.3f}" if bound.low > 0 else f"<= {bound.high:.3f}"
        yield f"{name:<18}{_row(rate)}{gate}".rstrip()


def _row(rate: Rate) -> str:
    if rate.value is None or rate.interval is None:
        return f"{'-':>7}{'unscored':>12}   {'':<16}"
    low, high = rate.interval
    return f"{rate.value:>7.3f}{f'{rate.count} / {rate.total}':>12}   {f'{low:.3f} to {high:.3f}':<16}"


def _kinds(verdict: Verdict) -> Iterator[str]:
    kinds: dict[str, list[bool]] = {}
    for record in verdict.records:
        kinds.setdefault(record.question.type, []).append(record.score.right)
    yield f"{'right, by type':<18}{'value':>7}{'count':>12}"
    for kind, flags in kinds.items():
        yield f"{kind:<18}{_row(Rate(sum(flags), len(flags)))}".rstrip()


def _failure(record: Record) -> Iterator[str]:
    yield f"NOT RIGHT {record.score.id}: {record.question.question}"
    told = claims_text(record.answer).replace("\n", " ") or f"(refused) {record.answer['reason']}"
    expected = " | ".join(record.question.answers) or "a refusal"
    for label, text in (
        ("answer", told),
        ("expected", expected),
        ("because", "; ".join(reasons(record.score))),
    ):
        yield textwrap.fill(
            text, WIDTH, initial_indent=f"    {label:<10}", subsequent_indent=" " * 14, break_long_words=False
        )


def _gate(verdict: Verdict) -> Iterator[str]:
    right = sum(record.score.right for record in verdict.records)
    outcome = "not passed" if verdict.breaches else "passed"
    yield f"{right} of {len(verdict.records)} right. The gate is {outcome}."
    yield from (f"BELOW THE GATE {breach}" for breach in verdict.breaches)
