"""The REST door: a running server, except where it takes an assistant that no index gives."""

import logging
import sys
from typing import Any

import httpx
import pytest
from conftest import ROOT, Server
from starlette.testclient import TestClient

from chatbot.answers import Answer, Status
from chatbot.api import MAX_BODY_BYTES, AnswerOut, ErrorOut, create_api
from chatbot.settings import Settings

QUESTIONS = (
    "does IOP include detox?",
    "What is an intensive outpatient program?",
    "how many hours a week does an IOP take?",
    "what therapies are used?",
    "can I keep my job?",
    "what is DBT",
    "who won the world cup?",
)
JSON = {"Content-Type": "application/json"}


def ask(client: httpx.Client, question: str, **more: Any) -> httpx.Response:
    return client.post("/api/ask", json={"question": question, **more})


# --- answers --------------------------------------------------------------------------------------


def test_detox_is_answered_with_a_source(client: httpx.Client) -> None:
    answer = ask(client, "does IOP include detox?").json()
    assert answer["status"] in ("answered", "partly_answered", "sources_differ")
    assert any("detox" in citation["quote"].lower() for citation in answer["citations"])


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_quote_stands_in_its_article_at_its_offsets(client: httpx.Client, question: str) -> None:
    answer = ask(client, question).json()
    for citation in answer["citations"]:
        article = client.get(f"/api/articles/{citation['article']}").json()
        assert article["text"][citation["start"] : citation["end"]] == citation["quote"]
        assert citation["quote"] in answer["text"]
        assert f"[{citation['number']}]" in answer["text"]
        assert article["title"] == citation["title"]


def test_an_answer_has_the_documented_shape_and_nothing_else(client: httpx.Client) -> None:
    answer = ask(client, QUESTIONS[0]).json()
    assert set(answer) == set(AnswerOut.model_fields) - {"id"}
    AnswerOut.model_validate(answer)


def test_the_id_comes_back(client: httpx.Client) -> None:
    assert ask(client, "hello", id="a-1").json()["id"] == "a-1"
    assert ask(client, "hello", id=7).json()["id"] == 7


def test_the_same_question_gives_the_same_bytes(client: httpx.Client) -> None:
    assert ask(client, QUESTIONS[2]).content == ask(client, QUESTIONS[2]).content


def test_the_time_is_in_a_header_and_not_in_the_body(client: httpx.Client) -> None:
    response = ask(client, QUESTIONS[0])
    assert response.headers["server-timing"].startswith("ask;dur=")


def test_history_is_taken(client: httpx.Client) -> None:
    history = [{"role": "user", "content": "What is DBT?"}, {"role": "assistant", "content": "A therapy."}]
    assert ask(client, "does IOP include detox?", history=history).status_code == 200


# --- the library ----------------------------------------------------------------------------------


def test_every_section_of_every_article_stands_in_its_text(client: httpx.Client) -> None:
    listed = client.get("/api/articles").json()
    assert listed["index"] == client.get("/readyz").json()["index"]
    assert listed["articles"]
    for entry in listed["articles"]:
        article = client.get(f"/api/articles/{entry['id']}").json()
        text = article.pop("text")
        assert article == entry
        for section in article["sections"]:
            assert 0 <= section["start"] < section["end"] <= len(text)


# --- errors ---------------------------------------------------------------------------------------

BAD: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "empty": ("POST", "/api/ask", {"json": {"question": ""}}, 422),
    "spaces": ("POST", "/api/ask", {"json": {"question": " \n\t "}}, 422),
    "controls": ("POST", "/api/ask", {"json": {"question": "\x00\x01\x02"}}, 422),
    "long": ("POST", "/api/ask", {"json": {"question": "why " * 501}}, 422),
    "half a pair": ("POST", "/api/ask", {"content": b'{"question": "\\ud800"}', "headers": JSON}, 422),
    "no question": ("POST", "/api/ask", {"json": {}}, 422),
    "not a text": ("POST", "/api/ask", {"json": {"question": ["a"]}}, 422),
    "unknown field": ("POST", "/api/ask", {"json": {"question": "a", "histroy": []}}, 422),
    "bad history": ("POST", "/api/ask", {"json": {"question": "a", "history": [{"role": "owner"}]}}, 422),
    "long history": (
        "POST",
        "/api/ask",
        {"json": {"question": "a", "history": [{"role": "user", "content": "a"}] * 101}},
        422,
    ),
    "no JSON": ("POST", "/api/ask", {"content": b"{", "headers": JSON}, 422),
    "deep JSON": ("POST", "/api/ask", {"content": b"[" * 60_000, "headers": JSON}, 400),
    "a form": ("POST", "/api/ask", {"data": {"question": "a"}}, 422),
    "no body": ("POST", "/api/ask", {}, 422),
    "large": ("POST", "/api/ask", {"content": b" " * (MAX_BODY_BYTES + 1), "headers": JSON}, 413),
    "wrong method": ("GET", "/api/ask", {}, 405),
    "wrong method of the library": ("DELETE", "/api/articles", {}, 405),
    "unknown article": ("GET", "/api/articles/none", {}, 404),
    "unknown path": ("GET", "/api/none", {}, 404),
    "unknown page": ("GET", "/none", {}, 404),
    "unknown asset": ("GET", "/assets/none.js", {}, 404),
    "out of the folder": ("GET", "/assets/..%2f..%2f..%2froutes.py", {}, 403),
    "not Gradio's shape": ("POST", "/gradio_api/run/predict", {"json": {"data": 1}}, 422),
    "large for the page": (
        "POST",
        "/gradio_api/run/predict",
        {"content": b" " * 2**21, "headers": JSON},
        413,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_every_error_has_the_one_shape(client: httpx.Client, name: str) -> None:
    method, path, content, code = BAD[name]
    response = client.request(method, path, **content)
    assert response.status_code == code, response.text
    error = ErrorOut.model_validate_json(response.content).error
    assert set(response.json()) == {"error"}
    assert (error.status == "invalid") == (code in (400, 413, 422))
    assert error.message
    for secret in ("Traceback", str(ROOT), "site-packages", sys.prefix):
        assert secret not in response.text


def test_a_body_without_a_declared_length_is_limited_too(client: httpx.Client) -> None:
    pieces = (b" " * 1024 for _ in range(MAX_BODY_BYTES // 1024 + 1))
    assert client.post("/api/ask", content=pieces, headers=JSON).status_code == 413


def test_a_refused_request_is_not_quoted_back(client: httpx.Client) -> None:
    canary = "zebra-canary-531"
    refused = client.post("/api/ask", json={"question": "a", "history": canary, canary: canary})
    assert refused.status_code == 422
    assert "zebra" not in refused.text


class Broken:
    """An assistant that fails."""

    articles = ()
    helplines = ()
    index_digest = "0"
    screens_whole = False

    def ask(self, question: str, history: object = ()) -> Answer:
        raise ValueError(f"can't handle {question}")


def test_an_unexpected_failure_tells_nobody_anything(caplog: pytest.LogCaptureFixture) -> None:
    api = create_api(Broken(), Settings())  # type: ignore[arg-type]
    with caplog.at_level(logging.DEBUG):
        response = TestClient(api).post("/api/ask", json={"question": "zebra-canary-531"})
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal_error"
    assert "X-Content-Type-Options" in response.headers
    assert "zebra" not in response.text + caplog.text
    assert "ValueError" in caplog.text


def test_it_is_alive_and_not_ready_until_it_has_an_assistant() -> None:
    api = create_api(None, Settings())
    client = TestClient(api)
    assert client.get("/healthz").json() == {"alive": True}
    for path in ("/readyz", "/api/articles"):
        assert client.get(path).status_code == 503
        assert client.get(path).json()["error"]["code"] == "not_ready"
    api.state.assistant = Broken()
    assert client.get("/readyz").json() == {"ready": True, "index": "0", "screen": "patterns only"}


def test_invalid_is_the_only_status_that_is_an_error(client: httpx.Client) -> None:
    for question in ("hello", "who won the world cup?", "I want to kill myself"):
        response = ask(client, question)
        assert (response.status_code, response.json()["status"]) != (200, Status.INVALID)
        assert response.status_code == 200


# --- who may do what ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/healthz", "/none", "/page.css", "/theme.css"])
def test_every_response_has_the_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]
    assert "server" not in headers


def test_no_inline_script_runs_but_those_of_the_page(client: httpx.Client) -> None:
    policy = client.get("/").headers["content-security-policy"]
    scripts = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
    assert "unsafe" not in scripts
    assert "sha256-" in scripts


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
def test_a_foreign_origin_may_read_nothing(client: httpx.Client, origin: str) -> None:
    headers = {"Origin": origin}
    preflight = {**headers, "Access-Control-Request-Method": "POST"}
    body = {"question": "hello"}
    for response in (
        client.get("/", headers=headers),
        client.get("/api/articles", headers=headers),
        client.get("/theme.css", headers=headers),
        client.post("/api/ask", json=body, headers=headers),
        client.post("/gradio_api/run/predict", json={"data": [], "fn_index": 0}, headers=headers),
        client.options("/api/ask", headers=preflight),
        client.options("/gradio_api/run/predict", headers=preflight),
        client.options("/", headers=preflight),
    ):
        assert "access-control-allow-origin" not in response.headers, response.url
        assert "access-control-allow-credentials" not in response.headers, response.url


CLOSED = (
    "POST /gradio_api/upload",
    "POST /upload",
    "GET /gradio_api/upload_progress?upload_id=a",
    "GET /gradio_api/file=/etc/passwd",
    "GET /gradio_api/file/etc/passwd",
    "GET /file=/etc/passwd",
    "GET /gradio_api/proxy=https://example.com/",
    "HEAD /gradio_api/proxy=https://example.com/",
    "GET /gradio_api/info",
    "GET /gradio_api/openapi.json",
    "GET /config",
    "GET /gradio_api/app_id",
    "GET /gradio_api/runs",
    "GET /gradio_api/deep_link?session_hash=a",
    "GET /gradio_api/heartbeat/a",
    "POST /gradio_api/queue/join",
    "GET /gradio_api/queue/data?session_hash=a",
    "POST /gradio_api/call/answer",
    "POST /gradio_api/run/answer",
    "POST /gradio_api/api/predict",
    "POST /gradio_api/component_server",
    "POST /gradio_api/process_recording",
    "POST /gradio_api/vibe-edit",
    "GET /gradio_api/custom_component/a/client/b/c",
    "GET /monitoring",
    "GET /login_check",
    "GET /gradio_api/token",
    "POST /login",
    "GET /robots.txt",
    "GET /static/img/logo.svg",
    "GET /svelte/svelte.js",
)


@pytest.mark.parametrize("route", CLOSED)
def test_what_gradio_serves_beside_the_page_is_closed(client: httpx.Client, route: str) -> None:
    method, path = route.split(" ", 1)
    response = client.request(method, path)
    assert response.status_code == 404
    if method != "HEAD":
        assert response.json()["error"]["code"] == "not_found"


# --- documents ------------------------------------------------------------------------------------


def test_the_reference_needs_nobody_else(client: httpx.Client) -> None:
    response = client.get("/docs")
    assert response.status_code == 200
    assert "script-src" not in response.headers["content-security-policy"]
    for sign in ("<script", "<link", "<img", "<iframe", "src=", 'href="http', "url(", "@import"):
        assert sign not in response.text
    schema = client.get("/openapi.json").json()
    for path, methods in schema["paths"].items():
        assert path in response.text
        for operation in methods.values():
            assert operation["summary"] in response.text


def test_every_documented_error_has_the_one_shape(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    for methods in schema["paths"].values():
        for operation in methods.values():
            for code, response in operation["responses"].items():
                if int(code) >= 400:
                    shape = response["content"]["application/json"]["schema"]["$ref"]
                    assert shape == "#/components/schemas/ErrorOut"


# --- privacy --------------------------------------------------------------------------------------


def test_what_was_asked_and_by_whom_is_in_no_log(client: httpx.Client, server: Server) -> None:
    for content in ({"question": "zebra canary 531?"}, {"question": "a", "zebra": "zebra"}):
        client.post("/api/ask", json=content)
    page_call = {"data": ["zebra canary 531?", [], []], "fn_index": 0, "session_hash": "zebra"}
    assert client.post("/gradio_api/run/predict", json=page_call).status_code == 200
    client.post("/gradio_api/run/predict", json={"data": ["zebra"], "fn_index": 99})
    client.get("/none?question=zebra")
    logged = server.log.read_text()
    assert "zebra" not in logged
    assert server.url in logged
    assert "127.0.0.1" not in logged.replace(server.url, "")


def test_the_server_contacts_nobody(client: httpx.Client, server: Server) -> None:
    ask(client, QUESTIONS[0])
    started, *contacted = server.contacted.read_text().split()
    assert started == "started"
    assert set(contacted) <= {"127.0.0.1", "localhost", "::1"}
