"""Known questions: the owner's file, and the sentences that its places name."""

from pathlib import Path

import pytest

from chatbot.articles import Article, load_articles
from chatbot.errors import CorpusError
from chatbot.passages import Passage, split_sections
from chatbot.questions import FILE, KnownQuestion, Place, load_questions, resolve

PLACE = "  - {article: worms, heading: 'Is a worm box smelly?', sentence: A worm box}\n"


@pytest.fixture
def articles(small_corpus: Path) -> tuple[Article, ...]:
    return load_articles(small_corpus)


@pytest.fixture
def passages(articles: tuple[Article, ...]) -> list[Passage]:
    return [passage for article in articles for passage in split_sections(article)]


def named(places: tuple[Place, ...], passages: list[Passage]) -> list[str]:
    texts = [passage.sentence_text(sentence) for passage in passages for sentence in passage.sentences]
    return [texts[row] for row in resolve(places, passages)]


def load(folder: Path, text: str, articles: tuple[Article, ...]) -> tuple[KnownQuestion, ...]:
    (folder / FILE).write_text(text, encoding="utf-8")
    return load_questions(folder, articles)


def test_no_file_is_no_questions(tmp_path: Path, articles: tuple[Article, ...]) -> None:
    assert load_questions(tmp_path, articles) == () == load(tmp_path, "answered:\nunanswered:\n", articles)


def test_questions_stand_in_the_order_of_the_file(small_corpus: Path, articles: tuple[Article, ...]) -> None:
    questions = load_questions(small_corpus, articles)
    assert [question.text for question in questions] == [
        "will my kitchen stink of worms",
        "does the box reek",
        "when do i stir the heap",
        "where can i buy a compost bin",
    ]
    smell = (Place("worms", "Is a worm box smelly?", "A worm box does not"),)
    assert [question.places for question in questions] == [
        smell,
        smell,
        (Place("compost", "How often is it turned?"),),
        (),
    ]
    assert [question.say for question in questions] == ["", "", "", "Ask a garden shop."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("answered:\n- places: [\n", "YAML"),
        ("- a\n", "answered and unanswered"),
        ("asked: []\n", "answered and unanswered"),
        ("answered:\n- questions: [a]\n", "places"),
        (f"answered:\n- places:\n{PLACE}", "questions"),
        ("answered:\n- places:\n  - {heading: x}\n  questions: [a]\n", "article"),
        ("answered:\n- just words\n", "lacks"),
        ("unanswered:\n- questions: [a]\n", "say"),
        ("unanswered:\n- say: Ask.\n", "questions"),
        ("answered:\n- places:\n  - {article: worms, heading: Nowhere}\n  questions: [a]\n", "Nowhere"),
        ("answered:\n- places:\n  - {article: snails, heading: ''}\n  questions: [a]\n", "snails"),
    ],
)
def test_a_broken_file_is_named_with_its_mend(
    tmp_path: Path, articles: tuple[Article, ...], text: str, words: str
) -> None:
    with pytest.raises(CorpusError) as error:
        load(tmp_path, text, articles)
    assert error.value.file == str(tmp_path / FILE)
    assert words in error.value.problem
    assert error.value.mend


def test_a_place_with_a_sentence_is_that_sentence(passages: list[Passage]) -> None:
    place = Place("compost", "How often is it turned?", "A heap is turned")
    assert named((place,), passages) == ["A heap is turned every two weeks."]


def test_a_place_without_one_is_its_section(passages: list[Passage]) -> None:
    assert len(named((Place("compost", "How often is it turned?"),), passages)) == 3
    assert named((Place("compost", ""),), passages) == [
        "A compost heap turns kitchen scraps into soil.",
        "A heap is ready after nine months.",
    ]


def test_a_sentence_that_was_edited_away_stands_for_its_section(passages: list[Passage]) -> None:
    gone = Place("compost", "How often is it turned?", "Nobody wrote this")
    assert named((gone,), passages) == named((Place("compost", "How often is it turned?"),), passages)


def test_a_sentence_that_was_edited_away_is_told_of(
    small_corpus: Path, tmp_path: Path, articles: tuple[Article, ...], caplog: pytest.LogCaptureFixture
) -> None:
    load_questions(small_corpus, articles)
    assert caplog.records == []
    entry = f"answered:\n- places:\n{PLACE}  questions: [does it smell]\n"
    load(tmp_path, entry.replace("A worm box}", "A cold box}"), articles)
    (record,) = caplog.records
    assert "A cold box" in record.getMessage() and "Is a worm box smelly?" in record.getMessage()


def test_a_sentence_that_is_there_makes_one_that_is_gone_needless(passages: list[Passage]) -> None:
    gone = Place("compost", "", "Nobody wrote this")
    there = Place("worms", "What do worms eat?", "Worms eat")
    assert named((gone, there), passages) == ["Worms eat soft scraps."]


def test_rows_are_sorted_and_named_once(passages: list[Passage]) -> None:
    place = Place("worms", "What do worms eat?")
    rows = resolve((place, Place("compost", ""), place), passages)
    assert list(rows) == sorted(set(rows))
    assert resolve((), passages) == ()
