"""How a utility reads its options, as GNU's getopt does: `-rn`, `-n5`, `-n 5`, `--lines=5`, `--`, operands anywhere."""

import re
from collections.abc import Mapping

from imagelab.runtime.process import Process


class BadOption(Exception):
    """`invalid option -- 'q'`: the utility complains and ends. `str()` has the line that says where help is."""


Options = dict[str, list[str]]
"""Name -> the values given for it, "" for each time it stood there without one."""


def bad(p: Process, problem: str, usage: str = "") -> BadOption:
    """A complaint, and the line that says where help is."""
    return BadOption(f"{problem}\n{usage}Try '{p.name} --help' for more information.")


def parse(p: Process, letters: str, long: Mapping[str, str] | None = None, *, mixed: bool = True, usage: str = "", least: int = 0) -> tuple[Options, list[str]]:  # fmt: skip
    """Options and operands. A letter before `:` takes a value, before `::` only one attached to it. BadOption.

    `long` gives a long option its letter, or a name of its own with such colons: `{"include": "include:"}`.
    `mixed=False`: the first operand ends the options. `usage`: a line for those who got it wrong. `least`: the number of
    operands there must be.
    """
    takes = {key: len(colons) for key, colons in re.findall("([^:])(:*)", letters)}
    options, operands, rest = Options(), list[str](), p.args[1:]
    while rest and (mixed or not operands) and (word := rest.pop(0)) != "--":
        if word == "-" or not word.startswith("-"):
            operands.append(word)
        elif word.startswith("--"):
            given, equals, value = word[2:].partition("=")
            if (key := (long or {}).get(given, "")) == "":
                raise bad(p, f"unrecognized option '{word}'", usage)
            name = f"option '--{given}'"
            colons = key.count(":") or takes.get(key, 0)
            if equals and not colons:
                raise bad(p, f"{name} doesn't allow an argument", usage)
            if (separate := colons == 1 and not equals) and not rest:
                raise bad(p, f"{name} requires an argument", usage)
            options.setdefault(key.rstrip(":"), []).append(rest.pop(0) if separate else value)
        while word[1:] and word[0] == "-" != word[1]:
            if (key := word[1]) not in takes:
                raise bad(p, f"invalid option -- '{key}'", usage)
            if (separate := takes[key] == 1 and not word[2:]) and not rest:
                raise bad(p, f"option requires an argument -- '{key}'", usage)
            options.setdefault(key, []).append(rest.pop(0) if separate else word[2:] if takes[key] else "")
            word = "" if takes[key] else "-" + word[2:]
    operands += rest
    if len(operands) < least:
        raise bad(p, "missing operand" + (f" after '{operands[0]}'" if operands else ""))
    return options, operands
