"""The shape of the project that no import contract says: pure rooms, short modules, front doors, what a quick import may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools import make_floors

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "imagelab"

PURE = ("errors", "units", "oci", "gotemplate", "layers", "state", "dockerfile")
WORLD = {
    "sqlite3",
    "socket",
    "subprocess",
    "threading",
    "concurrent",
    "requests",
    "http",
    "urllib",
    "tempfile",
    "shutil",
    "os",
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Names of the modules a file imports when it runs; imports for type checkers only do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    only_types = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if node in only_types:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize(
    "path",
    [path for path in modules() if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in PURE],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_a_pure_room_does_not_touch_the_world(path: Path) -> None:
    touched = {name.split(".")[0] for name in imported(path) if not name.startswith("urllib.parse")} & WORLD
    assert not touched, f"{path.name} imports {touched}"


def test_no_module_is_over_500_lines() -> None:
    long = {
        str(p.relative_to(ROOT)): n for p in modules() if (n := len(p.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert not long


@pytest.mark.parametrize("package", sorted({path.parent for path in modules()}), ids=lambda path: path.name)
def test_every_package_has_a_front_door(package: Path) -> None:
    """What it owns, what it never does, where to begin; of packages inside a room a sentence is enough."""
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert len(docstring.split()) >= (40 if package.parent == PACKAGE else 4), docstring


def test_the_drawing_of_the_floors_is_that_of_the_contract() -> None:
    assert make_floors.PICTURE.read_text(encoding="utf-8") == make_floors.picture(), "run make docs"


def test_no_broad_except() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None and ast.unparse(node.type) not in {"Exception", "BaseException"}, path


def test_importing_imagelab_loads_nothing_heavy() -> None:
    code = "import sys, imagelab; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {"requests", "IPython", "graphviz", "sqlite3", "json", "imagelab.lab.lab"}
