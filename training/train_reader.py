"""Train the reader: does this sentence, read in its section, answer this question?

    python training/train_reader.py                     train, print the figures, write chatbot/weights/
    python training/train_reader.py --epochs 1 --limit 500    a quick look

Reads `training/pairs/*.jsonl`, with --library the known questions of a corpus, and SQuAD 2.0's development set where
it is given with --squad. Seeded; the same machine and versions give the same weights. Whole articles are held out for
tuning and for testing.
"""

import argparse
import gzip
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from chatbot.articles import load_articles
from chatbot.encoder import Encoder, load_encoder
from chatbot.glossary import load_glossary
from chatbot.graph import PACKAGED_MODEL, model_folder
from chatbot.index import PassageIndex
from chatbot.passages import split_sentences
from chatbot.questions import load_questions
from chatbot.reader import LONGEST, contexts, reader_input

HERE = Path(__file__).resolve().parent
TUNE = frozenset({"E1-05", "E3-05", "E5-02", "E6-02"})
TEST = frozenset({"E2-05", "E4-02", "E5-04", "E6-05"})
PARAPHRASE = 0.7
"""Sentences with this cosine may say the same."""
NEAR_QUESTION = 0.7
"""Known questions with this cosine may want the same answer."""
MOST_ANSWERS = 3
"""So many sentences that answer one question are read in an epoch."""


@dataclass(frozen=True)
class Case:
    """One question with the sentences of its article, and which of them answer it."""

    group: str
    question: str
    contexts: tuple[str, ...]
    """What the reader reads for each sentence."""
    sentences: tuple[str, ...]
    answers: frozenset[int]
    near: frozenset[int]
    unsure: frozenset[int] = frozenset()
    """Sentences that may answer too: nobody has said that they don't."""


def article_cases(path: Path) -> Iterator[Case]:
    """The cases of a file of labelled articles."""
    for line in path.read_text(encoding="utf-8").splitlines():
        article = json.loads(line)
        places, contexts, sentences = {}, [], []
        for number, section in enumerate(article["sections"]):
            before = ""
            for position, sentence in enumerate(section["sentences"]):
                places[number, position] = len(contexts)
                contexts.append(reader_input(section["heading"], before, sentence))
                sentences.append(sentence)
                before = sentence
        for question in article["questions"]:
            near = question.get("near")
            yield Case(
                article["id"],
                question["q"],
                tuple(contexts),
                tuple(sentences),
                frozenset(places[tuple(place)] for place in question["answers"]),
                frozenset({places[tuple(near)]} if near else ()),
            )


def squad_cases(path: Path) -> Iterator[Case]:
    """SQuAD 2.0 paragraphs: the sentence that holds the answer answers; none does for an impossible question."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        data = json.load(file)["data"]
    for article in data:
        heading = article["title"].replace("_", " ")
        for paragraph in article["paragraphs"]:
            text = paragraph["context"]
            spans = split_sentences(text)
            sentences = [text[start:end] for start, end in spans]
            contexts = [
                reader_input(heading, sentences[i - 1] if i else "", sentence) for i, sentence in enumerate(sentences)
            ]
            for question in paragraph["qas"]:
                starts = {answer["answer_start"] for answer in question["answers"]}
                answers = {i for i, (start, end) in enumerate(spans) if any(start <= at < end for at in starts)}
                near = {
                    i
                    for answer in question.get("plausible_answers", ())
                    for i, (start, end) in enumerate(spans)
                    if start <= answer["answer_start"] < end
                }
                yield Case(
                    "squad/" + article["title"],
                    question["question"],
                    tuple(contexts),
                    tuple(sentences),
                    frozenset(answers),
                    frozenset(near - answers),
                )


def library_cases(folder: Path, encoder: Encoder, each: int, seed: int) -> list[Case]:
    """Known questions of a corpus, at most `each` of an entry or topic. A sentence that no place names answers them
    all the same where it says nearly what one that is named says, or answers another question near this one."""
    articles = load_articles(folder)
    index = PassageIndex.build(articles, load_glossary(folder), load_questions(folder, articles), encoder)
    read = tuple(contexts(index))
    texts = tuple(index.sentence_text(row) for row in range(len(index.sentences)))
    sentences, questions = index.rows.sentences.rows(), index.rows.questions.rows()
    alike = sentences @ sentences.T > PARAPHRASE
    groups: dict[object, list[int]] = {}
    for number, question in enumerate(index.questions):
        groups.setdefault(question.places or question.topic, []).append(number)
    chance = random.Random(seed)
    found = []
    for members in groups.values():
        for number in sorted(chance.sample(members, min(each, len(members)))):
            answers = frozenset(index.question_rows[number])
            unsure = {int(other) for row in answers for other in np.flatnonzero(alike[row])}
            for other in np.flatnonzero(questions @ questions[number] > NEAR_QUESTION) if answers else ():
                unsure |= set(index.question_rows[other])
            asked = index.glossary.write_out(index.questions[number].text)
            found.append(Case("library", asked, read, texts, answers, frozenset(), frozenset(unsure) - answers))
    return found


def cosines(encoder: Encoder, cases: list[Case]) -> list[np.ndarray]:
    """For each case the cosine of its question with each of its sentences."""
    texts = sorted({text for case in cases for text in (case.question, *case.sentences)})
    rows = dict(zip(texts, encoder.encode(texts), strict=True))
    stacked = {case.sentences: np.stack([rows[s] for s in case.sentences]) for case in cases}
    found = [stacked[case.sentences] @ rows[case.question] for case in cases]
    for case, cosine in zip(cases, found, strict=True):
        cosine[sorted(case.unsure)] = -1.0
    return found


def spoil(question: str, chance: random.Random) -> str:
    """One slip of the keyboard in a longer word, in one question of eight."""
    words = question.split()
    places = [i for i, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    if not places or chance.random() > 0.125:
        return question
    place = chance.choice(places)
    word = words[place]
    at = chance.randrange(1, len(word) - 1)
    words[place] = chance.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )
    return " ".join(words)


def read(model: torch.nn.Module, tokenizer, questions: list[str], contexts: list[str]) -> torch.Tensor:
    """The logit of each question with its context, shape (len(questions),)."""
    inputs = tokenizer(
        questions, contexts, truncation="only_second", max_length=LONGEST, padding=True, return_tensors="pt"
    )
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return model(**inputs).logits.squeeze(-1).float()


@torch.no_grad()
def mine(model: torch.nn.Module, tokenizer, cases: list[Case], scores: list[np.ndarray], top: int) -> list[np.ndarray]:
    """For each case the order in which its sentences tempt: the `top` by cosine, most believed by the model first.

    Shape of each: (number of sentences,), higher is more tempting, in place of the cosine.
    """
    model.eval()
    asked = [(n, int(i)) for n, cosine in enumerate(scores) for i in np.argsort(-cosine, kind="stable")[:top]]
    asked.sort(key=lambda place: len(cases[place[0]].question) + len(cases[place[0]].contexts[place[1]]))
    tempting = [cosine - 2.0 for cosine in scores]
    for start in range(0, len(asked), 128):
        block = asked[start : start + 128]
        logits = read(model, tokenizer, [cases[n].question for n, _ in block], [cases[n].contexts[i] for n, i in block])
        for (n, i), value in zip(block, torch.sigmoid(logits).tolist(), strict=True):
            tempting[n][i] = value
    return tempting


def pairs(cases: list[Case], scores: list[np.ndarray], seed: int, foreign: float = 0.4) -> list[tuple[str, str, float]]:
    """(question, context, label) for one epoch: every answer, the sentences most easily taken for one,
    and a sentence of another article."""
    chance = random.Random(seed)
    made = []
    for case, cosine in zip(cases, scores, strict=True):
        question = spoil(case.question, chance)
        if chance.random() < 0.2:
            question = question.rstrip("?").lower()
        answers = sorted(case.answers)
        made.extend((question, case.contexts[i], 1.0) for i in chance.sample(answers, min(MOST_ANSWERS, len(answers))))
        ranked = [int(i) for i in np.argsort(-cosine, kind="stable") if i not in case.answers | case.unsure]
        hard = [*sorted(case.near), *(i for i in ranked[:8] if i not in case.near)]
        keep = hard[:1]
        rest = hard[1:]
        keep += chance.sample(rest, min(1 if case.answers else 2, len(rest)))
        made.extend((question, case.contexts[i], 0.0) for i in keep)
        if chance.random() < foreign:
            other = chance.choice(cases)
            if other.group != case.group:
                made.append((question, chance.choice(other.contexts), 0.0))
    chance.shuffle(made)
    return made


def batches(made: list[tuple[str, str, float]], size: int, seed: int) -> list[list[tuple[str, str, float]]]:
    """Pairs of like length together, in a shuffled order of batches: little padding."""
    chance = random.Random(seed)
    found = []
    for start in range(0, len(made), size * 50):
        block = sorted(made[start : start + size * 50], key=lambda pair: len(pair[0]) + len(pair[1]))
        found.extend(block[i : i + size] for i in range(0, len(block), size))
    chance.shuffle(found)
    return found


def evaluate(model: torch.nn.Module, tokenizer, cases: list[Case], scores: list[np.ndarray], top: int = 10) -> dict:
    """Figures over whole articles: the `top` sentences by cosine are read, as in the product."""
    model.eval()
    best, answerable, right = [], [], []
    for case, cosine in zip(cases, scores, strict=True):
        chosen = np.argsort(-cosine, kind="stable")[:top]
        support = probabilities(model, tokenizer, case.question, [case.contexts[i] for i in chosen])
        best.append(float(support.max()))
        answerable.append(bool(case.answers))
        right.append(int(chosen[int(support.argmax())]) in case.answers)
    best, answerable, right = np.array(best), np.array(answerable), np.array(right)
    cosine_best = np.array([float(cosine.max()) for cosine in scores])
    thresholds = np.quantile(best, np.linspace(0, 1, 201))
    balanced = max(
        min(float((right & (best >= t))[answerable].mean()), float((best < t)[~answerable].mean())) for t in thresholds
    )
    return {
        "questions": len(cases),
        "answerability_auc": round(float(roc_auc_score(answerable, best)), 4),
        "answerability_auc_cosine": round(float(roc_auc_score(answerable, cosine_best)), 4),
        "right_sentence_first": round(float(right[answerable].mean()), 4),
        "right_and_refused_balanced": round(balanced, 4),
    }


@torch.no_grad()
def probabilities(model: torch.nn.Module, tokenizer, question: str, contexts: list[str]) -> np.ndarray:
    """Support of each context, shape (len(contexts),)."""
    return torch.sigmoid(read(model, tokenizer, [question] * len(contexts), contexts)).numpy()


def train(args: argparse.Namespace) -> None:
    """Train, report, save."""
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    encoder = load_encoder()
    torch.set_num_threads(args.threads)
    own = [case for path in sorted(args.pairs.glob("*.jsonl")) for case in article_cases(path)]
    fit = [case for case in own if case.group not in TUNE | TEST]
    fit = random.Random(args.seed).sample(fit, min(args.limit or len(fit), len(fit)))
    held = {"tune": [c for c in own if c.group in TUNE], "test": [c for c in own if c.group in TEST]}
    extra = list(squad_cases(args.squad)) if args.squad else []
    random.Random(args.seed).shuffle(extra)
    extra = extra[: args.squad_questions]
    extra += library_cases(args.library, encoder, args.each, args.seed) if args.library else []
    print(
        f"{len(fit)} questions to fit, {len(extra)} besides, {len(held['tune'])} to tune, {len(held['test'])} to test",
        flush=True,
    )
    fit_scores, extra_scores = cosines(encoder, fit), cosines(encoder, extra)
    held_scores = {name: cosines(encoder, cases) for name, cases in held.items()}
    base = args.start or model_folder(PACKAGED_MODEL)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1)
    # The word vectors stay as they are: two thirds of the weights, hardly moved by a few thousand questions.
    model.base_model.embeddings.word_embeddings.weight.requires_grad_(False)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=args.rate, weight_decay=0.01)
    steps = args.epochs * len(batches(pairs(fit, fit_scores, 0) + pairs(extra, extra_scores, 0), args.batch, 0))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / (0.06 * steps), max(0.02, 1 - s / steps))
    )
    loss_of = torch.nn.BCEWithLogitsLoss()
    began, done = time.time(), 0
    if args.mine:
        fit_scores = mine(model, tokenizer, fit, fit_scores, args.mine)
        print(f"mined {time.time() - began:.0f} s", flush=True)
    for epoch in range(args.epochs):
        made = pairs(fit, fit_scores, args.seed + epoch) + pairs(extra, extra_scores, args.seed + epoch)
        random.Random(epoch).shuffle(made)
        model.train()
        for batch in batches(made, args.batch, args.seed + epoch):
            questions, contexts, labels = zip(*batch, strict=True)
            loss = loss_of(read(model, tokenizer, list(questions), list(contexts)), torch.tensor(labels))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            done += 1
            if done % 100 == 0:
                print(
                    f"epoch {epoch} step {done}/{steps} loss {loss.item():.3f} {time.time() - began:.0f} s", flush=True
                )
        model.save_pretrained(args.out)
        tokenizer.save_pretrained(args.out)
        print(f"epoch {epoch} tune", evaluate(model, tokenizer, held["tune"], held_scores["tune"]), flush=True)
    print("test", evaluate(model, tokenizer, held["test"], held_scores["test"]), flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, default=HERE / "pairs")
    parser.add_argument("--squad", type=Path, help="SQuAD 2.0's dev-v2.0.json.gz")
    parser.add_argument("--squad-questions", type=int, default=3000)
    parser.add_argument("--library", type=Path, help="a corpus whose known questions are read besides")
    parser.add_argument("--each", type=int, default=13, help="wordings of each of its entries and topics")
    parser.add_argument("--start", type=Path, help="folder of a transformers model to start from instead of MiniLM")
    parser.add_argument(
        "--mine", type=int, default=0, help="take wrong sentences from this many by cosine, as the start model errs"
    )
    parser.add_argument("--out", type=Path, default=HERE / "out")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int, default=None)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
