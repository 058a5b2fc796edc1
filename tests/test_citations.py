import hashlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.citations import Citer, says_the_same, uncarried
from rag.errors import NotFoundError
from rag.facts import find_facts, states
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


STATED = [
    ("on 24 August 2024", "in August 2024"),
    ("on 24 August", "on 24 August 2024"),
    ("in March", "in March 2025"),
    ("in 1974", "in the 1970s"),
    ("about 5 million euros", "5 million euros"),
    ("5 million", "5 million euros"),
    ("Pavel Durov", "Durov"),
    ("Durov", "Pavel Durov"),
]
NOT_STATED = [
    ("in August 2024", "on 24 August 2024"),
    ("on 25 August", "on 24 August 2024"),
    ("on 24 August 2023", "on 24 August 2024"),
    ("in 2024", "in March 2024"),
    ("6 million", "5 million euros"),
    ("5 million dollars", "5 million euros"),
    ("nearly 5 million euros", "more than 5 million euros"),
    ("Nikolai Durov", "Pavel Durov"),
]


@pytest.mark.parametrize(("theirs", "mine"), STATED)
def test_a_fact_is_stated_by_one_that_says_as_much(theirs, mine):
    assert states(find_facts(theirs)[0], find_facts(mine)[0])


@pytest.mark.parametrize(("theirs", "mine"), NOT_STATED)
def test_a_fact_is_not_stated_by_one_that_says_less_or_something_else(theirs, mine):
    assert not states(find_facts(theirs)[0], find_facts(mine)[0])


MONEY, DATE, FREQUENCY, NAME = (frozenset({kind}) for kind in ("money", "date", "frequency", "name"))
MUCH = frozenset({"money", "percentage", "count"})
MILL = "Mill Lane Bank lent Rudd, 39, some 5 million euros ($5.6 million) for the mill in 1874."
LOAN = "How much did the bank lend for the mill?"
SAME = {
    "another spelling": ("The mill's lender gave €5M to build the mill.", LOAN, MUCH),
    "one of two currencies": ("The bank lent five million euros.", LOAN, MUCH),
    "the other of two currencies": ("The bank lent $5.6m.", LOAN, MUCH),
    "beside another sum further off": (
        "The bank lent €5M for the mill, and the school cost €7M.",
        LOAN,
        MUCH,
    ),
    "a sum without its unit": ("The bank lent Rudd 5 million.", LOAN, MUCH),
    "a date in other words": ("A loan from the bank came in March 1874.", "When did the bank lend?", DATE),
    "the name that is asked for": ("The bank lent money to John Rudd.", "Who was lent money?", NAME),
}
OTHER = {
    "another sum": ("The bank lent 6 million euros for the mill.", LOAN, MUCH),
    "another currency": ("The bank lent 5 million pounds for the mill.", LOAN, MUCH),
    "the sum of something else": ("Rudd sold a horse for 5 million euros.", LOAN, MUCH),
    "the sum of something else beside its own": (
        "The bank lent 6 million euros for the mill, and a horse that Rudd had long owned cost €5M.",
        LOAN,
        MUCH,
    ),
    "another number of it": ("The bank lent Rudd, 39, what he asked for the mill.", LOAN, MUCH),
    "the reverse": ("The bank never lent 5 million euros for the mill.", LOAN, MUCH),
    "a coarser date": ("The bank lent in the 1870s.", "When did the bank lend?", DATE),
    "another name": ("The bank lent money to Mary Peel.", "Who was lent money?", NAME),
    "words with another figure": (
        "Mill Lane Bank lent Rudd some 7 million euros for the mill in 1874.",
        "What did the bank do?",
        frozenset(),
    ),
    "few words": ("The bank closed in spring.", "What did the bank do?", frozenset()),
}


@pytest.mark.parametrize("other", SAME.values(), ids=SAME)
def test_what_answers_is_the_same_in(other):
    text, question, kinds = other
    assert says_the_same(MILL, text, question, kinds)


@pytest.mark.parametrize("other", OTHER.values(), ids=OTHER)
def test_what_answers_is_not_said_in(other):
    text, question, kinds = other
    assert not says_the_same(MILL, text, question, kinds)


def test_where_no_kind_is_asked_for_the_words_or_the_figure_decide():
    claim, question = "The mill burned because sparks flew from a lamp.", "Why did the mill burn?"
    assert says_the_same(claim, "Sparks flew from a lamp, and nothing was left.", question, frozenset())
    assert not says_the_same(claim, "The mill burned because a boy threw a match.", question, frozenset())
    claim, question = "The bank put 5 million euros into the mill.", "What was the bank's part?"
    assert says_the_same(claim, "From the bank came €5M.", question, frozenset())
    assert not says_the_same(claim, "From the bank came €6M.", question, frozenset())


def test_one_word_does_not_make_a_sentence_about_something_else_the_same():
    claim, question = "You may not charge a fee for the boat itself.", "May I charge a fee for lessons?"
    assert says_the_same(claim, "No fee may be charged for the boat.", question, frozenset())
    assert not says_the_same(claim, "The leak in the boat was mended.", question, frozenset())


def test_what_the_question_states_is_no_answer():
    question = "How much of the 5 million euros was paid back to the bank?"
    claim = "Of the 5 million euros 2 million euros were paid back to the bank."
    assert says_the_same(claim, "The bank was paid back 2 million euros.", question, MONEY)
    assert not says_the_same(
        claim, "The bank was to be paid back 5 million euros, not 2 pounds.", question, MONEY
    )
    claim = "The bank was paid back, of 5 million euros, by his sons in the end just 2 million euros."
    assert says_the_same(claim, "The bank was paid back 2 million euros.", question, MONEY)


def test_a_sum_answers_how_much_before_a_nearer_number():
    claim, question = "Rudd and 2 sons had to pay in the end 5 million euros.", "How much did Rudd pay?"
    assert says_the_same(claim, "Rudd had to pay €5M.", question, MUCH)


def test_half_of_what_is_asked_about_must_be_there():
    claim, question = (
        "Repairs of the mill's roof cost 90 pounds.",
        "What did repairs of the mill's roof cost?",
    )
    assert says_the_same(claim, "The roof's repairs came to 90 pounds.", question, MONEY)
    assert not says_the_same(claim, "The mill had 90 pounds in hand.", question, MONEY)


def test_with_most_of_its_words_a_sentence_may_lack_most_names():
    claim, question = "The mill was built by masons from Oldham, Bury and Leeds.", "Who built the mill?"
    assert says_the_same(claim, "The mill was built by masons from Oldham.", question, NAME)
    assert not says_the_same(claim, "It was people from Oldham who built the mill.", question, NAME)


def test_where_the_answer_is_known_its_names_must_be_there():
    claim, question = "The mill in Oldham was built by Ann Peel.", "Who built the mill?"
    assert says_the_same(claim, "The mill in Oldham burnt down.", question, NAME)
    assert not says_the_same(claim, "The mill in Oldham burnt down.", question, NAME, "Ann Peel")
    assert says_the_same(claim, "The mill is Ann Peel's work.", question, NAME, "Ann Peel")


def test_a_name_alone_does_not_tell_that_two_sentences_are_about_the_same():
    claim, question = "Rudd must report to the police twice a week.", "How often must Rudd report?"
    assert says_the_same(claim, "He reports to officers twice weekly.", question, FREQUENCY)
    assert not says_the_same(claim, "Rudd rides twice a week.", question, FREQUENCY)


def test_where_claim_and_question_share_a_name_alone_other_words_must_be_held():
    claim = "In 1901, after years abroad with the army, Rudd wed the daughter of a rich merchant."
    assert says_the_same(claim, "Rudd wed a merchant's daughter in 1901.", "When did Rudd marry?", DATE)
    assert not says_the_same(claim, "Rudd sold a farm in 1901.", "When did Rudd marry?", DATE)


def test_a_long_row_of_figures_is_compared_in_good_time():
    row = "The mill had, year by year, " + ", ".join(map(str, range(700))) + " hands."
    began = time.monotonic()
    assert says_the_same(row, row, "How many hands had the mill?", frozenset({"count"}))
    assert time.monotonic() - began < 4


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
