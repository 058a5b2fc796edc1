import hashlib
from dataclasses import replace

import pytest

from rag.chunks import chunk
from rag.citations import Citer
from rag.extract import extract
from rag.questions import parts
from rag.reader import Reader
from rag.terms import terms
from rag.types import Document, RankedChunk, Ranking
from rag.weigh import (
    FURTHER,
    READ,
    WEIGHTS,
    WEIGHTS_ALONE,
    Sources,
    answerable,
    lacking,
    reading_order,
    weigh,
)

READER = Reader()


def sources_of(question, *texts):
    """Documents that are each one text, all of them ranked alike, and what cites them."""
    documents = {
        f"{number}.txt": Document(
            f"{number}.txt", "", None, None, text, hashlib.sha256(text.encode()).hexdigest()
        )
        for number, text in enumerate(texts)
    }
    pieces = [piece for document in documents.values() for piece in chunk(document)]
    ranking = Ranking(
        question, tuple(RankedChunk(piece, at, 1.0, 0.5, 1.0) for at, piece in enumerate(pieces, 1))
    )
    citer = Citer(documents.__getitem__)
    stems = {stem for text in texts for stem in terms(text)}
    return Sources(ranking, READER, lambda term: 1.0, lambda doc_id: "", stems.__contains__), citer


def answered(question, *texts):
    """Extract from such documents."""
    sources, citer = sources_of(question, *texts)
    return extract(question, sources, citer), citer


def claims(question, *texts):
    return [claim.text for claim in answered(question, *texts)[0].claims]


def test_the_sentence_that_answers_is_told():
    text = "Paris is lovely. The bail was set at 5 million euros. He flew in from Baku."
    assert claims("How much was the bail?", text)[0] == "The bail was set at 5 million euros."


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("When did the office open?", "The office opened in March 2019 in Lyon."),
        ("How many people work in the office?", "The office has 42 people at work."),
    ],
)
def test_of_near_sentences_the_one_with_the_kind_of_fact_asked_for_is_told(question, told):
    text = "The office opened with a party and speeches. The office opened in March 2019 in Lyon. "
    text += "The office has many people at work. The office has 42 people at work."
    assert claims(question, text)[0] == told


def ranked_of(*texts: str) -> tuple[RankedChunk, ...]:
    """Chunks in this order, the last of which is the nearest."""
    pieces = [chunk(Document(f"{at}", "", None, None, text, "0" * 64))[0] for at, text in enumerate(texts)]
    return tuple(
        RankedChunk(piece, at, 1 / at, 0.5 * at / len(pieces), 1.0) for at, piece in enumerate(pieces, 1)
    )


def test_the_best_are_read_then_the_nearest_then_the_others():
    ranked = ranked_of(*["A mill."] * (READ + 5))
    others = ranked[READ - 1 :]  # the last being the nearest
    assert reading_order(ranked) == [*ranked[: READ - 1], *others[:-4:-1], *others[:-3]]
    assert reading_order(ranked[: READ - 1]) == [*ranked[: READ - 1]]
    assert reading_order([]) == []


HILLS = "The hills are green in spring."
BAIL = "The bail was set at 5 million euros."
TUNER = "Ida Rudd tunes the organ."
TUNED = "The organ is tuned in spring."
"""Doubtful for who does it, while the hills are beside the point."""


@pytest.mark.parametrize(
    ("texts", "read"),
    [
        ([TUNER, *[TUNED] * 11], READ),  # answered by the first
        ([*[TUNED] * 4, TUNER, *[TUNED] * 7], READ + FURTHER),  # not by the first: found by reading on
        ([TUNED] * 12, READ + FURTHER),  # by none
        ([HILLS] * 12, READ),  # nor near to it
        ([TUNED, *[HILLS] * 11], READ + FURTHER),
        ([f"# {TUNER}", *[TUNED] * 3, TUNER, *[TUNED] * 7], READ + FURTHER - 1),
        ([f'{{"answer": "{TUNER}"}}', *[TUNED] * 3, TUNER, *[TUNED] * 7], READ + FURTHER - 1),
        ([TUNED] * 2, 2),
    ],
)
def test_further_chunks_are_read_where_the_first_leave_a_question_open(texts, read):
    sources, _ = sources_of("Who tunes the organ?", "")
    found = weigh("Who tunes the organ?", replace(sources, ranking=Ranking("", ranked_of(*texts))))
    assert len(found) == read
    assert (found[0].text == TUNER) is (TUNER in texts)


def test_a_question_for_a_number_is_less_likely_answered_where_the_best_sentence_has_none():
    sources, _ = sources_of("How many people work in the office?", "The office has many people at work.")
    [sentence] = weigh(sources.ranking.question, sources)
    assert lacking("How many people work in the office?", sentence) == 1.0
    assert lacking("Who works in the office?", sentence) == 0.0
    assert lacking("Do many people work in the office?", sentence) == 0.0
    likely = [
        answerable(question, [sentence], sources)
        for question in ("How many work in the office?", "Which people work in the office?")
    ]
    assert likely[0] < likely[1]


def test_a_document_that_says_the_same_is_cited_and_the_sentence_is_told_once():
    found, citer = answered(
        "How much was the bail?",
        "The bail was set at 5 million euros.",
        "He was released on bail of €5M.",
        "The bail was set at 6 million euros for another man.",
    )
    first = found.claims[0]
    assert first.support == ("0.txt", "1.txt")
    assert [citation.quote for citation in citer.citations[:2]] == [
        "The bail was set at 5 million euros.",
        "He was released on bail of €5M.",
    ]
    assert sum("5 million" in claim.text or "€5M" in claim.text for claim in found.claims) == 1


def test_a_document_that_only_names_what_is_asked_about_is_not_cited_beside_the_answer():
    found, _ = answered(
        "Who designed the ferry?",
        "The Elbridge ferry opened in 1954. It has one deck.",
        "The Elbridge ferry was designed by Thomas Arkwright, who also built the pier.",
    )
    assert found.claims[0].text.startswith("The Elbridge ferry was designed by Thomas Arkwright")
    assert found.claims[0].support == ("1.txt",)


def test_at_most_three_sentences_are_told():
    text = " ".join(f"The cat number {number} sleeps on the mat." for number in range(9))
    assert 1 <= len(claims("Where does the cat sleep?", text)) <= 3


def test_a_heading_is_no_answer():
    text = "Pavel Durov\n\nThe post was written by its founder."
    assert claims("Who wrote the post?", text) == ["The post was written by its founder."]


@pytest.mark.parametrize(
    "line",
    [
        "<b>Note</b> The mill was built by Ann Lee.",
        "[[Ann Lee]] built the mill, as the [index](index.html) says.",
        '["We built the mill," said Ann Lee.]',
        "Built by [Ann](https://example.org/lee).",
    ],
)
def test_a_sentence_with_marks_in_it_may_answer(line):
    assert claims("Who built the mill?", line) == [line]


def test_data_and_marks_for_a_page_are_no_answer():
    text = """The crossing takes 55 minutes by ferry.

{"answer": "The crossing takes 3 minutes by ferry."}

<p class="answer">The crossing takes 4 minutes by ferry.</p>

[The crossing takes 5 minutes](javascript:go)

[![The crossing takes 6 minutes](ferry.svg)](ferry.html) [![Fare][fare-svg]][fare]
"""
    assert claims("How long does the crossing take?", text) == ["The crossing takes 55 minutes by ferry."]


def test_a_question_about_something_else_is_refused_with_the_nearest_sentences():
    found, citer = answered("What is the boiling point of tungsten?", "The bail was set at 5 million euros.")
    assert found.claims == citer.citations == ()
    assert (found.reason, found.nearest[0].quote) == (
        "The documents do not say.",
        "The bail was set at 5 million euros.",
    )
    assert found.confidence < 0.1


def test_a_wrapped_line_is_told_in_one_line_and_quoted_as_it_stands():
    text = "The bail was set at 5 million euros by the judge in\nParis, who then left without another word."
    found, citer = answered("How much was the bail?", text)
    assert "\n" not in found.claims[0].text
    assert citer.citations[0].quote == text


def test_nothing_to_read_is_refused():
    found, _ = answered("How much was the bail?")
    assert (found.claims, found.confidence, bool(found.reason)) == ((), 0.0, True)


def test_no_further_chunks_are_read_for_an_opinion():
    sources, _ = sources_of("Do you think that the organ is tuned?", *[TUNED] * 12)
    assert len(weigh("Do you think that the organ is tuned?", sources)) == READ
    assert len(weigh("Who tunes the organ?", sources)) == READ + FURTHER


def test_of_like_sentences_the_nearer_is_best_but_not_by_another_embedders_cosines():
    sources, _ = sources_of("How much was the bail?", BAIL, BAIL)
    first, second = sources.ranking.chunks
    far, near = replace(first, cosine=0.2), replace(second, cosine=0.8)
    assert (far.chunk.doc_id, near.chunk.doc_id) == ("0.txt", "1.txt")

    def best(weights):
        told = replace(sources, ranking=Ranking("", (far, near)), weights=weights)
        return weigh("How much was the bail?", told)[0].doc_id

    assert best(WEIGHTS) == "1.txt"
    assert best(WEIGHTS_ALONE) == "0.txt"
    assert WEIGHTS_ALONE.stopping.cosine == 0.0


def test_one_part_of_a_question_may_be_read_for_further_than_the_other():
    sources, citer = sources_of("How much was the bail, and who tunes the organ?", BAIL, *[TUNED] * 11)
    found = extract(sources.ranking.question, sources, citer)
    depths = [len(weigh(part, sources)) for part in parts(sources.ranking.question)]
    assert depths == [READ, READ + FURTHER]
    assert found.claims[0].text == BAIL
    assert [passage.quote for passage in found.nearest] == [BAIL, TUNED, TUNED]


def test_both_parts_of_a_question_are_answered():
    found, _ = answered(
        "When was the mill built, and how many people work in the mill?",
        "The mill was built in 1820. It turns all day. Today 42 people work in the mill. It is of oak.",
    )
    told = " ".join(claim.text for claim in found.claims)
    assert "1820" in told
    assert "42 people" in told
    assert found.reason == ""


def test_what_of_a_question_is_not_answered_is_named():
    found, _ = answered(
        "When was the mill built, and what is the boiling point of tungsten?",
        "The mill was built in 1820. It turns all day. The wheel of the mill is of oak.",
    )
    assert "1820" in found.claims[0].text
    assert found.reason == "The documents do not say: what is the boiling point of tungsten?"


@pytest.mark.parametrize("words", ["Thanks!", "ok, thank you very much", "Hello there", "Good morning."])
def test_courtesies_are_not_answered(words):
    found, _ = answered(words, "Thanks to all, he said. Hello there, good morning to you. It is fine.")
    assert (found.claims, found.confidence) == ((), 0.0)
    assert found.reason == "That asks for nothing that documents could say."


def test_the_reader_looks_for_an_age_not_for_any_number():
    found, _ = answered(
        "How old is Pavel Rudd?", "Pavel Rudd runs a service of 900 million users. Rudd, 39, was accused."
    )
    assert found.claims[0].text == "Rudd, 39, was accused."


def test_a_sentence_with_the_very_unit_asked_for_has_a_sign_of_its_own():
    sources, _ = sources_of("How many users has it?", "It grew to 900 million.", "It has 900 million users.")
    signs = {one.text: one.signs for one in weigh("How many users has it?", sources)}
    assert [(one["kind"], one["unit"]) for _, one in sorted(signs.items())] == [(1.0, 0.0), (1.0, 1.0)]
    assert WEIGHTS.choosing.unit > 0


def test_a_later_part_is_asked_with_the_name_of_the_first():
    found, _ = answered(
        "Where was Ida Rudd born, and who taught her?",
        "Ida Rudd was born in Lyon. Ida Rudd was taught by Ferrer. Max Orban was taught by Lind.",
    )
    assert [claim.text for claim in found.claims][:2] == [
        "Ida Rudd was born in Lyon.",
        "Ida Rudd was taught by Ferrer.",
    ]


def test_a_question_for_an_opinion_is_refused_however_near_the_words():
    found, _ = answered(
        "Do you think the bail was fair?", "The bail was fair, he said. The bail was 5 million euros."
    )
    assert found.claims == ()
    assert found.confidence == 0.0
    assert "opinion" in found.reason


def test_one_sentence_is_told_where_it_surely_answers():
    text = "The mill was built by Ann Lee in 1820. Its wheel is of oak. It turns all day. Cats sleep in it."
    assert claims("Who built the mill in 1820?", text) == ["The mill was built by Ann Lee in 1820."]


def test_of_documents_that_differ_one_sentence_of_each_side_is_told_and_the_sides_are_shown():
    found, citer = answered(
        "How many people work in the mill?",
        "The mill is old. Today 42 people work in the mill.",
        "The wheel is of oak. Today 57 people work in the mill.",
    )
    assert sorted(claim.text for claim in found.claims) == [
        "Today 42 people work in the mill.",
        "Today 57 people work in the mill.",
    ]
    [conflict] = found.conflicts
    assert {side.value for side in conflict.sides} == {"42", "57"}
    cited = {citation.marker: citation.doc_id for citation in citer.citations}
    assert sorted(cited[marker] for side in conflict.sides for marker in side.citations) == ["0.txt", "1.txt"]
    assert sorted(cited) == [1, 2]


def test_a_sentence_that_announces_the_next_goes_on_to_the_end_of_that():
    text = "The mill is old. To start the mill you must do this:\n\nOpen the gate, let the water in. It is."
    sources, _ = sources_of("How is the mill to be started?", text)
    whole = "To start the mill you must do this: Open the gate, let the water in."
    [announcing] = [one for one in weigh(sources.ranking.question, sources) if "To start" in one.text]
    assert announcing.text == whole
    assert announcing.quote == whole.replace(": ", ":\n\n")
    found, _ = answered("What must you do to start the mill?", text)
    assert sum("Open the gate" in claim.text for claim in found.claims) == 1


def test_a_sentence_that_announces_code_is_told_with_its_first_line():
    text = "It is old.\n\nYou can install the mill with pip:\n\n```bash\npip install mill\n```\n\nIt is."
    found, citer = answered("How can you install the mill?", text)
    assert found.claims[0].text == "You can install the mill with pip: ```bash pip install mill"
    assert citer.citations[0].quote == "You can install the mill with pip:\n\n```bash\npip install mill"


def test_a_closing_fence_joins_nothing():
    text = "Run it so:\n\n```yaml\nthe mill:\n```\n\nThen open the gate of the mill with care."
    sources, _ = sources_of("What do you open with care?", text)
    told = [one.text for one in weigh(sources.ranking.question, sources)]
    assert "Then open the gate of the mill with care." in told
    assert sum("gate" in one for one in told) == 1


BAIL_TEXT = "Durov was released on bail of 5 million euros, the court said."


def test_a_refusal_says_whom_no_document_mentions():
    assert claims("How much bail did Durov pay?", BAIL_TEXT)
    found, _ = answered("How much bail did Ada Lovelace pay?", BAIL_TEXT)
    assert found.claims == ()
    assert found.reason == "The documents do not mention Ada Lovelace."
    assert found.nearest[0].quote == BAIL_TEXT


def test_the_part_that_names_whom_no_document_mentions_is_left_open():
    found, _ = answered("How much was the bail, and where does Ada Lovelace live?", BAIL_TEXT)
    assert [claim.text for claim in found.claims] == [BAIL_TEXT]
    assert found.reason == "The documents do not say: where does Ada Lovelace live?"
