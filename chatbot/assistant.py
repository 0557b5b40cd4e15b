"""The engine behind every door: one question in, one answer out."""

from collections.abc import Sequence

from chatbot.answers import Answer, Helpline
from chatbot.articles import Article
from chatbot.conversation import Turn
from chatbot.settings import Settings


class Assistant:
    """Answers questions from one index. Keeps no state between questions; safe to share between threads."""

    articles: tuple[Article, ...]
    helplines: tuple[Helpline, ...]
    index_digest: str

    @classmethod
    def open(cls, settings: Settings) -> "Assistant":
        """Load index, encoder and reader. Raises `IndexUnusableError` or `ModelError`."""
        raise NotImplementedError

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The answer to one message. Never raises on what a person typed: see `Status`."""
        raise NotImplementedError

    def examples(self) -> tuple[str, ...]:
        """Up to four questions that the articles answer, to start with."""
        raise NotImplementedError
