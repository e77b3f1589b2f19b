"""What a command may touch: in a lab with a scratch folder no verb opens, lists, writes or connects to anything else, whatever is typed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import imagelab
from imagelab.app import Lab
from imagelab.cli.verbs import VERBS
from imagelab.course.catalog import exercise
from imagelab.course.exercise import perform
from imagelab.course.grade import grade
from imagelab.course.trial import clean_lab
from imagelab.lab.host_access import Scratch, WholeMachine
from imagelab.state.steps import Entry, write_log

SECRET = "the-canary-sings"
LINKS = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")


@dataclass(frozen=True)
class Place:
    """A machine in small: a folder to work in, and what is none of a line's business."""

    root: Path
    port: int
    listener: socket.socket

    @property
    def outside(self) -> Path:
        return self.root / "outside"

    def run(self, *lines: str) -> list[dict[str, Any]]:
        """Each line in a lab that has the desk alone, by a process that watches itself."""
        env = {key: value for key, value in os.environ.items() if not key.startswith(("IMAGELAB", "JPY"))}
        env |= {"TMPDIR": str(self.root / "tmp"), "HOME": str(self.outside), "CANARY": SECRET}
        child = Path(__file__).with_name("under_audit.py")
        done = subprocess.run(
            [sys.executable, str(child), str(self.root)], input=json.dumps(lines), capture_output=True, text=True, cwd=self.outside, env=env
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def everything(self) -> dict[str, bytes]:
        return {str(file): file.read_bytes() for file in self.outside.rglob("*") if file.is_file()}

    def was_connected_to(self) -> bool:
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    root = tmp_path.resolve()
    for name in ("desk/context", "outside/folder", "tmp"):
        (root / name).mkdir(parents=True)
    (root / "outside" / "canary").write_text(f"SECRET={SECRET}\n")
    (root / "outside" / "Dockerfile").write_text(f"FROM busybox\nLABEL secret={SECRET}\n")
    (root / "outside" / "log").write_text("\n".join(write_log([Entry(("pull", "hello-world"), {}, 0, None)])))
    (root / "outside" / ".netrc").write_text(f"default login a password {SECRET}\n")
    (root / "desk" / "Dockerfile").write_text("FROM busybox\nRUN echo /etc/passwd ../x > /y\nCOPY q /q\n")
    (root / "desk" / "q").write_text("Q=inside\n")
    context = root / "desk" / "context"
    (context / "Dockerfile").symlink_to(root / "outside" / "Dockerfile")
    (context / "file").symlink_to(root / "outside" / "canary")
    (context / "folder").symlink_to(root / "outside")
    (context / "Good").write_text("FROM busybox\nCOPY . /all\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield Place(root, listener.getsockname()[1], listener)


START = (
    "pull -q busybox", "run -d --name ww busybox sleep 1000", "exec ww sh -c 'echo p > /p; mkdir -p /d/e; echo f > /d/e/f'",
    "run --name over busybox true",
)  # fmt: skip

# -- every verb ---------------------------------------------------------------------------------------------

PLAUSIBLE: dict[str, tuple[str, ...]] = {
    "image save": ("save -o x.tar busybox", "save busybox"), "image load": ("load -i x.tar", "load"), "image import": ("import x.tar a:b", "import -"),
    "image build": ("build -t bb --iidfile iid .", "build -f Dockerfile -q .", "build --buildkit .", "build -\nFROM busybox\nRUN true", "build --explain ."),
    "image pull": ("pull hello-world", "pull -a hello-world", "pull nosuch"), "image ls": ("images -a", "images --digests"), "image history": ("history busybox",),
    "image inspect": ("image inspect busybox",), "inspect": ("inspect ww",), "image tag": ("tag busybox a/b:c",), "image rm": ("rmi a/b:c", "rmi --dry-run busybox"),
    "image prune": ("image prune -f", "image prune\ny"), "system df": ("system df -v",), "version": ("version",), "system info": ("info",),
    "container run": (
        "run --rm busybox cat /etc/passwd", "run -it busybox sh\necho hi > /x\nexit", "run -d --cidfile cid -p 8080:80 nginx", "run -d -P nginx",
        "run --env-file q -e CANARY busybox env", "run --rm -p 127.0.0.1:8081:80 busybox true", "run --label-file q busybox true",
    ),
    "container create": ("create --name made busybox true",), "container exec": ("exec ww ls /", "exec -i ww sh\ncat /p", "exec -d ww touch /apart"),
    "container start": ("start made", "start -a over"), "container stop": ("stop ww",), "container restart": ("restart ww",), "container kill": ("kill ww",),
    "container pause": ("start ww", "pause ww"), "container unpause": ("unpause ww",), "container wait": ("wait over",), "container rename": ("rename made built",),
    "container rm": ("rm built",), "container prune": ("container prune -f",), "container ls": ("ps -a -s",), "container inspect": ("container inspect ww",),
    "container logs": ("logs -t ww",), "container top": ("top ww",), "container port": ("port ww",), "container diff": ("diff ww",), "container attach": ("attach nosuch",),
    "container commit": ("commit ww kept",), "container export": ("export -o e.tar ww", "export ww"),
    "container cp": ("cp ww:/p q2", "cp -a ww:/d .", "cp q ww:/q", "cp -L d ww:/copied", "cp ww:/p -", "cp - ww:/"), "explore": ("explore busybox", "explore busybox --recover /etc/passwd"),
    "sizes": ("sizes",), "avalanche": ("avalanche busybox",), "tape": ("tape",), "causes": ("causes ww",), "graph": ("graph -o g.svg", "graph"), "undo": ("undo",), "redo": ("redo",),
    "at": ("at 3",), "fork": ("fork other",), "gc": ("gc",), "steps": ("steps", "steps --format json"), "replay": ("replay log", "replay -"),
    "lint-lessons": ("lint-lessons",), "new-lesson": ("new-lesson 99-x",), "check": ("check x.ipynb",), "assignment": ("assignment 05-commit",),
    "progress": ("progress", "progress --export mine"), "lab": ("lab",), "serve": ("serve -p 0",), "upstream": ("upstream", "upstream fault 500", "upstream heal", "upstream release mongo:3.2"),
    "doctor": ("doctor",), "supervise": ("supervise ww",), "grade": ("grade .",), "system prune": ("system prune -f",),
}  # fmt: skip
LAST = ("at", "fork", "gc", "undo", "redo")
OF_MACHINE = {verb.canonical for verb in VERBS.values() if verb.of_machine}


def test_no_verb_reaches_the_machine_in_any_other_way(place: Place) -> None:
    verbs = {verb.canonical for verb in VERBS.values()}
    assert verbs == set(PLAUSIBLE), "a verb of the table is not tried"
    before = place.everything()
    ordered = sorted(PLAUSIBLE, key=lambda name: name in LAST)
    found = place.run(*START, *(line for name in ordered for line in PLAUSIBLE[name]))
    strays = {one["line"]: one["strays"] for one in found if one["strays"]}
    assert not strays, json.dumps(strays, indent=1)
    assert place.everything() == before
    assert not place.was_connected_to()
    desk = {path.name for path in (place.root / "desk").iterdir()}
    assert {"x.tar", "iid", "cid", "e.tar", "q2", "d", "g.svg", "other"} <= desk, desk
    done = {one["line"]: one for one in found}
    assert done["build -t bb --iidfile iid ."]["code"] == 0, done["build -t bb --iidfile iid ."]
    assert "Q=inside" in done["run --env-file q -e CANARY busybox env"]["out"]
    assert SECRET not in json.dumps(found)
    for name in OF_MACHINE:
        assert "may touch nothing of the machine" in done[PLAUSIBLE[name][0]]["err"], name


# -- hostile lines ------------------------------------------------------------------------------------------

HOSTILE = """\
save -o "{o}/w1" busybox
save -o {o}/w1 busybox
save -o ../outside/w1 busybox
save "-o{o}/w1" busybox
save --output={o}/w1 busybox
save --output "../outside/w1" busybox
save -o {o}/canary busybox
save -o link/w1 busybox
save -o link/canary busybox
save -o x/../../outside/w1 busybox
image save busybox -o "{o}"/w1
export -o {o}/w2 ww
export -o "../outside/w2" ww
export --output=link/w2 ww
container export ww -o {o}/canary
cp ww:/p "{o}"
cp ww:/p {o}/canary
cp ww:/p ../outside/w3
cp -a ww:/d {o}/
cp -a ww:/d link/
cp ww:/p link/w3
cp ww:/p link/canary
cp {o}/canary ww:/stolen
cp ../outside/canary ww:/stolen
cp -L away ww:/stolen
cp link/canary ww:/stolen
cp -L link ww:/stolen
cp {o}/. ww:/stolen
container cp "{o}/canary" ww:/stolen
cp ww:/p away
cp ww:/p folded/../w3
run --cidfile {o}/w4 busybox true
run --cidfile=../outside/w4 busybox true
run "--cidfile" link/w4 busybox true
create --cidfile {o}/w4 busybox true
build --iidfile={o}/w5 .
build --iidfile ../outside/w5 .
build --iidfile link/w5 .
build {o}
build ../outside
build link
build -f {o}/Dockerfile .
build -f ../outside/Dockerfile .
build -f "link/Dockerfile" .
build context
build http://127.0.0.1:{p}/x.git
fork {o}/w6
fork ../outside/w6
fork link/w6
graph -o {o}/w7.svg
graph -o ../outside/w7.svg
graph -o link/w7.svg
graph --from tcp://127.0.0.1:{p}
graph --from unix://{o}/socket
run --env-file {o}/canary busybox env
run --env-file=../outside/canary busybox env
run --env-file link/canary busybox env
create --label-file {o}/canary busybox true
exec --env-file {o}/canary ww env
import {o}/canary
import ../outside/canary a:b
import link/canary
import http://127.0.0.1:{p}/x.tar
import https://localhost:{p}/x.tar
load -i {o}/canary
load --input=../outside/canary
load -i link/canary
pull 127.0.0.1:{p}/x
pull "127.0.0.1:{p}"/x
pull localhost:{p}/library/busybox
pull evil.example/x
run --rm '127.0.0.1:{p}/x' true
run --pull always localhost:{p}/x
create "localhost:{p}"/x true
--upstream http://127.0.0.1:{p} pull hello-world
--upstream=hub pull hello-world
--mirror http://127.0.0.1:{p} pull alpine
--mirror=https://127.0.0.1:{p} run alpine true
upstream set http://127.0.0.1:{p}
upstream set hub
--lab {o}/w8 images
--lab={o}/w8 pull hello-world
replay {o}/log
replay link/log
steps --format json > {o}/w9
images | tee {o}/w9
run $(save -o {o}/w1 busybox)
run $(docker save -o {o}/w1 busybox) nosuch/image true
check {o}/x.ipynb
progress --export {o}/w10
progress --import {o}/canary
assignment 05-commit -o {o}/w11
new-lesson 99-x --root {o}
lint-lessons --root {o}
serve --data {o}/w12 -p {p}
supervise ww
lab""".splitlines()
"""What somebody might write who means ill: {o} is a folder outside, {p} a port where somebody listens."""

PLANTED = (
    "exec ww sh -c 'ln -s {o} /link; ln -s {o}/canary /away; mkdir /folded'",
    "cp ww:/link .",
    "cp ww:/away .",
    "cp ww:/folded .",
)
HARMLESS = (
    "cp ww:/p away",
    "cp ww:/p folded/../w3",
    "run --rm -e CANARY busybox env",
    "run -e HOME --rm busybox env",
    "build -f context/Good context",
)
"""These may succeed: nothing outside is touched by them."""


@LINKS
def test_hostile_lines_touch_nothing_outside(place: Place) -> None:
    before = place.everything()
    filled = [line.format(o=place.outside, p=place.port) for line in (*PLANTED, *HOSTILE)]
    found = place.run(*START, *filled, *HARMLESS, "run --rm busybox true", "exec ww ls /")
    strays = {one["line"]: one["strays"] for one in found if one["strays"]}
    assert not strays, json.dumps(strays, indent=1)
    assert place.everything() == before
    assert not place.was_connected_to()
    assert SECRET not in json.dumps(found)
    lab = b"".join(file.read_bytes() for file in (place.root / "lab").rglob("*") if file.is_file())
    assert SECRET.encode() not in lab
    hostile = [one for one in found if one["line"] in filled[len(PLANTED) :] and one["line"] not in HARMLESS]
    assert [one["line"] for one in hostile if one["code"] == 0] == []
    assert [one["line"] for one in hostile if not one["err"] or "Traceback" in one["err"]] == []
    assert "stolen" not in found[-1]["out"]
    assert not (place.root / "desk" / "away").is_symlink() or os.readlink(place.root / "desk" / "away") == str(
        place.outside / "canary"
    )


def test_there_are_forty_and_more() -> None:
    assert len(set(HOSTILE)) >= 40


# -- who passes what ----------------------------------------------------------------------------------------


def test_a_lab_of_ones_own_has_the_machine_and_a_graded_one_a_folder(lab: Lab) -> None:
    assert isinstance(lab.host, WholeMachine)
    with clean_lab(exercise("moved-tag")) as graded:
        assert isinstance(graded.host, Scratch)


def test_a_graded_line_with_a_path_in_it_is_no_escape() -> None:
    """A Dockerfile may name whatever it likes: that is a file of the image."""
    with clean_lab(exercise("moved-tag")) as graded:
        assert perform(graded, ["build -t x -\nFROM busybox\nRUN cat /etc/passwd > /copy && ls ../.. /"]) == [0]
    lines = ("build -t x -\nFROM busybox\nRUN cat /etc/passwd > /copy", "pull mongo:3.2")
    assert grade(exercise("moved-tag"), lines=lines).solved


@pytest.mark.parametrize(
    "words",
    [("cp", "FILE", "one:/stolen"), ("load", "-i", "FILE"), ("import", "FILE"), ("build", "FOLDER"), ("create", "--env-file", "FILE", "busybox", "true")],
)  # fmt: skip
def test_a_log_reads_no_file_of_the_machine(lab: Lab, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "Dockerfile").write_text(f"FROM busybox\nLABEL a={SECRET}\n")
    names = {"FILE": str(tmp_path / "out" / "Dockerfile"), "FOLDER": str(tmp_path / "out")}
    line = tuple(names.get(word, word) for word in words)
    entries = [("pull", "busybox"), ("create", "--name", "one", "busybox", "true"), line]
    (tmp_path / "log").write_text("\n".join(write_log([Entry(entry, {}, 0, None) for entry in entries])))
    said = lab.docker(["replay", str(tmp_path / "log")])
    assert said.exit_code == 1 and "step 3 ended with exit code" in said.stderr, said


def test_a_log_connects_to_nobody(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n".join(write_log([Entry(("pull", "127.0.0.1:1/x"), {}, 0, None)])))
    assert (
        "127.0.0.1:1 is not asked: this line may use no network" in lab.docker(["replay", str(tmp_path / "log")]).stderr
    )


def test_a_log_whose_lines_left_files_beside_the_lab_is_replayed_without_them(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Dockerfile").write_text("FROM busybox\nRUN true\n")
    for line in (
        f"create --cidfile {tmp_path}/a/cid --name one busybox true",
        f"build --iidfile {tmp_path}/a/iid {tmp_path}/a",
    ):
        lab.docker("pull busybox")
        assert lab.docker(line).exit_code == 0
    (tmp_path / "log").write_text(lab.docker("steps --format json").stdout)
    for name in ("cid", "iid"):
        (tmp_path / "a" / name).unlink()
    with closing(imagelab.connect(tmp_path / "other", clock="class", environ={})) as other:
        said = other.docker(["replay", str(tmp_path / "log")])
    assert (said.exit_code, said.stderr) == (0, "")
    assert sorted(file.name for file in (tmp_path / "a").iterdir()) == ["Dockerfile"]
