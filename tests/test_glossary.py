"""The glossary: the owner's file, the abbreviations that texts explain, and what both do to a question."""

from pathlib import Path

import pytest
from conftest import CORPUS
from hypothesis import given
from hypothesis import strategies as st

from chatbot.errors import CorpusError
from chatbot.glossary import FILE, Glossary, explained, load_glossary

word = st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=9)


def load(folder: Path, text: str) -> Glossary:
    (folder / FILE).write_text(text, encoding="utf-8")
    return load_glossary(folder)


def test_no_file_is_an_empty_glossary(tmp_path: Path) -> None:
    assert load_glossary(tmp_path) == Glossary() == load(tmp_path, "# nothing yet\n")


def test_equal_files_give_equal_glossaries_in_any_order(tmp_path: Path) -> None:
    one = load(tmp_path, "abbreviations: {NAS: National Society, wb: Worm Box}\nlay_words: {b: x, A: [Y, z]}\n")
    other = load(tmp_path, "lay_words: {a: [y, Z], b: [x]}\nabbreviations: {WB: worm box, nas: national society}\n")
    assert one == other
    assert list(one.abbreviations.items()) == [("nas", "national society"), ("wb", "worm box")]
    assert list(one.lay_words.items()) == [("a", ("y", "z")), ("b", ("x",))]
    assert list(other.abbreviations) == list(one.abbreviations)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("abbreviations:\n  a: b: c\n", 2, "YAML"),
        ("- a\n- b\n", None, "two maps"),
        ("abbreviations: [a]\n", None, "two maps"),
        ("slang:\n  a: b\n", None, "slang"),
    ],
)
def test_a_broken_file_is_named_with_its_mend(tmp_path: Path, text: str, line: int | None, words: str) -> None:
    with pytest.raises(CorpusError) as error:
        load(tmp_path, text)
    assert error.value.file == str(tmp_path / FILE)
    assert error.value.line == line
    assert words in error.value.problem
    assert error.value.mend


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"abbreviations:\n  caf\xe9: x\n")
    with pytest.raises(CorpusError):
        load_glossary(tmp_path)


def test_a_part_may_be_empty(tmp_path: Path) -> None:
    assert load(tmp_path, "abbreviations:\n  a: b\nlay_words:\n") == Glossary({"a": "b"}, {})


@given(st.lists(word, min_size=2, max_size=6))
def test_an_abbreviation_in_brackets_is_explained_by_the_words_before_it(long: list[str]) -> None:
    short = "".join(part[0] for part in long).upper()
    found = dict(explained(f"Here is, 7 {' '.join(long)} ({short}) for you."))
    if not short.endswith("S"):
        assert found[short.lower()] == " ".join(long)
        assert found[short.lower() + "s"] == " ".join(long) + "s"


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("the National Allotment Society (NAS) answers", "nas", "national allotment society"),
        ("all worm bins (WBs) smell", "wb", "worm bin"),
        ("a drug-related illness (DRI)", "dri", "drug related illness"),
        ("the Department of Health (DH)", "dh", "department of health"),
    ],
)
def test_explained(text: str, short: str, long: str) -> None:
    assert dict(explained(text))[short] == long


@pytest.mark.parametrize(
    "text",
    ["see the table (Figure)", "a worm box (see below)", "one word (OW", "worm box (XY)", "box (B)", "(NAS)", ""],
)
def test_other_brackets_explain_nothing(text: str) -> None:
    assert explained(text) == []


def test_the_owner_wins_over_the_articles() -> None:
    own = Glossary({"nas": "naval air station"})
    both = own.explained_in(["The National Allotment Society (NAS) and a worm box (WB)."])
    assert both.abbreviations["nas"] == "naval air station"
    assert both.abbreviations["wb"] == "worm box"
    assert list(both.abbreviations) == sorted(both.abbreviations)
    assert own.abbreviations == {"nas": "naval air station"}


@pytest.mark.parametrize("typed", ["WB", "wb", "Wb"])
def test_capitals_in_a_question_make_no_difference(typed: str) -> None:
    assert Glossary({"wb": "worm box"}).write_out(f"what's a {typed}?") == "what's a worm box?"


def test_only_whole_words_are_written_out() -> None:
    assert Glossary({"wb": "worm box"}).write_out("awb wbs") == "awb wbs"


def test_an_abbreviation_that_is_a_word_needs_its_capitals() -> None:
    glossary = Glossary({"mat": "medication-assisted treatment", "met": "motivational enhancement therapy"})
    assert glossary.write_out("we met on a mat") == "we met on a mat"
    assert glossary.write_out("is MAT used") == "is medication-assisted treatment used"


@given(st.text())
def test_an_empty_glossary_changes_nothing(text: str) -> None:
    assert Glossary().write_out(text) == text
    assert Glossary().lay_terms(text.split()) == []


def test_lay_words_and_phrases_are_found_whole() -> None:
    glossary = Glossary(lay_words={"bin": ("heap",), "worm bin": ("worm box",)})
    assert glossary.lay_terms(["my", "worm", "bin"]) == ["heap", "worm box"]
    assert glossary.lay_terms(["worm", "bins"]) == []


def test_the_corpus_has_one() -> None:
    glossary = load_glossary(CORPUS)
    assert glossary.write_out("what is CBT") == "what is cognitive behavioral therapy"
    assert glossary.lay_terms(["detox"])
