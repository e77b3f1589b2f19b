"""Runs commands: the part of a shell that has a state (POSIX 2.9, 2.12).

    Shell       variables, functions, options, traps; one for each shell process
    fork        a copy, for `( )`, `$( )`, `&` and the members of a pipeline: what happens there stays there
    Leave       `break`, `return`, `exit` on their way out to the loop, function or shell they concern

Every method that runs something is a generator (see `imagelab.runtime.process`): it yields after every command, so
that a pipeline's members take turns and an endless loop can be stopped. Exit codes are the only results; `$?` is the
last of them.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from imagelab.runtime import execution
from imagelab.runtime.filesystem import Errno
from imagelab.runtime.process import NOW, SIGNALS, Killed, Process, Steps
from imagelab.runtime.shell import syntax
from imagelab.runtime.shell.arithmetic import ArithmeticProblem
from imagelab.runtime.shell.expander import Expander, ExpansionProblem
from imagelab.runtime.shell.memory import ShellProblem, ShellState
from imagelab.runtime.shell.patterns import matches
from imagelab.runtime.shell.redirection import RedirectionProblem, redirect, restore
from imagelab.runtime.streams import BytesInput, Output, Pipe, Stream

if TYPE_CHECKING:
    from imagelab.runtime.shell.builtins import Builtin

MOST_CALLS = 200
"""Functions within functions before it is called endless."""


class Leave(Exception):
    """`kind`: break, continue, return, exit, interrupt (Ctrl-C: the typed line is over). `value`: how many loops, or the exit code."""

    def __init__(self, kind: str, value: int) -> None:
        super().__init__(kind)
        self.kind, self.value = kind, value


class Shell(ShellState):
    """One shell at work."""

    def __init__(self, p: Process, name: str, arguments: list[str], *, bash: bool = False) -> None:
        super().__init__(p, name, arguments, bash=bash)
        self.expander = Expander(self)
        self.status_of_substitution = 0
        """The exit code of the last `$(…)`: that of a command which is only assignments."""

    def fork(self, streams: dict[int, Stream] | None = None) -> Shell:
        """A copy in a process of its own."""
        process = self.p.child(self.p.args, self.p.env)
        for fd, stream in (streams or {}).items():
            if (before := process.attach(fd, stream)) is not None:
                before.release()
        shell = Shell(process, self.name, list(self.arguments), bash=self.bash)
        shell.variables, shell.exported, shell.readonly = dict(self.variables), set(self.exported), set(self.readonly)
        shell.functions, shell.options = dict(self.functions), set(self.options)
        shell.traps = {signal: action for signal, action in self.traps.items() if not action}
        shell.status, shell.line, shell.last_background = self.status, self.line, self.last_background
        shell.tested, shell.calls, shell.loops = self.tested, self.calls, self.loops
        shell.locals = list(self.locals)
        return shell

    # -- lists ----------------------------------------------------------------------------------------------

    def script(self, body: syntax.Script) -> Steps:
        """Commands one after the other; the code of the last."""
        for item in body:
            self.line = item.line
            yield from self._item(item)
        return self.status

    def _item(self, item: syntax.AndOr) -> Generator[float, None, None]:
        yield from self.signals()
        if item.background:
            self._background(item)
            return
        failed_outside = False
        for index, (operator, pipeline) in enumerate(item.items):
            if (operator == "&&" and self.status) or (operator == "||" and not self.status):
                continue
            inside = index < len(item.items) - 1 or pipeline.negated
            self.tested += inside
            try:
                self.status = yield from self._pipeline(pipeline)
            finally:
                self.tested -= inside
            failed_outside = bool(self.status) and not inside
        yield NOW
        yield from self.signals()
        if failed_outside and "e" in self.options and not self.tested:
            raise Leave("exit", self.status)

    def _background(self, item: syntax.AndOr) -> None:
        shell = self.fork({0: BytesInput()})
        body = [syntax.AndOr(item.items, line=item.line)]
        self.last_background = str(shell.p.pid)
        self.p.machine.background[shell.p.pid] = shell.whole(shell.script(body))
        if self.interactive:
            self.p.err(f"[1] {shell.p.pid}")
        self.status = 0

    def _pipeline(self, pipeline: syntax.Pipeline) -> Steps:
        if len(pipeline.commands) == 1:
            status = yield from self.command(pipeline.commands[0])
        else:
            status = yield from self._piped(pipeline.commands)
        return int(not status) if pipeline.negated else status

    def _piped(self, commands: list[syntax.Command]) -> Steps:
        tasks: list[Steps] = []
        codes, before = [0] * len(commands), None
        for index, command in enumerate(commands):
            pipe = Pipe() if index < len(commands) - 1 else None
            streams: dict[int, Stream] = {0: before} if before is not None else {}
            shell = self.fork(streams | ({1: pipe.writer} if pipe else {}))
            tasks.append(self._member(shell, command, codes, index))
            before = pipe.reader if pipe else None
        status = yield from execution.together(self.p.machine, tasks)
        if "pipefail" in self.options:
            status = next((code for code in reversed(codes) if code), 0)
        return status

    def _member(self, shell: Shell, command: syntax.Command, codes: list[int], index: int) -> Steps:
        codes[index] = yield from shell.whole(shell.command(command))
        return codes[index]

    def whole(self, steps: Steps) -> Steps:
        """A shell's whole life: the exit code, whatever ends it; its EXIT trap has run, its descriptors are closed."""
        try:
            status = yield from self._until_it_leaves(steps)
            status = yield from self._exit_trap(status)
        except Killed as killed:
            status = killed.code
        finally:
            self.p.close()
            self.p.machine.progress += 1
        return status

    def _until_it_leaves(self, steps: Steps) -> Steps:
        try:
            return (yield from steps)
        except Leave as leave:
            return leave.value & 255 if leave.kind in ("exit", "return") else self.status
        except ShellProblem as problem:
            return self.complain(str(problem), problem.code)
        except RecursionError:
            return self.complain("too many levels of commands within commands", 2)

    def _exit_trap(self, status: int) -> Steps:
        action = self.traps.pop("EXIT", "")
        if not action:
            return status
        from imagelab.runtime.shell.builtins import evaluated

        self.status = status
        try:
            yield from evaluated(self, action)
        except Leave as leave:
            return leave.value & 255 if leave.kind == "exit" else status
        return status

    def signals(self) -> Generator[float, None, None]:
        """Run the traps of signals that have come; one without a trap ends the shell."""
        while self.p.signals:
            number = self.p.signals.pop(0)
            name = next((name for name, value in SIGNALS.items() if value == number), "")
            if name in self.traps and number != SIGNALS["KILL"]:
                from imagelab.runtime.shell.builtins import evaluated

                status = self.status
                yield from evaluated(self, self.traps[name])
                self.status = status
            elif number == SIGNALS["KILL"] or not self.interactive:
                raise Killed(number)
            elif number == SIGNALS["INT"]:
                raise Leave("interrupt", 128 + number)

    # -- commands -------------------------------------------------------------------------------------------

    def command(self, command: syntax.Command) -> Steps:
        """Run one; its redirections hold for it alone."""
        if isinstance(command, syntax.Simple):
            return (yield from self._simple(command))
        if isinstance(command, syntax.FunctionDefinition):
            self.functions[command.name] = command.body
            return 0
        try:
            undo = yield from redirect(self, command.redirections)
        except RedirectionProblem as problem:
            return self.complain(str(problem), 1 if self.bash else 2)
        try:
            return (yield from self._compound(command))
        except ExpansionProblem as problem:
            raise ShellProblem(str(problem), 127 if self.bash else 2) from None
        except ArithmeticProblem as problem:
            return self._bad_arithmetic(problem)
        finally:
            restore(self.p, undo)

    def _compound(self, command: syntax.Command) -> Steps:
        match command:
            case syntax.Group(body):
                return (yield from self.script(body))
            case syntax.Subshell(body):
                shell = self.fork()
                return (yield from shell.whole(shell.script(body)))
            case syntax.If(branches):
                return (yield from self._if(branches))
            case syntax.While():
                return (yield from self._while(command))
            case syntax.For():
                return (yield from self._for(command))
            case syntax.Case():
                return (yield from self._case(command))
            case syntax.Calculation(expression):
                return int(not (yield from self.expander.number(expression)))
            case syntax.Condition(items):
                from imagelab.runtime.shell.conditions import holds

                return int(not (yield from holds(self, items)))
        raise AssertionError(command)

    def _if(self, branches: list[tuple[syntax.Script | None, syntax.Script]]) -> Steps:
        for condition, body in branches:
            if condition is None or (yield from self._condition(condition)) == 0:
                return (yield from self.script(body))
        return 0

    def _condition(self, condition: syntax.Script) -> Steps:
        self.tested += 1
        try:
            return (yield from self.script(condition))
        finally:
            self.tested -= 1

    def _while(self, loop: syntax.While) -> Steps:
        status = 0
        while ((yield from self._condition(loop.condition)) == 0) != loop.until:
            going, status = yield from self._once(loop.body)
            if not going:
                break
        return status

    def _once(self, body: syntax.Script) -> Generator[float, None, tuple[bool, int]]:
        """A loop's body once: (is there another round?, exit code)."""
        self.loops += 1
        try:
            return True, (yield from self.script(body))
        except Leave as leave:
            if leave.kind not in ("break", "continue"):
                raise
            if leave.value > 1 and self.loops > 1:
                raise Leave(leave.kind, leave.value - 1) from None
            return leave.kind == "continue", 0
        finally:
            self.loops -= 1

    def _for(self, loop: syntax.For) -> Steps:
        words = list(self.arguments) if loop.words is None else (yield from self.expander.words(loop.words))
        status = 0
        for word in words:
            self.set(loop.name, word)
            going, status = yield from self._once(loop.body)
            if not going:
                break
        return status

    def _case(self, command: syntax.Case) -> Steps:
        word = yield from self.expander.one(command.word)
        for alternatives, body in command.items:
            for alternative in alternatives:
                if matches((yield from self.expander.pattern(alternative)), word):
                    self.status = 0
                    return (yield from self.script(body))
        return 0

    # -- simple commands ------------------------------------------------------------------------------------

    def _simple(self, command: syntax.Simple) -> Steps:
        self.line = command.line
        self.status_of_substitution = 0
        try:
            words = yield from self.expander.words(command.words)
            assigned = []
            for name, word in command.assignments:
                append = name.endswith("+")
                value = yield from self.expander.one(word)
                name = name.rstrip("+")
                assigned.append((name, (self.get(name) or "") + value if append else value))
                if not words:
                    self.set(*assigned[-1])
        except ExpansionProblem as problem:
            raise ShellProblem(str(problem), 127 if self.bash else 2) from None
        except ArithmeticProblem as problem:
            return self._bad_arithmetic(problem)
        if "x" in self.options:
            self._trace(assigned, words)
        try:
            return (yield from self._redirected(command, assigned, words))
        except RedirectionProblem as problem:
            from imagelab.runtime.shell.builtins import SPECIAL

            if not self.bash and words and words[0] in SPECIAL and not self.interactive:
                raise ShellProblem(str(problem)) from None
            return self.complain(str(problem), 1 if self.bash else 2)

    def _bad_arithmetic(self, problem: ArithmeticProblem) -> int:
        if self.bash:
            return self.complain(str(problem).removeprefix("arithmetic expression: "))
        raise ShellProblem(str(problem))

    def _trace(self, assigned: list[tuple[str, str]], words: list[str]) -> None:
        from imagelab.runtime.shell.printing import quoted

        shown = [f"{name}={quoted(value)}" for name, value in assigned]
        shown += [quoted(word) for word in words]
        self.p.err((self.get("PS4") or "") + " ".join(shown))

    def _redirected(self, command: syntax.Simple, assigned: list[tuple[str, str]], words: list[str]) -> Steps:
        undo = yield from redirect(self, command.redirections)
        keep = False
        try:
            if not words:
                return self.status_of_substitution
            keep = words == ["exec"]
            return (yield from self._run(words, assigned))
        finally:
            if not keep:
                restore(self.p, undo)

    def _run(self, words: list[str], assigned: list[tuple[str, str]]) -> Steps:
        from imagelab.runtime.shell.builtins import BUILTINS, SPECIAL

        name = words[0]
        if name in SPECIAL and not (self.bash and name in self.functions):
            for variable, value in assigned:
                self.set(variable, value)
            return (yield from self._builtin(BUILTINS[name], words))
        builtin = BUILTINS.get(name) if name not in ONLY_BASH or self.bash else None
        if name not in self.functions and builtin is None:
            return (yield from self.external(words, assigned))
        saved = {variable: self.variables.get(variable) for variable, _ in assigned}
        for variable, value in assigned:
            self.set(variable, value)
        try:
            if name in self.functions:
                return (yield from self._function(name, words[1:]))
            assert builtin is not None
            return (yield from self._builtin(builtin, words))
        finally:
            self._put_back(saved)

    def _put_back(self, saved: dict[str, str | None]) -> None:
        for name, value in saved.items():
            if value is None:
                self.variables.pop(name, None)
            else:
                self.variables[name] = value

    def _builtin(self, builtin: Builtin, words: list[str]) -> Steps:
        try:
            result = builtin(self, words)
            return result if isinstance(result, int) else (yield from result)
        except Errno as error:
            return self.complain(f"{words[0]}: {error}", 1)

    def _function(self, name: str, arguments: list[str]) -> Steps:
        if self.calls >= MOST_CALLS:
            raise ShellProblem(f"{name}: function called too deep (more than {MOST_CALLS} times)")
        saved, self.arguments = self.arguments, arguments
        self.calls += 1
        self.locals.append({})
        try:
            return (yield from self.command(self.functions[name]))
        except Leave as leave:
            if leave.kind != "return":
                raise
            return leave.value & 255
        finally:
            self.calls -= 1
            self.arguments = saved
            self._put_back(self.locals.pop())

    def external(self, words: list[str], assigned: list[tuple[str, str]]) -> Steps:
        """A program: 127 when there is none, 126 when it cannot run."""
        environment = self.environment() | dict(assigned)
        name = words[0]
        try:
            where = execution.locate(self.p, name, environment.get("PATH", self.get("PATH")))
            program, arguments = execution.resolve(self.p, where, words)
        except Errno as error:
            return self._cannot_run(name, error)
        except execution.NotExecutable as problem:
            return self.complain(str(problem), problem.code)
        child = self.p.child(arguments, environment)
        status = yield from execution.live(program, child)
        if status > 128 and self.interactive and status - 128 == SIGNALS["INT"]:
            self.p.err("")
        return status

    def _cannot_run(self, name: str, error: Errno) -> int:
        if error.code != "ENOENT":
            node = self.p.find(name) if "/" in name else None
            problem = "Is a directory" if self.bash and node is not None and node.is_directory else str(error)
            return self.complain(f"{name}: {problem}", 126)
        if not self.bash:
            return self.complain(f"{name}: not found", 127)
        return self.complain(f"{name}: {error}" if "/" in name else f"{name}: command not found", 127)

    def substitute(self, body: syntax.Script) -> Generator[float, None, bytes]:
        """The output of `$(body)`."""
        output = bytearray()
        shell = self.fork({1: Output(output.extend)})
        self.status_of_substitution = yield from shell.whole(shell.script(body))
        if self.bash:
            self.status = self.status_of_substitution
        return bytes(output)


ONLY_BASH = {"source", "declare", "typeset", "let", "history", "shopt"}
