"""`imagelab lint-lessons`: what is wrong with a lesson, a sentence each; [] for one that may be taught.

Four questions, each a handful of rules:

    files        is what is there a lesson, and nothing else?          `lint_files`
    languages    is everything said twice, and in step?                `lint_languages`
    exercises    can it be solved, failed, and helped with?            `lint_exercise`
    notebook     is it what the source makes, readable without a page, the same everywhere?   `lint_notebook`

Exercises are tried in clean labs, solution, alternates and wrong answers alike. Whether a notebook comes out the same
everywhere is found by making it twice, under two hash seeds, in two zones and two folders: that takes seconds a lesson, so
it is asked for (`full`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from imagelab.course import catalog, notebooks
from imagelab.course.exercise import Exercise
from imagelab.course.lint_exercises import ADDRESS, HAN, lint_exercise
from imagelab.course.lint_reach import lint_cell, lint_links
from imagelab.errors import ImageLabError

PLACED = re.compile(r"\.exercise\(\s*[\"']([^\"']+)")
LISTED = {"lesson.md", "exercises.py"}
LEAST = 2
"""Exercises a lesson."""


def lint(root: Path, slugs: Sequence[str] = (), *, full: bool = False) -> list[str]:
    """What is wrong with these lessons of a checkout, or with all of them."""
    folders = [folder for folder in sorted((root / "lessons").iterdir()) if folder.is_dir()]
    if unknown := sorted(set(slugs) - {folder.name for folder in folders}):
        raise ImageLabError(
            f"no lesson is called {', '.join(unknown)}", hint="imagelab new-lesson SLUG begins one", origin="client"
        )
    found: list[str] = []
    seen: dict[str, str] = {}
    for folder in folders:
        chosen = not slugs or folder.name in slugs
        exercises = _exercises(folder)
        for one in exercises or ():
            if one.id in seen and chosen:
                found.append(f"{folder.name}: the id {one.id!r} is taken by {seen[one.id]}")
            seen.setdefault(one.id, folder.name)
        if chosen:
            found += lint_lesson(folder, root, full=full)
    return found


def lint_lesson(folder: Path, root: Path, *, full: bool = False) -> list[str]:
    """What is wrong with one lesson."""
    found = list(lint_files(folder))
    if (folder / "lesson.md").exists():
        found += lint_languages(folder / "lesson.md")
        found += lint_source(folder)
        found += lint_links_of(folder / "lesson.md", root)
        found += [] if found else lint_notebook(folder / "lesson.md", root, full=full)
    for exercise in _exercises(folder) or ():
        found += lint_exercise(exercise)
    return [f"{folder.name}: {sentence}" for sentence in found]


def _exercises(folder: Path) -> tuple[Exercise, ...] | None:
    try:
        return catalog.load(folder / catalog.FILE)
    except ImageLabError:
        return None


# -- files and languages ------------------------------------------------------------------------------------


def lint_files(folder: Path) -> Iterator[str]:
    """A lesson is two files."""
    names = {path.name for path in folder.iterdir() if path.name != "__pycache__"}
    yield from (
        f"{name} does not belong there: a lesson is {' and '.join(sorted(LISTED))}" for name in sorted(names - LISTED)
    )
    yield from (f"{name} is missing" for name in sorted(LISTED - names))
    try:
        exercises = catalog.load(folder / catalog.FILE)
    except ImageLabError as error:
        if (folder / catalog.FILE).exists():
            yield str(error)
        return
    if len(exercises) < LEAST:
        yield f"it has {len(exercises)} exercises, and should have {LEAST} or more"


def lint_languages(source: Path) -> Iterator[str]:
    """Each prose cell has its twin, both say something, and the Chinese one says it in Chinese."""
    try:
        cells = notebooks.cells(source)
    except ImageLabError as error:
        yield str(error).partition(": ")[2]
        return
    for cell in cells:
        language = cell.metadata.get("lang")
        start = repr(cell.source.strip().split("\n")[0][:50])
        if language and not re.sub(r"[\W\d_]", "", cell.source):
            yield f"a prose cell in {language!r} is empty"
        elif language == "zh" and not HAN.search(cell.source):
            yield f"the cell that begins {start} is marked 'zh' and has no Chinese in it"
        elif language == "en" and HAN.search(re.sub(r"`[^`]*`", "", cell.source)):
            yield f"the cell that begins {start} is marked 'en' and has Chinese in it"


def lint_source(folder: Path) -> Iterator[str]:
    """Code needs no network, and opens the exercises of this lesson, all of them."""
    try:
        code = [cell.source for cell in notebooks.cells(folder / "lesson.md") if cell.cell_type == "code"]
    except ImageLabError:
        return
    for cell in code:
        address = ADDRESS.search(_without_runs(cell))
        yield from [f"a cell needs the network: {address[0]}"] if address else []
        yield from (found for found in lint_cell(cell) if not (address and "needs the network" in found))
    placed = [name for text in map(_without_runs, code) for name in PLACED.findall(text)]
    known = [one.id for one in _exercises(folder) or ()]
    yield from (f"the exercise {name!r} has no cell: lab.exercise({name!r})" for name in known if name not in placed)
    yield from (f"a cell opens {name!r}, which is not in {catalog.FILE}" for name in placed if name not in known)


def lint_links_of(source: Path, root: Path) -> Iterator[str]:
    """Links and pictures in the prose lead somewhere: to a heading, to another lesson, to a file beside the notebook."""
    try:
        cells = [cell for cell in notebooks.cells(source) if cell.cell_type == "markdown"]
    except ImageLabError:
        return
    known = [f"{one.parent.name}.ipynb" for one in notebooks.sources(root)]
    for language in notebooks.LANGUAGES:
        prose = "\n\n".join(cell.source for cell in cells if cell.metadata.get("lang", language) == language)
        yield from lint_links(prose, prose, known, root / "notebooks" / language)


def _without_runs(cell: str) -> str:
    """A Dockerfile's RUN lines work inside the lab, where there is no network: what they name is only words."""
    if not cell.startswith("%%dockerfile"):
        return cell
    lines = re.sub(r"\\\n", " ", cell).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().upper().startswith("RUN "))


# -- the notebook -------------------------------------------------------------------------------------------


def lint_notebook(source: Path, root: Path, *, full: bool) -> Iterator[str]:
    """The notebooks that stand there are what the source makes, and can be read by everyone."""
    for language in notebooks.LANGUAGES:
        file = notebooks.target(source, language, root)
        if notebooks.stale(source, language, full=False, root=root):
            yield f"{file.relative_to(root).as_posix()} is not what its lesson makes: run make notebooks"
        else:
            yield from lint_outputs(json.loads(file.read_text(encoding="utf-8")))
        if full:
            yield from lint_twice([notebooks.elsewhere(source, language, seed) for seed in (1, 2)], language)


def lint_outputs(notebook: Any) -> Iterator[str]:
    """Every output has text, and none lives only in an open page."""
    for cell in notebook["cells"]:
        start = repr("".join(cell["source"]).split("\n")[0][:50])
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if any("widget" in kind for kind in data):
                yield f"the cell {start} shows a widget: it would be empty for whoever only reads"
            elif data and not "".join(data.get("text/plain", "")).strip():
                yield f"an output of the cell {start} has no text twin"


def lint_twice(made: Sequence[str], language: str) -> Iterator[str]:
    """Made twice, under other circumstances, it is the same."""
    one, other = made
    for first, second in zip(json.loads(one)["cells"], json.loads(other)["cells"], strict=True):
        if first != second:
            start = repr("".join(first["source"]).split("\n")[0][:50])
            yield f"in {language!r} the cell {start} does not come out the same twice"
