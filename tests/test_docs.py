"""The documents are true: what they tell people to type exists, and what they quote is what is said."""

import dataclasses
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml
from conftest import CORPUS, ROOT

from chatbot.articles import load_articles
from chatbot.settings import PREFIX, Settings

DOCUMENTS = sorted(
    path for name in ("*.md", "docs/*.md", "corpus/README.md", "index/README.md") for path in ROOT.glob(name)
)
VARIABLES = {PREFIX + field.name.upper() for field in dataclasses.fields(Settings)}
COMMAND = re.compile(r"(?<![\w./-])python3? +((?:-m +[\w.]+|[\w/]+\.py)[^`\n#|>]*)")


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def document(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def commands(path: Path) -> list[str]:
    """What follows `python` in a document, without quoted words."""
    return [re.sub(r'"[^"]*"|\'[^\']*\'', "", match[1]).strip() for match in COMMAND.finditer(text(path))]


@cache
def usage(*words: str) -> str:
    """What `python … --help` prints."""
    done = subprocess.run([sys.executable, *words, "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"python {' '.join(words)}: {done.stderr}"
    return done.stdout


def is_ours(program: list[str]) -> bool:
    """Whether this is a program of the project, and not a tool such as pip."""
    if program[0] != "-m":
        return True
    return (ROOT / program[1].split(".")[0]).is_dir()


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len(text(ROOT / "README.md").splitlines()) < 175


def test_the_readme_shows_commands_and_settings() -> None:
    assert commands(ROOT / "README.md")
    assert re.search(r"\bmake \w", text(ROOT / "README.md"))


def test_every_make_target_is_real(document: Path) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", text(ROOT / "Makefile"), re.MULTILINE))
    # In code only: "to make sure" is no target.
    code = re.findall(r"```.*?```|`[^`\n]+`", text(document), re.DOTALL)
    told = {target for piece in code for target in re.findall(r"(?<![\w-])make ([a-z][\w-]*)", piece)}
    assert told <= targets


def test_every_command_and_flag_is_real(document: Path) -> None:
    for command in commands(document):
        words = command.split()
        program = words[:2] if words[0] == "-m" else words[:1]
        if not is_ours(program):
            continue
        if program[0] != "-m":
            assert (ROOT / program[0]).is_file(), command
        rest = words[len(program) :]
        if program == ["-m", "chatbot"] and rest:
            program, rest = [*program, rest[0]], rest[1:]
        flags = {word.split("=")[0] for word in rest if re.match(r"-{1,2}[a-z]", word)}
        if flags or program[:2] == ["-m", "chatbot"]:
            known = set(re.findall(r"(?<!\w)-{1,2}[a-z][\w-]*", usage(*program)))
            assert flags <= known, command


def test_every_flag_that_is_told_of_by_itself_is_real() -> None:
    known = (
        usage("-m", "chatbot", "ask") + usage("-m", "chatbot", "evaluate") + usage("app.py") + usage("build_index.py")
    )
    for flag in re.findall(r"`(--[a-z][\w-]*)", text(ROOT / "README.md")):
        assert re.search(rf"(?<![\w-]){flag}(?![\w-])", known), flag


def test_every_variable_is_a_setting(document: Path) -> None:
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", text(document))) <= VARIABLES


def test_the_readme_tells_of_every_setting_and_its_default() -> None:
    readme = text(ROOT / "README.md")
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", readme)) == VARIABLES
    defaults = Settings()
    for field in dataclasses.fields(Settings):
        (line,) = [line for line in readme.splitlines() if f"`{PREFIX}{field.name.upper()}`" in line]
        value = getattr(defaults, field.name)
        shown = value.relative_to(ROOT).as_posix() if isinstance(value, Path) else str(value or "")
        if shown == "":
            assert line.endswith("| none |"), line
            continue
        assert re.search(rf"`{re.escape(shown)}/?`", line), line


def test_every_file_that_is_linked_or_named_is_there(document: Path) -> None:
    links = [
        link for link in re.findall(r"\]\(([^)\s]+)\)", text(document)) if not re.match(r"https?:|mailto:|#", link)
    ]
    named = re.findall(r"`((?:chatbot|corpus|tests|training|benchmarks|docs)/[\w./-]*)`", text(document))
    missing = [link for link in links if not (document.parent / link.split("#")[0]).exists()]
    assert missing + [name for name in named if not (ROOT / name).exists()] == []


def test_the_sample_answer_quotes_the_corpus() -> None:
    articles = load_articles(CORPUS)
    quotes = re.findall(r"^(.+) \[\d+\]$", text(ROOT / "README.md"), re.MULTILINE)
    assert quotes
    for quote in quotes:
        assert any(quote in article.text for article in articles), quote


def test_every_make_target_says_what_it_does() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("install", "run", "test", "bench", "index", "help"):
        assert re.search(rf"^{target}\s+\w", done.stdout, re.MULTILINE), target


def test_licence_and_changes_are_there() -> None:
    assert "MIT" in text(ROOT / "LICENSE")
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        assert text(ROOT / name).startswith("# ")


def test_a_space_gets_what_is_pinned() -> None:
    pins = dict(line.split("==") for line in text(ROOT / "requirements.txt").splitlines() if "==" in line)
    space = next(yaml.safe_load_all(text(ROOT / "README.md").split("\n# ")[0]))
    assert (space["sdk"], space["sdk_version"]) == ("gradio", pins["gradio"])
    assert (ROOT / space["app_file"]).is_file()
    assert len(space["short_description"]) <= 60, "longer ones are refused"
    assert f"torch=={pins['torch']}" in text(ROOT / "pre-requirements.txt").splitlines()
