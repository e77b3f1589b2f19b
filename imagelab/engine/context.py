"""What every family of verbs is given, and nothing else: the parameters of one lab.

An engine has no clock, no environment and no source of chance of its own. The caller that opens a lab decides them once; the verbs
find them here. Same store, same parameters, same calls: same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from imagelab.state.events import EventSink
    from imagelab.store.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """The store, and how the world looks from this lab."""

    store: Store
    clock: Callable[[], int]
    """Nanoseconds since 1970."""
    emit: EventSink
    """Is told what was done: the face that asked for it, and the timeline."""
    platform: str
    """`os/architecture[/variant]` of what is pulled and built unless a verb says otherwise."""
    era: Callable[[], str]
    """"29" when the IDs people type are those of Docker 29."""
    timezone: Callable[[], tzinfo]
    """Of a date that names none."""
    ids: Callable[[], str]
    """A container's next ID: 64 hex digits."""
    noise: Callable[[int], bytes]
    """That many random bytes."""
