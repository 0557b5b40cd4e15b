"""Topics: what is offered to be pressed can be pressed, and is answered from its section."""

import pytest

from chatbot.encoder import SentenceTransformerEncoder
from chatbot.index import PassageIndex
from chatbot.retrieval import Retriever
from chatbot.topics import as_question, nearest_topics, topic_quotes


@pytest.fixture(scope="module", params=["index", "originals", "small"])
def library(request: pytest.FixtureRequest) -> PassageIndex:
    index: PassageIndex = request.getfixturevalue(request.param)
    return index


def headings(index: PassageIndex) -> list[str]:
    return list(dict.fromkeys(passage.heading for passage in index.passages if passage.trail))


def test_every_heading_can_be_asked_for(library: PassageIndex) -> None:
    for heading in headings(library):
        (quote,) = topic_quotes(as_question(heading), library)
        section = library.articles[quote.article].sections[quote.section]
        assert section.heading == heading
        assert section.text.startswith(library.sentence_text(quote.rows[0]), quote.start)
        assert quote.end == library.sentences[quote.rows[-1]][1].end
        assert quote.start == library.sentences[quote.rows[0]][1].start
        assert list(quote.rows) == list(range(quote.rows[0], quote.rows[-1] + 1))


def test_it_is_the_sections_opening(library: PassageIndex) -> None:
    for heading in headings(library):
        (quote,) = topic_quotes(as_question(heading), library)
        assert library.articles[quote.article].sections[quote.section].text[: quote.start] in ("", "- ")


@pytest.mark.xfail(strict=True, reason="the opening is cut after four sentences, in the middle of a list")
@pytest.mark.parametrize("name", ["index", "originals"])
def test_a_list_is_quoted_whole(request: pytest.FixtureRequest, name: str) -> None:
    index: PassageIndex = request.getfixturevalue(name)
    for heading in headings(index):
        (quote,) = topic_quotes(as_question(heading), index)
        last = quote.rows[-1]
        number, sentence = index.sentences[last]
        if sentence.role != "text" and last + 1 < len(index.sentences):
            following, other = index.sentences[last + 1]
            same_section = index.passages[number].id[:-4] == index.passages[following].id[:-4]
            assert not (same_section and other.paragraph == sentence.paragraph), heading


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


@pytest.mark.parametrize("asked", ["How often is it turned", "Help", "often turned?", "", "?", "What do the articles say about"])
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
def test_topics_are_as_many_as_wanted_and_differ(
    library: PassageIndex, encoder: SentenceTransformerEncoder, limit: int
) -> None:
    hits = Retriever(library, encoder).search("does it include medicine", 12).hits
    for given in ((), hits):
        topics = nearest_topics(library, given, limit)
        assert 1 <= len(topics) <= limit
        assert len({topic.casefold() for topic in topics}) == len(topics)
        assert {as_question(heading) for heading in headings(library)} >= set(topics)
        assert topics == nearest_topics(library, given, limit)
        assert topics == nearest_topics(library, given, 10)[:limit]


def test_topics_are_those_of_the_hits_nearest_first(library: PassageIndex, encoder: SentenceTransformerEncoder) -> None:
    hits = Retriever(library, encoder).search("does it include medicine", 12).hits
    near = [as_question(hit.passage.heading) for hit in hits if hit.passage.trail]
    topics = nearest_topics(library, hits, 10)
    assert [near.index(topic) for topic in topics] == sorted(near.index(topic) for topic in topics)


def test_what_was_quoted_is_not_offered_again(library: PassageIndex, encoder: SentenceTransformerEncoder) -> None:
    hits = Retriever(library, encoder).search("does it include medicine", 12).hits
    first = nearest_topics(library, hits, 1)[0]
    quotes = topic_quotes(first, library)
    assert first not in nearest_topics(library, [hit for hit in hits if as_question(hit.passage.heading) != first], 3, quotes)
    assert len(nearest_topics(library, hits, 3, quotes)) <= 3
