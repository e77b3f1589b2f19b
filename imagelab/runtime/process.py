"""A running program of a container.

Programs here are Python functions, called with their Process; they return an exit code. One that may have to wait (for
input, for a full pipe, for time) is a generator: it yields how long it can wait, in seconds, and is asked again.

    def whoami(p):                      def cat(p):
        p.out(name_of(p.user.uid))          while data := (yield from p.read()):
        return 0                                p.out(data)
                                                yield from p.flush()
                                            return 0

    yield NOW       there is more to do, let the others have a turn first
    yield 1.5       ask again in 1.5 seconds
    yield FOREVER   until another process writes, reads or sends a signal

So every program of a pipeline runs at once without a single thread: `yes | head -1` ends, the order of everything is
the same on every machine, and the driver of the outermost generator can stop it between any two steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from imagelab.layers.tree import MOST_LINKS, Kind, Node
from imagelab.runtime.filesystem import Errno, FileSystem, User
from imagelab.runtime.streams import PIPE_SIZE, Device, OpenDirectory, OpenFile, Stream, raw

NOW = 0.0
FOREVER = math.inf
Steps = Generator[float, None, int]
"""A program at work: yields how long it can wait, returns its exit code."""
Waiting = Generator[float, None, bytes]

MOST_MEMORY = 1 << 28
"""Bytes a program may read into memory: /dev/zero has no end."""
SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "CHLD": 17, "CONT": 18, "STOP": 19, "TSTP": 20, "WINCH": 28}  # fmt: skip


class Killed(Exception):
    """A signal ended the program. `code` is 128 + its number."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"signal {signal}")
        self.signal = signal
        self.code = 128 + signal


class Program(Protocol):
    """What a marker executable (`#!imagelab ls`) stands for."""

    def __call__(self, p: Process, /) -> int | Steps: ...


@dataclass
class Machine:
    """What the processes of one container share: its files, its name, its clock, who is running."""

    files: FileSystem
    hostname: str = "localhost"
    clock: Callable[[], int] = lambda: 0
    """Nanoseconds since 1970."""
    monotonic: Callable[[], float] = lambda: 0.0
    """Seconds, for `sleep`."""
    noise: Callable[[int], bytes] = bytes
    """That many random bytes."""
    programs: Mapping[str, Program] = field(default_factory=dict)
    """Marker name -> the program."""
    processes: dict[int, Process] = field(default_factory=dict)
    others: Callable[[], list[tuple[int, str, str]]] = list
    """(pid, user, command line) of the container's processes that another process of the machine drives."""
    kill_other: Callable[[int, int], bool] = lambda pid, signal: False
    """Send a signal to one of those; False when there is none."""
    services: dict[int, Any] = field(default_factory=dict)
    """Port -> the WSGI application that listens there, or None for a port that is only held."""
    ports_taken: Callable[[], set[int]] = set
    background: dict[int, Steps] = field(default_factory=dict)
    """Programs started with `&`, by their process number."""
    finished: dict[int, int] = field(default_factory=dict)
    """Exit codes of those that are over."""
    progress: int = 0
    """Grows with everything that may let a waiting process go on."""
    next_pid: int = 1
    width: int = 80
    """Columns of the terminal."""

    def pid(self) -> int:
        """The next process number."""
        self.next_pid += 1
        return self.next_pid - 1


class Process:
    """One program at work: `args` (its name first), `env`, `cwd`, `user`, descriptors, and its machine."""

    def __init__(
        self, machine: Machine, args: list[str], env: dict[str, str], cwd: str = "/", user: User | None = None,
        fds: Mapping[int, Stream] | None = None, umask: int = 0o022, parent: int = 0,
    ) -> None:  # fmt: skip
        self.machine, self.args, self.env, self.cwd = machine, args, env, cwd
        self.user, self.umask, self.parent = user or User(), umask, parent
        self.fds = {number: stream.acquire() for number, stream in (fds or {}).items()}
        self.pid = machine.pid()
        self.signals: list[int] = []
        self.handled: set[int] = set()
        """Signals the program does something about; the others end it."""
        self.started = machine.clock()
        machine.processes[self.pid] = self

    @property
    def files(self) -> FileSystem:
        return self.machine.files

    @property
    def name(self) -> str:
        """What it calls itself in its complaints."""
        return self.args[0].rpartition("/")[2]

    def close(self) -> None:
        """The program is over: its descriptors are closed."""
        for number in list(self.fds):
            self.fds.pop(number).release()
        self.machine.processes.pop(self.pid, None)

    def attach(self, fd: int, stream: Stream | None) -> Stream | None:
        """Put a stream in the place of a descriptor (None closes it); what was there, for the caller to release."""
        held = stream.acquire() if stream is not None else None
        before = self.fds.pop(fd, None)
        if held is not None:
            self.fds[fd] = held
        return before

    def child(self, args: list[str], env: dict[str, str]) -> Process:
        """A process that inherits everything but its arguments and environment."""
        return Process(self.machine, args, env, self.cwd, self.user, self.fds, self.umask, self.pid)

    # -- signals --------------------------------------------------------------------------------------------

    def signal(self, number: int) -> None:
        """A process in the container sends a signal. Nothing ends process 1 that has not asked for it, as in Linux."""
        if number in (SIGNALS["CHLD"], SIGNALS["CONT"], SIGNALS["WINCH"]):
            return
        if number in self.handled or self.pid != 1:
            self.signals.append(number)
            self.machine.progress += 1

    def check(self) -> None:
        """Raise Killed when a signal has come that the program does not handle."""
        for number in self.signals:
            if number not in self.handled or number == SIGNALS["KILL"]:
                raise Killed(number)

    # -- reading --------------------------------------------------------------------------------------------

    def read(self, fd: int = 0, size: int = PIPE_SIZE) -> Waiting:
        """`data = yield from p.read()`: what there is, b"" at the end. Errno EBADF."""
        while True:
            self.check()
            stream = self.fds.get(fd)
            if stream is None:
                raise Errno("EBADF")
            data = stream.read(size)
            if data is not None:
                self.machine.progress += 1
                return data
            yield FOREVER

    def read_all(self, fd: int = 0) -> Waiting:
        """`data = yield from p.read_all()`: everything up to the end. Errno ENOMEM."""
        parts, size = [], 0
        while data := (yield from self.read(fd)):
            parts.append(data)
            size += len(data)
            if size > MOST_MEMORY:
                raise Errno("ENOMEM")
        return b"".join(parts)

    def read_line(self, fd: int = 0) -> Waiting:
        """`line = yield from p.read_line()`: one line with its end; b"" at the end. Takes not one byte more."""
        line = bytearray()
        while not line.endswith(b"\n") and (byte := (yield from self.read(fd, 1))):
            line += byte
        return bytes(line)

    # -- writing --------------------------------------------------------------------------------------------

    def out(self, data: bytes | str, fd: int = 1) -> None:
        """Write, without waiting (see `flush`). A reader that is gone ends the program: SIGPIPE."""
        stream = self.fds.get(fd)
        if stream is None:
            raise Errno("EBADF")
        self.machine.progress += 1
        try:
            stream.write(raw(data) if isinstance(data, str) else data)
        except Errno as error:
            if error.code == "EPIPE":
                raise Killed(SIGNALS["PIPE"]) from None
            raise

    def err(self, message: str) -> None:
        """A line on standard error, as it is."""
        if 2 in self.fds:
            self.out(message + "\n", 2)

    def complain(self, message: str, code: int = 1) -> int:
        """`cat: nosuch: No such file or directory`, on standard error; returns `code`."""
        self.err(f"{self.name}: {message}")
        return code

    def flush(self, fd: int = 1) -> Generator[float, None, None]:
        """Wait while the reader is behind; let the others have a turn in any case."""
        self.check()
        yield NOW
        while (stream := self.fds.get(fd)) is not None and stream.full:
            self.check()
            yield FOREVER

    def sleep(self, seconds: float) -> Generator[float, None, None]:
        """Wait for time to pass; a signal that ends the program ends the wait."""
        until = self.machine.monotonic() + seconds
        while (left := until - self.machine.monotonic()) > 0:
            self.check()
            yield left

    # -- files ----------------------------------------------------------------------------------------------

    def path(self, name: str) -> str:
        """A name as the program was given it -> an absolute path. An empty name stays empty (ENOENT)."""
        if not name or name.startswith("/"):
            return name
        return f"{self.cwd.rstrip('/')}/{name}"

    def stat(self, name: str, *, follow: bool = True) -> Node:
        """The node of a file. Errno."""
        return self.files.stat(self.user, self.path(name), follow=follow)

    def find(self, name: str, *, follow: bool = True) -> Node | None:
        """The node of a file, or None."""
        try:
            return self.stat(name, follow=follow)
        except Errno:
            return None

    def may(self, name: str, wanted: int) -> bool:
        """Is it there, and may the user READ, WRITE, EXECUTE it?"""
        node = self.find(name)
        return node is not None and self.user.may(node, wanted)

    def open(self, name: str, mode: str = "r") -> Stream:
        """Open a file, a device or one's own descriptor. `mode`: r, w, a, x (new only), + (read and write, kept). Errno."""
        path = self.path(name)
        if (fd := self._descriptor(path)) is not None:
            return self._own(fd)
        if mode == "r":
            node = self.files.stat(self.user, path)
        else:
            mode_bits = 0o666 & ~self.umask
            resolved = self.files.create(self.user, path, mode_bits, truncate=mode in "wx", exclusive=mode == "x")
            node = self.files.stat(User(), "/" + resolved)
        return self._opened(node, path, mode)

    def _opened(self, node: Node, path: str, mode: str) -> Stream:
        if mode == "r" and not self.user.may(node, 4):
            raise Errno("EACCES")
        if node.kind is Kind.CHAR:
            names = {(1, 3): "null", (1, 5): "zero", (1, 7): "full", (1, 8): "random", (1, 9): "urandom"}
            if node.rdev == (5, 0):
                return self._own(0 if mode == "r" else 1)
            if node.rdev not in names:
                raise Errno("ENXIO")
            return Device(names[node.rdev], self.machine.noise)
        if node.kind not in (Kind.FILE, Kind.DIRECTORY):
            raise Errno("ENXIO")
        if node.is_directory:
            return OpenDirectory()
        resolved = self.files.resolve(self.user, path)
        return OpenFile(self.files, resolved, append=mode == "a", writable=mode != "r")

    def _descriptor(self, path: str) -> int | None:
        """The number, when a path is one of the program's own descriptors, or a link to one."""
        for _ in range(MOST_LINKS):
            if not path or (fd := _own_descriptor(path)) is not None:
                return fd if path else None
            try:
                node = self.files.stat(self.user, path, follow=False)
            except Errno:
                return None
            if node.kind is not Kind.SYMLINK:
                return None
            above = path.rstrip("/").rpartition("/")[0]
            path = node.target if node.target.startswith("/") else f"{above}/{node.target}"
        return None

    def _own(self, fd: int) -> Stream:
        if fd not in self.fds:
            raise Errno("ENXIO")
        return self.fds[fd]

    def read_file(self, name: str) -> Waiting:
        """`data = yield from p.read_file(name)`: all of a file; `-` is standard input. Errno (EISDIR for a directory)."""
        with self.opened(name) as fd:
            return (yield from self.read_all(fd))

    @contextmanager
    def opened(self, name: str) -> Iterator[int]:
        """A descriptor of a file, for as long as it is needed; `-` is standard input. Errno."""
        if name == "-":
            yield 0
            return
        fd = max(self.fds, default=2) + 1
        self.attach(fd, self.open(name))
        try:
            yield fd
        finally:
            self.fds.pop(fd).release()


def _own_descriptor(path: str) -> int | None:
    """/dev/stdin, /dev/stdout, /dev/stderr, /dev/fd/N, /proc/self/fd/N."""
    named = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
    if path in named:
        return named[path]
    for folder in ("/dev/fd/", "/proc/self/fd/"):
        if path.startswith(folder) and path.removeprefix(folder).isdigit():
            return int(path.removeprefix(folder))
    return None
