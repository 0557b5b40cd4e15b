"""Changes to `questions.yaml` that an owner asks for: lines put into its text, so that comments, order and everything
else stay as somebody wrote them."""

import difflib
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chatbot.articles import Article, load_articles
from chatbot.errors import AmendmentError, ChangedMeanwhileError, CorpusError
from chatbot.questions import FILE, KnownQuestion, Loader, Place, read_questions, same

BEFORE = f"{FILE}.before"
"""The file as it was before the last change; nothing else reads it."""
_LINE_ENDS = ("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class MoreWordings:
    """Further ways to ask what an entry is about. `like` is one of its wordings."""

    like: str
    wordings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """A new entry of questions that these places answer."""

    places: tuple[Place, ...]
    wordings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewTopic:
    """A new entry of questions that the articles don't answer, and what to say to them."""

    topic: str
    say: str
    wordings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TakeBack:
    """The file as it was before the last change."""


Change = MoreWordings | NewAnswer | NewTopic | TakeBack


class QuestionFile:
    """The `questions.yaml` of one folder. Safe to share between threads; between processes the digest of the text that
    a change was made on tells whether another has changed it meanwhile."""

    def __init__(self, corpus: Path) -> None:
        self._corpus, self._path = corpus, corpus / FILE
        self._lock = threading.Lock()

    def digest(self) -> str:
        """SHA-256 of the file as it is now; of nothing where there is none."""
        return _digest(self._bytes())

    def can_take_back(self) -> bool:
        """Whether the file as it was before the last change is there."""
        return (self._corpus / BEFORE).is_file()

    def diff(self, change: Change) -> tuple[str, str]:
        """(what the change does, as a unified diff; the digest of the file that it was made on).

        Raises `AmendmentError` for a change that can't be made, `CorpusError` for a file that can't be read.
        """
        old = self._bytes()
        before = _text(old)
        after = self._changed(before, change)
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), FILE, FILE, lineterm="")
        return "\n".join(lines), _digest(old)

    def make(self, change: Change, digest: str) -> None:
        """Replace the file, in one step, and keep the old one beside it.

        Raises `ChangedMeanwhileError` unless the file has this digest, what `diff` raises, and OSError.
        """
        with self._lock:
            old = self._bytes()
            if _digest(old) != digest:
                raise ChangedMeanwhileError("The questions were changed by somebody else. Please look at them again.")
            new = self._changed(_text(old), change).encode()
            _put(self._corpus / BEFORE, old, self._path)
            _put(self._path, new, self._path)

    def _changed(self, text: str, change: Change) -> str:
        articles = load_articles(self._corpus)
        if isinstance(change, TakeBack):
            try:
                before = (self._corpus / BEFORE).read_bytes()
            except OSError:
                raise AmendmentError("There is nothing to put back.") from None
            read_questions(_text(before), self._corpus / BEFORE, articles)
            return _text(before)
        return amended(text, change, articles, self._path)

    def _bytes(self) -> bytes:
        return self._path.read_bytes() if self._path.is_file() else b""


def amended(text: str, change: MoreWordings | NewAnswer | NewTopic, articles: Sequence[Article], path: Path) -> str:
    """The text with the change in it: the same questions, and the new ones where they belong.

    Raises `AmendmentError` where that can't be done, `CorpusError` where the text itself can't be read.
    """
    before = read_questions(text, path, articles)
    _refuse_known(change.wordings, before)
    expected = _new_questions(change, before)
    root = yaml.compose(text, Loader=Loader)
    edited = _INSERT[type(change)](text, root, change)
    try:
        after = read_questions(edited, path, articles)
    except CorpusError as error:
        raise AmendmentError(f"That can't be put into {FILE}: {error.problem}.") from error
    wordings = set(change.wordings)
    # Whatever the text looks like to us: loaded, it must be what it was, and the new questions.
    if [q for q in after if q.text not in wordings] != list(before) or [
        q for q in after if q.text in wordings
    ] != expected:
        raise AmendmentError(f"{FILE} is written in a way that can't be added to here; please edit it by hand.")
    return edited


def _refuse_known(wordings: Sequence[str], known: Sequence[KnownQuestion]) -> None:
    there = {same(question.text): question for question in known}
    for place, wording in enumerate(wordings):
        if same(wording) in there:
            raise AmendmentError(f"“{wording}” is a known question already.")
        if same(wording) in map(same, wordings[:place]):
            raise AmendmentError(f"“{wording}” stands there twice.")


def _new_questions(change: MoreWordings | NewAnswer | NewTopic, known: Sequence[KnownQuestion]) -> list[KnownQuestion]:
    """What the change adds, as it is to be loaded."""
    if isinstance(change, NewAnswer):
        return [KnownQuestion(wording, change.places) for wording in change.wordings]
    if isinstance(change, NewTopic):
        if any(question.topic == change.topic for question in known):
            raise AmendmentError(f"There is a topic “{change.topic}” already; add the questions to it.")
        return [KnownQuestion(wording, say=change.say, topic=change.topic) for wording in change.wordings]
    for question in known:
        if question.text == change.like:
            return [
                KnownQuestion(wording, question.places, question.say, question.topic) for wording in change.wordings
            ]
    raise AmendmentError(f"“{change.like}” is no known question any more.")


# --- text -----------------------------------------------------------------------------------------------------


def _add_wordings(text: str, root: Any, change: MoreWordings) -> str:
    for part in ("answered", "unanswered"):
        for entry in _items(_value(root, part)):
            questions = _value(entry, "questions")
            if any(str(item.value) == change.like for item in _items(questions)):
                return _append(text, questions, list(change.wordings))
    raise AmendmentError(f"{FILE} is written in a way that can't be added to here; please edit it by hand.")


def _add_answer(text: str, root: Any, change: NewAnswer) -> str:
    places = [
        {"article": place.article, "heading": place.heading} | ({"sentence": place.sentence} if place.sentence else {})
        for place in change.places
    ]
    return _add_entry(text, root, "answered", {"places": places, "questions": list(change.wordings)})


def _add_topic(text: str, root: Any, change: NewTopic) -> str:
    entry = {"topic": change.topic, "say": change.say, "questions": list(change.wordings)}
    return _add_entry(text, root, "unanswered", entry)


_INSERT: dict[type, Callable[[str, Any, Any], str]] = {
    MoreWordings: _add_wordings,
    NewAnswer: _add_answer,
    NewTopic: _add_topic,
}


def _add_entry(text: str, root: Any, part: str, entry: dict[str, Any]) -> str:
    entries = _value(root, part)
    if _items(entries):
        return _append(text, entries, [entry])
    if entries is None:
        return _insert(text, len(text), f"{part}:\n{_dumped([entry])}")
    return _insert(text, entries.start_mark.index, _dumped([entry]))  # the part is there, with nothing in it


def _append(text: str, sequence: Any, items: list[Any]) -> str:
    """The text with items more at the end of a sequence that has some, written as that sequence is."""
    last = _items(sequence)[-1]
    if sequence.flow_style:
        end = last.end_mark.index
        return text[:end] + "".join(f", {_in_flow(item)}" for item in items) + text[end:]
    indent = " " * sequence.start_mark.column
    lines = _dumped(items).splitlines(keepends=True)
    return _insert(text, _end(last).index, "".join(indent + line for line in lines))


def _insert(text: str, index: int, lines: str) -> str:
    """Whole lines behind the line that `index` is in, or before the one that it begins; with the text's line ends."""
    newline = next((end for end in _LINE_ENDS if end in text), "\n")
    if index and text[index - 1] != "\n":
        end = text.find("\n", index)
        if end < 0:
            text, index = text + newline, len(text + newline)
        else:
            index = end + 1
    return text[:index] + lines.replace("\n", newline) + text[index:]


def _dumped(value: list[Any]) -> str:
    return str(yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=float("inf")))


def _in_flow(value: Any) -> str:
    return str(
        yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, default_style='"', width=float("inf"))
    ).strip()


def _end(node: Any) -> Any:
    """The mark behind the last scalar or bracket of a node: a block has none of its own."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        return node.end_mark
    last = node.value[-1]
    return _end(last[1] if isinstance(node, yaml.MappingNode) else last)


def _value(node: Any, key: str) -> Any:
    """The value of a key in a map; None where there is no such map or key."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _items(node: Any) -> Sequence[Any]:
    return node.value if isinstance(node, yaml.SequenceNode) else ()


# --- files ----------------------------------------------------------------------------------------------------


def _text(content: bytes) -> str:
    """Decoded, its line ends as they are."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(FILE, "can't be read as text", "save it as UTF-8") from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _put(path: Path, content: bytes, like: Path) -> None:
    """Write a file in one step, with the rights of another one. Its draft has an ending that no corpus reads."""
    draft = path.with_name(f"{FILE}.draft")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if like.is_file():
            shutil.copymode(like, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
