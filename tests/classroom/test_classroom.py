"""The built-in registry: the bytes are what the sources give, and look as the book says."""

from __future__ import annotations

import json

import pytest

from imagelab.app import Lab
from imagelab.classroom.build import book
from imagelab.classroom.upstream import CLASS_NOW, DATA, ClassroomUpstream, contents
from imagelab.errors import ImageLabError
from imagelab.layers.changeset import index
from imagelab.oci.documents import INDEX_TYPES, Digest, ImageConfig, Manifest
from imagelab.units import human_duration, human_size

BLOBS = {f"sha256:{file.name}": file.read_bytes() for file in (DATA / "blobs").iterdir()}


def test_every_blob_is_what_its_name_says() -> None:
    assert all(Digest.of(data) == name for name, data in BLOBS.items())


def test_it_is_small() -> None:
    assert sum(map(len, BLOBS.values())) < 2_000_000


def test_the_sources_give_the_same_images() -> None:
    """Built now, from `recipes` and `sources/`: the same configs, so the same diff IDs and image IDs."""
    built = book()
    assert sorted(built.repositories) == sorted(contents()["repositories"])

    def configs(
        blobs: dict[Digest, bytes] | dict[str, bytes], manifests: dict[Digest, str] | dict[str, str]
    ) -> set[bytes]:
        single = [blobs[digest] for digest, kind in manifests.items() if kind not in INDEX_TYPES]  # type: ignore[index]
        return {blobs[Manifest.parse(raw).config.digest] for raw in single}  # type: ignore[index]

    assert configs(built.blobs, built.manifests) == configs(BLOBS, contents()["manifests"])


def test_every_layer_unpacks_to_its_diff_id() -> None:
    for digest, kind in contents()["manifests"].items():
        if kind in INDEX_TYPES:
            continue
        manifest = Manifest.parse(BLOBS[digest], kind)
        config = ImageConfig.parse(BLOBS[manifest.config.digest])
        if config.platform.os != "unknown":
            assert [index(BLOBS[layer.digest]).diff_id for layer in manifest.layers] == list(config.diff_ids)


@pytest.mark.parametrize(
    ("name", "size", "created", "layers"),
    [
        ("ubuntu:14.04", "188kB", "4 weeks", 5), ("ubuntu:16.04", "127kB", "4 weeks", 5), ("redis", "183kB", "5 days", 5),
        ("nginx", "182kB", "5 days", 3), ("nginx:1.11", "181kB", "12 days", 3), ("mongo:3.2", "342kB", "5 days", 5),
        ("busybox", "1.09kB", "7 weeks", 1), ("alpine", "4.8kB", "5 weeks", 1), ("hello-world", "1.85kB", "7 weeks", 1),
        ("node", "651kB", "5 days", 5),
    ],
)  # fmt: skip
def test_the_books_numbers(lab: Lab, name: str, size: str, created: str, layers: int) -> None:
    """R10.2, at a thousandth of the size."""
    image = lab.pull(name).image
    assert (human_size(image.size), human_duration(CLASS_NOW - image.created), len(image.layers)) == (
        size,
        created,
        layers,
    )


def test_what_travels_is_smaller_than_what_is_unpacked(lab: Lab) -> None:
    """127 on the disk, about 50 on the wire."""
    image = lab.pull("ubuntu:16.04")
    sent = sum(lab.state.layers[layer].blob_size for layer in image.layers)
    assert 45_000 < sent < 55_000


def test_nginx_redis_mongo_and_node_stand_on_one_layer(lab: Lab) -> None:
    bases = {lab.pull(name).layers[0] for name in ("nginx", "redis", "mongo:3.2", "node")}
    assert len(bases) == 1


def test_files_of_the_book(lab: Lab) -> None:
    ubuntu = lab.pull("ubuntu:14.04")
    text = lab.store.read_file(ubuntu.tree["etc/os-release"]).decode()
    assert text.splitlines()[:2] == ['NAME="Ubuntu"', 'VERSION="14.04.5 LTS, Trusty Tahr"']
    nginx = lab.pull("nginx")
    assert b"<h1>Welcome to nginx!</h1>" in lab.store.read_file(nginx.tree["usr/share/nginx/html/index.html"])
    assert nginx.config.data["config"]["Cmd"] == ["nginx", "-g", "daemon off;"]
    assert lab.store.read_file(nginx.tree["bin/ls"]) == b"#!imagelab ls\n"
    assert lab.pull("busybox").tree["bin/ls"].target == "/bin/busybox"


def test_the_deleted_secret(lab: Lab) -> None:
    """Gone from the image, still in its second layer; an opaque directory hides the rest."""
    image = lab.pull("imagelab/leaky")
    assert "app/id_rsa" not in image.tree and image.tree.children("app") == ["VERSION"]
    below = lab.store.tree(image.layers[1])
    assert b"this key opens nothing" in lab.store.read_file(below["app/id_rsa"])


def test_a_label_and_a_zstd_layer(lab: Lab) -> None:
    """R7.11."""
    image = lab.pull("imagelab/whoami")
    assert image.image.labels == {"com.example.version": "0.1"}
    assert any(lab.state.layers[layer].media_type.endswith("+zstd") for layer in image.layers)
    assert b"version 0.1" in lab.store.read_file(image.tree["srv/whoami.sh"])


def test_an_index_lists_platforms_and_an_attestation() -> None:
    """R7.13."""
    digest = contents()["repositories"]["library/hello-world"]["latest"][0][0]
    entries = json.loads(BLOBS[digest])["manifests"]
    platforms = ["/".join(entry["platform"].values()) for entry in entries]
    assert platforms == ["amd64/linux", "arm64/linux/v8", "arm/linux/v7", "unknown/unknown"]
    assert entries[-1]["annotations"]["vnd.docker.reference.digest"] == entries[0]["digest"]


def test_releases_move_a_tag_and_end() -> None:
    published: dict[str, int] = {}
    upstream = ClassroomUpstream(load=lambda: published, save=published.update)
    assert upstream.tags("mongo")["3.2"] == (1, 3)
    first, second = upstream.release("mongo:3.2"), upstream.release("mongo:3.2")
    assert first != second and upstream.tags("mongo")["3.2"] == (3, 3)
    with pytest.raises(ImageLabError, match="has no further build: all 3 are published"):
        upstream.release("mongo:3.2")
    with pytest.raises(ImageLabError, match="the classroom has no nope:latest"):
        upstream.release("nope")


def test_the_page_lists_the_cast(lab: Lab) -> None:
    """docs/classroom.md: every tag, its builds, size and layers."""
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "classroom.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| ")
    ]
    listed: set[tuple[str, str]] = set()
    for repository, tags, size, layers, _ in rows[1:]:
        names, _, builds = tags.partition(" (")
        for tag in names.split(", "):
            listed.add((repository, tag))
            assert lab.upstream.tags(repository)[tag] == (1, int(builds.strip(")")))
        image = lab.pull(f"{repository}:{names.split(', ')[0]}").image
        assert (human_size(image.size), str(len(image.layers))) == (size, layers), repository
    assert listed == {(name, tag) for name in lab.upstream.repositories() for tag in lab.upstream.tags(name)}
