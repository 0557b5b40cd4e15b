"""The engine behind every door: one question in, one answer out."""

from collections.abc import Sequence

from chatbot.answers import Answer
from chatbot.conversation import Turn


class Assistant:
    """Answers questions from one index. Keeps no state between questions; safe to share between threads."""

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The answer to one message. Never raises on what a person typed: see `Status`."""
        raise NotImplementedError
