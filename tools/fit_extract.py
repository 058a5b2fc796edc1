"""Fit the weights of the embedded answerer (`rag/extract.py`) on third-party questions.

    python tools/fit_extract.py DATA

Each set's corpus is indexed and asked through the engine's own retrieval. The weights for choosing are those
of a coarse grid that most often put a sentence with an annotated answer first, or among three (counted half);
the weights for stopping are those of a logistic regression on the best sentence. Half of the articles are for
fitting, the other half for the figures that are printed. clapnq has no short answers, so it serves for
stopping only; squad2's unanswerable questions are made to look answerable, so it serves for choosing only.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from rag.engine import index, start
from rag.extract import Weights, weigh
from rag.retrieve import retrieve

SIGNS = tuple(field.name for field in fields(Weights) if field.name != "bias")
GRID = {
    "meaning": (2.0, 3.0, 4.0),
    "words": (1.0, 2.0, 3.0),
    "around": (0.0, 1.0, 2.0),
    "kind": (0.3, 0.6, 1.0),
    "rank": (1.0, 2.0, 4.0),
}
STOP_SIGNS = ("meaning", "around", "kind")
"""The signs that tell an answerable question; with `words` and `rank` the AUROC is no better on any set."""
SETS = ("squad2", "nq", "clapnq")
MOST = 1500
RIDGE = 1e-3


def rows_of(data: Path, name: str, most: int) -> list[dict[str, Any]]:
    """Questions of a set, spread over all of it, the same each time."""
    rows = [json.loads(line) for line in (data / name / "queries.jsonl").open(encoding="utf-8")]
    return sorted(rows, key=lambda row: hashlib.sha256(row["id"].encode()).digest())[:most]


def held_out(row: dict[str, Any]) -> bool:
    """Whether a question is for the figures: by its article, so that none is on both sides."""
    article = (row.get("context_doc_id") or row["evidence"][0]["doc_id"]).rsplit("-", 1)[0]
    article = article if row["dataset"] == "squad2" else row["id"]
    return hashlib.sha256(article.encode()).digest()[0] % 2 == 0


def gathered(data: Path, name: str, store: Path, most: int) -> list[dict[str, Any]]:
    """Ask a set's questions, and those of another as ones that its documents cannot answer."""
    index([data / name / "corpus.jsonl"], store=store)
    other = "nq" if name != "nq" else "squad2"
    asked = rows_of(data, name, most)
    strangers = [{**row, "answerable": False, "answers": []} for row in rows_of(data, other, most // 5)]
    seen = []
    with start(store=store) as engine, engine._corpus.reading() as snapshot:
        for row in asked + strangers:
            ranking = retrieve(row["question"], snapshot, engine._embed, 10)
            rarity = snapshot.generation.rarity
            found = weigh(row["question"], ranking, engine._embed, rarity, snapshot.title)
            answers = [answer.lower() for answer in row["answers"]] if row["answerable"] else []
            seen.append(
                {
                    "held_out": held_out(row),
                    "answerable": row["answerable"],
                    "signs": np.array([[one.signs[sign] for sign in SIGNS] for one in found]).reshape(
                        -1, len(SIGNS)
                    ),
                    "right": np.array(
                        [any(a in one.text.lower() for a in answers) for one in found], dtype=bool
                    ),
                }
            )
    return seen


def fit_choosing(sets: list[list[dict[str, Any]]]) -> np.ndarray:
    """The weights of the grid under which the right sentence is most often first, over the sets alike."""
    grid = [np.array(weights) for weights in itertools.product(*GRID.values())]
    return max(grid, key=lambda weights: sum(first + three / 2 for first, three in _shares(sets, weights)))


def _shares(sets: list[list[dict[str, Any]]], weights: np.ndarray) -> list[tuple[float, float]]:
    return [shares([row for row in rows if row["answerable"]], weights) for rows in sets]


def shares(rows: list[dict[str, Any]], weights: np.ndarray) -> tuple[float, float]:
    """How often a right sentence is first, and among the first three."""
    right = [row["right"][chosen(row, weights)] for row in rows]
    return float(np.mean([one[0] for one in right])), float(np.mean([one[:3].any() for one in right]))


def fit_stopping(best: np.ndarray, answerable: np.ndarray) -> np.ndarray:
    """Logistic regression by Newton's method, the bias last."""
    inputs = np.c_[best, np.ones(len(best))]
    weights = np.zeros(inputs.shape[1])
    for _ in range(50):
        likely = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (answerable - likely) - RIDGE * weights
        curve = (inputs * (likely * (1 - likely))[:, None]).T @ inputs + RIDGE * np.eye(len(weights))
        weights = weights + np.linalg.solve(curve, slope)
    return weights


def auroc(scores: np.ndarray, labels: np.ndarray) -> float:
    """The chance that an answerable question scores above one that is not."""
    above = scores[labels][:, None] - scores[~labels][None, :]
    return float((above > 0).mean() + (above == 0).mean() / 2)


def chosen(row: dict[str, Any], weights: np.ndarray) -> np.ndarray:
    """The sentences of a question, best first, as row numbers."""
    return np.argsort(-(row["signs"] @ weights), kind="stable")


def figures(name: str, rows: list[dict[str, Any]], choosing: np.ndarray, stopping: np.ndarray) -> None:
    """Print how often the right sentence is first or among three, and how well stopping tells."""
    first, three = shares([row for row in rows if row["answerable"]], choosing)
    scores, labels = _best(rows, choosing) @ stopping[:-1] + stopping[-1], _answerable(rows)
    yes, no = (scores[labels] > 0).mean(), (scores[~labels] > 0).mean()
    print(
        f"{name:8} {len(rows):5} questions  first {first:.3f}  of three {three:.3f}  "
        f"AUROC {auroc(scores, labels):.3f}  answered: of answerable {yes:.3f}, of others {no:.3f}"
    )


def main() -> None:
    """Gather, fit, and print the weights and the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="DATA", help="the folder of the third-party sets")
    parser.add_argument("--most", type=int, default=MOST, help="questions of each set")
    options = parser.parse_args()
    rows: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in SETS:
            rows[name] = gathered(options.data, name, Path(folder) / name, options.most)
    sides = {
        side: {
            name: [row for row in part if row["held_out"] is side and len(row["signs"])]
            for name, part in rows.items()
        }
        for side in (False, True)
    }
    choosing = fit_choosing([sides[False][name] for name in ("squad2", "nq")])
    fitting = [row for name in ("nq", "clapnq") for row in sides[False][name]]
    stopping = fit_stopping(_best(fitting, choosing), _answerable(fitting))
    print("CHOOSING", dict(zip(SIGNS, choosing.tolist(), strict=True)))
    print("STOPPING", dict(zip((*STOP_SIGNS, "bias"), stopping.round(2).tolist(), strict=True)))
    for name, part in sides[True].items():
        figures(name, part, choosing, stopping)


def _best(rows: list[dict[str, Any]], choosing: np.ndarray) -> np.ndarray:
    wanted = [SIGNS.index(sign) for sign in STOP_SIGNS]
    return np.array([row["signs"][chosen(row, choosing)[0]][wanted] for row in rows])


def _answerable(rows: list[dict[str, Any]]) -> np.ndarray:
    return np.array([row["answerable"] for row in rows])


if __name__ == "__main__":
    main()
