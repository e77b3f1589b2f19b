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
from imagelab.view.panel import Shown, aligned, escape, plain
from imagelab.view.style import chip, panel

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
class Step:
    """A line of the reckoning. A `sum` says what has come out so far; the others are added to it."""

    key: str
    size: int
    sum: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Sizes(Shown):
    """All sizes of a lab. `on_disk`: (files in blobs/sha256, their bytes)."""

    images: tuple[ImageSizes, ...]
    steps: tuple[Step, ...]
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
    def text(self) -> str:
        lines = [say("sizes.title", self.lang), "", *_image_lines(self), ""]
        return "".join(f"{line}\n" for line in [*lines, *_step_lines(self), "", self.proof])

    @property
    def html(self) -> str:
        title = say("sizes.title", self.lang)
        body = f"{CSS}<h3>{escape(title)}</h3>{_image_table(self)}{_step_table(self)}"
        sign = chip("✓" if not self.difference else "≠", "shared" if not self.difference else "dangling")
        end = f'<p class="proof">{sign} {escape(self.proof)}</p>'
        return panel(body + end, label=title, kind="sizes", language=self.lang)


def sizes(state: State, blobs: Mapping[Digest, int], tree: Callable[[Image], Tree], lang: str = "en") -> Sizes:
    """The reckoning of a state. `blobs`: bytes of each file in blobs/sha256; `tree`: what an image shows."""
    stands_on = Counter(chain_id for image in state.images.values() for chain_id in image.layers)
    found = [_image(state, image, stands_on, tree) for image in state.images.values()]
    found.sort(key=lambda image: (-image.size, image.name))
    return Sizes(tuple(found), tuple(_steps(state, blobs)), (len(blobs), sum(blobs.values())), lang)


def _image(state: State, image: Image, stands_on: Counter[Digest], tree: Callable[[Image], Tree]) -> ImageSizes:
    shared = sum(state.layers[chain_id].size for chain_id in image.layers if stands_on[chain_id] > 1)
    names = state.tags(image.id)
    name = familiar(names[0]) if names else f"<none> {image.id.short}"
    hidden = image.size - seen_bytes(tree(image))
    return ImageSizes(name, image.size, shared, image.size - shared, hidden, image.content_size)


def _steps(state: State, blobs: Mapping[Digest, int]) -> Iterator[Step]:
    total = sum(image.size for image in state.images.values())
    images = _once(state.layers[chain_id] for image in state.images.values() for chain_id in image.layers)
    all_layers = _once(state.layers.values())
    files, of_images = (sum(layer.size for layer in layers.values()) for layers in (all_layers, images))
    packed = sum(layer.blob_size for layer in all_layers.values())
    roles: Counter[str] = Counter()
    for digest, size in blobs.items():
        roles[_role(digest, state, all_layers)] += size
    yield Step("sum", total, sum=True)
    yield Step("again", of_images - total)
    if files != of_images:
        yield Step("held", files - of_images)
    yield Step("files", files, sum=True)
    yield Step("packing" if packed <= files else "wrapping", packed - files)
    yield Step("layers", packed, sum=True)
    yield from (Step(key, roles[key]) for key in ("configs", "manifests", "left") if roles[key] or key != "left")
    yield Step("disk", packed + roles["configs"] + roles["manifests"] + roles["left"], sum=True)


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


# -- text ---------------------------------------------------------------------------------------------------


def _headings(lang: str) -> list[str]:
    return [
        say("sizes.image", lang),
        "SIZE",
        *(say(f"sizes.{w}", lang) for w in ("shared", "unique", "hidden", "compressed")),
    ]


def _numbers(image: ImageSizes) -> list[str]:
    return [human_size(size) for size in (image.size, image.shared, image.unique, image.hidden, image.compressed)]


def _image_lines(found: Sizes) -> list[str]:
    if not found.images:
        return [say("sizes.empty", found.lang)]
    largest = found.images[0].size or 1
    rows = [[plain(image.name), *_numbers(image), _blocks(image, largest)] for image in found.images]
    return [*aligned([[*_headings(found.lang), "█ ░"], *rows], right=(1, 2, 3, 4, 5)), say("sizes.legend", found.lang)]


def _blocks(image: ImageSizes, largest: int) -> str:
    """A bar of letters: what is shared, then what is unique."""
    whole, shared = (round(WIDE * size / largest) for size in (image.size, image.shared))
    return "█" * shared + "░" * (whole - shared)


def _step_lines(found: Sizes) -> list[str]:
    rows = [[_sign(step), f"{abs(step.size):,} B", say(f"sizes.{step.key}", found.lang)] for step in found.steps]
    return [say("sizes.ladder", found.lang), *(f"  {line}" for line in aligned(rows, right=(1,)))]


def _sign(step: Step) -> str:
    return "=" if step.sum else "−" if step.size < 0 else "+"


# -- HTML ---------------------------------------------------------------------------------------------------

CSS = (
    "<style>"
    ".imagelab.sizes table{table-layout:auto;border-collapse:collapse;width:100%;margin:0;font-size:12px;color:inherit}"
    ".imagelab.sizes :is(td,th){border:0;padding:4px;text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;background:none}"
    ".imagelab.sizes table :is(thead,tbody) tr{border-bottom:1px solid var(--il-rule);background:none}"
    ".imagelab.sizes th{font-size:11px;font-weight:600;letter-spacing:.04em;color:var(--il-soft)}"
    ".imagelab.sizes :is(td,th):first-child{text-align:left;padding-left:0}"
    ".imagelab.sizes td code{white-space:normal;overflow-wrap:anywhere}"
    ".imagelab.sizes tbody td:first-child{white-space:normal;min-width:9em}"
    ".imagelab.sizes td.words{text-align:left;white-space:normal;width:46%}"
    ".imagelab.sizes td.draw{width:26%;min-width:56px}"
    ".imagelab.sizes .bar{height:14px;border:0}.imagelab.sizes .bar>*{background:var(--line)}"
    ".imagelab.sizes tr.sum td{font-weight:600}"
    ".imagelab.sizes .at{position:relative;height:12px;background:color-mix(in srgb,var(--il-rule) 40%,transparent);border-radius:3px}"
    ".imagelab.sizes .at>i{position:absolute;top:0;bottom:0;border-radius:3px;background:var(--line);min-width:2px}"
    ".imagelab.sizes .key{display:inline-block;width:10px;height:10px;border-radius:2px;background:var(--line);margin-right:4px}"
    ".imagelab.sizes .proof{margin:10px 0 0;font-weight:600}"
    "</style>"
)


def _image_table(found: Sizes) -> str:
    if not found.images:
        return f"<p>{escape(say('sizes.empty', found.lang))}</p>"
    largest = found.images[0].size or 1
    keys = {2: "shared", 3: "layer"}
    marks = {at: f'<span class="key k-{kind}"></span>' for at, kind in keys.items()}
    head = "".join(f"<th>{marks.get(at, '')}{escape(word)}</th>" for at, word in enumerate(_headings(found.lang)))
    rows = "".join(_image_row(image, largest) for image in found.images)
    legend = f'<p class="note" style="margin-top:6px">{escape(say("sizes.legend", found.lang))}</p>'
    return f"<table><thead><tr>{head}<th></th></tr></thead><tbody>{rows}</tbody></table>{legend}"


def _image_row(image: ImageSizes, largest: int) -> str:
    exact = (image.size, image.shared, image.unique, image.hidden, image.compressed)
    cells = "".join(f'<td title="{size:,} B">{text}</td>' for size, text in zip(exact, _numbers(image), strict=True))
    parts = "".join(
        f'<div class="k-{kind}" style="flex:{size}"></div>'
        for kind, size in (("shared", image.shared), ("layer", image.unique))
        if size
    )
    bar = f'<div class="bar" style="width:{max(100 * image.size / largest, 2):.1f}%">{parts}</div>' if parts else ""
    return f'<tr><td><code>{escape(image.name)}</code></td>{cells}<td class="draw">{bar}</td></tr>'


def _step_table(found: Sizes) -> str:
    rows = "".join(_step_row(step, left, found) for step, left in _places(found.steps))
    return f"<h4>{escape(say('sizes.ladder', found.lang))}</h4><table><tbody>{rows}</tbody></table>"


def _places(steps: Sequence[Step]) -> Iterator[tuple[Step, int]]:
    """Each step, and where its bar begins: a sum at nothing, what is added where the sum so far ends."""
    so_far = 0
    for step in steps:
        yield step, 0 if step.sum else min(so_far, so_far + step.size)
        so_far = step.size if step.sum else so_far + step.size


def _step_row(step: Step, left: int, found: Sizes) -> str:
    largest = max((left + abs(step.size) for step, left in _places(found.steps)), default=1) or 1
    kind = "layer" if step.sum else "added" if step.size >= 0 else "changed"
    place = f"left:{100 * left / largest:.2f}%;width:{100 * abs(step.size) / largest:.2f}%"
    bar = f'<div class="at k-{kind}"><i style="{place}"></i></div>' if step.size else '<div class="at"></div>'
    words = escape(say(f"sizes.{step.key}", found.lang))
    sign = "" if step.sum else _sign(step)
    row = '<tr class="sum">' if step.sum else "<tr>"
    return f'{row}<td class="words">{words}</td><td>{sign} {abs(step.size):,} B</td><td class="draw">{bar}</td></tr>'
