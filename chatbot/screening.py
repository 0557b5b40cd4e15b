"""The danger screen as a whole: patterns first, then a small classifier that catches what they miss."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from chatbot import safety
from chatbot.answers import CARDS, IN_CASE
from chatbot.conversation import Turn, contextualise, small_talk
from chatbot.errors import ModelError
from chatbot.graph import GRAPH, AdaptedModel, Vectors, check_shipped
from chatbot.lexical import STOP_WORDS
from chatbot.safety import Concern

WEIGHTS = GRAPH.with_name("safety.safetensors")
TALK_WEIGHTS = GRAPH.with_name("talk.safetensors")
TALK_KINDS = (
    "none", "greeting", "thanks", "goodbye", "identity", "ability", "wellbeing", "human", "insult", "acknowledgement",
)  # fmt: skip
TALK = 0.45
"""The probability from which a message is small talk."""
LONGEST_TALK = 20
"""Words of small talk at most; a longer message has something to ask."""
CLASSES = ("none", "suicide", "overdose", "withdrawal", "violence", "child_danger", "medical_advice")
LONGEST_PARTS = 24
"""Sentences of a message that are read by themselves."""
DANGER = 0.35
"""The classifier's probability from which a message counts as danger."""
CERTAIN, BRIEF = 0.8, 6
"""Below this, what is small talk in so few words is no danger: "goodbye" is one word of many farewells."""
IN_PLACE = 0.55
"""What the classifier alone takes for danger, but less than this on average with how it reads it after the question
before, gets its answer, with whom to call above it: "why not just go home" after inpatient care is no cry for help."""
CONFIRMED = 0.05
"""The same where a pattern saw it too."""
DOUBTFUL = 0.15
"""From here the message gets its answer, with whom to call above it."""
STORY = 4
"""Sentences from which a message is also read in parts."""
LONGEST_BEFORE = 5000
"""Characters of an earlier message that are looked at again."""
LESS_FOR_A_PART = 0.65
"""A part, read without the rest, must be this much surer."""
FAINT = 0.6
"""Below this the classifier hardly sees a danger: of harmless sentences in other languages it has given up to 0.42, of
those that show danger 0.58 and more."""
MEDICAL = 0.35
"""The classifier's probability from which a personal medical decision is asked for."""
ASIDE, SHORTEST_TOLD = 0.95, 4
"""From this danger of what is told beside a question, read by itself, whom to call is shown: the question may hide it."""
_ASKING = r"(?:how|what|when|where|who|which|why|is|are|do|does|did|can|could|will|would|should|may)\b"
_BEFORE_ASKING = re.compile(rf"(?<=[.!?;])\s+|,\s+(?={_ASKING})", re.IGNORECASE)
_OPENS_A_QUESTION = re.compile(_ASKING, re.IGNORECASE)
_STILL = re.compile(
    r"\W*(?:yes|yeah|yep|yup|y|i am|i do|i have|kind of|sort of|maybe|a little|not really|no i'?m not|i'?m not (?:ok|okay|safe)"
    r"|not (?:ok|okay|safe)|no|help|help me|please|pls|i don'?t know|idk|tonight|right now|now)\b.{0,40}",
    re.IGNORECASE,
)
_WELL = re.compile(
    r"\b(?:i'?m|i am|we'?re|it'?s|he'?s|she'?s) (?:(?!not\b)\w+ )?(?:fine|ok|okay|safe|good|alright|joking|kidding)\b|\bjoking\b|\bfalse alarm\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Screening:
    """What the screen makes of a message."""

    concern: Concern | None
    doubtful: bool = False
    """No danger said, but near enough to it to show whom to call."""
    talk: str | None = None
    """The kind of small talk that the message is, if it is any."""
    chatty: float = field(default=0.0, compare=False)
    """The probability of that."""
    guessed: bool = False
    """Whether the classifier alone took it for a concern: no pattern did."""
    faint: bool = False
    """Whether it alone, and hardly, saw danger: of another language, which it was hardly trained on, it may err."""

    @property
    def alarming(self) -> bool:
        """Whether there is any concern or doubt."""
        return self.concern is not None or self.doubtful

    @property
    def dangerous(self) -> bool:
        """Whether a life may be in danger: what was written is not to be stored."""
        return self.doubtful or self.concern not in (None, Concern.MEDICAL_ADVICE)


class ConcernModel:
    """Low-rank changes to the packaged encoder with a linear layer over its vectors for danger, trained by
    `training/train_safety.py`, and one for small talk over these beside the encoder's own, by `training/train_talk.py`."""

    def __init__(self, weights: Path = WEIGHTS, talk: Path | None = TALK_WEIGHTS) -> None:
        """Load the weights. Raises `ModelError`."""
        from safetensors.numpy import load_file

        self._model, self._plain = AdaptedModel(weights), AdaptedModel(None)
        self._weight = self._model.changes["head.weight"].astype(np.float32)
        self._bias = self._model.changes["head.bias"].astype(np.float32)
        if talk is not None:
            check_shipped(talk)
            self._talk = load_file(talk)

    def rows(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), 384), of which the other methods judge."""
        return self._model.encode(texts)

    def shares(self, rows: Vectors) -> Vectors:
        """The probability of each class of `CLASSES`, shape (len(rows), len(CLASSES))."""
        return _softmax(rows @ self._weight.T + self._bias)

    def talk_rows(self, texts: Sequence[str], rows: Vectors) -> Vectors:
        """What small talk is told by, shape (len(texts), 768): `rows` of these texts, and the encoder's own vectors."""
        return np.hstack([rows, self._plain.encode(texts)])

    def talk(self, text: str, row: Vectors) -> tuple[str | None, float]:
        """The kind of small talk of one message with its row, one of `TALK_KINDS`, if it surely is some, and the
        probability that it is any."""
        shares = _softmax(self.talk_rows([text], row[None]) @ self._talk["weight"].T + self._talk["bias"])[0]
        chatty = 1.0 - float(shares[0])
        return TALK_KINDS[int(np.argmax(shares[1:])) + 1] if chatty >= TALK else None, chatty


def _softmax(logits: Vectors) -> Vectors:
    shares: Vectors = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


class Screen:
    """Both layers. Without the classifier the patterns still work, and `whole` is False."""

    def __init__(self, model: ConcernModel | None) -> None:
        self._model = model

    @classmethod
    def open(cls) -> "Screen":
        """With the classifier if its weights can be loaded."""
        try:
            return cls(ConcernModel())
        except ModelError:
            return cls(None)

    @property
    def whole(self) -> bool:
        """Whether both layers work."""
        return self._model is not None

    def __call__(self, message: str, history: Sequence[Turn] = ()) -> Screening:
        """What the message, after these turns, is a sign of."""
        text = safety.normalise(message)
        seen = safety.screen(message)
        if seen is None and _goes_on(text, history):
            return Screening(_last_concern(history))
        if self._model is None or (seen is not None and seen is safety.screen_abroad(message)):
            return Screening(seen)
        rows = self._model.rows(parts(text))
        chats = len(text.split()) <= LONGEST_TALK and not _asks_for_more(text)
        talk, chatty = self._model.talk(text, rows[0]) if chats else (None, 0.0)
        if seen is None and _says_nothing(text):
            return Screening(None, talk=talk, chatty=chatty)
        shares = self._model.shares(rows)
        dangers = 1.0 - shares[:, 0] - shares[:, -1]
        danger = max(float(dangers[0]), float(dangers[1:].max(initial=0.0)) - LESS_FOR_A_PART)
        kind = Concern(CLASSES[int(np.argmax(shares[:, 1:-1].max(axis=0))) + 1])
        medical = float(shares[:, -1].max())
        if seen is None and talk and danger < CERTAIN and len(text.split()) <= BRIEF:
            return Screening(None, talk=talk, chatty=chatty)
        patterned = seen is not None and seen is not Concern.MEDICAL_ADVICE
        in_place = self._in_place(text, history) if seen is None and danger >= DANGER else None
        if in_place is not None and (danger + in_place) / 2 < IN_PLACE:
            return Screening(None, True, talk, chatty)
        if danger >= DANGER or (patterned and danger >= CONFIRMED):
            return Screening(
                seen if patterned and seen is not None else kind,
                guessed=seen is None,
                faint=seen is None and danger < FAINT,
            )
        if medical >= MEDICAL or (seen is Concern.MEDICAL_ADVICE and medical >= CONFIRMED):
            return Screening(Concern.MEDICAL_ADVICE, guessed=seen is None)
        before_it = told(text)
        apart = self._model.shares(self._model.rows([before_it]))[0] if before_it else None
        aside = apart is not None and 1.0 - float(apart[0]) - float(apart[-1]) >= ASIDE
        return Screening(None, danger >= DOUBTFUL or aside, talk, chatty)

    def _in_place(self, text: str, history: Sequence[Turn]) -> float | None:
        """The probability of danger of a message read after the question before it; None where there is none, or danger
        was in the air before."""
        asked = [turn.content for turn in history if turn.role == "user"]
        if self._model is None or not asked or danger_before(history):
            return None
        before = safety.normalise(asked[-1][:LONGEST_BEFORE]).rstrip("?. ")
        shares = self._model.shares(self._model.rows([f"{before}? {text}"]))[0]
        return 1.0 - float(shares[0]) - float(shares[-1])


def unreadable(message: str, limit: int) -> Literal["empty", "long", "unreadable"] | None:
    """Why a message can't be looked at, if it can't: without a word, of more than `limit` characters, torn."""
    if not message.strip():
        return "empty"
    if len(message) > limit:
        return "long"
    torn = any("\ud800" <= character <= "\udfff" for character in message)  # half a pair is no character
    said = any(map(str.isalnum, safety.normalise(message))) or small_talk(message)
    return "unreadable" if torn or not said else None


def parts(message: str) -> list[str]:
    """The message, and of one that is a story its sentences, two by two: danger hides between ordinary ones."""
    sentences = [part for part in re.split(r"(?<=[.!?;])\s+", message.strip()) if part][:LONGEST_PARTS]
    if len(sentences) < STORY:
        return [message]
    return [message, *(f"{one} {other}" for one, other in itertools.pairwise(sentences))]


def told(message: str) -> str:
    """What a message tells beside the question that it asks; empty where it does only one of the two."""
    pieces = [piece for piece in _BEFORE_ASKING.split(message) if piece]
    telling = [piece for piece in pieces if not (piece.endswith("?") or _OPENS_A_QUESTION.match(piece))]
    text = " ".join(telling)
    return text if 0 < len(telling) < len(pieces) and len(text.split()) >= SHORTEST_TOLD else ""


def _says_nothing(text: str) -> bool:
    """Whether a message has too few words of its own for the classifier, which was trained on whole messages: small
    talk, "ok", "why", "tell me more", a grumble about this program."""
    content = [
        word for word in re.findall(r"[^\W\d_]{2,}", text.lower()) if word not in STOP_WORDS | {"ok", "okay", "yes"}
    ]
    return bool(small_talk(text) or _asks_for_more(text) or not content)


def _asks_for_more(text: str) -> bool:
    """Whether a message asks for more of the answer before it, or where that stands."""
    return contextualise(text, (Turn("user", "what is it"),)).bearing in ("more", "where")


def danger_before(history: Sequence[Turn]) -> bool:
    """Whether danger was in the air in these turns: a card was shown, or the last message has a sign of it."""
    cards = (*CARDS.values(), IN_CASE)
    shown = any(card in turn.content for turn in history if turn.role == "assistant" for card in cards)
    messages = [turn.content for turn in history if turn.role == "user"]
    last = " ".join(messages[-1:])[:LONGEST_BEFORE]
    return shown or safety.screen(last) not in (None, Concern.MEDICAL_ADVICE)


def _last_concern(history: Sequence[Turn]) -> Concern | None:
    """The concern whose card was the last thing said, if it was one."""
    replies = [turn.content for turn in history if turn.role == "assistant"]
    return next((Concern(name) for name, card in CARDS.items() if replies and card in replies[-1]), None)


def _goes_on(text: str, history: Sequence[Turn]) -> bool:
    """Whether a short reply to a crisis card says that the danger goes on."""
    return _last_concern(history) is not None and not _WELL.search(text) and _STILL.fullmatch(text) is not None
