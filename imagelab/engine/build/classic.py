"""How the classic builder keeps steps: run and commit. Every instruction leaves an image.

    FROM ubuntu:14.04      image 0
    RUN make               a container on image 0, run, committed     -> image 1, whose parent is image 0
    ENV A=b                a container on image 1, never run           -> image 2: no layer, a new config
    COPY app.py /          files placed on image 2                     -> image 3: a layer
                           the last one gets the names; the others are intermediates (R8.7)

A step is looked up among the children of the current image (`cache`), and stored as an image is (`commit.store_image`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from imagelab.dockerfile.config import Config, ordered, shell_of
from imagelab.dockerfile.instructions import BuildPlan, Healthcheck, Instruction, Maintainer, refused
from imagelab.engine.build.cache import BuildCache
from imagelab.engine.build.containers import StepContainers
from imagelab.engine.build.request import BuildError, BuildOptions
from imagelab.engine.build.step_store import StageState, StepResult, StepState, platform_of
from imagelab.engine.build.trace import BuildSink, CacheUsed, ImageMade, Note
from imagelab.engine.commit import NewImage, child_config, store_image

if TYPE_CHECKING:
    from imagelab.engine.context import Context
    from imagelab.oci.digest import Digest
    from imagelab.state.model import Image

DEEPEST = 125
"""Layers an image may have (R7.6)."""


class ImageSteps:
    """The `StepStore` of the classic builder: an image a step."""

    def __init__(self, context: Context, containers: StepContainers, options: BuildOptions, emit: BuildSink) -> None:
        self._context, self._store = context, context.store
        self._containers, self._options, self._emit = containers, options, emit
        self._cache: BuildCache

    def begin(self, cache_from: Sequence[Image]) -> None:
        self._cache = BuildCache(self._store, is_used=not self._options.no_cache, sources=cache_from)

    def needed_stages(self, plan: BuildPlan) -> set[int]:
        """Classic builds build every stage, up to the target (R8.22)."""
        return set(range(len(plan.stages)))

    def refuse(self, instruction: Instruction) -> None:
        problem = refused(instruction)
        if problem is not None:
            raise problem

    def begin_stage(self, image: Image | None, config: Config, data: Mapping[str, Any]) -> StageState:
        self._cache.begin_stage()
        return StageState(image, config | {"Image": image.id if image else ""}, data)

    # -- steps ----------------------------------------------------------------------------------------------

    def configure(self, stage: StageState, step: StepState, config: Config, comment: str) -> None:
        """An image of its own: no layer, a container that never ran."""
        self._note_healthcheck(stage, step.found)
        if isinstance(step.found, Maintainer):
            stage.maintainer = step.found.value
        stage.config = config
        wanted = config | {"Cmd": [*shell_of(config), "#(nop) ", comment]}
        if self.lookup(stage, step, wanted):
            return
        removed = self._options.remove or self._options.force_remove
        if removed:
            with self._containers.passing(stage.image, wanted) as container:
                self.keep(stage, step, wanted, StepResult(container=container.id))
        else:
            container = self._containers.create(stage.image, wanted)
            self.keep(stage, step, wanted, StepResult(container=container.id))

    def _note_healthcheck(self, stage: StageState, instruction: Instruction) -> None:
        old = (stage.config.get("Healthcheck") or {}).get("Test") or []
        if isinstance(instruction, Healthcheck) and instruction.health["Test"] != ["NONE"] and old and old != ["NONE"]:
            self._emit(Note(f"Note: overriding previous HEALTHCHECK: [{' '.join(old)}]"))

    def lookup(self, stage: StageState, step: StepState, wanted: Config) -> bool:
        image = self._found(stage, step, wanted)
        if image is None:
            step.why = self._cache.why(stage.image, wanted, step.number)
            return False
        self._emit(CacheUsed())
        step.outcome = "CACHED"
        _move(stage, image, None)
        return True

    def _found(self, stage: StageState, step: StepState, wanted: Config) -> Image | None:
        cache = self._cache
        platform = stage.image.platform if stage.image else platform_of(stage.data or {})
        image = cache.find(stage.image, wanted, platform, step.number)
        if image is None and cache.sources and cache.missed_at == step.number:
            return cache.restored(stage.image, self._below(stage), ordered(wanted), ordered(stage.config))
        return image

    def _below(self, stage: StageState) -> Mapping[str, Any]:
        """The whole config of the current image."""
        if stage.data is None:
            assert stage.image is not None
            stage.data = self._store.config(stage.image.id).data
        return stage.data

    def similar(self, stage: StageState, wanted: Config) -> Image | None:
        return self._cache.similar(stage.image, wanted)

    def volumes(self, stage: StageState) -> Iterable[str]:
        return stage.config.get("Volumes") or {}

    def keep(self, stage: StageState, step: StepState, wanted: Config, result: StepResult) -> None:
        """The step's image: a layer if anything changed, and one more line of history (R8.7, R8.8)."""
        if result.changes and stage.image is not None and len(stage.image.layers) >= DEEPEST:
            raise BuildError(
                "max depth exceeded", hint=f"an image has {DEEPEST} layers at most: join some RUN lines with &&"
            )
        now = self._context.clock()
        data = child_config(
            self._below(stage), config=ordered(stage.config), made_with=ordered(wanted), created_by=" ".join(wanted["Cmd"]), now=now,
            is_empty=not result.changes, author=stage.maintainer, container=result.container,
        )  # fmt: skip
        new = NewImage(stage.image, dict(data), result.changes)
        _move(stage, store_image(self._store, new, result.read or self._store.read_file, now), data)

    # -- ends -----------------------------------------------------------------------------------------------

    def end_instruction(self, *, went_well: bool) -> None:
        """Its containers go when it went well, or always with --force-rm (R8.10)."""
        if self._options.force_remove or (self._options.remove and went_well):
            self._containers.remove_all()

    def image_id(self, stage: StageState) -> Digest | None:
        return stage.image.id if stage.image else None

    def end_step(self, stage: StageState, step: StepState) -> None:
        self._emit(ImageMade(self.image_id(stage), copied=step.copied))

    def result(self, stage: StageState) -> Image | None:
        return stage.image

    def close(self, stages: Sequence[StageState]) -> None:
        """What was built stays."""


def _move(stage: StageState, image: Image, data: Mapping[str, Any] | None) -> None:
    """The stage stands on another image now."""
    stage.image, stage.data = image, data
    stage.config = stage.config | {"Image": image.id}
