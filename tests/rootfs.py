"""A directory on disk read as a tree reads: what to compare an unpacked image with."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from imagelab.layers.tree import Kind, Tree
from imagelab.store.store import Store

Entry = tuple[object, ...]


def of_directory(root: Path) -> dict[str, Entry]:
    """Every path below `root`: kind, mode, owner, and size and digest, link text or device."""
    found: dict[str, Entry] = {}
    for above, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = Path(above) / name
            found[path.relative_to(root).as_posix()] = _entry(path)
    return found


def _entry(path: Path) -> Entry:
    status = path.lstat()
    head = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    if stat.S_ISLNK(status.st_mode):
        return ("symlink", *head[1:], os.readlink(path))
    if stat.S_ISDIR(status.st_mode):
        return ("directory", *head)
    if stat.S_ISREG(status.st_mode):
        return ("file", *head, status.st_size, hashlib.sha256(path.read_bytes()).hexdigest(), int(status.st_mtime))
    kind = "fifo" if stat.S_ISFIFO(status.st_mode) else "char" if stat.S_ISCHR(status.st_mode) else "block"
    device = () if kind == "fifo" else (os.major(status.st_rdev), os.minor(status.st_rdev))
    return (kind, *head, *device)


def of_tree(tree: Tree, store: Store | None = None, contents: dict[str, bytes] | None = None) -> dict[str, Entry]:
    """The same of a Tree; bytes from a store, or by content."""
    found: dict[str, Entry] = {}
    for path, node in tree.items():
        head = (node.mode, node.uid, node.gid)
        if not path:
            continue
        if node.kind is Kind.SYMLINK:
            found[path] = ("symlink", *head[1:], node.target)
        elif node.kind is Kind.FILE:
            data = store.read_file(node) if store else (contents or {}).get(node.content, b"")
            found[path] = ("file", *head, node.size, hashlib.sha256(data).hexdigest(), node.mtime)
        elif node.kind in (Kind.CHAR, Kind.BLOCK):
            found[path] = (str(node.kind), *head, *node.rdev)
        else:
            found[path] = (str(node.kind), *head)
    return found


def differences(ours: dict[str, Entry], theirs: dict[str, Entry]) -> list[str]:
    """One line for each path that is not the same, for a person to read."""
    return [
        f"{path}: ours {ours.get(path)}, theirs {theirs.get(path)}"
        for path in sorted(ours.keys() | theirs.keys()) if ours.get(path) != theirs.get(path)
    ]  # fmt: skip
