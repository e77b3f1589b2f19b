"""Where everything of a layer graph goes: boxes with whole coordinates, the same on every machine.

No renderer is asked and no font is measured: a letter's width is looked up in a small table (a Chinese one is as wide as it is
high), rounded up, so that what is written fits its box in whatever sans serif the reader has.

    width of a slab     what stands on it, side by side; or its own words, if they are wider
    x                   from the left, in the order of reading
    y                   from the ground up: whatever stands on a slab begins at its upper edge
    towers              one for each layer on the ground; set side by side until a row is full
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from functools import cache

from imagelab.units import human_size
from imagelab.view.graph.model import DIGEST, FOLDED, LAYER, TAG, Graph, Thing
from imagelab.view.graph.text import kind_word, mark_words, status_word
from imagelab.view.style import APART, NEAR, SMALL, TIGHT, WIDE

ROW = 728
"""How wide a row of towers may get, in pixels, unless one alone is wider: what a notebook shows without scrolling."""

NARROWEST, WIDE_ENOUGH, WIDEST = 170, 176, 204
LINE = 15
"""From one line of words to the next."""
SEAM = 3
"""Between a slab and what stands on it."""

TITLE = 1.24
"""How much wider the same words are as a title: larger, and bold."""

_THIN, _FAT = set("iIljtfr.,:;'|!()[]/ -·"), set("mwMW@%—…ADGHNOQRU")


def text_width(text: str, *, mono: bool = False) -> float:
    """Pixels that a text takes at the small size; never less than it will."""
    return sum(_letter(letter, mono) for letter in text) * SMALL


@cache
def _letter(letter: str, mono: bool) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    if mono:
        return 0.61
    return 0.37 if letter in _THIN else 0.86 if letter in _FAT else 0.7 if letter.isupper() else 0.635


def fitted(text: str, width: float, *, mono: bool = False) -> str:
    """As much of a text as fits, with … for what does not: at the end, or of a name in its middle."""
    if text_width(text, mono=mono) <= width:
        return text
    keep = min(len(text), int(width / (0.3 * SMALL)) + 2)  # more letters than that never fit
    while keep > 1 and text_width(_cut(text, keep), mono=mono) > width:
        keep -= 1
    return _cut(text, keep)


def _cut(text: str, keep: int) -> str:
    if " " in text:
        return text[:keep].rstrip() + "…"
    return text[: keep // 2] + "…" + text[len(text) - (keep - keep // 2) :]


@dataclass(frozen=True, slots=True)
class BoxLine:
    """One line in a box: what stands left, and what stands right. Either may be set as code, or be the title."""

    left: str
    right: str = ""
    title: bool = False
    mono: bool = False

    @property
    def width(self) -> float:
        gap = NEAR if self.left and self.right else 0
        return text_width(self.left, mono=self.mono) * _scale(self) + gap + text_width(self.right)


def _scale(words: BoxLine) -> float:
    return (1.1 if words.mono else TITLE) if words.title else 1.0


@dataclass(frozen=True, slots=True)
class Box:
    """A thing's place: its upper left corner and its size, in pixels; `inset` is where its words begin."""

    thing: Thing
    x: int
    y: int
    width: int
    height: int
    inset: int
    lines: tuple[BoxLine, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """All boxes, in the order of reading, on a sheet; `ground` are lines (x, y, width) under the towers."""

    boxes: tuple[Box, ...]
    width: int
    height: int
    ground: tuple[tuple[int, int, int], ...]


def layout(graph: Graph) -> Layout:
    """Boxes for all things; the sheet has no margin."""
    sizes = _Sizes(graph)
    boxes: dict[str, Box] = {}
    ground: list[tuple[int, int, int]] = []
    top = width = 0
    for row in _rows(graph, sizes):
        bottom = top + max(sizes.height[thing.key] for thing in row)
        x = 0
        for thing in row:
            _place(graph, sizes, thing, x, bottom, boxes)
            ground.append((x, bottom + SEAM, sizes.width[thing.key]))
            x += sizes.width[thing.key] + WIDE
        width, top = max(width, x - WIDE), bottom + WIDE + APART
    return Layout(
        tuple(boxes[thing.key] for thing in graph.things), width, max(0, top - APART - WIDE + 2 * SEAM), tuple(ground)
    )


class _Sizes:
    """How much room each thing takes, with all that stands on it; found from the top down to the ground."""

    def __init__(self, graph: Graph) -> None:
        self.lines: dict[str, tuple[BoxLine, ...]] = {}
        self.own: dict[str, int] = {}
        self.width: dict[str, int] = {}
        self.height: dict[str, int] = {}
        for thing in reversed(graph.things):
            above = graph.on(thing.key)
            side_by_side = thing.kind in (LAYER, FOLDED)
            rows = lines(thing, graph.lang)
            width = max(_own_width(thing, rows), _span([self.width[each.key] for each in above], side_by_side))
            self.width[thing.key] = width
            self.lines[thing.key] = rows = wrapped(rows, width - inset(thing) - NEAR - 2)
            self.own[thing.key] = LINE * len(rows) + (TIGHT + 2 if thing.kind in (TAG, DIGEST) else NEAR + 2)
            self.height[thing.key] = self.own[thing.key] + self._above([each.key for each in above], side_by_side)

    def _above(self, keys: list[str], side_by_side: bool) -> int:
        heights = [self.height[key] + (SEAM if side_by_side else TIGHT) for key in keys]
        return max(heights, default=0) if side_by_side else sum(heights)


def _span(widths: list[int], side_by_side: bool) -> int:
    if not side_by_side:
        return max(widths, default=0)
    return sum(widths) + APART * max(0, len(widths) - 1)


def _own_width(thing: Thing, rows: tuple[BoxLine, ...]) -> int:
    """What its words would like, within limits: a long instruction is cut rather than have a picture too wide."""
    most = WIDEST if thing.kind in (TAG, DIGEST) else WIDE_ENOUGH
    return min(most, max(NARROWEST, int(max(words.width for words in rows) + inset(thing) + NEAR) + 3))


def inset(thing: Thing) -> int:
    """Where words begin, from the left edge."""
    return {TAG: WIDE + 2, DIGEST: APART + TIGHT}.get(thing.kind, NEAR + 2)


def _rows(graph: Graph, sizes: _Sizes) -> list[list[Thing]]:
    rows: list[list[Thing]] = []
    used = ROW
    for thing in graph.on(""):
        width = sizes.width[thing.key] + WIDE
        if not rows or used + width - WIDE > ROW:
            rows.append([])
            used = 0
        rows[-1].append(thing)
        used += width
    return rows


def _place(graph: Graph, sizes: _Sizes, tower: Thing, left: int, ground: int, boxes: dict[str, Box]) -> None:
    waiting = [(tower, left, ground, sizes.width[tower.key])]
    while waiting:
        thing, x, bottom, width = waiting.pop()
        height = sizes.own[thing.key]
        boxes[thing.key] = Box(
            thing, x, bottom - height, width, height, inset(thing), _fitted(sizes.lines[thing.key], width - inset(thing) - NEAR)
        )  # fmt: skip
        above = graph.on(thing.key)
        if thing.kind in (LAYER, FOLDED):
            alone = len(above) == 1
            left = x if alone else x + (width - _span([sizes.width[each.key] for each in above], True)) // 2
            for each in above:
                waiting.append((each, left, bottom - height - SEAM, width if alone else sizes.width[each.key]))
                left += sizes.width[each.key] + APART
        else:
            top = bottom - height - TIGHT
            for each in above:
                waiting.append((each, x, top, width))
                top -= sizes.own[each.key] + TIGHT


def _fitted(lines: tuple[BoxLine, ...], width: float) -> tuple[BoxLine, ...]:
    rooms = ((words, width - (text_width(words.right) + NEAR if words.right else 0)) for words in lines)
    return tuple(
        replace(words, left=fitted(words.left, room / _scale(words), mono=words.mono)) for words, room in rooms
    )


# -- what is written in a box -------------------------------------------------------------------------------


def lines(thing: Thing, lang: str) -> tuple[BoxLine, ...]:
    """Name and size; then what it is, and what is to be noted."""
    marks = " · ".join(mark_words(thing, lang))
    size = human_size(thing.size)
    match thing.kind:
        case "layer" if thing.about:
            return BoxLine(thing.about, size), BoxLine(thing.title, marks, mono=True)
        case "fold":
            return BoxLine(kind_word(thing, lang), size, title=True), BoxLine(thing.title, marks, mono=True)
        case "layer" | "image":
            return BoxLine(thing.title, size, title=True, mono=True), BoxLine(kind_word(thing, lang), marks)
        case "container":
            dot = "●" if thing.status in ("running", "paused") else "○"
            return BoxLine(f"{dot} {thing.title}", size, title=True), BoxLine(status_word(thing, lang), marks)
        case "digest":
            name, _, digest = thing.title.partition("@sha256:")
            return (BoxLine(f"{name}@sha256:{digest[:12]}"), *((BoxLine(marks),) if marks else ()))
        case _:
            return (BoxLine(thing.title, title=True), *((BoxLine(marks),) if marks else ()))


def wrapped(rows: tuple[BoxLine, ...], width: float) -> tuple[BoxLine, ...]:
    """The same in as many lines as that width needs; what stood right and has no room comes below."""
    first, *rest = rows
    fit = [first]
    for words in rest:
        if words.width <= width:
            fit.append(words)
            continue
        if words.right:
            fit.append(BoxLine(words.left, mono=words.mono))
        fit += map(BoxLine, _broken(words.right or words.left, width))
    return tuple(fit)


def _broken(text: str, width: float) -> list[str]:
    """Marks, as many on a line as fit."""
    rows = [""]
    for part in text.split(" · "):
        longer = f"{rows[-1]} · {part}" if rows[-1] else part
        if rows[-1] and text_width(longer) > width:
            rows.append(part)
        else:
            rows[-1] = longer
    return rows
