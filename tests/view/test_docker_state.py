"""A State made of an engine's answers: the stand-in daemon tells of a lab, and the picture is the lab's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import peers
from engine_api import daemon
from imagelab.app import Lab
from imagelab.errors import ImageNotFoundError
from imagelab.view.graph.docker_state import CONFIG_ONLY, EngineError, named, read, state_of
from states import id_of


def answers(**changed: Any) -> dict[str, Any]:
    base, top = id_of("base"), id_of("top")
    image = {
        "Id": id_of("i"),
        "ParentId": "",
        "Created": 5,
        "Size": 30,
        "RepoTags": ["web:1", "<none>:<none>"],
        "RepoDigests": None,
        "Labels": None,
    }
    history = [
        {"Size": 20, "CreatedBy": "/bin/sh -c make"}, {"Size": 0, "CreatedBy": "/bin/sh -c #(nop)  ENV A=b"},
        {"Size": 10, "CreatedBy": "/bin/sh -c #(nop) ADD file:x in / "},
    ]  # fmt: skip
    box = {
        "Id": "c" * 64,
        "Names": ["/web"],
        "ImageID": id_of("i"),
        "State": "running",
        "Command": "make serve",
        "SizeRw": 7,
        "Created": 6,
        "Image": "web:1",
    }
    return {
        "images": [image], "inspected": {id_of("i"): {"RootFS": {"Layers": [base, top]}}}, "histories": {id_of("i"): history},
        "containers": [box], **changed,
    }  # fmt: skip


def test_an_engine_s_answers_are_a_state() -> None:
    machine = state_of(**answers())
    (image,) = machine.state.images.values()
    assert [machine.state.layers[chain_id].size for chain_id in image.layers] == [10, 20]
    assert [machine.commands[chain_id] for chain_id in image.layers] == ["ADD file:x in /", "RUN make"]
    assert machine.state.references == {"docker.io/library/web:1": id_of("i")}
    (box,) = machine.state.containers.values()
    assert (box.name, box.running, box.size, box.command) == ("web", True, 7, ("make serve",))


def test_a_history_that_does_not_fit_gives_no_sizes() -> None:
    machine = state_of(**answers(histories={id_of("i"): [{"Size": 30, "CreatedBy": "squashed"}]}))
    assert [layer.size for layer in machine.state.layers.values()] == [0, 0]
    assert machine.commands == {}


def test_podman_s_answers_have_no_prefix_and_lists_of_words() -> None:
    given = answers()
    bare = id_of("i").hex
    given["images"][0] |= {"Id": bare}
    given["inspected"], given["histories"] = (
        {bare: given["inspected"][id_of("i")]},
        {bare: given["histories"][id_of("i")]},
    )
    given["containers"][0] |= {"ImageID": bare, "Command": ["make", "serve"]}
    machine = state_of(**given)
    assert set(machine.state.images) == {id_of("i")}
    assert next(iter(machine.state.containers.values())).command == ("make", "serve")


def test_names_and_ids_are_found() -> None:
    state = state_of(**answers()).state
    assert named(state, "web:1") == named(state, "web") == named(state, id_of("i").hex[:5]) == id_of("i")
    with pytest.raises(ImageNotFoundError):
        named(state, "nothing")


def test_no_instruction_that_makes_layers_is_taken_for_one_that_does_not() -> None:
    assert not CONFIG_ONLY & {"ADD", "COPY", "RUN", "WORKDIR"}


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in daemon listens on a Unix socket")
def test_the_picture_of_an_engine_is_that_of_the_lab_it_holds(lab: Lab, tmp_path: Path) -> None:
    peers.need_module("docker")
    lab.pull("nginx")
    lab.pull("mongo:3.2")
    lab.docker("create --name box nginx")
    lab.docker("commit box made:1")
    with daemon(lab, tmp_path) as url:
        machine = read(url)
        assert lab.docker(["graph", "--from", url, "--focus", "box"]).exit_code == 0
    from imagelab.view.graph.model import graph

    ours, theirs = lab.graph(all=True).graph, graph(machine.state, all=True)
    assert [(thing.key, thing.on, thing.size, thing.marks, thing.parent) for thing in theirs.things] == [
        (thing.key, thing.on, thing.size, thing.marks, thing.parent) for thing in ours.things
    ]


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # docker-py leaves a socket open when nobody answers
@pytest.mark.parametrize("where", ["unix:///nowhere/at/all.sock", "nonsense://x", "http://127.0.0.1:9"])
def test_an_engine_that_does_not_answer_is_a_sentence(where: str, lab: Lab) -> None:
    peers.need_module("docker")
    with pytest.raises(EngineError, match="no engine answers at"):
        read(where)
    result = lab.docker(["graph", "--from", where])
    assert result.exit_code == 1 and "Traceback" not in result.stderr and "hint:" in result.stderr


def test_without_docker_py_it_is_said_how_to_get_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    result = lab.docker("graph --from docker")
    assert result.exit_code == 1
    assert result.stderr == "asking an engine needs docker-py\nhint: pip install 'imagelab[docker]'\n"


def test_an_engine_has_no_steps(lab: Lab) -> None:
    assert "--since is for a lab" in lab.docker("graph --from docker --since -1").stderr
