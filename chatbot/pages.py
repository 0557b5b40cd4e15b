"""The visitor's page: a conversation made with Gradio, in the HTML page of frame.py."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount

from chatbot.answers import Status
from chatbot.assistant import Assistant
from chatbot.cards import answer_card, failure_card, inline, question_card
from chatbot.conversation import Turn
from chatbot.frame import TITLE, OpenMount, Page, in_sight
from chatbot.journal import Journal
from chatbot.settings import Settings
from chatbot.watch import answered

logger = logging.getLogger(__name__)

GREETING = "Ask in your own words, or start with one of these:"

STATIC = Path(__file__).parent / "static"
EXCHANGES = 20
"""Questions and answers that the page keeps: it sends them all along with the next question."""


Messages = list[dict[str, Any]]


def create_page(current: Callable[[], Assistant], journal: Journal) -> gr.Blocks:
    """The conversation. The server keeps nothing of it: the browser sends it along with each question. `current` gives
    the assistant of the moment: another index may be put in while the page is open."""
    greeting = _greeting(current().examples)

    def answer(question: str, shown: Messages, turns: Any) -> tuple[Messages, Any, str]:
        exchange, spoken = _exchange(current(), journal, question, turns)
        return (shown + exchange)[-2 * EXCHANGES :], spoken, ""

    def answer_suggestion(shown: Messages, turns: Any, pressed: gr.SelectData) -> tuple[Messages, Any, str]:
        return answer(str(pressed.value), shown, turns)

    page = gr.Blocks(title=TITLE, analytics_enabled=False)
    with page:
        transcript = _transcript(greeting)
        turns = gr.JSON([], visible=False)
        with gr.Row(elem_id="composer"):
            question = _question_box()
            send = gr.Button("Ask", variant="primary", scale=0, min_width=88, elem_id="send")
            clear = gr.Button("Clear", variant="secondary", scale=0, min_width=60, elem_id="clear")
        given, changed = [question, transcript, turns], [transcript, turns, question]
        # Without Gradio's queue a question is one POST, and nothing of it waits on the server.
        options: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        gr.on([question.submit, send.click], answer, given, changed, **options)
        transcript.option_select(answer_suggestion, [transcript, turns], changed, **options)
        clear.click(lambda: (greeting, [], ""), None, changed, **options)
    return page


def _transcript(greeting: Messages) -> gr.Chatbot:
    return gr.Chatbot(
        greeting,  # type: ignore[arg-type]  # plain dicts are what it documents
        label="Conversation",
        show_label=False,
        container=False,
        height=None,
        layout="panel",
        buttons=[],
        autoscroll=False,
        latex_delimiters=[],
        allow_tags=False,
        group_consecutive_messages=False,
        elem_id="transcript",
    )


def _question_box() -> gr.Textbox:
    return gr.Textbox(
        label="Your question",
        lines=1,
        max_lines=4,
        scale=1,
        # A browser's spelling service and its form memory would pass the question on or keep it.
        html_attributes=gr.InputHTMLAttributes(
            autocomplete="off", autocorrect="off", spellcheck=False, enterkeyhint="send"
        ),
    )


def _greeting(examples: Sequence[str]) -> Messages:
    text = f'<div class="answer greeting"><p>{inline(GREETING)}</p></div>'
    return [{"role": "assistant", "content": text, "options": [{"value": example} for example in examples]}]


def _exchange(
    assistant: Assistant, journal: Journal, question: str, turns: Any
) -> tuple[Messages, list[dict[str, str]]]:
    """One question and its answer as messages of the transcript, and the turns with both."""
    spoken = _turns(turns)
    suggestions: Sequence[str] = ()
    try:
        answer = assistant.ask(question, spoken)
        if answered(answer):
            journal.note_answer(question, answer, "page")
        card, suggestions = answer_card(answer), answer.suggestions
        if answer.status is not Status.INVALID:
            spoken += [Turn("user", question), Turn("assistant", answer.text)]
    except Exception as error:  # the visitor still needs to see whom to call
        logger.error("no answer: %s", type(error).__name__)
        card = failure_card(in_sight(assistant.helplines))
    asked = {"role": "user", "content": question_card(question)}
    told = {"role": "assistant", "content": card, "options": [{"value": one} for one in suggestions]}
    kept = [{"role": turn.role, "content": turn.content} for turn in spoken[-2 * EXCHANGES :]]
    return [asked, told], kept


def _turns(sent: Any) -> list[Turn]:
    """The turns that the browser sent back. What does not have their shape is left out."""
    turns = []
    for turn in sent if isinstance(sent, list) else []:
        if isinstance(turn, dict) and turn.get("role") in ("user", "assistant"):
            turns.append(Turn(turn["role"], str(turn.get("content", ""))))
    return turns


def mount_page(api: FastAPI, settings: Settings) -> None:
    """Serve the page at / of the service, which has its assistant."""

    def current() -> Assistant:
        assistant: Assistant = api.state.assistant
        return assistant

    @api.get("/page.css", include_in_schema=False)
    def stylesheet() -> FileResponse:
        return FileResponse(STATIC / "page.css", headers={"Cache-Control": "no-cache"})

    @api.get("/page.js", include_in_schema=False)
    def script() -> FileResponse:
        return FileResponse(STATIC / "page.js", headers={"Cache-Control": "no-cache"})

    gr.mount_gradio_app(
        api,
        create_page(current, api.state.journal),
        path="/",
        theme=_theme(),
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
    )
    mount = api.router.routes.pop()
    assert isinstance(mount, Mount)
    api.router.routes.append(OpenMount("/", GZipMiddleware(Page(mount.app, current, settings))))


def _theme() -> gr.themes.Base:
    """Gradio's variables as those of page.css, which follows the system between light and dark, and the
    system's own fonts."""
    fonts = ("system-ui", "-apple-system", "Segoe UI", "sans-serif")
    ours = {
        "body_background_fill": "paper",
        "body_text_color": "ink",
        "body_text_color_subdued": "muted",
        "background_fill_primary": "card",
        "background_fill_secondary": "paper",
        "border_color_primary": "line",
        "block_background_fill": "paper",
        "block_label_text_color": "ink",
        "block_title_text_color": "ink",
        "link_text_color": "accent",
        "link_text_color_hover": "accent",
        "link_text_color_visited": "accent",
        "link_text_color_active": "accent",
        "input_background_fill": "card",
        "input_background_fill_focus": "card",
        "input_border_color": "edge",
        "input_border_color_focus": "accent",
        "button_primary_background_fill": "accent",
        "button_primary_background_fill_hover": "accent",
        "button_primary_text_color": "on-accent",
        "button_primary_text_color_hover": "on-accent",
        "button_secondary_background_fill": "card",
        "button_secondary_background_fill_hover": "accent-soft",
        "button_secondary_border_color": "edge",
        "button_secondary_text_color": "ink",
        "button_secondary_text_color_hover": "ink",
    }
    values = {name: f"var(--{token})" for name, token in ours.items()}
    signature = gr.themes.Base.set.__annotations__ | dict.fromkeys(gr.themes.Base.set.__code__.co_varnames)
    dark = {f"{name}_dark": value for name, value in values.items() if f"{name}_dark" in signature}
    return gr.themes.Base(font=fonts, font_mono=("ui-monospace", "monospace")).set(**values, **dark)
