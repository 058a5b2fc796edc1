import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_sentences import TEXTS

from rag.chunks import RECIPE, SIZE, chunk, count_words
from rag.sentences import sentence_spans
from rag.types import Document

SEEDS = sorted(Path(__file__).parents[1].joinpath("seeds").glob("*.txt"))


def document(text):
    return Document("a.txt", "A", None, None, text, "")


def lengths(text, size=SIZE):
    return [count_words(piece.text) for piece in chunk(document(text), size)]


@settings(max_examples=150)
@given(TEXTS, st.integers(1, 200))
def test_chunks_tile_the_document_with_whole_sentences(text, size):
    chunks = chunk(document(text), size)
    if text.strip():
        assert "".join(piece.text for piece in chunks) == text
    assert [piece.start for piece in chunks] == [0, *(piece.end for piece in chunks)][: len(chunks)]
    assert [span for piece in chunks for span in piece.sentences] == sentence_spans(text)
    for piece in chunks:
        assert piece.doc_id == "a.txt"
        assert piece.sentences
        assert all(piece.start <= start < end <= piece.end for start, end in piece.sentences)
        assert count_words(piece.text) <= size or len(piece.sentences) == 1


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_white_space_has_no_chunks(text):
    assert chunk(document(text)) == []


def test_white_space_belongs_to_the_chunk_before_and_at_the_beginning_to_the_first():
    text = "  One two.\n\n Three four.  "
    assert [piece.text for piece in chunk(document(text), 2)] == ["  One two.\n\n ", "Three four.  "]


def test_a_chunk_ends_rather_at_a_paragraph():
    # of 12 words, 10 at most: two pieces of 6 are aimed at, and 7 + 5 keeps the paragraphs whole
    text = "One two three. Four five six seven.\n\nEight nine ten. Eleven twelve."
    assert lengths(text, 10) == [7, 5]


def test_no_document_ends_in_a_scrap():
    # 13 sentences of 10 words: not 120 + 10
    text = "One two three four five six seven eight nine ten. " * 13
    assert lengths(text, 120) == [70, 60]


def test_what_fits_is_one_chunk():
    assert lengths("One two three. " * 40, 120) == [120]


def test_chunks_of_the_seeds_are_neither_large_nor_tiny():
    words = [count for seed in SEEDS for count in lengths(seed.read_text(encoding="utf-8"))]
    assert max(words) <= SIZE
    assert min(words) >= SIZE // 3


def test_chinese_characters_count_as_words():
    assert count_words("我很好。") == 4  # the full stop is a word too
    assert max(lengths("我很好。" * 200)) <= SIZE


def test_an_overlong_word_counts_for_its_length():
    assert count_words("x" * 600) == 30
    assert max(lengths("x" * 6000)) <= SIZE


def test_the_recipe_names_the_size():
    assert RECIPE.endswith(f"/{SIZE}")


def test_a_megabyte_is_cut_within_seconds():
    text = "\n".join(seed.read_text(encoding="utf-8") for seed in SEEDS)
    text *= 1_000_000 // len(text)
    chunk(document("Load the model. First."))
    began = time.perf_counter()
    chunk(document(text))
    assert time.perf_counter() - began < 6  # 1 s on an idle machine
