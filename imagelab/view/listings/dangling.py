"""Five definitions of "dangling", all in use, no two the same; and for every image the clause that decides.

    list         Docker's daemon, `images -f dangling=true`:  no tag, no child; a digest reference does not save it  (R3.15)
    delete       the same daemon, when it removes:            no reference at all, no child                          (R5.8)
    containerd   the containerd store of Docker 29:           its record is called moby-dangling@…                   (R3.36)
    cli29        the client of Docker 29:                     its list of tags is empty                              (R3.18)
    podman       Podman:                                      no name, no child, in no manifest list

Each is a function from a `State` and an image to a `Verdict`: dangling, intermediate or neither, and the name of the sentence
that says why. The lens draws the lab once for each, and a switch changes between the five without asking the kernel.

A lab holds no manifest lists, so Podman's third clause never decides here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from imagelab.oci.digest import Digest
from imagelab.oci.reference import familiar
from imagelab.state.model import State
from imagelab.view.graph.lab_graph import image as picture_of
from imagelab.view.graph.model import DANGLING, IMAGE, INTERMEDIATE, Graph, graph
from imagelab.view.messages import say
from imagelab.view.panel import Shown, escape
from imagelab.view.style import SPLIT, chip, panel

NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`word`: dangling, intermediate or neither. `clause`: the sentence that decided, `dangling.why.<clause>`."""

    word: str
    clause: str


def by_list(state: State, image_id: Digest) -> Verdict:
    """As the daemon lists."""
    if state.tags(image_id):
        return Verdict(NEITHER, "tag")
    if state.children(image_id):
        return Verdict(NEITHER, "digest_and_child") if state.digests(image_id) else Verdict(INTERMEDIATE, "child")
    return Verdict(DANGLING, "only_digest" if state.digests(image_id) else "bare")


def by_delete(state: State, image_id: Digest) -> Verdict:
    """As the daemon asks when it removes a child: may the parent go, too?"""
    if state.tags(image_id):
        return Verdict(NEITHER, "tag")
    if state.digests(image_id):
        return Verdict(NEITHER, "reference")
    return Verdict(INTERMEDIATE, "child") if state.children(image_id) else Verdict(DANGLING, "bare")


def by_containerd(state: State, image_id: Digest) -> Verdict:
    """By the name of its record."""
    if state.tags(image_id):
        return Verdict(NEITHER, "tag")
    return Verdict(DANGLING, "record_of_parent" if state.children(image_id) else "record")


def by_cli29(state: State, image_id: Digest) -> Verdict:
    """By what the client is told."""
    if state.tags(image_id):
        return Verdict(NEITHER, "tag")
    return Verdict(DANGLING, "no_tags_of_parent" if state.children(image_id) else "no_tags")


def by_podman(state: State, image_id: Digest) -> Verdict:
    """As Podman asks; it keeps no digest reference when a tag moves on."""
    if state.tags(image_id):
        return Verdict(NEITHER, "tag")
    if state.children(image_id):
        return Verdict(INTERMEDIATE, "child")
    return Verdict(DANGLING, "podman_digest" if state.digests(image_id) else "bare")


DEFINITIONS: Mapping[str, Callable[[State, Digest], Verdict]] = {
    "list": by_list,
    "delete": by_delete,
    "containerd": by_containerd,
    "cli29": by_cli29,
    "podman": by_podman,
}


def why(state: State, image_id: Digest, verdict: Verdict, lang: str) -> str:
    """The sentence that says which clause made an image what it is."""
    names = state.tags(image_id) or state.digests(image_id)
    name = familiar(names[0]) if names else ""
    head, at, digest = name.partition("@")
    return say(
        f"dangling.why.{verdict.clause}", lang, name=head + at + digest[:19], children=len(state.children(image_id)),
        target=state.images[image_id].target[:19] + "…",
    )  # fmt: skip


def verdicts(state: State, definition: str) -> dict[Digest, Verdict]:
    """Every image, judged. KeyError for a definition that is not there."""
    judge = DEFINITIONS[definition]
    return {image_id: judge(state, image_id) for image_id in state.images}


@dataclass(frozen=True, repr=False)
class DanglingLens(Shown):
    """A lab under the five definitions. `drawn` is its picture, which each definition recolours."""

    state: State
    drawn: Graph

    def graph(self, definition: str) -> Graph:
        """The picture as one definition sees it."""
        judged = {image_id.short: verdict.word for image_id, verdict in verdicts(self.state, definition).items()}
        return replace(
            self.drawn,
            things=tuple(
                replace(thing, marks=_remarked(thing.marks, judged[thing.title])) if thing.kind == IMAGE else thing
                for thing in self.drawn.things
            ),
        )

    def _lines(self, definition: str) -> list[tuple[str, str, str]]:
        """(image, verdict, why) in the order of the picture."""
        judged, lang = verdicts(self.state, definition), self.drawn.lang
        by_short = {image_id.short: image_id for image_id in judged}
        found = [by_short[thing.title] for thing in self.drawn.of(IMAGE)]
        return [(each.short, judged[each].word, why(self.state, each, judged[each], lang)) for each in found]

    @property
    def text(self) -> str:
        lang = self.drawn.lang
        blocks = [say("dangling.title", lang)]
        for definition in DEFINITIONS:
            lines = [
                f"  {short}  {say(f'dangling.verdict.{word}', lang)}: {sentence}"
                for short, word, sentence in self._lines(definition)
            ]
            heading = f"{say(f'dangling.definition.{definition}', lang)}: {say(f'dangling.rule.{definition}', lang)}"
            blocks.append("\n".join([heading, *(lines or [f"  {say('dangling.none', lang)}"])]))
        return "\n\n".join(blocks) + "\n"

    @property
    def html(self) -> str:
        lang = self.drawn.lang
        switch = "".join(
            f'<label><input type="radio" name="definition" value="{name}"{" checked" if at == 0 else ""}>'
            f"{escape(say(f'dangling.definition.{name}', lang))}</label>"
            for at, name in enumerate(DEFINITIONS)
        )
        views = "".join(self._view(name) for name in DEFINITIONS)
        rules = "".join(
            f".imagelab.lens form:has(input[value={name}]:checked) .view:not(.v-{name}){{display:none}}"
            for name in DEFINITIONS
        )
        body = (
            f'{SPLIT}<style>{rules}.imagelab.lens .verdict{{margin:6px 0;display:flex;gap:8px;align-items:baseline}}</style>'
            f"<h3>{escape(say('dangling.title', lang))}</h3><form><div class=\"switch\">{switch}</div>{views}</form>"
        )  # fmt: skip
        return panel(body, label=say("dangling.title", lang), kind="lens", language=lang)

    def _view(self, definition: str) -> str:
        lang = self.drawn.lang
        rows = "".join(
            f'<div class="verdict">{_badge(short, word, lang)}<span>{escape(sentence)}</span></div>'
            for short, word, sentence in self._lines(definition)
        )
        heading = f"<p><b>{escape(say(f'dangling.definition.{definition}', lang))}</b>: {escape(say(f'dangling.rule.{definition}', lang))}</p>"
        return f'<div class="view v-{definition}">{heading}<div class="split">{picture_of(self.graph(definition))}<div>{rows}</div></div></div>'


def _badge(short: str, word: str, lang: str) -> str:
    said = escape(say(f"dangling.verdict.{word}", lang))
    return chip(f'<span class="mono">{short}</span> {said}', word if word in (DANGLING, INTERMEDIATE) else "image")


def _remarked(marks: tuple[str, ...], word: str) -> tuple[str, ...]:
    kept = tuple(mark for mark in marks if mark not in (DANGLING, INTERMEDIATE))
    return kept if word == NEITHER else (word, *kept)


def lens(state: State, *, commands: Mapping[Digest, str] | None = None, lang: str = "en") -> DanglingLens:
    """The lab under the five definitions; runs of layers are one slab, since it is about images."""
    return DanglingLens(state, graph(state, all=True, images=True, commands=commands, lang=lang))
