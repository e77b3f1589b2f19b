"""Who drives a container: a process of its own, or this one.

Supervised   `docker run -d` as people know it: goes on when the terminal is closed; ports are real
InProcess    where there are no processes (a browser) or no time for them (a test): goes on whenever somebody looks
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from imagelab.errors import ImageLabError, StoreError
from imagelab.runtime.driver import Main, World
from imagelab.runtime.process import FOREVER
from imagelab.runtime.session import GoneError
from imagelab.runtime.standard_input import AttachedInput, standard_input
from imagelab.runtime.streams import Stream
from imagelab.state.model import Container
from imagelab.store.store import Store

PATIENCE = 1.0
"""Seconds that one that never waits may take of somebody else's question."""


class Runner(Protocol):
    """Starts containers, and gets them to do what was asked of them."""

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

    def close(self) -> None:
        """Nobody will ask any more: what this process drives has come to its end."""
        return


class Supervised(Runner):
    """A process for each."""

    def start(self, store: Store, container: Container, world: World) -> None:
        from imagelab.runtime.supervisor import spawn

        folder = store.container_files(container.id)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "processes").unlink(missing_ok=True)
        supervisor = spawn(store.directory, container.id)

        if not wait_until(lambda: (folder / "processes").exists() or supervisor.poll() is not None):
            supervisor.kill()
            raise StoreError(f"the process for container {container.name} did not come up", hint="try again; is the machine very busy?")  # fmt: skip
        self._check(store, container, folder, supervisor.poll())
        supervisor.returncode = 0  # it lives on, and is not ours to wait for

    def _check(self, store: Store, container: Container, folder: Path, code: int | None) -> None:
        now = store.container(container.id)
        if code is None or now is None or now.status != "created":
            return
        errors = folder / "supervisor.err"
        said = now.error or (errors.read_text(encoding="utf-8", errors="replace").strip() if errors.exists() else "")
        error = ImageLabError(said.splitlines()[-1] if said else "the container did not start")
        error.exit_code = 125
        raise error


class InProcess(Runner):
    """All of them in this process, in turns that somebody else's questions give them."""

    def __init__(self) -> None:
        self._mains: dict[str, Main] = {}
        self._inputs: dict[str, Stream] = {}
        self._waits: dict[str, float] = {}
        """Seconds that each can wait, as it said last."""

    def start(self, store: Store, container: Container, world: World) -> None:
        stdin = standard_input(container, store.container_files(container.id))
        self._mains[container.id] = Main(store, container, world, stdin=stdin)
        self._inputs[container.id], self._waits[container.id] = stdin, FOREVER
        self.pump()

    def pump(self) -> None:
        for container_id, main in list(self._mains.items()):
            try:
                self._go_on(main)
            except GoneError:
                main.session.stop(137)
            if main.session.code is not None:
                main.finish()
                del self._mains[container_id], self._inputs[container_id], self._waits[container_id]

    def settle(self, patience: float) -> None:
        end = time.monotonic() + patience
        self.pump()
        while self._waits and (wait := min(self._waits.values())) < end - time.monotonic():
            time.sleep(wait)
            self.pump()

    def _go_on(self, main: Main) -> None:
        main.look()
        if isinstance(stdin := self._inputs[main.id], AttachedInput):
            stdin.fill()
        end = time.monotonic() + PATIENCE
        self._waits[main.id] = FOREVER
        while main.session.code is None and not main.paused and time.monotonic() < end:
            self._waits[main.id] = main.session.take_turn()
            if self._waits[main.id] > 0:
                break
        main.look()

    def application(self, container_id: str, port: int) -> Any:
        main = self._mains.get(container_id)
        return main.application(port) if main else None

    def close(self) -> None:
        for main in self._mains.values():
            main.session.stop(137)
            main.finish()
        self._mains.clear()


def wait_until(condition: Callable[[], bool], patience: float = 20.0) -> bool:
    """Wait for something; False when it did not happen in time (seconds)."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
