import codecs
import hashlib
import json
import os
import re
import zipfile
from io import BytesIO

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfWriter

from rag import documents
from rag.documents import SUFFIXES, read
from rag.encodings import decode
from rag.errors import DocumentError
from rag.types import Rejected
from rag.webpage import read_webpage


@pytest.fixture
def file(tmp_path):
    """Give a function that writes a file and reads it back: its one document."""

    def written(name, contents, **limits):
        path = tmp_path / name
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        found, rejected = read(path, name, max_bytes=limits.get("max_bytes", 10_000_000))
        assert rejected == []
        (document,) = found
        assert document.sha256 == hashlib.sha256(document.text.encode()).hexdigest()
        assert read(path, name, max_bytes=10_000_000) == ([document], [])
        return document

    return written


def pdf(*pages, title=""):
    """Give a PDF of these pages, each a list of lines."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for lines in pages:
        shown = " T* ".join(f"({line}) Tj" for line in lines)
        stream = f"BT /F1 12 Tf 14 TL 72 720 Td {shown} ET".encode()
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream))
        page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R" % len(objects)
        objects.append(page + b"/Resources<</Font<</F1 3 0 R>>>>>>")
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b" ".join(kids), len(kids))
    objects.append(f"<</Title({title})/CreationDate(D:20240906100000Z)>>".encode())
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    last, size = len(objects), len(objects) + 1
    tail = b"trailer<</Size %d/Root 1 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, last, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + tail


def word(build):
    document = docx.Document()
    build(document)
    target = BytesIO()
    document.save(target)
    return target.getvalue()


# Plain text


def test_text_stays_as_it_is_but_for_its_line_ends_and_its_mark(file):
    document = file("a.txt", "\ufeffOne  \ttwo.\r\nThree\rfour\n\n")
    assert document.text == "One  \ttwo.\nThree\nfour\n\n"
    assert (document.doc_id, document.title) == ("a.txt", "One two.")
    assert (document.source, document.published_at) == (None, None)


def test_a_long_first_sentence_is_shortened_between_words(file):
    title = file("a.txt", "word " * 40 + "end. Next.").title
    assert title == "word " * 19 + "word…"


def test_the_suffix_counts_in_any_case(file):
    assert file("A.TXT", "Text.").text == "Text."
    assert {".txt", ".md", ".html", ".htm", ".pdf", ".docx", ".jsonl"} == SUFFIXES


# Encodings

FRENCH = "Le président a déclaré que l’été serait très chaud à Paris, où les élèves étaient déjà en vacances."
RUSSIAN = "Дуров опубликовал пост о своём аресте во Франции. Он был освобождён под залог пять миллионов евро."
JAPANESE = (
    "テレグラムの創業者は先月フランスで逮捕され、五百万ユーロの保釈金で釈放された。警察に週二回出頭する。"
)
CHINESE = "电报创始人杜罗夫上个月在法国被捕，以五百万欧元保释。他每周必须向警方报到两次。"
GERMAN = "Die Straße ist für die Bürger gesperrt, und eine größere Lösung wäre nicht nötig."
DASHES = "Durov said he was “surprised” — it’s a misguided approach – and paid €5 million for the bail."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((FRENCH, name) for name in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252")),
        *((DASHES, name) for name in ("utf-8", "utf-16", "cp1252")),
        *((GERMAN, name) for name in ("cp1252", "latin-1", "iso8859-15")),
        *((RUSSIAN, name) for name in ("cp1251", "koi8-r", "cp866", "iso8859-5", "utf-16")),
        *((JAPANESE, name) for name in ("shift_jis", "euc_jp", "iso2022_jp")),
        *((CHINESE, name) for name in ("gb18030", "gbk")),
    ],
)
def test_an_encoding_is_detected(text, encoding):
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("café", "cp1252"),
        ("Le café", "mac_roman"),
        (FRENCH.replace("’", "'"), "mac_roman"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy. Vláda schválila nový zákon.", "cp1250"),
        ("Zażółć gęślą jaźń. Premier powiedział, że Polska będzie się rozwijać.", "iso8859-2"),
        ("The composer Dvořák met Petr Čech in the city of Brno and talked about it.", "cp1250"),
        ("Vilniaus miesto taryba nusprendė, kad mokesčiai bus mažesni, ir žmonės džiaugėsi.", "cp1257"),
        ("Он ушёл.", "koi8-r"),
        ("彼は保釈された。", "euc_jp"),
        ("Die Straße ist für die Bürger gesperrt.", "cp850"),
    ],
)
def test_what_might_become_mojibake_is_rejected(text, encoding):
    with pytest.raises(DocumentError, match=r"its encoding cannot be told; save it as UTF-8"):
        decode(text.encode(encoding))


@pytest.mark.parametrize(
    "raw",
    [b"\xff\xfea", codecs.BOM_UTF8 + b"\xff", codecs.BOM_UTF16_BE + b"\xd8\x00", b"\xc3", b"\xff" * 50],
)
def test_a_broken_encoding_is_rejected(raw):
    with pytest.raises(DocumentError):
        decode(raw)


@pytest.mark.parametrize("raw", [b"a\0b", b"\x89PNG\r\n\x1a\n\0", "a\0b".encode("utf-16"), b"\x01\x02 text"])
def test_binary_is_rejected(raw):
    with pytest.raises(DocumentError, match="it is binary, not text"):
        decode(raw)


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=50), st.sampled_from(["utf-16", "utf-8"])
)
def test_unicode_comes_back_as_it_was(text, encoding):
    assert decode(("\ufeff" + text).encode(encoding.replace("16", "16-le"))) == text


# What is rejected


@pytest.mark.parametrize(
    ("name", "contents", "reason"),
    [
        ("a.txt", b"", "it is empty"),
        ("a.txt", b" \n\t\xc2\xa0", "it holds no text"),
        ("a.jsonl", b"\n \n", "it holds no text"),
        ("a.html", b"<p> </p><script>x</script>", "it holds no text"),
        ("a.md", b"---\ntitle: x\n---\n", "it holds no text"),
        (
            "a.txt",
            b"x" * 101,
            "it is larger than the 0.0001 MB allowed; raise CITEWELL_MAX_FILE_MB, or split it",
        ),
        ("a.exe", b"x", "its kind is not one of .docx .htm .html .jsonl .md .pdf .txt"),
        ("a.pdf", b"not a pdf", "it is damaged, or no PDF file (PdfStreamError)"),
        ("a.docx", b"PK\x03\x04 junk", "it is damaged, or no Word file (BadZipFile)"),
        (
            "a.docx",
            b"\xd0\xcf\x11\xe0 old",
            "it is encrypted, or an old .doc; save it as .docx without a password",
        ),
    ],
)
def test_a_file_is_rejected_by_reason(tmp_path, name, contents, reason):
    path = tmp_path / name
    path.write_bytes(contents)
    with pytest.raises(DocumentError, match=f"^{re.escape(reason)}$"):
        read(path, name, max_bytes=100)


def test_what_is_no_file_is_rejected(tmp_path):
    (tmp_path / "folder.txt").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    for name in ("folder.txt", "pipe.txt", "gone.txt"):
        with pytest.raises(DocumentError, match=r"^it is not a file$"):
            read(tmp_path / name, name, max_bytes=100)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_rejected(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(DocumentError, match=r"^it cannot be read: Permission denied$"):
        read(path, "a.txt", max_bytes=100)


# Markdown


def test_markdown_keeps_its_text_and_takes_the_front_matter_for_what_it_states(file):
    front = '---\ntitle: "Bail: five million"\ndate: 2024-09-06 # a Friday\ntags:\n  - law\n---\n\n'
    document = file("a.md", front + "# Heading\n\nText with **bold**.\n")
    assert document.text == "# Heading\n\nText with **bold**.\n"
    assert (document.title, document.published_at) == ("Bail: five million", "2024-09-06")


def test_a_rule_at_the_beginning_is_no_front_matter(file):
    text = "---\nA sentence that is no pair.\n---\n\nMore.\n"
    assert file("a.md", text).text == text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Some text.\n\n## The **first** [heading](a.html) ##\n\n# Second\n", "The first heading"),
        ("The title\n=========\n\nText.", "The title"),
        ("```\n# a comment\n```\n\nThe text. More.", "The text."),
        ("The text. More.", "The text."),
    ],
)
def test_the_title_of_markdown_is_its_first_heading_or_sentence(file, text, title):
    assert file("a.md", text).title == title


# Web pages

PAGE = """<!doctype html><html><head><title>Bail &amp;
 more</title><meta property="article:published_time" content="2024-09-06T08:00:00Z">
<meta property="og:site_name" content="The Times"><style>p {}</style></head><body><!-- no -->
<script>no()</script><h1>Durov  released</h1><p>Bail is <b>5&nbsp;million</b>
   euros.<br>Twice a week.<p hidden>no</p><div style="display: none">no</div><template>no</template>
<ul><li>one<li><p>two</p><ol><li>first<li>second</ol></ul>
<table><tr><th>Name<th>Age</tr><tr><td>Pavel<td><p>39</p></tr></table>
<pre>a
  b</pre><noscript>no</noscript>end</body></html>"""


def test_a_page_gives_what_a_reader_sees(file):
    document = file("a.html", PAGE)
    assert document.text == (
        "Durov released\n\nBail is 5\u00a0million euros.\nTwice a week.\n\n"
        "- one\n\n- two\n\n1. first\n2. second\n\nName | Age\nPavel | 39\n\na\n  b\n\nend"
    )
    assert (document.title, document.source) == ("Bail & more", "The Times")
    assert document.published_at == "2024-09-06T08:00:00+00:00"


def test_a_table_that_lays_out_a_page_is_no_row(file):
    text = file("a.html", "<table><tr><td><p>One.</p><p>Two.</p></td><td>Side.</td></tr></table>").text
    assert text == "One.\n\nTwo.\n\nSide."


@pytest.mark.parametrize(
    ("head", "published_at"),
    [
        ('<meta name="date" content="2024-09-06">', "2024-09-06"),
        ('<meta itemprop="datePublished" content="6 September 2024">', "2024-09-06"),
        ('<meta name="pubdate" content="Fri, 06 Sep 2024 08:00:00 GMT">', "2024-09-06T08:00:00+00:00"),
        (
            '<script type="application/ld+json">{"@graph": [{"datePublished": "2024-09-06"}]}</script>',
            "2024-09-06",
        ),
        ('<time datetime="2024-09-06">Friday</time>', "2024-09-06"),
        ('<time datetime="2024-09-06">a</time><time datetime="2024-09-07">b</time>', None),
        ('<meta name="date" content="06/09/2024">', None),
        ('<meta name="date" content="2024-13-45">', None),
        ("", None),
    ],
)
def test_a_date_counts_where_the_page_states_one_beyond_doubt(file, head, published_at):
    assert file("a.html", f"{head}<p>Text.").published_at == published_at


def test_a_page_may_declare_its_encoding(file):
    page = '<meta charset="windows-1250"><p>Příliš žluťoučký kůň'
    assert file("a.html", page.encode("cp1250")).text == "Příliš žluťoučký kůň"
    assert file("b.html", '<?xml version="1.0" encoding="utf-8"?><html><p>café').text == "café"


def test_a_page_nested_beyond_reading_is_rejected(file):
    with pytest.raises(DocumentError, match="nested too deeply"):
        file("a.html", "<div>" * 5000 + "deep")


@given(
    st.lists(
        st.sampled_from(
            "<p> </p> <b> <td> <tr> <table> </table> <ul> <li> </ul> <pre> <br> <script> x & &amp; \n".split(
                " "
            )
        ),
        max_size=30,
    )
)
def test_any_markup_gives_text_without_tags(parts):
    text = read_webpage("".join(parts)).text
    assert text == text.strip()
    assert "<" not in text


# PDF


def test_a_pdf_is_read_page_by_page(file):
    document = file(
        "a.pdf", pdf(["Bail is 5 million euros.", "He reports"], ["twice a week."], title="The bail")
    )
    assert document.text == "Bail is 5 million euros.\nHe reports\n\ntwice a week."
    assert (document.title, document.published_at) == ("The bail", None)


@pytest.mark.parametrize("title", ["", "untitled", "Microsoft Word - bail.docx", "bail_final.docx", "12345"])
def test_what_a_program_calls_a_pdf_is_no_title(file, title):
    assert file("a.pdf", pdf(["The text. More."], title=title)).title == "The text."


def written(writer):
    target = BytesIO()
    writer.write(target)
    return target.getvalue()


def test_a_pdf_without_text_is_rejected(file):
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    with pytest.raises(
        DocumentError, match=r"^it has no text layer, as a scan has none; run text recognition"
    ):
        file("a.pdf", written(writer))


def test_an_encrypted_pdf_is_rejected_unless_anyone_may_read_it(file):
    writer = PdfWriter(clone_from=BytesIO(pdf(["The text."])))
    writer.encrypt("secret", algorithm="RC4-128")
    with pytest.raises(DocumentError, match=r"^it is encrypted; save it without a password$"):
        file("a.pdf", written(writer))
    writer = PdfWriter(clone_from=BytesIO(pdf(["The text."])))
    writer.encrypt("", "owner", algorithm="RC4-128")
    assert file("b.pdf", written(writer)).text == "The text."


def test_a_truncated_pdf_is_rejected_without_a_word_elsewhere(file, capfd, caplog):
    with pytest.raises(DocumentError, match=r"^it is damaged, or no PDF file"):
        file("a.pdf", pdf(["The text."])[:200])
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_pdf_of_too_many_pages_is_rejected(file, monkeypatch):
    monkeypatch.setattr(documents, "MAX_PAGES", 2)
    with pytest.raises(DocumentError, match="more than 2 pages"):
        file("a.pdf", pdf(["a"], ["b"], ["c"]))


# Word


def test_a_word_file_gives_paragraphs_and_tables_in_order(file):
    def build(document):
        document.add_heading("The bail", 0)
        document.add_paragraph("It is 5 million\teuros.")
        table = document.add_table(2, 2)
        for row, values in zip(table.rows, (("Name", "Age"), ("Pavel", "39")), strict=True):
            for cell, value in zip(row.cells, values, strict=True):
                cell.text = value
        document.add_paragraph("After.")

    document = file("a.docx", word(build))
    assert document.text == "The bail\n\nIt is 5 million\teuros.\n\nName | Age\nPavel | 39\n\nAfter."
    assert (document.title, document.published_at) == ("The bail", None)


def test_a_word_file_may_state_its_title(file):
    def build(document):
        document.core_properties.title = "A stated title"
        document.add_paragraph("Text.")

    assert file("a.docx", word(build)).title == "A stated title"


def test_tracked_insertions_are_read_and_deletions_are_not(file):
    def build(document):
        paragraph = document.add_paragraph("He was ")
        for tag, text in (("del", "not "), ("ins", "never ")):
            kind = "delText" if tag == "del" else "t"
            change = docx.oxml.parse_xml(
                f'<w:{tag} xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" w:id="1">'
                f'<w:r><w:{kind} xml:space="preserve">{text}</w:{kind}></w:r></w:{tag}>'
            )
            paragraph._p.append(change)
        paragraph.add_run("there.")

    assert file("a.docx", word(build)).text == "He was never there."


def test_a_word_file_that_unpacks_to_too_much_is_rejected(file, monkeypatch):
    monkeypatch.setattr(documents, "MAX_UNPACKED_BYTES", 1_000_000)
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("word/document.xml", b" " * 5_000_000)
    assert len(target.getvalue()) < 10_000
    with pytest.raises(
        DocumentError, match=r"^it unpacks to 5,000,000 bytes, more than the 1,000,000 allowed$"
    ):
        file("a.docx", target.getvalue())


# Records


def test_a_bad_record_is_rejected_by_its_line_and_the_rest_goes_on(tmp_path):
    good = {
        "doc_id": "a",
        "title": "T",
        "source": "S",
        "published_at": "2024-09-06",
        "text": "One.\r\nTwo.",
        "x": 1,
    }
    lines = [
        (json.dumps(good), None),
        ("", None),
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[1]", "it is not a JSON object"),
        ('{"text": "x"}', "it has no doc_id"),
        ('{"doc_id": " ", "text": "x"}', "it has no doc_id"),
        ('{"doc_id": "b"}', "it has no text"),
        ('{"doc_id": "b", "text": " "}', "it has no text"),
        ('{"doc_id": "b", "text": ["x"]}', 'its text is ["x"], not a string'),
        ('{"doc_id": true, "text": "x"}', "its doc_id is true, not a string"),
        ('{"doc_id": "b", "text": "x", "title": 1}', "its title is 1, not a string"),
        ('{"doc_id": "b\\n", "text": "x"}', "its doc_id 'b\\n' holds a control character"),
        ('{"doc_id": "b", "text": "\\ud800"}', "its text holds half a character or a NUL"),
        ('{"doc_id": "a", "text": "x"}', "its doc_id 'a' stands on an earlier line too"),
        ('{"doc_id": 7, "text": "\\ud83d\\ude00 Seven.", "title": null}', None),
    ]
    path = tmp_path / "corpus.jsonl"
    path.write_text("\n".join(line for line, _ in lines) + "\n", encoding="utf-8")
    found, rejected = read(path, "corpus.jsonl", max_bytes=10_000_000)
    assert rejected == [
        Rejected(f"corpus.jsonl:{number}", reason) for number, (_, reason) in enumerate(lines, 1) if reason
    ]
    first, last = found
    assert (first.doc_id, first.title, first.source) == ("a", "T", "S")
    assert (first.published_at, first.text) == ("2024-09-06", "One.\nTwo.")
    assert (last.doc_id, last.title, last.text) == ("7", "😀 Seven.", "😀 Seven.")
    assert read(path, "corpus.jsonl", max_bytes=10_000_000) == (found, rejected)


def test_a_line_separator_within_a_record_ends_no_line(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_text('{"doc_id": "a", "text": "One\u2028two."}', encoding="utf-8")
    ((document,), rejected) = read(path, "corpus.jsonl", max_bytes=1000)
    assert (document.text, rejected) == ("One\u2028two.", [])


def test_front_matter_states_the_source_and_the_date(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("---\ntitle: Bail\nsource: The Courier\npublished_at: 2024-09-06\n---\nBail was set.\n")
    ((document,), rejected) = read(path, "a.md", max_bytes=1000)
    assert (document.title, document.source, document.published_at, document.text, rejected) == (
        *("Bail", "The Courier", "2024-09-06", "Bail was set.\n"),
        [],
    )
