"""A layer in its three forms: changes, a tar, a blob.

    changes  --write-->  tar  --gzip-->  blob            what commit and build do
    blob  --inflate-->  tar  --scan-->  index -> changes   what a pull does

Three digests come out of it: of the blob (what a manifest lists), of the tar (the *diff ID*, what a config lists), and
of the two together with everything below (the *chain ID*, `oci.chain_ids`).

Whiteout names live here and nowhere else (R7.8). In a tar, a change that removes is an empty file with a telling name:

    etc/.wh.motd         etc/motd of the layers below is gone        Whiteout("etc/motd")
    etc/.wh..wh..opq     all that they had in etc is gone            Opaque("etc")
    .wh..wh.anything     aufs's own bookkeeping                      skipped

A pull *indexes* a layer and does not unpack it: one pass over the stream hashes the blob, inflates it, hashes the tar
and reads its headers. What is kept is where every file's bytes are (`Entry.offset`), so they can be read when somebody
asks for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from imagelab.errors import LayerFormatError
from imagelab.layers.compression import Inflater, gzip_bytes
from imagelab.layers.tar_scanner import BLOCK, TarRow, TarScanner
from imagelab.layers.tree import Change, Kind, Node, Opaque, Put, Whiteout
from imagelab.oci.documents import OCI_LAYER_GZIP, Digest

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class LayerIndex:
    """What one pass over a layer found. Sizes are bytes; `size` counts a file with several names once."""

    blob: Digest
    blob_size: int
    diff_id: Digest
    tar_size: int
    size: int
    media_type: str
    rows: Sequence[TarRow] = field(repr=False)

    def changes(self) -> list[Change]:
        """The rows as changes; LayerFormatError for a bare `.wh.` (R7.8)."""
        changed = (_change(row, self.diff_id) for row in self.rows)
        return [change for change in changed if change is not None]


class PipelineStage(Protocol):
    """A part of the work that takes its pieces in order, perhaps beside the others. What it raises, the next call raises."""

    def feed(self, piece: bytes) -> None:
        """One more piece."""

    def finish(self) -> None:
        """Wait until every piece has been worked on."""

    def close(self) -> None:
        """Let go; pieces that no thread has begun with are dropped."""


class LayerScanner:
    """One pass over a layer: `feed` the blob as it arrives, then `finish`.

    `keep` is handed the uncompressed tar, piece by piece, for a caller that stores it. `stage`
    makes a stage of its own for each part of the work, inflating, and hashing and reading what was inflated; then `close` it, too.
    """

    def __init__(
        self,
        media_type: str = OCI_LAYER_GZIP,
        *,
        keep: Callable[[bytes], object] | None = None,
        stage: Callable[[Callable[[bytes], object]], PipelineStage] | None = None,
    ) -> None:
        self._media_type = media_type
        self._blob, self._tar = hashlib.sha256(), hashlib.sha256()
        self._blob_size = self._tar_size = 0
        self._inflater, self._scanner = Inflater(), TarScanner()
        self._keep = keep
        self._to_inflate: Callable[[bytes], object] = self._inflate
        self._to_read: Callable[[bytes], object] = self._read
        self._stages: Sequence[PipelineStage] = self._in_stages(stage) if stage is not None else ()

    def _in_stages(self, stage: Callable[[Callable[[bytes], object]], PipelineStage]) -> Sequence[PipelineStage]:
        inflating, reading = stage(self._inflate), stage(self._read)
        self._to_inflate, self._to_read = inflating.feed, reading.feed
        return inflating, reading

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the blob. LayerFormatError when they are not a layer."""
        self._blob.update(chunk)
        self._blob_size += len(chunk)
        self._to_inflate(chunk)

    def finish(self) -> LayerIndex:
        """What was found; LayerFormatError when the layer is not complete or holds what none may hold."""
        self.catch_up()
        for piece in self._inflater.finish():
            self._read(piece)
        rows = self._scanner.finish()
        for row in rows:
            _refuse_bare_whiteout(row.path)
        return LayerIndex(
            blob=self.blob,
            blob_size=self._blob_size,
            diff_id=self.blob if self._inflater.plain else Digest.trusted("sha256:" + self._tar.hexdigest()),
            tar_size=self._tar_size,
            size=sum(row.size for row in rows),
            media_type=self._media_type,
            rows=rows,
        )

    @property
    def blob(self) -> Digest:
        """The digest of what has been fed so far."""
        return Digest.trusted("sha256:" + self._blob.hexdigest())

    def catch_up(self) -> None:
        """Wait until all that has been fed is read; LayerFormatError when it is not a layer."""
        for stage in self._stages:
            stage.finish()

    def close(self) -> None:
        """Let go of the threads, if there are any."""
        for stage in self._stages:
            stage.close()

    def _inflate(self, chunk: bytes) -> None:
        for piece in self._inflater.feed(chunk):
            self._to_read(piece)

    def _read(self, piece: bytes) -> None:
        if not self._inflater.plain:  # else the tar is the blob, and hashing it twice tells nothing new
            self._tar.update(piece)
        self._tar_size += len(piece)
        self._scanner.feed(piece)
        if self._keep is not None:
            self._keep(piece)


def index(blob: bytes, media_type: str = OCI_LAYER_GZIP) -> LayerIndex:
    """The index of a whole blob in memory.

    >>> removal = index(blob_of([Whiteout("etc/motd")], bytes))
    >>> [row.path for row in removal.rows], removal.changes()
    (['etc/.wh.motd'], [Whiteout(path='etc/motd')])
    """
    scanner = LayerScanner(media_type)
    scanner.feed(blob)
    return scanner.finish()


def _change(row: TarRow, diff_id: str) -> Change | None:
    above, _, name = row.path.rpartition("/")
    if name.startswith(WHITEOUT):
        if name == OPAQUE:
            return Opaque(above)
        if name.startswith(".wh..wh."):
            return None
        hidden = name.removeprefix(WHITEOUT)
        return Whiteout(f"{above}/{hidden}" if above else hidden)
    return Put(row.path, node_of(row, diff_id))


def _refuse_bare_whiteout(path: str) -> None:
    if path.rpartition("/")[2] in (WHITEOUT, ".wh...", ".wh.."):
        raise LayerFormatError(f"the layer has a whiteout of no name: {path}")


def node_of(row: TarRow, place: str) -> Node:
    """A row as a node; its bytes are at `place`@offset, where a layer says its diff ID."""
    is_file = row.kind == "file"
    xattrs = tuple(sorted((key, value.encode("latin-1")) for key, value in (row.xattrs or {}).items()))
    return Node(
        Kind(row.kind),
        row.mode,
        row.uid,
        row.gid,
        row.size,
        row.mtime,
        f"{place}@{row.offset}" if is_file and row.size else "",
        row.target,
        (row.major, row.minor),
        xattrs,
        row.uname,
        row.gname,
    )


# -- an index as bytes --------------------------------------------------------------------------------------


def pack(index: LayerIndex) -> bytes:
    """An index in a compact form that every Python reads alike: JSON, one list per column."""
    head = [index.blob, index.blob_size, index.diff_id, index.tar_size, index.size, index.media_type]
    return json.dumps([head, list(zip(*index.rows, strict=True))], separators=(",", ":")).encode()


def unpack(data: bytes) -> LayerIndex:
    """What `pack` packed."""
    (blob, blob_size, diff_id, tar_size, size, media_type), columns = json.loads(data)
    rows = [TarRow(*row) for row in zip(*columns, strict=True)]
    return LayerIndex(Digest.trusted(blob), blob_size, Digest.trusted(diff_id), tar_size, size, media_type, rows)


# -- writing ------------------------------------------------------------------------------------------------

Read = Callable[[Node], bytes]


def write(changes: Iterable[Change], read: Read) -> Iterator[bytes]:
    """The tar of these changes: sorted by path, whiteouts before their siblings, the same bytes everywhere (R6.31).

    `read` gives the bytes of a file's node. No changes at all make the empty tar: 1024 zero bytes (R6.34).

    >>> b"".join(write([], bytes)) == bytes(1024)
    True
    """
    first_names: dict[tuple[str, str], str] = {}
    for change in sorted(changes, key=_order):
        match change:
            case Put(path, node) if node.link and (node.link, node.content) in first_names:
                yield _entry(path, node, b"1", first_names[node.link, node.content])
            case Put(path, node):
                if node.link:
                    first_names[node.link, node.content] = path
                yield _entry(path, node, _FLAGS[node.kind], node.target)
                if node.kind is Kind.FILE and node.size:
                    data = read(node)
                    yield data + bytes(-len(data) % BLOCK)
            case Whiteout(path):
                above, slash, name = path.rpartition("/")
                yield _entry(f"{above}{slash}{WHITEOUT}{name}", _MARK, b"0", "")
            case Opaque(path):
                yield _entry(f"{path}/{OPAQUE}" if path else OPAQUE, _MARK, b"0", "")
    yield bytes(2 * BLOCK)


def blob_of(changes: Iterable[Change], read: Read) -> bytes:
    """The same, gzipped: a blob as a registry stores it."""
    return b"".join(gzip_bytes(write(changes, read)))


_MARK = Node(Kind.FILE, mode=0)
_FLAGS = {
    Kind.FILE: b"0",
    Kind.HARDLINK: b"1",
    Kind.SYMLINK: b"2",
    Kind.CHAR: b"3",
    Kind.BLOCK: b"4",
    Kind.DIRECTORY: b"5",
    Kind.FIFO: b"6",
}


def _order(change: Change) -> tuple[tuple[int, str], ...]:
    """Parents before children; in one directory Opaque, then Whiteouts, then the rest, each by name."""
    names = change.path.split("/") if change.path else []
    if isinstance(change, Opaque):
        return (*((2, name) for name in names), (0, ""))
    last = 1 if isinstance(change, Whiteout) else 2
    return tuple((2 if depth < len(names) - 1 else last, name) for depth, name in enumerate(names))


def _entry(path: str, node: Node, flag: bytes, target: str) -> bytes:
    """One header, with a pax header before it for whatever does not fit."""
    name = (path + "/" if flag == b"5" and path else path or "./").encode("utf-8", "surrogateescape")
    link = target.encode("utf-8", "surrogateescape")
    size = node.size if flag == b"0" else 0
    pax: dict[bytes, bytes] = {}
    if len(name) > 100 or not name.isascii():
        pax[b"path"] = name
    if len(link) > 100 or not link.isascii():
        pax[b"linkpath"] = link
    for key, value, largest in (
        (b"uid", node.uid, 0o7777777),
        (b"gid", node.gid, 0o7777777),
        (b"size", size, 0o77777777777),
        (b"mtime", node.mtime, 0o77777777777),
    ):
        if not 0 <= value <= largest:
            pax[key] = str(value).encode()
    for attribute, content in node.xattrs:
        pax[b"SCHILY.xattr." + attribute.encode("utf-8", "surrogateescape")] = content
    header = _header(name, node, flag, link, size)
    if not pax:
        return header
    body = b"".join(_record(key, pax[key]) for key in sorted(pax))
    extension = _header(b"PaxHeaders.0/entry", Node(Kind.FILE, size=len(body)), b"x", b"", len(body))
    return extension + body + bytes(-len(body) % BLOCK) + header


def _header(name: bytes, node: Node, flag: bytes, link: bytes, size: int) -> bytes:
    def octal(value: int, width: int) -> bytes:
        return (b"%0*o" % (width - 1, value if 0 <= value < 8 ** (width - 1) else 0)) + b"\0"

    def ascii_only(text: bytes, width: int) -> bytes:
        return bytes(byte if byte < 128 else ord("_") for byte in text[:width]).ljust(width, b"\0")

    device = [octal(number, 8) for number in node.rdev] if flag in b"34" else [octal(0, 8)] * 2
    block = b"".join(
        [
            ascii_only(name, 100),
            octal(node.mode, 8),
            octal(node.uid, 8),
            octal(node.gid, 8),
            octal(size, 12),
            octal(node.mtime, 12),
            b" " * 8,
            flag,
            ascii_only(link, 100),
            b"ustar\x0000",
            ascii_only(node.uname.encode(), 31) + b"\0",
            ascii_only(node.gname.encode(), 31) + b"\0",
            *device,
        ]
    ).ljust(BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _record(key: bytes, value: bytes) -> bytes:
    """`length key=value newline`, where the length counts its own digits."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    if len(str(length)) != len(str(rest)):
        length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)
