"""Files on this machine, for what goes in and out of a lab: read, written whole, and refused in Docker's words."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from imagelab.errors import ImageLabError, StoreError

if TYPE_CHECKING:
    from imagelab.lab.host_access import HostAccess, HostPath


def opened(file: HostPath) -> IO[bytes]:
    """A file to read; ImageLabError in Go's words when it cannot be."""
    try:
        return file.open("rb")
    except OSError as error:
        raise refused("open", file, error) from None


def write_whole(host: HostAccess, name: str, pieces: Iterable[bytes]) -> None:
    """All pieces in a file, which only its owner may read; an older one stays as it is until the new one is complete."""
    file = host.path(name)
    try:
        host.write_whole(file, pieces)
    except OSError as error:
        raise refused("write", file, error) from None


def refused(what: str, file: HostPath | str, error: OSError) -> ImageLabError:
    """The error for a file that the system refuses: `open FILE: no such file or directory`."""
    if error.errno == errno.ENOSPC:
        return StoreError(
            f"{what} {file}: no space left on device", hint="write it where there is more room", origin="client"
        )
    return ImageLabError(f"{what} {file}: {(error.strerror or str(error)).lower()}", origin="client")


def refuse_place(file: HostPath) -> None:
    """A path that cannot become a file, before any work is done (R6.44)."""
    if not file.parent.is_dir():
        reason = "not a directory" if file.parent.exists() else "no such file or directory"
        raise ImageLabError(f"failed to save image: invalid output path: stat {file.parent}: {reason}", origin="client")
    if not file.exists():
        return
    mode = file.stat().st_mode
    what = "a directory" if stat.S_ISDIR(mode) else "a character device file" if stat.S_ISCHR(mode) else ""
    if what or not stat.S_ISREG(mode):
        said = f"failed to save image: cannot write to {what or 'an irregular file'}"
        raise ImageLabError(said, origin="client", hint="leave -o out, and redirect")
