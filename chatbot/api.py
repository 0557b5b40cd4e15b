"""The REST door: FastAPI, pydantic at the edge, one JSON error shape."""

import time
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from chatbot.answers import Citation, Helpline, Status
from chatbot.articles import Article, Edition
from chatbot.assistant import Assistant
from chatbot.conversation import Turn
from chatbot.guard import Guard, error_response
from chatbot.reference import REFERENCE_POLICY, reference_page
from chatbot.settings import Settings

VERSION = "1"
MAX_BODY_BYTES = 64 * 1024
MAX_PAGE_BODY_BYTES = 1024 * 1024  # the page sends the conversation that it shows along with each question
MAX_TURNS = 100


def readable(text: str) -> str:
    """`text`, unless it has half of a surrogate pair: JSON can carry one, UTF-8 can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("has a character that is half of a pair") from None
    return text


Text = Annotated[str, AfterValidator(readable)]


class TurnIn(BaseModel):
    """One earlier message."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["user", "assistant"]
    content: Text


class QuestionIn(BaseModel):
    """One message, with the conversation before it if there is one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"question": "Does IOP include detox?"}]})
    question: Text = Field(description="The message, up to 2,000 characters unless the operator set another limit.")
    history: list[TurnIn] = Field(default=[], max_length=MAX_TURNS, description="Earlier messages, oldest first.")
    id: Annotated[Text, Field(max_length=200)] | int | None = Field(
        default=None, description="Comes back with the answer."
    )


class AnswerOut(BaseModel):
    """An answer. Every quote is `text[start:end]` of its article, counted in Unicode code points."""

    id: str | int | None = Field(default=None, description="As in the question; absent where it had none.")
    status: Status
    text: str
    citations: list[Citation]
    suggestions: list[str]
    helplines: list[Helpline]
    index: str = Field(description="Digest of the index that answered.")


class SectionOut(BaseModel):
    """A section of an article: `text[start:end]` of the article is its text."""

    trail: list[str] = Field(description="Headings from the outermost to the section's own.")
    start: int
    end: int


class ArticleOut(BaseModel):
    """An article of the library."""

    id: str
    title: str
    publisher: str | None
    url: str | None
    updated: str | None
    edition: Edition
    sections: list[SectionOut]


class ArticleTextOut(ArticleOut):
    """An article with its whole text as indexed."""

    text: str


class ArticlesOut(BaseModel):
    """The library."""

    index: str
    articles: list[ArticleOut]


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str
    message: str
    status: Literal["invalid"] | None = Field(description="`invalid` where the request can't be used as it is.")


class ErrorOut(BaseModel):
    """Every error of this API."""

    error: ErrorDetail


ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorOut, "description": "No such article"},
    413: {"model": ErrorOut, "description": "The request is too large"},
    422: {"model": ErrorOut, "description": "The request or the question can't be used"},
    503: {"model": ErrorOut, "description": "The index is not loaded yet"},
}


def errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The documented errors with these HTTP status codes."""
    return {code: ERRORS[code] for code in codes}


def create_api(assistant: Assistant | None, settings: Settings) -> FastAPI:
    """The service. Without an assistant it is alive and not ready, until `api.state.assistant` is set."""
    api = FastAPI(
        title="Ask IOP",
        version=VERSION,
        description="Answers made of sentences quoted from a library of articles, each with its source.",
        docs_url=None,  # FastAPI's own pages load their scripts from another host
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    api.state.assistant = assistant
    # No origin but our own; Gradio keeps its wide policy to itself where the application has one.
    api.add_middleware(CORSMiddleware, allow_origins=[])
    limits = {"": MAX_BODY_BYTES, "/gradio_api/": MAX_PAGE_BODY_BYTES}
    api.add_middleware(Guard, frame_ancestors=settings.frame_ancestors, max_body_bytes=limits)
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(RequestValidationError, _validation_error)
    _add_questions(api)
    _add_articles(api)
    _add_health(api)
    return api


def _add_questions(api: FastAPI) -> None:
    @api.post("/api/ask", response_model=AnswerOut, responses=errors(413, 422, 503), summary="Ask a question")
    def ask(question: QuestionIn, request: Request) -> Response:
        """The answer in the articles' own words with numbered citations, or that they have none.

        What became of the question is in `status`. A message that can't be used as a question (empty, too
        long, unreadable) gets HTTP 422.
        """
        assistant = loaded(request)
        history = [Turn(turn.role, turn.content) for turn in question.history]
        began = time.perf_counter()
        answer = assistant.ask(question.question, history)
        timing = {"Server-Timing": f"ask;dur={1000 * (time.perf_counter() - began):.1f}"}
        if answer.status is Status.INVALID:
            return error_response(422, answer.text, code="invalid_question", headers=timing)
        given = {} if question.id is None else {"id": question.id}
        return JSONResponse({**given, **answer.public()}, headers=timing)


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
    @api.get("/healthz", summary="Is the process alive?")
    def healthz() -> dict[str, bool]:
        """Yes, whatever else is wrong."""
        return {"alive": True}

    @api.get("/readyz", responses=errors(503), summary="Can it answer questions?")
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
