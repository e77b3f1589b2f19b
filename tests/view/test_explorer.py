"""The layer explorer: its sums are right for any stack, hidden files can be read, and the page says what the text says."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

import panels
from imagelab.app import Lab
from imagelab.errors import ImageLabError
from imagelab.layers.changeset import LayerIndex, blob_of, index
from imagelab.layers.tree import Kind, Node, Opaque, Put, Tree, Whiteout, diff
from imagelab.view.explorer.model import Exploration, explore
from strategies import contents_of, trees

Stack = tuple[list[LayerIndex], dict[str, bytes]]


def stack_of(layers: list[list[Put | Whiteout | Opaque]]) -> Exploration:
    """Layers of changes whose contents are `strategies`' own, as a pull would index them."""
    tars: dict[str, bytes] = {}
    indexes = []
    for changes in layers:
        blob = blob_of(changes, contents_of)
        found = index(blob)
        indexes.append(found)
        from imagelab.layers.compression import Inflater

        tars[found.diff_id] = b"".join(Inflater().feed(blob))

    def read(node: Node) -> bytes:
        diff_id, _, offset = node.content.partition("@")
        return tars[diff_id][int(offset) : int(offset) + node.size]

    return explore("x", indexes, None, read)


@st.composite
def stacks(draw: st.DrawFn) -> tuple[list[Tree], Exploration]:
    """What is seen after each layer, and the layers that lead there."""
    seen = [Tree.empty(), *draw(st.lists(trees(), min_size=1, max_size=4))]
    return seen, stack_of([list(diff(old, new)) for old, new in zip(seen, seen[1:], strict=False)])


@given(stacks())
def test_sizes_add_up(made: tuple[list[Tree], Exploration]) -> None:
    """Seen and wasted are all of SIZE, the running total ends there, and seen is what the last tree has (N copies: N-1 wasted)."""
    trees_seen, found = made
    assert [layer.size for layer in found.layers] == [
        later.total - earlier
        for later, earlier in zip(found.layers, (0, *(la.total for la in found.layers)), strict=False)
    ]
    assert found.layers[-1].total == found.size
    last = trees_seen[-1]
    assert sum(layer.seen for layer in found.layers) == sum(last[p].size for p in last if last[p].kind is Kind.FILE)
    assert found.wasted + sum(layer.seen for layer in found.layers) == found.size
    unseen = sum(file.node.size for file in found.hidden)
    if len({layer.digest for layer in found.layers}) == len(found.layers):
        assert found.wasted == unseen
    else:  # a layer that is there twice: SIZE counts it twice, and its files are not hidden
        assert found.wasted >= unseen
    assert all(0 <= layer.seen <= layer.size for layer in found.layers)


@given(stacks())
def test_every_hidden_file_can_be_read_and_says_who_hid_it(made: tuple[list[Tree], Exploration]) -> None:
    seen, found = made
    for file in found.hidden:
        assert seen[file.by - 1][file.path].size == file.node.size
        assert found.read(file.node) == contents_of(seen[file.by - 1][file.path])
        assert 1 <= file.layer < file.by


@given(stacks())
def test_the_page_says_what_the_text_says(made: tuple[list[Tree], Exploration]) -> None:
    panels.check(made[1])


FILE = Node(Kind.FILE, size=3, content="sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed")
FOLDER = Node(Kind.DIRECTORY, 0o755)


def test_three_copies_waste_two_and_a_deleted_file_all() -> None:
    """dive counts every copy; the last one is seen and not wasted."""
    copies = [[Put("a", FILE)], [Put("a", Node(Kind.FILE, 0o755, size=3, content=FILE.content))], [Put("a", FILE)]]
    assert stack_of(copies).wasted == 6  # type: ignore[arg-type]
    assert [layer.seen for layer in stack_of(copies).layers] == [0, 0, 3]  # type: ignore[arg-type]
    assert stack_of([*copies, [Whiteout("a")]]).wasted == 9  # type: ignore[list-item]


def test_a_layer_that_comes_back_is_paid_twice_and_hides_nothing() -> None:
    found = stack_of([[Put("a", FILE)], [Whiteout("a")], [Put("a", FILE)]])
    assert (found.size, found.wasted, found.hidden) == (6, 3, ())
    assert [layer.seen for layer in found.layers] == [0, 0, 3]
    assert found.stored < sum(layer.stored for layer in found.layers)


def test_marks_say_what_an_entry_is_to_the_layers_below() -> None:
    found = stack_of(
        [
            [Put("etc", FOLDER), Put("etc/a", FILE), Put("etc/b", FILE)],
            [Put("etc", FOLDER), Put("etc/a", FILE), Whiteout("etc/b"), Whiteout("etc/c")],
            [Opaque("etc"), Put("etc/d", FILE)],
        ]
    )
    marks = [[(entry.name, entry.mark) for entry in layer.entries] for layer in found.layers]
    assert marks == [
        [("etc", "added"), ("etc/a", "added"), ("etc/b", "added")],
        [("etc", "kept"), ("etc/.wh.b", "removed"), ("etc/.wh.c", "removed"), ("etc/a", "changed")],
        [("etc/.wh..wh..opq", "opaque"), ("etc/d", "added")],
    ]
    assert [entry.hides for entry in found.layers[1].entries] == [(), ("etc/b",), (), ()]
    assert found.layers[2].entries[0].hides == ("etc/a",)
    assert "whiteout of /etc/c, which no layer below has" in found.text


def test_a_hard_link_keeps_the_bytes_seen() -> None:
    """The first name goes, the other still leads there: nothing is wasted."""
    one = Node(Kind.FILE, size=3, content=FILE.content, link="a")
    assert stack_of([[Put("a", one), Put("b", one)], [Whiteout("a")]]).wasted == 0


# -- on the classroom's image -------------------------------------------------------------------------------


@pytest.fixture
def leaky(lab: Lab) -> Lab:
    lab.docker("pull -q imagelab/leaky")
    return lab


def test_the_secret_is_recovered(leaky: Lab) -> None:
    found = leaky.explore("imagelab/leaky")
    assert [(file.path, file.layer, file.by) for file in found.hidden][0] == ("app/id_rsa", 2, 3)
    assert found.recover("/app/id_rsa").startswith(b"-----BEGIN EXAMPLE PRIVATE KEY")
    assert found.wasted == 2400
    assert "this key opens nothing" in found.html
    assert "opaque: all that the layers below have in /app" in found.text
    with pytest.raises(ImageLabError, match="hides no file /etc/passwd"):
        found.recover("/etc/passwd")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ["imagelab/leaky", "nginx", "ubuntu:14.04", "hello-world"])
def test_every_image_in_every_language(lab: Lab, name: str, lang: str) -> None:
    lab.docker(["pull", "-q", name])
    lab.lang = lang
    found = lab.explore(name)
    panels.check(found)
    assert found.size == lab.image(name).size
    assert found.stored == sum(
        layer.blob_size for layer in lab.state.layers.values() if layer.chain_id in lab.image(name).layers
    )


def test_a_name_from_a_stranger_is_never_html_and_never_moves_the_cursor() -> None:
    found = stack_of([[Put("<script>\x1b[2J", FILE)]])
    assert "<script>" not in found.html
    assert "\x1b" not in found.text + found.html


def test_two_images_share_layers_and_differ_in_files(lab: Lab) -> None:
    for name in ("nginx:1.11", "nginx"):
        lab.docker(["pull", "-q", name])
    found = lab.compare("nginx:1.11", "nginx")
    panels.check(found)
    one, other = lab.image("nginx:1.11"), lab.image("nginx")
    assert [layer.chain_id for layer in (*found.shared, *found.only_left)] == list(one.layers)
    assert [layer.chain_id for layer in (*found.shared, *found.only_right)] == list(other.layers)
    assert found.files
    same = lab.compare("nginx", "nginx")
    assert (same.only_left, same.only_right, same.files) == ((), (), ())
    assert "both show the same files" in same.text


def test_on_the_command_line(leaky: Lab) -> None:
    assert leaky.docker("explore imagelab/leaky").stdout == leaky.explore("imagelab/leaky").text
    assert leaky.docker("explore imagelab/leaky --recover app/id_rsa").stdout.count("EXAMPLE PRIVATE KEY") == 2
    assert (
        leaky.docker("explore imagelab/leaky imagelab/leaky").stdout
        == leaky.compare("imagelab/leaky", "imagelab/leaky").text
    )
    wrong = leaky.docker("explore imagelab/leaky --recover nothing")
    assert wrong.exit_code != 0
    assert "it hides /app/id_rsa" in wrong.stderr
    assert leaky.docker("explore a b --recover c").exit_code != 0


def test_recovered_bytes_are_exact(leaky: Lab) -> None:
    from imagelab.cli.main import run

    out, nothing = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    line = ["explore", "imagelab/leaky", "--recover", "/app/data/first.bin"]
    assert run(line, stdin=nothing, stdout=out, stderr=nothing, environ={}, lab=leaky) == 0
    assert out.buffer.getvalue() == leaky.explore("imagelab/leaky").recover("app/data/first.bin")  # type: ignore[attr-defined]
