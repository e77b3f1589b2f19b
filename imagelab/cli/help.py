"""The pages of `--help`, laid out as Docker lays them out (cobra's template, pflag's wrapping at 80 columns)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from imagelab.cli.command import Command
    from imagelab.cli.flags import Flag
    from imagelab.cli.verbs import Verb

WIDTH = 79


def command_page(command: Command) -> str:
    """The page of one command."""
    page = f"Usage:  {command.usage}\n\n{command.short}\n" + (f"\n{command.about}\n" if command.about else "")
    if len(command.aliases) > 1:
        page += f"\nAliases:\n  {', '.join(command.aliases)}\n"
    ours = [flag for flag in command.flags if flag.ours]
    if command.flags:
        page += f"\nOptions:\n{options([flag for flag in command.flags if not (flag.ours or flag.hidden)])}"
    if ours:
        page += f"\nimagelab's own:\n{options(ours)}"
    return page + (f"\n{command.more}\n" if command.more else "")


def group_page(group: str, about: str, verbs: Sequence[Verb]) -> str:
    """The page of `docker image` and `docker system`."""
    width = max(11, *(len(verb.canonical.split()[-1]) for verb in verbs))
    ordered = sorted(verbs, key=lambda verb: verb.canonical)
    listed = "".join(f"  {verb.canonical.split()[-1]:<{width}} {verb.short}\n" for verb in ordered)
    return (
        f"Usage:  docker {group} COMMAND\n\n{about}\n\nCommands:\n{listed}\n"
        f"Run 'docker {group} COMMAND --help' for more information on a command.\n"
    )


def overview(sections: Sequence[tuple[str, Sequence[tuple[str, str]]]], flags: Sequence[Flag]) -> str:
    """The page of `imagelab` alone."""
    page = "Usage:  imagelab [OPTIONS] COMMAND\n\nDocker images you can see: real bytes, no daemon\n"
    for title, entries in sections:
        page += f"\n{title}:\n" + "".join(f"  {name:<11} {text}\n" for name, text in entries)
    page += f"\nGlobal Options:\n{options(flags)}"
    return page + "\nRun 'imagelab COMMAND --help' for more information on a command.\n"


def options(flags: Sequence[Flag]) -> str:
    """The flags, sorted by name, descriptions aligned and wrapped."""
    lines = []
    for flag in sorted(flags, key=lambda flag: flag.name):
        lead = f"  -{flag.short}, --{flag.name}" if flag.short else f"      --{flag.name}"
        default = f" (default {flag.default})" if flag.default else ""
        lines.append((lead + ("" if flag.kind == "bool" else f" {flag.kind}"), flag.text + default))
    widest = max(len(lead) for lead, _ in lines) + 1
    return "".join(f"{lead:<{widest}}  {_wrap(text, widest + 2)}\n" for lead, text in lines)


def _wrap(text: str, indent: int) -> str:
    """pflag's wrapping: five columns of slop, so that no short word stands alone on the last line."""
    slop = 5
    room = WIDTH - indent - slop
    lines: list[str] = []
    while text:
        line, text = _line(text, room, slop)
        lines += line.split("\n")
    return ("\n" + " " * indent).join(lines)


def _line(text: str, room: int, slop: int) -> tuple[str, str]:
    if room + slop > len(text):
        return text, ""
    head = text[:room]
    space = max(head.rfind(" "), head.rfind("\t"), head.rfind("\n"))
    if space <= 0:
        return text, ""
    newline = head.rfind("\n")
    cut = newline if 0 < newline < space else space
    return text[:cut], text[cut + 1 :]
