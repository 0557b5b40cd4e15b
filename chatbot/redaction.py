"""Takes out of a message what tells who somebody is, before anything of it is stored."""

import re

_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")),
    ("link", re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)),
    ("ssn", re.compile(r"\b\d{3}-\d{2}-\d{4}\b")),
    ("phone", re.compile(r"(?<![\w.])\+?1?[ .-]?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}(?!\w)")),
    ("name", re.compile(r"(?<=\bmy name is )[^\W\d_]+(?: [A-Z][a-z]+)?", re.IGNORECASE)),
)


def redact(text: str) -> str:
    """The text with `[phone]`, `[name]` and the like in place of what it held. What is redacted already stays as it
    is."""
    for kind, pattern in _RULES:
        text = pattern.sub(f"[{kind}]", text)
    return text
