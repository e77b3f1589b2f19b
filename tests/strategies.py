"""Random trees, changes and stacks of layers: small enough to shrink, odd enough to matter."""

from __future__ import annotations

from hypothesis import strategies as st

from imagelab.oci import Digest
from imagelab.tree import Change, Kind, Node, Opaque, Put, Tree, Whiteout, apply

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
