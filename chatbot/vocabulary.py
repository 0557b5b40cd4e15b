"""The words of one library: all of them, and those that say nothing of what a sentence is about."""

from collections import Counter

from chatbot.index import PassageIndex
from chatbot.lexical import STOP_WORDS, terms, words

COMMON = 0.06
"""Words in a larger share of the sentences are common."""


def spellings(index: PassageIndex) -> list[str]:
    """Every word of the articles, their headings, the glossary and the known questions' subjects, sorted."""
    glossary = index.glossary
    texts: list[str] = [text for passage in index.passages for text in (*passage.trail, passage.text)]
    texts += [*glossary.abbreviations, *glossary.abbreviations.values(), *glossary.lay_words]
    texts += [text for values in glossary.lay_words.values() for text in values]
    return sorted({word for text in texts for word in words(text)} | STOP_WORDS)


def common_terms(index: PassageIndex) -> frozenset[str]:
    """Stems that stand in more sentences than say anything of what one of them is about."""
    counts = Counter(term for row in range(len(index.sentences)) for term in set(terms(index.sentence_text(row))))
    return frozenset(term for term, count in counts.items() if count > COMMON * len(index.sentences))
