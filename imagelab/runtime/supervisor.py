"""`docker run -d` without a daemon: one process for one container, which ends with it.

    whoever runs `docker run -d`   starts this module as a process of its own, and waits until the container is up
    the supervisor                 drives the container's program, keeps its log, serves its ports, writes its exit code

It belongs to no terminal, so closing one does not end it. It looks now and then whether its container still exists, so
that nothing is left behind by `docker rm -f`, or when the whole lab is deleted.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from imagelab.errors import ImageLabError
from imagelab.runtime.driver import Main, World
from imagelab.runtime.ports import bound
from imagelab.runtime.session import GoneError, drive
from imagelab.runtime.standard_input import AttachedInput, standard_input
from imagelab.state.model import Container
from imagelab.store.store import Store


def spawn(directory: Path, container_id: str, ports: str = "exact") -> subprocess.Popen[bytes]:
    """Start a supervisor, detached from this process and its terminal."""
    with (directory / "containers" / container_id / "supervisor.err").open("wb") as errors:
        return detached(["--lab", str(directory), "supervise", "--ports", ports, container_id], errors)


def detached(line: list[str], errors: IO[bytes] | int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """An imagelab command line in a process of its own."""
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    command = [sys.executable, "-m", "imagelab", *line]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, **options)


OWNER = "owner"
"""The file in a lesson's lab that its process holds locked."""
OWNER_VARIABLE = "IMAGELAB_OWNER"
"""Where the environment names such a file for every container started in it: that of a Jupyter server."""


def supervise(store: Store, container: Container, world: World, owner: Path | None = None) -> int:
    """Drive a container to its end; its exit code. `owner`: a file that a process holds locked, which ends it with it."""
    folder = store.container_files(container.id)
    stdin = standard_input(container, folder)
    with bound(store, container, world.ports) as sockets:
        main = Main(store, container, world, stdin=stdin, listen=sockets.listen)
        last = time.monotonic()

        def check() -> None:
            """GoneError when nobody wants it any more."""
            nonlocal last
            if time.monotonic() - last > 1:
                last = time.monotonic()
                gone = not folder.is_dir() or store.container_version(container.id) is None
                if gone or is_abandoned(store.directory) or (owner is not None and is_over(owner)):
                    raise GoneError(container.id)

        def look() -> None:
            main.look_and_wait(check)
            if isinstance(stdin, AttachedInput):
                stdin.fill()
            check()

        try:
            drive(main.session, look=look)
        finally:
            sockets.close()  # before anybody can read that it has exited
            code = main.finish()
    return code


def is_abandoned(directory: Path) -> bool:
    """A lesson's lab belongs to a process, which holds a lock on it: has that process ended without tidying up?"""
    owner = directory / OWNER
    return owner.exists() and is_over(owner)


def is_over(owner: Path) -> bool:
    """Has the process that held this file locked ended?"""
    from imagelab.store.locks import locked

    if not owner.exists():
        return True
    try:
        with locked(owner, wait=False) as ours:
            return ours
    except OSError:  # its folder has gone with it
        return True


def note(store: Store, container_id: str, error: ImageLabError) -> None:
    """Write down why it did not start, for whoever waits for it."""
    from imagelab.runtime.ports import PortTakenError

    if isinstance(error, PortTakenError):
        (store.container_files(container_id) / "hint").write_text(error.hint, encoding="utf-8")
    with store.transaction(creates_step=False) as tx:
        container = tx.container(container_id)
        if container is not None:
            tx.put_container(replace(container, error=str(error), exit_code=128))


def end_process(pid: int) -> None:
    """The last resort for a supervisor that does not answer."""
    try:
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    except (ProcessLookupError, PermissionError):
        pass
