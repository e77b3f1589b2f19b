"""Layers travel compressed. Which way is written in their first bytes, not in what anybody says of them.

    1f 8b                gzip   what nearly every layer is
    28 b5 2f fd          zstd   newer, faster; accepted by Docker since 23.0 (R7.11)
    42 5a 68 . 31 41 ..  bzip2  "BZh", a level, and the digits of pi: what `docker save | bzip2` makes (R6.48)
    fd 37 7a 58 5a 00    xz     smallest, slowest
    anything else        an uncompressed tar

An inflater is fed pieces as they arrive and gives back plain bytes, at most PIECE at a time, so that neither a large
layer nor a hostile one fills the memory. isal inflates gzip faster than zlib and is used when it is installed: the
bytes are the same.

Compressing for a registry is another matter: the digest of a blob depends on every byte of the *compressed* form,
header included. `gzip_bytes` fixes all it can (no name, no time, no operating system), but two builds of zlib may
still deflate differently: only diff IDs are the same everywhere (R7.3).
"""

from __future__ import annotations

import importlib
import re
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from imagelab.errors import LayerFormatError

PIECE = 1 << 20
GZIP, ZSTD, XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0"
BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
"""A whole block's beginning: a tar whose first file is called `BZh…` is no bzip2."""
LONGEST_HEAD = 10
XZ_MEMORY = 1 << 28
"""Bytes that inflating xz may take; `xz -9` needs a quarter of it."""


class Inflater:
    """Compressed pieces in, plain pieces out; the format is found out from the first bytes."""

    def __init__(self) -> None:
        self._head = b""
        self._stream: _Plain | _Gzip | _Zstd | _Other | None = None

    @property
    def plain(self) -> bool:
        """Is it known by now that the data is not compressed, so that plain pieces are what was fed?"""
        return isinstance(self._stream, _Plain)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes that `data` completes, in pieces. LayerFormatError when they do not inflate."""
        if self._stream is None:
            self._head += data
            if len(self._head) < LONGEST_HEAD:
                return
            data = self._begin()
        assert self._stream is not None
        yield from self._stream.feed(data)

    def finish(self) -> Iterator[bytes]:
        """What is left; LayerFormatError when the data stops in the middle."""
        if self._stream is None and self._head:
            yield from self._rest()
        if self._stream is not None and not self._stream.complete:
            raise LayerFormatError("the layer is truncated: its compressed data stops in the middle")

    def _rest(self) -> Iterator[bytes]:
        head = self._begin()
        assert self._stream is not None
        yield from self._stream.feed(head)

    def _begin(self) -> bytes:
        head, self._head = self._head, b""
        self._stream = _stream_for(head)
        return head


def compression_of(head: bytes) -> str:
    """ "gzip", "zstd", "xz", "bzip2", or "" for plain bytes: what the first ten bytes say."""
    for magic, name in ((GZIP, "gzip"), (ZSTD, "zstd"), (XZ, "xz")):
        if head.startswith(magic):
            return name
    return "bzip2" if BZIP2.match(head) else ""


def _stream_for(head: bytes) -> _Plain | _Gzip | _Zstd | _Other:
    match compression_of(head):
        case "gzip":
            return _Gzip()
        case "zstd":
            return _Zstd()
        case "xz" | "bzip2" as name:
            return _Other(name)
    return _Plain()


class _Plain:
    complete = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data


class _Gzip:
    """One or more gzip members after each other; zeros after the last are padding."""

    def __init__(self) -> None:
        self._engine, self._error = _gzip_engine()
        self._member: Any = None
        self._begin = b""

    @property
    def complete(self) -> bool:
        return self._member is None and not self._begin.strip(b"\0")

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member is None:
                data = self._next_member(data)
                if not data:
                    return
            try:
                plain = self._member.decompress(data, PIECE)
            except self._error as error:
                raise LayerFormatError(f"the layer does not inflate: {error}") from None
            if plain:
                yield plain
            data = self._member.unconsumed_tail
            if self._member.eof:
                data, self._member = self._member.unused_data, None

    def _next_member(self, data: bytes) -> bytes:
        data = self._begin + data
        if not self._begin:
            data = data.lstrip(b"\0")
        self._begin = b""
        if 0 < len(data) < 2:
            self._begin = data
            return b""
        if data and not data.startswith(GZIP):
            raise LayerFormatError("the layer does not inflate: gzip: invalid header after the end of the data")
        if data:
            self._member = self._engine.decompressobj(31)
        return data


class _Zstd:
    """One or more zstd frames after each other."""

    STEP = 16 * 1024

    def __init__(self) -> None:
        self._new, self._error = _zstd_engine()
        self._frame: Any = None

    @property
    def complete(self) -> bool:
        return self._frame is None

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), self.STEP):
            yield from self._step(data[start : start + self.STEP])

    def _step(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._frame is None:
                self._frame = self._new()
            try:
                plain = self._frame.decompress(data)
            except self._error as error:
                raise LayerFormatError(f"the layer does not inflate: {error}") from None
            if plain:
                yield plain
            data = b""
            if self._frame.eof:
                data, self._frame = self._frame.unused_data, None


class _Other:
    """bzip2 or xz: one or more streams after each other; zeros between them are padding."""

    def __init__(self, name: str) -> None:
        self._new, self._error = _other_engine(name)
        self._member: Any = None

    @property
    def complete(self) -> bool:
        return self._member is None

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member is None:
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._member = self._new()
            yield from self._step(data)
            data = b""
            if self._member.eof:
                data, self._member = self._member.unused_data, None

    def _step(self, data: bytes) -> Iterator[bytes]:
        try:
            yield self._member.decompress(data, PIECE)
            while not self._member.eof and not self._member.needs_input:
                yield self._member.decompress(b"", PIECE)
        except self._error as error:
            raise LayerFormatError(f"the layer does not inflate: {error}") from None


def _other_engine(name: str) -> tuple[Any, type[Exception]]:
    """Loaded when a layer needs it: not every Python was built with both."""
    try:
        if name == "bzip2":
            return importlib.import_module("bz2").BZ2Decompressor, OSError
        lzma = importlib.import_module("lzma")
    except ImportError:
        raise LayerFormatError(
            f"the data is compressed with {name}, and this Python cannot read that",
            hint=f"unpack it first with {name} -d",
        ) from None
    return lambda: lzma.LZMADecompressor(memlimit=XZ_MEMORY), lzma.LZMAError


def _gzip_engine() -> tuple[Any, type[Exception]]:
    try:
        fast = importlib.import_module("isal.isal_zlib")
    except ImportError:
        return zlib, zlib.error
    return fast, fast.error


def _zstd_engine() -> tuple[Any, type[Exception]]:
    if sys.version_info >= (3, 14):
        own = importlib.import_module("compression.zstd")
        return own.ZstdDecompressor, own.ZstdError
    try:
        zstandard = importlib.import_module("zstandard")
    except ImportError:
        raise LayerFormatError(
            "the layer is compressed with zstd, and this Python cannot read that",
            hint="pip install zstandard, or use Python 3.14",
        ) from None
    return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj, zstandard.ZstdError


def gzip_bytes(plain: Iterable[bytes]) -> Iterator[bytes]:
    """One gzip member: level 6, no name, time 0, operating system 255 (unknown)."""
    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    deflate, check, size = zlib.compressobj(6, zlib.DEFLATED, -15), 0, 0
    for piece in plain:
        check, size = zlib.crc32(piece, check), size + len(piece)
        yield deflate.compress(piece)
    yield deflate.flush() + struct.pack("<II", check, size & 0xFFFFFFFF)
