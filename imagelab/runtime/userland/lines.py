"""How utilities read: files one after the other, while they arrive, or line by line.

A program that works line by line takes a batch of lines (what there is), writes what comes of it and lets the others
have a turn: so `yes | head -1` ends, and who follows a file sees each line when it is written. Lines are bytes up to
and with their newline; only the last of a file may have none. What is wrong with a file is said in the words of GNU's
programs, which then go on with the next one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator

from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import Process, Steps

Batch = Generator[float, None, list[bytes]]
Inputs = Generator[float, None, tuple[list[tuple[str, bytes]], bool]]


def lines_of(data: bytes) -> list[bytes]:
    """Lines with their ends."""
    return [line for line in re.split(rb"(?<=\n)", data) if line]


class Lines:
    """What a descriptor has, a batch of lines at a time; without `split`, bytes as they come."""

    def __init__(self, p: Process, slot: int, *, split: bool = True) -> None:
        self.p, self.slot, self.split, self.rest = p, slot, split, b""

    def batch(self) -> Batch:
        """The lines there are, [] at the end: `while batch := (yield from lines.batch())`."""
        while data := (yield from self.p.read(self.slot)):
            lines = lines_of(self.rest + data) if self.split else [data]
            self.rest = b"" if lines[-1].endswith(b"\n") or not self.split else lines.pop()
            if lines:
                return lines
        lines, self.rest = [self.rest] if self.rest else [], b""
        return lines


def each_batch(p: Process, names: list[str], work: Callable[[list[bytes]], bytes], *, split: bool = True) -> Steps:
    """Write what `work` makes of the lines of all files, or of their bytes; 1 when something cannot be read."""
    status = 0
    for name in names or ["-"]:
        try:
            with p.opened(name) as slot:
                lines = Lines(p, slot, split=split)
                while batch := (yield from lines.batch()):
                    p.out(work(batch))
                    yield from p.flush()
        except Errno as error:
            status = unreadable(p, name, error)
    return status


def inputs(p: Process, names: list[str]) -> Inputs:
    """((name, bytes) of each file, could one not be read?); `-` or none at all is standard input."""
    files: list[tuple[str, bytes]] = []
    failed = False
    for name in names or ["-"]:
        try:
            files.append((name, (yield from p.read_file(name))))
        except Errno as error:
            failed = bool(unreadable(p, name, error))
            if error.code == "EISDIR" and p.name in ("tail", "wc"):
                files.append((name, b""))
    return files, failed


_HEAD = ("cannot open '{}' for reading: {}", "error reading '{}': {}")
_WORDS = {"head": _HEAD, "tail": _HEAD, "sort": ("cannot read: {}: {}", "read failed: {}: {}"), "uniq": ("{}: {}", "error reading '{}'")}  # fmt: skip
"""What each program says of a file, and of a directory; the others name the file and the error."""


def unreadable(p: Process, name: str, error: Errno) -> int:
    """A file that cannot be read, as each program says it; 1."""
    of_file, of_directory = _WORDS.get(p.name, ("{}: {}", "{}: {}"))
    return p.complain((of_directory if error.code == "EISDIR" else of_file).format(name, error))


def each(p: Process, names: list[str], work: Callable[[str], int | None], problem: str = "{}: {}") -> int:
    """Do something with every name. 1, or what `work` says, when one failed; each failure is complained about."""
    status = 0
    for name in names:
        try:
            status = max(status, work(name) or 0)
        except Errno as error:
            status = max(status, p.complain(problem.format(name, error)))
    return status
