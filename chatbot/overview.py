"""What the owner is shown: groups of unanswered questions, known questions near something, sentences to choose from,
contradictions, and thumbs and marks summed up. Plain JSON types."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from chatbot.answers import cite
from chatbot.assistant import Assistant
from chatbot.contradictions import Side, contradictions
from chatbot.gaps import Gap
from chatbot.index import PassageIndex
from chatbot.journal import Verdict
from chatbot.questions import KnownQuestion

DAYS, AMISS = 30, 200
"""Days, and marks and thumbs down, that are shown."""
ENTRIES = 8
"""Entries that a search shows."""
SEEN_TO = 0.75
"""Cosine of a group with a known unanswered question from which what is said to that one is said to the group."""
OPENING = 6
"""Words, at least, by which a place names its sentence."""


def summed_up(entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Thumbs and marks by day and by reason, and what was found amiss, newest first."""
    days: dict[str, dict[str, int]] = {}
    reasons: Counter[str] = Counter()
    amiss = []
    for entry in entries:
        if entry.get("verdict") not in tuple(Verdict):
            continue
        staff, down = entry.get("from") == "staff", entry["verdict"] == Verdict.DOWN
        day = days.setdefault(str(entry.get("at", ""))[:10], {"up": 0, "down": 0, "marked": 0})
        day["marked" if staff else "down" if down else "up"] += 1
        if down:
            reasons[str(entry.get("reason") or "no reason")] += 1
            names = ("at", "from", "reason", "comment", "question", "status", "sections")
            amiss.append({name: entry.get(name) for name in names})
    return {
        "days": [{"day": day, **days[day]} for day in sorted(days, reverse=True)[:DAYS]],
        "reasons": dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        "amiss": amiss[::-1][:AMISS],
    }


def nearest_entries(question: str, assistant: Assistant) -> list[dict[str, Any]]:
    """The entries of known questions nearest to this one, each by its nearest wording, the nearest first."""
    index = assistant.index
    if not index.questions:
        return []
    vector = assistant.encoder.encode_questions([index.glossary.write_out(question)])[0]
    cosines = np.round(index.rows.questions.cosines(vector), 5)
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for number in np.argsort(-cosines, kind="stable").tolist():
        known = index.questions[number]
        found.setdefault((known.places, known.topic, known.say), known_entry(known, float(cosines[number]), index))
        if len(found) == ENTRIES:
            break
    return list(found.values())


def choosable(article: str, index: PassageIndex) -> list[dict[str, Any]]:
    """The sections of an article with their sentences, and the words by which a place would name each."""
    sections: dict[str, list[str]] = {}
    for passage in index.passages:
        if passage.article == article:
            texts = [passage.sentence_text(sentence) for sentence in passage.sentences]
            sections.setdefault(passage.heading, []).extend(texts)
    return [
        {"heading": heading, "sentences": [{"text": text, "opening": opening(text, texts)} for text in texts]}
        for heading, texts in sections.items()
    ]


def opening(sentence: str, beside: Sequence[str]) -> str:
    """The first words of a sentence that no other sentence beside it opens with; six at least, or all of them."""
    ends = [match.end() for match in re.finditer(r"\S+", sentence)]
    for end in ends[OPENING - 1 :]:
        if sum(other.startswith(sentence[:end]) for other in beside) == 1:
            return sentence[:end]
    return sentence


def grouped(gap: Gap, index: PassageIndex) -> dict[str, Any]:
    """A group of questions, with the known one that is nearest to it, and whether its askers are told already where
    the answer is to be had."""
    nearest = known_entry(gap.nearest, gap.cosine, index) if gap.nearest else None
    return {
        "wordings": [asdict(wording) for wording in gap.wordings],
        "count": gap.count,
        "last": gap.last,
        "nearest": nearest,
        "seen_to": nearest is not None and not nearest["answered"] and gap.cosine >= SEEN_TO,
    }


def known_entry(known: KnownQuestion, cosine: float, index: PassageIndex) -> dict[str, Any]:
    """A known question, and where its answer stands, or what is said in place of one."""
    places = [f"{index.articles[place.article].title} · {place.heading}".rstrip(" ·") for place in known.places]
    return {
        "text": known.text,
        "cosine": cosine,
        "answered": bool(known.places),
        "places": list(dict.fromkeys(places)),
        "topic": known.topic,
        "say": known.say,
    }


def contradicting(index: PassageIndex) -> list[dict[str, Any]]:
    """Pairs of sentences that contradict each other, the surest first."""
    return [
        {"about": one.about, "sure": one.sure, "sides": [_side(side, index) for side in (one.one, one.other)]}
        for one in contradictions(index)
    ]


def _side(side: Side, index: PassageIndex) -> dict[str, Any]:
    number, sentence = index.sentences[side.row]
    passage = index.passages[number]
    article = index.articles[passage.article]
    source = cite(0, article, article.sections[passage.section], sentence.start, sentence.end)
    return {
        "id": article.id,
        "title": article.title,
        "publisher": article.publisher,
        "updated": article.updated,
        "edition": article.edition,
        "section": passage.heading,
        "link": source.link,
        "text": source.quote,
        "says": side.says,
    }
