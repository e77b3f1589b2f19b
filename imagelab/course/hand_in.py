"""A hand-in, read at one edge: bytes that somebody else wrote become values, or one sentence.

    notebook ── parse_notebook ──> Cells (its code, the lesson it says it is)   ┐
    progress ── parse_records ───> exercise ID -> HandInLog (entries, or a problem)   ┴─> HandIn

Nothing here is believed, and nothing is run. What is wrong with the whole notebook is a HandInError, and costs that
learner the notebook; what is wrong with one record of the progress file costs that exercise; a progress file that is
none costs the log, and the cells count. Behind this edge everything has its type and its size.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagelab.course.printable import printable
from imagelab.errors import ImageLabError
from imagelab.oci.digest import Digest
from imagelab.state.steps import Entry, TimelineError, read_log

NOTEBOOK_LIMIT = 20_000_000
"""Bytes of a notebook, pictures in its outputs included."""
PROGRESS_LIMIT = 50_000_000
"""Bytes of a progress file: it holds what builds and archives read."""
LOG_LINES = 2_000
"""Lines of one exercise's log, and commands of one exercise's cells."""


class HandInError(ImageLabError):
    """A file that cannot be graded, as one sentence."""

    origin = "client"


@dataclass(frozen=True, slots=True)
class HandInLog:
    """What the progress file says was done in one exercise. `problem`: why it is not to be used, as a sentence."""

    entries: tuple[Entry, ...] = ()
    lines: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Cells:
    """A notebook's code, and the lesson that its metadata names ("": none)."""

    sources: tuple[str, ...]
    lesson: str = ""


@dataclass(frozen=True, slots=True)
class HandIn:
    """What one learner handed in for a lesson. `problems`: what had to be left out, a sentence each; `digest`: of all its
    bytes."""

    cells: Cells
    logs: Mapping[str, HandInLog] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    digest: str = ""


def hand_in(notebook: bytes | None, progress: bytes | None = None) -> HandIn:
    """Both files as values; HandInError when the notebook is none. A progress file that is none is a problem, and no more."""
    cells = parse_notebook(notebook) if notebook is not None else Cells(())
    logs: Mapping[str, HandInLog] = {}
    problems: tuple[str, ...] = ()
    try:
        logs = parse_records(progress) if progress is not None else {}
    except HandInError as error:
        problems = (str(error),)
    return HandIn(cells, logs, problems, Digest.of((notebook or b"") + b"\0" + (progress or b"")))


# -- a file ---------------------------------------------------------------------------------------------------


def read_file(file: Path, limit: int = NOTEBOOK_LIMIT) -> bytes:
    """The bytes of an ordinary file that is no link. HandInError: a pipe, a device or a link would read something else."""
    name = printable(file.name)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if file.is_symlink():
            raise HandInError(f"{name} is a link to another file: hand-ins are ordinary files")
        with open(os.open(file, flags), "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise HandInError(f"{name} is not an ordinary file")
            data = opened.read(limit + 1)
    except (OSError, ValueError) as error:
        raise HandInError(f"{name} cannot be read: {getattr(error, 'strerror', '') or 'its name is none'}") from None
    return within(data, limit, name)


def within(data: bytes, limit: int, name: str) -> bytes:
    """The same bytes. HandInError when there are too many."""
    if len(data) > limit:
        raise HandInError(f"{name} is larger than {limit // 1_000_000} MB")
    return data


# -- JSON -----------------------------------------------------------------------------------------------------


def parse_json(data: bytes, what: str) -> Any:
    """Any JSON value without the numbers that JSON does not have. HandInError, which begins with `what`."""
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_no_number, parse_float=_finite, parse_int=_whole)
    except UnicodeDecodeError:
        raise HandInError(f"{what} is not UTF-8 text") from None
    except RecursionError:
        raise HandInError(f"{what} is nested too deeply") from None
    except ValueError:
        raise HandInError(f"{what} is not JSON") from None


def _no_number(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def _whole(text: str) -> int:
    if len(text) > 19:
        raise ValueError(text)
    return int(text)


# -- a notebook -----------------------------------------------------------------------------------------------


def parse_notebook(data: bytes) -> Cells:
    """The code cells of a notebook of format 4. HandInError."""
    match parse_json(within(data, NOTEBOOK_LIMIT, "the notebook"), "the notebook"):
        case {"cells": list(cells), **rest}:
            found = tuple(_source(cell) for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code")
            return Cells(found, _lesson(rest.get("metadata")))
    raise HandInError("the notebook is not one: it has no list of cells")


def _source(cell: Mapping[str, Any]) -> str:
    """A cell's text, which is a string or a list of its lines; "" for anything else."""
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else ""


def _lesson(metadata: object) -> str:
    match metadata:
        case {"imagelab": {"lesson": str(lesson)}}:
            return lesson
    return ""


# -- a progress file ------------------------------------------------------------------------------------------


def parse_records(data: bytes) -> dict[str, HandInLog]:
    """The log of each exercise in a progress file. HandInError when it is none."""
    match parse_json(within(data, PROGRESS_LIMIT, "the progress file"), "the progress file"):
        case {"version": int(version), "exercises": dict(records)}:
            if version > 1:
                raise HandInError("the progress file is of a newer imagelab: update imagelab")
            return {name: _log(record) for name, record in records.items()}
    raise HandInError("the progress file is not one: it has no exercises")


def _log(record: object) -> HandInLog:
    match record:
        case {"log": list(lines)} if all(isinstance(line, str) for line in lines):
            return parse_log(tuple(lines))
        case {"log": _}:
            return HandInLog(problem="the record's log is not a list of lines")
        case dict():
            return HandInLog()
    return HandInLog(problem="the record in the progress file is none")


def parse_log(lines: tuple[str, ...]) -> HandInLog:
    """The entries of a log, its chain looked at."""
    if not lines:
        return HandInLog()
    if len(lines) > LOG_LINES:
        return HandInLog(problem=f"the log has more than {LOG_LINES} lines")
    try:
        entries = tuple(read_log(lines))
    except (TimelineError, RecursionError, UnicodeEncodeError) as error:
        return HandInLog(problem=str(error) if isinstance(error, TimelineError) else "the log is not text")
    for number, entry in enumerate(entries, 1):
        if any(not is_typed(word) for word in entry.command):
            return HandInLog(problem=f"step {number} of the log has what cannot be typed: {said(entry)}")
    return HandInLog(entries, lines)


def said(entry: Entry) -> str:
    """A step as a line of a report."""
    return printable("docker " + " ".join(entry.command))


def is_typed(word: str) -> bool:
    """Could this be part of a command? Not with a NUL, and not with half a character."""
    return "\0" not in word and not any("\ud800" <= character <= "\udfff" for character in word)
