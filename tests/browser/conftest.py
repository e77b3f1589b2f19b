"""`imagelab lab` in a folder of its own, with nobody's settings, and a Chromium that remembers every request."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import peers

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --force-color-profile=srgb"
).split()

APP = """async () => {
  const end = Date.now() + 60000, sleep = ms => new Promise(done => setTimeout(done, ms));
  const until = async (what, ready) => {
    for (;;) { const value = ready(); if (value) return value; if (Date.now() > end) throw new Error(what); await sleep(50); }
  };
  const app = await until('JupyterLab', () => window.jupyterapp);
  await app.restored;
"""

RUN_ALL = (
    APP
    + """
  const panel = await until('the notebook', () => app.shell.currentWidget?.sessionContext && app.shell.currentWidget);
  await panel.context.ready; await panel.sessionContext.ready;
  await until('the kernel', () => panel.sessionContext.session?.kernel?.connectionStatus === 'connected'
    && panel.sessionContext.kernelDisplayStatus === 'idle');
  app.shell.activateById(panel.id);
  return await app.commands.execute('notebook:run-all-cells');
}"""
)
"""Run every cell of the notebook that shows; resolves when the last one is done."""

RUN_COMMAND = APP.replace("async ()", "async command") + "  await app.commands.execute(command);\n}"
"""Do what a menu entry would."""


@dataclass(frozen=True)
class Server:
    """A running `imagelab lab`: the address it printed, and where the learner's files are."""

    address: str
    lessons: Path
    environment: dict[str, str]

    @property
    def base(self) -> str:
        return self.address.partition("/lab")[0]

    def url(self, path: str) -> str:
        return f"{self.base}/lab/tree/{path}?token={self.address.partition('token=')[2]}&reset"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(home: Path) -> dict[str, str]:
    """Nobody's: an empty home, and JupyterLab's application within reach of the page, for `RUN_ALL`."""
    config = home / "config"
    config.mkdir()
    (config / "jupyter_lab_config.py").write_text("c.LabApp.expose_app_in_browser = True\n", encoding="utf-8")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "IMAGELAB", "JPY"))}
    return env | {
        "HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache"), "LANG": "C.UTF-8",
        "IPYTHONDIR": str(home / "ipython"), "JUPYTER_CONFIG_DIR": str(config), "JUPYTER_PLATFORM_DIRS": "1",
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"), "IMAGELAB_PORTS": "private",
    }  # fmt: skip


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`imagelab lab --no-browser --port N`, started as a person would, ended by a signal to that one process."""
    peers.need("chromium")
    home, port = tmp_path_factory.mktemp("home"), _free_port()
    lessons = home / "lessons"
    line = [sys.executable, "-m", "imagelab", "lab", "--no-browser", "--port", str(port), "--dir", str(lessons)]
    environment = _environment(home)
    with (home / "log").open("w") as log:
        running = subprocess.Popen(line, env=environment, cwd=home, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield Server(_address(home / "log", running), lessons, environment)
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(20)


def _address(log: Path, running: subprocess.Popen[bytes]) -> str:
    """The address with its token, as printed for the person who started it."""
    for _ in range(600):
        assert running.poll() is None, log.read_text(encoding="utf-8")
        if found := re.search(r"http://\S+/lab\S*token=\w+", log.read_text(encoding="utf-8")):
            return found[0]
        time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8"))


class Tab:
    """A browser tab on the server; `page` is Playwright's."""

    def __init__(self, page: Any, server: Server) -> None:
        self.page, self.server = page, server

    def open(self, path: str) -> None:
        """A notebook of the learner's, in a fresh workspace."""
        self.page.goto(self.server.url(path))

    def run_all(self) -> None:
        """Every cell of the notebook that shows, to the end."""
        assert self.page.evaluate(RUN_ALL) is not False, "a cell failed"

    def run_cells(self, name: str, sources: Sequence[str]) -> None:
        """A notebook of these code cells, written, opened and run."""
        cells = [
            {
                "cell_type": "code",
                "id": f"c{at}",
                "source": text,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            for at, text in enumerate(sources)
        ]
        kernel = {"name": "python3", "display_name": "Python 3"}
        text = json.dumps({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
        (self.server.lessons / name).write_text(text, encoding="utf-8")
        self.open(name)
        self.run_all()

    def command(self, name: str) -> None:
        """What a menu entry would do."""
        self.page.evaluate(RUN_COMMAND, name)

    def terminal(self) -> None:
        """A terminal in front, ready for keys."""
        self.page.goto(f"{self.server.base}/lab?token={self.server.address.partition('token=')[2]}&reset")
        self.command("terminal:create-new")
        self.page.locator(".jp-Terminal .xterm-helper-textarea").wait_for(state="attached", timeout=60_000)
        time.sleep(2)
        self.page.locator(".jp-Terminal").click()

    def type(self, text: str, *, enter: bool = True, wait: float = 0.7) -> None:
        """Type into the terminal, and give whoever reads it a moment (seconds)."""
        self.page.keyboard.type(text.rstrip("\t"))
        if text.endswith("\t"):
            self.page.keyboard.press("Tab")
            time.sleep(0.5)
        if enter:
            self.page.keyboard.press("Enter")
        time.sleep(wait)

    def wait_for(self, name: str) -> None:
        """Until a file appears in the learner's folder."""
        for _ in range(300):
            if (self.server.lessons / name).exists():
                return
            time.sleep(0.1)
        self.picture("waiting.png")
        raise AssertionError(f"{name} never came")

    def picture(self, name: str) -> None:
        """Keep what is seen where IMAGELAB_PICTURES says, for a person to look at."""
        folder = os.environ.get("IMAGELAB_PICTURES")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder) / name))


@pytest.fixture
def tab(server: Server) -> Iterator[Tab]:
    """An empty tab. Afterwards: no request has left the machine, and no error has occurred in the page."""
    sync_api = _playwright()
    outside: list[str] = []
    errors: list[str] = []
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=peers.find("chromium"), args=FLAGS)
        page = chromium.new_page(viewport={"width": 1300, "height": 1400}, locale="en-US", reduced_motion="reduce")
        local = (server.base, server.base.replace("http", "ws", 1), "data:", "blob:")
        page.on("request", lambda request: None if request.url.startswith(local) else outside.append(request.url))
        page.on("websocket", lambda socket: None if socket.url.startswith(local) else outside.append(socket.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield Tab(page, server)
        chromium.close()
    assert outside == []
    assert errors == []


def _playwright() -> Any:
    """In CI it has to be there."""
    if os.environ.get("CI"):
        import playwright.sync_api

        return playwright.sync_api
    return pytest.importorskip("playwright.sync_api")
