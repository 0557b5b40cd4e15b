"""Loaded by the server under test, through PYTHONPATH: writes down every host that it looks up or connects
to, into the file that AUDIT_LOG names."""

import os
import sys
from typing import Any

LOG = os.open(os.environ["AUDIT_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        os.write(LOG, f"{arguments[1][0]}\n".encode())
    elif event == "socket.getaddrinfo":
        os.write(LOG, f"{arguments[0]}\n".encode())


os.write(LOG, b"started\n")
sys.addaudithook(_note)
