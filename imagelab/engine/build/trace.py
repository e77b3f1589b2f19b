"""What a build says while it works, as values; and what is left of it, its trace.

    StepBegun      Step 2/3 : COPY app.py /
    CacheUsed       ---> Using cache
    ContainerMade   ---> Running in 9cdc27646c7b
    StepOutput     what RUN prints
    Removed        Removed intermediate container 9cdc27646c7b
    ImageMade       ---> 44aa4490ce2c
    StepDone       a BuildStep: CACHED or RAN, and why

Which words these become, and in which order, is an era's business (`output.build`). A `BuildTrace` is the steps of
one build: pictures and `docker build --explain` are functions of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from imagelab.dockerfile.instructions import Instruction
from imagelab.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class StepBegun:
    """`found` is the instruction with its variables replaced, `written` as it stands in the file."""

    number: int
    total: int
    written: Instruction
    found: Instruction
    triggered: bool = False
    """It comes from the base image's ONBUILD."""
    stage: int = 0
    """Which stage of the file it belongs to, from 0."""


@dataclass(frozen=True, slots=True)
class TriggersFound:
    """`# Executing 2 build triggers` (R8.19)."""

    count: int


@dataclass(frozen=True, slots=True)
class Note:
    """A line of its own, for the learner or from Docker: a warning, an overridden HEALTHCHECK."""

    text: str


@dataclass(frozen=True, slots=True)
class CacheUsed:
    """The step's image was there already."""


@dataclass(frozen=True, slots=True)
class ContainerMade:
    """A container for this step; only RUN's ever runs (R8.6)."""

    id: str


@dataclass(frozen=True, slots=True)
class StepOutput:
    """Bytes that a RUN printed on 1 or 2."""

    fd: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Removed:
    """A container of this step is gone again."""

    id: str


@dataclass(frozen=True, slots=True)
class ImageMade:
    """The step is over, and this is the image now; None for `FROM scratch` (R8.23)."""

    id: Digest | None
    copied: bool = False
    """By COPY or ADD that was not cached."""


@dataclass(frozen=True, slots=True)
class BuildStep:
    """One step of a build, as it went."""

    number: int
    total: int
    text: str
    line: int
    """Where it stands in the Dockerfile, from 1; 0 for a LABEL that --label added."""
    outcome: str
    """CACHED, RAN or FROM; CONFIG where BuildKit only notes a wish."""
    image: Digest | None
    why: str
    """Why it was not taken from the cache: `app.py changed`; "" when it was."""
    parent: Digest | None = None


@dataclass(frozen=True, slots=True)
class StepDone:
    """The step for the trace."""

    step: BuildStep


@dataclass(frozen=True, slots=True)
class Built:
    """`Successfully built 44aa4490ce2c`, and the names it got."""

    id: Digest
    names: tuple[str, ...] = ()


BuildEvent = (
    StepBegun | TriggersFound | Note | CacheUsed | ContainerMade | StepOutput | Removed | ImageMade | StepDone | Built
)
BuildSink = Callable[[BuildEvent], object]


@dataclass(frozen=True, slots=True)
class BuildTrace:
    """A finished build: its image, the names it was given, and every step."""

    image: Digest
    names: tuple[str, ...]
    steps: tuple[BuildStep, ...]

    @property
    def ran(self) -> tuple[BuildStep, ...]:
        """The steps that the cache did not have."""
        return tuple(step for step in self.steps if step.outcome == "RAN")


def explained(steps: tuple[BuildStep, ...]) -> str:
    """What `docker build --explain` adds: a line a step."""
    lines = []
    for step in steps:
        if step.outcome == "CACHED":
            lines.append(f"step {step.number} came from the cache: nothing it depends on changed")
        elif step.outcome == "RAN":
            lines.append(
                f"step {step.number} ran {'again ' if step.why.endswith(('changed', 'is gone')) else ''}{step.why}"
            )
    return "".join(f"{line}\n" for line in lines)
