"""The visitor's page: a Gradio conversation in a plain HTML page that shows whom to call whatever else fails."""

import base64
import hashlib
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbot.answers import Helpline
from chatbot.assistant import Assistant
from chatbot.cards import answer_card, call_link, failure_card, helpline_list, inline, outward, question_card
from chatbot.conversation import Turn
from chatbot.settings import Settings

logger = logging.getLogger(__name__)

TITLE = "Ask IOP"
TAGLINE = "Answers in the words of published articles, each with its source."
NOTICE = (
    "Every answer is made of sentences quoted from the articles below. This is a program, not a person. It gives no "
    "medical advice, and where the articles have no answer it says so. Your questions are not stored."
)
GREETING = "Ask in your own words, or start with one of these:"
CALLS = {"emergency": "Emergency", "crisis": "Crisis line", "referral": "Find treatment"}
"""The helplines, by id, that stay in sight, and what each is called there."""

STATIC = Path(__file__).parent / "static"
EXCHANGES = 20
"""Questions and answers that the page keeps: it sends them all along with the next question."""

OPEN_PATHS = re.compile(
    r"GET /(assets/.+|static/js/iframeResizer\.contentWindow\.min\.js|theme\.css|favicon\.ico|manifest\.json)?"
    r"|HEAD /|POST /gradio_api/run/predict"
)
"""What the page needs of Gradio. Everything else that it serves (uploads, files, proxy, queue, its own API) is
closed."""


def create_page(assistant: Assistant, settings: Settings) -> gr.Blocks:
    """The conversation. The server keeps nothing of it: the browser sends it along with each question."""
    greeting = _greeting(assistant.examples())

    def answer(question: str, shown: list[dict[str, Any]], turns: Any) -> tuple[list[dict[str, Any]], Any, str]:
        exchange, spoken = _exchange(assistant, question, turns)
        return (shown + exchange)[-2 * EXCHANGES :], spoken, ""

    def answer_suggestion(
        shown: list[dict[str, Any]], turns: Any, pressed: gr.SelectData
    ) -> tuple[list[dict[str, Any]], Any, str]:
        return answer(str(pressed.value), shown, turns)

    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        transcript = gr.Chatbot(
            greeting,
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
        turns = gr.JSON([], visible=False)
        with gr.Row(elem_id="composer"):
            question = gr.Textbox(
                label="Your question",
                lines=1,
                max_lines=4,
                scale=1,
                # A browser's spelling service and its form memory would pass the question on or keep it.
                html_attributes=gr.InputHTMLAttributes(
                    autocomplete="off", autocorrect="off", spellcheck=False, enterkeyhint="send"
                ),
            )
            send = gr.Button("Ask", variant="primary", scale=0, min_width=88, elem_id="send")
            clear = gr.Button("Clear", variant="secondary", scale=0, min_width=72, elem_id="clear")
        given, changed = [question, transcript, turns], [transcript, turns, question]
        # Without Gradio's queue a question is one POST, and nothing of it waits on the server.
        options: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        gr.on([question.submit, send.click], answer, given, changed, **options)
        transcript.option_select(answer_suggestion, [transcript, turns], changed, **options)
        clear.click(lambda: (greeting, [], ""), None, changed, **options)
    return page


def _greeting(examples: Sequence[str]) -> list[dict[str, Any]]:
    text = f'<div class="answer greeting"><p>{inline(GREETING)}</p></div>'
    return [{"role": "assistant", "content": text, "options": [{"value": example} for example in examples]}]


def _exchange(assistant: Assistant, question: str, turns: Any) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """One question and its answer as messages of the transcript, and the turns with both."""
    before = _turns(turns)
    suggestions: Sequence[str] = ()
    try:
        answer = assistant.ask(question, before)
        card, said, suggestions = answer_card(answer), answer.text, answer.suggestions
    except Exception as error:  # the visitor still needs to see whom to call
        logger.error("no answer: %s", type(error).__name__)
        card, said = failure_card(assistant.helplines), ""
    asked = {"role": "user", "content": question_card(question)}
    told = {"role": "assistant", "content": card, "options": [{"value": one} for one in suggestions]}
    after = [*before, Turn("user", question), Turn("assistant", said)][-2 * EXCHANGES :]
    return [asked, told], [{"role": turn.role, "content": turn.content} for turn in after]


def _turns(sent: Any) -> list[Turn]:
    """The turns that the browser sent back. What does not have their shape is left out."""
    turns = []
    for turn in sent if isinstance(sent, list) else []:
        if isinstance(turn, dict) and turn.get("role") in ("user", "assistant"):
            turns.append(Turn(turn["role"], str(turn.get("content", ""))))
    return turns


# --- the page around the conversation ------------------------------------------------------------------------


def calls_in_sight(helplines: Sequence[Helpline]) -> str:
    """The line with whom to call that never leaves the screen."""
    lines = [line for line in helplines if line.id in CALLS] or list(helplines[:3])
    links = "".join(
        f"<li>{call_link(line, f'{CALLS.get(line.id, inline(line.name))} <b>{inline(line.phone)}</b>')}</li>"
        for line in lines
    )
    return f'<nav id="calls" aria-label="Whom to call"><ul>{links}</ul></nav>'


def page_frame(assistant: Assistant) -> tuple[str, str, str]:
    """HTML for the head, before and after the conversation. It needs no script."""
    calls = calls_in_sight(assistant.helplines)
    head = (
        f'<title>{TITLE}</title><meta name="description" content="{TAGLINE}">'
        '<meta name="color-scheme" content="light dark"><link rel="stylesheet" href="page.css">'
        '<script src="page.js" defer></script>'
    )
    before = (
        f'<header><h1>{TITLE}</h1><p class="tagline">{TAGLINE}</p><p class="notice">{NOTICE}</p></header>{calls}'
        "<noscript><p>To ask a question here, please switch on JavaScript. You can call without it.</p></noscript>"
    )
    articles = "".join(
        f"<li>{outward(article.url, inline(article.title)) if article.url else inline(article.title)}"
        f'<span class="details">{inline(article.publisher or "")}</span></li>'
        for article in assistant.articles
    )
    after = (
        f'<footer><section><h2>The articles</h2><ul class="library">{articles}</ul></section>'
        f"<section><h2>Whom to call</h2>{helpline_list(assistant.helplines)}</section></footer>"
    )
    return head, before, after


class Page:
    """ASGI application: Gradio's page in our frame, with a policy that lets only its own scripts run, and
    Gradio's errors in the application's shape."""

    def __init__(self, gradio: ASGIApp, assistant: Assistant, settings: Settings) -> None:
        self.gradio = gradio
        self.head, self.before, self.after = page_frame(assistant)
        self.frame_ancestors = settings.frame_ancestors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["path"] == "/"
        if is_page:
            # A query could ask Gradio for other views of the page; compression would hide it from us.
            kept = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
            scope = {**scope, "query_string": b"", "headers": kept}
        status_code, body = 200, bytearray()

        async def send_ours(message: Message) -> None:
            nonlocal status_code
            if message["type"] == "http.response.start":
                status_code = message["status"]
                if scope["path"].startswith("/assets/"):  # their names change with their bytes
                    message["headers"].append((b"cache-control", b"public, max-age=31536000, immutable"))
            elif is_page:
                body.extend(message.get("body", b""))
            if status_code < 400 and not is_page:
                await send(message)

        await self.gradio(scope, receive, send_ours)
        if status_code >= 400:
            raise HTTPException(status_code)
        if is_page:
            html = self.dress(body.decode())
            policy = {"Content-Security-Policy": page_policy(html, self.frame_ancestors)}
            await HTMLResponse(html, headers=policy)(scope, receive, send)

    def dress(self, html: str) -> str:
        """Gradio's HTML with our frame, and without its own cards for social media."""
        html = re.sub(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>', "", html)
        html = html.replace("</head>", f"{self.head}</head>", 1)
        html = html.replace("<gradio-app", f"{self.before}<gradio-app", 1)
        return html.replace("</gradio-app>", f"</gradio-app>{self.after}", 1)


def page_policy(html: str, frame_ancestors: str) -> str:
    """A Content-Security-Policy for the page: its inline scripts by their digests, files from here, nothing
    from or to anywhere else. Gradio styles its elements inline."""
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", html, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'none'; "
        f"frame-ancestors {frame_ancestors}"
    )


class OpenMount(Mount):
    """A mount that answers for `OPEN_PATHS` only; to the router, the rest is not there."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and OPEN_PATHS.fullmatch(f"{scope['method']} {scope['path']}"):
            return super().matches(scope)
        return Match.NONE, {}


def mount_page(api: FastAPI, assistant: Assistant, settings: Settings) -> None:
    """Serve the page at / of the service."""

    @api.get("/page.css", include_in_schema=False)
    def stylesheet() -> FileResponse:
        return FileResponse(STATIC / "page.css", headers={"Cache-Control": "no-cache"})

    @api.get("/page.js", include_in_schema=False)
    def script() -> FileResponse:
        return FileResponse(STATIC / "page.js", headers={"Cache-Control": "no-cache"})

    gr.mount_gradio_app(
        api,
        create_page(assistant, settings),
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
    api.router.routes.append(OpenMount("/", GZipMiddleware(Page(mount.app, assistant, settings))))


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
