"""The layer graph in Graphviz's language, for those who want to draw it themselves: `imagelab graph -o lab.dot`.

Nothing here needs Graphviz itself, only the Python package that writes its language; imagelab's own pictures come from
`graph_svg`. The shapes are Graphviz's nearest: a label is a `cds`, a container a `box3d`.
"""

from __future__ import annotations

from imagelab.view.graph.layout import WIDEST, fitted, lines, text_width
from imagelab.view.graph.model import CONTAINER, IMAGE, Graph, Thing
from imagelab.view.graph.svg import hue
from imagelab.view.messages import say
from imagelab.view.style import LIGHT

_SHAPES = {"tag": "cds", "digest": "hexagon", "dangling": "octagon", "container": "box3d"}
_STYLES = {"image": "filled,rounded", "dangling": "filled,dashed", "intermediate": "filled,rounded,dotted"}


def dot(graph: Graph) -> str:
    """The source of a digraph, ending in a newline."""
    from graphviz import Digraph

    digraph = Digraph(
        graph_attr={"rankdir": "BT", "bgcolor": "transparent", "nodesep": "0.25", "fontname": "Helvetica", "fontsize": "11", "ranksep": "0.3", "label": say("graph.label", graph.lang)},
        node_attr={"fontname": "Helvetica", "fontsize": "11", "style": "filled"},
        edge_attr={"color": LIGHT.soft, "fontname": "Helvetica", "fontsize": "9", "arrowhead": "none"},
    )  # fmt: skip
    for thing in graph.things:
        _node(digraph, thing, graph.lang)
    for thing in graph.things:
        if thing.on:
            style = {"penwidth": "2.5"} if thing.kind not in (IMAGE, CONTAINER) else {"style": "dotted"}
            digraph.edge(_name(thing.on), _name(thing.key), **style)
        if thing.parent:
            word = say("graph.parent_word", graph.lang)
            digraph.edge(
                _name(thing.key), _name(thing.parent), label=word, style="dashed", arrowhead="open", constraint="false"
            )
    return str(digraph.source)


def _node(digraph: object, thing: Thing, lang: str) -> None:
    from graphviz import escape

    kind = hue(thing)
    color = LIGHT.kinds[kind]
    rows = [
        " · ".join(part for part in (fitted(words.left, WIDEST), words.right) if part) for words in lines(thing, lang)
    ]
    wide = max(text_width(row) for row in rows) / 72 + 0.4  # inches: renderers do not measure Chinese
    digraph.node(  # type: ignore[attr-defined]
        _name(thing.key), label="\\n".join(map(escape, rows)), width=f"{wide:.2f}", shape=_SHAPES.get(kind, "box"), style=_STYLES.get(kind, "filled"),
        fillcolor=color.fill, color=color.line, fontcolor=color.ink, peripheries="2" if kind == "shared" else "1", id=thing.key,
    )  # fmt: skip


def _name(key: str) -> str:
    """Graphviz reads a colon in a node's name as a port."""
    return key.replace(":", "_")
