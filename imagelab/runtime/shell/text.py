"""Text utilities, most of which work while their input arrives: cat cut tr grep xargs base64 yes.

A program that works line by line takes a batch of lines (what there is), writes what comes of it and lets the others
have a turn: so `yes | head -1` ends, `yes | grep -q y` ends, and who follows a file sees each line when it is written.
Lines are bytes up to and with their newline; only the last of a file may have none. What is wrong with a file is said
in the words of GNU's programs, which then go on with the next one.

head tail wc sort uniq seq paste tee sha256sum md5sum are those of `imagelab.runtime.userland`.
"""

import base64
import re
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import pairwise

from imagelab.runtime.execution import NotExecutable
from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Process, Program, Steps, raw, text
from imagelab.runtime.shell.options import Options, bad, guarded, parse
from imagelab.runtime.shell.patterns import matches
from imagelab.runtime.shell.regex import BadPattern, compile
from imagelab.runtime.userland import columns
from imagelab.runtime.userland import text as others
from imagelab.runtime.userland.options import BadOption

Batch = Generator[float, None, list[bytes]]


@contextmanager
def opened(p: Process, name: str) -> Iterator[int]:
    """A descriptor of a file; `-` is standard input. Refusal."""
    if name == "-":
        yield 0
        return
    slot = max(p.fds, default=2) + 1
    p.fds[slot] = p.open(name).keep()
    try:
        yield slot
    finally:
        p.fds.pop(slot).drop()


def lines_of(data: bytes) -> list[bytes]:
    """Lines with their ends."""
    return [line for line in re.split(rb"(?<=\n)", data) if line]


class Lines:
    """What a descriptor has, a batch of lines at a time; without `split`, bytes as they come."""

    def __init__(self, p: Process, slot: int, *, split: bool = True) -> None:
        self.p, self.slot, self.split, self.rest = p, slot, split, b""

    def batch(self) -> Batch:
        """The lines there are, [] at the end: `while batch := (yield from lines.batch())`."""
        while data := (yield from self.p.read(self.slot)):
            found = lines_of(self.rest + data) if self.split else [data]
            self.rest = b"" if found[-1].endswith(b"\n") or not self.split else found.pop()
            if found:
                return found
        found, self.rest = [self.rest] if self.rest else [], b""
        return found


def each_batch(p: Process, names: list[str], work: Callable[[list[bytes]], bytes], *, split: bool = True) -> Steps:
    """Write what `work` makes of the lines of all files, or of their bytes; 1 when something cannot be read."""
    status = 0
    for name in names or ["-"]:
        try:
            with opened(p, name) as slot:
                lines = Lines(p, slot, split=split)
                while batch := (yield from lines.batch()):
                    p.out(work(batch))
                    yield from p.flush()
        except Refusal as refusal:
            status = p.complain(f"{name}: {refusal}")
    return status


# -- cat ---------------------------------------------------------------------------------------------------


def cat(p: Process) -> Steps:
    """`cat [-bnsAETv] [file…]`"""
    options, names = parse(p, "nbAETsvetu", {"number": "n", "number-nonblank": "b", "show-all": "A", "show-ends": "E", "show-tabs": "T", "squeeze-blank": "s", "show-nonprinting": "v"})  # fmt: skip
    letters = set("".join(options).replace("A", "vET").replace("e", "vE").replace("t", "vT")) - {"u"}
    number, fresh, blank = 0, True, False

    def decorated(batch: list[bytes]) -> bytes:
        nonlocal number, fresh, blank
        out = []
        for line in batch:
            squeezed, blank = blank and "s" in letters and line == b"\n", fresh and line == b"\n"
            if squeezed:
                continue
            if fresh and ("b" in letters and not blank or "n" in letters and "b" not in letters):
                number += 1
                out.append(b"%6d\t" % number)
            out.append(_visible(line, letters))
            fresh = line.endswith(b"\n")
        return b"".join(out)

    return (yield from each_batch(p, names, decorated if letters else b"".join, split=bool(letters)))


def _visible(line: bytes, letters: set[str]) -> bytes:
    body, end = (line[:-1], b"\n") if line.endswith(b"\n") else (line, b"")
    body = body.replace(b"\t", b"^I") if "T" in letters and "v" not in letters else body
    if "v" in letters:
        body = b"".join(bytes([byte]) if byte == 9 and "T" not in letters else _caret(byte) for byte in body)
    elif "E" in letters and end and body.endswith(b"\r"):
        body = body[:-1] + b"^M"
    return body + (b"$" + end if "E" in letters and end else end)


def _caret(byte: int) -> bytes:
    if byte >= 128:
        return b"M-" + _caret(byte - 128)
    return b"^?" if byte == 127 else b"^%c" % (byte + 64) if byte < 32 else b"%c" % byte


# -- cut, tr ------------------------------------------------------------------------------------------------


def _ranges(p: Process, asked: str, kind: str) -> list[tuple[int, int]]:
    """`1,3-5,7-`, in order, with ranges that overlap joined."""
    what, numbered = ("field value", "fields") if kind == "f" else ("byte/character position", "byte/character positions")
    found = list[tuple[int, int]]()
    for part in re.split("[, ]", asked):
        match = re.fullmatch(r"(\d*)(-?)(\d*)", part)
        if match is None:
            raise bad(p, f"invalid {what} ‘{part}’")
        if part == "-":
            raise bad(p, "invalid range with no endpoint: -")
        first, last = int(match[1] or bool(match[2])), int(match[3] or (1 << 30 if match[2] else match[1] or 0))
        if first == 0:
            raise bad(p, f"{numbered} are numbered from 1")
        if last < first:
            raise bad(p, "invalid decreasing range")
        found.append((first, last))
    joined = list[tuple[int, int]]()
    for first, last in sorted(found):
        if joined and first <= joined[-1][1]:
            first, last = joined[-1][0], max(joined.pop()[1], last)
        joined.append((first, last))
    return joined


def cut(p: Process) -> Steps:
    """`cut -f list [-d char] [-s] | -c list | -b list [--complement] [--output-delimiter=…] [file…]`"""
    options, names = parse(p, "d:f:c:b:sn", {"delimiter": "d", "fields": "f", "characters": "c", "bytes": "b", "only-delimited": "s", "output-delimiter": "output-delimiter:", "complement": "complement"})  # fmt: skip
    kinds = [letter for letter in "fcb" for _ in options.get(letter, [])]
    delimiter = raw(options.get("d", ["\t"])[-1]) or b"\0"
    problems = {
        "only one list may be specified": len(kinds) > 1,
        "you must specify a list of bytes, characters, or fields": not kinds,
        "the delimiter must be a single character": len(delimiter) > 1,
        "an input delimiter may be specified only when operating on fields": "d" in options and kinds != ["f"],
        "suppressing non-delimited lines makes sense\n\tonly when operating on fields": "s" in options and kinds != ["f"],
    }
    if wrong := [problem for problem, applies in problems.items() if applies]:
        raise bad(p, wrong[0])
    ranges = _ranges(p, options[kinds[0]][-1], kinds[0])
    if "complement" in options:
        ends = [(0, 0), *ranges, (1 << 30, 1 << 30)]
        ranges = [(before + 1, after - 1) for (_, before), (after, _) in pairwise(ends) if before + 1 < after]
    joint = raw(options["output-delimiter"][-1]) if "output-delimiter" in options else None

    def chosen(line: bytes) -> bytes:
        line = line.removesuffix(b"\n")
        if kinds != ["f"]:
            return (joint or b"").join(part for first, last in ranges if (part := line[first - 1 : last])) + b"\n"
        if delimiter not in line:
            return b"" if "s" in options else line + b"\n"
        cells = line.split(delimiter)
        kept = [cell for first, last in ranges for cell in cells[first - 1 : last]]
        return (delimiter if joint is None else joint).join(kept) + b"\n"

    return (yield from each_batch(p, names, lambda batch: b"".join(map(chosen, batch))))


_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_ONE = rb"\\[0-7]{1,3}|\\.|[^\\]|\\\Z"
_MEMBER = re.compile(rb"\[:(\w+):\]|\[=(%b)=\]|\[(%b)\*(\d*)\]|(%b)-(%b)|(%b)" % ((_ONE,) * 5), re.S)
CLASSES: dict[str, Callable[[str], bool]] = {"upper": str.isupper, "lower": str.islower, "alpha": str.isalpha, "digit": str.isdigit, "alnum": str.isalnum, "space": lambda c: c in "\t\n\v\f\r ", "blank": lambda c: c in " \t", "cntrl": lambda c: c < " " or c == "\x7f", "print": str.isprintable, "graph": lambda c: c > " " and c < "\x7f", "punct": lambda c: c.isprintable() and not c.isalnum() and c != " ", "xdigit": lambda c: c in "0123456789abcdefABCDEF"}  # fmt: skip


def _byte(member: bytes) -> int:
    if member[:1] != b"\\" or len(member) == 1:
        return member[0]
    return int(member[1:], 8) & 255 if member[1:].isdigit() else _ESCAPES.get(member[1:], member[1:])[0]


def _set(asked: str, size: int, *, second: bool = False) -> bytes:
    """The bytes a set of tr stands for; `[x*]` in the second one fills it up to `size`."""
    out, fill = bytearray(), (0, b"")
    for name, same, repeated, times, first, last, single in _MEMBER.findall(raw(asked)):
        if name:
            if name.decode() not in CLASSES:
                raise BadOption(f"invalid character class ‘{name.decode()}’")
            if second and name not in (b"upper", b"lower"):
                raise BadOption("when translating, the only character classes that may appear in\nstring2 are 'upper' and 'lower'")
            out += bytes(code for code in range(128) if CLASSES[name.decode()](chr(code)))
        elif repeated and (not times or int(times, 8 if times[:1] == b"0" else 10) == 0):
            fill = len(out), bytes([_byte(repeated)])
        elif last:
            if _byte(last) < _byte(first):
                raise BadOption(f"range-endpoints of '{text(first)}-{text(last)}' are in reverse collating sequence order")
            out += bytes(range(_byte(first), _byte(last) + 1))
        else:
            out += bytes([_byte(same or repeated or single)]) * int(times or 1)
    at, filler = fill
    return bytes(out[:at] + filler * (size - len(out)) + out[at:])


def _tr_operands(p: Process, sets: list[str], options: Options) -> None:
    least = 1 if len(options.keys() & {"d", "s"}) == 1 else 2
    most = 1 if least == 1 and "d" in options else 2
    verb = "both deleting and squeezing repeats" if "d" in options else "translating"
    if len(sets) < least:
        raise bad(p, f"missing operand after ‘{sets[0]}’\nTwo strings must be given when {verb}." if sets else "missing operand")
    if len(sets) > most:
        more = "\nOnly one string may be given when deleting without squeezing repeats." if most == 1 else ""
        raise bad(p, f"extra operand ‘{sets[most]}’{more}")


def tr(p: Process) -> Steps:
    """`tr [-cdst] set [set]`"""
    options, sets = parse(p, "dscCt", {"delete": "d", "squeeze-repeats": "s", "complement": "c", "truncate-set1": "t"}, mixed=False)  # fmt: skip
    _tr_operands(p, sets, options)
    first = _set(sets[0], 0)
    if options.keys() & {"c", "C"}:
        first = bytes(code for code in range(256) if code not in first)
    translates = len(sets) > 1 and "d" not in options
    second = _set(sets[1], len(first), second=translates) if len(sets) > 1 else b""
    if translates and not second and "t" not in options:
        raise BadOption("when not truncating set1, string2 must be non-empty")
    table = bytearray(range(256))
    for at, code in enumerate(first[: len(second)] if "t" in options else first if translates else b""):
        table[code] = second[min(at, len(second) - 1)]
    repeats = re.compile(rb"([%b])\1+" % re.escape(second or first), re.S) if "s" in options else None
    last = b""
    while data := (yield from p.read()):
        data = data.translate(bytes(table), first if "d" in options else b"")
        if repeats and data:
            squeezed = repeats.sub(rb"\1", last + data)
            data, last = squeezed[len(last) :], squeezed[-1:]
        p.out(data)
        yield from p.flush()
    return 0


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
            parts = [line] if "o" not in self.options else self.found(line) if "v" not in self.options and number == hit else []
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
        return included and not any(matches(glob, name) for glob in options.get("exclude-dir" if folder else "exclude", []))

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
            if found is not None and found.kind == "file" and passes(rest) and all(passes(folder, True) for folder in folders):
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
    titled = "h" not in options and ("H" in options or len(names) > 1 or recursive and node is not None and node.is_directory)
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


# -- xargs, base64, yes -------------------------------------------------------------------------------------

_WORD = re.compile(r"""'([^'\n]*)'|"([^"\n]*)"|\\(.)|([ \t]+)|(\n)|([^'"\\\s]+)|(['"])""", re.S)


def _input_words(data: str, *, whole_lines: bool) -> list[list[str]]:
    """The words of each line, without their quotes; a blank at its end goes on with the next line. BadOption."""
    lines, word, blank = [list[str]()], list[str](), False
    for match in _WORD.finditer(data + "\n"):
        if match[7]:
            kind = "single" if match[7] == "'" else "double"
            raise BadOption(f"unmatched {kind} quote; by default quotes are special to xargs unless you use the -0 option")
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
    sizes = {letter: options[letter][-1] for letter in "nL" if letter in options}
    for letter, size in sizes.items():
        if not re.fullmatch(r"-?\d+", size):
            raise bad(p, f'invalid number "{size}" for -{letter} option')
        if int(size) < 1:
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
        separator = "\0" if "0" in options else text(bytes([_byte(raw(options["d"][-1]))]))
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


def encoded(p: Process) -> Steps:
    """`base64 [-d] [-w columns] [file]`"""
    options, names = parse(p, "diw:", {"decode": "d", "wrap": "w", "ignore-garbage": "i"})
    width = options.get("w", ["76"])[-1]
    if len(names) > 1 or not width.isdigit():
        raise bad(p, f"extra operand ‘{names[1]}’") if len(names) > 1 else BadOption(f"invalid wrap size: ‘{width}’")
    try:
        data = yield from p.slurp(names[0] if names else "-")
    except Refusal as refusal:
        return p.complain(f"read error: {refusal}" if refusal.code == "EISDIR" else f"{names[0]}: {refusal}")
    if "d" not in options:
        code = base64.b64encode(data)
        p.out(re.sub(rb"(.{1,%d})" % int(width), rb"\1\n", code) if int(width) else code)
        return 0
    data = re.sub(rb"[^A-Za-z0-9+/=]" if "i" in options else rb"\n", b"", data)
    good = re.match(rb"(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)*", data)
    assert good is not None
    more = re.match(b"(?:[A-Za-z0-9+/]{2,3})?", data[good.end() :])
    found = [good[0][at : at + 4] for at in range(0, good.end(), 4)] + ([more[0] + b"=="] if more and more[0] else [])
    p.out(b"".join(map(base64.b64decode, found)))
    return 0 if good.end() == len(data) else p.complain("invalid input")


def yes(p: Process) -> Steps:
    """`yes [word…]`, until nobody reads any more."""
    line = " ".join(parse(p, "")[1] or ["y"]) + "\n"
    while True:
        p.out(line * 64)
        yield from p.flush()


_ALL: dict[str, Program] = {"cat": cat, "cut": cut, "tr": tr, "grep": grep, "egrep": grep, "fgrep": grep, "xargs": xargs, "base64": encoded, "yes": yes}  # fmt: skip
_THEIRS = ("head", "tail", "wc", "sort", "uniq", "seq", "paste", "tee", "sha256sum", "md5sum")
_ALL |= {name: (columns.PROGRAMS | others.PROGRAMS)[name] for name in _THEIRS}
PROGRAMS: dict[str, Program] = {name: guarded(program, 2 if name == "sort" or "grep" in name else 1) for name, program in _ALL.items()}  # fmt: skip
