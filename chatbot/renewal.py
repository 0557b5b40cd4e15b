"""A changed corpus put into service without a restart: the index is built again in the background, what answers is
exchanged in one step, and then the answers of before and after are compared."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from chatbot.assistant import Assistant
from chatbot.errors import AskError
from chatbot.evaluation import Changed, check_questions, compared, evaluate, read_questions
from chatbot.index import build_index
from chatbot.settings import Settings

logger = logging.getLogger(__name__)


class Phase(StrEnum):
    """Where a renewal stands."""

    NONE = "none"
    """Nothing was renewed since the start."""
    BUILDING = "building"
    LOADING = "loading"
    COMPARING = "comparing"
    """The new index answers; its answers are held against those of before."""
    DONE = "done"
    FAILED = "failed"
    """The index of before answers."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a renewal has come."""

    phase: Phase = Phase.NONE
    compared: int = 0
    """Questions answered by both, of `questions`."""
    questions: int = 0
    changed: tuple[Changed, ...] = ()
    """Of those compared so far."""
    problem: str = ""
    """Why it failed, or why nothing could be compared."""


class Renewal:
    """Renews one service's assistant, one renewal at a time. Safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        current: Callable[[], Assistant],
        exchange: Callable[[Assistant], None],
        evaluation: Path | None,
    ) -> None:
        """`exchange` puts another assistant in the place of the `current` one: a single assignment, so that whoever
        has taken the old one finishes on it. `evaluation`: the questions by which answers are compared."""
        self._settings, self._current, self._exchange, self._evaluation = settings, current, exchange, evaluation
        self._lock = threading.Lock()
        self._again = threading.Event()
        self._thread: threading.Thread | None = None
        self.progress = Progress()

    def start(self) -> None:
        """Renew in the background; where that is going on, once more after it."""
        with self._lock:
            self._again.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="renewal", daemon=True)
                self.progress = Progress(Phase.BUILDING)
                self._thread.start()

    def _run(self) -> None:
        before = self._current()
        while self._is_wanted():
            try:
                self._renew(before)
            except (AskError, OSError) as error:
                self.progress = Progress(Phase.FAILED, problem=str(error))
            except Exception as error:
                logger.error("the renewal failed: %s", type(error).__name__)
                self.progress = Progress(Phase.FAILED, problem="Something went wrong here.")

    def _is_wanted(self) -> bool:
        with self._lock:
            if not self._again.is_set():
                self._thread = None
                return False
            self._again.clear()
            return True

    def _renew(self, before: Assistant) -> None:
        self.progress = Progress(Phase.BUILDING)
        build_index(self._settings.corpus, self._settings.index, before.encoder)
        self.progress = Progress(Phase.LOADING)
        after = Assistant.open(self._settings, check_corpus=True, encoder=before.encoder)
        self._exchange(after)
        try:
            self._compare(before, after)
        except Exception as error:  # the new index answers all the same
            logger.error("the answers were not compared: %s", type(error).__name__)
            self.progress = Progress(Phase.DONE, problem="Its answers could not be compared.")

    def _compare(self, before: Assistant, after: Assistant) -> None:
        if self._evaluation is None:
            self.progress = Progress(Phase.DONE)
            return
        try:
            questions = read_questions([self._evaluation])
            check_questions(questions)
        except (OSError, ValueError) as error:
            self.progress = Progress(Phase.DONE, problem=f"{self._evaluation.name} can't be used: {error}")
            return
        self.progress = Progress(Phase.COMPARING, questions=len(questions))
        for number, question in enumerate(questions, 1):
            if self._again.is_set():  # these answers will not be the last
                return
            (was,), (now,) = (evaluate(assistant, [question])[0] for assistant in (before, after))
            found = compared([now], {was.id: (was.right, was.text)})
            self.progress = replace(self.progress, compared=number, changed=(*self.progress.changed, *found))
        self.progress = replace(self.progress, phase=Phase.DONE)
