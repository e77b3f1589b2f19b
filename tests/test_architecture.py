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


OVERVIEW = {
    "",
    "output",
    "output.version",
    "cli",
    "cli.command",
    "cli.flags",
    "cli.help",
    "cli.main",
    "cli.verbs",
    "errors",
}
VERSION = OVERVIEW | {"cli.commands", "cli.commands.formatting", "cli.commands.system", "output.objects"}
IMAGES = OVERVIEW | set("""
    cli.commands cli.commands.formatting cli.commands.images
    lab lab.archives lab.build lab.host_access lab.lab lab.opening lab.panels lab.pictures lab.timeline
    output output.eras output.images output.rows output.tabwriter
    engine engine.context engine.engine engine.images
    store store.containers store.database store.journal store.made store.readme store.os_errors store.store store.transaction
    state state.events state.image_filters state.model state.sorted_map state.steps
    oci oci.digest oci.reference units
    """.split())  # fmt: skip
SLOW = {"re", "typing", "dataclasses", "json", "sqlite3", "datetime", "pathlib", "inspect", "enum", "contextlib"}


def loaded_by(*words: str) -> set[str]:
    """The modules that a command line loads, in an interpreter that has none before."""
    code = (
        "import sys\nbefore = set(sys.modules)\nfrom imagelab.cli.main import main\n"
        f"main({list(words)!r})\nprint(*sys.modules.keys() - before, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout
    return set(done.stderr.split())


def ours(loaded: set[str]) -> set[str]:
    return {name.removeprefix("imagelab").lstrip(".") for name in loaded if name.partition(".")[0] == "imagelab"}


@pytest.mark.parametrize(("word", "allowed"), [("--help", OVERVIEW), ("version", VERSION)])
def test_what_needs_no_lab_loads_next_to_nothing(word: str, allowed: set[str]) -> None:
    loaded = loaded_by(word)
    assert ours(loaded) <= allowed
    assert not loaded & SLOW


def test_a_listing_loads_only_what_it_is_made_of(tmp_path: Path) -> None:
    loaded_by("--lab", str(tmp_path), "images")  # which makes the lab
    assert ours(loaded_by("--lab", str(tmp_path), "images")) <= IMAGES


def test_every_verb_is_where_the_table_says() -> None:
    from importlib import import_module

    from imagelab.cli.command import command_of
    from imagelab.cli.verbs import SECTIONS, VERBS

    for name, verb in VERBS.items():
        assert command_of(name).call is getattr(import_module(verb.module), verb.function), name
    assert {name for _, names in SECTIONS for name in names.split()} <= set(VERBS)
