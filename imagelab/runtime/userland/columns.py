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
_TIMES = rb"0?[0-7]{0,6}|[1-9]\d{0,6}"
_MEMBER = re.compile(rb"\[:(\w+):\]|\[=(%b)=\]|\[(%b)\*(%b)\]|(%b)-(%b)|(%b)" % (_ONE, _ONE, _TIMES, *[_ONE] * 3), re.S)


def _byte(member: bytes) -> int:
    if member[:1] != b"\\" or len(member) == 1:
        return member[0]
    return int(member[1:], 8) & 255 if member[1:].isdigit() else _ESCAPES.get(member[1:], member[1:])[0]


def _class(name: str, *, translated_to: bool) -> bytes:
    if name not in CLASSES:
        raise BadOption(f"invalid character class ‘{name}’")
    if translated_to and name not in ("upper", "lower"):
        only = "the only character classes that may appear in\nstring2 are 'upper' and 'lower'"
        raise BadOption(f"when translating, {only}")
    return bytes(code for code in range(128) if re.match(f"[{CLASSES[name]}]", chr(code)))


def _set(asked: str, *, translated_to: bool = False, size: int = 0) -> bytes:
    """The bytes a set stands for; `[x*]` fills it up to `size`."""
    out, at, filler = bytearray(), 0, b""
    for name, same, repeated, times, first, last, single in _MEMBER.findall(raw(asked)):
        if name:
            out += _class(name.decode(), translated_to=translated_to)
        elif last:
            if _byte(last) < _byte(first):
                ends = f"{text(first)}-{text(last)}"
                raise BadOption(f"range-endpoints of '{ends}' are in reverse collating sequence order")
            out += bytes(range(_byte(first), _byte(last) + 1))
        elif repeated and not int(times or b"0", 8 if times[:1] == b"0" else 10):
            if not translated_to:
                raise BadOption("the [c*] repeat construct may not appear in string1")
            at, filler = len(out), bytes([_byte(repeated)])
        else:
            out += bytes([_byte(same or repeated or single)]) * int(times or b"1", 8 if times[:1] == b"0" else 10)
    return bytes(out[:at] + filler * (size - len(out)) + out[at:])


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
    second = _set(sets[1], translated_to=translates, size=len(first)) if len(sets) > 1 else b""
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

SORT_LONG = {"numeric-sort": "n", "reverse": "r", "unique": "u", "key": "k", "field-separator": "t", "ignore-case": "f", "human-numeric-sort": "h", "output": "o", "stable": "s", "ignore-leading-blanks": "b", "check": "c", "dictionary-order": "d", "merge": "m"}  # fmt: skip


def sort(p: Process) -> Steps:
    """`sort [-bcCdfhmnrsu] [-t char] [-k field[.char][,field[.char]][bdfhnr]]… [-o file] [file…]`"""
    options, names = parse(p, "nruk:t:fbho:scCdm", SORT_LONG)
    keys = _keys(options)
    if (checks := sorted(options.keys() & {"c", "C"})) and len(names) > 1:
        raise BadOption(f"extra operand '{names[1]}' not allowed with -{checks[-1]}")
    files, failed = yield from inputs(p, names)
    if failed:
        return 2
    lines = [line.removesuffix(b"\n") for _, data in files for line in lines_of(data)]
    if checks:
        for number, pair in enumerate(itertools.pairwise(lines), 2):
            if _ordered([*pair], keys, options) != [*pair]:
                problem = f"{(names or ['-'])[0]}:{number}: disorder: {text(pair[1])}"
                return p.complain(problem) if "c" in options else 1
        return 0
    data = b"".join(line + b"\n" for line in _ordered(lines, keys, options))
    if "o" in options:
        p.files.write_file(p.user, p.path(options["o"][-1]), data)
    else:
        p.out(data)
    return 0


def _ordered(lines: list[bytes], keys: list[_Key], options: Options) -> list[bytes]:
    lines = lines if options.keys() & {"s", "u"} else sorted(lines, reverse="r" in options)
    for key in reversed(keys):
        lines = sorted(lines, key=key.value, reverse="r" in key.letters)
    if "u" in options:
        equal = itertools.groupby(lines, lambda line: [key.value(line) for key in keys])
        lines = [next(group) for _, group in equal]
    return lines


def _keys(options: Options) -> list[_Key]:
    separator = options.get("t", [" "])[-1]
    if len(separator) != 1:
        raise BadOption(f"multi-character tab ‘{separator}’" if separator else "empty tab")
    byte, letters = raw(separator) if "t" in options else None, set("".join(options)) & set("bdfhnr")
    return [_key(asked, byte, letters) for asked in options["k"]] if "k" in options else [_Key(letters)]


def _key(asked: str, separator: bytes | None, letters: set[str]) -> _Key:
    """`2.3nr,4`. BadOption in sort's words."""
    match = re.fullmatch(r"(\d{1,9})(?:\.(\d{1,9}))?([bdfhnr]*)(?:,(\d{1,9})(?:\.(\d{1,9}))?([bdfhnr]*))?", asked)
    if match is None:
        raise BadOption(f"invalid field specification ‘{asked}’")
    first, char, last, end = (int(number) for number in (match[1], match[2] or 1, match[4] or END, match[5] or 0))
    if not first or not last or not char:
        problem = "-" if first and char else f"{'character offset' if first else 'field number'} is zero"
        raise BadOption(f"{problem}: invalid field specification ‘{asked}’")
    return _Key(set(match[3] + (match[6] or "")) or letters, separator, first, char, last, end)


@dataclass(frozen=True)
class _Key:
    """What lines are compared by: from a character of one field to a character (0: the end) of another."""

    letters: set[str]
    separator: bytes | None = None
    first: int = 1
    char: int = 1
    last: int = END
    end: int = 0

    def value(self, line: bytes) -> Any:
        """What of a line is compared."""
        fields = self._fields(line)
        begin = self._place(fields, self.first, self.char - 1)
        end = self._place(fields, self.last, self.end) if self.end else len(b"".join(fields[: self.last]))
        chosen = line[begin:end]
        if not self.end and self.last < len(fields):
            chosen = chosen.removesuffix(self.separator or b"")
        if self.letters & {"n", "h"}:
            return _number(chosen, human="h" in self.letters)
        chosen = re.sub(rb"[^A-Za-z0-9 \t]", b"", chosen) if "d" in self.letters else chosen
        return chosen.upper() if "f" in self.letters else chosen

    def _place(self, fields: list[bytes], field: int, char: int) -> int:
        here = b"".join(fields[field - 1 : field])
        blanks = len(here) - len(here.lstrip(b" \t")) if "b" in self.letters else 0
        return len(b"".join(fields[: field - 1])) + blanks + char

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

UNIQ_LONG = {"count": "c", "repeated": "d", "unique": "u", "ignore-case": "i", "skip-fields": "f", "skip-chars": "s"}


def uniq(p: Process) -> Steps:
    """`uniq [-cdiu] [-f fields] [-s chars] [input [output]]`"""
    options, names = parse(p, "cduif:s:", UNIQ_LONG)
    if len(names) > 2:
        raise bad(p, f"extra operand ‘{names[2]}’")
    skipped = {"f": options.get("f", ["0"])[-1], "s": options.get("s", ["0"])[-1]}
    for letter, value in skipped.items():
        if not re.fullmatch(r"\d{1,9}", value):
            raise BadOption(f"{value}: invalid number of {'fields' if letter == 'f' else 'bytes'} to skip")
    front = re.compile(rb"(?:[ \t]*[^ \t]+){0,%b}.{0,%b}" % (raw(skipped["f"]), raw(skipped["s"])), re.S)
    files, failed = yield from inputs(p, names[:1])
    if failed:
        return 1

    def key(line: bytes) -> bytes:
        line = front.sub(b"", line, count=1)
        return line.lower() if "i" in options else line

    out = b""
    for _, group in itertools.groupby((line.removesuffix(b"\n") for line in lines_of(files[0][1])), key):
        lines = list(group)
        if not ("d" in options and len(lines) < 2 or "u" in options and len(lines) > 1):
            out += (b"%7d " % len(lines) if "c" in options else b"") + lines[0] + b"\n"
    if len(names) > 1:
        p.files.write_file(p.user, p.path(names[1]), out)
    else:
        p.out(out)
    return 0


PROGRAMS: dict[str, Program] = {"cut": cut, "tr": tr, "sort": sort, "uniq": uniq}
