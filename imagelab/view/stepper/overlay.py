"""A container's files as the stack they are: what the image has, what the container wrote, what one sees.

    file                               lower            upper        merged
    /usr/share/nginx/html/index.html   there, hidden    C changed    from upper
    /root/.ash_history                 -                A added      from upper
    /etc/motd                          there, hidden    D deleted    -

`lower` are the image's layers, which never change. `upper` is the container's own, writable, layer: a file that is changed is
copied up and changed there; one that is deleted leaves a whiteout. `merged` is what a program in the container finds. Only
files that the container touched are listed, and the directories above them (as `docker diff` does, R6.24); everything else
comes from lower as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imagelab.layers.tree import Change, Put, Tree, Whiteout
from imagelab.layers.writable_layer import listed


@dataclass(frozen=True, slots=True)
class OverlayRow:
    """One file. `kind`: A, C or D, as in `docker diff`. `moved`: it became so in this step."""

    path: str
    kind: str
    lower: bool
    moved: bool
    directory: bool = False
    """A directory is never hidden: what both have is seen together."""

    @property
    def is_above(self) -> bool:
        """Is it a directory of the image, listed for what changed in it?"""
        return self.directory and self.lower and self.kind == "C"

    @property
    def merged(self) -> bool:
        """Does a program in the container find it?"""
        return self.kind != "D"


@dataclass(frozen=True, slots=True)
class Overlay:
    """The stack of one container. `layer` and `image` are short IDs when its changes were committed in this step."""

    container: str
    rows: tuple[OverlayRow, ...]
    layer: str = ""
    image: str = ""


def overlay(
    container: str, init: Tree, changes: Iterable[Change], before: Iterable[Change], *, layer: str = "", image: str = ""
) -> Overlay:
    """The stack after `changes` to the container's init tree; `before` are those of the step before."""
    changes = tuple(changes)
    now, then = _by_path(changes), _by_path(before)
    rows = []
    for kind, path in listed(init, changes):
        inner = path[1:]
        moved, directory = now.get(inner) != then.get(inner), _is_directory(inner, init, now)
        rows.append(OverlayRow(path, kind, inner in init, moved, directory))
    return Overlay(container, tuple(rows), layer, image)


def _is_directory(path: str, init: Tree, now: Mapping[str, Change]) -> bool:
    change = now.get(path)
    if isinstance(change, Put):
        return change.node.is_directory
    return path in init and init[path].is_directory and not isinstance(change, Whiteout)


def _by_path(changes: Iterable[Change]) -> Mapping[str, Change]:
    return {change.path: change for change in changes}
