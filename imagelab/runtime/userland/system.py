"""Who am I, where am I, what time is it, what runs here: env, id, uname, date, ps, kill, sleep, which, expr and such."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from imagelab.runtime.execution import NotExecutable, locate
from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Process, Program, Steps
from imagelab.runtime.shell.processes import send, signal_number
from imagelab.runtime.userland.accounts import NoSuchAccount, group_name, user_name, user_of
from imagelab.runtime.userland.options import bad, parse

KERNEL = ("Linux", "5.15.0-imagelab", "#1 SMP imagelab", "x86_64", "GNU/Linux")


def env(p: Process) -> Steps:
    options, words = parse(p, "iu:0", {"ignore-environment": "i", "unset": "u"}, mixed=False)
    environment = {} if "i" in options else dict(p.env)
    for name in options.get("u", []):
        environment.pop(name, None)
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    if not words:
        p.out("".join(f"{name}={value}\n" for name, value in environment.items()))
        return 0
    try:
        return (yield from p.machine.run(p, words, environment))
    except Refusal as refusal:
        return p.complain(f"‘{words[0]}’: {refusal}", 127 if refusal.code == "ENOENT" else 126)
    except NotExecutable as problem:
        return p.complain(str(problem), 126)


def printenv(p: Process) -> int:
    if len(p.args) == 1:
        p.out("".join(f"{name}={value}\n" for name, value in p.env.items()))
        return 0
    found = [p.env[name] for name in p.args[1:] if name in p.env]
    p.out("".join(f"{value}\n" for value in found))
    return int(len(found) < len(p.args) - 1)


def id(p: Process) -> int:
    options, names = parse(p, "ugGnr", {"user": "u", "group": "g", "groups": "G", "name": "n"})
    user = p.user
    if names:
        try:
            user, _ = user_of(p, names[0])
        except NoSuchAccount:
            return p.complain(f"‘{names[0]}’: no such user")
    groups = [user.gid, *(gid for gid in user.groups if gid != user.gid)]
    named = "n" in options
    if "u" in options:
        p.out(f"{user_name(p, user.uid) if named else user.uid}\n")
    elif "g" in options:
        p.out(f"{group_name(p, user.gid) if named else user.gid}\n")
    elif "G" in options:
        p.out(" ".join(group_name(p, gid) if named else str(gid) for gid in groups) + "\n")
    else:
        listed = ",".join(_numbered(gid, group_name(p, gid)) for gid in groups)
        p.out(
            f"uid={_numbered(user.uid, user_name(p, user.uid))} gid={_numbered(user.gid, group_name(p, user.gid))} groups={listed}\n"
        )
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
        return p.complain(
            "you must be root to change the host name" if p.user.uid else "sethostname: Operation not permitted"
        )
    p.out(p.machine.hostname + "\n")
    return 0


def uname(p: Process) -> int:
    options, _ = parse(
        p, "asnrvmpio", {"all": "a", "kernel-name": "s", "machine": "m", "nodename": "n", "kernel-release": "r"}
    )
    system, release, version, machine, operating = KERNEL
    parts = {"s": system, "n": p.machine.hostname, "r": release, "v": version, "m": machine, "o": operating}
    chosen = "snrvmo" if "a" in options else [letter for letter in "snrvmo" if letter in options] or "s"
    p.out(" ".join(parts[letter] for letter in chosen) + "\n")
    return 0


def date(p: Process) -> int:
    options, words = parse(p, "uId:r:R", {"utc": "u", "date": "d", "iso-8601": "I", "rfc-email": "R"})
    seconds = p.machine.clock() // 1_000_000_000
    if "d" in options:
        asked = options["d"][-1]
        try:
            seconds = (
                int(asked[1:])
                if asked.startswith("@")
                else int(datetime.fromisoformat(asked).replace(tzinfo=UTC).timestamp())
            )
        except ValueError:
            return p.complain(f"invalid date ‘{asked}’")
    if "r" in options:
        seconds = p.stat(options["r"][-1]).mtime
    moment = datetime.fromtimestamp(seconds, UTC)
    format = "%a %b %e %H:%M:%S %Z %Y" if not words else words[0][1:]
    if words and not words[0].startswith("+"):
        return p.complain("cannot set date: Operation not permitted")
    format = "%Y-%m-%d" if "I" in options else "%a, %d %b %Y %H:%M:%S +0000" if "R" in options else format
    p.out(_dated(moment, format, p.machine.clock() % 1_000_000_000) + "\n")
    return 0


def _dated(moment: datetime, format: str, nanoseconds: int) -> str:
    own = {"e": f"{moment.day:2}", "s": str(int(moment.timestamp())), "F": f"{moment:%Y-%m-%d}", "T": f"{moment:%H:%M:%S}", "N": f"{nanoseconds:09}", "D": f"{moment:%m/%d/%y}", "R": f"{moment:%H:%M}", "n": "\n", "t": "\t", "Z": "UTC", "z": "+0000", "k": f"{moment.hour:2}", "u": str(moment.isoweekday()), "h": f"{moment:%b}", "%": "%"}  # fmt: skip
    return re.sub(r"%([-_0]?)(.)", lambda m: _unpadded(own.get(m[2], moment.strftime("%" + m[2])), m[1]), format)


def _unpadded(text: str, flag: str) -> str:
    return text.lstrip("0 ") or "0" if flag == "-" else text


def sleep(p: Process) -> Steps:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    if len(p.args) < 2:
        return p.complain("missing operand\nTry 'sleep --help' for more information.")
    total = 0.0
    for word in p.args[1:]:
        match = re.fullmatch(r"(\d*\.?\d+|infinity)([smhd]?)", word)
        if match is None:
            return p.complain(f"invalid time interval ‘{word}’\nTry 'sleep --help' for more information.")
        total += (1e9 if match[1] == "infinity" else float(match[1])) * units[match[2] or "s"]
    yield from p.sleep(total)
    return 0


def ps(p: Process) -> int:
    full = any("f" in word or "u" in word for word in p.args[1:])
    everybody = full or len(p.args) > 1
    rows = [
        (process.pid, user_name(p, process.user.uid), " ".join(process.args))
        for process in p.machine.processes.values()
    ]
    rows += p.machine.others()
    rows = sorted(row for row in rows if everybody or row[0] != 1 or True)
    if full:
        p.out(f"{'UID':<8} {'PID':>7} {'CMD'}\n")
        p.out("".join(f"{user:<8} {pid:>7} {command}\n" for pid, user, command in rows))
        return 0
    p.out(f"{'PID':>7} {'CMD'}\n")
    p.out("".join(f"{pid:>7} {command.split(' ')[0].rpartition('/')[2]}\n" for pid, _, command in rows))
    return 0


def kill(p: Process) -> int:
    words, number = p.args[1:], 15
    if words[:1] == ["-s"]:
        words = [f"-{words[1]}" if len(words) > 1 else "-", *words[2:]]
    if words and words[0].startswith("-"):
        found = signal_number(words[0][1:])
        if found is None:
            return p.complain(f"unknown signal: {words[0][1:]}")
        number, words = found, words[1:]
    status = 0
    for word in words:
        if not word.isdigit():
            status = p.complain(f"failed to parse argument: '{word}'")
        elif not send(p, int(word), number):
            status = p.complain(f"sending signal to {word} failed: No such process")
    return status


def which(p: Process) -> int:
    status = 0
    for name in [word for word in p.args[1:] if word != "-a"]:
        try:
            p.out(locate(p, name, p.env.get("PATH")) + "\n")
        except Refusal:
            status = 1
    return status


def pwd(p: Process) -> int:
    p.out(p.cwd + "\n")
    return 0


def basename(p: Process) -> int:
    options, names = parse(p, "as:z", {"multiple": "a", "suffix": "s"})
    if not names:
        return p.complain("missing operand\nTry 'basename --help' for more information.")
    suffix = options["s"][-1] if "s" in options else names[1] if len(names) > 1 and "a" not in options else ""
    for name in names if options.keys() & {"a", "s"} else names[:1]:
        base = name.rstrip("/").rpartition("/")[2] or ("/" if name else "")
        p.out((base.removesuffix(suffix) if suffix != base else base) + "\n")
    return 0


def dirname(p: Process) -> int:
    _, names = parse(p, "z")
    if not names:
        return p.complain("missing operand\nTry 'dirname --help' for more information.")
    for name in names:
        above, slash, _ = name.rstrip("/").rpartition("/")
        p.out((above.rstrip("/") or "/" if slash else "/" if name.startswith("/") else ".") + "\n")
    return 0


def true(p: Process) -> int:
    return 0


def false(p: Process) -> int:
    return 1


def df(p: Process) -> int:
    size, used = 10_485_760, sum(node.size for node in p.files.tree().values()) // 1024
    human = "-h" in p.args
    p.out(
        f"{'Filesystem':<14} {'Size' if human else '1K-blocks':>9} {'Used':>8} {'Avail' if human else 'Available':>9} {'Use%':>4} Mounted on\n"
    )
    shown = ["10G", f"{used}K", "10G"] if human else [str(size), str(used), str(size - used)]
    p.out(f"{'overlay':<14} {shown[0]:>9} {shown[1]:>8} {shown[2]:>9} {used * 100 // size:>3}% /\n")
    return 0


def nproc(p: Process) -> int:
    p.out("1\n")
    return 0


# -- expr ---------------------------------------------------------------------------------------------------


class ExprProblem(Exception):
    """`expr` cannot evaluate this; exit code 2."""


_EXPR_LEVELS = [("|",), ("&",), ("<", "<=", "=", "==", "!=", ">=", ">"), ("+", "-"), ("*", "/", "%"), (":",)]


def expr(p: Process) -> int:
    words = p.args[1:]
    if not words:
        return p.complain("missing operand\nTry 'expr --help' for more information.", 2)
    try:
        value = _expression(words, 0)
        if words:
            raise ExprProblem(f"syntax error: unexpected argument ‘{words[0]}’")
    except ExprProblem as problem:
        return p.complain(str(problem), 2)
    p.out(value + "\n")
    return int(value in ("", "0"))


def _expression(words: list[str], level: int) -> str:
    if level == len(_EXPR_LEVELS):
        return _operand(words)
    left = _expression(words, level + 1)
    while words and words[0] in _EXPR_LEVELS[level]:
        operator = words.pop(0)
        left = _applied(left, operator, _expression(words, level + 1))
    return left


def _operand(words: list[str]) -> str:
    if not words:
        raise ExprProblem("syntax error: missing argument")
    word = words.pop(0)
    if word == "(":
        value = _expression(words, 0)
        if words[:1] != [")"]:
            raise ExprProblem("syntax error: expecting ')'")
        words.pop(0)
        return value
    if word == "length" and words:
        return str(len(_operand(words)))
    if word == "substr" and len(words) > 2:
        text, start, count = _operand(words), int(_operand(words)), int(_operand(words))
        return text[start - 1 : start - 1 + count] if start > 0 else ""
    if word == "index" and len(words) > 1:
        text, letters = _operand(words), _operand(words)
        return str(min((text.find(letter) + 1 for letter in letters if letter in text), default=0))
    return word


def _applied(left: str, operator: str, right: str) -> str:
    if operator == "|":
        return left if left not in ("", "0") else right or "0"
    if operator == "&":
        return left if left not in ("", "0") and right not in ("", "0") else "0"
    if operator == ":":
        return _matched(left, right)
    numbers = re.fullmatch(r"-?\d+", left) and re.fullmatch(r"-?\d+", right)
    if operator in _EXPR_LEVELS[2]:
        a, b = (int(left), int(right)) if numbers else (left, right)
        results = {"<": a < b, "<=": a <= b, "=": a == b, "==": a == b, "!=": a != b, ">=": a >= b, ">": a > b}  # type: ignore[operator]
        return str(int(results[operator]))
    if not numbers:
        raise ExprProblem("non-integer argument")
    x, y = int(left), int(right)
    if operator in "/%" and y == 0:
        raise ExprProblem("division by zero")
    if operator in "/%":
        quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
        return str(quotient if operator == "/" else x - quotient * y)
    return str({"+": x + y, "-": x - y, "*": x * y}[operator])


def _matched(text: str, pattern: str) -> str:
    from imagelab.runtime.userland.regex import compile

    match = compile(pattern, extended=False).match(text)
    if "\\(" in pattern:
        return match[1] if match and match[1] is not None else ""
    return str(len(match[0]) if match else 0)


PROGRAMS: dict[str, Program] = {
    "env": env, "printenv": printenv, "id": id, "whoami": whoami, "hostname": hostname, "uname": uname, "date": date, "sleep": sleep,
    "ps": ps, "kill": kill, "which": which, "pwd": pwd, "basename": basename, "dirname": dirname, "true": true, "false": false,
    "df": df, "nproc": nproc, "expr": expr,
}  # fmt: skip
