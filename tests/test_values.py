"""The scorer: a table worked by hand, and its proof on all equivalents and mutants of the gold."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from eval.dataset import GoldFact, corpus_texts, load
from eval.values import FIGURES, Found, judge_value, normalise, states
from rag.sentences import sentence_spans

ROOT = Path(__file__).parent.parent
GOLD = ROOT / "eval" / "gold"
SEEDS = ROOT / "seeds"


def fact(kind: str, value: str, accepted: str, rejected: str, quote: str) -> GoldFact:
    """A gold fact; spellings parted by |."""
    spellings = (tuple(filter(None, text.split("|"))) for text in (accepted, rejected))
    return GoldFact(kind, value, *spellings, True, "a.txt", quote, 0, len(quote))


BAIL = fact(
    "money",
    "5 million euros",
    "5 million euros|€5M",
    "50 million euros|$5 million|not released on bail",
    "was released on bail of 5 million euros",
)
REPORTS = fact(
    "frequency",
    "twice a week",
    "twice a week|twice weekly",
    "once a week",
    "is required to report to the police twice a week",
)
DAILY = fact("frequency", "daily", "daily", "twice a day", "We publish daily reports")
AGE = fact("duration", "39 years", "39|thirty-nine", "29|40", "Durov, 39, was accused")
USERS = fact("count", "950 million users", "950 million", "95 million", "user numbers to 950 million")
ALMOST = fact(
    "count", "almost a billion users", "almost a billion", "more than a billion", "our almost billion users"
)
BAN = fact(
    "date",
    "March 2025",
    "March 2025",
    "March 2026|not banned from leaving",
    "banned from leaving France until March 2025",
)
POST = fact("date", "in March", "March", "April|March 2025", "In a post made in March, Durov")
CHIEF = fact(
    "name", "Pavel Durov", "Pavel Durov|Durov", "Nikolai Durov", "Telegram founder and CEO Pavel Durov"
)
JUDGE = fact(
    "name", "Alexandre de Moraes", "de Moraes|Moraes", "", "a judge, Alexandre de Moraes, suspended X"
)
TOOL = fact("name", "Telegraph", "Telegraph", "Medium", "a blogging tool called Telegraph")
IRAN = fact(
    "phrase", "banned", "banned in Iran|left Iran", "not banned in Iran", "Telegram was banned in Iran"
)
REASON = fact(
    "phrase",
    "no representative",
    "legal representative",
    "",
    "for defying an order to appoint a legal representative",
)
MILLIONS = fact("phrase", "millions", "millions", "thousands of", "We take down millions of posts every day")
REPLIES = fact(
    "negation",
    "did not receive responses",
    "didn't receive responses|received no responses",
    "received responses",
    "the authorities didn’t receive responses from Telegram",
)
BARRED = fact(
    "negation",
    "barred from leaving France",
    "barred from leaving",
    "not barred from leaving|free to leave",
    "He is barred from leaving France",
)

STATED = [
    (BAIL, "He was freed on bail of 5 million euros.", "spelling"),
    (BAIL, "Bail was EUR 5,000,000.", "value"),
    (BAIL, "Bail came to five million euros.", "value"),
    (BAIL, "He must pay 5 million euros ($5.6 million) bail.", "spelling"),
    (BAIL, "Durov was not jailed but released on bail of 5 million euros.", "spelling"),
    (BAIL, "Durov, who did not reply, was released on bail of €5M.", "spelling"),
    (BAIL, "Bail was not $6 million. It was 5 million euros.", "spelling"),
    (BAIL, "Bail was about 5 million euros.", "spelling"),
    (REPORTS, "He reports 2x a week.", "value"),
    (DAILY, "They publish them every day.", "value"),
    (AGE, "Durov is 39.", "spelling"),
    (AGE, "A 39-year-old was accused.", "spelling"),
    (AGE, "On 29 August, Durov, 39, was accused.", "spelling"),
    (USERS, "It has 950 million monthly active users.", "spelling"),
    (USERS, "In all there are 950 million.", "spelling"),
    (USERS, "It has 950,000,000 users.", "value"),
    (ALMOST, "It has nearly a billion users.", "value"),
    (BAN, "He is banned from leaving until March 2025.", "spelling"),
    (BAN, "The date is 2025-03.", "value"),
    (POST, "He posted it in March.", "spelling"),
    (CHIEF, "Mr. Durov leads it.", "spelling"),
    (CHIEF, "PÁVEL DÚROV leads it.", "value"),
    (CHIEF, "The CEO, Durov, does not agree.", "spelling"),
    (JUDGE, "Judge de Moraes did it.", "spelling"),
    (TOOL, "It is called Telegraph and is no medium.", "spelling"),
    (IRAN, "It was BANNED IN IRAN.", "spelling"),
    (REASON, "X did not appoint a legal representative.", "spelling"),
    (MILLIONS, "It removes millions of channels.", "spelling"),
    (REPLIES, "They received no responses.", "spelling"),
    (REPLIES, "The authorities have not received responses from Telegram.", "value"),
    (BARRED, "He is barred from leaving France.", "spelling"),
]
NOT_STATED = [
    (BAIL, "Bail was 50 million euros."),
    (BAIL, "Bail was 5 million dollars."),
    (BAIL, "Bail was twenty-five million euros."),
    (BAIL, "He was not released on bail of 5 million euros."),
    (BAIL, "It is not true that he was released on bail of 5 million euros."),
    (BAIL, "He did not have to pay 5 million euros."),
    (BAIL, "Bail was less than 5 million euros."),
    (BAIL, "He pays 5 million euros a day."),
    (BAIL, "Bail was 5 euros."),
    (BAIL, "Bail was half of 5 million euros."),
    (BAIL, "Bail was 5 to 7 million euros."),
    (BAIL, "Bail was between 4 and 5 million euros."),
    (BAIL, "It has 5 million users."),
    (REPORTS, "He reports twice a month."),
    (DAILY, "It earns 5 euros a day."),
    (REPORTS, "He reports more than twice a week."),
    (REPORTS, "He is not required to report twice a week."),
    (AGE, "He was held for 39 days."),
    (AGE, "He paid 39 euros."),
    (AGE, "It was in 1939."),
    (USERS, "It has 950 million posts."),
    (USERS, "It has less than 950 million users."),
    (USERS, "It earned 950 million euros."),
    (USERS, "It wins 950 million users a day."),
    (ALMOST, "It has more than a billion users."),
    (BAN, "He is banned until March 2026."),
    (BAN, "He may leave from March 2025."),
    (BAN, "He was banned before March 2025."),
    (POST, "He posted it in March 2025."),
    (CHIEF, "Nikolai Durov leads it."),
    (CHIEF, "Anna Durov leads it."),
    (CHIEF, "The Durov Foundation leads it."),
    (CHIEF, "Pavel leads it."),
    (JUDGE, "Luis de Moraes did it."),
    (TOOL, "The Daily Telegraph wrote it."),
    (IRAN, "It was not banned in Iran."),
    (MILLIONS, "It removes tens of millions of posts."),
    (MILLIONS, "It earned millions of euros."),
    (REPLIES, "The authorities received responses."),
    (BARRED, "He is not barred from leaving France."),
    (BARRED, "He may leave France."),
    (BAIL, ""),
]


@pytest.mark.parametrize(("gold", "told", "by"), STATED)
def test_a_fact_is_found_in_any_spelling_of_its_value(gold, told, by):
    judged = judge_value(gold, told)
    assert (judged.found, judged.by, judged.wrong) == (True, by, ())


@pytest.mark.parametrize(("gold", "told"), NOT_STATED)
def test_a_fact_is_not_found_where_the_words_make_another_value_of_it(gold, told):
    judged = judge_value(gold, told)
    assert (judged.found, judged.by) == (False, None)


@pytest.mark.parametrize(
    ("gold", "told", "wrong"),
    [
        (BAIL, "Bail was €50M.", ("50 million euros",)),
        (BAIL, "Bail was about $5 million, or 50 million euros.", ("50 million euros", "$5 million")),
        (BAIL, "He wasn’t released on bail.", ("not released on bail",)),
        (BAIL, "He was not released on Monday.", ()),
        (BAIL, "Bail was not $5 million but 5 million euros.", ()),
        (BAIL, "Bail was A$5 million.", ()),
        (AGE, "Durov is 29.", ("29",)),
        (REPORTS, "He reports weekly.", ("once a week",)),
        (REPORTS, "He pays 5 euros a week.", ()),
        (AGE, "A 29-year-old was accused.", ("29",)),
        (AGE, "On 29 August it began, for 40 euros.", ()),
        (ALMOST, "It has a billion users.", ()),
        (ALMOST, "It has over a billion users.", ("more than a billion",)),
        (TOOL, "It is called Medium.", ("Medium",)),
        (TOOL, "It is a medium.", ()),
        (BARRED, "He is no longer barred, and free to leave.", ("free to leave",)),
    ],
)
def test_a_rejected_value_is_wrong_where_it_stands_whole_and_undenied(gold, told, wrong):
    assert judge_value(gold, told).wrong == wrong


def test_where_spellings_and_types_differ_it_is_said():
    assert judge_value(USERS, "There are 950 million.") == Found(True, "spelling", differ=True)
    assert judge_value(USERS, "There are 950 million posts.") == Found(False, None, differ=True)
    assert judge_value(USERS, "There are 950 million users.") == Found(True, "spelling", differ=False)
    assert judge_value(USERS, "There are 950m users.") == Found(True, "value", differ=False)


@pytest.mark.parametrize(
    ("spelling", "text", "stands"),
    [
        ("5 million", "a 5\u00a0million bail", True),
        ("twice weekly", "Twice\u2010weekly,", True),
        ("12", "12.5", False),
        ("12", "It is 12.", True),
        ("Luís", "Lui\u0301s", True),
        ("5000", "5,000 of them", True),
        ("", "anything", False),
    ],
)
def test_a_spelling_stands_as_whole_words_and_numbers(spelling, text, stands):
    assert states(spelling, text) is stands


def test_normalising_twice_changes_nothing():
    for path in SEEDS.glob("*.txt"):
        once = normalise(path.read_text(encoding="utf-8"))
        assert normalise(once) == once


def groups() -> dict[str, list[GoldFact]]:
    """The facts of the gold by the id that the proof has for them."""
    found: dict[str, list[GoldFact]] = {}
    for question in load(GOLD / "durov.jsonl"):
        for one in question.facts:
            found.setdefault(f"{question.id}/{one.value}", []).append(one)
    return found


@cache
def proof(name: str) -> tuple[dict[str, str], ...]:
    lines = (GOLD / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


def judged(row: dict[str, str], facts: dict[str, list[GoldFact]]) -> tuple[bool, tuple[str, ...]]:
    """Whether any fact of the value is found in the text, and the rejected values that it states."""
    verdicts = [judge_value(one, row["text"]) for one in facts[row["fact_id"]]]
    return any(one.found for one in verdicts), verdicts[0].wrong


def test_no_equivalent_is_rejected():
    facts = groups()
    rejected = [(row["id"], row["text"]) for row in proof("equivalents") if judged(row, facts) != (True, ())]
    assert rejected == []


def test_no_mutant_is_accepted():
    facts = groups()
    accepted = [(row["id"], row["text"]) for row in proof("mutants") if judged(row, facts)[0]]
    assert accepted == []


@pytest.mark.parametrize(("name", "least"), [("equivalents", 0.99), ("mutants", 0.99)])
def test_typed_comparison_alone_tells_figures_apart(name, least):
    facts = {
        key: [replace(one, accepted=(), rejected=()) for one in found] for key, found in groups().items()
    }
    rows = [row for row in proof(name) if row["kind"] in FIGURES and row["rule"] != "annotated spelling"]
    right = sum(judged(row, facts)[0] is (name == "equivalents") for row in rows)
    assert len(rows) >= 200
    assert right / len(rows) >= least


@pytest.mark.parametrize("name", ["equivalents", "mutants"])
def test_the_proof_is_large_and_each_case_stands_once(name):
    rows = proof(name)
    assert len(rows) >= 300
    assert max(Counter(row["id"] for row in rows).values()) == 1
    assert max(Counter((row["fact_id"], row["text"]) for row in rows).values()) == 1
    assert {row["kind"] for row in rows} >= FIGURES | {"name", "phrase"}


def test_no_text_is_equivalent_and_mutant():
    same = {(row["fact_id"], row["text"]) for row in proof("equivalents")}
    assert not same & {(row["fact_id"], row["text"]) for row in proof("mutants")}


def test_every_quote_of_the_gold_and_its_sentence_state_their_fact():
    texts = corpus_texts(SEEDS)
    for facts in groups().values():
        for one in facts:
            text = texts[one.doc_id]
            spans = [span for span in sentence_spans(text) if span[0] < one.end and one.start < span[1]]
            for told in (one.quote, text[spans[0][0] : spans[-1][1]]):
                found = judge_value(one, told)
                assert (found.found, found.wrong) == (True, ()), (one, told)


def test_the_proof_is_built_the_same_each_time(tmp_path):
    built = []
    for place, seed in (("a", "0"), ("b", "1")):
        (tmp_path / place).mkdir()
        subprocess.run(
            [sys.executable, str(ROOT / "tools" / "build_proof.py"), str(GOLD / "durov.jsonl"), place],
            check=True,
            capture_output=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
        built.append(
            [(tmp_path / place / f"{name}.jsonl").read_bytes() for name in ("equivalents", "mutants")]
        )
    assert built[0] == built[1]
