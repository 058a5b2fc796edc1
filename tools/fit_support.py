"""Fit the weights of the graded check of support (`rag/support.py`) on third-party claims.

    python tools/fit_support.py DATA

Logistic regression on the signs of each claim with its evidence. The figures that are printed are of claims
that the weights of that line have not seen: half of the questions for fitting and the other half for the
figure, both ways, for several ways of halving. The weights that are printed are fitted on all claims.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import numpy as np

from rag.support import WEIGHTS, Signs, read_signs

HALVINGS = 10
RIDGE = 1.0
"""On standardised signs."""
NAMES = [field.name for field in fields(Signs)]
SET = NAMES.index("turned")
"""The sign whose weight is set by hand, as `rag.support.WEIGHTS` has it."""


def claims_of(data: Path) -> list[dict[str, Any]]:
    """The claims that have evidence, each with its question, signs, label and source."""
    rows = []
    with (data / "attributionbench" / "queries.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            evidence = [piece["text"] for piece in row["evidence"]]
            if any(evidence):
                signs = astuple(read_signs(row["claim"], evidence))
                source = row["type"].partition("/")[0]
                rows.append({**row, "signs": signs, "source": source})
    return rows


def fit(signs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Logistic regression by Newton's method; the bias is last, and is not drawn towards 0."""
    given = WEIGHTS.turned * signs[:, SET]
    fitted = np.delete(signs, SET, axis=1)
    mean, spread = fitted.mean(axis=0), fitted.std(axis=0)
    inputs = np.c_[(fitted - mean) / spread, np.ones(len(fitted))]
    ridge = np.r_[np.full(fitted.shape[1], RIDGE), 0.0]
    weights = np.zeros(inputs.shape[1])
    for _ in range(50):
        likely = 1 / (1 + np.exp(-inputs @ weights - given))
        slope = inputs.T @ (labels - likely) - ridge * weights
        curve = (inputs * (likely * (1 - likely))[:, None]).T @ inputs + np.diag(ridge)
        weights = weights + np.linalg.solve(curve, slope)
    plain = weights[:-1] / spread
    return np.insert(np.r_[plain, weights[-1] - plain @ mean], SET, WEIGHTS.turned)


def auroc(scores: np.ndarray, labels: np.ndarray) -> float:
    """The chance that a claim that is supported scores above one that is not."""
    above = scores[labels][:, None] - scores[~labels][None, :]
    return float((above > 0).mean() + (above == 0).mean() / 2)


def first_half(row: dict[str, Any], halving: int) -> bool:
    """Which half a claim is in: by its question, whose claims share their evidence."""
    question = row["question"].strip().lower()
    return hashlib.sha256(f"{halving}/{question}".encode()).digest()[0] % 2 == 0


def main() -> None:
    """Gather, fit, and print the figures and the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="DATA", help="the folder of the third-party sets")
    rows = claims_of(parser.parse_args().data)
    signs = np.array([row["signs"] for row in rows], dtype=float)
    labels = np.array([row["label"] for row in rows], dtype=bool)
    sources = np.array([row["source"] for row in rows])
    seen: dict[str, list[float]] = {name: [] for name in ("all", *sorted(set(sources)))}
    for halving in range(HALVINGS):
        first = np.array([first_half(row, halving) for row in rows])
        for fitted in (first, ~first):
            weights = fit(signs[fitted], labels[fitted])
            scores = signs @ weights[:-1]
            for name, figures in seen.items():
                unseen = ~fitted & ((sources == name) | (name == "all"))
                figures.append(auroc(scores[unseen], labels[unseen]))
    print(f"AUROC on unseen halves, {len(rows)} claims with evidence, {2 * HALVINGS} fits")
    for name, figures in seen.items():
        print(f"{name:18} mean {np.mean(figures):.3f}  least {min(figures):.3f}  most {max(figures):.3f}")
    weights = fit(signs, labels)
    print(dict(zip((*NAMES, "bias"), weights.round(2).tolist(), strict=True)))


if __name__ == "__main__":
    main()
