"""`docker ps -f key=value`: which containers a listing shows (R6.19).

id, name          the beginning of the ID; a regular expression for the name
status            created, running, paused, exited, dead; implies `-a`, as `exited` does
exited=3          exited with that code
ancestor=IMAGE    made from that image, or from one that was made from it
before, since     created earlier or later than another container
label, publish, expose, health, network, volume, is-task
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from imagelab.errors import ImageLabError, ImageNotFoundError, InvalidFilterError
from imagelab.state.image_filters import Filters
from imagelab.state.model import Container, State

if TYPE_CHECKING:
    from imagelab.engine.engine import Engine

KEYS = {"ancestor", "before", "exited", "expose", "health", "id", "isolation", "is-task", "label", "name", "network", "publish", "since", "status", "volume"}  # fmt: skip
STATUSES = {"created", "restarting", "running", "removing", "paused", "exited", "dead"}


def select(state: State, filters: Filters, *, all: bool, last: int, engine: Engine) -> list[Container]:
    """The containers of `docker ps`, newest first. `last`: that many, whatever their state; below 1 no limit."""
    filters.validate(KEYS)
    _check(filters)
    before = [_created(engine, name) for name in filters.get("before", ())]
    since = [_created(engine, name) for name in filters.get("since", ())]
    images = _images(state, filters, engine)
    anything = all or last > 0 or "status" in filters or "exited" in filters or before or since

    def shown(container: Container) -> bool:
        if not (anything or container.running):
            return False
        if images is not None and container.image not in images:
            return False
        if any(container.created >= moment for moment in before) or any(
            container.created <= moment for moment in since
        ):
            return False
        return _holds(container, filters)

    containers = sorted(
        filter(shown, state.containers.values()), key=lambda container: (-container.created, container.id)
    )
    return containers[:last] if last > 0 else containers


def _check(filters: Filters) -> None:
    for status in filters.get("status", ()):
        if status not in STATUSES:
            raise InvalidFilterError(f"invalid filter 'status={status}'", hint=f"one of {', '.join(sorted(STATUSES))}")
    for code in filters.get("exited", ()):
        if not code.lstrip("-").isdigit():
            raise InvalidFilterError(f"invalid filter 'exited={code}'", hint="an exit code: a number")


def _created(engine: Engine, name: str) -> int:
    return engine.containers.resolve(name).created


def _images(state: State, filters: Filters, engine: Engine) -> set[str] | None:
    """Those of `ancestor`, and all that were made from them here; None without that filter."""
    if "ancestor" not in filters:
        return None
    image_ids: set[str] = set()
    for name in filters["ancestor"]:
        try:
            image = engine.images.resolve(name)
        except (ImageNotFoundError, ImageLabError):
            continue
        image_ids |= {
            image_id for image_id in state.images if image_id == image.id or image.id in state.parents(image_id)
        }
    return image_ids


def _holds(container: Container, filters: Filters) -> bool:
    checks: dict[str, Callable[[str], bool]] = {
        "id": lambda value: container.id.startswith(value),
        "name": lambda value: re.search(value.replace("^/", "^", 1), container.name) is not None,
        "status": lambda value: container.status == value,
        "exited": lambda value: not container.running and container.status != "created" and container.exit_code == int(value),
        "publish": lambda value: _port(value) in [port for port, bindings in container.ports.items() if bindings],
        "expose": lambda value: _port(value) in container.ports,
        "health": lambda value: value == "none",
        "network": lambda value: value == "bridge",
        "volume": lambda value: False,
        "is-task": lambda value: value in ("false", "0"),
        "isolation": lambda value: value == "default",
    }  # fmt: skip
    for key, values in filters.items():
        if key == "label" and not _labelled(container, values):
            return False
        if key in checks and not any(checks[key](value) for value in values):
            return False
    return True


def _labelled(container: Container, wanted: Iterable[str]) -> bool:
    pairs = [text.partition("=") for text in wanted]
    return all(
        key in container.labels and (not equals or container.labels[key] == value) for key, equals, value in pairs
    )


def _port(text: str) -> str:
    return text if "/" in text else f"{text}/tcp"
