"""What is to be started in a container, and why it cannot be: the runtime specification's `process`, and Docker's words.

what was asked for -> ProcessSpec -> a process and its program, ready to take turns
                                  -> start_error: 125 the account, 126 nothing that runs, 127 nothing there
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from imagelab.errors import ImageLabError
from imagelab.runtime import execution
from imagelab.runtime.driver import begin, environment_of
from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import Machine, Process, Program
from imagelab.runtime.streams import Output, Stream
from imagelab.runtime.userland.accounts import NoSuchAccount
from imagelab.state.container_config import CannotStartError, cannot_start
from imagelab.state.model import Container


@dataclass(frozen=True, slots=True)
class Exec:
    """What `docker exec` asks for."""

    command: tuple[str, ...]
    env: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    tty: bool = False


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process to be started, as the runtime specification's `process` says it."""

    command: Sequence[str]
    env: Mapping[str, str]
    user: str
    cwd: str
    streams: Mapping[int, Stream] = field(default_factory=dict)
    makes_cwd: bool = False
    """The directory is made where nothing else stands: that of a container, not that of an `exec`."""


def spec_of(container: Container) -> ProcessSpec:
    """What the container itself runs."""
    user, cwd = container.config.get("User") or "", container.config.get("WorkingDir") or "/"
    return ProcessSpec(container.command, environment_of(container), user, cwd, makes_cwd=True)


def exec_spec(container: Container, wanted: Exec, stdin: Stream, show: Callable[[int, bytes], object]) -> ProcessSpec:
    """What `docker exec` starts: the container's environment, user and directory, where it names none."""
    env = environment_of(container) | ({"TERM": "xterm"} if wanted.tty else {})
    env |= dict(entry.split("=", 1) for entry in wanted.env if "=" in entry)
    out = Output(lambda data: show(1, data), terminal=wanted.tty)
    err = out if wanted.tty else Output(lambda data: show(2, data))
    user = wanted.user or container.config.get("User") or ""
    cwd = wanted.workdir or container.config.get("WorkingDir") or "/"
    return ProcessSpec(wanted.command, env, user, cwd, {0: stdin, 1: out, 2: err})


def ready(machine: Machine, spec: ProcessSpec) -> tuple[Process, Program]:
    """A process about to begin, and its program. CannotStartError in the words of Docker's runtime."""
    try:
        process = begin(machine, list(spec.command), spec.env, spec.cwd, spec.user, spec.streams)
        _check_folder(process, spec.cwd, is_made=spec.makes_cwd)
        path = execution.locate(process, spec.command[0], process.env.get("PATH"))
        program, process.args = execution.resolve(process, path, process.args)
    except (NoSuchAccount, execution.NotExecutable, Errno) as problem:
        raise start_error(spec.command[0], problem) from None
    return process, program


def start_error(name: str, problem: Exception) -> CannotStartError:
    """Why a program did not start, in the words of Docker's runtime: 125 the account, 126 no program, 127 not there."""
    match problem:
        case NoSuchAccount():
            return cannot_start(str(problem), 125, runtime=False)
        case execution.NotExecutable():
            return cannot_start(f'exec: "{name}": {problem}', problem.code, runtime=False)
        case Errno(code="ENOENT") if "/" not in name:
            return cannot_start(f'exec: "{name}": executable file not found in $PATH', 127)
        case Errno(code="ENOENT"):
            return cannot_start(f'exec: "{name}": stat {name}: {str(problem).lower()}', 127)
    return cannot_start(f'exec: "{name}": {str(problem).lower()}', 126)


def _check_folder(process: Process, cwd: str, *, is_made: bool) -> None:
    """The directory a program starts in: that of `exec` must be there; that of `run` is made, where nothing else stands."""
    if not cwd.startswith("/"):
        raise cannot_start("Cwd must be an absolute path", 126)
    node = process.find(cwd)
    if node is not None and not node.is_directory and is_made:
        raise ImageLabError(f"Cannot mkdir: {cwd} is not a directory")
    if not (node.is_directory if node is not None else is_made):
        problem, code = ("no such file or directory", 127) if node is None else ("not a directory", 126)
        raise cannot_start(f'chdir to cwd ("{cwd}") set in config.json failed: {problem}', code)


def signal_number(name: str) -> int:
    """`9`, `KILL`, `SIGKILL`. ImageLabError: `invalid signal: FOO`."""
    from imagelab.runtime.shell.processes import signal_number as number

    value = number(name)
    if value is None:
        raise ImageLabError(f"invalid signal: {name}", hint="for example TERM, KILL, HUP, or a number")
    return value
