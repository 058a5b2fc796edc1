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


def test_a_value_in_two_documents_counts_once():
    vital, every, missed = found_facts(QUESTION.facts, "Bail was 5 million euros.")
    assert (vital, every, missed) == (Rate(1, 1), Rate(1, 2), ())


def test_a_missing_vital_fact_is_named():
    vital, every, missed = found_facts(QUESTION.facts, "He reports twice a week.")
    assert (vital, every, missed) == (Rate(0, 1), Rate(1, 2), ("5 million euros",))


@pytest.mark.parametrize("told", ["The bail is €5M.", "Bail: EUR 5,000,000", "He paid five million euros."])
def test_a_fact_is_found_by_value_where_no_spelling_stands(told):
    assert is_found(BAIL, told)


@pytest.mark.parametrize("told", ["€50M", "$5M", "five million", "5 billion euros", ""])
def test_another_value_is_not_the_fact(told):
    assert not is_found(BAIL, told)


def test_a_rejected_value_is_wrong_in_any_spelling_and_said_once():
    assert wrong_values(QUESTION.facts, "Bail was €50M, and he reports once a week.") == (
        "50 million euros",
        "once a week",
    )
    assert wrong_values(QUESTION.facts, "Bail was 5 million euros.") == ()


def test_a_phrase_is_found_by_its_spellings_alone():
    phrase = replace(BAIL, kind="phrase", value="the bail", accepted=("bail money",))
    assert is_found(phrase, "The Bail  money")
    assert not is_found(phrase, "5 million euros")


def test_a_citation_is_exact_or_not_by_one_character():
    moved = CITED | {"marker": 2, "start": 1, "end": 26}
    assert exact_citations(answer("x", citations=(CITED, moved)), TEXTS) == Rate(1, 2)


@pytest.mark.parametrize(
    "changed",
    [
        {"quote": "Bail was 6 million euros."},
        {"doc_id": "gone.txt"},
        {"start": -50, "end": -25},
        {"start": 0, "end": 0, "quote": ""},
    ],
)
def test_a_false_citation_is_a_fault(changed):
    faults = list(citation_faults(answer("x", citations=(CITED | changed,)), TEXTS))
    assert len(faults) == 1
    assert faults[0].startswith("[1] is not exact: ")


def test_a_claim_is_cited_where_all_its_markers_resolve():
    told = answer(claim_of("a"), claim_of("b", ()), claim_of("c", (1, 2)))
    assert cited_claims(told) == Rate(1, 3)
    assert list(citation_faults(told, TEXTS)) == ["no citation: 'b'", "[2] names no citation: 'c'"]


def test_a_side_of_a_conflict_names_citations_that_are_there():
    conflict = {"about": "users", "sides": [{"value": "900 million", "citations": [3]}]}
    assert list(citation_faults(RIGHT | {"conflicts": [conflict]}, TEXTS)) == [
        "[3] names no citation: '900 million'"
    ]


def test_markers_count_from_one():
    told = answer(claim_of("a", (2,)), citations=(CITED | {"marker": 2},))
    assert list(citation_faults(told, TEXTS)) == ["the markers are [2], and not 1 to 1"]


def test_a_refusal_has_a_reason_and_nothing_else():
    assert list(citation_faults(REFUSAL, TEXTS)) == []
    assert list(citation_faults(answer(), TEXTS)) == [
        "a refusal has 1 citations",
        "a refusal gives no reason",
    ]
    assert list(citation_faults(RIGHT | {"status": "refused", "reason": "x", "citations": []}, TEXTS)) == [
        "[1] names no citation: 'Bail was 5 million euros.'",
        "the status is 'refused' with 1 claims",
    ]


def test_evidence_is_found_where_a_citation_overlaps_a_gold_quote():
    beside = CITED | {"start": 25, "end": 36, "quote": TEXTS[A][25:36]}
    assert evidence_found(QUESTION.facts, RIGHT) is True
    assert evidence_found(QUESTION.facts, answer("x", citations=(beside,))) is False
    assert evidence_found(QUESTION.facts, REFUSAL) is None
    assert evidence_found((), RIGHT) is None


def test_support_is_the_gold_documents_cited_or_named():
    assert support_found(QUESTION.facts, RIGHT) == Rate(1, 2)
    assert support_found(QUESTION.facts, answer(claim_of("x", support=(B,)))) == Rate(2, 2)
    assert support_found((BAIL,), RIGHT) == Rate(0, 0)
    assert support_found(QUESTION.facts, REFUSAL) == Rate(0, 0)


def test_an_answer_is_right_or_says_why_it_is_not():
    cases = {
        (): RIGHT,
        ("refused, and the documents say it",): REFUSAL,
        ("does not say 5 million euros",): answer("Bail was high."),
        ("says 50 million euros, which is wrong",): answer("Bail was 5 million euros, not 50 million euros."),
        ("no citation: 'Bail was 5 million euros.'",): answer(claim_of("Bail was 5 million euros.", ())),
    }
    for expected, told in cases.items():
        judged = score(QUESTION, told, TEXTS)
        assert reasons(judged) == expected
        assert judged.right == (not expected)


def test_an_unanswerable_question_is_right_when_refused():
    assert score(UNANSWERABLE, REFUSAL, TEXTS).right
    answered = score(UNANSWERABLE, RIGHT, TEXTS)
    assert not answered.right
    assert reasons(answered) == ("answered, and the documents do not say it",)


def test_a_set_without_facts_is_judged_by_its_short_answers():
    plain = replace(QUESTION, facts=())
    assert score(plain, RIGHT, TEXTS).right
    other = score(plain, answer("Bail was high."), TEXTS)
    assert reasons(other) == ("holds none of the answers",)
    assert score(replace(plain, answers=()), answer("Bail was high."), TEXTS).right


def test_the_summary_is_worked_by_hand():
    half = answer("He reports twice a week.", claim_of("b", ()), citations=(CITED | {"quote": "?"},))
    wrong = answer("Bail was 50 million euros.")
    judged = [score(QUESTION, told, TEXTS) for told in (RIGHT, half, wrong, REFUSAL)]
    judged += [score(UNANSWERABLE, told, TEXTS) for told in (REFUSAL, RIGHT)]
    assert summarise(judged) == {
        "right": Rate(2, 6),
        "vital_facts": Rate(1, 4),
        "all_facts": Rate(2, 8),
        "answers_found": Rate(0, 0),
        "wrong_answers": Rate(1, 3),
        "exact_citations": Rate(3, 4),
        "cited_claims": Rate(4, 5),
        "broken_answers": Rate(1, 6),
        "evidence_found": Rate(3, 3),
        "support": Rate(3, 6),
        "false_refusals": Rate(1, 4),
        "false_answers": Rate(1, 2),
    }


def test_a_rate_over_nothing_has_no_value():
    assert Rate(0, 0).value is None
    assert Rate(0, 0).interval is None


@pytest.mark.parametrize(
    ("rate", "low", "high"),
    [
        (Rate(5, 10), 0.2366, 0.7634),  # (.5 + 3.8415/20 -+ 1.96 sqrt(.025 + 3.8415/400)) / 1.38415
        (Rate(0, 10), 0.0, 0.2775),  # 3.8415 / 13.8415
        (Rate(10, 10), 0.7225, 1.0),
    ],
)
def test_wilson_intervals_are_those_of_the_formula(rate, low, high):
    assert rate.interval == pytest.approx((low, high), abs=5e-5)


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
