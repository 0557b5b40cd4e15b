"""Where two articles may contradict each other: sentences of different articles about the same thing that give
different figures, of which one says must where the other says may or not, or that open a thing to everyone and not."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import inf

import numpy as np

from chatbot.differences import Quantity, quantities, reach
from chatbot.index import PassageIndex
from chatbot.lexical import stem, terms, words

NEAR = 0.6
"""Cosine from which two sentences with figures are about the same thing."""
NEAR_WORDS = 0.5
"""The same for sentences that share a rare pair of words besides."""
NEAR_REACH = 0.55
"""The same for sentences on whom a thing is for."""
RARE = 0.03
"""Share of the sentences that such a pair of words stands in, at most."""
LESS_SURE = 0.7
"""Of two pairs equally near, figures count for this much more than words: what must and may govern is guessed."""

_SMALL = "one two three four five six seven eight nine ten".split()
_ABOUT_NO_AMOUNT = re.compile(
    r"\bone-on-one\b|\b24[- ]hour\b|\b24/7\b|\b(?:a few|several|multiple|a couple of)\b", re.I
)
_MORE_THAN = re.compile(
    rf"\b(?:more than|over) (?P<number>\d+|{'|'.join(_SMALL)})(?= (?:sessions?|meetings?|visits?|days?|times?)\b)", re.I
)
_SESSION = re.compile(r"\b(?:sessions?|meetings?|visits?|days?)\b", re.I)
_WEEK = re.compile(r"\bweek(?:s|ly)?\b", re.I)

_HOLDS = r"(?:include|offer|involve|require|provide|use|need|have|be)"
_MUST = re.compile(
    r"\b(?:must|mandatory|required|requires|obliged|has to|have to|always|at (?:its|their) core|core (?:part|component)s?"
    r"|(?:is|are) essential|(?:essential|integral) (?:part|component)s?)\b",
    re.I,
)
_MAY = re.compile(
    rf"\b(?:(?:may|might|can|could) (?:also )?{_HOLDS}\b(?! (?:able|a|an|the)\b)|optional(?:ly)?|sometimes"
    r"|(?:some|many|most) (?:program|IOP|center|patient)s?|not (?:always|every|all|necessarily))\b",
    re.I,
)
_NOT = re.compile(
    rf"\b(?:(?:do|does|did|will|would|need|should|must|may) not {_HOLDS}|cannot {_HOLDS}|(?:is|are) (?:\w+ )?not"
    r"|never|not required|not mandatory|(?:do|does) not have to|need not|(?:offer|include|require|provide|use)s? no)\b",
    re.I,
)
# What a clause says of somebody else is not said of the subject.
_ASIDE = re.compile(
    r"\b(?:who|whom|which|that|for those|if|because|when|although|though|since|unlike|whereas|so|but)\b[^,;.]*", re.I
)
_VERBS = frozenset(terms("include offer involve require provide use need have give get help keep make"))


_USUAL = re.compile(r"\b(?:standard|traditional|regular|conventional|ordinary)\b", re.I)
# A sentence about "standard programs" gives their figures, not those of the program that it compares with them.


class Matter(StrEnum):
    """What kind of thing two sentences disagree on."""

    FIGURE = "figure"
    WORDING = "wording"
    """What must be, and what may."""
    REACH = "reach"
    """Whom it is for."""


class Stance(StrEnum):
    """How a sentence puts it."""

    MUST = "must"
    MAY = "may"
    NOT = "not"
    PLAIN = "plainly"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sentences: the row of the index, and what it says on the matter in short."""

    row: int
    says: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two sentences of different articles."""

    one: Side
    other: Side
    about: str
    """What they disagree on: "hours a day", or the words that both are about."""
    sure: float
    """0 to 1, higher is surer; no probability."""
    matter: Matter


def contradictions(index: PassageIndex) -> tuple[Contradiction, ...]:
    """The surest first; of two articles and one figure or wording only the surest pair."""
    rows = index.rows.sentences.rows()
    texts = [index.sentence_text(row) for row in range(len(index.sentences))]
    articles = [index.passages[number].article for number, _ in index.sentences]
    subjects = [_subjects(text, index) for text in texts]
    figures = [amounts(text) for text in texts]
    stances = [stance(text) for text in texts]
    reaches = [reach(text) for text in texts]
    pairs = _rare_pairs(texts, index)
    found: dict[tuple[str, ...], Contradiction] = {}
    # Whatever gives no figure and puts nothing strongly contradicts nobody.
    telling = np.array(
        [row for row in range(len(texts)) if figures[row] or reaches[row] or stances[row] is not Stance.PLAIN], int
    )
    for number, one in enumerate(telling.tolist()):
        behind = telling[number + 1 :]
        cosines = rows[behind] @ rows[one]
        for place in (cosines >= min(NEAR, NEAR_WORDS)).nonzero()[0].tolist():
            other, cosine = int(behind[place]), round(float(cosines[place]), 6)
            if articles[one] == articles[other] or subjects[one] != subjects[other]:
                continue
            told = [*_figures_apart(figures[one], figures[other])] if cosine >= NEAR else []
            found_here = [
                Contradiction(Side(one, a), Side(other, b), about, cosine, Matter.FIGURE) for about, a, b in told
            ]
            shared = pairs[one] & pairs[other]
            if shared and opposed(stances[one], stances[other]):
                about = _as_written(min(shared), texts[one])
                sides = Side(one, stances[one]), Side(other, stances[other])
                found_here.append(Contradiction(*sides, about, round(LESS_SURE * cosine, 6), Matter.WORDING))
            said = reaches[one], reaches[other]
            if cosine >= NEAR_REACH and None not in said and said[0] != said[1]:
                sides = Side(one, str(said[0])), Side(other, str(said[1]))
                found_here.append(Contradiction(*sides, "whom it is for", round(LESS_SURE * cosine, 6), Matter.REACH))
            for each in found_here:
                both = (texts[one], texts[other]) if each.matter is Matter.REACH else ()
                key = (articles[one], articles[other], each.about, *both)
                if key not in found or found[key].sure < each.sure:
                    found[key] = each
    return tuple(sorted(found.values(), key=lambda each: (-each.sure, each.one.row, each.other.row)))


def opposites(index: PassageIndex) -> dict[Matter, dict[int, tuple[int, ...]]]:
    """For each kind, and each sentence that stands in such a contradiction, the sentences that it stands against, in
    order."""
    found: dict[Matter, dict[int, set[int]]] = {matter: {} for matter in Matter}
    for each in contradictions(index):
        found[each.matter].setdefault(each.one.row, set()).add(each.other.row)
        found[each.matter].setdefault(each.other.row, set()).add(each.one.row)
    return {
        matter: {row: tuple(sorted(against)) for row, against in sorted(rows.items())} for matter, rows in found.items()
    }


def amounts(text: str) -> dict[tuple[str, str], Quantity]:
    """The figures of a sentence by what they measure: (unit, per). Words such as "several" are no figure. Hours a week
    are reckoned from hours a day and days a week where both are given."""
    text = re.sub(r"\bof weekly\b", "a week of", _ABOUT_NO_AMOUNT.sub("some", text))
    text = _MORE_THAN.sub(lambda match: f"at least {_number(match['number']) + 1}", text)
    found: dict[tuple[str, str], Quantity] = {}
    for quantity in quantities(text):
        unit, per = quantity.unit, quantity.per or ""
        if unit in ("hour", "minute") and not per and _SESSION.search(text):
            per = "day"
        if unit in ("session", "day"):  # on a day of treatment there is one session
            unit = "session" if per or _WEEK.search(text) else unit
            per = per if per != "day" else ""
            per = per or ("week" if _WEEK.search(text) else "")
        found.setdefault((unit, per), Quantity(quantity.low, quantity.high, unit, per))
    daily, weekly = found.get(("hour", "day")), found.get(("session", "week"))
    if daily and weekly:
        reckoned = Quantity(daily.low * weekly.low, daily.high * weekly.high, "hour", "week")
        found.setdefault(("hour", "week"), reckoned)
    return found


def apart(one: Quantity, other: Quantity) -> bool:
    """Whether two figures for the same thing can't both be right: neither leaves room for the other, or both are
    bounds and not the same."""
    if one.high == other.high == inf:
        return one.low != other.low
    if one.low == other.low == 0:
        return one.high != other.high
    within = (one.low >= other.low and one.high <= other.high) or (other.low >= one.low and other.high <= one.high)
    return not within


def stance(text: str) -> Stance:
    """How a sentence puts what it says of its subject."""
    own = _ASIDE.sub(" ", text)
    for pattern, found in ((_NOT, Stance.NOT), (_MAY, Stance.MAY), (_MUST, Stance.MUST)):
        if pattern.search(own):
            return found
    return Stance.PLAIN


def opposed(one: Stance, other: Stance) -> bool:
    """Whether both can't be said of the same thing: a duty against a choice or against no."""
    return Stance.MUST in (one, other) and {one, other} <= {Stance.MUST, Stance.MAY, Stance.NOT} and one != other


def _figures_apart(
    one: dict[tuple[str, str], Quantity], other: dict[tuple[str, str], Quantity]
) -> Iterator[tuple[str, str, str]]:
    """(what is measured, one's figure, the other's) where they can't both be right."""
    for key in sorted(one.keys() & other.keys()):
        if apart(one[key], other[key]):
            unit, per = key
            yield f"{unit}s{f' a {per}' if per else ''}", _spoken(one[key]), _spoken(other[key])


def _spoken(quantity: Quantity) -> str:
    low, high = f"{quantity.low:g}", f"{quantity.high:g}"
    if quantity.high == inf:
        return f"at least {low}"
    return low if low == high else f"up to {high}" if quantity.low == 0 else f"{low} to {high}"


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _SMALL.index(word.lower()) + 1


def _subjects(text: str, index: PassageIndex) -> frozenset[str]:
    """What a sentence is about, where the glossary has a name for it, and whether that is set against the usual."""
    words = {word.removesuffix("s").lower() for word in re.findall(r"\b[A-Z]{2,}s?\b", text)}
    named = {name for name in index.glossary.abbreviations if name in words}
    return frozenset(named | ({"the usual"} if _USUAL.search(text) else set()))


def _as_written(pair: tuple[str, str], text: str) -> str:
    """Two terms as the words that they are the stems of."""
    return " ".join(next(word for word in words(text) if stem(word) == term) for term in pair)


def _rare_pairs(texts: list[str], index: PassageIndex) -> list[frozenset[tuple[str, str]]]:
    """Of each text the neighbouring terms, within a part between commas, that few texts have."""
    names = {term for name in index.glossary.abbreviations for term in terms(name)} | _VERBS
    found = []
    for text in texts:
        own = re.split(r"[,;:()]|\band\b|\bor\b", _ASIDE.sub(" ", text))
        parts = [[term for term in terms(part) if term not in names] for part in own]
        found.append(frozenset(pair for part in parts for pair in pairwise(part)))
    counts = Counter(pair for pairs in found for pair in pairs)
    return [frozenset(pair for pair in pairs if counts[pair] <= max(2, RARE * len(texts))) for pairs in found]
