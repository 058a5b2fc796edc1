"""What the embedded reader learns from: questions, each with what the engine's own retrieval gives for it.

A question goes to one of three sides by its article's title, whatever its set, so that no article is on two:
a fifth of the articles are for the figures alone ("dev"), a tenth for the weights that combine the reader
with other signs ("fit"), the rest for training.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from reader_stories import documents_of, questions_of

from rag.chunks import RECIPE
from rag.engine import index, start
from rag.retrieve import retrieve
from rag.snapshot import Snapshot
from rag.types import Chunk, Ranking

STORIES = Path(__file__).parent / "stories"
"""The set written for this: invented news and other texts, with questions that they nearly answer."""
SIDED = ("squad2", "nq", "clapnq", "stories")
"""Sets whose articles are divided among the sides."""
TRAINED_ONLY = ("squadshifts_wiki",)
"""Sets whose articles are all for training, but for those that a divided set holds back."""
RETRIEVED = 10
STRANGERS = {"train": 100, "fit": 60, "dev": 200}
"""How many questions of another set are asked of a corpus, as ones that it cannot answer."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk with its document's title.

    Attributes:
        doc_id: The document.
        title: Its title.
        start: Where the chunk begins in it.
        sentences: The chunk's sentences, runs of white space made one space.
    """

    doc_id: str
    title: str
    start: int
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was asked of a corpus.

    Attributes:
        id: The question's.
        corpus: The set whose corpus was asked.
        own: Whether it is a question of that set.
        side: "train", "fit" or "dev".
        question: Its words.
        answers: Short answers.
        evidence: The annotated sentences, in a set that has them.
        answerable: Whether its document answers it.
        doc_id: The document that it was written for, or the first of its story; empty for a question of
            another set.
        title: That document's title.
        read: The chunks retrieved, best first.
        scores: The fused score of each, in [0, 1].
        written_for: The chunks of its document, or of all documents of its story.
    """

    id: str
    corpus: str
    own: bool
    side: str
    question: str
    answers: tuple[str, ...]
    evidence: tuple[str, ...]
    answerable: bool
    doc_id: str
    title: str
    read: tuple[Piece, ...]
    scores: tuple[float, ...]
    written_for: tuple[Piece, ...]

    def owns(self, piece: Piece) -> bool:
        """Whether a chunk is of the question's document, or of its story."""
        return bool(self.doc_id) and story_of(piece.doc_id) == story_of(self.doc_id)


def story_of(doc_id: str) -> str:
    """The story that a document tells a part of; itself, in sets that have no stories.

    Examples:
        >>> [story_of(doc_id) for doc_id in ("a-01-3/2", "nq-8554dfc158")]
        ['a-01-3', 'nq-8554dfc158']
    """
    return doc_id.partition("/")[0]


def side_of(title: str) -> str:
    """Where the questions of an article go.

    Examples:
        >>> [side_of(title) for title in ("Harbour", "Boat", "River")]
        ['dev', 'fit', 'train']
    """
    number = int(hashlib.sha256(title.encode()).hexdigest(), 16)
    return "dev" if number % 5 == 0 else "fit" if number % 10 == 1 else "train"


def flat(text: str) -> str:
    """The text with its runs of white space made one space."""
    return " ".join(text.split())


def asked_of(data: Path, name: str, folder: Path) -> list[Asked]:
    """What retrieval gives for each question of a set, from the folder where it was gathered before.

    Args:
        data: The folder of the sets.
        name: The set.
        folder: Where what was gathered lies; another corpus or other questions are gathered anew.

    Raises:
        SystemExit: The set is not there.
    """
    place = folder / f"{name}-{_print_of(data, name)}.json"
    if not place.is_file():
        print(f"{name}: asking its questions of its corpus", flush=True)
        unfinished = place.with_suffix(".part")
        unfinished.write_text(json.dumps(_packed(gather(data, name))), encoding="utf-8")
        unfinished.replace(place)
    return _unpacked(json.loads(place.read_text(encoding="utf-8")))


def gather(data: Path, name: str) -> list[Asked]:
    """Index a set's corpora, and ask each through the engine's own retrieval."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for volume in volumes(data, name, Path(folder)):
            store = Path(folder) / "store" / volume.name
            index([volume.corpus], store=store)
            with start(store=store) as engine, engine._corpus.reading() as snapshot:
                pieces = _pieces(snapshot)
                found += [
                    _asked(
                        row, name, side, retrieve(row["question"], snapshot, engine._embed, RETRIEVED), pieces
                    )
                    for row, side in volume.questions
                ]
    return found


@dataclass(frozen=True, slots=True)
class Volume:
    """Documents that are asked together.

    Attributes:
        name: What it is called.
        corpus: The file of its documents.
        questions: What is asked of it, each question with its side.
    """

    name: str
    corpus: Path
    questions: tuple[tuple[dict[str, Any], str], ...]


def volumes(data: Path, name: str, folder: Path) -> Iterator[Volume]:
    """What is asked together: a whole set, or a few stories, so many as somebody's folder may hold.

    Args:
        data: The folder of the sets.
        name: The set.
        folder: Where to write the documents of parts of it.
    """
    if name != STORIES.name:
        yield Volume(name, path_of(data, name, "corpus"), tuple(questions(data, name)))
        return
    told: dict[str, list[str]] = defaultdict(list)
    for row in _rows(data, name, "corpus"):
        told[_volume_of(row["doc_id"])].append(json.dumps(row) + "\n")
    asked: dict[str, list[tuple[dict[str, Any], str]]] = defaultdict(list)
    for row, side in questions(data, name):
        asked[_volume_of(document_of(row))].append((row, side))
    for title, lines in told.items():
        corpus = folder / f"{title}.jsonl"
        corpus.write_text("".join(lines), encoding="utf-8")
        yield Volume(title, corpus, tuple(asked[title]))


def _volume_of(doc_id: str) -> str:
    """The volume of a story: `a-01` of `a-01-3/2`."""
    return story_of(doc_id).rpartition("-")[0]


def questions(data: Path, name: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The questions to ask of a corpus, each with its side: its own, then strangers, without a document."""
    titles = _titles(data, name)
    trained_only, held_back = name in TRAINED_ONLY, _held_back(data)
    for row in _rows(data, name, "queries"):
        title = titles[document_of(row)]
        if not trained_only:
            yield row, side_of(title)
        elif title.casefold() not in held_back:
            yield row, "train"
    if not trained_only and name != STORIES.name:
        yield from _strangers(data, "squad2" if name == "nq" else "nq")


def _held_back(data: Path) -> set[str]:
    """The titles that training must not see."""
    there = [name for name in SIDED if name == STORIES.name or (data / name).is_dir()]
    titles = {title for name in there for title in _titles(data, name).values()}
    return {title.casefold() for title in titles if side_of(title) != "train"}


def _strangers(data: Path, name: str) -> Iterator[tuple[dict[str, Any], str]]:
    if not (data / name).is_dir():
        return
    titles = _titles(data, name)
    rows = [row for row in _rows(data, name, "queries") if row["answerable"]]
    rows.sort(key=lambda row: hashlib.sha256(row["id"].encode()).digest())
    for side, most in STRANGERS.items():
        part = [row for row in rows if side_of(titles[document_of(row)]) == side]
        yield from (({**row, "evidence": [], "context_doc_id": None}, side) for row in part[:most])


def _rows(data: Path, name: str, file: str) -> Sequence[dict[str, Any]]:
    if name == STORIES.name:
        return _stories(STORIES, file)
    with path_of(data, name, file).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@lru_cache
def _stories(folder: Path, file: str) -> tuple[dict[str, Any], ...]:
    read = {"corpus": documents_of, "queries": questions_of}[file]
    return tuple(row for volume in written(folder) for row in read(volume))


def written(folder: Path) -> list[Path]:
    """The volumes of the stories.

    Raises:
        SystemExit: There are none.
    """
    return sorted(folder.glob("*-*.txt")) or sys.exit(f"There are no stories in {folder}.")


def path_of(data: Path, name: str, file: str) -> Path:
    """A file of a third-party set.

    Raises:
        SystemExit: It is not there.
    """
    path = data / name / f"{file}.jsonl"
    if not path.is_file():
        sys.exit(f"There is no {path}: give the folder that holds the set `{name}`, or name other --sets.")
    return path


def _titles(data: Path, name: str) -> dict[str, str]:
    return {row["doc_id"]: row["title"] for row in _rows(data, name, "corpus")}


def document_of(row: Mapping[str, Any]) -> str:
    """The document that a question was written for, or an empty string."""
    evidence = row["evidence"]
    return str(row.get("context_doc_id") or (evidence[0]["doc_id"] if evidence else ""))


def _print_of(data: Path, name: str) -> str:
    """The start of the sha256 over a set's files, and the rules by which they are cut."""
    whole = hashlib.sha256(RECIPE.encode())
    sets = (path_of(data, name, file) for file in ("corpus", "queries"))
    for path in written(STORIES) if name == STORIES.name else sets:
        whole.update(path.read_bytes())
    return whole.hexdigest()[:12]


def _pieces(snapshot: Snapshot) -> dict[str, list[Piece]]:
    """All chunks, by the story of their document."""
    pieces: dict[str, list[Piece]] = defaultdict(list)
    for row in range(len(snapshot.rows)):
        chunk = snapshot.chunk(row)
        pieces[story_of(chunk.doc_id)].append(_piece(chunk, snapshot.title(chunk.doc_id)))
    return pieces


def _piece(chunk: Chunk, title: str) -> Piece:
    texts = (chunk.text[start - chunk.start : end - chunk.start] for start, end in chunk.sentences)
    return Piece(chunk.doc_id, title, chunk.start, tuple(flat(text) for text in texts))


def _asked(
    row: Mapping[str, Any], name: str, side: str, ranking: Ranking, pieces: Mapping[str, Sequence[Piece]]
) -> Asked:
    document, chunks = document_of(row), [one.chunk for one in ranking.chunks]
    own = pieces[story_of(document)] if document else ()
    return Asked(
        id=row["id"],
        corpus=name,
        own=bool(document),
        side=side,
        question=row["question"],
        answers=tuple(row["answers"]),
        evidence=tuple(one["text"] for one in row["evidence"] if one.get("text")),
        answerable=row["answerable"] and bool(document),
        doc_id=document,
        title=next((piece.title for piece in own if piece.doc_id == document), ""),
        read=tuple(
            next(piece for piece in pieces[story_of(chunk.doc_id)] if _is(piece, chunk)) for chunk in chunks
        ),
        scores=tuple(one.score for one in ranking.chunks),
        written_for=tuple(own),
    )


def _is(piece: Piece, chunk: Chunk) -> bool:
    return (piece.doc_id, piece.start) == (chunk.doc_id, chunk.start)


def _packed(asked: Sequence[Asked]) -> dict[str, Any]:
    """As JSON: each chunk once, the questions with their chunks' numbers."""
    numbers: dict[Piece, int] = {}
    rows = []
    for one in asked:
        read, own = (
            [numbers.setdefault(piece, len(numbers)) for piece in part]
            for part in (one.read, one.written_for)
        )
        rows.append(asdict(replace(one, read=(), written_for=())) | {"read": read, "written_for": own})
    return {"pieces": [astuple(piece) for piece in numbers], "asked": rows}


def _unpacked(packed: Mapping[str, Any]) -> list[Asked]:
    pieces = [
        Piece(doc_id, title, start, tuple(sentences)) for doc_id, title, start, sentences in packed["pieces"]
    ]
    return [_parsed(row, pieces) for row in packed["asked"]]


def _parsed(row: Mapping[str, Any], pieces: Sequence[Piece]) -> Asked:
    lists = {name: tuple(row[name]) for name in ("answers", "evidence", "scores")}
    chunks = {name: tuple(pieces[number] for number in row[name]) for name in ("read", "written_for")}
    return Asked(**{**row, **lists, **chunks})
