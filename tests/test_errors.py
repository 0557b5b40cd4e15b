"""The exception tree: as the module's docstring draws it, each with a code that a command returns."""

import inspect
import re

import pytest

from chatbot import errors

CLASSES: list[type[errors.AskError]] = [
    value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, errors.AskError)
]


def drawn() -> dict[str, str]:
    """Each class of the docstring's drawing and the one that it hangs from."""
    parents: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]
        match = re.match(r"([\s│├└─]*)([A-Z]\w+Error)\s{2,}\S", line)
        if match:
            depth, name = len(match[1]), match[2]
            above = [entry for entry in above if entry[0] < depth]
            parents[name] = above[-1][1] if above else "Exception"
            above.append((depth, name))
    return parents


def test_the_drawing_is_the_tree() -> None:
    assert drawn() == {each.__name__: each.__base__.__name__ for each in CLASSES if each.__base__ is not None}


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_is_caught_at_the_root_and_has_an_exit_code(error: type[errors.AskError]) -> None:
    assert issubclass(error, errors.AskError)
    assert 0 < error.exit_code < 126  # a shell keeps those from 126 on to itself
    assert error.__doc__


def test_exit_codes_tell_what_to_mend() -> None:
    codes = {error.__name__: error.exit_code for error in CLASSES}
    assert codes["CorpusError"] == codes["SettingsError"] == 2
    assert len({codes[name] for name in ("AskError", "CorpusError", "ModelError", "IndexUnusableError")}) == 4
    assert codes["IndexMissingError"] == codes["IndexStaleError"] == codes["IndexAlteredError"]


@pytest.mark.parametrize(("line", "where"), [(None, "a.md: "), (7, "a.md:7: ")])
def test_a_corpus_error_names_file_line_and_mend(line: int | None, where: str) -> None:
    error = errors.CorpusError("a.md", "has no title", "give it one", line)
    assert str(error) == f"{where}has no title; give it one"
    assert (error.file, error.line, error.problem, error.mend) == ("a.md", line, "has no title", "give it one")
