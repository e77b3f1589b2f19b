"""The whole lab as one immutable value: images, references, layers, containers.

Listings, pictures, exercises, undo and eras are functions of `State`. Nothing here touches the world; the store
makes a `State`, everybody else reads it.

Key:

    reference     canonical text -> image ID; a *tag* reference ends in `:tag`, a *digest* reference in `@sha256:…`
    child         an image whose local parent is this one (made by commit or the classic builder, never by a pull)
    intermediate  no reference at all, and at least one child   (R3.14): hidden without `-a`
    dangling      no tag, and no child                          (R3.15): a digest reference does not save it

So an untagged image is either an intermediate or dangling, and which one depends on its children, not on itself.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import lt
from typing import Any, TypeVar

from imagelab.oci.digest import Digest
from imagelab.state.sorted_map import SortedMap

K = TypeVar("K", bound=str)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer in place: a change (`diff_id`) on top of a stack (`parent`), which together are a tree (`chain_id`)."""

    chain_id: Digest
    diff_id: Digest
    parent: Digest | None
    size: int
    """Bytes of the files it adds, hard links once: what SIZE sums up (R3.13)."""
    blob: Digest
    """Digest of the compressed bytes as received."""
    blob_size: int
    media_type: str


class _Stacked:
    """What an image has beside its fields: how its layers are found, when they are first asked for. A listing asks for none."""

    __slots__ = ("_find",)

    def __getattr__(self, name: str) -> Any:  # only for a slot that is still empty
        if name != "layers":
            raise AttributeError(name)
        layers = self._find()
        object.__setattr__(self, "layers", layers)
        object.__delattr__(self, "_find")
        return layers


@dataclass(frozen=True, slots=True)
class Image(_Stacked):
    """What a listing needs to know of an image; the config itself stays in the store, as bytes."""

    id: Digest
    """Digest of the config (R7.1)."""
    created: int
    """Nanoseconds since 1970, from the config; 0 when it has none (R3.10)."""
    size: int
    """Sum of the unpacked layers, shared ones included (R3.13)."""
    layers: tuple[Digest, ...]
    """Chain IDs, base first."""
    target: Digest
    """Digest of the manifest or index a registry knows it by: the image ID of Docker 29 (R3.38)."""
    content_size: int
    """Bytes of all its blobs: index, manifest, config, compressed layers."""
    parent: Digest | None = None
    """The local parent image (R6.38): set by commit and the classic builder, never by a pull."""
    labels: Mapping[str, str] = field(default_factory=dict)
    platform: str = "linux/amd64"
    tagged: int = 0
    """When a tag was last put on it, nanoseconds since 1970 (R6.50 `LastTagTime`); 0 if never."""
    local: bool = False
    """Made here (commit, build, import) rather than received."""
    children_platforms: tuple[tuple[str, Digest, bool], ...] = ()
    """For an index: (platform, manifest digest, present here), in the index's order (R3.33)."""

    def with_layers_from(self, find: Callable[[], tuple[Digest, ...]]) -> Image:
        """This very image, new and not shared yet, whose layers are those that `find` gives."""
        object.__delattr__(self, "layers")
        object.__setattr__(self, "_find", find)
        return self


@dataclass(frozen=True, slots=True)
class Container:
    """An image and one more, writable, layer; and the process that works in it, if there is one."""

    id: str
    """64 hex digits, without a prefix (R6.1)."""
    name: str
    image: Digest
    status: str = "created"
    """created, running, paused, exited, dead (R6.17)."""
    size: int = 0
    """Bytes of its writable layer."""
    files: str = ""
    """The version of its writable layer: a digest of all that has changed in it; "" when nothing has."""
    created: int = 0
    """Nanoseconds since 1970."""
    image_name: str = ""
    """The image as it was asked for."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Docker's `Config`: what it runs and how, image and user merged (R6.6)."""
    host: Mapping[str, Any] = field(default_factory=dict)
    """Docker's `HostConfig`: what concerns the machine, such as published ports."""
    layers: tuple[Digest, ...] = ()
    """Chain IDs of the image's layers it stands on, kept even when the image is removed by force."""
    exit_code: int = 0
    error: str = ""
    started: int = 0
    finished: int = 0
    pid: int = 0
    """Of the process that drives it, while it runs."""
    ports: Mapping[str, Any] = field(default_factory=dict)
    """While it runs: `80/tcp` -> [{HostIp, HostPort}], None for one that is only exposed."""

    @property
    def running(self) -> bool:
        """Is there a process?"""
        return self.status in ("running", "paused")

    @property
    def command(self) -> tuple[str, ...]:
        """Entrypoint and command, as one."""
        return (*(self.config.get("Entrypoint") or ()), *(self.config.get("Cmd") or ()))

    @property
    def labels(self) -> Mapping[str, str]:
        return self.config.get("Labels") or {}


@dataclass(frozen=True)
class State:
    """Everything a lab holds between two changes. `revision` grows by one with every change."""

    images: Mapping[Digest, Image] = field(default_factory=dict)
    references: Mapping[str, Digest] = field(default_factory=dict)
    layers: Mapping[Digest, Layer] = field(default_factory=dict)
    containers: Mapping[str, Container] = field(default_factory=dict)
    revision: int = 0

    @cached_property
    def _names(self) -> Mapping[Digest, tuple[str, ...]]:
        names: dict[Digest, list[str]] = {}
        for name, image_id in self.references.items():
            names.setdefault(image_id, []).append(name)
        return {image_id: tuple(sorted(texts)) for image_id, texts in names.items()}

    @cached_property
    def _children(self) -> Mapping[Digest, tuple[Digest, ...]]:
        children: dict[Digest, list[Digest]] = {}
        for image in self.images.values():
            if image.parent is not None:
                children.setdefault(image.parent, []).append(image.id)
        return {parent: tuple(sorted(ids)) for parent, ids in children.items()}

    def changed(
        self, *, images: Mapping[Digest, Image | None], references: Mapping[str, Digest | None],
        layers: Mapping[Digest, Layer], containers: Mapping[str, Container | None], revision: int,
    ) -> State:  # fmt: skip
        """The state with these values in place, None for what is gone, and with these layers.

        It costs what changes; the rest is shared.
        """
        after = State(
            changed(self.images, images),
            changed(self.references, references),
            layers,
            _in_order({**self.containers, **containers}) if containers else self.containers,
            revision,
        )
        for name, moves in (("_names", self._moved_names(references)), ("_children", self._moved_children(images))):
            if name in self.__dict__:  # what was worked out of this state is carried on to the next
                after.__dict__[name] = _regrouped(self.__dict__[name], moves)
        return after

    def _moved_names(self, references: Mapping[str, Digest | None]) -> Iterator[Move]:
        for name, image_id in references.items():
            yield name, self.references.get(name), image_id

    def _moved_children(self, images: Mapping[Digest, Image | None]) -> Iterator[Move]:
        for image_id, image in images.items():
            before = self.images.get(image_id)
            yield image_id, before.parent if before else None, image.parent if image else None

    def names(self, image_id: Digest) -> tuple[str, ...]:
        """All references of an image, canonical, in lexical order: `repo:tag` before `repo@sha256:…` (R3.3)."""
        return self._names.get(image_id, ())

    def tags(self, image_id: Digest) -> tuple[str, ...]:
        """The references that end in a tag."""
        return tuple(name for name in self.names(image_id) if "@" not in name)

    def digests(self, image_id: Digest) -> tuple[str, ...]:
        """The references that end in a digest."""
        return tuple(name for name in self.names(image_id) if "@" in name)

    def children(self, image_id: Digest) -> tuple[Digest, ...]:
        """Images whose local parent this one is."""
        return self._children.get(image_id, ())

    def is_intermediate(self, image_id: Digest) -> bool:
        """No reference, and at least one child (R3.14)."""
        return not self.names(image_id) and bool(self.children(image_id))

    def is_dangling(self, image_id: Digest) -> bool:
        """No tag, and no child (R3.15)."""
        return not self.tags(image_id) and not self.children(image_id)

    def users(self, image_id: Digest) -> tuple[Container, ...]:
        """Containers made from this image, running or not."""
        return tuple(c for c in self.containers.values() if c.image == image_id)

    def parents(self, image_id: Digest) -> Iterator[Digest]:
        """The local parent chain, nearest first, as far as it is still here."""
        parent = self.images[image_id].parent
        while parent is not None and parent in self.images:
            yield parent
            parent = self.images[parent].parent


Move = tuple[str, Digest | None, Digest | None]
"""A member of a group: which it was in, and which it is in now."""


def changed(table: Mapping[K, V], changes: Mapping[K, V | None]) -> Mapping[K, V]:
    """A table with these values in place, None for what is gone; it shares what stays with the one before."""
    if not changes:
        return table
    return (table if isinstance(table, SortedMap) else SortedMap(table)).changed(changes)


def _in_order(containers: Mapping[str, Container | None]) -> Mapping[str, Container]:
    """Containers that are there, oldest first. Nearly always they are in order as they come."""
    present = {container_id: container for container_id, container in containers.items() if container is not None}
    order = [(container.created, container_id) for container_id, container in present.items()]
    if all(map(lt, order, order[1:])):
        return present
    return {container_id: present[container_id] for _, container_id in sorted(order)}


def _regrouped(groups: Mapping[Digest, tuple[Any, ...]], moves: Iterable[Move]) -> Mapping[Digest, tuple[Any, ...]]:
    """Groups, each in order, after some members have moved."""
    changes: dict[Digest, tuple[Any, ...] | None] = {}
    for member, before, after in moves:
        if before == after:
            continue
        if before is not None:
            left = changes.get(before, groups.get(before)) or ()
            changes[before] = tuple([sibling for sibling in left if sibling != member]) or None
        if after is not None:
            there = list(changes.get(after, groups.get(after)) or ())
            insort(there, member)
            changes[after] = tuple(there)
    return changed(groups, changes)
