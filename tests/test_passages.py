"""Laws of passages: nothing lost, nothing twice, every offset right, a list never parted from its lead."""

from itertools import pairwise

import pytest
from conftest import CORPUS, ORIGINALS
from hypothesis import given
from hypothesis import strategies as st

from chatbot.articles import Article, Section, assemble, load_articles
from chatbot.outline import Block
from chatbot.passages import (
    PASSAGE_WORDS,
    Passage,
    Sentence,
    leans_back,
    section_sentences,
    split_sections,
    split_sentences,
)

WORDS = "care bread e.g. Dr. 3.5 hours (two) p.m. the. river, “quoted” St. no. Yes? stop! it's naïve 日本。".split()
line = st.lists(st.sampled_from(WORDS), min_size=1, max_size=60).map(" ".join)
block = st.one_of(
    st.builds(Block, st.just("heading"), line, st.integers(2, 4)),
    st.builds(Block, st.just("paragraph"), line.map(lambda text: text + ":")),
    st.builds(Block, st.sampled_from(["paragraph", "item"]), line),
)


def made(blocks: list[Block]) -> Article:
    text, sections = assemble(blocks)
    return Article("made", "Made", None, None, None, "original", text, sections)


def read(text: str) -> list[tuple[str, str]]:
    """Role and words of each sentence of a section with this text."""
    return [(each.role, text[each.start : each.end]) for each in section_sentences(Section((), 0, text))]


def check(article: Article, passages: tuple[Passage, ...]) -> None:
    """All laws that hold for the passages of any article."""
    assert len({passage.id for passage in passages}) == len(passages)
    assert [passage.id for passage in passages] == sorted(passage.id for passage in passages)
    for number, section in enumerate(article.sections):
        own = [passage for passage in passages if passage.section == number]
        for passage in own:
            assert passage.article == article.id
            assert passage.trail == section.trail
            assert section.text[passage.start : passage.end] == passage.text
            assert article.text[section.start + passage.start : section.start + passage.end] == passage.text
            assert (passage.sentences[0].start, passage.sentences[-1].end) == (passage.start, passage.end)
            for sentence in passage.sentences:
                assert passage.sentence_text(sentence) == section.text[sentence.start : sentence.end]
        sentences = [sentence for passage in own for sentence in passage.sentences]
        assert tuple(sentences) == section_sentences(section)
        check_nothing_is_lost(section, sentences)
        check_lists(own)
        check_lengths(own)


def check_nothing_is_lost(section: Section, sentences: list[Sentence]) -> None:
    at = 0
    for sentence in sentences:
        assert section.text[at : sentence.start].strip() in ("", "-")
        text = section.text[sentence.start : sentence.end]
        assert text == text.strip() != ""
        at = sentence.end
    assert section.text[at:].strip() in ("", "-")


def check_lists(passages: list[Passage]) -> None:
    where = {sentence: passage.id for passage in passages for sentence in passage.sentences}
    for one, other in pairwise(where):
        assert one.paragraph <= other.paragraph
        if one.role == "lead":
            assert (other.role, other.paragraph) == ("item", one.paragraph)
        if other.role == "item" and one.paragraph == other.paragraph:
            assert where[one] == where[other]


def check_lengths(passages: list[Passage]) -> None:
    for passage in passages:
        whole_list = len({sentence.paragraph for sentence in passage.sentences if sentence.role == "item"}) == 1
        words = sum(len(passage.sentence_text(sentence).split()) for sentence in passage.sentences)
        assert words <= PASSAGE_WORDS or len(passage.sentences) == 1 or whole_list


@given(st.lists(block, min_size=1, max_size=25))
def test_the_laws_hold_for_any_article(blocks: list[Block]) -> None:
    article = made(blocks)
    check(article, split_sections(article))


def test_the_laws_hold_for_the_corpus() -> None:
    for article in load_articles(CORPUS):
        check(article, split_sections(article))


@pytest.mark.skipif(not ORIGINALS.is_dir(), reason="no originals in this checkout")
def test_the_laws_hold_for_the_originals() -> None:
    for article in load_articles(ORIGINALS):
        check(article, split_sections(article))


def test_passages_have_no_state() -> None:
    article = load_articles(CORPUS)[0]
    assert split_sections(article) == split_sections(article)


@given(st.text())
def test_sentences_are_in_order_apart_and_together_the_whole_text(text: str) -> None:
    spans = split_sentences(text)
    at = 0
    for start, end in spans:
        assert at <= start < end
        assert text[at:start].strip() == ""
        at = end
    assert text[at:].strip() == ""


@pytest.mark.parametrize(
    "text",
    [
        "Sessions begin at 9 a.m. on most days.",
        "Dr. Hill sees approx. 3.5 people a day.",
        "Bring papers, e.g. a passport.",
        "It opened in the U.S. in 1990.",
        "Call ext. 12 or visit www.example.org for more.",
    ],
)
def test_an_abbreviation_ends_no_sentence(text: str) -> None:
    assert split_sentences(text) == [(0, len(text))]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One is here. Two is there.", ["One is here.", "Two is there."]),
        ("Is it safe? Yes! It is.", ["Is it safe?", "Yes!", "It is."]),
        ("They rest at home.Ask a nurse.", ["They rest at home.", "Ask a nurse."]),
        ("“Stay.” Then he left.", ["“Stay.”", "Then he left."]),
    ],
)
def test_sentences(text: str, parts: list[str]) -> None:
    assert [text[start:end] for start, end in split_sentences(text)] == parts


def test_a_list_item_is_one_sentence_whatever_it_holds() -> None:
    assert read("Bring these:\n\n- A pen. It must be blue.\n- Paper") == [
        ("lead", "Bring these:"),
        ("item", "A pen. It must be blue."),
        ("item", "Paper"),
    ]


def test_only_a_sentence_that_opens_a_list_leads_it() -> None:
    assert read("We are open. Bring these:\n\n- A pen") == [
        ("text", "We are open."),
        ("lead", "Bring these:"),
        ("item", "A pen"),
    ]
    assert [role for role, _ in read("We are open. We are kind.\n\n- A pen")] == ["text", "text", "item"]
    assert [role for role, _ in read("- A pen\n\nWe are open.")] == ["item", "text"]


def test_two_lists_are_two() -> None:
    text = "Bring:\n\n- A pen\n- Paper\n\nLeave:\n\n- Keys"
    paragraphs = [each.paragraph for each in section_sentences(Section((), 0, text))]
    assert paragraphs == [0, 0, 0, 1, 1]


def test_a_long_list_stays_with_its_lead() -> None:
    items = [Block("item", f"Item {number} has six words here.") for number in range(60)]
    passages = split_sections(made([Block("paragraph", "Take all of these:"), *items]))
    assert [len(passage.sentences) for passage in passages] == [61]


@pytest.mark.parametrize(
    "sentence",
    ["However, it rains.", "They leave.", "This helps.", "But not here.", "It also works.", "In such cases, call.",
     "For example, bread.", "These are free.", "Therefore we wait."],
)  # fmt: skip
def test_a_sentence_that_points_back_leans(sentence: str) -> None:
    assert leans_back(sentence)
    assert leans_back(sentence.upper())


@pytest.mark.parametrize(
    "sentence",
    ["A heap is warm.", "It is important to rest.", "Theses are long.", "Button up.", "Italy is far.",
     "It takes a year to learn.", "Most programs last a month."],
)  # fmt: skip
def test_a_sentence_that_stands_alone_does_not(sentence: str) -> None:
    assert not leans_back(sentence)
