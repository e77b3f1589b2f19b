"""The two printers of a diff with causes: lines that open, boxes to tick, and the commands that follow from the ticks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from shlex import quote

from imagelab.view.diff_causes.model import Causes, Row
from imagelab.view.messages import say
from imagelab.view.panel import BYTES, aligned, escape, plain
from imagelab.view.style import chip, panel

KINDS = {"A": "added", "C": "changed", "D": "removed"}
MOST = 300
"""Lines that are shown."""


def _sums(found: Causes) -> str:
    if not found.rows:
        return say("causes.nothing", found.lang)
    kinds = Counter(row.kind for row in found.rows)
    return say(
        "causes.sums", found.lang, added=kinds["A"], changed=kinds["C"], deleted=kinds["D"], entries=found.entries
    )


def _causes(row: Row, lang: str) -> list[tuple[str, str]]:
    """(which step, its command line); or one sentence."""
    if row.causes:
        return [(say("causes.step", lang, number=number), line) for number, line in row.causes]
    return [(say("causes.unknown" if row.own else "causes.below", lang), "")]


def _written(row: Row, lang: str) -> str:
    return f"{say('causes.entry', lang)} {row.entry}" if row.entry else say("causes.no_entry", lang)


def _why(found: Causes) -> str:
    return say("causes.commit" if any(row.noise for row in found.removable) else "causes.commit_all", found.lang)


# -- text ---------------------------------------------------------------------------------------------------


def text(found: Causes) -> str:
    """Docker's lines, and what belongs to each below it."""
    lang = found.lang
    lines = [say("causes.title", lang, name=found.name), _sums(found)]
    for row in found.rows[:MOST]:
        noise = f"    {say('causes.noise', lang)}" if row.noise else ""
        lines += ["", f"{row.kind} {plain(row.path)}{noise}", *_details(row, lang)]
    if found.rows:
        lines += ["", _why(found), *(f"  {plain(line)}" for line in found.commands())]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _details(row: Row, lang: str) -> Iterator[str]:
    yield from (f"    {line}" for line in aligned([[which, plain(line)] for which, line in _causes(row, lang)]))
    yield f"    {plain(_written(row, lang))}"
    if row.same_bytes:
        yield f"    {say('causes.same', lang)}"
    yield from (f"      {plain(line)}" for line in row.difference)


# -- HTML ---------------------------------------------------------------------------------------------------

CSS = (
    "<style>"
    ".imagelab.causes .row1{display:grid;grid-template-columns:minmax(0,1fr) max-content;gap:10px;align-items:start;border-bottom:1px solid var(--il-rule)}"
    ".imagelab.causes summary{list-style:none;display:flex;gap:8px;align-items:baseline;padding:5px 0;overflow-wrap:anywhere}"
    ".imagelab.causes summary::-webkit-details-marker{display:none}"
    ".imagelab.causes summary::before{content:'▸';color:var(--il-soft);flex:none}.imagelab.causes details[open]>summary::before{content:'▾'}"
    ".imagelab.causes summary .k{flex:none;width:18px;text-align:center;border-radius:3px;background:var(--fill);color:var(--ink);border:1px solid var(--line);"
    "font-weight:700;font-size:11px;line-height:16px}"
    ".imagelab.causes .inside{padding:0 0 8px 26px}"
    ".imagelab.causes .cause{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 10px;font-size:12px;align-items:baseline}"
    ".imagelab.causes .inside .note code{color:var(--il-text)}"
    ".imagelab.causes .diff{margin:6px 0 0;border-left:3px solid var(--il-rule);padding:2px 0;max-height:240px;overflow:auto}"
    ".imagelab.causes .diff div{padding:0 10px;white-space:pre-wrap;overflow-wrap:anywhere;font-family:var(--il-mono);font-size:12px;min-height:1.4em}"
    ".imagelab.causes .diff .k-added,.imagelab.causes .diff .k-removed{background:var(--fill);color:var(--ink)}"
    ".imagelab.causes .diff .at{color:var(--il-soft)}"
    ".imagelab.causes label{display:flex;gap:5px;align-items:center;font-size:12px;padding:6px 0;color:var(--il-soft);cursor:pointer;white-space:nowrap}"
    ".imagelab.causes label input{margin:0;accent-color:var(--il-removed-line)}"
    ".imagelab.causes .row1:has(input:checked) summary code{text-decoration:line-through;opacity:.6}"
    ".imagelab.causes .end{margin-top:10px}.imagelab.causes.panel .end pre{overflow-wrap:break-word;border-left:3px solid var(--il-layer-line);padding:4px 10px}"
    "</style>"
)


def html(found: Causes) -> str:
    """Each line a detail to open; a box beside what can be left out. The commands at the end follow the boxes by CSS alone."""
    lang = found.lang
    title = say("causes.title", lang, name=found.name)
    boxes = {row.path: at for at, row in enumerate(found.removable)}
    rows = "".join(_row(row, boxes.get(row.path), lang) for row in found.rows[:MOST])
    end = _commands(found) if found.rows else ""
    body = f"{BYTES}{CSS}<h3>{escape(title)}</h3><p>{escape(_sums(found))}</p><form>{rows}{end}</form>"
    return panel(body, label=title, kind="causes", language=lang)


def _row(row: Row, box: int | None, lang: str) -> str:
    noise = chip(escape(say("causes.noise", lang)), "dangling") if row.noise else ""
    which = "".join(
        f"<span>{escape(step)}</span><code>{escape(line)}</code>"
        if line
        else f'<span class="note">{escape(step)}</span><span></span>'
        for step, line in _causes(row, lang)
    )
    where = f"<code>{escape(row.entry)}</code>" if row.entry else ""
    written = f'<div class="note">{escape(say("causes.entry" if row.entry else "causes.no_entry", lang))} {where}</div>'
    same = f'<div class="note">{escape(say("causes.same", lang))}</div>' if row.same_bytes else ""
    tick = (
        f'<label><input type="checkbox" value="{box}"{" checked" if row.noise else ""}>{escape(say("causes.leave", lang))}</label>'
        if box is not None
        else "<span></span>"
    )
    return (
        f'<div class="row1"><details><summary><span class="k k-{KINDS[row.kind]}">{row.kind}</span><code>{escape(row.path)}</code>{noise}</summary>'
        f'<div class="inside"><div class="cause">{which}</div>{written}{same}{_difference(row)}</div></details>{tick}</div>'
    )


def _difference(row: Row) -> str:
    kinds = {"+": ' class="k-added"', "-": ' class="k-removed"', "@": ' class="at"'}
    lines = "".join(f"<div{kinds.get(line[:1], '')}>{escape(line)}</div>" for line in row.difference)
    return f'<div class="diff">{lines}</div>' if lines else ""


def _commands(found: Causes) -> str:
    """The removal shows the ticked paths only, and is away when nothing is ticked."""
    boxes = found.removable
    rules = "".join(
        f".imagelab.causes:has(input[value='{at}']:checked) .p{at}{{display:inline}}" for at in range(len(boxes))
    )
    hidden = ".imagelab.causes .end .p{display:none}.imagelab.causes .end .rm{display:none}.imagelab.causes:has(label input:checked) .end .rm{display:block}"
    paths = "".join(f'<span class="p p{at}"> {escape(quote(row.path))}</span>' for at, row in enumerate(boxes))
    remove = f'<span class="rm">docker exec {escape(found.name)} rm -rf{paths}</span>' if boxes else ""
    return (
        f"<style>{hidden}{rules}</style><div class=end><p>{escape(_why(found))}</p>"
        f"<pre>{remove}<span>{escape(found.commands([])[-1])}</span></pre></div>"
    )
