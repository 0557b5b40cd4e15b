"""As a Hugging Face Space runs it: a fresh clone, a fresh environment of requirements.txt alone, `python app.py` with what
a Space sets, shown in the frame of another site."""

import os
import re
import socket
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import httpx
import pytest
from conftest import ROOT, wait_until_ready
from packaging.requirements import Requirement
from playwright.sync_api import Browser, expect

PORT = 7860
"""Where a Space expects the application."""
HUB = "https://huggingface.co"


def required(file: Path) -> dict[str, Distribution]:
    """The packages that a requirements file brings, those that they need included, as they are installed here."""
    lines = [line.split("#")[0].strip() for line in file.read_text().splitlines()]
    waiting = [Requirement(line) for line in lines if line and not line.startswith("-")]
    for requirement in waiting:
        assert distribution(requirement.name).version in requirement.specifier, f"{requirement} is not installed here"
    found: dict[str, Distribution] = {}
    done: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        for extra in ("", *sorted(wanted.extras)):
            if (name, extra) in done:
                continue
            done.add((name, extra))
            try:
                found[name] = distribution(name)
            except PackageNotFoundError:  # one for another system, whose marker only an installer can judge
                continue
            needs = map(Requirement, found[name].requires or ())
            waiting += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]
    return found


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running Space. Its packages are those that were installed here from the same file, and no
    others: what only the tests need is not there."""
    folder = tmp_path_factory.mktemp("space")
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            pytest.skip(f"port {PORT}, which a Space must use, is in use here")
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder / "clone")], check=True)
    venv.create(folder / "venv", symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv"), "platbase": str(folder / "venv")}))
    for package in required(folder / "clone" / "requirements.txt").values():
        for top in {file.parts[0] for file in package.files or () if file.parts[0] not in ("..", "__pycache__")}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(package.locate_file(top))).resolve())
    environment = {
        "PATH": f"{folder / 'venv' / 'bin'}:{os.defpath}",
        "HOME": str(folder),
        "SYSTEM": "spaces",
        "SPACE_ID": "someone/ask-iop",
        "SPACE_HOST": "someone-ask-iop.hf.space",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(PORT),
    }
    log, url = folder / "log", f"http://127.0.0.1:{PORT}"
    with log.open("wb") as printed:
        process = subprocess.Popen(
            ["python", "app.py"], cwd=folder / "clone", env=environment, stdout=printed, stderr=subprocess.STDOUT
        )
    try:
        wait_until_ready(process, url, log)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_it_answers_in_the_hubs_frame_without_storage_or_cookies(browser: Browser, space: str) -> None:
    context = browser.new_context()
    context.add_init_script(
        """const denied = {get() { throw new DOMException("denied", "SecurityError"); }};
        for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"])
            Object.defineProperty(window, name, denied);
        Object.defineProperty(document, "cookie", denied);"""
    )
    frame = f'<iframe src="{space}" sandbox="allow-scripts allow-forms allow-same-origin" style="width: 100%; height: 600px"></iframe>'
    context.route(f"{HUB}/**", lambda route: route.fulfill(body=frame, content_type="text/html"))
    page = context.new_page()
    page.goto(f"{HUB}/spaces/someone/ask-iop")
    inside = page.frame_locator("iframe")
    inside.get_by_label("Your question").fill("does IOP include detox?")
    inside.get_by_label("Your question").press("Enter")
    expect(inside.locator(".sources")).to_be_visible()
    assert context.cookies() == []
    context.close()


def test_the_hub_may_frame_it(space: str) -> None:
    policy = httpx.get(space).headers["Content-Security-Policy"]
    assert HUB in policy.split("frame-ancestors")[1].split(";")[0].split()
