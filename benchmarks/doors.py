"""How fast the doors are, as their users meet them: `python -m benchmarks.doors`.

Starts `app.py` with an account of the console and measures over HTTP: a look-up after each word that a helpline worker
types, a question of the widget, and, as the yardstick, a request that looks nothing up. Then the widget's size.
"""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.speed import ROOT, show, timed
from chatbot.accounts import Accounts
from chatbot.embed import widget
from chatbot.evaluation import read_questions

TYPED = 40
"""Questions that are typed, word by word."""
READY_SECONDS = 120


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def wait_until_ready(client: httpx.Client, process: "subprocess.Popen[bytes]") -> float:
    """Seconds until the service can answer. Raises `SystemExit` if it never can."""
    began = time.perf_counter()
    while time.perf_counter() - began < READY_SECONDS and process.poll() is None:
        try:
            if client.get("/readyz").status_code == 200:
                return time.perf_counter() - began
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the service did not get ready")


def measure(client: httpx.Client, questions: list[str], password: str) -> None:
    """Print the times of look-ups and answers."""
    if client.post("/staff/sign-in", data={"name": "bench", "password": password}).status_code != 303:
        raise SystemExit("the console let nobody in")
    typed = [" ".join(words[:end]) for words in map(str.split, questions[:TYPED]) for end in range(1, len(words) + 1)]

    def look_up(text: str) -> None:
        client.post("/staff/api/look-up", json={"question": text}).raise_for_status()

    def ask(text: str) -> None:
        client.post("/api/ask", json={"question": text}).raise_for_status()

    for question in questions[:20]:
        look_up(question)
    show("console: look up after each word", timed(look_up, typed))
    show("widget: ask", timed(ask, questions))
    show("yardstick: a request, no look-up", timed(lambda _: client.get("/healthz").raise_for_status(), questions))


def main() -> None:
    paths = [ROOT / "tests" / "questions" / name for name in ("fifty.jsonl", "tune.jsonl")]
    questions = [question["question"] for question in read_questions(paths)]
    port, password = free_port(), secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory() as folder:
        Accounts(Path(folder) / "staff").set("bench", password)
        environment = {
            **os.environ,
            "ASK_IOP_STAFF": str(Path(folder) / "staff"),
            "ASK_IOP_QUESTIONS_PER_MINUTE": "0",
            "ASK_IOP_QUESTIONS_PER_MINUTE_IN_TOTAL": "0",
        }
        process = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                print(f"ready after {wait_until_ready(client, process):.1f} s")
                measure(client, questions, password)
        finally:
            process.terminate()
            process.wait(timeout=30)
    print(f"widget.js: {len(widget().packed)} bytes gzipped, {len(widget().script)} bytes as it is")


if __name__ == "__main__":
    main()
