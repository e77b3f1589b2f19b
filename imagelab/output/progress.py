"""The stream of a pull, as Docker's client prints it (R2.14).

Without a terminal: one line for every status, bars left out. On a terminal: one line for each layer, rewritten in place,

    6c953ac5d795: Downloading [=====================>                    ]  4.096kB/9.2kB

and the lines without an id below each other as they come.
"""

from __future__ import annotations

from typing import TextIO

from imagelab.state.events import BAR_STATUSES, Progress, ProgressSink
from imagelab.units import human_size

CELLS = 50


def plain_line(progress: Progress) -> str:
    """One line without a bar."""
    return f"{progress.id}: {progress.status}" if progress.id else progress.status


def bar(progress: Progress, *, width: int = 200) -> str:
    """`[====>    ] 1.2MB/30MB`; without the bar itself on a narrow terminal."""
    if not progress.total:
        return ""
    sizes = f"{human_size(progress.current, digits=4):>8}/{human_size(progress.total, digits=4)}"
    if width <= 110:
        return sizes
    filled = min(progress.current * CELLS // progress.total, CELLS)
    head = "=" * filled + ">" if filled < CELLS else "=" * CELLS + ">"
    return f"[{head[: CELLS + 1]:<{CELLS}}] {sizes}"


def lines_to(out: TextIO) -> ProgressSink:
    """For a pipe or a file."""

    def write(progress: Progress) -> None:
        if progress.status not in BAR_STATUSES:
            out.write(plain_line(progress) + "\n")
            out.flush()

    return write


def terminal_to(out: TextIO, *, width: int = 80) -> ProgressSink:
    """For a terminal `width` columns wide: layers keep their line."""
    rows: dict[str, int] = {}
    shown: dict[str, str] = {}

    def write(progress: Progress) -> None:
        text = plain_line(progress)
        if not progress.id:
            alone = f"\x1b[2K\r{text} {bar(progress, width=width)}\r" if progress.total else f"{text}\n"
            out.write(alone + ("\n" if 0 < progress.total == progress.current else ""))
            out.flush()
            return
        if progress.status.startswith("Pulling from"):
            out.write(text + "\n")
            rows.clear()
            return
        if progress.total:
            text += f" {bar(progress, width=width)}"
        if shown.get(progress.id) == text:
            return
        shown[progress.id] = text
        new = progress.id not in rows
        if new:
            rows[progress.id] = len(rows)
            out.write("\n")
        up = len(rows) - rows[progress.id]
        out.write(f"\x1b[{up}A\x1b[2K\r{text[: max(width - 1, 20)]}\r\x1b[{up}B")
        out.flush()

    return write
