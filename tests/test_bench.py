"""The bench: that it measures what it says, on a corpus small enough for a test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.bench.scale import measured

SEEDS = Path(__file__).parents[1] / "seeds"


@pytest.fixture
def sets(tmp_path):
    """A folder of sets with the articles as the only corpus."""
    folder = tmp_path / "nq"
    folder.mkdir()
    rows = [
        {
            "doc_id": path.name,
            "title": path.stem,
            "source": "",
            "published_at": None,
            "text": path.read_text(),
        }
        for path in sorted(SEEDS.iterdir())
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = [{"question": f"How much was bail {number}?"} for number in range(12)]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    return tmp_path


@pytest.mark.slow
def test_a_size_is_measured_in_a_process_of_its_own(sets):
    found = measured(sets, 5)
    text = sum(path.stat().st_size for path in SEEDS.iterdir()) / 1e6
    assert found.documents == 5
    assert found.text_mb == pytest.approx(text, rel=0.02)
    assert found.disk_mb > found.text_mb
    assert found.open_mb > found.bare_mb > 50
    assert found.ask_p95_s >= found.ask_p50_s > 0
    assert found.index_s > found.again_s > 0


def test_more_documents_than_the_sets_hold_are_refused(sets):
    with pytest.raises(ValueError, match="hold 5 documents, not 6"):
        measured(sets, 6)
