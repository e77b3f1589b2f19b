"""The stepper: every step with its command, its differences, its listings and the files that moved; complete without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

import imagelab
from imagelab.app import Lab
from imagelab.layers.tree import Put, Tree, Whiteout, apply, diff
from imagelab.layers.writable_layer import listed
from imagelab.view.html_table import tables
from imagelab.view.messages import LANGUAGES
from imagelab.view.stepper.overlay import overlay
from imagelab.view.stepper.widget import MOST_FILES, chosen, differences, event_text
from strategies import trees

HELLO = "echo '<h1>Hello, Docker!</h1>' > /usr/share/nginx/html/index.html"


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Lab]:
    """The commit walk: run, exec, commit, run what was committed."""
    lab = imagelab.connect(tmp_path / "lab", clock="class", environ={}, in_process=True)
    for line in ("pull nginx", "run --name webserver -d nginx"):
        assert lab.docker(line).exit_code == 0
    assert lab.docker(["exec", "webserver", "sh", "-c", HELLO]).exit_code == 0
    for line in ("commit webserver nginx:v2", "run --name web2 -d nginx:v2", "rm -f webserver"):
        assert lab.docker(line).exit_code == 0
    yield lab
    lab.close()


def test_every_step_has_its_command_and_its_differences(walk: Lab) -> None:
    frames = walk.stepper().frames
    assert [frame.command.split(" ")[1] for frame in frames] == ["pull", "run", "exec", "commit", "run", "rm"]
    assert [len(differences(frame.graph)) for frame in frames] == [5, 1, 0, 3, 1, 1]
    assert any(text.startswith("tag nginx:v2  [new]") for text in differences(frames[3].graph))
    assert differences(frames[5].graph)[0].endswith("[gone]")
    for frame in frames:
        assert frame.graph.things
        assert all(event_text(event).split()[0] in ("image", "container") for event in frame.events)


def test_one_sees_which_layer_holds_what(walk: Lab) -> None:
    """The file is in lower; exec copies it up; commit makes the upper layer an image's; in web2 it is lower's."""
    frames = walk.stepper().frames
    page = "/usr/share/nginx/html/index.html"
    (written,) = frames[2].overlays
    row = next(row for row in written.rows if row.path == page)
    assert (row.kind, row.lower, row.merged, row.moved) == ("C", True, True, True)
    (committed,) = frames[3].overlays
    assert not any(row.moved for row in committed.rows)
    image = walk.state.images[walk.image("nginx:v2").id]
    assert (committed.layer, committed.image) == (image.layers[-1].short, image.id.short)
    (second,) = frames[4].overlays
    assert second.container == "web2" and page not in [row.path for row in second.rows]


def test_the_listings_differ_in_what_the_step_did_and_in_nothing_else(walk: Lab) -> None:
    images, containers = walk.stepper().frames[3].listings
    new = set(tables(images.after)[0].rows) - set(tables(images.before)[0].rows)
    assert [row[:2] for row in new] == [("nginx", "v2")]
    assert containers.before == containers.after
    assert walk.stepper().frames[-1].listings[0].after.splitlines()[0] == walk.docker("images").stdout.splitlines()[0]


def test_what_was_undone_is_shown_and_said(walk: Lab) -> None:
    walk.undo(2)
    shown = walk.stepper()
    assert [frame.ahead for frame in shown.frames] == [False] * 4 + [True] * 2
    assert shown.start == 3
    assert "undone; redo brings it back" in shown.text_of(5)


def test_a_failed_command_says_so(walk: Lab) -> None:
    walk.docker(["exec", "web2", "sh", "-c", "echo x > /x; exit 3"])
    assert "exit code 3" in walk.stepper().text_of(6)


def test_nothing_done_is_a_sentence(lab: Lab) -> None:
    assert lab.stepper().text == "Nothing has been done yet: there are no steps.\n"
    assert "Nothing has been done yet" in lab.stepper().html


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_a_script_everything_is_there(walk: Lab, lang: str) -> None:
    walk.lang = lang
    shown = walk.stepper()
    html = re.sub(r"<script>.*?</script>", "", shown.html, flags=re.S)
    assert html.count("<details") == html.count("<summary") == html.count("<img ") == len(shown.frames)
    assert html.count("<details open>") == 1
    assert not re.search(r'(src|href)="(?!data:)', html)
    for frame in shown.frames:
        assert f'<li data-step="{frame.number}">' in html


def test_the_text_says_what_the_page_says(walk: Lab) -> None:
    shown = walk.stepper()
    for at, frame in enumerate(shown.frames):
        text = shown.text_of(at)
        assert frame.command in text
        assert all(row.path in text for stack in frame.overlays for row in chosen(stack.rows)[0])
        assert all(row.path in shown.html for stack in frame.overlays for row in chosen(stack.rows)[0])


def test_the_same_steps_are_the_same_bytes(walk: Lab) -> None:
    assert walk.stepper().html == walk.stepper().html


def test_a_command_cannot_break_out_of_the_page(walk: Lab) -> None:
    walk.docker(["exec", "web2", "sh", "-c", "echo > '/</script><script>alert(1)</script>'"])
    assert walk.stepper().html.count("<script>") == 1


def test_an_image_that_is_gone_leaves_the_steps_readable(walk: Lab) -> None:
    walk.docker("rm -f web2")
    walk.docker("rmi nginx:v2 nginx")
    shown = walk.stepper()
    assert len(shown.frames) == 8
    assert "docker rmi nginx:v2 nginx" in shown.text


def test_since_counts_back_along_the_timeline(walk: Lab) -> None:
    marks = {thing.key: thing.marks for thing in walk.graph(since=-3).graph.things}
    assert "new" in marks["tag:nginx:v2"]
    assert "gone" in next(
        marks[key] for key, thing in walk.graph(since=-3).graph.by_key.items() if thing.title == "webserver"
    )
    assert "[new]" in walk.docker("graph --since 0").stdout
    assert str(walk.graph(since=-99)) == str(walk.graph(since=0))
    assert "gone" in walk.docker(["graph", "--since", "-1"]).stdout
    assert "there is no step 99" in walk.docker("graph --since 99").stderr


# -- the stack of a container -------------------------------------------------------------------------------


@given(trees(), trees())
def test_lower_and_upper_give_merged(lower: Tree, merged: Tree) -> None:
    changes = tuple(diff(lower, merged))
    assert apply(lower, changes) == merged
    stack = overlay("c", lower, changes, ())
    assert [(row.kind, row.path) for row in stack.rows] == listed(lower, changes)
    for row in stack.rows:
        path = row.path[1:]
        assert row.lower == (path in lower)
        assert row.merged == (path in merged)


def test_what_moved_is_what_differs_from_the_step_before() -> None:
    one = Tree.empty()
    node = apply(one, [])[""]
    first, second = (Put("a", node), Put("b", node)), (Put("a", node), Put("c", node), Whiteout("d"))
    assert {row.path for row in overlay("c", one, second, first).rows if row.moved} == {"/c", "/d"}


def test_of_many_files_those_that_moved_are_shown() -> None:
    one = Tree.empty()
    node = one[""]
    before = tuple(Put(f"f{n:02}", node) for n in range(30))
    rows, left_out = chosen(overlay("c", one, (*before, Put("z", node)), before).rows)
    assert len(rows) == MOST_FILES and left_out == 31 - MOST_FILES
    assert "/z" in [row.path for row in rows]
