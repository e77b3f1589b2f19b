"""What BuildKit would leave of the same Dockerfile: one image, and nothing else (R8.28-R8.30).

    classic    an image an instruction; they are the cache; containers; parents; `#(nop)` in history
    BuildKit   layers only, and one image at the end, without a parent; no containers to be seen; a cache of its own

Instructions mean the same, so this is the classic builder with three things done otherwise: what a step leaves is a layer
(always one for RUN, COPY, ADD and WORKDIR, even when nothing changed); the cache is a table of keys, kept with the lab's
settings; and stages that nobody asks for are skipped. BuildKit runs stages side by side, which cannot be seen in what
it leaves; it also adds a provenance attestation to an image (R8.31), which is not done here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import IO, TYPE_CHECKING, Any

from imagelab.dockerfile.config import Config, applied, ordered
from imagelab.dockerfile.instructions import NEW_FLAGS, Arg, Cmd, Copy, Expose, From, Instruction, Run, Workdir
from imagelab.dockerfile.step_keys import COMPARED
from imagelab.engine.build import trace as said
from imagelab.engine.build.classic import Builder
from imagelab.engine.build.request import BuildError, BuildOptions, Stand
from imagelab.engine.commit import put_image, stored_layer, with_parents
from imagelab.oci.digest import Digest
from imagelab.state.model import Image
from imagelab.units import parse_time, rfc3339

if TYPE_CHECKING:
    from imagelab.engine.build.builds import Families
    from imagelab.layers.tree import Change
    from imagelab.state.events import ProgressSink
    from imagelab.state.model import Container

COMMENT = "buildkit.dockerfile.v0"
SETTING = "buildkit"
NOTHING = Digest.trusted("")


class KitBuilder(Builder):
    """One build, as BuildKit does it."""

    def __init__(self, families: Families, options: BuildOptions, tell: said.Tell, progress: ProgressSink) -> None:
        super().__init__(families, replace(options, remove=True, force_remove=True), tell, progress)
        self._known: dict[str, list[str]] = json.loads(self._store.setting(SETTING) or "{}")
        self._found: Instruction | None = None

    def build(self, context: IO[bytes]) -> said.BuildTrace:
        """All of it. Whatever happens, nothing but the image stays."""
        with self._store.lease():
            try:
                return super().build(context)
            finally:
                for stage in self._stages:
                    self._let_go(stage)
                for container_id in reversed(self._containers):
                    self._running.remove(container_id, force=True)
                self._store.remember(SETTING, json.dumps(self._known, sort_keys=True))

    def _let_go(self, stage: Stand) -> None:
        """Layers that no image took: a container on top of them takes them along when it goes."""
        if stage.image is not None and stage.image.layers and stage.image.layers[-1] in self._store.state().layers:
            container = self._running.create_for_build(stage.image, {})
            self._running.remove(container.id)

    def _remove_containers(self) -> None:
        """They stay to the end, since they hold the layers they stand on."""

    def _is_needed(self, at: int) -> bool:
        """Is this stage the last one, or does a needed one begin with it or copy from it?"""
        wanted, asked = {len(self._plan.stages) - 1}, [len(self._plan.stages) - 1]
        while asked:
            stage = self._plan.stages[asked.pop()]
            names = [stage.base.base, *(one.source_image for one in stage.instructions if isinstance(one, Copy))]
            for index in (found for name in names if name and (found := self._plan.index_of(name)) is not None):
                if index not in wanted:
                    wanted.add(index)
                    asked.append(index)
        return at in wanted

    def _from(self, name: str, base: From) -> Stand:
        stage = super()._from(name, base)
        if stage.image is None:
            stage.image = Image(NOTHING, 0, 0, (), NOTHING, 0, platform=self._platform(stage))
        stage.data = dict(stage.data or {})
        return stage

    def _now_on(self, stage: Stand) -> None:
        stage.config = stage.config | {"Image": ""}

    def _end(self, stage: Stand, written: Instruction, parent: Image | None) -> None:
        step = said.BuildStep(
            self._number, self._total, written.text, written.line.start, self._outcome, None, self._why
        )
        self._steps.append(step)
        self._heard(said.StepDone(step))

    # -- steps ----------------------------------------------------------------------------------------------

    def _do(self, stage: Stand, found: Instruction) -> None:
        self._found = found
        super()._do(stage, found)

    def _refuse(self, found: Instruction) -> None:
        """BuildKit does these; imagelab does not, and says so rather than half of it."""
        names = [flag.partition("=")[0] for flag in found.line.flags]
        new = next((name for name in names if name.removeprefix("--") in NEW_FLAGS and name != "--link"), "")
        if new or found.line.heredocs:
            raise BuildError(
                f"imagelab does not do {new or 'here-documents'}",
                hint="a real BuildKit does; write it without, for example with RUN chmod, or a file to COPY",
            )

    def _metadata(self, stage: Stand, found: Instruction) -> None:
        if isinstance(found, Arg):
            for name, default in found.pairs:
                self._arguments.declare(name, default)
        self._outcome = "CONFIG"
        stage.config, comment = applied(stage.config, found, command_is_ours=stage.command_is_ours)
        stage.command_is_ours = stage.command_is_ours or isinstance(found, Cmd)
        if isinstance(found, Expose):
            comment = f"EXPOSE [{' '.join(sorted(stage.config['ExposedPorts']))}]"
        self._note(stage, comment, str((stage.data or {}).get("created") or ""), is_empty=True)

    def _note(self, stage: Stand, created_by: str, created: str, *, is_empty: bool) -> None:
        data = dict(stage.data or {})
        entry = {"created": created, "created_by": created_by, "comment": COMMENT} | (
            {"empty_layer": True} if is_empty else {}
        )
        stage.data = data | {"created": created, "history": [*(data.get("history") or []), entry]}

    def _key(self, stage: Stand, wanted: Mapping[str, Any]) -> str:
        top = stage.image.layers[-1:] if stage.image else ()
        said = [
            list(top),
            stage.image.platform if stage.image else "",
            {
                key: wanted.get(key)
                for key in COMPARED
                if key not in ("Labels", "OnBuild", "Healthcheck", "ExposedPorts")
            },
        ]
        return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def _probe(self, stage: Stand, wanted: Config) -> bool:
        chain_id, created = self._known.get(self._key(stage, wanted), ["", ""])
        layer = self._store.state().layers.get(Digest.trusted(chain_id))
        if self._options.no_cache or layer is None:
            self._why = "because of --no-cache" if self._options.no_cache else "because its input is new"
            return False
        self._heard(said.CacheUsed())
        self._outcome = "CACHED"
        self._add(stage, layer.chain_id, created)
        return True

    def _add(self, stage: Stand, chain_id: Digest, created: str) -> None:
        assert stage.image is not None and self._found is not None
        stage.image = replace(stage.image, layers=(*stage.image.layers, chain_id))
        self._note(
            stage,
            f"{self._spelled(stage)} # buildkit" if not isinstance(self._found, Workdir) else self._spelled(stage),
            created,
            is_empty=False,
        )

    def _spelled(self, stage: Stand) -> str:
        """History's text of the step at hand (R8.30)."""
        match self._found:
            case Run():
                return f"RUN {' '.join(self._saved)}"
            case Copy() as found:
                chown = f"--chown={found.chown} " if found.chown else ""
                return f"{found.keyword} {chown}{' '.join(found.sources)} {found.target}"
        return f"WORKDIR {stage.config['WorkingDir']}"

    def _run(self, stage: Stand, found: Run) -> None:
        self._saved: list[str] = self._command(stage, found)[1]
        super()._run(stage, found)

    def _changes(self, container: Container, config: Config) -> tuple[Change, ...]:
        """A volume's changes stay (R8.21)."""
        return super()._changes(container, config | {"Volumes": None})

    def _commit(
        self, stage: Stand, wanted: Config, container: Container | None, changes: tuple[Change, ...], read: Any = None
    ) -> None:
        assert stage.image is not None
        if container is not None and changes:
            workspace = self._running.workspace(container)
            changes, read = with_parents(changes, workspace.read()), workspace.files.data
        key, created = self._key(stage, wanted), rfc3339(self._context.clock())
        layer = stored_layer(
            self._store, changes, read or self._store.read_file, stage.image.layers[-1] if stage.image.layers else None
        )
        with self._store.transaction() as tx:
            tx.put_layer(layer)
        self._known[key] = [layer.chain_id, created]
        self._add(stage, layer.chain_id, created)

    def _result(self, stage: Stand) -> Image | None:
        """The one image, without a parent (R8.29)."""
        if stage.image is None or not stage.image.layers:
            return None
        data = dict(stage.data or {})
        data["history"] = _dated(data["history"])
        kept = {
            key: data[key]
            for key in ("architecture", "os", "variant", "os.version", "os.features", "created", "history")
            if data.get(key)
        }
        config = {key: value for key, value in ordered(stage.config).items() if value}
        author = {"author": stage.maintainer} if stage.maintainer else {}
        layers = self._store.state().layers
        return put_image(
            self._store,
            [layers[chain_id] for chain_id in stage.image.layers],
            {**kept, **author, "config": config},
            None,
            parse_time(data["created"]),
        )


def _dated(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What only changes the config takes no time: it has that of the layer below it, or else of the first above."""
    first = next(entry["created"] for entry in history if entry["created"])
    return [entry | {"created": entry["created"] or first} for entry in history]
