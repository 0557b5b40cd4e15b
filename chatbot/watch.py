"""What an operator can see of the traffic, if it is switched on: metrics at /metrics, a log line for each request.

Neither holds a word of a message, nor an address, nor a path that somebody made up: a request is known by the template
of its route."""

import json
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbot.answers import Answer, Status

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
REFUSALS = {400: "host", 413: "size", 422: "unusable", 429: "limit", 503: "unready_or_late"}
"""What a request is refused for, by its HTTP status."""
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
UNKNOWN = "unknown"


@dataclass(slots=True)
class Record:
    """What becomes known of one request while it is answered."""

    status: Status | None = None
    """Of the answer, where there is one."""
    late: bool = False
    """It was told that it took too long: whatever is still found is given to nobody."""


current: ContextVar[Record | None] = ContextVar("current", default=None)
"""The request that is being answered, in its threads too."""


def answered(answer: Answer) -> bool:
    """Put an answer on record. Whether there is still somebody to give it to."""
    record = current.get()
    if record is None:
        return True
    record.status = answer.status
    return not record.late


class Metrics:
    """Counts of one service, in a registry of its own; in memory only."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("ask_iop_requests", "Requests", ("method", "route", "status"), registry=self.registry)
        self.seconds = Histogram(
            "ask_iop_request_seconds",
            "Time to the end of the reply",
            ("route",),
            registry=self.registry,
            buckets=SECONDS,
        )
        self.answers = Counter("ask_iop_answers", "Answers given", ("status",), registry=self.registry)
        self.crises = Counter("ask_iop_crises", "Messages that got a crisis card", registry=self.registry)
        self.refusals = Counter("ask_iop_refusals", "Requests refused", ("reason",), registry=self.registry)
        for status in Status:  # a rate is known from the first on
            self.answers.labels(status)
        for reason in REFUSALS.values():
            self.refusals.labels(reason)

    def count(self, method: str, route: str, http_status: int, record: Record, seconds: float) -> None:
        """Count one request."""
        self.requests.labels(method, route, http_status).inc()
        self.seconds.labels(route).observe(seconds)
        if record.status is not None and not record.late:
            self.answers.labels(record.status).inc()
            if record.status is Status.CRISIS:
                self.crises.inc()
        if http_status in REFUSALS:
            self.refusals.labels(REFUSALS[http_status]).inc()


class Watch:
    """ASGI middleware, outermost: counts each request and writes its line, once the reply is out."""

    def __init__(self, app: ASGIApp, metrics: Metrics | None, log: str) -> None:
        self.app, self.metrics, self.log = app, metrics, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        record, began, http_status = Record(), time.perf_counter(), 500
        token = current.set(record)

        async def send_seen(message: Message) -> None:
            nonlocal http_status
            if message["type"] == "http.response.start":
                http_status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_seen)
        finally:
            current.reset(token)
            seconds = time.perf_counter() - began
            method = scope["method"] if scope["method"] in METHODS else UNKNOWN
            if self.metrics is not None:
                self.metrics.count(method, route_of(scope), http_status, record, seconds)
            if self.log != "none":
                status = None if record.late else record.status
                print(
                    line(self.log, method, route_of(scope), http_status, status, seconds), file=sys.stderr, flush=True
                )


def route_of(scope: Scope) -> str:
    """The template of the route that answered (`/api/articles/{article_id}`), `unknown` where none did."""
    route = scope.get("route")
    return str(route.path or "/") if route is not None else UNKNOWN  # a mount's at the root is empty


def line(log: str, method: str, route: str, http_status: int, status: Status | None, seconds: float) -> str:
    """One request, as JSON or as words."""
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if log == "text":
        return f"{at} {method} {route} {http_status} {status or '-'} {1000 * seconds:.1f} ms"
    told = {
        "at": at,
        "method": method,
        "route": route,
        "http_status": http_status,
        "status": status,
        "milliseconds": round(1000 * seconds, 1),
    }
    return json.dumps(told)


def add_metrics(api: FastAPI, metrics: Metrics | None) -> None:
    """The route /metrics, which is not there unless they are switched on."""

    @api.get("/metrics", include_in_schema=False)
    def exposed() -> Response:
        if metrics is None:
            raise HTTPException(404)
        return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
