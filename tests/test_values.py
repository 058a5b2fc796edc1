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


SAID = {
    "bail-amount/5 million euros": """
        + He denied the charges and was released on bail of 5 million euros.
        + If you ask about bail, it was 5 million euros.
        + Asked whether he would appeal, he paid 5 million euros.
        + Durov had to pay 5 million euros, or $5.6 million, and report twice a week.
        - Bail of 5 million euros was not granted.
        - Nobody paid 5 million euros.
        - Contrary to reports, bail was not 5 million euros.
        - He left without paying 5 million euros.
        - Bail was anything but 5 million euros.
        - Bail was 5 million euros less than he feared.
        + Bail was 5 million euros, it is said, and he paid it.
        + He did not stay in jail but paid 5 million euros.
        + He was charged and let go, for 5 million euros.
        + His request was refused, and bail of 5 million euros was set.
        - It is false that his bail was 5 million euros.
        - It is a myth that bail of 5 million euros was paid.
        - Was bail 5 million euros?
        - Had bail been 5 million euros, he would have paid it.
        - If bail were 5 million euros he would be free.
        - It is unclear whether bail was 5 million euros.
        - Bail was 5 million euros more than expected.
        - Bail of 5 million euros was refused.
        - Bail of 5 million euros was later rejected by the court.
        - A bail of 5 million euros has been denied.
        - It is untrue that bail was 5 million euros.
        - He refused to pay 5 million euros.
        - He denied having paid 5 million euros.
        - Bail was never 5 million euros.
        - The claim that bail was 5 million euros is wrong.""",
    "bail-dollars/$5.6 million": """
        + It comes to US$ 5.6 m.
        + It comes to 5.6 m dollars.
        - It does not come to $5.6 million.
        - The sum of $5.6 million was waived.""",
    "reporting/twice a week": """
        + He must report to the police twice a week and may not leave France.
        - He need not report twice a week.
        - He is supposed to report once a week, not twice a week.
        + He reports twice a week, as he has to.
        + He has to report twice a week until the trial.
        - He reported twice a week, but no longer is.
        - He used to report twice a week.
        - Must he report twice a week?
        - He refused to report twice a week.
        - He stopped reporting twice a week.
        - He is no longer required to report twice a week.""",
    "age/39 years": """
        + The 39-year-old was arrested.
        - He turned 39 years ago.
        + He is 39 and rich.
        - On page 39 it says so.
        - He is not 39.
        - Flight 39 landed in Paris.
        - It happened 39 years ago.""",
    "questioned-for/four days": """
        + He was questioned for four days after his arrest.
        + The questioning took four days.
        - He was questioned four days ago.
        - Four days later he was questioned.
        - He was arrested four days before the trial.
        - He was not questioned for four days.""",
    "reinstated/two years": """
        + It came back two years later.
        + It came back two years after the ban.
        + It took two years.
        - It came back two years ago.
        - It came back two years before the ban.""",
    "let-go/a few days later": """
        + He was released a few days after police detained him two weeks ago, a few days later.
        - He was released a few weeks later.""",
    "offences/12 offenses": """
        + He faces a dozen charges.
        - He denied that there were 12 offenses.
        + He was charged with twelve offences.
        - He was not charged with twelve offenses.
        - Article 12 of the law says so.""",
    "removals/millions": """
        + Telegram says it takes down millions of posts every day.
        - It refuses to remove millions of posts.
        + It removes a few million harmful posts a day.
        + It removes millions of posts and bans thousands.
        - It stopped removing millions of posts.
        - It is false that millions of posts are removed.
        - Does it remove millions of posts?""",
    "premium/10 million subscribers": """
        + Premium has 10 million paying subscribers.
        - It is not 10 million but fewer subscribers.
        - If it had 10 million subscribers, it would earn more.
        + Ten million people pay for premium.
        + It has 10 million subscribers and 950 million users.
        - It does not have 10 million subscribers.
        - It has 10 million posts.
        - It lost 10 million subscribers.""",
    "both-shares/99.999%": """
        + The shares are 99.999% and 0.001%.
        + Of the users, 0.001% and 99.999%, in turn.
        - It lies between 99% and 99.999%.
        - It is not 99.999%.""",
    "both-shares/0.001%": """
        + The shares are 99.999% and 0.001%.
        - The share is half of 0.001%.""",
    "users/nearly 900 million users": """
        + It has nearly 900 million.
        + It has nearly 900 million users.
        - It has more than 900 million users.""",
    "born-in/Russia": """
        + Russia.
        + He was born in Russia.
        - He left Russia.
        - It is false that he was born in Russia.
        - Not Russia.""",
    "hotline/hotline": """
        + He says he helped them set up a hotline.
        - It is not true that he set up a hotline.
        - If he had set up a hotline, he would have said so.
        + Durov set up a hotline with them.
        - Durov denied that he set up a hotline.
        - Durov refused to set up a hotline.
        - He declined to set up a hotline.
        - Did he set up a hotline?
        - He denied setting up a hotline.""",
    "citizen/French citizen": """
        + He has French citizenship.
        - He gave up his French citizenship.
        - He renounced his French citizenship.
        - He lost his French citizenship.""",
    "transparency/daily": """
        + It puts out transparency reports every day.
        - It ceased to publish daily transparency reports.
        - It publishes no daily reports.
        + Telegram publishes daily transparency reports.
        - Telegram stopped publishing daily transparency reports.
        - Telegram refuses to publish daily transparency reports.
        - Telegram does not publish daily reports.""",
    "new-home/Dubai": """
        + He left Russia and settled in Dubai, refusing to return.
        - He refused to settle in Dubai.
        + He moved to Dubai and stayed there.
        - He refused to move to Dubai.
        - He never moved to Dubai.
        - He denied moving to Dubai.""",
    "left-russia/2014": """
        + After he refused, he left Russia in 2014.
        - Did he leave in 2014?
        - He left Russia before 2014.
        + He left in 2014, not in 2018.
        - He did not leave in 2014.
        - He denied that he left in 2014.""",
    "chief/Pavel Durov": """
        + Telegram is run by Pavel Durov, who was refused bail at first.
        - Telegram is not run by Pavel Durov.
        + Pavel Durov runs it, though he denied it.
        - It is not Pavel Durov.
        - It is false that Pavel Durov runs it.""",
    "goldman/Santa Clara University": """
        + He teaches at Santa Clara University.
        - He stopped teaching at Santa Clara University.
        - He does not teach at Santa Clara University.""",
    "gave-keys/refused to hand over the keys": """
        + Telegram refused to hand over the keys.
        - It is false that Telegram refused to hand over the keys.""",
    "hotline-purpose/terrorism": """
        + It was set up to combat terrorism.
        - It is false that it was set up to combat terrorism.""",
    "wealth/billionaire": """
        - He is no billionaire.
        - He is not a billionaire.
        - It is a myth that he is a billionaire.""",
    "agency/OFMIN": """
        + The order came from OFMIN, which Durov denied.
        - The order did not come from OFMIN.
        - Was it OFMIN?""",
    "statement-day/Thursday": """
        + He published it on Thursday.
        - He did not publish it on Thursday.""",
    "criminal-share/0.001%": """
        + Only 0.001% are involved in crime, not 1%.
        - It is not 0.001%.
        - He denied that 0.001% are involved.""",
    "travel-ban/March 2025": """
        + He may not leave until March 2025.
        - The ban until March 2025 was lifted.""",
    "iran-fate/banned or blocked in Iran": """
        - Was it banned in Iran?""",
    "first-network/VKontakte": """
        - He never founded VKontakte.
        + He founded VKontakte before Telegram.""",
}
"""By hand: what states a fact of the gold (+) and what does not (-)."""


def test_what_asks_supposes_refuses_or_ends_a_fact_does_not_state_it():
    facts = groups()
    cases = [
        (name, line[2:], line[0] == "+")
        for name, lines in SAID.items()
        for line in map(str.strip, lines.strip().splitlines())
    ]
    judged_wrongly = [
        (name, told)
        for name, told, found in cases
        if any(judge_value(one, told).found for one in facts[name]) is not found
    ]
    assert judged_wrongly == []
    assert Counter(found for _, _, found in cases) == Counter({True: 55, False: 103})


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("let-go/four days", "He was released a few days after police detained him two weeks ago."),
        ("questioned-for/four days", "He was released, and three days later he left."),
        ("reporting/twice a week", "Two visits every week are asked of him."),
        ("bail-amount/5 million euros", "It is false that bail was 50 million euros."),
        ("bail-amount/5 million euros", "Was bail 50 million euros?"),
    ],
)
def test_a_value_in_another_relation_or_taken_back_is_not_wrong(name, told):
    assert {judge_value(one, told).wrong for one in groups()[name]} == {()}


def test_the_answers_of_the_gold_state_its_vital_facts():
    unstated = set()
    for question in load(GOLD / "durov.jsonl"):
        told = "\n".join(question.answers)
        facts = {(one.kind, one.value): [] for one in question.facts if one.vital}
        for one in question.facts:
            facts.get((one.kind, one.value), []).append(one)
        for (_, value), same in facts.items():
            if not any(judge_value(one, told).found for one in same):
                unstated.add(f"{question.paraphrase_of or question.id}/{value}")
    assert unstated == set()


@pytest.mark.slow
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
