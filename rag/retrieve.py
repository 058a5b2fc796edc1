"""question -> Ranking: dense and lexical search, fused by a convex combination.

The candidates are the best of either search; each is scored exactly in both, the scores of each search are
brought to [0, 1] by the question's own minimum and maximum (the lowest cosine is that of the candidates and
of an even sample of the corpus, which is all of a small one), and the two are averaged (Bruch et al. 2023,
"An Analysis of Fusion Functions for Hybrid Retrieval", section 4). Averaging scores beat averaging ranks on
three of four question sets.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from rag.types import RankedChunk, Ranking

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.generation import Generation
    from rag.snapshot import Snapshot

Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]
"""Gives the unit vectors of texts, [texts, dimension]."""

CANDIDATES = 100
"""How many chunks each search proposes, at least."""
DENSE_WEIGHT = 0.5


def retrieve(
    question: str, snapshot: Snapshot, embed: Embed, k: int, within: Collection[str] | None = None
) -> Ranking:
    """The k chunks nearest to a question, best first; ties break by (doc_id, start).

    Args:
        question: The words to search for.
        snapshot: What is indexed.
        embed: The embedder of the index.
        k: How many chunks to give, at most.
        within: The ids of the documents to search, or None for all.

    Raises:
        NotFoundError: There is no document of an id in `within`.
    """
    if snapshot.generation is None:
        return Ranking(question, ())
    return rank(question, embed([question])[0], snapshot, k, within)


def rank(
    question: str,
    vector: NDArray[np.float32],
    snapshot: Snapshot,
    k: int,
    within: Collection[str] | None = None,
) -> Ranking:
    """The k chunks nearest to a question whose vector is known."""
    import numpy as np

    generation = snapshot.generation
    if generation is None:
        return Ranking(question, ())
    words = generation.bm25(question)
    if within is None:
        rows = _candidates(vector, words, generation, max(CANDIDATES, k))
    else:
        rows = np.array(snapshot.rows_of(within), dtype=np.intp)
        if not len(rows):
            return Ranking(question, ())
    asked = vector.astype(np.float64)
    cosines = snapshot.vectors[rows].astype(np.float64) @ asked
    lowest = min(cosines.min(), (snapshot.sample @ asked).min())
    bm25 = words[rows]
    fused = DENSE_WEIGHT * _scaled(cosines, lowest) + (1 - DENSE_WEIGHT) * _scaled(bm25, words.min())
    # rows count by (doc_id, start), so a stable sort breaks ties by them
    order = np.argsort(-np.round(fused, 9), kind="stable")[:k]
    return Ranking(
        question,
        tuple(
            RankedChunk(
                snapshot.chunk(int(rows[at])), place, float(fused[at]), float(cosines[at]), float(bm25[at])
            )
            for place, at in enumerate(order, start=1)
        ),
    )


def _candidates(
    vector: NDArray[np.float32], words: NDArray[np.float64], generation: Generation, wanted: int
) -> NDArray[np.intp]:
    """The rows of the best of either search."""
    import numpy as np

    wanted = min(wanted, len(words))
    cut = np.partition(words, -wanted)[-wanted]
    lexical = np.flatnonzero((words >= cut) & (words > 0))
    return np.union1d(generation.nearest(vector, wanted), lexical).astype(np.intp)


def _scaled(scores: NDArray[np.float64], lowest: float) -> NDArray[np.float64]:
    """Scores brought to [0, 1]; all 1 where they do not differ but are positive, else all 0."""
    import numpy as np

    span = scores.max() - lowest
    if span <= 0:
        return np.asarray(scores > 0, dtype=np.float64)
    return np.asarray((scores - lowest) / span, dtype=np.float64)
