"""What the text of the project itself must hold: one meaning a class name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "imagelab"

TWICE = {
    "History": "a lab's timeline, and the listing of an image's instructions",
    "Lab": "the Python face, and the one that `app` composes of it",
    "Progress": "a line of a pull, and a learner's",
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
