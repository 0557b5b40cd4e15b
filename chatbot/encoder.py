"""Turning text into vectors: the `Encoder` protocol, the packaged model, and any sentence-transformers folder."""

import functools
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from chatbot.errors import ModelError
from chatbot.graph import GRAPH, INT8, PACKAGED_MODEL, AdaptedModel, Vectors, cores, file_sha256, model_folder

ADAPTER = GRAPH.with_name("questions.safetensors")
"""Low-rank changes that bring questions with one answer together (`training/train_questions.py`)."""
QUERIES = GRAPH.with_name("queries.safetensors")
"""… that put a question near the sentences that answer it, embedded without any (`training/train_queries.py`)."""
FOLLOWUPS = GRAPH.with_name("followups.safetensors")
"""… that put a message, after those before it, where it stands in full words (`training/train_followups.py`)."""


class Encoder(Protocol):
    """Anything that turns texts into unit vectors."""

    name: str
    digest: str
    """Changes when the vectors would: an index remembers it."""
    dim: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dim), rows of Euclidean length 1."""
        ...

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """The same shape, in a space where questions that want the same answer are near each other."""
        ...

    def encode_known(self, texts: Sequence[str]) -> Vectors:
        """The same in a fraction of the time, a little less exactly: for thousands of known questions."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """The same shape, in the space of `encode`: where what answers these questions stands."""
        ...

    def encode_both(self, text: str) -> tuple[Vectors, Vectors]:
        """Of one text what `encode_queries` and what `encode_questions` give, each of shape (dim,)."""
        ...

    def encode_followup(self, message: str, before: Sequence[str], said: Sequence[str] = ()) -> Vectors:
        """Shape (dim,), in the same space: where the message, after the questions before it, oldest first, and the
        sentences quoted on the last of them, stands in full words."""
        ...

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is common enough to be a word of its own to the model, so no slip of another."""
        ...


SAID = 220
"""So many characters of what was last quoted are read with a follow-up."""


def followup_input(message: str, before: Sequence[str], said: Sequence[str] = ()) -> str:
    """What is read of a message, the questions before it (oldest first) and the sentences quoted on the last of these:
    the message stands first, so that what is furthest back is what is cut."""
    quoted = " ".join(said)[:SAID]
    *earlier, last = before
    return " [SEP] ".join((message, last, *([f"[SEP] {quoted}"] if quoted else ()), *reversed(earlier)))


def load_encoder(model: str = PACKAGED_MODEL) -> Encoder:
    """The packaged model by its name, or a sentence-transformers folder. Raises `ModelError`."""
    return PackagedEncoder() if model == PACKAGED_MODEL else SentenceTransformerEncoder(model)


def _digest(folder: Path) -> str:
    files = [*sorted(folder.glob("**/*.safetensors")), *sorted(folder.glob("**/tokenizer.json"))]
    return hashlib.sha256("".join(map(file_sha256, files)).encode()).hexdigest()


class PackagedEncoder:
    """all-MiniLM-L6-v2 run by onnxruntime: the package's own safetensors put into a graph that ships with us. The
    vectors are sentence-transformers' to the sixth digit, in a third of the time, without importing it or torch."""

    name = PACKAGED_MODEL
    dim = 384

    def __init__(
        self,
        graph: Path = GRAPH,
        adapter: Path = ADAPTER,
        followups: Path = FOLLOWUPS,
        queries: Path = QUERIES,
        quantized: Path = INT8,
    ) -> None:
        """Load the weights. Raises `ModelError`."""
        folder = model_folder(PACKAGED_MODEL)
        self._plain = AdaptedModel(None, graph)
        self._questions = AdaptedModel(adapter, graph)
        self._followups = AdaptedModel(followups, graph)
        self._queries = AdaptedModel(queries, graph)
        self._words = frozenset(self._plain.tokenizer.get_vocab())
        self._load_known = functools.cache(functools.partial(AdaptedModel, adapter, quantized))
        parts = _digest(folder), file_sha256(adapter), file_sha256(quantized)
        self.digest = hashlib.sha256("".join(parts).encode()).hexdigest()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dim), rows of Euclidean length 1: the mean of a text's token vectors."""
        return self._plain.encode(texts)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """The same with the adapter's changes."""
        return self._questions.encode(texts)

    def encode_known(self, texts: Sequence[str]) -> Vectors:
        """The same by small integers, in a third of the time; the mean cosine with the exact rows is 0.995. Only a
        build needs it, so it is loaded when first called."""
        return self._load_known().encode(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dim), unit rows, in the space of `encode`: near what answers these questions."""
        return self._queries.encode(texts)

    def encode_both(self, text: str) -> tuple[Vectors, Vectors]:
        """Of one text what `encode_queries` and what `encode_questions` give, each of shape (dim,), at the same time."""
        query = cores().submit(self._queries.encode, [text])
        question = self._questions.encode([text])[0]
        return query.result()[0], question

    def encode_followup(self, message: str, before: Sequence[str], said: Sequence[str] = ()) -> Vectors:
        """Shape (dim,), in the space of `encode_questions`."""
        rows = self._followups.encode([followup_input(message, before, said)])
        return rows.reshape(-1)

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is a token of its own."""
        return word in self._words


class SentenceTransformerEncoder:
    """A sentence-transformers model read from a local folder: safetensors only, no remote code, no network."""

    def __init__(self, model: str = PACKAGED_MODEL) -> None:
        """Load the model. Raises `ModelError`."""
        folder = model_folder(model)
        # Read before the libraries look at them; a cached hub file must not stand in for the folder's.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]

        # One query at a time is faster on one thread than on two (no fork and join), and the order of
        # additions, so the last bit of each vector, no longer depends on the machine's cores.
        torch.set_num_threads(1)
        try:
            self._model: Any = SentenceTransformer(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except Exception as error:  # the library raises a dozen kinds for a damaged folder
            raise ModelError(f"{folder} can't be loaded: {error}") from error
        self.name = model if model == PACKAGED_MODEL else folder.name
        self.digest = _digest(folder)
        self._words = frozenset(self._model.tokenizer.get_vocab())
        self.dim = int(self._model.get_embedding_dimension() or 0)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dim), rows of Euclidean length 1."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        rows = self._model.encode(
            list(texts), batch_size=32, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return np.ascontiguousarray(rows, dtype=np.float32)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """The same as `encode`: another model brings no adapter."""
        return self.encode(texts)

    encode_known = encode_queries = encode_questions

    def encode_both(self, text: str) -> tuple[Vectors, Vectors]:
        """The same vector twice, of shape (dim,)."""
        row = self.encode([text]).reshape(-1)
        return row, row

    def encode_followup(self, message: str, before: Sequence[str], said: Sequence[str] = ()) -> Vectors:
        """Shape (dim,): the message joined with the last question before it."""
        return self.encode([": ".join((*before[-1:], message))]).reshape(-1)

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is a token of its own."""
        return word in self._words
