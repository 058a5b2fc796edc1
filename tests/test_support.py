import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.support import BIAS, WEIGHTS, Signs, read_signs, support_grade

PAGE = [
    "The mill at Oldham was built by John Rudd in 1874. It burned down in 1901, and 12 workers died.",
    "It was not insured.",
]


def test_the_signs_are_shares_of_what_the_claim_says():
    # of mill, burn, 1905, rudd and sold three stand there, and of their pairs none; evidence of 20 words
    assert read_signs("The mill burned in 1905, Rudd sold it.", PAGE[:1]) == Signs(
        held=3 / 5, pairs=0.0, names=0.0, figures=1.0, turned=0.0, length=math.log(21)
    )


def test_pairs_are_of_neighbouring_stems_in_one_sentence():
    # built-john, john-rudd of the first; "1874 it" ends one sentence and begins the next
    assert read_signs("Built: John Rudd.", PAGE).pairs == 1.0
    assert read_signs("1874 burned", PAGE).pairs == 0.0
    assert read_signs("Rudd built mills.", PAGE).pairs == 0.0


def test_missing_names_and_figures_are_shares_of_their_own_sort():
    signs = read_signs("In 1874 John Rudd, Mary Peel and Anne Frost lost 12 workers and 30 horses.", PAGE)
    assert (signs.names, signs.figures) == (2 / 3, 1 / 3)


def test_a_claim_without_pairs_is_read_by_its_word():
    assert read_signs("Rudd", PAGE).pairs == 1.0
    assert read_signs("Frost", PAGE).pairs == 0.0


def test_the_citations_that_a_claim_carries_are_no_part_of_it():
    assert read_signs("It **burned down** in 1901 [2] [3, 4].", PAGE) == read_signs(
        "It burned down in 1901.", PAGE
    )


def test_the_grade_is_the_logistic_function_of_the_weighed_signs():
    # everything is held: only the length of five words counts against it
    weighed = BIAS + WEIGHTS.held + WEIGHTS.pairs + WEIGHTS.length * math.log(6)
    assert support_grade("The mill burned in 1901.", ["The mill burned in 1901."]) == pytest.approx(
        1 / (1 + math.exp(-weighed))
    )


def test_more_held_is_graded_higher_and_more_missing_lower():
    ups = {name for name in ("held", "pairs") if getattr(WEIGHTS, name) > 0}
    downs = {name for name in ("names", "figures", "turned", "length") if getattr(WEIGHTS, name) < 0}
    assert ups | downs == {"held", "pairs", "names", "figures", "turned", "length"}


@pytest.mark.parametrize(
    "worse",
    [
        "The mill at Oldham burned down in 1911.",
        "The mill at Preston burned down in 1901.",
        "The mill at Oldham never burned down in 1901.",
        "The school at Oldham opened its doors in 1901.",
    ],
)
def test_a_claim_changed_in_one_respect_is_graded_lower(worse):
    right = support_grade("The mill at Oldham burned down in 1901.", PAGE)
    assert right > 0.8
    assert support_grade(worse, PAGE) < right - 0.1


def test_one_missing_fact_does_not_end_the_matter():
    assert 0 < support_grade("The mill at Oldham burned down on 3 May 1901.", PAGE) < 1


@pytest.mark.parametrize("evidence", [[], [""], [" \n"]])
def test_nothing_supports_no_claim(evidence):
    assert support_grade("The mill burned.", evidence) == 0.0


def test_a_claim_of_no_words_is_graded():
    assert replace(read_signs("It is so.", PAGE), length=0.0) == Signs(1.0, 1.0, 0.0, 0.0, 0.0, 0.0)


@given(claim=st.text(max_size=60), evidence=st.lists(st.text(max_size=60), max_size=3))
def test_every_grade_is_a_probability(claim, evidence):
    assert 0.0 <= support_grade(claim, evidence) <= 1.0
