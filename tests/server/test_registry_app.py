"""Our registry, called in process and over HTTP: the same cases for both, and for a restarted one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from imagelab.classroom.upstream import ClassroomStorage
from imagelab.classroom.upstream import app as classroom
from imagelab.errors import ImageLabError
from imagelab.registry.in_process import in_process
from imagelab.server.registry import RegistryApp
from imagelab.server.serve import serve, serving
from imagelab.server.storage import DirectoryStorage, LayeredStorage
from suites.registry_suite import CASES, NEWER, Client


@pytest.fixture(params=["in process", "over HTTP", "on top of the classroom"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Client]:
    storage = DirectoryStorage(tmp_path)
    session = requests.Session()
    if request.param == "over HTTP":
        with serving(RegistryApp(storage)) as url:
            yield Client(session, url, "suite/app")
        session.close()
        return
    layered = LayeredStorage(ClassroomStorage(dict), storage)
    app = RegistryApp(layered if request.param == "on top of the classroom" else storage)
    session.mount("http://registry.invalid", in_process(app))
    yield Client(session, "http://registry.invalid", "suite/app")


@pytest.mark.parametrize("case", [*CASES, *NEWER], ids=lambda case: case.__name__)
def test_protocol(client: Client, case: Callable[[Client], None]) -> None:
    case(client)


def test_what_was_pushed_is_there_after_a_restart(tmp_path: Path) -> None:
    def client() -> Client:
        session = requests.Session()
        session.mount("http://registry.invalid", in_process(RegistryApp(DirectoryStorage(tmp_path))))
        return Client(session, "http://registry.invalid", "a/b")

    digest = client().push_image("v1")
    assert client().ask("HEAD", "manifests/v1").headers["Docker-Content-Digest"] == digest


def test_the_classroom_is_read_only() -> None:
    session = requests.Session()
    session.mount("http://registry.invalid", in_process(classroom()))
    answer = session.post("http://registry.invalid/v2/library/ubuntu/blobs/uploads/")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (405, "UNSUPPORTED")


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with serving(RegistryApp(DirectoryStorage(tmp_path))) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(ImageLabError, match=f"cannot listen on 127.0.0.1:{port}"):
            serve(RegistryApp(DirectoryStorage(tmp_path)), port=port)
