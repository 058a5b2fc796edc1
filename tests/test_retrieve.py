import os
import subprocess
import sys

import numpy as np
import pytest

from rag.embedding import MiniLM
from rag.index import searched_text, update
from rag.retrieve import rank
from rag.snapshot import Corpus
from rag.terms import terms

EMBEDDER = MiniLM()
QUESTIONS = ("How much was Durov's bail?", "Which features were dropped?", "警察", "zzz", "bail euros")


@pytest.fixture(scope="module")
def snapshot(seeds, tmp_path_factory):
    store = tmp_path_factory.mktemp("retrieve") / "store"
    update(store, EMBEDDER, add=[seeds])
    corpus = Corpus(store, EMBEDDER)
    with corpus.reading() as snapshot:
        yield snapshot
    corpus.close()


def whole_scores(snapshot, question, vector):
    """The recipe by hand, over every chunk: half the scaled cosine, half the scaled BM25."""
    import bm25s

    texts = [
        searched_text(snapshot.documents[row.doc_id].title, snapshot.chunk(number).text)
        for number, row in enumerate(snapshot.rows)
    ]
    cosines = EMBEDDER.embed(texts).astype(float) @ vector.astype(float)
    words = bm25s.BM25(k1=1.2, b=0.75)
    words.index([terms(text) for text in texts], show_progress=False)
    known = [term for term in terms(question) if term in words.vocab_dict]
    lexical = words.get_scores(known).astype(float) if known else np.zeros(len(texts))
    halves = [(s - s.min()) / (np.ptp(s) or 1) for s in (cosines, lexical)]
    return (halves[0] + halves[1]) / 2


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_ranking_is_the_recipe_over_every_chunk(snapshot, question):
    vector = EMBEDDER.embed([question])[0]
    expected = whole_scores(snapshot, question, vector)
    ranking = rank(question, vector, snapshot, 10)
    assert [ranked.score for ranked in ranking.chunks] == pytest.approx(sorted(expected)[::-1][:10], abs=1e-5)
    assert [ranked.rank for ranked in ranking.chunks] == list(range(1, 11))
    scores = {(row.doc_id, row.start): score for row, score in zip(snapshot.rows, expected, strict=True)}
    for ranked in ranking.chunks:
        assert scores[ranked.chunk.doc_id, ranked.chunk.start] == pytest.approx(ranked.score, abs=1e-5)


def test_chunks_are_cut_from_their_documents(snapshot):
    for number, row in enumerate(snapshot.rows):
        chunk = snapshot.chunk(number)
        assert snapshot.documents[row.doc_id].text[chunk.start : chunk.end] == chunk.text
        assert chunk.sentences


def test_more_than_there_is_gives_all(snapshot):
    ranking = rank("bail", EMBEDDER.embed(["bail"])[0], snapshot, 10_000)
    assert len(ranking.chunks) == len(snapshot.rows)


_RANK = """
from rag.engine import start
import json, sys
with start(store=sys.argv[1]) as engine:
    print(json.dumps([engine.search(question).to_json() for question in sys.argv[2:]]))
"""


@pytest.mark.slow
def test_rankings_are_the_same_bytes_whatever_the_hash_seed_and_threads(seeds, tmp_path):
    outputs = set()
    for seed, threads in (("0", "1"), ("1", "2"), ("7", "2")):
        store = tmp_path / f"store-{seed}"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads}
        update(store, EMBEDDER, add=[seeds])
        command = [sys.executable, "-c", _RANK, str(store), *QUESTIONS]
        done = subprocess.run(command, env=environment, check=True, capture_output=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1
