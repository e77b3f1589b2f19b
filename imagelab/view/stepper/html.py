"""The stepper as a page: a list of steps to fold open, which a script, where there is one, turns into a slider with keys.

Everything is in the page, a step's picture as an image with the sentences as its text, so stepping shows and hides and computes
nothing. The script adds the controls only when it runs; without it (a git host, an untrusted notebook, a print) the list is
complete. It takes keys only while the panel has the focus, and keeps them from the notebook. Playing stands still for readers
who asked for less motion: there, space is one step forward.
"""

from __future__ import annotations

from imagelab.view.graph.lab_graph import image as picture_of
from imagelab.view.html_table import DockerTable, tables
from imagelab.view.messages import say
from imagelab.view.panel import escape
from imagelab.view.stepper.overlay import Overlay
from imagelab.view.stepper.widget import (
    MOST_EVENTS,
    Frame,
    Listing,
    Stepper,
    command_of,
    event_text,
    notes,
    overlay_table,
)
from imagelab.view.style import LITERAL, asset, chip, panel
from imagelab.view.table import Table, headings

PACE = 1600
"""Milliseconds that playing stays on a step."""
FILES = ' class="imagelab-table files"'
TIMES = {"CREATED", "STATUS"}
"""Columns that change by themselves."""
_BUTTONS = (
    ("Home", "|←", "first"),
    ("ArrowLeft", "←", "previous"),
    (" ", "▶", "play"),
    ("ArrowRight", "→", "next"),
    ("End", "→|", "last"),
)


def page(stepper: Stepper, html: str) -> str:
    """The whole panel, which takes the focus; where there are no steps, the sentence that says so."""
    if not stepper.frames:
        sentence = escape(say("stepper.empty", stepper.lang))
        return panel(f"<p>{sentence}</p>", label=stepper.title, kind="stepper", language=stepper.lang)
    start = f'<div class="imagelab panel {LITERAL} stepper"'
    return html.replace(start, start.replace("<div", '<div tabindex="0"'), 1)


def body(stepper: Stepper) -> str:
    """The controls, the steps, and the script that makes them one."""
    frames, lang = stepper.frames, stepper.lang
    steps = "".join(_step(frame, n, len(frames), n == stepper.start + 1, lang) for n, frame in enumerate(frames, 1))
    script = asset("stepper.js").replace("START", str(stepper.start)).replace("PACE", str(PACE))
    return f"{_controls(len(frames), lang)}<ol>{steps}</ol><script>\n{script}</script>"


def _controls(total: int, lang: str) -> str:
    words = {name: escape(say(f"stepper.{name}", lang)) for name in ("play", "pause", "title", "keys")}
    play = f' class="play" data-play="{words["play"]}" data-pause="{words["pause"]}"'
    buttons = "".join(
        f'<button type="button" data-key="{key}" aria-label="{escape(say(f"stepper.{name}", lang))}"{play if name == "play" else ""}>{sign}</button>'
        for key, sign, name in _BUTTONS
    )
    slider = f'<input type="range" min="1" max="{total}" value="1" aria-label="{words["title"]}"><output></output>'
    return f'<div class="controls">{buttons}{slider}<span class="keys">{words["keys"]}</span></div>'


def _step(frame: Frame, number: int, total: int, is_open: bool, lang: str) -> str:
    marks = "".join(f" {chip(escape(text), 'changed')}" for text in notes(frame, lang))
    count = f'<span class="note">{escape(say("stepper.step", lang, number=number, total=total))}</span>'
    summary = f'<summary>{count} <code class="cmd">{escape(command_of(frame, lang))}</code>{marks}</summary>'
    names = [f'<span class="mono">{escape(event_text(event))}</span>' for event in frame.events[:MOST_EVENTS]]
    label = escape(say("stepper.events", lang))
    events = f'<div class="row" aria-label="{label}">{" ".join(map(chip, names))}</div>' if names else ""
    stacks = "".join(_overlay(stack, lang) for stack in frame.overlays)
    listings = "".join(_listing(listing, lang) for listing in frame.listings)
    split = f'<div class="split">{picture_of(frame.graph)}<div>{stacks}</div></div>'
    opened = " open" if is_open else ""
    return f'<li data-step="{frame.number}"><details{opened}>{summary}{events}{split}{listings}</details></li>'


# -- a container's files, and Docker's listings -------------------------------------------------------------


def _overlay(stack: Overlay, lang: str) -> str:
    table = overlay_table(stack, lang)
    notes = "".join(f"<p>{escape(text)}</p>" for text in table.notes)
    title = escape(say("stepper.stack", lang, name=stack.container))
    return f"<h4>{title}</h4>{table.html(FILES)}{notes}"


def _listing(listing: Listing, lang: str) -> str:
    title = f"<code>{escape(listing.title)}</code>"
    before, after = tables(listing.before), tables(listing.after)
    if not before or not after or listing.before == listing.after:
        unchanged = f'<h4>{title} <span class="note">{escape(say("stepper.unchanged", lang))}</span></h4>'
        return unchanged + (_table(after[0], after[0], "") if after else "")
    sides = (("before", _table(before[0], after[0], "is-gone")), ("after", _table(after[0], before[0], "is-new")))
    pair = "".join(
        f'<div><span class="note">{escape(say(f"stepper.{side}", lang))}</span>{table}</div>' for side, table in sides
    )
    return f'<h4>{title}</h4><div class="pair">{pair}</div>'


def _table(table: DockerTable, against: DockerTable, mark: str) -> str:
    """A listing; rows that the one it is held against lacks are marked."""
    known = {_lasting(against, row) for row in against.rows}
    marks = ["" if _lasting(table, row) in known else f" class={mark}" for row in table.rows]
    return Table(headings(table.columns), table.rows, marks=marks).html()


def _lasting(table: DockerTable, row: tuple[str, ...]) -> tuple[str, ...]:
    """A row without what changes by itself: `Up 3 seconds` is `Up`."""
    return tuple(cell.split(" ")[0] if name in TIMES else cell for name, cell in zip(table.columns, row, strict=True))
