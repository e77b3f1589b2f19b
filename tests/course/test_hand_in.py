"""Whatever a learner hands in is values or one sentence: no traceback, no line that forges a report, no file but its own."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagelab.course.catalog import by_lesson, lessons_folder
from imagelab.course.collect import Found, Refused, collect, learner
from imagelab.course.grading import lesson_of
from imagelab.course.hand_in import HandInError, hand_in, parse_log, parse_notebook, parse_records, read_file
from imagelab.course.printable import printable
from imagelab.course.roster import Learner, matched, parse_roster
from imagelab.oci.digest import Digest
from imagelab.state.steps import Entry, write_log

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
RECORD = st.fixed_dictionaries({}, optional={"log": JSON | st.lists(st.text()), "attempts": JSON, "solved": JSON})
PROGRESS = st.fixed_dictionaries(
    {"version": st.integers(-1, 2), "exercises": st.dictionaries(st.text(), RECORD | JSON)}
)
CELL = st.fixed_dictionaries({}, optional={"cell_type": st.just("code") | JSON, "source": st.text() | JSON})
NOTEBOOK = st.fixed_dictionaries({"cells": st.lists(CELL | JSON)}, optional={"metadata": JSON})


def tried(read: Callable[[bytes], object], data: bytes) -> None:
    """A value, or one sentence."""
    try:
        read(data)
    except HandInError as error:
        assert "\n" not in str(error) and str(error)


@settings(max_examples=200)
@given(data=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_hand_in_or_a_sentence(data: bytes) -> None:
    for read in (parse_notebook, parse_records, parse_roster, hand_in, lambda data: hand_in(None, data)):
        tried(read, data)


@settings(max_examples=200)
@given(notebook=NOTEBOOK, progress=PROGRESS)
def test_any_shape_is_a_hand_in_or_a_sentence(notebook: object, progress: object) -> None:
    encoded = [json.dumps(one).encode() for one in (notebook, progress)]
    try:
        found = hand_in(*encoded)
    except HandInError:
        return
    assert all(isinstance(source, str) for source in found.cells.sources)
    assert all(log.entries == () or log.problem == "" for log in found.logs.values())


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xff\xfe{}", "not UTF-8"), (b"[" * 200_000, "nested too deeply"), (b'{"cells": ' * 5000, "nested too deeply"),
        (b'{"cells": [], "x": Infinity}', "not JSON"), (b'{"cells": [], "x": NaN}', "not JSON"), (b"1e999", "not JSON"),
        (b"9" * 5000, "not JSON"), (b"[]", "no list of cells"), (b'{"cells": {}}', "no list of cells"), (b"", "not JSON"),
        (b" " * 20_000_001, "larger than 20 MB"),
    ],
    ids=["utf-16", "deep", "deep objects", "Infinity", "NaN", "1e999", "huge int", "list", "cells", "empty", "large"],
)  # fmt: skip
def test_what_is_no_notebook_is_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(HandInError, match=sentence):
        parse_notebook(data)


def entry(*command: str) -> Entry:
    return Entry(command, {}, 0, Digest.of(b""))


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (write_log([entry("pull", "a\0b")]), r"cannot be typed: docker pull a\\x00b"),
        (['{"imagelab": 1}', "[" * 100_000], "not JSON"),
        (['{"imagelab": 1}', '{"exit_code": Infinity}'], "does not follow"),
        (["\ud800"], "not JSON"),
        (['{"imagelab": 1, "x": "\ud800"}', "{}"], "not text"),
        (["x"] * 3000, "more than 2000 lines"),
        (['{"imagelab": 7}'], "not a log"),
    ],
    ids=["NUL", "deep", "Infinity", "half a character", "half in a chain", "long", "version"],
)
def test_a_log_that_is_none_is_a_sentence(lines: list[str], sentence: str) -> None:
    import re

    assert re.search(sentence, parse_log(tuple(lines)).problem)


def test_a_bad_record_costs_its_exercise_only() -> None:
    log = list(write_log([entry("pull", "nginx")]))
    records = {"a": {"log": log}, "b": {"log": 7}, "c": [], "d": {"log": log[1:]}, "e": {}}
    found = parse_records(json.dumps({"version": 1, "exercises": records}).encode())
    assert [(name, bool(one.entries), bool(one.problem)) for name, one in found.items()] == [
        ("a", True, False), ("b", False, True), ("c", False, True), ("d", False, True), ("e", False, False),
    ]  # fmt: skip


def test_a_bad_progress_file_costs_the_log_only() -> None:
    found = hand_in(b'{"cells": []}', b"\xff")
    assert found.problems == ("the progress file is not UTF-8 text",) and not found.logs


# -- names --------------------------------------------------------------------------------------------------------


@given(st.text(alphabet=st.characters(), max_size=50))
def test_what_is_printed_is_one_line_that_anybody_can_see(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in shown)


def test_escapes_are_shown() -> None:
    forged = "x\n[x] sweep  4 of 4\x1b[2J\u202eevil\u2066\ud800"
    assert printable(forged) == r"x\x0a[x] sweep  4 of 4\x1b[2J\u202eevil\u2066\ud800"
    assert printable("李雷 é") == "李雷 é"


# -- files --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="no links and pipes without rights")
def test_links_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}", encoding="utf-8")
    folder = tmp_path / "in" / "ann"
    folder.mkdir(parents=True)
    (folder / "link.ipynb").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe.ipynb")
    (folder / "tree").symlink_to("/")
    for name in ("link.ipynb", "pipe.ipynb"):
        with pytest.raises(HandInError, match="link|ordinary"):
            read_file(folder / name)
    with pytest.raises(HandInError, match="ordinary"):
        read_file(Path("/dev/zero"))
    found, refused = collect(tmp_path / "in")
    assert found == [] and len(refused) == 3 and {one.learner for one in refused} == {"ann"}


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "x.ipynb"
    with file.open("wb") as opened:
        opened.truncate(50_000_000)
    with pytest.raises(HandInError, match="larger than 20 MB"):
        read_file(file)


def zipped(file: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file


def test_a_zip_writes_nothing_and_reads_nothing_else(tmp_path: Path) -> None:
    entries = {
        "../../out.ipynb": b"{}",
        "/etc/x.ipynb": b"{}",
        "C:\\x.ipynb": b"{}",
        "ann/x.ipynb": b"{}",
        "bob/x.ipynb": b"{}",
    }
    link = zipfile.ZipInfo("ann/y.ipynb")
    link.external_attr = 0o120777 << 16
    file = zipped(tmp_path / "all.zip", entries)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    found, refused = collect(file)
    assert [str(one.path) for one in found] == ["ann/x.ipynb", "bob/x.ipynb"] and len(refused) == 4
    assert all(
        isinstance(one, Refused) and "leads out" in one.sentence or "ordinary" in one.sentence for one in refused
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.zip"]


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06", b"PK\x03\x04" * 20], ids=["empty", "cut", "noise"])
def test_a_zip_that_is_none_is_a_sentence(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(HandInError, match="not a ZIP"):
        collect(tmp_path / "x.zip")


def test_a_bomb_in_a_zip_is_refused(tmp_path: Path) -> None:
    found, _ = collect(zipped(tmp_path / "x.zip", {"ann/x.ipynb": b" " * 30_000_000}))
    assert found[0].notebook is not None
    with pytest.raises(HandInError, match="larger than 20 MB"):
        found[0].notebook.read()


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("Ann Lee_123_assignsubmission_file/x.ipynb", "Ann Lee"), ("Ann Lee_123_assignsubmission_file_02-x.ipynb", "Ann Lee"),
        ("ann/02-listing-images/x.ipynb", "ann"), ("ann/x.ipynb", "ann"), ("ann_02-listing-images.ipynb", "ann"),
        ("02-listing-images_李雷.ipynb", "李雷"), ("ann/zh/02-listing-images.ipynb", "ann"),
    ],
)  # fmt: skip
def test_whose_it_is(path: str, who: str) -> None:
    assert learner(PurePosixPath(path)) == who


def test_folders_round_all_of_it_are_nobodys(tmp_path: Path) -> None:
    entries = {f"class/submitted/{name}/02-listing-images/x.ipynb": b"{}" for name in ("ann", "bob")}
    found, _ = collect(zipped(tmp_path / "all.zip", entries))
    assert [one.learner for one in found] == ["ann", "bob"]
    (tmp_path / "one" / "submitted" / "ann" / "02-listing-images").mkdir(parents=True)
    (tmp_path / "one" / "submitted" / "ann" / "02-listing-images" / "x.ipynb").write_bytes(b"{}")
    found, _ = collect(tmp_path / "one")
    assert [one.learner for one in found] == ["ann"]


def test_the_progress_that_is_nearest_goes_with_a_notebook(tmp_path: Path) -> None:
    entries = {
        "ann/zh/02-x.ipynb": b"{}",
        "ann/imagelab-progress.json": b"{}",
        "bob/imagelab-progress.json": b"{}",
        "cat/02-x.ipynb": b"{}",
    }
    found, _ = collect(zipped(tmp_path / "all.zip", entries))
    pairs = [(one.learner, isinstance(one.notebook, Found), one.progress and str(one.progress.path)) for one in found]
    assert pairs == [
        ("ann", True, "ann/imagelab-progress.json"), ("cat", True, None), ("bob", False, "bob/imagelab-progress.json"),
    ]  # fmt: skip


# -- lessons and rosters ------------------------------------------------------------------------------------------


def test_a_notebook_is_the_lesson_that_its_name_says() -> None:
    lessons = by_lesson(lessons_folder())
    claims = hand_in(json.dumps({"cells": [], "metadata": {"imagelab": {"lesson": "00-welcome"}}}).encode())
    assert lesson_of(PurePosixPath("ann/02-listing-images (1).ipynb"), claims, lessons) == "02-listing-images"
    assert lesson_of(PurePosixPath("ann/02-listing-images/x.ipynb"), claims, lessons) == "02-listing-images"
    assert lesson_of(PurePosixPath("x.ipynb"), claims, lessons) == "00-welcome"
    opens = hand_in(json.dumps({"cells": [{"cell_type": "code", "source": "lab.exercise('sweep')"}]}).encode())
    assert lesson_of(PurePosixPath("x.ipynb"), opens, lessons) == "02-listing-images"
    with pytest.raises(HandInError, match="no lesson"):
        lesson_of(PurePosixPath("x.ipynb"), hand_in(b'{"cells": []}'), lessons)


@pytest.mark.parametrize(
    "text",
    [
        "id,name,email\n7,Ann Lee,al@x.org",
        "Email;Surname;First name;ID\nal@x.org;Lee;Ann;7",
        "姓名\t学号\t邮箱\nAnn Lee\t7\tal@x.org",
    ],
)
def test_a_roster_has_any_of_its_columns(text: str) -> None:
    found = parse_roster(text.encode())
    assert found == [Learner("7", "Ann Lee", "al@x.org")]
    assert [matched(folder, found) for folder in ("ann_lee", "7", "al", "bob")] == [*found * 3, None]


@pytest.mark.parametrize("data", [b"\xff", b"a,b\n1,2", b"", b'id\n"x'], ids=["utf-8", "columns", "empty", "quote"])
def test_a_roster_that_is_none_is_a_sentence(data: bytes) -> None:
    with pytest.raises(HandInError, match="roster"):
        parse_roster(data)
