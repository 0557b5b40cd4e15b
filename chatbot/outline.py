"""Blocks of an article, and the outline of plain text: which lines belong together, which are headings, and
how those nest.

Plain text has no markup, so this module reads the habits of printed pages: a heading is a short line that
stands alone and is followed by text; a larger space than usual shows where a heading was lost in saving;
pages repeat the article's subject in their main headings and not in the ones below. Where the signs are weak
a line stays text: a sentence taken for a heading can't be quoted then, while a missed heading costs little.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

MAX_HEADING_WORDS = 12
MAX_SENTENCE_HEADING_WORDS = 15
MAX_LEAD_IN_WORDS = 40
LONG_PARAGRAPH_WORDS = 40
WRAP_COLUMNS = 120
"""Lines longer than this were not broken by hand or by an editor, so each is a paragraph."""

PHONE = re.compile(
    r"\(?\b\d{3}\)?[\s.-]?\d{3}[\s.-]?\d{4}\b|\+\d[\d\s().-]{6,}\d|\b0\d[\d\s-]{6,}\d|\b1?-?8\d\d-[A-Z\d-]{7,}"
)
STANDALONE = frozenset(
    "conclusion|in conclusion|summary|key takeaways|takeaways|faq|faqs|frequently asked questions|disclaimer"
    "|references|sources|about the author|introduction|overview|final thoughts|further reading"
    "|the bottom line".split("|")
)
"""Headings that belong to the whole article wherever they stand."""
_STOP_WORDS = frozenset(
    "a about an and are as at be by can do does for from how i in is it its my of on or our should that the"
    " their these this to what when where which who why will with you your".split()
)
_BULLET = re.compile(r"[-*+•◦▪‣●○·–]\s+(?=\S)")
_NUMBER = re.compile(r"(\d{1,2})[.)]\s+(?=\S)")
_SENTENCE_END = re.compile(r"[.!?][\"”’)]*\s+(?=[\"“‘(]?[A-Z0-9])")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200d\u2060\ufeff\x00-\x08\x0e-\x1b\x7f]")


Kind = Literal["heading", "paragraph", "item", "numbered", "caption"]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list item or heading. `numbered` and `caption` are undecided and end as one of those."""

    kind: Kind
    text: str
    level: int = 0
    """Depth of a heading, 1 outermost; 0 while it is not known."""
    gap: bool = False
    """A larger space than the text's usual one stands before it."""
    number: int = 0
    """Number printed before it, or 0."""


def normalise(text: str) -> str:
    """Text on one line: runs of white space (no-break spaces too) to one space, invisible characters out."""
    return " ".join(_INVISIBLE.sub("", text).split())


def key(text: str) -> str:
    """What two printings of the same heading have in common: letters and digits."""
    return " ".join(re.findall(r"\w+", text.casefold().replace("’", "").replace("'", "")))


def sentences(text: str) -> list[str]:
    """A rough cut into sentences, enough to count and compare them."""
    return _SENTENCE_END.sub(lambda match: match.group().rstrip() + "\n", text).split("\n")


def is_heading_like(text: str) -> bool:
    """Short, one phrase or question, no other end punctuation, nothing to call or click."""
    return (
        len(text.split()) <= MAX_HEADING_WORDS
        and (text[:1].isupper() or text[:1].isdigit() or text[:1] in "\"“‘'(")
        and text[-1:] not in ".,;:!…"
        and not _SENTENCE_END.search(text)
        and not PHONE.search(text)
        and not re.search(r"@|https?:|www\.", text)
    )


def text_blocks(text: str) -> list[Block]:
    """Paragraphs, list items and numbered lines of plain text, in order; headings are still paragraphs."""
    groups: list[tuple[int, list[str]]] = []
    blank = 0
    for line in map(normalise, text.splitlines()):
        if not line:
            blank += 1
            continue
        if blank or not groups:
            groups.append((blank, []))
        groups[-1][1].append(line)
        blank = 0
    spaces = Counter(space for space, _ in groups[1:])
    usual = max(spaces, key=lambda space: (spaces[space], -space), default=1)
    # Where wide spaces are common they are the page's style and say nothing about lost headings.
    rare = sum(count for space, count in spaces.items() if space > usual) * 4 <= spaces.total()
    blocks: list[Block] = []
    for space, lines in groups:
        joined = join_lines(lines, wrapped=max(map(len, lines)) <= WRAP_COLUMNS)
        if blocks and rare and space > usual:
            joined[0] = replace(joined[0], gap=True)
        blocks += joined
    return blocks


def join_lines(lines: Sequence[str], wrapped: bool) -> list[Block]:
    """Blocks of lines that follow each other without an empty one. If wrapped, a line's end means nothing
    unless the line was broken early."""
    width = max(map(len, lines))
    blocks: list[Block] = []
    for index, line in enumerate(lines):
        number = _NUMBER.match(line)
        if bullet := _BULLET.match(line):
            blocks.append(Block("item", line[bullet.end() :]))
        elif number:
            blocks.append(Block("numbered", line[number.end() :], number=int(number[1])))
        elif blocks and wrapped and not _ends_early(lines[index - 1], line, width, blocks[-1]):
            blocks[-1] = replace(blocks[-1], text=f"{blocks[-1].text} {line}")
        else:
            blocks.append(Block("paragraph", line))
    return blocks


def _ends_early(line: str, following: str, width: int, block: Block) -> bool:
    """Whether a line was ended on purpose: the next word would have fitted, and the line looks finished."""
    fits = len(line) + 1 + len(following.split()[0]) <= 0.8 * width
    whole = line.endswith(block.text)
    return fits and (line[-1] in ".!?:" or (whole and is_heading_like(block.text) and following[0].isupper()))


def guess_headings(blocks: Sequence[Block]) -> list[Block]:
    """The same blocks, with headings marked and numbered lines decided (heading or list item)."""
    marked = [_decide_number(blocks, index) for index in range(len(blocks))]
    likely = [
        block.kind in ("heading", "caption") or (block.kind == "paragraph" and is_heading_like(block.text))
        for block in marked
    ]
    at = 0
    for like, run in groupby(likely):
        length = len(list(run))
        end = at + length
        # Four short lines in a row are a list without bullets (or a menu), not headings of headings; and a
        # short line before a paragraph that goes on in small letters is the first part of it.
        if like and end < len(marked) and not (marked[end].kind == "paragraph" and marked[end].text[0].islower()):
            for index in range(at if length <= 3 else end - 1, end):
                if marked[index].kind == "paragraph":
                    marked[index] = replace(marked[index], kind="heading")
        at = end
    return _mark_sentence_headings(marked)


def _decide_number(blocks: Sequence[Block], index: int) -> Block:
    """A numbered line among others is a list item; one that text follows is a heading."""
    block = blocks[index]
    if block.kind != "numbered":
        return block
    beside = [blocks[i].kind for i in (index - 1, index + 1) if 0 <= i < len(blocks)]
    followed = index + 1 < len(blocks) and blocks[index + 1].kind in ("paragraph", "item")
    heading = followed and "numbered" not in beside and is_heading_like(block.text)
    return replace(block, kind="heading" if heading else "item")


def _mark_sentence_headings(blocks: list[Block]) -> list[Block]:
    """Short lone sentences between long paragraphs are headings, if the page does so more than once: a single
    one may as well be said with emphasis."""

    def long(block: Block) -> bool:
        words = len(block.text.split())
        return block.kind == "paragraph" and words >= LONG_PARAGRAPH_WORDS and len(sentences(block.text)) > 1

    found = [
        index
        for index, block in enumerate(blocks)
        if block.kind == "paragraph"
        and block.text.endswith(".")
        and len(block.text.split()) <= MAX_SENTENCE_HEADING_WORDS
        and is_heading_like(" ".join(block.text[:-1].split()[:MAX_HEADING_WORDS]))
        and index + 1 < len(blocks)
        and long(blocks[index + 1])
        and (index == 0 or blocks[index - 1].kind == "heading" or long(blocks[index - 1]))
    ]
    if len(found) > 1:
        for index in found:
            blocks[index] = replace(blocks[index], kind="heading")
    return blocks


@dataclass(slots=True)
class _Part:
    """A heading with the blocks under it."""

    head: Block
    body: list[Block]
    on_subject: bool
    level: int = 1

    @property
    def kind(self) -> str:
        if self.head.text.endswith("?"):
            return "question"
        if self.head.number:
            return "numbered"
        return "subject" if self.on_subject else "plain"

    def leads_in(self, following: "_Part") -> bool:
        """Whether the text here only opens what the next heading begins."""
        if not self.body or (self.body[-1].kind == "paragraph" and self.body[-1].text.endswith(":")):
            return True
        gap = next((index for index, block in enumerate(self.body) if block.gap and index), len(self.body))
        opening = self.body[:gap]
        short = len(opening) == 1 and len(opening[0].text.split()) <= MAX_LEAD_IN_WORDS
        return short and self.on_subject and not following.on_subject


def nest(blocks: Sequence[Block], title: str) -> list[Block]:
    """Headings with their levels. A heading without text of its own, with a lead-in only, or before a
    numbered series is the parent of what follows, until a heading of another kind comes."""
    start = next((i for i, block in enumerate(blocks) if block.kind in ("heading", "caption")), len(blocks))
    parts: list[_Part] = []
    for block in blocks[start:]:
        if block.kind in ("heading", "caption"):
            parts.append(_Part(block, [], names_subject(block.text, title)))
        else:
            parts[-1].body.append(block)
    parent: _Part | None = None
    child_kind = ""
    for index, part in enumerate(parts):
        before = parts[index - 1] if index else None
        after = parts[index + 1] if index + 1 < len(parts) else None
        if before is not None and (not before.body or part.head.kind == "caption"):
            parent, child_kind = before, part.kind
        elif key(part.head.text) in STANDALONE:
            parent = None
        elif part.kind == "numbered":
            if part.head.number == 1 or child_kind != "numbered":
                related = before is not None and before.kind != "numbered" and key(before.head.text) not in STANDALONE
                parent, child_kind = (before if related else None), "numbered"
        elif after is not None and part.leads_in(after):
            parent = None
        elif parent is not None and part.kind == child_kind:
            pass
        elif before is not None and before.leads_in(part):
            parent, child_kind = before, part.kind
        else:
            parent, child_kind = None, ""
        part.level = parent.level + 1 if parent else 1
    return [*blocks[:start], *(block for part in parts for block in _levelled(part))]


def _levelled(part: _Part) -> list[Block]:
    """A part's blocks. Text after a widened space has lost its heading: under a child it is not the child's,
    and an empty heading of the same level hands it to the parent."""
    out = [replace(part.head, kind="heading", level=part.level)]
    for index, block in enumerate(part.body):
        if block.gap and index and part.level > 1:
            out.append(Block("heading", "", part.level))
        out.append(block)
    return out


def names_subject(heading: str, title: str) -> bool:
    """Whether a heading repeats the article's subject: two of the title's words, or their initials (IOP)."""

    def words(text: str) -> list[str]:
        found = (word.removesuffix("s") for word in key(text).split())
        return [word for word in found if word not in _STOP_WORDS]

    subject = words(title)
    if not subject:
        return False
    shared = set(subject) & set(words(heading))
    if len(shared) >= min(2, len(set(subject))):
        return True
    for short in re.findall(r"\b([A-Z]{3,})s?\b", heading):
        initials = iter([word[0] for word in subject])
        if short.casefold() in subject or all(letter in initials for letter in short.casefold()):
            return True
    return False
