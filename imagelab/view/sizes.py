"""Sizes that reconcile: from what `docker images` prints to the bytes on the disk, with nothing left over.

    SIZE of every image, added up              412 kB
    - layers that several images stand on     -123 kB    kept once, counted in each
    = files in layers                          289 kB
    - packed as gzipped tars                  -180 kB
    = layer blobs                              109 kB
    + configs, + manifests                       9 kB
    = bytes in blobs/sha256                    118 kB    and that is what the files in it have

Every line is computed on its own: SIZE and the layers from the state, the others from the files that are there. If a rule
of this page were wrong, the last line would not come out; `proof` says by how many bytes.

So "how large is this image?" has five right answers. They differ in what they count:

    SIZE         the files of all layers, shared ones too       grows with every layer, never shrinks
    unique       the layers that no other image stands on       what `rmi` would free, unpacked
    shared       the other layers; shared + unique = SIZE
    hidden       what a whiteout or a newer copy covers         paid for, never seen
    compressed   the blobs, manifest and config                 what a pull downloads
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from imagelab.layers.tree import Tree
from imagelab.oci.digest import Digest
from imagelab.oci.reference import familiar
from imagelab.state.model import Image, Layer, State
from imagelab.units import human_size
from imagelab.view.explorer.model import seen_bytes
from imagelab.view.messages import say
from imagelab.view.panel import Panel, aligned, escape, plain
from imagelab.view.style import chip
from imagelab.view.table import Cell, Table

WIDE = 24
"""Letters of the longest bar in a text."""


@dataclass(frozen=True, slots=True)
class ImageSizes:
    """One image in bytes: `shared + unique == size`, and `hidden` is a part of `size`."""

    name: str
    size: int
    shared: int
    unique: int
    hidden: int
    compressed: int


@dataclass(frozen=True, slots=True)
class SizeStep:
    """A line of the reckoning. A `sum` says what has come out so far; the others are added to it."""

    key: str
    size: int
    sum: bool = False

    @property
    def sign(self) -> str:
        return "=" if self.sum else "−" if self.size < 0 else "+"


@dataclass(frozen=True, slots=True, repr=False)
class Sizes(Panel):
    """All sizes of a lab. `on_disk`: (files in blobs/sha256, their bytes)."""

    kind = "sizes"

    images: tuple[ImageSizes, ...]
    steps: tuple[SizeStep, ...]
    on_disk: tuple[int, int]
    lang: str = "en"

    @property
    def difference(self) -> int:
        """Bytes on the disk that the reckoning does not explain: 0, unless something is damaged."""
        return self.on_disk[1] - self.steps[-1].size

    @property
    def proof(self) -> str:
        """The sentence at the end."""
        count, size = self.on_disk
        if self.difference:
            return say("sizes.differs", self.lang, count=count, size=f"{size:,}", difference=f"{self.difference:+,}")
        return say("sizes.proof", self.lang, count=count, size=f"{size:,}")

    @property
    def title(self) -> str:
        return say("sizes.title", self.lang)

    def lines(self) -> list[str]:
        images = _image_table(self).lines(right=(1, 2, 3, 4, 5))
        steps = aligned(
            [[s.sign, f"{abs(s.size):,} B", say(f"sizes.{s.key}", self.lang)] for s in self.steps], right=(1,)
        )
        ladder = [say("sizes.ladder", self.lang), *(f"  {line}" for line in steps)]
        return [self.title, "", *images, "", *ladder, "", self.proof]

    def body(self) -> str:
        table = _image_table(self)
        notes = "".join(f'<p class="note" style="margin-top:6px">{escape(note)}</p>' for note in table.notes)
        images = table.html("") + notes if self.images else f"<p>{escape(table.notes[0])}</p>"
        steps = "".join(_step_row(step, left, self) for step, left in _places(self.steps))
        ladder = f"<h4>{escape(say('sizes.ladder', self.lang))}</h4><table><tbody>{steps}</tbody></table>"
        sign = chip("≠", "dangling") if self.difference else chip("✓", "shared")
        return f'{images}{ladder}<p class="proof">{sign} {escape(self.proof)}</p>'


def sizes(state: State, blobs: Mapping[Digest, int], tree: Callable[[Image], Tree], lang: str = "en") -> Sizes:
    """The reckoning of a state. `blobs`: bytes of each file in blobs/sha256; `tree`: what an image shows."""
    stands_on = Counter(chain_id for image in state.images.values() for chain_id in image.layers)
    images = [_image(state, image, stands_on, tree) for image in state.images.values()]
    images.sort(key=lambda image: (-image.size, image.name))
    return Sizes(tuple(images), tuple(_steps(state, blobs)), (len(blobs), sum(blobs.values())), lang)


def _image(state: State, image: Image, stands_on: Counter[Digest], tree: Callable[[Image], Tree]) -> ImageSizes:
    shared = sum(state.layers[chain_id].size for chain_id in image.layers if stands_on[chain_id] > 1)
    names = state.tags(image.id)
    name = familiar(names[0]) if names else f"<none> {image.id.short}"
    hidden = image.size - seen_bytes(tree(image))
    return ImageSizes(name, image.size, shared, image.size - shared, hidden, image.content_size)


def _steps(state: State, blobs: Mapping[Digest, int]) -> Iterator[SizeStep]:
    total = sum(image.size for image in state.images.values())
    images = _once(state.layers[chain_id] for image in state.images.values() for chain_id in image.layers)
    all_layers = _once(state.layers.values())
    files, of_images = (sum(layer.size for layer in layers.values()) for layers in (all_layers, images))
    packed = sum(layer.blob_size for layer in all_layers.values())
    roles: Counter[str] = Counter()
    for digest, size in blobs.items():
        roles[_role(digest, state, all_layers)] += size
    yield SizeStep("sum", total, sum=True)
    yield SizeStep("again", of_images - total)
    if files != of_images:
        yield SizeStep("held", files - of_images)
    yield SizeStep("files", files, sum=True)
    yield SizeStep("packing" if packed <= files else "wrapping", packed - files)
    yield SizeStep("layers", packed, sum=True)
    yield from (SizeStep(key, roles[key]) for key in ("configs", "manifests", "left") if roles[key] or key != "left")
    yield SizeStep("disk", packed + roles["configs"] + roles["manifests"] + roles["left"], sum=True)


def _once(layers: Iterable[Layer]) -> dict[Digest, Layer]:
    """Layers by their blob: the same one on two stacks is one file."""
    return {layer.blob: layer for layer in layers}


def _role(digest: Digest, state: State, layers: Mapping[Digest, Layer]) -> str:
    if digest in layers:
        return "layers"
    if digest in state.images:
        return "configs"
    named = {image.target for image in state.images.values()}
    named |= {child for image in state.images.values() for _, child, here in image.children_platforms if here}
    named |= {Digest.trusted(name.partition("@")[2]) for name in state.references if "@" in name}
    return "manifests" if digest in named else "left"


# -- both printers ------------------------------------------------------------------------------------------


def _image_table(sizes: Sizes) -> Table:
    """An image a row: its name, five sizes, and a bar, of letters or drawn."""
    lang = sizes.lang
    if not sizes.images:
        return Table((), (), (say("sizes.empty", lang),))
    shared, unique, *others = (say(f"sizes.{word}", lang) for word in ("shared", "unique", "hidden", "compressed"))
    keys = [
        Cell(word, f'<span class="key k-{kind}"></span>{escape(word)}')
        for word, kind in ((shared, "shared"), (unique, "layer"))
    ]
    columns: list[str | Cell] = [say("sizes.image", lang), "SIZE", *keys, *others, Cell("█ ░", "")]
    rows = [_image_row(image, sizes.images[0].size or 1) for image in sizes.images]
    return Table(columns, rows, (say("sizes.legend", lang),))


def _image_row(image: ImageSizes, largest: int) -> list[Cell]:
    name = plain(image.name)
    numbers = (image.size, image.shared, image.unique, image.hidden, image.compressed)
    cells = [Cell(human_size(size), attributes=f' title="{size:,} B"') for size in numbers]
    return [Cell(name, f"<code>{escape(name)}</code>"), *cells, _bar(image, largest)]


def _bar(image: ImageSizes, largest: int) -> Cell:
    """What is shared, then what is unique."""
    whole, shared = (round(WIDE * size / largest) for size in (image.size, image.shared))
    parts = "".join(
        f'<div class="k-{kind}" style="flex:{size}"></div>'
        for kind, size in (("shared", image.shared), ("layer", image.unique))
        if size
    )
    bar = f'<div class="bar" style="width:{max(100 * image.size / largest, 2):.1f}%">{parts}</div>' if parts else ""
    return Cell("█" * shared + "░" * (whole - shared), bar, ' class="draw"')


def _places(steps: Sequence[SizeStep]) -> Iterator[tuple[SizeStep, int]]:
    """Each step, and where its bar begins: a sum at nothing, what is added where the sum so far ends."""
    so_far = 0
    for step in steps:
        yield step, 0 if step.sum else min(so_far, so_far + step.size)
        so_far = step.size if step.sum else so_far + step.size


def _step_row(step: SizeStep, left: int, sizes: Sizes) -> str:
    largest = max((left + abs(step.size) for step, left in _places(sizes.steps)), default=1) or 1
    kind = "layer" if step.sum else "added" if step.size >= 0 else "changed"
    place = f"left:{100 * left / largest:.2f}%;width:{100 * abs(step.size) / largest:.2f}%"
    bar = f'<div class="at k-{kind}"><i style="{place}"></i></div>' if step.size else '<div class="at"></div>'
    words = escape(say(f"sizes.{step.key}", sizes.lang))
    row, sign = ('<tr class="sum">', "") if step.sum else ("<tr>", step.sign)
    return f'{row}<td class="words">{words}</td><td>{sign} {abs(step.size):,} B</td><td class="draw">{bar}</td></tr>'
