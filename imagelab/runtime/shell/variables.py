"""Builtins that deal with variables: export, readonly, local, unset, shift, set, getopts, read, let."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TYPE_CHECKING

from imagelab.runtime.process import Process, Steps, text
from imagelab.runtime.shell.arithmetic import ArithmeticProblem, evaluate
from imagelab.runtime.shell.memory import ShellProblem
from imagelab.runtime.shell.printing import quoted

if TYPE_CHECKING:
    from imagelab.runtime.shell.interpreter import Shell

NAME = re.compile(r"[A-Za-z_]\w*")


def number(shell: Shell, words: list[str], default: int) -> int:
    if len(words) < 2:
        return default
    if not words[1].lstrip("-").isdigit() or (words[1].startswith("-") and not shell.bash):
        if shell.bash:
            shell.complain(f"{words[0]}: {words[1]}: numeric argument required")
            return 2
        raise ShellProblem(f"{words[0]}: Illegal number: {words[1]}")
    return int(words[1])


# -- variables ----------------------------------------------------------------------------------------------


def export(shell: Shell, words: list[str]) -> int:
    names = [word for word in words[1:] if word != "-p"]
    if not names:
        for name in sorted(shell.exported & shell.variables.keys()):
            shell.p.out(_listed(shell, words[0], name))
    removing = bool(names) and names[0] == "-n"
    for word in names[removing:]:
        name, equals, value = word.partition("=")
        if not NAME.fullmatch(name):
            return _bad_name(shell, words[0], word)
        if equals:
            shell.set(name, value)
        (shell.exported.discard if removing else shell.exported.add)(name)
    return 0


def _bad_name(shell: Shell, command: str, word: str) -> int:
    if shell.bash:
        return shell.complain(f"{command}: `{word}': not a valid identifier")
    raise ShellProblem(f"{command}: {word.partition('=')[0]}: bad variable name")


def _listed(shell: Shell, command: str, name: str) -> str:
    value = shell.variables[name]
    if shell.bash:
        flag = {"export": "-x", "readonly": "-r"}[command]
        return f'declare {flag} {name}="{value}"\n'
    return f"{command} {name}={quoted(value, always=True)}\n"


def readonly(shell: Shell, words: list[str]) -> int:
    names = [word for word in words[1:] if word != "-p"]
    if not names:
        for name in sorted(shell.readonly & shell.variables.keys()):
            shell.p.out(_listed(shell, words[0], name))
    for word in names:
        name, equals, value = word.partition("=")
        if not NAME.fullmatch(name):
            return _bad_name(shell, words[0], word)
        if equals:
            shell.set(name, value)
        shell.readonly.add(name)
    return 0


def local(shell: Shell, words: list[str]) -> int:
    if not shell.locals:
        if words[0] == "local":
            if not shell.bash:
                raise ShellProblem("local: not in a function")
            return shell.complain("local: can only be used in a function")
        return export(shell, ["export", *words[1:]]) if "-x" in words else _declared(shell, words[1:])
    for word in words[1:]:
        name, _, _ = word.partition("=")
        if NAME.fullmatch(name):
            shell.locals[-1].setdefault(name, shell.variables.get(name))
    return _declared(shell, words[1:], unset=shell.bash)


def _declared(shell: Shell, words: list[str], *, unset: bool = False) -> int:
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            shell.set(name, value)
        elif unset:
            shell.variables.pop(name, None)
        if "-x" in words and NAME.fullmatch(name):
            shell.exported.add(name)
    return 0


def unset(shell: Shell, words: list[str]) -> int:
    functions = words[1:2] == ["-f"]
    for name in words[1:]:
        if name in ("-f", "-v"):
            continue
        if name in shell.readonly:
            raise ShellProblem(
                f"{name}: is read only" if not shell.bash else f"unset: {name}: cannot unset: readonly variable"
            )
        if not functions:
            shell.exported.discard(name)
        if functions or (shell.bash and name not in shell.variables):
            shell.functions.pop(name, None)
        else:
            shell.variables.pop(name, None)
    return 0


def shift(shell: Shell, words: list[str]) -> int:
    count = number(shell, words, 1)
    if count > len(shell.arguments):
        if shell.bash:
            return 1
        raise ShellProblem("shift: can't shift that many")
    shell.arguments = shell.arguments[count:]
    return 0


LONG_OPTIONS = {"errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "noclobber": "C", "allexport": "a", "verbose": "v", "noexec": "n", "pipefail": "pipefail", "monitor": "m", "notify": "b", "vi": "V", "emacs": "E", "ignoreeof": "I"}  # fmt: skip


def set_(shell: Shell, words: list[str]) -> int:
    if len(words) == 1:
        for name in sorted(shell.variables):
            shell.p.out(f"{name}={quoted(shell.variables[name], always=not shell.bash, bash=shell.bash)}\n")
        return 0
    rest = words[1:]
    while rest and rest[0][0:1] in ("-", "+") and rest[0] not in ("-", "--", "+"):
        flag = rest.pop(0)
        change = shell.options.add if flag[0] == "-" else shell.options.discard
        for letter in flag[1:]:
            if letter == "o":
                name = rest.pop(0) if rest else ""
                if name and (name not in LONG_OPTIONS or (name == "pipefail" and not shell.bash)):
                    raise ShellProblem(
                        f"set: Illegal option -o {name}" if not shell.bash else f"set: {name}: invalid option name"
                    )
                if not name:
                    _show_options(shell)
                    continue
                change(LONG_OPTIONS[name])
            elif letter in "aefnuvxCmbhBE" and (shell.bash or letter not in "hBE"):
                change(letter)
            else:
                raise ShellProblem(
                    f"set: Illegal option -{letter}" if not shell.bash else f"set: -{letter}: invalid option"
                )
        if not rest:
            return 0
    if rest[:1] == ["--"] or rest[:1] in (["-"], ["+"]):
        rest = rest[1:]
    shell.arguments = rest
    return 0


def _show_options(shell: Shell) -> None:
    if not shell.bash:
        shell.p.out("Current option settings\n")
    for name, letter in sorted(LONG_OPTIONS.items()):
        shell.p.out(f"{name:<15} {'on' if letter in shell.options else 'off'}\n")


def getopts(shell: Shell, words: list[str]) -> int:
    if len(words) < 3:
        raise ShellProblem("getopts: Usage: getopts optstring var [arg...]")
    letters, name, arguments = words[1], words[2], words[3:] or shell.arguments
    index = int(shell.get("OPTIND") or 1)
    if index == 1 and shell.option_letter > 1 and len(arguments) < 1:
        shell.option_letter = 0
    word = arguments[index - 1] if index <= len(arguments) else ""
    at = shell.option_letter or 1
    if at >= len(word) or not word.startswith("-") or word == "-" or word == "--":
        shell.variables["OPTIND"] = str(index + (word == "--"))
        shell.option_letter = 0
        shell.set(name, "?")
        return 1
    letter, silent = word[at], letters.startswith(":")
    position = letters.find(letter) if letter != ":" else -1
    takes = position >= 0 and letters[position + 1 : position + 2] == ":"
    last = at + 1 >= len(word)
    shell.variables.pop("OPTARG", None)
    shell.option_letter = 0 if last or takes else at + 1
    found = letter
    if position < 0:
        found = "?"
        if silent:
            shell.variables["OPTARG"] = letter
        else:
            shell.p.err(f"Illegal option -{letter}" if not shell.bash else f"{shell.name}: illegal option -- {letter}")
    elif takes and last and index >= len(arguments):
        found = ":" if silent else "?"
        if silent:
            shell.variables["OPTARG"] = letter
        else:
            shell.p.err(
                f"No arg for -{letter} option"
                if not shell.bash
                else f"{shell.name}: option requires an argument -- {letter}"
            )
    elif takes:
        shell.variables["OPTARG"] = arguments[index] if last else word[at + 1 :]
    index += (1 if last or takes else 0) + (1 if takes and last else 0)
    shell.variables["OPTIND"] = str(index)
    shell.set(name, found)
    return 0


def read(shell: Shell, words: list[str]) -> Steps:
    rest, raw_mode, prompt, count, stop, array = words[1:], False, "", -1, b"\n", False
    while rest and re.match(r"-[rspntdaeiu]", rest[0]):
        letters = rest.pop(0)[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            raw_mode = raw_mode or letter == "r"
            array = array or letter == "a"
            if letter in "pntdiu" and (shell.bash or letter == "p"):
                value, letters = letters or (rest.pop(0) if rest else ""), ""
                prompt = value if letter == "p" else prompt
                count = int(value) if letter == "n" and value.isdigit() else count
                stop = (value[:1] or "\0").encode() if letter == "d" else stop
    if not rest and not shell.bash:
        return shell.complain("read: arg count", 2)
    names = rest or ["REPLY"]
    bad = next((name for name in names if not NAME.fullmatch(name)), None)
    if bad is not None:
        if shell.bash:
            return shell.complain(f"read: `{bad}': not a valid identifier")
        raise ShellProblem(f"read: {bad}: bad variable name")
    if prompt and 0 in shell.p.fds and shell.p.fds[0].is_terminal:
        shell.p.out(prompt, 2)
    line, ended = yield from _read_line(shell.p, raw_mode, stop, count)
    if not rest and shell.bash:
        shell.set("REPLY", text(bytes(byte for byte, _ in line)))
    else:
        for name, value in zip(names, _split(shell, line, len(names)), strict=True):
            shell.set(name, value)
    return 0 if ended else 1


Marked = list[tuple[int, bool]]
"""Bytes, and whether each was escaped."""


def _read_line(p: Process, raw_mode: bool, stop: bytes, count: int) -> Generator[float, None, tuple[Marked, bool]]:
    line: Marked = []
    while True:
        byte = yield from p.read(0, 1)
        if not byte:
            return line, False
        if byte == b"\\" and not raw_mode:
            escaped = yield from p.read(0, 1)
            if escaped and escaped != b"\n":
                line.append((escaped[0], True))
        elif byte == stop:
            return line, True
        elif byte != b"\0":
            line.append((byte[0], False))
        if len(line) == count:
            return line, True


def _split(shell: Shell, line: Marked, count: int) -> list[str]:
    """A line over `count` variables: the last takes the rest, without the blanks at its end."""
    ifs = shell.get("IFS")
    separators = set((" \t\n" if ifs is None else ifs).encode())
    blanks = separators & set(b" \t\n")

    def is_blank(item: tuple[int, bool]) -> bool:
        return not item[1] and item[0] in blanks

    def strip(items: Marked) -> Marked:
        while items and is_blank(items[0]):
            items = items[1:]
        return items

    def said(items: Marked) -> str:
        return text(bytes(byte for byte, _ in items))

    rest = strip(line)
    found: list[str] = []
    while len(found) < count - 1 and rest:
        at = next((at for at, (byte, kept) in enumerate(rest) if not kept and byte in separators), len(rest))
        found.append(said(rest[:at]))
        rest = strip(rest[at:])
        if rest and not rest[0][1] and rest[0][0] in separators - blanks:
            rest = strip(rest[1:])
    while rest and is_blank(rest[-1]):
        rest = rest[:-1]
    if rest and not rest[-1][1] and rest[-1][0] in separators - blanks:
        inner = [item for item in rest[:-1] if not item[1] and item[0] in separators - blanks]
        rest = rest if inner else rest[:-1]
    found.append(said(rest))
    return found + [""] * (count - len(found))


def let(shell: Shell, words: list[str]) -> int:
    value = 0
    for word in words[1:]:
        try:
            value = evaluate(word, lambda name: shell.get(name) or "", shell.set)
        except ArithmeticProblem as problem:
            return shell.complain(str(problem).removeprefix("arithmetic expression: "))
    return int(not value)
