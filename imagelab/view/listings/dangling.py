"""Five definitions of "dangling", all in use, no two the same; and for every image the clause that decides.

    list         Docker's daemon, `images -f dangling=true`:  no tag, no child; a digest reference does not save it  (R3.15)
    delete       the same daemon, when it removes:            no reference at all, no child                          (R5.8)
    containerd   the containerd store of Docker 29:           its record is called moby-dangling@…                   (R3.36)
    cli29        the client of Docker 29:                     its list of tags is empty                              (R3.18)
    podman       Podman:                                      no name, no child, in no manifest list

All five agree that an image with a tag is neither. Of the others each is a function from a `State` and an image to a `DanglingVerdict`:
dangling, intermediate or neither, and the name of the sentence that says why. The view draws the lab once for each, and a switch changes between the five without asking the kernel.

A lab holds no manifest lists, so Podman's third clause never decides here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from imagelab.oci.digest import Digest
from imagelab.oci.reference import familiar
from imagelab.state.model import State
from imagelab.view.graph.lab_graph import image as picture_of
from imagelab.view.graph.model import DANGLING, IMAGE, INTERMEDIATE, Graph, graph
from imagelab.view.messages import say
from imagelab.view.panel import Panel, escape, switch
from imagelab.view.style import chip

NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class DanglingVerdict:
    """`word`: dangling, intermediate or neither. `clause`: the sentence that decided, `dangling.why.<clause>`."""

    word: str
    clause: str


def by_list(state: State, image_id: Digest) -> DanglingVerdict:
    """As the daemon lists."""
    if state.children(image_id):
        return (
            DanglingVerdict(NEITHER, "digest_and_child")
            if state.digests(image_id)
            else DanglingVerdict(INTERMEDIATE, "child")
        )
    return DanglingVerdict(DANGLING, "only_digest" if state.digests(image_id) else "bare")


def by_delete(state: State, image_id: Digest) -> DanglingVerdict:
    """As the daemon asks when it removes a child: may the parent go, too?"""
    if state.digests(image_id):
        return DanglingVerdict(NEITHER, "reference")
    return DanglingVerdict(INTERMEDIATE, "child") if state.children(image_id) else DanglingVerdict(DANGLING, "bare")


def by_containerd(state: State, image_id: Digest) -> DanglingVerdict:
    """By the name of its record."""
    return DanglingVerdict(DANGLING, "record_of_parent" if state.children(image_id) else "record")


def by_cli29(state: State, image_id: Digest) -> DanglingVerdict:
    """By what the client is told."""
    return DanglingVerdict(DANGLING, "no_tags_of_parent" if state.children(image_id) else "no_tags")


def by_podman(state: State, image_id: Digest) -> DanglingVerdict:
    """As Podman asks; it keeps no digest reference when a tag moves on."""
    if state.children(image_id):
        return DanglingVerdict(INTERMEDIATE, "child")
    return DanglingVerdict(DANGLING, "podman_digest" if state.digests(image_id) else "bare")


DEFINITIONS: Mapping[str, Callable[[State, Digest], DanglingVerdict]] = {
    "list": by_list,
    "delete": by_delete,
    "containerd": by_containerd,
    "cli29": by_cli29,
    "podman": by_podman,
}


def why(state: State, image_id: Digest, verdict: DanglingVerdict, lang: str) -> str:
    """The sentence that says which clause made an image what it is."""
    names = state.tags(image_id) or state.digests(image_id)
    name = familiar(names[0]) if names else ""
    head, sign, digest = name.partition("@")
    values = {"name": head + sign + digest[:19], "target": state.images[image_id].target[:19] + "…"}
    return say(f"dangling.why.{verdict.clause}", lang, children=len(state.children(image_id)), **values)


def verdicts(state: State, definition: str) -> dict[Digest, DanglingVerdict]:
    """Every image, judged. KeyError for a definition that is not there."""
    judge, tagged = DEFINITIONS[definition], DanglingVerdict(NEITHER, "tag")
    return {image_id: tagged if state.tags(image_id) else judge(state, image_id) for image_id in state.images}


@dataclass(frozen=True, repr=False)
class DanglingView(Panel):
    """A lab under the five definitions. `drawn` is its picture, which each definition recolours."""

    kind = "lens"
    sheets = ("split",)

    state: State
    drawn: Graph
    lang: str

    def graph(self, definition: str) -> Graph:
        """The picture as one definition sees it."""
        words = {image_id.short: verdict.word for image_id, verdict in verdicts(self.state, definition).items()}
        things = (
            replace(thing, marks=_remarked(thing.marks, words[thing.title])) if thing.kind == IMAGE else thing
            for thing in self.drawn.things
        )
        return replace(self.drawn, things=tuple(things))

    @property
    def title(self) -> str:
        return say("dangling.title", self.lang)

    def lines(self) -> Iterator[str]:
        yield self.title
        for definition in DEFINITIONS:
            yield from ("", f"{self._say('definition', definition)}: {self._say('rule', definition)}")
            rows = self._rows(definition)
            yield from (f"  {short}  {self._say('verdict', word)}: {reason}" for short, word, reason in rows)
            if not rows:
                yield f"  {say('dangling.none', self.lang)}"

    def body(self) -> str:
        labels = switch("definition", {name: self._say("definition", name) for name in DEFINITIONS}, "list")
        views = "".join(self._view(name) for name in DEFINITIONS)
        return f'<form><div class="switch">{labels}</div>{views}</form>'

    def _view(self, definition: str) -> str:
        rows = "".join(
            f'<div class="verdict">{self._badge(short, word)}<span>{escape(reason)}</span></div>'
            for short, word, reason in self._rows(definition)
        )
        name, rule = (escape(self._say(word, definition)) for word in ("definition", "rule"))
        split = f'<div class="split">{picture_of(self.graph(definition))}<div>{rows}</div></div>'
        return f'<div class="view v-{definition}"><p><b>{name}</b>: {rule}</p>{split}</div>'

    def _badge(self, short: str, word: str) -> str:
        text = f'<span class="mono">{short}</span> {escape(self._say("verdict", word))}'
        return chip(text, "image" if word == NEITHER else word)

    def _rows(self, definition: str) -> list[tuple[str, str, str]]:
        """(image, verdict, why) in the order of the picture."""
        judged = {image_id.short: (image_id, verdict) for image_id, verdict in verdicts(self.state, definition).items()}
        images = [judged[thing.title] for thing in self.drawn.of(IMAGE)]
        return [(image.short, verdict.word, why(self.state, image, verdict, self.lang)) for image, verdict in images]

    def _say(self, entry: str, name: str) -> str:
        return say(f"dangling.{entry}.{name}", self.lang)


def _remarked(marks: tuple[str, ...], word: str) -> tuple[str, ...]:
    others = tuple(mark for mark in marks if mark not in (DANGLING, INTERMEDIATE))
    return others if word == NEITHER else (word, *others)


def dangling_view(state: State, *, commands: Mapping[Digest, str] | None = None, lang: str = "en") -> DanglingView:
    """The lab under the five definitions; runs of layers are one slab, since it is about images."""
    return DanglingView(state, graph(state, all=True, images=True, commands=commands, lang=lang), lang)
