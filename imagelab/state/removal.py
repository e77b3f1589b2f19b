"""What `rmi` and `image prune` would remove, and why they sometimes refuse. No bytes are touched here.

Removing an image is two things that Docker does in one command, and prints as two words:

    Untagged: a reference is taken off an image        (a name is gone, the image may well stay)
    Deleted:  the image itself, then each layer that no other image stands on, top first

A name given -> untag it, and delete the image only if that was its last reference. An ID given -> take all its
references off, and delete it. Deleting may make the parent superfluous: an untagged parent without other children
goes too, and so on down (R5.8). What refuses, in this order (R5.10): a child image, a running container, more than
one reference, a stopped container.

The work is done on a `RemovalPlan`: a scratch copy of the few facts that matter (who is called what, who stands on whom),
changed as Docker would change its own, so that removing a thousand images costs a thousand small steps. The engine
then writes the plan's `untagged` and `deleted` down in one transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from imagelab.errors import ConflictError
from imagelab.oci.digest import Digest
from imagelab.oci.reference import familiar
from imagelab.state.events import Deleted, Removal, Untagged
from imagelab.state.model import Container, Image, State


class RemovalPlan:
    """A removal in the making. `removed` is what Docker prints, in order; `untagged` and `deleted` what to write."""

    def __init__(self, state: State) -> None:
        self.removed: list[Removal] = []
        self.untagged: list[str] = []
        self.deleted: list[Digest] = []
        self._state = state
        self._gone: set[Digest] = set()
        self._left: dict[Digest, list[str]] = {}
        self._children_gone: Counter[Digest] = Counter()
        self._users: dict[Digest, list[Container]] = {}
        for container in state.containers.values():
            self._users.setdefault(container.image, []).append(container)

    @cached_property
    def _standing(self) -> Counter[Digest]:
        """How much stands on each layer; counted only when an image goes."""
        state = self._state
        standing = Counter(chain_id for image in state.images.values() for chain_id in image.layers)
        for container in state.containers.values():
            # A container keeps its layers even when its image is removed by force, now or long ago (R5.11).
            image = state.images.get(container.image)
            standing.update(container.layers or (image.layers if image else ()))
        return standing

    def _names(self, image_id: Digest) -> list[str]:
        """The names an image still has."""
        if image_id not in self._left:
            self._left[image_id] = list(self._state.names(image_id))
        return self._left[image_id]

    def _is_here(self, image_id: Digest) -> bool:
        return image_id in self._state.images and image_id not in self._gone

    def remove(self, image: Image, typed: str, name: str | None, *, force: bool, prune: bool) -> None:
        """Remove `image`, found under `name` (a canonical reference), or by its ID when `name` is None.

        `typed` is what the person wrote, as the refusal repeats it. Raises ConflictError with Docker's words, and
        then the plan as a whole is to be thrown away.
        """
        if name is None:
            if self._single_reference(image.id):
                self._refuse_if_used(image.id, references=False, stopped=not force)
                self._untag_all(image.id)
            self._delete(image.id, force=force, prune=prune)
            return
        if not force and self._single_reference(image.id) and self._users.get(image.id):
            user = self._users[image.id][0]
            raise ConflictError(
                f'conflict: unable to remove repository reference "{typed}" (must force) - container '
                f"{user.id[:12]} is using its referenced image {image.id.short}",
                hint=f"remove the container first, or take the name off with -f: docker rmi -f {typed}",
            )
        self._untag(image.id, name)
        if "@" not in name:
            self._untag_leftover_digests(image.id, _repository(name))
        if not self._names(image.id):
            self._delete_quietly(image.id, force=force, prune=prune)

    def prune(self, image_id: Digest) -> None:
        """Remove one image as `image prune` does: reference by reference, skipping what refuses (R5.20)."""
        names: list[str | None] = [*self._names(image_id)]
        for name in names or [None]:
            if not self._is_here(image_id) or (name is not None and name not in self._names(image_id)):
                continue
            try:
                self.remove(self._state.images[image_id], name or image_id.hex, name, force=False, prune=True)
            except ConflictError:
                continue

    # -- steps ----------------------------------------------------------------------------------------------

    def _untag(self, image_id: Digest, name: str) -> None:
        self._names(image_id).remove(name)
        self.untagged.append(name)
        self.removed.append(Untagged(familiar(name)))

    def _untag_all(self, image_id: Digest) -> None:
        for name in list(self._names(image_id)):
            self._untag(image_id, name)

    def _untag_leftover_digests(self, image_id: Digest, repository: str) -> None:
        """R5.3c: digest references live only as long as some tag of their repository does."""
        same = [name for name in self._names(image_id) if _repository(name) == repository]
        if all("@" in name for name in same):
            for name in same:
                self._untag(image_id, name)

    def _delete_quietly(self, image_id: Digest, *, force: bool, prune: bool) -> None:
        """Delete, or leave it standing without a word when an image or a container needs it (R5.9)."""
        try:
            self._refuse_if_used(image_id, references=True, stopped=not force)
        except ConflictError:
            return
        self._delete(image_id, force=force, prune=prune)

    def _delete(self, image_id: Digest, *, force: bool, prune: bool) -> None:
        self._refuse_if_used(image_id, references=not force, stopped=not force)
        self._untag_all(image_id)
        standing = self._standing
        image = self._state.images[image_id]
        self._gone.add(image_id)
        self.deleted.append(image_id)
        self.removed.append(Deleted(image_id))
        for chain_id in reversed(image.layers):
            standing[chain_id] -= 1
            if not standing[chain_id]:
                self.removed.append(Deleted(chain_id))
        if image.parent:
            self._children_gone[image.parent] += 1
            if prune and self._is_here(image.parent):
                self._delete_quietly(image.parent, force=False, prune=True)

    # -- questions ------------------------------------------------------------------------------------------

    def _single_reference(self, image_id: Digest) -> bool:
        """At most one tag, and every digest reference in that tag's repository (R5.6)."""
        names = self._names(image_id)
        if len(names) <= 1:
            return True
        tags = [name for name in names if "@" not in name]
        return len(tags) <= 1 and len({_repository(name) for name in names}) == 1

    def _refuse_if_used(self, image_id: Digest, *, references: bool, stopped: bool) -> None:
        users = self._users.get(image_id, ())
        running = next((user for user in users if user.running), None)
        if len(self._state.children(image_id)) > self._children_gone[image_id]:
            raise _conflict(
                image_id,
                "cannot be forced",
                "image has dependent child images",
                "remove the images made from it first; docker images -a shows them",
            )
        if running:
            raise _conflict(
                image_id,
                "cannot be forced",
                f"image is being used by running container {running.id[:12]}",
                f"stop and remove it first: docker rm -f {running.id[:12]}",
            )
        if references and self._names(image_id):
            raise _conflict(
                image_id,
                "must be forced",
                "image is referenced in multiple repositories",
                f"remove it name by name, or all at once: docker rmi -f {image_id.short}",
            )
        if stopped and users:
            raise _conflict(
                image_id,
                "must be forced",
                f"image is being used by stopped container {users[0].id[:12]}",
                f"remove it first: docker rm {users[0].id[:12]}",
            )


def freed_bytes(state: State, removed: Iterable[object]) -> int:
    """Bytes of the layers among `removed`, as `Total reclaimed space` counts them (R5.19)."""
    digests = (item.digest for item in removed if isinstance(item, Deleted))
    return sum(state.layers[digest].size for digest in map(Digest.trusted, digests) if digest in state.layers)


def _repository(name: str) -> str:
    """`docker.io/library/ubuntu:14.04` -> `docker.io/library/ubuntu`; a port's colon is not a tag's."""
    name = name.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name


def _conflict(image_id: Digest, force: str, reason: str, hint: str) -> ConflictError:
    return ConflictError(f"conflict: unable to delete {image_id.short} ({force}) - {reason}", hint=hint)
