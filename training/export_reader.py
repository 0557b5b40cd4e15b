"""From trained weights to the file that ships: ONNX, dynamic int8, with its digest.

    python training/export_reader.py training/out [training/another …]

Of several runs that go on from one another the weights are averaged (Wortsman et al. 2022, "Model soups"). Prints how far int8 is from the trained weights on the test articles. Raises SystemExit when they disagree.
"""

import argparse
import hashlib
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from train_reader import HERE, TEST, article_cases
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from chatbot.reader import LONGEST, WEIGHTS

NAMES = ("input_ids", "attention_mask", "token_type_ids")


class Logit(torch.nn.Module):
    """The model, with its three inputs in a fixed order and its one number as the output."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).logits


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trained", type=Path, nargs="*", default=[HERE / "out"])
    parser.add_argument("--target", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(args.trained[0])
    runs = [
        AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager").eval()
        for folder in args.trained
    ]
    model, tensors = runs[0], [run.state_dict() for run in runs]
    model.load_state_dict({name: torch.stack([run[name].float() for run in tensors]).mean(0) for name in tensors[0]})
    cases = [c for p in sorted((HERE / "pairs").glob("*.jsonl")) for c in article_cases(p) if c.group in TEST]
    sample = [(case.question, context) for case in cases[::40] for context in case.contexts[:12]]
    inputs = tokenizer(
        [q for q, _ in sample],
        [c for _, c in sample],
        truncation="only_second",
        max_length=LONGEST,
        padding=True,
        return_tensors="pt",
    )
    feed = tuple(inputs[name] for name in NAMES)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "reader.onnx"
        axes = {name: {0: torch.export.Dim("pairs", min=1), 1: torch.export.Dim("tokens", min=2)} for name in NAMES}
        torch.onnx.export(
            Logit(model), tuple(part[:4] for part in feed), str(whole), input_names=list(NAMES), output_names=["logit"],
            dynamic_shapes=axes, dynamo=True, external_data=False,
        )  # fmt: skip
        plain = onnx.load(str(whole))
        del plain.graph.value_info[:]  # the quantiser infers them again, and stumbles over transposed weights
        onnx.save(plain, str(whole))
        args.target.parent.mkdir(parents=True, exist_ok=True)
        quantize_dynamic(str(whole), str(args.target), weight_type=QuantType.QInt8, per_channel=True)
    shipped = onnx.load(str(args.target))
    del shipped.metadata_props[:]
    for node in shipped.graph.node:  # the exporter writes where each node came from, paths included
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*shipped.graph.value_info, *shipped.graph.input, *shipped.graph.output, *shipped.graph.initializer):
        del value.metadata_props[:]
    del shipped.graph.metadata_props[:]
    onnx.save(shipped, str(args.target))
    digest = hashlib.sha256(args.target.read_bytes()).hexdigest()
    args.target.with_suffix(".sha256").write_text(f"{digest}  {args.target.name}\n")
    session = onnxruntime.InferenceSession(str(args.target), providers=["CPUExecutionProvider"])
    small = session.run(None, {name: part.numpy() for name, part in zip(NAMES, feed, strict=True)})[0].reshape(-1)
    with torch.no_grad():
        full = model(**inputs).logits.squeeze(-1).numpy()
    agree = float(np.mean((small > 0) == (full > 0)))
    correlation = float(np.corrcoef(small, full)[0, 1])
    print(
        f"{args.target.stat().st_size / 1e6:.1f} MB, {len(full)} pairs: correlation {correlation:.4f}, same side {agree:.4f}"
    )
    if correlation < 0.98:
        raise SystemExit("int8 is too far from the trained weights")


if __name__ == "__main__":
    main()
