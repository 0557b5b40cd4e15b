"""Articles: a folder's files and what is said about them, put together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import yaml

from chatbot.cleaning import clean, title_of
from chatbot.errors import CorpusError
from chatbot.formats import Source, html_source, markdown_source, pdf_source, read_text, text_source
from chatbot.outline import Block, key

Edition = Literal["summary", "original"]
LISTING = "articles.yaml"
SUFFIXES = (".md", ".html", ".htm", ".txt", ".pdf")
_NAMES = ("id", "file", "title", "publisher", "url", "updated", "edition")
_NULL = ("", "~", "null", "Null", "NULL")


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
        """Offset of the first character after `text`."""
        return self.start + len(self.text)

    @property
    def heading(self) -> str:
        """The section's own heading; empty before the first."""
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


@dataclass(frozen=True, slots=True)
class _Metadata:
    """What front matter, or an entry of `articles.yaml`, says about an article."""

    file: Path
    line: int
    values: dict[str, str]
    """Scalars as written; nulls left out."""
    lines: dict[str, int]

    def updated(self) -> str | None:
        """ISO 8601 date. Raises `CorpusError`."""
        if (value := self.values.get("updated")) is None:
            return None
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise self.error("updated", f"updated: {value} is not a date", "write it as 2024-03-29, or null") from None

    def edition(self) -> Edition | None:
        """Raises `CorpusError` on an edition that there is not."""
        match self.values.get("edition"):
            case None:
                return None
            case "summary":
                return "summary"
            case "original":
                return "original"
            case other:
                raise self.error("edition", f"edition: {other} is not known", "write summary or original")

    def error(self, name: str, problem: str, mend: str) -> CorpusError:
        return CorpusError(self.file, problem, mend, self.lines.get(name, self.line))


def load_articles(folder: Path) -> tuple[Article, ...]:
    """All articles of a folder, sorted by id: its .md, .html, .htm, .txt and .pdf files, but for README.md.

    `articles.yaml` (a list of entries with file, and any of id, title, publisher, url, updated, edition) wins
    over what a file says about itself. Raises `CorpusError`.
    """
    if not folder.is_dir():
        raise CorpusError(folder, "is not a folder", "name the folder that holds the articles")
    files = sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in SUFFIXES
        and file.name.lower() != "readme.md"
        and file.name[0] != "."
        and file.is_file()
    )
    listed = _listing(folder / LISTING, {file.name for file in files})
    if not files:
        raise CorpusError(folder, "holds no articles", f"put files ending in {', '.join(SUFFIXES)} into it")
    articles: dict[str, Article] = {}
    sources: dict[str, Path] = {}
    for file in files:
        entry = listed.get(file.name, _Metadata(file, 1, {}, {}))
        article = _load(file, entry)
        if article.id in articles:
            problem = f"has the id {article.id}, as {sources[article.id].name} has"
            raise CorpusError(file, problem, f"rename one of them, or give it another id in {LISTING}")
        articles[article.id], sources[article.id] = article, file
    return tuple(articles[id_] for id_ in sorted(articles))


def _load(file: Path, entry: _Metadata) -> Article:
    own, source = _read(file)
    id_ = entry.values.get("id") or re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")
    if not re.fullmatch(r"[a-z0-9-]*[a-z0-9]", id_):
        raise entry.error("id", f"its id {id_!r} is not made of a-z, 0-9 and -", f"give it an id in {LISTING}")
    title = entry.values.get("title") or own.values.get("title") or source.title
    updated, dropped = entry.updated() or own.updated() or source.updated, source.dropped
    if file.suffix.lower() == ".md":
        # Its owner wrote it for this library: nothing stands around the article.
        title = title or title_of(source.blocks)
        blocks = _without_title(source.blocks, title or "")
    else:
        cleaned = clean(source.blocks, title, guess=not source.outlined)
        title, blocks, dropped = cleaned.title, cleaned.blocks, [*dropped, *cleaned.dropped]
        updated = updated or cleaned.updated
    if not source.blocks:
        raise CorpusError(file, "has no text", "write the article into it, or take it out of the folder")
    if not title:
        raise CorpusError(file, "has no title", f"begin it with a title, or give it one in {LISTING}")
    text, sections = assemble(blocks)
    if not sections:
        raise CorpusError(
            file, "has no text below its title", "write the article into it, or take it out of the folder"
        )
    return Article(
        id=id_,
        title=title,
        publisher=entry.values.get("publisher") or own.values.get("publisher") or source.publisher,
        url=entry.values.get("url") or own.values.get("url") or source.url,
        updated=updated,
        edition=entry.edition() or own.edition() or "original",
        text=text,
        sections=sections,
        dropped=tuple(dropped),
    )


def _read(file: Path) -> tuple[_Metadata, Source]:
    """A file's front matter and contents."""
    own = _Metadata(file, 1, {}, {})
    match file.suffix.lower():
        case ".pdf":
            return own, pdf_source(file)
        case ".md":
            front, body = _front_matter(file, read_text(file))
            return front or own, markdown_source(body)
        case ".txt":
            return own, text_source(read_text(file))
        case _:
            return own, html_source(read_text(file))


def assemble(blocks: Sequence[Block]) -> tuple[str, tuple[Section, ...]]:
    """An article's text and its sections. A heading without words ends its level's section and names none."""
    text = ""
    trail: list[tuple[int, str]] = []
    sections: list[Section] = []
    last: Block | None = None
    for block in blocks:
        if block.kind == "heading":
            while trail and trail[-1][0] >= block.level:
                trail.pop()
            if block.text:
                trail.append((block.level, block.text))
                text += f"\n\n{block.text}" if text else block.text
        else:
            line = f"- {block.text}" if block.kind == "item" else block.text
            if last is not None and last.kind != "heading":
                space = "\n" if last.kind == block.kind == "item" else "\n\n"
                old = sections.pop()
                sections.append(Section(old.trail, old.start, f"{old.text}{space}{line}"))
            else:
                space = "\n\n" if text else ""
                names = tuple(name for _, name in trail)
                sections.append(Section(names, len(text) + len(space), line))
            text += space + line
        last = block
    return text, tuple(sections)


def _without_title(blocks: Sequence[Block], title: str) -> list[Block]:
    """Without the first heading or line if it is the title: an outermost heading, or the text's beginning."""
    for index, block in enumerate(blocks):
        if block.kind == "heading" or index == 0:
            first = index == 0 or block.level == 1
            if first and block.kind != "item" and key(block.text) == key(title):
                return [*blocks[:index], *blocks[index + 1 :]]
        if block.kind == "heading":
            break
    return list(blocks)


def _front_matter(file: Path, text: str) -> tuple[_Metadata | None, str]:
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].rstrip() != "---":
        return None, text
    end = next((index for index, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), None)
    if end is None:
        raise CorpusError(file, "its front matter has no end", "close it with a line of three hyphens", 1)
    node = _compose(file, "".join(lines[1:end]), 2)
    return (None if node is None else _metadata(file, node, 2)), "".join(lines[end + 1 :])


def _listing(file: Path, names: set[str]) -> dict[str, _Metadata]:
    """Entries of `articles.yaml` by file name; empty if there is none."""
    if not file.exists():
        return {}
    node = _compose(file, read_text(file), 1)
    if node is None:
        return {}
    if not isinstance(node, yaml.SequenceNode):
        raise CorpusError(file, "is not a list", "write an entry for each article, beginning with '- file:'", 1)
    entries: dict[str, _Metadata] = {}
    for child in node.value:
        entry = _metadata(file, child, 1)
        name = entry.values.get("file")
        if name is None:
            raise entry.error("file", "an entry names no file", "add file: and the article's file name")
        if name not in names:
            raise entry.error("file", f"{name} is not an article in this folder", "put it there, or take the entry out")
        if name in entries:
            raise entry.error("file", f"{name} is listed twice", "take one entry out")
        entries[name] = entry
    return entries


def _compose(file: Path, text: str, first_line: int) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it has a character that YAML does not allow"
        # A forbidden character comes with its place in the text, anything else with its line.
        line = mark.line if mark else text.count("\n", 0, getattr(error, "position", 0))
        mend = "mend that line; a value with a colon needs quotes"
        raise CorpusError(file, f"is not valid YAML: {problem}", mend, line + first_line) from error


def _metadata(file: Path, node: yaml.Node, first_line: int) -> _Metadata:
    """A mapping's scalars, taken from the nodes: those know their lines, and leave dates as written."""
    at = node.start_mark.line + first_line
    if not isinstance(node, yaml.MappingNode):
        raise CorpusError(file, "is not made of names and values", "write lines like 'title: Words'", at)
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for name, value in node.value:
        if not isinstance(name, yaml.ScalarNode):
            continue
        line = lines[name.value] = name.start_mark.line + first_line
        if isinstance(value, yaml.ScalarNode):
            if value.style is not None or value.value not in _NULL:
                values[name.value] = value.value.strip()
        elif name.value in _NAMES:
            raise CorpusError(file, f"{name.value}: is not one value", "write it on one line", line)
    return _Metadata(file, at, values, lines)
