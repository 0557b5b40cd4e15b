"""A real server process with the real model, and a real browser."""

import contextlib
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
from hypothesis import settings
from playwright.sync_api import Browser, Page, sync_playwright

from chatbot.assistant import Assistant
from chatbot.encoder import PackagedEncoder
from chatbot.index import PassageIndex, build_index
from chatbot.reader import CrossEncoderReader, Reader, RetrievalReader
from chatbot.safety import load_helplines

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "corpus"
ORIGINALS = ROOT.parent / "shared" / "articles"
"""The articles as their publishers print them. They may not be published, so a checkout may lack them."""
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
    "--disable-features=LocalNetworkAccessChecks",  # lets a test's site frame a server of this machine
]
EMBEDDER = "http://clinic.example"
"""A site that the server under test allows to frame its page."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running `app.py`."""

    url: str
    index: Path
    log: Path
    """All that it printed."""
    contacted: Path
    """The hosts that it looked up or connected to, one a line, after a first line "started"."""
    journal: Path
    """Where it keeps questions and feedback."""
    guest: str
    """Another origin, whose pages may use its API. Nobody listens there."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`python app.py` with an index that is not there yet; ready."""
    folder = tmp_path_factory.mktemp("server")
    started = Server(
        f"http://127.0.0.1:{free_port()}",
        folder / "index",
        folder / "log",
        folder / "contacted",
        folder / "journal.sqlite",
        f"http://127.0.0.1:{free_port()}",
    )
    environment = {
        "PYTHONPATH": str(ROOT / "tests" / "audit"),
        "AUDIT_LOG": str(started.contacted),
        "ASK_IOP_INDEX": str(started.index),
        "ASK_IOP_FRAME_ANCESTORS": f"'self' {EMBEDDER}",
        "ASK_IOP_ALLOWED_ORIGINS": started.guest,
        "ASK_IOP_JOURNAL": str(started.journal),
        "ASK_IOP_QUESTIONS_PER_MINUTE": "0",  # the tests ask faster than people do
        "ASK_IOP_QUESTIONS_PER_MINUTE_IN_TOTAL": "0",
    }
    with serving(started.url, started.log, environment):
        yield started


@contextlib.contextmanager
def serving(url: str, log: Path, environment: dict[str, str], *arguments: str | Path) -> Iterator[None]:
    """`python app.py` at this address of this machine while it lasts, ready to answer; `log` is what it prints.
    `environment` is added to our own."""
    command = [sys.executable, "app.py", "--port", url.rpartition(":")[2], *map(str, arguments)]
    with log.open("wb") as printed:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=printed, stderr=subprocess.STDOUT
        )
    try:
        wait_until_ready(process, url, log)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Until the server at this address is ready to answer. `log` is what it prints."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(f"the server did not get ready:\n{log.read_text()}")


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
    opened.on("request", lambda request: elsewhere.append(request.url))
    opened.goto(server.url)
    opened.locator("#transcript .option").first.wait_for()
    yield opened
    context.close()
    assert [url for url in elsewhere if not url.startswith((server.url, "data:"))] == []


# --- the engine ----------------------------------------------------------------------------------------------

settings.register_profile("unhurried", deadline=None)  # the machine does other things too
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def encoder() -> PackagedEncoder:
    """The real model, loaded once."""
    return PackagedEncoder()


@pytest.fixture(scope="session")
def index_folder(tmp_path_factory: pytest.TempPathFactory, encoder: PackagedEncoder) -> Path:
    """The index of corpus/, as it stands on the disk. Copy it before changing anything in it."""
    folder = tmp_path_factory.mktemp("index")
    build_index(CORPUS, folder, encoder)
    return folder


@pytest.fixture(scope="session")
def index(index_folder: Path, encoder: PackagedEncoder) -> PassageIndex:
    """The index of corpus/."""
    return PassageIndex.load(index_folder, encoder, CORPUS)


@pytest.fixture(scope="session")
def originals_folder(tmp_path_factory: pytest.TempPathFactory, encoder: PackagedEncoder) -> Path:
    """The index of the articles as their publishers print them, as it stands on the disk."""
    if not ORIGINALS.is_dir():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no originals in {ORIGINALS}")
    folder = tmp_path_factory.mktemp("originals")
    build_index(ORIGINALS, folder, encoder)
    return folder


@pytest.fixture(scope="session")
def originals(originals_folder: Path, encoder: PackagedEncoder) -> PassageIndex:
    """The index of the articles as their publishers print them."""
    return PassageIndex.load(originals_folder, encoder, ORIGINALS)


def open_assistant(index: PassageIndex, encoder: PackagedEncoder, reader: str) -> Assistant:
    """What `Assistant.open` gives, with the model that is loaded already. `reader`: default or none."""
    chosen: Reader = CrossEncoderReader(index) if reader == "default" else RetrievalReader(index)
    return Assistant(index, encoder, chosen, load_helplines(CORPUS / "helplines.yaml"))


@pytest.fixture(scope="session", params=["none", "default"])
def assistant(request: pytest.FixtureRequest, index: PassageIndex, encoder: PackagedEncoder) -> Assistant:
    """The assistant over corpus/, with each reader that an operator can choose."""
    return open_assistant(index, encoder, request.param)


@pytest.fixture(scope="session", params=["none", "default"])
def originals_assistant(request: pytest.FixtureRequest, originals: PassageIndex, encoder: PackagedEncoder) -> Assistant:
    """The assistant over the articles as their publishers print them, with each reader."""
    return open_assistant(originals, encoder, request.param)


SMALL_CORPUS = {
    "compost.md": """---
title: A Heap of Your Own
publisher: The Allotment Letter
url: https://example.org/compost
updated: 2025-04-01
edition: original
---
A compost heap turns kitchen scraps into soil. A heap is ready after nine months.

## What goes in?

These scraps may go on the heap:
- Peelings of fruit and vegetables rot fast.
- Coffee grounds keep the heap moist.
- Eggshells add lime, but they rot slowly.

Never put these things on the heap:
- Cooked meat draws rats.
- Weeds with ripe seeds sprout again.

## How often is it turned?

A heap is turned every two weeks. However, a heap in frost is left alone. Turning brings air to the middle.

## Help

The National Allotment Society (NAS) answers letters. Members of the NAS pay 30 pounds a year.
""",
    "worms.md": """---
title: Worms in a Box
publisher: null
url: null
updated: null
edition: summary
---
## What do worms eat?

Worms eat soft scraps. They leave onions and lemons alone. They need a lid, because light kills them.

## Is a worm box smelly?

A worm box does not smell. But a box with too much food in it may smell sour.
""",
    "glossary.yaml": """abbreviations:
  wb: worm box
lay_words:
  stinks: [smell]
  leftovers: [scraps]
""",
    "questions.yaml": """answered:
- places:
  - article: worms
    heading: Is a worm box smelly?
    sentence: A worm box does not
  questions:
  - will my kitchen stink of worms
  - does the box reek
- places:
  - article: compost
    heading: How often is it turned?
  questions:
  - when do i stir the heap
unanswered:
- topic: shopping
  say: Ask a garden shop.
  questions:
  - where can i buy a compost bin
""",
}


def write_small_corpus(folder: Path) -> Path:
    """Two short articles, known questions and a glossary, on another subject than ours."""
    folder.mkdir()
    for name, text in SMALL_CORPUS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that `write_small_corpus` wrote. Copy it before changing anything in it."""
    return write_small_corpus(tmp_path_factory.mktemp("small") / "corpus")


@pytest.fixture(scope="session")
def small_folder(small_corpus: Path, encoder: PackagedEncoder) -> Path:
    """The small corpus's index, as it stands on the disk. Copy it before changing anything in it."""
    folder = small_corpus.parent / "index"
    build_index(small_corpus, folder, encoder)
    return folder


@pytest.fixture(scope="session")
def small(small_folder: Path, encoder: PackagedEncoder) -> PassageIndex:
    """The small corpus's index."""
    return PassageIndex.load(small_folder, encoder)
