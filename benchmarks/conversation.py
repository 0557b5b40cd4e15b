"""How well follow-ups and small talk are understood: `python -m benchmarks.conversation [--misses] [FILE…]`.

Each question of a conversation is asked in its place, after what was really answered before, and again in its
stand-alone form without history. Right: a citation that the key names, or a refusal where the articles don't
answer. Conversations are in `tests/conversations/`, parted by topic; `test.jsonl`, the default, is only reported. Small
talk, and what only looks like it, is in `tests/talk/`; its test half is only reported, too.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from chatbot.answers import SMALL_TALK, Answer, Status
from chatbot.assistant import Assistant
from chatbot.conversation import Turn
from chatbot.evaluation import ANSWERING
from chatbot.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


def right(turn: dict[str, Any], answer: Answer) -> bool:
    """Whether the answer is one that the key allows."""
    if turn.get("expect"):
        wanted = {"crisis": Status.CRISIS, "medical_advice": Status.MEDICAL_ADVICE}.get(
            turn["expect"], Status.SMALL_TALK
        )
        return answer.status is wanted
    if not turn["answerable"]:
        return answer.status not in ANSWERING
    places = [*turn["quotes"], *turn.get("also_right", ())]
    return answer.status in ANSWERING and any(
        citation.article == place["article"]
        and citation.section == place["heading"]
        and place["sentence"] in citation.quote
        for citation in answer.citations
        for place in places
    )


def small_talk(assistant: Assistant, path: Path, misses: bool) -> list[str]:
    """A table: of each kind how many, the share taken for small talk, and for small talk of this kind."""
    found: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    lines = []
    for line in map(json.loads, path.read_text("utf-8").splitlines()):
        answer = assistant.ask(line["message"])
        said = answer.status is Status.SMALL_TALK
        found[line["kind"]].append((said, answer.text == SMALL_TALK.get(line["kind"])))
        if misses and said == (line["kind"] == "none"):
            lines.append(f"{line['kind']} {answer.status}: {line['message']}")
    total = [outcome for kind, outcomes in found.items() if kind != "none" for outcome in outcomes]
    lines.append(f"{path.stem:<28}{'n':>5}{'small talk':>12}{'of this kind':>14}")
    for kind, outcomes in [*sorted(found.items()), ("all small talk", total)]:
        said, rightly = (sum(column) / len(outcomes) for column in zip(*outcomes, strict=True))
        lines.append(f"{kind:<28}{len(outcomes):>5}{said:>12.1%}{rightly:>14.1%}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*", default=[ROOT / "tests" / "conversations" / "test.jsonl"])
    parser.add_argument("--misses", action="store_true")
    args = parser.parse_args()
    assistant = Assistant.open(Settings.from_environment())
    within: dict[str, list[bool]] = defaultdict(list)
    alone: dict[str, list[bool]] = defaultdict(list)
    for path in args.files:
        for conversation in map(json.loads, path.read_text("utf-8").splitlines()):
            history: list[Turn] = []
            for place, turn in enumerate(conversation["turns"]):
                answer = assistant.ask(turn["text"], history)
                good = right(turn, answer)
                kind = turn["kind"] if place else "first"
                if turn.get("expect"):
                    within[
                        f"expected: {turn['expect'] if turn['expect'] in ('crisis', 'medical_advice') else 'small talk'}"
                    ].append(good)
                else:
                    within[kind].append(good)
                    alone[kind].append(right(turn, assistant.ask(turn["alone"])))
                    if place:
                        within["all follow-ups"].append(good)
                        alone["all follow-ups"].append(alone[kind][-1])
                if args.misses and not good:
                    print(
                        f"{conversation['id']} {kind} {answer.status}: {turn['text']}  [{turn.get('alone') or turn.get('expect')}]"
                    )
                history += [Turn("user", turn["text"]), Turn("assistant", answer.text)]
    print(f"{'kind':<28}{'n':>5}{'in place':>10}{'alone':>8}")
    for kind in sorted(within):
        single = f"{sum(alone[kind]) / len(alone[kind]):>8.1%}" if alone.get(kind) else ""
        print(f"{kind:<28}{len(within[kind]):>5}{sum(within[kind]) / len(within[kind]):>10.1%}{single}")
    for path in (ROOT / "tests" / "talk" / f"{name}.jsonl" for name in ("tune", "test")):
        print("", *small_talk(assistant, path, args.misses and path.stem != "test"), sep="\n")


if __name__ == "__main__":
    main()
