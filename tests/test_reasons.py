"""Why a sentence was found: shared words, the nearest known question, the band of its support."""

import pytest
from conftest import open_assistant

from chatbot.assistant import Assistant
from chatbot.encoder import PackagedEncoder
from chatbot.finder import CANDIDATES
from chatbot.index import PassageIndex
from chatbot.reasons import band
from chatbot.selection import ADDS, ANSWERS


@pytest.fixture(scope="module")
def assistant(small: PassageIndex, encoder: PackagedEncoder) -> Assistant:
    """Over the small corpus, without the reader."""
    return open_assistant(small, encoder, "none")


def test_a_reason_for_every_hit(assistant: Assistant) -> None:
    finding = assistant.find("how often do i turn the heap?")
    reasons = assistant.explain(finding)
    assert len(reasons.hits) == len(finding.search.hits)
    (turned,) = [
        reason
        for hit, reason in zip(finding.search.hits, reasons.hits, strict=True)
        if hit.text == "A heap is turned every two weeks."
    ]
    assert turned.terms == ("heap", "turned", "often")  # the heading has the last
    assert turned.known is not None and turned.known.text == "when do i stir the heap"


def test_the_known_question_is_the_one_that_the_search_saw(assistant: Assistant) -> None:
    for question in ("does the box reek", "where can i buy a compost bin", "turning the heap", "who won the cup?"):
        finding = assistant.find(question)
        reasons = assistant.explain(finding)
        search, known = finding.search, reasons.known
        assert known is not None
        assert known.cosine == pytest.approx(max(search.answered, search.unanswered), abs=1e-5)
        assert known.answered == (search.answered >= search.unanswered)
        assert known.say == ("" if known.answered else search.say)
        for hit, reason in zip(search.hits, reasons.hits, strict=True):
            assert (reason.known.cosine if reason.known else 0.0) == pytest.approx(hit.known, abs=1e-5)


def test_the_glossarys_words_are_shared_words(assistant: Assistant) -> None:
    reasons = assistant.explain(assistant.find("it stinks"))
    assert any("smell" in reason.terms for reason in reasons.hits)


def test_one_article_alone(assistant: Assistant) -> None:
    finding = assistant.find_in("worms", "how often is a heap turned?")
    assert finding.quotes == ()
    assert 0 < len(finding.search.hits) == len(finding.supports) <= CANDIDATES
    assert {hit.passage.article for hit in finding.search.hits} == {"worms"}
    nothing = assistant.find_in("no such article", "heap")
    assert (nothing.search.hits, nothing.support) == ((), 0.0)
    assert assistant.explain(nothing).hits == ()


def test_an_answer_with_what_was_found_is_the_answer(assistant: Assistant) -> None:
    for question in (
        "how often is a heap turned?",
        "hello",
        "i want to kill myself",
        "",
        "what is a heap? what is NAS?",
    ):
        answer, findings = assistant.ask_and_show(question)
        assert answer == assistant.ask(question)
        assert len(findings) == {"hello": 0, "i want to kill myself": 0, "": 0}.get(question, question.count("?"))


def test_bands_are_those_by_which_quotes_are_chosen() -> None:
    assert [band(support) for support in (1.0, ANSWERS, ADDS, 0.0)] == ["strong", "strong", "fair", "weak"]
    assert band(ANSWERS - 0.01) == "fair" and band(ADDS - 0.01) == "weak"
