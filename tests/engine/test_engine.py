"""Docker's verbs on real bytes: what is told, what is found, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import imagelab
from imagelab.app import Lab
from imagelab.errors import (
    ConflictError,
    ImageNotFoundError,
    ManifestError,
    ReferenceSyntaxError,
    RegistryError,
    UsageError,
)
from imagelab.oci.documents import Digest
from imagelab.state.events import Deleted, Event, Progress, Untagged


def lines(told: list[Progress | Event], *, bars: bool = False) -> list[str]:
    kept = [item for item in told if isinstance(item, Progress) and (bars or not item.total)]
    return [f"{item.id}: {item.status}" if item.id else item.status for item in kept]


# -- pull ---------------------------------------------------------------------------------------------------


def test_a_pull_tells_what_docker_tells(lab: Lab, told: list[Progress | Event]) -> None:
    """R2.6-R2.8, R2.12, R2.13, R2.15."""
    image = lab.pull("ubuntu:14.04")
    text = lines(told)
    blobs = [lab.state.layers[chain_id].blob.short for chain_id in image.layers]
    assert text[0] == "14.04: Pulling from library/ubuntu"
    assert text[1:6] == [f"{blob}: Pulling fs layer" for blob in blobs]
    assert text[6:8] == [f"{blob}: Waiting" for blob in blobs[3:]]
    for blob in blobs:
        assert [line for line in text if line.startswith(blob)][-3:] == [
            f"{blob}: Verifying Checksum",
            f"{blob}: Download complete",
            f"{blob}: Pull complete",
        ]
    assert [line.split(":")[0] for line in text if "Pull complete" in line] == blobs  # strictly in chain order
    assert text[-2] == f"Digest: {image.image.target}"
    assert text[-1] == "Status: Downloaded newer image for ubuntu:14.04"
    assert lab.state.tags(image.id) == ("docker.io/library/ubuntu:14.04",)
    assert lab.state.digests(image.id) == (f"docker.io/library/ubuntu@{image.image.target}",)
    assert told[-1] == Event("image", "pull", "ubuntu:14.04", {"name": "ubuntu"})


def test_several_layers_are_on_their_way_at_once(lab: Lab, told: list[Progress | Event]) -> None:
    """Bars of different layers alternate, also where there are no threads."""
    lab.pull("ubuntu:14.04")
    bars = [item.id for item in told if isinstance(item, Progress) and item.status == "Downloading"]
    assert len(set(bars)) == 5
    first = bars.index(bars[0])
    assert any(other != bars[0] for other in bars[first : len(bars) - bars[::-1].index(bars[0])])


def test_again_is_up_to_date(lab: Lab, told: list[Progress | Event]) -> None:
    """R2.11, R2.13."""
    lab.pull("ubuntu:16.04")
    told.clear()
    lab.pull("ubuntu:16.04")
    assert lines(told)[0::2] == ["16.04: Pulling from library/ubuntu", "Status: Image is up to date for ubuntu:16.04"]
    told.clear()
    lab.pull("ubuntu:latest")
    assert len(lines(told)) == 3
    assert lines(told)[-1] == "Status: Downloaded newer image for ubuntu:latest"


def test_shared_layers_already_exist(lab: Lab, told: list[Progress | Event]) -> None:
    """R2.9: the bottom of the stack that is here as a stack."""
    lab.pull("nginx")
    told.clear()
    lab.pull("redis")
    assert any(line.endswith("Already exists") for line in lines(told))
    statuses = [line.split(": ")[1] for line in lines(told) if line.endswith(("Already exists", "Pulling fs layer"))]
    assert statuses == sorted(statuses)


def test_pull_by_digest(lab: Lab, told: list[Progress | Event]) -> None:
    """R2.6, R2.15: only the digest reference is stored; the label is the whole reference."""
    target = lab.pull("busybox").image.target
    lab.rmi("busybox")
    told.clear()
    image = lab.pull(f"busybox@{target}")
    assert lines(told)[0] == f"docker.io/library/busybox@{target}: Pulling from library/busybox"
    assert lines(told)[-1] == f"Status: Downloaded newer image for busybox@{target}"
    assert lab.state.tags(image.id) == ()


def test_all_tags(lab: Lab, told: list[Progress | Event]) -> None:
    """R2.2, R2.13."""
    lab.pull("ubuntu", all_tags=True)
    assert lines(told)[-1] == "Status: Downloaded newer image for ubuntu"
    assert {tag for image in lab.images() for tag in image.tags} >= {"ubuntu:14.04", "ubuntu:16.04", "ubuntu:latest"}
    with pytest.raises(UsageError, match="tag can't be used with --all-tags/-a"):
        lab.pull("ubuntu:14.04", all_tags=True)


@pytest.mark.parametrize(
    ("name", "error", "text", "origin"),
    [
        (
            "Ubuntu",
            ReferenceSyntaxError,
            "invalid reference format: repository name (library/Ubuntu) must be lowercase",
            "client",
        ),
        ("ubuntu:", ReferenceSyntaxError, "invalid reference format", "client"),
        (
            "a" * 64,
            ReferenceSyntaxError,
            f"invalid repository name ({'a' * 64}), cannot specify 64-byte hexadecimal strings",
            "client",
        ),
        ("scratch", RegistryError, "'scratch' is a reserved name", "daemon"),
        ("ubuntu:99", RegistryError, "manifest for ubuntu:99 not found: manifest unknown: manifest unknown", "daemon"),
        (
            "nosuch",
            RegistryError,
            "pull access denied for nosuch, repository does not exist or may require "
            "'docker login': denied: requested access to the resource is denied",
            "daemon",
        ),
    ],
)
def test_what_a_pull_refuses(lab: Lab, name: str, error: type[Exception], text: str, origin: str) -> None:
    """R1.7, R1.14, R1.15, R1.18, R2.4."""
    with pytest.raises(error) as caught:
        lab.pull(name)
    assert (str(caught.value), caught.value.origin) == (text, origin)  # type: ignore[attr-defined]


def test_a_name_the_classroom_lacks_says_where_to_find_it(lab: Lab) -> None:
    with pytest.raises(RegistryError) as caught:
        lab.pull("nosuch")
    assert "hub" in caught.value.hint


def test_a_platform_that_is_not_there(lab: Lab, told: list[Progress | Event]) -> None:
    """R2.20: progress has been shown, so the error is part of the stream."""
    with pytest.raises(ManifestError) as caught:
        lab.pull("hello-world", platform="linux/s390x")
    assert str(caught.value) == "no matching manifest for linux/s390x in the manifest list entries"
    assert caught.value.origin == "stream"
    assert lines(told) == ["latest: Pulling from library/hello-world"]
    assert lab.state.images == {}


def test_another_platform_is_another_image(lab: Lab) -> None:
    """R2.12, R2.27: one index, two images; the digest told is the index's."""
    ours = lab.pull("hello-world")
    theirs = lab.pull("hello-world", platform="linux/arm64")
    assert ours.id != theirs.id
    assert ours.image.target == theirs.image.target or not ours.tags
    assert theirs.image.platform.startswith("linux/arm64")
    assert theirs.tags == ["hello-world:latest"]


# -- names --------------------------------------------------------------------------------------------------


def test_an_argument_is_an_id_a_name_or_a_prefix(lab: Lab) -> None:
    """R1.19-R1.22."""
    image = lab.pull("busybox")
    for text in (
        image.id,
        image.id.hex,
        image.id.hex[:3],
        f"sha256:{image.id.hex[:5]}",
        "busybox",
        "docker.io/library/busybox:latest",
    ):
        assert lab.image(text) == image
    lab.tag("busybox", image.id.hex[:4])
    other = lab.pull("alpine")
    lab.tag("alpine", image.id.hex[:4])
    assert lab.image(image.id.hex[:4]) == other  # a name hides an ID (R1.20)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("foo", "foo:latest"),
        ("foo:1", "foo:1"),
        ("u/foo", "u/foo:latest"),
        ("beef", "beef:latest"),
        ("sha256:" + "a" * 64, "sha256:" + "a" * 64),
    ],
)
def test_what_is_not_here(lab: Lab, text: str, shown: str) -> None:
    """R1.22."""
    with pytest.raises(ImageNotFoundError) as caught:
        lab.image(text)
    assert str(caught.value) == f"No such image: {shown}"


def test_tag(lab: Lab, told: list[Progress | Event]) -> None:
    """R1.17."""
    image = lab.pull("busybox")
    lab.pull("alpine")
    lab.tag("busybox", "me/box:1")
    assert image.tags == ["busybox:latest", "me/box:1"]
    lab.tag("alpine", "me/box:1")
    assert image.tags == ["busybox:latest"]
    for target, text in [
        ("sha256:abc", "refusing to create an ambiguous tag using digest algorithm as name"),
        (f"x@{image.id}", "refusing to create a tag with a digest reference"),
        (
            "Foo",
            'Error parsing reference: "Foo" is not a valid repository/tag: '
            "invalid reference format: repository name (library/Foo) must be lowercase",
        ),
    ]:
        with pytest.raises((UsageError, ReferenceSyntaxError, imagelab.errors.ImageLabError)) as caught:
            lab.tag("busybox", target)
        assert str(caught.value) == text
    with pytest.raises(ImageNotFoundError, match="No such image: foo:latest"):
        lab.tag("foo", "bar")


# -- the story of the chapter -------------------------------------------------------------------------------


def test_a_moved_tag_leaves_the_old_image_dangling(lab: Lab) -> None:
    """R3.5, R3.15: the old image keeps its digest reference, and is dangling all the same."""
    old = lab.pull("mongo:3.2")
    lab.upstream.release("mongo:3.2")
    new = lab.pull("mongo:3.2")
    assert new.id != old.id
    assert (old.tags, new.tags) == ([], ["mongo:3.2"])
    assert lab.state.is_dangling(old.id)
    assert list(lab.images(filters=["dangling=true"])) == [old]
    removed = lab.rmi(old.id.short)
    assert removed[0] == Untagged(f"mongo@{lab_target(removed)}")
    assert removed[1] == Deleted(old.id)
    assert list(lab.images(filters=["dangling=true"])) == []


def lab_target(removed: tuple[object, ...]) -> str:
    first = removed[0]
    assert isinstance(first, Untagged)
    return first.reference.partition("@")[2]


def test_prune_takes_what_nobody_needs(lab: Lab) -> None:
    """R5.18-R5.20."""
    old = lab.pull("mongo:3.2")
    lab.upstream.release("mongo:3.2")
    new = lab.pull("mongo:3.2")
    own = sum(lab.state.layers[layer].size for layer in set(old.layers) - set(new.layers))
    report = lab.prune()
    assert report.reclaimed == own
    assert Deleted(old.id) in report.removed
    assert lab.prune().removed == ()
    assert Deleted(new.id) in lab.prune(all=True).removed
    assert lab.state.images == {}


def test_a_refused_removal_changes_nothing(lab: Lab) -> None:
    image = lab.pull("ubuntu:16.04")
    lab.pull("ubuntu")
    before = lab.state
    with pytest.raises(ConflictError):
        lab.rmi(image.id.short)
    assert lab.state == before


# -- questions ----------------------------------------------------------------------------------------------


def test_history_counts_layers_only_for_entries_that_have_one(lab: Lab) -> None:
    """R6.39-R6.41."""
    image = lab.pull("nginx:1.11")
    rows = list(image.history())
    assert [row.id for row in rows] == [image.id] + [None] * (len(rows) - 1)
    assert sum(row.size for row in rows) == image.size
    assert any(row.size == 0 for row in rows)


def test_inspect_is_in_dockers_order(lab: Lab) -> None:
    """R6.50, R6.51."""
    image = lab.pull("nginx")
    data = lab.inspect("nginx")
    assert list(data)[:9] == [
        "Id",
        "RepoTags",
        "RepoDigests",
        "Parent",
        "Comment",
        "Created",
        "DockerVersion",
        "Author",
        "Config",
    ]
    assert data["Id"] == image.id
    assert data["RepoTags"] == ["nginx:latest"]
    assert data["Size"] == image.size
    assert data["GraphDriver"]["Data"]["LowerDir"].endswith(f"{image.layers[0].hex}/diff")
    json.dumps(data)


def test_disk_usage_counts_a_shared_layer_once(lab: Lab) -> None:
    """R6.54-R6.56."""
    nginx, redis = lab.pull("nginx"), lab.pull("redis")
    usage = lab.df().usage
    shared = set(nginx.layers) & set(redis.layers)
    both = sum(lab.state.layers[layer].size for layer in shared)
    assert shared
    assert usage.layers_size == nginx.size + redis.size - both
    assert {row.shared for row in usage.images} == {both}


# -- parameters, not the world ------------------------------------------------------------------------------


def test_two_labs_are_equal_to_the_byte(tmp_path: Path) -> None:
    """Same calls, same clock: same state, same text."""

    def walk(directory: Path) -> tuple[object, str]:
        lab = imagelab.connect(directory, clock="class", environ={})
        lab.pull("mongo:3.2")
        lab.upstream.release("mongo:3.2")
        lab.pull("mongo:3.2")
        lab.tag("mongo:3.2", "mine")
        state, text = lab.state, repr(lab.images())
        lab.close()
        return state, text

    assert walk(tmp_path / "a") == walk(tmp_path / "b")


def test_the_core_needs_no_threads_processes_or_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a browser does not have: everything from pull to prune works without it."""
    import socket
    import subprocess
    import threading

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("not in a browser")

    monkeypatch.setattr(threading.Thread, "start", forbidden)
    monkeypatch.setattr(subprocess, "Popen", forbidden)
    monkeypatch.setattr(socket, "socket", forbidden)
    lab = imagelab.connect(tmp_path, clock="class", environ={})
    lab.pull("nginx")
    assert "nginx" in repr(lab.images())
    lab.history("nginx"), lab.df(), lab.rmi("nginx")
    assert lab.engine.doctor() == []
    lab.close()


def test_a_digest_is_what_sha256sum_says(lab: Lab) -> None:
    """The blobs on disk are named by what they hash to; nothing is renamed or rewritten."""
    image = lab.pull("alpine")
    for blob in (lab.store.directory / "blobs" / "sha256").iterdir():
        assert Digest.of(blob.read_bytes()).hex == blob.name
    assert lab.store.read_blob(image.id) == image.config.raw
