"""The two printers of the layer explorer: text, and HTML with the same words.

A layer is a line that opens: number, instruction, a bar, three sizes; below it the entries of its tar as a tree. The bar is
as long as the layer is large, and filled as far as the finished image shows what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imagelab.units import human_size
from imagelab.view.explorer.model import CHANGED, KINDS, SIGNS, Exploration, Hidden, LayerView, TarEntry
from imagelab.view.graph.lab_graph import without_shell
from imagelab.view.messages import say
from imagelab.view.panel import aligned, escape, page_text, plain, preview
from imagelab.view.style import chip

MOST, ALL, FEWEST = 200, 900, 40
"""Entries that are shown: of one layer, of all layers together, and of one layer however many there are."""


def words(seen: Exploration) -> list[str]:
    """The line of sums under the title."""
    wasted = say("explorer.wasted_sum", seen.lang, size=human_size(seen.wasted))
    return [
        say("explorer.layers", seen.lang, count=len(seen.layers)),
        f"SIZE {human_size(seen.size)}",
        say("explorer.stored_sum", seen.lang, size=human_size(seen.stored)),
        wasted if seen.wasted else say("explorer.nothing_wasted", seen.lang),
    ]


def note(entry: TarEntry, lang: str) -> str:
    """What there is to say of an entry; "" for a plain one."""
    size = human_size(entry.hidden_bytes)
    match entry.mark:
        case "removed" if not entry.hides:
            return say("explorer.whiteout_nothing", lang, path=entry.path)
        case "removed":
            return say("explorer.whiteout", lang, path=entry.path, size=size)
        case "opaque":
            return say("explorer.cleared", lang, path=entry.path, count=len(entry.hides), size=size)
    until = say("explorer.until", lang, number=entry.until) if entry.until else ""
    again = say("explorer.again", lang) if entry.mark == CHANGED and entry.size else ""
    return " · ".join(part for part in (again, until) if part)


def name(entry: TarEntry) -> str:
    """The name in its directory, as `ls -F` would mark it; links with what they point to."""
    last = entry.name.rpartition("/")[2]
    if entry.node is None:
        return last
    if entry.node.is_directory:
        return f"{last}/"
    if entry.node.target:
        return f"{last} → {entry.node.target}"
    return last


def counts(layer: LayerView, lang: str) -> Iterator[tuple[str, str]]:
    """(mark, "3 added") for each mark there is."""
    for mark in SIGNS:
        if count := layer.count(mark):
            yield mark, say(f"explorer.{mark}", lang, count=count)


def visible(layer: LayerView, seen: Exploration) -> tuple[Sequence[TarEntry], int]:
    """The entries that are shown, and how many are not."""
    most = min(MOST, max(FEWEST, ALL // len(seen.layers)))
    return layer.entries[:most], max(len(layer.entries) - most, 0)


def depth(entry: TarEntry) -> int:
    return entry.name.count("/")


def instruction(created_by: str) -> str:
    """What history says, as a Dockerfile would: the shell that every line of it begins with is left out."""
    return without_shell(plain(" ".join(created_by.split())))


def command(layer: LayerView) -> str:
    """The instruction on one line."""
    return instruction(layer.created_by)


def recovery(seen: Exploration, file: Hidden) -> str:
    """The command line that reads a hidden file."""
    from shlex import quote

    return f"imagelab explore {quote(seen.name)} --recover {quote('/' + file.path)}"


def headings(lang: str) -> list[str]:
    return ["#", *(say(f"explorer.{word}", lang) for word in ("stored", "adds", "total", "seen", "created_by"))]


def sizes(layer: LayerView) -> list[str]:
    return [human_size(size) for size in (layer.stored, layer.size, layer.total, layer.seen)]


def with_instructions(seen: Exploration) -> Iterator[LayerView | str]:
    """Layers, base first, and between them what made none."""
    for number, layer in enumerate((None, *seen.layers)):
        if layer is not None:
            yield layer
        for after, created_by in seen.instructions:
            if after == number:
                yield say("explorer.no_layer", seen.lang, instruction=instruction(created_by))


# -- text ---------------------------------------------------------------------------------------------------


def lines(seen: Exploration) -> Iterator[str]:
    """The whole panel as text."""
    lang = seen.lang
    rows = [[str(layer.number), *sizes(layer), command(layer)] for layer in seen.layers]
    yield from (seen.title, " · ".join(words(seen)), "")
    yield from (*aligned([headings(lang), *rows], right=(0, 1, 2, 3, 4)), say("explorer.legend", lang))
    for item in with_instructions(seen):
        yield from ("", item) if isinstance(item, str) else ("", *_layer_lines(item, seen))
    if seen.hidden:
        yield from ("", say("explorer.hidden", lang), say("explorer.hidden_why", lang, count=len(seen.hidden)))
    for file in seen.hidden[:MOST]:
        where = say("explorer.hidden_file", lang, layer=file.layer, by=file.by)
        yield from (f"  /{plain(file.path)}  {human_size(file.node.size)}  {where}", f"    {recovery(seen, file)}")


def _layer_lines(layer: LayerView, seen: Exploration) -> Iterator[str]:
    lang = seen.lang
    marks = " · ".join(word for _, word in counts(layer, lang)) or say("explorer.empty", lang)
    about = f"{command(layer)}  # {plain(layer.comment)}" if layer.comment else command(layer)
    yield f"{say('explorer.layer', lang, number=layer.number)} · {marks} · {about}".rstrip(" ·")
    entries, more = visible(layer, seen)
    rows = [
        [
            f"  {SIGNS[e.mark]} {'  ' * depth(e)}{plain(name(e))}",
            human_size(e.size) if e.size else "",
            plain(note(e, lang)),
        ]
        for e in entries
    ]
    yield from aligned(rows, right=(1,))
    if more:
        yield f"  … {say('explorer.more', lang, count=more)}"


# -- HTML ---------------------------------------------------------------------------------------------------


def body(seen: Exploration) -> str:
    """What stands below the title on a page."""
    sums = words(seen)
    chips = "".join(
        chip(escape(word), "dangling" if seen.wasted and place == 3 else "") for place, word in enumerate(sums)
    )
    widest = max((layer.size for layer in seen.layers), default=0)
    layers = "".join(
        f'<div class="none">{escape(item)}</div>' if isinstance(item, str) else _layer(item, seen, widest)
        for item in with_instructions(seen)
    )
    legend = escape(say("explorer.legend", seen.lang))
    return (
        f'<div class="row">{chips}</div><div class="layers">{_head(seen.lang)}{layers}</div>'
        f'<p class="note" style="margin-top:8px">{legend}</p>{_secrets(seen)}'
    )


def _head(lang: str) -> str:
    number, stored, adds, total, seen, created_by = headings(lang)
    cells = f"<span></span><span>{number}</span><span>{created_by}</span><span class=wide></span>"
    return f'<div class="line head">{cells}{_numbers([stored, adds, total, seen])}</div>'


def _numbers(texts: Sequence[str]) -> str:
    """The four sizes; where there is little room, the first and the last give way."""
    return "".join(
        f'<span class="n{"" if column in (1, 2) else " wide"}">{escape(text)}</span>'
        for column, text in enumerate(texts)
    )


def _layer(layer: LayerView, seen: Exploration, widest: int) -> str:
    share = 100 * layer.size / widest if widest else 0
    inside = 100 * layer.seen / layer.size if layer.size else 0
    bar = f'<span class="wide"><span class="size" style="display:block;width:{share:.1f}%;--seen:{inside:.1f}%"></span></span>'
    line = (
        f'<span class="n">{layer.number}</span><code class="cut" title="{escape(command(layer))}">{escape(command(layer))}</code>'
        f"{bar}{_numbers(sizes(layer))}"
    )
    marks = "".join(chip(escape(f"{SIGNS[mark]} {word}"), KINDS[mark]) for mark, word in counts(layer, seen.lang))
    comment = f'<span class="note"># {escape(layer.comment)}</span>' if layer.comment else ""
    entries, more = visible(layer, seen)
    rest = f'<div class="note">… {escape(say("explorer.more", seen.lang, count=more))}</div>' if more else ""
    tree = "".join(_entry(entry, seen) for entry in entries)
    number = escape(say("explorer.layer", seen.lang, number=layer.number))
    marks = marks or escape(say("explorer.empty", seen.lang))
    return (
        f'<details><summary class="line">{line}</summary><div class="inside"><div class="row"><b>{number}</b>{marks}{comment}</div>'
        f'<div class="tree">{tree}{rest}</div></div></details>'
    )


def _entry(entry: TarEntry, seen: Exploration) -> str:
    kind, sentence = KINDS[entry.mark], note(entry, seen.lang)
    about = f' <span class="note">{escape(sentence)}</span>' if sentence else ""
    row = (
        f'<div class="file{f" k-{kind}" if kind else ""}"><span class="sign">{SIGNS[entry.mark]}</span>'
        f'<span style="padding-left:{14 * depth(entry)}px"><span class="mono">{escape(name(entry))}</span>{about}</span>'
        f'<span class="n">{human_size(entry.size) if entry.size else ""}</span></div>'
    )
    data = seen.contents.get(entry.node.content) if entry.node and entry.size else None
    if data is None:
        return row
    return f'<details class="open"><summary>{row}</summary><pre class="bytes">{page_text(preview(data, entry.size))}</pre></details>'


def _secrets(seen: Exploration) -> str:
    if not seen.hidden:
        return ""
    lang = seen.lang
    files = "".join(_secret(seen, file) for file in seen.hidden[:MOST])
    why = escape(say("explorer.hidden_why", lang, count=len(seen.hidden)))
    return f'<div class="secret"><h4>{escape(say("explorer.hidden", lang))}</h4><p class="note">{why}</p>{files}</div>'


def _secret(seen: Exploration, file: Hidden) -> str:
    where = say("explorer.hidden_file", seen.lang, layer=file.layer, by=file.by)
    data = seen.contents.get(file.node.content)
    inside = f'<pre class="bytes">{page_text(preview(data, file.node.size))}</pre>' if data is not None else ""
    again = (
        f'<p class="note">{escape(say("explorer.recover", seen.lang))} <code>{escape(recovery(seen, file))}</code></p>'
    )
    return (
        f'<details class="hid k-dangling"><summary><span class="mono">/{escape(file.path)}</span>'
        f'<span class="n">{human_size(file.node.size)}</span><span class="note">{escape(where)}</span></summary>{inside}{again}</details>'
    )
