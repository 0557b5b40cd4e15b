"""Topics: what is offered to be pressed can be pressed, and is answered from its section."""

import numpy as np
import pytest

from chatbot.answers import Status
from chatbot.assistant import Assistant
from chatbot.encoder import PackagedEncoder
from chatbot.index import PassageIndex
from chatbot.retrieval import Retriever
from chatbot.topics import ALIKE, Suggestions, as_question, nearest_topics, opening_questions, topic_quotes


@pytest.fixture(scope="module", params=["index", "originals", "small"])
def library(request: pytest.FixtureRequest) -> PassageIndex:
    index: PassageIndex = request.getfixturevalue(request.param)
    return index


def place(row: int, index: PassageIndex) -> tuple[str, int]:
    passage = index.passages[index.sentences[row][0]]
    return passage.article, passage.section


def headings(index: PassageIndex) -> list[str]:
    return list(dict.fromkeys(passage.heading for passage in index.passages if passage.trail))


def test_every_heading_can_be_asked_for(library: PassageIndex) -> None:
    for heading in headings(library):
        quotes = topic_quotes(as_question(heading), library)
        sections = [library.articles[quote.article].sections[quote.section] for quote in quotes]
        assert sections[0].heading == heading
        assert all(section.trail[:-1] == sections[0].trail for section in sections[1:])  # those below it
        assert len({(quote.article, quote.section) for quote in quotes}) == len(quotes)
        for quote in quotes:
            assert list(quote.rows) == list(range(quote.rows[0], quote.rows[-1] + 1))
            assert quote.start == library.sentences[quote.rows[0]][1].start
            assert quote.end == library.sentences[quote.rows[-1]][1].end
            assert {place(row, library) for row in quote.rows} == {(quote.article, quote.section)}


def test_it_is_the_sections_opening(library: PassageIndex) -> None:
    for heading in headings(library):
        for quote in topic_quotes(as_question(heading), library):
            assert library.articles[quote.article].sections[quote.section].text[: quote.start] in ("", "- ")


def test_a_list_is_quoted_whole_and_nothing_that_takes_it_back_is_left_off(library: PassageIndex) -> None:
    for heading in headings(library):
        for quote in topic_quotes(as_question(heading), library):
            last, after = quote.rows[-1], quote.rows[-1] + 1
            if after < len(library.sentences) and place(after, library) == place(last, library):
                one, other = library.sentences[last][1], library.sentences[after][1]
                assert other.role != "item" or one.paragraph != other.paragraph, heading
                assert not library.sentence_text(after).startswith(("However", "But ", "Unless")), heading


@pytest.mark.parametrize(
    "asked",
    [
        "How often is it turned?",
        "how often is it turned ?",
        "HOW OFTEN IS IT TURNED???",
        "What do the articles say about “How often is it turned?”?",
        "what do the articles say about how often is it turned",
    ],
)
def test_capitals_and_marks_make_no_difference(small: PassageIndex, asked: str) -> None:
    assert topic_quotes(asked, small) == topic_quotes("How often is it turned?", small) != ()


@pytest.mark.parametrize(
    "asked", ["How often is it turned", "Help", "often turned?", "", "?", "What do the articles say about"]
)
def test_other_questions_are_not_for_a_heading(small: PassageIndex, asked: str) -> None:
    assert topic_quotes(asked, small) == ()


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("What goes in?", "What goes in?"),
        ("Help", "What do the articles say about “Help”?"),
        (" Help: ", "What do the articles say about “Help”?"),
    ],
)
def test_as_question(heading: str, question: str) -> None:
    assert as_question(heading) == question


@pytest.mark.parametrize("limit", [1, 3, 4])
def test_topics_are_as_many_as_wanted_and_differ(library: PassageIndex, encoder: PackagedEncoder, limit: int) -> None:
    hits = Retriever(library, encoder).search("does it include medicine", 12).hits
    for given in ((), hits):
        topics = nearest_topics(library, given, limit)
        assert 1 <= len(topics) <= limit
        assert len({topic.casefold() for topic in topics}) == len(topics)
        assert {as_question(heading) for heading in headings(library)} >= set(topics)
        assert topics == nearest_topics(library, given, limit)
        assert topics == nearest_topics(library, given, 10)[:limit]


def test_topics_are_those_of_the_hits_nearest_first(library: PassageIndex, encoder: PackagedEncoder) -> None:
    hits = Retriever(library, encoder).search("does it include medicine", 12).hits
    near = [as_question(hit.passage.heading) for hit in hits if hit.passage.trail]
    topics = nearest_topics(library, hits, 10)
    assert [near.index(topic) for topic in topics] == sorted(near.index(topic) for topic in topics)


def test_what_was_quoted_is_not_offered_again(library: PassageIndex, encoder: PackagedEncoder) -> None:
    hits = Retriever(library, encoder).search("does it include medicine", 12).hits
    first = nearest_topics(library, hits, 1)[0]
    quotes = topic_quotes(first, library)
    assert first not in nearest_topics(
        library, [hit for hit in hits if as_question(hit.passage.heading) != first], 3, quotes
    )
    assert len(nearest_topics(library, hits, 3, quotes)) <= 3


def test_a_heading_about_the_whole_subject_hides_no_other(index: PassageIndex, encoder: PackagedEncoder) -> None:
    hits = Retriever(index, encoder).search("what is an intensive outpatient program (IOP)?", 10**6).hits
    first = [hit for hit in hits if hit.passage.heading == "What is an Intensive Outpatient Program (IOP)?"]
    assert len(nearest_topics(index, [*first, *hits], 3)) == 3


@pytest.mark.parametrize(
    "question", ["does IOP include detox?", "will my boss find out", "how many people are in a group"]
)
def test_what_is_suggested_is_near_not_quoted_yet_and_answered(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    assert len(answer.suggestions) == len(set(answer.suggestions)) == 3
    for suggestion in answer.suggestions:
        told = assistant.ask(suggestion)
        assert told.status in (Status.ANSWERED, Status.SOURCES_DIFFER)
        assert {c.quote for c in told.citations} - {c.quote for c in answer.citations}


def test_suggestions_are_headings_where_nobody_said_how_people_ask(
    originals: PassageIndex, encoder: PackagedEncoder
) -> None:
    hits = Retriever(originals, encoder).search("does IOP include detox?").hits
    assert Suggestions(originals)(hits, 3) == nearest_topics(originals, hits, 3)
    assert Suggestions(originals)((), 3) == nearest_topics(originals, (), 3)


def test_the_first_questions_are_headings_no_two_of_them_alike(library: PassageIndex, encoder: PackagedEncoder) -> None:
    for limit in (1, 4):
        first = opening_questions(library, encoder, limit)
        assert 1 <= len(first) <= limit
        assert {as_question(heading) for heading in headings(library)} >= set(first)
        rows = encoder.encode_questions([library.glossary.write_out(question) for question in first])
        assert (rows @ rows.T - np.eye(len(rows)) <= ALIKE).all()
