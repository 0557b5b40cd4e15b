"""The time limit: whoever waits too long is told whom to call, in the shape of every error."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CORPUS
from fastapi import FastAPI
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient

from chatbot.answers import Answer, Status
from chatbot.api import create_api
from chatbot.journal import Journal
from chatbot.safety import load_helplines
from chatbot.settings import Settings
from chatbot.shapes import ErrorOut

CANARY = "zebra canary 531"
DANGER = "i want to kill myself"
GUEST = {"Origin": "https://clinic.example"}


class Slow:
    """An assistant that answers when it is let go, and not before."""

    articles = ()
    helplines = load_helplines(CORPUS / "helplines.yaml")
    index_digest = "0"

    def __init__(self) -> None:
        self.go, self.done, self.asked = threading.Event(), threading.Event(), 0

    def ask(self, question: str, history: object = ()) -> Answer:
        self.asked += 1
        if question != "quick":
            self.go.wait(60)
        try:
            if question.startswith("broken"):
                raise ValueError(question)
            return Answer(Status.ANSWERED, "text", index="0")
        finally:
            self.done.set()


@pytest.fixture
def slow() -> Iterator[Slow]:
    assistant = Slow()
    yield assistant
    assistant.go.set()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def api(slow: Slow, journal: Path) -> FastAPI:
    settings = Settings(
        seconds_per_request=1,
        questions_per_minute=0,
        journal=str(journal),
        log="json",
        metrics="on",
        allowed_origins=GUEST["Origin"],
    )
    return create_api(slow, settings)  # type: ignore[arg-type]


@pytest.fixture
def client(api: FastAPI) -> Iterator[TestClient]:
    with TestClient(api) as opened:  # one event loop for all requests, as a server has
        yield opened


def ask(client: TestClient, question: str = CANARY, path: str = "/api/ask") -> Any:
    return client.post(path, json={"question": question}, headers=GUEST)


def events(reply: Any) -> list[tuple[str, Any]]:
    parts = [part.split("\n", 1) for part in reply.text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(told.removeprefix("data: "))) for name, told in parts]


@pytest.mark.parametrize("path", ["/api/ask", "/api/ask/stream"])
def test_an_answer_that_takes_too_long_is_an_error_with_whom_to_call(client: TestClient, path: str) -> None:
    reply = ask(client, path=path)
    assert reply.status_code == 503
    error = ErrorOut.model_validate_json(reply.content).error
    assert (error.code, error.status) == ("timed_out", None)
    assert {line.id for line in error.helplines} == {"crisis", "emergency"}
    assert reply.headers["access-control-allow-origin"] == GUEST["Origin"]
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_in_danger_the_card_is_out_and_the_error_ends_the_stream(client: TestClient) -> None:
    reply = ask(client, DANGER, "/api/ask/stream")
    assert reply.status_code == 200
    (first, card), (last, error) = events(reply)
    assert (first, last) == ("crisis", "error")
    assert card["helplines"] and error["error"]["code"] == "timed_out" and error["error"]["helplines"]
    ErrorOut.model_validate(error)


def test_who_is_quick_is_answered_while_others_wait(client: TestClient) -> None:
    waiting = [threading.Thread(target=ask, args=(client,)) for _ in range(5)]
    for thread in waiting:
        thread.start()
    assert ask(client, "quick").json()["status"] == "answered"
    for thread in waiting:
        thread.join()


def test_what_comes_too_late_is_given_to_nobody_and_kept_nowhere(
    client: TestClient, slow: Slow, journal: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for question in (CANARY, f"broken {CANARY}"):
        assert ask(client, question).status_code == 503
        slow.go.set()
        assert slow.done.wait(30)
        slow.go.clear()
        slow.done.clear()
    ask(client, "quick")
    assert [entry["question"] for entry in Journal(journal).asked()] == ["quick"]
    written = capfd.readouterr().err
    lines = [json.loads(line) for line in written.splitlines()]
    assert [(line["http_status"], line["status"]) for line in lines] == [(503, None), (503, None), (200, "answered")]
    assert "zebra" not in written + caplog.text
    assert 'ask_iop_answers_total{status="answered"} 1.0' in client.get("/metrics").text


def test_what_still_waits_for_a_thread_is_never_begun(client: TestClient, slow: Slow) -> None:
    waiting = [threading.Thread(target=ask, args=(client,)) for _ in range(50)]  # there are 40 threads
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join()
    slow.go.set()
    assert ask(client, "quick").status_code == 200
    assert slow.asked <= 41


def test_a_reply_that_has_begun_and_is_no_stream_of_events_may_go_on(api: FastAPI, slow: Slow) -> None:
    def slowly() -> Iterator[str]:
        yield "first"
        slow.go.wait(3)
        yield "last"

    @api.get("/slowly")
    def reply() -> StreamingResponse:
        return StreamingResponse(slowly(), media_type="text/plain")

    assert TestClient(api).get("/slowly").text == "firstlast"


def test_an_error_in_time_is_that_error(client: TestClient, slow: Slow) -> None:
    slow.go.set()
    assert ask(client, "broken").json()["error"]["code"] == "internal_error"
