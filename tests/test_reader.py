import math
import threading

import numpy as np
import pytest

from rag.reader import END, MARK, MOST_TOKENS, START, UNREAD, Layout, Reader, laid_out, readings
from rag.sentences import sentence_spans
from rag.types import Chunk

READER = Reader()


def passage(text, title="The mill"):
    return title, Chunk("a.txt", text, 0, tuple(sentence_spans(text)))


def words(tokens, mark=0.0):
    """Scores of a run, [tokens, 4]: the mark's two, one a word, and no spans."""
    scores = np.zeros((len(tokens), 4), dtype=np.float32)
    scores[:, 2] = tokens
    scores[:, :2] = mark
    return scores


def test_a_question_a_title_and_marked_sentences_are_laid_out():
    [(first, layout)] = laid_out("Who?", "Mill", ["It turns.", "Ann built it."])
    assert first == 0
    assert (layout.ids[0], layout.ids[-1]) == (START, END)
    assert [layout.sentences[at] for at, token in enumerate(layout.ids) if token == MARK] == [0, 1]
    # [CLS] who ? [SEP] | mill [SEP] (mark) it turns . (mark) ann built it . [SEP]
    assert layout.types == [0] * 4 + [1] * (len(layout.ids) - 4)
    assert layout.sentences == [-1] * 6 + [0] * 4 + [1] * 5 + [-1]
    assert layout.offsets[12:15] == [(4, 9), (10, 12), (12, 13)]
    assert len(layout.ids) == len(layout.types) == len(layout.offsets)


def test_what_a_document_says_is_never_taken_for_an_order_of_the_layout():
    [(_, layout)] = laid_out("Who?", "Mill [SEP]", ["[SEP] [CLS] [unused0] it turns."])
    assert layout.ids.count(MARK) == 1
    assert layout.ids.count(START) == 1
    assert layout.ids.count(END) == 3


def test_sentences_that_do_not_fit_are_read_in_further_runs():
    sentences = [f"The mill number {number} " + "turns and " * 40 + "stops." for number in range(8)]
    runs = list(laid_out("Who built it?", "Mill", sentences))
    assert len(runs) > 1
    assert all(len(layout.ids) <= MOST_TOKENS for _, layout in runs)
    counted = [first for first, _ in runs[1:]]
    marks = [layout.ids.count(MARK) for _, layout in runs]
    assert counted == list(np.cumsum(marks)[:-1])
    assert sum(marks) == 8


def test_a_sentence_longer_than_a_run_is_cut():
    [(_, layout)] = laid_out("Who?", "Mill", ["turns " * 2000])
    assert len(layout.ids) == MOST_TOKENS


def test_a_long_question_leaves_room_for_the_chunk():
    [(_, layout)] = laid_out("why " * 5000, "mill " * 5000, ["Ann built it."])
    assert layout.sentences.count(0) == 5


def test_a_sentence_is_its_mark_and_the_log_of_the_sum_over_its_words():
    layout = Layout(
        [START, END, END, MARK, 7, 8, MARK, 9, END], [0] * 9, [-1, -1, -1, 0, 0, 0, 1, 1, -1], [None] * 9
    )
    scores = words([9, 9, 9, 0, math.log(2), math.log(3), 1, 1, 9])
    scores[3, :2], scores[6, :2] = (0.5, -1), (2, 3)
    first, second = readings(layout, scores)
    # log(1 + 2 + 3), log(2e)
    assert first.chosen == pytest.approx(0.5 + math.log(6), abs=1e-6)
    assert first.answered == pytest.approx(-1 + math.log(6), abs=1e-6)
    assert second.chosen == pytest.approx(2 + math.log(2 * math.e), abs=1e-6)
    assert second.answered == pytest.approx(3 + math.log(2 * math.e), abs=1e-6)


def test_the_span_is_the_run_of_likely_words_around_the_likeliest():
    places = [None, (0, 3), (4, 5), (6, 13), (14, 19), (20, 24)]
    layout = Layout([MARK, 1, 2, 3, 4, 5], [1] * 6, [0] * 6, places)
    scores = words([0] * 6)
    scores[:, 3] = [9, 1, 4.5, 6, 5, 3.9]
    [reading] = readings(layout, scores)
    assert (reading.span, reading.spanned) == ((4, 19), 6.0)


def test_the_sentence_that_answers_reads_best():
    text = "The mill turns all day. It was built by Ann Lee in 1820. Its wheel is of oak."
    [found] = READER.read("Who built the mill?", [passage(text)])
    assert max(range(3), key=lambda at: found[at].chosen) == 1
    begin, end = found[1].span
    assert "Ann" in text[24:][begin:end]


def test_pronouns_are_read_by_what_stands_around_them():
    alone = "She was elected in 1990."
    [with_her] = READER.read(
        "When was Mary Robinson elected?", [passage(f"Mary Robinson is a lawyer. {alone}", "Mary Robinson")]
    )
    [with_him] = READER.read(
        "When was Mary Robinson elected?", [passage(f"Cats are mammals. {alone}", "Cats")]
    )
    assert with_her[1].answered > with_him[1].answered


def test_the_address_of_a_link_is_not_read_and_moves_nothing():
    asked, begins = "Who built the mill?", "The mill was built by ["
    one, other = (
        READER.read(asked, [passage(f"{begins}Ann Lee]({address}), who lived there.")])
        for address in ("https://example.org/mills/ann", "https://example.org/boats/bob")
    )
    assert one == other
    start, end = one[0][0].span
    assert f"{begins}Ann Lee]"[start:end].startswith("Ann")


def test_a_chunk_is_read_the_same_whatever_is_read_beside_it():
    texts = [
        "The mill was built by Ann Lee.",
        "It turns. " * 30,
        "A wheel of oak turns in the river, and it is old.",
    ]
    together = READER.read("Who built the mill?", [passage(text) for text in texts])
    alone = [Reader(threads=1).read("Who built the mill?", [passage(text)])[0] for text in texts]
    assert together == alone


def test_threads_may_read_at_once():
    expected, found = READER.read("Who built it?", [passage("Ann built it.")]), []

    def ask():
        found.append(READER.read("Who built it?", [passage("Ann built it.")]))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [expected] * 8


def test_nothing_to_read_is_nothing_read():
    assert READER.read("Who?", []) == []
    assert READER.read("Who?", [("", Chunk("a.txt", " ", 0, ()))]) == [[]]


def test_a_sentence_without_words_is_far_below_any_other():
    [[blank, other]] = READER.read("Who?", [("", Chunk("a.txt", "\x00\x00 Ann.", 0, ((0, 2), (3, 7))))])
    assert blank == UNREAD
    assert blank.chosen < other.chosen


def test_half_a_character_is_read_as_a_question_mark():
    assert READER.read("Who \ud800?", [passage("Ann \ud800 built it.")])
