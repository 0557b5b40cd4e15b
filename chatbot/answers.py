"""What the assistant says: statuses, citations, the fixed wording, and composing quotes into an answer."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote as percent_encode

from chatbot.articles import Article, Edition, Section


class Status(StrEnum):
    """What became of a question. A status is data, never an exception."""

    ANSWERED = "answered"
    SOURCES_DIFFER = "sources_differ"
    PARTLY_ANSWERED = "partly_answered"
    NOT_COVERED = "not_covered"
    CRISIS = "crisis"
    MEDICAL_ADVICE = "medical_advice"
    SMALL_TALK = "small_talk"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Helpline:
    """Someone to call: one entry of `helplines.yaml`."""

    id: str
    """What the code asks for: emergency, crisis, referral, poison, …"""
    name: str
    phone: str
    purpose: str
    hours: str
    region: str
    source: str
    verified: str
    """ISO 8601 date of the day on which the number was last checked."""
    sms: str | None = None
    chat: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """Where one quote stands. `article_text[start:end] == quote`."""

    number: int
    article: str
    title: str
    publisher: str | None
    section: str
    url: str | None
    updated: str | None
    edition: Edition
    quote: str
    start: int
    end: int

    @property
    def link(self) -> str | None:
        """The source's address with a text fragment that scrolls to the heading (or, in an original
        without one, to the quote's first words). None where the source has no public address."""
        if self.url is None:
            return None
        target = self.section or (" ".join(self.quote.split()[:6]) if self.edition == "original" else "")
        if not target:
            return self.url
        # A fragment directive gives '-', ',' and '&' a meaning of their own.
        encoded = percent_encode(target, safe="").replace("-", "%2D")
        return f"{self.url.split('#')[0]}#:~:text={encoded}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to one message, as every door shows it."""

    status: Status
    text: str
    citations: tuple[Citation, ...] = ()
    suggestions: tuple[str, ...] = ()
    helplines: tuple[Helpline, ...] = ()
    index: str = ""
    support: float | None = field(default=None, compare=False)
    """Calibrated confidence, 0 to 1, that the quotes answer the question. For staff, not in the public form."""

    def public(self) -> dict[str, Any]:
        """The form that the API and the batch give out: plain JSON types, keys in a fixed order."""
        return {
            "status": str(self.status),
            "text": self.text,
            "citations": [
                {name: getattr(citation, name) for name in Citation.__dataclass_fields__} for citation in self.citations
            ],
            "suggestions": list(self.suggestions),
            "helplines": [
                {name: getattr(line, name) for name in Helpline.__dataclass_fields__} for line in self.helplines
            ],
            "index": self.index,
        }


def cite(number: int, article: Article, section: Section, start: int, end: int) -> Citation:
    """The citation of `section.text[start:end]`."""
    return Citation(
        number=number,
        article=article.id,
        title=article.title,
        publisher=article.publisher,
        section=section.heading,
        url=article.url,
        updated=article.updated,
        edition=article.edition,
        quote=section.text[start:end],
        start=section.start + start,
        end=section.start + end,
    )
