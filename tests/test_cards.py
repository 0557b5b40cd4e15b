"""Answers as HTML: pure functions."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from chatbot.answers import Answer, Citation, Helpline, Status
from chatbot.cards import HEADINGS, LONGEST_OPEN_QUOTE, answer_card, dialled, failure_card, paragraphs, question_card

CITATION = Citation(
    number=1,
    article="a",
    title="A title",
    publisher="A publisher",
    section="A section",
    url="https://example.org/a",
    updated="2024-03-29",
    edition="summary",
    quote="A quote.",
    start=0,
    end=8,
)
LINE = Helpline("crisis", "Line", "1-800 (5)", "Help", "always", "here", "https://example.org", "2026-01-01")
NASTY = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><a href="javascript:alert(1)">',
    "' onmouseover='alert(1)",
    "&lt;b&gt;",
    "a\n\n<b>\n\n# b",
    "\x00\x1b[1m\u202e",
)


class Tags(HTMLParser):
    """The elements and attributes of a piece of HTML, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def answer(text: str, *citations: Citation, status: Status = Status.ANSWERED) -> Answer:
    return Answer(status, text, citations)


@pytest.mark.parametrize("nasty", NASTY)
def test_text_from_outside_makes_no_element_and_no_attribute(nasty: str) -> None:
    line = replace(LINE, name=nasty, phone=nasty, purpose=nasty, hours=nasty, note=nasty, sms=nasty, chat=nasty)
    citation = replace(CITATION, title=nasty, publisher=nasty, section=nasty, quote=nasty, updated=nasty)
    plain_line = replace(LINE, note="a", sms="1", chat="a")
    plain_citation = replace(CITATION, updated="a")
    pairs = (
        (question_card(nasty), question_card("a")),
        (
            answer_card(Answer(Status.ANSWERED, f"a {nasty.replace(chr(10), ' ')}", (citation,), (), (line,))),
            answer_card(Answer(Status.ANSWERED, "a", (plain_citation,), (), (plain_line,))),
        ),
    )
    for card, plain in pairs:
        assert [tag for tag in Tags(card).names if tag != "br"] == Tags(plain).names
        assert [name for name, _ in Tags(card).attributes] == [name for name, _ in Tags(plain).attributes]
        assert "\n" not in card
        assert "\x1b" not in card


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,a", None])
def test_only_a_web_address_is_linked(address: str | None) -> None:
    card = answer_card(answer("A quote. [1]", replace(CITATION, url=address)))
    assert "<a" not in card
    assert "A title" in card


def test_a_source_shows_all_that_a_reader_needs_to_find_it() -> None:
    card = Tags(answer_card(answer("A quote. [1]", CITATION)))
    for part in ("Retold from", "A title", "A publisher", "A section", "March 29, 2024", "A quote.", "[1]"):
        assert part in card.text
    assert ("href", CITATION.link) in card.attributes
    assert ("target", "_blank") in card.attributes
    assert ("rel", "noopener noreferrer") in card.attributes


def test_an_original_is_not_called_retold() -> None:
    card = Tags(answer_card(answer("A quote. [1]", replace(CITATION, edition="original")))).text
    assert "From A title" in card
    assert "Retold" not in card


def test_quotes_of_one_section_stand_together() -> None:
    second, other = replace(CITATION, number=2), replace(CITATION, number=3, section="Another")
    card = answer_card(answer("a [1] b [2] c [3]", CITATION, second, other))
    assert card.count("Retold from") == 2
    assert card.count("<blockquote>") == 3


def test_a_long_quote_is_there_whole_and_closed() -> None:
    quote = "word " * LONGEST_OPEN_QUOTE + "end."
    card = answer_card(answer("a [1]", replace(CITATION, quote=quote)))
    assert "<details>" in card
    assert quote in card


def test_an_answer_without_sources_has_no_sources_part() -> None:
    assert "Sources" not in answer_card(answer("Hello.", status=Status.SMALL_TALK))


def test_only_numbers_of_citations_are_marked() -> None:
    assert paragraphs("a [1] b [2]", {1}) == '<p>a <sup class="number">[1]</sup> b [2]</p>'


def test_paragraphs_and_lists_of_an_answer_stay_what_they_are() -> None:
    html = paragraphs("An intro:\n- one\n- two [1]\n\nA line\nand another.", {1})
    number = '<sup class="number">[1]</sup>'
    assert html == f"<p>An intro:</p><ul><li>one</li><li>two {number}</li></ul><p>A line<br>and another.</p>"


def test_every_status_has_its_look() -> None:
    assert set(HEADINGS) == set(Status)
    for status in Status:
        assert f'class="answer {status}"' in answer_card(answer("a", status=status))


def test_in_a_crisis_the_numbers_come_first() -> None:
    card = answer_card(Answer(Status.CRISIS, "Words.", helplines=(LINE,)))
    assert card.index("tel:18005") < card.index("Words.")


@pytest.mark.parametrize(
    ("number", "plain"),
    [("1-800-662-HELP", "18006624357"), ("+1 (212) 555-0100 ext. 12", "+12125550100"), ("988", "988")],
)
def test_a_number_is_dialled_as_it_is_meant(number: str, plain: str) -> None:
    assert dialled(number) == plain


def test_a_failure_still_shows_whom_to_call() -> None:
    assert 'href="tel:18005"' in failure_card([LINE])


def test_a_very_long_question_is_shown_in_part() -> None:
    assert len(question_card("a" * 1_000_000)) < 5000
