"""What the articles cover, as questions that a visitor can press; and the answer to such a question."""

import re
from collections import Counter
from collections.abc import Sequence

from chatbot.encoder import Encoder
from chatbot.index import PassageIndex
from chatbot.lexical import terms, words
from chatbot.passages import Passage
from chatbot.retrieval import Hit
from chatbot.selection import ANSWERS, MOST, Quote

ALIKE = 0.6
"""Cosine, among known questions, from which two questions are too alike to be shown together."""
_ASKED = re.compile(r"^\W*what do the articles say about\W+(?P<heading>.+?)\W*$", re.IGNORECASE)


_PRESENTABLE = re.compile(
    r"(?:What|How|Who|Is|Are|Do|Does|Can|Why|When|Where|Which|Will|Should) (?:[^\s.?!;:,]+ ){2,9}[^\s.?!;:,]+\?"
)
# Questions of one person, which nobody else would press, and two in one.
_SOMEBODY = re.compile(
    r"\b(?:i|i'm|my|me|we|our|he|she|his|her|him|caller|and|you|your|it|this|that|there|they)\b", re.IGNORECASE
)


def as_question(heading: str) -> str:
    """A heading as something to press: as it stands where it is a question."""
    return heading if heading.rstrip().endswith("?") else f"What do the articles say about “{heading.strip(' .:')}”?"


def _key(text: str) -> str:
    return " ".join(words(text))


def topic_quotes(question: str, index: PassageIndex) -> tuple[Quote, ...]:
    """The opening of the section whose heading is asked for word by word, and, where that is no more than a
    sentence, the opening sentence of each section under it; empty where no heading is asked for."""
    asked = _ASKED.match(question)
    if not asked and not question.rstrip().endswith("?"):
        return ()
    wanted = _key(asked["heading"] if asked else question)
    named = [passage for passage in index.passages if passage.trail and _key(passage.heading) == wanted]
    if not named:
        return ()
    opening = _opening(named[0], index, MOST)
    if len(opening.rows) > 1:
        return (opening,)
    under = {
        p.section: p
        for p in reversed(index.passages)
        if p.article == opening.article and p.trail[:-1] == named[0].trail
    }
    return (opening, *(_opening(under[section], index, 1) for section in sorted(under)))


def term_quotes(term: str, hits: Sequence[Hit]) -> tuple[Quote, ...]:
    """For a word or two that are looked up the sentences, best first, that hold them all; of `MOST` at most."""
    wanted = set(terms(term))
    holding = [hit for hit in hits if wanted and wanted <= set(terms(hit.text))][:MOST]
    return tuple(
        Quote(hit.passage.article, hit.passage.section, hit.sentence.start, hit.sentence.end, ANSWERS, (hit.row,))
        for hit in holding
    )


def _opening(passage: Passage, index: PassageIndex, most: int) -> Quote:
    """The first sentences of a passage, `most` at most; a list whole."""
    before = sum(len(other.sentences) for other in index.passages[: index.passages.index(passage)])
    taken = passage.sentences[:most]
    if taken[-1].role != "text":
        taken = tuple(s for s in passage.sentences if s.start <= taken[-1].start or s.paragraph == taken[-1].paragraph)
    rows = tuple(range(before, before + len(taken)))
    return Quote(passage.article, passage.section, taken[0].start, taken[-1].end, 1.0, rows)


def nearest_topics(
    index: PassageIndex, hits: Sequence[Hit], limit: int, without: Sequence[Quote] = ()
) -> tuple[str, ...]:
    """Up to `limit` headings near the hits, as questions; without hits, one from each article in turn, those that
    are questions first. Headings of sections quoted already are left out."""
    done = {(quote.article, quote.section) for quote in without}
    if hits:
        passages = [hit.passage for hit in hits]
    else:
        passages = _in_turn(index.passages)
    common = _common_terms(index)
    found: dict[frozenset[str], str] = {}
    for passage in passages:
        if not passage.trail or (passage.article, passage.section) in done or len(passage.heading.split()) > 14:
            continue
        # Without the library's own subject, two headings that only word it differently are the same.
        meaning = frozenset(terms(index.glossary.write_out(passage.heading))) - common
        if not any(
            meaning == other or (meaning and other and (meaning <= other or other <= meaning)) for other in found
        ):
            found[meaning] = as_question(passage.heading)
        if len(found) == limit:
            break
    return tuple(found.values())


def opening_questions(index: PassageIndex, encoder: Encoder, limit: int) -> tuple[str, ...]:
    """Up to `limit` questions that the articles answer, to start with, no two of them alike."""
    topics = nearest_topics(index, (), len(index.passages))[: 6 * limit]
    if not topics:
        return ()
    rows = encoder.encode_questions([index.glossary.write_out(topic) for topic in topics])
    chosen: list[int] = []
    for place in range(len(topics)):
        if len(chosen) < limit and not any(float(rows[place] @ rows[other]) > ALIKE for other in chosen):
            chosen.append(place)
    return tuple(topics[place] for place in chosen)


class Suggestions:
    """Questions that the articles answer, near to what was asked: known ones in presentable words, then headings."""

    def __init__(self, index: PassageIndex) -> None:
        self._index = index
        wordings: dict[tuple[int, ...], str] = {}
        for question, rows in zip(index.questions, index.question_rows, strict=True):
            if rows and _PRESENTABLE.fullmatch(question.text) and not _SOMEBODY.search(question.text):
                best = wordings.get(rows, question.text)
                wordings[rows] = min(best, question.text, key=lambda text: (len(text), text))
        self._by_row: dict[int, list[tuple[tuple[int, ...], str]]] = {}
        for rows in sorted(wordings, key=lambda rows: (len(rows), rows)):
            for row in rows:
                self._by_row.setdefault(row, []).append((rows, wordings[rows]))

    def __call__(self, hits: Sequence[Hit], limit: int, without: Sequence[Quote] = ()) -> tuple[str, ...]:
        """Up to `limit` questions near the hits that these quotes don't answer already."""
        quoted = {row for quote in without for row in quote.rows}
        found: dict[str, None] = {}
        told: set[int] = set(quoted)
        for hit in hits:
            for rows, wording in self._by_row.get(hit.row, ()):
                if not told & set(rows) and len(found) < limit:
                    found[wording] = None
                    told |= set(rows)
        for topic in nearest_topics(self._index, hits, limit, without) if len(found) < limit else ():
            if len(found) < limit:
                found[topic] = None
        return tuple(found)


def _common_terms(index: PassageIndex) -> frozenset[str]:
    """Terms in more than one heading of six: the subject of the whole library."""
    headings = {passage.heading for passage in index.passages if passage.trail}
    counts = Counter(term for heading in headings for term in set(terms(index.glossary.write_out(heading))))
    return frozenset(term for term, count in counts.items() if 6 * count > len(headings) and len(headings) > 6)


def _in_turn(passages: Sequence[Passage]) -> list[Passage]:
    """Passages that say enough to start with: of each article its first, then of each its second, and so on;
    those under a question first."""
    turn: dict[tuple[str, bool], int] = {}
    ranked = []
    for passage in passages:
        if len(passage.sentences) > 1:
            group = passage.article, passage.heading.endswith("?")
            turn[group] = turn.get(group, -1) + 1
            ranked.append(((not group[1], turn[group], passage.id), passage))
    return [passage for _, passage in sorted(ranked, key=lambda pair: pair[0])]
