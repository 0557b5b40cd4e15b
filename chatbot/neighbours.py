"""What the known questions near a question say: which sentences answer it, and whether any does."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chatbot.graph import Vectors
from chatbot.index import PassageIndex
from chatbot.kernel import weights
from chatbot.lexical import words

NEAREST = 64
"""Known questions that a search looks at."""
BARE_TERM = 2
"""A known question of at most so many words only names a thing."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The known questions nearest to a question."""

    numbers: npt.NDArray[np.int64]
    """Of the known questions, ascending, shape (k,)."""
    cosines: Vectors
    """With the question, 0 and up, shape (k,)."""
    weights: npt.NDArray[np.float64]
    """How much each one's word counts, shape (k,)."""


class KnownQuestions:
    """The known questions of one index, as neighbours of a question."""

    def __init__(self, index: PassageIndex) -> None:
        self._index, self._rows = index, index.rows.questions
        self._answered = np.array([bool(question.places) for question in index.questions], dtype=bool)
        self._bare = np.array([len(words(question.text)) <= BARE_TERM for question in index.questions], dtype=bool)
        wanted = [rows or question.topic for question, rows in zip(index.questions, index.question_rows, strict=True)]
        number = {one: place for place, one in enumerate(dict.fromkeys(wanted))}
        self._wanted = np.array([number[one] for one in wanted], dtype=np.int64)

    def cosine(self, vector: Vectors) -> float:
        """Of a vector, shape (dim,), with the nearest known question."""
        return float(self._rows.nearest(vector, 1)[1][0])

    def near(self, vector: Vectors, bare_terms: bool) -> Neighbours:
        """The `NEAREST` known questions to a vector, shape (dim,), those that only name a thing left out unless
        `bare_terms`: "price" is asked for in one word, and is a little like every sentence about money."""
        if not len(self._rows):
            return Neighbours(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0))
        numbers, cosines = self._rows.nearest(vector, NEAREST)
        kept = bare_terms | ~self._bare[numbers]
        numbers, cosines = numbers[kept], cosines[kept]
        order = np.argsort(numbers)
        numbers, cosines = numbers[order], cosines[order]
        return Neighbours(numbers, np.maximum(cosines, 0.0), weights(cosines, self._rows.take(numbers)))

    def by_sentence(self, near: Neighbours) -> tuple[Vectors, Vectors]:
        """For each sentence the cosine of the nearest known question that it answers, and the vote; shape (n,)."""
        known, votes = np.zeros((2, len(self._index.sentences)), dtype=np.float32)
        for number, cosine, weight in zip(near.numbers.tolist(), near.cosines, near.weights, strict=True):
            for row in self._index.question_rows[number]:
                known[row] = max(known[row], cosine)
                votes[row] += weight
        return known, votes

    def by_question(self, near: Neighbours) -> dict[str, Any]:
        """The fields of `Search` that the known questions fill."""
        answered = self._answered[near.numbers]
        unanswered = np.where(answered, 0.0, np.round(near.cosines, 6))
        nearest = int(near.numbers[int(np.argmax(unanswered))]) if len(answered) and not answered.all() else None
        return {
            "answered": float(near.cosines[answered].max(initial=0.0)),
            "unanswered": float(near.cosines[~answered].max(initial=0.0)),
            "vote": float(near.weights @ np.where(answered, 1.0, -1.0)),
            "agreed": (self._agreed(near, answered), self._agreed(near, ~answered)),
            "say": self._index.questions[nearest].say if nearest is not None else "",
        }

    def _agreed(self, near: Neighbours, of: npt.NDArray[np.bool_]) -> float:
        """The most that the neighbours of one kind say together for one thing wanted."""
        sums = np.bincount(self._wanted[near.numbers][of], near.weights[of])
        return float(sums.max(initial=0.0))
