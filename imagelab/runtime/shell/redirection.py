"""`> file`, `2>&1`, `<<END`: descriptors are replaced before a command runs, and put back after it.

They are done from left to right, which is why `> log 2>&1` sends both to the file and `2>&1 > log` does not.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import Process
from imagelab.runtime.shell.syntax import Redirection
from imagelab.runtime.streams import BytesInput, Stream, raw

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
            undo.append((redirection.fd, shell.p.attach(redirection.fd, stream)))
            if redirection.operator == "&>":
                undo.append((2, shell.p.attach(2, stream)))
        done = True
    finally:
        if not done:
            restore(shell.p, undo)
    return undo


def restore(p: Process, undo: Undo) -> None:
    """Put the descriptors back."""
    for fd, before in reversed(undo):
        if (now := p.fds.pop(fd, None)) is not None:
            now.release()
        if before is not None:
            p.fds[fd] = before
    p.machine.progress += 1


def _stream(shell: Shell, redirection: Redirection) -> Generator[float, None, Stream | None]:
    operator = redirection.operator
    if operator in ("<<", "<<-"):
        return BytesInput(raw((yield from shell.expander.one(redirection.word))))
    if operator == "<<<":
        return BytesInput(raw((yield from shell.expander.one(redirection.word)) + "\n"))
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
    modes = {"<": "r", ">": "w", ">|": "w", ">>": "a", "<>": "+", "&>": "w"}
    mode = modes[operator]
    try:
        return shell.p.open(target, mode)
    except Errno as error:
        raise RedirectionProblem(_said(shell, target, mode, error)) from None


def _said(shell: Shell, target: str, mode: str, error: Errno) -> str:
    if shell.bash:
        return f"{target}: {error}"
    if mode == "r":
        return f"cannot open {target}: {'No such file' if error.code == 'ENOENT' else error}"
    return f"cannot create {target}: {'Directory nonexistent' if error.code in ('ENOENT', 'ENOTDIR') else error}"
