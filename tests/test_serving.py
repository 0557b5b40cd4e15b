"""Starting the service: what stops it says so in one line and leaves the right exit code."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
import uvicorn
from conftest import ROOT, Server, free_port
from fastapi import FastAPI

from chatbot.serving import listen, serve
from chatbot.settings import Settings


def start(*arguments: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run `app.py` to its end, which must come by itself."""
    command = [sys.executable, "app.py", *arguments]
    surroundings = {**os.environ, **(environment or {})}
    return subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=300)


def last_line(ended: "subprocess.CompletedProcess[str]") -> str:
    """What it said at its end."""
    assert "Traceback" not in ended.stderr
    return ended.stderr.strip().splitlines()[-1]


def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = start("--port", port)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert port in last_line(ended)


def test_a_port_that_is_none_is_one_line() -> None:
    for port in ("70000", "x"):
        ended = start("--port", port)
        assert ended.returncode == 2
        assert port in last_line(ended)


def test_a_host_that_is_not_here_is_one_line() -> None:
    ended = start("--host", "192.0.2.1", "--port", str(free_port()))
    assert ended.returncode == 1
    assert "192.0.2.1" in last_line(ended)


def test_an_altered_index_is_refused_and_left_as_it_is(server: Server, tmp_path: Path) -> None:
    index = tmp_path / "index"
    shutil.copytree(server.index, index)
    largest = max((file for file in index.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
    for given in ([], ["--corpus", str(ROOT / "corpus")]):
        ended = start("--port", str(free_port()), "--index", str(index), *given)
        assert ended.returncode == 4
        assert "build_index.py" in last_line(ended)
        assert largest.read_bytes() == content


def test_an_index_given_without_its_articles_is_not_built_from_others(tmp_path: Path) -> None:
    ended = start("--port", str(free_port()), "--index", str(tmp_path / "index"))
    assert ended.returncode == 4
    assert not (tmp_path / "index").exists()


def test_a_missing_index_is_built_at_the_start(server: Server) -> None:
    assert "Building the index" in server.log.read_text()
    assert httpx.get(f"{server.url}/readyz").status_code == 200


def test_the_port_is_taken_before_anything_is_loaded_and_answers_nobody() -> None:
    port = free_port()
    with listen(Settings(port=port)), pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_no_piece_of_a_reply_waits_for_the_one_before_to_be_acknowledged() -> None:
    with listen(Settings(port=free_port())) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_on_a_space_it_listens_to_the_outside_and_may_be_framed_by_the_hub() -> None:
    settings = Settings.from_environment({"SPACE_ID": "a/b"})
    assert settings.host == "0.0.0.0"
    assert "https://huggingface.co" in settings.frame_ancestors
    assert settings.proxies != "*"  # anybody could tell any address then
    chosen = Settings.from_environment({"SPACE_ID": "a/b", "ASK_IOP_HOST": "127.0.0.1"})
    assert chosen.host == "127.0.0.1"


def test_only_the_named_proxies_are_believed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[uvicorn.Config] = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: seen.append(self.config))
    with listen(Settings(port=free_port())) as listener:
        serve(FastAPI(), listener, "10.0.0.1")
    assert seen[0].forwarded_allow_ips == "10.0.0.1"
    assert not seen[0].access_log
