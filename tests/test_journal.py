"""The journal: nothing is kept unless a file is named for it, then no more than is told, and for no longer."""

import json
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from chatbot import database, journal
from chatbot.answers import Answer, Citation, Status
from chatbot.api import create_api
from chatbot.errors import JournalError, SettingsError
from chatbot.journal import Journal
from chatbot.safety import Concern
from chatbot.settings import Settings

CANARY = "zebra canary 531"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def kept(file: Path) -> Journal:
    return Journal(file)


def give(path: Path | str, **said: Any) -> Any:
    """What the service says to feedback, without an assistant."""
    settings = Settings(journal=str(path))
    return TestClient(create_api(None, settings), client=("203.0.113.77", 1)).post("/api/feedback", json=said)


def note(kept: Journal, question: str = CANARY, status: str = "answered") -> bool:
    return kept.note(question, status, ["a#B"], "0", "api")


def all_bytes(file: Path) -> bytes:
    """Of the database and of whatever lies beside it."""
    return b"".join(path.read_bytes() for path in file.parent.iterdir() if path.name.startswith(file.name))


def pass_days(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    then = datetime.now(UTC) + timedelta(days=days)
    monkeypatch.setattr(journal, "now", lambda: then)


# --- what is kept ---------------------------------------------------------------------------------


def test_nothing_is_kept_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reply = give("", verdict="down", comment="zebra")
    assert (reply.status_code, reply.json()) == (200, {"stored": False})
    none = Journal(None)
    assert not none.keeps and not note(none) and not none.add({"verdict": "up"})
    assert (none.read(), none.asked(), none.counts(), list(none.export()), none.erase()) == ([], [], {}, [], 0)
    assert list(tmp_path.iterdir()) == []


def test_a_question_is_kept_with_the_hour_and_counted(kept: Journal) -> None:
    assert kept.note("Is it free?", "not_covered", ["a#B", "c#D"], "0123", "api")
    (entry,) = kept.asked()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00Z", at := entry.pop("at"))
    assert entry == {
        "question": "Is it free?",
        "status": "not_covered",
        "sections": ["a#B", "c#D"],
        "index": "0123",
        "door": "api",
    }
    assert kept.counts() == {at[:10]: {"not_covered": 1}}


def test_questions_come_by_status_and_oldest_first(kept: Journal) -> None:
    for number, status in enumerate(["answered", "not_covered", "answered", "medical_advice"]):
        note(kept, f"question {number}", status)
    assert [one["question"][-1] for one in kept.asked()] == ["0", "1", "2", "3"]
    assert [one["question"][-1] for one in kept.asked([Status.ANSWERED, "medical_advice"])] == ["0", "2", "3"]
    assert kept.asked([]) == []


def test_an_entry_of_feedback_holds_what_was_sent_and_the_hour(file: Path) -> None:
    assert give(file, verdict="down", reason="wrong", comment="Señora said: no", status="answered").json() == {
        "stored": True
    }
    assert give(file, verdict="up", question="Is it free?").json() == {"stored": True}
    first, second = Journal(file).read()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00Z", first.pop("at"))
    assert first == {"verdict": "down", "reason": "wrong", "comment": "Señora said: no", "status": "answered"}
    assert set(second) == {"at", "verdict", "question"}
    assert b"203.0.113" not in all_bytes(file)


def test_only_the_owner_reads_the_files(file: Path) -> None:
    file.touch(0o644)
    file.unlink()
    kept = Journal(file)
    with sqlite3.connect(file) as reader:  # holds the log open
        reader.execute("SELECT count(*) FROM question").fetchall()
        note(kept)
        files = [path for path in file.parent.iterdir() if path.name.startswith(file.name)]
        assert len(files) == 3
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    reader.close()
    file.chmod(0o644)
    Journal(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_words_are_redacted_wherever_they_stand(kept: Journal, file: Path) -> None:
    note(kept, "does IOP help? call me at 619-555-0143 or zoe.k@example.org")
    kept.add({"verdict": "down", "comment": "zoe.k@example.org", "question": "i am at 619-555-0143"})
    assert kept.asked()[0]["question"] == "does IOP help? call me at [phone] or [email]"
    assert kept.read()[0]["comment"] == "[email]"
    assert b"0143" not in all_bytes(file) and b"zoe" not in all_bytes(file)


# --- danger ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["crisis", "invalid"])
def test_a_message_in_danger_or_without_use_is_counted_and_no_more(kept: Journal, file: Path, status: str) -> None:
    assert not note(kept, status=status)
    assert kept.asked() == []
    assert [set(day) for day in kept.counts().values()] == [{status}]
    assert b"zebra" not in all_bytes(file)


def test_what_the_patterns_see_is_not_kept_whatever_the_status(kept: Journal, file: Path) -> None:
    note(kept, f"i want to kill myself {CANARY}", "answered")
    kept.add({"verdict": "down", "comment": f"i want to kill myself {CANARY}", "status": "answered"})
    kept.add({"verdict": "down", "question": CANARY, "comment": CANARY, "status": "crisis"})
    assert kept.asked() == []
    assert [set(entry) for entry in kept.read()] == [{"at", "verdict", "status"}] * 2
    assert b"zebra" not in all_bytes(file)


def test_what_the_doors_fear_for_is_left_out_of_feedback(kept: Journal) -> None:
    kept.add({"verdict": "down", "comment": "unclear", "question": CANARY}, lambda text: "zebra" in text)
    (entry,) = kept.read()
    assert (entry["comment"], "question" in entry) == ("unclear", False)


def test_an_answer_under_which_danger_may_lie_is_counted_and_no_more(kept: Journal) -> None:
    cited = Citation(1, "a", "A", None, "S", None, None, "original", "quote", 0, 5)
    answer = Answer(Status.ANSWERED, "quote [1]", (cited, cited), index="0")
    assert kept.note_answer("is it free?", answer, "page")
    assert not kept.note_answer(CANARY, Answer(Status.ANSWERED, "text", index="0", private=True), "page")
    (entry,) = kept.asked()
    assert (entry["question"], entry["sections"], entry["door"]) == ("is it free?", ["a#S"], "page")
    assert [sum(day.values()) for day in kept.counts().values()] == [2]


def test_a_medical_question_is_none_of_these(kept: Journal) -> None:
    assert journal.safety.screen("should i stop my meds") is Concern.MEDICAL_ADVICE
    assert note(kept, "should i stop my meds", "medical_advice")


# --- deleting -------------------------------------------------------------------------------------


def test_what_is_too_old_leaves_no_byte(kept: Journal, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(200):  # several pages
        note(kept, f"{CANARY} {number} " + "and more of it " * (number % 9))
        kept.add({"verdict": "down", "comment": f"{CANARY} {number}"})
    pass_days(monkeypatch, 29)
    assert len(Journal(file).asked()) == 200
    note(kept, "a later one")
    pass_days(monkeypatch, 31)
    assert [entry["question"] for entry in kept.asked()] == ["a later one"]
    assert kept.read() == []
    assert b"zebra" not in all_bytes(file)
    assert sum(sum(day.values()) for day in kept.counts().values()) == 201


def test_opening_deletes_what_is_too_old(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note(Journal(file, days=5))
    pass_days(monkeypatch, 6)
    Journal(file, days=7)
    assert b"zebra" in all_bytes(file)
    Journal(file, days=5)
    assert b"zebra" not in all_bytes(file)


def test_what_is_too_old_goes_though_nobody_asks(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatbot.api.TIDY_SECONDS", 0.05)
    service = create_api(None, Settings(journal=str(file)))
    note(service.state.journal)
    gone = threading.Event()
    expire = Journal.expire
    monkeypatch.setattr(Journal, "expire", lambda self: (expire(self), gone.set()))
    with TestClient(service):
        assert gone.wait(30)
        assert b"zebra" in all_bytes(file)
        gone.clear()
        pass_days(monkeypatch, 31)
        gone.wait(30)
        gone.clear()
        assert gone.wait(30)  # one that began after the days had passed
        assert b"zebra" not in all_bytes(file)


def test_erasing_leaves_no_byte(kept: Journal, file: Path) -> None:
    for number in range(100):
        note(kept, f"{CANARY} {number}")
        note(kept, f"Another {number}")
        kept.add({"verdict": "down", "comment": f"ZEBRA {number}"})
    assert kept.erase("Zebra") == 200
    assert len(kept.asked()) == 100
    assert b"zebra" not in all_bytes(file).lower()
    assert kept.erase() == 101
    assert (kept.asked(), kept.read(), kept.counts()) == ([], [], {})
    assert b"Another" not in all_bytes(file)


@hypothesis_settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 400)), max_size=40))
def test_no_order_of_writing_and_erasing_leaves_a_byte(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]]
) -> None:
    file = tmp_path_factory.mktemp("steps") / "journal.sqlite"
    kept = Journal(file)
    for number, (which, length) in enumerate(steps):
        note(kept, f"word{which}end " * length)
        if number % 3 == 2:
            kept.erase(f"word{which}end")
            assert f"word{which}end".encode() not in all_bytes(file)


def test_who_erases_is_told_when_it_fails(kept: Journal, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    note(kept)
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.1)
    with locked(file), pytest.raises(JournalError, match="locked"):
        kept.erase()
    assert len(kept.asked()) == 1


# --- what goes wrong ------------------------------------------------------------------------------


class locked:  # noqa: N801 (reads as what it does)
    """Another program that writes and does not end."""

    def __init__(self, file: Path) -> None:
        self.other = sqlite3.connect(file, isolation_level=None)

    def __enter__(self) -> None:
        self.other.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_: object) -> None:
        self.other.close()


def test_a_locked_file_breaks_nothing(
    kept: Journal, file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.1)
    with locked(file):
        assert not note(kept)
        assert not kept.add({"verdict": "up", "comment": CANARY})
        assert kept.asked() == []  # reading goes on
    assert "locked" in caplog.text and "zebra" not in caplog.text
    assert note(kept)


def test_a_full_disk_stores_no_more_and_breaks_nothing(
    kept: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database, "MAX_BYTES", 8 * database.PAGE_BYTES)
    stored = [note(kept, f"{CANARY} " * 100) for _ in range(30)]
    assert stored[0] and not stored[-1]
    assert len(kept.asked()) == sum(stored)
    assert sum(sum(day.values()) for day in kept.counts().values()) == sum(stored)  # a change is whole or none
    assert "full" in caplog.text and "zebra" not in caplog.text


def test_a_file_that_goes_away_breaks_nothing(kept: Journal, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.unlink()
    assert not note(kept)
    assert kept.asked() == [] and kept.counts() == {}
    assert "unable to open" in caplog.text
    assert not file.exists()


@pytest.mark.parametrize("place", ["missing/journal.sqlite", ".", "text", "other.sqlite"])
def test_a_file_that_is_no_journal_is_said_at_the_start(tmp_path: Path, place: str) -> None:
    (tmp_path / "text").write_text('{"verdict": "up"}\n' * 100)
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()
    with pytest.raises(SettingsError, match="as a journal") as error:
        create_api(None, Settings(journal=str(tmp_path / place)))
    assert "\n" not in str(error.value)
    assert (tmp_path / "text").read_text().startswith('{"verdict"')


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
def test_what_has_another_shape_is_refused(file: Path, said: dict[str, Any]) -> None:
    reply = give(file, **said)
    assert reply.status_code == 422
    assert "zebra" not in reply.text
    assert Journal(file).read() == []


# --- many at once ---------------------------------------------------------------------------------


def test_threads_share_a_journal(kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 300)  # the machine does other things too
    threads = [threading.Thread(target=lambda: [note(kept, "x" * 300) for _ in range(25)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept.asked()) == sum(sum(day.values()) for day in kept.counts().values()) == 200


def test_processes_share_a_file(file: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from chatbot import database; from chatbot.journal import Journal\n"
        "database.WAIT_SECONDS = 300; kept = Journal(Path(sys.argv[1]))\n"
        "print(sum(kept.note('a question', 'answered', [], '0', 'api') for _ in range(25)))"
    )
    command = [sys.executable, "-c", program, str(file)]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    stored = sum(int(process.communicate()[0]) for process in started)
    assert stored == 100
    assert len(Journal(file).asked()) == 100
    assert not (file.parent / f"{file.name}-wal").exists()


# --- all of it ------------------------------------------------------------------------------------


def test_the_export_holds_everything(kept: Journal) -> None:
    note(kept)
    note(kept, status="crisis")
    kept.add({"verdict": "up"})
    told = list(kept.export())
    assert json.loads(json.dumps(told)) == told
    assert [one["kind"] for one in told] == ["question", "feedback", "count", "count"]
    assert {(one["status"], one["count"]) for one in told[2:]} == {("answered", 1), ("crisis", 1)}
