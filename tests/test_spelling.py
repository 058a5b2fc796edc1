from collections import Counter

import pytest

from rag.engine import index, start
from rag.spelling import mended
from rag.terms import plain, terms


class Words:
    """A lexicon of words, each with the share of the chunks in which it stands."""

    def __init__(self, **shares):
        self.shares = shares
        self.by_stem = {terms(word)[0]: word for word in shares}

    def has(self, stem):
        return stem in self.by_stem

    def stems(self, letter):
        return [(plain(stem), stem) for stem in self.by_stem if plain(stem)[0] == letter]

    def share(self, stem):
        return self.shares[self.by_stem[stem]]

    def spelled(self, stem):
        return Counter([self.by_stem[stem]])


@pytest.mark.parametrize(
    ("word", "question", "read"),
    [
        ("government", "Who leads the goverment?", "Who leads the government?"),
        ("government", "Who leads the govrenment?", "Who leads the government?"),
        ("government", "Goverment of what?", "Government of what?"),
        ("Schrödinger", "What did Schrodinger say?", "What did Schrödinger say?"),
        ("Schrödinger", "what did schrodinger say", "what did Schrödinger say"),
        ("Kraków", "Where is Krakow?", "Where is Kraków?"),
        ("Kücükdeveci", "What of Ms Kucukdeveci's case?", "What of Ms Kücükdeveci's case?"),
    ],
)
def test_a_word_one_slip_from_one_of_the_documents_is_read_as_that(word, question, read):
    assert mended(question, Words(**{word: 0.01})) == read


@pytest.mark.parametrize(
    ("word", "question", "why"),
    [
        ("government", "Who leads the governments?", "it stands in the documents, in another form"),
        ("government", "Who leads the goverent?", "two slips"),
        ("Governor", "Who leads the overnor?", "the first letter is seldom wrong"),
        ("regard", "Is it a guard?", "a word of its own"),
        ("Curves", "Who was Curie?", "short, and not what the documents are about"),
        ("baron", "Who was Baran?", "a name is meant as a name"),
        ("Morris", "What is rigor mortis?", "a word in small letters is seldom a name"),
        ("Tesla", "What is TESLB?", "an acronym"),
    ],
)
def test_other_words_are_left_as_they_are(word, question, why):
    assert mended(question, Words(**{word: 0.01})) == question, why


def test_a_short_word_is_read_as_one_that_the_documents_are_about():
    assert mended("When was durof arrested?", Words(Durov=0.05)) == "When was Durov arrested?"
    assert mended("When was durof arrested?", Words(Durov=0.04)) == "When was durof arrested?"


def test_of_several_the_word_that_stands_most_often_is_taken():
    lexicon = Words(Johansen=0.01, Johanson=0.01)
    lexicon.spelled = lambda stem: Counter({lexicon.by_stem[stem]: 3 if stem.endswith("son") else 2})
    assert mended("Who is Johansin?", lexicon) == "Who is Johanson?"


@pytest.fixture(scope="module")
def harbour(tmp_path_factory):
    folder = tmp_path_factory.mktemp("harbour")
    (folder / "a.txt").write_text(
        "The harbour of Kraków was built by Anna Torsson in 1900. It holds 40 ships."
    )
    (folder / "b.txt").write_text("A separate quay belongs to the company. Its Harbour tax is 12 euros.")
    index([folder], store=folder / "store")
    with start(store=folder / "store") as engine:
        yield engine


def test_the_answer_says_what_was_searched_for(harbour):
    answer = harbour.ask("Who built the harbour of Krakow?")
    assert answer.question == "Who built the harbour of Krakow?"
    assert answer.standalone == "Who built the harbour of Kraków?"
    assert answer.to_json()["standalone"] == answer.standalone
    assert "Anna Torsson" in answer.claims[0].text


def test_a_search_is_mended_and_keeps_its_question(harbour):
    ranking = harbour.search("seperate")
    assert ranking.question == "seperate"
    assert ranking.chunks[0].chunk.doc_id == "b.txt"
    assert ranking.chunks[0].bm25 > 0


def test_what_stands_in_the_documents_is_not_mended(harbour):
    assert harbour.ask("Who built the harbour?").standalone == "Who built the harbour?"
