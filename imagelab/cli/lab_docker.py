"""A docker command line on a lab, from Python: `lab.docker("images -a")`."""

from __future__ import annotations

import io
import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from imagelab.cli.main import run
from imagelab.cli.streams import Script
from imagelab.lab.lab import Lab

if TYPE_CHECKING:
    from imagelab.lab.results.images import CommandResult


def docker(lab: Lab, line: str | Sequence[str], *, stdin: str = "") -> CommandResult:
    """Run one line (a string, or its words) on `lab`. With -it, `stdin` is typed."""
    words = shlex.split(line) if isinstance(line, str) else list(line)
    if words[:1] == ["docker"]:
        words = words[1:]
    out, err = io.StringIO(), io.StringIO()
    code = run(words, stdin=Script(stdin, out), stdout=out, stderr=err, environ=dict(os.environ), lab=lab)
    return lab.result(out.getvalue(), err.getvalue(), code)


class DockerLines(Lab):
    """A lab that takes command lines."""

    def docker(self, line: str | Sequence[str], *, stdin: str = "") -> CommandResult:
        """Run one docker command line (a string, or its words) and return what it printed. With -it, `stdin` is typed."""
        return docker(self, line, stdin=stdin)
