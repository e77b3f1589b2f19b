"""The same lab as Docker 1.13, 28 and 29 print it, below each other, with what has vanished marked.

    Docker 28   REPOSITORY  TAG     IMAGE ID      CREATED  SIZE
                mongo       3.2     956e5dbc24c9  ...
                mongo       <none>  c54ff281ebab  ...
    Docker 29   column gone: REPOSITORY, TAG, IMAGE ID, CREATED, SIZE      new: IMAGE, ID, DISK USAGE, CONTENT SIZE, EXTRA
                mongo:3.2   ...
                mongo       <none>  c54ff281ebab  ...        <- not listed any more: 29 hides images without a tag

The tables are what the command line prints, character by character (`cli.format`); the marks are made beside them, never in
them. A row is missing when its *image* is: IDs are other ones in 29, so rows are told apart by the image, not by the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from imagelab.output import eras
from imagelab.output import images as format
from imagelab.state.model import Image, State
from imagelab.view.html_table import DockerTable, tables
from imagelab.view.messages import say
from imagelab.view.panel import Panel, aligned, escape
from imagelab.view.style import chip
from imagelab.view.table import Cell, Table, headings

_HEX = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class EraListing:
    """What one Docker prints, and how that differs from the one before it."""

    era: str
    listing: str
    gone_columns: tuple[str, ...] = ()
    new_columns: tuple[str, ...] = ()
    gone_rows: tuple[tuple[str, ...], ...] = ()
    """Cells, as the Docker before listed them."""

    @property
    def table(self) -> DockerTable:
        return tables(self.listing)[0]


@dataclass(frozen=True, slots=True, repr=False)
class EraListings(Panel):
    """Three listings of one lab."""

    kind = "eras"

    views: tuple[EraListing, ...]
    lang: str

    @property
    def title(self) -> str:
        return say("eras.title", self.lang)

    def lines(self) -> Iterator[str]:
        yield self.title
        for view in self.views:
            yield from ("", *_lines(view, self.lang))

    def body(self) -> str:
        return f'<div class="all">{"".join(_html(view, self.lang) for view in self.views)}</div>'


def era_listings(listed: Sequence[Image], state: State, *, all: bool, now: int, tz: tzinfo, lang: str) -> EraListings:
    """The images of `docker images` (with `all`, of `docker images -a`) as each Docker prints them. `now`: nanoseconds since 1970."""
    options = format.ListOptions(all=all)
    views: list[EraListing] = []
    for era in eras.ERAS:
        view = EraListing(era, format.images(listed, state, options, era=era, now=now, tz=tz))
        views.append(_compared(view, views[-1], listed, state, all) if views else view)
    return EraListings(tuple(views), lang)


def _compared(view: EraListing, before: EraListing, listed: Sequence[Image], state: State, all: bool) -> EraListing:
    """The view with its differences: columns by their headings, and rows whose image this Docker hides."""
    then, now = before.table.columns, view.table.columns
    gone = {
        eras.image_id(image, before.era).short
        for image in listed
        if eras.hidden(state, image, view.era, all=all, dangling=None)
        and not eras.hidden(state, image, before.era, all=all, dangling=None)
    }
    column = next((column for column, name in enumerate(then) if name in ("IMAGE ID", "ID")), 0)
    return replace(
        view,
        gone_columns=tuple(name for name in then if name not in now),
        new_columns=tuple(name for name in now if name not in then),
        gone_rows=tuple(row for row in before.table.rows if row[column] in gone),
    )


def _title(view: EraListing, lang: str) -> str:
    book = f" ({say('eras.book', lang)})" if view.era == "1.13" else ""
    return say("eras.docker", lang, era=view.era) + book


def _lines(view: EraListing, lang: str) -> Iterator[str]:
    yield _title(view, lang)
    if view.gone_columns:
        yield f"  - {say('eras.column.gone', lang)}: {', '.join(view.gone_columns)}"
        yield f"  + {say('eras.column.new', lang)}: {', '.join(view.new_columns)}"
    yield from (f"  {line}" for line in view.listing.splitlines())
    yield from (f"  - {say('eras.row.gone', lang)}: {line}" for line in aligned(view.gone_rows, gap=3))


def _html(view: EraListing, lang: str) -> str:
    title = escape(_title(view, lang))
    gone = " ".join(chip(f"− {escape(name)}", "removed") for name in view.gone_columns)
    new = " ".join(chip(f"+ {escape(name)}", "added") for name in view.new_columns)
    notes = [f'<span class="note">{escape(say(f"eras.column.{word}", lang))}</span>' for word in ("gone", "new")]
    marks = f'<div class="row">{notes[0]} {gone} {notes[1]} {new}</div>' if gone else ""
    listing = Table(headings(view.table.columns), [_cells(row) for row in view.table.rows])
    label = Cell("", chip(escape(say("eras.row.gone", lang)), "removed"))
    lost = Table((), [[*_cells(row), label] for row in view.gone_rows], marks=[' class="gone"'] * len(view.gone_rows))
    table = listing.html(f' class="imagelab-table" aria-label="{title}"')
    return f'<div class="era"><h4>{title}</h4>{marks}{table}{lost.html()}</div>'


def _cells(row: Sequence[str]) -> list[Cell]:
    return [Cell(cell, attributes=' class="c"' if _HEX.fullmatch(cell) else "") for cell in row]
