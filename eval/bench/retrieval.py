"""Retrieval by document on third-party sets, beside the same recipe on whole passages.

Citewell's side goes the way of every user: `citewell index corpus.jsonl`, then `citewell search --jsonl`,
and the rank of a document is that of its best chunk. The other side embeds each passage whole (MiniLM reads
the first 256 tokens), scores every passage in both searches, and fuses them by the same convex combination.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORPORA = {
    "squad2": "squad2/corpus.jsonl",
    "nq": "nq/corpus.jsonl",
    "multihoprag": "corpora/multihoprag/corpus_facts.jsonl",
    "scifact": "corpora/scifact/corpus.jsonl",
}
MEASURES = ("Success@1", "RR@10", "nDCG@10", "R@10")
K = 100

Run = dict[str, dict[str, float]]
"""question id -> doc_id -> score, higher is better."""


@dataclass(frozen=True, slots=True)
class Set:
    """A set of questions with the documents that answer them.

    Attributes:
        name: The folder's name.
        corpus: The path of its corpus.
        questions: The answerable ones: id and text.
        relevant: question id -> the ids of the documents that answer it.
    """

    name: str
    corpus: Path
    questions: dict[str, str]
    relevant: dict[str, set[str]]


def load(data: Path, name: str) -> Set:
    """Read a set from the folder of all sets."""
    rows = [json.loads(line) for line in (data / name / "queries.jsonl").open(encoding="utf-8")]
    rows = [row for row in rows if row["answerable"] and row["evidence"]]
    return Set(
        name,
        data / CORPORA[name],
        {row["id"]: row["question"] for row in rows},
        {row["id"]: {piece["doc_id"] for piece in row["evidence"]} for row in rows},
    )


def citewell_run(questions: Set, store: Path) -> Run:
    """Index and ask through the command line, and rank documents by their best chunk."""
    command = [sys.executable, "-m", "ui.cli"]
    subprocess.run([*command, "index", str(questions.corpus), "--store", str(store)], check=True)
    asked = "".join(json.dumps({"id": i, "question": q}) + "\n" for i, q in questions.questions.items())
    done = subprocess.run(
        [*command, "search", "--jsonl", "--k", str(K), "--store", str(store)],
        input=asked,
        capture_output=True,
        text=True,
        check=True,
    )
    return {reply["id"]: best_chunks(reply["ranking"]) for reply in map(json.loads, done.stdout.splitlines())}


def best_chunks(ranking: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Documents by the place of their best chunk, as scores that fall with it.

    Examples:
        >>> best_chunks([{"doc_id": "b"}, {"doc_id": "a"}, {"doc_id": "b"}])
        {'b': 1.0, 'a': 0.5}
    """
    order = dict.fromkeys(chunk["doc_id"] for chunk in ranking)
    return {doc_id: 1 / place for place, doc_id in enumerate(order, start=1)}


def whole_passage_run(questions: Set) -> Run:
    """The same recipe on whole passages, every passage scored in both searches."""
    import bm25s
    import numpy as np

    from rag.embedding import MiniLM
    from rag.generation import K1, B
    from rag.index import searched_text
    from rag.terms import terms

    rows = [json.loads(line) for line in questions.corpus.open(encoding="utf-8")]
    texts = [searched_text(row["title"] or "", row["text"]) for row in rows]
    names = np.array([row["doc_id"] for row in rows])
    embedder = MiniLM()
    passages, asked = embedder.embed(texts), embedder.embed(list(questions.questions.values()))
    words = bm25s.BM25(k1=K1, b=B)
    words.index([terms(text) for text in texts], show_progress=False)
    run: Run = {}
    for (name, question), vector in zip(questions.questions.items(), asked, strict=True):
        known = [stem for stem in terms(question) if stem in words.vocab_dict]
        lexical = words.get_scores(known) if known else np.zeros(len(rows))
        fused = (_scaled(passages @ vector) + _scaled(lexical)) / 2
        best = np.argsort(-fused, kind="stable")[:K]
        run[name] = dict(zip(names[best].tolist(), fused[best].tolist(), strict=True))
    return run


def _scaled(scores: Any) -> Any:
    span = scores.max() - scores.min()
    return (scores - scores.min()) / span if span else scores * 0


def measured(questions: Set, run: Run) -> dict[str, float]:
    """The mean of each measure (ir-measures), over all questions."""
    import ir_measures

    judged = {name: dict.fromkeys(ids, 1) for name, ids in questions.relevant.items()}
    measures = [ir_measures.parse_measure(name) for name in MEASURES]
    values = ir_measures.calc_aggregate(measures, judged, run)
    return {str(measure): float(values[measure]) for measure in measures}


def compare(data: Path, names: Sequence[str]) -> None:
    """Print both sides of each set."""
    print(f"{'set':12} {'questions':>9}  {'side':15}" + "".join(f"{name:>11}" for name in MEASURES))
    for name in names or CORPORA:
        questions = load(data, name)
        with tempfile.TemporaryDirectory() as folder:
            sides = {"citewell": citewell_run(questions, Path(folder) / "store")}
        sides["whole passages"] = whole_passage_run(questions)
        for side, run in sides.items():
            figures = measured(questions, run)
            print(
                f"{name:12} {len(questions.questions):9}  {side:15}"
                + "".join(f"{figures[m]:11.4f}" for m in MEASURES),
                flush=True,
            )
