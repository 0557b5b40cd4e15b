"""A real server process with the real model, and a real browser."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 300
"""The index is built within it, on a machine that does other things too."""

BROWSER_OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EMBEDDER = "http://clinic.example"
"""A site that the server under test allows to frame its page."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running `app.py`."""

    url: str
    log: Path
    """All that it printed."""
    contacted: Path
    """The hosts that it looked up or connected to, one a line, after a first line "started"."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`python app.py` with an index that is not there yet; ready."""
    folder = tmp_path_factory.mktemp("server")
    port = free_port()
    started = Server(f"http://127.0.0.1:{port}", folder / "log", folder / "contacted")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "tests" / "audit"),
        "AUDIT_LOG": str(started.contacted),
        "ASK_IOP_INDEX": str(folder / "index"),
        "ASK_IOP_FRAME_ANCESTORS": f"'self' {EMBEDDER}",
    }
    command = [sys.executable, "app.py", "--port", str(port)]
    with started.log.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_ready(process, started)
        yield started
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(process: "subprocess.Popen[bytes]", server: Server) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{server.url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(f"the server did not get ready:\n{server.log.read_text()}")


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[httpx.Client]:
    """HTTP client of the server."""
    with httpx.Client(base_url=server.url, timeout=60) as opened:
        yield opened


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, as the system has it."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium on PATH")
        pytest.skip("no Chromium on PATH")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=BROWSER_OPTIONS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """The visitor's page, ready for a question. A request to another host fails the test."""
    context = browser.new_context()
    opened = context.new_page()
    elsewhere: list[str] = []
    context.on("request", lambda request: elsewhere.append(request.url))
    opened.goto(server.url)
    opened.locator("#transcript .option").first.wait_for()
    yield opened
    context.close()
    assert [url for url in elsewhere if not url.startswith((server.url, "data:"))] == []
