"""The only thing that is not real in the tests: a model's provider, scripted, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Reply:
    """What the provider does with one request.

    Attributes:
        text: What it says: whole (streamed a word at a time), or in these pieces.
        status: The HTTP status; from 400 on, `text` is the error's message.
        usage: Tokens read and written, or None where the endpoint does not tell.
        finish: The finish reason, or None where the stream just ends.
        body: Bytes to send in place of all that.
        content_type: Of `body`.
        stall_s: Seconds of silence before the answer.
        pause_s: Seconds of silence after each piece.
        cut: Drop the connection after so many pieces.
        endless: Say the text again and again.
        alive: Send only keep-alive comments, without end.
        reasoning: What it thinks first, in the field of its own that some endpoints have.
        headers: Further headers.
    """

    text: str | Sequence[str] = ""
    status: int = 200
    usage: tuple[int, int] | None = (11, 7)
    finish: str | None = "stop"
    body: bytes | None = None
    content_type: str = "application/json"
    stall_s: float = 0.0
    pause_s: float = 0.0
    cut: int | None = None
    endless: bool = False
    alive: bool = False
    reasoning: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def pieces(self) -> list[str]:
        """The text as it is streamed; joined, it is the text."""
        if not isinstance(self.text, str):
            return list(self.text)
        return [word for word in self.text.replace(" ", "\0 ").split("\0") if word]


@dataclass(frozen=True, slots=True)
class Request:
    """What reached the provider."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class ScriptedServer:
    """An OpenAI-compatible server on 127.0.0.1 that answers by script, and remembers what it was asked.

    Chat requests take the replies in their order, the last one again and again; embeddings are counts of
    letters, so that equal texts have equal vectors.

    Examples:
        with ScriptedServer("Bail is 5 million euros [1].") as server:
            settings = Settings(llm="fake", OPENAI_BASE_URL=server.url)
    """

    def __init__(self, *replies: Reply | str) -> None:
        self.replies = [Reply(reply) if isinstance(reply, str) else reply for reply in replies] or [Reply()]
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.script = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The base address, `/v1` included."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def prompts(self) -> list[str]:
        """The last message of each chat request."""
        return [asked.body["messages"][-1]["content"] for asked in self.requests if "messages" in asked.body]

    def next_reply(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def script(self) -> ScriptedServer:
        return self.server.script  # type: ignore[attr-defined,no-any-return]

    def log_message(self, *_: Any) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # the client has gone, as it may
            self.close_connection = True

    def do_GET(self) -> None:
        self._note({})
        if self.path.endswith("/models"):
            self._send_json({"object": "list", "data": [{"id": "fake", "object": "model"}]})
        else:
            self._send_json({"error": {"message": f"no {self.path} here"}}, 404)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._note(body)
        if self.path.endswith("/embeddings"):
            self._send_json(_embeddings(body))
        elif self.path.endswith("/chat/completions"):
            self._chat(body, self.script.next_reply())
        else:
            self._send_json({"error": {"message": f"no {self.path} here"}}, 404)

    def _note(self, body: dict[str, Any]) -> None:
        self.script.requests.append(Request(self.path, dict(self.headers.items()), body))

    def _chat(self, body: dict[str, Any], reply: Reply) -> None:
        self.script.closing.wait(reply.stall_s)
        if reply.body is not None:
            self._send(reply.body, reply.content_type, reply.status)
        elif reply.status >= 400:
            said = {"message": reply.text, "type": "scripted", "code": None}
            self._send_json({"error": said}, reply.status, reply.headers)
        elif body.get("stream"):
            self._stream(_events(reply, body), reply)
        else:
            self._send_json(_completion(reply))

    def _stream(self, events: Iterator[bytes], reply: Reply) -> None:
        self._start(200, "text/event-stream", {"Transfer-Encoding": "chunked"})
        for place, event in enumerate(events):
            if place == reply.cut:
                self.close_connection = True
                return
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            if self.script.closing.wait(reply.pause_s):
                return
        self.wfile.write(b"0\r\n\r\n")

    def _send_json(self, value: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(json.dumps(value).encode(), "application/json", status, headers)

    def _send(self, body: bytes, kind: str, status: int, headers: dict[str, str] | None = None) -> None:
        self._start(status, kind, {"Content-Length": str(len(body)), **(headers or {})})
        self.wfile.write(body)

    def _start(self, status: int, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **headers}.items():
            self.send_header(name, value)
        self.end_headers()


def _events(reply: Reply, body: dict[str, Any]) -> Iterator[bytes]:
    while reply.alive:
        yield b": still here\n\n"
    if reply.reasoning:
        yield _event({"delta": {"reasoning_content": reply.reasoning}})
    while True:
        for piece in reply.pieces:
            yield _event({"delta": {"content": piece}})
        if not reply.endless:
            break
    if reply.finish:
        yield _event({"delta": {}, "finish_reason": reply.finish})
    if reply.usage and body.get("stream_options", {}).get("include_usage"):
        yield _event(None, _usage(reply.usage))
    yield b"data: [DONE]\n\n"


def _event(choice: dict[str, Any] | None, usage: dict[str, int] | None = None) -> bytes:
    choices = [] if choice is None else [{"index": 0, "finish_reason": None, **choice}]
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "fake"}
    return b"data: " + json.dumps({**chunk, "choices": choices, "usage": usage}).encode() + b"\n\n"


def _completion(reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(reply.pieces)}
    choice = {"index": 0, "message": message, "finish_reason": reply.finish}
    usage = _usage(reply.usage) if reply.usage else None
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "fake",
        "choices": [choice],
        "usage": usage,
    }


def _usage(counts: tuple[int, int]) -> dict[str, int]:
    return {"prompt_tokens": counts[0], "completion_tokens": counts[1], "total_tokens": sum(counts)}


def _embeddings(body: dict[str, Any]) -> dict[str, Any]:
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    rows = [
        {
            "object": "embedding",
            "index": place,
            "embedding": [1.0 + text.lower().count(chr(97 + letter)) for letter in range(26)],
        }
        for place, text in enumerate(texts)
    ]
    return {
        "object": "list",
        "model": body["model"],
        "data": rows,
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }
