"""Reading a tar without unpacking it: 512-byte headers in a stream, and where each file's bytes begin.

A tar is a row of blocks of 512 bytes: one header, then the file's bytes, then padding up to the next block; two
blocks of zeros end it. What does not fit in a header (long names, big numbers, extended attributes) stands in an
entry of its own just before: `x` (pax) or `L` and `K` (GNU).

`TarScanner` is fed pieces of any size and keeps one row per entry. It never holds a file's bytes, and nothing that a
tar says can make it touch the host: a device, a mode of 000 or a name like `aux` is a row like any other. What would
leave the root (`../x`) is refused.

Key: a *row* is (path, kind, mode, uid, gid, size, mtime, target, offset, uname, gname, major, minor, xattrs, sparse);
`offset` counts uncompressed bytes from the start of the tar.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from imagelab.errors import LayerFormatError

BLOCK = 512
LONGEST_EXTENSION = 1 << 20
"""Bytes of a pax or GNU extension that are believed; Linux allows paths of 4096 and attributes of 65536."""

_HEADER = struct.Struct("100s8s8s8s12s12s8sc100s8s32s32s8s8s155s12s")
_ZEROS = bytes(BLOCK)
_KINDS = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"3": "char",
    b"4": "block",
    b"5": "directory",
    b"6": "fifo",
    b"S": "file",
}
_SPARSE_IN_PAX = frozenset({"GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.numblocks"})
_ODD_PATH = re.compile(r"(?:^|/)\.{0,2}(?:/|$)")


class TarRow(NamedTuple):
    """One entry of a tar, without its bytes."""

    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    target: str
    offset: int
    uname: str = ""
    gname: str = ""
    major: int = 0
    minor: int = 0
    xattrs: dict[str, str] | None = None
    sparse: list[tuple[int, int]] | None = None


class TarScanner:
    """`feed` the tar in pieces; `rows` are complete after `finish`. `name` tidies the name of an entry, or refuses it."""

    def __init__(self, name: Callable[[str], str] | None = None) -> None:
        self.rows: list[TarRow] = []
        self._name = name or clean
        self._at = 0
        self._skip = 0
        self._wanted = BLOCK
        self._held = b""
        self._extension = b""
        self._pax: dict[str, str] = {}
        self._ended = False
        self._sparse: tuple[TarRow, list[tuple[int, int]]] | None = None

    def feed(self, data: bytes) -> None:
        """The next bytes of the tar. LayerFormatError when they are no tar."""
        position, length = 0, len(data)
        while position < length and not self._ended:
            if self._skip:
                step = min(self._skip, length - position)
                self._skip -= step
                position += step
                self._at += step
                continue
            need = self._wanted - len(self._held)
            piece = data[position : position + need]
            position += len(piece)
            self._at += len(piece)
            if len(piece) < need:
                self._held += piece
                return
            block, self._held = (self._held + piece if self._held else piece), b""
            self._take(block)

    @property
    def ended(self) -> bool:
        """Has the mark of the end been read? What comes after it is padding."""
        return self._ended

    def jump(self) -> int:
        """How many bytes come next that are only a file's own: a reader that can seek passes over them, and need not feed them."""
        step, self._skip = self._skip, 0
        self._at += step
        return step

    def finish(self) -> list[TarRow]:
        """All rows; LayerFormatError when the tar stops in the middle of an entry."""
        if self._skip >= BLOCK or self._held or self._extension or self._pax or self._sparse:
            raise LayerFormatError("the layer is truncated: its tar stops in the middle of an entry")
        return self.rows

    # -- blocks ---------------------------------------------------------------------------------------------

    def _take(self, block: bytes) -> None:
        if self._sparse:
            self._more_sparse(block)
        elif self._extension:
            self._extend(block)
        elif block == _ZEROS:
            self._ended = True
        else:
            self._header(block)

    def _header(self, block: bytes) -> None:
        fields = _HEADER.unpack(block)
        _check(block, fields[6])
        flag, size = fields[7], _number(fields[4])
        if flag in b"xgLK":
            self._begin_extension(flag, size)
            return
        pax, self._pax = self._pax, {}
        if flag not in _KINDS:
            raise LayerFormatError(f"the layer holds an entry of type {flag!r}, which no image may have")
        row = _row(block, fields, pax, self._at, self._name)
        if flag == b"S":
            self._begin_sparse(row, block)
            return
        if pax and not _SPARSE_IN_PAX.isdisjoint(pax):
            raise LayerFormatError(
                f"{row.path} is stored as a sparse file in the pax format",
                hint="build the layer with tar --format=gnu or without --sparse",
            )
        self.rows.append(row)
        self._skip = _padded(row.size)

    # -- extensions -----------------------------------------------------------------------------------------

    def _begin_extension(self, flag: bytes, size: int) -> None:
        if not 0 <= size <= LONGEST_EXTENSION:
            raise LayerFormatError(f"the layer has an extended header of {size} bytes; no tool writes such a thing")
        if flag == b"g":  # global headers describe the archive, not a file
            self._skip = _padded(size)
            return
        self._extension = flag + str(size).encode()
        self._wanted = _padded(size)
        if not size:
            self._extend(b"")

    def _extend(self, body: bytes) -> None:
        flag, size = self._extension[:1], int(self._extension[1:])
        self._extension, self._wanted = b"", BLOCK
        body = body[:size]
        if flag == b"x":
            self._pax |= _records(body)
        else:
            self._pax["path" if flag == b"L" else "linkpath"] = _text(body)

    def _begin_sparse(self, row: TarRow, block: bytes) -> None:
        """GNU's old sparse format: a map of the pieces that are there, in the header and in blocks after it."""
        pieces = _pieces(block[386:482])
        whole = row._replace(size=_number(block[483:495]))
        if block[482]:
            self._sparse = whole, pieces
        else:
            self._end_sparse(whole, pieces)

    def _more_sparse(self, block: bytes) -> None:
        assert self._sparse is not None
        row, pieces = self._sparse
        pieces = pieces + _pieces(block[:504])
        self._sparse = (row, pieces) if block[504] else None
        if not block[504]:
            self._end_sparse(row, pieces)

    def _end_sparse(self, row: TarRow, pieces: list[tuple[int, int]]) -> None:
        self.rows.append(row._replace(offset=self._at, sparse=pieces))
        self._skip = _padded(sum(length for _, length in pieces))


def _row(
    block: bytes, fields: tuple[bytes, ...], pax: dict[str, str], offset: int, tidy: Callable[[str], str]
) -> TarRow:
    """One entry from its header, and from the pax records before it, which win."""
    _, mode, uid, gid, size, mtime, _, flag, link, _, uname, gname, major, minor, _, _ = fields
    path, kind = pax.get("path") or _name(block, flag), _KINDS[flag]
    if kind == "file" and path.endswith("/"):
        kind = "directory"
    device = (_number(major), _number(minor)) if kind in ("char", "block") else (0, 0)
    if not pax:  # nearly all
        return TarRow(
            tidy(path), kind, _number(mode) & 0o7777, _number(uid), _number(gid), _number(size) if kind == "file" else 0,
            _number(mtime), _target(kind, link), offset, _word(uname), _word(gname), *device,
        )  # fmt: skip
    return TarRow(
        tidy(path), kind, _number(mode) & 0o7777, int(pax.get("uid") or _number(uid)), int(pax.get("gid") or _number(gid)),
        int(pax.get("size") or _number(size)) if kind == "file" else 0, _seconds(pax.get("mtime"), mtime),
        _target(kind, link, pax.get("linkpath")), offset, pax.get("uname") or _word(uname),
        pax.get("gname") or _word(gname), *device, _xattrs(pax),
    )  # fmt: skip


def _name(block: bytes, flag: bytes) -> str:
    """A name of up to 256 bytes, in two fields where the tar is a POSIX one."""
    name = _text(block[:100])
    if not block[345] or block[257:263] != b"ustar\0" or flag == b"S":
        return name
    return f"{_text(block[345:500])}/{name}"


def clean(path: str) -> str:
    """`./a//b/` -> `a/b`; the root is "". LayerFormatError when it leaves the root."""
    path = path.strip("/")
    if not ("/." in path or "//" in path or path.startswith(".")) or not _ODD_PATH.search(path):
        return path
    steps: list[str] = []
    for step in path.split("/"):
        if step == "..":
            if not steps:
                raise LayerFormatError(f"the layer has an entry {path!r}, which is outside the root")
            steps.pop()
        elif step not in ("", "."):
            steps.append(step)
    return "/".join(steps)


def _padded(size: int) -> int:
    if size < 0:  # and a reader that believed it would read backwards
        raise LayerFormatError(f"the layer is not a tar: an entry of {size} bytes")
    return (size + BLOCK - 1) // BLOCK * BLOCK


def _check(block: bytes, checksum: bytes) -> None:
    """The header's own sum, its field counted as spaces. adler32's low half is 1 + the sum of the bytes mod 65521."""
    total = zlib.adler32(block[:148] + b"        " + block[156:]) & 0xFFFF
    if total != (_number(checksum) + 1) % 65521:
        raise LayerFormatError("the layer is not a tar: the checksum of a header does not match")


@lru_cache(maxsize=4096)  # most files have the owner, the mode and the time of the one before
def _number(text: bytes) -> int:
    """Octal digits, or a big-endian number when the first bit is set."""
    if text[0] & 0x80:
        return int.from_bytes(text, "big", signed=True) if text[0] == 0xFF else int.from_bytes(text[1:], "big")
    try:
        return int(text.split(b"\0", 1)[0].strip() or b"0", 8)
    except ValueError:
        raise LayerFormatError(f"the layer is not a tar: {text!r} is not a number") from None


def _seconds(pax: str | None, field: bytes) -> int:
    if pax is None:
        return _number(field)
    try:
        return int(float(pax) // 1)
    except (ValueError, OverflowError):
        raise LayerFormatError(f"the layer is not a tar: {pax!r} is not a time") from None


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


@lru_cache(maxsize=256)
def _word(field: bytes) -> str:
    """The text of a field that is the same for many."""
    return _text(field)


def _target(kind: str, link: bytes, long: str | None = None) -> str:
    if kind == "hardlink":
        return clean(long or _text(link))
    return long or _text(link) if kind == "symlink" else ""


def _records(body: bytes) -> dict[str, str]:
    """pax records: `length key=value newline`, the length counting all of it."""
    records: dict[str, str] = {}
    while body.strip(b"\0"):
        length_text, space, _ = body.partition(b" ")
        length = int(length_text) if length_text.isdigit() and len(length_text) < 8 else 0
        record = body[len(length_text) + 1 : length]
        key, equals, value = record.partition(b"=")
        if not space or not equals or not record.endswith(b"\n") or length > len(body):
            raise LayerFormatError("the layer is not a tar: a pax header does not parse")
        text = key.decode("utf-8", "surrogateescape")
        records[text] = value[:-1].decode("latin-1" if text.startswith("SCHILY.xattr.") else "utf-8", "surrogateescape")
        body = body[length:]
    for key_text in ("size", "uid", "gid"):
        if not records.get(key_text, "0").lstrip("-").isdigit():
            raise LayerFormatError(f"the layer is not a tar: pax {key_text} {records[key_text]!r} is not a number")
    return records


def _xattrs(pax: dict[str, str]) -> dict[str, str] | None:
    xattrs = {key[13:]: value for key, value in pax.items() if key.startswith("SCHILY.xattr.")}
    return xattrs or None


def _pieces(fields: bytes) -> list[tuple[int, int]]:
    pairs = [(fields[start : start + 12], fields[start + 12 : start + 24]) for start in range(0, len(fields) - 23, 24)]
    return [
        (_number(offset), _number(length)) for offset, length in pairs if offset.strip(b"\0") and length.strip(b"\0")
    ]
