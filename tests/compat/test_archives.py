"""Archives exchanged with podman and skopeo, both ways: what one writes the others read, as the same image.

What differs, and why:

    skopeo and podman write `<diff ID>.tar` and `<image ID>.json` in a docker-archive; Docker's own layouts differ by age
    podman puts localhost/ before names that an archive gives in short, so what it saves is called so
    an oci-archive holds recompressed layers: the image ID (its config) is the same, the manifest's digest is not
    a docker-archive made into an oci-archive gets a new config, so only archives of one kind are compared by ID
    their version of today stops at a gzipped docker-archive (their own, too): bzip2 stands for the compressed ones
"""

from __future__ import annotations

import bz2
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import imagelab
import peers
from imagelab.app import Lab
from imagelab.lab.lab import ERAS

pytestmark = pytest.mark.compat

NAMES = ["ubuntu:14.04", "nginx:latest", "me/made:1"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = imagelab.connect(tmp_path_factory.mktemp("lab"), environ={}, clock="class", in_process=True)
    for name in NAMES[:2]:
        lab.pull(name)
    container = lab.run("nginx", "echo hello > /hello; rm /etc/hostname; mkdir -p /a/b", name="one")
    container.commit("me/made:1", message="why")
    lab.docker("rm -f one")
    yield lab
    lab.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Callable[[], Lab]]:
    made: list[Lab] = []

    def make() -> Lab:
        made.append(imagelab.connect(tmp_path / f"fresh-{len(made)}", environ={}, clock="class", in_process=True))
        return made[-1]

    yield make
    for one in made:
        assert one.engine.doctor() == []
        one.close()


@pytest.fixture(scope="module")
def podman() -> Iterator[Callable[..., str]]:
    """podman with all it keeps in one folder."""
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

    def run(*words: str) -> str:
        return peers.run("podman", *place, *words, environment=environment)

    yield run
    subprocess.run(["umount", "-l", str(folder / "root" / "overlay")], capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)


def archive(lab: Lab, era: str, file: Path, *names: str) -> Path:
    lab.era = era
    return lab.save(*names, to=file)


def skopeo(*words: str) -> str:
    peers.need("skopeo")
    return peers.run("skopeo", "--insecure-policy", *words)


def config_of(where: str) -> bytes:
    return skopeo("inspect", "--raw", "--config", where).strip("\n").encode()


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("name", NAMES)
def test_skopeo_reads_ours(lab: Lab, tmp_path: Path, era: str, name: str) -> None:
    """As the archive of Docker that it is, and (from 25 on) as the OCI layout that it is as well."""
    file = archive(lab, era, tmp_path / "x.tar", name)
    image = lab.image(name)
    wanted = {f"docker-archive:{file}:{name}"} | ({f"oci-archive:{file}"} if era != "1.13" else set())
    for where in wanted:
        assert config_of(where) == lab.store.read_blob(image.id)
        skopeo("copy", where, f"oci:{tmp_path}/out-{len(where)}:x")  # it reads and checks every layer


@pytest.mark.parametrize("era", ERAS)
def test_podman_loads_ours(lab: Lab, podman: Callable[..., str], tmp_path: Path, era: str) -> None:
    file = archive(lab, era, tmp_path / "x.tar", *NAMES)
    podman("rmi", "--all", "--force")
    packed = tmp_path / "x.tar.bz2"
    packed.write_bytes(bz2.compress(file.read_bytes()))
    podman("load", "--quiet", "--input", str(packed if era == "28" else file))
    listed = {
        name: one["Id"] for one in json.loads(podman("images", "--format", "json")) for name in one.get("Names") or []
    }
    assert listed == {f"localhost/{name}": lab.image(name).id.hex for name in NAMES}


@pytest.mark.parametrize("format", ["docker-archive", "oci-archive"])
def test_what_podman_saves_loads_here(
    lab: Lab, podman: Callable[..., str], fresh: Callable[[], Lab], tmp_path: Path, format: str
) -> None:
    podman("load", "--quiet", "--input", str(archive(lab, "28", tmp_path / "ours.tar", *NAMES)))
    for name in NAMES:
        file, other = tmp_path / f"{name.replace('/', '-').replace(':', '-')}.tar", fresh()
        podman("save", "--quiet", "--format", format, "--output", str(file), name)
        assert other.docker(["load", "--input", str(file)]).stdout == f"Loaded image: localhost/{name}\n"
        same_image(lab, other, name, called=f"localhost/{name}", of_one_kind=format == "docker-archive")


def test_several_images_of_podman_in_one_archive(
    lab: Lab, podman: Callable[..., str], fresh: Callable[[], Lab], tmp_path: Path
) -> None:
    podman("load", "--quiet", "--input", str(archive(lab, "28", tmp_path / "ours.tar", *NAMES)))
    podman("save", "--quiet", "--multi-image-archive", "--output", str(tmp_path / "all.tar"), *NAMES)
    other = fresh()
    assert sorted(other.docker(["load", "--input", str(tmp_path / "all.tar")]).lines) == sorted(
        f"Loaded image: localhost/{name}" for name in NAMES
    )
    for name in NAMES:
        same_image(lab, other, name, called=f"localhost/{name}")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("transport", ["docker-archive", "oci-archive"])
def test_what_skopeo_writes_loads_here(
    lab: Lab, fresh: Callable[[], Lab], tmp_path: Path, name: str, transport: str
) -> None:
    ours = archive(lab, "28", tmp_path / "ours.tar", name)
    file = tmp_path / "theirs.tar"
    source = f"docker-archive:{ours}:{name}" if transport == "docker-archive" else f"oci-archive:{ours}"
    skopeo("copy", source, f"{transport}:{file}:{name if transport == 'docker-archive' else 'docker.io/' + name}")
    other = fresh()
    loaded = other.load(file)
    assert [image.tags for image in loaded] == [[name]]
    same_image(lab, other, name)


def same_image(lab: Lab, other: Lab, name: str, *, called: str = "", of_one_kind: bool = True) -> None:
    """The same config, so the same ID; the same files, whatever the layers are packed in."""
    theirs, ours = other.image(called or name), lab.image(name)
    assert theirs.id == ours.id or not of_one_kind
    assert theirs.tree == ours.tree and theirs.size == ours.size and theirs.layers == ours.layers
    assert theirs.config.data["config"].get("Cmd") == ours.config.data["config"].get("Cmd")


def test_a_real_debian_goes_round(
    debian: Path, fresh: Callable[[], Lab], podman: Callable[..., str], tmp_path: Path
) -> None:
    """Tens of thousands of files, hard links, whiteouts: skopeo's archive in, ours out, into podman."""
    first, second = fresh(), fresh()
    skopeo("copy", f"oci:{debian}:debian", f"docker-archive:{tmp_path}/theirs.tar:real/debian:12")
    assert first.docker(["load", "-i", str(tmp_path / "theirs.tar")]).stdout == "Loaded image: real/debian:12\n"
    for era in ERAS:
        file = archive(first, era, tmp_path / f"{era}.tar", "real/debian:12")
        skopeo("copy", f"docker-archive:{file}:real/debian:12", f"dir:{tmp_path}/dir-{era}")
        podman("load", "--quiet", "--input", str(file))
        image_id = first.image("real/debian:12").id
        assert json.loads(podman("inspect", image_id.hex))[0]["Id"] == image_id.hex
        podman("rmi", image_id.hex)
    second.load(tmp_path / "28.tar")
    assert second.image("real/debian:12").tree == first.image("real/debian:12").tree
