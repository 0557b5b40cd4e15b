"""The REST door: FastAPI, pydantic at the edge, one JSON error shape."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from chatbot import stream
from chatbot.admission import HostCheck, RateLimit, SharedOrigins, urgent
from chatbot.answers import Answer, Status
from chatbot.articles import Article
from chatbot.assistant import Assistant
from chatbot.conversation import Turn
from chatbot.deadline import TimeLimit
from chatbot.guard import Guard, SecurityHeaders, error_response
from chatbot.journal import Journal
from chatbot.reference import REFERENCE_POLICY, reference_page
from chatbot.settings import Settings
from chatbot.shapes import (
    ANSWER_EXAMPLE,
    AnswerOut,
    ArticleOut,
    ArticlesOut,
    ArticleTextOut,
    ErrorOut,
    FeedbackIn,
    FeedbackOut,
    QuestionIn,
    SuggestionsOut,
)
from chatbot.watch import Metrics, Watch, add_metrics, answered

VERSION = "1"
MAX_BODY_BYTES = 64 * 1024
TIDY_SECONDS = 3600.0
MAX_PAGE_BODY_BYTES = 1024 * 1024  # the page sends the conversation that it shows along with each question

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorOut, "description": "The body can't be read"},
    404: {"model": ErrorOut, "description": "No such article"},
    413: {"model": ErrorOut, "description": "The request is too large"},
    422: {"model": ErrorOut, "description": "The request or the question can't be used"},
    429: {"model": ErrorOut, "description": "Too many at once; Retry-After says when to try again"},
    503: {"model": ErrorOut, "description": "The index is not loaded yet, or this took too long"},
}


def errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The documented errors with these HTTP status codes."""
    return {code: ERRORS[code] for code in codes}


def shown(example: Mapping[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The documented success with this example."""
    return {200: {"content": {"application/json": {"example": example}}}}


def create_api(assistant: Assistant | None, settings: Settings) -> FastAPI:
    """The service. Without an assistant it is alive and not ready, until `api.state.assistant` is set.

    Raises `SettingsError` where the journal can't be used.
    """
    api = FastAPI(
        title="Ask IOP",
        version=VERSION,
        description="Answers made of sentences quoted from a library of articles, each with its source.",
        docs_url=None,  # FastAPI's own pages load their scripts from another host
        redoc_url=None,
        lifespan=_tidying,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    api.state.assistant = assistant
    api.state.journal = Journal(Path(settings.journal) if settings.journal else None, settings.journal_days)
    _add_admission(api, settings)
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(RequestValidationError, _validation_error)
    _add_questions(api)
    _add_stream(api)
    _add_widget(api)
    _add_articles(api)
    _add_health(api)
    return api


@contextlib.asynccontextmanager
async def _tidying(api: FastAPI) -> AsyncIterator[None]:
    """While the service runs, what is too old goes even if nobody asks anything."""

    async def tidy() -> None:
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            await run_in_threadpool(api.state.journal.expire)

    task = asyncio.create_task(tidy())
    try:
        yield
    finally:
        task.cancel()


def _add_admission(api: FastAPI, settings: Settings) -> None:
    """What a request passes before a route sees it: the last added comes first."""
    # No origin but our own; Gradio keeps its wide policy to itself where the application has one.
    api.add_middleware(CORSMiddleware, allow_origins=[])
    api.add_middleware(TimeLimit, seconds=settings.seconds_per_request, state=api.state)
    api.add_middleware(
        RateLimit,
        per_client=settings.questions_per_minute,
        in_total=settings.questions_per_minute_in_total,
        state=api.state,
    )
    api.add_middleware(HostCheck, hosts=settings.allowed_hosts.split())
    limits = {"": MAX_BODY_BYTES, "/gradio_api/": MAX_PAGE_BODY_BYTES}
    api.add_middleware(Guard, max_body_bytes=limits)
    # Outside of all that refuses, so that the page of an allowed site can read why.
    api.add_middleware(SharedOrigins, origins=settings.allowed_origins.split())
    api.add_middleware(SecurityHeaders, frame_ancestors=settings.frame_ancestors)
    metrics = Metrics() if settings.metrics == "on" else None
    api.add_middleware(Watch, metrics=metrics, log=settings.log)
    add_metrics(api, metrics)


def _add_questions(api: FastAPI) -> None:
    @api.post("/api/ask", response_model=AnswerOut, responses=errors(400, 413, 422, 429, 503), summary="Ask a question")
    def ask(question: QuestionIn, request: Request) -> Response:
        """The answer in the articles' own words with numbered citations, or that they have none.

        What became of the question is in `status`. A message that can't be used as a question (empty, too
        long, unreadable) gets HTTP 422.
        """
        answer, timing = asked(question, request)
        if answer.status is Status.INVALID:
            return error_response(422, answer.text, code="invalid_question", headers=timing)
        return JSONResponse({**given(question), **answer.public()}, headers=timing)


def _add_stream(api: FastAPI) -> None:
    content = {"text/event-stream": {"itemSchema": stream.ITEM, "example": stream.EVENTS}}
    documented: dict[int | str, dict[str, Any]] = {200: {"content": content}, **errors(400, 413, 422, 429, 503)}

    @api.post("/api/ask/stream", response_class=StreamingResponse, responses=documented, summary="Ask, as a stream")
    def ask_stream(question: QuestionIn, request: Request) -> Response:
        """The same as server-sent events: `crisis` (where the words show danger, with `text` and `helplines`,
        before anything is looked up), `status`, a `sentence` for each citation, and last `answer`, which is
        what `/api/ask` gives. `error` in its place has the shape of every error.
        """
        assistant = loaded(request)
        headers = {"X-Accel-Buffering": "no"}  # a proxy that collected the events would undo their order in time
        card = stream.card(question.question, assistant.helplines)
        if card is not None:
            lines = urgent(request.app.state)
            told = stream.urgent_first(card, lambda: asked(question, request)[0], given(question), lines)
        else:
            answer, timing = asked(question, request)
            if answer.status is Status.INVALID:
                return error_response(422, answer.text, code="invalid_question", headers=timing)
            told, headers = stream.events(answer, given(question)), {**headers, **timing}
        return StreamingResponse(told, media_type="text/event-stream", headers=headers)


def _add_widget(api: FastAPI) -> None:
    @api.get("/api/suggestions", responses=errors(503), summary="What to ask first")
    def suggestions(request: Request) -> SuggestionsOut:
        """Questions that the articles answer, and whether feedback is kept."""
        assistant = loaded(request)
        keeps = request.app.state.journal.keeps
        return SuggestionsOut(suggestions=list(assistant.examples), feedback=keeps, index=assistant.index_digest)

    @api.post("/api/feedback", responses=errors(400, 413, 422, 429), summary="Say what an answer was worth")
    def feedback(said: FeedbackIn, request: Request) -> FeedbackOut:
        """A thumb, with a reason and a comment if you like. It is kept only where the operator keeps a journal, its
        words without the names and numbers that are recognised, and never with an address.
        """
        assistant: Assistant | None = request.app.state.assistant
        index = {"index": assistant.index_digest} if assistant else {}
        entry = {name: value for name, value in said.model_dump(mode="json").items() if value}
        fears_for = assistant.fears_for if assistant else None
        return FeedbackOut(stored=request.app.state.journal.add({**entry, **index}, fears_for))


def asked(question: QuestionIn, request: Request) -> tuple[Answer, dict[str, str]]:
    """The answer, which goes into the journal, and a header that says how long it took."""
    history = [Turn(turn.role, turn.content) for turn in question.history]
    began = time.perf_counter()
    answer = loaded(request).ask(question.question, history)
    timing = {"Server-Timing": f"ask;dur={1000 * (time.perf_counter() - began):.1f}"}
    if answered(answer):
        request.app.state.journal.note_answer(question.question, answer, "api")
    return answer, timing


def given(question: QuestionIn) -> dict[str, Any]:
    """The question's id, to stand in front of its answer, where it has one."""
    return {} if question.id is None else {"id": question.id}


def _add_articles(api: FastAPI) -> None:
    @api.get("/api/articles", responses=errors(503), summary="The library")
    def articles(request: Request) -> ArticlesOut:
        """Every article's title, publisher, address and headings."""
        assistant = loaded(request)
        listed = [ArticleOut(**described(article)) for article in assistant.articles]
        return ArticlesOut(index=assistant.index_digest, articles=listed)

    @api.get("/api/articles/{article_id}", responses=errors(404, 422, 503), summary="One article")
    def article(article_id: str, request: Request) -> ArticleTextOut:
        """An article with its text as indexed, to check quotes against: offsets count Unicode code points."""
        for candidate in loaded(request).articles:
            if candidate.id == article_id:
                return ArticleTextOut(**described(candidate), text=candidate.text)
        raise HTTPException(404, "There is no article with that id.")


def _add_health(api: FastAPI) -> None:
    alive = {"alive": True}
    ready: dict[str, bool | str] = {"ready": True, "index": ANSWER_EXAMPLE["index"], "screen": "whole"}

    @api.get("/healthz", responses=shown(alive), summary="Is the process alive?")
    def healthz() -> dict[str, bool]:
        """Yes, whatever else is wrong."""
        return alive

    @api.get("/readyz", responses={**shown(ready), **errors(503)}, summary="Can it answer questions?")
    def readyz(request: Request) -> dict[str, bool | str]:
        """The digest of the index that answers, and whether the danger screen is whole; 503 until it is loaded."""
        assistant = loaded(request)
        return {
            "ready": True,
            "index": assistant.index_digest,
            "screen": "whole" if assistant.screens_whole else "patterns only",
        }

    @api.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(reference_page(api.openapi()), headers={"Content-Security-Policy": REFERENCE_POLICY})


def loaded(request: Request) -> Assistant:
    """The assistant of this service. Raises HTTP 503 while there is none."""
    assistant: Assistant | None = request.app.state.assistant
    if assistant is None:
        raise HTTPException(503, "The articles are still being loaded. Please try again in a moment.")
    return assistant


def described(article: Article) -> dict[str, Any]:
    """The fields of `ArticleOut`."""
    sections = [{"trail": part.trail, "start": part.start, "end": part.end} for part in article.sections]
    names = ("id", "title", "publisher", "url", "updated", "edition")
    return {**{name: getattr(article, name) for name in names}, "sections": sections}


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return error_response(error.status_code, str(error.detail), headers=error.headers)


async def _validation_error(request: Request, error: Exception) -> Response:
    """Where and what, never the value: it may be what somebody asked."""
    assert isinstance(error, RequestValidationError)
    problems = []
    for problem in error.errors():
        place = ".".join(str(step) for step in problem["loc"][1:] if isinstance(step, int) or step.isidentifier())
        problems.append(f"{place}: {problem['msg']}" if place else str(problem["msg"]))
    return error_response(422, "; ".join(problems[:5]))
