"""What awk reads: its operands one after the other, cut into records while they arrive.

    RS        a record ends
    "\\n"      with each line; so with any single character
    ""        at an empty line: a record is a paragraph, and NR counts paragraphs
    "[,;]+"   wherever that expression matches

A record is handed on as soon as it is complete, so `yes | awk 'NR == 3 { exit } 1'` ends.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Generator
from typing import Any, cast

from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Process
from imagelab.runtime.shell.words import unescape
from imagelab.runtime.userland.awk_values import Given, expression, string

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.S)


def given(value: str) -> Given:
    """What stands after `-v name=`, or after the name of an operand."""
    return Given(unescape(value, "[0-7]{1,3}"))


class Records:
    """The records of some files. `variables` has RS; NR, FNR and FILENAME are kept there. `status`: 2 once one was missing."""

    def __init__(
        self, p: Process, names: list[str], variables: dict[str, Any], assign: Callable[[str, Any], None]
    ) -> None:
        self.p, self.names, self.variables, self.assign = p, names, variables, assign
        self.status = 0
        self._slot: int | None = None
        self._rest, self._at, self._ended, self._seen = "", 0, False, False
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def next(self) -> Generator[float, None, str | None]:
        """The next record; None when there are no more."""
        while self._slot is not None or self._next_file():
            record = self._cut(string(self.variables.get("RS")))
            if record is not None:
                for counter in ("NR", "FNR"):
                    self.variables[counter] = self.variables.get(counter, 0.0) + 1
                return record
            if self._ended:
                self.close()
                continue
            yield from self._more()
        return None

    def at_once(self) -> str | None:
        """`next` where nothing can wait: what is to be read must be there."""
        steps = self.next()
        while True:
            try:
                next(steps)
            except StopIteration as stopped:
                return cast("str | None", stopped.value)

    def _more(self) -> Generator[float, None, None]:
        try:
            data = yield from self.p.read(self._slot or 0)
        except Refusal as refusal:
            self.status, data = self.p.complain(f"read error ({refusal})", 2), b""
        self._ended = not data
        self._rest, self._at = self._rest[self._at :] + self._decoder.decode(data, final=not data), 0

    def _cut(self, separator: str) -> str | None:
        """A record that is complete, taken from what was read."""
        if not separator:
            while self._rest.startswith("\n", self._at):
                self._at += 1
        if len(separator) == 1:
            start = self._rest.find(separator, self._at)
            end = start + 1
        else:
            found = expression(separator or "\n\n+").search(self._rest, self._at)
            whole = found is not None and found.end() > found.start() and (self._ended or found.end() < len(self._rest))
            start, end = found.span() if found and whole else (-1, -1)
        if start < 0 and (not self._ended or self._at == len(self._rest)):
            return None
        if start < 0:
            start = end = len(self._rest)
            start -= not separator and self._rest.endswith("\n")
        record, self._at = self._rest[self._at : start], end
        return record

    # -- files ----------------------------------------------------------------------------------------------

    def _next_file(self) -> bool:
        while self.names:
            name = self.names.pop(0)
            if match := _ASSIGNMENT.fullmatch(name):
                self.assign(match[1], given(match[2]))
                continue
            try:
                self.open(name)
            except Refusal as refusal:
                self.status = self.p.complain(f"cannot open {name} ({refusal})", 2)
                continue
            return True
        if self._seen:
            return False
        self.open("-")
        return True

    def open(self, name: str) -> None:
        """Read this file now; `-` is standard input. Refusal."""
        self._seen = True
        if name == "-":
            self._slot = 0
        else:
            stream = self.p.open(name).keep()
            self._slot = max(self.p.fds, default=2) + 1
            self.p.fds[self._slot] = stream
        self._rest, self._at, self._ended = "", 0, False
        self.variables |= {"FILENAME": "" if name == "-" else name, "FNR": 0.0}

    def close(self) -> None:
        """No more of this file."""
        if self._slot:
            self.p.fds.pop(self._slot).drop()
        self._slot = None
