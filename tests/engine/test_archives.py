"""save, load and import: what goes out comes back, and what is no archive changes nothing (R6.44-R6.49)."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from archive_makers import LAYER, config, docker_files, layout_files, tar, unpacked

import imagelab
from imagelab.app import Lab
from imagelab.errors import ImageLabError
from imagelab.lab.lab import ERAS
from imagelab.oci.documents import Digest
from imagelab.state.events import silent

NAMES = ("ubuntu:14.04", "nginx", "mongo:3.2")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Callable[[], Lab]]:
    """Makes empty labs; the doctor must find nothing in any of them."""
    made: list[Lab] = []

    def make() -> Lab:
        made.append(imagelab.connect(tmp_path / f"fresh-{len(made)}", clock="class", environ={}))
        return made[-1]

    yield make
    for one in made:
        assert one.engine.doctor() == []
        one.close()


@pytest.fixture
def full(lab: Lab) -> Lab:
    """The chapter's images; a moved tag, an image without tags, and one committed here on another."""
    for name in NAMES:
        lab.pull(name)
    lab.upstream.release("mongo:3.2")
    lab.pull("mongo:3.2")
    container = lab.run("ubuntu:14.04", "echo hello > /hello", name="one")
    lab.tag("ubuntu:14.04", "base:1")
    container.commit("me/made:1", message="why")
    lab.docker("rm one")
    return lab


def saved(lab: Lab, *names: str) -> bytes:
    return b"".join(lab.engine.archives.save(names))


def loaded(lab: Lab, archive: bytes, progress: Callable[[Any], object] = silent) -> list[Any]:
    return lab.engine.archives.load(io.BytesIO(archive), progress=progress)


def shown(lab: Lab, *lines: str) -> list[str]:
    return [repr(lab.docker(line)) for line in lines]


def zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor().compress(data)


# -- laws ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("names", [["ubuntu:14.04"], ["nginx", "mongo", "me/made:1", "ubuntu"]])
def test_what_was_saved_comes_back_as_it_was_listed(
    full: Lab, fresh: Callable[[], Lab], era: str, names: list[str]
) -> None:
    full.era = era
    archive = saved(full, *names)
    other = fresh()
    other.era = era
    loaded(other, archive)
    before = {image.id: image for image in full.state.images.values()}
    for image in other.state.images.values():
        was = before[image.id]
        assert (image.created, image.size, image.layers, image.labels, image.platform) == (
            was.created, was.size, was.layers, was.labels, was.platform,
        )  # fmt: skip
        assert era != "29" or (image.target, image.content_size) == (was.target, was.content_size)
    asked = [
        reference for reference in full.state.references if "@" not in reference and any(n in reference for n in names)
    ]
    assert {tag: other.state.references[tag] for tag in asked} == {tag: full.state.references[tag] for tag in asked}
    for image in other.state.images.values():
        here, there = other.history(image.id).rows, full.history(image.id).rows
        assert [(row.created, row.created_by, row.size, row.comment) for row in here] == [
            (row.created, row.created_by, row.size, row.comment) for row in there
        ]
        assert other.engine.images.tree(image.id) == full.engine.images.tree(image.id)


@pytest.mark.parametrize("era", ERAS)
def test_the_same_images_give_the_same_bytes_and_a_loaded_archive_is_saved_as_it_was(
    full: Lab, fresh: Callable[[], Lab], era: str
) -> None:
    names = ["nginx", "me/made:1", "ubuntu:14.04"]
    full.era = era
    archive = saved(full, *names)
    assert saved(full, *names) == archive
    for compress in (bytes, gzip.compress, bz2.compress, lzma.compress, zstd):
        other = fresh()
        other.era = era
        loaded(other, compress(archive))
        assert saved(other, *names) == archive


def test_bytes_do_not_depend_on_hash_seed_time_zone_or_directory(full: Lab, tmp_path: Path) -> None:
    code = (
        "import sys, hashlib, imagelab; lab = imagelab.connect(sys.argv[1], environ={}, era=sys.argv[2]); "
        "print(hashlib.sha256(b''.join(lab.engine.archives.save(['nginx', 'ubuntu']))).hexdigest())"
    )
    for era in ERAS:
        found = {
            subprocess.run(
                [sys.executable, "-c", code, str(full.store.directory), era], cwd=cwd, capture_output=True, text=True, check=True,
                env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
            ).stdout
            for cwd, seed, zone in ((tmp_path, "1", "UTC"), (Path.cwd(), "2", "Asia/Shanghai"))
        }  # fmt: skip
        assert len(found) == 1


def test_an_archive_of_any_era_loads_in_any_era(full: Lab, fresh: Callable[[], Lab]) -> None:
    ids = set()
    for era in ERAS:
        full.era = era
        archive = saved(full, "nginx")
        for other_era in ERAS:
            other = fresh()
            other.era = other_era
            ids |= {one.image.id for one in loaded(other, archive)}
    assert len(ids) == 1


@pytest.mark.parametrize("era", ["1.13", "28"])
def test_layers_that_are_here_are_not_stored_again(full: Lab, era: str) -> None:
    full.era = era
    before = set(full.store.blobs.digests())
    archive, revision = saved(full, "nginx", "mongo:3.2"), full.state.revision
    loaded(full, archive)
    new = set(full.store.blobs.digests()) - before
    assert all(full.store.blobs.file(digest).stat().st_size < 10_000 for digest in new)  # a manifest at most, no layer
    assert full.state.revision == revision  # and nothing changed


def test_a_parent_is_kept_when_both_are_in_the_archive(full: Lab, fresh: Callable[[], Lab]) -> None:
    """R6.38"""
    parent, child = full.image("ubuntu:14.04").id, full.image("me/made:1").id
    both, alone = fresh(), fresh()
    loaded(both, saved(full, "me/made:1", "ubuntu:14.04"))
    loaded(alone, saved(full, "me/made:1"))
    assert both.state.images[child].parent == parent
    assert alone.state.images[child].parent is None


def test_a_layout_of_1_13_has_a_layer_once_and_links_to_it(lab: Lab, fresh: Callable[[], Lab]) -> None:
    """R6.45: a layer on another base has another ID, and its bytes are a link away."""
    other = tar({"bye": b"bye\n"})
    files = {
        "a.tar": LAYER, "b.tar": other, "one.json": config(LAYER, other), "two.json": config(other),
        "manifest.json": json.dumps([
            {"Config": "one.json", "RepoTags": ["one:1"], "Layers": ["a.tar", "b.tar"]}, {"Config": "two.json", "RepoTags": ["two:1"], "Layers": ["b.tar"]},
        ]).encode(),
    }  # fmt: skip
    loaded(lab, tar(files))
    lab.era = "1.13"
    archive = saved(lab, "one:1", "two:1")
    links = [data for data in unpacked(archive).values() if isinstance(data, str)]
    assert len(links) == 1 and links[0].startswith("../")
    second = fresh()
    assert [one.tags for one in loaded(second, archive)] == [("docker.io/library/one:1",), ("docker.io/library/two:1",)]


def test_the_layouts_have_the_files_that_docker_writes(full: Lab) -> None:
    """R6.45, R6.46, R6.47"""
    full.era = "1.13"
    files = unpacked(saved(full, "ubuntu:14.04"))
    image_id, layers = full.image("ubuntu:14.04").id, full.image("ubuntu:14.04").layers
    folders = {name.partition("/")[0] for name in files if "/" in name}
    assert len(folders) == len(layers) and files[f"{image_id.hex}.json"] == full.store.read_blob(image_id)
    assert all({f"{folder}/VERSION", f"{folder}/json", f"{folder}/layer.tar"} <= set(files) for folder in folders)
    (item,), top = json.loads(files["manifest.json"]), json.loads(files["repositories"])["ubuntu"]["14.04"]
    assert item["RepoTags"] == ["ubuntu:14.04"] and item["Layers"][-1] == f"{top}/layer.tar"
    assert json.loads(files[f"{top}/json"])["id"] == top
    full.era = "28"
    files = unpacked(saved(full, "ubuntu:14.04"))
    (entry,) = json.loads(files["index.json"])["manifests"]
    assert entry["annotations"] == {
        "io.containerd.image.name": "docker.io/library/ubuntu:14.04",
        "org.opencontainers.image.ref.name": "14.04",
    }
    assert files["oci-layout"] == b'{"imageLayoutVersion":"1.0.0"}' and "repositories" in files
    (item,) = json.loads(files["manifest.json"])
    diff_ids = [full.state.layers[chain_id].diff_id for chain_id in layers]
    assert item["Layers"] == [f"blobs/sha256/{diff_id.hex}" for diff_id in diff_ids] and set(
        item["LayerSources"]
    ) == set(diff_ids)
    full.era = "29"
    files = unpacked(saved(full, "ubuntu:14.04"))
    (entry,) = json.loads(files["index.json"])["manifests"]
    assert entry["digest"] == full.image("ubuntu:14.04").image.target and "repositories" not in files


def test_every_blob_of_a_layout_has_the_digest_it_is_called_by(full: Lab) -> None:
    for era in ("28", "29"):
        full.era = era
        blobs = {
            name: data for name, data in unpacked(saved(full, "nginx", "ubuntu")).items() if name.startswith("blobs/")
        }
        assert blobs and all(Digest.of(data).hex == name.rpartition("/")[2] for name, data in blobs.items())  # type: ignore[arg-type]


# -- which images -------------------------------------------------------------------------------------------


def items_of(archive: bytes) -> list[tuple[str, list[str] | None]]:
    return [
        (item["Config"].removeprefix("blobs/sha256/")[:12], item["RepoTags"])
        for item in json.loads(unpacked(archive)["manifest.json"])
    ]


def test_which_tags_go_along(full: Lab) -> None:
    """R6.44: a name alone is all its tags, an ID none."""
    ubuntu = full.image("ubuntu:14.04").id
    full.tag("ubuntu:14.04", "ubuntu:lts")
    assert items_of(saved(full, "ubuntu")) == [(ubuntu.short, ["ubuntu:14.04", "ubuntu:lts"])]
    assert items_of(saved(full, "ubuntu:lts")) == [(ubuntu.short, ["ubuntu:lts"])]
    assert items_of(saved(full, ubuntu.short)) == [(ubuntu.short, None)]
    assert items_of(saved(full, ubuntu, "ubuntu:14.04", "base:1")) == [(ubuntu.short, ["ubuntu:14.04", "base:1"])]
    digest = next(name for name in full.state.references if "ubuntu@" in name)
    assert items_of(saved(full, digest)) == [(ubuntu.short, None)]
    assert len(items_of(saved(full, "mongo"))) == 2  # the tag's image, and the one that only its digest names


def test_names_that_are_not_here(full: Lab) -> None:
    for line, said in {
        "save nope": "Error response from daemon: No such image: nope\n",
        "save nope:1": "Error response from daemon: reference does not exist\n",
        "save Nope": "Error response from daemon: invalid reference format: repository name (library/Nope) must be lowercase\n",
        "save ubuntu:14.04 beef": "Error response from daemon: No such image: beef\n",
    }.items():
        result = full.docker([*line.split(), "-o", os.devnull + "x"])
        assert result.stderr.startswith(said) and result.exit_code == 1


def test_an_ambiguous_id(lab: Lab) -> None:
    first: dict[str, str] = {}
    number = 0
    while True:
        raw = config(LAYER, author=str(number))
        digest = Digest.of(raw)
        prefix = digest.hex[:3]
        loaded(lab, tar(docker_files(raw=raw)))
        if first.setdefault(prefix, digest) != digest:
            break
        number += 1
    result = lab.docker(["save", prefix])
    assert result.stderr.startswith("Error response from daemon: ambiguous digest string\n") and result.exit_code == 1


# -- load, as people see it ---------------------------------------------------------------------------------


def test_what_load_says(full: Lab, fresh: Callable[[], Lab], tmp_path: Path) -> None:
    """R6.48"""
    other, file = fresh(), str(tmp_path / "x.tar")
    assert full.docker(["save", "-o", file, "ubuntu:14.04", "base:1"]).exit_code == 0
    assert other.docker(["load", "-i", file]).stdout == "Loaded image: ubuntu:14.04\nLoaded image: base:1\n"
    full.docker(["save", "-o", file, full.image("nginx").id.short])
    nginx, ubuntu = full.image("nginx").id, full.image("ubuntu:14.04").id
    assert other.docker(["load", "-q", "-i", file]).stdout == f"Loaded image ID: {nginx}\n"
    other.tag(nginx, "base:1")
    full.docker(["save", "-o", file, "base:1"])
    moved = (
        f"The image base:1 already exists, renaming the old one with ID {nginx} to empty string\nLoaded image: base:1\n"
    )
    assert other.docker(["load", "-i", file]).stdout == moved
    assert other.image("base:1").id == ubuntu
    other.era = "29"
    full.era = "29"
    full.docker(["save", "-o", file, full.image("mongo:3.2").id.short])
    assert other.docker(["load", "-i", file]).stdout == f"Loaded image ID: {full.image('mongo:3.2').image.target}\n"


def test_load_reads_pipes(full: Lab, tmp_path: Path) -> None:
    home = {**os.environ, "IMAGELAB_HOME": str(tmp_path / "piped")}
    line = [sys.executable, "-m", "imagelab"]
    with subprocess.Popen([*line, "--lab", str(full.store.directory), "save", "nginx"], stdout=subprocess.PIPE) as save:
        done = subprocess.run([*line, "load"], stdin=save.stdout, capture_output=True, text=True, env=home)
    assert (done.stdout, done.stderr, done.returncode, save.wait()) == ("Loaded image: nginx:latest\n", "", 0, 0)
    assert not list((tmp_path / "piped" / "partial").iterdir())


def test_only_one_platform(full: Lab, fresh: Callable[[], Lab], tmp_path: Path) -> None:
    file, other = str(tmp_path / "x.tar"), fresh()
    assert full.docker(["save", "-o", file, "--platform", "linux/amd64", "nginx"]).exit_code == 0
    refused = full.docker(["save", "-o", file, "--platform", "linux/arm64", "nginx:latest"])
    assert (
        "image with reference nginx:latest was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)"
        in refused.stderr
    )
    refused = other.docker(["load", "-i", file, "--platform", "linux/arm64"])
    assert refused.stderr.startswith("requested platform (linux/arm64) not found\n") and not other.state.images
    assert other.docker(["load", "-i", file, "--platform", "linux/amd64"]).exit_code == 0
    assert "invalid platform" in other.docker(["load", "-i", file, "--platform", "a/b/c/d"]).stderr


def test_a_layout_of_two_platforms_gives_the_one_that_runs_here(lab: Lab, fresh: Callable[[], Lab]) -> None:
    files: dict[str, bytes | str] = {}
    entries = []
    for architecture in ("arm64", "amd64"):
        one = layout_files(layer=tar({"arch": architecture.encode()}))
        entries += [
            json.loads(one.pop("index.json"))["manifests"][0]
            | {"platform": {"os": "linux", "architecture": architecture}}
        ]  # type: ignore[arg-type]
        files |= one
    inner = json.dumps(
        {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": entries}
    ).encode()
    files[f"blobs/sha256/{Digest.of(inner).hex}"] = inner
    top = {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": Digest.of(inner), "size": len(inner)}
    files["index.json"] = json.dumps(
        {"schemaVersion": 2, "manifests": [top | {"annotations": {"io.containerd.image.name": "docker.io/me/x:1"}}]}
    ).encode()
    loaded(lab, tar(files))
    assert lab.store.read_file(lab.image("me/x:1").tree["arch"]) == b"amd64" and lab.image(
        "me/x:1"
    ).image.target == Digest.of(inner)
    lab.era = "29"
    other = fresh()
    other.era = "29"
    loaded(other, saved(lab, "me/x:1"))
    assert other.image("me/x:1").image.target == Digest.of(inner)
    assert lab.engine.gc() == 0  # the manifest within the index is needed


def test_podmans_names_are_names(lab: Lab) -> None:
    assert loaded(lab, tar(layout_files(name="docker.io/me/x:1")))[0].tags == ("docker.io/me/x:1",)
    assert loaded(lab, tar(layout_files(name="latest")))[0].tags == ()  # only a tag, of who knows what


# -- files and terminals ------------------------------------------------------------------------------------


def test_save_writes_a_file_whole_or_not_at_all(full: Lab, tmp_path: Path) -> None:
    file = tmp_path / "x.tar"
    file.write_text("old")
    assert full.docker(["save", "-o", str(file), "nope"]).exit_code == 1 and file.read_text() == "old"
    assert full.docker(["save", "-o", str(file), "ubuntu"]).exit_code == 0
    assert file.read_bytes() == saved(full, "ubuntu") and [one.name for one in tmp_path.glob("*x.tar*")] == ["x.tar"]
    assert os.name != "posix" or file.stat().st_mode & 0o777 == 0o600  # R6.44
    assert full.docker("save ubuntu").stderr.startswith("the archive is bytes, which cannot be shown here\n")
    for place, said in {
        str(tmp_path): "cannot write to a directory", str(tmp_path / "no" / "x"): f"invalid output path: stat {tmp_path / 'no'}: no such file or directory",
        str(file / "x"): f"invalid output path: stat {file}: not a directory",
    }.items():  # fmt: skip
        assert full.docker(["save", "-o", place, "ubuntu"]).stderr.startswith(f"failed to save image: {said}\n")


def test_damage_on_the_disk_does_not_travel_on(full: Lab, tmp_path: Path) -> None:
    layer = full.state.layers[full.image("nginx").layers[0]]
    blob = full.store.blobs.file(layer.blob)
    good = blob.read_bytes()
    for era in ERAS:
        full.era = era
        blob.write_bytes(good[:-9] + bytes([good[-9] ^ 1]) + good[-8:])
        result = full.docker(["save", "-o", str(tmp_path / "x.tar"), "nginx"])
        assert "is damaged, and the archive is not complete" in result.stderr and not (tmp_path / "x.tar").exists()
        blob.write_bytes(good)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_said_in_a_sentence(full: Lab) -> None:
    line = [sys.executable, "-m", "imagelab", "--lab", str(full.store.directory), "save", "nginx"]
    with open("/dev/full", "wb") as out:
        done = subprocess.run(line, stdout=out, stderr=subprocess.PIPE, text=True)
    assert done.stderr.startswith("write /dev/stdout: no space left on device\n") and done.returncode == 1


def test_nothing_is_whole_in_memory(lab: Lab, fresh: Callable[[], Lab], tmp_path: Path) -> None:
    """A layer of 64 MiB goes in, out and in again, from files and pipes, in a tenth of that."""
    import tracemalloc

    size = 64 << 20
    layer = tmp_path / "layer.tar"
    with tarfile.open(layer, "w") as archive:
        info = tarfile.TarInfo("large")
        info.size = size
        archive.addfile(info, Repeated(size))
    tracemalloc.start()
    lab.import_(layer, "large:1")
    file = lab.save("large:1", to=tmp_path / "large.tar")
    packed = tmp_path / "large.tar.gz"
    with gzip.open(packed, "wb", 1) as out, file.open("rb") as source:
        for piece in iter(lambda: source.read(1 << 20), b""):
            out.write(piece)
    other, third = fresh(), fresh()
    other.load(file)
    with packed.open("rb") as stream:
        third.load(stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert third.image("large:1").id == other.image("large:1").id == lab.image("large:1").id
    assert peak < size // 10, peak


class Repeated(io.RawIOBase):
    """So many bytes, always the same."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        count = min(size if size >= 0 else self.left, self.left)
        self.left -= count
        return b"abcdefgh" * (count // 8) + b"a" * (count % 8)


def test_terminals_are_refused(full: Lab) -> None:
    """R6.44, R6.48"""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    from imagelab.cli.main import run

    for line, said in (
        ("save nginx", "cowardly refusing to save to a terminal. Use the -o flag or redirect\n"),
        ("load", "requested load from stdin, but stdin is empty\n"),
        ("import -", "requested import from stdin, but stdin is empty\n"),
    ):
        err = io.StringIO()
        code = run(line.split(), stdin=Terminal(), stdout=Terminal(), stderr=err, environ={}, lab=full)
        assert err.getvalue().startswith(said) and code == 1


def test_the_bars_of_a_load(full: Lab, fresh: Callable[[], Lab]) -> None:
    """R6.48: one line a layer, named by its diff ID."""
    other, told = fresh(), []
    loaded(other, saved(full, "ubuntu:14.04"), told.append)
    diff_ids = [full.state.layers[chain_id].diff_id.short for chain_id in full.image("ubuntu:14.04").layers]
    assert list(dict.fromkeys(one.id for one in told)) == diff_ids
    assert {one.status for one in told} == {"Loading layer"} and told[-1].current == told[-1].total


# -- bad input ----------------------------------------------------------------------------------------------


def changed(files: dict[str, bytes | str], **more: bytes | str | None) -> bytes:
    new = {name.replace("__", "."): data for name, data in more.items()}
    return tar({name: data for name, data in {**files, **new}.items() if data is not None})


def with_size(archive: bytes, name: str, size: int) -> bytes:
    """The archive, but a header says another size; its checksum is right."""
    at = archive.index(name.encode() + b"\0")
    head = bytearray(archive[at : at + 512])
    head[124:136] = b"%011o\0" % size if size >= 0 else size.to_bytes(12, "big", signed=True)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return archive[:at] + bytes(head) + archive[at + 512 :]


def manifest(*items: dict[str, object]) -> bytes:
    return json.dumps(items).encode()


GOOD = tar(docker_files("a:1"))
OCI = layout_files()
BLOB = f"blobs/sha256/{Digest.of(LAYER).hex}"
BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the archive is empty"),
    "not an archive": (b"no archive at all\n" * 100, "archive/tar: invalid tar header"),
    "an empty tar": (tar({}), "the archive is empty"),
    "a file system": (tar({"etc/hostname": b"x"}), "invalid archive: does not contain a manifest.json"),
    "cut": (GOOD[:1800], "unexpected EOF"),
    "a gzip that was cut": (gzip.compress(GOOD)[:-20], "unexpected EOF"),
    "a gzip that was damaged": (gzip.compress(GOOD)[:60] + b"\0\0\0\0" + gzip.compress(GOOD)[64:], "the archive does not inflate"),
    "an xz that was cut": (lzma.compress(GOOD)[:-20], "unexpected EOF"),
    "a bzip2 that was cut": (bz2.compress(GOOD)[:-20], "unexpected EOF"),
    "a size too large": (with_size(GOOD, "layer.tar", 1 << 30), "unexpected EOF"),
    "a size below zero": (with_size(GOOD, "layer.tar", -1024), "archive/tar: invalid tar header"),
    "a size too small": (with_size(GOOD, "layer.tar", 512), "archive/tar: invalid tar header"),
    "a name above": (tar(docker_files("a:1") | {"../evil": b"x"}), "the archive reaches outside of itself: it names ../evil"),
    "an absolute name": (tar(docker_files("a:1") | {"/etc/evil": b"x"}), "the archive reaches outside of itself: it names /etc/evil"),
    "a layer above": (tar(docker_files("a:1") | {"manifest.json": manifest({"Config": "config.json", "Layers": ["../../etc/passwd"]})}), "the archive reaches outside"),
    "a config of the machine's": (tar(docker_files("a:1") | {"manifest.json": manifest({"Config": "/etc/passwd", "Layers": []})}), "the archive reaches outside"),
    "a link outside": (tar(docker_files("a:1") | {"layer.tar": "../../../etc/passwd"}), "the archive reaches outside of itself: layer.tar is a link to ../../../etc/passwd"),
    "an absolute link": (tar(docker_files("a:1") | {"config.json": "/etc/passwd"}), "open config.json: no such file or directory"),
    "a circle of links": (tar(docker_files("a:1") | {"layer.tar": "b", "b": "layer.tar"}), "open layer.tar: no such file or directory"),
    "a missing layer": (changed(docker_files("a:1"), layer__tar=None), "open layer.tar: no such file or directory"),
    "a missing config": (changed(docker_files("a:1"), config__json=None), "open config.json: no such file or directory"),
    "no list": (changed(docker_files("a:1"), manifest__json=None), "invalid archive: does not contain a manifest.json"),
    "a list that is no JSON": (changed(docker_files("a:1"), manifest__json=b"{"), "manifest.json is not JSON"),
    "a list that is none": (changed(docker_files("a:1"), manifest__json=b"null"), "invalid manifest: manifest.json is no list of images"),
    "an item that is none": (changed(docker_files("a:1"), manifest__json=b"[1]"), "invalid manifest: an image has Config"),
    "a list nested deeply": (changed(docker_files("a:1"), manifest__json=b"[" * 100_000), "manifest.json is not JSON"),
    "a config that is none": (changed(docker_files("a:1"), config__json=b"[]"), "the image config is not a JSON object"),
    "another layer": (tar(docker_files("a:1", layer=tar({"x": b"y"}), raw=config(LAYER))), f'invalid diffID for layer 0: expected "{Digest.of(LAYER)}", got "{Digest.of(tar({"x": b"y"}))}"'),
    "another layer, packed": (tar(docker_files("a:1", layer=gzip.compress(tar({"x": b"y"})), raw=config(LAYER))), "invalid diffID for layer 0: expected"),
    "a layer that is no tar": (tar(docker_files("a:1", layer=b"x" * 2000, raw=config(b"x" * 2000))), "the layer is not a tar"),
    "more layers than the config has": (tar(docker_files("a:1", raw=config(LAYER, LAYER))), "invalid manifest, layers length mismatch: expected 1, got 2"),
    "a bad tag": (tar(docker_files("A:1")), 'invalid tag "A:1"'),
    "a tag without a tag": (tar(docker_files("a")), 'invalid tag "a"'),
    "two images of one name": (
        tar({**docker_files("a:1"), "other.json": config(LAYER, author="x"), "manifest.json": manifest(
            {"Config": "config.json", "RepoTags": ["a:1"], "Layers": ["layer.tar"]}, {"Config": "other.json", "RepoTags": ["a:1"], "Layers": ["layer.tar"]})}),
        "the archive has two images called docker.io/library/a:1",
    ),
    "a parent that is none": (
        tar({**docker_files("a:1"), "other.json": config(LAYER, author="x"), "manifest.json": manifest(
            {"Config": "config.json", "Layers": ["layer.tar"], "Parent": Digest.of(config(LAYER, author="x"))},
            {"Config": "other.json", "Layers": ["layer.tar"], "Parent": Digest.of(config(LAYER))})}),
        "is not a valid parent for",
    ),
    "a layout: another blob": (tar({**OCI, BLOB: tar({"x": b"y"})}), f"blob {Digest.of(LAYER)} has the digest {Digest.of(tar({'x': b'y'}))}"),
    "a layout: a blob missing": (tar({name: data for name, data in OCI.items() if name != BLOB}), f"open {BLOB}: no such file or directory"),
    "a layout: a digest that is none": (tar({**OCI, "index.json": b'{"manifests":[{"mediaType":"x","digest":"sha256:../x","size":1}]}'}), "invalid digest 'sha256:../x'"),
    "a layout: no list": (tar({**OCI, "index.json": b"[]"}), "invalid manifest: index.json is no list of images"),
    "a layout: a size that is not true": (tar(layout_files(more={"size": 5})), f"the descriptor of blob {Digest.of(LAYER)} says 5 bytes, it has {len(LAYER)}"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("piped", [False, True])
def test_what_is_no_archive_is_refused_and_nothing_kept(lab: Lab, what: str, piped: bool, tmp_path: Path) -> None:
    archive, said = BAD[what]
    blobs, state = lab.store.blobs.digests(), lab.state
    file = tmp_path / "bad.tar"
    file.write_bytes(archive)
    if piped:
        with pytest.raises(ImageLabError) as refused:
            lab.engine.archives.load(Pipe(archive))
        message = str(refused.value)
    else:
        result = lab.docker(["load", "-i", str(file)])
        message = result.stderr
        assert result.exit_code == 1 and result.stdout == ""
    assert said in message
    assert lab.store.blobs.digests() == blobs and lab.state == state
    assert not list((lab.store.directory / "partial").iterdir())


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


def test_a_refusal_keeps_what_was_here(lab: Lab) -> None:
    """The good half of a bad archive is swept away; what shared bytes with it stays."""
    loaded(lab, tar(docker_files("a:1")))
    state, blobs = lab.state, lab.store.blobs.digests()
    other = tar({"more": b"more"})
    files = {**docker_files("a:1", raw=config(LAYER, other)), "other.tar": other[:-1000] + b"x" * 1000}
    files["manifest.json"] = manifest({"Config": "config.json", "Layers": ["layer.tar", "other.tar"]})
    with pytest.raises(ImageLabError, match="invalid diffID for layer 1"):
        loaded(lab, tar(files))
    assert (lab.state, lab.store.blobs.digests()) == (state, blobs)


def test_bombs_are_bounded(lab: Lab) -> None:
    from imagelab.engine.archives.loader import Loader
    from imagelab.oci.documents import Platform

    class Zeros(Pipe):
        """A gzip of zeros without an end; counts what is read of it."""

        taken = 0

        def read(self, size: int | None = -1) -> bytes:
            self.taken += 1
            return piece if self.taken > 1 else gzip.compress(bytes(1 << 24))

    piece = gzip.compress(bytes(1 << 24))
    endless = Zeros()
    with pytest.raises(ImageLabError, match="the archive is empty"):
        lab.engine.archives.load(endless)
    assert endless.taken < 5
    large = gzip.compress(tar({"x": bytes(1 << 24)}))
    with pytest.raises(ImageLabError, match="the archive unpacks to more than 1048576 bytes"):
        Loader(lab.store, Platform("linux", "amd64"), lambda _: None, 0, most=1 << 20).load(Pipe(large))
    assert not list((lab.store.directory / "partial").iterdir())


def test_a_load_that_is_killed_leaves_a_lab_that_is_as_it_was(full: Lab, tmp_path: Path) -> None:
    """At many points: the image is here whole, or not at all; the next load brings it."""
    file = tmp_path / "x.tar"
    file.write_bytes(saved(full, "nginx", "mongo:3.2"))
    code = (
        "import os, sys, imagelab\n"
        "lab, left = imagelab.connect(sys.argv[1], environ={}), int(sys.argv[3])\n"
        "def trace(frame, event, arg):\n"
        "    global left\n"
        "    left -= 1\n"
        "    if left < 0: os._exit(9)\n"
        "    return None\n"
        "sys.setprofile(trace)\n"
        "lab.load(sys.argv[2])\n"
        "sys.setprofile(None)\n"
        "print(left)\n"
    )
    steps = 0
    for at in [10**9, *(n * 997 for n in range(1, 13))]:
        where = tmp_path / f"killed-{at}"
        done = subprocess.run(
            [sys.executable, "-c", code, str(where), str(file), str(at if not steps else at * steps // 13_000)],
            capture_output=True,
            text=True,
        )
        steps = steps or 10**9 - int(done.stdout)
        lab = imagelab.connect(where, environ={})
        assert len(lab.state.images) in (0, 2) and lab.engine.doctor() == []
        lab.engine.gc()
        assert lab.state.images or not lab.store.blobs.digests()
        lab.load(file)
        assert len(lab.state.images) == 2 and lab.engine.doctor() == []
        lab.close()


# -- import -------------------------------------------------------------------------------------------------


def test_import_makes_an_image_of_one_layer(lab: Lab, tmp_path: Path) -> None:
    """R6.49"""
    file = tmp_path / "files.tar"
    file.write_bytes(tar({"etc/hostname": b"x\n", "hello": b"hello"}))
    result = lab.docker(["import", "-c", 'CMD ["sh"]', "-c", "ENV A=1", str(file), "me/x"])
    image = lab.image("me/x:latest")
    assert result.stdout == f"{image.id}\n" and set(image.tree) >= {"etc/hostname", "hello"}
    assert lab.store.read_file(image.tree["hello"]) == b"hello"
    data = image.config.data
    assert data["config"]["Cmd"] == ["sh"] and data["config"]["Env"] == ["A=1"] and data["os"] == "linux"
    assert [(row.created_by, row.comment) for row in lab.history("me/x")] == [("", "Imported from -")]
    assert image.image.local and image.image.parent is None


def test_import_is_the_same_however_the_tar_is_packed(lab: Lab, fresh: Callable[[], Lab], tmp_path: Path) -> None:
    plain = tar({"hello": b"hello" * 1000})
    ids, blobs = set(), set()
    for compress in (bytes, gzip.compress, bz2.compress, lzma.compress):
        for kind in (io.BytesIO, Pipe):
            other = fresh()
            image = other.import_(kind(compress(plain)), "x")
            ids.add(image.id)
            blobs.add(other.state.layers[image.layers[0]].blob)
    assert len(ids) == 1 and blobs == {Digest.of(plain)}


def test_import_of_an_export(full: Lab, tmp_path: Path) -> None:
    full.run("ubuntu:14.04", "echo hello > /hello", name="two")
    file = str(tmp_path / "x.tar")
    assert full.docker(["export", "-o", file, "two"]).exit_code == 0
    image = full.import_(file, "flat:1", message="flat", platform="linux/arm64")
    assert full.store.read_file(image.tree["hello"]) == b"hello\n" and image.image.platform == "linux/arm64"
    assert image.history().rows[0].comment == "flat" and len(image.layers) == 1


def test_import_refuses(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "x.tar"
    for data, said in (
        (b"", "the archive is empty"), (b"no tar" * 1000, "archive/tar: invalid tar header"), (GOOD[:700], "unexpected EOF"),
        (tar({"../x": b""}), "the archive has an entry '../x', which is outside the root"),
        (gzip.compress(tar({"x": b"x" * 5000}))[:-10], "unexpected EOF"), (gzip.compress(bytes(1 << 24)), "the archive goes on behind its end"),
        (tar({".wh.": b""}), "the archive has a whiteout of no name"),
    ):  # fmt: skip
        file.write_bytes(data)
        result = lab.docker(["import", str(file), "x"])
        assert result.stderr.startswith(f"Error response from daemon: {said}") and result.exit_code == 1, said
    file.write_bytes(GOOD)
    for line, said in (
        (["import", str(file), "X"], "invalid reference format: repository name (library/X) must be lowercase"),
        (["import", str(file), f"a@{Digest.of(b'')}"], "Error response from daemon: cannot import digest reference"),
        (["import", "-c", "RUN x", str(file)], "Error response from daemon: RUN is not a valid change command"),
        (["import", str(tmp_path / "no")], f"open {tmp_path / 'no'}: no such file or directory"),
        (
            ["import", "--platform", "a/b/c/d", str(file)],
            'Error response from daemon: "a/b/c/d": cannot parse platform specifier',
        ),
    ):
        assert lab.docker(line).stderr.startswith(said)
    assert not lab.state.images and lab.store.blobs.digests() == []


def test_import_from_a_url(lab: Lab, tmp_path: Path) -> None:
    import functools
    import threading
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "files.tar.gz").write_bytes(gzip.compress(tar({"hello": b"hello"})))
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/files.tar.gz"
        result = lab.docker(["import", url, "x:1"])
        missing = lab.docker(["import", url + "x"])
        server.shutdown()
    assert result.stdout == f"Downloading from {url}\n{lab.image('x:1').id}\n"
    assert lab.history("x:1").rows[0].comment == f"Imported from {url}"
    assert (
        missing.stderr.startswith(f"Error response from daemon: failed to GET {url}x with status 404")
        and missing.exit_code == 1
    )
    assert lab.docker(["import", url]).stderr.startswith(f'Error response from daemon: Get "{url}": connection refused')


# -- Python -------------------------------------------------------------------------------------------------


def test_the_python_face(full: Lab, fresh: Callable[[], Lab], tmp_path: Path) -> None:
    path = full.save("nginx", "ubuntu:14.04", to=tmp_path / "x.tar")
    assert path.read_bytes() == saved(full, "nginx", "ubuntu:14.04")
    assert [image.tags for image in fresh().load(path)] == [["nginx:latest"], ["ubuntu:14.04"]]
    with tarfile.open(path) as archive:
        assert archive.getnames() == sorted(archive.getnames())
    with path.open("rb") as stream:
        assert len(fresh().load(stream)) == 2


def test_events(full: Lab, fresh: Callable[[], Lab]) -> None:
    heard: list[Any] = []
    other = fresh()
    full.engine.events = other.engine.events = heard.append
    loaded(other, saved(full, "nginx"))
    other.import_(io.BytesIO(LAYER), "x")
    assert [(one.type, one.action) for one in heard] == [("image", "save"), ("image", "load"), ("image", "import")]
