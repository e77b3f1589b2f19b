"""sed: a little program that is run once for each line.

    sed -n '/error/,$ s/a\\(b*\\)/<\\1>/gp' file

Each command has an address that says for which lines it is: none, one, or two with all lines between. Two buffers go
along: the *pattern space* holds the line, the *hold space* keeps what `h` and `H` put there. At the end of the script
the pattern space is printed, unless -n was said; then comes the next line. `_Parser` makes a flat list of commands of
a script, in which blocks and branches are jumps; `_Run` carries it out, while its input arrives.
"""

import re
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field

from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import Process, Program, Steps
from imagelab.runtime.streams import Stream, raw, text
from imagelab.runtime.userland.lines import Lines
from imagelab.runtime.userland.options import Options, parse
from imagelab.runtime.userland.regex import BadPattern, compile

LONG = {"quiet": "n", "silent": "n", "expression": "e", "file": "f", "in-place": "i::", "regexp-extended": "E"}  # fmt: skip
_ADDRESS = re.compile(r"(\d+)|(\$)")
_PIECE = re.compile(r"\\(\d)|(&)|(\\n)|\\?(.)", re.S)


class SedProblem(Exception):
    """What is wrong with a script or a file; `code` is how sed ends then."""

    def __init__(self, problem: str, code: int = 1) -> None:
        super().__init__(problem)
        self.code = code


@dataclass
class Address:
    """A line, the last one, or an expression (None: the one used last)."""

    line: int = -1
    last: bool = False
    pattern: re.Pattern[str] | None = None
    is_pattern: bool = False


@dataclass
class SedCommand:
    """One command. `target` is where a jump goes; `active`: its range has begun."""

    name: str = ""
    first: Address | None = None
    second: Address | None = None
    negated: bool = False
    text: str = ""
    pattern: re.Pattern[str] | None = None
    pieces: list[tuple[str, ...]] = field(default_factory=list)
    flags: str = ""
    number: int = 1
    target: int = 0
    active: bool = False
    stream: Stream | None = None


def _with_tabs(source: str) -> str:
    """`\\t` as the character it stands for."""
    return re.sub(r"\\(t|[\s\S])", lambda match: "\t" if match[1] == "t" else match[0], source)


class _Parser:
    """Walks a script; `pieces` are the places and texts it was given in."""

    def __init__(self, p: Process, pieces: list[tuple[str, str]], *, extended: bool) -> None:
        self.p, self.pieces, self.extended = p, pieces, extended
        self.script, self.at = "\n".join(source for _, source in pieces), 0
        self.commands, self.blocks = list[SedCommand](), list[int]()

    def problem(self, message: str, at: int | None = None) -> SedProblem:
        char, pieces = self.at if at is None else at, list(self.pieces)
        while len(pieces) > 1 and char > len(pieces[0][1]):
            char -= len(pieces.pop(0)[1]) + 1
        place, source = pieces[0]
        where = f" line {source[:char].count(chr(10)) + 1}" if place.startswith("file") else f", char {char}"
        return SedProblem(f"{place}{where}: {message}")

    def taken(self, pattern: str) -> str:
        match = re.compile(f"(?:{pattern})?").match(self.script, self.at)
        self.at += len(match[0]) if match else 0
        return match[0] if match else ""

    def parse(self) -> list[SedCommand]:
        """The commands, with their jumps."""
        labels = dict[str, int]()
        while (self.taken(r"[\s;]*") or True) and self.at < len(self.script):
            command = self.command()
            if command.name == "}":
                self.commands[self.blocks.pop()].target = len(self.commands)
            elif command.name == ":":
                labels[command.text] = len(self.commands)
            elif command.name != "#":
                self.blocks += [len(self.commands)] if command.name == "{" else []
                self.commands.append(command)
        if self.blocks:
            raise self.problem("unmatched `{'", 0)
        for command in self.commands:
            if command.name in "bt":
                if command.text and command.text not in labels:
                    raise SedProblem(f"can't find label for jump to `{command.text}'", 4)
                command.target = labels.get(command.text, len(self.commands))
        return self.commands

    def command(self) -> SedCommand:
        first, second = self.address(), None
        if first and self.taken(r"\s*,\s*") and (second := self.address()) is None:
            raise self.problem("unexpected `,'", min(self.at + 1, len(self.script)))
        if first and first.line == 0:
            raise self.problem("invalid usage of line address 0", self.at + 1)
        command = SedCommand("", first, second, negated=bool(self.taken(r"\s*!")))
        if self.taken(r"\s*!"):
            raise self.problem("multiple `!'s")
        command.name = self.taken(r"\s*\S").strip()
        if not command.name:
            raise self.problem("missing command")
        self.operand(command)
        return command

    def address(self) -> Address | None:
        if match := _ADDRESS.match(self.script, self.at):
            self.at = match.end()
            return Address(int(match[1] or -1), last=bool(match[2]))
        if not (start := self.taken(r"/|\\[^\n]")):
            return None
        source = self.until(start[-1], "unterminated address regex")
        return Address(pattern=self.expression(source, self.taken("I?")), is_pattern=True)

    def until(self, delimiter: str, problem: str, *, expression: bool = True) -> str:
        """Up to the delimiter; with a backslash, or in brackets of an expression, it is a character like others."""
        out = piece = ""
        bracket = r"\[\^?\]?(?:\[([:.=])[^]]*?\1\]|[^]\n])*\]|" if expression and delimiter != "[" else ""
        while self.at < len(self.script) and (piece := self.taken(rf"\\[\s\S]|{bracket}[\s\S]")) != delimiter:
            if expression and piece in ("\n", "["):
                raise self.problem(problem, self.at if piece == "\n" else len(self.script))
            if piece == "\\" + delimiter and delimiter != "n":
                out += delimiter
            else:
                out += "\n" if piece == "\\n" and expression else piece
        if piece != delimiter or not delimiter:
            raise self.problem(problem)
        return out

    def expression(self, source: str, flags: str) -> re.Pattern[str] | None:
        if not source:
            return None
        if re.fullmatch(r"\[:\w+:\]", source):
            raise SedProblem("character class syntax is [[:space:]], not [:space:]", 4)
        try:
            return compile(_with_tabs(source), extended=self.extended, ignore_case="i" in flags.lower())
        except BadPattern as problem:
            raise self.problem(str(problem)) from None

    def operand(self, command: SedCommand) -> None:
        name = command.name
        if name in "#:}" and command.first:
            who = "comments don't accept" if name == "#" else f"{name} doesn't want"
            raise self.problem(f"{who} any addresses")
        if name == "}" and not self.blocks:
            raise self.problem("unexpected `}'")
        if name == "#":
            self.taken(r"[^\n]*")
        elif name in "aic":
            self.lines(command)
        elif name in ":bt":
            command.text = self.taken(r"\s*[^\s;]*" if name == ":" else r"[ \t]*[^\s;}]*").strip()
            if name == ":" and not command.text:
                raise self.problem('":" lacks a label')
        elif name in "rw":
            self.file(command)
        elif name == "s":
            self.substitution(command)
        elif name == "y":
            self.translation(command)
        elif name == "q":
            command.text = self.taken(r"[ \t]*\d*").strip()
        elif name not in "{}=dDgGhHlnNpPx":
            raise self.problem(f"unknown command: `{name}'")
        if name not in "#aicrw:{" and not command.stream and self.taken(r"[ \t]*[^\s;#}]"):
            raise self.problem("extra characters after command")

    def lines(self, command: SedCommand) -> None:
        """The text of a, i, c: on the same line, or after a backslash and the end of the line."""
        if not self.taken(r"[ \t]*\\[ \t]*\n|[ \t]*\\(?=[ \t]*[^\n])|[ \t]*\\\Z|[ \t]*(?=[^\s])"):
            raise self.problem("expected \\ after `a', `c' or `i'")
        source = self.taken(r"(?:\\[\s\S]|[^\\\n])*")
        command.text = re.sub(r"\\(\n|.)", r"\1", _with_tabs(source)) + "\n" if source else ""

    def file(self, command: SedCommand) -> None:
        """The file of r, of w, and of s///w, which is made at once."""
        command.text = self.taken(r"[ \t]*[^\n]*").strip()
        if not command.text:
            raise self.problem("missing filename in r/R/w/W commands")
        command.stream = None if command.name == "r" else self.p.open(command.text, "w")

    def translation(self, command: SedCommand) -> None:
        delimiter, problem = self.taken(r"[^\n\\]"), "unterminated `y' command"
        sets = [_with_tabs(self.until(delimiter, problem, expression=False)) for _ in "12"]
        sets = [re.sub(r"\\([\\n])", lambda m: "\n" if m[1] == "n" else "\\", characters) for characters in sets]
        if len(sets[0]) != len(sets[1]):
            raise self.problem("strings for `y' command are different lengths")
        command.text, command.flags = sets

    def substitution(self, command: SedCommand) -> None:
        delimiter, problem = self.taken(r"[^\n\\]"), "unterminated `s' command"
        source, template = self.until(delimiter, problem), self.until(delimiter, problem, expression=False)
        while flag := self.taken(r"[gpiI]|\d+"):
            command.number = int(flag) if flag.isdigit() else command.number
            if flag in "gp" and flag in command.flags or command.number == 0:
                raise self.problem(f"multiple `{flag}' options to `s' command" if command.number else "number option to `s' command may not be zero")  # fmt: skip
            command.flags += flag if not flag.isdigit() else ""
        if self.taken("w"):
            self.file(command)
        elif self.taken(r"[^\s;#}]"):
            raise self.problem("unknown option to `s'")
        command.pattern = self.expression(source, command.flags)
        command.pieces = _PIECE.findall(_with_tabs(template))
        highest = max((int(piece[0]) for piece in command.pieces if piece[0]), default=0)
        if command.pattern and highest > command.pattern.groups:
            raise self.problem(f"invalid reference \\{highest} on `s' command's RHS")


def _replacement(pieces: list[tuple[str, ...]], match: re.Match[str]) -> str:
    """Groups, the whole match and texts put together."""
    return "".join(
        (match[int(group)] or "") if group else match[0] if whole else "\n" if newline else char
        for group, whole, newline, char in pieces
    )


def _visible(space: str) -> str:
    """As `l` shows it: C's escapes, lines of at most seventy, `$` at the end."""
    out, width = "", 0
    escapes = {92: "\\\\", **{code: "\\" + letter for code, letter in zip(range(7, 14), "abtnvfr", strict=True)}}
    for byte in raw(space):
        shown = escapes.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}")
        out, width = (out + "\\\n", 0) if width + len(shown) > 69 else (out, width)
        out, width = out + shown, width + len(shown)
    return out + "$\n"


class _End(SedProblem):
    """The script is over: q, or no line that n or N could take."""


class _Run:
    """A script at work."""

    def __init__(self, p: Process, commands: list[SedCommand], names: list[str], options: Options) -> None:
        self.p, self.commands, self.names, self.suffix = p, commands, names, options.get("i", [None])[-1]
        self.quiet, self.separate = "n" in options, "i" in options
        self.looks_ahead = any(address and address.last for c in commands for address in (c.first, c.second))
        self.space = self.hold = self.name = ""
        self.number, self.status, self.chomped, self.substituted = 0, 0, True, False
        self.ahead, self.later = list[tuple[str, str]](), list[bytes]()
        self.edited, self.unended = bytearray(), False
        self.pattern: re.Pattern[str] | None = None
        self.source, self.more = self.inputs(), True

    def inputs(self) -> Generator[tuple[str, Lines | None], None, None]:
        """(file, its lines) as long as there are any; (file, None) when one that is edited has been read."""
        for name in self.names:
            node = self.p.find(name)
            if node is not None and node.is_directory:
                raise SedProblem(f"couldn't edit {name}: not a regular file" if self.suffix is not None else f"read error on {name}: Is a directory", 4)  # fmt: skip
            try:
                with self.p.opened(name) as slot:
                    lines, self.more = Lines(self.p, slot), True
                    while self.more:
                        yield name, lines
            except Errno as error:
                self.status = self.p.complain(f"can't read {name}: {error}", 2)
                continue
            if self.suffix is not None:
                yield name, None

    def peek(self, *, same_file: bool = False) -> Generator[float, None, bool]:
        """Is there another line?"""
        while not self.ahead or self.ahead[0][1] == "" and not same_file:
            if self.ahead:
                self.replace(self.ahead.pop(0)[0])
            if (item := next(self.source, None)) is None:
                return False
            name, lines = item
            batch = (yield from lines.batch()) if lines else [b""]
            self.more = bool(batch)
            self.ahead = [(name, text(line)) for line in batch]
        return self.ahead[0][1] != "" and (not same_file or self.ahead[0][0] == self.name)

    def take(self) -> Generator[float, None, bool]:
        """The next line into the pattern space; False when there is none."""
        self.flush()
        if not (yield from self.peek()):
            return False
        name, line = self.ahead.pop(0)
        self.number = 1 if self.separate and name != self.name else self.number + 1
        self.name, self.space, self.chomped = name, line.removesuffix("\n"), line.endswith("\n")
        self.at_end = self.looks_ahead and not (yield from self.peek(same_file=self.separate))
        return True

    def write(self, words: str | bytes, *, ended: bool = True) -> None:
        """To the output, after the newline that the last text there had not."""
        data = b"\n" * self.unended + (raw(words) if isinstance(words, str) else words)
        self.unended = not ended
        (self.p.out if self.suffix is None else self.edited.extend)(data)

    def show(self) -> None:
        self.write(self.space + "\n" * self.chomped, ended=self.chomped)

    def flush(self) -> None:
        """What a and r have left for the end of the cycle."""
        while self.later:
            self.write(self.later.pop(0))

    def replace(self, name: str) -> None:
        """-i: the file becomes what was written."""
        if self.suffix:
            old = self.p.files.read_file(self.p.user, self.p.path(name))
            self.p.files.write_file(self.p.user, self.p.path(name + self.suffix), old)
        self.p.files.write_file(self.p.user, self.p.path(name), bytes(self.edited))
        self.edited.clear()

    def all(self) -> Steps:
        """Every line; sed's exit code."""
        try:
            while (yield from self.take()):
                while (yield from self.cycle()):
                    pass  # D: again, with what is left
                yield from self.p.flush()
        except _End as end:
            self.flush()
            if self.suffix is not None:
                self.replace(self.name)
            return end.code or self.status
        return self.status

    def cycle(self) -> Generator[float, None, bool]:
        """The script once; True when it is to begin again without a new line."""
        index, self.substituted = 0, False
        while index < len(self.commands):
            command = self.commands[index]
            index += 1
            if self.selected(command) == command.negated:
                index = command.target if command.name == "{" else index
            elif command.name in "bt":
                jumps = command.name == "b" or self.substituted
                self.substituted = self.substituted and command.name == "b"
                index = command.target if jumps else index
            elif command.name in "nN":
                yield from self.next_line(command.name)
            elif command.name in "dD":
                again = command.name == "D" and "\n" in self.space
                self.space = self.space.partition("\n")[2]
                self.flush()
                return again
            elif command.name == "c":
                if command.negated or not command.second or not command.active:
                    self.write(command.text)
                return False
            else:
                self.one(command)
        if not self.quiet:
            self.show()
        return False

    def next_line(self, name: str) -> Generator[float, None, None]:
        if not (yield from self.peek()):
            if not self.quiet:
                self.show()
            raise _End("", 0)
        before = f"{self.space}\n" if name == "N" else ""
        if name == "n" and not self.quiet:
            self.show()
        yield from self.take()
        self.space = before + self.space

    def matches(self, pattern: re.Pattern[str] | None) -> re.Pattern[str]:
        """The expression, or for an empty one that used last."""
        self.pattern = pattern or self.pattern
        if self.pattern is None:
            raise SedProblem("-e expression #1, char 0: no previous regular expression")
        return self.pattern

    def meets(self, address: Address) -> bool:
        if address.is_pattern:
            return self.matches(address.pattern).search(self.space) is not None
        return self.at_end if address.last else self.number == address.line

    def selected(self, command: SedCommand) -> bool:
        first, second = command.first, command.second
        if first is None or second is None:
            return first is None or self.meets(first)
        if not command.active and not self.meets(first):
            return False
        if not command.active:
            command.active = second.is_pattern or second.last and not self.at_end or second.line > self.number
            return True
        if second.is_pattern or second.last:
            command.active = not self.meets(second)
            return True
        command.active = self.number < second.line
        return self.number <= second.line or self.meets(first)

    def one(self, command: SedCommand) -> None:
        """A command that only changes the buffers or writes."""
        match command.name:
            case "s":
                self.substitute(command)
            case "y":
                self.space = self.space.translate(str.maketrans(command.text, command.flags))
            case "p":
                self.show()
            case "l":
                self.write(_visible(self.space))
            case "w":
                self.save(command)
            case "P":
                self.write(self.space.partition("\n")[0] + "\n")
            case "=" | "i":
                self.write(f"{self.number}\n" if command.name == "=" else command.text)
            case "a":
                self.later.append(raw(command.text))
            case "r":
                node = self.p.find(command.text)
                self.later.append(b"" if node is None or node.is_directory else self.p.files.data(node))
            case "q":
                if not self.quiet:
                    self.show()
                raise _End("", int(command.text or 0))
            case name:
                space, hold = self.space, self.hold
                buffers = {"g": (hold, hold), "G": (f"{space}\n{hold}", hold), "x": (hold, space), "h": (space, space), "H": (space, f"{hold}\n{space}")}  # fmt: skip
                self.space, self.hold = buffers.get(name, (space, hold))

    def substitute(self, command: SedCommand) -> None:
        seen, end = 0, -1

        def replaced(match: re.Match[str]) -> str:
            nonlocal seen, end
            if match.start() == match.end() == end:
                return ""  # nothing right after a match is no match
            seen, end = seen + 1, match.end()
            wanted = seen == command.number or "g" in command.flags and seen > command.number
            return _replacement(command.pieces, match) if wanted else match[0]

        new = self.matches(command.pattern).sub(replaced, self.space)
        if seen >= command.number:
            self.space, self.substituted = new, True
            if "p" in command.flags:
                self.show()
            self.save(command)

    def save(self, command: SedCommand) -> None:
        """w, and s///w: the line into its file."""
        if command.stream:
            command.stream.write(raw(self.space) + b"\n")


def sed(p: Process) -> Steps:
    """`sed [-nE] [-i[suffix]] [-e script | -f file | script] [file…]`"""
    options, names = parse(p, "ne:f:i::Er", LONG)
    try:
        pieces = [(f"-e expression #{number}", script) for number, script in enumerate(options.get("e", []), 1)]
        for name in options.get("f", []):
            try:
                pieces.append((f"file {name}", text((yield from p.read_file(name))).removesuffix("\n")))
            except Errno as error:
                raise SedProblem(f"couldn't open file {name}: {error}", 4) from None
        if not pieces and not names:
            p.err("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...")
            return 1
        pieces = pieces or [("-e expression #1", names.pop(0))]
        commands = _Parser(p, pieces, extended=bool(options.keys() & {"E", "r"})).parse()
        run = _Run(p, commands, names or ["-"], options)
        with closing(run.source):
            return (yield from run.all())
    except SedProblem as problem:
        return p.complain(str(problem), problem.code)


PROGRAMS: dict[str, Program] = {"sed": sed}
