"""One command line through the real docker client, and through ours."""

from __future__ import annotations

import os
import re
import subprocess

from imagelab.app import Lab


def theirs(host: str, line: str) -> tuple[str, str, int]:
    env = {**os.environ, "DOCKER_HOST": host, "TZ": "UTC", "DOCKER_CONFIG": "/nonexistent", "DOCKER_CLI_HINTS": "false"}
    done = subprocess.run(
        ["sh", "-c", f"docker {line}"], capture_output=True, text=True, env=env, timeout=60, stdin=subprocess.DEVNULL
    )
    return done.stdout, done.stderr, done.returncode


def ours(lab: Lab, line: str) -> tuple[str, str, int]:
    import io
    import shlex

    from imagelab.cli.main import run

    out, err = io.StringIO(), io.StringIO()
    code = run(shlex.split(line), stdin=io.StringIO(), stdout=out, stderr=err, environ={"TZ": "UTC"}, lab=lab)
    return out.getvalue(), err.getvalue(), code


def settled(text: str) -> str:
    """What differs for reasons of its own: our second line of advice, and the two places where 28.2 says `See` or
    misspells `Run` where 28.5 says `Run`."""
    text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("hint: "))
    return re.sub(r"^(?:See|SRun) '", "Run '", text, flags=re.M)
