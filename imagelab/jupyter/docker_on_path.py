"""The `docker` on PATH: a script of two lines that runs imagelab, so that the book's own lines work as they are printed.

    #!/bin/sh
    exec '/where/this/python/is' -P -m imagelab.jupyter.docker_on_path "$@"

In a terminal there is nothing more to it. In a notebook's `!docker …` the line has been through IPython, and what it
sees as its terminal is nobody's; four things are put right there:

    !docker images --format '{{.ID}}'   IPython has made `{{` a `{`: a lone `{.ID}` becomes `{{.ID}}` again
    !docker pull ubuntu                 bars that move the cursor would be garbage in a cell: plain lines instead
    !docker image prune                 a question that waits for an answer would hang the notebook: there is none
    !docker run -it ubuntu              the same, for good: refused

A kernel is recognised by JPY_PARENT_PID, which JupyterLab's terminals do not have.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shlex
import sys
from collections.abc import MutableMapping, Sequence
from pathlib import Path

_INTERACTIVE = re.compile(r"-[a-zA-Z]*[it][a-zA-Z]*|--interactive|--tty")
_TAKES_A_KEYBOARD = {"run", "exec", "create", "start", "attach"}


# -- the script ---------------------------------------------------------------------------------------------


def folder() -> Path:
    """Where the script for this Python belongs: one folder for each interpreter, in the user's cache."""
    from platformdirs import user_cache_dir

    mark = hashlib.sha256(sys.executable.encode()).hexdigest()[:8]
    return Path(user_cache_dir("imagelab", appauthor=False)) / f"bin-{mark}"


def script(python: str, *, windows: bool) -> tuple[str, str]:
    """The script's name and text, for one interpreter."""
    if windows:
        return "docker.cmd", f'@"{python}" -P -m imagelab.jupyter.docker_on_path %*\r\n'
    return "docker", f'#!/bin/sh\nexec {shlex.quote(python)} -P -m imagelab.jupyter.docker_on_path "$@"\n'


def install(directory: Path | None = None) -> Path:
    """Write the script, unless it is there; returns the folder to put on PATH.

    Where the cache cannot be written to (a home that is read-only), a temporary folder does.
    """
    name, text = script(sys.executable, windows=os.name == "nt")
    try:
        return _write((directory or folder()) / name, text)
    except OSError:
        if directory is not None:
            raise
        import tempfile

        return _write(Path(tempfile.mkdtemp(prefix="imagelab-bin-")) / name, text)


def _write(file: Path, text: str) -> Path:
    """Whole or not at all: another notebook may be running it at this moment."""
    raw = text.encode()
    if not (file.exists() and file.read_bytes() == raw and os.access(file, os.X_OK)):
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f"{file.name}.{os.getpid()}")
        temporary.write_bytes(raw)
        temporary.chmod(0o755)
        os.replace(temporary, file)
    return file.parent


def on_path(environ: MutableMapping[str, str]) -> Path:
    """Put the script's folder first on this environment's PATH, once; returns the folder."""
    directory = install()
    parts = [part for part in environ.get("PATH", "").split(os.pathsep) if part and part != str(directory)]
    environ["PATH"] = os.pathsep.join([str(directory), *parts])
    return directory


# -- what it runs -------------------------------------------------------------------------------------------


def mended(words: Sequence[str]) -> list[str]:
    """The words as they were typed: `{.ID}` becomes `{{.ID}}` where IPython took the other brace away.

    A word that still has `{{` came through whole (IPython gives up on a line it cannot expand).
    """
    return [word if "{{" in word else re.sub(r"\{([^{}]*)\}", r"{{\1}}", word) for word in words]


def wants_a_keyboard(words: Sequence[str]) -> bool:
    """Is this `docker run -it …` or one of its kind?"""
    commands = [word for word in words if not word.startswith("-")][:2]
    return bool(_TAKES_A_KEYBOARD & set(commands)) and any(_INTERACTIVE.fullmatch(word) for word in words)


class _Nobody(io.StringIO):
    """The standard input of a cell: whoever asks is told that nobody answers."""

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        sys.stdout.flush()
        sys.stderr.write("\nhint: nobody can answer in a `!` cell: add -f, or write %docker instead of !docker\n")
        return ""


class _Plain(io.TextIOWrapper):
    """Standard output without the terminal that a `!` cell pretends to be."""

    def isatty(self) -> bool:
        return False


def _in_cell(words: Sequence[str]) -> int:
    from imagelab.cli.main import main as command_line

    if wants_a_keyboard(words):
        sys.stderr.write("nobody can type into a cell's `!docker … -it`\nhint: use a terminal (File, New, Terminal)\n")
        return 1
    if sys.stdin.isatty():
        sys.stdin = _Nobody()
    if sys.stdout.isatty():
        sys.stdout = _Plain(sys.stdout.buffer, encoding="utf-8", errors="surrogateescape", line_buffering=True)
    return command_line(mended(words))


def main() -> int:
    """What the script calls."""
    from imagelab.cli.main import main as command_line

    return _in_cell(sys.argv[1:]) if "JPY_PARENT_PID" in os.environ else command_line(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
