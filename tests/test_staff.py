"""The door to the console: accounts, sessions, and that nothing behind it answers without one."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import argon2
import pytest
from starlette.testclient import TestClient

from chatbot import accounts
from chatbot.__main__ import main
from chatbot.accounts import (
    FIRST_DELAY,
    IDLE_SECONDS,
    LONGEST_DELAY,
    SESSION_SECONDS,
    TRIES,
    Accounts,
    Lockout,
    Sessions,
)
from chatbot.answers import Answer, Helpline, Status
from chatbot.api import create_api
from chatbot.console import mount_console
from chatbot.errors import SettingsError
from chatbot.settings import Settings
from chatbot.staff import PAGES, StaffRoute

PASSWORD = "correct horse battery"
LINE = {"purpose": "a", "hours": "b", "region": "c", "source": "d", "verified": "2026-01-01"}
HERE = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}


class Ready:
    """An assistant with one answer and no article."""

    articles = ()
    helplines = (Helpline(id="crisis", name="Zebra line", phone="1", **LINE),)
    index_digest = "0"
    screens_whole = True

    def ask(self, question: str, history: object = ()) -> Answer:
        return Answer(Status.INVALID, "Zebra.")

    def ask_and_show(self, question: str) -> tuple[Answer, list[object]]:
        return self.ask(question), []

    @property
    def examples(self) -> tuple[str, ...]:
        return ()


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hashes that cost little: the tests make many."""
    monkeypatch.setattr(accounts, "_hasher", argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    accounts._nobody.cache_clear()
    yield
    accounts._nobody.cache_clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with the account of maria."""
    path = tmp_path / "staff"
    Accounts(path).set("maria", PASSWORD)
    return path


def service(file: Path | str, address: str = "1.2.3.4", base: str = "http://localhost", **more: Any) -> TestClient:
    settings = Settings(staff=str(file), **more)
    api = create_api(Ready(), settings)  # type: ignore[arg-type]
    mount_console(api, settings)
    return TestClient(api, base_url=base, client=(address, 5000), follow_redirects=False)


def sign_in(caller: TestClient, name: str = "maria", password: str = PASSWORD, **headers: str) -> Any:
    return caller.post("/staff/sign-in", data={"name": name, "password": password}, headers={**HERE, **headers})


def console_routes(caller: TestClient) -> list[tuple[str, str]]:
    """Method and path of everything behind the door, and of what the door does itself."""
    app: Any = caller.app
    (door,) = [route for route in app.router.routes if isinstance(route, StaffRoute)]
    found = [(method, route.path) for route in door.router.routes for method in sorted(route.methods)]  # type: ignore[attr-defined]
    assert len(found) >= 6
    return [*found, ("POST", "/staff/sign-out"), ("GET", "/staff/"), ("GET", "/staff/nothing"), ("PUT", "/staff")]


# --- nothing without a session --------------------------------------------------------------------


def test_without_an_account_there_is_no_console(tmp_path: Path) -> None:
    unknown = service("").get("/nothing-here")
    for caller in (service(""), service(tmp_path / "none yet")):
        for method, path in [*console_routes(caller), ("GET", "/staff/sign-in"), ("POST", "/staff/sign-in")]:
            reply = caller.request(method, path, headers=HERE)
            assert (reply.status_code, reply.content) == (404, unknown.content), path


def test_nothing_answers_without_a_session(file: Path) -> None:
    caller = service(file)
    for method, path in console_routes(caller):
        for cookie in ({}, {"Cookie": "ask-iop-staff=guessed"}, {"Cookie": "__Host-ask-iop-staff=guessed"}):
            reply = caller.request(method, path.replace("{article_id}", "x"), headers={**HERE, **cookie})
            if method == "GET" and path in PAGES:
                assert (reply.status_code, reply.headers["location"]) == (303, PAGES[path])
            else:
                assert reply.status_code == 401, (method, path)
                assert reply.json()["error"]["code"] == "not_signed_in"
            assert "Zebra" not in reply.text and "set-cookie" not in reply.headers


def test_an_account_opens_it_and_its_end_closes_it(tmp_path: Path) -> None:
    file = tmp_path / "staff"
    caller = service(file)
    assert caller.get("/staff/sign-in").status_code == 404
    Accounts(file).set("maria", PASSWORD)  # without a restart
    sign_in(caller)
    assert caller.get("/staff/api/desk").json()["name"] == "maria"
    Accounts(file).set("maria", PASSWORD + "!")
    assert caller.get("/staff/api/desk").status_code == 401
    sign_in(caller, password=PASSWORD + "!")
    assert caller.get("/staff/api/desk").status_code == 200
    Accounts(file).remove("maria")
    assert caller.get("/staff/api/desk").status_code == 404


def test_visitors_need_no_account_and_the_description_does_not_tell_of_the_console(file: Path) -> None:
    caller = service(file)
    assert caller.get("/healthz").status_code == 200
    assert caller.post("/api/ask", json={"question": "?"}).status_code == 422
    assert caller.get("/staffing").status_code == 404
    assert "/staff" not in caller.get("/openapi.json").text + caller.get("/docs").text


# --- signing in and out ---------------------------------------------------------------------------


def test_who_came_for_the_owners_view_gets_there(file: Path) -> None:
    caller = service(file)
    there = caller.get("/staff/owner", follow_redirects=False)
    assert (there.status_code, there.headers["location"]) == (303, "sign-in?to=owner")
    form = {"name": "maria", "password": PASSWORD}
    reply = caller.post("/staff/sign-in?to=owner", data=form, headers=HERE)
    assert (reply.status_code, reply.headers["location"]) == (303, "owner")
    reply = caller.post("/staff/sign-in?to=//evil.example", data=form, headers=HERE)
    assert reply.headers["location"] == "../staff"


def test_signing_in_and_out(file: Path) -> None:
    caller = service(file)
    form = caller.get("/staff/sign-in")
    assert form.status_code == 200 and "Sign in" in form.text
    reply = sign_in(caller, "  Maria ")
    assert (reply.status_code, reply.headers["location"]) == (303, "../staff")
    cookie = reply.headers["set-cookie"]
    assert re.match(r"ask-iop-staff=[\w-]{43}; HttpOnly; Max-Age=43200; Path=/; SameSite=strict$", cookie)
    page = caller.get("/staff")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy and "default-src 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
    for name in ("staff.js", "console.css", "console.js", "owner", "owner.css", "owner.js", "amend.js"):
        assert caller.get(f"/staff/{name}").status_code == 200
    kept = caller.cookies["ask-iop-staff"]
    out = caller.post("/staff/sign-out", headers=HERE)
    assert (out.status_code, out.headers["location"]) == (303, "sign-in")
    assert caller.get("/staff/api/desk", headers={"Cookie": f"ask-iop-staff={kept}"}).status_code == 401


@pytest.mark.parametrize(
    ("base", "headers"),
    [
        ("https://ask.example", {}),
        ("http://ask.example", {}),
        ("http://localhost", {"X-Forwarded-Proto": "https"}),  # a proxy of this machine that says nothing of the name
    ],
)
def test_elsewhere_than_here_the_cookie_goes_over_https_only(file: Path, base: str, headers: dict[str, str]) -> None:
    cookie = sign_in(service(file, base=base), **headers, Origin=base).headers["set-cookie"]
    assert cookie.startswith("__Host-ask-iop-staff=")
    assert "Secure" in cookie and "HttpOnly" in cookie and "SameSite=strict" in cookie and "Domain" not in cookie


@pytest.mark.parametrize(
    ("name", "password"), [("maria", "wrong"), ("nobody", PASSWORD), ("", ""), ("maria", "x" * 5000)]
)
def test_a_wrong_name_reads_as_a_wrong_password(file: Path, name: str, password: str) -> None:
    reply = sign_in(service(file), name, password)
    assert reply.status_code == 401
    assert "Name or password is not right." in reply.text
    assert "set-cookie" not in reply.headers


def test_what_is_no_form_is_no_sign_in(file: Path) -> None:
    caller = service(file)
    many = "&".join(f"a{number}=1" for number in range(50))
    assert caller.post("/staff/sign-in", content=many, headers=HERE).status_code == 400
    assert caller.post("/staff/sign-in", content=b"\xff\xfe=\x00", headers=HERE).status_code == 401
    assert caller.put("/staff/sign-in", headers=HERE).status_code == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_site_changes_nothing(file: Path, headers: dict[str, str]) -> None:
    caller = service(file)
    sign_in(caller)
    changing = [path for method, path in console_routes(caller) if method == "POST"]
    assert "/staff/api/owner/apply" in changing
    for path in ("/staff/sign-in", *changing):
        assert caller.post(path, json={}, headers=headers).status_code == 403
    assert caller.get("/staff/api/desk").status_code == 200
    assert caller.post("/staff/sign-out").status_code == 303  # a program, which has nobody's cookie but its own


def test_other_sites_may_not_read_it(file: Path) -> None:
    caller = service(file, allowed_origins="https://clinic.example")
    sign_in(caller)
    reply = caller.get("/staff/api/desk", headers={"Origin": "https://clinic.example"})
    assert "access-control-allow-origin" not in reply.headers


def test_wrong_passwords_lock_a_client_out(file: Path) -> None:
    caller = service(file)
    codes = [sign_in(caller, password="wrong").status_code for _ in range(TRIES["client"] + 1)]
    assert codes == [401] * TRIES["client"] + [429]
    late = sign_in(caller)  # even with the right one
    assert late.status_code == 429
    assert 1 <= int(late.headers["retry-after"]) <= FIRST_DELAY
    other = TestClient(caller.app, base_url="http://localhost", client=("5.6.7.8", 1), follow_redirects=False)
    assert sign_in(other).status_code == 303


def test_the_log_holds_no_name_and_no_password(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    sign_in(service(file), "zebra", "giraffe")
    assert caplog.text and "zebra" not in caplog.text and "giraffe" not in caplog.text


# --- the delay, and sessions, by the clock --------------------------------------------------------


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_delay_grows_to_its_limit_and_is_forgotten() -> None:
    clock = Clock()
    lockout = Lockout(clock)
    for _ in range(TRIES["client"]):
        assert lockout.attempt("1.2.3.4", "maria") == 0
    delays = []
    for _ in range(8):
        delays.append(lockout.attempt("1.2.3.4", "maria"))
        assert lockout.attempt("5.6.7.8", "joe") == 0
        lockout.forgive("5.6.7.8", "joe")
        clock.now += delays[-1]
        assert lockout.attempt("1.2.3.4", "someone else") == 0
    assert delays == [30, 60, 120, 240, 480, 900, 900, 900]
    clock.now += LONGEST_DELAY
    assert lockout.attempt("1.2.3.4", "maria") == 0
    lockout.forgive("1.2.3.4", "maria")
    assert [lockout.attempt("1.2.3.4", "maria") for _ in range(TRIES["client"])] == [0] * TRIES["client"]
    assert "1.2.3.4" not in str(lockout._counts)


def test_many_clients_lock_a_name() -> None:
    lockout = Lockout(Clock())
    waits = [lockout.attempt(f"10.0.0.{number}", "Maria") for number in range(TRIES["name"] + 1)]
    assert waits == [0] * TRIES["name"] + [FIRST_DELAY]
    assert lockout.attempt("10.1.1.1", "joe") == 0


def test_the_count_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MOST_COUNTS", 50)
    clock = Clock()
    lockout = Lockout(clock)
    for number in range(200):
        clock.now += 1
        lockout.attempt(str(number), str(number))
    assert len(lockout._counts) <= 52


def test_a_session_ends_by_itself(file: Path) -> None:
    clock = Clock()
    sessions = Sessions(Accounts(file), clock)
    token = sessions.begin("maria")
    assert token not in str(sessions._open)
    began = clock.now
    while clock.now + IDLE_SECONDS / 2 - began < SESSION_SECONDS:
        clock.now += IDLE_SECONDS / 2
        assert sessions.who(token) == "maria"
    clock.now += IDLE_SECONDS / 2
    assert sessions.who(token) is None
    idle = sessions.begin("maria")
    clock.now += IDLE_SECONDS
    assert sessions.who(idle) is None
    assert sessions.who(None) is sessions.who("") is sessions.who("\ud800") is None


# --- the file and its command ---------------------------------------------------------------------


def test_the_file_holds_a_salted_hash_for_nobody_else_to_read(file: Path) -> None:
    Accounts(file).set("joe.2", PASSWORD)
    lines = file.read_text().splitlines()
    assert [line.split(":")[0] for line in lines] == ["joe.2", "maria"]
    assert all("$argon2id$" in line and PASSWORD not in line for line in lines)
    assert len({line.split("$")[-1] for line in lines}) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["staff"]


@pytest.mark.parametrize("name", ["", "Maria", "a:b", "../x", "a b", "-a", "x" * 65])
def test_a_name_must_be_plain(file: Path, name: str) -> None:
    with pytest.raises(SettingsError):
        Accounts(file).set(name, PASSWORD)


def test_a_short_password_will_not_do(file: Path) -> None:
    with pytest.raises(SettingsError, match="12"):
        Accounts(file).set("joe", "eleven char")


def test_a_damaged_file_stops_the_start_and_closes_a_running_console(file: Path) -> None:
    caller = service(file)
    file.write_text("maria:plain\n")
    assert caller.get("/staff/sign-in").status_code == 404
    with pytest.raises(SettingsError, match=":1:"):
        service(file)


def command(monkeypatch: pytest.MonkeyPatch, file: Path | None, *words: str, typed: tuple[str, ...] = ()) -> int:
    monkeypatch.delenv("ASK_IOP_STAFF", raising=False)
    if file:
        monkeypatch.setenv("ASK_IOP_STAFF", str(file))
    lines = iter(typed)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(lines))
    return main(["staff", *words])


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "staff"
    assert command(monkeypatch, file, "add", "maria", typed=(PASSWORD, PASSWORD)) == 0
    assert Accounts(file).verify("maria", PASSWORD)
    assert command(monkeypatch, file, "add", "joe", typed=(PASSWORD, "another one here")) == 2
    assert command(monkeypatch, file, "add", "joe", typed=("short", "short")) == 2
    capsys.readouterr()
    assert command(monkeypatch, file, "list") == 0
    assert capsys.readouterr().out == "maria\n"
    assert command(monkeypatch, file, "remove", "maria") == 0
    assert Accounts(file).hashes() == {}
    assert command(monkeypatch, None, "list") == 2
    assert "ASK_IOP_STAFF" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command(monkeypatch, file, "add")
