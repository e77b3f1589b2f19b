"""A program's bytes on the streams of a command line."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import TextIO


def output_to(out: TextIO, err: TextIO) -> Callable[[int, bytes], None]:
    """What takes a program's bytes: exactly, where there is a binary stream, and as text elsewhere."""
    writers = {1: _writer(out), 2: _writer(err)}

    def show(fd: int, data: bytes) -> None:
        writers[fd](data)

    return show


def _writer(stream: TextIO) -> Callable[[bytes], None]:
    binary = getattr(stream, "buffer", None)
    if binary is not None:

        def write(data: bytes) -> None:
            stream.flush()
            binary.write(data)
            binary.flush()

        return write
    decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def decode(data: bytes) -> None:
        stream.write(decoder.decode(data))

    return decode
