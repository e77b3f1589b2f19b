"""The timeline, as Python sees it: `lab.undo()`, `lab.redo()`, `lab.at(3)`, `lab.steps()`, `lab.fork("elsewhere")`.

Every verb of a lab, from whatever face, is one step. So a notebook's undo takes back what a terminal did, and a lesson can
be walked through backwards.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from imagelab.engine.engine import Engine
    from imagelab.engine.timeline import Moved, Timeline
    from imagelab.lab.host_access import HostAccess
    from imagelab.lab.lab import Settings
    from imagelab.lab.results.timeline import Move, Steps
    from imagelab.store.journal import VerbRecord
    from imagelab.store.store import Store


class Past:
    """What a `Lab` can do with its timeline."""

    if TYPE_CHECKING:  # what a lab has
        store: Store
        engine: Engine
        settings: Settings
        host: HostAccess

        def __init__(self, store: Store, settings: Settings, *, host: HostAccess | None = None) -> None: ...
        @property
        def era(self) -> str: ...
        def now(self) -> int: ...

    def verb(self, *words: str) -> AbstractContextManager[VerbRecord]:
        """What changes inside is one step, with this command line (the words after `docker`)."""
        return self.store.verb(words, self.now())

    def by_class_clock(self) -> None:
        """From now on this lab has the clock of a lesson: the same on every machine."""
        self.store.remember("clock", "class")
        self.settings = replace(self.settings, clock="class")

    @property
    def timeline(self) -> Timeline:
        """The steps and the states between them: `.steps()`, `.state(n)`, `.changes(n, container_id)`, `.position`."""
        return self.engine.timeline

    def undo(self, count: int = 1) -> Move:
        """Take back the last step, or some. TimelineError when there are not as many."""
        return self._moved(self.timeline.undo(count))

    def redo(self, count: int = 1) -> Move:
        """Do again what was undone, one step or some."""
        return self._moved(self.timeline.redo(count))

    def at(self, number: int) -> Move:
        """Go to the moment after a step; 0 is the beginning."""
        return self._moved(self.timeline.at(number))

    def _moved(self, moved: Moved) -> Move:
        from imagelab.lab.results.timeline import Move

        return Move(moved)

    def steps(self, *, all: bool = False) -> Steps:
        """What was done, oldest first; with `all` the steps of other branches, too."""
        from imagelab.lab.results.timeline import Steps

        found = self.timeline.all() if all else self.timeline.steps()
        return Steps(self, found, all)  # type: ignore[arg-type]

    def fork(self, directory: str | Path, *, at: int | None = None) -> Self:
        """A copy of this lab in a new directory, as it is or as it was after a step."""
        return self.fork_with_report(Path(directory), at=at)[0]

    def fork_with_report(self, directory: Path, *, at: int | None = None) -> tuple[Self, Moved]:
        """The same, and what could not be brought back."""
        from imagelab.store.store import Store

        directory = self.host.directory(directory)
        self.timeline.fork(directory, at)
        lab = type(self)(Store.open(directory), self.settings, host=self.host)
        return lab, lab.timeline.at(lab.timeline.position if at is None else at)
