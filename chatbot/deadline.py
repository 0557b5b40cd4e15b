"""A limit on the time that one request may take: after it, an error that says whom to call, and not silence."""

import asyncio
from typing import Any

from anyio import CancelScope
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbot import watch
from chatbot.admission import urgent
from chatbot.guard import error_body, error_response
from chatbot.stream import event

LATE = "This is taking too long. Please ask again in a moment. If it can't wait, call one of these numbers."


class TimeLimit:
    """ASGI middleware: a reply must begin within so many seconds, and a stream of events end within them.

    Other replies, once begun, go on as slowly as they are read. What a thread is at work on can't be stopped: it comes
    to its end, and what it finds is given to nobody."""

    def __init__(self, app: ASGIApp, seconds: float, state: Any) -> None:
        """`state.assistant` is where the helplines come from, once there is one."""
        self.app, self.seconds, self.state = app, seconds, state
        self.left: set[asyncio.Task[None]] = set()  # the event loop by itself keeps no task alive

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, for as long as it may take."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = streams = late = False
        # Its `cancel` leaves a working thread its place among the threads that there may be; a task's own would not,
        # and those who come after would start ever more of them.
        waiting = CancelScope()

        async def send_in_time(message: Message) -> None:
            nonlocal begun, streams
            if late:
                return
            if message["type"] == "http.response.start":
                begun = True
                streams = Headers(raw=message["headers"]).get("content-type", "").startswith("text/event-stream")
            await send(message)

        async def answer() -> None:
            with waiting:
                await self.app(scope, receive, send_in_time)

        task = asyncio.create_task(answer())
        try:
            done, _ = await asyncio.wait({task}, timeout=self.seconds)
            if done or (begun and not streams):
                await task
                return
        except asyncio.CancelledError:
            task.cancel()
            raise
        late = True
        self._leave(task, waiting)
        if streams:
            error = error_body(503, LATE, code="timed_out", helplines=urgent(self.state))
            await send({"type": "http.response.body", "body": event("error", error).encode()})
            return
        refusal = error_response(503, LATE, code="timed_out", helplines=urgent(self.state))
        await refusal(scope, receive, send)

    def _leave(self, task: "asyncio.Task[None]", waiting: CancelScope) -> None:
        """Nobody waits for it any more; if it has not begun, it never does."""
        record = watch.current.get()
        if record is not None:
            record.late = True
        waiting.cancel()
        self.left.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self.left.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that it is not logged: it may quote the question
