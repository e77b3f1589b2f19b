"""Builtins about places and processes: cd, pwd, umask, wait, kill, trap."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from imagelab.runtime.filesystem import EXECUTE, Refusal
from imagelab.runtime.process import FOREVER, SIGNALS, Process, Steps
from imagelab.runtime.shell.memory import ShellProblem
from imagelab.runtime.shell.printing import quoted

if TYPE_CHECKING:
    from imagelab.runtime.shell.interpreter import Shell

# -- where we are -------------------------------------------------------------------------------------------


def cd(shell: Shell, words: list[str]) -> int:
    physical = words[1:2] == ["-P"]
    rest = [word for word in words[1:] if word not in ("-P", "-L", "--")]
    target = rest[0] if rest else (shell.get("HOME") or "")
    if len(rest) > 1 and shell.bash:
        return shell.complain("cd: too many arguments")
    if target == "-":
        target = shell.get("OLDPWD") or ""
        if not target:
            return shell.complain("cd: OLDPWD not set", 1 if shell.bash else 2)
        shell.p.out(target + "\n")
    if not target:
        return 0 if rest or not shell.bash else shell.complain("cd: HOME not set")
    path = _shortened(shell.p.path(target))
    try:
        node = shell.p.stat(path)
        if not node.is_directory:
            raise Refusal("ENOTDIR")
        if not shell.p.user.may(node, EXECUTE):
            raise Refusal("EACCES")
        if physical:
            path = "/" + shell.p.files.resolve(shell.p.user, path)
    except Refusal as refusal:
        return shell.complain(
            f"cd: {target}: {refusal}" if shell.bash else f"cd: can't cd to {target}", 1 if shell.bash else 2
        )
    shell.variables["OLDPWD"], shell.variables["PWD"] = shell.p.cwd, path
    shell.exported |= {"OLDPWD", "PWD"} if shell.bash else set()
    shell.p.cwd = path
    return 0


def _shortened(path: str) -> str:
    """`/a/./b/../c` -> `/a/c`, without asking what is a link: as `cd -L` does."""
    at: list[str] = []
    for name in path.split("/"):
        if name == "..":
            at = at[:-1]
        elif name not in ("", "."):
            at.append(name)
    return "/" + "/".join(at)


def pwd(shell: Shell, words: list[str]) -> int:
    path = "/" + shell.p.files.resolve(shell.p.user, shell.p.cwd) if words[1:] == ["-P"] else shell.p.cwd
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
    number, rest = SIGNALS["TERM"], words[1:]
    if rest[:1] == ["-l"]:
        shell.p.out("".join(f"{name}\n" for name in SIGNALS))
        return 0
    if rest and rest[0].startswith("-") and rest[0] != "--":
        asked = rest[1] if rest[0] == "-s" and len(rest) > 1 else rest[0][1:]
        rest = rest[2:] if rest[0] == "-s" else rest[1:]
        found = signal_number(asked)
        if found is None:
            return shell.complain(
                f"kill: {asked}: invalid signal specification" if shell.bash else f"kill: Illegal option -{asked[:1]}",
                1 if shell.bash else 2,
            )
        number = found
    status = 0
    for word in rest:
        if not word.isdigit():
            said = (
                f"kill: {word}: arguments must be process or job IDs" if shell.bash else f"kill: Illegal number: {word}"
            )
            status = shell.complain(said, 1 if shell.bash else 2)
        elif not send(shell.p, int(word), number):
            status = shell.complain(f"kill: ({word}) - No such process" if shell.bash else "kill: No such process")
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
        for name, action in shell.traps.items():
            shown = name if name == "EXIT" or not shell.bash else f"SIG{name}"
            shell.p.out(f"trap -- {quoted(action, always=True)} {shown}\n")
        return 0
    action, names = (rest[0], rest[1:]) if len(rest) > 1 and not rest[0].isdigit() else ("-", rest)
    for asked in names:
        found = "EXIT" if asked in ("0", "EXIT") else _signal_name(asked)
        if found is None:
            return shell.complain(
                f"trap: {asked}: invalid signal specification" if shell.bash else f"trap: {asked}: bad trap"
            )
        number = SIGNALS.get(found, 0)
        if action == "-":
            shell.traps.pop(found, None)
            shell.p.handled.discard(number)
        else:
            shell.traps[found] = action
            shell.p.handled.add(number)
    return 0


def _signal_name(asked: str) -> str | None:
    number = signal_number(asked)
    return next((name for name, value in SIGNALS.items() if value == number), None)
