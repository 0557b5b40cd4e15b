"""How far two people agree on which sentences answer: `python training/agreement.py`.

`relabelled.jsonl` holds a second labelling of a sample of `pairs/*.jsonl`, made by reading the articles and the questions
without the first. Prints the share of questions on which both say the same of whether the article answers, Cohen's
(1960) kappa of that, the share with the very same sentences, and the mean overlap (Jaccard) of the sentences where both
name some.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.metrics import cohen_kappa_score

HERE = Path(__file__).resolve().parent


def main() -> None:
    first: dict[str, set[tuple[int, int]]] = {}
    for path in sorted((HERE / "pairs").glob("*.jsonl")):
        for article in map(json.loads, path.read_text("utf-8").splitlines()):
            for number, question in enumerate(article["questions"]):
                first[f"{article['id']}#{number}"] = {(one, two) for one, two in question["answers"]}
    entries = [json.loads(line) for line in (HERE / "relabelled.jsonl").read_text("utf-8").splitlines()]
    pairs = [(first[entry["id"]], {(one, two) for one, two in entry["answers"]}) for entry in entries]
    answered = np.array([[bool(one), bool(other)] for one, other in pairs])
    overlaps = [len(one & other) / len(one | other) for one, other in pairs if one and other]
    print(f"{len(pairs)} questions of {len({entry['id'].split('#')[0] for entry in entries})} articles")
    print(f"whether the article answers: {np.mean(answered[:, 0] == answered[:, 1]):.1%} the same,", end=" ")
    print(f"kappa {cohen_kappa_score(answered[:, 0], answered[:, 1]):.2f}")
    print(f"the very same sentences: {np.mean([one == other for one, other in pairs]):.1%}")
    print(f"overlap where both name some: {np.mean(overlaps):.2f}")


if __name__ == "__main__":
    main()
