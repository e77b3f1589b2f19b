"""A lab as a copy of another: the database as one transaction sees it, and the blobs, which never change, under the same names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from imagelab.store.database import Database
from imagelab.store.os_errors import translate_os_errors


def copy(source: Path, database: Database, target: Path) -> None:
    """Make the copy. Blobs are linked where the file system can, so that they take no room twice. StoreError."""
    from imagelab.store.store import make_directory

    with translate_os_errors():
        make_directory(target)
        for file in (source / "blobs" / "sha256").iterdir():
            _same_file(file, target / "blobs" / "sha256" / file.name)
        for log in (source / "containers").glob("*/log"):
            folder = target / "containers" / log.parent.name
            folder.mkdir(parents=True)
            shutil.copyfile(log, folder / "log")
    database.backup(target / "lab.db")


def _same_file(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(file, target)
