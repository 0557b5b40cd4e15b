"""Who may come in: hosts, origins, and how often. With an assistant that no index gives."""

import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from chatbot.admission import COUNTED, HostCheck, RateLimit
from chatbot.answers import Answer, Helpline, Status
from chatbot.api import MAX_BODY_BYTES, ErrorOut, create_api
from chatbot.settings import Settings

GUEST = "https://clinic.example"
LINE = {"purpose": "a", "hours": "b", "region": "c", "source": "d", "verified": "2026-01-01"}


class Ready:
    """An assistant with one answer."""

    articles = ()
    helplines = tuple(Helpline(id=name, name=name, phone="1", **LINE) for name in ("emergency", "crisis", "poison"))
    index_digest = "0"
    screens_whole = True

    def ask(self, question: str, history: object = ()) -> Answer:
        return Answer(Status.SMALL_TALK, "Hello.")

    @property
    def examples(self) -> tuple[str, ...]:
        return ("What?",)

    def fears_for(self, text: str) -> bool:
        return False


def client(address: str = "1.2.3.4", **settings: Any) -> TestClient:
    api = create_api(Ready(), Settings(**settings))  # type: ignore[arg-type]
    return TestClient(api, client=(address, 5000))


def ask(caller: TestClient, **more: Any) -> Any:
    return caller.post("/api/ask", json={"question": "hello"}, **more)


# --- how often ------------------------------------------------------------------------------------


def test_one_client_asks_so_often_and_no_more() -> None:
    caller = client(questions_per_minute=3)
    assert [ask(caller).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = ask(caller)
    error = ErrorOut.model_validate_json(refused.content).error
    assert set(refused.json()) == {"error"}
    assert (error.code, error.status) == ("too_many_requests", None)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["retry-after"] in error.message
    assert refused.headers["x-content-type-options"] == "nosniff"


def test_a_refusal_says_whom_to_call() -> None:
    caller = client(questions_per_minute=1)
    ask(caller)
    error = ErrorOut.model_validate_json(ask(caller).content).error
    assert {line.id for line in error.helplines} == {"emergency", "crisis"}


def test_clients_are_told_apart_and_limited_together() -> None:
    api = create_api(Ready(), Settings(questions_per_minute=2, questions_per_minute_in_total=5))  # type: ignore[arg-type]
    callers = [TestClient(api, client=(f"10.0.0.{number}", 1)) for number in range(4)]
    codes = [[ask(caller).status_code for _ in range(3)] for caller in callers]
    assert codes == [[200, 200, 429], [200, 200, 429], [200, 429, 429], [429, 429, 429]]


def test_a_network_of_ipv6_is_one_client() -> None:
    limit = RateLimit(lambda *_: None, 1, 0, None)  # type: ignore[arg-type,return-value]
    assert limit.client("2001:db8::1") == limit.client("2001:db8::ffff:1")
    assert limit.client("2001:db8::1") != limit.client("2001:db8:0:1::1")
    assert limit.client("not an address") != limit.client("1.2.3.4")


def test_no_address_is_kept_and_no_two_services_know_a_client_by_the_same() -> None:
    one, other = (RateLimit(lambda *_: None, 5, 5, None) for _ in range(2))  # type: ignore[arg-type,return-value]
    assert one.client("203.0.113.77") != other.client("203.0.113.77")
    one.wait("question", "203.0.113.77")
    storage: Any = one.limiter.storage
    kept = str(vars(storage))
    assert one.client("203.0.113.77") in kept
    assert "203.0.113" not in kept


def test_a_client_is_forgotten_after_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = RateLimit(lambda *_: None, 5, 0, None)  # type: ignore[arg-type,return-value]
    limit.wait("question", "203.0.113.77")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    storage: Any = limit.limiter.storage
    deadline = time.monotonic() + 10
    while limit.client("203.0.113.77") in str(storage.events) and time.monotonic() < deadline:
        limit.wait("question", "198.51.100.1")  # the next one that anybody asks
        time.sleep(0.05)
    assert limit.client("203.0.113.77") not in str({key: value for key, value in storage.events.items() if value})


def test_zero_is_no_limit() -> None:
    caller = client(questions_per_minute=0, questions_per_minute_in_total=0)
    assert {ask(caller).status_code for _ in range(50)} == {200}


def test_every_way_to_ask_counts_and_feedback_apart_from_it() -> None:
    caller = client(questions_per_minute=1)
    assert ask(caller).status_code == 200
    for path in sorted(COUNTED):
        expected = 200 if path == "/api/feedback" else 429
        assert caller.post(path, json={"verdict": "up"}).status_code == expected, path
    assert caller.post("/api/feedback", json={"verdict": "up"}).status_code == 429
    for path in ("/healthz", "/readyz", "/api/suggestions", "/api/articles"):
        assert caller.get(path).status_code == 200


# --- origins --------------------------------------------------------------------------------------


def preflight(caller: TestClient, origin: str, path: str = "/api/ask") -> Any:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    return caller.options(path, headers=headers)


def test_an_allowed_origin_may_ask_and_read() -> None:
    caller = client(allowed_origins=GUEST, questions_per_minute=1)
    assert preflight(caller, GUEST).headers["access-control-allow-origin"] == GUEST
    reply = ask(caller, headers={"Origin": GUEST})
    assert reply.headers["access-control-allow-origin"] == GUEST
    assert "access-control-allow-credentials" not in reply.headers
    refused = ask(caller, headers={"Origin": GUEST})
    assert refused.status_code == 429
    assert refused.headers["access-control-allow-origin"] == GUEST  # or its page could not tell why
    assert "Retry-After" in refused.headers["access-control-expose-headers"]


def test_an_allowed_origin_may_read_every_refusal() -> None:
    class Broken(Ready):
        def ask(self, question: str, history: object = ()) -> Answer:
            raise ValueError(question)

    api = create_api(Broken(), Settings(allowed_origins=GUEST, allowed_hosts="testserver"))  # type: ignore[arg-type]
    caller = TestClient(api)
    large = b" " * (MAX_BODY_BYTES + 1)
    replies = {
        500: ask(caller, headers={"Origin": GUEST}),
        413: caller.post("/api/ask", content=large, headers={"Origin": GUEST}),
        422: caller.post("/api/ask", content=b"{", headers={"Origin": GUEST}),
        404: caller.get("/api/none", headers={"Origin": GUEST}),
        405: caller.get("/api/ask", headers={"Origin": GUEST}),
        400: caller.get("/api/articles", headers={"Origin": GUEST, "Host": "evil.example"}),
    }
    for code, reply in replies.items():
        assert reply.status_code == code
        assert reply.headers["access-control-allow-origin"] == GUEST
        assert reply.headers["x-content-type-options"] == "nosniff"
        ErrorOut.model_validate_json(reply.content)
    for code in (500, 413):
        headers = {"Origin": "https://evil.example"}
        reply = ask(caller, headers=headers) if code == 500 else caller.post("/api/ask", content=large, headers=headers)
        assert reply.status_code == code
        assert "access-control-allow-origin" not in reply.headers


def test_a_preflight_has_the_security_headers() -> None:
    reply = preflight(client(allowed_origins=GUEST), GUEST)
    assert "default-src 'none'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("allowed", ["", GUEST])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://clinic.example", f"{GUEST}.evil.example"])
def test_no_other_origin_may(allowed: str, origin: str) -> None:
    caller = client(allowed_origins=allowed)
    for reply in (preflight(caller, origin), ask(caller, headers={"Origin": origin})):
        assert "access-control-allow-origin" not in reply.headers


def test_any_origin_only_where_it_is_said() -> None:
    caller = client(allowed_origins="*")
    assert ask(caller, headers={"Origin": "https://any.example"}).headers["access-control-allow-origin"] == "*"


def test_only_the_api_is_shared() -> None:
    caller = client(allowed_origins=f"{GUEST} *")
    for path in ("/", "/docs", "/openapi.json", "/readyz", "/gradio_api/run/predict"):
        for reply in (caller.get(path, headers={"Origin": GUEST}), preflight(caller, GUEST, path)):
            assert "access-control-allow-origin" not in reply.headers, path


# --- hosts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("ask.example", 200),
        ("ASK.example:7860", 200),
        ("a.b.wild.example", 200),
        ("[::1]:7860", 200),
        ("wild.example", 400),
        ("evil.example", 400),
        ("ask.example.evil.example", 400),
        ("", 400),
    ],
)
def test_it_answers_under_its_names_only(host: str, code: int) -> None:
    caller = client(allowed_hosts="ask.example *.wild.example [::1]")
    reply = caller.get("/api/suggestions", headers={"Host": host})
    assert (reply.status_code == 400) == (code == 400)
    assert caller.get("/healthz", headers={"Host": host}).status_code == 200  # a container asks itself
    if code == 400:
        assert ErrorOut.model_validate_json(reply.content).error.code == "bad_request"
        assert "evil" not in reply.text


def test_without_the_setting_any_name_will_do() -> None:
    assert client().get("/healthz", headers={"Host": "any.example"}).status_code == 200
    assert HostCheck(lambda *_: None, ()).hosts == ()  # type: ignore[arg-type,return-value]
