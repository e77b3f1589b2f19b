"""`imagelab lint-lessons`: what is wrong with a lesson, a sentence each; [] for one that may be taught.

Four questions, each a handful of rules:

    files        is what is there a lesson, and nothing else?          `lint_files`
    languages    is everything said twice, and in step?                `lint_languages`
    exercises    can it be solved, failed, and helped with?            `lint_exercise`
    notebook     is it what the source makes, readable without a page, the same everywhere?   `lint_notebook`

Exercises are tried in clean labs, solution, alternates and wrong answers alike. Whether a notebook comes out the same
everywhere is found by making it twice, under two hash seeds, in two zones and two folders: that takes seconds a lesson, so
it is asked for (`full`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from imagelab.course import catalog, notebooks
from imagelab.course.bilingual import Words
from imagelab.course.exercise import Exercise, Rung, Verdict, bare
from imagelab.course.goal_mutations import survivors
from imagelab.course.lab_snapshot import Scene
from imagelab.course.trial import goal_of, rehearse, start_of
from imagelab.errors import ImageLabError
from imagelab.oci.reference import familiar

HAN = re.compile(r"[\u4e00-\u9fff]")
ADDRESS = re.compile(r"https?://(?!localhost\b|127\.0\.0\.1\b|[\w.-]+\.(?:test|example|invalid)(?![\w.-]))[\w.$\[{-]+")
CODE = re.compile(r"`([^`]+)`")
PLACED = re.compile(r"\.exercise\(\s*[\"']([^\"']+)")
LISTED = {"lesson.md", "exercises.py"}
LEAST = 2
"""Exercises a lesson, and wrong answers an exercise."""


def lint(root: Path, slugs: Sequence[str] = (), *, full: bool = False) -> list[str]:
    """What is wrong with these lessons of a checkout, or with all of them."""
    folders = [folder for folder in sorted((root / "lessons").iterdir()) if folder.is_dir()]
    if unknown := sorted(set(slugs) - {folder.name for folder in folders}):
        raise ImageLabError(
            f"no lesson is called {', '.join(unknown)}", hint="imagelab new-lesson SLUG begins one", origin="client"
        )
    found: list[str] = []
    seen: dict[str, str] = {}
    for folder in folders:
        chosen = not slugs or folder.name in slugs
        exercises = _exercises(folder)
        for one in exercises or ():
            if one.id in seen and chosen:
                found.append(f"{folder.name}: the id {one.id!r} is taken by {seen[one.id]}")
            seen.setdefault(one.id, folder.name)
        if chosen:
            found += lint_lesson(folder, root, full=full)
    return found


def lint_lesson(folder: Path, root: Path, *, full: bool = False) -> list[str]:
    """What is wrong with one lesson."""
    found = list(lint_files(folder))
    if (folder / "lesson.md").exists():
        found += lint_languages(folder / "lesson.md")
        found += lint_source(folder)
        found += [] if found else lint_notebook(folder / "lesson.md", root, full=full)
    for exercise in _exercises(folder) or ():
        found += lint_exercise(exercise)
    return [f"{folder.name}: {sentence}" for sentence in found]


def _exercises(folder: Path) -> tuple[Exercise, ...] | None:
    try:
        return catalog.load(folder / catalog.FILE)
    except ImageLabError:
        return None


# -- files and languages ------------------------------------------------------------------------------------


def lint_files(folder: Path) -> Iterator[str]:
    """A lesson is two files."""
    names = {path.name for path in folder.iterdir() if path.name != "__pycache__"}
    yield from (
        f"{name} does not belong there: a lesson is {' and '.join(sorted(LISTED))}" for name in sorted(names - LISTED)
    )
    yield from (f"{name} is missing" for name in sorted(LISTED - names))
    try:
        exercises = catalog.load(folder / catalog.FILE)
    except ImageLabError as error:
        if (folder / catalog.FILE).exists():
            yield str(error)
        return
    if len(exercises) < LEAST:
        yield f"it has {len(exercises)} exercises, and should have {LEAST} or more"


def lint_languages(source: Path) -> Iterator[str]:
    """Each prose cell has its twin, both say something, and the Chinese one says it in Chinese."""
    try:
        cells = notebooks.cells(source)
    except ImageLabError as error:
        yield str(error).partition(": ")[2]
        return
    for cell in cells:
        language = cell.metadata.get("lang")
        start = repr(cell.source.strip().split("\n")[0][:50])
        if language and not re.sub(r"[\W\d_]", "", cell.source):
            yield f"a prose cell in {language!r} is empty"
        elif language == "zh" and not HAN.search(cell.source):
            yield f"the cell that begins {start} is marked 'zh' and has no Chinese in it"
        elif language == "en" and HAN.search(re.sub(r"`[^`]*`", "", cell.source)):
            yield f"the cell that begins {start} is marked 'en' and has Chinese in it"


def lint_source(folder: Path) -> Iterator[str]:
    """Code needs no network, and opens the exercises of this lesson, all of them."""
    try:
        code = [cell.source for cell in notebooks.cells(folder / "lesson.md") if cell.cell_type == "code"]
    except ImageLabError:
        return
    for text in map(_without_runs, code):
        if address := ADDRESS.search(text):
            yield f"a cell needs the network: {address[0]}"
    placed = [name for text in code for name in PLACED.findall(text)]
    known = [one.id for one in _exercises(folder) or ()]
    yield from (f"the exercise {name!r} has no cell: lab.exercise({name!r})" for name in known if name not in placed)
    yield from (f"a cell opens {name!r}, which is not in {catalog.FILE}" for name in placed if name not in known)


def _without_runs(cell: str) -> str:
    """A Dockerfile's RUN lines work inside the lab, where there is no network: what they name is only words."""
    if not cell.startswith("%%dockerfile"):
        return cell
    lines = re.sub(r"\\\n", " ", cell).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().upper().startswith("RUN "))


# -- exercises ----------------------------------------------------------------------------------------------


def lint_exercise(exercise: Exercise) -> Iterator[str]:
    """Everything about one exercise."""
    for rule in (_words, _shape, _hints, _named, _tried):
        for sentence in rule(exercise):
            yield f"exercise {exercise.id}: {sentence}"


def _words(exercise: Exercise) -> Iterator[str]:
    said: list[tuple[str, Words]] = [("title", exercise.title), ("task", exercise.task), ("why", exercise.why)]
    said += [(f"hint {hint.id}", hint.words) for hint in exercise.hints]
    said += [(f"check {at}", check.says) for at, check in enumerate(exercise.checks, 1)]
    said += [(f"check {at}, unmet", check.missing(Scene(), Scene())) for at, check in enumerate(exercise.checks, 1)]
    for what, words in said:
        for language, text in (("en", words.en), ("zh", words.zh)):
            if not text.strip():
                yield f"its {what} is empty in {language!r}"
        if words.zh.strip() and not HAN.search(CODE.sub("", words.zh)) and re.search(r"[a-z]", CODE.sub("", words.en)):
            yield f"its {what} has no Chinese in 'zh'"
    for line in (*exercise.start, *exercise.solution):
        if address := ADDRESS.search(line):
            yield f"a line needs the network: {address[0]}"


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
        told = {bare(code) for text in hint.words for code in CODE.findall(text)}
        if set(map(bare, exercise.solution)) <= told:
            yield f"hint {hint.id} gives the solution away: {bare(exercise.solution[-1])!r}"


def _named(exercise: Exercise) -> Iterator[str]:
    """What the learner has to give a name is given one by the task: images, containers, files that are not there at the start."""
    try:
        start, goal = start_of(exercise), goal_of(exercise)
    except ImageLabError:
        return  # said elsewhere
    known = " ".join([exercise.task.en, *exercise.start])
    there = {path for tree in start.files.values() for path in tree}
    new = {familiar(name) for name in set(goal.state.references) - set(start.state.references)}
    new |= {name.removesuffix(":latest") for name in new} | {one.name for one in goal.state.containers.values()}
    for name in dict.fromkeys(name for check in exercise.checks for name in CODE.findall(check.says.en)):
        to_be_made = name in new or (name.startswith("/") and name.strip("/") not in there)
        if to_be_made and name not in known:
            yield f"a check requires {name!r}, which the task does not mention"


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
        verdict = rehearse(exercise, lines)
        why = verdict.missing.en if verdict.missing else ""
        return ([] if verdict.passed else [f"{what} does not pass: {why}"]), verdict

    start = rehearse(exercise, ())
    yield (["it is solved as shipped"] if start.passed else []), start
    yield solved(exercise.solution, "its solution")
    for at, lines in enumerate(exercise.alternates, 1):
        yield solved(lines, f"alternate {at}")
    for at, wrong in enumerate(exercise.wrong, 1):
        verdict = rehearse(exercise, wrong.lines)
        given = verdict.hints[0].id if verdict.hints else "none"
        complaint = [f"wrong answer {at} passes"] if verdict.passed else []
        if not verdict.passed and given != wrong.hint:
            complaint = [f"wrong answer {at} gets the hint {given!r}, not {wrong.hint!r}"]
        yield complaint, verdict


# -- the notebook -------------------------------------------------------------------------------------------


def lint_notebook(source: Path, root: Path, *, full: bool) -> Iterator[str]:
    """The notebooks that stand there are what the source makes, and can be read by everyone."""
    for language in notebooks.LANGUAGES:
        file = notebooks.target(source, language, root)
        if notebooks.stale(source, language, full=False, root=root):
            yield f"{file.relative_to(root).as_posix()} is not what its lesson makes: run make notebooks"
        else:
            yield from lint_outputs(json.loads(file.read_text(encoding="utf-8")))
        if full:
            yield from lint_twice([notebooks.elsewhere(source, language, seed) for seed in (1, 2)], language)


def lint_outputs(notebook: Any) -> Iterator[str]:
    """Every output has text, and none lives only in an open page."""
    for cell in notebook["cells"]:
        start = repr("".join(cell["source"]).split("\n")[0][:50])
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if any("widget" in kind for kind in data):
                yield f"the cell {start} shows a widget: it would be empty for whoever only reads"
            elif data and not "".join(data.get("text/plain", "")).strip():
                yield f"an output of the cell {start} has no text twin"


def lint_twice(made: Sequence[str], language: str) -> Iterator[str]:
    """Made twice, under other circumstances, it is the same."""
    one, other = made
    for first, second in zip(json.loads(one)["cells"], json.loads(other)["cells"], strict=True):
        if first != second:
            start = repr("".join(first["source"]).split("\n")[0][:50])
            yield f"in {language!r} the cell {start} does not come out the same twice"
