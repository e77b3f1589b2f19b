"""The panels on the command line: what a notebook shows in colour, as the text beside it."""

from __future__ import annotations

from imagelab.cli.command import Invocation, command
from imagelab.cli.flags import Flag
from imagelab.errors import UsageError


@command(
    "explore", "IMAGE [IMAGE]",
    Flag("recover", "", "string", "Print a file that a later layer hides"), least=1, most=2,
    about="With two images: the layers they share, and the files that differ.",
)  # fmt: skip
def explore(context: Invocation) -> int:
    names, path, lab = context.parsed.arguments, context.parsed.text("recover"), context.lab
    if len(names) == 2:
        if path:
            raise UsageError("--recover is for one image", hint="imagelab explore IMAGE --recover /path")
        context.show_panel(lab.compare(*names))
    elif path:
        from imagelab.output.streams import output_to

        output_to(context.out, context.err)(1, lab.explore(names[0]).recover(path))
    else:
        context.show_panel(lab.explore(names[0]))
    return 0


@command("sizes", "")
def sizes(context: Invocation) -> int:
    found = context.lab.sizes()
    context.show_panel(found)
    return 1 if found.difference else 0


@command(
    "avalanche", "IMAGE [PATH]", least=1, most=2,
)  # fmt: skip
def avalanche(context: Invocation) -> int:
    context.show_panel(context.lab.avalanche(*context.parsed.arguments))
    return 0


@command("tape", "")
def tape(context: Invocation) -> int:
    context.show_panel(context.lab.tape())
    return 0


@command(
    "causes", "CONTAINER", least=1, most=1,
)  # fmt: skip
def causes(context: Invocation) -> int:
    context.show_panel(context.lab.causes(context.parsed.arguments[0]))
    return 0
