"""The shape of the project, held by tests: which way imports go, and what a quick command may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "imagelab"

PURE = "errors digest oci reference tree tarscan compression layer gotemplate goparse govalues units filters events state reports removal snapshot container dockerfile dockerignore buildlog steps"
GROUPS = {
    **dict.fromkeys(PURE.split(), 0),
    **dict.fromkeys(["store", "registry", "runtime"], 1),
    **dict.fromkeys(
        ["pull", "engine", "containers", "commit", "archive", "archives", "unarchive", "build", "timeline"], 2
    ),
    **dict.fromkeys("lab results cli magics view server classroom course launch shim __init__ __main__".split(), 3),
}
WORLD = {"sqlite3", "socket", "subprocess", "threading", "requests", "http", "urllib", "tempfile", "shutil", "os"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def group(path: Path) -> int:
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    name = next((key for key in GROUPS if part == key or part.startswith(f"{key}_")), None)
    assert name is not None, f"{path.name} is in no group: add it to the table in docs/architecture.md and here"
    return GROUPS[name]


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


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_own_group_or_above(path: Path) -> None:
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "imagelab" or len(parts) == 1 or name == "imagelab.__version__":
            continue
        target = next((key for key in GROUPS if parts[1] == key or parts[1].startswith(f"{key}_")), None)
        if target is not None:
            assert GROUPS[target] <= group(path), f"{path.name} imports {name}"


@pytest.mark.parametrize(
    "path", [path for path in modules() if group(path) == 0], ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_the_pure_group_does_not_touch_the_world(path: Path) -> None:
    touched = {name.split(".")[0] for name in imported(path) if not name.startswith("urllib.parse")} & WORLD
    assert not touched, f"{path.name} imports {touched}"


def test_no_module_is_over_500_lines() -> None:
    long = {
        str(p.relative_to(ROOT)): n for p in modules() if (n := len(p.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert not long


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
