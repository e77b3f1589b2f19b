"""The course's verbs: progress for learners, check for teachers, lint-lessons and new-lesson for authors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imagelab.cli.command import Invocation, command
from imagelab.cli.flags import Flag
from imagelab.errors import ImageLabError

if TYPE_CHECKING:
    from imagelab.course.progress import Progress

# -- authors ------------------------------------------------------------------------------------------------


@command(
    "lint-lessons", "[LESSON...]",
    Flag("full", "", "bool", "Also run every notebook twice, under other circumstances, and compare"),
    Flag("root", "", "string", "The checkout (else the one that this imagelab runs from)"), most=None,
)  # fmt: skip
def lint_lessons(context: Invocation) -> int:
    from imagelab.course.lint import lint

    found = lint(_checkout(context), context.parsed.arguments, full=context.parsed.on("full"))
    context.out.write("".join(f"{sentence}\n" for sentence in found) or "the lessons are as they should be\n")
    return 1 if found else 0


@command(
    "new-lesson", "SLUG",
    Flag("root", "", "string", "The checkout (else the one that this imagelab runs from)"), least=1, most=1,
)  # fmt: skip
def new_lesson(context: Invocation) -> int:
    from imagelab.course import notebooks
    from imagelab.course.new_lesson import new_lesson

    root = _checkout(context)
    folder = new_lesson(root, context.parsed.arguments[0])
    written = notebooks.write(root, [folder / "lesson.md"])
    made = [*sorted(folder.iterdir()), *written]
    context.out.write("".join(f"wrote {file.relative_to(root).as_posix()}\n" for file in made if file.is_file()))
    context.out.write("hint: docs/for-authors.md, and after each change: make notebooks, imagelab lint-lessons\n")
    return 0


def _checkout(context: Invocation) -> Path:
    from imagelab.course.notebooks import ROOT

    root = Path(context.parsed.text("root") or ROOT).resolve()
    if not (root / "lessons").is_dir():
        raise ImageLabError(
            f"there are no lessons in {root}", hint="--root names a checkout of imagelab", origin="client"
        )
    return root


# -- teachers -----------------------------------------------------------------------------------------------


SECONDS = Flag("timeout", "", "string", "Seconds that an exercise may take (else 20)")


@command(
    "check", "NOTEBOOK...",
    Flag("format", "", "string", "'json' for an object a notebook; else text"),
    Flag("progress", "", "string", "The learner's progress file (else the one beside the notebook)"),
    Flag("lesson", "", "string", "The lesson that it is (else by its name, its metadata, its exercises)"), SECONDS,
    Flag("lang", "", "string", "Language of the sentences, en or zh", "en"), least=1, most=None,
)  # fmt: skip
def check(context: Invocation) -> int:
    from imagelab.course.grade_commands import check

    return check(context)


@command(
    "grade", "HAND-INS",
    Flag("roster", "", "string", "A CSV of who is in the class: id, name, email"),
    Flag("csv", "", "string", "Write a row a learner, a column an exercise"),
    Flag("html", "", "string", "Write the class at a glance as one page"),
    Flag("text", "", "string", "Write that as text (else it is printed)"),
    Flag("lesson", "", "strings", "Only this lesson; may be repeated (else all that somebody handed in)"),
    Flag("jobs", "", "string", "So many at a time (else 1)"), SECONDS,
    Flag("cache", "", "string", "Where to keep what is graded (else beside the CSV)"),
    Flag("lang", "", "string", "Language of the sentences, en or zh", "en"), least=1, most=1,
)  # fmt: skip
def grade(context: Invocation) -> int:
    from imagelab.course.grade_commands import grade

    return grade(context)


@command(
    "assignment", "LESSON",
    Flag("output", "o", "string", "The notebook to write (else LESSON.ipynb)"),
    Flag("lang", "", "string", "Language of the lesson, en or zh", "en"), least=1, most=1,
)  # fmt: skip
def assignment(context: Invocation) -> int:
    from imagelab.course.catalog import lessons_folder
    from imagelab.course.nbgrader import assignment
    from imagelab.course.notebooks import normalise

    lesson = lessons_folder() / context.parsed.arguments[0]
    if not (lesson / "lesson.md").is_file():
        known = ", ".join(folder.name for folder in sorted(lessons_folder().glob("*-*")))
        raise ImageLabError(
            f"no lesson is called {context.parsed.arguments[0]!r}", hint=f"there is {known}", origin="client"
        )
    target = Path(context.parsed.text("output") or f"{lesson.name}.ipynb")
    target.write_text(normalise(assignment(lesson, context.parsed.text("lang", "en"))), encoding="utf-8", newline="\n")
    context.out.write(f"wrote {target}\n")
    return 0


# -- learners -----------------------------------------------------------------------------------------------


@command(
    "progress", "",
    Flag("export", "", "string", "Write it to a file"), Flag("import", "", "string", "Add what another file says"),
    Flag("json", "", "bool", "Print it as JSON"), Flag("lang", "", "string", "Language, en or zh", "en"),
)  # fmt: skip
def progress(context: Invocation) -> int:
    from imagelab.course.catalog import by_lesson, lessons_folder
    from imagelab.course.progress import change_progress, progress_file, read_progress, summary

    parsed, file = context.parsed, progress_file(context.environ, Path.cwd())
    if parsed.text("import"):
        other = _progress(parsed.text("import"))
        change_progress(file, lambda mine: mine.merged(other))
    mine = read_progress(file)
    if parsed.text("export"):
        Path(parsed.text("export")).write_text(mine.to_json(), encoding="utf-8", newline="\n")
        context.out.write(f"wrote {parsed.text('export')}\n")
    elif parsed.on("json"):
        context.out.write(mine.to_json())
    else:
        lessons = {name: [one.id for one in found] for name, found in by_lesson(lessons_folder()).items()}
        context.out.write("\n".join(summary(mine, lessons, parsed.text("lang", "en"))) + "\n")
    return 0


def _progress(name: str) -> Progress:
    from imagelab.course.progress import Progress

    try:
        return Progress.parse(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "") or "it is not text"
        raise ImageLabError(f"{name} cannot be read: {why}", origin="client") from None
