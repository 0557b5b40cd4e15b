"""The encoder's graph for onnxruntime, without its weights: these stay in the pinned package.

    PYTHONPATH=. python training/export_encoder.py

Writes `chatbot/weights/encoder.onnx`, whose large constants are the names of tensors in the package's
`model.safetensors`, and prints how far its vectors are from sentence-transformers'.
"""

import hashlib
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.numpy import load_file
from transformers import AutoModel

from chatbot.encoder import GRAPH, PACKAGED_MODEL, PackagedEncoder, SentenceTransformerEncoder, model_folder

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
        entry = onnx.TensorProto(name=name, dims=weights[name].shape, data_type=onnx.TensorProto.FLOAT)
        entry.data_location = onnx.TensorProto.EXTERNAL
        entry.external_data.add(key="location", value="model.safetensors")
        kept.append(entry)
    del graph.graph.initializer[:]
    graph.graph.initializer.extend(kept)
    rest = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend([*nodes, *rest])
    # The exporter writes where each node came from, paths included.
    del graph.graph.value_info[:], graph.metadata_props[:], graph.graph.metadata_props[:]
    for part in (*graph.graph.node, *graph.graph.initializer, *graph.graph.input, *graph.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    return graph


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
        graph = without_weights(onnx.load(str(whole)), load_file(folder / "model.safetensors"))
    GRAPH.write_bytes(graph.SerializeToString(deterministic=True))
    GRAPH.with_suffix(".sha256").write_text(f"{hashlib.sha256(GRAPH.read_bytes()).hexdigest()}  {GRAPH.name}\n")
    texts = ["does iop include detox?", "A sentence.", "How many hours a week " * 40, "ünïcode 1-800-662-4357"]
    ours, theirs = PackagedEncoder().encode(texts), SentenceTransformerEncoder().encode(texts)
    apart = float(np.abs(ours - theirs).max())
    print(f"{GRAPH.stat().st_size / 1e3:.0f} kB, furthest from sentence-transformers: {apart:.1e}")
    if apart > 1e-5:
        raise SystemExit("the graph's vectors are not the model's")


if __name__ == "__main__":
    main()
