"""The stepper as a page: a list of steps to fold open, which a script, where there is one, turns into a slider with keys.

Everything is in the page, a step's picture as an image with the sentences as its text, so stepping shows and hides and computes
nothing. The script adds the controls only when it runs; without it (a git host, an untrusted notebook, a print) the list is
complete. It takes keys only while the panel has the focus, and keeps them from the notebook. Playing stands still for readers
who asked for less motion: there, space is one step forward.
"""

from __future__ import annotations

from imagelab.view.graph.lab_graph import image as picture_of
from imagelab.view.html_table import Table, tables
from imagelab.view.messages import say
from imagelab.view.panel import escape
from imagelab.view.stepper.overlay import Overlay
from imagelab.view.stepper.widget import (
    MOST_EVENTS,
    Frame,
    Listing,
    Stepper,
    chosen,
    command_of,
    event_text,
    heading,
    notes,
    overlay_cells,
    overlay_notes,
)
from imagelab.view.style import LITERAL, SPLIT, chip, panel

PACE = 1600
"""Milliseconds that playing stays on a step."""
TIMES = {"CREATED", "STATUS"}
"""Columns that change by themselves."""

_STYLE = (
    "<style>.imagelab.stepper:focus{outline:2px solid var(--il-focus);outline-offset:-2px}"
    ".imagelab.stepper ol{list-style:none;margin:0;padding:0}"
    ".imagelab.stepper li{border-top:1px solid var(--il-rule);margin:0}"
    ".imagelab.stepper .cmd{font-weight:600}"
    ".imagelab.stepper .controls{display:none;gap:8px;align-items:center;margin:0 0 8px}"
    ".imagelab.stepper.live .controls{display:flex;flex-wrap:wrap}"
    ".imagelab.stepper.live li{display:none}.imagelab.stepper.live li.here{display:block}"
    ".imagelab.stepper.live summary{list-style:none;font-size:16px;pointer-events:none}"
    ".imagelab.stepper.live summary::-webkit-details-marker{display:none}"
    ".imagelab.stepper .controls input{flex:1;min-width:160px;accent-color:var(--il-layer-line)}"
    ".imagelab.stepper .pair{display:flex;flex-wrap:wrap;gap:4px 20px}"
    ".imagelab.stepper .pair>div{overflow-x:auto;max-width:100%}"
    ".imagelab.stepper .picture{margin:8px 0}"
    ".imagelab.stepper tr.is-new td{background:var(--il-added-fill);color:var(--il-added-ink)}"
    ".imagelab.stepper tr.is-gone td{background:var(--il-removed-fill);color:var(--il-removed-ink);text-decoration:line-through}"
    ".imagelab.stepper .imagelab-table :is(th,td){white-space:normal;padding-right:12px}"  # seven columns in 700 px
    ".imagelab.stepper .files td{white-space:nowrap}.imagelab.stepper .files th{white-space:normal;letter-spacing:0}</style>"
)

_SCRIPT = """
(() => {
  const root = document.currentScript.closest(".stepper");
  const steps = [...root.querySelectorAll("li")];
  const slider = root.querySelector("input[type=range]"), at = root.querySelector("output"), play = root.querySelector(".play");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let here = START, timer = 0;
  const go = (to) => {
    here = Math.max(0, Math.min(steps.length - 1, to));
    steps.forEach((step, n) => step.classList.toggle("here", n === here));
    steps[here].querySelector("details").open = true;
    slider.value = here + 1;
    at.textContent = here + 1 + " / " + steps.length;
    root.dataset.step = here + 1;
    slider.setAttribute("aria-valuetext", steps[here].querySelector("summary").textContent);
  };
  const stop = () => { clearInterval(timer); timer = 0; play.textContent = "\\u25b6"; play.setAttribute("aria-label", play.dataset.play); };
  const start = () => {
    if (still) return go(here + 1);
    if (here === steps.length - 1) go(0);
    timer = setInterval(() => { if (here === steps.length - 1) stop(); else go(here + 1); }, PACE);
    play.textContent = "\\u2016";
    play.setAttribute("aria-label", play.dataset.pause);
  };
  const keys = { ArrowLeft: () => go(here - 1), ArrowRight: () => go(here + 1), Home: () => go(0), End: () => go(steps.length - 1),
    " ": () => timer ? stop() : start() };
  root.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key !== " ") stop();
    keys[event.key]();
  });
  slider.addEventListener("input", () => { stop(); go(slider.value - 1); });
  for (const button of root.querySelectorAll("button")) button.addEventListener("click", () => {
    const key = button.dataset.key;
    if (key !== " ") stop();
    keys[key]();
  });
  root.classList.add("live");
  go(here);
})();
"""


def page(stepper: Stepper) -> str:
    """The whole panel."""
    lang = stepper.lang
    title = say("stepper.title", lang)
    if not stepper.frames:
        return panel(f"<p>{escape(say('stepper.empty', lang))}</p>", label=title, kind="stepper", language=lang)
    total = len(stepper.frames)
    steps = "".join(_step(frame, at, total, at == stepper.start, lang) for at, frame in enumerate(stepper.frames))
    script = _SCRIPT.replace("START", str(stepper.start)).replace("PACE", str(PACE))
    body = f"{SPLIT}{_STYLE}<h3>{escape(title)}</h3>{_controls(total, lang)}<ol>{steps}</ol><script>{script}</script>"
    made = panel(body, label=title, kind="stepper", language=lang)
    return made.replace(
        f'<div class="imagelab panel {LITERAL} stepper"',
        f'<div tabindex="0" class="imagelab panel {LITERAL} stepper"',
        1,
    )


def _controls(total: int, lang: str) -> str:
    def button(key: str, sign: str, name: str, more: str = "") -> str:
        return f'<button type="button" data-key="{key}" aria-label="{escape(say(f"stepper.{name}", lang))}"{more}>{sign}</button>'

    play = f' class="play" data-play="{escape(say("stepper.play", lang))}" data-pause="{escape(say("stepper.pause", lang))}"'
    return (
        '<div class="controls">' + button("Home", "|←", "first") + button("ArrowLeft", "←", "previous") + button(" ", "▶", "play", play)
        + button("ArrowRight", "→", "next") + button("End", "→|", "last")
        + f'<input type="range" min="1" max="{total}" value="1" aria-label="{escape(say("stepper.title", lang))}"><output></output>'
        + f'<span class="keys">{escape(say("stepper.keys", lang))}</span></div>'
    )  # fmt: skip


def _step(frame: Frame, at: int, total: int, is_open: bool, lang: str) -> str:
    said = "".join(f" {chip(escape(text), 'changed')}" for text in notes(frame, lang))
    count = f'<span class="note">{escape(say("stepper.step", lang, number=at + 1, total=total))}</span>'
    summary = f'<summary>{count} <code class="cmd">{escape(command_of(frame, lang))}</code>{said}</summary>'
    events = " ".join(
        chip(f'<span class="mono">{escape(event_text(event))}</span>') for event in frame.events[:MOST_EVENTS]
    )
    body = "".join(
        [
            f'<div class="row" aria-label="{escape(say("stepper.events", lang))}">{events}</div>' if events else "",
            f'<div class="split">{picture_of(frame.graph)}<div>{"".join(_overlay(stack, lang) for stack in frame.overlays)}</div></div>',
            *(_listing(listing, lang) for listing in frame.listings),
        ]
    )
    return f'<li data-step="{frame.number}"><details{" open" if is_open else ""}>{summary}{body}</details></li>'


# -- a container's files, and Docker's listings -------------------------------------------------------------


def _overlay(stack: Overlay, lang: str) -> str:
    rows = "".join(
        f'<tr{" class=is-new" if row.moved else ""}><td class="c">{escape(path)}</td><td>{escape(lower)}</td><td>{escape(upper)}</td><td>{escape(merged)}</td></tr>'
        for row, (path, lower, upper, merged) in ((row, overlay_cells(row, lang)) for row in chosen(stack.rows)[0])
    )
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heading(lang))
    table = (
        f'<table class="imagelab-table files"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        if rows
        else ""
    )
    said = "".join(f"<p>{escape(text)}</p>" for text in overlay_notes(stack, lang))
    return f"<h4>{escape(say('stepper.stack', lang, name=stack.container))}</h4>{table}{said}"


def _listing(listing: Listing, lang: str) -> str:
    title = f"<code>{escape(listing.title)}</code>"
    before, after = tables(listing.before), tables(listing.after)
    if not before or not after or listing.before == listing.after:
        return f'<h4>{title} <span class="note">{escape(say("stepper.unchanged", lang))}</span></h4>' + (
            _table(after[0], after[0], "") if after else ""
        )
    sides = (("before", _table(before[0], after[0], "is-gone")), ("after", _table(after[0], before[0], "is-new")))
    pair = "".join(
        f'<div><span class="note">{escape(say(f"stepper.{side}", lang))}</span>{table}</div>' for side, table in sides
    )
    return f'<h4>{title}</h4><div class="pair">{pair}</div>'


def _table(table: Table, other: Table, mark: str) -> str:
    """A listing; rows that the other one lacks are marked."""
    known = {_lasting(other, row) for row in other.rows}
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.headings)
    rows = "".join(
        f"<tr{'' if _lasting(table, row) in known else f' class={mark}'}>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for row in table.rows
    )
    return f'<table class="imagelab-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _lasting(table: Table, row: tuple[str, ...]) -> tuple[str, ...]:
    """A row without what changes by itself: `Up 3 seconds` is `Up`."""
    return tuple(cell.split(" ")[0] if name in TIMES else cell for name, cell in zip(table.headings, row, strict=True))
