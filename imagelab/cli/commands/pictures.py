"""imagelab's own verbs that draw: what they print is the text twin; a notebook shows the picture beside it."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from imagelab.cli.command import Invocation, command
from imagelab.cli.flags import Flag
from imagelab.errors import UsageError

if TYPE_CHECKING:
    from imagelab.view.graph.lab_graph import LabGraph


@command(
    "graph", "",
    Flag("output", "o", "string", "Write a file instead: .svg, .dot or .txt"),
    Flag("focus", "", "string", "Only this image (or container) and its family"),
    Flag("all", "a", "bool", "Intermediate images and digest references, too"),
    Flag("images", "", "bool", "One slab for each run of layers"),
    Flag("fold", "", "int", "Show at most so many layers in a row one by one; 0 for any number", "6"),
    Flag("since", "", "int", "Mark what differs from this step of the timeline; -1 is the one before the last"),
    Flag("from", "", "string", "Draw a running engine instead: docker, or the URL of its socket (also Podman's)"),
    Flag("lang", "", "string", "Speak this language: en or zh"),
)  # fmt: skip
def graph(context: Invocation) -> int:
    from imagelab.lab.files import refused

    drawn = _drawn(context)
    output = context.parsed.text("output")
    if output:
        file = context.host.path(output)
        try:
            file.write_text(drawn.as_format(PurePath(output).suffix), encoding="utf-8", newline="\n")
        except OSError as error:
            raise refused("open", file, error) from None
        return 0
    context.show(drawn.text, {"image/svg+xml": drawn.svg})
    return 0


def _drawn(context: Invocation) -> LabGraph:
    if context.parsed.text("from"):
        return _of_an_engine(context)
    parsed, lab = context.parsed, context.lab
    since = parsed.text("since")
    return lab.graph(
        parsed.text("focus") or None, all=parsed.on("all"), images=parsed.on("images"), since=_number(since) if since else None,
        fold=_number(parsed.text("fold", "6")), lang=parsed.text("lang") or None,
    )  # fmt: skip


def _of_an_engine(context: Invocation) -> LabGraph:
    from imagelab.view.graph.docker_state import named, read
    from imagelab.view.graph.lab_graph import LabGraph
    from imagelab.view.graph.model import graph
    from imagelab.view.messages import checked_language

    parsed = context.parsed
    if parsed.text("since"):
        raise UsageError(
            "--since is for a lab: an engine remembers no steps", hint="leave one of --from and --since out"
        )
    lang = checked_language(parsed.text("lang") or context.environ.get("IMAGELAB_LANG") or "en")
    context.host.reach(parsed.text("from"))
    machine = read(parsed.text("from"))
    focus = parsed.text("focus")
    return LabGraph(graph(
        machine.state, focus=named(machine.state, focus) if focus else None, all=parsed.on("all"), images=parsed.on("images"),
        commands=machine.commands, fold=_number(parsed.text("fold", "6")), lang=lang,
    ))  # fmt: skip


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a number", hint="imagelab graph --help") from None
