"""Question sets by name and by path: what each of them needs, and what is said where one is broken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from eval.dataset import DatasetError
from eval.metrics import BY_NAME, figures, judge
from eval.records import Record
from eval.sets import NAMES, OWN, RECIPES, open_set
from eval.stages import SupportCheck
from eval.validation import validate
from rag.errors import NotFoundError
from rag.types import Done, Turn

ROOT = Path(__file__).parents[1]


def write(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def question(name, **more):
    plain = {"id": name, "question": "What stands there?", "answers": ["a tower"], "answerable": True}
    return plain | {"type": "short", "evidence": []} | more


def document(name, text="There stands a tower."):
    return {"doc_id": name, "title": "", "source": None, "published_at": None, "text": text}


def asked_of_engine(found, one):
    """The answer of the stage that a set is for, as JSON."""
    events = found.engine.stream(one.question, one.history, within=found.within(one))
    return next(event.answer for event in events if isinstance(event, Done)).to_json()


# our own sets


def test_the_gold_is_asked_of_the_seeds():
    found = open_set("gold")
    assert (found.name, found.path.name, found.corpus.name) == ("gold", "durov.jsonl", "seeds")
    assert len(found.texts) == 5
    assert found.within(found.questions[0]) is None
    validate(found.path, found.questions, found.texts)


def test_a_file_in_the_common_schema_is_asked_of_the_documents_given(tmp_path):
    path = write(tmp_path / "mine.jsonl", question("q", evidence=[{"doc_id": "d"}]))
    corpus = write(tmp_path / "corpus.jsonl", document("d"))
    found = open_set(path, corpus=corpus)
    assert (found.name, found.path, found.corpus) == ("mine", path, corpus)
    assert found.texts == {"d": "There stands a tower."}
    assert found.measures == ()
    assert found.engine is None


def test_the_text_of_a_record_is_without_a_byte_order_mark_as_it_is_indexed(tmp_path):
    path = write(tmp_path / "mine.jsonl", question("q"))
    corpus = write(tmp_path / "corpus.jsonl", document("d", "\ufeffOne.\r\nTwo."))
    assert open_set(path, corpus=corpus).texts == {"d": "One.\nTwo."}


def test_own_documents_may_be_asked_in_place_of_those_that_ship(tmp_path):
    (tmp_path / "note.txt").write_text("A note.", encoding="utf-8")
    found = open_set("gold", corpus=tmp_path)
    assert (found.corpus, found.texts) == (tmp_path, {"note.txt": "A note."})


def test_evidence_in_a_folder_may_be_of_a_format_that_is_no_plain_text(tmp_path):
    path = write(tmp_path / "mine.jsonl", question("q", evidence=[{"doc_id": "page.html"}]))
    (tmp_path / "docs").mkdir()
    assert open_set(path, corpus=tmp_path / "docs").texts == {}


# third-party sets


@pytest.mark.parametrize("name", ["squad2", "nq", "clapnq", "mtragun", "multihoprag", "scifact"])
def test_a_set_is_asked_of_the_corpus_that_belongs_to_it(tmp_path, name):
    write(tmp_path / name / "queries.jsonl", question("q", evidence=[{"doc_id": "d"}]))
    write(tmp_path / RECIPES[name].corpus, document("d"))
    found = open_set(name, tmp_path)
    assert (found.name, found.corpus) == (name, tmp_path / RECIPES[name].corpus)
    assert found.texts == {"d": "There stands a tower."}
    assert found.within(found.questions[0]) is None
    assert found.references == RECIPES[name].references


@pytest.mark.parametrize("name", NAMES)
def test_measures_and_references_of_a_set_are_known(name):
    recipe = RECIPES[name]
    assert recipe.measures
    assert set(recipe.measures) <= BY_NAME.keys()
    assert {one.measure for one in recipe.references} <= BY_NAME.keys()
    assert recipe.note.endswith(".")


def test_measures_of_the_gold_are_known():
    assert set(open_set("gold").measures) <= BY_NAME.keys()


def test_questions_that_bring_their_documents_are_asked_of_these_alone(tmp_path):
    first = [{"doc_id": "a", "text": "Built in 1902.\r\nYes."}, {"doc_id": "b", "text": "In\x001885."}]
    second = [{"doc_id": "c", "text": "1910"}, {"doc_id": "blank", "text": " "}]
    write(
        tmp_path / "ramdocs" / "queries.jsonl",
        question("q", candidates=first, wrong_answers=["1885"]),
        question("r", candidates=second),
    )
    found = open_set("ramdocs", tmp_path)
    rows = [json.loads(line) for line in found.corpus.read_text(encoding="utf-8").splitlines()]
    assert [row["doc_id"] for row in rows] == ["a", "b", "c"]
    assert found.texts == {"a": "Built in 1902.\nYes.", "b": "In 1885.", "c": "1910"}
    assert [found.within(one) for one in found.questions] == [{"a", "b"}, {"c"}]
    assert found.questions[0].wrong_answers == ("1885",)


def test_a_corpus_that_was_written_is_deleted_in_the_end(tmp_path):
    write(tmp_path / "ramdocs" / "queries.jsonl", question("q", candidates=[{"doc_id": "a", "text": "x"}]))
    code = (
        "import sys; from pathlib import Path; from eval.sets import open_set\n"
        "corpus = open_set('ramdocs', Path(sys.argv[1])).corpus; print(corpus.is_file(), corpus)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    was_there, _, corpus = done.stdout.strip().partition(" ")
    assert was_there == "True"
    assert not Path(corpus).parent.exists()


def test_a_corpus_that_is_to_be_kept_is_written_where_it_is_told_and_the_same_each_time(tmp_path):
    write(tmp_path / "ramdocs" / "queries.jsonl", question("q", candidates=[{"doc_id": "a", "text": "x"}]))
    first, second = (open_set("ramdocs", tmp_path, scratch=tmp_path / "out").corpus for _ in range(2))
    assert first == second == tmp_path / "out" / "ramdocs-corpus.jsonl"
    assert json.loads(first.read_text(encoding="utf-8")) == {"doc_id": "a", "title": "", "text": "x"}


def claims_set(tmp_path):
    words = [{"doc_id": "r", "text": "The bail was set at 5 million euros."}]
    write(
        tmp_path / "attributionbench" / "queries.jsonl",
        question("yes", answers=[], claim="Bail was 5 million euros.", label=True, evidence=words),
        question("no", answers=[], claim="Bail was 6 million euros.", label=False, evidence=words),
        question("missed", answers=[], claim="The sum was large.", label=True, evidence=words),
        question("bare", answers=[], claim="Bail was 5 million euros.", label=False),
    )
    return open_set("attributionbench", tmp_path)


def test_a_claim_is_checked_against_its_own_evidence(tmp_path):
    found = claims_set(tmp_path)
    assert [one.question for one in found.questions][:2] == [
        "Bail was 5 million euros.",
        "Bail was 6 million euros.",
    ]
    assert [found.within(one) for one in found.questions] == [{"r"}, {"r"}, {"r"}, set()]
    told = [asked_of_engine(found, one) for one in found.questions]
    assert [answer["status"] for answer in told] == ["answered", "refused", "refused", "refused"]
    assert told[0]["citations"][0]["quote"] == "The bail was set at 5 million euros."
    sure, wrong, missed, bare = (answer["confidence"] for answer in told)
    assert 1 > sure > wrong > missed > bare == 0
    assert told[1]["reason"] == "the cited words do not hold the amount 6 million euros"
    assert told[3]["reason"] == "there is nothing to check it against"


def test_claims_are_judged_by_their_labels(tmp_path):
    found = claims_set(tmp_path)
    records = []
    for one in found.questions:
        answer = json.loads(json.dumps(asked_of_engine(found, one)))
        score = judge(one, answer, (), found.texts, found.measures)
        records.append(Record(one.id, one.part, one.type, one.question, one.answerable, (), answer, score))
    assert [record.score.right for record in records] == [True, True, False, True]
    made = figures(records)["questions"]
    assert made["balanced_accuracy"].value == pytest.approx((1 / 2 + 2 / 2) / 2)
    # of the two that are carried one is graded above both others, the other above one
    assert made["auroc"].value == pytest.approx(3 / 4)


def test_a_stage_has_no_documents_but_its_own():
    check = SupportCheck({"r": "Words."})
    assert check.document("r").text == "Words."
    with pytest.raises(NotFoundError, match="There is no document `other`"):
        check.document("other")


def test_a_follow_up_is_compared_with_its_rewriting(tmp_path):
    turns = [{"role": "user", "text": "Who is Durov?"}]
    more = {"answers": [], "history": turns, "rewrite": "How old is Durov?"}
    write(
        tmp_path / "mtrag_rewrite" / "queries.jsonl", question("q", **more) | {"question": "How old is he?"}
    )
    found = open_set("mtrag_rewrite", tmp_path)
    (one,) = found.questions
    assert one.history == (Turn("user", "Who is Durov?"),)
    answer = asked_of_engine(found, one)
    assert answer["standalone"] == "How old is he?"
    score = judge(one, answer, (), found.texts, found.measures)
    # how old is he / how old is durov: 3 of 4 words on either side
    assert dict(score.values) == {"rewrite_f1": pytest.approx(3 / 4), "rewrite_exact": (0, 1)}


def test_a_verdict_is_not_looked_for_in_a_sentence(tmp_path):
    write(
        tmp_path / "multihoprag" / "queries.jsonl",
        question("yes", type="comparison", answers=["Yes"], evidence=[{"doc_id": "d"}]),
        question("who", type="inference", evidence=[{"doc_id": "d"}]),
    )
    write(tmp_path / RECIPES["multihoprag"].corpus, document("d"))
    found = open_set("multihoprag", tmp_path)
    assert [one.answers for one in found.questions] == [(), ("a tower",)]


def test_an_agent_is_an_assistant(tmp_path):
    turns = [{"role": "user", "text": "Hi."}, {"role": "agent", "text": "Hello."}]
    write(tmp_path / "mtragun" / "queries.jsonl", question("q", history=turns))
    write(tmp_path / RECIPES["mtragun"].corpus, document("d"))
    (one,) = open_set("mtragun", tmp_path).questions
    assert [turn.role for turn in one.history] == ["user", "assistant"]
    assert one.part == "conversations"


# what is broken


def broken(tmp_path, queries, corpus=(), name="nq"):
    write(tmp_path / name / "queries.jsonl", *queries)
    if RECIPES[name].corpus:
        write(tmp_path / RECIPES[name].corpus, *corpus)
    return open_set(name, tmp_path)


GOOD = question("q", evidence=[{"doc_id": "d"}])
FAULTS = {
    "nq/queries.jsonl:2: not JSON": ([GOOD, "{"], [document("d")], "nq"),
    "nq/queries.jsonl:1: 'answerable' must be bool": ([GOOD | {"answerable": 1}], [document("d")], "nq"),
    "nq/queries.jsonl:2: the id 'q' is that of line 1": ([GOOD, GOOD], [document("d")], "nq"),
    "nq/corpus.jsonl:2: not JSON": ([GOOD], [document("d"), '{"doc_id": '], "nq"),
    "nq/corpus.jsonl:1: it names no document": ([GOOD], [{"text": "x"}], "nq"),
    "nq/corpus.jsonl:1: it names no document.": ([GOOD], ["[]"], "nq"),
    "nq/corpus.jsonl:1: the document 'd' has no text": ([GOOD], [{"doc_id": "d"}], "nq"),
    "nq/queries.jsonl:1: the evidence 'd' is not in": ([GOOD], [document("e")], "nq"),
    "ramdocs/queries.jsonl:1: 'q' brings no documents": ([GOOD], [], "ramdocs"),
    "mtrag_rewrite/queries.jsonl:1: 'q' has no rewriting": ([GOOD], [], "mtrag_rewrite"),
    "attributionbench/queries.jsonl:1: 'q' has no claim": ([GOOD], [], "attributionbench"),
}


@pytest.mark.parametrize("message", FAULTS)
def test_a_fault_is_one_line_with_file_line_and_fix(tmp_path, message):
    queries, corpus, name = FAULTS[message]
    with pytest.raises(DatasetError) as caught:
        broken(tmp_path, queries, corpus, name)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(str(tmp_path / message))
    assert any(word in line for word in ("Mend ", "A corpus has ", "Name ", "Add ")), line


def test_a_name_that_is_no_set_lists_those_that_are():
    with pytest.raises(DatasetError, match="squad: there is no such set and no such file") as caught:
        open_set("squad")
    assert str(caught.value).endswith(f"Name a file, or one of {', '.join((*OWN, *NAMES))}.")


def test_a_third_party_set_needs_to_know_where_it_is(tmp_path):
    with pytest.raises(DatasetError, match=r"nq: this set does not ship. .* with --data"):
        open_set("nq")
    with pytest.raises(DatasetError, match=r"queries.jsonl: there is no such file. .* holds nq/"):
        open_set("nq", tmp_path)


def test_a_file_needs_documents_that_are_there(tmp_path):
    path = write(tmp_path / "mine.jsonl", GOOD)
    with pytest.raises(DatasetError, match=r"mine.jsonl: nothing says what it asks about. .* --corpus"):
        open_set(path)
    with pytest.raises(DatasetError, match="none: there are no such documents"):
        open_set(path, corpus=tmp_path / "none")
