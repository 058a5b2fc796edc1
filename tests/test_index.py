import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag.embedding import MiniLM
from rag.engine import start
from rag.errors import BusyError, DamagedError, MismatchError, NoIndexError, NotFoundError, StoreError
from rag.index import update, writing
from rag.truth import FILE_NAME, Truth

EMBEDDER = MiniLM()

LEAVE = "Staff get 25 days of leave. Unused leave lapses in March.\n"
TRAVEL = "Trains are booked by the office. Taxis need a receipt.\n"


class Counting:
    """The embedded model, counting the texts that it is asked for."""

    name = EMBEDDER.name
    dimension = EMBEDDER.dimension

    def __init__(self):
        self.texts = 0

    def embed(self, texts, on_done=None):
        self.texts += len(texts)
        return EMBEDDER.embed(texts, on_done)


@pytest.fixture
def docs(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "leave.txt").write_text(LEAVE)
    (folder / "travel.txt").write_text(TRAVEL)
    return folder


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


def run(store, **arguments):
    return update(store, arguments.pop("embedder", EMBEDDER), **arguments)


def doc_ids(store):
    with Truth(store) as truth:
        return list(truth.documents())


def contents(store):
    paths = (path for path in store.rglob("*") if path.is_file() and path.name != "write.lock")
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}


def test_a_first_run_adds_every_document(docs, store):
    report = run(store, add=[docs])
    assert (report.added, report.unchanged, report.documents, report.chunks) == (2, 0, 2, 2)
    assert doc_ids(store) == ["leave.txt", "travel.txt"]


def test_a_second_run_writes_nothing(docs, store):
    run(store, add=[docs])
    before = contents(store)
    report = run(store)
    assert (report.added, report.changed, report.unchanged, report.chunks) == (0, 0, 2, 2)
    assert contents(store) == before


def test_only_what_changed_is_embedded_again(docs, store):
    run(store, add=[docs])
    (docs / "travel.txt").write_text(TRAVEL + "Flights need a reason.\n")
    (docs / "pets.txt").write_text("Dogs may come on Fridays.\n")
    counting = Counting()
    report = run(store, embedder=counting)
    assert (report.added, report.changed, report.unchanged) == (1, 1, 1)
    assert counting.texts == 2


def test_a_file_that_is_gone_leaves_the_index(docs, store):
    run(store, add=[docs])
    (docs / "leave.txt").unlink()
    report = run(store)
    assert (report.removed, report.documents) == (1, 1)
    assert doc_ids(store) == ["travel.txt"]


def test_a_new_time_stamp_alone_changes_no_document(docs, store):
    run(store, add=[docs])
    os.utime(docs / "leave.txt", (1, 1))
    counting = Counting()
    assert run(store, embedder=counting).unchanged == 2
    assert counting.texts == 0


def test_a_change_within_the_same_time_stamp_is_seen(docs, store):
    run(store, add=[docs])
    stamp = (docs / "leave.txt").stat()
    (docs / "leave.txt").write_text(LEAVE.replace("25", "30"))
    os.utime(docs / "leave.txt", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert run(store).changed == 1


def test_what_comes_back_is_indexed_again(docs, store):
    run(store, add=[docs])
    (docs / "leave.txt").unlink()
    run(store)
    (docs / "leave.txt").write_text(LEAVE)
    assert run(store).added == 1
    with start(store=store) as engine:
        assert engine.search("How many days of leave?", 1).chunks[0].chunk.doc_id == "leave.txt"


def test_names_that_clash_have_the_root_in_front(docs, store, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "leave.txt").write_text("Contractors get none.\n")
    run(store, add=[docs, other])
    assert doc_ids(store) == ["docs/leave.txt", "other/leave.txt", "travel.txt"]
    report = run(store, remove=[str(other)])
    assert doc_ids(store) == ["leave.txt", "travel.txt"]
    assert report.documents == 2


def test_roots_of_one_name_are_told_apart_and_stay_so(store, tmp_path):
    roots = [tmp_path / "ann" / "docs", tmp_path / "bob" / "docs"]
    for root in roots:
        root.mkdir(parents=True)
        (root / "leave.txt").write_text(f"The leave of {root.parent.name}.\n")
    assert run(store, add=roots).rejected == ()
    assert doc_ids(store) == ["ann/docs/leave.txt", "bob/docs/leave.txt"]
    before = contents(store)
    assert run(store).unchanged == 2
    assert contents(store) == before


def test_records_of_one_id_in_two_files_are_told_apart(docs, store):
    for name in ("one.jsonl", "two.jsonl"):
        (docs / name).write_text(json.dumps({"doc_id": "a", "text": f"This is {name}."}))
    run(store, add=[docs])
    assert doc_ids(store) == ["docs/one.jsonl/a", "docs/two.jsonl/a", "leave.txt", "travel.txt"]
    (docs / "two.jsonl").unlink()
    run(store)
    assert doc_ids(store) == ["a", "leave.txt", "travel.txt"]


def test_names_that_clash_with_a_longer_name_have_more_in_front(docs, store, tmp_path):
    other = tmp_path / "other"
    (other / "docs").mkdir(parents=True)
    (other / "leave.txt").write_text("Contractors get none.\n")
    (other / "docs" / "leave.txt").write_text("This one is about docs.\n")
    run(store, add=[docs, other])
    parent = tmp_path.name
    assert doc_ids(store) == [
        *sorted([f"{parent}/docs/leave.txt", "other/docs/leave.txt", "other/leave.txt"]),
        "travel.txt",
    ]


def test_a_file_below_two_roots_is_indexed_once(docs, store):
    run(store, add=[docs, docs / "leave.txt"])
    assert doc_ids(store) == ["leave.txt", "travel.txt"]


def test_a_removed_document_stays_away_until_it_is_named_again(docs, store):
    run(store, add=[docs])
    run(store, remove=["leave.txt"])
    assert doc_ids(store) == ["travel.txt"]
    assert run(store).documents == 1
    assert run(store, add=[docs / "leave.txt"]).documents == 2
    run(store, remove=["leave.txt"])
    assert run(store, add=[docs / ".." / "docs" / "leave.txt"]).documents == 2


def test_a_removed_document_stays_away_by_whatever_root_it_is_found(docs, store):
    run(store, add=[docs])
    run(store, remove=["leave.txt"])
    assert run(store, add=[docs.parent]).documents == 1
    assert run(store, remove=[str(docs)]).documents == 1


def test_a_root_that_is_gone_keeps_its_documents_and_is_told(docs, store):
    run(store, add=[docs])
    docs.rename(docs.with_name("away"))
    report = run(store)
    assert report.documents == 2
    assert [(item.path, "is gone" in item.reason) for item in report.rejected] == [("docs", True)]
    assert "`citewell remove docs`" in report.rejected[0].reason
    assert run(store, remove=["docs"]).documents == 0


def test_a_project_that_is_moved_as_a_whole_stays_indexed(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    (before / "docs").mkdir(parents=True)
    (before / "docs" / "leave.txt").write_text(LEAVE)
    run(before / "store", add=[before / "docs"])
    before.rename(after)
    report = run(after / "store")
    assert (report.unchanged, report.rejected) == (1, ())


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(docs, store):
    (docs / "empty.txt").write_text("")
    (docs / "photo.png").write_bytes(b"\x89PNG\0")
    (docs / "binary.txt").write_bytes(bytes(range(256)) * 4)
    report = run(store, add=[docs], max_bytes=800)
    assert report.documents == 2
    assert [item.path for item in report.rejected] == ["binary.txt", "empty.txt", "photo.png"]
    before = contents(store)
    assert run(store, max_bytes=800).rejected == report.rejected
    assert contents(store) == before


def test_a_name_that_is_not_utf8_is_told_once_and_for_all(docs, store):
    odd = Path(os.fsdecode(os.fsencode(docs) + b"/caf\xe9"))
    odd.with_name(odd.name + ".txt").write_text("Coffee is free.\n")
    report = run(store, add=[docs])
    assert [item.path for item in report.rejected] == ["caf\\udce9.txt"]
    before = contents(store)
    assert run(store).rejected == report.rejected
    assert contents(store) == before
    odd.mkdir()
    with pytest.raises(StoreError, match="is not UTF-8"):
        run(store, add=[odd])


def test_a_folder_that_cannot_be_listed_is_named(docs, store, monkeypatch):
    (docs / "locked").mkdir()
    list_folder = os.scandir

    def refuse(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return list_folder(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = run(store, add=[docs])
    assert report.documents == 2
    (rejected,) = report.rejected
    assert rejected.path == str(docs / "locked")
    assert rejected.reason == "the folder cannot be read (Permission denied); its documents are kept"


def test_an_engine_that_was_closed_says_so(docs, store):
    run(store, add=[docs])
    engine = start(store=store)
    engine.close()
    with pytest.raises(StoreError, match="was closed"):
        engine.search("leave")


def test_records_of_a_jsonl_file_are_documents_of_their_own(docs, store):
    rows = [{"doc_id": "a", "title": "A", "text": "Alpha."}, {"doc_id": "b", "title": "B", "text": "Beta."}]
    corpus = docs / "corpus.jsonl"
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run(store, add=[corpus])
    assert doc_ids(store) == ["a", "b"]
    corpus.write_text(json.dumps(rows[0]) + "\n" + json.dumps({**rows[1], "text": "Gamma."}))
    counting = Counting()
    report = run(store, embedder=counting)
    assert (report.changed, report.unchanged, counting.texts) == (1, 1, 1)


def test_an_index_may_be_empty_and_grow_again(docs, store):
    run(store, add=[docs])
    run(store, remove=[str(docs)])
    with start(store=store) as engine:
        answer = engine.ask("How many days of leave?")
    assert (answer.status, answer.claims, bool(answer.reason)) == ("refused", (), True)
    assert run(store, add=[docs]).added == 2


def test_chunks_that_read_the_same_share_a_vector_and_are_both_found(docs, store):
    (docs / "copy.txt").write_text(LEAVE)
    counting = Counting()
    run(store, add=[docs], embedder=counting)
    assert counting.texts == 2
    with start(store=store) as engine:
        found = [ranked.chunk.doc_id for ranked in engine.search("days of leave").chunks]
    assert found == ["copy.txt", "leave.txt", "travel.txt"]


def test_another_model_is_refused(docs, store):
    run(store, add=[docs])
    other = Counting()
    other.name = "another"
    with pytest.raises(MismatchError, match=r"was made by the embedding model .* and another is set"):
        run(store, embedder=other)


def test_another_dimension_is_refused(docs, store):
    run(store, add=[docs])
    other = Counting()
    other.dimension = 8
    with pytest.raises(MismatchError, match=r"vectors of 384 numbers, and .* now gives 8"):
        run(store, embedder=other)


def test_a_path_that_is_not_there_is_an_error(store):
    with pytest.raises(NotFoundError, match="no file or folder `nowhere`"):
        run(store, add=[Path("nowhere")])


def test_removing_what_is_not_there_is_an_error(docs, store):
    run(store, add=[docs])
    with pytest.raises(NotFoundError, match="no root and no document `nothing`"):
        run(store, remove=["nothing"])


def test_a_second_writer_is_refused_within_a_second(docs, store):
    with writing(store):
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", _WRITE.format(store=str(store), docs=str(docs))],
            capture_output=True,
            text=True,
        )
        assert time.perf_counter() - started < 20
    assert "BusyError: Another process is writing to the index" in done.stderr
    assert float(done.stdout) < 1


_WRITE = """
import time
from pathlib import Path
from rag.embedding import MiniLM
from rag.index import update
started = time.perf_counter()
try:
    update(Path({store!r}), MiniLM(), add=[Path({docs!r})])
finally:
    print(time.perf_counter() - started)
"""


def test_the_lock_is_free_again_after_an_error(docs, store):
    with pytest.raises(NotFoundError):
        run(store, add=[docs], remove=["nothing"])
    assert run(store, add=[docs]).added == 2


def test_a_busy_store_is_an_error_in_this_process_too(store):
    with writing(store), pytest.raises(BusyError), writing(store):
        pass


def test_no_index_names_the_command(store):
    with pytest.raises(NoIndexError, match="citewell index"):
        start(store=store)


def test_a_reader_notices_a_swap_without_reopening(docs, store):
    run(store, add=[docs])
    with start(store=store) as engine:
        engine.ask("How many days of leave?")
        (docs / "pets.txt").write_text("Dogs may come to the office on Fridays.\n")
        code = "import sys; from ui.cli import main; sys.exit(main(sys.argv[1:]))"
        subprocess.run([sys.executable, "-c", code, "index", "--store", str(store)], check=True)
        answer = engine.ask("When may dogs come to the office?")
        assert answer.citations[0].doc_id == "pets.txt"


def test_a_reader_notices_that_the_store_was_made_anew(docs, store):
    run(store, add=[docs])
    with start(store=store) as engine:
        engine.search("leave")
        shutil.rmtree(store)
        with pytest.raises(NoIndexError):
            engine.search("leave")
        (docs / "leave.txt").unlink()
        run(store, add=[docs])
        assert [ranked.chunk.doc_id for ranked in engine.search("leave").chunks] == ["travel.txt"]


def test_swaps_under_a_reader_leak_no_file_handles(docs, store):
    run(store, add=[docs])
    with start(store=store) as engine:
        engine.search("leave")
        for day in range(6):
            (docs / "leave.txt").write_text(LEAVE.replace("25", str(30 + day)))
            run(store)
            assert f"{30 + day} days" in engine.search("How many days of leave?").chunks[0].chunk.text
            assert opened_generations(store) == {current(store)}
    assert opened_generations(store) == set()


def current(store):
    with Truth(store) as truth:
        return truth.generation()


def opened_generations(store):
    """The generations of which this process holds files; how many files each takes is Chroma's to say."""
    links = Path("/proc/self/fd")
    targets = [Path(os.readlink(link)) for link in links.iterdir() if link.is_symlink()]
    folder = (store / "generations").resolve()
    return {target.relative_to(folder).parts[0] for target in targets if folder in target.parents}


def test_at_most_two_generations_are_kept(docs, store):
    for day in range(5):
        (docs / "leave.txt").write_text(LEAVE.replace("25", str(30 + day)))
        run(store, add=[docs])
    assert len(list((store / "generations").iterdir())) == 2


def generation_files(store):
    with Truth(store) as truth:
        folder = store / "generations" / truth.generation()
        return [folder / name for name in json.loads(truth.meta()["sizes"])]


@pytest.mark.parametrize("damage", ["delete", "truncate"])
def test_a_damaged_generation_is_mended_from_the_truth(docs, store, damage):
    run(store, add=[docs])
    number = len(generation_files(store))
    for at in range(number):
        path = generation_files(store)[at]
        if not path.stat().st_size:
            continue
        _damage(path, damage)
        counting = Counting()
        docs.rename(docs.with_name("away"))
        with start(store=store, embedder=counting) as engine:
            assert engine.search("days of leave", 1).chunks[0].chunk.doc_id == "leave.txt", path.name
        docs.with_name("away").rename(docs)
        assert counting.texts == 1, "only the question is embedded"


def _damage(path, damage):
    if damage == "delete":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size // 2)


def test_indexing_mends_a_damaged_generation_too(docs, store):
    run(store, add=[docs])
    generation_files(store)[0].unlink()
    counting = Counting()
    run(store, embedder=counting)
    assert counting.texts == 0
    assert all(path.exists() for path in generation_files(store))


@pytest.mark.parametrize("keep", [0, 10, 100, 5000])
def test_a_damaged_truth_is_one_line_that_names_the_way_back(docs, store, keep):
    run(store, add=[docs])
    os.truncate(store / FILE_NAME, keep)
    with pytest.raises(
        DamagedError, match=r"cannot be read .* Delete `corpus.sqlite` and .* `citewell index PATH…`"
    ) as error:
        start(store=store)
    assert "\n" not in str(error.value)
    with pytest.raises(DamagedError):
        run(store)


def test_the_way_back_from_a_damaged_truth_leads_back_and_keeps_the_uploads(docs, store):
    (store / "uploads").mkdir(parents=True)
    (store / "uploads" / "pets.txt").write_text("Dogs may come on Fridays.\n")
    run(store, add=[docs])
    os.truncate(store / FILE_NAME, 100)
    (store / FILE_NAME).with_name(FILE_NAME + "-wal").write_bytes(b"left behind by a crash")
    (store / FILE_NAME).unlink()
    shutil.rmtree(store / "generations")
    run(store, add=[docs])
    assert doc_ids(store) == ["leave.txt", "pets.txt", "travel.txt"]


def test_a_document_is_removed_by_the_path_of_its_file_too(docs, store):
    run(store, add=[docs])
    run(store, remove=[str(docs / "leave.txt")])
    assert doc_ids(store) == ["travel.txt"]


def test_the_documents_of_a_folder_that_cannot_be_read_are_kept(docs, store, monkeypatch):
    (docs / "private").mkdir()
    (docs / "private" / "pay.txt").write_text("Pay is due on the last day of the month.\n")
    run(store, add=[docs])
    listed = os.scandir

    def refuse(path):
        if str(path).endswith("private"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = run(store)
    assert (report.removed, report.documents) == (0, 3)
    assert ["its documents are kept" in item.reason for item in report.rejected] == [True]
    monkeypatch.undo()
    assert run(store).unchanged == 3
