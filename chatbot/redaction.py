"""Takes out of a message what tells who somebody is, before anything of it is stored: `[phone]`, `[name]` and the like
stand in its place.

It errs towards taking out. Numbers that anybody may call (toll-free ones, 988) and dates that are nobody's birthday
stay, so that a question can still be understood."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import phonenumbers

from chatbot.lexical import STOP_WORDS
from chatbot.names import names_in


class Span(NamedTuple):
    """A place in a text, and what stands there: email, link, card, ssn, birth, id, phone, address, name."""

    start: int
    end: int
    kind: str


_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = (
    r"(?:\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{2,4}}|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH},? \d{{2,4}})"
)
_KEYED = (
    r"member|membership|subscriber|group|policy|insurance|patient|medicaid|medicare|medi-?cal|case|docket|cause|inmate|booking|"
    r"record|chart|account|claim|mrn|cdcr|passport|driver'?s? ?(?:license|licence)|license|licence|client|plan|prescription|rx|id"
)
_STREET = (
    r"street|str|st|avenue|ave|av|road|rd|lane|ln|drive|dr|court|ct|boulevard|blvd|way|place|pl|circle|cir|terrace|ter|"
    r"trail|trl|parkway|pkwy|highway|hwy|square|sq|loop|alley|plaza"
)
_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("email", r"[\w.+%-]+ ?@ ?[\w-]+(?:\.[\w-]+)+"),
        ("email", r"\b[\w.+%-]+ ?[\[(]? ?\bat\b ?[\])]? ?[\w-]+ ?[\[(]? ?\bdot\b ?[\])]? ?(?:com|net|org|edu|gov|me|io|co)\b"),
        ("link", r"\b(?:https?://|www\.)[^\s<>\"]*[\w/]"),
        ("link", r"\b(?:[a-z0-9-]+\.)+[a-z]{2,}/[^\s<>\"]*[\w/]"),
        ("card", r"\b(?:card|visa|master ?card|amex|american express|discover|debit|credit)\b[^\d\n]{0,20}(?P<it>\d(?:[ -]?\d){11,18})\b"),
        ("ssn", r"(?<![\w-])\d{3}([- .])\d{2}\1\d{4}(?![\w-])"),
        ("ssn", r"\b(?:ssn?|ss ?#|social(?: security)?)\b[^\d\n]{0,20}(?P<it>\d(?:[ -]?\d){8})(?!\w)"),
        (
            "birth",
            rf"\b(?:d\.?o\.?b\.?|date of birth|birth ?(?:date|day)|b-?day|born)\b(?:\W+(?:is|was|on|in|the))*\W{{0,3}}(?P<it>{_DATE})",
        ),
        (
            "id",
            rf"(?:\b(?:{_KEYED})\b(?:\W{{0,2}}\b(?:id|number|numbers|no|num|nr|#s?)\b)*|#)[\W_]{{0,3}}(?:\b(?:is|was|are|and|for)\b)?[\W_]{{0,3}}"
            r"(?P<it>(?=[\w-]*\d)(?=(?:[^\d\s]*\d[ -]?){4})[\w-]{2,}(?:[ /-]\d[\w-]*)*)",
        ),
    )
)  # fmt: skip
_LATE_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("phone", r"(?<![\w/.-])(?:\+?1[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}(?![\w/])"),
        ("phone", r"\b(?:at|on|call|text|phone|cell|mobile|number is|reach me|tel)\b\W{0,3}(?P<it>\d{3}[ .-]\d{4})(?![\w/])"),
        ("phone", r"(?<![\w/])\+\d(?:[ .()-]{0,2}\d){7,14}(?![\w/])"),
        ("address", r"\bp\.? ?o\.? ?box \d+|\bbox \d{3,}"),
        (
            "address",
            rf"(?<![\w#/.:-])\d{{1,5}}[a-z]?\s+(?:(?:[nsew]|north|south|east|west|ne|nw|se|sw)\b\.?\s+)?(?P<between>(?:[\w'.-]+\s+){{1,3}}?)"
            rf"(?:{_STREET})\b\.?(?:,?\s*(?:apt|apartment|unit|suite|ste|lot|room|rm|space|spc|#)\W{{0,2}}[\w-]+)?"
            r"(?:,?\s*#\s*[\w-]+)?(?:,\s*[A-Z][\w. ]{2,25}?,?\s+[a-z]{2}\.?\s+\d{5}(?:-\d{4})?)?",
        ),
        ("id", r"(?<![\w/-])(?=[\w-]*\d[\w-]*\d[\w-]*\d[\w-]*\d[\w-]*\d[\w-]*\d)(?=[\w-]*[a-z])[\w-]{7,}"),
        ("id", r"(?<![\w/.,$-])\d{7,}(?![\w/])"),
    )
)  # fmt: skip
_NO_STREET = STOP_WORDS | frozenset(
    "minute minutes min mins hour hours hr hrs day days week weeks month months year years mile miles people person men women "
    "times time step steps sessions session dollars bucks mg beers drinks pills kids months' of ordered percent weeks'".split()
)
_FREE = re.compile(r"(?:\+?1[ .-]?)?\(?8(?:00|33|44|55|66|77|88)\)?(?!\d)")


def redact(text: str) -> str:
    """The text with `[phone]`, `[name]` and the like in place of what it held. Redacting twice changes nothing."""
    while spans := find(text):  # what is taken out may have hidden what it stood beside
        parts, at = [], 0
        for span in spans:
            parts += [text[at : span.start], f"[{span.kind}]"]
            at = span.end
        text = "".join(parts) + text[at:]
    return text


def find(text: str) -> list[Span]:
    """What is to be taken out, in the order of the text; no two overlap."""
    found: list[Span] = [Span(*match.span(), "") for match in re.finditer(r"\[[a-z]{2,7}\]", text)]
    for spans in (_by(_RULES, text), _cards(text), _phones(text), _by(_LATE_RULES, text)):
        _take(found, spans)
    _take(found, (Span(start, end, "name") for start, end in names_in(text)))
    return sorted(span for span in found if span.kind)


def _take(found: list[Span], spans: Iterable[Span]) -> None:
    """Those of `spans` that overlap with none before them."""
    for span in spans:
        if not any(span.start < other.end and other.start < span.end for other in found):
            found.append(span)


def _by(rules: Iterable[tuple[str, re.Pattern[str]]], text: str) -> Iterator[Span]:
    for kind, pattern in rules:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            if _NO_STREET.intersection((groups.get("between") or "").lower().split()):
                continue
            span = Span(*match.span("it" if groups.get("it") else 0), kind)
            if kind != "phone" or not _FREE.match(text, span.start):
                yield span


def _cards(text: str) -> Iterator[Span]:
    """Numbers with the check digit of a card (ISO/IEC 7812-1, Annex B)."""
    for match in re.finditer(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])", text):
        digits = [int(digit) for digit in match.group() if digit.isdigit()][::-1]
        doubled = sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
        if doubled % 10 == 0:
            yield Span(*match.span(), "card")


def _phones(text: str) -> Iterator[Span]:
    """Numbers that can be dialled, here or with their country's code; not those that are free for everybody."""
    for match in phonenumbers.PhoneNumberMatcher(text, "US"):
        if phonenumbers.number_type(match.number) != phonenumbers.PhoneNumberType.TOLL_FREE:
            yield Span(match.start, match.end, "phone")
