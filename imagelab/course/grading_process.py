"""Do a hand-in's commands again in a process of their own, that can be stopped and is not believed.

    tasks ──> process in its walls, an empty folder, an empty environment ──> a line of JSON each, or a sentence

One process does a whole hand-in, exercise after exercise; each has the same seconds. Where the process is stopped, or ends
by itself, that exercise is lost, and another process goes on with the next. At the end of each everything that was started
in it is ended: its process group, and with namespaces all that is in them.

An answer counts only with the nonce that this process was given, and only in the shape that it has to have; more than
`ANSWER_LIMIT` bytes of answers end it.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import IO, Any

from imagelab.course.bilingual import Words
from imagelab.course.catalog import lessons_folder
from imagelab.course.grading_walls import INSIDE, Walls, start_line
from imagelab.state.steps import Entry

ANSWER_LIMIT = 4_000_000
START_SECONDS = 60
"""For the interpreter and imagelab to be loaded, on a slow machine."""
TIMEOUT = 20.0
MEMORY = 2_000_000_000
FILE_SIZE = 256_000_000
PROCESSES = 512


@dataclass(frozen=True, slots=True)
class Task:
    """One exercise to be graded: by its log, or else by the lines of its cells."""

    exercise_id: str
    log: tuple[Entry, ...] | None = None
    lines: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        return "log" if self.log is not None else "cells" if self.lines else "nothing"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a task. `problem`: why there is no verdict, or the log is not believed; `left_out`: lines of cells that
    are not done again."""

    held: tuple[bool, ...] = ()
    missing: Words | None = None
    problem: Words | None = None
    left_out: tuple[str, ...] = ()
    interrupted: bool = False
    """Stopped by a limit, or ended without an answer: another time, or on another machine, it may be otherwise."""


def carry_out(tasks: Sequence[Task], walls: Walls, timeout: float = TIMEOUT) -> Iterator[Answer]:
    """An answer for each task, in order."""
    done = 0
    while done < len(tasks):
        for answer in _one_process(tasks[done:], walls, timeout):
            done += 1
            yield answer


def _one_process(tasks: Sequence[Task], walls: Walls, timeout: float) -> Iterator[Answer]:
    """Answers until one is a problem of the process itself; at least one."""
    nonce = secrets.token_hex(16)
    with _started(walls) as (process, lines):
        _send(process, tasks, nonce, timeout)
        first = next_answer(lines, nonce, START_SECONDS)
        if first is None or not first.get("ready"):
            yield _lost(process, START_SECONDS, first)
            return
        for task in tasks:
            found = next_answer(lines, nonce, timeout)
            answer = read_answer(found, task) if found else None
            yield answer or _lost(process, timeout, found)
            if answer is None:
                return


def _send(process: subprocess.Popen[bytes], tasks: Sequence[Task], nonce: str, timeout: float) -> None:
    seconds = int(timeout * len(tasks)) + START_SECONDS
    limits = {"RLIMIT_CPU": seconds, "RLIMIT_AS": MEMORY, "RLIMIT_FSIZE": FILE_SIZE, "RLIMIT_NPROC": PROCESSES, "RLIMIT_CORE": 0, "RLIMIT_NOFILE": 512}  # fmt: skip
    request = {"nonce": nonce, "limits": limits, "tasks": [_task(task) for task in tasks]}
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.close()
    except OSError:
        return  # it has ended; what it did not answer says so


def _task(task: Task) -> dict[str, Any]:
    log = [
        {
            "command": entry.command,
            "inputs": {name: base64.b64encode(data).decode() for name, data in entry.inputs.items()},
            "exit_code": entry.exit_code,
            "state": entry.state,
        }
        for entry in task.log or ()
    ]
    return {"id": task.exercise_id, "log": log if task.log is not None else None, "lines": task.lines}


# -- the process ----------------------------------------------------------------------------------------------


@contextmanager
def _started(walls: Walls) -> Iterator[tuple[subprocess.Popen[bytes], queue.Queue[bytes | None]]]:
    """The process, and the lines that it writes (None at the end); everything it started is ended, and its folder gone."""
    with TemporaryDirectory(prefix="imagelab-grading-", ignore_cleanup_errors=True) as folder:
        inside = INSIDE if walls.own_folder else folder
        process = subprocess.Popen(
            start_line(walls), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder,
            env=environment(inside, os.environ), start_new_session=True, close_fds=True,
        )  # fmt: skip
        lines: queue.Queue[bytes | None] = queue.Queue()
        assert process.stdin is not None and process.stdout is not None
        reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
        reader.start()
        try:
            yield process, lines
        finally:
            end(process)
            reader.join(timeout=5)
            process.stdin.close()
            process.stdout.close()


def end(process: subprocess.Popen[bytes]) -> None:
    """End it, and what it started."""
    if sys.platform != "win32":
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.kill()
    process.wait()


def environment(folder: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the teacher's: every place that a program looks for is the scratch folder."""
    places = dict.fromkeys(
        ("HOME", "USERPROFILE", "TMPDIR", "TMP", "TEMP", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), folder
    )
    system = {name: environ[name] for name in ("SYSTEMROOT", "SystemRoot", "WINDIR") if name in environ}
    return {
        **places, **system, "PATH": os.defpath, "IMAGELAB_HOME": str(Path(folder) / "lab"),
        "IMAGELAB_LESSONS": str(lessons_folder().resolve()), "LANG": "C.UTF-8", "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "80",
    }  # fmt: skip


def _read(pipe: IO[bytes], lines: queue.Queue[bytes | None]) -> None:
    """Put what comes into the queue, up to a limit."""
    left = ANSWER_LIMIT
    try:
        while left > 0 and (line := pipe.readline(left)):
            left -= len(line)
            lines.put(line)
    except (OSError, ValueError):
        pass
    lines.put(None)


def next_answer(lines: queue.Queue[bytes | None], nonce: str, seconds: float) -> dict[str, Any] | None:
    """The next line that has the nonce. {} when the process has ended, None when its time is over."""
    end_at = monotonic() + seconds
    while (left := end_at - monotonic()) > 0:
        try:
            line = lines.get(timeout=left)
        except queue.Empty:
            return None
        if line is None:
            return {}
        if (answer := _with_nonce(line, nonce)) is not None:
            return answer
    return None


def _with_nonce(line: bytes, nonce: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("nonce") == nonce else None


# -- what it says ---------------------------------------------------------------------------------------------


def read_answer(found: Mapping[str, Any], task: Task) -> Answer | None:
    """An answer in its types; None when it has another shape, or is for another task."""
    match found:
        case {"id": task.exercise_id, "held": list(held), "missing": missing, "problem": str(problem), "left_out": list(left_out)} if (
            all(isinstance(one, bool) for one in held) and all(isinstance(one, str) for one in left_out)
        ):  # fmt: skip
            return Answer(tuple(held), _words(missing), Words(problem, problem) if problem else None, tuple(left_out))
    return None


def _words(found: object) -> Words | None:
    match found:
        case [str(en), str(zh)]:
            return Words(en, zh)
    return None


def _lost(process: subprocess.Popen[bytes], seconds: float, found: Mapping[str, Any] | None) -> Answer:
    """Why there is no answer."""
    if found is None:
        words = Words("it was stopped after {seconds:g} seconds", "运行超过 {seconds:g} 秒，已停止").with_(
            seconds=seconds
        )
        return Answer(problem=words, interrupted=True)
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        code = 0
    if -code in _STOPPED or code - 128 in _STOPPED:
        words = Words("it was stopped: it used more than its share of the machine", "占用资源超过限制，已停止")
    else:
        words = Words(
            "it could not be done again: the process ended with exit code {code}", "无法重做：进程以退出码 {code} 结束"
        ).with_(code=code)
    return Answer(problem=words, interrupted=True)


_STOPPED = {number for name in ("SIGXCPU", "SIGXFSZ", "SIGKILL") if (number := int(getattr(signal, name, 0)))}
