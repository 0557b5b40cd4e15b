"""The command line: `python -m chatbot ask "…"`, `python -m chatbot chat`."""

import argparse
import contextlib
import getpass
import io
import json
import signal
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from chatbot import evaluation
from chatbot.answers import Answer, Status
from chatbot.assistant import Assistant
from chatbot.conversation import Turn
from chatbot.errors import AskError, SettingsError
from chatbot.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    args = _arguments(arguments)
    if args.command == "widget":
        return _widget(args.service)
    try:
        if args.command == "staff":
            return _staff(args.action, args.name or "")
        if args.command == "journal":
            return _journal(args.action, args.containing)
        settings = Settings.from_environment(index=args.index, corpus=args.corpus, reader=args.reader)
        # An index given by itself may come from any folder of articles, so there is nothing to compare it with.
        assistant = Assistant.open(settings, check_corpus=args.index is None or args.corpus is not None)
        if args.command == "evaluate":
            return _evaluate(assistant, args)
        if args.command == "chat":
            return _chat(assistant)
        if args.batch is not None:
            return _batch(assistant, args.batch)
        return _ask(assistant, args.question, args.json)
    except AskError as error:
        print(f"chatbot: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"chatbot: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1


def _arguments(given: list[str] | None) -> argparse.Namespace:
    """What was typed; where that makes no command, it ends here and says why."""
    parser = argparse.ArgumentParser(prog="python -m chatbot", description="Questions answered from the articles.")
    commands = parser.add_subparsers(dest="command", required=True)
    ask = commands.add_parser("ask", help="answer one question, or a file of them")
    ask.add_argument("question", nargs="?", help="the question")
    ask.add_argument("--json", action="store_true", help="print the whole answer as JSON, with its support")
    ask.add_argument("--batch", metavar="FILE", help="JSON lines with id, question, history; - for standard input")
    chat = commands.add_parser("chat", help="a conversation in the terminal")
    evaluate = commands.add_parser("evaluate", help="measure the answers to questions with known answers")
    evaluate.add_argument("questions", nargs="+", type=Path, help="JSON lines; see chatbot/evaluation.py")
    evaluate.add_argument("--failures", action="store_true", help="list what went wrong")
    evaluate.add_argument("--save", type=Path, metavar="FILE", help="write outcomes and figures as JSON, and the curve")
    evaluate.add_argument("--compare", type=Path, metavar="OLD", help="say what changed since a run that was saved")
    widget = commands.add_parser("widget", help="print the line that puts the question box on a website")
    widget.add_argument("--service", default="https://ask.example", metavar="URL", help="address of this application")
    staff = commands.add_parser("staff", help="accounts of the console, in the file that ASK_IOP_STAFF names")
    staff.add_argument("action", choices=("add", "remove", "list"), help="add also gives another password")
    staff.add_argument("name", nargs="?", help="letters, digits, . _ -")
    journal = commands.add_parser("journal", help="what is kept in the file that ASK_IOP_JOURNAL names")
    journal.add_argument("action", choices=("export", "erase", "counts"), help="export prints JSON lines")
    journal.add_argument("--containing", metavar="WORDS", help="erase the questions and feedback with these words")
    journal.add_argument("--all", action="store_true", help="erase all, counts too")
    for command in (ask, chat, evaluate):
        command.add_argument("--index", help="folder of the index (default: index/)")
        command.add_argument("--corpus", help="folder of the articles; a changed one is reported")
        command.add_argument("--reader", help="default, none, or a cross-encoder's folder or name")
    args = parser.parse_args(given)
    if args.command == "ask" and (args.question is None) == (args.batch is None):
        ask.error("give one question, or --batch FILE")
    if args.command == "staff" and (args.name is None) != (args.action == "list"):
        staff.error("list takes no name, add and remove take one")
    if args.command == "journal" and args.all + bool(args.containing) != (args.action == "erase"):
        journal.error("erase takes either --containing WORDS or --all, export and counts neither")
    return args


def show(answer: Answer) -> str:
    """The answer as plain text: its words, then numbered sources, then whom to call and what to ask next."""
    parts = [answer.text]
    if answer.citations:
        lines = ["Sources"]
        for citation in answer.citations:
            origin = "retold from" if citation.edition == "summary" else "from"
            place = " · ".join(
                part for part in (citation.title, citation.section, citation.publisher, citation.updated) if part
            )
            lines.append(f"[{citation.number}] {origin} {place}")
            if citation.link:
                lines.append(f"    {citation.link}")
        parts.append("\n".join(lines))
    if answer.helplines:
        parts.append(
            "\n".join(f"{line.name}: {line.phone} ({line.hours}). {line.purpose}." for line in answer.helplines)
        )
    if answer.suggestions:
        parts.append("\n".join(["You could also ask", *(f"- {suggestion}" for suggestion in answer.suggestions)]))
    return "\n\n".join(parts)


def _ask(assistant: Assistant, question: str, as_json: bool) -> int:
    answer = assistant.ask(question)
    if as_json:
        print(json.dumps({**answer.public(), "support": answer.support}, ensure_ascii=False, indent=2))
    else:
        print(show(answer))
    return 0


def _widget(service: str) -> int:
    from chatbot.embed import snippet  # brings the web framework along, which no other command needs

    print("<!-- always the version that the service has -->")
    print(snippet(service))
    print("<!-- or exactly this version, by its digest; replace the line at each update -->")
    print(snippet(service, pinned=True))
    return 0


def _staff(action: str, name: str) -> int:
    from chatbot.accounts import SHORTEST_PASSWORD, Accounts

    settings = Settings.from_environment()
    if not settings.staff:
        raise SettingsError("name a file for the accounts first, in ASK_IOP_STAFF")
    accounts = Accounts(Path(settings.staff))
    if action == "list":
        print("\n".join(sorted(accounts.hashes())))
    elif action == "remove":
        if not accounts.remove(name):
            raise SettingsError(f"there is no account {name}")
        print(f"{name} is removed.")
    else:
        password = _secret(f"Password for {name}, {SHORTEST_PASSWORD} characters or more: ")
        if _secret("The same again: ") != password:
            raise SettingsError("the two passwords are not the same; nothing was changed")
        accounts.set(name, password)
        print(f"{name} can sign in at /staff.")
    return 0


def _journal(action: str, containing: str | None) -> int:
    from chatbot.journal import Journal

    settings = Settings.from_environment()
    if not settings.journal or not Path(settings.journal).exists():
        raise SettingsError("there is no journal; ASK_IOP_JOURNAL names its file")
    kept = Journal(Path(settings.journal), settings.journal_days)
    if action == "export":
        for entry in kept.export():
            print(json.dumps(entry, ensure_ascii=False))
    elif action == "counts":
        for day, statuses in kept.counts().items():
            print(day, ", ".join(f"{status} {number}" for status, number in statuses.items()))
    else:
        print(f"{kept.erase(containing)} erased.")
    return 0


def _secret(prompt: str) -> str:
    """A line that nobody sees, or a line of a file that is piped in."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")


def _chat(assistant: Assistant) -> int:
    history: list[Turn] = []
    print("Ask a question. An empty line or Ctrl-D ends the conversation.")
    while True:
        try:
            question = input("\n> ")
        except (EOFError, KeyboardInterrupt):
            print()
            return 0
        if not question.strip():
            return 0
        answer = assistant.ask(question, history)
        print("\n" + show(answer))
        history += [Turn("user", question), Turn("assistant", answer.text)]


def _batch(assistant: Assistant, file: str) -> int:
    """One JSON object in, one out, in order; a line that can't be read gives an `invalid` answer."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    seconds = []
    for stream in (sys.stdin, sys.stdout):  # half a character must not end a batch
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    source = contextlib.nullcontext(sys.stdin) if file == "-" else Path(file).open(encoding="utf-8", errors="replace")
    with source as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            began = time.perf_counter()
            print(json.dumps(_reply(assistant, line, number), ensure_ascii=False), flush=True)
            seconds.append(time.perf_counter() - began)
    if seconds:
        print(
            f"{len(seconds)} questions, median {1000 * statistics.median(seconds):.1f} ms, "
            f"slowest {1000 * max(seconds):.1f} ms",
            file=sys.stderr,
        )
    return 0


def _evaluate(assistant: Assistant, args: argparse.Namespace) -> int:
    try:
        questions = evaluation.read_questions(args.questions)
        evaluation.check_questions(questions)
    except ValueError as error:
        print(f"chatbot: {error}; the questions are one JSON object on each line", file=sys.stderr)
        return 2
    outcomes, milliseconds = evaluation.evaluate(assistant, questions)
    print(evaluation.report(outcomes, milliseconds))
    if args.failures:
        for outcome in outcomes:
            if not outcome.right:
                print(f"\n{outcome.id} {outcome.kind} {outcome.status} {outcome.support:.2f}: {outcome.question}")
                print("    " + outcome.text.replace("\n", "\n    "))
    if args.compare:
        print(evaluation.changes(outcomes, args.compare))
    if args.save:
        evaluation.save(outcomes, milliseconds, args.save)
    return 0


def _reply(assistant: Assistant, line: str, number: int) -> dict[str, Any]:
    identity: object = None
    try:
        asked = json.loads(line)
        identity = asked.get("id")
        question = asked["question"]
        history = [Turn(turn["role"], turn["content"]) for turn in asked.get("history") or ()]
        sound = isinstance(question, str) and all(
            turn.role in ("user", "assistant") and isinstance(turn.content, str) for turn in history
        )
        if not sound:
            raise TypeError("question and content are strings")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = f"Line {number} is not a question: {type(error).__name__}: {error}"
        return {"id": identity, **Answer(Status.INVALID, reason, index=assistant.index_digest).public()}
    answer = assistant.ask(question, history)
    return {"id": identity, **answer.public(), "support": answer.support}


if __name__ == "__main__":
    sys.exit(main())
