"""Two runs of one set, compared: what is named as worse or better, and p values worked by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from eval.compare import Change, MismatchedRunsError, compare, p_value, render
from eval.records import FoundFact, Record, Run, Score

BAIL = FoundFact("money", "5 million euros", vital=True, found=True, by="spelling")
WEEKLY = FoundFact("frequency", "twice a week", vital=False, found=True, by="spelling")


def record(
    name, *, right=True, status="answered", facts=(BAIL, WEEKLY), wrong=(), values=None, said="Five.", why=()
):
    score = Score(right, values or {}, facts, wrong, why)
    answer = {"status": status, "claims": [{"text": said}] if status == "answered" else []}
    return Record(name, "questions", "who", f"{name}?", True, ("5",), answer, score)


def run(*records, of="gold", questions="a" * 64):
    return Run({"set": of, "questions_sha256": questions}, records, {})


def lost(fact):
    return replace(fact, found=False, by=None)


def found(before, after):
    return [(change.what, change.value) for change in compare(run(before), run(after)).changes]


def test_two_equal_runs_differ_in_nothing():
    same = compare(run(record("bail")), run(record("bail")))
    assert (same.common, same.changes, same.differences, same.is_worse) == (1, (), (), False)
    assert render(same) == (
        "gold: 1 questions in both runs.\nThe same: questions.\nThe gate: first passed, second passed.\n\n"
        "No answer gained or lost anything.\n\nNo measure differs."
    )


def test_a_lost_vital_fact_is_named_and_is_worse():
    worse = compare(run(record("bail")), run(record("bail", right=False, facts=(lost(BAIL), WEEKLY))))
    assert worse.changes == (
        Change("bail", "questions", "turned wrong"),
        Change("bail", "questions", "lost a vital fact", "5 million euros"),
    )
    assert worse.is_worse
    assert (
        'WORSE 1\n  bail (who): says as before "Five.": turned wrong; lost a vital fact 5 million euros\n'
        in render(worse)
    )


def test_a_lost_welcome_fact_is_named_and_fails_nothing():
    worse = compare(run(record("bail")), run(record("bail", facts=(BAIL, lost(WEEKLY)))))
    assert [change.what for change in worse.changes] == ["lost a fact"]
    assert not worse.is_worse


def test_the_way_back_is_better():
    before, after = record("bail", right=False, facts=(lost(BAIL), lost(WEEKLY))), record("bail")
    assert found(before, after) == [
        ("turned right", ""),
        ("won a vital fact", "5 million euros"),
        ("won a fact", "twice a week"),
    ]
    assert not compare(run(before), run(after)).is_worse


def test_a_new_wrong_value_is_worse_and_a_gone_one_better():
    before, after = record("bail", wrong=("$5M", "€6M")), record("bail", wrong=("€6M", "€7M"))
    assert found(before, after) == [("says a wrong value", "€7M"), ("no longer says a wrong value", "$5M")]
    assert compare(run(before), run(after)).is_worse


def test_refusing_and_answering_are_named():
    answers, refuses = record("bail"), record("bail", status="refused")
    assert found(answers, refuses) == [("now refuses", "")]
    assert found(refuses, answers) == [("now answers", "")]
    assert not compare(run(answers), run(refuses)).is_worse


def test_each_changed_question_is_told_once_in_words():
    long = "He was asked and said a great deal. " * 4
    before = [
        record("base", status="refused"),
        record("bail", facts=(lost(BAIL), WEEKLY), right=False),
        record("moon"),
        record("same", status="refused", right=False),
    ]
    after = [
        record("base", right=False, said=long, why=("answered, and the documents do not say it",)),
        record("bail", facts=(BAIL, lost(WEEKLY)), said="5 million."),
        record("moon", status="refused", why=("does not say 5 million euros",)),
        record("same", status="refused", right=True),
    ]
    said = render(compare(run(*before), run(*after)))
    lines = [" ".join(line.split()) for line in said.replace("\n      ", " ").splitlines()]
    assert lines[4:14] == [
        "WORSE 2",
        # the first 90 characters: twice 36, then 18
        'base (who): was refused, now answers "He was asked and said a great deal. He was asked and said '
        'a great deal. He was asked and s…": turned wrong; answered, and the documents do not say it',
        'bail (who): said "Five.", now answers "5 million.": turned right; won a vital fact 5 million euros; '
        "lost a fact twice a week",
        "",
        "BETTER 1",
        "same (who): is refused as before: turned right",
        "",
        "OTHERWISE 1",
        'moon (who): said "Five.", now is refused: does not say 5 million euros',
        "",
    ]


def test_the_head_says_what_differs_and_what_the_gate_says_of_both():
    plain = {"set": "gold", "questions_sha256": "a", "code_sha256": "b", "corpus_sha256": "c"}
    before = Run(plain, (record("a"),), {}, breaches=("right is 0.",))
    after = Run(plain | {"code_sha256": "d", "settings_sha256": "e"}, (record("a"),), {})
    head = render(compare(before, after), ("main", "mine")).splitlines()
    assert head[1] == "Differs: code; the same: questions, corpus."
    assert head[2] == "The gate: main not passed, mine passed."


def test_the_table_is_headed_by_the_names_and_leaves_out_what_does_not_change():
    before = [record(str(at), values={"swapped": float(at % 2)}) for at in range(12)]
    after = [record(str(at), right=False, values={"swapped": float(1 - at % 2)}) for at in range(12)]
    lines = render(compare(run(*before), run(*after)), ("a" * 30, "b")).splitlines()
    table = [line.split() for line in lines[lines.index("", 5) + 1 :]]
    assert table[0] == ["part", "measure", "a" * 20, "b", "change", "differ", "of", "p"]
    # of 2 ** 12 exchanges, none and all give as large a difference: 2 / 4,096 = .0005
    assert table[1] == ["questions", "right", "1.000", "0.000", "-1.000", "12", "12", "<.001"]
    assert table[2][0] == "p:"


def test_what_is_unscored_turns_neither_right_nor_wrong():
    assert found(record("bail", right=None), record("bail", right=False)) == []
    assert found(record("bail", right=True), record("bail", right=None)) == []


def test_a_set_that_has_grown_is_compared_over_the_questions_in_common():
    grown = compare(
        run(record("a"), record("gone")), run(record("b"), record("a"), record("c"), questions="b" * 64)
    )
    assert (grown.common, grown.only_before, grown.only_after) == (1, 1, 2)
    assert render(grown).startswith(
        "gold: 1 questions in both runs. "
        "Left out: 1 that only the first holds and 2 that only the second does."
    )


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (run(record("a"), of="nq"), "The first run is of the set 'gold', and the second of 'nq'. "),
        (run(record("b")), "The two runs of 'gold' have no question in common. "),
        (run(record("a"), questions="b" * 64), "The questions of 'gold' are annotated otherwise in the two "),
        (
            run(replace(record("a"), question="A?")),
            "The question 'a' of 'gold' was asked or annotated otherwise",
        ),
        (run(record("a", facts=(BAIL,))), "The question 'a' of 'gold' was asked or annotated otherwise"),
    ],
)
def test_runs_of_other_questions_are_not_compared(after, said):
    with pytest.raises(MismatchedRunsError) as caught:
        compare(run(record("a")), after)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_a_measure_is_compared_over_what_both_runs_score():
    before = [
        record("a", values={"recall": (2, 2), "rr": 1.0, "exact": None}),
        record("b", values={"recall": (1, 2), "rr": 0.5, "exact": (0, 0)}),
        record("c", values={"recall": (1, 1), "rr": None, "exact": (1, 1)}),
    ]
    after = [
        record("a", values={"recall": (1, 2), "rr": 1.0, "exact": (1, 1)}),
        record("b", values={"recall": (1, 2), "rr": 1.0, "exact": (0, 1)}),
        record("c", values={"recall": (1, 1), "rr": 1.0, "exact": (1, 1)}),
    ]
    recall, rr = compare(run(*before), run(*after)).differences
    # 4 of 5, then 3 of 5; one question differs, and both of its exchanges give as large a difference
    assert (recall.measure, recall.before, recall.after) == ("recall", 4 / 5, 3 / 5)
    assert (recall.questions, recall.differing, recall.p) == (3, 1, 1.0)
    assert (rr.measure, rr.before, rr.after, rr.questions, rr.differing) == ("rr", 0.75, 1.0, 2, 1)


def test_being_right_is_compared_as_a_measure():
    before = [record(str(number)) for number in range(6)]
    after = [record(str(number), right=False) for number in range(6)]
    (right,) = compare(run(*before), run(*after)).differences
    # of 2 ** 6 exchanges, none and all give as large a difference: 2 / 64
    assert (right.measure, right.before, right.after, right.p) == ("right", 1.0, 0.0, 0.03125)


def test_p_is_exact_for_few_differing_questions():
    # two lost, one won: the difference is 1 of 3; |sum of three signs| is never below 1
    assert p_value([(1, 1, 0, 1), (1, 1, 0, 1), (0, 1, 1, 1)]) == 1.0
    # four lost, one won: |sum| at least 3 in 2 * (1 + 5) of 32 exchanges
    assert p_value([(1, 1, 0, 1)] * 4 + [(0, 1, 1, 1)]) == 12 / 32
    # the same for means, whatever does not differ
    assert p_value([(0.75, 1, 0.5, 1)] * 4 + [(0.5, 1, 0.75, 1)] + [(0.3, 1, 0.3, 1)] * 9) == 12 / 32


def test_an_exchange_moves_count_and_total_together():
    # 1/1 and 0/3 against 0/3 and 1/1: observed 1/4 - 1/4 = 0; the exchanges give 0, -1, 1, 0
    assert p_value([(1, 1, 0, 3), (0, 3, 1, 1)]) == 1.0
    # 1/1, 1/1 against 0/3, 0/3: observed 1; the exchanges give 1, 0, 0, -1
    assert p_value([(1, 1, 0, 3), (1, 1, 0, 3)]) == 0.5


def test_many_differing_questions_are_sampled_alike_each_time():
    pairs = [(1, 1, 0, 1)] * 12 + [(0, 1, 1, 1)] * 4
    # 16 fair coins, at least 12 or at most 4 heads: 2 * (1820 + 560 + 120 + 16 + 1) / 65536 = .0768
    assert p_value(pairs) == pytest.approx(0.0768, abs=0.01)
    assert p_value(pairs) == p_value(pairs)


def test_a_difference_that_no_sample_reaches_is_not_impossible():
    assert p_value([(1, 1, 0, 1)] * 60) == 1 / 10_001


def test_the_comparison_is_one_json_object():
    worse = compare(run(record("bail")), run(record("bail", right=False, facts=(lost(BAIL), WEEKLY))))
    told = json.loads(json.dumps(worse.to_json(), allow_nan=False))
    assert told["is_worse"] is True
    assert told["changes"][0] == {"id": "bail", "part": "questions", "what": "turned wrong", "value": ""}
    assert told["differences"][0] == {
        "part": "questions",
        "measure": "right",
        "before": 1.0,
        "after": 0.0,
        "questions": 1,
        "differing": 1,
        "p": 1.0,
    }
