"""One verb's changes in the making, and what blobs a lab's rows need.

A transaction is what a verb gets of the database: it may put, tag, untag and delete, and all of it happens together, or
none of it. It takes nothing away from the disk: what it removes, an undo may want back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from imagelab.oci.digest import Digest
from imagelab.state.model import Container, Image, Layer, State

if TYPE_CHECKING:
    from imagelab.dockerfile.step_keys import StepKeys
    from imagelab.layers.tree import Change
    from imagelab.store.database import Database


class Transaction:
    """Changes in the making; see `Store.transaction`. `state` is what the lab holds as they are being made."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.touched = False
        """Something changed that the rows do not show."""

    @property
    def state(self) -> State:
        return self._database.state()

    def put_layer(self, layer: Layer) -> None:
        """A layer in place; one that is there already stays."""
        self._database.put_layer(layer)

    def put_image(self, image: Image, made_by: StepKeys | None = None) -> None:
        """An image; one with the same ID is replaced. Its layers must be there. `made_by`: the step, if it is known."""
        self._database.put_image(image)
        if image.local:
            self._database.made.put(image, made_by)

    def tag(self, name: str, image_id: Digest, now: int) -> None:
        """A canonical reference for an image, moved if it stood for another. `now`: nanoseconds since 1970."""
        self._database.tag(name, image_id, now)

    def untag(self, name: str) -> None:
        """Forget a reference."""
        self._database.untag(name)

    def delete_image(self, image_id: Digest) -> tuple[Layer, ...]:
        """Remove an image; the layers nothing needs any more, top first (R5.7). Their blobs stay for the timeline."""
        return tuple(self._database.delete_image(image_id))

    def put_container(self, container: Container) -> None:
        """A container; one with the same ID is replaced, and its files stay."""
        self._database.containers.put(container)

    def put_changes(self, container_id: str, changes: tuple[Change, ...], new: Mapping[str, bytes]) -> None:
        """What now differs from a container's init layer; `new`: bytes by digest, those that are not stored yet."""
        from imagelab.layers.writable_layer import contents_of, pack, size_of

        rows = self._database.containers
        before = rows.put_changes(container_id, pack(changes), size_of(changes), contents_of(changes), new)
        self._drop_files(before)

    def came_late(self, container_id: str, moment: Digest) -> None:
        """What a container's own program does here it began before the step it belongs to; `moment`: a blob that says when."""
        self._database.journal.came_late(container_id, moment)

    def container(self, container_id: str) -> Container | None:
        """A container as it is in the middle of this transaction."""
        return self._database.containers.get(container_id)

    def delete_container(self, container_id: str) -> None:
        """Remove a container and its writable layer, and the layers of an image that only it still held."""
        version, _ = self._database.containers.delete(container_id)
        self._drop_files(version)

    def _drop_files(self, version: str) -> None:
        """Forget a version of a container's files that no container has and no step names."""
        if version and not self._database.containers.needs(version) and not self._database.journal.needs_files(version):
            self._database.containers.drop(version)


def reached(images: Iterable[Image], layers: Iterable[Layer], references: Iterable[str]) -> set[Digest]:
    """Every blob that these need."""
    digests = {layer.blob for layer in layers}
    for image in images:
        digests |= {image.id, image.target, *(digest for _, digest, here in image.children_platforms if here)}
    return digests | {Digest.trusted(name.partition("@")[2]) for name in references if "@" in name}
