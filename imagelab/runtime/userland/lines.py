"""Text, worked on while it arrives: cat cut tr base64 yes.

A program that works line by line takes a batch of lines (what there is), writes what comes of it and lets the others
have a turn: so `yes | head -1` ends, and who follows a file sees each line when it is written. Lines are bytes up to
and with their newline; only the last of a file may have none. What is wrong with a file is said in the words of GNU's
programs, which then go on with the next one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import pairwise

from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Process, Program, Steps, raw, text
from imagelab.runtime.userland.options import BadOption, Options, bad, parse

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
    what, numbered = (
        ("field value", "fields") if kind == "f" else ("byte/character position", "byte/character positions")
    )
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
        "suppressing non-delimited lines makes sense\n\tonly when operating on fields": "s" in options
        and kinds != ["f"],
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


def escaped_byte(member: bytes) -> int:
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
                raise BadOption(
                    "when translating, the only character classes that may appear in\nstring2 are 'upper' and 'lower'"
                )
            out += bytes(code for code in range(128) if CLASSES[name.decode()](chr(code)))
        elif repeated and (not times or int(times, 8 if times[:1] == b"0" else 10) == 0):
            fill = len(out), bytes([escaped_byte(repeated)])
        elif last:
            if escaped_byte(last) < escaped_byte(first):
                raise BadOption(
                    f"range-endpoints of '{text(first)}-{text(last)}' are in reverse collating sequence order"
                )
            out += bytes(range(escaped_byte(first), escaped_byte(last) + 1))
        else:
            out += bytes([escaped_byte(same or repeated or single)]) * int(times or 1)
    at, filler = fill
    return bytes(out[:at] + filler * (size - len(out)) + out[at:])


def _tr_operands(p: Process, sets: list[str], options: Options) -> None:
    least = 1 if len(options.keys() & {"d", "s"}) == 1 else 2
    most = 1 if least == 1 and "d" in options else 2
    verb = "both deleting and squeezing repeats" if "d" in options else "translating"
    if len(sets) < least:
        raise bad(
            p,
            f"missing operand after ‘{sets[0]}’\nTwo strings must be given when {verb}." if sets else "missing operand",
        )
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


# -- base64, yes ------------------------------------------------------------------------------------------


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


PROGRAMS: dict[str, Program] = {"cat": cat, "cut": cut, "tr": tr, "base64": encoded, "yes": yes}
