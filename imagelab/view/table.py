"""A table that is made once and printed twice: as lines for a terminal, and as HTML for a page.

Table(("FILE", "SIZE"), (("a", "2 B"), ("b", Cell("3 kB", attributes=' title="3,072 B"'))))

.lines()   FILE  SIZE
           a     2 B
           b     3 kB
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imagelab.view.panel import aligned, escape


@dataclass(frozen=True, slots=True)
class Cell:
    """A text; `page` is what a page has instead of it, as HTML; `attributes` belong to the cell there."""

    text: str
    page: str | None = None
    attributes: str = ""

    def html(self, tag: str) -> str:
        return f"<{tag}{self.attributes}>{escape(self.text) if self.page is None else self.page}</{tag}>"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under their headings. `notes` are lines below it; `marks` the attributes of each row on a page, "" for none."""

    columns: Sequence[str | Cell]
    rows: Sequence[Sequence[str | Cell]]
    notes: tuple[str, ...] = ()
    marks: Sequence[str] = ()

    def lines(self, *, right: Sequence[int] = (), gap: int = 2) -> list[str]:
        """The table as text; `right`: the columns whose cells stand at the right."""
        rows = [[_cell(cell).text for cell in row] for row in (self.columns, *self.rows)] if self.rows else []
        return [*aligned(rows, right=right, gap=gap), *self.notes]

    def html(self, attributes: str = ' class="imagelab-table"') -> str:
        """The table as HTML, without its notes; "" for one that has neither headings nor rows."""
        head = f"<thead><tr>{_cells('th', self.columns)}</tr></thead>" if self.columns else ""
        marks = self.marks or [""] * len(self.rows)
        rows = "".join(f"<tr{mark}>{_cells('td', row)}</tr>" for mark, row in zip(marks, self.rows, strict=True))
        return f"<table{attributes}>{head}<tbody>{rows}</tbody></table>" if head or rows else ""


def headings(names: Iterable[str]) -> list[Cell]:
    """Names of columns, said to be that for a screen reader."""
    return [Cell(name, attributes=' scope="col"') for name in names]


def _cell(cell: str | Cell) -> Cell:
    return cell if isinstance(cell, Cell) else Cell(cell)


def _cells(tag: str, cells: Sequence[str | Cell]) -> str:
    return "".join(_cell(cell).html(tag) for cell in cells)
