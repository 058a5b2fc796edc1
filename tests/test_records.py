"""The files of a run: what is written is what is read, and what is torn or broken is said so."""

from __future__ import annotations

import json

import pytest

from eval.dataset import DatasetError
from eval.records import (
    FIGURES,
    RECORDS,
    RUN,
    TIMINGS,
    Figure,
    FoundFact,
    Record,
    Reference,
    Run,
    Score,
    line_of,
    read_lines,
    read_run,
    write_figures,
)

RECORD = Record(
    id="bail",
    part="questions",
    type="how_much",
    question="How much was bail?",
    answerable=True,
    expected=("5 million euros",),
    answer={"status": "answered", "claims": [{"text": "Bail was €5M.", "citations": [1], "support": []}]},
    score=Score(
        right=True,
        values={"vital_facts": (1, 1), "token_f1": 0.5, "auroc": None},
        facts=(FoundFact("money", "5 million euros", vital=True, found=True, by="value", differ=True),),
    ),
    ranking=({"rank": 1, "score": 0.9, "doc_id": "a.txt", "start": 0, "end": 10},),
    passages=({"marker": 1, "before": "", "after": " He reports."},),
)
WHOLE = Run(
    manifest={"set": "gold", "questions": "gold.jsonl", "total": 1},
    records=(RECORD,),
    figures={"questions": {"right": Figure(1.0, 0.2065, 1.0, 1, 1), "token_f1": Figure(0.5, total=1)}},
    risk_coverage={"questions": ((1.0, 0.0),)},
    breaches=("right is 0.500, and must be at least 0.800: it was.",),
    references=(Reference("right", 0.9, "people"),),
    timings={"bail": {"id": "bail", "answer_s": 0.01}},
)


def written(folder, run=WHOLE):
    (folder / RUN).write_text(json.dumps(run.manifest))
    (folder / RECORDS).write_text("".join(line_of(record.to_json()) for record in run.records))
    (folder / TIMINGS).write_text("".join(map(line_of, run.timings.values())))
    write_figures(run, folder)
    return folder


def test_a_run_is_read_as_it_was_written(tmp_path):
    assert read_run(written(tmp_path)) == WHOLE


def test_the_gate_and_the_references_stand_in_the_figures(tmp_path):
    held = json.loads((written(tmp_path) / FIGURES).read_text())
    assert held["gate"] == {"passed": False, "breaches": list(WHOLE.breaches)}
    assert held["references"] == [{"measure": "right", "value": 0.9, "what": "people", "source": ""}]
    assert held["parts"]["questions"]["token_f1"] == {
        "value": 0.5, "low": None, "high": None, "count": None, "total": 1,
    }  # fmt: skip


def test_a_torn_last_line_is_left_out(tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text('{"id": "a"}\n{"id": "b"}\n{"id": "c')
    assert [row["id"] for row in read_lines(path)] == ["a", "b"]


def test_a_broken_line_is_named(tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text('{"id": "a"}\n{"id": \n{"id": "c"}\n')
    with pytest.raises(DatasetError, match=r"records\.jsonl:2: not JSON"):
        list(read_lines(path))


@pytest.mark.parametrize("name", [RUN, RECORDS, FIGURES])
def test_a_folder_that_is_no_run_is_named(tmp_path, name):
    (written(tmp_path) / name).unlink()
    with pytest.raises(DatasetError, match=f"{name}: there is no such file"):
        read_run(tmp_path)


def test_figures_of_another_shape_are_no_finished_run(tmp_path):
    (written(tmp_path) / FIGURES).write_text('{"set": "gold"}')
    with pytest.raises(DatasetError, match="not a finished run"):
        read_run(tmp_path)


def test_no_nan_is_written():
    with pytest.raises(ValueError, match="not JSON compliant"):
        line_of({"value": float("nan")})
