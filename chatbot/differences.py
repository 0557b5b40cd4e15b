"""Do two articles give different figures? Seen from the sentences: numbers with their units."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

_NUMBERS = {
    word: float(value)
    for value, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty""".split()
    )
} | {"a few": 3.0, "several": 3.0, "multiple": 3.0, "a couple of": 2.0, "thirty": 30.0, "sixty": 60.0, "ninety": 90.0}
_UNITS = {
    "hour": "hour", "hr": "hour", "minute": "minute", "min": "minute", "day": "day", "week": "week", "month": "month",
    "year": "year", "session": "session", "meeting": "session", "visit": "session", "appointment": "session",
    "time": "session", "dollar": "money", "percent": "percent",
}  # fmt: skip
_NUMBER = rf"\d+(?:[.,]\d+)?|{'|'.join(sorted((re.escape(w) for w in _NUMBERS), key=len, reverse=True))}"
_UNIT = rf"(?:{'|'.join(sorted(_UNITS, key=len, reverse=True))})s?"
_QUANTITY = re.compile(
    rf"(?P<bound>at least |no less than |a minimum of |minimum |more than |over |up to |at most |less than |under )?"
    rf"\b(?P<low>{_NUMBER})\b(?:\s*(?:to|-|–|—|or|and)\s*(?P<high>{_NUMBER})\b)?[\s-]*(?:\w+[\s-]){{0,1}}?(?P<unit>{_UNIT})\b"
    rf"(?:[^.;]{{0,30}}?\b(?:a|an|per|each|every|in a|of the|weekly|daily)\s*(?P<per>hour|day|week|month|year|session|meeting|visit)?\b)?",
    re.IGNORECASE,
)
_HOW_MUCH = re.compile(
    r"\bhow (?:many|much|long|often|frequent\w*|regular\w*|big|old|late|early)\b|\b(?:hours?|hrs|days?|weeks?|months?|minutes?|times?|cost|price|number"
    r"|schedule|time commitment|frequency)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure with its unit: from `low` to `high`, which is infinite for "at least"."""

    low: float
    high: float
    unit: str
    per: str | None
    """`day` also stands for a session: on a day of treatment there is one."""


def _number(text: str) -> float:
    return _NUMBERS.get(text.lower()) or float(text.replace(",", "."))


def quantities(text: str) -> tuple[Quantity, ...]:
    """The figures with a unit in a text, in order."""
    found = []
    for match in _QUANTITY.finditer(text):
        low = _number(match["low"])
        high = _number(match["high"]) if match["high"] else low
        bound = (match["bound"] or "").strip().lower()
        if bound in ("at least", "no less than", "a minimum of", "minimum", "more than", "over"):
            high = inf
        elif bound in ("up to", "at most", "less than", "under"):
            low = 0.0
        unit = _UNITS[re.sub(r"s$", "", match["unit"].lower())]
        per = (match["per"] or "").lower() or None
        found.append(Quantity(low, high, unit, "day" if per in ("session", "meeting", "visit") else per))
    return tuple(found)


def asks_how_much(question: str) -> bool:
    """Whether a figure is asked for."""
    return _HOW_MUCH.search(question) is not None


def figures_differ(one: str, other: str) -> bool:
    """Whether both texts give a figure of the same unit, and never the same one."""
    pairs = [
        (a, b)
        for a in quantities(one)
        for b in quantities(other)
        if a.unit == b.unit and (a.per == b.per or None in (a.per, b.per))
    ]
    return bool(pairs) and not any((a.low, a.high) == (b.low, b.high) for a, b in pairs)


def differ(question: str, texts: Sequence[tuple[str, str]]) -> bool:
    """Whether, to a question for a figure, (article, quote) pairs of different articles give different ones.

    Yes in one article against no in another is not looked for: by the words of negation alone it was found where
    nothing differs (in one answer of ten) more often than where it did.
    """
    return asks_how_much(question) and any(
        article != other_article and figures_differ(text, other)
        for position, (article, text) in enumerate(texts)
        for other_article, other in texts[position + 1 :]
    )
