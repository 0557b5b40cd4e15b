"""Answers: statuses as data, citations that anyone can check, and fixed wording in one place."""

import json
from dataclasses import replace
from urllib.parse import unquote

from conftest import CORPUS
from hypothesis import given
from hypothesis import strategies as st

from chatbot import answers
from chatbot.answers import Answer, Citation, Helpline, Status, cite, quoted, referral, side_by_side
from chatbot.articles import Article, Section, load_articles
from chatbot.passages import split_sections
from chatbot.safety import Concern, load_helplines

CITATION = Citation(
    1, "a", "A title", "A publisher", "A section", "https://a.example/x", None, "summary", "A quote.", 0, 8
)
LINE = Helpline("referral", "A line", "1-800-1", "Help", "always", "here", "https://a.example", "2026-01-01")
words = st.text(min_size=1).filter(lambda text: not any("\ud800" <= letter <= "\udfff" for letter in text))


def test_the_statuses_are_these_and_no_others() -> None:
    assert [str(status) for status in Status] == [
        "answered",
        "sources_differ",
        "partly_answered",
        "not_covered",
        "crisis",
        "medical_advice",
        "small_talk",
        "invalid",
    ]


def test_a_citation_points_at_its_quote() -> None:
    for article in load_articles(CORPUS):
        for passage in split_sections(article):
            for sentence in passage.sentences:
                section = article.sections[passage.section]
                citation = cite(3, article, section, sentence.start, sentence.end)
                assert article.text[citation.start : citation.end] == citation.quote == passage.sentence_text(sentence)
                assert citation.number == 3
                assert citation.section == passage.heading


def test_a_citation_says_where_it_is_from() -> None:
    section = Section(("Outer", "Inner"), 4, "One. Two.")
    article = Article("a", "T", "P", "https://a.example", "2024-03-29", "original", "Hi\n\nOne. Two.", (section,))
    assert cite(2, article, section, 5, 9) == Citation(
        2, "a", "T", "P", "Inner", "https://a.example", "2024-03-29", "original", "Two.", 9, 13
    )


@given(words)
def test_a_link_leads_to_the_heading(heading: str) -> None:
    link = replace(CITATION, section=heading, url="https://a.example/x?y=1#old").link
    assert link is not None
    address, fragment = link.split("#:~:text=")
    assert address == "https://a.example/x?y=1"
    assert unquote(fragment) == heading
    assert not set(fragment) & set("-,& \n#")


def test_a_link_without_a_heading() -> None:
    retold = replace(CITATION, section="")
    assert retold.link == CITATION.url  # our words do not stand on the publisher's page
    own = replace(retold, edition="original", quote="One two three four five six seven eight.")
    assert own.link == "https://a.example/x#:~:text=one".replace("one", "One%20two%20three%20four%20five%20six")
    assert replace(CITATION, url=None).link is None


def test_the_public_form_is_plain_json_without_support() -> None:
    answer = Answer(Status.ANSWERED, "A quote. [1]", (CITATION,), ("More?",), (LINE,), "abc", 0.7)
    public = answer.public()
    assert json.loads(json.dumps(public)) == public
    assert list(public) == ["status", "text", "citations", "suggestions", "helplines", "index"]
    assert list(public["citations"][0]) == [
        "number", "article", "title", "publisher", "section", "url", "updated", "edition", "quote", "start", "end", "same_as"
    ]  # fmt: skip
    assert public["helplines"][0]["phone"] == "1-800-1"
    assert type(public["status"]) is str


def test_support_is_no_part_of_what_was_said() -> None:
    assert Answer(Status.ANSWERED, "x", support=0.5) == Answer(Status.ANSWERED, "x", support=0.9)


@given(st.lists(words, min_size=1, max_size=4))
def test_quotes_stand_as_they_are_each_with_its_number(quotes: list[str]) -> None:
    citations = tuple(replace(CITATION, number=number, quote=quote) for number, quote in enumerate(quotes, 1))
    for text in (quoted(citations), side_by_side(citations)):
        for citation in citations:
            assert f"{citation.quote} [{citation.number}]" in text


def test_what_two_articles_say_stands_once_with_both_numbers() -> None:
    echo = replace(CITATION, number=2, publisher="Another", quote="The same.", same_as=1)
    citations = (CITATION, echo, replace(CITATION, number=3, publisher="Another", quote="More."))
    assert quoted(citations) == "A quote. [1] [2]\n\nMore. [3]"
    assert side_by_side(citations).endswith("A publisher:\nA quote. [1] [2]\n\nAnother:\nMore. [3]")


def test_side_by_side_names_each_source() -> None:
    text = side_by_side((CITATION, replace(CITATION, number=2, publisher=None, title="Another title")))
    assert text.startswith(answers.DIFFER)
    assert "A publisher:\nA quote. [1]" in text
    assert "Another title:\nA quote. [2]" in text


def test_what_one_source_says_stands_under_its_name_once() -> None:
    text = side_by_side((CITATION, replace(CITATION, number=2), replace(CITATION, number=3, publisher="Another")))
    assert text.count("A publisher:") == text.count("Another:") == 1


def test_a_referral_names_whom_to_call() -> None:
    assert LINE.name in referral((LINE,))
    assert referral(()) == ""


def test_every_danger_has_its_card_and_every_card_its_lines() -> None:
    dangers = {str(concern) for concern in Concern} - {str(Concern.MEDICAL_ADVICE)}
    assert set(answers.CARDS) == set(answers.CARD_LINES) == dangers
    known = {line.id for line in load_helplines(CORPUS / "helplines.yaml")}
    for lines in answers.CARD_LINES.values():
        assert lines
        assert set(lines) <= known


def test_a_card_says_that_it_is_a_program_and_gives_a_number() -> None:
    for card in answers.CARDS.values():
        assert "I am a program" in card
        assert "911" in card


def test_fixed_wording_stands_in_no_article() -> None:
    fixed = [answers.NOT_COVERED, answers.MEDICAL, *answers.CARDS.values(), *answers.SMALL_TALK.values()]
    for article in load_articles(CORPUS):
        assert not [text for text in fixed if text in article.text]
