"""Laws of contradictions: figures that can't both be right, a duty against a choice, and the pairs of the library."""

from math import inf

import pytest

from chatbot.contradictions import Matter, Stance, amounts, apart, contradictions, opposed, opposites, stance
from chatbot.differences import Quantity
from chatbot.index import PassageIndex


def quantity(low: float, high: float) -> Quantity:
    return Quantity(low, high, "hour", "day")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((4, 6), (3, 4), True),
        ((3, 3), (9, 9), True),
        ((9, inf), (12, inf), True),
        ((0, 3), (0, 4), True),
        ((3, 4), (3, 3), False),  # one leaves room for the other
        ((9, 9), (9, inf), False),
        ((9, inf), (9, inf), False),
    ],
)
def test_figures_are_apart_where_neither_leaves_room_for_the_other(
    one: tuple[float, float], other: tuple[float, float], expected: bool
) -> None:
    assert apart(quantity(*one), quantity(*other)) is expected
    assert apart(quantity(*other), quantity(*one)) is expected


@pytest.mark.parametrize(
    ("text", "key", "low", "high"),
    [
        ("Members come to more than three sessions each week.", ("session", "week"), 4, inf),
        ("Members come at least three days a week.", ("session", "week"), 3, inf),
        ("A session lasts 3 to 4 hours.", ("hour", "day"), 3, 4),
        ("Members give at least 9 hours of weekly therapy, spread over sessions.", ("hour", "week"), 9, inf),
        ("Members come 3 days a week for two hours a day.", ("hour", "week"), 6, 6),
    ],
)
def test_a_figure_is_taken_by_what_it_measures(text: str, key: tuple[str, str], low: float, high: float) -> None:
    found = amounts(text)[key]
    assert (found.low, found.high) == (low, high)


@pytest.mark.parametrize(
    "text", ["It needs no 24-hour care.", "They come several days a week.", "There are one-on-one sessions a week."]
)
def test_a_way_of_speaking_is_no_figure(text: str) -> None:
    assert amounts(text) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("At its core, a program includes drug testing.", Stance.MUST),
        ("Members must come weekly.", Stance.MUST),
        ("A program may include drug testing.", Stance.MAY),
        ("Drug testing is optional.", Stance.MAY),
        ("A program does not include detox.", Stance.NOT),
        ("Members do not have to stay.", Stance.NOT),
        ("A program helps people who must work.", Stance.PLAIN),  # that is said of the people
        ("A program includes drug testing.", Stance.PLAIN),
    ],
)
def test_how_a_sentence_puts_it(text: str, expected: Stance) -> None:
    assert stance(text) is expected


def test_only_a_duty_is_opposed_to_a_choice_or_a_no() -> None:
    for one in Stance:
        for other in Stance:
            assert opposed(one, other) == opposed(other, one)
            assert not opposed(one, one)
    assert opposed(Stance.MUST, Stance.MAY) and opposed(Stance.MUST, Stance.NOT)
    assert not opposed(Stance.MAY, Stance.NOT) and not opposed(Stance.MUST, Stance.PLAIN)


def test_the_library_contradicts_itself_where_it_is_known_to(index: PassageIndex) -> None:
    found = contradictions(index)
    told = {
        (*sorted(index.passages[index.sentences[side.row][0]].article for side in (one.one, one.other)), one.about)
        for one in found
    }
    assert told == {
        ("casa-palmera", "swiss-hospitality", "sessions a week"),
        ("addiction-program", "casa-palmera", "hours a day"),
        ("casa-palmera", "synergy-sobriety", "sessions a week"),
        ("casa-palmera", "synergy-sobriety", "hours a week"),
        ("addiction-program", "miosuperhealth", "family therapy"),
        ("addiction-program", "miosuperhealth", "drug testing"),
        ("addiction-program", "swiss-hospitality", "whom it is for"),
        ("miosuperhealth", "swiss-hospitality", "whom it is for"),
    }
    assert [one.sure for one in found] == sorted((one.sure for one in found), reverse=True)
    assert found == contradictions(index)


def test_a_library_that_agrees_has_none(small: PassageIndex) -> None:
    assert contradictions(small) == ()


@pytest.mark.parametrize("matter", Matter)
def test_opposites_are_the_two_sides_of_each_difference(
    index: PassageIndex, small: PassageIndex, matter: Matter
) -> None:
    found = opposites(index)[matter]
    sides = {(one.one.row, one.other.row) for one in contradictions(index) if one.matter is matter}
    assert sides
    assert {(row, other) for row, against in found.items() for other in against} == sides | {(b, a) for a, b in sides}
    assert opposites(small)[matter] == {}
