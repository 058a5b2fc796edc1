"""Fit the weights by which documents disagree (`rag/conflicts.py`) on third-party questions.

    python tools/fit_conflicts.py DATA [--most N] [--store FOLDER]

RAMDocs has questions whose documents give different answers, each document labelled with its own: two
sentences disagree where each gives its document's answer and the two answers differ. In SQuAD 2.0 and NQ
hardly any documents disagree, so there no two sentences are taken to. The weights are those of a logistic
regression over all pairs of values that exclude each other. RAMDocs is halved by question, SQuAD and NQ by
article as `tools/reader_questions.py` does; one half is fitted on, and the figures are of the other.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from fit_extract import fit_stopping, gather
from numpy.typing import NDArray
from reader_questions import RETRIEVED

from eval.answers import contains
from eval.dataset import Candidate, Question
from eval.sets import open_set
from rag.conflicts import answers, exclude, read_signs
from rag.engine import index, start
from rag.expected import expected_kinds
from rag.extract import as_statement
from rag.reader import Reader
from rag.retrieve import retrieve
from rag.spelling import mended
from rag.statements import Given
from rag.weigh import Sentence, Sources, weigh

UNDISPUTED = ("squad2", "nq")
CUTS = (0.4, 0.45, 0.5, 0.55, 0.6, 0.7)
"""The thresholds of which the figures tell what is shown."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two values that exclude each other.

    Attributes:
        corpus: The set.
        side: "fit" or "dev".
        question: Its words.
        signs: By the order of `rag.conflicts.Signs`.
        disagrees: Whether the two are different answers to the question.
    """

    corpus: str
    side: str
    question: str
    signs: tuple[float, ...]
    disagrees: bool


def disputed(data: Path, store: Path) -> list[Pair]:
    """The pairs of RAMDocs."""
    asked = open_set("ramdocs", data, scratch=store)
    index([asked.corpus], store=store)
    reader = Reader()
    pairs: list[Pair] = []
    with start(store=store) as engine, engine._corpus.reading() as snapshot:
        for question in asked.questions:
            words = mended(question.question, snapshot)
            ranking = retrieve(words, snapshot, engine._embed, RETRIEVED, asked.within(question))
            sources = Sources(ranking, reader, snapshot.generation.rarity, snapshot.title, snapshot.mentions)
            sentences = weigh(words, sources)
            side = ("fit", "dev")[hashlib.sha256(question.id.encode()).digest()[-1] % 2]
            pairs += _pairs("ramdocs", side, words, sentences, question)
    return pairs


def undisputed(data: Path, name: str, store: Path, most: int) -> list[Pair]:
    """The pairs of a set whose documents do not disagree."""
    found = gather(data, name, store, most)
    return [pair for one in found for pair in _pairs(name, one.side, one.question, one.sentences)]


def _pairs(
    corpus: str, side: str, question: str, sentences: Sequence[Sentence], labelled: Question | None = None
) -> Iterator[Pair]:
    given = answers(question, [as_statement(one) for one in sentences], expected_kinds(question))
    labels = {one.doc_id: one for one in labelled.candidates} if labelled else {}
    for one, other in combinations(given, 2):
        if exclude(one, other):
            signs = astuple(read_signs(question, one, other))
            yield Pair(corpus, side, question, signs, _disagrees(one, other, labels))


def _disagrees(one: Given, other: Given, labels: dict[str, Candidate]) -> bool:
    """Whether each gives the answer of its document, and these differ."""
    mine, theirs = (labels.get(given.statement.doc_id) for given in (one, other))
    if not mine or not theirs or mine.answer == theirs.answer:
        return False
    return _gives(one, mine) and _gives(other, theirs)


def _gives(given: Given, label: Candidate) -> bool:
    if label.label not in {"correct", "misinfo"}:
        return False
    return contains(label.answer, given.value) or contains(given.value, label.answer)


def report(pairs: Sequence[Pair], weights: NDArray[np.float64]) -> None:
    """Print for each threshold how many questions are shown with a disagreement, right or wrong."""
    held = [pair for pair in pairs if pair.side == "dev"]
    likely = 1 / (1 + np.exp(-np.c_[[pair.signs for pair in held], np.ones(len(held))] @ weights))
    real = len({pair.question for pair in held if pair.disagrees})
    for cut in CUTS:
        shown = [pair for pair, sure in zip(held, likely, strict=True) if sure >= cut]
        right = len({pair.question for pair in shown if pair.disagrees})
        wrong = {
            name: len({pair.question for pair in shown if pair.corpus == name and not pair.disagrees})
            for name in ("ramdocs", *UNDISPUTED)
        }
        print(f"shown from {cut}: right in {right} of {real} questions, wrong in {wrong}")


def main() -> None:
    """Print the weights, and what they show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA", help="the folder of the third-party sets")
    parser.add_argument("--most", type=int, default=400, help="questions of a set and side, at most")
    parser.add_argument("--store", type=Path, help="a folder to keep the indexes in")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = args.store or Path(folder)
        pairs = disputed(args.data, store / "ramdocs")
        for name in UNDISPUTED:
            pairs += undisputed(args.data, name, store / name, args.most)
    fitted = [pair for pair in pairs if pair.side == "fit"]
    disagree = np.array([float(pair.disagrees) for pair in fitted])
    weights = fit_stopping(np.array([pair.signs for pair in fitted]), disagree, np.ones(len(fitted)))
    print(f"{len(fitted)} pairs, of which {disagree.sum():.0f} disagree")
    print("spanned, alike, asked, beside, bias:", weights.round(2).tolist())
    report(pairs, weights)


if __name__ == "__main__":
    main()
