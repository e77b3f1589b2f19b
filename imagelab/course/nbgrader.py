"""A lesson as an assignment: the same checks as plain `assert` cells, with the metadata that nbgrader reads.

    lab.exercise("moved-tag")                    shown to everybody
    # %docker ...                                the learner's: nbgrader keeps what is in it
    assert checked("moved-tag")[0], …            one a check, a point each, locked: nbgrader puts its own back before grading

An assert needs no nbgrader: whoever runs the notebook from top to bottom sees which check fails, and what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imagelab.course import notebooks
from imagelab.course.catalog import load
from imagelab.course.exercise import Exercise

SCHEMA = 3


class Checked(tuple[bool, ...]):
    """Which checks of an exercise hold, and what is missing."""

    missing: str = ""


def checked(exercise_id: str) -> Checked:
    """The checks of an exercise that this notebook has opened. KeyError when it has not.

    One that held before anything was done is a promise to break nothing, and kept only when the rest is done, too: whoever
    hands in nothing has no point.
    """
    from IPython.core.getipython import get_ipython

    from imagelab.course.exercise_magics import desk_of

    practice = desk_of(get_ipython()).opened[exercise_id]
    practice.look()
    verdict = practice.verdict
    held = zip(practice.first.held, verdict.held, strict=True)
    found = Checked(now and (verdict.passed or not before) for before, now in held)
    found.missing = practice.verdict.missing.in_(practice.lang) if practice.verdict.missing else ""
    return found


def assignment(lesson: Path, language: str) -> Any:
    """A lesson's notebook with a cell of asserts for each check, not executed. `lesson`: its folder."""
    made = notebooks.notebook(lesson / "lesson.md", language)
    exercises = {one.id: one for one in load(lesson / "exercises.py")}
    cells, opened = [], None
    for cell in made.cells:
        cells.append(cell)
        if opened is not None:
            cell.metadata["nbgrader"] = _metadata(opened.id, solution=True)
            cells += _asserts(opened)
        name = cell.source.split('"')[1] if cell.source.startswith("lab.exercise(") else ""
        opened = exercises.get(name)
    made.cells = cells
    return made


def _asserts(exercise: Exercise) -> Iterator[Any]:
    import nbformat

    for at, check in enumerate(exercise.checks):
        source = (
            f"# {check.says.en}\nfrom imagelab.course.nbgrader import checked\n\n"
            f'assert checked("{exercise.id}")[{at}], checked("{exercise.id}").missing'
        )
        yield nbformat.v4.new_code_cell(source, metadata={"nbgrader": _metadata(f"{exercise.id}-{at + 1}", points=1)})  # type: ignore[no-untyped-call]


def _metadata(grade_id: str, *, solution: bool = False, points: int = 0) -> dict[str, Any]:
    common = {"grade_id": grade_id, "schema_version": SCHEMA, "task": False, "solution": solution}
    return common | (
        {"grade": False, "locked": False} if solution else {"grade": True, "locked": True, "points": points}
    )
