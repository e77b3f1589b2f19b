"""A container's file system, as its programs see it: paths with symlinks in them, owners, permissions, open files.

    Tree       what the files are                        (a value; `imagelab.layers.tree`)
    Draft      the same being worked on, path by path    (`imagelab.layers.tree`)
    FileSystem what `open`, `mkdir`, `rename`, … do to a draft for one user, and the words they refuse with

A symlink is followed inside the root and never out of it: `/..` is `/`, an absolute target begins at the container's
root. Bytes live outside the tree: a node names its content, `read` fetches what an image holds, and what is written
here is kept by digest in `contents` until the container's change is stored.

Nothing touches the machine this runs on, so file names, modes, owners and devices mean what they mean on Linux.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from imagelab.layers.tree import MOST_LINKS, Draft, Kind, Node, Tree

ERRORS = {
    "EPERM": "Operation not permitted",
    "ENOENT": "No such file or directory",
    "ENXIO": "No such device or address",
    "EBADF": "Bad file descriptor",
    "EACCES": "Permission denied",
    "EEXIST": "File exists",
    "ENOTDIR": "Not a directory",
    "EISDIR": "Is a directory",
    "EINVAL": "Invalid argument",
    "ENAMETOOLONG": "File name too long",
    "ENOTEMPTY": "Directory not empty",
    "ELOOP": "Too many levels of symbolic links",
    "EBUSY": "Device or resource busy",
    "ENOMEM": "Cannot allocate memory",
    "ENOSPC": "No space left on device",
    "EPIPE": "Broken pipe",
    "ENOEXEC": "Exec format error",
    "ESRCH": "No such process",
}
"""What Linux says of each."""

READ, WRITE, EXECUTE = 4, 2, 1


class Errno(Exception):
    """A system call that says no. `code` is its name (`ENOENT`), `str()` what Linux says of it."""

    def __init__(self, code: str) -> None:
        super().__init__(ERRORS[code])
        self.code = code


@dataclass(frozen=True, slots=True)
class User:
    """Whose rights a program has."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()

    def may(self, node: Node, wanted: int) -> bool:
        """Do the permission bits allow READ, WRITE, EXECUTE (or a sum of them)? Root may all but execute anything."""
        if self.uid == 0:
            return not wanted & EXECUTE or node.is_directory or bool(node.mode & 0o111)
        if node.uid == self.uid:
            bits = node.mode >> 6
        elif node.gid == self.gid or node.gid in self.groups:
            bits = node.mode >> 3
        else:
            bits = node.mode
        return bits & wanted == wanted


ROOT = User()


class FileSystem:
    """One container's files. `read(node)` gives the bytes of a file of the image; `now()` is seconds since 1970."""

    def __init__(self, tree: Tree, read: Callable[[Node], bytes], now: Callable[[], int]) -> None:
        self._draft = Draft(tree)
        self._read = read
        self.now = now
        self.contents: dict[str, bytes] = {}
        """Bytes written here, by digest."""

    def tree(self) -> Tree:
        """The files as a value."""
        return self._draft.tree()

    def reset(self, tree: Tree) -> None:
        """Another process changed the container: go on from there."""
        self._draft = Draft(tree)

    # -- paths ----------------------------------------------------------------------------------------------

    def resolve(self, user: User, path: str, *, follow: bool = True) -> str:
        """An absolute path -> the path in the tree (no leading slash, no links). The last name need not exist.

        Raises Errno: ENOENT for a missing directory on the way, ENOTDIR, ELOOP, EACCES, ENAMETOOLONG.
        """
        if not path:
            raise Errno("ENOENT")
        if len(path) > 4095:
            raise Errno("ENAMETOOLONG")
        steps = path.split("/")[::-1]
        walked: list[str] = []
        links = 0
        while steps:
            name = steps.pop()
            if name in ("", "."):
                continue
            self._enter(user, walked)
            if name == "..":
                walked = walked[:-1]
                continue
            if len(name.encode("utf-8", "surrogateescape")) > 255:
                raise Errno("ENAMETOOLONG")
            node = self._draft.get("/".join([*walked, name]))
            if node is None and any(step not in ("", ".") for step in steps):
                raise Errno("ENOENT")
            if node is not None and node.kind is Kind.SYMLINK and (follow or any(steps) or path.endswith("/")):
                links += 1
                if links > MOST_LINKS:
                    raise Errno("ELOOP")
                walked = [] if node.target.startswith("/") else walked
                steps += node.target.split("/")[::-1]
                continue
            walked.append(name)
        resolved = "/".join(walked)
        if path.endswith(("/", "/.")) and (end := self._draft.get(resolved)) is not None and not end.is_directory:
            raise Errno("ENOTDIR")
        return resolved

    def _enter(self, user: User, steps: list[str]) -> None:
        node = self._draft.get("/".join(steps))
        if node is None:
            raise Errno("ENOENT")
        if not node.is_directory:
            raise Errno("ENOTDIR")
        if not user.may(node, EXECUTE):
            raise Errno("EACCES")

    def stat(self, user: User, path: str, *, follow: bool = True) -> Node:
        """The node at a path. ENOENT, and whatever `resolve` says."""
        return self._existing(user, path, follow=follow)[1]

    def names(self, user: User, path: str) -> list[str]:
        """The names in a directory, in order. ENOTDIR, EACCES."""
        node = self.stat(user, path)
        if not node.is_directory:
            raise Errno("ENOTDIR")
        if not user.may(node, READ):
            raise Errno("EACCES")
        return self._draft.names(self.resolve(user, path))

    def links(self, path: str, node: Node) -> int:
        """How many names a file has; of a directory, its sub-directories and two."""
        resolved = path.strip("/")
        if node.is_directory:
            below = (
                self._draft.get(f"{resolved}/{name}" if resolved else name) for name in self._draft.names(resolved)
            )
            return 2 + sum(child is not None and child.is_directory for child in below)
        return len(self._names_of(node)) or 1

    # -- bytes ----------------------------------------------------------------------------------------------

    def data(self, node: Node) -> bytes:
        """The bytes of a file's node."""
        if not node.size:
            return b""
        return self.contents[node.content] if node.content in self.contents else self._read(node)

    def read_file(self, user: User, path: str) -> bytes:
        """All of a file. EISDIR, EACCES, ENOENT."""
        node = self.stat(user, path)
        if node.is_directory:
            raise Errno("EISDIR")
        if not user.may(node, READ):
            raise Errno("EACCES")
        return self.data(node) if node.kind is Kind.FILE else b""

    def write_file(self, user: User, path: str, data: bytes, mode: int = 0o644) -> None:
        """Make a file hold these bytes; one that is there keeps its mode, owner and other names."""
        self.store(self.create(user, path, mode), data)

    def create(
        self, user: User, path: str, mode: int = 0o644, *, truncate: bool = True, exclusive: bool = False
    ) -> str:
        """Open a file for writing, made if it is not there; its path in the tree. EISDIR, EACCES, ENOENT, EEXIST."""
        resolved = self.resolve(user, path)
        node = self._draft.get(resolved)
        if node is None:
            if path.endswith("/"):
                raise Errno("EISDIR")
            self._add(user, resolved, Node(Kind.FILE, mode, user.uid, user.gid, mtime=self.now()))
        elif exclusive:
            raise Errno("EEXIST")
        elif node.is_directory:
            raise Errno("EISDIR")
        elif not user.may(node, WRITE):
            raise Errno("EACCES")
        elif truncate and node.kind is Kind.FILE:
            self.store(resolved, b"")
        return resolved

    def follow(self, user: User, path: str) -> str:
        """Where a path leads, link by link, as text: `/var/log/nginx/access.log` -> `/dev/stdout`. Errno."""
        return "/" + self.resolve(user, path)

    def find(self, resolved: str) -> Node | None:
        """The node at a path of the tree, with no link followed and no permission checked."""
        return self._draft.get(resolved)

    def put(self, resolved: str, node: Node) -> None:
        """Place a node at a path of the tree, as unpacking an archive does; the directory above is there."""
        old = self._draft.get(resolved)
        if old is not None and old.is_directory and not node.is_directory:
            self._draft.remove(resolved)
        self._draft.put(resolved, node)
        self._touch_above(resolved)

    def store(self, resolved: str, data: bytes, mtime: int | None = None) -> None:
        """New bytes for the file at a path of the tree, under all its names. A file that is gone stays gone."""
        node = self._draft.get(resolved)
        if node is None or node.kind is not Kind.FILE:
            return
        content = f"sha256:{hashlib.sha256(data).hexdigest()}" if data else ""
        if data:
            self.contents[content] = data
        new = replace(
            node, size=len(data), content=content, mtime=self.now() if mtime is None else mtime, mode=node.mode & 0o1777
        )
        for name in self._names_of(node) or [resolved]:
            self._draft.put(name, new)

    def _names_of(self, node: Node) -> list[str]:
        """Every path of a file that has several."""
        if not node.link or node.kind is not Kind.FILE:
            return []
        tree = self._draft.tree()
        return [path for path in tree if (candidate := tree[path]).link == node.link and candidate == node]

    # -- names ----------------------------------------------------------------------------------------------

    def mkdir(self, user: User, path: str, mode: int = 0o755) -> None:
        """EEXIST, ENOENT, EACCES."""
        self.mknod(user, path, Node(Kind.DIRECTORY, mode, user.uid, user.gid, mtime=self.now()))

    def symlink(self, user: User, target: str, path: str) -> None:
        """EEXIST, ENOENT, EACCES."""
        self.mknod(user, path, Node(Kind.SYMLINK, 0o777, user.uid, user.gid, mtime=self.now(), target=target))

    def mknod(self, user: User, path: str, node: Node) -> None:
        """A node as it is (a FIFO, or what `docker cp` brings); replaces nothing. EEXIST."""
        resolved = self.resolve(user, path, follow=False)
        if self._draft.get(resolved) is not None:
            raise Errno("EEXIST")
        self._add(user, resolved, node)

    def link(self, user: User, old: str, new: str) -> None:
        """One more name for a file. EPERM for a directory, EEXIST."""
        source, node = self._existing(user, old)
        if node.is_directory:
            raise Errno("EPERM")
        node = replace(node, link=node.link or source)
        self.mknod(user, new, node)
        self._draft.put(source, node)

    def _existing(self, user: User, path: str, *, follow: bool = False) -> tuple[str, Node]:
        """Where something is, and its node. ENOENT."""
        resolved = self.resolve(user, path, follow=follow)
        node = self._draft.get(resolved)
        if node is None:
            raise Errno("ENOENT")
        return resolved, node

    def unlink(self, user: User, path: str) -> None:
        """EISDIR for a directory, EACCES, EPERM (a sticky directory)."""
        resolved, node = self._existing(user, path)
        if node.is_directory:
            raise Errno("EISDIR")
        self._leave(user, resolved, node)
        self._draft.remove(resolved)

    def rmdir(self, user: User, path: str) -> None:
        """ENOTDIR, ENOTEMPTY, EBUSY for the root."""
        resolved, node = self._existing(user, path)
        if not node.is_directory:
            raise Errno("ENOTDIR")
        if not resolved:
            raise Errno("EBUSY")
        if self._draft.names(resolved):
            raise Errno("ENOTEMPTY")
        self._leave(user, resolved, node)
        self._draft.remove(resolved)

    def rename(self, user: User, old: str, new: str) -> None:
        """As rename(2): a file replaces a file, a directory an empty directory. EINVAL into itself."""
        source, node = self._existing(user, old)
        target = self.resolve(user, new, follow=False)
        there = self._draft.get(target)
        if source == target:
            return
        if node.is_directory and f"{target}/".startswith(f"{source}/"):
            raise Errno("EINVAL")
        self._leave(user, source, node)
        if there is not None:
            self._make_way(user, target, there, node)
        else:
            self._writable(user, target)
        self._draft.move(source, target)
        self._touch_above(target)

    def _make_way(self, user: User, resolved: str, there: Node, node: Node) -> None:
        if there.is_directory and not node.is_directory:
            raise Errno("EISDIR")
        if node.is_directory and not there.is_directory:
            raise Errno("ENOTDIR")
        if self._draft.names(resolved):
            raise Errno("ENOTEMPTY")
        self._leave(user, resolved, there)
        self._draft.remove(resolved)

    def _add(self, user: User, resolved: str, node: Node) -> None:
        self._writable(user, resolved)
        above = self._draft.get(resolved.rpartition("/")[0])
        if above is not None and above.mode & 0o2000:  # set-group-ID: what is made here has its group
            node = replace(node, gid=above.gid, mode=node.mode | (0o2000 if node.is_directory else 0))
        self._draft.put(resolved, node)
        self._touch_above(resolved)

    def _writable(self, user: User, resolved: str) -> Node:
        above = self._draft.get(resolved.rpartition("/")[0])
        if above is None:
            raise Errno("ENOENT")
        if not above.is_directory:
            raise Errno("ENOTDIR")
        if not user.may(above, WRITE | EXECUTE):
            raise Errno("EACCES")
        return above

    def _leave(self, user: User, resolved: str, node: Node) -> None:
        """May this name be taken away? The directory's time changes with it."""
        above = self._writable(user, resolved)
        if above.mode & 0o1000 and user.uid not in (0, node.uid, above.uid):
            raise Errno("EPERM")
        self._touch_above(resolved)

    def _touch_above(self, resolved: str) -> None:
        path = resolved.rpartition("/")[0]
        node = self._draft.get(path)
        if node is not None and node.mtime != self.now():
            self._draft.put(path, replace(node, mtime=self.now()))

    # -- attributes -----------------------------------------------------------------------------------------

    def chmod(self, user: User, path: str, mode: int) -> None:
        """EPERM unless it is one's own."""
        self._attributes(user, path, owner_may=True, mode=mode)

    def chown(self, user: User, path: str, uid: int, gid: int, *, follow: bool = True) -> None:
        """-1 leaves it. EPERM for anybody but root (an owner may choose among their own groups)."""
        node = self.stat(user, path, follow=follow)
        new = {"uid": node.uid if uid < 0 else uid, "gid": node.gid if gid < 0 else gid}
        mine = new["uid"] == node.uid and new["gid"] in (node.gid, user.gid, *user.groups)
        if node.kind is Kind.FILE:  # a program that ran as its owner no longer does
            new["mode"] = node.mode & ~0o6000 if node.mode & 0o111 else node.mode
        self._attributes(user, path, owner_may=mine, follow=follow, **new)

    def utime(self, user: User, path: str, mtime: int, *, follow: bool = True) -> None:
        """Set the time of the last change, in seconds since 1970."""
        self._attributes(user, path, owner_may=True, follow=follow, mtime=mtime)

    def _attributes(self, user: User, path: str, *, owner_may: bool, follow: bool = True, **new: int) -> None:
        resolved, node = self._existing(user, path, follow=follow)
        if user.uid != 0 and not (owner_may and user.uid == node.uid):
            raise Errno("EPERM")
        changed = replace(node, **new)  # type: ignore[arg-type]
        if changed != node:
            for name in self._names_of(node) or [resolved]:
                self._draft.put(name, changed)

    def walk(self, user: User, path: str) -> Iterator[str]:
        """A directory and all below it, parents first, links not followed; unreadable directories are not entered."""
        yield path
        node = self.stat(user, path, follow=False)
        if node.is_directory and user.may(node, READ | EXECUTE):
            for name in self.names(user, path):
                yield from self.walk(user, f"{path.rstrip('/')}/{name}")
