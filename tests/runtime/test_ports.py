"""Published ports on a machine that others use, too."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

import imagelab
from imagelab.app import Lab
from imagelab.course import notebooks
from imagelab.errors import ImageLabError
from imagelab.lab.opening import ports_here
from imagelab.lab.results.containers import port_url
from imagelab.runtime.ports import PortTakenError


@contextmanager
def held(port: int = 0) -> Iterator[int]:
    """A port that another program has."""
    with socket.socket() as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind(("127.0.0.1", port))
            found.listen()
        except OSError:  # somebody has it already, which is as good
            yield port
            return
        yield int(found.getsockname()[1])


@contextmanager
def opened(folder: Path, ports: str, **more: bool) -> Iterator[Lab]:
    lab = imagelab.connect(folder, environ={}, clock="class", ports=ports, **more)
    lab.store.remember("clock", "class")
    lab.pull("nginx")
    try:
        yield lab
    finally:
        for container in lab.containers(all=True):
            container.remove(force=True)
        lab.close()


def free_port() -> int:
    with held() as port:
        return port


def host_ports(lab: Lab, name: str) -> list[str]:
    return [line.rpartition(":")[2] for line in lab.docker(f"port {name}").stdout.splitlines() if "0.0.0.0" in line]


# -- a port that is taken -----------------------------------------------------------------------------------


def test_a_taken_port_says_who_has_it(tmp_path: Path) -> None:
    """Another program, another lab of this user, this lab: Docker's error, and a line with what to type."""
    with opened(tmp_path / "one", "exact") as one, opened(tmp_path / "two", "exact") as two:
        with held() as port:
            said = one.docker(f"run -d --name web -p {port}:80 nginx")
            assert said.exit_code == 125
            assert f"Bind for 0.0.0.0:{port} failed: port is already allocated" in said.stderr
            assert "hint: another program on this machine has it" in said.stderr
        assert one.docker("start web").exit_code == 0
        theirs = two.docker(f"run -d --name other -p {port}:80 nginx")
        where = one.store.directory
        assert f"hint: container web of another lab of yours has it, in {where}: imagelab --lab {where} stop web" in theirs.stderr  # fmt: skip
        ours = one.docker(f"run -d --name other -p {port}:80 nginx").stderr
        assert "hint: container web of this lab has it: docker stop web gives it back; or choose another port: -p" in ours  # fmt: skip
        assert (one.container("other").status, one.container("other").exit_code) == ("created", 128)
        another = int(ours.rpartition(" -p ")[2].partition(":")[0])
        assert one.docker(f"run -d --name third -p {another}:80 nginx").exit_code == 0


def test_a_killed_driver_holds_no_port(tmp_path: Path) -> None:
    with opened(tmp_path / "one", "exact") as one, opened(tmp_path / "two", "exact") as two:
        port = free_port()
        web = one.run("nginx", name="web", ports={80: port})
        os.kill(web.container.pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while web.status == "running" and time.monotonic() < deadline:
            time.sleep(0.05)
        with held(port):
            with pytest.raises(PortTakenError) as error:
                two.run("nginx", ports={80: port})
            assert error.value.hint.startswith("another program on this machine has it")


def test_one_with_rm_that_gets_no_port_is_gone(tmp_path: Path) -> None:
    with opened(tmp_path / "lab", "exact") as lab, held() as port:
        assert lab.docker(f"run -d --rm -p {port}:80 nginx").exit_code == 125
        assert lab.docker(f"run --rm -p {port}:80 nginx true").exit_code == 125
        assert not lab.containers(all=True)


# -- the next free one --------------------------------------------------------------------------------------


def test_the_next_free_port_is_taken_instead_and_everything_follows(tmp_path: Path) -> None:
    with opened(tmp_path / "lab", "auto") as lab, held() as port:
        said = lab.docker(f"run -d --name web -p {port}:80 nginx")
        [used] = map(int, host_ports(lab, "web"))
        assert used > port
        assert said.stderr == f"note: port {port} of this machine is taken, port {used} is used instead\n"
        assert f"0.0.0.0:{used}->80/tcp" in lab.docker("ps").stdout
        inspected = json.loads(lab.docker("inspect web").stdout)[0]
        assert inspected["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"] == str(used)
        page = lab.browse(f"http://localhost:{port}")
        assert "Welcome to nginx!" in page.text
        assert f'<a href="http://localhost:{used}/"' in page._repr_html_()
        assert "Welcome to nginx!" in urlopen(page.url, timeout=10).read().decode()
        foreground = lab.docker(f"run --rm -p {port}:80 nginx true")
        assert foreground.stderr.startswith(f"note: port {port} of this machine is taken, port ")


def test_a_port_of_the_labs_own_needs_none_of_the_machine(tmp_path: Path) -> None:
    with opened(tmp_path / "lab", "private") as lab, held(8080):
        lab.run("nginx", name="web", ports={80: 8080})
        assert host_ports(lab, "web") == ["8080"]
        page = lab.browse("http://localhost:8080")
        assert "Welcome to nginx!" in page.text and "<a " not in page._repr_html_()
        with pytest.raises(PortTakenError, match="Bind for 0.0.0.0:8080 failed: port is already allocated") as error:
            lab.run("nginx", name="two", ports={80: 8080})
        assert error.value.hint.startswith("container web of this lab has it: docker stop web")


def test_where_the_setting_comes_from() -> None:
    assert ports_here({}) == "exact"
    assert ports_here({"JUPYTERHUB_API_TOKEN": "x"}) == ports_here({"IMAGELAB_PORTS": "auto"}) == "auto"
    assert ports_here({"JUPYTERHUB_SERVICE_PREFIX": "/user/a/", "IMAGELAB_PORTS": "exact"}) == "exact"
    with pytest.raises(ImageLabError, match="IMAGELAB_PORTS=some: not understood"):
        ports_here({"IMAGELAB_PORTS": "some"})


def test_a_link_leads_through_the_hub() -> None:
    assert port_url(8080, {}) == "http://localhost:8080/"
    assert port_url(8080, {"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"}) == "/user/ada/proxy/8080/"


def test_udp_is_another_port_than_tcp(tmp_path: Path) -> None:
    with opened(tmp_path / "lab", "exact") as lab, held() as port:
        assert lab.docker(f"run -d -p {port}:53/udp nginx").exit_code == 0


# -- -P -----------------------------------------------------------------------------------------------------


def test_two_processes_that_choose_at_once_get_different_ports(tmp_path: Path) -> None:
    with opened(tmp_path / "one", "exact") as one, opened(tmp_path / "two", "exact") as two:
        labs = [one, two]
        line = [sys.executable, "-m", "imagelab", "--lab"]
        started = [
            subprocess.Popen([*line, str(lab.store.directory), "run", "-d", "--name", f"web{at}", "-P", "nginx"])
            for at, lab in enumerate(labs)
        ]
        assert [process.wait(120) for process in started] == [0] * len(labs)
        found = [port for at, lab in enumerate(labs) for port in host_ports(lab, f"web{at}")]
        assert len(set(found)) == len(found) == 2 * len(labs)
        assert all("Welcome to nginx!" in lab.browse(f"localhost:{host_ports(lab, f'web{at}')[-1]}").text for at, lab in enumerate(labs))  # fmt: skip


# -- labs and servers that go -------------------------------------------------------------------------------


def test_a_lesson_that_takes_anothers_place_gets_its_ports() -> None:
    port = free_port()
    code = f"""
import imagelab
first = imagelab.lesson('one')
web = first.run('nginx', name='web', ports={{80: {port}}})
second = imagelab.lesson('two')
assert web.status == 'exited', web.status
second.run('nginx', name='web', ports={{80: {port}}})
practice = second.exercise('own-page')
practice.lab.run('nginx', name='mine', ports={{80: {port}}})
print(practice.lab.browse('http://localhost:{port}').status)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "200\n", done.stderr


OWNERS = {
    "lesson": "import imagelab; lab = imagelab.lesson('x')",
    "server": """
import os, pathlib, imagelab
from imagelab.jupyter.welcome import own_containers
own_containers(os.environ, pathlib.Path(os.environ['FOLDER']) / 'servers')
lab = imagelab.connect(os.environ['FOLDER'] + '/lab', clock='class')
""",
}


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
def test_no_supervisor_survives_whoever_it_belongs_to(owner: str, paused: bool, tmp_path: Path) -> None:
    code = f"""{OWNERS[owner]}
import time
web = lab.run('nginx', name='web')
{"lab.engine.containers.pause('web')" if paused else ""}
print(web.container.pid, flush=True)
time.sleep(100)
"""
    environ = os.environ | {"FOLDER": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environ)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    os.kill(pid, 0)
    process.kill()
    process.wait(10)
    process.stdout.close()
    deadline = time.monotonic() + 10
    while is_process(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_process(pid)


def is_process(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or ") Z " not in stat.read_text(encoding="utf-8")


# -- notebooks ----------------------------------------------------------------------------------------------


def test_a_notebook_that_publishes_8080_comes_out_the_same_while_8080_is_held(tmp_path: Path) -> None:
    [source] = [one for one in notebooks.sources() if one.parent.name == "05-commit"]
    assert "-p 8080:80" in source.read_text(encoding="utf-8")
    with held(8080), held(8081):
        made = notebooks.build(source, "en", tmp_path)
    assert made == notebooks.target(source, "en").read_text(encoding="utf-8")
