import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.citations import Citer, says_the_same, uncarried
from rag.errors import NotFoundError
from rag.types import Document

TEXT = "He was released on bail of 5 million euros. He may not leave France."
DOCUMENT = Document("a.txt", "Bail", "Reuters", "2024-09-06", TEXT, hashlib.sha256(TEXT.encode()).hexdigest())


def citer():
    return Citer({"a.txt": DOCUMENT}.__getitem__)


def test_a_citation_is_cut_from_its_document():
    citation = citer().cite("a.txt", 0, 43)
    assert citation.quote == "He was released on bail of 5 million euros."
    assert (citation.marker, citation.title, citation.source, citation.published_at) == (
        1,
        "Bail",
        "Reuters",
        "2024-09-06",
    )


def test_the_same_span_keeps_its_marker():
    made = citer()
    assert [
        made.cite("a.txt", 0, 43).marker,
        made.cite("a.txt", 44, 68).marker,
        made.cite("a.txt", 0, 43).marker,
    ] == [
        1,
        2,
        1,
    ]
    assert [citation.marker for citation in made.citations] == [1, 2]


@pytest.mark.parametrize(("start", "end"), [(0, 0), (5, 4), (-1, 4), (0, len(TEXT) + 1)])
def test_what_is_not_in_the_document_cannot_be_cited(start, end):
    with pytest.raises(NotFoundError, match=r"has 68 characters"):
        citer().cite("a.txt", start, end)


@given(start=st.integers(0, len(TEXT) - 1), length=st.integers(1, len(TEXT)))
def test_every_citation_is_exact(start, length):
    end = min(start + length, len(TEXT))
    citation = citer().cite("a.txt", start, end)
    assert DOCUMENT.text[citation.start : citation.end] == citation.quote != ""


CARRIED = [
    "He was released on bail of 5 million euros.",
    "He was released on bail of €5M.",
    "He was released on bail.",
    "He may not leave France.",
    "Bail was 5 million euros, and he may not leave France.",
]
NOT_CARRIED = [
    ("He was released on bail of 6 million euros.", "6 million"),
    ("He was released on bail of 5 million dollars.", "5 million dollars"),
    ("He was not released on bail.", "not"),
    ("He may leave France.", "the negation 'not'"),
    ("He may not leave Germany.", "Germany"),
    ("He was released on bail of 5 million euros in 2024.", "2024"),
    ("He was released on bail of 5 million euros twice a week.", "twice a week"),
    ("Mary Durov was released on bail.", "Mary Durov"),
    ("Penguins swim gracefully.", "penguin"),
]


@pytest.mark.parametrize("sentence", CARRIED)
def test_what_the_cited_words_say_is_carried(sentence):
    assert uncarried(sentence, [TEXT]) == ""


@pytest.mark.parametrize(("sentence", "lacking"), NOT_CARRIED)
def test_what_the_cited_words_do_not_say_is_not_carried(sentence, lacking):
    assert lacking.lower() in uncarried(sentence, [TEXT]).lower()


def test_a_figure_in_another_spelling_says_the_same():
    assert says_the_same(
        "He was released on bail of 5 million euros.",
        "The bail was set at €5M.",
        "How much was the bail?",
        frozenset({"money"}),
    )


def test_another_figure_does_not_say_the_same():
    assert not says_the_same(
        "He was released on bail of 5 million euros.",
        "He was released on bail of 6 million euros.",
        "How much was the bail?",
        frozenset({"money"}),
    )


def test_the_same_figure_of_something_else_does_not_say_the_same():
    assert not says_the_same(
        "He was released on bail of 5 million euros.",
        "The office cost 5 million euros.",
        "How much was the bail?",
        frozenset({"money"}),
    )
