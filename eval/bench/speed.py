"""Speeds on a corpus of the size that is asked for, each beside something run in the same minute."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from rag.types import IndexReport

REPEATS = 5


def median_s(act: Callable[[], object], repeats: int = REPEATS) -> float:
    """The median of wall seconds over repeats."""
    return statistics.median(seconds_of(act) for _ in range(repeats))


def seconds_of(act: Callable[[], object]) -> float:
    """Wall seconds of doing something once."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _command(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def commands(seeds: Path, store: Path) -> Iterator[tuple[str, float, str]]:
    """Whole commands on the corpus that ships: name, seconds, beside what."""
    asked = ("-m", "ui.cli", "ask", "How much was Durov's bail?", "--store", str(store))
    subprocess.run([sys.executable, "-m", "ui.cli", "index", str(seeds), "--store", str(store)], check=True)
    bare = median_s(_command("-c", "pass"))
    for name, command in (("citewell --help", ("-m", "ui.cli", "--help")), ("citewell ask, cold", asked)):
        seconds = median_s(_command(*command))
        yield name, seconds, f"python -c pass {bare:.3f} s"


def answers(store: Path, questions: Sequence[str]) -> Iterator[tuple[str, float, str]]:
    """`engine.ask` on an open index that other questions have warmed; and the embedding of a question."""
    from rag.embedding import MiniLM
    from rag.engine import start

    embedder = MiniLM()
    with start(store=store) as engine:
        for question in questions[::2]:
            engine.ask(question)
        asked = [seconds_of(partial(engine.ask, question)) for question in questions[1::2]]
    embedder.embed(questions[:1])
    embedded = [seconds_of(partial(embedder.embed, [question])) for question in questions]
    beside = f"embedding the question {statistics.median(embedded):.4f} s"
    yield f"engine.ask, warm, p50 of {len(asked)}", statistics.median(asked), beside


def retrieval(store: Path, questions: Sequence[str]) -> Iterator[tuple[str, float, str]]:
    """Retrieval without the embedding of the question, p50."""
    from rag.embedding import open_embedder
    from rag.retrieve import rank
    from rag.settings import load_settings
    from rag.snapshot import Corpus

    embedder = open_embedder(load_settings(store))
    vectors = embedder.embed(questions)
    corpus = Corpus(store, embedder)
    with corpus.reading() as snapshot:
        pairs = list(zip(questions, vectors, strict=True))
        for question, vector in pairs[:20]:
            rank(question, vector, snapshot, 10)
        spent = [seconds_of(partial(rank, question, vector, snapshot, 10)) for question, vector in pairs]
        size = len(snapshot.rows)
    embedded = median_s(lambda: embedder.embed([questions[0]]), 20)
    corpus.close()
    yield f"retrieval at {size:,} chunks, p50", statistics.median(spent), f"embedding one {embedded:.4f} s"


def indexing(corpus: Path, store: Path) -> Iterator[tuple[str, float, str]]:
    """A first index run, and a second over what did not change."""
    from rag.engine import index

    first: IndexReport = index([corpus], store=store)
    yield (
        f"index, first, {first.chunks:,} chunks",
        first.seconds,
        f"{first.chunks / first.seconds:.0f} chunks/s",
    )
    second = index(store=store)
    yield "index, second, unchanged", second.seconds, f"{first.seconds / second.seconds:.0f} times as fast"


def compare(data: Path, seeds: Path) -> None:
    """Print all speeds."""
    rows = [json.loads(line) for line in (data / "scifact" / "queries.jsonl").open(encoding="utf-8")]
    questions = [row["question"] for row in rows]
    gold = Path(__file__).parents[1] / "gold" / "durov.jsonl"
    asked = [json.loads(line)["question"] for line in gold.open(encoding="utf-8")]
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small", Path(folder) / "large"
        for stage in (
            commands(seeds, small),
            answers(small, asked),
            indexing(data / "corpora" / "scifact" / "corpus.jsonl", large),
            retrieval(large, questions),
        ):
            for name, seconds, beside in stage:
                print(f"{name:36} {seconds:9.4f} s   ({beside})", flush=True)
