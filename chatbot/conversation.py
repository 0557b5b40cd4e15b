"""A conversation: its turns, small talk, and what a message means after the turns before it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chatbot.lexical import STOP_WORDS, terms
from chatbot.segmentation import Exchange

Talk = Literal[
    "greeting", "thanks", "goodbye", "identity", "ability", "wellbeing", "human", "insult", "acknowledgement"
]


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
        "insult",
        r"(?:(?:you(?:'?re| are)?|u r|this(?: (?:thing|bot|site))?(?: is)?|that(?:'s| is)?|it(?:'s| is)?) )?(?:so |really |just |very )?"
        r"(?:useless|stupid|dumb|suck|sucks|(?:not|no|un) ?help(?:ful)?|annoying|ridiculous)",
    ),
    (
        "goodbye",
        r"(?:good ?)?bye(?: bye| now)?|see (?:you|ya)(?: later)?|good ?night|have a (?:good|nice) (?:day|night|one)|that'?s all(?: thanks)?|take care",
    ),
    (
        "acknowledgement",
        r"(?:that'?s |very |really |how |all |of )?(?:ok(?:ay)?|k|right|good|great|sure|perfect|cool|nice|wonderful|excellent|exactly|fine|alright|awesome"
        r"|amazing|fair(?: enough)?|true|interesting|noted|understood|got it|gotcha|i see|(?:that )?makes sense|good to know|course|yes|yeah|yep|yup|no|nope|nah)",
    ),
)
_FILLER = r"(?:ok(?:ay)?|alright|well|so|and|oh|um|hm+|anyway|then|now|please|though|lol)"
_COMPILED = tuple(
    (kind, re.compile(rf"(?:{_FILLER} )*(?:{pattern})(?: {_FILLER})*", re.IGNORECASE)) for kind, pattern in _TALK
)
_SIGNS: tuple[tuple[Talk, str], ...] = (
    ("greeting", "👋"),
    ("thanks", "🙏🤝❤💙💚💛💜🧡💕😘🤗🥰"),
    ("acknowledgement", "👍👌✅✔😊🙂😀😃😄😁👏💯"),
    ("insult", "👎🙄😒🤬🖕"),
)
_EMOJI = {sign: kind for kind, signs in _SIGNS for sign in signs}
"""A message of nothing else is small talk."""
_TINTS = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f\u200d\\s.!]+")


def small_talk(message: str) -> Talk | None:
    """The kind of small talk that the whole message is, or None. A greeting before a question is not."""
    signs = {_EMOJI.get(sign) for sign in _TINTS.sub("", message[:50])}
    if len(signs) == 1 and None not in signs:
        return signs.pop()
    kinds = []
    for piece in [message, *re.split(r"[.,!?;\n]+", message)]:
        text = re.sub(r"\s+", " ", re.sub(r"[^\w' ]+", " ", piece.replace("’", "'"))).strip()
        kinds.append(next((kind for kind, pattern in _COMPILED if pattern.fullmatch(text)), None) if text else "")
        if kinds[0]:
            break
    said = [kind for kind in kinds[1:] if kind != ""]
    return kinds[0] or (said[-1] if said and None not in said else None)


_HELLO = re.compile(
    rf"^\s*{_OPENING}(?: there| everyone| all)?\s*[,.!:;-]+\s*(?=\S)|^\s*{_OPENING} there\s+(?=\S)", re.IGNORECASE
)


def without_greeting(message: str) -> str:
    """The message without a greeting that opens it."""
    return _HELLO.sub("", message).strip() or message


_LEADS_ON = re.compile(
    r"(?:and|but|so|or|then|ok(?:ay)?|also|oh|hmm+|well|no|nope|actually|wait|sorry)\b[\s,]+"
    r"|(?:what|how) about\b|(?:no,? )?i (?:mean|meant)\b|even\b|same\b|why\b|how (?:so|come)\b|like what\b|such as\b|which\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|it's|they|them|their|theirs|they're|that|that's|this|those|these|there|he|she|him|her|his|hers|one|ones"
    r"|the (?:other|same|first|second|last)|both|either|either one|each|such|then|instead|too|else|more)\b",
    re.IGNORECASE,
)
_YOU = re.compile(r"\b(?:you|your|yours|ur|u|ya|this|bye)\b", re.IGNORECASE)
_THIS = re.compile(r"\bthis\b", re.IGNORECASE)
_MORE = re.compile(
    r"(?:can you |could you |please |ok(?:ay)?,? |go on,? )*(?:(?:(?:tell me )?(?:some |a (?:little )?bit |a little )?more|say more)"
    r"(?: (?:about|on) (?:it|that|this|them|those))?|more|go on|keep going|continue|more (?:info|information|detail|details)(?: please)?"
    r"|(?:anything|what|something) else(?: (?:about|on) (?:it|that|this|them|those))?|any(?:thing)? more|is that all|expand on that|elaborate|what more|give me more|i want to know more|explain (?:that|it|more))\W*",
    re.IGNORECASE,
)
_MORE_ON = re.compile(
    r"(?:can you |could you |please |ok(?:ay)?,? )*(?:tell me (?:some |a (?:little )?bit |a little )?more|anything (?:else|more)|what else|something else)"
    r" (?:about|on) (?P<subject>(?!(?:it|that|this|them|those)\b).{3,}?)\W*",
    re.IGNORECASE,
)
_WHERE = re.compile(
    r".{0,12}\b(?:(?:show|tell) me where (?:it|that|this) (?:is|was|stands|comes)\b.*|where (?:does|did|do) (?:it|they|you|u|ya|that|the articles?|this) (?:say|get|find|read|come from)\b.*|who says(?: that| so)?|says who"
    r"|(?:what|which|whats|who)(?:'s| is| are)? (?:the|your|ur) sources?.*|(?:can|could) i (?:see|read) (?:the|that) (?:source|article).*|prove it|quote\??|source|where(?:'?s| is) (?:that|it|this) (?:from|written|stated|printed)\b.*|which article.*|how do you know(?: that)?)\W*",
    re.IGNORECASE,
)
_CONTENT = re.compile(r"[a-z][a-z'-]{2,}", re.IGNORECASE)
FEW_WORDS = 3
"""A message with no more words than this that carry meaning may need what was asked before it."""

_CORRECTS = re.compile(r"\bi mean[t']?\b", re.IGNORECASE)
TELLING = 2
"""So many uncommon words a message that may lean on others needs to be read without them."""
LONGEST_EARLIER = 300
"""Characters of an earlier question that a message is read with, at most."""
EARLIER = 5
"""Questions before a message that it is read with, at most."""

Bearing = Literal["alone", "perhaps", "leans", "more", "where"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message may mean: by itself, or with the questions before it."""

    alone: str
    before: tuple[Exchange, ...] = ()
    """The questions that the visitor asked before this message, with their replies, oldest first."""
    bearing: Bearing = "alone"
    """How the message stands to them: `more` of the last is wanted, or `where` its answer stands."""


def contextualise(message: str, history: Sequence[Turn]) -> Reading:
    """How a message can be read after the turns before it."""
    alone = without_greeting(message)
    before = _exchanges(history)
    text = alone.strip()
    if not before:
        return Reading(alone)
    if more := _MORE_ON.fullmatch(text):
        alone = text = more["subject"]
    if _WHERE.fullmatch(text):
        return Reading(alone, before, "where")
    if _MORE.fullmatch(text):
        return Reading(alone, before, "more")
    content = [word for word in _CONTENT.findall(text) if word.lower() not in STOP_WORDS]
    if _LEADS_ON.match(text) or len(content) < FEW_WORDS:
        return Reading(alone, before, "leans")
    return Reading(alone, before, "perhaps" if _POINTS_BACK.search(text) else "alone")


def addresses_program(message: str) -> bool:
    """Whether a message speaks to the program, or of it, and not of something that was said before."""
    return _YOU.search(message) is not None and _POINTS_BACK.search(_THIS.sub("", message)) is None


def _exchanges(history: Sequence[Turn]) -> tuple[Exchange, ...]:
    """The last questions that the visitor asked, oldest first."""
    asked: list[Exchange] = []
    for turn, following in zip(history, [*history[1:], None], strict=False):
        text = without_greeting(turn.content).strip()
        if turn.role != "user" or not text or small_talk(text) or _MORE.fullmatch(text) or _WHERE.fullmatch(text):
            continue
        reply = following.content if following is not None and following.role == "assistant" else ""
        asked.append(Exchange(text[:LONGEST_EARLIER], reply))
    return tuple(asked[-EARLIER:])


_ASKS_ON = re.compile(
    r"(?:(?:and|so|but|ok(?:ay)?|well) )*(?:who|what|when|where|which|how|why|is|are|do|does|can|will)\b", re.IGNORECASE
)


def asks_on(reading: Reading) -> bool:
    """Whether a message asks something of what was asked before: "who makes that call"."""
    return bool(reading.before and reading.bearing in ("leans", "perhaps") and _ASKS_ON.match(reading.alone))


def corrects(reading: Reading) -> bool:
    """Whether a message puts the question before it right: "sorry, I meant the other one"."""
    return bool(reading.before and _CORRECTS.search(reading.alone))


def tells_enough(message: str, common: frozenset[str]) -> bool:
    """Whether a message that may lean on others has words enough to be read without them. `common` are stems that
    say nothing."""
    return len({*terms(message)} - common) >= TELLING
