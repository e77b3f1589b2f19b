"""Hand-ins that look alike: questions to ask, with the evidence, and no verdict.

Most exercises take one or two commands, and whoever solves them well types the same as everybody. So what counts is what is
*unlikely*: a step that is in no solution of the exercise's author and that hardly anybody else in the class took. Two logs
that share such steps, or that are the same over many steps, are shown side by side.

Logs hold no time and no name. What is found here may as well be two who sat together, and one who copied with care is not
found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from imagelab.course.bilingual import Words
from imagelab.course.exercise import Exercise, bare
from imagelab.course.grade_batch import Batch, Row
from imagelab.course.printable import printable

LONG = 4
"""So many steps that are all the same, beyond the author's ways, are worth a question by themselves."""
RARE = 0.1
"""A step that no larger part of the class took, and never more than three, is unlikely."""


@dataclass(frozen=True, slots=True)
class Question:
    """Learners whose logs of an exercise look alike, and the steps that say so. `whole`: the logs are the same."""

    exercise_id: str
    learners: tuple[str, ...]
    steps: tuple[str, ...]
    whole: bool

    def sentence(self, lang: str) -> str:
        """The question."""
        words = SAME if self.whole else SHARED
        steps = "; ".join(self.steps[:3]) + ("; …" if len(self.steps) > 3 else "")
        return (
            words.with_(exercise=self.exercise_id, count=len(self.steps), steps="{steps}", who="{who}")
            .in_(lang)
            .replace("{who}", " · ".join(self.learners))
            .replace("{steps}", steps)
        )


SAME = Words(
    "{exercise}: the same log, step by step: {who}. Unlikely in it: {steps}",
    "{exercise}：日志逐步相同：{who}。其中不寻常的：{steps}",
)
SHARED = Words(
    "{exercise}: unlikely steps that only these logs share: {who}. {steps}",
    "{exercise}：只有这几份日志共有的不寻常步骤：{who}。{steps}",
)


def questions(batch: Batch) -> list[Question]:
    """What to ask, exercise by exercise."""
    found: list[Question] = []
    for exercises in batch.lessons.values():
        for exercise in exercises:
            logs = {_name(row): row.steps[exercise.id] for row in batch.rows if row.steps.get(exercise.id)}
            found += _of_one(exercise, logs)
    return found


def _name(row: Row) -> str:
    return printable(row.learner.shown, 60)


def _of_one(exercise: Exercise, logs: Mapping[str, tuple[tuple[str, ...], ...]]) -> Iterator[Question]:
    unlikely = _unlikely(exercise, logs)
    alike: dict[tuple[tuple[str, ...], ...], list[str]] = defaultdict(list)
    for name, log in logs.items():
        alike[log].append(name)
    for log, names in alike.items():
        odd = [step for step in log if step in unlikely]
        if len(names) > 1 and (odd or (len(log) >= LONG and not _is_authors(exercise, log))):
            yield Question(exercise.id, tuple(names), tuple(map(_line, odd or log)), True)
    yield from _shared(exercise, logs, unlikely)


def _shared(
    exercise: Exercise, logs: Mapping[str, tuple[tuple[str, ...], ...]], unlikely: set[tuple[str, ...]]
) -> Iterator[Question]:
    """Pairs of different logs with two unlikely steps in common."""
    holders = {name: set(log) & unlikely for name, log in logs.items()}
    for one, other in combinations([name for name, steps in holders.items() if len(steps) > 1], 2):
        both = holders[one] & holders[other]
        if len(both) > 1 and logs[one] != logs[other]:
            yield Question(exercise.id, (one, other), tuple(sorted(map(_line, both))), False)


def _unlikely(exercise: Exercise, logs: Mapping[str, tuple[tuple[str, ...], ...]]) -> set[tuple[str, ...]]:
    """Steps that several took, but few, and that the author did not think of."""
    count: dict[tuple[str, ...], int] = defaultdict(int)
    for log in logs.values():
        for step in set(log):
            count[step] += 1
    few = max(3, int(len(logs) * RARE))
    known = _authors(exercise)
    common = {step for step, holders in count.items() if holders > few or holders == len(logs) > 3}
    return {step for step in count if step not in common and _line(step) not in known}


def _authors(exercise: Exercise) -> set[str]:
    ways = (exercise.solution, *exercise.alternates, *(wrong.lines for wrong in exercise.wrong))
    return {_plain(line) for way in ways for line in way}


def _is_authors(exercise: Exercise, log: Sequence[tuple[str, ...]]) -> bool:
    return {_line(step) for step in log} <= _authors(exercise)


def _plain(line: str) -> str:
    return bare(line.removeprefix("- ").partition("\n")[0])


def _line(step: tuple[str, ...]) -> str:
    """A step as one types it; what it read is left out."""
    return printable(" ".join(word for word in step if not word.startswith("sha256:")), 100)
