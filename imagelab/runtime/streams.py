"""What programs read and write: pipes, files, devices, and the ends of both that are a learner's keyboard or screen.

Streams carry bytes. Programs may treat them as text, with `text` and `raw`, which lose nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from imagelab.runtime.filesystem import Errno, FileSystem, User

PIPE_SIZE = 65536


def text(data: bytes) -> str:
    """Bytes as text; bytes that are not UTF-8 come through unharmed."""
    return data.decode("utf-8", "surrogateescape")


def raw(words: str) -> bytes:
    """The bytes of such a text."""
    return words.encode("utf-8", "surrogateescape")


class Stream:
    """An open file description. Shared by every descriptor that was copied from it; closed with the last one."""

    is_terminal = False
    path = ""
    """The path in the tree of a regular file; "" for anything else."""

    def __init__(self) -> None:
        self.holders = 0

    def acquire(self) -> Stream:
        """One more descriptor."""
        self.holders += 1
        return self

    def release(self) -> None:
        """One less."""
        self.holders -= 1
        if self.holders <= 0:
            self.close()

    def read(self, size: int) -> bytes | None:
        """Up to `size` bytes; b"" at the end; None when there is nothing yet. Errno EBADF."""
        raise Errno("EBADF")

    def write(self, data: bytes) -> None:
        """Take all of it. Errno EBADF, EPIPE."""
        raise Errno("EBADF")

    @property
    def full(self) -> bool:
        """Should the writer wait until a reader has read?"""
        return False

    def close(self) -> None:
        """No process holds it any more."""


class Pipe:
    """Bytes on their way. `reader` and `writer` are its two ends."""

    def __init__(self) -> None:
        self.waiting = bytearray()
        self.reader: Stream = _ReadEnd(self)
        self.writer: Stream = _WriteEnd(self)
        self.read_closed = self.write_closed = False


class _ReadEnd(Stream):
    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self._pipe = pipe

    def read(self, size: int) -> bytes | None:
        data = bytes(self._pipe.waiting[:size])
        del self._pipe.waiting[:size]
        return data if data or self._pipe.write_closed else None

    def close(self) -> None:
        self._pipe.read_closed = True


class _WriteEnd(Stream):
    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self._pipe = pipe

    def write(self, data: bytes) -> None:
        if self._pipe.read_closed:
            raise Errno("EPIPE")
        self._pipe.waiting += data

    @property
    def full(self) -> bool:
        return len(self._pipe.waiting) >= PIPE_SIZE and not self._pipe.read_closed

    def close(self) -> None:
        self._pipe.write_closed = True


class BytesInput(Stream):
    """Input that is all there from the start."""

    def __init__(self, data: bytes = b"") -> None:
        super().__init__()
        self._data, self._at = data, 0

    def read(self, size: int) -> bytes:
        data = self._data[self._at : self._at + size]
        self._at += len(data)
        return data


class Output(Stream):
    """Output that goes to a function."""

    def __init__(self, take: Callable[[bytes], object], *, terminal: bool = False) -> None:
        super().__init__()
        self._take, self.is_terminal = take, terminal

    def write(self, data: bytes) -> None:
        self._take(data)


class Device(Stream):
    """/dev/null, /dev/zero, /dev/full, /dev/random, /dev/urandom."""

    def __init__(self, name: str, noise: Callable[[int], bytes]) -> None:
        super().__init__()
        self._name, self._noise = name, noise

    def read(self, size: int) -> bytes:
        match self._name:
            case "null":
                return b""
            case "zero" | "full":
                return bytes(min(size, PIPE_SIZE))
        return self._noise(min(size, PIPE_SIZE))

    def write(self, data: bytes) -> None:
        if self._name == "full" and data:
            raise Errno("ENOSPC")


class OpenFile(Stream):
    """A regular file, open. What is written is in the file as soon as it is written."""

    def __init__(self, files: FileSystem, path: str, *, append: bool = False, writable: bool = True) -> None:
        super().__init__()
        self.path, self._files = path, files
        self._at, self._append, self._writable = 0, append, writable

    def _data(self) -> bytes:
        node = self._files.stat(User(), "/" + self.path)
        return self._files.data(node)

    def read(self, size: int) -> bytes:
        data = self._data()[self._at : self._at + size]
        self._at += len(data)
        return data

    def write(self, data: bytes) -> None:
        if not self._writable:
            raise Errno("EBADF")
        try:
            old = self._data()
        except Errno:  # it was removed meanwhile: the bytes are lost
            return
        position = len(old) if self._append else self._at
        self._files.store(self.path, old[:position].ljust(position, b"\0") + data + old[position + len(data) :])
        self._at = position + len(data)


class OpenDirectory(Stream):
    """A directory, opened for reading: only the reading fails."""

    def read(self, size: int) -> bytes:
        raise Errno("EISDIR")
