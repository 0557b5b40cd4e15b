"""The encoder's graph for onnxruntime, without its weights: these stay in the pinned package.

    PYTHONPATH=. python training/export_encoder.py

Writes `chatbot/weights/encoder.onnx`, whose large constants are the names of tensors in the package's
`model.safetensors`, and `encoder_int8.onnx`, whose large matrices are integers with a scale for each column, both made of
these tensors at load. Prints how far the vectors are from sentence-transformers'.
"""

import hashlib
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file
from transformers import AutoModel

from chatbot.encoder import PackagedEncoder, SentenceTransformerEncoder
from chatbot.graph import GRAPH, INT8, PACKAGED_MODEL, model_folder

NAMES = ("input_ids", "attention_mask")
LARGE = 300
"""Numbers in a constant from which it is a weight."""


class Hidden(torch.nn.Module):
    """The model, with its two inputs in a fixed order and the last layer as the output."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


def external(name: str, shape: tuple[int, ...], kind: int) -> onnx.TensorProto:
    """A constant that stands in no file: whoever loads the graph hands it over under this name."""
    entry = onnx.TensorProto(name=name, dims=shape, data_type=kind)
    entry.data_location = onnx.TensorProto.EXTERNAL
    entry.external_data.add(key="location", value="model.safetensors")
    return entry


def quantized(graph: onnx.ModelProto, weights: dict[str, np.ndarray], place: Path) -> onnx.ModelProto:
    """The stripped graph with its large matrices as integers, again without any weight."""
    whole = onnx.ModelProto()
    whole.CopyFrom(graph)
    matrices, rest = {}, []
    for node in graph.graph.node:
        name = node.input[0] if node.input else ""
        if node.op_type == "Transpose" and name in weights:
            matrices[node.output[0]] = name
        else:
            rest.append(node)
    small = [constant for constant in graph.graph.initializer if constant.name not in weights]
    named = [constant.name for constant in graph.graph.initializer if constant.name in weights]
    turned = [numpy_helper.from_array(np.ascontiguousarray(weights[name].T), of) for of, name in matrices.items()]
    kept = [numpy_helper.from_array(weights[name], name) for name in named if name not in matrices.values()]
    del whole.graph.node[:], whole.graph.initializer[:]
    whole.graph.node.extend(rest)
    whole.graph.initializer.extend([*small, *kept, *turned])
    onnx.save(whole, str(place / "whole.onnx"))
    quantize_dynamic(
        str(place / "whole.onnx"), str(place / "int8.onnx"), op_types_to_quantize=["MatMul"],
        per_channel=True, reduce_range=True, weight_type=QuantType.QInt8,
    )  # fmt: skip
    made = onnx.load(str(place / "int8.onnx"))
    stripped = []
    for constant in made.graph.initializer:
        of, _, part = constant.name.rpartition("_")
        if constant.name in named:
            stripped.append(external(constant.name, weights[constant.name].shape, onnx.TensorProto.FLOAT))
        elif of in matrices and part in ("quantized", "scale"):
            name = f"{matrices[of]}.{'integers' if part == 'quantized' else 'scale'}"
            stripped.append(external(name, tuple(constant.dims), constant.data_type))
            for node in made.graph.node:
                for at, taken in enumerate(node.input):
                    if taken == constant.name:
                        node.input[at] = name
        else:
            stripped.append(constant)
    del made.graph.initializer[:]
    made.graph.initializer.extend(stripped)
    return bare(made)


def bare(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Without what the exporter and the quantiser write of where each node came from, paths included."""
    del graph.graph.value_info[:], graph.metadata_props[:], graph.graph.metadata_props[:]
    for part in (*graph.graph.node, *graph.graph.initializer, *graph.graph.input, *graph.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    return graph


def without_weights(graph: onnx.ModelProto, weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The graph with each large constant replaced by the name of the package's tensor that holds it."""
    by_bytes = {value.tobytes(): name for name, value in weights.items()}
    turned = {value.T.tobytes(): name for name, value in weights.items() if value.ndim == 2}
    kept, named, nodes = [], set(), []
    for constant in graph.graph.initializer:
        value = numpy_helper.to_array(constant)
        raw = value.tobytes()
        if value.size < LARGE or value.dtype != np.float32:
            kept.append(constant)
            continue
        name = by_bytes.get(raw) or turned[raw]
        named.add(name)
        if raw in by_bytes:
            nodes.append(onnx.helper.make_node("Identity", [name], [constant.name]))
        else:
            nodes.append(onnx.helper.make_node("Transpose", [name], [constant.name], perm=[1, 0]))
    for name in sorted(named):
        kept.append(external(name, weights[name].shape, onnx.TensorProto.FLOAT))
    del graph.graph.initializer[:]
    graph.graph.initializer.extend(kept)
    rest = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend([*nodes, *rest])
    return bare(graph)


def main() -> None:
    """Export, strip, compare."""
    warnings.simplefilter("ignore")
    folder = model_folder(PACKAGED_MODEL)
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    example = tuple(torch.ones((2, 12), dtype=torch.long) for _ in NAMES)
    axes = {name: {0: torch.export.Dim("texts", min=1), 1: torch.export.Dim("tokens", min=2)} for name in NAMES}
    with tempfile.TemporaryDirectory() as place:
        whole = Path(place) / "encoder.onnx"
        torch.onnx.export(
            Hidden(model), example, str(whole), input_names=list(NAMES), output_names=["hidden"],
            dynamic_shapes=axes, dynamo=True, external_data=False,
        )  # fmt: skip
        weights = load_file(folder / "model.safetensors")
        graph = without_weights(onnx.load(str(whole)), weights)
        graphs = {GRAPH: graph, INT8: quantized(graph, weights, Path(place))}
    for path, made in graphs.items():
        path.write_bytes(made.SerializeToString(deterministic=True))
        path.with_suffix(".sha256").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    texts = ["does iop include detox?", "A sentence.", "How many hours a week " * 40, "ünïcode 1-800-662-4357"]
    ours, theirs = PackagedEncoder().encode(texts), SentenceTransformerEncoder().encode(texts)
    apart = float(np.abs(ours - theirs).max())
    print(f"{GRAPH.stat().st_size / 1e3:.0f} kB, furthest from sentence-transformers: {apart:.1e}")
    if apart > 1e-5:
        raise SystemExit("the graph's vectors are not the model's")
    exact, known = PackagedEncoder().encode_questions(texts), PackagedEncoder().encode_known(texts)
    print(
        f"{INT8.stat().st_size / 1e3:.0f} kB by integers, least cosine {float((exact * known).sum(axis=1).min()):.4f}"
    )


if __name__ == "__main__":
    main()
