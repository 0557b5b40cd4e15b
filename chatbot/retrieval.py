"""Finding the sentences that could answer a question: dense passages, dense sentences and BM25, fused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from chatbot.encoder import Encoder, Vectors
from chatbot.glossary import Glossary
from chatbot.index import PassageIndex
from chatbot.lexical import STOP_WORDS, stem, terms, words
from chatbot.passages import Passage, Sentence

BM25_HALF = 6.0
"""A BM25 of this much counts half of what BM25 can: it has no upper end, cosines have."""
WEIGHTS = {"sentence_cosine": 0.4, "passage_cosine": 0.25, "sentence_bm25": 0.2, "passage_bm25": 0.15}
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
    """Of the question with the passage under its headings, 0 and up."""
    fused: float
    """Weighted sum of cosines and squashed BM25; the order of hits."""

    @property
    def text(self) -> str:
        return self.passage.sentence_text(self.sentence)


@dataclass(frozen=True, slots=True)
class Query:
    """A question made ready for searching."""

    text: str
    """As embedded: abbreviations written out."""
    terms: tuple[str, ...]
    """Stems to look up: the question's own, those of expanded abbreviations, and the glossary's for lay words."""


class Retriever:
    """Searches one index. Stateless; the same question gives the same hits, ties broken by position."""

    def __init__(self, index: PassageIndex, encoder: Encoder) -> None:
        self.index, self._encoder = index, encoder
        passage_of = np.array([number for number, _ in index.sentences], dtype=np.int64)
        self._passage_of = passage_of
        self._words = _spellings(index)

    def prepare(self, question: str) -> Query:
        """Put slips of the keyboard right, write abbreviations out, add the articles' words for lay words."""
        corrected = self._correct(question)
        written = _write_out(corrected, self.index.glossary)
        extra = [stem(word) for text in _lay_terms(corrected, self.index.glossary) for word in words(text)]
        return Query(written, tuple(dict.fromkeys([*terms(corrected), *terms(written), *extra])))

    def _correct(self, question: str) -> str:
        """Words that neither the articles nor the glossary know, and that are one slip away from one they
        know, replaced by it."""

        def mend(match: re.Match[str]) -> str:
            word = match.group(0)
            low = word.lower()
            if len(low) < SHORTEST_TYPO or low in self._words or stem(low) in self.index.passage_terms.vocabulary:
                return word
            limit = 1 if len(low) < 8 else 2
            best = process.extract(
                low, self._words, scorer=DamerauLevenshtein.distance, score_cutoff=limit, limit=5, processor=None
            )
            near = sorted((distance, candidate) for candidate, distance, _ in best if candidate[0] == low[0])
            return near[0][1] if near else word

        return re.sub(r"[A-Za-z]+", mend, question)

    def search(self, question: str, limit: int = 12) -> tuple[Hit, ...]:
        """The `limit` best sentences, best first."""
        return self.search_query(self.prepare(question), limit)

    def search_query(self, query: Query, limit: int) -> tuple[Hit, ...]:
        """As `search`, for a prepared query."""
        index = self.index
        if not index.sentences:
            return ()
        vector = self._encoder.encode([query.text])[0]
        sentence_cosine = index.sentence_rows.cosines(vector)
        passage_cosine = index.passage_rows.cosines(vector)[self._passage_of]
        sentence_bm25 = index.sentence_terms.scores(query.terms)
        passage_bm25 = index.passage_terms.scores(query.terms)[self._passage_of]
        fused = (
            WEIGHTS["sentence_cosine"] * sentence_cosine
            + WEIGHTS["passage_cosine"] * passage_cosine
            + WEIGHTS["sentence_bm25"] * _squash(sentence_bm25)
            + WEIGHTS["passage_bm25"] * _squash(passage_bm25)
        )
        # A stable sort on rounded scores: rows stand in the order of passage ids, so ties break on them.
        order = np.argsort(-np.round(fused, 6), kind="stable")[:limit]
        hits = []
        for row in order.tolist():
            number, sentence = index.sentences[row]
            hits.append(
                Hit(
                    passage=index.passages[number],
                    sentence=sentence,
                    row=row,
                    cosine=float(sentence_cosine[row]),
                    passage_cosine=float(passage_cosine[row]),
                    bm25=float(passage_bm25[row]),
                    fused=float(fused[row]),
                )
            )
        return tuple(hits)


def _squash(bm25: Vectors) -> Vectors:
    """BM25 (0 and up) to 0 … 1."""
    return bm25 / (bm25 + BM25_HALF)


def _spellings(index: PassageIndex) -> list[str]:
    """Every word of the articles, their headings and the glossary, sorted."""
    glossary = index.glossary
    texts: list[str] = [text for passage in index.passages for text in (*passage.trail, passage.text)]
    texts += [*glossary.abbreviations, *glossary.abbreviations.values(), *glossary.lay_words]
    texts += [text for values in glossary.lay_words.values() for text in values]
    return sorted({word for text in texts for word in words(text)} | STOP_WORDS)


def _write_out(question: str, glossary: Glossary) -> str:
    """The question with its abbreviations replaced by what they stand for. Words that are also ordinary
    English ("met", "na") only where they are typed in capitals."""

    def replace(match: re.Match[str]) -> str:
        word = match.group(0)
        low = word.lower()
        long = glossary.abbreviations.get(low)
        if long is None or (low in ORDINARY and not word.isupper()):
            return word
        return long

    return re.sub(r"[A-Za-z]+", replace, question)


ORDINARY = frozenset("met mat na aa op ip cm cr mi loc rx it or in me".split())


def _lay_terms(question: str, glossary: Glossary) -> Sequence[str]:
    """The articles' words for the lay words and phrases in the question."""
    spoken = " " + " ".join(words(question)) + " "
    return [term for lay, meant in glossary.lay_words.items() if f" {' '.join(words(lay))} " in spoken for term in meant]
