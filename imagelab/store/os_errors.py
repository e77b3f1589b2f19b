"""Errors of the disk and of SQLite, translated: a StoreError with one sentence that says what to try."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from imagelab.errors import StoreError


@contextmanager
def translate_os_errors() -> Iterator[None]:
    """An OSError or sqlite3.Error raised in here leaves as a StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise _store_error(error) from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StoreError("no space left on device", hint="docker image prune, or imagelab gc, frees some") from None
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise StoreError(
                f"the lab cannot be written to: {error.strerror or error}",
                hint="use another directory with --lab DIR or IMAGELAB_HOME",
            ) from None
        raise


def _store_error(error: sqlite3.Error) -> StoreError:
    text = str(error)
    if "full" in text:
        return StoreError("no space left on device", hint="docker image prune, or imagelab gc, frees some")
    if "readonly" in text or "read-only" in text or "unable to open" in text:
        return StoreError(
            f"the lab cannot be written to: {text}", hint="use another directory with --lab DIR or IMAGELAB_HOME"
        )
    if "locked" in text:
        return StoreError(
            "another command has been working on this lab for half a minute", hint="wait for it, or stop it"
        )
    return StoreError(
        f"the lab's database is damaged: {text}", hint="move the directory away; a new lab is made at once"
    )
