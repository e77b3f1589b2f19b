"""The log of a pull and faults on demand: what is asked is on it, bad bytes are refused in Docker's words, the next pull succeeds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import panels
from imagelab.app import Lab
from imagelab.classroom.faults import KINDS, Faults
from imagelab.errors import DigestMismatchError, ImageLabError, RegistryError
from imagelab.registry.recording import Exchange, ProgressNote, Recording
from imagelab.state.events import Progress, silent
from imagelab.view.pull_log import pull_log


def test_a_pull_is_a_ladder(lab: Lab) -> None:
    """HEAD for the tag, GET by digest, the config, the layers (R2.24, R2.26)."""
    lab.docker("pull -q nginx")
    found = lab.tape()
    assert found.kinds == ["resolve", "manifest", "config", *["layer"] * 3, *["complete"] * 3, "status"]
    assert [row.number for row in found.rows if row.number] == [1, 2, 3, 4, 5, 6]
    manifest = json.loads(found.requests[1].body)
    asked = [exchange.url.rpartition("/")[2] for exchange in found.requests[2:]]
    assert asked == [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]
    sizes = [row.size for row in found.rows if row.kind in ("config", "layer")]
    assert sizes == [manifest["config"]["size"], *(layer["size"] for layer in manifest["layers"])]
    panels.check(found)


def test_what_is_here_is_not_asked(lab: Lab) -> None:
    """A pull again costs one HEAD (R2.24); a shared layer is noted and not fetched (R2.9)."""
    lab.docker("pull -q nginx")
    lab.docker("pull -q redis")
    found = lab.tape()
    here = [row.entry for row in found.rows if row.kind == "exists"]
    assert len(here) == 1
    assert not any(
        note.id in exchange.url for note in here for exchange in found.requests if isinstance(note, ProgressNote)
    )
    lab.docker("pull -q redis")
    assert lab.tape().kinds == ["resolve", "status"]


def test_an_index_leads_to_a_manifest(lab: Lab) -> None:
    lab.docker("pull -q hello-world")
    assert lab.tape().kinds[:4] == ["resolve", "index", "manifest", "config"]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_happens_once_and_the_pull_after_it_succeeds(lab: Lab, kind: str, lang: str) -> None:
    """R2.18a: the words; and nothing is lost or kept that is not what it says."""
    lab.lang = lang
    lab.upstream.fault(kind, "nginx")
    lab.docker("pull -q redis:alpine")
    assert [fault.kind for fault in lab.upstream.faults] == [kind]  # not redis' concern
    broken = lab.docker("pull nginx")
    found = lab.tape()
    panels.check(found)
    errors = {
        "tamper": "filesystem layer verification failed for digest sha256:",
        "429": "toomanyrequests: You have reached your unauthenticated pull rate limit.",
        "500": "received unexpected HTTP status: 500 Internal Server Error",
    }
    assert (broken.exit_code, found.error != "") == ((1, True) if kind in errors else (0, False))
    assert errors.get(kind, "") in broken.stderr
    assert ("nginx" in lab.docker("images").stdout) == (kind not in errors)
    marks = {"truncate": "resumed", "429": "limited", "500": "broken", "redirect": "redirected", "token": "token"}
    assert kind not in marks or marks[kind] in found.kinds
    assert lab.upstream.faults == ()
    assert lab.docker("pull -q nginx").exit_code == 0
    assert not lab.tape().error


def test_bad_bytes_are_refused_and_named(lab: Lab) -> None:
    lab.upstream.fault("tamper", "nginx")
    with pytest.raises(DigestMismatchError, match="filesystem layer verification failed for digest"):
        lab.pull("nginx")
    assert lab.tape().kinds[-1] == "checking"
    assert "✗" in lab.tape().text
    assert not list((lab.store.directory / "partial").glob("?" * 64))


def test_a_layer_that_broke_off_goes_on_where_it_was(lab: Lab) -> None:
    """R2.26: Range, and only the rest."""
    lab.upstream.fault("truncate", "nginx")
    lab.pull("nginx")
    again = next(row.entry for row in lab.tape().rows if row.kind == "resumed")
    assert isinstance(again, Exchange)
    start = int(dict(again.sent)["Range"].removeprefix("bytes=").removesuffix("-"))
    assert start > 0
    assert again.header("Content-Range") == f"bytes {start}-46078/46079"


def test_five_times_is_too_often(lab: Lab) -> None:
    lab.upstream.fault("truncate", "hello-world", times=5)
    with pytest.raises(RegistryError, match="failed after 5 attempts"):
        lab.pull("hello-world")
    assert lab.pull("hello-world").tags == ["hello-world:latest"]


def test_a_token_stays_with_its_host_and_is_not_on_the_tape(lab: Lab) -> None:
    """R2.23, R2.29: asked for once, sent along, not sent to where a blob is redirected to."""
    lab.upstream.fault("token")
    lab.upstream.fault("redirect", times=9)
    lab.pull("nginx")
    found = lab.tape()
    assert found.kinds[:3] == ["refused", "token", "resolve"]
    elsewhere = [exchange for exchange in found.requests if "//cdn." in exchange.url]
    assert len(elsewhere) == 4
    assert all("Authorization" not in dict(exchange.sent) for exchange in elsewhere)
    at_home = [dict(exchange.sent) for exchange in found.requests[2:] if "//cdn." not in exchange.url]
    assert {sent["Authorization"] for sent in at_home} == {"Bearer …"}
    assert "token" not in found.requests[1].body


def test_slow_bytes_are_the_same_bytes(lab: Lab) -> None:
    lab.upstream.fault("slow")
    assert lab.pull("hello-world").tags == ["hello-world:latest"]


def test_faults_are_kept_in_the_lab_and_can_be_taken_back(lab: Lab) -> None:
    assert (
        lab.docker("upstream fault tamper nginx --times 2").stdout
        == "tamper for nginx, 2 times: the next pull meets it\n"
    )
    assert [(fault.kind, fault.name, fault.times) for fault in lab.upstream.faults] == [("tamper", "library/nginx", 2)]
    lab.docker("upstream heal")
    assert lab.upstream.faults == ()
    assert lab.docker("pull -q nginx").exit_code == 0
    for line in ("upstream fault nothing", "upstream fault tamper --times 0", "upstream fault"):
        assert lab.docker(line).exit_code != 0
    assert "one of truncate, tamper" in lab.docker("upstream fault nothing").stderr


def test_the_first_tape(lab: Lab) -> None:
    with pytest.raises(ImageLabError, match="nothing has been pulled yet"):
        lab.tape()
    lab.docker("pull -q alpine")
    assert lab.docker("tape").stdout == lab.tape().text


def test_a_name_that_is_not_there_is_on_the_tape(lab: Lab) -> None:
    lab.docker("pull nothing")
    assert "unknown" in lab.tape().kinds
    assert "pull access denied" in lab.tape().error


# -- recordings ---------------------------------------------------------------------------------------------

WORDS = st.text("ab/:é\x1b<", max_size=8)
EXCHANGES = st.builds(
    Exchange, st.sampled_from(["GET", "HEAD"]), st.just("http://r.test/v2/x/blobs/sha256:aa"), st.just((("Accept", "a"),)),
    st.sampled_from([200, 206, 307, 401, 404, 429, 500]), WORDS, st.lists(st.tuples(st.just("Content-Length"), st.just("3")), max_size=1).map(tuple),
    st.sampled_from(["", '{"config": {"digest": "sha256:aa"}}', "[1]", "not json", "3"]),
)  # fmt: skip


@given(st.builds(Recording, WORDS, st.lists(EXCHANGES | st.builds(ProgressNote, WORDS, WORDS), max_size=5), WORDS))
def test_a_recording_is_kept_as_it_is_and_shown_whatever_it_holds(recording: Recording) -> None:
    assert Recording.unpack(recording.pack()) == recording
    for lang in ("en", "zh"):
        panels.check(pull_log(recording, lang))


def test_a_countdown_is_one_note() -> None:
    recording = Recording("x")
    note = recording.progress(silent)
    for status in (
        "Retrying in 2 seconds",
        "Retrying in 1 second",
        "Downloading",
        "Pull complete",
        "Retrying in 5 seconds",
    ):
        note(Progress(status, "aa"))
    assert [entry.status for entry in recording.entries] == [
        "Retrying in 2 seconds",
        "Pull complete",
        "Retrying in 5 seconds",
    ]


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(["", "nginx", "redis"]), st.integers(1, 3))))
def test_faults_are_used_up_one_by_one(asked: list[tuple[str, str, int]]) -> None:
    kept: list[list[object]] = []
    faults = Faults(lambda: kept, lambda value: kept.__setitem__(slice(None), value))  # type: ignore[arg-type]
    for kind, name, times in asked:
        faults.add(kind, name, times=times)
    for left in range(sum(times for _, _, times in asked), 0, -1):
        assert sum(fault.times for fault in faults.all()) == left
        first = faults.all()[0]
        assert faults.waiting(first.kind, first.name or "library/nginx")
        faults.use(first.kind, first.name or "library/nginx")
    assert faults.all() == ()
