"""Diff with causes: Docker's lines and no others, each with the step that made it, and the commit that leaves some out."""

from __future__ import annotations

import shlex
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import imagelab
import panels
from imagelab.app import Lab
from imagelab.engine.commit import with_parents
from imagelab.lab.results.containers import LabContainer
from imagelab.layers.tree import Opaque, Put, Tree, Whiteout
from imagelab.layers.writable_layer import changes_of, listed
from imagelab.view.diff_causes.model import DiffCauses, diff_causes, entry_of
from strategies import contents_of, files, trees


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = imagelab.connect(tmp_path / "lab", clock="class", environ={}, in_process=True)
    yield lab
    assert lab.engine.doctor() == []
    lab.close()


@pytest.fixture
def web(lab: Lab) -> LabContainer:
    """The book's commit walk, with a file that is gone and one that only has another mode."""
    lab.docker("run --name web -d nginx")
    lab.docker("exec -it web bash", stdin="echo '<h1>Hello, Docker!</h1>' > /usr/share/nginx/html/index.html\nexit\n")
    lab.docker("exec web rm /etc/nginx/version")
    lab.docker("exec web sh -c 'echo 1 > /srv/notes; chmod 600 /etc/passwd'")
    lab.docker("exec web sh -c 'echo 2 >> /srv/notes'")
    return lab.container("web")


def lines(found: DiffCauses, path: str) -> list[str]:
    return [line for _, line in found.row(path).causes]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_line_of_docker_diff_and_its_cause(web: LabContainer, lang: str) -> None:
    web.lab.lang = lang
    found = web.causes()
    assert [(row.kind, row.path) for row in found.rows] == list(web.diff())
    assert lines(found, "/usr/share/nginx/html/index.html") == ["docker exec -it web bash"]
    assert lines(found, "/root/.bash_history") == ["docker exec -it web bash"]
    assert lines(found, "/run/nginx.pid") == ["docker run --name web -d nginx"]
    assert lines(found, "/etc/nginx/version") == ["docker exec web rm /etc/nginx/version"]
    first, second = (
        "docker exec web sh -c 'echo 1 > /srv/notes; chmod 600 /etc/passwd'",
        "docker exec web sh -c 'echo 2 >> /srv/notes'",
    )
    assert lines(found, "/srv/notes") == [first, second]
    assert not found.row("/usr/share").own
    assert found.row("/etc/passwd").same_bytes
    panels.check(found)


def test_bytes_before_and_after(web: LabContainer) -> None:
    found = web.causes()
    assert found.row("/srv/notes").difference == ("@@ -0,0 +1,2 @@", "+1", "+2")
    page = found.row("/usr/share/nginx/html/index.html").difference
    assert "-<h1>Welcome to nginx!</h1>" in page
    assert page[-1] == "+<h1>Hello, Docker!</h1>"
    assert found.row("/etc/nginx/version").difference[-1].startswith("-1.11")
    web.exec("printf '\\0\\1' > /srv/binary")
    assert web.causes().row("/srv/binary").difference[0].startswith("+00000000  00 01")


def test_entries_are_those_the_commit_writes(web: LabContainer) -> None:
    """Name, kind, mode, owner and size of each line are those that Python's tarfile finds in the layer."""
    found = web.causes()
    image = web.commit("mine")
    lab = web.lab
    blob = lab.store.blobs.file(lab.state.layers[image.layers[-1]].blob)
    with tarfile.open(blob) as tar:
        members = {member.name: member for member in tar.getmembers()}
    assert len(members) == found.entries
    for row in found.rows:
        name = row.entry.partition(" -> ")[0].rpartition(" ")[2].rstrip("/")
        member = members[name]
        mode, owner, size = row.entry.split()[:3]
        assert (owner, int(size)) == (f"{member.uid}:{member.gid}", member.size)
        assert (mode[0] == "d") == member.isdir()


def test_noise_is_left_out_by_the_lines_that_are_shown(web: LabContainer) -> None:
    found = web.causes()
    assert {row.path for row in found.rows if row.noise} >= {
        "/root/.bash_history",
        "/run/nginx.pid",
        "/var/cache/nginx/client_temp",
    }
    assert not found.row("/srv/notes").noise
    remove, commit = found.commands(target="mine")
    assert shlex.split(remove)[:5] == ["docker", "exec", "web", "rm", "-rf"]
    for line in (remove, commit):
        assert web.lab.docker(line).exit_code == 0
    again = web.causes()
    assert not [row for row in again.rows if row.noise]
    assert again.commands() == ("docker commit web",)
    assert "root/.bash_history" not in web.lab.image("mine").tree
    panels.check(again)


def test_undo_takes_the_cause_back(web: LabContainer) -> None:
    web.lab.undo()
    found = web.causes()
    assert len(lines(found, "/srv/notes")) == 1
    assert found.row("/srv/notes").difference == ("@@ -0,0 +1 @@", "+1")


def test_nothing_has_changed(lab: Lab) -> None:
    lab.docker("create --name still ubuntu:14.04")
    found = lab.container("still").causes()
    assert (found.rows, found.entries) == ((), 0)
    assert "a commit would add no layer" in found.text
    panels.check(found)
    assert lab.docker("causes still").stdout == found.text
    assert lab.docker("causes nobody").exit_code == 1


@given(st.lists(trees(), min_size=2, max_size=4))
def test_any_container(seen: list[Tree]) -> None:
    """Whatever was done: Docker's lines, causes among the steps, each own line with one, and page and text the same."""
    init, *after = seen
    steps = [(at, f"docker exec x do {at}", changes_of(init, tree)) for at, tree in enumerate(after, 1)]
    changes = changes_of(init, after[-1])
    found = diff_causes(
        "x", listed(init, changes), with_parents(changes, after[-1]), init, after[-1], steps, contents_of
    )
    assert [(row.kind, row.path) for row in found.rows] == listed(init, changes)
    for row in found.rows:
        assert {number for number, _ in row.causes} <= set(range(1, len(seen)))
        assert bool(row.causes) >= row.own
        assert row.entry
    panels.check(found)


@given(files())
def test_an_entry_names_what_the_tar_has(node: object) -> None:
    assert entry_of(Put("a/b", node)).endswith(" a/b")  # type: ignore[arg-type]
    assert entry_of(Whiteout("a/b")).endswith(" a/.wh.b")
    assert entry_of(Opaque("a")).endswith(" a/.wh..wh..opq")
