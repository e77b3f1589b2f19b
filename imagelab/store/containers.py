"""Containers in the database: who they are, what has changed in them, and the bytes that only they have.

A writable layer is stored as its changes (see `imagelab.layers.writable_layer`), so what a command costs depends on what it changed
and not on the image. Each *version* of it is named by the digest of its packed changes, as a layer is by its own: a row
says which version a container has now, and the timeline which it had before. File contents are kept by digest, once;
`uses` says which version needs which, and bytes no version uses go with the version that used them last.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from imagelab.errors import StoreError
from imagelab.oci.digest import Digest
from imagelab.state.model import Container, Layer

_KEPT = (
    "status",
    "created",
    "image_name",
    "config",
    "host",
    "exit_code",
    "error",
    "started",
    "finished",
    "pid",
    "ports",
)
EMPTY = b"[]"
"""No changes, packed."""


class ContainerRows:
    """The container tables of one connection. A caller that writes is inside `Database.writing()`."""

    def __init__(self, db: sqlite3.Connection, free_layers: Callable[[str | None], list[Layer]]) -> None:
        self._db, self._free_layers = db, free_layers

    def read(self) -> dict[str, Container]:
        """All of them, oldest first, without their changes."""
        if "files" not in [row[1] for row in self._db.execute("PRAGMA table_info(containers)")]:
            return {}  # an older lab, opened only to be read
        containers = [container_of(row) for row in self._db.execute("SELECT * FROM containers")]
        return {
            container.id: container
            for container in sorted(containers, key=lambda container: (container.created, container.id))
        }

    def get(self, container_id: str) -> Container | None:
        """One of them."""
        row = self._db.execute("SELECT * FROM containers WHERE id = ?", (container_id,)).fetchone()
        return container_of(row) if row else None

    def version(self, container_id: str) -> str | None:
        """Which version of its files it has: a digest, "" when nothing has changed, None when it is gone."""
        row = self._db.execute("SELECT files FROM containers WHERE id = ?", (container_id,)).fetchone()
        return str(row[0]) if row else None

    def changes(self, version: str) -> bytes:
        """A version of a container's files: packed changes. StoreError when they are not what they were."""
        if not version:
            return b""
        try:
            packed = zlib.decompress(self.content(version) or b"")
        except zlib.error:
            packed = b""
        if Digest.of(packed) != version:
            raise StoreError(
                f"the files of a container, version {Digest.trusted(version).short}, are damaged",
                hint="imagelab undo may lead to a moment that is whole",
            )
        return packed

    def content(self, digest: str) -> bytes | None:
        """The bytes of a changed file."""
        row = self._db.execute("SELECT data FROM contents WHERE digest = ?", (digest,)).fetchone()
        return bytes(row[0]) if row else None

    # -- writing --------------------------------------------------------------------------------------------

    def put(self, container: Container) -> None:
        """A container; its changes stay what they are (none, for a new one)."""
        fields = {name: getattr(container, name) for name in _KEPT} | {"layers": container.layers}
        top = container.layers[-1] if container.layers else None
        self._db.execute(
            "INSERT INTO containers VALUES (?, ?, ?, ?, ?, '', 0) ON CONFLICT (id) DO UPDATE SET "
            "name = excluded.name, data = excluded.data",
            (container.id, container.name, container.image, top, json.dumps(fields)),
        )

    def put_changes(
        self, container_id: str, packed: bytes, size: int, used: Iterable[str], new: Mapping[str, bytes]
    ) -> str:
        """Its files now: packed changes, their size, the digests they use, and the bytes among those that are new.

        The version it had before, which may be dropped when no step needs it.
        """
        before = self.version(container_id) or ""
        version = Digest.of(packed) if packed != EMPTY else ""
        if version:
            contents = [(digest, new[digest]) for digest in used if digest in new] + [
                (version, zlib.compress(packed, 1))
            ]
            self._db.executemany("INSERT INTO contents VALUES (?, ?) ON CONFLICT DO NOTHING", contents)
            uses = [(version, digest) for digest in (version, *used)]
            self._db.executemany("INSERT INTO uses VALUES (?, ?) ON CONFLICT DO NOTHING", uses)
        self._db.execute("UPDATE containers SET files = ?, size = ? WHERE id = ?", (version, size, container_id))
        return before

    def set_pid(self, container_id: str, pid: int) -> None:
        """Who drives it is not part of what it is: that stays as it is when the lab goes to another step."""
        container = self.get(container_id)
        if container is not None and container.pid != pid:
            self.put(replace(container, pid=pid))

    def delete(self, container_id: str) -> tuple[str, list[Layer]]:
        """Remove it: (the version of its files, the image layers that nothing needs any more, top first)."""
        row = self._db.execute("SELECT top, files FROM containers WHERE id = ?", (container_id,)).fetchone()
        self._db.execute("DELETE FROM containers WHERE id = ?", (container_id,))
        return (str(row[1]), self._free_layers(row[0])) if row else ("", [])

    def needs(self, version: str) -> bool:
        """Is this some container's version now?"""
        return bool(
            self._db.execute("SELECT EXISTS (SELECT 1 FROM containers WHERE files = ?)", (version,)).fetchone()[0]
        )

    def drop(self, version: str) -> None:
        """Forget a version, and the bytes that only it used."""
        used = [row[0] for row in self._db.execute("SELECT digest FROM uses WHERE version = ?", (version,))]
        self._db.execute("DELETE FROM uses WHERE version = ?", (version,))
        for digest in used:
            self._db.execute(
                "DELETE FROM contents WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM uses WHERE digest = contents.digest)",
                (digest,),
            )

    def held_by_past(self) -> int:
        """Bytes of the files of versions that no container has now."""
        question = (
            "SELECT coalesce(sum(length(data)), 0) FROM contents WHERE digest NOT IN "
            "(SELECT digest FROM uses WHERE version IN (SELECT files FROM containers))"
        )
        return int(self._db.execute(question).fetchone()[0])

    def adopt_older(self) -> None:
        """Containers of a lab of an older format: their changes become versions."""
        from imagelab.layers.writable_layer import contents_of, size_of, unpack

        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'containers_2'").fetchone():
            return
        for container_id, packed in self._db.execute("SELECT id, changes FROM containers_2").fetchall():
            changes = unpack(packed)
            self.put_changes(container_id, bytes(packed) or EMPTY, size_of(changes), contents_of(changes), {})
        self._db.execute("DROP TABLE containers_2")


def container_of(row: Any) -> Container:
    """A row as a value."""
    container_id, name, image, _, data, files, size = row
    fields: dict[str, Any] = json.loads(data)
    layers = tuple(Digest.trusted(chain_id) for chain_id in fields.pop("layers"))
    return Container(container_id, name, Digest.trusted(image), size=size, layers=layers, files=files, **fields)
