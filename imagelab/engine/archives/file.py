"""One archive as a directory that is never unpacked: where in the file each name's bytes are.

    a plain file      is read where it is: headers one after the other, and over everything else by seeking
    a pipe, or a compressed file   goes to a scratch file that has no name and dies with the process; headers are read
                                   as it passes, so that what is no archive is refused before much of it has come

Names inside an archive are only ever looked up in this table. Nothing is written under such a name, so an archive cannot
reach the machine; one that tries (`../x`, `/etc/passwd`, a link that leads outside) is refused all the same, because
it is never made by mistake.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from imagelab.errors import ArchiveError, LayerFormatError
from imagelab.layers.compression import LONGEST_HEAD, Inflater, compression_of
from imagelab.layers.tar_scanner import TarRow, TarScanner, clean

PIECE = 1 << 20
MOST = 64 << 30
"""Bytes that an archive may unpack to; more is a mistake, or malice."""
PADDING = 1 << 20
"""Bytes that are read behind the end of a tar: tar itself writes ten thousand at most."""
SMALL = 8 << 20
"""Bytes that a list or a config may have."""
LINKS = 8
"""Links that lead to links before they are taken for a circle."""
NOT_ONE = "docker load reads what docker save writes; docker import makes an image of any other tar"

STRANGE = "no tool writes such an archive; do not trust it"


class ArchiveFile:
    """The files of an archive by name. Made by `opened`."""

    def __init__(self, file: IO[bytes], base: int, rows: Iterable[TarRow]) -> None:
        self._file, self._base = file, base
        self._rows = {row.path: row for row in rows}

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def find(self, name: str) -> TarRow:
        """The file of that name, links followed. ArchiveError when there is none, or a link leads outside."""
        row, path = self._rows.get(_tidy(name)), _tidy(name)
        for _ in range(LINKS):
            if row is None or row.kind == "file":
                break
            beside = f"{path.rpartition('/')[0]}/{row.target}".lstrip("/")
            path = _tidy(row.target if row.kind == "hardlink" else beside, link=row)
            row = self._rows.get(path) if row.kind in ("hardlink", "symlink") else None
        if row is None or row.kind != "file" or row.sparse:
            hint = "the archive names it and does not hold it: it is damaged, or was cut"
            raise ArchiveError(f"open {name}: no such file or directory", hint=hint)
        return row

    def pieces(self, row: TarRow) -> Iterator[bytes]:
        """The bytes of a file, a megabyte at a time."""
        done = 0
        while done < row.size:
            self._file.seek(self._base + row.offset + done)
            piece = self._file.read(min(PIECE, row.size - done))
            if not piece:
                raise _cut()
            done += len(piece)
            yield piece

    def head(self, row: TarRow) -> bytes:
        """The first bytes of a file: what it is."""
        self._file.seek(self._base + row.offset)
        return self._file.read(min(LONGEST_HEAD, row.size))

    def small(self, name: str) -> bytes:
        """All of a list or a config. ArchiveError when it is too long to be one."""
        row = self.find(name)
        if row.size > SMALL:
            raise ArchiveError(f"{name} has {row.size} bytes, which is too long for a list or a config", hint=NOT_ONE)
        return b"".join(self.pieces(row))


@contextmanager
def opened(source: IO[bytes], scratch: Path, *, most: int = MOST) -> Iterator[ArchiveFile]:
    """An archive, plain or compressed, from a file or a pipe; `scratch` is a directory to work in. ArchiveError."""
    if source.seekable() and not compression_of(peeked(source)):
        yield ArchiveFile(source, source.tell(), _scanned(source))
        return
    with tempfile.TemporaryFile(prefix="archive-", dir=scratch) as file:
        yield ArchiveFile(file, 0, _spooled(source, file, most))


def peeked(source: IO[bytes]) -> bytes:
    position = source.tell()
    head = source.read(LONGEST_HEAD)
    source.seek(position)
    return head


def _scanned(source: IO[bytes]) -> list[TarRow]:
    """The headers of a plain file."""
    base = source.tell()
    length = source.seek(0, 2) - base
    scanner, position = TarScanner(_tidy), 0
    try:
        while position < length and not scanner.ended:
            source.seek(base + position)
            block = source.read(64 * 1024)
            scanner.feed(block)
            position += len(block) + scanner.jump()
        rows = scanner.finish()
    except LayerFormatError as error:
        raise refused(error) from None
    finally:
        source.seek(base)
    if any(row.offset + _stored(row) > length for row in rows):
        raise _cut()
    return _some(rows)


def _spooled(source: IO[bytes], file: IO[bytes], most: int) -> list[TarRow]:
    """The headers of what comes, and all of it in `file`."""
    scanner, behind = TarScanner(_tidy), 0
    try:
        for plain in inflated(source):
            if scanner.ended:
                behind += len(plain)
                if behind > PADDING:
                    break
                continue
            scanner.feed(plain)
            file.write(plain)
            if file.tell() > most:
                raise ArchiveError(f"the archive unpacks to more than {most} bytes", hint="is it the file you meant?")
        return _some(scanner.finish())
    except LayerFormatError as error:
        raise refused(error) from None


def inflated(source: IO[bytes]) -> Iterator[bytes]:
    """The plain bytes of a stream, whatever it is compressed with. LayerFormatError."""
    inflater = Inflater()
    for piece in iter(lambda: source.read(PIECE), b""):
        yield from inflater.feed(piece)
    yield from inflater.finish()


def _stored(row: TarRow) -> int:
    return sum(length for _, length in row.sparse) if row.sparse else row.size


def _some(rows: list[TarRow]) -> list[TarRow]:
    if not rows:
        raise ArchiveError("the archive is empty", hint=NOT_ONE)
    return rows


def _tidy(name: str, *, link: TarRow | None = None) -> str:
    """`./a//b` -> `a/b`; ArchiveError for what leads out of the archive."""
    try:
        if not name.startswith("/"):
            return clean(name)
    except LayerFormatError:
        pass
    problem = f"{link.path} is a link to {link.target}" if link else f"it names {name}"
    raise ArchiveError(f"the archive reaches outside of itself: {problem}", hint=STRANGE)


def refused(error: LayerFormatError, hint: str = NOT_ONE) -> ArchiveError:
    """The same of an archive, in Docker's words where it has some."""
    text = str(error)
    if "truncated" in text:
        return _cut()
    if "not a tar" in text:
        return ArchiveError("archive/tar: invalid tar header", hint=hint)
    return ArchiveError(text.replace("the layer", "the archive"), hint=error.hint or STRANGE)


def _cut() -> ArchiveError:
    return ArchiveError("unexpected EOF", hint="the archive stops in the middle: copy it again")
