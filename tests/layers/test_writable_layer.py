"""A container's writable layer on values: the law, Docker's diff against its definition, and what is stored."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from imagelab.layers import writable_layer as snapshot
from imagelab.layers.tree import Draft, Kind, Node, Put, Tree, Whiteout, apply, diff
from imagelab.layers.writable_layer import changes_of, init_layer, init_tree, listed, moved, pack, size_of, unpack
from strategies import trees

INIT = init_layer("abc", 1_480_000_000)


@given(trees(), trees())
def test_stored_changes_give_the_tree_back(old: Tree, new: Tree) -> None:
    """Through bytes and back: what a container is between two commands."""
    assert moved(old, unpack(pack(diff(old, new)))) == new


@given(trees(), trees())
def test_moved_is_apply_where_no_link_is_in_the_way(old: Tree, new: Tree) -> None:
    changes = diff(old, new)
    if not any(node.kind is Kind.SYMLINK for node in old.values()):
        assert moved(old, changes) == apply(old, changes)


def by_definition(old: Tree, new: Tree) -> set[tuple[str, str]]:
    """R6.24-R6.27, read aloud: slowly, path by path, from the two trees."""
    found = set()
    for path, node in new.items():
        before = old.get(path)
        if before is None:
            found.add(("A", path))
        elif (
            (before.kind, before.mode, before.uid, before.gid, before.rdev)
            != (node.kind, node.mode, node.uid, node.gid, node.rdev)
            or not node.is_directory
            and (before.size, before.mtime, before.target) != (node.size, node.mtime, node.target)
        ):
            found.add(("C", path))
    for path in old:
        above = path.rpartition("/")[0]
        still = above in new and new[above].is_directory
        if path not in new and (not above or still):
            found.add(("D", path))
    below = {above for _, path in found for above in parents(path)}
    found |= {("C", path) for path in below if path in old and path in new and ("A", path) not in found}
    return {(kind, f"/{path}") for kind, path in found if path}


def parents(path: str) -> list[str]:
    steps = path.split("/")
    return ["/".join(steps[:at]) for at in range(1, len(steps))]


@given(trees(), trees())
def test_docker_diff_is_what_the_rules_say(old: Tree, new: Tree) -> None:
    rows = listed(old, diff(old, new))
    assert set(rows) == by_definition(old, new)
    assert len(rows) == len(set(rows))
    paths = [path for _, path in rows]
    for kind, path in rows:
        assert all(
            paths.index(f"/{above}") < paths.index(path) for above in parents(path[1:]) if f"/{above}" in paths
        ), kind


@given(trees())
def test_a_container_in_which_nothing_happened_has_no_changes(image: Tree) -> None:
    """R6.29, R6.30: what Docker itself puts there is never shown."""
    start = init_tree(image, INIT)
    assert changes_of(start, start) == ()
    assert listed(start, ()) == []
    if start["etc"].kind is not Kind.DIRECTORY:
        return  # an image whose /etc leads elsewhere
    touched = apply(start, [Put("etc/hosts", Node(Kind.FILE, size=3, content="x")), Put("dev/mine", Node(Kind.FILE))])
    assert listed(start, changes_of(start, touched)) in ([], [("C", "/etc")])


def test_what_is_and_is_not_a_change() -> None:
    """R6.25: a directory's time is none, a file's is; bytes that changed behind size and time are not seen."""
    old = apply(
        Tree.empty(), [Put("d", Node(Kind.DIRECTORY, mtime=1)), Put("f", Node(Kind.FILE, size=1, mtime=1, content="a"))]
    )
    cases = {
        "d": [(replace(old["d"], mtime=2), []), (replace(old["d"], mode=0o700), [("C", "/d")])],
        "f": [
            (replace(old["f"], mtime=2), [("C", "/f")]), (replace(old["f"], content="b"), []), (replace(old["f"], size=2), [("C", "/f")]),
            (replace(old["f"], uid=1), [("C", "/f")]), (Node(Kind.DIRECTORY), [("C", "/f")]),
            (replace(old["f"], xattrs=(("security.capability", b"x"),)), [("C", "/f")]),
            (replace(old["f"], xattrs=(("user.note", b"x"),)), []),
        ],
    }  # fmt: skip
    for path, found in cases.items():
        for node, expected in found:
            new = apply(old, [Put(path, node)])
            assert listed(old, diff(old, new)) == expected


def test_deletions_come_after_their_siblings() -> None:
    """R6.28."""
    old = apply(Tree.empty(), [Put("d/b", Node(Kind.FILE)), Put("z", Node(Kind.FILE))])
    new = apply(old, [Whiteout("d/b"), Put("d/c", Node(Kind.FILE)), Put("y", Node(Kind.FILE)), Whiteout("z")])
    assert listed(old, diff(old, new)) == [("C", "/d"), ("A", "/d/c"), ("D", "/d/b"), ("A", "/y"), ("D", "/z")]


def test_a_file_with_two_names_counts_once() -> None:
    node = Node(Kind.FILE, size=10, content="x", link="a")
    assert size_of([Put("a", node), Put("b", node), Put("c", Node(Kind.FILE, size=5))]) == 15


@given(trees())
def test_a_draft_shares_what_is_not_touched(tree: Tree) -> None:
    draft = Draft(tree)
    assert draft.tree() is tree
    draft.put("new", Node(Kind.FILE))
    after = draft.tree()
    assert after != tree and diff(tree, after)[-1] is not None and "new" in after and "new" not in Tree.empty()
    draft.remove("new")
    if "new" not in tree:
        assert draft.tree() == tree


def test_the_init_layer_has_what_docker_has() -> None:
    start = init_tree(Tree.empty(), INIT)
    assert {path for path in snapshot.NEVER_SHOWN if path in start} >= {
        "etc/hosts",
        "etc/hostname",
        "etc/resolv.conf",
        ".dockerenv",
        "proc",
        "sys",
    }
    assert start["dev/null"].rdev == (1, 3)
    with pytest.raises(KeyError):
        Draft(start).remove("nosuch")
