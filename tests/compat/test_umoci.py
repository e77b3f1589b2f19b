"""`apply` and umoci, on random stacks of layers: the same files, modes, owners and links."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import pytest

import peers
from imagelab.errors import LayerFormatError
from imagelab.layers.changeset import index, write
from imagelab.layers.tree import Change, Kind, Node, Opaque, Put, Tree, Whiteout, apply
from imagelab.oci.documents import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, Digest
from rootfs import differences, of_directory, of_tree

pytestmark = pytest.mark.compat

NAMES = ["a", "b", "c", "d", "é", "x y"]
CONTENTS = {str(Digest.of(data)): data for data in (b"one\n", b"two\n", b"three\n" * 300)}
ROUNDS, STACKS = 15, 20


def a_node(rng: random.Random) -> Node:
    owner = {"uid": rng.choice([0, 33, 1000]), "gid": rng.choice([0, 33]), "mtime": rng.choice([1, 1_476_921_600])}
    match rng.randrange(10):
        case 0 | 1 | 2 | 3:
            content = rng.choice(list(CONTENTS))
            return Node(
                Kind.FILE, rng.choice([0o644, 0o4755, 0]), size=len(CONTENTS[content]), content=content, **owner
            )
        case 4:
            return Node(Kind.FILE, 0o644, **owner)
        case 5 | 6 | 7:
            return Node(Kind.DIRECTORY, rng.choice([0o755, 0o700, 0o1777]), **owner)
        case 8:
            return Node(Kind.SYMLINK, 0o777, target=rng.choice(["a", "/b", "../c", "nowhere"]), **owner)
    return Node(Kind.FIFO, 0o600, **owner)


def a_path(rng: random.Random) -> str:
    return "/".join(rng.choice(NAMES) for _ in range(rng.randint(1, 3)))


def a_layer(rng: random.Random, below: Tree) -> list[Change]:
    """Random changes, in an order of their own: a whiteout may stand before or after what it goes with."""
    changes: list[Change] = []
    known = [path for path in below if path]
    for _ in range(rng.randint(1, 9)):
        path = rng.choice(known) if known and rng.random() < 0.6 else a_path(rng)
        match rng.randrange(8):
            case 0 | 1:
                changes.append(Whiteout(path))
            case 2 if path in below and below[path].is_directory:
                changes += [Put(path, below[path]), Opaque(path)]
            case _:
                changes.append(Put(path, a_node(rng)))
    rng.shuffle(changes)
    return changes


def raw_tar(changes: list[Change]) -> bytes:
    """The changes in the order given, not sorted: as other tools may write them."""
    one_by_one = [b"".join(write([change], lambda node: CONTENTS[node.content]))[:-1024] for change in changes]
    return b"".join(one_by_one) + bytes(1024)


def a_stack(rng: random.Random) -> tuple[list[bytes], Tree, dict[str, bytes]] | None:
    """Layers as tars, and what we make of them; None where ours refuses (a loop, a file used as a directory)."""
    tree, tars, contents = Tree.empty(), [], dict[str, bytes]()
    for _ in range(rng.randint(1, 4)):
        changes = a_layer(rng, tree)
        paths = [change.path for change in changes if isinstance(change, Put)]
        if len(set(paths)) < len(paths) or _through_something(changes, tree) or _half_said(changes):
            return None
        tar = raw_tar(changes)
        found = index(tar)
        try:
            tree = apply(tree, found.changes())
        except LayerFormatError:
            return None
        contents |= {f"{found.diff_id}@{row.offset}": tar[row.offset : row.offset + row.size] for row in found.rows}
        tars.append(tar)
    return tars, tree, contents


def _through_something(changes: list[Change], below: Tree) -> bool:
    """Does a path lead through what is no directory? Tools differ there (symlinks are compared in another test)."""
    solid = {path for path, node in below.items() if not node.is_directory}
    solid |= {change.path for change in changes if isinstance(change, Put) and not change.node.is_directory}
    steps = [change.path.split("/") for change in changes]
    return any("/".join(path[:at]) in solid for path in steps for at in range(1, len(path)))


def _half_said(changes: list[Change]) -> bool:
    """A whiteout of a directory that the same layer uses again without saying what it is like.

    The listed difference: umoci keeps the old directory's attributes if the whiteout stands after the use. To us
    whiteouts come first wherever they stand, so the directory is a new one.
    """
    said = {change.path for change in changes if isinstance(change, Put)}
    used = {path[:at] for path in said for at, char in enumerate(path) if char == "/"}
    return any(isinstance(change, Whiteout) and change.path in used - said for change in changes)


def oci_layout(folder: Path, tag: str, tars: list[bytes]) -> None:
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)

    def blob(data: bytes, media_type: str) -> dict[str, object]:
        digest = Digest.of(data)
        (blobs / digest.hex).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    layers = [blob(tar, OCI_LAYER) for tar in tars]
    diff_ids = [layer["digest"] for layer in layers]
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    described = blob(json.dumps(config).encode(), OCI_CONFIG)
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": described, "layers": layers}).encode()
    entry = blob(raw, OCI_MANIFEST) | {"annotations": {"org.opencontainers.image.ref.name": tag}}
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    known = folder / "index.json"
    manifests = json.loads(known.read_text())["manifests"] if known.exists() else []
    known.write_text(json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*manifests, entry]}))


def unpacked(folder: Path, tag: str) -> Path:
    bundle = folder / f"bundle-{tag}"
    rootless = [] if hasattr(os, "geteuid") and os.geteuid() == 0 else ["--rootless"]
    peers.run("umoci", "unpack", *rootless, "--image", f"{folder}:{tag}", bundle)
    return bundle / "rootfs"


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_random_stacks(seed: int, tmp_path: Path) -> None:
    """R7.8, R7.9, on some hundreds of stacks, explicit and opaque whiteouts in any order."""
    peers.need("umoci")
    rng = random.Random(seed)
    compared = 0
    while compared < STACKS:
        stack = a_stack(rng)
        if stack is None:
            continue
        tars, tree, contents = stack
        tag = f"s{compared}"
        oci_layout(tmp_path, tag, tars)
        theirs = of_directory(unpacked(tmp_path, tag))
        assert not differences(of_tree(tree, contents=contents), theirs), (seed, compared)
        shutil.rmtree(tmp_path / f"bundle-{tag}")
        compared += 1


def test_through_symlinks(tmp_path: Path) -> None:
    """An entry below a symlink lands where the symlink points, inside the root."""
    peers.need("umoci")
    link = Node(Kind.SYMLINK, 0o777, target="usr/lib", mtime=1)
    file = Node(Kind.FILE, size=4, content=str(Digest.of(b"one\n")), mtime=1)
    directory = Node(Kind.DIRECTORY, 0o755, mtime=1)
    tars = [
        raw_tar([Put("usr", directory), Put("usr/lib", directory), Put("usr/lib/x", file), Put("lib", link)]),
        raw_tar([Put("lib/y", file), Whiteout("lib/x")]),
    ]
    tree = Tree.empty()
    for tar in tars:
        tree = apply(tree, index(tar).changes())
    oci_layout(tmp_path, "l", tars)
    theirs = of_directory(unpacked(tmp_path, "l"))
    assert set(theirs) == set(tree) - {""}
