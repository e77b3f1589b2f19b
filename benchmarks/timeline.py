"""Undo and redo in a lab of a thousand images and a thousand steps; beside them the floor: one commit to the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import imagelab
from benchmarks.measure import interleaved, show

Contenders = dict[str, Callable[[], object]]


def bench(folder: Path) -> None:
    lab = imagelab.connect(folder / "timeline", clock="class", environ={}, in_process=True)
    lab.pull("hello-world")
    lab.docker("create --name one hello-world")
    for number in range(1000):
        lab.docker(f"commit one made{number}:1")
    with closing(sqlite3.connect(folder / "floor.db", isolation_level=None)) as floor:
        floor.execute("PRAGMA journal_mode = WAL")
        floor.execute("CREATE TABLE rows (key INTEGER PRIMARY KEY, value TEXT)")

        def one_commit() -> None:
            floor.execute("INSERT INTO rows (value) VALUES ('x')")

        contenders: Contenders = {
            "sqlite, one row": one_commit,
            "undo (20 ms wanted)": lab.undo,
            "redo (20 ms wanted)": lab.redo,
            "undo of 500 steps": lambda: lab.undo(500),
            "redo of 500 steps": lambda: lab.redo(500),
        }
        show("timeline, 1,000 images", interleaved(contenders, 9), "sqlite, one row")
    lab.close()
