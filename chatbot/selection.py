"""Which sentences become the answer: the ones that answer, with whatever would change their meaning if left off."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from chatbot.contradictions import Matter
from chatbot.differences import asks_how_much, asks_when, asks_whether, quantities, times_of_day
from chatbot.echoes import Echoes
from chatbot.index import PassageIndex
from chatbot.passages import leans_back
from chatbot.reader import Support
from chatbot.retrieval import Hit, Search

ANSWERS = 0.5
"""The best sentence needs this much support for the question to count as answered."""
ADDS = 0.2
"""A further sentence needs this much."""
SHARE = 0.3
"""… and this share of the best one's."""
MOST = 5
"""Quoted sentences at most, whole lists and what a sentence needs beside it not counted."""
MAIN = 0.7
"""A sentence with this share of the best one's support brings what another says on whom a thing is for."""
SURELY = 0.9
"""What has this much support answers: of two such, the better supported one is not always the more direct."""
FIGURES = 6
"""The same, where a figure is asked for: each article may give its own."""
UNASKED_ADDS, UNASKED_SHARE, UNASKED_MOST = 0.05, 0.08, 9
"""The same in a library without known questions, which tell best what answers: more is quoted, so that it is there."""
MORE, BESIDE = 0.05, 0.9
"""Who asks for more gets what has this share of the best sentence's support, and after it what stands beside the quotes,
which counts so much."""

# A sentence that opens like this takes something back from the one before it.
_TURNS = re.compile(
    r"(?:however|but|yet|unless|except|although|though|that said|nevertheless|on the other hand|still|only if|not all|otherwise)\b",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:not|no|never|without|unless|except|avoid|neither|cannot|excluding)\b|n['’]t\b", re.IGNORECASE
)
_LIST = re.compile(
    r"\b(?:list|name|examples?|kinds?|types?|sorts?|steps?|tips|factors|options|reasons|criteria|pros|advantages|benefits|components|parts"
    r"|therapies|treatments|services|methods|approaches|ways|signs|things|qualities|requirements|features|elements|stages|goals|skills)\b"
    r"|\b(?:how (?:do|can|should|would|to) (?:i |we |you |one |someone |a \w+ )?(?:\w+ )?(?:choose|pick|find|select|decide|tell|compare|know which))"
    r"|\bwhat (?:should|do|can) (?:i|we|you|one) (?:look|ask|check|expect)|\bwhat to (?:look|ask|check|expect)|\bwhat(?:'s| is) (?:included|involved|offered)"
    r"|\bwhat does .{1,40} (?:include|involve|consist|offer|cover|look like)\b|\bwhat happens\b|\bwho (?:is|are|should|would)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quote:
    """A span of one section: one sentence, neighbouring sentences, or a list with its lead."""

    article: str
    section: int
    start: int
    """Character offset into the section's text."""
    end: int
    support: float
    rows: tuple[int, ...]
    """The index's numbers of the sentences in it."""
    echoes: tuple[int, ...] = ()
    """Those of sentences in other articles that say the same."""


def wants_list(question: str) -> bool:
    """Whether a complete answer would be a whole list."""
    return _LIST.search(question) is not None


@dataclass(frozen=True, slots=True)
class Finding:
    """What the library holds on one question."""

    question: str
    quotes: tuple[Quote, ...]
    support: float
    search: Search
    supports: Support


def select(
    question: str,
    hits: Sequence[Hit],
    support: Support,
    index: PassageIndex,
    opposites: Mapping[Matter, Mapping[int, Sequence[int]]] = MappingProxyType({}),
    echoes: Echoes | None = None,
) -> tuple[Quote, ...]:
    """The quotes that answer: the best supported one, then the others article by article in reading order.

    Empty where nothing is supported enough. A sentence brings those that `opposites` sets against it: in figures where
    one is asked for, in whom a thing is for where it is asked whether.
    """
    if not len(hits) or float(support.max()) < ANSWERS:
        return ()
    best = float(support.max())
    adds, share, most = (ADDS, SHARE, MOST) if index.questions else (UNASKED_ADDS, UNASKED_SHARE, UNASKED_MOST)
    enough = max(adds, share * best)
    listed = wants_list(question)
    if listed:
        support = _lists_first(hits, support, enough)
    order = sorted(
        range(len(hits)), key=lambda i: (-round(float(support[i]), 6), hits[i].sentence.role == "text", hits[i].row)
    )
    echoes = echoes or Echoes(index)
    most += FIGURES - MOST if asks_how_much(question) else 0
    # Where a figure is asked for and the best sentence gives one, a sentence without any adds nothing, but a time that
    # is asked for.
    figures = asks_how_much(question) and bool(quantities(hits[order[0]].text))
    when = asks_when(question)
    against = opposites.get(Matter.FIGURE, {}) if figures else {}
    reach = opposites.get(Matter.REACH, {}) if asks_whether(question) else {}
    chosen: dict[int, float] = {}
    echoed: dict[int, int] = {}
    asked = 0
    for i in order:
        row, score = hits[i].row, float(support[i])
        if score < enough or asked >= most:
            break
        if row in chosen:
            chosen[row] = max(chosen[row], score)
            continue
        if figures and not quantities(hits[i].text) and not (when and times_of_day(hits[i].text)):
            continue
        if (other := next((other for other in chosen if echoes.same(row, other)), None)) is not None:
            echoed[row] = other
            continue
        asked += 1
        for needed in sorted(_needed(row, index, listed)):
            chosen[needed] = max(chosen.get(needed, 0.0), score)
        brings = (*against.get(row, ()), *(reach.get(row, ()) if score >= MAIN * best else ()))
        chosen.update({other: score for other in brings if other not in chosen})
    quotes = _spans(chosen, index, listed, {hit.row: hit.fused for hit in hits})
    return tuple(_with_echoes(quote, [row for row in echoed if row not in chosen], echoed, index) for quote in quotes)


def by_article(quotes: Sequence[Quote]) -> list[Quote]:
    """The quotes with those of one article together, in the order of the articles' first ones."""
    articles = list(dict.fromkeys(quote.article for quote in quotes))
    return sorted(quotes, key=lambda quote: articles.index(quote.article))


def support_of_more(finding: Finding, hits: Sequence[Hit], said: str) -> Support:
    """Of each hit, shape (len(hits),), how fit it is for who asks for more on an answered question: what supports the
    answer and does not stand in `said` first, then what stands in a section that was quoted."""
    supported = zip(finding.search.hits, finding.supports, strict=True)
    told = {hit.row for hit, support in supported if support >= MORE * finding.support}
    sections = {(quote.article, quote.section) for quote in finding.quotes}

    def share(hit: Hit) -> float:
        if hit.text in said:
            return 0.0
        return 1.0 if hit.row in told else BESIDE * ((hit.passage.article, hit.passage.section) in sections)

    return finding.support * np.array([share(hit) for hit in hits])


def quoted_text(finding: Finding, index: PassageIndex) -> str:
    """What a finding quotes, a sentence on a line."""
    return "\n".join(index.sentence_text(row) for quote in finding.quotes for row in quote.rows)


def quoted_in(text: str, index: PassageIndex) -> tuple[Quote, ...]:
    """The sentences of the articles that stand in a text, as quotes in the text's order."""
    places = {row: text.find(index.sentence_text(row)) for row in range(len(index.sentences))}
    rows = {row: 1.0 for row, place in places.items() if place >= 0}
    return tuple(sorted(_spans(rows, index, False), key=lambda quote: places[quote.rows[0]])) if rows else ()


def _lists_first(hits: Sequence[Hit], support: Support, enough: float) -> Support:
    """Whoever asks for a list is answered by one, if there is one that answers; what else fits comes after it."""
    best = float(support.max())
    told = zip(hits, support, strict=True)
    return np.array([best if hit.sentence.role != "text" and s >= enough else s for hit, s in told])


def _with_echoes(quote: Quote, rows: Sequence[int], echoed: Mapping[int, int], index: PassageIndex) -> Quote:
    """A quote of one sentence with one of these rows from each other article that echoes it, best first."""
    others: dict[str, int] = {}
    for row in rows:
        alone = (echoed[row],) == quote.rows and not _beside(row, index, False)
        if alone and (article := _place(row, index)[0]) != quote.article:
            others.setdefault(article, row)
    return replace(quote, echoes=tuple(others.values()))


def _needed(row: int, index: PassageIndex, listed: bool) -> set[int]:
    """The row and those without which it must not be quoted, and what these need in turn."""
    found: set[int] = set()
    waiting = [row]
    while waiting:
        next_row = waiting.pop()
        if next_row not in found:
            found.add(next_row)
            waiting += _beside(next_row, index, listed or next_row != row)
    return found


def _beside(row: int, index: PassageIndex, listed: bool) -> list[int]:
    """What a row needs beside it: its list, the sentence that it points back to, the one that takes it back."""
    sentence = index.sentences[row][1]
    beside: list[int] = []
    last = row
    if sentence.role in ("lead", "item"):
        whole = _paragraph(row, index)
        lead = index.sentences[whole[0]][1]
        opening = index.sentence_text(whole[0]) if lead.role == "lead" else ""
        if listed or sentence.role == "lead" or _DENIES.search(opening):
            beside += whole
            last = whole[-1]
    if sentence.role != "item" and leans_back(index.sentence_text(row)) and _same_section(row, row - 1, index):
        beside.append(row - 1)
    if _same_section(row, last + 1, index) and _TURNS.match(index.sentence_text(last + 1)):
        beside.append(last + 1)
    return beside


def _place(row: int, index: PassageIndex) -> tuple[str, int]:
    passage = index.passages[index.sentences[row][0]]
    return passage.article, passage.section


def _same_section(row: int, other: int, index: PassageIndex) -> bool:
    return 0 <= other < len(index.sentences) and _place(row, index) == _place(other, index)


def _paragraph(row: int, index: PassageIndex) -> list[int]:
    """All rows of the row's paragraph or list, in order."""
    number = index.sentences[row][1].paragraph

    def inside(other: int) -> bool:
        return _same_section(row, other, index) and index.sentences[other][1].paragraph == number

    first = last = row
    while inside(first - 1):
        first -= 1
    while inside(last + 1):
        last += 1
    return list(range(first, last + 1))


def _spans(
    chosen: Mapping[int, float], index: PassageIndex, listed: bool, fused: Mapping[int, float] = MappingProxyType({})
) -> tuple[Quote, ...]:
    """Neighbouring rows joined into spans, the best one first: of those that surely answer, the nearest in words and
    meaning, by `fused`."""
    quotes: list[Quote] = []
    for row in sorted(chosen):
        number, sentence = index.sentences[row]
        passage = index.passages[number]
        last = quotes[-1] if quotes else None
        if last and last.rows[-1] == row - 1 and (last.article, last.section) == (passage.article, passage.section):
            quotes[-1] = Quote(
                last.article, last.section, last.start, sentence.end, max(last.support, chosen[row]), (*last.rows, row)
            )
        else:
            quotes.append(Quote(passage.article, passage.section, sentence.start, sentence.end, chosen[row], (row,)))
    strength: dict[str, float] = {}
    for quote in quotes:
        strength[quote.article] = max(strength.get(quote.article, 0.0), quote.support)
    reading = sorted(quotes, key=lambda quote: (-strength[quote.article], quote.article, quote.rows))
    # Whoever reads only the first quote should have read the answer.
    direct = max(
        reading,
        key=lambda quote: (
            min(round(quote.support, 6), SURELY),
            listed and index.sentences[quote.rows[0]][1].role == "lead",
            max(round(fused.get(row, 0.0), 6) for row in quote.rows) if quote.support >= SURELY else 0.0,
            round(quote.support, 6),
        ),
    )
    return (direct, *(quote for quote in reading if quote is not direct))


def confidence(support: Support) -> float:
    """Support of the whole answer: that of its best sentence."""
    return float(np.max(support)) if len(support) else 0.0
