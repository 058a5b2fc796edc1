"""Two runs of one set: what got better or worse, fact by fact, and whether chance alone could do that.

    Run, Run -> Comparison: changes by question, differences by measure

Only answers are compared: the two runs must have asked the same, of the same set.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from eval.records import Json, Record, Run, Value
from eval.report import WIDTH, verdict, visible

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pair = tuple[float, float, float, float]
"""Of one question: count and total in the first run, count and total in the second."""

FLIPS = 10_000
EXACT_UP_TO = 12
"""Up to so many differing questions every flip is tried: 4,096 of them."""
SEED = 0
BLOCK = 500
"""Tries made at once, which bounds the memory."""
EPSILON = 1e-12
QUOTED = 90
"""How many characters of an answer are quoted."""
NAMED = 20
"""How many characters of a folder's name head a column."""
HASHED = ("questions", "corpus", "code", "packages", "settings")
"""What a manifest knows by its hash."""

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
class Told:
    """What both runs tell of one question, of which something changed.

    Attributes:
        id: Of the question.
        type: Of the question.
        before: The first answer, or nothing of a refusal.
        after: The second answer, or nothing of a refusal.
        reasons: Why the second answer is not right, where the first was not so.
    """

    id: str
    type: str
    before: str
    after: str
    reasons: tuple[str, ...]


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
        told: What both runs tell of the questions that changed, in the same order.
        gates: What the gate says of the first run, and of the second.
        differ: What of the runs differs, by its hash: some of HASHED.
        same: What of them is the same; what a manifest has no hash of is in neither.
    """

    set: str
    common: int
    only_before: int
    only_after: int
    changes: tuple[Change, ...]
    differences: tuple[Difference, ...]
    told: tuple[Told, ...] = ()
    gates: tuple[str, str] = ("", "")
    differ: tuple[str, ...] = ()
    same: tuple[str, ...] = ()

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
    changed = {new.id: tuple(changes(old, new)) for old, new in pairs}
    known = [name for name in HASHED if all(f"{name}_sha256" in run.manifest for run in (before, after))]
    differ = tuple(name for name in known if _sha256(before, name) != _sha256(after, name))
    return Comparison(
        set=after.set,
        common=len(pairs),
        only_before=len(before.records) - len(pairs),
        only_after=len(after.records) - len(pairs),
        changes=tuple(change for found in changed.values() for change in found),
        differences=tuple(_differences(pairs)),
        told=tuple(_told(old, new) for old, new in pairs if changed[new.id]),
        gates=(verdict(before), verdict(after)),
        differ=differ,
        same=tuple(name for name in known if name not in differ),
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


def names(before: Path, after: Path) -> tuple[str, str]:
    """What tells two folders of runs apart, as short as it is.

    Examples:
        >>> names(Path("old/gold"), Path("new/gold")), names(Path("a"), Path("a"))
        (('old', 'new'), ('first', 'second'))
    """
    one, other = before.absolute(), after.absolute()
    while one.name == other.name and one != other:
        one, other = one.parent, other.parent
    return ("first", "second") if one == other else (one.name or "/", other.name or "/")


def render(found: Comparison, names: tuple[str, str] = ("first", "second")) -> str:
    """The comparison as text: what changed, question by question, then the measures.

    Args:
        found: What differs.
        names: Of the two runs.
    """
    groups: dict[str, list[str]] = {"WORSE": [], "BETTER": [], "OTHERWISE": []}
    for told in found.told:
        changed = [change for change in found.changes if change.id == told.id]
        groups[_group(changed)].append(_line(told, changed))
    lines = list(_head(found, names))
    for title, rows in groups.items():
        if rows:
            lines += ["", f"{title} {len(rows)}", *rows]
    if not found.changes:
        lines += ["", "No answer gained or lost anything."]
    return "\n".join([*lines, "", *_table(found.differences, names)])


def _head(found: Comparison, names: tuple[str, str]) -> Iterator[str]:
    left_out = ""
    if found.only_before or found.only_after:
        left_out = f" Left out: {found.only_before} that only the first holds"
        left_out += f" and {found.only_after} that only the second does."
    yield f"{found.set}: {found.common} questions in both runs.{left_out}"
    said = {"differs": found.differ, "the same": found.same}
    line = "; ".join(f"{label}: {', '.join(told)}" for label, told in said.items() if told)
    if line:
        yield f"{line[:1].upper()}{line[1:]}."
    gates = (f"{visible(name)} {gate}" for name, gate in zip(names, found.gates, strict=True))
    yield f"The gate: {', '.join(gates)}."


def _group(changed: Sequence[Change]) -> str:
    """Where a question is listed, once: what got worse goes before what got better."""
    kinds = {change.what for change in changed}
    return "WORSE" if kinds.intersection(WORSE) else "BETTER" if kinds.intersection(BETTER) else "OTHERWISE"


def _line(told: Told, changed: Sequence[Change]) -> str:
    """One question: what was said, what is said now, and what came and went with it."""
    values = [change.value for change in changed if change.value]
    said = [f"{change.what} {change.value}".rstrip() for change in changed if change.what not in OTHER]
    said += [reason for reason in told.reasons if not any(value in reason for value in values)]
    name = f"{told.id} ({told.type})" if told.type else told.id
    line = f"{name}: {_turn(told.before, told.after)}{': ' if said else ''}{'; '.join(said)}"
    return textwrap.fill(
        visible(line),
        WIDTH,
        initial_indent="  ",
        subsequent_indent=" " * 6,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _turn(before: str, after: str) -> str:
    if before == after:
        return f"says as before {_quoted(after)}" if after else "is refused as before"
    first = f"said {_quoted(before)}" if before else "was refused"
    return f"{first}, now {f'answers {_quoted(after)}' if after else 'is refused'}"


def _quoted(text: str) -> str:
    return f'"{text}"' if len(text) <= QUOTED else f'"{text[:QUOTED].rstrip()}…"'


def _told(before: Record, after: Record) -> Told:
    new = tuple(reason for reason in after.score.reasons if reason not in before.score.reasons)
    return Told(after.id, after.type, _said(before), _said(after), new)


def _said(record: Record) -> str:
    return " ".join(" ".join(claim["text"] for claim in record.answer["claims"]).split())


_TURNED: Mapping[bool | None, str] = {True: "turned right", False: "turned wrong"}


def _table(differences: Sequence[Difference], names: tuple[str, str]) -> Iterator[str]:
    moved = [found for found in differences if f"{abs(found.after - found.before):.3f}" != "0.000"]
    if not moved:
        yield "No measure differs."
        return
    first, second = (visible(name)[:NAMED] for name in names)
    one, other = max(8, len(first) + 2), max(8, len(second) + 2)
    head = f"{first:>{one}}{second:>{other}}{'change':>8}{'differ':>8}{'of':>7}{'p':>8}"
    yield f"{'part':<14}{'measure':<24}{head}"
    for found in moved:
        change = found.after - found.before
        row = f"{found.before:>{one}.3f}{found.after:>{other}.3f}{change:>+8.3f}"
        p = "<.001" if found.p < 0.001 else f"{found.p:.3f}"
        counts = f"{found.differing:>8}{found.questions:>7}{p:>8}"
        yield f"{visible(found.part):<14}{found.measure:<24}{row}{counts}"
    yield "p: a paired permutation test, two-sided; many measures are tested, so expect a few below .05."


def _sha256(run: Run, name: str) -> object:
    return run.manifest[f"{name}_sha256"]


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
