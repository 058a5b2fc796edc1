"""Stories as they are written (`tools/stories/`) -> documents and questions as in the third-party sets.

    ## what the story is of
    @ Title | Source | 2021-03-04
    The document …
    ? A question that it answers
    = words that answer it | words elsewhere that answer it too
    ! A question that it does not answer

A file is a volume, and may hold several stories, a story several documents. Words that answer are copied to
the letter; each sentence that holds them is evidence.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.sentences import Span, sentence_spans

_HEAD = re.compile(r"@ (?P<title>[^|]+) \| (?P<source>[^|]+) \| (?P<date>\d{4}-\d\d-\d\d)")
HELP = "a story begins with '## '; after its documents come '? question', then '= words', or '! question'"


@dataclass(slots=True)
class Told:
    """A document of a story.

    Attributes:
        id: The document's.
        title: Its title.
        source: Who published it.
        date: When, as YYYY-MM-DD.
        lines: Its lines.
    """

    id: str
    title: str
    source: str
    date: str
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What it says."""
        return "\n".join(self.lines).strip()

    @property
    def row(self) -> dict[str, Any]:
        """As a record of a corpus."""
        return {
            "doc_id": self.id,
            "title": self.title,
            "source": self.source,
            "published_at": self.date,
            "text": self.text,
        }


@dataclass(slots=True)
class Story:
    """Documents on one thing, and questions.

    Attributes:
        id: The story's.
        documents: Its documents.
        asked: The questions, each with the words that answer it, None where nothing does, and its line.
    """

    id: str
    documents: list[Told] = field(default_factory=list)
    asked: list[tuple[str, list[str] | None, int]] = field(default_factory=list)


def documents_of(file: Path) -> list[dict[str, Any]]:
    """The documents of a volume, as records of a corpus.

    Raises:
        SystemExit: A line is out of place.
    """
    return [document.row for story in stories_of(file) for document in story.documents]


def questions_of(file: Path) -> list[dict[str, Any]]:
    """The questions of a volume, each with every sentence that answers it.

    Raises:
        SystemExit: A line is out of place, or words that answer stand in no document.
    """
    return [row for story in stories_of(file) for row in _asked_of(story, file)]


def stories_of(file: Path) -> list[Story]:
    """Read a volume.

    Raises:
        SystemExit: A line is out of place.
    """
    stories: list[Story] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        story = stories[-1] if stories else None
        if line.startswith("## ") and (story is None or story.asked):
            stories.append(Story(f"{file.stem}-{len(stories) + 1}"))
        elif story is None or not _read(story, line, number):
            sys.exit(f"{file}, line {number}: {line[:40]!r} is out of place: {HELP}.")
    return stories


def _read(story: Story, line: str, number: int) -> bool:
    """Take a line into a story; whether it may stand there."""
    mark, words = line[:2], line[2:].strip()
    if head := _HEAD.fullmatch(line):
        story.documents.append(Told(f"{story.id}/{len(story.documents) + 1}", *map(str.strip, head.groups())))
    elif mark in ("? ", "! ") and story.documents:
        story.asked.append((words, [] if mark == "? " else None, number))
    elif mark == "= " and story.asked and (answers := story.asked[-1][1]) is not None:
        answers += [part.strip() for part in words.split(" | ")]
    elif story.documents and not story.asked and not line.startswith(("@ ", "= ", "## ")):
        story.documents[-1].lines.append(line)
    else:
        return not line.strip()
    return True


def _asked_of(story: Story, file: Path) -> Iterator[dict[str, Any]]:
    texts = [(one.id, text, sentence_spans(text)) for one in story.documents if (text := one.text)]
    for number, (question, answers, line) in enumerate(story.asked, 1):
        held = [_held(words, texts) for words in answers or ()]
        if answers is not None and not (held and all(answers) and all(held)):
            sys.exit(f"{file}, line {line}: no document of the story holds these words: copy them there.")
        evidence = dict.fromkeys((doc_id, text) for part in held for doc_id, text, _ in part)
        yield {
            "id": f"{story.id}-{number}",
            "dataset": "stories",
            "question": question,
            "answers": list(dict.fromkeys(part[0][2] for part in held)),
            "answerable": answers is not None,
            "type": "extractive" if answers else "unanswerable",
            "evidence": [{"doc_id": doc_id, "text": text} for doc_id, text in evidence],
            "context_doc_id": f"{story.id}/1",
        }


def _held(words: str, texts: list[tuple[str, str, list[Span]]]) -> list[tuple[str, str, str]]:
    """The sentences that hold words, and the words; of words across two, the one with most of them."""
    held = [
        (doc_id, text[start:end], text[max(start, one.start()) : min(end, one.end())].strip())
        for doc_id, text, spans in texts
        for one in re.finditer(rf"(?<!\w){re.escape(words)}(?!\w)", text)
        for start, end in spans
        if one.start() < end and start < one.end()
    ]
    return [one for one in held if one[2] == words] or sorted(held, key=lambda one: -len(one[2]))[:1]
