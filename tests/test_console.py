"""The console in a real browser, before a server with a small corpus on another subject."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT, free_port, serving
from playwright.sync_api import Browser, Error, Locator, Page, Route, expect

from chatbot.accounts import Accounts
from chatbot.answers import CARDS
from chatbot.console import DANGERS, protocol
from chatbot.journal import Journal
from chatbot.safety import load_helplines

PASSWORD = "correct horse battery"
TURNED = "how often is a heap turned?"
CANARY = "zebra canary 531"
HELPLINES = load_helplines(ROOT / "corpus" / "helplines.yaml")
BANDS = {"strong", "fair", "weak"}


@dataclass(frozen=True, slots=True)
class Desk:
    """A running `app.py` that has a console."""

    url: str
    log: Path
    marks: Path


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, small_corpus: Path, small_folder: Path) -> Iterator[Desk]:
    """Maria can sign in at it."""
    folder = tmp_path_factory.mktemp("desk")
    started = Desk(f"http://127.0.0.1:{free_port()}", folder / "log", folder / "marks.sqlite")
    Accounts(folder / "staff").set("maria", PASSWORD)
    environment = {
        "ASK_IOP_STAFF": str(folder / "staff"),
        "ASK_IOP_JOURNAL": str(started.marks),
        "ASK_IOP_QUESTIONS_PER_MINUTE": "3",  # for visitors: staff look up as often as they type
    }
    with serving(started.url, started.log, environment, "--corpus", small_corpus, "--index", small_folder):
        yield started


@pytest.fixture(scope="module")
def api(desk: Desk) -> Iterator[httpx.Client]:
    """A client with Maria's session."""
    with httpx.Client(base_url=desk.url, timeout=60) as opened:
        assert opened.post("/staff/sign-in", data={"name": "maria", "password": PASSWORD}).status_code == 303
        yield opened


def look_up(api: httpx.Client, question: str, **more: Any) -> Any:
    reply = api.post("/staff/api/look-up", json={"question": question, **more})
    assert reply.status_code == 200
    assert "look-up;dur=" in reply.headers["server-timing"]
    return reply.json()


# --- its API --------------------------------------------------------------------------------------


def test_the_answer_is_the_visitors(api: httpx.Client) -> None:
    visitors = api.post("/api/ask", json={"question": TURNED}).json()
    told = look_up(api, TURNED)["answer"]
    assert {name: told[name] for name in visitors if name != "citations"} == {
        name: visitors[name] for name in visitors if name != "citations"
    }
    assert [{**one, "link": None} for one in told["citations"]] == [
        {**one, "link": None} for one in visitors["citations"]
    ]
    assert told["citations"][0]["link"].startswith("https://example.org/compost#:~:text=How%20often")
    assert told["status"] == "answered" and told["band"] == "strong" and told["support"] >= 0.5


def test_passages_come_best_first_with_their_reasons(api: httpx.Client) -> None:
    found = look_up(api, TURNED)
    passages = found["passages"]
    assert [round(one["support"], 6) for one in passages] == sorted(
        (round(one["support"], 6) for one in passages), reverse=True
    )
    first = passages[0]
    assert (first["id"], first["trail"], first["quoted"]) == ("compost", ["How often is it turned?"], [1])
    assert {"heap", "turned"} <= set(first["terms"])
    assert first["known"]["text"] == found["known"]["text"] == "when do i stir the heap"
    assert 0 < first["known"]["cosine"] <= 1
    assert first["title"] == "A Heap of Your Own" and first["updated"] == "2025-04-01"


@pytest.mark.parametrize("question", [TURNED, "what goes on the heap?", "worms", "where can i buy a compost bin"])
def test_the_parts_of_a_passage_are_its_text(api: httpx.Client, question: str) -> None:
    for one in look_up(api, question)["passages"]:
        article = api.get(f"/staff/api/articles/{one['id']}").json()
        section = article["sections"][one["section"]]
        assert section["trail"] == one["trail"]
        assert "".join(part["text"] for part in one["parts"]) in section["text"]
        found = [part for part in one["parts"] if part["band"]]
        assert found and {part["band"] for part in found} <= BANDS
        assert one["band"] in {part["band"] for part in found}
        assert one["sentence"] in [part["text"] for part in found]


def test_one_article_alone(api: httpx.Client) -> None:
    everywhere, there = look_up(api, TURNED), look_up(api, TURNED, article="worms")
    assert there["answer"] == everywhere["answer"]
    assert {one["id"] for one in there["passages"]} == {"worms"}
    assert look_up(api, TURNED, article="none such")["passages"] == []


def test_an_unanswered_question_says_what_it_is_like(api: httpx.Client) -> None:
    known = look_up(api, "where do i buy a compost bin?")["known"]
    assert known["text"] == "where can i buy a compost bin"
    assert (known["answered"], known["say"]) == (False, "Ask a garden shop.")


@pytest.mark.parametrize("question", ["", " ", "?", "x" * 3000])
def test_what_is_no_question_yet(api: httpx.Client, question: str) -> None:
    found = look_up(api, question)
    assert found["answer"]["status"] == "invalid"
    assert found["passages"] == []


@pytest.mark.parametrize(
    "question",
    [
        "i want to kill myself",
        "hello",
        "how often is it turned? what do worms eat?",
        "vorrei sapere dove posso trovare un programma",
    ],
)
def test_every_kind_of_message_can_be_looked_up(api: httpx.Client, question: str) -> None:
    assert look_up(api, question)["answer"]["text"]


def test_a_request_of_another_shape_is_refused(api: httpx.Client) -> None:
    for body in ({}, {"question": 1}, {"question": "a", "more": 1}, {"question": "\ud800"}, []):
        reply = api.post("/staff/api/look-up", content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert reply.status_code == 422
        assert set(reply.json()) == {"error"}
    for mark in ({"reason": "unclear"}, {"reason": "wrong", "note": "x" * 501}, {"reason": "wrong", "name": "Joe"}):
        assert api.post("/staff/api/mark", json=mark).status_code == 422
    assert api.get("/staff/api/articles/none").status_code == 404
    assert api.get("/staff/none").status_code == 404


def test_the_protocol_is_that_of_the_cards_for_somebody_who_is_a_person() -> None:
    told = protocol(HELPLINES)
    assert len(told) == len(DANGERS) == len(CARDS)
    for one in told:
        assert "program" not in one["text"]
        assert one["helplines"]


# --- in the browser -------------------------------------------------------------------------------


class Worker:
    """A tab with the console, and what it did."""

    def __init__(self, browser: Browser, desk: Desk, **options: Any) -> None:
        self.desk = desk
        self.context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], **options)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.goto(f"{desk.url}/staff")

    def sign_in(self) -> Page:
        self.page.get_by_label("Name").fill("maria")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.locator("#lines li").first.wait_for()
        return self.page

    @property
    def box(self) -> Locator:
        return self.page.get_by_label("What does the caller ask?")

    @property
    def answer(self) -> Locator:
        return self.page.locator("#answer")

    def look_up(self, question: str) -> None:
        """Type it and go to the answer."""
        self.box.fill(question)
        self.box.press("Enter")
        expect(self.answer).to_be_focused()

    def copied(self, key: str) -> str:
        self.page.keyboard.press(key)
        expect(self.page.locator("#done")).to_contain_text("is copied")
        text = self.page.evaluate("navigator.clipboard.readText()")
        self.page.evaluate("document.getElementById('done').textContent = ''")
        return str(text)


def working(browser: Browser, desk: Desk, **options: Any) -> Iterator[Worker]:
    worker = Worker(browser, desk, **options)
    worker.sign_in()
    yield worker
    worker.context.close()
    assert worker.complaints == []
    assert [url for url in worker.requests if not url.startswith(desk.url)] == []


@pytest.fixture
def worker(browser: Browser, desk: Desk) -> Iterator[Worker]:
    """Signed in. A complaint of the browser or a request to a third party fails the test."""
    yield from working(browser, desk, viewport={"width": 1280, "height": 800})


def test_signing_in_and_out(browser: Browser, desk: Desk) -> None:
    worker = Worker(browser, desk)
    page = worker.page
    assert page.url.endswith("/staff/sign-in")
    page.get_by_label("Name").fill("maria")
    page.get_by_label("Password").fill("wrong wrong wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Name or password is not right.")
    worker.sign_in()
    assert page.url == f"{desk.url}/staff"
    expect(worker.box).to_be_focused()
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto(f"{desk.url}/staff")
    assert page.url.endswith("/staff/sign-in")
    worker.context.close()


def test_answers_stand_there_while_typing(worker: Worker) -> None:
    worker.box.press_sequentially(TURNED, delay=20)
    expect(worker.answer).to_contain_text("A heap is turned every two weeks.")
    expect(worker.answer.locator(".badge").first).to_have_text("Answered")
    first = worker.page.locator("#passages li").first
    expect(first.locator("mark.strong").first).to_have_text("A heap is turned every two weeks.")
    expect(first).to_contain_text("A Heap of Your Own")
    expect(first).to_contain_text("April 1, 2025")
    expect(first).to_contain_text("when do i stir the heap")
    expect(first.get_by_role("link", name="source")).to_have_attribute("rel", "noopener noreferrer")
    expect(worker.box).to_be_focused()
    worker.box.fill("")
    expect(worker.answer).to_be_hidden()


def test_the_last_question_wins(worker: Worker) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "worms" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    worker.page.route("**/look-up", hold)
    worker.box.fill("what do worms eat?")
    worker.page.wait_for_timeout(300)
    worker.box.fill(TURNED)
    expect(worker.answer).to_contain_text("every two weeks")
    assert held
    for route in held:
        with contextlib.suppress(Error):  # the page has given it up already
            route.continue_()
    worker.page.wait_for_timeout(300)
    expect(worker.answer).to_contain_text("every two weeks")


def test_all_of_it_by_keyboard(worker: Worker) -> None:
    page = worker.page
    worker.look_up("what goes on the heap?")
    page.keyboard.press("ArrowDown")
    first = page.locator("#passages .open").first
    expect(first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#passages .open").nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    reader = page.locator("#reader")
    expect(reader.get_by_role("heading", level=2)).to_be_focused()
    expect(reader.locator(".here mark").first).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(reader).to_be_hidden()
    expect(first).to_be_focused()
    page.keyboard.press("2")
    expect(reader).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(worker.box).to_be_focused()
    assert page.evaluate("getSelection().toString()") == "what goes on the heap?"
    page.keyboard.press("ArrowDown")
    expect(worker.answer).to_be_focused()
    page.keyboard.press("f")
    expect(page.get_by_label("Passages from")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.type("/c1?")  # letters in the box are letters
    expect(worker.box).to_have_value("/c1?")


@pytest.mark.parametrize("width", [390, 1280, 1700])
def test_the_article_opens_at_the_place_on_every_screen(browser: Browser, desk: Desk, width: int) -> None:
    for worker in working(browser, desk, viewport={"width": width, "height": 330}):
        worker.look_up("NAS membership")
        worker.page.locator("#passages .open", has_text="Help").click()
        reader = worker.page.locator("#reader")
        expect(reader.locator(".here")).to_contain_text("The National Allotment Society")
        expect(reader.locator(".here h3")).to_be_in_viewport()
        top = reader.locator(".top").bounding_box()
        here = reader.locator(".here mark").first.bounding_box()
        assert top and here and top["y"] + top["height"] <= here["y"] < 330


def test_the_keys_are_told_and_single_ones_can_be_switched_off(worker: Worker) -> None:
    page = worker.page
    page.keyboard.press("?")  # the box is empty
    told = page.get_by_role("dialog", name="Keys")
    expect(told).to_be_visible()
    told.get_by_label("Single letters").uncheck()
    page.keyboard.press("Escape")
    expect(told).to_be_hidden()
    worker.look_up(TURNED)
    for key in ("?", "w", "1", "c", "/"):
        page.keyboard.press(key)
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#reader")).to_be_hidden()
    expect(worker.answer).to_be_focused()
    page.keyboard.press("F2")  # no letter
    expect(page.get_by_role("dialog", name="Crisis protocol")).to_be_visible()


def test_the_crisis_protocol_at_one_key(worker: Worker) -> None:
    worker.box.fill("he won't")
    worker.page.keyboard.press("F2")
    dialog = worker.page.get_by_role("dialog", name="Crisis protocol")
    for title in DANGERS.values():
        expect(dialog.get_by_role("heading", name=title)).to_be_visible()
    expect(dialog.locator("a[href='tel:911']").first).to_be_visible()
    worker.page.keyboard.press("F2")
    expect(dialog).to_be_hidden()
    expect(worker.box).to_be_focused()


def test_whom_to_call_is_pinned(worker: Worker) -> None:
    for line in HELPLINES:
        expect(worker.page.locator("#lines")).to_contain_text(line.name)
        expect(worker.page.locator("#lines")).to_contain_text(line.phone)


def test_whom_to_call_stays_in_view_after_many_look_ups_and_beside_an_open_article(
    browser: Browser, desk: Desk
) -> None:
    for worker in working(browser, desk, viewport={"width": 1280, "height": 900}):
        for number in range(8):
            worker.look_up(f"how often is the heap turned in month {number}?")
            worker.page.keyboard.press("Enter")
            worker.page.keyboard.press("/")
        numbers = worker.page.locator("#lines a[href^='tel:']")
        assert numbers.count() >= 5
        for line in numbers.all():
            expect(line).to_be_in_viewport(ratio=1)
        worker.page.locator("#passages .open").first.click()
        expect(worker.page.locator("#reader")).to_be_visible()
        for line in numbers.all():
            expect(line).to_be_in_viewport(ratio=1)


def test_three_ways_to_copy(worker: Worker) -> None:
    worker.look_up(TURNED)
    quote = "A heap is turned every two weeks."
    plain = worker.copied("c")
    assert quote in plain and "[1]" not in plain
    cited = worker.copied("x")
    assert f"{quote}" in cited and "[1] A Heap of Your Own · How often is it turned?" in cited
    assert "https://example.org/compost#:~:text=How%20often" in cited
    script = worker.copied("r")
    assert "The article “A Heap of Your Own”, by The Allotment Letter, updated April 1, 2025, says: " + quote in script
    assert "no medical advice" in script and "[1]" not in script
    worker.page.keyboard.press("ArrowDown")
    assert worker.copied("c") == quote  # of the passage that has the focus
    worker.look_up("i want to kill myself")
    script = worker.copied("r")
    assert "988" in script and "program" not in script


def test_recent_look_ups_are_in_this_tab_only(worker: Worker) -> None:
    page = worker.page
    for question in (TURNED, CANARY):
        worker.look_up(question)
    recent = page.locator("#recent button")
    expect(recent).to_have_text([CANARY, TURNED])
    recent.nth(1).click()
    expect(worker.answer).to_contain_text("every two weeks")
    stored = "JSON.stringify([{...localStorage}, {...sessionStorage}, location.href, history.state])"
    assert "zebra" not in page.evaluate(stored) and "heap" not in page.evaluate(stored)
    page.get_by_role("button", name="Forget them").click()
    expect(recent).to_have_count(0)
    page.reload()
    page.locator("#lines li").first.wait_for()
    expect(page.locator("#recent li")).to_have_count(0)
    assert CANARY not in worker.desk.log.read_text()
    assert "zebra" not in str(Journal(worker.desk.marks).read())


def test_only_what_is_entered_is_a_question_of_the_journal(worker: Worker) -> None:
    kept = Journal(worker.desk.marks)
    before = len(kept.asked())
    for question in ("how often is a heap", TURNED):
        with worker.page.expect_response("**/look-up"):
            worker.box.fill(question)
    expect(worker.answer).to_contain_text("every two weeks")
    assert len(kept.asked()) == before
    for _ in range(2):  # a second time it is the same question still
        worker.box.press("Enter")
        expect(worker.answer).to_be_focused()
    (entry,) = kept.asked()[before:]
    assert (entry["question"], entry["status"], entry["door"]) == (TURNED, "answered", "staff")
    assert entry["sections"] == ["compost#How often is it turned?"]


def test_a_mark_with_a_note(worker: Worker) -> None:
    page = worker.page
    worker.look_up(TURNED)
    page.keyboard.press("o")
    dialog = page.get_by_role("dialog", name="Mark this answer as outdated")
    note = dialog.get_by_label("Note for the owner")
    expect(note).to_be_focused()
    expect(dialog.get_by_label("The question")).to_have_value(TURNED)
    note.fill("Weekly since May.")
    dialog.get_by_label("The question").fill("how often turned")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("#done")).to_have_text("Marked as outdated. Thank you.")
    entry = Journal(worker.desk.marks).read()[-1]
    assert entry.pop("at").endswith(":00Z") and len(entry.pop("index")) == 64
    assert entry == {
        "from": "staff",
        "verdict": "down",
        "reason": "outdated",
        "comment": "Weekly since May.",
        "question": "how often turned",
        "status": "answered",
        "sections": ["compost#How often is it turned?"],
    }


def test_sources_that_differ_stand_side_by_side(worker: Worker) -> None:
    citations = [
        {"number": n, "article": name, "title": name.title(), "publisher": name.title(), "section": "S", "url": None, "link": None, "updated": None, "edition": "original", "quote": f"It takes {n} weeks.", "start": 0, "end": 1}
        for n, name in ((1, "compost"), (2, "worms"))
    ]  # fmt: skip
    text = "The sources differ on this:\n\nCompost:\nIt takes 1 weeks. [1]\n\nWorms:\nIt takes 2 weeks. [2]"
    told = {"status": "sources_differ", "text": text, "citations": citations, "suggestions": [], "helplines": [], "index": "0", "support": 0.9, "band": "strong", "apart": True}  # fmt: skip
    worker.page.route("**/look-up", lambda route: route.fulfill(json={"answer": told, "known": None, "passages": []}))
    worker.look_up("how long?")
    columns = worker.page.locator(".apart > div")
    expect(columns).to_have_count(2)
    boxes = [columns.nth(number).bounding_box() for number in (0, 1)]
    assert boxes[0] and boxes[1] and boxes[0]["y"] == boxes[1]["y"] and boxes[0]["x"] < boxes[1]["x"]


def test_a_session_that_is_over_says_so(browser: Browser, desk: Desk) -> None:
    worker = Worker(browser, desk)
    worker.sign_in()
    worker.context.clear_cookies()
    worker.box.fill(TURNED)
    expect(worker.page.get_by_role("alert")).to_contain_text("You are signed out.")
    expect(worker.page.locator("#lines")).to_contain_text("988")
    worker.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing(browser: Browser, desk: Desk, scheme: Any, width: int) -> None:
    options: Any = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}, "bypass_csp": True}
    start = Worker(browser, desk, **options)
    assert violations(start.page) == []
    start.context.close()
    for worker in working(browser, desk, **options):
        page = worker.page
        assert violations(page) == []
        for question in ("hello", "where can i buy a bin?", "i want to kill myself", TURNED):
            worker.look_up(question)
            assert violations(page) == []
        page.keyboard.press("1")
        expect(page.locator("#reader")).to_be_visible()
        assert violations(page) == []
        page.keyboard.press("Escape")
        for key in ("F2", "?", "w"):
            worker.answer.focus()
            page.keyboard.press(key)
            expect(page.locator("dialog[open]")).to_have_count(1)
            assert violations(page) == []
            page.keyboard.press("Escape")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def violations(page: Page) -> list[str]:
    """What axe finds, in short."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


def test_every_target_is_large_enough(worker: Worker) -> None:
    worker.look_up(TURNED)
    worker.page.keyboard.press("1")
    small = worker.page.evaluate(
        """[...document.querySelectorAll('button, input, select, .ways a')].filter(one => one.checkVisibility())
        .map(one => [one.textContent, one.getBoundingClientRect()])
        .filter(([, box]) => box.width < 24 || box.height < 24).map(([text, box]) => [text, box.width, box.height])"""
    )
    assert small == []
