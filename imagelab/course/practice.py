"""An exercise at work: a lab in its start state, looked at again and again until everything holds.

    exercise = lab.exercise("moved-tag")     shows the task; `lab`, %docker and !docker are the exercise's lab from now on
    exercise.check()    exercise.hint()      what is still missing; help, one rung more each time
    exercise.undo()     exercise.redo()      along the lab's timeline
    exercise.reset()                         the start again; what you had is kept in `exercise.kept`
    exercise.solution()                      after a real attempt, or `solution(now=True)`

In a notebook all of them are magics, too, and the lab is looked at after every cell without being asked (`exercise_magics`). Success
is final: what is done afterwards does not take it back.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagelab.course.exercise import Exercise, Rung, as_cell, prepare
from imagelab.course.exercise_panel import ExercisePanel, checked, exercise_panel, said
from imagelab.course.lab_snapshot import take_snapshot
from imagelab.course.progress import Record, note, progress_file, read_progress
from imagelab.course.record import written
from imagelab.course.trial import goal_of
from imagelab.errors import ImageLabError
from imagelab.view.messages import say

if TYPE_CHECKING:
    from imagelab.lab.lab import Lab


class Practice:
    """One learner, one exercise. `kind`: what its lab is; `file`: where progress is kept, None for nowhere."""

    def __init__(self, kind: type[Lab], exercise: Exercise, lang: str, file: Path | None) -> None:
        self._kind, self.exercise, self.lang, self.file = kind, exercise, lang, file
        self.kept: list[Lab] = []
        """Labs of earlier attempts, oldest first."""
        self.goal = goal_of(exercise)
        self.attempts = self._record().attempts
        self.given: set[str] = set()
        """Hints given since the start, by ID."""
        self.won = False
        self._begin()

    def _begin(self) -> None:
        from imagelab.lab.opening import open_lesson

        self.lab = open_lesson(self._kind, self.exercise.id, lang=self.lang)
        prepare(self.lab, self.exercise.start)
        self.before = take_snapshot(self.lab)
        self.verdict = self.first = self.exercise.judge(self.before, self.before)
        self._moment = self._now()
        self._start = self.lab.timeline.position
        self._may_end = self._at_work()

    def _at_work(self) -> bool:
        """Does a container run, which may end without anybody's doing?"""
        return any(container.running for container in self.lab.state.containers.values())

    def _now(self) -> tuple[int, int]:
        """Which moment of the lab it is."""
        return self.lab.state.revision, self.lab.timeline.position

    def _record(self) -> Record:
        return read_progress(self.file).records.get(self.exercise.id, Record())

    def _note(self, **changes: Any) -> None:
        """Write it down. Where nothing can be written, the exercise goes on, and that is said once."""
        try:
            note(self.file, self.exercise.id, **changes)
        except ImageLabError as error:
            self.file = None
            sys.stderr.write(f"{error}\n")

    # -- looking --------------------------------------------------------------------------------------------

    def look(self) -> bool:
        """Look at the lab again; has the verdict changed? A change in the lab counts as an attempt; a container that has
        ended by itself since is seen, too."""
        done = self._now() != self._moment
        if self.won or not (done or self._may_end):
            return False
        self._moment, self._may_end = self._now(), self._at_work()
        old = self.verdict
        self.verdict = self.exercise.judge(self.before, take_snapshot(self.lab))
        self.attempts += done
        self.won = self.verdict.passed
        self._note(attempts=self.attempts, solved=self.won, log=written(self.lab))
        return (self.verdict.held, self.verdict.missing) != (old.held, old.missing)

    def check(self) -> ExercisePanel:
        """Where it stands."""
        self.look()
        return checked(self.exercise, self.verdict, self.lang)

    @property
    def panel(self) -> ExercisePanel:
        """The task, the checklist, the goal beside yours."""
        return exercise_panel(self.exercise, self.verdict, self.goal, take_snapshot(self.lab), self.lang)

    # -- help -----------------------------------------------------------------------------------------------

    def hint(self) -> ExercisePanel:
        """The task again, and then each time the next hint of those that fit the lab as it is: one rung up, as a rule, or
        back to the first rungs for somebody who has gone somewhere else meanwhile."""
        self.look()
        if self.won:
            return checked(self.exercise, self.verdict, self.lang)
        fitting = [hint for hint in self.verdict.hints if hint.id not in self.given]
        if not self.given and self.verdict.missing is not None:
            self._climb(Rung.RESTATE, "")
            missing = say("course.missing", self.lang, what=self.verdict.missing.in_(self.lang))
            return self._hint(Rung.RESTATE, f"{self.exercise.task.in_(self.lang)}{self._gap}{missing}")
        if not fitting:
            return said(say("course.hint_next_is_solution", self.lang), self.lang)
        self._climb(fitting[0].rung, fitting[0].id)
        return self._hint(fitting[0].rung, fitting[0].words.in_(self.lang))

    @property
    def _gap(self) -> str:
        """What stands between two sentences."""
        return "" if self.lang == "zh" else " "

    def _hint(self, rung: Rung, text: str) -> ExercisePanel:
        line = say("course.hint", self.lang, rung=int(rung) + 1, text=text)
        return said(f"{line}{self._gap}{say('course.hint_more', self.lang)}" if rung < Rung.TWIN else line, self.lang)

    def _climb(self, rung: Rung, given: str) -> None:
        self.given.add(given)
        self._note(rung=int(rung))

    def solution(self, *, now: bool = False) -> ExercisePanel:
        """A solution, after a real attempt."""
        self.look()
        wanted = self.exercise.reveal_after
        if self.attempts < wanted and not now and not self.won:
            return said(say("course.solution_not_yet", self.lang, attempts=wanted, done=self.attempts), self.lang)
        self._climb(Rung.SOLUTION, "solution")
        lines = self.exercise.solution
        head = say("course.solution", self.lang, par=len(lines))
        return said(f"{head}\n{as_cell(lines)}", self.lang)

    # -- back and forth -------------------------------------------------------------------------------------

    def undo(self) -> ExercisePanel:
        """Take back the last step, not beyond the start."""
        if self.lab.timeline.position <= self._start:
            return said(say("course.nothing_to_undo", self.lang), self.lang)
        return self._moved("undo")

    def redo(self) -> ExercisePanel:
        """Do again what was undone."""
        return self._moved("redo")

    def _moved(self, way: str) -> ExercisePanel:
        move = self.lab.undo() if way == "undo" else self.lab.redo()
        self.look()
        what = checked(self.exercise, self.verdict, self.lang)
        return ExercisePanel(f"{move}\n{what.text}", said(str(move), self.lang).html + what.html)

    def reset(self) -> ExercisePanel:
        """The start again, in a new lab; the old one is kept."""
        self.kept.append(self.lab)
        self.won, self.given = False, set()
        self._begin()
        return said(say("course.reset", self.lang, number=len(self.kept)), self.lang)

    # -- in a notebook --------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return self.panel.text

    def _repr_html_(self) -> str:
        return self.panel.html

    def _ipython_display_(self) -> None:
        from imagelab.course.exercise_magics import display_practice

        display_practice(self)


def begin(lab: Lab, name: str) -> Practice:
    """Open an exercise, in the language that `lab` speaks; in a notebook it takes the place of the exercise before."""
    from imagelab.course.catalog import exercise

    practice = Practice(type(lab), exercise(name), lab.lang, progress_file(os.environ, Path.cwd()))
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    if shell is not None:
        from imagelab.course.exercise_magics import activate

        activate(shell, practice, lab)
    return practice
