"""Why a sentence was found: the words that it shares with the question, and the known question nearest to both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chatbot.encoder import Encoder
from chatbot.lexical import stem, words
from chatbot.neighbours import NEAREST
from chatbot.retrieval import Hit, Retriever
from chatbot.selection import ADDS, ANSWERS


@dataclass(frozen=True, slots=True)
class Known:
    """A known question near the one that was asked."""

    text: str
    cosine: float
    answered: bool
    """Whether the articles answer it."""
    say: str = ""
    """Where they don't: where such an answer is to be had."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one sentence was found."""

    terms: tuple[str, ...]
    """Words of the sentence or its heading that the question has too, or the glossary for the question."""
    known: Known | None
    """The nearest known question that this sentence answers."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a search found what it found."""

    hits: tuple[Reason, ...]
    """In the order of the hits."""
    known: Known | None
    """The nearest known question of all."""


def explain(question: str, hits: Sequence[Hit], retriever: Retriever, encoder: Encoder) -> Reasons:
    """The reasons for these hits."""
    index, query = retriever.index, retriever.prepare(question)
    near: list[tuple[int, float]] = []
    if len(index.rows.questions):
        numbers, cosines = index.rows.questions.nearest(encoder.encode_questions([query.text])[0], NEAREST)
        order = np.lexsort((numbers, -np.round(cosines, 6)))
        near = [(int(numbers[place]), float(cosines[place])) for place in order]

    def known(number: int, cosine: float) -> Known:
        found = index.questions[number]
        return Known(found.text, cosine, bool(found.places), found.say)

    by_row: dict[int, Known] = {}
    for number, cosine in near:
        for row in index.question_rows[number]:
            by_row.setdefault(row, known(number, cosine))
    wanted = frozenset(query.terms)
    return Reasons(
        tuple(Reason(_shared(hit, wanted), by_row.get(hit.row)) for hit in hits),
        known(*near[0]) if near else None,
    )


def _shared(hit: Hit, wanted: frozenset[str]) -> tuple[str, ...]:
    text = " ".join((hit.text, *hit.passage.trail))
    return tuple(dict.fromkeys(word for word in words(text) if stem(word) in wanted))


def band(support: float) -> str:
    """`strong`: could be an answer; `fair`: could stand beside one; `weak`: neither."""
    return "strong" if support >= ANSWERS else "fair" if support >= ADDS else "weak"
