"""A pull in a notebook: bars while it runs, and afterwards the same bars as part of the page.

A pull says one thing after another about each layer (`Progress`); what a person wants to see is one line a layer,
rewritten in place. `PullPicture` is that screen as a value: lines, each with a bar or without.

    14.04: Pulling from library/ubuntu
    6c953ac5d795: Pull complete          ████████████████  42.1kB
    d12c07e5cd7e: Already exists         ░░░░░░░░░░░░░░░░  46.1kB      another colour: nothing was fetched
    Digest: sha256:…
    Status: Downloaded newer image for ubuntu:14.04
    fetched 42.1kB · here already 46.1kB ████████░░░░░░░░  88.2kB      what sharing layers has saved

While the pull runs, the bars are ipywidgets, which live only as long as the page and the kernel. When it is over they
are closed, and the finished picture is published once, as HTML with its plain text beside it: that is what is saved,
what a reload or nbviewer shows, and what a check of the notebook compares. Where no page is open (a notebook that is
executed by a program) there are no widgets, and the same picture at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from imagelab.state.events import Progress
from imagelab.units import human_size
from imagelab.view.messages import say
from imagelab.view.style import LITERAL, STYLE, stylesheet

HERE = "Already exists"
DONE = {"Pull complete": "success", HERE: "info"}
"""Statuses that end a layer, and the widgets' word for the colour of its bar."""

PACE = 0.012
"""Seconds that a bar rests after each move, so that an eye can follow it: the built-in registry is too fast to see."""

LONGEST = 1.2
"""Seconds that a pull may be slowed down by this, all in all."""


@dataclass(slots=True)
class ProgressLine:
    """One line of the screen. `total` and `current` are bytes; 0 when there is nothing to measure."""

    id: str
    status: str
    current: int = 0
    total: int = 0
    layer: bool = False

    @property
    def text(self) -> str:
        return f"{self.id}: {self.status}" if self.id else self.status


@dataclass(slots=True)
class PullPicture:
    """The screen as it is now. `update` moves it on."""

    lines: list[ProgressLine] = field(default_factory=list)
    _layers: dict[str, ProgressLine] = field(default_factory=dict)

    def update(self, progress: Progress) -> ProgressLine:
        """Take in what the pull says; returns the line it is about."""
        if progress.status.startswith("Pulling from"):
            self._layers.clear()
        line = self._layers.get(progress.id)
        if line is None:
            layer = bool(progress.id) and not progress.status.startswith("Pulling from")
            line = ProgressLine(progress.id, progress.status, layer=layer)
            self.lines.append(line)
            if layer:
                self._layers[progress.id] = line
        line.status = progress.status
        if progress.total:
            line.current, line.total = progress.current, progress.total
        elif progress.size:
            line.total = progress.size
        if progress.status in DONE:
            line.current = line.total
        return line

    @property
    def text(self) -> str:
        """The screen as a terminal would leave it; each line ends in a newline."""
        return "".join(f"{line.text}\n" for line in self.lines)

    @property
    def sums(self) -> tuple[int, int, int]:
        """Bytes: (fetched so far, to be fetched in all, here already); a layer of several tags once."""
        layers = {line.id: line for line in self.lines if line.layer}.values()
        wanted = [line for line in layers if line.status != HERE]
        return (
            sum(line.current for line in wanted),
            sum(line.total for line in wanted),
            sum(line.total for line in layers if line.status == HERE),
        )

    def total(self, lang: str) -> str:
        """The sums in words; "" when nothing was measured."""
        fetched, wanted, here = self.sums
        words = {"fetched": human_size(fetched), "wanted": human_size(wanted), "here": human_size(here)}
        return say("pull.total" if fetched == wanted else "pull.broke_off", lang, **words) if wanted + here else ""

    @property
    def html(self) -> str:
        """The screen as HTML; bars stand where they stood when it was made."""
        return "".join(_html_line(line) for line in self.lines)

    def html_total(self, lang: str = "en") -> str:
        """A last line: how much was fetched, and how much did not have to be."""
        fetched, wanted, here = self.sums
        if not wanted + here:
            return ""
        shares = [f"{100 * part / (wanted + here):.1f}" for part in (fetched, here)]
        parts = "".join(
            f'<div style="width:{share}%;background:var(--{kind})"></div>'
            for kind, share in zip(("fetched", "here"), shares, strict=True)
        )
        size = human_size(wanted + here)
        return f'<div class="sum">{escape(self.total(lang))}</div><div class="track">{parts}</div><div class="size">{size}</div>'


def pull_html(before: str, picture: PullPicture, after: str, lang: str = "en") -> str:
    """A whole command: what it printed before the pull and after it, as lines around the picture, and the sums."""
    around = [
        "".join(f'<div class="line">{escape(line)}</div>' for line in text.splitlines()) for text in (before, after)
    ]
    return f'{STYLE}{stylesheet("pull")}<div class="imagelab {LITERAL}"><div class="pull">{around[0]}{picture.html}{around[1]}{picture.html_total(lang)}</div></div>'


def _end(line: ProgressLine) -> str:
    """The colour of a bar that has come to its end; "" while it moves. `docker load` says nothing more of a full one."""
    full = "success" if line.status == "Loading layer" and line.total and line.current >= line.total else ""
    return DONE.get(line.status, full)


def _html_line(line: ProgressLine) -> str:
    if not line.layer:
        return f'<div class="line">{escape(line.text)}</div>'
    kind = _end(line) or "unfinished"
    share = 100 if line.status in DONE else 100 * line.current // line.total if line.total else 0
    size = human_size(line.total) if line.total else ""
    bar = f'<div class="track"><div class="progress-bar-{kind}" style="width:{share}%"></div></div>'
    return f'<div>{escape(line.id)}</div><div>{escape(line.status)}</div>{bar}<div class="size">{size}</div>'


# -- while it runs ------------------------------------------------------------------------------------------


class NotebookProgress:
    """A ProgressSink that shows a pull in a notebook. `finish` ends it, also when it broke off.

    `watched`: is there a page with a person before it? Then there are widgets. `show` gets the picture at the end;
    a caller that shows it among other text takes `picture` instead.
    """

    def __init__(
        self,
        *,
        watched: bool = True,
        lang: str = "en",
        show: Callable[[Mapping[str, str]], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.picture = PullPicture()
        self.lang = lang
        self._watched, self._show, self._sleep = watched, show, sleep
        self._bars: Bars | None = None
        self._rested = 0.0

    def __call__(self, progress: Progress) -> None:
        line = self.picture.update(progress)
        if not (self._watched and line.layer):
            return
        if self._bars is None:
            self._bars = Bars.displayed()
            self._watched = self._bars is not None
        if self._bars is not None:
            self._bars.move(line)
            self._bars.sum(self.picture.total(self.lang))
            if progress.total and self._rested < LONGEST:
                self._rested += PACE
                self._sleep(PACE)

    def finish(self) -> None:
        """Close the widgets, publish the picture, and be ready for the next pull."""
        if self._bars is not None:
            self._bars.close()
        if self.picture.lines and self._show is not None:
            html = pull_html("", self.picture, "", self.lang)
            self._show({"text/plain": self.picture.text.rstrip("\n"), "text/html": html})
        self.picture, self._bars, self._rested = PullPicture(), None, 0.0


class Bars:
    """The widgets: a row for each layer, appearing as the layers do."""

    def __init__(self, widgets: Any) -> None:
        self._widgets = widgets
        self._box = widgets.VBox()
        self._rows: dict[int, tuple[ProgressLine, Any, Any]] = {}
        self._sum = widgets.Label("")

    @staticmethod
    def displayed() -> Bars | None:
        """On the page now; None where ipywidgets is not installed."""
        try:
            import ipywidgets
            from IPython.display import display
        except ImportError:
            return None
        bars = Bars(ipywidgets)
        display(bars._box)  # type: ignore[no-untyped-call]
        return bars

    def move(self, line: ProgressLine) -> None:
        """Make the line's row say what the line says."""
        _, bar, label = self._rows.get(id(line)) or self._row(line)
        if line.total:
            bar.max, bar.value = line.total, line.current
        if style := _end(line):
            bar.value, bar.bar_style = bar.max, style
        label.value = line.status + (f"  {human_size(line.total)}" if line.total else "")

    def sum(self, words: str) -> None:
        """What all rows come to, below them."""
        self._sum.value = words

    def _row(self, line: ProgressLine) -> tuple[ProgressLine, Any, Any]:
        widgets = self._widgets
        name = widgets.HTML(f"<code>{escape(line.id)}</code>", layout=widgets.Layout(width="8.5em"))
        bar = widgets.IntProgress(0, 0, 1, layout=widgets.Layout(width="18em"))
        label = widgets.Label("", layout=widgets.Layout(width="18em"))
        self._rows[id(line)] = row = (line, bar, label)
        rows = [child for child in self._box.children if child is not self._sum]
        self._box.children = (*rows, widgets.HBox([name, bar, label]), self._sum)
        return row

    def close(self) -> None:
        """Off the page, and out of the kernel."""
        for row in self._box.children:
            for widget in getattr(row, "children", ()):
                widget.close()
            row.close()
        self._box.close()


def publish(bundle: Mapping[str, str]) -> None:
    """One output of a cell, in several forms of which a page takes the richest it can show."""
    from IPython.display import display

    display(dict(bundle), raw=True)  # type: ignore[no-untyped-call]


def is_watched(environ: Mapping[str, str]) -> bool:
    """Is this kernel one that a person looks at? Jupyter's servers and the editors say so in the environment; a program
    that executes a notebook does not."""
    return "JPY_SESSION_NAME" in environ or any(key.startswith(("VSCODE_", "COLAB_")) for key in environ)
