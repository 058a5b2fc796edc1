"""`python -m eval`: judge the engine's answers.

`run` asks, `report` draws a run again, `compare` sets two runs side by side, `validate` proves the sets.
Exit codes: 0 passed, 1 below the gate, 2 could not run, 3 the set is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eval.records import Run
    from eval.sets import QuestionSet

PASSED, BELOW_THE_GATE, COULD_NOT_RUN, SET_IS_BROKEN = range(4)
EVERY = "all"
CODES = "Exit codes: 0 passed, 1 below the gate, 2 could not run, 3 the set is broken."

QUESTION_FILE = """Sets: gold, attacks; with --data: squad2, nq, clapnq, ramdocs, mtragun, multihoprag,
scifact, mtrag_rewrite, attributionbench.

A file of questions has a JSON object a line, as
  {"id": "bail", "question": "How much was the bail?", "answers": ["5 million euros"], "answerable": true}
The README and eval/dataset.py describe what else it may hold.

"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; without a command, `run`.

    Args:
        arguments: The command line; that of the program where None.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help")):
        given.insert(0, "run")
    options = _parser().parse_args(given)

    from eval.compare import MismatchedRunsError
    from eval.dataset import DatasetError
    from eval.folder import OtherFilesError
    from eval.sets import NoSetError
    from rag.errors import CitewellError

    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except (CitewellError, MismatchedRunsError, NoSetError, OtherFilesError) as error:
        print(f"The evaluation could not run: {error}", file=sys.stderr)
    except OSError as error:
        print(f"The evaluation could not run: {_told(error)}", file=sys.stderr)
    except DatasetError as error:
        print(error, file=sys.stderr)
        return SET_IS_BROKEN if command in (_run, _validate) else COULD_NOT_RUN
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
    except Exception:
        traceback.print_exc()  # a defect, which must not read as an answer that got worse
    return COULD_NOT_RUN


def _told(error: OSError) -> str:
    """What the system refused, of which path, and what to do."""
    if error.filename is None:
        return f"{error.strerror or error}. Free what it needs, or name other folders with --out and --store."
    return (
        f"`{error.filename}`: {error.strerror}. "
        "Name folders that can be read and written: --out, --store, --corpus or RUN_DIR."
    )


def _run(options: argparse.Namespace) -> int:
    from eval.frozen import check_frozen
    from eval.run import run
    from eval.sets import OWN

    names = _named(options)
    if set(names) & set(OWN):
        check_frozen()
    runs = []
    for name in names:
        asked = _opened(name, options)
        store = options.store / asked.name if options.store and len(names) > 1 else options.store
        found = run(
            asked,
            options.out / asked.name,
            store=store,
            jobs=options.jobs,
            limit=options.limit,
            fresh=options.fresh,
            as_set=options.as_set,
        )
        _publish(found, options.out / asked.name, options)
        runs.append(found)
    _conclude(runs, options)
    return BELOW_THE_GATE if any(found.breaches for found in runs) else PASSED


def _report(options: argparse.Namespace) -> int:
    from eval.records import read_run

    runs = [read_run(folder) for folder in options.runs]
    for found, folder in zip(runs, options.runs, strict=True):
        _publish(found, folder, options)
    _conclude(runs, options)
    return PASSED


def _compare(options: argparse.Namespace) -> int:
    from eval.compare import compare, names, render
    from eval.records import read_run

    found = compare(read_run(options.before), read_run(options.after))
    told = names(options.before, options.after)
    print(_json(found.to_json()) if options.json else render(found, told))
    return BELOW_THE_GATE if options.fail_if_worse and found.is_worse else PASSED


def _validate(options: argparse.Namespace) -> int:
    from eval.folder import shown
    from eval.frozen import FROZEN, GOLD, check_frozen, freeze
    from eval.sets import OWN

    names = _named(options)
    for name in names:
        found = _opened(name, options)
        facts = sum(len(question.facts) for question in found.questions if not question.paraphrase_of)
        print(f"{found.name}: {len(found.questions)} questions with {facts} facts are sound.")
    if options.freeze:
        print(f"{len(freeze())} files of {shown(GOLD)} are frozen in {FROZEN}.")
    elif set(names) & set(OWN):
        print(f"{check_frozen()} files of the gold are as they were frozen.")
    return PASSED


def _publish(found: Run, folder: Path, options: argparse.Namespace) -> None:
    """Write the HTML and the JUnit report of a run, and print its figures."""
    from eval import html, junit, report
    from eval.folder import HTML, JUNIT

    (folder / HTML).write_text(html.render(found, options.prices), encoding="utf-8")
    (folder / JUNIT).write_text(junit.render(found), encoding="utf-8")
    failures = [record.id for record in found.records if record.score.right is False]
    figures = {"questions": len(found.records), **found.figures_json(), "failures": failures}
    print(_json(figures) if options.json else report.render(found, options.prices))
    print(f"Report: {folder / HTML}", file=sys.stderr)


def _conclude(runs: Sequence[Run], options: argparse.Namespace) -> None:
    """Print the verdicts of several runs once more, where all their failures do not part them."""
    from eval import report

    if len(runs) > 1 and not options.json:
        print(f"\n{report.verdicts(runs)}")


def _named(options: argparse.Namespace) -> tuple[str, ...]:
    """The sets that are asked for, once each; the ones that ship where none is named.

    Raises:
        NoSetError: Two would have one name, and one folder; or one a name that no folder can have; or one
            is not there.
    """
    from eval.sets import NAMES, OWN, NoSetError, check_there

    named = options.sets or OWN
    names = tuple(dict.fromkeys((*OWN, *NAMES) if EVERY in named else named))
    known = {name: name for name in (*OWN, *NAMES)}
    for name in names:
        folder = Path(name).stem
        if folder in ("", ".", "..") or "\\" in folder:
            raise NoSetError(
                f"{name}: {folder!r} cannot name the folder of a run. Give the file another name."
            )
        if known.setdefault(folder, name) != name:
            raise NoSetError(f"{name}: there is another set {folder!r}. Give the file another name.")
    for name in names:
        check_there(name, options.data, options.corpus)
    return names


def _opened(name: str, options: argparse.Namespace) -> QuestionSet:
    """A set, proved: each fact of ours and of a user's file stands where it says."""
    from eval.sets import NAMES, open_set
    from eval.validation import validate

    found = open_set(name, options.data, options.corpus, getattr(options, "out", None))
    if name not in NAMES:  # third-party sets have no facts, and answers in prose to what is unanswerable
        validate(found.path, found.questions, found.texts)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m eval", description="Judge the engine's answers.", epilog=CODES
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, does: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=about, description=f"{about.capitalize()}.", epilog=CODES)
        made.set_defaults(command=does)
        return made

    asking = command("run", _run, "ask the questions of sets and judge the answers (the default)")
    asking.epilog, asking.formatter_class = QUESTION_FILE + CODES, argparse.RawDescriptionHelpFormatter
    _run_options(asking)
    report = command("report", _report, "draw the reports of finished runs again, from their files alone")
    report.add_argument("runs", nargs="+", type=Path, metavar="RUN_DIR", help="the folder of a finished run")
    report.add_argument("--json", action="store_true", help="print the figures as JSON, a line a run")
    _price_option(report)
    compare = command("compare", _compare, "say what got better or worse between two runs of one set")
    compare.add_argument(
        "before",
        type=Path,
        metavar="RUN_A",
        help="the folder of the first run; a second run into the same --out takes its place",
    )
    compare.add_argument("after", type=Path, metavar="RUN_B", help="the folder of the second run")
    compare.add_argument("--json", action="store_true", help="print the comparison as JSON")
    compare.add_argument(
        "--fail-if-worse",
        action="store_true",
        help="exit with 1 where a vital fact was lost, a wrong value is new or an answer turned wrong",
    )
    validate = command("validate", _validate, "prove that the facts of sets stand where they say")
    _set_options(validate)
    validate.add_argument(
        "--freeze", action="store_true", help="write down the gold's hashes, once it is sound"
    )
    return parser


def _run_options(parser: argparse.ArgumentParser) -> None:
    _set_options(parser)
    parser.add_argument(
        "--store", type=Path, metavar="DIR", help="keep the index here (default: a temporary folder)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("reports"),
        help="where the folders of the runs go, each by the name of its set; a second run of a set takes "
        "the place of the first, so name another folder to compare them (default: %(default)s)",
    )
    parser.add_argument(
        "--jobs",
        type=_at_least_one,
        metavar="N",
        default=os.cpu_count() or 1,
        help="how many questions are asked at a time (default: one a core, %(default)s here)",
    )
    parser.add_argument(
        "--limit", type=_at_least_one, metavar="N", help="ask the first N questions of each set"
    )
    parser.add_argument("--fresh", action="store_true", help="start anew where a run was interrupted")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, a line a set")
    _price_option(parser)
    parser.add_argument(
        "--as-set", action="store_true", help="use the models that the settings name, not the embedded ones"
    )


def _price_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--prices",
        type=_price,
        nargs=2,
        metavar=("READ", "WRITTEN"),
        help="what a million tokens cost, read and written, to tell the cost of an answer",
    )


def _set_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sets",
        nargs="*",
        metavar="SET",
        help="gold, attacks, a third-party set by its name (needs --data), all of these by the name all, "
        "or a file of questions (needs --corpus); default: gold attacks",
    )
    parser.add_argument("--data", type=Path, metavar="DATA", help="the folder of the third-party sets")
    parser.add_argument("--corpus", type=Path, metavar="PATH", help="the documents of a file of questions")


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of at least 1")
    return int(text)


def _price(text: str) -> float:
    try:
        price = float(text)
    except ValueError:
        price = -1.0
    if not 0 <= price < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no price: a number of at least 0")
    return price


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False)


if __name__ == "__main__":
    sys.exit(main())
