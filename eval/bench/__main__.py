"""`python -m eval.bench retrieval DATA [SET…]`, `python -m eval.bench speed DATA`, `… scale DATA`."""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m eval.bench", description=__doc__)
    parser.add_argument("what", choices=("retrieval", "speed", "scale"))
    parser.add_argument("data", type=Path, metavar="DATA", help="the folder of the third-party sets")
    parser.add_argument("sets", nargs="*", metavar="SET")
    parser.add_argument("--seeds", type=Path, default=Path("seeds"))
    parser.add_argument(
        "--sizes", type=int, nargs="+", metavar="N", help="documents of each corpus of `scale`"
    )
    options = parser.parse_args()
    if options.what == "retrieval":
        from eval.bench import retrieval

        retrieval.compare(options.data, options.sets)
    elif options.what == "scale":
        from eval.bench import scale

        scale.compare(options.data, options.sizes or scale.SIZES)
    else:
        from eval.bench import speed

        speed.compare(options.data, options.seeds)


if __name__ == "__main__":
    main()
