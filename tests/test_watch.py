"""Metrics and the log: what happened is told, never what was said, by whom, or at which made-up path."""

import json
import re
from typing import Any

import pytest
from conftest import open_assistant
from starlette.testclient import TestClient

from chatbot.answers import Answer, Status
from chatbot.api import create_api
from chatbot.encoder import PackagedEncoder
from chatbot.index import PassageIndex
from chatbot.settings import Settings

CANARY = "zebra canary 531"


class Fixed:
    """An assistant that answers with the status that the question names, and fails on `broken`."""

    articles = ()
    helplines = ()
    index_digest = "0"

    def ask(self, question: str, history: object = ()) -> Answer:
        if question == "broken":
            raise ValueError(CANARY)
        return Answer(Status(question.split()[-1]), "text", index="0")


def serve(assistant: Any = None, **settings: Any) -> TestClient:
    return TestClient(create_api(assistant or Fixed(), Settings(**settings)), client=("203.0.113.77", 1))


def ask(client: TestClient, question: str, path: str = "/api/ask") -> int:
    return int(client.post(path, json={"question": question}).status_code)


def use(client: TestClient) -> None:
    """Each kind of request once, with the canary wherever something can be written."""
    ask(client, f"{CANARY} answered")
    ask(client, f"{CANARY} crisis", "/api/ask/stream")
    ask(client, "broken")
    client.get(f"/{CANARY}?q={CANARY}", headers={"User-Agent": CANARY})
    client.get(f"/api/articles/{CANARY}")
    client.request("ZEBRA", "/api/ask")
    client.post("/api/ask", content=CANARY * 9999)
    client.get("/healthz")


def samples(client: TestClient) -> dict[str, float]:
    """The metrics as they are exposed: name with labels to value."""
    reply = client.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    lines = [line for line in reply.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


# --- metrics --------------------------------------------------------------------------------------


def test_there_are_none_by_default() -> None:
    client = serve()
    reply = client.get("/metrics")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")


def test_what_happened_is_counted() -> None:
    client = serve(metrics="on")
    use(client)
    told = samples(client)
    assert told['ask_iop_answers_total{status="answered"}'] == 1
    assert told['ask_iop_answers_total{status="crisis"}'] == told["ask_iop_crises_total"] == 1
    assert told['ask_iop_answers_total{status="not_covered"}'] == 0
    assert told['ask_iop_requests_total{method="POST",route="/api/ask",status="200"}'] == 1
    assert told['ask_iop_requests_total{method="POST",route="/api/ask",status="500"}'] == 1
    assert told['ask_iop_requests_total{method="POST",route="unknown",status="413"}'] == 1
    assert told['ask_iop_requests_total{method="GET",route="/api/articles/{article_id}",status="404"}'] == 1
    assert told['ask_iop_requests_total{method="GET",route="unknown",status="404"}'] == 1
    assert told['ask_iop_requests_total{method="unknown",route="/api/ask",status="405"}'] == 1
    assert told['ask_iop_refusals_total{reason="size"}'] == 1
    assert told['ask_iop_request_seconds_count{route="/api/ask"}'] == 3
    assert told['ask_iop_request_seconds_bucket{le="+Inf",route="/healthz"}'] == 1


def test_a_refusal_is_counted_by_its_reason() -> None:
    client = serve(metrics="on", questions_per_minute=2)
    codes = [ask(client, question) for question in ("invalid", "answered", "answered")]
    assert codes == [422, 200, 429]
    told = samples(client)
    assert told['ask_iop_refusals_total{reason="unusable"}'] == told['ask_iop_refusals_total{reason="limit"}'] == 1
    assert told['ask_iop_answers_total{status="invalid"}'] == 1


def test_metrics_hold_no_word_and_no_address_and_do_not_grow_with_either() -> None:
    client = serve(metrics="on", questions_per_minute=0)
    use(client)
    before = set(samples(client))
    text = client.get("/metrics").text
    assert "zebra" not in text.lower() and "203.0.113" not in text
    for number in range(20):
        client.get(f"/none/{number}")
        client.get(f"/api/articles/{number}")
        client.request(f"M{number}", "/api/ask")
        ask(client, f"{number} answered")
    assert {name for name in set(samples(client)) - before if "/metrics" not in name} == set()


def test_services_count_apart() -> None:
    one, other = serve(metrics="on"), serve(metrics="on")
    ask(one, "answered")
    assert samples(other)['ask_iop_answers_total{status="answered"}'] == 0


# --- the log --------------------------------------------------------------------------------------


def test_there_is_no_log_by_default(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    use(serve())
    assert capfd.readouterr() == ("", "")
    assert caplog.messages and all("ValueError at ask" in message for message in caplog.messages)


def test_a_line_as_json_tells_what_happened(capfd: pytest.CaptureFixture[str]) -> None:
    client = serve(log="json")
    use(client)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert all(
        set(line) == {"at", "method", "route", "http_status", "status", "milliseconds"} and line["milliseconds"] >= 0
        for line in lines
    )
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["at"]) for line in lines)
    assert [(line["method"], line["route"], line["http_status"], line["status"]) for line in lines] == [
        ("POST", "/api/ask", 200, "answered"),
        ("POST", "/api/ask/stream", 200, "crisis"),
        ("POST", "/api/ask", 500, None),
        ("GET", "unknown", 404, None),
        ("GET", "/api/articles/{article_id}", 404, None),
        ("unknown", "/api/ask", 405, None),
        ("POST", "unknown", 413, None),
        ("GET", "/healthz", 200, None),
    ]


def test_a_line_as_text_tells_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    ask(serve(log="text"), "not_covered")
    assert re.fullmatch(r"\S{20} POST /api/ask 200 not_covered \d+\.\d ms\n", capfd.readouterr().err)


@pytest.mark.parametrize("log", ["json", "text"])
def test_no_line_holds_a_word_or_an_address(
    log: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    use(serve(log=log))
    written = "".join(capfd.readouterr()) + caplog.text
    assert written.count("\n") >= 8
    assert "zebra" not in written.lower() and "203.0.113" not in written


def test_the_real_assistant_is_on_record_too(
    small: PassageIndex, encoder: PackagedEncoder, capfd: pytest.CaptureFixture[str]
) -> None:
    client = serve(open_assistant(small, encoder, "none"), log="json", metrics="on")
    for question in ("how often is a heap turned?", "i want to kill myself", "who won the world cup?"):
        ask(client, question)
    statuses = [json.loads(line)["status"] for line in capfd.readouterr().err.splitlines()]
    assert statuses == ["answered", "crisis", "not_covered"]
    assert samples(client)["ask_iop_crises_total"] == 1
