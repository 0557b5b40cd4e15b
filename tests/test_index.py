"""Laws of the index: equal articles give equal bytes, what is saved is what is loaded, what is damaged is refused."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import CORPUS, ORIGINALS

from chatbot.articles import load_articles
from chatbot.encoder import PackagedEncoder
from chatbot.errors import AskError, CorpusError, IndexAlteredError, IndexMissingError, IndexStaleError
from chatbot.glossary import load_glossary
from chatbot.graph import Vectors
from chatbot.index import FORMAT, LONGEST_BLOCK, PassageIndex, blocks, build_index, corpus_digest, passage_context
from chatbot.questions import load_questions
from chatbot.storage import current, publish

QUERY = "does it smell"


class Counting:
    """The real encoder, which remembers what it was given."""

    def __init__(self, encoder: PackagedEncoder) -> None:
        self.name, self.digest, self.dim, self._encoder = encoder.name, encoder.digest, encoder.dim, encoder
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return self._encoder.encode(texts)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return self._encoder.encode_questions(texts)

    def encode_known(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return self._encoder.encode_known(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.encode_queries(texts)

    def encode_both(self, text: str) -> tuple[Vectors, Vectors]:
        return self._encoder.encode_both(text)

    def encode_followup(self, message: str, before: Sequence[str], said: Sequence[str] = ()) -> Vectors:
        return self._encoder.encode_followup(message, before, said)

    def knows(self, word: str) -> bool:
        return self._encoder.knows(word)


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder and its bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def corpus(small_corpus: Path, tmp_path: Path) -> Path:
    """A copy of the small corpus to change."""
    return Path(shutil.copytree(small_corpus, tmp_path / "corpus"))


@pytest.fixture
def folder(small_folder: Path, tmp_path: Path) -> Path:
    """A copy of the small corpus's index to change."""
    return Path(shutil.copytree(small_folder, tmp_path / "index"))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


# --- the same bytes ------------------------------------------------------------------------------------------


def test_two_builds_give_the_same_bytes(originals_folder: Path, tmp_path: Path, encoder: PackagedEncoder) -> None:
    build_index(ORIGINALS, tmp_path, encoder)
    assert files(tmp_path) == files(originals_folder)


def test_a_build_with_nothing_new_gives_the_same_bytes_and_embeds_nothing(
    index_folder: Path, tmp_path: Path, encoder: PackagedEncoder
) -> None:
    copy = Path(shutil.copytree(index_folder, tmp_path / "index"))
    counting = Counting(encoder)
    built = build_index(CORPUS, copy, counting)
    assert counting.texts == []
    assert built.reused == built.articles == 5
    assert files(copy) == files(index_folder)


def test_the_order_of_the_files_and_their_dates_make_no_difference(
    small_folder: Path, small_corpus: Path, tmp_path: Path, encoder: PackagedEncoder
) -> None:
    (tmp_path / "corpus").mkdir()
    for file in sorted(small_corpus.iterdir(), reverse=True):
        (tmp_path / "corpus" / file.name).write_bytes(file.read_bytes())
    build_index(tmp_path / "corpus", tmp_path / "index", encoder)
    assert files(tmp_path / "index") == files(small_folder)


# --- not embedded again ---------------------------------------------------------------------------------------


def test_only_the_article_that_changed_is_embedded_again(
    corpus: Path, folder: Path, encoder: PackagedEncoder, tmp_path: Path
) -> None:
    edit(corpus / "worms.md", "soft scraps", "soft leaves")
    counting = Counting(encoder)
    built = build_index(corpus, folder, counting)
    assert (built.articles, built.reused) == (2, 1)
    assert any("soft leaves" in text for text in counting.texts)
    assert not any("compost heap" in text or "kitchen" in text for text in counting.texts)
    build_index(corpus, tmp_path / "fresh", encoder)
    assert files(folder) == files(tmp_path / "fresh")


def test_an_article_more_or_less_leaves_the_others_rows(
    corpus: Path, folder: Path, encoder: PackagedEncoder, tmp_path: Path
) -> None:
    (corpus / "bees.md").write_text("---\ntitle: Bees\n---\nBees like the flowers beside a heap.\n")
    counting = Counting(encoder)
    assert build_index(corpus, folder, counting).reused == 2
    assert len(counting.texts) == 2  # one passage, one sentence
    build_index(corpus, tmp_path / "fresh", encoder)
    assert files(folder) == files(tmp_path / "fresh")
    (corpus / "bees.md").unlink()
    counting.texts.clear()
    build_index(corpus, folder, counting)
    assert counting.texts == []


def test_new_words_in_the_glossary_embed_what_they_change(corpus: Path, folder: Path, encoder: PackagedEncoder) -> None:
    edit(corpus / "glossary.yaml", "wb: worm box", "wb: worm box\n  lime: calcium carbonate")
    counting = Counting(encoder)
    assert build_index(corpus, folder, counting).reused == 1
    assert any("calcium carbonate" in text for text in counting.texts)


def test_blocks_are_the_texts_in_order_and_none_is_too_long() -> None:
    texts = [f"question {number}" for number in range(5000)]
    cut = list(blocks(texts))
    assert [text for block in cut for text in block] == texts
    assert len(cut) > 10
    assert max(map(len, cut)) <= LONGEST_BLOCK
    assert list(map(len, blocks(["the same"] * (2 * LONGEST_BLOCK + 1)))) == [LONGEST_BLOCK, LONGEST_BLOCK, 1]
    assert list(blocks([])) == []


@pytest.mark.parametrize("place", [0, 1, 2500, 5000])
def test_one_text_more_changes_one_block(place: int) -> None:
    texts = [f"question {number}" for number in range(5000)]
    before = list(blocks(texts))
    after = list(blocks([*texts[:place], "a new one", *texts[place:]]))
    assert len([block for block in after if block not in before]) == 1


def test_a_known_question_more_embeds_its_block_and_nothing_else(
    corpus: Path, folder: Path, encoder: PackagedEncoder, tmp_path: Path
) -> None:
    asked = [f"is it true of number {number}" for number in range(600)]
    lines = "".join(f"  - {text}\n" for text in asked)
    edit(
        corpus / "questions.yaml", "  - where can i buy a compost bin\n", f"  - where can i buy a compost bin\n{lines}"
    )
    build_index(corpus, folder, encoder)
    counting = Counting(encoder)
    edit(corpus / "questions.yaml", f"  - {asked[300]}\n", f"  - {asked[300]}\n  - is it true at all\n")
    assert build_index(corpus, folder, counting).reused == 2
    (block,) = [block for block in blocks(counting.texts) if "is it true at all" in block]
    assert counting.texts == block
    build_index(corpus, tmp_path / "fresh", encoder)
    assert files(folder) == files(tmp_path / "fresh")


def test_another_model_embeds_everything(corpus: Path, folder: Path, encoder: PackagedEncoder) -> None:
    other = Counting(encoder)
    other.digest = "f" * 64
    assert build_index(corpus, folder, other).reused == 0
    assert other.texts


def test_a_damaged_index_is_not_built_upon(
    corpus: Path, folder: Path, small_folder: Path, encoder: PackagedEncoder
) -> None:
    rows = current(folder)[0] / "sentences.faiss"
    rows.write_bytes(rows.read_bytes()[:-1] + b"\x00")
    assert build_index(corpus, folder, encoder).reused == 0
    assert files(folder) == files(small_folder)


# --- what is saved is what is loaded ---------------------------------------------------------------------------


def test_saving_and_loading_is_the_identity(small_corpus: Path, small: PassageIndex, encoder: PackagedEncoder) -> None:
    articles = load_articles(small_corpus)
    questions = load_questions(small_corpus, articles)
    built = PassageIndex.build(articles, load_glossary(small_corpus), questions, encoder)
    assert tuple(small.articles.values()) == tuple(replace(article, dropped=()) for article in articles)
    assert (small.passages, small.sentences, small.glossary) == (built.passages, built.sentences, built.glossary)
    assert (small.questions, small.question_rows) == (questions, built.question_rows)
    query = encoder.encode([QUERY])[0]
    for part in ("passages", "sentences", "questions"):
        one, other = getattr(small.rows, part), getattr(built.rows, part)
        assert one.rows().tobytes() == other.rows().tobytes()
        assert one.cosines(query).tobytes() == other.cosines(query).tobytes()
    for part in ("passage_terms", "sentence_terms"):
        one, other = getattr(small.rows, part), getattr(built.rows, part)
        assert (len(one), one.vocabulary) == (len(other), other.vocabulary)
        assert one.scores(["heap", "box"]).tobytes() == other.scores(["heap", "box"]).tobytes()


def test_loading_and_saving_is_the_identity(small: PassageIndex, small_folder: Path, tmp_path: Path) -> None:
    digest = small.save(tmp_path, small.manifest["corpus"])
    assert digest == small.digest
    assert files(tmp_path) == files(small_folder)


def test_there_is_a_row_for_each_text_and_it_is_that_text(index: PassageIndex, encoder: PackagedEncoder) -> None:
    assert len(index.rows.passages) == len(index.rows.passage_terms) == len(index.passages)
    assert len(index.rows.sentences) == len(index.rows.sentence_terms) == len(index.sentences)
    assert len(index.rows.questions) == len(index.questions) == len(index.question_rows)
    written = index.glossary.write_out
    for count in (3, 50, -1):
        texts = {
            "passages": passage_context(index.passages[count]),
            "sentences": index.sentence_text(range(len(index.sentences))[count]),
            "questions": index.questions[count].text,
        }
        for part, text in texts.items():
            row = getattr(index.rows, part).rows()[count]
            exact = encoder.encode_questions if part == "questions" else encoder.encode
            cosine = float(row @ exact([written(text)])[0])
            assert cosine == pytest.approx(1.0, abs=0.02 if part == "questions" else 1e-5)


def test_the_rows_stand_in_the_order_of_the_ids(index: PassageIndex) -> None:
    assert [passage.id for passage in index.passages] == sorted(passage.id for passage in index.passages)
    numbers = [number for number, _ in index.sentences]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(len(index.passages)))


def test_the_summary_counts_what_is_there(small_corpus: Path, tmp_path: Path, encoder: PackagedEncoder) -> None:
    built = build_index(small_corpus, tmp_path, encoder)
    loaded = PassageIndex.load(tmp_path, encoder, small_corpus)
    assert (built.articles, built.sections, built.reused, built.questions) == (2, 6, 0, 4)
    assert (built.passages, built.sentences) == (len(loaded.passages), len(loaded.sentences))
    assert built.digest == loaded.digest
    assert built.dropped == {}


def test_articles_without_questions_or_glossary_are_enough(tmp_path: Path, encoder: PackagedEncoder) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.md").write_text("---\ntitle: A\n---\n如何堆肥。\n")  # no term that BM25 knows
    build_index(tmp_path / "corpus", tmp_path / "index", encoder)
    loaded = PassageIndex.load(tmp_path / "index", encoder, tmp_path / "corpus")
    assert len(loaded.rows.questions) == 0
    assert len(loaded.sentences) == 1


# --- what is refused --------------------------------------------------------------------------------------------


def test_every_file_that_is_missing_empty_truncated_or_altered_is_noticed(
    folder: Path, encoder: PackagedEncoder
) -> None:
    whole = files(folder)
    assert len(whole) > 10
    for name, content in whole.items():
        flipped = bytearray(content)
        flipped[len(content) // 2] ^= 1
        for damage in (None, b"", content[:-1], content[: len(content) // 2], bytes(flipped)):
            path = folder / name
            path.unlink() if damage is None else path.write_bytes(damage)
            if (name, damage) == ("CURRENT", content[:-1]):
                PassageIndex.load(folder, encoder)  # it lacks its line's end, and names the same version
            else:
                missing = name == "CURRENT" and damage is None
                with pytest.raises(
                    IndexMissingError if missing else IndexAlteredError, match=r"python build_index\.py"
                ):
                    PassageIndex.load(folder, encoder)
            path.write_bytes(content)
    assert PassageIndex.load(folder, encoder).sentences


def test_an_altered_index_is_noticed_before_it_is_called_stale(folder: Path, encoder: PackagedEncoder) -> None:
    library = current(folder)[0] / "library.json"
    library.write_bytes(library.read_bytes().replace(b"compost", b"c0mpost"))
    with pytest.raises(IndexAlteredError):
        PassageIndex.load(folder)


def test_an_index_of_another_model_is_stale(folder: Path, encoder: PackagedEncoder) -> None:
    other = Counting(encoder)
    other.name, other.digest = "another", "f" * 64
    with pytest.raises(IndexStaleError, match="another"):
        PassageIndex.load(folder, other)


def test_an_index_of_another_format_is_stale(folder: Path) -> None:
    version, manifest, _ = current(folder)
    about = {key: value for key, value in manifest.items() if key != "files"}

    def write(draft: Path) -> None:
        shutil.copytree(version, draft, dirs_exist_ok=True, ignore=shutil.ignore_patterns("manifest.json"))

    publish(folder, write, {**about, "format": FORMAT - 1})
    with pytest.raises(IndexStaleError, match=str(FORMAT)):
        PassageIndex.load(folder)


@pytest.mark.parametrize("name", ["compost.md", "glossary.yaml", "questions.yaml"])
def test_an_index_of_articles_that_changed_since_is_stale(folder: Path, corpus: Path, name: str) -> None:
    PassageIndex.load(folder, corpus=corpus)
    (corpus / name).write_bytes((corpus / name).read_bytes() + b"\n")
    with pytest.raises(IndexStaleError, match=r"python build_index\.py"):
        PassageIndex.load(folder, corpus=corpus)
    PassageIndex.load(folder)  # without its articles there is nothing to compare it with


def test_files_that_a_build_does_not_read_do_not_make_it_stale(folder: Path, corpus: Path) -> None:
    for name in ("README.md", "helplines.yaml", "notes.docx"):
        (corpus / name).write_text("new")
    assert PassageIndex.load(folder, corpus=corpus).digest == PassageIndex.load(folder).digest


def test_a_renamed_article_is_another_corpus(corpus: Path) -> None:
    before = corpus_digest(corpus)
    (corpus / "worms.md").rename(corpus / "wurms.md")
    assert corpus_digest(corpus) != before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("worms.md", b""),
        ("worms.md", b"---\ntitle: Worms\n"),
        ("worms.md", b"---\ntitle: \xff\n---\nText.\n"),
        ("glossary.yaml", b"- a\n"),
        ("questions.yaml", b"answered:\n- x\n"),
    ],
)
def test_a_corpus_that_cannot_be_read_leaves_the_index_as_it_was(
    corpus: Path, folder: Path, encoder: PackagedEncoder, name: str, content: bytes
) -> None:
    before = files(folder)
    (corpus / name).write_bytes(content)
    counting = Counting(encoder)
    with pytest.raises(CorpusError, match=name) as error:
        build_index(corpus, folder, counting)
    assert isinstance(error.value, AskError)
    assert counting.texts == []
    assert files(folder) == before


def test_the_index_names_its_model_and_format(small: PassageIndex, encoder: PackagedEncoder) -> None:
    assert small.manifest["model"] == {"name": encoder.name, "digest": encoder.digest, "dim": encoder.dim}
    assert small.manifest["format"] == FORMAT
    json.dumps(small.manifest)
