"""`docker build --buildkit`: what BuildKit would print and leave (R8.28-R8.32)."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import imagelab
from imagelab.app import Lab
from imagelab.lab.build_context import context_tar
from imagelab.lab.results.images import CommandResult
from imagelab.layers.changeset import write
from imagelab.layers.tree import Kind, Node, Put

TEXT = 'FROM ubuntu:14.04 AS made\nRUN echo 1 > /one\nFROM ubuntu:14.04 AS unused\nRUN exit 1\nFROM ubuntu:14.04\nCOPY --from=made /one /\nCOPY x .\nRUN true\nARG V=1\nRUN cat /one\nWORKDIR /etc\nEXPOSE 80\nCMD ["a"]\n'


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = imagelab.connect(tmp_path / "lab", environ={}, clock="class", in_process=True)
    lab.pull("ubuntu:14.04")
    yield lab
    assert lab.engine.doctor() == []
    lab.close()


def build(lab: Lab, folder: Path, text: str, *flags: str) -> CommandResult:
    folder.mkdir(exist_ok=True)
    (folder / "x").write_text("x")
    (folder / "Dockerfile").write_text(text)
    return lab.docker(["build", "--buildkit", *flags, str(folder)])


def test_it_leaves_one_image_without_a_parent_and_no_container(lab: Lab, tmp_path: Path) -> None:
    """R8.29, R8.30: no intermediates, `<missing>` rows, a layer for every RUN, COPY and WORKDIR."""
    before = set(lab.state.images)
    assert build(lab, tmp_path / "c", TEXT, "-t", "app").exit_code == 0
    image = lab.image("app")
    assert set(lab.state.images) - before == {image.id} and image.image.parent is None and not lab.state.containers
    entries = image.config.data["history"][-8:]
    assert [entry["created_by"] for entry in entries] == [
        "COPY /one / # buildkit", "COPY x . # buildkit", "RUN /bin/sh -c true # buildkit", "ARG V=1", "RUN |1 V=1 /bin/sh -c cat /one # buildkit",
        "WORKDIR /etc", "EXPOSE [80/tcp]", 'CMD ["a"]',
    ]  # fmt: skip
    assert {entry["comment"] for entry in entries} == {"buildkit.dockerfile.v0"}
    assert [entry.get("empty_layer", False) for entry in entries] == [
        False,
        False,
        False,
        True,
        False,
        False,
        True,
        True,
    ]
    assert "<missing>" in lab.docker("history app").stdout and "container_config" not in image.config.data


def test_its_screen(lab: Lab, tmp_path: Path) -> None:
    """R8.28: on standard error, 80 columns wide, every time 0.0s; a stage nobody asks for is not there."""
    first, again = (build(lab, tmp_path / "c", TEXT, "-t", "app") for _ in range(2))
    lines = first.stderr.splitlines()
    assert lines[0] == f"{'[+] Building 0.0s (13/13) FINISHED':<66}docker:default" and {
        len(line) for line in lines
    } == {79, 80}
    assert " => [stage-2 3/6] COPY x . " in first.stderr and "exit 1" not in first.stderr and first.stdout == ""
    assert (
        " => CACHED [stage-2 3/6] COPY x . " in again.stderr
        and " => => naming to docker.io/library/app:latest " in again.stderr
    )


def test_rebuilding_is_the_same_image_and_a_change_leaves_the_old_one_dangling(lab: Lab, tmp_path: Path) -> None:
    """R8.32."""
    build(lab, tmp_path / "c", TEXT, "-t", "app")
    old = lab.image("app").id
    build(lab, tmp_path / "c", TEXT, "-t", "app")
    assert lab.image("app").id == old
    build(lab, tmp_path / "c", TEXT + "ENV A=b\n", "-t", "app")
    assert lab.image("app").id != old and lab.state.is_dangling(old)


def test_the_files_are_those_of_the_classic_builder(lab: Lab, tmp_path: Path) -> None:
    build(lab, tmp_path / "c", TEXT, "-t", "kit")
    text = TEXT.replace("RUN exit 1", "RUN true")
    (tmp_path / "c" / "Dockerfile").write_text(text)
    assert lab.docker(["build", "-t", "classic", str(tmp_path / "c")]).exit_code == 0
    kit, classic = lab.image("kit"), lab.image("classic")
    assert (
        list(kit.tree) == list(classic.tree) and len(kit.layers) == len(classic.layers) + 3
    )  # RUN true, RUN cat, WORKDIR /etc
    assert {
        key: value for key, value in classic.config.data["config"].items() if value and key != "Image"
    } == kit.config.data["config"]


def test_failures_leave_nothing_and_exit_1(lab: Lab, tmp_path: Path) -> None:
    before = lab.state
    failed = build(lab, tmp_path / "c", "FROM ubuntu:14.04\nRUN echo 1 > /x\nRUN echo no; exit 3")
    assert failed.exit_code == 1 and failed.stderr.endswith(
        ' > [3/3] RUN echo no; exit 3:\n0.000 no\n------\nERROR: failed to solve: process "/bin/sh -c echo no; exit 3" did not complete successfully: exit code: 3\nhint: line 3: RUN echo no; exit 3\n'
    )
    assert (lab.state.images, lab.state.containers, dict(lab.state.layers)) == (
        before.images,
        before.containers,
        dict(before.layers),
    )
    missing = build(lab, tmp_path / "c", "FROM ubuntu:14.04\nCOPY nope /")
    assert (
        'ERROR: failed to solve: failed to compute cache key: failed to calculate checksum of ref: "/nope": not found\n'
        in missing.stderr
    )
    assert (
        "ERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)\n"
        in build(lab, tmp_path / "c", "FROM a\nRUNN").stderr
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("RUN --mount=type=cache,target=/x true", "--mount"),
        ("COPY --chmod=1 x /", "--chmod"),
        ("RUN <<E\ntrue\nE", "here-documents"),
    ],
)
def test_what_it_does_not_do_it_says(lab: Lab, tmp_path: Path, text: str, said: str) -> None:
    failed = build(lab, tmp_path / "c", f"FROM ubuntu:14.04\n{text}\n")
    assert f"ERROR: failed to solve: imagelab does not do {said}\n" in failed.stderr and failed.exit_code == 1
    assert build(lab, tmp_path / "c", "FROM ubuntu:14.04\nCOPY --link x /\n").exit_code == 0


def test_a_volume_keeps_what_a_later_run_writes(lab: Lab, tmp_path: Path) -> None:
    """R8.21."""
    build(lab, tmp_path / "c", "FROM ubuntu:14.04\nRUN mkdir /v\nVOLUME /v\nRUN echo 1 > /v/a", "-t", "app")
    assert "v/a" in lab.engine.images.tree("app")


def test_the_environment_asks_for_it_and_1_13_has_none(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_BUILDKIT", "1")
    build(lab, tmp_path / "c", "FROM ubuntu:14.04")
    assert "[+] Building" in lab.docker(["build", str(tmp_path / "c")]).stderr
    lab.era = "1.13"
    assert "Docker 1.13 has no BuildKit" in build(lab, tmp_path / "c", "FROM ubuntu:14.04").stderr


KILLED = """
import imagelab, sys
lab = imagelab.connect(sys.argv[1], environ={}, in_process=True)
print("go", flush=True)
for number in range(1000):
    text = f"FROM ubuntu:14.04\\nENV A={number}\\nRUN echo {number} > /x\\nCOPY f /\\nWORKDIR /w{number}\\nRUN echo 2 > y"
    lab.build({"Dockerfile": text, "f": str(number)}, "app", buildkit=number % 2 == 1)
"""


@pytest.mark.parametrize("moment", [0.25, 0.4, 0.6, 0.85])
def test_a_build_that_is_killed_leaves_a_clean_lab(lab: Lab, moment: float) -> None:
    """Every step is a transaction: what was done is there, what was not is not."""
    program = subprocess.Popen([sys.executable, "-c", KILLED, str(lab.store.directory)], stdout=subprocess.PIPE)
    with program:
        program.stdout.readline()  # type: ignore[union-attr]
        time.sleep(moment)
        program.kill()
    assert lab.engine.doctor() == []
    assert lab.build({"Dockerfile": "FROM ubuntu:14.04\nRUN echo after > /x"}, "after").image.tags == ["after:latest"]


# -- contexts, of either builder ----------------------------------------------------------------------------


def test_a_context_of_a_hundred_thousand_files_is_bearable(lab: Lab) -> None:
    """Half a minute at most on a slow machine: what is copied is hashed, what is not is one row."""
    from imagelab.engine.build.request import BuildOptions

    text = b"FROM scratch\nCOPY d1 /\n"
    nodes = [Put(f"d{at % 100}/{at}", Node(Kind.FILE)) for at in range(100_000)]
    tar = io.BytesIO(b"".join(write([*nodes, Put("Dockerfile", Node(Kind.FILE, size=len(text)))], lambda node: text)))
    begun = time.monotonic()
    lab.engine.builds.build(tar, BuildOptions(tags=("app",)))
    assert len(lab.engine.images.tree("app")) == 1001 and time.monotonic() - begun < 60


def test_an_ignored_folder_is_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    (tmp_path / "node_modules" / "deep").mkdir(parents=True)
    (tmp_path / "Dockerfile").write_text("FROM a")
    (tmp_path / ".dockerignore").write_text("node_modules\n!keep")
    seen: list[str] = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: seen.append(Path(path).name) or scan(path))  # type: ignore[func-returns-value]
    context_tar(tmp_path).tar.close()
    assert "node_modules" not in seen


def test_links_that_loop_and_lead_outside_are_links(lab: Lab, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    (folder / "d").mkdir(parents=True)
    (folder / "d" / "up").symlink_to("..")
    (folder / "d" / "self").symlink_to("self")
    (folder / "out").symlink_to("/etc/passwd")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY d /d\nCOPY out /o\n")
    failed = lab.docker(["build", str(folder)])
    assert (
        "COPY failed: file not found in build context or excluded by .dockerignore: stat out: file does not exist"
        in failed.stderr
    )
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY d/self /o\n")
    assert "COPY failed: stat d/self: too many levels of symbolic links" in lab.docker(["build", str(folder)]).stderr


def test_a_file_that_cannot_be_read(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "secret").write_text("")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY x /\n")
    usual = Path.open

    def refused(path: Path, *how: Any, **more: Any) -> Any:
        if path.name == "secret":
            raise PermissionError(13, "Permission denied")
        return usual(path, *how, **more)

    monkeypatch.setattr(Path, "open", refused)
    failed = lab.docker(["build", str(folder)])
    assert (
        failed.stderr.startswith("error checking context: no permission to read from '")
        and "hint: list it in .dockerignore" in failed.stderr
    )
    (folder / ".dockerignore").write_text("secret")
    assert "no permission" not in lab.docker(["build", str(folder)]).stderr
