"""An answer as server-sent events: danger first, then what became of the question, then sentence by sentence,
then the whole answer once more, as `POST /api/ask` gives it."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from chatbot import safety
from chatbot.answers import CARD_LINES, CARDS, Answer, Helpline
from chatbot.guard import error_body
from chatbot.safety import Concern

logger = logging.getLogger(__name__)

EVENTS = """event: status
data: {"status": "answered"}

event: sentence
data: {"number": 1, "article": "synergy-sobriety", "quote": "Medical detoxification is usually not a direct part of an IOP."}

event: answer
data: {"status": "answered", "text": "Medical detoxification is usually not a direct part of an IOP. [1]"}

"""
"""An example, for the documents, with a few of the fields. In danger an event `crisis` comes before all others, with
`text` and `helplines`; where no answer can be made after that, an event `error` comes last, with an error as every
route gives it."""
ITEM = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["crisis", "status", "sentence", "answer", "error"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
"""The shape of one event, for the documents."""


def event(name: str, content: dict[str, Any]) -> str:
    """One event. JSON has no line ends of its own, so it is one line of data."""
    return f"event: {name}\ndata: {json.dumps(content, ensure_ascii=False)}\n\n"


def card(question: str, helplines: Sequence[Helpline]) -> str | None:
    """The event with whom to call, where the words alone show danger; it takes neither index nor model."""
    concern = safety.screen(question)
    if concern is None or concern is Concern.MEDICAL_ADVICE:
        return None
    lines = [_helpline(line) for line in safety.pick(helplines, *CARD_LINES[concern])]
    return event("crisis", {"text": CARDS[concern], "helplines": lines})


def events(answer: Answer, given: dict[str, Any]) -> Iterator[str]:
    """All of an answer. `given` stands in front of it: the question's id."""
    public = answer.public()
    yield event("status", {"status": public["status"]})
    for citation in public["citations"]:
        yield event("sentence", citation)
    yield event("answer", {**given, **public})


def urgent_first(
    first: str, ask: Callable[[], Answer], given: dict[str, Any], helplines: Sequence[Helpline]
) -> Iterator[str]:
    """The card before anything is looked up, then the answer, or an error that again says whom to call."""
    yield first
    try:
        answer = ask()
    except Exception as error:  # the card is out already; the kind only, as a message may quote the question
        logger.error("no answer: %s", type(error).__name__)
        yield event("error", error_body(500, "Something went wrong here.", helplines=helplines))
        return
    yield from events(answer, given)


def _helpline(line: Helpline) -> dict[str, Any]:
    return {name: getattr(line, name) for name in Helpline.__dataclass_fields__}
