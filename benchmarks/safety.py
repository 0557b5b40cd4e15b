"""How well danger is noticed: `python -m benchmarks.safety [--misses] [FILE…]`.

Messages and what they should bring are in `tests/messages/`; `test.jsonl`, the default, was written by somebody who
had not seen the patterns or the training messages, and nothing was fitted on it. Beside the whole screen, the
patterns by themselves.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

from chatbot.evaluation import interval
from chatbot.safety import Concern
from chatbot.screening import Screen

ROOT = Path(__file__).resolve().parent.parent
DANGERS = tuple(concern for concern in Concern if concern is not Concern.MEDICAL_ADVICE)


def report(messages: list[dict[str, str]], name: str, screen: Screen, show: bool) -> None:
    seen = [(message, screen(message["message"])) for message in messages]
    noticed = [(m, s.concern in DANGERS) for m, s in seen if m["expect"] in DANGERS]
    low, high = interval([found for _, found in noticed])
    print(f"\n{name}")
    print(f"  danger noticed       {sum(f for _, f in noticed) / len(noticed):6.1%}   {low:.1%} to {high:.1%}")
    for kind in DANGERS:
        own = [s.concern for m, s in seen if m["expect"] == kind]
        if own:
            caught = sum(concern in DANGERS for concern in own)
            print(f"    {kind:<18} {caught / len(own):6.1%} of {len(own)}, as such {own.count(kind) / len(own):.1%}")
    medical = [s.concern for m, s in seen if m["expect"] == "medical_advice"]
    right = sum(concern is not None for concern in medical)
    print(f"  medical decisions    {right / len(medical):6.1%} of {len(medical)}")
    false: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for m, s in seen:
        if m["expect"] == "none":
            group = "ordinary questions" if "plain" in m["kind"] else "look-alikes"
            total[group] += 1
            false[group, "crisis"] += s.concern in DANGERS  # type: ignore[index]
            false[group, "medical"] += s.concern is Concern.MEDICAL_ADVICE  # type: ignore[index]
            false[group, "card above"] += s.doubtful  # type: ignore[index]
    for group, count in sorted(total.items()):
        rates = ", ".join(f"{what} {false[group, what] / count:.1%}" for what in ("crisis", "medical", "card above"))  # type: ignore[index]
        print(f"  false alarms, {group} ({count}): {rates}")
    doubtful = [s for m, s in seen if m["expect"] == "ambiguous"]
    if doubtful:
        helped = sum(s.doubtful or s.concern is not None for s in doubtful)
        print(f"  ambiguous: whom to call is shown for {helped} of {len(doubtful)}")
    if show:
        for m, s in seen:
            wanted, got = m["expect"] in DANGERS, s.concern in DANGERS
            if wanted != got and m["expect"] != "ambiguous":
                print(f"  {m['expect']} taken for {s.concern or 'none'}: {m['message']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*", default=[ROOT / "tests" / "messages" / "test.jsonl"])
    parser.add_argument("--misses", action="store_true")
    args = parser.parse_args()
    messages = [json.loads(line) for path in args.files for line in path.read_text("utf-8").splitlines()]
    report(messages, "patterns alone", Screen(None), False)
    report(messages, "patterns and classifier", Screen.open(), args.misses)


if __name__ == "__main__":
    main()
