"""Builtins that deal with variables: export, readonly, local, unset, shift, set, getopts, read."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TYPE_CHECKING

from imagelab.runtime.process import Process, Steps
from imagelab.runtime.shell.memory import ShellProblem
from imagelab.runtime.shell.printing import quoted
from imagelab.runtime.streams import text

if TYPE_CHECKING:
    from imagelab.runtime.shell.interpreter import Shell

NAME = re.compile(r"[A-Za-z_]\w*")


def number(shell: Shell, words: list[str], default: int) -> int:
    """The number a builtin is given."""
    if len(words) < 2:
        return default
    if not re.fullmatch(r"-?\d{1,18}", words[1]) or (words[1].startswith("-") and not shell.bash):
        shell.misused(f"{words[0]}: Illegal number: {words[1]}")
        return 2
    return int(words[1])


def export(shell: Shell, words: list[str]) -> int:
    """`export [name[=value]…]`"""
    return _marked(shell, words[0], words[1:], shell.exported)


def readonly(shell: Shell, words: list[str]) -> int:
    """`readonly [name[=value]…]`"""
    return _marked(shell, words[0], words[1:], shell.readonly)


def _marked(shell: Shell, command: str, names: list[str], marks: set[str]) -> int:
    names = [name for name in names if name != "-p"]
    if not names:
        for name in sorted(marks & shell.variables.keys()):
            shell.p.out(f"{command} {name}={quoted(shell.variables[name], always=True)}\n")
    for word in names:
        name, equals, value = word.partition("=")
        if not NAME.fullmatch(name):
            return shell.misused(f"{command}: {name}: bad variable name")
        if equals:
            shell.set(name, value)
        marks.add(name)
    return 0


def local(shell: Shell, words: list[str]) -> int:
    """`local name[=value]…`"""
    if not shell.locals:
        return shell.misused("local: not in a function")
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if NAME.fullmatch(name):
            shell.locals[-1].setdefault(name, shell.variables.get(name))
        if equals:
            shell.set(name, value)
        elif shell.bash:
            shell.variables.pop(name, None)
    return 0


def unset(shell: Shell, words: list[str]) -> int:
    """`unset [-f | -v] name…`"""
    functions = words[1:2] == ["-f"]
    for name in words[1:]:
        if name in shell.readonly:
            raise ShellProblem(f"unset: {name}: is read only")
        if functions or (shell.bash and name not in shell.variables):
            shell.functions.pop(name, None)
        else:
            shell.exported.discard(name)
            shell.variables.pop(name, None)
    return 0


def shift(shell: Shell, words: list[str]) -> int:
    count = number(shell, words, 1)
    if count > len(shell.arguments):
        return shell.misused("shift: can't shift that many")
    shell.arguments = shell.arguments[count:]
    return 0


LONG_OPTIONS = {"errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "allexport": "a", "verbose": "v", "pipefail": "pipefail"}  # fmt: skip
LETTERS = "aefnuvxmbhBE"
"""Options of `set`; those that change nothing here are taken."""


def set_(shell: Shell, words: list[str]) -> int:
    """`set [-eux…] [-o name] [--] [argument…]`"""
    if len(words) == 1:
        for name in sorted(shell.variables):
            shell.p.out(f"{name}={quoted(shell.variables[name], always=not shell.bash)}\n")
        return 0
    rest = words[1:]
    while rest and rest[0][0:1] in ("-", "+") and rest[0] not in ("-", "--", "+"):
        flag = rest.pop(0)
        for letter in flag[1:]:
            option = LONG_OPTIONS.get(rest.pop(0) if rest else "") if letter == "o" else letter
            if option is None or option not in LETTERS and (option != "pipefail" or not shell.bash):
                raise ShellProblem(f"set: Illegal option {flag}")
            (shell.options.add if flag[0] == "-" else shell.options.discard)(option)
        if not rest:
            return 0
    shell.arguments = rest[1:] if rest[:1] in (["--"], ["-"], ["+"]) else rest
    return 0


def getopts(shell: Shell, words: list[str]) -> int:
    """`getopts letters name [argument…]`: the next option; where it stands is in OPTIND and in `shell.option_letter`."""
    if len(words) < 3:
        raise ShellProblem("getopts: Usage: getopts optstring var [arg...]")
    letters, name, arguments = words[1], words[2], words[3:] or shell.arguments
    digits = shell.get("OPTIND") or ""
    index = int(digits) if re.fullmatch("[1-9][0-9]{0,8}", digits) else 1
    word, position = "".join(arguments[index - 1 : index]), shell.option_letter or 1
    if position >= len(word) or word[0] != "-" or word == "--":
        shell.variables["OPTIND"], shell.option_letter = str(index + (word == "--")), 0
        shell.set(name, "?")
        return 1
    letter, rest, silent = word[position], word[position + 1 :], letters.startswith(":")
    known, takes = letter in letters.strip(":"), f"{letter}:" in letters.lstrip(":")
    value = rest or "".join(arguments[index : index + 1]) if takes else None
    lacking = takes and not rest and index >= len(arguments)
    shell.option_letter = position + 1 if rest and not takes else 0
    shell.variables["OPTIND"] = str(index + (not rest or takes) + (takes and not rest and not lacking))
    shell.variables.pop("OPTARG", None)
    if known and not lacking:
        shell.variables |= {"OPTARG": value} if value is not None else {}
    elif silent:
        shell.variables["OPTARG"] = letter
    else:
        shell.p.err(_option_problem(shell, letter, lacking=lacking))
    shell.set(name, letter if known and not lacking else ":" if lacking and silent else "?")
    return 0


def _option_problem(shell: Shell, letter: str, *, lacking: bool) -> str:
    if shell.bash:
        return f"{shell.name}: {'option requires an argument' if lacking else 'illegal option'} -- {letter}"
    return f"No arg for -{letter} option" if lacking else f"Illegal option -{letter}"


def read(shell: Shell, words: list[str]) -> Steps:
    """`read [-r] [-s] [-p prompt] [name…]`"""
    rest, raw_mode, prompt = words[1:], False, ""
    while rest and (match := re.fullmatch(r"-([rs]*)(p?)(.*)", rest[0])) and rest[0] != "-":
        raw_mode = raw_mode or "r" in match[1]
        if match[3] and not match[2]:
            return shell.complain(f"read: Illegal option {rest[0]}", 2)
        rest.pop(0)
        prompt = (match[3] or "".join(rest[:1])) if match[2] else prompt
        rest = rest[1:] if match[2] and not match[3] else rest
    if not rest and not shell.bash:
        return shell.complain("read: arg count", 2)
    bad = next((name for name in rest if not NAME.fullmatch(name)), None)
    if bad is not None:
        return shell.misused(f"read: {bad}: bad variable name")
    if prompt and 0 in shell.p.fds and shell.p.fds[0].is_terminal:
        shell.p.out(prompt, 2)
    line, ended = yield from _read_line(shell.p, raw_mode=raw_mode)
    if not rest:
        shell.set("REPLY", line.replace("\0", ""))
    for name, value in zip(rest, _split(shell, line, len(rest)), strict=False):
        shell.set(name, value)
    return 0 if ended else 1


def _read_line(p: Process, *, raw_mode: bool) -> Generator[float, None, tuple[str, bool]]:
    """(a line, did it end?); a NUL stands before what was escaped."""
    line = bytearray()
    while (byte := (yield from p.read(0, 1))) not in (b"", b"\n"):
        if byte == b"\\" and not raw_mode:
            escaped = yield from p.read(0, 1)
            line += b"\0" + escaped if escaped.strip(b"\n") else b""
        else:
            line += byte.strip(b"\0")
    return text(bytes(line)), byte == b"\n"


def _split(shell: Shell, line: str, count: int) -> list[str]:
    """A line over `count` variables: the last takes the rest, without the blanks at its end."""
    ifs = shell.get("IFS")
    ifs = " \t\n" if ifs is None else ifs
    blank, solid = (
        f"(?<!\0)[{re.escape(chars)}]" if chars else "(?!)"
        for chars in ("".join(set(ifs) & set(" \t\n")), "".join(set(ifs) - set(" \t\n")))
    )
    line = re.sub(rf"\A(?:{blank})+", "", line)
    separator = rf"(?:{blank})*{solid}(?:{blank})*|(?:{blank})+"
    parts = re.split(separator, line, maxsplit=count - 1) if count > 1 else [line]
    last = re.sub(rf"(?:{blank})+\Z", "", parts[-1])
    if len(re.findall(solid, last)) == 1:
        last = re.sub(rf"{solid}\Z", "", last)
    return [part.replace("\0", "") for part in [*parts[:-1], last]] + [""] * (count - len(parts))
