"""Articles: reading them from Markdown, HTML, plain text and PDF, and cleaning saved web pages."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Edition = Literal["summary", "original"]


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of an article under one heading. `article.text[section.start:section.end] == section.text`.

    `text` is canonical whatever the file's format was: paragraphs, each on one line, are separated by
    one empty line; list items stand on a line each, begin with "- " and follow each other without an
    empty line; no other markup.
    """

    trail: tuple[str, ...]
    """Headings from the outermost to the section's own; empty for text before the first heading."""
    start: int
    """Character offset of `text` in the article's text."""
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def heading(self) -> str:
        return self.trail[-1] if self.trail else ""


@dataclass(frozen=True, slots=True)
class Article:
    """One article as indexed."""

    id: str
    title: str
    publisher: str | None
    url: str | None
    updated: str | None
    """ISO 8601 date, or None."""
    edition: Edition
    text: str
    """The whole cleaned text, headings included as lines of their own."""
    sections: tuple[Section, ...]
    dropped: tuple[str, ...] = ()
    """Lines left out as boilerplate, for the build's summary."""


def load_articles(folder: Path) -> tuple[Article, ...]:
    """All articles of a folder, sorted by id. Raises `CorpusError`."""
    raise NotImplementedError
