"""A run: the same bytes whatever kills it and in whatever order answers come; what it keeps and refuses."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes import Reply, ScriptedServer
from filelock import FileLock

from eval.__main__ import main
from eval.dataset import load
from eval.folder import code_sha256, corpus_sha256, settings_sha256
from eval.records import read_run, write_aside
from eval.run import ask
from eval.sets import open_set
from rag.engine import index, start
from rag.settings import Settings

ROOT = Path(__file__).parents[1]
FILES = ("run.json", "records.jsonl", "figures.json", "report.html", "junit.xml")
"""What holds no seconds; `report.html` draws the speed as well."""
SUBJECTS = ("bail", "rent", "fee", "fine", "toll", "fare", "rate", "price")
HARBOUR = "".join(
    f"The {subject} of the harbour of Aldmoor is {number + 3} million euros. "
    for number, subject in enumerate(SUBJECTS)
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "harbour.txt").write_text(HARBOUR, encoding="utf-8")
    (folder / "page.html").write_text(
        "<title>Keys</title><p>The keys hang at the gate.</p>", encoding="utf-8"
    )
    return folder


def row(name, subject, number):
    value = f"{number + 3} million euros"
    quote = f"The {subject} of the harbour of Aldmoor is {value}."
    start = HARBOUR.index(quote)
    fact = {"kind": "money", "value": value, "accepted": [value], "rejected": [], "vital": True}
    place = {"doc_id": "harbour.txt", "quote": quote, "start": start, "end": start + len(quote)}
    asked = f"How much is the {subject} of the harbour?"
    plain = {"id": name, "question": asked, "answers": [value], "answerable": True, "type": "how_much"}
    return plain | {"evidence": [{"doc_id": "harbour.txt", "text": quote}], "facts": [fact | place]}


def rows(times):
    """Questions enough to be killed among: each subject so often, and one that is not answered."""
    found = [
        row(f"{subject}-{turn}", subject, number)
        for turn in range(times)
        for number, subject in enumerate(SUBJECTS)
    ]
    moon = {"id": "moon", "question": "Who owns the moon?", "answers": [], "answerable": False}
    return [*found, moon | {"type": "out_of_documents", "evidence": []}]


def questions(folder, *more, times=1):
    path = folder / "harbour.jsonl"
    text = "".join(json.dumps(row) + "\n" for row in [*rows(times), *more])
    path.write_text(text, encoding="utf-8")
    return path


def line(path, corpus, out, *more):
    return ["run", str(path), "--corpus", str(corpus), "--out", str(out), *more]


def held(folder):
    """The bytes of a run that are the same each time, by file; the speed drawn on the page apart."""
    return {name: (folder / name).read_bytes() for name in FILES if name != "report.html"}


def judge(path, corpus, out, *more):
    """A whole run; its folder."""
    assert main(line(path, corpus, out, *more)) == 0
    return out / "harbour"


@pytest.fixture(scope="module")
def many(tmp_path_factory, corpus):
    """A larger set, and the folder of an uninterrupted run of it, one question at a time."""
    folder = tmp_path_factory.mktemp("many")
    path = questions(folder, times=20)
    return path, judge(path, corpus, folder / "whole", "--jobs", "1")


@pytest.fixture(scope="module")
def small(tmp_path_factory, corpus):
    """A small set, and the folder of a run of it."""
    folder = tmp_path_factory.mktemp("small")
    path = questions(folder)
    return path, judge(path, corpus, folder / "whole")


def unfinished(folder, whole, lines, torn=b""):
    """A copy of a run as it stood after so many lines, with what a killed writer left of the next one."""
    copied = folder / "harbour"
    shutil.copytree(whole, copied)
    (copied / "figures.json").unlink()
    for name, rest in (("records.jsonl", torn), ("timings.jsonl", b'{"id": "ra')):
        kept = (copied / name).read_bytes().splitlines(keepends=True)[:lines]
        (copied / name).write_bytes(b"".join(kept) + rest)
    return copied


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_goes_on_to_the_same_bytes(kind, many, corpus, tmp_path, capfd):
    path, whole = many
    started = subprocess.Popen(
        [sys.executable, "-m", "eval", *line(path, corpus, tmp_path, "--jobs", "2")],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    records = tmp_path / "harbour" / "records.jsonl"
    while not (records.exists() and records.read_bytes().count(b"\n") > 5):
        assert started.poll() is None, started.stderr.read()
        time.sleep(0.001)
    started.send_signal(kind)
    said = started.communicate(timeout=60)[1]
    assert 5 < records.read_bytes().count(b"\n") < len(rows(20))
    assert not (tmp_path / "harbour" / "figures.json").exists()
    if kind == signal.SIGINT:
        assert (said, started.returncode) == ("Stopped. The same command goes on from here.\n", 2)
    judge(path, corpus, tmp_path)
    assert "going on after " in capfd.readouterr().err
    assert held(tmp_path / "harbour") == held(whole)
    assert [timing["id"] for timing in read_run(whole).timings.values()] == [row["id"] for row in rows(20)]


@pytest.mark.slow
def test_hash_seed_and_threads_change_no_byte(many, corpus, tmp_path):
    path, whole = many
    subprocess.run(
        [sys.executable, "-m", "eval", *line(path, corpus, tmp_path, "--jobs", "8")],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "1"},
        check=True,
        capture_output=True,
    )
    assert held(tmp_path / "harbour") == held(whole)


@pytest.mark.slow
def test_a_part_of_the_gold_gives_the_same_bytes_with_three_hash_seeds(tmp_path):
    rows = (ROOT / "eval" / "gold" / "durov.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    alone = [row for row in rows if "paraphrase_of" not in row]  # each question is asked by itself
    (tmp_path / "part.jsonl").write_text("".join(alone[::12]), encoding="utf-8")
    part = [tmp_path / "part.jsonl", "--corpus", ROOT / "seeds"]
    found = []
    for seed in ("0", "1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "eval", "run", *part, "--out", tmp_path / seed],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=False,
            capture_output=True,
        )
        assert done.returncode in (0, 1), done.stderr
        found.append(held(tmp_path / seed / "part"))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("torn", [b"", b'{"id": "fare-0", "part', b"\0\0\0\n", "all but the line end"])
def test_a_torn_last_line_is_dropped(torn, small, corpus, tmp_path, capsys):
    path, whole = small
    if isinstance(torn, str):
        torn = (whole / "records.jsonl").read_bytes().splitlines()[5]
    folder = unfinished(tmp_path, whole, lines=5, torn=torn)
    judge(path, corpus, tmp_path)
    assert f"{folder}: going on after 5 of 9 questions." in capsys.readouterr().err
    assert held(folder) == held(whole)
    assert len(read_run(folder).timings) == 9


def test_what_was_killed_after_the_last_line_asks_nothing_more(small, corpus, tmp_path, monkeypatch):
    path, whole = small
    folder = unfinished(tmp_path, whole, lines=9)
    monkeypatch.setattr("rag.engine.start", None)  # an engine that is not to be opened
    judge(path, corpus, tmp_path)
    assert held(folder) == held(whole)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_is_told_what_is_asked_and_how_far_it_is(small, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stderr", shown := Terminal())
    path, _ = small
    judge(path, corpus, tmp_path)
    count = len(path.read_text(encoding="utf-8").splitlines())
    assert shown.getvalue().startswith(f"{count} questions of {path.stem} over {corpus}\n")
    assert f"{path.stem}: 0 of {count} |" in shown.getvalue()
    assert "\n\n" not in shown.getvalue()


def test_an_unfinished_run_of_something_else_starts_anew(small, corpus, tmp_path, capsys):
    path, whole = small
    folder = unfinished(tmp_path, whole, lines=5)
    manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (folder / "run.json").write_text(json.dumps(manifest | {"code_sha256": "other"}), encoding="utf-8")
    judge(path, corpus, tmp_path)
    said = capsys.readouterr().err
    assert f"{folder} holds an unfinished run of something else: starting anew." in said
    assert "going on" not in said
    assert held(folder) == held(whole)


def test_a_finished_run_and_a_fresh_one_start_anew(small, corpus, tmp_path, capsys):
    path, whole = small
    shutil.copytree(whole, tmp_path / "finished" / "harbour")
    judge(path, corpus, tmp_path / "finished")
    unfinished(tmp_path / "fresh", whole, lines=5)
    judge(path, corpus, tmp_path / "fresh", "--fresh")
    assert "going on" not in capsys.readouterr().err
    assert held(tmp_path / "finished" / "harbour") == held(tmp_path / "fresh" / "harbour") == held(whole)


@pytest.mark.parametrize("manifest", [None, '{"set": "harb', '{"scripts": {}}'])
@pytest.mark.parametrize("more", [(), ("--fresh",)])
def test_files_that_are_of_no_run_are_left_alone(manifest, more, small, corpus, tmp_path, capsys):
    path, _ = small
    folder = tmp_path / "harbour"
    folder.mkdir()
    (folder / "records.jsonl").write_text("mine\n", encoding="utf-8")
    if manifest is not None:
        (folder / "run.json").write_text(manifest, encoding="utf-8")
    before = {file: file.read_bytes() for file in folder.iterdir()}
    assert main(line(path, corpus, tmp_path, *more)) == 2
    named = "records.jsonl" if manifest is None else "run.json"
    assert capsys.readouterr().err == (
        f"The evaluation could not run: `{folder}` holds a {named} that is of no run of ours, "
        "and a run would overwrite it. Name another folder with --out, or move it away.\n"
    )
    assert {file: file.read_bytes() for file in folder.iterdir() if file.name != ".lock"} == before


def test_a_folder_with_other_names_is_written_into(small, corpus, tmp_path):
    path, whole = small
    (tmp_path / "harbour").mkdir()
    (tmp_path / "harbour" / "notes.txt").write_text("mine", encoding="utf-8")
    folder = judge(path, corpus, tmp_path)
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert held(folder) == held(whole)


def test_timings_are_kept_by_the_id_of_their_question(small, corpus, tmp_path):
    path, whole = small
    folder = unfinished(tmp_path, whole, lines=5)
    rows = [{"id": name, "retrieval_s": 1.0, "answer_s": 1.0} for name in ("toll-0", "rent-0", "bail-0")]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "timings.jsonl").write_text(lines, encoding="utf-8")
    judge(path, corpus, tmp_path)
    # five are kept: bail, rent, fee, fine, toll; of two there is no timing, and four are asked anew
    kept = ["bail-0", "rent-0", "toll-0", "fare-0", "rate-0", "price-0", "moon"]
    assert list(read_run(folder).timings) == kept


def test_figures_that_cannot_be_written_leave_the_old_ones(tmp_path):
    write_aside(tmp_path / "figures.json", "old")
    with pytest.raises(UnicodeEncodeError):
        write_aside(tmp_path / "figures.json", "new \ud800")
    assert (tmp_path / "figures.json").read_text(encoding="utf-8") == "old"


def test_an_index_of_other_documents_is_refused_before_the_first_question(small, corpus, tmp_path, capsys):
    path, whole = small
    given = ("--store", str(tmp_path / "store"))
    assert held(judge(path, corpus, tmp_path / "alone", *given)) == held(whole)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "quay.txt").write_text("The rent of the quay is 1 euro.", encoding="utf-8")
    index([tmp_path / "other"], store=tmp_path / "store")
    capsys.readouterr()
    assert main(line(path, corpus, tmp_path / "both", *given)) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"The evaluation could not run: The index in `{tmp_path / 'store'}` holds 1 documents that are none "
        "of harbour, as `quay.txt`. Name an empty folder with --store, or leave it out."
    )
    assert not (tmp_path / "both" / "harbour" / "records.jsonl").exists()


def test_a_document_of_no_corpus_is_not_read_from_the_engine(small, corpus):
    asked = open_set(small[0], corpus=corpus)
    with start(corpus, small[1].parent / "read", Settings()) as engine:
        told = ask(asked.questions[0], engine, {})[0]
        page = ask(asked.questions[0], engine, {}, others={"harbour.txt"})[0]
    assert told.passages[0]["after"] == ""
    assert told.score.right is False
    assert page.passages[0]["after"] == HARBOUR[54:254]  # the quote has 54 characters


@pytest.mark.parametrize("name", ["id", "question"])
@pytest.mark.parametrize("value", ["", " \n"])
def test_an_empty_id_or_question_is_a_broken_set(name, value, corpus, tmp_path, capsys):
    path = questions(tmp_path, row("more", "rent", 1) | {name: value})
    assert main(line(path, corpus, tmp_path / "out")) == 3
    said = f"{path}:10: {name!r} must not be empty, and is {value!r}. "
    assert capsys.readouterr().err.startswith(said)


def test_a_paraphrase_keeps_the_sides_the_history_and_the_attack_of_its_question(tmp_path):
    side = {"kind": "money", "value": "3 million euros", "accepted": [], "places": []}
    more = {
        "conflict": {"about": "the rent", "typed": True, "sides": [side]},
        "history": [{"role": "user", "text": "Tell me of the harbour."}],
        "attack": {"kind": "orders", "must_not": ["ahoy"]},
    }
    wording = {"id": "wording", "question": "What does it cost?", "answerable": True, "paraphrase_of": "rent"}
    for name, value in more.items():
        path = questions(tmp_path, row("rent", "rent", 1) | {name: value}, wording)
        *_, base, found = load(path)
        assert base.part != "paraphrases"
        assert found.part == "paraphrases"
        assert getattr(found, name) == getattr(base, name)
        assert getattr(found, name)


def test_two_runs_do_not_write_into_one_folder(small, corpus, tmp_path, capsys):
    path, _ = small
    folder = tmp_path / "harbour"
    folder.mkdir()
    with FileLock(folder / ".lock"):
        assert main(line(path, corpus, tmp_path)) == 2
    assert capsys.readouterr().err == (
        f"The evaluation could not run: Another run is writing to `{folder}`. "
        "Wait for it, or name another folder with --out.\n"
    )


def test_a_question_that_the_engine_cannot_take_stops_the_run_and_keeps_what_is_written(
    corpus, tmp_path, capsys
):
    long = row("long", "rent", 1) | {"question": "Rent? " * 500}
    path = questions(tmp_path, long, row("never", "rent", 1))
    assert main(line(path, corpus, tmp_path, "--jobs", "1")) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(
        "The evaluation could not run: At the question 'long': The question has 2,999 characters, "
    )
    records = (tmp_path / "harbour" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(record)["id"] for record in records] == [row["id"] for row in rows(1)]
    assert not (tmp_path / "harbour" / "figures.json").exists()


def test_a_record_holds_what_a_person_needs_and_no_seconds(small):
    record = read_run(small[1]).records[0]
    (citation,) = record.answer["citations"]
    (passage,) = record.passages
    assert (record.id, record.part, record.expected) == ("bail-0", "questions", ("3 million euros",))
    assert record.score.right is True
    assert "timings" not in record.answer
    assert citation["quote"] == "The bail of the harbour of Aldmoor is 3 million euros."
    # the document goes on for more than 200 characters, and begins with the quote
    assert passage == {"marker": 1, "before": "", "after": HARBOUR[citation["end"] : citation["end"] + 200]}
    assert set(record.ranking[0]) == {"rank", "score", "doc_id", "start", "end"}
    assert record.ranking[0]["rank"] == 1


def test_seconds_stand_apart_by_question(small):
    timings = read_run(small[1]).timings
    assert list(timings) == [row["id"] for row in rows(1)]
    assert all(
        0 < timing["retrieval_s"] + timing["answer_s"] <= timing["wall_s"] for timing in timings.values()
    )


def test_a_document_that_is_no_plain_text_is_read_from_the_engine(corpus, tmp_path):
    keys = {"id": "keys", "question": "Where do the keys hang?", "answers": ["at the gate"], "type": "where"}
    path = questions(tmp_path, keys | {"answerable": True, "evidence": []})
    record = read_run(judge(path, corpus, tmp_path)).records[-1]
    assert record.answer["citations"][0]["doc_id"] == "page.html"
    assert record.score.values["exact_citations"] == (1, 1)


def test_a_conversation_is_asked_with_its_history(corpus, tmp_path):
    turns = [{"role": "user", "text": "Tell me of the harbour."}, {"role": "assistant", "text": "Gladly."}]
    path = questions(tmp_path, row("talk", "rent", 1) | {"history": turns})
    record = read_run(judge(path, corpus, tmp_path)).records[-1]
    assert (record.part, list(record.history)) == ("conversations", turns)


def test_with_a_model_its_tokens_and_notices_are_kept(corpus, tmp_path, monkeypatch, capsys):
    path = questions(tmp_path)
    with ScriptedServer(Reply("The rent is not said.", usage=(70, 7))) as server:
        monkeypatch.setenv("CITEWELL_LLM", "scripted")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        main(line(path, corpus, tmp_path, "--as-set", "--limit", "1", "--jobs", "1"))
    found = read_run(tmp_path / "harbour")
    assert found.manifest["answerer"] == "scripted"
    assert found.timings["bail-0"]["input_tokens"] == 70
    assert found.timings["bail-0"]["output_tokens"] == 7
    assert "scripted" in found.records[0].answer["notice"]


def test_without_as_set_no_model_is_asked(small, corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("CITEWELL_LLM", "scripted")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    folder = judge(small[0], corpus, tmp_path, "--limit", "2")
    manifest = read_run(folder).manifest
    assert (manifest["answerer"], manifest["embedding"], manifest["total"]) == ("extractive", "minilm", 2)


def test_a_set_that_brings_its_documents_names_no_passing_folder(tmp_path):
    candidates = [{"doc_id": "a", "text": "The rent of the harbour is 4 million euros."}]
    (tmp_path / "ramdocs").mkdir()
    brought = row("rent", "rent", 1) | {"facts": [], "evidence": [], "candidates": candidates}
    (tmp_path / "ramdocs" / "queries.jsonl").write_text(json.dumps(brought) + "\n", encoding="utf-8")
    given = ["ramdocs", "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    found = []
    for _ in range(2):
        assert main(["run", *given]) == 0
        found.append(held(tmp_path / "out" / "ramdocs"))
    assert found[0] == found[1]
    assert (
        read_run(tmp_path / "out" / "ramdocs").manifest["corpus"] == "the documents that each question brings"
    )


def test_the_hash_of_a_corpus_is_that_of_names_and_bytes(tmp_path):
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    before = corpus_sha256(tmp_path)
    (tmp_path / "a.txt").write_text("b", encoding="utf-8")
    changed = corpus_sha256(tmp_path)
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    assert len({before, changed, corpus_sha256(tmp_path)}) == 3
    (tmp_path / "b.txt").rename(tmp_path / "a.txt")
    assert corpus_sha256(tmp_path) == changed
    assert corpus_sha256(None) == ""


def test_the_hash_of_the_settings_is_of_what_changes_an_answer():
    same = {settings_sha256(Settings()), settings_sha256(Settings(OPENAI_API_KEY="k", store="elsewhere"))}
    assert len(same | {settings_sha256(Settings(passages=3))}) == 2
    assert len(same) == 1


def test_the_hash_of_the_code_is_of_engine_weights_and_judge(tmp_path, monkeypatch):
    for name in ("rag/weights/a.onnx", "rag/engine.py", "rag/__pycache__/engine.pyc", "eval/metrics.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1", encoding="utf-8")
    monkeypatch.setattr("eval.folder.ROOT", tmp_path)
    found = [code_sha256()]
    for name in ("rag/weights/a.onnx", "rag/engine.py", "eval/metrics.py", "rag/__pycache__/engine.pyc"):
        (tmp_path / name).write_text("2", encoding="utf-8")
        found.append(code_sha256())
    assert len(set(found)) == 4
    assert found[3] == found[4]
