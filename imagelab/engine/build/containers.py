"""The containers that a build's steps are made in, and what a step changed in one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from imagelab.engine.build.step_store import StepResult
from imagelab.engine.build.trace import ContainerMade, Removed
from imagelab.engine.commit import with_parents

if TYPE_CHECKING:
    from imagelab.dockerfile.config import Config
    from imagelab.engine.build.trace import BuildSink
    from imagelab.engine.containers import Containers
    from imagelab.layers.tree import Change
    from imagelab.state.model import Container, Image


class StepContainers:
    """Those of one build that have not gone yet."""

    def __init__(self, containers: Containers, emit: BuildSink) -> None:
        self._containers, self._emit = containers, emit
        self._made: list[str] = []

    def create(self, image: Image | None, config: Config) -> Container:
        """A container of a step. It is not started."""
        container = self._containers.create_for_build(image, config)
        self._made.append(container.id)
        self._emit(ContainerMade(container.id))
        return container

    @contextmanager
    def passing(self, image: Image | None, config: Config) -> Iterator[Container]:
        """A container in which nothing is done; it goes with the end of the step, in one transaction.

        Both are said afterwards: the printer may have to wait, and no other process could write meanwhile.
        """
        with self._containers.passing(image, config) as container:
            yield container
        self._emit(ContainerMade(container.id))
        self._emit(Removed(container.id))

    def result(self, container: Container, volumes: Iterable[str]) -> StepResult:
        """What was done in it, but for what `volumes` swallowed (R8.21)."""
        inside = [path.strip("/") + "/" for path in volumes]
        changes = tuple(
            change
            for change in self._containers.changes(container.id)
            if not any(_is_in(change, path) for path in inside)
        )
        if not changes:
            return StepResult(container=container.id)
        workspace = self._containers.workspace(container)
        return StepResult(with_parents(changes, workspace.read()), workspace.files.data, container.id)

    def remove_all(self) -> None:
        """As the classic builder does after a step: it says so of each."""
        for container_id in self._made:
            self._containers.remove(container_id, force=True)
            self._emit(Removed(container_id))
        self._made = []

    def drop_all(self) -> None:
        """The latest first, without a word."""
        for container_id in reversed(self._made):
            self._containers.remove(container_id, force=True)

    def drop_layers(self, image: Image) -> None:
        """Layers that no image has: a container on top of them takes them along when it goes."""
        container = self._containers.create_for_build(image, {})
        self._containers.remove(container.id)


def _is_in(change: Change, volume: str) -> bool:
    return f"{change.path}/".startswith(volume) and f"{change.path}/" != volume
