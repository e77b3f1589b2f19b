"""Commands that are part of the shell, because a program could not do them: `cd`, `read`, `export`, `trap`, …

The *special* ones (POSIX 2.14) differ: an assignment before one stays, and an error in one ends a script.
"""

from __future__ import annotations

from collections.abc import Callable

from imagelab.runtime import execution
from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import Steps
from imagelab.runtime.shell.conditions import test
from imagelab.runtime.shell.interpreter import Leave, Shell
from imagelab.runtime.shell.memory import ShellProblem
from imagelab.runtime.shell.parser import Parser
from imagelab.runtime.shell.printing import echo_builtin, printf_builtin
from imagelab.runtime.shell.processes import cd, kill, pwd, trap, umask, wait
from imagelab.runtime.shell.variables import export, getopts, local, number, read, readonly, set_, shift, unset
from imagelab.runtime.shell.words import KEYWORDS, SyntaxProblem
from imagelab.runtime.streams import text

Builtin = Callable[[Shell, list[str]], int | Steps]


def evaluated(shell: Shell, script: str) -> Steps:
    """Run a text as the shell's own commands: `eval`, `.`, a trap. ShellProblem for a syntax error."""
    return (yield from parsed(shell, Parser(script, bash=shell.bash)))


def parsed(shell: Shell, parser: Parser) -> Steps:
    """Run the commands of a text, line by line. ShellProblem."""
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


def leave(shell: Shell, words: list[str]) -> int:
    """`exit [code]`, `return [code]`"""
    raise Leave("return" if words[0] == "return" else "exit", number(shell, words, shell.status))


def break_(shell: Shell, words: list[str]) -> int:
    """`break [loops]`, `continue [loops]`"""
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
    if "/" not in name and (not shell.bash or shell.p.find(name) is None):
        folders = (shell.get("PATH") or "").split(":")
        name = next((f"{folder}/{name}" for folder in folders if shell.p.find(f"{folder}/{name}") is not None), name)
    try:
        script = text((yield from shell.p.read_file(name)))
    except Errno as error:
        return shell.misused(f"{words[0]}: cannot open {name}: {error}")
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
    """`command [-v] name [argument…]`: not a function of that name."""
    rest = words[1:]
    if rest[:1] in (["-v"], ["-V"]):
        return _describe(shell, rest[1:], verbose=rest[0] == "-V")
    if not rest:
        return 0
    if rest[0] in BUILTINS:
        result = BUILTINS[rest[0]](shell, rest)
        return result if isinstance(result, int) else (yield from result)
    return (yield from shell.external(rest, []))


def type_(shell: Shell, words: list[str]) -> int:
    """`type name…`"""
    return _describe(shell, words[1:], verbose=True)


def _kind(shell: Shell, name: str) -> tuple[str, str]:
    """(what it is, what `command -v` says); ("", "") for nothing."""
    kinds = {"keyword": KEYWORDS, "function": shell.functions, "builtin": BUILTINS}
    for kind, names in kinds.items():
        if name in names:
            return f"a shell {kind}", name
    try:
        where = execution.locate(shell.p, name, shell.get("PATH"))
    except Errno:
        return "", ""
    return where, where


def _describe(shell: Shell, names: list[str], *, verbose: bool) -> int:
    status = 0
    for name in names:
        kind, where = _kind(shell, name)
        if kind:
            shell.p.out(f"{name} is {kind}\n" if verbose else f"{where}\n")
            continue
        status = 1 if shell.bash else 127
        if verbose:
            shell.p.out(f"{name}: not found\n", 2 if shell.bash else 1)
    return status


def history(shell: Shell, words: list[str]) -> int:
    """`history`: the lines that were typed."""
    shell.p.out("".join(f"{number:5}  {line}\n" for number, line in enumerate(shell.history, 1)))
    return 0


def jobs(shell: Shell, words: list[str]) -> int:
    """`jobs`: what runs in the background."""
    shell.p.out("".join(f"[{number}] + Running {pid}\n" for number, pid in enumerate(shell.p.machine.background, 1)))
    return 0


def nothing(shell: Shell, words: list[str]) -> int:
    """`:`, `true`; and `hash`, whose effect cannot be seen."""
    return 0


def refused(shell: Shell, words: list[str]) -> int:
    """What a real shell does and this one does not: said, rather than ignored."""
    return shell.complain(f"{words[0]}: not available in imagelab")


def false(shell: Shell, words: list[str]) -> int:
    return 1


SPECIAL = {"break", ":", "continue", ".", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "times", "trap", "unset"}  # fmt: skip
REFUSED = ["alias", "declare", "let", "shopt", "times", "typeset", "ulimit", "unalias"]
BUILTINS: dict[str, Builtin] = {
    "exit": leave, "return": leave, "break": break_, "continue": break_, "eval": eval_, ".": dot, "source": dot, "exec": exec_,
    "command": command, "type": type_, "export": export, "readonly": readonly, "local": local, "unset": unset, "shift": shift,
    "set": set_, "read": read, "getopts": getopts, "cd": cd, "pwd": pwd, "umask": umask, "wait": wait, "kill": kill, "trap": trap,
    "history": history, "jobs": jobs, ":": nothing, "true": nothing, "false": false, "hash": nothing, "test": test, "[": test,
    "echo": echo_builtin, "printf": printf_builtin, **dict.fromkeys(REFUSED, refused),
}  # fmt: skip
