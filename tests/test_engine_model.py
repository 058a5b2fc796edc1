"""The engine with a language model: a scripted provider, and everything else real."""

import json

import pytest
from fakes import Reply, ScriptedServer

from rag.engine import start
from rag.settings import Settings
from rag.types import ClaimReady, Done

BAIL = "How much was Durov's bail?"
TRUE = "Durov was released on bail of 5 million euros"
LIE = "Durov was released on bail of 50 million euros"


@pytest.fixture(scope="module")
def store(seeds, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "store"
    start(seeds, store=folder).close()
    return folder


def asked(store, *replies, question=BAIL):
    """The events of one question to an engine whose model gives these replies, and the server's view."""
    with ScriptedServer(*replies) as server:
        settings = Settings(llm="scripted", OPENAI_BASE_URL=server.url, store=store, llm_timeout_s=5)
        with start(settings=settings) as engine:
            events = list(engine.stream(question))
            for event in events:
                check_exact(engine, event)
        return events, server


def check_exact(engine, event):
    citations = event.citations if isinstance(event, ClaimReady) else ()
    for citation in citations or (event.answer.citations if isinstance(event, Done) else ()):
        assert engine.document(citation.doc_id).text[citation.start : citation.end] == citation.quote


def answer_of(events):
    assert isinstance(events[-1], Done)
    return events[-1].answer


def passage_saying(words, store):
    """The number under which the model sees a passage with these words."""
    with start(store=store) as engine:
        chunks = engine.search(BAIL, 8).chunks
    return next(ranked.rank for ranked in chunks if words in ranked.chunk.text)


def test_a_carried_sentence_is_shown_and_a_lie_beside_it_dropped(store):
    number = passage_saying("released on bail of 5 million euros", store)
    events, server = asked(store, f"{TRUE} [{number}]. {LIE} [{number}].")
    answer = answer_of(events)
    assert [claim.text for claim in answer.claims] == [f"{TRUE}."]
    assert [dropped.text for dropped in answer.dropped] == [f"{LIE}."]
    assert "50 million euros" in answer.dropped[0].why
    assert (answer.status, answer.mode, answer.notice) == ("answered", "scripted", "")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)
    assert [event.claim for event in events if isinstance(event, ClaimReady)] == list(answer.claims)
    assert BAIL in server.prompts[0]
    json.dumps(answer.to_json())


def test_nothing_but_lies_gives_the_embedded_answer_with_a_notice(store):
    answer = answer_of(asked(store, f"{LIE} [1]. He reports 9 times a week [2].")[0])
    assert (answer.status, answer.mode) == ("answered", "extractive")
    assert "5 million euros" in answer.text
    assert "50 million" not in answer.text
    assert len(answer.dropped) == 2
    assert "embedded answer" in answer.notice


@pytest.mark.parametrize("status", [401, 404, 500])
def test_an_endpoint_that_fails_gives_the_embedded_answer_with_a_notice(store, status):
    answer = answer_of(asked(store, Reply("no", status=status))[0])
    assert (answer.status, answer.mode) == ("answered", "extractive")
    assert "5 million euros" in answer.text
    assert str(status) in answer.notice
    assert "\n" not in answer.notice


def test_an_endpoint_that_is_not_there_gives_the_embedded_answer_with_a_notice(store):
    settings = Settings(llm="scripted", OPENAI_BASE_URL="http://127.0.0.1:9/v1", store=store, llm_timeout_s=5)
    with start(settings=settings) as engine:
        answer = engine.ask(BAIL)
    assert "5 million euros" in answer.text
    assert "127.0.0.1:9" in answer.notice


def test_a_stream_cut_after_a_checked_sentence_keeps_it_and_says_so(store):
    number = passage_saying("released on bail of 5 million euros", store)
    words = f"{TRUE} [{number}]. And then he went on to".split(" ")
    pieces = [f"{word} " for word in words]
    answer = answer_of(asked(store, Reply(pieces, cut=len(pieces) - 1))[0])
    assert [claim.text for claim in answer.claims] == [f"{TRUE}."]
    assert answer.mode == "scripted"
    assert answer.notice


def test_a_model_that_finds_no_answer_refuses_with_the_nearest_passages(store):
    answer = answer_of(asked(store, "NOT IN THE PASSAGES")[0])
    assert (answer.status, answer.claims, answer.citations) == ("refused", (), ())
    assert "scripted" in answer.reason
    assert answer.nearest


def test_a_key_without_a_model_asks_nobody(store):
    with ScriptedServer("never") as server:
        settings = Settings(OPENAI_API_KEY="sk-x", OPENAI_BASE_URL=server.url, store=store)
        with start(settings=settings) as engine:
            assert engine.ask(BAIL).mode == "extractive"
        assert server.requests == []


def test_a_model_is_asked_the_question_as_it_was_put(store):
    events, server = asked(store, Reply(f"{TRUE} [1]."), question="How much was durof's bail?")
    answer = events[-1].answer
    assert answer.standalone == "How much was Durov's bail?"
    said = json.dumps([request.body for request in server.requests])
    assert "durof's bail" in said
