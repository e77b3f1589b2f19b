"""The process in which a hand-in's commands are done again. `grading_process` starts it, and reads its answers.

    stdin    one line of JSON: a nonce, limits, and exercises with their logs or lines
    stdout   a line of JSON for each, with the nonce, as soon as it is graded

The limits are set, and standard output is put out of reach, before anything that a learner wrote is looked at. The nonce
is known to this process's memory and to the parent: whatever commands print, or write into a file that leads to the pipe,
is no answer. What goes wrong here ends the process, and the parent says which exercise it was at.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from imagelab.oci.digest import Digest
from imagelab.state.steps import Entry, write_log


def main() -> None:
    """Grade what standard input asks for."""
    answers = _answers()
    request = json.loads(sys.stdin.buffer.readline())
    nonce = request["nonce"]
    limit(request["limits"])
    from imagelab.course import grade  # noqa: F401 - what takes long is loaded before the clock runs

    _answer(answers, {"nonce": nonce, "ready": True})
    for task in request["tasks"]:
        _answer(answers, {"nonce": nonce} | graded(task))
    answers.close()
    os._exit(0)  # a thread of a container that goes on does not hold the process


def _answers() -> TextIO:
    """The pipe to the parent, under another number; what is printed from now on goes nowhere."""
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    return os.fdopen(kept, "w", encoding="ascii", newline="\n")


def _answer(answers: TextIO, answer: Mapping[str, Any]) -> None:
    answers.write("\n" + json.dumps(answer) + "\n")
    answers.flush()


def graded(task: Mapping[str, Any]) -> dict[str, Any]:
    """One exercise, as JSON."""
    from imagelab.course.catalog import exercise
    from imagelab.course.grade import grade, is_lost

    log = () if task["log"] is None else tuple(write_log(map(_entry, task["log"])))
    lines = () if log else task["lines"]
    found = grade(exercise(task["id"]), log, tuple(lines))
    missing = found.verdict.missing if found.verdict else None
    return {
        "id": task["id"],
        "source": found.source,
        "held": list(found.verdict.held) if found.verdict else [],
        "missing": list(missing) if missing else None,
        "problem": found.problem,
        "left_out": [line for line in lines if is_lost(line)],
    }


def _entry(data: Mapping[str, Any]) -> Entry:
    inputs = {name: base64.b64decode(text) for name, text in data["inputs"].items()}
    state = Digest.trusted(data["state"]) if data["state"] else None
    return Entry(tuple(data["command"]), inputs, data["exit_code"], state)


def limit(limits: Mapping[str, int]) -> None:
    """Set what this process may use. Windows has no such limits; there the parent's clock is the only one."""
    if sys.platform == "win32":
        return
    import resource

    for name, value in limits.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (value, value))
        except (ValueError, OSError):
            continue  # macOS takes some of them for none of its business; the report names the system


if __name__ == "__main__":
    main()
