"""Changing files: cp, mv, rm, mkdir, rmdir, touch, ln, chmod, chown, mktemp. Their words are GNU's."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import UTC, datetime

from imagelab.layers.tree import Kind, Node
from imagelab.runtime.filesystem import ROOT, WRITE, Errno
from imagelab.runtime.process import Process, Program, Steps
from imagelab.runtime.userland.accounts import group_number, user_number
from imagelab.runtime.userland.lines import each
from imagelab.runtime.userland.listing import WORDS
from imagelab.runtime.userland.options import BadOption, Options, bad, parse


def _base(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2] or "/"


def _inside(p: Process, target: str, name: str) -> str:
    """Where a file goes: into the target when that is a directory."""
    node = p.find(target)
    return f"{target.rstrip('/')}/{_base(name)}" if node is not None and node.is_directory else target


def _sources(p: Process, names: list[str]) -> tuple[list[str], str]:
    """(sources, target). BadOption."""
    if len(names) < 2:
        raise bad(p, f"missing destination file operand after '{names[0]}'" if names else "missing file operand")
    *sources, target = names
    node = p.find(target)
    if len(sources) > 1 and (node is None or not node.is_directory):
        raise BadOption(f"target '{target}': {Errno('ENOENT' if node is None else 'ENOTDIR')}")
    return sources, target


# -- cp, mv, rm ---------------------------------------------------------------------------------------------

CP_LONG = {"recursive": "r", "archive": "a", "force": "f", "no-clobber": "n", "preserve": "p", "no-dereference": "P", "interactive": "i", "verbose": "v"}  # fmt: skip


def cp(p: Process) -> Steps:
    """`cp [-rRapfindPv] source… target`"""
    return _each_to(p, *parse(p, "rRafinpdPv", CP_LONG), _copy)


def mv(p: Process) -> Steps:
    """`mv [-finv] source… target`"""
    return _each_to(p, *parse(p, "finv", CP_LONG), _move)


Work = Callable[[Process, str, str, Options], int]


def _each_to(p: Process, options: Options, names: list[str], work: Work) -> Steps:
    """Copy or move every source to where it goes; with -i, ask before a file is lost."""
    sources, target = _sources(p, names)
    status = 0
    for name in sources:
        to = _inside(p, target, name)
        asks = "i" in options and not options.keys() & {"f", "n"} and (there := p.find(to)) and not there.is_directory
        if not asks or (yield from _agreed(p, f"overwrite '{to}'")):
            status = max(status, work(p, name, to, options))
    return status


def _agreed(p: Process, question: str) -> Generator[float, None, bool]:
    """`rm: remove regular file 'f'? `, answered with a word that begins with y."""
    p.out(f"{p.name}: {question}? ", 2)
    return (yield from p.read_line()).lstrip()[:1] in (b"y", b"Y")


def _told(p: Process, options: Options, what: str) -> None:
    """-v"""
    if "v" in options:
        p.out(what + "\n")


def _obstacle(p: Process, name: str, to: str, node: Node, there: Node) -> str:
    """Why something cannot take the place of what is there; "" when it can."""
    if there.is_directory and not node.is_directory:
        return f"cannot overwrite directory '{to}' with non-directory"
    if node.is_directory and not there.is_directory:
        return f"cannot overwrite non-directory '{to}' with directory '{name}'"
    same = p.files.resolve(p.user, p.path(name), follow=False) == p.files.resolve(p.user, p.path(to), follow=False)
    return f"'{name}' and '{to}' are the same file" if same and not node.is_directory else ""


def _copy(p: Process, name: str, to: str, options: Options) -> int:
    recursive = bool(options.keys() & {"r", "R", "a"})
    try:
        node = p.stat(name, follow=not recursive and not options.keys() & {"d", "P"})
    except Errno as error:
        return p.complain(f"cannot stat '{name}': {error}")
    if node.is_directory and not recursive:
        return p.complain(f"-r not specified; omitting directory '{name}'")
    there = p.find(to)
    if there is not None and (obstacle := _obstacle(p, name, to, node, there)):
        return p.complain(obstacle)
    if node.is_directory:
        return _copy_folder(p, name, to, node, options)
    if there is not None and "n" in options:
        return 0
    try:
        _copy_file(p, name, to, node, options)
    except Errno as error:
        problem = f"cannot open '{name}' for reading" if not p.may(name, 4) else f"cannot create regular file '{to}'"
        return p.complain(f"{problem}: {error}")
    _told(p, options, f"'{name}' -> '{to}'")
    return 0


def _copy_file(p: Process, name: str, to: str, node: Node, options: Options) -> None:
    if node.kind is Kind.FILE:
        data = p.files.read_file(p.user, p.path(name))
        if "f" in options and p.find(to) is not None and not p.may(to, WRITE):
            p.files.unlink(p.user, p.path(to))
        p.files.write_file(p.user, p.path(to), data, node.mode & 0o777 & ~p.umask)
    else:
        if p.find(to, follow=False) is not None:
            p.files.unlink(p.user, p.path(to))
        copied = replace(node, uid=p.user.uid, gid=p.user.gid, mtime=p.files.now(), link="")
        p.files.mknod(p.user, p.path(to), copied)
    _preserve(p, to, node, options)


def _preserve(p: Process, to: str, node: Node, options: Options) -> None:
    if not options.keys() & {"a", "p"}:
        return
    path = p.path(to)
    if p.user.uid == 0:
        p.files.chown(p.user, path, node.uid, node.gid, follow=False)
    if node.kind is not Kind.SYMLINK:
        p.files.chmod(p.user, path, node.mode)
    p.files.utime(p.user, path, node.mtime, follow=False)


def _copy_folder(p: Process, name: str, to: str, node: Node, options: Options) -> int:
    source = p.files.follow(p.user, p.path(name))
    if f"{p.path(to).rstrip('/')}/".startswith(f"{source}/"):
        return p.complain(f"cannot copy a directory, '{name}', into itself, '{to}'")
    status = 0
    try:
        if p.find(to) is None:
            p.files.mkdir(p.user, p.path(to), node.mode & ~p.umask)
            _told(p, options, f"'{name}' -> '{to}'")
        for child in p.files.names(p.user, p.path(name)):
            status = max(status, _copy(p, f"{name.rstrip('/')}/{child}", f"{to.rstrip('/')}/{child}", options))
        _preserve(p, to, node, options)
    except Errno as error:
        return p.complain(f"cannot create directory '{to}': {error}")
    return status


def _move(p: Process, name: str, to: str, options: Options) -> int:
    node, there = p.find(name, follow=False), p.find(to, follow=False)
    if node is None:
        return p.complain(f"cannot stat '{name}': {Errno('ENOENT')}")
    if there is not None and "n" in options:
        return 0
    try:
        if there is not None and (obstacle := _obstacle(p, name, to, node, there)):
            return p.complain(obstacle)
        p.files.rename(p.user, p.path(name), p.path(to))
    except Errno as error:
        if error.code == "EINVAL":
            return p.complain(f"cannot move '{name}' to a subdirectory of itself, '{to}'")
        return p.complain(f"cannot move '{name}' to '{to}': {error}")
    _told(p, options, f"renamed '{name}' -> '{to}'")
    return 0


def rm(p: Process) -> Steps:
    """`rm [-rRfdiv] file…`"""
    options, names = parse(p, "rRfdiv", {"recursive": "r", "force": "f", "dir": "d", "verbose": "v"})
    if not names and "f" not in options:
        raise bad(p, "missing operand")
    status = 0
    for name in names:
        status = max(status, (yield from _remove(p, name, options)))
    return status


def _remove(p: Process, name: str, options: Options) -> Steps:
    if _base(name) in (".", ".."):
        return p.complain(f"refusing to remove '.' or '..' directory: skipping '{name}'")
    try:
        node = p.stat(name, follow=False)
    except Errno as error:
        forgiven = "f" in options and error.code in ("ENOENT", "ENOTDIR")
        return 0 if forgiven else p.complain(f"cannot remove '{name}': {error}")
    if node.is_directory and not p.files.resolve(p.user, p.path(name)):
        return p.complain("it is dangerous to operate recursively on '/'")
    if node.is_directory and not options.keys() & {"r", "R", "d"}:
        return p.complain(f"cannot remove '{name}': {Errno('EISDIR')}")
    return (yield from _removed(p, name, node, options))


def _removed(p: Process, name: str, node: Node, options: Options) -> Steps:
    status, asks = 0, "i" in options and "f" not in options
    kind = WORDS.get(node.kind, "regular file" if node.size else "regular empty file")
    try:
        if node.is_directory and options.keys() & {"r", "R"}:
            if asks and not (yield from _agreed(p, f"descend into directory '{name}'")):
                return 0
            for child in p.files.names(p.user, p.path(name)):
                path = f"{name.rstrip('/')}/{child}"
                inside = p.find(path, follow=False)
                status = max(status, (yield from _removed(p, path, inside, options)) if inside is not None else 0)
        if status or asks and not (yield from _agreed(p, f"remove {kind} '{name}'")):
            return status
        (p.files.rmdir if node.is_directory else p.files.unlink)(p.user, p.path(name))
    except Errno as error:
        return p.complain(f"cannot remove '{name}': {error}")
    _told(p, options, f"removed {'directory ' if node.is_directory else ''}'{name}'")
    return 0


# -- directories --------------------------------------------------------------------------------------------


def mkdir(p: Process) -> int:
    """`mkdir [-p] [-m mode] directory…`"""
    options, names = parse(p, "pm:", {"parents": "p", "mode": "m"}, least=1)
    asked = options["m"][-1] if "m" in options else ""
    mode = _mode(p, asked, 0o777 & ~p.umask, directory=True) if asked else 0o777 & ~p.umask

    def make(name: str) -> None:
        for path in _parents(name) if "p" in options else [name]:
            node = p.find(path)
            if "p" in options and node is not None and node.is_directory:
                continue
            p.files.mkdir(p.user, p.path(path.rstrip("/") or "/"), 0o777 & ~p.umask)
        if asked:
            p.files.chmod(p.user, p.path(name), mode)

    return each(p, names, make, "cannot create directory '{}': {}")


def _parents(name: str) -> list[str]:
    parts = name.rstrip("/").split("/")
    return [path for depth in range(1, len(parts) + 1) if (path := "/".join(parts[:depth]))]


def rmdir(p: Process) -> int:
    """`rmdir [-p] directory…`"""
    options, names = parse(p, "p", {"parents": "p"}, least=1)

    def remove(name: str) -> None:
        for path in reversed(_parents(name)) if "p" in options else [name]:
            p.files.rmdir(p.user, p.path(path))

    return each(p, names, remove, "failed to remove '{}': {}")


def ln(p: Process) -> int:
    """`ln [-sfn] target… name`"""
    options, names = parse(p, "sfn", {"symbolic": "s", "force": "f", "no-dereference": "n"})
    sources, target = _sources(p, [*names, "."] if len(names) == 1 else names)
    return max(_link(p, name, target, options) for name in sources)


def _link(p: Process, name: str, target: str, options: Options) -> int:
    old = p.find(target, follow=False)
    direct = "n" in options and old is not None and old.kind is Kind.SYMLINK
    to = target if direct else _inside(p, target, name)
    kind, arrow = ("symbolic", "->") if "s" in options else ("hard", "=>")
    try:
        if "f" in options and (old := p.find(to, follow=False)) is not None and not old.is_directory:
            p.files.unlink(p.user, p.path(to))
        if "s" in options:
            p.files.symlink(p.user, name, p.path(to))
        else:
            p.files.link(p.user, p.path(name), p.path(to))
    except Errno as error:
        if kind == "hard" and p.find(name, follow=False) is None:
            return p.complain(f"failed to access '{name}': {error}")
        if error.code == "EPERM":
            return p.complain(f"{name}: hard link not allowed for directory")
        where = "" if error.code == "EEXIST" else f" {arrow} '{name}'"
        return p.complain(f"failed to create {kind} link '{to}'{where}: {error}")
    return 0


# -- attributes ---------------------------------------------------------------------------------------------


def touch(p: Process) -> int:
    """`touch [-acm] [-t [[CC]YY]MMDDhhmm[.ss] | -r file] file…`"""
    options, names = parse(p, "acmt:r:", {"no-create": "c", "reference": "r"}, least=1)
    moment = p.files.now()
    if "r" in options:
        moment = p.stat(options["r"][-1]).mtime
    elif "t" in options:
        moment = _moment(options["t"][-1], moment)

    def change(name: str) -> None:
        if p.find(name) is None:
            if "c" in options:
                return
            p.files.create(p.user, p.path(name), 0o666 & ~p.umask)
        elif not p.may(name, WRITE) and p.stat(name).uid != p.user.uid:
            raise Errno("EACCES")
        user = p.user if p.stat(name).uid == p.user.uid else ROOT  # who may write may touch
        p.files.utime(user, p.path(name), moment)

    return each(p, names, change, "cannot touch '{}': {}")


def _moment(asked: str, now: int) -> int:
    """`201611281000.30`, with or without the century, the year, the seconds. BadOption."""
    digits, _, seconds = asked.partition(".")
    year = str(datetime.fromtimestamp(now, UTC).year)
    front = {8: year, 10: "20" if digits < "69" else "19", 12: ""}.get(len(digits))
    try:
        return int(datetime.strptime(f"{front}{digits}{seconds or '00'}+0000", "%Y%m%d%H%M%S%z").timestamp())
    except ValueError:
        raise BadOption(f"invalid date format ‘{asked}’") from None


def changed_mode(asked: str, mode: int, *, directory: bool) -> int:
    """`u+x`, `go-w`, `a=rX`, `644` applied to the permission bits. ValueError."""
    if re.fullmatch(r"[0-7]{1,4}", asked):
        return int(asked, 8)
    for clause in asked.split(","):
        match = re.fullmatch(r"([ugoa]*)((?:[-+=][rwxXst]*)+)", clause)
        if match is None:
            raise ValueError(asked)
        who = "ugo" if not match[1] or "a" in match[1] else match[1]
        for operator, letters in re.findall(r"([-+=])([rwxXst]*)", match[2]):
            mode = _applied(mode, who, operator, letters, directory=directory)
    return mode


def _applied(mode: int, who: str, operator: str, letters: str, *, directory: bool) -> int:
    executable = directory or bool(mode & 0o111)
    bits = sum({"r": 4, "w": 2, "x": 1, "X": 1 if executable else 0}.get(letter, 0) for letter in set(letters))
    mask = sum(bits << {"u": 6, "g": 3, "o": 0}[owner] for owner in set(who))
    if "s" in letters:
        mask |= (0o4000 if "u" in who else 0) | (0o2000 if "g" in who else 0)
    if "t" in letters:
        mask |= 0o1000
    if operator == "=":
        cleared = sum(7 << {"u": 6, "g": 3, "o": 0}[owner] for owner in set(who))
        return mode & ~cleared | mask
    return mode | mask if operator == "+" else mode & ~mask


def _mode(p: Process, asked: str, mode: int, *, directory: bool) -> int:
    try:
        return changed_mode(asked, mode, directory=directory)
    except ValueError:
        raise bad(p, f"invalid mode: '{asked}'") from None


def _change(p: Process, names: list[str], options: Options, change: Callable[[str, Node], None], attribute: str) -> int:
    """Change every file, and with -R all below; links are left alone."""

    def change_path(path: str) -> None:
        node = p.stat(path, follow="R" not in options)
        if node.kind is not Kind.SYMLINK:
            change(path, node)

    def all_of(name: str) -> int:
        p.stat(name)
        paths = list(p.files.walk(p.user, p.path(name))) if "R" in options else [name]
        return each(p, paths, change_path, f"changing {attribute} of '{{}}': {{}}")

    return each(p, names, all_of, "cannot access '{}': {}")


def chmod(p: Process) -> int:
    """`chmod [-R] mode file…`"""
    p.args = [p.args[0], *(f"a{word}" if re.match(r"-[rwxst]+$", word) else word for word in p.args[1:])]
    options, names = parse(p, "R", {"recursive": "R"}, least=2)
    _mode(p, names[0], 0, directory=False)

    def change(path: str, node: Node) -> None:
        p.files.chmod(p.user, p.path(path), changed_mode(names[0], node.mode, directory=node.is_directory))

    return _change(p, names[1:], options, change, "permissions")


def chown(p: Process) -> int:
    """`chown [-Rh] owner[:group] file…`"""
    options, names = parse(p, "Rh", {"recursive": "R", "no-dereference": "h"}, least=2)
    owner, _, group = names[0].partition(":")
    uid = user_number(p, owner) if owner else -1
    gid = group_number(p, group) if group else -1
    if uid is None or gid is None:
        return p.complain(f"invalid {'user' if uid is None else 'group'}: '{names[0]}'")

    def change(path: str, node: Node) -> None:
        p.files.chown(p.user, p.path(path), uid, gid, follow="h" not in options)

    return _change(p, names[1:], options, change, "ownership")


_LETTERS = string.ascii_letters + string.digits


def mktemp(p: Process) -> int:
    """`mktemp [-d] [-p directory] [template]`"""
    options, names = parse(p, "dp:tu", {"directory": "d", "tmpdir": "p"})
    template = names[0] if names else "tmp.XXXXXXXXXX"
    count = len(template) - len(stem := template.rstrip("X"))
    if count < 3:
        return p.complain(f"too few X's in template ‘{template}’")
    folder = options["p"][-1] if "p" in options else p.env.get("TMPDIR", "/tmp") if not names or "t" in options else ""
    front, noise, path = (folder and folder + "/") + stem, p.machine.noise(count), ""
    for turn in range(len(_LETTERS)):  # noise may be the same every time
        path = front + "".join(_LETTERS[(byte + turn) % len(_LETTERS)] for byte in noise)
        if p.find(path, follow=False) is None:
            break
    try:
        if "d" in options:
            p.files.mkdir(p.user, p.path(path), 0o700)
        else:
            p.files.create(p.user, p.path(path), 0o600, exclusive=True)
    except Errno as error:
        kind = "directory" if "d" in options else "file"
        return p.complain(f"failed to create {kind} via template ‘{front + 'X' * count}’: {error}")
    p.out(path + "\n")
    return 0


PROGRAMS: dict[str, Program] = {
    "mktemp": mktemp, "cp": cp, "mv": mv, "rm": rm, "mkdir": mkdir, "rmdir": rmdir, "ln": ln, "touch": touch, "chmod": chmod, "chown": chown,
}  # fmt: skip
