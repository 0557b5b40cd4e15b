"""What plain retrieval gives: MiniLM and BM25, half and half, over passages, the two best quoted whole.

The threshold below which it refuses is set on the tuning questions, where that evens out the shares of
answerable questions that it answers and of unanswerable ones that it refuses.
"""

import numpy as np

from chatbot.answers import Answer, Status, cite
from chatbot.encoder import Encoder
from chatbot.index import PassageIndex
from chatbot.lexical import terms

BM25_HALF = 10.0


class PlainRetrieval:
    """Answers with the two best passages, or refuses below a threshold."""

    def __init__(self, index: PassageIndex, encoder: Encoder, threshold: float = 0.0) -> None:
        self._index, self._encoder, self.threshold = index, encoder, threshold
        self.articles = tuple(index.articles.values())

    def scores(self, question: str) -> np.ndarray:
        """Of every passage, shape (n,)."""
        bm25 = self._index.rows.passage_terms.scores(terms(question))
        return 0.5 * self._index.rows.passages.cosines(self._encoder.encode([question])[0]) + 0.5 * bm25 / (
            bm25 + BM25_HALF
        )

    def ask(self, question: str) -> Answer:
        """The two best passages, cited."""
        scores = self.scores(question)
        best = np.argsort(-scores, kind="stable")[:2]
        if scores[best[0]] < self.threshold:
            return Answer(Status.NOT_COVERED, "", support=float(scores[best[0]]))
        citations = []
        for number, place in enumerate(best, 1):
            passage = self._index.passages[int(place)]
            article = self._index.articles[passage.article]
            citations.append(cite(number, article, article.sections[passage.section], passage.start, passage.end))
        return Answer(Status.ANSWERED, "", tuple(citations), support=float(scores[best[0]]))
