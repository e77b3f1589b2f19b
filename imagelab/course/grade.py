"""Grading: do again what the learner did, in a clean lab, and look at what came of it.

    notebook ── which exercises ──┐
    progress ── log of commands ──┴─> clean lab at the start ── the commands ──> the exercise's own checks

Nothing the learner hands in is believed. Outputs and check cells are not read at all. Of the log only the commands count:
they are carried out by this imagelab, from the exercise's own start, and the checks look at the lab that results. The log
also says what the lab was like after each command; where that is not what happens here, the log was written by hand, and is
refused, as is one whose chain is broken. Where there is no log, the commands that stand in the notebook's cells are taken.

What this cannot show is who typed the commands.

A learner's commands are run on the teacher's machine, in a lab that may touch nothing of it but an empty folder
(`lab.host_access`): a file elsewhere is not there, another registry is not asked.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagelab.course.exercise import Exercise, Lines, Verdict, perform
from imagelab.course.lab_snapshot import take_snapshot
from imagelab.course.trial import clean_lab, judged
from imagelab.errors import ImageLabError

if TYPE_CHECKING:
    from imagelab.lab.lab import Lab
    from imagelab.state.steps import Entry

INSIDE = set(
    "pull tag rmi run create start stop restart kill pause unpause wait rm rename exec attach commit build load import cp "
    "save export image container system upstream".split()
)
"""First words of commands that may be done again."""
LOOKING = set(
    "images ps history inspect logs diff top port stats info version events search tree graph steps help --help --version hint check".split()
)
"""First words of commands that change nothing: that they are not done again is not worth saying."""
FROM_OUTSIDE = {"build", "load", "import", "cp"}


@dataclass(frozen=True, slots=True)
class Grade:
    """One exercise, graded. `source`: where its commands came from, "log", "cells" or "nothing". `problem`: why it could
    not be judged, as a sentence."""

    exercise: Exercise
    source: str
    verdict: Verdict | None = None
    problem: str = ""

    @property
    def solved(self) -> bool:
        return self.verdict is not None and self.verdict.passed and not self.problem

    @property
    def held(self) -> tuple[bool, ...]:
        """One answer a check."""
        return self.verdict.held if self.verdict and not self.problem else (False,) * len(self.exercise.checks)


def grade(exercise: Exercise, log: Sequence[str] = (), lines: Lines = ()) -> Grade:
    """One exercise, by the log of what was done, or else by the lines that stand in the cells."""
    source = "log" if log else "cells" if lines else "nothing"
    try:
        with clean_lab(exercise) as lab:
            before = take_snapshot(lab)
            if log:
                _replay(lab, log)
            else:
                perform(lab, [line for line in lines if is_replayed(line)])
            return Grade(exercise, source, judged(exercise, lab, before))
    except ImageLabError as error:
        return Grade(exercise, source, problem=str(error))


# -- from a log ---------------------------------------------------------------------------------------------


def _replay(lab: Lab, log: Sequence[str]) -> None:
    """Do again what a log says, in a lab that stands at the start. ImageLabError when the log is not to be believed."""
    from imagelab.cli.again import again, done_again
    from imagelab.state.steps import read_log

    entries, start = read_log(log), read_log(list(lab.timeline.log(exact=True)))
    if [entry.command for entry in entries[: len(start)]] != [entry.command for entry in start]:
        raise ImageLabError("the log does not begin where the exercise starts")
    with done_again(lab, exact=True) as runner:
        for number, entry in enumerate(entries[len(start) :], len(start) + 1):
            if not _allowed(entry.command) or not _complete(entry):
                raise ImageLabError(f"step {number} of the log is not done again: docker {' '.join(entry.command)}")
            if problem := again(lab, runner, entry, {}):
                raise ImageLabError(f"step {number} of the log {problem}: docker {' '.join(entry.command)}")


def _complete(entry: Entry) -> bool:
    """Is everything that the command read from outside in the log?"""
    return bool(entry.inputs) or not FROM_OUTSIDE & set(entry.command[:2])


def _allowed(words: Sequence[str]) -> bool:
    """Is this a command that changes a lab? What it may touch besides is not asked here: the graded lab has nothing else."""
    words = list(words[1:] if words[:1] == ["docker"] else words)
    return bool(words) and words[0] in INSIDE and words[:2] != ["upstream", "set"]


def is_replayed(line: str) -> bool:
    """Is a line of a cell done again? What stands below it is typed, and nobody reads it here."""
    if "\0" in line:
        return False
    try:
        return _allowed(shlex.split(line.partition("\n")[0], comments=True))
    except ValueError:
        return False


def is_lost(line: str) -> bool:
    """Is this a line that grading leaves out, and that may have mattered?"""
    words = line.partition("\n")[0].removeprefix("- ").removeprefix("docker ").split()
    return not is_replayed(line) and not (words and words[0] in LOOKING and "\0" not in line)
