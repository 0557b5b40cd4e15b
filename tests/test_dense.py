"""Laws of dense search: FAISS gives the cosines that brute force gives; a saved index is the same index."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chatbot.dense import DenseIndex
from chatbot.index import PassageIndex

DIM = 8
Rows = npt.NDArray[np.float32]


def unit(rows: npt.NDArray[np.float64]) -> Rows:
    rows = np.where(np.linalg.norm(rows, axis=1, keepdims=True) < 1e-3, 1.0, rows)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


some_rows = st.integers(0, 40).flatmap(
    lambda count: arrays(np.float64, (count, DIM), elements=st.floats(-1, 1, width=16)).map(unit)
)
one_row = arrays(np.float64, (1, DIM), elements=st.floats(-1, 1, width=16)).map(unit).map(lambda rows: rows[0])


@given(some_rows, one_row)
def test_cosines_are_those_of_brute_force(rows: Rows, query: Rows) -> None:
    found = DenseIndex.build(rows).cosines(query)
    assert found.dtype == np.float32
    assert found.shape == (len(rows),)
    np.testing.assert_allclose(found, rows.astype(np.float64) @ query.astype(np.float64), atol=1e-6)


@given(some_rows)
def test_rows_come_back_as_they_were_added(rows: Rows) -> None:
    index = DenseIndex.build(rows)
    assert len(index) == len(rows)
    assert index.dim == DIM
    assert index.rows().tobytes() == rows.tobytes()


@pytest.mark.parametrize("count", [0, 1, 500])
def test_saving_and_loading_is_the_identity(count: int, tmp_path: Path) -> None:
    rows = unit(np.random.default_rng(7).normal(size=(count, DIM)))
    index = DenseIndex.build(rows)
    index.save(tmp_path / "one")
    loaded = DenseIndex.load(tmp_path / "one")
    loaded.save(tmp_path / "two")
    assert loaded.rows().tobytes() == rows.tobytes()
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    query = unit(np.ones((1, DIM)))[0]
    assert loaded.cosines(query).tobytes() == index.cosines(query).tobytes()


def test_equal_rows_have_equal_cosines_and_each_row_its_own() -> None:
    rows = unit(np.random.default_rng(7).normal(size=(300, DIM)))
    twice = np.concatenate([rows, rows])
    found = DenseIndex.build(twice).cosines(rows[5])
    assert found[:300].tobytes() == found[300:].tobytes()
    assert int(np.argmax(found)) == 5
    assert found[5] == pytest.approx(1.0, abs=1e-6)


def test_the_rows_of_the_index_are_unit_rows(index: PassageIndex) -> None:
    for part in (index.rows.passages, index.rows.sentences, index.rows.questions):
        np.testing.assert_allclose(np.linalg.norm(part.rows(), axis=1), 1.0, atol=1e-5)


def test_bytes_that_are_no_index_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rubbish").write_bytes(b"rubbish" * 100)
    with pytest.raises(RuntimeError):
        DenseIndex.load(tmp_path / "rubbish")
