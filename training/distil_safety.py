"""Teach the danger screen what a larger encoder knows: `python training/distil_safety.py --teacher FOLDER`.

    PYTHONPATH=.:training python training/distil_safety.py --teacher all-mpnet-base-v2   write safety.safetensors

The teacher is all-mpnet-base-v2 (Apache 2.0) with low-rank changes to its seven upper layers, fitted on `messages/*.jsonl` as
`train_safety.py` fits the screen. By itself it is no better than the screen; the two err on different messages, and the mean of
their logits errs on a third as many. That mean is taught to the screen (Hinton et al. 2015), on the messages, where the labels
count besides, and on texts without labels: known questions, follow-ups, and mosaics of sentences of different messages. Seeded.
The teacher is not needed to run anything. Prints, after each pass, recall and false alarms on
`tests/messages/tune.jsonl`, which is not trained on.
"""

import argparse
import random
import re
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from train_followups import read as read_followups
from train_questions import QuestionModel
from train_safety import HERE, ROOT, TUNE, load, ordinary_questions, read, report, save, small_talk, spoil

from chatbot.articles import load_articles
from chatbot.glossary import load_glossary
from chatbot.graph import Vectors
from chatbot.questions import load_questions
from chatbot.safety import normalise
from chatbot.screening import CLASSES, WEIGHTS, ConcernModel

TEACHERS_SHARE = 0.5
"""Of the teacher's logits in the mean with the screen's."""
LABELS_SHARE = 0.4
"""Of the labels in what is taught of a labelled message."""
UNDECIDED = 0.01
"""Danger, or doubt between the two, from which an unlabelled text is worth learning from; of the others a third is."""
BATCH = 32


def fit(
    model: QuestionModel,
    head: nn.Linear,
    texts: list[str],
    targets: torch.Tensor,
    epochs: int,
    rate: float,
    chance: random.Random,
) -> None:
    """Cross-entropy with the targets, shape (len(texts), len(CLASSES)); texts of like length together."""
    optimizer = torch.optim.AdamW(
        [{"params": model.parameters, "lr": rate}, {"params": head.parameters(), "lr": 4 * rate}], weight_decay=0.01
    )
    rates = [group["lr"] for group in optimizer.param_groups]
    steps, done, began = epochs * (len(texts) // BATCH), 0, time.time()
    for epoch in range(epochs):
        model.model.train()
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]) * chance.uniform(0.8, 1.2))
        starts = list(range(0, len(order) - BATCH + 1, BATCH))
        chance.shuffle(starts)
        for start in starts:
            for group, full in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = full * min(1.0, (done + 1) / 50) * max(0.02, 1 - done / steps)
            batch = order[start : start + BATCH]
            loss = functional.cross_entropy(head(20 * model.encode([texts[place] for place in batch])), targets[batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters, 1.0)
            optimizer.step()
            done += 1
        print(f"epoch {epoch} {time.time() - began:.0f} s", flush=True)
        report(model, head, read(TUNE))


def one_hot(kinds: list[str]) -> torch.Tensor:
    """Shape (len(kinds), len(CLASSES)), smoothed a little."""
    return 0.98 * functional.one_hot(torch.tensor([CLASSES.index(kind) for kind in kinds]), len(CLASSES)) + 0.02 / len(
        CLASSES
    )


def unlabelled(messages: list[tuple[str, str]], chance: random.Random) -> list[str]:
    """Texts of the kinds that the screen meets, and mosaics that lie between them."""
    known = [question.text for question in load_questions(ROOT / "corpus", load_articles(ROOT / "corpus"))]
    followups = read_followups(HERE / "followups", load_glossary(ROOT / "corpus"))
    asked = sorted({text for _, message, alone, *_ in followups for text in (message, alone)})
    stories = [sentences for text, kind in messages if kind == "none" and len(sentences := _sentences(text)) > 1]
    dangers = [_sentences(text) for text, kind in messages if kind not in ("none", "medical_advice")]
    mosaics = []
    for _ in range(13000):
        one, other, draw = chance.choice(stories), chance.choice(stories), chance.random()
        if draw < 0.4:
            pieces = [chance.choice(one), chance.choice(other)]
        elif draw < 0.7:
            pieces = [*chance.sample(one, min(len(one), chance.choice((1, 2)))), chance.choice(known)]
        elif draw < 0.85:
            pieces = [chance.choice(chance.choice(dangers)), chance.choice(other)]
        else:
            pieces = [chance.choice(one)]
        mosaics.append(" ".join(pieces))
    return [*chance.sample(known, 8000), *chance.sample(asked, 6000), *mosaics]


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in re.split(r"(?<=[.!?;])\s+", text) if sentence]


def shares(model: QuestionModel, head: nn.Linear, texts: list[str]) -> Vectors:
    """The probability of each class, shape (len(texts), len(CLASSES))."""
    with torch.no_grad():
        found: Vectors = functional.softmax(head(20 * torch.tensor(model.rows(texts))), 1).numpy()
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, required=True, help="folder of all-mpnet-base-v2")
    parser.add_argument("--start", type=Path, default=WEIGHTS, help="the screen's weights to go on from")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--limit", type=int, default=10**9, help="texts of each kind, to try the script")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    chance = random.Random(args.seed)
    messages = [entry for path in sorted((HERE / "messages").glob("*.jsonl")) for entry in read(path)]
    ordinary = [text for text, kind in messages if kind == "none" and len(text) < 90]

    teacher, judge = QuestionModel(32, 112, args.teacher, lowest=5), nn.Linear(768, len(CLASSES))
    messages = chance.sample(messages, min(args.limit, len(messages)))
    lessons = [*messages, *ordinary_questions(min(args.limit, 5000), chance), *small_talk()[: args.limit]]
    spoilt = [spoil(text, ordinary, chance, kind != "none") for text, kind in lessons]
    fit(teacher, judge, spoilt, one_hot([kind for _, kind in lessons]), 3, 4e-4, chance)

    texts = [spoil(text, ordinary, chance, False) for text in unlabelled(messages, chance)][: args.limit]
    free = len(texts)
    texts = [
        normalise(text)
        for text in [*texts, *(spoil(text, ordinary, chance, kind != "none") for text, kind in messages)]
    ]
    screen = ConcernModel(args.start, None)
    own, taught = screen.shares(screen.rows(texts)), shares(teacher, judge, texts)
    mean = np.exp((1 - TEACHERS_SHARE) * np.log(own + 1e-6) + TEACHERS_SHARE * np.log(taught + 1e-6))
    targets = torch.tensor(mean / mean.sum(1, keepdims=True), dtype=torch.float32)
    targets[free:] = LABELS_SHARE * one_hot([kind for _, kind in messages]) + (1 - LABELS_SHARE) * targets[free:]
    doubt = ((1 - mean[:, 0] / mean.sum(1)) > UNDECIDED) | (abs(own[:, 0] - taught[:, 0]) > 3 * UNDECIDED)
    kept = [place for place in range(len(texts)) if place >= free or doubt[place] or chance.random() < 0.3]

    student, head = QuestionModel(64, 112), nn.Linear(384, len(CLASSES))
    load(student, head, args.start)
    fit(student, head, [texts[place] for place in kept], targets[kept], 2, 5e-4, chance)
    save(student, head, args.out)


if __name__ == "__main__":
    main()
