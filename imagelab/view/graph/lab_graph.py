"""What `lab.graph()` returns: a picture in a notebook, a tree in a terminal, and a file of your choice.

g = lab.graph()               shows itself: image/svg+xml, with the tree as text/plain
print(g)                      the tree
g.save("lab.svg")             or .dot, or .txt
g.description                 the picture as sentences
g.details                     the picture, and below it all there is to say of each thing, folded up
w = g.widget()                the picture to click in; w.selected is the key of what was clicked
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from imagelab.errors import UsageError
from imagelab.oci.digest import Digest
from imagelab.oci.documents import ImageConfig
from imagelab.view.graph.details import Details, details, facts_html
from imagelab.view.graph.model import Graph
from imagelab.view.graph.svg import picture
from imagelab.view.graph.text import spoken, tree
from imagelab.view.messages import say
from imagelab.view.style import chip, panel

if TYPE_CHECKING:
    from imagelab.view.graph.widget import GraphWidget

_LONG = re.compile(r"(:[0-9a-f]{12})[0-9a-f]{52}\b")
"""A whole digest, of which twelve digits are enough to see."""

_SHELL = "/bin/sh -c "

FORMATS = (".svg", ".dot", ".txt")


@dataclass(frozen=True)
class LabGraph:
    """A layer graph that knows how to show itself. `redraw` draws it again with some folds opened."""

    graph: Graph
    redraw: Callable[[tuple[str, ...]], Graph] | None = None

    @cached_property
    def svg(self) -> str:
        """The picture, as one file without needs."""
        return picture(self.graph)

    @cached_property
    def text(self) -> str:
        """The same as an indented tree."""
        return tree(self.graph)

    @property
    def description(self) -> str:
        """The same as sentences."""
        return spoken(self.graph)

    @property
    def dot(self) -> str:
        """The same for Graphviz."""
        from imagelab.view.graph.dot import dot

        return dot(self.graph)

    @property
    def details(self) -> StaticDetails:
        """The picture with all details below it, for pages where nothing can be clicked."""
        return StaticDetails(self.graph)

    def widget(self) -> GraphWidget:
        """The picture to click in. `.selected` is the key of what was clicked, `.details` what is known of it."""
        from imagelab.view.graph.widget import GraphWidget

        return GraphWidget(self.graph, self.redraw)

    def save(self, path: str | Path) -> Path:
        """Write it to a file: SVG, Graphviz or text, by the name's ending. UsageError for another one."""
        path = Path(path)
        path.write_text(self.as_format(path.suffix), encoding="utf-8", newline="\n")
        return path

    def as_format(self, suffix: str) -> str:
        """The picture as `.svg`, `.dot` or `.txt`."""
        match suffix.lower():
            case ".svg":
                return self.svg
            case ".dot":
                return self.dot
            case ".txt":
                return self.text
        raise UsageError(
            f"{suffix or 'a name without an ending'}: unknown kind of picture",
            hint=f"a name may end in {', '.join(FORMATS)}",
        )

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text.rstrip("\n")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}


@dataclass(frozen=True)
class StaticDetails:
    """A picture, and all there is to say of each thing in it, folded up: needs neither widget nor script."""

    graph: Graph

    def __repr__(self) -> str:
        return "\n\n".join(details(self.graph, thing.key).text for thing in self.graph.things)

    def _repr_html_(self) -> str:
        entries = "".join(details_html(details(self.graph, thing.key), self.graph.lang) for thing in self.graph.things)
        heading = escape(say("details.all", self.graph.lang))
        body = f"{image(self.graph)}<details><summary>{heading}</summary>{entries}</details>"
        return panel(body, label=say("graph.label", self.graph.lang), kind="graph", language=self.graph.lang)


def image(graph: Graph) -> str:
    """The picture as an `<img>` of a panel, with the sentences as its `alt`; light or dark as the page is."""
    return f'<img class="picture" alt="{escape(spoken(graph))}" src="{data_url(picture(graph, described=False))}">'


def data_url(svg: str) -> str:
    """An SVG as the `src` of an image. Its attributes' double quotes become single ones, which need no escape; all others are entities."""
    return "data:image/svg+xml," + quote(svg.replace('"', "'"), safe=" '()*!~,/:;=?@+$-_.{}|")


def details_html(details: Details, lang: str) -> str:
    """One thing's details, folded up under its name."""
    commands = f"<pre>{escape(details.docker)}\n{escape(details.python)}</pre>" if details.docker else ""
    commands = commands or f"<p>{escape(say('details.none', lang))}</p>"
    title = f"<summary>{chip(escape(details.title))}</summary>"
    return f"<details>{title}<p>{escape(details.about)}</p>{facts_html(details)}{commands}</details>"


def layer_commands(configs: Iterable[tuple[tuple[Digest, ...], ImageConfig]]) -> Mapping[Digest, str]:
    """The instruction that made each layer, from the histories of images: (chain IDs, config) pairs."""
    commands: dict[Digest, str] = {}
    for layers, config in configs:
        lines = [entry.created_by or entry.comment for entry in config.history if not entry.empty_layer]
        for chain_id, command in zip(layers, lines, strict=False):
            commands.setdefault(chain_id, instruction(command))
    return commands


def instruction(created_by: str) -> str:
    """As it stood in the Dockerfile: `/bin/sh -c #(nop)  CMD ["sh"]` was `CMD ["sh"]`, `/bin/sh -c make` was `RUN make`."""
    text = _LONG.sub(r"\1", " ".join(created_by.split()))
    return without_shell(text) if text.startswith(_SHELL) else text.removesuffix(" # buildkit")


def without_shell(line: str) -> str:
    """A line of a history without the shell that the classic builder writes before it."""
    if line.startswith(f"{_SHELL}#(nop) "):
        return line.removeprefix(f"{_SHELL}#(nop) ")
    return f"RUN {line.removeprefix(_SHELL)}" if line.startswith(_SHELL) else line
