"""What a build is asked for, and how it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imagelab.dockerfile.parser import located
from imagelab.errors import ImageLabError

if TYPE_CHECKING:
    from imagelab.dockerfile.instructions import Instruction


class BuildError(ImageLabError):
    """A step failed. Said bare: the build's output has begun. `exit_code` is that of a RUN's program."""

    origin = "stream"


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What `docker build` asks for, beyond the context."""

    dockerfile: str = "Dockerfile"
    """Its path in the context."""
    tags: tuple[str, ...] = ()
    arguments: Mapping[str, str | None] = field(default_factory=dict)
    """`--build-arg`; None for a name without a value."""
    target: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    no_cache: bool = False
    pull: bool = False
    remove: bool = True
    """Containers of steps that went well go (`--rm`)."""
    force_remove: bool = False
    cache_from: tuple[str, ...] = ()
    platform: str | None = None
    buildkit: bool = False
    """Leave what BuildKit would."""


@contextmanager
def placed(written: Instruction, text: str) -> Iterator[None]:
    """An error of a step says its line in `text`, the Dockerfile; it is said bare, since the build's output has begun."""
    try:
        yield
    except ImageLabError as error:
        line, hint = written.line, error.hint
        if line.start:
            place = located("", text, line.start, line.end).hint.partition("\n")[0]
            hint = f"{place}\nhint: {hint}" if hint else place
        raise error.from_("stream", hint=hint, exit_code=None if isinstance(error, BuildError) else 1) from None
