"""Fit the weights of the embedded answerer (`rag/extract.py`) on third-party questions.

    python tools/fit_extract.py DATA

Each set's corpus is indexed and asked through the engine's own retrieval. The weights for choosing are those
of a softmax over the sentences of a question, the right ones being those that hold an annotated answer; the
weights for stopping are those of a logistic regression on the best sentence. Half of the articles are for
fitting, the other half for the figures that are printed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from rag.engine import index, start
from rag.extract import CHOOSING, Weights, weigh
from rag.retrieve import retrieve

SIGNS = tuple(field.name for field in fields(Weights) if field.name != "bias")
SETS = {"squad2": "squad2", "nq": "nq", "clapnq": "clapnq"}
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


def fit_choosing(rows: list[dict[str, Any]]) -> np.ndarray:
    """The weights under which the right sentences of each question are likeliest."""
    rows = [row for row in rows if row["right"].any()]
    weights = np.ones(len(SIGNS))
    for _ in range(300):
        slope = -RIDGE * weights * len(rows)
        for row in rows:
            scores = row["signs"] @ weights
            likely = np.exp(scores - scores.max())
            likely /= likely.sum()
            right = likely * row["right"]
            slope += (right / right.sum() - likely) @ row["signs"]
        weights = weights + 3.0 * slope / len(rows)
    return weights


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
    answerable = [row for row in rows if row["answerable"] and len(row["right"])]
    first = np.mean([row["right"][chosen(row, choosing)[0]] for row in answerable])
    three = np.mean([row["right"][chosen(row, choosing)[:3]].any() for row in answerable])
    best = np.array([row["signs"][chosen(row, choosing)[0]] for row in rows])
    scores, labels = best @ stopping[:-1] + stopping[-1], np.array([row["answerable"] for row in rows])
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
    fitting = [row for part in rows.values() for row in part if not row["held_out"] and len(row["signs"])]
    choosing = fit_choosing(fitting)
    best = np.array([row["signs"][chosen(row, choosing)[0]] for row in fitting])
    stopping = fit_stopping(best, np.array([row["answerable"] for row in fitting]))
    print("CHOOSING", dict(zip(SIGNS, choosing.round(2).tolist(), strict=True)))
    print("STOPPING", dict(zip((*SIGNS, "bias"), stopping.round(2).tolist(), strict=True)))
    now = np.array([asdict(CHOOSING)[sign] for sign in SIGNS])
    for name, part in rows.items():
        kept = [row for row in part if row["held_out"] and len(row["signs"])]
        figures(name, kept, choosing, stopping)
        figures("  as now", kept, now, stopping)


if __name__ == "__main__":
    main()
