"""Who am I, where am I, what time is it, what runs here: env, id, uname, date, ps, kill, sleep, which and such."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from imagelab.runtime.execution import NotExecutable, locate, run
from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import Process, Program, Steps
from imagelab.runtime.shell.processes import killed
from imagelab.runtime.userland.accounts import NoSuchAccount, group_name, user_name, user_of
from imagelab.runtime.userland.options import bad, parse

KERNEL = ("Linux", "5.15.0-imagelab", "#1 SMP imagelab", "x86_64", "GNU/Linux")


def env(p: Process) -> Steps:
    """`env [-i] [-u name] [name=value…] [command…]`"""
    options, words = parse(p, "iu:", {"ignore-environment": "i", "unset": "u"}, mixed=False)
    environment = {} if "i" in options else {name: p.env[name] for name in p.env if name not in options.get("u", [])}
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    if not words:
        p.out("".join(f"{name}={value}\n" for name, value in environment.items()))
        return 0
    try:
        return (yield from run(p, words, environment))
    except Errno as error:
        return p.complain(f"‘{words[0]}’: {error}", 127 if error.code == "ENOENT" else 126)
    except NotExecutable as problem:
        return p.complain(str(problem), problem.code)


def printenv(p: Process) -> int:
    """`printenv [name…]`"""
    names = p.args[1:]
    found = [p.env[name] for name in names if name in p.env] or [f"{name}={p.env[name]}" for name in p.env if not names]
    p.out("".join(f"{line}\n" for line in found))
    return int(len(found) < len(names))


def id(p: Process) -> int:
    """`id [-u | -g | -G] [-n] [user]`"""
    options, names = parse(p, "ugGn", {"user": "u", "group": "g", "groups": "G", "name": "n"})
    user = p.user
    if names:
        try:
            user, _ = user_of(p, names[0])
        except NoSuchAccount:
            return p.complain(f"‘{names[0]}’: no such user")
    groups = [user.gid, *(gid for gid in user.groups if gid != user.gid)]
    numbers = {"u": [user.uid], "g": [user.gid], "G": groups}
    if asked := [letter for letter in "ugG" if letter in options]:
        name = user_name if asked[0] == "u" else group_name
        shown = [name(p, number) if "n" in options else str(number) for number in numbers[asked[0]]]
        p.out(" ".join(shown) + "\n")
        return 0
    named = [_numbered(gid, group_name(p, gid)) for gid in groups]
    p.out(f"uid={_numbered(user.uid, user_name(p, user.uid))} gid={named[0]} groups={','.join(named)}\n")
    return 0


def _numbered(number: int, name: str) -> str:
    return str(number) if name == str(number) else f"{number}({name})"


def whoami(p: Process) -> int:
    if len(p.args) > 1:
        raise bad(p, f"extra operand ‘{p.args[1]}’")
    name = user_name(p, p.user.uid)
    if name == str(p.user.uid):
        return p.complain(f"cannot find name for user ID {p.user.uid}")
    p.out(name + "\n")
    return 0


def hostname(p: Process) -> int:
    if len(p.args) > 1 and not p.args[1].startswith("-"):
        return p.complain("you must be root to change the host name")
    p.out(p.machine.hostname + "\n")
    return 0


def uname(p: Process) -> int:
    """`uname [-asnrvmo]`"""
    options, _ = parse(p, "asnrvmo", {"all": "a", "machine": "m", "kernel-release": "r"})
    system, release, version, machine, operating = KERNEL
    parts = {"s": system, "n": p.machine.hostname, "r": release, "v": version, "m": machine, "o": operating}
    p.out(" ".join(parts[letter] for letter in parts if letter in (options or "s") or "a" in options) + "\n")
    return 0


def date(p: Process) -> int:
    """`date [-u] [+format]`"""
    options, words = parse(p, "u", {"utc": "u"})
    if words and not words[0].startswith("+"):
        return p.complain("cannot set date: Operation not permitted")
    moment = datetime.fromtimestamp(p.machine.clock() // 1_000_000_000, UTC)
    format = words[0][1:] if words else "%a %b %e %H:%M:%S %Z %Y"
    p.out(_dated(moment, format) + "\n")
    return 0


def _dated(moment: datetime, format: str) -> str:
    own = {"e": f"{moment.day:2}", "s": str(int(moment.timestamp())), "F": f"{moment:%Y-%m-%d}", "T": f"{moment:%H:%M:%S}", "R": f"{moment:%H:%M}", "N": "0" * 9, "Z": "UTC", "z": "+0000", "%": "%"}  # fmt: skip
    return re.sub(r"%(.)", lambda match: own.get(match[1], moment.strftime("%" + match[1])), format)


def sleep(p: Process) -> Steps:
    """`sleep number[smhd]…`"""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    if len(p.args) < 2:
        raise bad(p, "missing operand")
    total = 0.0
    for word in p.args[1:]:
        match = re.fullmatch(r"(\d*\.?\d+|infinity)([smhd]?)", word)
        if match is None:
            raise bad(p, f"invalid time interval ‘{word}’")
        total += (1e9 if match[1] == "infinity" else float(match[1])) * units[match[2] or "s"]
    yield from p.sleep(total)
    return 0


def ps(p: Process) -> int:
    """`ps [aux | -ef]`: what runs in the container; with u or f in full."""
    rows = [
        (process.pid, user_name(p, process.user.uid), " ".join(process.args))
        for process in p.machine.processes.values()
    ]
    rows = sorted([*rows, *p.machine.others()])
    if any("f" in word or "u" in word for word in p.args[1:]):
        p.out(f"{'UID':<8} {'PID':>7} {'CMD'}\n")
        p.out("".join(f"{user:<8} {pid:>7} {command}\n" for pid, user, command in rows))
        return 0
    p.out(f"{'PID':>7} {'CMD'}\n")
    p.out("".join(f"{pid:>7} {command.split(' ')[0].rpartition('/')[2]}\n" for pid, _, command in rows))
    return 0


def kill(p: Process) -> int:
    """The program."""
    return killed(p, p.args, p.complain)


def which(p: Process) -> int:
    status = 0
    for name in [word for word in p.args[1:] if word != "-a"]:
        try:
            p.out(locate(p, name, p.env.get("PATH")) + "\n")
        except Errno:
            status = 1
    return status


def pwd(p: Process) -> int:
    p.out(p.cwd + "\n")
    return 0


def nproc(p: Process) -> int:
    p.out("1\n")
    return 0


def basename(p: Process) -> int:
    """`basename path [suffix]`"""
    _, names = parse(p, "", least=1)
    base, suffix = names[0].rstrip("/").rpartition("/")[2] or names[0][:1], "".join(names[1:2])
    p.out((base.removesuffix(suffix) if suffix != base else base) + "\n")
    return 0


def dirname(p: Process) -> int:
    """`dirname path…`"""
    _, names = parse(p, "", least=1)
    for name in names:
        above, slash, _ = name.rstrip("/").rpartition("/")
        p.out((above.rstrip("/") or "/" if slash else "/" if name.startswith("/") else ".") + "\n")
    return 0


def df(p: Process) -> int:
    """`df [-hk]`: one file system of ten gigabytes."""
    options, _ = parse(p, "hk", {"human-readable": "h"})
    size, used = 10_485_760, sum(node.size for node in p.files.tree().values()) // 1024
    human = "h" in options
    heads = ("Size", "Used", "Avail") if human else ("1K-blocks", "Used", "Available")
    shown = ("10G", f"{used}K", "10G") if human else (str(size), str(used), str(size - used))
    p.out("{:<14} {:>9} {:>8} {:>9} {:>4} {}\n".format("Filesystem", *heads, "Use%", "Mounted on"))
    p.out("{:<14} {:>9} {:>8} {:>9} {:>4} {}\n".format("overlay", *shown, f"{used * 100 // size}%", "/"))
    return 0


PROGRAMS: dict[str, Program] = {
    "env": env, "id": id, "whoami": whoami, "hostname": hostname, "uname": uname, "date": date, "sleep": sleep,
    "ps": ps, "kill": kill, "which": which, "pwd": pwd, "basename": basename, "dirname": dirname, "true": lambda p: 0, "false": lambda p: 1,
    "df": df, "nproc": nproc, "printenv": printenv,
}  # fmt: skip
