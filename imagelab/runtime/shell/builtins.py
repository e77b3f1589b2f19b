"""Commands that are part of the shell, because a program could not do them: `cd`, `read`, `export`, `trap`, …

The *special* ones (POSIX 2.14) differ: an assignment before one stays, and an error in one ends a script.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator

from imagelab.runtime import execution
from imagelab.runtime.filesystem import EXECUTE, Refusal
from imagelab.runtime.process import FOREVER, SIGNALS, Process, Steps, text
from imagelab.runtime.shell.arithmetic import ArithmeticProblem, evaluate
from imagelab.runtime.shell.conditions import test
from imagelab.runtime.shell.interpreter import Leave, Shell, ShellProblem
from imagelab.runtime.shell.parser import Parser
from imagelab.runtime.shell.printing import echo_builtin, printf_builtin, quoted
from imagelab.runtime.shell.words import KEYWORDS, SyntaxProblem

Builtin = Callable[[Shell, list[str]], int | Steps]
NAME = re.compile(r"[A-Za-z_]\w*")


def evaluated(shell: Shell, script: str) -> Steps:
    """Run a text as the shell's own commands: `eval`, `.`, a trap. ShellProblem for a syntax error."""
    parser = Parser(script, bash=shell.bash)
    status = 0
    while True:
        try:
            body = parser.next()
        except SyntaxProblem as problem:
            raise syntax_error(shell, problem) from None
        if body is None:
            return status
        status = yield from shell.script(body)


def syntax_error(shell: Shell, problem: SyntaxProblem) -> ShellProblem:
    """The same in the words of each shell."""
    shell.line = problem.line
    if not shell.bash:
        return ShellProblem(str(problem))
    if problem.near:
        return ShellProblem(f"syntax error near unexpected token `{problem.near}'")
    return ShellProblem("syntax error: unexpected end of file")


# -- flow ---------------------------------------------------------------------------------------------------


def _number(shell: Shell, words: list[str], default: int) -> int:
    if len(words) < 2:
        return default
    if not words[1].lstrip("-").isdigit() or (words[1].startswith("-") and not shell.bash):
        if shell.bash:
            shell.complain(f"{words[0]}: {words[1]}: numeric argument required")
            return 2
        raise ShellProblem(f"{words[0]}: Illegal number: {words[1]}")
    return int(words[1])


def exit_(shell: Shell, words: list[str]) -> int:
    raise Leave("exit", _number(shell, words, shell.status))


def return_(shell: Shell, words: list[str]) -> int:
    raise Leave("return", _number(shell, words, shell.status))


def break_(shell: Shell, words: list[str]) -> int:
    count = _number(shell, words, 1)
    if count < 1:
        raise ShellProblem(f"{words[0]}: Illegal number: {count}")
    if not shell.loops:
        return 0
    raise Leave(words[0], count)


def eval_(shell: Shell, words: list[str]) -> Steps:
    return evaluated(shell, " ".join(words[1:]))


def dot(shell: Shell, words: list[str]) -> Steps:
    if len(words) < 2:
        return shell.complain(f"{words[0]}: filename argument required", 2)
    name = words[1]
    if "/" not in name and shell.p.find(name) is None or ("/" not in name and not shell.bash):
        folders = (shell.get("PATH") or "").split(":")
        name = next((f"{folder}/{name}" for folder in folders if shell.p.find(f"{folder}/{name}") is not None), name)
        if "/" not in name and not shell.bash:
            raise ShellProblem(f".: {name}: not found")
    try:
        script = text((yield from shell.p.slurp(name)))
    except Refusal as refusal:
        if shell.bash:
            return shell.complain(f"{name}: {refusal}")
        said = "No such file" if refusal.code == "ENOENT" else str(refusal)
        raise ShellProblem(f".: cannot open {name}: {said}") from None
    saved = shell.arguments
    shell.arguments = words[2:] or saved
    try:
        return (yield from evaluated(shell, script))
    except Leave as leave:
        if leave.kind != "return":
            raise
        return leave.value
    finally:
        shell.arguments = saved


def exec_(shell: Shell, words: list[str]) -> Steps:
    if len(words) == 1:
        return 0
    raise Leave("exit", (yield from shell.external(words[1:], [])))


def command(shell: Shell, words: list[str]) -> Steps:
    rest = words[1:]
    flags = ""
    while rest and re.fullmatch(r"-[vVp]+", rest[0]):
        flags += rest.pop(0)[1:]
    if rest[:1] == ["--"]:
        rest = rest[1:]
    if not rest:
        return 0
    if "v" in flags or "V" in flags:
        return _describe(shell, rest, verbose="V" in flags)
    if rest[0] in BUILTINS:
        result = BUILTINS[rest[0]](shell, rest)
        return result if isinstance(result, int) else (yield from result)
    return (yield from shell.external(rest, [], execution.DEFAULT_PATH if "p" in flags else None))


def type_(shell: Shell, words: list[str]) -> int:
    if shell.bash and words[1:2] == ["-t"]:
        kinds = [_kind(shell, name)[0] for name in words[2:]]
        shell.p.out("".join(f"{kind}\n" for kind in kinds if kind))
        return int(not all(kinds))
    return _describe(shell, words[1:], verbose=True)


def _kind(shell: Shell, name: str) -> tuple[str, str]:
    if name in KEYWORDS or (shell.bash and name in ("[[", "function")):
        return "keyword", name
    if name in shell.functions:
        return "function", name
    if name in BUILTINS:
        return "builtin", name
    try:
        return "file", execution.locate(shell.p, name, shell.get("PATH"))
    except Refusal:
        return "", name


def _describe(shell: Shell, names: list[str], *, verbose: bool) -> int:
    status = 0
    for name in names:
        kind, where = _kind(shell, name)
        said = {"keyword": "a shell keyword", "function": "a shell function", "builtin": "a shell builtin", "file": where}
        if kind:
            if shell.bash:
                said |= {"function": "a function"}
            shell.p.out(f"{name} is {said[kind]}\n" if verbose else f"{where}\n")
            continue
        status = 1 if shell.bash else 127
        if verbose and shell.bash:
            shell.complain(f"type: {name}: not found")
        elif verbose:
            shell.p.out(f"{name}: not found\n")
    return status


# -- variables ----------------------------------------------------------------------------------------------


def export(shell: Shell, words: list[str]) -> int:
    names = [word for word in words[1:] if word != "-p"]
    if not names:
        for name in sorted(shell.exported & shell.variables.keys()):
            shell.p.out(_listed(shell, words[0], name))
    removing = bool(names) and names[0] == "-n"
    for word in names[removing:]:
        name, equals, value = word.partition("=")
        if not NAME.fullmatch(name):
            return _bad_name(shell, words[0], word)
        if equals:
            shell.set(name, value)
        (shell.exported.discard if removing else shell.exported.add)(name)
    return 0


def _bad_name(shell: Shell, command: str, word: str) -> int:
    if shell.bash:
        return shell.complain(f"{command}: `{word}': not a valid identifier")
    raise ShellProblem(f"{command}: {word.partition('=')[0]}: bad variable name")


def _listed(shell: Shell, command: str, name: str) -> str:
    value = shell.variables[name]
    if shell.bash:
        flag = {"export": "-x", "readonly": "-r"}[command]
        return f'declare {flag} {name}="{value}"\n'
    return f"{command} {name}={quoted(value, always=True)}\n"


def readonly(shell: Shell, words: list[str]) -> int:
    names = [word for word in words[1:] if word != "-p"]
    if not names:
        for name in sorted(shell.readonly & shell.variables.keys()):
            shell.p.out(_listed(shell, words[0], name))
    for word in names:
        name, equals, value = word.partition("=")
        if not NAME.fullmatch(name):
            return _bad_name(shell, words[0], word)
        if equals:
            shell.set(name, value)
        shell.readonly.add(name)
    return 0


def local(shell: Shell, words: list[str]) -> int:
    if not shell.locals:
        if words[0] == "local":
            return shell.complain("local: can only be used in a function") if shell.bash else 0
        return export(shell, ["export", *words[1:]]) if "-x" in words else _declared(shell, words[1:])
    for word in words[1:]:
        name, _, _ = word.partition("=")
        if NAME.fullmatch(name):
            shell.locals[-1].setdefault(name, shell.variables.get(name))
    return _declared(shell, words[1:], unset=shell.bash)


def _declared(shell: Shell, words: list[str], *, unset: bool = False) -> int:
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            shell.set(name, value)
        elif unset:
            shell.variables.pop(name, None)
        if "-x" in words and NAME.fullmatch(name):
            shell.exported.add(name)
    return 0


def unset(shell: Shell, words: list[str]) -> int:
    functions = words[1:2] == ["-f"]
    for name in words[1:]:
        if name in ("-f", "-v"):
            continue
        if name in shell.readonly:
            raise ShellProblem(f"{name}: is read only" if not shell.bash else f"unset: {name}: cannot unset: readonly variable")
        if not functions:
            shell.exported.discard(name)
        if functions or (shell.bash and name not in shell.variables):
            shell.functions.pop(name, None)
        else:
            shell.variables.pop(name, None)
    return 0


def shift(shell: Shell, words: list[str]) -> int:
    count = _number(shell, words, 1)
    if count > len(shell.arguments):
        if shell.bash:
            return 1
        raise ShellProblem("shift: can't shift that many")
    shell.arguments = shell.arguments[count:]
    return 0


LONG_OPTIONS = {"errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "noclobber": "C", "allexport": "a", "verbose": "v", "noexec": "n", "pipefail": "pipefail", "monitor": "m", "notify": "b", "vi": "V", "emacs": "E", "ignoreeof": "I"}  # fmt: skip


def set_(shell: Shell, words: list[str]) -> int:
    if len(words) == 1:
        for name in sorted(shell.variables):
            shell.p.out(f"{name}={quoted(shell.variables[name], always=not shell.bash, bash=shell.bash)}\n")
        return 0
    rest = words[1:]
    while rest and rest[0][0:1] in ("-", "+") and rest[0] not in ("-", "--", "+"):
        flag = rest.pop(0)
        change = shell.options.add if flag[0] == "-" else shell.options.discard
        for letter in flag[1:]:
            if letter == "o":
                name = rest.pop(0) if rest else ""
                if name and (name not in LONG_OPTIONS or (name == "pipefail" and not shell.bash)):
                    raise ShellProblem(f"set: Illegal option -o {name}" if not shell.bash else f"set: {name}: invalid option name")
                if not name:
                    _show_options(shell)
                    continue
                change(LONG_OPTIONS[name])
            elif letter in "aefnuvxCmbhBE" and (shell.bash or letter not in "hBE"):
                change(letter)
            else:
                raise ShellProblem(f"set: Illegal option -{letter}" if not shell.bash else f"set: -{letter}: invalid option")
        if not rest:
            return 0
    if rest[:1] == ["--"] or rest[:1] in (["-"], ["+"]):
        rest = rest[1:]
    shell.arguments = rest
    return 0


def _show_options(shell: Shell) -> None:
    if not shell.bash:
        shell.p.out("Current option settings\n")
    for name, letter in sorted(LONG_OPTIONS.items()):
        shell.p.out(f"{name:<15} {'on' if letter in shell.options else 'off'}\n")


def getopts(shell: Shell, words: list[str]) -> int:
    if len(words) < 3:
        raise ShellProblem("getopts: Usage: getopts optstring var [arg...]")
    letters, name, arguments = words[1], words[2], words[3:] or shell.arguments
    index = int(shell.get("OPTIND") or 1)
    if index == 1 and shell.option_letter > 1 and len(arguments) < 1:
        shell.option_letter = 0
    word = arguments[index - 1] if index <= len(arguments) else ""
    at = shell.option_letter or 1
    if at >= len(word) or not word.startswith("-") or word == "-" or word == "--":
        shell.variables["OPTIND"] = str(index + (word == "--"))
        shell.option_letter = 0
        shell.set(name, "?")
        return 1
    letter, silent = word[at], letters.startswith(":")
    position = letters.find(letter) if letter != ":" else -1
    takes = position >= 0 and letters[position + 1 : position + 2] == ":"
    last = at + 1 >= len(word)
    shell.variables.pop("OPTARG", None)
    shell.option_letter = 0 if last or takes else at + 1
    found = letter
    if position < 0:
        found = "?"
        if silent:
            shell.variables["OPTARG"] = letter
        else:
            shell.p.err(f"Illegal option -{letter}" if not shell.bash else f"{shell.name}: illegal option -- {letter}")
    elif takes and last and index >= len(arguments):
        found = ":" if silent else "?"
        if silent:
            shell.variables["OPTARG"] = letter
        else:
            shell.p.err(f"No arg for -{letter} option" if not shell.bash else f"{shell.name}: option requires an argument -- {letter}")
    elif takes:
        shell.variables["OPTARG"] = arguments[index] if last else word[at + 1 :]
    index += (1 if last or takes else 0) + (1 if takes and last else 0)
    shell.variables["OPTIND"] = str(index)
    shell.set(name, found)
    return 0


def read(shell: Shell, words: list[str]) -> Steps:
    rest, raw_mode, prompt, count, stop, array = words[1:], False, "", -1, b"\n", False
    while rest and re.fullmatch(r"-[rspntdaeiu]+", rest[0]):
        for letter in rest.pop(0)[1:]:
            raw_mode = raw_mode or letter == "r"
            array = array or letter == "a"
            if letter in "pntdiu" and (shell.bash or letter == "p"):
                value = rest.pop(0) if rest else ""
                prompt = value if letter == "p" else prompt
                count = int(value) if letter == "n" and value.isdigit() else count
                stop = (value[:1] or "\0").encode() if letter == "d" else stop
    names = rest or ["REPLY"]
    bad = next((name for name in names if not NAME.fullmatch(name)), None)
    if bad is not None:
        if shell.bash:
            return shell.complain(f"read: `{bad}': not a valid identifier")
        raise ShellProblem(f"read: {bad}: bad variable name")
    if prompt and 0 in shell.p.fds and shell.p.fds[0].is_terminal:
        shell.p.out(prompt, 2)
    line, ended = yield from _read_line(shell.p, raw_mode, stop, count)
    if not rest and shell.bash:
        shell.set("REPLY", text(bytes(byte for byte, _ in line)))
    else:
        for name, value in zip(names, _split(shell, line, len(names)), strict=True):
            shell.set(name, value)
    return 0 if ended else 1


Marked = list[tuple[int, bool]]
"""Bytes, and whether each was escaped."""


def _read_line(p: Process, raw_mode: bool, stop: bytes, count: int) -> Generator[float, None, tuple[Marked, bool]]:
    line: Marked = []
    while True:
        byte = yield from p.read(0, 1)
        if not byte:
            return line, False
        if byte == b"\\" and not raw_mode:
            escaped = yield from p.read(0, 1)
            if escaped and escaped != b"\n":
                line.append((escaped[0], True))
        elif byte == stop:
            return line, True
        elif byte != b"\0":
            line.append((byte[0], False))
        if len(line) == count:
            return line, True


def _split(shell: Shell, line: Marked, count: int) -> list[str]:
    """A line over `count` variables: the last takes the rest, without the blanks at its end."""
    ifs = shell.get("IFS")
    separators = set((" \t\n" if ifs is None else ifs).encode())
    blanks = separators & set(b" \t\n")

    def is_blank(item: tuple[int, bool]) -> bool:
        return not item[1] and item[0] in blanks

    def strip(items: Marked) -> Marked:
        while items and is_blank(items[0]):
            items = items[1:]
        return items

    def said(items: Marked) -> str:
        return text(bytes(byte for byte, _ in items))

    rest, found = strip(line), []
    while len(found) < count - 1 and rest:
        at = next((at for at, (byte, kept) in enumerate(rest) if not kept and byte in separators), len(rest))
        found.append(said(rest[:at]))
        rest = strip(rest[at:])
        if rest and not rest[0][1] and rest[0][0] in separators - blanks:
            rest = strip(rest[1:])
    while rest and is_blank(rest[-1]):
        rest = rest[:-1]
    if rest and not rest[-1][1] and rest[-1][0] in separators - blanks:
        inner = [item for item in rest[:-1] if not item[1] and item[0] in separators - blanks]
        rest = rest if inner else rest[:-1]
    found.append(said(rest))
    return found + [""] * (count - len(found))


def let(shell: Shell, words: list[str]) -> int:
    value = 0
    for word in words[1:]:
        try:
            value = evaluate(word, lambda name: shell.get(name) or "", shell.set)
        except ArithmeticProblem as problem:
            return shell.complain(str(problem).removeprefix("arithmetic expression: "))
    return int(not value)


# -- where we are -------------------------------------------------------------------------------------------


def cd(shell: Shell, words: list[str]) -> int:
    physical = words[1:2] == ["-P"]
    rest = [word for word in words[1:] if word not in ("-P", "-L", "--")]
    target = rest[0] if rest else (shell.get("HOME") or "")
    if len(rest) > 1 and shell.bash:
        return shell.complain("cd: too many arguments")
    if target == "-":
        target = shell.get("OLDPWD") or ""
        if not target:
            return shell.complain("cd: OLDPWD not set", 1 if shell.bash else 2)
        shell.p.out(target + "\n")
    if not target:
        return 0 if rest or not shell.bash else shell.complain("cd: HOME not set")
    path = _shortened(shell.p.path(target))
    try:
        node = shell.p.stat(path)
        if not node.is_directory:
            raise Refusal("ENOTDIR")
        if not shell.p.user.may(node, EXECUTE):
            raise Refusal("EACCES")
        if physical:
            path = "/" + shell.p.files.resolve(shell.p.user, path)
    except Refusal as refusal:
        return shell.complain(f"cd: {target}: {refusal}" if shell.bash else f"cd: can't cd to {target}", 1 if shell.bash else 2)
    shell.variables["OLDPWD"], shell.variables["PWD"] = shell.p.cwd, path
    shell.exported |= {"OLDPWD", "PWD"} if shell.bash else set()
    shell.p.cwd = path
    return 0


def _shortened(path: str) -> str:
    """`/a/./b/../c` -> `/a/c`, without asking what is a link: as `cd -L` does."""
    at: list[str] = []
    for name in path.split("/"):
        if name == "..":
            at = at[:-1]
        elif name not in ("", "."):
            at.append(name)
    return "/" + "/".join(at)


def pwd(shell: Shell, words: list[str]) -> int:
    path = "/" + shell.p.files.resolve(shell.p.user, shell.p.cwd) if words[1:] == ["-P"] else shell.p.cwd
    shell.p.out(path + "\n")
    return 0


def umask(shell: Shell, words: list[str]) -> int:
    if len(words) < 2:
        shell.p.out(f"{shell.p.umask:04o}\n")
        return 0
    if not re.fullmatch(r"[0-7]{1,4}", words[1]):
        raise ShellProblem(f"umask: Illegal number: {words[1]}")
    shell.p.umask = int(words[1], 8) & 0o777
    return 0


# -- processes ----------------------------------------------------------------------------------------------


def wait(shell: Shell, words: list[str]) -> Steps:
    machine, status = shell.p.machine, 0
    for pid in [int(word) for word in words[1:] if word.isdigit()] or list(machine.background):
        while pid in machine.background:
            yield from shell.signals()
            yield FOREVER
        status = machine.finished.get(pid, 127) if len(words) > 1 else 0
    return status


def kill(shell: Shell, words: list[str]) -> int:
    number, rest = SIGNALS["TERM"], words[1:]
    if rest[:1] == ["-l"]:
        shell.p.out("".join(f"{name}\n" for name in SIGNALS))
        return 0
    if rest and rest[0].startswith("-") and rest[0] != "--":
        asked = rest[1] if rest[0] == "-s" and len(rest) > 1 else rest[0][1:]
        rest = rest[2:] if rest[0] == "-s" else rest[1:]
        found = signal_number(asked)
        if found is None:
            return shell.complain(f"kill: {asked}: invalid signal specification" if shell.bash else f"kill: Illegal option -{asked[:1]}", 1 if shell.bash else 2)
        number = found
    status = 0
    for word in rest:
        if not word.isdigit():
            said = f"kill: {word}: arguments must be process or job IDs" if shell.bash else f"kill: Illegal number: {word}"
            status = shell.complain(said, 1 if shell.bash else 2)
        elif not send(shell.p, int(word), number):
            status = shell.complain(f"kill: ({word}) - No such process" if shell.bash else "kill: No such process")
    return status


def signal_number(name: str) -> int | None:
    """`9`, `KILL`, `SIGKILL` -> 9; None when there is no such signal."""
    if name.isdigit():
        return int(name)
    return SIGNALS.get(name.upper().removeprefix("SIG"))


def send(p: Process, pid: int, number: int) -> bool:
    """Send a signal; False when there is no such process. 0 only asks."""
    target = p.machine.processes.get(pid)
    if target is None:
        return p.machine.kill_other(pid, number)
    if number:
        target.signal(number)
    return True


def trap(shell: Shell, words: list[str]) -> int:
    rest = words[2:] if words[1:2] == ["--"] else words[1:]
    if not rest:
        for name, action in shell.traps.items():
            shown = name if name == "EXIT" or not shell.bash else f"SIG{name}"
            shell.p.out(f"trap -- {quoted(action, always=True)} {shown}\n")
        return 0
    action, names = (rest[0], rest[1:]) if len(rest) > 1 and not rest[0].isdigit() else ("-", rest)
    for asked in names:
        name = "EXIT" if asked in ("0", "EXIT") else _signal_name(asked)
        if name is None:
            return shell.complain(f"trap: {asked}: invalid signal specification" if shell.bash else f"trap: {asked}: bad trap")
        number = SIGNALS.get(name, 0)
        if action == "-":
            shell.traps.pop(name, None)
            shell.p.handled.discard(number)
        else:
            shell.traps[name] = action
            shell.p.handled.add(number)
    return 0


def _signal_name(asked: str) -> str | None:
    number = signal_number(asked)
    return next((name for name, value in SIGNALS.items() if value == number), None)


def history(shell: Shell, words: list[str]) -> int:
    if words[1:] == ["-c"]:
        shell.history.clear()
    for number, line in enumerate(shell.history, 1):
        shell.p.out(f"{number:5}  {line}\n")
    return 0


def jobs(shell: Shell, words: list[str]) -> int:
    for number, pid in enumerate(shell.p.machine.background, 1):
        shell.p.out(f"[{number}] + Running {pid}\n")
    return 0


def nothing(shell: Shell, words: list[str]) -> int:
    """`:`, and commands that only concern a terminal."""
    return 0


def false(shell: Shell, words: list[str]) -> int:
    return 1


SPECIAL = {"break", ":", "continue", ".", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "times", "trap", "unset"}  # fmt: skip
BUILTINS: dict[str, Builtin] = {
    "exit": exit_, "logout": exit_, "return": return_, "break": break_, "continue": break_, "eval": eval_, ".": dot, "source": dot,
    "exec": exec_, "command": command, "builtin": command, "type": type_, "export": export, "readonly": readonly, "local": local,
    "declare": local, "typeset": local, "unset": unset, "shift": shift, "set": set_, "getopts": getopts, "read": read, "let": let,
    "cd": cd, "pwd": pwd, "umask": umask, "wait": wait, "kill": kill, "trap": trap, "history": history, "jobs": jobs,
    ":": nothing, "true": nothing, "false": false, "hash": nothing, "shopt": nothing, "alias": nothing, "unalias": nothing,
    "ulimit": nothing, "times": nothing, "test": test, "[": test, "echo": echo_builtin, "printf": printf_builtin,
}  # fmt: skip
