"""The index: passages, known questions, their vectors and their terms.

On the disk (see `storage.py` for the folder around it):

    library.json          articles, passages, glossary and known questions
    passages.faiss sentences.faiss questions.faiss    one row for each
    passage_terms/ sentence_terms/                    BM25
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.articles import Article, Section, load_articles
from chatbot.dense import DenseIndex
from chatbot.encoder import Encoder
from chatbot.errors import IndexStaleError, IndexUnusableError
from chatbot.glossary import Glossary, load_glossary
from chatbot.graph import Vectors, file_sha256
from chatbot.lexical import LexicalIndex, terms
from chatbot.passages import Passage, Sentence, split_sections
from chatbot.questions import KnownQuestion, Place, load_questions, resolve
from chatbot.storage import REBUILD, check_files, current, publish, write_json

FORMAT = 4
Progress = Callable[[Iterable[Article]], Iterable[Article]]
BLOCK = 256
"""Known questions embedded together, on average; a block of them that is unchanged is not embedded again."""
LONGEST_BLOCK = 4 * BLOCK


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did, for its closing summary."""

    articles: int
    sections: int
    passages: int
    sentences: int
    questions: int
    reused: int
    """Articles whose vectors were taken over from the index before."""
    dropped: dict[str, tuple[str, ...]]
    """Lines left out as boilerplate, by article."""
    digest: str


@dataclass(frozen=True, slots=True)
class Rows:
    """The searchable side of an index: FAISS rows and BM25 terms, in the order of passages, sentences, questions."""

    passages: DenseIndex
    sentences: DenseIndex
    questions: DenseIndex
    passage_terms: LexicalIndex
    sentence_terms: LexicalIndex


def corpus_digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of the files that a build reads."""
    digest = hashlib.sha256()
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.suffix.lower() in {".md", ".html", ".htm", ".txt", ".pdf", ".yaml"}:
                if path.name not in {"README.md", "helplines.yaml"}:
                    digest.update(f"{path.name}\0{file_sha256(path)}\n".encode())
    return digest.hexdigest()


def passage_context(passage: Passage) -> str:
    """A passage as it is searched: under its headings."""
    return ". ".join((*passage.trail, passage.text))


def blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts in order, cut where a text's own digest says so: one more or less changes its own block and no other,
    where cuts by number would move through all blocks behind it."""
    block: list[str] = []
    for text in texts:
        block.append(text)
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
        if number % BLOCK == 0 or len(block) == LONGEST_BLOCK:
            yield block
            block = []
    if block:
        yield block


class PassageIndex:
    """Articles cut into passages, with what is needed to search them. Immutable once built."""

    def __init__(
        self,
        articles: Sequence[Article],
        passages: Sequence[Passage],
        glossary: Glossary,
        questions: Sequence[KnownQuestion],
        rows: Rows,
        manifest: dict[str, Any],
        digest: str = "",
    ) -> None:
        self.articles = {article.id: article for article in articles}
        self.passages = tuple(passages)
        self.sentences: tuple[tuple[int, Sentence], ...] = tuple(
            (number, sentence) for number, passage in enumerate(passages) for sentence in passage.sentences
        )
        """(number of the passage, sentence), in the order of the sentence rows."""
        self.glossary = glossary
        self.questions = tuple(questions)
        self.rows = rows
        self.manifest = manifest
        self.digest = digest
        places = {question.places for question in self.questions}
        where = {place: resolve(place, self.passages) for place in places if place}
        self.question_rows: tuple[tuple[int, ...], ...] = tuple(where.get(q.places, ()) for q in self.questions)
        """For each known question the numbers of the sentences that answer it; none for an unanswered one."""

    def sentence_text(self, row: int) -> str:
        """The sentence of this number."""
        number, sentence = self.sentences[row]
        return self.passages[number].sentence_text(sentence)

    @classmethod
    def build(
        cls,
        articles: Sequence[Article],
        glossary: Glossary,
        questions: Sequence[KnownQuestion],
        encoder: Encoder,
        previous: "PassageIndex | None" = None,
        progress: Progress = iter,
    ) -> "PassageIndex":
        """Cut and embed. What `previous`, built with the same model, has embedded already keeps its rows."""
        glossary = glossary.explained_in(article.text for article in articles)
        embed = _Embedder(encoder, previous)
        empty = np.zeros((0, encoder.dim), np.float32)
        passages: list[Passage] = []
        passage_rows, sentence_rows, entries = [empty], [empty], []
        for article in progress(articles):
            own = split_sections(article)
            sentences = [passage.sentence_text(sentence) for passage in own for sentence in passage.sentences]
            # An article is embedded by itself, so that its rows are the same bytes in every build.
            digest, rows, reused = embed(
                [glossary.write_out(text) for text in (*map(passage_context, own), *sentences)]
            )
            passages.extend(own)
            passage_rows.append(rows[: len(own)])
            sentence_rows.append(rows[len(own) :])
            entries.append(
                {"id": article.id, "digest": digest, "reused": reused, "passages": len(own), "rows": len(rows)}
            )
        asked = [
            embed(block, encoder.encode_known)
            for block in blocks([glossary.write_out(question.text) for question in questions])
        ]
        dense = Rows(
            DenseIndex.build(np.concatenate(passage_rows)),
            DenseIndex.build(np.concatenate(sentence_rows)),
            DenseIndex.build(np.concatenate([empty, *(rows for _, rows, _ in asked)])),
            LexicalIndex.build([terms(glossary.write_out(passage_context(passage))) for passage in passages]),
            LexicalIndex.build(
                [terms(glossary.write_out(p.sentence_text(sentence))) for p in passages for sentence in p.sentences]
            ),
        )
        model = {"name": encoder.name, "digest": encoder.digest, "dim": encoder.dim}
        about = {
            "format": FORMAT,
            "model": model,
            "articles": entries,
            "questions": [{"digest": digest, "rows": len(rows)} for digest, rows, _ in asked],
        }
        return cls(articles, passages, glossary, questions, dense, about)

    def embedded(self) -> dict[str, Vectors]:
        """The rows of each text block that was embedded together, by the digest of its texts."""
        passages, sentences = self.rows.passages.rows(), self.rows.sentences.rows()
        found, passage, sentence = {}, 0, 0
        for entry in self.manifest["articles"]:
            ends = passage + entry["passages"], sentence + entry["rows"] - entry["passages"]
            found[entry["digest"]] = np.concatenate([passages[passage : ends[0]], sentences[sentence : ends[1]]])
            passage, sentence = ends
        questions, start = self.rows.questions.rows(), 0
        for entry in self.manifest["questions"]:
            found[entry["digest"]] = questions[start : start + entry["rows"]]
            start += entry["rows"]
        return found

    def save(self, folder: Path, corpus: str = "") -> str:
        """Write beside what is there, then put in its place. Returns the index's digest.

        `corpus` is the `corpus_digest` of the folder that it was built from.
        """
        entries = [
            {key: value for key, value in entry.items() if key != "reused"} for entry in self.manifest["articles"]
        ]
        return publish(folder, self._write, {**self.manifest, "articles": entries, "corpus": corpus})

    def _write(self, version: Path) -> None:
        write_json(
            version / "library.json",
            {
                "articles": [{**asdict(article), "dropped": ()} for article in self.articles.values()],
                "passages": [asdict(passage) for passage in self.passages],
                "glossary": asdict(self.glossary),
                "questions": [asdict(question) for question in self.questions],
            },
        )
        self.rows.passages.save(version / "passages.faiss")
        self.rows.sentences.save(version / "sentences.faiss")
        self.rows.questions.save(version / "questions.faiss")
        self.rows.passage_terms.save(version / "passage_terms")
        self.rows.sentence_terms.save(version / "sentence_terms")

    @classmethod
    def load(cls, folder: Path, encoder: Encoder | None = None, corpus: Path | None = None) -> "PassageIndex":
        """Read and check an index. With `encoder` or `corpus` given, it must have been built from them.

        Raises `IndexMissingError`, `IndexStaleError` or `IndexAlteredError`.
        """
        version, manifest, digest = current(folder)
        if manifest["format"] != FORMAT:
            raise IndexStaleError(f"{folder} has format {manifest['format']}, not {FORMAT}; {REBUILD}")
        if encoder is not None and manifest["model"]["digest"] != encoder.digest:
            raise IndexStaleError(f"{folder} was built with another model than {encoder.name}; {REBUILD}")
        if corpus is not None and manifest["corpus"] != corpus_digest(corpus):
            raise IndexStaleError(f"the articles in {corpus} have changed since {folder} was built; {REBUILD}")
        check_files(version, manifest)
        library = json.loads((version / "library.json").read_text(encoding="utf-8"))
        rows = Rows(
            DenseIndex.load(version / "passages.faiss"),
            DenseIndex.load(version / "sentences.faiss"),
            DenseIndex.load(version / "questions.faiss"),
            LexicalIndex.load(version / "passage_terms"),
            LexicalIndex.load(version / "sentence_terms"),
        )
        return cls(
            [_article(fields) for fields in library["articles"]],
            [_passage(fields) for fields in library["passages"]],
            _glossary(library["glossary"]),
            [_question(fields) for fields in library["questions"]],
            rows,
            manifest,
            digest,
        )


class _Embedder:
    """Embeds blocks of texts, or takes their rows over from an earlier index."""

    def __init__(self, encoder: Encoder, previous: PassageIndex | None) -> None:
        self._encoder = encoder
        same = previous is not None and previous.manifest["model"]["digest"] == encoder.digest
        self._known = previous.embedded() if previous is not None and same else {}

    def __call__(
        self, texts: list[str], encode: Callable[[Sequence[str]], Vectors] | None = None
    ) -> tuple[str, Vectors, bool]:
        """(digest of the texts, their rows, whether these were known already)."""
        digest = hashlib.sha256(json.dumps([encode is not None, texts]).encode()).hexdigest()
        rows = self._known.get(digest)
        return digest, (encode or self._encoder.encode)(texts) if rows is None else rows, rows is not None


def build_index(corpus: Path, folder: Path, encoder: Encoder, progress: Progress = iter) -> Built:
    """Read the articles in `corpus`, build their index and put it into `folder`.

    Raises `CorpusError`, before anything is written.
    """
    fingerprint = corpus_digest(corpus)
    articles = load_articles(corpus)
    glossary, questions = load_glossary(corpus), load_questions(corpus, articles)
    previous = None
    with contextlib.suppress(IndexUnusableError):
        previous = PassageIndex.load(folder, encoder)
    index = PassageIndex.build(articles, glossary, questions, encoder, previous, progress)
    return Built(
        articles=len(articles),
        sections=sum(len(article.sections) for article in articles),
        passages=len(index.passages),
        sentences=len(index.sentences),
        questions=len(index.questions),
        reused=sum(entry["reused"] for entry in index.manifest["articles"]),
        dropped={article.id: article.dropped for article in articles if article.dropped},
        digest=index.save(folder, fingerprint),
    )


def _article(fields: dict[str, Any]) -> Article:
    sections = tuple(Section(tuple(part["trail"]), part["start"], part["text"]) for part in fields["sections"])
    return Article(**{**fields, "sections": sections, "dropped": ()})


def _passage(fields: dict[str, Any]) -> Passage:
    sentences = tuple(Sentence(**sentence) for sentence in fields["sentences"])
    return Passage(**{**fields, "trail": tuple(fields["trail"]), "sentences": sentences})


def _glossary(fields: dict[str, Any]) -> Glossary:
    return Glossary(fields["abbreviations"], {word: tuple(meant) for word, meant in fields["lay_words"].items()})


def _question(fields: dict[str, Any]) -> KnownQuestion:
    return KnownQuestion(**{**fields, "places": tuple(Place(**place) for place in fields["places"])})
