"""Train the query adapter: a question near the sentences that answer it.

    PYTHONPATH=.:training python training/train_queries.py      write chatbot/weights/queries.safetensors

Low-rank changes to all-MiniLM-L6-v2 on the question's side only: sentences and passages stay where the plain model puts
them, so that an index needs no other vectors. Fitted by a softmax over all sentences of the article (or of the
library, for its known questions) with each that answers as a target. Seeded. Prints, before and after: on the held-out
articles of `pairs/` how often the nearest sentence answers, and how often all that answer are among the nearest twelve;
and the same for a corpus on which nothing was trained and the answerable questions of `tests/questions/tune.jsonl`,
where --originals names it (a sentence counts where it stands in a section that answers).
"""

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from train_questions import QuestionModel
from train_reader import HERE, TEST, TUNE, Case, article_cases, library_cases, spoil

from chatbot.articles import load_articles
from chatbot.encoder import QUERIES, load_encoder
from chatbot.evaluation import read_questions
from chatbot.glossary import load_glossary
from chatbot.passages import split_sections

ROOT = HERE.parent
Rows = dict[tuple[str, ...], torch.Tensor]


def figures(model: QuestionModel, cases: list[Case], rows: Rows) -> str:
    """How often the nearest sentence answers, and all that do are among the nearest twelve."""
    first, within = [], []
    for case, vector in zip(cases, model.rows([case.question for case in cases]), strict=True):
        order = np.argsort(-(rows[case.sentences].numpy() @ vector), kind="stable")
        first.append(int(order[0]) in case.answers)
        within.append(case.answers <= set(order[:12].tolist()))
    return f"{len(cases)} questions: first {np.mean(first):.3f}, all within twelve {np.mean(within):.3f}"


def original_cases(folder: Path) -> list[Case]:
    """The answerable tuning questions over a corpus; every sentence of their first section stands for an answer."""
    articles = load_articles(folder)
    glossary = load_glossary(folder).explained_in(article.text for article in articles)
    places, sentences = [], []
    for article in articles:
        for passage in split_sections(article):
            for sentence in passage.sentences:
                places.append((article.id, passage.heading.lower()))
                sentences.append(glossary.write_out(passage.sentence_text(sentence)))
    found = []
    for question in read_questions([ROOT / "tests" / "questions" / "tune.jsonl"]):
        if question["kind"] == "answerable":
            wanted = {(article, heading.lower()) for article, heading in question["sections"]}
            answers = frozenset(row for row, place in enumerate(places) if place in wanted)
            asked = glossary.write_out(question["question"])
            found.append(Case("originals", asked, (), tuple(sentences), answers, frozenset()))
    return [case for case in found if case.answers]


def loss_of(model: QuestionModel, cases: list[Case], rows: Rows, temperature: float, chance: random.Random):
    """Cross-entropy of the sentences that answer, each and all together, among all sentences of the batch."""
    texts = list(dict.fromkeys(case.sentences for case in cases))
    starts = dict(zip(texts, np.cumsum([0, *map(len, texts)]).tolist(), strict=False))
    vectors = model.encode([spoil(case.question, chance) for case in cases])
    scores = vectors @ torch.cat([rows[sentences] for sentences in texts]).T / temperature
    right, unsure = torch.zeros((2, *scores.shape), dtype=torch.bool)
    for place, case in enumerate(cases):
        right[place, [starts[case.sentences] + row for row in case.answers]] = True
        unsure[place, [starts[case.sentences] + row for row in case.unsure]] = True
    logs = scores.masked_fill(unsure, -1e4).log_softmax(1)
    together = torch.logsumexp(logs.masked_fill(~right, -1e4), 1)
    return -(together + (logs * right).sum(1) / right.sum(1)).mean() / 2


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=ROOT / "corpus")
    parser.add_argument("--originals", type=Path, help="a corpus to measure on")
    parser.add_argument("--out", type=Path, default=QUERIES)
    parser.add_argument("--start", type=Path, help="adapter to go on from")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--temperature", type=float, default=0.05)
    parser.add_argument("--library", type=float, default=0.5, help="share of batches of known questions")
    parser.add_argument("--each", type=int, default=25, help="wordings of each known question")
    parser.add_argument("--seed", type=int, default=3)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(2)
    chance, encoder = random.Random(args.seed), load_encoder()
    library = [case for case in library_cases(args.corpus, encoder, args.each, args.seed) if case.answers]
    held, groups = [], {}
    for path in sorted((HERE / "pairs").glob("*.jsonl")):
        for case in article_cases(path):
            if case.answers and case.group in TUNE | TEST:
                held.append(case)
            elif case.answers:
                groups.setdefault(case.group, []).append(case)
    measured = {"held-out articles": held}
    if args.originals:
        measured["originals"] = original_cases(args.originals)
    everything = [*library, *(case for part in (*groups.values(), *measured.values()) for case in part)]
    rows = {texts: torch.tensor(encoder.encode(list(texts))) for texts in {case.sentences for case in everything}}
    model = QuestionModel(args.rank, longest=96)
    if args.start:
        model.load(args.start)

    def report(when: str) -> None:
        for name, cases in measured.items():
            print(f"{when}, {name}, {figures(model, cases, rows)}", flush=True)

    report("before")
    optimizer = torch.optim.AdamW(model.parameters, lr=args.rate, weight_decay=0.01)
    began = time.time()
    for step in range(args.steps):
        for group in optimizer.param_groups:
            group["lr"] = args.rate * min(1.0, (step + 1) / 20) * max(0.05, 1 - step / args.steps)
        if chance.random() < args.library:
            batch = chance.sample(library, 48)
        else:
            names = chance.sample(sorted(groups), 4)
            batch = [case for name in names for case in chance.sample(groups[name], min(12, len(groups[name])))]
        model.model.train()
        loss = loss_of(model, batch, rows, args.temperature, chance)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters, 1.0)
        optimizer.step()
        if step % 50 == 49:
            print(f"step {step + 1}/{args.steps} loss {loss.item():.3f} {time.time() - began:.0f} s", flush=True)
    model.save(args.out)
    report("after")


if __name__ == "__main__":
    main()
