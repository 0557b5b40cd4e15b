"""Finding the sentences that could answer: dense passages, dense sentences, BM25 and known questions, fused."""

import re
from dataclasses import dataclass

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from chatbot.encoder import Encoder, Vectors
from chatbot.index import PassageIndex
from chatbot.lexical import STOP_WORDS, stem, terms, words
from chatbot.passages import Passage, Sentence

BM25_HALF = 6.0
"""A BM25 of this much counts half of what BM25 can: it has no upper end, cosines have."""
WEIGHTS = {"cosine": 0.5, "passage_cosine": 0.15, "bm25": 0.15, "passage_bm25": 0.1, "known": 0.5}
KNOWN_FROM = 0.4
"""Known questions less alike than this say nothing."""
NEAREST = 64
"""Known questions that a search looks at."""
LONG_WORD = 10
"""From this many letters two slips are put right, below it one."""
SHORTEST_TYPO = 5
"""Shorter words have too many neighbours for a slip to be put right."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One sentence that could answer. Scores: higher is better."""

    passage: Passage
    sentence: Sentence
    row: int
    """The sentence's number in the index."""
    cosine: float
    """Of the question with the sentence, -1 to 1."""
    passage_cosine: float
    bm25: float
    """Of the question with the sentence, 0 and up."""
    passage_bm25: float
    known: float
    """Cosine of the question with the nearest known question that this sentence answers; 0 without one."""
    fused: float
    """Weighted sum of the above; the order of hits."""

    @property
    def text(self) -> str:
        """The sentence's words."""
        return self.passage.sentence_text(self.sentence)


@dataclass(frozen=True, slots=True)
class Search:
    """What one search found."""

    hits: tuple[Hit, ...]
    """Best first."""
    answered: float = 0.0
    """Cosine with the nearest known question that the articles answer; 0 without one."""
    unanswered: float = 0.0
    """Cosine with the nearest known question that they don't answer; 0 without one."""
    say: str = ""
    """Where the answer to that one is to be had."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question made ready for searching."""

    text: str
    """As embedded: slips put right, abbreviations written out."""
    terms: tuple[str, ...]
    """Stems to look up: the question's own, those of abbreviations written out, and the glossary's for lay words."""


class Retriever:
    """Searches one index. Stateless; the same question gives the same hits, ties broken by position."""

    def __init__(self, index: PassageIndex, encoder: Encoder) -> None:
        self.index, self._encoder = index, encoder
        self._passage_of = np.array([number for number, _ in index.sentences], dtype=np.int64)
        self._words = _spellings(index)
        answers = [(row, number) for number, rows in enumerate(index.question_rows) for row in rows]
        self._answering_row = np.array([row for row, _ in answers], dtype=np.int64)
        self._answered_question = np.array([number for _, number in answers], dtype=np.int64)
        self._unanswered = np.array([n for n, question in enumerate(index.questions) if not question.places], np.int64)

    def prepare(self, question: str) -> Query:
        """Put slips of the keyboard right, write abbreviations out, add the articles' words for lay words."""
        corrected = self._correct(question)
        written = self.index.glossary.write_out(corrected)
        extra = [stem(word) for text in self.index.glossary.lay_terms(words(corrected)) for word in words(text)]
        return Query(written, tuple(dict.fromkeys([*terms(written), *extra])))

    def _correct(self, question: str) -> str:
        """Words that neither the articles nor the glossary nor the encoder know, and that are a slip away from one
        that the articles or the glossary know, replaced by it."""

        def mend(match: re.Match[str]) -> str:
            word = match.group(0)
            low = word.lower()
            known = low in self._words or stem(low) in self.index.rows.passage_terms.vocabulary
            if len(low) < SHORTEST_TYPO or known or "'" in low or "’" in low or self._encoder.knows(low):
                return word
            limit = 1 if len(low) < LONG_WORD else 2
            best = process.extract(
                low, self._words, scorer=DamerauLevenshtein.distance, score_cutoff=limit, limit=5, processor=None
            )
            near = sorted((distance, candidate) for candidate, distance, _ in best if candidate[0] == low[0])
            return near[0][1] if near else word

        return re.sub(r"[A-Za-z]+(?:['’][A-Za-z]+)?", mend, question)

    def search(self, question: str, limit: int = 12) -> Search:
        """The `limit` best sentences for a question."""
        query = self.prepare(question)
        rows = self.index.rows
        if not self.index.sentences:
            return Search(())
        vector = self._encoder.encode([query.text])[0]
        asked = self._asked(query)
        scores = {
            "cosine": rows.sentences.cosines(vector),
            "passage_cosine": rows.passages.cosines(vector)[self._passage_of],
            "bm25": rows.sentence_terms.scores(query.terms),
            "passage_bm25": rows.passage_terms.scores(query.terms)[self._passage_of],
            "known": self._known(asked),
        }
        fused = (
            WEIGHTS["cosine"] * scores["cosine"]
            + WEIGHTS["passage_cosine"] * scores["passage_cosine"]
            + WEIGHTS["bm25"] * _squash(scores["bm25"])
            + WEIGHTS["passage_bm25"] * _squash(scores["passage_bm25"])
            + WEIGHTS["known"] * np.maximum(scores["known"] - KNOWN_FROM, 0.0)
        )
        # A stable sort on rounded scores: rows stand in the order of passage ids, so ties break on them.
        order = np.argsort(-np.round(fused, 6), kind="stable")[:limit].tolist()
        hits = tuple(self._hit(row, {**scores, "fused": fused}) for row in order)
        return Search(hits, float(scores["known"].max(initial=0.0)), *self._nearest_unanswered(asked))

    def _asked(self, query: Query) -> Vectors:
        """The cosine of the question with each known one, shape (n,); 0 for all but the nearest."""
        rows = self.index.rows.questions
        asked = np.zeros(len(rows), dtype=np.float32)
        if len(rows):
            near, cosines = rows.nearest(self._encoder.encode_questions([query.text])[0], NEAREST)
            asked[near] = np.maximum(cosines, 0.0)
        return asked

    def _known(self, asked: Vectors) -> Vectors:
        """For each sentence the cosine of the nearest known question that it answers, shape (n,)."""
        known = np.zeros(len(self.index.sentences), dtype=np.float32)
        np.maximum.at(known, self._answering_row, asked[self._answered_question])
        return known

    def _nearest_unanswered(self, asked: Vectors) -> tuple[float, str]:
        if not len(self._unanswered):
            return 0.0, ""
        best = int(self._unanswered[int(np.argmax(np.round(asked[self._unanswered], 6)))])
        return max(0.0, float(asked[best])), self.index.questions[best].say

    def _hit(self, row: int, scores: dict[str, Vectors]) -> Hit:
        number, sentence = self.index.sentences[row]
        return Hit(
            self.index.passages[number], sentence, row, **{name: float(values[row]) for name, values in scores.items()}
        )


def _squash(bm25: Vectors) -> Vectors:
    """BM25 (0 and up) to 0 … 1."""
    return bm25 / (bm25 + BM25_HALF)


def _spellings(index: PassageIndex) -> list[str]:
    """Every word of the articles, their headings, the glossary and the known questions' subjects, sorted."""
    glossary = index.glossary
    texts: list[str] = [text for passage in index.passages for text in (*passage.trail, passage.text)]
    texts += [*glossary.abbreviations, *glossary.abbreviations.values(), *glossary.lay_words]
    texts += [text for values in glossary.lay_words.values() for text in values]
    return sorted({word for text in texts for word in words(text)} | STOP_WORDS)
