"""The widget for other websites: its script as a file to include, the line that includes it, and /embed, the
page that shows it on a sample site and builds that line."""

import base64
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse

from chatbot.settings import Settings

STATIC = Path(__file__).parent / "static"
PAGES = {"/embed": "embed.html", "/embed/clinic": "clinic.html"}
FILES = ("embed.css", "embed.js", "clinic.css", "clinic.js")


@dataclass(frozen=True, slots=True)
class Widget:
    """The script as it is served."""

    script: bytes
    packed: bytes
    """The same, gzipped; its bytes depend on nothing but the script."""
    version: str
    """Changes with every byte of the script."""
    integrity: str
    """For subresource integrity: a browser runs no other bytes under this line."""

    @property
    def pinned(self) -> str:
        """Name of the file that never changes."""
        return f"widget-{self.version}.js"


@cache
def widget() -> Widget:
    """The widget of this installation."""
    script = (STATIC / "widget.js").read_bytes()
    return Widget(
        script,
        gzip.compress(script, 9, mtime=0),
        hashlib.sha256(script).hexdigest()[:12],
        "sha384-" + base64.b64encode(hashlib.sha384(script).digest()).decode(),
    )


def snippet(service: str, pinned: bool = False) -> str:
    """The line that puts the widget on a page. `service` is the address of this application. The pinned one
    runs these bytes only; it is to be replaced whenever the application is."""
    base = escape(service.rstrip("/"))
    if not pinned:
        return f'<script async src="{base}/widget.js"></script>'
    own = widget()
    return f'<script async src="{base}/{own.pinned}" integrity="{own.integrity}" crossorigin="anonymous"></script>'


def mount_widget(api: FastAPI, settings: Settings) -> None:
    """Serve the script and the page that shows it."""

    @api.get("/widget.js", include_in_schema=False)
    def current(request: Request) -> Response:
        return script_response(request, "public, max-age=300, stale-while-revalidate=86400")

    @api.get(f"/{widget().pinned}", include_in_schema=False)
    def pinned(request: Request) -> Response:
        return script_response(request, "public, max-age=31536000, immutable")

    for path, name in PAGES.items():
        _add_file(api, path, name, {"Content-Security-Policy": page_policy(settings.frame_ancestors)})
    for name in FILES:
        _add_file(api, f"/embed/{name}", name, {})

    @api.get("/embed/widget.json", include_in_schema=False)
    def described() -> dict[str, str]:
        return {"pinned": widget().pinned, "integrity": widget().integrity}


def _add_file(api: FastAPI, path: str, name: str, headers: dict[str, str]) -> None:
    @api.get(path, include_in_schema=False)
    def file() -> FileResponse:
        return FileResponse(STATIC / name, headers={"Cache-Control": "no-cache", **headers})


def script_response(request: Request, cache_control: str) -> Response:
    """The script for any site: it is public, and it shows whom to call even on a page whose origin may not ask."""
    own = widget()
    packed = "gzip" in request.headers.get("accept-encoding", "")
    tag = f'"{own.version}{"-gzip" if packed else ""}"'
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": cache_control,
        "ETag": tag,
        "Vary": "Accept-Encoding",
    }
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(status_code=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    content = own.packed if packed else own.script
    return Response(content, media_type="text/javascript; charset=utf-8", headers=headers)


def page_policy(frame_ancestors: str) -> str:
    """As strict as a site can be: no inline style or script, no string as code, nobody else's files. The sample
    site stands in a frame of the page, so it may be framed by us whatever the setting says."""
    others = [source for source in frame_ancestors.split() if source not in ("'self'", "'none'")]
    ancestors = " ".join(["'self'", *others])
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'; "
        f"frame-ancestors {ancestors}"
    )
