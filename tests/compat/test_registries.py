"""skopeo, podman and docker-registry: what they push we serve and pull, what we serve they pull."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

import imagelab
import peers
from imagelab.classroom.upstream import ClassroomStorage
from imagelab.oci.documents import Digest
from imagelab.server.registry import RegistryApp
from imagelab.server.serve import serving
from imagelab.server.storage import DirectoryStorage, LayeredStorage
from rootfs import differences, of_directory, of_tree
from suites.registry_suite import CASES, Client

pytestmark = pytest.mark.compat
PLAIN = ("--src-tls-verify=false", "--dest-tls-verify=false")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_docker_registry_answers_the_same_cases(docker_registry: str, case: Callable[[Client], None]) -> None:
    """The suite is the protocol's and not our own: another registry passes it."""
    with requests.Session() as session:
        case(Client(session, f"http://{docker_registry}", f"suite/{case.__name__.replace('_', '-')}"))


def skopeo(*words: str | Path) -> str:
    peers.need("skopeo")
    return peers.run("skopeo", "--insecure-policy", *words, timeout=300)


@pytest.fixture(params=["served", "docker_registry"])
def registry(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def test_a_debian_system_there_and_back(registry: str, debian: Path, tmp_path: Path) -> None:
    """skopeo pushes it, imagelab pulls it: every file is what umoci unpacks; skopeo pulls it again, digests equal."""
    peers.need("skopeo", "umoci")
    skopeo("copy", *PLAIN, f"oci:{debian}:debian", f"docker://{registry}/real/debian:12")
    lab = imagelab.connect(tmp_path / "lab", environ={})
    image = lab.pull(f"{registry}/real/debian:12")
    pushed = json.loads(skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{registry}/real/debian:12"))
    assert image.id == pushed["config"]["digest"]
    assert [lab.state.layers[layer].blob for layer in image.layers] == [layer["digest"] for layer in pushed["layers"]]
    assert len(image.layers) == 4 and len(image.tree) > 5_000
    bundle = tmp_path / "bundle"
    peers.run("umoci", "unpack", "--image", f"{debian}:debian", bundle, timeout=300)
    assert not differences(of_tree(image.tree, lab.store), of_directory(bundle / "rootfs"))
    assert image.tree["srv"].target == "var/lib" and image.tree["etc/hostname"].is_directory
    assert lab.inspect(image.id)["RootFS"]["Layers"] == [lab.state.layers[layer].diff_id for layer in image.layers]
    assert len(lab.history(image.id)) >= 4
    assert lab.engine.doctor() == []
    skopeo("copy", *PLAIN, f"docker://{registry}/real/debian:12", f"oci:{tmp_path / 'back'}:debian")
    index = json.loads((tmp_path / "back" / "index.json").read_text())
    assert index["manifests"][0]["digest"] == image.image.target
    lab.close()


def test_skopeo_and_podman_pull_the_classroom(tmp_path: Path, place: Path) -> None:
    """What learners see offline is what real tools get from `imagelab serve`: same digests, same image IDs."""
    peers.need("skopeo", "podman")
    with serving(RegistryApp(LayeredStorage(ClassroomStorage(dict), DirectoryStorage(tmp_path / "up")))) as url:
        host = url.removeprefix("http://")
        lab = imagelab.connect(tmp_path / "lab", environ={})
        for name in (
            "library/ubuntu:14.04",
            "library/redis:latest",
            "imagelab/whoami:0.1",
            "library/hello-world:latest",
        ):
            ours = lab.pull(name.removeprefix("library/"))
            raw = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{host}/{name}")
            assert Digest.of(raw.encode()) == ours.image.target
            assert podman(place, host, "pull", "-q", f"{host}/{name}").strip() == ours.id.hex
        lab.close()


def test_podman_pushes_and_we_pull(tmp_path: Path, served: str, place: Path) -> None:
    """An image that podman built and pushed, deletions and all."""
    peers.need("podman")
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "file").write_text("hello\n")
    containerfile = tmp_path / "context" / "Containerfile"
    containerfile.write_text("FROM scratch\nCOPY file /a/one\nCOPY file /a/two\nLABEL made=by-podman\n")
    name = f"{served}/made/here:1"
    podman(place, served, "build", "-q", "--network=host", "--layers", "-t", name, str(tmp_path / "context"))
    podman(place, served, "push", "-q", name)
    lab = imagelab.connect(tmp_path / "lab", environ={})
    image = lab.pull(name)
    assert set(image.tree) == {"", "a", "a/one", "a/two"}
    assert lab.store.read_file(image.tree["a/two"]) == b"hello\n"
    assert list(lab.images(filters=["label=made=by-podman"])) == [image]
    assert image.id.hex == podman(place, served, "images", "-q", "--no-trunc", name).strip().removeprefix("sha256:")
    lab.close()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short name: podman wants its own paths under 50 characters."""
    with tempfile.TemporaryDirectory(prefix="il-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def podman(folder: Path, host: str, *words: str) -> str:
    """podman as root in a container, with everything it keeps in `folder`."""
    environment = peers.podman_environment(folder, host)
    kept = ["--root", f"{folder}/root", "--runroot", f"{folder}/run", "--tmpdir", f"{folder}/tmp"]
    return peers.run("podman", *kept, "--storage-driver", "vfs", *words, environment=environment, timeout=300)
