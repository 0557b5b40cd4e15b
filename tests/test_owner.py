"""The owner's view: its routes, and a group of questions made known end to end in a real browser before a real server."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import CORPUS, ROOT, free_port, open_assistant, serving
from playwright.sync_api import Browser, Page, expect
from starlette.testclient import TestClient

from chatbot.accounts import Accounts
from chatbot.amendments import BEFORE
from chatbot.api import create_api
from chatbot.console import mount_console
from chatbot.encoder import PackagedEncoder
from chatbot.index import PassageIndex
from chatbot.journal import Journal
from chatbot.questions import FILE
from chatbot.settings import OWN_EVALUATION, Settings

PASSWORD = "correct horse battery"
ASKED = ("can i keep it in my bedroom", "may the box stand in my bedroom", "is the bedroom a good place for the box")
PATIENCE = 120
SINGLE = "zebra canary 531"
KEY = {"id": "k1", "kind": "answerable", "question": ASKED[0], "sections": [["worms", "Is a worm box smelly?"]], "facts": [["does not"]]}  # fmt: skip
LIKE = "does the box reek"
MORE = {"kind": "wordings", "like": LIKE, "wordings": ["is it whiffy"]}
TOPIC = {"kind": "topic", "topic": "beds", "say": "Ask a gardener.", "wordings": ["where does it stand"]}
STATUSES = ("answered", "sources_differ", "partly_answered", "medical_advice", "small_talk")
SMELLY = "Is a worm box smelly?"


@dataclass(frozen=True, slots=True)
class Clinic:
    """A running `app.py` with a journal of what was asked."""

    url: str
    corpus: Path
    log: Path


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, small_corpus: Path, small_folder: Path) -> Iterator[Clinic]:
    """Maria can sign in at it."""
    folder = tmp_path_factory.mktemp("clinic")
    started = Clinic(f"http://127.0.0.1:{free_port()}", folder / "corpus", folder / "log")
    shutil.copytree(small_corpus, started.corpus)
    shutil.copytree(small_folder, folder / "index")
    Accounts(folder / "staff").set("maria", PASSWORD)
    (folder / "keys.jsonl").write_text(json.dumps(KEY) + "\n")
    journal = Journal(folder / "journal.sqlite")
    for question in (*ASKED, SINGLE):
        assert journal.note(question, "not_covered", (), "0" * 64, "api")
    for status in STATUSES:
        assert journal.note("how often is a heap turned?", status, (), "0" * 64, "page")
    journal.add({"verdict": "up"})
    journal.add({"verdict": "down", "reason": "unclear", "comment": "<b>What?</b>", "question": "how much lime"})
    environment = {
        "ASK_IOP_STAFF": str(folder / "staff"),
        "ASK_IOP_JOURNAL": str(folder / "journal.sqlite"),
        "ASK_IOP_EVALUATION": str(folder / "keys.jsonl"),
    }
    with serving(started.url, started.log, environment, "--corpus", started.corpus, "--index", folder / "index"):
        yield started


# --- its routes -------------------------------------------------------------------------------------------------


@pytest.fixture
def corpus(small_corpus: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_corpus, tmp_path / "corpus"))


def caller(
    corpus: Path,
    small_folder: Path,
    small: PassageIndex,
    encoder: PackagedEncoder,
    may_edit: bool = True,
    journal: str = "",
) -> TestClient:
    """A signed-in client of a service without a process of its own."""
    folder = corpus.parent
    index = folder / "index"
    if not index.is_dir():
        shutil.copytree(small_folder, index)
    Accounts(folder / "staff").set("maria", PASSWORD)
    settings = Settings(corpus=corpus, index=index, reader="none", staff=str(folder / "staff"), journal=journal)
    api = create_api(open_assistant(small, encoder, "none"), settings)
    mount_console(api, settings, may_edit)
    client = TestClient(api, base_url="http://localhost", follow_redirects=False)
    assert client.post("/staff/sign-in", data={"name": "maria", "password": PASSWORD}).status_code == 303
    return client


@pytest.fixture
def owner(corpus: Path, small_folder: Path, small: PassageIndex, encoder: PackagedEncoder) -> TestClient:
    return caller(corpus, small_folder, small, encoder)


def previewed(owner: TestClient, change: dict[str, Any]) -> Any:
    reply = owner.post("/staff/api/owner/preview", json={"change": change})
    assert reply.status_code == 200, reply.text
    return reply.json()


def settled(owner: TestClient) -> Any:
    """How the renewal has ended."""
    end = time.monotonic() + PATIENCE
    while True:
        progress = owner.get("/staff/api/owner").json()["progress"]
        if progress["phase"] in ("done", "failed"):
            return progress
        assert time.monotonic() < end
        time.sleep(0.05)


def refused(reply: Any, code: int) -> str:
    """The message of an error in the one shape."""
    assert reply.status_code == code, reply.text
    assert set(reply.json()) == {"error"}
    return str(reply.json()["error"]["message"])


def test_what_is_seen_is_made_and_nothing_before(owner: TestClient, corpus: Path) -> None:
    old = (corpus / FILE).read_text()
    told = previewed(owner, MORE)
    assert "+  - is it whiffy" in told["diff"]
    assert (corpus / FILE).read_text() == old
    reply = owner.post("/staff/api/owner/apply", json={"change": MORE, "digest": told["digest"]})
    assert reply.status_code == 200 and reply.json()["progress"]["phase"] == "building"
    assert (corpus / FILE).read_text() == old.replace(f"  - {LIKE}\n", f"  - {LIKE}\n  - is it whiffy\n")
    assert (corpus / BEFORE).read_text() == old
    assert settled(owner)["phase"] == "done"
    assert "is it whiffy" in str(owner.post("/staff/api/owner/search", json={"question": "is it whiffy"}).json())


def test_of_two_owners_the_second_must_look_again(owner: TestClient, corpus: Path) -> None:
    one, other = previewed(owner, MORE), previewed(owner, TOPIC)
    assert owner.post("/staff/api/owner/apply", json={"change": MORE, "digest": one["digest"]}).status_code == 200
    now = (corpus / FILE).read_text()
    again = owner.post("/staff/api/owner/apply", json={"change": TOPIC, "digest": other["digest"]})
    assert "somebody else" in refused(again, 409)
    assert again.json()["error"]["code"] == "conflict"
    assert (corpus / FILE).read_text() == now
    assert settled(owner)["phase"] == "done"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({**MORE, "wordings": ["Does the box REEK"]}, "known question already"),
        ({**MORE, "like": "nobody asks this"}, "no known question"),
        ({**TOPIC, "topic": "shopping"}, "already"),
        ({"kind": "answer", "places": [{"article": "worms", "heading": SMELLY, "sentence": "No such"}], "wordings": ["a"]}, "No such"),
        ({"kind": "answer", "places": [{"article": "worms", "heading": "Nowhere"}], "wordings": ["a"]}, "Nowhere"),
        ({"kind": "take_back"}, "nothing to put back"),
        ({**MORE, "wordings": []}, "wordings"),
        ({**MORE, "wordings": [" \n "]}, "empty"),
        ({**MORE, "wordings": ["\ud800"]}, "pair"),
        ({**MORE, "wordings": ["x" * 301]}, "300"),
        ({**MORE, "more": 1}, "more"),
        ({"kind": "other"}, "kind"),
    ],
)  # fmt: skip
def test_a_change_that_can_not_be_made_is_refused(owner: TestClient, corpus: Path, change: Any, words: str) -> None:
    old = (corpus / FILE).read_bytes()
    for path, body in (("preview", {"change": change}), ("apply", {"change": change, "digest": "0" * 64})):
        if path == "apply" and "pair" not in words and change["kind"] != "other":
            continue
        content = json.dumps(body)
        reply = owner.post(f"/staff/api/owner/{path}", content=content, headers={"Content-Type": "application/json"})
        assert words in refused(reply, 422)
    assert (corpus / FILE).read_bytes() == old and not (corpus / BEFORE).exists()


def test_a_new_answer_stands_where_it_was_told_to(owner: TestClient, corpus: Path) -> None:
    sections = owner.get("/staff/api/owner/articles/worms").json()["sections"]
    (section,) = [one for one in sections if one["heading"] == SMELLY]
    assert section["sentences"][0]["text"] == "A worm box does not smell."
    place = {"article": "worms", "heading": SMELLY, "sentence": section["sentences"][0]["opening"]}
    change = {"kind": "answer", "places": [place], "wordings": [" is  it whiffy "]}
    told = previewed(owner, change)
    added = [line[1:] for line in told["diff"].splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert added == [
        "- places:",
        "  - article: worms",
        f"    heading: {SMELLY}",
        "    sentence: A worm box does not smell.",
        "  questions:",
        "  - is it whiffy",
    ]
    refused(owner.get("/staff/api/owner/articles/none"), 404)


def test_a_folder_that_can_not_be_written_says_so(owner: TestClient, corpus: Path) -> None:
    digest = previewed(owner, MORE)["digest"]
    (corpus / f"{FILE}.draft").mkdir()
    reply = owner.post("/staff/api/owner/apply", json={"change": MORE, "digest": digest})
    assert "can't be written" in refused(reply, 503)
    assert "whiffy" not in (corpus / FILE).read_text()


def test_an_index_without_its_articles_is_not_added_to(
    corpus: Path, small_folder: Path, small: PassageIndex, encoder: PackagedEncoder
) -> None:
    owner = caller(corpus, small_folder, small, encoder, may_edit=False)
    assert owner.get("/staff/api/owner").json()["may_edit"] is False
    for path, body in (("preview", {"change": MORE}), ("apply", {"change": MORE, "digest": "0" * 64})):
        assert "elsewhere" in refused(owner.post(f"/staff/api/owner/{path}", json=body), 403)


def test_without_a_journal_there_is_nothing_to_group(owner: TestClient) -> None:
    assert owner.get("/staff/api/owner").json()["keeps"] is False
    assert owner.get("/staff/api/owner/gaps").json() == {"asked": 0, "groups": []}
    assert owner.get("/staff/api/owner/feedback").json() == {"days": [], "reasons": {}, "amiss": [], "asked": []}
    assert owner.get("/staff/api/owner/contradictions").json() == {"pairs": []}


def test_the_library_s_own_keys_are_for_the_library_alone(owner: TestClient) -> None:
    assert Settings().examination == OWN_EVALUATION and Settings().corpus == CORPUS
    assert Settings(corpus=ROOT / "docs").examination is None
    assert Settings(corpus=ROOT / "docs", evaluation=OWN_EVALUATION).examination == OWN_EVALUATION
    digest = previewed(owner, MORE)["digest"]
    assert owner.post("/staff/api/owner/apply", json={"change": MORE, "digest": digest}).status_code == 200
    progress = settled(owner)
    assert (progress["phase"], progress["questions"]) == ("done", 0)


def test_searches_say_where_the_answer_stands(owner: TestClient) -> None:
    found = owner.post("/staff/api/owner/search", json={"question": "smelly?"}).json()["entries"]
    assert found[0]["places"] == [f"Worms in a Box · {SMELLY}"]
    refused(owner.post("/staff/api/owner/search", json={"question": " "}), 422)


# --- in the browser ---------------------------------------------------------------------------------------------


class Tab:
    """A tab with the owner's view, and what it did."""

    def __init__(self, browser: Browser, clinic: Clinic, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.goto(f"{clinic.url}/staff/owner")
        self.page.get_by_label("Name").fill("maria")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.locator("#charts figure").first.wait_for()


def opened(browser: Browser, clinic: Clinic, **options: Any) -> Iterator[Page]:
    tab = Tab(browser, clinic, **options)
    yield tab.page
    tab.context.close()
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith(clinic.url)] == []


@pytest.fixture
def page(browser: Browser, clinic: Clinic) -> Iterator[Page]:
    """Signed in. A complaint of the browser or a request to a third party fails the test."""
    yield from opened(browser, clinic, viewport={"width": 1280, "height": 800})


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


def status_of(clinic: Clinic, question: str) -> str:
    return str(httpx.post(f"{clinic.url}/api/ask", json={"question": question}, timeout=60).json()["status"])


def test_what_was_asked_is_grouped_and_what_one_asked_is_not_shown(page: Page) -> None:
    group = page.locator("#gaps > li")
    expect(group).to_contain_text("3 times")
    group.get_by_text("2 more wordings").click()
    for question in ASKED:
        expect(group).to_contain_text(question)
    assert SINGLE not in page.content()
    expect(page.locator("#gaps-said")).to_contain_text("4 times")


def test_the_charts_have_their_tables(page: Page) -> None:
    figure = page.locator("#charts figure").first
    figure.get_by_text("As a table").click()
    expect(figure.locator("tbody tr")).to_have_count(1)
    told = dict(
        zip(
            figure.locator("thead th").all_inner_texts(),
            figure.locator("tbody :is(th, td)").all_inner_texts(),
            strict=True,
        )
    )
    assert told.pop("Not in the articles") == "4"
    assert told.pop("Day") and set(told.values()) == {"1"} and len(told) == len(STATUSES)
    assert figure.locator("svg[aria-hidden] rect").count() == 2 * (len(STATUSES) + 1)  # bars and their key
    thumbs = page.locator("#charts figure").nth(1)
    thumbs.get_by_text("As a table").click()
    expect(thumbs.locator("tbody td")).to_have_text(["1", "1"])


def test_what_was_found_amiss_is_text_and_can_be_made_known(page: Page) -> None:
    first = page.locator("#amiss > li").first
    expect(first).to_contain_text("unclear")
    expect(first).to_contain_text("<b>What?</b>")
    first.get_by_role("button", name="Make it known").click()
    expect(page.get_by_label("Ways to ask it")).to_have_value("how much lime")


def test_what_is_missing_is_said_before_anything_is_sent(page: Page) -> None:
    page.locator("#gaps").get_by_role("button", name="Make it known").click()
    dialog = page.get_by_role("dialog", name="Make it known")
    trouble = dialog.get_by_role("alert")
    show = dialog.get_by_role("button", name="Show the change")
    dialog.get_by_label("A new topic").check()
    show.click()
    expect(trouble).to_have_text("Name the topic, and what to say.")
    dialog.get_by_label("A new question, which").check()
    show.click()
    expect(trouble).to_have_text("Choose a sentence that answers.")
    dialog.get_by_label("Ways to ask it").fill("")
    show.click()
    expect(trouble).to_have_text("Write at least one way to ask it.")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing(browser: Browser, clinic: Clinic, scheme: Any, width: int) -> None:
    options: Any = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}, "bypass_csp": True}
    for page in opened(browser, clinic, **options):
        page.locator("#gaps > li").first.wait_for()
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator("#gaps").get_by_role("button", name="Make it known").click()
        for kind in ("Further ways", "A new question, which", "A new topic"):
            page.get_by_label(kind).check()
            expect(page.locator("#entries input").first).to_be_attached()
            assert violations(page) == []
        page.get_by_label("Name of the topic").fill("beds")
        page.get_by_label("What to say").fill("Ask a gardener.")
        page.get_by_role("button", name="Show the change").click()
        expect(page.locator("#diff .added").first).to_be_visible()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = page.evaluate(
            """[...document.querySelectorAll('button, input, select, textarea, summary')].filter(one => one.checkVisibility())
            .map(one => [one.textContent, one.getBoundingClientRect()])
            .filter(([, box]) => box.width < 24 || box.height < 24).map(([text]) => text)"""
        )
        assert small == []


def test_a_group_is_made_known_by_keyboard_and_taken_back(page: Page, clinic: Clinic) -> None:
    old = (clinic.corpus / FILE).read_text()
    assert [status_of(clinic, question) for question in ASKED[:1]] == ["not_covered"]
    page.locator("#gaps").get_by_role("button", name="Make it known").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Make it known")
    box = dialog.get_by_label("Ways to ask it")
    assert set(box.input_value().split("\n")) == set(ASKED)
    near = dialog.get_by_label("Known questions near")
    near.fill("does the worm box smell")
    expect(dialog.locator("#entries label").first).to_contain_text(SMELLY)
    near.press("Enter")
    expect(dialog.locator("#diff .added")).to_have_count(3)
    expect(dialog.locator("#diff .removed")).to_have_count(0)
    assert (clinic.corpus / FILE).read_text() == old
    dialog.get_by_role("button", name="Make the change").focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    phase = page.locator("#phase")
    expect(phase).to_have_text(
        "The change is in service. Of 1 questions with known answers 1 changed: 1 now right.", timeout=1000 * PATIENCE
    )
    changed = page.locator("#changed > li")
    expect(changed).to_contain_text(ASKED[0])
    changed.get_by_text("Before and after").click()
    expect(changed).to_contain_text("A worm box does not smell.")
    expect(page.locator("#gaps > li")).to_have_count(0)
    assert [status_of(clinic, question) for question in ASKED] == ["answered"] * 3
    session = page.context.request
    found = session.post(f"{clinic.url}/staff/api/look-up", data={"question": ASKED[0]}).json()
    assert found["answer"]["status"] == "answered", "the console has the new index too"
    visitor = page.context.new_page()
    visitor.goto(clinic.url)
    visitor.get_by_label("Your question").fill(ASKED[1])
    visitor.get_by_label("Your question").press("Enter")
    expect(visitor.locator(".answer").last).to_contain_text("A worm box does not smell.")
    visitor.close()
    page.get_by_role("button", name="Take it back").click()
    back = page.get_by_role("dialog", name="Take the last change back")
    expect(back.locator("#diff .removed")).to_have_count(3)
    back.get_by_role("button", name="Make the change").click()
    expect(phase).to_contain_text("1 now wrong", timeout=1000 * PATIENCE)
    assert (clinic.corpus / FILE).read_text() == old
    assert status_of(clinic, ASKED[0]) == "not_covered"
    expect(page.locator("#gaps > li")).to_have_count(1)
    assert not [question for question in ASKED if question in clinic.log.read_text()]


def test_what_another_owner_changed_meanwhile_is_not_overwritten(browser: Browser, clinic: Clinic) -> None:
    tab = Tab(browser, clinic)
    page = tab.page
    page.locator("#gaps").get_by_role("button", name="Make it known").click()
    page.get_by_role("button", name="Show the change").click()
    expect(page.locator("#diff .added").first).to_be_visible()
    path = clinic.corpus / FILE
    old = path.read_text()
    path.write_text(f"# another owner was here\n{old}")
    page.get_by_role("button", name="Make the change").click()
    expect(page.get_by_role("alert").filter(has_text="somebody else")).to_be_visible()
    expect(page.get_by_role("button", name="Make the change")).to_be_hidden()
    assert path.read_text() == f"# another owner was here\n{old}"
    path.write_text(old)
    tab.context.close()
    assert [said for said in tab.complaints if "409" not in said] == []  # the browser logs what is refused
