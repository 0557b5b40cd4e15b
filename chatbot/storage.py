"""A folder of files that is replaced whole, and checked when it is read.

    folder/CURRENT               name of the version in use: the first 16 digits of its manifest's SHA-256
    folder/<name>/manifest.json  SHA-256 of every other file, and whatever the writer adds
    folder/<name>/…              the files

A writer makes a new version beside the one in use and then replaces CURRENT, which is one atomic operation: a
writer that is killed leaves the old version or the new one, never a mixture.
"""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatbot.errors import IndexAlteredError, IndexMissingError
from chatbot.graph import file_sha256

REBUILD = "run: python build_index.py, with --corpus and --index where these are your own"


def write_json(path: Path, content: object) -> None:
    """JSON with sorted keys: equal contents give equal bytes."""
    path.write_text(json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n", encoding="utf-8")


def publish(folder: Path, write: Callable[[Path], None], about: dict[str, Any]) -> str:
    """Have `write` fill a new version and put it in use. Returns the digest of its manifest, which holds `about`."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"draft-{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        write(draft)
        write_json(draft / "manifest.json", {**about, "files": _digests(draft)})
        digest = file_sha256(draft / "manifest.json")
        name = digest[:16]
        _sync(draft)
        if not _is_whole(folder / name):
            shutil.rmtree(folder / name, ignore_errors=True)
            draft.replace(folder / name)
        pointer = folder / f"CURRENT-{os.getpid()}"
        pointer.write_text(name + "\n")
        _sync(pointer)
        pointer.replace(folder / "CURRENT")
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _sweep(folder, keep=name)
    return digest


def current(folder: Path) -> tuple[Path, dict[str, Any], str]:
    """The version in use: its folder, its manifest and the manifest's digest. The other files are not checked yet.

    Raises `IndexMissingError` or `IndexAlteredError`.
    """
    pointer = folder / "CURRENT"
    if not pointer.is_file():
        raise IndexMissingError(f"no index in {folder}; {REBUILD}")
    name = pointer.read_text(errors="replace").strip()
    version = folder / name
    if not (name.isalnum() and len(name) == 16) or not (version / "manifest.json").is_file():
        raise IndexAlteredError(f"{pointer} names an index that isn't there; {REBUILD}")
    digest = file_sha256(version / "manifest.json")
    if digest[:16] != name:
        raise IndexAlteredError(f"{version}/manifest.json is not as it was written; {REBUILD}")
    return version, json.loads((version / "manifest.json").read_text(encoding="utf-8")), digest


def check_files(version: Path, manifest: dict[str, Any]) -> None:
    """Raises `IndexAlteredError` for a file that is missing or not as it was written: libraries load such files
    without a word."""
    for name, expected in manifest["files"].items():
        if not (version / name).is_file() or file_sha256(version / name) != expected:
            raise IndexAlteredError(f"{version / name} is not as it was written; {REBUILD}")


def _digests(version: Path) -> dict[str, str]:
    files = sorted(path for path in version.rglob("*") if path.is_file())
    return {path.relative_to(version).as_posix(): file_sha256(path) for path in files}


def _is_whole(version: Path) -> bool:
    manifest = version / "manifest.json"
    if not manifest.is_file() or file_sha256(manifest)[:16] != version.name:
        return False
    try:
        check_files(version, json.loads(manifest.read_text(encoding="utf-8")))
    except IndexAlteredError:
        return False
    return True


def _sync(path: Path) -> None:
    """Have the bytes on the disk before the name that points to them is."""
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())


def _sweep(folder: Path, keep: str) -> None:
    """Remove what earlier writers left, finished or not. Foreign files stay."""
    for path in folder.iterdir():
        left = path.name.startswith("draft-") or re.fullmatch("[0-9a-f]{16}", path.name)
        if path.is_dir() and path.name != keep and left:
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_file() and path.name.startswith("CURRENT-"):
            path.unlink(missing_ok=True)
