from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from bs4 import BeautifulSoup, Tag
from hypothesis import given
from hypothesis import strategies as st

from rag.citations import Citer
from rag.types import (
    Answer,
    Citation,
    Claim,
    Conflict,
    Document,
    Dropped,
    Passage,
    Side,
    Timings,
)
from ui.exchange import Exchange
from ui.render import (
    LISTED,
    answer_html,
    answer_text,
    conversation_html,
    document_html,
    documents_html,
    line_html,
    place_key,
)

BAIL = "Bail was set at 5 million euros.\nHe reports twice a week."
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)> ![p](https://evil.example/p.png) "
    '[a](javascript:alert(3)) <form action="//evil.example"><a href="//evil.example">x</a> ${1} {{2}} & "\''
)


def document(text: str = BAIL, doc_id: str = "bail.txt", title: str = "The bail") -> Document:
    return Document(doc_id, title, "Daily News", "2024-09-06T10:00:00", text, "")


def cite(text: str, *spans: tuple[int, int], **changes: str) -> tuple[Citation, ...]:
    citer = Citer(lambda _: document(text, **changes))
    return tuple(citer.cite("bail.txt", start, end) for start, end in spans)


def answer(citations: Sequence[Citation], *claims: Claim, **changes: object) -> Answer:
    values: dict[str, object] = {
        "question": "How much was the bail?",
        "standalone": "How much was the bail?",
        "status": "answered",
        "confidence": 0.9,
        "claims": claims,
        "citations": tuple(citations),
        "timings": Timings(0.01, 0.02),
    }
    return Answer(**(values | changes))  # type: ignore[arg-type]


def bail_answer(**changes: object) -> Answer:
    first = Claim("Bail was 5 million euros.", (1,), ("bail.txt", "more.txt"))
    second = Claim("He reports twice a week.", (2, 1), ("bail.txt",))
    return answer(cite(BAIL, (0, 32), (33, 57)), first, second, **changes)


def refused(*nearest: Passage, **changes: object) -> Answer:
    reason = "The documents do not say."
    return answer((), status="refused", reason=reason, nearest=nearest, **changes)


def parsed(markup: str) -> BeautifulSoup:
    kept = {"div", "mark", "span"}  # Beautiful Soup else rewrites text that is only white space
    return BeautifulSoup(markup, "html.parser", preserve_whitespace_tags=kept)


def one(markup: str, selector: str) -> Tag:
    (tag,) = parsed(markup).select(selector)
    return tag


# --- the terminal


def test_the_terminal_shows_sentences_with_markers_then_numbered_sources_with_their_place():
    assert answer_text(bail_answer()) == (
        "Bail was 5 million euros. [1]\n\n"
        "He reports twice a week. [2][1]\n\n"
        "[1] The bail (2024-09-06)\n"
        "    bail.txt:0-32\n"
        "    “Bail was set at 5 million euros.”\n"
        "[2] The bail (2024-09-06)\n"
        "    bail.txt:33-57\n"
        "    “He reports twice a week.”"
    )


def test_the_terminal_wraps_sentences_and_leaves_quotes_as_they_are():
    shown = answer_text(bail_answer(), width=16)
    assert "Bail was 5\nmillion euros.\n[1]" in shown
    assert "    “Bail was set at 5 million euros.”" in shown


def test_the_terminal_marks_the_nearest_passages_of_a_refusal_as_not_evidence():
    near = Passage("bail.txt", "The bail", 33, 57, "He reports twice a week.")
    assert answer_text(refused(near)) == (
        "The documents do not say.\n\n"
        "Nearest passages (not evidence):\n"
        "  - The bail\n"
        "    bail.txt:33-57\n"
        "    “He reports twice a week.”"
    )
    assert answer_text(refused()) == "The documents do not say."


def test_the_reader_is_told_that_an_answer_is_doubtful():
    doubt = "The documents may not answer this: confidence 0.31."
    doubtful = bail_answer(confidence=0.31)
    assert answer_text(doubtful).startswith(
        f"Bail was 5 million euros. [1]\n\nHe reports twice a week. [2][1]\n\n{doubt}\n\n[1]"
    )
    assert one(answer_html(doubtful), ".cw-doubt").text == doubt
    # nor before the confidence is known, nor of a model's answer, nor of a refusal
    others = (
        bail_answer(confidence=0.5),
        bail_answer(confidence=0.31, mode="a-model"),
        refused(confidence=0.1),
    )
    for other in (
        *map(answer_html, others),
        answer_html(doubtful, finished=False),
        *map(answer_text, others),
    ):
        assert "may not answer" not in other


def test_the_terminal_shows_conflicting_values_side_by_side():
    conflict = Conflict("bail", (Side("5 million euros", (1,)), Side("6 million euros", (2,))))
    shown = answer_text(bail_answer(status="conflict", conflicts=(conflict,)))
    assert "The documents differ on bail:\n  - 5 million euros [1]\n  - 6 million euros [2]" in shown


def test_the_terminal_tells_what_went_another_way():
    shown = answer_text(
        bail_answer(
            status="partial",
            notice="The endpoint failed.",
            standalone="How much was Durov's bail?",
            dropped=(Dropped("He paid 9.9 billion.", "9.9 billion is not cited"),),
        )
    )
    assert shown.startswith("Note: The endpoint failed.\n\nSearched for: How much was Durov's bail?\n\n")
    assert "Part of what was asked is not in the documents." in shown
    assert "  “He paid 9.9 billion.” (9.9 billion is not cited)" in shown


def test_what_the_documents_do_not_say_of_a_question_stands_below_what_they_do():
    silent = "The documents do not say: who paid it?"
    part = bail_answer(status="partial", reason=silent)
    assert answer_text(part).index("5 million") < answer_text(part).index(silent)
    assert silent in answer_html(part)
    refused = Answer("Who?", "Who?", "refused", 0.1, (), (), Timings(0.0, 0.0), reason="Nothing.")
    assert answer_text(refused).count("Nothing.") == 1


def test_the_terminal_never_gets_a_control_sequence_of_a_document():
    text = "Red \x1b[31m alert\x07 and \x9b2J."
    shown = answer_text(answer(cite(text, (0, len(text))), Claim(text, (1,), ())))
    assert "“Red ␛[31m alert␇ and \N{REPLACEMENT CHARACTER}2J.”" in shown
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)


# --- the conversation


def test_each_sentence_has_its_citations_to_click_and_a_card_with_the_exact_quote():
    claims = parsed(answer_html(bail_answer(), turn=3)).select(".cw-claim")
    assert [[chip.text for chip in claim.select(".cw-chip")] for claim in claims] == [["1"], ["2", "1"]]
    chip = claims[1].select(".cw-chip")[0]
    assert chip["data-open"] == place_key(turn=3, marker=2)
    assert chip["aria-label"] == "Citation 2"
    card = one(str(claims[1]), f"#{chip['aria-describedby']}")
    assert card["role"] == "tooltip"
    assert one(str(card), ".cw-quote").text == "He reports twice a week."


def test_no_two_parts_of_a_conversation_share_an_id():
    conflict = Conflict("bail", (Side("5 million euros", (1, 2)), Side("6 million euros", (2,))))
    exchange = Exchange("How much?", bail_answer(status="conflict", conflicts=(conflict, conflict)))
    ids = [tag["id"] for tag in parsed(conversation_html((exchange, exchange))).select("[id]")]
    assert len(ids) == 2 * (3 + 2 * 3)
    assert len(set(ids)) == len(ids)


def test_how_many_documents_say_a_sentence_stands_beside_it_from_two_on():
    first, second = parsed(answer_html(bail_answer())).select(".cw-claim")
    assert one(str(first), ".cw-support").text == "2 documents say so"
    assert not second.select(".cw-support")


def test_the_sources_are_numbered_with_publisher_day_and_file():
    first, second = parsed(answer_html(bail_answer())).select(".cw-sources li")
    assert one(str(first), ".cw-number").text == "1"
    assert one(str(second), ".cw-source").text == "The bail"
    assert one(str(second), ".cw-meta").text == "Daily News · 2024-09-06 · bail.txt"


def test_a_conflict_is_a_table_with_the_citations_of_each_side():
    conflict = Conflict("bail", (Side("5 million euros", (1,)), Side("6 million euros", (2,))))
    table = one(answer_html(bail_answer(status="conflict", conflicts=(conflict,))), "table")
    assert one(str(table), "caption").text == "The documents differ on bail"
    rows = [[cell.find(string=True) for cell in row.select("td")] for row in table.select("tbody tr")]
    assert rows == [["5 million euros", "1"], ["6 million euros", "2"]]


def test_a_refusal_has_a_reason_and_passages_that_are_named_not_evidence_and_no_citation():
    markup = answer_html(refused(Passage("bail.txt", "The bail", 33, 57, "He reports twice a week.")), turn=1)
    assert one(markup, ".cw-reason").text == "The documents do not say."
    assert one(markup, ".cw-nearest h3").text == "Nearest passages not evidence"
    assert one(markup, ".cw-nearest .cw-quote").text == "He reports twice a week."
    assert one(markup, ".cw-nearest button")["data-open"] == place_key(turn=1, passage=0)
    assert not parsed(markup).select(".cw-chip, .cw-sources, mark")


def test_an_answer_in_the_making_has_no_sources_and_no_copy_button_yet():
    markup = conversation_html((Exchange("How much?", bail_answer(), working="Reading 2 documents …"),))
    assert one(markup, ".cw-working").text == "Reading 2 documents …"
    assert len(parsed(markup).select(".cw-claim")) == 2
    assert not parsed(markup).select(".cw-sources, [data-copy]")


def test_the_copied_text_is_the_question_and_the_answer_as_the_terminal_has_it():
    copied = one(answer_html(bail_answer()), "[data-copy]")["data-copy"]
    assert copied == f"How much was the bail?\n\n{answer_text(bail_answer())}"


def test_the_page_says_who_wrote_the_sentences_and_what_was_left_out():
    dropped = (Dropped("He paid 9.9 billion.", "9.9 billion is not cited"),)
    markup = answer_html(bail_answer(mode="smollm2", dropped=dropped, notice="The endpoint was slow."))
    assert "Written by smollm2, checked" in one(markup, ".cw-foot").text
    assert one(markup, ".cw-dropped li").text == "He paid 9.9 billion. 9.9 billion is not cited"
    assert one(markup, ".cw-notice").text == "The endpoint was slow."
    assert "Sentences from the documents" in one(answer_html(bail_answer()), ".cw-foot").text


def test_an_error_stands_below_the_sentences_that_were_checked_before_it():
    markup = conversation_html((Exchange("How much?", bail_answer(), error="The index is gone."),))
    assert [
        tag["class"][0] for tag in one(markup, ".cw-exchange").find_all(["h2", "div", "p"], recursive=False)
    ] == [
        "cw-question",
        "cw-answer",
        "cw-error",
    ]


def test_an_empty_conversation_offers_the_example_questions_it_is_given():
    assert [
        button["data-ask"] for button in parsed(conversation_html((), ("A?", "B?"))).select("button")
    ] == [
        "A?",
        "B?",
    ]
    assert not parsed(conversation_html(())).select("button, ul")


# --- the panel


def marks(markup: str) -> list[str]:
    return [mark.text for mark in parsed(markup).select("mark")]


def test_the_marked_words_are_the_quotes_and_the_text_is_the_document():
    markup = document_html(document(), cite(BAIL, (0, 32), (33, 57)), shown="here")
    assert marks(markup) == ["Bail was set at 5 million euros.", "He reports twice a week."]
    assert one(markup, ".cw-text").text == BAIL
    assert one(markup, ".cw-document")["data-shown"] == "here"


def test_the_focused_citation_is_told_from_the_others():
    spans = cite(BAIL, (0, 32), (33, 57))
    focus = one(document_html(document(), spans, spans[1]), ".cw-focus")
    assert focus.text == spans[1].quote
    assert focus["data-marker"] == "2"


def test_of_overlapping_citations_the_focused_one_is_marked_whole():
    first, second = cite(BAIL, (0, 20), (9, 32))
    on_first = document_html(document(), (first, second), first)
    assert marks(on_first) == [BAIL[0:20]]
    assert [rest.text for rest in parsed(on_first).select(".cw-rest")] == [BAIL[20:32]]
    on_second = document_html(document(), (first, second), second)
    assert marks(on_second) == [BAIL[9:32]]
    assert [rest.text for rest in parsed(on_second).select(".cw-rest")] == [BAIL[0:9]]


def test_a_citation_within_the_focused_one_disappears_in_it():
    outer, inner = cite(BAIL, (0, 32), (16, 31))
    assert marks(document_html(document(), (outer, inner), outer)) == [outer.quote]
    on_inner = document_html(document(), (outer, inner), inner)
    assert marks(on_inner) == [inner.quote]
    assert [rest.text for rest in parsed(on_inner).select(".cw-rest")] == [BAIL[0:16], BAIL[31:32]]


def test_words_that_no_longer_stand_there_are_not_marked_and_the_reader_is_told():
    spans = cite(BAIL, (0, 32))
    markup = document_html(document("Bail was set at 6 million euros."), spans, spans[0])
    assert marks(markup) == []
    assert "has changed since the answer" in one(markup, ".cw-changed").text
    assert not parsed(document_html(document(), spans, spans[0])).select(".cw-changed")


def test_citations_of_other_documents_are_not_marked_here():
    assert marks(document_html(document(doc_id="other.txt"), cite(BAIL, (0, 32)))) == []


def test_a_near_passage_is_shown_as_not_evidence():
    near = Passage("bail.txt", "The bail", 33, 57, "He reports twice a week.")
    markup = document_html(document(), (near,), near)
    assert "cw-near" in one(markup, "mark")["class"]
    assert "not evidence" in one(markup, ".cw-near-note").text


def test_a_carriage_return_survives_the_parser():
    text = "a\rb\n\n c"
    assert marks(document_html(document(text), cite(text, (0, 7)))) == [text]
    assert "&#13;" in document_html(document(text))


def test_the_list_names_every_document_and_counts_those_it_leaves_out():
    three = documents_html([document(doc_id=f"{number}.txt") for number in range(3)])
    assert one(three, "h2").text == "3 documents"
    assert [tag["data-open"] for tag in parsed(three).select("li button")] == [
        place_key(doc=f"{number}.txt") for number in range(3)
    ]
    many = documents_html([document()] * (LISTED + 7))
    assert len(parsed(many).select("li")) == LISTED
    assert "and 7 more" in one(many, ".cw-scroll").text
    assert one(documents_html([document()]), "h2").text == "1 document"


@given(st.data())
def test_marks_hold_their_quotes_and_the_text_stays_whole_whatever_overlaps(data: st.DataObject):
    characters = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
    text = data.draw(st.text(characters | st.sampled_from("<>&\"'\n\r `"), min_size=1, max_size=60))
    place = st.integers(0, len(text))
    pairs = data.draw(st.lists(st.tuples(place, place).filter(lambda pair: pair[0] < pair[1]), max_size=5))
    spans = cite(text, *pairs)
    focus = data.draw(st.sampled_from(spans)) if spans else None
    markup = document_html(document(text), spans, focus)
    assert one(markup, ".cw-text").text == text
    quotes = {span.quote for span in spans}
    assert set(marks(markup)) <= quotes
    if focus:
        assert one(markup, ".cw-focus").text == focus.quote == text[focus.start : focus.end]


# --- nothing gets through


OURS = {
    *(
        "article",
        "bdi",
        "button",
        "caption",
        "details",
        "div",
        "em",
        "h2",
        "h3",
        "header",
        "li",
        "mark",
        "ol",
    ),
    *("p", "section", "span", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}


def hostile_pages() -> dict[str, str]:
    citations = cite(HOSTILE, (0, len(HOSTILE)), title=HOSTILE)
    told = answer(
        citations,
        Claim(HOSTILE, (1,), (HOSTILE, "b")),
        question=HOSTILE,
        standalone=f"{HOSTILE} again",
        conflicts=(Conflict(HOSTILE, (Side(HOSTILE, (1,)),)),),
        notice=HOSTILE,
        dropped=(Dropped(HOSTILE, HOSTILE),),
        mode=HOSTILE,
    )
    near = Passage("bail.txt", HOSTILE, 0, len(HOSTILE), HOSTILE)
    evil = Document("bail.txt", HOSTILE, HOSTILE, HOSTILE, HOSTILE, "")
    return {
        "answer": conversation_html((Exchange(HOSTILE, told, error=HOSTILE, working=""),)),
        "working": conversation_html((Exchange(HOSTILE, told, working=HOSTILE),)),
        "refusal": answer_html(refused(near, question=HOSTILE)),
        "document": document_html(evil, citations, citations[0], shown=HOSTILE),
        "passage": document_html(evil, (near,), near),
        "list": documents_html([evil]),
        "welcome": conversation_html((), (HOSTILE,)),
        "line": line_html(HOSTILE),
    }


@pytest.mark.parametrize("page", hostile_pages())
def test_nothing_from_outside_becomes_markup(page: str):
    soup = parsed(hostile_pages()[page])
    tags = soup.find_all(True)
    assert {tag.name for tag in tags} <= OURS
    names = {name for tag in tags for name in tag.attrs}
    assert not [name for name in names if name.startswith("on") or name in ("href", "src", "style", "action")]
    assert "<script>alert(1)</script>" in soup.text or page == "welcome"


def test_the_same_question_in_another_unicode_form_is_not_said_to_be_searched_for():
    same = bail_answer(question="Where is Krako\u0301w?", standalone="Where is Krak\u00f3w?")
    other = bail_answer(question="Where is Krakow?", standalone="Where is Krak\u00f3w?")
    assert "Searched for" not in answer_text(same)
    assert "Searched for" in answer_text(other)
