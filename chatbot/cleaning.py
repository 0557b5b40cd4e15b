"""Leaving out what a saved web page prints around its article: menus, doubled headings, reactions, adverts.

Only lines of known kinds are left out, and each is listed. A line with a telephone number, a mail address or
the word "disclaimer" is never left out.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chatbot.outline import (
    PHONE,
    Block,
    guess_headings,
    is_heading_like,
    key,
    nest,
    sentences,
)

MAX_TITLE_WORDS = 20
MAX_MENU_WORDS = 6
MAX_CALL_WORDS = 25
MAX_ANNOUNCEMENT_WORDS = 40

_FURNITURE = frozenset(
    "skip to content|skip to main content|skip to navigation|main menu|toggle navigation|share this"
    "|share this post|share this article|tweet|leave a comment|leave a reply|post a comment|add a comment"
    "|cancel reply|no comments|related posts|related articles|you may also like|read more|learn more"
    "|previous post|next post|back to top|advertisement|accept cookies|all rights reserved"
    "|table of contents".split("|")
)
_EMPTY_WITHOUT_TEXT = frozenset("about the author|about author|author|tags|categories|share|comments".split("|"))
_REACTION = re.compile(r"what(?:[’']?s| is) your reaction\??", re.I)
_CREDIT = re.compile(r"(?:photo|image|picture)(?: credit)?(?: by\b|:)|©|copyright \d|\d+ min(?:ute)?s? read$", re.I)
_DATE_LINE = re.compile(
    r"(?:(?:this )?(?:content|page|article|post)\s+)?(?:was\s+)?(?:last\s+|originally\s+)?"
    r"(updated|reviewed|modified|published|posted)\s*(?:on\b|:)?\s*(.*?\d.*?)\.?",
    re.I,
)
_CALL = re.compile(
    r"(?:contact|call|reach out|get in touch|book|schedule|click|subscribe|sign up|speak|talk|follow)\b"
    r"(?=.*\b(?:us|we|our)\b)(?=.*(?:\b(?:today|now|here|more)\b|!))",
    re.I,
)
# Advice to call for help is not an advert, whoever gives it.
_ADVICE = re.compile(r"\b(?:if|emergency|crisis|doctor|physician|poison|ambulance|police|suicid\w*)\b|\d|@", re.I)
_WORK = r"(?:article|guide|post|blog|blog post|page|section)"
_WILL = r"(?:we[’']ll|we will|we[’']re going to|you[’']ll|you will|let[’']?s|let us)"
_TELL = r"(?:discuss|explore|look|dive|cover|explain|examine|learn|talk about|go over|take a look)"
_ANNOUNCEMENT = re.compile(
    rf"in this {_WORK},? (?:we|{_WILL}) {_TELL}\b|this {_WORK} (?:will |aims to )?{_TELL}(?:s|es)?\b"
    rf"|.*\bthis {_WORK} will (?:give|help|show|explain|walk)\b"
    rf"|(?:(?:next|now|below|here|first|then),? )?{_WILL} {_TELL}\b(?!.*\byou)",
    re.I,
)
_CAPTION = re.compile(r"(.+?) [-–—|] (.+)")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """An article's blocks without what stood around it."""

    title: str | None
    blocks: list[Block]
    dropped: list[str]
    updated: str | None
    """ISO 8601 date that the page prints as its last change, else as its publication."""


def clean(blocks: Sequence[Block], title: str | None, guess: bool) -> Cleaned:
    """Blocks of a page without its furniture. If `guess`, headings are not marked yet and are found here.

    Without a title the first heading or line is taken for it; the returned title is None if that can't be.
    """
    dropped: list[str] = []
    kept = _drop_furniture(blocks, dropped)
    if title is None:
        title = title_of(kept)
    if title is None:
        return Cleaned(None, kept, dropped, None)
    kept = _drop_title(kept, title, dropped)
    kept, updated = _drop_dates(kept, dropped)
    kept = _drop_captions(kept, title, guess, dropped)
    if guess:
        kept = guess_headings(kept)
    kept = _drop(_drop_repeats(kept, dropped), lambda block: block.kind == "paragraph" and is_call(block.text), dropped)
    if not guess:
        kept = [replace(block, kind="item") if block.kind == "numbered" else block for block in kept]
    else:
        kept = nest(_place_captions(kept), title)
    # Only now, because a lead-in that merely announces still shows which headings belong below.
    kept = _drop(kept, lambda block: block.kind == "paragraph" and is_announcement(block.text), dropped)
    return Cleaned(title, kept, dropped, updated)


def title_of(blocks: Sequence[Block]) -> str | None:
    """Outermost first heading, else any first heading, else the first line if it reads like a title."""
    headings = [block for block in blocks if block.kind == "heading"]
    outermost = [block for block in headings if block.level == 1]
    for block in (outermost or headings or blocks)[:1]:
        if block.kind == "heading" or (len(block.text.split()) <= MAX_TITLE_WORDS and block.text[-1] not in ".,;:"):
            return block.text
    return None


def is_announcement(text: str) -> bool:
    """Whether a paragraph says nothing but what the article is about to say."""
    return not re.search(r"\d", text) and all(
        _ANNOUNCEMENT.match(sentence) and len(sentence.split()) <= MAX_ANNOUNCEMENT_WORDS
        for sentence in sentences(text)
    )


def is_call(text: str) -> bool:
    """Whether a paragraph only bids the reader to turn to the publisher, without saying how."""
    return len(text.split()) <= MAX_CALL_WORDS and bool(_CALL.match(text)) and not _ADVICE.search(text)


def is_protected(text: str) -> bool:
    """Whether a line is never left out: it holds a telephone number, a mail address or a disclaimer."""
    return bool(PHONE.search(text)) or "@" in text or "disclaimer" in text.casefold()


def page_date(text: str) -> str | None:
    """ISO form of a printed date. None if it is no date, or if day and month can't be told apart."""
    for form in ("%Y-%m-%d", "%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%d %B %Y", "%d %b %Y", "%d. %B %Y"):
        try:
            return datetime.strptime(text, form).date().isoformat()
        except ValueError:
            continue
    if match := re.fullmatch(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4}|\d{2})", text):
        first, second, year = (int(part) for part in match.groups())
        if first > 12 or second > 12 or first == second:
            month, day = (second, first) if first > 12 else (first, second)
            try:
                return datetime(year + 2000 * (year < 100), month, day).date().isoformat()
            except ValueError:
                return None
    return None


def _drop(blocks: Sequence[Block], unwanted: Callable[[Block], bool], dropped: list[str]) -> list[Block]:
    kept = []
    for block in blocks:
        if block.text and unwanted(block) and not is_protected(block.text):
            dropped.append(block.text)
        else:
            kept.append(block)
    return kept


def _drop_furniture(blocks: Sequence[Block], dropped: list[str]) -> list[Block]:
    reacting = False

    def unwanted(block: Block) -> bool:
        nonlocal reacting
        if _REACTION.fullmatch(block.text):
            reacting = True
            return True
        reacting = reacting and len(block.text.split()) == 1 and block.text.isalpha()
        credit = len(block.text.split()) <= MAX_TITLE_WORDS and _CREDIT.match(block.text)
        return reacting or key(block.text) in _FURNITURE or bool(credit)

    return _drop(blocks, unwanted, dropped)


def _drop_title(blocks: Sequence[Block], title: str, dropped: list[str]) -> list[Block]:
    """Without the title, wherever it is printed, and the menu above it. The first printing is not listed: it
    is the article's title and not left out."""
    head = next(
        (index for index, block in enumerate(blocks) if len(block.text.split()) > MAX_TITLE_WORDS),
        len(blocks),
    )
    printings = [
        index
        for index, block in enumerate(blocks)
        if block.kind in ("paragraph", "heading")
        # Above the text the site's name may follow it.
        and key(title) in (key(block.text), key(re.split(r" [-–—|•] ", block.text)[0]) if index < head else "")
    ]
    first = printings[0] if printings else 0
    menu = _drop(
        blocks[:first] if first < head else (),
        lambda block: len(block.text.split()) <= MAX_MENU_WORDS and block.text[-1] not in ".!?:",
        dropped,
    )
    start = first if first < head else 0
    kept = menu
    for index in range(start, len(blocks)):
        if index not in printings:
            kept.append(blocks[index])
        elif index != first:
            dropped.append(blocks[index].text)
    return kept


def _drop_dates(blocks: Sequence[Block], dropped: list[str]) -> tuple[list[Block], str | None]:
    dates: dict[bool, str] = {}

    def unwanted(block: Block) -> bool:
        match = _DATE_LINE.fullmatch(block.text)
        if match is None or not (re.fullmatch(r"[\d/.]+", match[2]) or page_date(match[2])):
            return False
        if date := page_date(match[2]):
            dates.setdefault(match[1].casefold() in ("published", "posted"), date)
        return True

    kept = _drop(blocks, unwanted, dropped)
    return kept, dates.get(False, dates.get(True))


def _drop_captions(blocks: Sequence[Block], title: str, guess: bool, dropped: list[str]) -> list[Block]:
    """Pictures' captions of the form "Heading - what the page is about": out where the heading is printed
    too, else the heading that the page has lost (only where headings are guessed)."""
    matches = [_CAPTION.fullmatch(block.text) if block.kind in ("paragraph", "heading") else None for block in blocks]
    suffixes = Counter(key(match[2]) for match in matches if match)
    printed = {key(block.text) for block in blocks}
    kept: list[Block] = []
    for block, match in zip(blocks, matches, strict=True):
        suffix = key(match[2]) if match else ""
        known = len(suffix.split()) > 1 and (suffixes[suffix] > 1 or suffix in key(title))
        if not match or not known or not is_heading_like(match[1]) or is_protected(block.text):
            kept.append(block)
            continue
        missing = key(match[1]) not in printed
        if missing and not guess:
            kept.append(block)
            continue
        dropped.append(block.text)
        if missing:
            kept.append(replace(block, kind="caption", text=match[1]))
            printed.add(key(match[1]))
    return kept


def _place_captions(blocks: Sequence[Block]) -> list[Block]:
    """Headings that survived only as a picture's caption, put back where the page lost them: at the widened
    space in the section where the caption stands, else where it stands. Those put back stay `caption`: they
    head a part of that section."""
    placed: list[Block] = []
    for block in blocks:
        if block.kind != "caption":
            placed.append(block)
            continue
        gap = 0
        for index in range(len(placed) - 1, -1, -1):
            if placed[index].kind in ("heading", "caption"):
                # Directly below its heading a space marks nothing.
                gap = gap if gap > index + 1 else 0
                break
            if placed[index].gap:
                gap = index
        if gap:
            placed[gap] = replace(placed[gap], gap=False)
            placed.insert(gap, block)
        else:
            placed.append(replace(block, kind="heading"))
    return placed


def _drop_repeats(blocks: Sequence[Block], dropped: list[str]) -> list[Block]:
    """Without a heading printed again in its own section, and without those that pages print over nothing."""
    kept: list[Block] = []
    current = ""
    for index, block in enumerate(blocks):
        following = blocks[index + 1] if index + 1 < len(blocks) else None
        empty = following is None or following.kind == "heading"
        is_heading = block.kind in ("heading", "caption")
        again = is_heading and key(block.text) == current and not is_protected(block.text)
        if again or (empty and key(block.text) in _EMPTY_WITHOUT_TEXT):
            dropped.append(block.text)
            continue
        kept.append(block)
        if is_heading:
            current = key(block.text)
    return kept
