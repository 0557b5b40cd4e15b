"""All settings, in one frozen object. The only module that reads the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from chatbot.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "ASK_IOP_"
OWN_EVALUATION = ROOT / "tests" / "questions" / "tune.jsonl"
PRIVATE = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1,fc00::/7"
"""Networks that nobody on the internet can send from (RFC 1918, RFC 4193): a hosting site's own proxies."""
NUMBERS = (
    "port",
    "max_question_characters",
    "questions_per_minute",
    "questions_per_minute_in_total",
    "seconds_per_request",
    "journal_days",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may change. Each field is set by the variable of its name in capitals with
    the prefix ASK_IOP_ (ASK_IOP_PORT=8080)."""

    corpus: Path = ROOT / "corpus"
    """Folder of articles."""
    index: Path = ROOT / "index"
    """Folder that `build_index.py` writes and the application reads."""
    model: str = "all-MiniLM-L6-v2"
    """Encoder: the packaged model's name, or a folder that sentence-transformers can load."""
    reader: str = "default"
    """Reader: `default` (the weights that ship with the package), `none`, or a cross-encoder's folder or hub name."""
    helplines: Path = ROOT / "corpus" / "helplines.yaml"
    """Whom to call."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 7860
    """TCP port, 1 to 65535."""
    max_question_characters: int = 2000
    """Longer messages are refused as invalid."""
    frame_ancestors: str = "'self'"
    """Sites that may show the page in a frame: sources of a Content-Security-Policy, separated by spaces."""
    allowed_origins: str = ""
    """Sites whose pages may use the API, as the widget does: origins separated by spaces, or `*` for any."""
    allowed_hosts: str = ""
    """Names under which the service answers, separated by spaces, `*.` in front for all below; empty for any."""
    proxies: str = "127.0.0.1,::1"
    """Proxies in front of the service that tell a visitor's address, by comma; `*` believes whoever connects."""
    questions_per_minute: int = 30
    """From one client; 0 for no limit."""
    questions_per_minute_in_total: int = 600
    """From all clients together; 0 for no limit."""
    seconds_per_request: int = 20
    """A request that takes longer is told whom to call instead."""
    journal: str = ""
    """SQLite database in which questions, redacted, and the thumbs and marks on answers are kept; empty keeps none."""
    journal_days: int = 30
    """Days after which what is kept is deleted."""
    metrics: str = "off"
    """`on`: counts for Prometheus at /metrics."""
    log: str = "none"
    """A line for each request on standard error: `json`, `text` or `none`."""
    staff: str = ""
    """File with the accounts of the console; without an account in it there is no console."""

    evaluation: Path | None = None
    """Questions with keys, by which the owner sees what a change does to the answers; by default those that come with
    the library, where its articles are its own."""

    @property
    def examination(self) -> Path | None:
        """The file of `evaluation`, if it is there."""
        chosen = self.evaluation or (OWN_EVALUATION if self.corpus == ROOT / "corpus" else None)
        return chosen if chosen and chosen.is_file() else None

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise SettingsError(f"port {self.port} is not between 1 and 65535")
        if self.max_question_characters < 1:
            raise SettingsError("max_question_characters must be at least 1")
        if set(self.frame_ancestors) & set(";,\r\n"):
            raise SettingsError("frame_ancestors must be sources separated by spaces")
        for origin in self.allowed_origins.split():
            if origin != "*" and not re.fullmatch(
                r"https?://[a-z0-9.-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?", origin
            ):
                raise SettingsError(f"allowed_origins: {origin!r} is not an origin such as https://clinic.example")
        for host in self.allowed_hosts.split():
            if not re.fullmatch(r"(\*\.)?[a-z0-9.-]+|\[[0-9a-f:]+\]", host):
                raise SettingsError(f"allowed_hosts: {host!r} is not a host name such as ask.clinic.example")
        if min(self.questions_per_minute, self.questions_per_minute_in_total) < 0:
            raise SettingsError("a number of questions per minute can't be negative")
        for name in ("journal_days", "seconds_per_request"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1")
        for name, choices in (("metrics", ("on", "off")), ("log", ("json", "text", "none"))):
            if getattr(self, name) not in choices:
                raise SettingsError(f"{name} '{getattr(self, name)}' is not one of: {', '.join(choices)}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **given: object) -> "Settings":
        """Settings from the environment; keyword arguments that are not None win over it.

        Raises `SettingsError` on a value that can't be read.
        """
        environment = os.environ if environment is None else environment
        values: dict[str, object] = {}
        for field in fields(cls):
            raw = environment.get(PREFIX + field.name.upper())
            if raw is not None and raw.strip():
                values[field.name] = raw.strip()
        if "SPACE_ID" in environment:  # Hugging Face sets it: its proxy must reach us, and its site frames us
            values.setdefault("host", "0.0.0.0")
            values.setdefault("frame_ancestors", "'self' https://huggingface.co https://*.hf.space")
            values.setdefault("proxies", PRIVATE)
        values.update({name: value for name, value in given.items() if value is not None})
        for name in ("corpus", "index", "helplines", "evaluation"):
            if name in values:
                values[name] = Path(str(values[name]))
        for name in NUMBERS:
            if name in values:
                try:
                    values[name] = int(str(values[name]))
                except ValueError:
                    raise SettingsError(f"{PREFIX}{name.upper()}={values[name]!r} is not a whole number") from None
        return cls(**values)  # type: ignore[arg-type]
