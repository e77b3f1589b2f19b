"""What the timeline of a lab returns.

Move    what was undone and done again
Steps   `imagelab steps` as a value: a sequence of steps
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from imagelab.engine.timeline import Moved
    from imagelab.lab.lab import Lab
    from imagelab.state.steps import Step


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
