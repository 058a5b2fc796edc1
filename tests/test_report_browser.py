from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_report import HOSTILE, answered, hostile_run, record, refused, run_of

from eval import html
from eval.records import FoundFact, Reference, Run, Score

pytestmark = pytest.mark.browser

FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
WIDE, NARROW = {"width": 1200, "height": 850}, {"width": 400, "height": 800}
CONTRAST = """
() => {
  const channels = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const luminance = rgb => rgb.slice(0, 3).map(one => one / 255)
    .map(one => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = channels(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return channels(getComputedStyle(document.body).backgroundColor);
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const element = text.parentElement;
    if (!text.data.trim() || element.closest("script, style") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const ink = element.closest("svg") ? style.fill : style.color;
    const [light, dark] = [luminance(channels(ink)), luminance(ground(element))].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.tagName}.${element.className}: ${text.data}`);
  }
  return poor;
}
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS.split())
        yield running
        running.close()


@pytest.fixture
def visit(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open the report of a run; whoever opened one must find no error, no dialog and no request."""
    tabs, trouble = [], []

    def arrive(run: Run, **options: Any) -> Any:
        page = tmp_path / "report.html"
        page.write_text(html.render(run), encoding="utf-8")
        tab = chromium.new_page(**({"viewport": WIDE} | options))
        tabs.append(tab)
        tab.on("pageerror", lambda error: trouble.append(str(error)))
        tab.on("console", lambda message: trouble.append(message.text))
        tab.on("dialog", lambda dialog: trouble.append(dialog.message))
        tab.on("request", lambda request: request.url == page.as_uri() or trouble.append(request.url))
        tab.goto(page.as_uri())
        return tab

    yield arrive
    for tab in tabs:
        tab.close()
    assert not trouble


def full_run() -> Run:
    """A run with something of everything that the page can show."""
    differ = FoundFact("money", "5 million euros", True, False, differ=True)
    score = Score(False, {}, (differ,), ("6 million",), ("says 6 million, which is wrong",))
    sides = [{"value": value, "citations": [1]} for value in ("900 million", "950 million")]
    turn = {"role": "user", "text": "Who is he?"}
    return run_of(
        record(score=score),
        record("age", answer=refused(), passages=(), type="how_many"),
        record("judge", part="attacks", answer=answered("A-very-long-word-" * 20), history=(turn,)),
        record("users", part="conflicts", answer=answered(conflicts=[{"about": "users", "sides": sides}])),
        record("fine", True, type="who"),
        breaches=("questions: right is 0.250, and must be at least 0.800: it was so before.",),
        references=(Reference("auroc", 0.79, "published", "https://example.org/" + "long" * 40),),
        risk_coverage={part: ((0.5, 0.25), (1.0, 0.5)) for part in ("questions", "attacks")},
        timings={name: {"answer_s": 0.25, "retrieval_s": 0.125} for name in ("bail", "age")},
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_all_words_can_be_read_and_nothing_is_wider_than_the_screen(
    visit: Callable[..., Any], scheme: str, viewport: dict[str, int]
):
    tab = visit(full_run(), color_scheme=scheme, viewport=viewport)
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert tab.evaluate(CONTRAST) == []
    assert tab.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    heights = "[...document.querySelectorAll('svg text')].map(one => one.getBoundingClientRect().height)"
    assert min(tab.evaluate(heights)) >= 11  # pixels: the words of a plot shrink with it


def test_the_dark_page_is_dark(visit: Callable[..., Any]):
    ground = "getComputedStyle(document.body).backgroundColor"
    assert visit(full_run(), color_scheme="dark").evaluate(ground) == "rgb(20, 23, 26)"
    assert visit(full_run(), color_scheme="light").evaluate(ground) == "rgb(250, 249, 246)"


def test_the_verdict_and_the_key_figures_are_on_the_first_screen(visit: Callable[..., Any]):
    tab = visit(full_run(), viewport=NARROW)
    for selector in ("h1", ".verdict", ".breaches", ".keys > div:last-child"):
        box = tab.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] <= NARROW["height"], selector


def test_words_filter_the_failures_and_a_button_opens_them(visit: Callable[..., Any]):
    tab = visit(run_of(*(record(f"q{place}", question=f"Question {place}?") for place in range(30))))
    shown = tab.locator("details.failure:visible")
    assert shown.count() == 30
    assert tab.locator("details.failure[open]").count() == 0
    button = tab.locator("#filter button")
    assert button.inner_text() == "Open all"
    tab.locator("details.failure summary").first.click()
    tab.wait_for_function("document.querySelector('#filter button').textContent === 'Close all'")
    tab.fill("#filter input", "question 2")  # the opened one is out of sight
    assert button.inner_text() == "Open all"
    assert shown.count() == 11  # 2, and 20 to 29
    assert tab.locator("#filter output").inner_text() == "11 of 30"
    tab.press("#filter input", "Enter")  # sends no form: the words stay, and so does the page
    assert tab.locator("#filter output").inner_text() == "11 of 30"
    tab.click("#filter button")
    assert tab.locator("details.failure:visible[open]").count() == 11
    assert button.inner_text() == "Close all"
    tab.click("#filter button")
    assert tab.locator("details.failure:visible[open]").count() == 0
    assert button.inner_text() == "Open all"
    tab.fill("#filter input", "")
    assert shown.count() == 30
    assert button.inner_text() == "Close all"


def test_failures_that_are_open_from_the_start_can_be_closed_at_once(visit: Callable[..., Any]):
    tab = visit(run_of(record("a"), record("b")))
    assert tab.locator("details.failure[open]").count() == 2
    assert tab.locator("#filter button").inner_text() == "Close all"
    tab.click("#filter button")
    assert tab.locator("details.failure[open]").count() == 0


def test_without_script_the_page_is_whole(visit: Callable[..., Any]):
    tab = visit(full_run(), java_script_enabled=False)
    assert not tab.locator("#filter").is_visible()
    assert tab.locator("details.failure blockquote").first.is_visible()


def test_hostile_records_run_nothing_and_load_nothing(visit: Callable[..., Any]):
    tab = visit(hostile_run(HOSTILE))
    marks = tab.locator("details.failure mark")
    assert marks.first.inner_text() == HOSTILE
    assert tab.evaluate("document.scripts.length") == 1
    assert tab.evaluate("document.images.length") == 0
    assert tab.evaluate("typeof steal") == "undefined"


def test_the_page_prints_with_every_failure_whole(visit: Callable[..., Any]):
    tab = visit(run_of(*(record(f"q{place}") for place in range(20))))
    tab.emulate_media(media="print")
    assert not tab.locator("nav").is_visible()
    assert tab.locator("details.failure blockquote").last.bounding_box()["height"] > 0
