"""What a command may touch of the machine: the one object through which a verb opens, writes, lists and connects.

    WholeMachine()          the terminal's and the notebook's: all that its user may
    Scratch(folder)    what somebody else wrote (a hand-in, a log): one folder, no variable, no network, no process

A verb asks `host.path(name)` for a file and gets either a `pathlib.Path` or a `ScratchPath`, which has the same methods as far
as they are used, and is no `os.PathLike`: nothing but this module can open it. Outside of its folder a `Scratch` has no files at all:
a path from the root, one that climbs out, a link that leads out are `no such file or directory`, and each verb says that in
the words it has for a file that is missing. Whoever judges a line need not read it: what it may not touch is not there.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol

from imagelab.errors import ImageLabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Self

    import requests

WALKS = os.name == "posix" and {os.open, os.stat, os.unlink, os.mkdir, os.symlink, os.readlink} <= os.supports_dir_fd
"""Can this system look a name up in an open directory? Else a path is checked, and then used."""
LINKS = 40
"""So many links in a path are followed."""
CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


class HostPath(Protocol):
    """A file or folder of the machine: as much of `pathlib.Path` as verbs use."""

    @property
    def name(self) -> str: ...
    @property
    def parent(self) -> HostPath: ...
    def __truediv__(self, name: str) -> HostPath: ...
    def is_absolute(self) -> bool: ...
    def as_posix(self) -> str: ...
    def resolve(self) -> HostPath: ...
    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result: ...
    def exists(self) -> bool: ...
    def is_dir(self) -> bool: ...
    def is_file(self) -> bool: ...
    def is_symlink(self) -> bool: ...
    def iterdir(self) -> Iterable[HostPath]: ...
    def open(self, mode: Literal["rb"]) -> IO[bytes]: ...
    def read_bytes(self) -> bytes: ...
    def read_text(self, encoding: str, errors: str | None = None) -> str: ...
    def write_bytes(self, data: bytes) -> int: ...
    def write_text(self, data: str, encoding: str, errors: str | None = None, newline: str | None = None) -> int: ...
    def touch(self) -> None: ...
    def mkdir(self, *, exist_ok: bool = False) -> None: ...
    def unlink(self, missing_ok: bool = False) -> None: ...
    def symlink_to(self, target: str) -> None: ...
    def chmod(self, mode: int) -> None: ...


class HostAccess(Protocol):
    """What a line may touch."""

    @property
    def whole(self) -> bool:
        """All of the machine? Then verbs for its user alone are done, too: servers, lessons, other labs."""

    @property
    def processes(self) -> bool:
        """May containers have processes and sockets of their own?"""

    def path(self, name: str | Path) -> HostPath:
        """The file of that name, whether it is there or not."""

    def shown(self, path: HostPath) -> str:
        """A path as an error names it."""

    def readlink(self, path: HostPath) -> str:
        """What a link says, to the letter. OSError."""

    def write_whole(self, path: HostPath, pieces: Iterable[bytes]) -> None:
        """All pieces in a file that only its owner may read; an older one stays until the new one is complete. OSError."""

    def directory(self, name: str | Path) -> Path:
        """A directory for a lab of its own. ImageLabError when it must not be there."""

    def environ(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        """As much of these variables as a line may see."""

    def reach(self, address: str) -> None:
        """Before an address is connected to. ImageLabError when it must not be."""

    def prepare(self, session: requests.Session) -> None:
        """Before a session asks anybody: what it must not reach is refused in a sentence."""


class WholeMachine(HostAccess):
    """All of it, as far as its user may. Relative paths begin at the working directory."""

    whole = True
    processes = True

    def path(self, name: str | Path) -> Path:
        return Path(name)

    def shown(self, path: HostPath) -> str:
        return os.path.normpath(Path.cwd() / str(path))

    def readlink(self, path: HostPath) -> str:
        return os.readlink(str(path))

    def write_whole(self, path: HostPath, pieces: Iterable[bytes]) -> None:
        file = Path(str(path))
        unfinished = file.with_name(f".{file.name}.{os.getpid()}.part")
        try:
            with open(os.open(unfinished, CREATE, 0o600), "wb") as out:
                out.writelines(pieces)
            os.replace(unfinished, file)
        finally:
            unfinished.unlink(missing_ok=True)

    def directory(self, name: str | Path) -> Path:
        return Path(name)

    def environ(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        return environ

    def reach(self, address: str) -> None:
        return

    def prepare(self, session: requests.Session) -> None:
        return


class Scratch(HostAccess):
    """One folder, and nothing else. `processes`: containers may run by themselves; `network`: registries may be asked."""

    whole = False

    def __init__(self, folder: Path, *, processes: bool = False, network: bool = False) -> None:
        self.folder, self._processes, self._network = folder, processes, network

    @property
    def processes(self) -> bool:
        return self._processes

    def path(self, name: str | Path) -> ScratchPath:
        return ScratchPath(self.folder, str(name))

    def shown(self, path: HostPath) -> str:
        return os.path.normpath(str(path))

    def readlink(self, path: HostPath) -> str:
        return self.path(str(path)).readlink()

    def write_whole(self, path: HostPath, pieces: Iterable[bytes]) -> None:
        self.path(str(path)).write_pieces(pieces)

    def directory(self, name: str | Path) -> Path:
        path = self.path(name)
        try:
            names = path.names()
        except OSError as error:
            raise ImageLabError(f"{name}: {(error.strerror or '').lower()}", origin="client") from None
        return self.folder.joinpath(*names)

    def environ(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        return {}

    def reach(self, address: str) -> None:
        if not self._network:
            raise no_network(address)

    def prepare(self, session: requests.Session) -> None:
        if not self._network:
            session.trust_env = False  # no ~/.netrc, no proxy
            for scheme in ("http://", "https://"):
                session.mount(scheme, _nobody())


def no_network(address: str) -> ImageLabError:
    """The refusal to connect."""
    return ImageLabError(
        f"{address} is not asked: this line may use no network",
        hint="the built-in images need none: docker pull nginx",
        origin="client",
    )


def _nobody() -> Any:
    """A transport that reaches nobody."""
    from urllib.parse import urlsplit

    from requests.adapters import BaseAdapter

    class Nobody(BaseAdapter):
        def send(self, request: Any, *args: Any, **settings: Any) -> Any:
            raise no_network(urlsplit(request.url).netloc)

        def close(self) -> None:
            return

    return Nobody()


class ScratchPath:
    """A path in a `Scratch`, as it was typed. It is looked up name by name, each in the open directory before it."""

    __slots__ = ("_folder", "_text")

    def __init__(self, folder: Path, text: str) -> None:
        self._folder, self._text = folder, text

    # -- what it says ---------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ScratchPath) and (self._folder, self._text) == (other._folder, other._text)

    def __hash__(self) -> int:
        return hash((self._folder, self._text))

    def __truediv__(self, name: str) -> Self:
        return type(self)(self._folder, str(PurePath(self._text) / name))

    @property
    def name(self) -> str:
        return PurePath(self._text).name

    @property
    def suffix(self) -> str:
        return PurePath(self._text).suffix

    @property
    def parent(self) -> Self:
        return type(self)(self._folder, str(PurePath(self._text).parent))

    def is_absolute(self) -> bool:
        return PurePath(self._text).is_absolute()

    def as_posix(self) -> str:
        return PurePath(self._text).as_posix()

    def resolve(self) -> Self:
        """Without links, from the folder's own name on; as it is when it leads out."""
        try:
            return type(self)(self._folder, str(PurePath(self._folder.name, *self.names())))
        except OSError:
            return self

    # -- looking it up --------------------------------------------------------------------------------------

    def names(self, *, follow: bool = True) -> list[str]:
        """The names that lead there from the folder, through no link; the last is one only without `follow`. OSError."""
        waiting, found, links = self._parts(self._text), list[str](), 0
        while waiting:
            name = waiting.pop(0)
            if name == "..":
                if not found:
                    raise self._missing()
                found.pop()
                continue
            found.append(name)
            if waiting or follow:
                target = self._link_at(found)
                if target is not None:
                    links += 1
                    if links > LINKS:
                        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self._text)
                    found.pop()
                    waiting = self._parts(target) + waiting
        return found

    def _parts(self, text: str) -> list[str]:
        path = PurePath(text)
        if path.anchor or path.drive or "\0" in text:
            raise self._missing()
        return list(path.parts)

    def _missing(self) -> OSError:
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self._text)

    def _link_at(self, names: list[str]) -> str | None:
        """What the link there says; None when it is none, or nothing at all."""
        try:
            found = self._at(names, lambda name, where: os.stat(name, follow_symlinks=False, **where))
            return (
                self._at(names, lambda name, where: os.readlink(name, **where)) if stat.S_ISLNK(found.st_mode) else None
            )
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _at(self, names: list[str], act: Callable[[str, dict[str, int]], Any]) -> Any:
        """Do something with a name in its directory, which is reached without following a link. OSError, of this path."""
        try:
            if not WALKS:
                return act(str(self._folder.joinpath(*names)), {})
            above = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                for name in names[:-1]:
                    below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | NO_FOLLOW, dir_fd=above)
                    os.close(above)
                    above = below
                return act(names[-1] if names else ".", {"dir_fd": above})
            finally:
                os.close(above)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._text) from None

    def _do(self, act: Callable[[str, dict[str, int]], Any], *, follow: bool = True) -> Any:
        return self._at(self.names(follow=follow), act)

    # -- reading --------------------------------------------------------------------------------------------

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        found = self._do(lambda name, where: os.stat(name, follow_symlinks=False, **where), follow=follow_symlinks)
        assert isinstance(found, os.stat_result)
        return found

    def _is(self, kind: Callable[[int], bool], *, follow: bool = True) -> bool:
        try:
            return kind(self.stat(follow_symlinks=follow).st_mode)
        except OSError:
            return False

    def exists(self) -> bool:
        return self._is(lambda mode: True)

    def is_dir(self) -> bool:
        return self._is(stat.S_ISDIR)

    def is_file(self) -> bool:
        return self._is(stat.S_ISREG)

    def is_symlink(self) -> bool:
        return self._is(stat.S_ISLNK, follow=False)

    def readlink(self) -> str:
        return str(self._do(lambda name, where: os.readlink(name, **where), follow=False))

    def iterdir(self) -> list[Self]:
        def listed(name: str, where: dict[str, int]) -> list[str]:
            if not where:
                return os.listdir(name)
            inside = os.open(name, os.O_RDONLY | os.O_DIRECTORY | NO_FOLLOW, **where)
            try:
                return os.listdir(inside)
            finally:
                os.close(inside)

        return [self / name for name in self._do(listed)]

    def _opened(self, flags: int, mode: int = 0o666) -> int:
        flags |= NO_FOLLOW | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        return int(self._do(lambda name, where: os.open(name, flags, mode, **where)))

    def open(self, mode: Literal["rb"]) -> IO[bytes]:
        return os.fdopen(self._opened(os.O_RDONLY), mode)

    def read_bytes(self) -> bytes:
        with self.open("rb") as file:
            return file.read()

    def read_text(self, encoding: str, errors: str | None = None) -> str:
        return self.read_bytes().decode(encoding, errors or "strict").replace("\r\n", "\n").replace("\r", "\n")

    # -- writing --------------------------------------------------------------------------------------------

    def write_bytes(self, data: bytes) -> int:
        with os.fdopen(self._opened(CREATE), "wb") as file:
            return file.write(data)

    def write_text(self, data: str, encoding: str, errors: str | None = None, newline: str | None = None) -> int:
        return self.write_bytes(data.encode(encoding, errors or "strict"))

    def write_pieces(self, pieces: Iterable[bytes]) -> None:
        """The same piece by piece, for its owner alone; nothing is left of one that was not finished."""
        finished = False
        try:
            with os.fdopen(self._opened(CREATE, 0o600), "wb") as file:
                file.writelines(pieces)
            finished = True
        finally:
            if not finished:
                self.unlink(missing_ok=True)

    def touch(self) -> None:
        os.close(self._opened(os.O_WRONLY | os.O_CREAT))

    def mkdir(self, *, exist_ok: bool = False) -> None:
        try:
            self._do(lambda name, where: os.mkdir(name, **where))
        except FileExistsError:
            if not (exist_ok and self.is_dir()):
                raise

    def unlink(self, missing_ok: bool = False) -> None:
        try:
            self._do(lambda name, where: os.unlink(name, **where), follow=False)
        except FileNotFoundError:
            if not missing_ok:
                raise

    def symlink_to(self, target: str) -> None:
        self._do(lambda name, where: os.symlink(target, name, dir_fd=where.get("dir_fd")), follow=False)

    def chmod(self, mode: int) -> None:
        if WALKS:
            opened = self._opened(os.O_RDONLY)
            try:
                os.fchmod(opened, mode)
            finally:
                os.close(opened)
