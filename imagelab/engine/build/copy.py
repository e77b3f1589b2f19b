"""COPY and ADD: which files are meant, what they hash to, and where they go.

    sources --globs, directories--> picked: a path, and the hash history keeps: `file:…`, `dir:…`, `multi:…`
    picked  --placed--> nodes in the image's tree

The hash is over names, modes, owners and bytes, and never over times (R8.12): touching a file costs nothing, changing
one runs the step again. A file goes to the target, or into it when the target is a directory or ends in `/`; of a
directory, what is in it goes. ADD unpacks a tar, whatever compresses it.
"""

from __future__ import annotations

import io
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from imagelab.dockerfile.instructions import Copy
from imagelab.engine.build.context import Source, read_context
from imagelab.errors import ImageLabError, InvalidFilterError
from imagelab.layers.compression import compression_of
from imagelab.layers.tree import Kind, Node
from imagelab.runtime.filesystem import ROOT, Errno, FileSystem
from imagelab.state.image_filters import path_match

_TYPES = {
    Kind.FILE: 0o100000,
    Kind.DIRECTORY: 0o040000,
    Kind.SYMLINK: 0o120000,
    Kind.CHAR: 0o020000,
    Kind.BLOCK: 0o060000,
    Kind.FIFO: 0o010000,
}
_FLAGS = {Kind.FILE: "0", Kind.SYMLINK: "2", Kind.CHAR: "3", Kind.BLOCK: "4", Kind.DIRECTORY: "5", Kind.FIFO: "6"}


class CopyError(ImageLabError):
    """`COPY failed: …`, as the build's stream says it."""

    origin = "stream"


@dataclass(frozen=True, slots=True)
class Picked:
    """One source: the name it was asked by, where it is (links followed), and its hash."""

    name: str
    path: str
    hash: str


class Sources:
    """The files of a source by the names people write. Hashes of files are remembered."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._files = FileSystem(source.tree, source.read, lambda: 0)
        self._known: dict[str, str] = {}

    def pick(self, instruction: Copy) -> list[Picked]:
        """What a COPY or ADD means. CopyError in Docker's words (R8.10, R8.27)."""
        try:
            picked = [source for name in instruction.sources for source in self._picked(name)]
            if not picked:
                raise CopyError(
                    "no source files were specified", hint=f"nothing matches {' '.join(instruction.sources)}"
                )
        except CopyError as error:
            raise CopyError(f"{instruction.keyword} failed: {error}", hint=error.hint) from None
        if len(picked) > 1 and not instruction.target.endswith("/"):
            raise CopyError(
                f"When using {instruction.keyword} with more than one source file, the destination must be a directory and end with a /",
                hint=f"{instruction.target}/",
            )
        return picked

    def _picked(self, name: str) -> Iterator[Picked]:
        clean = posixpath.normpath(name.lstrip("/")) if name.strip("/") else "."
        if clean == ".." or clean.startswith("../"):
            raise CopyError(
                f"forbidden path outside the build context: {name} ()",
                hint="only what is in the context can be copied: build in the folder above, with -f",
            )
        if any(char in clean for char in "*?["):
            yield from (self._one(path) for path in self._matching(clean))
        else:
            yield self._one("" if clean == "." else clean.replace("\\", ""), typed=name)

    def _matching(self, pattern: str) -> list[str]:
        try:
            return [path for path in self.source.tree if path and path_match(pattern, path)]
        except InvalidFilterError:
            return []

    def _one(self, path: str, typed: str = "") -> Picked:
        try:
            resolved = self._files.resolve(ROOT, "/" + path)
            node = self._files.stat(ROOT, "/" + resolved)
        except Errno as error:
            shown = (typed or path).removeprefix("./")
            if error.code != "ENOENT" and error.code != "ENOTDIR":
                raise CopyError(f"stat {shown}: {str(error).lower()}") from None
            problem = f"stat {shown}: file does not exist"
            if not self.source.is_context:
                raise CopyError(problem) from None
            raise CopyError(
                f"file not found in build context or excluded by .dockerignore: {problem}", hint=self._near(path)
            ) from None
        if node.is_directory:
            hashes = sorted(self.hash(below) for below in self._below(resolved) if below)
            return Picked(path, resolved, f"dir:{_of(hashes)}")
        return Picked(path, resolved, f"file:{self.hash(resolved)}")

    def _near(self, path: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(
            path, [name for name in list(self.source.tree)[1:2000] if name != path], 1
        )  # a link to nothing has the very name
        top = self.source.tree.children()
        return (
            f"did you mean {near[0]}?"
            if near
            else f"the context has {', '.join(top[:8])}"
            if top
            else "the context is empty"
        )

    def _below(self, at: str) -> Iterator[str]:
        """A directory and all in it."""
        yield at
        for name in self.source.tree.children(at):
            yield from self._below(f"{at}/{name}" if at else name)

    def below(self, at: str) -> list[tuple[str, Node]]:
        """(path from there, node) of all in a directory, parents first."""
        start = len(at) + 1 if at else 0
        return [(path[start:], self.source.tree[path]) for path in self._below(at) if path != at]

    def hash(self, path: str) -> str:
        """A file's hash: sha256 over its header's fields and its bytes (R8.12)."""
        if path not in self._known:
            node = self.source.tree[path]
            name = path + "/" if node.is_directory else path
            fields = {
                "name": name, "mode": str(node.mode | _TYPES[node.kind]), "uid": str(node.uid), "gid": str(node.gid),
                "size": str(node.size if node.kind is Kind.FILE else 0), "typeflag": _FLAGS[node.kind],
                "linkname": node.target if node.kind is Kind.SYMLINK else "", "uname": "", "gname": "",
                "devmajor": str(node.rdev[0]), "devminor": str(node.rdev[1]),
            }  # fmt: skip
            head = "".join(key + value for key, value in fields.items()).encode("utf-8", "surrogateescape")
            xattrs = b"".join(key.encode() + value for key, value in node.xattrs)
            self._known[path] = sha256(
                head + xattrs + (self.source.read(node) if node.kind is Kind.FILE else b"")
            ).hexdigest()
        return self._known[path]


def _of(hashes: Sequence[str]) -> str:
    return sha256(",".join(hashes).encode()).hexdigest()


def hash_of(picked: Sequence[Picked]) -> str:
    """What the comment says: one source's hash, or `multi:…` of all."""
    return picked[0].hash if len(picked) == 1 else f"multi:{_of([source.hash for source in picked])}"


# -- placing ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose the files will be."""

    uid: int = 0
    gid: int = 0


class Placer:
    """Puts picked files into an image's files. `owner` None keeps what the source says (`--from` without --chown)."""

    def __init__(self, files: FileSystem, sources: Sources, owner: Owner | None) -> None:
        self._files, self._sources, self._owner = files, sources, owner
        self.came_from: dict[str, str] = {}
        """Path in the image -> path in the source."""

    def place(self, picked: Iterable[Picked], target: str, *, extracts: bool) -> None:
        """All of them. CopyError when the target cannot be what it must be."""
        for source in picked:
            try:
                self._one(source, target, extracts)
            except Errno as error:
                raise CopyError(f"failed to copy files: {target}: {str(error).lower()}") from None

    def _one(self, source: Picked, target: str, extracts: bool) -> None:
        node = self._sources.source.tree[source.path]
        if node.is_directory:
            folder = self._directory(target)
            for rest, below in self._sources.below(source.path):
                self._put(f"{folder}/{rest}".strip("/"), below, f"{source.path}/{rest}".strip("/"), folder)
            return
        if extracts and node.kind is Kind.FILE and (inside := archive(self._sources.source.read(node))) is not None:
            self._unpack(inside, target)
            return
        if target.endswith("/") or self._is_directory(target):
            target = posixpath.join(target, posixpath.basename(source.name))
        above = self._directory(posixpath.dirname(target))
        name = posixpath.basename(target)
        place = self._files.resolve(ROOT, f"/{above}/{name}")
        self._put(place, replace(node, link=""), source.path, place)

    def _is_directory(self, path: str) -> bool:
        try:
            return self._files.stat(ROOT, path).is_directory
        except Errno:
            return False

    def _directory(self, path: str) -> str:
        """The directory, made with those above it where it is missing; its path without links."""
        at = ""
        for name in [name for name in path.split("/") if name]:
            at = f"{at}/{name}"
            try:
                if not self._files.stat(ROOT, at).is_directory:
                    raise Errno("ENOTDIR")
            except Errno as error:
                if error.code != "ENOENT":
                    raise
                owner = self._owner or Owner()
                self._files.mkdir(ROOT, at)
                self._files.chown(ROOT, at, owner.uid, owner.gid)
        return self._files.resolve(ROOT, at or "/")

    def _put(self, place: str, node: Node, path: str, group: str) -> None:
        """One node. Names of one file in one `group` stay names of one file."""
        owner = self._owner or Owner(node.uid, node.gid)
        link = f"{group}:{node.link}" if node.link else ""
        old = self._files.find(place)
        if old is not None and old.is_directory and not node.is_directory:
            raise CopyError(f"cannot copy to non-directory: /{place}: it is a directory")
        self._files.put(place, replace(node, uid=owner.uid, gid=owner.gid, link=link))
        self.came_from[place] = path

    def _unpack(self, inside: Source, target: str) -> None:
        """An archive's files, with the owners it says (R8.8)."""
        at = self._directory(target)
        for path in inside.tree:
            node = inside.tree[path]
            if not path:
                continue
            above, _, name = path.rpartition("/")
            place = f"{self._files.resolve(ROOT, f'/{at}/{above}')}/{name}".strip("/")
            data = inside.read(node) if node.kind is Kind.FILE else b""
            content = f"sha256:{sha256(data).hexdigest()}" if data else ""
            self._files.contents |= {content: data} if data else {}
            self._files.put(place, replace(node, content=content, link=f"{at}:{node.link}" if node.link else ""))


def archive(data: bytes) -> Source | None:
    """The files of a tar, compressed or not; None when the bytes are no tar."""
    if data[257:262] != b"ustar" and not compression_of(data[:10]):
        return None
    try:
        context = read_context(io.BytesIO(data), io.BytesIO())
    except ImageLabError:
        return None
    return context if len(context.tree) > 1 else None


class Reader:
    """The bytes of a node, wherever they are: placed just now from a source, or the image's."""

    def __init__(self, files: FileSystem, source: Source) -> None:
        self._files, self._source = files, source

    def __call__(self, node: Node) -> bytes:
        if node.content.startswith("context@"):
            return self._source.read(node)
        return self._files.data(node)


def equal(old: Node | None, new: Node, read_old: Callable[[Node], bytes], read_new: Callable[[Node], bytes]) -> bool:
    """Are two files the same, whenever they were written?"""
    if old is None or (old.kind, old.mode, old.size, old.target, old.uid, old.gid) != (
        new.kind,
        new.mode,
        new.size,
        new.target,
        new.uid,
        new.gid,
    ):
        return False
    return not new.size or read_old(old) == read_new(new)


def owner_of(chown: str, files: FileSystem) -> Owner:
    """`--chown=user:group`, names looked up in the image. CopyError in Docker's words."""
    parts = chown.split(":")
    if len(parts) > 2:
        raise CopyError(f"invalid chown string format: {chown}")
    user, group = (parts[0], parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    return Owner(_number(files, "user", user, "etc/passwd"), _number(files, "group", group, "etc/group"))


def _number(files: FileSystem, kind: str, name: str, table: str) -> int:
    if name.isdigit():
        return int(name)
    try:
        text = files.read_file(ROOT, f"/{table}").decode("utf-8", "replace")
    except Errno:
        text = ""
    for line in text.splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) > 2 and fields[2].isdigit():
            return int(fields[2])
    short = "uid" if kind == "user" else "gid"
    raise CopyError(
        f"unable to convert uid/gid chown string to host mapping: can't find {short} for {kind} {name}: no such {kind}: {name}",
        hint=f"/{table} of the image has no {name}",
    )
