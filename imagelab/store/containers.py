"""Containers in the database: who they are, what has changed in them, and the bytes that only they have.

A writable layer is stored as its changes (see `imagelab.snapshot`), so what a command costs depends on what it changed
and not on the image. File contents are kept by digest, once; `uses` says which container needs which, and bytes nobody
uses go with the row that used them last.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from imagelab.digest import Digest
from imagelab.state import Container, Layer

_KEPT = ("status", "created", "image_name", "config", "host", "exit_code", "error", "started", "finished", "pid", "ports")


class ContainerRows:
    """The container tables of one connection. Whoever writes is inside `Database.writing()`."""

    def __init__(self, db: sqlite3.Connection, free_layers: Callable[[str | None], list[Layer]]) -> None:
        self._db, self._free_layers = db, free_layers

    def read(self) -> dict[str, Container]:
        """All of them, oldest first, without their changes."""
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'containers'").fetchone():
            return {}  # an older lab, opened only to be read
        rows = self._db.execute("SELECT id, name, image, data, size FROM containers").fetchall()
        found = [_container(*row) for row in rows]
        return {container.id: container for container in sorted(found, key=lambda one: (one.created, one.id))}

    def get(self, container_id: str) -> Container | None:
        """One of them."""
        row = self._db.execute("SELECT id, name, image, data, size FROM containers WHERE id = ?", (container_id,)).fetchone()
        return _container(*row) if row else None

    def revision(self, container_id: str) -> int:
        """Counts the changes of its files; -1 when it is gone."""
        row = self._db.execute("SELECT revision FROM containers WHERE id = ?", (container_id,)).fetchone()
        return int(row[0]) if row else -1

    def changes(self, container_id: str) -> tuple[int, bytes]:
        """(revision, packed changes); (-1, b"") when it is gone."""
        row = self._db.execute("SELECT revision, changes FROM containers WHERE id = ?", (container_id,)).fetchone()
        return (int(row[0]), bytes(row[1])) if row else (-1, b"")

    def content(self, digest: str) -> bytes | None:
        """The bytes of a changed file."""
        row = self._db.execute("SELECT data FROM contents WHERE digest = ?", (digest,)).fetchone()
        return bytes(row[0]) if row else None

    # -- writing --------------------------------------------------------------------------------------------

    def put(self, container: Container) -> None:
        """A container; its changes stay what they are (none, for a new one)."""
        kept = {name: getattr(container, name) for name in _KEPT} | {"layers": container.layers}
        top = container.layers[-1] if container.layers else None
        self._db.execute(
            "INSERT INTO containers VALUES (?, ?, ?, ?, ?, X'', 0, 0) ON CONFLICT (id) DO UPDATE SET "
            "name = excluded.name, data = excluded.data",
            (container.id, container.name, container.image, top, json.dumps(kept)),
        )

    def put_changes(self, container_id: str, packed: bytes, size: int, used: Iterable[str], new: Mapping[str, bytes]) -> None:
        """Its files now: packed changes, their size, the digests they use, and the bytes among those that are new."""
        self._db.execute(
            "UPDATE containers SET changes = ?, size = ?, revision = revision + 1 WHERE id = ?", (packed, size, container_id)
        )
        before = {row[0] for row in self._db.execute("SELECT digest FROM uses WHERE container = ?", (container_id,))}
        now = set(used)
        added = now - before
        self._db.executemany("INSERT OR IGNORE INTO contents VALUES (?, ?)", [(d, new[d]) for d in added if d in new])
        self._db.executemany("INSERT OR IGNORE INTO uses VALUES (?, ?)", [(container_id, digest) for digest in added])
        self._drop(container_id, before - now)

    def _drop(self, container_id: str, digests: Iterable[str]) -> None:
        for digest in digests:
            self._db.execute("DELETE FROM uses WHERE container = ? AND digest = ?", (container_id, digest))
            self._db.execute(
                "DELETE FROM contents WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM uses WHERE digest = contents.digest)",
                (digest,),
            )

    def delete(self, container_id: str) -> list[Layer]:
        """Remove it, and what only it had; the image layers that nobody needs any more, top first."""
        row = self._db.execute("SELECT top FROM containers WHERE id = ?", (container_id,)).fetchone()
        used = [used[0] for used in self._db.execute("SELECT digest FROM uses WHERE container = ?", (container_id,))]
        self._drop(container_id, used)
        self._db.execute("DELETE FROM containers WHERE id = ?", (container_id,))
        return self._free_layers(row[0] if row else None)


def _container(container_id: str, name: str, image: str, data: str, size: int) -> Container:
    kept: dict[str, Any] = json.loads(data)
    layers = tuple(Digest.trusted(chain_id) for chain_id in kept.pop("layers"))
    return Container(container_id, name, Digest.trusted(image), size=size, layers=layers, **kept)
