"""A lesson as an assignment: the same checks as plain `assert` cells, with the metadata that nbgrader reads.

    lab.exercise("moved-tag")                    shown to everybody
    # %docker ...                                the learner's: nbgrader keeps what is in it
    assert … "imagelab.course.nbgrader" …        one a check, a point each, locked: nbgrader puts its own back before grading

An assert needs no nbgrader: whoever runs the notebook from top to bottom sees which check fails, and what is missing.

The kernel that runs an assert has run the learner's code, so it is not asked. The cell starts another process, which reads
the saved hand-in in this folder, the notebook and its progress, and grades it as `imagelab check` does:

    python -P -m imagelab.course.nbgrader moved-tag 1       prints nothing, or what is missing

What a learner's code has done to that kernel's own `subprocess` or `sys` cannot be seen from within. `imagelab grade` on
nbgrader's `submitted` folder asks no kernel at all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

from imagelab.course import notebooks
from imagelab.course.catalog import by_lesson, lessons_folder, load
from imagelab.course.catalog import exercise as exercise_called
from imagelab.course.exercise import Exercise
from imagelab.course.grading import lesson_of, plan
from imagelab.course.grading_process import Task, carry_out
from imagelab.course.grading_walls import walls
from imagelab.course.hand_in import PROGRESS_LIMIT, Cells, HandIn, HandInError, hand_in, read_file
from imagelab.course.progress import progress_file
from imagelab.errors import ImageLabError

SCHEMA = 3


def missing(exercise_id: str, number: int, folder: Path) -> str:
    """What the check of that number (from 1) lacks in the hand-in that lies in a folder; "" when it holds.

    One that held before anything was done is a promise to break nothing, and kept only when the rest is done, too: whoever
    hands in nothing has no point.
    """
    exercise = exercise_called(exercise_id)
    if not 1 <= number <= len(exercise.checks):
        raise HandInError(f"{exercise_id} has no check {number}", hint=f"it has {len(exercise.checks)}")
    task = plan(_saved(exercise, folder), exercise)
    if not isinstance(task, Task):
        return task.sentence("en")
    first, now = carry_out([Task(exercise_id), task], walls())
    if now.problem or len(now.held) != len(exercise.checks) or len(first.held) != len(exercise.checks):
        return (now.problem or first.problem or exercise.task).en
    holds = now.held[number - 1] and (all(now.held) or not first.held[number - 1])
    return "" if holds else (now.missing or exercise.task).en


def _saved(exercise: Exercise, folder: Path) -> HandIn:
    """The notebook of the exercise's lesson that was saved last, if there is one, and the progress file."""
    file = progress_file(os.environ, folder)
    progress = read_file(file, PROGRESS_LIMIT) if file is not None and file.exists() else None
    lessons = by_lesson(lessons_folder())
    lesson = next(slug for slug, exercises in lessons.items() if exercise in exercises)
    for notebook in sorted(folder.glob("*.ipynb"), key=lambda one: one.lstat().st_mtime, reverse=True):
        try:
            value = hand_in(read_file(notebook), progress)
            if lesson_of(PurePath(notebook.name), value, lessons) == lesson:
                return value
        except HandInError:
            continue
    found = hand_in(None, progress)
    return HandIn(Cells(()), found.logs, found.problems, found.digest)


def assignment(lesson: Path, language: str) -> Any:
    """A lesson's notebook with a cell of asserts for each check, not executed. `lesson`: its folder. ImageLabError without
    what reads a lesson's source."""
    _need("jupytext")
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


def _need(module: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise ImageLabError(
            f"an assignment is made from the lesson's source, and {module}, which reads it, is not installed",
            hint="pip install 'imagelab[teach]'", origin="client",
        )  # fmt: skip


def _asserts(exercise: Exercise) -> Iterator[Any]:
    import nbformat

    for number, check in enumerate(exercise.checks, 1):
        source = (
            f"# {check.says.en}\nimport subprocess, sys\n\n"
            f'line = [sys.executable, "-P", "-m", "imagelab.course.nbgrader", "{exercise.id}", "{number}"]\n'
            'answer = subprocess.run(line, capture_output=True, encoding="utf-8")\n'
            "assert answer.returncode == 0, answer.stdout + answer.stderr"
        )
        yield nbformat.v4.new_code_cell(source, metadata={"nbgrader": _metadata(f"{exercise.id}-{number}", points=1)})  # type: ignore[no-untyped-call]


def _metadata(grade_id: str, *, solution: bool = False, points: int = 0) -> dict[str, Any]:
    common = {"grade_id": grade_id, "schema_version": SCHEMA, "task": False, "solution": solution}
    return common | (
        {"grade": False, "locked": False} if solution else {"grade": True, "locked": True, "points": points}
    )


def main(words: Sequence[str]) -> int:
    """`EXERCISE NUMBER`: 0 when the check holds in the hand-in that lies in this folder."""
    try:
        name, number = words
        sentence = missing(name, int(number), Path.cwd())
    except ImageLabError as error:
        sentence = str(error)
    except ValueError:
        sentence = "the name of an exercise and the number of a check belong here"
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(sentence)
    return 1 if sentence else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
