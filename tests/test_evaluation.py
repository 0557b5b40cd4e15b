"""Measuring: the judge on cases judged by hand, and figures that follow from their definitions."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from chatbot import evaluation
from chatbot.answers import Answer, Citation, Status
from chatbot.assistant import Assistant
from chatbot.evaluation import (
    Outcome,
    area,
    changes,
    fair,
    interval,
    judge,
    read_questions,
    reliability,
    risk_coverage,
    table,
)

ONE: dict[str, Any] = {
    "id": "q1",
    "kind": "answerable",
    "question": "how long?",
    "sections": [["heap", "How long does it take?"]],
    "facts": [["nine", "months?"], ["winter"]],
}
NONE: dict[str, Any] = {"id": "q2", "kind": "unanswerable", "question": "where to buy?", "sections": [], "facts": []}
TWO: dict[str, Any] = {
    "id": "q3",
    "kind": "multi_part",
    "question": "how long, and is it smelly?",
    "parts": [
        {"sections": [["heap", "How long does it take?"]], "facts": [["nine"]]},
        {"sections": [["box", "Smell"]], "facts": [["sour"]]},
    ],
}


def said(*quotes: tuple[str, str, str], status: Status = Status.ANSWERED, support: float | None = 0.8) -> Answer:
    """An answer with these (article, section, quote)."""
    citations = tuple(
        Citation(number, article, "T", None, section, None, None, "summary", quote, 0, len(quote))
        for number, (article, section, quote) in enumerate(quotes, 1)
    )
    return Answer(status, " ".join(quote for _, _, quote in quotes), citations, support=support)


def outcome(right: bool, answered: bool = True, support: float = 0.5, **more: Any) -> Outcome:
    fields = {"id": "q", "kind": "answerable", "topic": "", "question": "?", "status": "answered", "text": ""}
    return Outcome(**{**fields, "answered": answered, "cited": right, "complete": right, "support": support, **more})


outcomes = st.lists(st.builds(outcome, st.booleans(), st.booleans(), st.floats(0, 1)), max_size=30)

WHOLE = ("heap", "How long does it take?", "It takes nine months, in winter too.")


@pytest.mark.parametrize(
    ("answer", "cited", "complete"),
    [
        (said(WHOLE), True, True),
        (said((*WHOLE[:2], "It takes nine weeks."), (*WHOLE[:2], "Winter adds months.")), True, False),
        (said((*WHOLE[:2], "Nine months."), (*WHOLE[:2], "WINTER is slow.")), True, True),
        (said((*WHOLE[:2], "It takes long.")), True, False),
        (said(("heap", "Help", WHOLE[2])), False, True),
        (said(("box", WHOLE[1], WHOLE[2])), False, True),
        (said(("heap", "3. How Long Does It Take", WHOLE[2])), True, True),
        (said(), False, False),
        (said(WHOLE, status=Status.SOURCES_DIFFER), True, True),
        (said(WHOLE, status=Status.NOT_COVERED), False, False),
        (said(status=Status.CRISIS), False, False),
    ],
)
def test_an_answerable_question(answer: Answer, cited: bool, complete: bool) -> None:
    found = judge(ONE, answer)
    assert (found.cited, found.complete, found.right) == (cited, complete, cited and complete)
    assert (found.id, found.kind, found.question, found.status) == ("q1", "answerable", "how long?", str(answer.status))


@pytest.mark.parametrize("kind", ["unanswerable", "off_topic"])
@pytest.mark.parametrize("status", list(Status))
def test_a_question_without_an_answer_is_right_when_it_is_not_answered(kind: str, status: Status) -> None:
    found = judge({**NONE, "kind": kind}, said(status=status))
    assert found.right is (status not in (Status.ANSWERED, Status.SOURCES_DIFFER, Status.PARTLY_ANSWERED))


def test_all_parts_of_a_question_are_asked_for() -> None:
    both = (WHOLE, ("box", "Smell", "It may smell sour."))
    assert judge(TWO, said(*both)).right
    assert not judge(TWO, said(both[0])).right
    assert not judge(TWO, said(both[0])).cited
    assert not judge(TWO, said(both[1])).right


def test_a_part_that_is_not_covered_is_to_be_named() -> None:
    question = {**TWO, "parts": [TWO["parts"][0], {"answerable": False, "sections": [], "facts": []}]}
    assert judge(question, said(WHOLE, status=Status.PARTLY_ANSWERED)).right
    assert not judge(question, said(WHOLE)).right


def test_no_support_counts_as_none() -> None:
    assert judge(ONE, said(support=None)).support == 0.0


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_an_interval_holds_the_share(values: list[bool]) -> None:
    low, high = interval(values, draws=200)
    assert 0 <= low <= high <= 1
    assert low - 0.02 <= sum(values) / len(values) <= high + 0.02
    assert (low, high) == interval(values, draws=200)


def test_an_interval_narrows_with_more_questions() -> None:
    few, many = interval([True, False] * 10), interval([True, False] * 500)
    assert many[1] - many[0] < few[1] - few[0] < 0.6
    assert interval([True] * 9) == (1.0, 1.0)
    # Within a tenth of the normal approximation, 0.5 ± 1.96 · sqrt(0.25 / 1000).
    assert many == pytest.approx((0.469, 0.531), abs=0.004)


@given(outcomes)
def test_risk_and_coverage_follow_from_their_definitions(some: list[Outcome]) -> None:
    points = risk_coverage(some)
    given_ = [each for each in some if each.answered]
    assert len(points) == len(given_)
    assert [coverage for coverage, _ in points] == sorted(coverage for coverage, _ in points)
    if points:
        assert points[-1][0] == pytest.approx(len(given_) / len(some))
        assert points[-1][1] == pytest.approx(sum(not each.right for each in given_) / len(given_))
    assert 0 <= area(points) <= 1


def test_a_perfect_order_has_the_least_area() -> None:
    good = [outcome(right, support=support) for right, support in ((True, 0.9), (True, 0.8), (False, 0.1))]
    bad = [outcome(right, support=support) for right, support in ((True, 0.2), (True, 0.1), (False, 0.9))]
    assert risk_coverage(good) == [
        (pytest.approx(1 / 3), 0.0),
        (pytest.approx(2 / 3), 0.0),
        (1.0, pytest.approx(1 / 3)),
    ]
    assert area(risk_coverage(good)) < area(risk_coverage(bad))
    assert area([]) == 0.0


@given(outcomes)
def test_every_answer_is_in_one_bin(some: list[Outcome]) -> None:
    rows = reliability(some)
    assert sum(number for _, _, number in rows) == sum(each.answered for each in some)
    assert [support for support, _, _ in rows] == sorted(support for support, _, _ in rows)


def test_the_table_is_by_kind() -> None:
    some = [
        outcome(True, kind="a"),
        outcome(False, kind="a", answered=False, status="not_covered"),
        outcome(False, kind="off_topic", answered=False, status="not_covered"),
        outcome(True, kind="d", status="sources_differ"),
    ]
    figures = table(some)
    assert list(figures) == ["a", "d", "off_topic"]
    assert (figures["a"]["questions"], figures["a"]["answered"], figures["a"]["refused"]) == (2, 0.5, 0.5)
    assert figures["a"]["right"] == 0.5
    assert figures["d"]["side_by_side"] == 1.0
    assert figures["off_topic"]["right"] == 1.0


def test_changes_since_a_run_that_was_saved(tmp_path: Path) -> None:
    before = [
        outcome(right, id=name, text="old") for name, right in (("a", True), ("b", False), ("c", True), ("d", True))
    ]
    evaluation.save(before, [1.0], tmp_path / "old.json")
    after = [
        outcome(False, id="a", text="new"),
        outcome(True, id="b", text="new"),
        outcome(True, id="c", text="new"),
        outcome(False, id="d", text="old"),
        outcome(True, id="e", text="new"),
    ]
    assert changes(after, tmp_path / "old.json").splitlines() == [
        *("a now wrong: ?", "  - old", "  + new"),
        *("b now right: ?", "  - old", "  + new"),
        *("c reads differently: ?", "  - old", "  + new"),
    ]
    (told,) = [
        line for line in changes([replace(after[0], absent=1)], tmp_path / "old.json").splitlines() if "?" in line
    ]
    assert "lost facts" in told
    assert changes(before, tmp_path / "old.json") == "no answer changed"


def test_what_is_saved_holds_every_outcome_and_figure(tmp_path: Path) -> None:
    some = [outcome(True, id="a"), outcome(False, id="b", answered=False)]
    evaluation.save(some, [3.0, 1.0, 2.0], tmp_path / "run.json")
    saved = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert [entry["id"] for entry in saved["outcomes"]] == ["a", "b"]
    assert [entry["right"] for entry in saved["outcomes"]] == [True, False]
    assert saved["median_ms"] == 2.0
    assert saved["table"]["answerable"]["questions"] == 2
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")


def test_a_report_gives_the_figures() -> None:
    text = evaluation.report([outcome(True), outcome(False, kind="off_topic")], [1.0, 2.0, 30.0])
    for figure in ("answerable", "off_topic", "100.0%", "risk-coverage", "median 2.0 ms"):
        assert figure in text


def test_a_report_on_nothing() -> None:
    assert evaluation.report([], [])


def test_questions_are_read_in_order_over_files_and_blank_lines(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"id": 1}\n\n{"id": 2}\n')
    (tmp_path / "b").write_text('{"id": "ü"}', "utf-8")
    assert [each["id"] for each in read_questions([tmp_path / "b", tmp_path / "a"])] == ["ü", 1, 2]
    with pytest.raises(OSError, match="nothing"):
        read_questions([tmp_path / "nothing"])
    (tmp_path / "a").write_text("{")
    with pytest.raises(ValueError, match="1"):
        read_questions([tmp_path / "a"])


def test_a_line_of_a_file_ends_where_json_lines_do(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(json.dumps({"id": "a\u2028b\u0085c"}, ensure_ascii=False), "utf-8")
    assert [each["id"] for each in read_questions([tmp_path / "a"])] == ["a\u2028b\u0085c"]


def test_evaluating_asks_each_question_once_in_order(assistant: Assistant) -> None:
    questions = read_questions([ROOT / "tests" / "questions" / "fifty.jsonl"])[:5]
    found, milliseconds = evaluation.evaluate(assistant, questions)
    assert [each.id for each in found] == [each["id"] for each in questions]
    assert len(milliseconds) == 5
    assert [each.text for each in found] == [assistant.ask(each["question"]).text for each in questions]


@pytest.mark.parametrize("name", ["fifty", "tune", "test"])
def test_the_development_questions_have_what_the_judge_needs(name: str) -> None:
    questions = read_questions([ROOT / "tests" / "questions" / f"{name}.jsonl"])
    assert len({each["id"] for each in questions}) == len(questions)
    for question in questions:
        found = judge(question, Answer(Status.NOT_COVERED, ""))
        assert found.right is (question["kind"] in ("unanswerable", "off_topic"))


def test_what_stands_nowhere_in_the_articles_is_not_asked_of_an_answer(assistant: Assistant) -> None:
    text = assistant.articles[0].sections[0].text
    there, nowhere = [re.escape(text.split()[0])], ["zyzzyva", "qwertz"]
    key, absent = fair({**ONE, "facts": [there, nowhere]}, assistant.articles)
    assert (key["facts"], absent) == ([there], 1)
    parts, absent = fair({**TWO, "parts": [{"facts": [nowhere]}, {"facts": [there]}]}, assistant.articles)
    assert ([part["facts"] for part in parts["parts"]], absent) == ([[], [there]], 1)
    assert fair(NONE, assistant.articles) == (NONE, 0)
    report = evaluation.report([outcome(True, absent=1), outcome(True)], [1.0, 1.0])
    assert "1 questions have facts that stand in no section" in report


def test_the_library_holds_every_fact_of_its_own_keys(assistant: Assistant) -> None:
    files = [
        ROOT / "tests" / "questions" / f"{name}.jsonl"
        for name in ("fifty", "tune", "second", "third", "test", "fourth", "fifth", "sixth", "seventh", "eighth")
    ]
    assert [one["id"] for one in read_questions(files) if fair(one, assistant.articles)[1]] == []
