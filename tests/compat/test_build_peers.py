"""The same Dockerfiles built here and by buildah: files, configs and history side by side.

buildah builds in the classic way (`--layers --format docker`), with a static busybox as its shell, since the built-in
images hold no machine code. Where the two differ, the rules decide for Docker's classic builder:

    WORKDIR's directory: Docker makes it in WORKDIR's own layer, buildah in the next one's       R8.8
    RUN that changes nothing: Docker adds no layer, buildah one                                   R8.8
    `#(nop)  ENV`: Docker has two spaces and values, buildah one and the text of the file, without
    --chown: of instructions that only change the config, their keywords are compared             R8.9
    SHELL holds for CMD and ENTRYPOINT, too; buildah 1.28 forgets it there, and in history        R8.18
    `# escape=` holds for substitution, stage names in any case, `EXPOSE 1-2` is two ports;
    buildah 1.28 differs in all three                                                             R8.16, R8.22
    hashes of what is copied: Docker's are over headers as well, buildah's over bytes             R8.12
    a volume's later changes: Docker drops them, buildah keeps them (as BuildKit does)            R8.21
    build arguments: buildah shows in history only those that RUN itself uses                     R8.13
    MAINTAINER, ONBUILD's trigger, and the `FROM` it notes as a comment                           R8.19
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import imagelab
import peers
from imagelab.app import Lab
from imagelab.classroom.upstream import ClassroomStorage
from imagelab.layers.changeset import index
from imagelab.layers.tree import Kind, Node, Tree, apply
from imagelab.server.registry import RegistryApp
from imagelab.server.serve import serving

pytestmark = pytest.mark.compat


def tar(mode: str = "w") -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:  # type: ignore[call-overload]
        for name, kind in (("in", tarfile.DIRTYPE), ("in/side", tarfile.REGTYPE), ("in/link", tarfile.SYMTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.uid, member.gid, member.mtime = kind, 0o751, 5, 6, 1_000_000
            member.size, member.linkname = (
                (3, "") if kind == tarfile.REGTYPE else (0, "side" if kind == tarfile.SYMTYPE else "")
            )
            archive.addfile(member, io.BytesIO(b"abc") if member.size else None)
    return data.getvalue()


U = "FROM ubuntu:14.04\n"
CASES: dict[str, Mapping[str, str | bytes]] = {
    "stages": {"Dockerfile": "ARG T=14.04\nFROM ubuntu:$T AS build\nARG T\nRUN mkdir /out && echo $T > /out/t && ln -s t /out/l\nFROM ubuntu:14.04\nCOPY --from=build /out /got\nCOPY --from=0 /out/t /t\n"},
    "scratch": {"Dockerfile": "FROM ubuntu:14.04 AS b\nRUN echo hi > /hello && chmod 751 /hello\nFROM scratch\nCOPY --from=b /hello /bin/\nENV A=b\nCMD [\"/bin/hello\"]\n"},
    "from an image": {"Dockerfile": U + "COPY --from=ubuntu:14.04 /etc/passwd /etc/group /copied/\n"},
    "argument and environment": {"Dockerfile": U + "ARG A=1\nARG B\nENV A=2 C=$A D=${B:-none} E=${B:+some}\nRUN echo \"$A $B $C $D $E\" > /x\nENV A=3 F=$A\nRUN echo \"$A $F\" >> /x\nLABEL l=\"$C-${A}\" m=${NO:-x}\nCOPY $C /to/${A}\n", "1": "one", "2": "two"},
    "escapes and quotes": {"Dockerfile": U + "ENV A=\"b  c\" B='$A' C=\\$A D=a\\ b E=\"say \\\"hi\\\"\"\nENV F g  h\nRUN echo \"$A\" \\\n  # a comment\n  && echo done > /x\n"},
    "add a tar": {"Dockerfile": U + "ADD a.tar a.tgz a.txz /to/\nCOPY a.tar /\nADD plain /plain/\n", "a.tar": tar(), "a.tgz": tar("w:gz"), "a.txz": tar("w:xz"), "plain": "plain"},
    "workdirs": {"Dockerfile": U + "WORKDIR /a\nRUN true\nWORKDIR b/c\nRUN true\nWORKDIR ../d\nRUN true\nENV P=/e\nWORKDIR $P/f\nCOPY x .\nCOPY x sub/\nCOPY x ./name\nRUN pwd > where\n", "x": "x"},
    "shell": {"Dockerfile": U + "SHELL [\"/bin/sh\", \"-u\", \"-c\"]\nRUN echo 1 > /x\n"},
    "ignored": {"Dockerfile": U + "COPY . /all\n", ".dockerignore": "# no\n**/*.tmp\n!keep.tmp\nlogs\n!logs/keep\n*.md\n!README.md\na/*/z\n", "a.tmp": "", "keep.tmp": "", "x/b.tmp": "", "logs/a": "", "logs/keep": "", "A.md": "", "README.md": "", "d/B.md": "", "a/b/z": "", "a/b/y": "", "a/z": ""},
    "links": {"Dockerfile": U + "COPY dir /dir\nCOPY link /link\nRUN ln -s /dir /way\nCOPY x /way/x\nCOPY todir /deep\n", "x": "x", "dir/f": "f", "link": "->dir/f", "todir": "->dir", "dir/inside": "->f", "dir/loop": "->loop"},
    "empty layers": {"Dockerfile": U + "RUN true\nENV A=b\nRUN true\nLABEL c=d\nRUN echo 1 > /x\nRUN rm /x\n"},
    "user": {"Dockerfile": U + "RUN echo 'me:x:7:8::/home/me:/bin/sh' >> /etc/passwd && echo 'us:x:8:' >> /etc/group && mkdir -m 777 /w\nUSER me\nRUN id -u > /w/u; id -g > /w/g\nUSER 9:10\nRUN echo > /w/nine\nCOPY x /w/root\n", "x": "x"},
    "owners": {"Dockerfile": U + "RUN echo 'me:x:7:8::/:/x' >> /etc/passwd && echo 'us:x:8:' >> /etc/group\nCOPY --chown=me:us x /a\nCOPY --chown=5 d /b/c\nCOPY --chown=5:6 d /etc\nADD --chown=3:4 x /d/\n", "x": "x", "d/e": "e", "d/f/g": "g"},
    "globs": {"Dockerfile": U + "COPY a?.t* /one/\nCOPY [\"a b\", \"c[1]\", \"/two/\"]\nCOPY d*/*.x /three/\nCOPY dir* /four/\n", "a1.txt": "1", "a2.tmp": "2", "ab.md": "", "a b": "s", "c1": "c", "d1/q.x": "q", "d2/r.x": "r", "dir/s": "s"},
    "over what is there": {"Dockerfile": U + "RUN mkdir -p /d/sub && echo 1 > /d/f && echo 2 > /g && ln -s d /ld\nCOPY f /d/f\nCOPY f /g\nCOPY tree /d\nCOPY f /ld\nCOPY f /d/sub\n", "f": "new", "tree/f": "from tree", "tree/sub/x": "x"},
    "metadata": {"Dockerfile": U + "LABEL a=1 b=\"two words\" c.d=e\\ f\nEXPOSE 80 443/tcp 53/udp 9000/sctp\nSTOPSIGNAL SIGQUIT\nVOLUME /v1 /v2\nVOLUME [\"/v 3\"]\nMAINTAINER me <a@b>\n"},
    "commands": {"Dockerfile": U + "CMD [\"a\", \"b c\"]\nENTRYPOINT [\"e\"]\nENTRYPOINT run $HOME\nCMD x  y\n"},
    "healthcheck": {"Dockerfile": U + "HEALTHCHECK --interval=5m --timeout=3s --retries=2 CMD curl -f / || exit 1\nHEALTHCHECK --start-period=1s CMD [\"a\", \"b\"]\n"},
    "onbuild": {"Dockerfile": U + "ONBUILD COPY x /x\nONBUILD RUN echo $A > /y\nENV A=b\n", "Dockerfile.child": "FROM localhost/base\nENV C=d\n", "x": "x"},
}  # fmt: skip


@dataclass
class Peer:
    """buildah with everything in one folder."""

    folder: Path
    environment: dict[str, str]

    def __call__(self, *words: str | Path) -> str:
        return peers.run(
            "buildah",
            "--root",
            self.folder / "root",
            "--runroot",
            self.folder / "run",
            "--storage-driver",
            "overlay",
            *words,
            environment=self.environment,
        )

    def build(self, context: Path, tag: str, dockerfile: str = "Dockerfile") -> None:
        self(
            "bud", "--isolation", "chroot", "--layers", "--format", "docker", "--pull=false", "--volume", f"{peers.find('busybox')}:/bin/sh:ro",
            "-f", context / dockerfile, "-t", tag, context,
        )  # fmt: skip

    def image(self, tag: str) -> tuple[dict[str, Any], Tree, dict[str, bytes]]:
        """Config, tree, and the bytes of each file by its content."""
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        self("push", "--format", "v2s2", tag, f"dir:{out}")
        manifest = json.loads((out / "manifest.json").read_text())
        tree, contents = Tree.empty(), {}
        for layer in manifest["layers"]:
            blob = (out / layer["digest"].partition(":")[2]).read_bytes()
            plain = gzip.decompress(blob) if blob[:2] == b"\x1f\x8b" else blob
            found = index(blob)
            contents |= {
                f"{found.diff_id}@{row.offset}": plain[row.offset : row.offset + row.size]
                for row in found.rows
                if row.size
            }
            tree = apply(tree, found.changes())
        return json.loads((out / manifest["config"]["digest"].partition(":")[2]).read_text()), tree, contents


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Peer, Lab]]:
    peers.need("buildah", "busybox")
    folder = Path(tempfile.mkdtemp(prefix="il-"))
    with serving(RegistryApp(ClassroomStorage(dict))) as url:
        address = url.removeprefix("http://")
        environment = peers.podman_environment(folder, address)
        (folder / "registries.conf").write_text(
            f'unqualified-search-registries = ["docker.io"]\n[[registry]]\nprefix = "docker.io"\nlocation = "{address}"\ninsecure = true\n'
        )
        peer = Peer(folder, environment)
        peer("pull", "docker.io/library/ubuntu:14.04")
    lab = imagelab.connect(folder / "lab", environ={}, clock="class", in_process=True)
    lab.pull("ubuntu:14.04")
    yield peer, lab
    lab.close()
    subprocess.run(["umount", "-l", str(folder / "root" / "overlay")], capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)


def lay(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, data in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        if isinstance(data, str) and data.startswith("->"):
            file.symlink_to(data[2:])
            continue
        file.write_bytes(data if isinstance(data, bytes) else data.encode())
        os.chmod(file, 0o644)
    return folder


OWN = re.compile(r"(proc|sys|dev|run|etc/hosts|etc/resolv.conf|etc/hostname|etc/mtab|\.dockerenv)(/.*)?")
"""Mount points of the two."""


def entries(tree: Tree, read: Any) -> dict[str, tuple[object, ...]]:
    def one(node: Node) -> tuple[object, ...]:
        mode = 0o777 if node.kind is Kind.SYMLINK else node.mode
        return node.kind, oct(mode), node.uid, node.gid, node.target, read(node) if node.size else b""

    return {path: one(tree[path]) for path in tree if path and not OWN.fullmatch(path)}


def wishes(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a config says, empty things left out."""
    config = {
        key: value for key, value in data["config"].items() if value and key not in ("Hostname", "Image", "ArgsEscaped")
    }
    config["Labels"] = {
        key: value for key, value in (config.get("Labels") or {}).items() if key != "io.buildah.version"
    }
    return {**config, "author": data.get("author"), "os": data["os"], "architecture": data["architecture"]}


def told(data: Mapping[str, Any]) -> list[str]:
    """History, with what is listed above made the same."""
    lines = [
        entry.get("created_by", "")
        for entry in data["history"][
            6 if len(data["history"]) > 6 and "c513a0b6" in data["history"][0].get("created_by", "") else 0 :
        ]
    ]
    return [_same(line.replace("#(nop)  ", "#(nop) ")).strip() for line in lines]


def _same(line: str) -> str:
    line = re.sub(r"^\|\d+ (\S+=\S* )*", "", line)
    line = re.sub(r"(--chown=\S+ )?(file|dir|multi):[0-9a-f]{64} in .*", "HASH", line)
    line = re.sub(r"^/bin/sh( -\w)* -c ", "/bin/sh -c ", line)
    return re.sub(r"^.*#\(nop\) ((?!COPY|ADD)[A-Z]+) .*", r"\1", line)


@pytest.mark.parametrize("name", CASES)
def test_a_dockerfile(both: tuple[Peer, Lab], tmp_path: Path, name: str) -> None:
    peer, lab = both
    context = lay(tmp_path, CASES[name])
    peer.build(context, "base")
    ours = lab.docker(["build", "-t", "localhost/base", str(context)])
    assert ours.exit_code == 0, ours
    if "Dockerfile.child" in CASES[name]:
        peer.build(context, "base", "Dockerfile.child")
        assert (
            lab.docker(
                ["build", "-t", "localhost/base", "-f", str(context / "Dockerfile.child"), str(context)]
            ).exit_code
            == 0
        )
    data, tree, contents = peer.image("base")
    image = lab.image("localhost/base")
    theirs = entries(tree, lambda node: contents[node.content])
    mine = entries(image.tree, lab.store.read_file)
    assert {
        path: (mine.get(path), theirs.get(path)) for path in {*mine, *theirs} if mine.get(path) != theirs.get(path)
    } == {}
    assert wishes(image.config.data) == wishes(data)
    assert told(image.config.data) == told(data)
