"""Laws of choosing: whatever the reader supports, no quote is cut off from what turns its meaning."""

import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from conftest import write_small_corpus
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.contradictions import Matter, opposites
from chatbot.differences import Reach, quantities, reach, times_of_day
from chatbot.encoder import PackagedEncoder
from chatbot.index import PassageIndex, build_index
from chatbot.passages import leans_back
from chatbot.retrieval import Hit, Retriever
from chatbot.selection import (
    ADDS,
    ANSWERS,
    MAIN,
    MOST,
    SHARE,
    SURELY,
    UNASKED_ADDS,
    UNASKED_MOST,
    UNASKED_SHARE,
    Quote,
    confidence,
    quoted_in,
    select,
    wants_list,
)

TAKES_BACK = re.compile(r"(?:However|But|Unless)\b")
PLAIN, LISTING = "is it warm", "which kinds of scraps are there"

TURNS = """---
title: Turns
---
## A chain

Rain is welcome. It wets the heap. This cools it. They say so too. A roof keeps it off.

## Two turns

A heap may be open. However, a lid is better. But a lid with holes is best. Wood is fine.

## A list that is taken back

The heap likes these:
- Apples rot fast.
- Pears rot faster.

However, stones do not rot.

## A list after a sentence

A heap is hungry.

But never feed it these:
- Bones are hard.
- Glass is sharp.
"""


@dataclass(frozen=True)
class Library:
    """An index, and every sentence of it as a hit."""

    index: PassageIndex
    hits: tuple[Hit, ...]


@pytest.fixture(scope="module", params=["corpus", "originals", "small", "turns"])
def library(
    request: pytest.FixtureRequest, encoder: PackagedEncoder, tmp_path_factory: pytest.TempPathFactory
) -> Library:
    if request.param == "turns":
        return opened(turns(tmp_path_factory.mktemp("turns"), encoder), encoder)
    name = {"corpus": "index"}.get(request.param, request.param)
    return opened(request.getfixturevalue(name), encoder)


@pytest.fixture(scope="module")
def turning(encoder: PackagedEncoder, tmp_path_factory: pytest.TempPathFactory) -> Library:
    return opened(turns(tmp_path_factory.mktemp("turning"), encoder), encoder)


def turns(folder: Path, encoder: PackagedEncoder) -> PassageIndex:
    corpus = write_small_corpus(folder / "corpus")
    (corpus / "turns.md").write_text(TURNS)
    build_index(corpus, folder / "index", encoder)
    return PassageIndex.load(folder / "index")


def opened(index: PassageIndex, encoder: PackagedEncoder) -> Library:
    return Library(index, Retriever(index, encoder).search("anything", 10**6).hits)


def section_of(row: int, index: PassageIndex) -> tuple[str, int]:
    passage = index.passages[index.sentences[row][0]]
    return passage.article, passage.section


def text_of(quote: Quote, index: PassageIndex) -> str:
    return index.articles[quote.article].sections[quote.section].text[quote.start : quote.end]


def row_of(text: str, index: PassageIndex) -> int:
    return next(row for row in range(len(index.sentences)) if index.sentence_text(row) == text)


def quoted(library: Library, text: str, question: str = PLAIN) -> str:
    """What is quoted where this sentence alone is supported."""
    row = row_of(text, library.index)
    hits = [hit for hit in library.hits if hit.row == row]
    (quote,) = select(question, hits, np.array([0.9]), library.index)
    return text_of(quote, library.index)


def check_places(quotes: tuple[Quote, ...], index: PassageIndex) -> None:
    """A quote is whole sentences that follow each other in one section; no two share one or touch."""
    rows = [row for quote in quotes for row in quote.rows]
    assert len(set(rows)) == len(rows)
    for quote in quotes:
        assert list(quote.rows) == list(range(quote.rows[0], quote.rows[-1] + 1))
        assert {section_of(row, index) for row in quote.rows} == {(quote.article, quote.section)}
        assert quote.start == index.sentences[quote.rows[0]][1].start
        assert quote.end == index.sentences[quote.rows[-1]][1].end
        for row in quote.rows:
            assert index.sentence_text(row) in text_of(quote, index)
    for quote in quotes:
        after = quote.rows[-1] + 1
        assert after not in rows or section_of(after, index) != (quote.article, quote.section)


def check_order(
    quotes: tuple[Quote, ...], best: int, index: PassageIndex, listed: bool, fused: dict[int, float]
) -> None:
    """The quote of the best sentence first, a nearer one that as surely answers, or a list where one is asked for; the
    others article by article, in reading order within each."""
    first = quotes[0]
    has_list = any(index.sentences[row][1].role != "text" for row in first.rows)
    nearer = max(fused.get(row, 0.0) for row in first.rows) >= fused[best] - 1e-6
    assert best in first.rows or (listed and has_list) or (first.support >= SURELY and nearer)
    rest = quotes[1:]
    articles = [quote.article for quote in rest]
    assert articles == sorted(articles, key=articles.index)
    strength = {name: max(quote.support for quote in quotes if quote.article == name) for name in articles}
    assert [strength[name] for name in articles] == sorted((strength[name] for name in articles), reverse=True)
    for name in articles:
        rows = [quote.rows for quote in rest if quote.article == name]
        assert rows == sorted(rows)


def check_nothing_that_turns_it_is_left_off(quotes: tuple[Quote, ...], index: PassageIndex, named: set[int]) -> None:
    """Of the supported sentences: none without those that it points back to, or the one that takes it back."""
    for quote in quotes:
        for row in set(quote.rows) & named:
            if index.sentences[row][1].role != "text":
                continue
            before, after = row - 1, row + 1
            if leans_back(index.sentence_text(row)) and row and section_of(before, index) == section_of(row, index):
                assert before in quote.rows
            if after < len(index.sentences) and section_of(after, index) == section_of(row, index):
                assert after in quote.rows or not TAKES_BACK.match(index.sentence_text(after))


def check_lists(quotes: tuple[Quote, ...], index: PassageIndex, named: set[int], listed: bool) -> None:
    """A list that is asked for, or whose lead denies its items, is quoted whole."""
    for quote in quotes:
        for row in set(quote.rows) & named:
            sentence = index.sentences[row][1]
            if sentence.role == "text":
                continue
            whole = [
                other
                for other, (_, each) in enumerate(index.sentences)
                if section_of(other, index) == section_of(row, index) and each.paragraph == sentence.paragraph
            ]
            lead = index.sentence_text(whole[0]) if index.sentences[whole[0]][1].role == "lead" else ""
            if listed or sentence.role == "lead" or re.search(r"\b(?:not|never|no|avoid)\b", lead):
                assert set(whole) <= set(quote.rows)


@given(
    start=st.integers(0, 10**6),
    chances=st.lists(st.one_of(st.sampled_from([0.0, ANSWERS, ADDS, 0.9, 1.0]), st.floats(0, 1)), max_size=6),
    far=st.integers(0, 10**6),
    question=st.sampled_from([PLAIN, LISTING]),
)
@settings(max_examples=150)
def test_the_laws_hold_whatever_is_supported(
    library: Library, start: int, chances: list[float], far: int, question: str
) -> None:
    index, count = library.index, len(library.index.sentences)
    by_row = {hit.row: hit for hit in library.hits}
    rows = [(start + step) % count for step in range(len(chances))]  # neighbours turn each other's meaning
    if rows and far % count not in rows:
        rows[-1] = far % count
    hits, support = [by_row[row] for row in rows], np.array(chances, dtype=np.float64)
    quotes = select(question, hits, support, index)
    if not len(hits) or confidence(support) < ANSWERS:
        assert quotes == ()
        return
    adds, share = (ADDS, SHARE) if index.questions else (UNASKED_ADDS, UNASKED_SHARE)
    enough = max(adds, share * confidence(support))
    named = {row for row, chance in zip(rows, chances, strict=True) if chance >= enough}
    assert quotes
    assert all(set(quote.rows) & named for quote in quotes)
    best = min(zip(-np.round(support, 6), rows, strict=True))[1]
    check_places(quotes, index)
    check_order(quotes, best, library.index, wants_list(question), {hit.row: hit.fused for hit in hits})
    check_nothing_that_turns_it_is_left_off(quotes, index, {best})
    check_lists(quotes, index, {best}, wants_list(question))
    order = list(range(len(hits)))
    random.Random(7).shuffle(order)
    assert select(question, [hits[i] for i in order], support[order], index) == quotes


def test_no_sentence_is_ever_quoted_without_what_turns_it(library: Library) -> None:
    """Each sentence of the library, supported by itself."""
    for question in (PLAIN, LISTING):
        for hit in library.hits:
            quotes = select(question, [hit], np.array([1.0]), library.index)
            check_places(quotes, library.index)
            check_nothing_that_turns_it_is_left_off(quotes, library.index, {hit.row})
            check_lists(quotes, library.index, {hit.row}, wants_list(question))


def test_a_supported_neighbour_brings_what_it_needs(turning: Library) -> None:
    index = turning.index
    by_row = {hit.row: hit for hit in turning.hits}
    for question in (PLAIN, LISTING):
        for row in range(len(index.sentences) - 1):
            pair = {row, row + 1}
            quotes = select(question, [by_row[each] for each in sorted(pair)], np.array([1.0, 0.9]), index)
            check_nothing_that_turns_it_is_left_off(quotes, index, pair)
            check_lists(quotes, index, pair, wants_list(question))


def test_few_sentences_are_quoted(library: Library) -> None:
    quotes = select(PLAIN, library.hits, np.ones(len(library.hits)), library.index)
    assert 1 <= len(quotes) <= (MOST if library.index.questions else UNASKED_MOST)


def test_nothing_is_quoted_below_the_threshold(library: Library) -> None:
    assert select(PLAIN, library.hits, np.full(len(library.hits), ANSWERS - 1e-6), library.index) == ()
    assert select(PLAIN, (), np.zeros(0), library.index) == ()
    assert confidence(np.zeros(0)) == 0.0


def test_sentences_that_say_the_same_are_quoted_once(tmp_path: Path, encoder: PackagedEncoder) -> None:
    corpus = write_small_corpus(tmp_path / "corpus")
    (corpus / "worms-again.md").write_bytes((corpus / "worms.md").read_bytes())
    build_index(corpus, tmp_path / "index", encoder)
    twice = opened(PassageIndex.load(tmp_path / "index"), encoder)
    hits = [hit for hit in twice.hits if hit.text == "Worms eat soft scraps."]
    assert len(hits) == 2
    (quote,) = select(PLAIN, hits, np.array([0.8, 0.9]), twice.index)
    assert quote.article == hits[1].passage.article
    assert quote.echoes == (hits[0].row,)
    assert select(PLAIN, hits[:1], np.array([0.8]), twice.index)[0].echoes == ()


# --- examples -------------------------------------------------------------------------------------------------


def test_what_points_back_is_quoted_with_what_it_points_to(turning: Library) -> None:
    assert quoted(turning, "It wets the heap.") == "Rain is welcome. It wets the heap."
    assert quoted(turning, "This cools it.") == "Rain is welcome. It wets the heap. This cools it."
    assert quoted(turning, "A roof keeps it off.") == "A roof keeps it off."


def test_a_long_chain_is_quoted_to_its_beginning(turning: Library) -> None:
    assert quoted(turning, "They say so too.").startswith("Rain is welcome.")


def test_no_quote_from_the_originals_opens_with_a_word_that_points_back(
    originals: PassageIndex, encoder: PackagedEncoder
) -> None:
    library = opened(originals, encoder)
    for hit in library.hits:
        (quote,) = select(PLAIN, [hit], np.array([1.0]), originals)
        first = quote.rows[0]
        if first and originals.sentences[first][1].role == "text":
            opens_its_section = section_of(first - 1, originals) != section_of(first, originals)
            assert opens_its_section or not leans_back(originals.sentence_text(first))


def test_what_is_taken_back_is_quoted_with_what_takes_it_back(turning: Library) -> None:
    assert quoted(turning, "A heap may be open.").startswith("A heap may be open. However, a lid is better.")
    assert quoted(turning, "A heap is turned every two weeks.").endswith("However, a heap in frost is left alone.")
    assert quoted(turning, "A worm box does not smell.").endswith("may smell sour.")


def test_a_sentence_that_is_taken_back_twice_is_quoted_with_both(turning: Library) -> None:
    assert "But a lid with holes is best." in quoted(turning, "A heap may be open.")


def test_a_list_is_quoted_with_what_takes_it_back(turning: Library) -> None:
    assert "However, stones do not rot." in quoted(turning, "Apples rot fast.", LISTING)


def test_a_lead_is_never_quoted_without_its_items(turning: Library) -> None:
    assert "Glass is sharp." in quoted(turning, "A heap is hungry.")


def test_a_list_that_is_asked_for_is_quoted_whole(turning: Library) -> None:
    whole = quoted(turning, "Coffee grounds keep the heap moist.", LISTING)
    assert whole.startswith("These scraps may go on the heap:")
    assert whole.endswith("but they rot slowly.")
    assert quoted(turning, "Coffee grounds keep the heap moist.") == "Coffee grounds keep the heap moist."


def test_an_item_is_not_cut_off_from_a_lead_that_denies_it(turning: Library) -> None:
    assert quoted(turning, "Cooked meat draws rats.").startswith("Never put these things on the heap:")


@pytest.mark.parametrize(
    "question",
    [
        "what therapies are used?",
        "how do I choose a program?",
        "List the benefits",
        "what are the types",
        "what's included",
    ],
)
def test_a_question_for_a_list(question: str) -> None:
    assert wants_list(question)


@pytest.mark.parametrize("question", ["does IOP include detox?", "how long is it", "can I keep my job?", ""])
def test_a_question_for_one_thing(question: str) -> None:
    assert not wants_list(question)


def test_what_was_quoted_is_found_again(index: PassageIndex) -> None:
    texts = [index.sentence_text(row) for row in range(0, len(index.sentences), 7)]
    for text in texts:
        quotes = quoted_in(f"Something else. {text} [1]\n\nMore.", index)
        found = [index.articles[q.article].sections[q.section].text[q.start : q.end] for q in quotes]
        assert any(text in quote for quote in found)
    assert quoted_in("Nothing of the articles.", index) == ()
    assert quoted_in("", index) == ()


def test_a_figure_brings_what_is_set_against_it(index: PassageIndex, encoder: PackagedEncoder) -> None:
    hits = Retriever(index, encoder).search("how many hours a week is it?", 10**6).hits
    figures = [hit for hit in hits if quantities(hit.text)]
    one, other = next((a, b) for a in figures for b in figures if a.passage.article != b.passage.article)
    asked = "how many hours a week is it?"

    def brought(question: str, matter: Matter) -> bool:
        quotes = select(question, [one], np.array([0.9]), index, {matter: {one.row: (other.row,)}})
        return other.row in {row for quote in quotes for row in quote.rows}

    assert brought(asked, Matter.FIGURE)
    assert not brought("is it right for me?", Matter.FIGURE)
    assert not brought(asked, Matter.REACH)
    assert not brought(asked, Matter.WORDING)
    assert other.row not in {row for quote in select(asked, [one], np.array([0.9]), index) for row in quote.rows}


def test_whom_a_thing_is_for_is_set_against_what_else_is_said_of_it(
    index: PassageIndex, encoder: PackagedEncoder
) -> None:
    rows, texts = opposites(index)[Matter.REACH], [index.sentence_text(row) for row in range(len(index.sentences))]
    retriever = Retriever(index, encoder)
    hits = {hit.row: hit for hit in retriever.search("is it right for me?", 10**6).hits}
    everyone = next(row for row in rows if reach(texts[row]) is Reach.EVERYONE)
    asked = "is it right for me?"
    quoted = select(asked, [hits[everyone]], np.array([0.9]), index, opposites(index))
    assert {row for quote in quoted for row in quote.rows} >= set(rows[everyone])
    first, some = next(hit for row, hit in hits.items() if row not in rows), hits[rows[everyone][0]]
    for share, brings in ((MAIN + 0.01, True), (MAIN - 0.01, False)):
        support = np.array([0.9, 0.9 * share])
        quoted = select(asked, [first, some], support, index, opposites(index))
        found = {row for quote in quoted for row in quote.rows}
        assert (everyone in found) is brings, "only what is near the best in support brings another"


def test_a_time_is_quoted_where_it_is_asked_for_beside_figures(index: PassageIndex, encoder: PackagedEncoder) -> None:
    hits = Retriever(index, encoder).search("what time of day are sessions?", 10**6).hits
    figure = next(hit for hit in hits if quantities(hit.text) and not times_of_day(hit.text))
    time = next(hit for hit in hits if times_of_day(hit.text) and not quantities(hit.text))
    for question, quoted in (("at what time in the evening?", True), ("how many hours is it?", False)):
        quotes = select(question, [figure, time], np.array([0.9, 0.8]), index)
        assert (time.row in {row for quote in quotes for row in quote.rows}) is quoted
