"""Reading text, and making some: cat, head, tail, wc, tee, seq, paste, yes, tac, rev, nl, sha256sum.

Lines are bytes up to and with their newline; the last may have none. Whatever may go on without end takes a turn with
each piece, so that `yes | head -1` ends.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator
from typing import Any

from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Process, Program, Steps, raw, text
from imagelab.runtime.shell.words import unescape
from imagelab.runtime.userland.options import BadOption, Options, parse

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
    options, names = parse(
        p,
        "nbAETsvetu",
        {
            "number": "n",
            "number-nonblank": "b",
            "show-all": "A",
            "show-ends": "E",
            "show-tabs": "T",
            "squeeze-blank": "s",
        },
    )
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
    if len(p.args) > 1 and re.fullmatch(r"-\d+", p.args[1]):
        p.args = [p.args[0], f"-n{p.args[1][1:]}", *p.args[2:]]


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
    status = 0
    for at, name in enumerate(names or ["-"]):
        try:
            if value.startswith("-"):
                data = yield from p.slurp(name)
                _title(p, name, options, len(names), at)
                pieces: Any = data if "c" in options else lines_of(data)
                cut = pieces[: max(len(pieces) - count, 0)]
                p.out(cut if "c" in options else b"".join(cut))
                continue
            slot = 0 if name == "-" else max(p.fds) + 1
            if name != "-":
                p.fds[slot] = p.open(name).keep()
            _title(p, name, options, len(names), at)
            try:
                yield from _beginning(p, slot, count, by_bytes="c" in options)
            finally:
                if slot:
                    p.fds.pop(slot).drop()
        except Refusal as refusal:
            status = 1
            trouble(p, name, refusal)
    return status


def _beginning(p: Process, slot: int, count: int, *, by_bytes: bool) -> Steps:
    while count > 0:
        data = yield from p.read(slot, count if by_bytes else 65536)
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
        kept = (
            pieces[count - 1 if count else 0 :]
            if value.startswith("+")
            else pieces[len(pieces) - min(count, len(pieces)) :]
        )
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
    rows = (
        columns
        if "s" in options
        else [[c[at] if at < len(c) else b"" for c in columns] for at in range(max(map(len, columns), default=0))]
    )
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


PROGRAMS: dict[str, Program] = {
    "cat": cat, "head": head, "tail": tail, "wc": wc, "tee": tee, "seq": seq, "paste": paste, "yes": yes, "tac": tac, "rev": rev,
    "nl": nl, "sha256sum": checksum, "md5sum": checksum, "sha1sum": checksum,
}  # fmt: skip
