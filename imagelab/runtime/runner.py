"""Who drives a container: a process of its own, or this one (`in_process`).

Supervised   `docker run -d` as people know it: goes on when the terminal is closed; ports are real
InProcess    where there are no processes (a browser) or no time for them (a test): goes on whenever somebody looks
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from imagelab.errors import ImageLabError, StoreError
from imagelab.runtime.driver import World
from imagelab.runtime.ports import PortTakenError
from imagelab.state.model import Container
from imagelab.state.steps import Standing
from imagelab.store.store import Store


class Runner(Protocol):
    """Starts containers, and gets them to do what was asked of them."""

    went_aside: bool

    def start(self, store: Store, container: Container, world: World) -> None:
        """Start its main program; returns when that waits for the first time, or is over. ImageLabError."""

    def pump(self) -> None:
        """Let those go on that cannot by themselves."""
        return

    def settle(self, patience: float) -> None:
        """Wait for those that only wait for time to pass, as `sleep 1` does, and not for longer than this (seconds)."""
        return

    def application(self, container_id: str, port: int) -> Any:
        """The WSGI application behind a port, or None when it is reached by its socket."""
        return None

    def expected(self, container_id: str) -> Standing | None:
        """How a container is to stand after the command at work, where that is known: it is done again."""
        return None

    def close(self) -> None:
        """Nobody will ask any more: what this process drives has come to its end."""
        return


class Supervised(Runner):
    """A process for each."""

    went_aside = False

    def start(self, store: Store, container: Container, world: World) -> None:
        from imagelab.runtime.supervisor import spawn

        folder = store.container_files(container.id)
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("processes", "hint", "sockets"):
            (folder / name).unlink(missing_ok=True)
        supervisor = spawn(store.directory, container.id, world.ports.name)

        if not wait_until(lambda: (folder / "processes").exists() or supervisor.poll() is not None):
            supervisor.kill()
            raise StoreError(f"the process for container {container.name} did not come up", hint="try again; is the machine very busy?")  # fmt: skip
        self._check(store, container, folder, supervisor.poll())
        supervisor.returncode = 0  # it lives on, and is not ours to wait for

    def _check(self, store: Store, container: Container, folder: Path, code: int | None) -> None:
        now = store.container(container.id)
        if code is None or now is None or now.status != "created":
            return
        if (folder / "hint").exists():
            raise PortTakenError(now.error, hint=(folder / "hint").read_text(encoding="utf-8"))
        errors = folder / "supervisor.err"
        said = now.error or (errors.read_text(encoding="utf-8", errors="replace").strip() if errors.exists() else "")
        error = ImageLabError(said.splitlines()[-1] if said else "the container did not start")
        error.exit_code = 125
        raise error


def wait_until(condition: Callable[[], bool], patience: float = 20.0) -> bool:
    """Wait for something; False when it did not happen in time (seconds)."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
