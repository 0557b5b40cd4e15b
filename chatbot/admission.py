"""Who may come in, and how often: hosts, origins of other sites, and a limit on questions.

Kept in memory only. A client is known by a salted digest of its address, which leaves the memory with the first
question that anybody asks after the window is over; nothing here is written to a log."""

import hashlib
import ipaddress
import math
import secrets
import time
from collections.abc import Sequence
from typing import Any

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from chatbot.answers import Helpline
from chatbot.guard import error_response

SHARED = "/api/"
"""Where the paths begin that pages of the allowed origins may use."""
COUNTED = {
    "/api/ask": "question",
    "/api/ask/stream": "question",
    "/gradio_api/run/predict": "question",
    "/api/feedback": "feedback",
}
"""What is limited, and what it counts as."""
PROBES = {"/healthz", "/readyz"}
"""Asked for by the machine's own address, under any name; they tell nothing of anybody."""
BUSY = "Too many messages are coming in right now. Please wait {seconds} seconds and try again."
URGENT = ("crisis", "emergency")
"""The helplines, by id, that a refusal names: it must not stand between anybody and help."""


class HostCheck:
    """ASGI middleware: only requests to the allowed names. An empty list allows any."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app = app
        self.hosts = tuple(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        asked = scope["type"] == "http" and self.hosts and scope["path"] not in PROBES
        if asked and not self.allows(Headers(scope=scope).get("host", "")):
            await error_response(400, "This service does not answer under that name.")(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def allows(self, header: str) -> bool:
        """Whether a Host header names one of ours, at whatever port."""
        host = header.lower()
        name = host[: host.find("]") + 1] if host.startswith("[") else host.split(":")[0]
        return any(name == own or (own.startswith("*.") and name.endswith(own[1:])) for own in self.hosts)


class SharedOrigins(CORSMiddleware):
    """ASGI middleware: cross-origin rules for the shared paths. The rest has none, so no other site reads it."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Content-Type",),
            expose_headers=("Retry-After", "Server-Timing"),
            max_age=7200,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or let the request through and say who may read the reply."""
        if scope["type"] == "http" and scope["path"].startswith(SHARED):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class RateLimit:
    """ASGI middleware: at most so many questions in any minute, from one client and from all together."""

    def __init__(self, app: ASGIApp, per_client: int, in_total: int, state: Any) -> None:
        """0 is no limit. `state.assistant` is where the helplines come from, once there is one."""
        self.app, self.state = app, state
        self.limiter = MovingWindowRateLimiter(MemoryStorage())
        self.per_client = RateLimitItemPerMinute(per_client) if per_client else None
        self.in_total = RateLimitItemPerMinute(in_total) if in_total else None
        self.salt = secrets.token_bytes(16)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it with the time after which to try again."""
        what = COUNTED.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        seconds = self.wait(what, (scope.get("client") or ("", 0))[0]) if what else 0
        if not seconds:
            await self.app(scope, receive, send)
            return
        refusal = error_response(
            429,
            BUSY.format(seconds=seconds),
            headers={"Retry-After": str(seconds)},
            helplines=urgent(self.state),
        )
        await refusal(scope, receive, send)

    def wait(self, what: str, address: str) -> int:
        """Count one. Seconds until the next is taken, 0 if this one is."""
        for limit, key in ((self.per_client, self.client(address)), (self.in_total, "all")):
            if limit is not None and not self.limiter.hit(limit, what, key):
                reset = self.limiter.get_window_stats(limit, what, key).reset_time
                return max(1, math.ceil(reset - time.time()))
        return 0

    def client(self, address: str) -> str:
        """What a client is known by. Whoever has one IPv6 address has its whole /64 network."""
        try:
            parsed = ipaddress.ip_address(address)
            if parsed.version == 6:
                address = str(ipaddress.ip_network((parsed, 64), strict=False))
        except ValueError:
            pass
        return hashlib.blake2b(address.encode(), key=self.salt, digest_size=16).hexdigest()


def urgent(state: Any) -> list[Helpline]:
    """Whom to call whatever else is wrong, from `state.assistant`, once there is one."""
    return [line for line in (state.assistant.helplines if state.assistant else ()) if line.id in URGENT]
