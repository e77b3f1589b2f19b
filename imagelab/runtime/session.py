"""A program at work in a container: in turns, each one locked transaction on the container's files.

    Workspace   a container's files: read before a turn, written after it if they changed
    Session     one program (the container's own, or one of `exec`) and its steps
    drive       turn after turn, until it ends: waits when it waits, types what is typed, passes signals on

A turn lasts until the program waits for something, or a moment has passed. No other process changes the container's files
meanwhile, and between two turns everybody sees them: so a notebook and a terminal can work in one container at once,
and no write of either is lost. A process that is killed in the middle of a turn has changed nothing.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from imagelab.layers.tree import Tree, diff
from imagelab.layers.writable_layer import init_layer, init_tree, is_mounted, moved
from imagelab.runtime.filesystem import FileSystem
from imagelab.runtime.process import SIGNALS, Machine, Process, Steps
from imagelab.runtime.streams import Stream
from imagelab.state.model import Container
from imagelab.store.store import Store

TURN = 0.25
"""Seconds a turn may last while others wait."""
GLANCE = 0.02
"""Seconds between two looks at what may have come: a signal, input, another's change."""
SECOND = 1_000_000_000


class GoneError(Exception):
    """The container was removed while a program worked in it."""


class Workspace:
    """A container's files. `clock` gives nanoseconds since 1970; `counted`: its changes are changes of the lab."""

    def __init__(
        self, store: Store, container: Container, clock: Callable[[], int], *, creates_step: bool = True
    ) -> None:
        self.store, self.id = store, container.id
        self._creates_step, self._clock = creates_step, clock
        self._moment: int | None = None
        self.late: int | None = None
        """When the next change began, where a log says that: a command came in between."""
        init = init_layer(container.config["Hostname"], container.created // SECOND)
        image = store.tree(container.layers[-1]) if container.layers else Tree.empty()
        self.init = init_tree(image, init)
        self._threads = threading.RLock()
        self._depth = 0
        self._version: str | None = None
        self._tree = self.init
        self.files = FileSystem(self.init, store.read_file, lambda: self.now() // SECOND)
        self._init_contents = init.contents
        self.files.contents |= init.contents

    def now(self) -> int:
        """By its lab's clock; a turn of a container's own program is one moment, whoever changes the lab meanwhile."""
        if self.late is not None:
            return self.late
        return self._clock() if self._moment is None else self._moment

    @contextmanager
    def turn(self) -> Iterator[FileSystem]:
        """The files, for oneself; what changed is stored at the end. GoneError."""
        from imagelab.store.locks import locked

        with self._threads:
            self._depth += 1
            try:
                if self._depth > 1:
                    yield self.files
                    return
                folder = self.store.container_files(self.id)
                if not folder.is_dir():
                    raise GoneError(self.id)
                with locked(folder / "turn"):
                    self._read()
                    self._moment = None if self._creates_step else self._clock()
                    yield self.files
                    self._write()
            finally:
                self._depth -= 1
                if not self._depth:
                    self._moment = None

    def read(self) -> Tree:
        """The files as they are now, for looking only."""
        with self._threads:
            self._read()
            return self.files.tree()

    def _read(self) -> None:
        version = self.store.container_version(self.id)
        if version is None:
            raise GoneError(self.id)
        if version == self._version:
            return
        self._version = version
        self._tree = moved(self.init, self.store.container_changes(version))
        self.files.reset(self._tree)
        self.files.contents = dict(self._init_contents)

    def _write(self) -> None:
        tree = self.files.tree()
        if tree is self._tree:
            return
        changes = tuple(change for change in diff(self.init, tree) if not is_mounted(change.path))
        with self.store.transaction(creates_step=self._creates_step) as tx:
            if tx.container(self.id) is None:
                raise GoneError(self.id)
            tx.put_changes(self.id, changes, self.files.contents)
            if self._moment is not None and self._moment != self._clock() and self.store.setting("clock") == "class":
                tx.came_late(self.id, self.store.put_blob(str(self._moment).encode()))
        self.late = None
        self._version = self.store.container_version(self.id)
        self._tree = tree
        self.files.contents = dict(self._init_contents)


# -- what is typed ------------------------------------------------------------------------------------------


class InteractiveInput(Stream):
    """Input that is fetched when the program waits for it. `more()` may block; b"" is the end."""

    def __init__(self, more: Callable[[], bytes]) -> None:
        super().__init__()
        self._more, self._waiting = more, b""
        self.wanted = self.ended = False

    def read(self, size: int) -> bytes | None:
        data, self._waiting = self._waiting[:size], self._waiting[size:]
        if data or self.ended:
            return data
        self.wanted = True
        return None

    def fill(self) -> None:
        """Fetch some."""
        self.wanted = False
        data = self._more()
        self._waiting += data
        self.ended = not data

    def given_up(self) -> bool:
        """Ctrl-C instead of input: True when it only means another prompt."""
        return False


GIVEN_UP = b"\x03\n"
"""What a shell reads instead of a line that was given up with Ctrl-C."""
Completion = Callable[[str], list[str]]


class Terminal(InteractiveInput):
    """The learner at a keyboard, line by line. `ask(prompt, history, completion)` gives a line, b"" for Ctrl-D."""

    is_terminal = True
    _prompted = False

    def __init__(self, ask: Callable[[str, list[str], Completion], bytes]) -> None:
        super().__init__(self._asked)
        self._ask = ask
        self._prompt: tuple[str, list[str], Completion] = ("", [], lambda line: [])

    def prepare(self, prompt: str, history: list[str], completion: Completion) -> None:
        """What to show when the next line is asked for."""
        self._prompt = (prompt, history, completion)

    def _asked(self) -> bytes:
        self._prompted = bool(self._prompt[0])
        prompt, self._prompt = self._prompt, ("", [], lambda line: [])
        return self._ask(*prompt)

    def given_up(self) -> bool:
        if self._prompted:
            self._waiting += GIVEN_UP
        return self._prompted

    def read(self, size: int) -> bytes | None:
        data = super().read(size)
        self.ended = False  # Ctrl-D ends one reading, not the terminal
        return data


# -- a program ----------------------------------------------------------------------------------------------


class Session:
    """One program. `code` is None until it is over."""

    def __init__(self, workspace: Workspace, machine: Machine, main: Process, steps: Steps) -> None:
        self.workspace, self.machine, self.main = workspace, machine, main
        self._steps = steps
        self.code: int | None = None
        self.interrupted = False
        """The learner pressed Ctrl-C."""

    def take_turn(self) -> float:
        """Let it work until it waits, or a moment has passed: seconds it can wait. GoneError."""
        if self.interrupted:
            self.interrupted = False
            self.interrupt()
        if self.code is not None:
            return 0
        with self.workspace.turn():
            end = time.monotonic() + TURN
            try:
                while (wait := next(self._steps)) == 0 and time.monotonic() < end:
                    pass
            except StopIteration as stopped:
                self.code = stopped.value
                return 0
        return wait

    def signal(self, number: int, pid: int | None = None) -> None:
        """Send a signal to a process, by default the main one."""
        target = self.machine.processes.get(self.main.pid if pid is None else pid)
        if target is not None:
            target.signal(number)

    def interrupt(self) -> None:
        """Ctrl-C: everything at work gets SIGINT. A main program that does not care for it is ended all the same."""
        for process in list(self.machine.processes.values()):
            process.signal(SIGNALS["INT"])
        if SIGNALS["INT"] not in self.main.handled:
            self.stop(128 + SIGNALS["INT"])

    def stop(self, code: int) -> None:
        """End it at once."""
        self.code = code
        self._steps.close()


def drive(session: Session, *, typed: InteractiveInput | None = None, look: Callable[[], None] | None = None) -> int:
    """Run to the end; the exit code. `look` is called between turns: it may send signals. GoneError."""
    with _interrupts(session):
        while session.code is None:
            wait = session.take_turn()
            if look is not None:
                look()
            if session.code is not None or not wait:
                continue
            if typed is not None and typed.wanted:
                _fill(typed, session)
            else:
                time.sleep(min(wait, GLANCE))
    return session.code


def _fill(typed: InteractiveInput, session: Session) -> None:
    try:
        with _on_interrupt(signal.default_int_handler):
            typed.fill()
    except KeyboardInterrupt:
        if not typed.given_up():
            session.interrupted = True


@contextmanager
def _interrupts(session: Session) -> Iterator[None]:
    """Ctrl-C interrupts the program and not this one; when it has not noticed in a while, the next is for this one."""
    since = 0.0

    def pass_on(number: int, frame: object) -> None:
        nonlocal since
        if session.interrupted and time.monotonic() - since > 4 * TURN:
            raise KeyboardInterrupt
        since = since if session.interrupted else time.monotonic()
        session.interrupted = True

    with _on_interrupt(pass_on):
        yield


@contextmanager
def _on_interrupt(handler: Any) -> Iterator[None]:
    """What Ctrl-C does meanwhile, where this thread is the one to ask."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
