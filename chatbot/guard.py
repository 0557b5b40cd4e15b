"""What every door of the service keeps to, whoever wrote the route: a limit on what comes in, security
headers on what goes out, one JSON error shape, and no message text in the log."""

import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbot.answers import Helpline

logger = logging.getLogger(__name__)

PATIENCE = 16
"""A body over the limit is read and dropped up to this many times the limit, before it is refused."""

CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    422: "invalid_request",
    429: "too_many_requests",
    500: "internal_error",
    503: "not_ready",
}


def error_body(
    status_code: int, message: str, code: str | None = None, helplines: Sequence[Helpline] = ()
) -> dict[str, Any]:
    """The one shape of an error: {"error": {"code": …, "message": …, "status": "invalid" or null}}.

    `status` is `invalid` where the request itself can't be used as it is (400, 413, 422). Where a question went
    unanswered through no fault of its own, `helplines` says whom to call.
    """
    error: dict[str, Any] = {
        "code": code or CODES.get(status_code, "error"),
        "message": message,
        "status": "invalid" if status_code in (400, 413, 422) else None,
    }
    if helplines:
        error["helplines"] = [asdict(line) for line in helplines]
    return {"error": error}


def error_response(
    status_code: int,
    message: str,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    helplines: Sequence[Helpline] = (),
) -> JSONResponse:
    """An error as `error_body` gives it."""
    return JSONResponse(error_body(status_code, message, code, helplines), status_code=status_code, headers=headers)


def security_headers(frame_ancestors: str) -> dict[str, str]:
    """Headers for a response that sets none of its own. The policy is for what shows no page: it allows
    nothing. A page brings its own policy."""
    return {
        "Content-Security-Policy": f"default-src 'none'; frame-ancestors {frame_ancestors}",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


class SecurityHeaders:
    """ASGI middleware: every response gets the security headers, a refusal too."""

    def __init__(self, app: ASGIApp, frame_ancestors: str) -> None:
        self.app, self.headers = app, security_headers(frame_ancestors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_guarded)


class Guard:
    """ASGI middleware: bodies over `max_body_bytes` are refused before any route sees them, and an unexpected
    exception becomes a bare 500."""

    def __init__(self, app: ASGIApp, max_body_bytes: dict[str, int]) -> None:
        """`max_body_bytes` is by path prefix; the longest prefix that fits the path counts."""
        self.app, self.max_body_bytes = app, max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_noticed(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            body = await self._body(scope, receive)
            if body is None:
                refusal = error_response(413, "The request is too large.", headers={"Connection": "close"})
                await refusal(scope, receive, send_noticed)
                return
            await self.app(scope, replay(body, receive), send_noticed)
        except Exception as error:
            # The place and the kind only: an exception's message may quote what somebody asked.
            place = traceback.extract_tb(error.__traceback__)[-1]
            logger.error("%s at %s:%s", type(error).__name__, place.name, place.lineno)
            if not started:
                await error_response(500, "Something went wrong here.")(scope, receive, send_noticed)

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body, or None if it is over the limit."""
        if scope["method"] in ("GET", "HEAD"):
            return b""
        prefixes = [prefix for prefix in self.max_body_bytes if scope["path"].startswith(prefix)]
        limit = self.max_body_bytes[max(prefixes, key=len)]
        kept: list[bytes] = []
        size = 0
        while True:
            message: Message = await receive()
            part = message.get("body", b"")
            size += len(part)
            if size <= limit:
                kept.append(part)
            # A client that is answered while it still sends may never read the answer.
            if not message.get("more_body", False) or size > PATIENCE * limit:
                return b"".join(kept) if size <= limit else None


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `body` once and then whatever the connection says next."""
    pending: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again
