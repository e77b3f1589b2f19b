"""What `imagelab check` and `imagelab grade` do: read what was asked, grade it, and write what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagelab.course.catalog import by_lesson, lessons_folder
from imagelab.course.grade_batch import Batch, Cache, Plan, grade_batch
from imagelab.course.grading import UNKNOWN, circumstances, grade_hand_in, read_notebook, report, unknown_exercises
from imagelab.course.grading_process import TIMEOUT
from imagelab.course.grading_walls import Walls, walls
from imagelab.course.hand_in import HandIn, HandInError, read_file
from imagelab.course.printable import printable
from imagelab.errors import UsageError

if TYPE_CHECKING:
    from imagelab.cli.command import Invocation

JOBS = 32
"""More than so many at a time are no faster on any machine that a teacher has."""


# -- check --------------------------------------------------------------------------------------------------------


def check(context: Invocation) -> int:
    """Grade single notebooks; 0 when every exercise of their lessons is solved."""
    stand, seconds = walls(), timeout(context)
    solved = [_check(context, name, stand, seconds) for name in context.parsed.arguments]
    if context.parsed.text("format") != "json":
        context.out.write(circumstances(stand, seconds, _language(context)) + "\n")
    return 0 if all(solved) else 1


def _check(context: Invocation, name: str, stand: Walls, seconds: float) -> bool:
    """One notebook: has it solved everything?"""
    parsed, lang = context.parsed, _language(context)
    progress = Path(parsed.text("progress")) if parsed.text("progress") else None
    try:
        value, lesson = read_notebook(Path(name), progress, _lesson(parsed.text("lesson")))
    except HandInError as error:
        context.err.write(f"{printable(name)}: {error}\n")
        return False
    exercises = by_lesson(lessons_folder())[lesson]
    results = grade_hand_in(value, exercises, stand, seconds)
    solved = all(one.solved for one in results)
    problems = [*value.problems, *_unknown(value, lang)]
    if parsed.text("format") == "json":
        found: dict[str, Any] = {"notebook": name, "lesson": lesson, "solved": sum(one.solved for one in results)}
        found |= {"all": len(results), "exercises": [one.to_json() for one in results], "problems": problems}
        context.out.write(json.dumps(found | {"seconds": seconds, "walls": stand.name}) + "\n")
    else:
        head = f"{printable(name)}  {lesson}\n" if len(parsed.arguments) > 1 else ""
        told = "".join(f"note: {problem}\n" for problem in problems)
        context.out.write(head + report(results, exercises, lang) + told)
    return solved


def _unknown(value: HandIn, lang: str) -> Iterator[str]:
    for name in unknown_exercises(value, by_lesson(lessons_folder()))[:5]:
        yield UNKNOWN.with_(name="{name}").in_(lang).replace("{name}", name)


# -- grade --------------------------------------------------------------------------------------------------------


def grade(context: Invocation) -> int:
    """Grade a class; 0 when everybody has solved everything."""
    from imagelab.course.copies import questions
    from imagelab.course.overview import as_html, as_text, table
    from imagelab.course.roster import parse_roster

    parsed, lang = context.parsed, _language(context)
    roster = parse_roster(read_file(Path(parsed.text("roster")))) if parsed.text("roster") else []
    only = tuple(_lesson(name) for name in parsed.all("lesson"))
    plan = Plan(by_lesson(lessons_folder()), walls(), timeout(context), _jobs(context), only)
    batch = grade_batch(Path(parsed.arguments[0]), plan, roster, Cache(_cache_file(context)), _bar(context))
    asked = questions(batch)
    if parsed.text("csv"):
        _write(Path(parsed.text("csv")), table(batch))
    if parsed.text("html"):
        _write(Path(parsed.text("html")), as_html(batch, asked, lang))
    text = as_text(batch, asked, lang)
    if parsed.text("text"):
        _write(Path(parsed.text("text")), text)
    else:
        context.out.write(text)
    _said(context, batch)
    return 0 if batch.all_solved else 1


def _said(context: Invocation, batch: Batch) -> None:
    for flag in ("csv", "html", "text"):
        if context.parsed.text(flag):
            context.err.write(f"wrote {context.parsed.text(flag)}\n")
    context.err.write(f"{batch.anew} graded now, {batch.known} known from before\n")


def _cache_file(context: Invocation) -> Path | None:
    """Beside the CSV, or where asked."""
    if context.parsed.text("cache"):
        return Path(context.parsed.text("cache"))
    target = context.parsed.text("csv")
    return Path(target).with_suffix(".cache.json") if target else None


def _bar(context: Invocation) -> Callable[[int, int], None]:
    """A bar on a terminal; nothing elsewhere."""
    if not context.err.isatty():
        return lambda done, everything: None

    def show(done: int, everything: int) -> None:
        full = 30 * done // max(1, everything)
        end = "\n" if done == everything else ""
        context.err.write(f"\r[{'#' * full}{'.' * (30 - full)}] {done}/{everything}{end}")
        context.err.flush()

    return show


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise HandInError(f"{file} cannot be written: {error.strerror or error}") from None


# -- flags --------------------------------------------------------------------------------------------------------


def timeout(context: Invocation) -> float:
    """Seconds for an exercise."""
    text = context.parsed.text("timeout")
    try:
        seconds = float(text) if text else TIMEOUT
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise UsageError(f"--timeout {text}: a number of seconds, up to 3600")
    return seconds


def _jobs(context: Invocation) -> int:
    text = context.parsed.text("jobs") or "1"
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 0 < int(text) <= JOBS):
        raise UsageError(f"--jobs {text}: a number from 1 to {JOBS}")
    return int(text)


def _lesson(name: str) -> str:
    """A lesson of the course. HandInError, with those that there are."""
    known = by_lesson(lessons_folder())
    if name and name not in known:
        raise HandInError(f"no lesson is called {name!r}", hint=f"there is {', '.join(known)}")
    return name


def _language(context: Invocation) -> str:
    return context.parsed.text("lang", "en")
