"""One file, one owner: a lock that the operating system takes back when its owner dies.

Two processes that pull the same layer must not both download it, and none may sweep blobs away while another is about
to use them. A lock held in a file's *content* would outlive a killed process; this one does not, since the kernel
holds it. Where there is no such call (a browser has one process) every lock is free.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt
except ImportError:
    msvcrt = None  # type: ignore[assignment]

PATIENCE = 0.05
"""Seconds between two tries, where the system cannot wake us."""


@contextmanager
def locked(file: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold `file`'s lock. With wait=False yields False at once when another process has it.

    The file is removed afterwards; a process that waited for it notices, and locks the new one.
    """
    descriptor = _take(file, wait=wait)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            _give_back(file, descriptor)


def _take(file: Path, *, wait: bool) -> int | None:
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        if not _lock(descriptor, wait=wait):
            os.close(descriptor)
            if not wait:
                return None
            time.sleep(PATIENCE)
            continue
        if _still(file, descriptor):
            return descriptor
        os.close(descriptor)


def _still(file: Path, descriptor: int) -> bool:
    """Is the file we locked still the one of that name?"""
    try:
        return os.path.samestat(file.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _lock(descriptor: int, *, wait: bool) -> bool:
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt is not None:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return False
    return True


def _give_back(file: Path, descriptor: int) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError:
        pass  # Windows keeps a file that a process has open; the name is used again
    os.close(descriptor)
