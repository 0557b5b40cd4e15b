"""Laws of a renewal: the old index answers until the new one does, and what can't be built changes nothing."""

import json
import shutil
import threading
import time
from pathlib import Path

import pytest

from chatbot.assistant import Assistant
from chatbot.encoder import PackagedEncoder
from chatbot.index import PassageIndex
from chatbot.questions import FILE
from chatbot.renewal import Phase, Progress, Renewal
from chatbot.settings import Settings

WHIFF = "can i keep it in my bedroom"
KEY = {"id": "w", "kind": "answerable", "question": WHIFF, "sections": [["worms", "Is a worm box smelly?"]], "facts": [["does not"]]}  # fmt: skip
PATIENCE = 120


class Service:
    """What holds the assistant, as the application's state does."""

    def __init__(self, folder: Path, small_corpus: Path, small_folder: Path, encoder: PackagedEncoder) -> None:
        self.corpus = Path(shutil.copytree(small_corpus, folder / "corpus"))
        index = Path(shutil.copytree(small_folder, folder / "index"))
        self.settings = Settings(corpus=self.corpus, index=index, reader="none")
        self.assistant = Assistant.open(self.settings, check_corpus=True, encoder=encoder)
        self.had = [self.assistant]

    def exchange(self, assistant: Assistant) -> None:
        self.assistant = assistant
        self.had.append(assistant)

    def renewal(self, evaluation: Path | None = None) -> Renewal:
        return Renewal(self.settings, lambda: self.assistant, self.exchange, evaluation)

    def add(self, wording: str) -> None:
        file = self.corpus / FILE
        file.write_text(file.read_text().replace("  - does the box reek\n", f"  - does the box reek\n  - {wording}\n"))

    def knows(self, wording: str) -> bool:
        return wording in [question.text for question in self.assistant.index.questions]


@pytest.fixture
def service(tmp_path: Path, small_corpus: Path, small_folder: Path, encoder: PackagedEncoder) -> Service:
    return Service(tmp_path, small_corpus, small_folder, encoder)


def ended(renewal: Renewal) -> Progress:
    """Wait for its end."""
    end = time.monotonic() + PATIENCE
    while renewal._thread is not None:
        assert time.monotonic() < end
        time.sleep(0.02)
    return renewal.progress


def test_a_changed_corpus_is_put_into_service(service: Service, encoder: PackagedEncoder) -> None:
    renewal, before = service.renewal(), service.assistant
    assert renewal.progress == Progress(Phase.NONE)
    service.add(WHIFF)
    renewal.start()
    assert ended(renewal) == Progress(Phase.DONE)
    assert service.knows(WHIFF)
    assert service.assistant.encoder is before.encoder, "the model is not loaded twice"
    stored = PassageIndex.load(service.settings.index, encoder, service.corpus)
    assert stored.digest == service.assistant.index_digest != before.index_digest
    assert before.ask("does the box reek").index == before.index_digest, "who has taken the old one finishes on it"


def test_answers_before_and_after_are_compared(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "keys.jsonl"
    unchanged = {**KEY, "id": "h", "kind": "off_topic", "question": "hello", "sections": [], "facts": []}
    file.write_text("".join(json.dumps(key) + "\n" for key in (KEY, unchanged)))
    before = service.assistant.ask(WHIFF)
    service.add(WHIFF)
    renewal = service.renewal(file)
    renewal.start()
    told = ended(renewal)
    after = service.assistant.ask(WHIFF)
    assert before.text != after.text
    assert (told.phase, told.compared, told.questions) == (Phase.DONE, 2, 2)
    assert [(one.id, one.turn, one.before, one.after) for one in told.changed] == [
        ("w", "now right", before.text, after.text)
    ]


def test_keys_that_can_not_be_judged_by_do_not_stop_it(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "keys.jsonl"
    file.write_text(json.dumps({**KEY, "facts": [["("]]}))
    service.add(WHIFF)
    renewal = service.renewal(file)
    renewal.start()
    assert ended(renewal) == Progress(Phase.DONE, problem="Its answers could not be compared.")
    assert service.knows(WHIFF)


@pytest.mark.parametrize("content", ["{", "{}\n", ""])
def test_keys_that_can_not_be_used_do_not_stop_it(service: Service, tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys.jsonl"
    file.write_text(content)
    service.add(WHIFF)
    renewal = service.renewal(file)
    renewal.start()
    told = ended(renewal)
    assert told.phase == Phase.DONE and "keys.jsonl" in told.problem
    assert service.knows(WHIFF)


def test_what_can_not_be_built_changes_nothing_and_can_be_mended(service: Service) -> None:
    whole = (service.corpus / FILE).read_text()
    (service.corpus / FILE).write_text("answered: [\n")
    renewal = service.renewal()
    renewal.start()
    told = ended(renewal)
    assert told.phase == Phase.FAILED and FILE in told.problem
    assert len(service.had) == 1
    assert service.assistant.ask("does the box reek").citations
    (service.corpus / FILE).write_text(whole)
    renewal.start()
    assert ended(renewal).phase == Phase.DONE


def test_a_change_while_it_runs_is_in_service_too(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    renewal, built, go_on = service.renewal(), threading.Event(), threading.Event()
    real = Assistant.open.__func__  # type: ignore[attr-defined]

    def slow(cls: type[Assistant], *given: object, **named: object) -> Assistant:
        built.set()
        assert go_on.wait(PATIENCE)
        opened: Assistant = real(cls, *given, **named)
        return opened

    monkeypatch.setattr(Assistant, "open", classmethod(slow))
    service.add(WHIFF)
    renewal.start()
    assert built.wait(PATIENCE)
    assert renewal.progress.phase == Phase.LOADING
    service.add("is it smelly round there")  # what was built is stale now
    renewal.start()
    renewal.start()
    go_on.set()
    assert ended(renewal).phase == Phase.DONE
    assert service.knows(WHIFF) and service.knows("is it smelly round there")


def test_an_unforeseen_error_is_told_without_its_words(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("zebra")

    monkeypatch.setattr("chatbot.renewal.build_index", fail)
    renewal = service.renewal()
    renewal.start()
    told = ended(renewal)
    assert told == Progress(Phase.FAILED, problem="Something went wrong here.")
    assert "RuntimeError" in caplog.text and "zebra" not in caplog.text
