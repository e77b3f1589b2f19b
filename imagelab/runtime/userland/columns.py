"""Putting lines in order, and taking them apart: sort, uniq, cut, tr."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from imagelab.runtime.process import Process, Program, Steps, raw, text
from imagelab.runtime.shell.words import unescape
from imagelab.runtime.userland.options import BadOption, Options, parse
from imagelab.runtime.userland.text import failed, inputs, lines_of

# -- sort ------------------------------------------------------------------------------------


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
    options, names = parse(
        p,
        "cduif:s:w:",
        {"count": "c", "repeated": "d", "unique": "u", "ignore-case": "i", "skip-fields": "f", "skip-chars": "s"},
    )
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
            raise BadOption(
                "byte/character positions are numbered from 1" if "f" not in p.args[1] else "fields are numbered from 1"
            )
        found.append((first, int(match[3]) if match[3] else (1 << 30 if match[2] else first)))
    return found


def cut(p: Process) -> Steps:
    options, names = parse(p, "d:f:c:b:sn", {"delimiter": "d", "fields": "f", "characters": "c", "bytes": "b", "only-delimited": "s", "output-delimiter": "O", "complement": "C"})  # fmt: skip
    kind = next((letter for letter in "fcb" if letter in options), "")
    if not kind:
        raise BadOption(
            "you must specify a list of bytes, characters, or fields\nTry 'cut --help' for more information."
        )
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
        raise BadOption(
            f"missing operand after ‘{sets[0]}’\nTwo strings must be given when translating.\nTry 'tr --help' for more information."
        )
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


PROGRAMS: dict[str, Program] = {"sort": sort, "uniq": uniq, "cut": cut, "tr": tr}
