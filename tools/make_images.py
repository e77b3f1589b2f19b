"""The pictures in docs/images, drawn from the classroom's own images: `python -m tools.make_images` draws them again.

    graph.svg        what a lab looks like after the book's chapters: shared layers, a dangling image, a commit
    moved-tag.svg    the pull that moved mongo:3.2, with what it changed
    removal.svg      docker rmi --dry-run nginx:v2: what would go is a ghost

They are the same bytes on every machine, and a test holds that those that are committed are these.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from imagelab.app import connect
from imagelab.view.graph.svg import picture

FOLDER = Path(__file__).parent.parent / "docs" / "images"
PAGE = "echo '<h1>Hello, Docker!</h1>' > /usr/share/nginx/html/index.html"


def pictures() -> Iterator[tuple[str, str]]:
    """(file name, SVG)."""
    with TemporaryDirectory(prefix="imagelab-pictures-") as folder:
        lab = connect(Path(folder) / "lab", clock="class", environ={}, in_process=True)
        lab.pull("nginx")
        lab.pull("mongo:3.2")
        lab.upstream.release("mongo:3.2")
        lab.pull("mongo:3.2")
        yield "moved-tag.svg", lab.graph(since=-1).svg
        lab.docker("run -d --name webserver nginx")
        lab.docker(["exec", "webserver", "sh", "-c", PAGE])
        lab.docker("commit webserver nginx:v2")
        yield "removal.svg", picture(lab.preview_rmi("nginx:v2", "mongo:3.2").graph)
        lab.docker("run -d --name web2 nginx:v2")
        yield "graph.svg", lab.graph().svg
        lab.docker("rm -f webserver web2")
        lab.close()


if __name__ == "__main__":
    for name, svg in pictures():
        (FOLDER / name).write_text(svg, encoding="utf-8", newline="\n")
