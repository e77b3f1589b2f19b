"""A listing as an HTML table, made from its text: the two cannot differ.

Docker's tables are columns of a fixed width under a header in capitals; a column begins where a heading does. The
HTML takes its colours from JupyterLab, so that it suits a light and a dark theme, sets IDs in a fixed width, and marks
an image without a tag with a word as well as a colour.
"""

from __future__ import annotations

import re
from html import escape

NONE = "<none>"
_CODE = {"IMAGE ID", "ID", "DIGEST", "IMAGE", "CREATED BY"}
_RIGHT = {"SIZE", "DISK USAGE", "CONTENT SIZE", "SHARED SIZE", "UNIQUE SIZE", "TOTAL", "ACTIVE", "RECLAIMABLE"}
STYLE = (
    "<style>"
    ".imagelab-table{border-collapse:collapse;font-size:13px;margin:4px 0;color:var(--jp-ui-font-color1,#222)}"
    ".imagelab-table th{text-align:left;font-weight:600;font-size:11px;letter-spacing:.04em;padding:5px 14px 5px 10px;"
    "color:var(--jp-ui-font-color2,#555);border-bottom:2px solid var(--jp-border-color1,#bbb);background:none}"
    ".imagelab-table td{text-align:left;padding:4px 14px 4px 10px;border-bottom:1px solid var(--jp-border-color2,#ddd)}"
    ".imagelab-table tr{background:none}"
    ".imagelab-table .code{font-family:var(--jp-code-font-family,monospace);font-size:12px;white-space:pre}"
    ".imagelab-table .right{text-align:right;font-variant-numeric:tabular-nums}"
    ".imagelab-table .untagged td{color:var(--jp-ui-font-color2,#666);border-left-color:#b45309}"
    ".imagelab-table .untagged td:first-child{box-shadow:inset 3px 0 #b45309}"
    ".imagelab-table .mark{font-size:11px;color:#b45309;border:1px solid #b45309;border-radius:8px;padding:0 6px;"
    "margin-left:8px;white-space:nowrap}"
    "</style>"
)


def is_table(text: str) -> bool:
    """Does this look like one of Docker's tables: a header in capitals, columns three spaces apart?"""
    header = text.split("\n", 1)[0]
    return header == header.upper() and re.search(r"[A-Z] {3,}[A-Z]", header) is not None


def html_table(text: str, *, label: str = "") -> str:
    """The table as HTML; `label` is what a screen reader calls it."""
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        return ""
    starts = [match.start() for match in re.finditer(r"(?:^|(?<= {3}))\S", lines[0])]
    rows = [_cells(line, starts) for line in lines]
    head = "".join(f"<th{_class(name)}>{escape(name)}</th>" for name in rows[0])
    body = "".join(_row(row, rows[0]) for row in rows[1:])
    caption = f' aria-label="{escape(label)}"' if label else ""
    return f'{STYLE}<table class="imagelab-table"{caption}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cells(line: str, starts: list[int]) -> list[str]:
    ends: list[int | None] = [*starts[1:], None]
    return [line[start:end].rstrip() for start, end in zip(starts, ends, strict=True)]


def _row(cells: list[str], header: list[str]) -> str:
    untagged = NONE in cells[:2] and "TAG" in header
    shown = [f"<td{_class(name)}>{escape(cell)}</td>" for cell, name in zip(cells, header, strict=True)]
    if untagged:
        at = header.index("TAG")
        shown[at] = shown[at].replace("</td>", '<span class="mark">no tag</span></td>')
    return f'<tr class="untagged">{"".join(shown)}</tr>' if untagged else f"<tr>{''.join(shown)}</tr>"


def _class(name: str) -> str:
    kind = "code" if name in _CODE else "right" if name in _RIGHT else ""
    return f' class="{kind}"' if kind else ""
