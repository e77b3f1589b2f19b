"""How a utility reads its options, as GNU's getopt does: `-rn`, `-n5`, `-n 5`, `--lines=5`, `--`, operands anywhere."""

import re
from collections.abc import Mapping

from imagelab.runtime.process import Process

Options = dict[str, list[str]]
"""Name -> the values given for it, "" for each time it stood there without one."""


class BadOption(Exception):
    """What is wrong with a command line, in GNU's words. `helps`: a line that says where help is follows."""

    def __init__(self, problem: str, *, helps: bool = True) -> None:
        super().__init__(problem)
        self.helps = helps


def parse(p: Process, letters: str, long: Mapping[str, str] | None = None, *, mixed: bool = True) -> tuple[Options, list[str]]:  # fmt: skip
    """Options and operands. A letter before `:` takes a value, before `::` only one attached to it. BadOption.

    `long` gives a long option its letter, or a name of its own with such colons: `{"include": "include:"}`.
    `mixed=False`: the first operand ends the options.
    """
    takes = {key: len(colons) for key, colons in re.findall("([^:])(:*)", letters)}
    found, operands, rest = Options(), list[str](), p.args[1:]
    while rest and (mixed or not operands) and (word := rest.pop(0)) != "--":
        if word == "-" or not word.startswith("-"):
            operands.append(word)
        elif word.startswith("--"):
            given, equals, value = word[2:].partition("=")
            near = [name for name in long or {} if name.startswith(given)]
            near = [given] if given in near else near
            keys = {long[name] for name in near} if long else set()
            if len(keys) != 1:
                raise BadOption(f"option '{word}' is ambiguous" if near else f"unrecognized option '{word}'")
            key, name = keys.pop(), f"option '--{near[0]}'"
            colons = key.count(":") or takes.get(key, 0)
            if equals and not colons:
                raise BadOption(f"{name} doesn't allow an argument")
            _take(found, key.rstrip(":"), value, rest, f"{name} requires an argument" * (colons == 1 and not equals))
        while word[1:] and word[0] == "-" != word[1]:
            key, value, wanted = word[1], word[2:], f"option requires an argument -- '{word[1]}'"
            if key not in takes:
                raise BadOption(f"invalid option -- '{key}'")
            _take(found, key, value if takes[key] else "", rest, wanted * (takes[key] == 1 and not value))
            word = "" if takes[key] else "-" + value
    return found, operands + rest


def _take(found: Options, key: str, value: str, rest: list[str], wanted: str) -> None:
    """Keep a value, which is the next word where one is `wanted` (that is what to say if there is none)."""
    if wanted and not rest:
        raise BadOption(wanted)
    found.setdefault(key, []).append(rest.pop(0) if wanted else value)
