"""Commands that are part of the shell, because a program could not do them: `cd`, `read`, `export`, `trap`, …

The *special* ones (POSIX 2.14) differ: an assignment before one stays, and an error in one ends a script.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from imagelab.runtime import execution
from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Steps, text
from imagelab.runtime.shell.conditions import test
from imagelab.runtime.shell.interpreter import Leave, Shell
from imagelab.runtime.shell.memory import ShellProblem
from imagelab.runtime.shell.parser import Parser
from imagelab.runtime.shell.printing import echo_builtin, printf_builtin
from imagelab.runtime.shell.processes import cd, kill, pwd, trap, umask, wait
from imagelab.runtime.shell.variables import export, getopts, let, local, number, read, readonly, set_, shift, unset
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


def exit_(shell: Shell, words: list[str]) -> int:
    raise Leave("exit", number(shell, words, shell.status))


def return_(shell: Shell, words: list[str]) -> int:
    raise Leave("return", number(shell, words, shell.status))


def break_(shell: Shell, words: list[str]) -> int:
    count = number(shell, words, 1)
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
        said = {
            "keyword": "a shell keyword",
            "function": "a shell function",
            "builtin": "a shell builtin",
            "file": where,
        }
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


def history(shell: Shell, words: list[str]) -> int:
    if words[1:] == ["-c"]:
        shell.history.clear()
    for at, line in enumerate(shell.history, 1):
        shell.p.out(f"{at:5}  {line}\n")
    return 0


def jobs(shell: Shell, words: list[str]) -> int:
    for at, pid in enumerate(shell.p.machine.background, 1):
        shell.p.out(f"[{at}] + Running {pid}\n")
    return 0


def nothing(shell: Shell, words: list[str]) -> int:
    """`:`, `true`; and `hash`, whose effect nobody can see."""
    return 0


def refused(shell: Shell, words: list[str]) -> int:
    """What a real shell does and this one does not: said, rather than ignored."""
    return shell.complain(
        f"{words[0]}: this shell does not do that" + (": a function does" if "alias" in words[0] else "")
    )


def false(shell: Shell, words: list[str]) -> int:
    return 1


SPECIAL = {"break", ":", "continue", ".", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "times", "trap", "unset"}  # fmt: skip
BUILTINS: dict[str, Builtin] = {
    "exit": exit_, "logout": exit_, "return": return_, "break": break_, "continue": break_, "eval": eval_, ".": dot, "source": dot,
    "exec": exec_, "command": command, "builtin": command, "type": type_, "export": export, "readonly": readonly, "local": local,
    "declare": local, "typeset": local, "unset": unset, "shift": shift, "set": set_, "getopts": getopts, "read": read, "let": let,
    "cd": cd, "pwd": pwd, "umask": umask, "wait": wait, "kill": kill, "trap": trap, "history": history, "jobs": jobs,
    ":": nothing, "true": nothing, "false": false, "hash": nothing, "shopt": refused, "alias": refused, "unalias": refused,
    "ulimit": refused, "times": refused, "test": test, "[": test, "echo": echo_builtin, "printf": printf_builtin,
}  # fmt: skip
