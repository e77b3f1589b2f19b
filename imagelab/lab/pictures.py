"""The layer graph of a lab, and what is drawn from it, as methods of `Lab`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING

from imagelab.state.model import State

if TYPE_CHECKING:
    from imagelab.engine.engine import Engine
    from imagelab.oci.digest import Digest
    from imagelab.store.store import Store
    from imagelab.view.graph.lab_graph import LabGraph
    from imagelab.view.graph.model import Graph
    from imagelab.view.listings.dangling import DanglingView
    from imagelab.view.listings.eras import EraListings
    from imagelab.view.listings.removal import RemovalPreview
    from imagelab.view.stepper.widget import Stepper


class Pictures:
    """What `Lab` inherits."""

    if TYPE_CHECKING:  # what a lab has
        store: Store
        engine: Engine

        @property
        def lang(self) -> str: ...
        @property
        def state(self) -> State: ...
        @property
        def era(self) -> str: ...
        @property
        def tz(self) -> tzinfo: ...
        def now(self) -> int: ...

    def graph(
        self, focus: str | None = None, *, all: bool = False, images: bool = False, since: State | int | None = None, fold: int | None = None,
        lang: str | None = None,
    ) -> LabGraph:  # fmt: skip
        """Layers, the images that stand on them, their names and containers, as a picture.

        `focus`: only this image, or container's image, and its family. `all`: intermediate images and digest references, too.
        `images`: one slab for each run of layers. `since`: mark what differs from a former state, or from a step of the
        timeline (-1: from the one before the last). `fold`: how many layers in a row are still shown one by one, 0 for any number. `lang`: else the lab's.
        """
        from imagelab.view.graph.lab_graph import LabGraph
        from imagelab.view.graph.model import FOLD, graph
        from imagelab.view.messages import checked_language

        state, before = self.state, self._state_at(since)
        found = self._image_meant(focus) if focus else None
        speak = checked_language(lang or self.lang)
        commands = self._instructions()

        def draw(unfold: tuple[str, ...] = ()) -> Graph:
            return graph(
                state, focus=found, all=all, images=images, since=before, commands=commands, fold=FOLD if fold is None else fold,
                unfold=unfold, lang=speak,
            )  # fmt: skip

        return LabGraph(draw(), draw)

    def dangling(self) -> DanglingView:
        """Which images are dangling, by five definitions that are all in use; a switch in a notebook."""
        from imagelab.view.listings.dangling import dangling_view

        return dangling_view(self.state, commands=self._instructions(), lang=self.lang)

    def eras(self, *, all: bool = False) -> EraListings:
        """What `docker images` (with `all`, `docker images -a`) prints in Docker 1.13, 28 and 29, with what vanished marked."""
        from imagelab.view.listings.eras import era_listings

        return era_listings(
            self.engine.images.list(all=all), self.state, all=all, now=self.now(), tz=self.tz, lang=self.lang
        )

    def preview_rmi(
        self, *names: str, force: bool = False, prune: bool = True, lang: str | None = None
    ) -> RemovalPreview:
        """What `docker rmi` would untag, delete and leave, and because of whom. Nothing is changed. ImageNotFoundError as `rmi` has it."""
        from imagelab.view.listings.removal import Target, preview_rmi

        targets = [Target(name, *self.engine.images.find(name)) for name in names]
        return preview_rmi(
            self.state, targets, force=force, prune=prune, lang=lang or self.lang, commands=self._instructions()
        )

    def stepper(self) -> Stepper:
        """What was done to this lab, step by step, with the lab after each: a slider and keys in a notebook, text in a terminal."""
        from imagelab.view.stepper.frames import FrameSource, stepper

        return stepper(
            FrameSource(self.engine.timeline, self.store, self._instructions(every=True), self.era, self.tz, self.lang)
        )

    def _instructions(self, *, every: bool = False) -> Mapping[Digest, str]:
        from imagelab.view.graph.lab_graph import layer_commands

        timeline = self.engine.timeline
        states = [self.state, *(timeline.state(step.number) for step in timeline.steps())] if every else [self.state]
        images = {image_id: image for state in states for image_id, image in state.images.items()}
        return layer_commands((image.layers, self.store.config(image.id)) for image in images.values())

    def _image_meant(self, name: str) -> Digest:
        """The image that a name, an ID or a container stands for. NotFoundError when there is none."""
        container = next((c for c in self.state.containers.values() if name == c.name), None)
        return container.image if container else self.engine.images.resolve(name).id

    def _state_at(self, since: State | int | None) -> State | None:
        """A state, or the one after a step of the timeline; a negative number counts back from the present."""
        if since is None or isinstance(since, State):
            return since
        timeline = self.engine.timeline
        if since >= 0:
            return timeline.state(since)
        numbers = [0, *(step.number for step in timeline.steps())]
        here = numbers.index(timeline.position)
        return timeline.state(numbers[max(0, here + since)])
