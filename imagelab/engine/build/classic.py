"""The classic builder: run and commit, in a loop. Every instruction leaves an image.

    FROM ubuntu:14.04      image 0
    RUN make               a container on image 0, run, committed     -> image 1, whose parent is image 0
    ENV A=b                a container on image 1, never run           -> image 2: no layer, a new config
    COPY app.py /          files placed on image 2                     -> image 3: a layer
                           the last one gets the names; the others are intermediates (R8.7)

Before a step is done, the cache is asked: is there a child of the current image that this very step made (`build_cache`)?
The builder owns no files and no programs: containers are `containers`, images are `commit.store_image`, files are placed
by `build_copy`. What it has is the state of a stage, and the order of things. It tells what it does as values
(`buildlog`); what Docker would print of them is the face's business.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from imagelab.dockerfile.arguments import Arguments
from imagelab.dockerfile.config import Config, applied, environment, expanded, ordered, shell_of, words_of
from imagelab.dockerfile.instructions import (
    Arg,
    Cmd,
    Copy,
    From,
    Healthcheck,
    Instruction,
    Maintainer,
    Plan,
    Run,
    Stage,
    Workdir,
    plan,
    refused,
    trigger,
)
from imagelab.dockerfile.parser import DockerfileError, parse
from imagelab.dockerfile.words import substitute
from imagelab.engine.build import trace as said
from imagelab.engine.build.cache import Cache
from imagelab.engine.build.context import Source, read_context, without_build_files
from imagelab.engine.build.copy import Owner, Placer, Reader, Sources, equal, hash_of, owner_of
from imagelab.engine.build.request import BuildError, BuildOptions, Stand, placed
from imagelab.engine.commit import NewImage, child_config, store_image, with_parents
from imagelab.errors import ImageNotFoundError
from imagelab.layers.tree import Change, Tree, diff
from imagelab.runtime.driver import make_directory
from imagelab.runtime.filesystem import FileSystem
from imagelab.runtime.streams import BytesInput
from imagelab.state.events import Event, ProgressSink

if TYPE_CHECKING:
    from imagelab.engine.build.builds import Families
    from imagelab.state.model import Container, Image

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEEPEST = 125
"""Layers an image may have (R7.6)."""


class Builder:
    """One build. `tell` hears of everything as it happens."""

    def __init__(self, families: Families, options: BuildOptions, tell: said.Tell, progress: ProgressSink) -> None:
        self._context, self._images, self._running = families
        self._store, self._options = self._context.store, options
        self._heard, self._progress = tell, progress
        self._stages: list[Stand] = []
        self._plan = Plan((), ())
        self._containers: list[str] = []
        self._arguments = Arguments(options.arguments)
        self._sources: dict[str, Sources] = {}
        self._outcome, self._why = "RAN", ""
        self._number = self._at = 0
        self._steps: list[said.BuildStep] = []
        self._copied = False
        self._escape, self._text = "\\", ""

    def build(self, context: IO[bytes]) -> said.BuildTrace:
        """All of it; the trace. DockerfileError before anything is done, BuildError in the middle."""
        with tempfile.TemporaryFile() as place, self._store.lease():
            return self._built(read_context(context, place))

    def _built(self, source: Source) -> said.BuildTrace:
        from imagelab.oci.reference import tag_target

        names = tuple(tag_target(tag) for tag in self._options.tags)
        what = self._plan = self._planned(source)
        self._sources["."] = Sources(without_build_files(source, self._options.dockerfile))
        self._cache = Cache(
            self._store,
            is_used=not self._options.no_cache,
            sources=[self._images.resolve(name) for name in self._options.cache_from if self._is_here(name)],
        )
        self._tell_arguments(what)
        for at, stage in enumerate(what.stages):
            self._at = at
            if self._is_needed(at):
                self._build_stage(stage)
            else:
                self._stages.append(Stand(None, {}, None))
        if unused := self._arguments.unused():
            self._heard(said.Note(f"[Warning] One or more build-args [{' '.join(unused)}] were not consumed"))
        image = self._result(self._stages[-1])
        if image is None:
            raise BuildError(
                "No image was generated. Is your Dockerfile empty?",
                hint="FROM scratch alone makes nothing: COPY something",
            )
        if names:
            with self._store.transaction() as tx:
                for name in dict.fromkeys(names):
                    tx.tag(str(name), image.id, self._context.clock())
            for name in dict.fromkeys(names):
                self._context.emit(Event("image", "tag", image.id, {"name": name.familiar()}))
        shown = tuple(dict.fromkeys(name.familiar() for name in names))
        self._heard(said.Built(image.id, shown))
        return said.BuildTrace(image.id, shown, tuple(self._steps))

    def _is_needed(self, at: int) -> bool:
        """Classic builds build every stage, up to the target (R8.22)."""
        return True

    def _result(self, stage: Stand) -> Image | None:
        """The image of the last stage."""
        return stage.image

    def _is_here(self, name: str) -> bool:
        try:
            self._images.resolve(name)
        except ImageNotFoundError:
            return False
        return True

    def _planned(self, source: Source) -> Plan:
        from imagelab.layers.tar_scanner import clean

        name = clean(self._options.dockerfile)
        node = source.tree.get(name)
        if node is None or node.is_directory:
            raise DockerfileError(
                f"Cannot locate specified Dockerfile: {self._options.dockerfile}",
                hint="-f names it, inside the context",
            )
        file = parse(source.read(node), self._options.dockerfile)
        self._escape, self._text = file.escape, file.text
        what = plan(file)
        what = what.up_to(self._options.target) if self._options.target else what
        self._total = what.steps + len(self._options.labels)
        for warning in file.warnings:
            self._heard(said.Note(f"[WARNING]: {warning}"))
        return what.with_labels(self._options.labels.items())

    def _tell_arguments(self, what: Plan) -> None:
        for arg in what.arguments:
            found = expanded(arg, self._arguments.in_from(), self._escape)
            assert isinstance(found, Arg)
            self._begin(arg, found)
            for name, default in found.pairs:
                self._arguments.declare_globally(name, default)

    def _begin(self, written: Instruction, found: Instruction) -> None:
        self._number += 1
        self._outcome, self._why, self._copied = "RAN", "", False
        self._heard(said.StepBegun(self._number, self._total, written, found, stage=self._at))

    def _end(self, stage: Stand, written: Instruction, parent: Image | None) -> None:
        image = stage.image.id if stage.image else None
        self._heard(said.ImageMade(image, copied=self._copied))
        step = said.BuildStep(
            self._number,
            self._total,
            written.text,
            written.line.start,
            self._outcome,
            image,
            self._why,
            parent.id if parent else None,
        )
        self._steps.append(step)
        self._heard(said.StepDone(step))

    # -- stages ---------------------------------------------------------------------------------------------

    def _build_stage(self, plan: Stage) -> None:
        base = plan.base
        name = substitute(base.base, self._arguments.in_from(), self._escape)
        self._begin(base, replace(base, base=name))
        self._outcome = "FROM"
        with placed(base, self._text):
            if base.name and self._named(base.name, len(self._stages)) is not None:
                raise BuildError(f"{base.name} stage name already used")
            if not name:
                raise BuildError(
                    f"base name ({base.base}) should not be blank",
                    hint="an ARG above FROM without a value? --build-arg gives one",
                )
            stage = self._from(name, base)
        self._end(stage, base, None)
        self._stages.append(stage)
        for written in plan.instructions:
            parent = stage.image
            with placed(written, self._text):
                found = self._expanded(stage, written)
                self._begin(written, found)
                self._do(stage, found)
            self._end(stage, written, parent)

    def _from(self, name: str, base: From) -> Stand:
        self._cache.begin_stage()
        self._arguments.begin_stage()
        at = self._named(name, len(self._stages))
        if at is not None:
            image = self._stages[at].image
        elif name == "scratch":
            image = None
        else:
            image = self._image(name, base.platform or self._options.platform)
        data = self._store.config(image.id).data if image else self._empty()
        stage = Stand(image, ordered(data.get("config") or {}), data)
        if "PATH" not in environment(stage.config):
            stage.config["Env"] = [*(stage.config["Env"] or []), f"PATH={DEFAULT_PATH}"]
        self._now_on(stage)
        triggers = stage.config.get("OnBuild") or []
        if triggers:
            stage.config["OnBuild"] = None
            self._heard(said.TriggersFound(len(triggers)))
        for at, text in enumerate(triggers, 1):
            written = trigger(text)
            found = self._expanded(stage, written)
            self._heard(said.StepBegun(at, len(triggers), written, found, triggered=True))
            self._do(stage, found)
            self._now_on(stage)
        return stage

    def _empty(self) -> dict[str, Any]:
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

    def _now_on(self, stage: Stand) -> None:
        stage.config = stage.config | {"Image": stage.image.id if stage.image else ""}

    def _expanded(self, stage: Stand, written: Instruction) -> Instruction:
        values = environment(stage.config)
        return expanded(written, self._arguments.allowed(values) | values, self._escape)

    # -- steps ----------------------------------------------------------------------------------------------

    def _do(self, stage: Stand, found: Instruction) -> None:
        """One instruction. Its containers go when it went well, or always with --force-rm (R8.10)."""
        went_well = False
        try:
            self._refuse(found)
            match found:
                case Run():
                    self._run(stage, found)
                case Copy():
                    self._copy(stage, found)
                case Workdir():
                    self._workdir(stage, found)
                case _:
                    self._metadata(stage, found)
            went_well = True
        finally:
            if self._options.force_remove or (self._options.remove and went_well):
                self._remove_containers()
        self._now_on(stage)

    def _refuse(self, found: Instruction) -> None:
        """What this builder does not do. DockerfileError."""
        problem = refused(found)
        if problem is not None:
            raise problem

    def _remove_containers(self) -> None:
        for container_id in self._containers:
            self._running.remove(container_id, force=True)
            self._heard(said.Removed(container_id))
        self._containers = []

    def _metadata(self, stage: Stand, found: Instruction) -> None:
        old = (stage.config.get("Healthcheck") or {}).get("Test") or []
        if isinstance(found, Healthcheck) and found.health["Test"] != ["NONE"] and old and old != ["NONE"]:
            self._heard(said.Note(f"Note: overriding previous HEALTHCHECK: [{' '.join(old)}]"))
        if isinstance(found, Maintainer):
            stage.maintainer = found.value
        if isinstance(found, Arg):
            for name, default in found.pairs:
                self._arguments.declare(name, default)
        stage.config, comment = applied(stage.config, found, command_is_ours=stage.command_is_ours)
        stage.command_is_ours = stage.command_is_ours or isinstance(found, Cmd)
        wanted = stage.config | {"Cmd": [*shell_of(stage.config), "#(nop) ", comment]}
        if not self._probe(stage, wanted):
            self._commit(stage, wanted, self._container(stage, wanted), ())

    def _workdir(self, stage: Stand, found: Workdir) -> None:
        """The directory is made at once, by root (R8.8)."""
        stage.config, comment = applied(stage.config, found)
        wanted = stage.config | {"Cmd": [*shell_of(stage.config), f"#(nop) {comment}"]}
        if self._probe(stage, wanted):
            return
        container = self._container(stage, wanted)
        with self._running.workspace(container).turn() as files:
            make_directory(files, stage.config["WorkingDir"])
        self._commit(stage, wanted, container, self._changes(container, stage.config))

    def _command(self, stage: Stand, found: Run) -> tuple[list[str], list[str], dict[str, str]]:
        """A RUN's words, the same as history and cache keep them (`|1 V=2 /bin/sh -c …`, R8.9), and the arguments."""
        values = self._arguments.allowed(environment(stage.config))
        words = words_of(found, stage.config)
        counted = sorted(f"{name}={values[name]}" for name in self._arguments.counted(values))
        return words, [f"|{len(counted)}", *counted, *words] if counted else words, values

    def _run(self, stage: Stand, found: Run) -> None:
        words, saved, values = self._command(stage, found)
        wanted = stage.config | {"Cmd": saved, "Entrypoint": None}
        if self._probe(stage, wanted):
            return
        env = [*(stage.config.get("Env") or []), *(f"{name}={value}" for name, value in values.items())]
        container = self._container(
            stage, stage.config | {"Cmd": words, "Entrypoint": None, "Env": env, "Healthcheck": None}
        )
        code = self._running.run_here(container.id, BytesInput(), lambda fd, data: self._heard(said.Output(fd, data)))
        if code:
            short = container.id[:12]
            kept = (
                ""
                if self._options.force_remove
                else f"docker diff {short} shows what it did; docker rm {short} removes it"
            )
            failed = BuildError(f"The command '{' '.join(words)}' returned a non-zero code: {code}", hint=kept)
            failed.exit_code = code
            raise failed
        self._commit(stage, wanted, container, self._changes(container, stage.config))

    def _changes(self, container: Container, config: Config) -> tuple[Change, ...]:
        """What a step changed, but for what a volume swallowed (R8.21)."""
        volumes = [path.strip("/") + "/" for path in config.get("Volumes") or {}]
        found = self._running.changes(container.id)
        return tuple(
            change
            for change in found
            if not any(f"{change.path}/".startswith(volume) and f"{change.path}/" != volume for volume in volumes)
        )

    def _copy(self, stage: Stand, found: Copy) -> None:
        sources = self._source_of(found)
        if found.extracts and any(name.startswith(("http://", "https://")) for name in found.sources):
            raise BuildError(
                f"ADD failed: {found.sources[0]}: imagelab builds offline, and fetches nothing by URL",
                hint="put the file into the context",
            )
        picked = sources.pick(found)
        chown = f"--chown={found.chown} " if found.chown else ""
        comment = f"{found.keyword} {chown}{hash_of(picked)} in {found.target} "
        wanted = stage.config | {"Cmd": [*shell_of(stage.config), f"#(nop) {comment}"]}
        similar = self._cache.similar(stage.image, wanted)
        if self._probe(stage, wanted):
            return
        before = self._tree(stage.image)
        files = FileSystem(before, self._store.read_file, lambda: self._context.clock() // 1_000_000_000)
        kept = found.source_image and not found.chown
        placer = Placer(files, sources, None if kept else owner_of(found.chown, files) if found.chown else Owner())
        target = (
            found.target
            if found.target.startswith("/")
            else f"{(stage.config.get('WorkingDir') or '').rstrip('/')}/{found.target}"
        )
        placer.place(picked, target, extracts=found.extracts)
        after = files.tree()
        read = Reader(files, sources.source)
        self._copied = True
        self._commit(stage, wanted, None, with_parents(diff(before, after), after), read)
        if similar is not None and self._why == "because a file changed":
            self._why = self._changed_files(similar, after, placer.came_from, read) or self._why

    def _changed_files(self, old: Image, after: Tree, came_from: Mapping[str, str], read: Reader) -> str:
        """`because app.py changed`: this step's files beside those of the image it made the last time."""
        before = self._tree(old)
        changed = [
            source
            for place, source in sorted(came_from.items())
            if not equal(before.get(place), after[place], self._store.read_file, read)
        ]
        if not changed:
            return "because a file is gone"
        return f"because {', '.join(changed[:3])}{' and others' if len(changed) > 3 else ''} changed"

    def _source_of(self, found: Copy) -> Sources:
        if not found.source_image:
            return self._sources["."]
        at = self._stage_named(found.source_image)
        image = self._stages[at].image if at is not None else self._image(found.source_image, self._options.platform)
        key = " ".join(image.layers) if image else ""
        if key not in self._sources:
            self._sources[key] = Sources(Source(self._tree(image), self._store.read_file, is_context=False))
        return self._sources[key]

    def _stage_named(self, name: str) -> int | None:
        built = len(self._stages) - 1
        if name.isdigit():
            if int(name) >= built:
                raise BuildError(
                    f"invalid from flag value {name}: invalid stage index {name}",
                    hint="a stage above this one, counted from 0",
                )
            return int(name)
        return self._named(name, built)

    def _named(self, name: str, count: int) -> int | None:
        """The stage of that name, among the first `count`."""
        return next((at for at in range(count) if self._plan.stages[at].base.name == name.lower()), None)

    def _tree(self, image: Image | None) -> Tree:
        return self._store.tree(image.layers[-1]) if image and image.layers else Tree.empty()

    # -- cache and commit -----------------------------------------------------------------------------------

    def _platform(self, stage: Stand) -> str:
        if stage.image is not None:
            return stage.image.platform
        empty = self._empty()
        return "/".join(str(empty[key]) for key in ("os", "architecture", "variant") if empty.get(key))

    def _probe(self, stage: Stand, wanted: Config) -> bool:
        found = self._cache.find(stage.image, wanted, self._platform(stage), self._number)
        if found is None and self._cache.sources and self._cache.missed_at == self._number:
            found = self._cache.restored(stage.image, self._below(stage), ordered(wanted), ordered(stage.config))
        if found is None:
            self._why = self._cache.why(stage.image, wanted, self._number)
            return False
        self._heard(said.CacheUsed())
        self._outcome = "CACHED"
        stage.image, stage.data = found, None
        return True

    def _below(self, stage: Stand) -> Mapping[str, Any]:
        """The whole config of the current image."""
        if stage.data is None:
            stage.data = self._store.config(stage.image.id).data if stage.image else self._empty()
        return stage.data

    def _container(self, stage: Stand, config: Config) -> Container:
        container = self._running.create_for_build(stage.image, config)
        self._containers.append(container.id)
        self._heard(said.ContainerMade(container.id))
        return container

    def _commit(
        self, stage: Stand, wanted: Config, container: Container | None, changes: tuple[Change, ...], read: Any = None
    ) -> None:
        """The step's image: a layer if anything changed, and one more line of history (R8.7, R8.8)."""
        if container is not None and changes:
            workspace = self._running.workspace(container)
            tree = workspace.read()
            changes, read = with_parents(changes, tree), workspace.files.data
        if changes and stage.image is not None and len(stage.image.layers) >= DEEPEST:
            raise BuildError(
                "max depth exceeded", hint=f"an image has {DEEPEST} layers at most: join some RUN lines with &&"
            )
        now = self._context.clock()
        stage.data = child_config(
            self._below(stage), config=ordered(stage.config), made_with=ordered(wanted), created_by=" ".join(wanted["Cmd"]), now=now,
            is_empty=not changes, author=stage.maintainer,
            container=container.id if container else "",
        )  # fmt: skip
        stage.image = store_image(
            self._store, NewImage(stage.image, dict(stage.data), changes), read or self._store.read_file, now
        )
