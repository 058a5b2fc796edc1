"""Latency, throughput, memory and disk as a corpus grows, each beside something run in the same minute.

Each size is measured in a process of its own, over a corpus of that many real documents taken evenly from the
sets, asked the questions of one set.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from eval.bench.speed import REPEATS, seconds_of

CORPORA = ("scifact", "nq", "squad2", "mtragun", "clapnq")
"""The sets whose documents make up the corpus, a document of each in turn."""
ASKED = "nq"
QUESTIONS = 60
SIZES = (100, 1000, 5000)
THREADS = 4
SAMPLE = 100
"""How many chunks are embedded alone, to compare indexing with."""
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Scale:
    """What one size costs.

    Attributes:
        documents: How many were indexed.
        chunks: How many they were cut into.
        index_s: Seconds of the first index run.
        embedding_s: Seconds that embedding alone takes for as many chunks, measured on a sample beside it.
        again_s: Seconds of a second run over what did not change.
        ask_p50_s: Median seconds of a question not asked before, on a warm engine.
        ask_p95_s: 95th percentile (nearest rank).
        embed_s: Median seconds of embedding one question, beside it.
        alone: Questions a second from one thread, asked before.
        together: The same from `THREADS` threads.
        bare_mb: Resident megabytes with the embedder loaded and no index open.
        open_mb: Resident megabytes with the index open, after the questions.
        text_mb: Megabytes of the documents' text.
        disk_mb: Megabytes of the store.
    """

    documents: int
    chunks: int
    index_s: float
    embedding_s: float
    again_s: float
    ask_p50_s: float
    ask_p95_s: float
    embed_s: float
    alone: float
    together: float
    bare_mb: float
    open_mb: float
    text_mb: float
    disk_mb: float


def compare(data: Path, sizes: Sequence[int] = SIZES) -> None:
    """Print a table: a column a size, absolute figures with their ratio to what was run beside them."""
    found = [measured(data, size) for size in sizes]
    for name, cells in _rows(found):
        print(f"{name:44}" + "".join(f"{cell:>20}" for cell in cells), flush=True)


def measured(data: Path, size: int) -> Scale:
    """The cost of one size, in a process of its own.

    Raises:
        ValueError: The sets hold fewer documents.
    """
    documents = list(islice(_documents(data), size))
    if len(documents) < size:
        raise ValueError(f"the sets under {data} hold {len(documents)} documents, not {size}. Ask for fewer.")
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.jsonl"
        corpus.write_text("".join(json.dumps(row) + "\n" for row in documents), encoding="utf-8")
        command = [sys.executable, "-m", "eval.bench.scale", str(corpus), str(data / ASKED / "queries.jsonl")]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        return Scale(**json.loads(done.stdout.splitlines()[-1]))


def _documents(data: Path) -> Iterator[dict[str, Any]]:
    """The documents of all sets, one of each in turn."""
    paths = [path for name in CORPORA for path in (data / "corpora" / name, data / name)]
    files = [path / "corpus.jsonl" for path in paths if (path / "corpus.jsonl").is_file()]
    for row in zip_longest(*(path.read_text(encoding="utf-8").split("\n") for path in files)):
        yield from (json.loads(line) for line in row if line)


def _rows(found: Sequence[Scale]) -> Iterator[tuple[str, list[str]]]:
    yield "documents", [f"{one.documents:,}" for one in found]
    yield "chunks", [f"{one.chunks:,}" for one in found]
    yield "first index (over embedding alone)", [_beside(one.index_s, one.embedding_s, "s") for one in found]
    yield (
        "second index (first over it)",
        [f"{one.again_s:.2f} s ({one.index_s / one.again_s:.0f})" for one in found],
    )
    yield (
        "new question p50 (over embedding it)",
        [_beside(one.ask_p50_s * 1000, one.embed_s * 1000, "ms") for one in found],
    )
    yield (
        "new question p95 (over p50)",
        [_beside(one.ask_p95_s * 1000, one.ask_p50_s * 1000, "ms") for one in found],
    )
    yield (
        f"asked again, {THREADS} threads (over one)",
        [_beside(one.together, one.alone, "/s") for one in found],
    )
    yield "memory (over the embedder alone)", [_beside(one.open_mb, one.bare_mb, "MB") for one in found]
    yield "disk (over the text)", [_beside(one.disk_mb, one.text_mb, "MB") for one in found]


def _beside(value: float, other: float, unit: str) -> str:
    return f"{value:.1f} {unit} ({value / other:.2f})"


def _measure(corpus: Path, questions: Sequence[str], store: Path) -> Scale:
    from rag.embedding import MiniLM
    from rag.engine import index, start

    embedder = MiniLM()
    embedded = [seconds_of(partial(embedder.embed, [question])) for question in questions[: 2 * REPEATS]]
    bare = _resident_mb()
    first, again = index([corpus], store=store), index(store=store)
    with start(store=store) as engine:
        for question in questions[::2]:
            engine.ask(question)
        asked = [seconds_of(partial(engine.ask, question)) for question in questions[1::2]]
        alone, together = (_throughput(engine.ask, questions, threads) for threads in (1, THREADS))
        texts = [engine.search(question, 2).chunks[0].chunk.text for question in questions[:SAMPLE]]
        size = sum(len(document.text.encode()) for document in engine.documents())
        opened = _resident_mb()
    embedding = seconds_of(partial(embedder.embed, texts)) / len(texts) * first.chunks
    ordered = sorted(asked)
    return Scale(
        documents=first.documents,
        chunks=first.chunks,
        index_s=first.seconds,
        embedding_s=embedding,
        again_s=again.seconds,
        ask_p50_s=statistics.median(ordered),
        ask_p95_s=ordered[-(-95 * len(ordered) // 100) - 1],
        embed_s=statistics.median(embedded),
        alone=alone,
        together=together,
        bare_mb=bare,
        open_mb=opened,
        text_mb=size / MEGABYTE,
        disk_mb=sum(path.stat().st_size for path in store.rglob("*") if path.is_file()) / MEGABYTE,
    )


def _throughput(ask: Any, questions: Sequence[str], threads: int) -> float:
    """Questions a second from several threads at once, all asked before: their sentences are embedded."""
    asked = [*questions, *questions]
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(ask, asked))
    return len(asked) / (time.perf_counter() - started)


def _resident_mb() -> float:
    """The memory that this process holds now, as Linux says."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / MEGABYTE


def _main() -> None:
    corpus, asked = map(Path, sys.argv[1:])
    rows = [json.loads(line) for line in asked.read_text(encoding="utf-8").split("\n") if line]
    questions = [row["question"] for row in rows[:: max(1, len(rows) // QUESTIONS)]][:QUESTIONS]
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asdict(_measure(corpus, questions, Path(folder) / "store"))))


if __name__ == "__main__":
    _main()
