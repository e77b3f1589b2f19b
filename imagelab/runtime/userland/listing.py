"""Looking at files: ls, stat, du, readlink, realpath. What a file is stands in its node; these print it."""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime

from imagelab.layers.tree import Kind, Node
from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import Process, Program
from imagelab.runtime.userland.accounts import group_name, user_name
from imagelab.runtime.userland.lines import each
from imagelab.runtime.userland.options import Options, parse

LETTERS = {Kind.FILE: "-", Kind.DIRECTORY: "d", Kind.SYMLINK: "l", Kind.CHAR: "c", Kind.BLOCK: "b", Kind.FIFO: "p"}
WORDS = {Kind.DIRECTORY: "directory", Kind.SYMLINK: "symbolic link", Kind.CHAR: "character special file", Kind.BLOCK: "block special file", Kind.FIFO: "fifo"}  # fmt: skip
HALF_A_YEAR = 15_778_476
Entry = tuple[str, str, Node]
"""(the name shown, the name to reach it by, the node)"""


def shown_size(node: Node) -> int:
    """What `stat` says: of a directory its block, of a link the length of its text."""
    if node.kind is Kind.SYMLINK:
        return len(node.target.encode("utf-8", "surrogateescape"))
    return 4096 if node.is_directory else node.size


def mode_text(node: Node) -> str:
    """`drwxr-xr-x`."""
    bits = "".join(letter if node.mode >> (8 - index) & 1 else "-" for index, letter in enumerate("rwxrwxrwx"))
    shown = list(LETTERS[node.kind] + bits)
    for index, bit, letter in ((3, 0o4000, "s"), (6, 0o2000, "s"), (9, 0o1000, "t")):
        if node.mode & bit:
            shown[index] = letter if shown[index] == "x" else letter.upper()
    return "".join(shown)


def human(size: float) -> str:
    """`4.0K`, `1.2M`: powers of 1024, rounded up, as `ls -h` and `du -h` do."""
    if size < 1024:
        return str(int(size))
    power = 0
    while size >= 1024:
        size, power = size / 1024, power + 1
    unit = " KMGTP"[power]
    if size < 10:
        tenths = -int(-size * 10 // 1)
        return f"{tenths / 10:.1f}{unit}" if tenths < 100 else f"10{unit}"
    return f"{-int(-size // 1)}{unit}"


# -- ls -----------------------------------------------------------------------------------------------------

LS_LONG = {"all": "a", "almost-all": "A", "directory": "d", "human-readable": "h", "reverse": "r", "recursive": "R", "classify": "F", "inode": "i", "color": "color::"}  # fmt: skip


def ls(p: Process) -> int:
    """`ls [-aAdFhilrRSt1C] [file…]`"""
    options, names = parse(p, "aAdFhilrRSt1C", LS_LONG)
    status = 0
    files: list[Entry] = []
    folders: list[Entry] = []
    for name in names or ["."]:
        try:
            node = p.find(name) if not options.keys() & {"l", "d", "F"} else None
            node = node or p.stat(name, follow=False)
        except Errno as error:
            status = p.complain(f"cannot access '{name}': {error}", 2)
            continue
        (folders if node.is_directory and "d" not in options else files).append((name, name, node))
    _show(p, _sorted(files, options), options, total=False)
    several = len(names) > 1 or "R" in options
    for index, (name, _, _) in enumerate(_sorted(folders, options)):
        status = max(status, _folder(p, name, options, titled=several, first=index == 0 and not files))
    return status


def _folder(p: Process, name: str, options: Options, *, titled: bool, first: bool) -> int:
    try:
        names = p.files.names(p.user, p.path(name))
    except Errno as error:
        return p.complain(f"cannot open directory '{name}': {error}", 2)
    if titled:
        p.out(("" if first else "\n") + f"{name}:\n")
    if "a" in options:
        names = [".", "..", *names]
    elif "A" not in options:
        names = [child for child in names if not child.startswith(".")]
    paths = [(child, f"{name.rstrip('/')}/{child}") for child in names]
    entries = [(child, path, node) for child, path in paths if (node := p.find(path, follow=False)) is not None]
    entries = _sorted(entries, options)
    _show(p, entries, options, total=True)
    status = 0
    if "R" in options:
        for child, path, node in entries:
            if node.is_directory and child not in (".", ".."):
                status = max(status, _folder(p, path, options, titled=True, first=False))
    return status


def _sorted(entries: list[Entry], options: Options) -> list[Entry]:
    entries = sorted(entries, key=lambda entry: entry[0])
    if options.keys() & {"t", "S"}:
        entries = sorted(entries, key=lambda entry: -(entry[2].mtime if "t" in options else shown_size(entry[2])))
    return entries[::-1] if "r" in options else entries


def _marked(p: Process, entries: list[Entry], options: Options) -> list[tuple[str, str]]:
    """(what -i puts before a name, the name with what -F puts behind it) of each."""
    numbers, names = [], []
    for name, path, node in entries:
        mark = {Kind.DIRECTORY: "/", Kind.SYMLINK: "@", Kind.FIFO: "|", Kind.FILE: "*" if node.mode & 0o111 else ""}
        names.append(name + (mark.get(node.kind, "") if "F" in options else ""))
        place = node.link or p.files.resolve(p.user, p.path(path), follow=False)
        numbers.append(str(zlib.crc32(place.encode("utf-8", "surrogateescape"))) if "i" in options else "")
    width = max(map(len, numbers), default=0)
    return [(f"{number:>{width}} " if width else "", name) for number, name in zip(numbers, names, strict=True)]


def _show(p: Process, entries: list[Entry], options: Options, *, total: bool) -> None:
    if "l" in options:
        if total:
            blocks = sum(_blocks(node) for _, _, node in entries)
            p.out(f"total {human(blocks * 1024) if 'h' in options else blocks}\n")
        _long(p, entries, options)
        return
    shown = [number + name for number, name in _marked(p, entries, options)]
    stream = p.fds.get(1)
    if "C" in options or (stream is not None and stream.is_terminal and "1" not in options):
        p.out(_columns(shown, p.machine.width))
    else:
        p.out("".join(f"{name}\n" for name in shown))


def _columns(names: list[str], width: int) -> str:
    """As many columns as fit, filled downwards."""
    for rows in range(1, len(names) + 1):
        groups = [names[start : start + rows] for start in range(0, len(names), rows)]
        widths = [max(map(len, group)) + 2 for group in groups]
        if sum(widths) - 2 < width or rows == len(names):
            break
    else:
        return ""
    lines = []
    for row in range(rows):
        cells = [(group[row], size) for group, size in zip(groups, widths, strict=True) if row < len(group)]
        lines.append("".join(name.ljust(size) for name, size in cells).rstrip() + "\n")
    return "".join(lines)


def _blocks(node: Node) -> int:
    """Kilobytes on the disk, by blocks of four."""
    return 4 if node.is_directory else -(-node.size // 4096) * 4 if node.kind is Kind.FILE else 0


def _long(p: Process, entries: list[Entry], options: Options) -> None:
    rows = []
    marked = _marked(p, entries, options)
    for (number, name), (plain, path, node) in zip(marked, entries, strict=True):
        size = f"{node.rdev[0]}, {node.rdev[1]}" if node.kind in (Kind.CHAR, Kind.BLOCK) else human(node.size) if "h" in options else str(shown_size(node))  # fmt: skip
        size = "4.0K" if node.is_directory and "h" in options else size
        who = [user_name(p, node.uid), group_name(p, node.gid)]
        links = str(p.files.links(p.files.resolve(p.user, p.path(path), follow=False), node))
        name = f"{plain} -> {node.target}" if node.kind is Kind.SYMLINK else name
        rows.append([number + mode_text(node), links, *who, size, _time(p, node), name])
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
    for mode, links, user, group, size, *rest in rows:
        owner = f"{user:<{widths[2]}} {group:<{widths[3]}}"
        p.out(f"{mode} {links:>{widths[1]}} {owner} {size:>{widths[4]}} {' '.join(rest)}\n")


def _time(p: Process, node: Node) -> str:
    moment = datetime.fromtimestamp(node.mtime, UTC)
    age = p.files.now() - node.mtime
    recent = 0 <= age < HALF_A_YEAR
    return f"{moment:%b} {moment.day:>2} " + (f"{moment:%H:%M}" if recent else f"{moment.year:>5}")


# -- stat, readlink, du -------------------------------------------------------------------------------------


def stat(p: Process) -> int:
    """`stat [-L] [-c format] file…`"""
    options, names = parse(p, "c:L", {"format": "c", "dereference": "L"}, least=1)
    format = options["c"][-1] if "c" in options else _STAT

    def show(name: str) -> None:
        p.out(_filled(p, format, name, p.stat(name, follow="L" in options)) + "\n")

    return each(p, names, show, "cannot statx '{}': {}")


_STAT = "  File: %N\n  Size: %s\tBlocks: %b\tIO Block: 4096   %F\nAccess: (0%a/%A)  Uid: ( %u/ %U)   Gid: ( %g/ %G)\nModify: %y"


def _filled(p: Process, format: str, name: str, node: Node) -> str:
    arrow = f" -> '{node.target}'" if node.kind is Kind.SYMLINK else ""
    word = WORDS.get(node.kind, "regular file" if node.size else "regular empty file")
    links = p.files.links(p.files.resolve(p.user, p.path(name), follow=False), node)
    moment = datetime.fromtimestamp(node.mtime, UTC)
    values = {"n": name, "N": (f"'{name}'" if arrow else name) + arrow, "s": shown_size(node), "a": f"{node.mode:o}", "A": mode_text(node), "u": node.uid, "U": user_name(p, node.uid), "g": node.gid, "G": group_name(p, node.gid), "F": word, "h": links, "b": _blocks(node) * 2, "Y": node.mtime, "y": f"{moment:%Y-%m-%d %H:%M:%S}.000000000 +0000", "%": "%"}  # fmt: skip
    return re.sub("%(.)", lambda match: str(values.get(match[1], match[0])), format)


def readlink(p: Process) -> int:
    """`readlink [-f] [-n] file…`"""
    options, names = parse(p, "fn", {"canonicalize": "f", "no-newline": "n"}, least=1)
    status = 0
    for name in names:
        node = p.find(name, follow=False)
        try:
            if "f" not in options and (node is None or node.kind is not Kind.SYMLINK):
                raise Errno("EINVAL")
            target = node.target if node is not None and "f" not in options else p.files.follow(p.user, p.path(name))
            p.out(target + ("" if "n" in options else "\n"))
        except Errno:
            status = 1
    return status


def realpath(p: Process) -> int:
    """`realpath file…`"""
    _, names = parse(p, "", least=1)
    return each(p, names, lambda name: p.out(p.files.follow(p.user, p.path(name)) + "\n"))


def du(p: Process) -> int:
    """`du [-sha] [file…]`"""
    options, names = parse(p, "shak", {"summarize": "s", "human-readable": "h", "all": "a"})

    def count(name: str) -> None:
        p.stat(name, follow=False)
        _usage(p, name, options, 0)

    return each(p, names or ["."], count, "cannot access '{}': {}")


def _usage(p: Process, name: str, options: Options, depth: int) -> int:
    node = p.find(name, follow=False)
    if node is None:
        return 0
    total = _blocks(node) * 1024
    if node.is_directory:
        try:
            children = p.files.names(p.user, p.path(name))
        except Errno as error:
            p.complain(f"cannot read directory '{name}': {error}")
            children = []
        total += sum(_usage(p, f"{name.rstrip('/')}/{child}", options, depth + 1) for child in children)
    if depth == 0 or "s" not in options and (node.is_directory or "a" in options):
        p.out(f"{human(total) if 'h' in options else -(-total // 1024)}\t{name}\n")
    return total


PROGRAMS: dict[str, Program] = {"ls": ls, "stat": stat, "readlink": readlink, "realpath": realpath, "du": du}
