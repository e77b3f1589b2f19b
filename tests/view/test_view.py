"""What a notebook shows says what its plain text says, and bars end where the pull ended."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from html.parser import HTMLParser
from typing import Any

import pytest

from imagelab.app import Lab
from imagelab.state.events import Progress
from imagelab.view.html_table import html_table, image_mark, is_table, rows, tables
from imagelab.view.panel import Panel
from imagelab.view.pull_progress import NotebookProgress, PullPicture, is_watched, pull_html
from imagelab.view.style import DARK, KINDS, LIGHT, STYLE, Theme, contrast, panel
from states import a_state, id_of, image


class Page(HTMLParser):
    """The text of a page: its cells by row, its titles, its marks."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.marks: list[str] = []
        self.titles: list[str] = []
        self._inside: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(dict(attrs).get("class") or tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._inside[-1] = "cell"

    def handle_endtag(self, tag: str) -> None:
        self._inside.pop()

    def handle_data(self, data: str) -> None:
        where = self._inside[-1] if self._inside else ""
        if where == "cell":
            self.rows[-1][-1] += data.strip()
        elif where in ("mark", "title"):
            (self.marks if where == "mark" else self.titles).append(data)


LISTINGS = [
    "images",
    "images -a",
    "images --digests --no-trunc",
    "images nosuchimage",
    "images --format 'table {{.ID}}\\t{{.Repository}}\\t{{.CreatedAt}}'",
    "images --format 'table {{.Repository}}'",
    "images --tree",
    "history mongo:3.2",
    "history --no-trunc mongo:3.2",
    "system df",
    "system df -v",
    "--era 1.13 images",
    "--era 29 images",
    "--era 29 images -a",
    "--era 29 system df -v",
]
NO_LISTINGS = [
    "images -q",
    "images --format '{{.Repository}} {{.Tag}}'",
    "images --format json",
    "inspect mongo:3.2",
    "version",
    "info",
    "--help",
    "images --help",
    "pull alpine",
    "rmi ubuntu:14.04",
]


@pytest.fixture
def cast(lab: Lab) -> Lab:
    """ubuntu under two names, and a mongo that has lost its tag."""
    for name in ("ubuntu:14.04", "ubuntu", "ubuntu:16.04", "mongo:3.2"):
        lab.docker(["pull", "-q", name])
    lab.upstream.release("mongo:3.2")
    lab.docker("pull -q mongo:3.2")
    return lab


@pytest.mark.parametrize("line", LISTINGS)
def test_the_page_has_the_words_of_the_text(cast: Lab, line: str) -> None:
    """Every cell of the text is a cell of the page, in the same place, and nothing else is but marks and titles."""
    result = cast.docker(line)
    assert result.exit_code == 0
    page = Page(result.html)
    lines = [text for text in result.stdout.split("\n") if text.strip() and "usage:" not in text]
    assert len(page.rows) == len(lines)
    for cells, text in zip(page.rows, lines, strict=True):
        assert "".join("".join(cells).split()) == "".join(text.split())
    assert page.titles == [text for text in result.stdout.split("\n") if "usage:" in text]


@pytest.mark.parametrize("line", NO_LISTINGS)
def test_what_is_no_listing_makes_no_page(cast: Lab, line: str) -> None:
    result = cast.docker(line)
    assert result.stdout
    assert (result.html, result.rows) == ("", [])
    assert not is_table(result.stdout)


def test_rows_are_cells_by_heading(cast: Lab) -> None:
    found = cast.docker("images ubuntu").rows
    assert [row["TAG"] for row in found] == ["16.04", "latest", "14.04"]
    assert found[0]["IMAGE ID"] == found[1]["IMAGE ID"] == "e7f1e4453a50"
    assert found[0]["CREATED"] == "4 weeks ago"
    sizes = {row["TYPE"]: row["TOTAL"] for row in cast.docker("system df").rows}
    assert sizes["Images"] == "4"
    assert rows("") == rows("nothing\n") == []


def test_several_tables_keep_their_titles(cast: Lab) -> None:
    found = tables(cast.docker("system df -v").stdout)
    assert [table.title for table in found] == [
        "Images space usage:",
        "Containers space usage:",
        "Local Volumes space usage:",
        "Build cache usage: 0B",
    ]
    assert [len(table.rows) for table in found] == [4, 0, 0, 0]


@pytest.mark.parametrize("line", ["images", "images -f dangling=true", "images --no-trunc mongo", "--era 29 images -a"])
def test_a_dangling_image_is_marked_by_a_word(cast: Lab, line: str) -> None:
    html = cast.docker(line).html
    assert Page(html).marks == ["dangling"]
    assert html.count('<tr class="m">') == 1


def test_dangling_and_intermediate_are_different_words() -> None:
    state = a_state(
        image("base", "L1"), image("web", "L1", "L2", parent="base", names=["web"]), image("lost", "L1", "L3")
    )
    mark = image_mark(state)
    assert mark(id_of("base").short) == "intermediate"
    assert mark(id_of("web").short) == ""
    assert mark(id_of("lost")) == mark(id_of("lost").short) == "dangling"
    assert mark("") == mark("nothing") == ""


def test_text_of_an_image_is_never_html(lab: Lab) -> None:
    """Labels, comments and names come from strangers."""
    html = html_table("REPOSITORY   TAG\n<script>     <none>\n", label='"><b>')
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert 'aria-label="&quot;&gt;&lt;b&gt;"' in html


def test_the_mark_can_be_read_on_light_and_on_dark() -> None:
    """WCAG's 4.5 to 1, on JupyterLab's two backgrounds."""
    light, dark = re.findall(r"--il-mark:(#[0-9a-f]{6})", STYLE)
    assert contrast(light, "#ffffff") >= 4.5
    assert contrast(dark, "#111111") >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_words_can_be_read_on_every_kind_and_edges_be_seen(theme: Theme) -> None:
    """WCAG 2.2: 4.5 to 1 for words (1.4.3), 3 to 1 for the edges that tell things apart (1.4.11)."""
    for background in (theme.page, "#ffffff" if theme is LIGHT else "#212121"):
        assert min(contrast(color, background) for color in (theme.text, theme.soft, theme.focus)) >= 4.5
        assert not {kind for kind, color in theme.kinds.items() if contrast(color.line, background) < 3}
    assert not {kind for kind, color in theme.kinds.items() if contrast(color.ink, color.fill) < 4.5}


def test_both_themes_have_every_kind() -> None:
    assert tuple(DARK.kinds) == KINDS == tuple(LIGHT.kinds)


def test_the_yardstick_is_wcags() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


# -- a pull -------------------------------------------------------------------------------------------------


def a_pull(lab: Lab, name: str) -> PullPicture:
    picture = PullPicture()
    lab.engine.images.pull(name, progress=picture.update)  # type: ignore[arg-type]
    return picture


def test_the_picture_is_the_screen_a_terminal_is_left_with(lab: Lab) -> None:
    """One line a layer in manifest order, whatever order they arrived in; then digest and status (R2.6, R2.8)."""
    picture = a_pull(lab, "ubuntu:14.04")
    lines = picture.text.splitlines()
    assert lines[0] == "14.04: Pulling from library/ubuntu"
    assert [line.partition(": ")[2] for line in lines[1:6]] == ["Pull complete"] * 5
    assert lines[6].startswith("Digest: sha256:8d665151")
    assert lines[7:] == ["Status: Downloaded newer image for ubuntu:14.04"]
    assert [line.total for line in picture.lines if line.layer] == [67155, 654, 884, 969, 157]


def test_the_page_of_a_pull_says_what_its_text_says(lab: Lab) -> None:
    picture = a_pull(lab, "nginx")
    html = pull_html("Using default tag: latest\n", picture, "docker.io/library/nginx:latest\n")
    body = html.rpartition("</style>")[2]
    words = re.sub(r"<[^>]*>", " ", body).split()
    for line in ("Using default tag: latest", *picture.text.splitlines(), "docker.io/library/nginx:latest"):
        for word in line.split():
            assert word in words or word.rstrip(":") in words
    assert body.count('class="progress-bar-success" style="width:100%"') == 3


def test_layers_that_are_here_are_full_in_another_colour(lab: Lab) -> None:
    lab.pull("nginx")
    html = a_pull(lab, "redis").html
    assert html.count("progress-bar-info") == 1
    assert html.count("progress-bar-success") == 4


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "fetched 22.4kB · here already 46.1kB"), ("zh", "下载 22.4kB · 本地已有 46.1kB")],
)
def test_the_total_says_what_was_fetched_and_what_was_here(lab: Lab, lang: str, said: str) -> None:
    """All layers of the manifest, each once: what came over the wire, and what sharing has saved."""
    lab.pull("nginx")
    picture = a_pull(lab, "redis")
    fetched, wanted, here = picture.sums
    assert fetched == wanted
    assert fetched + here == sum(lab.state.layers[layer].blob_size for layer in lab.image("redis").layers)
    assert here == lab.state.layers[lab.image("nginx").layers[0]].blob_size
    html = pull_html("", picture, "", lang)
    assert said in html
    assert said not in picture.text  # which is Docker's own


def test_a_pull_that_fetched_nothing_has_no_total(lab: Lab) -> None:
    lab.pull("nginx")
    picture = a_pull(lab, "nginx")
    assert picture.sums == (0, 0, 0)
    assert 'class="sum"' not in pull_html("", picture, "")


def test_each_tag_of_a_repository_has_its_own_lines() -> None:
    picture = PullPicture()
    for tag in ("1", "2"):
        picture.update(Progress("Pulling from library/x", id=tag))
        picture.update(Progress("Already exists", id="aaaaaaaaaaaa"))
    assert picture.text == "".join(
        f"{tag}: Pulling from library/x\naaaaaaaaaaaa: Already exists\n" for tag in ("1", "2")
    )


def test_a_pull_that_breaks_off_stays_where_it_stood() -> None:
    shown: list[Any] = []
    sink = NotebookProgress(watched=False, show=shown.append)
    sink(Progress("Pulling from library/x", id="1"))
    sink(Progress("Downloading", id="aaaaaaaaaaaa", current=25, total=100))
    sink.finish()
    assert shown[0]["text/plain"].endswith("aaaaaaaaaaaa: Downloading")
    assert 'class="progress-bar-unfinished" style="width:25%"' in shown[0]["text/html"]
    sink.finish()
    assert len(shown) == 1


def test_widgets_move_while_it_runs_and_are_gone_afterwards(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row a layer, full and green at the end; a bounded time of resting for the eye."""
    from imagelab.view import pull_progress as progress

    seen: list[list[tuple[str, float, str]]] = []
    closed: list[object] = []
    rested: list[float] = []

    class Watched(progress.Bars):
        def move(self, line: progress.ProgressLine) -> None:
            super().move(line)
            seen.append([(row[0].id, row[1].value / row[1].max, row[1].bar_style) for row in self._rows.values()])

        def close(self) -> None:
            super().close()
            closed.append(self._box.comm)

    monkeypatch.setattr(progress, "Bars", Watched)
    monkeypatch.setattr(Watched, "displayed", staticmethod(lambda: Watched(__import__("ipywidgets"))))
    sink = NotebookProgress(watched=True, sleep=rested.append)
    lab.pull_progress = sink
    lab.pull("ubuntu:14.04")
    assert len(seen[-1]) == 5
    assert {(share, style) for _, share, style in seen[-1]} == {(1.0, "success")}
    assert any(0 < share < 1 for row in seen for _, share, _ in row)
    assert closed == [None]
    assert 0 < sum(rested) <= progress.LONGEST + progress.PACE
    assert sink.picture.lines == []


def test_without_ipywidgets_the_text_is_still_there(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    shown: list[Any] = []
    lab.pull_progress = NotebookProgress(watched=True, show=shown.append)
    lab.pull("alpine")
    assert "Pull complete" in shown[0]["text/plain"]


def test_who_is_watched() -> None:
    assert is_watched({"JPY_SESSION_NAME": "/x.ipynb"})
    assert is_watched({"VSCODE_PID": "1"})
    assert not is_watched({"JPY_PARENT_PID": "1", "PYTEST_CURRENT_TEST": "x"})


def test_every_panel_prints_as_its_text() -> None:
    """A dataclass brings a `__repr__` of its own, unless it is told not to."""
    import imagelab.view as view

    for module in pkgutil.walk_packages(view.__path__, "imagelab.view."):
        importlib.import_module(module.name)
    panels = Panel.__subclasses__()
    assert len(panels) > 5
    assert [panel.__name__ for panel in panels if panel.__repr__ is not Panel.__repr__] == []


def test_the_bar_of_a_load_is_full_at_its_end() -> None:
    """`docker load` says nothing more of a layer that is there (R6.48)."""
    from imagelab.state.events import Progress
    from imagelab.view.pull_progress import PullPicture

    picture = PullPicture()
    picture.update(Progress("Loading layer", "5720046ba699", 100, 200))
    assert "progress-bar-unfinished" in picture.html and "width:50%" in picture.html
    picture.update(Progress("Loading layer", "5720046ba699", 200, 200))
    assert "progress-bar-success" in picture.html and "width:100%" in picture.html


def test_what_is_printed_is_no_mathematics(lab: Lab) -> None:
    """JupyterLab would typeset `$A … $` and `\\( … \\)` of a history; every page of ours says that it may not."""
    lab.docker("pull -q ubuntu:16.04")
    for html in (
        lab.docker("history ubuntu:16.04").html,
        panel("$a$", label="x", kind="y"),
        pull_html("", PullPicture(), "$a$ \\(b\\)"),
    ):
        assert "mathjax_ignore" in html.partition('<div class="imagelab')[2].partition(">")[0]
