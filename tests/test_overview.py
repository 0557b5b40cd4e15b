"""Laws of what the owner is shown."""

from typing import Any

import pytest
from conftest import open_assistant

from chatbot.assistant import Assistant
from chatbot.encoder import PackagedEncoder
from chatbot.gaps import Gap, Wording
from chatbot.index import PassageIndex
from chatbot.overview import SEEN_TO, choosable, contradicting, grouped, nearest_entries, opening, summed_up
from chatbot.questions import Place, resolve


@pytest.fixture(scope="module")
def over_small(small: PassageIndex, encoder: PackagedEncoder) -> Assistant:
    return open_assistant(small, encoder, "none")


def test_every_sentence_can_be_chosen_and_its_opening_names_it_alone(index: PassageIndex) -> None:
    for article in index.articles:
        shown = [
            (Place(article, section["heading"], sentence["opening"]), sentence["text"])
            for section in choosable(article, index)
            for sentence in section["sentences"]
        ]
        own = [row for row in range(len(index.sentences)) if index.passages[index.sentences[row][0]].article == article]
        assert [text for _, text in shown] == [index.sentence_text(row) for row in own]
        for place, text in shown:
            assert {index.sentence_text(row) for row in resolve((place,), index.passages)} == {text}


def test_an_opening_is_as_short_as_it_can_be() -> None:
    beside = ["One two three four five six seven.", "One two three four five six eight.", "Short."]
    assert opening(beside[0], beside) == "One two three four five six seven."
    alone = "Another one that has more than six words."
    assert opening(alone, [alone]) == "Another one that has more than"
    assert opening("Short.", beside) == "Short."


def test_entries_come_nearest_first_each_once_with_what_it_says(over_small: Assistant) -> None:
    found = nearest_entries("which shop has compost bins", over_small)
    assert len(found) == 3  # as many as the file has
    assert found[0] == {
        "text": "where can i buy a compost bin",
        "cosine": found[0]["cosine"],
        "answered": False,
        "places": [],
        "topic": "shopping",
        "say": "Ask a garden shop.",
    }
    assert [one["cosine"] for one in found] == sorted((one["cosine"] for one in found), reverse=True)
    (smell,) = [one for one in found if one["text"] in ("will my kitchen stink of worms", "does the box reek")]
    assert smell["places"] == ["Worms in a Box · Is a worm box smelly?"]


def test_a_group_is_seen_to_where_a_referral_fits_it(small: PassageIndex) -> None:
    answered = next(question for question in small.questions if question.places)
    unanswered = next(question for question in small.questions if not question.places)
    for nearest, cosine, seen_to in (
        (unanswered, SEEN_TO, True),
        (unanswered, SEEN_TO - 0.01, False),
        (answered, 0.99, False),
        (None, 0.0, False),
    ):
        gap = Gap((Wording("which shop has bins", 3),), 3, "2026-01-01", nearest, cosine)
        assert grouped(gap, small)["seen_to"] is seen_to


def test_a_contradiction_has_two_sentences_of_two_articles_with_their_sources(index: PassageIndex) -> None:
    shown = contradicting(index)
    assert shown
    for pair in shown:
        one, other = pair["sides"]
        assert one["id"] != other["id"] and one["says"] != other["says"]
        for side in (one, other):
            assert side["text"] in index.articles[side["id"]].text
            assert side["link"] is None or side["link"].startswith("https://")


def test_feedback_is_summed_up() -> None:
    entries: list[dict[str, Any]] = [
        {"at": "2026-01-01T10:00Z", "verdict": "up"},
        {"at": "2026-01-02T10:00Z", "verdict": "down", "reason": "wrong", "comment": "a"},
        {"at": "2026-01-02T11:00Z", "verdict": "down", "from": "staff", "reason": "wrong", "question": "b"},
        {"at": "2026-01-02T12:00Z", "verdict": "down"},
        {},
    ]
    told = summed_up(entries)
    assert told["days"] == [
        {"day": "2026-01-02", "up": 0, "down": 2, "marked": 1},
        {"day": "2026-01-01", "up": 1, "down": 0, "marked": 0},
    ]
    assert told["reasons"] == {"wrong": 2, "no reason": 1}
    assert [one["question"] for one in told["amiss"]] == [None, "b", None]
    assert summed_up([]) == {"days": [], "reasons": {}, "amiss": []}
