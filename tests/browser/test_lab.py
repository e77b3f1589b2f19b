"""`imagelab lab` as a person meets it: JupyterLab in Chromium, the first notebook from top to bottom, a terminal.

Nothing may leave the machine, and no page error may occur. The server is started by the command under test.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import peers

pytestmark = pytest.mark.browser

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --force-color-profile=srgb"
).split()

def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`imagelab lab --no-browser --port N` in an empty folder, with nobody's settings."""
    pytest.importorskip("playwright") if not os.environ.get("CI") else None
    peers.need("chromium")
    home, port = tmp_path_factory.mktemp("home"), free_port()
    env = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "IMAGELAB", "JPY"))}
    env |= {"HOME": str(home), "JUPYTER_PLATFORM_DIRS": "1", "XDG_DATA_HOME": str(home / "data"), "PYTHONWARNINGS": ""}
    env |= {"IPYTHONDIR": str(home / "ipython"), "JUPYTER_CONFIG_DIR": str(home / "config"), "LANG": "C.UTF-8"}
    line = [sys.executable, "-m", "imagelab", "lab", "--no-browser", "--port", str(port), "--dir", str(home / "lessons")]
    with (home / "log").open("w") as log:
        running = subprocess.Popen(line, env=env, cwd=home, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield _address(home / "log", running)
    finally:
        running.terminate()
        running.wait(20)
        shutil.rmtree(home, ignore_errors=True)


def _address(log: Path, running: subprocess.Popen[bytes]) -> str:
    """The address with its token, as printed for the person who started it."""
    for _ in range(600):
        assert running.poll() is None, log.read_text()
        found = re.search(r"http://127\.0\.0\.1:\d+/lab\S*token=\w+", log.read_text())
        if found:
            with urllib.request.urlopen(found[0], timeout=10):
                return found[0]
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture
def page(server: str) -> Iterator[Any]:
    """An empty browser tab that remembers every request and every page error."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=peers.find("chromium"), args=FLAGS)
        context = chromium.new_context(viewport={"width": 1300, "height": 1500}, locale="en-US", reduced_motion="reduce")
        tab = context.new_page()
        outside: list[str] = []
        errors: list[str] = []
        here = server.split("/lab")[0]
        tab.on("request", lambda r: None if r.url.startswith((here, "data:", "blob:")) else outside.append(r.url))
        tab.on("pageerror", lambda error: errors.append(str(error)))
        yield tab
        chromium.close()
        assert outside == []
        assert errors == []


def address(server: str, path: str) -> str:
    """Another page of the same server."""
    base, _, token = server.partition("?token=")
    return f"{base.split('/lab')[0]}/lab/tree/{path}?token={token}&reset"


def picture(page: Any, name: str) -> None:
    """Keep what was seen where IMAGELAB_PICTURES says, for a person to look at."""
    folder = os.environ.get("IMAGELAB_PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder) / name))


def run_all(page: Any, server: str, path: str) -> None:
    page.goto(address(server, path))
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_selector(".jp-NotebookPanel-toolbar", timeout=60_000)
    page.locator(".jp-Notebook .jp-Cell").first.click()
    status = page.locator(".jp-Notebook-ExecutionIndicator")
    for _ in range(600):
        if status.get_attribute("data-status") == "idle":
            break
        time.sleep(0.1)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def test_the_first_notebook_from_top_to_bottom(page: Any, server: str) -> None:
    """It opens by itself; bars fill up; the text stays; the last table appears."""
    from playwright.sync_api import expect

    page.goto(server)
    expect(page.get_by_role("tab", name=re.compile("01-getting-images"))).to_be_visible(timeout=60_000)
    run_all(page, server, "en/01-getting-images.ipynb")
    _until(page, 0, page.get_by_text("Status: Downloaded newer image for ubuntu:14.04"))
    first = page.locator(".jp-CodeCell").nth(1)
    expect(first.locator(".progress-bar-success")).to_have_count(5)
    first.scroll_into_view_if_needed()
    picture(page, "pull.png")
    last = page.locator(".jp-CodeCell").last
    _until(page, 10**6, last.locator("table.imagelab-table").nth(1))
    expect(last.locator("table.imagelab-table").last).to_contain_text("ubuntu:16.04")
    picture(page, "images.png")


def _until(page: Any, top: int, wanted: Any) -> None:
    """Keep the notebook scrolled to `top` until something is seen: Lab draws only the cells in view."""
    for _ in range(300):
        page.evaluate("top => document.querySelector('.jp-WindowedPanel-outer').scrollTo(0, top)", top)
        if wanted.count() and wanted.first.is_visible():
            return
        time.sleep(0.2)
    picture(page, "not-seen.png")
    raise AssertionError(f"never seen: {wanted}")


def test_docker_is_a_command_in_a_terminal(page: Any, server: str) -> None:
    """A JupyterLab terminal is a login shell that sets PATH anew: `docker` must be ours all the same."""
    token = server.partition("?token=")[2]
    here = server.split("/lab")[0]
    page.goto(f"{here}/lab?token={token}&reset")
    page.get_by_role("menuitem", name="File", exact=True).wait_for(timeout=60_000)
    if not page.locator(".jp-LauncherCard").count():
        page.get_by_title("New Launcher").first.click()
    page.locator(".jp-LauncherCard", has_text="Terminal").first.click()
    page.wait_for_selector(".jp-Terminal .xterm-helper-textarea", state="attached", timeout=60_000)
    time.sleep(2)
    page.locator(".jp-Terminal").click()
    page.keyboard.type("docker pull busybox && docker images > seen.txt\n")
    for _ in range(100):
        answer = page.request.get(f"{here}/api/contents/seen.txt?token={token}")
        if answer.ok and "busybox" in answer.json()["content"]:
            break
        time.sleep(0.2)
    else:
        raise AssertionError("docker images printed nothing in the terminal")
    time.sleep(0.5)
    picture(page, "terminal.png")
