"""The owner's glossary: abbreviations, and lay words for the articles' terms."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from chatbot.errors import CorpusError

FILE = "glossary.yaml"


@dataclass(frozen=True, slots=True)
class Glossary:
    """Keys and values in lower case; sorted, so that equal files give equal objects."""

    abbreviations: dict[str, str] = field(default_factory=dict)
    """`iop` to `intensive outpatient program`."""
    lay_words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """A visitor's word or phrase to the words that articles use for it."""


def load_glossary(folder: Path) -> Glossary:
    """The folder's `glossary.yaml`, or an empty glossary where there is none. Raises `CorpusError`."""
    path = folder / FILE
    if not path.is_file():
        return Glossary()
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        mark = getattr(error, "problem_mark", None)
        raise CorpusError(path, "can't be read as YAML", "mend the line", mark.line + 1 if mark else None) from error
    if not isinstance(raw, dict) or not all(isinstance(part, dict) for part in raw.values()):
        raise CorpusError(path, "is not two maps", "write 'abbreviations:' and 'lay_words:', each a map")
    unknown = set(raw) - {"abbreviations", "lay_words"}
    if unknown:
        raise CorpusError(path, f"has an unknown part '{min(unknown)}'", "keep to abbreviations and lay_words")
    abbreviations = {str(key).lower(): str(value).lower() for key, value in (raw.get("abbreviations") or {}).items()}
    lay_words = {
        str(key).lower(): tuple(str(word).lower() for word in (value if isinstance(value, list) else [value]))
        for key, value in (raw.get("lay_words") or {}).items()
    }
    return Glossary(dict(sorted(abbreviations.items())), dict(sorted(lay_words.items())))
