"""The docker command lines that stand in a notebook's cells, by the exercise they were typed for.

Where a hand-in has no log, this is what is done again. A cell is read, and never run: of a cell of Python only the lines that
`lab.docker("…")` is called with, to the letter, are found.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from imagelab.course.exercise import Lines

OPENED = re.compile(r"\.exercise\(\s*[\"']([^\"']+)[\"']")
"""A cell that opens an exercise, and which."""


def commands_in(cells: Sequence[str]) -> dict[str, Lines]:
    """Exercise -> the docker command lines in the cells after the one that opens it, up to the next exercise."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for cell in cells:
        if opened := OPENED.findall(cell):
            current = found.setdefault(opened[-1], [])
        else:
            current += _lines(cell)
    return {name: tuple(lines) for name, lines in found.items()}


def _lines(cell: str) -> list[str]:
    """The command lines of one cell."""
    first, _, rest = (
        cell.partition("\n") if cell.startswith("%%dockerfile") else cell.replace("\\\n", " ").partition("\n")
    )
    if first.strip() == "%%docker":
        lines = [line.strip().removeprefix("$ ") for line in rest.splitlines()]
        return [line for line in lines if line and not line.startswith("#")]
    if first.startswith("%%dockerfile"):
        words = first.split()[1:]
        tag = [] if not words or words[0].startswith("-") else ["-t"]
        return [f"build {' '.join([*tag, *words])} -\n{rest}"]
    if first.startswith("%%docker "):
        return [first.removeprefix("%%docker ") + "\n" + rest]
    lines = [line.strip() for line in cell.replace("\\\n", " ").splitlines()]
    marked = [line[1:] for line in lines if line.startswith(("%docker ", "!docker "))]
    return marked or _python_lines(cell)


def _python_lines(cell: str) -> list[str]:
    """`lab.docker("…")` in a cell of Python."""
    try:
        tree = ast.parse(cell)
    except SyntaxError:
        return []
    return [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "docker"
        and node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    ]  # fmt: skip
