"""The owner's view of the console, /staff/owner: what visitors asked and got no answer to, which becomes known questions
here; what was found amiss; where articles contradict each other. Behind the sign-in, as all of the console."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from chatbot.amendments import Change, MoreWordings, NewAnswer, NewTopic, QuestionFile, TakeBack
from chatbot.answers import Status
from chatbot.assistant import Assistant
from chatbot.errors import AskError, ChangedMeanwhileError
from chatbot.gaps import Gaps
from chatbot.index import PassageIndex
from chatbot.journal import Journal
from chatbot.overview import DAYS, choosable, contradicting, grouped, nearest_entries, summed_up
from chatbot.questions import Place
from chatbot.renewal import Renewal
from chatbot.settings import Settings
from chatbot.shapes import Text
from chatbot.staff import add_files


def plain(text: str) -> str:
    """Text on one line. Raises ValueError where nothing is left of it."""
    text = " ".join(text.split())
    if not text:
        raise ValueError("is empty")
    return text


Line = Annotated[Text, AfterValidator(plain), Field(max_length=300)]
Wordings = Annotated[list[Line], Field(min_length=1, max_length=50)]


class PlaceIn(BaseModel):
    """A section of an article, or the sentence in it that opens with these words."""

    model_config = ConfigDict(extra="forbid")
    article: Annotated[Text, Field(max_length=300)]
    heading: Annotated[Text, Field(max_length=500)]
    sentence: Annotated[Text, Field(min_length=1, max_length=2000)] | None = None


class MoreWordingsIn(BaseModel):
    """Wordings for an entry that there is."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["wordings"]
    like: Text
    wordings: Wordings


class NewAnswerIn(BaseModel):
    """A new entry that the articles answer."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["answer"]
    places: list[PlaceIn] = Field(min_length=1, max_length=20)
    wordings: Wordings


class NewTopicIn(BaseModel):
    """A new entry that they don't."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["topic"]
    topic: Annotated[Text, AfterValidator(plain), Field(max_length=100)]
    say: Annotated[Text, AfterValidator(plain), Field(max_length=1000)]
    wordings: Wordings


class TakeBackIn(BaseModel):
    """The file as it was before the last change."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["take_back"]


ChangeIn = Annotated[MoreWordingsIn | NewAnswerIn | NewTopicIn | TakeBackIn, Field(discriminator="kind")]


class PreviewIn(BaseModel):
    """What is to be changed."""

    model_config = ConfigDict(extra="forbid")
    change: ChangeIn


class ApplyIn(PreviewIn):
    """The same, and the file that it was shown on."""

    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class SearchIn(BaseModel):
    """Words for which a known question is looked for."""

    model_config = ConfigDict(extra="forbid")
    question: Line


def add_owner(router: APIRouter, state: State, settings: Settings, may_edit: bool) -> None:
    """Add the owner's routes. `state` has the service's `assistant`, which is exchanged there, and its `journal`."""

    def current() -> Assistant:
        assistant: Assistant = state.assistant
        return assistant

    def exchange(assistant: Assistant) -> None:
        state.assistant = assistant

    add_files(router, {"/staff/owner": "owner.html"}, ("owner.css", "owner.js", "amend.js"))
    _add_lists(router, current, state.journal)
    _add_choices(router, current)
    renewal = Renewal(settings, current, exchange, settings.examination)
    _add_changes(router, current, QuestionFile(settings.corpus), renewal, may_edit)


def _add_lists(router: APIRouter, current: Callable[[], Assistant], journal: Journal) -> None:
    in_groups = Gaps()
    seen: dict[str, list[dict[str, Any]]] = {}

    @router.get("/staff/api/owner/gaps")
    def gaps() -> JSONResponse:
        assistant = current()
        asked = journal.asked([Status.NOT_COVERED])
        groups = in_groups(asked, assistant.index, assistant.encoder)
        shown = sorted((grouped(group, assistant.index) for group in groups), key=lambda group: bool(group["seen_to"]))
        return JSONResponse({"asked": len(asked), "groups": shown})

    @router.get("/staff/api/owner/feedback")
    def feedback() -> JSONResponse:
        counts = journal.counts()
        days = [{"day": day, "statuses": counts[day]} for day in sorted(counts)[-DAYS:]]
        return JSONResponse({**summed_up(journal.read()), "asked": days})

    @router.get("/staff/api/owner/contradictions")
    def contradictions() -> JSONResponse:
        index = current().index
        pairs = seen.get(index.digest)
        if pairs is None:
            pairs = contradicting(index)
            seen.clear()
            seen[index.digest] = pairs
        return JSONResponse({"pairs": pairs})


def _add_choices(router: APIRouter, current: Callable[[], Assistant]) -> None:
    @router.post("/staff/api/owner/search")
    def search(sought: SearchIn) -> JSONResponse:
        assistant = current()
        return JSONResponse({"entries": nearest_entries(sought.question, assistant)})

    @router.get("/staff/api/owner/articles/{article_id}")
    def sentences(article_id: str) -> JSONResponse:
        index = current().index
        if article_id not in index.articles:
            raise HTTPException(404, "There is no article with that id.")
        return JSONResponse({"sections": choosable(article_id, index)})


def _add_changes(
    router: APIRouter, current: Callable[[], Assistant], file: QuestionFile, renewal: Renewal, may_edit: bool
) -> None:
    @router.get("/staff/api/owner")
    def owner(request: Request) -> JSONResponse:
        articles = [{"id": one.id, "title": one.title, "publisher": one.publisher} for one in current().articles]
        return JSONResponse(
            {
                "name": request.state.staff,
                "keeps": request.app.state.journal.keeps,
                "may_edit": may_edit,
                "can_take_back": may_edit and file.can_take_back(),
                "articles": articles,
                "progress": asdict(renewal.progress),
            }
        )

    @router.post("/staff/api/owner/preview")
    def preview(wanted: PreviewIn) -> Response:
        with _refusals(may_edit):
            diff, digest = file.diff(_change(wanted.change, current().index))
        return JSONResponse({"diff": diff, "digest": digest})

    @router.post("/staff/api/owner/apply")
    def apply(wanted: ApplyIn) -> Response:
        with _refusals(may_edit):
            file.make(_change(wanted.change, current().index), wanted.digest)
        renewal.start()
        return JSONResponse({"progress": asdict(renewal.progress)})


@contextmanager
def _refusals(may_edit: bool) -> Iterator[None]:
    """What keeps a change from being made, as HTTP has it."""
    if not may_edit:
        raise HTTPException(403, "This service was started with an index alone; its articles are elsewhere.")
    try:
        yield
    except ChangedMeanwhileError as error:
        raise HTTPException(409, str(error)) from None
    except AskError as error:
        raise HTTPException(422, str(error)) from None
    except OSError as error:
        raise HTTPException(503, f"The questions can't be written: {error.strerror}.") from None


def _change(wanted: ChangeIn, index: PassageIndex) -> Change:
    """The change that is asked for. Raises `HTTPException` 422 for a place where no such sentence stands."""
    if isinstance(wanted, TakeBackIn):
        return TakeBack()
    wordings = tuple(wanted.wordings)
    if isinstance(wanted, MoreWordingsIn):
        return MoreWordings(wanted.like, wordings)
    if isinstance(wanted, NewTopicIn):
        return NewTopic(wanted.topic, wanted.say, wordings)
    places = tuple(Place(one.article, one.heading, one.sentence) for one in wanted.places)
    for place in places:
        there = [
            passage
            for passage in index.passages
            if (passage.article, passage.heading) == (place.article, place.heading)
        ]
        texts = [passage.sentence_text(sentence) for passage in there for sentence in passage.sentences]
        if place.sentence is not None and not any(text.startswith(place.sentence) for text in texts):
            raise HTTPException(422, f"No sentence of “{place.heading}” opens with “{place.sentence}”.")
    return NewAnswer(places, wordings)
