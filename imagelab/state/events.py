"""What an operation says while it works, and what it did when it is done. Plain values; faces decide how they look.

`Progress` is one line of the stream Docker's daemon sends during a pull. A line that belongs to a layer carries the
layer's short id and is rewritten in place on a terminal; a line without an id stands alone. Bars (`Downloading`,
`Extracting`, `Loading layer`, `Importing`) carry `current` and `total` bytes, and are dropped where there is no terminal (R2.14).

`Event` is one entry of Docker's event vocabulary (`image pull`, `image tag`, `image untag`, `image delete`): what
the timeline and the pictures listen to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

BAR_STATUSES = frozenset({"Downloading", "Extracting", "Loading layer", "Importing"})


@dataclass(frozen=True, slots=True)
class Progress:
    """`status` behind `id: ` when there is an id. `current`/`total` are bytes, and 0 when there is no bar.

    `size`: bytes of a layer that is not fetched, because it is here.
    """

    status: str
    id: str = ""
    current: int = 0
    total: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """`actor` is the image ID or the reference acted on, as Docker reports it."""

    type: str
    action: str
    actor: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Untagged:
    """A reference was removed. `reference` is its familiar form."""

    reference: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """An image (its ID) or a layer (its chain ID) was removed."""

    digest: str


Removal = Untagged | Deleted
ProgressSink = Callable[[Progress], None]
EventSink = Callable[[Event], None]


def silent(_: Progress | Event) -> None:
    """The sink that listens to nothing."""
