"""What the Engine's questions answer: one value for each of Docker's reports, sizes in bytes, nothing formatted."""

from __future__ import annotations

from dataclasses import dataclass

from imagelab.oci.digest import Digest
from imagelab.state.events import Removal
from imagelab.state.model import Container, Image


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row of `docker history`, newest first (R6.39-R6.43)."""

    id: Digest | None
    """None prints as `<missing>`."""
    created: int
    """Nanoseconds since 1970; 0 when absent."""
    created_by: str
    size: int
    comment: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageUsage:
    """One image's row of `system df -v` (R6.56)."""

    image: Image
    shared: int
    unique: int
    containers: int


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """`docker system df`: what is here, what is used, what could go (R6.53-R6.57). All sizes are bytes."""

    images: tuple[ImageUsage, ...]
    """In the order of `docker images`."""
    layers_size: int
    """Each distinct layer of the listed images once."""
    reclaimable: int
    """By the classic rule (R6.55, up to 28)."""
    containers: tuple[Container, ...] = ()


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What `image prune` removed, in order, and the bytes of the layers that went (R5.18, R5.19)."""

    removed: tuple[Removal, ...]
    reclaimed: int
