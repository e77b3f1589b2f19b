"""The utilities of this runtime: those that lessons use and learners type, with their common options.

    listing     ls stat du readlink, find              files     cp mv rm mkdir ln chmod chown touch …
    text        cat head tail wc tee seq sha256sum …   columns   cut tr sort uniq
    search      grep xargs                             sed       the little language
    system      env id date ps kill sleep which …      accounts  /etc/passwd and /etc/group
    options     how all of them read their options     lines     how all of them read their files

Each is a function of a Process. What is not here is "not available in imagelab": nothing is faked.
"""

from __future__ import annotations

from imagelab.runtime.execution import NOT_AVAILABLE
from imagelab.runtime.process import Process, Program, Steps
from imagelab.runtime.userland.options import BadOption

TROUBLE = {"ls": 2, "grep": 2, "sort": 2, "test": 2, "[": 2, "env": 125, "expr": 2}
"""Exit codes for an unknown option, where it is not 1."""


def programs() -> dict[str, Program]:
    """Marker name -> program."""
    from imagelab.runtime.shell.conditions import test_program
    from imagelab.runtime.shell.printing import echo, printf
    from imagelab.runtime.userland import columns, expr, files, find, listing, search, sed, system, text

    table: dict[str, Program] = {"echo": echo, "printf": printf, "test": test_program, "[": test_program}
    for module in (expr, files, find, listing, system, text, columns, search, sed):
        table |= module.PROGRAMS
    table = {name: _guarded(name, program) for name, program in table.items()}
    return table | {"busybox": busybox, "print": print_script}


def busybox(p: Process) -> int | Steps:
    """One program under many names: `/bin/ls` is a link to it, and the name says what to be."""
    from imagelab.runtime.shell import programs as all_programs

    known = all_programs()
    if p.name == "busybox":
        p.args = p.args[1:] or ["busybox"]
    if p.name == "busybox":
        names = sorted(known.keys() - {"busybox", "print", "bash"})
        p.out(f"BusyBox as imagelab has it. Functions: {', '.join(names)}\n")
        return 0
    return known[p.name](p) if p.name in known else p.complain(NOT_AVAILABLE, 127)


def print_script(p: Process) -> int:
    """A program that prints the rest of its own file: all that hello-world does."""
    node = p.stat(p.args[0])
    p.out(p.files.data(node).partition(b"\n")[2])
    return 0


def _guarded(name: str, program: Program) -> Program:
    def run(p: Process) -> Steps:
        try:
            result = program(p)
            return result if isinstance(result, int) else (yield from result)
        except BadOption as problem:
            return p.complain(str(problem), TROUBLE.get(name, 1))

    return run
