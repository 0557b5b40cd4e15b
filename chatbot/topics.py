"""What the articles cover, as questions that a visitor can press; and the answer to such a question."""

import re
from collections.abc import Sequence

from chatbot.index import PassageIndex
from chatbot.lexical import terms, words
from chatbot.retrieval import Hit
from chatbot.selection import MOST, Quote

_ASKED = re.compile(r"^\W*what do the articles say about\W+(?P<heading>.+?)\W*$", re.IGNORECASE)


def as_question(heading: str) -> str:
    """A heading as something to press: as it stands where it is a question."""
    return heading if heading.rstrip().endswith("?") else f"What do the articles say about “{heading.strip(' .:')}”?"


def _key(text: str) -> str:
    return " ".join(words(text))


def topic_quotes(question: str, index: PassageIndex) -> tuple[Quote, ...]:
    """The opening of the section whose heading is asked for word by word; empty where none is."""
    asked = _ASKED.match(question)
    wanted = _key(asked["heading"] if asked else question)
    if not asked and not question.rstrip().endswith("?"):
        return ()
    row = 0
    for passage in index.passages:
        if passage.trail and _key(passage.heading) == wanted:
            rows = range(row, row + min(len(passage.sentences), MOST))
            return (
                Quote(
                    passage.article,
                    passage.section,
                    passage.start,
                    passage.sentences[len(rows) - 1].end,
                    1.0,
                    tuple(rows),
                ),
            )
        row += len(passage.sentences)
    return ()


def nearest_topics(
    index: PassageIndex, hits: Sequence[Hit], limit: int, without: Sequence[Quote] = ()
) -> tuple[str, ...]:
    """Up to `limit` headings near the hits, as questions; without hits, the library's own question headings
    first. Headings of sections quoted already are left out."""
    done = {(quote.article, quote.section) for quote in without}
    if hits:
        passages = [hit.passage for hit in hits]
    else:
        passages = sorted(index.passages, key=lambda passage: (not passage.heading.endswith("?"), passage.id))
    found: dict[tuple[str, ...], str] = {}
    for passage in passages:
        if not passage.trail or (passage.article, passage.section) in done:
            continue
        meaning = tuple(sorted(set(terms(passage.heading))))
        if meaning and meaning not in found and len(passage.heading.split()) <= 14:
            found[meaning] = as_question(passage.heading)
        if len(found) == limit:
            break
    return tuple(found.values())
