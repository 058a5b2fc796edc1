"""Disagreements of invented documents: which are shown, and which differences are none."""

import hashlib
import time
from itertools import permutations

import pytest

from rag.citations import Citer
from rag.conflicts import answers, find_conflicts, read_signs, surety
from rag.expected import expected_kinds
from rag.statements import Given, Statement
from rag.types import Document

USERS = "How many users does Orbis have?"
FOUNDED = "When was Orbis founded?"
DIRECTOR = "Who directed the film Red Harbour?"
SURE, UNSURE = 6.0, -2.0
"""What the reader gives to an answer that it sees clearly, and to words that are hardly one."""


def read(doc_id: str, text: str, answer: str = "", spanned: float = SURE, share: float = 0.3) -> Statement:
    """A statement as the reader left it; one without an answer was not read."""
    if not answer:
        return Statement(doc_id, 0, len(text), text)
    assert answer in text
    return Statement(doc_id, 0, len(text), text, answer, text.index(answer), 5.0, spanned, share)


def found(question: str, *statements: Statement) -> list[tuple[str, list[tuple[str, set[str]]]]]:
    """For each conflict what it is about, and each side's value with the documents cited for it."""
    citer = citing(*statements)
    conflicts = find_conflicts(question, statements, expected_kinds(question), citer)
    made = {citation.marker: citation for citation in citer.citations}
    return [
        (one.about, [(side.value, {made[marker].doc_id for marker in side.citations}) for side in one.sides])
        for one in conflicts
    ]


def citing(*statements: Statement) -> Citer:
    """A citer of documents that are one statement each, or several joined by their places."""
    texts: dict[str, str] = {}
    for one in statements:
        texts[one.doc_id] = texts.get(one.doc_id, "").ljust(one.start) + one.text
    return Citer(
        {
            doc_id: Document(doc_id, "", None, None, text, hashlib.sha256(text.encode()).hexdigest())
            for doc_id, text in texts.items()
        }.__getitem__
    )


def users(*texts: str) -> list[tuple[str, list[tuple[str, set[str]]]]]:
    """What is found where the first text was read as an answer, and those of other documents were not."""
    first, *others = texts
    answer = next(word for word in first.split() if word.strip(",.").isdigit())
    return found(
        USERS,
        read("a", first, answer),
        *(read(name, text) for name, text in zip("bcde", others, strict=False)),
    )


def test_documents_that_count_differently_are_two_sides_each_with_its_citation():
    statements = (
        read("a", "Orbis has 950 users.", "950", share=0.6),
        read("b", "The network Orbis is popular with 900 users worldwide."),
        read("c", "Orbis, which has 950 users, is growing.", "950", share=0.2),
    )
    citer = citing(*statements)
    (conflict,) = find_conflicts(USERS, statements, frozenset({"count"}), citer)
    assert conflict.about == "users"
    assert [(side.value, side.citations) for side in conflict.sides] == [("950", (1, 2)), ("900", (3,))]
    assert [one.quote for one in citer.citations] == [
        "Orbis has 950 users.",
        "Orbis, which has 950 users, is growing.",
        "The network Orbis is popular with 900 users worldwide.",
    ]


def test_a_document_that_says_both_stands_on_both_sides():
    first = read("a", "Orbis has 950 users.", "950")
    again = Statement("a", 100, 120, "Orbis has 900 users.")
    assert found(USERS, first, again) == [("users", [("950", {"a"}), ("900", {"a"})])]


def test_a_qualifier_is_part_of_the_value():
    (conflict,) = users("Orbis has 950 users.", "Orbis is loved by nearly 900 users.")
    assert conflict[1] == [("950", {"a"}), ("nearly 900", {"b"})]


@pytest.mark.parametrize(
    "other",
    [
        "Orbis has 950 users.",
        "Orbis has more than 900 users.",
        "Orbis has about 1,000 users.",
        "Orbis has nearly 1,000 users.",
        "Orbis has hundreds of users.",
        "User numbers at Orbis rose to 950.",
    ],
)
def test_figures_that_can_both_be_true_are_no_conflict(other):
    assert users("Orbis has 950 users.", other) == []


def test_a_figure_that_goes_with_both_sides_stands_on_neither():
    (conflict,) = users("Orbis has 950 users.", "Orbis has 900 users.", "Orbis has about 920 users.")
    assert conflict[1] == [("950", {"a"}), ("900", {"b"})]


def test_three_values_are_three_sides():
    (conflict,) = users("Orbis has 950 users.", "Orbis has 900 users.", "Orbis has 700 users.")
    assert [value for value, _ in conflict[1]] == ["950", "900", "700"]


@pytest.mark.parametrize(
    "other",
    [
        "Orbis rose from 900 to 920 users.",  # two values in one sentence
        "Delphi has 900 users.",  # of something else
        "Orbis has 900 servers.",  # of other things
        "Orbis has 900 paying users.",  # of a part
        "Orbis has 900 users in Brazil.",
        "Orbis has 900 users who pay.",
        "Orbis gained 900 users.",  # a change
        "Orbis grew last year by 900 users.",
        "Orbis expects 900 users.",  # a wish
        "Orbis has 400 users.",  # less than half: of a part, most likely
    ],
)
def test_a_count_of_something_else_is_no_conflict(other):
    assert users("Orbis has 950 users.", other) == []


def test_values_of_different_times_are_no_conflict_and_those_of_one_time_are():
    before = "In March 2020 Orbis had 900 users."
    assert users("In July 2021 Orbis had 950 users.", before) == []
    assert users("In March 2020 Orbis had 950 users.", before) != []


def test_days_of_the_week_are_no_different_times():
    assert users("Orbis said on Monday it has 950 users.", "Orbis said on Friday it has 900 users.") != []


def test_counts_are_of_all_the_names_that_the_question_has():
    question = "How many users does Orbis have in Brazil?"
    one = read("a", "In Brazil, Orbis has 950 users.", "950")
    assert found(question, one, read("b", "Orbis has 900 users.")) == []
    assert found(question, one, read("b", "In all of Brazil Orbis has 900 users.")) != []


def test_people_who_use_are_users():
    counts = read("a", "Orbis has 950 users."), read("b", "Orbis has 900 users.")
    assert found("How many people use Orbis?", *counts) != []
    assert found("How many people own Orbis?", *counts) == []


def test_what_the_answer_counts_is_asked_for():
    counts = read("a", "Orbis has 950 users.", "950"), read("b", "Orbis has 900 users.")
    assert found("How many people own Orbis?", *counts) != []
    assert found("How many servers does Orbis own?", *counts) == []
    assert found("How much does Orbis own?", *counts) == []


@pytest.mark.parametrize(
    "question",
    [
        "Does Orbis have more than 920 users?",
        "Is it 900 or 950 people who are with Orbis?",
        "What is the number of Orbis users?",
        "How large is the group of users of Orbis?",
    ],
)
def test_a_number_may_be_asked_for_in_other_words(question):
    assert found(question, read("a", "Orbis has 950 users.", "950"), read("b", "Orbis has 900 users.")) != []


@pytest.mark.parametrize(
    "question",
    [
        "What share of users does Orbis lose?",
        "How many per cent of Orbis users pay?",
        "Why do users like Orbis?",
    ],
)
def test_a_question_for_something_else_shows_no_counts(question):
    assert found(question, read("a", "Orbis has 950 users.", "950"), read("b", "Orbis has 900 users.")) == []


def test_only_what_the_best_sentence_counts_is_asked_for():
    told = [
        read("a", "Orbis has 40 subscribers.", "40", share=0.6),
        read("b", "Orbis has 950 users.", "950", share=0.2),
        read("c", "Orbis has 900 users."),
    ]
    assert found("How big is the circle of those who pay Orbis?", *told) == []
    anything = read("a", "Orbis has 40 people.", "40", share=0.6)
    assert found("How big is Orbis?", anything, *told[1:]) == [("users", [("950", {"b"}), ("900", {"c"})])]
    assert found("How big is the circle of those who pay Orbis?", *told[1:]) == [
        ("users", [("950", {"b"}), ("900", {"c"})])
    ]


def test_two_dates_of_one_thing_are_a_conflict():
    one = read("a", "Orbis was founded in 1998 by two students.", "1998")
    other = read("b", "Orbis was founded in 2001 by two students.", "2001")
    assert found(FOUNDED, one, other) == [("“When was Orbis founded?”", [("1998", {"a"}), ("2001", {"b"})])]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [("1998", "June 1998"), ("late August", "August 24"), ("March 5", "5 March 1998"), ("1998", "the 1990s")],
)
def test_a_more_precise_date_is_no_conflict(mine, theirs):
    one = read("a", f"Orbis was founded in {mine} by two students.", mine)
    other = read("b", f"Orbis was founded in {theirs} by two students.", theirs)
    assert found(FOUNDED, one, other) == []


def test_a_sentence_that_has_the_other_date_too_is_no_conflict():
    one = read("a", "Orbis was founded in 1998 by two students.", "1998")
    other = read("b", "Orbis was founded, after a start in 1998, in 2001 by two students.", "2001")
    assert found(FOUNDED, one, other) == []


def test_sums_in_two_currencies_are_no_conflict():
    question = "How much did Orbis pay?"
    one = read("a", "Orbis had to pay 5 million euros.", "5 million euros")
    assert found(question, one, read("b", "Orbis had to pay $5.6 million.", "$5.6 million")) == []
    assert found(question, one, read("b", "Orbis had to pay 6 million euros.", "6 million euros")) != []


def test_two_names_are_a_conflict_and_a_surname_is_none():
    one = read("a", "Red Harbour is a film directed by Anna Lind.", "Anna Lind")
    other = read("b", "Red Harbour is a film directed by Peter Voss.", "Voss")
    assert found(DIRECTOR, one, other) == [
        ("“Who directed the film Red Harbour?”", [("Anna Lind", {"a"}), ("Peter Voss", {"b"})])
    ]
    assert found(DIRECTOR, one, read("b", "Red Harbour is a film directed by Lind.", "Lind")) == []


def test_a_name_that_the_other_sentence_has_too_is_no_conflict():
    one = read("a", "Red Harbour is a film directed by Anna Lind.", "Anna Lind")
    both = read("b", "Red Harbour is a film directed by Peter Voss with Anna Lind.", "Peter Voss")
    assert found(DIRECTOR, one, both) == []


def test_other_words_than_names_and_figures_are_no_conflict():
    one = read("a", "Orbis called the film a great success.", "great")
    other = read("b", "Orbis called the film a big success.", "big")
    assert found("What did Orbis call the film?", one, other) == []


def test_words_that_are_hardly_the_answer_are_no_conflict():
    one = read("a", "Red Harbour is a film directed by Anna Lind.", "Anna Lind")
    other = read("b", "Red Harbour, a drama, was shot at sea near Peter Voss.", "Peter Voss", spanned=UNSURE)
    assert found(DIRECTOR, one, other) == []


def pair(one: str, other: str, spanned: float = SURE) -> tuple[Given, Given]:
    """Two films' directors as two documents give them."""
    statements = read("a", one, "Anna Lind"), read("b", other, "Peter Voss", spanned=spanned)
    mine, theirs = answers(DIRECTOR, statements, frozenset({"name"}))
    return mine, theirs


def test_the_signs_of_a_pair_are_counted():
    mine, theirs = pair("Red Harbour was directed by Anna Lind.", "Peter Voss shot Red Harbour.", 2.5)
    signs = read_signs(DIRECTOR, mine, theirs)
    # red, harbour and direct; shot, red and harbour; asked for: direct, film, red and harbour
    assert (signs.spanned, signs.alike, signs.asked) == (2.5, 2 / 4, 2 / 4)
    assert signs.beside == 1  # harbour stands within four words of both
    far = pair("Red Harbour was, as all know, in the end shot by Anna Lind.", "Peter Voss shot it.")
    assert read_signs(DIRECTOR, *far).beside == 0


def test_each_sign_makes_a_disagreement_surer():
    def sure(words: str, before: str = "", spanned: float = SURE) -> float:
        return surety(DIRECTOR, *pair(f"{words} Anna Lind.", f"{before}{words} Peter Voss.", spanned))

    plain = sure("The film was directed by")
    assert plain > sure("The film was directed by", spanned=UNSURE)
    assert plain > sure("The film was directed by", before="In a port on a rainy day: ")  # less alike
    assert plain < sure("The film Red Harbour was directed by")  # more of what is asked
    assert plain > sure("The film was directed with care, skill and a steady hand by")  # not beside the name


def test_what_the_question_has_is_no_answer_to_it():
    named = read("a", "Red Harbour is a film of the coast.", "Red Harbour")
    assert answers(DIRECTOR, [named], frozenset({"name"})) == []


def test_the_only_date_of_a_sentence_is_its_answer_to_when():
    (given,) = answers(FOUNDED, [read("a", "Orbis was founded in 1998.", "founded")], frozenset({"date"}))
    assert given.value == "1998"
    two = read("a", "Orbis was founded in 1998 and sold in 2005.", "founded")
    assert answers(FOUNDED, [two], frozenset({"date"})) == []


def test_the_order_of_the_statements_changes_nothing():
    statements = [
        read("a", "Orbis has 950 users.", "950"),
        read("b", "Orbis has 900 users.", "900"),
        read("c", "Orbis, it says, has 950 users."),
    ]
    shown = [found(USERS, *order) for order in permutations(statements)]
    assert shown == [[("users", [("950", {"a", "c"}), ("900", {"b"})])]] * 6


def test_a_long_line_without_spaces_is_read_in_good_time():
    line = read("b", "Users: " + "1-" * 20_000 + ".")
    began = time.monotonic()
    assert found(USERS, read("a", "Orbis has 950 users.", "950"), line) == []
    assert time.monotonic() - began < 4


def test_nothing_found_is_no_conflict():
    assert find_conflicts(USERS, (), frozenset(), citing()) == ()
