"""A merged tree kept on disk: the same tree to whoever looks, read a directory at a time, and never believed when damaged."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagelab.app import Lab, connect
from imagelab.errors import LayerFormatError
from imagelab.layers.changeset import write as tar_of
from imagelab.layers.tree import Change, Kind, Node, Put, Tree, apply, diff
from imagelab.oci.digest import Digest
from imagelab.store import tree_cache
from strategies import CHANGES, contents_of, trees

CHAIN = Digest.of(b"a stack")


def cached(tree: Tree) -> Tree:
    with tempfile.TemporaryDirectory() as folder:
        tree_cache.write(Path(folder), CHAIN, tree)
        found = tree_cache.read(Path(folder), CHAIN)
    assert found is not None
    return found


@settings(max_examples=200)
@given(trees())
def test_it_is_the_same_tree(tree: Tree) -> None:
    kept = cached(tree)
    assert dict(kept) == dict(tree)
    assert diff(tree, kept) == diff(kept, tree) == ()
    everything = [b"".join(tar_of(diff(Tree.empty(), one), contents_of)) for one in (tree, kept)]
    assert everything[0] == everything[1]  # names of owners and of hard links too


@settings(max_examples=200)
@given(trees(), st.lists(CHANGES, max_size=6))
def test_changes_on_it_are_the_same_changes(tree: Tree, changes: list[Change]) -> None:
    kept = cached(tree)
    try:
        wanted = apply(tree, changes)
    except LayerFormatError:
        with pytest.raises(LayerFormatError):
            apply(kept, changes)
        return
    found = apply(kept, changes)
    assert diff(kept, found) == diff(tree, wanted)
    assert found == wanted


def test_a_directory_is_read_when_somebody_looks_into_it() -> None:
    asked: list[str] = []
    held = {"": ["usr", "etc"], "etc": ["apt"], "usr": [], "etc/apt": []}

    def fetch(path: str) -> list[tuple[str, Node]]:
        asked.append(path)
        return [(name, Node(Kind.DIRECTORY)) for name in held[path]]

    tree = Tree.fetched(Node(Kind.DIRECTORY), fetch)
    new = apply(tree, [Put("etc/motd", Node(Kind.FILE))])
    assert diff(tree, new) == (Put("etc/motd", Node(Kind.FILE)),)
    assert asked == ["", "etc"]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(tree_cache, "LARGE", 1)
    with closing(connect(tmp_path, environ={}, in_process=True)) as lab:
        lab.pull("nginx")
        yield lab  # type: ignore[misc]


def test_a_lab_keeps_and_drops_it(lab: Lab, tmp_path: Path) -> None:
    lab.docker("create --name web nginx")
    lab.docker(["cp", __file__, "web:/etc/motd"])
    before = lab.docker("diff web").stdout
    assert list((tmp_path / "cache").glob("*.tree"))
    with closing(connect(tmp_path, environ={}, in_process=True)) as other:
        assert other.docker("diff web").stdout == before
    lab.docker("rm web")
    lab.docker("rmi nginx")
    lab.docker("gc --keep 0")
    assert not list((tmp_path / "cache").glob("*.tree"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: data.replace(b"passwd", b"possum"),
        lambda data: b"x" + data,
    ],
)
def test_what_is_damaged_is_made_again(lab: Lab, tmp_path: Path, damage: object) -> None:
    lab.docker("create --name web nginx")
    tree = dict(lab.engine.containers.tree("web"))
    for file in (tmp_path / "cache").glob("*.tree"):
        file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    with closing(connect(tmp_path, environ={}, in_process=True)) as other:
        assert dict(other.engine.containers.tree("web")) == tree
