"""Columns as Go's text/tabwriter lays them out, since that is what Docker prints with.

Cells are ended by a tab. A column is as wide as its widest cell plus 3 spaces, and at least 10 (before Docker 20.10:
20, hence the wide tables of the book, R3.2). A line's last cell has no tab after it and is not padded. A column lasts
as long as the lines next to each other have it; where they stop, the widths begin anew.
"""

from __future__ import annotations

from collections.abc import Sequence

PADDING = 3


def columns(lines: Sequence[str], *, minimum: int = 10) -> str:
    """Lines of tab-separated cells as text, each line ended."""
    rows = [line.split("\t") for text in lines for line in text.split("\n")]
    if len({len(row) for row in rows}) == 1:  # a listing: every column lasts from the first line to the last
        last = len(rows[0]) - 1
        column_widths = [
            max(minimum, max(map(len, column)) + PADDING) for column in list(zip(*rows, strict=True))[:last]
        ]
        line = "".join(f"{{:{width}}}" for width in column_widths) + "{}\n"
        return "".join([line.format(*row) for row in rows])
    widths = [[0] * (len(row) - 1) for row in rows]
    for number, row in enumerate(rows):
        for column in range(len(row) - 1):
            if not widths[number][column]:
                _measure(rows, widths, number, column, minimum)
    padded = (
        "".join(cell.ljust(width) for cell, width in zip(row, row_widths, strict=False)) + row[-1]
        for row, row_widths in zip(rows, widths, strict=True)
    )
    return "".join(line + "\n" for line in padded)


def _measure(rows: list[list[str]], widths: list[list[int]], first: int, column: int, minimum: int) -> None:
    """The width of one column, for as many lines as have it."""
    last = first
    while last < len(rows) and len(rows[last]) - 1 > column:
        last += 1
    width = max(minimum, *(len(rows[number][column]) + PADDING for number in range(first, last)))
    for number in range(first, last):
        widths[number][column] = width
