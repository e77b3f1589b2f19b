"""Reading text, and making some: cat, head, tail, wc, tee, seq, yes, sha256sum, base64."""

from __future__ import annotations

import base64 as codec
import hashlib
import re
from collections.abc import Callable, Generator

from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import Process, Program, Steps
from imagelab.runtime.streams import Stream, text
from imagelab.runtime.userland.lines import each, each_batch, inputs, lines_of, unreadable
from imagelab.runtime.userland.options import BadOption, Options, bad, parse


def cat(p: Process) -> Steps:
    """`cat [-n] [file…]`"""
    options, names = parse(p, "nu", {"number": "n"})
    number, fresh = 0, True

    def numbered(batch: list[bytes]) -> bytes:
        nonlocal number, fresh
        out = b""
        for line in batch:
            number += fresh
            out += (b"%6d\t" % number if fresh else b"") + line
            fresh = line.endswith(b"\n")
        return out

    return (yield from each_batch(p, names, numbered if "n" in options else b"".join, split="n" in options))


# -- head, tail, wc ------------------------------------------------------------------------------------


def _old_style(p: Process) -> None:
    """`head -5` is `head -n 5`, `tail +5` is `tail -n +5`."""
    if len(p.args) > 1 and re.fullmatch(r"-\d+" if p.name == "head" else r"[-+]\d+", p.args[1]):
        p.args = [p.args[0], f"-n{p.args[1].lstrip('-')}", *p.args[2:]]


def _amount(options: Options) -> tuple[str, int, bool]:
    """(what was said, the number in it, is it of bytes?)"""
    by_bytes = "c" in options
    value = options.get("c", options.get("n", ["10"]))[-1]
    match = re.fullmatch(r"[-+]?(\d{1,18})([kKMG]?)", value)
    if match is None:
        raise BadOption(f"invalid number of {'bytes' if by_bytes else 'lines'}: ‘{value}’")
    return value, int(match[1]) << {"": 0, "k": 10, "K": 10, "M": 20, "G": 30}[match[2]], by_bytes


def head(p: Process) -> Steps:
    """`head [-n lines | -c bytes] [-q] [file…]`"""
    _old_style(p)
    options, names = parse(p, "n:c:q", {"lines": "n", "bytes": "c", "quiet": "q"})
    value, count, by_bytes = _amount(options)
    if value.startswith("-"):
        raise BadOption(f"{value}: only what a file begins with is shown in imagelab")
    status, shown = 0, 0
    for name in names or ["-"]:
        try:
            with p.opened(name) as slot:
                _title(p, name, options, len(names), shown)
                shown += 1
                yield from _beginning(p, slot, count, by_bytes=by_bytes)
        except Errno as error:
            status = unreadable(p, name, error)
    return status


def _beginning(p: Process, slot: int, count: int, *, by_bytes: bool) -> Generator[float, None, None]:
    while count > 0 and (data := (yield from p.read(slot, count if by_bytes else 65536))):
        lines = lines_of(data)
        piece = data if by_bytes else b"".join(lines[:count])
        count -= len(piece) if by_bytes else sum(line.endswith(b"\n") for line in lines[:count])
        p.out(piece)
        yield from p.flush()


def _title(p: Process, name: str, options: Options, total: int, index: int) -> None:
    if total > 1 and "q" not in options:
        p.out(("\n" if index else "") + f"==> {'standard input' if name == '-' else name} <==\n")


def tail(p: Process) -> Steps:
    """`tail [-n lines | -c bytes] [-fFq] [file…]`; `+5` begins with the fifth."""
    _old_style(p)
    options, names = parse(p, "n:c:fFq", {"lines": "n", "bytes": "c", "follow": "f", "quiet": "q"})
    value, count, by_bytes = _amount(options)
    files, failed = yield from inputs(p, names)
    for number, (name, data) in enumerate(files):
        _title(p, name, options, len(names), number)
        pieces = [data[place : place + 1] for place in range(len(data))] if by_bytes else lines_of(data)
        begin = max(count - 1, 0) if value.startswith("+") else max(len(pieces) - count, 0)
        p.out(b"".join(pieces[begin:]))
    if options.keys() & {"f", "F"} and files:
        yield from _follow(p, files[-1][0], len(files[-1][1]))
    return int(failed)


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


_MEASURES: dict[str, Callable[[bytes], int]] = {
    "l": lambda data: data.count(b"\n"),
    "w": lambda data: len(data.split()),
    "m": lambda data: len(text(data)),
    "c": len,
}


def wc(p: Process) -> Steps:
    """`wc [-lwmc] [file…]`"""
    options, names = parse(p, "lwcm", {"lines": "l", "words": "w", "bytes": "c", "chars": "m"})
    chosen = [letter for letter in _MEASURES if letter in options] or list("lwc")
    files, failed = yield from inputs(p, names)
    rows = [([_MEASURES[letter](data) for letter in chosen], name) for name, data in files]
    if len(names) > 1:
        rows.append(([sum(column) for column in zip(*(counts for counts, _ in rows), strict=True)] or [0], "total"))
    width = 1 if len(chosen) == 1 and len(rows) == 1 else _width(p, names, files)
    for counts, name in rows:
        p.out(" ".join(f"{count:{width}}" for count in counts) + (f" {name}" if names else "") + "\n")
    return int(failed)


def _width(p: Process, names: list[str], files: list[tuple[str, bytes]]) -> int:
    """Of a column: seven where the sizes were not known before."""
    unknown = "-" in (names or ["-"]) or any((node := p.find(name)) is not None and node.is_directory for name in names)
    return 7 if unknown else len(str(max(sum(len(data) for _, data in files), 1)))


# -- tee, seq, yes, sha256sum, base64 ------------------------------------------------------------------


def tee(p: Process) -> Steps:
    """`tee [-a] [file…]`"""
    options, names = parse(p, "a", {"append": "a"})
    streams = list[Stream]()
    status = each(p, names, lambda name: streams.append(p.open(name, "a" if "a" in options else "w")))
    while data := (yield from p.read()):
        p.out(data)
        for stream in streams:
            stream.write(data)
        yield from p.flush()
    return status


def seq(p: Process) -> Steps:
    """`seq [first [step]] last`, in whole numbers."""
    p.args = [p.args[0], *(f" {word}" if re.fullmatch(r"-\d+", word) else word for word in p.args[1:])]
    _, words = parse(p, "", least=1)
    if len(words) > 3:
        raise bad(p, f"extra operand ‘{words[3]}’")
    for word in words:
        if not re.fullmatch(r" ?[-+]?(\d+\.?\d*|\.\d+)", word):
            raise bad(p, f"invalid floating point argument: ‘{word}’")
        if not re.fullmatch(r" ?[-+]?\d{1,18}", word):
            raise BadOption(f"{word.strip()}: only whole numbers are counted in imagelab")
    numbers = [int(word) for word in words]
    first, step, last = [1, 1, *numbers] if len(numbers) == 1 else [numbers[0], *([1] + numbers[1:])[-2:]]
    if step == 0:
        raise bad(p, f"invalid Zero increment value: ‘{words[1]}’")
    for index, number in enumerate(range(first, last + (1 if step > 0 else -1), step)):
        p.out(f"{number}\n")
        if index % 512 == 511:
            yield from p.flush()
    return 0


def yes(p: Process) -> Steps:
    """`yes [word…]`, until no reader is left."""
    line = " ".join(parse(p, "")[1] or ["y"]) + "\n"
    while True:
        p.out(line * 64)
        yield from p.flush()


def checksum(p: Process, kind: str) -> Steps:
    """`sha256sum [-c] [file…]`, and md5sum and sha1sum."""
    options, names = parse(p, "cb", {"check": "c"})
    files, failed = yield from inputs(p, names)
    if "c" in options:
        return int(_checked(p, names, files, kind) or failed)
    for name, data in files:
        p.out(f"{hashlib.new(kind, data).hexdigest()}  {name}\n")
    return int(failed)


def _checked(p: Process, names: list[str], files: list[tuple[str, bytes]], kind: str) -> int:
    form = rf"([0-9a-fA-F]{{{hashlib.new(kind).digest_size * 2}}}) [ *](.+)"
    entries = [re.match(form, text(line)) for _, data in files for line in lines_of(data)]
    if files and not any(entries):
        source = names[0] if names else "'standard input'"
        return p.complain(f"{source}: no properly formatted checksum lines found")
    wrong = 0
    for match in filter(None, entries):
        node = p.find(match[2])
        good = node is not None and hashlib.new(kind, p.files.data(node)).hexdigest() == match[1].lower()
        p.out(f"{match[2]}: {'OK' if good else 'FAILED'}\n")
        wrong += not good
    if wrong:
        p.complain(f"WARNING: {wrong} computed checksum{'s' if wrong > 1 else ''} did NOT match")
    return wrong


def base64(p: Process) -> Steps:
    """`base64 [-d] [-w columns] [file]`"""
    options, names = parse(p, "dw:", {"decode": "d", "wrap": "w"})
    width = options.get("w", ["76"])[-1]
    if len(names) > 1:
        raise bad(p, f"extra operand ‘{names[1]}’")
    if not re.fullmatch(r"\d{1,9}", width):
        raise BadOption(f"invalid wrap size: ‘{width}’")
    files, failed = yield from inputs(p, names)
    data = b"".join(data for _, data in files)
    if "d" in options:
        sextets, padding = re.fullmatch(rb"([A-Za-z0-9+/]*)(.*)", data.replace(b"\n", b""), re.S).groups()  # type: ignore[union-attr]
        p.out(codec.b64decode(sextets + b"A" * (-len(sextets) % 4))[: len(sextets) * 3 // 4])
        good = len(sextets) % 4 != 1 and padding == b"=" * (-len(sextets) % 4)
        return int(failed) if good else p.complain("invalid input")
    lines = re.findall(rb".{1,%d}" % (int(width) or 1 << 30), codec.b64encode(data))
    p.out(b"".join(line + b"\n" * (width.strip("0") != "") for line in lines))
    return int(failed)


PROGRAMS: dict[str, Program] = {
    "cat": cat, "head": head, "tail": tail, "wc": wc, "tee": tee, "seq": seq, "yes": yes, "base64": base64,
    "md5sum": lambda p: checksum(p, "md5"), "sha1sum": lambda p: checksum(p, "sha1"), "sha256sum": lambda p: checksum(p, "sha256"),
}  # fmt: skip
