"""From a name to a running program: PATH, permissions, the first line of the file.

    ls   ->  looked for in each directory of PATH             not there: "not found", 127
         ->  /bin/ls, which must be executable                not so: "Permission denied", 126
         ->  its first bytes say what runs it:
                 #!imagelab ls      a program of this runtime; "not available in imagelab", 127, when it has none
                 #!/bin/sh          a script: that interpreter, with the file's name as argument
                 \\x7fELF…          machine code: refused in one sentence, 126
                 anything else      a script for /bin/sh

So programs are files: remove `/bin/ls` and the command is gone, change PATH and it is not found.
"""

from __future__ import annotations

from collections.abc import Mapping

from imagelab.runtime.filesystem import EXECUTE, READ, Errno
from imagelab.runtime.process import NOW, Killed, Machine, Process, Program, Steps
from imagelab.runtime.streams import text

MARKER = b"#!imagelab "
NOT_AVAILABLE = "not available in imagelab"
"""What is said of a program that an image has and this runtime has not."""
MACHINE_CODE = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MOST_INTERPRETERS = 4


class NotExecutable(Exception):
    """The file is there and cannot be run; `code` is 126, or 127 for a program that imagelab does not have."""

    def __init__(self, problem: str, code: int = 126) -> None:
        super().__init__(problem)
        self.code = code


def locate(p: Process, name: str, path: str | None) -> str:
    """Where the program `name` is. Errno: ENOENT, or EACCES when it is there but may not be run."""
    if "/" in name:
        return _runnable(p, name)
    refused: Errno | None = None
    for directory in (DEFAULT_PATH if path is None else path).split(":"):
        try:
            return _runnable(p, f"{directory or '.'}/{name}")
        except Errno as error:
            refused = error if error.code == "EACCES" else refused
    raise refused or Errno("ENOENT")


def _runnable(p: Process, name: str) -> str:
    node = p.stat(name)
    if node.is_directory or not p.user.may(node, EXECUTE):
        raise Errno("EACCES")
    return name


def resolve(p: Process, path: str, args: list[str], *, depth: int = 0) -> tuple[Program, list[str]]:
    """What runs a file, and with which arguments. NotExecutable; Errno when an interpreter is missing."""
    node = p.stat(path)
    data = p.files.data(node)[:256] if node.size < 1 << 20 or p.user.may(node, READ) else b""
    first = data.partition(b"\n")[0]
    if data.startswith(MARKER):
        name = text(first[len(MARKER) :]).split(" ")[0]
        if name not in p.machine.programs:
            raise NotExecutable(f"{name}: {NOT_AVAILABLE}", 127)
        return p.machine.programs[name], args
    if data.startswith(MACHINE_CODE):
        raise NotExecutable(
            f"{path}: machine code, which this runtime does not execute: it runs its own shell and tools"
        )
    if first.startswith(b"#!") and depth < MOST_INTERPRETERS:
        interpreter, *option = text(first[2:]).strip().split(maxsplit=1)
        return resolve(p, locate(p, interpreter, ""), [interpreter, *option, path, *args[1:]], depth=depth + 1)
    if b"\0" in data:
        raise NotExecutable(f"{path}: {Errno('ENOEXEC')}")
    return resolve(p, locate(p, "/bin/sh", ""), ["/bin/sh", path, *args[1:]], depth=depth + 1)


def run(parent: Process, args: list[str], env: Mapping[str, str] | None = None) -> Steps:
    """Run a command as a child and wait for it. Errno and NotExecutable before it starts, else its exit code."""
    environment = dict(parent.env if env is None else env)
    path = locate(parent, args[0], environment.get("PATH"))
    program, real_args = resolve(parent, path, args)
    child = parent.child(real_args, environment)
    return (yield from live(program, child))


def live(program: Program, p: Process) -> Steps:
    """A program's life from its first step to its last: its exit code, 128 + n when a signal ended it."""
    try:
        result = program(p)
        code = result if isinstance(result, int) else (yield from result)
    except Killed as killed:
        code = killed.code
    except (Errno, MemoryError, RecursionError) as problem:
        error = problem if isinstance(problem, Errno) else Errno("ENOMEM")
        code = 1
        if error.code != "EPIPE":
            try:
                p.err(f"{p.name}: {error}")
            except (Killed, Errno):
                pass  # no reader is left
    finally:
        p.close()
        p.machine.progress += 1
    return code & 255


def _round(tasks: dict[int, Steps], codes: dict[int, int]) -> float:
    """Every program once: how long they can wait. Those that are over are taken out, and leave their exit codes."""
    wait = float("inf")
    for index, task in list(tasks.items()):
        try:
            wait = min(wait, next(task))
        except StopIteration as stopped:
            codes[index] = stopped.value
            del tasks[index]
            wait = NOW
    return wait


def _end(tasks: dict[int, Steps]) -> None:
    for task in tasks.values():
        task.close()
    tasks.clear()


def together(machine: Machine, tasks: list[Steps]) -> Steps:
    """Several programs at once, each in turn, until all are over; the exit code of the last.

    A round in which anything was read, written or ended is followed by another at once.
    """
    running, codes = dict(enumerate(tasks)), dict[int, int]()
    try:
        while running:
            before = machine.progress
            wait = _round(running, codes)
            if running:
                yield NOW if machine.progress != before else wait
    finally:
        _end(running)
    return codes[len(tasks) - 1]


def main(machine: Machine, task: Steps) -> Steps:
    """A container's (or exec's) main program, and whatever it starts in the background; over when the main one is."""
    try:
        while True:
            before = machine.progress
            try:
                wait = next(task)
            except StopIteration as stopped:
                return int(stopped.value)
            wait = min(wait, _round(machine.background, machine.finished))
            yield NOW if machine.progress != before else wait
    finally:
        _end(machine.background)
