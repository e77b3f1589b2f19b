"""`> file`, `2>&1`, `<<END`: descriptors are replaced before a command runs, and put back after it.

They are done from left to right, which is why `> log 2>&1` sends both to the file and `2>&1 > log` does not.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from imagelab.layers.tree import Kind
from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Given, Process, Stream, raw
from imagelab.runtime.shell.syntax import Redirection

if TYPE_CHECKING:
    from imagelab.runtime.shell.interpreter import Shell

Undo = list[tuple[int, Stream | None]]


class RedirectionProblem(Exception):
    """`cannot open nosuch: No such file`."""


def redirect(shell: Shell, redirections: list[Redirection]) -> Generator[float, None, Undo]:
    """Carry them out; what `restore` needs to put everything back. RedirectionProblem, and then all is as before."""
    undo: Undo = []
    done = False
    try:
        for redirection in redirections:
            stream = yield from _stream(shell, redirection)
            _replace(shell.p, redirection.fd, stream, undo)
            if redirection.operator in ("&>", "&>>"):
                _replace(shell.p, 2, stream, undo)
        done = True
    finally:
        if not done:
            restore(shell.p, undo)
    return undo


def _replace(p: Process, fd: int, stream: Stream | None, undo: Undo) -> None:
    kept = stream.keep() if stream is not None else None
    undo.append((fd, p.fds.pop(fd, None)))
    if kept is not None:
        p.fds[fd] = kept


def restore(p: Process, undo: Undo) -> None:
    """Put the descriptors back."""
    for fd, before in reversed(undo):
        if (now := p.fds.pop(fd, None)) is not None:
            now.drop()
        if before is not None:
            p.fds[fd] = before
    p.machine.progress += 1


def _stream(shell: Shell, redirection: Redirection) -> Generator[float, None, Stream | None]:
    operator = redirection.operator
    if operator in ("<<", "<<-"):
        return Given(raw((yield from shell.expander.one(redirection.word))))
    if operator == "<<<":
        return Given(raw((yield from shell.expander.one(redirection.word)) + "\n"))
    target: str = yield from shell.expander.one(redirection.word)
    if operator in ("<&", ">&"):
        return _copied(shell, target, operator)
    return _opened(shell, target, operator)


def _copied(shell: Shell, target: str, operator: str) -> Stream | None:
    if target == "-":
        return None
    if target.isdigit():
        if int(target) not in shell.p.fds:
            raise RedirectionProblem(f"{target}: Bad file descriptor")
        return shell.p.fds[int(target)]
    if shell.bash and operator == ">&":
        return _opened(shell, target, "&>")
    raise RedirectionProblem("Bad fd number" if not shell.bash else f"{target}: ambiguous redirect")


def _opened(shell: Shell, target: str, operator: str) -> Stream:
    modes = {"<": "r", ">": "w", ">|": "w", ">>": "a", "<>": "+", "&>": "w", "&>>": "a"}
    mode = modes[operator]
    if operator == ">" and "C" in shell.options:
        node = shell.p.find(target)
        mode = "x" if node is None or node.kind is Kind.FILE else "w"
    try:
        return shell.p.open(target, mode)
    except Refusal as refusal:
        raise RedirectionProblem(_said(shell, target, mode, refusal)) from None


def _said(shell: Shell, target: str, mode: str, refusal: Refusal) -> str:
    if shell.bash:
        said = "cannot overwrite existing file" if refusal.code == "EEXIST" else str(refusal)
        return f"{target}: {said}"
    if mode == "r":
        said = "No such file" if refusal.code == "ENOENT" else str(refusal)
        return f"cannot open {target}: {said}"
    said = {"ENOENT": "Directory nonexistent", "ENOTDIR": "Directory nonexistent"}.get(refusal.code, str(refusal))
    return f"cannot create {target}: {said}"
