"""How fast and how large: `python -m benchmarks.speed`.

Warm, one client, one question at a time; the time of embedding the question alone is the yardstick.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from chatbot.assistant import Assistant
from chatbot.encoder import load_encoder
from chatbot.evaluation import read_questions
from chatbot.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
FIRST = """
import time; began = time.perf_counter()
from chatbot.assistant import Assistant
from chatbot.settings import Settings
assistant = Assistant.open(Settings.from_environment())
loaded = time.perf_counter()
assistant.ask("does IOP include detox?")
import resource
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{loaded - began:.2f} {time.perf_counter() - began:.2f} {peak:.0f}")
"""


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def show(name: str, milliseconds: list[float]) -> None:
    print(
        f"{name:<34} median {statistics.median(milliseconds):6.1f} ms   95th percentile {percentile(milliseconds, 0.95):6.1f} ms"
        f"   99th {percentile(milliseconds, 0.99):6.1f} ms   ({len(milliseconds)} questions)"
    )


def timed(function, questions: list[str]) -> list[float]:
    taken = []
    for question in questions:
        began = time.perf_counter()
        function(question)
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def main() -> None:
    paths = [ROOT / "tests" / "questions" / name for name in ("fifty.jsonl", "tune.jsonl")]
    questions = [question["question"] for question in read_questions(paths)]
    settings = Settings.from_environment()
    assistant = Assistant.open(settings)
    encoder = load_encoder(settings.model)
    for question in questions[:20]:
        assistant.ask(question)
    show("ask", timed(assistant.ask, questions))
    show("yardstick: embed the question", timed(lambda question: encoder.encode([question]), questions))
    runs = [
        subprocess.run(
            [sys.executable, "-c", FIRST], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(3)
    ]
    loaded, first, peak = (statistics.median(float(run[column]) for run in runs) for column in range(3))
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch, sentence_transformers"], check=True)
    print(f"from process start: ready {loaded:.2f} s, first answer {first:.2f} s, peak memory {peak:.0f} MB")
    print(f"yardstick: importing torch and sentence-transformers {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
