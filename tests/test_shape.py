"""What the text of the project itself must hold: one meaning a class name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "imagelab"

TWICE = {
    "Builds": "the engine's family, and the protocol of a lab's part that builds",
    "Context": "the engine's, and a command line's",
    "History": "a lab's timeline, and the listing of an image's instructions",
    "Lab": "the Python face, and the one that `app` composes of it",
    "Log": "what a container printed, and the log of a hand-in",
    "Page": "what a container's web server answered, and an exercise on a page",
    "Progress": "a line of a pull, and a learner's",
    "Session": "a program in a container, and a notebook's",
    "Shown": "an error that is printed already, and a panel of an exercise",
    "Words": "what a terminal completes, and a text in two languages",
}
"""Public classes that share a name still. One that does no longer is to be taken off."""


def test_a_public_class_name_has_one_meaning() -> None:
    places = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(f"{path.relative_to(PACKAGE).as_posix()}:{node.lineno}")
    assert len(places) > 300
    assert {name: sorted(where) for name, where in places.items() if len(where) > 1}.keys() == TWICE.keys()
