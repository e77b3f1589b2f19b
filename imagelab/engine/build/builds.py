"""Building, as `Engine.builds` has it: which of the two builders does it, and what either is given."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, NamedTuple

from imagelab.state.events import ProgressSink, silent

if TYPE_CHECKING:
    from imagelab.engine.build.request import BuildOptions
    from imagelab.engine.build.trace import BuildTrace, Tell
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
        tell: Tell = lambda event: None,
        progress: ProgressSink = silent,
    ) -> BuildTrace:
        """Build an image from a context, a tar of any compression that can be read from its beginning again; what was done.

        `tell` hears of each step as it happens, `progress` of a base image that is pulled. DockerfileError before anything is done; BuildError when a step fails:
        then what was built before it stays, and its container, too.
        """
        if options.buildkit:
            from imagelab.engine.build.buildkit import KitBuilder

            return KitBuilder(self._families, options, tell, progress).build(context)
        from imagelab.engine.build.classic import Builder

        return Builder(self._families, options, tell, progress).build(context)
