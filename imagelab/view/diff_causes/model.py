"""`docker diff` with causes: each line opens to the command that made it, the tar entry it will become, and its bytes.

    A /root/.bash_history            noise
        step 4   docker exec -it webserver bash
        -rw------- 0:0  42  root/.bash_history         what commit will write
        + echo '<h1>Hello' > ...                       before and after

A diff says *that* a file is new, not *why*. The timeline knows: it has the container's changes after each step, so the cause
of a line is every step after which that line was another one than before. A directory that is listed only because something
in it changed has no cause of its own.

`docker commit` takes all of it: shell history, caches, logs, whatever lay about. There is no flag to leave a file out. What
can be done is to remove what was *added* before the commit, and then there is no trace of it; a file of the image that was
changed would leave a whiteout instead, so only added ones are offered.
"""

from __future__ import annotations

import difflib
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from imagelab.layers.changeset import OPAQUE, WHITEOUT
from imagelab.layers.tree import Change, Kind, Node, Opaque, Put, Tree, Whiteout
from imagelab.view.messages import say
from imagelab.view.panel import Panel, hexdump

NOISE = re.compile(
    r"/root/\.(?:bash|ash|python|lesshst|viminfo|wget).*|/home/[^/]+/\.(?:bash|ash)_history|.*\.(?:pid|log|swp|pyc|lock)|.*/__pycache__"
    r"|/(?:tmp|run|var/(?:tmp|cache|log|run|lib/apt/lists|spool))/.+|.*/\.cache(?:/.*)?"
)
"""What is hardly ever meant to be in an image."""

LINES = 60
"""Lines of one difference that are shown."""

_TYPES = {
    Kind.FILE: stat.S_IFREG, Kind.DIRECTORY: stat.S_IFDIR, Kind.SYMLINK: stat.S_IFLNK, Kind.CHAR: stat.S_IFCHR,
    Kind.BLOCK: stat.S_IFBLK, Kind.FIFO: stat.S_IFIFO, Kind.HARDLINK: stat.S_IFREG,
}  # fmt: skip

ContainerStep = tuple[int, str, tuple[Change, ...]]
"""Number, command line, and what the container's files differed in after it."""

Read = Callable[[Node], bytes]


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One line of `docker diff`."""

    kind: str
    """A, C or D."""
    path: str
    """Absolute."""
    causes: tuple[tuple[int, str], ...]
    """(step, command line), in their order; () for a directory that only holds what changed, or for what is older than the timeline."""
    entry: str
    """The tar entry it becomes, as `tar -tv` lists it; "" when it needs none."""
    difference: tuple[str, ...]
    """Lines of a unified diff, or of hex dumps; () where there are no bytes."""
    own: bool = True
    """False for a directory that is listed only because something in it has changed."""

    @property
    def same_bytes(self) -> bool:
        """A file of which only mode, owner or time are others?"""
        return self.kind == "C" and self.own and not self.difference and self.entry.startswith("-")

    @property
    def noise(self) -> bool:
        """Added, and hardly ever meant to be in an image?"""
        return self.kind == "A" and bool(NOISE.fullmatch(self.path))


@dataclass(frozen=True, slots=True, repr=False)
class DiffCauses(Panel):
    """All lines, and how many entries the layer would have."""

    kind = "causes"
    sheets = ("bytes",)

    name: str
    rows: tuple[DiffRow, ...]
    entries: int
    lang: str = "en"

    def row(self, path: str) -> DiffRow:
        """The line of a path; KeyError when it has none."""
        return {row.path: row for row in self.rows}[path]

    @property
    def removable(self) -> tuple[DiffRow, ...]:
        """What can be left out: the topmost added paths."""
        added = {row.path for row in self.rows if row.kind == "A"}
        return tuple(
            row for row in self.rows if row.path in added and not any(above in added for above in _above(row.path))
        )

    def commands(self, paths: Sequence[str] | None = None, target: str = "") -> tuple[str, ...]:
        """The lines that commit it without some paths; None: without what looks like noise."""
        from shlex import quote

        left = [row.path for row in self.removable if row.noise] if paths is None else list(paths)
        commit = f"docker commit {self.name} {target}".rstrip()
        return (f"docker exec {self.name} rm -rf {' '.join(map(quote, left))}", commit) if left else (commit,)

    @property
    def title(self) -> str:
        return say("diff_causes.title", self.lang, name=self.name)

    def lines(self) -> Iterator[str]:
        from imagelab.view.diff_causes.printers import lines

        return lines(self)

    def body(self) -> str:
        from imagelab.view.diff_causes.printers import body

        return body(self)


def diff_causes(
    name: str, listed: Sequence[tuple[str, str]], written: Sequence[Change], before: Tree, now: Tree, steps: Sequence[ContainerStep],
    read: Read, lang: str = "en",
) -> DiffCauses:  # fmt: skip
    """The diff of a container with its causes.

    `listed` is what `docker diff` lists, `written` what a commit would write, `before` and `now` the trees it compares.
    """
    by_path = {change.path: change for change in written if not isinstance(change, Opaque)}
    own = {change.path for change in steps[-1][2]} if steps else {path.lstrip("/") for _, path in listed}
    causes = _causes(steps)
    rows = []
    for kind, path in listed:
        inner = path.lstrip("/")
        entry = entry_of(by_path[inner]) if inner in by_path else ""
        difference = _difference(before.get(inner), now.get(inner), read)
        rows.append(DiffRow(kind, path, causes.get(inner, ()), entry, difference, inner in own or kind != "C"))
    return DiffCauses(name, tuple(rows), len(written), lang)


def _causes(steps: Sequence[ContainerStep]) -> Mapping[str, tuple[tuple[int, str], ...]]:
    """By path: the steps after which it was changed otherwise than before."""
    causes: dict[str, tuple[tuple[int, str], ...]] = {}
    last: dict[str, Change] = {}
    for number, line, changes in steps:
        now = {change.path: change for change in changes}
        for path in now.keys() | last.keys():
            if now.get(path) != last.get(path):
                causes[path] = (*causes.get(path, ()), (number, line))
        last = now
    return causes


def entry_of(change: Change) -> str:
    """The tar entry of a change, as `tar -tv` would list it; times in UTC."""
    match change:
        case Put(path, node):
            mode = stat.filemode(_TYPES[node.kind] | node.mode)
            when = datetime.fromtimestamp(max(node.mtime, 0), UTC).strftime("%Y-%m-%d %H:%M:%S")
            target = f" -> {node.target}" if node.target else ""
            return f"{mode} {node.uid}:{node.gid} {node.size} B {when} {path}{'/' if node.is_directory else ''}{target}"
        case Whiteout(path):
            above, slash, last = path.rpartition("/")
            return f"---------- 0:0 0 B {above}{slash}{WHITEOUT}{last}"
    return f"---------- 0:0 0 B {change.path}/{OPAQUE}"


def _difference(before: Node | None, now: Node | None, read: Read) -> tuple[str, ...]:
    """Both contents compared: as lines when both are text, else a hex dump of each."""
    if not any(node is not None and node.kind is Kind.FILE for node in (before, now)):
        return ()
    old, new = (read(node) if node is not None and node.kind is Kind.FILE else b"" for node in (before, now))
    if old == new:
        return ()
    texts = [_lines(data) for data in (old, new)]
    if None in texts:
        return tuple(
            f"{sign}{line}" for sign, data in (("-", old), ("+", new)) for line in hexdump(data[:128]).splitlines()
        )
    lines = list(difflib.unified_diff(texts[0] or [], texts[1] or [], lineterm="", n=2))[2:]
    more = len(lines) - LINES
    return (*lines[:LINES], *([f"… {more:,}"] if more > 0 else []))


def _lines(data: bytes) -> list[str] | None:
    """The lines of a text; None when it is none."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text.splitlines() if all(letter.isprintable() or letter in "\n\t\r" for letter in text) else None


def _above(path: str) -> list[str]:
    """The directories above a path, the root left out."""
    steps = path.strip("/").split("/")
    return ["/" + "/".join(steps[:depth]) for depth in range(1, len(steps))]
