"""Train the encoder's adapter: questions that want the same answer near each other, near misses apart.

    PYTHONPATH=.:training python training/train_questions.py      write chatbot/weights/questions.safetensors

Low-rank changes (Hu et al. 2021) to the linear layers of all-MiniLM-L6-v2, fitted by supervised contrastive
learning (Khosla et al. 2020). Classes are the sets of sentences that answer a known question of `corpus/`, the
topics of those that nothing answers, and the answers of the labelled articles in `pairs/`; a batch holds classes
that lie close together. Seeded. Prints, before and after, on questions that were not trained on: how well the
nearest answered known question against the nearest unanswered one tells the answerable questions of
`tests/questions/tune.jsonl`, and in the held-out articles how often the nearest question wants the same answer.
"""

import argparse
import hashlib
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn import functional
from train_reader import HERE, TEST, TUNE, article_cases
from transformers import AutoModel, AutoTokenizer

from chatbot.articles import load_articles
from chatbot.encoder import ADAPTER
from chatbot.evaluation import read_questions
from chatbot.glossary import load_glossary
from chatbot.graph import PACKAGED_MODEL, model_folder
from chatbot.passages import split_sections
from chatbot.questions import load_questions, resolve

ROOT = HERE.parent
SAME = 0.6
"""Two sets of sentences that share this much of their union are one answer; with any less in common, neither."""


class Adapted(nn.Module):
    """A linear layer with a low-rank change beside it."""

    def __init__(self, layer: nn.Linear, rank: int) -> None:
        super().__init__()
        self.layer = layer
        self.down = nn.Parameter(torch.randn(rank, layer.in_features) * 0.02)
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.layer(values) + functional.linear(functional.linear(values, self.down), self.up)


class QuestionModel:
    """MiniLM, or the encoder in another folder, with adapters in its layers from number `lowest` on."""

    def __init__(self, rank: int, longest: int = 64, folder: Path | None = None, lowest: int = 0) -> None:
        self.longest = longest
        folder = folder or model_folder(PACKAGED_MODEL)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder)
        self.model.requires_grad_(False)
        self.adapted: dict[str, Adapted] = {}
        for name, layer in list(self.model.named_modules()):
            number = name.removeprefix("encoder.layer.").partition(".")[0]
            if isinstance(layer, nn.Linear) and number.isdigit() and int(number) >= lowest:
                parent = self.model.get_submodule(name.rpartition(".")[0])
                self.adapted[name] = Adapted(layer, rank)
                setattr(parent, name.rpartition(".")[2], self.adapted[name])
        self.parameters = [p for layer in self.adapted.values() for p in (layer.down, layer.up)]

    def encode(self, texts: list[str]) -> torch.Tensor:
        """Unit rows, shape (len(texts), dim)."""
        inputs = self.tokenizer(texts, padding=True, truncation=True, max_length=self.longest, return_tensors="pt")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = self.model(**inputs).last_hidden_state
        weight = inputs["attention_mask"][:, :, None].float()
        return functional.normalize((hidden.float() * weight).sum(1) / weight.sum(1), dim=1)

    @torch.no_grad()
    def rows(self, texts: list[str]) -> np.ndarray:
        """The same without gradients, for many texts."""
        self.model.eval()
        rows = np.zeros((len(texts), self.model.config.hidden_size), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), 256):
            batch = order[start : start + 256]
            rows[batch] = self.encode([texts[i] for i in batch]).numpy()
        return rows

    def tensors(self) -> dict[str, torch.Tensor]:
        """The changes alone, in half precision."""
        found = {}
        for name, layer in self.adapted.items():
            found[f"{name}.weight.down"] = layer.down.data.half().contiguous()
            found[f"{name}.weight.up"] = layer.up.data.half().contiguous()
        return found

    def load(self, path: Path) -> None:
        """Put an adapter's changes, of this model's rank or less, into the model as it was made."""
        changes = load_file(path)
        for name, layer in self.adapted.items():
            down, up = changes[f"{name}.weight.down"].float(), changes[f"{name}.weight.up"].float()
            # An adapter of less rank leaves the rest as it is: without effect yet.
            layer.down.data[: len(down)] = down
            layer.up.data[:, : len(down)] = up

    @classmethod
    def of(cls, path: Path, longest: int = 64) -> "QuestionModel":
        """The model with an adapter, whatever its rank."""
        changes = load_file(path)
        model = cls(max(len(tensor) for name, tensor in changes.items() if name.endswith(".down")), longest)
        model.load(path)
        return model

    def save(self, path: Path) -> None:
        """The changes, with their digest."""
        save_file(self.tensors(), path)
        path.with_suffix(".sha256").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")


class Pool:
    """Questions of one library, their classes, and which classes lie close together."""

    def __init__(self, texts: list[str], answers: list[object]) -> None:
        self.texts = texts
        self.keys = keys = list(dict.fromkeys(answers))
        number = {key: place for place, key in enumerate(keys)}
        self.labels = np.array([number[answer] for answer in answers])
        self.members = [np.where(self.labels == place)[0] for place in range(len(keys))]
        self.relation = np.eye(len(keys), dtype=np.int8)  # 1 the same, 0 another, 2 neither
        for i, one in enumerate(keys):
            for j, other in enumerate(keys):
                if i != j and isinstance(one, frozenset) and isinstance(other, frozenset) and one & other:
                    self.relation[i, j] = 1 if len(one & other) >= SAME * len(one | other) else 2

    def settle(self, rows: np.ndarray) -> None:
        """Find the nearest other classes of each class."""
        centres = np.stack([rows[members].mean(0) for members in self.members])
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
        cosines = centres @ centres.T
        cosines[self.relation > 0] = -9
        self.near = np.argsort(-cosines, axis=1)[:, :12]

    def batch(self, chance: np.random.Generator, classes: int = 24, each: int = 5) -> np.ndarray:
        """Numbers of questions: a few of each of some classes, each with two of its neighbours."""
        chosen: dict[int, None] = {}
        while len(chosen) < min(classes, len(self.members)):
            start = int(chance.integers(len(self.members)))
            for place in (start, *chance.choice(self.near[start], min(2, self.near.shape[1]), replace=False)):
                chosen[int(place)] = None
        return np.concatenate(
            [
                chance.choice(self.members[place], min(each, len(self.members[place])), replace=False)
                for place in list(chosen)[:classes]
            ]
        )


def library_pool(folder: Path) -> Pool:
    """The known questions of a corpus."""
    articles = load_articles(folder)
    passages = [passage for article in articles for passage in split_sections(article)]
    glossary = load_glossary(folder).explained_in(article.text for article in articles)
    known = load_questions(folder, articles)
    where = {places: frozenset(resolve(places, passages)) for places in {question.places for question in known}}
    return Pool(
        [glossary.write_out(question.text) for question in known],
        [where[question.places] if question.places else question.topic for question in known],
    )


def article_pools(held: bool) -> list[Pool]:
    """The questions of each labelled article: answered ones by their answer, each other one by itself."""
    by_article: dict[str, list[tuple[str, object]]] = {}
    for path in sorted((HERE / "pairs").glob("*.jsonl")):
        for number, case in enumerate(article_cases(path)):
            if (case.group in TUNE | TEST) == held:
                answer = case.answers or f"{case.group} {number}"
                by_article.setdefault(case.group, []).append((case.question, answer))
    return [Pool([text for text, _ in found], [answer for _, answer in found]) for found in by_article.values()]


def figures(model: QuestionModel, library: Pool, held: list[Pool], glossary, tune: list[tuple[str, bool]]) -> str:
    """What the docstring promises."""
    rows = model.rows(library.texts)
    asked = model.rows([glossary.write_out(text) for text, _ in tune])
    cosines = asked @ rows.T
    answered = np.array([isinstance(library.keys[label], frozenset) for label in library.labels])
    margin = cosines[:, answered].max(1) - cosines[:, ~answered].max(1)
    area = roc_auc_score([wanted for _, wanted in tune], margin)
    right = []
    for pool in held:
        own = model.rows(pool.texts)
        cosine = own @ own.T
        np.fill_diagonal(cosine, -9)
        shared = np.array([len(pool.members[label]) > 1 for label in pool.labels])
        right += (pool.labels[cosine.argmax(1)] == pool.labels)[shared].tolist()
    return f"answerability area {area:.4f} on tune, nearest question wants the same {np.mean(right):.4f} on held-out articles"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=ROOT / "corpus")
    parser.add_argument("--out", type=Path, default=ADAPTER)
    parser.add_argument("--start", type=Path, help="adapter to go on from")
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--temperature", type=float, default=0.07)
    parser.add_argument("--articles", type=float, default=0.3, help="share of batches from the labelled articles")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    chance = np.random.default_rng(args.seed)
    model = QuestionModel(args.rank)
    if args.start:
        model.load(args.start)
    library, articles, held = library_pool(args.corpus), article_pools(held=False), article_pools(held=True)
    glossary = load_glossary(args.corpus).explained_in(article.text for article in load_articles(args.corpus))
    asked = read_questions([ROOT / "tests" / "questions" / "tune.jsonl"])
    parts = [part for question in asked for part in question.get("parts") or [question]]
    tune = [(part["question"], bool(part["sections"])) for part in parts]
    print(f"{len(library.texts)} known questions, {sum(len(p.texts) for p in articles)} of articles", flush=True)
    print("before:", figures(model, library, held, glossary, tune), flush=True)
    for pool in (library, *articles):
        pool.settle(model.rows(pool.texts))
    optimizer = torch.optim.AdamW(model.parameters, lr=args.rate, weight_decay=0.01)
    began = time.time()
    for step in range(args.steps):
        for group in optimizer.param_groups:
            group["lr"] = args.rate * min(1.0, (step + 1) / 20) * max(0.05, 1 - step / args.steps)
        pool = articles[int(chance.integers(len(articles)))] if chance.random() < args.articles else library
        numbers = pool.batch(chance)
        model.model.train()
        rows = model.encode([pool.texts[i] for i in numbers])
        labels = pool.labels[numbers]
        relation = torch.tensor(pool.relation[labels][:, labels])
        itself = torch.eye(len(numbers), dtype=torch.bool)
        cosines = (rows @ rows.T / args.temperature).masked_fill(itself | (relation == 2), -1e4)
        logs = cosines - torch.logsumexp(cosines, 1, keepdim=True)
        same = (relation == 1) & ~itself
        some = same.any(1)
        loss = -((logs * same).sum(1)[some] / same.sum(1)[some]).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters, 1.0)
        optimizer.step()
        if (step + 1) % 40 == 0:
            print(f"step {step + 1}/{args.steps} loss {loss.item():.3f} {time.time() - began:.0f} s", flush=True)
        if step + 1 == args.steps // 2:
            library.settle(model.rows(library.texts))
    model.save(args.out)
    print(
        "after:", figures(model, library, held, glossary, tune), f"{args.out.stat().st_size / 1e6:.1f} MB", flush=True
    )


if __name__ == "__main__":
    main()
