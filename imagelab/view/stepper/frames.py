"""From a lab's timeline to the frames of the stepper: the states before and after each step, and what a person would ask of them.

The listings of both sides are printed for the moment of the step, so that nothing differs in them but what the step did.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from imagelab.errors import BlobNotFoundError
from imagelab.layers.writable_layer import init_layer, init_tree
from imagelab.state.model import Container, Image, State
from imagelab.view.graph.model import graph
from imagelab.view.stepper.overlay import Overlay, overlay
from imagelab.view.stepper.widget import Frame, Listing, Stepper

if TYPE_CHECKING:
    from imagelab.engine.timeline import Timeline
    from imagelab.layers.tree import Tree
    from imagelab.oci.digest import Digest
    from imagelab.state.steps import Step
    from imagelab.store.store import Store

SECOND = 1_000_000_000


@dataclass(frozen=True)
class FrameSource:
    """Where frames come from, and how they are printed."""

    timeline: Timeline
    store: Store
    instructions: Mapping[Digest, str]
    era: str
    tz: tzinfo
    lang: str


def stepper(source: FrameSource) -> Stepper:
    """All steps: those that led to the present, and those that redo would bring back."""
    steps = source.timeline.steps()
    position = source.timeline.position
    present = next((index for index, step in enumerate(steps) if step.number == position), -1)
    trees: dict[str, Tree | None] = {}
    frames = tuple(_frame(source, step, index > present, trees) for index, step in enumerate(steps))
    return Stepper(frames, max(0, present), source.lang)


def _frame(source: FrameSource, step: Step, ahead: bool, trees: dict[str, Tree | None]) -> Frame:
    before, after = source.timeline.state(step.parent), source.timeline.state(step.number)
    drawn = graph(after, since=before, commands=source.instructions, lang=source.lang)
    command = "docker " + shlex.join(step.command) if step.command else ""
    return Frame(
        step.number, command, step.events, drawn, tuple(_listings(source, step, before, after)),
        tuple(_overlays(source, step, before, after, trees)), step.exit_code or 0, ahead,
    )  # fmt: skip


def _listings(source: FrameSource, step: Step, before: State, after: State) -> Iterator[Listing]:
    from imagelab.output import containers as container_format
    from imagelab.output import images as format
    from imagelab.state.image_filters import Filters, select_images

    def images(state: State) -> str:
        listed = select_images(state, Filters(), all=False, now=step.at, resolve=_no_name, tz=source.tz)
        return format.images(listed, state, format.ListOptions(), era=source.era, now=step.at, tz=source.tz)

    def containers(state: State) -> str:
        listed = sorted(state.containers.values(), key=lambda container: (-container.created, container.id))
        return container_format.ps(
            listed, state, quiet=False, no_trunc=False, size=False, format="", era=source.era, now=step.at, tz=source.tz
        )  # fmt: skip

    yield Listing("docker images", images(before), images(after))
    if before.containers or after.containers:
        yield Listing("docker ps -a", containers(before), containers(after))


def _no_name(name: str) -> Image:
    raise AssertionError(name)  # without filters no name is looked up


def _overlays(
    source: FrameSource, step: Step, before: State, after: State, trees: dict[str, Tree | None]
) -> Iterator[Overlay]:
    """The stacks of containers that this step made, wrote to or committed."""
    for container in sorted(after.containers.values(), key=lambda container: container.name):
        now = source.timeline.changes(step.number, container.id)
        then = source.timeline.changes(step.parent, container.id) if container.id in before.containers else ()
        committed = _committed(step, container, before, after)
        if now == then and not committed and container.id in before.containers:
            continue
        if container.id not in trees:
            trees[container.id] = _init(source.store, container)
        init = trees[container.id]
        if init is not None:
            layer, image = committed or ("", "")
            yield overlay(container.name, init, now, then, layer=layer, image=image)


def _committed(step: Step, container: Container, before: State, after: State) -> tuple[str, str] | None:
    """(layer, image) that this step made of the container, as short IDs; None when it was no commit of it."""
    names = {container.name, container.id, container.id[:12]}
    if "commit" not in step.command[:2] or not names & set(step.command):
        return None
    new = [image for image_id, image in after.images.items() if image_id not in before.images]
    return next(((image.layers[-1].short, image.id.short) for image in new if image.layers), None)


def _init(store: Store, container: Container) -> Tree | None:
    """The tree the container started from; None when its image's layers are gone from here."""
    if not container.layers:
        return None
    try:
        image = store.tree(container.layers[-1])
    except BlobNotFoundError:
        return None
    return init_tree(image, init_layer(container.config["Hostname"], container.created // SECOND))
