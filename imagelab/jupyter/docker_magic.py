"""`%docker` and `%%docker`: Docker's command lines in a cell, on the notebook's own lab.

    %docker pull ubuntu:14.04
    %docker images -f dangling=true
    %docker rmi $(docker images -q -f dangling=true)

    ids = %docker images -q                   the result, shown to nobody: ids.stdout, ids.lines, ids.exit_code
    %docker rmi $ids

    %%docker                                  one command a line, each shown with what it prints
    docker pull nginx
    docker images

    %%docker image prune                      or one command, and below it what it is to read
    y

What a line may hold is in `magics_line`: quotes, `$name` for Python variables, `$(docker …)`; pipes are the shell's
business (`!docker images | sort`). `{{.ID}}` arrives as it is typed.

A command shows what Docker prints: a listing as a table, a pull as bars, the rest as text, each with its plain text
beside it. A command that fails prints its error and the notebook goes on, as a shell would; its exit code is in
`_exit_code`, where IPython keeps that of `!`.

The lab is the one that $IMAGELAB_HOME names (`imagelab.lesson()` sets it), else your own.
"""

from __future__ import annotations

import ast
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

from IPython.core.magic import no_var_expand

from imagelab.cli.line import words
from imagelab.cli.main import run
from imagelab.cli.streams import Script
from imagelab.errors import ImageLabError, UsageError
from imagelab.lab.lab import Lab
from imagelab.lab.opening import open_lab
from imagelab.lab.results.images import CommandResult
from imagelab.state.events import Progress
from imagelab.view.html_table import html_table, image_mark
from imagelab.view.pull_progress import NotebookProgress, is_watched, publish, pull_html

LIVE = ("run", "exec", "logs", "attach", "start", "wait", "build")
"""Verbs that run a program: what it prints is shown as it prints it."""
SHOWN, TAKEN = "docker", "docker_result"
"""The magic that shows what a command prints, and the one that only returns it."""


class NotebookSession:
    """Docker's command lines in one IPython."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._lab: Lab | None = None
        self._home: str | None = None

    @property
    def lab(self) -> Lab:
        """The lab that $IMAGELAB_HOME names now, or the default one."""
        home = os.environ.get("IMAGELAB_HOME")
        if self._lab is None or home != self._home:
            if self._lab is not None:
                self._lab.close()
            self._lab, self._home = open_lab(Lab, home), home
        return self._lab

    # -- the two magics -------------------------------------------------------------------------------------

    def show(self, line: str, cell: str | None = None) -> None:
        """Run a line, or the lines of a cell, and show what each prints."""
        if cell is None or line.strip():
            self._show_one(line, cell)
            return
        commands = _commands(cell)
        for command in commands:
            if len(commands) > 1:
                print(f"$ docker {command}", flush=True)
            self._show_one(command, None)

    def take(self, line: str) -> CommandResult:
        """Run a line and return what it prints; nothing is shown but errors."""
        result = self._captured(line)
        sys.stderr.write(result.stderr)
        self._remember(result.exit_code)
        return result

    # -- running --------------------------------------------------------------------------------------------

    def _show_one(self, line: str, given: str | None) -> None:
        self.show_words(lambda: self.words(line), given)

    def show_words(self, arguments: Callable[[], Sequence[str]], given: str | TextIO | None) -> None:
        """Run a line's words and show what it prints; `given` is what it reads: text that is typed, or a stream."""
        try:
            self._remember(self._run_shown(arguments(), given))
        except ImageLabError as error:
            self._explain(error)
        sys.stdout.flush()  # what the next command prints comes after what this one did, whatever the stream
        sys.stderr.flush()

    def _run_shown(self, arguments: Sequence[str], given: str | TextIO | None) -> int:
        def stdin_on(screen: TextIO, otherwise: Callable[[], TextIO]) -> TextIO:
            return otherwise() if given is None else Script(given, screen) if isinstance(given, str) else given

        if not hasattr(self.shell, "kernel"):  # IPython in a terminal: bars are the terminal's own
            return self._run(arguments, stdin_on(sys.stdout, lambda: sys.stdin), sys.stdout, sys.stderr)
        if _is_live(arguments):
            live = Live()
            errors = io.StringIO() if "build" in arguments[:2] else sys.stderr
            code = self._run(arguments, stdin_on(live, lambda: Keyboard(live)), live, errors)
            if isinstance(errors, io.StringIO):  # BuildKit tells its steps on stderr; red is for a build that failed
                (sys.stderr if code else sys.stdout).write(errors.getvalue())
            return code
        screen, errors = Screen(watched=is_watched(os.environ), lang=self.lab.lang), io.StringIO()
        try:
            return self._run(arguments, stdin_on(screen, lambda: Keyboard(screen)), screen, errors, screen)
        finally:
            screen.show(self.lab)
            sys.stdout.flush()
            sys.stderr.write(errors.getvalue())

    def _captured(self, line: str) -> CommandResult:
        try:
            out, err = io.StringIO(), io.StringIO()
            code = self._run(self.words(line), io.StringIO(), out, err)
        except ImageLabError as error:
            return CommandResult("", _sentence(error), error.exit_code)
        return self.lab.result(out.getvalue(), err.getvalue(), code)

    def _run(
        self, arguments: Sequence[str], stdin: TextIO, out: TextIO, err: TextIO, screen: Screen | None = None
    ) -> int:
        elsewhere = any(word == "--lab" or word.startswith("--lab=") for word in arguments)
        return run(
            arguments, stdin=stdin, stdout=out, stderr=err, environ=os.environ, lab=None if elsewhere else self.lab,
            progress=screen.progress if screen else None,
        )  # fmt: skip

    def _remember(self, exit_code: int) -> None:
        self.shell.user_ns["_exit_code"] = exit_code

    def _explain(self, error: ImageLabError) -> None:
        sys.stderr.write(_sentence(error))
        self._remember(error.exit_code)

    # -- what a line means ----------------------------------------------------------------------------------

    def words(self, line: str) -> list[str]:
        """A line's words, with the notebook's variables in them."""
        found = words(line, variable=self._variable, output_of=self._output_of)
        return found[1:] if found[:1] == ["docker"] else found

    def _variable(self, name: str) -> str:
        if name not in self.shell.user_ns:
            raise UsageError(f"${name}: this notebook has no variable of that name", hint=f"'${name}' is just text")
        value = self.shell.user_ns[name]
        if isinstance(value, CommandResult) and value.rows:
            raise UsageError(
                f"${name} is a whole table, headings and all", hint=f"{name} = %docker images -q   has only IDs"
            )
        return _text(value)

    def _output_of(self, line: str) -> str:
        if line.split()[:1] != ["docker"]:
            raise UsageError(f"$({line}): only docker commands can stand here", hint="$(docker images -q) can")
        inner = self._captured(line)
        sys.stderr.write(inner.stderr)
        return inner.stdout


def _commands(cell: str) -> list[str]:
    """The commands of a cell, as the book has them: `docker` and a prompt before it may stand there, a backslash joins
    lines, `#` begins a comment."""
    lines = [line.strip().removeprefix("$ ").removeprefix("docker ") for line in cell.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _is_live(arguments: Sequence[str]) -> bool:
    """Is this a command whose output is to be seen while it works?"""
    verbs = [word for word in arguments if not word.startswith("-")]
    return (verbs[1:2] if verbs[:1] in (["container"], ["image"], ["builder"]) else verbs[:1])[:1] in (
        [verb] for verb in LIVE
    )


def _text(value: object) -> str:
    """What a variable stands for in a line: lists are their items, results what they printed."""
    if isinstance(value, (list, tuple, set)):
        return " ".join(_text(item) for item in value)
    return str(getattr(value, "id", value))


def _sentence(error: ImageLabError) -> str:
    return f"{error}\n" + (f"hint: {error.hint}\n" if error.hint else "")


# -- what is shown ------------------------------------------------------------------------------------------


class Screen(io.StringIO):
    """Where a command prints in a notebook. It holds everything back until the command is over, so that it can show it
    in the best form there is; only a pull's bars move meanwhile."""

    def __init__(self, *, watched: bool, lang: str = "en") -> None:
        super().__init__()
        self._bars = NotebookProgress(watched=watched, lang=lang)
        self._above = 0
        self._richer: Mapping[str, str] = {}

    def attach(self, richer: Mapping[str, str]) -> None:
        """The same as was printed, in richer forms, by mime type."""
        self._richer = richer

    def progress(self, progress: Progress) -> None:
        """The ProgressSink of a pull."""
        if not self._bars.picture.lines:
            self._above = len(self.getvalue())
        self._bars(progress)

    def take(self) -> str:
        """What has been printed so far; the screen is empty again."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text

    def show(self, lab: Lab) -> None:
        """Publish it: text, and HTML beside it where there is some."""
        picture, printed = self._bars.picture, self.take()
        above, below = printed[: self._above], printed[self._above :]
        text = above + picture.text + below
        if self._richer:
            publish({"text/plain": text.rstrip("\n"), **self._richer})
            return
        html = (
            pull_html(above, picture, below, lab.lang)
            if picture.lines
            else html_table(text, mark=image_mark(lab.state))
        )
        self._bars.finish()
        if html:
            publish({"text/plain": text.rstrip("\n"), "text/html": html})
        else:
            sys.stdout.write(text)


class Live(io.StringIO):
    """Where a program prints in a notebook: at once."""

    def write(self, text: str, /) -> int:
        sys.stdout.write(text.replace("\r\n", "\n"))
        return len(text)

    def take(self) -> str:
        return ""


class Keyboard(io.StringIO):
    """A command's question (`[y/N]`), and each line that an interactive program reads, becomes a box below the cell.
    Where nobody can answer, the answer is empty."""

    def __init__(self, screen: Screen | Live) -> None:
        super().__init__()
        self._screen = screen

    def ask(self, prompt: str, history: list[str], completion: object) -> bytes:
        """One line typed after a prompt; b"" (as Ctrl-D) where nobody can type."""
        sys.stdout.flush()
        try:
            line = input(prompt)
        except (NotImplementedError, EOFError):
            sys.stdout.write(f"{prompt}\n")
            sys.stderr.write("nobody can type here: put the lines below %%docker exec -it …\n")
            return b""
        return f"{line}\n".encode("utf-8", "surrogateescape")

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        text, _, question = self._screen.take().rpartition("\n")
        if text:
            print(text)
        try:
            return input(question) + "\n"
        except (NotImplementedError, EOFError):
            sys.stdout.write(f"{question}\n")
            return ""


# -- IPython ------------------------------------------------------------------------------------------------


class Assigned(ast.NodeTransformer):
    """`ids = %docker images -q` takes the result and shows nothing; `%docker images -q` alone shows it.

    Both reach Python as `get_ipython().run_line_magic("docker", …)`. A call that is a statement of its own stays; a
    call whose value is used becomes the other magic.
    """

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        return node if _magic_name(node.value) is not None else ast.copy_location(self._inside(node), node)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        name = _magic_name(node)
        if name is not None:
            name.value = TAKEN
            return node
        self.generic_visit(node)
        return node

    def _inside(self, node: ast.Expr) -> ast.Expr:
        self.generic_visit(node)
        return node


def _magic_name(node: ast.AST) -> ast.Constant | None:
    """The constant `"docker"` of a call of the magic, or None."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr="run_line_magic"),
            args=[ast.Constant(value="docker") as name, *_],
        ):
            return name
    return None


def load_ipython_extension(ipython: Any) -> None:
    """Register the magics, those of exercises too, and put `docker` on the kernel's PATH for `!docker`."""
    from imagelab.course.exercise_magics import session_of
    from imagelab.jupyter.docker_on_path import on_path
    from imagelab.jupyter.dockerfile_magic import register

    session = NotebookSession(ipython)

    def docker(line: str, cell: str | None = None) -> None:
        session.show(line, cell)

    def docker_result(line: str) -> CommandResult:
        return session.take(line)

    docker.__doc__, docker_result.__doc__ = __doc__, NotebookSession.take.__doc__
    ipython.register_magic_function(no_var_expand(docker), "line_cell", SHOWN)
    ipython.register_magic_function(no_var_expand(docker_result), "line", TAKEN)
    ipython.ast_transformers[:] = [known for known in ipython.ast_transformers if not isinstance(known, Assigned)]
    ipython.ast_transformers.append(Assigned())
    register(ipython, session)
    session_of(ipython)
    on_path(os.environ)
