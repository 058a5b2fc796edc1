"""How well a trained reader chooses and tells, on questions of articles that training did not see."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reader_groups import right
from reader_questions import Asked

from rag.reader import Reading, laid_out, readings

READ = 8
"""The chunks read for a question."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A question as a reader reads it.

    Attributes:
        asked: The question.
        right: For the sentences of its chunks, best first, whether each holds an answer.
        answered: The best score for answering.
    """

    asked: Asked
    right: NDArray[np.bool_]
    answered: float


def judge(model: bytes, asked: Sequence[Asked], prior: float) -> list[Judged]:
    """Read the chunks of all questions, one text a run.

    Args:
        model: An ONNX file (`tools/reader_graph.py`).
        asked: The questions; those for which nothing was retrieved are left out.
        prior: What a chunk's fused score counts beside the reader.
    """
    session = _session(model)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda one: _judged(session, one, prior), [one for one in asked if one.read]))


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _judged(session: Any, asked: Asked, prior: float) -> Judged:
    rows = []
    for piece, score in zip(asked.read[:READ], asked.scores, strict=False):
        found: dict[int, Reading] = {}
        for first, layout in laid_out(asked.question, piece.title, piece.sentences):
            feed = {"input_ids": np.array([layout.ids]), "token_type_ids": np.array([layout.types])}
            found |= dict(enumerate(readings(layout, session.run(None, feed)[0][0]), start=first))
        held = right(asked, piece)
        rows += [(one.chosen + prior * score, one.answered, held[place]) for place, one in found.items()]
    table = np.array(rows, dtype=np.float64)
    best_first = np.argsort(-table[:, 0], kind="stable")
    return Judged(asked, table[best_first, 2] > 0, float(table[:, 1].max()))


def figures(judged: Sequence[Judged]) -> list[str]:
    """A line for each set: how often a right sentence is first or among three, and the AUROC of answering."""
    names = sorted({one.asked.corpus for one in judged})
    return [_line(name, [one for one in judged if one.asked.corpus == name]) for name in names]


def _line(name: str, judged: Sequence[Judged]) -> str:
    answerable = [one for one in judged if one.asked.answerable]
    own = [one for one in judged if one.asked.own]
    return (
        f"{name:8} {len(answerable):5} answerable: first {_held(answerable, 1)}, "
        f"of three {_held(answerable, 3)}; "
        f"AUROC {_told(own)} of {len(own)}, with strangers {_told(judged)} of {len(judged)}"
    )


def _held(judged: Sequence[Judged], most: int) -> str:
    """How often one of the first sentences is right."""
    return f"{np.mean([one.right[:most].any() for one in judged]):.3f}" if judged else "–"


def _told(judged: Sequence[Judged]) -> str:
    labels = np.array([one.asked.answerable for one in judged])
    if labels.all() or not labels.any():
        return "–"
    return f"{auroc(np.array([one.answered for one in judged]), labels):.3f}"


def auroc(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """The chance that an answerable question scores above one that is not; both kinds must be there.

    Examples:
        >>> auroc(np.array([2.0, 1.0, 1.0, 0.0]), np.array([True, True, False, False]))
        0.875
    """
    above = scores[labels][:, None] - scores[~labels][None, :]
    return float((above > 0).mean() + (above == 0).mean() / 2)
