"""sed: for each line, the commands whose address it has (POSIX, with GNU's common additions).

    sed -n '/error/,$ s/a\\(b*\\)/<\\1>/gp' file

A script is a list of commands with their addresses and perhaps a block. Two buffers: the *pattern space*, which holds
the line, and the *hold space*, which keeps what `h` and `H` put there. At the end of a cycle the pattern space is
printed, unless -n was said.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, field

from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Process, Program, Steps, text
from imagelab.runtime.userland.options import parse
from imagelab.runtime.userland.regex import BadPattern, compile
from imagelab.runtime.userland.text import lines_of

LONG = {"quiet": "n", "silent": "n", "expression": "e", "file": "f", "in-place": "i", "regexp-extended": "E", "separate": "s"}


class SedProblem(Exception):
    """What is wrong with a script, where."""


@dataclass
class Address:
    """A line number, `$`, an expression, or `first~step`; `plus` of `addr,+n`."""

    number: int = 0
    last: bool = False
    pattern: re.Pattern[str] | None = None
    step: int = 0
    plus: int = -1


@dataclass
class Command:
    """One command, and where it applies."""

    name: str
    first: Address | None = None
    second: Address | None = None
    negated: bool = False
    text: str = ""
    pattern: re.Pattern[str] | None = None
    flags: str = ""
    count: int = 1
    block: list[Command] = field(default_factory=list)
    until: int = -1
    """The line a range ends with, while we are in it."""


class _Parser:
    def __init__(self, script: str, *, extended: bool) -> None:
        self._script, self._extended, self._at = script, extended, 0

    def commands(self, *, inside: bool = False) -> list[Command]:
        found: list[Command] = []
        while True:
            self._skip(" \t\n;")
            if self._at >= len(self._script):
                if inside:
                    raise SedProblem("unmatched `{'")
                return found
            if self._script[self._at] == "}":
                if not inside:
                    raise self._problem("unexpected `}'", 1)
                self._at += 1
                return found
            if self._script[self._at] == "#":
                self._line()
                continue
            found.append(self._command())

    def _problem(self, message: str, ahead: int = 0) -> SedProblem:
        return SedProblem(f"-e expression #1, char {min(self._at + ahead, len(self._script))}: {message}")

    def _skip(self, chars: str) -> None:
        while self._at < len(self._script) and self._script[self._at] in chars:
            self._at += 1

    def _line(self) -> str:
        end = self._script.find("\n", self._at)
        end = len(self._script) if end < 0 else end
        found, self._at = self._script[self._at : end], end
        return found

    def _command(self) -> Command:
        command = Command("")
        command.first = self._address()
        if command.first is not None and self._script[self._at : self._at + 1] == ",":
            self._at += 1
            self._skip(" ")
            command.second = self._address()
            if command.second is None:
                raise self._problem("unexpected `,'")
        self._skip(" \t")
        while self._script[self._at : self._at + 1] == "!":
            command.negated = True
            self._at += 1
            self._skip(" \t")
        if self._at >= len(self._script):
            raise self._problem("missing command")
        command.name = self._script[self._at]
        self._at += 1
        self._operand(command)
        return command

    def _address(self) -> Address | None:
        match = re.compile(r"(\d+)(?:~(\d+))?|\$|\+(\d+)").match(self._script, self._at)
        if match:
            self._at = match.end()
            if match[0] == "$":
                return Address(last=True)
            return Address(plus=int(match[3])) if match[3] else Address(int(match[1]), step=int(match[2] or 0))
        if self._script[self._at : self._at + 1] not in ("/", "\\") or self._at >= len(self._script):
            return None
        self._at += self._script[self._at] == "\\"
        delimiter = self._script[self._at]
        self._at += 1
        source = self._until(delimiter, "unterminated address regex")
        ignore = self._script[self._at : self._at + 1] == "I"
        self._at += ignore
        return Address(pattern=self._compiled(source, ignore))

    def _until(self, delimiter: str, problem: str) -> str:
        out = []
        while self._at < len(self._script) and self._script[self._at] != delimiter:
            char = self._script[self._at]
            if char == "[" and delimiter != "[":  # a delimiter in brackets is one of the characters
                match = re.compile(r"\[\^?\]?(?:\[:\w+:\]|[^\]])*\]").match(self._script, self._at)
                if match:
                    out.append(match[0])
                    self._at = match.end()
                    continue
            if char == "\\" and self._at + 1 < len(self._script):
                following = self._script[self._at + 1]
                out.append(following if following == delimiter else char + following)
                self._at += 2
                continue
            out.append(char)
            self._at += 1
        if self._at >= len(self._script):
            raise self._problem(problem)
        self._at += 1
        return "".join(out)

    def _compiled(self, source: str, ignore: bool = False) -> re.Pattern[str]:
        try:
            return compile(source, extended=self._extended, ignore_case=ignore)
        except BadPattern as problem:
            raise self._problem(str(problem)) from None

    def _operand(self, command: Command) -> None:
        name = command.name
        if name == "{":
            command.block = self.commands(inside=True)
        elif name == "s":
            self._substitution(command)
            self._end()
        elif name == "y":
            delimiter = self._script[self._at : self._at + 1]
            self._at += 1
            command.text = self._until(delimiter, "unterminated `y' command")
            command.flags = self._until(delimiter, "unterminated `y' command")
            if len(command.text) != len(command.flags):
                raise self._problem("strings for `y' command are different lengths")
            self._end()
        elif name in "aic":
            self._skip(" \t")
            if self._script.startswith("\\", self._at):
                self._at += 1
                self._skip(" \t")
                self._at += self._script.startswith("\n", self._at)
            if self._at >= len(self._script):
                raise self._problem("expected \\ after `a', `c' or `i'")
            lines = [self._line()]
            while lines[-1].endswith("\\"):
                self._at += 1
                lines[-1] = lines[-1][:-1]
                lines.append(self._line())
            command.text = "\n".join(lines)
        elif name in "rwbtT:":
            self._skip(" \t")
            match = re.compile(r"[^\n;}]*" if name in "btT" else r"[^\n]*").match(self._script, self._at)
            command.text = match[0].strip() if match else ""
            self._at = match.end() if match else self._at
        elif name in "dDpPnNhHgGxqQ=l":
            match = re.compile(r"[ \t]*(\d+)").match(self._script, self._at) if name in "qQ" else None
            command.text, self._at = (match[1], match.end()) if match else ("", self._at)
            self._end()
        else:
            raise self._problem(f"unknown command: `{name}'")

    def _end(self) -> None:
        self._skip(" \t")
        if self._at < len(self._script) and self._script[self._at] not in ";\n}#":
            raise self._problem("extra characters after command" if self._script[self._at - 1] not in "s" else "unknown option to `s'", 1)

    def _substitution(self, command: Command) -> None:
        delimiter = self._script[self._at : self._at + 1]
        self._at += 1
        problem = "unterminated `s' command"
        source = self._until(delimiter, problem) if delimiter not in ("", "\n", "\\") else ""
        if not delimiter:
            raise self._problem(problem)
        command.text = self._until(delimiter, problem)
        match = re.compile(r"[gpiIme0-9]*").match(self._script, self._at)
        flags = match[0] if match else ""
        self._at += len(flags)
        if self._at < len(self._script) and self._script[self._at].isalpha() and self._script[self._at] != "w":
            raise self._problem("unknown option to `s'", 1)
        number = re.sub(r"\D", "", flags)
        command.flags, command.count = flags, int(number or 1)
        command.pattern = self._compiled(source, "i" in flags.lower())


class _Quit(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Sed:
    """One run over the lines of one input."""

    def __init__(self, p: Process, commands: list[Command], options: dict[str, list[str]]) -> None:
        self.p, self.commands, self.options = p, commands, options
        self.hold, self.number = "", 0
        self.lines: list[str] = []
        self.space, self.substituted, self.no_newline = "", False, False
        self.after: list[str] = []
        self.out: list[str] = []

    def run(self, lines: list[str], *, more: bool) -> Generator[float, None, None]:
        """`more`: another input follows, so `$` is not in this one."""
        self.lines, self.more = lines, more
        while self.lines:
            self._next()
            yield 0.0
            self._cycle()
            if "i" not in self.options:
                self.p.out("".join(self.out))
                self.out.clear()

    def _next(self) -> None:
        line = self.lines.pop(0)
        self.no_newline = not line.endswith("\n")
        self.space = line.rstrip("\n")
        self.number += 1

    def _cycle(self) -> None:
        self.substituted = False
        try:
            printed = self._run(self.commands)
        except _Quit:
            self._finish("n" not in self.options)
            raise
        while printed == "D":
            printed = self._run(self.commands)
        self._finish(printed != "d" and "n" not in self.options)

    def _finish(self, show: bool) -> None:
        if show:
            self._print(self.space)
        self.out += self.after
        self.after = []

    def _print(self, line: str) -> None:
        self.out.append(line if self.no_newline and not self.lines and not self.more else line + "\n")

    def _run(self, commands: list[Command]) -> str:
        """"" when the cycle goes on to its end, `d` when nothing is to be printed, `D` to start again."""
        at = 0
        while at < len(commands):
            command = commands[at]
            at += 1
            if self._selected(command) == command.negated:
                continue
            if command.name == "{":
                result = self._run(command.block)
                if result:
                    return result
                continue
            if command.name in "btT" and self._jumps(command):
                if not command.text:
                    return ""
                label = next((n for n, c in enumerate(commands) if c.name == ":" and c.text == command.text), None)
                if label is None:
                    raise SedProblem(f"-e expression #1, char 1: can't find label for jump to `{command.text}'")
                at = label
                continue
            result = self._one(command)
            if result:
                return result
        return ""

    def _jumps(self, command: Command) -> bool:
        if command.name == "b":
            return True
        jumps = self.substituted == (command.name == "t")
        self.substituted = False
        return jumps

    def _selected(self, command: Command) -> bool:
        if command.first is None:
            return True
        if command.second is None:
            return self._is_at(command.first)
        if command.until < 0:
            if not self._is_at(command.first):
                return False
            command.until = self._end_of(command.second)
            return True
        if command.second.pattern is not None:
            if command.second.pattern.search(self.space):
                command.until = -1
            return True
        inside = self.number <= command.until
        if self.number >= command.until:
            command.until = -1
        return inside or self._is_at(command.first)

    def _end_of(self, second: Address) -> int:
        if second.pattern is not None or second.last:
            return 1 << 60
        end = self.number + second.plus if second.plus >= 0 else second.number
        return end if end > self.number else -1

    def _is_at(self, address: Address) -> bool:
        if address.last:
            return not self.lines and not self.more
        if address.pattern is not None:
            return address.pattern.search(self.space) is not None
        if address.step:
            return self.number >= address.number and (self.number - address.number) % address.step == 0
        return self.number == address.number

    def _one(self, command: Command) -> str:
        match command.name:
            case "s":
                self._substitute(command)
            case "y":
                self.space = self.space.translate(str.maketrans(command.text, command.flags))
            case "p":
                self._print(self.space)
            case "P":
                self.out.append(self.space.partition("\n")[0] + "\n")
            case "d":
                return "d"
            case "D":
                if "\n" not in self.space:
                    return "d"
                self.space = self.space.partition("\n")[2]
                return "D"
            case "n" | "N":
                return self._take_next(command.name)
            case "h" | "g" | "x":
                self.space, self.hold = {"h": (self.space, self.space), "g": (self.hold, self.hold), "x": (self.hold, self.space)}[command.name]
            case "H":
                self.hold += "\n" + self.space
            case "G":
                self.space += "\n" + self.hold
            case "=":
                self.out.append(f"{self.number}\n")
            case "a":
                self.after.append(command.text + "\n")
            case "i":
                self.out.append(command.text + "\n")
            case "c":
                if command.second is None or command.until < 0:
                    self.out.append(command.text + "\n")
                return "d"
            case "r":
                node = self.p.find(command.text)
                self.after += [text(self.p.files.data(node))] if node is not None else []
            case "q" | "Q":
                if command.name == "Q":
                    self.options["n"] = [""]
                raise _Quit(int(command.text or 0))
        return ""

    def _take_next(self, name: str) -> str:
        if not self.lines:
            return "" if name == "n" or "n" not in self.options else "d"
        if name == "n":
            self._finish("n" not in self.options)
            self._next()
        else:
            before = self.space
            self._next()
            self.space = f"{before}\n{self.space}"
        return ""

    def _substitute(self, command: Command) -> None:
        assert command.pattern is not None
        seen, end = 0, -1

        def replace(match: re.Match[str]) -> str:
            nonlocal seen, end
            if match.start() == match.end() == end:
                return ""  # nothing right after a match is no match
            seen, end = seen + 1, match.end()
            wanted = seen >= command.count if "g" in command.flags else seen == command.count
            return _replacement(command.text, match) if wanted else match[0]

        new = command.pattern.sub(replace, self.space)
        if seen >= command.count:
            self.substituted, self.space = True, new
            if "p" in command.flags:
                self._print(self.space)


def _replacement(template: str, match: re.Match[str]) -> str:
    out: list[str] = []
    change, once = "", ""
    for piece in re.findall(r"\\(?:\n|.)|&|[^\\&]+", template, re.S):
        if piece in ("\\U", "\\L", "\\E"):
            change = piece[1].replace("E", "")
            continue
        if piece in ("\\u", "\\l"):
            once = piece[1]
            continue
        if piece == "&":
            value = match[0]
        elif piece[0] == "\\" and piece[1:].isdigit():
            value = match[int(piece[1])] or ""
        else:
            value = {"\\n": "\n", "\\t": "\t"}.get(piece, piece[1:] if piece[0] == "\\" else piece)
        value = value.upper() if change == "U" else value.lower() if change == "L" else value
        if once and value:
            value = (value[0].upper() if once == "u" else value[0].lower()) + value[1:]
            once = ""
        out.append(value)
    return "".join(out)


def sed(p: Process) -> Steps:
    """`sed [-nErsi[suffix]] [-e script | -f file | script] [file…]`."""
    suffixes = [word[2:] for word in p.args[1:] if re.match(r"-i.", word)]
    p.args = [p.args[0], *("-i" if re.match(r"-i.", word) else word for word in p.args[1:])]
    options, names = parse(p, "ne:f:iErsuz", LONG)
    scripts = list(options.get("e", []))
    for name in options.get("f", []):
        scripts.append(text((yield from p.slurp(name))))
    if not scripts:
        if not names:
            p.err("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...")
            return 1
        scripts = [names.pop(0)]
    try:
        commands = _Parser("\n".join(scripts), extended=bool(options.keys() & {"E", "r"})).commands()
        return (yield from _over(p, commands, options, names, suffixes[0] if suffixes else ""))
    except SedProblem as problem:
        return p.complain(str(problem))


def _over(p: Process, commands: list[Command], options: dict[str, list[str]], names: list[str], suffix: str) -> Steps:
    work, status = _Sed(p, commands, options), 0
    inputs = []
    for name in names or ["-"]:
        try:
            inputs.append((name, [text(line) for line in lines_of((yield from p.slurp(name)))]))
        except Refusal as refusal:
            status = 2
            p.complain(f"couldn't edit {name}: not a regular file" if "i" in options and refusal.code == "EISDIR" else f"can't read {name}: {refusal}" if refusal.code != "EISDIR" else f"read error on {name}: {refusal}")
    try:
        for at, (name, lines) in enumerate(inputs):
            if "i" in options:
                original = "".join(lines)
                work.number = 0
                yield from work.run(lines, more=False)
                _replace(p, name, original, "".join(work.out), suffix)
                work.out.clear()
            else:
                if lines and not lines[-1].endswith("\n") and at + 1 < len(inputs):
                    lines[-1] += "\n"
                yield from work.run(lines, more=any(rest for _, rest in inputs[at + 1 :]) and "s" not in options)
    except _Quit as quit:
        p.out("".join(work.out))
        return quit.code
    return status


def _replace(p: Process, name: str, old: str, new: str, suffix: str) -> None:
    if suffix:
        p.files.write_file(p.user, p.path(name + suffix), old.encode("utf-8", "surrogateescape"))
    p.files.write_file(p.user, p.path(name), new.encode("utf-8", "surrogateescape"))


PROGRAMS: dict[str, Program] = {"sed": sed}
