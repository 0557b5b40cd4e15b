"""Redaction: what tells who somebody is goes, an ordinary question stays as it is. `tests/redaction/` holds messages as
visitors write them, with {kind:…} around what is to go; the rules were chosen on the one half, the other only reports."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from chatbot.redaction import Span, find, redact

KINDS = ("name", "phone", "email", "address", "birth", "id", "ssn", "card", "link")
FLOOR = {"recall": 0.9, "precision": 0.9, "whole": 0.95}
TITLE = re.compile(r"(?:dr|mrs?|ms)\b\.? *", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Marked:
    """A message, and what is to go of it."""

    text: str
    spans: tuple[Span, ...]


@dataclass(slots=True)
class Tally:
    """How often."""

    wanted: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    rightly: Counter[str] = field(default_factory=Counter)


def messages(half: str) -> Iterator[Marked]:
    for line in (ROOT / "tests" / "redaction" / f"{half}.txt").read_text(encoding="utf-8").splitlines():
        text, spans, at = "", [], 0
        for mark in re.finditer(r"\{(\w+):([^}]*)\}", line):
            text += line[at : mark.start()]
            spans.append(Span(len(text), len(text) + len(mark[2]), mark[1]))
            text += mark[2]
            at = mark.end()
        yield Marked(text + line[at:], tuple(spans))


@cache
def tally(half: str) -> Tally:
    """By kind: what was to go and went whole; what was taken, and had been marked as this."""
    counted = Tally()
    for message in messages(half):
        found = find(message.text)
        covered = {place for span in found for place in range(span.start, span.end)}
        for span in message.spans:
            title = TITLE.match(message.text, span.start) if span.kind == "name" else None
            places = range(title.end() if title else span.start, span.end)  # whether "dr" stays is all the same
            counted.wanted[span.kind] += 1
            counted.gone[span.kind] += all(place in covered for place in places if message.text[place].isalnum())
        for span in found:
            counted.taken[span.kind] += 1
            counted.rightly[span.kind] += any(
                span.start < other.end and other.start < span.end and span.kind == other.kind for other in message.spans
            )
    return counted


@pytest.mark.parametrize("half", ["tune", "test"])
def test_what_is_to_go_goes_and_little_else(half: str, capsys: pytest.CaptureFixture[str]) -> None:
    counted = tally(half)
    with capsys.disabled():
        print(f"\n{half}:")
        for kind in KINDS:
            print(
                f"  {kind:8} recall {counted.gone[kind]}/{counted.wanted[kind]}  "
                f"precision {counted.rightly[kind]}/{counted.taken[kind]}"
            )
    assert set(counted.wanted) == set(KINDS)
    for kind in KINDS:
        assert counted.gone[kind] >= FLOOR["recall"] * counted.wanted[kind], kind
        assert counted.rightly[kind] >= FLOOR["precision"] * counted.taken[kind], kind


@pytest.mark.parametrize("half", ["tune", "test"])
def test_a_message_with_nothing_to_go_is_left_whole(half: str) -> None:
    plain = [message.text for message in messages(half) if not message.spans]
    assert len(plain) >= 0.45 * len(list(messages(half)))
    assert sum(redact(text) == text for text in plain) >= FLOOR["whole"] * len(plain)


def test_the_halves_are_large_and_have_nothing_in_common() -> None:
    tune, test = ({message.text for message in messages(half)} for half in ("tune", "test"))
    assert len(tune) + len(test) >= 200
    assert not tune & test


@pytest.mark.parametrize("file", sorted((ROOT / "tests" / "questions").glob("*.jsonl")), ids=lambda file: file.stem)
def test_questions_about_the_articles_are_left_whole(file: Path) -> None:
    questions = [json.loads(line)["question"] for line in file.read_text(encoding="utf-8").splitlines()]
    changed = [question for question in questions if redact(question) != question]
    assert len(changed) <= 0.01 * len(questions), changed


def test_what_visitors_write_elsewhere_is_seldom_touched() -> None:
    """Thousands of messages, written for something else: a few name somebody (of `P.jsonl` six in a hundred, "talked to
    Brandon at your place"), hardly any give a number away."""
    files = sorted((ROOT / "training" / "messages").glob("*.jsonl"))
    texts = {json.loads(line)["message"] for file in files for line in file.read_text(encoding="utf-8").splitlines()}
    found = Counter(span.kind for text in texts for span in find(text))
    assert found["name"] > 20
    assert sum(found.values()) < 0.035 * len(texts)
    assert sum(found.values()) - found["name"] < 0.002 * len(texts)


def test_numbers_that_anybody_may_call_stay() -> None:
    for text in ("call 988", "is it 1-800-662-4357?", "911", "(888) 555-0100 is their line", "text 741741"):
        assert redact(text) == text


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
parts = st.sampled_from(
    ["my name is", "dr", "zoe", "Marcus", "619-555-0142", "a@b.org", "12 Oak St", "dob 1/2/1990", "[name]", "ssn",
     "123-45-6789", "www.a.org/b", "4111 1111 1111 1111", "will", "member id", "A123456", "\n", "'s", "."]
)  # fmt: skip


@given(st.one_of(words, st.lists(parts, max_size=8).map(" ".join)))
def test_any_text_can_be_redacted_and_again_to_no_effect(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
    spans = find(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
