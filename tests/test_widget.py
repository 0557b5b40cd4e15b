"""The widget in a real browser, on pages of another site: one with a hostile style, one with the strictest policy."""

import gzip
import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT, Server
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, Route, expect

from chatbot.journal import Journal

SCRIPT = ROOT / "chatbot" / "static" / "widget.js"
LARGEST_BYTES = 15_000
"""Gzipped."""
DETOX = "does IOP include detox?"
CANARY = "does the zebra program 531 take walk-ins"
PHONE: Any = {"width": 390, "height": 700}

HOSTILE = """<style>
  html { font-size: 40px; letter-spacing: 9px; direction: rtl; --ink: red; --card: red; --accent: red }
  * { all: unset !important; display: block !important; color: lime !important; background: magenta !important;
      font: 40px fantasy !important; transform: rotate(3deg) !important; opacity: .4 !important;
      visibility: hidden !important; position: static !important; text-transform: uppercase !important }
  button, dialog, section, .panel, .root { display: none !important; width: 3px !important }
</style>"""
STRICT = (
    "default-src 'none'; script-src {0}; connect-src {0}; require-trusted-types-for 'script'; trusted-types 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
KEYS = "addEventListener('keydown', event => { window.heard = (window.heard ?? '') + event.key })"


class Site(http.server.BaseHTTPRequestHandler):
    """The site that has the widget on its pages: `/hostile`, `/strict`, `/plain`; what follows a `?` stands in
    the line that includes it."""

    service: ClassVar[str]

    def do_GET(self) -> None:
        path, _, attributes = unquote(self.path).partition("?")
        head = {"/hostile": HOSTILE, "/plain": f"<script>{KEYS}</script>"}.get(path, "")
        line = f'<script async src="{self.service}/widget.js" {attributes}></script>'
        if attributes.startswith("<"):
            line = f'{attributes}<script async src="{self.service}/widget.js"></script>'
        page = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A clinic</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>'
            f'<body><main><h1>A clinic</h1><p><a href="/plain">Elsewhere</a></p>{line}</main></body></html>'
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if path == "/strict":
            self.send_header("Content-Security-Policy", STRICT.format(self.service))
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(server: Server) -> Iterator[str]:
    """Origin of a site that the service allows."""
    handler = type("Handler", (Site,), {"service": server.url})
    with http.server.ThreadingHTTPServer(("127.0.0.1", int(server.guest.rsplit(":", 1)[1])), handler) as opened:
        threading.Thread(target=opened.serve_forever, daemon=True).start()
        yield server.guest
        opened.shutdown()


class Visitor:
    """A browser tab on the site, and what it did."""

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.page, self.site = context.new_page(), site
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.widget = self.page.locator("ask-iop")

    def visit(self, path: str, opened: bool = True) -> Page:
        self.page.goto(self.site + path)
        self.page.wait_for_function("document.querySelector('ask-iop')?.shadowRoot?.firstElementChild")
        if opened:
            self.launcher.click()
            self.widget.locator(".option").first.wait_for()
        return self.page

    @property
    def launcher(self) -> Locator:
        return self.widget.locator(".launcher")

    @property
    def box(self) -> Locator:
        return self.page.get_by_label(re.compile("^(Your question|Su pregunta)$"))

    @property
    def cards(self) -> Locator:
        return self.widget.locator("[role=log] > .answer")

    def ask(self, question: str) -> Locator:
        """Ask, wait for what comes of it, and give that."""
        before = self.cards.count()
        self.box.fill(question)
        self.box.press("Enter")
        self.cards.nth(before).wait_for()
        return self.cards.last


@pytest.fixture
def visitor(browser: Browser, site: str, server: Server) -> Iterator[Visitor]:
    """On a large screen. A complaint of the browser or a request to a third party fails the test."""
    yield from visiting(browser, site, server)


@pytest.fixture
def phone(browser: Browser, site: str, server: Server) -> Iterator[Visitor]:
    """On a phone."""
    yield from visiting(browser, site, server, viewport=PHONE, has_touch=True)


def visiting(browser: Browser, site: str, server: Server, **options: Any) -> Iterator[Visitor]:
    context = browser.new_context(**options)
    came = Visitor(context, site)
    yield came
    context.close()
    urls = [request.url for request in came.requests]
    assert [url for url in urls if not url.startswith((site, server.url))] == []
    assert [said for said in came.complaints if "Failed to load resource" not in said] == []


def refuse(route: Route, code: int, **more: Any) -> None:
    """An answer of the service that is an error, as a page of another origin may read it."""
    origin = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
    error = {"error": {"code": "a", "message": "No.", "status": None, **more.pop("error", {})}}
    route.fulfill(status=code, json=error, headers={**origin, **more})


def violations(page: Page) -> list[str]:
    """What axe finds, in short."""
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]}).response["violations"]
    return [f"{one['id']}: {node['target']} {node.get('failureSummary', '')}" for one in found for node in one["nodes"]]


# --- the file -------------------------------------------------------------------------------------


def test_it_is_small() -> None:
    assert len(gzip.compress(SCRIPT.read_bytes(), 9)) <= LARGEST_BYTES


def test_it_makes_no_markup_and_keeps_no_secret() -> None:
    source = SCRIPT.read_text(encoding="utf-8")
    for sign in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "@import"):
        assert sign not in source
    assert set(re.findall(r"https?://[\w.]+", source)) <= {
        "https://ask.example",
        "http://www.w3.org",
        "https://www.weather.gov",
    }


def test_both_languages_have_every_string() -> None:
    english, spanish = re.findall(r"^    (?:en|es): \{$(.*?)^    \},$", SCRIPT.read_text(), re.MULTILINE | re.DOTALL)
    names = [re.findall(r"^      (\w+):", block, re.MULTILINE) for block in (english, spanish)]
    assert names[0] == names[1]
    assert len(names[0]) > 40


# --- a conversation -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/hostile", "/strict"])
def test_it_answers_on_any_page_and_cites(visitor: Visitor, path: str) -> None:
    page = visitor.visit(path)
    card = visitor.ask(DETOX)
    expect(card).to_contain_text(re.compile("detox", re.IGNORECASE))
    number = card.get_by_role("button", name="Source 1", exact=True)
    expect(number).to_have_attribute("aria-expanded", "false")
    number.click()
    expect(number).to_have_attribute("aria-expanded", "true")
    source = card.get_by_role("group", name="Source 1", exact=True)
    expect(source.locator("blockquote")).to_be_visible()
    for part in ("Retold from", "section “"):
        expect(source).to_contain_text(part)
    link = source.get_by_role("link")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    address = link.get_attribute("href") or ""
    assert re.fullmatch(r"https://[^#]+#:~:text=[^-,&]+", address), address
    # What the page says about colours, sizes and places reached neither the button nor the panel.
    look = "e => { const s = getComputedStyle(e); return [s.display, s.opacity, s.transform, s.letterSpacing, s.fontSize] }"
    assert card.evaluate(look) == ["block", "1", "none", "normal", "16px"]
    assert "magenta" not in card.evaluate("e => getComputedStyle(e).backgroundColor")
    position = "e => [getComputedStyle(e).position, getComputedStyle(e).direction, getComputedStyle(e).color]"
    assert visitor.launcher.evaluate(position) == ["fixed", "ltr", "rgb(255, 255, 255)"]
    box = visitor.widget.locator(".panel").bounding_box()
    assert box and box["width"] > 300 and box["x"] >= 0
    # Nor does ours reach the page.
    assert page.evaluate("document.adoptedStyleSheets.length + document.querySelectorAll('body style').length") == 0


def test_a_follow_up_goes_with_what_was_said(visitor: Visitor) -> None:
    visitor.visit("/plain")
    first = visitor.ask("What is an IOP?").locator("p").first.inner_text()
    visitor.ask("does it include detox?")
    body = visitor.requests[-1].post_data_json
    assert body["question"] == "does it include detox?"
    assert [turn["role"] for turn in body["history"]] == ["user", "assistant"]
    assert first.split("\n")[0][:30] in body["history"][1]["content"]


def test_a_suggestion_is_asked_when_it_is_pressed(visitor: Visitor) -> None:
    visitor.visit("/plain")
    first = visitor.widget.locator(".option").first
    text = first.inner_text()
    first.click()
    expect(visitor.widget.locator(".question")).to_have_text(f"You asked: {text}")
    visitor.cards.first.wait_for()
    # The pressed button is gone; the focus is at the question that it asked.
    assert "question" in focus(visitor.page)["class"]
    visitor.widget.locator(".option").first.click()
    expect(visitor.cards).to_have_count(2)


def test_a_crisis_shows_whom_to_call_first(visitor: Visitor) -> None:
    visitor.visit("/plain")
    card = visitor.ask("I want to kill myself")
    expect(card).to_have_class(re.compile("crisis"))
    expect(card.get_by_role("heading")).to_have_text("Please get help now")
    ways = card.get_by_role("link")
    expect(ways.first).to_have_attribute("href", "tel:988")
    expect(ways.nth(1)).to_have_attribute("href", "sms:988")
    expect(ways.first).to_be_in_viewport()
    expect(card.locator('a[href="tel:911"]')).to_have_count(1)
    assert card.get_by_role("button", name="This helped").count() == 0


def test_a_medical_question_is_sent_to_people(visitor: Visitor) -> None:
    visitor.visit("/plain")
    card = visitor.ask("what dose of methadone should I take?")
    expect(card.get_by_role("heading")).to_have_text("A question for a health professional")
    expect(card.locator('a[href^="tel:"]').first).to_be_visible()


@pytest.mark.parametrize("question", ["<script>window.hurt = 1</script>", "<img src=x onerror='window.hurt = 1'>"])
def test_a_question_is_shown_as_it_was_typed(visitor: Visitor, question: str) -> None:
    page = visitor.visit("/plain")
    visitor.ask(question)
    expect(visitor.widget.locator(".question")).to_have_text(f"You asked: {question}")
    assert page.evaluate("window.hurt") is None


def test_a_quote_reads_as_text_whatever_it_holds(visitor: Visitor) -> None:
    """An answer from elsewhere: no markup, no script address, and a list as a list."""
    quote = "<b onclick=window.hurt=1>A & B</b>, re-born - a, b & c"
    citation = {"number": 1, "article": "a", "title": "<i>T</i>", "publisher": None, "section": "Re-born, A & B", "url": "https://a.example/x#y", "updated": "2024-03-29", "edition": "original", "quote": quote}  # fmt: skip
    evil = {**citation, "number": 2, "url": "javascript:window.hurt=1", "section": ""}
    answer = {"status": "answered", "text": f"These:\n- {quote} [1]\n- Two [2]\n\nNot a number [3].", "citations": [citation, evil]}  # fmt: skip
    page = visitor.visit("/plain")
    page.route("**/api/ask", lambda route: route.fulfill(json=answer, headers={"Access-Control-Allow-Origin": "*"}))
    card = visitor.ask("a")
    expect(card.locator("li")).to_have_count(2)
    expect(card).to_contain_text("Not a number [3].")
    for number in ("1", "2"):
        card.get_by_role("button", name=f"Source {number}").click()
    first, second = card.locator(".source").all()
    expect(first.locator("blockquote")).to_have_text(f"“{quote}”")
    expect(first).to_contain_text("March 29, 2024")
    href = "https://a.example/x#:~:text=Re%2Dborn%2C%20A%20%26%20B"
    expect(first.get_by_role("link")).to_have_attribute("href", href)
    expect(second.get_by_role("link")).to_have_count(0)
    assert page.evaluate("window.hurt") is None


def test_an_answer_can_be_copied(visitor: Visitor) -> None:
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=visitor.site)
    page = visitor.visit("/plain")
    visitor.ask(DETOX).get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "[1]" in copied and "https://" in copied


def test_clear_and_quick_exit_leave_nothing(visitor: Visitor) -> None:
    page = visitor.visit('/plain?data-persist="session"')
    visitor.ask(CANARY)
    assert "zebra" in page.evaluate("JSON.stringify({...sessionStorage})")
    page.get_by_role("button", name="Clear").click()
    expect(visitor.cards).to_have_count(0)
    expect(visitor.widget.locator(".option").first).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    visitor.ask(CANARY)
    assert visitor.requests[-1].post_data_json["history"] == []
    kept = visitor.requests[:]
    page.route("https://www.weather.gov/", lambda route: route.fulfill(body="sunny"))
    page.get_by_role("button", name="Quick exit").click()
    page.wait_for_url("https://www.weather.gov/")
    visitor.requests[:] = kept
    page.go_back()
    assert page.url == "about:blank"  # the way back does not lead to where the visitor was


# --- when something is wrong ----------------------------------------------------------------------


def test_whom_to_call_is_there_when_the_service_is_not(visitor: Visitor) -> None:
    page = visitor.page
    page.route("**/api/**", lambda route: route.abort())
    visitor.visit("/strict", opened=False)
    visitor.launcher.click()
    calls = page.get_by_role("navigation", name="Whom to call")
    for address in ("tel:911", "tel:988", "sms:988"):
        expect(calls.locator(f'a[href="{address}"]')).to_be_visible()
    card = visitor.ask(DETOX)
    expect(card).to_contain_text("can't be reached")
    expect(card.locator('a[href="tel:988"]')).to_be_visible()
    page.unroute("**/api/**")
    card.get_by_role("button", name="Try again").click()
    expect(visitor.cards).to_have_count(1)
    expect(visitor.cards.first.get_by_role("button", name="Source 1", exact=True)).to_be_visible()
    expect(visitor.widget.locator(".question")).to_have_count(1)


def test_a_site_that_is_not_allowed_still_shows_whom_to_call(visitor: Visitor, server: Server) -> None:
    page = visitor.page
    line = f'<script async src="{server.url}/widget.js"></script>'
    page.route("http://stranger.example/", lambda route: route.fulfill(body=line, content_type="text/html"))
    page.goto("http://stranger.example/")
    visitor.launcher.click()
    card = visitor.ask("hello")
    expect(card.locator('a[href="tel:988"]')).to_be_visible()
    visitor.requests[:] = [one for one in visitor.requests if "stranger" not in one.url]
    visitor.complaints.clear()  # the browser tells that the request was refused


def test_a_slow_service_is_said_and_given_up(visitor: Visitor) -> None:
    page = visitor.page
    page.clock.install()
    visitor.visit("/plain")
    held: list[Route] = []
    page.route("**/api/ask", lambda route: held.append(route))
    visitor.box.fill(DETOX)
    visitor.box.press("Enter")
    status = page.get_by_role("status")
    page.clock.run_for(1000)
    expect(status).to_have_text("Looking it up…")
    page.clock.run_for(5000)
    expect(status).to_contain_text("longer than usual")
    visitor.box.press("Enter")  # nothing to send, and nothing is sent twice
    page.clock.run_for(30_000)
    expect(visitor.cards.last).to_contain_text("No answer")
    expect(status).to_be_empty()
    assert len(held) == 1


def test_too_many_questions_is_said_with_the_time_and_whom_to_call(visitor: Visitor) -> None:
    page = visitor.visit("/plain")
    line = {"id": "crisis", "name": "The line", "phone": "116 123", "hours": "always", "purpose": "Any crisis"}
    headers = {"Retry-After": "17"}
    page.route("**/api/ask", lambda route: refuse(route, 429, error={"helplines": [line]}, **headers))
    card = visitor.ask("I want to kill myself")
    expect(card).to_contain_text("17 seconds")
    expect(card.locator('a[href="tel:116123"]')).to_be_visible()
    page.unroute("**/api/ask")
    card.get_by_role("button", name="Try again").click()
    expect(visitor.cards.first).to_have_class(re.compile("crisis"))


@pytest.mark.parametrize("code", [500, 503])
def test_an_error_of_the_service_can_be_tried_again(visitor: Visitor, code: int) -> None:
    page = visitor.visit("/plain")
    page.route("**/api/ask", lambda route: refuse(route, code))
    card = visitor.ask(DETOX)
    expect(card).to_contain_text("Something went wrong")
    expect(card.locator('a[href="tel:911"]')).to_be_visible()
    expect(card.get_by_role("button", name="Try again")).to_be_visible()


def test_a_question_that_cannot_be_read_comes_back(visitor: Visitor) -> None:
    visitor.visit("/plain")
    expect(visitor.ask("why " * 600)).to_contain_text("too long")
    expect(visitor.box).to_have_value(("why " * 600).strip())
    visitor.ask("hello")
    assert visitor.requests[-1].post_data_json["history"] == []


def test_clearing_while_it_looks_up_forgets_the_question(visitor: Visitor) -> None:
    page = visitor.visit("/plain")
    held: list[Route] = []
    page.route("**/api/ask", lambda route: held.append(route))
    visitor.box.fill(CANARY)
    visitor.box.press("Enter")
    expect(visitor.widget.locator(".question")).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    page.unroute("**/api/ask")
    expect(visitor.widget.locator(".question")).to_have_count(0)
    visitor.ask("hello")
    expect(visitor.cards).to_have_count(1)


# --- for everybody --------------------------------------------------------------------------------


def focus(page: Page) -> dict[str, Any]:
    """What has the focus, in the widget where it is there."""
    found: dict[str, Any] = page.evaluate(
        """() => {
        let e = document.activeElement;
        while (e.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
        const style = getComputedStyle(e);
        return {tag: e.tagName, class: e.className, name: e.getAttribute('aria-label') ?? e.textContent.trim(),
                outline: `${style.outlineWidth} ${style.outlineStyle}`};
        }"""
    )
    return found


def test_the_keyboard_is_enough(visitor: Visitor) -> None:
    page = visitor.visit("/plain", opened=False)
    assert focus(page)["tag"] == "BODY"  # nothing takes the focus when the page comes
    seen: list[str] = []

    def step(until: str, key: str = "Tab") -> None:
        for _ in range(40):
            page.keyboard.press(key)
            found = focus(page)
            seen.append(found["name"])
            if found["name"] == until:
                assert found["outline"] == ("3px solid" if until != "Elsewhere" else "1px auto"), found
                return
        pytest.fail(f"{until} is not reached: {seen}")

    step("Ask a question")
    page.keyboard.press("Enter")
    assert focus(page)["tag"] == "TEXTAREA"
    visitor.widget.locator(".option").first.wait_for()
    page.keyboard.type(DETOX)
    page.keyboard.press("Enter")
    visitor.cards.first.wait_for()
    assert focus(page)["tag"] == "TEXTAREA"
    step("Source 1", "Shift+Tab")
    page.keyboard.press("Enter")
    source = visitor.widget.locator(".source:not([hidden])")
    expect(source).to_have_count(1)
    page.keyboard.press("Tab")
    assert focus(page)["tag"] == "A"
    page.keyboard.press("Escape")  # closes the source that the focus is in, and goes back to its number
    expect(source).to_have_count(0)
    assert focus(page)["name"] == "Source 1"
    page.keyboard.press("Escape")
    expect(visitor.widget.locator(".panel")).to_be_hidden()
    assert focus(page)["name"] == "Ask a question"
    expect(visitor.launcher).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(visitor.cards).to_have_count(1)
    # Beside the page and not over it: the focus can leave.
    step("Elsewhere")
    # The page's own short cuts heard nothing of the question.
    assert "x" not in page.evaluate("window.heard ?? ''")
    assert DETOX[:4] not in page.evaluate("window.heard ?? ''")


def test_a_screen_reader_hears_each_answer_once(visitor: Visitor) -> None:
    page = visitor.visit("/plain", opened=False)
    log = visitor.widget.locator("[role=log]")
    expect(log).to_have_count(1)  # before there is anything in it
    expect(log).to_be_empty()
    expect(log).to_have_attribute("aria-live", "polite")
    expect(log).to_have_attribute("aria-relevant", "additions")
    expect(visitor.launcher).to_have_attribute("aria-expanded", "false")
    visitor.launcher.click()
    expect(page.get_by_role("dialog", name="Ask a question")).to_be_visible()
    visitor.widget.evaluate(
        """e => {
        window.added = [];
        new MutationObserver(records => records.forEach(record => window.added.push(...[...record.addedNodes].map(
            node => node.className)))).observe(e.shadowRoot.querySelector('[role=log]'), {childList: true});
        }"""
    )
    visitor.ask("What is an IOP?")
    visitor.ask(DETOX)
    added = page.evaluate("window.added")
    assert sum("answer" in name for name in added) == 2  # whole messages, and none again
    expect(visitor.widget.locator(".source").first).to_have_attribute("aria-live", "off")
    expect(page.get_by_role("heading", level=3, name=DETOX)).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing(browser: Browser, site: str, server: Server, scheme: Any, width: int) -> None:
    viewport: Any = {"width": width, "height": 720}
    for came in visiting(browser, site, server, color_scheme=scheme, viewport=viewport):
        page = came.visit("/plain", opened=False)
        assert violations(page) == []
        came.launcher.click()
        came.widget.locator(".option").first.wait_for()
        came.ask(DETOX).locator(".cite").first.click()
        came.cards.last.get_by_role("button", name="This did not help").click()
        for question in ("I want to kill myself", "who won the cup?", "what dose of methadone should I take?", "?!"):
            came.ask(question)
        page.route("**/api/ask", lambda route: route.abort())
        came.ask("hello")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert came.widget.locator(".scroll").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_every_target_is_large_enough(visitor: Visitor) -> None:
    visitor.visit("/plain")
    visitor.ask(DETOX).locator(".cite").first.click()
    visitor.cards.last.get_by_role("button", name="This did not help").click()
    small = visitor.widget.evaluate(
        """e => [...e.shadowRoot.querySelectorAll('button, input, select, textarea, .ways a, .calls a')]
        .filter(one => one.checkVisibility()).map(one => [one.textContent, one.getBoundingClientRect()])
        .filter(([, box]) => box.width < 24 || box.height < 24).map(([text]) => text)"""
    )
    assert small == []


def test_on_a_phone_it_has_the_whole_screen(phone: Visitor) -> None:
    page = phone.visit("/plain", opened=False)
    phone.launcher.tap()
    panel = page.get_by_role("dialog")
    expect(panel).to_have_attribute("aria-modal", "true")
    assert panel.bounding_box() == {"x": 0, "y": 0, **PHONE}
    assert focus(page)["tag"] == "H2"  # not the box: its keyboard would hide what there is to read
    assert float(phone.box.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")) >= 16
    phone.ask(DETOX).locator(".cite").first.click()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(phone.widget.locator(".source:not([hidden])")).to_have_count(0)
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    phone.launcher.tap()
    phone.box.fill("hello")
    phone.box.press("Enter")
    expect(phone.cards).to_have_count(2)
    assert "question" in focus(page)["class"]  # the keyboard has gone, and there is room for the answer
    for _ in range(30):  # modal: the focus does not get to the page behind
        page.keyboard.press("Tab")
        assert focus(page)["name"] != "Elsewhere"
    page.set_viewport_size({"width": 390, "height": 360})  # the keyboard is there
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_in_viewport()
    expect(phone.box).to_be_in_viewport()
    page.set_viewport_size({"width": 900, "height": 800})  # turned, or unfolded
    expect(panel).not_to_have_attribute("aria-modal", "true")
    expect(phone.cards).to_have_count(2)
    page.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()
    assert focus(page)["name"] == "Ask a question"


@pytest.mark.parametrize(("width", "height"), [(320, 256), (844, 170)])
def test_where_it_has_no_room_all_of_it_can_be_scrolled_to(visitor: Visitor, width: int, height: int) -> None:
    visitor.page.set_viewport_size({"width": width, "height": height})
    visitor.visit("/plain")
    panel = visitor.page.get_by_role("dialog")
    for end in (10_000, 0):  # by wheel or finger: what is only reached by focus is lost again
        panel.evaluate("(panel, end) => panel.scrollTo(0, end)", end)
        shown = visitor.page.get_by_role("button", name="Ask" if end else "Close", exact=True)
        expect(shown).to_be_in_viewport(ratio=0.9)
    assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")


@pytest.mark.parametrize(
    ("number", "dialled"),
    [("1-800-662-HELP", "18006624357"), ("+1 (212) 555-0100 x12", "+12125550100"), ("988", "988")],
)
def test_a_number_is_dialled_as_it_is_meant(visitor: Visitor, number: str, dialled: str) -> None:
    visitor.visit(f'/plain?data-helpline="Somebody: {number.replace("+", "%2B")}"')
    expect(visitor.widget.locator(f'.calls a[href="tel:{dialled}"]')).to_contain_text(number)


def test_a_slip_in_the_numbers_does_not_leave_nobody_to_call(visitor: Visitor) -> None:
    visitor.visit('/plain?data-helpline="call us"')
    expect(visitor.widget.locator('.calls a[href="tel:988"]')).to_be_visible()


def test_it_can_be_used_in_forced_colours(browser: Browser, site: str, server: Server) -> None:
    for came in visiting(browser, site, server, forced_colors="active", reduced_motion="reduce"):
        came.visit("/plain")
        card = came.ask(DETOX)
        for element in (came.launcher, card, card.locator(".cite").first, came.widget.locator(".question")):
            assert element.evaluate("e => getComputedStyle(e).borderStyle") == "solid"
            assert element.evaluate("e => getComputedStyle(e).borderColor") != "rgba(0, 0, 0, 0)"


def test_it_reads_from_right_to_left(visitor: Visitor) -> None:
    strings = json.dumps({"title": "اسأل", "send": "أرسل"}).replace('"', "&quot;")
    visitor.visit(f'/plain?data-lang="ar" data-strings="{strings}"')
    root = visitor.widget.locator(".root")
    expect(root).to_have_attribute("dir", "rtl")
    expect(visitor.launcher).to_have_text("اسأل")
    box = visitor.launcher.bounding_box()
    assert box and box["x"] < 200


def test_the_interface_speaks_spanish(visitor: Visitor) -> None:
    page = visitor.visit('/plain?data-lang="es-MX"')
    expect(page.get_by_role("heading", level=2)).to_have_text("Haga una pregunta")
    card = visitor.ask(DETOX)
    expect(card.locator("p").first).to_have_attribute("lang", "en")
    expect(card.get_by_role("button", name="Fuente 1", exact=True)).to_be_visible()


# --- privacy --------------------------------------------------------------------------------------


def test_by_default_nothing_is_stored_and_only_the_service_is_asked(visitor: Visitor, server: Server) -> None:
    page = visitor.visit("/plain", opened=False)
    assert [one.url for one in visitor.requests] == [f"{visitor.site}/plain", f"{server.url}/widget.js"]
    visitor.launcher.click()
    visitor.ask(CANARY)
    kept = page.evaluate(
        """async () => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href,
        await indexedDB.databases(), await caches.keys()])"""
    )
    assert kept == json.dumps([{}, {}, "", f"{visitor.site}/plain", [], []], separators=(",", ":"))
    assert page.context.cookies() == []
    for request in visitor.requests:
        assert "zebra" not in request.url
        assert "cookie" not in request.headers
    assert visitor.requests[-1].headers.get("referer", "") == ""
    page.reload()
    visitor.launcher.click()
    expect(visitor.cards).to_have_count(0)


def test_it_survives_navigation_only_where_the_site_asks_for_it(visitor: Visitor) -> None:
    page = visitor.visit('/plain?data-persist="session"')
    visitor.ask(DETOX)
    page.reload()
    expect(visitor.widget.locator(".panel")).to_be_visible()
    expect(visitor.cards).to_have_count(1)
    assert focus(page)["tag"] == "BODY"
    # What was said before is not read out again.
    page.wait_for_function("document.querySelector('ask-iop').shadowRoot.querySelector('[aria-live=polite]')")
    visitor.ask("and who is it for?")
    assert len(visitor.requests[-1].post_data_json["history"]) == 2


EVENTS = "open close ask answer clear".split()
LISTEN = f"""window.told = []; for (const name of {EVENTS})
    document.addEventListener('ask-iop-' + name, event => told.push([name, JSON.stringify(event.detail)]))"""


def test_events_tell_that_and_not_what(visitor: Visitor) -> None:
    visitor.page.add_init_script(LISTEN)
    page = visitor.visit("/plain")
    visitor.ask("I want to kill myself")
    page.evaluate("document.querySelector('ask-iop').clear()")
    page.evaluate("document.querySelector('ask-iop').close()")
    assert page.evaluate("told") == [[name, "{}"] for name in ("open", "ask", "answer", "clear", "close")]


def test_events_tell_more_where_the_site_asks_for_it(visitor: Visitor) -> None:
    visitor.page.add_init_script(LISTEN)
    page = visitor.visit('/plain?data-events="status"')
    visitor.ask(DETOX)
    assert page.evaluate("told")[-1] == ["answer", '{"status":"answered"}']


# --- what a site may choose -----------------------------------------------------------------------


def test_the_script_of_a_page_can_use_it(visitor: Visitor) -> None:
    page = visitor.visit("/plain", opened=False)
    page.evaluate("document.querySelector('ask-iop').ask('does IOP include detox?')")
    visitor.cards.first.wait_for()
    expect(visitor.widget.locator(".panel")).to_be_visible()
    page.evaluate("document.querySelector('ask-iop').close()")
    expect(visitor.widget.locator(".panel")).to_be_hidden()
    page.evaluate("document.querySelector('ask-iop').open()")
    expect(visitor.widget.locator(".panel")).to_be_visible()


def test_it_stands_in_the_page_where_it_is_told_to(visitor: Visitor) -> None:
    page = visitor.visit(
        '/strict?<ask-iop mode="inline" suggestions="Does IOP include detox? | What is DBT?"></ask-iop>', opened=False
    )
    expect(visitor.widget).to_have_count(1)
    expect(visitor.launcher).to_have_count(0)
    expect(page.get_by_role("region", name="Ask a question")).to_be_visible()
    expect(visitor.widget.locator(".option")).to_have_text(["Does IOP include detox?", "What is DBT?"])
    assert focus(page)["tag"] == "BODY"
    visitor.widget.locator(".option").first.click()
    expect(visitor.cards.first.get_by_role("button", name="Source 1", exact=True)).to_be_visible()
    assert violations(page) == []


ATTRIBUTES = (
    'data-theme="dark" data-accent="yellow" data-position="left" data-greeting="Hello there." data-suggestions="none" '
    'data-helpline="Emergency: 112; Samaritans: 116 123" data-privacy-url="https://clinic.example/privacy" data-open=""'
)


def test_it_looks_as_it_is_told_to(visitor: Visitor) -> None:
    page = visitor.visit(f"/strict?{ATTRIBUTES}", opened=False)
    expect(visitor.widget.locator(".panel")).to_be_visible()
    assert focus(page)["tag"] == "BODY"
    expect(visitor.widget.locator(".root")).to_have_class("root dark start")
    expect(visitor.widget.locator(".scroll")).to_contain_text("Hello there.")
    expect(visitor.widget.locator(".option")).to_have_count(0)
    calls = [link.get_attribute("href") for link in visitor.widget.locator(".calls a").all()]
    assert calls == ["tel:112", "tel:116123"]
    expect(page.get_by_role("link", name="Privacy")).to_have_attribute("href", "https://clinic.example/privacy")
    assert visitor.launcher.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 0)"
    visitor.ask("hello")
    assert violations(page) == []
    page.evaluate("document.querySelector('ask-iop').setAttribute('theme', 'light')")
    expect(visitor.widget.locator(".root")).to_have_class("root start")
    expect(visitor.cards).to_have_count(1)
    # A colour that can't be read on white is darkened until it can.
    assert violations(page) == []


# --- thumbs ---------------------------------------------------------------------------------------


def test_a_thumb_goes_to_the_operator_with_no_more_than_was_chosen(visitor: Visitor, server: Server) -> None:
    page = visitor.visit("/plain")
    kept = Journal(server.journal)
    before = len(kept.read())
    with page.expect_response("**/api/feedback"):
        visitor.ask(DETOX).get_by_role("button", name="This helped").click()
    expect(page.get_by_role("status")).to_have_text("Thank you.")
    card = visitor.ask(CANARY)
    card.get_by_role("button", name="This did not help").click()
    page.get_by_label("What is wrong?").select_option("It is out of date")
    page.get_by_label("Comment").fill("Since May.")
    with page.expect_response("**/api/feedback"):
        page.get_by_role("button", name="Send").click()
    up, down = kept.read()[before:]
    assert (up["verdict"], down["verdict"], down["reason"], down["comment"]) == ("up", "down", "outdated", "Since May.")
    assert "zebra" not in str(down)
    assert up["sections"] and "comment" not in up
    card = visitor.ask(CANARY)
    card.get_by_role("button", name="This did not help").click()
    page.get_by_label("Store my question").check()
    with page.expect_response("**/api/feedback"):
        page.get_by_role("button", name="Send").click()
    assert kept.read()[-1]["question"] == CANARY


def test_where_nothing_is_kept_nothing_is_asked_for(visitor: Visitor) -> None:
    told: dict[str, Any] = {"suggestions": ["What is an IOP?"], "feedback": False, "index": "0"}
    visitor.page.route("**/api/suggestions", lambda route: route.fulfill(json=told, headers={"Access-Control-Allow-Origin": "*"}))  # fmt: skip
    visitor.visit("/plain")
    expect(visitor.widget.locator(".intro")).to_contain_text("Your questions are not stored.")
    card = visitor.ask(DETOX)
    expect(card.get_by_role("button", name="Copy")).to_be_visible()
    expect(card.get_by_role("button", name="This helped")).to_have_count(0)


def test_it_says_that_questions_are_stored_and_nothing_while_it_does_not_know(visitor: Visitor) -> None:
    waiting: list[Route] = []
    visitor.page.route("**/api/suggestions", lambda route: waiting.append(route))
    visitor.visit("/plain", opened=False)
    visitor.launcher.click()
    intro = visitor.widget.locator(".intro")
    expect(intro).to_contain_text("no medical advice")
    expect(intro).not_to_contain_text("stored")
    for route in waiting:
        route.continue_()
    expect(intro).to_contain_text("Your questions are stored for a time, most names removed.")


# --- the page that builds the line ----------------------------------------------------------------


@pytest.fixture
def builder(browser: Browser, server: Server) -> Iterator[Page]:
    """/embed of the service."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{server.url}/embed")
    yield page
    context.close()
    assert complaints == []


def test_the_page_shows_the_widget_and_builds_the_line(builder: Page, server: Server) -> None:
    line = builder.locator("#snippet")
    expect(line).to_have_text(f'<script async src="{server.url}/widget.js"></script>')
    sample = builder.frame_locator("#sample")
    expect(sample.get_by_role("dialog", name="Ask a question")).to_be_visible()
    builder.get_by_label("Language").select_option("es")
    builder.get_by_label("Greeting").fill('Hi "you" & <me>')
    builder.get_by_label("Run exactly this version").check()
    expect(line).to_contain_text("integrity=")
    written = line.inner_text()
    assert re.search(r'/widget-[0-9a-f]{12}\.js" integrity="sha384-[\w+/=]{64}" crossorigin="anonymous"', written)
    assert 'data-lang="es" data-greeting="Hi &quot;you&quot; &amp; &lt;me>"' in written
    expect(sample.get_by_role("dialog", name="Haga una pregunta")).to_be_visible()
    expect(sample.locator(".scroll")).to_contain_text('Hi "you" & <me>')
    assert violations(builder) == []


def test_the_line_has_the_address_under_which_a_space_answers(builder: Page) -> None:
    line, address = builder.locator("#snippet"), builder.get_by_label("Address of this service")
    address.fill("https://huggingface.co/spaces/Some.One/ask_iop")
    expect(line).to_contain_text('src="https://some-one-ask-iop.hf.space/widget.js"')
    expect(builder.locator("#policy")).to_contain_text("script-src https://some-one-ask-iop.hf.space;")
    address.fill("not an address")
    expect(line).to_have_text("")
    expect(builder.get_by_role("status")).to_contain_text("https://")


def test_the_built_line_works_on_a_page(builder: Page, visitor: Visitor, site: str) -> None:
    builder.get_by_label("Run exactly this version").check()
    line = builder.locator("#snippet")
    expect(line).to_contain_text("integrity=")
    written = line.inner_text()
    page = f"<!doctype html><title>A clinic</title><p>Text</p>{written}"
    visitor.page.route(f"{site}/built", lambda route: route.fulfill(body=page, content_type="text/html"))
    visitor.visit("/built")
    expect(visitor.ask(DETOX)).to_contain_text("detox")


def test_every_file_of_it_is_strict(server: Server, client: Any) -> None:
    get: Callable[[str], Any] = client.get
    for path in ("/embed", "/embed/clinic"):
        policy = get(path).headers["content-security-policy"]
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'self'" in policy
