"""One hand-in graded: the lesson's own list of exercises, each by its log or else by its cells, in a process with walls.

    hand-in, lesson ──> tasks ──> grading_process ──> a Result for every exercise of the lesson

What there is to solve is what the lesson says, whatever cells and records are there, twice there or gone. An exercise whose
record cannot be read is lost with a sentence; the others count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from imagelab.course.bilingual import Words
from imagelab.course.catalog import by_lesson, lessons_folder
from imagelab.course.cells import OPENED, commands_in
from imagelab.course.exercise import Exercise
from imagelab.course.grading_process import TIMEOUT, Answer, Task, carry_out
from imagelab.course.grading_walls import Walls, walls
from imagelab.course.hand_in import LOG_LINES, PROGRESS_LIMIT, HandIn, HandInError, hand_in, read_file
from imagelab.course.printable import printable
from imagelab.course.progress import progress_file

Lessons = Mapping[str, Sequence[Exercise]]
"""Lesson -> its exercises, in order."""


@dataclass(frozen=True, slots=True)
class Result:
    """One exercise of a hand-in, graded. `source`: "log", "cells" or "nothing"; `problem`: why it could not be judged;
    `steps`: commands in the log or the cells; `left_out`: lines of cells that are not done again."""

    exercise_id: str
    source: str
    held: tuple[bool, ...]
    missing: Words | None = None
    problem: Words | None = None
    left_out: tuple[str, ...] = ()
    steps: int = 0
    interrupted: bool = False

    @property
    def solved(self) -> bool:
        return bool(self.held) and all(self.held) and self.problem is None

    def sentence(self, lang: str) -> str:
        """What is to be said of it, on one line; "" when it is solved."""
        words = self.problem or (None if self.solved else self.missing)
        return printable(words.in_(lang), 400) if words else ""

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.exercise_id, "solved": self.solved, "held": list(self.held), "from": self.source,
            "missing": self.missing._asdict() if self.missing else None,
            "problem": self.problem._asdict() if self.problem else None,
            "left_out": list(self.left_out), "steps": self.steps,
        }  # fmt: skip

    @classmethod
    def parse(cls, data: object) -> Result:
        """From `to_json`. ValueError when it is something else."""
        match data:
            case {"id": str(name), "held": list(held), "from": str(source), "missing": missing, "problem": problem,
                  "left_out": list(left_out), "steps": int(steps)} if all(isinstance(one, bool) for one in held):  # fmt: skip
                left = tuple(map(str, left_out))
                return cls(name, source, tuple(held), _words(missing), _words(problem), left, steps)
        raise ValueError("this is no result")


def _words(data: object) -> Words | None:
    match data:
        case {"en": str(en), "zh": str(zh)}:
            return Words(en, zh)
        case None:
            return None
    raise ValueError("these are no words")


# -- which lesson -----------------------------------------------------------------------------------------------


def lesson_of(path: PurePath, hand_in: HandIn, lessons: Lessons) -> str:
    """The lesson that a notebook is: by its file's name, its folder's, its metadata, or the exercises it opens. HandInError."""
    for text in (path.stem, *(folder.name for folder in path.parents)):
        if found := [slug for slug in lessons if slug in text]:
            return max(found, key=len)
    if hand_in.cells.lesson in lessons:
        return hand_in.cells.lesson
    opened = {name for source in hand_in.cells.sources for name in OPENED.findall(source)}
    shared = {slug: len(opened & {one.id for one in exercises}) for slug, exercises in lessons.items()}
    best = max(shared, key=lambda slug: shared[slug], default="")
    if not best or not shared[best]:
        raise HandInError(f"{printable(path.name)} belongs to no lesson of this course")
    return best


def read_notebook(file: Path, progress: Path | None = None, lesson: str = "") -> tuple[HandIn, str]:
    """A hand-in (`progress`: else the file beside it), and the lesson that it is. HandInError."""
    beside = progress or progress_file({}, file.resolve().parent)
    notebook = read_file(file)
    known = beside is not None and (progress is not None or beside.exists())
    value = hand_in(notebook, read_file(beside, PROGRESS_LIMIT) if known and beside else None)
    return value, lesson or lesson_of(PurePath(file.name), value, by_lesson(lessons_folder()))


def grade_notebook(file: Path, progress: Path | None = None) -> tuple[Result, ...]:
    """Every exercise of the lesson that a notebook is, in a process of its own. `progress`: else the file beside it.
    ImageLabError when it is no notebook of the course."""
    value, lesson = read_notebook(file, progress)
    return grade_hand_in(value, by_lesson(lessons_folder())[lesson], walls())


# -- grading ----------------------------------------------------------------------------------------------------


def grade_hand_in(
    hand_in: HandIn, exercises: Sequence[Exercise], walls: Walls, timeout: float = TIMEOUT
) -> tuple[Result, ...]:
    """A result for every exercise of a lesson, in its order."""
    typed = commands_in(hand_in.cells.sources)
    planned = [_plan(hand_in, exercise, tuple(typed.get(exercise.id, ()))) for exercise in exercises]
    tasks = [one for one in planned if isinstance(one, Task)]
    answers = iter(list(carry_out(tasks, walls, timeout)))
    return tuple(
        _result(one, exercise, next(answers)) if isinstance(one, Task) else one
        for one, exercise in zip(planned, exercises, strict=True)
    )


def plan(hand_in: HandIn, exercise: Exercise) -> Task | Result:
    """What one exercise of a hand-in takes to be graded, or why it cannot be."""
    return _plan(hand_in, exercise, tuple(commands_in(hand_in.cells.sources).get(exercise.id, ())))


def _plan(hand_in: HandIn, exercise: Exercise, lines: tuple[str, ...]) -> Task | Result:
    """What is to be carried out, or why nothing is."""
    log = hand_in.logs.get(exercise.id)
    if log is not None and log.problem:
        return _problem(exercise, "log", Words(log.problem, log.problem))
    if log is not None and log.lines:
        return Task(exercise.id, log.entries)
    if len(lines) > LOG_LINES:
        many = Words("its cells have more than {limit} commands", "单元格里的命令超过 {limit} 条")
        return _problem(exercise, "cells", many.with_(limit=LOG_LINES))
    return Task(exercise.id, None, lines)


def _problem(exercise: Exercise, source: str, words: Words) -> Result:
    return Result(exercise.id, source, (False,) * len(exercise.checks), problem=words)


def _result(task: Task, exercise: Exercise, answer: Answer) -> Result:
    steps = max(0, len(task.log) - len(exercise.start)) if task.log is not None else len(task.lines)
    held, problem = answer.held, answer.problem
    if problem is not None or len(held) != len(exercise.checks):
        held = (False,) * len(exercise.checks)
    left = tuple(printable(line) for line in answer.left_out)
    return Result(exercise.id, task.source, held, answer.missing, problem, left, steps, answer.interrupted)


def unknown_exercises(hand_in: HandIn, lessons: Lessons) -> tuple[str, ...]:
    """Names that a hand-in opens or records, and that the course does not have."""
    known = {one.id for exercises in lessons.values() for one in exercises}
    opened = [name for source in hand_in.cells.sources for name in OPENED.findall(source)]
    return tuple(printable(name, 60) for name in dict.fromkeys([*opened, *hand_in.logs]) if name not in known)


# -- what is said of it -----------------------------------------------------------------------------------------


def report(results: Sequence[Result], exercises: Sequence[Exercise], lang: str) -> str:
    """A line an exercise, and a sum."""
    rows = []
    for one, exercise in zip(results, exercises, strict=True):
        sentence = one.sentence(lang) or exercise.why.in_(lang)
        rows.append(f"[{'x' if one.solved else ' '}] {one.exercise_id}  {sum(one.held)} of {len(one.held)}  {sentence}")
        rows += [f"    {LEFT_OUT.in_(lang)}: docker {line.removeprefix('docker ')}" for line in one.left_out]
    return "\n".join([*rows, f"{sum(one.solved for one in results)} of {len(results)} exercises solved"]) + "\n"


LEFT_OUT = Words("not done again", "没有重做")
UNKNOWN = Words("no exercise of the course is called `{name}`", "课程里没有叫 `{name}` 的练习")
TIMED = Words("each exercise had {seconds:g} seconds, in: {walls}", "每个练习限时 {seconds:g} 秒；隔离方式：{walls}")


def circumstances(walls: Walls, timeout: float, lang: str) -> str:
    """Under which limits it was graded."""
    return TIMED.with_(seconds=timeout, walls="{walls}").in_(lang).replace("{walls}", walls.words.in_(lang))
