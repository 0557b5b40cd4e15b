"""Which sentences say the same: near in meaning, of like figures, and of the same telling words."""

from collections import Counter
from math import log

from chatbot.differences import figures_differ
from chatbot.index import PassageIndex
from chatbot.lexical import terms

ALIKE = 0.88
"""Cosine from which two sentences may say the same: in a library on one subject many reach it that do not."""
SHARED, SHARED_OF_ALL = 0.45, 0.19
"""The part of the shorter one's words that both then have, and of the words of either, each weighed by how rare it is."""


class Echoes:
    """Tells whether two sentences of an index say the same."""

    def __init__(self, index: PassageIndex) -> None:
        self._index, self._rows = index, index.rows.sentences.rows()
        self._terms = [frozenset(terms(index.sentence_text(row))) for row in range(len(index.sentences))]
        self._standing = Counter(term for sentence in self._terms for term in sentence)

    def same(self, row: int, other: int) -> bool:
        """Whether the sentences of two rows of the index say the same."""
        if float(self._rows[row] @ self._rows[other]) <= ALIKE:
            return False
        one, two = self._terms[row], self._terms[other]
        enough = max(SHARED * min(self._weight(one), self._weight(two)), SHARED_OF_ALL * self._weight(one | two))
        return self._weight(one & two) >= enough and not figures_differ(
            self._index.sentence_text(row), self._index.sentence_text(other)
        )

    def _weight(self, words: frozenset[str]) -> float:
        return sum(log(len(self._terms) / self._standing[word]) for word in words)
