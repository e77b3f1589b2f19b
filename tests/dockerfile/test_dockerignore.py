"""`.dockerignore` (R8.24-R8.26)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelab.dockerfile.ignore import Ignore
from imagelab.errors import ImageLabError


@pytest.mark.parametrize(
    ("text", "ignored", "kept"),
    [
        ("*.md", ["a.md"], ["docs/a.md", "a.mdx"]),
        ("**/*.md", ["a.md", "x/y/a.md"], ["a.txt"]),
        ("docs", ["docs", "docs/a", "docs/a/b"], ["doc", "docs2", "a/docs"]),
        ("/docs/", ["docs", "docs/a"], ["a/docs"]),
        ("docs\n!docs/README.md", ["docs/a"], ["docs/README.md"]),
        ("!a\na", ["a"], []),
        ("a\n!a", [], ["a"]),
        ("*/temp*", ["x/temporary", "x/temp/y"], ["temp", "x/y/temp"]),
        ("temp?", ["tempa"], ["temp", "tempab"]),
        ("[a-c].txt", ["b.txt"], ["d.txt"]),
        ("[^a-c].txt", ["d.txt"], ["b.txt"]),
        ("# a\n  # b", ["# b"], ["# a", "a"]),
        ("\ufeffa", ["a"], []),
        ("./a/../b", ["b"], ["a"]),
        (".", [], ["a"]),
        ("**", ["a", "a/b"], []),
        ("a/**", ["a/b", "a/b/c"], ["a"]),
        ("a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["z"]),
        ("a\\*", ["a*"], ["ab"]),
        ("*\n!*.go", ["a", "x/a"], ["a.go"]),
    ],
)
def test_patterns(text: str, ignored: list[str], kept: list[str]) -> None:
    """R8.24, R8.25."""
    found = Ignore.parse(text)
    assert [path for path in ignored if not found.ignores(path)] == []
    assert [path for path in kept if found.ignores(path)] == []


def test_the_dockerfile_is_always_sent() -> None:
    """R8.26."""
    found = Ignore.parse("**\n").without(["Dockerfile", ".dockerignore"])
    assert not found.ignores("Dockerfile") and not found.ignores(".dockerignore") and found.ignores("x")


@pytest.mark.parametrize("text", ["[a", "a\\", "!"])
def test_bad_patterns(text: str) -> None:
    with pytest.raises(ImageLabError):
        Ignore.parse(text)


PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)
LINES = st.lists(st.builds(lambda mark, path: mark + path, st.sampled_from(["", "!"]), st.one_of(PATHS, st.sampled_from(["*", "**", "*/b", "**/c", "a/**", "?/a"]))), max_size=5)  # fmt: skip


@given(LINES, PATHS)
def test_an_ignored_directory_that_may_be_skipped_holds_nothing_that_is_kept(lines: list[str], path: str) -> None:
    found = Ignore.parse("\n".join(lines))
    for count in range(1, path.count("/") + 1):
        above = "/".join(path.split("/")[:count])
        if found.ignores(above) and found.may_skip(above):
            assert found.ignores(path)


@given(LINES, PATHS)
def test_the_last_matching_line_wins(lines: list[str], path: str) -> None:
    """R8.25: one more line that names the path decides."""
    assert Ignore.parse("\n".join([*lines, path])).ignores(path)
    assert not Ignore.parse("\n".join([*lines, f"!{path}"])).ignores(path)
