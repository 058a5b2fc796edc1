"""The reader's training: what is read, how it is labelled, what is learned, and the graph it gives."""

from __future__ import annotations

import doctest
import importlib
import json
import math
import random
import shutil
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
import pytest

from rag.reader import MARK, UNREAD, laid_out, readings
from rag.types import Chunk, RankedChunk
from rag.weigh import Sentence

TOOLS = Path(__file__).resolve().parent.parent / "tools"


def load(name: str) -> ModuleType:
    """A module of `tools/`, which is no package."""
    if str(TOOLS) not in sys.path:
        sys.path.append(str(TOOLS))
    return importlib.import_module(name)


stories, questions, groups, schedule, graph, judging = (
    load(f"reader_{name}") for name in ("stories", "questions", "groups", "schedule", "graph", "figures")
)
fitting = load("fit_extract")
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is missing: it is no part of the project"
)


@pytest.mark.parametrize(
    "module", [questions, groups, schedule, judging, fitting], ids=lambda module: module.__name__
)
def test_the_examples_in_the_tools_hold(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


# --- questions --------------------------------------------------------------------------------------------

# by the sha256 of their titles: Harbour is for the figures, Boat for the weights, the others for training
ARTICLES = {
    "River": "The river Alm rises in the hills. It is 90 miles long.",
    "Harbour": "The harbour was built by Anna Torson. It holds 40 ships.",
    "Boat": "A boat of the harbour needs a crew of six. It sails at dawn.",
}
ASKED = {
    "River": ("How long is the river Alm?", "90 miles"),
    "Harbour": ("Who built the harbour?", "Anna Torson"),
    "Boat": ("How large is a boat's crew?", "six"),
}


def write_set(data: Path, name: str, titles: list[str]) -> None:
    """A set of one question for each article."""
    documents = [
        {"doc_id": f"{name}-{title}", "title": title, "source": None, "published_at": None, "text": text}
        for title, text in ARTICLES.items()
        if title in titles
    ]
    rows = [
        {
            "id": f"{name}-{title}?",
            "question": ASKED[title][0],
            "answers": [ASKED[title][1]],
            "answerable": True,
            "evidence": [{"doc_id": f"{name}-{title}"}],
        }
        for title in titles
    ]
    (data / name).mkdir(parents=True)
    for file, part in (("corpus", documents), ("queries", rows)):
        text = "".join(json.dumps(row) + "\n" for row in part)
        (data / name / f"{file}.jsonl").write_text(text, encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    write_set(folder, "squad2", ["River", "Harbour", "Boat"])
    write_set(folder, "nq", ["River", "Boat"])
    return folder


def test_an_article_is_on_one_side_whatever_its_set(data: Path) -> None:
    sides = {row["id"]: side for row, side in questions.questions(data, "squad2")}
    assert sides == {
        "squad2-River?": "train",
        "squad2-Harbour?": "dev",
        "squad2-Boat?": "fit",
        "nq-River?": "train",
        "nq-Boat?": "fit",
    }


def test_a_question_of_another_set_has_no_document(data: Path) -> None:
    strangers = [row for row, _ in questions.questions(data, "nq") if row["id"].startswith("squad2")]
    assert len(strangers) == 3
    assert all(questions.document_of(row) == "" for row in strangers)


def test_what_a_set_holds_back_is_not_trained_on_by_way_of_another(data: Path) -> None:
    write_set(data, "squadshifts_wiki", ["River", "Harbour", "Boat"])
    given = [(row["id"], side) for row, side in questions.questions(data, "squadshifts_wiki")]
    assert given == [("squadshifts_wiki-River?", "train")]


def test_what_nothing_was_fitted_on_is_written_as_it_is(data: Path) -> None:
    (line,) = load("unseen").unseen(data, "squad2")
    row = next(
        json.loads(line)
        for line in (data / "squad2" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
        if "Harbour" in line
    )
    assert json.loads(line) == row


def test_without_the_others_all_of_the_further_set_is_for_training(tmp_path: Path) -> None:
    write_set(tmp_path, "squadshifts_wiki", ["River", "Harbour"])
    assert [side for _, side in questions.questions(tmp_path, "squadshifts_wiki")] == ["train", "train"]


def test_retrieval_gives_chunks_with_their_scores_and_the_questions_own(data: Path, tmp_path: Path) -> None:
    asked = questions.asked_of(data, "squad2", tmp_path)
    one = next(one for one in asked if one.id == "squad2-Harbour?")
    assert one.own
    assert one.answerable
    assert (one.doc_id, one.title, one.side) == ("squad2-Harbour", "Harbour", "dev")
    assert one.read[0].doc_id == "squad2-Harbour"
    assert len(one.read) == len(one.scores) == 3
    assert list(one.scores) == sorted(one.scores, reverse=True)
    assert one.written_for == (one.read[0],)
    assert one.read[0].sentences == ("The harbour was built by Anna Torson.", "It holds 40 ships.")


def test_a_stranger_is_not_answerable(data: Path, tmp_path: Path) -> None:
    asked = questions.asked_of(data, "nq", tmp_path)
    stranger = next(one for one in asked if one.id == "squad2-River?")
    assert not stranger.own
    assert not stranger.answerable
    assert stranger.written_for == ()
    assert len(stranger.read) == 2


def test_what_was_gathered_is_not_gathered_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = questions.asked_of(data, "nq", tmp_path)
    monkeypatch.setattr(questions, "gather", lambda *_: pytest.fail("gathered again"))
    assert questions.asked_of(data, "nq", tmp_path) == first


def test_another_corpus_is_gathered_anew(data: Path, tmp_path: Path) -> None:
    questions.asked_of(data, "nq", tmp_path)
    corpus = data / "nq" / "corpus.jsonl"
    corpus.write_text(corpus.read_text(encoding="utf-8").replace("90 miles", "95 miles"), encoding="utf-8")
    texts = [text for one in questions.asked_of(data, "nq", tmp_path) for text in one.read[0].sentences]
    assert "It is 95 miles long." in texts


def test_a_set_that_is_missing_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"There is no .*clapnq.*corpus\.jsonl"):
        questions.asked_of(data, "clapnq", tmp_path)


@pytest.fixture(params=[20, pytest.param(1, marks=pytest.mark.slow)], ids=["a twentieth", "all"])
def told(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stories, or so many of their volumes."""
    folder = tmp_path / "stories"
    folder.mkdir()
    for volume in questions.written(questions.STORIES)[:: request.param]:
        shutil.copy(volume, folder)
    monkeypatch.setattr(questions, "STORIES", folder)
    return folder


@pytest.mark.usefixtures("told")
def test_all_questions_of_a_story_are_on_one_side_and_asked_of_its_volume(tmp_path: Path) -> None:
    sides: dict[str, set[str]] = {}
    volumes = list(questions.volumes(tmp_path, "stories", tmp_path))
    for volume in volumes:
        there = {
            json.loads(line)["doc_id"] for line in volume.corpus.read_text(encoding="utf-8").splitlines()
        }
        for row, side in volume.questions:
            sides.setdefault(questions.story_of(row["context_doc_id"]), set()).add(side)
            assert {one["doc_id"] for one in row["evidence"]} | {row["context_doc_id"]} <= there
    assert sum(len(volume.questions) for volume in volumes) == len(written("queries"))
    assert all(len(side) == 1 for side in sides.values())
    assert {side for part in sides.values() for side in part} == {"train", "fit", "dev"}


def test_a_volume_is_asked_by_itself_and_a_question_owns_all_of_its_story(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_volume(
        tmp_path / "stories" / "a-01.txt",
        *("## bridge", "@ Orr | A | 2021-05-02", "The bridge of Orr was shut in May."),
        *("@ Again | B | 2021-05-03", "Since May nobody has crossed the bridge of Orr."),
        *("? When was the bridge of Orr shut?", "= shut in May | Since May"),
        *("## mill", "@ Hall | A | 2021-06-02", "The mill of Hall burned down in June."),
    )
    write_volume(
        tmp_path / "stories" / "b-01.txt",
        *("## bridge", "@ Lund | A | 2021-07-02", "The bridge of Lund was shut in July."),
        *("! When was the bridge of Orr shut?",),
    )
    monkeypatch.setattr(questions, "STORIES", tmp_path / "stories")
    first, second = questions.gather(tmp_path, "stories")
    assert {piece.doc_id for piece in first.read} == {"a-01-1/1", "a-01-1/2", "a-01-2/1"}
    assert {piece.doc_id for piece in first.written_for} == {"a-01-1/1", "a-01-1/2"}
    assert first.title == "Orr"
    assert first.answerable
    assert not second.answerable
    assert first.answers == ("shut in May", "Since May")
    assert {piece.doc_id for piece in second.read} == {"b-01-1/1"}


@pytest.mark.usefixtures("told")
def test_the_evidence_of_the_stories_stands_in_their_documents_to_the_letter() -> None:
    texts = {row["doc_id"]: row["text"] for row in written("corpus")}
    assert len(texts) == len(written("corpus"))
    assert len(set(texts.values())) == len(texts)
    for row in written("queries"):
        told = [one["text"] for one in row["evidence"]]
        assert bool(told) == row["answerable"] == bool(row["answers"]), row["id"]
        assert all(one["text"] in texts[one["doc_id"]] for one in row["evidence"]), row["id"]
        assert all(any(answer in text for text in told) for answer in row["answers"]), row["id"]


def test_the_stories_have_nothing_of_the_articles_that_ship(seeds: Path) -> None:
    words = [path.read_text(encoding="utf-8").split() for path in seeds.glob("*.txt")]
    assert words
    runs = {" ".join(part[at : at + 8]) for part in words for at in range(len(part) - 7)}
    for volume in questions.written(questions.STORIES):
        own = volume.read_text(encoding="utf-8").split()
        assert not runs & {" ".join(own[at : at + 8]) for at in range(len(own) - 7)}, volume
        # "Telegram" may stand there as a word: of a film's title, say
        assert not {"Durov", "Durov's", "VKontakte", "Bourget"} & set(own), volume


def test_without_stories_there_is_nothing_to_learn_from_them(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no stories in"):
        questions.written(tmp_path)


def written(file: str) -> list[dict[str, Any]]:
    return list(questions._rows(Path(), "stories", file))


def write_volume(path: Path, *lines: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")


def test_a_story_is_read_as_it_is_written(tmp_path: Path) -> None:
    volume = tmp_path / "a-01.txt"
    write_volume(
        volume,
        *("## a lease", "@ Lease | Owner | 2020-01-02", "", "Rent", "It is 90. It rises. Twice.", ""),
        *("? What is the rent?", "= 90. It rises", "! Who pays?", ""),
    )
    (document,) = stories.documents_of(volume)
    assert document["text"] == "Rent\nIt is 90. It rises. Twice."
    assert [document[key] for key in ("doc_id", "title", "source")] == ["a-01-1/1", "Lease", "Owner"]
    rent, payer = stories.questions_of(volume)
    assert rent["answers"] == ["It rises"]
    assert rent["evidence"] == [{"doc_id": "a-01-1/1", "text": "It rises."}]
    assert (payer["answerable"], payer["evidence"], payer["context_doc_id"]) == (False, [], "a-01-1/1")


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (["No story"], r"line 1: 'No story' is out of place"),
        (["## a", "@ T | S | 2020-01-02", "It is.", "! Who?", "= It"], "line 5: '= It' is out of place"),
        (["## a", "@ T | S | 2020-01-02", "It is.", "? Is it?", "= Was"], "line 4: no document of"),
        (["## a", "@ T | S | 2020-01-02", "It is.", "? Is it?"], "line 4: no document of the story"),
        (["## a", "@ T | S | 2020-01-02", "In 1990.", "? Is it?", "= 90"], "line 4: no document of"),
        (["## a", "@ T | S | 2020-01-02", "It is.", "? Is it?", "= It | | is"], "line 4: no document of"),
        (["## a", "@ T | S | 2020-1-2", "It is.", "? Is it?", "= It"], "line 2: '@ T"),
        (["## a", "@ T | S | 2020-01-02", "It is.", "## b"], "line 4: '## b'"),
    ],
)
def test_a_line_out_of_place_in_a_story_is_named(tmp_path: Path, lines: list[str], error: str) -> None:
    write_volume(tmp_path / "a-01.txt", *lines)
    with pytest.raises(SystemExit, match=error):
        stories.questions_of(tmp_path / "a-01.txt")


# --- groups -----------------------------------------------------------------------------------------------


def piece(doc_id: str, *sentences: str, start: int = 0) -> Any:
    return questions.Piece(doc_id, doc_id.title(), start, sentences)


GOLD = piece("gold", "It was built in 1900.", "Kate saw it in 1900 and in May.", "It is red.")
BESIDE = piece("gold", "It is a mile from the town.", start=90)
FAR = piece("far", "Another was built in 1900.", "It is blue.")
OTHERS = tuple(piece(f"other{number}", "The hall is old.") for number in range(7))
ASKED_ONE = questions.Asked(
    id="q",
    corpus="squad2",
    own=True,
    side="train",
    question="When did Ada Lovelace see the hall of 1850?",
    answers=("1900", "in May"),
    evidence=(),
    answerable=True,
    doc_id="gold",
    title="Gold",
    read=(FAR, GOLD, *OTHERS),
    scores=(1.0, 0.9, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1),
    written_for=(GOLD, BESIDE),
)


def test_the_sentences_with_the_most_answers_are_right_and_others_with_any_are_not_counted() -> None:
    found = groups.labelled(ASKED_ONE, [GOLD, BESIDE, FAR])
    assert found == [(GOLD, [-1, 1, 0]), (BESIDE, [0]), (FAR, [-1, 0])]


def test_chunks_of_other_documents_have_no_right_sentence() -> None:
    assert groups.labelled(ASKED_ONE, [FAR]) == [(FAR, [-1, 0])]


def test_annotated_evidence_is_found_through_spaces_and_quotation_marks() -> None:
    asked = replace(ASKED_ONE, evidence=("He said `` it is  so '' and left .",))
    assert groups.right(asked, piece("gold", 'He said "it is so" and left.', "He came back.")) == [1, 0]


def test_a_few_letters_are_no_evidence() -> None:
    asked = replace(ASKED_ONE, evidence=("He said it is so and left.",))
    assert groups.right(asked, piece("gold", "It is so.")) == [0]


@pytest.mark.parametrize(
    ("question", "held"),
    [
        ("When did Ada Lovelace see the hall of 1850?", ["Ada Lovelace", "1850"]),
        ("In 1850, Ada left.", ["1850", "Ada"]),
        ("What is the Bank of England?", ["Bank of England"]),
        ("Which 19th century poet wrote v2.1?", ["19th"]),
        ("Ada left.", []),
    ],
)
def test_names_and_numbers_of_a_question_are_found(question: str, held: list[str]) -> None:
    assert [question[start:end] for start, end, _ in groups.changeable(question)] == held


OTHER_QUESTIONS = [
    replace(ASKED_ONE, question="Did Mary Shelley live in 1790 or in 12 BC?"),
    replace(ASKED_ONE, question="Who was with Lord Byron?", title="Byron"),
]


def test_a_name_takes_the_place_of_a_name_and_a_number_that_of_a_number_as_long() -> None:
    swaps = groups.Swaps([ASKED_ONE, *OTHER_QUESTIONS])
    drawn = {swaps.swapped(ASKED_ONE, random.Random(seed)) for seed in range(200)}
    assert drawn - {None} == {
        "When did Mary Shelley see the hall of 1850?",
        "When did Lord Byron see the hall of 1850?",
        "When did Ada Lovelace see the hall of 1790?",
    }


def test_a_question_without_names_and_numbers_is_not_changed() -> None:
    swaps = groups.Swaps(OTHER_QUESTIONS)
    assert swaps.swapped(replace(ASKED_ONE, question="Who was it?"), random.Random(0)) is None


@pytest.fixture(scope="module")
def drawn() -> list[Any]:
    swaps = groups.Swaps([ASKED_ONE, *OTHER_QUESTIONS])
    return [groups.group(ASKED_ONE, swaps, random.Random(seed)) for seed in range(2000)]


def test_an_answerable_group_has_the_answering_chunk_alone_or_first_of_three(drawn: list[Any]) -> None:
    answerable = [one for one in drawn if one.answerable]
    assert all(one.pieces[0] == (GOLD, [-1, 1, 0]) and len(one.pieces) in {1, 3} for one in answerable)
    assert sum(len(one.pieces) == 1 for one in answerable) / len(answerable) == pytest.approx(0.65, abs=0.05)
    assert all(one.question == ASKED_ONE.question for one in answerable)
    beside = {part[0].doc_id for one in answerable for part in one.pieces[1:]}
    assert beside == {"gold", "far", *(f"other{number}" for number in range(6))}


def test_chunks_that_rank_high_are_drawn_more_often(drawn: list[Any]) -> None:
    counts = [
        sum(part[0] == other for one in drawn for part in one.pieces) for other in (FAR, OTHERS[0], OTHERS[5])
    ]
    assert counts[0] > counts[1] > counts[2] > 0


def test_an_unanswerable_group_has_no_right_sentence(drawn: list[Any]) -> None:
    unanswerable = [one for one in drawn if not one.answerable]
    assert unanswerable
    assert not any(1 in labels for one in unanswerable for _, labels in one.pieces)


def test_questions_are_changed_and_chunks_taken_away_as_often_as_said(drawn: list[Any]) -> None:
    changed = sum(one.question != ASKED_ONE.question for one in drawn) / len(drawn)
    taken = sum(not one.answerable and one.question == ASKED_ONE.question for one in drawn) / len(drawn)
    assert changed == pytest.approx(0.25 * 0.85, abs=0.05)
    assert taken == pytest.approx(0.15, abs=0.03)


def test_a_changed_question_is_read_with_the_chunk_that_answered_it(drawn: list[Any]) -> None:
    changed = [one for one in drawn if one.question != ASKED_ONE.question]
    assert all(one.pieces[0] == (GOLD, [0, 0, 0]) and len(one.pieces) in {1, 2} for one in changed)


def test_what_was_written_to_look_answerable_is_read_with_its_own_chunk_and_another() -> None:
    asked = replace(ASKED_ONE, answerable=False, answers=())
    found = [groups.group(asked, groups.Swaps([asked]), random.Random(seed)) for seed in range(50)]
    assert not any(one.answerable for one in found)
    assert all(one.pieces[0] == (GOLD, [0, 0, 0]) for one in found)
    assert {tuple(part[0].doc_id == "gold" for part in one.pieces) for one in found} == {
        (True,),
        (True, False),
    }


def test_a_stranger_is_read_with_retrieved_chunks() -> None:
    asked = replace(ASKED_ONE, answerable=False, own=False, doc_id="", title="", written_for=())
    found = [groups.group(asked, groups.Swaps([asked]), random.Random(seed)) for seed in range(50)]
    assert {len(one.pieces) for one in found} == {1, 2}
    assert all(part[0] in asked.read for one in found for part in one.pieces)


TOLD = piece("a-01-1/1", "The bridge was shut in May.", "It is red.")
TOLD_AGAIN = piece("a-01-1/2", "Since May nobody has crossed the bridge.", "Ann Lee is sorry.")
SILENT = piece("a-01-1/2", "The bridge is to be painted.", start=80)
OF_A_STORY = replace(
    ASKED_ONE,
    corpus="stories",
    question="When was the bridge shut?",
    answers=("in May", "Since May"),
    evidence=(TOLD.sentences[0], TOLD_AGAIN.sentences[0]),
    doc_id="a-01-1/1",
    read=(TOLD_AGAIN, SILENT, TOLD, *OTHERS[:2]),
    scores=(1.0, 0.9, 0.8, 0.3, 0.2),
    written_for=(TOLD, TOLD_AGAIN, SILENT),
)


def test_a_story_is_read_with_what_its_other_documents_say() -> None:
    found = [groups.group(OF_A_STORY, groups.Swaps([]), random.Random(seed)) for seed in range(500)]
    labels = {part[0]: tuple(part[1]) for one in found for part in one.pieces if one.answerable}
    assert labels == {
        TOLD: (1, 0),
        TOLD_AGAIN: (1, 0),
        SILENT: (0,),
        OTHERS[0]: (0,),
        OTHERS[1]: (0,),
    }
    assert all(len(one.pieces) == len({part[0] for part in one.pieces}) in {1, 3} for one in found)


def test_of_a_story_all_that_answers_is_taken_away_at_once() -> None:
    found = [groups.group(OF_A_STORY, groups.Swaps([]), random.Random(seed)) for seed in range(500)]
    silent = [one for one in found if not one.answerable]
    assert len(silent) / len(found) == pytest.approx(0.15, abs=0.05)
    assert all({part[0] for part in one.pieces} <= {SILENT, *OTHERS[:2]} for one in silent)
    assert all(one.pieces[0][0] == SILENT for one in silent)


def test_what_a_story_nearly_answers_is_read_with_its_chunks() -> None:
    asked = replace(OF_A_STORY, answerable=False, answers=(), evidence=())
    found = [groups.group(asked, groups.Swaps([]), random.Random(seed)) for seed in range(50)]
    assert not any(one.answerable or any(1 in part[1] for part in one.pieces) for one in found)
    assert all(asked.owns(one.pieces[0][0]) for one in found)


def test_how_a_question_opens_does_not_tell_whether_it_is_answered() -> None:
    counts = {("When was it?", False): 30, ("When was it?", True): 10, ("Who was it?", False): 10}
    counts |= {("Who was it?", True): 30, ("How many are in it?", True): 20, ("Here?", False): 20}
    asked = [
        replace(ASKED_ONE, id=f"{question}{answerable}{number}", question=question, answerable=answerable)
        for (question, answerable), count in counts.items()
        for number in range(count)
    ]
    kept = Counter((one.question, one.answerable) for one in groups.even(asked))
    # of either kind there are 60; nothing tells them apart in what has one kind alone
    assert kept == {
        ("When was it?", False): 10,
        ("When was it?", True): 10,
        ("Who was it?", False): 10,
        ("Who was it?", True): 10,
    }
    assert groups.even(asked) == groups.even(asked[::-1])


def test_nothing_is_learned_from_a_question_whose_answer_stands_in_no_sentence() -> None:
    assert groups.teaches(ASKED_ONE)
    assert not groups.teaches(replace(ASKED_ONE, answers=("2000",)))
    assert not groups.teaches(replace(ASKED_ONE, answerable=False, read=(), written_for=()))


def test_the_place_of_the_shortest_answer_is_found() -> None:
    assert groups.answer_place(ASKED_ONE, GOLD.sentences[1]) == (15, 19)
    assert groups.answer_place(ASKED_ONE, "It is red.") is None
    assert groups.answer_place(replace(ASKED_ONE, evidence=("It is red.",)), GOLD.sentences[1]) is None


# --- schedule ---------------------------------------------------------------------------------------------


def test_training_by_the_clock_slows_down_in_time_and_ends() -> None:
    clock = schedule.Schedule(steps=10_000, seconds=1000)
    assert clock.rate(500, 500) == 1.0
    assert clock.rate(500, 900) == pytest.approx(0.5)
    assert clock.rate(500, 1000) == 0.0


def test_what_ends_first_counts() -> None:
    assert schedule.Schedule(steps=1000, seconds=1000).rate(1000, 5) == 0.0


# --- graph ------------------------------------------------------------------------------------------------

WIDE, LAYERS, WORDS, PLACES = 48, 2, 60, 20
IDS, TYPES = np.array([[5, 17, 9, 1, 33, 34, 1, 59, 9]]), np.array([[0, 0, 0, 1, 1, 1, 1, 1, 1]])


@pytest.fixture(scope="module")
def weights() -> dict[str, Any]:
    chance = np.random.default_rng(7)
    shapes = {"words": (WORDS, WIDE), "places": (PLACES, WIDE), "types": (2, WIDE), "head": (4, WIDE)}
    for number in range(LAYERS):
        parts = {"qkv": (3, 1), "heard": (1, 1), "wide": (4, 1), "narrow": (1, 4)}
        for name, (outputs, inputs) in parts.items():
            shapes[f"layers.{number}.{name}"] = (outputs * WIDE, inputs * WIDE)
    made = {f"{name}.weight": chance.normal(0, 0.3, shape) for name, shape in shapes.items()}
    dense = [name for name in shapes if name.startswith("layers") or name == "head"]
    made |= {f"{name}.bias": chance.normal(0, 0.3, shapes[name][0]) for name in dense}
    norms = ["norm", *(f"layers.{number}.norm_{half}" for number in range(LAYERS) for half in (1, 2))]
    for name in norms:
        made |= {f"{name}.weight": chance.normal(1, 0.1, WIDE), f"{name}.bias": chance.normal(0, 0.1, WIDE)}
    made["mark"] = chance.normal(0, 0.3, WIDE)
    return {name: value.astype(np.float32) for name, value in made.items()}


def by_hand(weights: dict[str, Any], ids: Any, types: Any) -> Any:
    """The same model in float64, step by step: the numbers of each token, [tokens, 4]."""
    at = {name: value.astype(np.float64) for name, value in weights.items()}

    def linear(name: str, state: Any) -> Any:
        return state @ at[f"{name}.weight"].T + at[f"{name}.bias"]

    def normed(name: str, state: Any) -> Any:
        centred = state - state.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
        return centred / spread * at[f"{name}.weight"] + at[f"{name}.bias"]

    def gelu(state: Any) -> Any:
        return state * (1 + np.vectorize(math.erf)(state / math.sqrt(2))) / 2

    words = np.where((ids == MARK)[:, None], at["mark"], at["words.weight"][ids])
    state = normed("norm", words + at["places.weight"][: len(ids)] + at["types.weight"][types])
    for number in range(LAYERS):
        name, heard = f"layers.{number}.", []
        query, key, value = np.split(linear(f"{name}qkv", state), 3, axis=1)
        for head in range(12):
            own = slice(head * WIDE // 12, (head + 1) * WIDE // 12)
            likeness = query[:, own] @ key[:, own].T / math.sqrt(WIDE / 12)
            shares = np.exp(likeness - likeness.max(axis=1, keepdims=True))
            heard.append(shares / shares.sum(axis=1, keepdims=True) @ value[:, own])
        state = normed(f"{name}norm_1", state + linear(f"{name}heard", np.concatenate(heard, axis=1)))
        narrow = linear(f"{name}narrow", gelu(linear(f"{name}wide", state)))
        state = normed(f"{name}norm_2", state + narrow)
    return linear("head", state)


def run(model: bytes, ids: Any = IDS, types: Any = TYPES) -> Any:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"input_ids": ids, "token_type_ids": types})[0][0]


def test_the_graph_computes_the_model(weights: dict[str, Any]) -> None:
    expected = by_hand(weights, IDS[0], TYPES[0])
    assert expected.shape == (9, 4)
    assert np.abs(run(graph.build(weights, int8=False)) - expected).max() < 1e-4


def test_the_int8_graph_is_near_it(weights: dict[str, Any]) -> None:
    expected = by_hand(weights, IDS[0], TYPES[0])
    away = run(graph.build(weights, int8=True)) - expected
    assert np.sqrt((away**2).mean()) < 0.03 * expected.std()


def test_what_ships_can_be_trained_on(weights: dict[str, Any]) -> None:
    back = graph.read_back(graph.build(weights, int8=True))
    assert set(back) == set(weights)
    for name, value in weights.items():
        if name != "words.weight":
            # a weight is off by half a step at most, as it was rounded
            assert np.abs(back[name] - value).max() <= np.abs(value).max() / 127, name


def test_the_same_weights_give_the_same_bytes(weights: dict[str, Any]) -> None:
    assert graph.build(weights, int8=True) == graph.build(weights, int8=True)


def test_the_mark_does_not_change_the_weights_it_is_built_from(weights: dict[str, Any]) -> None:
    before = weights["words.weight"].copy()
    graph.build(weights, int8=False)
    assert (weights["words.weight"] == before).all()


# --- figures ----------------------------------------------------------------------------------------------


def judged(right: list[bool], answered: float, **changed: Any) -> Any:
    return judging.Judged(replace(ASKED_ONE, **changed), np.array(right), answered)


def test_figures_are_those_worked_by_hand() -> None:
    rows = [
        judged([True, False, False, False], 2.0),
        judged([False, False, True, False], 0.0),
        judged([False, False, False, True], 1.0),
        judged([False], 0.5, answerable=False),
        judged([False], 3.0, answerable=False, own=False),
    ]
    # own: of 2, 0 and 1 two are above 0.5; with the stranger, 2 of 6 pairs
    assert judging.figures(rows) == [
        "squad2       3 answerable: first 0.333, of three 0.667; AUROC 0.667 of 4, with strangers 0.333 of 5"
    ]


def test_a_set_without_one_kind_of_question_has_no_auroc() -> None:
    assert judging.figures([judged([True], 2.0)]) == [
        "squad2       1 answerable: first 1.000, of three 1.000; AUROC – of 1, with strangers – of 1"
    ]


class _Counting:
    """Gives 0 for each token, so that a sentence of n tokens scores log n."""

    def run(self, _: None, feed: dict[str, Any]) -> list[Any]:
        return [np.zeros((1, feed["input_ids"].shape[1], 4), dtype=np.float32)]


def test_a_chunks_rank_counts_when_sentences_are_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_session", lambda _: _Counting())
    (plain,) = judging.judge(b"", [ASKED_ONE], prior=0.0)
    (by_rank,) = judging.judge(b"", [ASKED_ONE], prior=1000.0)
    # the longest sentences hold answers; by rank, the two of the first chunk come before the second's three
    assert plain.right.tolist() == [True] * 3 + [False] * 8
    assert by_rank.right.tolist() == [True, False, True, True, False] + [False] * 6
    assert plain.answered == by_rank.answered == pytest.approx(math.log(tokens(GOLD.sentences[1])))


def tokens(*texts: str) -> int:
    """The tokens of sentences, each with its mark."""
    (_, layout), *_ = laid_out("", "", texts)
    return sum(number >= 0 for number in layout.sentences)


# --- the weights that combine the reader with other signs -------------------------------------------------


def test_the_weights_for_choosing_are_the_likeliest() -> None:
    # one sign, two sentences; the one with the sign is right in 3 of 4 questions: odds of 3, so log 3
    signs = np.array([[1.0], [0.0]])
    rows = [(signs, np.array([True, False]), 1.0)] * 300 + [(signs, np.array([False, True]), 1.0)] * 100
    assert fitting.fit_choosing(rows)[0] == pytest.approx(math.log(3), abs=1e-3)


def test_a_sign_that_is_left_out_weighs_nothing_and_the_others_what_they_would_alone() -> None:
    chunk = RankedChunk(Chunk("a", "right", 0), 1, 1.0, 0.5, 1.0)

    def weighed(told: str, *signs: dict[str, float]) -> Any:
        sentences = tuple(
            Sentence(chunk, 0, 1, text, UNREAD, dict.fromkeys(fitting.SIGNS, 0.0) | sign, 0.0, 0.0)
            for text, sign in zip(("right", "wrong"), signs, strict=True)
        )
        return fitting.Weighed("nq", True, "fit", told, ("right",), True, (), sentences)

    asked = [weighed("a", {"words": 1.0, "cosine": 0.1}, {"words": 0.0, "cosine": 0.4})] * 3
    asked += [weighed("b", {"words": 0.0, "cosine": 0.2}, {"words": 1.0, "cosine": 0.3})]
    found = dict(zip(fitting.SIGNS, fitting.chosen_by(asked, ["words"]), strict=True))
    assert found.pop("words") == pytest.approx(math.log(3), abs=0.01)
    assert set(found.values()) == {0.0}
    assert fitting.chosen_by(asked)[fitting.SIGNS.index("cosine")] < -1


def test_what_counts_twice_weighs_twice_in_choosing() -> None:
    signs = np.array([[1.0], [0.0]])
    rows = [(signs, np.array([True, False]), 2.0)] * 100 + [(signs, np.array([False, True]), 1.0)] * 100
    assert fitting.fit_choosing(rows)[0] == pytest.approx(math.log(2), abs=1e-3)


def test_right_sentences_are_made_likely_together() -> None:
    # of two right sentences the one without the sign cannot be told from the wrong one; the other can
    signs = np.array([[1.0], [0.0], [0.0]])
    rows = [(signs, np.array([True, True, False]), 1.0)] * 100 + [
        (signs, np.array([False, False, True]), 1.0)
    ] * 100
    # likeliest: (e^w + 1) and 1 share e^w + 2 alike, so e^w is 0 at best
    assert fitting.fit_choosing(rows)[0] < -3


def test_the_weights_for_stopping_are_those_of_a_logistic_regression() -> None:
    # with the sign 3 of 4 are answerable, without it 1 of 4
    signs = np.array([[1.0]] * 400 + [[0.0]] * 400)
    answerable = np.array([True] * 300 + [False] * 100 + [True] * 100 + [False] * 300)
    weights = fitting.fit_stopping(signs, answerable, np.ones(800))
    assert weights.tolist() == pytest.approx([2 * math.log(3), -math.log(3)], abs=1e-3)


def test_kinds_that_are_rare_count_as_much_in_stopping() -> None:
    signs, answerable = np.zeros((400, 1)), np.array([True] * 300 + [False] * 100)
    counts = 100 * fitting.alike(answerable.tolist())
    assert fitting.fit_stopping(signs, answerable, counts)[1] == pytest.approx(0, abs=1e-6)


# --- what needs torch -------------------------------------------------------------------------------------


def group_of(answerable: bool = True, pieces: Any = None) -> Any:
    return groups.Group(ASKED_ONE, "What is it?", pieces or ((GOLD, [-1, 1, 0]), (FAR, [-1, 0])), answerable)


@pytest.fixture
def silent() -> Any:
    """The model's part in its losses, with the number 0 for each token."""
    torch = importlib.import_module("torch")

    class Silent(torch.nn.Module):
        device = torch.device("cpu")

        def forward(self, ids: Any, types: Any, lengths: Any) -> Any:
            return torch.zeros((len(ids), 4))

    return Silent()


@needs_torch
def test_losses_are_those_worked_by_hand(silent: Any) -> None:
    choosing, answering, standing = load("reader_model").losses(silent, [group_of()]).tolist()
    # a sentence of n tokens scores log n; the chunk's rank adds 6 times .9 and 6 times 1
    right, red, blue = (tokens(text) for text in (GOLD.sentences[1], GOLD.sentences[2], FAR.sentences[1]))
    near, far = math.exp(6 * 0.9), math.exp(6 * 1.0)
    assert choosing == pytest.approx(math.log((near * (right + red) + far * blue) / (near * right)), rel=1e-5)
    assert answering == pytest.approx(math.log(1 + 1 / right) + math.log(1 + red + blue), rel=1e-5)
    whole = sum(
        len(layout.ids)
        for one in (GOLD, FAR)
        for _, layout in laid_out("What is it?", one.title, one.sentences)
    )
    assert standing == pytest.approx(math.log(whole / 1), rel=1e-5)  # "1900" is one token


@needs_torch
def test_only_answering_is_learned_from_what_has_no_answer(silent: Any) -> None:
    none = group_of(answerable=False, pieces=((GOLD, [0, 0, 0]),))
    choosing, answering, standing = load("reader_model").losses(silent, [none]).tolist()
    assert (choosing, standing) == (0.0, 0.0)
    assert answering == pytest.approx(math.log(1 + tokens(*GOLD.sentences)), rel=1e-5)


@needs_torch
def test_a_loss_is_the_mean_over_the_questions_that_it_applies_to(silent: Any) -> None:
    model = load("reader_model")
    none = group_of(answerable=False, pieces=((GOLD, [0, 0, 0]),))
    alone, other = (model.losses(silent, [one]).tolist() for one in (group_of(), none))
    both = model.losses(silent, [group_of(), none]).tolist()
    assert both == pytest.approx([alone[0], (alone[1] + other[1]) / 2, alone[2]], rel=1e-5)


@needs_torch
def test_what_is_frozen_is_not_learned() -> None:
    model = load("reader_model").ReaderModel(WORDS, PLACES)
    before = {name for name, weight in model.named_parameters() if weight.requires_grad}
    model.freeze(0)
    assert before == {name for name, weight in model.named_parameters() if weight.requires_grad}
    model.freeze(2)
    learned = {name.split(".")[0] for name, weight in model.named_parameters() if weight.requires_grad}
    layers = {name.split(".")[1] for name, weight in model.named_parameters() if weight.requires_grad}
    assert learned == {"layers", "head"}
    assert layers == {"2", "3", "4", "5", "weight", "bias"}


@needs_torch
def test_torch_scores_sentences_as_the_reader_does() -> None:
    torch = importlib.import_module("torch")
    (_, layout), *_ = laid_out("Who?", "Title", GOLD.sentences)
    numbers = np.random.default_rng(0).normal(size=(len(layout.ids), 4)).astype(np.float32)
    found = load("reader_model").scores(layout, torch.from_numpy(numbers)).tolist()
    expected = [[one.chosen, one.answered] for one in readings(layout, numbers)]
    assert np.allclose(found, expected, atol=1e-5)


@pytest.fixture(scope="module")
def small() -> Any:
    """A model of random weights, with all words."""
    importlib.import_module("torch").manual_seed(3)
    return load("reader_model").ReaderModel()


@needs_torch
def test_the_graph_gives_the_models_numbers(small: Any) -> None:
    torch = importlib.import_module("torch")
    ids, types = torch.from_numpy(IDS), torch.from_numpy(TYPES)
    with torch.no_grad():
        expected = small.eval()(ids[0], types[0], [ids.shape[1]]).numpy()
    found = run(graph.build(load("reader_model").arrays(small), int8=False))
    assert np.abs(found - expected).max() < 0.05  # torch computes in bfloat16


@needs_torch
def test_a_text_is_computed_alike_alone_and_after_another(small: Any) -> None:
    model, torch = load("reader_model"), importlib.import_module("torch")
    short, long = (next(laid_out("Who?", "", [text]))[1] for text in ("It.", "It is a long sentence, it is."))
    with torch.no_grad():
        alone, beside = (model._numbers(small.eval(), part)[-1] for part in ([short], [long, short]))
    assert torch.allclose(alone, beside, atol=0.03)


@needs_torch
def test_dropout_drops_the_same_numbers_of_all_tokens_of_a_text() -> None:
    model, torch = load("reader_model"), importlib.import_module("torch")
    texts = model._texts([3, 2], torch.device("cpu"))
    assert texts.places.tolist() == [0, 1, 2, 0, 1]
    kept = model.Locked().train()(torch.ones(5, 384), texts)
    assert torch.equal(kept[0], kept[1])
    assert torch.equal(kept[0], kept[2])
    assert torch.equal(kept[3], kept[4])
    assert not torch.equal(kept[0], kept[3])
    assert 0 < (kept == 0).float().mean() < 0.3


@needs_torch
@pytest.mark.slow
def test_a_training_that_was_killed_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    torch, training = importlib.import_module("torch"), load("reader_training")

    def trained(checkpoint: Path, steps: int) -> Any:
        torch.manual_seed(3)
        model = load("reader_model").ReaderModel()
        planned = schedule.Schedule(4)
        ends = type(
            "Ends", (), {"steps": 4, "rate": lambda _, step, __: planned.rate(step, 0) * (step < steps)}
        )
        training.train(model, [ASKED_ONE, *OTHER_QUESTIONS], ends(), checkpoint)
        return model.state_dict()

    whole = trained(tmp_path / "whole.pt", 4)
    trained(tmp_path / "killed.pt", 2)
    went_on = trained(tmp_path / "killed.pt", 4)
    assert all(torch.equal(whole[name], went_on[name]) for name in whole)


@needs_torch
@pytest.mark.slow
def test_a_checkpoint_of_other_questions_is_refused(tmp_path: Path) -> None:
    training, plan = load("reader_training"), schedule.Schedule(1)
    training.train(load("reader_model").ReaderModel(), [ASKED_ONE], plan, tmp_path / "c.pt")
    with pytest.raises(SystemExit, match="of a training on 1 questions, not 2"):
        training.train(load("reader_model").ReaderModel(), [ASKED_ONE] * 2, plan, tmp_path / "c.pt")


@needs_torch
@pytest.mark.slow
def test_a_checkpoint_of_another_seed_is_refused(tmp_path: Path) -> None:
    training, plan = load("reader_training"), schedule.Schedule(1)
    training.train(load("reader_model").ReaderModel(), [ASKED_ONE], plan, tmp_path / "c.pt", seed=2)
    with pytest.raises(SystemExit, match="with --seed 2, not 1"):
        training.train(load("reader_model").ReaderModel(), [ASKED_ONE], plan, tmp_path / "c.pt")


@needs_torch
def test_the_mean_of_weights_lies_halfway() -> None:
    torch, trained = importlib.import_module("torch"), load("train_reader")
    found = trained.mean({"a": torch.tensor([1.0, 4.0])}, {"a": torch.tensor([3.0, -4.0])})
    assert found["a"].tolist() == [2.0, 0.0]


@needs_torch
def test_another_seed_draws_another_order_of_the_same_questions() -> None:
    training, swaps = load("reader_training"), groups.Swaps([ASKED_ONE, *OTHER_QUESTIONS])
    asked = [replace(ASKED_ONE, id=str(number)) for number in range(4 * training.BATCH)]

    def order(seed: int) -> list[str]:
        return [one.asked.id for step in range(4) for one in training.batch(asked, swaps, step, seed)]

    assert order(1) == order(1) != order(2)
    assert sorted(order(1)) == sorted(order(2)) == sorted(one.id for one in asked)


@needs_torch
@pytest.mark.slow
def test_a_checkpoint_of_other_layers_is_refused(tmp_path: Path) -> None:
    training, plan = load("reader_training"), schedule.Schedule(1)
    training.train(load("reader_model").ReaderModel(), [ASKED_ONE], plan, tmp_path / "c.pt")
    fewer = load("reader_model").ReaderModel()
    fewer.freeze(2)
    with pytest.raises(SystemExit, match="name its --frozen"):
        training.train(fewer, [ASKED_ONE], plan, tmp_path / "c.pt")
