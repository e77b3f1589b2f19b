"""Nobody who worked honestly is refused: what containers did by themselves, or side by side, can be done again from the log."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import imagelab
from imagelab.app import Lab
from imagelab.cli.main import run
from imagelab.course import catalog
from imagelab.course.exercise import prepare
from imagelab.course.grade import grade
from imagelab.course.record import written
from imagelab.runtime.runner import wait_until
from imagelab.state.steps import Standing, read_log, write_log

EXERCISE = catalog.exercise("own-page")
LOOP = "while :; do date >> /log; sleep 0.2; done"


def elsewhere(lab: Lab, *words: str) -> subprocess.Popen[bytes]:
    """The same lab from another window."""
    line = [sys.executable, "-m", "imagelab", "--lab", str(lab.store.directory), *words]
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def is_running(lab: Lab, name: str) -> bool:
    return any(one.name == name and one.status == "running" for one in lab.containers(all=True))


def shells_in_the_background(lab: Lab) -> None:
    lab.docker("run -dit --name box nginx bash")
    lab.docker("run -dt --name other nginx sh")
    lab.docker("exec box sh -c 'echo hi > /note'")
    lab.docker("commit box box:1")


def one_that_ends_alone(lab: Lab) -> None:
    lab.docker("run -d --name box nginx sleep 0.5")
    lab.docker("run -d --name other nginx sh -c 'sleep 0.5; echo x > /x; exit 3'")
    lab.tag("nginx", "before:1")
    assert wait_until(lambda: not is_running(lab, "box") and not is_running(lab, "other"))
    lab.tag("nginx", "after:1")


def a_loop_that_writes_the_date(lab: Lab) -> None:
    lab.docker(["run", "-d", "--name", "box", "nginx", "sh", "-c", LOOP])
    time.sleep(0.7)
    lab.tag("nginx", "before:1")
    time.sleep(0.5)
    lab.docker("pause box")
    lab.docker("commit box box:1")
    lab.docker("unpause box")
    lab.docker("stop -t 1 box")
    lab.tag("nginx", "after:1")


def a_foreground_that_is_stopped_from_outside(lab: Lab) -> None:
    window = elsewhere(lab, "run", "--name", "box", "nginx")
    assert wait_until(lambda: is_running(lab, "box"), 60)
    assert wait_until(lambda: lab.docker("exec box cat /run/nginx.pid").exit_code == 0, 60)
    lab.tag("nginx", "meanwhile:1")
    lab.docker("stop box")
    window.wait(60)
    lab.tag("nginx", "after:1")


def pulls_side_by_side(lab: Lab) -> None:
    for window in [elsewhere(lab, "pull", name) for name in ("ubuntu:14.04", "redis")]:
        assert window.wait(120) == 0
    lab.tag("redis", "after:1")


def an_undo_while_one_runs(lab: Lab) -> None:
    lab.docker(["run", "-d", "--name", "box", "nginx", "sh", "-c", "echo x >> /log; sleep 1000"])
    lab.tag("nginx", "before:1")
    lab.undo()
    lab.tag("nginx", "other:1")
    lab.docker("stop -t 0 box")
    lab.undo()
    assert wait_until(lambda: lab.docker("exec box cat /log").stdout == "x\nx\n")
    lab.tag("nginx", "after:1")


def signals(lab: Lab) -> None:
    lab.docker(
        [
            "run",
            "-d",
            "--name",
            "box",
            "nginx",
            "sh",
            "-c",
            "trap 'echo bye > /bye; exit 7' TERM; while :; do sleep 0.05; done",
        ]
    )
    lab.docker("run -d --name web nginx")
    lab.docker("stop -t 5 box web")
    lab.docker("start web")
    lab.docker("kill web")
    lab.tag("nginx", "after:1")


def a_port_that_is_taken(lab: Lab) -> None:
    lab.docker("run -d --name web -p 8080:80 nginx")
    assert lab.docker("run -d --name other -p 8080:80 nginx").exit_code == 125
    lab.tag("nginx", "after:1")


SESSIONS = [
    shells_in_the_background, one_that_ends_alone, a_loop_that_writes_the_date, a_foreground_that_is_stopped_from_outside,
    pulls_side_by_side, an_undo_while_one_runs, signals, a_port_that_is_taken,
]  # fmt: skip


def log_of(folder: Path, session: Callable[[Lab], None]) -> tuple[str, ...]:
    lab = imagelab.connect(folder, environ={}, clock="class", ports="private")
    lab.store.remember("clock", "class")
    try:
        prepare(lab, EXERCISE.start)
        session(lab)
        return written(lab)
    finally:
        for container in lab.containers(all=True):
            container.remove(force=True)
        lab.close()


def replayed(folder: Path, log: Sequence[str]) -> tuple[int, str]:
    """`imagelab replay`, in an empty lab; nothing of it goes on."""
    out = io.StringIO()
    with_lab = imagelab.connect(folder, environ={}, clock="class", ports="private")
    code = run(["replay", "-"], stdin=io.StringIO("\n".join(log)), stdout=out, stderr=out, environ={}, lab=with_lab)
    for container in with_lab.containers(all=True):
        container.remove(force=True)
    with_lab.close()
    return code, out.getvalue()


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.__name__)
def test_an_honest_log_is_done_again(tmp_path: Path, session: Callable[[Lab], None]) -> None:
    log = log_of(tmp_path / "live", session)
    assert grade(EXERCISE, log).problem == ""
    code, said = replayed(tmp_path / "again", log)
    assert code == 0, said


def test_what_a_log_says_of_a_container_is_not_believed(tmp_path: Path) -> None:
    """A program does what it does: another end, or other files, are refused, and the step is named."""
    entries = read_log(log_of(tmp_path / "live", one_that_ends_alone))
    at, entry = next(
        (at, one) for at, one in enumerate(entries) if any(not after.running for after in one.after.values())
    )
    for change in ({"exit_code": 0, "status": "exited"}, {"files": "sha256:" + "0" * 64}, {"status": "running"}):
        forged = {
            key: replace(after, **change) if after.exit_code == 3 else after for key, after in entry.after.items()
        }
        if forged == dict(entry.after):
            continue
        log = tuple(write_log([*entries[:at], replace(entry, after=forged, state="sha256:" + "1" * 64), *entries[at + 1 :]]))  # fmt: skip
        assert grade(EXERCISE, log).problem.startswith(f"step {at + 1} of the log leaves another lab than the log says")


def test_a_log_says_what_went_on_by_itself_and_nothing_else(tmp_path: Path) -> None:
    log = log_of(tmp_path / "live", lambda lab: lab.tag("nginx", "web:1"))
    assert all("after" not in json.loads(line) and "at" not in json.loads(line) for line in log)
    assert Standing("", "paused").running
