"""The widget as a file to include: its headers, its digest, the line that includes it."""

import base64
import gzip
import hashlib
import re

import httpx
import pytest
from conftest import ROOT

from chatbot.__main__ import main
from chatbot.embed import page_policy, snippet, widget

SCRIPT = (ROOT / "chatbot" / "static" / "widget.js").read_bytes()


def test_the_pinned_line_has_the_digest_of_what_is_served(client: httpx.Client) -> None:
    line = snippet("https://ask.example/", pinned=True)
    found = re.fullmatch(r'<script async src="(.+)" integrity="sha384-(.+)" crossorigin="anonymous"></script>', line)
    assert found
    address = found[1].replace("https://ask.example", "")
    served = client.get(address)
    assert base64.b64encode(hashlib.sha384(served.content).digest()).decode() == found[2]
    assert served.content == SCRIPT
    assert "immutable" in served.headers["cache-control"]
    assert client.get("/embed/widget.json").json() == {"pinned": address[1:], "integrity": f"sha384-{found[2]}"}


@pytest.mark.parametrize("name", ["widget.js", widget().pinned])
def test_any_page_may_load_the_script_and_keep_it(client: httpx.Client, name: str) -> None:
    reply = client.get(f"/{name}")
    assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
    assert reply.headers["access-control-allow-origin"] == "*"  # with a digest, browsers ask for it
    assert reply.headers["content-type"].startswith("text/javascript")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"].startswith("public, max-age=")
    again = client.get(f"/{name}", headers={"If-None-Match": f'"a", W/{reply.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == reply.headers["etag"]
    plain = client.get(f"/{name}", headers={"Accept-Encoding": "identity"})
    assert plain.headers["etag"] != reply.headers["etag"]
    assert plain.content == reply.content == SCRIPT
    assert "Accept-Encoding" in plain.headers["vary"]


def test_no_other_version_is_there(client: httpx.Client) -> None:
    assert client.get("/widget-000000000000.js").status_code == 404


def test_the_packed_script_is_the_same_each_time() -> None:
    assert gzip.decompress(widget().packed) == SCRIPT
    assert gzip.compress(SCRIPT, 9, mtime=0) == widget().packed


def test_an_address_cannot_break_out_of_the_line() -> None:
    assert snippet('https://a.example/"><script>').count("<script") == 1


def test_a_command_prints_both_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["widget", "--service", "https://ask.example"]) == 0
    printed = capsys.readouterr().out
    assert snippet("https://ask.example") in printed
    assert snippet("https://ask.example", pinned=True) in printed


@pytest.mark.parametrize(
    ("setting", "ancestors"),
    [("'none'", "'self'"), ("'self'", "'self'"), ("https://a.example 'self'", "'self' https://a.example")],
)
def test_the_sample_site_can_stand_in_our_own_frame(setting: str, ancestors: str) -> None:
    assert page_policy(setting).endswith(f"frame-ancestors {ancestors}")


def test_suggestions_say_what_to_ask_and_whether_feedback_is_kept(client: httpx.Client) -> None:
    told = client.get("/api/suggestions").json()
    assert 1 <= len(told["suggestions"]) <= 4
    assert told["feedback"] is True
    assert told["index"] == client.get("/readyz").json()["index"]
    for suggestion in told["suggestions"]:
        assert client.post("/api/ask", json={"question": suggestion}).json()["citations"]
