"""Where exercises are found: beside their lessons, `lessons/<slug>/exercises.py`, each a tuple called EXERCISES.

An installed imagelab carries them along. An exercise's id is unique in the whole course.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from imagelab.course.exercise import Exercise
from imagelab.errors import ImageLabError

FILE = "exercises.py"


def lessons_folder() -> Path:
    """The lessons: $IMAGELAB_LESSONS, else those of this imagelab, in the package, or beside it in a checkout."""
    if asked := os.environ.get("IMAGELAB_LESSONS"):
        return Path(asked)
    package = Path(__file__).parent.parent
    return next((folder for folder in (package / "_lessons", package.parent / "lessons") if folder.is_dir()), package)


def load(file: Path) -> tuple[Exercise, ...]:
    """The exercises of one file. ImageLabError when it has none."""
    spec = spec_from_file_location(f"imagelab_exercises_{file.parent.name.replace('-', '_')}", file)
    if spec is None or spec.loader is None or not file.exists():
        raise ImageLabError(f"{file.parent.name} has no {FILE}", hint="imagelab new-lesson SLUG makes one")
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, NameError, ImportError, TypeError, ValueError, AttributeError) as error:
        raise ImageLabError(f"{file.parent.name}/{FILE} cannot be read: {type(error).__name__}: {error}") from error
    found = getattr(module, "EXERCISES", None)
    if not isinstance(found, tuple):
        raise ImageLabError(f"{file.parent.name}/{FILE} has no EXERCISES", hint="EXERCISES = (Exercise(…), …)")
    return found


@cache
def by_lesson(folder: Path) -> dict[str, tuple[Exercise, ...]]:
    """Lesson -> its exercises, lessons in order."""
    return {file.parent.name: load(file) for file in sorted(folder.glob(f"*/{FILE}"))}


def titles(folder: Path, lang: str) -> dict[str, str]:
    """What lessons (by slug) and exercises (by id) are called in a language."""
    found: dict[str, str] = {}
    for slug, exercises in by_lesson(folder).items():
        found[slug] = _title(folder / slug / "lesson.md", lang) or slug
        found |= {one.id: one.title.in_(lang) for one in exercises}
    return found


def _title(lesson: Path, lang: str) -> str:
    """The first heading of a lesson in a language; "" where there is none."""
    prose = lesson.read_text(encoding="utf-8").split(f'+++ {{"lang": "{lang}"}}', 1) if lesson.is_file() else []
    heading = re.search(r"^# (.+)$", prose[1], re.M) if len(prose) == 2 else None
    return heading[1].strip() if heading else ""


def exercises(folder: Path | None = None) -> Iterator[Exercise]:
    """All exercises, in the course's order."""
    for found in by_lesson(folder or lessons_folder()).values():
        yield from found


def exercise(name: str, folder: Path | None = None) -> Exercise:
    """The exercise of that id. ImageLabError, with those that come near, when there is none."""
    from difflib import get_close_matches

    known = {one.id: one for one in exercises(folder)}
    if name not in known:
        near = get_close_matches(name, known, n=3, cutoff=0.5) or list(known)
        raise ImageLabError(f"no exercise is called {name!r}", origin="client", hint=f"there is {', '.join(near)}")
    return known[name]
