"""The command line: answers as text and as JSON, files of questions, exit codes."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from chatbot.__main__ import main, show
from chatbot.answers import Answer, Citation, Helpline, Status
from chatbot.encoder import PackagedEncoder
from chatbot.index import PassageIndex
from chatbot.journal import Journal

DETOX = "does IOP include detox?"
KEYS = ["status", "text", "citations", "suggestions", "helplines", "index"]


@pytest.fixture(autouse=True)
def at_hand(monkeypatch: pytest.MonkeyPatch, encoder: PackagedEncoder) -> Iterator[None]:
    """The model is loaded once; no setting comes from outside; a pipe's signal stays as it was."""
    monkeypatch.setattr("chatbot.assistant.load_encoder", lambda model: encoder)
    for name in [name for name in os.environ if name.startswith("ASK_IOP_")]:
        monkeypatch.delenv(name)
    before = signal.getsignal(signal.SIGPIPE)
    yield
    signal.signal(signal.SIGPIPE, before)


@pytest.fixture
def small_index(small_folder: Path) -> list[str]:
    """The options that choose the small corpus's index."""
    return ["--index", str(small_folder), "--reader", "none"]


def batch(
    lines: list[str], options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> list[dict[str, Any]]:
    """What a file of these lines gives."""
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogatepass")
    assert main(["ask", "--batch", str(file), *options]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.split("\n") if line]


def line(**fields: Any) -> str:
    return json.dumps(fields)


# --- one question -----------------------------------------------------------------------------------------------


def test_an_answer_is_followed_by_its_sources(
    index_folder: Path, index: PassageIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", DETOX, "--index", str(index_folder), "--reader", "none"]) == 0
    text = capsys.readouterr().out
    answer, sources = text.split("\nSources\n")
    assert "[1]" in answer
    assert sources.startswith("[1] retold from ")
    assert index.articles["synergy-sobriety"].title in sources
    assert "https://synergysobrietysolutions.com/" in sources


def test_json_is_the_whole_answer_with_its_support(
    small_index: list[str], small: PassageIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "does the box reek", "--json", *small_index]) == 0
    given = json.loads(capsys.readouterr().out)
    assert list(given) == [*KEYS, "support"]
    assert given["index"] == small.digest
    assert 0 <= given["support"] <= 1
    for citation in given["citations"]:
        article = small.articles[citation["article"]]
        assert article.text[citation["start"] : citation["end"]] == citation["quote"]


def test_the_same_command_prints_the_same_bytes(small_index: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for _ in range(2):
        assert main(["ask", "does the box reek", *small_index]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != ""


def test_a_refusal_prints_whom_to_call(small_index: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "who won the world cup in 1998?", *small_index]) == 0
    text = capsys.readouterr().out
    assert "The articles don't say." in text
    assert "1-800-662-4357" in text
    assert "Sources" not in text


def test_danger_prints_the_card_and_its_numbers(small_index: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "i want to kill myself", *small_index]) == 0
    text = capsys.readouterr().out
    assert text.startswith("It sounds as if you")
    assert "988 Suicide & Crisis Lifeline: 988" in text


def test_show_names_each_source() -> None:
    own = Citation(1, "a", "Title", None, "", None, None, "original", "Quote.", 0, 6)
    retold = replace(
        own, number=2, publisher="P", section="S", url="https://a.example", updated="2024-01-02", edition="summary"
    )
    call = Helpline("x", "Line", "123", "Help", "always", "here", "s", "2026-01-01")
    text = show(Answer(Status.ANSWERED, "Quote. [1]", (own, retold), ("More?",), (call,)))
    assert text.splitlines()[0] == "Quote. [1]"
    assert "[1] from Title" in text.splitlines()
    assert "[2] retold from Title · S · P · 2024-01-02" in text.splitlines()
    assert "    https://a.example#:~:text=S" in text.splitlines()
    assert "Line: 123 (always). Help." in text
    assert text.endswith("You could also ask\n- More?")


# --- a file of questions ------------------------------------------------------------------------------------------


def test_a_batch_keeps_order_and_ids(
    small_index: list[str], small: PassageIndex, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = ["b", 7, None, "ü\u2028", "b", {"x": [1]}]
    lines = [line(id=each, question="does the box reek") for each in ids]
    given = batch(lines, small_index, tmp_path, capsys)
    assert [each["id"] for each in given] == ids
    for each in given:
        assert list(each) == ["id", *KEYS, "support"]
        assert each["status"] == "answered"
        assert each["index"] == small.digest
        assert {**each, "id": None} == {**given[0], "id": None}


def test_a_bad_line_is_invalid_and_the_batch_goes_on(
    small_index: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        line(id="good", question="does the box reek"),
        "not json",
        '{"id": "cut", "question": "do',
        "[1, 2]",
        '"words"',
        "null",
        line(id="no question"),
        line(id="number", question=5),
        line(id="nothing", question=None),
        line(id="history", question="x", history="words"),
        line(id="turn", question="x", history=[{"role": "user"}]),
        line(id="role", question="x", history=[{"role": "system", "content": "x"}]),
        line(id="content", question="x", history=[{"role": "user", "content": 5}]),
        line(id="empty", question=""),
        line(id="long", question="a" * 2001),
        '{"id": "digits", "question": ' + "1" * 5000 + "}",
        line(id="last", question="does the box reek", history=[]),
    ]
    given = batch(lines, small_index, tmp_path, capsys)
    assert len(given) == len(lines)
    assert [each["status"] for each in given] == ["answered", *["invalid"] * 15, "answered"]
    expected = ["good", None, None, None, None, None, "no question", "number", "nothing", "history", "turn", "role",
                "content", "empty", "long", None, "last"]  # fmt: skip
    assert [each["id"] for each in given] == expected
    for each in given[1:-1]:
        assert each["text"]
        assert each["citations"] == []
        assert set(KEYS) <= set(each)


def test_history_and_its_absence_are_accepted(
    small_index: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello."}]
    lines = [line(id=1, question="hi", history=each) for each in (history, [], None)]
    assert [each["status"] for each in batch(lines, small_index, tmp_path, capsys)] == ["small_talk"] * 3


def test_empty_lines_are_no_questions(
    small_index: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["", line(id=1, question="hi"), "  ", line(id=2, question="hi"), ""]
    assert [each["id"] for each in batch(lines, small_index, tmp_path, capsys)] == [1, 2]
    assert batch([""], small_index, tmp_path, capsys) == []


def test_a_summary_goes_to_standard_error(
    small_index: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "q").write_text(line(question="hi") + "\n" + line(question="bye"))
    assert main(["ask", "--batch", str(tmp_path / "q"), *small_index]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("2 questions, median ")
    assert len(printed.out.splitlines()) == 2


def test_a_batch_is_read_from_standard_input(
    small_index: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(line(id=1, question="hi") + "\n" + line(id=2, question="bye")))
    assert main(["ask", "--batch", "-", *small_index]) == 0
    assert [json.loads(each)["id"] for each in capsys.readouterr().out.splitlines()] == [1, 2]


def test_bytes_that_are_no_utf8_are_a_bad_line(
    small_index: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "q").write_bytes(b'{"id": 1, "question": "hi"}\n{"id": \xff}\n{"id": 3, "question": "hi"}\n')
    assert main(["ask", "--batch", str(tmp_path / "q"), *small_index]) == 0
    assert [json.loads(each)["id"] for each in capsys.readouterr().out.splitlines()] == [1, None, 3]


def test_bytes_that_are_no_utf8_are_a_bad_line_on_standard_input_too(
    small_index: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = b'{"id": 1, "question": "hi"}\n{"id": \xff}\n{"id": 3, "question": "hi"}\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
    assert main(["ask", "--batch", "-", *small_index]) == 0
    assert [json.loads(each)["id"] for each in capsys.readouterr().out.splitlines()] == [1, None, 3]


def test_a_deeply_nested_line_is_a_bad_line(
    small_index: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["[" * 100_000, line(id=2, question="hi")]
    assert [each["status"] for each in batch(lines, small_index, tmp_path, capsys)] == ["invalid", "small_talk"]


@pytest.mark.parametrize("bad", ['{"id": 1, "question": "\\ud800 detox"}', '{"id": "\\ud800", "question": "hi"}'])
def test_half_a_surrogate_pair_does_not_end_the_batch(
    small_index: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    (tmp_path / "q").write_text(f"{bad}\n{line(id=2, question='hi')}\n")
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr("sys.stdout", printed)
    assert main(["ask", "--batch", str(tmp_path / "q"), *small_index]) == 0
    printed.seek(0)
    assert len(printed.readlines()) == 2


def test_a_bad_line_is_named_by_its_number_in_the_file(
    small_index: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Line 3 " in batch(["", "", "not json"], small_index, tmp_path, capsys)[0]["text"]


# --- exit codes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [[], ["ask"], ["ask", "x", "--batch", "y"], ["sing"], ["ask", "x", "--loud"], ["evaluate"], ["ask", "x", "y"]],
)
def test_a_command_that_is_none_says_how_it_is_used(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: python -m chatbot" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "environment", "code", "words"),
    [
        (["--index", "{empty}"], {}, 4, "python build_index.py"),
        (["--index", "{index}", "--reader", "gpt"], {}, 3, "gpt"),
        (["--index", "{index}", "--corpus", "{empty}"], {}, 4, "have changed"),
        (["--index", "{index}"], {"ASK_IOP_PORT": "http"}, 2, "ASK_IOP_PORT"),
        (["--index", "{index}", "--reader", "none"], {"ASK_IOP_HELPLINES": "{empty}/none.yaml"}, 2, "none.yaml"),
        (["--reader", "none"], {"ASK_IOP_INDEX": "{empty}"}, 4, "no index"),
    ],
)
def test_errors_are_one_line_and_an_exit_code(
    options: list[str],
    environment: dict[str, str],
    code: int,
    words: str,
    small_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def filled(text: str) -> str:
        return text.format(index=small_folder, empty=tmp_path)

    for name, value in environment.items():
        monkeypatch.setenv(name, filled(value))
    assert main(["ask", "hi", *map(filled, options)]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("chatbot: ")
    assert len(printed.err.splitlines()) == 1
    assert words in printed.err


def test_a_file_that_is_not_there_is_named(
    small_index: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["ask", "--batch", str(tmp_path / "none")], ["evaluate", str(tmp_path / "none")]):
        assert main([*arguments, *small_index]) == 1
        assert str(tmp_path / "none") in capsys.readouterr().err


# --- a conversation ---------------------------------------------------------------------------------------------------


def test_a_conversation_ends_with_an_empty_line_or_the_end_of_input(
    small_index: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for typed in ("hi\ndoes the box reek\n\nnever asked\n", "hi\ndoes the box reek\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert main(["chat", *small_index]) == 0
        text = capsys.readouterr().out
        assert "Hello. Ask me a question" in text
        assert "[1] retold from Worms in a Box" in text
        assert "never asked" not in text


# --- measuring -----------------------------------------------------------------------------------------------------------

ASKED = [
    {
        "id": "smell",
        "kind": "answerable",
        "question": "does the box reek",
        "sections": [["worms", "Is a worm box smelly?"]],
        "facts": [["not smell"]],
    },
    {"id": "cup", "kind": "off_topic", "question": "who won the world cup in 1998?", "sections": [], "facts": []},
    {
        "id": "dear",
        "kind": "answerable",
        "question": "what does it cost",
        "sections": [["worms", "Cost"]],
        "facts": [["pounds"]],
    },
]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    file = tmp_path / "asked.jsonl"
    file.write_text("\n".join(map(json.dumps, ASKED)))
    return file


def test_evaluate_prints_figures_and_failures(
    small_index: list[str], questions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(questions), "--failures", *small_index]) == 0
    text = capsys.readouterr().out
    assert "answerable" in text
    assert "off_topic" in text
    assert "\ndear answerable " in text
    assert "\nsmell " not in text


def test_evaluate_compares_with_a_run_that_was_saved(
    small_index: list[str], questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(questions), "--save", str(tmp_path / "run.json"), *small_index]) == 0
    assert main(["evaluate", str(questions), "--compare", str(tmp_path / "run.json"), *small_index]) == 0
    assert "no answer changed" in capsys.readouterr().out
    saved = json.loads((tmp_path / "run.json").read_text())
    saved["outcomes"][0]["text"], saved["outcomes"][0]["right"] = "something else", False
    (tmp_path / "run.json").write_text(json.dumps(saved))
    assert main(["evaluate", str(questions), "--compare", str(tmp_path / "run.json"), *small_index]) == 0
    assert "smell now right" in capsys.readouterr().out


def test_questions_that_are_no_json_exit_2(
    small_index: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "asked").write_text("what is it?\n")
    assert main(["evaluate", str(tmp_path / "asked"), *small_index]) == 2
    assert "JSON" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "[1]\n", '{"id": "x", "question": "hi"}\n'])
def test_questions_that_cannot_be_judged_exit_2(small_index: list[str], tmp_path: Path, content: str) -> None:
    (tmp_path / "asked").write_text(content)
    assert main(["evaluate", str(tmp_path / "asked"), *small_index]) == 2


# --- the journal ------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A journal with two questions, in the file that the settings name."""
    monkeypatch.setenv("ASK_IOP_JOURNAL", str(tmp_path / "journal.sqlite"))
    opened = Journal(tmp_path / "journal.sqlite")
    for question, status in (("is it free?", "not_covered"), ("who pays?", "answered")):
        opened.note(question, status, [], "0", "api")
    return opened


def test_the_journal_is_printed(kept: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "export"]) == 0
    assert [json.loads(one) for one in capsys.readouterr().out.splitlines()] == list(kept.export())
    assert main(["journal", "counts"]) == 0
    assert capsys.readouterr().out == f"{next(iter(kept.counts()))} answered 1, not_covered 1\n"


def test_the_journal_is_erased(kept: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "erase", "--containing", "PAYS"]) == 0
    assert [entry["question"] for entry in kept.asked()] == ["is it free?"]
    assert main(["journal", "erase", "--all"]) == 0
    assert capsys.readouterr().out == "1 erased.\n3 erased.\n"
    assert list(kept.export()) == []


@pytest.mark.parametrize("words", [["erase"], ["erase", "--all", "--containing", "a"], ["export", "--all"], ["burn"]])
def test_what_to_erase_is_said(kept: Journal, words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["journal", *words])
    assert ended.value.code == 2
    assert len(kept.asked()) == 2


def test_without_a_journal_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("", str(tmp_path / "none")):
        monkeypatch.setenv("ASK_IOP_JOURNAL", name)
        assert main(["journal", "export"]) == 2
        assert "ASK_IOP_JOURNAL" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


# --- the real thing ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(small_folder: Path) -> "subprocess.CompletedProcess[str]":
    """A process of its own, which has answered a question and refused a line."""
    command = [sys.executable, "-m", "chatbot", "ask", "--batch", "-", "--index", str(small_folder), "--reader", "none"]
    lines = line(id=1, question="does the box reek") + "\nbroken\n"
    return subprocess.run(command, cwd=ROOT, input=lines, capture_output=True, text=True, check=True)


def test_a_real_process_answers(real: "subprocess.CompletedProcess[str]") -> None:
    given = [json.loads(each) for each in real.stdout.splitlines()]
    assert [(each["id"], each["status"]) for each in given] == [(1, "answered"), (None, "invalid")]
    assert real.stderr.splitlines()[-1].startswith("2 questions, median ")


def test_a_real_process_prints_nothing_else(real: "subprocess.CompletedProcess[str]") -> None:
    assert len(real.stderr.splitlines()) == 1
