"""Known questions: how people ask for what the articles say, and what they ask that no article answers."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chatbot.articles import Article
from chatbot.errors import CorpusError
from chatbot.passages import Passage

logger = logging.getLogger(__name__)
FILE = "questions.yaml"
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands: a section, or the one sentence in it that opens with these words."""

    article: str
    heading: str
    sentence: str | None = None


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """One wording. Answered in its places, or, without any, not answered by the articles."""

    text: str
    places: tuple[Place, ...] = ()
    say: str = ""
    """For an unanswered question: where such an answer is to be had."""
    topic: str = ""
    """For an unanswered question: the group that it stands in."""


def load_questions(folder: Path, articles: Sequence[Article]) -> tuple[KnownQuestion, ...]:
    """The folder's `questions.yaml`, in its order; empty where there is none.

    Raises `CorpusError` for a file that can't be read and for a place that is not in the articles.
    """
    path = folder / FILE
    if not path.is_file():
        return ()
    try:
        text = path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError) as error:
        raise CorpusError(path, "can't be read as text", "save it as UTF-8") from error
    return read_questions(text, path, articles)


def read_questions(text: str, path: Path, articles: Sequence[Article]) -> tuple[KnownQuestion, ...]:
    """The questions of a text such as the file has. Raises `CorpusError`, in which `path` is named, as above."""
    try:
        raw = yaml.load(text, Loader) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise CorpusError(path, "can't be read as YAML", "mend the line", mark.line + 1 if mark else None) from error
    if not isinstance(raw, dict) or set(raw) - {"answered", "unanswered"}:
        raise CorpusError(path, "is not a map of answered and unanswered", "keep to these two parts")
    sections: dict[tuple[str, str], str] = {}
    for article in articles:
        for section in article.sections:
            key = (article.id, section.heading)
            sections[key] = f"{sections.get(key, '')}\n{section.text}"
    try:
        found = [question for entry in raw.get("answered") or () for question in _answered(path, entry, sections)]
        for entry in raw.get("unanswered") or ():
            topic = str(entry.get("topic") or entry["say"])
            found += [KnownQuestion(str(text), say=str(entry["say"]), topic=topic) for text in entry["questions"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise CorpusError(
            path, f"has an entry that lacks something ({error})", "compare it with its neighbours"
        ) from error
    gone = {
        place
        for question in found
        for place in question.places
        if place.sentence and place.sentence not in sections[place.article, place.heading]
    }
    for place in sorted(gone, key=str):
        logger.warning(
            "%s: '%s …' stands no more in '%s' of %s: what it answered is taken to be answered by the whole section; "
            "name another sentence, or move its questions to the unanswered ones",
            *(path.name, place.sentence, place.heading, place.article),
        )
    return tuple(found)


def _answered(path: Path, entry: dict[str, Any], sections: Mapping[tuple[str, str], str]) -> list[KnownQuestion]:
    places = tuple(Place(p["article"], p["heading"] or "", p.get("sentence")) for p in entry["places"])
    for place in places:
        if (place.article, place.heading) not in sections:
            raise CorpusError(
                path,
                f"names the section '{place.heading}' of {place.article}, which isn't there",
                "correct the heading",
            )
    return [KnownQuestion(str(text), places) for text in entry["questions"]]


def same(text: str) -> str:
    """A question without what makes no difference: capitals and spaces."""
    return " ".join(text.casefold().split())


def resolve(places: Sequence[Place], passages: Sequence[Passage]) -> tuple[int, ...]:
    """The numbers, among all sentences of the passages, of those that the places name. A place whose sentence
    has been edited away stands for its whole section."""
    exact: list[int] = []
    whole: list[int] = []
    for place in places:
        row, inside, hit = 0, [], []
        for passage in passages:
            for sentence in passage.sentences:
                if passage.article == place.article and passage.heading == place.heading:
                    inside.append(row)
                    if place.sentence and passage.sentence_text(sentence).startswith(place.sentence):
                        hit.append(row)
                row += 1
        exact += hit
        whole += [] if hit else inside
    return tuple(sorted(set(exact or whole)))
