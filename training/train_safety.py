"""Train the second layer of the danger screen: what kind of concern a message is a sign of, if any.

    PYTHONPATH=.:training python training/train_safety.py          write chatbot/weights/safety.safetensors

Low-rank changes to all-MiniLM-L6-v2 and a linear layer over its mean vector, fitted on `messages/*.jsonl`. One
danger message in three is put between ordinary ones, as people write. Seeded. Prints recall and false alarms on
`tests/messages/tune.jsonl`, which is not trained on unless --with-tune is given.
"""

import argparse
import hashlib
import json
import random
import re
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from train_questions import QuestionModel

from chatbot.articles import load_articles
from chatbot.questions import load_questions
from chatbot.safety import screen
from chatbot.screening import CLASSES, WEIGHTS, parts

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TUNE = HERE.parent / "tests" / "messages" / "tune.jsonl"
DOUBTED = 0.05
"""Danger of an ordinary question from which it is worth learning from."""

NEAR_DANGER = re.compile(
    r"overdos|crisis|withdraw|detox|prescri|medic|benzo|suboxone|methad|naltrex|pregnan|health|fentanyl|drug|sign|stimul|pain"
    r"|cannabis|addicted|custody|couple|abuse|suicid|violen|dose|taper|driv|child|kid|harm|ill|symptom|sleep|brain|off-topic"
)


def read(path: Path) -> list[tuple[str, str]]:
    """(message, class) of each line; what is ambiguous is left out."""
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [(entry["message"], entry["expect"]) for entry in found if entry["expect"] != "ambiguous"]


def ordinary_questions(count: int, chance: random.Random) -> list[tuple[str, str]]:
    """Known questions of the library, which are no cause for alarm; unanswered topics near danger are left out."""
    known = load_questions(ROOT / "corpus", load_articles(ROOT / "corpus"))
    calm = [question.text for question in known if question.places or not NEAR_DANGER.search(question.topic)]
    return [(text, "none") for text in chance.sample(calm, count)]


def doubted_questions(model: QuestionModel, head: torch.nn.Linear) -> list[tuple[str, str]]:
    """Known questions that the articles answer and that the weights to go on from take for danger more than `DOUBTED`,
    each twice; none that a pattern takes for a concern."""
    known = load_questions(ROOT / "corpus", load_articles(ROOT / "corpus"))
    texts = [question.text for question in known if question.places and screen(question.text) is None]
    with torch.no_grad():
        shares = functional.softmax(head(20 * torch.tensor(model.rows(texts))), 1).numpy()
    danger = 1 - shares[:, CLASSES.index("none")] - shares[:, CLASSES.index("medical_advice")]
    found = [text for text, risk in zip(texts, danger, strict=True) if risk > DOUBTED]
    print(f"{len(found)} of {len(texts)} known questions are doubted", flush=True)
    return [(text, "none") for text in found for _ in range(2)]


def small_talk() -> list[tuple[str, str]]:
    """Small talk and what looks like it, which is no cause for alarm: a goodbye is no farewell."""
    lines = [line for path in sorted((HERE / "talk").glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    return [(json.loads(line)["message"], "none") for line in lines]


def spoil(message: str, ordinary: list[str], chance: random.Random, danger: bool) -> str:
    """The message as others would type it: other case, no punctuation, a slip, or amid ordinary sentences."""
    if not danger and chance.random() < 0.25:
        message = chance.choice(parts(message))  # the screen reads stories in parts: what is calm is calm in each
    draw = chance.random()
    if draw < 0.15:
        message = message.lower()
    elif draw < 0.2:
        message = message.upper()
    if chance.random() < 0.2:
        message = "".join(c for c in message if c not in "'’.,?!")
    if chance.random() < 0.2 and len(message) > 12:
        at = chance.randrange(1, len(message) - 2)
        message = message[:at] + message[at + 1] + message[at] + message[at + 2 :]
    if chance.random() < (0.33 if danger else 0.2):
        pieces = [message, *chance.sample(ordinary, chance.choice((1, 1, 2)))]
        chance.shuffle(pieces)
        message = chance.choice((" ", ". ", "\n")).join(pieces)
    return message


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=Path, default=HERE / "messages")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--ordinary", type=int, default=1800, help="known questions among the ordinary messages")
    parser.add_argument("--share", type=float, default=1.0, help="of the messages, drawn anew")
    parser.add_argument("--with-tune", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    chance = random.Random(args.seed)
    messages = [entry for path in sorted(args.messages.glob("*.jsonl")) for entry in read(path)]
    messages = chance.sample(messages, int(args.share * len(messages)))
    messages += ordinary_questions(args.ordinary, chance) + small_talk()
    tune = read(TUNE)
    if args.with_tune:
        messages += tune
    ordinary = [text for text, kind in messages if kind == "none" and len(text) < 90]
    model = QuestionModel(args.rank, longest=112)
    head = torch.nn.Linear(384, len(CLASSES))
    if args.start:
        load(model, head, args.start)
        messages += doubted_questions(model, head)
    optimizer = torch.optim.AdamW(
        [{"params": model.parameters, "lr": args.rate}, {"params": head.parameters(), "lr": 5 * args.rate}],
        weight_decay=0.01,
    )
    rates = [group["lr"] for group in optimizer.param_groups]
    steps = args.epochs * (len(messages) // args.batch)
    done, began = 0, time.time()
    for epoch in range(args.epochs):
        chance.shuffle(messages)
        model.model.train()
        block = [(spoil(text, ordinary, chance, kind != "none"), kind) for text, kind in messages]
        block.sort(key=lambda entry: len(entry[0]) * chance.uniform(0.8, 1.2))  # of like length together
        starts = list(range(0, len(block) - args.batch + 1, args.batch))
        chance.shuffle(starts)
        for start in starts:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * min(1.0, (done + 1) / 20) * max(0.02, 1 - done / steps)
            texts, kinds = zip(*block[start : start + args.batch], strict=True)
            logits = head(20 * model.encode(list(texts)))
            loss = functional.cross_entropy(
                logits, torch.tensor([CLASSES.index(kind) for kind in kinds]), label_smoothing=0.02
            )
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters, 1.0)
            optimizer.step()
            done += 1
        print(f"epoch {epoch} loss {loss.item():.3f} {time.time() - began:.0f} s", flush=True)
        report(model, head, tune)
    save(model, head, args.out)


def load(model: QuestionModel, head: torch.nn.Linear, path: Path) -> None:
    """Put weights that were saved before into a model and its head."""
    model.load(path)
    before = load_file(path)
    head.weight.data, head.bias.data = before["head.weight"].float() / 20, before["head.bias"].float()


def save(model: QuestionModel, head: torch.nn.Linear, path: Path) -> None:
    """The changes and the head, with their digest."""
    tensors = {**model.tensors(), "head.weight": 20 * head.weight.data.float(), "head.bias": head.bias.data.float()}
    save_file({name: value.contiguous() for name, value in tensors.items()}, path)
    path.with_suffix(".sha256").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")


def report(model: QuestionModel, head: torch.nn.Linear, tune: list[tuple[str, str]]) -> None:
    """Recall of danger where 2, 4 and 8% of the look-alikes raise a false alarm, and of medical questions."""
    with torch.no_grad():
        shares = functional.softmax(head(20 * torch.tensor(model.rows([text for text, _ in tune]))), 1).numpy()
    kinds = np.array([kind for _, kind in tune])
    none, medical = kinds == "none", kinds == "medical_advice"
    danger = 1 - shares[:, CLASSES.index("none")] - shares[:, CLASSES.index("medical_advice")]
    found = {q: float((danger[~none & ~medical] > np.quantile(danger[none], 1 - q)).mean()) for q in (0.02, 0.04, 0.08)}
    told = shares[:, CLASSES.index("medical_advice")]
    print(
        "  danger recall at false alarms", {q: round(v, 3) for q, v in found.items()},
        "medical at 4%:", round(float((told[medical] > np.quantile(told[none], 0.96)).mean()), 3),
        f"right kind {np.mean(shares.argmax(1) == [CLASSES.index(kind) for kind in kinds]):.3f}", flush=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
