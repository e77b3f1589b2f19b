"""A container's life from start to exit, in whichever process drives it.

    containers/<id>/alive      locked as long as a process drives it: a container whose lock is free does not live
    containers/<id>/log        what it printed: one JSON object a line, as Docker's json-file driver writes
    containers/<id>/signals    what others want of it: signal numbers, `pause`, `unpause`, one a line
    containers/<id>/stdin      what `attach` types
    containers/<id>/processes  who runs in it, for `docker top` and `ps`

The database says what a container *is* (running, exited, with which code), these files how to reach it. A lock cannot
outlive its owner, not even by `kill -9` or a power cut, so a status that says "running" without a lock is a lie, and
the next process that looks corrects it: `Exited (137)`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imagelab.runtime import execution
from imagelab.runtime.filesystem import Errno
from imagelab.runtime.ports import PortRules
from imagelab.runtime.process import SIGNALS, Machine, Process
from imagelab.runtime.session import GLANCE, Session, Workspace
from imagelab.runtime.streams import Output, Stream, text
from imagelab.state.model import Container
from imagelab.store.store import Store
from imagelab.units import rfc3339


@dataclass(frozen=True, slots=True)
class World:
    """What a container is given of the world."""

    clock: Callable[[], int]
    """Nanoseconds since 1970."""
    monotonic: Callable[[], float] = time.monotonic
    noise: Callable[[int], bytes] = os.urandom
    width: int = 80
    ports: PortRules = PortRules(machine=False, sockets=False)


def machine_for(store: Store, container: Container, workspace: Workspace, world: World) -> Machine:
    """The machine a container's processes share."""
    from imagelab.runtime.services import PROGRAMS
    from imagelab.runtime.shell import programs

    folder = store.container_files(container.id)
    return Machine(
        workspace.files,
        container.config["Hostname"],
        world.clock,
        world.monotonic,
        world.noise,
        {**programs(), **PROGRAMS},
        others=lambda: processes(folder),
        kill_other=lambda pid, number: (
            pid in {known for known, _, _ in processes(folder)} and ask(folder, f"{number} {pid}")
        ),
        width=world.width,
    )


def begin(
    machine: Machine, args: list[str], env: Mapping[str, str], cwd: str, user: str, streams: Mapping[int, Stream]
) -> Process:
    """A process as `docker run` and `exec` start one: its user, its HOME, its directory. NoSuchAccount, Errno."""
    from imagelab.runtime.userland.accounts import user_of

    root = Process(machine, ["init"], {}, "/")
    root.close()
    machine.next_pid -= 1
    who, home = user_of(root, user)
    environment = {"PATH": execution.DEFAULT_PATH, "HOSTNAME": machine.hostname} | dict(env)
    environment.setdefault("HOME", home)
    return Process(machine, args, environment, cwd or "/", who, streams)


def environment_of(container: Container) -> dict[str, str]:
    """`Env` as a mapping."""
    found = {}
    for entry in container.config.get("Env") or []:
        name, _, value = entry.partition("=")
        found[name] = value
    if container.config.get("Tty"):
        found.setdefault("TERM", "xterm")
    return found


FROZEN = "frozen"
"""The file in a container's folder that is there while its driver has stopped everything of it."""


class Log:
    """What a container prints, kept line by line."""

    def __init__(self, file: Path, clock: Callable[[], int], *, tty: bool) -> None:
        self._file, self._clock, self._tty = file.open("ab"), clock, tty
        self._pending = {"stdout": b"", "stderr": b""}

    def write(self, stream: str, data: bytes) -> None:
        """Take some bytes; whole lines are written at once."""
        if self._tty:
            data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        *lines, rest = (self._pending[stream] + data).split(b"\n")
        self._pending[stream] = rest
        for line in lines:
            self._entry(stream, line + b"\n")
        if self._tty and rest:  # a prompt has no end
            self._entry(stream, rest)
            self._pending[stream] = b""
        self._file.flush()

    def _entry(self, stream: str, line: bytes) -> None:
        entry = {"log": text(line), "stream": stream, "time": rfc3339(self._clock())}
        self._file.write(json.dumps(entry).encode() + b"\n")

    def close(self) -> None:
        for stream, rest in self._pending.items():
            if rest:
                self._entry(stream, rest)
        self._file.close()


class Main:
    """A container's main program, being driven. `listen(port, app)` makes a published port answer."""

    def __init__(
        self, store: Store, container: Container, world: World, *, stdin: Stream,
        show: Callable[[int, bytes], object] | None = None,
        listen: Callable[[Container, int, Any], None] = lambda container, port, app: None,
    ) -> None:  # fmt: skip
        self.store, self.world, self._listen = store, world, listen
        self.folder = store.container_files(container.id)
        self.id = container.id
        self._undo = ExitStack()
        self.paused = False
        self.asked = 0
        """How many signals have come from outside."""
        self._seen = (self.folder / "signals").stat().st_size if (self.folder / "signals").exists() else 0
        self._served: set[int] = set()
        self._processes = ""
        self._begin(container, stdin, show)

    def _begin(self, container: Container, stdin: Stream, show: Callable[[int, bytes], object] | None) -> None:
        from imagelab.store.locks import locked

        self.folder.mkdir(parents=True, exist_ok=True)
        self._undo.enter_context(locked(self.folder / "alive"))
        tty = bool(container.config.get("Tty"))
        self.log = Log(self.folder / "log", self.world.clock, tty=tty)
        self._undo.callback(self.log.close)
        self._say_frozen()

        def output(stream: str, fd: int) -> Output:
            def take(data: bytes) -> None:
                self.log.write(stream, data)
                if show is not None:
                    show(fd, data)

            return Output(take, terminal=tty)

        self.workspace = Workspace(self.store, container, self.world.clock, creates_step=False)
        machine = machine_for(self.store, container, self.workspace, replace(self.world, clock=self.workspace.now))
        out = output("stdout", 1)
        streams = {0: stdin, 1: out, 2: out if tty else output("stderr", 2)}
        with self.workspace.turn() as files:
            cwd = container.config.get("WorkingDir") or "/"
            main = begin(machine, list(container.command), environment_of(container), cwd, container.config.get("User") or "", streams)  # fmt: skip
            make_directory(files, cwd)
            path = execution.locate(main, main.args[0], main.env.get("PATH"))
            program, main.args = execution.resolve(main, path, main.args)
        steps = execution.main(machine, execution.live(program, main))
        self.session = Session(self.workspace, machine, main, steps)
        started = (
            container.started if container.running else self.world.clock()
        )  # running already: brought back by redo
        self._status("running", container, started=started, pid=os.getpid(), exit_code=0, error="")

    def _status(self, status: str, container: Container, **more: Any) -> None:
        with self.store.transaction(creates_step=False) as tx:
            current = tx.container(container.id)
            if current is not None:
                tx.put_container(replace(current, status=status, **more))

    # -- between turns --------------------------------------------------------------------------------------

    def look(self) -> None:
        """Do what others asked for; make new services answer; say who runs."""
        self._obey()
        for port, app in list(self.session.machine.services.items()):
            if port not in self._served:
                self._served.add(port)
                container = self.store.container(self.id)
                if container is not None:
                    self._listen(container, port, None if app is None else self.application(port))
        self._say_who_runs()

    def look_and_wait(self, check: Callable[[], None] = lambda: None) -> None:
        """The same, and stay here while it is paused; `check` is called meanwhile."""
        self.look()
        while self.paused and self.session.code is None:
            time.sleep(GLANCE)
            check()
            self.look()

    def application(self, port: int) -> Any:
        """The service behind a port, each request a turn of its own on the files as they are then."""

        def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            with self.workspace.turn():
                service = self.session.machine.services.get(port)
                if service is None:
                    start_response("502 Bad Gateway", [("Content-Length", "0")])
                    return []
                return list(service(environ | {"imagelab.port": port}, start_response))

        return answer if self.session.machine.services.get(port) is not None else None

    def _obey(self) -> None:
        file = self.folder / "signals"
        if not file.exists() or file.stat().st_size <= self._seen:
            return
        with file.open("rb") as handle:
            handle.seek(self._seen)
            asked = handle.read()
        whole = asked[: asked.rfind(b"\n") + 1]
        self._seen += len(whole)
        for line in whole.decode().splitlines():
            self._one(line)

    def _one(self, line: str) -> None:
        if line in ("pause", "unpause"):
            self.paused = line == "pause"
            self._say_frozen()
            return
        self.asked += 1
        number, _, pid = line.partition(" ")
        if int(number) == SIGNALS["KILL"] and not pid:
            self.session.stop(128 + SIGNALS["KILL"])
        else:
            self.session.signal(int(number), int(pid) if pid else None)

    def _say_frozen(self) -> None:
        """Those who asked for a pause wait for this: from here on nothing of it writes."""
        if self.paused:
            (self.folder / FROZEN).touch()
        else:
            (self.folder / FROZEN).unlink(missing_ok=True)

    def _say_who_runs(self) -> None:
        from imagelab.runtime.userland.accounts import user_name

        machine = self.session.machine
        rows = [[p.pid, user_name(p, p.user.uid), " ".join(p.args)] for p in list(machine.processes.values())]
        if (listed := json.dumps(rows)) != self._processes:
            self._processes = listed
            temporary = self.folder / "processes.new"
            temporary.write_text(listed, encoding="utf-8")
            temporary.replace(self.folder / "processes")

    # -- the end --------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Let go of it in the middle: somebody else will drive it again."""
        self.session.stop(128 + SIGNALS["KILL"])
        self._undo.close()

    def finish(self) -> int:
        """Write down how it ended, and let go; a container with --rm goes. The exit code."""
        code = self.session.code if self.session.code is not None else 128 + SIGNALS["KILL"]
        (self.folder / "processes").unlink(missing_ok=True)
        container = self.store.container(self.id)
        if container is not None:
            self._status("exited", container, finished=self.world.clock(), exit_code=code, pid=0, ports={})
        self._undo.close()
        if container is not None and container.host.get("AutoRemove"):
            discard(self.store, self.id, creates_step=False)
        return code


def make_directory(files: Any, path: str) -> None:
    """`-w` makes the directory, with those above it (R6.7)."""
    from imagelab.runtime.filesystem import ROOT

    at = ""
    for name in path.strip("/").split("/"):
        at = f"{at}/{name}"
        try:
            files.stat(ROOT, at)
        except Errno:
            files.mkdir(ROOT, at)


# -- seen from outside --------------------------------------------------------------------------------------


def is_alive(store: Store, container_id: str) -> bool:
    """Does a process drive it?"""
    from imagelab.store.locks import locked

    folder = store.container_files(container_id)
    if not folder.is_dir():
        return False
    with locked(folder / "alive", wait=False) as ours:
        return not ours


def ask(folder: Path, line: str) -> bool:
    """Leave a signal (or `pause`, `unpause`) for the process that drives it."""
    with (folder / "signals").open("ab") as file:
        file.write(line.encode() + b"\n")
    return True


def processes(folder: Path) -> list[tuple[int, str, str]]:
    """(pid, user, command line) of those that run in it."""
    try:
        listed = json.loads((folder / "processes").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return [(int(pid), str(user), str(command)) for pid, user, command in listed]


def discard(store: Store, container_id: str, *, creates_step: bool = True) -> None:
    """Remove a container: its row, its writable layer; its log is archived, for as long as an undo could want it."""
    with store.transaction(creates_step=creates_step) as tx:
        tx.delete_container(container_id)
    archive_files(store.container_files(container_id))


def archive_files(folder: Path) -> None:
    """Move the files of a removed container to where only `restore_files` looks for them."""
    import shutil

    gone = archive_of(folder)
    if folder.is_dir():
        shutil.rmtree(gone, ignore_errors=True)
        try:
            folder.rename(gone)
        except OSError:  # a file in it is open, where that matters: then there is nothing to keep
            shutil.rmtree(folder, ignore_errors=True)


def restore_files(folder: Path) -> None:
    """Bring back the files of a container that is there again."""
    if not folder.is_dir():
        gone = archive_of(folder)
        if gone.is_dir():
            gone.rename(folder)
        else:
            folder.mkdir(parents=True)


def archive_of(folder: Path) -> Path:
    """Where the files of a removed container are."""
    return folder.with_name(f"{folder.name}.gone")
