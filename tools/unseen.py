"""Write the questions that nothing was fitted on, to be asked by the evaluation suite.

    python tools/unseen.py DATA FOLDER

FOLDER gets `<set>_unseen.jsonl` for each set whose articles `tools/reader_questions.py` divides: its own
questions of the side "dev", as they are. They are asked of the whole corpus of their set:

    python -m eval run FOLDER/squad2_unseen.jsonl --corpus DATA/squad2/corpus.jsonl
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from reader_questions import SIDED, document_of, questions


def unseen(data: Path, name: str) -> list[str]:
    """A set's own questions of the side "dev", as lines of JSON."""
    return [
        json.dumps(row, ensure_ascii=False) + "\n"
        for row, side in questions(data, name)
        if side == "dev" and document_of(row)
    ]


def main() -> None:
    """Write a file for each set."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA", help="the folder of the third-party sets")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the questions go")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in SIDED:
        lines = unseen(options.data, name)
        (options.folder / f"{name}_unseen.jsonl").write_text("".join(lines), encoding="utf-8")
        print(f"{name}: {len(lines)} questions")


if __name__ == "__main__":
    main()
