"""Do two articles give different answers? Seen from the sentences: numbers with their units; what one says always
holds and another that it may; what one calls fit and another too little."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from chatbot.lexical import terms

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
    "time": "session", "dollar": "money", "percent": "percent", "level": "kind", "category": "kind", "categorie": "kind",
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
_WHETHER = re.compile(
    r"(?:^|[.!?,;:]\s*|\b(?:and|or|so|but)\s+)(?:is|are|do|does|did|can|could|will|would|should|has|have|must|may)\b|\bwhether\b",
    re.IGNORECASE,
)
# Who asks for a list or a reason is not asking whether.
_NOT_WHETHER = re.compile(r"\b(?:what|why|how|which|when|where|who|list|name)\b", re.IGNORECASE)
_MAY = re.compile(
    r"\b(?:may|might|sometimes|optional(?:ly)?|some (?:\w+ )?(?:programs?|facilities|centers|places)|not (?:all|every)"
    r"|if (?:needed|necessary|desired))\b",
    re.IGNORECASE,
)
_ALWAYS = re.compile(
    r"\b(?:core|always|must|requires?|required|requirement|mandatory|never|every (?:program|patient|client|session)"
    r"|all (?:programs|patients|clients)|typically|usually|generally|standard)\b",
    re.IGNORECASE,
)
_TOO_LITTLE = re.compile(
    r"\b(?:more intens\w+ than an?|not (?:be )?(?:suitable|appropriate|right|recommended|enough|ideal|a good fit)"
    r"|should not|better (?:suited|served) (?:to|for|by|in)|(?:rather than|instead of) an?"
    r"|(?<!not )(?:needs?|requires?|benefit from) (?:an? )?(?:inpatient|residential|higher))\b",
    re.IGNORECASE,
)
_FIT = re.compile(
    r"\b(?:can (?:use|attend|join|address|treat|benefit)|suitable|appropriate|right for|good (?:fit|choice)|ideal|tailored"
    r"|works? (?:well )?for)\b",
    re.IGNORECASE,
)
# Whom a thing is for: everyone, or not.
_EVERYONE = re.compile(
    r"\b(?:open|available|suitable|suited|right|meant|accessible|welcom\w+|helps?|fits?|suits?|works?)\b(?: (?:to|for))? (?:everyone|everybody|anyone|anybody|all)\b"
    r"|\b(?:everyone|everybody|anyone|anybody) (?:can|may|is welcome|is eligible|qualifies)\b",
    re.IGNORECASE,
)
_NOT_EVERYONE = re.compile(
    r"\b(?:not|never|n['’]t)\b (?:\w+ ){0,3}?(?:everyone|everybody|anyone|anybody|all)\b|\bonly (?:for|people|those|patients|if)\b"
    r"|\b(?:must|has to|have to) (?:meet|qualify)\b"
    r"|\b(?:suited|suitable|meant|intended|designed|recommended|best) (?:to|for) (?:people|those|patients|individuals) (?:who|whose|with)\b",
    re.IGNORECASE,
)
# What not everyone has: a thing that is necessary for it, or that speaks for more than it.
_CONDITION = re.compile(
    r"\b(?:is|are) (?:a )?(?:necessary|required|requirement|essential|needed|a must)\b|\b(?:requires?|must have|needs? to have)\b",
    re.IGNORECASE,
)
# What gets in the way of a thing, and what goes on all the same.
_HINDERS = re.compile(
    r"(?<!not )(?<!without )(?<!never )\b(?:affect|interfere|disrupt|interrupt|impair|hinder|clash|conflict)(?:s|ed)?\b"
    r"|\bin the way of\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"\b(?:can|could|still|may) (?:\w+ ){0,2}?(?:keep|continue|carry on|go on|maintain|stay|work|attend|manage)\b"
    r"|\bwithout (?:\w+ )?\w+ing\b|\bnot have to (?:put|stop|quit|pause|leave|give up)\b|\b(?:minimal|little|no) disruption\b",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"\b(?:when|what times?|which times?|at what|time of (?:the )?day|mornings?|afternoons?|evenings?|(?<!day and )nights?|weekends?|after work|daytime)\b",
    re.IGNORECASE,
)
_TIMES_OF_DAY = re.compile(
    r"\b(mornings?|afternoons?|evenings?|nights?|weekends?|daytime)\b|\b(before|after) (?:or (?:before|after) )?(?:\w+ ){0,3}?"
    r"(?:work|school|studies|obligations|duties|day|job)\b",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"\bbetween ([^.,;]+? and [^.,;]+?)(?=[.,;]|$| (?:for|that|which|where|by|in|of treatment)\b)", re.IGNORECASE
)
FIRM = 0.7
"""A sentence with this share of the best one's support answers what is asked: its figures, and what it puts a thing
between, count however it is asked."""
SHARED = 2
"""Words beside the common ones that two sentences have in common when they speak of the same thing."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure with its unit: from `low` to `high`, which is infinite for "at least"."""

    low: float
    high: float
    unit: str
    per: str | None
    """`day` also stands for a session: on a day of treatment there is one."""


class Reach(StrEnum):
    """Whom a thing is for."""

    EVERYONE = "everyone"
    SOME = "not everyone"


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


def asks_whether(question: str) -> bool:
    """Whether yes or no is asked for: by its first word, or because nothing else is."""
    return _WHETHER.search(question) is not None or _NOT_WHETHER.search(question) is None


def figures_differ(one: str, other: str) -> bool:
    """Whether both texts give a figure of the same unit, and never the same one."""
    pairs = [
        (a, b)
        for a in quantities(one)
        for b in quantities(other)
        if a.unit == b.unit and (a.per == b.per or None in (a.per, b.per))
    ]
    return bool(pairs) and not any((a.low, a.high) == (b.low, b.high) for a, b in pairs)


def stances_differ(one: str, other: str, common: frozenset[str]) -> bool:
    """Whether two texts on the same thing take different stands: it always holds and it may, fit and too little, or it
    gets in the way and all goes on.
    `common` are stems that say nothing of what a sentence is about."""
    shared = len(set(terms(one)) & set(terms(other)) - common)
    return any(
        (
            shared >= SHARED
            and (
                (_ALWAYS.search(a) and not _MAY.search(a) and _MAY.search(b) and not _ALWAYS.search(b))
                or (_TOO_LITTLE.search(a) and _FIT.search(b) and not _TOO_LITTLE.search(b))
            )
        )
        or (shared and _HINDERS.search(a) and _GOES_ON.search(b) and not _HINDERS.search(b))
        for a, b in ((one, other), (other, one))
    )


def reach(text: str) -> Reach | None:
    """Whether a text says that a thing is for everyone, or that it isn't; None where it says neither."""
    if _NOT_EVERYONE.search(text) or _TOO_LITTLE.search(text):
        return Reach.SOME
    return Reach.EVERYONE if _EVERYONE.search(text) else None


def reach_differs(one: str, other: str) -> bool:
    """Whether one text says that a thing is for everyone, and the other that it isn't, or on what condition."""
    return any(
        _EVERYONE.search(a)
        and not _NOT_EVERYONE.search(a)
        and (_NOT_EVERYONE.search(b) or ((_TOO_LITTLE.search(b) or _CONDITION.search(b)) and not _EVERYONE.search(b)))
        for a, b in ((one, other), (other, one))
    )


def asks_when(question: str) -> bool:
    """Whether a time of day is asked for."""
    return _WHEN.search(question) is not None


def times_of_day(text: str) -> frozenset[str]:
    """The times of day or of the week that a text names."""
    return frozenset((match[1] or match[2]).lower().removesuffix("s") for match in _TIMES_OF_DAY.finditer(text))


def times_differ(one: str, other: str) -> bool:
    """Whether both texts name times of day or of the week, and none of them is the same."""
    times, others = times_of_day(one), times_of_day(other)
    return bool(times and others) and not times & others


def ends_differ(one: str, other: str) -> bool:
    """Whether both texts put a thing between two others, and not between the same two."""
    ends, others = ({term for match in _BETWEEN.findall(text) for term in terms(match)} for text in (one, other))
    return bool(ends and others) and not (ends <= others or others <= ends)


def differ(
    question: str, texts: Sequence[tuple[str, str]], common: frozenset[str], supports: Sequence[float] = ()
) -> bool:
    """Whether (article, quote) pairs of different articles answer a question differently: with other figures or
    between other things, where that is asked for or both quotes are well supported, by `supports`, shape (len(texts),) or
    (0,); with other times of day where these are asked for, with another stand where it is asked whether, with another
    reach.

    Plain yes against no is not looked for: by the words of negation alone it was found where nothing differs (in one
    answer of ten) more often than where it did.
    """
    figure, whether, when = asks_how_much(question), asks_whether(question), asks_when(question)
    between = "between" in question.lower()
    firm = [support >= FIRM * max(supports) for support in supports] or [False] * len(texts)
    pairs = (
        (text, other, firm[place] and firm[after])
        for place, (article, text) in enumerate(texts)
        for after, (other_article, other) in enumerate(texts[place + 1 :], place + 1)
        if article != other_article
    )
    return any(
        ((figure or both) and figures_differ(text, other))
        or ((between or both) and ends_differ(text, other))
        or (when and times_differ(text, other))
        or (whether and (stances_differ(text, other, common) or reach_differs(text, other)))
        for text, other, both in pairs
    )
