"""Abbreviations and lay words: the owner's glossary, and the abbreviations that the articles explain themselves."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from chatbot.errors import CorpusError

FILE = "glossary.yaml"
_EXPLAINED = re.compile(r"((?:[\w'’&/-]+[ ]){1,10})\(([A-Z][A-Za-z]{1,6})\)")
_JOINING = frozenset(["of", "and", "the", "for", "in", "on", "to", "a", "an", "&"])
_ORDINARY = frozenset(
    """met mat na aa op ip cm cr mi loc it in or me us am is as at be do go he if no so we an ma pa""".split()
)
"""Words of English that are abbreviations only where they are typed in capitals."""


@dataclass(frozen=True, slots=True)
class Glossary:
    """Keys and values in lower case; sorted, so that equal files give equal objects."""

    abbreviations: dict[str, str] = field(default_factory=dict)
    """`iop` to `intensive outpatient program`."""
    lay_words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """A visitor's word or phrase to the words that articles use for it."""

    def write_out(self, text: str) -> str:
        """The text with each abbreviation replaced by what it stands for."""

        def replaced(match: re.Match[str]) -> str:
            word = match.group(0)
            long = self.abbreviations.get(word.lower())
            return word if long is None or (word.lower() in _ORDINARY and not word.isupper()) else long

        return re.sub(r"[A-Za-z]+", replaced, text)

    def lay_terms(self, spoken: Sequence[str]) -> list[str]:
        """The articles' words for the lay words and phrases among the words spoken, in the glossary's order."""
        line = f" {' '.join(spoken)} "
        return [term for lay, meant in self.lay_words.items() if f" {lay} " in line for term in meant]

    def explained_in(self, texts: Iterable[str]) -> "Glossary":
        """With the abbreviations that the texts explain ("dialectical behavior therapy (DBT)"). The owner's win."""
        found = {short: long for text in texts for short, long in explained(text)}
        return replace(self, abbreviations=dict(sorted({**found, **self.abbreviations}.items())))


def explained(text: str) -> list[tuple[str, str]]:
    """The abbreviations that stand in brackets after the words whose initials they are, in lower case,
    plural and singular (after Schwartz and Hearst 2003, on whole words only)."""
    found = []
    for match in _EXPLAINED.finditer(text):
        letters = match[2].rstrip("s").lower() if match[2][-1] == "s" else match[2].lower()
        words = re.split(r"[ -]", match[1].strip().lower())
        taken: list[str] = []
        left = letters
        while words and left:
            word = words.pop()
            if word and word[0] == left[-1]:
                left = left[:-1]
            elif word not in _JOINING:
                break
            taken.insert(0, word)
        if not left and len(letters) > 1:
            long = " ".join(taken)
            singular = long[:-1] if match[2][-1] == "s" and long.endswith("s") else long
            found += [(letters, singular), (letters + "s", singular + "s")]
    return found


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
    if not isinstance(raw, dict) or not all(isinstance(part, dict | None) for part in raw.values()):
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
