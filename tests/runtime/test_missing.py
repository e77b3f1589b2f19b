"""A program that an image names and this runtime has not: a sentence and 127, wherever it is called from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imagelab.classroom.recipes import COREUTILS
from imagelab.runtime.shell import programs
from tests.shell_harness import ROOT, Script, empty_system, run_ours

SCRIPTS = [
    ("awk 1", "sh: 1: awk: not available in imagelab\n"),
    ("env awk 1", "env: awk: not available in imagelab\n"),
    ("echo 1 | xargs awk", "xargs: awk: not available in imagelab\n"),
    ("find . -exec awk {} +", "find: awk: not available in imagelab\n"),
]
SCOPE = (Path(__file__).parents[2] / "docs" / "scope.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("script", "said"), SCRIPTS)
def test_a_marker_without_a_program(script: str, said: str) -> None:
    files = empty_system()
    files.write_file(ROOT, "/bin/awk", b"#!imagelab awk\n", 0o755)
    result = run_ours(Script(script), files)
    assert (result.code, result.err.decode()) == (1 if "find" in script else 127, said)


def test_a_link_to_busybox() -> None:
    files = empty_system()
    files.symlink(ROOT, "/bin/busybox", "/bin/awk")
    result = run_ours(Script("awk 1"), files)
    assert (result.code, result.err) == (127, b"awk: not available in imagelab\n")


def test_the_scope_names_every_utility() -> None:
    listed, missing = SCOPE.partition("- Utilities: ")[2].partition("The classroom images name")[::2]
    found = programs().keys() - {"sh", "bash", "busybox", "print", "["}
    assert re.findall("`([a-z0-9]+)`", listed) == sorted(found)
    assert re.findall("`([a-z]+)`", missing.partition(", too,")[0]) == sorted(set(COREUTILS) - programs().keys())
