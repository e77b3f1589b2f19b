"""The files of a large stack of layers, merged once and kept in `cache/`, one directory at a time.

    imagelab-tree 1 <crc32 of all that follows> <bytes of the table>
    {"": [<from>, <to>], "etc": …}                where each directory stands below
    [["motd", "file", 420, …], …]                 what a directory holds: names and nodes

A Debian image has ten thousand files, and a new process that only wants to know how one of them was should not have to
read them all. A directory is read from the cache when a process first looks into it; `Tree` does not show the difference.
Like everything in `cache/` it may be deleted: what is missing or damaged is made again from the layers.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

from imagelab.layers.tree import Kind, Node, Tree
from imagelab.oci.digest import Digest

LARGE = 2000
"""Files in one layer from which on its stack is kept."""
_MAGIC = b"imagelab-tree 1 "


def read(directory: Path, chain_id: Digest) -> Tree | None:
    """The tree of a stack, if it is there and whole."""
    try:
        head, _, rest = _file(directory, chain_id).read_bytes().partition(b"\n")
    except OSError:
        return None
    if not head.startswith(_MAGIC) or len(words := head.removeprefix(_MAGIC).split()) != 2:
        return None
    if int(words[0], 16) != zlib.crc32(rest):
        return None
    start = int(words[1])
    table: dict[str, tuple[int, int]] = json.loads(rest[:start])

    def names(path: str) -> Iterator[tuple[str, Node]]:
        begin, end = table[path]
        for name, *fields in json.loads(rest[start + begin : start + end]):
            yield name, _node(*fields)

    ((_, root),) = names("/")
    return Tree.fetched(root, names)


def write(directory: Path, chain_id: Digest, tree: Tree) -> None:
    """Keep a tree; a lab that cannot be written to goes without."""
    pieces, table, size = [], {}, 0
    for path in ("/", *(path for path in tree if tree[path].is_directory)):
        inside = (
            {"/": tree[""]}
            if path == "/"
            else {name: tree[f"{path}/{name}" if path else name] for name in tree.children(path)}
        )
        piece = json.dumps([[name, *_fields(node)] for name, node in inside.items()], separators=(",", ":")).encode()
        table[path] = size, size + len(piece)
        pieces.append(piece)
        size += len(piece)
    packed = json.dumps(table, separators=(",", ":")).encode()
    rest = packed + b"".join(pieces)
    file = _file(directory, chain_id)
    temporary = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(exist_ok=True)
        temporary.write_bytes(_MAGIC + b"%08x %d\n" % (zlib.crc32(rest), len(packed)) + rest)
        os.replace(temporary, file)
    except OSError:
        temporary.unlink(missing_ok=True)


def sweep(directory: Path, stacks: Collection[Digest]) -> None:
    """Only these stacks are there still."""
    for file in (directory / "cache").glob("*.tree"):
        if Digest.trusted(f"sha256:{file.stem}") not in stacks:
            file.unlink(missing_ok=True)


def _file(directory: Path, chain_id: Digest) -> Path:
    return directory / "cache" / f"{chain_id.hex}.tree"


def _fields(node: Node) -> list[object]:
    xattrs = [[name, value.hex()] for name, value in node.xattrs]
    return [node.kind, node.mode, node.uid, node.gid, node.size, node.mtime, node.content, node.target, node.rdev, xattrs, node.uname, node.gname, node.link]  # fmt: skip


def _node(
    kind: str, mode: int, uid: int, gid: int, size: int, mtime: int, content: str, target: str,
    rdev: list[int], xattrs: list[list[str]], uname: str, gname: str, link: str,
) -> Node:  # fmt: skip
    attributes = tuple((name, bytes.fromhex(value)) for name, value in xattrs)
    return Node(
        Kind(kind), mode, uid, gid, size, mtime, content, target, (rdev[0], rdev[1]), attributes, uname, gname, link
    )
