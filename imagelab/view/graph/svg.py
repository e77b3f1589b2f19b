"""The layer graph as SVG: every kind of thing a shape of its own, in the colours of `style`.

The picture needs nothing else: no script, no font, nothing from elsewhere. It is light or dark as the reader's page is; for
programs that do not know CSS the light colours stand in the shapes as well. `<title>` and `<desc>` say what is to be seen, and
each thing has a title of its own. There is no `id` in it, so that a page may hold many.

`picture` is for a file or an output: it brings its paper. `inline` is for a page that has `STYLE` and `css()`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from imagelab.view.graph import model
from imagelab.view.graph.layout import LINE, Box, Layout, layout, text_width
from imagelab.view.graph.model import Graph, Thing
from imagelab.view.graph.text import line, spoken, summary
from imagelab.view.messages import say
from imagelab.view.style import APART, DARK, KINDS, LIGHT, NEAR, SMALL, TIGHT, WIDE, Theme, rules

MARGIN = WIDE
PAGE, SMALLEST = 720, 0.8
"""Pixels that a page has at least, where JupyterLab shows pictures unscaled; how far a picture may shrink to fit."""


def hue(thing: Thing) -> str:
    """The kind, in `style`'s words, whose colours a thing wears."""
    if thing.kind == model.IMAGE:
        return next((mark for mark in (model.DANGLING, model.INTERMEDIATE) if mark in thing.marks), "image")
    if thing.kind in (model.TAG, model.DIGEST, model.CONTAINER):
        return thing.kind
    return "shared" if model.SHARED in thing.marks else "layer"


def picture(graph: Graph, *, described: bool = True) -> str:
    """The whole picture with its paper and its legend, ending in a newline. `described`: with the sentences, as `<desc>`."""
    return _svg(graph, css(), paper=True, described=described)


def inline(graph: Graph) -> str:
    """The same without paper and colours: the page has them (`css(page=True)`)."""
    return _svg(graph, "", paper=False, described=True)


def _svg(graph: Graph, style: str, *, paper: bool, described: bool) -> str:
    placed = layout(graph)
    sheet = max(placed.width, 340)
    entries = legend_entries(graph)
    legend = _legend({kind: _legend_word(kind, graph) for kind in entries}, sheet)
    margin = MARGIN if paper else NEAR
    width = sheet + 2 * margin
    height = placed.height + (APART + legend[1] if entries else 0) + 2 * margin
    if not graph.things:
        return _empty(graph, style)
    scaled = _scaled(width) if paper else width
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="imagelab-graph" width="{scaled}" height="{round(height * scaled / width)}" viewBox="0 0 {width} {height}" '
        f'style="max-width:100%;height:auto" role="img" aria-label="{escape(summary(graph))}"{_lang(graph.lang)}>',
        f"<title>{escape(say('graph.label', graph.lang))}</title>",
        f"<desc>{escape(spoken(graph))}</desc>" if described else "",
        style,
        _paper(width, height) if paper else "",
        f'<g transform="translate({margin} {margin})">',
        *(_line("ground", f"M{x} {y}h{w}", "#8a96a3", "1.5") for x, y, w in placed.ground),
        *_parent_links(placed, graph.lang),
        *(_node(box, graph.lang) for box in placed.boxes),
        "</g>",
        f'<g transform="translate({margin} {margin + placed.height + APART})">{legend[0]}</g>' if entries else "",
        "</svg>\n",
    ]
    return "\n".join(part for part in parts if part)


def _scaled(width: int) -> int:
    """How wide a picture is shown: a little smaller when that makes it fit a notebook's page; never so that it cannot be read."""
    return min(width, max(PAGE, round(width * SMALLEST)))


def _lang(lang: str) -> str:
    return ' lang="zh-CN"' if lang == "zh" else ' lang="en"'


def _paper(width: int, height: int) -> str:
    return f'<rect class="paper" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="{NEAR}" fill="{LIGHT.page}" stroke="{LIGHT.rule}"/>'


def _empty(graph: Graph, style: str) -> str:
    text = say("graph.empty", graph.lang)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="imagelab-graph" width="380" height="64" viewBox="0 0 380 64" role="img" '
        f'aria-label="{escape(text)}"{_lang(graph.lang)}><title>{escape(text)}</title>{style}{_paper(380, 64) if style else ""}'
        f'<text class="caption" x="190" y="36" text-anchor="middle" fill="{LIGHT.text}" font-size="13">{escape(text)}</text></svg>\n'
    )


# -- colours ------------------------------------------------------------------------------------------------


def css(*, page: bool = False) -> str:
    """Colours and type. With `page` for a page that has a JupyterLab theme; else for the reader's light or dark."""
    scheme = f"@media (prefers-color-scheme:dark){{{_colors(DARK)}}}"
    dark = _colors(DARK, "[data-jp-theme-light=false] ") if page else scheme
    return f"<style>{_colors(LIGHT)}{dark}{rules('graph')}</style>"


def _colors(theme: Theme, scope: str = "") -> str:
    page = f"{scope}.imagelab-graph{{--text:{theme.text};--page:{theme.page};--rule:{theme.rule};--soft:{theme.soft};--focus:{theme.focus}}}"
    return page + "".join(
        f"{scope}.imagelab-graph .k-{kind}{{--f:{color.fill};--l:{color.line};--i:{color.ink}}}"
        for kind, color in theme.kinds.items()
    )


# -- one thing ----------------------------------------------------------------------------------------------


def _node(box: Box, lang: str) -> str:
    thing = box.thing
    kind = hue(thing)
    extra = next((f" {mark}" for mark in (model.GONE, model.MISSING) if mark in thing.marks), "")
    parts = [
        f'<g class="node k-{kind}{extra}" data-key="{escape(thing.key)}">',
        f"<title>{escape(line(thing, lang))}</title>",
        *_outline(box),
        _shape(box, kind),
        *_words(box, kind),
        f'<rect class="sel" x="{box.x - 3}" y="{box.y - 3}" width="{box.width + 6}" height="{box.height + 6}" rx="8" display="none"/></g>',
    ]
    return "".join(parts)


def _outline(box: Box) -> Iterator[str]:
    kind = next((model.OUTLINES[mark] for mark in box.thing.marks if mark in model.OUTLINES), "")
    if kind:
        dash = ' stroke-dasharray="4 3"' if kind == "removed" else ""
        yield (
            f'<rect class="l k-{kind}" x="{box.x - 2}" y="{box.y - 2}" width="{box.width + 4}" height="{box.height + 4}" rx="7" '
            f'fill="none" stroke="{LIGHT.kinds[kind].line}" stroke-width="3"{dash}/>'
        )


def _paint(kind: str) -> str:
    color = LIGHT.kinds[kind]
    return f'fill="{color.fill}" stroke="{color.line}"'


def _shape(box: Box, kind: str) -> str:
    return shape(box.thing.kind, kind, box.x, box.y, box.width, box.height)


def shape(kind: str, hue: str, x: int, y: int, width: int, height: int) -> str:
    """The outline of a kind of thing: slab, card, octagon, label, box."""
    paint = _paint(hue)
    rect = f'x="{x}" y="{y}" width="{width}" height="{height}"'
    if hue == "dangling":
        return _area(_octagon(x, y, width, height), f'{paint} stroke-width="1.6" stroke-dasharray="6 3"')
    if kind == model.IMAGE:
        dots = (
            'stroke-dasharray="1 4" stroke-linecap="round" stroke-width="2"'
            if hue == model.INTERMEDIATE
            else 'stroke-width="1.6"'
        )
        return f'<rect class="s" {rect} rx="10" {paint} {dots}/>'
    if kind == model.TAG:
        hole = f'<circle class="s" cx="{x + 13}" cy="{y + height / 2:g}" r="2.6" fill="{LIGHT.page}" stroke="{LIGHT.kinds[hue].line}"/>'
        return _area(_label(x, y, width, height, right=False), f'{paint} stroke-width="1.3"') + hole
    if kind == model.DIGEST:
        return _area(_label(x, y, width, height, right=True), f'{paint} stroke-width="1.3"')
    if kind == model.CONTAINER:
        lip = _line("l", f"M{x} {y + 3.5}h{width}", LIGHT.kinds[hue].line, "2", ' stroke-dasharray="5 3"')
        return f'<rect class="s" {rect} {paint} stroke-width="1.5"/>{lip}'
    return _slab(kind, hue, rect, x, y, width, height)


def _line(name: str, path: str, color: str, width: str, more: str = "", inside: str = "") -> str:
    end = f">{inside}</path>" if inside else "/>"
    return f'<path class="{name}" d="{path}" fill="none" stroke="{color}" stroke-width="{width}"{more}{end}'


def _area(path: str, look: str) -> str:
    return f'<path class="s" d="{path}" {look}/>'


def _slab(kind: str, hue: str, rect: str, x: int, y: int, width: int, height: int) -> str:
    color, inner = LIGHT.kinds[hue].line, ""
    if hue == "shared":
        inner = f'<rect class="l" x="{x + 2.5}" y="{y + 2.5}" width="{width - 5}" height="{height - 5}" rx="1" fill="none" stroke="{color}" stroke-width=".8"/>'
    if kind == model.FOLDED:
        ticks = "".join(f"M{x + 2} {y + tick}h5" for tick in range(5, height - 3, 4))
        inner += _line("l", ticks, color, "1.5")
    return f'<rect class="s" {rect} rx="3" {_paint(hue)} stroke-width="1.2"/>{inner}'


def _octagon(x: int, y: int, width: int, height: int) -> str:
    c = min(10, height // 3)
    return f"M{x + c} {y}h{width - 2 * c}l{c} {c}v{height - 2 * c}l{-c} {c}h{2 * c - width}l{-c} {-c}v{2 * c - height}z"


def _label(x: int, y: int, width: int, height: int, *, right: bool) -> str:
    half, point = height / 2, min(10, height // 2)
    if right:
        return f"M{x} {y + half:g}l{point} {-half:g}h{width - 2 * point}l{point} {half:g}l{-point} {half:g}h{2 * point - width}z"
    return f"M{x} {y + half:g}l{point} {-half:g}h{width - point}v{height}h{point - width}z"


def _words(box: Box, kind: str) -> Iterator[str]:
    ink = LIGHT.kinds[kind].ink
    y = box.y + (box.height - LINE * len(box.lines)) / 2 + 11 + (1 if box.thing.kind == model.CONTAINER else 0)
    for words in box.lines:
        look = " ".join(name for name, on in (("t", words.title), ("m", words.mono)) if on)
        style = f' class="{look}"' if look else ""
        size = f' font-size="{SMALL + 1 if words.title else SMALL}"'
        if words.left:
            yield f'<text{style} x="{box.x + box.inset}" y="{y:g}" fill="{ink}"{size}>{escape(words.left)}</text>'
        if words.right:
            yield f'<text x="{box.x + box.width - NEAR - 2}" y="{y:g}" text-anchor="end" fill="{ink}" font-size="{SMALL}">{escape(words.right)}</text>'
        y += LINE


# -- parents ------------------------------------------------------------------------------------------------


def _parent_links(placed: Layout, lang: str) -> Iterator[str]:
    """A dashed line from an image to the one it was made from; it runs behind the stacks, in the gap beside the child."""
    boxes = {box.thing.key: box for box in placed.boxes}
    for box in placed.boxes:
        if box.thing.parent:
            yield _parent_link(box, boxes[box.thing.parent], lang)


def _parent_link(child: Box, parent: Box, lang: str) -> str:
    leftward = parent.x <= child.x
    start, end = (child.x, parent.x + parent.width) if leftward else (child.x + child.width, parent.x)
    from_y, to_y = child.y + child.height // 2, parent.y + parent.height // 2
    gap = start + (-6 if leftward else 6)
    if parent.x == child.x:
        end, gap = parent.x, child.x - 10
    to = f"V{to_y}H{end}"
    arrow = 5 if end >= gap else -5
    head = f"M{end - arrow} {to_y - 4}L{end} {to_y}L{end - arrow} {to_y + 4}"
    word = f"<title>{escape(say('graph.parent_word', lang))}</title>"
    line = _line("parent", f"M{start} {from_y}H{gap}{to}", LIGHT.soft, "1.4", ' stroke-dasharray="5 3"', word)
    return line + _line("parent", head, LIGHT.soft, "1.4")


# -- legend -------------------------------------------------------------------------------------------------


def legend_entries(graph: Graph) -> tuple[str, ...]:
    """Which kinds are in the picture, in the order of `style.KINDS`."""
    seen = {hue(thing) for thing in graph.things}
    seen |= {model.OUTLINES[mark] for thing in graph.things for mark in thing.marks if mark in model.OUTLINES}
    return tuple(kind for kind in KINDS if kind in seen)


def _legend_word(kind: str, graph: Graph) -> str:
    """What a kind is called: on the way to a goal, nothing is gone, but something may be missing."""
    marks = {mark for thing in graph.things for mark in thing.marks}
    mark = {"removed": model.MISSING, "added": model.EXTRA, "changed": model.MISPLACED}.get(kind)
    return say(f"kinds.{mark}" if mark in marks else f"graph.legend.{kind}", graph.lang)


def _legend(entries: Mapping[str, str], width: int) -> tuple[str, int]:
    """The strip below the picture, a word for each kind, and how high it is."""
    parts, x, y = [], 0, 0
    for kind, word in entries.items():
        wide = 26 + int(text_width(word)) + APART
        if x and x + wide > width:
            x, y = 0, y + LINE + TIGHT
        parts.append(
            f'<g class="legend k-{kind}">{_swatch(kind, x, y)}'
            f'<text class="caption" x="{x + 27}" y="{y + 11}" fill="{LIGHT.text}" font-size="{SMALL}">{escape(word)}</text></g>'
        )
        x += wide
    return "".join(parts), y + LINE


def _swatch(kind: str, x: int, y: int) -> str:
    if kind in ("added", "changed", "removed"):
        dash = ' stroke-dasharray="4 3"' if kind == "removed" else ""
        return f'<rect class="l" x="{x + 1}" y="{y + 1}" width="20" height="12" rx="4" fill="none" stroke="{LIGHT.kinds[kind].line}" stroke-width="3"{dash}/>'
    thing = {"dangling": model.IMAGE, "intermediate": model.IMAGE, "shared": "layer"}.get(kind, kind)
    return shape(thing, kind, x, y, 22, 14)
