"""Fit the weights of the embedded answerer (`rag/weigh.py`) on third-party questions.

    python tools/fit_extract.py DATA [--most N] [--store FOLDER]

Each set's corpus is indexed and asked through the engine's own retrieval, and its chunks are read by the
reader that ships. The weights for choosing are those under which the sentences with an annotated answer are
likeliest, in a softmax over all sentences read for a question; the weights for stopping are those of a
logistic regression. In both the sets count alike, and in the second answerable and other questions too. They
are fitted on the articles that `tools/reader_questions.py` sets apart for it ("fit"), which the reader was
not trained on, and the figures are of others, which nothing was fitted on ("dev"). What is read does not
depend on them, so what was gathered serves for both: for our embedder, and without cosines for another.

clapnq has no short answers, so it serves for stopping only.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reader_figures import auroc
from reader_questions import RETRIEVED, Volume, document_of, flat, questions, volumes

from rag.engine import index, start
from rag.extract import REFUSED_BELOW, choose
from rag.reader import Reader
from rag.retrieve import retrieve
from rag.spelling import mended
from rag.weigh import READ, Choosing, Sentence, Sources, Stopping, lacking, shares, stopping_signs, weigh

Array = NDArray[np.float64]
SETS = ("squad2", "nq", "clapnq", "stories")
CHOSEN_ON = ("squad2", "nq", "stories")
SIGNS = tuple(field.name for field in fields(Choosing))
STOP_SIGNS = tuple(field.name for field in fields(Stopping) if field.name != "bias")
RIDGE = 1e-3
REFUSED = 0.05
"""The share of the answerable questions that may be refused: what the threshold is set by."""
CUTS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""The thresholds of which the figures tell what is answered."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A question with the sentences read for it.

    Attributes:
        corpus: The set whose corpus was asked.
        own: Whether it is a question of that set.
        side: "fit" or "dev".
        question: Its words, slips of the hand mended.
        answers: Short answers, in small letters.
        answerable: Whether its document answers it.
        stopping: The signs for stopping, by the order of `STOP_SIGNS`.
        sentences: What was read, with its signs.
    """

    corpus: str
    own: bool
    side: str
    question: str
    answers: tuple[str, ...]
    answerable: bool
    stopping: tuple[float, ...]
    sentences: tuple[Sentence, ...]

    @property
    def signs(self) -> Array:
        """The signs of the sentences, [sentences, signs]."""
        return np.array([[one.signs[sign] for sign in SIGNS] for one in self.sentences])

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which sentences hold an answer."""
        return np.array([self.is_right(one) for one in self.sentences])

    def is_right(self, sentence: Sentence) -> bool:
        """Whether a sentence holds an answer."""
        return any(answer in sentence.text.lower() for answer in self.answers)


def gather(data: Path, name: str, store: Path, most: int) -> list[Weighed]:
    """Ask the questions of "fit" and "dev" of a set's corpus; those without a sentence are left out."""
    kept = {row["id"] for row, _ in _spread(list(questions(data, name)), most)}
    reader = Reader()
    store.mkdir(parents=True, exist_ok=True)
    return [
        one
        for volume in volumes(data, name, store)
        for one in _read(volume, name, reader, store / volume.name, kept)
    ]


def _read(volume: Volume, name: str, reader: Reader, store: Path, kept: set[str]) -> Iterator[Weighed]:
    """Ask a volume those of its questions that are kept."""
    index([volume.corpus], store=store)
    with start(store=store) as engine, engine._corpus.reading() as snapshot:
        for row, side in volume.questions:
            if row["id"] not in kept:
                continue
            question = mended(row["question"], snapshot)
            ranking = retrieve(question, snapshot, engine._embed, RETRIEVED)
            sources = Sources(ranking, reader, snapshot.generation.rarity, snapshot.title, snapshot.mentions)
            if sentences := weigh(question, sources):
                signs = stopping_signs(question, sentences, sources.mentions)
                stopping = tuple(signs[sign] for sign in STOP_SIGNS)
                yield _weighed({**row, "question": question}, name, side, stopping, sentences)


def _spread(asked: Sequence[tuple[dict[str, Any], str]], most: int) -> Iterator[tuple[dict[str, Any], str]]:
    """At most so many questions of each side, spread over all of them, the same each time."""
    asked = sorted(asked, key=lambda pair: hashlib.sha256(pair[0]["id"].encode()).digest())
    for side in ("fit", "dev"):
        yield from [pair for pair in asked if pair[1] == side][:most]


def _weighed(
    row: dict[str, Any], name: str, side: str, stopping: tuple[float, ...], sentences: Sequence[Sentence]
) -> Weighed:
    own = bool(document_of(row))
    answerable = row["answerable"] and own
    answers = tuple(flat(answer).lower() for answer in row["answers"]) if answerable else ()
    return Weighed(name, own, side, row["question"], answers, answerable, stopping, tuple(sentences))


def fit_choosing(tables: Sequence[tuple[Array, NDArray[np.bool_], float]]) -> Array:
    """The weights under which the right sentences are likeliest, by expectation and maximisation.

    Args:
        tables: For each question the signs of its sentences, which are right (some, not all), and how much
            the question counts.
    """
    weights = np.zeros(tables[0][0].shape[1])
    for _ in range(100):
        slope, curve = -RIDGE * weights, RIDGE * np.eye(len(weights))
        for signs, right, counts in tables:
            likely = _softmax(signs @ weights)
            mean = likely @ signs
            slope += counts * (_softmax((signs @ weights)[right]) @ signs[right] - mean)
            curve += counts * ((likely[:, None] * signs).T @ signs - np.outer(mean, mean))
        weights = weights + np.linalg.solve(curve, slope)
    return weights


def _softmax(scores: Array) -> Array:
    each = np.exp(scores - scores.max())
    return each / each.sum()


def fit_stopping(signs: Array, answerable: NDArray[np.bool_], counts: Array) -> Array:
    """The weights of a logistic regression by Newton's method, the bias last.

    Args:
        signs: Of each question, [questions, signs].
        answerable: Whether it is answered.
        counts: How much it counts.
    """
    inputs = np.c_[signs, np.ones(len(signs))]
    weights = np.zeros(inputs.shape[1])
    for _ in range(50):
        likely = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (counts * (answerable - likely)) - RIDGE * weights
        curve = (inputs * (counts * likely * (1 - likely))[:, None]).T @ inputs + RIDGE * np.eye(len(weights))
        weights = weights + np.linalg.solve(curve, slope)
    return weights


def alike(kinds: Sequence[Any]) -> Array:
    """How much each counts, so that all kinds count alike: those of a kind add up to 1.

    Examples:
        >>> alike(["a", "b", "a"]).tolist()
        [0.5, 1.0, 0.5]
    """
    found = Counter(kinds)
    return np.array([1 / found[kind] for kind in kinds])


def reweighed(one: Weighed, weights: Array) -> Weighed:
    """The question with its sentences weighed and ordered anew, and what depends on the best."""
    scores = (one.signs @ weights).tolist()
    rows = zip(one.sentences, scores, shares(scores), strict=True)
    sentences = [replace(sentence, score=score, share=share) for sentence, score, share in rows]
    sentences.sort(key=lambda sentence: (-round(sentence.score, 9), sentence.doc_id, sentence.start))
    stopping = list(one.stopping)
    stopping[STOP_SIGNS.index("lacking")] = lacking(one.question, sentences[0])
    return replace(one, sentences=tuple(sentences), stopping=tuple(stopping))


def chosen_by(weighed: Sequence[Weighed], signs: Sequence[str] = SIGNS) -> Array:
    """Fit the weights for choosing, 0 for the signs left out."""
    tables = [(one.corpus, one.signs, one.right) for one in weighed if one.corpus in CHOSEN_ON]
    tables = [(corpus, table, right) for corpus, table, right in tables if right.any() and not right.all()]
    counts = alike([corpus for corpus, _, _ in tables])
    kept = [sign in signs for sign in SIGNS]
    weights = np.zeros(len(SIGNS))
    weights[kept] = fit_choosing(
        [(table[:, kept], right, count) for (_, table, right), count in zip(tables, counts, strict=True)]
    )
    return weights


def stops(weighed: Sequence[Weighed]) -> Array:
    """The signs for stopping, [questions, signs]."""
    return np.array([one.stopping for one in weighed])


def stopped_by(weighed: Sequence[Weighed], signs: Sequence[str] = STOP_SIGNS) -> Array:
    """Fit the weights for stopping, 0 for the signs left out, and the bias."""
    counts = alike([(one.corpus, one.own, one.answerable) for one in weighed])
    kept = [sign in signs for sign in STOP_SIGNS]
    weights = np.zeros(len(STOP_SIGNS) + 1)
    weights[[*kept, True]] = fit_stopping(stops(weighed)[:, kept], _answerable(weighed), counts)
    return weights


def likely(weighed: Sequence[Weighed], stopping: Array) -> Array:
    """The probability of each question to be answered."""
    return 1 / (1 + np.exp(-stops(weighed) @ stopping[:-1] - stopping[-1]))


def threshold(weighed: Sequence[Weighed], stopping: Array, refused: float = REFUSED) -> float:
    """The probability below which this share of the answerable questions lie, the sets counting alike."""
    asked = [one for one in weighed if one.answerable]
    scores, counts = likely(asked, stopping), alike([one.corpus for one in asked])
    order = np.argsort(scores)
    below = np.cumsum(counts[order]) / counts.sum()
    return float(scores[order][np.searchsorted(below, refused)])


def _answerable(weighed: Sequence[Weighed]) -> NDArray[np.bool_]:
    return np.array([one.answerable for one in weighed])


def figures(name: str, weighed: Sequence[Weighed], stopping: Array) -> None:
    """Print how often a right sentence is first, among three, and told; and how well stopping tells."""
    sure = likely(weighed, stopping)
    labels, own = _answerable(weighed), np.array([one.own for one in weighed])
    further = np.mean([len({sentence.chunk.rank for sentence in one.sentences}) > READ for one in weighed])
    print(f"{name}: {len(weighed)} questions, {labels.sum()} answerable{_shares_right(weighed)}")
    print(f"  read for further: {further:.3f}")
    for among, part in (("its own", own), ("with strangers", np.ones(len(weighed), dtype=bool))):
        if labels[part].all() or not labels[part].any():
            continue
        scores, yes = sure[part], labels[part]
        told = ", ".join(
            f"{(scores[yes] >= cut).mean():.3f} / {(scores[~yes] >= cut).mean():.3f} at {cut}" for cut in CUTS
        )
        print(f"  {among}: AUROC {auroc(scores, yes):.3f}; answered, of answerable / of others: {told}")


def _shares_right(weighed: Sequence[Weighed]) -> str:
    asked = [one for one in weighed if one.answers]
    if not asked or asked[0].corpus not in CHOSEN_ON:
        return ""
    chosen = [choose(one.sentences, one.question) for one in asked]
    told = [any(map(one.is_right, part)) for one, part in zip(asked, chosen, strict=True)]
    first, three = (np.mean([one.right[:most].any() for one in asked]) for most in (1, 3))
    mean = np.mean([len(part) for part in chosen])
    return (
        f"; right first {first:.3f}, of three {three:.3f}, told {np.mean(told):.3f} in {mean:.2f} sentences"
    )


def main() -> None:
    """Gather, fit, and print the weights and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA", help="the folder of the third-party sets")
    parser.add_argument("--most", type=int, default=1000, help="questions of a set for each of both sides")
    parser.add_argument(
        "--store", type=Path, help="a folder for the indexes, to find them there the next time"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = options.store or Path(folder)
        found = [one for name in SETS for one in gather(options.data, name, store / name, options.most)]
    fit, dev = ([one for one in found if one.side == side] for side in ("fit", "dev"))
    alone = [sign for sign in SIGNS if sign != "cosine"], ["answered", "absent", "lacking"]
    choosing, stopping = fitted(fit, *alone)
    write("WEIGHTS_ALONE", fit, choosing, stopping)
    choosing, stopping = fitted(fit, SIGNS, STOP_SIGNS)
    write("WEIGHTS", fit, choosing, stopping)
    for name in SETS:
        figures(name, [reweighed(one, choosing) for one in dev if one.corpus == name], stopping)


def fitted(fit: Sequence[Weighed], choosing: Sequence[str], stopping: Sequence[str]) -> tuple[Array, Array]:
    """The weights for choosing and for stopping, by these signs."""
    weights = chosen_by(fit, choosing)
    return weights, stopped_by([reweighed(one, weights) for one in fit], stopping)


def write(name: str, fit: Sequence[Weighed], choosing: Array, stopping: Array) -> None:
    """Print weights, and the bias by which another threshold would refuse as many."""
    below = threshold([reweighed(one, choosing) for one in fit], stopping)
    shift = math.log(REFUSED_BELOW / (1 - REFUSED_BELOW)) - math.log(below / (1 - below))
    print(f"{name}, refused below {below:.3f}; below {REFUSED_BELOW} with bias={stopping[-1] + shift:.2f}")
    for weights, signs in ((choosing, SIGNS), (stopping, (*STOP_SIGNS, "bias"))):
        print(" ", ", ".join(f"{sign}={weight:.2f}" for sign, weight in zip(signs, weights, strict=True)))


if __name__ == "__main__":
    main()
