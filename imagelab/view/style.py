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

`STYLE` is what every output brings along (tables need no more); `PANEL` is added by panels:

    <div class="imagelab panel">  ...  </div>      .row .chip .note .card .bar .switch .keys .hidden; class "k-dangling" colours
                                                    an element as its kind, with var(--fill), var(--line) and var(--ink)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SMALL, CODE, TEXT, TITLE = 11, 12, 13, 16
"""Type, in CSS pixels."""

TIGHT, NEAR, APART, WIDE = 4, 8, 12, 20
"""Distances, in CSS pixels."""

SANS = "var(--jp-ui-font-family,system-ui,-apple-system,'Segoe UI','Noto Sans','Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif)"
MONO = "var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace)"


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


def contrast(one: str, other: str) -> float:
    """How well one colour is read on the other: 1 (not at all) to 21, as WCAG 2 counts. Colours as `#rrggbb`."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# -- as CSS -------------------------------------------------------------------------------------------------

STYLE = (
    "<style>"
    ".imagelab{--il-text:var(--jp-ui-font-color1,#222);--il-soft:var(--jp-ui-font-color2,#666);"
    "--il-line:var(--jp-border-color2,#8885);--il-mark:#b45309;--il-mono:var(--jp-code-font-family,monospace);"
    "color:var(--il-text);font-size:13px;line-height:1.4;overflow-x:auto}"
    "[data-jp-theme-light=false] .imagelab{--il-mark:#f5a04c}"
    ".imagelab .imagelab-table{border-collapse:collapse;margin:4px 0 6px;font-size:13px;color:inherit}"
    ".imagelab .imagelab-table :is(th,td){text-align:left;vertical-align:baseline;padding:4px 22px 4px 8px;border:0;"
    "border-bottom:1px solid var(--il-line);white-space:pre;max-width:none}"
    ".imagelab .imagelab-table th{font-size:11px;font-weight:600;letter-spacing:.05em;color:var(--il-soft)}"
    ".imagelab .imagelab-table thead tr{background:none}"
    ".imagelab .imagelab-table tbody tr{background:none}"
    ".imagelab .imagelab-table tbody tr:hover{background:var(--jp-rendermime-table-row-hover-background,#8881)}"
    ".imagelab .imagelab-table .c{font-family:var(--il-mono);font-size:12px}"
    ".imagelab .imagelab-table .r{text-align:right;font-variant-numeric:tabular-nums}"
    ".imagelab .imagelab-table .d{white-space:normal;overflow-wrap:anywhere;min-width:24em}"
    ".imagelab .imagelab-table .n{color:var(--il-soft)}"
    ".imagelab .imagelab-table tr.m td:first-child{box-shadow:inset 3px 0 var(--il-mark)}"
    ".imagelab .mark{font-size:11px;color:var(--il-mark);border:1px solid;border-radius:9px;padding:0 7px;"
    "margin-left:8px}"
    ".imagelab .title{font-weight:600;margin:8px 0 2px}"
    "</style>"
)
"""Names for the page's colours, and tables."""


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


PANEL = (
    "<style>"
    f".imagelab{{{_variables(LIGHT)}}}"
    f"[data-jp-theme-light=false] .imagelab{{{_variables(DARK)}}}"
    f"{_kinds()}"
    f".imagelab.panel{{font-family:{SANS};font-size:{TEXT}px;padding:{APART}px;border:1px solid var(--il-rule);border-radius:{NEAR}px;"
    f"max-width:100%;box-sizing:border-box}}"
    f".imagelab.panel :is(code,pre,kbd,.mono){{font-family:{MONO};font-size:{CODE}px;background:none;color:inherit;padding:0;border:0}}"
    f".imagelab.panel pre{{white-space:pre-wrap;overflow-wrap:anywhere;margin:{TIGHT}px 0}}"
    f".imagelab.panel :is(h3,h4){{font-size:{TITLE}px;line-height:1.3;font-weight:600;margin:0 0 {NEAR}px}}"
    f".imagelab.panel h4{{font-size:{TEXT}px;margin:{APART}px 0 {TIGHT}px}}"
    f".imagelab.panel p{{margin:0 0 {NEAR}px}}"
    f".imagelab .row{{display:flex;flex-wrap:wrap;gap:{NEAR}px {APART}px;align-items:center}}"
    f".imagelab .row.top{{align-items:flex-start}}"
    f".imagelab .note{{color:var(--il-soft);font-size:{CODE}px}}"
    f".imagelab .chip{{display:inline-block;font-size:{SMALL}px;line-height:1.5;padding:1px {NEAR}px;border-radius:10px;white-space:nowrap;"
    "background:var(--fill,transparent);color:var(--ink,inherit);border:1px solid var(--line,var(--il-rule))}"
    f".imagelab .card{{padding:{NEAR}px {APART}px;border-radius:6px;border:1px solid var(--line,var(--il-rule));"
    "background:var(--fill,transparent);color:var(--ink,inherit)}"
    f".imagelab .bar{{display:flex;height:{WIDE}px;border-radius:{TIGHT}px;overflow:hidden;border:1px solid var(--il-rule)}}"
    f".imagelab .bar>*{{background:var(--fill);color:var(--ink);font-size:{SMALL}px;line-height:{WIDE}px;text-align:center;overflow:hidden;"
    "white-space:nowrap;min-width:2px}"
    f".imagelab .switch{{display:inline-flex;flex-wrap:wrap;border:1px solid var(--il-rule);border-radius:6px;overflow:hidden;margin:0 0 {NEAR}px}}"
    f".imagelab .switch label{{padding:{TIGHT}px {APART}px;cursor:pointer;border-right:1px solid var(--il-rule);font-size:{CODE}px}}"
    ".imagelab .switch label:last-child{border-right:0}"
    ".imagelab .switch label:has(input:checked){background:var(--il-layer-fill);color:var(--il-layer-ink);font-weight:600}"
    ".imagelab .switch label:has(input:focus-visible){outline:2px solid var(--il-focus);outline-offset:-2px}"
    f".imagelab .switch input{{margin:0 {TIGHT}px 0 0;accent-color:var(--il-layer-line)}}"
    f".imagelab.panel summary{{cursor:pointer;padding:{TIGHT}px 0}}"
    ".imagelab.panel :is(summary,button,input,[tabindex]):focus-visible{outline:2px solid var(--il-focus);outline-offset:2px}"
    f".imagelab.panel button{{font:inherit;font-size:{CODE}px;padding:{TIGHT}px {APART}px;border-radius:6px;border:1px solid var(--il-rule);"
    "background:transparent;color:inherit;cursor:pointer}"
    ".imagelab.panel button:disabled{opacity:.5;cursor:default}"
    ".imagelab .picture{max-width:100%;height:auto;display:block;color-scheme:light}"
    "[data-jp-theme-light=false] .imagelab .picture{color-scheme:dark}"
    f".imagelab .keys{{color:var(--il-soft);font-size:{SMALL}px}}"
    f".imagelab .keys kbd{{border:1px solid var(--il-rule);border-radius:3px;padding:0 {TIGHT}px}}"
    ".imagelab .hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}"
    "@media (prefers-reduced-motion:reduce){.imagelab *{transition:none!important;animation:none!important}}"
    "</style>"
)
"""What panels add to STYLE: the kinds' colours, and the pieces that panels are made of."""

SPLIT = (
    f"<style>.imagelab .split{{display:flex;flex-wrap:wrap;gap:0 {WIDE}px;align-items:flex-start}}"
    ".imagelab .split>div{flex:1 1 380px;min-width:0;overflow-x:auto}.imagelab .split>.picture{min-width:0}</style>"
)
"""For panels with a picture: `<div class="split">` puts what is said of it beside it where there is room, else below it."""


def chip(word: str, kind: str = "") -> str:
    """A word in a coloured pill; `kind` is one of KINDS, "" for a quiet one. `word` is HTML already."""
    return f'<span class="chip{f" k-{kind}" if kind else ""}">{word}</span>'


LITERAL = "mathjax_ignore"
"""A class for what is to be shown as it is: JupyterLab takes `$A … $` and `\\( … \\)` in a page for mathematics."""


def panel(body: str, *, label: str, kind: str = "", language: str = "en") -> str:
    """A panel around `body` (HTML), with all the CSS it needs. `label` (plain text) is what a screen reader calls it; `kind` one more class.

    While something in it has the focus, keys are its own: the arrows move a switch, not the notebook's selection.
    """
    import re
    from html import escape

    body = re.sub(r"<(summary|input|button)\b", r"<\1 data-lm-suppress-shortcuts", body)

    classes = f"imagelab panel {LITERAL} {kind}".rstrip()
    lang = "zh-CN" if language == "zh" else language
    return f'{STYLE}{PANEL}<div class="{classes}" role="group" lang="{lang}" aria-label="{escape(label)}">{body}</div>'
