"""What somebody asks turns up nowhere but in the journal, redacted, and there only for as long as it is kept: a canary
goes in at every door, and everything that the service and the browser leave behind is searched for it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import ROOT, free_port, wait_until_ready
from playwright.sync_api import Browser, BrowserContext, expect

from chatbot import journal
from chatbot.accounts import Accounts
from chatbot.journal import Journal

PASSWORD = "correct horse battery"
EMAIL, PHONE = "zoe.quist@example.org", "619-555-0142"
DANGER = "i want to kill myself, {canary}"
QUESTION = "does the worm box smell of {canary}? " + f"{EMAIL} or {PHONE}"
DOORS = ("api", "stream", "widget", "page", "staff")
STORED = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state])"


def canary(door: str, danger: bool = False) -> str:
    """A word for each door, so that what is found can be traced."""
    return f"zebra{door}{'danger' if danger else ''}531"


@dataclass(frozen=True, slots=True)
class Service:
    """A running `app.py` that has been asked at every door, stopped again."""

    journal: Path | None
    folder: Path
    written: str
    """All that it printed and logged."""
    left: str
    """All that the browser held of it when it had been asked, and what its console said."""


@pytest.fixture(scope="module", params=["kept", "nothing kept"])
def service(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    small_corpus: Path,
    small_folder: Path,
    browser: Browser,
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("canary")
    file = folder / "journal.sqlite" if request.param == "kept" else None
    Accounts(folder / "staff").set("maria", PASSWORD)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "TMPDIR": str(folder),
        "ASK_IOP_STAFF": str(folder / "staff"),
        "ASK_IOP_JOURNAL": str(file or ""),
        "ASK_IOP_LOG": "json",
        "ASK_IOP_METRICS": "on",
        "ASK_IOP_QUESTIONS_PER_MINUTE": "0",
    }
    options = ["--port", str(port), "--corpus", str(small_corpus), "--index", str(small_folder)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "app.py", *options], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        wait_until_ready(process, url, folder / "log")
        left = ask_everywhere(url, browser)
        left += httpx.get(f"{url}/metrics").text
    finally:
        process.terminate()
        process.wait(timeout=30)
    yield Service(file, folder, (folder / "log").read_text(), left)


def ask_everywhere(url: str, browser: Browser) -> str:
    """A question and a message in danger at each door. What the browser holds after it."""
    for path, door in (("/api/ask", "api"), ("/api/ask/stream", "stream")):
        for text, danger in ((QUESTION, False), (DANGER, True)):
            asked = {"question": text.format(canary=canary(door, danger))}
            assert httpx.post(f"{url}{path}", json=asked, timeout=60).status_code == 200
        # A follow-up right after the card is as private as what went before.
        history = [{"role": "user", "content": "i want to kill myself"}]
        assert httpx.post(f"{url}{path}", json={"question": canary(door, True), "history": history}).status_code == 200
    left = ""
    for door in ("widget", "page", "staff"):
        context = browser.new_context()
        said: list[str] = []
        context.on("console", lambda message, said=said: said.append(message.text))
        left += ASK[door](context, url) + json.dumps([context.cookies(), context.storage_state()]) + " ".join(said)
        context.close()
    return left


def use_page(context: BrowserContext, url: str) -> str:
    page = context.new_page()
    page.goto(url)
    page.locator("#transcript .option").first.wait_for()
    for text, danger in ((QUESTION, False), (DANGER, True)):
        box = page.get_by_label("Your question")
        box.fill(text.format(canary=canary("page", danger)))
        box.press("Enter")
        expect(page.locator(".answer:not(.greeting)")).to_have_count(2 if danger else 1)
    return str(page.evaluate(STORED))


def use_widget(context: BrowserContext, url: str) -> str:
    page = context.new_page()
    page.goto(f"{url}/healthz")
    page.route(f"{url}/site", lambda route: route.fulfill(body=site(url), content_type="text/html"))
    page.goto(f"{url}/site")
    widget = page.locator("ask-iop")
    widget.locator(".launcher").click()
    widget.locator(".option").first.wait_for()
    for text, danger in ((QUESTION, False), (DANGER, True)):
        with page.expect_response("**/api/ask"):
            page.get_by_label("Your question").fill(text.format(canary=canary("widget", danger)))
            page.get_by_label("Your question").press("Enter")
    return str(page.evaluate(STORED))


def site(url: str) -> str:
    return f'<!doctype html><title>A clinic</title><script async src="{url}/widget.js"></script>'


def use_console(context: BrowserContext, url: str) -> str:
    page = context.new_page()
    page.goto(f"{url}/staff")
    page.get_by_label("Name").fill("maria")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#lines li").first.wait_for()
    for text, danger in ((QUESTION, False), (DANGER, True)):
        with page.expect_response("**/look-up"):
            page.get_by_label("What does the caller ask?").fill(text.format(canary=canary("staff", danger)))
        with page.expect_response("**/look-up"):
            page.keyboard.press("Enter")
        expect(page.locator("#answer")).to_be_focused()
    return str(page.evaluate(STORED))


ASK: dict[str, Any] = {"widget": use_widget, "page": use_page, "staff": use_console}


def files_of(journal_file: Path) -> bytes:
    return b"".join(path.read_bytes() for path in journal_file.parent.glob(f"{journal_file.name}*"))


def holds(text: bytes | str) -> list[str]:
    """Which of what was typed stands in it."""
    low = text.lower() if isinstance(text, bytes) else text.encode("utf-8", "replace").lower()
    return [word for word in ("zebra", EMAIL, PHONE, "zoe") if word.encode() in low]


def test_it_is_in_no_log_and_in_no_metric(service: Service) -> None:
    assert '"status": "crisis"' in service.written and "/api/ask/stream" in service.written
    assert '"route": "/staff/api/look-up"' in service.written
    assert "/gradio_api/run" in service.written
    assert holds(service.written) == []
    assert "127.0.0.1" not in service.written.replace("Listening on http://127.0.0.1", "")


def test_it_is_nowhere_in_the_browser(service: Service) -> None:
    assert "ask_iop_answers_total" in service.left
    assert holds(service.left) == []


def test_it_is_in_no_other_file(service: Service) -> None:
    files = [path for path in service.folder.rglob("*") if path.is_file()]
    assert files
    names = {path.name for path in files if holds(path.read_bytes())}
    assert names <= ({service.journal.name} if service.journal else set())


def test_in_the_journal_it_is_redacted_and_without_those_in_danger(service: Service) -> None:
    if service.journal is None:
        assert not list(service.folder.glob("journal*"))
        return
    kept = Journal(service.journal)
    questions = [entry["question"] for entry in kept.asked()]
    for door in DOORS:
        (question,) = [question for question in questions if canary(door) in question]
        assert question == f"does the worm box smell of {canary(door)}? [email] or [phone]"
    assert len(questions) == len(DOORS)
    assert {entry["door"] for entry in kept.asked()} == {"api", "page", "staff"}
    stored = files_of(service.journal)
    assert b"danger531" not in stored
    assert holds(stored) == ["zebra"]
    (day,) = kept.counts().values()
    # Each door's message in danger; the bare word after a card, at the two doors of the API, may be taken for more of it.
    assert len(DOORS) <= day["crisis"] <= len(DOORS) + 2


def test_after_erasing_or_in_time_no_byte_of_it_is_left(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if service.journal is None:
        return
    for way in ("erase", "expire"):
        copy = tmp_path / f"{way}.sqlite"
        copy.write_bytes(service.journal.read_bytes())
        assert holds(files_of(copy)) == ["zebra"]
        if way == "erase":
            assert Journal(copy).erase("ZEBRA") == len(DOORS)
        else:
            monkeypatch.setattr(journal, "now", lambda: datetime.now(UTC) + timedelta(days=31))
            Journal(copy)
        assert holds(files_of(copy)) == []
