"""`docker rmi`, looked at before it is done: what would be untagged, what deleted, what stays, and because of whom.

    docker rmi --dry-run nginx:v2

    Would be untagged:  nginx:v2
    Would be deleted:   image 168492091924
    Would be deleted:   layer 0a4cac88da10
    Stays:              layer a43b6cac7b3c: nginx:latest stands on it

The removal itself is `removal.RemovalPlan`, on the same values as the real one, so the preview cannot promise something else. What is
added here is the other side: for everything that the image consists of and that would still be there, who holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from imagelab.errors import ConflictError
from imagelab.oci.digest import Digest
from imagelab.oci.reference import familiar
from imagelab.state.events import Removal, Untagged
from imagelab.state.model import Image, State
from imagelab.state.removal import RemovalPlan, freed_bytes
from imagelab.units import human_size
from imagelab.view.graph.lab_graph import image as picture_of
from imagelab.view.graph.model import Graph, graph
from imagelab.view.messages import say
from imagelab.view.panel import Panel, aligned, escape
from imagelab.view.style import chip

NAMED, CHILDREN, CONTAINERS, IMAGES = "names", "children", "containers", "images"


@dataclass(frozen=True, slots=True)
class Target:
    """What a person would type: the image it means, and the canonical reference it was found by (None: by its ID)."""

    typed: str
    image: Image
    name: str | None


@dataclass(frozen=True, slots=True)
class Retained:
    """Something of the image that would still be there. `why`: names, children, containers or images; `holders`: who."""

    kind: str
    id: Digest
    why: str
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefusedRemoval:
    """Docker's words for one that would be refused, and who is in the way."""

    typed: str
    message: str
    hint: str
    retained: tuple[Retained, ...]


@dataclass(frozen=True, repr=False)
class RemovalPreview(Panel):
    """A removal that was not made."""

    kind = "rmi"
    sheets = ("split",)

    before: State
    after: State
    typed: tuple[str, ...]
    removed: tuple[Removal, ...]
    retained: tuple[Retained, ...]
    refusals: tuple[RefusedRemoval, ...]
    lang: str
    commands: Mapping[Digest, str]

    @property
    def freed(self) -> int:
        """Bytes of the layers that would go."""
        return freed_bytes(self.before, self.removed)

    @property
    def graph(self) -> Graph:
        """The lab afterwards; what would be gone is a ghost."""
        return graph(self.after, since=self.before, all=True, commands=self.commands, lang=self.lang)

    @property
    def rows(self) -> list[tuple[str, str]]:
        """(what would happen, to what) line by line, as the text has it."""
        return [(say(f"removal.{fate}", self.lang), subject) for fate, subject in self._fates()]

    def _fates(self) -> Iterator[tuple[str, str]]:
        """(untag, delete, keep or refused; of what) in that order."""
        for item in self.removed:
            if isinstance(item, Untagged):
                yield "untag", item.reference
            else:
                kind = "image" if item.digest in self.before.images else "layer"
                yield "delete", say(f"removal.{kind}", self.lang, id=Digest.trusted(item.digest).short)
        yield from (("keep", retained_text(remainder, self.lang)) for remainder in self.retained)
        for refusal in self.refusals:
            yield "refused", refusal.message
            yield from (("keep", retained_text(remainder, self.lang)) for remainder in refusal.retained)

    @property
    def title(self) -> str:
        return say("removal.title", self.lang, names=" ".join(self.typed))

    def lines(self) -> list[str]:
        rows = [(f"{fate}:", subject) for fate, subject in self.rows]
        return [*aligned(rows), self._freed()] if rows else [say("removal.nothing", self.lang)]

    def body(self) -> str:
        rows = "".join(
            f'<div class="line">{chip(escape(say(f"removal.{fate}", self.lang)), _HUES[fate])}<span>{escape(subject)}</span></div>'
            for fate, subject in self._fates()
        )
        freed = f'<p class="note">{escape(self._freed())}</p>'
        return f'<div class="split"><div>{rows}{freed}</div>{picture_of(self.graph)}</div>'

    def _freed(self) -> str:
        return say("removal.freed", self.lang, size=human_size(self.freed))


_HUES = {"untag": "changed", "delete": "removed", "keep": "added", "refused": "dangling"}


def preview_rmi(
    state: State, targets: Sequence[Target], *, force: bool = False, prune: bool = True, lang: str = "en",
    commands: Mapping[Digest, str] | None = None,
) -> RemovalPreview:  # fmt: skip
    """What `docker rmi` would do with these, one after the other, as it does."""
    now = state
    removed: list[Removal] = []
    done: list[Image] = []
    refusals: list[RefusedRemoval] = []
    for target in targets:
        if target.image.id not in now.images or (target.name is not None and target.name not in now.references):
            continue
        plan = RemovalPlan(now)
        try:
            plan.remove(target.image, target.typed, target.name, force=force, prune=prune)
        except ConflictError as error:
            refusals.append(
                RefusedRemoval(target.typed, str(error), error.hint, tuple(_holders(now, target.image, now)))
            )
            continue
        removed += plan.removed
        done.append(target.image)
        now = without(now, plan.untagged, plan.deleted)
    retained = dict.fromkeys(item for image in done for item in _holders(now, image, state))
    return RemovalPreview(
        state, now, tuple(target.typed for target in targets), tuple(removed), tuple(retained), tuple(refusals), lang, commands or {},
    )  # fmt: skip


def without(state: State, names: Iterable[str], images: Iterable[Digest]) -> State:
    """The lab without these names and images, and without the layers that nothing needs any more."""
    gone = set(images)
    left = {image_id: image for image_id, image in state.images.items() if image_id not in gone}
    needed = {chain_id for image in left.values() for chain_id in image.layers}
    for container in state.containers.values():
        needed.update(
            container.layers or (state.images[container.image].layers if container.image in state.images else ())
        )
    dropped = set(names)
    return replace(
        state, images=left, layers={chain_id: layer for chain_id, layer in state.layers.items() if chain_id in needed},
        references={name: image_id for name, image_id in state.references.items() if name not in dropped and image_id not in gone},
    )  # fmt: skip


def _holders(after: State, image: Image, before: State) -> Iterable[Retained]:
    """Of an image, its parents and its layers: what is there afterwards, and who holds it."""
    for image_id in (image.id, *before.parents(image.id)):
        if image_id in after.images:
            yield from _why_image(after, image_id)
    if image.id in after.images:
        return
    for chain_id in reversed(image.layers):
        if chain_id in after.layers:
            yield from _why_layer(after, chain_id)


def _why_image(state: State, image_id: Digest) -> Iterable[Retained]:
    children = tuple(_called(state, child) for child in state.children(image_id))
    users = tuple(container.name or container.id[:12] for container in state.users(image_id))
    names = tuple(familiar(name) for name in state.tags(image_id))
    for why, holders in ((CHILDREN, children), (CONTAINERS, users), (NAMED, names)):
        if holders:
            yield Retained("image", image_id, why, holders)


def _why_layer(state: State, chain_id: Digest) -> Iterable[Retained]:
    images = tuple(_called(state, image.id) for image in state.images.values() if chain_id in image.layers)
    if images:
        yield Retained("layer", chain_id, IMAGES, tuple(sorted(images)))
        return
    users = (container for container in state.containers.values() if chain_id in container.layers)
    yield Retained("layer", chain_id, CONTAINERS, tuple(container.name or container.id[:12] for container in users))


def _called(state: State, image_id: Digest) -> str:
    tags = state.tags(image_id)
    return familiar(tags[0]) if tags else image_id.short


def retained_text(retained: Retained, lang: str) -> str:
    """`layer a43b6cac7b3c: nginx:latest stands on it`."""
    subject = say(f"removal.{retained.kind}", lang, id=retained.id.short)
    names = ("、" if lang == "zh" else ", ").join(retained.holders)
    why = say(f"removal.because.{retained.why}", lang, names=names, count=len(retained.holders))
    return f"{subject}：{why}" if lang == "zh" else f"{subject}: {why}"
