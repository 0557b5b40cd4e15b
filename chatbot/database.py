"""One SQLite file that many threads and processes write: whole changes or none, and nothing left of what is deleted.

Each use opens it anew. The last one to close it takes the write-ahead log away, and a file that was put in its place
in the meantime, a backup say, is no harm."""

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from chatbot.errors import JournalError, SettingsError

logger = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024 * 1024
"""At this size the file grows no more: nobody can fill the disk with thumbs."""
PAGE_BYTES = 4096
WAIT_SECONDS = 2.0
"""For others who write. An answer waits no longer for its entry."""
T = TypeVar("T")


class Database:
    """The file, with its tables."""

    def __init__(self, path: Path, tables: Sequence[str], version: int) -> None:
        """Make the file, for nobody to read but the owner, and `tables` in it, unless it has them.

        `version` stands in the file as its `user_version`. Raises `SettingsError` where the file can't be used, or
        holds something else."""
        self._path, self._lock = path, threading.Lock()
        try:
            # Only to create it: closing a file that SQLite has open elsewhere in this process would end its locks.
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with contextlib.suppress(PermissionError):
                path.chmod(0o600)  # SQLite gives its other files the same mode
            self._prepare(tables, version)
        except OSError as error:
            raise SettingsError(f"can't use {path} as a journal: {error.strerror}") from None
        except sqlite3.Error as error:
            raise SettingsError(f"can't use {path} as a journal: {error}") from None

    def change(self, write: Callable[[sqlite3.Connection], T]) -> T | None:
        """What `write` gives, all of its changes being made; None, and none of them, where that can't be."""
        try:
            with self._open() as opened, _transaction(opened):
                return write(opened)
        except (sqlite3.Error, OSError, ValueError) as error:
            logger.error("nothing was stored: %s", _told(error))
            return None

    def delete(self, delete: Callable[[sqlite3.Connection], int]) -> int:
        """The number of rows that `delete` deletes; their bytes go too, from the database and from its log.

        Raises `JournalError` where that fails: who wants something gone must know that it is not."""
        try:
            with self._open() as opened:
                with _transaction(opened):
                    gone = delete(opened)
                if gone:  # pages that were split or merged may hold what a row had there before
                    opened.execute("VACUUM")
                opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                return gone
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"not all could be deleted: {_told(error)}") from None

    def rows(self, query: str, values: Sequence[str] = ()) -> list[Any]:
        """The rows of a query; none where the file can't be read."""
        try:
            with self._open() as opened:
                return opened.execute(query, values).fetchall()
        except (sqlite3.Error, OSError) as error:
            logger.error("the journal can't be read: %s", _told(error))
            return []

    def _prepare(self, tables: Sequence[str], version: int) -> None:
        end = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                with self._open() as opened:
                    opened.execute("PRAGMA journal_mode = WAL")
                    with _transaction(opened):
                        found = opened.execute("PRAGMA user_version").fetchone()[0]
                        holds = opened.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
                        if holds and found != version:
                            raise sqlite3.DatabaseError("it holds something else, or is of another version")
                        for statement in () if holds else (*tables, f"PRAGMA user_version = {version}"):
                            opened.execute(statement)
                return
            except sqlite3.OperationalError as error:
                # SQLite waits for no lock when it turns to its write-ahead log.
                if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            raise sqlite3.OperationalError("database is locked")
        try:
            # Not to be made here, where others could read it: a file that was taken away stays away.
            address = f"{self._path.absolute().as_uri()}?mode=rw"
            opened = sqlite3.connect(address, uri=True, timeout=WAIT_SECONDS, isolation_level=None)
            try:
                opened.execute("PRAGMA secure_delete = ON")
                opened.execute("PRAGMA temp_store = MEMORY")
                opened.execute("PRAGMA synchronous = NORMAL")
                opened.execute(f"PRAGMA max_page_count = {MAX_BYTES // PAGE_BYTES}")
                yield opened
            finally:
                opened.close()
        finally:
            self._lock.release()


@contextlib.contextmanager
def _transaction(opened: sqlite3.Connection) -> Iterator[None]:
    opened.execute("BEGIN IMMEDIATE")
    try:
        yield
        opened.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # a full disk may have rolled back already
            opened.execute("ROLLBACK")
        raise


def _told(error: Exception) -> str:
    """SQLite's or the system's own words, in which nothing stands that was to be stored; else the kind alone."""
    if isinstance(error, sqlite3.OperationalError | sqlite3.DatabaseError):
        return str(error)
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
