"""The stages of a build so far, and what FROM and `COPY --from` mean by a name: a stage, an image, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imagelab.dockerfile.instructions import BuildPlan, Copy, From
from imagelab.engine.build.context import Source
from imagelab.engine.build.copy import Sources
from imagelab.engine.build.request import BuildError, BuildOptions
from imagelab.errors import ImageNotFoundError
from imagelab.layers.tree import Tree

if TYPE_CHECKING:
    from imagelab.engine.build.builds import Families
    from imagelab.engine.build.step_store import StageState
    from imagelab.state.events import ProgressSink
    from imagelab.state.model import Image


class Stages:
    """Those of one build, and the files that they copy from."""

    def __init__(self, families: Families, options: BuildOptions, progress: ProgressSink) -> None:
        self._context, self._images, _ = families
        self._options, self._progress = options, progress
        self._sources: dict[str, Sources] = {}
        self.plan = BuildPlan((), ())
        self.built: list[StageState] = []

    def begin(self, plan: BuildPlan, context: Source) -> None:
        """What will be built, and out of which context."""
        self.plan, self._sources["."] = plan, Sources(context)

    def images(self, names: tuple[str, ...]) -> list[Image]:
        """Those of these images that are here."""
        return [self._images.resolve(name) for name in names if self._is_here(name)]

    def _is_here(self, name: str) -> bool:
        try:
            self._images.resolve(name)
        except ImageNotFoundError:
            return False
        return True

    # -- FROM -----------------------------------------------------------------------------------------------

    def check_from(self, base: From, name: str) -> None:
        """BuildError for a stage's name that is taken, and for a FROM whose variables left nothing."""
        if base.name and self._named(base.name, len(self.built)) is not None:
            raise BuildError(f"{base.name} stage name already used")
        if not name:
            raise BuildError(
                f"base name ({base.base}) should not be blank",
                hint="an ARG above FROM without a value? --build-arg gives one",
            )

    def base(self, name: str, platform: str | None) -> tuple[Image | None, dict[str, Any]]:
        """The image that FROM names, pulled if need be (None: nothing), and its whole config."""
        at = self._named(name, len(self.built))
        if at is not None:
            image = self.built[at].image
        elif name == "scratch":
            image = None
        else:
            image = self._image(name, platform or self._options.platform)
        return image, dict(self._context.store.config(image.id).data) if image else self._nothing()

    def _nothing(self) -> dict[str, Any]:
        """The config of no image: only its platform."""
        from imagelab.oci.documents import Platform

        platform = Platform.parse(self._options.platform or self._context.platform)
        return {"os": platform.os, "architecture": platform.architecture} | (
            {"variant": platform.variant} if platform.variant else {}
        )

    def _image(self, name: str, platform: str | None) -> Image:
        if not self._options.pull:
            try:
                return self._images.resolve(name)
            except ImageNotFoundError:
                pass
        self._images.pull(name, platform=platform, progress=self._progress)
        return self._images.resolve(name)

    # -- COPY --from ----------------------------------------------------------------------------------------

    def sources(self, found: Copy) -> Sources:
        """What a COPY or ADD takes its files from: the context, a stage, or an image."""
        if not found.source_image:
            return self._sources["."]
        at = self._stage_named(found.source_image)
        image = self.built[at].image if at is not None else self._image(found.source_image, self._options.platform)
        key = " ".join(image.layers) if image else ""
        if key not in self._sources:
            read = self._context.store.read_file
            self._sources[key] = Sources(Source(self.tree(image), read, is_context=False))
        return self._sources[key]

    def tree(self, image: Image | None) -> Tree:
        """An image's files."""
        return self._context.store.tree(image.layers[-1]) if image and image.layers else Tree.empty()

    def _stage_named(self, name: str) -> int | None:
        above = len(self.built) - 1
        if name.isdigit():
            if int(name) >= above:
                raise BuildError(
                    f"invalid from flag value {name}: invalid stage index {name}",
                    hint="a stage above this one, counted from 0",
                )
            return int(name)
        return self._named(name, above)

    def _named(self, name: str, count: int) -> int | None:
        """The stage of that name, among the first `count`."""
        return next((at for at in range(count) if self.plan.stages[at].base.name == name.lower()), None)
