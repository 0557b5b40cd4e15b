"""Measuring answers against questions whose right answers are known.

A question is a JSON object on a line of its own: `id`, `kind` (answerable, sources_differ, multi_part,
unanswerable, off_topic), `question`, `sections` (article and heading, any of which may be cited) and `facts`
(each a list of regular expressions that must all match within one quote). `multi_part` has `parts` instead.
"""

import json
import random
import re
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import ndiff
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from rapidfuzz import fuzz

from chatbot.answers import Answer, Citation, Status
from chatbot.articles import Article
from chatbot.assistant import Assistant
from chatbot.lexical import words

ANSWERING = {Status.ANSWERED, Status.SOURCES_DIFFER, Status.PARTLY_ANSWERED}
SAME_HEADING = 75.0
"""Headings this alike (of 100) are the same heading: a retelling may shorten a long one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question."""

    id: str
    kind: str
    topic: str
    question: str
    status: str
    answered: bool
    cited: bool
    """A citation stands in a section that answers; for several parts, one for each part."""
    complete: bool
    """Every fact is in the quotes; for several parts, of every part, and what isn't covered is named."""
    support: float
    text: str
    absent: int = 0
    """Facts of the key that stand in no section of the articles, and were not asked of the answer."""

    @property
    def right(self) -> bool:
        """Complete and rightly cited, or refused where nothing answers."""
        return not self.answered if self.kind in ("unanswerable", "off_topic") else self.cited and self.complete


def read_questions(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """The questions of the files, in order. Raises OSError, or ValueError for a line that is not JSON."""
    return [json.loads(line) for path in paths for line in path.read_text("utf-8").split("\n") if line.strip()]


def check_questions(questions: Sequence[Any]) -> None:
    """Raises ValueError where there is none, or one lacks what it is to be judged by."""
    if not questions:
        raise ValueError("no question")
    for number, question in enumerate(questions, 1):
        keys = {"id", "kind", "question"} | (
            {"parts"} if isinstance(question, dict) and "parts" in question else {"sections", "facts"}
        )
        if not isinstance(question, dict) or keys - set(question):
            raise ValueError(f"question {number} lacks one of {', '.join(sorted(keys))}")


def judge(question: dict[str, Any], answer: Answer) -> Outcome:
    """Hold one answer against its key."""
    answered = answer.status in ANSWERING
    parts = question.get("parts") or [question]
    wanted = [part for part in parts if part.get("answerable", True)]
    cited = all(any(_stands_in(citation, part["sections"]) for citation in answer.citations) for part in wanted)
    said = [citation for citation in answer.citations if citation.same_as is None]
    complete = all(_holds(fact, said) for part in wanted for fact in part["facts"])
    if len(wanted) < len(parts):
        complete = complete and answer.status is Status.PARTLY_ANSWERED
    return Outcome(
        id=question["id"],
        kind=question["kind"],
        topic=question.get("topic", ""),
        question=question["question"],
        status=str(answer.status),
        answered=answered,
        cited=answered and cited,
        complete=answered and complete,
        support=answer.support if answer.support is not None else 0.0,
        text=answer.text,
    )


def _stands_in(citation: Citation, sections: Sequence[Sequence[str]]) -> bool:
    return any(article == citation.article and _same(heading, citation.section) for article, heading in sections)


def _same(heading: str, other: str) -> bool:
    one, two = (" ".join(words(re.sub(r"^\d+[.)]\s*", "", text))) for text in (heading, other))
    return one == two or bool(one and two and fuzz.token_set_ratio(one, two) >= SAME_HEADING)


def _holds(fact: Sequence[str], citations: Sequence[Citation]) -> bool:
    return any(_in_text(fact, citation.quote) for citation in citations)


def _in_text(fact: Sequence[str], text: str) -> bool:
    return all(re.search(part, text, re.IGNORECASE) for part in fact)


def fair(question: dict[str, Any], articles: Iterable[Article]) -> tuple[dict[str, Any], int]:
    """The question without the facts that no section of the articles holds, in whatever words, and how many these are:
    a key is written over one edition, and others leave things out or word them otherwise."""
    texts = [section.text for article in articles for section in article.sections]
    absent = 0
    parts = []
    for part in question.get("parts") or [question]:
        facts = [fact for fact in part.get("facts", ()) if any(_in_text(fact, text) for text in texts)]
        absent += len(part.get("facts", ())) - len(facts)
        parts.append({**part, "facts": facts})
    return ({**question, "parts": parts} if question.get("parts") else parts[0]), absent


def evaluate(assistant: Assistant, questions: Sequence[dict[str, Any]]) -> tuple[list[Outcome], list[float]]:
    """The outcome of each question, and the milliseconds that each took."""
    outcomes, milliseconds = [], []
    for question in questions:
        began = time.perf_counter()
        answer = assistant.ask(question["question"])
        milliseconds.append(1000 * (time.perf_counter() - began))
        key, absent = fair(question, assistant.articles)
        outcomes.append(replace(judge(key, answer), absent=absent))
    return outcomes, milliseconds


def interval(values: Sequence[bool], draws: int = 2000, seed: int = 7) -> tuple[float, float]:
    """95% bootstrap interval of a share."""
    chance = random.Random(seed)
    shares = sorted(fmean(chance.choices(values, k=len(values))) for _ in range(draws))
    return shares[int(0.025 * draws)], shares[int(0.975 * draws) - 1]


def table(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """For each kind: number, shares answered, rightly cited, complete, refused and right, with an interval."""
    found = {}
    for kind in sorted({outcome.kind for outcome in outcomes}):
        own = [outcome for outcome in outcomes if outcome.kind == kind]
        low, high = interval([outcome.right for outcome in own])
        found[kind] = {
            "questions": len(own),
            "answered": fmean(outcome.answered for outcome in own),
            "cited": fmean(outcome.cited for outcome in own),
            "complete": fmean(outcome.complete for outcome in own),
            "refused": fmean(not outcome.answered for outcome in own),
            "side_by_side": fmean(outcome.status == Status.SOURCES_DIFFER for outcome in own),
            "right": fmean(outcome.right for outcome in own),
            "right_low": low,
            "right_high": high,
        }
    return found


def risk_coverage(outcomes: Sequence[Outcome]) -> list[tuple[float, float]]:
    """(coverage, risk) as the threshold falls over the answers given: the share of all questions answered,
    and the share of those answers that are wrong (El-Yaniv and Wiener 2010)."""
    given = sorted((o for o in outcomes if o.answered), key=lambda o: (-o.support, o.id))
    points, wrong = [], 0
    for number, outcome in enumerate(given, 1):
        wrong += not outcome.right
        points.append((number / len(outcomes), wrong / number))
    return points


def area(points: Sequence[tuple[float, float]]) -> float:
    """Mean risk over the coverages reached; lower is better."""
    return fmean(risk for _, risk in points) if points else 0.0


def reliability(outcomes: Sequence[Outcome], bins: int = 5) -> list[tuple[float, float, int]]:
    """(mean support, share right, number) of the answers given, in bins of equal number by support."""
    given = sorted((outcome for outcome in outcomes if outcome.answered), key=lambda outcome: outcome.support)
    ends = [len(given) * number // bins for number in range(bins + 1)]
    groups = [given[start:end] for start, end in pairwise(ends) if start < end]
    return [(fmean(o.support for o in own), fmean(o.right for o in own), len(own)) for own in groups]


def report(outcomes: Sequence[Outcome], milliseconds: Sequence[float]) -> str:
    """The figures as text."""
    if not outcomes:
        return "no questions"
    lines = [
        f"{'kind':<16}{'n':>5}{'answered':>10}{'cited':>8}{'complete':>10}{'differ':>8}{'right':>8}   95% interval"
    ]
    for kind, row in table(outcomes).items():
        lines.append(
            f"{kind:<16}{row['questions']:>5.0f}{row['answered']:>10.1%}{row['cited']:>8.1%}{row['complete']:>10.1%}"
            f"{row['side_by_side']:>8.1%}{row['right']:>8.1%}   {row['right_low']:.1%} to {row['right_high']:.1%}"
        )
    points = risk_coverage(outcomes)
    lines.append(
        f"risk-coverage area {area(points):.3f}; risk {points[-1][1] if points else 0:.1%} of the answers given"
    )
    lines.append("support  right  answers")
    lines += [f"{support:>7.2f}{right:>7.0%}{number:>9}" for support, right, number in reliability(outcomes)]
    if short := sum(outcome.absent > 0 for outcome in outcomes):
        lines.append(
            f"{short} questions have facts that stand in no section of these articles; they were not asked for"
        )
    ranked = sorted(milliseconds)
    lines.append(
        f"median {statistics.median(ranked):.1f} ms, 99th percentile {ranked[int(0.99 * (len(ranked) - 1))]:.1f} ms"
    )
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Changed:
    """A question whose answer reads differently than before."""

    id: str
    question: str
    turn: str
    """now right, now wrong or reads differently"""
    before: str
    after: str


def compared(outcomes: Sequence[Outcome], before: Mapping[str, tuple[bool, str]]) -> list[Changed]:
    """The answers that are not what they were: `before` has for a question's id whether it was right, and the text."""
    found = []
    for outcome in outcomes:
        right, text = before.get(outcome.id, (outcome.right, outcome.text))
        if text != outcome.text:
            turns = {(False, True): "now right", (True, False): "now wrong"}
            turn = turns.get((right, outcome.right), "reads differently")
            found.append(Changed(outcome.id, outcome.question, turn, text, outcome.text))
    return found


def changes(outcomes: Sequence[Outcome], old: Path) -> str:
    """Which questions turned right or wrong since the run saved in `old`, whose facts have left the articles, and which
    answers read differently; below each the lines that went (-) and came (+)."""
    entries = json.loads(old.read_text("utf-8"))["outcomes"]
    found = compared(outcomes, {entry["id"]: (entry["right"], entry["text"]) for entry in entries})
    absent = {entry["id"]: entry.get("absent", 0) for entry in entries}
    lost = {outcome.id for outcome in outcomes if outcome.absent > absent.get(outcome.id, outcome.absent)}
    lines = []
    for one in found:
        turn = "has lost facts, they stand in no section any more" if one.id in lost else one.turn
        lines.append(f"{one.id} {turn}: {one.question}")
        compared_lines = ndiff(one.before.splitlines(), one.after.splitlines())
        lines += [f"  {line}" for line in compared_lines if line[0] in "-+" and line[2:].strip()]
    return "\n".join(lines) or "no answer changed"


def save(outcomes: Sequence[Outcome], milliseconds: Sequence[float], path: Path) -> None:
    """All outcomes and figures as JSON, and the risk-coverage curve as a picture beside it."""
    content = {
        "table": table(outcomes),
        "risk_coverage_area": area(risk_coverage(outcomes)),
        "reliability": reliability(outcomes),
        "median_ms": statistics.median(milliseconds),
        "outcomes": [{**asdict(outcome), "right": outcome.right} for outcome in outcomes],
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
    draw(risk_coverage(outcomes), path.with_suffix(".png"))


def draw(points: Sequence[tuple[float, float]], path: Path) -> None:
    """The risk-coverage curve as a PNG; does nothing where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    figure = Figure(figsize=(6, 4), dpi=120)
    axes = figure.add_subplot()
    axes.plot([coverage for coverage, _ in points], [risk for _, risk in points])
    axes.set(xlabel="questions answered", ylabel="answers that are wrong", xlim=(0, 1), ylim=(0, 1))
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)
