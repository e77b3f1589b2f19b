"""Which images a listing shows, on values; the real client's prints are compared in `compat`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelab.errors import ImageLabError, ImageNotFoundError, InvalidFilterError, UsageError
from imagelab.state.image_filters import Filters, path_match, select_images, select_prunable
from imagelab.state.model import Image, State
from states import a_state, container, id_of, image

DIGEST = "@sha256:" + "d" * 64
NOW = 10_000 * 1_000_000_000


def lab() -> State:
    """An image of each sort: tagged, parent, intermediate, dangling, kept only by a digest."""
    return a_state(
        image("tagged", "a", names=["ubuntu:16.04", "ubuntu:latest"], created=100, labels={"k": "v", "empty": ""}),
        image("base", "b", names=["nginx:latest"], created=200),
        image("middle", "b", "c", parent="base", created=300),
        image("child", "b", "c", "d", parent="middle", names=["me/app:1"], created=400, labels={"k": "w"}),
        image("lost", "e", created=500),
        image("moved", "f", names=["mongo" + DIGEST], created=600),
    )


def listed(*texts: str, all: bool = False) -> list[str]:
    state = lab()

    def resolve(name: str) -> Image:
        for key in (f"docker.io/library/{name}", f"docker.io/library/{name}:latest"):
            if key in state.references:
                return state.images[state.references[key]]
        raise ImageNotFoundError(f"No such image: {name}")

    words = {id_of(word): word for word in ("tagged", "base", "middle", "child", "lost", "moved")}
    return [words[one.id] for one in select_images(state, Filters.parse(texts), all=all, now=NOW, resolve=resolve)]


def test_what_is_hidden() -> None:
    """R3.3, R3.14, R3.17, R3.18: newest first, intermediates only with -a."""
    assert listed() == ["moved", "lost", "child", "base", "tagged"]
    assert listed(all=True) == ["moved", "lost", "child", "middle", "base", "tagged"]


def test_dangling() -> None:
    """R3.15: no tag and no child; a digest reference does not help. R3.16: false drops what has no name at all."""
    assert listed("dangling=true") == ["moved", "lost"]
    assert listed("dangling=1", "dangling=true") == ["moved", "lost"]
    assert listed("dangling=false") == ["moved", "child", "base", "tagged"]


def test_labels_must_all_hold() -> None:
    """R3.22, R3.23."""
    assert listed("label=k") == ["child", "tagged"]
    assert listed("label=k=v") == listed("label=k", "label=k=v") == ["tagged"]
    assert listed("label=empty=") == ["tagged"]
    assert listed("label=k=v", "label=k=w") == []


def test_before_and_since_go_by_the_build() -> None:
    """R3.24: strictly; an image is not in its own list; the tightest bound counts."""
    assert listed("since=ubuntu:16.04") == ["moved", "lost", "child", "base"]
    assert listed("before=nginx") == ["tagged"]
    assert listed("since=ubuntu:16.04", "since=nginx", "before=nginx") == []
    with pytest.raises(ImageNotFoundError):
        listed("since=nope")


def test_until() -> None:
    """R3.25: created at least so long ago."""
    assert listed("until=9650s") == ["middle", "base", "tagged"][1:]
    with pytest.raises(ImageLabError, match="failed to parse value"):
        listed("until=soon")


def test_references_are_patterns_and_any_will_do() -> None:
    """R3.22, R3.26, R3.28."""
    assert listed("reference=ubuntu") == listed("reference=ubuntu:16.04") == listed("reference=u*") == ["tagged"]
    assert listed("reference=ubuntu", "reference=*/*") == ["child", "tagged"]
    assert listed("reference=ubunt") == listed("reference=library/ubuntu") == []
    assert listed("reference=*", all=True) == ["moved", "base", "tagged"]


@pytest.mark.parametrize(
    ("texts", "error", "text"),
    [
        (["foo=bar"], InvalidFilterError, "invalid filter 'foo'"),
        (["dangling=foo"], InvalidFilterError, "invalid filter 'dangling=[foo]'"),
        (["dangling=true", "dangling=false"], InvalidFilterError, "invalid filter 'dangling=[true false]'"),
        (
            ["foo"],
            UsageError,
            'invalid argument "foo" for "-f, --filter" flag: bad format of filter (expected name=value)',
        ),
        (["reference=["], InvalidFilterError, "syntax error in pattern"),
    ],
)
def test_what_is_refused(texts: list[str], error: type[Exception], text: str) -> None:
    """R3.19-R3.21, R3.27."""
    with pytest.raises(error) as caught:
        listed(*texts)
    assert str(caught.value) == text


def test_keys_are_trimmed_and_lowered_empty_ones_ignored() -> None:
    """R3.19."""
    assert listed(" Dangling = true ", "") == ["moved", "lost"]


def test_what_prune_tries() -> None:
    """R5.20, R5.21."""
    state = lab()

    def tried(*texts: str, all: bool = False) -> set[str]:
        words = {id_of(word): word for word in ("tagged", "base", "middle", "child", "lost", "moved")}
        return {words[one.id] for one in select_prunable(state, Filters.parse(texts), all=all, now=NOW)}

    assert tried() == {"lost", "moved"}
    assert tried(all=True) == tried("dangling=false") == {"tagged", "base", "child", "lost", "moved"}
    assert tried("label=k", all=True) == {"tagged", "child"}
    assert tried("label!=k", all=True) == {"base", "lost", "moved"}
    with pytest.raises(InvalidFilterError, match="more than one until filter specified"):
        tried("until=1h", "until=2h")


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "ubuntu", True), ("*", "me/app", False), ("*/*", "me/app", True), ("*:latest", "ubuntu:latest", True),
        ("ub?ntu", "ubuntu", True), ("?", "/", False), ("[a-z]*", "ubuntu", True), ("[^a-t]*", "ubuntu", True),
        ("[^u]*", "ubuntu", False), ("a\\*b", "a*b", True), ("a\\*b", "axb", False), ("", "", True), ("a", "ab", False),
        ("[z-a]", "m", False), ("[a-c]", "b", True), ("a.c", "abc", False),
    ],
)  # fmt: skip
def test_go_patterns(pattern: str, name: str, matches: bool) -> None:
    """R3.27."""
    assert path_match(pattern, name) is matches


@given(st.text(max_size=12), st.text(max_size=12))
def test_a_pattern_matches_refuses_or_does_not(pattern: str, name: str) -> None:
    try:
        path_match(pattern, name)
    except InvalidFilterError as error:
        assert str(error) == "syntax error in pattern"


def test_a_container_does_not_change_a_listing() -> None:
    state = a_state(image("x", "a"), containers=[container("c", "x")])
    assert [
        one.id
        for one in select_images(state, Filters(), all=False, now=NOW, resolve=lambda name: state.images[id_of("x")])
    ] == [id_of("x")]
