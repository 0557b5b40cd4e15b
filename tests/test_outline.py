"""Laws of the outline of plain text, on pages unlike the ones in the library."""

import textwrap

import pytest

from chatbot.outline import (
    Block,
    guess_headings,
    is_heading_like,
    names_subject,
    nest,
    normalise,
    text_blocks,
)

LONG = "The loaf should rest for an hour before it is cut. " * 5


def outline(text: str, title: str = "Rye Bread at Home") -> list[tuple[int, str]]:
    blocks = nest(guess_headings(text_blocks(textwrap.dedent(text))), title)
    return [(block.level, block.text) for block in blocks if block.kind == "heading"]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in guess_headings(text_blocks(textwrap.dedent(text)))]


@pytest.mark.parametrize("text", ["Baking", "What Do I Need?", "Salt, Water and Time", "2 Kinds of Flour (Rye)"])
def test_what_may_be_a_heading(text: str) -> None:
    assert is_heading_like(text)


@pytest.mark.parametrize(
    "text",
    [
        "It is baked.",
        "You need:",
        "like",
        "Call 212-555-0199",
        "See www.bread.example",
        "Mix it. Then wait",
        "A line of far too many words to be the heading of any text",
    ],
)
def test_what_may_not(text: str) -> None:
    assert not is_heading_like(text)


def test_wrapped_lines_are_one_paragraph() -> None:
    text = """\
        Baking
        Rye dough is sticky, and no kneading
        changes that. It needs time above all
        things.
        It is ready after a night.

        - flour, as fresh as
          can be
        - salt
        """
    assert kinds(text) == [
        ("heading", "Baking"),
        ("paragraph", "Rye dough is sticky, and no kneading changes that. It needs time above all things."),
        ("paragraph", "It is ready after a night."),
        ("item", "flour, as fresh as can be"),
        ("item", "salt"),
    ]


def test_lines_too_long_to_be_wrapped_are_paragraphs() -> None:
    assert [block.text for block in text_blocks(f"{LONG}\nIt is short.\n{LONG}")] == [
        LONG.strip(),
        "It is short.",
        LONG.strip(),
    ]


def test_white_space_and_invisible_characters() -> None:
    assert normalise(" A\u00a0 loaf\u200b of\t\u00adrye \ufeff") == "A loaf of rye"


def test_numbered_lines_are_items_among_themselves_and_headings_over_text() -> None:
    assert kinds("1. Flour\n2. Water\n\nMix them well.") == [
        ("item", "Flour"),
        ("item", "Water"),
        ("paragraph", "Mix them well."),
    ]
    assert kinds("1) Mixing\n\nUse both hands.\n\n2) Waiting\n\nAn hour will do.") == [
        ("heading", "Mixing"),
        ("paragraph", "Use both hands."),
        ("heading", "Waiting"),
        ("paragraph", "An hour will do."),
    ]


def test_a_run_of_short_lines_is_no_run_of_headings() -> None:
    text = "Monday\n\nTuesday\n\nThursday\n\nOpening Hours\n\nWe open at six."
    assert [kind for kind, _ in kinds(text)] == ["paragraph"] * 3 + ["heading", "paragraph"]


def test_a_short_line_at_the_end_heads_nothing() -> None:
    assert kinds("Bake it.\n\nEnjoy Your Bread")[-1] == ("paragraph", "Enjoy Your Bread")


def test_a_broken_sentence_is_no_heading() -> None:
    assert kinds("The Dough\n\nis left to rise.")[0][0] == "paragraph"


def test_sentences_are_headings_only_where_the_page_makes_a_habit_of_it() -> None:
    once = f"{LONG}\n\nRye keeps well.\n\n{LONG}"
    assert [kind for kind, _ in kinds(once)] == ["paragraph"] * 3
    twice = f"{once}\n\nRye fills.\n\n{LONG}"
    assert [text for kind, text in kinds(twice) if kind == "heading"] == ["Rye keeps well.", "Rye fills."]


def test_a_heading_over_a_heading_is_its_parent() -> None:
    text = """\
        How Is Rye Bread Made?

        Mixing

        Use both hands.

        Waiting

        An hour will do.

        Why Bake Rye Bread?

        It keeps.
        """
    assert outline(text) == [
        (1, "How Is Rye Bread Made?"),
        (2, "Mixing"),
        (2, "Waiting"),
        (1, "Why Bake Rye Bread?"),
    ]


def test_a_lead_in_makes_a_parent_and_a_plain_section_does_not() -> None:
    text = f"""\
        What You Need

        There are three things to get:

        Flour

        Coarse is best.

        Conclusion

        Just begin.

        Storing

        {LONG}

        Freezing

        {LONG}
        """
    assert outline(text) == [
        (1, "What You Need"),
        (2, "Flour"),
        (1, "Conclusion"),
        (1, "Storing"),
        (1, "Freezing"),
    ]


def test_numbered_headings_belong_to_the_heading_before_and_numbered_questions_do_not() -> None:
    text = f"Steps\n\n{LONG}\n\n1. Mixing\n\nUse hands.\n\n2. Waiting\n\nAn hour.\n\nKeeping Rye Bread\n\n{LONG}"
    assert outline(text) == [(1, "Steps"), (2, "Mixing"), (2, "Waiting"), (1, "Keeping Rye Bread")]
    questions = f"Steps\n\n{LONG}\n\n1. Is it hard?\n\nNot at all.\n\n2. Is it dear?\n\nNo."
    assert outline(questions) == [(1, "Steps"), (1, "Is it hard?"), (1, "Is it dear?")]


def test_a_wide_space_ends_a_section_below_another() -> None:
    lines = ["Steps", "Do these:", "Mixing", "Use hands.", "", "Bread was dear once.", "Waiting", "An hour."]
    blocks = nest(guess_headings(text_blocks("\n\n".join(lines) + "\n\nOr more.\n\nOr a night.")), "Rye Bread")
    at = [block.text for block in blocks].index("Bread was dear once.")
    assert blocks[at - 1] == Block("heading", "", 2)


def test_where_wide_spaces_are_the_style_they_mean_nothing() -> None:
    assert not any(block.gap for block in text_blocks("A one.\n\n\nB two.\n\nC three.\n\n\nD four."))


@pytest.mark.parametrize(
    ("heading", "named"),
    [("Rye Breads of the North", True), ("Bread", False), ("Flour", False), ("Why BRAHs Rise", False)],
)
def test_the_subject_is_named_by_two_words_of_the_title(heading: str, named: bool) -> None:
    assert names_subject(heading, "Rye Bread at Home") is named


def test_the_subject_is_named_by_its_initials() -> None:
    assert names_subject("Who May Join the CSBs?", "The Community Sourdough Bakery")
    assert not names_subject("What the BBC Says", "The Community Sourdough Bakery")
