"""`echo` and `printf`, as parts of the shell and as programs; and how a shell writes a word so that it can be read back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import Process
from imagelab.runtime.shell.words import unescape
from imagelab.runtime.streams import raw

if TYPE_CHECKING:
    from imagelab.runtime.shell.interpreter import Shell


def quoted(word: str, *, always: bool = False) -> str:
    """A word in single quotes, if it needs them."""
    if not always and re.fullmatch(r"[\w@%+=:,./-]+", word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def echo_builtin(shell: Shell, words: list[str]) -> int:
    """dash's `echo` always reads escapes; bash's only after -e."""
    shell.p.out(_echo(words[1:], bash=shell.bash))
    return 0


def echo(p: Process) -> int:
    """The program: GNU's, which is like bash's."""
    p.out(_echo(p.args[1:], bash=True))
    return 0


def _echo(words: list[str], *, bash: bool) -> bytes:
    newline, escapes = True, not bash
    while words and re.fullmatch(r"-[neE]+" if bash else r"-n", words[0]):
        newline = newline and "n" not in words[0]
        escapes = [letter == "e" for letter in words[0] if letter in "eE"][-1:] == [True] or (escapes and "E" not in words[0])  # fmt: skip
        words = words[1:]
    line = " ".join(words)
    if escapes:
        line, stop = _until_c(line)
        line = unescape(line, r"0[0-7]{0,3}")
        newline = newline and not stop
    return raw(line) + (b"\n" if newline else b"")


def _until_c(text: str) -> tuple[str, bool]:
    """The text up to `\\c`, which ends everything."""
    match = re.search(r"(?<!\\)((?:\\\\)*)\\c", text)
    return (text[: match.start()] + match[1], True) if match else (text, False)


# -- printf -------------------------------------------------------------------------------------------------

WIDEST = 1 << 24
"""Characters that `printf` pads to."""
_DIRECTIVE = re.compile(r"%(?:%|([-+ #0]*)(\d*)(?:\.(\d*))?([a-zA-Z]?))")
_WHOLE, _REAL = r"[-+]?(?:0[xX][0-9a-fA-F]+|\d+)", r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


class _Printf:
    """One call: the format is used again while arguments are left."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments, self.complaints, self._stopped = arguments, list[str](), False

    def text(self, format: str) -> str:
        out = ""
        while True:
            left = len(self._arguments)
            out += self._once(format)
            if self._stopped or not self._arguments or len(self._arguments) == left:
                return out

    def _once(self, format: str) -> str:
        out, position = "", 0
        for match in _DIRECTIVE.finditer(format):
            out += self._plain(format[position : match.start()])
            position = match.end()
            if not self._stopped:
                out += "%" if match[0] == "%%" else self._directive(match)
            if self._stopped:
                return out
        return out + self._plain(format[position:])

    def _plain(self, text: str) -> str:
        text, self._stopped = _until_c(text)
        return unescape(text, r"[0-7]{1,3}")

    def _directive(self, match: re.Match[str]) -> str:
        flags, width, precision, letter = match.groups()
        if not letter or letter not in "sbcdiouxXeEfgG":
            self.complaints.append(f"{match[0]}: invalid directive")
            self._stopped = True
            return ""
        if max(int(width or 0), int(precision or 0)) > WIDEST:
            raise Errno("ENOMEM")
        argument = self._arguments.pop(0) if self._arguments else ""
        if letter in "sbc":
            text = self._word(letter, argument, None if precision is None else int(precision or 0))
            return text.ljust(int(width or 0)) if "-" in flags else text.rjust(int(width or 0))
        spec = f"%{flags}{width}" + ("" if precision is None else f".{precision}")
        if letter in "eEfgG":
            return (spec + letter) % float(self._number(argument or "0", _REAL))
        value = int(self._number(argument or "0", _WHOLE))
        value += 1 << 64 if letter in "ouxX" and value < 0 else 0
        return (spec + ("d" if letter in "iu" else letter)) % value

    def _word(self, letter: str, argument: str, precision: int | None) -> str:
        if letter == "c":
            return argument[:1]
        if letter == "b":
            argument, self._stopped = _until_c(argument)
            argument = unescape(argument, r"0?[0-7]{1,3}")
        return argument[:precision]

    def _number(self, argument: str, pattern: str) -> float:
        if argument[:1] in ("'", '"') and len(argument) > 1:
            return ord(argument[1])
        match = re.match(pattern, argument.strip())
        if match is None or match[0] != argument.strip():
            problem = "expected numeric value" if match is None else "not completely converted"
            self.complaints.append(f"{argument}: {problem}")
        if match is None or pattern == _REAL:
            return float(match[0]) if match else 0
        digits = match[0].lstrip("+-")
        base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" and not digits.strip("01234567") else 10
        return int(digits, base) * (-1 if match[0][0] == "-" else 1)


def printf_builtin(shell: Shell, words: list[str]) -> int:
    """`printf format [argument…]`"""
    rest = words[2:] if words[1:2] == ["--"] else words[1:]
    if not rest:
        return shell.complain("printf: usage: printf format [arguments]", 2)
    work = _Printf(rest[1:])
    shell.p.out(work.text(rest[0]))
    return max([shell.complain(f"printf: {complaint}") for complaint in work.complaints], default=0)


def printf(p: Process) -> int:
    """The program."""
    if len(p.args) < 2:
        return p.complain("missing operand\nTry 'printf --help' for more information.")
    work = _Printf(p.args[2:])
    p.out(work.text(p.args[1]))
    return max([p.complain(complaint) for complaint in work.complaints], default=0)
