"""How well the library knows what was typed, and what the classifiers' word is worth beside that."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from chatbot import safety
from chatbot.languages import foreign_language
from chatbot.lexical import STOP_WORDS, words
from chatbot.retrieval import Retriever
from chatbot.safety import Concern
from chatbot.screening import Screening
from chatbot.segmentation import Exchange
from chatbot.vocabulary import spellings

COVERED, THE_SAME, PLAINLY = 0.75, 0.85, 0.05
"""Cosine with a known answered question of what is no medical decision, and of what is no danger, unless a pattern says
so; and its lead over any unanswered one."""
FAMILIAR = 0.9
"""Cosine with any known question of what the classifier hardly takes for danger and is answered, with whom to call above."""
LONGEST_TERM = 2
"""Words that are looked up by themselves, at most."""


class Acquaintance:
    """What one library knows. Stateless; where searching fails, it knows nothing."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self.vocabulary = frozenset(spellings(retriever.index))

    def weigh(self, message: str, screening: Screening) -> Screening:
        """What the classifier alone took for a concern is none where the message is plainly a question on something
        else, or a word of the library's; where it might be danger all the same, it is answered, with whom to call above."""
        concern = screening.concern
        if len(words(message)) <= LONGEST_TERM and (concern is None or screening.guessed):
            if safety.is_grave(message):
                surely = concern is not None and not screening.faint
                return screening if surely else replace(screening, concern=None, doubtful=True)
            if self.is_term(message):
                return replace(screening, concern=None, doubtful=False)
        if screening.faint and (foreign_language(message, self.vocabulary) or max(self._nearness(message)) >= FAMILIAR):
            return replace(screening, concern=None, doubtful=True)
        medical = concern is Concern.MEDICAL_ADVICE
        if screening.guessed and self.is_covered(message, like=COVERED if medical else THE_SAME):
            return replace(screening, concern=None, doubtful=not medical)
        return screening

    def is_term(self, message: str) -> bool:
        """Whether a message is a word or two of the library's, as typed into a search box: the classifiers learned from
        sentences and know nothing of these."""
        said = words(message)
        return 0 < len(said) <= LONGEST_TERM and self.vocabulary.issuperset(said) and not STOP_WORDS.issuperset(said)

    def is_covered(self, question: str, before: Sequence[Exchange] = (), like: float = COVERED) -> bool:
        """Whether a question is plainly like known ones that the articles answer."""
        answered, unanswered = self._nearness(question, before)
        return answered >= max(like, unanswered + PLAINLY)

    def _nearness(self, question: str, before: Sequence[Exchange] = ()) -> tuple[float, float]:
        """Cosines with the nearest known question that the articles answer and that they don't."""
        with contextlib.suppress(Exception):
            found = self._retriever.search(question, 1, before)
            return found.answered, found.unanswered
        return 0.0, 0.0
