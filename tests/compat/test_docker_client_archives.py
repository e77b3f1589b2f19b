"""The real docker client beside ours, for save, load and import: help pages, refusals, and what a load says, byte for byte.

The stand-in daemon answers with what the lab's archives do; how that is printed is the client's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_makers import docker_files, tar
from docker_lines import ours, settled, theirs

import imagelab
import peers
from engine_api import daemon
from imagelab.app import Lab

pytestmark = pytest.mark.compat

PAGES = ["save", "image save", "load", "image load", "import", "image import"]
LINES = """
save
load x
import
import a b c
save -x
load --nope
import -c
save nope -o {folder}/x
save nope:1 -o {folder}/x
save Nope -o {folder}/x
save nginx -o {folder}
save nginx -o {folder}/no/x
save nginx -o {folder}/good.tar/x
save nginx -o /dev/null
save nginx -o {folder}/out.tar
save nginx ubuntu:14.04 -o {folder}/out.tar
save nginx -o {folder}/out.tar --platform a/b/c/d
load -i {folder}/no
load -i {folder}/good.tar
load -q -i {folder}/good.tar
load -i {folder}/untagged.tar
load -i {folder}/moving.tar
load -i {folder}/bad.tar
load -i {folder}/cut.tar
load -i {folder}/missing.tar
load -i {folder}/good.tar --platform a/b/c/d
import {folder}/no
import {folder}/files.tar Foo
import {folder}/files.tar a@sha256:{zeros}
import {folder}/bad.tar
import -c 'RUN x' {folder}/files.tar
import --platform a/b/c/d {folder}/files.tar
""".strip().splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archives, good and bad."""
    folder = tmp_path_factory.mktemp("files")
    other = tar({"other": b"other"})
    for name, data in {
        "good": tar(docker_files("a:1", "me/b:2")), "untagged": tar(docker_files()), "moving": tar(docker_files("ubuntu:14.04", layer=other)),
        "bad": b"no archive" * 1000, "cut": tar(docker_files("a:1"))[:1800], "missing": tar({"x": b"x"}), "files": other,
    }.items():  # fmt: skip
        (folder / f"{name}.tar").write_bytes(data)
    return folder


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = imagelab.connect(tmp_path / "lab", environ={"TZ": "UTC"}, clock="class")
    for name in ("ubuntu:14.04", "nginx"):
        lab.pull(name)
    yield lab
    lab.close()


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Lab]:
    """The same again: a load changes a lab, so each client has one of its own."""
    lab = imagelab.connect(tmp_path / "second", environ={"TZ": "UTC"}, clock="class")
    for name in ("ubuntu:14.04", "nginx"):
        lab.pull(name)
    yield lab
    lab.close()


@pytest.fixture
def docker(second: Lab) -> Iterator[str]:
    peers.need("docker")
    with tempfile.TemporaryDirectory(prefix="il-") as place, daemon(second, Path(place)) as host:
        yield host


@pytest.mark.parametrize("line", LINES)
def test_the_same_bytes(lab: Lab, docker: str, folder: Path, line: str) -> None:
    line = line.format(folder=folder, zeros="0" * 64)
    out = folder / "out.tar"
    out.unlink(missing_ok=True)
    expected = theirs(docker, line)
    written = out.read_bytes() if out.exists() else b""
    out.unlink(missing_ok=True)
    found = ours(lab, line)
    assert found[0] == expected[0]
    assert settled(found[1]) == settled(expected[1])
    assert found[2] == expected[2]
    assert written == (out.read_bytes() if out.exists() else b"")


@pytest.mark.parametrize("command", PAGES)
def test_the_same_page_of_help(lab: Lab, docker: str, command: str) -> None:
    assert ours(lab, f"{command} --help") == theirs(docker, f"{command} --help")


def test_import_prints_an_id(lab: Lab, second: Lab, docker: str, folder: Path) -> None:
    """R6.49"""
    line = f"import -m why -c 'CMD [\"sh\"]' {folder}/files.tar x:1"
    expected, found = theirs(docker, line), ours(lab, line)
    assert expected == found == (f"{lab.image('x:1').id}\n", "", 0)
    assert second.image("x:1").config.data == lab.image("x:1").config.data
    piped = theirs(docker, f"import - y < {folder}/files.tar")
    assert piped[0] == f"{second.image('y').id}\n"
