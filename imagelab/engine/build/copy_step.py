"""A COPY or ADD as a step: its comment, what it changes in the image's files, and which of its files changed since the last time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagelab.engine.build.copy import Owner, Picked, Placer, Reader, Sources, equal, hash_of, owner_of
from imagelab.engine.build.request import BuildError
from imagelab.engine.build.step_store import StepResult
from imagelab.engine.commit import with_parents
from imagelab.layers.tree import Tree, diff
from imagelab.runtime.filesystem import FileSystem

if TYPE_CHECKING:
    from imagelab.dockerfile.instructions import Copy
    from imagelab.layers.tree import Node


@dataclass(frozen=True, slots=True)
class PlacedFiles:
    """An image's files with the copied ones among them."""

    before: Tree
    after: Tree
    came_from: Mapping[str, str]
    """Path in the image -> path in the source."""
    read: Reader

    def result(self) -> StepResult:
        return StepResult(with_parents(diff(self.before, self.after), self.after), self.read)


def refuse_urls(instruction: Copy) -> None:
    """BuildError for an ADD from the network."""
    if instruction.extracts and any(name.startswith(("http://", "https://")) for name in instruction.sources):
        raise BuildError(
            f"ADD failed: {instruction.sources[0]}: imagelab builds offline, and fetches nothing by URL",
            hint="put the file into the context",
        )


def comment_of(instruction: Copy, picked: list[Picked]) -> str:
    """`COPY file:… in /app`: what history and cache keep of it."""
    chown = f"--chown={instruction.chown} " if instruction.chown else ""
    return f"{instruction.keyword} {chown}{hash_of(picked)} in {instruction.target} "


def placed_files(
    instruction: Copy, sources: Sources, picked: list[Picked], before: Tree, files: FileSystem, working_directory: str
) -> PlacedFiles:
    """The picked files put where `instruction` wants them, in `files`, which are those of `before`."""
    placer = Placer(files, sources, _owner(instruction, files))
    target = (
        instruction.target
        if instruction.target.startswith("/")
        else f"{working_directory.rstrip('/')}/{instruction.target}"
    )
    placer.place(picked, target, extracts=instruction.extracts)
    return PlacedFiles(before, files.tree(), placer.came_from, Reader(files, sources.source))


def _owner(instruction: Copy, files: FileSystem) -> Owner | None:
    """Whose the files will be; None: who has them in the other image."""
    if instruction.chown:
        return owner_of(instruction.chown, files)
    return None if instruction.source_image else Owner()


def changed_files(old: Tree, placed: PlacedFiles, read_old: Callable[[Node], bytes]) -> str:
    """`because app.py changed`: this step's files beside those it made the last time."""
    changed = [
        source
        for place, source in sorted(placed.came_from.items())
        if not equal(old.get(place), placed.after[place], read_old, placed.read)
    ]
    if not changed:
        return "because a file is gone"
    return f"because {', '.join(changed[:3])}{' and others' if len(changed) > 3 else ''} changed"
