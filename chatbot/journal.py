"""What the operator keeps: questions, and what visitors and staff thought of answers. Nothing unless a file is named.

Texts are redacted before they are stored, and nothing is stored about whom they come from; times are kept to the hour,
so that an entry can't be matched with a web server's log. Of a message that is a sign of danger only its count is kept.
What is too old is deleted."""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from chatbot import safety
from chatbot.answers import Answer, Status
from chatbot.database import Database
from chatbot.errors import JournalError
from chatbot.redaction import redact
from chatbot.safety import Concern

logger = logging.getLogger(__name__)

VERSION = 1
"""Of the tables."""
TABLES = (
    "CREATE TABLE question (id INTEGER PRIMARY KEY, at TEXT NOT NULL, question TEXT NOT NULL, status TEXT NOT NULL, "
    'sections TEXT NOT NULL, "index" TEXT NOT NULL, door TEXT NOT NULL)',
    "CREATE TABLE feedback (id INTEGER PRIMARY KEY, at TEXT NOT NULL, entry TEXT NOT NULL)",
    "CREATE TABLE tally (day TEXT NOT NULL, status TEXT NOT NULL, number INTEGER NOT NULL, "
    "PRIMARY KEY (day, status)) WITHOUT ROWID",
)
QUESTION = ("at", "question", "status", "sections", "index", "door")
_COLUMNS = ", ".join(f'"{name}"' for name in QUESTION)
WORDS = ("comment", "question")
"""What somebody has written of an entry of feedback."""
COUNTED_ONLY = (Status.CRISIS, Status.INVALID)


class Verdict(StrEnum):
    """A thumb."""

    UP = "up"
    DOWN = "down"


class Reason(StrEnum):
    """Why it is down."""

    WRONG = "wrong"
    OUTDATED = "outdated"
    MISSING = "missing"
    """The answer leaves something out, or there is none."""
    UNCLEAR = "unclear"
    OTHER = "other"


class Journal:
    """Keeps things in one SQLite database, or nothing. Safe to share between threads, its file between processes."""

    def __init__(self, path: Path | None, days: int = 30) -> None:
        """`days`: what is older is deleted. Raises `SettingsError` where the file can't be used."""
        self._days, self._expired = days, ""
        self._database = None if path is None else Database(path, TABLES, VERSION)
        self.expire()

    @property
    def keeps(self) -> bool:
        """Whether anything is stored at all."""
        return self._database is not None

    def note_answer(self, question: str, answer: Answer, door: str) -> bool:
        """`note` for an answer that was given. Where danger was in the air, it is counted and no more."""
        sections = dict.fromkeys(f"{citation.article}#{citation.section}" for citation in answer.citations)
        return self.note("" if answer.private else question, answer.status, tuple(sections), answer.index, door)

    def note(self, question: str, status: str, sections: Sequence[str], index: str, door: str) -> bool:
        """Count one question, and keep it, redacted, unless it is empty, unusable or a sign of danger.

        `sections`: what was quoted, each the article's id, #, the heading; `index`: the index's digest; `door`: where
        it was asked (api, page, staff). Whether the question is stored; a full disk is no reason to fail.
        """
        if self._database is None:
            return False
        self.expire()
        hour = _hour()
        kept = bool(question.strip()) and status not in COUNTED_ONLY and not _is_danger(question)
        row = (hour, redact(question) if kept else "", str(status), _json(list(sections)), index, door)

        def write(opened: sqlite3.Connection) -> bool:
            opened.execute(
                "INSERT INTO tally VALUES (?, ?, 1) ON CONFLICT (day, status) DO UPDATE SET number = number + 1",
                (hour[:10], str(status)),
            )
            if kept:
                opened.execute(f"INSERT INTO question ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row)
            return kept

        return self._database.change(write) or False

    def add(self, entry: dict[str, Any], fears_for: Callable[[str], bool] | None = None) -> bool:
        """Keep one entry of feedback: plain JSON types. Its words are redacted, and left out where they, or the
        answer that they are about, are a sign of danger: by the patterns, and by `fears_for` if it is given. Whether
        it is stored; a full disk is no reason to fail."""
        if self._database is None:
            return False
        self.expire()
        kept = dict(entry)
        for name in WORDS:
            words = str(kept.pop(name, ""))
            danger = _is_danger(words) or (fears_for is not None and fears_for(words))
            if words and not danger and entry.get("status") != Status.CRISIS:
                kept[name] = redact(words)
        row = (_hour(), _json(kept))

        def write(opened: sqlite3.Connection) -> bool:
            opened.execute("INSERT INTO feedback (at, entry) VALUES (?, ?)", row)
            return True

        return self._database.change(write) or False

    def read(self) -> list[dict[str, Any]]:
        """All feedback, oldest first."""
        rows = self._rows("SELECT at, entry FROM feedback ORDER BY at, id")
        return [{"at": at, **json.loads(entry)} for at, entry in rows]

    def asked(self, statuses: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """The questions, of these statuses or of all, oldest first: at, question, status, sections, index, door."""
        wanted = [str(status) for status in statuses or ()]
        where = "" if statuses is None else f" WHERE status IN ({', '.join('?' * len(wanted))})"
        rows = self._rows(f"SELECT {_COLUMNS} FROM question{where} ORDER BY at, id", wanted)
        return [{**dict(zip(QUESTION, row, strict=True)), "sections": json.loads(row[3])} for row in rows]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many messages had each status: day (2026-01-31) to status to number. Age does not delete these."""
        days: dict[str, dict[str, int]] = {}
        for day, status, number in self._rows("SELECT day, status, number FROM tally ORDER BY day, status"):
            days.setdefault(day, {})[status] = number
        return days

    def export(self) -> Iterator[dict[str, Any]]:
        """All of it: each question, entry of feedback and count, with its `kind`."""
        yield from ({"kind": "question", **entry} for entry in self.asked())
        yield from ({"kind": "feedback", **entry} for entry in self.read())
        for day, statuses in self.counts().items():
            yield from ({"kind": "count", "day": day, "status": name, "count": n} for name, n in statuses.items())

    def erase(self, containing: str | None = None) -> int:
        """Delete all, counts too, or the questions and feedback in which these words stand, in capitals or not. The
        number of rows deleted. Raises `JournalError` where that fails."""
        if self._database is None:
            return 0

        def delete(opened: sqlite3.Connection) -> int:
            gone = 0
            for table, column in (("question", "question"), ("feedback", "entry")):
                rows = opened.execute(f"SELECT id, {column} FROM {table}").fetchall()
                ids = [(row,) for row, text in rows if containing is None or containing.casefold() in text.casefold()]
                opened.executemany(f"DELETE FROM {table} WHERE id = ?", ids)
                gone += len(ids)
            return gone if containing is not None else gone + opened.execute("DELETE FROM tally").rowcount

        return self._database.delete(delete)

    def expire(self) -> None:
        """Delete what is too old, unless that was done within this hour."""
        hour = _hour()
        if self._database is None or self._expired == hour:
            return
        self._expired = hour
        oldest = (_hour(timedelta(days=self._days)),)

        def delete(opened: sqlite3.Connection) -> int:
            tables = ("question", "feedback")
            return sum(opened.execute(f"DELETE FROM {table} WHERE at < ?", oldest).rowcount for table in tables)

        try:
            self._database.delete(delete)
        except JournalError as error:
            logger.error("what is too old is still there: %s", error)

    def _rows(self, query: str, values: Sequence[str] = ()) -> list[Any]:
        if self._database is None:
            return []
        self.expire()
        return self._database.rows(query, values)


def _is_danger(text: str) -> bool:
    """By the patterns alone; a door knows of its answer what the classifier saw besides."""
    return safety.screen(text) not in (None, Concern.MEDICAL_ADVICE)


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def _hour(ago: timedelta = timedelta()) -> str:
    return f"{now() - ago:%Y-%m-%dT%H:00Z}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
