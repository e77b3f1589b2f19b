"""What is wrong with an exercise, a sentence each: its words, its lines, its hints, its names; and what trying it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatch

from imagelab.course.bilingual import Words
from imagelab.course.exercise import Exercise, Rung, Verdict
from imagelab.course.goal_mutations import survivors
from imagelab.course.lab_snapshot import LabSnapshot
from imagelab.course.lint_hints import failures, spoilers
from imagelab.course.lint_languages import CODE, contradictions, differences
from imagelab.course.lint_reach import lint_line
from imagelab.course.trial import goal_of, run_trial, start_of
from imagelab.errors import ImageLabError
from imagelab.oci.reference import familiar

HAN = re.compile(r"[\u4e00-\u9fff]")
ADDRESS = re.compile(r"https?://(?!localhost\b|127\.0\.0\.1\b|[\w.-]+\.(?:test|example|invalid)(?![\w.-]))[\w.$\[{-]+")
LEAST = 2
"""Wrong answers an exercise."""
KINDS = (
    "drop the tag ", "put the tag ", "bring back the tag ", "bring back the image ", "delete the nameless image ",
    "swap two layers of ", "rename a file of ", "drop the container ",
)  # fmt: skip
"""How changes to a goal begin."""


# -- exercises ----------------------------------------------------------------------------------------------


def lint_exercise(exercise: Exercise) -> Iterator[str]:
    """Everything about one exercise."""
    for rule in (_words, _lines, _shape, _hints, _named, _tried, _free):
        for sentence in rule(exercise):
            yield f"exercise {exercise.id}: {sentence}"


def _words(exercise: Exercise) -> Iterator[str]:
    said: list[tuple[str, Words]] = [("title", exercise.title), ("task", exercise.task), ("why", exercise.why)]
    said += [(f"hint {hint.id}", hint.words) for hint in exercise.hints]
    said += [(f"check {at}", check.says) for at, check in enumerate(exercise.checks, 1)]
    said += [
        (f"check {at}, unmet", check.missing(LabSnapshot(), LabSnapshot()))
        for at, check in enumerate(exercise.checks, 1)
    ]
    for what, words in said:
        for language, text in (("en", words.en), ("zh", words.zh)):
            if not text.strip():
                yield f"its {what} is empty in {language!r}"
        if words.zh.strip() and not HAN.search(CODE.sub("", words.zh)) and re.search(r"[a-z]", CODE.sub("", words.en)):
            yield f"its {what} has no Chinese in 'zh'"
        says = contradictions if what == "task" else differences
        yield from (f"its {what} is not the same in both languages: {sentence}" for sentence in says(words))


def _lines(exercise: Exercise) -> Iterator[str]:
    """No line reaches for the network, or for a file elsewhere."""
    ways = [
        exercise.start,
        exercise.solution,
        exercise.goal,
        *exercise.alternates,
        *(one.lines for one in exercise.wrong),
    ]
    for line in dict.fromkeys(line for lines in ways for line in lines):
        address = ADDRESS.search(line)
        yield from [f"a line needs the network: {address[0]}"] if address else []
        yield from (found for found in lint_line(line) if not (address and "needs the network" in found))


def _shape(exercise: Exercise) -> Iterator[str]:
    if len(exercise.wrong) < LEAST:
        yield f"it has {len(exercise.wrong)} wrong answers, and should have {LEAST} or more"
    if not exercise.alternates:
        yield "it has no alternate: another way that must pass"
    if not exercise.checks:
        yield "it has no checks"


def _hints(exercise: Exercise) -> Iterator[str]:
    ids = [hint.id for hint in exercise.hints]
    yield from (f"two hints are called {name!r}" for name in sorted({name for name in ids if ids.count(name) > 1}))
    for hint in exercise.hints:
        if hint.rung in (Rung.RESTATE, Rung.SOLUTION):
            yield f"hint {hint.id}: the first rung and the last come by themselves"
    try:
        yield from spoilers(exercise)
        yield from failures(exercise)
    except ImageLabError:
        return  # it does not start, which is said elsewhere


def _named(exercise: Exercise) -> Iterator[str]:
    """What the learner has to give a name is given one by the task: images, containers, files that are not there at the start."""
    try:
        start, goal = start_of(exercise), goal_of(exercise)
    except ImageLabError:
        return  # said elsewhere
    known = _named_in(" ".join(exercise.start)) | (_named_in(exercise.task.en) & _named_in(exercise.task.zh))
    there = {path for tree in start.files.values() for path in tree}
    new = {familiar(name) for name in set(goal.state.references) - set(start.state.references)}
    new |= {name.removesuffix(":latest") for name in new} | {one.name for one in goal.state.containers.values()}
    for name in dict.fromkeys(name for check in exercise.checks for name in CODE.findall(check.says.en)):
        to_be_made = name in new or (name.startswith("/") and name.strip("/") not in there)
        if to_be_made and name not in known:
            yield f"a check requires {name!r}, which the task does not mention"


def _named_in(text: str) -> set[str]:
    """The names in a text, each as a whole: `greet` is not in `greeting`. `nginx:latest` is `nginx`, too."""
    found = {word.rstrip(".") for word in re.findall(r"[\w./:@+-]+", text)}
    return (
        found
        | {word.removesuffix(":latest") for word in found}
        | {f"{word}:latest" for word in found if ":" not in word}
    )


def _free(exercise: Exercise) -> Iterator[str]:
    """What may go unnoticed is said so that it is one thing, and is something that does go unnoticed."""
    bound = replace(exercise, free=())
    for pattern in exercise.free:
        if not any(pattern.startswith(kind) for kind in KINDS) and not re.search(r"\w[\w./-]*:[\w.-]+", pattern):
            yield f"free {pattern!r} would take everything: say which change it is, as lint-lessons names it"
        elif not any(fnmatch(name, pattern) for name in survivors(bound)):
            yield f"free {pattern!r} fits no change that goes unnoticed"


def _tried(exercise: Exercise) -> Iterator[str]:
    """Start, solution, alternates and wrong answers, each in a clean lab; and the goal with one thing wrong."""
    try:
        verdicts = []
        for complaint, verdict in _trials(exercise):
            verdicts.append(verdict)
            yield from complaint
        for at, check in enumerate(exercise.checks):
            if all(verdict.held[at] for verdict in verdicts):
                yield f"the check that {check.says.en!r} holds in every state that is listed: add a wrong answer that it catches"
        given = {hint.id for verdict in verdicts if not verdict.passed for hint in verdict.hints}
        for hint in exercise.hints:
            if hint.id not in given:
                yield f"hint {hint.id} fits no state that is listed: add the wrong answer that it is for"
        yield from (f"no check notices when somebody should {name}" for name in survivors(exercise))
    except ImageLabError as error:
        yield str(error)


def _trials(exercise: Exercise) -> Iterator[tuple[list[str], Verdict]]:
    """For each listed state: what is wrong about it, and how it was judged."""

    def solved(lines: Sequence[str], what: str) -> tuple[list[str], Verdict]:
        verdict = run_trial(exercise, lines)
        why = verdict.missing.en if verdict.missing else ""
        return ([] if verdict.passed else [f"{what} does not pass: {why}"]), verdict

    start = run_trial(exercise, ())
    yield (["it is solved as shipped"] if start.passed else []), start
    yield solved(exercise.solution, "its solution")
    for at, lines in enumerate(exercise.alternates, 1):
        yield solved(lines, f"alternate {at}")
    for at, wrong in enumerate(exercise.wrong, 1):
        verdict = run_trial(exercise, wrong.lines)
        given = verdict.hints[0].id if verdict.hints else "none"
        complaint = [f"wrong answer {at} passes"] if verdict.passed else []
        if not verdict.passed and wrong.hint and given != wrong.hint:
            complaint = [f"wrong answer {at} gets the hint {given!r}, not {wrong.hint!r}"]
        yield complaint, verdict
