"""What a learner has done, in one JSON file beside the notebooks; it survives restarts, and can be taken along.

    {"version": 1, "exercises": {"moved-tag": {"attempts": 2, "rung": 1, "solved": true, "log": [...]}}}

Only what the learner did is in it, no names and no times. The file is found from where a notebook runs: $IMAGELAB_PROGRESS,
else beside the working copy that `imagelab lab` made, else in the folder itself. Where the lessons as shipped are run (by
a test, or to make them) nothing is written.

Two notebooks may write at once: each change is read, made and written under a lock, and the file is replaced whole. A
damaged file is kept under another name, and a new one begun.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagelab.errors import ImageLabError

if TYPE_CHECKING:
    from imagelab.course.exercise_panel import ExercisePanel

FILE = "imagelab-progress.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Record:
    """One exercise: changes made, the highest rung of help, solved or not, and the commands that led there."""

    attempts: int = 0
    rung: int = -1
    solved: bool = False
    log: tuple[str, ...] = ()

    def better(self, other: Record) -> Record:
        """Of two records of one exercise the one that is further."""
        return max(self, other, key=lambda record: (record.solved, record.attempts))


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything done so far: exercise ID -> its record."""

    records: Mapping[str, Record] = field(default_factory=dict)

    def solved(self, exercise_id: str) -> bool:
        return self.records.get(exercise_id, Record()).solved

    def to_json(self) -> str:
        exercises = {
            name: {"attempts": one.attempts, "rung": one.rung, "solved": one.solved, "log": list(one.log)}
            for name, one in sorted(self.records.items())
        }
        return json.dumps({"version": VERSION, "exercises": exercises}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def parse(cls, text: str) -> Progress:
        """From a file's text. ImageLabError when it is none."""
        try:
            data = json.loads(text)
            if data["version"] > VERSION:
                raise ImageLabError(
                    "this progress file is of a newer imagelab", hint="update imagelab", origin="client"
                )
            records = {str(name): _record(one) for name, one in data["exercises"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ImageLabError(
                "this is not a progress file", hint="imagelab progress --export FILE writes one", origin="client"
            ) from None
        return cls(records)

    def merged(self, other: Progress) -> Progress:
        """Both, and of each exercise the record that is further."""
        return Progress({
            name: self.records.get(name, Record()).better(other.records.get(name, Record()))
            for name in {*self.records, *other.records}
        })  # fmt: skip


def _record(data: Mapping[str, Any]) -> Record:
    return Record(int(data["attempts"]), int(data["rung"]), bool(data["solved"]), tuple(map(str, data.get("log", ()))))


# -- the file -----------------------------------------------------------------------------------------------


def progress_file(environ: Mapping[str, str], folder: Path) -> Path | None:
    """Where progress is kept for a notebook that runs in `folder`; None where none is to be kept."""
    from imagelab.course.shipped_lessons import LESSONS, PRIVATE, shipped

    if asked := environ.get("IMAGELAB_PROGRESS"):
        return Path(asked)
    for place in (folder, *folder.parents, folder / LESSONS):
        if (place / PRIVATE / "lessons.json").is_file():
            return place / FILE
    try:
        ours = folder.resolve().is_relative_to(shipped().resolve())
    except ImageLabError:
        ours = False
    return None if ours else folder / FILE


def read_progress(file: Path | None) -> Progress:
    """What the file says; nothing when there is none. A damaged one counts as none, and stays."""
    if file is None or not file.is_file():
        return Progress()
    try:
        return Progress.parse(file.read_text(encoding="utf-8"))
    except (ImageLabError, UnicodeDecodeError):
        return Progress()


def change_progress(file: Path | None, change: Callable[[Progress], Progress]) -> Progress:
    """Read, change and write; the new one. A damaged file is set aside first. ImageLabError when it cannot be written."""
    from imagelab.store.locks import locked

    if file is None:
        return change(Progress())
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with locked(file.with_name(f".{file.name}.lock")):
            if _is_damaged(file):
                os.replace(file, _free(file))
            new = change(read_progress(file))
            scratch = file.with_name(f".{file.name}.new")
            scratch.write_text(new.to_json(), encoding="utf-8", newline="\n")
            os.replace(scratch, file)
    except OSError as error:
        reason = f"progress cannot be written to {file}: {error.strerror or error}"
        raise ImageLabError(reason, origin="client", hint="IMAGELAB_PROGRESS names another file") from None
    return new


def note(file: Path | None, exercise_id: str, **changes: Any) -> Progress:
    """Change an exercise's record: what is solved stays solved, and the highest rung counts."""

    def change(progress: Progress) -> Progress:
        old = progress.records.get(exercise_id, Record())
        new = replace(old, **changes)
        log = old.log if old.solved and not new.solved else new.log  # another try does not take back how it was solved
        new = replace(new, solved=old.solved or new.solved, rung=max(old.rung, new.rung), log=log)
        return Progress({**progress.records, exercise_id: new})

    return change_progress(file, change)


def _is_damaged(file: Path) -> bool:
    if not file.is_file():
        return False
    try:
        Progress.parse(file.read_text(encoding="utf-8"))
    except (ImageLabError, UnicodeDecodeError):
        return True
    return False


def _free(file: Path) -> Path:
    """`imagelab-progress.json` -> `imagelab-progress.damaged.json`, or with a number."""
    names = (file.with_name(f"{file.stem}.damaged{number or ''}{file.suffix}") for number in range(1000))
    return next(name for name in names if not name.exists())


def here(environ: Mapping[str, str], folder: Path) -> Progress:
    """The progress of whoever works in this folder."""
    return read_progress(progress_file(environ, folder))


# -- what is shown of it ------------------------------------------------------------------------------------


def progress_panel(
    progress: Progress, lessons: Mapping[str, Sequence[str]], lang: str, titles: Mapping[str, str] | None = None
) -> ExercisePanel:  # fmt: skip
    """The same for a notebook: text, and HTML beside it. `titles`: of lessons by slug and of exercises by id."""
    from html import escape

    from imagelab.course.exercise_panel import ExercisePanel
    from imagelab.view.messages import say
    from imagelab.view.style import chip, panel

    head, *_ = lines = summary(progress, lessons, lang)
    titles = titles or {}

    def link(lesson: str) -> str:
        return f'<a href="{escape(lesson)}.ipynb">{escape(titles.get(lesson, lesson))}</a>'

    def chips(names: Sequence[str]) -> str:
        return " ".join(_chip(escape(titles.get(name, name)), progress.solved(name), chip) for name in names)

    rows = "".join(f"<tr><td>{link(lesson)}</td><td>{chips(names)}</td></tr>" for lesson, names in lessons.items())
    body = f'<p>{escape(head)}</p><table class="imagelab-table"><tbody>{rows}</tbody></table>'
    return ExercisePanel(
        "\n".join(lines), panel(body, label=say("course.progress", lang), kind="progress", language=lang)
    )


def _chip(name: str, solved: bool, chip: Callable[[str, str], str]) -> str:
    return chip(f"{'&#9745;' if solved else '&#9744;'} {name}", "added" if solved else "")


def summary(progress: Progress, lessons: Mapping[str, Sequence[str]], lang: str) -> list[str]:
    """Lines: how much is done, then a row for each lesson with a mark for each exercise; at the end the end."""
    from imagelab.view.messages import say

    everything = [name for names in lessons.values() for name in names]
    done = sum(map(progress.solved, everything))
    key = "none" if not done else "all" if done == len(everything) else "some"
    lines = [say(f"course.progress_{key}", lang, done=done, all=len(everything))]
    width = max(map(len, lessons), default=0)
    for lesson, names in lessons.items():
        marks = "  ".join(f"[{'x' if progress.solved(name) else ' '}] {name}" for name in names)
        lines.append(f"{lesson:<{width}}  {marks}")
    return lines
