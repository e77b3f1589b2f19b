"""An exercise: where it starts, what must be true in the end, and whom it helps how on the way.

    start      command lines that a fresh lab has been through            frozen: the same lab for everybody
    checks     what must be true, each a function of two scenes           never of what was typed
    hints      rung by rung; which one, depends on how things stand
    solution   command lines that get there; alternates, which do too; wrong ones, and the hint they must get

The ladder, from the least help to the most:

    RESTATE    the task again: the first check that does not hold yet
    WHERE      where to look
    WHICH      which operation
    BLANKS     the command, with blanks
    TWIN       the same thing, solved with other names
    SOLUTION   the solution, after a real attempt

An author writes hints for the rungs between; the first and the last follow from the exercise. A hint says *when* it
helps: a check, or `~check`, `one & other`. Asking again goes one rung up; nothing is locked and nothing is lost.

A line is a docker command line as `%docker` reads it, `$(docker …)` included; `upstream release mongo:3.2` is one as
well: the publisher moves. A line with more below it types the rest: `exec -i web sh\\necho hello`. A line that begins
with `- ` may fail.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from imagelab.cli.lab_docker import docker
from imagelab.cli.line import words
from imagelab.course.bilingual import Words
from imagelab.course.check import Check
from imagelab.course.lab_snapshot import LabSnapshot
from imagelab.errors import ImageLabError, UsageError

if TYPE_CHECKING:
    from imagelab.lab.lab import Lab

Line = str
Lines = tuple[Line, ...]


class Rung(IntEnum):
    """How much a hint gives away."""

    RESTATE = 0
    WHERE = 1
    WHICH = 2
    BLANKS = 3
    TWIN = 4
    SOLUTION = 5


WHERE, WHICH, BLANKS, TWIN = Rung.WHERE, Rung.WHICH, Rung.BLANKS, Rung.TWIN


@dataclass(frozen=True, slots=True)
class Hint:
    """A sentence of help for a learner whose lab is as `when` says (None: always)."""

    id: str
    rung: Rung
    when: Check | None
    en: str
    zh: str

    @property
    def words(self) -> Words:
        return Words(self.en, self.zh)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong answer that people give: it must be refused, with this hint first ("": whichever), because of `why`."""

    lines: Lines
    hint: str = ""
    why: str = ""


def wrong(why: str, *lines: Line) -> Wrong:
    """A wrong answer that looks like a right one: `why` says what the task asks and these lines do not do."""
    return Wrong(lines, why=why)


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise. `why` is what success says; `reveal_after` how many attempts before the solution is offered;
    `par` how many commands a practised hand needs."""

    id: str
    title: Words
    task: Words
    start: Lines
    checks: tuple[Check, ...]
    hints: tuple[Hint, ...]
    solution: Lines
    alternates: tuple[Lines, ...]
    wrong: tuple[Wrong, ...]
    why: Words
    goal: Lines = ()
    """Lines that lead to the state shown as the goal; else the solution's."""
    reveal_after: int = 3
    par: int = 0
    free: tuple[str, ...] = ()
    """Changes to the goal that may go unnoticed, as `imagelab lint-lessons` names them; a `*` stands for anything."""

    def judge(self, before: LabSnapshot, now: LabSnapshot) -> Verdict:
        """How far the learner is: looked at now, once, so that the verdict outlives the lab."""
        unmet = [check for check in self.checks if not check.holds(before, now)]
        fitting = [hint for hint in self.hints if hint.when is None or hint.when.holds(before, now)]
        return Verdict(
            self,
            tuple(check not in unmet for check in self.checks),
            unmet[0].missing(before, now) if unmet else None,
            tuple(sorted(fitting, key=lambda hint: hint.rung)),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """An exercise's checks, looked at: `held` has one answer for each; `missing` says what the first unmet one lacks."""

    exercise: Exercise
    held: tuple[bool, ...]
    missing: Words | None
    hints: tuple[Hint, ...]
    """Those that fit, from the least help to the most; on one rung the author's order counts."""

    @property
    def passed(self) -> bool:
        return all(self.held)


# -- lines in a lab -----------------------------------------------------------------------------------------


def perform(lab: Lab, lines: Iterable[Line]) -> list[int]:
    """Run lines in a lab, one after the other; their exit codes."""
    return [_perform(lab, line) for line in lines]


def prepare(lab: Lab, lines: Sequence[Line]) -> None:
    """Bring a fresh lab to where an exercise starts. ImageLabError when a line fails that may not."""
    for line in lines:
        if (code := _perform(lab, line)) and not line.startswith("- "):
            raise ImageLabError(f"this start does not come about: {line!r} ends with exit code {code}")


def _perform(lab: Lab, line: Line) -> int:
    first, _, typed = line.removeprefix("- ").partition("\n")
    return docker(lab, read(lab, first), stdin=typed).exit_code


def read(lab: Lab, line: Line) -> list[str]:
    """The words of a line, `$(docker …)` put in."""

    def output_of(inner: str) -> str:
        return docker(lab, read(lab, inner)).stdout

    def variable(name: str) -> str:
        raise UsageError(f"${name}: an exercise has no variables")

    found = words(line, variable=variable, output_of=output_of)
    return found[1:] if found[:1] == ["docker"] else found


def shown(line: Line) -> str:
    """A line as a learner would type it into a cell."""
    first, newline, typed = line.removeprefix("- ").partition("\n")
    own = first.split()[:1] == ["upstream"]
    return (first if own or first.startswith("docker ") else f"docker {first}") + newline + typed


def as_cell(lines: Lines) -> str:
    """A way as a cell that can be pasted: a command, several, or a Dockerfile (a build that reads it below its line)."""
    first, newline, typed = lines[0].partition("\n")
    words = first.removeprefix("docker ").split()
    if newline and words[:2] == ["build", "-t"]:
        return f"%%dockerfile {words[2]}\n{typed}".rstrip("\n")
    return f"%{shown(lines[0])}" if len(lines) == 1 else "\n".join(["%%docker", *map(shown, lines)])


def bare(line: str) -> str:
    """A line without what makes no difference: `docker`, prompts, spaces. For comparing texts, not for running."""
    try:
        parts = shlex.split(line, comments=True)
    except ValueError:
        parts = line.split()
    return " ".join(part for part in parts if part not in ("docker", "%docker", "!docker", "$"))
