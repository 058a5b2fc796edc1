"""A language model behind an OpenAI-compatible endpoint: opened, asked, and its failures told in one line.

The endpoint is somebody else's program. It may refuse, stall, break off, send what is no JSON, or never
stop; each of these becomes an `EndpointError` within the time that is set, and the key is in none of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.errors import EndpointError, SettingsError
from rag.settings import Settings
from rag.types import Usage

if TYPE_CHECKING:
    import httpx
    from llama_index.core.base.llms.types import ChatMessage, ChatResponse
    from llama_index.core.llms.llm import LLM

CONTEXT_TOKENS = 8192
"""The window assumed of a model that LlamaIndex does not know by name."""
PATIENCE = 5
"""A whole answer may take so many times the longest silence that is allowed."""
CONNECT_S = 10.0
RETRY_WAIT_S = 1.0
_BYTES_A_TOKEN = 4096  # an event of one token is some 300 bytes
_CHARS_A_TOKEN = 16
_PASSING = (429, 500, 502, 503, 504)


def open_llm(settings: Settings) -> LLM:
    """The model that the settings name, at the endpoint that they name.

    Raises:
        SettingsError: No endpoint is set, its address is no http address, or the model does not chat.
    """
    key, base = settings.openai_api_key.get_secret_value().strip(), settings.openai_base_url.strip()
    if not key and not base:
        raise SettingsError(
            f"CITEWELL_LLM names the model `{settings.llm}`, but no endpoint is set: set OPENAI_BASE_URL "
            "to its address, or OPENAI_API_KEY for OpenAI's own."
        )
    if base and urlsplit(base).scheme not in ("http", "https"):
        raise SettingsError(
            f"OPENAI_BASE_URL is `{place(base)}`: it must begin with http:// or https://, "
            "and mostly ends in /v1."
        )
    return _openai_like(settings, key, base)


def reply(llm: LLM, system: str, question: str, settings: Settings) -> Iterator[str | Usage]:
    """Ask a model, and stream its reply: pieces of text, then the usage where the endpoint tells it.

    One retry, and only where the endpoint is busy and has said nothing yet.

    Raises:
        EndpointError: The endpoint failed, at any time; what was streamed before stands.
    """
    from llama_index.core.base.llms.types import ChatMessage, MessageRole

    messages = [
        ChatMessage(role=MessageRole.SYSTEM, content=system),
        ChatMessage(role=MessageRole.USER, content=question),
    ]
    try:
        yield from _checked(_responses(llm, messages), settings)
    except EndpointError:
        raise
    except Exception as error:  # any LlamaIndex model may be here, and raise what it likes
        raise failure(llm, *_explain(error, settings)) from None


def failure(llm: LLM, what: str, fix: str) -> EndpointError:
    """An error in one line: the model, its endpoint, what happened and what to do; never the key."""
    base = str(getattr(llm, "api_base", None) or "")
    where = f" at {place(base)}" if base else ""
    line = " ".join(f"The model `{llm.metadata.model_name}`{where} {what}. {fix}".split())
    key = str(getattr(llm, "api_key", None) or "")
    return EndpointError(line.replace(key, "***") if len(key) > 5 else line)


def place(address: str) -> str:
    """An address without name, password and query, which may hold a key.

    Examples:
        >>> place("http://me:secret@localhost:8080/v1?key=secret")
        'http://localhost:8080/v1'
    """
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _openai_like(settings: Settings, key: str, base: str) -> LLM:
    import httpx
    from llama_index.llms.openai.utils import DEFAULT_OPENAI_API_BASE
    from llama_index.llms.openai_like import OpenAILike  # type: ignore[import-untyped]

    longest = settings.llm_timeout_s
    try:
        model: LLM = OpenAILike(
            model=settings.llm,
            api_base=base or DEFAULT_OPENAI_API_BASE,  # no other variable may send the question elsewhere
            api_key=key or "none",  # the client insists on one; a local endpoint does not look
            is_chat_model=True,
            context_window=_context_tokens(settings.llm),
            temperature=0.0,
            max_tokens=settings.max_output_tokens,
            max_retries=0,
            timeout=longest,
            http_client=_bounded_client(settings),
            additional_kwargs={
                "timeout": httpx.Timeout(longest, connect=min(longest, CONNECT_S)),
                "stream_options": {"include_usage": True},
            },
        )
    except ValueError as error:
        raise SettingsError(f"CITEWELL_LLM is `{settings.llm}`, which cannot be asked: {error}") from None
    return model


def _context_tokens(model: str) -> int:
    from llama_index.llms.openai.utils import openai_modelname_to_contextsize

    try:
        return openai_modelname_to_contextsize(model)
    except ValueError:
        return CONTEXT_TOKENS


def _bounded_client(settings: Settings) -> httpx.Client:
    """A client whose answers end: by time, even where only keep-alives come, and by size."""
    import httpx
    import openai

    class Bounded(httpx.SyncByteStream):
        def __init__(self, stream: Any) -> None:
            self.stream = stream

        def __iter__(self) -> Iterator[bytes]:
            until = time.monotonic() + PATIENCE * settings.llm_timeout_s
            room = settings.max_output_tokens * _BYTES_A_TOKEN + 2**20
            for block in self.stream:
                room -= len(block)
                if room < 0 or time.monotonic() > until:
                    raise httpx.ReadTimeout("the answer does not end")
                yield block

        def close(self) -> None:
            self.stream.close()

    class Client(openai.DefaultHttpxClient):
        def __del__(self) -> None:  # nobody else knows when the model is let go
            self.close()

    def bound(response: httpx.Response) -> None:
        response.stream = Bounded(response.stream)

    return Client(event_hooks={"response": [bound]})


def _responses(llm: LLM, messages: list[ChatMessage]) -> Iterator[ChatResponse]:
    """What the model answers; asked a second time where it was busy, and then only."""
    try:
        first, rest = _begin(llm, messages)
    except Exception as error:
        if getattr(error, "status_code", None) not in _PASSING:
            raise
        time.sleep(RETRY_WAIT_S)
        first, rest = _begin(llm, messages)
    yield from first
    yield from rest


def _begin(llm: LLM, messages: list[ChatMessage]) -> tuple[list[ChatResponse], Iterator[ChatResponse]]:
    rest = iter(llm.stream_chat(messages))
    first = next(rest, None)
    return ([] if first is None else [first]), rest


def _checked(responses: Iterator[ChatResponse], settings: Settings) -> Iterator[str | Usage]:
    """The text of the responses, as long as it keeps to the limits and comes to its end."""
    until = time.monotonic() + PATIENCE * settings.llm_timeout_s
    room = settings.max_output_tokens * _CHARS_A_TOKEN
    usage, choosing, finished = None, False, False
    for response in responses:
        text = response.delta or ""
        room -= len(text)
        if room < 0 or time.monotonic() > until:
            raise TimeoutError
        usage = _usage(response) or usage
        if choices := getattr(response.raw, "choices", None):
            choosing, finished = True, finished or bool(choices[0].finish_reason)
        yield text
    if choosing and not finished:
        raise EOFError
    if usage:
        yield usage


def _usage(response: ChatResponse) -> Usage | None:
    read = response.additional_kwargs.get("prompt_tokens")
    written = response.additional_kwargs.get("completion_tokens")
    return Usage(read, written) if isinstance(read, int) and isinstance(written, int) else None


def _explain(error: Exception, settings: Settings) -> tuple[str, str]:
    """What happened and what to do about it, from whatever was raised."""
    import httpx
    import openai

    if isinstance(error, TimeoutError | openai.APITimeoutError | httpx.TimeoutException):
        limit = f"{settings.llm_timeout_s:g} s of silence or {settings.llm_timeout_s * PATIENCE:g} s in all"
        return (
            f"did not finish its answer ({limit} are allowed)",
            "Try again, or raise CITEWELL_LLM_TIMEOUT_S.",
        )
    if isinstance(error, openai.APIStatusError):
        return _explain_status(error.status_code, _message(error.body))
    if isinstance(error, openai.APIConnectionError):
        cause = (
            error.__cause__
            if isinstance(error.__cause__, httpx.ConnectError)
            else type(error.__cause__).__name__
        )
        return f"cannot be reached ({cause})", "Start it, or correct OPENAI_BASE_URL."
    if isinstance(error, openai.APIError):
        return f"broke off its answer{_message(error.body)}", "Try again later."
    if isinstance(error, EOFError | httpx.HTTPError):
        return "broke off its answer in the middle", "Try again."
    return (
        f"sent what cannot be read as an answer ({type(error).__name__})",
        "Check that OPENAI_BASE_URL is an OpenAI-compatible address; it mostly ends in /v1.",
    )


def _explain_status(status: int, message: str) -> tuple[str, str]:
    said = f"({status}{message})"
    if status in (401, 403):
        return f"does not accept the key {said}", "Set OPENAI_API_KEY to a key that it accepts."
    if status == 404:
        return (
            f"is not there {said}",
            "Correct CITEWELL_LLM, or OPENAI_BASE_URL, which mostly ends in /v1.",
        )
    if status == 429:
        return f"takes no more questions now {said}", "Wait a minute, or look at the account's quota."
    if status >= 500:
        return f"failed {said}", "Try again later."
    return (
        f"did not accept the question {said}",
        "Check CITEWELL_LLM; lower CITEWELL_PASSAGES or CITEWELL_MAX_OUTPUT_TOKENS if it is too long.",
    )


def _message(body: object) -> str:
    """What the endpoint itself says, shortened; nothing where it sent a page instead of JSON."""
    said = body.get("message") if isinstance(body, dict) else None
    plain = "".join(char if char.isprintable() else " " for char in str(said or ""))
    return f": {plain.strip()[:200].rstrip('. ')}" if plain.strip() else ""
