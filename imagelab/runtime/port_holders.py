"""Who of this user has which port of the machine: one note and one lock for each, in a folder of the user's.

    ports/8080-tcp.json     {"lab": "/home/me/lab", "id": "4f53…", "name": "web"}
    ports/8080-tcp.lock     held by the process that has the socket

A note counts only as long as its lock is held, and the system takes that back from a process that is killed. Nothing depends
on the notes but a sentence: whether a port can be had, only opening it shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from imagelab.store.locks import locked


@dataclass(frozen=True, slots=True)
class Holder:
    """A container of a lab."""

    lab: str
    id: str
    name: str


@contextmanager
def hold(folder: Path, number: int, protocol: str, who: Holder) -> Iterator[None]:
    """Say that a port is ours, until the end of this. Where nothing can be written, nobody is told."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = locked(folder / f"{number}-{protocol}.lock", wait=False)
        if lock.__enter__():
            (folder / f"{number}-{protocol}.json").write_text(json.dumps(asdict(who)), encoding="utf-8")
    except OSError:
        yield
        return
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


def holder_of(folder: Path, number: int, protocol: str) -> Holder | None:
    """Who has a port; None when it is nobody of ours."""
    lock = folder / f"{number}-{protocol}.lock"
    try:
        if not lock.exists():
            return None
        with locked(lock, wait=False) as nobody:
            if nobody:
                return None
        said = json.loads((folder / f"{number}-{protocol}.json").read_text(encoding="utf-8"))
        return Holder(str(said["lab"]), str(said["id"]), str(said["name"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
