"""What visitors ask and get no answer to, grouped by meaning."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chatbot.encoder import Encoder
from chatbot.graph import Vectors
from chatbot.index import PassageIndex
from chatbot.questions import KnownQuestion, same

FEWEST = 3
"""Askings from which a group is shown: what one person asked once stays unseen."""
APART = 0.35
"""Mean distance (1 - cosine, among known questions) up to which two groups are one.

Measured on wordings of `corpus/questions.yaml`, 3 to 12 of each of 40 unanswered topics mixed with one of each of 80
others, 20 draws: 0.79 of a group's wordings belong together, and 0.46 of the topics come out as a group of their own.
At 0.30 these are 0.88 and 0.34, at 0.40 0.69 and 0.56, at 0.45 0.59 and 0.52. The encoder was trained on these
wordings, which are also more varied than what visitors type.
"""
MOST = 2000
"""Wordings grouped, the most asked ones: the distances of all pairs stand in memory."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What was asked in these words, and how often."""

    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Askings that want the same answer."""

    wordings: tuple[Wording, ...]
    """The most asked first, then what is nearest to the middle of the group."""
    count: int
    last: str
    """When it was last asked, as the journal puts it."""
    nearest: KnownQuestion | None
    """The known question nearest to the middle of the group."""
    cosine: float
    """How near it is; 0 without one."""


class Gaps:
    """Groups askings. Remembers the vectors of the last ones, so that a page asked for again is there at once. Safe to
    share between threads."""

    def __init__(self) -> None:
        self._rows: dict[str, Vectors] = {}
        self._lock = threading.Lock()

    def __call__(self, asked: Sequence[Mapping[str, str]], index: PassageIndex, encoder: Encoder) -> tuple[Gap, ...]:
        """Groups of `FEWEST` askings and more, the largest first, without those that are known questions by now.

        `asked` has "question" and "at" in each; the encoder is that of the index, and the same every time.
        """
        known = {same(question.text) for question in index.questions}  # somebody has seen to these
        spoken: dict[str, Counter[str]] = {}
        last: dict[str, str] = {}
        for one in asked:
            key = same(one["question"])
            if key in known:
                continue
            spoken.setdefault(key, Counter())[" ".join(one["question"].split())] += 1
            last[key] = max(last.get(key, ""), one["at"])
        if not spoken:
            return ()
        keys = sorted(sorted(spoken, key=lambda key: (-spoken[key].total(), key))[:MOST])
        with self._lock:
            rows = self._vectors([index.glossary.write_out(key) for key in keys], encoder)
            groups = together(rows)
        found = []
        for group in groups:
            own = [keys[place] for place in group]
            if sum(spoken[key].total() for key in own) >= FEWEST:
                middle = rows[group].mean(axis=0)
                near = dict(zip(own, np.round(rows[group] @ middle, 5).tolist(), strict=True))
                own.sort(key=lambda key: (-spoken[key].total(), -near[key], key))
                wordings = tuple(Wording(_usual(spoken[key]), spoken[key].total()) for key in own)
                count = sum(wording.count for wording in wordings)
                found.append(Gap(wordings, count, max(last[key] for key in own), *_nearest(middle, index)))
        return tuple(sorted(found, key=lambda gap: (-gap.count, gap.wordings[0].text)))

    def _vectors(self, texts: Sequence[str], encoder: Encoder) -> Vectors:
        """Rows of the texts among known questions, shape (len(texts), dim)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._rows]
        known = dict(zip(new, encoder.encode_questions(new), strict=True)) if new else {}
        self._rows = {text: known[text] if text in known else self._rows[text] for text in texts}
        return np.stack([self._rows[text] for text in texts])


def together(rows: Vectors, apart: float = APART) -> list[list[int]]:
    """Groups of the rows, shape (n, dim), each of length 1, by average linkage; numbers ascending, each row in one."""
    if len(rows) < 2:
        return [[place] for place in range(len(rows))]
    from sklearn.cluster import AgglomerativeClustering

    # Rounded, so that the last bits of a vector, which change with what it was embedded beside, decide nothing.
    distances = np.round(np.clip(1.0 - rows @ rows.T, 0.0, None), 5)
    np.fill_diagonal(distances, 0.0)
    clustering = AgglomerativeClustering(
        n_clusters=None, distance_threshold=apart, metric="precomputed", linkage="average"
    )
    labels = clustering.fit_predict(distances).tolist()
    groups: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        groups.setdefault(label, []).append(place)
    return sorted(groups.values())


def _usual(spoken: Counter[str]) -> str:
    """The way in which it was written most often; of equal ones the one with fewer capitals in front."""
    return min(spoken, key=lambda text: (-spoken[text], text.swapcase()))


def _nearest(middle: Vectors, index: PassageIndex) -> tuple[KnownQuestion | None, float]:
    if not index.questions:
        return None, 0.0
    cosines = np.round(index.rows.questions.cosines(middle / np.linalg.norm(middle)), 5)
    best = int(np.argmax(cosines))
    return index.questions[best], float(cosines[best])
