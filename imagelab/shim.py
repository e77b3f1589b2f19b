"""The `docker` on PATH: a two-line script that runs imagelab, so that the book's own lines work in cells and terminals.

What a notebook does to a line before it gets here, and what is done about it:

    !docker images --format '{{.ID}}'   IPython turns `{{` into `{`: a lone `{.ID}` is put right again
    !docker run -it …                   `!` gives a terminal that nobody can type into: refused, instead of a hang
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import MutableMapping, Sequence
from pathlib import Path


def folder() -> Path:
    """Where the script for this Python is; one folder for each interpreter."""
    from platformdirs import user_cache_dir

    mark = hashlib.sha256(sys.executable.encode()).hexdigest()[:8]
    return Path(user_cache_dir("imagelab", appauthor=False)) / f"bin-{mark}"


def install(directory: Path | None = None) -> Path:
    """Write the script (again); the folder to put on PATH."""
    directory = directory or folder()
    directory.mkdir(parents=True, exist_ok=True)
    if os.name == "nt":
        (directory / "docker.cmd").write_text(f'@"{sys.executable}" -m imagelab.shim %*\r\n', encoding="utf-8")
        return directory
    script = directory / "docker"
    temporary = directory / f"docker.{os.getpid()}"
    temporary.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m imagelab.shim "$@"\n', encoding="utf-8")
    temporary.chmod(0o755)
    os.replace(temporary, script)
    return directory


def on_path(environ: MutableMapping[str, str]) -> None:
    """Put the script's folder first on this environment's PATH, once."""
    directory = str(install())
    parts = [part for part in environ.get("PATH", "").split(os.pathsep) if part != directory]
    environ["PATH"] = os.pathsep.join([directory, *parts])


def mended(words: Sequence[str], *, in_kernel: bool) -> list[str]:
    """The words as they were typed: `{.ID}` becomes `{{.ID}}` where IPython took a brace away."""
    if not in_kernel:
        return list(words)
    return [word if "{{" in word else re.sub(r"\{([^{}]*)\}", r"{{\1}}", word) for word in words]


def main() -> int:
    from imagelab.cli.main import main as command_line

    in_kernel = "JPY_PARENT_PID" in os.environ
    words = mended(sys.argv[1:], in_kernel=in_kernel)
    if in_kernel and any(re.fullmatch(r"-(it|ti)|--interactive|--tty", word) for word in words):
        sys.stderr.write("nobody can type into a cell's `!docker … -it`\nhint: use a terminal (File, New, Terminal)\n")
        return 1
    return command_line(words)


if __name__ == "__main__":
    sys.exit(main())
