"""The visitor's page in a real browser, asking a real server."""

import re
import time
from typing import Any

import pytest
from conftest import EMBEDDER, Server
from playwright.sync_api import Browser, Locator, Page, Route, expect

CANARY = "zebra canary 531"

CONTRAST = """() => {
  const parse = color => {
    const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.unshift(parse(getComputedStyle(e).backgroundColor));
    return layers.reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let measured = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility({opacityProperty: true})) continue;
    const style = getComputedStyle(element);
    const ground = behind(element);
    let opacity = 1;
    for (let e = element; e; e = e.parentElement) opacity *= getComputedStyle(e).opacity;
    const ink = parse(style.color);
    ink[3] *= opacity;
    const [a, b] = [light(over(ink, ground)), light(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    measured += 1;
    if (ratio < 4.5) poor.push([walker.currentNode.textContent.trim().slice(0, 40), ratio, style.color]);
  }
  return {measured, poor, ground: light(behind(document.querySelector('#transcript')))};
}"""


def box(page: Page) -> Locator:
    return page.get_by_label("Your question")


def ask(page: Page, question: str) -> Locator:
    """Ask, wait for the answer, and give it."""
    asked = page.locator(".question").count()
    box(page).fill(question)
    box(page).press("Enter")
    page.locator(".question").nth(asked).wait_for()
    return page.locator(".answer").last


# --- asking ---------------------------------------------------------------------------------------


def test_detox_gets_an_answer_and_its_source(page: Page) -> None:
    answer = ask(page, "does IOP include detox?")
    expect(answer.locator(".sources")).to_contain_text(re.compile("detox", re.IGNORECASE))
    expect(answer.locator(".sources")).to_contain_text("Retold from")
    link = answer.locator(".sources a").first
    expect(link).to_have_attribute("href", re.compile(r"^https://.+#:~:text="))
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    with page.context.expect_page() as opened:
        page.context.route("https://**", lambda route: route.abort())
        link.click()
    opened.value.close()
    expect(box(page)).to_have_value("")


def test_the_page_says_what_it_is_and_whom_to_call(page: Page) -> None:
    expect(page).to_have_title("Ask IOP")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ask IOP")
    expect(page.locator("header")).to_contain_text("no medical advice")
    expect(page.locator("header")).to_contain_text("stored for 30 days")  # the server under test keeps a journal
    for number in ("911", "988"):
        expect(page.locator(f'#calls a[href="tel:{number}"]')).to_be_visible()
    ask(page, "What is an IOP?")
    page.mouse.wheel(0, 10_000)
    for number in ("911", "988"):
        expect(page.locator(f'#calls a[href="tel:{number}"]')).to_be_in_viewport()


def test_a_suggestion_is_asked_when_it_is_pressed(page: Page) -> None:
    suggestion = page.locator("#transcript .option").first
    text = suggestion.inner_text()
    suggestion.click()
    expect(page.locator(".question")).to_contain_text(text)
    expect(page.locator(".answer").last).not_to_be_empty()


def test_clear_takes_everything_away(page: Page) -> None:
    ask(page, "What is an IOP?")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".question")).to_have_count(0)
    expect(page.locator("#transcript .option").first).to_be_visible()
    sent: list[Any] = []
    page.on("request", lambda request: sent.append(request.post_data_json))
    ask(page, "hello")
    assert sent[0]["data"][2] == []


def test_earlier_turns_go_along_with_a_question(page: Page) -> None:
    ask(page, "What is an IOP?")
    sent: list[Any] = []
    page.on("request", lambda request: sent.append(request.post_data_json))
    ask(page, "does it include detox?")
    assert [turn["role"] for turn in sent[0]["data"][2]] == ["user", "assistant"]
    assert sent[0]["data"][2][0]["content"] == "What is an IOP?"


def test_a_crisis_shows_numbers_to_press_before_anything_else(page: Page) -> None:
    answer = ask(page, "I want to kill myself")
    expect(answer.locator("a").first).to_have_attribute("href", re.compile("^tel:"))
    expect(answer.locator('a[href="tel:988"]')).to_be_in_viewport()
    assert answer.locator('a[href="tel:988"]').get_attribute("target") is None


@pytest.mark.parametrize(
    "question",
    [
        "<script>window.hurt = 1</script>",
        "<img src=x onerror='window.hurt = 1'>",
        '<svg/onload="window.hurt=1"> *a* _b_ `c` $$d$$ [e](javascript:alert(1))',
        "&lt;b&gt; <!-- f -->",
    ],
)
def test_a_question_is_shown_as_it_was_typed(page: Page, question: str) -> None:
    ask(page, question)
    expect(page.locator(".question")).to_have_text(f"You asked: {question}")
    assert page.evaluate("window.hurt") is None


def test_a_failed_request_is_said_and_can_be_tried_again(page: Page) -> None:
    ask(page, "hello")

    def refuse(route: Route) -> None:
        route.fulfill(status=503, json={"error": {"code": "a", "message": "Too busy.", "status": None}})

    for fail, said in ((lambda route: route.abort(), "No answer came"), (refuse, "Too busy.")):
        page.route("**/run/predict", fail)
        box(page).fill("does IOP include detox?")
        box(page).press("Enter")
        expect(page.get_by_role("alert")).to_contain_text(said)
        page.unroute("**/run/predict")
    box(page).press("Enter")
    expect(page.locator(".question")).to_have_count(2)
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_long_conversation_keeps_working(page: Page) -> None:
    asked = "What therapies are used in an IOP?"
    for _ in range(24):
        asked_before = page.locator(".question").count()
        answer = ask(page, asked) if asked_before < 20 else None
        if answer is None:
            box(page).fill(asked)
            with page.expect_response("**/run/predict") as response:
                box(page).press("Enter")
            assert response.value.ok
    expect(page.locator(".question")).to_have_count(20)


# --- for everybody --------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 640})
    for question in ("does IOP include detox?", "I want to kill myself", "x" * 400):
        ask(page, question)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(browser: Browser, server: Server, scheme: Any) -> None:
    page = browser.new_context(color_scheme=scheme).new_page()
    page.goto(server.url)
    page.locator("#transcript .option").first.wait_for()
    for question in (
        "does IOP include detox?",
        "I want to kill myself",
        "who won the cup?",
        "what dose?",
        "",
    ):
        ask(page, question)
    page.get_by_role("button", name="Ask", exact=True).hover()
    time.sleep(0.5)  # for the colours to have changed
    found = page.evaluate(CONTRAST)
    page.context.close()
    assert found["measured"] > 60
    assert found["poor"] == []
    assert (found["ground"] < 0.2) == (scheme == "dark")


def test_the_keyboard_is_enough(page: Page) -> None:
    def step(key: str = "Tab") -> dict[str, Any]:
        page.keyboard.press(key)
        focus: dict[str, Any] = page.evaluate(
            """() => {
            const e = document.activeElement, {outlineWidth, outlineStyle} = getComputedStyle(e);
            return {tag: e.tagName, text: e.textContent, outline: `${outlineWidth} ${outlineStyle}`};
            }"""
        )
        return focus

    reached = [step() for _ in range(3)]
    assert [focus["tag"] for focus in reached] == ["A", "A", "A"]  # whom to call comes first
    focus = step()
    assert focus["tag"] == "BUTTON"
    assert focus["outline"] == "3px solid"
    page.keyboard.press("Enter")
    page.locator(".question").wait_for()
    # The pressed suggestion is gone; focus is at the question that it asked, not at the top of the page.
    assert "question" in page.evaluate("document.activeElement.className")
    while step()["tag"] != "TEXTAREA":
        pass
    page.keyboard.type("does IOP include detox?")
    page.keyboard.press("Enter")
    expect(page.locator(".question")).to_have_count(2)
    assert step("Tab")["text"].strip() == "Ask"


def test_a_screen_reader_hears_answers_and_finds_its_way(page: Page) -> None:
    log = page.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "polite")
    answer = ask(page, "does IOP include detox?")
    expect(log.locator(answer)).to_have_count(1)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", level=2, name="does IOP include detox?")).to_have_count(1)
    expect(page.get_by_role("heading", level=3, name="Sources")).to_have_count(1)
    assert page.locator("[data-testid=bot][aria-label], [data-testid=user][aria-label]").count() == 0
    for landmark in ("banner", "navigation", "main", "contentinfo"):
        expect(page.get_by_role(landmark)).to_have_count(1)


def test_a_new_question_comes_into_view(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for question in ("What is an IOP?", "does IOP include detox?", "What is an IOP?"):
        ask(page, question)
        expect(page.locator(".question").last).to_be_in_viewport()


def test_whom_to_call_is_there_without_a_script(browser: Browser, server: Server) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(server.url)
    expect(page.locator('#calls a[href="tel:988"]')).to_be_visible()
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.locator(".library li").first).to_be_visible()
    page.context.close()


def test_it_works_in_a_frame_of_another_site_that_denies_storage(browser: Browser, server: Server) -> None:
    context = browser.new_context()
    context.add_init_script(
        """const denied = {get() { throw new DOMException("denied", "SecurityError"); }};
        for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"])
            Object.defineProperty(window, name, denied);
        Object.defineProperty(document, "cookie", denied);"""
    )
    frame_html = f'<iframe src="{server.url}" style="width: 100%; height: 600px"></iframe>'
    context.route(f"{EMBEDDER}/", lambda route: route.fulfill(body=frame_html, content_type="text/html"))
    page = context.new_page()
    page.goto(f"{EMBEDDER}/")
    frame = page.frame_locator("iframe")
    frame.get_by_label("Your question").fill("does IOP include detox?")
    frame.get_by_label("Your question").press("Enter")
    expect(frame.locator(".sources")).to_be_visible()
    context.close()


# --- privacy --------------------------------------------------------------------------------------


def test_the_browser_keeps_nothing_of_a_question(page: Page) -> None:
    ask(page, CANARY)
    kept = page.evaluate(
        """async () => JSON.stringify([
        {...localStorage}, {...sessionStorage}, document.cookie, location.href,
        await indexedDB.databases(), await caches.keys()])"""
    )
    assert "zebra" not in kept
    assert "zebra" not in str(page.context.storage_state(indexed_db=True))
    assert page.context.cookies() == []
    assert box(page).get_attribute("autocomplete") == "off"
    assert box(page).get_attribute("spellcheck") == "false"
    page.reload()
    page.locator("#transcript .option").first.wait_for()
    assert "zebra" not in page.content()


def test_a_question_travels_in_the_body_of_one_request(page: Page) -> None:
    sent: list[tuple[str, str, str]] = []
    page.on("request", lambda request: sent.append((request.method, request.url, request.post_data or "")))
    ask(page, CANARY)
    (method, url, body), *others = sent
    assert (method, others) == ("POST", [])
    assert CANARY in body
    assert "zebra" not in url
