"""The reader: does this sentence, read in its section, answer this question?"""

import json
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from chatbot.encoder import PACKAGED_MODEL, check_shipped, model_folder
from chatbot.errors import ModelError
from chatbot.index import PassageIndex
from chatbot.passages import leans_back
from chatbot.retrieval import BM25_HALF, Search

LONGEST = 112
"""Tokens of a question and a sentence together; of what is longer, the end of the longer one is cut."""
TOGETHER = 4
"""Sentences read at once."""
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
    ]
    return np.stack(columns, axis=1)


class Calibration:
    """A logistic curve over the signals: one for corpora with known questions, one for those without.

    Fitted by `training/calibrate.py` on the tuning half of the development questions.
    """

    def __init__(self, kind: str, with_questions: bool, path: Path = CALIBRATION) -> None:
        try:
            fitted = json.loads(path.read_text(encoding="utf-8"))[
                f"{kind}, {'with' if with_questions else 'without'} questions"
            ]
            self._weights, self._offset = np.array(fitted["weights"]), float(fitted["offset"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path} is missing or damaged ({error}); reinstall the project") from error

    def __call__(self, values: npt.NDArray[np.float64]) -> Support:
        """From signals, shape (n, number of signals), to probabilities, shape (n,)."""
        support: Support = 1.0 / (1.0 + np.exp(-(values @ self._weights + self._offset)))
        return support


class RetrievalReader:
    """No model: support from the retrieval scores alone."""

    def __init__(self, index: PassageIndex) -> None:
        """Raises `ModelError` if the calibration is missing."""
        self._calibrated = Calibration("none", bool(index.questions))

    def support(self, question: str, search: Search) -> Support:
        """Shape (len(search.hits),): for each hit the probability, 0 to 1, that it answers the question."""
        del question
        return self._calibrated(signals(search, None))


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
        self._session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(model_folder(PACKAGED_MODEL) / "tokenizer.json"))
        self._tokenizer.enable_truncation(LONGEST, strategy="longest_first")
        self._tokenizer.no_padding()
        self._contexts = _contexts(index)

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
    """Support from the cross-encoder's judgement and the retrieval scores together."""

    def __init__(self, index: PassageIndex, weights: Path = WEIGHTS) -> None:
        """Load the weights that ship with the package. Raises `ModelError`."""
        self._model = CrossEncoder(index, weights)
        self._calibrated = Calibration("default", bool(index.questions))

    def support(self, question: str, search: Search) -> Support:
        """Shape (len(search.hits),): for each hit the probability, 0 to 1, that it answers the question."""
        return self._calibrated(signals(search, self._model.logits(question, search)))


def _contexts(index: PassageIndex) -> list[str]:
    """What is read for each sentence of the index, in the order of its rows."""
    contexts = []
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
        contexts.append(reader_input(heading, before, text))
        before = text
    return contexts
