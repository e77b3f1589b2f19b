"""`lab.db`: what is called what, and what stands on what. A few tables, read whole into a `State`.

    images      one row an image, with what a listing needs     (the config itself is a blob)
    refs        canonical reference -> image
    layers      chain ID -> the layer on top of it, and what is below
    indexes     blob digest -> what one pass over that layer found
    containers  one row a container, with its writable layer as changes; `contents` has the bytes only it has
    settings    how this lab behaves; `revision` counts its changes
    steps, journal   the timeline: see `imagelab.store.journal`
    made        which step made which image: see `imagelab.store.made`

SQLite keeps it whole: every verb is one transaction, several processes take turns, and a process that is killed in the
middle has done nothing. Nothing here is counted that can be computed: a layer is needed while an image ends in it, a
container was made on it, or another layer stands on it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from imagelab.errors import StoreError
from imagelab.oci.digest import Digest
from imagelab.state.model import Image, Layer, State, changed
from imagelab.store import journal, made
from imagelab.store.containers import ContainerRows, container_of
from imagelab.store.os_errors import translate_os_errors

VERSION = 4
_SCHEMA = """
CREATE TABLE images (
  id TEXT PRIMARY KEY, created INTEGER, size INTEGER, layers TEXT, target TEXT, content_size INTEGER, parent TEXT,
  labels TEXT, platform TEXT, tagged INTEGER, local INTEGER, platforms TEXT, top TEXT
) WITHOUT ROWID;
CREATE INDEX images_top ON images (top);
CREATE TABLE refs (name TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES images) WITHOUT ROWID;
CREATE INDEX refs_image ON refs (image);
CREATE TABLE layers (
  chain_id TEXT PRIMARY KEY, diff_id TEXT, parent TEXT, size INTEGER, blob TEXT, blob_size INTEGER, media_type TEXT
) WITHOUT ROWID;
CREATE INDEX layers_parent ON layers (parent);
CREATE INDEX layers_blob ON layers (blob);
CREATE TABLE indexes (blob TEXT PRIMARY KEY, diff_id TEXT, packed BLOB) WITHOUT ROWID;
CREATE INDEX indexes_diff_id ON indexes (diff_id);
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""

_SCHEMA_2 = """
CREATE TABLE containers (
  id TEXT PRIMARY KEY, name TEXT UNIQUE, image TEXT, top TEXT, data TEXT, changes BLOB, size INTEGER, revision INTEGER
) WITHOUT ROWID;
CREATE INDEX containers_top ON containers (top);
CREATE TABLE contents (digest TEXT PRIMARY KEY, data BLOB);
CREATE TABLE uses (container TEXT, digest TEXT, PRIMARY KEY (container, digest)) WITHOUT ROWID;
CREATE INDEX uses_digest ON uses (digest)
"""

_SCHEMA_3 = (
    """
DROP INDEX containers_top;
ALTER TABLE containers RENAME TO containers_2;
CREATE TABLE containers (
  id TEXT PRIMARY KEY, name TEXT UNIQUE, image TEXT, top TEXT, data TEXT, files TEXT, size INTEGER
) WITHOUT ROWID;
CREATE INDEX containers_top ON containers (top);
INSERT INTO containers SELECT id, name, image, top, data, '', size FROM containers_2;
DROP TABLE uses;
CREATE TABLE uses (version TEXT, digest TEXT, PRIMARY KEY (version, digest)) WITHOUT ROWID;
CREATE INDEX uses_digest ON uses (digest);
"""
    + journal.SCHEMA
)

_SCHEMA_4 = """
UPDATE images SET layers = NULL;
UPDATE journal SET old = json_set(old, '$[3]', NULL), new = json_set(new, '$[3]', NULL) WHERE kind = 'images';
"""
"""A stack follows from its top: a list of layers an image made a chain of n images n * n / 2 names long."""

_WHOLE = "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"
_PART = "SAVEPOINT part", "RELEASE part", "ROLLBACK TO part"

_COLUMNS = "id created size target content_size parent labels platform tagged local platforms top".split()
_ALL_OF_AN_IMAGE = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])

Key = TypeVar("Key")
Value = TypeVar("Value")


class Lazily(Mapping[Key, Value]):
    """A mapping made from rows when it is first looked into: a listing of images needs no layers."""

    def __init__(self, make: Callable[[], dict[Key, Value]]) -> None:
        self._make = make
        self._made: dict[Key, Value] | None = None

    def _all(self) -> dict[Key, Value]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, key: Key) -> Value:
        return self._all()[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and self._all() == dict(other)

    __hash__ = None  # type: ignore[assignment]


class Database:
    """One connection to one lab's database."""

    def __init__(self, file: Path, *, read_only: bool = False) -> None:
        self._file = file
        self._cached: tuple[int, State] | None = None
        with translate_os_errors(), ExitStack() as undo:
            self._db = _connect(file, read_only=read_only)
            undo.callback(self._db.close)
            self._prepare(read_only=read_only)
            undo.pop_all()  # it is a lab we can read: the connection stays
            self.containers = ContainerRows(self._db, self.layers_freed_above)
            self.journal = journal.Journal(self._db)
            self.made = made.MadeRows(self._db)

    def close(self) -> None:
        self._db.close()

    def _prepare(self, *, read_only: bool) -> None:
        if not read_only:
            self._db.execute("PRAGMA synchronous = NORMAL")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StoreError(
                f"this lab was made by a newer imagelab (format {version}; this one reads {VERSION})",
                hint="pip install --upgrade imagelab, or use another directory with --lab DIR",
            )
        if version < VERSION and read_only:  # it has no timeline, and must not get one
            for statement in journal.SCHEMA.replace("CREATE TABLE", "CREATE TEMP TABLE").split(";")[:2]:
                self._db.execute(statement)
        if version < VERSION and not read_only:
            self._db.execute("PRAGMA journal_mode = WAL")
            with self._writing():
                version = self._db.execute("PRAGMA user_version").fetchone()[0]  # another process may have been quicker
                for statement in ";".join([_SCHEMA, _SCHEMA_2, _SCHEMA_3, _SCHEMA_4 + made.SCHEMA][version:]).split(
                    ";"
                ):
                    self._db.execute(statement)
                if version == 0:
                    self._db.execute("INSERT INTO settings VALUES ('revision', '0')")
                if version < 3:
                    ContainerRows(self._db, self.layers_freed_above).adopt_older()
                self._db.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All of it, or nothing; one writer at a time. Inside another it is a part of that one."""
        with translate_os_errors():
            self.journal.watch()
        with self._writing():
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        begin, commit, rollback = _PART if self._db.in_transaction else _WHOLE
        with translate_os_errors():
            self._db.execute(begin)
            before, done = self._cached, False
            try:
                yield
                done = True
            finally:
                self._db.execute(commit if done else rollback)
                if not done:
                    self._cached = before

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Whatever is read in here is one state, even while another process writes."""
        if self._db.in_transaction:
            yield
            return
        with translate_os_errors():
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("COMMIT")

    # -- reading --------------------------------------------------------------------------------------------

    def state(self) -> State:
        """Everything, as one transaction sees it; the same value again while nothing has been written.

        What others have written is read as a whole; of what this connection wrote only the rows that it touched.
        """
        with translate_os_errors():
            if self._cached is None or self._cached[0] != self._version() or self.journal.is_touched():
                with self.reading():
                    self._cached = self._version(), self._current()
            return self._cached[1]

    def _version(self) -> int:
        """What is another number once another connection has written."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _current(self) -> State:
        touched = self.journal.touched()
        if self._cached is None or self._cached[0] != self._version() or len(touched) > 1000:
            return self._read()
        return with_rows(self._cached[1], touched)

    def _read(self) -> State:
        images = self._db.execute("SELECT * FROM images ORDER BY 1").fetchall()
        names = self._db.execute("SELECT * FROM refs ORDER BY 1").fetchall()
        # one text, not thousands of rows: most commands need no layer
        packed = self._db.execute(
            "SELECT json_group_array(json_array(chain_id, diff_id, parent, size, blob, blob_size, media_type)) FROM layers"
        ).fetchone()[0]
        containers = self.containers.read()
        revision = int(self.setting("revision") or 0)
        trusted = Digest.trusted
        layers = Lazily(lambda: {trusted(row[0]): layer_of(row) for row in sorted(json.loads(packed))})
        stacks = Stacks(layers)
        return State(
            images={trusted(row[0]): image_of(row, stacks) for row in images},
            references={name: trusted(image) for name, image in names},
            layers=layers,
            containers=containers,
            revision=revision,
        )

    def state_after(self, net: journal.Net) -> State:
        """What the state would be if these rows were in place."""
        return with_rows(self.state(), net)

    def setting(self, key: str) -> str:
        row = self._db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def packed_index(self, blob: str) -> bytes | None:
        row = self._db.execute("SELECT packed FROM indexes WHERE blob = ?", (blob,)).fetchone()
        return row[0] if row else None

    def blob_of(self, diff_id: str) -> str | None:
        """The blob that unpacks to a diff ID."""
        row = self._db.execute("SELECT blob FROM indexes WHERE diff_id = ? ORDER BY blob", (diff_id,)).fetchone()
        return row[0] if row else None

    def indexed_blobs(self) -> list[str]:
        return [row[0] for row in self._db.execute("SELECT blob FROM indexes")]

    def backup(self, file: Path) -> None:
        """The whole database, as one transaction sees it, in another file."""
        with translate_os_errors():
            target = sqlite3.connect(file)
            try:
                self._db.backup(target)
            finally:
                target.close()

    def compact(self) -> None:
        """Make the file as small as what is in it. Nothing when another process is in the way."""
        self._db.execute("PRAGMA busy_timeout = 0")
        try:
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError:
            pass  # it is only larger than it need be
        finally:
            self._db.execute("PRAGMA busy_timeout = 30000")

    def check(self) -> list[str]:
        """What SQLite itself finds wrong."""
        problems = [row[0] for row in self._db.execute("PRAGMA integrity_check")]
        return [] if problems == ["ok"] else problems

    # -- writing, inside `writing()` ------------------------------------------------------------------------

    def put_index(self, blob: str, diff_id: str, packed: bytes) -> None:
        self._db.execute("INSERT OR REPLACE INTO indexes VALUES (?, ?, ?)", (blob, diff_id, packed))

    def drop_indexes(self, blobs: Iterable[str]) -> None:
        self._db.executemany("DELETE FROM indexes WHERE blob = ?", [(blob,) for blob in blobs])

    def put_layer(self, layer: Layer) -> None:
        self._db.execute(
            "INSERT INTO layers VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (layer.chain_id, layer.diff_id, layer.parent, layer.size, layer.blob, layer.blob_size, layer.media_type),
        )

    def put_image(self, image: Image) -> None:
        self._db.execute(
            f"INSERT INTO images ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
            f"ON CONFLICT (id) DO UPDATE SET {_ALL_OF_AN_IMAGE}",
            (
                image.id,
                image.created,
                image.size,
                image.target,
                image.content_size,
                image.parent,
                json.dumps(dict(image.labels)),
                image.platform,
                image.tagged,
                int(image.local),
                json.dumps(image.children_platforms),
                image.layers[-1] if image.layers else None,
            ),
        )

    def tag(self, name: str, image_id: str, now: int) -> None:
        self._db.execute(
            "INSERT INTO refs VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET image = excluded.image", (name, image_id)
        )
        if "@" not in name:
            self._db.execute("UPDATE images SET tagged = ? WHERE id = ?", (now, image_id))

    def untag(self, name: str) -> None:
        self._db.execute("DELETE FROM refs WHERE name = ?", (name,))

    def delete_image(self, image_id: str) -> list[Layer]:
        """The layers that nothing needs any more, top first."""
        row = self._db.execute("SELECT top FROM images WHERE id = ?", (image_id,)).fetchone()
        self._db.execute("DELETE FROM images WHERE id = ?", (image_id,))
        return self.layers_freed_above(row[0] if row else None)

    def layers_freed_above(self, chain_id: str | None) -> list[Layer]:
        """Drop the layers of a stack that nothing needs any more; they, top first."""
        freed: list[Layer] = []
        while chain_id is not None and not self._needed(chain_id):
            layer = layer_of(self._db.execute("SELECT * FROM layers WHERE chain_id = ?", (chain_id,)).fetchone())
            self._db.execute("DELETE FROM layers WHERE chain_id = ?", (chain_id,))
            freed.append(layer)
            chain_id = layer.parent
        return freed

    def _needed(self, chain_id: str) -> bool:
        question = (
            "SELECT EXISTS (SELECT 1 FROM images WHERE top = ?) OR EXISTS (SELECT 1 FROM layers WHERE parent = ?) "
            "OR EXISTS (SELECT 1 FROM containers WHERE top = ?)"
        )
        return bool(self._db.execute(question, (chain_id, chain_id, chain_id)).fetchone()[0])

    def set(self, key: str, value: str) -> None:
        self._db.execute(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
        )

    def count_change(self) -> None:
        self._db.execute("UPDATE settings SET value = CAST(value AS INTEGER) + 1 WHERE key = 'revision'")


def with_rows(now: State, net: journal.Net) -> State:
    """A state with some of its rows replaced. What is not touched is shared with it."""
    changes: dict[str, dict[Any, Any]] = {kind: {} for kind in journal.KEYS}
    for (kind, key), row in net.items():
        changes[kind][Digest.trusted(key) if kind in ("images", "layers") else key] = row and _VALUES[kind](row)
    layers = changed(now.layers, changes["layers"])
    stacks = Stacks(layers)
    return now.changed(
        images={image_id: row and image_of(row, stacks) for image_id, row in changes["images"].items()},
        references=changes["refs"],
        layers=layers,
        containers=changes["containers"],
        revision=int(changes["settings"].get("revision") or now.revision),
    )


def _connect(file: Path, *, read_only: bool) -> sqlite3.Connection:
    mode = "?mode=ro&immutable=1" if read_only else "?mode=rwc"
    return sqlite3.connect(
        file.absolute().as_uri() + mode, uri=True, timeout=30, isolation_level=None, check_same_thread=False
    )


class Stacks:
    """Chain ID -> all of its stack, base first. Those with a common base are made from one another."""

    def __init__(self, layers: Mapping[Digest, Layer]) -> None:
        self._layers = layers
        self._made: dict[str | None, tuple[Digest, ...]] = {None: ()}

    def of(self, top: str | None) -> tuple[Digest, ...]:
        """The stack that ends in a layer; only its top when that is not here."""
        above: list[Digest] = []
        while top is not None and top not in self._made:
            above.append(Digest.trusted(top))
            layer = self._layers.get(above[-1])
            top = layer.parent if layer else None
        stack = self._made[top]
        for chain_id in reversed(above):
            stack = self._made[chain_id] = (*stack, chain_id)
        return stack


def image_of(row: Any, stacks: Stacks) -> Image:
    """A row as a value. Its layers are looked up when they are first asked for."""
    trusted = Digest.trusted
    image_id, created, size, _, target, content_size, parent, labels, platform, tagged, local, platforms, top = row
    return Image(
        id=trusted(image_id),
        created=created,
        size=size,
        layers=(),
        target=trusted(target),
        content_size=content_size,
        parent=trusted(parent) if parent else None,
        labels=json.loads(labels) if labels != "{}" else {},
        platform=platform,
        tagged=tagged,
        local=bool(local),
        children_platforms=tuple((text, trusted(digest), here) for text, digest, here in json.loads(platforms))
        if platforms != "[]"
        else (),
    ).with_layers_from(partial(stacks.of, top))


def layer_of(row: Any) -> Layer:
    chain_id, diff_id, parent, size, blob, blob_size, media_type = row
    trusted = Digest.trusted
    return Layer(
        trusted(chain_id),
        trusted(diff_id),
        trusted(parent) if parent else None,
        size,
        trusted(blob),
        blob_size,
        media_type,
    )


_VALUES: dict[str, Callable[[Any], Any]] = {
    "images": list,
    "refs": lambda row: Digest.trusted(row[1]),
    "layers": layer_of,
    "containers": container_of,
    "settings": lambda row: row[1],
}
