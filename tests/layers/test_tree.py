"""Trees case by case: what replaces what, what is made, what is followed."""

from __future__ import annotations

import pytest

from imagelab.errors import LayerFormatError
from imagelab.layers.tree import MADE, Change, Kind, Node, Opaque, Put, Tree, Whiteout, apply, diff

FILE = Node(Kind.FILE, size=1, content="x")
DIRECTORY = Node(Kind.DIRECTORY, 0o700)


def tree(*changes: Change) -> Tree:
    return apply(Tree.empty(), changes)


def link(target: str) -> Node:
    return Node(Kind.SYMLINK, 0o777, target=target)


def test_missing_parents_are_made() -> None:
    assert dict(tree(Put("a/b/c", FILE))) == {"": MADE, "a": MADE, "a/b": MADE, "a/b/c": FILE}


def test_a_directory_over_a_directory_keeps_its_children() -> None:
    """R7.9."""
    after = apply(tree(Put("a/b", FILE)), [Put("a", DIRECTORY)])
    assert (after["a"], after["a/b"]) == (DIRECTORY, FILE)


def test_a_directory_replaced_by_a_file_drops_its_children() -> None:
    """R7.9; and diff says the file alone."""
    old, new = tree(Put("a/b", FILE)), tree(Put("a", FILE))
    assert list(apply(old, [Put("a", FILE)])) == ["", "a"]
    assert diff(old, new) == (Put("a", FILE),)


def test_a_file_replaced_by_a_directory() -> None:
    old, new = tree(Put("a", FILE)), tree(Put("a/b", FILE))
    assert diff(old, new) == (Put("a", MADE), Put("a/b", FILE))


def test_a_whiteout_hides_everything_under_it() -> None:
    """R7.8."""
    assert list(apply(tree(Put("a/b/c", FILE), Put("a/d", FILE)), [Whiteout("a/b")])) == ["", "a", "a/d"]


def test_a_whiteout_of_nothing_is_nothing() -> None:
    before = tree(Put("a", FILE))
    assert apply(before, [Whiteout("b"), Whiteout("a/b"), Opaque("a"), Opaque("none")]) == before


def test_a_whiteout_and_a_new_directory_of_that_name() -> None:
    """The lower children go, the new ones stay, in either order (R7.8)."""
    before = tree(Put("a/old", FILE))
    for changes in ([Whiteout("a"), Put("a/new", FILE)], [Put("a/new", FILE), Whiteout("a")]):
        assert list(apply(before, changes)) == ["", "a", "a/new"]


def test_opaque_keeps_the_directory_and_what_comes_with_it() -> None:
    before = tree(Put("a", DIRECTORY), Put("a/old", FILE))
    after = apply(before, [Put("a/new", FILE), Opaque("a")])
    assert list(after) == ["", "a", "a/new"]
    assert after["a"] == DIRECTORY


def test_the_later_of_two_entries_wins() -> None:
    other = Node(Kind.FILE, size=2, content="y")
    assert tree(Put("a", FILE), Put("a", other))["a"] == other


def test_a_symlink_in_the_middle_is_followed_inside_the_root() -> None:
    """As extracting would do: `lib -> usr/lib`, and nothing ever leaves the root."""
    before = tree(Put("usr/lib/x", FILE), Put("lib", link("usr/lib")), Put("out", link("../../../usr")))
    after = apply(before, [Put("lib/y", FILE), Put("out/z", FILE), Whiteout("lib/x")])
    assert "usr/lib/y" in after and "usr/z" in after and "usr/lib/x" not in after
    assert after["lib"].kind is Kind.SYMLINK


def test_a_loop_of_symlinks_is_refused() -> None:
    before = tree(Put("a", link("b")), Put("b", link("a")))
    with pytest.raises(LayerFormatError, match="too many levels of symbolic links"):
        apply(before, [Put("a/x", FILE)])


def test_a_symlink_at_the_end_is_replaced_not_followed() -> None:
    after = apply(tree(Put("t", FILE), Put("l", link("t"))), [Put("l", DIRECTORY)])
    assert after["l"] == DIRECTORY and after["t"] == FILE


def test_a_hard_link_is_one_more_name() -> None:
    """Also to a file of a layer below; later changes of the first name do not reach it."""
    before = tree(Put("a", FILE))
    linked = apply(before, [Put("b", Node(Kind.HARDLINK, target="a"))])
    assert linked["b"] == FILE and linked["b"].link == "a"
    after = apply(linked, [Whiteout("a")])
    assert after["b"] == FILE


@pytest.mark.parametrize("target", ["none", "d", "d/none"])
def test_a_hard_link_to_nothing_is_refused(target: str) -> None:
    with pytest.raises(LayerFormatError, match="hard link"):
        apply(tree(Put("d", DIRECTORY)), [Put("b", Node(Kind.HARDLINK, target=target))])


def test_the_root_has_attributes_too() -> None:
    assert apply(Tree.empty(), [Put("", DIRECTORY)])[""] == DIRECTORY


def test_unchanged_directories_are_shared() -> None:
    """What makes a small layer on a large image cheap: nothing of the rest is touched."""
    before = tree(*(Put(f"d{n}/f{m}", FILE) for n in range(50) for m in range(50)))
    after = apply(before, [Put("d0/new", FILE)])
    shared = sum(after._find(f"d{n}") is before._find(f"d{n}") for n in range(50))
    assert shared == 49
