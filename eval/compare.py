"""Two runs of one set: what got better or worse, fact by fact, and whether chance alone could do that.

    Run, Run -> Comparison: changes by question, differences by measure

Only answers are compared: the two runs must have asked the same, of the same set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from eval.records import Record, Run, Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Json = dict[str, Any]
Pair = tuple[float, float, float, float]
"""Of one question: count and total in the first run, count and total in the second."""

FLIPS = 10_000
EXACT_UP_TO = 12
"""Up to so many differing questions every flip is tried: 4,096 of them."""
SEED = 0
BLOCK = 500
"""Tries made at once, which bounds the memory."""
EPSILON = 1e-12

WORSE = ("turned wrong", "lost a vital fact", "lost a fact", "says a wrong value")
BETTER = ("turned right", "won a vital fact", "won a fact", "no longer says a wrong value")
OTHER = ("now refuses", "now answers")
BAD = ("turned wrong", "lost a vital fact", "says a wrong value")
"""What `--fail-if-worse` fails at: a welcome fact may go, and a refusal shows in what it loses."""


class MismatchedRunsError(Exception):
    """The two runs cannot be compared; the text says why, in one line."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one answer does that it did not: `what` is one of WORSE, BETTER and OTHER; `value` the fact's."""

    id: str
    part: str
    what: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure of one part in both runs, over the questions that both score.

    Attributes:
        part: Of the set.
        measure: Its name.
        before: Its value in the first run.
        after: Its value in the second run.
        questions: How many questions both runs score.
        differing: How many of them differ.
        p: The chance of so large a difference, in either direction, between runs that are alike.
    """

    part: str
    measure: str
    before: float
    after: float
    questions: int
    differing: int
    p: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a second run does otherwise than a first one.

    Attributes:
        set: The name of the set.
        common: How many questions stand in both.
        only_before: How many stand in the first run alone.
        only_after: How many stand in the second run alone.
        changes: By question, in the order of the second run.
        differences: By part and measure; what is the same to the last question is left out.
    """

    set: str
    common: int
    only_before: int
    only_after: int
    changes: tuple[Change, ...]
    differences: tuple[Difference, ...]

    @property
    def is_worse(self) -> bool:
        """Whether a vital fact was lost, a wrong value is new or an answer turned wrong."""
        return any(change.what in BAD for change in self.changes)

    def to_json(self) -> Json:
        """The comparison as `python -m eval compare --json` prints it."""
        differences = [
            asdict(found) | {name: round(getattr(found, name), 4) for name in ("before", "after", "p")}
            for found in self.differences
        ]
        return asdict(self) | {"is_worse": self.is_worse, "differences": differences}


def compare(before: Run, after: Run) -> Comparison:
    """Compare two runs of one set.

    Where the set has grown or shrunk, the questions in common are compared.

    Raises:
        MismatchedRunsError: The runs are of different sets, share no question, or a question that both hold
            was asked or annotated otherwise.
    """
    pairs = _paired(before, after)
    return Comparison(
        set=after.set,
        common=len(pairs),
        only_before=len(before.records) - len(pairs),
        only_after=len(after.records) - len(pairs),
        changes=tuple(change for old, new in pairs for change in changes(old, new)),
        differences=tuple(_differences(pairs)),
    )


def changes(before: Record, after: Record) -> Iterator[Change]:
    """What the second answer to a question does otherwise than the first."""
    old, new = before.score, after.score
    told = [(_TURNED[new.right], "")] if old.right != new.right and None not in (old.right, new.right) else []
    for past, now in zip(old.facts, new.facts, strict=True):
        if past.found != now.found:
            kind = "a vital fact" if now.vital else "a fact"
            told.append((f"{'won' if now.found else 'lost'} {kind}", now.value))
    told += [("says a wrong value", value) for value in new.wrong if value not in old.wrong]
    told += [("no longer says a wrong value", value) for value in old.wrong if value not in new.wrong]
    if _refused(before) != _refused(after):
        told.append(("now refuses" if _refused(after) else "now answers", ""))
    yield from (Change(after.id, after.part, what, value) for what, value in told)


def p_value(pairs: Sequence[Pair]) -> float:
    """The two-sided p of a paired permutation test on the difference of two pooled shares or means.

    Were the runs alike, each question's two outcomes could as well stand in each other's run. So they are
    exchanged at random, 10,000 times from a fixed seed, and p is the share of exchanges with a difference as
    large, the observed one counted in; with at most 12 differing questions all exchanges are tried.
    Where all totals are the same, this is the flipping of signs of the differences.

    Sources: R. A. Fisher, "The Design of Experiments" (1935), section 21; M. Smucker, J. Allan and
    B. Carterette, "A comparison of statistical significance tests for information retrieval evaluation",
    CIKM 2007; for the observed one, B. Phipson and G. Smyth, "Permutation p-values should never be zero",
    Stat. Appl. Genet. Mol. Biol. 9 (2010).

    Args:
        pairs: One a question; a mean has a total of 1 for each.

    Examples:
        One of three outcomes went; of its two exchanges both give as large a difference:

        >>> p_value([(1, 1, 0, 1), (1, 1, 1, 1), (0, 1, 0, 1)])
        1.0

        Six went and none came; of 64 exchanges 2 give as large a difference:

        >>> p_value([(1, 1, 0, 1)] * 6)
        0.03125
    """
    import numpy as np

    differing = np.array([pair for pair in pairs if pair[:2] != pair[2:]], dtype=float)
    if not len(differing):
        return 1.0
    sums = np.array(pairs, dtype=float).sum(axis=0)
    observed = abs(_gap(sums[None, :])[0])
    as_large = tried = 0
    for flips in _flips(len(differing)):
        # an exchange moves a question's count and total from one run to the other
        moved = flips @ (differing[:, 2:] - differing[:, :2])
        gaps = np.abs(_gap(np.hstack([sums[:2] + moved, sums[2:] - moved])))
        as_large += int((gaps >= observed - EPSILON).sum())
        tried += len(flips)
    return as_large / tried if len(differing) <= EXACT_UP_TO else (as_large + 1) / (tried + 1)


def render(found: Comparison) -> str:
    """The comparison as text: what changed, question by question, then the measures."""
    lines = [f"{found.set}: {found.common} questions in both runs."]
    if found.only_before or found.only_after:
        lines[0] += f" Left out: {found.only_before} that only the first holds"
        lines[0] += f" and {found.only_after} that only the second does."
    for title, kinds in (("WORSE", WORSE), ("BETTER", BETTER), ("OTHERWISE", OTHER)):
        told = [change for change in found.changes if change.what in kinds]
        if told:
            lines += ["", title, *map(_line, told)]
    if not found.changes:
        lines += ["", "No answer gained or lost anything."]
    return "\n".join([*lines, "", *_table(found.differences)])


def _line(change: Change) -> str:
    return f"  {change.id}: {change.what} {change.value}".rstrip()


_TURNED: Mapping[bool | None, str] = {True: "turned right", False: "turned wrong"}


def _table(differences: Sequence[Difference]) -> Iterator[str]:
    if not differences:
        yield "No measure differs."
        return
    head = f"{'first':>8}{'second':>8}{'change':>8}{'differ':>8}{'of':>7}{'p':>8}"
    yield f"{'part':<14}{'measure':<24}{head}"
    for found in differences:
        change = found.after - found.before
        row = (
            f"{found.before:>8.3f}{found.after:>8.3f}{change:>+8.3f}{found.differing:>8}{found.questions:>7}"
        )
        yield f"{found.part:<14}{found.measure:<24}{row}{found.p:>8.3f}"
    yield "p: a paired permutation test, two-sided; many measures are tested, so expect a few below .05."


def _paired(before: Run, after: Run) -> list[tuple[Record, Record]]:
    if before.set != after.set:
        raise MismatchedRunsError(
            f"The first run is of the set {before.set!r}, and the second of {after.set!r}. "
            "Compare two runs of one set."
        )
    old = {record.id: record for record in before.records}
    pairs = [(old[record.id], record) for record in after.records if record.id in old]
    if not pairs:
        raise MismatchedRunsError(
            f"The two runs of {after.set!r} have no question in common. Run both again."
        )
    for one, other in pairs:
        if _asked(one) != _asked(other):
            raise MismatchedRunsError(
                f"The question {one.id!r} of {after.set!r} was asked or annotated otherwise in the first "
                "run. Run both again over the same file."
            )
    unequal = before.manifest["questions_sha256"] != after.manifest["questions_sha256"]
    if unequal and old.keys() == {record.id for record in after.records}:
        raise MismatchedRunsError(
            f"The questions of {after.set!r} are annotated otherwise in the two runs (their hashes are "
            f"{before.manifest['questions_sha256'][:12]} and {after.manifest['questions_sha256'][:12]}). "
            "Run both again over the same file."
        )
    return pairs


def _asked(record: Record) -> tuple[object, ...]:
    """What of a record is the set's, and not the engine's."""
    facts = tuple((fact.kind, fact.value, fact.vital) for fact in record.score.facts)
    return (record.question, record.history, record.answerable, record.expected, record.part, facts)


def _differences(pairs: Sequence[tuple[Record, Record]]) -> Iterator[Difference]:
    scored: dict[tuple[str, str], list[Pair]] = {}
    for before, after in pairs:
        old, new = _values(before), _values(after)
        for measure in new:
            past, now = _share(old.get(measure)), _share(new[measure])
            if past and now:
                scored.setdefault((after.part, measure), []).append((*past, *now))
    for (part, measure), found in scored.items():
        differing = sum(pair[:2] != pair[2:] for pair in found)
        if differing:
            sums = [sum(column) for column in zip(*found, strict=True)]
            yield Difference(
                part, measure, sums[0] / sums[1], sums[2] / sums[3], len(found), differing, p_value(found)
            )


def _values(record: Record) -> dict[str, Value]:
    """What one answer has of each measure, being right among them."""
    right = record.score.right
    return {"right": None if right is None else float(right), **record.score.values}


def _share(value: Value) -> tuple[float, float] | None:
    """A value as a count of a total; None where nothing was scored."""
    if value is None:
        return None
    count, total = value if isinstance(value, tuple) else (value, 1)
    return (count, total) if total else None


def _flips(differing: int) -> Iterator[NDArray[np.float64]]:
    """Which questions are exchanged, a row a try: all ways for few questions, else many random ones."""
    import numpy as np

    if differing <= EXACT_UP_TO:
        yield np.array(list(product((0.0, 1.0), repeat=differing)))
        return
    random = np.random.default_rng(SEED)
    for _ in range(FLIPS // BLOCK):
        yield random.integers(0, 2, (BLOCK, differing)).astype(float)


def _gap(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The difference of the two pooled shares, by row of (count, total, count, total)."""
    return sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3]


def _refused(record: Record) -> bool:
    return bool(record.answer["status"] == "refused")
