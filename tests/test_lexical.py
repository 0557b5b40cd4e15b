"""Laws of BM25: the scores are those of the formula, and a saved index is the same index."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.lexical import STOP_WORDS, LexicalIndex, stem, terms, words

K1, B = 1.5, 0.75
text = st.lists(st.sampled_from("ab bc cd de ef fg".split()), max_size=12)
texts = st.lists(text, max_size=12)


def formula(collection: list[list[str]], query: list[str]) -> npt.NDArray[np.float64]:
    """BM25 as Lucene has it (Kamphuis and others 2020, table 1), from its definition."""
    scores = np.zeros(len(collection))
    mean = sum(map(len, collection)) / len(collection) if collection else 0.0
    for term in set(query):
        holding = sum(term in each for each in collection)
        if holding:
            rarity = math.log(1 + (len(collection) - holding + 0.5) / (holding + 0.5))
            for number, each in enumerate(collection):
                count = each.count(term)
                scores[number] += rarity * count / (count + K1 * (1 - B + B * len(each) / mean))
    return scores


@given(texts, text)
def test_scores_are_those_of_the_formula(collection: list[list[str]], query: list[str]) -> None:
    found = LexicalIndex.build(collection).scores(query)
    assert found.dtype == np.float32
    assert found.shape == (len(collection),)
    np.testing.assert_allclose(found, formula(collection, query), rtol=1e-4, atol=1e-6)


@given(texts, text)
def test_a_score_is_above_zero_just_where_a_term_is_shared(collection: list[list[str]], query: list[str]) -> None:
    found = LexicalIndex.build(collection).scores(query)
    assert [score > 0 for score in found.tolist()] == [bool(set(each) & set(query)) for each in collection]


@pytest.mark.parametrize("collection", [[], [[]], [["a"]], [["a", "b"], [], ["b", "b", "c"]]])
def test_saving_and_loading_is_the_identity(collection: list[list[str]], tmp_path: Path) -> None:
    index = LexicalIndex.build(collection)
    index.save(tmp_path / "one")
    loaded = LexicalIndex.load(tmp_path / "one")
    loaded.save(tmp_path / "two")
    assert (len(loaded), loaded.vocabulary) == (len(collection), index.vocabulary)
    assert loaded.scores(["a", "b", "zzz"]).tobytes() == index.scores(["a", "b", "zzz"]).tobytes()
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_order_and_repetition_of_a_query_make_no_difference() -> None:
    index = LexicalIndex.build([["a", "b"], ["b", "c"]])
    assert index.scores(["b", "a", "a"]).tobytes() == index.scores(["a", "b"]).tobytes()


@pytest.mark.parametrize(
    ("spoken", "found"),
    [
        ("Don't stop!", ["don", "stop"]),
        ("the program’s cost", ["the", "program", "cost"]),
        ("24/7 care, 3.5 hrs", ["24", "7", "care", "3", "5", "hrs"]),
        ("", []),
        ("…?!", []),
    ],
)
def test_words(spoken: str, found: list[str]) -> None:
    assert words(spoken) == found


@given(st.text())
def test_terms_are_stems_of_words_that_carry_a_subject(spoken: str) -> None:
    kept = [word for word in words(spoken) if word not in STOP_WORDS]
    assert terms(spoken) == [stem(word) for word in kept]


@pytest.mark.parametrize(
    ("one", "other"), [("therapies", "therapy"), ("relapsing", "relapse"), ("programs", "program"), ("costs", "cost")]
)
def test_inflections_share_a_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_stop_words_are_words_as_they_are_cut() -> None:
    assert all(words(word) == [word] for word in STOP_WORDS)
