"""The page: a conversation, and beside it the document that a citation opens at its place.

Gradio holds the page together; what it shows is drawn by `ui.render`. Annotations are evaluated in this
module (it has no `__future__` import), since gradio reads them to know which handlers want the event.
"""

import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import CitewellError, SettingsError
from ui.exchange import Answerer, Conversation, Exchange, exchanged, stopped
from ui.render import Span, conversation_html, document_html, documents_html, line_html, place_key

if TYPE_CHECKING:
    import gradio as gr

AT_ONCE = 16
"""Questions answered at the same time; gradio's default of 1 makes the fourth person wait for three."""

POLICY = "; ".join(
    [
        "default-src 'self'",
        # gradio starts with inline scripts, and compiles its templates with Function()
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "frame-src 'none'",
        "frame-ancestors 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'none'",
    ]
)
"""The Content-Security-Policy of every response: whatever slipped through would still reach nobody."""

_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
_HEADER = (
    '<header class="cw-header"><h1>Citewell</h1>'
    "<p>Answers from your documents, every sentence with its source</p></header>"
)
_LOG = (
    '<div class="cw-log" role="log" aria-live="polite" aria-label="Conversation" tabindex="0">${value}</div>'
)
_PANEL = '<section class="cw-panel" aria-label="Source">${value}</section>'
_QUIET = {"show_progress": "hidden", "api_visibility": "private"}

Place = Mapping[str, Any]
"""What a click opens, as `ui.render.place_key` writes it: `{"turn", "marker"}` for a citation,
`{"turn", "passage"}` for a passage of a refusal, `{"doc"}` for a document, empty for the list of them."""


def launch(
    engine: Answerer,
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = True,
    examples: Sequence[str] = (),
) -> None:
    """Serve the page until it is interrupted.

    Raises:
        SettingsError: Nothing can listen at that host and port.
    """
    page = start(engine, host, port, open_browser, examples)
    sys.stderr.write(f"Citewell answers at {page.local_url} (Ctrl+C ends it).\n")
    page.block_thread()


def start(
    engine: Answerer,
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = False,
    examples: Sequence[str] = (),
) -> "gr.Blocks":
    """Serve the page from threads of its own and return it at once; its `close()` ends that.

    Raises:
        SettingsError: Nothing can listen at that host and port.
    """
    _check_free(host, port)
    page = build_app(engine, examples)
    page.launch(server_name=host, server_port=port, inbrowser=open_browser, **_launch_options())
    return page


def _check_free(host: str, port: int) -> None:
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except (OSError, OverflowError) as error:
        raise SettingsError(
            f"The page cannot be served at {host}:{port} ({error}). Choose others with `--host` and `--port`."
        ) from None


def _launch_options() -> dict[str, Any]:
    """The house's look and headers; everything off that would reach out of the machine or keep a record."""
    import gradio as gr
    from starlette.middleware import Middleware

    off = ("share", "ssr_mode", "pwa", "mcp_server", "enable_monitoring", "run_history")
    return {
        **dict.fromkeys(off, False),
        "footer_links": [],
        "prevent_thread_lock": True,
        "quiet": True,
        "app_kwargs": {"middleware": [Middleware(_Headers)]},
        "theme": gr.themes.Base(font=_SANS, font_mono=_MONO),
        "css": _beside("page.css"),
        "favicon_path": str(Path(__file__).with_name("icon.svg")),
    }


class _Headers:
    """The security headers on every response."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await self.app(scope, receive, send_with_headers)


_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


# --- the page -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Parts:
    """The components of the page that change, and the two things it remembers for each visitor."""

    conversation: Any
    question: Any
    ask: Any
    stop: Any
    new: Any
    panel: Any
    kept: Any
    place: Any

    @property
    def drawn(self) -> list[Any]:
        """What `_draw` gives values for, in its order."""
        return [self.kept, self.conversation, self.ask, self.stop, self.new]


def build_app(engine: Answerer, examples: Sequence[str] = ()) -> "gr.Blocks":
    """The page over an engine, to be served by `start`, which brings its style and security headers.

    Args:
        engine: Answers the questions and gives the documents.
        examples: Questions that the empty conversation offers; they depend on the corpus.
    """
    # read when gradio is imported; with analytics on it waits 20 s at exit where there is no network
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr

    with gr.Blocks(title="Citewell", analytics_enabled=False, fill_width=True) as page:
        gr.HTML(_HEADER, js_on_load=None, apply_default_css=False, elem_id="cw-header")
        with gr.Row(elem_id="cw-main"):
            parts = _parts(examples)
        _connect_question(engine, examples, parts)
        _connect_panel(engine, page, parts)
    return page


def _parts(examples: Sequence[str]) -> _Parts:
    import gradio as gr

    with gr.Column(elem_id="cw-left"):
        conversation = _drawn(conversation_html((), examples), _LOG, "cw-conversation")
        with gr.Row(elem_id="cw-composer"):
            question = _question_box()
            ask = gr.Button("Ask", variant="primary", elem_id="cw-ask", scale=0)
            stop = gr.Button("Stop", elem_id="cw-stop", scale=0, visible=False)
        new = gr.Button("New conversation", size="sm", elem_id="cw-new", visible=False)
    with gr.Column(elem_id="cw-right"):
        panel = _drawn("", _PANEL, "cw-panel")
    return _Parts(conversation, question, ask, stop, new, panel, gr.State(()), gr.State({}))


def _drawn(value: str, template: str, name: str) -> Any:
    import gradio as gr

    script = _beside("page.js")
    return gr.HTML(value, html_template=template, js_on_load=script, apply_default_css=False, elem_id=name)


def _question_box() -> Any:
    import gradio as gr

    return gr.Textbox(
        label="Question",
        placeholder="Ask the documents …",
        lines=1,
        max_lines=6,
        show_label=False,
        container=False,
        autofocus=True,
        elem_id="cw-question",
    )


def _connect_question(engine: Answerer, examples: Sequence[str], parts: _Parts) -> None:
    """Bind asking, stopping and starting anew."""
    import gradio as gr

    everything = [*parts.drawn, parts.question, parts.panel, parts.place]

    async def on_ask(
        typed: str, earlier: Conversation, event: gr.EventData
    ) -> AsyncIterator[tuple[Any, ...]]:
        offered = _offered(event._data)
        question = offered or typed.strip()
        box = gr.skip() if offered else ""
        opened: Place | None = None
        if not question:
            yield (gr.skip(),) * len(everything)
        async for exchange in _apart(exchanged(engine, question, earlier) if question else iter(())):
            now = (*stopped(earlier), exchange)
            first = None if opened else _first_source(now)
            side = (gr.skip(), gr.skip()) if first is None else (opened_html(engine, now, first), first)
            yield *_draw(now, examples), question if exchange.error else box, *side
            box, opened = gr.skip(), opened or first

    def on_end(now: Conversation, place: Place) -> tuple[Any, ...]:
        """Say that it was stopped, if it was; mark in the open document what later sentences cited too."""
        cut = bool(now and now[-1].working)
        drawn = _draw(stopped(now), examples) if cut else (gr.skip(),) * len(parts.drawn)
        return *drawn, opened_html(engine, now, place) if place.get("turn") == len(now) - 1 else gr.skip()

    def on_new() -> tuple[Any, ...]:
        return *_draw((), examples), "", list_html(engine), {}

    asking = gr.on(
        [parts.question.submit, parts.ask.click, parts.conversation.submit],
        on_ask,
        [parts.question, parts.kept],
        everything,
        concurrency_limit=AT_ONCE,
        **_QUIET,
    )
    asking.then(on_end, [parts.kept, parts.place], [*parts.drawn, parts.panel], queue=False, **_QUIET)
    parts.stop.click(None, cancels=[asking], queue=False, **_QUIET)
    parts.new.click(on_new, None, everything, queue=False, **_QUIET)


def _connect_panel(engine: Answerer, page: Any, parts: _Parts) -> None:
    """Bind opening a source, and the list of documents."""
    import gradio as gr

    def on_open(now: Conversation, event: gr.EventData) -> tuple[str, Place]:
        place = event._data if isinstance(event._data, dict) else {}
        return opened_html(engine, now, place), place

    opened = [parts.conversation.select, parts.panel.select]
    gr.on(opened, on_open, parts.kept, [parts.panel, parts.place], queue=False, **_QUIET)
    page.load(lambda: list_html(engine), None, parts.panel, queue=False, **_QUIET)


async def _apart(steps: Iterator[Exchange]) -> AsyncIterator[Exchange]:
    """The steps, each awaited from a thread: so a stop need not wait for a step that takes long."""
    import anyio

    while (step := await anyio.to_thread.run_sync(next, steps, None, abandon_on_cancel=True)) is not None:
        yield step


def _draw(now: Conversation, examples: Sequence[str]) -> tuple[Any, ...]:
    import gradio as gr

    busy = bool(now and now[-1].working)
    shown = (gr.update(visible=visible) for visible in (not busy, busy, bool(now) and not busy))
    return now, conversation_html(now, examples), *shown


def _offered(payload: Any) -> str:
    """The example question that an event carries; empty where the question stands in the box."""
    question = payload.get("question") if isinstance(payload, dict) else None
    return question.strip() if isinstance(question, str) else ""


def _first_source(now: Conversation) -> Place | None:
    """What to open beside the newest answer: its first source, or the list where it was refused."""
    answer = now[-1].answer
    if answer is None:
        return None
    return {"turn": len(now) - 1, "marker": answer.citations[0].marker} if answer.citations else {}


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


# --- the panel ------------------------------------------------------------------------------------------


def opened_html(engine: Answerer, now: Conversation, place: Place) -> str:
    """The panel after a click: a document at the words that were clicked, a document, or the list.

    Args:
        engine: Gives the documents.
        now: The conversation that was clicked in.
        place: What to open.
    """
    if "doc" in place:
        return _document_panel(engine, str(place["doc"]), (), None, place)
    if "turn" not in place:
        return list_html(engine)
    spans = _spans(now, place)
    focus = spans.get(_number(place, "passage" if "passage" in place else "marker"))
    if focus is None:
        return line_html("This conversation is no longer held here: ask again to see its sources.")
    return _document_panel(engine, focus.doc_id, tuple(spans.values()), focus, place)


def list_html(engine: Answerer) -> str:
    """The panel without a document: what is indexed."""
    try:
        return documents_html(engine.documents())
    except CitewellError as error:
        return line_html(str(error))


def _spans(now: Conversation, place: Place) -> dict[int, Span]:
    """What the answer of that turn can open: its citations by marker, or its nearest passages by place."""
    turn = _number(place, "turn")
    answer = now[turn].answer if 0 <= turn < len(now) else None
    if answer is None:
        return {}
    if "passage" in place:
        return dict(enumerate(answer.nearest))
    return {citation.marker: citation for citation in answer.citations}


def _number(place: Place, key: str) -> int:
    number = place.get(key)
    return number if isinstance(number, int) else -1


def _document_panel(
    engine: Answerer, doc_id: str, spans: Sequence[Span], focus: Span | None, place: Place
) -> str:
    try:
        document = engine.document(doc_id)
    except CitewellError as error:
        return line_html(str(error))
    return document_html(document, spans, focus, place_key(**place))
