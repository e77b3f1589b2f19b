"""Which step made which image, so that the build cache asks for one row and not for every child of an image.

    made   one row an image that was made here, with the keys of its step    (see `imagelab.dockerfile.step_keys`)

All of it follows from the images' configs. So it is no part of what a lab holds: no step of the timeline undoes it, and a
row whose image is gone is passed over. An image that came in some other way than a build is entered without keys, which
the cache fills in when it is next asked.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from imagelab.oci.digest import Digest
from imagelab.state.model import Image

if TYPE_CHECKING:
    from imagelab.dockerfile.step_keys import StepKeys

SCHEMA = """
CREATE TABLE made (
  image TEXT PRIMARY KEY, parent TEXT NOT NULL, created INTEGER, same TEXT, alike TEXT
) WITHOUT ROWID;
CREATE INDEX made_unread ON made (image) WHERE same IS NULL;
CREATE INDEX made_same ON made (parent, same, created, image);
CREATE INDEX made_alike ON made (parent, alike, created, image);
INSERT INTO made SELECT id, coalesce(parent, ''), created, NULL, NULL FROM images WHERE local;
INSERT OR IGNORE INTO made
  SELECT json_extract(value, '$[0]'), coalesce(json_extract(value, '$[6]'), ''), json_extract(value, '$[1]'), NULL, NULL
  FROM (SELECT old AS value FROM journal WHERE kind = 'images' UNION ALL SELECT new FROM journal WHERE kind = 'images')
  WHERE value IS NOT NULL AND json_extract(value, '$[10]')
"""
_CHILDREN = (
    "SELECT image FROM made JOIN images ON images.id = made.image WHERE made.parent = :parent "
    "AND coalesce(images.parent, '') = :parent AND images.local"
)
_NEWEST_FIRST = " ORDER BY made.created DESC, image DESC"


class MadeRows:
    """The table through one connection. A caller that writes is inside `Database.writing()`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def put(self, image: Image, keys: StepKeys | None) -> None:
        """An image that was made here."""
        self._db.execute(
            "INSERT INTO made VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (image) DO UPDATE SET parent = excluded.parent, created = excluded.created",
            (image.id, image.parent or "", image.created, keys and keys.same, keys and keys.alike),
        )

    def fill(self, image_id: str, keys: StepKeys | None) -> None:
        """The keys of one that had none; None: its config cannot be read, and no step made it."""
        if keys is None:
            self._db.execute("DELETE FROM made WHERE image = ?", (image_id,))
        else:
            self._db.execute("UPDATE made SET same = ?, alike = ? WHERE image = ?", (keys.same, keys.alike, image_id))

    def keep(self, image_ids: Iterable[str]) -> None:
        """Forget all others."""
        remaining = set(image_ids)
        gone = [row for row in self._db.execute("SELECT image FROM made") if row[0] not in remaining]
        self._db.executemany("DELETE FROM made WHERE image = ?", gone)

    def unread(self) -> list[Digest]:
        """Images that have no keys yet."""
        return [Digest.trusted(row[0]) for row in self._db.execute("SELECT image FROM made WHERE same IS NULL")]

    def same(self, parent: str, keys: StepKeys) -> Iterator[Digest]:
        """The images that this very step made of `parent` ("" for none), the latest first."""
        return self._found(f"{_CHILDREN} AND same = :key{_NEWEST_FIRST}", parent, keys.same)

    def alike(self, parent: str, keys: StepKeys) -> Iterator[Digest]:
        """The same for a step of the same text, whatever its input."""
        return self._found(f"{_CHILDREN} AND alike = :key{_NEWEST_FIRST}", parent, keys.alike)

    def any(self, parent: str) -> bool:
        """Was anything made of it?"""
        return next(self._found(_CHILDREN, parent, ""), None) is not None

    def _found(self, question: str, parent: str, key: str) -> Iterator[Digest]:
        for row in self._db.execute(question, {"parent": parent, "key": key}):
            yield Digest.trusted(row[0])
