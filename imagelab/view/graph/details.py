"""What is told of one thing in the layer graph: what it is, its sizes, and the commands that show it.

    >>> details(graph, "tag:nginx:latest").docker
    'docker images nginx:latest'

The widget shows this for what was clicked; pages without a widget have all of it below the picture, folded up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from imagelab.units import human_size
from imagelab.view.graph.model import CONTAINER, DIGEST, FOLDED, GONE, IMAGE, LAYER, TAG, Graph, Thing
from imagelab.view.graph.text import kind_word, mark_words, status_word
from imagelab.view.messages import say


@dataclass(frozen=True, slots=True)
class Details:
    """`facts` are (label, text) pairs; `docker` and `python` are lines to type, "" for what is gone."""

    key: str
    title: str
    about: str
    facts: tuple[tuple[str, str], ...]
    docker: str
    python: str

    @property
    def text(self) -> str:
        """All of it in a few lines."""
        lines = [self.title, self.about, *(f"{label}: {text}" for label, text in self.facts), self.docker, self.python]
        return "\n".join(line for line in lines if line)


def facts_html(details: Details) -> str:
    """The facts as a table of two columns."""
    rows = "".join(f"<tr><th>{escape(label)}</th><td>{escape(text)}</td></tr>" for label, text in details.facts)
    return f"<table>{rows}</table>"


def details(graph: Graph, key: str) -> Details:
    """What there is to say of the thing called `key`. KeyError when it is not in the picture."""
    thing = graph.by_key[key]
    docker, python = ("", "") if GONE in thing.marks else _commands(graph, thing)
    facts = tuple((say(f"details.{label}", graph.lang), text) for label, text in _facts(graph, thing) if text)
    about = say(f"details.what.{thing.kind}", graph.lang)
    title = thing.title if thing.kind == FOLDED else f"{kind_word(thing, graph.lang)} {thing.title}"
    return Details(key, title, about, facts, docker, python)


def _facts(graph: Graph, thing: Thing) -> Iterator[tuple[str, str]]:
    lang = graph.lang
    if thing.kind in (TAG, DIGEST):
        yield "of", graph.by_key[thing.on].title
    else:
        yield "size", _sizes(graph, thing)
    yield "runs" if thing.kind == CONTAINER else "made_by", thing.about
    if thing.kind == IMAGE:
        yield "name", ", ".join(each.title for each in graph.on(thing.key) if each.kind in (TAG, DIGEST))
        yield "layers", _stack(graph, thing)
        yield "parent", thing.parent.partition(":")[2]
    if thing.kind in (LAYER, FOLDED, CONTAINER):
        yield "stands_on", graph.by_key[thing.on].title if thing.on else say("graph.ground", lang)
    if thing.kind in (LAYER, FOLDED):
        yield "carries", ", ".join(_carried(graph, thing.key))
    yield "marks", ", ".join(word for word in (status_word(thing, lang), *mark_words(thing, lang)) if word)


def _sizes(graph: Graph, thing: Thing) -> str:
    """`181kB`, and how it adds up for an image."""
    below = [each for each in graph.below(thing.key) if each.kind in (LAYER, FOLDED)] if thing.kind == IMAGE else []
    if len(below) < 2:
        return human_size(thing.size)
    return f"{human_size(thing.size)} = {' + '.join(human_size(each.size) for each in reversed(below))}"


def _stack(graph: Graph, image: Thing) -> str:
    return ", ".join(each.title for each in reversed(list(graph.below(image.key))) if each.kind in (LAYER, FOLDED))


def _carried(graph: Graph, key: str) -> Iterator[str]:
    """The images on a slab, by a name of theirs."""
    waiting = [key]
    while waiting:
        for each in graph.on(waiting.pop()):
            if each.kind == IMAGE:
                yield _called(graph, each)
            waiting.append(each.key)


def _called(graph: Graph, image: Thing) -> str:
    """A name that a command understands: a tag, else the short ID."""
    return next(
        (each.title for each in graph.on(image.key) if each.kind == TAG and GONE not in each.marks), image.title
    )


def _commands(graph: Graph, thing: Thing) -> tuple[str, str]:
    match thing.kind:
        case "tag":
            return f"docker images {thing.title}", f'lab.images("{thing.title}")'
        case "digest":
            return f"docker images --digests {thing.title.partition('@')[0]}", f'lab.image("{thing.title}")'
        case "image":
            name = _called(graph, thing)
            return f"docker image inspect {name}", f'lab.image("{name}")'
        case "container":
            return f"docker ps -a --filter name={thing.title}", f'lab.container("{thing.title}")'
        case _:
            name = next(iter(_carried(graph, thing.key)), "")
            return (f"docker history {name}", f'lab.history("{name}")') if name else ("", "")
