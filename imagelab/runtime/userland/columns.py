"""Putting lines in order: sort, uniq."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from typing import Any

from imagelab.runtime.process import Process, Program, Steps, raw, text
from imagelab.runtime.userland.lines import lines_of
from imagelab.runtime.userland.options import BadOption, Options, bad, parse
from imagelab.runtime.userland.text import failed, inputs

# -- sort ------------------------------------------------------------------------------------


SORT_LONG = {"numeric-sort": "n", "reverse": "r", "unique": "u", "key": "k", "field-separator": "t", "ignore-case": "f", "human-numeric-sort": "h", "version-sort": "V", "check": "c", "output": "o", "stable": "s", "general-numeric-sort": "g", "dictionary-order": "d", "ignore-leading-blanks": "b"}  # fmt: skip


def sort(p: Process) -> Steps:
    """`sort [-bdfghnrsuV] [-c|-C] [-t char] [-k key]… [-o file] [file…]`"""
    options, names = parse(p, "nruk:t:fbhVcCo:sgidM", SORT_LONG)
    separator = options.get("t", [" "])[-1]
    if len(separator) != 1 and separator != "\\0":
        raise BadOption(f"multi-character tab ‘{separator}’" if separator else "empty tab")
    keys = [_sort_key(asked, options) for asked in options.get("k", ["1"])]
    checks = options.keys() & {"c", "C"}
    if checks and len(names) > 1:
        raise BadOption(f"extra operand '{names[1]}' not allowed with -{min(checks, key='Cc'.index)}")
    found = yield from inputs(p, names)
    if failed(p):
        return 2
    lines = [line.removesuffix(b"\n") for _, data in found for line in lines_of(data)]
    last_resort = not options.keys() & {"s", "u"}

    def order(line: bytes) -> tuple[Any, ...]:
        return tuple(key(line) for key in keys)

    def whole(line: bytes) -> Any:
        return (order(line), _Reversed(line) if "r" in options else line) if last_resort else order(line)

    if checks:
        return _check_order(p, lines, order if "u" in options else whole, options, names)
    ordered = sorted(lines, key=whole)
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


_KEY = re.compile(
    r"(?P<first>\d+)(?:\.(?P<char>\d+))?(?P<own>[a-zA-Z]*)(?:,(?P<last>\d+)(?:\.(?P<end>\d+))?(?P<more>[a-zA-Z]*))?"
)


def _key_parts(asked: str) -> re.Match[str]:
    """`2.3nr,4`, taken apart. BadOption in sort's words."""
    match = _KEY.match(asked)
    if match is None:
        raise BadOption(f"invalid number at field start: invalid count at start of ‘{asked}’")
    rest = asked[match.end() :]
    if rest.startswith(","):
        raise BadOption(f"invalid number after ',': invalid count at start of ‘{rest[1:]}’")
    if match["first"] == "0" or match["last"] == "0" and match["end"] is None:
        raise BadOption(
            f"{'-' if match['first'] != '0' else 'field number is zero'}: invalid field specification ‘{asked}’"
        )
    if rest or set(match["own"] + (match["more"] or "")) - set("bdfghinrMRV"):
        raise BadOption(f"stray character in field spec: invalid field specification ‘{asked}’")
    return match


def _sort_key(asked: str, options: Options) -> Callable[[bytes], Any]:
    match = _key_parts(asked)
    own = match["own"] + (match["more"] or "")
    letters = set(own) or set("".join(options))
    separator = raw(options["t"][-1]).replace(b"\\0", b"\0") if "t" in options else None

    def fields(line: bytes) -> list[tuple[int, int]]:
        """Where each field begins and ends; without -t the blanks before it are its own."""
        pattern = rb"[ \t]*[^ \t]*" if separator is None else rb"[^%b]*" % re.escape(separator)
        found, at = [], 0
        while True:
            end = re.compile(pattern).match(line, at).end()  # type: ignore[union-attr]
            found.append((at, end))
            if end >= len(line):
                return found
            at = end if separator is None else end + 1

    def place(line: bytes, field: int, char: int, skips: bool) -> int:
        found = fields(line)
        if field > len(found):
            return len(line)
        at = found[field - 1][0]
        blanks = len(line[at:]) - len(line[at:].lstrip(b" \t")) if skips else 0
        return min(at + blanks + char - 1, len(line))

    def chosen(line: bytes) -> bytes:
        if "k" not in options:
            return line
        begin = place(line, int(match["first"]), int(match["char"] or 1), "b" in letters)
        if match["last"] is None:
            return line[begin:]
        last, end = int(match["last"]), int(match["end"] or 0)
        found = fields(line)
        stop = (
            place(line, last, end + 1, "b" in letters)
            if end
            else found[last - 1][1]
            if last <= len(found)
            else len(line)
        )
        return line[begin:stop]

    def key(line: bytes) -> Any:
        value = _measured(chosen(line), letters)
        return _Reversed(value) if "r" in letters else value

    return key


def _measured(chosen: bytes, letters: set[str]) -> Any:
    if letters & {"n", "h", "g"}:
        number = (
            rb"[ \t]*(-?\d*\.?\d*)" if "g" not in letters else rb"[ \t]*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|)"
        )
        found = re.match(number + rb"([KMGTPkE]?)", chosen)
        known = found is not None and found[1] not in (b"", b"-", b".", b"-.")
        if "g" in letters and not known:
            return -math.inf
        power = b"KMGTPE".find(found[2].upper()) + 1 if found and found[2] and "h" in letters else 0
        return float(found[1]) * 1024**power if found and known else 0.0
    if "V" in letters:
        return _version(text(chosen))
    chosen = chosen.lstrip(b" \t") if "b" in letters else chosen
    chosen = bytes(b for b in chosen if chr(b).isalnum() and b < 128 or b in b" \t") if "d" in letters else chosen
    return chosen.upper() if "f" in letters else chosen


def _version(name: str) -> Any:
    """The order of versions: digits as numbers, `~` before the end, letters before other signs; endings count last."""

    def parts(value: str) -> list[Any]:
        found: list[Any] = []
        for words, digits in re.findall(r"(\D*)(\d*)", value):
            signs = [(-1 if c == "~" else ord(c) if c.isalpha() else ord(c) + 256) for c in words]
            found += [[*signs, 0], int(digits or 0)] if words or digits else []
        return found

    stem = re.sub(r"(\.[A-Za-z~][A-Za-z0-9~]*)*$", "", name)
    return parts(stem) + [[0]], parts(name) + [[0]]


def _check_order(
    p: Process, lines: list[bytes], order: Callable[[bytes], Any], options: Options, names: list[str]
) -> int:
    for at in range(1, len(lines)):
        before, here = order(lines[at - 1]), order(lines[at])
        if here < before or ("u" in options and here == before):
            where = f"{names[0] if names else '-'}:{at + 1}: disorder: {text(lines[at])}"
            return 1 if "C" in options else p.complain(where)
    return 0


UNIQ_LONG = {"count": "c", "repeated": "d", "unique": "u", "ignore-case": "i", "skip-fields": "f", "skip-chars": "s", "check-chars": "w"}  # fmt: skip


def uniq(p: Process) -> Steps:
    """`uniq [-cdiu] [-f fields] [-s chars] [-w chars] [input [output]]`"""
    options, names = parse(p, "cduif:s:w:z", UNIQ_LONG)
    if len(names) > 2:
        raise bad(p, f"extra operand ‘{names[2]}’")
    numbers = {letter: _number(options[letter][-1], what) for letter, what in {"f": "fields to skip", "s": "bytes to skip", "w": "bytes to compare"}.items() if letter in options}  # fmt: skip
    found = yield from inputs(p, names[:1])
    if failed(p):
        return 1

    def key(line: bytes) -> bytes:
        for _ in range(numbers.get("f", 0)):
            line = re.sub(rb"^[ \t]*[^ \t]*", b"", line)
        line = line[numbers.get("s", 0) :][: numbers.get("w")]
        return line.lower() if "i" in options else line

    out = b""
    for _, group in itertools.groupby((line.removesuffix(b"\n") for line in lines_of(found[0][1])), key):
        lines = list(group)
        if not ("d" in options and len(lines) < 2 or "u" in options and len(lines) > 1):
            out += (b"%7d " % len(lines) if "c" in options else b"") + lines[0] + b"\n"
    if len(names) == 2 and names[1] != "-":
        p.files.write_file(p.user, p.path(names[1]), out)
    else:
        p.out(out)
    return 0


def _number(value: str, what: str) -> int:
    if not value.isdigit():
        raise BadOption(f"{value}: invalid number of {what}")
    return int(value)


PROGRAMS: dict[str, Program] = {"sort": sort, "uniq": uniq}
