"""A pull in a notebook: a bar for each layer while it runs, and when it is over the lines a terminal would show last.

The bars are ipywidgets, updated in place. Widgets do not survive a reload; the text below them does, and it is what
Docker leaves on the screen:

    14.04: Pulling from library/ubuntu
    6c953ac5d795: Pull complete
    Digest: sha256:…
    Status: Downloaded newer image for ubuntu:14.04
"""

from __future__ import annotations

import sys
from typing import Any

from imagelab.cli.progress import plain_line
from imagelab.events import Progress
from imagelab.units import human_size


class NotebookProgress:
    """A ProgressSink for one notebook; `finish` ends a pull that broke off."""

    def __init__(self) -> None:
        self._lines: dict[str, str] = {}
        self._bars: _Bars | None = None

    def __call__(self, progress: Progress) -> None:
        key = progress.id if progress.id and not progress.status.startswith("Pulling from") else plain_line(progress)
        if not progress.total:
            self._lines[key] = plain_line(progress)
        if progress.id and key == progress.id:
            self._bars = self._bars or _bars()
            if self._bars is not None:
                self._bars.show(progress)
        if progress.status.startswith("Status: "):
            self.finish()

    def finish(self) -> None:
        """Leave the text, and let go of the bars."""
        if self._lines:
            sys.stdout.write("".join(f"{line}\n" for line in self._lines.values()))
            sys.stdout.flush()
        self._lines, self._bars = {}, None


def _bars() -> _Bars | None:
    try:
        return _Bars()
    except ImportError:
        return None


class _Bars:
    """One row a layer: its short digest, a bar, what is happening."""

    def __init__(self) -> None:
        import ipywidgets
        from IPython.display import display

        class PullBars(ipywidgets.VBox):
            """Its text is empty: what a pull says in words is printed when it is over."""

            def __repr__(self) -> str:
                return ""

        self._widgets = ipywidgets
        self._box = PullBars()
        self._rows: dict[str, tuple[Any, Any]] = {}
        display(self._box)

    def show(self, progress: Progress) -> None:
        bar, label = self._rows.get(progress.id) or self._row(progress.id)
        if progress.total:
            bar.max, bar.value = progress.total, progress.current
        if progress.status == "Extracting":
            return
        if progress.status in ("Pull complete", "Already exists"):
            bar.value, bar.bar_style = bar.max, "success" if progress.status == "Pull complete" else "info"
        size = f" {human_size(progress.current)} / {human_size(progress.total)}" if progress.total else ""
        label.value = progress.status + size

    def _row(self, short: str) -> tuple[Any, Any]:
        w = self._widgets
        name = w.HTML(f"<code>{short}</code>", layout=w.Layout(width="110px"))
        bar = w.IntProgress(0, 0, 1, layout=w.Layout(width="320px"))
        label = w.Label("", layout=w.Layout(width="260px"))
        self._rows[short] = bar, label
        self._box.children = (*self._box.children, w.HBox([name, bar, label]))
        return bar, label
