"""How BuildKit keeps steps: one image, and nothing else (R8.28-R8.30).

    classic    an image an instruction; they are the cache; containers; parents; `#(nop)` in history
    BuildKit   layers only, and one image at the end, without a parent; no containers to be seen; a cache of its own

What a step leaves is a layer (always one for RUN, COPY, ADD and WORKDIR, even when nothing changed); the cache is a table
of keys, kept with the lab's settings; and stages that no other needs are skipped. BuildKit runs stages side by side,
which cannot be seen in what it leaves; it also adds a provenance attestation to an image (R8.31), which is not done here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from imagelab.dockerfile.config import Config, ordered
from imagelab.dockerfile.instructions import NEW_FLAGS, BuildPlan, Copy, Expose, Instruction, Run
from imagelab.dockerfile.step_keys import COMPARED
from imagelab.engine.build.containers import StepContainers
from imagelab.engine.build.request import BuildError, BuildOptions
from imagelab.engine.build.step_store import StageState, StepResult, StepState, platform_of
from imagelab.engine.build.trace import BuildSink, CacheUsed
from imagelab.engine.commit import put_image, stored_layer
from imagelab.oci.digest import Digest
from imagelab.state.model import Image
from imagelab.units import parse_time, rfc3339

if TYPE_CHECKING:
    from imagelab.engine.context import Context

COMMENT = "buildkit.dockerfile.v0"
SETTING = "buildkit"
NOTHING = Digest.trusted("")
_NOT_IN_KEYS = ("Labels", "OnBuild", "Healthcheck", "ExposedPorts")
"""What a step of BuildKit's does not depend on."""


class LayerSteps:
    """The `StepStore` of BuildKit: a layer a step. A stage's image is only the stack of its layers so far."""

    def __init__(self, context: Context, containers: StepContainers, options: BuildOptions, emit: BuildSink) -> None:
        self._context, self._store = context, context.store
        self._containers, self._options, self._emit = containers, options, emit
        self._known: dict[str, list[str]] = json.loads(self._store.setting(SETTING) or "{}")

    def begin(self, cache_from: Sequence[Image]) -> None:
        """An image has no cache of BuildKit's in it."""

    def needed_stages(self, plan: BuildPlan) -> set[int]:
        """The last one, and those that a needed one begins with or copies from."""
        last = len(plan.stages) - 1
        needed, asked = {last}, [last]
        while asked:
            new = _below(plan, asked.pop()) - needed
            needed |= new
            asked += sorted(new)
        return needed

    def refuse(self, instruction: Instruction) -> None:
        """BuildKit does these; imagelab does not, and says so rather than half of it."""
        names = [flag.partition("=")[0] for flag in instruction.line.flags]
        new = next((name for name in names if name.removeprefix("--") in NEW_FLAGS and name != "--link"), "")
        if new or instruction.line.heredocs:
            raise BuildError(
                f"imagelab does not do {new or 'here-documents'}",
                hint="a real BuildKit does; write it without, for example with RUN chmod, or a file to COPY",
            )

    def begin_stage(self, image: Image | None, config: Config, data: Mapping[str, Any]) -> StageState:
        stack = image or Image(NOTHING, 0, 0, (), NOTHING, 0, platform=platform_of(data))
        return StageState(stack, config | {"Image": ""}, dict(data))

    # -- steps ----------------------------------------------------------------------------------------------

    def configure(self, stage: StageState, step: StepState, config: Config, comment: str) -> None:
        """Only noted, for the image at the end."""
        step.outcome, stage.config = "CONFIG", config
        if isinstance(step.found, Expose):
            comment = f"EXPOSE [{' '.join(sorted(config['ExposedPorts']))}]"
        _note(stage, comment, str((stage.data or {}).get("created") or ""), is_empty=True)

    def lookup(self, stage: StageState, step: StepState, wanted: Config) -> bool:
        chain_id, created = self._known.get(_key(stage, wanted), ["", ""])
        layer = self._store.state().layers.get(Digest.trusted(chain_id))
        if self._options.no_cache or layer is None:
            step.why = "because of --no-cache" if self._options.no_cache else "because its input is new"
            return False
        self._emit(CacheUsed())
        step.outcome = "CACHED"
        _add(stage, step, wanted, layer.chain_id, created)
        return True

    def similar(self, stage: StageState, wanted: Config) -> Image | None:
        return None

    def volumes(self, stage: StageState) -> Iterable[str]:
        """A volume's changes stay (R8.21)."""
        return ()

    def keep(self, stage: StageState, step: StepState, wanted: Config, result: StepResult) -> None:
        key, created = _key(stage, wanted), rfc3339(self._context.clock())
        top = _stack(stage).layers[-1] if _stack(stage).layers else None
        layer = stored_layer(self._store, result.changes, result.read or self._store.read_file, top)
        with self._store.transaction() as tx:
            tx.put_layer(layer)
        self._known[key] = [layer.chain_id, created]
        _add(stage, step, wanted, layer.chain_id, created)

    # -- ends -----------------------------------------------------------------------------------------------

    def end_instruction(self, *, went_well: bool) -> None:
        """Containers stay to the end, since they hold the layers they stand on."""

    def image_id(self, stage: StageState) -> Digest | None:
        """There is none to be seen."""
        return None

    def end_step(self, stage: StageState, step: StepState) -> None:
        """Nothing is said of an image."""

    def result(self, stage: StageState) -> Image | None:
        """The one image, without a parent (R8.29)."""
        data = dict(stage.data or {})
        if not _stack(stage).layers:
            return None
        data["history"] = _dated(data["history"])
        fields = {
            key: data[key]
            for key in ("architecture", "os", "variant", "os.version", "os.features", "created", "history")
            if data.get(key)
        }
        config = {key: value for key, value in ordered(stage.config).items() if value}
        state = self._store.state()
        layers = [state.layers[chain_id] for chain_id in _stack(stage).layers]
        return put_image(self._store, layers, {**fields, "config": config}, None, parse_time(data["created"]))

    def close(self, stages: Sequence[StageState]) -> None:
        """Nothing but the image stays."""
        for stage in stages:
            if stage.image is not None and stage.image.layers and stage.image.layers[-1] in self._store.state().layers:
                self._containers.drop_layers(stage.image)
        self._containers.drop_all()
        self._store.remember(SETTING, json.dumps(self._known, sort_keys=True))


def _below(plan: BuildPlan, at: int) -> set[int]:
    """The stages that one begins with or copies from."""
    stage = plan.stages[at]
    names = [
        stage.base.base,
        *(instruction.source_image for instruction in stage.instructions if isinstance(instruction, Copy)),
    ]
    return {number for name in names if name and (number := plan.index_of(name)) is not None}


def _stack(stage: StageState) -> Image:
    assert stage.image is not None, "every stage of BuildKit's begins on a stack"
    return stage.image


def _key(stage: StageState, wanted: Mapping[str, Any]) -> str:
    """What makes two steps the same step: the layers below, the platform, and what the program can see."""
    image = _stack(stage)
    compared = {key: wanted.get(key) for key in COMPARED if key not in _NOT_IN_KEYS}
    text = json.dumps([list(image.layers[-1:]), image.platform, compared], sort_keys=True)
    return sha256(text.encode()).hexdigest()


def _add(stage: StageState, step: StepState, wanted: Config, chain_id: Digest, created: str) -> None:
    image = _stack(stage)
    stage.image = replace(image, layers=(*image.layers, chain_id))
    _note(stage, _created_by(step.found, wanted), created, is_empty=False)


def _created_by(instruction: Instruction, wanted: Config) -> str:
    """History's text of a step that made a layer (R8.30)."""
    match instruction:
        case Run():
            return f"RUN {' '.join(wanted['Cmd'])} # buildkit"
        case Copy():
            chown = f"--chown={instruction.chown} " if instruction.chown else ""
            return f"{instruction.keyword} {chown}{' '.join(instruction.sources)} {instruction.target} # buildkit"
    return f"WORKDIR {wanted['WorkingDir']}"


def _note(stage: StageState, created_by: str, created: str, *, is_empty: bool) -> None:
    data = dict(stage.data or {})
    entry = {"created": created, "created_by": created_by, "comment": COMMENT} | (
        {"empty_layer": True} if is_empty else {}
    )
    stage.data = data | {"created": created, "history": [*(data.get("history") or []), entry]}


def _dated(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What only changes the config takes no time: it has that of the layer below it, or else of the first above."""
    first = next(entry["created"] for entry in history if entry["created"])
    return [entry | {"created": entry["created"] or first} for entry in history]
