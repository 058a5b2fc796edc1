"""The run: questions -> answers of the engine -> judged records -> files and a verdict."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from eval.dataset import Question, corpus_texts, load, validate
from eval.metrics import Rate, Score, score, summarise
from eval.thresholds import breaches
from rag.errors import CitewellError, NotFoundError
from rag.types import Answer, Document, Turn

Json = dict[str, Any]


class Engine(Protocol):
    """What the judge asks of an engine."""

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Answer a question."""
        ...

    def document(self, doc_id: str) -> Document:
        """A document of the corpus, or NotFoundError."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """One question, its answer as JSON without timings, and its score; `seconds` is wall time."""

    question: Question
    answer: Json
    score: Score
    seconds: Mapping[str, float]

    def to_json(self) -> Json:
        """The record as it is written: the same bytes each time."""
        judged = asdict(self.score) | {"right": self.score.right}
        expected = list(self.question.answers)
        return {
            "id": self.question.id,
            "type": self.question.type,
            "expected": expected,
            "answer": self.answer,
            "score": judged,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finished run: the records, the measures over them, and what is below the gate."""

    gold: str
    corpus: str
    records: tuple[Record, ...]
    summary: Mapping[str, Rate]
    breaches: tuple[str, ...]

    def to_json(self) -> Json:
        """The verdict as the JSON object that `python -m eval --json` prints."""
        failures = [record.score.id for record in self.records if not record.score.right]
        return {
            "gold": self.gold,
            "corpus": self.corpus,
            "questions": len(self.records),
            "passed": not self.breaches,
            "breaches": list(self.breaches),
            "failures": failures,
            "measures": {name: _rate_json(rate) for name, rate in self.summary.items()},
        }


def run(gold: Path, corpus: Path, store: Path | None, out: Path, as_set: bool = False) -> Verdict:
    """Ask the engine every question of a set, judge the answers and write the records.

    Args:
        gold: The question set.
        corpus: The documents; a folder, or a file of records.
        store: Where the index lives; a folder that is deleted afterwards, where None.
        out: Where the records go, as JSON lines; the timings go beside it, in `<name>.timings.jsonl`.
        as_set: Use the models that the settings name, in place of the embedded ones.

    Raises:
        DatasetError: The set is broken.
        CitewellError: The engine could not be opened, or failed at a question.
    """
    questions = load(gold)
    texts = corpus_texts(corpus)
    validate(gold, questions, texts)
    with _opened(corpus, store, as_set) as engine:
        records = tuple(judge(questions, engine, texts))
    write(records, out)
    scores = [record.score for record in records]
    summary = summarise(scores)
    return Verdict(str(gold), str(corpus), records, summary, breaches(summary, scores))


def judge(questions: Iterable[Question], engine: Engine, texts: Mapping[str, str]) -> Iterator[Record]:
    """Ask and score the questions one by one, each once.

    Args:
        questions: The set.
        engine: Asked; its own text of a document serves only where `texts` does not hold it.
        texts: The corpus, read without the engine.
    """
    known = dict(texts)
    for question in questions:
        answer = _plain(_ask(question, engine).to_json())
        seconds = answer.pop("timings")
        for doc_id in {citation["doc_id"] for citation in answer["citations"]} - known.keys():
            known |= _text_of(doc_id, engine)
        yield Record(question, answer, score(question, answer, known), seconds)


def write(records: Sequence[Record], out: Path) -> None:
    """Write the records and, apart from them, the timings, both as JSON lines."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(_lines(record.to_json() for record in records), encoding="utf-8")
    timings = ({"id": record.question.id, **record.seconds} for record in records)
    out.with_suffix(".timings.jsonl").write_text(_lines(timings), encoding="utf-8")


@contextmanager
def _opened(corpus: Path, store: Path | None, as_set: bool) -> Iterator[Engine]:
    from rag import open_engine
    from rag.settings import MINILM, load_settings

    with tempfile.TemporaryDirectory(prefix="citewell-eval-") as scratch:
        settings = load_settings(store or Path(scratch) / "store")
        if not as_set:
            settings = settings.model_copy(update={"llm": "", "embedding": MINILM})
        yield open_engine(corpus, store=settings.store, settings=settings)


def _ask(question: Question, engine: Engine) -> Answer:
    try:
        return engine.ask(question.question, history=question.history)
    except CitewellError as error:
        raise type(error)(f"At the question {question.id!r}: {error}") from error


def _text_of(doc_id: str, engine: Engine) -> dict[str, str]:
    try:
        return {doc_id: engine.document(doc_id).text}
    except NotFoundError:
        return {}


def _plain(answer: Json) -> Json:
    """The answer as a reader of its JSON has it."""
    return dict(json.loads(json.dumps(answer)))


def _lines(rows: Iterable[Json]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _rate_json(rate: Rate) -> Json:
    value, interval = rate.value, rate.interval
    return {
        "count": rate.count,
        "total": rate.total,
        "value": None if value is None else round(value, 4),
        "interval": None if interval is None else [round(bound, 4) for bound in interval],
    }
