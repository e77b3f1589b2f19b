"""The layer graph to click in: a picture, and beside it what is known of the shape that was clicked.

    w = lab.graph().widget()
    w                          click a shape, or Tab to it and press Enter
    w.selected                 'image:5ef79149e0ec'
    w.details                  what it is, its sizes, the commands that show it

Picture, script and styles travel with the widget; nothing is asked of the network. Everything that a click shows is sent along
beforehand, so a click answers at once, also while the kernel is busy; only opening a fold asks the kernel for a new picture.
Where there is no kernel any more, the widget's text says what the picture says.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import anywidget
import traitlets

from imagelab.view.graph.details import Details, details, facts_html
from imagelab.view.graph.model import FOLDED, Graph
from imagelab.view.graph.svg import css, inline
from imagelab.view.graph.text import tree
from imagelab.view.messages import say
from imagelab.view.style import asset, panel, stylesheet


class GraphWidget(anywidget.AnyWidget):
    """A picture to click in. `selected` is a key of `graph.by_key`, "" for none; it may be set from Python, too."""

    _esm = asset("graph-widget.js")
    page = traitlets.Unicode("").tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
    unfold = traitlets.Unicode("").tag(sync=True)

    def __init__(self, graph: Graph, redraw: Callable[[tuple[str, ...]], Graph] | None = None, **traits: Any) -> None:
        super().__init__(page=_page(graph), **traits)
        self.graph, self._redraw = graph, redraw
        self._open: tuple[str, ...] = ()

    @property
    def details(self) -> Details | None:
        """What is known of the selected thing; None when nothing is selected."""
        return details(self.graph, self.selected) if self.selected in self.graph.by_key else None

    @traitlets.observe("unfold")
    def _unfolded(self, change: Any) -> None:
        if change["new"] and self._redraw:
            self._open = (*self._open, change["new"])
            self.graph = self._redraw(self._open)
            self.page = _page(self.graph)

    def __repr__(self) -> str:
        return tree(self.graph).rstrip("\n")


def _page(graph: Graph) -> str:
    entries = "".join(
        _entry(details(graph, thing.key), graph.lang, folded=thing.kind == FOLDED) for thing in graph.things
    )
    hint = f'<p class="pick note">{escape(say("details.pick", graph.lang))}</p>'
    sides = f'<div class="scroll">{inline(graph)}</div><div aria-live="polite">{hint}{entries}</div>'
    body = f'{css(page=True)}{stylesheet("graph-widget")}<div class="sides">{sides}</div>'
    return panel(body, label=say("graph.label", graph.lang), kind="graph-widget", language=graph.lang)


def _entry(details: Details, lang: str, *, folded: bool) -> str:
    lines = f"<pre>{escape(details.docker)}\n{escape(details.python)}</pre>"
    commands = f"<h4>{escape(say('details.show', lang))}</h4>{lines}"
    tail = commands if details.docker else f'<p class="note">{escape(say("details.none", lang))}</p>'
    more = f' <span class="note">{escape(say("details.unfold", lang))}</span>' if folded else ""
    return (
        f'<div data-about="{escape(details.key)}" hidden><h3>{escape(details.title)}</h3>'
        f"<p>{escape(details.about)}{more}</p>{facts_html(details)}{tail}</div>"
    )
