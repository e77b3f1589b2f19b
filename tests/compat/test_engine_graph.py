"""`imagelab graph --from`: a real Podman, asked through docker-py, is drawn as the lab whose images it loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import imagelab
import peers
from imagelab.app import Lab
from imagelab.view.graph.docker_state import read
from imagelab.view.graph.model import IMAGE, LAYER, TAG, graph

pytestmark = pytest.mark.compat

NAMES = ["ubuntu:14.04", "nginx:latest"]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = imagelab.connect(tmp_path / "lab", environ={}, clock="class", in_process=True)
    for name in NAMES:
        lab.pull(name)
    yield lab
    lab.close()


@pytest.fixture
def podman(lab: Lab, tmp_path: Path) -> Iterator[str]:
    """The URL of a Podman that has loaded the lab's images, and made a container."""
    peers.need("podman")
    folder = Path(tempfile.mkdtemp(prefix="il-"))  # a short name, which podman needs
    environment = peers.podman_environment(folder)
    place = [
        "--root",
        str(folder / "root"),
        "--runroot",
        str(folder / "run"),
        "--tmpdir",
        str(folder / "tmp"),
        "--storage-driver",
        "vfs",
    ]
    peers.run(
        "podman", *place, "load", "--quiet", "--input", lab.save(*NAMES, to=tmp_path / "x.tar"), environment=environment
    )
    peers.run("podman", *place, "create", "--name", "box", "--network", "none", "nginx:latest", environment=environment)
    url = f"unix://{folder}/socket"
    service = subprocess.Popen(
        ["podman", *place, "system", "service", "--time", "0", url], env={**os.environ, **environment}
    )
    for _ in range(100):
        if (folder / "socket").exists():
            break
        time.sleep(0.1)
    yield url
    service.terminate()
    service.wait(20)
    shutil.rmtree(folder, ignore_errors=True)


def test_podman_is_drawn_as_the_lab_it_was_loaded_from(lab: Lab, podman: str) -> None:
    peers.need_module("docker")
    machine = read(podman)
    ours, theirs = lab.graph().graph, graph(machine.state, commands=machine.commands)
    for kind in (IMAGE, LAYER):
        assert {thing.key for thing in theirs.of(kind)} == {thing.key for thing in ours.of(kind)}
    assert {thing.title for thing in theirs.of(TAG)} == {
        f"localhost/{name}" for name in NAMES
    }  # what podman makes of short names
    for image in ours.of(IMAGE):
        assert theirs.layers_of(image.key) == ours.layers_of(image.key)
    assert {thing.key: thing.about for thing in theirs.of(LAYER)} == {
        thing.key: thing.about for thing in ours.of(LAYER)
    }
    assert [box.name for box in machine.state.containers.values()] == ["box"]
    drawn = lab.docker(["graph", "--from", podman, "--focus", "box"])
    assert drawn.exit_code == 0 and "container box" in drawn.stdout
