"""From settings to a listening process: the index, the port, the server."""

import contextlib
import os
import socket
import sys
import threading

import uvicorn
from fastapi import FastAPI

from chatbot.assistant import Assistant
from chatbot.encoder import load_encoder
from chatbot.errors import AskError, IndexMissingError, IndexStaleError
from chatbot.index import build_index
from chatbot.languages import warm_up
from chatbot.settings import Settings


def listen(settings: Settings) -> socket.socket:
    """The service's port, taken but not yet answering. Raises `AskError`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # A reply is sent in two pieces; without this the second waits 40 ms for the first to be acknowledged.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        if os.name == "posix":  # elsewhere it would let two processes share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise AskError(f"can't listen on {settings.host} port {settings.port}: {reason}; try --port") from None
    return listener


def open_or_build(settings: Settings, may_build: bool) -> Assistant:
    """The assistant, its index built first where it is missing or stale. An index that was given without
    its articles is served as it is: there is nothing to build it from."""
    try:
        return Assistant.open(settings, check_corpus=may_build)
    except (IndexMissingError, IndexStaleError) as problem:
        if not may_build:
            raise
        print(f"{problem}\nBuilding the index now.", file=sys.stderr, flush=True)
        build_index(settings.corpus, settings.index, load_encoder(settings.model))
        return Assistant.open(settings, check_corpus=True)


def serve(service: FastAPI, listener: socket.socket, proxies: str) -> None:
    """Answer requests until interrupted. No access log: it would hold addresses of visitors. `proxies` are
    believed when they tell whom a request comes from."""
    config = uvicorn.Config(
        service,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        forwarded_allow_ips=proxies,
    )
    host, port = listener.getsockname()[:2]
    print(f"Listening on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
    threading.Thread(target=warm_up, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
