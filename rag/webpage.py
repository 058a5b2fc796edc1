"""HTML -> what a reader of the page sees, as lines of text, and what its head says about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rag.errors import DocumentError

_UNSEEN = frozenset(
    "script style template noscript head title iframe object embed svg math canvas audio video select "
    "datalist textarea input area map frameset".split()
)
_APART = (
    "p h1 h2 h3 h4 h5 h6 blockquote pre table ul ol dl section article figure form fieldset hr main aside"
)
_LINES = (
    "html body div li tr td th dt dd header footer nav address caption figcaption legend details summary "
    "thead tbody tfoot center option dialog hgroup search menu"
)
_BREAKS = dict.fromkeys(_APART.split(), 2) | dict.fromkeys(_LINES.split(), 1)
_CELLS = ("td", "th")
_LAYOUT = "table ul ol dl h1 h2 h3 h4 h5 h6 pre blockquote article section".split()
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

    Raises:
        DocumentError: Its elements are nested more than 2,048 deep, past which nothing would be read.

    Examples:
        >>> read_webpage("<title>Bail</title><p>5 million\n  euros.<ul><li>twice a week</ul>").text
        '5 million euros.\n\n- twice a week'
    """
    from lxml import etree

    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    page = etree.fromstring(markup.encode("utf-8", "ignore"), parser)
    if any(error.level_name == "FATAL" for error in parser.error_log):
        raise DocumentError("its markup is nested too deeply to be read")
    if page is None:
        return Webpage("", (), (), None)
    metas = _metas(page)
    return Webpage(_text(page), tuple(_titles(page, metas)), tuple(_dates(page, metas)), _source(page, metas))


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


@dataclass(slots=True)
class _Place:
    """Where in a page its reading has come to.

    `pre` counts the open `<pre>`; `lists` holds the items seen of each open list, None for one without
    numbers; `cells` counts those of the open row of a table, -1 outside one.
    """

    pre: int = 0
    lists: list[int | None] = field(default_factory=list)
    cells: int = -1


def _text(page: Any) -> str:
    from lxml import etree

    writer, place = _Writer(), _Place()
    walk = etree.iterwalk(page, events=("start", "end"))
    for event, element in walk:
        if event == "end":
            if element.tag not in _UNSEEN and not _is_hidden(element):
                _close(writer, place, element)
            if element is not page:
                _write(writer, place, element.tail)
        elif element.tag in _UNSEEN or _is_hidden(element):
            walk.skip_subtree()
        else:
            _open(writer, place, element)
            _write(writer, place, element.text)
    return "".join(writer.parts).strip()


def _write(writer: _Writer, place: _Place, text: str | None) -> None:
    if text and place.pre and place.cells < 0:
        writer.write_as_is(text)
    elif text:
        writer.write(text)


def _open(writer: _Writer, place: _Place, element: Any) -> None:
    tag = element.tag
    if place.cells >= 0:
        if tag in _CELLS:
            place.cells += 1
            writer.write(" | " if place.cells > 1 else "")
        elif tag in _BREAKS or tag == "br":
            writer.write(" ")
        return
    _break(writer, place, tag)
    if tag == "br":
        writer.end(min(writer.breaks + 1, 2))
    elif tag == "pre":
        place.pre += 1
    elif tag in ("ul", "ol"):
        place.lists.append(0 if tag == "ol" else None)
    elif tag == "li":
        writer.marker = _marker(place.lists)
    elif tag == "tr" and _is_record(element):
        place.cells = 0


def _close(writer: _Writer, place: _Place, element: Any) -> None:
    tag = element.tag
    if tag == "tr":
        place.cells = -1
    elif place.cells >= 0:
        writer.write(" " if tag in _BREAKS else "")
        return
    if tag == "pre":
        place.pre -= 1
    elif tag in ("ul", "ol") and place.lists:
        place.lists.pop()
    elif tag == "li":
        writer.marker = ""
    _break(writer, place, tag)


def _break(writer: _Writer, place: _Place, tag: str) -> None:
    if tag in _BREAKS:
        nested = tag in ("ul", "ol") and place.lists
        writer.end(1 if nested else _BREAKS[tag])


def _marker(lists: list[int | None]) -> str:
    """Give what stands before an item of the innermost list: its number, or a dash."""
    count = lists[-1] if lists else None
    if count is None:
        return "- "
    lists[-1] = count + 1
    return f"{count + 1}. "


def _is_hidden(element: Any) -> bool:
    return "hidden" in element.attrib or bool(_HIDDEN.search(element.get("style", "")))


def _is_record(row: Any) -> bool:
    """Say whether a row holds short values, and not the layout of a page."""
    if next(row.iterdescendants(*_LAYOUT), None) is not None:
        return False
    paragraphs = [paragraph.getparent() for paragraph in row.iterdescendants("p")]
    return len(paragraphs) == len(set(paragraphs))


# What the head says


def _metas(page: Any) -> dict[str, str]:
    metas: dict[str, str] = {}
    for meta in page.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop")
        content = " ".join(meta.get("content", "").split())
        if name and content:
            metas.setdefault(name.lower(), content)
    return metas


def _titles(page: Any, metas: dict[str, str]) -> Iterator[str]:
    yield _words(next(page.iter("title"), None))
    yield metas.get("og:title", "")
    yield _words(next(page.iter("h1"), None))


def _words(element: Any) -> str:
    return "" if element is None else " ".join(" ".join(element.itertext()).split())


def _dates(page: Any, metas: dict[str, str]) -> Iterator[str]:
    yield from (metas[name] for name in _DATES if name in metas)
    for marked in page.iterfind(".//*[@itemprop='datePublished']"):
        yield marked.get("datetime") or marked.get("content") or ""
    yield from _linked_dates(page)
    times = {time.get("datetime") for time in page.iterfind(".//time[@datetime]")}
    if len(times) == 1:  # of several, any may be a comment's or another article's
        yield times.pop()


def _linked_dates(page: Any) -> Iterator[str]:
    for script in page.iterfind(".//script[@type='application/ld+json']"):
        try:
            found = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        things = found if isinstance(found, list) else [found]
        graphs = [thing.get("@graph") for thing in things if isinstance(thing, dict)]
        things = [*things, *(thing for graph in graphs if isinstance(graph, list) for thing in graph)]
        dated = (thing for thing in things if isinstance(thing, dict) and "datePublished" in thing)
        yield from (str(thing["datePublished"]) for thing in dated)


def _source(page: Any, metas: dict[str, str]) -> str | None:
    links = page.iterfind(".//link[@rel='canonical'][@href]")
    return metas.get("og:site_name") or next((link.get("href").strip() for link in links), "") or None
