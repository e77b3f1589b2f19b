"""What every step changed, row by row: enough to undo it, and to do it again.

    steps     one row a step: its number, the step before, the command line, its events
    journal   for each row of the lab that a step changed: what it was before, and what it is after

A row's fate within one step is one entry, however often it was written: the first `old` and the last `new`. So to undo a
step is to put back every `old`, in any order, and to do it again is to put in every `new`. What a step costs is what it
changed. The state after any step follows from the present one and the entries between.

The entries are written by triggers, in the transaction that makes the change: nothing can be changed without an entry, and
a process that is killed leaves neither. The triggers are the connection's own (TEMP); the table `recording` says which
step is at work, and while it says none (an undo is under way), nothing is entered. They also note which rows were touched at all, so that
who has read the state once need not read it all again.

A change that the learner did not ask for (a container's own program writes a file, or ends) belongs to the step it follows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagelab.oci.digest import Digest
from imagelab.state.events import Event
from imagelab.state.steps import Step, route

SCHEMA = """
CREATE TABLE steps (
  number INTEGER PRIMARY KEY, parent INTEGER, at INTEGER, command TEXT, events TEXT, inputs TEXT, exit_code INTEGER, part INTEGER
);
CREATE TABLE journal (
  step INTEGER, kind TEXT, key TEXT, old TEXT, new TEXT, old_files TEXT, new_files TEXT, PRIMARY KEY (step, kind, key)
) WITHOUT ROWID;
CREATE INDEX journal_old_files ON journal (old_files) WHERE old_files IS NOT NULL;
CREATE INDEX journal_new_files ON journal (new_files) WHERE new_files IS NOT NULL
"""

KEYS = {"images": "id", "refs": "name", "layers": "chain_id", "containers": "id", "settings": "key"}
SETTINGS = ("revision", "releases")
"""The settings that are part of what happened; the others are how a lab behaves."""

LATE = "late-"
"""Before a container's ID: the input that says when something began that a step has of its program."""

Row = list[Any]
Net = dict[tuple[str, str], Row | None]
"""(table, key) -> the row to be there, or None for none."""


@dataclass(slots=True)
class VerbRecord:
    """A command that runs. `step_numbers`: the steps it has become so far, none while it has changed nothing."""

    command: tuple[str, ...]
    at: int
    events: list[Event] = field(default_factory=list)
    inputs: dict[str, Digest] = field(default_factory=dict)
    step_numbers: list[int] = field(default_factory=list)
    exit_code: int = 0


class Journal:
    """The timeline's tables, through one connection. A caller that writes is inside `Database.writing()`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._watched = False
        self._tips: dict[int, int] = {}
        """Where redo led before a step of this connection's began."""

    # -- recording ------------------------------------------------------------------------------------------

    def begin(self, verb: VerbRecord | None, *, creates_step: bool) -> int:
        """From here on changes are entered: under the verb's step, one of their own, or (not `creates_step`) the latest one."""
        position = self.position
        goes_on = not creates_step if verb is None else verb.step_numbers[-1:] == [position]
        step = position if goes_on else self._new_step(verb or VerbRecord((), at=0), position)
        self._db.execute("UPDATE recording SET step = ?, changed = 0", (step or None,))
        return step

    def end(self, step: int, verb: VerbRecord | None) -> bool:
        """No more is entered. True when something changed; a step that changed nothing is taken back."""
        changed = bool(self._db.execute("SELECT changed FROM recording").fetchone()[0])
        self._db.execute("UPDATE recording SET step = NULL")
        if not changed and not self._db.execute("SELECT 1 FROM journal WHERE step = ? LIMIT 1", (step,)).fetchone():
            self._take_back(step)
        elif verb is not None and step not in verb.step_numbers:
            verb.step_numbers.append(step)
        return changed

    def changed(self) -> bool:
        """Has something changed since `begin`?"""
        return bool(self._db.execute("SELECT changed FROM recording").fetchone()[0])

    def _new_step(self, verb: VerbRecord, position: int) -> int:
        number = int(self._db.execute("SELECT coalesce(max(number), 0) + 1 FROM steps").fetchone()[0])
        self._tips[number] = self.tip
        self._db.execute(
            "INSERT INTO steps VALUES (?, ?, ?, ?, '[]', '{}', NULL, ?)",
            (number, position, verb.at, json.dumps(verb.command), len(verb.step_numbers)),
        )
        self.move(number, tip=number)
        return number

    def _take_back(self, step: int) -> None:
        row = self._db.execute("SELECT parent FROM steps WHERE number = ?", (step,)).fetchone()
        if row is None or self._leads_on(step):
            return
        self._db.execute("DELETE FROM steps WHERE number = ?", (step,))
        self._db.execute("DELETE FROM journal WHERE step = ?", (step,))
        if self.position == step:
            self.move(row[0], tip=self._tips.get(step, row[0]))

    def _leads_on(self, step: int) -> bool:
        """Does another step follow it? Only later ones can, so only they are looked at."""
        question = "SELECT 1 FROM steps WHERE number > ? AND parent = ?"
        return self._db.execute(question, (step, step)).fetchone() is not None

    def finish(self, verb: VerbRecord) -> None:
        """A verb is over: its events, and which of its steps were none after all."""
        for step in verb.step_numbers:
            self._db.execute("DELETE FROM journal WHERE step = ? AND old IS new", (step,))
            kinds = self._db.execute("SELECT kind, key, old FROM journal WHERE step = ?", (step,)).fetchall()
            if (
                not kinds
                or [(kind, key) for kind, key, _ in kinds] == [("settings", "revision")]
                and self.position == step
            ):
                self._forget_ticks(kinds)
                self._take_back(step)
        self._db.execute(
            "UPDATE steps SET events = ?, inputs = json_patch(inputs, ?), exit_code = ? WHERE number = ?",
            (
                json.dumps([_packed(event) for event in verb.events]),
                json.dumps(verb.inputs),
                verb.exit_code,
                (verb.step_numbers or [0])[-1],
            ),
        )

    def came_late(self, container_id: str, moment: Digest) -> None:
        """The step at work has something in it that began before it."""
        self._db.execute(
            "UPDATE steps SET inputs = json_set(inputs, ?, ?) WHERE number = (SELECT step FROM recording)",
            (f'$."{LATE}{container_id}"', moment),
        )

    def _forget_ticks(self, rows: list[tuple[str, str, str | None]]) -> None:
        """What came and went (`run --rm`) has changed nothing: the lab's clock stands where it stood."""
        for _, _, old in rows:
            self._put("settings", "revision", json.loads(old) if old else None)

    def is_touched(self) -> bool:
        """Was any row written since `touched` was last asked?"""
        return self._watched and self._db.execute("SELECT 1 FROM touched LIMIT 1").fetchone() is not None

    def touched(self) -> Net:
        """Every row that was written since this was last asked, as it is now: what a state read before has to be told."""
        if not self._watched:
            return {}
        keys = self._db.execute("SELECT kind, key FROM touched").fetchall()
        if keys:
            self._db.execute("DELETE FROM touched")
        return {(kind, key): self._row(kind, key) for kind, key in keys}

    def _row(self, kind: str, key: str) -> Row | None:
        row = self._db.execute(f"SELECT * FROM {kind} WHERE {KEYS[kind]} = ?", (key,)).fetchone()
        return list(row) if row is not None else None

    # -- where we are ---------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """The step whose result is the present; 0 at the beginning."""
        return self._number("position")

    @property
    def tip(self) -> int:
        """The step that redo leads to."""
        return self._number("tip")

    def _number(self, key: str) -> int:
        row = self._db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        return int(row[0]) if row else 0

    def move(self, position: int, *, tip: int) -> None:
        """Say which step the present is the result of."""
        for key, value in (("position", position), ("tip", tip)):
            self._db.execute(
                "INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, str(value)),
            )

    def parents(self) -> Parents:
        """Step -> the one before it, looked up as it is asked."""
        return Parents(self._db)

    def all_parents(self) -> dict[int, int]:
        """The same, of all steps."""
        return dict(self._db.execute("SELECT number, parent FROM steps"))

    def steps(self) -> list[Step]:
        """All of them, of all branches, oldest first."""
        return [_step(*row) for row in self._db.execute("SELECT * FROM steps ORDER BY number")]

    def step(self, number: int) -> Step:
        """One of them."""
        return _step(*self._db.execute("SELECT * FROM steps WHERE number = ?", (number,)).fetchone())

    # -- from one step to another ---------------------------------------------------------------------------

    def between(self, start: int, end: int) -> Net:
        """What has to be put in place of what, to get from the end of one step to that of another."""
        up, down = route(self.parents(), start, end)
        net: Net = {}
        for steps, column in ((up, "old"), (down, "new")):
            for step in steps:
                for kind, key, row in self._db.execute(
                    f"SELECT kind, key, {column} FROM journal WHERE step = ?", (step,)
                ):
                    net[kind, key] = json.loads(row) if row is not None else None
        return net

    def apply(self, net: Net) -> None:
        """Put the rows in place. Nothing is recorded of it."""
        for kind, key in net:
            self._put(kind, key, None)
        for (kind, key), row in net.items():
            if row is not None:
                self._put(kind, key, row)

    def _put(self, kind: str, key: str, row: Row | None) -> None:
        self._db.execute(f"DELETE FROM {kind} WHERE {KEYS[kind]} = ?", (key,))
        if row is not None:
            self._db.execute(f"INSERT INTO {kind} VALUES ({', '.join('?' * len(row))})", row)

    def entries(self, step: int, container_ids: Iterable[str]) -> list[tuple[Any, ...]]:
        """The entries of some containers in a step, as they are; see `restore`."""
        return [
            row
            for container_id in container_ids
            for row in self._db.execute(
                "SELECT * FROM journal WHERE step = ? AND kind = 'containers' AND key = ?", (step, container_id)
            )
        ]

    def restore(self, step: int, container_ids: Iterable[str], entries: Iterable[tuple[Any, ...]]) -> None:
        """Make the entries of some containers in a step those that were kept."""
        for container_id in container_ids:
            self._db.execute(
                "DELETE FROM journal WHERE step = ? AND kind = 'containers' AND key = ?", (step, container_id)
            )
        self._db.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)", entries)

    # -- what it holds, and forgetting ----------------------------------------------------------------------

    def rows(self, kind: str) -> Iterator[Row]:
        """Every row of a table that some step put in or took away."""
        for old, new in self._db.execute("SELECT old, new FROM journal WHERE kind = ?", (kind,)):
            yield from (json.loads(row) for row in (old, new) if row is not None)

    def inputs(self) -> set[Digest]:
        """The blobs that steps read from outside."""
        rows = self._db.execute("SELECT inputs FROM steps WHERE inputs != '{}'")
        return {Digest.trusted(digest) for (inputs,) in rows for digest in json.loads(inputs).values()}

    def needs_files(self, version: str) -> bool:
        """Does a step still name this version of a container's files?"""
        question = "SELECT EXISTS (SELECT 1 FROM journal WHERE old_files = ?) OR EXISTS (SELECT 1 FROM journal WHERE new_files = ?)"
        return bool(self._db.execute(question, (version, version)).fetchone()[0])

    def forget(self, remaining: Iterable[int]) -> set[str]:
        """Keep only these steps; the versions of containers' files that the others named."""
        keep = set(remaining)
        gone = [step for step in self.all_parents() if step not in keep]
        versions: set[str] = set()
        for step in gone:
            for pair in self._db.execute("SELECT old_files, new_files FROM journal WHERE step = ?", (step,)):
                versions |= {version for version in pair if version}
            self._db.execute("DELETE FROM journal WHERE step = ?", (step,))
            self._db.execute("DELETE FROM steps WHERE number = ?", (step,))
        self._db.execute("UPDATE steps SET parent = 0 WHERE parent NOT IN (SELECT number FROM steps)")
        if self.position not in keep:
            self.move(0, tip=0)
        elif self.tip not in keep:
            self.move(self.position, tip=self.position)
        return versions

    # -- triggers -------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Set the triggers, once a connection, before the first transaction that writes."""
        if self._watched:
            return
        self._db.execute("CREATE TEMP TABLE recording (step INTEGER, changed INTEGER)")
        self._db.execute("INSERT INTO recording VALUES (NULL, 0)")
        self._db.execute("CREATE TEMP TABLE touched (kind TEXT, key TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID")
        for table, key in KEYS.items():
            columns = [row[1] for row in self._db.execute(f"PRAGMA table_info({table})")]
            for event in ("INSERT", "UPDATE", "DELETE"):
                self._db.execute(_trigger(table, key, columns, event))
        self._watched = True


class Parents(Mapping[int, int]):
    """Step -> the one before it: a row each time one is asked, since most ways are short and a timeline is long."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __getitem__(self, number: int) -> int:
        row = self._db.execute("SELECT parent FROM steps WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise KeyError(number)
        return int(row[0])

    def __iter__(self) -> Iterator[int]:
        return (row[0] for row in self._db.execute("SELECT number FROM steps ORDER BY number"))

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM steps").fetchone()[0])


def _trigger(table: str, key: str, columns: list[str], event: str) -> str:
    """The trigger that enters what happens to a row. The statements inside name no conflict clause: an outer one would win."""

    def whole(name: str) -> str:
        return f"json_array({', '.join(f'{name}.{column}' for column in columns)})"

    old = whole("old") if event != "INSERT" else "NULL"
    new = whole("new") if event != "DELETE" else "NULL"
    row = "old" if event == "DELETE" else "new"
    files = table == "containers"
    old_files = "old.files" if files and event != "INSERT" else "NULL"
    new_files = "new.files" if files and event != "DELETE" else "NULL"
    conditions = [f"{row}.key IN {SETTINGS!r}"] if table == "settings" else []
    conditions += [f"{old} IS NOT {new}"] if event == "UPDATE" else []
    when = f"WHEN {' AND '.join(conditions)}" if conditions else ""
    mine = f"step = (SELECT step FROM recording) AND kind = '{table}' AND key = {row}.{key}"
    return f"""
    CREATE TEMP TRIGGER journal_{table}_{event.lower()} AFTER {event} ON main.{table} {when} BEGIN
      UPDATE recording SET changed = 1;
      INSERT INTO touched SELECT '{table}', {row}.{key}
        WHERE NOT EXISTS (SELECT 1 FROM touched WHERE kind = '{table}' AND key = {row}.{key});
      UPDATE journal SET new = {new}, new_files = {new_files} WHERE {mine};
      INSERT INTO journal SELECT step, '{table}', {row}.{key}, {old}, {new}, {old_files}, {new_files}
        FROM recording WHERE step IS NOT NULL AND NOT EXISTS (SELECT 1 FROM journal WHERE {mine});
    END"""


def _step(
    number: int, parent: int, at: int, command: str, events: str, inputs: str, exit_code: int | None, part: int
) -> Step:
    digests: Mapping[str, str] = json.loads(inputs)
    return Step(
        number, parent, tuple(json.loads(command)), at, tuple(Event(*packed) for packed in json.loads(events)),
        {name: Digest.trusted(digest) for name, digest in digests.items()}, exit_code, part,
    )  # fmt: skip


def _packed(event: Event) -> list[Any]:
    return [event.type, event.action, event.actor, dict(event.attributes)]
