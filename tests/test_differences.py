"""Laws of figures and of their differences."""

from math import inf

import pytest

from chatbot.differences import (
    Quantity,
    Reach,
    asks_how_much,
    asks_when,
    asks_whether,
    differ,
    figures_differ,
    quantities,
    reach,
    reach_differs,
    stances_differ,
)
from chatbot.lexical import terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at least 9 hours of care each week", Quantity(9, inf, "hour", "week")),
        ("two to three hours per session", Quantity(2, 3, "hour", "day")),
        ("more than 4 visits a month", Quantity(4, inf, "session", "month")),
        ("up to 90 minutes", Quantity(0, 90, "minute", None)),
        ("lasts 30 days", Quantity(30, 30, "day", None)),
    ],
)
def test_a_figure_is_read_with_its_bound_unit_and_period(text: str, expected: Quantity) -> None:
    assert quantities(text) == (expected,)


def test_text_without_a_unit_has_no_figure() -> None:
    assert quantities("There are 12 steps and one nurse.") == ()


def test_figures_differ_is_symmetric_and_never_holds_of_a_text_with_itself() -> None:
    texts = ["It takes 2 hours a day.", "It takes 3 hours a day.", "It takes 2 hours a week.", "No figure."]
    for one in texts:
        assert not figures_differ(one, one)
        for other in texts:
            assert figures_differ(one, other) == figures_differ(other, one)
    assert figures_differ(texts[0], texts[1])
    assert not figures_differ(texts[0], texts[2]), "hours a day and hours a week can't be compared"


def test_sources_differ_only_across_articles_and_on_what_was_asked() -> None:
    one, other = "Members come 2 days a week.", "Members come 5 days a week."
    assert differ("how many days a week is it", [("a", one), ("b", other)], frozenset())
    assert not differ("how many days a week is it", [("a", one), ("a", other)], frozenset())
    assert not differ("who comes", [("a", one), ("b", other)], frozenset())
    assert differ("who comes", [("a", one), ("b", other)], frozenset(), [0.9, 0.7])
    assert not differ("who comes", [("a", one), ("b", other)], frozenset(), [0.9, 0.5])


def test_asking_for_a_figure_is_recognised() -> None:
    assert asks_how_much("how often do we meet")
    assert not asks_how_much("who runs the meetings")


STANDS = [
    ("Urine screens are a core part of the course.", "The course may have urine screens.", "is there a urine screen"),
    (
        "Every patient must bring a relative to family day.",
        "Patients sometimes bring a relative to family day.",
        "do relatives come",
    ),
    (
        "Someone with a panic disorder needs a residential stay.",
        "Day care can be tailored to a person with a panic disorder.",
        "is day care enough for panic",
    ),
    (
        "The course can briefly affect how a patient shows up for choir practice.",
        "Patients can carry on with choir practice as before.",
        "will i have to miss practice",
    ),
]


@pytest.mark.parametrize(("one", "other", "whether"), STANDS)
def test_stands_differ_in_either_order_and_only_where_it_is_asked_whether(one: str, other: str, whether: str) -> None:
    assert stances_differ(one, other, frozenset())
    assert stances_differ(other, one, frozenset())
    assert not stances_differ(one, one, frozenset())
    assert differ(whether, [("a", one), ("b", other)], frozenset())
    assert not differ("why would they do that", [("a", one), ("b", other)], frozenset())


@pytest.mark.parametrize(("one", "other", "whether"), STANDS)
def test_stands_on_different_things_do_not_differ(one: str, other: str, whether: str) -> None:
    del whether
    assert not stances_differ(one, "Lunch may be cold, and a walk can be tailored to the weather.", frozenset())
    shared = frozenset(terms(one)) & frozenset(terms(other))
    assert not stances_differ(one, other, shared), "words that every sentence has in common tie nothing together"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The choir is open to everyone who is interested.", "The choir is not right for everyone."),
        ("Anyone can join the choir.", "The choir is only for people who read music."),
        ("It is suitable for all.", "Singers must meet certain criteria."),
        ("The choir is open to anyone.", "A good ear is necessary for singers."),
        ("The choir is open to anyone.", "Those who sing flat may benefit from a course more intensive than a choir."),
    ],
)
def test_for_everyone_and_not_for_everyone_differ_in_either_order(one: str, other: str) -> None:
    assert reach_differs(one, other)
    assert reach_differs(other, one)
    assert reach(one) is Reach.EVERYONE
    assert reach(other) is not Reach.EVERYONE
    assert not reach_differs(one, one)
    assert not reach_differs(other, other)
    asked = "is it for everybody who likes to sing?"
    assert differ(asked, [("a", one), ("b", other)], frozenset())
    assert not differ(asked, [("a", one), ("a", other)], frozenset())


@pytest.mark.parametrize(
    ("one", "other", "asked", "other_thing"),
    [
        (
            "Rehearsals are in the evening or on weekends.",
            "Singers can rehearse before or after their duties.",
            "at what time of day do they rehearse?",
            "do they rehearse with a piano?",
        ),
        ("The choir sings in the morning.", "The choir sings at night.", "when do they sing?", "why do they sing?"),
        (
            "A choir is something between a band and an orchestra.",
            "The choir bridges a gap between a pub and a church.",
            "what is a choir between?",
            "what is a choir?",
        ),
    ],
)
def test_times_of_day_and_ends_differ_where_they_are_asked_for(
    one: str, other: str, asked: str, other_thing: str
) -> None:
    for first, second in ((one, other), (other, one)):
        assert differ(asked, [("a", first), ("b", second)], frozenset())
        assert not differ(other_thing, [("a", first), ("b", second)], frozenset())
    assert not differ(asked, [("a", one), ("b", one)], frozenset())
    assert not differ(asked, [("a", one), ("b", f"It is said: {one}")], frozenset())


@pytest.mark.parametrize("question", ["nobody watches her all day and night", "how long is it", "who sings"])
def test_who_names_no_time_asks_for_none(question: str) -> None:
    assert not asks_when(question)


def test_whether_is_asked_by_the_first_word_or_because_nothing_else_is() -> None:
    for question in (
        "is it for everyone who sings?",
        "Tell me: does it help?",
        "a good home needed?",
        "I sing. Can I come?",
    ):
        assert asks_whether(question)
    for question in ("who sings", "which days are there", "what is it for"):
        assert not asks_whether(question)
