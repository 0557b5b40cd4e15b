"""Train the adapter that reads a follow-up after the questions before it.

    PYTHONPATH=.:training python training/train_followups.py     write chatbot/weights/followups.safetensors

Low-rank changes to all-MiniLM-L6-v2 that go on from the question adapter's: a message with the questions before it is
to land where the question adapter puts the same question in full words (`followups/*.jsonl`), away from the other
questions of the batch and from what the message and the questions before it are by themselves. Known questions of the
library after any others are to land where they land alone: a change of subject must not be bent by what came before.
Seeded. One block of lines in twelve is held out; prints for these how near the vector lies to that of the full words, and how
often that is the nearest of all held-out full words; beside it the message alone, and joined with the question before.
"""

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from train_questions import QuestionModel, library_pool
from train_reader import HERE

from chatbot.conversation import EARLIER
from chatbot.encoder import ADAPTER, FOLLOWUPS, followup_input

ROOT = HERE.parent


def read(folder: Path) -> list[tuple[list[str], str, str, str]]:
    """(questions before, message, full words, kind) of each follow-up, of lines that hold one and of conversations."""
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in map(json.loads, filter(None, path.read_text("utf-8").split("\n"))):
            if "turns" not in line:
                found.append((line["before"], line["message"], line["alone"], line["kind"]))
                continue
            texts = [turn["text"] for turn in line["turns"]]
            for place, turn in enumerate(line["turns"][1:], 1):
                kind = "conversation" if turn["alone"] != turn["text"] else "change"
                found.append((texts[max(0, place - EARLIER) : place], turn["text"], turn["alone"], kind))
    return found


def report(model: QuestionModel, teacher: QuestionModel, held: list[tuple[list[str], str, str, str]]) -> str:
    """What the docstring promises, for all held-out lines and for each kind."""
    wanted = teacher.rows([alone for _, _, alone, _ in held])
    ways = {
        "read together": model.rows([followup_input(message, before) for before, message, _, _ in held]),
        "message alone": teacher.rows([message for _, message, _, _ in held]),
        "joined": teacher.rows([f"{before[-1]}: {message}" for before, message, _, _ in held]),
    }
    kinds = np.array([kind for *_, kind in held])
    lines = []
    for name, rows in ways.items():
        cosines = rows @ wanted.T
        first = cosines.argmax(1) == np.arange(len(held))
        by_kind = ", ".join(f"{kind} {first[kinds == kind].mean():.2f}" for kind in sorted(set(kinds)))
        lines.append(f"  {name:<14} cosine {np.diag(cosines).mean():.3f}, first {first.mean():.3f} ({by_kind})")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLLOWUPS)
    parser.add_argument("--start", type=Path, default=ADAPTER, help="adapter to go on from")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rate", type=float, default=7e-4)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--temperature", type=float, default=0.05)
    parser.add_argument("--changes", type=float, default=0.25, help="known questions after others, for each line")
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(2)
    chance = random.Random(args.seed)
    lines = read(HERE / "followups")
    held = [line for place, line in enumerate(lines) if place // 20 % 12 == 11]
    lines = [line for place, line in enumerate(lines) if place // 20 % 12 != 11]
    library = library_pool(ROOT / "corpus")
    teacher, model = QuestionModel(16, longest=96), QuestionModel(16, longest=96)
    teacher.load(ADAPTER)
    model.load(args.start)
    print(report(model, teacher, held), flush=True)
    optimizer = torch.optim.AdamW(model.parameters, lr=args.rate, weight_decay=0.01)
    began, done = time.time(), 0
    steps = args.epochs * int(len(lines) * (1 + args.changes) // args.batch)
    for epoch in range(args.epochs):
        changes = chance.sample(library.texts, int(args.changes * len(lines)))
        block = lines + [(chance.choice(lines)[0], text, text, "change") for text in changes]
        chance.shuffle(block)
        wanted = torch.tensor(teacher.rows([alone for _, _, alone, _ in block]))
        for start in range(0, len(block) - args.batch + 1, args.batch):
            for group in optimizer.param_groups:
                group["lr"] = args.rate * min(1.0, (done + 1) / 20) * max(0.03, 1 - done / steps)
            part = block[start : start + args.batch]
            model.model.train()
            rows = model.encode(
                [followup_input(message, older(before, lines, chance)) for before, message, _, _ in part]
            )
            # What the message is not: itself without what came before, and what came before.
            apart = torch.tensor(teacher.rows([m for _, m, _, k in part] + [before[-1] for before, *_ in part]))
            own = wanted[start : start + args.batch]
            cosines = torch.cat([rows @ own.T, rows @ apart.T], 1) / args.temperature
            same = (own @ torch.cat([own, apart]).T > 0.93) & ~torch.eye(len(part), 3 * len(part), dtype=torch.bool)
            loss = functional.cross_entropy(cosines.masked_fill(same, -1e4), torch.arange(len(part)))
            loss = loss + 4 * (1 - (rows * own).sum(1)).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters, 1.0)
            optimizer.step()
            done += 1
        print(
            f"epoch {epoch} loss {loss.item():.3f} {time.time() - began:.0f} s\n{report(model, teacher, held)}",
            flush=True,
        )
    model.save(args.out)


def older(before: list[str], lines: list[tuple[list[str], str, str, str]], chance: random.Random) -> list[str]:
    """The questions before, now and then with one of another conversation before them."""
    return [*chance.choice(lines)[0][-1:], *before] if len(before) < 3 and chance.random() < 0.25 else before


if __name__ == "__main__":
    main()
