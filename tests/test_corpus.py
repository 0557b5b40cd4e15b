"""The corpus: our own words, each sentence to be quoted alone, and every place that it names is there."""

import ast
import json
import os
import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest
import yaml
from conftest import CORPUS, ORIGINALS, ROOT

from chatbot.articles import Article, load_articles
from chatbot.index import PassageIndex
from chatbot.lexical import terms
from chatbot.passages import leans_back, split_sections
from chatbot.safety import load_helplines

RUN = 9
"""So many words in a row that also stand in an original are its words and not ours."""
SOURCES_WORDS = {"title", "sections", "heading", "article", "publisher", "url", "id"}
"""Names of values that repeat a title or heading as the source prints it, which is what they are for."""
POINTS_ELSEWHERE = re.compile(
    r"(?:it|its|this|that|they|their|them|these|those|he|she|his|her|such|here|there|however|but|also|so|then|thus"
    r"|therefore|instead|otherwise|additionally|furthermore|moreover|both|we|our|you|your)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def articles() -> tuple[Article, ...]:
    return load_articles(CORPUS)


@pytest.fixture(scope="module")
def sources() -> list[Path]:
    """The originals' files. Without them there is nothing to compare with."""
    if not ORIGINALS.is_dir():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no originals in {ORIGINALS}")
    return sorted(ORIGINALS.glob("*.txt"))


# --- our own words -----------------------------------------------------------------------------------------------


@cache
def plain(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[a-z0-9]+", text.lower().replace("’", "").replace("'", "")))


def runs(text: str) -> set[tuple[str, ...]]:
    words = plain(text)
    return {words[start : start + RUN] for start in range(len(words) - RUN + 1)}


def texts(value: object, name: str = "") -> Iterator[str]:
    """Every text in a value read from JSON or YAML but for titles and headings."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from texts(part, str(key))
    elif isinstance(value, list):
        if name not in SOURCES_WORDS or any(isinstance(part, dict) for part in value):
            for part in value:
                yield from texts(part, "" if name in SOURCES_WORDS else name)
    elif isinstance(value, str) and name not in SOURCES_WORDS:
        yield re.sub(r"\\[a-z]", " ", value) if name == "facts" else value


def written(path: Path) -> Iterator[str]:
    """The texts of one of our files."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        for line in content.splitlines():
            yield from texts(json.loads(line))
    elif path.suffix == ".yaml":
        yield from texts(yaml.load(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    elif path.suffix == ".py":
        nodes = ast.walk(ast.parse(content))
        yield from (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    else:
        yield "\n".join(line for line in content.split("\n") if not re.match(r"(?:title: |#{1,6} )", line))


def ours() -> list[Path]:
    patterns = ("corpus/*.md", "corpus/*.yaml", "tests/**/*.py", "tests/**/*.jsonl", "training/**/*.jsonl",
                "training/*.py", "chatbot/*.py", "benchmarks/*.py", "*.md", "docs/*.md")  # fmt: skip
    return sorted({path for pattern in patterns for path in ROOT.glob(pattern)})


def test_nothing_of_ours_is_an_originals(sources: list[Path]) -> None:
    taken = {run: source.name for source in sources for run in runs(source.read_text("utf-8"))}
    files = ours()
    assert len(sources) == 5
    assert len([path for path in files if path.parent == CORPUS]) >= 8
    # Titles are the sources' own, in a footnote as anywhere.
    titles = {run for entry in listing() for run in runs(entry["title"] or "")}
    found = [
        (path.relative_to(ROOT).as_posix(), " ".join(run), taken[run])
        for path in files
        for text in written(path)
        for run in runs(text)
        if run in taken and run not in titles
    ]
    assert found == []


def test_an_originals_words_would_be_found(sources: list[Path]) -> None:
    text = sources[0].read_text("utf-8")
    part = " ".join(text.split()[200:230])
    assert len(runs(part) & runs(text)) >= 10
    assert not runs("nine words in a row that no publisher ever printed") & runs(text)


def listing() -> list[dict[str, str | None]]:
    entries: list[dict[str, str | None]] = yaml.load((ORIGINALS / "articles.yaml").read_text("utf-8"), yaml.BaseLoader)
    return [{key: None if value in ("null", "") else value for key, value in entry.items()} for entry in entries]


def test_the_front_matter_is_that_of_the_sources(sources: list[Path], articles: tuple[Article, ...]) -> None:
    own = {article.id: article for article in articles}
    assert set(own) == {entry["id"] for entry in listing()} == {source.stem for source in sources}
    for entry in listing():
        article = own[entry["id"] or ""]
        assert (article.title, article.publisher, article.url, article.updated) == (
            entry["title"],
            entry["publisher"],
            entry["url"],
            entry["updated"],
        )
        assert article.edition == "summary"


# --- to be quoted alone ------------------------------------------------------------------------------------------


def sentences(articles: tuple[Article, ...]) -> Iterator[tuple[str, str, str]]:
    """Place, role and words of every sentence."""
    for article in articles:
        for passage in split_sections(article):
            for sentence in passage.sentences:
                yield passage.id, sentence.role, passage.sentence_text(sentence)


def test_every_sentence_names_its_subject(articles: tuple[Article, ...]) -> None:
    found = list(sentences(articles))
    assert len(found) > 200
    assert [(place, text) for place, _, text in found if POINTS_ELSEWHERE.match(text) or leans_back(text)] == []


def test_every_sentence_is_whole(articles: tuple[Article, ...]) -> None:
    for place, role, text in sentences(articles):
        assert text[0].isupper() or text[0].isdigit(), place
        assert text.endswith(":" if role == "lead" else "."), place
        assert len(text.split()) > 3, place
        assert not re.search(r"[*_`#\[\]<>]|https?:|\s\s", text), place


def test_every_section_has_text_of_its_own_and_no_sentence_stands_twice(articles: tuple[Article, ...]) -> None:
    for article in articles:
        own = [text for place, _, text in sentences(articles) if place.startswith(f"{article.id}/")]
        assert len(set(own)) == len(own)
        assert len({section.trail for section in article.sections}) == len(article.sections)


# --- helplines, glossary, known questions ---------------------------------------------------------------------------


def test_every_helpline_was_verified_within_a_year() -> None:
    for line in load_helplines(CORPUS / "helplines.yaml"):
        assert date.today() - timedelta(days=366) <= date.fromisoformat(line.verified), f"check {line.id} again"
        assert line.source.startswith("https://")
        assert line.purpose
        assert line.hours


def test_the_glossary_leads_to_words_that_the_articles_use(index: PassageIndex) -> None:
    vocabulary = index.rows.passage_terms.vocabulary
    for lay, meant in index.glossary.lay_words.items():
        assert any(set(terms(word)) <= vocabulary for word in meant), f"{lay}: {meant}"


def entries() -> dict[str, list[dict[str, object]]]:
    content = (CORPUS / "questions.yaml").read_text("utf-8")
    raw: dict[str, list[dict[str, object]]] = yaml.load(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return raw


def test_every_place_of_the_known_questions_is_one_sentence_of_the_index(index: PassageIndex) -> None:
    texts_of: dict[tuple[str, str], list[str]] = {}
    for number, sentence in index.sentences:
        passage = index.passages[number]
        texts_of.setdefault((passage.article, passage.heading), []).append(passage.sentence_text(sentence))
    lost = []
    for place in {place for question in index.questions for place in question.places}:
        inside = texts_of[place.article, place.heading]
        if place.sentence and sum(text.startswith(place.sentence) for text in inside) != 1:
            lost.append(place)
    assert lost == []


def test_every_known_question_leads_somewhere(index: PassageIndex) -> None:
    for question, rows in zip(index.questions, index.question_rows, strict=True):
        assert question.text.strip() == question.text != ""
        if question.places:
            assert 1 <= len(rows) <= 40, question.text
            assert not question.say
        else:
            assert rows == ()
            assert question.say.endswith((".", "?")), question.text


def test_no_question_is_both_answered_and_not(index: PassageIndex) -> None:
    wordings: dict[str, bool] = {}
    for question in index.questions:
        wording = " ".join(plain(question.text))
        assert wordings.setdefault(wording, bool(question.places)) is bool(question.places), question.text


def test_no_development_question_is_a_known_one(index: PassageIndex) -> None:
    """Else the figures would be about what was put into the file."""
    known = {plain(question.text) for question in index.questions}
    for path in sorted((ROOT / "tests" / "questions").glob("*.jsonl")):
        asked = [json.loads(line)["question"] for line in path.read_text("utf-8").splitlines()]
        assert [question for question in asked if plain(question) in known] == [], path.name


def test_the_known_questions_have_topics_and_advice() -> None:
    raw = entries()
    assert set(raw) == {"answered", "unanswered"}
    assert all(entry["places"] and entry["questions"] for entry in raw["answered"])
    assert all(entry["topic"] and entry["say"] and entry["questions"] for entry in raw["unanswered"])
