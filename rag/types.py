"""The nouns that travel through Citewell, from left to right.

    Document -> Chunk -> Ranking -> Claim + Citation -> Answer

All of them are frozen: a stage gives new values, and never changes those it was given.
All offsets are characters in `Document.text`, from 0, the end exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

Status = Literal["answered", "partial", "conflict", "refused"]
Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Document:
    r"""One text of the corpus, decoded.

    Attributes:
        doc_id: The path below the indexed root, or the record's own id in a `.jsonl` corpus.
        title: From metadata, the first heading or the first sentence.
        source: Where the text came from (a publisher, a file path), where that is known.
        published_at: An ISO 8601 date or time, where the file states one.
        text: The text without byte-order mark, line ends as `\n`, otherwise untouched.
        sha256: The hash of `text` in UTF-8, as hexadecimal digits.
    """

    doc_id: str
    title: str
    source: str | None
    published_at: str | None
    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole sentences of one document; the chunks of a document tile it.

    Attributes:
        doc_id: The document it is cut from.
        text: Its characters, white space at the end included.
        start: Where it begins in the document.
        sentences: The spans (start, end) of its sentences, in document characters.
    """

    doc_id: str
    text: str
    start: int
    sentences: tuple[tuple[int, int], ...] = ()

    @property
    def end(self) -> int:
        """Where it ends in the document, exclusive."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class RankedChunk:
    """A chunk in a ranking.

    Attributes:
        chunk: The chunk.
        rank: Its place, from 1.
        score: The fused score in [0, 1], higher is better; comparable within one question only.
        cosine: The cosine of question and chunk, in [-1, 1]; comparable between questions.
        bm25: The BM25 score of the chunk, not normalised, at least 0.
    """

    chunk: Chunk
    rank: int
    score: float
    cosine: float
    bm25: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """The chunks nearest to a question, best first."""

    question: str
    chunks: tuple[RankedChunk, ...]

    def to_json(self) -> dict[str, Any]:
        """The ranking as the JSON object that `citewell search --json` prints."""
        rows = [
            {
                "rank": ranked.rank,
                "score": round(ranked.score, 6),
                "doc_id": ranked.chunk.doc_id,
                "start": ranked.chunk.start,
                "end": ranked.chunk.end,
                "text": ranked.chunk.text,
            }
            for ranked in self.chunks
        ]
        return {"question": self.question, "ranking": rows}


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of a conversation."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """Words of a document, exactly: `document.text[start:end] == quote`.

    Only `rag.citations` makes one. `marker` counts from 1 in the order of first use.
    """

    marker: int
    doc_id: str
    title: str
    source: str | None
    published_at: str | None
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer.

    Attributes:
        text: The sentence, without markers.
        citations: The markers of the citations that carry it, together.
        support: The ids of all retrieved documents that say it.
    """

    text: str
    citations: tuple[int, ...]
    support: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One value in a conflict, with the markers of the citations that state it."""

    value: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Values that documents give differently; nobody wins silently."""

    about: str
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """Words near to a question that was refused: to look at, not evidence."""

    doc_id: str
    title: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """A sentence that a model wrote and nobody was shown as answered, with why."""

    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a language model counted for one answer."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds spent on one question, by stage."""

    retrieval_s: float
    answer_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the documents say to a question.

    Attributes:
        question: As it was asked.
        standalone: The question as it was searched for: the same, unless a conversation completed it, or a
            slip of the hand in it was mended.
        status: `refused` without claims; else `conflict` where there is one; else `partial` where
            some of what was asked is not in the documents; else `answered`.
        confidence: The probability in [0, 1] that the documents hold the answer.
        claims: The sentences, each with its citations.
        citations: All citations of the claims and conflicts, by marker.
        conflicts: Values that differ, side by side.
        reason: Why it was refused, or what of the question the documents do not say; empty otherwise.
        nearest: The nearest passages of a refused question, which are not evidence.
        dropped: What a model wrote that the documents do not carry.
        notice: What went another way than set (an endpoint that failed, say); empty otherwise.
        mode: `extractive`, or the model's name.
        usage: Tokens, where a model was used and said so.
        timings: Seconds by stage.
    """

    question: str
    standalone: str
    status: Status
    confidence: float
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    timings: Timings
    conflicts: tuple[Conflict, ...] = ()
    reason: str = ""
    nearest: tuple[Passage, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    notice: str = ""
    mode: str = "extractive"
    usage: Usage | None = None

    @property
    def text(self) -> str:
        """The sentences with their markers, as `Bail is 5 million euros. [1][2]`; or the reason."""
        if not self.claims:
            return self.reason
        return " ".join(
            f"{claim.text} {''.join(f'[{marker}]' for marker in claim.citations)}" for claim in self.claims
        )

    def to_json(self) -> dict[str, Any]:
        """The answer as the JSON object that `citewell ask --json` prints."""
        return {
            "question": self.question,
            "standalone": self.standalone,
            "status": self.status,
            "confidence": round(self.confidence, 4),
            "text": self.text,
            "claims": _plain(self.claims),
            "citations": _plain(self.citations),
            "conflicts": _plain(self.conflicts),
            "reason": self.reason,
            "nearest": _plain(self.nearest),
            "dropped": _plain(self.dropped),
            "notice": self.notice,
            "mode": self.mode,
            "usage": _plain(self.usage),
            "timings": _plain(self.timings),
        }


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The first event of a stream: what was found."""

    ranking: Ranking


@dataclass(frozen=True, slots=True)
class ClaimReady:
    """A checked sentence, with the citations that it names."""

    claim: Claim
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The last event of a stream: the whole answer."""

    answer: Answer


Event = Retrieved | ClaimReady | Done


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file, or a record of one, that could not be read, with why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What one index run did.

    `added`, `changed`, `unchanged` and `removed` count documents; `documents` and `chunks` count
    what the index holds now; `seconds` is wall time.
    """

    added: int
    changed: int
    unchanged: int
    removed: int
    rejected: tuple[Rejected, ...]
    documents: int
    chunks: int
    seconds: float = field(compare=False)

    def to_json(self) -> dict[str, Any]:
        """The report as the JSON object that `citewell index --json` prints."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)} | {
            "seconds": round(self.seconds, 4)
        }


def _plain(value: Any) -> Any:
    """A value as JSON has it: objects and lists in place of our nouns and tuples."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
