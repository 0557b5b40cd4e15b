"""Laws of cleaning saved pages: boilerplate goes and is listed, and nothing that a reader may need goes."""

import pytest

from chatbot.cleaning import Cleaned, clean, is_announcement, is_call, page_date
from chatbot.outline import text_blocks

TITLE = "Rye Bread at Home"
LONG = "The loaf should rest for an hour before it is cut, and longer does no harm. " * 3


def cleaned(*lines: str, title: str | None = TITLE) -> Cleaned:
    return clean(text_blocks("\n\n".join(lines)), title, guess=True)


def texts(page: Cleaned) -> list[str]:
    return [block.text for block in page.blocks]


def test_menu_doubled_title_and_reactions() -> None:
    page = cleaned(
        "Skip to content",
        "Shop",
        "Our Recipes",
        f"{TITLE} | The Bakery",
        TITLE,
        "It keeps.",
        "What’s Your Reaction?",
        "love",
        "sad",
    )
    assert texts(page) == ["It keeps."]
    assert sorted(page.dropped) == sorted(
        ["Skip to content", "Shop", "Our Recipes", TITLE, "What’s Your Reaction?", "love", "sad"]
    )


def test_the_title_is_found_below_the_furniture() -> None:
    assert cleaned("Skip to content", TITLE, "It keeps.", title=None).title == TITLE


def test_a_title_printed_late_makes_no_menu_of_the_article() -> None:
    page = cleaned("Keeping It", LONG, "Slicing It", LONG, TITLE)
    assert texts(page) == ["Keeping It", LONG.strip(), "Slicing It", LONG.strip()]


def test_doubled_headings_in_one_section_and_not_in_two() -> None:
    page = cleaned("Mixing", "Mixing", LONG, "Mixing", LONG, "Waiting", LONG, "Mixing", LONG)
    assert page.dropped == ["Mixing", "Mixing"]
    assert texts(page).count("Mixing") == 2


def test_captions() -> None:
    """One repeats a heading, one alone has kept it."""
    page = cleaned("Mixing - Rye Bread", "Mixing", LONG, "Waiting - Rye Bread", LONG)
    assert texts(page) == ["Mixing", LONG.strip(), "Waiting", LONG.strip()]
    assert page.dropped == ["Mixing - Rye Bread", "Waiting - Rye Bread"]


def test_a_caption_goes_up_to_the_wide_space_where_its_heading_was() -> None:
    page = cleaned(
        "Steps", LONG, "", "Flour it.", "Waiting - Rye Bread", "Salt it.", "Baking", LONG, "Done.", "Eat it."
    )
    assert texts(page)[:5] == ["Steps", LONG.strip(), "Waiting", "Flour it.", "Salt it."]


def test_a_dash_alone_makes_no_caption() -> None:
    page = cleaned("Mixing - By Hand", LONG, "Mixing - By Machine", LONG)
    assert page.dropped == []


def test_a_section_without_text_about_the_author_goes_and_one_with_text_stays() -> None:
    assert cleaned(LONG, "About the Author", "Sources", LONG).dropped == ["About the Author"]
    assert cleaned(LONG, "About the Author", LONG).dropped == []


@pytest.mark.parametrize(
    ("line", "date"),
    [
        ("Content updated on 03/29/24", "2024-03-29"),
        ("Last updated: March 5, 2023", "2023-03-05"),
        ("Published on 2022-11-02", "2022-11-02"),
        ("Updated 29.3.2024", "2024-03-29"),
        ("Updated 03/04/24", None),
    ],
)
def test_dates(line: str, date: str | None) -> None:
    page = cleaned(line, LONG)
    assert (page.updated, page.dropped) == (date, [line])


def test_an_update_wins_over_the_publication() -> None:
    assert cleaned("Published on 2022-11-02", "Updated on 2023-01-05", LONG).updated == "2023-01-05"


@pytest.mark.parametrize("text", ["02/30/24", "13/13/24", "soon", "May 2024"])
def test_what_is_no_date(text: str) -> None:
    assert page_date(text) is None


@pytest.mark.parametrize(
    "text", ["Contact us today!", "Contact The Bakery now, and we will help.", "Follow us for more bread!"]
)
def test_calls(text: str) -> None:
    assert is_call(text)


@pytest.mark.parametrize(
    "text",
    [
        "Call us today at 212-555-0199!",
        "Call 911 now, or call us!",
        "Contact us now if you feel unwell.",
        "Contact your doctor today, and tell us more.",
        "Write to us today at rye@bread.example!",
        "Call your mother today.",
        "We call our bread rye.",
    ],
)
def test_what_is_no_call(text: str) -> None:
    assert not is_call(text)


@pytest.mark.parametrize(
    "text",
    [
        "In this article, we’ll explore rye. This guide will help you.",
        "Next, let's look at flour.",
        "This post covers the oven.",
    ],
)
def test_announcements(text: str) -> None:
    assert is_announcement(text)
    assert cleaned(LONG, text, LONG).dropped == [text]


@pytest.mark.parametrize(
    "text",
    [
        "In this guide, we will explore rye. Rye keeps for a week.",
        "Let's look at the 3 kinds.",
        "We will discuss your goals with you.",
        "This article is about rye.",
    ],
)
def test_what_says_more_than_an_announcement(text: str) -> None:
    assert not is_announcement(text)


@pytest.mark.parametrize("line", ["Disclaimer", "Photo by: Jo, 212-555-0199", "© Jo, jo@bread.example"])
def test_what_is_never_left_out(line: str) -> None:
    page = cleaned(LONG, line, LONG)
    assert line in texts(page)
    assert page.dropped == []
