"""claim + evidence -> how far the evidence supports the claim, as a probability.

The engine's own check (`rag.citations.uncarried`) says yes or no of sentences that should keep close to their
sources. This is its graded form, for words that someone else wrote about a page that they name.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise
from typing import TypeVar

from rag.chunks import count_words
from rag.facts import Fact, find_facts, turns, unheld
from rag.sentences import sentence_spans
from rag.terms import terms, topic

_T = TypeVar("_T")
_MARKERS = re.compile(r"\[\d+(?:, ?\d+)*\]|\*\*")
"""What a claim carries of the text that it was taken from: its own citations, and emphasis."""


@dataclass(frozen=True, slots=True)
class Signs:
    """The signs that evidence supports a claim, or what each of them counts.

    Attributes:
        held: The share of the claim's stems that the evidence holds, in [0, 1].
        pairs: The share of its pairs of neighbouring stems that stand so in a sentence, in [0, 1].
        names: The share of its names that are missing, in [0, 1].
        figures: The same of its amounts, dates, counts, frequencies and durations.
        turned: 1 where a negation on either side turns a word of the other round, else 0.
        length: The natural logarithm of one more than the words of evidence: long texts hold words by chance.
    """

    held: float
    pairs: float
    names: float
    figures: float
    turned: float
    length: float


WEIGHTS = Signs(held=2.64, pairs=1.26, names=-1.14, figures=-1.40, turned=-1.0, length=-0.46)
"""By `tools/fit_support.py` on the claims of AttributionBench; but `turned` is set, since no more than one
claim in twenty there meets a negation, and those are mostly of something else on the page."""
BIAS = 0.36


def support_grade(claim: str, evidence: Sequence[str]) -> float:
    """The probability that evidence supports a claim, in [0, 1]; 0 where there is no evidence.

    Examples:
        >>> evidence = ["He was released on bail of 5 million euros."]
        >>> sure = support_grade("Bail was 5 million euros.", evidence)
        >>> sure > support_grade("Bail was 6 million euros.", evidence)
        True
        >>> sure > support_grade("The judge set bail.", evidence)
        True
    """
    if not any(text.strip() for text in evidence):
        return 0.0
    signs = read_signs(claim, evidence)
    weighed = BIAS + sum(weight * sign for weight, sign in zip(astuple(WEIGHTS), astuple(signs), strict=True))
    return 1 / (1 + math.exp(-weighed))


def read_signs(claim: str, evidence: Sequence[str]) -> Signs:
    """The signs of support in evidence.

    Examples:
        >>> signs = read_signs("Bail was 6 million euros.", ["He was released on bail of 5 million euros."])
        >>> signs.held, signs.figures, signs.turned
        (0.75, 1.0, 0.0)
    """
    said = " ".join(_MARKERS.sub("", claim).split())
    sentences = [text[start:end] for text in evidence for start, end in sentence_spans(text)]
    held = _share(frozenset(topic(said)), frozenset(topic("\n".join(evidence))))
    pairs = _pairs(said)
    lacking = Counter(_sort(fact) for fact in unheld(said, evidence))
    stated = Counter(_sort(fact) for fact in find_facts(said))
    return Signs(
        held=held,
        pairs=_share(pairs, frozenset().union(*map(_pairs, sentences))) if pairs else held,
        names=lacking["name"] / max(1, stated["name"]),
        figures=lacking["figure"] / max(1, stated["figure"]),
        turned=float(bool(turns(said, evidence))),
        length=math.log(1 + sum(map(count_words, evidence))),
    )


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairwise(terms(text)))


def _share(wanted: frozenset[_T], found: frozenset[_T]) -> float:
    return len(wanted & found) / len(wanted) if wanted else 1.0


def _sort(fact: Fact) -> str:
    return fact.kind if fact.kind in {"name", "negation"} else "figure"
