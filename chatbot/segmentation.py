"""The questions that one message asks, which of its sentences ask, and a question with its reply."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question that the visitor asked, and what was replied."""

    question: str
    reply: str = ""


_AFTER = r"(?:if|when|while|since|because|after|before|once|as|given)"
_PERSON = r"(?:i|you|u|he|she|they|we|it|there|someone|somebody|anyone|anybody)"
_NOUN = r"(?:my|his|her|their|our|your|the|a|an|this|that|people|ppl|patients)"
# "…, can't sit for long" tells; "…, can't he sit?" asks.
_ASKS = (
    rf"(?!\w+['’]t\s+(?!(?:{_PERSON}|{_NOUN})\b))"
    r"(?:(?:(?:on|at|for|in|to|of|by|with|from|about|until|under) )?(?:how|what|when|where|who|which|whom)"
    r"|what'?s|who'?s|why|whether|is|are|am|do|does|did|can|could|will|would|should|may|has|have)"
)
# "I already did a month" has its subject before the verb.
_NO_SUBJECT = "".join(
    rf"(?<!\b{word} )"
    for word in "i he she they we you u it who that which already just also only never ever once even".split()
)
# The verb before its subject: "do they", "can a mother". "This is a", "I have the" are none.
_INVERTED = (
    rf"\b(?:(?:is|are|am|do|does|did|can|could|will|would|should|must|may)\s+{_PERSON}|(?:has|have)\s+(?:you|u|he|she|they|anyone)"
    rf"|{_NO_SUBJECT}(?:does|did|can|could|would|should)\s+{_NOUN})\b"
)
# "… and once it is over do I need more": a condition, then what is asked.
_CONDITIONAL = rf"{_AFTER}\b[^?.!;]{{3,80}}?{_INVERTED}"
_REQUEST = (
    r"(?:(?:please|kindly) )?(?:tell me|let me know|give me|remind me|walk me through|explain|describe|clarify|confirm|advise"
    r"|(?:list|name|state|specify|outline|summari[sz]e) (?:the|all|what|which|who|how|whether|if|your))\b"
)
_BESIDES = r"(?:(?:\w+ly|then|like|further|furthermore|maybe|um|second|lastly|if so|if not)\W+){0,2}"
_PART = re.compile(
    rf"\?+\s+|[.!]\s+|\s*\n+\s*|[;,]?\s+(?=\(?(?:[a-h]|i{{1,3}}|iv|\d)\)\s)"
    rf"|\s*[;,]?\s+(?:and also|and|also|plus|&|n|\+)\W+{_BESIDES}(?={_ASKS}\b|{_CONDITIONAL}|{_REQUEST})"
    rf"|\s*[,;]\s+{_BESIDES}(?={_ASKS}\b)",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    rf"(?:(?:so|ok|okay|and|also|but|well|um|hi|hello|please|then|like|if so|if not)\W+)*(?:{_ASKS}|{_REQUEST}|any (?:chance|way|idea|word))\b",
    re.IGNORECASE,
)
_INVERSION = re.compile(_INVERTED, re.IGNORECASE)
_INDIRECT = re.compile(
    rf"\b(?:asks?|asking|wants? to know|wondering|wonder|tell me|know|ask|curious|explain|advise|confirm|clarify|find out|figure out)"
    rf"\s+(?:about\s+)?(?:if\b|{_ASKS}\b)",
    re.IGNORECASE,
)
# "When choosing a program, is …", "if he works nights, can …": the first half is no question of its own.
_CONDITION = re.compile(rf"{_AFTER}\b(?!\s+(?:is|are|do|does|did|can|will|would|should)\b)", re.IGNORECASE)
# "1. Is detox included": the number is no part of the question.
_NUMBERED = re.compile(r"^\s*(?:\(?(?:\d{1,2}[.)]|(?:[a-h]|i{1,3}|iv)\))|[-*•])\s+")
# "…, which is more than I make": no question.
_RELATIVE = re.compile(r"which (?:is|are|was|were|has|have|means?|i|he|she|they|we)\b", re.IGNORECASE)
# "Caller is asking whether …": who asks is no part of the question.
_RELAYED = re.compile(
    rf"^\W*(?:\w+\W+){{1,4}}?(?:asks?|asking|(?:wants?|would like) to know|wonder(?:s|ing)?)\W+(?:about\W+)?(?=(?:if|whether|{_ASKS})\b)",
    re.IGNORECASE,
)
# "Two questions from HR: will …": what announces questions is no part of the first.
_OPENS = re.compile(
    rf"^[^:?]{{0,30}}\b(?:questions?|qs?|things?|asks?|asking|query|queries|hi|hello|hey|please|quick one|help)\b[^:?]{{0,25}}:\s*(?={_ASKS}\b)",
    re.IGNORECASE,
)
# "… how many hours is it? What do I tell her?": the second only points to the first.
_POINTS_BACK = re.compile(
    r"(?:so |and )?what (?:do|can|should|shall|would|am) (?:i|we) (?:supposed to )?(?:tell|say|answer|reply|advise)\b(?: to)?"
    r"(?: (?:him|her|them|\w+ caller))?\W*",
    re.IGNORECASE,
)
MOST_PARTS = 4
SHORTEST_PART = 3
"""A piece of fewer words is no question of its own; "what's" counts as two."""


def split_questions(message: str) -> tuple[str, ...]:
    """The questions that one message asks, in order; the message itself where it asks one.

    What is told before a question, or between two, stays with the question after it; what is told at the end,
    with the one before it.
    """
    parts: list[str] = []
    waiting, fewest = "", 2
    whole_message, message = message, _OPENS.sub("", message.strip())
    end = 0
    for match in [*_PART.finditer(message), None]:
        piece = message[end : match.start() if match else len(message)]
        mark = message[match.start() : match.end()] if match else ""
        end = match.end() if match else len(message)
        whole = (waiting + piece).strip()
        said, questioned = _NUMBERED.sub("", piece).split(": ")[-1].strip(), (mark or piece[-1:]).startswith("?")
        asks = (
            questioned
            or (_QUESTION.match(said) and not (_CONDITION.match(said) or _RELATIVE.match(said) or _told(message, end)))
            or _INDIRECT.search(piece)
            or _INVERSION.search(said)
        )
        if parts and not waiting and _POINTS_BACK.fullmatch(said):
            fewest = 1
            continue
        if asks and len(re.findall(r"\w+", whole)) >= SHORTEST_PART:
            parts.append(_NUMBERED.sub("", whole))
            waiting = ""
        else:
            waiting = whole + mark
    if waiting.strip() and parts:
        parts[-1] = f"{parts[-1]}. {waiting.strip()}"
    return (
        tuple(_RELAYED.sub("", part, count=1) for part in parts)
        if fewest <= len(parts) <= MOST_PARTS
        else (whole_message,)
    )


def _told(message: str, place: int) -> bool:
    """Whether the sentence around a place of a message ends with a full stop, in a message with a question mark."""
    closing = re.compile(r"[.!?](?=\s|$)").search(message, max(0, place - 2))
    return closing is not None and closing.group() != "?" and "?" in message


_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
# "I work shifts, are there evening groups?": what is told ends at the comma.
_CLAUSE_END = re.compile(rf",\s+(?={_BESIDES}{_INVERTED}|{_BESIDES}(?:how|what|when|where|who|why)\b)", re.IGNORECASE)
SHORTEST_ASKED = 4
"""A sentence of fewer words says too little by itself of what it asks."""


def asking_sentence(question: str) -> str:
    """The sentence that asks, of a question that tells something before or after it; empty where there is no other
    sentence, or not exactly one that asks."""
    sentences = [sentence for sentence in _SENTENCE_END.split(question.strip()) if sentence]
    asking = [sentence for sentence in sentences if sentence.endswith("?") or _QUESTION.match(sentence)]
    if len(asking) != 1:
        return ""
    told, *clauses = _CLAUSE_END.split(asking[0], maxsplit=1)
    if clauses and not (_QUESTION.match(told) or _CONDITION.match(told) or _INVERSION.search(told)):
        return clauses[0] if len(clauses[0].split()) >= SHORTEST_ASKED else ""
    return asking[0] if len(sentences) > 1 and len(asking[0].split()) >= SHORTEST_ASKED else ""
