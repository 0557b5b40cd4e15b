"""The HTML page around the conversation: what it is, whom to call, which articles there are. It shows all of
that without a script, and lets nothing into the page that the server did not write."""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbot.answers import Helpline
from chatbot.assistant import Assistant
from chatbot.cards import call_link, helpline_list, inline, outward
from chatbot.settings import Settings

TITLE = "Ask IOP"
TAGLINE = "Answers in the words of published articles, each with its source."
NOTICE = (
    "Every answer is made of sentences quoted from the articles below. This is a program, not a person. "
    "It gives no medical advice, and where the articles have no answer it says so."
)
UNKEPT = "Your questions are not stored."
KEPT = "Your questions are stored for {days} days; names and numbers that are recognised are taken out, and what shows danger to a life never is."
NEEDS_SCRIPT = "To ask a question here, please switch on JavaScript. You can call without it."
TROUBLE = "No answer came. Please ask again, or call the numbers above."
CALLS = {"emergency": "Emergency", "crisis": "Crisis line", "referral": "Find treatment"}
"""The helplines, by id, that stay in sight, and what each is called there."""

OPEN_PATHS = re.compile(
    r"GET /(assets/.+|static/js/iframeResizer\.contentWindow\.min\.js|theme\.css)?"
    r"|GET /(favicon\.ico|manifest\.json)|HEAD /|POST /gradio_api/run/predict"
)
"""What the page needs of Gradio. Everything else that it serves (uploads, files, proxy, queue, its own
API) is closed."""


def in_sight(helplines: Sequence[Helpline]) -> list[Helpline]:
    """Those to show wherever the visitor is on the page."""
    return [line for line in helplines if line.id in CALLS] or list(helplines[:3])


def calls_in_sight(helplines: Sequence[Helpline]) -> str:
    """The line with whom to call that never leaves the screen."""
    links = "".join(
        f"<li>{call_link(line, f'{CALLS.get(line.id, inline(line.name))} <b>{inline(line.phone)}</b>')}</li>"
        for line in in_sight(helplines)
    )
    return (
        f'<div id="calls"><nav aria-label="Whom to call"><ul>{links}</ul></nav>'
        f'<p id="trouble" role="alert" hidden>{TROUBLE} <span></span></p></div>'
    )


def page_frame(assistant: Assistant, kept_days: int = 0) -> tuple[str, str, str]:
    """HTML for the head, before and after the conversation. It needs no script. `kept_days`: for how long questions
    are stored, 0 if they are not."""
    stored = KEPT.format(days=kept_days) if kept_days else UNKEPT
    calls = calls_in_sight(assistant.helplines)
    head = (
        f'<title>{TITLE}</title><meta name="description" content="{TAGLINE}">'
        '<meta name="color-scheme" content="light dark"><link rel="stylesheet" href="page.css">'
        '<script src="page.js" defer></script>'
    )
    before = (
        f'<header><h1>{TITLE}</h1><p class="tagline">{TAGLINE}</p><p class="notice">{NOTICE} {stored}</p></header>'
        f"{calls}<noscript><p>{NEEDS_SCRIPT}</p></noscript>"
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

    def __init__(self, gradio: ASGIApp, current: Callable[[], Assistant], settings: Settings) -> None:
        self.gradio, self.current = gradio, current
        self.days = settings.journal_days if settings.journal else 0
        self.frame_ancestors = settings.frame_ancestors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises `HTTPException` where Gradio answers with an error."""
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
        head, before, after = page_frame(self.current(), self.days)
        html = re.sub(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>', "", html)
        html = html.replace("</head>", f"{head}</head>", 1)
        html = html.replace("<gradio-app", f"{before}<gradio-app", 1)
        return html.replace("</gradio-app>", f"</gradio-app>{after}", 1)


def page_policy(html: str, frame_ancestors: str) -> str:
    """A Content-Security-Policy for the page: its inline scripts by their digests, files from here, nothing
    from or to anywhere else. Gradio styles its elements inline."""
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", html, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; "
        f"form-action 'none'; frame-ancestors {frame_ancestors}"
    )


class OpenMount(Mount):
    """A mount that answers for `OPEN_PATHS` only; to the router, the rest is not there."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for here."""
        if scope["type"] == "http" and OPEN_PATHS.fullmatch(f"{scope['method']} {scope['path']}"):
            match, ours = super().matches(scope)
            return match, {**ours, "route": self}
        return Match.NONE, {}
