"""The timeline's verbs: `undo`, `redo`, `steps`, `at`, `fork`, `replay`, and `gc`, which forgets."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from imagelab.cli.command import Invocation, command
from imagelab.cli.flags import Flag
from imagelab.errors import UsageError

if TYPE_CHECKING:
    from imagelab.engine.timeline import Moved
    from imagelab.lab.lab import Lab
    from imagelab.runtime.in_process import InProcess
    from imagelab.state.steps import Entry


@command("undo", "[N]", most=1)
def undo(context: Invocation) -> int:
    return _tell(context, context.lab.engine.timeline.undo(_number(context, 1)))


@command("redo", "[N]", most=1)
def redo(context: Invocation) -> int:
    return _tell(context, context.lab.engine.timeline.redo(_number(context, 1)))


@command("at", "STEP", least=1, most=1)
def at(context: Invocation) -> int:
    return _tell(context, context.lab.engine.timeline.at(_number(context, 0)))


@command(
    "fork", "DIRECTORY", Flag("at", "", "int", "The step (else the present)"),
    least=1, most=1,
)  # fmt: skip
def fork(context: Invocation) -> int:
    lab, directory = context.lab, Path(context.parsed.arguments[0])
    number = int(context.parsed.text("at")) if context.parsed.text("at") else None
    other, moved = lab.fork_with_report(directory, at=number)
    other.close()
    context.out.write(f"a copy is in {directory}; imagelab --lab {directory} … works on it\n")
    _notes(context, moved)
    return 0


@command(
    "gc", "",
    Flag("keep", "", "int", "Keep only the last steps of this branch: so many"),
)  # fmt: skip
def gc(context: Invocation) -> int:
    from imagelab.units import human_size

    keep = int(context.parsed.text("keep")) if context.parsed.text("keep") else None
    if keep is not None and keep < 0:
        raise UsageError(f"--keep {keep}: there are no fewer steps than none", hint="--keep 0 forgets them all")
    context.out.write(f"Total reclaimed space: {human_size(context.lab.engine.gc(keep), digits=4)}\n")
    return 0


@command(
    "steps", "",
    Flag("all", "a", "bool", "The steps of other branches, too"),
    Flag("format", "", "string", "'json' for a log that `imagelab replay` runs; else a table"),
    Flag("no-trunc", "", "bool", "Don't truncate output"),
)  # fmt: skip
def steps(context: Invocation) -> int:
    from imagelab.output.timeline import listing

    parsed, lab = context.parsed, context.lab
    match parsed.text("format"):
        case "json":
            for line in lab.engine.timeline.log(exact=lab.settings.clock == "class"):
                context.out.write(line + "\n")
            beginning = lab.engine.timeline.state(0)
            if beginning.images or beginning.containers:
                context.err.write(
                    "note: what was done before the first of these steps is forgotten: an empty lab cannot replay them\n"
                )
        case "" | "table":
            timeline = lab.engine.timeline
            context.out.write(listing(
                timeline.all(), timeline.steps(), timeline.position, all=parsed.on("all"), no_trunc=parsed.on("no-trunc"), era=lab.era,
                now=lab.now(),
            ))  # fmt: skip
        case other:
            raise UsageError(
                f"imagelab steps --format {other}: table or json", hint="json is one object a line, for imagelab replay"
            )
    return 0


@command(
    "replay", "LOG", least=1, most=1
)  # fmt: skip
def replay(context: Invocation) -> int:
    from imagelab.state.steps import read_log

    name = context.parsed.arguments[0]
    try:
        lines = (
            context.stdin.readlines()
            if name == "-"
            else context.host.path(name).read_text(encoding="utf-8").splitlines()
        )
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the log {name} cannot be read: {getattr(error, 'strerror', '') or 'it is not text'}"
        ) from None
    entries = read_log(lines)
    lab = context.lab
    if lab.engine.timeline.all() or lab.state.images or lab.state.containers:
        raise UsageError(
            "this lab is not empty: a log is replayed from the beginning", hint="imagelab --lab NEW-DIRECTORY replay …"
        )
    if any(entry.state for entry in entries):
        lab.by_class_clock()
    from imagelab.cli.again import done_again

    done = _confined(lab)
    with done_again(done, exact=any(entry.state for entry in entries)) as runner:
        return 0 if all(_again(context, done, runner, number, entry) for number, entry in enumerate(entries, 1)) else 1


def _confined(lab: Lab) -> Lab:
    """The same lab for lines that somebody else may have written: each has an empty folder, and nothing else of the machine.
    Containers go on as they did; a registry is asked only where the lab itself asks others than the built-in one."""
    from imagelab.lab.host_access import Scratch

    confined = type(lab)(
        lab.store,
        lab.settings,
        progress=lab.pull_progress,
        host=Scratch(Path(), processes=True, network=_asks_others(lab)),
    )
    confined.engine.containers.runner = lab.engine.containers.runner
    return confined


def _asks_others(lab: Lab) -> bool:
    return lab.settings.upstream != "classroom" or bool(lab.settings.mirrors)


def _again(context: Invocation, lab: Lab, runner: InProcess, number: int, entry: Entry) -> bool:
    """Run one entry; False when it did not end as it did, which has been said."""
    from imagelab.cli.again import again
    from imagelab.cli.main import verb_of
    from imagelab.lab.host_access import Scratch
    from imagelab.state.steps import TimelineError

    if not entry.command:
        raise TimelineError(
            f"step {number} has no command line: it was made in Python",
            hint="replay knows Docker's verbs and lab's methods",
        )
    verb = verb_of(entry.command)
    nothing = TimelineError(
        f"step {number} changes nothing in a lab: {' '.join(entry.command)}",
        hint="no log of imagelab's has such a step",
    )
    if verb is not None and not verb.recorded:
        raise nothing  # a server, another log: no step was ever one of these
    before = lab.timeline.position
    with TemporaryDirectory(prefix="imagelab-replay-") as folder:
        lab.host = Scratch(Path(folder), processes=True, network=_asks_others(lab))
        problem = again(lab, runner, entry, {})
        if lab.timeline.position == before and any(Path(folder).iterdir()):
            raise nothing  # it only wrote files
    context.out.write(f"{number}: {' '.join(entry.command)}\n")
    if problem:
        context.err.write(f"step {number} {problem}\n")
    return not problem


# -- words ----------------------------------------------------------------------------------------------------


def _number(context: Invocation, default: int) -> int:
    if not context.parsed.arguments:
        return default
    text = context.parsed.arguments[0]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise UsageError(f"{text!r} is not a number of steps", hint="imagelab steps lists them by number")
    return int(text)


def _tell(context: Invocation, moved: Moved) -> int:
    context.out.write("".join(f"undone: {step.line}\n" for step in moved.undone))
    context.out.write("".join(f"done again: {step.line}\n" for step in moved.redone))
    if not moved.undone and not moved.redone:
        context.out.write("nothing to do: the lab is there\n")
    _notes(context, moved)
    return 0


def _notes(context: Invocation, moved: Moved) -> None:
    context.err.write("".join(f"{note}\n" for note in moved.notes))
