"""The timeline as values: what was done, in which order, and how to get from one step to another.

    0 ── 1: pull nginx ── 2: tag nginx web ── 3: rmi web          position 3
                               │
                               └── 4: run -d nginx                what was done after `undo` from 3

A *step* is one command that changed the lab. Step 0 is the beginning, when the lab was empty. Undo goes to the parent,
redo back to where one came from; a command after an undo begins another branch, and the old one stays where it was, so
nothing that was ever done is lost before `gc` forgets it. A command that changed nothing is not a step.

From any step to any other there is one way: up to where the two paths part, undoing, then down, doing again.

A *log* is the path from the beginning to the present as lines of JSON: each command line with what it read from outside
(what was typed, a build's context), and a fingerprint of the lab after it. Run in an empty lab, the same commands give
the same fingerprints, since nothing below depends on the machine or the hour. Each line also holds the digest of the line
before: a log that was edited no longer fits together.
"""

from __future__ import annotations

import base64
import binascii
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, field, replace
from typing import Any

from imagelab.errors import ImageLabError
from imagelab.oci.digest import Digest
from imagelab.state.events import Event
from imagelab.state.model import Container, State

LOG_VERSION = 1


class TimelineError(ImageLabError):
    """There is nothing to undo or redo, no such step, or a log that is damaged."""

    origin = "client"


@dataclass(frozen=True, slots=True)
class Step:
    """One command that changed the lab."""

    number: int
    parent: int
    """The step before it; 0 is the beginning."""
    command: tuple[str, ...]
    """The words after `docker`; () for a change that no command line made."""
    at: int
    """Nanoseconds since 1970, by the lab's clock; 0 for a change that no command made."""
    events: tuple[Event, ...] = ()
    inputs: Mapping[str, Digest] = field(default_factory=dict)
    """What it read from outside the lab, as blobs: `stdin`, `context` …"""
    exit_code: int | None = None
    """None: it has not ended, or was killed."""
    part: int = 0
    """Another process changed the lab while it worked: this is its 2nd (1), 3rd (2) … part."""

    @property
    def line(self) -> str:
        """The command as one would type it."""
        words = shlex.join(self.command) if self.command else "(a change made in Python)"
        return f"{words} (continued)" if self.part else words


def path_to(parents: Mapping[int, int], number: int) -> list[int]:
    """The steps from the beginning to one, the beginning left out."""
    path = []
    while number:
        path.append(number)
        number = parents[number]
    return path[::-1]


def route(parents: Mapping[int, int], start: int, end: int) -> tuple[list[int], list[int]]:
    """(steps to undo, in that order; steps to do again, in that order). It looks at no step but these.

    A step's number is higher than that of the step before it: whichever is ahead goes back, until both are one.

    >>> route({1: 0, 2: 1, 3: 2, 4: 2, 5: 4}, start=3, end=5)       # 3 and 4 both came after 2
    ([3], [4, 5])
    """
    undone: list[int] = []
    redone: list[int] = []
    while start != end:
        if start > end:
            undone.append(start)
            start = parents[start]
        else:
            redone.append(end)
            end = parents[end]
    return undone, redone[::-1]


# -- what a lab is, in one digest -----------------------------------------------------------------------------


def fingerprint(state: State) -> Digest:
    """The digest of everything a lab holds, files of containers included; not of what only this machine knows (pids)."""
    containers = [
        {
            **{name: getattr(container, name) for name in container.__slots__},
            "pid": 0,
            "ports": None if container.running else dict(container.ports),
        }
        for _, container in sorted(state.containers.items())
    ]
    whole = {
        "images": [asdict(image) for _, image in sorted(state.images.items())],
        "references": dict(state.references),
        "layers": [asdict(layer) for _, layer in sorted(state.layers.items())],
        "containers": containers,
        "revision": state.revision,
    }
    return Digest.of(json.dumps(whole, sort_keys=True, separators=(",", ":")).encode())


# -- a log ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stood with a container after a command."""

    files: str
    """Which version of its files it had."""
    status: str
    exit_code: int = 0
    finished: int = 0

    @property
    def running(self) -> bool:
        return self.status in ("running", "paused")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a log."""

    command: tuple[str, ...]
    inputs: Mapping[str, bytes]
    exit_code: int
    state: Digest | None
    """The lab's fingerprint after it; None where it cannot be the same twice (the system's clock)."""
    after: Mapping[str, Standing] = field(default_factory=dict)
    """Containers that were not as before when the next command came: what their own programs did is in it."""
    at: int | None = None
    """When it began, where that was not right after the command before: two were at work side by side."""


def write_log(entries: Iterable[Entry]) -> Iterator[str]:
    """The lines of a log, without their newlines."""
    before = json.dumps({"imagelab": LOG_VERSION})
    yield before
    for entry in entries:
        line = {
            "command": entry.command,
            "inputs": {name: base64.b64encode(data).decode() for name, data in sorted(entry.inputs.items())},
            "exit_code": entry.exit_code,
            "state": entry.state,
            "before": Digest.of(before.encode()),
        }
        if entry.after:
            line["after"] = {key: list(astuple(one)) for key, one in sorted(entry.after.items())}
        if entry.at is not None:
            line["at"] = entry.at
        before = json.dumps(line, ensure_ascii=False)
        yield before


def read_log(lines: Iterable[str]) -> list[Entry]:
    """The entries of a log. TimelineError, naming the line, when it is damaged or was edited."""
    entries: list[Entry] = []
    before = ""
    for number, line in enumerate((line for line in (text.strip() for text in lines) if line), 1):
        data = _object(line, number)
        if number == 1:
            if data.get("imagelab") != LOG_VERSION:
                raise TimelineError("this is not a log of imagelab's", hint="imagelab steps --format json writes one")
        else:
            if data.get("before") != Digest.of(before.encode()):
                raise _damaged(number, "it does not follow the line before it")
            entries.append(_entry(data, number))
        before = line
    if not before:
        raise TimelineError("this log is empty", hint="imagelab steps --format json writes one")
    return entries


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        raise _damaged(number, "it is not JSON") from None
    if not isinstance(data, dict):
        raise _damaged(number, "it is not an object")
    return data


def _entry(data: Mapping[str, Any], number: int) -> Entry:
    match data:
        case {"command": [*words], "inputs": dict(inputs), "exit_code": int(code)} if all(
            isinstance(word, str) for word in words
        ):
            state = data.get("state")
        case _:
            raise _damaged(number, "a command, its inputs and its exit code belong there")
    try:
        given = {name: base64.b64decode(text, validate=True) for name, text in inputs.items()}
    except (binascii.Error, TypeError, ValueError):
        raise _damaged(number, "an input is not base64") from None
    at = data.get("at")
    return Entry(
        tuple(words), given, code, Digest.trusted(state) if isinstance(state, str) else None,
        _standings(data.get("after", {}), number), at if isinstance(at, int) else None,
    )  # fmt: skip


def _standings(data: object, number: int) -> dict[str, Standing]:
    found: dict[str, Standing] = {}
    for key, row in data.items() if isinstance(data, dict) else ():
        match row:
            case [str(files), str(status), int(code), int(finished)]:
                found[key] = Standing(files, status, code, finished)
            case _:
                raise _damaged(number, "what it says of a container is not how one stands")
    return found


def standings(before: State, after: State) -> dict[str, Standing]:
    """How those containers stand that were not as they are now."""
    return {
        key: Standing(one.files, one.status, one.exit_code, one.finished)
        for key, one in after.containers.items()
        if one.status != "created" and replace(one, pid=0) != _without_pid(before.containers.get(key))
    }


def _without_pid(container: Container | None) -> Container | None:
    return None if container is None else replace(container, pid=0)


def _damaged(number: int, why: str) -> TimelineError:
    return TimelineError(
        f"line {number} of the log is damaged: {why}", hint="a log is replayed as it was written, or not at all"
    )
