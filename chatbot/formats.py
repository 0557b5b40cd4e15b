"""Blocks of Markdown, HTML, plain text and PDF files."""

import html
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trafilatura
from markdown_it import MarkdownIt
from markdown_it.token import Token

from chatbot.errors import CorpusError
from chatbot.outline import Block, Kind, normalise, text_blocks
from chatbot.pdf import read_pdf

# What is wrong with a file is said once, by `CorpusError`.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_HTML_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.I)
_HTML_TAG = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1>|<[^>]*>", re.I | re.S)

_HTML_KINDS: dict[str, Kind] = {
    "head": "heading",
    "p": "paragraph",
    "quote": "paragraph",
    "code": "paragraph",
    "list": "paragraph",
    "item": "item",
    "table": "paragraph",
    "row": "item",
}


@dataclass(frozen=True, slots=True)
class Source:
    """What a file says, before cleaning."""

    blocks: list[Block]
    outlined: bool
    """Whether its headings are marked."""
    title: str | None = None
    updated: str | None = None
    publisher: str | None = None
    url: str | None = None
    dropped: list[str] = field(default_factory=list)


def read_text(file: Path) -> str:
    """A file's text. Raises `CorpusError` where it can't be read or isn't UTF-8 (a web page may declare
    another encoding)."""
    content = _read(file)
    encoding = "utf-8-sig"
    if file.suffix.lower() in (".html", ".htm") and (declared := _HTML_CHARSET.search(content[:2048])):
        encoding = declared[1].decode("ascii").lower().replace("utf-8", "utf-8-sig")
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        line = content[: error.start].count(b"\n") + 1 if isinstance(error, UnicodeDecodeError) else None
        raise CorpusError(file, f"is not {encoding.removesuffix('-sig').upper()}", "save it as UTF-8", line) from error


def is_outlined(blocks: Sequence[Block]) -> bool:
    """Whether headings are marked; one alone is the title."""
    return sum(block.kind == "heading" for block in blocks) > 1


def text_source(text: str) -> Source:
    """Plain text, whose outline is still to be found."""
    return Source(text_blocks(text), outlined=False)


def html_source(text: str) -> Source:
    """Main text of a web page, by trafilatura, with what the page says about itself."""
    document: Any = trafilatura.bare_extraction(
        text,
        include_comments=False,
        with_metadata=True,
        # Dates that the page declares, none guessed from its wording.
        date_extraction_params={"extensive_search": False, "original_date": False},
    )
    if document is None:
        return Source([], outlined=True)
    blocks = list(_html_blocks(document.body, "paragraph", 0))
    return Source(blocks, is_outlined(blocks), document.title, document.date, document.sitename, document.url)


def _html_blocks(element: Any, kind: Kind, level: int) -> Iterator[Block]:
    """Blocks of trafilatura's tree: head, p, list > item, quote, code, table > row > cell."""
    pieces = [element.text or ""]
    for child in element:
        tag = str(child.tag)
        # Paragraphs of one list item stay one item.
        inner = _HTML_KINDS.get(tag)
        if inner and not (kind == "item" and tag in ("p", "code")):
            yield from _block(kind, "".join(pieces), level)
            pieces = []
            depth = re.search(r"[1-6]", child.get("rend") or "")
            yield from _html_blocks(child, inner, int(depth[0]) if depth else 2)
        else:
            space = "; " if tag == "cell" and "".join(pieces).strip() else " " if tag in ("lb", "p", "code") else ""
            pieces += [space, "".join(child.itertext())]
        pieces.append(child.tail or "")
    yield from _block(kind, "".join(pieces), level)


def _block(kind: Kind, text: str, level: int = 0) -> Iterator[Block]:
    if text := normalise(text):
        yield Block(kind, text, level if kind == "heading" else 0)


def markdown_source(text: str) -> Source:
    """Markdown, with the outline that its marks give."""
    return Source(list(_markdown_blocks(_MARKDOWN.parse(text))), outlined=True)


def _markdown_blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    items: list[list[str]] = []
    """Texts of the list items and table rows that are open, outermost first."""
    level = 0
    separator = " "
    for token in tokens:
        if token.type in ("list_item_open", "tr_open"):
            # What the outer item says stands before what its own list says.
            if items:
                yield from _block("item", " ".join(items[-1]))
                items[-1].clear()
            items.append([])
            separator = "; " if token.type == "tr_open" else " "
        elif token.type in ("list_item_close", "tr_close"):
            yield from _block("item", separator.join(filter(None, items.pop())))
            separator = " "
        elif token.type == "heading_open":
            level = int(token.tag[1:])
        elif token.type == "heading_close":
            level = 0
        elif token.type in ("inline", "fence", "code_block", "html_block"):
            content = _inline_text(token)
            if items:
                items[-1].append(normalise(content))
            else:
                yield from _block("heading" if level else "paragraph", content, level)


def _inline_text(token: Token) -> str:
    if token.type == "html_block":
        return html.unescape(_HTML_TAG.sub(" ", token.content))
    if token.children is None:
        return token.content
    breaks = ("softbreak", "hardbreak")
    return "".join(
        child.content
        if child.type in ("text", "code_inline")
        else " "
        if child.type in breaks or child.content == "<br>"
        else ""
        for child in token.children
    )


def pdf_source(file: Path) -> Source:
    """A PDF's text; its outline where type sizes tell it."""
    blocks, title, dropped = read_pdf(_read(file), file)
    return Source(blocks, is_outlined(blocks), title, dropped=dropped)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CorpusError(file, f"can't be read ({error.strerror})", "make it readable for this user") from error
