"""Fit the curves from signals to support on the development questions and conversations that are no test.

    python training/calibrate.py --originals DIR      write chatbot/weights/calibration.json

With `--originals`, a folder of the articles as they were published, these are used beside the retold ones.
Prints what a fit on the other topics gives on each topic (five-fold, by topic), for each reader.
"""

import argparse
import json
import math
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from chatbot.articles import load_articles
from chatbot.conversation import Turn, contextualise
from chatbot.encoder import load_encoder
from chatbot.evaluation import _same, read_questions
from chatbot.glossary import load_glossary
from chatbot.index import PassageIndex
from chatbot.questions import load_questions
from chatbot.reader import CALIBRATION, WEIGHTS, WITH_QUESTIONS, CrossEncoder, Curve, question_signals, signals
from chatbot.retrieval import Retriever

ROOT = Path(__file__).resolve().parent.parent
EVEN_WITHOUT = 0.35
"""Without known questions one answer in six that is given is not complete. Where this support is made one half, the
shares of complete answers and of refusals were even on the originals and `tune`; on `tune` and `second` 0.77 and 0.83."""


def units(questions: list[dict[str, Any]]) -> list[tuple[str, str, list[Any], list[Any]]]:
    """(topic, question, sections, facts) of every question and every part of one."""
    found = []
    for question in questions:
        for part in question.get("parts") or [question]:
            found.append((part.get("topic") or question["topic"], part["question"], part["sections"], part["facts"]))
    return found


def rows_of(index: PassageIndex, encoder: Any, reader: CrossEncoder | None, asked: list[Any], limit: int) -> list[Any]:
    """For each question its signals, and which of its hits answer."""
    retriever = Retriever(index, encoder)
    found = []
    for topic, text, sections, facts in asked:
        search = retriever.search(text, limit)
        logits = reader.logits(text, search) if reader else None
        right = np.array(
            [
                any(
                    hit.passage.article == article and _same(heading, hit.passage.heading)
                    for article, heading in sections
                )
                and any(all(re.search(part, hit.text, re.IGNORECASE) for part in fact) for fact in facts)
                for hit in search.hits
            ],
            dtype=bool,
        )
        found.append((topic, bool(sections), signals(search, logits), right, question_signals(search, logits)))
    return found


def fit_sentences(found: list[Any]) -> LogisticRegression:
    """Which sentences answer."""
    values = np.concatenate([values for _, _, values, _, _ in found])
    labels = np.concatenate([right for *_, right, _ in found])
    return LogisticRegression(C=3.0, max_iter=4000).fit(values, labels)


def fit_questions(found: list[Any], known: bool) -> LogisticRegression:
    """Whether the articles answer."""
    values = np.array([values for *_, values in found])
    spread = values.std(axis=0) + 1e-9
    if known:
        spread[:WITH_QUESTIONS], spread[WITH_QUESTIONS:] = 1.0, np.inf
    model = LogisticRegression(C=10.0 if known else 1.0, max_iter=4000)
    model.fit(values / spread, [wanted for _, wanted, *_ in found])
    model.coef_ /= spread
    return model


def cross_validate(found: list[Any], known: bool) -> tuple[float, str]:
    """(threshold, figures) when each topic is judged by curves fitted on the others. At the threshold the shares
    of answerable questions that are answered and of the others that are refused are even."""
    topics = np.array([topic for topic, *_ in found])
    best, right_first = np.zeros(len(found)), np.zeros(len(found), dtype=bool)
    for train, held in GroupKFold(5).split(topics, groups=topics):
        own = [found[i] for i in train]
        sentences, questions = fit_sentences(own), fit_questions(own, known)
        for i in held:
            best[i] = questions.predict_proba(found[i][4][None])[0, 1]
            right_first[i] = found[i][3][int(sentences.predict_proba(found[i][2])[:, 1].argmax())]
    answerable = np.array([wanted for _, wanted, *_ in found])
    reachable = np.array([right.any() for _, _, _, right, _ in found])
    balanced, threshold = max(
        (min(float((best >= t)[answerable].mean()), float((best < t)[~answerable].mean())), float(t))
        for t in np.unique(best)
    )
    return threshold, (
        f"answerability area {roc_auc_score(answerable, best):.3f}, answer among the hits {reachable[answerable].mean():.3f}, "
        f"right sentence first {right_first[answerable].mean():.3f}, answered and refused balanced {balanced:.3f} at {threshold:.2f}"
    )


def fit_followups(index: PassageIndex, encoder: Any, conversations: list[Path], sentences: Curve) -> dict[str, Any]:
    """The question's curve for messages that are searched together with the questions before them, moved so that most
    are answered or refused as they should be; prints its area, five-fold by conversation."""
    retriever, found = Retriever(index, encoder), []
    texts = [
        (index.passages[number].article, index.sentence_text(row)) for row, (number, _) in enumerate(index.sentences)
    ]
    for conversation in [json.loads(line) for path in conversations for line in path.read_text("utf-8").splitlines()]:
        history: list[Turn] = []
        for turn in conversation["turns"]:
            reading = contextualise(turn["text"], history)
            quotes = [(quote["article"], quote["sentence"]) for quote in turn.get("quotes", ())]
            reply = "\n".join(
                next((text for of, text in texts if of == article and start in text), start)
                for article, start in quotes
            )
            history += [Turn("user", turn["text"]), Turn("assistant", reply)]
            if "answerable" not in turn or reading.bearing not in ("leans", "perhaps"):
                continue
            search = retriever.search(reading.alone, 12, reading.before)
            if search.together:
                first = search.hits[int(sentences(signals(search, None)).argmax())]
                places = [*quotes, *((place["article"], place["sentence"]) for place in turn.get("also_right", ()))]
                right = any(first.passage.article == article and start in first.text for article, start in places)
                found.append((conversation["id"], turn["answerable"], right, question_signals(search, None)))
    best, wanted = np.zeros(len(found)), np.array([wanted for _, wanted, *_ in found])
    for train, held in GroupKFold(5).split(found, groups=[name for name, *_ in found]):
        model = fit_questions([found[i] for i in train], True)
        best[held] = model.predict_proba(np.array([found[i][3] for i in held]))[:, 1]
    right = np.array([right for _, _, right, _ in found])
    good, even = max((float(np.where(best >= t, right, ~wanted).mean()), float(t)) for t in np.linspace(0.2, 0.9, 71))
    print(
        f"follow-ups: {len(found)}, answerability area {roc_auc_score(wanted, best):.3f}, right sentence first "
        f"{right[wanted].mean():.3f}, as they should be {good:.3f} at {even:.2f}"
    )
    return written(fit_questions(found, True), even)


def written(model: LogisticRegression, even: float = 0.5) -> dict[str, Any]:
    """A curve for the file, moved so that what was `even` is one half."""
    offset = float(model.intercept_[0]) - math.log(even / (1 - even))
    return {"weights": [round(float(weight), 5) for weight in model.coef_[0]], "offset": round(offset, 5)}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sets", nargs="+", default=["tune", "second", "fourth", "fifth"], help="of questions and of conversations"
    )
    parser.add_argument("--originals", type=Path)
    parser.add_argument("--limit", type=int, default=12)
    args = parser.parse_args()
    asked = units(read_questions([ROOT / "tests" / "questions" / f"{name}.jsonl" for name in args.sets]))
    encoder = load_encoder()
    corpora = {"retold": (ROOT / "corpus", True), "retold, no known questions": (ROOT / "corpus", False)}
    if args.originals:
        corpora["originals"] = (args.originals, False)
    indexes = {}
    for name, (folder, known) in corpora.items():
        articles = load_articles(folder)
        bank = load_questions(folder, articles) if known else ()
        built = PassageIndex.build(articles, load_glossary(folder), bank, encoder)
        with tempfile.TemporaryDirectory() as place:
            built.save(Path(place))
            indexes[name] = PassageIndex.load(Path(place))
    fitted = {}
    for kind in ("none", "default"):
        if kind == "default" and not WEIGHTS.is_file():
            continue
        found = {}
        for name, index in indexes.items():
            reader = CrossEncoder(index) if kind == "default" else None
            found[name] = rows_of(index, encoder, reader, asked, args.limit)
            print(f"{kind:<8} {name:<28} {cross_validate(found[name], corpora[name][1])[1]}", flush=True)
        without = [row for name, rows in found.items() if not corpora[name][1] for row in rows]
        for label, rows in (("with", found["retold"]), ("without", without)):
            # Moved so that a support of one half is where answering begins.
            even = cross_validate(rows, label == "with")[0]
            if label == "without" and kind == "default":
                even = 1 / (1 + (1 / even - 1) * (1 / EVEN_WITHOUT - 1))
            fitted[f"{kind}, {label} questions"] = {
                "question": written(fit_questions(rows, label == "with"), even),
                "sentence": written(fit_sentences(rows)),
            }
    sentences = fitted["none, with questions"]["sentence"]
    curve = Curve(np.array(sentences["weights"]), sentences["offset"])
    talks = [ROOT / "tests" / "conversations" / f"{name}.jsonl" for name in args.sets]
    fitted["followup, with questions"] = {
        "question": fit_followups(indexes["retold"], encoder, [path for path in talks if path.is_file()], curve),
        "sentence": sentences,
    }
    before = json.loads(CALIBRATION.read_text("utf-8")) if CALIBRATION.is_file() else {}
    CALIBRATION.write_text(json.dumps({**before, **fitted}, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
