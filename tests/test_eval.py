"""`python -m eval`: its commands, its exit codes and what it says; the gate; the frozen gold."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eval.__main__ import main
from eval.frozen import check_frozen, freeze
from eval.metrics import BY_NAME
from eval.records import Figure, Record, Score, read_run
from eval.sets import NAMES, OWN
from eval.thresholds import ANY, MUST_BE_RIGHT, THRESHOLDS, Threshold, bounds, breaches

ROOT = Path(__file__).parents[1]
A, B = "a.txt", "b.txt"
TEXTS = {A: "Bail was 5 million euros. He reports twice a week.", B: "He paid bail of 5 million euros."}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


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


UNANSWERABLE = {"answerable": False, "answers": [], "facts": []}


def questions(folder, *rows, name="bail"):
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def judge(paths, corpus, out, *more):
    sets = paths if isinstance(paths, list) else [paths]
    return main(["run", *map(str, sets), "--corpus", str(corpus), "--out", str(out), *more])


@pytest.fixture(scope="module")
def judged(tmp_path_factory, corpus):
    """The folder of a run whose one answer is right."""
    folder = tmp_path_factory.mktemp("judged")
    assert judge(questions(folder, row()), corpus, folder) == 0
    return folder / "bail"


def below(monkeypatch, **bound):
    """Put a gate of one bound in the place of the real one."""
    monkeypatch.setattr("eval.thresholds.THRESHOLDS", (Threshold(**bound),))


def test_without_data_nothing_is_asked_of_all_sets(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("eval.run.run", None)  # nothing is to be asked
    assert main(["run", "all", "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.endswith(
        "this set does not ship. Say where the third-party sets are with --data.\n"
    )


def test_the_help_names_the_sets_and_shows_a_question_that_is_sound(tmp_path, corpus, capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    told = capsys.readouterr().out
    named = re.search("Sets: (.*); with --data: ([^.]*)[.]\n", told.replace(",\n", ", "))
    assert tuple(named[1].split(", ")) == OWN
    assert tuple(named[2].split(", ")) == NAMES
    (sample,) = (line for line in told.splitlines() if line.startswith('  {"id"'))
    path = questions(tmp_path, json.loads(sample))
    assert main(["validate", str(path), "--corpus", str(corpus)]) == 0


def test_a_right_answer_passes_with_exit_code_0(tmp_path, corpus, capsys):
    assert judge(questions(tmp_path, row()), corpus, tmp_path) == 0
    told = capsys.readouterr()
    assert "1 of 1 right. The gate is passed." in told.out
    assert f"Report: {tmp_path / 'bail' / 'report.html'}" in told.err
    assert {path.name for path in (tmp_path / "bail").iterdir()} == {
        *("run.json", "records.jsonl", "timings.jsonl", "figures.json"),
        *("report.html", "junit.xml", ".lock"),
    }


def test_an_answer_below_the_gate_is_exit_code_1(tmp_path, corpus, capsys, monkeypatch):
    below(monkeypatch, set=ANY, part=ANY, measure="false_answers", reason="silence is better", high=0.0)
    path = questions(tmp_path, row() | UNANSWERABLE)
    assert judge(path, corpus, tmp_path, "--json") == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["gate"] == {
        "passed": False,
        "breaches": ["questions: false_answers is 1.000, and must be at most 0.000: silence is better."],
    }
    assert (printed["set"], printed["questions"], printed["failures"]) == ("bail", 1, ["bail"])
    # 1 of 1; the lower end is 1 / (1 + 3.8415) = .2065
    assert printed["parts"]["questions"]["false_answers"] == {
        "value": 1.0,
        "low": 0.2065,
        "high": 1.0,
        "count": 1,
        "total": 1,
    }


def test_one_set_below_the_gate_is_enough(tmp_path, corpus, monkeypatch):
    below(monkeypatch, set="wrong", part=ANY, measure="right", reason="it is wrong", low=1.0)
    wrong = questions(tmp_path, row() | UNANSWERABLE, name="wrong")
    right = questions(tmp_path, row(), name="right")
    assert judge([wrong, right], corpus, tmp_path) == 1
    assert (tmp_path / "right" / "figures.json").exists()


def test_the_floors_of_a_set_are_for_the_whole_of_it(tmp_path, corpus, monkeypatch, capsys):
    below(monkeypatch, set="bail", part=ANY, measure="right", reason="it is wrong", low=1.0)
    path = questions(tmp_path, row() | UNANSWERABLE, row() | {"id": "other"})
    assert judge(path, corpus, tmp_path, "--limit", "1") == 0
    assert "The gate is not applied (limited)." in capsys.readouterr().out
    assert read_run(tmp_path / "bail").manifest["whole"] is False
    assert judge(path, corpus, tmp_path, "--limit", "2") == 1
    assert read_run(tmp_path / "bail").manifest["whole"] is True
    assert judge(path, corpus, tmp_path) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("{set}", "--corpus", "{none}"), "{none}: there are no such documents. "),
        (("{set}",), "{set}: nothing says what it asks about. Name the documents with --corpus."),
        (("{none}.jsonl", "--corpus", "{corpus}"), "{none}.jsonl: there is no such set and no such file. "),
        (("squad2",), "squad2: this set does not ship. Say where the third-party sets are with --data."),
        (("nq", "--data", "{none}"), "{none}/nq/queries.jsonl: there is no such file. "),
        (
            ("{corpus}/gold.jsonl", "--corpus", "{corpus}"),
            "{corpus}/gold.jsonl: there is another set 'gold'. Give the file another name.",
        ),
        (
            ("{set}", "{corpus}/bail.jsonl", "--corpus", "{corpus}"),
            "{corpus}/bail.jsonl: there is another set 'bail'. Give the file another name.",
        ),
        (
            ("{corpus}/...jsonl", "--corpus", "{corpus}"),
            "{corpus}/...jsonl: '..' cannot name the folder of a run. Give the file another name.",
        ),
        (("..", "--corpus", "{corpus}"), "..: '..' cannot name the folder of a run. "),
        (("", "--corpus", "{corpus}"), ": '' cannot name the folder of a run. "),
    ],
)
def test_what_is_not_there_is_exit_code_2(arguments, said, tmp_path, corpus, capsys):
    names = {"set": questions(tmp_path, row()), "none": tmp_path / "none", "corpus": corpus}
    given = [argument.format(**names) for argument in arguments]
    assert main(["run", *given, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"The evaluation could not run: {said.format(**names)}")
    assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_named_with_what_to_do(tmp_path, corpus, capsys):
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    assert judge(questions(tmp_path, row()), corpus, tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert told == (
        f"The evaluation could not run: `{tmp_path / 'out' / 'bail'}`: Not a directory. "
        "Name folders that can be read and written: --out, --store, --corpus or RUN_DIR.\n"
    )


def test_a_broken_set_is_exit_code_3(tmp_path, corpus, capsys):
    path = questions(tmp_path, row(start=8, end=23))
    assert judge(path, corpus, tmp_path / "out") == 3
    assert main(["validate", str(path), "--corpus", str(corpus)]) == 3
    first, second = capsys.readouterr().err.splitlines()
    assert first == second
    assert first.startswith(f"{path}:1: bail: a.txt has not '5 million euros' at 8 to 23")
    assert not (tmp_path / "out").exists()


def test_a_defect_is_exit_code_2_and_shows_where(tmp_path, corpus, capsys, monkeypatch):
    monkeypatch.setattr("eval.run.judge", None)
    assert judge(questions(tmp_path, row()), corpus, tmp_path) == 2
    assert "TypeError" in capsys.readouterr().err


PRICES = ["report", "one", "--prices", "-1", "nan"]


@pytest.mark.parametrize("given", [["--none"], ["run", "--jobs", "0"], ["compare", "one"], ["dance"], PRICES])
def test_wrong_usage_is_exit_code_2(given, capsys):
    with pytest.raises(SystemExit) as caught:
        main(given)
    assert caught.value.code == 2
    assert "usage: python -m eval" in capsys.readouterr().err


def test_without_a_command_the_sets_that_ship_are_run(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("eval.__main__._run", lambda options: asked.append(options) or 0)
    assert [main([]), main(["--json"]), main(["run", "nq"])] == [0, 0, 0]
    assert [(options.sets, options.json) for options in asked] == [([], False), ([], True), (["nq"], False)]


def test_a_command_has_help_at_once_that_imports_nothing_heavy():
    code = (
        "import sys\nfrom eval.__main__ import main\n"
        "for given in (['--help'], ['run', '--help'], ['compare', '--help']):\n"
        "    try: main(given)\n"
        "    except SystemExit: pass\n"
        "print(sorted({'numpy', 'chromadb', 'llama_index', 'pydantic', 'nltk', 'tqdm'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stdout.count("3 the set is broken") == 3


def test_a_report_is_drawn_again_from_the_files_alone(judged, tmp_path, capsys, monkeypatch):
    folder = shutil.copytree(judged, tmp_path / "bail")
    for name in ("report.html", "junit.xml"):
        (folder / name).unlink()
    monkeypatch.setattr("rag.engine.start", None)  # an engine that is not to be opened
    assert main(["report", str(folder), "--prices", "2", "10"]) == 0
    told = capsys.readouterr().out
    assert "1 of 1 right. The gate is passed." in told
    assert "seconds, median" in told
    assert "cost" not in told  # no model was asked
    for name in ("report.html", "junit.xml"):
        assert (folder / name).read_bytes() == (judged / name).read_bytes()


@pytest.mark.parametrize("command", [["report"], ["compare", "{judged}"]])
def test_a_run_that_is_not_finished_is_exit_code_2(command, judged, tmp_path, capsys):
    folder = shutil.copytree(judged, tmp_path / "bail")
    (folder / "figures.json").unlink()
    assert main([*(part.format(judged=judged) for part in command), str(folder)]) == 2
    assert capsys.readouterr().err.startswith(f"{folder / 'figures.json'}: there is no such file. ")


def test_two_runs_are_compared(judged, tmp_path, capsys):
    worse = lost(judged, tmp_path / "worse")
    assert main(["compare", str(judged), str(worse)]) == 0
    told = capsys.readouterr().out
    assert "\nThe gate: bail passed, worse passed.\n" in told
    assert "\nWORSE 1\n  bail (how_much): says as before " in told
    assert "turned wrong; lost a vital fact 5 million euros\n" in told.replace("\n     ", "")
    assert main(["compare", str(judged), str(worse), "--json", "--fail-if-worse"]) == 1
    assert json.loads(capsys.readouterr().out)["is_worse"] is True
    assert main(["compare", str(worse), str(judged), "--fail-if-worse"]) == 0
    assert main(["compare", str(judged), str(judged), "--fail-if-worse"]) == 0


def test_runs_of_other_sets_are_not_compared(judged, tmp_path, capsys):
    other = shutil.copytree(judged, tmp_path / "other")
    manifest = json.loads((other / "run.json").read_text(encoding="utf-8"))
    (other / "run.json").write_text(json.dumps(manifest | {"set": "other"}), encoding="utf-8")
    assert main(["compare", str(judged), str(other)]) == 2
    assert capsys.readouterr().err.startswith(
        "The evaluation could not run: The first run is of the set 'bail', and the second of 'other'."
    )


def lost(judged, folder):
    """A copy of a run in which the answer has lost its fact."""
    copied = shutil.copytree(judged, folder)
    (record,) = map(json.loads, (copied / "records.jsonl").read_text(encoding="utf-8").splitlines())
    record["score"]["right"] = record["score"]["facts"][0]["found"] = False
    (copied / "records.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    return copied


def test_a_sound_set_is_counted(tmp_path, corpus, capsys):
    path = questions(tmp_path, row(), row() | UNANSWERABLE | {"id": "moon"})
    assert main(["validate", str(path), "--corpus", str(corpus)]) == 0
    assert capsys.readouterr().out == "bail: 2 questions with 1 facts are sound.\n"


@pytest.fixture
def gold(tmp_path):
    folder = tmp_path / "gold"
    (folder / "attacks").mkdir(parents=True)
    (folder / "durov.jsonl").write_text("{}\n", encoding="utf-8")
    (folder / "attacks" / "note.txt").write_text("Ignore all this.", encoding="utf-8")
    return folder


@pytest.mark.parametrize("command", [["run", "attacks"], ["validate", "attacks"]])
def test_a_gold_that_is_not_frozen_is_exit_code_3(command, gold, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("eval.frozen.check_frozen.__defaults__", (gold,))
    out = ["--out", str(tmp_path / "out")] if command[0] == "run" else []
    assert main([*command, *out]) == 3
    assert capsys.readouterr().err == (
        f"{gold}/frozen.json: there is no such file. "
        "Put it back, or write it: `python -m eval validate --freeze`.\n"
    )
    assert not (tmp_path / "out").exists()
    freeze(gold)
    assert main(["validate", *command[1:]]) == 0
    assert "2 files of the gold are as they were frozen." in capsys.readouterr().out


def test_the_gold_is_frozen_with_its_documents(gold):
    # sha256sum of the two bytes of `{}` and a line end, and of the words of the note
    assert freeze(gold) == {
        "attacks/note.txt": "b201566841d0f08a336d2f3c64a5c2cfc494ed350655d82f1e85b6e29d2dedc3",
        "durov.jsonl": "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356",
    }
    assert check_frozen(gold) == 2


def test_a_changed_missing_or_new_file_of_the_gold_is_named_with_both_hashes(gold):
    frozen = freeze(gold)
    (gold / "durov.jsonl").write_text("{ }\n", encoding="utf-8")
    (gold / "attacks" / "note.txt").unlink()
    (gold / "new.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(Exception, match="frozen") as caught:
        check_frozen(gold)
    missing, changed, new = str(caught.value).splitlines()
    assert missing.startswith(
        f"{gold}/attacks/note.txt: its sha256 is missing, and was frozen as {frozen['attacks/note.txt']}."
    )
    assert f"and was frozen as {frozen['durov.jsonl']}." in changed
    assert (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, and was frozen as nothing" in new
    )
    assert new.endswith("Put it back, or freeze it anew: `python -m eval validate --freeze`.")
    freeze(gold)
    assert check_frozen(gold) == 2


@pytest.mark.parametrize("text", ["[]", "{", '{"durov.jsonl": 1'])
def test_a_broken_list_of_hashes_is_named(text, gold):
    (gold / "frozen.json").write_text(text, encoding="utf-8")
    with pytest.raises(Exception, match=r"frozen\.json: not a JSON object of hashes\."):
        check_frozen(gold)


def figure(value):
    return {"questions": {"right": Figure(value)}}


def record(name, right):
    return Record(name, "questions", "who", "?", True, (), {"status": "refused"}, Score(right, {}))


def test_the_gate_names_the_part_the_measure_the_value_and_the_reason(monkeypatch):
    below(monkeypatch, set="bail", part="questions", measure="right", reason="because", low=0.5, high=0.9)
    assert breaches("bail", figure(0.4), ()) == (
        "questions: right is 0.400, and must be at least 0.500: because.",
    )
    assert breaches("bail", figure(0.95), ()) == (
        "questions: right is 0.950, and must be at most 0.900: because.",
    )
    assert breaches("bail", figure(0.5), ()) == breaches("bail", figure(0.9), ()) == ()
    assert breaches("other", figure(0.4), ()) == ()


def test_nothing_unscored_breaches_the_gate(monkeypatch):
    below(monkeypatch, set=ANY, part=ANY, measure="right", reason="because", low=1.0)
    assert breaches("bail", figure(None), ()) == breaches("bail", {"questions": {}}, ()) == ()


def test_a_bound_of_the_set_goes_before_one_of_any(monkeypatch):
    own = Threshold("bail", ANY, "right", "its own", low=0.5)
    monkeypatch.setattr("eval.thresholds.THRESHOLDS", (own, Threshold(ANY, ANY, "right", "any", low=1.0)))
    assert bounds("bail", "questions") == {"right": own}


def test_a_question_that_must_be_right_is_not_hidden_by_an_average():
    name = next(iter(MUST_BE_RIGHT))
    said = f"{name} must be right: {MUST_BE_RIGHT[name]}."
    told = breaches("gold", {}, [record(name, False), record("other", False)])
    assert said in told
    assert not any("other" in line for line in told)
    assert not any(name in line for line in breaches("gold", {}, [record(name, True)]))
    assert not any(name in line for line in breaches("nq", {}, [record(name, False)]))


def test_every_bound_is_on_a_measure_and_has_a_reason():
    assert {bound.measure for bound in THRESHOLDS} <= BY_NAME.keys()
    assert all(bound.reason and (bound.low, bound.high) != (None, None) for bound in THRESHOLDS)


def test_a_run_is_read_as_it_was_written(judged):
    found = read_run(judged)
    assert (found.set, len(found.records), found.breaches) == ("bail", 1, ())
    assert found.figures["questions"]["right"] == Figure(1.0, 0.2065, 1.0, 1, 1)
