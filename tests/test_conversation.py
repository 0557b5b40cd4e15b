"""Conversation: small talk is the whole message, and a greeting before a question is none."""

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from chatbot.answers import SMALL_TALK
from chatbot.conversation import (
    EARLIER,
    Reading,
    Turn,
    addresses_program,
    contextualise,
    corrects,
    small_talk,
    tells_enough,
    without_greeting,
)
from chatbot.evaluation import read_questions
from chatbot.lexical import terms
from chatbot.screening import TALK_KINDS
from chatbot.segmentation import Exchange

TALK = {
    "greeting": ("hi", "Hello!", "hey there", "Good morning.", "HI", "👋"),
    "thanks": ("thanks", "Thank you so much!", "ok thanks", "thx", "🙏🏽🙏🏽", "❤️"),
    "acknowledgement": ("ok", "got it", "👍🏿!"),
    "goodbye": ("bye", "Good night", "see you later"),
    "identity": ("who are you?", "are you a bot", "is this a real person?", "what are you"),
    "ability": ("what can you do?", "help", "how does this work?"),
    "wellbeing": ("how are you?", "how’s it going", "hi, how are you"),
    "human": ("can I talk to a human?", "I want to speak to a person", "talk to a real person please"),
}
QUESTIONS = (
    "hi, does IOP include detox?",
    "thanks, and how long does it take?",
    "help with alcohol",
    "who are you treating",
    "how are you paid",
    "what can I do",
    "is this a real program",
    "does IOP include detox?",
    "goodbye parties?",
    "👍 how long does it take",
    "💊💊",
)


@pytest.mark.parametrize(("kind", "message"), [(kind, text) for kind, texts in TALK.items() for text in texts])
def test_small_talk(kind: str, message: str) -> None:
    assert small_talk(message) == kind
    assert small_talk(f"  {message.upper()} ") == kind


@pytest.mark.parametrize("message", [*QUESTIONS, "", "?!"])
def test_a_question_is_no_small_talk(message: str) -> None:
    assert small_talk(message) is None


def test_no_development_question_about_the_articles_is_small_talk() -> None:
    files = [ROOT / "tests" / "questions" / f"{name}.jsonl" for name in ("fifty", "tune", "test")]
    asked = [each["question"] for each in read_questions(files) if each["kind"] != "off_topic"]
    assert [question for question in asked if small_talk(question)] == []


def test_every_kind_of_small_talk_has_its_wording() -> None:
    assert set(TALK) <= set(SMALL_TALK)
    assert {*TALK_KINDS} - {"none"} == set(SMALL_TALK)


@pytest.mark.parametrize(
    ("message", "question"),
    [
        ("hi, does IOP include detox?", "does IOP include detox?"),
        ("Hello there! what is DBT", "what is DBT"),
        ("good morning - is it safe", "is it safe"),
        ("hi there what is DBT", "what is DBT"),
        ("history of IOP", "history of IOP"),
        ("hi", "hi"),
        ("Hello!", "Hello!"),
        ("yoga classes?", "yoga classes?"),
    ],
)
def test_a_greeting_before_a_question_is_taken_off(message: str, question: str) -> None:
    assert without_greeting(message) == question
    assert contextualise(message, ()) == Reading(question)


@given(st.text())
def test_taking_off_a_greeting_leaves_the_end_of_the_message(message: str) -> None:
    left = without_greeting(message)
    assert message.endswith(left) or message.strip().endswith(left)
    assert left or not message


ASKED = [Turn("user", "what is DBT"), Turn("assistant", "A therapy. [1]")]


@pytest.mark.parametrize(
    ("message", "bearing"),
    [
        ("does an IOP include medical detox?", "alone"),
        ("how many hours a week do patients attend treatment", "alone"),
        ("does that help teenagers with anxiety too", "perhaps"),
        ("and for families?", "leans"),
        ("what about inpatient", "leans"),
        ("no I meant group therapy", "leans"),
        ("why?", "leans"),
        ("tell me more", "more"),
        ("anything else?", "more"),
        ("tell me a bit more on that", "more"),
        ("go on, more about that", "more"),
        ("show me where that is written", "where"),
        ("where does it say that", "where"),
        ("where's that written", "where"),
        ("which article?", "where"),
    ],
)
def test_how_a_message_bears_on_the_question_before(message: str, bearing: str) -> None:
    reading = contextualise(message, ASKED)
    assert reading.bearing == bearing
    assert reading.before == (Exchange("what is DBT", "A therapy. [1]"),)
    assert reading.alone == message


@pytest.mark.parametrize(
    ("message", "subject"),
    [("anything else about detox?", "detox"), ("tell me a little more on the first one", "the first one")],
)
def test_who_wants_more_on_something_asks_about_it(message: str, subject: str) -> None:
    assert contextualise(message, [Turn("user", "what is it")]).alone == subject


@pytest.mark.parametrize("message", ["and for families?", "tell me more", "why?", "it"])
def test_without_a_question_before_it_a_message_stands_alone(message: str) -> None:
    for history in ((), [Turn("user", "hi"), Turn("assistant", "Hello.")]):
        assert contextualise(message, history) == Reading(message)


@pytest.mark.parametrize("message", ["sorry i meant dbt", "no, I mean the other one"])
def test_a_correction_puts_the_question_before_it_right(message: str) -> None:
    assert corrects(contextualise(message, ASKED))
    assert not corrects(contextualise(message, ()))
    assert not corrects(contextualise("and for families?", ASKED))


def test_few_words_tell_too_little_to_be_read_without_what_came_before() -> None:
    common = frozenset(terms("program patients"))
    assert not tells_enough("how often is it", common)
    assert not tells_enough("how many patients", common)
    assert tells_enough("do the medical ones cost more", common)


def test_small_talk_between_is_passed_over() -> None:
    history = [*ASKED, Turn("user", "thanks"), Turn("assistant", "You're welcome.")]
    assert contextualise("and for teens?", history).before == (Exchange("what is DBT", "A therapy. [1]"),)


def test_the_last_questions_are_remembered_in_their_order() -> None:
    history = [Turn("user", f"question {number}") for number in range(9)]
    asked = [Exchange(f"question {number}") for number in range(9)]
    assert contextualise("why?", history).before == tuple(asked[-EARLIER:])


@given(st.text(), st.lists(st.text(), max_size=4))
def test_any_message_can_be_read(message: str, asked: list[str]) -> None:
    history = [Turn("user", text) for text in asked]
    reading = contextualise(message, history)
    assert reading == contextualise(message, history)
    assert reading.alone == without_greeting(message)


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ("are you a doctor", True),
        ("who made this", True),
        ("what does that do for you", False),
        ("do they tell you why", False),
        ("is it covered by insurance", False),
    ],
)
def test_who_speaks_to_the_program_does_not_point_back(message: str, meant: bool) -> None:
    assert addresses_program(message) is meant
