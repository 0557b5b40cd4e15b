"""The door to the console: signing in and out. Whatever lies under /staff passes here first, so that nothing of it
answers without a session, and nothing at all while there is no account."""

import base64
import hashlib
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from chatbot.accounts import SESSION_SECONDS, Accounts, Lockout, Sessions
from chatbot.guard import error_response
from chatbot.settings import Settings

logger = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
HOME = "/staff"
SIGN_IN = "/staff/sign-in"
PAGES = {HOME: "staff/sign-in", f"{HOME}/owner": "sign-in?to=owner"}
"""What somebody opens, and where it leads without a session. Relative: a proxy may serve us under another path."""
LOCAL = ("localhost", "127.0.0.1", "::1")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
WRONG = "Name or password is not right."
LATER = "Too many tries. Please wait {seconds} seconds."


class StaffRoute(BaseRoute):
    """All that lies under /staff, behind the sign-in. Without an account it is not there."""

    def __init__(self, router: APIRouter, accounts: Accounts) -> None:
        self.router, self.accounts, self.path = router, accounts, HOME
        self.sessions, self.lockout = Sessions(accounts), Lockout()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for here."""
        ours = scope["type"] == "http" and (scope["path"] == HOME or scope["path"].startswith(f"{HOME}/"))
        return (Match.FULL, {"route": self}) if ours and self.accounts.hashes() else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or show it the sign-in. Raises `HTTPException` as every route does."""
        request = Request(scope, receive)
        response = self._refuse(request)
        if response is None and scope["path"] == SIGN_IN:
            response = await self._sign_in(request)
        elif response is None and scope["path"] == f"{HOME}/sign-out" and request.method == "POST":
            response = self._sign_out(request)
        await (response or self.router)(scope, receive, send)

    def _refuse(self, request: Request) -> Response | None:
        """What a request gets that may not come in."""
        path, reads = request.scope["path"], request.method in ("GET", "HEAD")
        if not reads and not same_origin(request):
            return error_response(403, "This can't be done from another site.")
        request.state.staff = self.sessions.who(request.cookies.get(cookie_name(request)))
        if request.state.staff is None and path != SIGN_IN:
            if reads and path in PAGES:
                return RedirectResponse(PAGES[path], 303)
            return error_response(401, "Please sign in.", code="not_signed_in")
        return RedirectResponse("../staff", 303) if path == f"{HOME}/" else None

    async def _sign_in(self, request: Request) -> Response:
        if request.method in ("GET", "HEAD"):
            return sign_in_page()
        if request.method != "POST":
            raise HTTPException(405)
        try:
            fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
        except ValueError:
            raise HTTPException(400, "This is no sign-in.") from None
        name, password = (fields.get(field, [""])[0] for field in ("name", "password"))
        client = request.client.host if request.client else ""
        wait = self.lockout.attempt(client, name)
        if wait:
            return sign_in_page(LATER.format(seconds=wait), 429, {"Retry-After": str(wait)})
        if not await run_in_threadpool(self.accounts.verify, name, password):
            logger.warning("a sign-in failed")
            return sign_in_page(WRONG, 401)
        self.lockout.forgive(client, name)
        self.sessions.end(request.cookies.get(cookie_name(request)))
        response = RedirectResponse("owner" if request.query_params.get("to") == "owner" else "../staff", 303)
        _set_cookie(request, response, self.sessions.begin(name), SESSION_SECONDS)
        return response

    def _sign_out(self, request: Request) -> Response:
        self.sessions.end(request.cookies.get(cookie_name(request)))
        response = RedirectResponse("sign-in", 303, headers={"Clear-Site-Data": '"cache", "storage"'})
        _set_cookie(request, response, "", 0)
        return response


def mount_staff(api: FastAPI, settings: Settings, add_routes: Callable[[APIRouter], None]) -> None:
    """Put the routes that `add_routes` adds, with their whole paths, behind the sign-in.

    Raises `SettingsError` for accounts that can't be read.
    """
    router = APIRouter(include_in_schema=False, redirect_slashes=False)
    add_routes(router)
    api.router.routes.append(StaffRoute(router, Accounts(Path(settings.staff) if settings.staff else None)))


def add_files(router: APIRouter, pages: Mapping[str, str], files: Sequence[str]) -> None:
    """Serve pages, by their path the name of their file, and what they need, by its name under /staff."""
    headers = {"Content-Security-Policy": POLICY}
    for path, name in [*pages.items(), *((f"{HOME}/{name}", name) for name in files)]:
        _add_file(router, path, name, headers if path in pages else None)


def _add_file(router: APIRouter, path: str, name: str, headers: dict[str, str] | None) -> None:
    @router.get(path)
    def file() -> FileResponse:
        return FileResponse(STATIC / name, headers=headers)


def same_origin(request: Request) -> bool:
    """Whether a request that changes something comes from our own page, or from no page at all.

    Browsers say so in Sec-Fetch-Site, older ones in Origin; the cookie, being SameSite=Strict, does not come along
    from elsewhere either.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


def is_local(request: Request) -> bool:
    """Whether it comes over plain HTTP to this very machine, with no proxy between."""
    proxied = any(name.startswith("x-forwarded") or name == "forwarded" for name in request.headers)
    return request.url.scheme == "http" and request.url.hostname in LOCAL and not proxied


def cookie_name(request: Request) -> str:
    """A browser takes a `__Host-` cookie only over HTTPS and from this very host."""
    return "ask-iop-staff" if is_local(request) else "__Host-ask-iop-staff"


def _set_cookie(request: Request, response: Response, token: str, seconds: int) -> None:
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=seconds,
        path="/",
        secure=not is_local(request),
        httponly=True,
        samesite="strict",
    )


def sign_in_page(message: str = "", status_code: int = 200, headers: dict[str, str] | None = None) -> HTMLResponse:
    """The form, which needs no other file: none is given out before signing in."""
    html = (STATIC / "sign-in.html").read_text(encoding="utf-8")
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    said = f'<p role="alert">{escape(message)}</p>' if message else ""
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin", **(headers or {})}
    return HTMLResponse(html.replace("<!-- message -->", said), status_code, headers)
