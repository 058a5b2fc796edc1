"""The engine reads, it does not remember: where the articles change, the answers and scores follow."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from eval.dataset import GoldFact, Question, corpus_texts, load
from eval.metrics import judge
from rag.engine import index, start
from rag.sentences import sentence_spans

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds"
GOLD = {question.id: question for question in load(ROOT / "eval" / "gold" / "durov.jsonl")}


@dataclass(frozen=True)
class Change:
    """A value in the articles, as a pattern, and another in its place."""

    id: str
    old: str
    new: str
    told: str = ""

    @property
    def value(self) -> str:
        """The new value as an answer states it."""
        return self.told or self.new


CHANGES = (
    Change("bail-amount", "5 million euros", "6 million euros"),
    Change("reporting", "twice a week", "three times a week"),
    Change("questioned-for", "(four|4) days", "six days"),
    Change("airport", "Le Bourget", "Lyon-Bron"),
    Change("offences", "a dozen offenses", "14 offenses"),
    Change("premium", "10 million paid", "17 million paid", "17 million"),
    Change("criminal-share", r"0\.001%", "0.004%"),
    Change("honest-share", r"99\.999%", "99.996%"),
    Change("second-post", "Friday", "Sunday"),
    Change("first-network", "VKontakte", "Odnoklassniki"),
    Change("left-russia", "in 2014", "in 2011", "2011"),
    Change("agency", "OFMIN", "OCRVP"),
    Change("goldman", "Santa Clara University", "Stanford University"),
    Change("aircraft", "private jet", "fishing boat"),
    Change("brazil-judge", "Alexandre de Moraes", "Luiz Fux"),
    Change("contributor", "Ellen Francis", "Clara Dubois"),
    Change("protest-signs", "as a saint", "as a pirate"),
    Change("passports", "France and the United Arab Emirates", "Malta and Saint Kitts"),
    Change("reinstated", "two years later", "five years later", "five years"),
    Change("hotline", "hotline", "helicopter pad"),
    Change("franks-verdict", "sociopathic", "reckless"),
    Change("franks-examples", "air bags and tamper-proof medicine bottles", "seat belts and smoke alarms"),
)


def replaced(text: str) -> str:
    for change in CHANGES:
        text = re.sub(change.old, change.new, text)
    return text


def deleted(text: str) -> str:
    """A text without the sentences that hold any of the values."""
    values = re.compile("|".join(change.old for change in CHANGES))
    holding = [(start, end) for start, end in sentence_spans(text) if values.search(text[start:end])]
    for begin, end in reversed(holding):
        text = text[:begin] + text[end:]
    return text


def answered(folder: Path, edit) -> dict:
    """The answer to each question over the articles, changed."""
    (folder / "seeds").mkdir()
    for path in SEEDS.iterdir():
        (folder / "seeds" / path.name).write_text(edit(path.read_text("utf-8-sig")), encoding="utf-8")
    index([folder / "seeds"], store=folder / "store")
    with start(store=folder / "store") as engine:
        answers = {change.id: engine.ask(GOLD[change.id].question).to_json() for change in CHANGES}
    return {"answers": answers, "texts": corpus_texts(folder / "seeds")}


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    return answered(tmp_path_factory.mktemp("before"), str)


@pytest.fixture(scope="module")
def after(tmp_path_factory):
    return answered(tmp_path_factory.mktemp("after"), replaced)


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    return answered(tmp_path_factory.mktemp("without"), deleted)


def score(state: dict, question: Question) -> bool:
    return judge(question, state["answers"][question.id], (), state["texts"]).right is True


def amended(question: Question, change: Change, texts: dict[str, str]) -> Question:
    """The question with the new value in place of the old one, wherever the changed articles hold it."""
    facts = tuple(
        GoldFact("phrase", change.value, (change.value,), (), True, doc_id, change.value, *found.span())
        for doc_id, text in texts.items()
        for found in re.finditer(re.escape(change.value), text)
    )
    return replace(question, answers=(change.value,), facts=facts)


def test_there_are_enough_facts_to_change():
    assert len({change.id for change in CHANGES}) >= 20


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.id)
def test_a_changed_fact_changes_the_answer_and_the_score(change, before, after):
    question = GOLD[change.id]
    assert score(before, question)
    assert not score(after, question)
    assert score(after, amended(question, change, after["texts"]))


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.id)
def test_a_deleted_fact_is_not_told(change, without):
    answer = without["answers"][change.id]
    assert not re.search(change.old, " ".join(claim["text"] for claim in answer["claims"]))
    assert not score(without, GOLD[change.id])


def test_a_fact_deleted_from_one_article_is_cited_from_the_others(tmp_path):
    def without_bail(text: str) -> str:
        return text.replace("ordered to pay 5 million euros ($5.6 million) bail and ", "")

    state = answered(tmp_path, without_bail)
    assert score(state, GOLD["bail-amount"])
    cited = {citation["doc_id"][:3] for citation in state["answers"]["bail-amount"]["citations"]}
    assert cited == {"000", "001"}
