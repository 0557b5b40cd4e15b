"""How right, on a fixed set: floors well under what was measured, so that a change which breaks answering is seen.

Figures to quote come from `python -m benchmarks.quality`, not from here.
"""

import pytest
from conftest import ROOT, open_assistant

from benchmarks.yardstick import PlainRetrieval
from chatbot.encoder import PackagedEncoder
from chatbot.evaluation import evaluate, read_questions, table
from chatbot.index import PassageIndex

QUESTIONS = read_questions([ROOT / "tests" / "questions" / "tune.jsonl"])
RETOLD = {"answerable": 0.85, "unanswerable": 0.85, "off_topic": 0.95, "sources_differ": 0.8, "multi_part": 0.6}
SIDE_BY_SIDE = 0.7
ORIGINALS = {"answerable": 0.68, "unanswerable": 0.68, "off_topic": 0.9}


@pytest.mark.parametrize("library", ["index", "originals"])
def test_most_questions_are_answered_or_refused_as_they_should_be(
    library: str, request: pytest.FixtureRequest, encoder: PackagedEncoder
) -> None:
    outcomes, _ = evaluate(open_assistant(request.getfixturevalue(library), encoder, "default"), QUESTIONS)
    found = table(outcomes)
    for kind, floor in (RETOLD if library == "index" else ORIGINALS).items():
        assert found[kind]["right"] >= floor, kind
    if library == "index":
        assert found["sources_differ"]["side_by_side"] >= SIDE_BY_SIDE


def test_the_yardstick_is_held_against_the_same_keys(index: PassageIndex, encoder: PackagedEncoder) -> None:
    some = [question for question in QUESTIONS if question["kind"] in ("answerable", "off_topic")][:60]
    found = table(evaluate(PlainRetrieval(index, encoder), some)[0])
    assert found["answerable"]["answered"] == 1.0, "without a threshold it answers whatever it is asked"
    assert 0.2 < found["answerable"]["right"] < 0.9
