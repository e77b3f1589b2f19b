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
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from imagelab.output import eras
from imagelab.output import images as format
from imagelab.state.model import Image, State
from imagelab.view.html_table import Table, tables
from imagelab.view.messages import say
from imagelab.view.panel import Shown, aligned, escape
from imagelab.view.style import chip, panel

_HEX = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class EraView:
    """What one Docker prints, and how that differs from the one before it."""

    era: str
    listing: str
    gone_columns: tuple[str, ...] = ()
    new_columns: tuple[str, ...] = ()
    gone_rows: tuple[tuple[str, ...], ...] = ()
    """Cells, as the Docker before listed them."""

    @property
    def table(self) -> Table:
        return tables(self.listing)[0]


@dataclass(frozen=True, slots=True, repr=False)
class EraLens(Shown):
    """Three listings of one lab."""

    views: tuple[EraView, ...]
    lang: str

    @property
    def text(self) -> str:
        return say("eras.title", self.lang) + "\n\n" + "\n".join(_text(view, self.lang) for view in self.views)

    @property
    def html(self) -> str:
        style = (
            "<style>.imagelab.eras .all{display:flex;flex-wrap:wrap;gap:0 36px;align-items:flex-start}"
            ".imagelab.eras .era{margin:0 0 20px;overflow-x:auto;min-width:0;max-width:100%}.imagelab.eras .era:last-child{max-width:600px}.imagelab.eras .gone td{text-decoration:line-through;"
            "background:var(--il-removed-fill);color:var(--il-removed-ink)}.imagelab.eras .gone td:last-child{text-decoration:none}</style>"
        )
        body = "".join(_html(view, self.lang) for view in self.views)
        title = escape(say("eras.title", self.lang))
        return panel(
            f'{style}<h3>{title}</h3><div class="all">{body}</div>',
            label=say("eras.title", self.lang),
            kind="eras",
            language=self.lang,
        )


def era_lens(listed: Sequence[Image], state: State, *, all: bool, now: int, tz: tzinfo, lang: str) -> EraLens:
    """The images of `docker images` (with `all`, of `docker images -a`) as each Docker prints them. `now`: nanoseconds since 1970."""
    options = format.ListOptions(all=all)
    views: list[EraView] = []
    for era in eras.ERAS:
        listing = format.images(listed, state, options, era=era, now=now, tz=tz)
        views.append(
            _compared(EraView(era, listing), views[-1], _vanished(listed, state, views[-1], era, all))
            if views
            else EraView(era, listing)
        )
    return EraLens(tuple(views), lang)


def _compared(view: EraView, before: EraView, gone_rows: tuple[tuple[str, ...], ...]) -> EraView:
    then, now = before.table.headings, view.table.headings
    return EraView(
        view.era, view.listing, tuple(name for name in then if name not in now), tuple(name for name in now if name not in then), gone_rows
    )  # fmt: skip


def _vanished(
    listed: Sequence[Image], state: State, before: EraView, era: str, all: bool
) -> tuple[tuple[str, ...], ...]:
    """Rows of the listing before whose image this Docker hides."""
    hidden = {
        eras.image_id(image, before.era).short
        for image in listed
        if eras.hidden(state, image, era, all=all, dangling=None)
        and not eras.hidden(state, image, before.era, all=all, dangling=None)
    }
    at = next((index for index, name in enumerate(before.table.headings) if name in ("IMAGE ID", "ID")), 0)
    return tuple(row for row in before.table.rows if row[at] in hidden)


def _title(view: EraView, lang: str) -> str:
    book = f" ({say('eras.book', lang)})" if view.era == "1.13" else ""
    return say("eras.docker", lang, era=view.era) + book


def _text(view: EraView, lang: str) -> str:
    lines = [_title(view, lang)]
    if view.gone_columns:
        lines.append(f"  - {say('eras.column.gone', lang)}: {', '.join(view.gone_columns)}")
        lines.append(f"  + {say('eras.column.new', lang)}: {', '.join(view.new_columns)}")
    lines += [f"  {line}".rstrip() for line in view.listing.splitlines()]
    lines += [f"  - {say('eras.row.gone', lang)}: {line}" for line in aligned(view.gone_rows, gap=3)]
    return "\n".join(lines) + "\n"


def _html(view: EraView, lang: str) -> str:
    gone = [chip(f"− {escape(name)}", "removed") for name in view.gone_columns]
    new = [chip(f"+ {escape(name)}", "added") for name in view.new_columns]
    said = [f'<span class="note">{escape(say(f"eras.column.{word}", lang))}</span>' for word in ("gone", "new")]
    marks = f'<div class="row">{said[0]} {" ".join(gone)} {said[1]} {" ".join(new)}</div>' if gone else ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in view.table.headings)
    rows = "".join(f"<tr>{_cells(row)}</tr>" for row in view.table.rows)
    ghosts = "".join(_ghost(row, lang) for row in view.gone_rows)
    table = f'<table class="imagelab-table" aria-label="{escape(_title(view, lang))}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    lost = f'<table class="imagelab-table"><tbody>{ghosts}</tbody></table>' if ghosts else ""
    return f'<div class="era"><h4>{escape(_title(view, lang))}</h4>{marks}{table}{lost}</div>'


def _ghost(row: tuple[str, ...], lang: str) -> str:
    return f'<tr class="gone">{_cells(row)}<td>{chip(escape(say("eras.row.gone", lang)), "removed")}</td></tr>'


def _cells(row: tuple[str, ...]) -> str:
    return "".join(
        f'<td class="c">{escape(cell)}</td>' if _HEX.fullmatch(cell) else f"<td>{escape(cell)}</td>" for cell in row
    )
