"""On public data: `python -m benchmarks.public [--data DIR] [--every N]`.

SQuAD 2.0 (half of its development set; Rajpurkar, Jia and Liang 2018): whether the right paragraph comes first, and
how well each system's score tells answerable questions from those written to look so (area under the ROC curve).
CLINC150 (Larson et al. 2019): whether the nearest known query has the right intent, and how well its cosine tells
out-of-scope queries. One question in N is asked of the slow systems' columns and of all others alike. Nothing here
was trained or tuned on either set. Skips with a reason where the data is not at hand.
"""

import argparse
import gzip
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.yardstick import PlainRetrieval
from chatbot.articles import load_articles
from chatbot.encoder import Encoder, load_encoder
from chatbot.glossary import Glossary
from chatbot.index import PassageIndex
from chatbot.lexical import LexicalIndex, terms
from chatbot.reader import CrossEncoder, CrossEncoderReader, RetrievalReader
from chatbot.retrieval import Retriever

ROOT = Path(__file__).resolve().parent.parent


def read(path: Path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def squad(path: Path, encoder: Encoder, every: int) -> None:
    asked = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "corpus"
        folder.mkdir()
        for number, article in enumerate(read(path)["data"]):
            title = article["title"].replace("_", " ")
            parts = [f"---\ntitle: {json.dumps(title)}\n---\n"]
            for section, paragraph in enumerate(article["paragraphs"]):
                parts.append(f"## {title}, part {section}\n\n{' '.join(paragraph['context'].split())}\n")
                heading = f"{title}, part {section}"
                asked += [
                    (qa["question"], f"a{number:02d}", heading, not qa["is_impossible"]) for qa in paragraph["qas"]
                ]
            (folder / f"a{number:02d}.md").write_text("\n".join(parts), "utf-8")
        built = PassageIndex.build(load_articles(folder), Glossary(), (), encoder)
        built.save(Path(place) / "index")
        index = PassageIndex.load(Path(place) / "index", encoder)
    asked = asked[::every]
    plain, retriever = PlainRetrieval(index, encoder), Retriever(index, encoder)
    readers = {"ours, without the reader": RetrievalReader(index), "ours": CrossEncoderReader(index)}
    cross = CrossEncoder(index)
    found: dict[str, list[tuple[bool, float]]] = {}
    for question, article, heading, _ in asked:
        systems = {
            "BM25": index.rows.passage_terms.scores(terms(question)),
            "MiniLM passages": index.rows.passages.cosines(encoder.encode([question])[0]),
            "half and half": plain.scores(question),
        }
        for name, scores in systems.items():
            best = index.passages[int(np.argmax(scores))]
            right = (best.article, best.heading) == (article, heading)
            found.setdefault(name, []).append((right, float(scores.max())))
        search = retriever.search(question)
        for name, reader in readers.items():
            support = reader.support(question, search)
            hit = search.hits[int(np.argmax(support))]
            found.setdefault(name, []).append(
                ((hit.passage.article, hit.passage.heading) == (article, heading), float(support.max()))
            )
        best_logit = float(cross.logits(question, search).max())
        found.setdefault("the reader's logit alone", []).append((found["ours"][-1][0], best_logit))
    answerable = [wanted for *_, wanted in asked]
    print(
        f"SQuAD 2.0, {len(index.passages)} passages, {len(asked)} questions\n  {'':<28}{'first right':>12}{'answerability':>15}"
    )
    for name, outcomes in found.items():
        right = np.mean([right for (right, _), wanted in zip(outcomes, answerable, strict=True) if wanted])
        area = roc_auc_score(answerable, [score for _, score in outcomes])
        print(f"  {name:<28}{right:>12.3f}{area:>15.3f}", flush=True)


def clinc(path: Path, encoder: Encoder, every: int) -> None:
    data = read(path)
    known, asked = data["train"], (data["test"] + data["oos_test"])[::every]
    texts, queries = [text for text, _ in known], [text for text, _ in asked]
    inside = [intent != "oos" for _, intent in asked]
    bm25 = LexicalIndex.build([terms(text) for text in texts])
    systems = {"BM25": np.stack([bm25.scores(terms(query)) for query in queries])}
    for name, encode in (("MiniLM", encoder.encode), ("our question space", encoder.encode_questions)):
        systems[name] = encode(queries) @ encode(texts).T
    print(f"\nCLINC150, {len(known)} known queries, {len(asked)} asked\n  {'':<28}{'right':>12}{'out of scope':>15}")
    for name, scores in systems.items():
        right = [known[int(best)][1] == intent for best, (_, intent) in zip(scores.argmax(1), asked, strict=True)]
        area = roc_auc_score(inside, scores.max(1))
        print(f"  {name:<28}{np.mean(np.array(right)[inside]):>12.3f}{area:>15.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--every", type=int, default=6)
    args = parser.parse_args()
    if not args.data.is_dir():
        sys.exit(f"skipped: {args.data} is not there")
    encoder = load_encoder()
    squad(args.data / "squad2" / "dev-v2.0.json.gz", encoder, args.every)
    clinc(args.data / "clinc150" / "data_full.json.gz", encoder, args.every)


if __name__ == "__main__":
    main()
