"""The question sets: what is read, what is refused, and that the gold that ships is sound."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from eval.dataset import DatasetError, Evidence, corpus_texts, load
from eval.thresholds import MUST_BE_RIGHT
from eval.validation import validate
from eval.values import judge_value, normalise, states
from rag.sentences import sentence_spans
from rag.types import Turn

ROOT = Path(__file__).parents[1]
GOLD = ROOT / "eval" / "gold" / "durov.jsonl"
ATTACKS = ROOT / "eval" / "gold" / "attacks.jsonl"
TEXT = "Bail was 5 million euros. He reports twice a week."
FACT = {
    "kind": "money",
    "value": "5 million euros",
    "accepted": ["5 million euros", "€5M"],
    "rejected": ["50 million euros"],
    "vital": True,
    "doc_id": "bail.txt",
    "quote": "5 million euros",
    "start": 9,
    "end": 24,
}
QUESTION = {
    "id": "bail",
    "question": "How much was bail?",
    "answers": ["5 million euros"],
    "answerable": True,
    "type": "how_much",
    "evidence": [{"doc_id": "bail.txt", "text": "5 million euros"}],
    "facts": [FACT],
}


def write(path, *rows):
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def faults(tmp_path, **changed):
    path = write(tmp_path / "gold.jsonl", QUESTION | {"facts": [FACT | changed]})
    with pytest.raises(DatasetError) as caught:
        validate(path, load(path), {"bail.txt": TEXT})
    return str(caught.value)


@pytest.fixture(scope="module")
def gold():
    return load(GOLD)


def test_the_gold_stands_where_it_says(gold):
    validate(GOLD, gold, corpus_texts(ROOT / "seeds"))


UNANSWERABLE = {"out_of_documents", "false_premise", "wrong_entity", "nearly_answered", "nonsense", "opinion"}


def test_the_gold_is_as_large_as_a_judge_needs(gold):
    parts = Counter((question.part, question.answerable) for question in gold)
    assert parts["questions", True] >= 80
    assert parts["questions", False] >= 80
    assert parts["conflicts", True] >= 15
    assert parts["conversations", True] + parts["conversations", False] >= 20
    wordings = Counter(question.paraphrase_of for question in gold if question.paraphrase_of)
    assert sum(number >= 3 for number in wordings.values()) >= 30


def test_the_gold_asks_what_cannot_be_answered_in_six_ways(gold):
    asked = [question for question in gold if question.part == "questions" and not question.answerable]
    kinds = Counter(question.type for question in asked)
    assert kinds.keys() == UNANSWERABLE
    assert min(kinds.values()) >= 12


def test_the_attacks_stand_where_they_say_and_come_from_documents_and_questions():
    attacks = load(ATTACKS)
    validate(ATTACKS, attacks, corpus_texts(ATTACKS.with_suffix("")))
    assert {question.part for question in attacks} == {"attacks"}
    assert len(attacks) >= 30
    assert {"orders", "markup", "forged_citation", "question_orders"} <= {one.attack.kind for one in attacks}
    assert all(question.attack.must_not for question in attacks)


def test_every_question_of_the_gold_is_asked_once(gold):
    assert len({normalise(question.question) for question in gold}) == len(gold)


def test_every_answerable_question_has_a_vital_fact_and_a_stated_answer(gold):
    for question in gold:
        assert question.answerable == any(fact.vital for fact in question.facts) == bool(question.answers)


def test_every_fact_stands_in_a_sentence_of_the_evidence(gold):
    texts = corpus_texts(ROOT / "seeds")
    for question in gold:
        spans = [(one.doc_id, texts[one.doc_id].index(one.text), len(one.text)) for one in question.evidence]
        for fact in question.facts:
            assert any(
                doc_id == fact.doc_id and start < fact.end and fact.start < start + length
                for doc_id, start, length in spans
            ), (question.id, fact.quote)


@pytest.mark.slow
def test_no_rejected_value_is_true_in_another_sentence_of_the_articles(gold):
    texts = corpus_texts(ROOT / "seeds")
    told = {text[start:end] for text in texts.values() for start, end in sentence_spans(text)}
    facts = {(fact.kind, fact.value, fact.quote, fact.rejected): fact for one in gold for fact in one.facts}
    stated = [
        (fact.value, wrong, sentence)
        for fact in facts.values()
        for sentence in sorted(told)
        for wrong in judge_value(fact, sentence).wrong
    ]
    assert stated == []


def test_some_facts_stand_in_several_documents(gold):
    spread = [question for question in gold if len({fact.doc_id for fact in question.facts}) > 1]
    assert len(spread) >= 5


def test_the_questions_that_must_be_right_are_in_the_gold(gold):
    assert {question.id for question in gold} >= MUST_BE_RIGHT.keys()


def test_a_sound_set_passes(tmp_path):
    path = write(tmp_path / "gold.jsonl", QUESTION, "")
    validate(path, load(path), {"bail.txt": TEXT})


def test_a_quote_at_the_wrong_place_is_said_with_the_right_one(tmp_path):
    said = faults(tmp_path, start=10, end=25)
    assert said == (
        f"{tmp_path / 'gold.jsonl'}:1: bail: bail.txt has not '5 million euros' at 10 to 25; it is at [9]."
    )


def test_an_empty_quote_is_no_evidence(tmp_path):
    assert "has not ''" in faults(tmp_path, quote="", start=3, end=3)


def test_a_quote_of_an_unknown_document_is_a_fault(tmp_path):
    facts = [FACT, FACT | {"doc_id": "other.txt"}]
    path = write(tmp_path / "gold.jsonl", QUESTION | {"facts": facts})
    with pytest.raises(DatasetError, match=r"the document 'other\.txt' of '5 million euros' is not in the"):
        validate(path, load(path), {"bail.txt": TEXT})


def test_a_rejected_value_in_the_quote_is_a_fault(tmp_path):
    assert "the rejected '5 million' stands in '5 million euros'." in faults(tmp_path, rejected=["5 million"])


def test_a_rejected_value_in_an_accepted_spelling_is_a_fault(tmp_path):
    assert "the rejected '€5M' stands in '€5M'." in faults(tmp_path, rejected=["€5M"])


def test_a_rejected_value_is_found_in_another_spelling_too(tmp_path):
    assert "the rejected 'EUR 5,000,000' stands in '5 million euros'." in faults(
        tmp_path, rejected=["EUR 5,000,000"]
    )


def test_spellings_of_which_none_stands_in_the_quote_are_a_fault(tmp_path):
    assert "no accepted spelling of '5 million euros' stands in" in faults(tmp_path, accepted=["6 million"])


def test_a_set_in_which_nothing_is_vital_is_a_fault(tmp_path):
    assert "none of its facts is vital." in faults(tmp_path, vital=False)


def test_an_unanswerable_question_with_an_answer_is_a_fault(tmp_path):
    path = write(tmp_path / "gold.jsonl", QUESTION | {"answerable": False, "facts": []})
    with pytest.raises(DatasetError, match="it is not answerable, and yet has an answer"):
        validate(path, load(path), {})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", ":2: not JSON: "),
        ("[1]", ":2: a question is a JSON object, not [1]."),
        (QUESTION, ":2: the id 'bail' is that of line 1."),
        ({"id": "a", "question": "b"}, ":2: 'answerable' must be bool, and is None."),
        (QUESTION | {"id": 7}, ":2: 'id' must be str, and is 7."),
        (QUESTION | {"answers": [7]}, ":2: 'answers' must be a list of strings, and is [7]."),
        (QUESTION | {"evidence": ["x"]}, ":2: 'evidence' must be a list of objects, and is ['x']."),
        (QUESTION | {"facts": [FACT | {"start": True}]}, ":2: 'start' must be int, and is True."),
        (QUESTION | {"facts": [FACT | {"kind": "colour"}]}, ":2: the kind 'colour' of a fact is none of "),
    ],
)
def test_a_bad_line_is_said_by_file_and_line(tmp_path, row, said):
    path = write(tmp_path / "set.jsonl", QUESTION, row)
    with pytest.raises(DatasetError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}{said}")


def test_an_empty_set_is_a_fault(tmp_path):
    with pytest.raises(DatasetError, match="there is no question"):
        load(write(tmp_path / "set.jsonl", ""))


def test_a_set_that_is_not_utf8_is_a_fault(tmp_path):
    path = tmp_path / "set.jsonl"
    path.write_bytes(b'{"id": "\xe9"}')
    with pytest.raises(DatasetError, match="not UTF-8: "):
        load(path)


def test_a_set_without_facts_is_read_with_its_history(tmp_path):
    row = {
        "id": "t1",
        "dataset": "other",
        "question": "And in Iran?",
        "answers": [],
        "answerable": True,
        "type": "",
        "evidence": [{"doc_id": "iran"}],
        "history": [{"role": "user", "text": "Was it banned?", "turn": 1}],
    }
    (question,) = load(write(tmp_path / "set.jsonl", "", row))
    assert question.evidence == (Evidence("iran", ""),)
    assert question.history == (Turn("user", "Was it banned?"),)
    assert (question.facts, question.line) == ((), 2)


def test_a_corpus_is_read_without_byte_order_mark_and_with_plain_line_ends(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree")
    (tmp_path / "b.jsonl").write_text('{"doc_id": "b-1", "text": "x\\r\\ny"}\nnot json\n', encoding="utf-8")
    (tmp_path / "c.txt").write_bytes(b"caf\xe9")
    assert corpus_texts(tmp_path) == {"sub/a.txt": "one\ntwo\nthree", "b-1": "x\ny"}


@pytest.mark.parametrize(
    ("spelling", "text"),
    [
        ("EUR 5,000,000", "eur 5000000"),
        ("5,000,000", "5\u202f000\u202f000"),
        ("twice-weekly", "Twice weekly"),
        ("it's", "It\u2019s so"),
        ("$5.6 million", "euros ($5.6 million)"),
        ("39", "Durov, 39, was"),
        ("2018", "in 2018."),
    ],
)
def test_a_value_is_stated_whatever_the_case_marks_and_separators(spelling, text):
    assert states(spelling, text)


@pytest.mark.parametrize(
    ("spelling", "text"),
    [
        ("5 million", "55 million"),
        ("6 million", "5.6 million"),
        ("5", "5.6"),
        ("5", "5%"),
        ("1%", "0.001%"),
        ("950 million", "950 millions"),
        ("VK", "VKontakte"),
        ("", "anything"),
    ],
)
def test_a_part_of_a_word_or_number_states_nothing(spelling, text):
    assert not states(spelling, text)


CONFLICT = {
    "about": "bail",
    "typed": True,
    "sides": [
        {
            "kind": "money",
            "value": value,
            "accepted": [value],
            "places": [{"doc_id": "bail.txt", "quote": value, "start": start, "end": start + len(value)}],
        }
        for value, start in (("5 million euros", 9), ("twice a week", 37))
    ],
}


def test_a_paraphrase_has_the_facts_of_its_base(tmp_path):
    row = {"id": "bail-p1", "question": "The sum?", "answerable": True, "paraphrase_of": "bail"}
    base, other = load(write(tmp_path / "gold.jsonl", QUESTION, row))
    assert other.facts == base.facts
    assert (other.answers, other.evidence, other.type) == (base.answers, base.evidence, "how_much")
    assert (base.part, other.part) == ("questions", "paraphrases")


def test_a_paraphrase_of_nothing_is_refused(tmp_path):
    path = write(tmp_path / "gold.jsonl", QUESTION | {"paraphrase_of": "gone"})
    with pytest.raises(DatasetError, match="a paraphrase of 'gone', and there is no such question"):
        load(path)


def test_the_sides_of_a_conflict_stand_where_they_say(tmp_path):
    path = write(tmp_path / "gold.jsonl", QUESTION | {"conflict": CONFLICT})
    (question,) = load(path)
    validate(path, (question,), {"bail.txt": TEXT})
    assert question.part == "conflicts"
    assert [side.value for side in question.conflict.sides] == ["5 million euros", "twice a week"]
    with pytest.raises(DatasetError, match=r"bail\.txt has not 'twice a week' at 37 to 49"):
        validate(path, (question,), {"bail.txt": TEXT.replace("twice", "once")})


def test_a_conflict_of_one_side_is_none(tmp_path):
    alone = CONFLICT | {"sides": CONFLICT["sides"][:1]}
    path = write(tmp_path / "gold.jsonl", QUESTION | {"conflict": alone})
    with pytest.raises(DatasetError, match="fewer than two sides"):
        validate(path, load(path), {"bail.txt": TEXT})


def test_evidence_that_the_document_does_not_hold_is_refused(tmp_path):
    evidence = [{"doc_id": "bail.txt", "text": "Bail was 6 million euros."}]
    path = write(tmp_path / "gold.jsonl", QUESTION | {"evidence": evidence})
    with pytest.raises(DatasetError, match=r"has not the evidence 'Bail was 6 million euros\.'"):
        validate(path, load(path), {"bail.txt": TEXT})


def test_a_rejected_value_in_the_evidence_is_a_fault(tmp_path):
    evidence = [{"doc_id": "bail.txt", "text": "Bail was 5 million euros, or 50 million euros in a hurry."}]
    path = write(tmp_path / "gold.jsonl", QUESTION | {"evidence": evidence})
    with pytest.raises(DatasetError, match="the rejected '50 million euros' stands in the sentence"):
        validate(path, load(path), {"bail.txt": evidence[0]["text"]})


def test_a_rejected_value_in_the_sentence_around_the_quote_is_a_fault(tmp_path):
    text = "Bail was 5 million euros, down from 50 million euros."
    path = write(tmp_path / "gold.jsonl", QUESTION | {"evidence": []})
    with pytest.raises(DatasetError, match="the rejected '50 million euros' stands in the sentence"):
        validate(path, load(path), {"bail.txt": text})


def test_a_corpus_that_holds_none_of_the_documents_is_said_once(tmp_path):
    path = write(tmp_path / "gold.jsonl", QUESTION)
    with pytest.raises(DatasetError) as caught:
        validate(path, load(path), {"other.txt": TEXT})
    assert str(caught.value) == (
        f"{path}:1: none of the 1 documents that its facts name is in the corpus, which holds other.txt. "
        "Name their folder with --corpus."
    )


def test_an_answerable_question_without_anything_to_judge_by_is_a_fault(tmp_path):
    path = write(tmp_path / "gold.jsonl", {"id": "a", "question": "Why?", "answerable": True})
    with pytest.raises(DatasetError, match="nothing says what is right"):
        validate(path, load(path), {})


def test_a_misspelled_key_of_a_fact_is_named(tmp_path):
    path = write(tmp_path / "gold.jsonl", QUESTION | {"facts": [FACT | {"acepted": ["5"]}]})
    with pytest.raises(DatasetError, match="a fact has no 'acepted'; it has kind, value, accepted"):
        load(path)


def test_what_other_sets_add_is_read(tmp_path):
    row = {
        "id": "a",
        "question": "And then?",
        "answers": [],
        "answerable": True,
        "history": [{"role": "agent", "text": "Yes."}],
        "context_doc_id": "d1",
        "candidates": [{"doc_id": "d1", "text": "Some words.", "label": "correct", "answer": "words"}],
        "wrong_answers": ["letters"],
        "claim": "It holds words.",
        "label": True,
        "rewrite": "What then?",
    }
    (question,) = load(write(tmp_path / "set.jsonl", row))
    assert question.history == (Turn("assistant", "Yes."),)
    assert question.part == "conversations"
    assert (question.context, question.candidates[0].label) == (("d1",), "correct")
    assert (question.claim, question.label, question.rewrite) == ("It holds words.", True, "What then?")


def test_a_turn_of_nobody_is_refused(tmp_path):
    path = write(tmp_path / "set.jsonl", QUESTION | {"history": [{"role": "system", "text": "Obey."}]})
    with pytest.raises(DatasetError, match="the role 'system' of a turn is neither"):
        load(path)


def test_an_attack_is_a_part_of_its_own(tmp_path):
    row = QUESTION | {"attack": {"kind": "orders", "must_not": ["PWNED"]}}
    (question,) = load(write(tmp_path / "set.jsonl", row))
    assert question.part == "attacks"
    assert question.attack.must_not == ("PWNED",)
