"""CONTRIBUTING.md, the hooks and the templates: what they name is there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TEMPLATES = sorted((ROOT / ".github").rglob("*.md"))

PATH = re.compile(r"\.?[A-Za-z_][\w.-]*(?:/[\w.-]+)*(?:/|\.(?:py|md|toml|yaml))")
LISTING = re.compile(r"^    \$ ls (\S+)\n((?:    \S.*\n)+)", re.M)


def named(page: str) -> Iterator[tuple[str, str]]:
    """(path, name in it) for what stands in backquotes and is a path: `a/b.py`, `a/b/`, `a/b.py::name`."""
    for text in re.findall(r"`([^`\n]+)`", page):
        path, _, name = text.partition("::")
        if PATH.fullmatch(path):
            yield path, name


def missing(page: str) -> list[str]:
    """The paths that are not in the repository, and the names that their module does not define."""
    return [path for path, name in named(page) if not (ROOT / path).exists() or (name and not defines(path, name))]


def defines(path: str, name: str) -> bool:
    code = (ROOT / path).read_text(encoding="utf-8")
    return bool(re.search(rf"^(?:(?:def|class) {name}\b|{name}(?::.*)? = )", code, re.M))


def test_every_path_that_contributing_names_exists() -> None:
    assert len(list(named(PAGE))) > 40
    assert not missing(PAGE)


@pytest.mark.parametrize("text", ["imagelab/nowhere.py", "imagelab/nowhere/", "imagelab/units.py::nothing", "NONE.md"])
def test_a_path_to_nothing_is_found(text: str) -> None:
    assert missing(f"see `{text}`") == [text.partition("::")[0]]


def test_the_walks_list_what_is_there() -> None:
    listings = LISTING.findall(PAGE)
    assert len(listings) == 3
    for folder, names in listings:
        there = [path.name for path in sorted((ROOT / folder).iterdir()) if not path.name.startswith("_")]
        assert names.split() == there, folder


@pytest.mark.parametrize("page", TEMPLATES, ids=lambda page: page.stem)
def test_what_a_template_names_exists(page: Path) -> None:
    assert not missing(page.read_text(encoding="utf-8"))


def test_every_issue_template_has_a_name_and_says_what_it_is_for() -> None:
    pages = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md"))
    heads = [yaml.safe_load(page.read_text(encoding="utf-8").split("---\n")[1]) for page in pages]
    assert len({head["name"] for head in heads}) == len(pages) >= 3
    assert all(head["about"] for head in heads)


def test_the_hooks_run_tools_of_the_projects_own_environment() -> None:
    """Nothing to download, so no second version of a tool that could say something else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tools = {re.match(r"[\w-]+", line)[0] for line in project["optional-dependencies"]["test"]}  # type: ignore[index]
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert local["repo"] == "local"
    assert [hook["id"] for hook in local["hooks"]] == ["ruff-format", "ruff-check", "mypy", "lint-imports"]
    for hook in local["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/")
    assert {"ruff", "mypy", "import-linter"} <= tools
