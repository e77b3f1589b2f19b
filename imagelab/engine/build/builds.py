"""Building, as `Engine.builds` has it: what it stands on, and which of the two stores keeps its steps."""

from __future__ import annotations

from dataclasses import replace
from typing import IO, TYPE_CHECKING, NamedTuple

from imagelab.state.events import ProgressSink, silent

if TYPE_CHECKING:
    from imagelab.engine.build.containers import StepContainers
    from imagelab.engine.build.request import BuildOptions
    from imagelab.engine.build.step_store import StepStore
    from imagelab.engine.build.trace import BuildSink, BuildTrace
    from imagelab.engine.containers import Containers
    from imagelab.engine.context import Context
    from imagelab.engine.images import Images


class Families(NamedTuple):
    """What a build stands on: its base images come from `images`, its RUN lines go through `containers`."""

    context: Context
    images: Images
    containers: Containers


class Builds:
    """The builds of one lab."""

    def __init__(self, context: Context, images: Images, containers: Containers) -> None:
        self._families = Families(context, images, containers)

    def build(
        self,
        context: IO[bytes],
        options: BuildOptions,
        emit: BuildSink = lambda event: None,
        progress: ProgressSink = silent,
    ) -> BuildTrace:
        """Build an image from a context, a tar of any compression that can be read from its beginning again; what was done.

        `emit` is told of each step as it happens, `progress` of a base image that is pulled. DockerfileError before anything
        is done; BuildError when a step fails: then what was built before it stays, and its container, too.
        """
        from imagelab.engine.build.builder import Builder
        from imagelab.engine.build.containers import StepContainers

        if options.buildkit:  # its containers are never seen
            options = replace(options, remove=True, force_remove=True)

        containers = StepContainers(self._families.containers, emit)
        steps = self._steps(options, containers, emit)
        return Builder(self._families, options, steps, containers, emit, progress).build(context)

    def _steps(self, options: BuildOptions, containers: StepContainers, emit: BuildSink) -> StepStore:
        """What keeps the steps: BuildKit's layers, or the classic builder's images."""
        if options.buildkit:
            from imagelab.engine.build.buildkit import LayerSteps

            return LayerSteps(self._families.context, containers, options, emit)
        from imagelab.engine.build.classic import ImageSteps

        return ImageSteps(self._families.context, containers, options, emit)
