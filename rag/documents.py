"""A file -> its documents, one reader a format.

A reader gives the text and what the file says about itself. What a file does not say stays unknown: the date
on which a PDF was made is not the date on which its text was published.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from rag.encodings import decode, plain_lines
from rag.errors import DocumentError
from rag.types import Document, Rejected

MAX_PAGES = 5_000
MAX_UNPACKED_BYTES = 400_000_000
MAX_MARKUP_CHARS = 20_000_000
TITLE_CHARS = 100

NO_TEXT = "it holds no text"
ENCRYPTED = "it is encrypted; save it without a password"


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a reader found: the text, and what the file states about it."""

    text: str
    title: str = ""
    published_at: str | None = None
    source: str | None = None


def read(path: Path, doc_id: str, *, max_bytes: int) -> tuple[list[Document], list[Rejected]]:
    """Read the documents of a file.

    Args:
        path: The file.
        doc_id: The id of its document; for `.jsonl`, only what its bad records are named after.
        max_bytes: The size of the file, at most.

    Returns:
        The documents, and the records of a `.jsonl` that could not be read, as `doc_id:line`.

    Raises:
        DocumentError: The whole file cannot be read; the text is the reason alone, in one line.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DocumentError(f"its kind is not one of {' '.join(sorted(SUFFIXES))}")
    raw = _bytes(path, max_bytes)
    if suffix == ".jsonl":
        return _read_records(raw, doc_id)
    contents = _READERS[suffix](raw)
    return [_document(doc_id, contents)], []


def _bytes(path: Path, max_bytes: int) -> bytes:
    try:
        if not path.is_file():
            raise DocumentError("it is not a file")
        with path.open("rb") as file:
            raw = file.read(max_bytes + 1)
    except OSError as error:
        raise DocumentError(f"it cannot be read: {error.strerror or error}") from None
    if len(raw) > max_bytes:
        raise DocumentError(
            f"it is larger than the {max_bytes / 1e6:g} MB allowed; raise CITEWELL_MAX_FILE_MB, or split it"
        )
    if not raw:
        raise DocumentError("it is empty")
    return raw


def _document(doc_id: str, contents: _Contents) -> Document:
    text = contents.text
    if not text.strip():
        raise DocumentError(NO_TEXT)
    title = _shortened(contents.title) or _first_sentence(text)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Document(doc_id, title, contents.source, contents.published_at, text, sha256)


# Plain text and Markdown


def _read_text(raw: bytes) -> _Contents:
    return _Contents(decode(raw))


_FRONT_MATTER = re.compile(r"---[ \t]*\n((?:.*\n){1,200}?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_FRONT_LINE = re.compile(r"\s*(?:#.*)?$|\s+\S|-\s|[\w.-]+\s*:(?:\s|$)")
_FENCED = re.compile(r"^ {0,3}(```|~~~).*?(?:^ {0,3}\1|\Z)", re.M | re.S)
_HEADING = re.compile(
    r"^ {0,3}#{1,6}[ \t]+(?P<hashed>\S.*?)[ \t]*#*[ \t]*$|^(?P<lined>\S.*)\n {0,3}(?:={3,}|-{3,})[ \t]*$",
    re.M,
)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(\*\*|__|\*|_|`)(?=\S)(.+?)(?<=\S)\1")


def _read_markdown(raw: bytes) -> _Contents:
    """Read the text as it stands, without the front matter, which states title, date and source."""
    text = decode(raw)
    front = _FRONT_MATTER.match(text)
    stated: dict[str, str] = {}
    if front and all(map(_FRONT_LINE.match, front[1].splitlines())):
        stated = _stated(front[1])
        text = text[front.end() :].lstrip("\n")
    published = _iso(stated.get("published_at", "")) or _iso(stated.get("date", ""))
    source = stated.get("source") or stated.get("url")
    return _Contents(text, stated.get("title", "") or _markdown_title(text), published, source)


def _stated(front: str) -> dict[str, str]:
    pairs = re.findall(r"^([\w.-]+)[ \t]*:[ \t]+(\S.*?)[ \t]*$", front, re.M)
    return {name.lower(): _unquoted(value) for name, value in pairs}


def _unquoted(value: str) -> str:
    quoted = re.fullmatch(r"\"(.*)\"|'(.*)'", value)
    if quoted:
        return (quoted[1] or quoted[2] or "").replace('\\"', '"')
    return re.sub(r"\s+#.*$", "", value)


def _markdown_title(text: str) -> str:
    prose = _FENCED.sub("", text[:100_000])
    found = _HEADING.search(prose)
    title = (found["hashed"] or found["lined"]) if found else _first_sentence(prose)
    return _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", title))


# Web pages


def _read_html(raw: bytes) -> _Contents:
    from rag.webpage import read_webpage

    markup = decode(raw, markup=True)
    if len(markup) > MAX_MARKUP_CHARS:
        raise DocumentError(f"it has over {MAX_MARKUP_CHARS:,} characters of markup; split it")
    page = read_webpage(markup)
    dates = (_iso(stated) for stated in page.dates)
    title = next(filter(None, page.titles), "")
    published_at = next((stated for stated in dates if stated), None)
    return _Contents(_cleaned(page.text), title, published_at, page.source)


# PDF


def _read_pdf(raw: bytes) -> _Contents:
    """Read the text layer, page by page."""
    with _quiet("pypdf"), _damaged("PDF"):
        text, title = _pdf_pages(raw)
    text = _cleaned(text)
    if not text.strip():
        raise DocumentError("it has no text layer, as a scan has none; run text recognition on it first")
    if _illegible(text):
        raise DocumentError("its text layer does not say which characters it shows")
    return _Contents(text, title if _is_title(title) else "")


def _pdf_pages(raw: bytes) -> tuple[str, str]:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    reader = PdfReader(BytesIO(raw))
    try:
        if reader.is_encrypted and not reader.decrypt(""):  # without a password, some may still be read
            raise DocumentError(ENCRYPTED)
        if len(reader.pages) > MAX_PAGES:
            raise DocumentError(f"it has more than {MAX_PAGES:,} pages; split it")
        text = "\n\n".join(plain_lines(page.extract_text()).strip("\n") for page in reader.pages)
    except (DependencyError, NotImplementedError):
        raise DocumentError(ENCRYPTED) from None
    return text, str((reader.metadata and reader.metadata.get("/Title")) or "")


def _illegible(text: str) -> bool:
    unknown = len(re.findall(r"[\ufffd\ue000-\uf8ff]|\(cid:\d+\)", text))
    return unknown * 50 > len(text)


def _is_title(title: str) -> bool:
    """Say whether what a program wrote as the title of a file is one."""
    return bool(re.search(r"[^\W\d_]{2}", title)) and not re.search(
        r"^\s*(?:untitled|microsoft (?:word|powerpoint)|document\d*$)|\.[a-z]{2,5}\d?$|[\\/]\S+[\\/]|\ufffd",
        title,
        re.I,
    )


# Word


_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_UNSEEN = (f"{_W}del", f"{_W}moveFrom", _FALLBACK)
_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}p": "\n", f"{_W}noBreakHyphen": "-"}


def _read_docx(raw: bytes) -> _Contents:
    """Read paragraphs and tables in their order, tracked insertions included, deletions left out."""
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        raise DocumentError("it is encrypted, or an old .doc; save it as .docx without a password")
    with _damaged("Word"):
        _check_unpacked_size(raw)
        import docx

        document = docx.Document(BytesIO(raw))
        for unseen in list(document.element.body.iter(*_UNSEEN)):
            unseen.getparent().remove(unseen)
        text = "".join(_word_blocks(document.element.body)).strip("\n")
        title = document.core_properties.title or ""
        styled = _styled_title(document)
    return _Contents(_cleaned(text), title if _is_title(title) else styled)


def _check_unpacked_size(raw: bytes) -> None:
    from zipfile import ZipFile

    size = sum(entry.file_size for entry in ZipFile(BytesIO(raw)).infolist())
    if size > MAX_UNPACKED_BYTES:
        raise DocumentError(f"it unpacks to {size:,} bytes, more than the {MAX_UNPACKED_BYTES:,} allowed")


def _word_blocks(body: Any) -> Iterator[str]:
    for element in body:
        if element.tag == f"{_W}p":
            yield f"{_word_text(element)}\n\n"
        elif element.tag == f"{_W}tbl":
            yield from (f"{' | '.join(_word_cells(row))}\n" for row in element.iter(f"{_W}tr"))
            yield "\n"
        else:
            yield from _word_blocks(element)


def _word_cells(row: Any) -> Iterator[str]:
    """Give the cells of a row; those that a cell above reaches into are empty."""
    for cell in row.iterchildren(f"{_W}tc"):
        paragraphs = (_word_text(paragraph) for paragraph in cell.iter(f"{_W}p"))
        yield " ".join(" ".join(paragraphs).split())


def _word_text(paragraph: Any) -> str:
    parts = []
    for element in paragraph.iter(f"{_W}t", *_SIGNS):
        if element.getparent().tag != f"{_W}tabs":
            parts.append(_SIGNS.get(element.tag) or element.text or "")
    return "".join(parts).strip("\n")


def _styled_title(document: Any) -> str:
    for paragraph in document.paragraphs[:200]:
        name = (paragraph.style.name or "") if paragraph.style is not None else ""
        if name.startswith(("Title", "Heading")) and paragraph.text.strip():
            return str(paragraph.text)
    return ""


# Records


def _read_records(raw: bytes, doc_id: str) -> tuple[list[Document], list[Rejected]]:
    text = decode(raw)
    if not text.strip():
        raise DocumentError(NO_TEXT)
    documents: dict[str, Document] = {}
    rejected = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                document = _record(line)
                if document.doc_id in documents:
                    raise DocumentError(f"its doc_id {document.doc_id!r} stands on an earlier line too")
                documents[document.doc_id] = document
            except DocumentError as error:
                rejected.append(Rejected(f"{doc_id}:{number}", str(error)))
    return list(documents.values()), rejected


def _record(line: str) -> Document:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise DocumentError("it is not JSON") from None
    if not isinstance(record, dict):
        raise DocumentError("it is not a JSON object")
    doc_id = record.get("doc_id")
    record["doc_id"] = str(doc_id) if isinstance(doc_id, int) and not isinstance(doc_id, bool) else doc_id
    fields = {name: _field(record, name) for name in ("doc_id", "title", "source", "published_at", "text")}
    for name in ("doc_id", "text"):
        if not fields[name].strip():
            raise DocumentError(f"it has no {name}")
    if re.search(r"[\x00-\x1f]", fields["doc_id"]):
        raise DocumentError(f"its doc_id {fields['doc_id']!r} holds a control character")
    contents = _Contents(
        plain_lines(fields["text"].removeprefix("\ufeff")),
        fields["title"],
        _iso(fields["published_at"]),
        fields["source"].strip() or None,
    )
    return _document(fields["doc_id"], contents)


def _field(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DocumentError(f"its {name} is {json.dumps(value)[:40]}, not a string")
    if re.search(r"[\ud800-\udfff\x00]", value):
        raise DocumentError(f"its {name} holds half a character or a NUL")
    return value


# What they share


def _cleaned(text: str) -> str:
    """Drop what no file format means as text: control characters and halves of characters."""
    return re.sub(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]", "", plain_lines(text))


def _shortened(title: str) -> str:
    """Give a title in one line of at most `TITLE_CHARS` characters and an ellipsis, cut between words."""
    words = re.sub(r"[\s\x00-\x1f\x7f\ud800-\udfff]+", " ", title).strip()
    if len(words) <= TITLE_CHARS:
        return words
    cut = (
        words[: TITLE_CHARS + 1].rsplit(" ", 1)[0] if " " in words[: TITLE_CHARS + 1] else words[:TITLE_CHARS]
    )
    return cut.rstrip(" ,;:.–—-") + "…"


def _first_sentence(text: str) -> str:
    from rag.sentences import sentence_spans

    beginning = text.lstrip()[:2_000]
    sentences = (beginning[start:end] for start, end in sentence_spans(beginning))
    worded = (sentence for sentence in sentences if re.search(r"\w", sentence))
    return _shortened(next(worded, "")) or _shortened(beginning)


_WRITTEN = ("%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y", "%Y/%m/%d", "%Y.%m.%d")


def _iso(stated: str) -> str | None:
    """Give a date in ISO 8601, where what is stated is one beyond doubt (06/09/2024 is not).

    Examples:
        >>> _iso("2024-09-06T10:00:00Z"), _iso("September 6, 2024"), _iso("06/09/2024")
        ('2024-09-06T10:00:00+00:00', '2024-09-06', None)
    """
    stated = " ".join(stated.split())
    if re.fullmatch(r"[12]\d{3}(?:-(?:0[1-9]|1[0-2]))?", stated):
        return stated
    for parse in (_parse_iso, _parse_mail, *(_parser(form) for form in _WRITTEN)):
        try:
            return parse(stated)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _parse_iso(stated: str) -> str:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", stated):
        return date.fromisoformat(stated).isoformat()
    if not re.match(r"\d{4}-\d{2}-\d{2}[T ]", stated):
        raise ValueError(stated)
    return datetime.fromisoformat(stated).isoformat()


def _parse_mail(stated: str) -> str:
    from email.utils import parsedate_to_datetime

    if not re.match(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d", stated):
        raise ValueError(stated)
    return parsedate_to_datetime(stated).isoformat()


def _parser(form: str) -> Callable[[str], str]:
    return lambda stated: datetime.strptime(stated, form).date().isoformat()


@contextmanager
def _damaged(kind: str) -> Iterator[None]:
    """Turn whatever a library raises on a broken file into one line."""
    try:
        yield
    except DocumentError:
        raise
    except Exception as error:
        raise DocumentError(f"it is damaged, or no {kind} file ({type(error).__name__})") from None


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Keep a library from remarking on every oddity of a file."""
    import logging
    import warnings

    log = logging.getLogger(logger)
    was = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(was)


_READERS: dict[str, Callable[[bytes], _Contents]] = {
    ".txt": _read_text,
    ".md": _read_markdown,
    ".html": _read_html,
    ".htm": _read_html,
    ".pdf": _read_pdf,
    ".docx": _read_docx,
}
SUFFIXES = frozenset(_READERS) | {".jsonl"}
