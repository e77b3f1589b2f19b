"""What a shell remembers between commands: variables, options, functions, traps; and how it complains."""

from __future__ import annotations

from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import MOST_MEMORY, Process
from imagelab.runtime.shell import syntax


class ShellProblem(Exception):
    """What ends a shell that is not interactive; `code` is its exit code."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


class ShellState:
    """The state of one shell. `name` is $0, `bash` whether it is one."""

    def __init__(self, p: Process, name: str, arguments: list[str], *, bash: bool = False) -> None:
        self.p, self.name, self.arguments, self.bash = p, name, arguments, bash
        self.variables = {key: value for key, value in p.env.items() if key.replace("_", "a").isalnum()}
        self.exported, self.readonly = set(p.env), set[str]()
        self.variables |= {"IFS": " \t\n", "OPTIND": "1", "PPID": str(p.parent), "PS2": "> ", "PS4": "+ "}
        self.variables.setdefault("PWD", p.cwd)
        self.functions: dict[str, syntax.Command] = {}
        self.options: set[str] = set()
        self.traps: dict[str, str] = {}
        self.locals: list[dict[str, str | None]] = []
        self.history: list[str] = []
        self.status, self.line, self.last_background = 0, 1, ""
        self.interactive = False
        self.tested = 0
        """How many conditions we are in: `set -e` waits outside."""
        self.calls = self.loops = self.option_letter = 0

    # -- variables ------------------------------------------------------------------------------------------

    def get(self, name: str) -> str | None:
        """The value of `$name`; None when it is not set."""
        if name.isdigit():
            number = int(name)
            return self.name if number == 0 else self.arguments[number - 1] if number <= len(self.arguments) else None
        match name:
            case "?":
                return str(self.status)
            case "#":
                return str(len(self.arguments))
            case "$":
                return str(self.root_pid)
            case "!":
                return self.last_background or None
            case "-":
                return "".join(sorted(self.options | ({"i"} if self.interactive else set())))
            case "LINENO":
                return str(self.line)
        return self.variables.get(name)

    @property
    def root_pid(self) -> int:
        """$$: the shell that was started, also in its copies."""
        process = self.p
        while process.parent in process.machine.processes:
            above = process.machine.processes[process.parent]
            if above.args is not process.args:
                break
            process = above
        return process.pid

    def set(self, name: str, value: str) -> None:
        """ShellProblem when it is read-only."""
        if name in self.readonly:
            raise ShellProblem(f"{name}: readonly variable" if self.bash else f"{name}: is read only")
        if len(value) > MOST_MEMORY:
            raise ShellProblem(f"{name}: {Errno('ENOMEM')}")
        self.variables[name] = value
        if "a" in self.options:
            self.exported.add(name)

    def option(self, letter: str) -> bool:
        return letter in self.options

    def environment(self) -> dict[str, str]:
        """What a program is given."""
        return {name: self.variables[name] for name in sorted(self.exported) if name in self.variables}

    # -- complaints -----------------------------------------------------------------------------------------

    def complain(self, message: str, code: int = 1) -> int:
        """`sh: 1: foo: not found`, `bash: line 1: foo: command not found`; returns `code`."""
        where = "" if self.bash and self.interactive else f"line {self.line}: " if self.bash else f"{self.line}: "
        try:
            self.p.err(f"{self.name}: {where}{message}")
        except Errno:
            pass  # standard error is not open
        return code

    def misused(self, message: str) -> int:
        """The same of a builtin's arguments, which ends a script in `sh`, and not in `bash`. ShellProblem."""
        if self.bash:
            return self.complain(message)
        raise ShellProblem(message)
