"""From a name to a running program: PATH, permissions, the first line of the file.

    ls   ->  looked for in each directory of PATH             not there: "not found", 127
         ->  /bin/ls, which must be executable                not so: "Permission denied", 126
         ->  its first bytes say what runs it:
                 #!imagelab ls      a program of this runtime
                 #!/bin/sh          a script: that interpreter, with the file's name as argument
                 \\x7fELF…          machine code: refused in one sentence, 126
                 anything else      a script for /bin/sh

So programs are files: remove `/bin/ls` and the command is gone, change PATH and it is not found.
"""

from __future__ import annotations

from collections.abc import Mapping

from imagelab.runtime.filesystem import EXECUTE, READ, Refusal
from imagelab.runtime.process import NOW, Killed, Machine, Process, Program, Steps, Stream, text

MARKER = b"#!imagelab "
MACHINE_CODE = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MOST_INTERPRETERS = 4


class NotExecutable(Exception):
    """The file is there and cannot be run; exit code 126."""


def locate(p: Process, name: str, path: str | None) -> str:
    """Where the program `name` is. Refusal: ENOENT, or EACCES when it is there but may not be run."""
    if "/" in name:
        return _runnable(p, name)
    refused: Refusal | None = None
    for directory in (DEFAULT_PATH if path is None else path).split(":"):
        try:
            return _runnable(p, f"{directory or '.'}/{name}")
        except Refusal as refusal:
            refused = refusal if refusal.code == "EACCES" else refused
    raise refused or Refusal("ENOENT")


def _runnable(p: Process, name: str) -> str:
    node = p.stat(name)
    if node.is_directory or not p.user.may(node, EXECUTE):
        raise Refusal("EACCES")
    return name


def resolve(p: Process, path: str, args: list[str], *, depth: int = 0) -> tuple[Program, list[str]]:
    """What runs a file, and with which arguments. NotExecutable; Refusal when an interpreter is missing."""
    node = p.stat(path)
    data = p.files.data(node)[:256] if node.size < 1 << 20 or p.user.may(node, READ) else b""
    first = data.partition(b"\n")[0]
    if data.startswith(MARKER):
        name = text(first[len(MARKER) :]).split(" ")[0]
        if name not in p.machine.programs:
            raise NotExecutable(f"{path}: this runtime has no program {name!r}")
        return p.machine.programs[name], args
    if data.startswith(MACHINE_CODE):
        raise NotExecutable(
            f"{path}: machine code, which this runtime does not execute: it runs its own shell and tools"
        )
    if first.startswith(b"#!") and depth < MOST_INTERPRETERS:
        interpreter, *option = text(first[2:]).strip().split(maxsplit=1)
        return resolve(p, locate(p, interpreter, ""), [interpreter, *option, path, *args[1:]], depth=depth + 1)
    if b"\0" in data:
        raise NotExecutable(f"{path}: {Refusal('ENOEXEC')}")
    return resolve(p, locate(p, "/bin/sh", ""), ["/bin/sh", path, *args[1:]], depth=depth + 1)


def run(parent: Process, args: list[str], env: Mapping[str, str] | None = None) -> Steps:
    """Run a command as a child and wait for it. Refusal and NotExecutable before it starts, else its exit code."""
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
    except (Refusal, MemoryError, RecursionError) as problem:
        refusal = problem if isinstance(problem, Refusal) else Refusal("ENOMEM")
        code = 1
        if refusal.code != "EPIPE":
            try:
                p.err(f"{p.name}: {refusal}")
            except (Killed, Refusal):
                pass  # nobody hears it
    finally:
        p.close()
        p.machine.progress += 1
    return code & 255


def together(machine: Machine, tasks: list[Steps]) -> Steps:
    """Several programs at once, each in turn, until all are over; the exit code of the last.

    A round in which anything was read, written or ended is followed by another at once.
    """
    running = dict(enumerate(tasks))
    codes = dict.fromkeys(running, 0)
    try:
        while running:
            before, wait = machine.progress, float("inf")
            for at, task in list(running.items()):
                try:
                    wait = min(wait, next(task))
                except StopIteration as stopped:
                    codes[at] = stopped.value
                    del running[at]
                    wait = NOW
            if running:
                yield NOW if machine.progress != before else wait
    finally:
        for task in running.values():
            task.close()
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
            for pid, job in list(machine.background.items()):
                try:
                    wait = min(wait, next(job))
                except StopIteration as stopped:
                    machine.finished[pid] = stopped.value
                    del machine.background[pid]
                    machine.progress += 1
            yield NOW if machine.progress != before else wait
    finally:
        for job in machine.background.values():
            job.close()
        machine.background.clear()


def with_streams(p: Process, streams: Mapping[int, Stream | None]) -> None:
    """Replace descriptors; None closes one."""
    for number, stream in streams.items():
        kept = stream.keep() if stream is not None else None
        if (old := p.fds.pop(number, None)) is not None:
            old.drop()
        if kept is not None:
            p.fds[number] = kept
