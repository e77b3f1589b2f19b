"""`lab.graph()`, `imagelab graph` and the widget, on a lab with the book's images."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imagelab.app import Lab
from imagelab.errors import ImageNotFoundError, UsageError
from imagelab.view.graph.model import LAYER


@pytest.fixture
def book(lab: Lab) -> Lab:
    lab.pull("mongo:3.2")
    lab.pull("nginx")
    lab.upstream.release("mongo:3.2")
    lab.pull("mongo:3.2")
    return lab


def test_a_lab_draws_what_it_holds(book: Lab) -> None:
    made = book.graph()
    assert str(made).startswith("3 images, 2 tags, 9 layers, 0 containers\n")
    assert "[dangling]" in str(made)
    base = made.graph.of(LAYER)[0]
    assert base.about.startswith("ADD file:") and base.images == 3


def test_a_picture_speaks_the_language_of_the_lab_or_the_one_asked_for(book: Lab) -> None:
    book.lang = "zh"
    assert "3 个镜像共用" in book.graph().svg
    assert "shared by 3" in book.graph(lang="en").svg
    with pytest.raises(UsageError, match="unknown language 'fr'"):
        book.graph(lang="fr")


def test_a_former_state_is_compared_with(book: Lab) -> None:
    before = book.state
    book.tag("nginx", "web:1")
    book.rmi("mongo:3.2")
    marks = {thing.key: thing.marks for thing in book.graph(since=before).graph.things}
    assert marks["tag:web:1"] == ("new",)
    assert marks["tag:mongo:3.2"] == ("gone",)


def test_focus_is_a_name_an_id_or_a_container(book: Lab) -> None:
    image = book.image("nginx")
    for name in ("nginx", image.id.short):
        assert [thing.title for thing in book.graph(name).graph.of("image")] == [image.id.short]
    with pytest.raises(ImageNotFoundError):
        book.graph("nothing")


def test_the_command_line_prints_the_tree_and_writes_files(book: Lab, tmp_path: Path) -> None:
    assert book.docker("graph").stdout == str(book.graph())
    assert book.docker("graph --images --lang zh").stdout == str(book.graph(images=True, lang="zh"))
    assert book.docker(["graph", "-o", str(tmp_path / "x.svg"), "--focus", "nginx"]).exit_code == 0
    assert (tmp_path / "x.svg").read_text(encoding="utf-8") == book.graph("nginx").svg


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("graph -o x.png", ".png: unknown kind of picture"),
        ("graph --focus nothing", "No such image: nothing"),
        ("graph --lang fr", "unknown language 'fr'"),
        ("graph --fold many", "many"),
        ("graph x", "graph"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(book: Lab, line: str, sentence: str) -> None:
    result = book.docker(line)
    assert result.exit_code != 0
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_the_pictures_of_the_documentation_are_current() -> None:
    """`make docs` draws them again."""
    from tools.make_images import FOLDER, pictures

    for name, svg in pictures():
        assert (FOLDER / name).read_text(encoding="utf-8") == svg, name


def test_the_widget_shows_what_was_chosen(book: Lab) -> None:
    widget = book.graph(fold=2).widget()
    assert widget.details is None
    widget.selected = "tag:mongo:3.2"
    assert widget.details is not None and widget.details.docker == "docker images mongo:3.2"
    assert repr(widget) == repr(book.graph(fold=2))
    assert all(f'data-about="{thing.key}"' in widget.page for thing in widget.graph.things)


def test_the_widget_unfolds(lab: Lab) -> None:
    lab.pull("ubuntu:14.04")
    widget = lab.graph(fold=2).widget()
    (fold,) = widget.graph.of("fold")
    widget.unfold = fold.key
    assert len(widget.graph.of(LAYER)) == 5
    assert fold.key not in widget.page


def test_the_widget_needs_nothing_from_elsewhere(book: Lab) -> None:
    widget = book.graph().widget()
    for text in (str(widget._esm), widget.page):
        assert not re.search(r"(src|href)=.?(https?:|//)|url\(|import\(|fetch\(|@import", text)
