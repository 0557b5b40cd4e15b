"""Average two runs of an adapter, the second of which went on from the first: it keeps what either run lost.

    PYTHONPATH=.:training python training/average.py FIRST SECOND --out chatbot/weights/questions.safetensors

The second may be of more rank. Beside the file its digest is written.
"""

import argparse
import hashlib
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def mean(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Half of each, in the second's shapes. A direction that only the second has keeps its `down` whole, and half of
    its effect by its `up`; a head of other names is averaged as it is."""
    found = {}
    for name, tensor in second.items():
        ours, theirs = tensor.float(), first[name].float()
        if name.endswith(".down"):
            theirs = torch.cat([theirs, ours[len(theirs) :]])
        elif name.endswith(".up"):
            theirs = torch.cat([theirs, torch.zeros_like(ours[:, theirs.shape[1] :])], 1)
        found[name] = ((ours + theirs) / 2).to(tensor.dtype).contiguous()
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    save_file(mean(load_file(args.first), load_file(args.second)), args.out)
    digest = hashlib.sha256(args.out.read_bytes()).hexdigest()
    args.out.with_suffix(".sha256").write_text(f"{digest}  {args.out.name}\n")


if __name__ == "__main__":
    main()
