"""The measures, worked by hand; the gate; the report; the exit codes of `python -m eval`."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from eval.__main__ import main
from eval.dataset import GoldFact, Question
from eval.metrics import (
    Rate,
    citation_faults,
    cited_claims,
    evidence_found,
    exact_citations,
    found_facts,
    is_found,
    score,
    summarise,
    support_found,
    wrong_values,
)
from eval.report import reasons, render
from eval.run import Record, Verdict, judge, write
from eval.thresholds import MUST_BE_RIGHT, THRESHOLDS, breaches
from rag.errors import NotFoundError
from rag.types import Answer, Citation, Claim, Document, Timings

A, B = "a.txt", "b.txt"
TEXTS = {A: "Bail was 5 million euros. He reports twice a week.", B: "He paid bail of 5 million euros."}
BAIL = GoldFact(
    "money", "5 million euros", ("5 million euros",), ("50 million euros",), True, A, "5 million euros", 9, 24
)
BAIL_IN_B = replace(BAIL, doc_id=B, start=16, end=31)
WEEKLY = GoldFact(
    "frequency", "twice a week", ("twice a week",), ("once a week",), False, A, "twice a week", 37, 49
)
QUESTION = Question(
    "bail", "How much was bail?", ("5 million euros",), True, "how_much", facts=(BAIL, BAIL_IN_B, WEEKLY)
)
UNANSWERABLE = Question("moon", "Who owns the moon?", (), False, "out_of_documents")
CITED = {"marker": 1, "doc_id": A, "start": 0, "end": 25, "quote": "Bail was 5 million euros."}


def answer(*claims, citations=(CITED,), **changed):
    told = [claim if isinstance(claim, dict) else claim_of(claim) for claim in claims]
    status = "answered" if claims else "refused"
    plain = {"status": status, "claims": told, "citations": list(citations), "conflicts": [], "reason": ""}
    return plain | changed


def claim_of(text, citations=(1,), support=()):
    return {"text": text, "citations": list(citations), "support": list(support)}


REFUSAL = answer(citations=(), reason="The documents do not say.")
RIGHT = answer("Bail was 5 million euros.")


def test_the_gate_names_the_measure_the_value_and_the_reason():
    inexact = score(QUESTION, answer("5 million euros", citations=(CITED | {"quote": "?"},)), TEXTS)
    found = breaches(summarise([inexact]), [inexact])
    assert "exact_citations is 0.000, and must be at least 1.000: " in found[0]
    assert any(line.startswith("broken_answers is 1.000, and must be at most 0.000: ") for line in found)


def test_nothing_unscored_breaches_the_gate():
    refused = score(UNANSWERABLE, REFUSAL, TEXTS)
    assert breaches(summarise([refused]), [refused]) == ()


def test_a_question_that_must_be_right_is_not_hidden_by_an_average():
    name = next(iter(MUST_BE_RIGHT))
    right = [score(QUESTION, RIGHT, TEXTS)] * 99
    refused = score(replace(QUESTION, id=name), REFUSAL, TEXTS)
    (line,) = breaches(summarise([*right, refused]), [*right, refused])
    assert line.startswith(f"{name} must be right: ")


def test_every_bound_is_on_a_measure_and_has_a_reason():
    assert {bound.measure for bound in THRESHOLDS} <= summarise([]).keys()
    assert all(bound.reason for bound in THRESHOLDS)


class Told:
    """An engine that says the same to every question, and holds one document that no file has."""

    def ask(self, question, history=()):
        text = "Bail was 5 million euros."
        cited = Citation(1, "page.pdf", "", None, None, 0, len(text), text)
        claims = (Claim(text, (1,), ("page.pdf",)),)
        return Answer(question, question, "answered", 1.0, claims, (cited,), Timings(0.25, 0.5))

    def document(self, doc_id):
        if doc_id != "page.pdf":
            raise NotFoundError(doc_id)
        return Document(doc_id, "", None, None, "Bail was 5 million euros.", "")


def test_timings_are_written_apart_from_the_records(tmp_path):
    records = tuple(judge([QUESTION], Told(), {}))
    write(records, tmp_path / "deep" / "run.jsonl")
    written = (tmp_path / "deep" / "run.jsonl").read_text(encoding="utf-8")
    timings = (tmp_path / "deep" / "run.timings.jsonl").read_text(encoding="utf-8")
    assert "_s" not in json.loads(written)["answer"]
    assert "timings" not in json.loads(written)["answer"]
    assert json.loads(written)["score"]["right"] is True
    assert json.loads(timings) == {"id": "bail", "retrieval_s": 0.25, "answer_s": 0.5}


def test_a_document_that_is_no_plain_text_is_read_from_the_engine():
    (record,) = judge([QUESTION], Told(), {})
    assert record.score.citations == Rate(1, 1)


def test_the_report_lists_measures_kinds_and_each_failure():
    told = [(QUESTION, RIGHT), (replace(QUESTION, id="other"), REFUSAL), (UNANSWERABLE, RIGHT)]
    records = tuple(Record(question, said, score(question, said, TEXTS), {}) for question, said in told)
    summary = summarise(record.score for record in records)
    text = render(Verdict("gold.jsonl", "docs", records, summary, ("a is 0.1",)))
    assert text.startswith("3 questions of gold.jsonl over docs\n")
    assert "right               0.333       1 / 3   0.061 to 0.792" in text
    assert "answers_found           -    unscored" in text
    assert "NOT RIGHT other: How much was bail?\n    answer    (refused) The documents do not say." in text
    assert "NOT RIGHT moon: Who owns the moon?" in text
    assert "    expected  a refusal\n    because   answered, and the documents do not say it" in text
    assert text.endswith("1 of 3 right. The gate is not passed.\nBELOW THE GATE a is 0.1")


def test_help_is_given_at_once_and_imports_nothing_heavy():
    code = (
        "import sys, runpy; sys.argv = ['eval', '--help']\n"
        "try: runpy.run_module('eval')\n"
        "except SystemExit: pass\n"
        "from eval.__main__ import _parser; _parser().format_help()\n"
        "print(sorted({'numpy', 'chromadb', 'llama_index', 'pydantic', 'nltk'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def gold_file(tmp_path, *rows):
    path = tmp_path / "gold.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def row(**changed):
    fact = {
        "kind": "money",
        "value": "5 million euros",
        "accepted": ["5 million euros"],
        "rejected": [],
        "vital": True,
        "doc_id": A,
        "quote": "5 million euros",
        "start": 9,
        "end": 24,
    }
    plain = {"id": "bail", "question": "How much was the bail?", "answers": ["5 million euros"]}
    return plain | {"answerable": True, "type": "how_much", "evidence": [], "facts": [fact | changed]}


def judge_files(gold, corpus, out, *more):
    return main(["--gold", str(gold), "--corpus", str(corpus), "--out", str(out), *more])


def test_a_right_answer_passes_with_exit_code_0_and_the_same_bytes_each_time(tmp_path, corpus, capsys):
    gold = gold_file(tmp_path, row())
    outs = [tmp_path / "1.jsonl", tmp_path / "2.jsonl"]
    assert [judge_files(gold, corpus, out) for out in outs] == [0, 0]
    assert outs[0].read_bytes() == outs[1].read_bytes()
    printed = capsys.readouterr().out
    assert printed.count("1 of 1 right. The gate is passed.") == 2


def test_an_answer_that_should_be_a_refusal_is_below_the_gate_with_exit_code_1(tmp_path, corpus, capsys):
    gold = gold_file(tmp_path, row() | {"answerable": False, "answers": [], "facts": []})
    assert judge_files(gold, corpus, tmp_path / "out.jsonl", "--json") == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["passed"], printed["failures"]) == (False, ["bail"])
    # 1 of 1; 1 / (1 + 3.8415) = .2065
    assert printed["measures"]["false_answers"] == {
        "count": 1,
        "total": 1,
        "value": 1.0,
        "interval": [0.2065, 1.0],
    }


def test_a_corpus_that_is_not_there_is_exit_code_2(tmp_path, capsys):
    gold = gold_file(tmp_path, row())
    assert judge_files(gold, tmp_path / "none", tmp_path / "out.jsonl") == 2
    assert capsys.readouterr().err.startswith("The evaluation could not run: there is no corpus at ")


def test_a_set_that_is_not_there_is_exit_code_2(tmp_path, corpus):
    assert judge_files(tmp_path / "none.jsonl", corpus, tmp_path / "out.jsonl") == 2


def test_a_broken_set_is_exit_code_3(tmp_path, corpus, capsys):
    gold = gold_file(tmp_path, row(start=8, end=23))
    assert judge_files(gold, corpus, tmp_path / "out.jsonl") == 3
    assert capsys.readouterr().err.startswith(f"{gold}:1: bail: a.txt has not '5 million euros' at 8 to 23")
    assert not (tmp_path / "out.jsonl").exists()


def test_wrong_usage_is_exit_code_2():
    done = subprocess.run(
        [sys.executable, "-m", "eval", "--none"],
        capture_output=True,
        cwd=Path(__file__).parents[1],
        check=False,
    )
    assert done.returncode == 2
