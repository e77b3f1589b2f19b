"""The layer graph in words: as an indented tree, and as sentences for those who listen.

    layer bf5d46315322  ADD rootfs  123kB  [shared by 2]         what stands on a thing is below it and further in;
    ├─ layer 9f13e0ac480c  RUN apt-get install nginx  58.5kB     a layer on a layer, with nothing beside it, is only below
    │  layer e8988b5b3097  22B
    │  └─ image e43d811ce2f4  181kB
    │     ├─ tag nginx:latest
    │     └─ container web  running  95B

Both printers take a `Graph` and say all of it: every thing once, by name, with its marks.
"""

from __future__ import annotations

from collections.abc import Sequence

from imagelab.units import human_size
from imagelab.view.graph import model
from imagelab.view.graph.model import Graph, Thing
from imagelab.view.messages import say

LONGEST = 60
"""Letters of an instruction that a line shows."""


def kind_word(thing: Thing, lang: str) -> str:
    """What it is, in a word; for a fold, how many layers."""
    if thing.kind == model.FOLDED:
        return say("graph.fold", lang, count=len(thing.layers))
    return say(f"kinds.{thing.kind}", lang)


def mark_words(thing: Thing, lang: str) -> list[str]:
    """What is to be noted of it: "shared by 3", "dangling", "new", "was on 00285df0df87"."""
    words = []
    for mark in thing.marks:
        was = say(f"graph.status.{thing.was}", lang) if mark in (model.CHANGED, model.OTHER) else thing.was
        if mark in (model.MISPLACED, model.OTHER):
            words.append(say(f"graph.{mark}", lang, goal=was))
            continue
        words.append(say(f"kinds.{mark}", lang, images=thing.images))
        if mark in (model.MOVED, model.CHANGED):
            words.append(say("graph.changed_from" if mark == model.CHANGED else "graph.moved_from", lang, was=was))
    return words


def status_word(thing: Thing, lang: str) -> str:
    return say(f"graph.status.{thing.status}", lang) if thing.status else ""


def summary(graph: Graph) -> str:
    """How much there is to see."""
    layers = sum(len(thing.layers) for thing in graph.of(model.LAYER, model.FOLDED))
    return say(
        "graph.summary", graph.lang, images=len(graph.of(model.IMAGE)), tags=len(graph.of(model.TAG)), layers=layers,
        containers=len(graph.of(model.CONTAINER)),
    )  # fmt: skip


# -- the tree -----------------------------------------------------------------------------------------------


def tree(graph: Graph) -> str:
    """The whole picture as text, ending in a newline."""
    if not graph.things:
        return say("graph.empty", graph.lang) + "\n"
    lines = [summary(graph)]
    waiting = [(thing, "", "") for thing in reversed(graph.on(""))]
    while waiting:
        thing, lead, stem = waiting.pop()
        if not thing.on:
            lines.append("")
        lines.append(lead + line(thing, graph.lang))
        above = graph.on(thing.key)
        if (
            thing.kind in (model.LAYER, model.FOLDED)
            and len(above) == 1
            and above[0].kind in (model.LAYER, model.FOLDED)
        ):
            waiting.append((above[0], stem, stem))
            continue
        for each in reversed(above):
            last = each is above[-1]
            waiting.append((each, stem + ("└─ " if last else "├─ "), stem + ("   " if last else "│  ")))
    if graph.hidden:
        lines += ["", say("graph.hidden", graph.lang, count=graph.hidden)]
    return "\n".join(lines) + "\n"


def line(thing: Thing, lang: str) -> str:
    """One thing in one line."""
    about = thing.about if len(thing.about) <= LONGEST else thing.about[: LONGEST - 1].rstrip() + "…"
    parts = [f"{kind_word(thing, lang)} {thing.title}", about, status_word(thing, lang)]
    if thing.kind not in (model.TAG, model.DIGEST):
        parts.append(human_size(thing.size))
    if thing.parent:
        parts.append(say("graph.parent", lang, parent=thing.parent.partition(":")[2]))
    if marks := mark_words(thing, lang):
        parts.append(f"[{', '.join(marks)}]")
    return "  ".join(part for part in parts if part)


# -- sentences ----------------------------------------------------------------------------------------------


def spoken(graph: Graph) -> str:
    """The whole picture as sentences: image by image, then the containers."""
    if not graph.things:
        return say("graph.empty", graph.lang)
    named: set[str] = set()
    sentences = [summary(graph) + ("。" if graph.lang == "zh" else ".")]
    sentences += [_image(graph, image, named) for image in graph.of(model.IMAGE)]
    loose = [
        _layer(thing, named, graph.lang) for thing in graph.of(model.LAYER, model.FOLDED) if thing.key not in named
    ]
    if loose:
        sentences.append(say("graph.spoken.loose", graph.lang, layers=_list(loose, graph.lang)))
    sentences += [_container(graph, container) for container in graph.of(model.CONTAINER)]
    return ("" if graph.lang == "zh" else " ").join(sentences)


def _image(graph: Graph, image: Thing, named: set[str]) -> str:
    lang = graph.lang
    names = [_with_marks(name, lang) for name in graph.on(image.key) if name.kind in (model.TAG, model.DIGEST)]
    below = [thing for thing in graph.below(image.key) if thing.kind in (model.LAYER, model.FOLDED)]
    layers = [_layer(thing, named, lang) for thing in reversed(below)]
    return say(
        "graph.spoken.image", lang, image=image.title, size=human_size(image.size), marks=_more(mark_words(image, lang), lang),
        names=say("graph.spoken.called", lang, names=_list(names, lang)) if names else "",
        parent=_more([say("graph.parent", lang, parent=image.parent.partition(":")[2])] if image.parent else [], lang),
        layers=_list(layers, lang) or say("graph.spoken.nothing", lang),
    )  # fmt: skip


def _layer(thing: Thing, named: set[str], lang: str) -> str:
    """A layer with all there is to say, or only its name when that has been said."""
    if thing.key in named:
        return thing.title
    named.add(thing.key)
    words = [thing.about[:LONGEST], human_size(thing.size), *mark_words(thing, lang)]
    kind = f"{kind_word(thing, lang)} " if thing.kind == model.FOLDED else ""
    return _aside(kind + thing.title, [word for word in words if word], lang)


def _container(graph: Graph, container: Thing) -> str:
    lang = graph.lang
    below = graph.by_key[container.on].title if container.on else say("graph.ground", lang)
    words = [container.about, *mark_words(container, lang)]
    return say(
        "graph.spoken.container", lang, container=container.title, status=status_word(container, lang), image=below,
        size=human_size(container.size), marks=_more([word for word in words if word], lang),
    )  # fmt: skip


def _with_marks(thing: Thing, lang: str) -> str:
    return _aside(thing.title, mark_words(thing, lang), lang)


def _aside(text: str, words: Sequence[str], lang: str) -> str:
    if not words:
        return text
    return f"{text}（{'，'.join(words)}）" if lang == "zh" else f"{text} ({', '.join(words)})"


def _list(words: Sequence[str], lang: str) -> str:
    return ("、" if lang == "zh" else ", ").join(words)


def _more(words: Sequence[str], lang: str) -> str:
    return "".join(("，" if lang == "zh" else ", ") + word for word in words)
