"""`python -m eval`: judge the engine's answers to the gold questions.

Exit codes: 0 passed, 1 below the gate, 2 could not run, 3 the set is broken.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

PASSED, BELOW_THE_GATE, COULD_NOT_RUN, SET_IS_BROKEN = range(4)
GOLD = Path(__file__).parent / "gold" / "durov.jsonl"
SEEDS = Path(__file__).parents[1] / "seeds"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the judge.

    Args:
        arguments: The command line; that of the program where None.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    out = options.out or Path("reports") / f"{options.gold.stem}.jsonl"

    from eval.dataset import DatasetError
    from eval.report import render
    from eval.run import run
    from rag.errors import CitewellError

    try:
        verdict = run(options.gold, options.corpus, options.store, out, options.as_set)
    except DatasetError as error:
        print(error, file=sys.stderr)
        return SET_IS_BROKEN
    except (CitewellError, OSError) as error:
        print(f"The evaluation could not run: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    except Exception:
        traceback.print_exc()  # a defect, which must not read as an answer that got worse
        return COULD_NOT_RUN
    print(json.dumps(verdict.to_json(), ensure_ascii=False) if options.json else render(verdict))
    print(f"Records: {out}", file=sys.stderr)
    return BELOW_THE_GATE if verdict.breaches else PASSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m eval",
        description="Judge the engine's answers to gold questions.",
        epilog="Exit codes: 0 passed, 1 below the gate, 2 could not run, 3 the set is broken.",
    )
    parser.add_argument(
        "--gold", type=Path, default=_shown(GOLD), help="the question set (default: %(default)s)"
    )
    parser.add_argument(
        "--corpus", type=Path, default=_shown(SEEDS), help="the documents (default: %(default)s)"
    )
    parser.add_argument("--store", type=Path, help="keep the index here (default: a temporary folder)")
    parser.add_argument("--out", type=Path, help="the records (default: reports/<name of the set>.jsonl)")
    parser.add_argument("--json", action="store_true", help="print the measures as JSON")
    parser.add_argument(
        "--as-set", action="store_true", help="use the models that the settings name, not the embedded ones"
    )
    return parser


def _shown(path: Path) -> Path:
    """The path as it is short: below the current folder where it is there."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    sys.exit(main())
