"""Malicious hand-ins: what they may do to the teacher's machine, behind each wall and by the guard alone.

Cases of `WRITES` and `READS` are tried by `HostAccess` alone, in this process, and behind the walls.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imagelab.course import grading_walls
from imagelab.course.catalog import exercise
from imagelab.course.cells import commands_in
from imagelab.course.exercise import perform
from imagelab.course.grade import grade
from imagelab.course.grading_process import Answer, Task, carry_out, environment, next_answer, read_answer
from imagelab.course.grading_walls import Walls, walls
from imagelab.course.hand_in import parse_log
from imagelab.course.record import written
from imagelab.course.trial import clean_lab
from imagelab.state.steps import Entry, read_log, write_log

NAME = "moved-tag"
BARE = grading_walls._bare()
STAND = walls()
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits: docs/for-teachers.md")
BOX = "run --name box busybox sh -c 'echo hello > /p'"

WRITES = {
    "save -o quoted": ['save -o "{out}/x" mongo:3.2'],
    "save -o glued": ["save -o{out}/x mongo:3.2"],
    "save --output=": ["save --output={out}/x mongo:3.2"],
    "save --output= quoted": ["save '--output={out}/x' mongo:3.2"],
    "image save": ["image save -o '{out}/x' mongo:3.2"],
    "save through dots": ["save -o ../../../../../../../../../../../../../{out}/x mongo:3.2"],
    "may fail": ["- save -o '{out}/x' mongo:3.2"],
    "substitution": ["tag $(docker save -o {out}/x mongo:3.2) y:1"],
    "export -o": [BOX, 'export -o "{out}/x" box'],
    "container export": [BOX, "container export -o '{out}/x' box"],
    "cp out": [BOX, 'cp box:/p "{out}/x"'],
    "container cp out": [BOX, "container cp box:/p '{out}/x'"],
    "cp through a link": [
        "run --name box busybox sh -c 'echo hi > /p; ln -s {out} /l'",
        "cp box:/l .",
        "cp box:/p l/x",
    ],
    "save through a link": ["run --name box busybox ln -s {out} /l", "cp box:/l l", "save -o l/x mongo:3.2"],
    "cidfile": ["run --cidfile {out}/x busybox true"],
    "cidfile=": ["create --cidfile={out}/x busybox true"],
    "container run cidfile": ["container run --cidfile {out}/x busybox true"],
    "iidfile": ["build --iidfile {out}/x -\nFROM busybox"],
    "iidfile=": ["build -q '--iidfile={out}/x' -\nFROM busybox"],
    "image build iidfile": ["image build --iidfile '{out}/x' -\nFROM busybox"],
    "bind": ["run -v {out}:/mnt busybox touch /mnt/x"],
    "mount": ["run --mount type=bind,src={out},dst=/mnt busybox touch /mnt/x"],
    "fork": ["fork {out}/x"],
    "another lab": ["--lab {out}/x pull busybox"],
    "redirection": ["save mongo:3.2 > {out}/x"],
    "build output": ["build -o {out}/x -\nFROM busybox"],
}
READS = {
    "env-file": ["run --env-file {out}/secret busybox env"],
    "env-file=": ["create '--env-file={out}/secret' busybox env"],
    "label-file": ["run --label-file {out}/secret busybox true"],
    "cp in": ["create --name box busybox", 'cp "{out}/secret" box:/p'],
    "import": ["import '{out}/secret' x:1"],
    "image import": ['image import "{out}/secret" x:1'],
    "load": ["load -i'{out}/secret'"],
    "build context": ["build '{out}'"],
    "build file": ["build -f '{out}/secret' ."],
    "build secret": [
        "build --secret id=x,src={out}/secret -\nFROM busybox\nRUN --mount=type=secret,id=x cat /run/secrets/x"
    ],
}
CONNECTS = {
    "registry": ["pull 127.0.0.1:9/x"],
    "registry quoted": ['pull "127.0.0.1:9/x"'],
    "registry of run": ["run '127.0.0.1:9/x' true"],
    "FROM": ["build -\nFROM 127.0.0.1:9/x"],
    "ADD": ["build -\nFROM busybox\nADD http://127.0.0.1:9/x /x"],
    "import URL": ["import http://127.0.0.1:9/x"],
    "upstream": ["upstream set http://127.0.0.1:9", "pull busybox"],
    "--upstream": ["--upstream http://127.0.0.1:9 pull busybox"],
}
HANGS = {
    "endless loop": ["run busybox sh -c 'while true; do :; done'"],
    "endless build": ["build -\nFROM busybox\nRUN while true; do :; done"],
    "sleeps": ["run busybox sleep 100000"],
    "fork bomb": ["run busybox sh -c 'f() { f | f & }; f'"],
    "recursion": ["run busybox sh -c 'f() { f; }; f'"],
    "memory": ["run busybox sh -c 'x=xxxxxxxx; while true; do x=$x$x; done'"],
    "disk": ["run busybox sh -c 'yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx > /f'"],
    "many files": ["run busybox sh -c 'i=0; while true; do i=$((i+1)); echo > /f$i; done'"],
    "a wide number": ["run busybox printf %999999999d 1"],
    "awk": ["run busybox awk 'BEGIN { while (1) x = x \"aaaaaaaa\" }'"],
    "expression": [
        "run busybox sh -c 'echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | grep -E \"(a|aa)+(a|aa)+(a|aa)+(a|aa)+c\"'"
    ],
}


def lines_of(case: list[str], out: Path) -> tuple[str, ...]:
    return tuple(line.replace("{out}", str(out)) for line in case)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder of the teacher's."""
    folder = tmp_path / "teacher"
    folder.mkdir()
    (folder / "secret").write_text("KEY=of-the-teacher\n", encoding="utf-8")
    return folder


def one(lines: tuple[str, ...], stand: Walls = STAND, timeout: float = 20) -> Answer:
    (answer,) = carry_out([Task(NAME, None, lines)], stand, timeout)
    return answer


class Seen:
    """Which files below a folder this process opens, and whom it calls."""

    def __init__(self) -> None:
        self.folder, self.calls = "", list[str]()
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.folder:
            return
        if event == "socket.connect" or (
            event in ("open", "os.listdir", "os.scandir") and self._is_theirs(arguments[0])
        ):
            self.calls.append(f"{event} {arguments[-1] if event == 'socket.connect' else arguments[0]}")

    def _is_theirs(self, path: object) -> bool:
        return isinstance(path, str | bytes | os.PathLike) and os.path.realpath(os.fsdecode(path)).startswith(
            self.folder
        )

    @contextlib.contextmanager
    def __call__(self, folder: Path) -> Iterator[list[str]]:
        self.folder, self.calls = os.path.realpath(folder), []
        try:
            yield self.calls
        finally:
            self.folder = ""


SEEN = Seen()


def named(cases: dict[str, list[str]]) -> list[Any]:
    """Every case, under its name."""
    return [pytest.param(case, id=name) for name, case in cases.items()]


# -- without a wall, in this process ----------------------------------------------------------------------------


@pytest.mark.parametrize("case", named(WRITES))
def test_host_access_nothing_is_written_without_a_wall(case: list[str], out: Path) -> None:
    grade(exercise(NAME), (), lines_of(case, out))
    assert sorted(file.name for file in out.iterdir()) == ["secret"]


@pytest.mark.parametrize("case", named(READS))
def test_host_access_nothing_is_read_without_a_wall(case: list[str], out: Path) -> None:
    with SEEN(out) as calls:
        grade(exercise(NAME), (), lines_of(case, out))
    assert calls == []


@pytest.mark.parametrize("case", named(CONNECTS))
def test_host_access_nobody_is_called_without_a_wall(case: list[str], out: Path) -> None:
    with SEEN(out) as calls:
        grade(exercise(NAME), (), lines_of(case, out))
    assert calls == []


# -- behind a wall --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(STAND.name != "bwrap", reason="no bubblewrap on this machine")
@pytest.mark.parametrize("case", [*WRITES.values(), *READS.values()], ids=[*WRITES, *READS])
def test_nothing_is_written_behind_a_wall(case: list[str], out: Path) -> None:
    one(lines_of(case, out))
    assert sorted(file.name for file in out.iterdir()) == ["secret"]


PROBE = """
import os, socket, sys
for name, act in {
    "read": lambda: open(sys.argv[1] + "/secret").read(),
    "write": lambda: open(sys.argv[1] + "/x", "w"),
    "root": lambda: open("/x", "w") if os.path.ismount("/") else 1 / 0,
    "program": lambda: open(os.__file__, "a"),
    "connect": lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=2),
    "kill": lambda: os.kill(int(sys.argv[3]), 0),
}.items():
    try:
        act()
        print(name, end=" ")
    except (OSError, ZeroDivisionError):
        pass
"""


def probed(stand: Walls, out: Path) -> set[str]:
    """What Python itself could do behind a wall, if a hand-in ever came to run some."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        line = [*stand.command, sys.executable, "-I", "-S", "-c", PROBE, str(out), str(port), str(os.getpid())]
        done = subprocess.run(line, capture_output=True, text=True, timeout=60, env={})
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.skipif(STAND.name != "bwrap", reason="no bubblewrap on this machine")
def test_behind_bwrap_there_is_nothing_of_the_machine(out: Path) -> None:
    assert probed(STAND, out) <= {"root"}  # its own root, in memory


@pytest.mark.skipif(not grading_walls._works(grading_walls._unshare("unshare")) if sys.platform == "linux" else True, reason="no unshare")  # fmt: skip
def test_behind_unshare_there_is_no_network(out: Path) -> None:
    assert not {"connect", "kill"} & probed(grading_walls._unshare("unshare"), out)


@POSIX
@pytest.mark.parametrize("case", HANGS.values(), ids=HANGS)
def test_what_does_not_end_is_ended(case: list[str]) -> None:
    """It costs the learner this exercise, not the next, and not the teacher's evening."""
    started = time.monotonic()
    stuck, fine = carry_out([Task(NAME, None, tuple(case)), Task(NAME, None, ("pull mongo:3.2",))], STAND, 5)
    assert not (stuck.held and all(stuck.held))
    assert fine.held == (True, True), (stuck, fine)
    assert time.monotonic() - started < 240


@POSIX
def test_nothing_goes_on_afterwards(tmp_path: Path) -> None:
    (answer,) = carry_out(
        [Task(NAME, None, ("run -d busybox sleep 1000", "run busybox sh -c 'while true; do :; done'"))], BARE, 3
    )
    assert answer.interrupted
    if sys.platform == "linux":
        mine = [line for line in Path("/proc").glob("[0-9]*/cmdline") if _says(line, b"grading_child")]
        assert all(_parent(line.parent) != os.getpid() for line in mine)


def _says(file: Path, text: bytes) -> bool:
    try:
        return text in file.read_bytes()
    except OSError:
        return False


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


# -- the verdict ----------------------------------------------------------------------------------------------------


@POSIX
@pytest.mark.parametrize(
    "target", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/proc/self/fd/3", "/proc/self/fd/4", "/proc/self/fd/5"]
)
def test_what_is_written_into_the_pipe_is_no_verdict(target: str) -> None:
    forged = json.dumps(
        {"id": NAME, "held": [True, True], "missing": None, "problem": "", "left_out": [], "nonce": "0" * 32}
    )
    lines = (
        f"run --name box busybox sh -c 'echo {json.dumps(forged)} > /p; echo {json.dumps(forged)}'",
        f"cp box:/p '{target}'",
        f"export -o '{target}' box",
    )
    answer = one(lines, BARE)
    assert not (answer.held and all(answer.held))


def test_an_answer_needs_the_nonce_and_its_shape() -> None:
    lines: queue.Queue[bytes | None] = queue.Queue()
    good = {"id": NAME, "held": [True], "missing": None, "problem": "", "left_out": [], "nonce": "n"}
    for other in (
        b"noise\n",
        b"[" * 100_000,
        json.dumps(good | {"nonce": "m"}).encode(),
        b"\xff",
        json.dumps(good).encode(),
        None,
    ):
        lines.put(other)
    assert next_answer(lines, "n", 5) == good
    assert next_answer(lines, "n", 5) == {}
    assert next_answer(lines, "n", 0.01) is None
    task = Task(NAME)
    assert read_answer(good, task) == Answer((True,))
    for wrong in ({"id": "x"}, {"held": [1]}, {"held": None}, {"problem": 7}, {"left_out": [7]}):
        assert read_answer(good | wrong, task) is None


def test_the_environment_is_empty() -> None:
    found = environment("/scratch", {"HOME": "/home/t", "TOKEN": "secret", "PATH": "/evil"})
    assert "TOKEN" not in found and "/home/t" not in found.values() and found["PATH"] == os.defpath
    assert {found[name] for name in ("HOME", "TMPDIR")} == {"/scratch"}


# -- what is in cells and logs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    ["open('{out}/x', 'w').write('x')", "!touch {out}/x", "%%bash\ntouch {out}/x", "%%writefile {out}/x\nx", "import os; os.system('touch {out}/x')",
     "lab.docker('save -o \"{out}/x\" mongo:3.2')", "lab.docker(['save', '-o', '{out}/x', 'mongo:3.2'])", "lab.images['mongo:3.2'].save('{out}/x')",
     "%docker save -o '{out}/x' mongo:3.2", "!docker save mongo:3.2 > {out}/x", "%%docker\nsave -o '{out}/x' mongo:3.2"],
    ids=["open", "!", "%%bash", "%%writefile", "os", "lab.docker", "lab.docker list", "python face", "%docker", "! >", "%%docker"],
)  # fmt: skip
def test_a_cell_is_not_run(cell: str, out: Path) -> None:
    lines = commands_in([f"lab.exercise('{NAME}')", cell.replace("{out}", str(out))])[NAME]
    answer = one(tuple(lines))
    assert sorted(file.name for file in out.iterdir()) == ["secret"]
    assert not (answer.held and all(answer.held))


def log_of(lines: list[str], name: str = NAME) -> tuple[str, ...]:
    with clean_lab(exercise(name)) as lab:
        perform(lab, lines)
        return written(lab)


def judged(entries: list[Entry]) -> Answer:
    """A log whose chain is made anew, as whoever forges one would."""
    (answer,) = carry_out([Task(NAME, tuple(entries))], STAND)
    return answer


def test_a_forged_log_is_refused_with_its_step() -> None:
    honest = read_log(log_of(["tag mongo:3.2 a:1", "rmi a:1", "pull mongo:3.2"]))
    assert judged(honest).held == (True, True)
    last = honest[-1].state
    cases = {
        "cut": [*honest[:-2], honest[-1]],
        "reordered": [*honest[:2], honest[3], honest[2], honest[4]],
        "claimed": [*honest[:2], Entry(("tag", "mongo:3.2", "b:1"), {}, 0, last)],
        "borrowed": read_log(log_of(["pull busybox"], "own-page")),
        "empty": [],
        "outside": [*honest[:2], Entry(("save", "-o", "/tmp/x", "mongo:3.2"), {}, 0, None)],
    }
    for name, entries in cases.items():
        answer = judged(entries)
        assert answer.problem is not None and ("step" in answer.problem.en or "begin" in answer.problem.en), name


def test_a_cut_chain_is_refused_before_anything_is_done() -> None:
    lines = log_of(["pull mongo:3.2"])
    assert "does not follow" in parse_log((lines[0], *lines[2:])).problem
    assert "damaged" in parse_log((*lines, lines[-1])).problem
    assert parse_log(tuple(write_log(read_log(lines)))).problem == ""
