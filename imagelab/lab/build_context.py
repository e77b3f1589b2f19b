"""What `docker build` sends: a folder, files by name, or standard input, as one tar.

    folder --.dockerignore--> files, sorted --> a tar in a temporary file, whose size is the line
                                                 `Sending build context to Docker daemon  2.048kB`

Same files, same bytes: names sorted, owners 0:0 as Docker's client sends them, nothing of the machine but modes and
times. `context_tar` and `context_of_files` are the only places where a context is made.
"""

from __future__ import annotations

import io
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePath
from typing import IO

from imagelab.dockerfile.ignore import Ignore
from imagelab.engine.build.context import OUTSIDE
from imagelab.errors import ImageLabError
from imagelab.lab.host_access import HostAccess, HostPath, WholeMachine
from imagelab.layers.changeset import write
from imagelab.layers.compression import compression_of
from imagelab.layers.tree import Kind, Node, Put


class ContextError(ImageLabError):
    """`unable to prepare context: …`, said by the client."""

    origin = "client"


@dataclass(frozen=True, slots=True)
class BuildContext:
    """A tar to send, and where in it the Dockerfile is."""

    tar: IO[bytes]
    dockerfile: str
    size: int


def context_tar(
    folder: HostPath, dockerfile: str = "", *, instead: bytes | None = None, host: HostAccess | None = None
) -> BuildContext:
    """A folder of a host (else of the machine) as a context. `dockerfile`: a path as `-f` has it, also outside; `instead`: a Dockerfile from elsewhere.

    ContextError in the words of Docker's client.
    """
    host = host or WholeMachine()
    if not folder.is_dir():
        raise ContextError(
            f"unable to prepare context: context must be a directory: {folder.resolve()}",
            hint=f"docker build - < {folder}   reads a tar",
        )
    name = "Dockerfile"
    if instead is None:
        name, instead = _dockerfile(host, folder, dockerfile)
    if instead is not None:
        name = f"{OUTSIDE}{sha256(instead).hexdigest()[:20]}"
    file = folder / ".dockerignore"
    ignore = Ignore.parse(_text(file)).without([name, ".dockerignore"]) if file.is_file() else Ignore()
    puts = list(_files(host, folder, ignore))
    if instead is not None:
        puts.append(Put(name, _node(Kind.FILE, 0o600, 0, size=len(instead), content="\0")))
    extra = instead or b""
    return _written(puts, lambda node: extra if node.content == "\0" else _read(folder, node), name)


def context_of_files(files: Mapping[str, str | bytes], *, mtime: int, dockerfile: str = "Dockerfile") -> BuildContext:
    """Files by name as a context: mode 0644, directories 0755, all of them with one time (seconds since 1970)."""
    contents = {name.strip("/"): data.encode() if isinstance(data, str) else data for name, data in files.items()}
    ignore = (
        Ignore.parse(contents[".dockerignore"].decode("utf-8", "replace")) if ".dockerignore" in contents else Ignore()
    )
    ignore = ignore.without([dockerfile, ".dockerignore"])
    kept = [name for name in contents if not ignore.ignores(name)]
    folders = {above for name in kept for above in _above(name)}
    puts = [Put(name, _node(Kind.FILE, 0o644, mtime, size=len(contents[name]), content=name)) for name in kept]
    puts += [Put(name, _node(Kind.DIRECTORY, 0o755, mtime)) for name in folders]
    return _written(puts, lambda node: contents[node.content], dockerfile)


def context_of_stdin(data: bytes, dockerfile: str = "") -> BuildContext:
    """`docker build -`: a tar of any compression, or a Dockerfile alone. ContextError when there is nothing."""
    if not data:
        raise ContextError(
            "unable to prepare context: failed to peek context header from STDIN: EOF",
            hint="docker build - < Dockerfile",
        )
    if data[257:262] == b"ustar" or compression_of(data[:10]):
        return BuildContext(io.BytesIO(data), dockerfile or "Dockerfile", len(data))
    return context_of_files({"Dockerfile": data}, mtime=0)


def _above(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _node(
    kind: Kind, mode: int, mtime: int, *, size: int = 0, content: str = "", target: str = "", link: str = ""
) -> Node:
    return Node(kind, mode, size=size, mtime=mtime, content=content, target=target, link=link)


def _written(puts: Iterable[Put], read: object, dockerfile: str) -> BuildContext:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the context
    file.writelines(write(puts, read))  # type: ignore[arg-type]
    size = file.tell()
    file.seek(0)
    return BuildContext(file, dockerfile, size)


def _dockerfile(host: HostAccess, folder: HostPath, wanted: str) -> tuple[str, bytes | None]:
    """Where the Dockerfile is in the context; its bytes when it is outside."""
    path = host.path(wanted) if wanted else folder / "Dockerfile"
    if wanted and not path.exists() and not path.is_absolute() and (folder / wanted).exists():
        path = folder / wanted
    if not path.exists():
        lower = folder / "dockerfile"
        if wanted or not lower.exists():
            raise ContextError(
                f"unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat {host.shown(path)}: no such file or directory",
                hint="-f names a Dockerfile that is called otherwise",
            )
        path = lower
    if path.is_dir():
        raise ContextError(f"unable to prepare context: the Dockerfile ({wanted}) is a directory")
    try:
        return PurePath(str(path.resolve())).relative_to(str(folder.resolve())).as_posix(), None
    except ValueError:
        return "", path.read_bytes()


def _text(file: HostPath) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _files(host: HostAccess, folder: HostPath, ignore: Ignore) -> Iterator[Put]:
    """Every file that is sent, with its directories. Links are sent as links, so that no loop can catch us."""
    inodes: dict[tuple[int, int], str] = {}
    waiting = [""]
    while waiting:
        at = waiting.pop()
        try:
            entries = [(entry.name, entry.stat(follow_symlinks=False)) for entry in (folder / at).iterdir()]
        except OSError as error:
            raise ContextError(
                f"error checking context: can't stat '{folder / at}'",
                hint=(error.strerror or "") + ": list it in .dockerignore",
            ) from None
        for name, status in sorted(entries, key=lambda entry: entry[0]):
            path = f"{at}/{name}" if at else name
            is_directory = stat.S_ISDIR(status.st_mode)
            ignored = ignore.ignores(path)
            if is_directory and not (ignored and ignore.may_skip(path)):
                waiting.append(path)
            if not ignored and (put := _put(host, folder, path, status, inodes)) is not None:
                yield put


def _put(
    host: HostAccess, folder: HostPath, path: str, status: os.stat_result, inodes: dict[tuple[int, int], str]
) -> Put | None:
    mode = stat.S_IMODE(status.st_mode) if sys.platform != "win32" else 0o755
    mtime = int(status.st_mtime)
    if stat.S_ISDIR(status.st_mode):
        return Put(path, _node(Kind.DIRECTORY, mode, mtime))
    if stat.S_ISLNK(status.st_mode):
        return Put(path, _node(Kind.SYMLINK, 0o777, mtime, target=host.readlink(folder / path).replace(os.sep, "/")))
    if stat.S_ISFIFO(status.st_mode):
        return Put(path, _node(Kind.FIFO, mode, mtime))
    if not stat.S_ISREG(status.st_mode):
        return None  # a socket or a device is of this machine only
    try:
        (folder / path).open("rb").close()
    except PermissionError:
        raise ContextError(
            f"error checking context: no permission to read from '{folder / path}'", hint="list it in .dockerignore"
        ) from None
    link = inodes.setdefault((status.st_dev, status.st_ino), path) if status.st_nlink > 1 else ""
    content = link or path
    return Put(path, _node(Kind.FILE, mode, mtime, size=status.st_size, content=content, link=link))


def _read(folder: HostPath, node: Node) -> bytes:
    try:
        data = (folder / node.content).read_bytes()
    except OSError as error:
        raise ContextError(f"Can't add file {folder / node.content} to tar: {error.strerror}") from None
    if len(data) != node.size:
        raise ContextError(
            f"Can't add file {folder / node.content} to tar: it changed while it was read", hint="build again"
        )
    return data
