"""One command line, from words to an exit code. The terminal, the `docker` on PATH, `%docker` and `Lab.docker` all end here.

`run` never exits and never prints but where it is told to; an error is one sentence on `stderr` (what was asked, what
was found), a second line with what to try, and Docker's exit code.
"""

from __future__ import annotations

import gc
import os
import sys

from imagelab.cli import help
from imagelab.cli.command import GLOBAL_FLAGS, Command, Invocation, command_of
from imagelab.cli.flags import CommandLineError, Parsed, check_count, parse
from imagelab.cli.verbs import GROUPS, OUT_OF_SCOPE, VERBS, of_group, sections
from imagelab.errors import ImageLabError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from imagelab.lab.lab import Lab
    from imagelab.state.events import ProgressSink


def run(
    argv: Sequence[str], *, stdin: TextIO, stdout: TextIO, stderr: TextIO, environ: Mapping[str, str],
    lab: Lab | None = None, progress: ProgressSink | None = None, given: Mapping[str, bytes] | None = None,
) -> int:  # fmt: skip
    """Run one line (without the program's name) and return its exit code.

    `lab`: work on this one, instead of the one that flags and environment name. `progress`: who is told of a pull.
    `given`: what the line read from outside when it was run before, in place of files that may have changed.
    """
    context = Invocation(stdin, stdout, stderr, environ, lab, progress, given)
    code = 1
    try:
        code = _answered(argv, context)
    finally:
        context.close(code)
    return code


def verb_of(argv: Sequence[str]) -> Command | None:
    """The verb that `run` would call for this line; None when it calls none."""
    try:
        return _find(parse(argv, GLOBAL_FLAGS, interspersed=False).arguments or ["help"])[0]
    except ImageLabError:
        return None


def _answered(argv: Sequence[str], context: Invocation) -> int:
    """The exit code; an error has been said."""
    command: Command | None = None
    try:
        options = parse(argv, GLOBAL_FLAGS, interspersed=False)
        context.options = options
        if page := _page_without_command(options):
            context.out.write(page)
            return 0
        command, rest = _find(options.arguments)
        if command is None:
            group = options.arguments[0]
            context.out.write(help.group_page(group, GROUPS[group], of_group(group)))
            return 0
        return _execute(command, rest, context)
    except CommandLineError as error:
        context.err.write(f"{error}\n{_tail(command, context.options)}{_hint(error)}")
        return error.exit_code
    except ImageLabError as error:
        context.explain(error)
        return error.exit_code


def _execute(command: Command, words: Sequence[str], context: Invocation) -> int:
    context.recorded = command.recorded
    if command.of_machine and not context.host.whole:
        raise ImageLabError(f"{command.called}: this line may touch nothing of the machine", origin="client")
    if command.raw:
        context.parsed = Parsed(arguments=list(words))
        return command.call(context)
    parsed = parse(words, command.flags, interspersed=command.interspersed)
    if parsed.on("help"):
        context.out.write(help.command_page(command))
        return 0
    check_count(command.called, parsed.arguments, command.least, command.most, era=context.era)
    context.parsed = parsed
    return command.call(context)


def _page_without_command(options: Parsed) -> str:
    if options.on("version"):
        from imagelab.output.eras import ERAS
        from imagelab.output.version import VERSION

        return f"imagelab version {VERSION}, prints as Docker {', '.join(ERAS)}\n"
    if options.on("help") or not options.arguments or options.arguments == ["help"]:
        return help.overview(sections(), GLOBAL_FLAGS)
    return ""


def _find(words: Sequence[str]) -> tuple[Command | None, list[str]]:
    """The command that the words begin with, and the rest; None for a group's own page."""
    if words[0] == "help":
        words = [*words[1:], "--help"]
    first = words[0]
    if first in GROUPS:
        rest = [word for word in words[1:] if word not in ("--help", "-h")]
        if not rest:
            return None, []
        if f"{first} {rest[0]}" not in VERBS:
            if f"{first} {rest[0]}" in OUT_OF_SCOPE:
                raise _not_here(f"{first} {rest[0]}")
            raise CommandLineError(f"docker: unknown command: docker {first} {rest[0]}", hint=f"@{first}")
        return command_of(f"{first} {rest[0]}"), list(words[words.index(rest[0]) + 1 :])
    if first in VERBS:
        return command_of(first), list(words[1:])
    if first in OUT_OF_SCOPE:
        raise _not_here(first)
    raise CommandLineError(f"docker: unknown command: docker {first}", hint="@")


def _not_here(name: str) -> ImageLabError:
    error = ImageLabError(
        f"imagelab does not do `docker {name}`: {OUT_OF_SCOPE[name]}",
        origin="client",
        hint="imagelab --help lists what it does",
    )
    error.exit_code = 125 if name in ("run", "create") else 1
    return error


def _tail(command: Command | None, options: Parsed) -> str:
    """The usage lines after an error in the line itself (R6.20)."""
    if command is not None:
        return f"\nUsage:  {command.usage}\n\nRun 'docker {command.called} --help' for more information\n"
    words = options.arguments[:1]
    if words and words[0] in GROUPS:
        return f"\nUsage:  docker {words[0]}\n\nRun 'docker {words[0]} --help' for more information\n"
    usage = "" if words else "\nUsage:  docker [OPTIONS] COMMAND [ARG...]\n"
    return f"{usage}\nRun 'docker --help' for more information\n"


def _hint(error: ImageLabError) -> str:
    return f"hint: {error.hint}\n" if error.hint and not error.hint.startswith("@") else ""


def main(argv: Sequence[str] | None = None) -> int:
    """The console's entry: `imagelab …`."""
    words = list(sys.argv[1:] if argv is None else argv)
    gc.set_threshold(50_000)  # a short life with many small values: looking for cycles among them is time lost
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")
    try:
        code = run(words, stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr, environ=os.environ)
        sys.stdout.flush()
        gc.freeze()  # the program ends, and all its memory with it: nobody need look through it before
    except BrokenPipeError:  # `| head` has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - nothing more may be written at exit
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
