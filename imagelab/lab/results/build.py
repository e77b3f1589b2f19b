"""What a build returns: its image and its steps, as values that print as Docker does.

LabBuild   what was printed, `.image`, `.steps`; in a notebook a table of the steps below it
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from imagelab.engine.build.trace import BuildStep, BuildTrace, explained

if TYPE_CHECKING:
    from imagelab.lab.lab import Lab
    from imagelab.lab.results.images import LabImage


@dataclass(frozen=True, slots=True)
class LabBuild:
    """A build that went well. `str()` is what `docker build` prints; `.explain()` says why each step ran."""

    lab: Lab = field(repr=False)
    trace: BuildTrace
    printed: str

    @property
    def image(self) -> LabImage:
        """What was built."""
        from imagelab.lab.results.images import LabImage

        return LabImage(self.lab, self.trace.image)

    @property
    def steps(self) -> tuple[BuildStep, ...]:
        """Every step: CACHED or RAN, its image, and why."""
        return self.trace.steps

    def explain(self) -> str:
        """A line a step: why it ran, or that it did not."""
        return explained(self.trace.steps)

    def __str__(self) -> str:
        return self.printed

    def __repr__(self) -> str:
        return self.printed.rstrip("\n")

    def _repr_html_(self) -> str:
        head = "<tr><th>step<th>instruction<th>outcome<th>image<th>why"
        rows = "".join(
            f"<tr><td>{step.number}<td><code>{escape(step.text)}</code><td>{step.outcome}<td><code>{step.image.hex[:12] if step.image else ''}</code><td>{escape(step.why)}"
            for step in self.trace.steps
        )
        return f"<pre>{escape(self.printed.rstrip())}</pre><table>{head}{rows}</table>"
