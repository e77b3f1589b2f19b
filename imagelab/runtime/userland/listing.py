"""Looking at files: ls, stat, find, du, readlink, realpath. What a file is stands in its node; these print it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import UTC, datetime

from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import NOW, Process, Program, Steps
from imagelab.runtime.shell.patterns import matches
from imagelab.runtime.userland.accounts import group_name, group_number, user_name, user_number
from imagelab.runtime.userland.options import Options, parse
from imagelab.tree import Kind, Node

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

LS_LONG = {"all": "a", "almost-all": "A", "directory": "d", "human-readable": "h", "reverse": "r", "recursive": "R", "size": "s", "inode": "i", "classify": "F", "numeric-uid-gid": "n", "color": "C", "group-directories-first": "g"}  # fmt: skip


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
    elif ("C" in options and options["C"] == [""]) or (
        stream is not None and stream.is_terminal and "1" not in options
    ):
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
    options, names = parse(p, "fenqsvmz", {"canonicalize": "f", "no-newline": "n"})
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


# -- find ---------------------------------------------------------------------------------------------------


Deciding = Generator[float, None, bool]


class FindProblem(Exception):
    """An expression `find` does not know."""


class _Find:
    """One call's expression, evaluated for each path."""

    def __init__(self, p: Process, words: list[str]) -> None:
        self.p, self._words, self._at = p, words, 0
        self.deepest, self.least, self.depth_first, self.acts = 1 << 30, 0, False, False
        self.status = 0
        self.path, self.node, self.pruned = "", Node(Kind.FILE), False
        self._globals()

    def _globals(self) -> None:
        for name in ("-maxdepth", "-mindepth"):
            if name in self._words:
                at = self._words.index(name)
                value = int(self._words[at + 1])
                self.deepest, self.least = (value, self.least) if name == "-maxdepth" else (self.deepest, value)
                self._words[at : at + 2] = []
        self.depth_first = "-depth" in self._words or "-delete" in self._words
        self._words = [word for word in self._words if word not in ("-depth", "-xdev", "-mount")]
        self.acts = bool({"-print", "-print0", "-exec", "-delete", "-printf", "-ls", "-ok", "-quit"} & set(self._words))

    def holds(self, path: str, node: Node) -> Generator[float, None, None]:
        """Evaluate for one path; acts on the way."""
        self.path, self.node, self.pruned, self._at = path, node, False, 0
        value = (yield from self._either(True)) if self._words else True
        if value and not self.acts:
            self.p.out(path + "\n")

    def _next(self) -> str:
        self._at += 1
        if self._at > len(self._words):
            raise FindProblem(f"missing argument to `{self._words[-1]}'")
        return self._words[self._at - 1]

    def _peek(self) -> str:
        return self._words[self._at] if self._at < len(self._words) else ""

    def _either(self, live: bool) -> Deciding:
        value = yield from self._both(live)
        while self._peek() in ("-o", "-or"):
            self._at += 1
            value = (yield from self._both(live and not value)) or value
        return value

    def _both(self, live: bool) -> Deciding:
        value = yield from self._one(live)
        while self._peek() not in ("", "-o", "-or", ")"):
            self._at += self._peek() in ("-a", "-and")
            value = (yield from self._one(live and value)) and value
        return value

    def _one(self, live: bool) -> Deciding:
        word = self._next()
        if word in ("!", "-not"):
            return not (yield from self._one(live))
        if word == "(":
            value = yield from self._either(live)
            self._at += 1
            return value
        if word == "-exec":
            return (yield from self._exec(live))
        return self._test(word, live)

    def _test(self, word: str, live: bool) -> bool:
        p, node, name = self.p, self.node, self.path.rstrip("/").rpartition("/")[2] or "/"
        match word:
            case "-name" | "-iname" | "-path" | "-ipath" | "-wholename":
                pattern, subject = self._next(), name if "name" in word and word != "-wholename" else self.path
                return matches(pattern.lower(), subject.lower()) if word[1] == "i" else matches(pattern, subject)
            case "-type":
                return LETTERS[node.kind].replace("-", "f") in self._next().split(",")
            case "-size":
                return self._counted(self._next(), node.size)
            case "-perm":
                return _permitted(self._next(), node.mode)
            case "-user" | "-uid":
                return node.uid == user_number(p, self._next())
            case "-group" | "-gid":
                return node.gid == group_number(p, self._next())
            case "-mtime" | "-mmin":
                unit = 86400 if word == "-mtime" else 60
                return _compared(self._next(), (p.files.now() - node.mtime) // unit)
            case "-newer":
                other = p.find(self._next())
                return other is not None and node.mtime > other.mtime
            case "-empty":
                return not p.files.names(p.user, p.path(self.path)) if node.is_directory else node.size == 0
            case "-links":
                return _compared(
                    self._next(), p.files.links(p.files.resolve(p.user, p.path(self.path), follow=False), node)
                )
            case "-true" | "-false":
                return word == "-true"
            case "-prune":
                self.pruned = live or self.pruned
                return True
            case "-print" | "-print0":
                if live:
                    p.out(self.path + ("\n" if word == "-print" else "\0"))
                return True
            case "-delete":
                return self._delete() if live else True
        raise FindProblem(
            f"unknown predicate `{word}'" if word.startswith("-") else f"paths must precede expression: `{word}'"
        )

    def _counted(self, asked: str, size: int) -> bool:
        units = {"c": 1, "w": 2, "k": 1024, "M": 1 << 20, "G": 1 << 30, "b": 512}
        unit = units.get(asked[-1], 512)
        return _compared(asked.rstrip("cwkMGb"), -(-size // unit))

    def _delete(self) -> bool:
        try:
            remove = self.p.files.rmdir if self.node.is_directory else self.p.files.unlink
            remove(self.p.user, self.p.path(self.path))
        except Refusal as refusal:
            self.status = self.p.complain(f"cannot delete '{self.path}': {refusal}")
            return False
        return True

    def _exec(self, live: bool) -> Deciding:
        words = []
        while (word := self._next()) not in (";", "+"):
            words.append(word)
        if not live:
            return True
        command = [word.replace("{}", self.path) for word in words]
        try:
            return (yield from self.p.machine.run(self.p, command)) == 0
        except Refusal as refusal:
            self.status = self.p.complain(f"'{command[0]}': {refusal}")
            return False


def _compared(asked: str, value: int) -> bool:
    number = int(asked.lstrip("+-"))
    return value > number if asked[0] == "+" else value < number if asked[0] == "-" else value == number


def _permitted(asked: str, mode: int) -> bool:
    wanted = int(asked.lstrip("-/"), 8)
    return mode & wanted == wanted if asked[0] == "-" else bool(mode & wanted) if asked[0] == "/" else mode == wanted


def find(p: Process) -> Steps:
    words = [word for word in p.args[1:] if word not in ("-L", "-H", "-P")]
    at = next((at for at, word in enumerate(words) if word.startswith("-") or word in ("(", "!")), len(words))
    starts, status = words[:at] or ["."], 0
    try:
        work = _Find(p, words[at:])
        for start in starts:
            if p.find(start, follow=False) is None:
                status = p.complain(f"'{start}': No such file or directory")
                continue
            yield from _walked(p, work, start, 0)
    except (FindProblem, ValueError) as problem:
        return p.complain(str(problem))
    return status or work.status


def _walked(p: Process, work: _Find, path: str, depth: int) -> Generator[float, None, None]:
    node = p.find(path, follow=False)
    if node is None:
        return
    yield NOW
    pruned = False
    if not work.depth_first and depth >= work.least:
        yield from work.holds(path, node)
        pruned = work.pruned
    if node.is_directory and depth < work.deepest and not pruned:
        for name in _children(p, work, path):
            yield from _walked(p, work, f"{path.rstrip('/')}/{name}" if path != "/" else f"/{name}", depth + 1)
    if work.depth_first and depth >= work.least:
        yield from work.holds(path, node)


def _children(p: Process, work: _Find, path: str) -> Iterable[str]:
    try:
        return p.files.names(p.user, p.path(path))
    except Refusal as refusal:
        work.status = p.complain(f"'{path}': {refusal}")
        return []


PROGRAMS: dict[str, Program] = {"ls": ls, "stat": stat, "readlink": readlink, "realpath": realpath, "du": du, "find": find}  # fmt: skip
