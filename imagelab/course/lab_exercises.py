"""The course on a lab: `lab.exercise("moved-tag")`, `lab.progress()`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from imagelab.lab.lab import Lab

if TYPE_CHECKING:
    from imagelab.course.exercise_panel import ExercisePanel
    from imagelab.course.practice import Practice


class Exercises(Lab):
    """A lab from which exercises are opened."""

    def exercise(self, name: str) -> Practice:
        """Open an exercise: its own lab, its task, a checklist. In a notebook `lab` and `%docker` mean that lab from now on."""
        from imagelab.course.practice import begin

        return begin(self, name)

    def progress(self) -> ExercisePanel:
        """What is solved of the whole course, by the file beside the notebooks."""
        from imagelab.course.catalog import by_lesson, lessons_folder, titles
        from imagelab.course.progress import here, progress_panel

        folder = lessons_folder()
        lessons = {name: [one.id for one in found] for name, found in by_lesson(folder).items()}
        return progress_panel(here(os.environ, Path.cwd()), lessons, self.lang, titles(folder, self.lang))
