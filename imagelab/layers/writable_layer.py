"""A container's writable layer: what it is made on, what has changed in it, and how Docker shows that.

    image's tree  --init layer-->  init tree  --what the container did-->  its tree
                                       |_______ diff _______________________|

The *init layer* is what Docker itself puts into every container: mount points and files like /etc/hosts. `docker diff`
and `docker commit` compare with the init tree, so none of it is ever shown or committed (R6.23, R6.29).

Two comparisons, and they differ on purpose. `tree.diff` is exact: it is what a commit stores. `docker diff` looks at
what `stat` tells (R6.25): a directory's time does not count, and bytes that changed without size or time are not seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

from imagelab.layers.tree import MADE, Change, Draft, Kind, Node, Opaque, Put, Tree, Whiteout, apply, diff

MOUNTS = ("dev", "proc", "sys")
"""Where something else is mounted: nothing below is the container's."""
NEVER_SHOWN = frozenset(
    [
        "dev/pts",
        "dev/shm",
        "proc",
        "sys",
        ".dockerenv",
        "etc/resolv.conf",
        "etc/hosts",
        "etc/hostname",
        "dev/console",
        "etc/mtab",
    ]
)
"""What the init layer holds (R6.29)."""
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}


@dataclass(frozen=True, slots=True)
class Init:
    """The init layer of one container: changes on the image, and the bytes of its few files."""

    changes: tuple[Change, ...]
    contents: dict[str, bytes]


def init_layer(hostname: str, created: int) -> Init:
    """What Docker puts into a container of this host name. `created`: seconds since 1970, the time of its files."""
    files = {
        "etc/hostname": f"{hostname}\n",
        "etc/hosts": f"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n172.17.0.2\t{hostname}\n",
        "etc/resolv.conf": "nameserver 127.0.0.1\n",
        ".dockerenv": "",
    }
    folder = replace(MADE, mtime=created)
    changes: list[Change] = [Put(path, folder) for path in ("dev", "dev/pts", "dev/shm", "proc", "sys")]
    contents: dict[str, bytes] = {}
    for path, text in files.items():
        data = text.encode()
        digest = f"sha256:{sha256(data).hexdigest()}" if data else ""
        contents |= {digest: data} if data else {}
        mode = 0o755 if path == ".dockerenv" else 0o644
        changes.append(Put(path, Node(Kind.FILE, mode, size=len(data), mtime=created, content=digest)))
    changes += [
        Put(f"dev/{name}", Node(Kind.CHAR, 0o666, mtime=created, rdev=number)) for name, number in DEVICES.items()
    ]
    links = {
        "fd": "/proc/self/fd",
        "stdin": "/proc/self/fd/0",
        "stdout": "/proc/self/fd/1",
        "stderr": "/proc/self/fd/2",
    }
    changes += [Put(f"dev/{name}", Node(Kind.SYMLINK, 0o777, mtime=created, target=to)) for name, to in links.items()]
    changes.append(Put("etc/mtab", Node(Kind.SYMLINK, 0o777, mtime=created, target="/proc/mounts")))
    return Init(tuple(changes), contents)


def init_tree(image: Tree, init: Init) -> Tree:
    """The tree a container starts from. Directories that were there keep what they are (and their time)."""
    changes = [change for change in init.changes if not (isinstance(change, Put) and _is_directory(image, change))]
    return apply(image, changes)


def _is_directory(tree: Tree, put: Put) -> bool:
    return put.node.is_directory and put.path in tree and tree[put.path].is_directory


def changes_of(init: Tree, now: Tree) -> tuple[Change, ...]:
    """What a commit stores: everything that differs, but for what is mounted there (R6.34)."""
    changes = tuple(
        change for change in diff(init, now) if change.path not in NEVER_SHOWN and not is_mounted(change.path)
    )
    return tuple(change for change in changes if not _only_above(change, changes, init))


def is_mounted(path: str) -> bool:
    """Is this inside /dev, /proc or /sys?"""
    return path.partition("/")[0] in MOUNTS


def _only_above(change: Change, all: tuple[Change, ...], init: Tree) -> bool:
    """The root directory, changed in nothing but its time, when nothing else changed."""
    return change.path == "" and len(all) == 1 and isinstance(change, Put) and _same(init[""], change.node)


# -- docker diff --------------------------------------------------------------------------------------------


def listed(init: Tree, changes: Iterable[Change]) -> list[tuple[str, str]]:
    """What `docker diff` lists: (A, C or D; absolute path), parents first, deletions after their siblings (R6.24-R6.28).

    >>> made = apply(Tree.empty(), [Put("etc/motd", Node(Kind.FILE)), Put("etc/issue", Node(Kind.FILE))])
    >>> listed(made, [Whiteout("etc/issue"), Put("etc/motd", Node(Kind.FILE, size=3))])
    [('C', '/etc'), ('C', '/etc/motd'), ('D', '/etc/issue')]
    """
    kinds: dict[str, str] = {}
    for change in changes:
        kind = _kind(init, change)
        if kind:
            kinds[change.path] = kind
    deleted = {path for path, kind in kinds.items() if kind == "D"}
    for path in list(kinds):
        for above in _above(path):
            if above not in kinds and above not in deleted:
                kinds[above] = "C"
    kinds.pop("", None)
    return [(kinds[path], f"/{path}") for path in sorted(kinds, key=lambda path: _place(path, kinds))]


def _kind(init: Tree, change: Change) -> str:
    if isinstance(change, Whiteout):
        return "D"
    if isinstance(change, Opaque):
        return ""
    before = init.get(change.path)
    if before is None:
        return "A"
    return "" if _same(before, change.node) else "C"


def _same(old: Node, new: Node) -> bool:
    """R6.25: as `docker diff` compares them."""
    if (old.kind, old.mode, old.uid, old.gid, old.rdev, _capability(old)) != (new.kind, new.mode, new.uid, new.gid, new.rdev, _capability(new)):  # fmt: skip
        return False
    return new.is_directory or (old.size, old.mtime, old.target) == (new.size, new.mtime, new.target)


def _capability(node: Node) -> bytes:
    return dict(node.xattrs).get("security.capability", b"")


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _place(path: str, kinds: dict[str, str]) -> tuple[tuple[bool, str], ...]:
    """Depth first, siblings in order, those that are gone after the others (R6.28)."""
    steps = path.split("/")
    return tuple((kinds.get("/".join(steps[: depth + 1])) == "D", name) for depth, name in enumerate(steps))


def size_of(changes: Iterable[Change]) -> int:
    """Bytes of the writable layer: what `docker ps -s` shows; a file's other names count nothing."""
    seen: set[str] = set()
    total = 0
    for change in changes:
        if isinstance(change, Put) and change.node.kind is Kind.FILE and (change.node.link or change.path) not in seen:
            seen.add(change.node.link or change.path)
            total += change.node.size
    return total


def contents_of(changes: Iterable[Change]) -> set[str]:
    """The digests of bytes that only the container has; those of its image say where they lie, with an `@`."""
    return {
        change.node.content
        for change in changes
        if isinstance(change, Put) and change.node.content and "@" not in change.node.content
    }


# -- as bytes -----------------------------------------------------------------------------------------------


def pack(changes: Iterable[Change]) -> bytes:
    """Changes as JSON: one short list each."""
    return json.dumps([_packed(change) for change in changes], separators=(",", ":")).encode("utf-8", "surrogateescape")


def _packed(change: Change) -> list[object]:
    if not isinstance(change, Put):
        return ["w" if isinstance(change, Whiteout) else "o", change.path]
    node = change.node
    xattrs = [[name, value.hex()] for name, value in node.xattrs]
    return ["p", change.path, node.kind, node.mode, node.uid, node.gid, node.size, node.mtime, node.content, node.target, node.rdev, xattrs, node.link]  # fmt: skip


def unpack(data: bytes) -> tuple[Change, ...]:
    """What `pack` packed."""
    return tuple(_unpacked(*item) for item in json.loads(data)) if data else ()


def _unpacked(kind: str, path: str, *rest: object) -> Change:
    if kind != "p":
        return Whiteout(path) if kind == "w" else Opaque(path)
    form, mode, uid, gid, size, mtime, content, target, rdev, xattrs, link = rest
    attributes = tuple((name, bytes.fromhex(value)) for name, value in xattrs)  # type: ignore[attr-defined]
    numbers: tuple[int, int] = tuple(rdev)  # type: ignore[arg-type,assignment]
    return Put(path, Node(Kind(form), mode, uid, gid, size, mtime, content, target, numbers, attributes, link=link))  # type: ignore[arg-type]


def moved(tree: Tree, changes: Iterable[Change]) -> Tree:
    """`apply` for changes that name each path exactly, as a container's own do: no link is followed."""
    draft = Draft(tree)
    later = []
    for change in changes:
        if isinstance(change, Put):
            later.append(change)
        elif isinstance(change, Whiteout) and draft.get(change.path) is not None:
            draft.remove(change.path)
    for change in later:
        old = draft.get(change.path)
        if old is not None and old.is_directory and not change.node.is_directory:
            draft.remove(change.path)
        draft.put(change.path, change.node)
    return draft.tree()
