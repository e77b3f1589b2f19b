"""The same image and the same changes in podman and here: what changed, what a commit holds, what an export holds.

podman and Docker differ, and the rules decide for Docker:

    podman's own mounts show in its `diff` (/etc, /run/secrets and the like); Docker's never do       R6.29
    its history says `podman commit` words of its own, and keeps no parent                            R6.35, R6.38
    its `diff` shows a directory of which only the time changed                                       R6.25
    its `diff` does not mark the directories above a change unless they changed themselves            R6.26
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import imagelab
import peers
from imagelab.app import Lab
from imagelab.classroom.upstream import ClassroomStorage
from imagelab.server.registry import RegistryApp
from imagelab.server.serve import serving

pytestmark = pytest.mark.compat

SCRIPT = """
@mkdir -p /srv/new/deep; echo hello > /srv/new/deep/file; echo changed >> /etc/shells; @rm /etc/debconf.conf 2>/dev/null
@rm -r /var/lib/apt; @mkdir /var/lib/apt; echo fresh > /var/lib/apt/only; @ln -s /srv/new /link; @ln /srv/new/deep/file /srv/hard
@chmod 700 /home; @chown 33:33 /srv/new; @touch /srv/empty; @mkdir -m 1777 /shared; @rm /etc/group; echo 'dir' > /tmp/x; @mv /tmp/x /srv/moved
"""
NAME = "library/ubuntu:14.04"


@dataclass
class Podman:
    """podman with everything in one folder."""

    folder: Path
    environment: dict[str, str]

    def __call__(self, *words: str, check: bool = True) -> str:
        place = [
            "--root",
            str(self.folder / "root"),
            "--runroot",
            str(self.folder / "run"),
            "--tmpdir",
            str(self.folder / "tmp"),
            "--storage-driver",
            "overlay",
        ]
        return peers.run("podman", *place, *words, environment=self.environment, check=check)


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Podman, Lab]]:
    """One container in each, in which the same has been done."""
    peers.need("podman", "busybox")
    folder = Path(tempfile.mkdtemp(prefix="il-"))  # a short name, which podman needs
    with serving(RegistryApp(ClassroomStorage(dict))) as url:
        address = url.removeprefix("http://")
        podman = Podman(folder, peers.podman_environment(folder, address))
        podman("pull", "--quiet", "--tls-verify=false", f"{address}/{NAME}")
        podman(
            "run", "--name", "one", "--network", "none", "-v", f"{peers.find('busybox')}:/busybox:ro", "--entrypoint", "/busybox",
            f"{address}/{NAME}", "sh", "-c", SCRIPT.replace("@", "/busybox "),
        )  # fmt: skip
    lab = imagelab.connect(folder / "lab", environ={}, in_process=True)
    lab.run("ubuntu:14.04", "sh", "-c", SCRIPT.replace("@", ""), name="one")
    assert lab.container("one").exit_code == 0, lab.container("one").logs()
    yield podman, lab
    podman("rm", "-f", "one")
    lab.close()
    subprocess.run(["umount", "-l", str(folder / "root" / "overlay")], capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)


OWN = {
    "/busybox",
    "/run",
    "/run/secrets",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/hostname",
    "/etc/mtab",
    "/run/.containerenv",
    "/proc",
    "/sys",
    "/dev",
}
"""podman's own, for its mounts."""


TOUCHED = {"/etc", "/tmp"}
"""Directories whose time alone changed: podman shows what overlayfs copied up, Docker does not (R6.25)."""


def shown(text: str) -> set[tuple[str, str]]:
    return {(kind, path) for kind, path in (line.split(" ", 1) for line in text.splitlines()) if path not in OWN}


def test_diff_agrees(both: tuple[Podman, Lab]) -> None:
    podman, lab = both
    theirs, ours = shown(podman("diff", "one")), shown(repr(lab.container("one").diff()))
    above = {path.rpartition("/")[0] for _, path in ours}
    only_above = {(kind, path) for kind, path in ours - theirs if kind == "C" and path in above}
    assert ours - only_above == theirs - {
        (kind, path) for kind, path in theirs - ours if kind == "C" and path in TOUCHED
    }


def entries(archive: bytes, *, strip: str = "") -> dict[str, tuple[object, ...]]:
    """Path -> what a file is; not its time, which differs by when it was done."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            name = "" if member.name in (".", "./") else member.name.removeprefix("./").strip("/")
            data = tar.extractfile(member).read() if member.isfile() else b""  # type: ignore[union-attr]
            kind = "file" if member.islnk() else member.type.decode().replace("0", "file").replace("\0", "file")
            if member.islnk():
                data = found[member.linkname.removeprefix("./").strip("/")][-1]  # type: ignore[assignment]
            found[name] = (
                kind,
                member.mode & 0o7777,
                member.uid,
                member.gid,
                member.linkname if member.issym() else "",
                data,
            )
    return {
        name: entry
        for name, entry in found.items()
        if f"/{name}" not in OWN and not name.startswith(("dev/", "proc/", "sys/", ".dockerenv"))
    }


def test_export_agrees(both: tuple[Podman, Lab], tmp_path: Path) -> None:
    podman, lab = both
    podman("export", "-o", str(tmp_path / "theirs.tar"), "one")
    assert lab.docker(["export", "-o", str(tmp_path / "ours.tar"), "one"]).exit_code == 0
    theirs, ours = (entries((tmp_path / f"{who}.tar").read_bytes()) for who in ("theirs", "ours"))
    ours.pop("", None)
    theirs.pop("", None)
    assert ours == theirs


def test_commit_agrees(both: tuple[Podman, Lab], tmp_path: Path) -> None:
    """The layer entry by entry, the config key by key, and one more line of history."""
    podman, lab = both
    podman(
        "commit", "--quiet", "--author", "me", "--message", "why", "--format", "docker", "-c", "ENV B=2", "one", "made"
    )
    podman("save", "--quiet", "--format", "docker-dir", "-o", str(tmp_path / "dir"), "made")
    manifest = json.loads((tmp_path / "dir" / "manifest.json").read_text())
    theirs_config = json.loads((tmp_path / "dir" / manifest["config"]["digest"].removeprefix("sha256:")).read_text())
    layer = (tmp_path / "dir" / manifest["layers"][-1]["digest"].removeprefix("sha256:")).read_bytes()
    import gzip

    theirs = entries(gzip.decompress(layer) if layer[:2] == b"\x1f\x8b" else layer)

    image = lab.container("one").commit("made", author="me", message="why", changes=["ENV B=2"])
    ours = entries(gzip.decompress(lab.store.read_blob(lab.state.layers[image.layers[-1]].blob)))
    data = image.config.data
    for found in (theirs, ours):
        for name in (
            "",
            "etc",
            "run",
            "busybox",
            "dev",
            "proc",
            "sys",
            "tmp",
            "var",
            "var/lib",
        ):  # directories on the way, or mounts
            found.pop(name, None)
    opaque = {name for name in theirs if name.endswith(".wh..wh..opq")}
    for name in opaque:  # a directory that was removed and made again: one mark there, one whiteout a name here
        folder = name.removesuffix(".wh..wh..opq")
        theirs.pop(name)
        ours = {path: entry for path, entry in ours.items() if not path.startswith(f"{folder}.wh.")}
    whiteouts = {name for name in ours if "/.wh." in f"/{name}"}
    assert whiteouts == {name for name in theirs if "/.wh." in f"/{name}"}
    assert {n: e for n, e in ours.items() if n not in whiteouts} == {
        n: e for n, e in theirs.items() if n not in whiteouts
    }
    assert data["config"]["Env"][-1] == theirs_config["config"]["Env"][-1] == "B=2"
    assert data["author"] == theirs_config["author"] == "me"
    assert (
        len(data["history"]) == len(theirs_config["history"])
        and theirs_config["rootfs"]["diff_ids"][:-1] == data["rootfs"]["diff_ids"][:-1]
    )


def test_a_committed_image_is_pulled_by_skopeo_and_unpacked_by_umoci(both: tuple[Podman, Lab], tmp_path: Path) -> None:
    """What they unpack is the container's own tree."""
    from imagelab.server.storage import DirectoryStorage

    peers.need("skopeo", "umoci")
    _, lab = both
    image = lab.container("one").commit("again:1")
    storage = DirectoryStorage(tmp_path / "registry")
    with serving(RegistryApp(storage)) as url:
        import requests

        manifest = lab.store.read_blob(image.image.target)
        listed = json.loads(manifest)
        for descriptor in [listed["config"], *listed["layers"]]:
            start = requests.post(f"{url}/v2/again/blobs/uploads/", timeout=20)
            place = start.headers["Location"]
            place = place if place.startswith("http") else url + place
            sent = requests.put(
                place,
                params={"digest": descriptor["digest"]},
                data=lab.store.read_blob(imagelab_digest(descriptor["digest"])),
                timeout=20,
            )
            assert sent.status_code == 201
        put = requests.put(
            f"{url}/v2/again/manifests/1", data=manifest, headers={"Content-Type": listed["mediaType"]}, timeout=20
        )
        assert put.status_code == 201
        peers.run(
            "skopeo",
            "copy",
            "--src-tls-verify=false",
            f"docker://{url.removeprefix('http://')}/again:1",
            f"oci:{tmp_path}/layout:1",
        )
    peers.run("umoci", "raw", "unpack", "--image", f"{tmp_path}/layout:1", str(tmp_path / "unpacked"))
    tree = image.tree
    root = tmp_path / "unpacked"
    there = {str(path.relative_to(root)) for path in root.rglob("*")}
    assert there == {path for path in tree if path}
    for path, node in tree.items():
        if node.kind == "file":
            assert (root / path).read_bytes() == lab.store.read_file(node), path
        elif node.kind == "symlink":
            assert (root / path).readlink() == Path(node.target), path
        assert node.kind == "symlink" or (root / path).lstat().st_mode & 0o7777 == node.mode, path


def imagelab_digest(text: str):  # type: ignore[no-untyped-def]
    from imagelab.oci.documents import Digest

    return Digest(text)
