"""Answers as HTML for the pages. Every text from outside is escaped here, and only here.

Each function gives one line: a transcript reads messages as Markdown, in which a block of HTML ends at the
first empty line.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from html import escape

from chatbot.answers import Answer, Citation, Helpline, Status

HEADINGS = {
    Status.ANSWERED: None,
    Status.SMALL_TALK: None,
    Status.SOURCES_DIFFER: "The articles differ",
    Status.PARTLY_ANSWERED: "The articles give part of an answer",
    Status.NOT_COVERED: "Not in the articles",
    Status.CRISIS: "Please get help now",
    Status.MEDICAL_ADVICE: "A question for a health professional",
    Status.INVALID: "That could not be read",
}

LONGEST_SHOWN = 4000
"""Characters of a question that are shown."""
LONGEST_OPEN_QUOTE = 240
"""Characters of a quote that stands open among the sources: a longer one opens when it is pressed."""


def question_card(question: str) -> str:
    """What the visitor asked; of a very long message, its beginning."""
    shown = question if len(question) <= LONGEST_SHOWN else question[:LONGEST_SHOWN] + "…"
    return f'<h2 class="question"><span class="unseen">You asked: </span>{inline(shown) or "(nothing)"}</h2>'


def answer_card(answer: Answer) -> str:
    """One answer: its heading if it has one, whom to call, the text with its numbers, the sources. In a
    crisis whom to call comes first; otherwise it follows the text."""
    heading = HEADINGS[answer.status]
    title = f'<h3 class="kind">{heading}</h3>' if heading else ""
    text = paragraphs(answer.text, {citation.number for citation in answer.citations})
    calls = helpline_list(answer.helplines)
    body = calls + text if answer.status is Status.CRISIS else text + calls
    return f'<div class="answer {answer.status}">{title}{body}{source_list(answer.citations)}</div>'


def failure_card(helplines: Sequence[Helpline]) -> str:
    """What shows when an answer could not be made at all."""
    calls = helpline_list(helplines)
    text = "<p>Something went wrong here, and there is no answer. Please ask again, or call:</p>"
    return f'<div class="answer failed"><h3 class="kind">No answer this time</h3>{text}{calls}</div>'


def inline(text: str) -> str:
    """Text as HTML on one line. Line ends become breaks; other control characters go."""
    kept = "".join(character for character in text if character.isprintable() or character in "\n\t")
    return escape(kept.strip()).replace("\n", "<br>")


def paragraphs(text: str, numbers: set[int]) -> str:
    """An answer's text: paragraphs apart by an empty line, list items with "- ", and citation numbers."""
    html = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.split("\n")
        while lines:
            items = [line.startswith("- ") for line in lines]
            length = items.index(not items[0]) if (not items[0]) in items else len(items)
            run, lines = lines[:length], lines[length:]
            if items[0]:
                rows = "".join(f"<li>{_numbered(line[2:], numbers)}</li>" for line in run)
                html.append(f"<ul>{rows}</ul>")
            else:
                html.append(f"<p>{_numbered(chr(10).join(run), numbers)}</p>")
    return "".join(html)


def _numbered(text: str, numbers: set[int]) -> str:
    def mark(match: re.Match[str]) -> str:
        return f'<sup class="number">{match.group()}</sup>' if int(match.group(1)) in numbers else match.group()

    return re.sub(r"\[(\d{1,3})\]", mark, inline(text))


def source_list(citations: Iterable[Citation]) -> str:
    """The sources under an answer: quotes of one section stand together, in the order of their numbers."""
    groups: dict[tuple[str, str], list[Citation]] = {}
    for citation in citations:
        groups.setdefault((citation.article, citation.section), []).append(citation)
    if not groups:
        return ""
    rows = "".join(f"<li>{_origin(group[0])}{''.join(map(_quote, group))}</li>" for group in groups.values())
    return f'<div class="sources"><h3>Sources</h3><ul>{rows}</ul></div>'


def _quote(citation: Citation) -> str:
    number = f'<span class="number">[{citation.number}]</span>'
    quote = f"<q>{inline(citation.quote)}</q>"
    if len(citation.quote) <= LONGEST_OPEN_QUOTE:
        return f"<blockquote>{number} {quote}</blockquote>"
    start = inline(citation.quote[:60].rsplit(maxsplit=1)[0])
    return f"<blockquote><details><summary>{number} “{start}…”</summary>{quote}</details></blockquote>"


def _origin(citation: Citation) -> str:
    """Where a quote comes from: "Retold from <title>, publisher, section, date"."""
    manner = "Retold from" if citation.edition == "summary" else "From"
    title = f"<cite>{inline(citation.title)}</cite>"
    if citation.link is not None and citation.link.startswith(("https://", "http://")):
        title = outward(citation.link, title)
    details = [inline(citation.publisher)] if citation.publisher else []
    if citation.section:
        details.append(f"section “{inline(citation.section)}”")
    if citation.updated:
        details.append(_day(citation.updated))
    tail = f'<span class="details">{" · ".join(details)}</span>' if details else ""
    return f'<p class="origin">{manner} {title}{tail}</p>'


def _day(written: str) -> str:
    """An ISO 8601 date in words; anything else as it is."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return inline(written)
    return f'<time datetime="{day}">{day:%B} {day.day}, {day.year}</time>'


def outward(address: str, label: str) -> str:
    """A link to another site, which learns nothing of where it was pressed. `label` is HTML."""
    note = '<span class="unseen"> (opens in a new tab)</span>'
    return f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{label}{note}</a>'


def dialled(number: str) -> str:
    """A number as a link dials it: letters as on a telephone's keys, without the extension, which is for whoever answers."""
    keys = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
    return re.sub(r"[^0-9+]", "", re.sub(r"(X|EXT)[. ]*\d+$", "", number.upper()).translate(keys))


def call_link(line: Helpline, label: str) -> str:
    """A link that dials a helpline. `label` is HTML."""
    return f'<a class="call" href="tel:{dialled(line.phone)}">{label}</a>'


def helpline_list(helplines: Iterable[Helpline]) -> str:
    """Whom to call, with what each is for."""
    rows = []
    for line in helplines:
        ways = [call_link(line, f"Call {inline(line.phone)}")]
        if line.sms:
            ways.append(f'<a class="call" href="sms:{dialled(line.sms)}">Text {inline(line.sms)}</a>')
        if line.chat and line.chat.startswith("https://"):
            ways.append(outward(line.chat, "Chat online"))
        note = f" {inline(line.note)}" if line.note else ""
        rows.append(
            f'<li><strong>{inline(line.name)}</strong> <span class="ways">{" ".join(ways)}</span>'
            f'<span class="details">{inline(line.purpose)}. Open {inline(line.hours)}.{note}</span></li>'
        )
    return f'<ul class="helplines">{"".join(rows)}</ul>' if rows else ""
