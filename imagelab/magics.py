"""`%docker` and `%%docker`: Docker's command lines in a cell, on the notebook's own lab.

    %docker pull ubuntu:14.04
    %docker images -f dangling=true
    %docker rmi $(docker images -q -f dangling=true)
    ids = %docker images -q                     the result: ids.stdout, ids.exit_code

    %%docker                                    one command a line; a line may begin with `docker`
    pull nginx
    images

    %%docker image prune                        or: the lines below are what the command reads
    y

`{{.ID}}` arrives as it is typed (IPython would take a brace away). `$name` and `${name}` stand for Python variables,
`$(docker …)` for what another command prints; neither is looked at between single quotes. Pipes and redirections are
the shell's business: `!docker images | sort`.

A command that fails prints its error and the cell goes on, as a shell would.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.display import display

from imagelab.errors import ImageLabError, UsageError
from imagelab.lab import CommandResult, Lab, connect, finish
from imagelab.view.tables import html_table, is_table

_EXPAND = re.compile(r"'[^']*'|\\.|\$\((?P<command>[^()]*)\)|\$(?:\{(?P<braced>\w+)\}|(?P<name>[A-Za-z_]\w*))")
_SHELL_ONLY = ("|", ">", "<", "&", ";", ">>", "<<", "&&", "||", "2>")


class Shown(CommandResult):
    """A result that has been shown: a cell that ends with it does not show it again."""

    __slots__ = ()

    def _ipython_display_(self) -> None:
        pass


@magics_class
class DockerMagics(Magics):  # type: ignore[misc]
    """The magics of one IPython, and the lab they work on."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._lab: Lab | None = None
        self._home: str | None = None

    @property
    def lab(self) -> Lab:
        """The lab that $IMAGELAB_HOME names now, or the default one."""
        home = os.environ.get("IMAGELAB_HOME")
        if self._lab is None or home != self._home:
            self._lab, self._home = connect(home), home
        return self._lab

    @no_var_expand
    @line_cell_magic
    def docker(self, line: str, cell: str | None = None) -> CommandResult | None:
        """Run one docker command line, or (`%%docker` alone) one for each line of the cell."""
        if cell is None:
            return self._one(line, "")
        if line.strip():
            return self._one(line, cell)
        result = None
        for text in cell.splitlines():
            if text.strip() and not text.lstrip().startswith("#"):
                result = self._one(text, "")
        return result

    def _one(self, line: str, stdin: str) -> CommandResult | None:
        try:
            words = self._words(line)
            lab = self.lab
        except ImageLabError as error:
            sys.stderr.write(f"{error}\n" + (f"hint: {error.hint}\n" if error.hint else ""))
            return None
        result = self._run(lab, words, stdin)
        _show(result)
        return Shown(result.stdout, result.stderr, result.exit_code)

    def _run(self, lab: Lab, words: Sequence[str], stdin: str) -> CommandResult:
        from imagelab.cli.main import run

        out, err = _Tee(), io.StringIO()
        sink = _Flushing(out, lab)
        code = run(words, stdin=io.StringIO(stdin), stdout=out, stderr=err, environ=os.environ, lab=lab, progress=sink)
        sink.finish()
        return CommandResult(out.rest(), err.getvalue(), code)

    def _words(self, line: str) -> list[str]:
        text = _EXPAND.sub(lambda match: self._expanded(match), line)
        lexer = shlex.shlex(text, posix=True, punctuation_chars="|<>&;")
        lexer.whitespace_split, lexer.commenters = True, ""
        try:
            words = list(lexer)
        except ValueError as error:
            raise UsageError(f"the line does not end: {error}", hint="a quote is not closed") from None
        for word in words:
            if word in _SHELL_ONLY:
                raise UsageError(f"%docker takes one command, without {word}", hint=f"let the shell do it: !docker {line}")
        return words[1:] if words[:1] == ["docker"] else words

    def _expanded(self, match: re.Match[str]) -> str:
        if match["command"] is not None:
            words = shlex.split(match["command"])
            printed = self._run(self.lab, words[1:] if words[:1] == ["docker"] else words, "")
            sys.stderr.write(printed.stderr)
            return " ".join(printed.stdout.split())
        name = match["braced"] or match["name"]
        if name is None:
            return match[0]
        names: Mapping[str, Any] = self.shell.user_ns
        if name not in names:
            raise UsageError(f"${name}: there is no such variable in this notebook", hint=f"for a plain text write '${name}'")
        return shlex.quote(str(names[name]))


class _Tee(io.StringIO):
    """What a command prints; what was on the screen before the bars is handed over first."""

    def rest(self) -> str:
        return self.getvalue()


class _Flushing:
    """Passes progress on to the notebook's bars, after what the command has printed so far."""

    def __init__(self, out: io.StringIO, lab: Lab) -> None:
        self._out, self._sink = out, lab.engine.progress

    def __call__(self, progress: Any) -> None:
        if self._out.tell():
            sys.stdout.write(self._out.getvalue())
            self._out.seek(0)
            self._out.truncate()
        self._sink(progress)

    def finish(self) -> None:
        finish(self._sink)


def _show(result: CommandResult) -> None:
    """A table as HTML with its text beside it, anything else as text; errors where errors go."""
    if is_table(result.stdout):
        text = result.stdout.rstrip("\n")
        display({"text/plain": text, "text/html": html_table(text)}, raw=True)
    elif result.stdout:
        sys.stdout.write(result.stdout)
    if result.stderr:
        sys.stdout.flush()
        sys.stderr.write(result.stderr)


def load_ipython_extension(ipython: Any) -> None:
    """Register the magics, and put `docker` on the kernel's PATH for `!docker`."""
    from imagelab.shim import on_path

    ipython.register_magics(DockerMagics)
    on_path(os.environ)
