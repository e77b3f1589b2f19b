"""The timeline, as Python sees it: `lab.undo()`, `lab.redo()`, `lab.at(3)`, `lab.steps()`, `lab.fork("elsewhere")`.

Every verb of a lab, from whatever face, is one step. So a notebook's undo takes back what a terminal did, and a lesson can
be walked through backwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

if TYPE_CHECKING:
    from imagelab.engine.engine import Engine
    from imagelab.engine.timeline import Moved, Timeline
    from imagelab.lab.lab import Lab, Settings
    from imagelab.state.steps import Step
    from imagelab.store.journal import Verb
    from imagelab.store.store import Store


class Past:
    """What a `Lab` can do with its timeline."""

    if TYPE_CHECKING:  # what a lab has
        store: Store
        engine: Engine
        settings: Settings

        def __init__(self, store: Store, settings: Settings) -> None: ...
        @property
        def era(self) -> str: ...
        def now(self) -> int: ...

    def verb(self, *words: str) -> AbstractContextManager[Verb]:
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
        return Move(self.timeline.undo(count))

    def redo(self, count: int = 1) -> Move:
        """Do again what was undone, one step or some."""
        return Move(self.timeline.redo(count))

    def at(self, number: int) -> Move:
        """Go to the moment after a step; 0 is the beginning."""
        return Move(self.timeline.at(number))

    def steps(self, *, all: bool = False) -> Steps:
        """What was done, oldest first; with `all` the steps of other branches, too."""
        found = self.timeline.all() if all else self.timeline.steps()
        return Steps(self, found, all)  # type: ignore[arg-type]

    def fork(self, directory: str | Path, *, at: int | None = None) -> Self:
        """A copy of this lab in a new directory, as it is or as it was after a step."""
        return self.fork_with_report(Path(directory), at=at)[0]

    def fork_with_report(self, directory: Path, *, at: int | None = None) -> tuple[Self, Moved]:
        """The same, and what could not be brought back."""
        from imagelab.store.store import Store

        self.timeline.fork(directory, at)
        lab = type(self)(Store.open(directory), self.settings)
        return lab, lab.timeline.at(lab.timeline.position if at is None else at)


@dataclass(frozen=True, slots=True)
class Move:
    """What was undone and done again. Prints as `imagelab undo` does."""

    moved: Moved

    def __repr__(self) -> str:
        lines = [f"undone: {step.line}" for step in self.moved.undone] + [
            f"done again: {step.line}" for step in self.moved.redone
        ]
        return "\n".join([*(lines or ["nothing to do: the lab is there"]), *self.moved.notes])


@dataclass(frozen=True, slots=True)
class Steps(Sequence["Step"]):
    """A listing of steps: a sequence of them that prints as `imagelab steps` does."""

    lab: Lab
    rows: tuple[Step, ...]
    all: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Step, ...]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self.rows[index]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.rows)

    def __repr__(self) -> str:
        from imagelab.output.timeline import listing

        lab, timeline = self.lab, self.lab.timeline
        return listing(
            timeline.all(), timeline.steps(), timeline.position, all=self.all, era=lab.era, now=lab.now()
        ).rstrip("\n")

    def _repr_html_(self) -> str:
        from imagelab.view.style import LITERAL, STYLE

        position = self.lab.timeline.position
        marks = {position: ' class="m"'}
        rows = "".join(
            f'<tr{marks.get(step.number, "")}><td>{step.number}</td><td class="c">{escape(step.line)}</td></tr>'
            for step in self.rows
        )
        head = "<thead><tr><th>STEP</th><th>COMMAND</th></tr></thead>"
        return f'{STYLE}<div class="imagelab {LITERAL}"><table class="imagelab-table" aria-label="steps">{head}<tbody>{rows}</tbody></table></div>'
