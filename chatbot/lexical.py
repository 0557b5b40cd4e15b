"""BM25 over stemmed terms: which texts share the question's words, weighed by how rare the words are."""

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import bm25s
import numpy as np
from nltk.stem.snowball import SnowballStemmer

from chatbot.graph import Vectors

TOKEN = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?")

# Words that carry no subject. Question words and quantities ("how", "many", "long", "when") stay out of the
# list of searched terms too: an article answers "how long" with a figure, not with the word "long".
STOP_WORDS = frozenset(
    """a about after all also am an and any are as at be because been being but by can could did do does doing don
    done for from get gets getting go goes going got had has have having he her hers him his how i if in into is it
    its just let like ll long lot m many may me might more most much must my need no not of off on one only or other
    our out over please re really s say says she should so some such t tell than that the their them then there
    these they thing things this those through to too up us ve very want was we were what when where which while
    who whom whose why will with would you your yours yourself dont doesnt cant im whats""".split()
)


@cache
def _stemmer() -> SnowballStemmer:
    return SnowballStemmer("english")


@cache
def stem(word: str) -> str:
    """The Snowball (Porter 2) stem of a lower-case word."""
    return str(_stemmer().stem(word))


def words(text: str) -> list[str]:
    """Lower-case words and numbers, in order; possessive and contracted endings are cut off."""
    return [re.split("['’]", token)[0] for token in TOKEN.findall(text.lower())]


def terms(text: str) -> list[str]:
    """The stems of the words that carry a subject, in order."""
    return [stem(word) for word in words(text) if word not in STOP_WORDS]


class LexicalIndex:
    """BM25 (Lucene's variant, k1 = 1.5, b = 0.75) over texts given as terms."""

    def __init__(self, index: "bm25s.BM25", vocabulary: frozenset[str], size: int) -> None:
        self._index, self.vocabulary, self._size = index, vocabulary, size

    @classmethod
    def build(cls, texts: Sequence[Sequence[str]]) -> "LexicalIndex":
        """From the terms of each text."""
        vocabulary = sorted({term for text in texts for term in text})
        number = {term: position for position, term in enumerate(vocabulary)}
        index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
        if vocabulary:
            ids = [[number[term] for term in text] for text in texts]
            # The vocabulary is handed over in sorted order so that the saved bytes don't depend on a hash.
            index.index((ids, number), create_empty_token=False, show_progress=False)
        return cls(index, frozenset(vocabulary), len(texts))

    def __len__(self) -> int:
        return self._size

    def scores(self, query: Sequence[str]) -> Vectors:
        """BM25 of the query's terms with every text, shape (n,), 0 where none is shared."""
        known = sorted({term for term in query if term in self.vocabulary})
        if not known:
            return np.zeros(self._size, dtype=np.float32)
        return np.asarray(self._index.get_scores(known), dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write to a new folder."""
        folder.mkdir()
        (folder / "size.json").write_text(json.dumps(self._size))
        if self.vocabulary:
            self._index.save(folder, show_progress=False)

    @classmethod
    def load(cls, folder: Path) -> "LexicalIndex":
        """Read what `save` wrote."""
        size = int(json.loads((folder / "size.json").read_text()))
        if not (folder / "vocab.index.json").is_file():
            return cls(bm25s.BM25(), frozenset(), size)
        index = bm25s.BM25.load(folder, show_progress=False)
        return cls(index, frozenset(index.vocab_dict), size)
