"""A small POSIX shell over a container's files: the same bytes on every machine, nothing of the machine touched.

    parser, words, syntax      text            -> commands
    expander, patterns, arithmetic
                               words           -> strings
    interpreter, redirection, builtins, conditions, printing
                               commands        -> exit codes, output, changed files
    here                       the programs `sh` and `bash`: where commands come from, prompts, history

`bash` is `sh` with what learners type: `[[ ]]`, `$'…'`, `{a,b}`, `echo -e`, and a history that is written to
`~/.bash_history` when an interactive shell ends, which is why the file turns up in `docker diff`.
"""

from __future__ import annotations

import re
from collections.abc import Generator

from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import SIGNALS, Killed, Process, Program, Steps
from imagelab.runtime.shell.builtins import BUILTINS, evaluated, parsed
from imagelab.runtime.shell.interpreter import Leave, Shell
from imagelab.runtime.shell.memory import ShellProblem
from imagelab.runtime.shell.parser import Parser
from imagelab.runtime.shell.variables import LETTERS
from imagelab.runtime.shell.words import Incomplete, SyntaxProblem
from imagelab.runtime.streams import Stream, text

VERSION = "5.2"
HISTORY = "~/.bash_history"


def sh(p: Process) -> Steps:
    """`sh [-eux…] [-c script | file | -s] [argument…]`."""
    return _start(p, bash=False)


def bash(p: Process) -> Steps:
    """`bash [-eux…] [-i] [-l] [-c script | file | -s] [argument…]`."""
    return _start(p, bash=True)


def _start(p: Process, *, bash: bool) -> Steps:
    shell = Shell(p, p.args[0].removeprefix("-") or "sh", [], bash=bash)
    rest, flags, unknown = _flags(shell, p.args[1:])
    if unknown:
        where = "invalid option" if shell.bash else "Illegal option"
        return p.complain(f"{where} {unknown}", 2)
    if "c" in flags:
        if not rest:
            return shell.complain("-c requires an argument", 2)
        shell.name, shell.arguments = (rest[1], rest[2:]) if len(rest) > 1 else (shell.name, [])
        return (yield from shell.whole(evaluated(shell, rest[0])))
    if rest and "s" not in flags:
        shell.name, shell.arguments = rest[0], rest[1:]
        return (yield from shell.whole(_file(shell, rest[0])))
    shell.arguments = rest
    terminal = 0 in p.fds and p.fds[0].is_terminal
    if "i" in flags or (terminal and 2 in p.fds and p.fds[2].is_terminal):
        return (yield from _interactive(shell))
    return (yield from shell.whole(_from_input(shell)))


def _flags(shell: Shell, words: list[str]) -> tuple[list[str], set[str], str]:
    """(what is left, the letters that are not options of `set`, a bad one)"""
    flags: set[str] = set()
    while words and words[0][0:1] in ("-", "+") and len(words[0]) > 1:
        word, *words = words
        if word == "--":
            break
        if word in ("--norc", "--login", "--noprofile", "--posix"):
            continue
        if word.startswith("--"):
            return words, flags, word
        for letter in word[1:]:
            if letter == "o":
                BUILTINS["set"](shell, ["set", word[0] + "o", words.pop(0) if words else ""])
            elif letter in "csil":
                flags.add(letter)
            elif letter in LETTERS:
                (shell.options.add if word[0] == "-" else shell.options.discard)(letter)
            else:
                return words, flags, word
    return words, flags, ""


def _file(shell: Shell, name: str) -> Steps:
    try:
        script = text((yield from shell.p.read_file(name)))
    except Errno as error:
        shell.p.err(f"bash: {name}: {error}" if shell.bash else f"{shell.p.args[0]}: 0: cannot open {name}: {error}")
        return 2 if not shell.bash else 127 if error.code == "ENOENT" else 126
    return (yield from evaluated(shell, script))


def _from_input(shell: Shell) -> Steps:
    """Commands from standard input, one at a time, so that they may read what follows them."""
    pending, status, line = "", 0, 1
    while True:
        typed = text((yield from shell.p.read_line()))
        pending += typed
        if not pending:
            return status
        if typed and _unfinished(shell, pending):
            continue
        parser = Parser(pending, bash=shell.bash, line=line)
        line += pending.count("\n")
        pending = ""
        status = yield from parsed(shell, parser)
        if not typed:
            return status


def _unfinished(shell: Shell, script: str) -> bool:
    """Does it end in the middle of something?"""
    try:
        parser = Parser(script, bash=shell.bash)
        while parser.next() is not None:
            pass
    except Incomplete:
        return True
    except SyntaxProblem:
        return False
    return script.rstrip("\n").endswith("\\") or _here_document_is_open(script)


def _here_document_is_open(script: str) -> bool:
    """Does a here-document that begins in the text not end in it?"""
    match = re.search(r"(?<!<)<<(-?)\s*(\\?)(['\"]?)(\w+)\3[^\n]*\n(.*)\Z", script, re.S)
    if not match:
        return bool(re.search(r"(?<!<)<<-?\s*\\?['\"]?\w+['\"]?[^\n]*\n?\Z", script))
    lines = [line.lstrip("\t") if match[1] else line for line in match[5].split("\n")]
    return match[4] not in lines


# -- the learner types ----------------------------------------------------------------------------------------


def _interactive(shell: Shell) -> Steps:
    """A shell at a terminal: prompts, history, and no error ends it."""
    shell.interactive = True
    shell.p.handled |= {SIGNALS["INT"], SIGNALS["TERM"], SIGNALS["QUIT"]}
    shell.variables.setdefault("PS1", _default_prompt(shell))
    if shell.bash:
        yield from _start_up(shell)
    try:
        status = yield from shell._until_it_leaves(_typed(shell))
        status = yield from shell._exit_trap(status)
    except Killed as killed:
        status = killed.code
    finally:
        if shell.bash:
            _write_history(shell)
    return status


def _default_prompt(shell: Shell) -> str:
    if shell.bash:
        return "\\s-\\v\\$ "
    return "# " if shell.p.user.uid == 0 else "$ "


def _start_up(shell: Shell) -> Steps:
    home = shell.get("HOME") or "/"
    if shell.p.find(f"{home}/.bashrc") is not None:
        yield from _line(shell, f". {home}/.bashrc")
    return 0


def _typed(shell: Shell) -> Steps:
    pending = ""
    while True:
        # the line that Ctrl-C meant is over
        shell.p.signals[:] = [number for number in shell.p.signals if number != SIGNALS["INT"]]
        yield from shell.signals()
        line = yield from _asked(shell, "PS2" if pending else "PS1")
        if line is None:
            if shell.p.fds[0].is_terminal:
                shell.p.err("exit" if shell.bash else "")
            raise Leave("exit", shell.status)
        if not line.endswith("\n"):
            line += "\n"
        pending = "" if line == "\x03\n" else pending + line
        if not pending.strip() or _unfinished(shell, pending):
            continue
        script, pending = pending, ""
        shell.history.append(script.rstrip("\n"))
        if shell.bash and script.strip() == "exit":
            shell.p.err("exit")
        yield from _line(shell, script)


def _line(shell: Shell, script: str) -> Steps:
    """One typed line; whatever goes wrong, the shell goes on."""
    try:
        shell.status = yield from evaluated(shell, script)
    except ShellProblem as problem:
        shell.status = shell.complain(str(problem), problem.code)
    except RecursionError:
        shell.status = shell.complain("too many levels of commands within commands", 2)
    except Leave as leave:
        if leave.kind == "exit":
            raise
        if leave.kind == "interrupt":
            shell.status = leave.value
            shell.p.err("")
    return shell.status


def _asked(shell: Shell, prompt: str) -> Generator[float, None, str | None]:
    """What is typed after a prompt; None at the end of input."""
    stream = shell.p.fds.get(0)
    shown = prompt_text(shell, shell.get(prompt) or "")
    if stream is None:
        return None
    prepare = getattr(stream, "prepare", None)
    if prepare is not None:
        prepare(shown, shell.history, lambda words: completions(shell, words))
    else:
        shell.p.out(shown, 2)
    line = yield from shell.p.read_line()
    return text(line) if line else None


def prompt_text(shell: Shell, prompt: str) -> str:
    """`\\u@\\h:\\w\\$ ` -> `root@3f2a…:/etc# ` (bash; other shells show PS1 as it is)."""
    if not shell.bash:
        return prompt
    p = shell.p
    home = shell.get("HOME") or "\0"
    where = "~" + p.cwd.removeprefix(home) if p.cwd == home or p.cwd.startswith(home + "/") else p.cwd
    from imagelab.runtime.userland.accounts import user_name

    values = {"u": user_name(p, p.user.uid), "h": p.machine.hostname, "w": where, "W": where.rpartition("/")[2] or "/", "$": "#" if p.user.uid == 0 else "$", "s": shell.name.rpartition("/")[2], "v": VERSION, "n": "\n", "[": "", "]": "", "e": "\x1b"}  # fmt: skip
    return re.sub(r"\\(033|.)", lambda match: values.get(match[1].replace("033", "e"), match[0]), prompt)


def completions(shell: Shell, line: str) -> list[str]:
    """What the last word of a line may become: a command in the first place, a file elsewhere."""
    word = re.split(r"[\s;&|<>()=]", line)[-1]
    first = not re.search(r"[^\s;&|(]\s", line.rpartition("|")[2].rpartition(";")[2])
    folder, slash, start = word.rpartition("/")
    if first and not slash:
        names = set(BUILTINS) | set(shell.functions)
        for place in (shell.get("PATH") or "").split(":"):
            names |= set(_names(shell, place))
        return sorted(name for name in names if name.startswith(word))
    files = []
    for name in _names(shell, (folder or "/") if slash else "."):
        if name.startswith(start) and (start or not name.startswith(".")):
            node = shell.p.find(f"{folder}{slash}{name}")
            files.append(f"{folder}{slash}{name}" + ("/" if node is not None and node.is_directory else ""))
    return files


def _names(shell: Shell, folder: str) -> list[str]:
    try:
        return shell.p.files.names(shell.p.user, shell.p.path(folder))
    except Errno:
        return []


def _write_history(shell: Shell) -> None:
    home = shell.get("HOME")
    file = shell.get("HISTFILE") or (f"{home}/.bash_history" if home else "")
    if not shell.history or not file:
        return
    p = shell.p
    lines = "".join(f"{line}\n" for line in shell.history)
    try:
        new = p.find(file) is None
        stream: Stream = p.open(file, "a")
        stream.write(lines.encode("utf-8", "surrogateescape"))
        if new:
            p.files.chmod(p.user, p.path(file), 0o600)
    except Errno:
        pass  # a home one may not write to keeps no history


def programs() -> dict[str, Program]:
    """Every program of this runtime, by the name in its marker (`#!imagelab ls`)."""
    from imagelab.runtime import userland

    return {"sh": sh, "bash": bash, **userland.programs()}
