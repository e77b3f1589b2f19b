"""What the pages say is true: the glossary's words are the code's, links lead somewhere, environments agree."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from imagelab.output.version import VERSION

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
CODE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "imagelab").rglob("*.py")))


def glossary() -> list[list[str]]:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| **")
    ]
    assert len(rows) > 20
    return rows


@pytest.mark.parametrize("row", glossary(), ids=lambda row: row[0])
def test_a_term_of_the_glossary_is_a_name_in_the_code(row: list[str]) -> None:
    for identifier in re.findall(r"`([^`]+)`", row[2]):
        assert re.search(rf"\b\w*{re.escape(identifier)}\w*\b", CODE), identifier


def test_banned_words_are_not_in_the_code() -> None:
    for word in ("tombstone", "fat manifest", "fat_manifest", "orphan"):
        assert word not in CODE.lower(), word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_make_word_of_the_readme_exists() -> None:
    rules = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for page in PAGES:
        assert set(re.findall(r"`make ([a-z]+)`", page.read_text(encoding="utf-8"))) <= rules, page.name


def test_readme_shows_the_two_commands_first() -> None:
    words = re.findall(r"make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert words[:2] == ["lab", "test"]


def pins(requirements: list[str]) -> dict[str, str]:
    """`zstandard>=0.22; python_version…` -> {"zstandard": ">=0.22"}"""
    found = {}
    for requirement in requirements:
        name, _, pin = re.match(r"([A-Za-z0-9_.-]+)(\[.*\])?\s*([^;]*)", requirement.strip()).groups()  # type: ignore[union-attr]
        found[name.lower()] = pin.strip()
    return found


def test_conda_asks_for_what_pip_asks_for() -> None:
    """environment.yml and pyproject.toml name the same packages with the same pins; conda's names differ in one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert conda["channels"] == ["conda-forge"]
    wanted = pins(project["dependencies"]) | {"python": project["requires-python"]}
    wanted["python-graphviz"] = wanted.pop("graphviz")
    wanted["nbval"] = pins(project["optional-dependencies"]["test"])["nbval"]
    have = pins([entry for entry in conda["dependencies"] if isinstance(entry, str)])
    have.pop("pip")
    assert have == wanted
    for spec in conda["dependencies"]:
        assert isinstance(spec, dict) or re.fullmatch(r"[a-z][a-z0-9._-]*(>=[0-9.]+)?", spec), spec


def test_the_manual_of_commands_is_current() -> None:
    """docs/cli.md is what `make docs` writes."""
    from tools.make_cli_page import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page()


# -- the two READMEs ------------------------------------------------------------------------------------------

READMES = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")]


def commands(page: str) -> list[str]:
    """The command lines of a page: of its indented blocks the part that is typed, and what stands in backquotes."""
    blocks = [re.split(r"\s{2,}|  #", line.strip())[0] for line in page.splitlines() if line.startswith("    ")]
    inline = re.findall(r"`((?:imagelab|make|docker|pip|conda|lab\.)[^`]*)`", page)
    return blocks + inline


def test_the_two_readmes_show_the_same_commands() -> None:
    english, chinese = (sorted(set(commands(page))) for page in READMES)
    assert english == chinese and len(english) > 40


def test_the_readmes_list_every_lesson_by_its_title() -> None:
    for lang, page in zip(("en", "zh"), READMES, strict=True):
        for notebook in sorted((ROOT / "notebooks" / lang).glob("*.ipynb")):
            cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
            text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
            title = re.search(r"^# (.+)$", text, re.M)
            assert title and f"[{title[1]}](notebooks/{lang}/{notebook.name})" in page, notebook.name


def test_every_imagelab_verb_that_the_pages_show_exists() -> None:
    from imagelab.cli.verbs import VERBS

    for page in PAGES:
        if page.name != "CHANGELOG.md":
            for verb in re.findall(
                r"`imagelab (?:--\S+(?: \d\S*| hub)? )*([a-z][a-z-]*)", page.read_text(encoding="utf-8")
            ):
                assert verb in VERBS, f"{page.name}: imagelab {verb}"


def test_every_method_of_a_lab_that_the_pages_show_exists() -> None:
    from imagelab.app import Lab

    for page in PAGES:
        for name in re.findall(r"`lab\.([a-z_]+)", page.read_text(encoding="utf-8")):
            assert hasattr(Lab, name) or name in ("era", "lang", "db"), f"{page.name}: lab.{name}"


def test_the_lesson_that_the_pages_begin_could_be_begun() -> None:
    from imagelab.course.new_lesson import SLUG

    for page in PAGES:
        for name in re.findall(r"`imagelab new-lesson ([^`\s]+)`", page.read_text(encoding="utf-8")):
            assert SLUG.fullmatch(name) or name == "NN-slug", f"{page.name}: imagelab new-lesson {name}"


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
