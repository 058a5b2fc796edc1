import pytest

from rag.expected import expected, expected_kinds
from rag.facts import find_facts


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("How often must he report?", {"frequency"}),
        ("How many times a week?", {"frequency"}),
        ("How long was he held?", {"duration", "date", "count"}),
        ("How much is it?", {"money", "percentage", "count"}),
        ("How many per cent agree?", {"percentage"}),
        ("How large is the lake?", {"count", "percentage"}),
        ("Since when is it so?", {"date"}),
        ("Whose idea was it?", {"name"}),
        ("Why was he held?", set()),
        ("Who pays fees in euros?", {"name"}),
        ("When did prices switch to euros?", {"date"}),
        ("What percentage of fees is paid in euros?", {"percentage"}),
        ("How often are fees paid in euros?", {"frequency"}),
        ("How many firms pay fees in dollars?", {"count", "percentage"}),
        ("Who was mayor when the war ended?", {"name"}),
        ("Where was he when it rained?", {"name"}),
        ("When did the man who built it die?", {"date"}),
    ],
)
def test_question_words_tell_the_kind_of_fact(question, kinds):
    assert expected_kinds(question) == kinds


@pytest.mark.parametrize(
    ("question", "answers", "others"),
    [
        (
            "How old is Rudd?",
            ["Rudd, 39, was there.", "He is 39 years old."],
            ["900 million users", "for 4 days"],
        ),
        ("What is Rudd's age?", ["Rudd is 39."], ["It has 900 million users."]),
        (
            "How many users has it?",
            ["It has 900 million users.", "It grew to 900 million."],
            ["It has 40 ships."],
        ),
        ("What is the total number of ships?", ["It has 40 ships."], ["It has 900 million users."]),
        ("How many people work there?", ["There are 42 nurses."], ["It cost 5 million euros."]),
        ("How many years was he away?", ["He left for 12 years."], ["He left for 4 days."]),
        ("How many days was he away?", ["He left for 4 days."], ["He left for 12 years."]),
        (
            "How much is that in dollars?",
            ["It is $5.6 million."],
            ["It is 5 million euros.", "It has 40 ships."],
        ),
        ("How many euros is it worth?", ["It is €5M."], ["It is $5.6 million.", "It has 40 ships."]),
        ("What did it come to in Swiss francs?", ["It was 40 Swiss francs."], ["It was 40 euros."]),
        ("On which day of the week was it?", ["It was on Thursday."], ["It was in March 2025."]),
        ("In which year was it?", ["It was in March 2025."], ["It was on Thursday."]),
        ("In which month was it?", ["It was in March 2025."], ["It was in 2025."]),
        ("What share of them is honest?", ["It is 99.9%."], ["It has 40 ships."]),
        ("share of honest ships", ["It is 99.9%."], ["It has 40 ships."]),
        ("How high is it in per cent?", ["It is 99.9%."], ["It has 40 ships."]),
        ("When was it?", ["It was on Thursday.", "It was in 2025."], ["It has 40 ships."]),
        ("When may visitors come on a weekday?", ["They may come at 9:00."], ["It has 40 ships."]),
        ("On which weekday was it?", ["It was on Thursday."], ["It was in March 2025."]),
        ("What is the age of Rudd?", ["Rudd is 39 years old."], ["It has 900 million users."]),
        ("What is the average age of the users?", ["They are 39 years old."], ["It has 40 ships."]),
        ("How many residents has it?", ["Some 513,000 people live there."], ["It has 40 ships."]),
        ("How many users posted videos?", ["It was 40 users."], ["It has 40 million videos."]),
        ("How many car factories are there?", ["It has 12 factories."], ["It has 200 cars."]),
        ("How many nights did he stay?", ["He stayed for 3 nights."], ["He stayed for 2 months."]),
        ("How many decades did it last?", ["It lasted two decades."], ["It lasted for 4 days."]),
        ("How much did a number of donors give?", ["They gave 5 million euros."], []),
        ("How long did a number of workers wait?", ["They waited for 4 days."], []),
        ("How much did he invest in bitcoin?", ["He invested $5 million in it."], ["It was on Thursday."]),
        ("How much went to ETH Zurich?", ["It got 5 million francs."], []),
        ("How many dollar stores does it run?", ["It runs 40 stores."], ["It is $40."]),
        ("How much is inflation in euros?", ["It is €5M."], ["It is $5.6 million."]),
    ],
)
def test_a_fact_answers_where_it_is_of_the_kind_and_unit_asked_for(question, answers, others):
    for text in answers:
        assert any(map(expected(question).is_met_by, find_facts(text))), text
    for text in others:
        assert not any(map(expected(question).is_met_by, find_facts(text))), text


@pytest.mark.parametrize(
    "question",
    [
        "What happened in the Bronze Age?",
        "Why did he go to dollar stores?",
        "What is sold in euros?",
        "And now?",
    ],
)
def test_a_question_may_ask_for_anything(question):
    assert expected(question).kinds == frozenset()


@pytest.mark.parametrize("question", ["How many of them?", "How many other ships?", "How many were lost?"])
def test_a_count_may_be_of_anything_where_nothing_is_named(question):
    assert expected(question).units == frozenset()


@pytest.mark.parametrize(
    ("question", "text", "named"),
    [
        ("How many users has it?", "It has 900 million users.", True),
        ("How many users has it?", "It grew to 900 million.", False),
        ("How many people work there?", "There are 42 nurses.", False),
        ("How old is Rudd?", "Rudd, 39, was there.", True),
        ("How much is it in euros?", "It is €5M.", True),
        ("How much is it?", "It is €5M.", False),
    ],
)
def test_a_fact_may_name_the_unit_asked_for(question, text, named):
    assert any(map(expected(question).is_named_by, find_facts(text))) is named
