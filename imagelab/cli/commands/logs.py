"""`docker logs` and `docker attach`: what a container has printed, and what it is printing."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from imagelab.cli.command import Invocation
from imagelab.errors import UsageError
from imagelab.units import parse_moment, parse_time

if TYPE_CHECKING:
    from imagelab.state.model import Container

GLANCE = 0.05
"""Seconds between two looks at a log that is followed."""


def show(context: Invocation) -> int:
    """`docker logs [-f] [-n N] [-t] [--since T] [--until T]` (R6.22)."""
    parsed, lab = context.parsed, context.lab
    containers = lab.engine.containers
    container = containers.resolve(parsed.arguments[0])
    entries = list(containers.logs(container.id))
    seen = len(entries)
    now, tz = lab.now(), lab.tz
    since = parse_moment(parsed.text("since"), now=now, tz=tz) if parsed.text("since") else None
    until = parse_moment(parsed.text("until"), now=now, tz=tz) if parsed.text("until") else None
    entries = [
        e
        for e in entries
        if (since is None or parse_time(e[2]) >= since) and (until is None or parse_time(e[2]) <= until)
    ]
    tail = parsed.text("tail", "all")
    if tail != "all":
        count = int(tail) if tail.lstrip("-").isdigit() else -1
        if count < 0 and not tail.lstrip("-").isdigit():
            raise UsageError(f'invalid value for "tail": {tail}', hint="a number of lines, or all")
        entries = entries[max(len(entries) - count, 0) :] if count >= 0 else entries
    for entry in entries:
        _print(context, entry)
    if not parsed.on("follow"):
        return 0
    try:
        while True:
            over = not containers.resolve(container.id).running
            entries = list(containers.logs(container.id))
            for entry in entries[seen:]:
                _print(context, entry)
            seen = len(entries)
            context.out.flush()
            if over:
                return 0
            time.sleep(GLANCE)
    except KeyboardInterrupt:  # that is how one stops looking
        return 130


def _print(context: Invocation, entry: tuple[str, bytes, str]) -> None:
    from imagelab.output.streams import output_to

    stream, data, moment = entry
    stamp = f"{moment} ".encode() if context.parsed.on("timestamps") else b""
    output_to(context.out, context.err)(1 if stream == "stdout" else 2, stamp + data)


def follow(context: Invocation, container: Container, *, typed: bool) -> int:
    """Stay with a running container: print what it prints, type what is typed, leave with its exit code."""
    from imagelab.runtime.driver import ask

    containers = context.lab.engine.containers
    folder = context.lab.store.container_files(container.id)
    seen = len(list(containers.logs(container.id)))
    if typed:
        reader = threading.Thread(target=_type, args=(context, folder / "stdin"), daemon=True)
        reader.start()
    while True:
        try:
            now = context.lab.store.container(container.id)
            over = now is None or not containers.resolve(container.id).running
            entries = list(containers.logs(container.id)) if now is not None else []
            for entry in entries[seen:]:
                _print(context, entry)
            seen = len(entries)
            context.out.flush()
            if over:
                last = context.lab.store.container(container.id)
                return last.exit_code if last is not None else 0
            time.sleep(GLANCE)
        except KeyboardInterrupt:
            ask(folder, "2")


def _type(context: Invocation, file: object) -> None:
    """What is typed here goes to the container's standard input."""
    from pathlib import Path

    binary = getattr(context.stdin, "buffer", None)
    while data := (binary.readline() if binary is not None else context.stdin.readline().encode()):
        with Path(str(file)).open("ab") as stdin:
            stdin.write(data)
