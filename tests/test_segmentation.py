"""A message is parted into its questions, and of each the sentence that asks is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.lexical import words
from chatbot.segmentation import MOST_PARTS, asking_sentence, split_questions

RELAYED = {
    "She asks how many hours it takes. What do I tell her?": ("how many hours it takes",),
    "plain outpatient (NOT intensive): how often is it and how long is each": (
        "plain outpatient (NOT intensive): how often is it",
        "how long is each",
    ),
    "two qs from HR: will they pay, and how long is he gone": ("will they pay", "how long is he gone"),
    "Caller is asking whether detox comes first, and who decides on the level of care": (
        "whether detox comes first",
        "who decides on the level of care",
    ),
    "does it work, and legally can they sack me?": ("does it work", "can they sack me?"),
    "Kindly state the weekly hours and where it sits among the levels": (
        "Kindly state the weekly hours",
        "where it sits among the levels",
    ),
    "Can he keep his post, and on how many days is he away?": ("Can he keep his post", "on how many days is he away?"),
    "how many hours a week & how are they split": ("how many hours a week", "how are they split"),
}


pieces = st.lists(
    st.sampled_from(
        [
            "what is it",
            "how long does it take",
            "and",
            "also",
            "plus",
            "my son drinks",
            "can he work",
            "?",
            ". ",
            ", ",
            "; ",
        ]
    ),
    max_size=12,
).map(" ".join)


@pytest.mark.parametrize(
    "message",
    [
        "does IOP include detox?",
        "what is CBT and DBT?",
        "bad back here, can't stand up for long. Is it most of the day?",
        "If he works nights, can he still join?",
        "When choosing a program, is a license needed?",
        "my son drinks. he lost his job. what can we do",
        "I already did a month away, why would this be any different?",
        "State law says that we need it, do they do it?",
        "Does it help with fear, after which I had a relapse?",
        "I heard what a month costs, which is more than I make. Is this cheaper?",
        "We run a small clinic and are short of staff. What would we gain?",
        "asdf",
        "",
        "?",
    ],
)
def test_one_question_is_one(message: str) -> None:
    assert split_questions(message) == (message,)


@pytest.mark.parametrize(
    ("message", "count"),
    [
        ("What is an IOP and how long does it take?", 2),
        ("what is an IOP? does it include detox? can I work meanwhile?", 3),
        ("Does it cost less than rehab, and is it private?", 2),
        ("He can keep his job? And after it is over, is it possible to come back?", 2),
        ("If I slip can I call someone... also do they have a group at night", 2),
        ("what is it good for, and once it is over do I need more", 2),
        ("Could you give me their number please, and tell me which town they are in.", 2),
        ("yo do they test me & is there someone to talk to", 2),
        ("what's the first part for, what's the second, and how about the third", 3),
        ("Please advise whether he may live there; and, further, whether the hours are ever fewer.", 2),
        ("I have two kids and no sitter can a mother do this and what if the house is loud", 2),
        ("any chance of a mentor, can i reach staff at night, can my dog come", 3),
        ("1. Is it private?\n2. Who pays for it?\n3. How long is it?", 3),
        ("two questions from HR: will insurance cover it, and how long might he be gone", 2),
    ],
)
def test_several_questions_are_parted(message: str, count: int) -> None:
    assert len(split_questions(message)) == count


@given(pieces)
def test_parting_loses_no_word(message: str) -> None:
    parts = split_questions(message)
    assert 1 <= len(parts) <= MOST_PARTS
    left = words(" ".join(parts))
    for word in words(message):
        if left and left[0] == word:
            left.pop(0)
        else:
            assert word in ("and", "also", "plus")
    assert left == []


@given(st.text())
def test_any_message_can_be_parted(message: str) -> None:
    parts = split_questions(message)
    assert parts == (message,) or all(part.strip() for part in parts)


@pytest.mark.parametrize(("message", "parts"), RELAYED.items())
def test_who_asks_is_no_part_of_a_question(message: str, parts: tuple[str, ...]) -> None:
    assert split_questions(message) == parts


@pytest.mark.parametrize(
    ("question", "asking"),
    [
        ("I work until five. Can I come in the evening?", "Can I come in the evening?"),
        ("can he drive himself there? he lost his car", "can he drive himself there?"),
        ("my shifts change. how many days a week do they meet", "how many days a week do they meet"),
        ("Can I come in the evening?", ""),
        ("I work until five. I am tired.", ""),
        ("Is it far? Is it near the station?", ""),
        ("He is sixteen. Why not?", ""),
    ],
)
def test_the_sentence_that_asks_is_found_where_there_is_one_beside_others(question: str, asking: str) -> None:
    assert asking_sentence(question) == asking


@given(st.text())
def test_what_asks_stands_in_the_question_and_is_not_all_of_it(question: str) -> None:
    asking = asking_sentence(question)
    assert asking in question
    assert asking != question.strip() or not asking
