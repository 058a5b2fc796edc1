"""What a run leaves behind: records, figures and a manifest, each as it stands in its file.

A run is a folder: `run.json` says what was asked of what, `records.jsonl` holds a question, its answer and
its score a line, `timings.jsonl` the seconds, `figures.json` the measures. Everything but the seconds is the
same bytes each time, and reports and comparisons are made from these files alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eval.dataset import DatasetError

Json = dict[str, Any]
Value = tuple[int, int] | float | None
"""What one answer has of a measure: so many of so many, a number, or None where it does not apply."""

RUN, RECORDS, TIMINGS, FIGURES = "run.json", "records.jsonl", "timings.jsonl", "figures.json"


@dataclass(frozen=True, slots=True)
class FoundFact:
    """A gold fact, looked for in an answer.

    Attributes:
        kind: As in `eval.dataset.KINDS`.
        value: As a person would write it.
        vital: An answer without it is incomplete.
        found: Whether the answer states it.
        by: `spelling`, where an annotated one stands there; `value`, where the typed comparison found it.
        differ: An annotated spelling stands there and typed comparison does not agree: a person should look.
    """

    kind: str
    value: str
    vital: bool
    found: bool
    by: str | None = None
    differ: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """One answer, judged.

    Attributes:
        right: Whether the answer is right in everything that the set can judge, as `eval.metrics.right`
            defines it; None where there is nothing to judge that by.
        values: By measure.
        facts: Each gold fact, once a value.
        wrong: The rejected values that the answer states.
        reasons: Why it is not right, each in a phrase for a person.
    """

    right: bool | None
    values: Mapping[str, Value]
    facts: tuple[FoundFact, ...] = ()
    wrong: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """The score as it stands in a record."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: Json) -> Score:
        """The score that a record holds."""
        values = {name: _value(value) for name, value in row["values"].items()}
        facts = tuple(FoundFact(**fact) for fact in row["facts"])
        return cls(row["right"], values, facts, tuple(row["wrong"]), tuple(row["reasons"]))


@dataclass(frozen=True, slots=True)
class Record:
    """One question, asked and judged: a line of `records.jsonl`.

    Attributes:
        id: The question's.
        part: Which part of the set it belongs to, as `Question.part` says.
        type: What is asked for; for an unanswerable question, why it is so.
        question: As it was asked.
        answerable: Whether the documents hold the answer.
        expected: Short right answers, for a person.
        answer: The Answer as JSON, without its timings.
        score: The judgement.
        ranking: The ten best chunks: `rank`, `score`, `doc_id`, `start`, `end`.
        passages: For each citation its `marker` and the words `before` and `after` it.
        history: The conversation before the question: `role`, `text`.
        paraphrase_of: The id of the question that it words differently, or empty.
    """

    id: str
    part: str
    type: str
    question: str
    answerable: bool
    expected: tuple[str, ...]
    answer: Json
    score: Score
    ranking: tuple[Json, ...] = ()
    passages: tuple[Json, ...] = ()
    history: tuple[Json, ...] = ()
    paraphrase_of: str = ""

    def to_json(self) -> Json:
        """The record as it stands in its file."""
        return {name: getattr(self, name) for name in self.__slots__} | {"score": self.score.to_json()}

    @classmethod
    def from_json(cls, row: Json) -> Record:
        """The record of a line."""
        lists = ("expected", "ranking", "passages", "history")
        return cls(
            **row | {name: tuple(row[name]) for name in lists} | {"score": Score.from_json(row["score"])}
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure over many answers.

    Attributes:
        value: The share or mean, or None where nothing was scored.
        low: The lower end of its 95 % interval, or None.
        high: The upper end.
        count: Of a share: how many; None for a mean.
        total: How many were scored.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    count: int | None = None
    total: int = 0


Figures = Mapping[str, Mapping[str, Figure]]
"""part -> measure -> figure."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A figure to read ours beside: a floor, or what others published."""

    measure: str
    value: float
    what: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as its folder holds it.

    Attributes:
        manifest: What was asked of what: `set`, `questions`, `corpus`, their hashes, `answerer`, `embedding`.
        records: In the order of the set.
        figures: By part and measure.
        risk_coverage: By part, points of (coverage, risk).
        breaches: What is below the gate, each in one line.
        references: Figures to read ours beside.
        timings: By question id `retrieval_s`, `answer_s`, `wall_s`, and tokens where a model was used.
    """

    manifest: Json
    records: tuple[Record, ...]
    figures: Figures
    risk_coverage: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    breaches: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    timings: Mapping[str, Json] = field(default_factory=dict)

    @property
    def set(self) -> str:
        """The name of the question set."""
        return str(self.manifest["set"])

    def figures_json(self) -> Json:
        """What `figures.json` holds."""
        return {
            "set": self.set,
            "parts": {
                part: {name: _rounded(asdict(figure)) for name, figure in measures.items()}
                for part, measures in self.figures.items()
            },
            "risk_coverage": {
                part: [list(map(_round, point)) for point in curve]
                for part, curve in self.risk_coverage.items()
            },
            "gate": {"passed": not self.breaches, "breaches": list(self.breaches)},
            "references": [asdict(reference) for reference in self.references],
        }


def read_run(folder: str | Path) -> Run:
    """The run that a folder holds.

    Raises:
        DatasetError: A file of it is missing or broken.
    """
    folder = Path(folder)
    figures = _object(folder / FIGURES)
    try:
        return Run(
            manifest=_object(folder / RUN),
            records=tuple(map(Record.from_json, read_lines(folder / RECORDS))),
            figures={
                part: {name: Figure(**figure) for name, figure in measures.items()}
                for part, measures in figures["parts"].items()
            },
            risk_coverage={
                part: tuple((coverage, risk) for coverage, risk in curve)
                for part, curve in figures["risk_coverage"].items()
            },
            breaches=tuple(figures["gate"]["breaches"]),
            references=tuple(Reference(**row) for row in figures["references"]),
            timings={row["id"]: row for row in _timings(folder)},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{folder}: not a finished run ({type(error).__name__}: {error}). Run it again with --fresh."
        ) from None


def write_figures(run: Run, folder: Path) -> None:
    """Write `figures.json`; it holds no NaN, and is there whole or not at all."""
    text = json.dumps(run.figures_json(), ensure_ascii=False, allow_nan=False, indent=1)
    write_aside(folder / FIGURES, text + "\n")


def write_aside(path: Path, text: str) -> None:
    """Write a file under another name, then give it its own: who is killed at it leaves what was there."""
    aside = path.with_name(f"{path.name}.new")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


def read_lines(path: Path) -> Iterator[Json]:
    """The whole lines of a file of JSON lines; a torn last one, as a killed writer leaves it, is left out.

    Raises:
        DatasetError: The file is not there, or a line of it is not JSON.
    """
    try:
        text = path.read_bytes()
    except OSError:
        raise DatasetError(f"{path}: there is no such file. Name the folder of a finished run.") from None
    for number, line in enumerate(text.split(b"\n")[:-1], start=1):
        try:
            yield json.loads(line)
        except ValueError:
            raise DatasetError(f"{path}:{number}: not JSON. Run it again with --fresh.") from None


def line_of(row: Json) -> str:
    """An object as a line of a file: no NaN, letters as they are."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def _timings(folder: Path) -> Iterator[Json]:
    return read_lines(folder / TIMINGS) if (folder / TIMINGS).exists() else iter(())


def _object(path: Path) -> Json:
    try:
        found = json.loads(path.read_bytes())
    except OSError:
        raise DatasetError(f"{path}: there is no such file. Name the folder of a finished run.") from None
    except ValueError:
        raise DatasetError(f"{path}: not JSON. Run it again with --fresh.") from None
    if not isinstance(found, dict):
        raise DatasetError(f"{path}: not a JSON object. Run it again with --fresh.")
    return found


def _value(value: Any) -> Value:
    return (value[0], value[1]) if isinstance(value, list) else value


def _rounded(row: Json) -> Json:
    return {name: _round(value) for name, value in row.items()}


def _round(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
