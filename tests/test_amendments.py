"""Laws of a change to the known questions: only lines more, everything else as it was, and a way back."""

import stat
from pathlib import Path

import pytest
from conftest import CORPUS, write_small_corpus

from chatbot.amendments import (
    BEFORE,
    Change,
    MoreWordings,
    NewAnswer,
    NewTopic,
    QuestionFile,
    TakeBack,
    amended,
)
from chatbot.articles import Article, load_articles
from chatbot.errors import AmendmentError, ChangedMeanwhileError, CorpusError
from chatbot.index import corpus_digest
from chatbot.questions import FILE, KnownQuestion, Place, load_questions, read_questions

EAT = Place("worms", "What do worms eat?", "Worms eat soft")
CHANGES = [
    MoreWordings("does the box reek", ("is it whiffy", "ooh: what a smell, isn't it?")),
    MoreWordings("where can i buy a compost bin", ("who sells bins # here", "[shop] in my town?")),
    NewAnswer((EAT, Place("compost", "")), ("what is there for worms to eat", "yes", "- 12")),
    NewTopic("prices", "Ask: the shop.", ("what does a bin cost", "'how much'")),
]
FILES = {
    "small": None,
    "commented": """# kept
answered:  # also kept

- places:   # and this
  - {article: worms, heading: 'Is a worm box smelly?'}
  questions:
  - does the box reek   # the last one

  # between

unanswered:
    - say: Ask a garden shop.
      topic: shopping
      questions:
        - where can i buy
            a compost bin
        - >-
          who sells
          a bin
# the end""",
    "flow": """answered: [{places: [{article: worms, heading: 'What do worms eat?'}], questions: ["does the box reek"]}]
unanswered: [{topic: shopping, say: Ask., questions: [where can i buy a compost bin, b]}]
""",
    "one part": """answered:
- questions:
    - does the box reek
    - where can i buy a compost bin
  places: [{article: worms, heading: 'What do worms eat?'}]
""",
    "nothing in a part": """answered:
- questions:
    - does the box reek
    - where can i buy a compost bin
  places: [{article: worms, heading: 'What do worms eat?'}]
unanswered:
""",
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_small_corpus(tmp_path / "corpus")


@pytest.fixture
def articles(small_corpus: Path) -> tuple[Article, ...]:
    return load_articles(small_corpus)


def wordings(change: Change) -> tuple[str, ...]:
    assert not isinstance(change, TakeBack)
    return change.wordings


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: type(change).__name__)
def test_a_change_adds_its_questions_and_nothing_else(
    corpus: Path, articles: tuple[Article, ...], name: str, change: MoreWordings | NewAnswer | NewTopic, ends: str
) -> None:
    path = corpus / FILE
    text = (FILES[name] or path.read_text("utf-8")).replace("\n", ends)
    before = read_questions(text, path, articles)
    edited = amended(text, change, articles, path)
    after = read_questions(edited, path, articles)
    assert [question for question in after if question in before] == list(before)
    assert [question.text for question in after if question not in before] == list(change.wordings)
    if name != "flow":
        rest = iter(edited.splitlines())
        assert all(line in rest for line in text.splitlines()), "no line of the old text is gone or moved"
        assert edited.count("\r\n") == (edited.count("\n") if ends == "\r\n" else 0)


def test_a_new_entry_says_what_it_was_given(corpus: Path, articles: tuple[Article, ...]) -> None:
    text = (corpus / FILE).read_text("utf-8")
    for change in CHANGES[2:]:
        text = amended(text, change, articles, corpus / FILE)
    added = read_questions(text, corpus / FILE, articles)
    assert KnownQuestion("yes", (EAT, Place("compost", ""))) in added
    assert KnownQuestion("'how much'", say="Ask: the shop.", topic="prices") in added


def test_the_library_s_own_file_gets_the_lines_and_no_other_change() -> None:
    articles = load_articles(CORPUS)
    path = CORPUS / FILE
    text = path.read_text("utf-8")
    like = load_questions(CORPUS, articles)[5].text
    edited = amended(text, MoreWordings(like, ("zebra stripes?", "a: b")), articles, path)
    assert edited.replace("  - zebra stripes?\n  - 'a: b'\n", "", 1) == text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (MoreWordings("does the box reek", ("Does the  box REEK",)), "known question already"),
        (MoreWordings("does the box reek", ("new", "NEW")), "twice"),
        (MoreWordings("nobody asks this", ("new",)), "no known question"),
        (NewAnswer((Place("worms", "Nowhere"),), ("new",)), "Nowhere"),
        (NewTopic("shopping", "Ask.", ("new",)), "topic"),
    ],
)
def test_what_can_not_be_added_is_refused(
    corpus: Path, articles: tuple[Article, ...], change: MoreWordings | NewAnswer | NewTopic, words: str
) -> None:
    with pytest.raises(AmendmentError, match=words):
        amended((corpus / FILE).read_text("utf-8"), change, articles, corpus / FILE)


def test_a_text_that_would_read_otherwise_is_left_to_its_author(articles: tuple[Article, ...]) -> None:
    text = "answered: []\nunanswered:\n- {say: A, questions: [&x a, *x]}\n"
    with pytest.raises(AmendmentError, match="by hand"):
        amended(text + "- {say: B, questions: [0x10]}\n", MoreWordings("16", ("new",)), articles, Path(FILE))
    with pytest.raises(AmendmentError, match="can't be put"):
        amended(text, NewAnswer((EAT,), ("new",)), articles, Path(FILE))


def test_the_first_question_makes_the_file(corpus: Path) -> None:
    (corpus / FILE).unlink()
    file = QuestionFile(corpus)
    diff, digest = file.diff(CHANGES[2])
    assert digest == file.digest()
    file.make(CHANGES[2], digest)
    assert [question.text for question in load_questions(corpus, load_articles(corpus))] == list(wordings(CHANGES[2]))
    assert diff.count("\n+") >= 5


def test_the_diff_is_what_is_made_and_can_be_taken_back(corpus: Path) -> None:
    file, path = QuestionFile(corpus), corpus / FILE
    path.chmod(0o640)
    old, whole = path.read_bytes(), corpus_digest(corpus)
    assert not file.can_take_back()
    diff, digest = file.diff(CHANGES[0])
    assert path.read_bytes() == old
    file.make(CHANGES[0], digest)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [line[1:] for line in diff.splitlines() if line.startswith("+  ")] == [
        "  - is it whiffy",
        "  - 'ooh: what a smell, isn''t it?'",
    ]
    assert not [line for line in diff.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert (corpus / BEFORE).read_bytes() == old
    assert file.can_take_back()
    new = path.read_bytes()
    back, digest = file.diff(TakeBack())
    assert "-  - is it whiffy" in back
    file.make(TakeBack(), digest)
    assert path.read_bytes() == old
    assert corpus_digest(corpus) == whole, "the file beside it is no part of the corpus"
    file.make(TakeBack(), file.digest())  # and back again
    assert path.read_bytes() == new
    assert sorted(one.name for one in corpus.iterdir() if "draft" in one.name) == []


def test_two_owners_do_not_overwrite_each_other(corpus: Path) -> None:
    one, other = QuestionFile(corpus), QuestionFile(corpus)
    (_, seen), (_, also) = one.diff(CHANGES[0]), other.diff(CHANGES[3])
    one.make(CHANGES[0], seen)
    now = (corpus / FILE).read_bytes()
    with pytest.raises(ChangedMeanwhileError):
        other.make(CHANGES[3], also)
    assert (corpus / FILE).read_bytes() == now


@pytest.mark.parametrize("content", [b"\xff", b"answered: [\n"])
def test_a_file_that_can_not_be_read_is_not_written(corpus: Path, content: bytes) -> None:
    (corpus / FILE).write_bytes(content)
    file = QuestionFile(corpus)
    with pytest.raises(CorpusError):
        file.make(CHANGES[0], file.digest())
    assert (corpus / FILE).read_bytes() == content
    assert not file.can_take_back()


def test_without_a_change_there_is_nothing_to_put_back(corpus: Path) -> None:
    with pytest.raises(AmendmentError, match="nothing to put back"):
        QuestionFile(corpus).diff(TakeBack())
