"""What all panels have in common: one value, and two printers that say the same.

    model  (a frozen value, computed from bytes)
      |------ .text    what a terminal, a screen reader and a git host show
      `------ .html    the same words in colour; opens and closes by <details> and radio buttons, without any script

Nothing in a panel waits for the kernel, so a saved notebook, nbviewer and a printed page show all of it. Where even the styles
are taken away, everything that a switch would hide is simply there, one after the other.

Text lines up in columns also when there is Chinese in it: such letters are two columns wide.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from html import escape as html_escape

BUDGET = 4000
"""Bytes of one file that a panel shows."""


BYTES = (
    "<style>.imagelab.panel pre.bytes{border-left:3px solid var(--line,var(--il-layer-line));padding:4px 10px;margin:4px 0 8px 24px;"
    "max-height:220px;overflow:auto}</style>"
)
"""What a file's bytes look like in a panel: `<pre class="bytes">`."""


class Shown:
    """A value that is a panel: `text` in a terminal, `html` in a notebook."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The panel as lines of text, none ended by spaces."""
        raise NotImplementedError

    @property
    def html(self) -> str:
        """The panel as HTML, with its styles."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.text.rstrip("\n")

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def escape(text: object) -> str:
    """Text for a page. What is no letter (a control character, half a name in no encoding) is shown by its number."""
    return html_escape(plain(str(text)))


def page_text(text: str) -> str:
    """Lines of text for a page, each escaped."""
    return "\n".join(escape(line.replace("\t", "    ")) for line in text.split("\n"))


def plain(text: str) -> str:
    """Text for a terminal: one line, and nothing in it that moves the cursor."""
    return "".join(c if c.isprintable() else f"\\x{ord(c) & 0xFF:02x}" for c in text)


def width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), gap: int = 2) -> list[str]:
    """Rows of cells as lines; `right`: the columns whose cells stand at the right. The last cell is not padded."""
    columns = max((len(row) for row in rows), default=0)
    widths = [max((width(row[at]) for row in rows if at < len(row)), default=0) for at in range(columns)]
    lines = []
    for row in rows:
        cells = [_padded(cell, widths[at], at in right) for at, cell in enumerate(row)]
        lines.append((" " * gap).join(cells).rstrip())
    return lines


def _padded(cell: str, wide: int, right: bool) -> str:
    space = " " * (wide - width(cell))
    return space + cell if right else cell + space


def preview(data: bytes, size: int) -> str:
    """The beginning of a file as text, or as a hex dump when it is none. `size`: how long all of it is, in bytes."""
    head = data[:BUDGET]
    try:
        shown = head.decode("utf-8")
    except UnicodeDecodeError as error:
        shown = head[: error.start].decode("utf-8") if error.start >= len(head) - 3 and len(head) < size else ""
        shown = shown or hexdump(head[:256])
    else:
        shown = shown if _is_text(shown) else hexdump(head[:256])
    more = size - len(head)
    return shown.rstrip("\n") + (f"\n… {more:,} B" if more > 0 else "")


def _is_text(text: str) -> bool:
    return all(letter.isprintable() or letter in "\n\t\r\f" for letter in text)


def hexdump(data: bytes) -> str:
    """As `hexdump -C` has it: the offset, sixteen bytes, and the letters among them."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:08x}  {row.hex(' '):<47}  |{letters}|")
    return "\n".join(lines)
