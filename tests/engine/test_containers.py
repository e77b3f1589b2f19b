"""Containers, run by either runner; and what several processes do to one of them at once."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from imagelab.app import Lab, connect
from imagelab.errors import ImageLabError
from suites import container_suite


def make_lab(folder: Path, *, in_process: bool) -> Lab:
    lab = connect(folder, environ={}, clock="class", in_process=in_process)
    lab.store.remember("clock", "class")
    lab.pull("nginx")
    lab.pull("ubuntu:14.04")
    return lab


@pytest.fixture(params=[True, False], ids=["in-process", "supervised"])
def any_lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    yield from open_lab(tmp_path / "lab", in_process=request.param)


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Lab]:
    yield from open_lab(tmp_path / "lab", in_process=False)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Lab]:
    yield from open_lab(tmp_path / "lab", in_process=True)


def open_lab(folder: Path, *, in_process: bool) -> Iterator[Lab]:
    lab = make_lab(folder, in_process=in_process)
    try:
        yield lab
    finally:
        for container in lab.engine.containers.state.containers.values():
            lab.engine.containers.remove(container.id, force=True)
        lab.close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.parametrize("check", container_suite.SUITE, ids=lambda check: check.__name__)
def test_containers(any_lab: Lab, check: Callable[[Lab], None]) -> None:
    check(any_lab)


def test_the_walk_of_the_book(any_lab: Lab) -> None:
    container_suite.the_walk_of_the_book(any_lab, free_port())


# -- processes ----------------------------------------------------------------------------------------------


def imagelab(lab: Lab, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    line = [sys.executable, "-m", "imagelab", "--lab", str(lab.store.directory), *words]
    return subprocess.run(line, input=stdin, capture_output=True, timeout=60, check=False)


def supervisor_of(lab: Lab, container_id: str) -> int:
    container = lab.store.container(container_id)
    assert container is not None
    return container.pid


def is_process(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone(pid: int, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while is_process(pid) and time.monotonic() < end:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
        time.sleep(0.02)
    return not is_process(pid)


def test_a_container_outlives_the_command_that_started_it(supervised: Lab) -> None:
    done = imagelab(supervised, "run", "-d", "--name", "one", "ubuntu:14.04", "sleep", "1000")
    assert done.returncode == 0 and len(done.stdout) == 65
    assert supervised.container("one").status == "running"
    assert imagelab(supervised, "exec", "one", "echo", "hi").stdout == b"hi\n"


def test_a_dead_supervisor_is_noticed_by_the_next_command(supervised: Lab) -> None:
    one = supervised.run("ubuntu:14.04", "sleep", "1000", name="one")
    os.kill(supervisor_of(supervised, one.id), signal.SIGKILL)
    assert gone(supervisor_of(supervised, one.id))
    assert b"Exited (137)" in imagelab(supervised, "ps", "-a").stdout
    assert one.start().status == "running"


def test_nothing_is_left_behind_by_rm_or_a_deleted_lab(supervised: Lab, tmp_path: Path) -> None:
    one, two = supervised.run("ubuntu:14.04", "sleep", "1000"), supervised.run("nginx")
    first, second = supervisor_of(supervised, one.id), supervisor_of(supervised, two.id)
    one.remove(force=True)
    assert gone(first)
    (supervised.store.directory / "lab.db").rename(tmp_path / "elsewhere.db")
    import shutil

    shutil.rmtree(supervised.store.directory / "containers")
    assert gone(second)
    (supervised.store.directory / "containers").mkdir()
    (tmp_path / "elsewhere.db").rename(supervised.store.directory / "lab.db")


def test_a_taken_port_gets_dockers_error(supervised: Lab) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ImageLabError, match=f"Bind for 0.0.0.0:{port} failed: port is already allocated") as error:
            supervised.run("nginx", name="web", ports={80: port})
    assert error.value.exit_code == 125 and supervised.container("web").status == "created"


def test_eight_processes_write_at_once_and_one_is_killed(supervised: Lab) -> None:
    """Each command line is one transaction: every line that was reported done is there, and whole."""
    supervised.run("ubuntu:14.04", "sleep", "1000", name="one")
    line = [sys.executable, "-m", "imagelab", "--lab", str(supervised.store.directory), "exec", "one", "sh", "-c"]
    script = "i=0; while [ $i -lt 10 ]; do echo {who} $i >> /log; i=$((i+1)); done; echo done > /done-{who}"
    writers = [subprocess.Popen([*line, script.format(who=who)]) for who in range(8)]
    endless = subprocess.Popen([*line, "while :; do echo endless >> /noise; done"])
    time.sleep(0.3)
    endless.kill()
    assert [writer.wait(60) for writer in writers] == [0] * 8
    endless.wait(10)
    written = supervised.container("one").exec("cat", "/log").stdout.split("\n")[:-1]
    assert sorted(written) == sorted(f"{who} {number}" for who in range(8) for number in range(10))
    assert supervised.engine.doctor() == []


def test_an_endless_loop_can_be_interrupted(supervised: Lab) -> None:
    supervised.run("ubuntu:14.04", "sleep", "1000", name="one")
    line = [sys.executable, "-m", "imagelab", "--lab", str(supervised.store.directory)]
    for words in (
        ["exec", "one", "sh", "-c", "while :; do :; done"],
        ["run", "ubuntu:14.04", "sh", "-c", "while :; do :; done"],
    ):
        endless = subprocess.Popen([*line, *words], stdout=subprocess.DEVNULL)
        time.sleep(0.8)
        endless.send_signal(signal.SIGINT)
        assert endless.wait(5) == 130


def test_a_command_line_of_a_megabyte(here: Lab) -> None:
    one = here.run("ubuntu:14.04", "sleep", "1000")
    assert one.exec("sh", "-c", "echo " + "x" * 1_000_000 + " | wc -c").stdout == "1000001\n"


def test_binary_input_arrives_unharmed(supervised: Lab) -> None:
    supervised.run("ubuntu:14.04", "sleep", "1000", name="one")
    data = bytes(range(256)) * 300
    assert imagelab(supervised, "exec", "-i", "one", "sh", "-c", "cat > /data; cat /data", stdin=data).stdout == data
    assert supervised.container("one").exec("wc", "-c", "/data").stdout == "76800 /data\n"


def test_a_closed_output_ends_the_program(supervised: Lab) -> None:
    """`docker run … | head -1`."""
    line = [
        sys.executable,
        "-m",
        "imagelab",
        "--lab",
        str(supervised.store.directory),
        "run",
        "ubuntu:14.04",
        "sh",
        "-c",
        "while :; do echo y; done",
    ]
    endless = subprocess.Popen(line, stdout=subprocess.PIPE)
    assert endless.stdout is not None and endless.stdout.readline() == b"y\n"
    endless.stdout.close()
    assert endless.wait(10) in (0, 141)


# -- names, IDs, events -------------------------------------------------------------------------------------


def test_names_and_ids_are_the_same_on_every_machine(tmp_path: Path) -> None:
    labs = [make_lab(tmp_path / name, in_process=True) for name in "ab"]
    found = [lab.run("ubuntu:14.04", "true").container for lab in labs]
    assert found[0] == found[1] and len(found[0].id) == 64 and "_" in found[0].name
    for lab in labs:
        lab.close()


def test_an_ambiguous_prefix_is_refused(here: Lab) -> None:
    ids = [here.run("ubuntu:14.04", "true").id for _ in range(20)]
    twice = next(one[0] for one in ids if sum(other.startswith(one[0]) for other in ids) > 1)
    with pytest.raises(ImageLabError, match=f"multiple IDs found with provided prefix: {twice}"):
        here.container(twice)
    assert here.container(ids[0][:12]).id == here.container(ids[0]).id == ids[0]


def test_commit_of_a_container_in_which_nothing_changed_adds_no_layer(here: Lab) -> None:
    """R6.34: an entry of history with empty_layer, and a new ID all the same."""
    base = here.image("ubuntu:14.04")
    new = here.run("ubuntu:14.04", "true").commit("same")
    assert new.layers == base.layers and new.id != base.id and new.image.parent == base.id
    assert new.config.history[-1].empty_layer
    assert next(iter(new.history())).size == 0


def test_commit_writes_the_whole_config_and_the_changes_asked_for(here: Lab) -> None:
    """R6.35-R6.37."""
    one = here.run("ubuntu:14.04", "sh", "-c", "echo 1 > /x", env=["A=1"], labels={"l": "1"}, workdir="/work")
    new = one.commit(
        "made",
        author="me",
        message="why",
        changes=["ENV B=2 C='3 4'", 'CMD ["run"]', "EXPOSE 80", "LABEL l=2", "USER nobody", "WORKDIR sub"],
    )
    data = new.config.data
    config = data["config"]
    assert config["Env"][:1] == ["A=1"] and config["Env"][-2:] == ["B=2", "C=3 4"]
    assert (config["Cmd"], config["ExposedPorts"], config["Labels"]) == (["run"], {"80/tcp": {}}, {"l": "2"})
    assert (config["User"], config["WorkingDir"], config["Image"]) == ("nobody", "/work/sub", "ubuntu:14.04")
    assert (data["author"], data["history"][-1]["comment"], data["container"]) == ("me", "why", one.id)
    assert "work" in new.tree and new.tree["x"].size == 2
    for wrong, said in (
        ("RUN x", "RUN is not a valid change command"),
        ("FOO x", "unknown instruction: FOO"),
        ("ENV a", "ENV must have two arguments"),
    ):
        with pytest.raises(ImageLabError, match=said):
            one.commit(changes=[wrong])


def test_a_committed_image_has_exactly_the_containers_tree(here: Lab) -> None:
    """The law, with a container in the middle: image + layer == what the container saw."""
    from imagelab.layers.writable_layer import NEVER_SHOWN, is_mounted

    one = here.run("nginx", name="web")
    one.exec(
        "rm -r /usr/share/doc /etc/nginx/conf.d; mkdir /new; ln -s /new /link; ln /etc/passwd /copy; chmod 700 /srv; echo x > /etc/hosts; rm /bin/ls; echo y > /bin/ls"
    )
    new = one.commit("web:2")
    ours = {path: node for path, node in one.tree.items() if path not in NEVER_SHOWN and not is_mounted(path)}
    theirs = {path: node for path, node in new.tree.items() if path not in NEVER_SHOWN and not is_mounted(path)}
    assert ours.keys() == theirs.keys()
    for path, node in ours.items():
        other = theirs[path]
        assert (node.kind, node.mode, node.uid, node.size, node.target) == (
            other.kind,
            other.mode,
            other.uid,
            other.size,
            other.target,
        ), path
        if node.kind == "file":
            assert here.store.read_file(node) == here.store.read_file(other), path


def test_the_doctor_looks_into_containers(here: Lab) -> None:
    one = here.run("ubuntu:14.04", "echo hello > /x", name="one")
    assert here.engine.doctor() == []
    with closing(sqlite3.connect(here.store.directory / "lab.db", isolation_level=None)) as db:
        db.execute("UPDATE contents SET data = X'00' WHERE digest NOT IN (SELECT version FROM uses)")
    assert here.engine.doctor()[0].startswith("container one has a file whose bytes are damaged")
    with closing(sqlite3.connect(here.store.directory / "lab.db", isolation_level=None)) as db:
        db.execute("DELETE FROM contents WHERE digest NOT IN (SELECT version FROM uses)")
    assert here.engine.doctor()[0].startswith("container one has a file whose bytes")
    with closing(sqlite3.connect(here.store.directory / "lab.db", isolation_level=None)) as db:
        db.execute("UPDATE contents SET data = X'00'")
    assert here.engine.doctor()[0] == "container one has files whose bytes are damaged or gone"
    one.remove()


def test_a_lab_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    make_lab(tmp_path / "lab", in_process=True).close()
    with closing(sqlite3.connect(tmp_path / "lab" / "lab.db", isolation_level=None)) as db:
        for table in ("containers", "contents", "uses", "steps", "journal", "made"):
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 1")
    lab = connect(tmp_path / "lab", environ={}, in_process=True)
    assert lab.run("ubuntu:14.04", "true").exit_code == 0 and len(lab.images()) == 2
    lab.close()


def test_a_lesson_that_was_closed_ends_in_silence(tmp_path: Path) -> None:
    code = "import imagelab; lab = imagelab.lesson('x'); lab.run('ubuntu:14.04', 'true'); lab.close()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
