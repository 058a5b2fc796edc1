"""The run: the questions of a set -> answers of the engine -> judged records, in a folder.

Questions are asked several at a time and written in the order of the set, each line as soon as the lines
before it are there. A run that was killed goes on after its last whole line, and its bytes are then those of
one that nobody killed.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from eval.dataset import Question
from eval.folder import alone, manifest, read_manifest, resume, shown
from eval.metrics import figures, judge, risk_coverage
from eval.records import RECORDS, TIMINGS, Record, Run, line_of, read_lines, read_run, write_figures
from eval.thresholds import ANY, breaches
from rag.errors import CitewellError, NotFoundError, StoreError
from rag.types import Done, Event, Ranking, Retrieved, Turn

if TYPE_CHECKING:
    from eval.sets import QuestionSet
    from rag.settings import Settings
    from rag.types import Document

Json = dict[str, Any]
RANKED = 10
"""How many chunks of a ranking a record keeps."""
PROGRESS = "{desc}: {n_fmt} of {total_fmt} |{bar}| {elapsed}, {remaining} left"
AROUND = 200
"""How many characters on either side of a citation a record keeps."""


class Engine(Protocol):
    """What the judge asks of an engine."""

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, within: Collection[str] | None = None
    ) -> Iterator[Event]:
        """Answer a question piece by piece."""
        ...

    def document(self, doc_id: str) -> Document:
        """A document of the corpus, or NotFoundError."""
        ...


def run(
    asked: QuestionSet,
    out: Path,
    *,
    store: Path | None = None,
    jobs: int = 1,
    limit: int | None = None,
    fresh: bool = False,
    as_set: bool = False,
) -> Run:
    """Ask the engine every question of a set, judge the answers and write the folder of the run.

    Args:
        asked: The set.
        out: The folder; an unfinished run of the same that is there goes on.
        store: Where the index lives, which may hold the set's documents alone; a folder that is deleted
            afterwards, where None.
        jobs: How many questions are asked at a time.
        limit: Ask the first so many alone; of the gate, only what holds for every set is then applied.
        fresh: Start anew, whatever is there.
        as_set: Use the models that the settings name, in place of the embedded ones.

    Raises:
        DatasetError: The records that are there cannot be read.
        CitewellError: The engine could not be opened, or failed at a question; what was written stays.
        OtherFilesError: The folder holds files of these names that are of no run.
    """
    questions = asked.questions[:limit]
    settings = _settings(as_set)
    wanted = manifest(asked, questions, settings)
    with alone(out):
        done = resume(out, wanted, questions, fresh)
        if done < len(questions):
            _announce(asked, len(questions))
            with (
                _opened(asked, store, settings) as engine,
                closing(_answers(asked, questions[done:], engine, jobs)) as found,
            ):
                _write(out, found, done, len(questions), asked.name)
        return _finish(asked, out)


def ask(
    question: Question,
    engine: Engine,
    texts: Mapping[str, str],
    within: Collection[str] | None = None,
    measures: Collection[str] = (),
    others: Collection[str] = (),
) -> tuple[Record, Json]:
    """Ask one question and judge the answer.

    Args:
        question: Of the set.
        engine: Asked; its own text of a document serves only for `others`.
        texts: The corpus by doc_id, read without the engine.
        within: The documents to answer from, or None for all.
        measures: The names of those that make sense; all, where there is none.
        others: The documents of the corpus that are no plain text, by doc_id.

    Returns:
        The record, and a line of the timings.

    Raises:
        CitewellError: The engine failed; the message names the question.
    """
    started = time.perf_counter()
    try:
        ranking, answer = _told(engine.stream(question.question, question.history, within=within))
    except CitewellError as error:
        raise type(error)(f"At the question {question.id!r}: {error}") from error
    seconds = answer.pop("timings") | {"wall_s": time.perf_counter() - started}
    known = {**texts, **read} if (read := _read(answer, others, engine)) else texts
    record = Record(
        id=question.id,
        part=question.part,
        type=question.type,
        question=question.question,
        answerable=question.answerable,
        expected=question.answers,
        answer=answer,
        score=judge(question, answer, ranking, known, measures),
        ranking=tuple(ranking),
        passages=tuple(_passages(answer, known)),
        history=tuple(asdict(turn) for turn in question.history),
        paraphrase_of=question.paraphrase_of,
    )
    timing = {name: round(value, 6) for name, value in seconds.items()}
    return record, {"id": question.id, **timing, **(answer["usage"] or {})}


def _answers(
    asked: QuestionSet, questions: Sequence[Question], engine: Engine, jobs: int
) -> Generator[tuple[Record, Json], None, None]:
    """Records and timings, in the order of the questions; the rest is given up where one fails."""
    others = _others(asked)

    def one(question: Question) -> tuple[Record, Json]:
        return ask(question, engine, asked.texts, asked.within(question), asked.measures, others)

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(one, questions)


def _announce(asked: QuestionSet, count: int) -> None:
    """Say to a terminal what is asked: the documents are read before the first answer comes."""
    if sys.stderr.isatty():
        print(f"{count} questions of {asked.name} over {shown(asked.corpus)}", file=sys.stderr)


def _write(out: Path, found: Iterable[tuple[Record, Json]], done: int, total: int, name: str) -> None:
    """Write each record as it comes, its timing first: no record is then without one."""
    from tqdm import tqdm

    rows = tqdm(
        found, name, total, leave=False, initial=done, disable=None, bar_format=PROGRESS, file=sys.stderr
    )
    with (
        (out / TIMINGS).open("a", encoding="utf-8") as timings,
        (out / RECORDS).open("a", encoding="utf-8") as records,
    ):
        for record, timing in rows:
            for file, row in ((timings, timing), (records, record.to_json())):
                file.write(line_of(row))
                file.flush()


def _finish(asked: QuestionSet, out: Path) -> Run:
    """Measure the records as they stand in the file, write the figures, and read all as others will."""
    records = tuple(map(Record.from_json, read_lines(out / RECORDS)))
    by_part = figures(records)
    manifest = read_manifest(out) or {}
    parts = {part: tuple(record for record in records if record.part == part) for part in by_part}
    found = Run(
        manifest=manifest,
        records=records,
        figures=by_part,
        risk_coverage={part: tuple(risk_coverage(held)) for part, held in parts.items()},
        breaches=breaches(asked.name if manifest["whole"] else ANY, by_part, records),
        references=asked.references,
    )
    write_figures(found, out)
    return read_run(out)


@contextmanager
def _opened(asked: QuestionSet, store: Path | None, settings: Settings) -> Iterator[Engine]:
    """The engine over the documents of a set; or the one stage of it that the set is for."""
    from rag.engine import start

    if asked.engine is not None:
        yield asked.engine
        return
    with (
        tempfile.TemporaryDirectory(prefix="citewell-eval-") as scratch,
        start(asked.corpus, store or Path(scratch) / "store", settings) as engine,
    ):
        if store is not None:
            _check_documents(asked, store, [document.doc_id for document in engine.documents()])
        yield engine


def _check_documents(asked: QuestionSet, store: Path, held: Iterable[str]) -> None:
    """Refuse an index that holds more than the documents of the set, by their doc_ids.

    Raises:
        StoreError: It does; the first such document is named.
    """
    strange = sorted(set(held) - asked.texts.keys() - _others(asked))
    if strange:
        raise StoreError(
            f"The index in `{store}` holds {len(strange)} documents that are none of {asked.name}, "
            f"as `{strange[0]}`. Name an empty folder with --store, or leave it out."
        )


def _others(asked: QuestionSet) -> frozenset[str]:
    """The files of the corpus that the set has no text of, by the doc_id that each has in an index."""
    root = asked.corpus
    paths = [root] if root.is_file() else root.rglob("*")
    names = {path.name if path == root else path.relative_to(root).as_posix() for path in paths}
    return frozenset(names) - asked.texts.keys()


def _settings(as_set: bool) -> Settings:
    from rag.settings import MINILM, load_settings

    settings = load_settings()
    return settings if as_set else settings.model_copy(update={"llm": "", "embedding": MINILM})


def _told(events: Iterable[Event]) -> tuple[list[Json], Json]:
    """The ranking without its texts, and the answer as a reader of its JSON has it."""
    ranking, answer = Ranking("", ()), {}
    for event in events:
        if isinstance(event, Retrieved):
            ranking = event.ranking
        elif isinstance(event, Done):
            answer = json.loads(json.dumps(event.answer.to_json()))
    rows = ranking.to_json()["ranking"][:RANKED]
    return [{name: value for name, value in row.items() if name != "text"} for row in rows], answer


def _read(answer: Json, others: Collection[str], engine: Engine) -> dict[str, str]:
    """The texts of cited documents that are no plain text, from the engine; of no other document."""
    found = {}
    for doc_id in {citation["doc_id"] for citation in answer["citations"]}.intersection(others):
        try:
            found[doc_id] = engine.document(doc_id).text
        except NotFoundError:
            continue
    return found


def _passages(answer: Json, texts: Mapping[str, str]) -> Iterator[Json]:
    for citation in answer["citations"]:
        text = texts.get(citation["doc_id"], "")
        start, end = citation["start"], citation["end"]
        before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
        yield {"marker": citation["marker"], "before": before, "after": after}
