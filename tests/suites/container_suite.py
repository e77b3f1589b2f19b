"""What any runner of containers must do. `factory()` gives a fresh lab with nginx and ubuntu:14.04 in it."""

from __future__ import annotations

import time

import pytest

from imagelab.app import Lab
from imagelab.engine.containers import CannotStartError, ContainerNotFoundError
from imagelab.errors import ConflictError, ImageLabError
from imagelab.runtime.runner import wait_until
from imagelab.state.container_config import Request

SLEEP = ("sleep", "1000")


def runs_and_shows_its_output(lab: Lab) -> None:
    one = lab.run("ubuntu:14.04", "echo hello; echo oops >&2; exit 3")
    assert (one.wait(), one.status, one.exit_code) == (3, "exited", 3)
    assert (one.logs().stdout, one.logs().stderr) == ("hello\n", "oops\n")


def two_containers_do_not_see_each_other(lab: Lab) -> None:
    one, two = lab.run("ubuntu:14.04", *SLEEP, name="one"), lab.run("ubuntu:14.04", *SLEEP, name="two")
    one.exec("echo mine > /tmp/note")
    assert one.exec("cat", "/tmp/note").stdout == "mine\n"
    assert two.exec("cat", "/tmp/note").exit_code == 1
    assert (list(one.diff()), list(two.diff())) == ([("C", "/tmp"), ("A", "/tmp/note")], [])


def a_stopped_container_keeps_its_layer(lab: Lab) -> None:
    one = lab.run("ubuntu:14.04", *SLEEP)
    one.exec("echo kept > /kept")
    assert one.stop(0).status == "exited" and one.exit_code == 137
    assert one.start().status == "running"
    assert one.exec("cat", "/kept").stdout == "kept\n"


def nothing_is_written_once_a_pause_is_said(lab: Lab) -> None:
    one = lab.run("ubuntu:14.04", "while :; do echo x >> /log; sleep 0.01; done")
    for _ in range(6):
        lab.docker(["pause", one.id])
        version = lab.store.container_version(one.id)
        time.sleep(0.15)
        assert lab.store.container_version(one.id) == version
        lab.docker(["unpause", one.id])
        time.sleep(0.05)


def the_walk_of_the_book(lab: Lab, port: int) -> None:
    """R6.23-R6.43: run, change the page, diff, commit, run the result."""
    web = lab.run("nginx", name="webserver", ports={80: port})
    assert "Welcome to nginx!" in lab.browse(f"http://localhost:{port}").text
    typed = "echo '<h1>Hello, Docker!</h1>' > /usr/share/nginx/html/index.html\nexit\n"
    assert lab.docker("exec -it webserver bash", stdin=typed).exit_code == 0
    assert lab.browse(f"http://localhost:{port}").text == "<h1>Hello, Docker!</h1>\n"
    temporary = [("A", f"/var/cache/nginx/{name}_temp") for name in ("client", "fastcgi", "proxy", "scgi", "uwsgi")]
    assert list(web.diff()) == [
        ("C", "/root"), ("A", "/root/.bash_history"), ("C", "/run"), ("A", "/run/nginx.pid"), ("C", "/usr"), ("C", "/usr/share"),
        ("C", "/usr/share/nginx"), ("C", "/usr/share/nginx/html"), ("C", "/usr/share/nginx/html/index.html"), ("C", "/var"),
        ("C", "/var/cache"), ("C", "/var/cache/nginx"), *temporary,
    ]  # fmt: skip
    base = lab.image("nginx")
    new = web.commit("nginx:v2", author="Tao Wang", message="修改了默认网页")
    rows = list(new.history())
    assert [row.id for row in rows[:3]] == [new.id, base.id, None]
    assert (rows[0].created_by, rows[0].comment) == ("nginx -g daemon off;", "修改了默认网页")
    assert rows[0].size == new.size - base.size > 0
    web.stop()
    web2 = lab.run("nginx:v2", name="web2", ports={80: port})
    assert lab.browse(f"http://localhost:{port}").text == "<h1>Hello, Docker!</h1>\n"
    web2.remove(force=True)


def a_graceful_stop_is_exit_code_0_and_a_kill_137(lab: Lab) -> None:
    """R6.13: SIGTERM is heard by nginx, and by nobody in `sleep`, which is process 1."""
    web, sleeper = lab.run("nginx"), lab.run("ubuntu:14.04", *SLEEP)
    assert web.stop(5).exit_code == 0
    lab.engine.containers.kill(sleeper.id)
    assert sleeper.exit_code == 137
    trapped = lab.run("ubuntu:14.04", "trap 'echo bye; exit 7' TERM; while :; do sleep 0.05; done")
    assert trapped.stop(5).exit_code == 7 and trapped.logs().stdout == "bye\n"


def pause_stops_everything(lab: Lab) -> None:
    """R6.14: nothing can be started in a paused container."""
    one = lab.run("ubuntu:14.04", *SLEEP, name="one")
    containers = lab.engine.containers
    containers.pause("one")
    with pytest.raises(ConflictError, match="is paused, unpause the container before exec"):
        one.exec("true")
    with pytest.raises(ConflictError, match="cannot start a paused container, try unpause instead"):
        one.start()
    with pytest.raises(ConflictError, match="is already paused"):
        containers.pause("one")
    containers.unpause("one")
    assert one.exec("true").exit_code == 0


def what_cannot_be_done_is_said(lab: Lab) -> None:
    """R6.2, R6.3, R6.12-R6.15."""
    one = lab.run("ubuntu:14.04", *SLEEP, name="one")
    containers = lab.engine.containers
    with pytest.raises(ConflictError, match='cannot remove container "/one": container is running'):
        one.remove()
    with pytest.raises(ImageLabError, match='The container name "/one" is already in use by container "' + one.id):
        containers.create(Request("ubuntu:14.04", name="one"))
    with pytest.raises(ImageLabError, match=r"Invalid container name \(x!\)"):
        containers.create(Request("ubuntu:14.04", name="x!"))
    with pytest.raises(ContainerNotFoundError, match="No such container: nosuch"):
        containers.resolve("nosuch")
    with pytest.raises(CannotStartError, match="executable file not found in") as missing:
        one.exec("nosuch")
    with pytest.raises(CannotStartError, match="permission denied") as denied:
        one.exec("/etc/passwd")
    with pytest.raises(CannotStartError, match="unable to find user bob: no matching entries in passwd file"):
        one.exec("true", user="bob")
    assert (missing.value.exit_code, denied.value.exit_code) == (127, 126)
    one.stop(0)
    with pytest.raises(ConflictError, match=f"container {one.id} is not running"):
        one.exec("true")
    with pytest.raises(ConflictError, match="is not running"):
        containers.kill("one")
    assert one.stop(0).status == "exited"


def a_program_that_cannot_be_found_leaves_a_created_container(lab: Lab) -> None:
    """R6.11, R6.12."""
    with pytest.raises(CannotStartError) as error:
        lab.run("ubuntu:14.04", "nosuch", name="typo")
    assert error.value.exit_code == 127
    assert (lab.container("typo").status, lab.container("typo").exit_code) == ("created", 127)


def rm_takes_everything_with_it(lab: Lab) -> None:
    one = lab.run("ubuntu:14.04", "echo x > /x", remove=True)
    assert one.lab.store.container(one.id) is None
    two = lab.run("ubuntu:14.04", *SLEEP)
    folder = lab.store.container_files(two.id)
    two.exec("echo y > /y")
    two.remove(force=True)
    assert not folder.exists() and not lab.containers(all=True) and lab.engine.doctor() == []


def images_know_their_containers(lab: Lab) -> None:
    """R5.10, R5.11, R6.53: an image in use stays, and its layers stay even when its name is forced away."""
    one = lab.run("ubuntu:14.04", *SLEEP)
    image = lab.image("ubuntu:14.04")
    assert "is using its referenced image" in lab.docker("rmi ubuntu:14.04").stderr
    assert "image is being used by running container" in lab.docker(["rmi", "-f", image.id]).stderr
    assert lab.docker("system df").rows[1]["ACTIVE"] == "1"
    one.stop(0)
    assert lab.docker(["rmi", "-f", image.id]).exit_code == 0
    assert one.start().exec("cat", "/etc/os-release").stdout.startswith("NAME=")
    one.remove(force=True)
    assert lab.state.layers.keys() == {chain for image in lab.state.images.values() for chain in image.layers}


def a_shell_in_the_background_stays_up(lab: Lab) -> None:
    """`-d` alone gives it nothing to read; with -i, or with -t, it waits for ever."""
    for flags, status in (("-d", "exited"), ("-dit", "running"), ("-dt", "running"), ("-di", "running")):
        lab.docker(f"run {flags} --name box{flags} ubuntu:14.04 bash")
        assert lab.container(f"box{flags}").status == status, flags
    assert lab.docker("exec box-dit echo hi").stdout == "hi\n"
    assert lab.docker("stop -t 0 box-dit").exit_code == 0
    assert lab.container("box-dit").exit_code == 137


def what_ends_by_itself_has_ended(lab: Lab) -> None:
    one = lab.run("ubuntu:14.04", "sleep 0.4; echo over; exit 4")
    assert one.status == "running"
    assert (one.wait(), one.status, one.logs().stdout) == (4, "exited", "over\n")


def background_jobs_end_with_the_main_program(lab: Lab) -> None:
    one = lab.run("ubuntu:14.04", "(sleep 0.2; echo job > /job) & sleep 1000")
    assert wait_until(lambda: one.exec("cat", "/job").stdout == "job\n")
    two = lab.run("ubuntu:14.04", "(sleep 0.3; echo job) & echo main")
    assert (two.wait(), two.logs().stdout) == (0, "main\n")


def undo_brings_back_what_ran(lab: Lab) -> None:
    """One that runs on both sides of an undo goes on; one that was stopped is started again, on the files it had."""
    one = lab.run("ubuntu:14.04", "echo x >> /log; sleep 1000", name="one")
    lab.tag("nginx", "web:1")
    lab.undo()
    assert one.exec("cat", "/log").stdout == "x\n"
    one.stop(0)
    lab.undo()
    assert one.status == "running"
    assert wait_until(lambda: one.exec("cat", "/log").stdout == "x\nx\n")
    one.remove(force=True)
    lab.undo()
    assert one.status == "running"


SUITE = [
    a_shell_in_the_background_stays_up, what_ends_by_itself_has_ended, background_jobs_end_with_the_main_program, undo_brings_back_what_ran,
    runs_and_shows_its_output, two_containers_do_not_see_each_other, a_stopped_container_keeps_its_layer,
    a_graceful_stop_is_exit_code_0_and_a_kill_137, pause_stops_everything, nothing_is_written_once_a_pause_is_said, what_cannot_be_done_is_said,
    a_program_that_cannot_be_found_leaves_a_created_container, rm_takes_everything_with_it, images_know_their_containers,
]  # fmt: skip
