"""Train the adapter that reads a follow-up after the questions before it.

    PYTHONPATH=.:training python training/train_followups.py     write chatbot/weights/followups.safetensors

Low-rank changes to all-MiniLM-L6-v2 that go on from the question adapter's: a message with the questions before it, and
mostly with the first sentences that answer the known question nearest to the last of these, is to land where the question adapter puts the same question in full words (`followups/*.jsonl`): near it, and among all
known questions of the library and all full words as near to each as that one is (what they say is then the same),
away from what the message and the questions before it are by themselves. Known questions after any others are to land
where they land alone: a change of subject must not be bent by what came before. A batch holds neighbouring lines, which
share their subject. Seeded. One block of lines in twelve is held out; prints for these how near the vector lies to that
of the full words, how often that is the nearest of all held-out full words, and how often the known question nearest
to the vector wants the same answer as the one nearest to the full words; beside it the message alone, and joined with
the question before.
"""

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from train_questions import Pool, QuestionModel, library_pool
from train_reader import HERE

from chatbot.articles import load_articles
from chatbot.conversation import EARLIER
from chatbot.encoder import ADAPTER, FOLLOWUPS, followup_input
from chatbot.glossary import Glossary, load_glossary
from chatbot.passages import split_sections

ROOT = HERE.parent
NEIGHBOURS = 4
"""Lines that stand beside each other in their file come together into a batch."""

SAME_QUESTION = 0.6
"""From this cosine with a known question on, its answer is what was quoted on the question before."""
UNTOLD = 0.3
"""This share is read without what was quoted: some who ask hand no answers over."""

Line = tuple[list[str], str, str, str, str]


def read(folder: Path, glossary: Glossary) -> list[Line]:
    """(questions before, message, full words, kind, full words of the question before) of each follow-up, of lines that
    hold one and of conversations."""
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        earlier: dict[tuple[str, ...], str] = {}
        for line in map(json.loads, filter(None, path.read_text("utf-8").split("\n"))):
            if "turns" not in line:
                before = line["before"]
                earlier[(*before, line["message"])] = line["alone"]
                last = before[0] if len(before) == 1 else earlier.get(tuple(before), "")
                found.append((before, line["message"], line["alone"], line["kind"], last))
                continue
            texts = [turn["text"] for turn in line["turns"]]
            for place, turn in enumerate(line["turns"][1:], 1):
                kind = "conversation" if turn["alone"] != turn["text"] else "change"
                last = line["turns"][place - 1]["alone"]
                found.append((texts[max(0, place - EARLIER) : place], turn["text"], turn["alone"], kind, last))
    return [
        (before, *map(glossary.write_out, (message, alone)), kind, last) for before, message, alone, kind, last in found
    ]


def quoted(teacher: QuestionModel, lines: list[Line], library: Pool, known: np.ndarray) -> dict[str, list[str]]:
    """For the question before each line the sentences that answer the known question nearest to it, if near enough."""
    rows = sentences(ROOT / "corpus")
    texts = sorted({last for *_, last in lines if last})
    found = {"": []}
    for text, row in zip(texts, teacher.rows(texts), strict=True):
        cosines = known @ row
        key = library.keys[library.labels[int(cosines.argmax())]] if cosines.max() >= SAME_QUESTION else ""
        found[text] = [rows[number] for number in sorted(key)] if isinstance(key, frozenset) else []
    return found


def sentences(folder: Path) -> list[str]:
    """All sentences of a corpus, as the answers of `library_pool` number them."""
    passages = [passage for article in load_articles(folder) for passage in split_sections(article)]
    return [passage.sentence_text(sentence) for passage in passages for sentence in passage.sentences]


def report(
    model: QuestionModel,
    teacher: QuestionModel,
    held: list[Line],
    library: Pool,
    known: np.ndarray,
    said: dict[str, list[str]],
) -> str:
    """What the docstring promises, for all held-out lines and for each kind."""
    wanted = teacher.rows([alone for _, _, alone, _, _ in held])
    ways = {
        "read together": model.rows(
            [followup_input(message, before, said[last][:2]) for before, message, _, _, last in held]
        ),
        "without quotes": model.rows([followup_input(message, before) for before, message, *_ in held]),
        "message alone": teacher.rows([message for _, message, *_ in held]),
        "joined": teacher.rows([f"{before[-1]}: {message}" for before, message, *_ in held]),
    }
    kinds = np.array([kind for _, _, _, kind, _ in held])
    answers = library.labels[(wanted @ known.T).argmax(1)]
    lines = []
    for name, rows in ways.items():
        cosines = rows @ wanted.T
        first = cosines.argmax(1) == np.arange(len(held))
        same = library.labels[(rows @ known.T).argmax(1)] == answers
        by_kind = ", ".join(f"{kind} {same[kinds == kind].mean():.2f}" for kind in sorted(set(kinds)))
        lines.append(
            f"  {name:<14} cosine {np.diag(cosines).mean():.3f}, first {first.mean():.3f}, "
            f"same answer {same.mean():.3f} ({by_kind})"
        )
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLLOWUPS)
    parser.add_argument("--teacher", type=Path, default=ADAPTER, help="the question adapter that ships")
    parser.add_argument("--start", type=Path, default=ADAPTER, help="adapter to go on from")
    parser.add_argument("--rank", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rate", type=float, default=7e-4)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--temperature", type=float, default=0.04)
    parser.add_argument("--changes", type=float, default=0.2, help="known questions after others, for each line")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    chance = random.Random(args.seed)
    glossary = load_glossary(ROOT / "corpus").explained_in(article.text for article in load_articles(ROOT / "corpus"))
    lines = read(HERE / "followups", glossary)
    held = [line for place, line in enumerate(lines) if place // 20 % 12 == 11]
    lines = [line for place, line in enumerate(lines) if place // 20 % 12 != 11]
    library = library_pool(ROOT / "corpus")
    teacher, model = QuestionModel.of(args.teacher, longest=128), QuestionModel(args.rank, longest=128)
    model.load(args.start)
    known = teacher.rows(library.texts)
    said = quoted(teacher, [*lines, *held], library, known)
    texts = sorted({text for before, message, alone, *_ in lines for text in (before[-1], message, alone)})
    rows_of = dict(zip(texts, teacher.rows(texts), strict=True)) | dict(zip(library.texts, known, strict=True))
    bank = torch.tensor(np.concatenate([known, np.stack([rows_of[alone] for alone in {line[2] for line in lines}])]))
    print(report(model, teacher, held, library, known, said), flush=True)
    optimizer = torch.optim.AdamW(model.parameters, lr=args.rate, weight_decay=0.01)
    began, done = time.time(), 0
    steps = args.epochs * int(len(lines) * (1 + args.changes) // args.batch)
    for epoch in range(args.epochs):
        changes = chance.sample(library.texts, int(args.changes * len(lines)))
        blocks = [lines[start : start + NEIGHBOURS] for start in range(0, len(lines), NEIGHBOURS)]
        for text in changes:
            before, _, _, _, last = chance.choice(lines)
            blocks.append([(before, text, text, "change", last)])
        chance.shuffle(blocks)
        block = [line for some in blocks for line in some]
        for start in range(0, len(block) - args.batch + 1, args.batch):
            for group in optimizer.param_groups:
                group["lr"] = args.rate * min(1.0, (done + 1) / 20) * max(0.03, 1 - done / steps)
            part = block[start : start + args.batch]
            model.model.train()
            rows = model.encode(
                [
                    followup_input(message, older(before, lines, chance), told(said[last], chance))
                    for before, message, _, _, last in part
                ]
            )
            own = torch.tensor(np.stack([rows_of[alone] for _, _, alone, *_ in part]))
            wanted = functional.softmax(own @ bank.T / args.temperature, 1)
            loss = -(wanted * functional.log_softmax(rows @ bank.T / args.temperature, 1)).sum(1).mean()
            # What the message is not: itself without what came before, and what came before.
            apart = torch.tensor(
                np.stack([rows_of[message] for _, message, *_ in part] + [rows_of[line[0][-1]] for line in part])
            )
            others = torch.cat([own, apart])
            same = (own @ others.T > 0.93) & ~torch.eye(len(part), len(others), dtype=torch.bool)
            cosines = (rows @ others.T / args.temperature).masked_fill(same, -1e4)
            loss = loss + functional.cross_entropy(cosines, torch.arange(len(part)))
            loss = loss + 4 * (1 - (rows * own).sum(1)).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters, 1.0)
            optimizer.step()
            done += 1
            if done % 50 == 0:
                print(f"step {done}/{steps} loss {loss.item():.3f} {time.time() - began:.0f} s", flush=True)
        print(
            f"epoch {epoch} {time.time() - began:.0f} s\n{report(model, teacher, held, library, known, said)}",
            flush=True,
        )
        model.save(args.out)


def older(before: list[str], lines: list[Line], chance: random.Random) -> list[str]:
    """The questions before, now and then with one of another conversation before them."""
    return [*chance.choice(lines)[0][-1:], *before] if len(before) < 3 and chance.random() < 0.25 else before


def told(quotes: list[str], chance: random.Random) -> list[str]:
    """One to three of the sentences, mostly from the first on; now and then none."""
    if not quotes or chance.random() < UNTOLD:
        return []
    start = chance.randrange(len(quotes)) if chance.random() < 0.3 else 0
    return quotes[start : start + chance.choice((1, 2, 2, 3))]


if __name__ == "__main__":
    main()
