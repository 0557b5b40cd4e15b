"""The console for helpline staff: look up while somebody is on the line. The visitor's answer, what was found besides,
and why; the articles; whom to call; a mark on an answer for the owner. All of it stands behind the sign-in."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from chatbot import answers, safety
from chatbot.answers import Answer, Citation, Helpline, Status, cite
from chatbot.articles import Article
from chatbot.assistant import Assistant
from chatbot.journal import Journal, Reason, Verdict
from chatbot.owner import add_owner
from chatbot.passages import Passage
from chatbot.reasons import Known, Reasons, band
from chatbot.selection import Finding
from chatbot.settings import Settings
from chatbot.shapes import Text
from chatbot.staff import add_files, mount_staff
from chatbot.watch import answered

PASSAGES = 6
"""Shown for one look-up."""
DANGERS = {
    "suicide": "Thoughts of suicide or self-harm",
    "overdose": "Overdose",
    "withdrawal": "Dangerous withdrawal",
    "violence": "Violence at home",
    "child_danger": "A child in danger",
}
"""The parts of the crisis protocol, by the name of their card."""


class LookUpIn(BaseModel):
    """What to look up, in all articles or in one."""

    model_config = ConfigDict(extra="forbid")
    question: Text
    article: Annotated[Text, Field(max_length=300)] | None = None
    entered: bool = Field(default=False, description="Asked for by the Enter key, and not while still typing.")


class MarkIn(BaseModel):
    """What is amiss with an answer. The question is what the worker has left of it in the box before sending."""

    model_config = ConfigDict(extra="forbid")
    reason: Literal[Reason.WRONG, Reason.OUTDATED, Reason.MISSING]
    note: Annotated[Text, Field(max_length=500)] = ""
    question: Annotated[Text, Field(max_length=2000)] = ""
    status: Status | None = None
    sections: list[Annotated[Text, Field(max_length=300)]] = Field(default=[], max_length=20)


def mount_console(api: FastAPI, settings: Settings, may_edit: bool = True) -> None:
    """Serve the console at /staff of the service, which has its assistant. `may_edit`: the index is that of the corpus
    folder, whose known questions may be added to. Raises `SettingsError` for accounts that can't be read."""

    def current() -> Assistant:
        assistant: Assistant = api.state.assistant
        return assistant

    def add_routes(router: APIRouter) -> None:
        add_files(router, {"/staff": "console.html"}, ("staff.js", "console.css", "console.js"))
        _add_look_up(router, current, api.state.journal)
        _add_desk(router, current, api.state.journal)
        add_owner(router, api.state, settings, may_edit)

    mount_staff(api, settings, add_routes)


def _add_look_up(router: APIRouter, current: Callable[[], Assistant], journal: Journal) -> None:
    @router.post("/staff/api/look-up")
    def look_up(asked: LookUpIn) -> JSONResponse:
        began, assistant = time.perf_counter(), current()
        answer, findings = assistant.ask_and_show(asked.question)
        found = looked_up(assistant, asked.question, asked.article, answer, findings)
        timing = {"Server-Timing": f"look-up;dur={1000 * (time.perf_counter() - began):.1f}"}
        if asked.entered and answered(answer):  # half a word, looked up while typing, is nobody's question
            journal.note_answer(asked.question, answer, "staff")
        return JSONResponse(found, headers=timing)

    @router.get("/staff/api/articles/{article_id}")
    def article(article_id: str) -> JSONResponse:
        for candidate in current().articles:
            if candidate.id == article_id:
                sections = [{"trail": part.trail, "text": part.text} for part in candidate.sections]
                return JSONResponse({**_described(candidate), "sections": sections})
        raise HTTPException(404, "There is no article with that id.")


def _add_desk(router: APIRouter, current: Callable[[], Assistant], journal: Journal) -> None:
    @router.get("/staff/api/desk")
    def desk(request: Request) -> JSONResponse:
        assistant = current()
        return JSONResponse(
            {
                "name": request.state.staff,
                "keeps_marks": journal.keeps,
                "articles": [
                    {"id": one.id, "title": one.title, "publisher": one.publisher} for one in assistant.articles
                ],
                "helplines": [asdict(line) for line in assistant.helplines],
                "protocol": protocol(assistant.helplines),
            }
        )

    @router.post("/staff/api/mark")
    def mark(said: MarkIn) -> JSONResponse:
        entry = {"from": "staff", "verdict": Verdict.DOWN, "comment": said.note, **said.model_dump(mode="json")}
        del entry["note"]
        assistant = current()
        entry["index"] = assistant.index_digest
        kept = {name: value for name, value in entry.items() if value}
        return JSONResponse({"stored": journal.add(kept, assistant.fears_for)})


def protocol(helplines: Sequence[Helpline]) -> list[dict[str, Any]]:
    """What to say and whom to call in each danger: the cards that visitors get, without the line that only a program
    says of itself."""
    return [
        {
            "title": title,
            "text": re.sub(r"\s*I am a program, not a person\.", "", answers.CARDS[name]),
            "helplines": [line.id for line in safety.pick(helplines, *answers.CARD_LINES[name])],
        }
        for name, title in DANGERS.items()
    ]


def looked_up(
    assistant: Assistant, question: str, article: str | None, answer: Answer, findings: Sequence[Finding]
) -> dict[str, Any]:
    """The visitor's answer, and the passages that were found, each with its reasons. In one article, the passages are
    of that one; the answer is the visitor's all the same."""
    told = {
        **answer.public(),
        "citations": [{**asdict(citation), "link": citation.link} for citation in answer.citations],
        "support": answer.support,
        "band": None if answer.support is None else band(answer.support),
        "apart": answer.text.startswith(answers.DIFFER),
    }
    if answer.status in (Status.INVALID, Status.CRISIS):  # in danger nothing is to be read but the card
        return {"answer": told, "known": None, "passages": []}
    if article is not None:
        finding = assistant.find_in(article, question)
    else:  # of several questions, what is near the message as a whole
        finding = findings[0] if len(findings) == 1 else assistant.find(question)
    reasons = assistant.explain(finding)
    known = None if reasons.known is None else asdict(reasons.known)
    return {"answer": told, "known": known, "passages": _passages(assistant, answer, finding, reasons)}


def _passages(assistant: Assistant, answer: Answer, finding: Finding, reasons: Reasons) -> list[dict[str, Any]]:
    """The passages of the hits, the best supported first; ties stand as they were found."""
    by_passage: dict[str, list[int]] = {}
    hits = finding.search.hits
    for place, hit in enumerate(hits):
        by_passage.setdefault(hit.passage.id, []).append(place)
    best = {name: max(float(finding.supports[place]) for place in places) for name, places in by_passage.items()}
    articles = {article.id: article for article in assistant.articles}
    shown = []
    for name in sorted(by_passage, key=lambda name: -round(best[name], 6))[:PASSAGES]:
        places = by_passage[name]
        first = max(places, key=lambda place: round(float(finding.supports[place]), 6))
        passage = hits[first].passage
        article = articles[passage.article]
        source = cite(
            0, article, article.sections[passage.section], hits[first].sentence.start, hits[first].sentence.end
        )
        known = [reason for place in places if (reason := reasons.hits[place].known)]
        shown.append(
            {
                **_described(article),
                "section": passage.section,
                "trail": passage.trail,
                "link": source.link,
                "sentence": source.quote,
                "parts": _parts(
                    passage, {hits[place].sentence.start: float(finding.supports[place]) for place in places}
                ),
                "support": best[name],
                "band": band(best[name]),
                "terms": list(dict.fromkeys(term for place in places for term in reasons.hits[place].terms)),
                "known": asdict(max(known, key=_nearness)) if known else None,
                "quoted": _quoted(article, passage, answer.citations),
            }
        )
    return shown


def _nearness(known: Known) -> float:
    return round(known.cosine, 6)


def _parts(passage: Passage, supports: dict[int, float]) -> list[dict[str, str | None]]:
    """The passage's text in parts: each sentence that was found, by where it starts, with its band, and what stands
    between them with none."""
    parts: list[dict[str, str | None]] = []
    at = passage.start
    for sentence in passage.sentences:
        if sentence.start in supports:
            if at < sentence.start:
                parts.append({"text": passage.text[at - passage.start : sentence.start - passage.start], "band": None})
            parts.append({"text": passage.sentence_text(sentence), "band": band(supports[sentence.start])})
            at = sentence.end
    if at < passage.end:
        parts.append({"text": passage.text[at - passage.start :], "band": None})
    return parts


def _quoted(article: Article, passage: Passage, citations: Sequence[Citation]) -> list[int]:
    """The numbers of the answer's quotes that stand in this passage."""
    offset = article.sections[passage.section].start
    start, end = offset + passage.start, offset + passage.end
    return [one.number for one in citations if one.article == article.id and one.start < end and start < one.end]


def _described(article: Article) -> dict[str, Any]:
    names = ("id", "title", "publisher", "url", "updated", "edition")
    return {name: getattr(article, name) for name in names}
