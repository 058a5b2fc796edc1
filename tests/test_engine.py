import asyncio
import json
import os
import subprocess
import sys
import threading

import pytest

from rag import open_engine
from rag.embedding import MiniLM
from rag.engine import index, start
from rag.errors import NoIndexError, NotFoundError, QuestionError, SettingsError
from rag.retrieve import retrieve
from rag.settings import Settings, load_settings
from rag.snapshot import Corpus
from rag.types import Answer, ClaimReady, Done, Retrieved

BAIL = "How much was Durov's bail?"
POLICE = "How often must he report to the police?"
WORTH = "What is Durov's net worth?"
QUESTIONS = (
    BAIL,
    POLICE,
    WORTH,
    "Why was Durov arrested?",
    "How many users does Telegram have?",
    "?!",
    "警察",
)


def without_timings(answer):
    return {**answer.to_json(), "timings": None}


def test_the_bail_is_five_million_euros_in_three_documents(engine):
    answer = engine.ask(BAIL)
    assert answer.status == "answered"
    assert "5 million euros" in answer.claims[0].text
    numbers = {doc_id[:3] for doc_id in answer.claims[0].support}
    assert numbers == {"000", "001", "002"}
    assert all("5 million euros" in citation.quote for citation in answer.citations)


def test_he_reports_twice_a_week(engine):
    answer = engine.ask(POLICE)
    assert "twice a week" in answer.claims[0].text
    assert {doc_id[:3] for doc_id in answer.claims[0].support} == {"000", "002"}


def test_what_no_document_says_is_refused_with_the_nearest_passages(engine):
    answer = engine.ask(WORTH)
    assert (answer.status, answer.claims, answer.citations) == ("refused", (), ())
    assert answer.text == answer.reason != ""
    for passage in answer.nearest:
        assert engine.document(passage.doc_id).text[passage.start : passage.end] == passage.quote != ""


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_claim_has_citations_and_every_citation_is_exact(engine, question):
    answer = engine.ask(question)
    assert (answer.status == "refused") == (not answer.claims)
    assert [citation.marker for citation in answer.citations] == list(range(1, len(answer.citations) + 1))
    for citation in answer.citations:
        assert engine.document(citation.doc_id).text[citation.start : citation.end] == citation.quote != ""
    for claim in answer.claims:
        assert claim.citations
        assert {answer.citations[marker - 1].doc_id for marker in claim.citations} <= set(claim.support)


def test_the_stream_gives_the_parts_of_the_answer_in_order(engine):
    retrieved, *ready, done = engine.stream(BAIL)
    assert isinstance(retrieved, Retrieved)
    assert isinstance(done, Done)
    assert all(isinstance(event, ClaimReady) for event in ready)
    assert tuple(event.claim for event in ready) == done.answer.claims
    for event in ready:
        assert tuple(citation.marker for citation in event.citations) == event.claim.citations


def test_the_same_question_gets_the_same_answer(engine):
    assert without_timings(engine.ask(BAIL)) == without_timings(engine.ask(BAIL))


@pytest.mark.slow
def test_answers_are_the_same_bytes_whatever_the_hash_seed(seeds, tmp_path):
    ask = (
        "import json, sys; from rag.engine import start\n"
        "with start(sys.argv[1], store=sys.argv[2]) as engine:\n"
        "    for question in sys.argv[3:]:\n"
        "        print(json.dumps({**engine.ask(question).to_json(), 'timings': None}))\n"
    )
    outputs = set()
    for seed in ("0", "1", "42"):
        command = [sys.executable, "-c", ask, str(seeds), str(tmp_path / f"store-{seed}"), *QUESTIONS]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        outputs.add(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
    assert len(outputs) == 1


def test_many_threads_get_the_answers_of_one(engine):
    expected = [without_timings(engine.ask(question)) for question in QUESTIONS]
    got = {}

    def ask(number):
        got[number] = [without_timings(engine.ask(question)) for question in QUESTIONS]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got[number] for number in range(4)] == [expected] * 4


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("x" * 2001, "2,001 characters"),
        ("\ud800", "half a character"),
    ],
)
def test_a_question_that_cannot_be_asked_says_why(engine, question, said):
    with pytest.raises(QuestionError, match=said):
        engine.ask(question)
    with pytest.raises(QuestionError, match=said):
        engine.search(question)


def test_an_unknown_document_says_how_to_list_them(engine):
    with pytest.raises(NotFoundError, match=r"no document `nothing`.*citewell show"):
        engine.document("nothing")


def test_it_is_a_llamaindex_query_engine(engine):
    from llama_index.core.base.base_query_engine import BaseQueryEngine

    assert isinstance(engine, BaseQueryEngine)
    response = engine.query(BAIL)
    answer = response.metadata["answer"]
    assert str(response) == answer["text"]
    assert "5 million euros" in answer["text"]
    assert json.loads(json.dumps(answer)) == answer
    for source in response.source_nodes:
        node = source.node
        text = engine.document(node.metadata["doc_id"]).text
        assert text[node.start_char_idx : node.end_char_idx] == node.text
    assert response.source_nodes[0].score >= response.source_nodes[-1].score


def test_asking_asynchronously_gives_the_same(engine):
    response = asyncio.run(engine.aquery(POLICE))
    assert "twice a week" in str(response)


def test_its_retriever_is_a_llamaindex_retriever(engine):
    from llama_index.core.base.base_retriever import BaseRetriever

    retriever = engine.as_retriever(k=3)
    assert isinstance(retriever, BaseRetriever)
    assert [scored.node.metadata["doc_id"] for scored in retriever.retrieve(BAIL)] == [
        ranked.chunk.doc_id for ranked in engine.search(BAIL, 3).chunks
    ]


def test_the_same_engine_answers_over_any_folder(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "leave.md").write_text("# Leave\n\nStaff get 25 days of leave a year.\n")
    with open_engine(tmp_path / "notes", store=tmp_path / "store") as engine:
        answer = engine.ask("How many days of leave do staff get?")
        assert answer.claims[0].text == "Staff get 25 days of leave a year."
        (tmp_path / "notes" / "leave.md").write_text("# Leave\n\nStaff get 31 days of leave a year.\n")
    with open_engine(tmp_path / "notes", store=tmp_path / "store") as engine:
        assert "31 days" in engine.ask("How many days of leave do staff get?").text


def test_first_use_takes_the_seeds_in_the_default_store_only(tmp_path, monkeypatch, seeds):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "a.txt").write_bytes((seeds / "000_c2e7440038dc46a4.txt").read_bytes())
    with pytest.raises(NoIndexError, match=r"citewell index PATH… --store elsewhere"):
        open_engine(store="elsewhere")
    with open_engine() as engine:
        assert [document.doc_id for document in engine.documents()] == ["a.txt"]


def test_a_first_run_that_was_stopped_is_not_taken_for_an_index(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "a.txt").write_text("Staff get 25 days of leave a year.\n")
    with monkeypatch.context() as stopped:
        stopped.setattr("rag.index._build", stop)
        with pytest.raises(KeyboardInterrupt):
            index()
    with pytest.raises(NoIndexError, match=r"its first run did not end. Run `citewell index PATH…` again"):
        Corpus(tmp_path / ".citewell", MiniLM())
    assert index().added == 1
    with open_engine() as engine:
        assert engine.ask("How many days of leave do staff get?").status == "answered"


def test_a_truth_that_was_never_written_is_made_again(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "corpus.sqlite").touch()
    with pytest.raises(NoIndexError):
        open_engine(store=tmp_path / "store")
    (tmp_path / "a.txt").write_text("Trains are booked by the office.")
    assert index([tmp_path / "a.txt"], store=tmp_path / "store").added == 1


def test_an_index_swapped_under_a_question_is_answered_from_one_state_alone(tmp_path, monkeypatch):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "leave.txt").write_text("Staff get 25 days of leave a year.\n")
    with start(docs, store=tmp_path / "store") as engine:

        def swap_first(*asked):
            if not (docs / "new.txt").exists():
                (docs / "leave.txt").write_text("This has changed. Staff get 31 days of leave a year.\n")
                (docs / "new.txt").write_text("Partners get 31 days of leave a year as staff do.\n")
                index(store=tmp_path / "store")
            return retrieve(*asked)

        monkeypatch.setattr("rag.engine.retrieve", swap_first)
        texts = {"leave.txt": (docs / "leave.txt").read_text()}
        answer = engine.ask("How many days of leave do staff get?")
        assert "25 days" in answer.text
        for citation in answer.citations:
            assert texts[citation.doc_id][citation.start : citation.end] == citation.quote
        later = engine.ask("How many days of leave do staff get?")
        assert "31 days" in later.text
        assert "25 days" not in later.text
        for citation in later.citations:
            assert engine.document(citation.doc_id).text[citation.start : citation.end] == citation.quote


def test_any_llamaindex_embedding_plugs_in(tmp_path):
    from llama_index.core.embeddings.mock_embed_model import MockEmbedding

    (tmp_path / "a.txt").write_text("Trains are booked by the office.")
    with open_engine(
        tmp_path / "a.txt",
        store=tmp_path / "store",
        embed_model=MockEmbedding(embed_dim=4, model_name="mock"),
    ) as engine:
        assert engine.search("trains").chunks[0].chunk.doc_id == "a.txt"


def test_a_setting_that_cannot_be_used_is_named(monkeypatch):
    monkeypatch.setenv("CITEWELL_PASSAGES", "many")
    with pytest.raises(SettingsError, match=r"CITEWELL_PASSAGES is 'many', which cannot be used"):
        load_settings()


def test_naming_no_model_asks_no_endpoint(monkeypatch, engine):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nothing")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert Settings().llm == ""
    assert isinstance(engine.ask(BAIL), Answer)


def test_an_empty_setting_is_the_default(monkeypatch):
    monkeypatch.setenv("CITEWELL_STORE", "")
    monkeypatch.setenv("CITEWELL_LLM", "")
    assert (str(Settings().store), Settings().llm) == (".citewell", "")


def test_an_answer_within_documents_cites_no_other(engine):
    asked = "How much was Durov's bail?"
    everywhere = {citation.doc_id[:3] for citation in engine.ask(asked).citations}
    assert everywhere == {"000", "001", "002"}
    one = next(document.doc_id for document in engine.documents() if document.doc_id.startswith("001"))
    answer = engine.ask(asked, within=[one])
    assert "5 million euros" in answer.text
    assert {citation.doc_id for citation in answer.citations} == {one}


def test_what_the_documents_named_do_not_say_is_refused(engine):
    silent = next(document.doc_id for document in engine.documents() if document.doc_id.startswith("003"))
    answer = engine.ask("How many passports does Durov hold, and of which countries?", within={silent})
    assert {passage.doc_id for passage in answer.nearest} | {c.doc_id for c in answer.citations} == {silent}
    assert engine.ask("How much was Durov's bail?", within=()).status == "refused"


def test_a_document_that_is_not_there_cannot_be_answered_from(engine):
    with pytest.raises(NotFoundError, match=r"no document `gone\.txt`"):
        engine.ask("How much was Durov's bail?", within=["gone.txt"])
