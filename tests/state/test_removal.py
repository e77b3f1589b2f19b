"""`rmi` and `image prune` on values: what goes, in which order, and what refuses in which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelab.errors import ConflictError
from imagelab.oci.documents import Digest
from imagelab.state.events import Deleted, Untagged
from imagelab.state.model import State
from imagelab.state.removal import RemovalPlan, freed_bytes
from states import a_state, chain, container, id_of, image

DIGEST = "@sha256:" + "d" * 64


def remove(state: State, word: str, name: str | None = None, *, force: bool = False, prune: bool = True) -> RemovalPlan:
    plan = RemovalPlan(state)
    canonical = f"docker.io/library/{name}" if name else None
    plan.remove(state.images[id_of(word)], name or id_of(word).short, canonical, force=force, prune=prune)
    return plan


def test_the_last_tag_takes_its_digest_references_and_the_image_along() -> None:
    """R5.3 and R5.7: untag, leftover digest references, the image, then chain IDs from the top."""
    state = a_state(image("redis", "base", "top", names=["redis:alpine", "redis" + DIGEST]))
    assert remove(state, "redis", "redis:alpine").removed == [
        Untagged("redis:alpine"),
        Untagged("redis" + DIGEST),
        Deleted(id_of("redis")),
        Deleted(chain("base", "top")[1]),
        Deleted(chain("base", "top")[0]),
    ]


def test_a_tag_among_others_is_one_line() -> None:
    """R5.13."""
    state = a_state(image("u", "a", names=["ubuntu:16.04", "ubuntu:latest", "ubuntu" + DIGEST]))
    assert remove(state, "u", "ubuntu:latest").removed == [Untagged("ubuntu:latest")]


def test_a_digest_reference_alone_is_one_line() -> None:
    """R5.4: tags stay, the image stays."""
    state = a_state(image("n", "a", names=["node:latest", "node" + DIGEST]))
    assert remove(state, "n", "node" + DIGEST).removed == [Untagged("node" + DIGEST)]


def test_by_id_all_names_go_in_lexical_order() -> None:
    """R5.5."""
    state = a_state(image("r", "a", names=["redis" + DIGEST, "redis:alpine"]))
    lines = remove(state, "r").removed
    assert lines[:2] == [Untagged("redis:alpine"), Untagged("redis" + DIGEST)]


def test_shared_layers_are_not_deleted() -> None:
    """R5.7."""
    state = a_state(image("a", "base", "x", names=["a:1"]), image("b", "base", "y", names=["b:1"]))
    assert remove(state, "a", "a:1").removed == [Untagged("a:1"), Deleted(id_of("a")), Deleted(chain("base", "x")[1])]


def test_two_tags_and_an_id_must_be_forced() -> None:
    """R5.6 and R5.10c: the words say repositories even for two tags of one."""
    state = a_state(image("u", "a", names=["ubuntu:16.04", "ubuntu:latest"]))
    with pytest.raises(ConflictError) as caught:
        remove(state, "u")
    assert str(caught.value) == (
        f"conflict: unable to delete {id_of('u').short} (must be forced) - image is referenced in multiple repositories"
    )
    assert [type(item) for item in remove(state, "u", force=True).removed] == [Untagged, Untagged, Deleted, Deleted]


def test_a_parent_cannot_be_deleted() -> None:
    """R5.10b and R5.12: by ID it refuses, by name it only loses the name."""
    state = a_state(
        image("base", "a", names=["nginx:latest"]), image("v2", "a", "b", parent="base", names=["nginx:v2"])
    )
    with pytest.raises(ConflictError, match=r"\(cannot be forced\) - image has dependent child images"):
        remove(state, "base", force=True)
    assert remove(state, "base", "nginx:latest").removed == [Untagged("nginx:latest")]


def test_the_last_child_takes_its_untagged_parents_along() -> None:
    """R5.8; `--no-prune` leaves them."""
    images = [
        image("1", "a"),
        image("2", "a", "b", parent="1"),
        image("3", "a", "b", "c", parent="2", names=["app:1"]),
    ]
    state = a_state(*images)
    assert [item.digest for item in remove(state, "3", "app:1").removed if isinstance(item, Deleted)] == [
        id_of("3"),
        chain("a", "b", "c")[2],
        id_of("2"),
        chain("a", "b")[1],
        id_of("1"),
        chain("a")[0],
    ]
    assert remove(state, "3", "app:1", prune=False).deleted == [id_of("3")]


def test_a_container_protects_its_image() -> None:
    """R5.3a, R5.10a, R5.10d, R5.10e and R5.11."""
    stopped = container("old", "web")
    state = a_state(image("web", "a", names=["nginx:latest"]), containers=[stopped])
    with pytest.raises(ConflictError) as caught:
        remove(state, "web", "nginx:latest")
    assert str(caught.value) == (
        'conflict: unable to remove repository reference "nginx:latest" (must force) - container '
        f"{stopped.id[:12]} is using its referenced image {id_of('web').short}"
    )
    with pytest.raises(ConflictError, match=r"\(must be forced\) - image is being used by stopped container"):
        remove(state, "web")
    forced = remove(state, "web", "nginx:latest", force=True)
    assert forced.removed == [Untagged("nginx:latest"), Deleted(id_of("web"))]  # its layers stay with the container


def test_a_running_container_cannot_be_forced() -> None:
    """R5.10e; by name with -f the name goes and the image stays (R5.11)."""
    state = a_state(image("web", "a", names=["nginx:latest"]), containers=[container("w", "web", running=True)])
    with pytest.raises(ConflictError, match=r"\(cannot be forced\) - image is being used by running container"):
        remove(state, "web", force=True)
    assert remove(state, "web", "nginx:latest", force=True).removed == [Untagged("nginx:latest")]


def test_prune_skips_what_refuses_and_counts_layers() -> None:
    """R5.19 and R5.20."""
    state = a_state(
        image("dangling", "a", "b"),
        image("used", "a", "c"),
        image("kept", "a", names=["x:1"]),
        containers=[container("c", "used")],
    )
    plan = RemovalPlan(state)
    for word in ("dangling", "used"):
        plan.prune(id_of(word))
    assert plan.deleted == [id_of("dangling")]
    assert freed_bytes(state, plan.removed) == 100


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans()), max_size=8), st.data())
def test_what_stays_is_whole(shape: list[tuple[int, bool, bool]], data: st.DataObject) -> None:
    """Whatever is removed, every image left has its parent chain's layers, and freed layers belong to nobody."""
    images = []
    for at, (below, tagged, child) in enumerate(shape):
        parent = images[below % at] if at and child else None
        layers = [*(parent.layers if parent else ()), f"layer {at}"]
        images.append(
            image(
                f"i{at}",
                *layers,
                names=[f"r{at}:t"] if tagged else (),
                parent=next((f"i{n}" for n, other in enumerate(images) if other is parent), "") if parent else "",
            )
        )
    if not images:
        return
    state = a_state(*images)
    victim = data.draw(st.sampled_from(images)).image
    plan = RemovalPlan(state)
    try:
        plan.remove(victim, victim.id.short, None, force=data.draw(st.booleans()), prune=data.draw(st.booleans()))
    except ConflictError:
        return
    left = [i for key, i in state.images.items() if key not in plan.deleted]
    freed = {Digest(item.digest) for item in plan.removed if isinstance(item, Deleted)} - set(plan.deleted)
    assert not freed & {layer for i in left for layer in i.layers}
    assert all(i.parent is None or i.parent not in plan.deleted for i in left)
