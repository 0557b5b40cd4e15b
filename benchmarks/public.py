"""On public data: `python -m benchmarks.public [--data DIR] [--every N]`.

SQuAD 2.0 (half of its development set; Rajpurkar, Jia and Liang 2018): whether the right paragraph comes first, and
how well each system's score tells answerable questions from those written to look so (area under the ROC curve).
CLINC150 (Larson et al. 2019): whether the nearest known query has the right intent, and how well its cosine tells
out-of-scope queries. MTRAG-UN (IBM): the passages of a conversation's last turn (nDCG at 5), by the turn alone, with
the whole history poured in, and as the engine reads it after the turns before; and how well its support tells turns
that the passages answer. One question in N is asked of the slow systems' columns and of all others alike. Nothing here
was trained or tuned on either set. Skips with a reason where the data is not at hand.
"""

import argparse
import gzip
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.yardstick import BM25_HALF, PlainRetrieval
from chatbot.articles import Article, Section, load_articles
from chatbot.conversation import Turn, contextualise
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
    systems["half and half"] = 0.5 * systems["MiniLM"] + 0.5 * systems["BM25"] / (systems["BM25"] + BM25_HALF)
    print(f"\nCLINC150, {len(known)} known queries, {len(asked)} asked\n  {'':<28}{'right':>12}{'out of scope':>15}")
    for name, scores in systems.items():
        right = [known[int(best)][1] == intent for best, (_, intent) in zip(scores.argmax(1), asked, strict=True)]
        area = roc_auc_score(inside, scores.max(1))
        print(f"  {name:<28}{np.mean(np.array(right)[inside]):>12.3f}{area:>15.3f}", flush=True)


def mtrag(path: Path, encoder: Encoder, every: int) -> None:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        tasks = [json.loads(line) for line in file]
    texts = sorted({" ".join(part["text"].split()) for task in tasks for part in task["contexts"]})
    number = {text: place for place, text in enumerate(texts)}
    starts = np.cumsum([0, *(len(text) + 1 for text in texts)]).tolist()
    sections = tuple(Section((f"Passage {place}",), starts[place], text) for text, place in number.items())
    article = Article("passages", "Passages", None, None, None, "original", "\n".join(texts), sections)
    index = PassageIndex.build([article], Glossary(), (), encoder)
    plain, retriever, reader = PlainRetrieval(index, encoder), Retriever(index, encoder), CrossEncoderReader(index)
    section_of = np.array([passage.section for passage in index.passages])
    found: dict[str, list[float]] = {}
    kinds, supports, answerable = [], [], []
    for task in [task for task in tasks if task["turn"] != "1"][::every]:
        history = [Turn("user" if t["speaker"] == "user" else "assistant", t["text"]) for t in task["input"]]
        message = history.pop().content
        wanted = {number[" ".join(part["text"].split())] for part in task["contexts"]}
        reading = contextualise(message, history)
        before = reading.before if reading.bearing in ("leans", "perhaps") else ()
        if not wanted or not history:
            continue
        poured = " ".join(turn.content for turn in history if turn.role == "user") + " " + message
        orders = {}
        for name, text in (("half and half, last turn", message), ("half and half, all turns", poured)):
            orders[name] = section_of[np.argsort(-plain.scores(text), kind="stable")].tolist()
        for name, turns in (
            ("ours, last turn", ()),
            ("ours, in place", before),
            ("ours, always in place", reading.before),
        ):
            search = retriever.search(message, 60, turns)
            orders[name] = [hit.passage.section for hit in search.hits]
            if name == "ours, in place":
                first = replace(search, hits=search.hits[:12])
                supports.append(float(reader.support(search.read_as, first).max()))
        kinds.append(task["Multi-Turn"][0])
        answerable.append(task["answerability"][0] in ("ANSWERABLE", "PARTIAL"))
        for name, order in orders.items():
            ranked = list(dict.fromkeys(order))[:5]
            gain = sum(1 / np.log2(place + 2) for place, section in enumerate(ranked) if section in wanted)
            found.setdefault(name, []).append(
                gain / sum(1 / np.log2(place + 2) for place in range(min(5, len(wanted))))
            )
    names = sorted(set(kinds))
    print(f"\nMTRAG-UN, {len(texts)} passages, {len(kinds)} turns after the first, nDCG at 5")
    print(f"  {'':<28}{'all':>12}" + "".join(f"{name:>15}" for name in names))
    for name, gains in found.items():
        by_kind = [np.mean([g for g, kind in zip(gains, kinds, strict=True) if kind == one]) for one in names]
        print(f"  {name:<28}{np.mean(gains):>12.3f}" + "".join(f"{value:>15.3f}" for value in by_kind), flush=True)
    print(f"  answerability by our support: area {roc_auc_score(answerable, supports):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--every", type=int, default=6)
    args = parser.parse_args()
    if not args.data.is_dir():
        sys.exit(f"skipped: {args.data} is not there")
    encoder = load_encoder()
    clinc(args.data / "clinc150" / "data_full.json.gz", encoder, args.every)
    squad(args.data / "squad2" / "dev-v2.0.json.gz", encoder, args.every)
    mtrag(args.data / "mtrag-un" / "reference.jsonl.gz", encoder, max(1, args.every // 3))


if __name__ == "__main__":
    main()
