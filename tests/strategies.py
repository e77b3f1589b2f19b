"""Random trees, changes and stacks of layers: small enough to shrink, odd enough to matter."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from imagelab.layers.tree import Change, Kind, Node, Opaque, Put, Tree, Whiteout, apply
from imagelab.oci.documents import Digest
from imagelab.state.model import State
from states import a_state, container, id_of, image

NAMES = st.sampled_from(["a", "b", "c", "etc", "é", "x y", "-f", "aux", "A"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CONTENTS = st.sampled_from([b"", b"one", b"two", b"three\n" * 100])


def contents_of(node: Node) -> bytes:
    """The bytes behind a node of these strategies."""
    return KNOWN[node.content] if node.size else b""


KNOWN = {str(Digest.of(data)): data for data in (b"one", b"two", b"three\n" * 100)}


@st.composite
def files(draw: st.DrawFn) -> Node:
    data = draw(CONTENTS)
    return Node(
        Kind.FILE, draw(st.sampled_from([0o644, 0o755, 0o4755, 0])), draw(st.sampled_from([0, 1000, 2**31])), size=len(data),
        mtime=draw(st.sampled_from([0, 1_476_921_600])), content=str(Digest.of(data)) if data else "",
        xattrs=draw(st.sampled_from([(), (("user.note", b"\x00=\n\xff"),)])),
    )  # fmt: skip


DIRECTORIES = st.builds(Node, st.just(Kind.DIRECTORY), st.sampled_from([0o755, 0o700, 0o1777]))
SYMLINKS = st.builds(
    Node, st.just(Kind.SYMLINK), st.just(0o777), target=st.sampled_from(["a", "/a/b", "../c", "nowhere", "x" * 120])
)
SPECIAL = st.sampled_from(
    [Node(Kind.FIFO, 0o600), Node(Kind.CHAR, 0o666, rdev=(1, 3)), Node(Kind.BLOCK, 0o660, rdev=(8, 1))]
)
NODES = st.one_of(files(), files(), DIRECTORIES, SYMLINKS, SPECIAL)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Nodes put one after the other, nothing through a symlink: a tree says where each path is."""
    tree = Tree.empty()
    for path in draw(st.lists(PATHS, max_size=8)):
        tree = put(tree, path, draw(NODES))
    return tree


def put(tree: Tree, path: str, node: Node) -> Tree:
    """Put, unless a parent is something that is no directory."""
    steps = path.split("/")
    for at in range(1, len(steps)):
        above = tree.get("/".join(steps[:at]))
        if above is not None and not above.is_directory:
            return tree
    return apply(tree, [Put(path, node)])


CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(Put, PATHS, NODES), st.builds(Whiteout, PATHS), st.builds(Opaque, PATHS)
)


@st.composite
def labs(draw: st.DrawFn) -> State:
    """Small labs: images that share layers, parents, several names or none, containers, also of images removed by force."""
    words = draw(st.lists(st.text("abcdefgh", min_size=1, max_size=3), unique=True, max_size=6))
    stacks = st.lists(st.sampled_from("LMN"), max_size=9)
    free = [
        "web:1",
        "web:2",
        "x/y:latest",
        "reg.example:5000/z:v1",
        "db@sha256:" + "d" * 64,
        "db:9",
        "db@sha256:" + "e" * 64,
    ]
    made = []
    for at, word in enumerate(words):
        names = [free.pop() for _ in range(draw(st.integers(0, min(2, len(free)))))]
        parent = draw(st.sampled_from(["", *words[:at]]))
        below = [*next(each.layers for each in made if each.image.id == id_of(parent))] if parent else []
        made.append(image(word, *below, *draw(stacks), parent=parent, names=names, created=at))
    containers = (
        [
            replace(container(name, draw(st.sampled_from(words)), running=draw(st.booleans())), layers=())
            for name in draw(st.lists(st.sampled_from(["box", "web", "db"]), unique=True, max_size=3))
        ]
        if words
        else []
    )
    containers = [
        replace(each, layers=next(named.image.layers for named in made if named.image.id == each.image))
        for each in containers
    ]
    gone = draw(st.sets(st.sampled_from(words), max_size=1)) if words else set()
    return without_images(a_state(*made, containers=containers), {id_of(word) for word in gone})


def without_images(state: State, gone: set[Digest]) -> State:
    """The lab after these were removed by force: their names and the layers that nobody needs go, containers stay."""
    images = {image_id: each for image_id, each in state.images.items() if image_id not in gone}
    needed = {layer for each in [*images.values(), *state.containers.values()] for layer in each.layers}
    return replace(
        state, images=images, references={name: image_id for name, image_id in state.references.items() if image_id not in gone},
        layers={chain_id: layer for chain_id, layer in state.layers.items() if chain_id in needed},
    )  # fmt: skip
