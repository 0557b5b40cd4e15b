"""What visitors thought of answers: thumbs, with a reason. Kept only in a file that the operator names.

One JSON object a line. Neither an address nor anything else about the visitor is in it, and words of theirs only
where they sent them for this: the comment, and the question if they said so. The time is kept to the hour, so
that a line can't be matched with a web server's log."""

import contextlib
import json
import logging
import os
import threading
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from chatbot.errors import SettingsError

logger = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024 * 1024
"""At this size the file grows no more: nobody can fill the disk with thumbs."""


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
    """Appends to one file, or to none. Safe to share between threads."""

    def __init__(self, path: Path | None) -> None:
        """Raises `SettingsError` where the file can't be written."""
        self._path = path
        self._lock = threading.Lock()
        if path is not None:
            try:
                os.close(self._open(path))
            except OSError as error:
                raise SettingsError(f"can't write feedback to {path}: {error.strerror}") from None

    @property
    def keeps(self) -> bool:
        """Whether anything is stored at all."""
        return self._path is not None

    def add(self, entry: dict[str, Any]) -> bool:
        """Append one entry. Whether it is stored; a full disk is no reason to fail."""
        if self._path is None:
            return False
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        line = json.dumps({"at": f"{hour:%Y-%m-%dT%H:%MZ}", **entry}, ensure_ascii=False) + "\n"
        try:
            with self._lock:
                descriptor = self._open(self._path)
                try:
                    if os.fstat(descriptor).st_size + len(line.encode()) > MAX_BYTES:
                        logger.error("the feedback file is full")
                        return False
                    # One write, so that a line is whole even where several processes append.
                    return os.write(descriptor, line.encode()) == len(line.encode())
                finally:
                    os.close(descriptor)
        except OSError as error:
            logger.error("feedback was not stored: %s", error.strerror)
            return False

    def read(self) -> list[dict[str, Any]]:
        """All entries, oldest first. A line that is none is left out: somebody may have edited the file."""
        if self._path is None:
            return []
        entries = []
        try:
            with self._path.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    with contextlib.suppress(ValueError, RecursionError):
                        entry = json.loads(line)
                        if isinstance(entry, dict):
                            entries.append(entry)
        except OSError as error:
            logger.error("feedback can't be read: %s", error.strerror)
        return entries

    @staticmethod
    def _open(path: Path) -> int:
        """For nobody to read but the owner."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
