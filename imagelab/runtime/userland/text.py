"""Reading and changing text: cat, head, tail, wc, sort, uniq, cut, tr, tee, seq, paste, grep, xargs, sha256sum, yes.

Lines are bytes up to and with their newline; the last may have none. Whatever may go on without end takes a turn with
each piece, so that `yes | head -1` ends.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator, Iterator
from typing import Any

from imagelab.runtime.execution import NotExecutable
from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Process, Program, Steps, raw, text
from imagelab.runtime.shell.words import unescape
from imagelab.runtime.userland.options import BadOption, Options, parse
from imagelab.runtime.userland.regex import BadPattern, compile

Fetched = Generator[float, None, list[tuple[str, bytes]]]


def inputs(p: Process, names: list[str]) -> Fetched:
    """(name, bytes) of each file, `-` or none at all being standard input; what cannot be read is complained about."""
    found: list[tuple[str, bytes]] = []
    p.env["?"] = "0"
    for name in names or ["-"]:
        try:
            found.append((name, (yield from p.slurp(name))))
        except Refusal as refusal:
            p.env["?"] = "1"
            trouble(p, name, refusal)
    return found


def trouble(p: Process, name: str, refusal: Refusal) -> None:
    """A file that cannot be read, as each program says it."""
    if p.name in ("head", "tail", "tac") and refusal.code != "EISDIR":
        p.complain(f"cannot open '{name}' for reading: {refusal}")
    elif p.name in ("head", "tail") and refusal.code == "EISDIR":
        p.complain(f"error reading '{name}': {refusal}")
    elif p.name == "sort" and refusal.code != "EISDIR":
        p.complain(f"cannot read: {name}: {refusal}")
    elif p.name == "sort":
        p.complain(f"read failed: {name}: {refusal}")
    else:
        p.complain(f"{name}: {refusal}")


def failed(p: Process) -> bool:
    """Could some input not be read?"""
    return p.env.get("?") == "1"


def lines_of(data: bytes) -> list[bytes]:
    """Lines with their ends."""
    found = data.split(b"\n")
    return [line + b"\n" for line in found[:-1]] + ([found[-1]] if found[-1] else [])


def ended(line: bytes) -> bytes:
    """A line that certainly has its end."""
    return line if line.endswith(b"\n") else line + b"\n"


# -- cat, head, tail, wc ------------------------------------------------------------------------------------


def cat(p: Process) -> Steps:
    options, names = parse(p, "nbAETsvetu", {"number": "n", "number-nonblank": "b", "show-all": "A", "show-ends": "E", "show-tabs": "T", "squeeze-blank": "s"})
    status, number, blank = 0, 0, False
    for name in names or ["-"]:
        try:
            stream = p.fds[0] if name == "-" else p.open(name)
            slot = 0 if name == "-" else max(p.fds) + 1
            p.fds[slot] = stream if name == "-" else stream.keep()
            try:
                while data := (yield from p.read(slot)):
                    if options.keys() - {"u"}:
                        data, number, blank = _decorated(data, options, number, blank)
                    p.out(data)
                    yield from p.flush()
            finally:
                if name != "-":
                    p.fds.pop(slot).drop()
        except Refusal as refusal:
            status = p.complain(f"{name}: {refusal}")
    return status


def _decorated(data: bytes, options: Options, number: int, blank: bool) -> tuple[bytes, int, bool]:
    out = []
    for line in lines_of(data):
        if "s" in options and line == b"\n" and blank:
            continue
        blank = line == b"\n"
        prefix = b""
        if "b" in options and not blank or "n" in options and "b" not in options:
            number += 1
            prefix = f"{number:6}\t".encode()
        if options.keys() & {"T", "A", "t"}:
            line = line.replace(b"\t", b"^I")
        if options.keys() & {"E", "A", "e"} and line.endswith(b"\n"):
            line = line[:-1] + b"$\n"
        out.append(prefix + line)
    return b"".join(out), number, blank


def _old_style(p: Process) -> None:
    """`head -5` is `head -n 5`."""
    p.args = [p.args[0], *(f"-n{word[1:]}" if re.fullmatch(r"-\d+", word) else word for word in p.args[1:])]


def _count(p: Process, value: str, what: str) -> int:
    match = re.fullmatch(r"[-+]?(\d+)([kKMG]?)", value)
    if match is None:
        raise BadOption(f"invalid number of {what}: ‘{value}’")
    return int(match[1]) << {"": 0, "k": 10, "K": 10, "M": 20, "G": 30}[match[2]]


def head(p: Process) -> Steps:
    _old_style(p)
    options, names = parse(p, "n:c:qv", {"lines": "n", "bytes": "c", "quiet": "q", "silent": "q", "verbose": "v"})
    value = options.get("c", options.get("n", ["10"]))[-1]
    count = _count(p, value, "bytes" if "c" in options else "lines")
    if not names and not value.startswith("-"):
        return (yield from _head_of_input(p, count, by_bytes="c" in options))
    found = yield from inputs(p, names)
    for at, (name, data) in enumerate(found):
        _title(p, name, options, len(names), at)
        pieces: Any = data if "c" in options else lines_of(data)
        cut = pieces[: max(len(pieces) - count, 0)] if value.startswith("-") else pieces[:count]
        p.out(cut if "c" in options else b"".join(cut))
    return int(failed(p))


def _head_of_input(p: Process, count: int, *, by_bytes: bool) -> Steps:
    while count > 0:
        data = yield from p.read(0, count if by_bytes else 65536)
        if not data:
            break
        found = lines_of(data)
        piece = data if by_bytes else b"".join(found[:count])
        count -= len(piece) if by_bytes else sum(line.endswith(b"\n") for line in found[:count])
        p.out(piece)
        yield from p.flush()
    return 0


def _title(p: Process, name: str, options: Options, total: int, at: int) -> None:
    if (total > 1 and "q" not in options) or "v" in options:
        p.out(("\n" if at else "") + f"==> {'standard input' if name == '-' else name} <==\n")


def tail(p: Process) -> Steps:
    _old_style(p)
    options, names = parse(p, "n:c:fFqvs:", {"lines": "n", "bytes": "c", "follow": "f", "quiet": "q", "retry": "F"})
    value = options.get("c", options.get("n", ["10"]))[-1]
    count = _count(p, value, "bytes" if "c" in options else "lines")
    found = yield from inputs(p, names)
    for at, (name, data) in enumerate(found):
        _title(p, name, options, len(names), at)
        pieces: Any = data if "c" in options else lines_of(data)
        kept = pieces[count - 1 if count else 0 :] if value.startswith("+") else pieces[len(pieces) - min(count, len(pieces)) :]
        p.out(kept if "c" in options else b"".join(kept))
    if options.keys() & {"f", "F"} and found:
        yield from _follow(p, found[-1][0], len(found[-1][1]))
    return int(failed(p))


def _follow(p: Process, name: str, seen: int) -> Generator[float, None, None]:
    while True:
        yield from p.sleep(0.2)
        node = p.find(name)
        data = p.files.data(node) if node is not None else b""
        if len(data) < seen:
            p.complain(f"{name}: file truncated")
            seen = 0
        p.out(data[seen:])
        seen = len(data)


def wc(p: Process) -> Steps:
    options, names = parse(p, "lwcmL", {"lines": "l", "words": "w", "bytes": "c", "chars": "m", "max-line-length": "L"})
    chosen = [letter for letter in "lwmcL" if letter in options] or list("lwc")
    found = yield from inputs(p, names)
    measures: dict[str, Callable[[bytes], int]] = {
        "l": lambda data: data.count(b"\n"), "w": lambda data: len(data.split()), "c": len,
        "m": lambda data: len(text(data)), "L": lambda data: max((len(text(line).rstrip("\n")) for line in lines_of(data)), default=0),
    }  # fmt: skip
    rows = [([measures[letter](data) for letter in chosen], name) for name, data in found]
    if len(names) > 1:
        rows.append(([sum(row[0][at] for row in rows) for at in range(len(chosen))], "total"))
    regular = sum(len(data) for name, data in found if name != "-")
    width = len(str(max(regular, 1))) if names and "-" not in names else 7
    width = 1 if len(chosen) == 1 and len(rows) == 1 else width
    for counts, name in rows:
        p.out(" ".join(f"{count:{width}}" for count in counts) + ("" if not names else f" {name}") + "\n")
    return int(failed(p))


# -- sort, uniq, cut, tr ------------------------------------------------------------------------------------


def sort(p: Process) -> Steps:
    options, names = parse(p, "nruk:t:fbhVco:sgidMz", {"numeric-sort": "n", "reverse": "r", "unique": "u", "key": "k", "field-separator": "t", "ignore-case": "f", "human-numeric-sort": "h", "version-sort": "V", "check": "c", "output": "o", "stable": "s"})  # fmt: skip
    found = yield from inputs(p, names)
    if failed(p):
        return 2
    lines = [line.rstrip(b"\n") for _, data in found for line in lines_of(data)]
    keys = [_sort_key(asked, options) for asked in options.get("k", ["1"])]
    globally = "".join(options)

    def order(line: bytes) -> tuple[Any, ...]:
        return tuple(key(line) for key in keys)

    plain = not ("k" in options or set(globally) & set("nfhVg"))
    if "c" in options:
        return _check_order(p, lines, order, names)
    reverse = "r" in options
    ordered = sorted(lines, reverse=reverse) if plain or not options.keys() & {"s", "u"} else list(lines)
    ordered = sorted(ordered, key=order, reverse=reverse and not any("r" in key[1:] for key in options.get("k", [])))
    if "u" in options:
        ordered = [line for at, line in enumerate(ordered) if at == 0 or order(line) != order(ordered[at - 1])]
    data = b"".join(line + b"\n" for line in ordered)
    if "o" in options:
        p.files.write_file(p.user, p.path(options["o"][-1]), data)
    else:
        p.out(data)
    return 0


class _Reversed:
    """Sorts the other way round."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Reversed) -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and bool(self.value == other.value)

    __hash__ = None  # type: ignore[assignment]


def _sort_key(asked: str, options: Options) -> Callable[[bytes], Any]:
    match = re.fullmatch(r"(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?", asked)
    if match is None:
        raise BadOption(f"invalid number at field start: invalid count at start of ‘{asked}’")
    first, last = int(match[1]), int(match[4]) if match[4] else None
    own = (match[3] or "") + (match[6] or "")
    letters = set(own) or set("".join(options)) - {"r"}
    separator = raw(options["t"][-1]) if "t" in options else None

    def key(line: bytes) -> Any:
        if "k" not in options:
            chosen = line
        else:
            fields = line.split(separator) if separator else [m[0] for m in re.finditer(rb"[ \t]*[^ \t]+", line)]
            chosen = (separator or b"").join(fields[first - 1 : last])
            chosen = chosen[int(match[2]) - 1 :] if match[2] else chosen
        value = _measured(chosen, letters)
        return _Reversed(value) if "r" in own else value

    return key


def _measured(chosen: bytes, letters: set[str]) -> Any:
    if letters & {"n", "h", "g"}:
        found = re.match(rb"[ \t]*(-?\d*\.?\d*)([KMGTPkE]?)", chosen)
        number = float(found[1]) if found and found[1] not in (b"", b"-", b".", b"-.") else 0.0
        power = b"KMGTPE".find(found[2].upper()) + 1 if found and found[2] and "h" in letters else 0
        return number * 1024**power
    if "V" in letters:
        return [int(part) if part.isdigit() else part.decode("latin-1") for part in re.split(rb"(\d+)", chosen)]
    chosen = chosen.lstrip(b" \t") if "b" in letters else chosen
    return chosen.upper() if "f" in letters else chosen


def _check_order(p: Process, lines: list[bytes], order: Callable[[bytes], Any], names: list[str]) -> int:
    for at in range(1, len(lines)):
        if order(lines[at]) < order(lines[at - 1]):
            return p.complain(f"{names[0] if names else '-'}:{at + 1}: disorder: {text(lines[at])}")
    return 0


def uniq(p: Process) -> Steps:
    options, names = parse(p, "cduif:s:w:", {"count": "c", "repeated": "d", "unique": "u", "ignore-case": "i", "skip-fields": "f", "skip-chars": "s"})
    found = yield from inputs(p, names[:1])
    skip_fields, skip = int(options.get("f", ["0"])[-1]), int(options.get("s", ["0"])[-1])

    def key(line: bytes) -> bytes:
        for _ in range(skip_fields):
            line = re.sub(rb"^[ \t]*[^ \t]*", b"", line)
        return line[skip:].lower() if "i" in options else line[skip:]

    groups: list[list[bytes]] = []
    for line in lines_of(found[0][1] if found else b""):
        line = line.rstrip(b"\n")
        if groups and key(groups[-1][0]) == key(line):
            groups[-1].append(line)
        else:
            groups.append([line])
    for group in groups:
        if ("d" in options and len(group) < 2) or ("u" in options and len(group) > 1):
            continue
        p.out((b"%7d " % len(group) if "c" in options else b"") + group[0] + b"\n")
    return int(failed(p))


def _ranges(p: Process, asked: str) -> list[tuple[int, int]]:
    found = []
    for part in asked.split(","):
        match = re.fullmatch(r"(\d*)(-?)(\d*)", part)
        if match is None or not (match[1] or match[3]):
            raise BadOption("invalid byte, character or field list")
        first = int(match[1] or 1)
        if first < 1:
            raise BadOption("byte/character positions are numbered from 1" if "f" not in p.args[1] else "fields are numbered from 1")
        found.append((first, int(match[3]) if match[3] else (1 << 30 if match[2] else first)))
    return found


def cut(p: Process) -> Steps:
    options, names = parse(p, "d:f:c:b:sn", {"delimiter": "d", "fields": "f", "characters": "c", "bytes": "b", "only-delimited": "s", "output-delimiter": "O", "complement": "C"})  # fmt: skip
    kind = next((letter for letter in "fcb" if letter in options), "")
    if not kind:
        raise BadOption("you must specify a list of bytes, characters, or fields\nTry 'cut --help' for more information.")
    ranges = _ranges(p, options[kind][-1])
    delimiter = raw(options.get("d", ["\t"])[-1])
    joined = raw(options["O"][-1]) if "O" in options else delimiter if kind == "f" else b""

    def chosen(count: int) -> list[int]:
        inside = [at for at in range(count) if any(first <= at + 1 <= last for first, last in ranges)]
        return [at for at in range(count) if at not in inside] if "C" in options else inside

    for _, data in (yield from inputs(p, names)):
        for line in lines_of(data):
            line = line.rstrip(b"\n")
            if kind == "f" and delimiter not in line:
                p.out(b"" if "s" in options else line + b"\n")
                continue
            pieces = line.split(delimiter) if kind == "f" else [line[at : at + 1] for at in range(len(line))]
            p.out(joined.join(pieces[at] for at in chosen(len(pieces))) + b"\n")
    return int(failed(p))


_SETS = {"alpha": range(256), "digit": b"0123456789", "upper": b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "lower": b"abcdefghijklmnopqrstuvwxyz", "space": b"\t\n\v\f\r ", "blank": b"\t ", "punct": bytes(b for b in range(33, 127) if not chr(b).isalnum()), "xdigit": b"0123456789ABCDEFabcdef", "cntrl": bytes([*range(32), 127]), "print": bytes(range(32, 127)), "graph": bytes(range(33, 127))}  # fmt: skip
_SETS["alpha"] = _SETS["upper"] + _SETS["lower"]  # type: ignore[operator]
_SETS["alnum"] = _SETS["digit"] + _SETS["upper"] + _SETS["lower"]  # type: ignore[operator]


def _set(asked: str) -> bytes:
    asked = re.sub(r"\[:(\w+):\]", lambda m: text(bytes(_SETS.get(m[1], b""))), asked)
    data, out, at = raw(unescape(asked, r"[0-7]{1,3}")), bytearray(), 0
    while at < len(data):
        if at + 2 < len(data) and data[at + 1 : at + 2] == b"-":
            out += bytes(range(data[at], data[at + 2] + 1))
            at += 3
        else:
            out.append(data[at])
            at += 1
    return bytes(out)


def tr(p: Process) -> Steps:
    options, sets = parse(p, "dscCt", {"delete": "d", "squeeze-repeats": "s", "complement": "c", "truncate-set1": "t"})
    if not sets:
        raise BadOption("missing operand\nTry 'tr --help' for more information.")
    if len(sets) == 1 and not options.keys() & {"d", "s"}:
        raise BadOption(f"missing operand after ‘{sets[0]}’\nTwo strings must be given when translating.\nTry 'tr --help' for more information.")
    first = _set(sets[0])
    if options.keys() & {"c", "C"}:
        first = bytes(byte for byte in range(256) if byte not in first)
    second = _set(sets[1]) if len(sets) > 1 else b""
    table = bytearray(range(256))
    if second and "d" not in options:
        for at, byte in enumerate(first):
            table[byte] = second[min(at, len(second) - 1)]
    squeezed = (second or first) if "s" in options else b""
    last = -1
    while data := (yield from p.read()):
        data = data.translate(bytes(table), first if "d" in options else b"")
        out = bytearray()
        for byte in data if squeezed else b"":
            if byte != last or byte not in squeezed:
                out.append(byte)
            last = byte
        p.out(bytes(out) if squeezed else data)
        yield from p.flush()
    return 0


# -- tee, seq, paste, yes, tac, rev, nl ---------------------------------------------------------------------


def tee(p: Process) -> Steps:
    options, names = parse(p, "ai", {"append": "a"})
    status, streams = 0, []
    for name in names:
        try:
            streams.append(p.open(name, "a" if "a" in options else "w"))
        except Refusal as refusal:
            status = p.complain(f"{name}: {refusal}")
    while data := (yield from p.read()):
        p.out(data)
        for stream in streams:
            stream.write(data)
        yield from p.flush()
    return status


def seq(p: Process) -> Steps:
    p.args = [p.args[0], *(f" {word}" if re.fullmatch(r"-[\d.]+", word) else word for word in p.args[1:])]
    options, words = parse(p, "ws:f:", {"equal-width": "w", "separator": "s"})
    words = [word.strip() for word in words]
    bad = next((word for word in words if not re.fullmatch(r"[-+]?\d*\.?\d+", word)), None)
    if bad is not None or not 1 <= len(words) <= 3:
        raise BadOption(f"invalid floating point argument: ‘{bad}’\nTry 'seq --help' for more information." if bad else "missing operand\nTry 'seq --help' for more information.")  # fmt: skip
    digits = max(len(word.partition(".")[2]) for word in words)
    scale = 10**digits
    values = [round(float(word) * scale) for word in words]
    first, step, last = (scale, scale, values[0]) if len(words) == 1 else (values[0], scale, values[1]) if len(words) == 2 else values  # fmt: skip
    if step == 0:
        raise BadOption(f"invalid Zero increment value: ‘{words[1]}’\nTry 'seq --help' for more information.")
    separator = unescape(options.get("s", ["\n"])[-1], "[0-7]{1,3}")
    width = max(len(f"{n / scale:.{digits}f}") for n in (first, last)) if "w" in options else 0
    started, number = False, first
    while (number <= last) if step > 0 else (number >= last):
        shown = f"{number / scale:.{digits}f}" if digits else str(number)
        p.out((separator if started else "") + shown.zfill(width))
        started = True
        number += step
        if (number - first) // step % 512 == 0:
            yield from p.flush()
    p.out("\n" if started else "")
    return 0


def paste(p: Process) -> Steps:
    options, names = parse(p, "sd:", {"serial": "s", "delimiters": "d"})
    delimiters = unescape(options.get("d", ["\t"])[-1], "[0-7]{1,3}") or "\t"
    columns = [[line.rstrip(b"\n") for line in lines_of(data)] for _, data in (yield from inputs(p, names))]
    rows = columns if "s" in options else [[c[at] if at < len(c) else b"" for c in columns] for at in range(max(map(len, columns), default=0))]
    for row in rows:
        out = row[0] if row else b""
        for at, cell in enumerate(row[1:]):
            out += raw(delimiters[at % len(delimiters)]) + cell
        p.out(out + b"\n")
    return int(failed(p))


def yes(p: Process) -> Steps:
    line = " ".join(p.args[1:] or ["y"]) + "\n"
    while True:
        p.out(line * 64)
        yield from p.flush()


def tac(p: Process) -> Steps:
    for _, data in (yield from inputs(p, p.args[1:])):
        p.out(b"".join(reversed(lines_of(data))))
    return int(failed(p))


def rev(p: Process) -> Steps:
    for _, data in (yield from inputs(p, p.args[1:])):
        p.out("".join(text(line).rstrip("\n")[::-1] + "\n" for line in lines_of(data)))
    return int(failed(p))


def nl(p: Process) -> Steps:
    options, names = parse(p, "b:", {"body-numbering": "b"})
    number = 0
    for _, data in (yield from inputs(p, names)):
        for line in lines_of(data):
            counted = line != b"\n" or options.get("b") == ["a"]
            number += counted
            p.out(f"{number:6}\t{text(line)}" if counted else "       \n")
    return int(failed(p))


def checksum(p: Process) -> Steps:
    algorithm = p.name.removesuffix("sum")
    options, names = parse(p, "cbt", {"check": "c", "quiet": "q", "status": "s"})
    found = yield from inputs(p, names)
    if "c" not in options:
        for name, data in found:
            p.out(f"{hashlib.new(algorithm, data).hexdigest()}  {name}\n")
        return int(failed(p))
    wrong = 0
    for line in [text(line).rstrip("\n") for _, data in found for line in lines_of(data)]:
        digest, _, name = line.partition("  ")
        node = p.find(name)
        good = node is not None and hashlib.new(algorithm, p.files.data(node)).hexdigest() == digest
        p.out(f"{name}: {'OK' if good else 'FAILED'}\n")
        wrong += not good
    if wrong:
        p.complain(f"WARNING: {wrong} computed checksum{'s' if wrong > 1 else ''} did NOT match")
    return int(bool(wrong) or failed(p))


# -- grep ---------------------------------------------------------------------------------------------------

GREP_LONG = {"extended-regexp": "E", "fixed-strings": "F", "ignore-case": "i", "invert-match": "v", "line-number": "n", "count": "c", "files-with-matches": "l", "files-without-match": "L", "only-matching": "o", "quiet": "q", "silent": "q", "recursive": "r", "no-filename": "h", "with-filename": "H", "word-regexp": "w", "line-regexp": "x", "regexp": "e", "file": "f", "no-messages": "s", "max-count": "m", "after-context": "A", "before-context": "B", "context": "C", "color": "0", "colour": "0", "text": "a", "include": "I"}  # fmt: skip


def grep(p: Process) -> Steps:
    p.args = [p.args[0], *(f"-C{word[1:]}" if re.fullmatch(r"-\d+", word) else word for word in p.args[1:])]
    options, names = parse(p, "EFGPivnclLoqrRhHwxe:f:sm:A:B:C:aI:0z", GREP_LONG)
    patterns = list(options.get("e", []))
    if not patterns and "f" not in options:
        if not names:
            p.err(f"Usage: {p.name} [OPTION]... PATTERNS [FILE]...\nTry '{p.name} --help' for more information.")
            return 2
        patterns = [names.pop(0)]
    for name in options.get("f", []):
        patterns += text((yield from p.slurp(name))).rstrip("\n").split("\n")
    try:
        matcher = _matcher(p, patterns, options)
    except BadPattern as problem:
        return p.complain(str(problem), 2)
    return (yield from _searched(p, matcher, names, options))


def _matcher(p: Process, patterns: list[str], options: Options) -> list[re.Pattern[str]]:
    extended = "E" in options or p.name == "egrep"
    found = []
    for pattern in [line for pattern in patterns for line in pattern.split("\n")]:
        fixed = "F" in options or p.name == "fgrep"
        compiled = compile(re.sub(r"([\\.*\[\]^$])", r"\\\1", pattern) if fixed else pattern, extended=extended and not fixed, ignore_case="i" in options)
        source = compiled.pattern
        source = rf"(?<!\w)(?:{source})(?!\w)" if "w" in options else rf"\A(?:{source})\Z" if "x" in options else source
        found.append(re.compile(source, re.I if "i" in options else 0))
    return found


def _searched(p: Process, matcher: list[re.Pattern[str]], names: list[str], options: Options) -> Steps:
    recursive = bool(options.keys() & {"r", "R"})
    files = list(_below(p, names or ["."], options)) if recursive else names or ["-"]
    titled = ("H" in options or len(files) > 1 or recursive) and "h" not in options
    any_match = trouble_seen = False
    for name in files:
        try:
            data = yield from p.slurp(name)
        except Refusal as refusal:
            trouble_seen = True
            if "s" not in options:
                p.complain(f"{name}: {refusal}")
            continue
        matched = _one_file(p, matcher, "(standard input)" if name == "-" else name, data, options, titled)
        any_match = any_match or matched
        if matched and "q" in options:
            return 0
    return 2 if trouble_seen and not ("q" in options and any_match) else int(not any_match)


def _below(p: Process, names: list[str], options: Options) -> Iterator[str]:
    from imagelab.runtime.shell.patterns import matches

    for name in names:
        node = p.find(name)
        if node is None or not node.is_directory:
            yield name
            continue
        for path in p.files.walk(p.user, p.path(name)):
            found = p.find(path, follow=False)
            wanted = options.get("I") is None or any(matches(glob, path.rpartition("/")[2]) for glob in options["I"])
            if found is not None and found.kind == "file" and wanted:
                rest = path.removeprefix(p.path(name).rstrip("/")).lstrip("/")
                yield rest if name == "." and len(names) == 1 and not p.args[-1] == "." else f"{name.rstrip('/')}/{rest}"


def _one_file(p: Process, matcher: list[re.Pattern[str]], name: str, data: bytes, options: Options, titled: bool) -> bool:
    lines = [text(line.rstrip(b"\n")) for line in lines_of(data)]
    most = int(options["m"][-1]) if "m" in options else len(lines)
    hits = []
    for at, line in enumerate(lines):
        if len(hits) < most and any(pattern.search(line) for pattern in matcher) != ("v" in options):
            hits.append(at)
    prefix = f"{name}:" if titled else ""
    if "q" in options:
        return bool(hits)
    if "c" in options:
        p.out(f"{prefix}{len(hits)}\n")
    elif "l" in options or "L" in options:
        p.out(f"{name}\n" if bool(hits) == ("l" in options) else "")
    elif b"\0" in data and "a" not in options and hits:
        p.out(f"{p.name}: {name}: binary file matches\n")
    else:
        _shown_lines(p, matcher, lines, hits, options, name if titled else "")
    return bool(hits)


def _shown_lines(p: Process, matcher: list[re.Pattern[str]], lines: list[str], hits: list[int], options: Options, name: str) -> None:
    before = int(options.get("B", options.get("C", ["0"]))[-1])
    after = int(options.get("A", options.get("C", ["0"]))[-1])
    shown: dict[int, str] = {}
    for hit in hits:
        for at in range(max(hit - before, 0), min(hit + after + 1, len(lines))):
            shown[at] = ":" if at == hit else shown.get(at, "-")
    last = -1
    for at in sorted(shown):
        mark = shown[at]
        if (before or after) and last >= 0 and at > last + 1:
            p.out("--\n")
        last = at
        head = (f"{name}{mark}" if name else "") + (f"{at + 1}{mark}" if "n" in options else "")
        if "o" not in options:
            p.out(f"{head}{lines[at]}\n")
        elif "v" not in options:
            for found in matcher[0].finditer(lines[at]) if len(matcher) == 1 else _all(matcher, lines[at]):
                p.out(f"{head}{found[0]}\n" if found[0] else "")


def _all(matcher: list[re.Pattern[str]], line: str) -> list[re.Match[str]]:
    return sorted((match for pattern in matcher for match in pattern.finditer(line)), key=lambda match: match.start())


# -- xargs --------------------------------------------------------------------------------------------------


def xargs(p: Process) -> Steps:
    options, command = parse(p, "n:I:0d:rL:tP:s:", {"max-args": "n", "null": "0", "delimiter": "d", "no-run-if-empty": "r", "replace": "I", "verbose": "t"}, mixed=False)  # fmt: skip
    command = command or ["echo"]
    data = yield from p.read_all()
    if "0" in options or "d" in options:
        separator = b"\0" if "0" in options else raw(unescape(options["d"][-1], "[0-7]{1,3}"))
        words = [text(word) for word in data.removesuffix(separator).split(separator)] if data else []
    elif "I" in options or "L" in options:
        words = [line.strip() for line in text(data).splitlines() if line.strip()]
    else:
        words = [re.sub(r"\\(.)|'([^']*)'|\"([^\"]*)\"", lambda m: m[1] or m[2] or m[3] or "", word) for word in re.findall(r"(?:\\.|'[^']*'|\"[^\"]*\"|[^\s\\'\"])+", text(data))]
    status = 0
    for arguments in _batches(command, words, options):
        if "t" in options:
            p.err(" ".join(arguments))
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


def _batches(command: list[str], words: list[str], options: Options) -> Iterator[list[str]]:
    if "I" in options:
        for word in words:
            yield [part.replace(options["I"][-1], word) for part in command]
        return
    size = int((options.get("n") or options.get("L") or ["5000"])[-1])
    if not words and "r" not in options:
        yield command
    for at in range(0, len(words), size):
        yield [*command, *words[at : at + size]]


PROGRAMS: dict[str, Program] = {
    "cat": cat, "head": head, "tail": tail, "wc": wc, "sort": sort, "uniq": uniq, "cut": cut, "tr": tr, "tee": tee, "seq": seq,
    "paste": paste, "yes": yes, "tac": tac, "rev": rev, "nl": nl, "sha256sum": checksum, "md5sum": checksum, "sha1sum": checksum,
    "grep": grep, "egrep": grep, "fgrep": grep, "xargs": xargs,
}  # fmt: skip
