"""Fit what tells small talk from questions: a linear layer over the danger screen's vectors beside the encoder's own.

    PYTHONPATH=. python training/train_talk.py          write chatbot/weights/talk.safetensors

Multinomial logistic regression on `talk/*.jsonl`; questions of the library, follow-ups and the screen's own messages
stand for what is no small talk. Prints, five-fold, the
share of small talk found and of the rest left alone at the threshold that the screen uses.
"""

import argparse
import hashlib
import json
import random
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from chatbot import safety
from chatbot.articles import load_articles
from chatbot.questions import load_questions
from chatbot.screening import TALK, TALK_KINDS, TALK_WEIGHTS, ConcernModel

HERE = Path(__file__).resolve().parent


def lines(folder: Path) -> list[dict[str, str]]:
    """The JSON objects of a folder's files."""
    return [
        json.loads(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text("utf-8").split("\n")
        if line
    ]


def messages(others: int, chance: random.Random) -> list[tuple[str, str]]:
    """(message, kind) pairs."""
    corpus = HERE.parent / "corpus"
    found = [(line["message"], line["kind"]) for line in lines(HERE / "talk")]
    pools = (
        [question.text for question in load_questions(corpus, load_articles(corpus))],
        [line["message"] for line in lines(HERE / "followups") if "message" in line],
        [line["message"] for line in lines(HERE / "messages")],
    )
    known = {text.lower() for text, _ in found}
    for pool in pools:
        found += [(text, "none") for text in chance.sample(pool, min(others, len(pool))) if text.lower() not in known]
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--others", type=int, default=1000, help="messages of each kind that is no small talk")
    parser.add_argument("--out", type=Path, default=TALK_WEIGHTS)
    args = parser.parse_args()
    found = messages(args.others, random.Random(2))
    texts, concerns = [safety.normalise(text) for text, _ in found], ConcernModel(talk=None)
    rows = concerns.talk_rows(texts, concerns.rows(texts))
    labels = np.array([TALK_KINDS.index(kind) for _, kind in found])
    model = LogisticRegression(C=10.0, max_iter=3000)
    shares = cross_val_predict(
        model, rows, labels, cv=StratifiedKFold(5, shuffle=True, random_state=2), method="predict_proba"
    )
    small, told = labels > 0, 1.0 - shares[:, 0] >= TALK
    print(
        f"{len(found)} messages: small talk found {told[small].mean():.3f}, "
        f"right kind of these {(shares[:, 1:].argmax(1) + 1 == labels)[small & told].mean():.3f}, "
        f"of the others left alone {(~told)[~small].mean():.4f}"
    )
    model.fit(rows, labels)
    layer = {"weight": model.coef_, "bias": model.intercept_}
    save_file({name: np.ascontiguousarray(values, np.float32) for name, values in layer.items()}, args.out)
    digest = hashlib.sha256(args.out.read_bytes()).hexdigest()
    args.out.with_suffix(".sha256").write_text(f"{digest}  {args.out.name}\n")


if __name__ == "__main__":
    main()
