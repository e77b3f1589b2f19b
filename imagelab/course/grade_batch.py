"""A class graded: every hand-in of a folder, some at a time, and nothing twice.

    collect ──> lesson of each ──> grade_hand_in, in `jobs` threads that each watch one process ──> Row of each learner

One bad hand-in costs its learner, never the batch. What is graded is kept in a file, under the digest of the hand-in, the
lesson and this imagelab; what a limit stopped is not kept, and is tried again the next time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from imagelab.course.catalog import FILE
from imagelab.course.collect import Refused, Submission, collect
from imagelab.course.grading import Lessons, Result, grade_hand_in, lesson_of, unknown_exercises
from imagelab.course.grading_process import TIMEOUT
from imagelab.course.grading_walls import Walls
from imagelab.course.hand_in import HandIn, HandInError, hand_in
from imagelab.course.printable import printable
from imagelab.course.roster import Learner, matched, plain
from imagelab.errors import ImageLabError
from imagelab.oci.digest import Digest

Steps = Mapping[str, tuple[tuple[str, ...], ...]]
"""Exercise -> the commands of its log, with the digests of what they read."""


@dataclass(frozen=True, slots=True)
class Graded:
    """One submission, graded. `problems`: what had to be left out, or why there is nothing, a sentence each."""

    learner: str
    lesson: str
    path: str
    results: tuple[Result, ...] = ()
    problems: tuple[str, ...] = ()
    steps: Steps = field(default_factory=dict)
    kept: bool = False
    """From the file of an earlier run."""


@dataclass(frozen=True, slots=True)
class Row:
    """One learner: the result of every exercise that was to be done (None: nothing was handed in), and what is to be said."""

    learner: Learner
    results: Mapping[str, Result | None]
    problems: tuple[str, ...] = ()
    steps: Steps = field(default_factory=dict)

    @property
    def solved(self) -> int:
        return sum(one is not None and one.solved for one in self.results.values())

    @property
    def missing(self) -> bool:
        return all(one is None for one in self.results.values()) and not self.problems

    @property
    def source(self) -> str:
        """Where the commands came from: "log", "cells", both, or "nothing"."""
        sources = {one.source for one in self.results.values() if one is not None} - {"nothing"}
        return "+".join(sorted(sources, reverse=True)) or "nothing"


@dataclass(frozen=True, slots=True)
class Batch:
    """A class, graded."""

    lessons: Lessons
    rows: tuple[Row, ...]
    walls: Walls
    timeout: float
    anew: int = 0
    """Hand-ins that were graded now."""
    known: int = 0
    """Hand-ins that an earlier run has graded."""

    @property
    def exercises(self) -> list[str]:
        return [one.id for exercises in self.lessons.values() for one in exercises]

    @property
    def all_solved(self) -> bool:
        return bool(self.rows) and all(row.solved == len(self.exercises) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a batch is to be graded."""

    lessons: Lessons
    walls: Walls
    timeout: float = TIMEOUT
    jobs: int = 1
    only: tuple[str, ...] = ()
    """Lessons to be graded (empty: all that somebody handed in)."""


Notice = Callable[[int, int], None]


def grade_batch(
    place: Path,
    plan: Plan,
    roster: Sequence[Learner] = (),
    cache: Cache | None = None,
    notice: Notice = lambda *_: None,
) -> Batch:
    """Grade all of a folder or a ZIP. `notice` is told how many of how many are done. HandInError when it is none."""
    submissions, refused = collect(place, [plain(name) for one in roster for name in one.names()])
    cache = cache or Cache(None)
    read = [_read(one, plan) for one in submissions]
    chosen = list(_chosen(read, plan))
    graded = [*_all(chosen, plan, cache, notice), *(one for one in read if isinstance(one, Graded))]
    cache.write()
    wanted = plan.only or tuple(slug for slug in plan.lessons if any(one.lesson == slug for one in graded))
    lessons = {slug: plan.lessons[slug] for slug in wanted}
    rows = tuple(_rows(graded, refused, roster, lessons))
    anew, known = (sum(bool(one.results) and one.kept is kept for one in graded) for kept in (False, True))
    return Batch(lessons, rows, plan.walls, plan.timeout, anew, known)


# -- reading ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Job:
    """A submission that can be graded. It is read again when its turn comes, so that a class needs no more memory than a
    hand-in."""

    submission: Submission
    lesson: str
    digest: str


def _value(submission: Submission) -> HandIn:
    """HandInError when the notebook cannot be read; a progress file that cannot be is a problem of the hand-in."""
    notebook = submission.notebook.read() if submission.notebook else None
    try:
        progress = submission.progress.read() if submission.progress else None
    except HandInError as error:
        found = hand_in(notebook)
        return HandIn(found.cells, {}, (str(error),), found.digest)
    return hand_in(notebook, progress)


def _read(submission: Submission, plan: Plan) -> list[Job] | Graded:
    """What is to be graded: a notebook's lesson; of a progress file alone, every lesson that it knows of."""
    try:
        value = _value(submission)
        if submission.notebook is None:
            slugs = [slug for slug, ones in plan.lessons.items() if any(one.id in value.logs for one in ones)]
        else:
            slugs = [lesson_of(submission.path, value, plan.lessons)]
    except HandInError as error:
        name = printable(submission.path.name)
        return Graded(submission.learner, "", str(submission.path), problems=(f"{name}: {error}",))
    return [Job(submission, slug, value.digest) for slug in slugs if not plan.only or slug in plan.only]


def _chosen(read: Iterable[list[Job] | Graded], plan: Plan) -> Iterator[Job]:
    """One notebook a learner and lesson: the one that was written last."""
    best: dict[tuple[str, str], Job] = {}
    for job in (job for jobs in read if isinstance(jobs, list) for job in jobs):
        key = (job.submission.learner, job.lesson)
        if key not in best or _age(job) >= _age(best[key]):
            best[key] = job
    yield from best.values()


def _age(job: Job) -> float:
    return job.submission.notebook.written if job.submission.notebook else 0.0


# -- grading ------------------------------------------------------------------------------------------------------


def _all(jobs: Sequence[Job], plan: Plan, cache: Cache, notice: Notice) -> list[Graded]:
    """Every job's outcome, in order, `plan.jobs` at a time."""
    notice(0, len(jobs))
    with ThreadPoolExecutor(max_workers=max(1, plan.jobs)) as pool:
        futures = [pool.submit(_graded, job, plan, cache) for job in jobs]
        try:
            left: set[Future[Graded]] = set(futures)
            while left:
                done, left = wait(left, timeout=0.2, return_when="FIRST_COMPLETED")
                if done:
                    notice(len(jobs) - len(left), len(jobs))
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    return [one.result() for one in futures]


def _graded(job: Job, plan: Plan, cache: Cache) -> Graded:
    exercises = plan.lessons[job.lesson]
    learner, path = job.submission.learner, str(job.submission.path)
    try:
        value = _value(job.submission)
        problems = value.problems + tuple(
            f"no exercise of the course is called `{name}`" for name in unknown_exercises(value, plan.lessons)[:5]
        )
        steps = {one.id: _steps(value, one.id, len(one.start)) for one in exercises}
        key = cache.key(job.digest, job.lesson, plan.timeout)
        results = cache.get(key)
        kept = results is not None
        if results is None:
            results = grade_hand_in(value, exercises, plan.walls, plan.timeout)
            cache.put(key, results)
    except ImageLabError as error:
        return Graded(learner, job.lesson, path, problems=(printable(str(error), 400),))
    return Graded(learner, job.lesson, path, results, problems, steps, kept)


def _steps(value: HandIn, exercise_id: str, start: int) -> tuple[tuple[str, ...], ...]:
    log = value.logs.get(exercise_id)
    entries = log.entries[start:] if log else ()
    return tuple((*one.command, *(Digest.of(data) for _, data in sorted(one.inputs.items()))) for one in entries)


# -- rows ---------------------------------------------------------------------------------------------------------


def _rows(
    graded: Sequence[Graded], refused: Sequence[Refused], roster: Sequence[Learner], lessons: Lessons
) -> Iterator[Row]:
    """The roster in its order, then who is not on it."""
    whose: dict[str, Learner] = {}
    for name in sorted({one.learner for one in graded} | {one.learner for one in refused}):
        whose[name] = matched(name, roster) or Learner(name=name)
    learners = [*roster, *(one for one in dict.fromkeys(whose.values()) if one not in roster)]
    for learner in learners:
        own = [one for one in graded if whose[one.learner] == learner]
        told = tuple(one.sentence for one in refused if whose[one.learner] == learner)
        yield _row(learner, own, told, lessons)


def _row(learner: Learner, graded: Sequence[Graded], told: tuple[str, ...], lessons: Lessons) -> Row:
    results: dict[str, Result | None] = {one.id: None for ones in lessons.values() for one in ones}
    steps: dict[str, tuple[tuple[str, ...], ...]] = {}
    for one in graded:
        results |= {result.exercise_id: result for result in one.results if result.exercise_id in results}
        steps |= one.steps
    problems = tuple(problem for one in graded for problem in one.problems)
    return Row(learner, results, problems + told, steps)


# -- what is known ------------------------------------------------------------------------------------------------


class Cache:
    """Results by what they were made of, in one file (None: nowhere). A damaged file counts as none."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[str, list[object]] = {}
        if file is not None and file.is_file():
            self._known = _known(file)

    def key(self, digest: str, lesson: str, timeout: float) -> str:
        """The hand-in, the lesson's exercises, and this imagelab."""
        from imagelab.output.version import VERSION

        return Digest.of("\n".join([digest, lesson, _exercises(lesson), VERSION, f"{timeout:g}"]).encode())

    def get(self, key: str) -> tuple[Result, ...] | None:
        try:
            return tuple(map(Result.parse, self._known[key]))
        except (KeyError, ValueError):
            return None

    def put(self, key: str, results: Sequence[Result]) -> None:
        if not any(one.interrupted for one in results):
            self._known[key] = [one.to_json() for one in results]

    def write(self) -> None:
        """Keep it for the next time. HandInError when that cannot be."""
        if self._file is None:
            return
        scratch = self._file.with_name(f".{self._file.name}.new")
        try:
            scratch.write_text(json.dumps({"version": 1, "results": self._known}, ensure_ascii=True), encoding="ascii")
            os.replace(scratch, self._file)
        except OSError as error:
            raise HandInError(f"{self._file} cannot be written: {error.strerror or error}") from None


def _known(file: Path) -> dict[str, list[object]]:
    try:
        match json.loads(file.read_text(encoding="utf-8")):
            case {"version": 1, "results": dict(results)}:
                return {str(key): found for key, found in results.items() if isinstance(found, list)}
    except (OSError, ValueError, RecursionError):
        pass
    return {}


def _exercises(lesson: str) -> str:
    """The digest of a lesson's exercises."""
    from imagelab.course.catalog import lessons_folder

    file = lessons_folder() / lesson / FILE
    return Digest.of(file.read_bytes()) if file.is_file() else ""
