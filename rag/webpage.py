"""HTML -> what a reader of the page sees, as lines of text, and what its head says about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from bs4.element import Tag

_UNSEEN = frozenset(
    "script style template noscript head title iframe object embed svg math canvas audio video select "
    "datalist textarea input area map frameset".split()
)
_APART = frozenset(
    "p h1 h2 h3 h4 h5 h6 blockquote pre table ul ol dl section article figure form fieldset hr main "
    "aside".split()
)
_LINES = frozenset(
    "html body div li tr dt dd header footer nav address caption figcaption legend details summary thead "
    "tbody tfoot center option dialog hgroup search menu".split()
)
_CELLS = ("td", "th")
_LAYOUT = [*"table ul ol dl h1 h2 h3 h4 h5 h6 pre blockquote article section".split()]
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_SPACE = re.compile(r"[ \t\n\r\f]+")
_DATES = (
    "article:published_time og:article:published_time datepublished dc.date.issued dcterms.issued "
    "citation_publication_date parsely-pub-date sailthru.date pubdate publish-date publishdate dc.date "
    "dcterms.date date"
).split()


@dataclass(frozen=True, slots=True)
class Webpage:
    """A page as it is read.

    Attributes:
        text: What is seen, a block a line, a blank line between paragraphs.
        titles: What may be its title, the best first.
        dates: What may be the date it was published, the best first, as written.
        source: The address or the site it says to be of.
    """

    text: str
    titles: tuple[str, ...]
    dates: tuple[str, ...]
    source: str | None


def read_webpage(markup: str) -> Webpage:
    r"""Read a page as a browser shows it, without styles and scripts.

    Args:
        markup: The HTML, decoded.

    Examples:
        >>> read_webpage("<title>Bail</title><p>5 million\\n  euros.<ul><li>twice a week</ul>").text
        '5 million euros.\\n\\n- twice a week'
    """
    import warnings

    from bs4 import BeautifulSoup
    from bs4.builder import ParserRejectedMarkup

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bs4 remarks on input that looks like XML or a file name
        try:
            soup = BeautifulSoup(markup, "lxml")
        except ParserRejectedMarkup:
            soup = BeautifulSoup("", "lxml")
    metas = _metas(soup)
    return Webpage(_text(soup), tuple(_titles(soup, metas)), tuple(_dates(soup, metas)), _source(soup, metas))


# What is seen


@dataclass(slots=True)
class _Writer:
    """Puts text together as a browser does: white space collapses, blocks start on lines of their own."""

    parts: list[str] = field(default_factory=list)
    breaks: int = 2
    space: bool = False
    marker: str = ""

    def write(self, text: str) -> None:
        collapsed = _SPACE.sub(" ", text)
        bare = collapsed.strip(" ")
        if bare:
            self._gap(collapsed.startswith(" "))
            self.parts.append(bare)
        self.space = (self.space and not bare) or (not self.breaks and collapsed.endswith(" "))

    def write_as_is(self, text: str) -> None:
        if text:
            self._gap(False)
            self.parts.append(text)

    def end(self, breaks: int) -> None:
        """Ask for so many line ends before what comes next."""
        self.breaks = max(self.breaks, breaks) if self.parts else 2
        self.space = False

    def _gap(self, spaced: bool) -> None:
        if self.breaks:
            self.parts.append("\n" * self.breaks if self.parts else "")
        elif spaced or self.space:
            self.parts.append(" ")
        self.parts.append(self.marker)
        self.breaks, self.space, self.marker = 0, False, ""


def _text(soup: BeautifulSoup) -> str:
    writer = _Writer()
    rows: list[int] = []
    counts: dict[int, int] = {}
    for element, opens in _walk(soup):
        if isinstance(element, str):
            _write(writer, element, bool(rows))
        elif element.name == "tr" and _is_record(element):
            writer.end(1)
            rows.append(id(element)) if opens else rows.pop()
        elif rows:
            if opens and element.name in _CELLS and element.find_previous_sibling(_CELLS):
                writer.write(" | ")
            elif element.name in _APART or element.name in _LINES or element.name == "br":
                writer.write(" ")
        else:
            _break(writer, element, opens, counts)
    return "".join(writer.parts).strip()


def _walk(soup: BeautifulSoup) -> Iterator[tuple[Any, bool]]:
    """Give what is seen in order: texts, and elements twice, as they open and as they close."""
    from bs4.element import NavigableString, PreformattedString, Tag

    waiting: list[tuple[Any, bool]] = [(soup, True)]
    while waiting:
        element, opens = waiting.pop()
        if isinstance(element, Tag):
            if opens and (element.name in _UNSEEN or _is_hidden(element)):
                continue
            yield element, opens
            if opens:
                waiting.append((element, False))
                waiting.extend((child, True) for child in reversed(element.contents))
        elif isinstance(element, NavigableString) and not isinstance(element, PreformattedString):
            yield element, True


def _is_hidden(element: Tag) -> bool:
    return element.has_attr("hidden") or bool(_HIDDEN.search(str(element.get("style", ""))))


def _is_record(row: Tag) -> bool:
    """Say whether a row holds short values, and not the layout of a page."""
    return row.find(_LAYOUT) is None and all(
        len(cell.find_all("p", limit=2)) < 2 for cell in row.find_all(_CELLS, recursive=False)
    )


def _write(writer: _Writer, text: Any, in_row: bool) -> None:
    if not in_row and text.find_parent("pre") is not None:
        writer.write_as_is(str(text))
    else:
        writer.write(str(text))


def _break(writer: _Writer, element: Tag, opens: bool, counts: dict[int, int]) -> None:
    if element.name == "br":
        if opens:
            writer.end(writer.breaks + 1 if writer.breaks < 2 else 2)
    elif element.name in _APART:
        nested = element.name in ("ul", "ol") and element.find_parent(["ul", "ol"]) is not None
        writer.end(1 if nested else 2)
    elif element.name in _LINES:
        writer.end(1)
        if element.name == "li":
            writer.marker = _marker(element, counts) if opens else ""
    elif element.name in _CELLS:
        writer.end(1)


def _marker(item: Tag, counts: dict[int, int]) -> str:
    """Give what stands before an item of a list: its number, or a dash."""
    if item.parent is None or item.parent.name != "ol":
        return "- "
    key = id(item.parent)
    counts[key] = counts.get(key, 0) + 1
    return f"{counts[key]}. "


# What the head says


def _metas(soup: BeautifulSoup) -> dict[str, str]:
    metas: dict[str, str] = {}
    for meta in soup.find_all("meta", limit=500):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop")
        content = " ".join(str(meta.get("content") or "").split())
        if name and content:
            metas.setdefault(str(name).lower(), content)
    return metas


def _titles(soup: BeautifulSoup, metas: dict[str, str]) -> Iterator[str]:
    head = soup.find("title")
    heading = soup.find("h1")
    yield " ".join(head.get_text().split()) if head else ""
    yield metas.get("og:title", "")
    yield " ".join(heading.get_text(" ").split()) if heading else ""


def _dates(soup: BeautifulSoup, metas: dict[str, str]) -> Iterator[str]:
    yield from (metas[name] for name in _DATES if name in metas)
    marked = soup.find(itemprop="datePublished")
    if marked is not None:
        yield str(marked.get("datetime") or marked.get("content") or "")
    yield from _linked_dates(soup)
    times = {str(time["datetime"]) for time in soup.find_all("time", datetime=True, limit=50)}
    if len(times) == 1:  # of several, any may be a comment's or another article's
        yield times.pop()


def _linked_dates(soup: BeautifulSoup) -> Iterator[str]:
    for script in soup.find_all("script", type="application/ld+json", limit=20):
        try:
            found = json.loads(script.string or "")
        except (ValueError, RecursionError):
            continue
        things = found if isinstance(found, list) else [found]
        graphs = [thing.get("@graph") for thing in things if isinstance(thing, dict)]
        things = [*things, *(thing for graph in graphs if isinstance(graph, list) for thing in graph)]
        yield from (
            str(thing["datePublished"])
            for thing in things
            if isinstance(thing, dict) and "datePublished" in thing
        )


def _source(soup: BeautifulSoup, metas: dict[str, str]) -> str | None:
    canonical = soup.find("link", rel="canonical", href=True)
    return metas.get("og:site_name") or (str(canonical["href"]).strip() if canonical else "") or None
