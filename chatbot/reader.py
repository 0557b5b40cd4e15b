"""The reader: does this sentence, read in its section, answer this question?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from chatbot.errors import ModelError
from chatbot.graph import PACKAGED_MODEL, check_shipped, model_folder
from chatbot.index import PassageIndex
from chatbot.passages import leans_back
from chatbot.retrieval import BM25_HALF, Search

LONGEST = 112
"""Tokens of a question and a sentence together; of what is longer, the end of the longer one is cut."""
TOGETHER = 6
"""Sentences read at once."""
UNLIKELY, LIKELY = 0.1, 0.8
"""Where the known questions alone make it less probable than this, or more, that the articles answer, nothing is read:
on the tuning questions no answer changed below, and above the answers were slightly better without."""
FAR = 0.6
"""A question whose nearest known one has less than this cosine is judged as if there were no known ones: few of them
say nothing of all that they don't ask."""
READ = 8
"""Sentences read of what was found, where there are known questions to rank them."""
WEIGHTS = Path(__file__).parent / "weights" / "reader.onnx"
CALIBRATION = WEIGHTS.with_name("calibration.json")

Support = npt.NDArray[np.float64]


def reader_input(heading: str, before: str, sentence: str) -> str:
    """What is read beside the question: the sentence under its heading, and the sentence before it where it
    leans on that one. Most don't, and half as many tokens are read in half the time.

    The sentence stands first, so that a long neighbour is what is cut.
    """
    return f"{heading}: {sentence} [SEP] {before}" if before and leans_back(sentence) else f"{heading}: {sentence}"


class Reader(Protocol):
    """Anything that judges whether hits answer a question."""

    def support(self, question: str, search: Search) -> Support:
        """Shape (len(search.hits),): for each hit the probability, 0 to 1, that it answers the question."""
        ...


def signals(search: Search, logits: Support | None) -> npt.NDArray[np.float64]:
    """What support is made of, shape (number of hits, number of signals): the reader's logit, the retrieval
    scores, and how much nearer the question is to one that the articles answer than to one that they don't."""
    hits = search.hits
    known = np.array([hit.known for hit in hits])
    columns = [
        logits if logits is not None else np.zeros(len(hits)),
        np.array([hit.cosine for hit in hits]),
        np.array([hit.passage_cosine for hit in hits]),
        np.array([hit.bm25 / (hit.bm25 + BM25_HALF) for hit in hits]),
        np.array([hit.passage_bm25 / (hit.passage_bm25 + BM25_HALF) for hit in hits]),
        known,
        np.full(len(hits), search.unanswered),
        np.full(len(hits), search.answered - search.unanswered),
        known - search.answered,
        known * known,
        np.array([hit.vote for hit in hits]),
    ]
    return np.stack(columns, axis=1)


def question_signals(search: Search, logits: Support | None) -> npt.NDArray[np.float64]:
    """What says whether the articles answer at all, shape (number of signals,): how near the question is to known
    ones of either kind, the reader's best logit, the best cosines, what the known questions say together, and how far
    they agree on a sentence, on an answer and on a topic without one; then, which
    count where there are no known questions, the means over the best three hits and over all: what is a little like
    everything is answered by nothing."""
    hits = search.hits
    read = np.sort(logits)[::-1] if logits is not None else np.zeros(len(hits))
    near = np.sort([hit.cosine for hit in hits])[::-1]
    around = [hit.passage_cosine for hit in hits]
    shared = [hit.bm25 / (hit.bm25 + BM25_HALF) for hit in hits]
    return np.array(
        [
            search.answered - search.unanswered,
            search.answered,
            search.unanswered,
            read[0],
            near[0],
            max(around),
            search.vote,
            max(hit.vote for hit in hits),
            *search.agreed,
            read[:3].mean(),
            read.mean(),
            near[:3].mean(),
            near.mean(),
            np.mean(around),
            max(shared),
            np.mean(shared),
        ]
    )


WITH_QUESTIONS = 10
"""So many of them, the first, are looked at where there are known questions."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A logistic curve over some signals."""

    weights: npt.NDArray[np.float64]
    offset: float

    def __call__(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """From signals, shape (…, number of signals), to probabilities, shape (…)."""
        probability: npt.NDArray[np.float64] = 1.0 / (1.0 + np.exp(-(values @ self.weights + self.offset)))
        return probability


class Calibration:
    """From signals to support, for corpora with known questions and for those without: one curve tells whether the
    articles answer the question, another which sentences do. Two, because a sentence that fits best says little of
    whether it answers: together in one curve the area under the ROC curve is 0.92, apart 0.98.

    Fitted by `training/calibrate.py` on the development questions that are no test and, for follow-ups, whose vectors are
    less sharp, on such conversations.
    """

    def __init__(self, kind: str, with_questions: bool, path: Path = CALIBRATION) -> None:
        name = f"{kind}, {'with' if with_questions else 'without'} questions"
        try:
            fitted = json.loads(path.read_text(encoding="utf-8"))[name]
            self._question, self._sentence = (
                Curve(np.array(fitted[part]["weights"], dtype=np.float64), float(fitted[part]["offset"]))
                for part in ("question", "sentence")
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path} is missing or damaged ({error}); reinstall the project") from error

    def __call__(self, search: Search, logits: Support | None) -> Support:
        """The support of each hit, shape (len(search.hits),): the best one's is the probability that the articles
        answer the question, the others' is less in proportion."""
        if not search.hits:
            return np.zeros(0)
        sentences = self._sentence(signals(search, logits))
        return self.answered(search, logits) * sentences / max(float(sentences.max()), 1e-12)

    def answered(self, search: Search, logits: Support | None) -> float:
        """The probability that the articles answer the question. `search` must have hits."""
        return float(self._question(question_signals(search, logits)))


class Judge(Protocol):
    """Anything that reads a hit beside a question."""

    def logits(self, question: str, search: Search) -> Support:
        """Its judgement of each hit, shape (len(search.hits),), 0 for even odds."""
        ...


class RetrievalReader:
    """No model: support from the retrieval scores alone."""

    def __init__(self, index: PassageIndex) -> None:
        """Raises `ModelError` if the calibration is missing."""
        self._asked_about = _asked_about(index)
        self._calibrated = {(known, False): Calibration("none", known) for known in (True, False)}
        self._calibrated[True, True] = Calibration("followup", True)

    def support(self, question: str, search: Search) -> Support:
        """Shape (len(search.hits),): for each hit the probability, 0 to 1, that it answers the question."""
        del question
        support = np.zeros(len(search.hits))
        for known, rows in _by_knowledge(search, self._asked_about):
            kind = (known, known and search.together)
            support[rows] = self._calibrated[kind](_part(search, rows), None)
        return support


class CrossEncoder:
    """A small transformer over (question, sentence under its heading), int8, run by onnxruntime."""

    def __init__(self, index: PassageIndex, weights: Path = WEIGHTS) -> None:
        """Load the weights that ship with the package. Raises `ModelError`."""
        check_shipped(weights)
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(model_folder(PACKAGED_MODEL) / "tokenizer.json"))
        self._tokenizer.enable_truncation(LONGEST, strategy="longest_first")
        self._tokenizer.no_padding()
        self._contexts = contexts(index)

    def logits(self, question: str, search: Search) -> Support:
        """The model's own judgement of each hit, shape (len(search.hits),), 0 for even odds."""
        if not search.hits:
            return np.zeros(0)
        encodings = self._tokenizer.encode_batch([(question, self._contexts[hit.row]) for hit in search.hits])
        logits = np.zeros(len(encodings))
        order = sorted(range(len(encodings)), key=lambda i: len(encodings[i].ids))
        # Sentences of like length together: what pads the shorter ones costs as much as words.
        for start in range(0, len(order), TOGETHER):
            batch = order[start : start + TOGETHER]
            width = len(encodings[batch[-1]].ids)
            feed = np.zeros((3, len(batch), width), dtype=np.int64)
            for place, i in enumerate(batch):
                encoding = encodings[i]
                feed[:, place, : len(encoding.ids)] = encoding.ids, encoding.attention_mask, encoding.type_ids
            inputs = dict(zip(("input_ids", "attention_mask", "token_type_ids"), feed, strict=True))
            logits[batch] = self._session.run(None, inputs)[0].reshape(-1)
        return logits


class CrossEncoderReader:
    """Support from the cross-encoder's judgement and the retrieval scores together. It reads where the known
    questions leave a doubt, and what no known question is about."""

    def __init__(self, index: PassageIndex, weights: Path = WEIGHTS, judge: Judge | None = None) -> None:
        """Load the weights that ship with the package, unless another judge is given. Raises `ModelError`."""
        self._model: Judge = judge or CrossEncoder(index, weights)
        self._asked_about = _asked_about(index)
        self._read = {known: Calibration("default", known) for known in (True, False)}
        self._glance, self._followup = Calibration("none", True), Calibration("followup", True)

    def support(self, question: str, search: Search) -> Support:
        """Shape (len(search.hits),): for each hit the probability, 0 to 1, that it answers the question."""
        support = np.zeros(len(search.hits))
        for known, rows in _by_knowledge(search, self._asked_about):
            part = _part(search, rows)
            if known and search.together:
                support[rows] = self._followup(part, None)
                continue
            if known:
                glance = self._glance(part, None)
                if not UNLIKELY <= self._glance.answered(part, None) <= LIKELY:
                    support[rows] = glance
                    continue
                rows = rows[np.sort(np.argsort(-np.round(glance, 6), kind="stable")[:READ])]
                part = _part(search, rows)
            support[rows] = self._read[known](part, self._model.logits(question, part))
        return support


def _asked_about(index: PassageIndex) -> frozenset[str]:
    """The articles that known questions are about. One that an owner added without any is judged without."""
    return frozenset(place.article for question in index.questions for place in question.places)


def _by_knowledge(search: Search, asked_about: frozenset[str]) -> Iterator[tuple[bool, npt.NDArray[np.int64]]]:
    """Which hits are of articles that known questions are about, and which are not; neither is empty. Where the
    question is far from all known ones, none is."""
    near = max(search.answered, search.unanswered) >= FAR
    known = np.array([near and hit.passage.article in asked_about for hit in search.hits], dtype=bool)
    for value in (True, False):
        if (known == value).any():
            yield value, np.flatnonzero(known == value)


def _part(search: Search, rows: npt.NDArray[np.int64]) -> Search:
    return replace(search, hits=tuple(search.hits[i] for i in rows))


def contexts(index: PassageIndex) -> list[str]:
    """What is read for each sentence of the index, in the order of its rows."""
    found = []
    section, before, lead = ("", -1), "", ""
    for number, sentence in index.sentences:
        passage = index.passages[number]
        if (passage.article, passage.section) != section:
            section, before, lead = (passage.article, passage.section), "", ""
        text = passage.sentence_text(sentence)
        if sentence.role == "lead":
            lead = text
        elif sentence.role == "item" and lead:
            text, before = f"{lead} {text}", ""
        heading = passage.trail[-1] if passage.trail else index.articles[passage.article].title
        found.append(reader_input(heading, before, text))
        before = text
    return found
