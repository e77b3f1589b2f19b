"""What a build asks of whatever keeps its steps, and the values that go between them.

classic    `ImageSteps`: an image a step        BuildKit   `LayerSteps`: a layer a step, and one image at the end
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from imagelab.dockerfile.config import Config
    from imagelab.dockerfile.instructions import BuildPlan, Instruction
    from imagelab.layers.tree import Change, Node
    from imagelab.oci.digest import Digest
    from imagelab.state.model import Image


@dataclass(slots=True)
class StageState:
    """Where a stage stands: the image so far, and the config that the next one will have."""

    image: Image | None
    config: Config
    data: Mapping[str, Any] | None
    """The image's whole config; None while it has not been read."""
    maintainer: str = ""
    command_is_ours: bool = False


@dataclass(slots=True)
class StepState:
    """One numbered step while it is being done."""

    number: int
    written: Instruction
    found: Instruction
    """With its variables replaced; of a FROM with triggers, the trigger at hand."""
    outcome: str = "RAN"
    why: str = ""
    """Why the cache did not have it."""
    copied: bool = False


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step made: changes with the directories above them, who reads their files, and the container it was made in."""

    changes: tuple[Change, ...] = ()
    read: Callable[[Node], bytes] | None = None
    """None: the store has the bytes."""
    container: str = ""


class StepStore(Protocol):
    """Where the steps of one build are looked up and kept. Every method is called by the one build loop."""

    def begin(self, cache_from: Sequence[Image]) -> None:
        """The build begins. `cache_from`: the only images that the cache may use, if there are any."""

    def needed_stages(self, plan: BuildPlan) -> set[int]:
        """Which of the stages are built."""

    def refuse(self, found: Instruction) -> None:
        """DockerfileError or BuildError for what this kind of builder does not do."""

    def begin_stage(self, image: Image | None, config: Config, data: Mapping[str, Any]) -> StageState:
        """A stage on a base image (None: on nothing), whose whole config is `data`."""

    def configure(self, stage: StageState, step: StepState, config: Config, comment: str) -> None:
        """A step that changes only the config: to `config`, which `comment` says in history."""

    def lookup(self, stage: StageState, step: StepState, wanted: Config) -> bool:
        """Was this very step made before? Then the stage is where it leads; otherwise `step.why` says why not."""

    def similar(self, stage: StageState, wanted: Config) -> Image | None:
        """The image that the same step made of another input, where it is known."""

    def volumes(self, stage: StageState) -> Iterable[str]:
        """Directories whose changes a step does not keep (R8.21)."""

    def keep(self, stage: StageState, step: StepState, wanted: Config, result: StepResult) -> None:
        """Keep what a step made; the stage stands on it now. `wanted`: the config it was made with."""

    def end_instruction(self, *, went_well: bool) -> None:
        """An instruction, or a trigger, is over."""

    def image_id(self, stage: StageState) -> Digest | None:
        """The image that a learner sees of the stage so far."""

    def end_step(self, stage: StageState, step: StepState) -> None:
        """A numbered step is over."""

    def result(self, stage: StageState) -> Image | None:
        """The image of the last stage; None when nothing was made."""

    def close(self, stages: Sequence[StageState]) -> None:
        """The build is over, whether it went well or not: let go of what no image took."""


def platform_of(data: Mapping[str, Any]) -> str:
    """`os/architecture[/variant]` of an image's config."""
    return "/".join(str(data[key]) for key in ("os", "architecture", "variant") if data.get(key))
