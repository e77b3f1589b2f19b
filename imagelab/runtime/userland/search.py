"""Finding lines, and running a command for each: grep, xargs."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from imagelab.runtime.execution import NotExecutable
from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Process, Program, Steps, raw, text
from imagelab.runtime.shell.patterns import matches
from imagelab.runtime.userland.lines import Lines, escaped_byte, lines_of, opened
from imagelab.runtime.userland.options import BadOption, Options, bad, parse
from imagelab.runtime.userland.regex import BadPattern, compile

# -- grep ---------------------------------------------------------------------------------------------------

USAGE = "Usage: grep [OPTION]... PATTERNS [FILE]...\n"
GREP_LONG = {"ignore-case": "i", "invert-match": "v", "line-number": "n", "count": "c", "files-with-matches": "l", "files-without-match": "L", "only-matching": "o", "quiet": "q", "silent": "q", "recursive": "r", "dereference-recursive": "R", "no-filename": "h", "with-filename": "H", "word-regexp": "w", "line-regexp": "x", "regexp": "e", "file": "f", "no-messages": "s", "max-count": "m", "after-context": "A", "before-context": "B", "context": "C", "extended-regexp": "E", "fixed-strings": "F", "basic-regexp": "G", "text": "a", "color": "color::", "colour": "color::", "include": "include:", "exclude": "exclude:", "exclude-dir": "exclude-dir:", "line-buffered": "u"}  # fmt: skip


class Search:
    """What grep was asked for, and what it does with one file."""

    def __init__(self, p: Process, options: Options, patterns: list[re.Pattern[str]]) -> None:
        self.p, self.options, self.patterns = p, options, patterns
        self.most = self._size("m", 1 << 60)
        self.before, self.after = self._size("B", self._size("C", 0)), self._size("A", self._size("C", 0))

    def _size(self, letter: str, otherwise: int) -> int:
        value = self.options.get(letter, [str(otherwise)])[-1]
        if not value.isdigit():
            raise BadOption("invalid max count" if letter == "m" else f"{value}: invalid context length argument")
        return int(value)

    def found(self, line: str) -> list[str]:
        """The parts that match, from left to right, each the longest there."""
        parts, at = list[str](), 0
        while hits := [hit for pattern in self.patterns if (hit := pattern.search(line, at))]:
            hit = min(hits, key=lambda hit: (hit.start(), -hit.end()))
            parts.append(hit[0])
            at = max(hit.end(), hit.start() + 1)
        return parts

    def one(self, name: str, slot: int, title: str) -> Steps:
        """Read a file and show what was found; 1 when something was."""
        lines, number, hits, left, last = Lines(self.p, slot), 0, 0, 0, 0
        past: deque[tuple[int, str]] = deque(maxlen=self.before)
        quiet, binary = self.options.keys() & {"q", "l", "L", "c"}, False
        while (left or hits < self.most) and (batch := (yield from lines.batch())):
            binary = binary or "a" not in self.options and any(b"\0" in line for line in batch)
            for line in (text(line.removesuffix(b"\n")) for line in batch):
                number += 1
                if hits < self.most and any(pattern.search(line) for pattern in self.patterns) != ("v" in self.options):
                    hits, left = hits + 1, self.after
                    if self.options.keys() & {"q", "l", "L"}:
                        return 1
                    shown = [] if quiet else [*past, (number, line)]
                elif left:
                    left, shown = left - 1, [] if quiet else [(number, line)]
                else:
                    past.append((number, line))
                    continue
                if shown and (binary or "a" not in self.options and any("\udc80" <= char <= "\udcff" for char in line)):
                    self.p.complain(f"{name}: binary file matches")
                    return 1
                self._show(shown, title, number if left == self.after or not self.after else 0, last)
                past.clear()
                last = number
                if hits >= self.most and not left:
                    break
            yield from self.p.flush()
        if "c" in self.options:
            self.p.out(f"{title}:{hits}\n" if title else f"{hits}\n")
        return int(hits > 0)

    def _show(self, lines: list[tuple[int, str]], title: str, hit: int, last: int) -> None:
        if lines and last and (self.before or self.after) and lines[0][0] > last + 1:
            self.p.out("--\n")
        for number, line in lines:
            mark = ":" if number == hit else "-"
            front = (title and title + mark) + (f"{number}{mark}" if "n" in self.options else "")
            parts = (
                [line]
                if "o" not in self.options
                else self.found(line)
                if "v" not in self.options and number == hit
                else []
            )
            self.p.out("".join(f"{front}{part}\n" for part in parts if part or "o" not in self.options))


def _patterns(options: Options, sources: list[str], kind: str) -> list[re.Pattern[str]]:
    around = r"\A(?:%s)\Z" if "x" in options else r"(?<!\w)(?:%s)(?!\w)" if "w" in options else ""
    found, ignore = list[re.Pattern[str]](), bool(options.keys() & {"i", "y"})
    for source in dict.fromkeys(sources):
        if re.fullmatch(r"\[:\w+:\]", source) and kind != "F":
            raise BadOption("character class syntax is [[:space:]], not [:space:]")
        try:
            pattern = re.compile(re.escape(source), re.I if ignore else 0) if kind == "F" else compile(source, extended=kind == "E", ignore_case=ignore, lenient=True)  # fmt: skip
        except BadPattern as problem:
            raise BadOption(str(problem)) from None
        found.append(re.compile(around % pattern.pattern, pattern.flags) if around else pattern)
    return found


def _wanted(p: Process, names: list[str], options: Options) -> Iterator[str]:
    """The files to search: those named, and with -r all below; --include and --exclude look at the last name."""

    def passes(path: str, folder: bool = False) -> bool:
        name = path.rstrip("/").rpartition("/")[2]
        included = folder or "include" not in options or any(matches(glob, name) for glob in options["include"])
        return included and not any(
            matches(glob, name) for glob in options.get("exclude-dir" if folder else "exclude", [])
        )

    for name in names:
        node = p.find(name)
        if not options.keys() & {"r", "R"} or node is None or not node.is_directory:
            if passes(name):
                yield name
            continue
        above = p.path(name).rstrip("/")
        for path in p.files.walk(p.user, above or "/"):
            found, rest = p.find(path, follow="R" in options), path.removeprefix(above).strip("/")
            folders = rest.split("/")[:-1]
            if (
                found is not None
                and found.kind == "file"
                and passes(rest)
                and all(passes(folder, True) for folder in folders)
            ):
                yield f"{name.rstrip('/')}/{rest}"


def grep(p: Process) -> Steps:
    """`grep [-EFivncloqrhHwxsLa] [-m n] [-A n] [-B n] [-C n] pattern [file…]`: 0 found, 1 not, 2 trouble."""
    p.args = [re.sub(r"^-(\d+)$", r"-C\1", word) for word in p.args]
    options, names = parse(p, "EFGivyncLloqrRhHwxe:f:sm:A:B:C:aIuU", GREP_LONG, usage=USAGE)
    if not names and not options.keys() & {"e", "f"}:
        p.err(f"{USAGE}Try '{p.name} --help' for more information.")
        return 2
    kind = {"egrep": "E", "fgrep": "F"}.get(p.name) or next((kind for kind in "EF" if kind in options), "G")
    sources = [line for source in options.get("e", []) for line in source.split("\n")]
    try:
        for name in options.get("f", []):
            sources += [text(line.removesuffix(b"\n")) for line in lines_of((yield from p.slurp(name)))]
    except Refusal as refusal:
        return p.complain(f"{name}: {refusal}", 2)
    if not options.keys() & {"e", "f"}:
        sources = names.pop(0).split("\n")
    search = Search(p, options, _patterns(options, sources, kind))
    recursive, node = bool(options.keys() & {"r", "R"}), p.find(names[0] if names else ".")
    here = recursive and not names
    titled = "h" not in options and (
        "H" in options or len(names) > 1 or recursive and node is not None and node.is_directory
    )
    any_found = trouble = False
    for name in _wanted(p, names or (["."] if here else ["-"]), options):
        name = name.removeprefix("./") if here else "(standard input)" if name == "-" else name
        try:
            with opened(p, "-" if name == "(standard input)" else name) as slot:
                found = yield from search.one(name, slot, name if titled else "")
        except Refusal as refusal:
            trouble = bool("s" in options or p.complain(f"{name}: {refusal}"))
            continue
        if found and "q" in options:
            return 0
        if "l" in options and found or "L" in options and not found:
            p.out(name + "\n")
        any_found = any_found or (bool(found) if "L" not in options else not found)
    return 2 if trouble else int(not any_found)


# -- xargs -------------------------------------------------------------------------------------

_WORD = re.compile(r"""'([^'\n]*)'|"([^"\n]*)"|\\(.)|([ \t]+)|(\n)|([^'"\\\s]+)|(['"])""", re.S)


def _input_words(data: str, *, whole_lines: bool) -> list[list[str]]:
    """The words of each line, without their quotes; a blank at its end goes on with the next line. BadOption."""
    lines, word, blank = [list[str]()], list[str](), False
    for match in _WORD.finditer(data + "\n"):
        if match[7]:
            kind = "single" if match[7] == "'" else "double"
            raise BadOption(
                f"unmatched {kind} quote; by default quotes are special to xargs unless you use the -0 option"
            )
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
    words = [word for line in lines for word in line]
    sizes = {letter: options[letter][-1] for letter in "nLPs" if letter in options}
    for letter, size in sizes.items():
        if not re.fullmatch(r"-?\d+", size):
            raise bad(p, f'invalid number "{size}" for -{letter} option')
        if int(size) < 1 and letter != "P":
            raise bad(p, f"value {size} for -{letter} option should be >= 1")
    if "I" in options:
        yield from ([part.replace(options["I"][-1] or "{}", word) for part in command] for word in words)
        return
    if not words and "r" not in options:
        yield command
    most = int(sizes.get("n") or sizes.get("L") or 5000)
    units = lines if "L" in sizes and "n" not in sizes else [[word] for word in words]
    for at in range(0, len(units), most):
        yield [*command, *(word for unit in units[at : at + most] for word in unit)]


def xargs(p: Process) -> Steps:
    """`xargs [-0rt] [-d char] [-n words | -L lines | -I text] [command…]`"""
    options, command = parse(p, "0a:d:E:I:L:n:P:rs:tx", {"max-args": "n", "null": "0", "delimiter": "d", "no-run-if-empty": "r", "replace": "I", "verbose": "t", "max-lines": "L", "max-procs": "P"}, mixed=False)  # fmt: skip
    data = text((yield from p.slurp(options.get("a", ["-"])[-1])))
    if "0" in options or "d" in options:
        separator = "\0" if "0" in options else text(bytes([escaped_byte(raw(options["d"][-1]))]))
        lines = [[word] for word in data.removesuffix(separator).split(separator)] if data else []
    else:
        lines = _input_words(data, whole_lines="I" in options)
    status = 0
    for arguments in _commands(p, command or ["echo"], lines, options):
        if "t" in options:
            p.err(" ".join(word if re.fullmatch(r"[\w@%+=:,./-]+", word) else "'" + word.replace("'", "'\\''") + "'" for word in arguments))  # fmt: skip
        try:
            code = yield from p.machine.run(p, arguments)
        except Refusal as refusal:
            return p.complain(f"{arguments[0]}: {refusal}", 127 if refusal.code == "ENOENT" else 126)
        except NotExecutable as problem:
            return p.complain(str(problem), 126)
        if code == 255:
            return p.complain(f"{arguments[0]}: exited with status 255; aborting", 124)
        status = 123 if code else status
    return status


PROGRAMS: dict[str, Program] = {"grep": grep, "egrep": grep, "fgrep": grep, "xargs": xargs}
