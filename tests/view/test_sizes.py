"""Sizes reconcile: to the byte, for the built-in images and for any state, and the page says what the text says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import panels
from imagelab.app import Lab
from imagelab.layers.tree import Kind, Node, Put, Tree, apply
from imagelab.oci.digest import Digest
from imagelab.state.model import State
from imagelab.view.sizes import Sizes, sizes
from states import a_state, image


@pytest.fixture
def full(lab: Lab) -> Lab:
    """Shared layers, two names for one image, an index, a moved tag, a commit, an image only a container holds."""
    for name in ("imagelab/leaky", "nginx", "nginx:1.11", "redis", "mongo:3.2", "hello-world"):
        lab.docker(["pull", "-q", name])
    lab.docker("tag nginx also")
    lab.upstream.release("mongo:3.2")
    lab.docker("pull -q mongo:3.2")
    web = lab.run("nginx")
    web.exec("rm /usr/share/doc/nginx/CHANGES")
    web.commit("web")
    return lab


def check(found: Sizes) -> None:
    """Every sum is what came before it, and an image's shared and unique parts are its SIZE (R6.56)."""
    so_far = 0
    for step in found.steps:
        so_far = so_far or (step.size if step.sum else 0)
        if step.sum:
            assert step.size == so_far, step
        else:
            so_far += step.size
    assert sum(image.size for image in found.images) == found.steps[0].size
    for one in found.images:
        assert one.shared + one.unique == one.size
        assert 0 <= one.hidden <= one.size
    panels.check(found)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_comes_out_to_the_byte(full: Lab, lang: str) -> None:
    full.lang = lang
    found = full.sizes()
    check(found)
    assert found.difference == 0
    files = list((full.store.directory / "blobs" / "sha256").iterdir())
    assert found.on_disk == (len(files), sum(len(file.read_bytes()) for file in files))


def test_it_agrees_with_docker(full: Lab) -> None:
    """`system df -v` has the same shared and unique sizes."""
    shown = {(row.shared, row.unique) for row in full.df().usage.images}
    assert shown == {(image.shared, image.unique) for image in full.sizes().images}
    assert {image.name: image.hidden for image in full.sizes().images}["imagelab/leaky:latest"] == 2400


def test_a_damaged_disk_does_not_come_out(full: Lab) -> None:
    blob = next(iter(full.state.layers.values())).blob
    file = full.store.blobs.file(blob)
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    found = full.sizes()
    assert found.difference == -10
    assert "-10 B off" in found.text
    panels.check(found)
    assert full.docker("sizes").exit_code == 1
    file.write_bytes(whole)


def test_layers_that_only_a_container_holds_are_counted(full: Lab) -> None:
    full.docker("rmi -f nginx:latest also:latest web")
    found = full.sizes()
    check(found)
    assert found.difference == 0


def test_an_empty_lab(lab: Lab) -> None:
    found = lab.sizes()
    check(found)
    assert (found.difference, found.on_disk) == (0, (0, 0))
    assert lab.docker("sizes").stdout == found.text


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=4), max_size=4), st.integers(0, 99))
def test_for_any_state_the_sum_is_what_its_blobs_have(stacks: list[list[str]], left: int) -> None:
    """Whatever is shared, and whatever lies about: what is reckoned is what is there."""
    state: State = a_state(*(image(f"i{at}", *stack, names=[f"n{at}"]) for at, stack in enumerate(stacks)))
    blobs = {layer.blob: layer.blob_size for layer in state.layers.values()}
    blobs |= {one.id: 7 for one in state.images.values()} | {one.target: 5 for one in state.images.values()}
    blobs |= {Digest.of(b"left"): left} if left else {}
    trees = {
        one.id: apply(Tree.empty(), [Put("f", Node(Kind.FILE, size=one.size, content="x"))])
        for one in state.images.values()
    }
    found = sizes(state, blobs, lambda one: trees[one.id])
    check(found)
    assert found.difference == 0
