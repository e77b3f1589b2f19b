"""Undo is the inverse of doing, and redo the inverse of undo: for any verbs, in any order, as values and as printed."""

from __future__ import annotations

import io
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import imagelab
from imagelab.app import Lab
from imagelab.state.model import State
from imagelab.state.steps import Entry, TimelineError, fingerprint, path_to, read_log, route, write_log
from imagelab.store.store import Store

LINES = [
    "pull hello-world", "pull nginx:1.11", "pull mongo:3.2", "upstream release mongo:3.2", "tag nginx:1.11 web", "tag hello-world web",
    "rmi web", "rmi -f hello-world", "rmi nginx:1.11", "image prune -f", "create --name one nginx:1.11", "run --name two ubuntu:14.04 touch /x",
    "run -d --name three ubuntu:14.04 sleep 1000", "exec three sh -c 'date >> /log'", "exec three rm -rf /etc", "commit one made:1",
    "commit two made:2", "commit three", "rm one", "rm -f three", "rename two one", "stop -t 0 three", "start three", "run --rm ubuntu:14.04 true",
    "container prune -f", "rmi made:2", "pause three", "unpause three", "rm nothing", "restart -t 0 three",
]  # fmt: skip
BUILDS = {
    "build -t built -": "FROM ubuntu:14.04\nENV A=b\nRUN echo one > /one\nRUN true\n",
    "build -t built --no-cache -": "FROM ubuntu:14.04\nENV A=b\nRUN date > /now\n",
    "build -t other --rm=false -": "FROM ubuntu:14.04\nENV A=b\nRUN echo one > /one\nRUN exit 3\n",
}
"""Command line -> the Dockerfile it reads from standard input."""


def tar_of(name: str, data: bytes) -> str:
    """An archive of one file, as text that a command line is given."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return file.getvalue().decode("utf-8", "surrogateescape")


TYPED = BUILDS | {
    "exec -i three sh -c 'cat > /in'": "typed\r\n\udcff\n", "cp - three:/tmp": tar_of("copied", b"\xff\r\n"), "cp - one:/etc": tar_of("passwd", b""),
    "import - imported": tar_of("file", b"imported"), "load": "this is no archive", "exec -it three sh": "cd /tmp\ntouch seen\nexit 3\n",
}  # fmt: skip
"""Command line -> what it reads from standard input."""
LINES += [*TYPED, "rmi imported", "rmi built", "images -q"]
LISTINGS = ["images -a --no-trunc --digests", "ps -a -s --no-trunc", "images", "system df -v"]


def shown(lab: Lab) -> list[str]:
    """What every listing prints, in every era."""
    return [lab.docker(f"--era={era} {line}").stdout for era in ("1.13", "28", "29") for line in LISTINGS]


def make(folder: Path) -> Lab:
    return imagelab.connect(folder, clock="class", environ={}, in_process=True)


def assert_as_read_afresh(lab: Lab) -> None:
    """What was kept up to date row by row is what another process reads."""
    with Store.open(lab.store.directory) as other:
        fresh, kept = other.state(), lab.store.state()
    assert kept == fresh
    for name in ("images", "references", "layers", "containers"):
        assert list(getattr(kept, name)) == list(getattr(fresh, name)), name


lines = st.lists(st.sampled_from(LINES), min_size=1, max_size=12)
a_law = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@a_law
@given(lines)
def test_undo_gives_the_former_state_and_redo_brings_it_back(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    with closing(make(tmp_path_factory.mktemp("lab"))) as lab:
        undone_and_redone(lab, lines)


def undone_and_redone(lab: Lab, lines: list[str]) -> None:
    states: list[tuple[State, list[str]]] = [(lab.state, shown(lab))]
    for line in lines:
        before, position = lab.state, lab.timeline.position
        lab.docker(line, stdin=TYPED.get(line, ""))
        steps = lab.timeline.position - position
        assert steps in (0, 1) and (steps == 1 or lab.state == before), line  # a no-op is not a step
        assert_as_read_afresh(lab)
        if steps:
            states.append((lab.state, shown(lab)))
    last = len(states) - 1
    for number in (*range(last - 1, -1, -1), *range(1, last + 1)):
        lab.undo() if number < lab.timeline.position else lab.redo()
        assert lab.timeline.position == number
        assert lab.state == states[number][0] == lab.timeline.state(number)
        assert shown(lab) == states[number][1]
        assert_as_read_afresh(lab)
    if last:
        lab.undo(last)
        assert lab.state == states[0][0]
        lab.redo(last)
        assert (lab.state, shown(lab)) == states[last]
    assert lab.engine.doctor() == []
    before = shown(lab)
    lab.engine.gc()
    assert shown(lab) == before and lab.engine.doctor() == []
    lab.engine.gc(keep=0)
    assert shown(lab) == before and lab.engine.doctor() == [] and len(lab.steps()) == 0


@a_law
@given(lines)
@example(["pull ubuntu:14.04", "run --rm ubuntu:14.04 true", "run --name two ubuntu:14.04 touch /x"])
def test_a_replayed_log_gives_the_same_lab(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("labs")
    with closing(make(folder / "one")) as one, closing(make(folder / "two")) as two:
        for line in lines:
            one.docker(line, stdin=TYPED.get(line, ""))
        log = one.docker("steps --format json").stdout
        (folder / "log").write_text(log, encoding="utf-8")
        result = two.docker(["replay", str(folder / "log")])
        assert (result.exit_code, result.stderr) == (0, "")
        assert fingerprint(two.state) == fingerprint(one.state)
        assert two.docker("steps --format json").stdout == log


@given(st.lists(st.integers(0, 1 << 30), max_size=30), st.data())
def test_a_route_goes_up_and_then_down(choices: list[int], data: st.DataObject) -> None:
    """In any tree: undoing one part and doing the other again leads from one path to the other."""
    parents: dict[int, int] = {}
    for number, choice in enumerate(choices, 1):
        parents[number] = choice % number
    start, end = (data.draw(st.sampled_from([0, *parents])) for _ in range(2))
    up, down = route(parents, start, end)
    path = path_to(parents, start)
    assert up == path[len(path) - len(up) :][::-1]
    assert path[: len(path) - len(up)] + down == path_to(parents, end)
    assert not set(up) & set(down)


entries = st.lists(
    st.builds(
        Entry, st.lists(st.text(st.characters(codec="utf-8")), max_size=4).map(tuple), st.dictionaries(st.text("abc"), st.binary(), max_size=2),
        st.integers(0, 255), st.none(),
    ),
    max_size=4,
)  # fmt: skip


@given(entries)
def test_a_log_is_read_as_it_was_written(entries: list[Entry]) -> None:
    assert read_log(write_log(entries)) == entries


@given(entries.filter(bool), st.data())
def test_a_damaged_log_is_refused(entries: list[Entry], data: st.DataObject) -> None:
    """Any line but the last, changed, left out or moved, is noticed by the one after it."""
    log = list(write_log(entries))
    at = data.draw(st.integers(0, len(log) - 2))
    spoilt = data.draw(
        st.sampled_from(
            [[*log[:at], *log[at + 1 :]], [*log[:at], log[at] + " ", *log[at + 1 :]], [*log[:at], "{", *log[at + 1 :]]]
        )
    )
    if spoilt[at].endswith(" "):
        spoilt[at] = log[at].replace("{", '{"more": 1, ', 1)
    with pytest.raises(TimelineError, match="log"):
        read_log(spoilt)
