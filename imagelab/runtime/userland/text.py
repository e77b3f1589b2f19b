"""Reading text, and making some: head, tail, wc, tee, seq, paste, tac, rev, nl, sha256sum."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator
from decimal import Context, Decimal
from typing import Any

from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Process, Program, Steps, raw, text
from imagelab.runtime.shell.words import unescape
from imagelab.runtime.userland.lines import lines_of, opened
from imagelab.runtime.userland.options import BadOption, Options, bad, parse

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
            if refusal.code == "EISDIR" and p.name in ("tail", "wc"):
                found.append((name, b""))
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
    elif p.name == "uniq" and refusal.code == "EISDIR":
        p.complain(f"error reading '{name}'")
    else:
        p.complain(f"{name}: {refusal}")


def failed(p: Process) -> bool:
    """Could some input not be read?"""
    return p.env.get("?") == "1"


# -- head, tail, wc ------------------------------------------------------------------------------------


def _old_style(p: Process) -> None:
    """`head -5` is `head -n 5`, `tail +5` is `tail -n +5`."""
    if len(p.args) > 1 and re.fullmatch(r"-\d+" if p.name == "head" else r"[-+]\d+", p.args[1]):
        p.args = [p.args[0], f"-n{p.args[1].lstrip('-')}", *p.args[2:]]


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
    status, shown = 0, 0
    for name in names or ["-"]:
        try:
            with opened(p, name) as slot:
                _title(p, name, options, len(names), shown)
                shown += 1
                if value.startswith("-"):
                    data = yield from p.slurp(name)
                    pieces: Any = data if "c" in options else lines_of(data)
                    kept = pieces[: max(len(pieces) - count, 0)]
                    p.out(kept if "c" in options else b"".join(kept))
                else:
                    yield from _beginning(p, slot, count, by_bytes="c" in options)
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


def _columns(line: str) -> int:
    return max(len(part.expandtabs(8)) for part in line.rstrip("\n").split("\r"))


def wc(p: Process) -> Steps:
    options, names = parse(p, "lwcmL", {"lines": "l", "words": "w", "bytes": "c", "chars": "m", "max-line-length": "L"})
    chosen = [letter for letter in "lwmcL" if letter in options] or list("lwc")
    found = yield from inputs(p, names)
    measures: dict[str, Callable[[bytes], int]] = {
        "l": lambda data: data.count(b"\n"), "w": lambda data: len(data.split()), "c": len,
        "m": lambda data: len(text(data)), "L": lambda data: max((_columns(text(line)) for line in lines_of(data)), default=0),
    }  # fmt: skip
    rows = [([measures[letter](data) for letter in chosen], name) for name, data in found]
    if len(names) > 1:
        rows.append(
            ([(max if letter == "L" else sum)(row[0][at] for row in rows) for at, letter in enumerate(chosen)], "total")
        )
    regular = sum(len(data) for name, data in found if name != "-")
    odd = "-" in (names or ["-"]) or any((node := p.find(name)) is not None and node.is_directory for name in names)
    width = 7 if odd else len(str(max(regular, 1)))
    width = 1 if len(chosen) == 1 and len(rows) == 1 else width
    for counts, name in rows:
        p.out(" ".join(f"{count:{width}}" for count in counts) + ("" if not names else f" {name}") + "\n")
    return int(failed(p))


# -- tee, seq, paste, tac, rev, nl ---------------------------------------------------------------------


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


def _shape(asked: str) -> str:
    """seq's format: text around one %e %f or %g."""
    found = re.findall(r"%%|%([-+ 0#']*\d*(?:\.\d*)?.?)", asked)
    directives = [one for one in found if one]
    if len(directives) != 1:
        raise BadOption(
            f"format ‘{asked}’ has {'too many' if directives else 'no'} % directive{'s' if directives else ''}"
        )
    if directives[0][-1] not in "efgEFG":
        raise BadOption(f"format ‘{asked}’ has unknown %{directives[0][-1]} directive")
    return asked


WIDE = Context(prec=12_000, Emax=999_999, Emin=-999_999)


def _without_exponent(number: str) -> str:
    """`1e3` as `1000`; what a real one could not hold is the largest that it could, or 0."""
    if "e" not in number.lower():
        return number
    mantissa, _, power = number.lower().partition("e")
    power = power if len(power) < 6 else "-4950" if power.startswith("-") else "4932"
    return format(Decimal(f"{mantissa}e{max(-4950, min(int(power), 4932))}"), "f")


def seq(p: Process) -> Steps:
    p.args = [p.args[0], *(f" {word}" if re.fullmatch(r"-[\d.]+", word) else word for word in p.args[1:])]
    options, words = parse(p, "ws:f:", {"equal-width": "w", "separator": "s", "format": "f"})
    words = [word.strip() for word in words]
    if not 1 <= len(words) <= 3:
        raise bad(p, f"extra operand ‘{words[3]}’" if words else "missing operand")
    wrong = next((word for word in words if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", word)), None)
    if wrong is not None:
        raise bad(p, f"invalid floating point argument: ‘{wrong}’")
    words = [_without_exponent(word) for word in words]
    shape = _shape(options["f"][-1]) if "f" in options else ""
    digits = max(len(word.partition(".")[2]) for word in words)
    scale = 10**digits
    values = [int(Decimal(word).scaleb(digits, WIDE)) for word in words]
    first, step, last = (scale, scale, values[0]) if len(words) == 1 else (values[0], scale, values[1]) if len(words) == 2 else values  # fmt: skip
    if step == 0:
        raise BadOption(f"invalid Zero increment value: ‘{words[1]}’\nTry 'seq --help' for more information.")
    separator = unescape(options.get("s", ["\n"])[-1], "[0-7]{1,3}")
    places = max((len(word.partition(".")[2]) for word in words[:-1]), default=0)  # the last is a limit, and no pattern
    width = max(len(f"{n / scale:.{places}f}") for n in (first, last)) if "w" in options else 0
    started, number = False, first
    while (number <= last) if step > 0 else (number >= last):
        shown = shape % (number / scale) if shape else f"{number / scale:.{places}f}" if digits else str(number)
        p.out((separator if started else "") + shown.zfill(width))
        started = True
        number += step
        if (number - first) // step % 512 == 0:
            yield from p.flush()
    p.out("\n" if started else "")
    return 0


def paste(p: Process) -> Steps:
    """`paste [-s] [-d chars] [file…]`; `-` more than once takes its lines in turn."""
    options, names = parse(p, "sd:", {"serial": "s", "delimiters": "d"})
    names = names or ["-"]
    delimiters = [raw(char) for char in unescape(options.get("d", ["\t"])[-1].replace("\\0", "\0"), "[0-7]{1,3}")]
    delimiters = [b"" if char == b"\0" else char for char in delimiters] or [b""]
    found = dict((yield from inputs(p, list(dict.fromkeys(names)))))
    if "s" not in options and failed(p):
        return 1
    columns = [[line.removesuffix(b"\n") for line in lines_of(found[name])] for name in names if name in found]
    if (several := names.count("-")) > 1:
        turns = iter(range(several))
        columns = [column[(0 if "s" in options else next(turns)) :: 1 if "s" in options else several] if name == "-" else column for name, column in zip(names, columns, strict=True)]  # fmt: skip
    rows = (
        columns
        if "s" in options
        else [[c[at] if at < len(c) else b"" for c in columns] for at in range(max(map(len, columns), default=0))]
    )
    for row in rows:
        out = row[0] if row else b""
        for at, cell in enumerate(row[1:]):
            out += delimiters[at % len(delimiters)] + cell
        p.out(out + b"\n")
    return int(failed(p))


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
    size = hashlib.new(algorithm).digest_size * 2
    told = [re.match(rf"([0-9a-fA-F]{{{size}}}) [ *](.+)", text(line)) for _, data in found for line in lines_of(data)]
    if not any(told):
        source = names[0] if names else "'standard input'"
        return p.complain(f"{source}: no properly formatted checksum lines found") if found else 1
    for match in filter(None, told):
        digest, name = match[1].lower(), match[2]
        node = p.find(name)
        good = node is not None and hashlib.new(algorithm, p.files.data(node)).hexdigest() == digest
        p.out(f"{name}: {'OK' if good else 'FAILED'}\n")
        wrong += not good
    if wrong:
        p.complain(f"WARNING: {wrong} computed checksum{'s' if wrong > 1 else ''} did NOT match")
    return int(bool(wrong) or failed(p))


PROGRAMS: dict[str, Program] = {
    "head": head, "tail": tail, "wc": wc, "tee": tee, "seq": seq, "paste": paste, "tac": tac, "rev": rev,
    "nl": nl, "sha256sum": checksum, "md5sum": checksum, "sha1sum": checksum,
}  # fmt: skip
