"""Builtins about places and processes: cd, pwd, umask, wait, kill, trap."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from imagelab.runtime.filesystem import EXECUTE, Errno
from imagelab.runtime.process import FOREVER, SIGNALS, Process, Steps
from imagelab.runtime.shell.memory import ShellProblem
from imagelab.runtime.shell.printing import quoted

if TYPE_CHECKING:
    from imagelab.runtime.shell.interpreter import Shell

# -- where we are -------------------------------------------------------------------------------------------


def cd(shell: Shell, words: list[str]) -> int:
    """`cd [directory | -]`"""
    failed = 1 if shell.bash else 2
    rest = [word for word in words[1:] if word != "--"]
    target = rest[0] if rest else (shell.get("HOME") or "")
    if target == "-":
        target = shell.get("OLDPWD") or ""
        if not target:
            return shell.complain("cd: OLDPWD not set", failed)
        shell.p.out(target + "\n")
    if not target:
        return 0
    path = _shortened(shell.p.path(target))
    try:
        node = shell.p.stat(path)
        if not node.is_directory or not shell.p.user.may(node, EXECUTE):
            raise Errno("EACCES" if node.is_directory else "ENOTDIR")
    except Errno as error:
        return shell.complain(f"cd: {target}: {error}" if shell.bash else f"cd: can't cd to {target}", failed)
    shell.variables["OLDPWD"], shell.variables["PWD"] = shell.p.cwd, path
    shell.exported |= {"OLDPWD", "PWD"} if shell.bash else set()
    shell.p.cwd = path
    return 0


def _shortened(path: str) -> str:
    """`/a/./b/../c` -> `/a/c`, without asking what is a link: as `cd -L` does."""
    steps: list[str] = []
    for name in path.split("/"):
        if name == "..":
            steps = steps[:-1]
        elif name not in ("", "."):
            steps.append(name)
    return "/" + "/".join(steps)


def pwd(shell: Shell, words: list[str]) -> int:
    path = shell.p.cwd if "-P" not in words else "/" + shell.p.files.resolve(shell.p.user, shell.p.cwd)
    shell.p.out(path + "\n")
    return 0


def umask(shell: Shell, words: list[str]) -> int:
    if len(words) < 2:
        shell.p.out(f"{shell.p.umask:04o}\n")
        return 0
    if not re.fullmatch(r"[0-7]{1,4}", words[1]):
        raise ShellProblem(f"umask: Illegal number: {words[1]}")
    shell.p.umask = int(words[1], 8) & 0o777
    return 0


# -- processes ----------------------------------------------------------------------------------------------


def wait(shell: Shell, words: list[str]) -> Steps:
    machine, status = shell.p.machine, 0
    for pid in [int(word) for word in words[1:] if word.isdigit()] or list(machine.background):
        while pid in machine.background:
            yield from shell.signals()
            yield FOREVER
        status = machine.finished.get(pid, 127) if len(words) > 1 else 0
    return status


def kill(shell: Shell, words: list[str]) -> int:
    """The builtin."""
    return killed(shell.p, words, lambda problem: shell.complain(f"kill: {problem}", 1 if shell.bash else 2))


def killed(p: Process, words: list[str], complain: Callable[[str], int]) -> int:
    """`kill [-signal | -s signal] pid…`"""
    number: int | None = SIGNALS["TERM"]
    rest = words[1:]
    if rest and rest[0].startswith("-") and rest[0] != "--":
        asked = rest[1] if rest[0] == "-s" and len(rest) > 1 else rest[0][1:]
        rest = rest[2:] if rest[0] == "-s" else rest[1:]
        number = signal_number(asked)
        if number is None:
            return complain(f"{asked}: invalid signal specification")
    status = 0
    for word in rest:
        if not word.isdigit():
            status = complain(f"Illegal number: {word}")
        elif not send(p, int(word), number or 0):
            complain(f"({word}) - No such process")
            status = 1
    return status


def signal_number(name: str) -> int | None:
    """`9`, `KILL`, `SIGKILL` -> 9; None when there is no such signal."""
    if name.isdigit():
        return int(name)
    return SIGNALS.get(name.upper().removeprefix("SIG"))


def send(p: Process, pid: int, number: int) -> bool:
    """Send a signal; False when there is no such process. 0 only asks."""
    target = p.machine.processes.get(pid)
    if target is None:
        return p.machine.kill_other(pid, number)
    if number:
        target.signal(number)
    return True


def trap(shell: Shell, words: list[str]) -> int:
    rest = words[2:] if words[1:2] == ["--"] else words[1:]
    if not rest:
        shell.p.out("".join(f"trap -- {quoted(shell.traps[name], always=True)} {name}\n" for name in shell.traps))
        return 0
    action, names = (rest[0], rest[1:]) if len(rest) > 1 and not rest[0].isdigit() else ("-", rest)
    for condition in names:
        signal = "EXIT" if condition in ("0", "EXIT") else _signal_name(condition)
        if signal is None:
            return shell.complain(f"trap: {condition}: bad trap")
        number = SIGNALS.get(signal, 0)
        if action == "-":
            shell.traps.pop(signal, None)
            shell.p.handled.discard(number)
        else:
            shell.traps[signal] = action
            shell.p.handled.add(number)
    return 0


def _signal_name(asked: str) -> str | None:
    number = signal_number(asked)
    return next((name for name, value in SIGNALS.items() if value == number), None)
