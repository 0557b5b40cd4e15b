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


_ASKS = r"(?:how|what|what'?s|when|where|who|who'?s|which|why|whether|is|are|do|does|did|can|could|will|would|should|has|have)"
_PART = re.compile(
    rf"\?+\s+|[.!]\s+|\s*[;,]?\s+(?:and also|and|also|plus)\s+(?={_ASKS}\b)|\s*[,;]\s+(?={_ASKS}\b)", re.IGNORECASE
)
_QUESTION = re.compile(rf"(?:(?:so|ok|okay|and|also|but|well|um|hi|hello|please|then)\W+)*{_ASKS}\b", re.IGNORECASE)
_INDIRECT = re.compile(
    rf"\b(?:asks?|asking|wants? to know|wondering|wonder|tell me|know|ask|curious|explain)\s+(?:about\s+)?(?:if\b|{_ASKS}\b)",
    re.IGNORECASE,
)
# "When choosing a program, is …", "if he works nights, can …": the first half is no question of its own.
_CONDITION = re.compile(
    r"(?:if|when|while|since|because|after|before|once|as|given)\b(?!\s+(?:is|are|do|does|did|can|will|would|should)\b)",
    re.IGNORECASE,
)
MOST_PARTS = 4


def split_questions(message: str) -> tuple[str, ...]:
    """The questions that one message asks, in order; the message itself where it asks one.

    What is told before a question, or between two, stays with the question after it; what is told at the end,
    with the one before it.
    """
    parts: list[str] = []
    waiting = ""
    end = 0
    for match in [*_PART.finditer(message), None]:
        piece = message[end : match.start() if match else len(message)]
        mark = message[match.start() : match.end()] if match else ""
        end = match.end() if match else len(message)
        whole = (waiting + piece).strip()
        asks = (_QUESTION.match(piece.strip()) and not _CONDITION.match(piece.strip())) or _INDIRECT.search(piece)
        if asks and len(whole.split()) >= 3:
            parts.append(whole)
            waiting = ""
        else:
            waiting = whole + mark
    if waiting.strip() and parts:
        parts[-1] = f"{parts[-1]}. {waiting.strip()}"
    return tuple(parts) if 2 <= len(parts) <= MOST_PARTS else (message,)
