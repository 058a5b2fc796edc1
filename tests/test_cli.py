import io
import json
import os
import subprocess
import sys
import time

import pytest

from ui.cli import main

BAIL = "How much was Durov's bail?"


@pytest.fixture(scope="module")
def store(seeds, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "store"
    assert main(["index", str(seeds), "--store", str(folder)]) == 0
    return str(folder)


@pytest.fixture
def say(capsys, store):
    """Run a command on the seeds' store; gives its exit code, output and errors."""

    def run(*arguments):
        capsys.readouterr()
        code = main([*arguments, "--store", store])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def say_lines(say, monkeypatch):
    """Run a command with JSON lines as its standard input; gives the replies."""

    def run(*arguments, lines):
        raw = b"".join(
            line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines
        )
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        code, out, _ = say(*arguments)
        assert code == 0
        return [json.loads(line) for line in out.splitlines()]

    return run


def test_ask_prints_the_answer_and_its_quotes(say):
    code, out, _ = say("ask", BAIL)
    assert code == 0
    assert "5 million euros" in out
    assert "[1]" in out


def test_ask_gives_the_answer_as_json(say):
    code, out, _ = say("ask", BAIL, "--json")
    answer = json.loads(out)
    assert code == 0
    assert set(answer) == {
        *("question", "standalone", "status", "confidence", "text", "claims", "citations", "conflicts"),
        *("reason", "nearest", "dropped", "notice", "mode", "usage", "timings"),
    }
    assert set(answer["citations"][0]) == {
        *("marker", "doc_id", "title", "source", "published_at", "start", "end", "quote"),
    }
    assert (answer["mode"], answer["usage"], answer["status"]) == ("extractive", None, "answered")
    code, out, _ = say("show", answer["citations"][0]["doc_id"], "--json")
    citation = answer["citations"][0]
    assert json.loads(out)["text"][citation["start"] : citation["end"]] == citation["quote"]


def test_a_refusal_is_an_answer(say):
    code, out, _ = say("ask", "What is Durov's net worth?", "--json")
    assert (code, json.loads(out)["status"]) == (0, "refused")


def test_questions_as_lines_get_answers_as_lines_in_order(say_lines):
    replies = say_lines(
        "ask",
        "--jsonl",
        lines=[
            {"id": "a", "question": BAIL, "answers": ["ignored"]},
            b"not json\n",
            b"\n",
            {"id": 7, "question": ""},
            {"id": "c", "nothing": 1},
            b"[1]\n",
            b'{"id": "d", "question": "\\ud800"}\n',
            b"\xff\xfe\n",
            {
                "id": "e",
                "question": "And how often must he report?",
                "history": [{"role": "user", "text": BAIL}],
            },
            {"id": "f", "question": "x", "history": [{"role": "stranger", "text": "x"}]},
            {"question": "What is Durov's net worth?"},
        ],
    )
    assert [reply.get("id") for reply in replies] == ["a", None, 7, "c", None, "d", None, "e", "f", None]
    assert ["error" in reply for reply in replies] == [False, *[True] * 6, False, True, False]
    assert "5 million euros" in replies[0]["text"]
    assert replies[-1]["status"] == "refused"


def test_rankings_come_as_lines_too(say_lines):
    (reply,) = say_lines("search", "--jsonl", "--k", "3", lines=[{"id": "a", "question": BAIL}])
    assert reply["id"] == "a"
    assert [row["rank"] for row in reply["ranking"]] == [1, 2, 3]
    assert set(reply["ranking"][0]) == {"rank", "score", "doc_id", "start", "end", "text"}


def test_search_prints_passages(say):
    code, out, _ = say("search", BAIL, "--k", "2")
    assert code == 0
    assert out.startswith("1. ")
    assert "bail" in out


def test_show_lists_and_prints_documents(say, seeds):
    assert len(say("show")[1].splitlines()) == 5
    name = "000_c2e7440038dc46a4.txt"
    assert say("show", name)[1].strip() == (seeds / name).read_text("utf-8-sig").strip()


def test_the_index_report_has_its_keys(say):
    code, out, _ = say("index", "--json")
    assert code == 0
    report = json.loads(out)
    assert list(report) == [
        *("added", "changed", "unchanged", "removed", "rejected", "documents", "chunks", "seconds"),
    ]
    assert (report["unchanged"], report["documents"]) == (5, 5)


@pytest.mark.parametrize(
    "arguments",
    [("ask", ""), ("show", "nothing"), ("index", "nowhere"), ("remove", "nothing"), ("ask", "x" * 3000)],
)
def test_an_error_is_one_line_and_exit_code_1(say, arguments):
    code, out, err = say(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("citewell: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        ("ask", "x", "--jsonl"),
        ("search", "x", "--k", "0"),
        ("search", "x", "--k", "y"),
        ("fly",),
        (),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_code:
        main(arguments)
    assert exit_code.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_json_is_exact_whatever_the_output_can_write(store, tmp_path):
    (tmp_path / "menu.txt").write_text("The café sells crêpes for €5 at noon.\n", "utf-8")
    shop = str(tmp_path / "shop")
    assert main(["index", str(tmp_path / "menu.txt"), "--store", shop]) == 0
    code = "import sys; from ui.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "ask", "What does the cafe sell at noon?", "--json", "--store", shop],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        check=True,
        capture_output=True,
    )
    assert json.loads(done.stdout)["citations"][0]["quote"] == "The café sells crêpes for €5 at noon."


def test_a_terminal_obeys_no_document(tmp_path, capsys):
    (tmp_path / "docs").mkdir()
    long = "The bail was set by the court. " * 100
    (tmp_path / "docs" / "a.txt").write_text(f"Bail \x1b[31mred\x1b[0m was set.\n{long}")
    (tmp_path / "docs" / "b\x1b[31m\n.png").touch()
    shop = str(tmp_path / "shop")
    for command in (("index", str(tmp_path / "docs")), ("search", "bail red"), ("show",)):
        assert main([*command, "--store", shop]) == 0
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert ("␛" in out) == (command != ("show",))
    assert main(["show", "a\nb\x1b", "--store", shop]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "\x1b" not in err


def test_a_settings_file_that_cannot_be_read_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b'CITEWELL_LLM="caf\xe9"\n')
    assert main(["ask", "x"]) == 1
    assert capsys.readouterr().err == "citewell: The file `.env` is not UTF-8. Save it as UTF-8.\n"


def test_a_store_that_is_not_there_says_what_to_run(capsys, tmp_path):
    assert main(["ask", "x", "--store", str(tmp_path / "none")]) == 1
    assert "Run `citewell index PATH…" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_help_is_there_at_once():
    code = "import sys; from ui.cli import main; main(['--help'])"
    best = min(_seconds([sys.executable, "-c", code]) for _ in range(3))
    bare = min(_seconds([sys.executable, "-c", "import argparse, json"]) for _ in range(3))
    assert best < max(0.3, 4 * bare)


def _seconds(command):
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def test_who_stops_reading_gets_no_traceback(store):
    code = "import sys; from ui.cli import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "show", "000_c2e7440038dc46a4.txt", "--store", store],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()
