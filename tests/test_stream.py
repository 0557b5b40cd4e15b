"""An answer as events: danger before everything else, and at the end what `/api/ask` gives."""

import json
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from chatbot.answers import CARDS, Answer, Helpline, Status
from chatbot.api import AnswerOut, ErrorOut, create_api
from chatbot.settings import Settings
from chatbot.stream import urgent_first

LINE = {"purpose": "a", "hours": "b", "region": "c", "source": "d", "verified": "2026-01-01"}


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Each event's name and content, by the rules of the format."""
    found = []
    for block in text.split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        assert set(fields) == {"event", "data"}
        found.append((fields["event"], json.loads(fields["data"])))
    return found


def stream(client: httpx.Client, question: str, **more: Any) -> list[tuple[str, dict[str, Any]]]:
    reply = client.post("/api/ask/stream", json={"question": question, **more})
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["cache-control"] == "no-store"
    return events(reply.text)


@pytest.mark.parametrize("question", ["does IOP include detox?", "who won the world cup?", "hello", "what dose?"])
def test_the_last_event_is_the_answer(client: httpx.Client, question: str) -> None:
    told = stream(client, question, id="a-1")
    answer = client.post("/api/ask", json={"question": question, "id": "a-1"}).json()
    assert told[-1] == ("answer", answer)
    AnswerOut.model_validate(told[-1][1])
    assert told[0] == ("status", {"status": answer["status"]})
    assert [one for name, one in told if name == "sentence"] == answer["citations"]
    assert len(told) == 2 + len(answer["citations"])


def test_danger_comes_before_everything(client: httpx.Client) -> None:
    told = stream(client, "I want to kill myself. Does IOP include detox?")
    name, card = told[0]
    assert name == "crisis"
    assert card["text"] == CARDS["suicide"]
    assert [line["phone"] for line in card["helplines"]] == ["988", "911"]
    assert told[1] == ("status", {"status": "crisis"})
    assert told[-1][0] == "answer"


@pytest.mark.parametrize("question", ["", " ", "why " * 501, "\x00"])
def test_what_cannot_be_read_is_an_error_and_no_stream(client: httpx.Client, question: str) -> None:
    reply = client.post("/api/ask/stream", json={"question": question})
    assert reply.status_code == 422
    assert ErrorOut.model_validate_json(reply.content).error.status == "invalid"


class Broken:
    """An assistant that fails."""

    articles = ()
    helplines = tuple(Helpline(id=name, name=name, phone="1", **LINE) for name in ("emergency", "crisis", "poison"))
    index_digest = "0"

    def ask(self, question: str, history: object = ()) -> Answer:
        raise ValueError(f"can't handle {question}")


def test_the_card_is_there_when_all_behind_it_is_broken(caplog: pytest.LogCaptureFixture) -> None:
    caller = TestClient(create_api(Broken(), Settings()))  # type: ignore[arg-type]
    reply = caller.post("/api/ask/stream", json={"question": "I want to kill myself, zebra"})
    told = events(reply.text)
    assert [name for name, _ in told] == ["crisis", "error"]
    assert {line["id"] for line in told[0][1]["helplines"]} == {"crisis", "emergency"}
    error = ErrorOut.model_validate(told[1][1]).error
    assert error.helplines
    assert "zebra" not in caplog.text + reply.text
    assert "ValueError" in caplog.text


def test_nothing_is_looked_up_before_the_card_is_out() -> None:
    looked_up: list[bool] = []

    def ask() -> Answer:
        looked_up.append(True)
        return Answer(Status.CRISIS, "a")

    told = urgent_first("card", ask, {}, ())
    assert (next(told), looked_up) == ("card", [])
    assert [name for name, _ in events("".join(told))] == ["status", "answer"]


def test_without_danger_a_failure_is_a_plain_error() -> None:
    caller = TestClient(create_api(Broken(), Settings()))  # type: ignore[arg-type]
    assert caller.post("/api/ask/stream", json={"question": "what is an IOP?"}).status_code == 500
    caller = TestClient(create_api(None, Settings()))
    assert caller.post("/api/ask/stream", json={"question": "I want to kill myself"}).status_code == 503
