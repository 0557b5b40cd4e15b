"""How right: `python -m benchmarks.quality [--test]`.

The fifty questions and the tuning half, on the retold articles, on these without the known questions, and on the
articles as published where they are at hand; plain retrieval in the same run is the yardstick. `--test` adds
the untouched half: run it to report, never to choose. Area: under the ROC curve, how well support tells questions that
the articles answer from others on the subject. For the stages on SQuAD 2.0 see `benchmarks.public`.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.yardstick import PlainRetrieval
from chatbot import evaluation
from chatbot.articles import load_articles
from chatbot.assistant import Assistant
from chatbot.encoder import load_encoder
from chatbot.glossary import load_glossary
from chatbot.index import PassageIndex
from chatbot.questions import load_questions
from chatbot.reader import CrossEncoderReader, RetrievalReader

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ROOT / "tests" / "questions"
TOLD = ("answerable", "sources_differ", "unanswerable")
KINDS = ("answerable", "sources_differ", "multi_part", "unanswerable", "off_topic")


def figures(name: str, answerer, questions: list[dict]) -> None:
    outcomes, milliseconds = evaluation.evaluate(answerer, questions)
    rows = evaluation.table(outcomes)
    shares = "".join(f"{rows[kind]['right']:>11.1%}" if kind in rows else f"{'':>11}" for kind in KINDS)
    cited = np.mean([outcome.cited for outcome in outcomes if outcome.kind == "answerable"])
    told = [(outcome.kind != "unanswerable", outcome.support) for outcome in outcomes if outcome.kind in TOLD]
    both = len({answerable for answerable, _ in told}) == 2
    area = f"{roc_auc_score(*zip(*told, strict=True)):>8.3f}" if both else f"{'':>8}"
    speed = f"{np.median(milliseconds):>9.0f}{np.quantile(milliseconds, 0.99):>6.0f}"
    print(f"  {name:<32}{cited:>11.1%}{shares}{area}{speed}", flush=True)


def threshold(plain: PlainRetrieval, questions: list[dict]) -> float:
    best = [
        (float(plain.scores(q["question"]).max()), q["kind"] == "answerable")
        for q in questions
        if q["kind"] in ("answerable", "unanswerable")
    ]
    return max(
        (min(np.mean([s >= t for s, a in best if a]), np.mean([s < t for s, a in best if not a])), t) for t, _ in best
    )[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--originals", type=Path, default=ROOT.parent / "shared" / "articles")
    args = parser.parse_args()
    encoder = load_encoder()
    corpora = {"retold": (ROOT / "corpus", True), "retold, no known questions": (ROOT / "corpus", False)}
    if args.originals.is_dir():
        corpora["originals"] = (args.originals, False)
    sets = {
        name: evaluation.read_questions([QUESTIONS / f"{name}.jsonl"])
        for name in ("fifty", "tune", *(["test"] if args.test else []))
    }
    print("share right: answered completely with a right citation, or refused where the articles don't answer")
    for corpus, (folder, known) in corpora.items():
        articles = load_articles(folder)
        index = PassageIndex.build(
            articles, load_glossary(folder), load_questions(folder, articles) if known else (), encoder
        )
        with tempfile.TemporaryDirectory() as place:
            index.save(Path(place))
            index = PassageIndex.load(Path(place), encoder)
        plain = PlainRetrieval(index, encoder)
        plain.threshold = threshold(plain, sets["tune"])
        for name, questions in sets.items():
            print(
                f"\n{corpus}, {name}: {len(questions)} questions\n  {'':<32}{'section':>11}"
                f"{''.join(f'{kind[:10]:>11}' for kind in KINDS)}{'area':>8}{'ms, half':>9}{'99%':>6}"
            )
            figures("plain retrieval, two passages", plain, questions)
            figures("without the reader", Assistant(index, encoder, RetrievalReader(index), ()), questions)
            figures("with the reader", Assistant(index, encoder, CrossEncoderReader(index), ()), questions)


if __name__ == "__main__":
    main()
