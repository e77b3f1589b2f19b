"""Lines, taken apart and put in order: cut, tr, sort, uniq."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any

from imagelab.runtime.process import Process, Program, Steps
from imagelab.runtime.shell.patterns import CLASSES
from imagelab.runtime.streams import raw, text
from imagelab.runtime.userland.lines import each_batch, inputs, lines_of
from imagelab.runtime.userland.options import BadOption, Options, bad, parse

END = 1 << 30

# -- cut ------------------------------------------------------------------------------------------------------


def _range(p: Process, part: str, kind: str) -> tuple[int, int]:
    unit = "field value" if kind == "f" else "byte/character position"
    match = re.fullmatch(r"(\d*)(-?)(\d*)", part)
    if match is None:
        raise bad(p, f"invalid {unit} ‘{part}’")
    if part == "-":
        raise bad(p, "invalid range with no endpoint: -")
    first, last = int(match[1] or bool(match[2])), int(match[3] or (END if match[2] else match[1] or 0))
    if first == 0:
        raise bad(p, f"{'fields' if kind == 'f' else unit + 's'} are numbered from 1")
    if last < first:
        raise bad(p, "invalid decreasing range")
    return first, last


def _ranges(p: Process, asked: str, kind: str) -> list[tuple[int, int]]:
    """`1,3-5,7-`, in order, with ranges that overlap joined."""
    joined = list[tuple[int, int]]()
    for first, last in sorted(_range(p, part, kind) for part in re.split("[, ]", asked)):
        if joined and first <= joined[-1][1]:
            first, last = joined[-1][0], max(joined.pop()[1], last)
        joined.append((first, last))
    return joined


def cut(p: Process) -> Steps:
    """`cut -f list [-d char] [-s] | -c list | -b list [file…]`"""
    options, names = parse(p, "d:f:c:b:sn", {"delimiter": "d", "fields": "f", "characters": "c", "bytes": "b", "only-delimited": "s"})  # fmt: skip
    kinds = [letter for letter in "fcb" for _ in options.get(letter, [])]
    delimiter = raw(options.get("d", ["\t"])[-1]) or b"\0"
    by_field = kinds == ["f"]
    problems = {
        "only one list may be specified": len(kinds) > 1,
        "you must specify a list of bytes, characters, or fields": not kinds,
        "the delimiter must be a single character": len(delimiter) > 1,
        "an input delimiter may be specified only when operating on fields": "d" in options and not by_field,
        "suppressing non-delimited lines makes sense\n\tonly when operating on fields": "s" in options and not by_field,
    }
    if wrong := [problem for problem, applies in problems.items() if applies]:
        raise bad(p, wrong[0])
    ranges = _ranges(p, options[kinds[0]][-1], kinds[0])

    def chosen(line: bytes) -> bytes:
        line = line.removesuffix(b"\n")
        if not by_field:
            return b"".join(line[first - 1 : last] for first, last in ranges) + b"\n"
        if delimiter not in line:
            return b"" if "s" in options else line + b"\n"
        cells = line.split(delimiter)
        return delimiter.join(cell for first, last in ranges for cell in cells[first - 1 : last]) + b"\n"

    return (yield from each_batch(p, names, lambda batch: b"".join(map(chosen, batch))))


# -- tr -------------------------------------------------------------------------------------------------------

_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_ONE = rb"\\[0-7]{1,3}|\\.|[^\\]|\\\Z"
_MEMBER = re.compile(rb"\[:(\w+):\]|(%b)-(%b)|(%b)" % ((_ONE,) * 3), re.S)


def _byte(member: bytes) -> int:
    if member[:1] != b"\\" or len(member) == 1:
        return member[0]
    return int(member[1:], 8) & 255 if member[1:].isdigit() else _ESCAPES.get(member[1:], member[1:])[0]


def _class(name: str, *, translated_to: bool) -> bytes:
    if name not in CLASSES:
        raise BadOption(f"invalid character class ‘{name}’")
    if translated_to and name not in ("upper", "lower"):
        raise BadOption(
            "when translating, the only character classes that may appear in\nstring2 are 'upper' and 'lower'"
        )
    return bytes(code for code in range(128) if re.match(f"[{CLASSES[name]}]", chr(code)))


def _set(asked: str, *, translated_to: bool = False) -> bytes:
    """The bytes a set stands for."""
    out = bytearray()
    for name, first, last, single in _MEMBER.findall(raw(asked)):
        if name:
            out += _class(name.decode(), translated_to=translated_to)
        elif last:
            if _byte(last) < _byte(first):
                ends = f"{text(first)}-{text(last)}"
                raise BadOption(f"range-endpoints of '{ends}' are in reverse collating sequence order")
            out += bytes(range(_byte(first), _byte(last) + 1))
        else:
            out.append(_byte(single))
    return bytes(out)


def _check_operands(p: Process, sets: list[str], options: Options) -> None:
    least = 1 if len(options.keys() & {"d", "s"}) == 1 else 2
    most = 1 if least == 1 and "d" in options else 2
    if len(sets) < least:
        raise bad(p, f"missing operand after ‘{sets[0]}’" if sets else "missing operand")
    if len(sets) > most:
        raise bad(p, f"extra operand ‘{sets[most]}’")


def tr(p: Process) -> Steps:
    """`tr [-cds] set [set]`"""
    options, sets = parse(p, "dscC", {"delete": "d", "squeeze-repeats": "s", "complement": "c"}, mixed=False)
    _check_operands(p, sets, options)
    first = _set(sets[0])
    if options.keys() & {"c", "C"}:
        first = bytes(code for code in range(256) if code not in first)
    translates = len(sets) > 1 and "d" not in options
    second = _set(sets[1], translated_to=translates) if len(sets) > 1 else b""
    if translates and not second:
        raise BadOption("when not truncating set1, string2 must be non-empty")
    table = bytearray(range(256))
    for index, code in enumerate(first if translates else b""):
        table[code] = second[min(index, len(second) - 1)]
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


# -- sort -----------------------------------------------------------------------------------------------------

SORT_LONG = {"numeric-sort": "n", "reverse": "r", "unique": "u", "key": "k", "field-separator": "t", "ignore-case": "f", "human-numeric-sort": "h", "output": "o", "stable": "s", "ignore-leading-blanks": "b"}  # fmt: skip


def sort(p: Process) -> Steps:
    """`sort [-bfhnrsu] [-t char] [-k first[,last][bfhnr]]… [-o file] [file…]`"""
    options, names = parse(p, "nruk:t:fbho:s", SORT_LONG)
    keys = _keys(options)
    files, failed = yield from inputs(p, names)
    if failed:
        return 2
    lines = [line.removesuffix(b"\n") for _, data in files for line in lines_of(data)]
    if not options.keys() & {"s", "u"}:
        lines.sort(reverse="r" in options)
    for key in reversed(keys):
        lines.sort(key=key.value, reverse="r" in key.letters)
    if "u" in options:
        equal = itertools.groupby(lines, lambda line: [key.value(line) for key in keys])
        lines = [next(group) for _, group in equal]
    data = b"".join(line + b"\n" for line in lines)
    if "o" in options:
        p.files.write_file(p.user, p.path(options["o"][-1]), data)
    else:
        p.out(data)
    return 0


def _keys(options: Options) -> list[_Key]:
    separator = options.get("t", [" "])[-1]
    if len(separator) != 1:
        raise BadOption(f"multi-character tab ‘{separator}’" if separator else "empty tab")
    byte, letters = raw(separator) if "t" in options else None, set("".join(options)) & set("bfhnr")
    return [_key(asked, byte, letters) for asked in options["k"]] if "k" in options else [_Key(letters)]


def _key(asked: str, separator: bytes | None, letters: set[str]) -> _Key:
    """`2nr,4`. BadOption in sort's words."""
    match = re.fullmatch(r"(\d+)([bfhnr]*)(?:,(\d+)([bfhnr]*))?", asked)
    if match is None:
        raise BadOption(f"invalid field specification ‘{asked}’")
    first, last = int(match[1]), int(match[3] or END)
    if not first or not last:
        problem = "-" if first else "field number is zero"
        raise BadOption(f"{problem}: invalid field specification ‘{asked}’")
    return _Key(set(match[2] + (match[4] or "")) or letters, separator, first, last)


@dataclass(frozen=True)
class _Key:
    """What lines are compared by: the fields from one to another."""

    letters: set[str]
    separator: bytes | None = None
    first: int = 1
    last: int = END

    def value(self, line: bytes) -> Any:
        """What of a line is compared."""
        chosen = b"".join(self._fields(line)[self.first - 1 : self.last])
        chosen = chosen.removesuffix(self.separator or b"") if self.last < END else chosen
        if self.letters & {"n", "h"}:
            return _number(chosen, human="h" in self.letters)
        chosen = chosen.lstrip(b" \t") if "b" in self.letters else chosen
        return chosen.upper() if "f" in self.letters else chosen

    def _fields(self, line: bytes) -> list[bytes]:
        """With what divides them: the blanks before a field are its own, a separator belongs to the field before."""
        if self.separator is None:
            return re.findall(rb"[ \t]*[^ \t]+|[ \t]+", line)
        cells = line.split(self.separator)
        return [cell + self.separator for cell in cells[:-1]] + cells[-1:]


def _number(chosen: bytes, *, human: bool) -> float:
    match = re.match(rb"[ \t]*(-?\d*\.?\d*)([KMGTPkE]?)", chosen)
    if match is None or match[1] in (b"", b"-", b".", b"-."):
        return 0.0
    power = b"KMGTPE".find(match[2].upper()) + 1 if match[2] and human else 0
    return float(match[1]) * float(1024**power)


# -- uniq -----------------------------------------------------------------------------------------------------

UNIQ_LONG = {"count": "c", "repeated": "d", "unique": "u", "ignore-case": "i"}


def uniq(p: Process) -> Steps:
    """`uniq [-cdiu] [input]`"""
    options, names = parse(p, "cdui", UNIQ_LONG)
    if len(names) > 1:
        raise bad(p, f"extra operand ‘{names[1]}’")
    files, failed = yield from inputs(p, names)
    if failed:
        return 1

    def key(line: bytes) -> bytes:
        return line.lower() if "i" in options else line

    out = b""
    for _, group in itertools.groupby((line.removesuffix(b"\n") for line in lines_of(files[0][1])), key):
        lines = list(group)
        if not ("d" in options and len(lines) < 2 or "u" in options and len(lines) > 1):
            out += (b"%7d " % len(lines) if "c" in options else b"") + lines[0] + b"\n"
    p.out(out)
    return 0


PROGRAMS: dict[str, Program] = {"cut": cut, "tr": tr, "sort": sort, "uniq": uniq}
