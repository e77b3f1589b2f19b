"""Looking at files: ls, stat, du, readlink, realpath. What a file is stands in its node; these print it."""

from __future__ import annotations

from datetime import UTC, datetime

from imagelab.layers.tree import Kind, Node
from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Process, Program
from imagelab.runtime.userland.accounts import group_name, user_name
from imagelab.runtime.userland.options import BadOption, Options, parse

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
    bits = "".join(letter if node.mode >> (8 - at) & 1 else "-" for at, letter in enumerate("rwxrwxrwx"))
    shown = list(LETTERS[node.kind] + bits)
    for at, bit, letter in ((3, 0o4000, "s"), (6, 0o2000, "s"), (9, 0o1000, "t")):
        if node.mode & bit:
            shown[at] = letter if shown[at] == "x" else letter.upper()
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

LS_LONG = {"all": "a", "almost-all": "A", "directory": "d", "human-readable": "h", "reverse": "r", "recursive": "R", "size": "s", "inode": "i", "classify": "F", "numeric-uid-gid": "n", "color": "color::", "group-directories-first": "g"}  # fmt: skip


def ls(p: Process) -> int:
    options, names = parse(p, "aAdlhrRtS1CFnisgopkxmUvXGLH", LS_LONG)
    status = 0
    files: list[Entry] = []
    folders: list[Entry] = []
    for name in names or ["."]:
        try:
            node = p.stat(name, follow="l" not in options and "d" not in options and "F" not in options)
        except Refusal as refusal:
            node_or_none = p.find(name, follow=False)
            if node_or_none is None or refusal.code != "ENOENT":
                status = p.complain(f"cannot access '{name}': {refusal}", 2)
                continue
            node = node_or_none  # a link to nothing
        (folders if node.is_directory and "d" not in options else files).append((name, name, node))
    _show(p, _sorted(files, options), options, total=False)
    several = len(names) > 1 or "R" in options
    for at, (name, _, _) in enumerate(_sorted(folders, options)):
        status = max(status, _folder(p, name, options, titled=several, first=at == 0 and not files))
    return status


def _folder(p: Process, name: str, options: Options, *, titled: bool, first: bool) -> int:
    try:
        names = p.files.names(p.user, p.path(name))
    except Refusal as refusal:
        return p.complain(f"cannot open directory '{name}': {refusal}", 2)
    if titled:
        p.out(("" if first else "\n") + f"{name}:\n")
    if "a" in options:
        names = [".", "..", *names]
    elif "A" not in options:
        names = [child for child in names if not child.startswith(".")]
    entries = []
    for child in names:
        at = f"{name.rstrip('/')}/{child}"
        node = p.find(at, follow=False)
        if node is not None:
            entries.append((child, at, node))
    entries = _sorted(entries, options)
    _show(p, entries, options, total=True)
    status = 0
    if "R" in options:
        for child, at, node in entries:
            if node.is_directory and child not in (".", ".."):
                status = max(status, _folder(p, at, options, titled=True, first=False))
    return status


def _sorted(entries: list[Entry], options: Options) -> list[Entry]:
    if "U" in options:
        return entries
    entries = sorted(entries, key=lambda entry: entry[0])
    if "t" in options:
        entries = sorted(entries, key=lambda entry: -entry[2].mtime)
    if "S" in options:
        entries = sorted(entries, key=lambda entry: -entry[2].size)
    return entries[::-1] if "r" in options else entries


def _show(p: Process, entries: list[Entry], options: Options, *, total: bool) -> None:
    if "l" in options or "n" in options or "o" in options or "g" in options:
        if total:
            blocks = sum(_blocks(node) for _, _, node in entries)
            p.out(f"total {human(blocks * 1024) if 'h' in options else blocks}\n")
        _long(p, entries, options)
        return
    shown = [name + _mark(node, options) for name, _, node in entries]
    stream = p.fds.get(1)
    if "m" in options:
        p.out(", ".join(shown) + "\n" if shown else "")
    elif "C" in options or (stream is not None and stream.is_terminal and "1" not in options):
        p.out(_columns(shown, p.machine.width))
    else:
        p.out("".join(f"{name}\n" for name in shown))


def _mark(node: Node, options: Options) -> str:
    if "p" in options:
        return "/" if node.is_directory else ""
    if "F" not in options:
        return ""
    executable = "*" if node.kind is Kind.FILE and node.mode & 0o111 else ""
    return {Kind.DIRECTORY: "/", Kind.SYMLINK: "@", Kind.FIFO: "|"}.get(node.kind, executable)


def _columns(names: list[str], width: int) -> str:
    """As many columns as fit, filled downwards."""
    for rows in range(1, len(names) + 1):
        groups = [names[at : at + rows] for at in range(0, len(names), rows)]
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
    numeric = "n" in options
    rows = []
    for name, at, node in entries:
        size = f"{node.rdev[0]}, {node.rdev[1]}" if node.kind in (Kind.CHAR, Kind.BLOCK) else human(node.size) if "h" in options else str(shown_size(node))  # fmt: skip
        size = "4.0K" if node.is_directory and "h" in options else size
        who = [
            str(node.uid) if numeric else user_name(p, node.uid),
            str(node.gid) if numeric else group_name(p, node.gid),
        ]
        links = str(p.files.links(p.files.resolve(p.user, p.path(at), follow=False), node))
        arrow = f" -> {node.target}" if node.kind is Kind.SYMLINK else _mark(node, options)
        rows.append([mode_text(node), links, *who, size, _time(p, node), name + arrow])
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
    for mode, links, user, group, size, moment, name in rows:
        p.out(
            f"{mode} {links:>{widths[1]}} {user:<{widths[2]}} {group:<{widths[3]}} {size:>{widths[4]}} {moment} {name}\n"
        )


def _time(p: Process, node: Node) -> str:
    moment = datetime.fromtimestamp(node.mtime, UTC)
    age = p.files.now() - node.mtime
    recent = 0 <= age < HALF_A_YEAR
    return f"{moment:%b} {moment.day:>2} " + (f"{moment:%H:%M}" if recent else f"{moment.year:>5}")


# -- stat, readlink, du -------------------------------------------------------------------------------------


def stat(p: Process) -> int:
    options, names = parse(p, "c:Lf", {"format": "c", "printf": "c", "dereference": "L"})
    if not names:
        return p.complain("missing operand\nTry 'stat --help' for more information.")
    status = 0
    for name in names:
        try:
            node = p.stat(name, follow="L" in options)
        except Refusal as refusal:
            status = p.complain(f"cannot statx '{name}': {refusal}")
            continue
        format = options["c"][-1] if "c" in options else _STAT
        p.out(_filled(p, format, name, node) + "\n")
    return status


_STAT = "  File: %N\n  Size: %s\tBlocks: %b\tIO Block: 4096   %F\nAccess: (0%a/%A)  Uid: ( %u/ %U)   Gid: ( %g/ %G)\nModify: %y"


def _filled(p: Process, format: str, name: str, node: Node) -> str:
    size = shown_size(node)
    arrow = f" -> '{node.target}'" if node.kind is Kind.SYMLINK else ""
    word = WORDS.get(node.kind, "regular file" if node.size else "regular empty file")
    links = p.files.links(p.files.resolve(p.user, p.path(name), follow=False), node)
    moment = datetime.fromtimestamp(node.mtime, UTC)
    values = {"n": name, "N": (f"'{name}'" if arrow else name) + arrow, "s": size, "a": f"{node.mode:o}", "A": mode_text(node), "u": node.uid, "U": user_name(p, node.uid), "g": node.gid, "G": group_name(p, node.gid), "F": word, "h": links, "b": _blocks(node) * 2, "Y": node.mtime, "y": f"{moment:%Y-%m-%d %H:%M:%S}.000000000 +0000", "f": f"{node.mode:x}", "%": "%"}  # fmt: skip
    out, at = [], 0
    while at < len(format):
        if format[at] == "%" and format[at + 1 : at + 2] in values:
            out.append(str(values[format[at + 1]]))
            at += 2
            continue
        out.append(format[at])
        at += 1
    return "".join(out)


def readlink(p: Process) -> int:
    options, names = parse(
        p,
        "fenqsvmz",
        {"canonicalize": "f", "canonicalize-existing": "e", "canonicalize-missing": "m", "no-newline": "n"},
    )
    if not names:
        return p.complain("missing operand\nTry 'readlink --help' for more information.")
    status = 0
    for name in names:
        try:
            node = p.stat(name, follow=False) if not options.keys() & set("fem") else None
            if node is not None and node.kind is not Kind.SYMLINK:
                status = 1
                continue
            end = "" if "n" in options else "\n"
            if "e" in options:
                p.stat(name)
            p.out((node.target if node is not None else p.files.follow(p.user, p.path(name))) + end)
        except Refusal:
            status = 1
    return status


def realpath(p: Process) -> int:
    _, names = parse(p, "esmqPL")
    status = 0
    for name in names:
        try:
            p.out(p.files.follow(p.user, p.path(name)) + "\n")
        except Refusal as refusal:
            status = p.complain(f"{name}: {refusal}")
    return status


def du(p: Process) -> int:
    options, names = parse(
        p,
        "shackbd:",
        {"summarize": "s", "human-readable": "h", "all": "a", "total": "c", "bytes": "b", "max-depth": "d"},
    )
    if not options.get("d", ["0"])[-1].isdigit():
        raise BadOption(f"invalid maximum depth ‘{options['d'][-1]}’")
    status, total = 0, 0
    for name in names or ["."]:
        if p.find(name, follow=False) is None:
            status = p.complain(f"cannot access '{name}': No such file or directory")
            continue
        total += _usage(p, name, options, 0)
    if "c" in options:
        p.out(f"{_size(total, options)}\ttotal\n")
    return status


def _usage(p: Process, name: str, options: Options, depth: int) -> int:
    node = p.find(name, follow=False)
    if node is None:
        return 0
    total = node.size if "b" in options and not node.is_directory else _blocks(node) * 1024
    if node.is_directory:
        try:
            children = p.files.names(p.user, p.path(name))
        except Refusal as refusal:
            p.complain(f"cannot read directory '{name}': {refusal}")
            children = []
        total += sum(_usage(p, f"{name.rstrip('/')}/{child}", options, depth + 1) for child in children)
    deepest = 0 if "s" in options else int(options["d"][-1]) if "d" in options else 1 << 30
    if depth <= deepest and (node.is_directory or "a" in options or depth == 0):
        p.out(f"{_size(total, options)}\t{name}\n")
    return total


def _size(total: int, options: Options) -> str:
    return human(total) if "h" in options else str(total if "b" in options else -(-total // 1024))


PROGRAMS: dict[str, Program] = {"ls": ls, "stat": stat, "readlink": readlink, "realpath": realpath, "du": du}
