"""`docker build`: what it prints, what it leaves, what it takes from the cache (R8.1-R8.23)."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imagelab
from imagelab.app import Lab
from imagelab.errors import ImageLabError
from imagelab.lab.results.images import CommandResult

Files = Mapping[str, str | bytes]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = imagelab.connect(tmp_path / "lab", environ={}, clock="class", in_process=True)
    lab.pull("ubuntu:14.04")
    yield lab
    lab.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "context").mkdir()
    return tmp_path / "context"


def build(lab: Lab, folder: Path, files: Files, *flags: str) -> CommandResult:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(0o644)
    return lab.docker(["build", *flags, str(folder)])


def steps(result: CommandResult) -> str:
    """The output with IDs as `ID`, and what is printed before the first step left out."""
    import re

    lines = result.stdout.split("\n")
    while lines and not lines[0].startswith("Step"):
        lines.pop(0)
    return re.sub(r"\b[0-9a-f]{12}\b", "ID", "\n".join(lines))


# -- what it prints -----------------------------------------------------------------------------------------

BOOK: Files = {"Dockerfile": "FROM ubuntu:14.04\nENV A=b C=$A\nCOPY x /\nRUN echo hi\n", "x": "1\n"}


def test_output_of_28(lab: Lab, folder: Path) -> None:
    """R8.1-R8.6."""
    result = build(lab, folder, BOOK, "-t", "app", "-t", "app:2")
    assert result.stdout.startswith(
        "Sending build context to Docker daemon  3.072kB\nStep 1/4 : FROM ubuntu:14.04\n ---> "
    )
    assert (
        steps(result)
        == """\
Step 1/4 : FROM ubuntu:14.04
 ---> ID
Step 2/4 : ENV A=b C=$A
 ---> Running in ID
 ---> Removed intermediate container ID
 ---> ID
Step 3/4 : COPY x /
 ---> ID
Step 4/4 : RUN echo hi
 ---> Running in ID
hi
 ---> Removed intermediate container ID
 ---> ID
Successfully built ID
Successfully tagged app:latest
Successfully tagged app:2
"""
    )
    assert (result.stderr, result.exit_code) == ("", 0)
    assert (
        steps(build(lab, folder, {}))
        == """\
Step 1/4 : FROM ubuntu:14.04
 ---> ID
Step 2/4 : ENV A=b C=$A
 ---> Using cache
 ---> ID
Step 3/4 : COPY x /
 ---> Using cache
 ---> ID
Step 4/4 : RUN echo hi
 ---> Using cache
 ---> ID
Successfully built ID
"""
    )


def test_output_of_1_13(lab: Lab, folder: Path) -> None:
    """R8.1, R8.2, R8.4, R8.5, R8.6."""
    lab.era = "1.13"
    result = build(
        lab, folder, {**BOOK, "Dockerfile": "FROM ubuntu:14.04\nenv A=b\nCOPY x /$A\nRUN echo hi\n"}, "-t", "app"
    )
    assert "Sending build context to Docker daemon 3.072 kB\n" in result.stdout
    assert (
        steps(result)
        == """\
Step 1/4 : FROM ubuntu:14.04
 ---> ID
Step 2/4 : ENV A b
 ---> Running in ID
 ---> ID
Removing intermediate container ID
Step 3/4 : COPY x /b
 ---> ID
Removing intermediate container ID
Step 4/4 : RUN echo hi
 ---> Running in ID
hi
 ---> ID
Removing intermediate container ID
Successfully built ID
"""
    )


def test_29_prints_the_targets_digest(lab: Lab, folder: Path) -> None:
    lab.era = "29"
    result = build(lab, folder, BOOK, "-t", "app")
    assert f"Successfully built {lab.image('app').image.target.hex[:12]}\n" in result.stdout


def test_the_deprecation_is_said_when_docker_buildkit_is_0(
    lab: Lab, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    assert build(lab, folder, BOOK).stderr.startswith(
        "DEPRECATED: The legacy builder is deprecated and will be removed in a future release.\n"
    )


def test_quiet_prints_the_id_alone(lab: Lab, folder: Path) -> None:
    result = build(lab, folder, BOOK, "-q", "-t", "app", "--iidfile", str(folder.parent / "id"))
    assert result.stdout == f"{lab.image('app').id}\n" and (folder.parent / "id").read_text() == lab.image("app").id
    failed = build(lab, folder, {"Dockerfile": "FROM ubuntu:14.04\nRUN exit 2"}, "-q")
    assert failed.stdout == "" and "Step 2/2 : RUN exit 2" in failed.stderr and failed.exit_code == 2


# -- what it leaves -----------------------------------------------------------------------------------------


def test_every_instruction_leaves_an_image_whose_parent_is_the_one_before(lab: Lab, folder: Path) -> None:
    """R8.7, R3.14, R5.8, R5.10: the intermediates show with -a, cannot be removed, and go with the last child."""
    before = set(lab.state.images)
    build(lab, folder, BOOK, "-t", "app")
    app = lab.image("app").id
    chain = [app, *lab.state.parents(app)]
    assert len(set(lab.state.images) - before) == 3 and chain[-1] == lab.image("ubuntu:14.04").id
    assert all(lab.state.is_intermediate(image) for image in chain[1:-1])
    assert len(lab.images()) == len(lab.images(all=True)) - 2
    refused = lab.docker(["rmi", chain[1].hex[:12]])
    assert "image has dependent child images" in refused.stderr and refused.exit_code == 1
    assert lab.docker("rmi app").stdout.count("Deleted: sha256:") >= 3
    assert set(lab.state.images) == before and not lab.engine.doctor()


def test_rebuilding_a_tag_leaves_the_old_image_dangling(lab: Lab, folder: Path) -> None:
    """R8.32, R3.15."""
    build(lab, folder, BOOK, "-t", "app")
    old = lab.image("app").id
    build(lab, folder, {"x": "2\n"}, "-t", "app")
    assert lab.state.is_dangling(old) and lab.image("app").id != old


def test_what_makes_a_layer(lab: Lab, folder: Path) -> None:
    """R8.8: RUN true and ENV make none, WORKDIR only where it makes a directory."""
    text = "FROM ubuntu:14.04\nRUN true\nENV A=b\nWORKDIR /etc\nWORKDIR /srv/a/b\nCOPY x /\nRUN echo 1 > /y"
    build(lab, folder, {"Dockerfile": text, "x": ""}, "-t", "app")
    history = lab.image("app").config.data["history"][-6:]
    assert [entry.get("empty_layer", False) for entry in history] == [True, True, True, False, False, False]
    assert len(lab.image("app").layers) == len(lab.image("ubuntu:14.04").layers) + 3


def test_history_says_what_docker_says(lab: Lab, folder: Path) -> None:
    """R8.9, R8.13."""
    text = 'FROM ubuntu:14.04\nARG V=1\nARG W\nRUN echo $V\nCOPY x /d/\nCOPY . /e\nCOPY x Dockerfile /f/\nCMD ["a"]\nSHELL ["/bin/bash", "-c"]\nENV A=1\nRUN true'
    build(lab, folder, {"Dockerfile": text, "x": "1"}, "-t", "app", "--build-arg", "W=w")
    import re

    said = [
        re.sub(r"[0-9a-f]{64}", "HASH", entry["created_by"]) for entry in lab.image("app").config.data["history"][-10:]
    ]
    assert said == [
        "/bin/sh -c #(nop)  ARG V=1", "/bin/sh -c #(nop)  ARG W", "|2 V=1 W=w /bin/sh -c echo $V", "/bin/sh -c #(nop) COPY file:HASH in /d/ ",
        "/bin/sh -c #(nop) COPY dir:HASH in /e ", "/bin/sh -c #(nop) COPY multi:HASH in /f/ ", '/bin/sh -c #(nop)  CMD ["a"]',
        "/bin/bash -c #(nop)  SHELL [/bin/bash -c]", "/bin/bash -c #(nop)  ENV A=1", "|2 V=1 W=w /bin/bash -c true",
    ]  # fmt: skip


def test_the_config_has_docker_s_keys(lab: Lab, folder: Path) -> None:
    """R7.1, R7.2."""
    build(
        lab,
        folder,
        {
            "Dockerfile": "FROM ubuntu:14.04\nMAINTAINER me\nEXPOSE 80\nVOLUME /v\nUSER 1\nLABEL a=b\nSTOPSIGNAL SIGQUIT\nHEALTHCHECK CMD x"
        },
        "-t",
        "app",
        "--label",
        "z=$y",
    )
    raw = lab.image("app").config.raw
    data = json.loads(raw)
    assert (
        list(data) == sorted(data) and b": " not in raw.split(b'"history"')[0].replace(b"#(nop)", b"").split(b"Cmd")[0]
    )
    config = data["config"]
    assert (config["Labels"], config["ExposedPorts"], config["Volumes"], config["User"], config["StopSignal"]) == (
        {"a": "b", "z": "$y"},
        {"80/tcp": {}},
        {"/v": {}},
        "1",
        "SIGQUIT",
    )
    assert data["author"] == "me" and config["Healthcheck"] == {"Test": ["CMD-SHELL", "x"]} and "parent" not in data


# -- the cache ----------------------------------------------------------------------------------------------


def test_rebuilding_is_all_cache_and_the_same_image(lab: Lab, folder: Path) -> None:
    """R8.11."""
    build(lab, folder, BOOK, "-t", "app")
    first, images = lab.image("app").id, dict(lab.state.images)
    again = build(lab, folder, {}, "-t", "app")
    assert (
        again.stdout.count("Using cache") == 3 and lab.image("app").id == first and set(lab.state.images) == set(images)
    )


def test_a_touched_file_is_the_same_file(lab: Lab, folder: Path) -> None:
    """R8.12: content and mode count, time does not."""
    import os

    build(lab, folder, BOOK)
    os.utime(folder / "x", (1, 1))
    assert build(lab, folder, {}).stdout.count("Using cache") == 3
    (folder / "x").chmod(0o755)
    assert build(lab, folder, {}).stdout.count("Using cache") == 1


def test_explain_says_which_input_changed(lab: Lab, folder: Path) -> None:
    files = {"Dockerfile": "FROM ubuntu:14.04\nARG V\nCOPY . /app\nRUN echo $V", "app.py": "1"}
    assert "step 3 ran for the first time\n" not in build(lab, folder, files, "--build-arg", "V=1").stdout
    changed = build(lab, folder, {"app.py": "2"}, "--explain", "--build-arg", "V=1").stdout
    assert changed.endswith(
        "step 2 came from the cache: nothing it depends on changed\nstep 3 ran again because app.py changed\nstep 4 ran because step 3 did\n"
    )
    argument = build(lab, folder, {}, "--explain", "--build-arg", "V=2").stdout
    assert argument.endswith("step 4 ran again because the build argument V changed\n")
    assert "step 3 ran because of --no-cache" in build(lab, folder, {}, "--no-cache", "--explain").stdout


def test_after_a_miss_nothing_is_looked_up_until_the_next_stage(lab: Lab, folder: Path) -> None:
    """R8.14."""
    text = "FROM ubuntu:14.04 AS a\nCOPY x /\nRUN echo 1\nFROM ubuntu:14.04\nRUN echo 2\n"
    build(lab, folder, {"Dockerfile": text, "x": "1"})
    again = build(lab, folder, {"x": "2"})
    assert again.stdout.count("Using cache") == 1 and "RUN echo 2\n ---> Using cache" in again.stdout


def test_an_argument_counts_where_it_is_used_first(lab: Lab, folder: Path) -> None:
    """R8.13, R8.17: the ARG line stays cached, any RUN after it does not; a proxy counts nowhere."""
    build(lab, folder, {"Dockerfile": "FROM ubuntu:14.04\nARG V\nENV A=1\nRUN true"}, "--build-arg", "V=1")
    assert build(lab, folder, {}, "--build-arg", "V=2").stdout.count("Using cache") == 2
    assert build(lab, folder, {}, "--build-arg", "V=2", "--build-arg", "HTTP_PROXY=x").stdout.count("Using cache") == 3


def test_cache_from_uses_an_image_that_was_pulled(lab: Lab, folder: Path, tmp_path: Path) -> None:
    """R8.14, R8.15: a pulled image is no cache by itself; its history is one with --cache-from."""
    build(lab, folder, BOOK, "-t", "app")
    assert lab.docker(["save", "-o", str(tmp_path / "app.tar"), "app"]).exit_code == 0
    other = imagelab.connect(tmp_path / "other", environ={}, clock="class", in_process=True)
    other.pull("ubuntu:14.04")
    assert other.docker(["load", "-i", str(tmp_path / "app.tar")]).exit_code == 0
    assert "Using cache" not in build(other, folder, {}, "-t", "mine").stdout
    built = build(other, folder, {}, "--cache-from", "app", "-t", "cached")
    assert built.stdout.count("Using cache") == 3, built
    assert other.image("cached").layers == lab.image("app").layers and other.engine.doctor() == []
    (folder / "x").write_text("changed")
    assert build(other, folder, {}, "--cache-from", "app").stdout.count("Using cache") == 1
    other.close()


# -- stages, triggers, files --------------------------------------------------------------------------------


def test_multi_stage(lab: Lab, folder: Path) -> None:
    """R8.22, R8.23, R8.17."""
    text = "ARG T=14.04\nFROM ubuntu:$T AS build\nRUN mkdir /out && echo made > /out/a && echo $T > /out/t\nFROM scratch\nCOPY --from=build /out /\nCOPY --from=0 /out/a /b\n"
    result = build(lab, folder, {"Dockerfile": text}, "-t", "app")
    assert result.exit_code == 0, result
    assert (
        "Step 1/6 : ARG T=14.04\nStep 2/6 : FROM ubuntu:$T AS build\n" in result.stdout
        and "Step 4/6 : FROM scratch\n ---> \n" in result.stdout
    )
    tree = lab.engine.images.tree("app")
    assert sorted(tree) == ["", "a", "b", "t"] and lab.store.read_file(tree["t"]) == b"\n"
    assert [image.parent for image in lab.state.images.values() if lab.state.is_dangling(image.id)] == [
        lab.image("ubuntu:14.04").id
    ]
    only = build(lab, folder, {}, "--target", "BUILD")
    assert "Step 3/3" in only.stdout and "Using cache" in only.stdout


def test_triggers(lab: Lab, folder: Path) -> None:
    """R8.19."""
    build(
        lab,
        folder,
        {"Dockerfile": "FROM ubuntu:14.04\nONBUILD COPY x /x\nONBUILD RUN cat /x", "x": "one\n"},
        "-t",
        "base",
    )
    child = build(lab, folder, {"Dockerfile": "FROM base\nENV A=b"}, "-t", "child")
    assert steps(child).startswith(
        "Step 1/2 : FROM base\n# Executing 2 build triggers\n ---> Running in ID\none\n ---> Removed intermediate container ID\n ---> ID\nStep 2/2 : ENV A=b\n"
    )
    assert lab.image("child").config.data["config"]["OnBuild"] is None


def test_copy(lab: Lab, folder: Path) -> None:
    text = "FROM scratch\nCOPY a* /to/\nCOPY dir /d\nCOPY dir /d/\nCOPY --chown=7:8 x /own/x\nCOPY link /l\nWORKDIR /w\nCOPY x .\nCOPY x y\n"
    (folder / "dir" / "sub").mkdir(parents=True)
    (folder / "link").symlink_to("dir/../x")
    (folder / "dir" / "loop").symlink_to("loop")
    result = build(lab, folder, {"Dockerfile": text, "a1": "1", "a2": "2", "x": "x", "dir/f": "f"}, "-t", "app")
    assert result.exit_code == 0, result
    tree = lab.engine.images.tree("app")
    assert sorted(tree) == [
        "",
        "d",
        "d/f",
        "d/loop",
        "d/sub",
        "l",
        "own",
        "own/x",
        "to",
        "to/a1",
        "to/a2",
        "w",
        "w/x",
        "w/y",
    ]
    assert (tree["own/x"].uid, tree["own/x"].gid, tree["own"].uid, tree["l"].kind, tree["d/loop"].target) == (
        7,
        8,
        7,
        "file",
        "loop",
    )


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_add_unpacks_a_tar(lab: Lab, folder: Path, mode: str) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:  # type: ignore[call-overload]
        member = tarfile.TarInfo("in/side")
        member.size, member.uid, member.mode = 3, 5, 0o640
        archive.addfile(member, io.BytesIO(b"abc"))
        again = tarfile.TarInfo("in/again")
        again.type, again.linkname = tarfile.LNKTYPE, "in/side"
        archive.addfile(again)
    files: Files = {
        "Dockerfile": "FROM scratch\nADD a.tar /to\nCOPY a.tar /\nADD x /to/",
        "a.tar": data.getvalue(),
        "x": "x",
    }
    assert build(lab, folder, files, "-t", "app").exit_code == 0
    tree = lab.engine.images.tree("app")
    assert sorted(tree) == ["", "a.tar", "to", "to/in", "to/in/again", "to/in/side", "to/x"]
    assert tree["to/in/again"] == tree["to/in/side"] and tree["to/in/side"].link == "to/in/again"
    assert (tree["to/in/side"].uid, tree["to/in/side"].mode, lab.store.read_file(tree["to/in/side"])) == (
        5,
        0o640,
        b"abc",
    )


def test_dockerignore(lab: Lab, folder: Path) -> None:
    """R8.24-R8.26."""
    files = {
        "Dockerfile": "FROM scratch\nCOPY . /",
        ".dockerignore": "**/*.md\n!keep.md\nDockerfile\n.dockerignore\ndir/deep",
        "a.md": "",
        "keep.md": "",
        "dir/b.md": "",
        "dir/c": "",
        "dir/deep/d": "",
    }
    assert build(lab, folder, files, "-t", "app").exit_code == 0
    assert sorted(lab.engine.images.tree("app")) == ["", "dir", "dir/c", "keep.md"]


def test_a_volume_swallows_what_a_later_run_writes(lab: Lab, folder: Path) -> None:
    """R8.21."""
    build(
        lab,
        folder,
        {"Dockerfile": "FROM ubuntu:14.04\nRUN mkdir /v && echo 1 > /v/a\nVOLUME /v\nRUN echo 2 > /v/b; echo 3 > /c"},
        "-t",
        "app",
    )
    assert {"v", "v/a", "c"} <= set(lab.engine.images.tree("app")) and "v/b" not in lab.engine.images.tree("app")


def test_healthcheck_notes_what_it_replaces(lab: Lab, folder: Path) -> None:
    """R8.20."""
    assert (
        "Note: overriding previous HEALTHCHECK: [CMD-SHELL a]\n"
        in build(lab, folder, {"Dockerfile": "FROM ubuntu:14.04\nHEALTHCHECK CMD a\nHEALTHCHECK CMD b"}).stdout
    )


# -- other contexts -----------------------------------------------------------------------------------------


def test_a_dockerfile_or_a_tar_on_standard_input(lab: Lab, folder: Path) -> None:
    assert (
        "Sending build context to Docker daemon  2.048kB\n"
        in lab.docker("build -t a -", stdin="FROM ubuntu:14.04\nRUN true").stdout
    )
    from imagelab.lab.build_context import context_of_stdin

    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, text in (("sub/D", b"FROM scratch\nCOPY x /"), ("x", b"1")):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    from imagelab.engine.build.request import BuildOptions

    sent = context_of_stdin(data.getvalue(), "sub/D")
    assert lab.engine.builds.build(sent.tar, BuildOptions(dockerfile=sent.dockerfile, tags=("t",))).names == (
        "t:latest",
    )


def test_a_dockerfile_outside_the_context(lab: Lab, folder: Path) -> None:
    (folder.parent / "D").write_text("FROM scratch\nCOPY . /")
    result = build(lab, folder, {"x": "1"}, "-f", str(folder.parent / "D"), "-t", "app")
    assert result.exit_code == 0, result
    assert sorted(lab.engine.images.tree("app")) == ["", "x"]


# -- what goes wrong ----------------------------------------------------------------------------------------


def test_a_failed_run(lab: Lab, folder: Path) -> None:
    """R8.10: its words, its code, its line; the container and the cache stay."""
    result = build(
        lab, folder, {"Dockerfile": "FROM ubuntu:14.04\nENV A=b\nRUN echo no >&2; exit 3\nRUN never"}, "-t", "app"
    )
    assert result.exit_code == 3 and result.stdout.endswith("no\n")
    assert result.stderr.startswith(
        "The command '/bin/sh -c echo no >&2; exit 3' returned a non-zero code: 3\nhint: line 3: RUN echo no >&2; exit 3\nhint: docker diff "
    )
    (left,) = lab.state.containers.values()
    assert left.exit_code == 3 and f"docker diff {left.id[:12]}" in result.stderr
    again = build(lab, folder, {}, "--force-rm")
    assert again.stdout.count("Using cache") == 1 and len(lab.state.containers) == 1
    assert not lab.engine.doctor()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Error response from daemon: the Dockerfile (Dockerfile) cannot be empty\n"),
        ("FROM x\nRUNN y", "Error response from daemon: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)\nhint: line 2: RUNN y\n              ^\n"),
        ("RUN x", "Error response from daemon: no build stage in current context\n"),
        ("FROM scratch", "No image was generated. Is your Dockerfile empty?\n"),
        ("FROM ubuntu:14.04\nCOPY nope /", "COPY failed: file not found in build context or excluded by .dockerignore: stat nope: file does not exist\nhint: line 2: COPY nope /\n"),
        ("FROM ubuntu:14.04\nCOPY ../x /", "COPY failed: forbidden path outside the build context: ../x ()\n"),
        ("FROM ubuntu:14.04\nADD a Dockerfile /d", "ADD failed: file not found"),
        ("FROM ubuntu:14.04\nCOPY x Dockerfile /d", "When using COPY with more than one source file, the destination must be a directory and end with a /\n"),
        ("FROM ubuntu:14.04\nCOPY no* /d", "COPY failed: no source files were specified\n"),
        ("FROM ubuntu:14.04\nCOPY --chmod=1 x /", "the --chmod option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled\n"),
        ("FROM ubuntu:14.04\nRUN --mount=type=cache,target=/x true", "the --mount option requires BuildKit."),
        ("FROM ubuntu:14.04\nRUN <<EOF\ntrue\nEOF\n", "the heredoc syntax requires BuildKit."),
        ("FROM ubuntu:14.04\nCOPY --chown=nobody7 x /", "unable to convert uid/gid chown string to host mapping: can't find uid for user nobody7: no such user: nobody7\n"),
        ("FROM ubuntu:14.04\nCOPY --from=1 x /", "invalid from flag value 1: invalid stage index 1\n"),
        ("FROM ubuntu:14.04\nEXPOSE x", "invalid containerPort: x\n"),
        ("FROM ubuntu:14.04\nENV A=${B", "syntax error: missing '}'\n"),
        ("FROM ubuntu:14.04\nADD http://example.com/x /", "ADD failed: http://example.com/x: imagelab builds offline"),
        ("FROM $NO", "base name ($NO) should not be blank\n"),
        ("FROM nosuchimage:1", "pull access denied for nosuchimage"),
        ("FROM ubuntu:14.04\nRUN [\"nothere\"]", "failed to create task for container"),
    ],
)  # fmt: skip
def test_bad_dockerfiles(lab: Lab, folder: Path, text: str, said: str) -> None:
    result = build(lab, folder, {"Dockerfile": text, "x": "1"})
    assert said in result.stderr and result.exit_code == 1 and "Traceback" not in result.stderr
    assert not lab.engine.doctor()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FROM ubuntu:14.04\nRUNN y", "Error response from daemon: Unknown instruction: RUNN\n"),
        ("RUN x", "Error response from daemon: Please provide a source image with `from` prior to commit\n"),
        ("", "Error response from daemon: The Dockerfile (Dockerfile) cannot be empty\n"),
        ("FROM ubuntu:14.04\nCOPY nope /", "lstat nope: no such file or directory\n"),
        ("FROM ubuntu:14.04\nCOPY ../x /", "Forbidden path outside the build context: ../x ()\n"),
    ],
)
def test_what_is_wrong_as_1_13_says_it(lab: Lab, folder: Path, text: str, said: str) -> None:
    lab.era = "1.13"
    assert build(lab, folder, {"Dockerfile": text}).stderr.startswith(said)


@pytest.mark.parametrize(
    ("flags", "said", "code"),
    [
        (
            ["-t", "Foo"],
            'invalid argument "Foo" for "-t, --tag" flag: invalid reference format: repository name (library/Foo) must be lowercase\n',
            125,
        ),
        (
            ["--build-arg", "=x"],
            'invalid argument "=x" for "--build-arg" flag: invalid environment variable: =x\n',
            125,
        ),
        (["--label", "=x"], 'invalid argument "=x" for "--label" flag: invalid label \'=x\': empty name\n', 125),
        (["--target", "nope"], 'Error response from daemon: target stage "nope" could not be found\n', 1),
        (["-f", "nope"], "unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat ", 1),
        (["--nope"], "unknown flag: --nope\n", 125),
        (["x"], "docker: 'docker build' requires 1 argument\n", 1),
    ],
)
def test_bad_flags(lab: Lab, folder: Path, flags: list[str], said: str, code: int) -> None:
    result = build(lab, folder, {"Dockerfile": "FROM ubuntu:14.04"}, *flags)
    assert result.stderr.startswith(said) and result.exit_code == code


def test_unused_arguments_are_warned_of(lab: Lab, folder: Path) -> None:
    assert (
        "[Warning] One or more build-args [A B] were not consumed\n"
        in build(lab, folder, {"Dockerfile": "FROM ubuntu:14.04"}, "--build-arg", "B=1", "--build-arg", "A=1").stdout
    )


def test_contexts_that_are_none(lab: Lab, folder: Path) -> None:
    assert lab.docker("build nosuch").stderr.startswith('unable to prepare context: path "nosuch" not found\n')
    file = folder / "file"
    file.write_text("x")
    assert lab.docker(["build", str(file)]).stderr.startswith(
        "unable to prepare context: context must be a directory: "
    )
    assert lab.docker("build https://example.com/x.git").stderr.startswith(
        "unable to prepare context: imagelab builds offline"
    )
    assert "failed to peek context header from STDIN: EOF" in lab.docker("build -").stderr


def test_a_tar_with_names_outside_is_refused(lab: Lab) -> None:
    from imagelab.engine.build.request import BuildOptions

    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../evil"))
    with pytest.raises(ImageLabError, match="outside the root"):
        lab.engine.builds.build(data, BuildOptions())
    for broken in (b"\x1f\x8bnothing", b"BZh9nothing", b"\xfd7zXZ\0nothing", b"nothing" * 200):
        with pytest.raises(ImageLabError):
            lab.engine.builds.build(io.BytesIO(broken), BuildOptions())


# -- from Python --------------------------------------------------------------------------------------------


def test_a_build_from_python(lab: Lab, folder: Path) -> None:
    files = {"Dockerfile": "FROM ubuntu:14.04\nCOPY app.py /\nRUN cat app.py", "app.py": "1\n"}
    built = lab.build(files, "app")
    assert repr(built).endswith("Successfully tagged app:latest") and built.image.tags == ["app:latest"]
    assert [step.outcome for step in built.steps] == ["FROM", "RAN", "RAN"] and "<td>RAN" in built._repr_html_()
    assert lab.build(files, "app").trace.ran == () and lab.build(files).image == built.image
    changed = lab.build({**files, "app.py": "2\n"}, "app")
    assert changed.explain() == "step 2 ran again because app.py changed\nstep 3 ran because step 2 did\n"
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
    assert lab.build(folder).image == built.image


def test_a_build_from_python_that_fails_tells_what_was_printed(lab: Lab) -> None:
    with pytest.raises(ImageLabError, match="returned a non-zero code: 3") as caught:
        lab.build({"Dockerfile": "FROM ubuntu:14.04\nRUN echo here; exit 3"})
    assert caught.value.__notes__[0].endswith("\nhere\n")
    kit = lab.build({"Dockerfile": "FROM ubuntu:14.04\nRUN echo 1 > /x"}, "kit", buildkit=True)
    assert (
        repr(kit).startswith("[+] Building 0.0s")
        and kit.image.image.parent is None
        and lab.steps()[-1].command == ("build", "-t", "kit", "--buildkit", "-")
    )


def test_the_same_build_is_the_same_bytes_in_every_lab(tmp_path: Path) -> None:
    """R7.1, and the class clock: digests can be read aloud."""
    ids = []
    for name in "ab":
        lab = imagelab.connect(tmp_path / name, environ={}, clock="class", in_process=True)
        ids.append(lab.build({"Dockerfile": "FROM ubuntu:14.04\nRUN echo 1 > /x\nCOPY . /y\nENV A=b"}).printed)
        lab.close()
    assert ids[0] == ids[1]


# -- the timeline -------------------------------------------------------------------------------------------


def test_a_build_is_one_step_that_can_be_undone_and_run_again(lab: Lab, folder: Path, tmp_path: Path) -> None:
    before = lab.state
    build(lab, folder, BOOK, "-t", "app")
    after = lab.state
    lab.undo()
    assert lab.state == before
    lab.redo()
    assert lab.state == after and lab.steps()[-1].command == ("build", "-t", "app", str(folder))
    lab.undo()
    built = lab.build({"Dockerfile": "FROM ubuntu:14.04\nCOPY x /", "x": "1"}, "app", arguments={"A": "1"})
    assert lab.steps()[-1].command == ("build", "-t", "app", "--build-arg=A=1", "-")
    log = tmp_path / "log"
    log.write_text(lab.docker("steps --format json").stdout)
    other = imagelab.connect(tmp_path / "other", environ={}, clock="class", in_process=True)
    replayed = other.docker(["replay", str(log)])
    assert replayed.exit_code == 0, replayed
    assert other.image("app").id == built.image.id
    other.close()


# -- laws ---------------------------------------------------------------------------------------------------

INSTRUCTIONS = st.sampled_from(
    [
        "RUN true",
        "RUN echo 1 >> /f || true",
        "ENV A=1",
        "ENV A=2 B=$A",
        "ARG V=1",
        "COPY x /",
        "COPY . /d/",
        "WORKDIR /w",
        "WORKDIR sub",
        "LABEL a=b",
        "USER 1",
        "CMD x",
        "EXPOSE 80",
        "VOLUME /v",
    ]
)


@given(st.lists(INSTRUCTIONS, max_size=6), st.integers(0, 5))
@settings(max_examples=15)
def test_a_rebuild_is_all_cache_and_a_change_costs_what_follows_it(instructions: list[str], at: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lab = imagelab.connect(folder, environ={}, clock="class", in_process=True)
        files = {"x": "1", ".dockerignore": "Dockerfile", "Dockerfile": "\n".join(["FROM ubuntu:14.04", *instructions])}
        first = lab.build(files, "app")
        chain = [first.trace.image, *lab.state.parents(first.trace.image)]
        assert [step.image for step in first.steps] == chain[::-1]
        again = lab.build(files, "app")
        assert again.trace.ran == () and again.trace.image == first.trace.image
        at = min(at, len(instructions))
        changed = lab.build(
            {
                **files,
                "Dockerfile": "\n".join(["FROM ubuntu:14.04", *instructions[:at], "LABEL new=1", *instructions[at:]]),
            }
        )
        assert [step.outcome for step in changed.steps] == ["FROM"] + ["CACHED"] * at + ["RAN"] * (
            len(instructions) - at + 1
        )
        assert lab.engine.doctor() == []
        lab.close()


# -- a step that only changes the config ----------------------------------------------------------------------


def test_a_config_only_step_is_one_transaction_and_leaves_no_directory(lab: Lab) -> None:
    """Its container came and went, and has been seen by nobody; each still counts as a change."""
    before = lab.store.state().revision
    trace = lab.build({"Dockerfile": "FROM ubuntu:14.04\nLABEL a=b\n"})
    assert trace.image and " ---> Removed intermediate container " in str(trace)
    assert lab.store.state().revision == before + 3
    assert not list(lab.store.container_files("").glob("*"))


def test_a_container_that_stays_can_be_worked_in(lab: Lab, folder: Path) -> None:
    """`--rm=false`: the container of a LABEL is one like any other."""
    build(lab, folder, {"Dockerfile": "FROM ubuntu:14.04\nLABEL a=b\n"}, "--rm=false")
    (container,) = lab.store.state().containers.values()
    assert lab.docker(["cp", str(folder / "Dockerfile"), f"{container.name}:/x"]).exit_code == 0
    assert "A /x" in lab.docker(["diff", container.name]).stdout


def test_transactions_together_are_all_or_none(lab: Lab) -> None:
    """The second fails: the first has not happened either, nor has a step of the timeline."""
    before, steps_before = lab.store.state(), lab.store.history.steps()
    image = next(iter(before.images))
    with pytest.raises(ImageLabError), lab.store.verb(["tag"], 1) as verb, lab.store.together():
        with lab.store.transaction() as tx:
            tx.tag("docker.io/library/one:latest", image, 1)
        assert "docker.io/library/one:latest" in lab.store.state().references
        raise ImageLabError("no")
    assert lab.store.state() == before and lab.store.history.steps() == steps_before and not verb.step_numbers


def test_a_part_that_fails_takes_only_itself_back(lab: Lab) -> None:
    """As a savepoint does: what came before it in the same transaction stays."""
    image = next(iter(lab.store.state().images))
    with lab.store.together():
        with lab.store.transaction() as tx:
            tx.tag("docker.io/library/one:latest", image, 1)
        with pytest.raises(ImageLabError), lab.store.transaction() as tx:
            tx.tag("docker.io/library/two:latest", image, 1)
            raise ImageLabError("no")
    names = lab.store.state().references
    assert "docker.io/library/one:latest" in names and "docker.io/library/two:latest" not in names


def test_history_that_grows_is_encoded_as_if_it_were_new(lab: Lab) -> None:
    """Every config of a chain, also of one that begins on a cached image, is what its own data encode to."""
    from imagelab.oci.documents import encode

    odd = "FROM ubuntu:14.04\nLABEL a=<&>\nLABEL b='\u2028\u00e9'\n"
    lab.build({"Dockerfile": odd})
    image = lab.build({"Dockerfile": odd + "LABEL c=d\n"}).image
    state = lab.store.state()
    for image_id in (image.id, *state.parents(image.id)):
        raw = lab.store.read_blob(image_id)
        assert encode(json.loads(raw)) == raw
