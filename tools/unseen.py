"""Write the questions that nothing was fitted on, to be asked by the evaluation suite.

    python tools/unseen.py DATA FOLDER

FOLDER gets `<set>_unseen.jsonl` for each third-party set whose articles `tools/reader_questions.py` divides:
its own questions of the side "dev", as they are; and the command that asks them is printed. Sets that DATA
lacks are left out.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from reader_questions import SIDED, STORIES, document_of, path_of, questions


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
        if name == STORIES.name or not (options.data / name).is_dir():
            continue
        lines, file = unseen(options.data, name), options.folder / f"{name}_unseen.jsonl"
        file.write_text("".join(lines), encoding="utf-8")
        corpus = path_of(options.data, name, "corpus")
        print(f"{len(lines)} questions: python -m eval run {file} --corpus {corpus}")


if __name__ == "__main__":
    main()
