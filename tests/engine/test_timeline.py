"""The timeline as people use it: command lines, processes of their own, kills at any moment, copies and logs."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest

import imagelab
from imagelab.app import Lab
from imagelab.errors import ImageLabError
from imagelab.state.steps import Entry, TimelineError, fingerprint, read_log, write_log


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Lab]:
    lab = imagelab.connect(tmp_path / "lab", clock="class", environ={}, in_process=True)
    yield lab
    assert lab.engine.doctor() == []
    lab.close()


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def page(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}", timeout=10) as answer:
        return str(answer.read().decode())


# -- what people type -----------------------------------------------------------------------------------------


def test_undo_and_redo_as_command_lines(here: Lab) -> None:
    for line in ("pull hello-world", "tag hello-world hi", "rmi hi", "images", "tag nothing x"):
        here.docker(line)
    listed = here.docker("steps").stdout.splitlines()
    assert [line.split()[-2:] for line in listed[1:]] == [["image", "pull"], ["image", "tag"], ["image", "untag"]]
    assert listed[-1].startswith("*") and "rmi hi" in listed[-1]
    assert here.docker("undo").stdout == "undone: rmi hi\n"
    assert "hi " in here.docker("images").stdout
    assert here.docker("steps").stdout.splitlines()[-1].startswith("+")
    assert here.docker("redo").stdout == "done again: rmi hi\n"
    assert here.docker("undo 3").stdout == "undone: rmi hi\nundone: tag hello-world hi\nundone: pull hello-world\n"
    assert not here.state.images
    refused = here.docker("undo")
    assert (refused.exit_code, refused.stderr) == (1, "nothing to undo\nhint: imagelab steps shows what was done\n")
    assert here.docker("at 2").stdout == "done again: pull hello-world\ndone again: tag hello-world hi\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("undo 5", "there is one step to undo"), ("redo", "nothing to redo"), ("at 7", "there is no step 7"), ("at", "requires 1 argument"),
        ("undo x", "'x' is not a number of steps"), ("undo ²", "'²' is not a number"), ("at " + "9" * 5000, "is not a number of steps"), ("undo -1", "unknown shorthand flag"), ("steps --format yaml", "table or json"),
        ("gc --keep=-1", "there are no fewer steps than none"), ("replay no-such-file", "cannot be read"), ("fork .", "is there already, and not empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(here: Lab, line: str, said: str) -> None:
    here.docker("pull hello-world")
    result = here.docker(line)
    assert result.exit_code and said in result.stderr and "Traceback" not in result.stderr


def test_a_command_after_undo_begins_a_branch_and_the_old_one_stays(here: Lab) -> None:
    for line in ("pull hello-world", "tag hello-world one", "undo", "tag hello-world two"):
        here.docker(line)
    assert [step.line for step in here.steps()] == ["pull hello-world", "tag hello-world two"]
    assert [step.parent for step in here.steps(all=True)] == [0, 1, 1]
    with pytest.raises(TimelineError, match="nothing to redo"):
        here.redo()
    assert repr(here.at(2)) == "undone: tag hello-world two\ndone again: tag hello-world one"
    here.engine.gc()
    assert [step.line for step in here.steps(all=True)] == ["pull hello-world", "tag hello-world one"]


def test_gc_frees_what_only_forgotten_steps_reach(here: Lab) -> None:
    here.pull("nginx")
    here.rmi("nginx")
    held = here.timeline.held()
    assert held > 10_000 and f"the timeline holds {held / 1000:.4g}kB" in here.docker("system df").stderr
    assert here.engine.gc(keep=2) == 0 and repr(here.undo()) == "undone: rmi nginx"
    here.redo()
    assert here.engine.gc(keep=0) == held and here.timeline.held() == 0
    assert here.store.blobs.digests() == []


def test_gc_gives_back_what_the_database_no_longer_needs(here: Lab) -> None:
    here.pull("ubuntu:14.04")
    one = here.run("ubuntu:14.04", "sleep", "1000", name="one")
    for number in range(5):
        one.exec("sh", "-c", f"seq {number}00000 {number}60000 > /numbers")
    before = (here.store.directory / "lab.db").stat().st_size + (here.store.directory / "lab.db-wal").stat().st_size
    here.engine.gc(keep=0)
    assert (here.store.directory / "lab.db").stat().st_size < before / 2
    assert one.exec("tail", "-n", "1", "/numbers").stdout == "460000\n"


def test_a_verb_of_python_is_the_step_of_its_command_line(here: Lab) -> None:
    one = here.run("ubuntu:14.04", "sleep", "100", name="one", env=["A=b c"], labels={"x": "y"})
    one.exec("echo 'a b' >> /x", stdin="")
    one.exec("sh", stdin="echo typed > /y\n")
    made = one.commit("made:1", message="a message", changes=["ENV C=d"])
    here.tag("made:1", "again")
    one.stop(0)
    one.remove()
    here.prune(all=True, filters=["label=none"])
    lines = [step.line for step in here.steps()]
    assert lines == [
        "run -d --name one -e 'A=b c' -l x=y ubuntu:14.04 sleep 100", "exec one sh -c 'echo '\"'\"'a b'\"'\"' >> /x'", "exec -i one sh",
        "commit -m 'a message' -c 'ENV C=d' one made:1", "tag made:1 again", "stop -t 0 one", "rm one",
    ]  # fmt: skip
    log = list(here.timeline.log(exact=True))
    other = imagelab.connect(here.store.directory.parent / "other", clock="class", environ={}, in_process=True)
    (here.store.directory.parent / "log").write_text("\n".join(log))
    assert other.docker(f"replay {here.store.directory.parent / 'log'}").stderr == ""
    assert other.image("again").id == made.id and fingerprint(other.state) == fingerprint(here.state)
    other.close()


def test_a_change_that_no_command_made_has_no_time(here: Lab) -> None:
    here.pull("hello-world")
    here.engine.images.tag("hello-world", "one")
    last = here.docker("steps").stdout.splitlines()[-1]
    assert "(a change made in Python)" in last and "ago" not in last
    here.undo()
    assert "docker.io/library/one:latest" not in here.state.references


def test_what_was_copied_in_comes_with_the_log(here: Lab, tmp_path: Path) -> None:
    here.docker("create --name one ubuntu:14.04")
    (tmp_path / "note").write_text("from outside\n")
    here.docker("create --name one ubuntu:14.04 true")
    here.docker("pull ubuntu:14.04")
    here.docker("create --name one ubuntu:14.04 true")
    assert here.docker(["cp", str(tmp_path / "note"), "one:/note"]).exit_code == 0
    log = here.docker("steps --format json").stdout
    (tmp_path / "note").unlink()
    (tmp_path / "log").write_text(log)
    other = imagelab.connect(tmp_path / "other", clock="class", environ={}, in_process=True)
    assert other.docker(["replay", str(tmp_path / "log")]).exit_code == 0
    assert b"from outside\n" in [other.store.read_file(node) for node in [other.container("one").tree["note"]]]
    other.close()


def test_a_log_that_was_edited_is_not_replayed(here: Lab, tmp_path: Path) -> None:
    here.docker("pull hello-world")
    here.docker("tag hello-world one")
    log = here.docker("steps --format json").stdout
    (tmp_path / "log").write_text(log.replace('"pull", "hello-world"', '"pull", "nginx"'))
    refused = here.docker(["replay", str(tmp_path / "log")])
    assert refused.exit_code == 1 and refused.stderr.startswith(
        "line 3 of the log is damaged: it does not follow the line before it"
    )
    assert len(read_log(log.splitlines())) == 2
    (tmp_path / "log").write_text(log)
    refused = here.docker(["replay", str(tmp_path / "log")])
    assert "this lab is not empty" in refused.stderr


def test_a_change_made_while_another_command_works_keeps_the_order(here: Lab) -> None:
    """Two verbs at once: each part is undone on its own, and every moment is as it was."""
    other = imagelab.connect(here.store.directory, clock="class", environ={}, in_process=True)
    here.pull("hello-world")
    states = [here.state]
    with here.verb("two", "parts"):
        here.engine.images.tag("hello-world", "one")
        states.append(here.state)
        other.engine.images.tag("hello-world", "two")
        states.append(here.state)
        here.engine.images.tag("hello-world", "three")
        states.append(here.state)
    assert [(step.line, step.part) for step in here.steps()][1:] == [
        ("two parts", 0), ("(a change made in Python)", 0), ("two parts (continued)", 1),
    ]  # fmt: skip
    for state in states[-2::-1]:
        here.undo()
        assert here.state == state
    other.close()


# -- containers in processes of their own ---------------------------------------------------------------------


def test_undo_stops_what_did_not_run_and_starts_what_did(lab: Lab) -> None:
    """Its page is the page of that moment, too."""
    port = free_port()
    web = lab.run("nginx", name="web", ports={80: port})
    web.exec("echo changed > /usr/share/nginx/html/index.html")
    web.stop()
    lab.undo()
    assert (web.status, page(port)) == ("running", "changed\n")
    lab.undo()
    assert "Welcome to nginx!" in page(port)
    lab.undo()
    assert not lab.state.containers
    with pytest.raises(OSError):
        page(port)
    lab.redo(2)
    assert (web.status, page(port)) == ("running", "changed\n")
    assert "GET / HTTP" in web.logs().stdout
    web.remove(force=True)
    lab.undo()
    assert page(port) == "changed\n"
    with closing(socket.socket()) as taken:
        lab.docker("stop web")
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert (
            f"web could not be started again: {port}"[:31] in (said := repr(lab.undo()))
            and "port is already allocated" in said
        )
    assert web.status == "exited"
    lab.undo(lab.timeline.position)


def test_two_processes_share_a_timeline(lab: Lab, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "imagelab", "--lab", str(lab.store.directory)]
    lab.pull("hello-world")
    subprocess.run([*line, "tag", "hello-world", "one"], check=True)
    assert [step.line for step in lab.steps()] == ["pull hello-world", "tag hello-world one"]
    lab.undo()
    assert (
        subprocess.run([*line, "redo"], check=True, capture_output=True, text=True).stdout
        == "done again: tag hello-world one\n"
    )
    assert "docker.io/library/one:latest" in lab.state.references


def test_a_fork_is_another_lab(here: Lab, tmp_path: Path) -> None:
    here.pull("hello-world")
    here.tag("hello-world", "one")
    other = here.fork(tmp_path / "fork", at=1)
    assert other.state == here.timeline.state(1) and len(other.steps()) == 2
    other.rmi("hello-world")
    assert len(here.state.references) == 3 and other.engine.doctor() == []
    other.close()


# -- killed ---------------------------------------------------------------------------------------------------

WORK = [
    "commit one made:{n}", "build -t built:{n} {folder}", "load -q -i {folder}/archive.tar", "rmi -f nginx:1.11", "undo", "redo", "tag hello-world t{n}", "gc", "undo 2", "redo 2", "rmi -f made:{n}", "cp {folder}/Dockerfile one:/{n}",
]  # fmt: skip


NURSERY = """
import os, sys, imagelab.app, imagelab.engine.commit, imagelab.engine.containers, imagelab.engine.timeline
for order in sys.stdin:
    child = os.fork()
    if not child:
        lab = imagelab.connect(sys.argv[1], clock='class', environ={}, in_process=True)
        print('ready', os.getpid(), flush=True)
        for n in range(1000):
            for line in WORK:
                lab.docker(line.format(n=n, folder=sys.argv[2]))
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork, and no kill -9")
def test_killed_at_any_of_a_hundred_moments_a_step_happened_or_did_not(tmp_path: Path) -> None:
    """In the middle of builds, loads, commits, undos, redos and sweeps: the lab is whole after each, and so is its timeline."""

    def opened() -> closing[Lab]:
        return closing(imagelab.connect(tmp_path / "lab", clock="class", environ={}, in_process=True))

    with opened() as lab:
        lab.pull("hello-world")
        lab.pull("ubuntu:14.04")
        lab.docker("run --name one ubuntu:14.04 touch /x")
        (tmp_path / "context").mkdir()
        (tmp_path / "context" / "Dockerfile").write_text(
            "FROM ubuntu:14.04\nCOPY . /here\nRUN date > /now\nRUN rm /now\n"
        )
        (tmp_path / "context" / ".dockerignore").write_text("*.tar\n")
        lab.pull("nginx:1.11")
        lab.save("nginx:1.11", to=tmp_path / "context" / "archive.tar")
    chance = random.Random(7)
    line = [sys.executable, "-c", f"WORK = {WORK!r}\n{NURSERY}", str(tmp_path / "lab"), str(tmp_path / "context")]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as nursery:
        assert nursery.stdin is not None and nursery.stdout is not None
        for _ in range(100):
            print("another", file=nursery.stdin, flush=True)
            said, child = nursery.stdout.readline().split()
            assert said == "ready"
            time.sleep(chance.random() * 0.2)
            os.kill(int(child), signal.SIGKILL)
            with opened() as lab:
                assert lab.engine.doctor() == []
                before = lab.state
                if lab.timeline.position:
                    lab.undo()
                    lab.redo()
                    assert lab.state == before
        nursery.stdin.close()


def test_builds_and_archives_come_with_the_log(here: Lab, tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "Dockerfile").write_text("FROM ubuntu:14.04\nCOPY note /note\nRUN echo more >> /note\n")
    (tmp_path / "context" / "note").write_text("from outside\n")
    assert here.docker(["build", "-t", "noted", str(tmp_path / "context")]).exit_code == 0
    assert here.docker(["save", "-o", str(tmp_path / "noted.tar"), "noted"]).exit_code == 0
    here.docker("rmi noted")
    here.load(tmp_path / "noted.tar")
    here.docker(["export", "-o", str(tmp_path / "root.tar"), here.run("noted", "true", name="one").name])
    here.docker(["import", str(tmp_path / "root.tar"), "flat"])
    assert [step.command[0] for step in here.steps()] == ["build", "rmi", "load", "run", "import"]
    (tmp_path / "log").write_text(here.docker("steps --format json").stdout)
    for name in ("noted.tar", "root.tar", "context/note"):
        (tmp_path / name).unlink()
    other = imagelab.connect(tmp_path / "other", clock="class", environ={}, in_process=True)
    assert other.docker(["replay", str(tmp_path / "log")]).stderr == ""
    assert fingerprint(other.state) == fingerprint(here.state)
    other.close()
    for _ in range(5):
        here.undo()
    assert not here.state.images and here.engine.doctor() == []
    here.redo(5)
    assert here.image("flat").id in here.state.images


# -- what a line read from the machine it was typed on --------------------------------------------------------


def again(lab: Lab, folder: Path, name: str = "again") -> str:
    """The lab's log, run in an empty lab elsewhere: what was said on standard error."""
    (folder / "log").write_text(lab.docker("steps --format json").stdout, encoding="utf-8")
    other = imagelab.connect(folder / name, clock="class", environ={}, in_process=True)
    said = other.docker(["replay", str(folder / "log")])
    assert said.exit_code or fingerprint(other.state) == fingerprint(lab.state)
    other.close()
    return said.stderr


def test_the_environment_comes_with_the_log(here: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vars").write_text("A=b\nFROM_HERE\n")
    (tmp_path / "labels").write_text("x=y\n")
    monkeypatch.setenv("FROM_HERE", "here")
    monkeypatch.delenv("NOT_HERE", raising=False)
    here.pull("busybox")
    run = [
        "run",
        "--name",
        "one",
        "-e",
        "FROM_HERE",
        "-e",
        "NOT_HERE",
        "--env-file",
        str(tmp_path / "vars"),
        "--label-file",
        str(tmp_path / "labels"),
    ]
    assert set(here.docker([*run, "busybox", "env"]).stdout.splitlines()) >= {"FROM_HERE=here", "A=b"}
    (tmp_path / "Dockerfile").write_text("FROM busybox\nARG FROM_HERE\nRUN echo $FROM_HERE > /f\n")
    assert here.docker(["build", "-t", "b", "--build-arg", "FROM_HERE", str(tmp_path)]).exit_code == 0
    for file in ("vars", "labels"):
        (tmp_path / file).unlink()
    monkeypatch.setenv("FROM_HERE", "elsewhere")
    monkeypatch.setenv("NOT_HERE", "but elsewhere")
    assert again(here, tmp_path) == ""


def test_what_came_through_a_pipe_comes_with_the_log(tmp_path: Path) -> None:
    """In as many pieces as it came: a program that waits for more has stored what it read before."""
    env = {**os.environ, "IMAGELAB_HOME": str(tmp_path / "lab")}
    lab = imagelab.connect(tmp_path / "lab", clock="class", environ={}, in_process=True)
    lab.by_class_clock()
    lab.pull("busybox")
    lab.tag("busybox", "other")
    archive = lab.save("other", to=tmp_path / "other.tar").read_bytes()
    lab.rmi("other")

    def piped(words: str, *pieces: bytes) -> None:
        with subprocess.Popen(
            [sys.executable, "-m", "imagelab", *words.split()],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        ) as process:
            assert process.stdin is not None
            for piece in pieces:
                process.stdin.write(piece)
                process.stdin.flush()
                time.sleep(0.8)
            process.stdin.close()
            assert process.wait(60) == 0

    piped("load", archive)
    piped("run -d --name one busybox sleep 1000")
    piped("exec -i one sh", b"echo a > /a\n", b"\xff\r\n", b"echo b > /b\r\n")
    log = lab.docker("steps --format json").stdout
    lab.docker("rm -f one")
    lab.close()
    (tmp_path / "log").write_text(log)
    other = imagelab.connect(tmp_path / "again", clock="class", environ={})
    said = other.docker(["replay", str(tmp_path / "log")])
    other.docker("rm -f one")
    assert (said.stderr, said.exit_code) == ("", 0)
    other.close()


def test_what_failed_half_way_in_python_fails_so_again(here: Lab, tmp_path: Path) -> None:
    here.pull("busybox")
    here.tag("busybox", "one")
    with pytest.raises(ImageLabError):
        here.rmi("one", "missing")
    with pytest.raises(ImageLabError):
        here.build({"Dockerfile": "FROM busybox\nCOPY a /a\nRUN false\n", "a": "a"}, "b")
    assert [step.exit_code for step in here.steps()] == [0, 0, 1, 1]
    assert again(here, tmp_path) == ""


def test_a_count_is_not_negative(here: Lab) -> None:
    here.pull("hello-world")
    here.undo()
    for move in (here.undo, here.redo):
        with pytest.raises(TimelineError, match="-1 is not a number of steps"):
            move(-1)
    assert here.timeline.position == 0


def test_a_log_nested_too_deep_is_damaged() -> None:
    with pytest.raises(TimelineError, match="line 2 of the log is damaged: it is not JSON"):
        read_log(['{"imagelab": 1}', "[" * 200_000])


def test_who_finds_a_container_dead_has_done_nothing(lab: Lab) -> None:
    one = lab.run("ubuntu:14.04", "sleep", "1000", name="one")
    lab.tag("ubuntu:14.04", "web")
    os.kill(one.container.pid, signal.SIGKILL)
    time.sleep(0.5)
    assert "Exited (137)" in lab.docker("ps -a").stdout
    assert [step.command[0] for step in lab.steps()] == ["run", "tag"]
    assert lab.docker("undo").stdout == "undone: tag ubuntu:14.04 web\n"
    assert one.status == "running"
    lab.docker("rm -f one")


def test_a_log_without_its_beginning_says_so(here: Lab) -> None:
    here.pull("busybox")
    here.tag("busybox", "web")
    assert here.docker("steps --format json").stderr == ""
    here.docker("gc --keep 1")
    assert "an empty lab cannot replay them" in here.docker("steps --format json").stderr


@pytest.mark.parametrize(
    "words",
    [
        ["save", "-o", "f", "busybox"],
        ["image", "save", "-o", "f", "busybox"],
        ["cp", "one:/etc/passwd", "f"],
        ["serve"],
        ["replay", "log"],
        ["--era=28", "container", "cp", "one:/etc/passwd", "./f:g"],
    ],
)
def test_a_log_that_would_write_files_of_this_machine_is_refused(
    here: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    first = [
        Entry(("pull", "busybox"), {}, 0, None),
        Entry(("create", "--name", "one", "busybox", "true"), {}, 0, None),
    ]
    (tmp_path / "log").write_text("\n".join(write_log([*first, Entry(tuple(words), {}, 0, None)])))
    said = here.docker("replay log")
    assert said.exit_code == 1 and "step 3 changes nothing in a lab" in said.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["lab", "log"]


def test_a_moment_is_the_same_while_somebody_else_moves(here: Lab) -> None:
    here.pull("hello-world")
    for number in range(8):
        here.tag("hello-world", f"t:{number}")
    before = here.timeline.state(5)
    over = threading.Event()

    def go_back_and_forth() -> None:
        with closing(imagelab.connect(here.store.directory, environ={}, in_process=True)) as other:
            while not over.is_set():
                other.undo(8)
                other.redo(8)

    other = threading.Thread(target=go_back_and_forth)
    other.start()
    try:
        assert all(here.timeline.state(5) == before for _ in range(300))
    finally:
        over.set()
        other.join()


def test_a_long_log_is_written_step_by_step(here: Lab) -> None:
    """Each state from the one before it: what every step holds is that of the moment after it."""
    here.pull("hello-world")
    for number in range(20):
        here.tag("hello-world", f"t:{number}")
    entries = read_log(list(here.timeline.log(exact=True)))
    assert [entry.state for entry in entries] == [
        fingerprint(here.timeline.state(step.number)) for step in here.steps()
    ]
