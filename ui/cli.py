"""The terminal: `citewell index | search | ask | show | remove | chat`.

Exit codes: 0 done (a refusal is an answer too), 1 an error, said in one line, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rag.errors import CitewellError, QuestionError
from rag.types import IndexReport, Ranking, Turn

if TYPE_CHECKING:
    from rag.engine import Engine

MOST_REJECTED = 10
_ROLES = {"user": "user", "assistant": "assistant", "agent": "assistant"}
EXAMPLES = (
    "How much was Durov's bail?",
    "How often must he report to the police?",
    "What did Durov say about the hotline with France?",
    "What is Durov's net worth?",
)
"""What the page offers to ask about the articles in `seeds/`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and give its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except CitewellError as error:
        return _failed(str(error))
    except BrokenPipeError:
        # who reads us has seen enough; keep the interpreter from flushing into the closed pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        return _failed(f"{error.filename or 'the system'}: {error.strerror or error}")
    except KeyboardInterrupt:
        return 130
    return 0


def _failed(reason: str) -> int:
    from ui.render import printable

    print(f"citewell: {printable(' '.join(reason.splitlines()))}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="citewell", description="Answers from your documents, every sentence with a checked citation."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--store", type=Path, metavar="DIR", help="the folder of the index (.citewell)")

    def add(name: str, run: Callable[[argparse.Namespace], None], summary: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, parents=[common], help=summary, description=summary)
        command.set_defaults(run=run, command=command)
        return command

    index = add("index", _index, "index folders and files, and what was indexed before")
    index.add_argument("paths", nargs="*", metavar="PATH", type=Path)
    _add_json(index)
    search = add("search", _search, "list the passages nearest to a question")
    search.add_argument("--k", type=int, default=10, help="how many passages (10)")
    ask = add("ask", _ask, "answer a question, with citations")
    for command in (search, ask):
        command.add_argument("question", nargs="?", metavar="QUESTION")
        command.add_argument(
            "--jsonl", action="store_true", help="read questions as JSON lines from standard input"
        )
        _add_json(command)
    show = add("show", _show, "print a document, or list all documents")
    show.add_argument("doc_id", nargs="?", metavar="DOC_ID")
    _add_json(show)
    remove = add("remove", _remove, "drop roots and documents from the index")
    remove.add_argument("targets", nargs="+", metavar="ROOT|DOC_ID")
    _add_json(remove)
    chat = add("chat", _chat, "open the chat page")
    chat.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    chat.add_argument("--port", type=int, default=7860, help="the port (7860)")
    return parser


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON")


def _index(options: argparse.Namespace) -> None:
    from rag.engine import index

    _print_report(index(options.paths, store=options.store), options.json)


def _remove(options: argparse.Namespace) -> None:
    from rag.engine import configured, index
    from rag.errors import NoIndexError
    from rag.index import exists

    store = configured(None, options.store).store
    if not exists(store):
        raise NoIndexError(f"There is no index in `{store}`, so there is nothing to remove.")
    _print_report(index(remove=options.targets, store=options.store), options.json)


def _print_json(value: object) -> None:
    """One line of JSON; escaped where the output cannot write every character, since quotes are exact."""
    escaped = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    print(json.dumps(value, ensure_ascii=escaped), flush=True)


def _print_report(report: IndexReport, as_json: bool) -> None:
    if as_json:
        _print_json(report.to_json())
        return
    from ui.render import printable

    print(
        f"{report.documents} documents in {report.chunks} chunks: {report.added} added, "
        f"{report.changed} changed, {report.unchanged} unchanged, {report.removed} removed, "
        f"{len(report.rejected)} rejected ({report.seconds:.1f} s)"
    )
    for item in report.rejected[:MOST_REJECTED]:
        print(f"  rejected {printable(' '.join(item.path.splitlines()))}: {printable(item.reason)}")
    if len(report.rejected) > MOST_REJECTED:
        print(f"  … and {len(report.rejected) - MOST_REJECTED} more; --json lists them all")


def _search(options: argparse.Namespace) -> None:
    def reply(engine: Engine, question: str, history: Sequence[Turn]) -> dict[str, Any]:
        return engine.search(question, options.k).to_json()

    if options.k < 1:
        options.command.error(f"argument --k: {options.k} is below 1")
    if not _in_json(options, reply):
        with _engine(options) as engine:
            _print_ranking(engine.search(options.question, options.k))


def _print_ranking(ranking: Ranking) -> None:
    from ui.render import printable

    for ranked in ranking.chunks:
        chunk = ranked.chunk
        print(f"{ranked.rank}. {printable(chunk.doc_id)}:{chunk.start}-{chunk.end}  ({ranked.score:.3f})")
        print(f"   {printable(' '.join(chunk.text.split()))}\n")


def _ask(options: argparse.Namespace) -> None:
    def reply(engine: Engine, question: str, history: Sequence[Turn]) -> dict[str, Any]:
        return engine.ask(question, history).to_json()

    if not _in_json(options, reply):
        from ui.render import answer_text

        with _engine(options) as engine:
            print(answer_text(engine.ask(options.question)))


Reply = Callable[["Engine", str, Sequence[Turn]], dict[str, Any]]


def _in_json(options: argparse.Namespace, reply: Reply) -> bool:
    """Serve the forms of a command that print JSON; False where people read the result."""
    if options.jsonl == (options.question is not None):
        options.command.error("give either a QUESTION or --jsonl")
    if options.jsonl:
        if sys.stdin is None:
            raise QuestionError("Standard input is closed, and --jsonl reads the questions from it.")
        with _engine(options) as engine:
            for number, line in _lines(sys.stdin.buffer):
                _print_json(_replied(engine, number, line, reply))
    elif options.json:
        with _engine(options) as engine:
            _print_json(reply(engine, options.question, ()))
    return bool(options.jsonl or options.json)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    return ((number, line) for number, line in enumerate(stream, start=1) if line.strip())


def _replied(engine: Engine, number: int, line: bytes, reply: Reply) -> dict[str, Any]:
    """The reply to one line; what is wrong with the line stands in its place."""
    name: dict[str, Any] = {}
    try:
        asked = _parsed(number, line)
        name = {"id": asked["id"]} if "id" in asked else {}
        return {**name, **reply(engine, _question(asked), _history(asked.get("history")))}
    except CitewellError as error:
        return {**name, "error": str(error)}


def _parsed(number: int, line: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise QuestionError(f"Line {number} is not UTF-8. Save the questions as UTF-8.") from None
    except json.JSONDecodeError as error:
        raise QuestionError(f"Line {number} is not JSON: {error.msg} at character {error.pos + 1}.") from None
    except (ValueError, RecursionError):
        raise QuestionError(f"Line {number} is JSON too deep or with too long a number.") from None
    if not isinstance(asked, dict):
        raise QuestionError(f"Line {number} is JSON, but not an object: {line.decode()[:40].strip()}.")
    return asked


def _question(asked: dict[str, Any]) -> str:
    question = asked.get("question")
    if not isinstance(question, str):
        raise QuestionError(f'The line needs a text as its "question", and has {json.dumps(question)[:40]}.')
    return question


def _history(turns: Any) -> tuple[Turn, ...]:
    try:
        return tuple(Turn(_ROLES[turn["role"]], str(turn["text"])) for turn in turns or ())  # type: ignore[arg-type]
    except (TypeError, KeyError):
        raise QuestionError(
            'The "history" must be a list of {"role": "user" or "assistant", "text": …}.'
        ) from None


def _show(options: argparse.Namespace) -> None:
    from dataclasses import asdict

    from ui.render import printable

    with _engine(options) as engine:
        documents = engine.documents() if options.doc_id is None else (engine.document(options.doc_id),)
    if options.json:
        rows = [asdict(document) for document in documents]
        _print_json(rows if options.doc_id is None else rows[0])
    elif options.doc_id is None:
        for document in documents:
            print(printable(f"{document.doc_id}  {document.title}"))
    else:
        text = documents[0].text
        print(printable(text) if sys.stdout.isatty() else text)


def _chat(options: argparse.Namespace) -> None:
    from rag.engine import SEEDS
    from ui.app import launch

    engine = _engine(options)
    seeds = {path.name for path in SEEDS.glob("*")} & {document.doc_id for document in engine.documents()}
    launch(engine, options.host, options.port, open_browser=True, examples=EXAMPLES if seeds else ())


def _engine(options: argparse.Namespace) -> Engine:
    from rag.engine import start

    return start(store=options.store)


if __name__ == "__main__":
    sys.exit(main())
