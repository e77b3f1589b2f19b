"""A shell at a terminal: prompts, unfinished lines, Ctrl-C, history."""

from __future__ import annotations

import time

from shell_harness import PROGRAMS, ROOT, empty_system, machine

from imagelab.runtime import execution
from imagelab.runtime.process import SIGNALS, Process
from imagelab.runtime.session import Terminal
from imagelab.runtime.streams import Output


def typed(lines: list[str | int], shell: str = "bash") -> tuple[int, str, str]:
    """Type lines; a number is a signal sent while what was typed before it runs. (code, screen, history file)"""
    files = empty_system()
    here, screen, rest = machine(files), bytearray(), list(lines)

    def ask(prompt: str, history: list[str], completion: object) -> bytes:
        line = rest.pop(0) if rest else ""
        screen.extend(f"{prompt}{line}\n".encode())
        return f"{line}\n".encode() if line != "" else b""

    terminal = Terminal(ask)
    out = Output(screen.extend, terminal=True)
    env = {"PATH": "/bin", "HOME": "/root", "PS1": "$ "}
    process = Process(here, [shell], env, "/work", ROOT, {0: terminal, 1: out, 2: out})
    steps = execution.main(here, execution.live(PROGRAMS[shell], process))
    for step in range(100_000):
        try:
            wait = next(steps)
        except StopIteration as stopped:
            node = process.files.find("root/.bash_history")
            return stopped.value, screen.decode(), process.files.data(node).decode() if node else ""
        if rest and isinstance(rest[0], int) and step > 50:
            number = rest.pop(0)
            for one in list(here.processes.values()):
                one.signal(int(number))
        elif terminal.wanted:
            terminal.fill()
        else:
            time.sleep(min(wait, 0.01))
    raise AssertionError(screen.decode())


def test_a_session() -> None:
    code, screen, history = typed(["echo hi", "x=5", "echo $x; false", "exit 3"])
    assert code == 3
    assert screen == "$ echo hi\nhi\n$ x=5\n$ echo $x; false\n5\n$ exit 3\n"
    assert history == "echo hi\nx=5\necho $x; false\nexit 3\n"


def test_a_line_may_need_another() -> None:
    code, screen, _ = typed(["for i in 1 2", "do echo $i", "done", "cat <<E", "text", "E", "echo 'a", "b'", "exit"])
    assert code == 0
    assert screen == (
        "$ for i in 1 2\n> do echo $i\n> done\n1\n2\n$ cat <<E\n> text\n> E\ntext\n$ echo 'a\n> b'\na\nb\n$ exit\nexit\n"
    )


def test_errors_do_not_end_it() -> None:
    code, screen, _ = typed(["fi", "echo ${x?no}", "nosuch", "echo $?", "exit"])
    assert code == 0
    assert screen == (
        "$ fi\nbash: syntax error near unexpected token `fi'\n$ echo ${x?no}\nbash: x: no\n$ nosuch\n"
        "bash: nosuch: command not found\n$ echo $?\n127\n$ exit\nexit\n"
    )


def test_ctrl_c_ends_the_line_and_not_the_shell() -> None:
    code, screen, _ = typed(["while :; do :; done; echo never", SIGNALS["INT"], "echo $?", "exit"])
    assert code == 0
    assert screen == "$ while :; do :; done; echo never\n\n$ echo $?\n130\n$ exit\nexit\n"


def test_ctrl_d_ends_it() -> None:
    assert typed(["echo x"])[1] == "$ echo x\nx\n$ \nexit\n"
    assert typed(["echo x"], "sh")[2] == ""
