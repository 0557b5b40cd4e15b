"""A conversation: its turns, small talk, and what a message means after the turns before it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Talk = Literal["greeting", "thanks", "goodbye", "identity", "ability", "wellbeing", "human"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation so far."""

    role: Literal["user", "assistant"]
    content: str


_OPENING = r"(?:hi|hello|hey|good (?:morning|afternoon|evening)|greetings|howdy|yo|hiya|sup)"
_TALK: tuple[tuple[Talk, str], ...] = (
    (
        "human",
        r"(?:can|could|may) i (?:talk|speak|chat) (?:to|with) (?:a |an )?(?:human|real person|person|someone|somebody|agent)(?: please)?",
    ),
    (
        "human",
        r"(?:i (?:want|need|would like) to )?(?:talk|speak) (?:to|with) (?:a |an )?(?:human|real person|person|agent)(?: please)?",
    ),
    (
        "identity",
        r"(?:who|what) (?:are|r) (?:you|u)(?: exactly)?|are you (?:a )?(?:real|human|person|bot|robot|ai|real person|machine)(?: or .{1,20})?",
    ),
    (
        "identity",
        r"(?:am i|is this) (?:talking to |chatting with )?(?:a )?(?:real person|human|bot|robot|ai|person)(?: or .{1,20})?",
    ),
    (
        "ability",
        r"what can (?:you|u|this) (?:do|help(?: me)? with|answer)|how (?:do you|does this) work|what (?:can|should) i ask(?: you)?|help",
    ),
    ("wellbeing", rf"(?:{_OPENING} )?how (?:are|r) (?:you|u|ya)(?: doing)?(?: today)?|how'?s it going"),
    ("greeting", rf"{_OPENING}(?: there| everyone| all| bot)?"),
    (
        "thanks",
        r"(?:ok(?:ay)? |great |perfect |awesome )?(?:thanks?|thank (?:you|u)|thx|ty|tysm|cheers|much appreciated)(?: (?:a lot|so much|very much|you|for (?:your|the) help|again|that helps|bye))*|that (?:helps|was helpful)",
    ),
    (
        "goodbye",
        r"(?:good)?bye(?: bye| now)?|see (?:you|ya)(?: later)?|good ?night|have a (?:good|nice) (?:day|night|one)|that'?s all(?: thanks)?|take care",
    ),
)
_COMPILED = tuple((kind, re.compile(rf"(?:{pattern})", re.IGNORECASE)) for kind, pattern in _TALK)


def small_talk(message: str) -> Talk | None:
    """The kind of small talk that the whole message is, or None. A greeting before a question is not."""
    text = re.sub(r"[^\w' ]+", " ", message.replace("’", "'"))
    text = re.sub(r"\s+", " ", text).strip()
    return next((kind for kind, pattern in _COMPILED if pattern.fullmatch(text)), None)


_HELLO = re.compile(
    rf"^\s*{_OPENING}(?: there| everyone| all)?\s*[,.!:;-]+\s*(?=\S)|^\s*{_OPENING} there\s+(?=\S)", re.IGNORECASE
)


def without_greeting(message: str) -> str:
    """The message without a greeting that opens it."""
    return _HELLO.sub("", message).strip() or message


def contextualise(message: str, history: Sequence[Turn]) -> str:
    """The question to answer. For now every message stands alone; follow-ups have their place here."""
    del history
    return without_greeting(message)


_NEXT = r"(?:how|what|when|where|who|which|why|is|are|do|does|did|can|could|will|would|should|if)"
_PART = re.compile(
    rf"\?+\s+|\s*[;,]?\s+(?:and|also|plus|and also)\s+(?={_NEXT}\b)|\s*[,;]\s+(?={_NEXT}\b)", re.IGNORECASE
)


def split_questions(message: str) -> tuple[str, ...]:
    """The questions that one message asks, in order; the message itself where it asks one.

    A message is split only where a new question word begins a part of at least three words on both sides.
    """
    parts = [part.strip() for part in _PART.split(message)]
    parts = [part for part in parts if part]
    asked = [part for part in parts if re.search(rf"\b{_NEXT}\b", part, re.IGNORECASE) and len(part.split()) >= 3]
    if len(asked) < 2 or len(asked) > 4:
        return (message,)
    return tuple(asked)
