"""Questions made from sentences: of kinds that people ask and the sets hardly hold.

*Whether*: "The harbour was built in 1900." gives "Was the harbour built in 1900?". *Who or what*: "Ada
Lovelace, an English mathematician, wrote …" gives "Who is Ada Lovelace?". The sentence is the evidence; the
chunks beside it are those of a question that its document was written for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reader_questions import Asked

from rag.names import ORDINARY
from rag.words import FUNCTION_WORDS

MOST = {"whether": 1500, "who": 900}
"""How many are made of each kind, at most."""

_NAME = r"[A-Z][\w.'’-]*[a-z](?: (?:(?:of|the|de|van|von|and) )?[A-Z][\w.'’-]*[a-z])*"
_WHETHER = re.compile(
    rf"(?P<subject>{_NAME}|The (?:[a-z]+ )?[a-z]+) "
    r"(?P<verb>was|is|were|are|can|could|will|would|ha[sd](?= (?:been|become|[a-z]+ed)\b)) "
    r"(?P<rest>\w[^,;:.()\[\]“”\"]{12,90})[,;.(]"
)
_WHO = re.compile(
    rf"(?P<name>{_NAME})(?P<link> is| was|,) (?:an?|the) (?P<what>\w[^,.;:()]{{6,80}})(?P<end>[,.])"
)
_NO_NAMES = (FUNCTION_WORDS | ORDINARY) - {"the"}
_PERSONS = re.compile(
    r"\w+(?:ist|ian|or|er)|king|queen|saint|monk|judge|man|woman|chief|head|poet|general|bishop|pope"
)
_THINGS = re.compile(
    r"river|cent(?:er|re)|tower|number|chapter|order|border|water|(?:news)?paper|computer|harbor|corridor"
)


def made(asked: Sequence[Asked]) -> list[Asked]:
    """Questions made from the chunks of the documents that answerable questions of training were written for.

    Of each sentence one is made at most; which are kept does not depend on the order of `asked`.
    """
    documents = {one.doc_id: one for one in asked if one.side == "train" and one.answerable}
    found: dict[str, list[Asked]] = {kind: [] for kind in MOST}
    for one in documents.values():
        for piece in one.written_for:
            for sentence in piece.sentences:
                for kind, question in list(_questions(sentence))[:1]:
                    found[kind].append(_asked(one, question, sentence))
    kept = (sorted(found[kind], key=lambda one: one.id)[:most] for kind, most in MOST.items())
    return [one for part in kept for one in part]


def _asked(one: Asked, question: str, sentence: str) -> Asked:
    name = hashlib.sha256(f"{one.doc_id} {question}".encode()).hexdigest()
    return replace(one, id=name, question=question, answers=(), evidence=(sentence,))


def _questions(sentence: str) -> Iterator[tuple[str, str]]:
    """The questions that a sentence answers, each with its kind.

    Examples:
        >>> dict(_questions("The old harbour was built by the town in 1900, and burnt."))
        {'whether': 'Was the old harbour built by the town in 1900?'}
        >>> dict(_questions("Ada Lovelace, an English mathematician, wrote the first program."))
        {'who': 'Who is Ada Lovelace?'}
    """
    if sentence.split(" ", 1)[0].lower().rstrip(",") in _NO_NAMES:
        return
    if (found := _WHO.match(sentence)) and (found["link"] != "," or found["end"] == ","):
        head = re.split(r" (?:of|in|on|at|for|from|to|and|who|that|which) ", found["what"])[0].split()[-1]
        person = _PERSONS.fullmatch(head) and not _THINGS.fullmatch(head)
        verb = "was" if found["link"] == " was" else "is"
        yield "who", f"{'Who' if person else 'What'} {verb} {_small(found['name'])}?"
    elif found := _WHETHER.match(sentence):
        yield "whether", f"{found['verb'].title()} {_small(found['subject'])} {found['rest'].strip()}?"


def _small(name: str) -> str:
    return f"the {name[4:]}" if name.startswith("The ") else name
