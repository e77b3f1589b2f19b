"""Docker's listings as HTML, made from their text: the two cannot differ.

A table of Docker's is a header in capitals, and under it columns that begin where the headings do (three spaces apart
at least). `system df -v` prints several, each under a title. So a text is

    text  = (title | table)*        title  "Images space usage:"
    table = header row*             header "REPOSITORY   TAG       IMAGE ID"

and reading it back is enough to know the cells: `rows` gives them to Python, `html_table` to a page. The page's
colours are JupyterLab's own, with others to fall back on, so it suits a light theme, a dark one and a site that has
neither; IDs are set in a fixed width. An image without a tag is marked by a word as well as a colour.

Where styles are not allowed (a notebook nobody has trusted yet), a plain table with the same words is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

from imagelab.state.model import State
from imagelab.view.style import LITERAL, STYLE

NONE, UNTAGGED = "<none>", "<untagged>"

_HEADING = r"[A-Z][A-Z0-9/_.-]*(?: [A-Z0-9/_.-]+)*"
_HEADER = re.compile(rf"{_HEADING}(?: {{3,}}{_HEADING})+ *")
_ONE_COLUMN = re.compile(rf"{_HEADING} *")
_TITLE = re.compile(r"[A-Z][A-Za-z ]* usage:(?: \S+)?")

_HEX = re.compile(r"[0-9a-f]{12}|sha256:[0-9a-f]{64}")
_RIGHT = {"SIZE", "DISK USAGE", "CONTENT SIZE", "SHARED SIZE", "UNIQUE SIZE", "TOTAL", "ACTIVE", "RECLAIMABLE"}
_ID = ("IMAGE ID", "ID")
_NAME = {"REPOSITORY", "TAG"}

Mark = Callable[[str], str]
"""From an image ID as printed to a word about it; "" for nothing worth saying."""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells by row, under their headings. `title` is the line above, "" if there is none."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(slots=True)
class _Draft:
    title: str
    starts: list[int] = field(default_factory=list)
    lines: list[tuple[str, ...]] = field(default_factory=list)


def tables(text: str) -> tuple[Table, ...]:
    """The tables of a listing; none when the text is something else."""
    lines = text.rstrip("\n").split("\n")
    if not (_HEADER.fullmatch(lines[0]) or _TITLE.fullmatch(lines[0]) or _is_column(lines)):
        return ()
    drafts: list[_Draft] = []
    for line in lines:
        if _TITLE.fullmatch(line):
            drafts.append(_Draft(line.strip()))
        elif line.strip():
            if not drafts:
                drafts.append(_Draft(""))
            draft = drafts[-1]
            if not draft.starts:
                draft.starts = [match.start() for match in re.finditer(_HEADING, line)]
            draft.lines.append(_cells(line, draft.starts))
    return tuple(Table(draft.lines[0], tuple(draft.lines[1:]), draft.title) for draft in drafts if draft.lines)


def _is_column(lines: list[str]) -> bool:
    """A table of one column is its heading, and below it words that are not in capitals as well."""
    return bool(_ONE_COLUMN.fullmatch(lines[0])) and all(line.upper() != line for line in lines[1:])


def _cells(line: str, starts: list[int]) -> tuple[str, ...]:
    ends: list[int | None] = [*starts[1:], None]
    return tuple(line[start:end].strip() for start, end in zip(starts, ends, strict=True))


def is_table(text: str) -> bool:
    """Is this one of Docker's listings?"""
    return bool(tables(text))


def rows(text: str) -> list[dict[str, str]]:
    """Every row as `{heading: cell}`: `rows[0]["IMAGE ID"]`. Empty when the text is no listing."""
    return [
        dict(zip(table.headings, row, strict=True)) for table in tables(text) for row in table.rows
    ]  # fmt: skip


def image_mark(state: State) -> Mark:
    """Says of an image ID, short or long, whether that image is dangling or intermediate in `state`."""

    images = {digest.short: image for image in state.images.values() for digest in (image.target, image.id)}

    def mark(shown: str) -> str:
        image = images.get(shown.removeprefix("sha256:")[:12])
        if image is None:
            return ""
        return "dangling" if state.is_dangling(image.id) else "intermediate" if state.is_intermediate(image.id) else ""

    return mark


def no_mark(_: str) -> str:
    """Nothing to say."""
    return ""


def html_table(text: str, *, label: str = "", mark: Mark = no_mark) -> str:
    """A listing as HTML; "" when it is none. `label` is what a screen reader calls it."""
    found = tables(text)
    if not found:
        return ""
    return f'{STYLE}<div class="imagelab {LITERAL}">{"".join(_table(table, label, mark) for table in found)}</div>'


def _table(table: Table, label: str, mark: Mark) -> str:
    title = f'<div class="title">{escape(table.title)}</div>' if table.title else ""
    name = escape(table.title or label)
    head = "".join(f'<th scope="col"{_class(heading)}>{escape(heading)}</th>' for heading in table.headings)
    body = "".join(_row(row, table.headings, mark) for row in table.rows)
    caption = f' aria-label="{name}"' if name else ""
    start = f'{title}<table class="imagelab-table"{caption}>'
    return f"{start}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(cells: tuple[str, ...], headings: tuple[str, ...], mark: Mark) -> str:
    word = ""
    if NONE in cells or UNTAGGED in cells or not _NAME & set(headings):
        word = next((mark(cell) for cell, heading in zip(cells, headings, strict=True) if heading in _ID), "")
    shown = [
        f"<td{_class(heading, cell)}>{escape(cell)}{_badge(word) if at == _marked(headings) else ''}</td>"
        for at, (cell, heading) in enumerate(zip(cells, headings, strict=True))
    ]
    return f'<tr class="m">{"".join(shown)}</tr>' if word else f"<tr>{''.join(shown)}</tr>"


def _marked(headings: tuple[str, ...]) -> int:
    """The column that a mark goes to: TAG, or the first."""
    return headings.index("TAG") if "TAG" in headings else 0


def _badge(word: str) -> str:
    return f' <span class="mark">{word}</span>' if word else ""


def _class(heading: str, cell: str = "") -> str:
    kinds = ["r"] if heading in _RIGHT else ["c"] if heading == "CREATED BY" or _HEX.fullmatch(cell) else []
    if cell.startswith("sha256:"):
        kinds.append("d")
    if cell in (NONE, UNTAGGED, "<missing>"):
        kinds.append("n")
    return f' class="{" ".join(kinds)}"' if kinds else ""
