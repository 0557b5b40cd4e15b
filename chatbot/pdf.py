"""Blocks of a PDF, by the places and sizes of its printed lines."""

import logging
import re
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

from pypdf import PdfReader

from chatbot.errors import CorpusError
from chatbot.outline import PHONE, Block, is_heading_like, join_lines, key, normalise

# What is wrong with a file is said once, by `CorpusError`.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)

_PAGE_NUMBER = re.compile(r"(?:page\s*)?[-–]?\s*\d{1,4}\s*[-–]?(?:\s*(?:/|of)\s*\d{1,4})?", re.I)
_FILE_NAME_TITLE = re.compile(r"untitled|microsoft word|\S+\.\w{2,5}$", re.I)
_HEADING_SCALE = 1.12
"""A PDF's line is a heading from this many times the size of most of its letters."""
_PARAGRAPH_SCALE = 1.25
"""A PDF's paragraph begins after a space of this many times the usual one between lines."""
_MAX_HEADING_WORDS = 20
_OWN_HYPHEN = frozenset(
    "self well half long short full part step high low two three four five six seven eight nine ten".split()
)


@dataclass(frozen=True, slots=True)
class _Line:
    """A printed line: its baseline in points from the page's foot, and its letters' size in points."""

    text: str
    y: float
    size: float
    bold: bool


def read_pdf(content: bytes, file: Path) -> tuple[list[Block], str | None, list[str]]:
    """Blocks, title and the running lines left out. Raises `CorpusError` if the file is locked, damaged or
    made of pictures."""
    try:
        reader = PdfReader(BytesIO(content))
        # Files that only limit printing open with an empty password.
        locked = reader.is_encrypted and not reader.decrypt("")
        pages = [] if locked else [_lines(page) for page in reader.pages]
        title = None if locked or reader.metadata is None else reader.metadata.title
    # pypdf raises many kinds on damaged files.
    except Exception as error:
        raise CorpusError(
            file, f"is not a readable PDF ({normalise(str(error))})", "save it anew as PDF or text"
        ) from error
    if locked:
        raise CorpusError(file, "is locked with a password", "save an unlocked copy")
    if not any(pages):
        raise CorpusError(
            file, "has no text, only pictures", "run text recognition (OCR) on it, or give its text as .txt"
        )
    dropped: list[str] = []
    blocks = _blocks(_without_running_lines(pages, dropped))
    headings = [block.text for block in blocks if block.kind == "heading"] or [blocks[0].text]
    title = normalise(title or "")
    if _FILE_NAME_TITLE.match(title):
        title = ""
    else:
        # The site's name often follows the title that is printed.
        title = next((text for text in headings if f"{key(title)} ".startswith(f"{key(text)} ")), title)
    return blocks, title or None, dropped


def _lines(page: Any) -> list[_Line]:
    pieces: list[_Line] = []

    def visit(text: str, place: list[float], matrix: list[float], font: dict[str, Any] | None, size: float) -> None:
        if text.strip():
            scale = abs(matrix[3] * place[3]) or 1.0
            y = place[1] * matrix[4] + place[3] * matrix[5] + place[5]
            bold = bool(re.search("bold|black|heavy", str((font or {}).get("/BaseFont")), re.I))
            pieces.append(_Line(text, y, round(size * scale, 1), bold))

    page.extract_text(visitor_text=visit)
    lines: list[_Line] = []
    for piece in pieces:
        if lines and abs(lines[-1].y - piece.y) < 0.4 * piece.size:
            last = lines.pop()
            piece = _Line(last.text + piece.text, last.y, max(last.size, piece.size), last.bold and piece.bold)
        lines.append(piece)
    return [_Line(text, line.y, line.size, line.bold) for line in lines if (text := normalise(line.text))]


def _without_running_lines(pages: list[list[_Line]], dropped: list[str]) -> list[list[_Line]]:
    """Pages without page numbers and without what stands on most of them at the same height."""

    def place(line: _Line) -> tuple[str, int]:
        return re.sub(r"\d+", "#", key(line.text)), round(line.y / 3)

    seen = Counter(mark for page in pages for mark in {place(line) for line in page})
    kept: list[list[_Line]] = []
    said: set[str] = set()
    for page in pages:
        heights = sorted(line.y for line in page)
        kept.append([])
        for line in page:
            edge = line.y in (heights[0], heights[-1])
            running = seen[place(line)] >= max(2, len(pages) / 2) or (edge and _PAGE_NUMBER.fullmatch(line.text))
            if running and PHONE.search(line.text):
                # A number to call is said once.
                running = line.text in said
            elif running and line.text not in dropped:
                dropped.append(line.text)
            said.add(line.text)
            if not running:
                kept[-1].append(line)
    return kept


def _blocks(pages: list[list[_Line]]) -> list[Block]:
    """Paragraphs and headings: a heading is larger than the text, or bold and shaped like one."""
    lines = [line for page in pages for line in page]
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    body = max(sizes, key=lambda size: (sizes[size], -size), default=0.0)
    larger = sorted({line.size for line in lines if line.size >= _HEADING_SCALE * body}, reverse=True)
    # Words that are printed whole, to judge the broken ones by.
    printed = re.sub(r"\w+-\n\w+", " ", "\n".join(line.text for line in lines).casefold())
    words = frozenset(re.findall(r"\w+(?:-\w+)*", printed))
    blocks: list[Block] = []
    groups = _groups(pages, body)
    for group in groups:
        joined = join_lines(_unhyphenated([line.text for line in group], words), wrapped=True)
        if group[0].size in larger and len(joined[0].text.split()) <= _MAX_HEADING_WORDS:
            text = " ".join(block.text for block in joined)
            blocks.append(Block("heading", text, larger.index(group[0].size) + 1))
        elif all(line.bold for line in group) and len(joined) == 1 and is_heading_like(joined[0].text):
            blocks.append(Block("heading", joined[0].text, len(larger) + 1))
        else:
            blocks += joined
    # A heading heads something.
    while blocks and blocks[-1].kind == "heading":
        blocks[-1] = Block("paragraph", blocks[-1].text)
    return blocks


def _groups(pages: list[list[_Line]], body: float) -> list[list[_Line]]:
    """Lines that belong to one paragraph or heading. `body`: size of the text's letters in points."""
    steps: Counter[float] = Counter()
    for page in pages:
        steps.update(round(a.y - b.y, 1) for a, b in pairwise(page) if a.size == b.size == body and a.y > b.y)
    # Spaces between paragraphs may be as frequent as those between lines, but not smaller.
    leading = min((step for step, count in steps.items() if count * 3 >= max(steps.values())), default=1.2 * body)
    widest = max((len(line.text) for page in pages for line in page), default=0)
    groups: list[list[_Line]] = []
    for page in pages:
        for index, line in enumerate(page):
            last = groups[-1][-1] if groups else None
            if last is None or last.size != line.size:
                new = True
            elif last.bold and not line.bold and is_heading_like(last.text):
                new = not line.text[0].islower()
            elif index == 0 or last.y <= line.y:
                # A paragraph may go on at the head of the next page or column.
                new = last.text[-1] in '.!?:”"' or not (line.text[0].islower() or len(last.text) > 0.6 * widest)
            else:
                new = last.y - line.y > _PARAGRAPH_SCALE * leading * line.size / body
            if new:
                groups.append([])
            groups[-1].append(line)
    return groups


def _unhyphenated(lines: list[str], words: frozenset[str]) -> list[str]:
    """Lines with words put together that were broken at a line's end. `words`: the file's unbroken words in
    small letters, which tell a broken word from one with a hyphen of its own; else its first part may."""
    out = [lines[0]]
    for line in lines[1:]:
        match = re.search(r"(\w+)-$", out[-1])
        if match and line[0].islower():
            rest, _, line = line.partition(" ")
            first, second = match[1].casefold(), re.split(r"\W", rest.casefold())[0]
            own = f"{first}-{second}" in words or second in words or first in _OWN_HYPHEN
            out[-1] = (out[-1] if own and first + second not in words else out[-1][:-1]) + rest
        if line:
            out.append(line)
    return out
