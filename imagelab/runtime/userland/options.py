"""How a utility reads its options, as GNU's getopt does: `-rn`, `-n5`, `-n 5`, `--lines=5`, `--`, and operands anywhere."""

from __future__ import annotations

from collections.abc import Mapping

from imagelab.runtime.process import Process


class BadOption(Exception):
    """`invalid option -- 'q'`: the utility complains and ends. `str()` has the line that says where help is."""


Options = dict[str, list[str]]
"""Letter -> the values given for it, one "" for each time a flag without a value was given."""


def parse(
    p: Process, letters: str, long: Mapping[str, str] | None = None, *, mixed: bool = True
) -> tuple[Options, list[str]]:
    """Options and operands of `p.args`. A letter before `:` takes a value; `long` says which letter a long option is.

    `mixed=False` ends the options at the first operand. BadOption.
    """
    found: Options = {}
    operands: list[str] = []
    rest = p.args[1:]
    while rest:
        word = rest.pop(0)
        if word == "--":
            operands += rest
            break
        if word.startswith("--"):
            _long(p, word, rest, letters, long or {}, found)
        elif word.startswith("-") and word != "-":
            _short(p, word, rest, letters, found)
        else:
            operands.append(word)
            if not mixed:
                operands += rest
                break
    return found, operands


def _long(p: Process, word: str, rest: list[str], letters: str, long: Mapping[str, str], found: Options) -> None:
    name, equals, value = word[2:].partition("=")
    if name not in long:
        near = [known for known in long if known.startswith(name)]
        if not near or len({long[known] for known in near}) > 1:
            raise _bad(p, f"unrecognized option '{word}'")
        name = near[0]
    letter = long[name]
    if f"{letter}:" in letters and not equals:
        if not rest:
            raise _bad(p, f"option '--{name}' requires an argument")
        value = rest.pop(0)
    found.setdefault(letter, []).append(value)


def _short(p: Process, word: str, rest: list[str], letters: str, found: Options) -> None:
    at = 1
    while at < len(word):
        letter = word[at]
        at += 1
        if letter not in letters or letter == ":":
            raise _bad(p, f"invalid option -- '{letter}'")
        if f"{letter}:" not in letters:
            found.setdefault(letter, []).append("")
            continue
        value, at = word[at:], len(word)
        if not value:
            if not rest:
                raise _bad(p, f"option requires an argument -- '{letter}'")
            value = rest.pop(0)
        found.setdefault(letter, []).append(value)


def _bad(p: Process, message: str) -> BadOption:
    return BadOption(f"{message}\nTry '{p.name} --help' for more information.")
