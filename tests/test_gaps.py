"""Laws of groups: whoever asks the same stands in one, nobody's single question is shown, and order makes no difference."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.encoder import PackagedEncoder
from chatbot.gaps import FEWEST, Gap, Gaps, together
from chatbot.graph import Vectors
from chatbot.index import PassageIndex

BINS = ("where can I get a compost bin", "who sells compost bins", "which shop has compost bins", "Where to buy a bin?")
SNOW = ("will it snow tomorrow", "is there going to be snow tomorrow", "snow forecast for tomorrow")
ASKED = [
    {"question": question, "at": f"2026-01-{number:02}T10:00Z"}
    for number, question in enumerate([*BINS, *SNOW, "how do i fly a kite", "  WILL it   snow tomorrow "], 1)
]


class Counting(PackagedEncoder):
    """The real encoder, which remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return super().encode_questions(texts)


@pytest.fixture
def groups(small: PassageIndex, encoder: PackagedEncoder) -> tuple[Gap, ...]:
    return Gaps()(ASKED, small, encoder)


def test_questions_with_one_meaning_are_one_group_and_the_largest_comes_first(groups: tuple[Gap, ...]) -> None:
    told = [{wording.text for wording in group.wordings} for group in groups]
    assert {frozenset(one) for one in told} == {frozenset(BINS), frozenset(SNOW)}
    counts = [group.count for group in groups]
    assert counts == [4, 4] and sum(counts) == len(ASKED) - 1


def test_the_same_words_are_counted_together(groups: tuple[Gap, ...]) -> None:
    (snow,) = [group for group in groups if group.wordings[0].text in SNOW]
    assert (snow.wordings[0].text, snow.wordings[0].count) == ("will it snow tomorrow", 2)
    assert snow.last == "2026-01-09T10:00Z"
    assert sum(wording.count for wording in snow.wordings) == snow.count


def test_the_nearest_known_question_is_named(groups: tuple[Gap, ...]) -> None:
    (bins,) = [group for group in groups if group.wordings[0].text in BINS]
    assert bins.nearest is not None
    assert bins.nearest.text == "where can i buy a compost bin"
    assert 0.5 < bins.cosine <= 1


def test_what_fewer_have_asked_is_not_shown(small: PassageIndex, encoder: PackagedEncoder) -> None:
    assert Gaps()(ASKED[: FEWEST - 1], small, encoder) == ()
    assert len(Gaps()(ASKED[:FEWEST], small, encoder)) == 1
    assert Gaps()([], small, encoder) == ()


def test_what_is_a_known_question_by_now_is_not_shown(small: PassageIndex, encoder: PackagedEncoder) -> None:
    asked = [{"question": "Where can I buy a  compost bin", "at": "2026-01-01T10:00Z"}] * 5
    assert Gaps()(asked, small, encoder) == ()


def test_neither_order_nor_what_was_grouped_before_makes_a_difference(
    small: PassageIndex, encoder: PackagedEncoder
) -> None:
    once, used = Gaps()(ASKED, small, encoder), Gaps()
    for seed in range(4):
        mixed = random.Random(seed).sample(ASKED, len(ASKED))
        used(mixed[: 3 + seed], small, encoder)
        assert used(mixed, small, encoder) == once


def test_only_new_questions_are_embedded(small: PassageIndex) -> None:
    encoder, grouping = Counting(), Gaps()
    grouping(ASKED, small, encoder)
    assert len(encoder.texts) == len(ASKED) - 1
    grouping([*ASKED, {"question": "what else", "at": "2026-01-10T10:00Z"}], small, encoder)
    assert encoder.texts[len(ASKED) - 1 :] == ["what else"]


@given(st.integers(0, 30), st.integers(0, 2**32 - 1), st.floats(0.05, 1.5))
def test_every_row_is_in_one_group_and_equal_rows_in_the_same(count: int, seed: int, apart: float) -> None:
    rows = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    groups = together(np.concatenate([rows, rows]), apart)
    assert sorted(place for group in groups for place in group) == list(range(2 * count))
    for group in groups:
        assert {place % count for place in group} <= {place % count for place in group if place + count in group}
        means = [float((1 - rows[[p % count]] @ rows[[q % count]].T)[0, 0]) for p in group for q in group if p != q]
        assert sum(means) / len(means) <= 2 * apart
