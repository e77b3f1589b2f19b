"""`docker cp` and `docker export`: files between a container and the machine, as tar archives on the way.

A path inside the container is looked up inside its root: `..` and symlinks never lead out of it, whatever they say.
A path on the machine is looked up by the line's `HostAccess`.
"""

from __future__ import annotations

import io
import os
import re
import stat
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath, PurePosixPath
from typing import IO, TYPE_CHECKING

from imagelab.cli.command import Invocation
from imagelab.errors import ImageLabError, NotFoundError, UsageError
from imagelab.layers.changeset import write
from imagelab.layers.tree import Draft, Kind, Node, Put, Tree, diff
from imagelab.layers.writable_layer import NEVER_SHOWN, is_mounted
from imagelab.runtime.filesystem import ROOT, Errno, FileSystem

if TYPE_CHECKING:
    from imagelab.lab.host_access import HostAccess, HostPath
    from imagelab.state.model import Container

MESSAGE = "cowardly refusing to save to a terminal. Use the -o flag or redirect"


def exported(context: Invocation) -> int:
    """All files of a container as one tar (R6.49)."""
    from imagelab.lab.files import write_whole

    parsed, lab = context.parsed, context.lab
    name, target = parsed.arguments[0], parsed.text("output")
    if not target and context.out.isatty():
        raise UsageError(MESSAGE)
    containers = lab.engine.containers
    workspace = containers.workspace(containers.resolve(name))
    tree = without_mounts(workspace.read())
    chunks = write(diff(Tree.empty(), tree), workspace.files.data)
    if target:
        write_whole(context.host, target, chunks)
    else:
        binary(context).writelines(chunks)
    return 0


def without_mounts(tree: Tree) -> Tree:
    """A container's files as they lie on the disk: what is mounted over them is not there, the stubs are empty."""
    draft = Draft(tree)
    for path in [path for path in tree if is_mounted(path) and path.count("/") >= 1]:
        if draft.get(path) is not None:
            draft.remove(path)
    for path in NEVER_SHOWN:
        node = draft.get(path)
        if node is not None and node.kind is Kind.FILE:
            draft.put(path, replace(node, size=0, content=""))
    return draft.tree()


def binary(context: Invocation) -> IO[bytes]:
    """Standard output as bytes. UsageError where there is only text."""
    stream = getattr(context.out, "buffer", None)
    if stream is None:
        raise UsageError("the archive is bytes, which cannot be shown here", hint="write it to a file")
    context.out.flush()
    return stream  # type: ignore[no-any-return]


# -- cp -----------------------------------------------------------------------------------------------------


def copied(context: Invocation) -> int:
    """`docker cp CONTAINER:PATH PATH`, or the other way round; `-` is a tar stream."""
    source, target = context.parsed.arguments
    from_container, from_path = _side(source)
    to_container, to_path = _side(target)
    if from_container and to_container:
        raise UsageError("copying between containers is not supported")
    if not from_container and not to_container:
        raise UsageError("must specify at least one container source")
    name = from_container or to_container
    container = context.lab.engine.containers.resolve(name)
    try:
        if from_container:
            return _out_of(context, container, from_path, target)
        return _into(context, container, source, to_path)
    except OSError as error:  # of this machine: it may not be read, or written
        raise ImageLabError(
            f"open {error.filename}: {(error.strerror or str(error)).lower()}", origin="client"
        ) from None


def _side(text: str) -> tuple[str, str]:
    """`web:/etc` -> (web, /etc); a local path has no container."""
    if text == "-" or text.startswith((".", "/")) or PurePath(text).is_absolute():
        return "", text
    name, colon, path = text.partition(":")
    return (name, path) if colon and len(name) > 1 or (colon and sys.platform != "win32") else ("", text)


def _missing(container: Container, path: str) -> NotFoundError:
    return NotFoundError(
        f"Could not find the file {path} in container {container.name}",
        hint=f"docker exec {container.name} ls shows what is there",
    )


def _out_of(context: Invocation, container: Container, path: str, target: str) -> int:
    workspace = context.lab.engine.containers.workspace(container)
    workspace.read()
    files = workspace.files
    full = "/" + path.lstrip("/")
    try:
        at = files.resolve(ROOT, full, follow=context.parsed.on("follow-link") or full.endswith("/"))
        node = files.stat(ROOT, "/" + at, follow=False)
    except Errno:
        raise _missing(container, path) from None
    name = PurePosixPath(full).name if not full.endswith("/.") else ""
    below = list(_below(files, at, name or PurePosixPath("/" + at).name or "."))
    if target == "-":
        binary(context).writelines(write([Put(shown, found) for shown, found in below], files.data))
        return 0
    _place(files, node, below, context.host.path(target), contents_only=full.endswith("/."), target=target)
    if context.err.isatty() and not context.parsed.on("quiet"):
        context.err.write(f"Successfully copied {_human(sum(one.size for _, one in below))} to {target}\n")
    return 0


def _human(size: int) -> str:
    from imagelab.units import human_size

    return human_size(size)


def _below(files: FileSystem, at: str, name: str) -> Iterator[tuple[str, Node]]:
    """(path in the archive, node), parents first."""
    for path in files.walk(ROOT, "/" + at):
        rest = path.strip("/").removeprefix(at).strip("/")
        node = files.stat(ROOT, path, follow=False)
        yield (f"{name}/{rest}" if rest else name), replace(node, link="")


def _place(
    files: FileSystem, node: Node, below: list[tuple[str, Node]], local: HostPath, *, contents_only: bool, target: str
) -> None:
    """Write what came out of a container to the machine; links as links, everything else by its bytes."""
    if target.endswith(("/", os.sep)) and not local.is_dir() and not node.is_directory:
        raise ImageLabError(f"the destination directory must exist: {target}", origin="client")
    if not local.parent.is_dir():
        raise ImageLabError(f'invalid output path: directory "{local.parent}" does not exist', origin="client")
    if node.is_directory and local.is_file():
        raise ImageLabError("cannot copy directory", origin="client", hint=f"{target} is a file")
    root = local / below[0][0] if local.is_dir() and not contents_only else local
    for shown, found in below:
        rest = shown.partition("/")[2] if "/" in shown else ""
        place = root / _safe(rest) if rest else root
        if found.is_directory:
            place.mkdir(exist_ok=True)
        elif found.kind is Kind.SYMLINK:
            place.unlink(missing_ok=True)
            try:
                place.symlink_to(found.target)
            except OSError:
                place.write_text(found.target, encoding="utf-8")  # a system without links keeps what it says
        elif found.kind is Kind.FILE:
            if place.is_symlink():
                place.unlink()  # never through a link that was just unpacked
            place.write_bytes(files.data(found))
            if os.name == "posix":
                place.chmod(found.mode & 0o777)


def _safe(path: str) -> str:
    parts = PurePosixPath(path).parts
    if sys.platform == "win32":
        parts = tuple(re.sub(r'[<>:"|?*\\]', "_", part) for part in parts)
    return "/".join(parts)


def _into(context: Invocation, container: Container, source: str, path: str) -> int:
    def fetch() -> IO[bytes]:
        if source != "-":
            return _packed(
                context.host,
                source,
                contents_only=source.endswith(("/.", os.sep + ".")),
                follow=context.parsed.on("follow-link"),
            )
        binary = getattr(context.stdin, "buffer", None)
        return io.BytesIO(
            binary.read() if binary is not None else context.stdin.read().encode("utf-8", "surrogateescape")
        )

    archive = context.take("source", fetch)
    workspace = context.lab.engine.containers.workspace(container)
    with workspace.turn() as files:
        _unpack(files, archive, container, path, from_stdin=source == "-", keep=context.parsed.on("archive"))
    return 0


def _packed(host: HostAccess, source: str, *, contents_only: bool, follow: bool) -> io.BytesIO:
    local = host.path(source)
    if not (local.exists() or local.is_symlink()):
        raise ImageLabError(
            f"lstat {local}: no such file or directory", origin="client", hint="the first path is on this machine"
        )
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w", format=tarfile.PAX_FORMAT, dereference=follow) as archive:
        name = "." if contents_only else local.resolve().name if local.name in ("", "..") else local.name
        _add(archive, host, local, name, follow=follow)
    found.seek(0)
    return found


def _add(archive: tarfile.TarFile, host: HostAccess, local: HostPath, name: str, *, follow: bool) -> None:
    """A file of the machine, and all that is below it. OSError."""
    status = local.stat(follow_symlinks=follow)
    info = tarfile.TarInfo(name)
    info.mode, info.uid, info.gid, info.mtime = (
        stat.S_IMODE(status.st_mode),
        status.st_uid,
        status.st_gid,
        status.st_mtime,
    )
    if stat.S_ISREG(status.st_mode):
        info.size = status.st_size
        with local.open("rb") as file:
            archive.addfile(info, file)
    elif stat.S_ISDIR(status.st_mode):
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
        for child in sorted(local.iterdir(), key=lambda child: child.name):
            _add(archive, host, child, f"{name}/{child.name}", follow=follow)
    elif stat.S_ISLNK(status.st_mode):
        info.type, info.linkname = tarfile.SYMTYPE, host.readlink(local)
        archive.addfile(info)


def _unpack(
    files: FileSystem, archive: IO[bytes], container: Container, path: str, *, from_stdin: bool, keep: bool
) -> None:
    full = "/" + path.lstrip("/")
    there = None
    try:
        at = files.resolve(ROOT, full)
        there = files.stat(ROOT, "/" + at)
    except Errno:
        above = PurePosixPath(full.rstrip("/")).parent.as_posix()
        try:
            files.stat(ROOT, above)
        except Errno:
            raise _missing(container, PurePosixPath(path.rstrip("/")).parent.as_posix()) from None
        at = files.resolve(ROOT, full.rstrip("/"))
    if from_stdin and (there is None or not there.is_directory):
        raise UsageError(f'destination "{container.name}:{path}" must be a directory')
    try:
        members = tarfile.open(fileobj=archive, mode="r:*")  # noqa: SIM115 - closed below
    except tarfile.TarError:
        raise ImageLabError("unable to read the archive: it is not a tar", origin="client") from None
    with members:
        into_directory = there is not None and there.is_directory
        for member in members:
            if member.isdir() and there is not None and not into_directory:
                raise ImageLabError("cannot copy directory", origin="client", hint=f"{path} is a file")
            name = "/".join(part for part in PurePosixPath(member.name).parts if part not in ("/", "..", "."))
            rest = name if into_directory else name.partition("/")[2]
            place = f"{at}/{rest}".strip("/") if rest else at
            if full.endswith("/") and there is None and not member.isdir():
                raise ImageLabError(f"the destination directory must exist: {path}", origin="client")
            _put(files, place, member, members, keep=keep)


def _put(files: FileSystem, place: str, member: tarfile.TarInfo, members: tarfile.TarFile, *, keep: bool) -> None:
    """One member; a link on the way is followed inside the container's root."""
    above, _, name = place.rpartition("/")
    try:
        place = f"{files.resolve(ROOT, '/' + above)}/{name}".strip("/") if above else place
    except Errno:
        return  # below something that is no directory
    uid, gid = (member.uid, member.gid) if keep else (0, 0)
    plain = Node(Kind.FILE, member.mode & 0o7777, uid, gid, mtime=int(member.mtime))
    old = files.find(place)
    if member.isdir():
        if old is not None and not old.is_directory:
            raise ImageLabError(f"cannot overwrite non-directory /{place} with a directory", origin="client")
        if old is None:
            files.put(place, replace(plain, kind=Kind.DIRECTORY))
    elif member.isfile():
        if old is not None and old.is_directory:
            raise ImageLabError(f"cannot overwrite directory /{place} with a file", origin="client")
        data = members.extractfile(member)
        files.put(place, plain)
        files.store(place, data.read() if data else b"", mtime=int(member.mtime))
    elif member.issym():
        files.put(place, replace(plain, kind=Kind.SYMLINK, target=member.linkname))
