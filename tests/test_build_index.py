"""The build command: its summary, its exit codes, and that whatever ends it, an index that was there stays."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ORIGINALS, ROOT

import build_index as command
from chatbot.encoder import PackagedEncoder
from chatbot.index import PassageIndex, build_index, corpus_digest

KILLS = 7
"""Real builds killed: every fourth at any moment, the others just after they began to write."""


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch, encoder: PackagedEncoder) -> None:
    """The model is loaded once."""
    monkeypatch.setattr(command, "load_encoder", lambda model: encoder)
    for name in [name for name in os.environ if name.startswith("ASK_IOP_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def corpus(small_corpus: Path, tmp_path: Path) -> Path:
    """A copy of the small corpus to change."""
    return Path(shutil.copytree(small_corpus, tmp_path / "corpus"))


def build(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The exit code of the command with these arguments."""
    monkeypatch.setattr(sys, "argv", ["build_index.py", *map(str, arguments)])
    return command.main()


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_build_says_what_it_built(
    at_hand: None, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(monkeypatch, "--corpus", corpus, "--index", tmp_path / "index") == 0
    index = PassageIndex.load(tmp_path / "index", corpus=corpus)
    printed = capsys.readouterr()
    for words in (
        "2 articles (0 unchanged)",
        "6 sections",
        f"{len(index.passages)} passages",
        f"{len(index.sentences)} sentences",
        "4 known questions",
        index.digest[:16],
    ):
        assert words in printed.out
    assert "Articles" in printed.err  # the progress bar
    assert build(monkeypatch, "--corpus", corpus, "--index", tmp_path / "index") == 0
    assert "2 articles (2 unchanged)" in capsys.readouterr().out


def test_it_says_what_it_left_out(
    at_hand: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "corpus").mkdir()
    page = "Skip to content\n\nWorms in a Box\n\nWorms eat soft scraps, and they need a lid.\n\nLeave A Comment\n"
    (tmp_path / "corpus" / "worms.txt").write_text(page)
    assert build(monkeypatch, "--corpus", tmp_path / "corpus", "--index", tmp_path / "index") == 0
    text = capsys.readouterr().out
    assert "left out as boilerplate" in text
    assert "    Skip to content" in text


def test_the_environment_names_the_folders(
    at_hand: None, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASK_IOP_CORPUS", str(corpus))
    monkeypatch.setenv("ASK_IOP_INDEX", str(tmp_path / "index"))
    assert build(monkeypatch) == 0
    assert PassageIndex.load(tmp_path / "index").manifest["corpus"] == corpus_digest(corpus)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("worms.md", b"", ("worms.md", "no text")),
        ("worms.md", b"---\ntitle: Worms\n", ("worms.md:1", "three hyphens")),
        ("worms.md", b"---\ntitle: Worms\nupdated: soon\n---\nText.\n", ("worms.md:3", "write it as")),
        ("worms.md", b"---\ntitle: \xff\n---\nText.\n", ("worms.md:2", "UTF-8")),
        ("compost.txt", b"A title\n\nSome text that is long enough to stand here.\n", ("compost.txt", "rename")),
        ("leaflet.pdf", b"%PDF-1.4 rubbish", ("leaflet.pdf", "readable PDF")),
        ("articles.yaml", b"- file: gone.md\n", ("articles.yaml:1", "gone.md")),
        ("glossary.yaml", b"abbreviations:\n  a: b: c\n", ("glossary.yaml:2", "mend")),
        ("questions.yaml", b"answered:\n- x\n", ("questions.yaml", "compare")),
    ],
)
def test_a_corpus_that_cannot_be_read_is_named_with_its_mend(
    at_hand: None,
    corpus: Path,
    small_folder: Path,
    tmp_path: Path,
    name: str,
    content: bytes,
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    index = Path(shutil.copytree(small_folder, tmp_path / "index"))
    (corpus / name).write_bytes(content)
    assert build(monkeypatch, "--corpus", corpus, "--index", index) == 2
    error = capsys.readouterr().err
    assert error.startswith("build_index: ")
    assert len(error.splitlines()) == 1
    assert [word for word in words if word not in error] == []
    assert files(index) == files(small_folder)


@pytest.mark.parametrize("folder", ["empty", "nowhere"])
def test_a_corpus_without_articles_exits_2(
    at_hand: None, tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert build(monkeypatch, "--corpus", tmp_path / folder, "--index", tmp_path / "index") == 2
    assert folder in capsys.readouterr().err
    assert not (tmp_path / "index").exists()


def test_a_place_that_cannot_be_written_is_one_line(
    at_hand: None, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index").write_text("a file")
    assert build(monkeypatch, "--corpus", corpus, "--index", tmp_path / "index") == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("build_index: ")
    assert str(tmp_path / "index") in error
    assert (tmp_path / "index").read_text() == "a file"


def test_a_model_that_is_not_there_exits_3(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(monkeypatch, "--corpus", corpus, "--index", tmp_path / "index", "--model", tmp_path / "model") == 3
    assert "all-MiniLM-L6-v2" in capsys.readouterr().err
    assert not (tmp_path / "index").exists()


def test_an_altered_index_is_replaced(
    at_hand: None, corpus: Path, small_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ending in ("CURRENT", "manifest.json", "library.json", "sentences.faiss"):
        index = Path(shutil.copytree(small_folder, tmp_path / ending))
        (name,) = [name for name in files(index) if name.endswith(ending)]
        (index / name).write_bytes(b"\x00rubbish")
        assert build(monkeypatch, "--corpus", corpus, "--index", index) == 0
        assert files(index) == files(small_folder)


@pytest.mark.skipif(not ORIGINALS.is_dir(), reason="no originals in this checkout")
def test_the_originals_are_read_as_they_are(
    at_hand: None, originals_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Path(shutil.copytree(originals_folder, tmp_path / "index"))
    assert build(monkeypatch, "--corpus", ORIGINALS, "--index", index) == 0
    assert len(PassageIndex.load(index).articles) == 5


# --- real processes ----------------------------------------------------------------------------------------------------


def start(corpus: Path, index: Path, **environment: str) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "build_index.py", "--corpus", str(corpus), "--index", str(index)]
    return subprocess.Popen(
        arguments,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_build_that_is_killed_leaves_the_old_index_or_the_new(
    corpus: Path, small_folder: Path, tmp_path: Path, encoder: PackagedEncoder
) -> None:
    index = Path(shutil.copytree(small_folder, tmp_path / "index"))
    chance = random.Random(7)
    old = PassageIndex.load(index).digest
    began = time.monotonic()
    seconds = 0.0
    for number in range(KILLS + 1):
        worms = corpus / "worms.md"
        worms.write_text(worms.read_text() + f"\nThe box number {number} is of wood.\n")
        process = start(corpus, index)
        begun = time.monotonic()
        if number:  # the first one ends by itself, and shows how long a build takes
            wait_for_a_moment(process, index, chance, number, seconds)
            process.send_signal(signal.SIGKILL)
        output, _ = process.communicate(timeout=300)
        seconds = seconds or time.monotonic() - begun
        loaded = PassageIndex.load(index, encoder)
        if loaded.manifest["corpus"] == corpus_digest(corpus):
            old = loaded.digest
        assert loaded.digest == old, output
        assert number or loaded.manifest["corpus"] == corpus_digest(corpus), output
        assert loaded.sentences
        if time.monotonic() - began > 150:
            break  # on a slow machine fewer are enough
    process = start(corpus, index)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    fresh = tmp_path / "fresh"
    build_index(corpus, fresh, encoder)
    assert files(index) == files(fresh)


def wait_for_a_moment(
    process: "subprocess.Popen[str]", index: Path, chance: random.Random, number: int, seconds: float
) -> None:
    """See `KILLS`."""
    if number % 4 == 0:
        time.sleep(chance.uniform(0, seconds))
        return
    while process.poll() is None and not list(index.glob("draft-*")):
        time.sleep(0.0005)
    time.sleep(chance.uniform(0, 0.02))


def test_the_bytes_do_not_depend_on_the_process(corpus: Path, small_folder: Path, tmp_path: Path) -> None:
    process = start(corpus, tmp_path / "index", PYTHONHASHSEED="1", OMP_NUM_THREADS="2", LC_ALL="C")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert files(tmp_path / "index") == files(small_folder)
