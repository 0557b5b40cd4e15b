"""A folder that is replaced whole: whenever the writer dies, a reader finds the old version or the new one."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT

from chatbot.errors import IndexAlteredError, IndexMissingError
from chatbot.storage import REBUILD, check_files, current, publish, write_json


def writer(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "a.txt").write_text(text)
        (folder / "part").mkdir()
        (folder / "part" / "b.bin").write_bytes(text.encode() * 1000)

    return write


def contents(folder: Path) -> str:
    """What a reader finds, checked."""
    version, manifest, _ = current(folder)
    check_files(version, manifest)
    text = (version / "a.txt").read_text()
    assert manifest["about"] == text
    assert (version / "part" / "b.bin").read_bytes() == text.encode() * 1000
    return text


def put(folder: Path, text: str) -> str:
    return publish(folder, writer(text), {"about": text})


def test_what_was_published_is_what_is_found(tmp_path: Path) -> None:
    digest = put(tmp_path / "new" / "folder", "one")
    version, manifest, found = current(tmp_path / "new" / "folder")
    assert contents(tmp_path / "new" / "folder") == "one"
    assert digest == found == hashlib.sha256((version / "manifest.json").read_bytes()).hexdigest()
    assert version.name == digest[:16]
    assert sorted(manifest["files"]) == ["a.txt", "part/b.bin"]
    for name, expected in manifest["files"].items():
        assert hashlib.sha256((version / name).read_bytes()).hexdigest() == expected


def test_equal_contents_give_equal_bytes(tmp_path: Path) -> None:
    assert put(tmp_path / "a", "one") == put(tmp_path / "b", "one")
    names = [sorted(path.relative_to(tmp_path / part) for path in (tmp_path / part).rglob("*")) for part in "ab"]
    assert names[0] == names[1]
    for name in names[0]:
        if (tmp_path / "a" / name).is_file():
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_new_version_leaves_nothing_of_the_old(tmp_path: Path) -> None:
    for text in ("one", "two", "two", "one"):
        put(tmp_path, text)
        assert contents(tmp_path) == text
        assert len(list(tmp_path.iterdir())) == 2


def test_foreign_files_stay(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "notes").mkdir()
    put(tmp_path, "one")
    put(tmp_path, "two")
    assert (tmp_path / "README.md").read_text() == "mine"
    assert (tmp_path / "notes").is_dir()


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_publishing_again_heals_a_damaged_version(tmp_path: Path, damage: str) -> None:
    put(tmp_path, "one")
    file = current(tmp_path)[0] / "a.txt"
    file.unlink() if damage == "missing" else file.write_text("0ne")
    put(tmp_path, "one")
    assert contents(tmp_path) == "one"


def test_a_writer_that_fails_leaves_the_old_version_and_no_rubbish(tmp_path: Path) -> None:
    put(tmp_path, "one")

    def fails(folder: Path) -> None:
        (folder / "a.txt").write_text("half")
        raise OSError(28, "No space left on device", str(folder / "a.txt"))

    with pytest.raises(OSError, match="No space left"):
        publish(tmp_path, fails, {})
    assert contents(tmp_path) == "one"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("folder", ["nothing", "empty"])
def test_no_index_is_missing(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(IndexMissingError, match=REBUILD):
        current(tmp_path / folder)


@pytest.mark.parametrize(
    "pointer",
    [
        b"",
        b"\n",
        b"0123456789abcdef\n",
        b"../elsewhere",
        b"/",
        b"\xff\xfe\x00",
        b"0" * 10_000,
    ],
)
def test_a_pointer_to_nothing_is_altered(tmp_path: Path, pointer: bytes) -> None:
    put(tmp_path / "index", "one")
    version = current(tmp_path / "index")[0]
    shutil.copytree(version, tmp_path / "elsewhere")
    (tmp_path / "index" / "CURRENT").write_bytes(pointer)
    with pytest.raises(IndexAlteredError, match=REBUILD):
        current(tmp_path / "index")


@pytest.mark.parametrize("damage", [b"", b"{}", b"{", None])
def test_a_manifest_that_is_not_as_written_is_altered(tmp_path: Path, damage: bytes | None) -> None:
    put(tmp_path, "one")
    manifest = current(tmp_path)[0] / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-1] if damage is None else damage)
    with pytest.raises(IndexAlteredError, match=REBUILD):
        current(tmp_path)


def test_json_does_not_depend_on_the_order_of_keys(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"x": 1, "ä": [2, "ö"]})
    write_json(tmp_path / "b", {"ä": [2, "ö"], "x": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert json.loads((tmp_path / "a").read_text("utf-8")) == {"ä": [2, "ö"], "x": 1}


KILLED_AT_EACH_STEP = """
import os, shutil, sys
from pathlib import Path

from chatbot.storage import check_files, current, publish

base = Path(sys.argv[1])
STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.listdir", "os.scandir", "shutil.rmtree"}

def put(folder, text):
    def write(draft):
        (draft / "a.txt").write_text(text)
        (draft / "part").mkdir()
        (draft / "part" / "b.bin").write_bytes(text.encode() * 1000)
    publish(folder, write, {"about": text})

def found(folder):
    version, manifest, _ = current(folder)
    check_files(version, manifest)
    return manifest["about"]

put(base / "old", "old")
step, finished = 0, False
while not finished:
    trial = base / f"trial{step}"
    shutil.copytree(base / "old", trial)
    child = os.fork()
    if not child:
        taken = 0
        def die(event, arguments):
            global taken
            if event in STEPS:
                if taken == step:
                    os._exit(9)
                taken += 1
        sys.addaudithook(die)
        put(trial, "new")
        os._exit(0)
    finished = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    seen = found(trial)
    put(trial, "next")
    print(seen, found(trial), len(list(trial.iterdir())))
    step += 1
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, int]]:
    """For each step before which a writer was killed: what a reader found, what it found after the next writer,
    and how many files and folders were left then."""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    command = [sys.executable, "-c", KILLED_AT_EACH_STEP, str(tmp_path_factory.mktemp("killed"))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    return [(seen, after, int(left)) for seen, after, left in lines]


def test_a_killed_writer_leaves_the_old_version_or_the_new(killed: list[tuple[str, str, int]]) -> None:
    seen = [line[0] for line in killed]
    assert len(seen) > 30
    assert set(seen) == {"old", "new"}
    assert seen == sorted(seen, reverse=True)  # it changes in one step


def test_the_next_writer_is_not_hindered(killed: list[tuple[str, str, int]]) -> None:
    assert {after for _, after, _ in killed} == {"next"}


def test_the_next_writer_removes_what_a_killed_one_left(killed: list[tuple[str, str, int]]) -> None:
    assert {left for _, _, left in killed} == {2}
