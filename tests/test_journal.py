"""Feedback: nothing is kept unless a file is named for it, and then no more than was sent for it."""

import json
import re
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from chatbot import journal
from chatbot.api import create_api
from chatbot.errors import SettingsError
from chatbot.journal import Journal
from chatbot.settings import Settings


def give(feedback: Path | str, **said: Any) -> Any:
    """What the service says to feedback, without an assistant."""
    settings = Settings(feedback=str(feedback))
    return TestClient(create_api(None, settings), client=("203.0.113.77", 1)).post("/api/feedback", json=said)


def test_nothing_is_kept_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reply = give("", verdict="down", comment="zebra")
    assert (reply.status_code, reply.json()) == (200, {"stored": False})
    assert list(tmp_path.iterdir()) == []
    assert not Journal(None).keeps


def test_a_line_holds_what_was_sent_and_the_hour(tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    assert give(file, verdict="down", reason="wrong", comment="Señora said: no", status="answered").json() == {
        "stored": True
    }
    assert give(file, verdict="up", question="Is it free?").json() == {"stored": True}
    first, second = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00Z", first.pop("at"))
    assert first == {"verdict": "down", "reason": "wrong", "comment": "Señora said: no", "status": "answered"}
    assert set(second) == {"at", "verdict", "question"}
    assert "203.0.113" not in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_was_there_stays(tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    file.write_text("{}\n")
    give(file, verdict="up")
    assert file.read_text().startswith("{}\n{")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"verdict": "sideways"},
        {"verdict": "down", "reason": "zebra"},
        {"verdict": "down", "comment": "a" * 501},
        {"verdict": "down", "question": "a" * 2001},
        {"verdict": "down", "sections": ["a"] * 21},
        {"verdict": "down", "address": "zebra"},
        {"verdict": "down", "status": "zebra"},
    ],
)
def test_what_has_another_shape_is_refused(tmp_path: Path, said: dict[str, Any]) -> None:
    file = tmp_path / "feedback.jsonl"
    reply = give(file, **said)
    assert reply.status_code == 422
    assert "zebra" not in reply.text
    assert file.read_text() == ""


@pytest.mark.parametrize("place", ["missing/feedback.jsonl", "."])
def test_a_file_that_cannot_be_written_is_said_at_the_start(tmp_path: Path, place: str) -> None:
    with pytest.raises(SettingsError, match="can't write feedback") as error:
        create_api(None, Settings(feedback=str(tmp_path / place)))
    assert "\n" not in str(error.value)


def test_a_full_file_or_disk_stores_no_more_and_fails_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Journal(tmp_path / "feedback.jsonl")
    monkeypatch.setattr(journal, "MAX_BYTES", 60)
    assert kept.add({"verdict": "up"})
    assert not kept.add({"verdict": "down", "comment": "zebra"})
    monkeypatch.setattr(journal.os, "open", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert not kept.add({"comment": "zebra"})
    assert "No space" in caplog.text
    assert "zebra" not in caplog.text


def test_lines_stay_whole_when_many_write(tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    kept = Journal(file)
    threads = [threading.Thread(target=lambda: [kept.add({"comment": "x" * 300}) for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = file.read_text().splitlines()
    assert len(lines) == 400
    assert {len(json.loads(line)["comment"]) for line in lines} == {300}
