"""Finding lines, and running a command for each: grep, xargs."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Generator, Iterator

from imagelab.runtime.execution import NotExecutable, run
from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import Process, Program, Steps
from imagelab.runtime.shell.printing import quoted
from imagelab.runtime.streams import text
from imagelab.runtime.userland.lines import Lines, lines_of
from imagelab.runtime.userland.options import BadOption, Options, bad, parse
from imagelab.runtime.userland.regex import BadPattern, compile

# -- grep ---------------------------------------------------------------------------------------------------

USAGE = "Usage: grep [OPTION]... PATTERNS [FILE]...\n"
GREP_LONG = {"ignore-case": "i", "invert-match": "v", "line-number": "n", "count": "c", "files-with-matches": "l", "only-matching": "o", "quiet": "q", "recursive": "r", "no-filename": "h", "with-filename": "H", "word-regexp": "w", "line-regexp": "x", "regexp": "e", "file": "f", "no-messages": "s", "max-count": "m", "after-context": "A", "before-context": "B", "context": "C", "extended-regexp": "E", "fixed-strings": "F", "color": "color::"}  # fmt: skip


class Search:
    """What grep was asked for."""

    def __init__(self, p: Process, options: Options, patterns: list[re.Pattern[str]]) -> None:
        self.p, self.options, self.patterns = p, options, patterns
        self.most = self._size("m", 1 << 60)
        self.before, self.after = self._size("B", self._size("C", 0)), self._size("A", self._size("C", 0))

    def _size(self, letter: str, otherwise: int) -> int:
        value = self.options.get(letter, [str(otherwise)])[-1]
        if not value.isdigit():
            raise BadOption("invalid max count" if letter == "m" else f"{value}: invalid context length argument")
        return min(int(value), 1 << 60)

    def has(self, *letters: str) -> bool:
        """Was one of these options given?"""
        return any(letter in self.options for letter in letters)

    def selects(self, line: str) -> bool:
        """Is it a line to show?"""
        return any(pattern.search(line) for pattern in self.patterns) != self.has("v")

    def parts(self, line: str) -> list[str]:
        """The parts that match, from left to right, each the longest there."""
        parts, position = list[str](), 0
        while hits := [hit for pattern in self.patterns if (hit := pattern.search(line, position))]:
            hit = min(hits, key=lambda hit: (hit.start(), -hit.end()))
            parts += [hit[0]] if hit[0] else []
            position = max(hit.end(), hit.start() + 1)
        return parts

    def one(self, name: str, slot: int, title: str) -> Steps:
        """Read a file and show what was found; 1 when something was."""
        lines, scan = Lines(self.p, slot), _Scan(self, name, title)
        while not scan.over and (batch := (yield from lines.batch())):
            scan.read(batch)
            yield from self.p.flush()
        if self.has("c"):
            self.p.out(f"{title}:{scan.hits}\n" if title else f"{scan.hits}\n")
        return int(scan.hits > 0)


class _Scan:
    """One file, being searched: how far it has come, and the lines around what was found."""

    def __init__(self, search: Search, name: str, title: str) -> None:
        self._search, self._name, self._title = search, name, title
        self._number = self._left = self._shown = self.hits = 0
        self._past: deque[tuple[int, str]] = deque(maxlen=search.before)
        self._binary = False
        self.over = search.most == 0

    def read(self, batch: list[bytes]) -> None:
        self._binary = self._binary or any(b"\0" in line for line in batch)
        for line in batch:
            if not self.over:
                self._line(text(line.removesuffix(b"\n")))

    def _line(self, line: str) -> None:
        self._number += 1
        if self.hits < self._search.most and self._search.selects(line):
            self._hit(line)
        elif self._left:
            self._left -= 1
            self._show([(self._number, line)], hit=0)
        else:
            self._past.append((self._number, line))
        self.over = self.over or self.hits >= self._search.most and not self._left

    def _hit(self, line: str) -> None:
        self.hits += 1
        self._left = self._search.after
        self.over = self._search.has("q", "l")  # the first one answers
        self._show([*self._past, (self._number, line)], hit=self._number)
        self._past.clear()

    def _show(self, lines: list[tuple[int, str]], *, hit: int) -> None:
        if self._search.has("q", "l", "c"):
            return
        if self._binary or any("\udc80" <= char <= "\udcff" for char in lines[-1][1]):
            self._search.p.complain(f"{self._name}: binary file matches")
            self.over = True
            return
        if (self._search.before or self._search.after) and self._shown and lines[0][0] > self._shown + 1:
            self._search.p.out("--\n")
        for number, line in lines:
            self._print(number, line, is_hit=number == hit)
        self._shown = self._number

    def _print(self, number: int, line: str, *, is_hit: bool) -> None:
        mark = ":" if is_hit else "-"
        front = (self._title and self._title + mark) + (f"{number}{mark}" if self._search.has("n") else "")
        parts = [line]
        if self._search.has("o"):
            parts = self._search.parts(line) if is_hit and not self._search.has("v") else []
        self._search.p.out("".join(f"{front}{part}\n" for part in parts))


def _pattern(source: str, options: Options, kind: str) -> re.Pattern[str]:
    if re.fullmatch(r"\[:\w+:\]", source) and kind != "F":
        raise BadOption("character class syntax is [[:space:]], not [:space:]")
    try:
        source = re.escape(source) if kind == "F" else compile(source, extended=kind == "E", lenient=True).pattern
    except BadPattern as problem:
        raise BadOption(str(problem)) from None
    around = r"\A(?:%s)\Z" if "x" in options else r"(?<!\w)(?:%s)(?!\w)" if "w" in options else "%s"
    return re.compile(around % source, re.S | (re.I if "i" in options else 0))


def _sources(p: Process, options: Options, names: list[str]) -> Generator[float, None, list[str]]:
    """The patterns as they were given; without -e and -f the first operand, which is taken away."""
    if not options.keys() & {"e", "f"}:
        return names.pop(0).split("\n")
    patterns = [line for source in options.get("e", []) for line in source.split("\n")]
    for name in options.get("f", []):
        try:
            patterns += [text(line.removesuffix(b"\n")) for line in lines_of((yield from p.read_file(name)))]
        except Errno as error:
            raise BadOption(f"{name}: {error}") from None
    return patterns


def _wanted(p: Process, names: list[str], options: Options) -> Iterator[str]:
    """The files to search: those named, and with -r all below."""
    for name in names:
        node = p.find(name)
        if "r" not in options or node is None or not node.is_directory:
            yield name
            continue
        above = p.path(name).rstrip("/")
        for path in p.files.walk(p.user, above or "/"):
            entry = p.find(path, follow=False)
            if entry is not None and entry.kind == "file":
                yield f"{name.rstrip('/')}/{path.removeprefix(above).strip('/')}"


def grep(p: Process) -> Steps:
    """`grep [-EFivncloqrhHwxs] [-m n] [-A n] [-B n] [-C n] pattern [file…]`: 0 found, 1 not, 2 trouble."""
    p.args = [re.sub(r"^-(\d+)$", r"-C\1", word) for word in p.args]
    options, names = parse(p, "EFGivncloqrhHwxe:f:sm:A:B:C:", GREP_LONG, usage=USAGE)
    if not names and not options.keys() & {"e", "f"}:
        p.err(f"{USAGE}Try '{p.name} --help' for more information.")
        return 2
    sources = yield from _sources(p, options, names)
    kind = {"egrep": "E", "fgrep": "F"}.get(p.name) or next((kind for kind in "EF" if kind in options), "G")
    search = Search(p, options, [_pattern(source, options, kind) for source in dict.fromkeys(sources)])
    recursive, node = search.has("r"), p.find(names[0] if names else ".")
    titled = search.has("H") or len(names) > 1 or (recursive and node is not None and node.is_directory)
    return (yield from _all(search, names, titled=titled and not search.has("h"), here=recursive and not names))


def _all(search: Search, names: list[str], *, titled: bool, here: bool) -> Steps:
    """Every file; `here`: none was named, and all below this directory are meant."""
    p, any_matched, trouble = search.p, False, False
    for name in _wanted(p, names or ["." if here else "-"], search.options):
        shown = name.removeprefix("./") if here else "(standard input)" if name == "-" else name
        try:
            with p.opened(name) as slot:
                matched = bool((yield from search.one(shown, slot, shown if titled else "")))
        except Errno as error:
            trouble = bool(search.has("s") or p.complain(f"{shown}: {error}"))
            continue
        if matched and search.has("q"):
            return 0
        if matched and search.has("l"):
            p.out(shown + "\n")
        any_matched = any_matched or matched
    return 2 if trouble else int(not any_matched)


# -- xargs -------------------------------------------------------------------------------------

_WORD = re.compile(r"""'([^'\n]*)'|"([^"\n]*)"|\\(.)|([ \t]+)|(\n)|([^'"\\\s]+)|(['"])""", re.S)


def _input_words(data: str, *, whole_lines: bool) -> list[list[str]]:
    """The words of each line, without their quotes; a blank at its end goes on with the next line. BadOption."""
    lines, word, blank = [list[str]()], list[str](), False
    for match in _WORD.finditer(data + "\n"):
        if match[7]:
            kind = "single" if match[7] == "'" else "double"
            advice = "by default quotes are special to xargs unless you use the -0 option"
            raise BadOption(f"unmatched {kind} quote; {advice}")
        if (match[4] and (not whole_lines or not word)) or match[5]:
            lines[-1] += ["".join(word)] if word else []
            word.clear()
            if match[5] and lines[-1] and not (blank and not whole_lines):
                lines.append([])
        else:
            word.append(next((group for group in match.group(1, 2, 3, 4, 6) if group is not None), ""))
        blank = bool(match[4])
    return lines[:-1] if not lines[-1] else lines


def _commands(p: Process, command: list[str], lines: list[list[str]], options: Options) -> Iterator[list[str]]:
    letter = "L" if "L" in options else "n"
    size = options.get(letter, ["5000"])[-1]
    if not re.fullmatch(r"-?\d+", size):
        raise bad(p, f'invalid number "{size}" for -{letter} option')
    if int(size) < 1:
        raise bad(p, f"value {size} for -{letter} option should be >= 1")
    words = [word for line in lines for word in line]
    groups = lines if letter == "L" else [[word] for word in words]
    if "I" in options:
        yield from ([part.replace(options["I"][-1] or "{}", word) for part in command] for word in words)
        return
    if not groups and "r" not in options:
        yield command
    for start in range(0, len(groups), int(size)):
        yield [*command, *(word for group in groups[start : start + int(size)] for word in group)]


def xargs(p: Process) -> Steps:
    """`xargs [-0rt] [-E end] [-n words | -L lines | -I text] [command…]`"""
    options, command = parse(p, "0E:I:L:n:rt", {"max-args": "n", "max-lines": "L", "null": "0", "no-run-if-empty": "r", "verbose": "t"}, mixed=False)  # fmt: skip
    data = text((yield from p.read_all()))
    if "0" in options:
        lines = [[word] for word in data.removesuffix("\0").split("\0")] if data else []
    else:
        lines = _input_words(data, whole_lines="I" in options)
    end = options.get("E", [""])[-1]
    if at := next((at for at, line in enumerate(lines, 1) if end and end in line), 0):
        lines = [*lines[: at - 1], *filter(None, [lines[at - 1][: lines[at - 1].index(end)]])]
    status = 0
    for arguments in _commands(p, command or ["echo"], lines, options):
        if "t" in options:
            p.err(" ".join(map(quoted, arguments)))
        try:
            code = yield from run(p, arguments)
        except Errno as error:
            return p.complain(f"{arguments[0]}: {error}", 127 if error.code == "ENOENT" else 126)
        except NotExecutable as problem:
            return p.complain(str(problem), problem.code)
        if code == 255:
            return p.complain(f"{arguments[0]}: exited with status 255; aborting", 124)
        status = 123 if code else status
    return status


PROGRAMS: dict[str, Program] = {"grep": grep, "egrep": grep, "fgrep": grep, "xargs": xargs}
