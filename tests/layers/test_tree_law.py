"""The one law: apply(old, diff(old, new)) == new, and what follows from it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from imagelab.errors import LayerFormatError
from imagelab.layers.changeset import blob_of, index, pack, unpack, write
from imagelab.layers.tree import MADE, Change, Opaque, Put, Tree, Whiteout, apply, diff
from imagelab.oci.documents import EMPTY_TAR, Digest
from strategies import CHANGES, contents_of, trees


@settings(max_examples=400)
@given(trees(), trees())
def test_apply_of_diff_is_the_new_tree(old: Tree, new: Tree) -> None:
    assert apply(old, diff(old, new)) == new


@given(trees())
def test_nothing_changed_is_no_change(tree: Tree) -> None:
    assert diff(tree, tree) == ()
    assert diff(tree, apply(tree, [])) == ()


@settings(max_examples=300)
@given(trees(), trees())
def test_a_diff_is_minimal(old: Tree, new: Tree) -> None:
    """Leave any one change out, and the result is another tree.

    A directory with a plain directory's attributes is said although a child would imply it: tars should say it.
    """
    changes = diff(old, new)
    for at, change in enumerate(changes):
        if isinstance(change, Put) and change.node == MADE:
            continue
        rest = [*changes[:at], *changes[at + 1 :]]
        assert apply(old, rest) != new, changes[at]


@given(trees(), trees())
def test_a_diff_is_sorted_and_says_each_path_once(old: Tree, new: Tree) -> None:
    """Parents come before children: the order in which changes can be applied one by one."""
    paths = [change.path for change in diff(old, new)]
    assert len(set(paths)) == len(paths)
    for at, path in enumerate(paths):
        assert not any(later and path.startswith(later + "/") for later in paths[at + 1 :])


@given(trees(), st.lists(CHANGES, max_size=6))
def test_apply_leaves_the_old_tree_alone(tree: Tree, changes: list[Change]) -> None:
    before = dict(tree)
    try:
        apply(tree, changes)
    except LayerFormatError:
        pass
    assert dict(tree) == before


@given(trees(), st.lists(CHANGES, max_size=6), st.randoms())
def test_whiteouts_act_first_wherever_they_stand(tree: Tree, changes: list[Change], random: object) -> None:
    """R7.8: moving whiteouts and opaques about among the Puts changes nothing."""
    puts = [change for change in changes if isinstance(change, Put)]
    others = [change for change in changes if not isinstance(change, Put)]
    try:
        expected = apply(tree, [*others, *puts])
    except LayerFormatError:
        return
    assert apply(tree, [*puts, *others]) == expected
    assert apply(tree, changes) == expected


@settings(max_examples=200)
@given(trees(), trees())
def test_a_layer_carries_the_change_as_it_is(old: Tree, new: Tree) -> None:
    """changes -> tar -> gzip -> index -> changes, and the law still holds; the index survives its packing."""
    changes = diff(old, new)
    found = index(blob_of(changes, contents_of))
    assert unpack(pack(found)) == found
    assert found.diff_id == Digest.of(b"".join(write(changes, contents_of)))
    assert _comparable(apply(old, found.changes())) == _comparable(new)


def _comparable(tree: Tree) -> dict[str, tuple[object, ...]]:
    """Everything but where the bytes are: an index says at which offset, a diff under which digest."""
    return {
        path: (node.kind, node.mode, node.uid, node.gid, node.size, node.mtime, node.target, node.rdev, node.xattrs)
        for path, node in tree.items()
    }


@given(trees())
def test_no_change_is_the_empty_tar(tree: Tree) -> None:
    """R6.34."""
    assert Digest.of(b"".join(write(diff(tree, tree), contents_of))) == EMPTY_TAR


@given(trees(), st.data())
def test_opaque_is_whiteouts_for_all_there_is(tree: Tree, data: st.DataObject) -> None:
    directories = [path for path, node in tree.items() if node.is_directory]
    path = data.draw(st.sampled_from(directories))
    children = [Whiteout(f"{path}/{name}" if path else name) for name in tree.children(path)]
    assert apply(tree, [Opaque(path)]) == apply(tree, children)
