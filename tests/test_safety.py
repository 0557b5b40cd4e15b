"""Safety: danger is noticed before anything is searched, with no index, no model and no file."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml
from conftest import CORPUS, ROOT
from hypothesis import given
from hypothesis import strategies as st

from chatbot.errors import CorpusError
from chatbot.evaluation import read_questions
from chatbot.safety import Concern, load_helplines, normalise, pick, screen

DANGERS = {
    Concern.SUICIDE: (
        "i want to kill myself",
        "I don't want to live anymore",
        "my brother says he will end his life",
        "feeling suicidal tonight",
        "everyone would be better off without me",
        "she has been cutting herself",
    ),
    Concern.OVERDOSE: (
        "I think he's overdosing",
        "her lips are blue",
        "my roommate won't wake up",
        "she stopped breathing",
        "I took too many pills",
    ),
    Concern.WITHDRAWAL: (
        "he quit drinking and now he is seeing things",
        "had a seizure after I stopped xanax",
    ),
    Concern.VIOLENCE: (
        "my husband hits me",
        "I'm scared he will kill me",
    ),
    Concern.MEDICAL_ADVICE: (
        "how much suboxone should I take",
        "can i stop taking my meds",
        "is it safe to mix xanax and alcohol",
    ),
}
HARMLESS = (
    "does IOP include detox?",
    "my brother died of an overdose last year. does IOP help with grief?",
    "what is suicide prevention training",
    "how many hours a week is it",
    "can I stop going when I feel better",
    "do they kill time between sessions",
    "hello",
    "",
)


def curly(text: str) -> str:
    return text.replace("'", "’")


def wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def with_joiners(text: str) -> str:
    return "\u200b".join(text)


def spread(text: str) -> str:
    return "\n  " + text.replace(" ", " \t\n") + "  "


@pytest.mark.parametrize("disguise", [str, str.upper, str.title, curly, wide, with_joiners, spread])
@pytest.mark.parametrize(
    ("concern", "message"), [(concern, text) for concern, texts in DANGERS.items() for text in texts]
)
def test_danger_is_noticed_however_it_is_typed(concern: Concern, message: str, disguise: Callable[[str], str]) -> None:
    assert screen(disguise(message)) is concern


@pytest.mark.parametrize("message", HARMLESS)
def test_harmless_messages_pass(message: str) -> None:
    assert screen(message) is None


def test_no_development_question_that_the_articles_answer_is_taken_for_danger() -> None:
    files = [ROOT / "tests" / "questions" / f"{name}.jsonl" for name in ("fifty", "tune", "test")]
    asked = [each["question"] for each in read_questions(files) if each["kind"] in ("answerable", "sources_differ")]
    assert len(asked) > 100
    assert [question for question in asked if screen(question) is not None] == []


def test_danger_weighs_more_than_a_question_about_medicine() -> None:
    assert screen("how many pills should i take to kill myself") is Concern.SUICIDE


@given(st.text())
def test_any_message_is_screened_the_same_way_twice(message: str) -> None:
    assert screen(message) is screen(message)
    plain = normalise(message)
    assert plain == plain.strip()
    assert "\n" not in plain


@pytest.mark.parametrize(
    "word", ["he ", "not ", "i took ", "my husband ", "quit ", "seeing things ", "a", "’", "\u200b"]
)
def test_a_long_message_is_screened_at_once(word: str) -> None:
    message = (word * 2000)[:2000]
    began = time.process_time()
    screen(message)
    assert time.process_time() - began < 1.0


def test_safety_needs_no_file_and_no_model(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "chatbot", tmp_path / "chatbot", ignore=shutil.ignore_patterns("weights", "static", "__pycache__")
    )
    program = (
        "import sys\n"
        "from chatbot import answers, safety\n"
        "concern = safety.screen('i want to kill myself')\n"
        "print(answers.CARDS[concern])\n"
        "sys.exit(bool({'torch', 'onnxruntime', 'faiss', 'sentence_transformers'} & set(sys.modules)))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ASK_IOP_")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "988" in done.stdout


# --- helplines ------------------------------------------------------------------------------------------------

ENTRY = {
    "id": "x",
    "name": "X",
    "phone": "1",
    "purpose": "p",
    "hours": "h",
    "region": "r",
    "source": "s",
    "verified": "2026-01-31",
}


def test_helplines_come_in_the_order_of_the_file() -> None:
    lines = load_helplines(CORPUS / "helplines.yaml")
    assert [line.id for line in lines] == [
        entry["id"] for entry in yaml.safe_load((CORPUS / "helplines.yaml").read_text())
    ]
    assert len({line.id for line in lines}) == len(lines)
    for line in lines:
        assert date.fromisoformat(line.verified)


def test_the_helplines_that_the_code_asks_for_are_there() -> None:
    lines = load_helplines(CORPUS / "helplines.yaml")
    assert len(pick(lines, "emergency", "crisis", "referral", "poison", "violence")) == 5


def test_pick_keeps_the_order_asked_for_and_skips_what_is_not_there() -> None:
    lines = load_helplines(CORPUS / "helplines.yaml")
    assert [line.id for line in pick(lines, "poison", "nobody", "crisis")] == ["poison", "crisis"]
    assert pick((), "crisis") == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "can't be read"),
        (b"\xff", "can't be read"),
        (b"- id: [", "can't be read"),
        (b"", "not a list"),
        (b"id: x", "not a list"),
        (b"- just words", "not a map"),
        (yaml.safe_dump([{**ENTRY, "phone": ""}]).encode(), "lacks phone"),
        (yaml.safe_dump([{"id": "x"}]).encode(), "lacks name"),
        (yaml.safe_dump([{**ENTRY, "verified": "lately"}]).encode(), "not a date"),
        (yaml.safe_dump([{**ENTRY, "fax": "1"}]).encode(), "fax"),
    ],
)
def test_broken_helplines_are_named_with_their_mend(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "helplines.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CorpusError) as error:
        load_helplines(path)
    assert error.value.file == str(path)
    assert words in error.value.problem
    assert error.value.mend


def test_a_helpline_may_say_more(tmp_path: Path) -> None:
    entry = {**ENTRY, "verified": date(2026, 1, 31), "sms": "1", "chat": None, "note": "n"}
    (tmp_path / "helplines.yaml").write_text(yaml.safe_dump([entry]))
    (line,) = load_helplines(tmp_path / "helplines.yaml")
    assert (line.verified, line.sms, line.chat, line.note) == ("2026-01-31", "1", None, "n")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("i dont wnat to live anymor", "i dont want to live anymore"),
        ("sucidal", "suicidal"),
        ("she ovredosed", "she overdosed"),
        ("Suicidal", "Suicidal"),
        ("seizures", "seizures"),
        ("I went to the hill", "I went to the hill"),
    ],
)
def test_a_slip_in_a_grave_word_is_put_right_and_nothing_else(typed: str, meant: str) -> None:
    assert normalise(typed) == meant
