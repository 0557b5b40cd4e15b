"""The reader: a probability for each hit, the published weights or nothing."""

import json
import math
import shutil
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chatbot.encoder import PackagedEncoder
from chatbot.errors import ModelError
from chatbot.index import PassageIndex
from chatbot.reader import (
    CALIBRATION,
    WEIGHTS,
    WITH_QUESTIONS,
    Calibration,
    CrossEncoderReader,
    Curve,
    Reader,
    RetrievalReader,
    question_signals,
    reader_input,
    signals,
)
from chatbot.retrieval import BM25_HALF, Retriever, Search

QUESTIONS = ["does IOP include detox?", "what is DBT", "who won the world cup?", "asdf", "?", "rent " * 40]
SIGNALS, QUESTION_SIGNALS = 11, 17


@pytest.fixture(scope="module")
def retriever(index: PassageIndex, encoder: PackagedEncoder) -> Retriever:
    return Retriever(index, encoder)


@pytest.fixture(scope="module", params=["none", "default"])
def reader(request: pytest.FixtureRequest, index: PassageIndex) -> Reader:
    return RetrievalReader(index) if request.param == "none" else CrossEncoderReader(index)


@pytest.mark.parametrize("question", QUESTIONS)
def test_support_is_a_probability_for_each_hit(reader: Reader, retriever: Retriever, question: str) -> None:
    search = retriever.search(question, 12)
    support = reader.support(question, search)
    assert support.shape == (12,)
    assert np.isfinite(support).all()
    assert ((support >= 0) & (support <= 1)).all()


def test_a_long_question_is_read_too(index: PassageIndex, retriever: Retriever) -> None:
    search = retriever.search("rent " * 300, 12)
    assert CrossEncoderReader(index).support("rent " * 300, search).shape == (12,)


def test_no_hits_have_no_support(reader: Reader) -> None:
    assert reader.support("anything", Search(())).shape == (0,)


def test_the_same_search_has_the_same_support(reader: Reader, retriever: Retriever) -> None:
    for question in QUESTIONS:
        search = retriever.search(question)
        assert reader.support(question, search).tobytes() == reader.support(question, search).tobytes()


def test_what_is_asked_for_has_more_support_than_what_is_not(reader: Reader, retriever: Retriever) -> None:
    asked = "does IOP include detox?"
    other = "who won the world cup?"
    assert reader.support(asked, retriever.search(asked)).max() > reader.support(other, retriever.search(other)).max()


def test_the_signals_are_the_scores(retriever: Retriever) -> None:
    search = retriever.search(QUESTIONS[0])
    values = signals(search, None)
    assert values.shape == (len(search.hits), SIGNALS)
    for row, hit in zip(values, search.hits, strict=True):
        assert row.tolist() == pytest.approx(
            [
                0.0,
                hit.cosine,
                hit.passage_cosine,
                hit.bm25 / (hit.bm25 + BM25_HALF),
                hit.passage_bm25 / (hit.passage_bm25 + BM25_HALF),
                hit.known,
                search.unanswered,
                search.answered - search.unanswered,
                hit.known - search.answered,
                hit.known**2,
                hit.vote,
            ]
        )
    logits = np.arange(len(search.hits), dtype=np.float64)
    assert signals(search, logits)[:, 0].tolist() == logits.tolist()


def test_the_question_signals_are_of_the_whole_search(retriever: Retriever) -> None:
    search = retriever.search(QUESTIONS[0])
    near = sorted((hit.cosine for hit in search.hits), reverse=True)
    shared = [hit.bm25 / (hit.bm25 + BM25_HALF) for hit in search.hits]
    assert question_signals(search, np.arange(len(search.hits), dtype=np.float64)).tolist() == pytest.approx(
        [
            search.answered - search.unanswered,
            search.answered,
            search.unanswered,
            len(search.hits) - 1,
            max(hit.cosine for hit in search.hits),
            max(hit.passage_cosine for hit in search.hits),
            search.vote,
            max(hit.vote for hit in search.hits),
            *search.agreed,
            len(search.hits) - 2,
            (len(search.hits) - 1) / 2,
            fmean(near[:3]),
            fmean(near),
            fmean(hit.passage_cosine for hit in search.hits),
            max(shared),
            fmean(shared),
        ]
    )


def test_the_calibration_that_ships_fits_the_signals(retriever: Retriever) -> None:
    fitted = json.loads(CALIBRATION.read_text("utf-8"))
    for kind in ("none", "default") if WEIGHTS.exists() else ("none",):
        for known in ("with", "without"):
            for part, count in (("question", QUESTION_SIGNALS), ("sentence", SIGNALS)):
                curve = fitted[f"{kind}, {known} questions"][part]
                assert len(curve["weights"]) == count
                assert all(map(math.isfinite, [*curve["weights"], curve["offset"]]))
        assert set(fitted[f"{kind}, with questions"]["question"]["weights"][WITH_QUESTIONS:]) == {0.0}


@given(arrays(np.float64, (4, 3), elements=st.floats(-30, 30)))
def test_a_curve_is_logistic(values: np.ndarray) -> None:  # type: ignore[type-arg]
    curve = Curve(np.array([1.0, -0.5, 0.25]), -1.0)
    for row, support in zip(values, curve(values), strict=True):
        wanted = 1 / (1 + math.exp(-(row[0] - 0.5 * row[1] + 0.25 * row[2] - 1.0)))
        assert support == pytest.approx(wanted)


def test_the_best_sentence_has_the_support_of_the_question(retriever: Retriever) -> None:
    calibrated = Calibration("none", True)
    for question in QUESTIONS[:3]:
        search = retriever.search(question, 12)
        answered = float(calibrated._question(question_signals(search, None)))
        assert calibrated(search, None).max() == pytest.approx(answered)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{}",
        '{"none, with questions": {}}',
        '{"none, with questions": {"question": {"weights": [1], "offset": null}, "sentence": {}}}',
        "[1]",
    ],
)
def test_a_damaged_calibration_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "calibration.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelError, match="reinstall"):
        Calibration("none", True, path)


@pytest.mark.parametrize("missing", ["weights", "digest", "both"])
def test_weights_that_are_missing_are_named(tmp_path: Path, small: PassageIndex, missing: str) -> None:
    if missing == "digest":
        (tmp_path / "reader.onnx").write_bytes(b"x")
    if missing == "weights":
        (tmp_path / "reader.sha256").write_text("0" * 64)
    with pytest.raises(ModelError, match="reinstall"):
        CrossEncoderReader(small, tmp_path / "reader.onnx")


@pytest.mark.parametrize("digest", ["0" * 64, "0" * 64 + "  reader.onnx\n"])
def test_weights_that_were_not_published_are_refused(tmp_path: Path, small: PassageIndex, digest: str) -> None:
    (tmp_path / "reader.onnx").write_bytes(b"something else")
    (tmp_path / "reader.sha256").write_text(digest)
    with pytest.raises(ModelError, match=r"reader\.onnx"):
        CrossEncoderReader(small, tmp_path / "reader.onnx")


def test_one_altered_byte_of_the_weights_is_noticed(tmp_path: Path, small: PassageIndex) -> None:
    content = bytearray(WEIGHTS.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "reader.onnx").write_bytes(content)
    shutil.copy(WEIGHTS.with_suffix(".sha256"), tmp_path)
    with pytest.raises(ModelError):
        CrossEncoderReader(small, tmp_path / "reader.onnx")


def test_a_sentence_is_read_under_its_heading() -> None:
    assert reader_input("Care", "A heap is warm.", "Worms eat.") == "Care: Worms eat."
    assert reader_input("Care", "", "They eat.") == "Care: They eat."


def test_a_sentence_that_leans_back_is_read_with_the_one_before_it() -> None:
    read = reader_input("Care", "Worms live here.", "They eat.")
    assert read.startswith("Care: They eat.")
    assert read.endswith("Worms live here.")
