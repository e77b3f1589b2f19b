"""What the verbs of a lab return: values that print as Docker does and show themselves in a notebook.

CommandResult   what a command line printed, and its exit code
LabImage        one image of a lab: tags, size, layers, config, files
ImageList       a listing, and a sequence of images
History         the instructions that made an image
Usage           what `docker system df` shows
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

from imagelab.oci.documents import Digest, ImageConfig
from imagelab.oci.reference import familiar
from imagelab.state.model import Image
from imagelab.state.reports import DiskUsage, HistoryRow

if TYPE_CHECKING:
    from imagelab.lab.lab import Lab
    from imagelab.layers.tree import Tree


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command line printed, and its exit code."""

    stdout: str
    stderr: str
    exit_code: int
    html: str = field(default="", repr=False, compare=False)
    """A listing as a page shows it; "" when the output is none."""

    @property
    def lines(self) -> list[str]:
        """What was printed, line by line."""
        return self.stdout.splitlines()

    @property
    def rows(self) -> list[dict[str, str]]:
        """A listing's rows by heading: `rows[0]["IMAGE ID"]`."""
        from imagelab.view.html_table import rows

        return rows(self.stdout)

    def __str__(self) -> str:
        return self.stdout

    def __repr__(self) -> str:
        return (self.stdout + self.stderr).rstrip("\n")

    def _repr_html_(self) -> str | None:
        return self.html or None


@dataclass(frozen=True, slots=True)
class LabImage:
    """One image of a lab. Two are equal when they are the same image of the same lab."""

    lab: Lab = field(repr=False, hash=False)
    id: Digest

    @property
    def image(self) -> Image:
        """Its row in the state: created, size, layers, labels."""
        return self.lab.state.images[self.id]

    @property
    def tags(self) -> list[str]:
        """Its tags in familiar form."""
        return [familiar(name) for name in self.lab.state.tags(self.id)]

    @property
    def size(self) -> int:
        """Unpacked bytes, shared layers included."""
        return self.image.size

    @property
    def layers(self) -> tuple[Digest, ...]:
        """Chain IDs, base first."""
        return self.image.layers

    @property
    def config(self) -> ImageConfig:
        """The config, raw bytes included."""
        return self.lab.store.config(self.id)

    @property
    def tree(self) -> Tree:
        """Its files, all layers merged."""
        return self.lab.engine.images.tree(self.id)

    def history(self) -> History:
        """The instructions that made it, newest first."""
        return self.lab.history(self.id)

    def __repr__(self) -> str:
        names = ", ".join(repr(tag) for tag in self.tags) or repr(self.id.short)
        return f"<Image: {names}>"


@dataclass(frozen=True, slots=True)
class ImageList(Sequence[LabImage]):
    """A listing: a sequence of images that prints as `docker images` does."""

    lab: Lab
    rows: tuple[Image, ...]
    patterns: tuple[str, ...] = ()
    all: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> LabImage: ...
    @overload
    def __getitem__(self, index: slice) -> list[LabImage]: ...
    def __getitem__(self, index: int | slice) -> LabImage | list[LabImage]:
        if isinstance(index, slice):
            return [LabImage(self.lab, row.id) for row in self.rows[index]]
        return LabImage(self.lab, self.rows[index].id)

    def __iter__(self) -> Iterator[LabImage]:
        return (LabImage(self.lab, row.id) for row in self.rows)

    def __repr__(self) -> str:
        from imagelab.output.images import ListOptions, images

        options = ListOptions(reference_patterns=self.patterns, all=self.all)
        lab = self.lab
        return images(self.rows, lab.state, options, era=lab.era, now=lab.now(), tz=lab.tz).rstrip("\n")

    def _repr_html_(self) -> str:
        return html_of(repr(self), self.lab, label="images")


@dataclass(frozen=True, slots=True)
class History:
    """`docker history` as a value."""

    lab: Lab
    rows: tuple[HistoryRow, ...]

    def __iter__(self) -> Iterator[HistoryRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        from imagelab.output.images import history

        return history(self.rows, era=self.lab.era, now=self.lab.now(), tz=self.lab.tz).rstrip("\n")

    def _repr_html_(self) -> str:
        return html_of(repr(self), self.lab, label="history")


@dataclass(frozen=True, slots=True)
class Usage:
    """`docker system df` as a value."""

    lab: Lab
    usage: DiskUsage

    def __repr__(self) -> str:
        from imagelab.output.images import disk_usage

        lab = self.lab
        return disk_usage(self.usage, lab.state, era=lab.era, now=lab.now(), tz=lab.tz).rstrip("\n")

    def _repr_html_(self) -> str:
        return html_of(repr(self), self.lab, label="disk usage")


def html_of(text: str, lab: Lab, *, label: str = "") -> str:
    from imagelab.view.html_table import html_table, image_mark

    return html_table(text, label=label, mark=image_mark(lab.state))
