"""An exercise in a lab that nobody else uses: for tests, for the linter, for grading.

    with clean_lab(exercise) as lab:        fresh, by the class clock, already where the exercise starts
    run_trial(exercise, lines).passed        a clean lab, these lines, and what the checks make of it

So an exercise is tried as any other code is:

    def test_moved_tag() -> None:
        assert run_trial(exercise("moved-tag"), ["docker pull mongo:3.2"]).passed
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from imagelab.course.exercise import Exercise, Line, Verdict, perform, prepare
from imagelab.course.lab_snapshot import LabSnapshot, take_snapshot

if TYPE_CHECKING:
    from imagelab.lab.lab import Lab


PATIENCE = 3.0
"""Seconds that a container in the background may take to end, before the lab is judged."""


@contextmanager
def clean_lab(exercise: Exercise) -> Iterator[Lab]:
    """A lab at the start of an exercise, and an empty folder, which is all of the machine that its lines may touch. Containers
    run in this process; all of it is gone at the end."""
    from imagelab.lab.host_access import Scratch
    from imagelab.lab.lab import Lab
    from imagelab.lab.opening import open_lab

    with TemporaryDirectory(prefix="imagelab-trial-", ignore_cleanup_errors=True) as folder:
        lab = open_lab(Lab, Path(folder) / "lab", clock="class", environ={}, upstream="classroom", in_process=True, host=Scratch(Path(folder) / "scratch"))  # fmt: skip
        scratch = Path(folder) / "scratch"
        scratch.mkdir()
        try:
            with chdir(scratch):
                prepare(lab, exercise.start)
                yield lab
        finally:
            lab.close()


def run_trial(exercise: Exercise, lines: Iterable[Line] = ()) -> Verdict:
    """How far these lines get, from a clean start."""
    with clean_lab(exercise) as lab:
        before = take_snapshot(lab)
        perform(lab, lines)
        return judged(exercise, lab, before)


def judged(exercise: Exercise, lab: Lab, before: LabSnapshot) -> Verdict:
    """What the checks make of a lab, once what only takes a moment in it has ended: `run -d … sh -c "sleep 1; exit 42"`."""
    lab.engine.containers.runner.settle(PATIENCE)
    return exercise.judge(before, take_snapshot(lab))


@cache
def start_of(exercise: Exercise) -> LabSnapshot:
    """What the lab looks like at the start. Its files can no longer be read."""
    with clean_lab(exercise) as lab:
        return take_snapshot(lab)


@cache
def goal_of(exercise: Exercise) -> LabSnapshot:
    """What the lab looks like when it is done: after `goal`, or else the solution. Its files can no longer be read.

    A container that no check asks for was only a means, and is left out.
    """
    with clean_lab(exercise) as lab:
        perform(lab, exercise.goal or exercise.solution)
        snapshot = take_snapshot(lab)
    asked = " ".join(check.says.en for check in exercise.checks)
    kept = {key: one for key, one in snapshot.state.containers.items() if f"`{one.name}`" in asked}
    return replace(snapshot, state=replace(snapshot.state, containers=kept))
