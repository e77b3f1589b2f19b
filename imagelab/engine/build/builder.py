"""Building, in one loop: stages, and in each of them instruction by instruction.

    Dockerfile -> a plan -> for each stage that is needed:
        FROM                      a stage begins on an image
        ENV, CMD, LABEL, …        a new config
        RUN make                  a container, run; what it changed
        COPY app.py /, WORKDIR    files placed; what that changed
    before a step is done, the store is asked whether this very step was made before

What is kept of a step, and where, is the business of a `StepStore`: an image a step (`classic`), or a layer a step
(`buildkit`). The loop owns no files and no programs: containers are `engine.containers`, files are placed by `copy_step`.
It tells what it does as values (`trace`); what Docker would print of them is a face's business.
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
    BuildPlan,
    Cmd,
    Copy,
    From,
    Instruction,
    Run,
    Stage,
    Workdir,
    plan,
    trigger,
)
from imagelab.dockerfile.parser import Dockerfile, DockerfileError, parse
from imagelab.dockerfile.words import substitute
from imagelab.engine.build import copy_step
from imagelab.engine.build.containers import StepContainers
from imagelab.engine.build.context import Source, read_context, without_build_files
from imagelab.engine.build.request import BuildError, BuildOptions, placed
from imagelab.engine.build.stages import Stages
from imagelab.engine.build.step_store import StageState, StepState, StepStore
from imagelab.engine.build.trace import (
    BuildSink,
    BuildStep,
    BuildTrace,
    Built,
    Note,
    StepBegun,
    StepDone,
    StepOutput,
    TriggersFound,
)
from imagelab.runtime.driver import make_directory
from imagelab.runtime.filesystem import FileSystem
from imagelab.runtime.streams import BytesInput
from imagelab.state.events import Event, ProgressSink

if TYPE_CHECKING:
    from imagelab.engine.build.builds import Families
    from imagelab.oci.digest import Digest
    from imagelab.oci.reference import Reference
    from imagelab.state.model import Container, Image

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Builder:
    """One build. `emit` is told of everything as it happens."""

    def __init__(
        self,
        families: Families,
        options: BuildOptions,
        steps: StepStore,
        containers: StepContainers,
        emit: BuildSink,
        progress: ProgressSink,
    ) -> None:
        self._context, _, self._running = families
        self._options, self._store = options, families.context.store
        self._steps, self._containers, self._emit = steps, containers, emit
        self._stages = Stages(families, options, progress)
        self._arguments = Arguments(options.arguments)
        self._file = Dockerfile((), "")
        self._number = self._total = self._at = 0
        self._done: list[BuildStep] = []

    def build(self, context: IO[bytes]) -> BuildTrace:
        """All of it; the trace. DockerfileError before anything is done, BuildError in the middle."""
        with tempfile.TemporaryFile() as place, self._store.lease():
            try:
                return self._built(read_context(context, place))
            finally:
                self._steps.close(self._stages.built)

    def _built(self, source: Source) -> BuildTrace:
        from imagelab.oci.reference import tag_target

        names = tuple(dict.fromkeys(tag_target(tag) for tag in self._options.tags))
        todo = self._planned(source)
        self._stages.begin(todo, without_build_files(source, self._options.dockerfile))
        self._steps.begin(self._stages.images(self._options.cache_from))
        self._declare_global_arguments(todo)
        self._build_stages(todo)
        if unused := self._arguments.unused():
            self._emit(Note(f"[Warning] One or more build-args [{' '.join(unused)}] were not consumed"))
        image = self._result()
        self._tag(image.id, names)
        shown = tuple(dict.fromkeys(name.familiar() for name in names))
        self._emit(Built(image.id, shown))
        return BuildTrace(image.id, shown, tuple(self._done))

    def _planned(self, source: Source) -> BuildPlan:
        self._file = self._dockerfile(source)
        todo = plan(self._file)
        todo = todo.up_to(self._options.target) if self._options.target else todo
        self._total = todo.steps + len(self._options.labels)
        for warning in self._file.warnings:
            self._emit(Note(f"[WARNING]: {warning}"))
        return todo.with_labels(self._options.labels.items())

    def _dockerfile(self, source: Source) -> Dockerfile:
        from imagelab.layers.tar_scanner import clean

        node = source.tree.get(clean(self._options.dockerfile))
        if node is None or node.is_directory:
            raise DockerfileError(
                f"Cannot locate specified Dockerfile: {self._options.dockerfile}",
                hint="-f names it, inside the context",
            )
        return parse(source.read(node), self._options.dockerfile)

    def _declare_global_arguments(self, todo: BuildPlan) -> None:
        for arg in todo.arguments:
            argument = expanded(arg, self._arguments.in_from(), self._file.escape)
            assert isinstance(argument, Arg)
            self._begin(arg, argument)
            for name, default in argument.pairs:
                self._arguments.declare_globally(name, default)

    def _result(self) -> Image:
        image = self._steps.result(self._stages.built[-1])
        if image is None:
            raise BuildError(
                "No image was generated. Is your Dockerfile empty?",
                hint="FROM scratch alone makes nothing: COPY something",
            )
        return image

    def _tag(self, image_id: Digest, names: tuple[Reference, ...]) -> None:
        if not names:
            return
        with self._store.transaction() as tx:
            for name in names:
                tx.tag(str(name), image_id, self._context.clock())
        for name in names:
            self._context.emit(Event("image", "tag", image_id, {"name": name.familiar()}))

    # -- stages ---------------------------------------------------------------------------------------------

    def _build_stages(self, todo: BuildPlan) -> None:
        needed = self._steps.needed_stages(todo)
        for self._at, stage in enumerate(todo.stages):
            if self._at in needed:
                self._build_stage(stage)
            else:
                self._stages.built.append(StageState(None, {}, None))

    def _build_stage(self, todo: Stage) -> None:
        stage = self._begin_stage(todo.base)
        self._stages.built.append(stage)
        for written in todo.instructions:
            parent = self._steps.image_id(stage)
            with placed(written, self._file.text):
                step = self._begin(written, self._expanded(stage, written))
                self._do(stage, step)
            self._end(stage, step, parent)

    def _begin_stage(self, base: From) -> StageState:
        name = substitute(base.base, self._arguments.in_from(), self._file.escape)
        step = self._begin(base, replace(base, base=name))
        step.outcome = "FROM"
        with placed(base, self._file.text):
            self._stages.check_from(base, name)
            self._arguments.begin_stage()
            stage = self._stage_on(*self._stages.base(name, base.platform))
            self._run_triggers(stage, step)
        self._end(stage, step, None)
        return stage

    def _stage_on(self, image: Image | None, data: dict[str, Any]) -> StageState:
        config = ordered(data.get("config") or {})
        if "PATH" not in environment(config):
            config["Env"] = [*(config["Env"] or []), f"PATH={DEFAULT_PATH}"]
        return self._steps.begin_stage(image, config, data)

    def _run_triggers(self, stage: StageState, step: StepState) -> None:
        """What the base image's ONBUILD asks for, as part of FROM (R8.19)."""
        triggers = stage.config.get("OnBuild") or []
        if triggers:
            stage.config["OnBuild"] = None
            self._emit(TriggersFound(len(triggers)))
        for at, text in enumerate(triggers, 1):
            written = trigger(text)
            step.found = self._expanded(stage, written)
            self._emit(StepBegun(at, len(triggers), written, step.found, triggered=True))
            self._do(stage, step)

    # -- steps ----------------------------------------------------------------------------------------------

    def _expanded(self, stage: StageState, written: Instruction) -> Instruction:
        values = environment(stage.config)
        return expanded(written, self._arguments.allowed(values) | values, self._file.escape)

    def _begin(self, written: Instruction, instruction: Instruction) -> StepState:
        self._number += 1
        self._emit(StepBegun(self._number, self._total, written, instruction, stage=self._at))
        return StepState(self._number, written, instruction)

    def _end(self, stage: StageState, step: StepState, parent: Digest | None) -> None:
        self._steps.end_step(stage, step)
        text, line, image = step.written.text, step.written.line.start, self._steps.image_id(stage)
        done = BuildStep(step.number, self._total, text, line, step.outcome, image, step.why, parent)
        self._done.append(done)
        self._emit(StepDone(done))

    def _do(self, stage: StageState, step: StepState) -> None:
        """One instruction."""
        went_well = False
        try:
            self._steps.refuse(step.found)
            match step.found:
                case Run():
                    self._run(stage, step, step.found)
                case Copy():
                    self._copy(stage, step, step.found)
                case Workdir():
                    self._make_workdir(stage, step, step.found)
                case _:
                    self._configure(stage, step)
            went_well = True
        finally:
            self._steps.end_instruction(went_well=went_well)

    def _configure(self, stage: StageState, step: StepState) -> None:
        if isinstance(step.found, Arg):
            for name, default in step.found.pairs:
                self._arguments.declare(name, default)
        config, comment = applied(stage.config, step.found, command_is_ours=stage.command_is_ours)
        stage.command_is_ours = stage.command_is_ours or isinstance(step.found, Cmd)
        self._steps.configure(stage, step, config, comment)

    def _make_workdir(self, stage: StageState, step: StepState, instruction: Workdir) -> None:
        """The directory is made at once, by root (R8.8)."""
        stage.config, comment = applied(stage.config, instruction)
        wanted = made_with(stage.config, comment)
        if self._steps.lookup(stage, step, wanted):
            return
        container = self._containers.create(stage.image, wanted)
        with self._running.workspace(container).turn() as files:
            make_directory(files, stage.config["WorkingDir"])
        self._keep(stage, step, wanted, container)

    def _keep(self, stage: StageState, step: StepState, wanted: Config, container: Container) -> None:
        result = self._containers.result(container, self._steps.volumes(stage))
        self._steps.keep(stage, step, wanted, result)

    def _run(self, stage: StageState, step: StepState, instruction: Run) -> None:
        values = self._arguments.allowed(environment(stage.config))
        words = words_of(instruction, stage.config)
        wanted = stage.config | {"Cmd": self._counted(words, values), "Entrypoint": None}
        if self._steps.lookup(stage, step, wanted):
            return
        env = [*(stage.config.get("Env") or []), *(f"{name}={value}" for name, value in values.items())]
        config = stage.config | {"Cmd": words, "Entrypoint": None, "Env": env, "Healthcheck": None}
        container = self._containers.create(stage.image, config)
        code = self._running.run_here(container.id, BytesInput(), lambda fd, data: self._emit(StepOutput(fd, data)))
        if code:
            raise self._failed(words, code, container)
        self._keep(stage, step, wanted, container)

    def _counted(self, words: list[str], values: Mapping[str, str]) -> list[str]:
        """A RUN's words as history and cache keep them: `|1 V=2 /bin/sh -c …` (R8.9)."""
        counted = sorted(f"{name}={values[name]}" for name in self._arguments.counted(values))
        return [f"|{len(counted)}", *counted, *words] if counted else words

    def _failed(self, words: list[str], code: int, container: Container) -> BuildError:
        short = container.id[:12]
        advice = f"docker diff {short} shows what it did; docker rm {short} removes it"
        return BuildError(
            f"The command '{' '.join(words)}' returned a non-zero code: {code}",
            hint="" if self._options.force_remove else advice,
            exit_code=code,
        )

    def _copy(self, stage: StageState, step: StepState, instruction: Copy) -> None:
        sources = self._stages.sources(instruction)
        copy_step.refuse_urls(instruction)
        picked = sources.pick(instruction)
        wanted = made_with(stage.config, copy_step.comment_of(instruction, picked))
        similar = self._steps.similar(stage, wanted)
        if self._steps.lookup(stage, step, wanted):
            return
        before = self._stages.tree(stage.image)
        files = FileSystem(before, self._store.read_file, lambda: self._context.clock() // 1_000_000_000)
        placed_copy = copy_step.placed_files(
            instruction, sources, picked, before, files, stage.config.get("WorkingDir") or ""
        )
        step.copied = True
        self._steps.keep(stage, step, wanted, placed_copy.result())
        if similar is not None and step.why == "because a file changed":
            step.why = copy_step.changed_files(self._stages.tree(similar), placed_copy, self._store.read_file)


def made_with(config: Config, comment: str) -> Config:
    """The config of the container of a step that runs nothing, as history and cache keep it."""
    return config | {"Cmd": [*shell_of(config), f"#(nop) {comment}"]}
