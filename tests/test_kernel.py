"""Kernel ridge regression: a known row is worth its label, and repetition is not evidence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.kernel import RIDGE, weights


def unit_rows(seed: int, count: int, dim: int = 16) -> np.ndarray:  # type: ignore[type-arg]
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@given(st.integers(0, 10**6), st.integers(1, 40))
def test_it_is_the_solution_of_ridge_regression(seed: int, count: int) -> None:
    rows, query = unit_rows(seed, count), unit_rows(seed + 1, 1)[0]
    labels = np.random.default_rng(seed).choice([-1.0, 1.0], count)
    distance = ((rows[:, None, :] - rows[None, :, :]) ** 2).sum(-1)
    dual = np.linalg.solve(np.exp(-distance) + RIDGE * np.eye(count), labels)
    wanted = np.exp(-((rows - query) ** 2).sum(1)) @ dual
    assert weights(rows @ query, rows) @ labels == pytest.approx(float(wanted), abs=1e-3)


@given(st.integers(0, 10**6))
def test_a_known_row_is_worth_about_its_label(seed: int) -> None:
    rows = unit_rows(seed, 10)
    labels = np.where(np.arange(10) % 2, 1.0, -1.0)
    for row, label in zip(rows, labels, strict=True):
        assert np.sign(weights(rows @ row, rows) @ labels) == label


def test_a_row_repeated_does_not_outvote_another() -> None:
    one, other = np.eye(16, dtype=np.float32)[:2]
    query = (one + other) / np.sqrt(2)
    rows = np.stack([one] * 30 + [other])
    found = weights(rows @ query, rows)
    assert found[:30].sum() == pytest.approx(found[30], rel=0.05)


def test_no_rows_have_no_weights() -> None:
    assert weights(np.zeros(0, np.float32), np.zeros((0, 16), np.float32)).shape == (0,)
