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
from collections.abc import Iterable, Mapping, Sequence
from html import escape as html_escape
from typing import ClassVar

from imagelab.view.style import panel, stylesheet

BUDGET = 4000
"""Bytes of one file that a panel shows."""


class Panel:
    """A value that shows itself: `text` in a terminal, `html` in a notebook.

    `kind` is its class on the page, and the stylesheet of that name; `sheets` are those it needs besides.
    """

    __slots__ = ()
    kind: ClassVar[str]
    sheets: ClassVar[tuple[str, ...]] = ()
    lang: str

    @property
    def title(self) -> str:
        """What the panel is called, on the page and by a screen reader."""
        raise NotImplementedError

    def lines(self) -> Iterable[str]:
        """The panel as lines of text."""
        raise NotImplementedError

    def body(self) -> str:
        """The panel as HTML, without its title."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """The panel as text, no line of it ended by spaces."""
        return "".join(f"{line.rstrip()}\n" for line in self.lines())

    @property
    def html(self) -> str:
        """The panel as HTML, with its styles."""
        styles = "".join(map(stylesheet, (*self.sheets, self.kind)))
        body = f"{styles}<h3>{escape(self.title)}</h3>{self.body()}"
        return panel(body, label=self.title, kind=self.kind, language=self.lang)

    def __repr__(self) -> str:
        return self.text.rstrip("\n")

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def escape(text: object) -> str:
    """Text for a page. What is no letter (a control character, half a name in no encoding) is shown by its number."""
    return html_escape(plain(str(text)))


def switch(name: str, choices: Mapping[str, str], checked: str) -> str:
    """The labels of a switch, each with its radio button: from values to what is said beside them."""
    return "".join(
        f'<label><input type="radio" name="{name}" value="{value}"{" checked" if value == checked else ""}>{escape(text)}</label>'
        for value, text in choices.items()
    )


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
    widths = [max((width(row[column]) for row in rows if column < len(row)), default=0) for column in range(columns)]
    padded = ([_padded(cell, widths[column], column in right) for column, cell in enumerate(row)] for row in rows)
    return [(" " * gap).join(cells).rstrip() for cells in padded]


def _padded(cell: str, wide: int, right: bool) -> str:
    space = " " * (wide - width(cell))
    return space + cell if right else cell + space


def preview(data: bytes, size: int) -> str:
    """The beginning of a file as text, or as a hex dump when it is none. `size`: how long all of it is, in bytes."""
    head = data[:BUDGET]
    try:
        text = head.decode("utf-8")
        text = text if _is_text(text) else ""
    except UnicodeDecodeError as error:
        text = head[: error.start].decode("utf-8") if error.start >= len(head) - 3 and len(head) < size else ""
    more = size - len(head)
    return (text or hexdump(head[:256])).rstrip("\n") + (f"\n… {more:,} B" if more > 0 else "")


def _is_text(text: str) -> bool:
    return all(letter.isprintable() or letter in "\n\t\r\f" for letter in text)


def hexdump(data: bytes) -> str:
    """As `hexdump -C` has it: the offset, sixteen bytes, and the letters among them."""
    lines = []
    for offset in range(0, len(data), 16):
        row = data[offset : offset + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{offset:08x}  {row.hex(' '):<47}  |{letters}|")
    return "\n".join(lines)
