"""The index: passages, their vectors and their terms, in a folder of plain files that can be checked.

    index/CURRENT               name of the folder in use: the first 16 digits of its manifest's SHA-256
    index/<name>/manifest.json  format version, model, digests of the corpus and of every other file
    index/<name>/library.json   articles, passages and glossary
    index/<name>/*.faiss        one row for each passage, one for each sentence
    index/<name>/passage_terms/ index/<name>/sentence_terms/  BM25

A build writes a new folder beside the one in use and then replaces CURRENT, which is one atomic
operation: a build that is killed leaves the old index or the new one, never a mixture.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.articles import Article, Section, load_articles
from chatbot.dense import DenseIndex
from chatbot.encoder import Encoder, Vectors, file_sha256
from chatbot.errors import IndexAlteredError, IndexMissingError, IndexStaleError
from chatbot.glossary import Glossary, load_glossary
from chatbot.lexical import LexicalIndex, terms
from chatbot.passages import Passage, Sentence, split_sections

FORMAT = 1
REBUILD = "run: python build_index.py"
Progress = Callable[[Iterable[Article]], Iterable[Article]]


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did, for its closing summary."""

    articles: int
    sections: int
    passages: int
    sentences: int
    reused: int
    """Articles whose vectors were taken over from the index before."""
    dropped: dict[str, tuple[str, ...]]
    """Lines left out as boilerplate, by article."""
    digest: str


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
    """A passage as it is embedded and searched: under its headings."""
    return ". ".join((*passage.trail, passage.text))


def _article_digest(article: Article) -> str:
    content = asdict(article)
    del content["dropped"]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class PassageIndex:
    """Articles cut into passages, with what is needed to search them. Immutable once built."""

    def __init__(
        self,
        articles: Sequence[Article],
        passages: Sequence[Passage],
        glossary: Glossary,
        passage_rows: DenseIndex,
        sentence_rows: DenseIndex,
        passage_terms: LexicalIndex,
        sentence_terms: LexicalIndex,
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
        self.passage_rows, self.sentence_rows = passage_rows, sentence_rows
        self.passage_terms, self.sentence_terms = passage_terms, sentence_terms
        self.manifest = manifest
        self.digest = digest

    def section(self, passage: Passage) -> Section:
        return self.articles[passage.article].sections[passage.section]

    @classmethod
    def build(
        cls,
        articles: Sequence[Article],
        glossary: Glossary,
        encoder: Encoder,
        previous: "PassageIndex | None" = None,
        progress: Progress = iter,
    ) -> "PassageIndex":
        """Cut and embed. Articles that `previous`, built with the same model, holds unchanged keep their rows."""
        known: dict[str, tuple[Vectors, Vectors]] = {}
        if previous and previous.manifest["model"]["digest"] == encoder.digest:
            known = previous._rows_by_article()
        passages: list[Passage] = []
        passage_rows, sentence_rows = [np.zeros((0, encoder.dim), np.float32)], [np.zeros((0, encoder.dim), np.float32)]
        entries = []
        for article in progress(articles):
            digest = _article_digest(article)
            own = split_sections(article)
            rows = known.get(digest)
            if rows is None:
                sentences = [passage.sentence_text(sentence) for passage in own for sentence in passage.sentences]
                # An article is embedded by itself, so that its rows are the same bytes in every build.
                rows = (encoder.encode([passage_context(passage) for passage in own]), encoder.encode(sentences))
            passages.extend(own)
            passage_rows.append(rows[0])
            sentence_rows.append(rows[1])
            entries.append({"id": article.id, "digest": digest, "passages": len(rows[0]), "sentences": len(rows[1])})
        return cls(
            articles,
            passages,
            glossary,
            DenseIndex.build(np.concatenate(passage_rows)),
            DenseIndex.build(np.concatenate(sentence_rows)),
            LexicalIndex.build([terms(passage_context(passage)) for passage in passages]),
            LexicalIndex.build([terms(p.sentence_text(sentence)) for p in passages for sentence in p.sentences]),
            {
                "format": FORMAT,
                "model": {"name": encoder.name, "digest": encoder.digest, "dim": encoder.dim},
                "articles": entries,
            },
        )

    def _rows_by_article(self) -> dict[str, tuple[Vectors, Vectors]]:
        passage_rows, sentence_rows = self.passage_rows.rows(), self.sentence_rows.rows()
        found, passage, sentence = {}, 0, 0
        for entry in self.manifest["articles"]:
            ends = passage + entry["passages"], sentence + entry["sentences"]
            found[entry["digest"]] = passage_rows[passage : ends[0]], sentence_rows[sentence : ends[1]]
            passage, sentence = ends
        return found

    def save(self, folder: Path, corpus: str = "") -> str:
        """Write beside what is there, then put in its place. Returns the index's digest.

        `corpus` is the `corpus_digest` of the folder that it was built from.
        """
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"draft-{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            self._write(draft, corpus)
            digest = file_sha256(draft / "manifest.json")
            name = digest[:16]
            _sync(draft)
            if not _is_whole(folder / name):
                shutil.rmtree(folder / name, ignore_errors=True)
                os.replace(draft, folder / name)
            pointer = folder / f"CURRENT-{os.getpid()}"
            pointer.write_text(name + "\n")
            _sync(pointer)
            os.replace(pointer, folder / "CURRENT")
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        _sweep(folder, keep=name)
        return digest

    def _write(self, draft: Path, corpus: str) -> None:
        library = {
            "articles": [{**asdict(article), "dropped": ()} for article in self.articles.values()],
            "passages": [asdict(passage) for passage in self.passages],
            "glossary": asdict(self.glossary),
        }
        _write_json(draft / "library.json", library)
        self.passage_rows.save(draft / "passages.faiss")
        self.sentence_rows.save(draft / "sentences.faiss")
        self.passage_terms.save(draft / "passage_terms")
        self.sentence_terms.save(draft / "sentence_terms")
        files = {
            path.relative_to(draft).as_posix(): file_sha256(path) for path in sorted(draft.rglob("*")) if path.is_file()
        }
        _write_json(draft / "manifest.json", {**self.manifest, "corpus": corpus, "files": files})

    @classmethod
    def load(cls, folder: Path, encoder: Encoder | None = None, corpus: Path | None = None) -> "PassageIndex":
        """Read and check an index. With `encoder` or `corpus` given, it must have been built from them.

        Raises `IndexMissingError`, `IndexStaleError` or `IndexAlteredError`.
        """
        pointer = folder / "CURRENT"
        if not pointer.is_file():
            raise IndexMissingError(f"no index in {folder}; {REBUILD}")
        name = pointer.read_text(errors="replace").strip()
        current = folder / name
        if not name.isalnum() or not (current / "manifest.json").is_file():
            raise IndexAlteredError(f"{pointer} names an index that isn't there; {REBUILD}")
        digest = file_sha256(current / "manifest.json")
        if digest[:16] != name:
            raise IndexAlteredError(f"{current}/manifest.json is not as it was written; {REBUILD}")
        manifest = json.loads((current / "manifest.json").read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise IndexStaleError(f"{folder} has format {manifest['format']}, not {FORMAT}; {REBUILD}")
        if encoder is not None and manifest["model"]["digest"] != encoder.digest:
            raise IndexStaleError(f"{folder} was built with another model than {encoder.name}; {REBUILD}")
        if corpus is not None and manifest["corpus"] != corpus_digest(corpus):
            raise IndexStaleError(f"the articles in {corpus} have changed since {folder} was built; {REBUILD}")
        for file, expected in manifest["files"].items():
            if not (current / file).is_file() or file_sha256(current / file) != expected:
                raise IndexAlteredError(f"{current / file} is not as it was written; {REBUILD}")
        return cls._read(current, manifest, digest)

    @classmethod
    def _read(cls, current: Path, manifest: dict[str, Any], digest: str) -> "PassageIndex":
        library = json.loads((current / "library.json").read_text(encoding="utf-8"))
        return cls(
            [_article(fields) for fields in library["articles"]],
            [_passage(fields) for fields in library["passages"]],
            Glossary(
                library["glossary"]["abbreviations"],
                {word: tuple(words) for word, words in library["glossary"]["lay_words"].items()},
            ),
            DenseIndex.load(current / "passages.faiss"),
            DenseIndex.load(current / "sentences.faiss"),
            LexicalIndex.load(current / "passage_terms"),
            LexicalIndex.load(current / "sentence_terms"),
            manifest,
            digest,
        )


def build_index(corpus: Path, folder: Path, encoder: Encoder, progress: Progress = iter) -> Built:
    """Read the articles in `corpus`, build their index and put it into `folder`.

    Raises `CorpusError`, before anything is written.
    """
    fingerprint = corpus_digest(corpus)
    articles = load_articles(corpus)
    glossary = load_glossary(corpus)
    previous = None
    with contextlib.suppress(IndexMissingError, IndexStaleError, IndexAlteredError):
        previous = PassageIndex.load(folder, encoder)
    index = PassageIndex.build(articles, glossary, encoder, previous, progress)
    digest = index.save(folder, fingerprint)
    before = {entry["digest"] for entry in previous.manifest["articles"]} if previous else set()
    return Built(
        articles=len(articles),
        sections=sum(len(article.sections) for article in articles),
        passages=len(index.passages),
        sentences=len(index.sentences),
        reused=sum(entry["digest"] in before for entry in index.manifest["articles"]),
        dropped={article.id: article.dropped for article in articles if article.dropped},
        digest=digest,
    )


def _article(fields: dict[str, Any]) -> Article:
    sections = tuple(Section(tuple(part["trail"]), part["start"], part["text"]) for part in fields["sections"])
    return Article(**{**fields, "sections": sections, "dropped": ()})


def _passage(fields: dict[str, Any]) -> Passage:
    sentences = tuple(Sentence(**sentence) for sentence in fields["sentences"])
    return Passage(**{**fields, "trail": tuple(fields["trail"]), "sentences": sentences})


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n", encoding="utf-8")


def _is_whole(folder: Path) -> bool:
    """Whether a folder of this name was finished: its files are as its manifest says."""
    manifest = folder / "manifest.json"
    if not manifest.is_file() or file_sha256(manifest)[:16] != folder.name:
        return False
    files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    return all((folder / name).is_file() and file_sha256(folder / name) == sha for name, sha in files.items())


def _sync(path: Path) -> None:
    """Have the bytes on the disk before the name that points to them is."""
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())


def _sweep(folder: Path, keep: str) -> None:
    """Remove what earlier builds left, finished or not. Foreign files stay."""
    for path in folder.iterdir():
        if path.is_dir() and path.name != keep and (path.name.startswith("draft-") or (path / "manifest.json").is_file()):
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_file() and path.name.startswith("CURRENT-"):
            path.unlink(missing_ok=True)
