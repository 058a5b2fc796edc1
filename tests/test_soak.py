"""kill -9 at random moments of `citewell index`: five in CI, fifty by `make soak`."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from rag.engine import start
from rag.truth import Truth

MOMENTS = 50 if os.environ.get("CITEWELL_SOAK") else 5
DAYS = {"old": 25, "new": 31}


def write_version(folder, version):
    """A corpus of thirty documents; ten differ between versions, one is in one of them only."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "leave.txt").write_text(f"Every year, staff get {DAYS[version]} days of leave.")
    (folder / f"only-{version}.txt").write_text(f"The {version} cellar holds the {version} wine.")
    for number in range(28):
        year = DAYS[version] if number < 9 else 7
        (folder / f"{number:02}.txt").write_text(
            f"Room {number} was painted {year} times. It has {number} doors."
        )
    return {path.name for path in folder.iterdir()}


def index_command(folder, store):
    code = "import sys; from ui.cli import main; sys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-c", code, "index", str(folder), "--store", str(store), "--json"]


def state(store):
    """What the store holds: documents, chunk ids, and what it answers."""
    with start(store=store) as engine:
        answer = engine.ask("How many days of leave do staff get every year?")
        documents = {document.doc_id for document in engine.documents()}
    with Truth(store) as truth:
        chunks = [(row.doc_id, row.start) for row in truth.chunks()]
    assert len(chunks) == len(set(chunks)), "a chunk is there twice"
    return documents, {doc_id for doc_id, _ in chunks}, answer


@pytest.mark.slow
def test_killed_anywhere_the_index_is_the_old_or_the_new_one_and_a_rerun_converges(tmp_path):
    folder, store = tmp_path / "docs", tmp_path / "store"
    expected = {"old": write_version(folder, "old")}
    subprocess.run(index_command(folder, store), check=True, capture_output=True)
    started = time.perf_counter()
    expected["new"] = write_version(folder, "new")
    subprocess.run(index_command(folder, store), check=True, capture_output=True)
    whole_s = time.perf_counter() - started
    moments = random.Random(20261122)
    now, killed = "new", 0
    for moment in moments.sample(range(MOMENTS), MOMENTS):
        before, now = now, "old" if now == "new" else "new"
        write_version(folder, now)
        killed += killed_after((moment + moments.random()) / MOMENTS * whole_s, index_command(folder, store))
        documents, _, answer = state(store)
        version = before if f"only-{before}.txt" in documents else now
        assert documents == expected[version]
        assert f"{DAYS[version]} days" in answer.text
        subprocess.run(index_command(folder, store), check=True, capture_output=True)
        documents, chunked, answer = state(store)
        assert documents == chunked == expected[now]
        assert f"{DAYS[now]} days" in answer.text
        again = subprocess.run(index_command(folder, store), check=True, capture_output=True, text=True)
        assert json.loads(again.stdout)["unchanged"] == len(expected[now])
    assert killed > MOMENTS / 2, "most runs ended before they were killed"


def killed_after(seconds, command):
    """Start a command and kill it; whether it was still running."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        return True


@pytest.mark.slow
def test_killed_during_the_very_first_run_a_rerun_indexes_everything(tmp_path):
    folder = tmp_path / "docs"
    expected = write_version(folder, "old")
    for number, seconds in enumerate((0.6, 1.5, 2.5)):
        store = tmp_path / f"store-{number}"
        killed_after(seconds, index_command(folder, store))
        subprocess.run(index_command(folder, store), check=True, capture_output=True)
        documents, chunked, _ = state(store)
        assert documents == chunked == expected
