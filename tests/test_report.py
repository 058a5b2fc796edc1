from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from lxml import etree

from eval import html, junit, plots, report
from eval.failures import LISTED, LONGEST
from eval.metrics import BY_NAME
from eval.records import Figure, FoundFact, Record, Reference, Run, Score
from eval.thresholds import ANY, Threshold

HOSTILE = (
    "<script>steal()</script><img src=http://192.0.2.1/x onerror=steal()></title></style></mark></svg>"
    '"><form action=//192.0.2.1><b onclick="steal()">&lt;i&gt;<!-- ]]>'
)
TURNING = "\u202eevil\u2066 \u200bzero\x1b[31m\x00\ud800\ufffe"
SHOWN = "‹U+202E›evil‹U+2066› ‹U+200B›zero‹U+001B›[31m‹U+0000›‹U+D800›‹U+FFFE›"


def answered(text: str = "Bail was 6 million euros.", **changed: Any) -> dict[str, Any]:
    quote = changed.pop("quote", "bail of 5 million euros")
    return {
        "status": "answered",
        "confidence": 0.75,
        "claims": [{"text": text, "citations": [1], "support": ["a.txt"]}],
        "citations": [
            {"marker": 1, "doc_id": "a.txt", "title": "An article", "start": 210, "end": 233, "quote": quote}
        ],
        "conflicts": [],
        "reason": "",
        "nearest": [],
        "dropped": [],
        "notice": "",
    } | changed


def refused(reason: str = "The documents do not say.", near: str = "He was freed.") -> dict[str, Any]:
    nearest = [{"doc_id": "b.txt", "title": "Another", "start": 7, "end": 20, "quote": near}]
    return answered() | {
        "status": "refused",
        "confidence": 0.1,
        "claims": [],
        "citations": [],
        "reason": reason,
        "nearest": nearest,
    }


def record(id: str = "bail", right: bool | None = False, **changed: Any) -> Record:
    facts = (FoundFact("money", "5 million euros", vital=True, found=bool(right)),)
    reasons = () if right is not False else ("does not say 5 million euros",)
    score = changed.pop("score", Score(right, {"vital_facts": (int(bool(right)), 1)}, facts, (), reasons))
    plain: dict[str, Any] = {
        "part": "questions",
        "type": "how_much",
        "question": "How much was his bail?",
        "answerable": True,
        "expected": ("5 million euros",),
        "answer": answered(),
        "passages": ({"marker": 1, "before": "He was released on ", "after": " on Monday."},),
    }
    return Record(id=id, score=score, **plain | changed)


def run_of(*records: Record, **changed: Any) -> Run:
    plain: dict[str, Any] = {
        "manifest": {"set": "gold", "corpus": "seeds", "answerer": "extractive", "total": len(records)},
        "figures": {
            "questions": {
                "right": Figure(0.75, 0.3006, 0.9544, 3, 4),
                "false_answers": Figure(0.125, 0.0225, 0.4709, 1, 8),
                "auroc": Figure(0.9, 0.8, 0.95, None, 12),
                "token_f1": Figure(None),
            }
        },
    }
    return Run(records=records, **plain | changed)


def page_of(run: Run) -> BeautifulSoup:
    return BeautifulSoup(html.render(run), "lxml", multi_valued_attributes=None)


def words(element: Tag) -> str:
    return re.sub(r" (?=[,.:])", "", " ".join(element.get_text(" ").split()))


def only(page: Tag, selector: str) -> Tag:
    found = page.select(selector)
    assert len(found) == 1, f"{selector}: {len(found)}"
    return found[0]


# --- what cannot be seen


def test_what_cannot_be_seen_is_named_and_the_rest_is_as_it_was():
    assert report.visible(TURNING) == SHOWN
    plain = "Ünï — “quoted” \N{FAMILY} می\u200cخواهم 👩\u200d👧 ❤\ufe0f\ttab\nline"
    assert report.visible(plain) == plain


# --- the terminal


@pytest.fixture
def _limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate of two bounds, whatever the real one asks."""
    least = Threshold("gold", ANY, "right", "", low=0.8)
    monkeypatch.setattr("eval.thresholds.THRESHOLDS", (least, Threshold(ANY, ANY, "auroc", "", low=0.9)))


@pytest.mark.usefixtures("_limits")
def test_the_text_says_each_measure_with_count_interval_and_gate():
    lines = report.render(run_of(record())).splitlines()
    rows = [line.split() for line in lines]
    assert ["right", "0.750", "3", "/", "4", "0.301", "to", "0.954", "≥", "0.800,", "BELOW"] in rows
    assert ["auroc", "0.900", "of", "12", "0.800", "to", "0.950", "≥", "0.900"] in rows
    assert ["false_answers", "0.125", "1", "/", "8", "0.022", "to", "0.471"] in rows
    assert "unscored: token_f1" in lines


LIMITED = {"set": "gold", "corpus": "seeds", "total": 1, "whole": False}


@pytest.mark.usefixtures("_limits")
def test_of_a_limited_run_no_report_says_that_the_floors_of_the_set_were_applied():
    run = run_of(record(), manifest=LIMITED)
    text, page = report.render(run), page_of(run)
    assert "BELOW" not in text
    assert "0.800," not in text
    assert text.endswith("0 of 1 right. The gate is not applied (limited).")
    # the bound that holds for any set is applied to a part of one too
    assert [words(mark) for mark in page.select("td.gate") if words(mark)] == ["✓ ≥ 0.900"]
    assert words(only(page, ".verdict")) == "– Gate not applied (limited)"
    assert words(only(page, "title")) == "gold: gate not applied (limited)"
    gate = etree.fromstring(junit.render(run).encode()).find("testsuite[@name='gold.gate']/testcase/skipped")
    assert gate.get("message") == "gate not applied (limited)"


def test_a_limited_run_below_a_bound_of_every_set_is_not_passed():
    run = run_of(record(), manifest=LIMITED, breaches=("exact_citations is 0.5.",))
    assert "The gate is not passed.\nBELOW THE GATE exact_citations is 0.5." in report.render(run)
    assert words(only(page_of(run), ".verdict")) == "✗ Below the gate"
    assert dict(etree.fromstring(junit.render(run).encode()).attrib)["failures"] == "2"


def test_the_seconds_the_tokens_and_the_cost_are_told_the_same_in_text_and_page():
    run = run_of(
        record(),
        record("b", True),
        timings={
            "bail": {"answer_s": 0.25, "retrieval_s": 0.125, "input_tokens": 1000, "output_tokens": 100},
            "b": {
                "answer_s": 0.5,
                "retrieval_s": 0.125,
                "wall_s": 0.75,
                "input_tokens": 3000,
                "output_tokens": 300,
            },
        },
    )
    # by nearest rank the first of two is the middle; (1,100 + 3,300) / 2 tokens;
    # 1,000 x 2 + 100 x 10 = 3,000 and 9,000 millionths, 6,000 in the mean
    told = {
        "seconds, median": "0.375",
        "seconds, 95th percentile": "0.750",
        "tokens an answer, mean": "2200",
        "cost an answer, mean": "0.006000",
    }
    assert report.spent(run, (2.0, 10.0)) == told
    assert list(report.spent(run)) == list(told)[:3]
    assert report.spent(run_of(record())) == {}
    lines = report.render(run, (2.0, 10.0)).splitlines()
    start = lines.index("SPENT                        value")
    assert [tuple(line.rsplit(maxsplit=1)) for line in lines[start + 1 : start + 5]] == list(told.items())
    assert "SPENT" not in report.render(run_of(record()))
    note = "; ".join(f"{label}: {value}" for label, value in told.items())
    page = BeautifulSoup(html.render(run, (2.0, 10.0)), "lxml", multi_valued_attributes=None)
    assert f"S{note[1:]}; retrieval: median" in words(only(page, "#plots"))


def test_a_drop_is_told_in_points():
    drop = {
        "paraphrase_drop_right": Figure(60.0, None, None, None, 5),
        "right": Figure(0.5, None, None, 1, 2),
    }
    run = run_of(record(), figures={"paraphrases": drop})
    lines = report.render(run).splitlines()
    assert "paraphrase_drop_right  60.0 points          of 5" in lines
    assert "right                        0.500         1 / 2" in [line[:48].rstrip() for line in lines]
    values = [words(cell) for cell in page_of(run).select("#figures td.value")]
    assert values == ["60.0 points", "0.500"]


def test_the_text_tells_a_failure_and_why():
    text = report.render(run_of(record()))
    assert "NOT RIGHT bail: How much was his bail?" in text
    assert "    answer    Bail was 6 million euros." in text
    assert "    expected  5 million euros" in text
    assert "    because   does not say 5 million euros" in text
    wrong = record("judge", answerable=False, expected=(), answer=refused())
    assert "    answer    (refused) The documents do not say.\n    expected  a refusal" in report.render(
        run_of(wrong)
    )


def test_the_text_ends_with_the_gate():
    passed = report.render(run_of(record(), record("age", True), record("odd", None)))
    assert passed.endswith("1 of 2 right. The gate is passed.")
    nothing = report.render(run_of(record("odd", None)))
    assert nothing.endswith("\n\nNothing here is judged right or wrong. The gate is passed.")
    below = report.render(run_of(record(), breaches=("questions: right is 0.5.", "bail must be right.")))
    assert below.splitlines()[-3:] == [
        "0 of 1 right. The gate is not passed.",
        "BELOW THE GATE questions: right is 0.5.",
        "BELOW THE GATE bail must be right.",
    ]


def test_the_text_counts_the_right_ones_by_type_and_leaves_the_unscored_out():
    run = run_of(record(), record("b", True), record("c", True, type="who"), record("d", None, type="why"))
    rows = [line.split()[:4] for line in report.render(run).splitlines()]
    assert ["how_much", "0.500", "1", "/"] in rows
    assert ["who", "1.000", "1", "/"] in rows
    assert not any(row[:1] == ["why"] for row in rows)


def test_the_text_of_a_large_set_names_how_many_more_failed():
    text = report.render(run_of(*(record(f"q{place}") for place in range(report.LISTED + 3))))
    assert text.count("NOT RIGHT") == report.LISTED
    assert report.LISTED == 10
    assert "... and 3 more of questions that are not right, in report.html" in text


def test_a_set_without_bounds_of_its_own_does_not_say_that_it_passed_them():
    run = run_of(record("a", True), manifest={"set": "mine", "corpus": "notes", "total": 1})
    assert words(only(page_of(run), ".verdict")) == (
        "✓ Kept the promises of the citations; this set has no bounds of its own"
    )
    assert report.render(run).endswith(
        "1 of 1 right. The gate is passed.\n"
        "It holds for the promises of the citations alone: this set has no bounds of its own."
    )


def test_the_verdicts_of_several_runs_stand_together():
    below = run_of(record(), breaches=("bail must be right.",))
    other = run_of(record("a", True), manifest={"set": "mine"})
    assert report.verdicts([below, other]) == (
        "VERDICTS\ngold: 0 of 1 right. The gate is not passed.\nmine: 1 of 1 right. The gate is passed."
    )


def test_no_line_of_the_text_steers_a_terminal_or_is_too_long():
    long = record(question="word " * 60, answer=answered("\x1b[2J" + "said " * 60), id="\x07bell")
    text = report.render(run_of(long))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert max(map(len, text.splitlines())) <= report.WIDTH


def test_the_parts_stand_in_their_order_whatever_the_order_of_the_set():
    run = run_of(record(part="attacks"), record("b", part="conflicts"), figures={"questions": {}, "odd": {}})
    assert report.parts(run) == ("questions", "conflicts", "attacks", "odd")
    assert report.headline(run) == "questions"


# --- the page


def test_the_first_screen_says_the_verdict_the_count_and_what_was_asked_of_what():
    run = run_of(record(), record("b", True), record("c", True))
    head = only(page_of(run), "header")
    assert words(only(head, "h1")).startswith("2 of 3 right")
    assert words(only(head, ".verdict")) == "✓ Passed the gate"
    keys = {words(dt).split(" lower")[0]: words(dd) for dt, dd in zip(*both(head, ".keys"), strict=True)}
    assert keys == {"False answers": "0.125 0.022 to 0.471", "AUROC": "0.900 0.800 to 0.950"}
    source = dict(zip(*(map(words, side) for side in both(head, ".source")), strict=True))
    assert source == {"Documents": "seeds", "Answers": "extractive"}


def both(page: Tag, selector: str) -> tuple[list[Tag], list[Tag]]:
    return page.select(f"{selector} dt"), page.select(f"{selector} dd")


def test_below_the_gate_the_first_screen_says_why():
    head = only(page_of(run_of(record(), breaches=("right is <0.8>",))), "header")
    assert words(only(head, ".verdict")) == "✗ Below the gate"
    assert [words(one) for one in head.select(".breaches li")] == ["right is <0.8>"]


@pytest.mark.usefixtures("_limits")
def test_a_measure_stands_with_its_definition_interval_and_gate():
    rows = [
        [words(cell) for cell in row.select("th, td")]
        for row in only(page_of(run_of(record())), ".measures").select("tbody tr")
    ]
    assert rows[0][1:] == ["0.750", "3 / 4", "0.301 to 0.954", "✗ ≥ 0.800"]
    assert rows[0][0] == f"Right {BY_NAME['right'].what}"
    assert rows[1][1:] == ["0.125", "1 / 8", "0.022 to 0.471", ""]
    assert rows[1][0].endswith("Lower is better.")
    assert rows[2][1:] == ["0.900", "of 12", "0.800 to 0.950", "✓ ≥ 0.900"]
    assert len(rows) == 3  # token_f1 has no value
    assert "Unscored here: Token F1." in words(page_of(run_of(record())))


def test_a_failure_shows_the_citation_in_its_passage_and_what_was_expected():
    failure = only(page_of(run_of(record(), record("fine", True))), "details.failure")
    assert words(only(failure, ".asked")) == "How much was his bail?"
    assert words(only(failure, ".reasons")) == "does not say 5 million euros"
    expected, told = failure.select(".sides > section")
    assert words(expected) == "Expected 5 million euros ✗ 5 million euros money, vital, not found"
    assert words(told) == "Answered confidence 0.750 Bail was 6 million euros. 1"
    passage = only(failure, "blockquote")
    assert words(passage) == "… He was released on bail of 5 million euros on Monday."
    assert only(passage, "mark").string == "bail of 5 million euros"
    assert words(only(failure, "figcaption")) == "1 An article a.txt 210–233"


def test_a_passage_is_cut_only_where_the_document_goes_on():
    at_start = answered(quote="x")
    at_start["citations"][0]["start"] = 3
    whole = record(answer=at_start, passages=({"marker": 1, "before": "ab ", "after": "y" * 200},))
    assert only(page_of(run_of(whole)), "blockquote").get_text() == f"ab x{'y' * 200} …"


def test_a_refusal_shows_its_reason_and_the_nearest_passages_as_no_evidence():
    failure = only(page_of(run_of(record(answer=refused(), passages=()))), "details.failure")
    assert "Refused confidence 0.100 The documents do not say." in words(failure)
    assert words(only(failure, ".passages")) == "Nearest not evidence Another b.txt 7–20 He was freed."
    assert not failure.select("mark")


def test_a_conversation_shows_its_last_turns_and_a_conflict_its_sides():
    turns = tuple({"role": "user", "text": f"turn {place}"} for place in range(8))
    sides = [{"value": "900 million", "citations": [1]}, {"value": "950 million", "citations": []}]
    answer = answered(conflicts=[{"about": "users", "sides": sides}])
    failure = only(page_of(run_of(record(history=turns, answer=answer))), "details.failure")
    assert [words(turn) for turn in failure.select(".history dd")] == [f"turn {n}" for n in range(2, 8)]
    assert "2 turns before" in words(failure)
    assert "The documents differ on users: 900 million 1 950 million" in words(failure)


def test_a_wrong_value_and_a_welcome_fact_that_is_absent_are_marked_as_such():
    facts = (FoundFact("date", "August", vital=False, found=False), FoundFact("name", "Durov", True, True))
    score = Score(False, {}, facts, ("6 million",), ("says 6 million, which is wrong",))
    page = page_of(run_of(record(score=score)))
    marks = [(row.get("class"), words(row)) for row in page.select(".facts li")]
    assert marks == [
        ("absent", "– August date, welcome, not found"),
        ("found", "✓ Durov name, vital, found"),
        ("missed", "✗ says 6 million wrong"),
    ]


def test_where_all_is_right_there_are_no_failures_and_no_empty_sections():
    page = page_of(run_of(record(right=True)))
    assert [link.get("href") for link in page.select("nav a")] == ["#figures", "#about"]
    assert [section.get("id") for section in page.select("section[id]")] == ["figures", "about"]


def test_every_link_of_the_page_leads_somewhere():
    differ = Score(True, {}, (FoundFact("money", "€5M", True, True, "spelling", differ=True),))
    run = run_of(
        record(),
        record("b", part="attacks", score=differ),
        references=(Reference("auroc", 0.79, "ELECTRA", "Rajpurkar 2018"),),
        risk_coverage={"questions": ((0.5, 0.0), (1.0, 0.25))},
    )
    page = page_of(run)
    links = [link.get("href") for link in page.select("a")]
    assert {"#plots", "#failures", "#disagreements", "#references", "#part-1"} <= set(links)
    assert all(len(page.select(link)) == 1 for link in links)


def test_disagreements_and_references_stand_in_tables():
    differ = Score(True, {}, (FoundFact("money", "€5M", True, True, "spelling", differ=True),))
    references = (Reference("auroc", 0.79, "ELECTRA", "Rajpurkar 2018"), Reference("speed", 2.0, "a floor"))
    page = page_of(run_of(record("same", True), record(score=differ), references=references))
    rows = [[words(cell) for cell in row.select("th, td")] for row in page.select("#disagreements tbody tr")]
    assert rows == [["bail", "money", "€5M", "found", "Bail was 6 million euros."]]
    rows = [[words(cell) for cell in row.select("th, td")] for row in page.select("#references tbody tr")]
    assert rows == [["AUROC", "0.900", "0.790", "ELECTRA Rajpurkar 2018"], ["Speed", "-", "2.000", "a floor"]]


def test_a_set_that_nothing_judges_says_so_and_fails_nothing():
    run = run_of(record(right=None), figures={"questions": {"recall@10": Figure(0.5, 0.4, 0.6, None, 1)}})
    page = page_of(run)
    assert words(only(page, "h1")) == "1 questions asked"
    assert not page.select("#failures")


def test_each_part_has_its_share_of_the_failures_that_are_listed():
    many = [record(f"q{place}") for place in range(LISTED)]
    few = [record(f"a{place}", part="attacks", paraphrase_of="q7") for place in range(20)]
    page = page_of(run_of(*many, *few))
    cards = [words(card) for card in page.select("details.failure code + bdi")]
    assert len(cards) == LISTED
    assert [words(head) for head in page.select("#failures > h3")] == [
        f"questions {LISTED} not right",
        "attacks 20 not right",
    ]
    assert [words(note) for note in page.select("#failures > .note")] == ["20 more stand in records.jsonl."]
    assert words(page.select("details.failure .meta")[-1]) == "a19 how_much, q7 in other words"


def test_a_large_set_lists_the_first_failures_and_stays_small():
    long = answered("said " * 400, quote="quoted " * 400)
    long["citations"] = [long["citations"][0] | {"marker": marker} for marker in range(1, 40)]
    records = [record(f"q{place}", place % 2 == 0, answer=long) for place in range(5000)]
    curve = {"questions": tuple((place / 5000, 0.1) for place in range(1, 5001))}
    timings = {f"q{place}": {"answer_s": 0.1 + place / 9e4, "retrieval_s": 0.01} for place in range(5000)}
    drawn = html.render(run_of(*records, risk_coverage=curve, timings=timings))
    assert len(drawn.encode()) < 3_000_000
    assert drawn.count('<details class="failure"') == LISTED
    assert f"{2500 - LISTED} more stand in records.jsonl" in drawn
    assert f"… ({len('said ' * 400) - LONGEST} more characters)" in drawn


# --- what comes from outside


def hostile_run(text: str) -> Run:
    sides = [{"value": text, "citations": [1]}]
    answer = answered(text, quote=text, conflicts=[{"about": text, "sides": sides}], notice=text)
    answer["citations"][0] |= {"doc_id": text, "title": text}
    near = refused(text, text)
    near["nearest"][0] |= {"doc_id": text, "title": text}
    score = Score(False, {}, (FoundFact("name", text, True, False, differ=True),), (text,), (text,))
    shared: dict[str, Any] = {"question": text, "type": text, "expected": (text,), "part": text}
    turn = {"role": text, "text": text}
    return Run(
        manifest={
            key: text for key in ("set", "corpus", "questions", "answerer", "embedding", "corpus_sha256")
        },
        records=(
            record(
                text,
                answer=answer,
                score=score,
                history=(turn,),
                passages=({"marker": 1, "before": text, "after": text},),
                **shared,
            ),
            record("near", answer=near, score=score, passages=(), **shared | {"type": f"{text} too"}),
        ),
        figures={text: {text: Figure(0.5, 0.4, 0.6, 1, 2)}, "questions": {text: Figure(None)}},
        risk_coverage={text: ((0.5, 0.0), (1.0, 0.5)), "questions": ((0.5, 0.1), (1.0, 0.4))},
        breaches=(text,),
        references=(Reference(text, 0.5, text, text),),
        timings={"near": {"answer_s": 0.25, "retrieval_s": 0.125}},
    )


def shape(page: BeautifulSoup) -> Counter[tuple[str, ...]]:
    """Every element of a page by its tag and the names of its attributes."""
    return Counter((element.name, *element.attrs) for element in page.find_all(True))


@pytest.mark.parametrize("text", [HOSTILE, f"{HOSTILE}{TURNING}{HOSTILE}", "]]></svg><svg onload=steal()>"])
def test_nothing_of_a_record_becomes_markup(text: str):
    harmless, hostile = page_of(hostile_run("a harmless text, and quite long")), page_of(hostile_run(text))
    assert shape(hostile) == shape(harmless)
    handlers = {name for one in hostile.find_all(True) for name in one.attrs if name.startswith("on")}
    assert handlers == set()
    assert {one.name for one in hostile.find_all(True)}.isdisjoint(
        {"img", "iframe", "object", "link", "base"}
    )
    assert len(hostile.select("script")) == 1


def test_the_page_allows_its_own_script_alone():
    page = page_of(run_of(record()))
    policy = only(page, "meta[http-equiv=Content-Security-Policy]")["content"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    digest = base64.b64encode(hashlib.sha256(only(page, "script").string.encode()).digest()).decode()
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"


def test_hostile_words_are_read_as_they_stand():
    page = page_of(hostile_run(HOSTILE + TURNING))
    assert only(page.select("details.failure")[0], "mark").string == HOSTILE + SHOWN
    assert page.select(".asked")[0].string == HOSTILE + SHOWN
    unseen = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\x00\x1b]")
    assert not unseen.search(html.render(hostile_run(HOSTILE + TURNING)))


def test_text_that_runs_from_right_to_left_turns_nothing_beside_it():
    page = page_of(hostile_run("שלום עולם"))
    holders = [text.parent for text in page.find("body").find_all(string=lambda text: "שלום" in text)]
    assert len(holders) > 30
    open_ = [one for one in holders if not any(map(isolates, (one, *one.parents)))]
    assert not open_, open_


def isolates(element: Tag) -> bool:
    """Whether an element keeps the direction of its text to itself."""
    return element.name in ("bdi", "svg") or element.get("dir") == "auto"


def test_the_page_reaches_for_nothing_outside_itself():
    drawn = html.render(run_of(record()))
    page = page_of(run_of(record()))
    policy = only(page, "meta[http-equiv]").get("content")
    assert "default-src 'none'" in policy
    assert not re.search(
        r"https?:|//\w|url\(|@import|src=", drawn.replace("img-src", "").replace("script-src", "")
    )


# --- the same bytes


def test_the_reports_are_the_same_bytes_whatever_the_hash_seed(root: Path):
    program = (
        "import sys; sys.path[:0] = ['tests', '.']\n"
        "from test_report import *\n"
        "run = hostile_run(HOSTILE)\n"
        "import hashlib\n"
        "text = html.render(run) + junit.render(run) + report.render(run)\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(digests) == 1


# --- plots


def points(svg: str) -> list[list[float]]:
    return [list(map(float, pair.split(","))) for pair in re.findall(r'points="([^"]*)"', svg)[0].split()]


def test_a_bar_has_its_dot_within_its_interval_and_the_gate_at_its_place():
    svg = plots.interval_bar(Figure(0.5, 0.25, 1.0, 1, 2), 0.75)
    assert 'class="range" x1="38" y1="9" x2="134" y2="9"' in svg  # 6 + 128 * share
    assert 'cx="70"' in svg
    assert 'class="bound" x1="102"' in svg


@pytest.mark.parametrize("figure", [Figure(None), Figure(0.31), Figure(12.0, 10.0, 14.0)])
def test_what_is_no_share_with_an_interval_has_no_bar(figure: Figure):
    assert plots.interval_bar(figure) == ""


def test_the_curve_runs_from_its_first_point_to_its_last():
    svg = plots.risk_coverage({"questions": ((1.0, 0.4), (0.5, 0.0))})
    left, bottom, right, top = 58, 290 - 46, 420 - 14, 14
    assert points(svg) == [[(left + right) / 2, bottom], [right, top]]
    assert "Risk where all is answered: questions 0.40." in svg
    assert ">0.4<" in svg


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    curve = tuple((place / 5000, 0.5) for place in range(1, 5001))
    drawn = points(plots.risk_coverage({"questions": curve}))
    assert len(drawn) < 700
    assert drawn[-1][0] == 406


def test_each_kind_is_a_row_with_its_count_and_a_long_name_is_shortened():
    svg = plots.kinds([("who", Figure(0.5, 0.2, 0.8, 1, 2)), ("a_very_long_kind_of_question", Figure(1.0))])
    tree = etree.fromstring(svg)
    labels = tree.xpath("//*[@class='label']")
    assert [label.text for label in labels] == ["who", "a_very_long_kind_of…"]
    assert labels[1][0].text == "a_very_long_kind_of_question"
    assert [dot.get("cx") for dot in tree.xpath("//*[@class='dot']")] == ["246", "358"]  # 134 + 224 * share
    assert "1 / 2" in svg


def test_the_histogram_holds_every_question_and_marks_the_percentiles():
    seconds = [0.1] * 18 + [0.2, 0.4]
    tree = etree.fromstring(plots.speed(seconds))
    heights = [float(bar.get("height")) for bar in tree.xpath("//*[@class='column']")]
    assert heights == [207.0, 11.5, 11.5]  # 230 px for 20: 18, 1 and 1
    told = tree.get("aria-label")
    assert told == "Seconds to the answer. Median 0.10 s, 95th percentile 0.20 s, longest 0.40 s."


def test_one_very_slow_answer_does_not_flatten_the_histogram():
    tree = etree.fromstring(plots.speed([0.1] * 99 + [60.0]))
    assert "The last bar holds 1 that took longer than 0.20 s." in tree.get("aria-label")
    assert len(tree.xpath("//*[@class='column']")) == 2


def test_nothing_gives_no_plot():
    assert plots.risk_coverage({}) == plots.risk_coverage({"questions": ()}) == ""
    assert plots.kinds([]) == plots.kinds([("who", Figure(None))]) == ""
    assert plots.speed([]) == ""
    assert plots.speed([0.0, 0.0])


def test_every_plot_is_an_image_with_a_name():
    run = run_of(
        record(),
        record("b", True, type="who"),
        risk_coverage={"questions": ((0.5, 0.0), (1.0, 0.5))},
        timings={
            "bail": {"answer_s": 0.25, "retrieval_s": 0.13},
            "b": {"answer_s": 0.5, "retrieval_s": 0.13, "wall_s": 0.7},
        },
    )
    page = page_of(run)
    drawn = page.select("#plots svg.plot")
    assert [one.get("role") for one in drawn] == ["img"] * 3
    starts = [one.get("aria-label").partition(".")[0] for one in drawn]
    assert starts == ["Risk over coverage", "Seconds to the answer", "Right, by kind"]
    told = "Seconds, median: 0.380; seconds, 95th percentile: 0.700; retrieval: median 0.13 s,"
    assert told in words(only(page, "#plots"))


# --- JUnit


def test_junit_has_a_case_a_question_with_failure_skip_and_gate():
    run = run_of(record(), record("b", True), record("c", None, part="attacks"), breaches=("right is 0.5.",))
    tree = etree.fromstring(junit.render(run).encode())
    assert dict(tree.attrib) == {
        "name": "gold",
        "tests": "4",
        "errors": "0",
        "failures": "2",
        "skipped": "1",
    }
    suites = {suite.get("name"): suite for suite in tree}
    assert list(suites) == ["gold.questions", "gold.attacks", "gold.gate"]
    cases = [(case.get("classname"), case.get("name")) for case in tree.iter("testcase")]
    assert cases[0] == ("gold.questions", "bail")
    failed, gate = tree.iter("failure")
    assert failed.get("message") == "does not say 5 million euros"
    assert failed.text.splitlines() == [
        "question: How much was his bail?",
        "expected: 5 million euros",
        "answer: Bail was 6 million euros.",
        "[1] a.txt 210 to 233: bail of 5 million euros",
    ]
    assert gate.get("message") == "right is 0.5."
    assert suites["gold.attacks"][0][0].tag == "skipped"
    properties = {one.get("name"): one.get("value") for one in tree.iter("property")}
    assert properties["right"] == "0.750 (3 / 4, 95 % 0.301 to 0.954)"
    assert properties["token_f1"] == "- (unscored)"


def test_junit_of_hostile_records_is_well_formed_and_keeps_their_words():
    tree = etree.fromstring(junit.render(hostile_run(HOSTILE + TURNING)).encode())
    assert next(tree.iter("failure")).get("message") == HOSTILE + SHOWN
    assert {one.tag for one in tree.iter()} == {
        "testsuites",
        "testsuite",
        "properties",
        "property",
        "testcase",
        "failure",
    }
