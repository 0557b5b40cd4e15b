"""Who may use the console: accounts in a file, sessions in memory, and a delay that grows with wrong passwords.

The file has one account a line, `name:hash`, the hash by Argon2id (RFC 9106). It is read again whenever it changes, so
an account that is taken out of it ends its sessions too. Of a session only a digest is kept."""

import contextlib
import hashlib
import logging
import os
import re
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chatbot.errors import SettingsError

logger = logging.getLogger(__name__)

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 1024
SESSION_SECONDS = 12 * 3600
"""A session is over after this, however busy it is."""
IDLE_SECONDS = 3600
"""… and after this without a request."""
TRIES = {"client": 5, "name": 10}
"""Wrong passwords without a delay. More for a name than for a client, so that it takes more than one stranger to keep
somebody out."""
FIRST_DELAY, LONGEST_DELAY = 30, 15 * 60
"""Seconds. Each further wrong password doubles the delay."""
FORGET_SECONDS = 3600
"""After this long without a wrong password the count begins anew."""
MOST_COUNTS = 10_000

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_AT_ONCE = threading.BoundedSemaphore(2)  # each verification takes 64 MiB of memory
_hasher = PasswordHasher()

Clock = Callable[[], float]


class Accounts:
    """The accounts of one file, or none."""

    def __init__(self, path: Path | None) -> None:
        """Raises `SettingsError` for a file that can't be read. One that is not there yet has no account."""
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._hashes: dict[str, str] = {}
        self._read()

    def hashes(self) -> dict[str, str]:
        """Hash by name, as the file says now. A file that can't be read any more has none: the console closes."""
        try:
            self._read()
        except SettingsError as error:
            logger.error("%s", error)
            self._hashes, self._seen = {}, None
        return self._hashes

    def verify(self, name: str, password: str) -> bool:
        """Whether this is the password of that account. Takes as long for a name that has none."""
        expected = self.hashes().get(name.strip().lower())
        try:
            with _AT_ONCE:
                _hasher.verify(expected or _nobody(), password[: LONGEST_PASSWORD + 1])
        except (VerificationError, InvalidHashError):
            return False
        return expected is not None

    def set(self, name: str, password: str) -> None:
        """Add an account, or give it another password. Raises `SettingsError` on a name or a password that won't do."""
        if not _NAME.fullmatch(name):
            raise SettingsError(f"{name!r} is no name: letters a to z, digits, and . _ - after the first")
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise SettingsError(f"a password has at least {SHORTEST_PASSWORD} characters")
        self._write({**self._fresh(), name: _hasher.hash(password)})

    def remove(self, name: str) -> bool:
        """Take an account out. Whether there was one."""
        kept = self._fresh()
        found = kept.pop(name, None) is not None
        if found:
            self._write(kept)
        return found

    def _fresh(self) -> dict[str, str]:
        if self._path is None:
            raise SettingsError("no file of accounts; name one in ASK_IOP_STAFF")
        self._read()
        return dict(self._hashes)

    def _read(self) -> None:
        if self._path is None:
            return
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                self._hashes = dict(self._parse(self._path.read_text(encoding="utf-8")))
                self._seen = seen
        except FileNotFoundError:
            self._hashes, self._seen = {}, None
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"can't read the accounts in {self._path}: {error}") from None

    def _parse(self, text: str) -> list[tuple[str, str]]:
        found = []
        for number, line in enumerate(text.splitlines(), 1):
            name, colon, hashed = line.strip().partition(":")
            if not colon or not _NAME.fullmatch(name) or not hashed.startswith("$argon2id$"):
                raise SettingsError(f"{self._path}:{number}: is no account; use `python -m chatbot staff add`")
            found.append((name, hashed))
        return found

    def _write(self, hashes: dict[str, str]) -> None:
        """In one step, for nobody to read but the owner."""
        assert self._path is not None
        text = "".join(f"{name}:{hashed}\n" for name, hashed in sorted(hashes.items()))
        try:
            descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}-")
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                Path(temporary).replace(self._path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()
                raise
        except OSError as error:
            raise SettingsError(f"can't write the accounts to {self._path}: {error.strerror}") from None
        self._seen = None


@cache
def _nobody() -> str:
    """A hash that no password fits, so that a wrong name takes as long as a wrong password."""
    return _hasher.hash(secrets.token_hex())


@dataclass(slots=True)
class _Session:
    name: str
    hashed: str
    """The account's hash at sign-in: another password ends the session."""
    began: float
    seen: float


class Sessions:
    """Who is signed in. In memory only: a restart signs everybody out. Safe to share between threads."""

    def __init__(self, accounts: Accounts, clock: Clock = time.monotonic) -> None:
        self._accounts, self._clock = accounts, clock
        self._lock = threading.Lock()
        self._open: dict[bytes, _Session] = {}

    def begin(self, name: str) -> str:
        """A new session of an account. Returns its token, which is kept nowhere here."""
        token, now = secrets.token_urlsafe(32), self._clock()
        name = name.strip().lower()
        with self._lock:
            self._open = {key: one for key, one in self._open.items() if self._lasts(one, now)}
            self._open[_digest(token)] = _Session(name, self._accounts.hashes()[name], now, now)
        return token

    def who(self, token: str | None) -> str | None:
        """The account of a session that is open; None otherwise."""
        if not token:
            return None
        key, now = _digest(token), self._clock()
        with self._lock:
            session = self._open.get(key)
            if session is None:
                return None
            if not self._lasts(session, now) or self._accounts.hashes().get(session.name) != session.hashed:
                del self._open[key]
                return None
            session.seen = now
            return session.name

    def end(self, token: str | None) -> None:
        """Sign out."""
        with self._lock:
            self._open.pop(_digest(token or ""), None)

    @staticmethod
    def _lasts(session: _Session, now: float) -> bool:
        return now - session.began < SESSION_SECONDS and now - session.seen < IDLE_SECONDS


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


@dataclass(slots=True)
class _Count:
    wrong: int
    last: float


class Lockout:
    """Counts wrong passwords by client and by name, both known by a salted digest only."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._salt = secrets.token_bytes(16)
        self._counts: dict[tuple[str, bytes], _Count] = {}

    def attempt(self, client: str, name: str) -> int:
        """Seconds to wait before a password of this name is looked at; 0, and counted as wrong until `forgive`, if it
        may be now. Counted first, so that many at once are no way round it."""
        with self._lock:
            now = self._clock()
            keys = self._keys(client, name)
            wait = max(self._wait(key, now) for key in keys)
            if wait > 0:
                return max(1, round(wait))
            self._tidy(now)
            for key in keys:
                before = self._counts.get(key, _Count(0, now))
                self._counts[key] = _Count(before.wrong + 1, now)
            return 0

    def forgive(self, client: str, name: str) -> None:
        """The password was right."""
        with self._lock:
            for key in self._keys(client, name):
                self._counts.pop(key, None)

    def _keys(self, client: str, name: str) -> Sequence[tuple[str, bytes]]:
        pairs = (("client", client), ("name", name.strip().lower()))
        return [
            (kind, hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._salt, digest_size=16).digest())
            for kind, text in pairs
        ]

    def _wait(self, key: tuple[str, bytes], now: float) -> float:
        count = self._counts.get(key)
        if count is None or count.wrong < TRIES[key[0]]:
            return 0.0
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(count.wrong - TRIES[key[0]], 30))
        return count.last + delay - now

    def _tidy(self, now: float) -> None:
        self._counts = {key: one for key, one in self._counts.items() if now - one.last < FORGET_SECONDS}
        while len(self._counts) >= MOST_COUNTS:
            del self._counts[min(self._counts, key=lambda key: self._counts[key].last)]
