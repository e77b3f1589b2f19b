"""The listing of Docker 29: one line a name, sorted by name, and with `--tree` the platforms of each image below it.

    IMAGE            ID             DISK USAGE   CONTENT SIZE   EXTRA
    ubuntu:16.04     7f3c9d1a2b4c        178kB         51.1kB

DISK USAGE is what the image takes here: its blobs and its unpacked files. CONTENT SIZE is the blobs alone, what was
downloaded. EXTRA says `U` when a container uses it (R3.30-R3.33).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from imagelab.oci.digest import Digest
from imagelab.oci.reference import familiar
from imagelab.state.image_filters import matching_names
from imagelab.state.model import Image, State
from imagelab.units import human_size

UNTAGGED = "<untagged>"
Line = tuple[str, str, str, str, str]


def tree_view(images: Sequence[Image], state: State, patterns: Sequence[str], *, expand: bool, era: str) -> str:
    """The whole listing. `patterns` restrict which names are shown."""
    named = sorted(
        ((name, image) for image in images for name in _names(image, state, patterns)),
        key=lambda pair: (pair[0] == UNTAGGED, pair[0], pair[1].id),
    )
    if not expand:
        return _layout([[_line(name, image, state, era)] for name, image in named], spaced=False)
    entries: dict[Digest, list[Line]] = {}
    for name, image in named:
        known = entries.setdefault(image.id, [])
        known.append((name, "", "", "", "") if known else _line(name, image, state, era))
    for image in images:
        entries.get(image.id, []).extend(_platforms(image))
    return _layout(list(entries.values()), spaced=True)


def _names(image: Image, state: State, patterns: Sequence[str]) -> list[str]:
    tags: Iterable[str] = state.tags(image.id)
    if patterns:
        tags = matching_names(tags, patterns)
    return [familiar(tag) for tag in tags] or ([] if patterns else [UNTAGGED])


def _line(name: str, image: Image, state: State, era: str) -> Line:
    used = "U" if state.users(image.id) else ""
    content = image.content_size if era == "29" else 0
    shown = image.target if era == "29" else image.id
    return name, shown.short, human_size(image.size + content), human_size(content), used


def _platforms(image: Image) -> list[Line]:
    children = image.children_platforms or ((image.platform, image.target, True),)
    lines: list[Line] = []
    for index, (platform, digest, here) in enumerate(children):
        branch = "└─ " if index == len(children) - 1 else "├─ "
        sizes = (human_size(image.size + image.content_size), human_size(image.content_size)) if here else ("0B", "0B")
        lines.append((branch + platform, digest.short, *sizes, ""))
    return lines


def _layout(entries: Sequence[Sequence[Line]], *, spaced: bool) -> str:
    width = max([5, *(len(line[0]) for entry in entries for line in entry)])

    def text(line: Line) -> str:
        name, short, usage, content, extra = line
        return f"{name:<{width}}   {short:<12}   {usage:>10}   {content:>12}   {extra:<5}\n"

    header = f"{'IMAGE':<{width}}   {'ID':<12}   {'DISK USAGE':>10}   {'CONTENT SIZE':>12}   EXTRA\n"
    blocks = ["".join(map(text, entry)) for entry in entries]
    return header + ("\n" if spaced and blocks else "") + ("\n" if spaced else "").join(blocks)
