"""Finding the sentences that could answer: dense passages, dense sentences, BM25 and known questions, fused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from chatbot.encoder import Encoder
from chatbot.graph import Vectors
from chatbot.index import PassageIndex
from chatbot.lexical import stem, terms, words
from chatbot.neighbours import KnownQuestions, Neighbours
from chatbot.passages import Passage, Sentence
from chatbot.segmentation import Exchange, asking_sentence
from chatbot.vocabulary import spellings

BM25_HALF = 6.0
"""A BM25 of this much counts half of what BM25 can: it has no upper end, cosines have."""
WEIGHTS = {"cosine": 0.5, "passage_cosine": 0.15, "bm25": 0.15, "passage_bm25": 0.1, "known": 0.5}
KNOWN_FROM = 0.4
"""Known questions less alike than this say nothing."""
BY_ITSELF = 0.8
"""From this cosine between what a message means by itself and after the questions before it, it needs none of them."""
KNOWN_BY_ITSELF, LEAD = 0.84, 0.15
"""… and where by itself it has this cosine with a known question, and so much more than after those before it."""
ASKING = 0.3
"""How much the sentence that asks counts beside the whole of a question that also tells something."""
JOINED, ITSELF = 0.3, 0.15
"""How much the vector of a follow-up joined with the question before it, and its own, count beside the one that the
adapter for follow-ups gives: where these agree the adapter errs less."""
QUOTED = 3
"""So many sentences of the last reply are read with a follow-up."""
READ_AS, NEAREST_COUNTS = 0.7, 0.6
"""From this cosine with it, a follow-up is searched in the words of the nearest known question, and moved towards it by
so much: by itself, what is read rightly is often refused."""
SHORT = 4
"""A longer message is not compared with bare terms."""
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
    vote: float
    """What the known questions near it say together: about 1 that this sentence answers, 0 that it doesn't."""
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
    vote: float = 0.0
    """What the known questions near it say together: about 1 that the articles answer it, -1 that they don't."""
    agreed: tuple[float, float] = (0.0, 0.0)
    """How much of that falls on one answer, and on one topic that they don't answer: the most on any. Questions near it
    that want different things say little of what it wants."""
    say: str = ""
    """Where the answer to the nearest unanswered one is to be had."""
    read_as: str = ""
    """The question as it was searched: of a follow-up, a question in full words."""
    together: bool = False
    """Whether it was searched together with the questions before it."""


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
        self._words = spellings(index)
        self._known = KnownQuestions(index)

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

    def search(self, question: str, limit: int = 12, before: Sequence[Exchange] = ()) -> Search:
        """The `limit` best sentences for a question, which may lean on the questions before it, oldest first."""
        query = self.prepare(question)
        rows = self.index.rows
        if not self.index.sentences:
            return Search(())
        before, place, vector = self._in_place(query, before)
        near = self._known.near(place, bare_terms=not before and len(words(question)) <= SHORT)
        known, votes = self._known.by_sentence(near)
        if before and len(place):
            query = self.prepare(self._in_full_words(query, before, near))
            vector = self._encoder.encode_queries([query.text])[0]
        elif before:
            query = self._joined(query, before)
        scores = {
            "cosine": rows.sentences.cosines(vector),
            "passage_cosine": rows.passages.cosines(vector)[self._passage_of],
            "bm25": rows.sentence_terms.scores(query.terms),
            "passage_bm25": rows.passage_terms.scores(query.terms)[self._passage_of],
            "known": known,
            "vote": votes,
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
        return Search(
            hits, **self._known.by_question(near), read_as=query.text if before else question, together=bool(before)
        )

    def _blended(self, texts: Sequence[str]) -> Vectors:
        """One unit vector, shape (dim,), of a message and the questions before it, newest first: each counts half as
        much as the one after it."""
        rows = self._encoder.encode_queries(list(texts))
        return _unit((0.5 ** np.arange(len(rows))) @ rows)

    def _joined(self, query: Query, before: Sequence[Exchange]) -> Query:
        """A message as it is looked up and read without known questions: joined with the question before it."""
        last = self.prepare(before[-1].question)
        return Query(f"{last.text.rstrip('?. ')}: {query.text}", tuple(dict.fromkeys([*query.terms, *last.terms])))

    def _in_full_words(self, query: Query, before: Sequence[Exchange], near: Neighbours) -> str:
        """The known question that a follow-up is most like, or the follow-up joined with the question before it."""
        if len(near.cosines) and near.cosines.max() >= READ_AS:
            return self.index.questions[int(near.numbers[int(np.argmax(np.round(near.cosines, 6)))])].text
        return f"{before[-1].question.rstrip('?. ')}: {query.text}"

    def _in_place(self, query: Query, before: Sequence[Exchange]) -> tuple[Sequence[Exchange], Vectors, Vectors]:
        """The questions before a message that it needs; where it stands among known questions, shape (dim,), or (0,)
        without any; and where its answers stand among the sentences, shape (dim,)."""
        if not len(self.index.rows.questions):
            asked = [query.text, *(earlier.question for earlier in reversed(before))]
            return before, np.zeros(0, np.float32), self._blended(asked)
        vector, alone = self._encoder.encode_both(query.text)
        if not before:
            if asking := asking_sentence(query.text):
                by_itself = self._encoder.encode_both(asking)
                vector = _unit((1 - ASKING) * vector + ASKING * by_itself[0])
                alone = _unit((1 - ASKING) * alone + ASKING * by_itself[1])
            return (), alone, vector
        together = self._encoder.encode_followup(
            query.text, [earlier.question for earlier in before], self._quoted(before[-1].reply)
        )
        needs_none = float(alone @ together) > BY_ITSELF or self._known.cosine(alone) >= max(
            KNOWN_BY_ITSELF, self._known.cosine(together) + LEAD
        )
        if needs_none:
            return (), alone, vector
        joined = self._encoder.encode_questions([self._joined(query, before).text]).reshape(-1)
        return before, self._towards_the_nearest(_unit(together + JOINED * joined + ITSELF * alone)), vector

    def _towards_the_nearest(self, place: Vectors) -> Vectors:
        """Where a follow-up stands, shape (dim,), moved towards the known question that it is to be read as."""
        numbers, cosines = self.index.rows.questions.nearest(place, 1)
        return _unit(place + NEAREST_COUNTS * self.index.rows.questions.take(numbers)[0] * (cosines[0] >= READ_AS))

    def _quoted(self, reply: str) -> list[str]:
        """The first sentences of the articles that stand in a reply, in its order."""
        texts = map(self.index.sentence_text, range(len(self.index.sentences) if reply else 0))
        return [text for _, text in sorted((reply.find(text), text) for text in texts if text in reply)[:QUOTED]]

    def _hit(self, row: int, scores: dict[str, Vectors]) -> Hit:
        number, sentence = self.index.sentences[row]
        return Hit(
            self.index.passages[number], sentence, row, **{name: float(values[row]) for name, values in scores.items()}
        )


def _unit(vector: npt.NDArray[Any]) -> Vectors:
    """The vector, shape (dim,), with a Euclidean length of 1."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)


def _squash(bm25: Vectors) -> Vectors:
    """BM25 (0 and up) to 0 … 1."""
    return bm25 / (bm25 + BM25_HALF)


def unclear(search: Search) -> bool:
    """Whether a follow-up, read after the questions before it, is like none that is known."""
    return search.together and 0.0 < max(search.answered, search.unanswered) < READ_AS
