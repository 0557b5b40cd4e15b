"""Which language a message is in, where it is not the articles'."""

import functools
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from chatbot.answers import OTHER_LANGUAGES
from chatbot.lexical import STOP_WORDS

KNOWN = 1 / 3
"""A message of whose words this share is English, or the library's, is in English."""
SURE = 0.5
"""The detector's probability from which a language counts as recognised."""
_WORD = re.compile(r"[^\W\d_]+")


@functools.cache
def _detector() -> Callable[[str], tuple[str, float]]:
    """py3langid (Lui and Baldwin 2012) for English and the languages that there is a sentence in. Loading takes a
    second or two, so it waits for `warm_up` or the first message that looks foreign."""
    import py3langid
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model: Any = LanguageIdentifier.from_model_file(Path(py3langid.__file__).parent / MODEL_FILE, norm_probs=True)
    model.set_languages(["en", *OTHER_LANGUAGES])
    return lambda text: model.classify(text)


def warm_up() -> None:
    """Load the detector, so that the first message that looks foreign need not wait for it."""
    _detector()


def foreign_language(message: str, vocabulary: Collection[str]) -> str | None:
    """The ISO 639-1 code of the message's language, one of `OTHER_LANGUAGES`; None for English, and where unsure.

    `vocabulary`: lower-case words of the library, names among them.
    """
    found = _WORD.findall(message.lower())
    known = sum(word in STOP_WORDS or word in vocabulary for word in found)
    if not found or known >= KNOWN * len(found):
        return None
    language, probability = _detector()(message)
    return language if language != "en" and probability >= SURE else None
