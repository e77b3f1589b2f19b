"""The two printers of a diff with causes: lines that open, boxes to tick, and the commands that follow from the ticks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from shlex import quote

from imagelab.view.diff_causes.model import DiffCauses, DiffRow
from imagelab.view.messages import say
from imagelab.view.panel import aligned, escape, plain
from imagelab.view.style import chip

KINDS = {"A": "added", "C": "changed", "D": "removed"}
MOST = 300
"""Lines that are shown."""


def _sums(diff: DiffCauses) -> str:
    if not diff.rows:
        return say("diff_causes.nothing", diff.lang)
    kinds = Counter(row.kind for row in diff.rows)
    return say(
        "diff_causes.sums", diff.lang, added=kinds["A"], changed=kinds["C"], deleted=kinds["D"], entries=diff.entries
    )


def _causes(row: DiffRow, lang: str) -> list[tuple[str, str]]:
    """(which step, its command line); or one sentence."""
    if row.causes:
        return [(say("diff_causes.step", lang, number=number), line) for number, line in row.causes]
    return [(say("diff_causes.unknown" if row.own else "diff_causes.below", lang), "")]


def _written(row: DiffRow, lang: str) -> str:
    return f"{say('diff_causes.entry', lang)} {row.entry}" if row.entry else say("diff_causes.no_entry", lang)


def _why(diff: DiffCauses) -> str:
    return say(
        "diff_causes.commit" if any(row.noise for row in diff.removable) else "diff_causes.commit_all", diff.lang
    )


# -- text ---------------------------------------------------------------------------------------------------


def lines(diff: DiffCauses) -> Iterator[str]:
    """Docker's lines, and what belongs to each below it."""
    yield from (diff.title, _sums(diff))
    for row in diff.rows[:MOST]:
        noise = f"    {say('diff_causes.noise', diff.lang)}" if row.noise else ""
        yield from ("", f"{row.kind} {plain(row.path)}{noise}", *_details(row, diff.lang))
    if diff.rows:
        yield from ("", _why(diff), *(f"  {plain(line)}" for line in diff.commands()))


def _details(row: DiffRow, lang: str) -> Iterator[str]:
    yield from (f"    {line}" for line in aligned([[which, plain(line)] for which, line in _causes(row, lang)]))
    yield f"    {plain(_written(row, lang))}"
    if row.same_bytes:
        yield f"    {say('diff_causes.same', lang)}"
    yield from (f"      {plain(line)}" for line in row.difference)


# -- HTML ---------------------------------------------------------------------------------------------------


def body(diff: DiffCauses) -> str:
    """Each line a detail to open; a box beside what can be left out. The commands at the end follow the boxes by CSS alone."""
    boxes = {row.path: box for box, row in enumerate(diff.removable)}
    rows = "".join(_row(row, boxes.get(row.path), diff.lang) for row in diff.rows[:MOST])
    return f"<p>{escape(_sums(diff))}</p><form>{rows}{_commands(diff) if diff.rows else ''}</form>"


def _row(row: DiffRow, box: int | None, lang: str) -> str:
    noise = chip(escape(say("diff_causes.noise", lang)), "dangling") if row.noise else ""
    which = "".join(
        f"<span>{escape(step)}</span><code>{escape(line)}</code>"
        if line
        else f'<span class="note">{escape(step)}</span><span></span>'
        for step, line in _causes(row, lang)
    )
    where = f"<code>{escape(row.entry)}</code>" if row.entry else ""
    written = f'<div class="note">{escape(say("diff_causes.entry" if row.entry else "diff_causes.no_entry", lang))} {where}</div>'
    same = f'<div class="note">{escape(say("diff_causes.same", lang))}</div>' if row.same_bytes else ""
    tick = (
        f'<label><input type="checkbox" value="{box}"{" checked" if row.noise else ""}>{escape(say("diff_causes.leave", lang))}</label>'
        if box is not None
        else "<span></span>"
    )
    return (
        f'<div class="row1"><details><summary><span class="k k-{KINDS[row.kind]}">{row.kind}</span><code>{escape(row.path)}</code>{noise}</summary>'
        f'<div class="inside"><div class="cause">{which}</div>{written}{same}{_difference(row)}</div></details>{tick}</div>'
    )


def _difference(row: DiffRow) -> str:
    kinds = {"+": ' class="k-added"', "-": ' class="k-removed"', "@": ' class="at"'}
    lines = "".join(f"<div{kinds.get(line[:1], '')}>{escape(line)}</div>" for line in row.difference)
    return f'<div class="diff">{lines}</div>' if lines else ""


def _commands(diff: DiffCauses) -> str:
    """The removal shows the ticked paths only, and is away when nothing is ticked."""
    boxes = diff.removable
    rules = "".join(
        f".imagelab.causes:has(input[value='{box}']:checked) .p{box}{{display:inline}}" for box in range(len(boxes))
    )
    hidden = ".imagelab.causes .end .p{display:none}.imagelab.causes .end .rm{display:none}.imagelab.causes:has(label input:checked) .end .rm{display:block}"
    paths = "".join(f'<span class="p p{box}"> {escape(quote(row.path))}</span>' for box, row in enumerate(boxes))
    remove = f'<span class="rm">docker exec {escape(diff.name)} rm -rf{paths}</span>' if boxes else ""
    return (
        f"<style>{hidden}{rules}</style><div class=end><p>{escape(_why(diff))}</p>"
        f"<pre>{remove}<span>{escape(diff.commands([])[-1])}</span></pre></div>"
    )
