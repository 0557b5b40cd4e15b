"""All settings, in one frozen object. The only module that reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from chatbot.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "ASK_IOP_"


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
    """Reader: `default` (the weights that ship with the package) or `none`."""
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

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise SettingsError(f"port {self.port} is not between 1 and 65535")
        if self.max_question_characters < 1:
            raise SettingsError("max_question_characters must be at least 1")
        if set(self.frame_ancestors) & set(";,\r\n"):
            raise SettingsError("frame_ancestors must be sources separated by spaces")

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
        values.update({name: value for name, value in given.items() if value is not None})
        for name in ("corpus", "index", "helplines"):
            if name in values:
                values[name] = Path(str(values[name]))
        for name in ("port", "max_question_characters"):
            if name in values:
                try:
                    values[name] = int(str(values[name]))
                except ValueError:
                    raise SettingsError(f"{PREFIX}{name.upper()}={values[name]!r} is not a whole number") from None
        return cls(**values)  # type: ignore[arg-type]
