"""statements -> the values on which documents differ, side by side, each with its citations.

    statements ─> the value each gives to the question ─> those that cannot both be true ─> sides

Values are looked for in two ways. *Counts*: two figures of one counted thing of the same subject, wherever
they stand, since a sentence may give the number of users in passing, where no search and no reader finds it.
*Answers*: the best sentences of two documents both answer, say much the same otherwise, and give figures or
dates that are comparable and not compatible (`rag.facts`), or names without a word in common. How sure that
must be is `DISAGREEING`, fitted on documents that differ (RAMDocs) and on some that hardly do (SQuAD, NQ).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from rag.citations import FIGURES, Citer
from rag.counts import counted
from rag.facts import Fact, compatible, find_facts
from rag.statements import LEAST_SHARE, Given, Statement, at_other_times, by_side, differ, given_by, unit_of
from rag.terms import topic
from rag.types import Conflict, Side


@dataclass(frozen=True, slots=True)
class Signs:
    """The signs that two statements disagree on what is asked, or what each of them counts.

    Attributes:
        spanned: How likely the less likely of the two values is the answer, a logit.
        alike: The share of the stems of both, their values left out, that both have, in [0, 1].
        asked: The share of the question's stems that both have, in [0, 1].
        beside: 1 where the same of them stands beside both values, else 0.
    """

    spanned: float
    alike: float
    asked: float
    beside: float


DISAGREEING = Signs(spanned=0.38, alike=5.50, asked=0.21, beside=1.44)
BIAS = -4.25
"""Both by `tools/fit_conflicts.py`."""
SHOWN_FROM = 0.65
"""The probability from which a disagreement is shown."""


def find_conflicts(
    question: str, statements: Sequence[Statement], kinds: frozenset[str], citer: Citer
) -> tuple[Conflict, ...]:
    """The values on which documents differ, in answer to a question.

    Args:
        question: The question, standing alone.
        statements: The sentences that were found, those too that the reader did not read.
        kinds: The kinds of fact that the question asks for; empty where it may be any.
        citer: Makes the citations.

    Returns:
        One conflict at most, its sides in the order of how well they answer.
    """
    best_first = sorted(statements, key=lambda one: (-one.share, -one.chosen, one.doc_id, one.start))
    sides = counted(question, best_first, kinds) or _answers(question, best_first, kinds)
    if not sides:
        return ()
    return (Conflict(_about(question, sides), tuple(_side(side, citer) for side in sides)),)


def _answers(question: str, statements: Sequence[Statement], kinds: frozenset[str]) -> list[list[Given]]:
    given = answers(question, statements, kinds)
    return by_side(given, lambda one, other: surety(question, one, other) >= SHOWN_FROM)


def answers(question: str, statements: Sequence[Statement], kinds: frozenset[str]) -> list[Given]:
    """The value of the best statement of each document, where it gives one.

    Args:
        question: The question.
        statements: Best first.
        kinds: The kinds of fact that the question asks for.
    """
    best: dict[str, Statement] = {}
    for statement in statements:
        if statement.answer:
            best.setdefault(statement.doc_id, statement)
    figures, known = kinds & FIGURES, find_facts(question)
    sought = figures or frozenset({*FIGURES, "name"})
    found = (_answer(statement, sought, known) for statement in best.values())
    return [given for given in found if given]


def _answer(statement: Statement, kinds: frozenset[str], known: Sequence[Fact]) -> Given | None:
    """The fact of a statement where the reader sees the answer, or the only one of the kinds asked for."""
    begin, end = statement.begins, statement.begins + len(statement.answer)
    found = [
        fact
        for fact in find_facts(statement.text)
        if fact.kind in kinds and all(fact.value != other.value for other in known)
    ]
    seen = [fact for fact in found if fact.start < end and begin < fact.end]
    chosen = seen[:1] or (found if len(found) == 1 and "name" not in kinds else [])
    # of any two things some names differ: one that is hardly the answer excludes none
    unsure = chosen and chosen[0].kind == "name" and statement.share < LEAST_SHARE
    return given_by(statement, chosen[0]) if chosen and not unsure else None


def surety(question: str, one: Given, other: Given) -> float:
    """The probability in [0, 1] that two statements disagree on what is asked; 0 where both can be true."""
    if not exclude(one, other):
        return 0.0
    signs = astuple(read_signs(question, one, other))
    weighed = BIAS + sum(weight * sign for weight, sign in zip(astuple(DISAGREEING), signs, strict=True))
    return 1 / (1 + math.exp(-weighed))


def read_signs(question: str, one: Given, other: Given) -> Signs:
    """The signs that two statements disagree on what a question asks."""
    asked, both = frozenset(topic(question)), one.said & other.said
    return Signs(
        spanned=min(one.statement.spanned, other.statement.spanned),
        alike=len(both) / max(1, len(one.said | other.said)),
        asked=len(both & asked) / max(1, len(asked)),
        beside=float(bool(asked & one.beside & other.beside)),
    )


def exclude(one: Given, other: Given) -> bool:
    """Whether two values cannot both be right, and neither statement says the other's value as well."""
    if one.fact.kind == other.fact.kind == "name":
        mine, theirs = frozenset(topic(one.value)), frozenset(topic(other.value))
        return bool(mine and theirs) and not (mine & (theirs | other.said) or theirs & one.said)
    if not differ(one.fact, other.fact) or _holds(one, other.fact) or _holds(other, one.fact):
        return False
    return not at_other_times(one, other)


def _holds(given: Given, fact: Fact) -> bool:
    facts = find_facts(given.statement.text)
    return any(compatible(fact, other) for other in facts if other.kind == fact.kind)


def _side(side: Sequence[Given], citer: Citer) -> Side:
    first = {one.statement.doc_id: one.statement for one in reversed(side)}
    ordered = sorted(first.values(), key=lambda one: (-one.share, -one.chosen, one.doc_id))
    return Side(side[0].value, tuple(citer.cite(one.doc_id, one.start, one.end).marker for one in ordered))


def _about(question: str, sides: Sequence[Sequence[Given]]) -> str:
    """What differs: the thing counted, in the words of the documents, or the question."""
    unit = unit_of(sides[0][0].fact)
    if unit:
        texts = [one.statement.text[one.fact.end :] for side in sides for one in side]
        named = [word for text in texts for word in re.findall(rf"\b{re.escape(unit[:4])}\w*", text)]
        return named[0] if named else unit
    return f"“{question.strip()}”"
