"""The notebook's side of an exercise: the magics, the look after every cell, the buttons.

    %hint  %check  %undo  %redo  %reset  %solution [now]

There is one exercise at a time in an IPython. Opening another one makes it the active one: every variable that held
the lab of the notebook holds the exercise's lab from then on, so that what the learner types next, in Python or after
%docker, is done where it counts.

Buttons are for those who look at a page. They do what the magics do, and nothing can be reached by them alone; a notebook
that is run without a page has the same outputs each time.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from IPython.core.magic import no_var_expand

from imagelab.course.exercise_panel import ExercisePanel, checked, exercise_panel, said
from imagelab.course.lab_snapshot import take_snapshot
from imagelab.errors import ImageLabError
from imagelab.view.messages import language_here, say
from imagelab.view.pull_progress import is_watched, publish

if TYPE_CHECKING:
    from imagelab.course.practice import Practice
    from imagelab.lab.lab import Lab

BUTTONS = ("hint", "check", "undo", "redo", "reset", "solution")


class ExerciseSession:
    """What an IPython has on it: one exercise, or none."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.practice: Practice | None = None
        self.opened: dict[str, Practice] = {}
        """Every exercise that was opened here, by ID: the last time it was."""
        self._page: ExercisePage | None = None
        self._ipythons_reset = shell.find_line_magic("reset")
        for name in BUTTONS:
            shell.register_magic_function(no_var_expand(self._magic(name)), "line", name)
        shell.events.register("post_run_cell", self.after_cell)

    def take(self, practice: Practice, lab: Lab) -> None:
        """Put an exercise on it."""
        self.practice = self.opened[practice.exercise.id] = practice
        self._page = ExercisePage(self, practice) if is_watched(os.environ) else None
        self._hand_over(lab)

    def page(self, practice: Practice) -> ExercisePage | None:
        """Where this exercise is shown to somebody who looks; None when nobody does."""
        return self._page if practice is self.practice else None

    def _hand_over(self, old: Lab) -> None:
        """Names that meant the old lab mean the exercise's."""
        if self.practice is not None:
            names = [name for name, value in self.shell.user_ns.items() if value is old]
            self.shell.user_ns.update(dict.fromkeys(names, self.practice.lab))

    def do(self, name: str, line: str = "") -> ExercisePanel:
        """What a magic or a button does."""
        self._look_up()
        if self.practice is None:
            return _without(name)
        old = self.practice.lab
        try:
            if name == "solution":
                return self.practice.solution(now=line.strip() == "now")
            act: Any = getattr(self.practice, name)
            return act()  # type: ignore[no-any-return]
        except ImageLabError as error:
            return said(str(error), self.practice.lang)
        finally:
            self._hand_over(old)

    def _look_up(self) -> None:
        """A notebook that has opened another lab since has left the exercise."""
        if self.practice is not None and os.environ.get("IMAGELAB_HOME") != str(self.practice.lab.store.directory):
            self.practice = None

    def _magic(self, name: str) -> Any:
        def act(line: str) -> None:
            self._look_up()
            if name == "reset" and (line.strip() or self.practice is None):
                self._ipythons_reset(line)  # which empties the notebook of its variables: not ours to take away
            else:
                show(self.do(name, line))

        act.__doc__ = f"The exercise's {name}."
        return act

    def after_cell(self, result: object = None) -> None:
        """A cell is over: has it brought the exercise forward, or back?"""
        self._look_up()
        practice = self.practice
        try:
            if practice is not None and practice.look():
                show(checked(practice.exercise, practice.verdict, practice.lang))
                if self._page is not None:
                    self._page.renew()
        except ImageLabError as error:
            sys.stderr.write(f"{error}\n")


class ExercisePage:
    """The exercise on a page that somebody looks at: its panel, kept up to date, and the buttons."""

    def __init__(self, session: ExerciseSession, practice: Practice) -> None:
        self._session, self._practice = session, practice
        self._handle: Any = None
        self._answer: Any = None

    def show(self) -> None:
        """Put it below the cell."""
        from IPython.display import display

        self._handle = display(self._bundle(), raw=True, display_id=True)  # type: ignore[no-untyped-call]
        try:
            import ipywidgets
        except ImportError:
            return
        self._answer = ipywidgets.HTML()
        buttons = [ipywidgets.Button(description=f"%{name}") for name in BUTTONS]
        for name, button in zip(BUTTONS, buttons, strict=True):
            button.on_click(lambda _, name=name: self._pressed(name))
        display(ipywidgets.VBox([ipywidgets.HBox(buttons), self._answer]))  # type: ignore[no-untyped-call]

    def renew(self) -> None:
        """Say how things are now."""
        if self._handle is not None:
            self._handle.update(self._bundle(), raw=True)

    def _pressed(self, name: str) -> None:
        self._answer.value = self._session.do(name).html
        self.renew()

    def _bundle(self) -> dict[str, str]:
        one = self._practice
        panel = exercise_panel(one.exercise, one.verdict, one.goal, take_snapshot(one.lab), one.lang)
        return {"text/plain": panel.text, "text/html": panel.html}


def _without(name: str) -> ExercisePanel:
    """What a magic does where no exercise is open: undo and redo work on the notebook's lab, as `%docker` does."""
    from contextlib import closing

    from imagelab.lab.lab import Lab
    from imagelab.lab.opening import open_lab

    lang = language_here(os.environ)
    if name not in ("undo", "redo"):
        return said(say("course.nothing_open", lang), lang)
    with closing(open_lab(Lab)) as lab:
        try:
            return said(str(lab.undo() if name == "undo" else lab.redo()), lang)
        except ImageLabError as error:
            return said(str(error), lang)


def display_practice(practice: Practice) -> None:
    """Show an exercise below the cell, with buttons where somebody can press them."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    page = session_of(shell).page(practice) if shell is not None else None
    if page is not None:
        page.show()
    else:
        show(practice.panel)


def show(what: ExercisePanel) -> None:
    """An output of the cell: text, and HTML beside it."""
    publish({"text/plain": what.text, "text/html": what.html})


def session_of(shell: Any) -> ExerciseSession:
    """The exercise session of an IPython; made when it is first needed."""
    session = getattr(shell, "imagelab_exercises", None)
    if not isinstance(session, ExerciseSession):
        session = ExerciseSession(shell)
        shell.imagelab_exercises = session
    return session


def activate(shell: Any, practice: Practice, lab: Lab) -> None:
    """Make an exercise the active one of this IPython."""
    session_of(shell).take(practice, lab)
