"""Changing files: cp, mv, rm, mkdir, rmdir, touch, ln, chmod, chown, mktemp, truncate. Their words are GNU's."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import UTC, datetime

from imagelab.layers.tree import Kind, Node
from imagelab.runtime.filesystem import WRITE, Refusal
from imagelab.runtime.process import Process, Program, Steps
from imagelab.runtime.userland.accounts import group_number, user_number
from imagelab.runtime.userland.options import Options, parse


def _missing(p: Process, what: str = "missing operand") -> int:
    return p.complain(f"{what}\nTry '{p.name} --help' for more information.")


def _base(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2] or "/"


def _inside(p: Process, target: str, name: str) -> str:
    """Where a file goes: into the target when that is a directory."""
    node = p.find(target)
    return f"{target.rstrip('/')}/{_base(name)}" if node is not None and node.is_directory else target


def _sources(p: Process, names: list[str], options: Options) -> tuple[list[str], str] | int:
    """(sources, target), or an exit code."""
    if "t" in options:
        names = [*names, options["t"][-1]]
    if not names:
        return _missing(p, "missing file operand")
    if len(names) == 1:
        return _missing(p, f"missing destination file operand after '{names[0]}'")
    *sources, target = names
    node = p.find(target)
    if len(sources) > 1 and (node is None or not node.is_directory):
        return p.complain(f"target '{target}': {'No such file or directory' if node is None else 'Not a directory'}")
    return sources, target


def _agreed(p: Process, question: str) -> Generator[float, None, bool]:
    """`rm: remove regular file 'f'? `, answered with a word that begins with y."""
    p.out(f"{p.name}: {question}? ", 2)
    return (yield from p.read_line()).lstrip()[:1] in (b"y", b"Y")


def _kind(node: Node) -> str:
    names = {
        Kind.DIRECTORY: "directory",
        Kind.SYMLINK: "symbolic link",
        Kind.FILE: "regular file" if node.size else "regular empty file",
    }
    return names.get(node.kind, "special file")


# -- cp, mv, rm ---------------------------------------------------------------------------------------------

CP_LONG = {"recursive": "r", "archive": "a", "force": "f", "no-clobber": "n", "verbose": "v", "preserve": "p", "target-directory": "t", "no-dereference": "P", "interactive": "i", "update": "u"}  # fmt: skip


def cp(p: Process) -> Steps:
    options, names = parse(p, "rRafnvpdPLiuTt:", CP_LONG)
    return (yield from _each_to(p, names, options, _copy))


def _each_to(
    p: Process, names: list[str], options: Options, work: Callable[[Process, str, str, Options], int]
) -> Steps:
    """Copy or move every source to where it goes; with -i, ask before a file is lost."""
    found = _sources(p, names, options)
    if isinstance(found, int):
        return found
    sources, target = found
    status = 0
    for name in sources:
        to = target if "T" in options else _inside(p, target, name)
        there = p.find(to)
        asks = there is not None and not there.is_directory and "i" in options and not options.keys() & {"f", "n"}
        if not asks or (yield from _agreed(p, f"overwrite '{to}'")):
            status = max(status, work(p, name, to, options))
    return status


def _copy(p: Process, name: str, to: str, options: Options) -> int:
    recursive = bool(options.keys() & {"r", "R", "a"})
    keep_links = bool(options.keys() & {"a", "d", "P"}) or (recursive and "L" not in options)
    try:
        node = p.stat(name, follow=not keep_links)
    except Refusal as refusal:
        return p.complain(f"cannot stat '{name}': {refusal}")
    if node.is_directory:
        return (
            _copy_folder(p, name, to, node, options)
            if recursive
            else p.complain(f"-r not specified; omitting directory '{name}'")
        )
    there = p.find(to)
    if there is not None and "n" in options or there is not None and "u" in options and there.mtime >= node.mtime:
        return 0
    if (
        there is not None
        and p.files.follow(p.user, p.path(to)) == p.files.follow(p.user, p.path(name))
        and node.kind is Kind.FILE
    ):
        return p.complain(f"'{name}' and '{to}' are the same file")
    if there is not None and there.is_directory:
        return p.complain(f"cannot overwrite directory '{to}' with non-directory")
    try:
        _copy_file(p, name, to, node, options)
    except Refusal as refusal:
        what = f"cannot open '{name}' for reading" if not p.may(name, 4) else f"cannot create regular file '{to}'"
        return p.complain(f"{what}: {refusal}")
    if "v" in options:
        p.out(f"'{name}' -> '{to}'\n")
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
        made = replace(node, uid=p.user.uid, gid=p.user.gid, mtime=p.files.now(), link="")
        p.files.mknod(p.user, p.path(to), made)
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
        there = p.find(to)
        if there is not None and not there.is_directory:
            return p.complain(f"cannot overwrite non-directory '{to}' with directory '{name}'")
        if there is None:
            p.files.mkdir(p.user, p.path(to), node.mode & ~p.umask)
            if "v" in options:
                p.out(f"'{name}' -> '{to}'\n")
        for child in p.files.names(p.user, p.path(name)):
            status = max(status, _copy(p, f"{name.rstrip('/')}/{child}", f"{to.rstrip('/')}/{child}", options))
        _preserve(p, to, node, options)
    except Refusal as refusal:
        return p.complain(f"cannot create directory '{to}': {refusal}")
    return status


def mv(p: Process) -> Steps:
    options, names = parse(p, "fnvuTit:", CP_LONG)
    return (yield from _each_to(p, names, options, _move))


def _move(p: Process, name: str, to: str, options: Options) -> int:
    node, there = p.find(name, follow=False), p.find(to, follow=False)
    if node is None:
        return p.complain(f"cannot stat '{name}': No such file or directory")
    if there is not None and "n" in options:
        return 0
    if there is not None and there.is_directory and not node.is_directory:
        return p.complain(f"cannot overwrite directory '{to}' with non-directory")
    if there is not None and node.is_directory and not there.is_directory:
        return p.complain(f"cannot overwrite non-directory '{to}' with directory '{name}'")
    try:
        if p.files.resolve(p.user, p.path(name), follow=False) == p.files.resolve(p.user, p.path(to), follow=False):
            return p.complain(f"'{name}' and '{to}' are the same file")
        p.files.rename(p.user, p.path(name), p.path(to))
    except Refusal as refusal:
        if refusal.code == "EINVAL":
            return p.complain(f"cannot move '{name}' to a subdirectory of itself, '{to}'")
        return p.complain(f"cannot move '{name}' to '{to}': {refusal}")
    if "v" in options:
        p.out(f"renamed '{name}' -> '{to}'\n")
    return 0


def rm(p: Process) -> Steps:
    options, names = parse(
        p,
        "rRfvdiI",
        {"recursive": "r", "force": "f", "verbose": "v", "dir": "d", "no-preserve-root": "P", "interactive": "i"},
    )
    if not names:
        return 0 if "f" in options else _missing(p)
    status = 0
    for name in names:
        status = max(status, (yield from _remove(p, name, options)))
    return status


def _remove(p: Process, name: str, options: Options) -> Steps:
    node = p.find(name, follow=False)
    recursive = bool(options.keys() & {"r", "R"})
    if node is None:
        try:
            p.stat(name, follow=False)
        except Refusal as refusal:
            forgiven = "f" in options and refusal.code in ("ENOENT", "ENOTDIR")
            return 0 if forgiven else p.complain(f"cannot remove '{name}': {refusal}")
    if _base(name) in (".", ".."):
        return p.complain(f"refusing to remove '.' or '..' directory: skipping '{name}'")
    assert node is not None
    if node.is_directory and not p.files.resolve(p.user, p.path(name)):
        p.complain("it is dangerous to operate recursively on '/'")
        return p.complain("use --no-preserve-root to override this failsafe")
    if node.is_directory and not recursive and "d" not in options:
        return p.complain(f"cannot remove '{name}': Is a directory")
    return (yield from _removed(p, name, node, options))


def _removed(p: Process, name: str, node: Node, options: Options) -> Steps:
    status, asks = 0, "i" in options and "f" not in options
    try:
        if node.is_directory and options.keys() & {"r", "R"}:
            if asks and not (yield from _agreed(p, f"descend into directory '{name}'")):
                return 0
            for child in p.files.names(p.user, p.path(name)):
                at = f"{name.rstrip('/')}/{child}"
                found = p.find(at, follow=False)
                status = max(status, (yield from _removed(p, at, found, options)) if found is not None else 0)
        if status or (asks and not (yield from _agreed(p, f"remove {_kind(node)} '{name}'"))):
            return status
        (p.files.rmdir if node.is_directory else p.files.unlink)(p.user, p.path(name))
    except Refusal as refusal:
        return p.complain(f"cannot remove '{name}': {refusal}")
    if "v" in options:
        p.out(f"removed {'directory ' if node.is_directory else ''}'{name}'\n")
    return status


# -- directories --------------------------------------------------------------------------------------------


def mkdir(p: Process) -> int:
    options, names = parse(p, "pvm:", {"parents": "p", "verbose": "v", "mode": "m"})
    if not names:
        return _missing(p)
    status = 0
    for name in names:
        try:
            for at in _parents(name) if "p" in options else [name]:
                node = p.find(at)
                if "p" in options and node is not None and node.is_directory:
                    continue
                p.files.mkdir(p.user, p.path(at.rstrip("/") or "/"), 0o777 & ~p.umask)
                if "v" in options:
                    p.out(f"mkdir: created directory '{at}'\n")
            if "m" in options:
                p.files.chmod(p.user, p.path(name), changed_mode(options["m"][-1], 0o777 & ~p.umask, directory=True))
        except Refusal as refusal:
            status = p.complain(f"cannot create directory '{name}': {refusal}")
        except ValueError:
            return p.complain(f"invalid mode: '{options['m'][-1]}'")
    return status


def _parents(name: str) -> list[str]:
    parts = name.rstrip("/").split("/")
    return [path for at in range(1, len(parts) + 1) if (path := "/".join(parts[:at]))]


def rmdir(p: Process) -> int:
    options, names = parse(p, "pv", {"parents": "p", "ignore-fail-on-non-empty": "i", "verbose": "v"})
    if not names:
        return _missing(p)
    status = 0
    for name in names:
        try:
            for at in reversed(_parents(name)) if "p" in options else [name]:
                if "v" in options:
                    p.out(f"rmdir: removing directory, '{at}'\n")
                p.files.rmdir(p.user, p.path(at))
        except Refusal as refusal:
            if not ("i" in options and refusal.code == "ENOTEMPTY"):
                status = p.complain(f"failed to remove '{name}': {refusal}")
    return status


def ln(p: Process) -> int:
    options, names = parse(p, "sfnvTt:r", {"symbolic": "s", "force": "f", "no-dereference": "n", "verbose": "v"})
    if len(names) == 1:
        names = [*names, "."]
    found = _sources(p, names, options)
    if isinstance(found, int):
        return found
    sources, target = found
    return max(_link(p, name, target, options) for name in sources)


def _link(p: Process, name: str, target: str, options: Options) -> int:
    direct = "T" in options or ("n" in options and (node := p.find(target, follow=False)) is not None and node.kind is Kind.SYMLINK)  # fmt: skip
    to = target if direct else _inside(p, target, name)
    kind = "symbolic" if "s" in options else "hard"
    try:
        if "f" in options and (old := p.find(to, follow=False)) is not None and not old.is_directory:
            p.files.unlink(p.user, p.path(to))
        if "s" in options:
            p.files.symlink(p.user, name, p.path(to))
        else:
            p.files.link(p.user, p.path(name), p.path(to))
    except Refusal as refusal:
        if kind == "hard" and p.find(name, follow=False) is None:
            return p.complain(f"failed to access '{name}': {refusal}")
        if refusal.code == "EPERM":
            return p.complain(f"{name}: hard link not allowed for directory")
        arrow = "" if refusal.code == "EEXIST" else f" -> '{name}'" if kind == "symbolic" else f" => '{name}'"
        return p.complain(f"failed to create {kind} link '{to}'{arrow}: {refusal}")
    if "v" in options:
        p.out(f"'{to}' {'->' if kind == 'symbolic' else '=>'} '{name}'\n")
    return 0


# -- attributes ---------------------------------------------------------------------------------------------


def touch(p: Process) -> int:
    options, names = parse(p, "acmhd:t:r:", {"no-create": "c", "date": "d", "reference": "r"})
    if not names:
        return _missing(p, "missing file operand")
    try:
        moment = _moment(p, options)
    except ValueError:
        return p.complain(f"invalid date format '{(options.get('d') or options['t'])[-1]}'")
    status = 0
    for name in names:
        try:
            if p.find(name) is None:
                if "c" in options:
                    continue
                p.files.create(p.user, p.path(name), 0o666 & ~p.umask)
            elif not p.may(name, WRITE) and p.stat(name).uid != p.user.uid:
                raise Refusal("EACCES")
            p.files.utime(p.user if p.stat(name).uid == p.user.uid else replace(p.user, uid=0), p.path(name), moment)
        except Refusal as refusal:
            status = p.complain(f"cannot touch '{name}': {refusal}")
    return status


def _moment(p: Process, options: Options) -> int:
    if "r" in options:
        return p.stat(options["r"][-1]).mtime
    if "d" in options:
        text = options["d"][-1]
        if text.startswith("@"):
            return int(text[1:])
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
    if "t" in options:
        text = options["t"][-1].replace(".", "")
        return int(datetime.strptime(text.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp())
    return p.files.now()


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
    mask = sum(bits << {"u": 6, "g": 3, "o": 0}[one] for one in set(who))
    if "s" in letters:
        mask |= (0o4000 if "u" in who else 0) | (0o2000 if "g" in who else 0)
    if "t" in letters:
        mask |= 0o1000
    if operator == "=":
        cleared = sum(7 << {"u": 6, "g": 3, "o": 0}[one] for one in set(who))
        return mode & ~cleared | mask
    return mode | mask if operator == "+" else mode & ~mask


def _each(p: Process, names: list[str], options: Options, change: Callable[[str, Node], None], what: str) -> int:
    status = 0
    for name in names:
        paths = [name]
        try:
            p.stat(name)
            if "R" in options:
                paths = list(p.files.walk(p.user, name if name.startswith("/") else p.path(name)))
        except Refusal as refusal:
            status = p.complain(f"cannot access '{name}': {refusal}")
            continue
        for path in paths:
            try:
                node = p.stat(path, follow=len(paths) == 1)
                if node.kind is not Kind.SYMLINK:
                    change(path, node)
            except Refusal as refusal:
                status = p.complain(f"changing {what} of '{path}': {refusal}")
    return status


def chmod(p: Process) -> int:
    p.args = [p.args[0], *(f"a{word}" if re.match(r"-[rwxst]+$", word) else word for word in p.args[1:])]
    options, names = parse(p, "Rvfc", {"recursive": "R", "verbose": "v", "changes": "c"})
    if len(names) < 2:
        return _missing(p, f"missing operand after '{names[0]}'" if names else "missing operand")
    asked = names[0]
    try:
        changed_mode(asked, 0, directory=False)
    except ValueError:
        return p.complain(f"invalid mode: '{asked}'\nTry 'chmod --help' for more information.")
    return _each(p, names[1:], options, lambda path, node: p.files.chmod(p.user, p.path(path), changed_mode(asked, node.mode, directory=node.is_directory)), "permissions")  # fmt: skip


def chown(p: Process) -> int:
    options, names = parse(p, "Rhvfc", {"recursive": "R", "no-dereference": "h", "verbose": "v"})
    if len(names) < 2:
        return _missing(p, f"missing operand after '{names[0]}'" if names else "missing operand")
    owner, colon, group = (
        names[0].partition(":" if ":" in names[0] else ".") if p.name == "chown" else ("", ":", names[0])
    )
    uid = user_number(p, owner) if owner else -1
    gid = group_number(p, group) if group else -1
    if uid is None or gid is None:
        kind = "invalid user" if p.name == "chown" else "invalid group"
        return p.complain(
            f"{kind}: '{names[0]}'" if uid is None or p.name != "chown" else f"invalid group: '{names[0]}'"
        )
    return _each(p, names[1:], options, lambda path, _: p.files.chown(p.user, p.path(path), uid, gid, follow="h" not in options), "ownership")  # fmt: skip


def truncate(p: Process) -> int:
    options, names = parse(p, "cs:", {"size": "s", "no-create": "c"})
    if "s" not in options:
        return _missing(p, "you must specify either '--size' or '--reference'")
    match = re.fullmatch(r"(\d+)([KMG]?)", options["s"][-1])
    if match is None:
        return p.complain(f"Invalid number: '{options['s'][-1]}'")
    size = int(match[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[match[2]]
    for name in names:
        try:
            data = p.files.read_file(p.user, p.path(name)) if p.find(name) is not None else b""
            p.files.write_file(p.user, p.path(name), data[:size].ljust(size, b"\0"), 0o666 & ~p.umask)
        except Refusal as refusal:
            return p.complain(f"cannot open '{name}' for writing: {refusal}")
    return 0


def mktemp(p: Process) -> int:
    options, names = parse(p, "dp:tuq", {"directory": "d", "tmpdir": "p"})
    template = names[0] if names else "tmp.XXXXXXXXXX"
    folder = options["p"][-1] if "p" in options else ("" if names else p.env.get("TMPDIR", "/tmp"))
    count = len(template) - len(template.rstrip("X"))
    if count < 3:
        return p.complain(f"too few X's in template '{template}'")
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    name = template[:-count] + "".join(letters[byte % len(letters)] for byte in p.machine.noise(count))
    path = f"{folder}/{name}" if folder else name
    try:
        if "d" in options:
            p.files.mkdir(p.user, p.path(path), 0o700)
        else:
            p.files.create(p.user, p.path(path), 0o600, exclusive=True)
    except Refusal as refusal:
        return p.complain(
            f"failed to create {'directory' if 'd' in options else 'file'} via template '{path}': {refusal}"
        )
    p.out(path + "\n")
    return 0


PROGRAMS: dict[str, Program] = {
    "cp": cp, "mv": mv, "rm": rm, "mkdir": mkdir, "rmdir": rmdir, "ln": ln, "touch": touch, "chmod": chmod, "chown": chown,
    "chgrp": chown, "truncate": truncate, "mktemp": mktemp,
}  # fmt: skip
