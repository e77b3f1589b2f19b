"""The course's verbs: progress for learners, check for teachers, lint-lessons and new-lesson for authors."""

from __future__ import annotations

from pathlib import Path

from imagelab.cli.command import Context, command
from imagelab.cli.flags import Flag
from imagelab.errors import ImageLabError

# -- authors ------------------------------------------------------------------------------------------------


@command(
    ("lint-lessons",), "[LESSON...]", "Say what is wrong with lessons: exercises, translations, notebooks",
    Flag("full", "", "bool", "Also run every notebook twice, under other circumstances, and compare"),
    Flag("root", "", "string", "The checkout (else the one that this imagelab runs from)"), most=None, program="imagelab",
)  # fmt: skip
def lint_lessons(context: Context) -> int:
    from imagelab.course.lint import lint

    found = lint(_checkout(context), context.parsed.arguments, full=context.parsed.on("full"))
    context.out.write("".join(f"{sentence}\n" for sentence in found) or "the lessons are as they should be\n")
    return 1 if found else 0


@command(
    ("new-lesson",), "SLUG", "Begin a lesson: a small one that lints, to be written over",
    Flag("root", "", "string", "The checkout (else the one that this imagelab runs from)"), least=1, most=1, program="imagelab",
)  # fmt: skip
def new_lesson(context: Context) -> int:
    from imagelab.course import notebooks
    from imagelab.course.skeleton import new_lesson

    root = _checkout(context)
    folder = new_lesson(root, context.parsed.arguments[0])
    written = notebooks.write(root, [folder / "lesson.md"])
    made = [*sorted(folder.iterdir()), *written]
    context.out.write("".join(f"wrote {file.relative_to(root).as_posix()}\n" for file in made if file.is_file()))
    context.out.write("hint: docs/for-authors.md, and after each change: make notebooks, imagelab lint-lessons\n")
    return 0


def _checkout(context: Context) -> Path:
    from imagelab.course.notebooks import ROOT

    root = Path(context.parsed.text("root") or ROOT).resolve()
    if not (root / "lessons").is_dir():
        raise ImageLabError(f"there are no lessons in {root}", hint="--root names a checkout of imagelab", origin="client")
    return root
