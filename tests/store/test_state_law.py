"""The State that is kept with a connection is the one that another process would read, whoever has written what."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import imagelab
from imagelab.app import Lab
from imagelab.state.sorted_map import SortedMap
from imagelab.store.store import Store

LINES = [
    "pull hello-world", "pull nginx:1.11", "tag nginx:1.11 web", "tag nginx:1.11 web:2", "tag hello-world web", "rmi web", "rmi -f hello-world",
    "rmi web:2", "image prune -f", "image prune -af", "create --name one nginx:1.11", "create --name two hello-world", "rm one", "rm two",
    "rename two one", "commit one made:1", "commit one", "rmi made:1", "rmi nothing", "container prune -f", "undo", "undo 2", "redo", "redo 2",
    "gc", "gc --keep 0",
]  # fmt: skip
DOCKERFILE = "FROM nginx:1.11\nLABEL a=b\nENV C=d\n"
LINES += ["build -t built -", "build --no-cache -t built -", "rmi built"]
BROKEN = "a transaction that fails"
ELSEWHERE = ["tag nginx:1.11 other", "rmi other", "undo"]
"""What another process does."""


def broken(lab: Lab) -> None:
    """Names are put and the state is read, and then all of it is taken back."""
    before = lab.store.state()
    with pytest.raises(KeyError), lab.store.transaction() as tx:
        for image_id in before.images:
            tx.tag("docker.io/library/never:1", image_id, 1)
        assert len(tx.state.references) == len(before.references) + bool(before.images)
        raise KeyError
    assert lab.store.state() is before


def do(lab: Lab, line: str) -> None:
    if line == BROKEN:
        broken(lab)
    else:
        lab.docker(line, stdin=DOCKERFILE if line.startswith("build") else "")


def assert_as_read_afresh(lab: Lab) -> None:
    with Store.open(lab.store.directory) as other:
        fresh, kept = other.state(), lab.store.state()
        assert kept == fresh and lab.store.state() is kept
        for name in ("images", "references", "layers", "containers"):
            assert list(getattr(kept, name)) == list(getattr(fresh, name)), name
        for image_id in fresh.images:  # what is worked out of a state and carried on to the next
            assert kept.names(image_id) == fresh.names(image_id)
            assert kept.children(image_id) == fresh.children(image_id)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from([*LINES, BROKEN])), min_size=1, max_size=14))
def test_two_connections_keep_what_a_third_reads(
    tmp_path_factory: pytest.TempPathFactory, done: list[tuple[int, str]]
) -> None:
    folder = tmp_path_factory.mktemp("lab")
    with (
        closing(imagelab.connect(folder, clock="class", environ={}, in_process=True)) as one,
        closing(imagelab.connect(folder, clock="class", environ={}, in_process=True)) as two,
    ):
        one.docker("pull nginx:1.11")
        for which, line in done:
            do((one, two)[which], line)
            assert_as_read_afresh(one)
            assert_as_read_afresh(two)
        assert one.engine.doctor() == []


def test_what_another_process_does_is_seen(tmp_path: Path) -> None:
    with closing(imagelab.connect(tmp_path, environ={}, in_process=True)) as lab:
        lab.docker("pull nginx:1.11")
        for line in ELSEWHERE:
            before = lab.store.state()
            words = [sys.executable, "-m", "imagelab", "--lab", str(tmp_path), *line.split()]
            subprocess.run(words, check=True, capture_output=True)
            assert lab.store.state() != before
            lab.docker("tag nginx:1.11 mine")
            assert_as_read_afresh(lab)


words = st.text("abcdefgh", min_size=1, max_size=3)


@given(
    st.dictionaries(words, st.integers(), max_size=300),
    st.lists(st.dictionaries(words, st.none() | st.integers(), max_size=90), max_size=6),
)
def test_a_changed_map_is_what_a_dictionary_would_be(first: dict[str, int], steps: list[dict[str, int | None]]) -> None:
    now, found = first, SortedMap(first)
    for changes in steps:
        before, former = dict(now), found
        now = {key: value for key, value in {**now, **changes}.items() if value is not None}
        found = found.changed(changes)
        assert found == now and len(found) == len(now) and dict(former) == before
        assert list(found) == sorted(now) and list(found.items()) == sorted(now.items())
        assert list(found.values()) == [now[key] for key in sorted(now)]
        assert all(found[key] == now[key] for key in now) and not any(key in found for key in {*before} - {*now})


def test_a_map_grows_and_shrinks_one_key_at_a_time() -> None:
    """As a lab does: parts are cut in two, and go when they are empty."""
    found: SortedMap[str, int] = SortedMap()
    for number in range(1000):
        found = found.changed({f"{number * 7919 % 1000:04}": number})
    assert list(found) == [f"{number:04}" for number in range(1000)]
    for number in range(1000):
        found = found.changed({f"{number * 7919 % 1000:04}": None})
    assert dict(found) == {} and "0001" not in found
