"""`imagelab lab` as a person meets it: JupyterLab in Chromium, the first notebook from top to bottom, a terminal.

The `tab` fixture holds, for each test, that no request left the machine and that the page had no error.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from typing import Any

import pytest

pytestmark = pytest.mark.browser

WATCH = """() => {
  window.seen = {bars: 0, full: 0};
  const look = () => {
    window.seen.bars = Math.max(window.seen.bars, document.querySelectorAll('.jupyter-widgets .progress-bar').length);
    window.seen.full = Math.max(window.seen.full, document.querySelectorAll('.jupyter-widgets .progress-bar-success').length);
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""
"""Remember the most progress bars, and the most that were full, that the page ever showed at once."""


def expect(found: Any) -> Any:
    from playwright.sync_api import expect

    return expect(found)


def test_the_first_lesson_from_top_to_bottom(tab: Any) -> None:
    """The welcome opens by itself; in the first lesson bars fill up; a picture of them stays, also after a reload; the last table appears."""
    page = tab.page
    page.goto(tab.server.address)
    expect(page.get_by_role("tab", name=re.compile("00-welcome"))).to_be_visible(timeout=60_000)
    tab.open("en/01-getting-images.ipynb")
    page.evaluate(WATCH)
    tab.run_all()
    pull = page.locator(".jp-CodeCell", has_text="%docker pull ubuntu:14.04")
    pull.scroll_into_view_if_needed()
    tab.picture("pull.png")
    seen = page.evaluate("() => window.seen")
    assert seen["bars"] >= 5
    assert seen["full"] >= 1
    the_pull_is_there(page)

    tab.command("docmanager:save")
    tab.open("en/01-getting-images.ipynb")
    the_pull_is_there(page)
    last = page.locator(".jp-CodeCell", has_text="--era 29 images ubuntu")
    last.scroll_into_view_if_needed()
    expect(last.locator("table.imagelab-table")).to_have_count(2)
    expect(last.get_by_role("cell", name="ubuntu:16.04")).to_be_visible()
    tab.picture("eras.png")


def the_pull_is_there(page: Any) -> None:
    """Five finished bars with their text, and no widget that has lost its kernel."""
    pull = page.locator(".jp-CodeCell", has_text="%docker pull ubuntu:14.04")
    pull.scroll_into_view_if_needed()
    expect(pull.locator(".track .progress-bar-success")).to_have_count(5, timeout=60_000)
    expect(pull.get_by_text("Pull complete")).to_have_count(5)
    expect(pull.get_by_text("Status: Downloaded newer image for ubuntu:14.04")).to_be_visible()
    expect(page.get_by_text("Error displaying widget")).to_have_count(0)
    expect(pull.locator(".jupyter-widgets")).to_have_count(0)


def test_the_second_notebook_in_chinese(tab: Any) -> None:
    """The dangling image is marked by a word."""
    tab.open("zh/02-listing-images.ipynb")
    tab.run_all()
    dangling = tab.page.locator(".jp-CodeCell", has_text="%docker images -f dangling=true").first
    dangling.scroll_into_view_if_needed()
    expect(dangling.locator("tr.m .mark")).to_have_text("dangling")
    tab.picture("dangling.png")
    tab.page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    expect(tab.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    expect(dangling.locator("tr.m .mark")).to_have_css("color", "rgb(245, 160, 76)")
    expect(tab.page.locator("#jupyterlab-splash")).to_have_count(0)
    tab.picture("dark.png")


def test_docker_is_a_command_in_a_terminal(tab: Any) -> None:
    """A JupyterLab terminal is a login shell that sets PATH anew: `docker` must be ours all the same."""
    page = tab.page
    tab.terminal()
    page.keyboard.type("docker pull -q busybox && docker images > seen.txt; imagelab images >> seen.txt\n")
    seen = tab.server.lessons / "seen.txt"
    for _ in range(200):
        if seen.exists() and seen.read_text(encoding="utf-8").count("busybox") == 2:
            break
        time.sleep(0.1)
    tab.picture("terminal.png")
    assert seen.read_text(encoding="utf-8").count("REPOSITORY") == 2


def test_a_published_port_before_and_after_exec(tab: Any) -> None:
    """The book's commit walk: the page at the mapped port changes when a file in the container does."""
    page = tab.page
    tab.terminal()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tab.type(f"IMAGELAB_PORTS=exact docker run --name webserver -d -p {port}:80 nginx && touch up")
    tab.wait_for("up")
    browser = page.context.browser.new_page()
    browser.goto(f"http://127.0.0.1:{port}/")
    expect(browser.locator("h1")).to_have_text("Welcome to nginx!")
    tab.type("docker exec -it webserver bash")
    tab.type("echo '<h1>Hello, Docker!</h1>' > /usr/share/nginx/html/index.html")
    tab.type("exit")
    tab.type("docker diff webserver > diff.txt; touch changed")
    tab.wait_for("changed")
    browser.reload()
    expect(browser.locator("h1")).to_have_text("Hello, Docker!")
    assert "A /root/.bash_history\n" in (tab.server.lessons / "diff.txt").read_text(encoding="utf-8")
    folder = os.environ.get("IMAGELAB_PICTURES")
    if folder:
        browser.screenshot(path=f"{folder}/port.png")
    browser.close()
    tab.type("docker rm -f webserver; touch removed")
    tab.wait_for("removed")


def test_an_interactive_shell_in_a_terminal(tab: Any) -> None:
    """Line editing, history and completion, as in any shell: an arrow key, the Tab key, a line that is given up."""
    tab.terminal()
    tab.type("docker pull -q ubuntu:14.04 && touch ready")
    tab.wait_for("ready")
    tab.type("docker run -it --rm --name shell ubuntu:14.04 bash; touch left", wait=3)
    tab.type("cat /etc/os-rel\t", wait=1)
    tab.type("echo secnd > /srv/note", enter=False)
    for _ in range(len("nd > /srv/note")):
        tab.page.keyboard.press("ArrowLeft")
    tab.page.keyboard.type("o")
    tab.page.keyboard.press("Enter")
    time.sleep(0.7)
    tab.type("while :; do :; done", wait=1)
    tab.page.keyboard.press("Control+c")
    time.sleep(1)
    tab.type("never run this", enter=False)
    tab.page.keyboard.press("Control+c")
    time.sleep(0.5)
    tab.page.keyboard.press("ArrowUp")
    tab.page.keyboard.press("ArrowUp")
    tab.page.keyboard.press("Enter")
    time.sleep(0.7)
    tab.picture("shell.png")
    found = subprocess.run(
        [sys.executable, "-m", "imagelab", "exec", "shell", "cat", "/srv/note"], capture_output=True, text=True, env=tab.server.environment,
        check=False,
    )  # fmt: skip
    assert found.stdout == "second\n", found
    tab.type("exit", wait=1)
    tab.wait_for("left")
