"""The one law, as pure values: a layer is a change to a tree.

    apply(old, diff(old, new)) == new

Key:

    tree       every path of a file system -> its node; the root's path is "", others are relative: `etc/passwd`
    node       one file as metadata: kind, mode, owner, size, time, and which bytes (`content`) or link (`target`)
    change     Put(path, node) | Whiteout(path) | Opaque(path)
    whiteout   hides one name of the layers below, and everything under it
    opaque     hides all that a directory of the layers below holds; the directory itself stays

How changes are applied (OCI layer.md; R7.8, R7.9). Whiteouts act on the layers *below* and nothing else, so they go
first, wherever they stand. Then each Put in its order: a directory over a directory keeps its children and takes the
new attributes; anything else removes what was there. Directories that no entry names are made. A symlink in the middle
of a path is followed, inside the root only, as extracting the layer would do.

A tree is a tree: directories hold names. Applying a change copies the directories on its way and shares all the
others, so a small layer on a large image costs what is small about it, and `diff` skips whatever two trees share.

>>> old = apply(Tree.empty(), [Put("etc/motd", Node(Kind.FILE, size=3, content="a"))])
>>> new = apply(old, [Whiteout("etc/motd"), Put("etc/issue", Node(Kind.FILE, size=3, content="b"))])
>>> sorted(new)
['', 'etc', 'etc/issue']
>>> apply(old, diff(old, new)) == new
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as copy_with
from enum import StrEnum

from imagelab.errors import LayerFormatError

MOST_LINKS = 40
"""Symlinks followed in one path before it is called a loop, as Linux does."""


class Kind(StrEnum):
    """What a node is. HARDLINK occurs in changes only: applying it makes one more name for a file."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    CHAR = "char"
    BLOCK = "block"
    FIFO = "fifo"
    HARDLINK = "hardlink"


@dataclass(frozen=True, slots=True)
class Node:
    """One file, directory, link or device, without its name.

    `mode` is the twelve permission bits; `size` bytes; `mtime` whole seconds since 1970. `content` identifies a
    file's bytes: their digest, or where they lie as `<diff ID>@<offset>`; two files with equal `content` are equal.
    `target` is the text of a symlink, or the path a HARDLINK points to. `link` is the first name of a file that has
    several: it says which names share one inode, and does not make two nodes different.
    """

    kind: Kind
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime: int = 0
    content: str = ""
    target: str = ""
    rdev: tuple[int, int] = (0, 0)
    xattrs: tuple[tuple[str, bytes], ...] = ()
    uname: str = field(default="", compare=False)
    gname: str = field(default="", compare=False)
    link: str = field(default="", compare=False)

    @property
    def is_directory(self) -> bool:
        return self.kind is Kind.DIRECTORY


@dataclass(frozen=True, slots=True)
class Put:
    """This path is now this node."""

    path: str
    node: Node


@dataclass(frozen=True, slots=True)
class Whiteout:
    """This path of the layers below is gone, with everything under it."""

    path: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """Everything that the layers below have in this directory is gone."""

    path: str


Change = Put | Whiteout | Opaque

Fetch = Callable[[str], Iterable[tuple[str, Node]]]
"""What a directory holds: names and nodes."""

MADE = Node(Kind.DIRECTORY, mode=0o755)
"""A directory that a layer uses and does not mention."""


class _Branch:
    """A node and, for a directory, the branches under it by name. Never changed once it is part of a Tree."""

    __slots__ = ("node", "names")

    def __init__(self, node: Node, names: dict[str, _Branch] | None = None) -> None:
        self.node = node
        self.names: dict[str, _Branch] = {} if names is None else names


class _Fetched(_Branch):
    """A directory whose names are fetched when it is first looked into."""

    __slots__ = ("_fetch", "_path")

    def __init__(self, node: Node, path: str, fetch: Fetch) -> None:
        self.node, self._path, self._fetch = node, path, fetch

    def __getattr__(self, attribute: str) -> dict[str, _Branch]:
        if attribute != "names":
            raise AttributeError(attribute)
        prefix = f"{self._path}/" if self._path else ""
        self.names = {name: _Fetched(node, prefix + name, self._fetch) if node.is_directory else _Branch(node) for name, node in self._fetch(self._path)}  # fmt: skip
        return self.names


class Tree(Mapping[str, Node]):
    """Every path and its node. Immutable; equal when all paths and nodes are."""

    __slots__ = ("_root", "_length")

    def __init__(self, root: _Branch) -> None:
        self._root = root
        self._length: int | None = None

    @classmethod
    def empty(cls) -> Tree:
        """Nothing but a root directory."""
        return cls(_Branch(MADE))

    @classmethod
    def fetched(cls, root: Node, fetch: Fetch) -> Tree:
        """A tree whose directories are fetched one by one, as they are looked into; each always holds the same."""
        return cls(_Fetched(root, "", fetch))

    def __getitem__(self, path: str) -> Node:
        branch = self._find(path)
        if branch is None:
            raise KeyError(path)
        return branch.node

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self._find(path) is not None

    def __iter__(self) -> Iterator[str]:
        """Paths, parents before children, siblings in order."""
        stack = [("", self._root)]
        while stack:
            path, branch = stack.pop()
            yield path
            for name in sorted(branch.names, reverse=True):
                stack.append((f"{path}/{name}" if path else name, branch.names[name]))

    def __len__(self) -> int:
        if self._length is None:
            self._length = sum(1 for _ in self)
        return self._length

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and not diff(self, other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Tree of {len(self)} paths>"

    def children(self, path: str = "") -> list[str]:
        """The names in a directory, in order; none for anything else."""
        branch = self._find(path)
        return sorted(branch.names) if branch else []

    def _find(self, path: str) -> _Branch | None:
        branch: _Branch | None = self._root
        for name in path.split("/") if path else ():
            branch = branch.names.get(name) if branch else None
        return branch


# -- apply --------------------------------------------------------------------------------------------------


def apply(tree: Tree, changes: Iterable[Change]) -> Tree:
    """The tree after the changes. `tree` itself stays as it is.

    Raises LayerFormatError for a hard link to nothing and for a loop of symlinks.

    An opaque whiteout hides what the layers below have in a directory, and nothing of its own layer:

    >>> below = apply(Tree.empty(), [Put("etc/motd", Node(Kind.FILE)), Put("etc/issue", Node(Kind.FILE))])
    >>> apply(below, [Put("etc/hosts", Node(Kind.FILE)), Opaque("etc")]).children("etc")
    ['hosts']
    """
    work = _Work(tree._root)
    puts: list[Put] = []
    for change in changes:
        match change:
            case Put():
                puts.append(change)
            case Whiteout(path):
                work.whiteout(path)
            case Opaque(path):
                work.opaque(path)
    for put in puts:
        work.put(put.path, put.node)
    return Tree(work.root)


class _Work:
    """A tree being changed: branches made here may be written to, all others are copied first."""

    def __init__(self, root: _Branch) -> None:
        self.root = _Branch(root.node, dict(root.names))
        self._own = {id(self.root): self.root}  # holds the branch, so that its id stays its own

    def put(self, path: str, node: Node) -> None:
        if not path:
            if node.is_directory:
                self.root.node = node
            return
        if node.kind is Kind.HARDLINK:
            node = self._linked(path, node)
        above, _, name = path.rpartition("/")
        directory = self._directory(above)
        old = directory.names.get(name)
        if node.is_directory and old is not None and old.node.is_directory:
            self._mine(directory, name).node = node
        else:
            directory.names[name] = self._new(node)

    def whiteout(self, path: str) -> None:
        above, _, name = path.rpartition("/")
        directory = self._directory(above, make=False)
        if directory is not None:
            directory.names.pop(name, None)

    def opaque(self, path: str) -> None:
        directory = self._directory(path, make=False)
        if directory is not None:
            directory.names.clear()

    def _linked(self, path: str, node: Node) -> Node:
        """One more name for the file at `node.target`, as it is at this moment."""
        above, _, name = node.target.rpartition("/")
        directory = self._directory(above, make=False)
        branch = directory.names.get(name) if directory else None
        if branch is None or branch.node.is_directory:
            raise LayerFormatError(f"{path} is a hard link to {node.target}, which is not a file of this image")
        return copy_with(branch.node, link=branch.node.link or node.target)

    def _directory(self, path: str, *, make: bool = True) -> _Branch:
        """The directory at `path`, ready to be written to; made, with its parents, where it is missing.

        With make=False: None when there is none.
        """
        steps = path.split("/")[::-1] if path else []
        trail = [self.root]
        links = 0
        while steps:
            name = steps.pop()
            if name in ("", "."):
                continue
            if name == "..":
                trail = trail[:-1] or trail
                continue
            branch = trail[-1].names.get(name)
            if branch is not None and branch.node.kind is Kind.SYMLINK:
                links += 1
                if links > MOST_LINKS:
                    raise LayerFormatError(f"{path}: too many levels of symbolic links")
                trail = [self.root] if branch.node.target.startswith("/") else trail
                steps.extend(branch.node.target.split("/")[::-1])
            elif branch is not None and branch.node.is_directory:
                trail.append(self._mine(trail[-1], name))
            elif make:
                trail[-1].names[name] = self._new(MADE)
                trail.append(trail[-1].names[name])
            else:
                return None  # type: ignore[return-value]
        return trail[-1]

    def _mine(self, directory: _Branch, name: str) -> _Branch:
        """The branch under `name`, copied unless it was made here."""
        branch = directory.names[name]
        if id(branch) not in self._own:
            branch = directory.names[name] = self._new(branch.node, dict(branch.names))
        return branch

    def _new(self, node: Node, names: dict[str, _Branch] | None = None) -> _Branch:
        branch = _Branch(node, names)
        if node.is_directory:
            self._own[id(branch)] = branch
        return branch


# -- diff ---------------------------------------------------------------------------------------------------


def diff(old: Tree, new: Tree) -> tuple[Change, ...]:
    """The fewest changes that make `old` into `new`, sorted by path, a whiteout before its siblings' Puts.

    No opaque whiteouts: each name that is gone is said (producers should, R7.8).

    >>> old = apply(Tree.empty(), [Put("bin/vi", Node(Kind.FILE)), Put("etc/motd", Node(Kind.FILE))])
    >>> new = apply(old, [Whiteout("etc/motd"), Put("bin/ex", Node(Kind.SYMLINK, target="vi"))])
    >>> [f"{type(change).__name__} {change.path}" for change in diff(old, new)]
    ['Put bin/ex', 'Whiteout etc/motd']
    """
    changes: list[Change] = []
    if old._root.node != new._root.node:
        changes.append(Put("", new._root.node))
    _differences("", old._root, new._root, changes)
    return tuple(changes)


def _differences(path: str, old: _Branch, new: _Branch, changes: list[Change]) -> None:
    """What differs below two directories; what they share is not looked at."""
    if old.names is new.names:
        return
    prefix = f"{path}/" if path else ""
    changes.extend(Whiteout(prefix + name) for name in sorted(old.names.keys() - new.names.keys()))
    for name in sorted(new.names):
        now, before = new.names[name], old.names.get(name)
        if now is before:
            continue
        if before is None or before.node != now.node:
            changes.append(Put(prefix + name, now.node))
        if now.node.is_directory:
            known = before if before is not None and before.node.is_directory else _Branch(MADE)
            _differences(prefix + name, known, now, changes)


# -- drafts -------------------------------------------------------------------------------------------------


class Draft:
    """A tree being worked on path by path, as a running container does. Nothing is followed: every path is as it is.

    Cheap to begin and to end: whatever is not touched is shared with the tree it came from, and `diff` skips it.

    >>> draft = Draft(Tree.empty())
    >>> draft.put("motd", Node(Kind.FILE))
    >>> draft.move("motd", "issue")
    >>> sorted(draft.tree())
    ['', 'issue']
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._work: _Work | None = None

    def tree(self) -> Tree:
        """What it is now, as a value; the draft can be worked on further."""
        if self._work is not None:
            self._tree, self._work = Tree(self._work.root), None
        return self._tree

    def get(self, path: str) -> Node | None:
        """The node at a path, or None."""
        branch = self._find(path)
        return branch.node if branch else None

    def names(self, path: str) -> list[str]:
        """The names in a directory, in order."""
        branch = self._find(path)
        return sorted(branch.names) if branch else []

    def put(self, path: str, node: Node) -> None:
        """This path is now this node; a directory stays what it holds. The directory above must be there."""
        if not path:
            self._working().root.node = node
            return
        above, name = self._above(path)
        old = above.names.get(name)
        if old is not None and old.node.is_directory and node.is_directory:
            self._working()._mine(above, name).node = node
        else:
            above.names[name] = self._working()._new(node)

    def remove(self, path: str) -> None:
        """Take a path away, with all that is under it. KeyError when it is not there."""
        above, name = self._above(path)
        del above.names[name]

    def move(self, old: str, new: str) -> None:
        """Give a branch another name. KeyError when it is not there."""
        above, name = self._above(old)
        branch = above.names.pop(name)
        above, name = self._above(new)
        above.names[name] = branch

    def _find(self, path: str) -> _Branch | None:
        branch: _Branch | None = self._work.root if self._work is not None else self._tree._root
        for name in path.split("/") if path else ():
            branch = branch.names.get(name) if branch else None
        return branch

    def _working(self) -> _Work:
        if self._work is None:
            self._work = _Work(self._tree._root)
        return self._work

    def _above(self, path: str) -> tuple[_Branch, str]:
        """The directory that holds a path, ready to be written to, and the last name."""
        work = self._working()
        branch = work.root
        *steps, name = path.split("/")
        for step in steps:
            branch = work._mine(branch, step)
        return branch, name
