"""`echo` and `printf`, as parts of the shell and as programs; and how a shell writes a word so that it can be read back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Process, raw
from imagelab.runtime.shell.words import unescape

if TYPE_CHECKING:
    from imagelab.runtime.shell.interpreter import Shell


def quoted(word: str, *, always: bool = False, bash: bool = False) -> str:
    """A word in single quotes, if it needs them."""
    if not always and word and not re.search(r"[^\w@%+=:,./-]" if bash else r"[^\w@%+=:,./!~^{}-]", word):
        return word
    if bash and not always and word and "'" not in word and "\n" not in word or not bash and "'" not in word:
        return f"'{word}'"
    if not bash:  # dash: 'it'"'"'s'
        return "'" + word.replace("'", "'\"'\"'") + "'"
    return "'" + word.replace("'", "'\\''") + "'"


def escaped(word: str) -> str:
    """A word with backslashes before what a shell would take for itself, as bash's `%q` writes it."""
    return re.sub(r"([^\w@%+=:,./-])", r"\\\1", word) if word else "''"


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


WIDEST = 1 << 24
"""Characters that `printf` pads to."""

# -- printf -------------------------------------------------------------------------------------------------

_DIRECTIVE = re.compile(r"%([-+ #0]*)(\*|\d+)?(?:\.(\*|-?\d+)?)?(?:[hljzt]*)([a-zA-Z%])?|%$")


class _Printf:
    """One call: the format is used again while arguments are left."""

    def __init__(self, arguments: list[str], *, bash: bool) -> None:
        self._arguments, self._bash = arguments, bash
        self.complaints: list[str] = []
        self._stopped = False

    def text(self, format: str) -> Iterator[str]:
        while True:
            left = len(self._arguments)
            yield from self._once(format)
            if self._stopped or not self._arguments or len(self._arguments) == left:
                return

    def _once(self, format: str) -> Iterator[str]:
        at = 0
        for match in re.finditer(r"%(?:%|[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|-?\d+)?)?[hljzt]*[a-zA-Z]?)", format):
            yield self._plain(format[at : match.start()])
            if self._stopped:
                return
            at = match.end()
            yield self._directive(match[0])
            if self._stopped:
                return
        yield self._plain(format[at:])

    def _plain(self, text: str) -> str:
        text, self._stopped = _until_c(text)
        return unescape(text, r"[0-7]{1,3}")

    def _next(self) -> str | None:
        return self._arguments.pop(0) if self._arguments else None

    def _directive(self, directive: str) -> str:
        if directive == "%%":
            return "%"
        match = _DIRECTIVE.fullmatch(directive)
        if match is None or not match[4]:
            self.complaints.append(f"{directive}: invalid directive" if not self._bash else f"`{directive[1:] or '%'}': missing format character")  # fmt: skip
            self._stopped = True
            return ""
        width = int(self._number(self._next() or "0")) if match[2] == "*" else int(match[2] or 0)
        precision = None
        if "." in directive:
            precision = int(self._number(self._next() or "0")) if match[3] == "*" else int(match[3] or 0)
        flags = match[1] + ("-" if width < 0 else "")
        if max(abs(width), precision or 0) > WIDEST:
            raise Refusal("ENOMEM")
        return self._formatted(match[4], flags, abs(width), precision, self._next())

    def _formatted(self, letter: str, flags: str, width: int, precision: int | None, argument: str | None) -> str:
        cut = f".{precision}" if precision is not None and precision >= 0 else ""
        if letter in "sbqc":
            text = argument or ""
            if letter == "b":
                text, self._stopped = _until_c(text)
                text = unescape(text, r"0?[0-7]{1,3}" if not self._bash else r"0[0-7]{0,3}|[0-7]{1,3}")
            text = escaped(text) if letter == "q" else text[:1] if letter == "c" else text
            text = text if precision is None or precision < 0 or letter == "c" else text[:precision]
            return text.ljust(width) if "-" in flags else text.rjust(width)
        spec = f"%{flags}{width or ''}{cut}"
        if letter in "diouxX":
            value = int(self._number(argument or "0"))
            if letter in "ouxX" and value < 0:
                value += 1 << 64
            if "#" in flags and letter == "o":  # C writes 017, Python 0o17
                spec, letter = spec.replace("#", ""), "o"
                return (spec.replace("%", "%") + "s") % ("0" + format(value, "o") if value else "0")
            return (spec + ("d" if letter in "iu" else letter)) % value
        if letter in "eEfFgGaA":
            return (spec + letter) % float(self._number(argument or "0", real=True))
        self.complaints.append(f"%{letter}: invalid directive" if not self._bash else f"`{letter}': invalid format character")  # fmt: skip
        self._stopped = True
        return ""

    def _number(self, argument: str, *, real: bool = False) -> float:
        if argument[:1] in "'\"" and len(argument) > 1:
            return ord(argument[1])
        text = argument.strip()
        pattern = (
            r"[-+]?(?:0[xX][0-9a-fA-F]+|\d+)" if not real else r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|inf|nan)"
        )
        match = re.match(pattern, text)
        if match is None or match[0] != text:
            kind = "invalid number" if self._bash else "expected numeric value"
            if match is not None:
                kind = "invalid number" if self._bash else "not completely converted"
            self.complaints.append(f"{argument}: {kind}")
        if match is None:
            return 0
        if real:
            return float(match[0])
        digits = match[0].lstrip("+-")
        value = int(digits, 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" and digits.strip("01234567") == "" else 10)  # fmt: skip
        return -value if match[0][0] == "-" else value


def printf_builtin(shell: Shell, words: list[str]) -> int:
    """`printf format [argument…]`; bash's `-v name` puts the text in a variable."""
    rest, variable = words[1:], ""
    if shell.bash and rest[:1] == ["-v"] and len(rest) > 1:
        variable, rest = rest[1], rest[2:]
    rest = rest[1:] if rest[:1] == ["--"] else rest
    if not rest:
        usage = (
            "printf: usage: printf [-v var] format [arguments]"
            if shell.bash
            else "printf: usage: printf format [arg ...]"
        )
        return shell.complain(usage, 2)
    work = _Printf(rest[1:], bash=shell.bash)
    text = "".join(work.text(rest[0]))
    if variable:
        shell.set(variable, raw(text).decode("utf-8", "surrogateescape"))
    else:
        shell.p.out(text)
    for complaint in work.complaints:
        shell.complain(f"printf: {complaint}")
    return int(bool(work.complaints))


def printf(p: Process) -> int:
    """The program."""
    if len(p.args) < 2:
        return p.complain("missing operand\nTry 'printf --help' for more information.")
    work = _Printf(p.args[2:], bash=True)
    p.out("".join(work.text(p.args[1])))
    for complaint in work.complaints:
        p.complain(complaint)
    return int(bool(work.complaints))
