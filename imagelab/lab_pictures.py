"""The layer graph of a lab, and what is drawn from it, as methods of `Lab`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagelab.state import State

if TYPE_CHECKING:
    from imagelab.digest import Digest
    from imagelab.engine import Engine
    from imagelab.store import Store
    from imagelab.view.graph import Graph
    from imagelab.view.pictures import LabGraph


class Pictures:
    """What `Lab` inherits."""

    if TYPE_CHECKING:  # what a lab has
        store: Store
        engine: Engine

        @property
        def lang(self) -> str: ...
        @property
        def state(self) -> State: ...

    def graph(
        self, focus: str | None = None, *, all: bool = False, images: bool = False, since: State | int | None = None, fold: int | None = None,
        lang: str | None = None,
    ) -> LabGraph:  # fmt: skip
        """Layers, the images that stand on them, their names and containers, as a picture.

        `focus`: only this image, or container's image, and its family. `all`: intermediate images and digest references, too.
        `images`: one slab for each run of layers. `since`: mark what differs from a former state, or from a step of the
        timeline (-1: from the one before the last). `fold`: how many layers in a row are still shown one by one, 0 for any number. `lang`: else the lab's.
        """
        from imagelab.view.graph import FOLD, graph
        from imagelab.view.messages import checked_language
        from imagelab.view.pictures import LabGraph, layer_commands

        state, before = self.state, self._state_at(since)
        found = self._image_meant(focus) if focus else None
        speak = checked_language(lang or self.lang)
        commands = layer_commands((image.layers, self.store.config(image.id)) for image in state.images.values())

        def draw(unfold: tuple[str, ...] = ()) -> Graph:
            return graph(
                state, focus=found, all=all, images=images, since=before, commands=commands, fold=FOLD if fold is None else fold,
                unfold=unfold, lang=speak,
            )  # fmt: skip

        return LabGraph(draw(), draw)

    def _image_meant(self, name: str) -> Digest:
        """The image that a name, an ID or a container stands for. NotFoundError when there is none."""
        container = next((c for c in self.state.containers.values() if name == c.name), None)
        return container.image if container else self.engine.resolve(name).id

    def _state_at(self, since: State | int | None) -> State | None:
        return since if isinstance(since, State) or since is None else None
