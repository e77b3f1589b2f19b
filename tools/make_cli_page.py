"""docs/cli.md, written from the commands themselves: `make docs` writes it again."""

from __future__ import annotations

import io
from pathlib import Path

from imagelab.cli.main import run
from imagelab.cli.verbs import VERBS

PAGE = Path(__file__).parent.parent / "docs" / "cli.md"
HEAD = """\
# The command line

`imagelab VERB` in a terminal, `%docker VERB` in a notebook, `docker VERB` where imagelab has put its own on PATH. Flags,
output, errors and exit codes are Docker's; flags before the verb are imagelab's. This page is written by
`make docs`, and a test holds it to be current.
"""


def page() -> str:
    """The whole page: the overview, and every verb's help under its canonical name."""
    names = {verb.canonical for verb in VERBS.values()}
    blocks = [f"\n## {name}\n\n```text\n{_help(name.split())}```\n" for name in sorted(names)]
    return f"{HEAD}\n```text\n{_help([])}```\n" + "".join(blocks)


def _help(words: list[str]) -> str:
    out, err = io.StringIO(), io.StringIO()
    run([*words, "--help"], stdin=io.StringIO(), stdout=out, stderr=err, environ={})
    return out.getvalue()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
