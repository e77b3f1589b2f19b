"""Docker's listings as HTML, made from their text: the two cannot differ.

A table of Docker's is a header in capitals, and under it columns that begin where the headings do (three spaces apart
at least). `system df -v` prints several, each under a title. So a text is

    text  = (title | table)*        title  "Images space usage:"
    table = header row*             header "REPOSITORY   TAG       IMAGE ID"

and reading it back is enough to know the cells: `rows` gives them to Python, `html_table` to a page. The page's
colours are JupyterLab's own, with others to fall back on, so it suits a light theme, a dark one and a site that has
neither; IDs are set in a fixed width. An image without a tag is marked by a word as well as a colour.

Where styles are not allowed (a notebook that its reader has not trusted yet), a plain table with the same words is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from imagelab.state.model import State
from imagelab.view.style import LITERAL, STYLE
from imagelab.view.table import Cell, Table

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
class DockerTable:
    """Cells by row, under their headings. `title` is the line above, "" if there is none."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


def tables(text: str) -> tuple[DockerTable, ...]:
    """The tables of a listing; none when the text is something else."""
    lines = text.rstrip("\n").split("\n")
    if not (_HEADER.fullmatch(lines[0]) or _TITLE.fullmatch(lines[0]) or _is_column(lines)):
        return ()
    blocks: list[tuple[str, list[str]]] = []
    for line in lines:
        if _TITLE.fullmatch(line):
            blocks.append((line.strip(), []))
        elif line.strip():
            if not blocks:
                blocks.append(("", []))
            blocks[-1][1].append(line)
    return tuple(_table(title, lines) for title, lines in blocks if lines)


def _table(title: str, lines: list[str]) -> DockerTable:
    starts = [match.start() for match in re.finditer(_HEADING, lines[0])]
    columns, *rows = (_cells(line, starts) for line in lines)
    return DockerTable(columns, tuple(rows), title)


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
    return [dict(zip(table.columns, row, strict=True)) for table in tables(text) for row in table.rows]


def image_mark(state: State) -> Mark:
    """Says of an image ID, short or long, whether that image is dangling or intermediate in `state`."""

    images = {digest.short: image for image in state.images.values() for digest in (image.target, image.id)}

    def mark(image_id: str) -> str:
        image = images.get(image_id.removeprefix("sha256:")[:12])
        if image is None:
            return ""
        return "dangling" if state.is_dangling(image.id) else "intermediate" if state.is_intermediate(image.id) else ""

    return mark


def no_mark(_: str) -> str:
    """Nothing to say."""
    return ""


def html_table(text: str, *, label: str = "", mark: Mark = no_mark) -> str:
    """A listing as HTML; "" when it is none. `label` is what a screen reader calls it."""
    pages = "".join(_page(table, label, mark) for table in tables(text))
    return f'{STYLE}<div class="imagelab {LITERAL}">{pages}</div>' if pages else ""


def _page(table: DockerTable, label: str, mark: Mark) -> str:
    title = f'<div class="title">{escape(table.title)}</div>' if table.title else ""
    name = escape(table.title or label)
    caption = f' aria-label="{name}"' if name else ""
    columns = [Cell(heading, escape(heading), f' scope="col"{_class(heading)}') for heading in table.columns]
    marks = [_mark(row, table.columns, mark) for row in table.rows]
    rows = [_marked(row, table.columns, word) for row, word in zip(table.rows, marks, strict=True)]
    page = Table(columns, rows, marks=[' class="m"' if word else "" for word in marks])
    return title + page.html(f' class="imagelab-table"{caption}')


def _mark(row: tuple[str, ...], columns: tuple[str, ...], mark: Mark) -> str:
    """The word about a row: only where a name is missing, or none is listed."""
    if not (NONE in row or UNTAGGED in row or not _NAME & set(columns)):
        return ""
    return next((mark(cell) for cell, heading in zip(row, columns, strict=True) if heading in _ID), "")


def _marked(row: tuple[str, ...], columns: tuple[str, ...], word: str) -> list[Cell]:
    """The cells of a row; a word about it stands at the tag, or in the first column."""
    place = columns.index("TAG") if "TAG" in columns else 0
    badge = f' <span class="mark">{word}</span>' if word else ""
    return [
        Cell(cell, escape(cell) + (badge if column == place else ""), _class(heading, cell))
        for column, (cell, heading) in enumerate(zip(row, columns, strict=True))
    ]


def _class(heading: str, cell: str = "") -> str:
    kinds = ["r"] if heading in _RIGHT else ["c"] if heading == "CREATED BY" or _HEX.fullmatch(cell) else []
    if cell.startswith("sha256:"):
        kinds.append("d")
    if cell in (NONE, UNTAGGED, "<missing>"):
        kinds.append("n")
    return f' class="{" ".join(kinds)}"' if kinds else ""
