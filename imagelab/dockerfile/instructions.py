"""What the lines of a Dockerfile mean: one value a kind of instruction, and stages, each beginning with FROM.

    ARG V=14.04          before the first FROM: for FROM lines only
    FROM ubuntu:$V AS b  a stage: a base, a name, and instructions
    RUN make             each instruction will be one image
    FROM ubuntu:$V       the next stage; the last one (or --target) is what the build is for
    COPY --from=b /out / a stage, a number or an image to copy from

Only what can be wrong without building is said here: an unknown keyword, too few words, a flag that does not exist.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from imagelab.dockerfile.parser import NAMES, Dockerfile, DockerfileError, Line, located, parse_line
from imagelab.units import parse_go_duration

_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: where it stands, and what it says. `line.original` is its text."""

    line: Line

    @property
    def text(self) -> str:
        return self.line.original.strip()


@dataclass(frozen=True, slots=True)
class From(Instruction):
    base: str = ""
    name: str = ""
    """`AS name`, in lower case; "" for none."""
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Arg(Instruction):
    pairs: tuple[tuple[str, str | None], ...] = ()
    """Name and default; None for no default."""


@dataclass(frozen=True, slots=True)
class CommandInstruction(Instruction):
    """RUN, CMD, ENTRYPOINT: words for exec, or one text for the shell."""

    words: tuple[str, ...] = ()
    is_exec: bool = False


@dataclass(frozen=True, slots=True)
class Run(CommandInstruction):
    pass


@dataclass(frozen=True, slots=True)
class Cmd(CommandInstruction):
    pass


@dataclass(frozen=True, slots=True)
class Entrypoint(CommandInstruction):
    pass


@dataclass(frozen=True, slots=True)
class PairsInstruction(Instruction):
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Env(PairsInstruction):
    pass


@dataclass(frozen=True, slots=True)
class Label(PairsInstruction):
    given: bool = False
    """From `--label`: not substituted."""


@dataclass(frozen=True, slots=True)
class WordsInstruction(Instruction):
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expose(WordsInstruction):
    pass


@dataclass(frozen=True, slots=True)
class Volume(WordsInstruction):
    pass


@dataclass(frozen=True, slots=True)
class ShellInstruction(WordsInstruction):
    pass


@dataclass(frozen=True, slots=True)
class TextInstruction(Instruction):
    value: str = ""


@dataclass(frozen=True, slots=True)
class Workdir(TextInstruction):
    pass


@dataclass(frozen=True, slots=True)
class UserInstruction(TextInstruction):
    pass


@dataclass(frozen=True, slots=True)
class StopSignal(TextInstruction):
    pass


@dataclass(frozen=True, slots=True)
class Maintainer(TextInstruction):
    pass


@dataclass(frozen=True, slots=True)
class OnBuild(TextInstruction):
    """`value` is the instruction to come, as it is written."""


@dataclass(frozen=True, slots=True)
class Healthcheck(Instruction):
    health: Mapping[str, Any] = field(default_factory=dict)
    """As in a config: Test, and Interval and so on in nanoseconds where given."""


@dataclass(frozen=True, slots=True)
class Copy(Instruction):
    """COPY, and ADD when `extracts`."""

    sources: tuple[str, ...] = ()
    target: str = ""
    chown: str = ""
    source_image: str = ""
    """`--from`."""
    extracts: bool = False

    @property
    def keyword(self) -> str:
        return "ADD" if self.extracts else "COPY"


@dataclass(frozen=True, slots=True)
class Stage:
    """A FROM, and what follows it."""

    base: From
    instructions: tuple[Instruction, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """All of a Dockerfile, understood."""

    arguments: tuple[Arg, ...]
    """Those before the first FROM."""
    stages: tuple[Stage, ...]

    @property
    def steps(self) -> int:
        """What `Step 1/n` counts to: global ARGs and FROMs are steps, too (R8.2)."""
        return len(self.arguments) + sum(1 + len(stage.instructions) for stage in self.stages)

    def up_to(self, target: str) -> BuildPlan:
        """The stages a build of `target` needs: all up to it (R8.22). DockerfileError when there is none of that name."""
        index = self.index_of(target)
        if index is None:
            known = ", ".join(stage.base.name for stage in self.stages if stage.base.name)
            raise DockerfileError(
                f'target stage "{target}" could not be found',
                hint=f"stages: {known}" if known else "no stage has a name: FROM … AS name",
            )
        return replace(self, stages=self.stages[: index + 1])

    def index_of(self, name: str) -> int | None:
        """A stage by name, or by number counted from 0."""
        for index, stage in enumerate(self.stages):
            if stage.base.name and stage.base.name == name.lower():
                return index
        return int(name) if name.isdigit() and int(name) < len(self.stages) else None

    def with_labels(self, labels: Iterable[tuple[str, str]]) -> BuildPlan:
        """`--label` adds one LABEL each to the last stage, sorted by name."""
        added = tuple(
            Label(_made(f"LABEL {key}={value}"), ((key, value),), given=True) for key, value in sorted(labels)
        )
        last = self.stages[-1]
        return replace(self, stages=(*self.stages[:-1], replace(last, instructions=(*last.instructions, *added))))


def _made(text: str) -> Line:
    return Line("LABEL", (), (), text, 0, 0)


def plan(file: Dockerfile) -> BuildPlan:
    """Lines -> stages. DockerfileError with the line."""
    arguments: list[Arg] = []
    stages: list[Stage] = []
    for line in file.lines:
        try:
            parsed = instruction(line, file.escape)
        except DockerfileError as error:
            raise located(
                f"dockerfile parse error on line {line.start}: {error}",
                file.text,
                line.start,
                line.end,
                at=_culprit(line, error),
            ) from None
        if isinstance(parsed, From):
            stages.append(Stage(parsed))
        elif not stages and isinstance(parsed, Arg):
            arguments.append(parsed)
        elif not stages:
            raise located("no build stage in current context", file.text, line.start)
        else:
            stages[-1] = replace(stages[-1], instructions=(*stages[-1].instructions, parsed))
    if not stages:
        raise DockerfileError("no build stage in current context", hint="FROM is missing")
    return BuildPlan(tuple(arguments), tuple(stages))


def _culprit(line: Line, error: DockerfileError) -> str:
    """The word an error is about, for the caret."""
    sentence = str(error)
    return next(
        (flag for flag in line.flags if flag.partition("=")[0].lstrip("-") in sentence.replace("--", "").split()), ""
    )


def instruction(line: Line, escape: str = "\\") -> Instruction:
    """One line's meaning. DockerfileError without a place."""
    if line.name not in NAMES:
        near = get_close_matches(line.name, NAMES, 1, 0.6)
        raise DockerfileError(
            f"unknown instruction: {line.keyword}" + (f" (did you mean {near[0].upper()}?)" if near else "")
        )
    flags = _checked_flags(line)
    if line.name in _ONE:
        kind = _ONE[line.name]
        return kind(line, _exactly_one(line))
    return _BY_NAME[line.name](line, flags)


_FLAGS = {"add": ("chown", "chmod", "link", "keep-git-dir", "checksum", "exclude"), "copy": ("chown", "chmod", "from", "link", "parents", "exclude"),
          "from": ("platform",), "run": ("mount", "network", "security", "device"),
          "healthcheck": ("interval", "timeout", "start-period", "start-interval", "retries")}  # fmt: skip
_SWITCHES = ("link", "keep-git-dir", "parents")
NEW_FLAGS = (
    "chmod",
    "link",
    "keep-git-dir",
    "checksum",
    "exclude",
    "parents",
    "mount",
    "network",
    "security",
    "device",
)
"""Flags that only BuildKit obeys."""


def needs_buildkit(feature: str) -> DockerfileError:
    """`the --mount option requires BuildKit. …` (R8.10)."""
    return DockerfileError(
        f"the {feature} requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled"
    )


def _checked_flags(line: Line) -> dict[str, str]:
    known, flags = _FLAGS.get(line.name, ()), dict[str, str]()
    for flag in line.flags:
        name, equals, value = flag.removeprefix("--").partition("=")
        if name not in known:
            raise DockerfileError(f"unknown flag: --{name}")
        if name in flags and name not in ("mount", "exclude"):
            raise DockerfileError(f"duplicate flag specified: {name}")
        if not equals and name not in _SWITCHES:
            raise DockerfileError(f"missing a value on flag: {name}")
        flags[name] = value
    return flags


def refused(instruction: Instruction) -> DockerfileError | None:
    """What the classic builder does not do, said when its step comes (R8.10)."""
    names = [flag.removeprefix("--").partition("=")[0] for flag in instruction.line.flags]
    new = next((name for name in names if name in NEW_FLAGS), None)
    if new is not None:
        return needs_buildkit(f"--{new} option")
    return needs_buildkit("heredoc syntax") if instruction.line.heredocs else None


def _at_least(line: Line, count: int) -> tuple[str, ...]:
    if len(line.args) < count:
        raise DockerfileError(f"{line.name.upper()} requires at least one argument")
    return line.args


def _exactly_one(line: Line) -> str:
    if len(line.args) != 1:
        raise DockerfileError(f"{line.name.upper()} requires exactly one argument")
    return line.args[0]


def _from(line: Line, flags: dict[str, str]) -> From:
    args = line.args
    if len(args) == 3 and args[1].lower() == "as":
        name = args[2].lower()
        if not _STAGE_NAME.fullmatch(name):
            raise DockerfileError(
                f'invalid name for build stage: "{args[2]}", name can\'t start with a number or contain symbols'
            )
        return From(line, args[0], name, flags.get("platform", ""))
    if len(args) != 1:
        raise DockerfileError("FROM requires either one or three arguments")
    return From(line, args[0], "", flags.get("platform", ""))


def _arg(line: Line, flags: dict[str, str]) -> Arg:
    pairs = []
    for word in _at_least(line, 1):
        name, equals, value = word.partition("=")
        if not name:
            raise DockerfileError("ARG names can not be blank")
        pairs.append((name, value if equals else None))
    return Arg(line, tuple(pairs))


def _command(kind: type[CommandInstruction]) -> Callable[[Line, dict[str, str]], CommandInstruction]:
    return lambda line, flags: kind(line, line.args, line.is_json)


def _pairs(kind: type[PairsInstruction]) -> Callable[[Line, dict[str, str]], PairsInstruction]:
    def made(line: Line, flags: dict[str, str]) -> PairsInstruction:
        args = _at_least(line, 2)
        if "" in args[::2]:
            raise DockerfileError(f"{line.name.upper()} names can not be blank")
        return kind(line, tuple(zip(args[::2], args[1::2], strict=True)))

    return made


def _words(kind: type[WordsInstruction]) -> Callable[[Line, dict[str, str]], WordsInstruction]:
    def made(line: Line, flags: dict[str, str]) -> WordsInstruction:
        words = _at_least(line, 1)
        if kind is Volume and not all(word.strip() for word in words):
            raise DockerfileError("VOLUME specified can not be an empty string")
        if kind is Expose:  # Docker sorts them
            words = tuple(sorted(words))
        if kind is ShellInstruction and not line.is_json:
            raise DockerfileError("SHELL requires the arguments to be in JSON form")
        return kind(line, words)

    return made


def _copy(line: Line, flags: dict[str, str]) -> Copy:
    if len(line.args) < 2:
        raise DockerfileError(
            f"{line.name.upper()} requires at least two arguments, but only one was provided. Destination could not be determined"
        )
    return Copy(line, line.args[:-1], line.args[-1], flags.get("chown", ""), flags.get("from", ""), line.name == "add")


def _onbuild(line: Line, flags: dict[str, str]) -> OnBuild:
    trigger = _at_least(line, 1)[0].strip().upper()
    if trigger == "ONBUILD":
        raise DockerfileError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger in ("MAINTAINER", "FROM"):
        raise DockerfileError(f"{trigger} isn't allowed as an ONBUILD trigger")
    return OnBuild(line, re.sub(r"(?i)^\s*ONBUILD\s*", "", line.original))


def _healthcheck(line: Line, flags: dict[str, str]) -> Healthcheck:
    kind, *args = _at_least(line, 1)
    kind = kind.upper()
    if kind == "NONE":
        if args:
            raise DockerfileError("HEALTHCHECK NONE takes no arguments")
        return Healthcheck(line, {"Test": ["NONE"]})
    if kind != "CMD":
        raise DockerfileError(f'Unknown type "{kind}" in HEALTHCHECK (try CMD)')
    if not args:
        raise DockerfileError("Missing command after HEALTHCHECK CMD")
    health: dict[str, Any] = {"Test": ["CMD" if line.is_json else "CMD-SHELL", *args]}
    for flag, key in (
        ("interval", "Interval"),
        ("timeout", "Timeout"),
        ("start-period", "StartPeriod"),
        ("start-interval", "StartInterval"),
    ):
        if value := _duration(flag, flags.get(flag, "")):
            health[key] = value
    if retries := flags.get("retries"):
        if not retries.lstrip("-").isdigit():
            raise DockerfileError(f"strconv.ParseInt: parsing {json.dumps(retries)}: invalid syntax")
        if int(retries) < 0:
            raise DockerfileError(f"--retries cannot be negative ({retries})")
        health |= {"Retries": int(retries)} if int(retries) else {}
    return Healthcheck(line, health)


def _duration(flag: str, text: str) -> int:
    if not text:
        return 0
    duration = parse_go_duration(text)
    if duration is None:
        raise DockerfileError(f"time: invalid duration {json.dumps(text)}")
    if duration and duration < 1_000_000:
        raise DockerfileError(f'Interval "{flag}" cannot be less than 1ms')
    return duration


_ONE: dict[str, type[TextInstruction]] = {
    "workdir": Workdir,
    "user": UserInstruction,
    "stopsignal": StopSignal,
    "maintainer": Maintainer,
}
_BY_NAME: dict[str, Callable[[Line, dict[str, str]], Instruction]] = {
    "from": _from, "arg": _arg, "run": _command(Run), "cmd": _command(Cmd), "entrypoint": _command(Entrypoint), "env": _pairs(Env),
    "label": _pairs(Label), "expose": _words(Expose), "volume": _words(Volume), "shell": _words(ShellInstruction), "copy": _copy, "add": _copy,
    "onbuild": _onbuild, "healthcheck": _healthcheck,
}  # fmt: skip


def trigger(text: str) -> Instruction:
    """What an image's ONBUILD holds. DockerfileError."""
    return instruction(parse_line(text))
