"""One visual language for everything a notebook shows: colours, type sizes, distances, and the CSS they make.

A *kind* of thing (a layer, an image, a tag ...) has one look wherever it turns up, in the graph, in a bar or in a badge:

    kind           hue (after Okabe and Ito)   never colour alone: it is also
    layer          blue                        a slab
    shared         bluish green                a slab with a double edge, "shared by 3"
    image          ink on paper                a card
    tag            yellow                      a label with a hole
    digest         grey                        a label without one
    dangling       vermilion                   a dashed octagon, "dangling"
    intermediate   purple                      a dotted card, "intermediate"
    container      sky blue                    a box, "running" or "exited"
    added, changed, removed                    green, orange, vermilion: "new", "changed", "gone"

These hues can be told apart by people who see red and green alike. Each kind has three colours for a light page and three
for a dark one: `fill`, the `line` round it, and the `ink` for words on the fill. The ink is at least 4.5 times as bright
or as dark as the fill, and the line 3 times as the page (WCAG); a test holds that, so a colour can be changed without fear.

Around these the page's own colours are used: JupyterLab's variables, each with a colour to fall back on where there are none.
Type comes in four sizes and distances in four, and nothing uses a fifth.

The rules are in `assets/`, a file for each kind of panel and named after its class. `STYLE` is what every output brings along
(tables need no more); panels add `panel.css`:

    <div class="imagelab panel">  ...  </div>      .row .chip .note .card .bar .switch .keys .hidden; class "k-dangling" colours
                                                    an element as its kind, with var(--fill), var(--line) and var(--ink)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template

SMALL, CODE, TEXT, TITLE = 11, 12, 13, 16
"""Type, in CSS pixels."""

TIGHT, NEAR, APART, WIDE = 4, 8, 12, 20
"""Distances, in CSS pixels."""


@dataclass(frozen=True, slots=True)
class Color:
    """How one kind of thing looks on one page; colours as `#rrggbb`."""

    fill: str
    line: str
    ink: str


@dataclass(frozen=True, slots=True)
class Theme:
    """A page: its background, its words, its quiet words and its thin lines; and each kind on it."""

    page: str
    text: str
    soft: str
    rule: str
    focus: str
    kinds: dict[str, Color]


LIGHT = Theme(
    page="#ffffff", text="#1f2933", soft="#5a6673", rule="#d5dbe1", focus="#0067b8",
    kinds={
        "layer": Color("#dcebf8", "#3f7fb5", "#143a5a"),
        "shared": Color("#d3efe4", "#1b8a66", "#0b4634"),
        "image": Color("#ffffff", "#3b4754", "#1f2933"),
        "tag": Color("#fdf0b8", "#9b7a08", "#4d3c00"),
        "digest": Color("#eceff2", "#71808e", "#36424d"),
        "dangling": Color("#fbdccb", "#c2500b", "#6b2a02"),
        "intermediate": Color("#f2dfec", "#a8568a", "#5b2a49"),
        "container": Color("#d6f1fa", "#1c84ad", "#0a4359"),
        "added": Color("#d3efe4", "#1b8a66", "#0b4634"),
        "changed": Color("#fce7c3", "#a86700", "#573600"),
        "removed": Color("#fbdccb", "#c2500b", "#6b2a02"),
    },
)  # fmt: skip

DARK = Theme(
    page="#111111", text="#e6eaee", soft="#a3adb8", rule="#3a434c", focus="#6cb6ff",
    kinds={
        "layer": Color("#17354f", "#5f9fd4", "#d4e8fa"),
        "shared": Color("#0f3d30", "#41b58d", "#cdf3e5"),
        "image": Color("#22282e", "#a3adb8", "#f0f3f6"),
        "tag": Color("#433707", "#d3ae2c", "#fbeeb4"),
        "digest": Color("#2c333a", "#8996a3", "#dde3e8"),
        "dangling": Color("#52230a", "#ef8345", "#fde0d0"),
        "intermediate": Color("#43203a", "#d38abb", "#f7e0ef"),
        "container": Color("#0c3b4e", "#4fb9e0", "#d3f1fc"),
        "added": Color("#0f3d30", "#41b58d", "#cdf3e5"),
        "changed": Color("#4a3206", "#e0a340", "#fdeaca"),
        "removed": Color("#52230a", "#ef8345", "#fde0d0"),
    },
)  # fmt: skip

KINDS = tuple(LIGHT.kinds)


def contrast(color: str, background: str) -> float:
    """How well one colour is read on another: 1 (not at all) to 21, as WCAG 2 counts. Colours as `#rrggbb`."""
    low, high = sorted((_luminance(color), _luminance(background)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# -- as CSS -------------------------------------------------------------------------------------------------

ASSETS = Path(__file__).parent / "assets"
"""The folder with the styles and scripts of all panels."""


def asset(name: str) -> str:
    """A file of `assets/`."""
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def rules(name: str) -> str:
    """The rules of `assets/<name>.css` one after the other, with the sizes and colours of this module filled in."""
    lines = (line for line in asset(f"{name}.css").splitlines() if not line.startswith("/*"))
    return Template("".join(lines)).substitute(_values())


def stylesheet(name: str) -> str:
    """The same as an element."""
    return f"<style>{rules(name)}</style>"


def _values() -> dict[str, object]:
    sizes = dict(SMALL=SMALL, CODE=CODE, TEXT=TEXT, TITLE=TITLE, TIGHT=TIGHT, NEAR=NEAR, APART=APART, WIDE=WIDE)
    dark = f"[data-jp-theme-light=false] .imagelab{{{_variables(DARK)}}}"
    lines = {
        f"{page}_{kind}_line": color.line
        for page, theme in (("light", LIGHT), ("dark", DARK))
        for kind, color in theme.kinds.items()
    }
    return {**sizes, **lines, "COLORS": f".imagelab{{{_variables(LIGHT)}}}{dark}{_kinds()}"}


def _variables(theme: Theme) -> str:
    """`--il-page`, `--il-rule`, `--il-focus`, and for every kind `--il-tag-fill`, `-line` and `-ink`."""
    page = f"--il-page:{theme.page};--il-rule:{theme.rule};--il-focus:{theme.focus};"
    return page + "".join(f"--il-{kind}-{part}:{value};" for kind, part, value in _colors(theme))


def _colors(theme: Theme) -> Iterator[tuple[str, str, str]]:
    for kind, color in theme.kinds.items():
        yield from ((kind, "fill", color.fill), (kind, "line", color.line), (kind, "ink", color.ink))


def _kinds() -> str:
    return "".join(
        f".imagelab .k-{kind}{{--fill:var(--il-{kind}-fill);--line:var(--il-{kind}-line);--ink:var(--il-{kind}-ink)}}"
        for kind in KINDS
    )


STYLE = stylesheet("page")
"""Names for the page's colours, and tables."""


def chip(word: str, kind: str = "") -> str:
    """A word in a coloured pill; `kind` is one of KINDS, "" for a quiet one. `word` is HTML already."""
    return f'<span class="chip{f" k-{kind}" if kind else ""}">{word}</span>'


LITERAL = "mathjax_ignore"
"""A class for what is to be shown as it is: JupyterLab takes `$A … $` and `\\( … \\)` in a page for mathematics."""


def panel(body: str, *, label: str, kind: str = "", language: str = "en") -> str:
    """A panel around `body` (HTML), with all the CSS it needs. `label` (plain text) is what a screen reader calls it; `kind` one more class.

    While something in it has the focus, keys are its own: the arrows move a switch, not the notebook's selection.
    """
    body = re.sub(r"<(summary|input|button)\b", r"<\1 data-lm-suppress-shortcuts", body)
    classes = f"imagelab panel {LITERAL} {kind}".rstrip()
    lang = "zh-CN" if language == "zh" else language
    return f'{STYLE}{stylesheet("panel")}<div class="{classes}" role="group" lang="{lang}" aria-label="{escape(label)}">{body}</div>'
