"""The one place where the parts meet: a store, an embedder and an answerer make an engine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rag.citations import Citer, recited
from rag.embedding import Embedder, MiniLM, open_embedder
from rag.errors import EndpointError, NoIndexError, QuestionError, StoreError
from rag.extract import COMPARED, Extract, extract
from rag.index import is_indexed, update
from rag.reader import Reader
from rag.retrieve import retrieve
from rag.settings import DEFAULT_STORE, Settings, load_settings
from rag.snapshot import Corpus, Snapshot
from rag.spelling import mended
from rag.types import (
    Answer,
    Claim,
    ClaimReady,
    Document,
    Done,
    Dropped,
    Event,
    IndexReport,
    Ranking,
    Retrieved,
    Status,
    Timings,
    Turn,
    Usage,
)
from rag.weigh import WEIGHTS, WEIGHTS_ALONE, Sources

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms.llm import LLM

    from rag.llamaindex import CitedQueryEngine

SEEDS = Path("seeds")
DEFAULT_K = 10
_BYTES_A_MB = 1_000_000


def open_engine(
    path: str | Path | None = None,
    store: str | Path | None = None,
    settings: Settings | None = None,
    *,
    llm: LLM | None = None,
    embed_model: BaseEmbedding | None = None,
) -> CitedQueryEngine:
    """Open an engine over indexed documents, indexing on first use.

    Args:
        path: A folder or file to bring the index up to first; None opens what is there.
        store: The folder of the index; `CITEWELL_STORE`, or `.citewell`, where it is None.
        settings: In place of those of the environment and `.env`.
        llm: Any LlamaIndex model, in place of the one that `CITEWELL_LLM` names.
        embed_model: Any LlamaIndex embedding model, in place of the one that `CITEWELL_EMBEDDING` names.

    Returns:
        An engine of ours and a LlamaIndex query engine in one; close it, or use it in a `with` block.

    Raises:
        NoIndexError: No path was given and nothing is indexed.
        CitewellError: What else stands in the way, in one line.
    """
    from rag.embedding import LlamaEmbedder
    from rag.llamaindex import CitedQueryEngine

    embedder = LlamaEmbedder(embed_model) if embed_model is not None else None
    return CitedQueryEngine(start(path, store, settings, llm=llm, embedder=embedder))


def start(
    path: str | Path | None = None,
    store: str | Path | None = None,
    settings: Settings | None = None,
    *,
    llm: LLM | None = None,
    embedder: Embedder | None = None,
) -> Engine:
    """Open an engine as `open_engine` does, without LlamaIndex around it, which takes seconds to import."""
    settings = configured(settings, store)
    embedder = embedder or open_embedder(settings)
    if path is not None:
        index([path], settings=settings, embedder=embedder)
    elif not is_indexed(settings.store):
        if settings.store != DEFAULT_STORE or not SEEDS.is_dir():
            raise NoIndexError(
                f"There is no index in `{settings.store}`. Run `citewell index PATH…{_flag(settings)}` first."
            )
        index([SEEDS], settings=settings, embedder=embedder)
    return Engine(Corpus(settings.store, embedder), embedder, settings, llm)


def index(
    paths: Sequence[str | Path] = (),
    *,
    remove: Sequence[str] = (),
    store: str | Path | None = None,
    settings: Settings | None = None,
    embedder: Embedder | None = None,
) -> IndexReport:
    """Bring an index up to its roots and the given paths; without any, up to `seeds/` where that is there.

    Raises:
        NoIndexError: No path was given, no root is remembered, and there is no `seeds/`.
        CitewellError: What else stands in the way, in one line.
    """
    settings = configured(settings, store)
    if not paths and not remove and not is_indexed(settings.store):
        if not SEEDS.is_dir():
            raise NoIndexError(f"There is nothing to index. Run `citewell index PATH…{_flag(settings)}`.")
        paths = [SEEDS]
    return update(
        settings.store,
        embedder or open_embedder(settings),
        add=[Path(path) for path in paths],
        remove=remove,
        max_bytes=int(settings.max_file_mb * _BYTES_A_MB),
        show_progress=sys.stderr.isatty(),
    )


def configured(settings: Settings | None, store: str | Path | None) -> Settings:
    """The settings given or those of the environment, with the store replaced where one is given."""
    if settings is None:
        return load_settings(store)
    return settings if store is None else settings.model_copy(update={"store": Path(store)})


@dataclass(frozen=True, slots=True)
class _Unfit:
    """What a language model gave that could not be shown."""

    dropped: tuple[Dropped, ...] = ()
    notice: str = ""
    usage: Usage | None = None


_FIT = _Unfit()


class Engine:
    """Answers questions about what a store holds; safe to use from several threads.

    Args:
        corpus: The indexed documents.
        embedder: The one that made the index.
        settings: Limits, and the name of a language model.
        llm: A LlamaIndex model; where it is None, the one that the settings name, if they name one.
    """

    def __init__(
        self, corpus: Corpus, embedder: Embedder, settings: Settings, llm: LLM | None = None
    ) -> None:
        self.settings = settings
        self._corpus = corpus
        self._embed = embedder.embed
        self._weights = WEIGHTS if embedder.name == MiniLM.name else WEIGHTS_ALONE
        self._reader = Reader()
        self._llm = llm if llm is not None or not settings.llm else _open_llm(settings)

    @property
    def mode(self) -> str:
        """`extractive`, or the name of the language model that answers."""
        return "extractive" if self._llm is None else self._llm.metadata.model_name

    def ask(
        self, question: str, history: Sequence[Turn] = (), *, within: Collection[str] | None = None
    ) -> Answer:
        """Answer a question.

        Args:
            question: As a person asks it.
            history: The conversation before it.
            within: The ids of the documents to answer from, or None for all.

        Raises:
            QuestionError: It is empty or too long.
            NotFoundError: There is no document of an id in `within`.
            StoreError: The index cannot be read.
        """
        events = self.stream(question, history, within=within)
        return next(event.answer for event in events if isinstance(event, Done))

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, within: Collection[str] | None = None
    ) -> Iterator[Event]:
        """Answer a question piece by piece: `Retrieved`, a `ClaimReady` for each checked sentence, `Done`.

        Takes what `ask` takes, and raises what it raises.
        """
        question = self._checked(question)
        started = time.perf_counter()

        def read(snapshot: Snapshot) -> Ranking:
            return retrieve(mended(question, snapshot), snapshot, self._embed, COMPARED, within)

        with self._retrieved(read) as (ranking, snapshot):
            retrieved = time.perf_counter()
            shown = max(DEFAULT_K, self.settings.passages)
            yield Retrieved(replace(ranking, chunks=ranking.chunks[:shown]))
            answer = yield from self._answer(question, ranking, snapshot)
            seconds = Timings(retrieved - started, time.perf_counter() - retrieved)
        yield Done(replace(answer, timings=seconds))

    def search(self, question: str, k: int = DEFAULT_K) -> Ranking:
        """The k chunks nearest to a question, best first.

        Raises:
            QuestionError: It is empty or too long, or k is below 1.
        """
        if k < 1:
            raise QuestionError(f"k is {k}; ask for at least 1 chunk.")
        question = self._checked(question)
        with self._retrieved(lambda snapshot: retrieve(question, snapshot, self._embed, k)) as (ranking, _):
            return ranking

    def document(self, doc_id: str) -> Document:
        """A document by its id; raises NotFoundError where there is none."""
        with self._corpus.reading() as snapshot:
            return snapshot.document(doc_id)

    def documents(self) -> tuple[Document, ...]:
        """All documents, by doc_id."""
        with self._corpus.reading() as snapshot:
            return tuple(snapshot.documents.values())

    def close(self) -> None:
        """Close the index after the questions in flight."""
        self._corpus.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def _checked(self, question: str) -> str:
        most = self.settings.max_question_chars
        question = question.strip()
        if not question:
            raise QuestionError("The question is empty. Ask something.")
        if any("\ud800" <= character <= "\udfff" for character in question):
            raise QuestionError("The question holds half a character (a lone surrogate). Type it again.")
        if len(question) > most:
            raise QuestionError(
                f"The question has {len(question):,} characters, more than the {most:,} allowed. "
                "Shorten it, or raise CITEWELL_MAX_QUESTION_CHARS."
            )
        return question

    @contextmanager
    def _retrieved(self, read: Callable[[Snapshot], Ranking]) -> Iterator[tuple[Ranking, Snapshot]]:
        """The ranking that is read from a snapshot, and the snapshot: its places hold in no other."""
        with ExitStack() as held:
            snapshot = held.enter_context(self._corpus.reading())
            try:
                ranking = read(snapshot)
            except StoreError:
                # the index was swapped under a question in flight, and what it read is gone
                fresh = held.enter_context(self._corpus.reading())
                if fresh is snapshot:
                    raise
                snapshot, ranking = fresh, read(fresh)
            yield ranking, snapshot

    def _answer(
        self, question: str, ranking: Ranking, snapshot: Snapshot
    ) -> Generator[ClaimReady, None, Answer]:
        if self._llm is None or not ranking.chunks:
            return (yield from self._extracted(question, ranking, snapshot))
        return (yield from self._generated(question, ranking, snapshot, self._llm))

    def _extracted(
        self, question: str, ranking: Ranking, snapshot: Snapshot, unfit: _Unfit = _FIT
    ) -> Generator[ClaimReady, None, Answer]:
        """The embedded answer, after what a model made that could not be shown."""
        citer = Citer(snapshot.document)
        found = self._extract(ranking, snapshot, citer)
        for claim in found.claims:
            yield _ready(claim, citer)
        answer = _answered(question, ranking, found.claims, citer, found)
        return replace(answer, dropped=unfit.dropped, notice=unfit.notice, usage=unfit.usage)

    def _generated(
        self, question: str, ranking: Ranking, snapshot: Snapshot, llm: LLM
    ) -> Generator[ClaimReady, None, Answer]:
        """The model's answer; the embedded one where nothing that it wrote holds."""
        from rag.generate import generate

        citer, notice = Citer(snapshot.document), ""
        told: list[Claim | Dropped | Usage] = []
        try:
            for item in generate(question, ranking, llm, citer, self.settings):
                told.append(item)
                if isinstance(item, Claim):
                    yield _ready(item, citer)
        except EndpointError as error:
            notice = str(error)
        claims = tuple(item for item in told if isinstance(item, Claim))
        dropped = tuple(item for item in told if isinstance(item, Dropped))
        usage = next((item for item in told if isinstance(item, Usage)), None)
        if not claims and (dropped or notice):
            notice = notice or f"The documents carry nothing that {self.mode} wrote."
            unfit = _Unfit(dropped, f"{notice} This is the embedded answer.", usage)
            return (yield from self._extracted(question, ranking, snapshot, unfit))
        apart = Citer(snapshot.document)
        found = self._extract(ranking, snapshot, apart)
        conflicts = tuple(recited(one, apart, citer) for one in found.conflicts) if claims else ()
        reason = "" if claims else f"The documents do not say, by the reading of {self.mode}."
        answer = _answered(
            question, ranking, claims, citer, replace(found, reason=reason, conflicts=conflicts)
        )
        return replace(answer, dropped=dropped, notice=notice, usage=usage, mode=self.mode)

    def _extract(self, ranking: Ranking, snapshot: Snapshot, citer: Citer) -> Extract:
        searches = snapshot.generation
        if searches is None:
            return Extract((), 0.0, "There is nothing in the index.", ())
        sources = Sources(
            ranking, self._reader, searches.rarity, snapshot.title, searches.mentions, self._weights
        )
        return extract(ranking.question, sources, citer)


def _ready(claim: Claim, citer: Citer) -> ClaimReady:
    return ClaimReady(claim, tuple(citer.citations[marker - 1] for marker in claim.citations))


def _answered(
    question: str, ranking: Ranking, claims: tuple[Claim, ...], citer: Citer, found: Extract
) -> Answer:
    status: Status = "refused"
    if claims:
        status = "conflict" if found.conflicts else "partial" if found.reason else "answered"
    return Answer(
        question=question,
        standalone=ranking.question,
        status=status,
        confidence=found.confidence,
        claims=claims,
        citations=citer.citations,
        timings=Timings(0.0, 0.0),
        conflicts=found.conflicts if claims else (),
        reason=found.reason,
        nearest=() if claims else found.nearest,
    )


def _flag(settings: Settings) -> str:
    return "" if settings.store == DEFAULT_STORE else f" --store {settings.store}"


def _open_llm(settings: Settings) -> LLM:
    from rag.generate import open_llm

    return open_llm(settings)
