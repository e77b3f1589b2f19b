"""Two images side by side: the layers they share, those that only one has, and which files differ in the end.

    nginx:1.11   [ base ][ packages ][ nginx 1.11 ]
    nginx        [ base ][ packages ][ nginx 1.12 ]
                 `---- shared -----'  `-- differs

Layers are compared by their chain IDs: the same layer on another stack is another tree. Files are compared by what they
are and by their bytes, wherever those lie: a file that two layers hold with the same content does not differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from imagelab.layers.tree import Kind, Node, Put, Tree, Whiteout, diff
from imagelab.state.model import Layer
from imagelab.units import human_size
from imagelab.view.explorer.model import ADDED, CHANGED, REMOVED
from imagelab.view.explorer.printers import KINDS, MOST, SIGNS
from imagelab.view.messages import say
from imagelab.view.panel import Shown, aligned, escape, plain
from imagelab.view.style import chip, panel


@dataclass(frozen=True, slots=True)
class Difference:
    """A path that the two images show differently; sizes in bytes."""

    mark: str
    path: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Shown):
    """Two images: names, layers by where they are, files that differ."""

    one: str
    other: str
    shared: tuple[Layer, ...]
    only_one: tuple[Layer, ...]
    only_other: tuple[Layer, ...]
    files: tuple[Difference, ...]
    lang: str = "en"

    def count(self, mark: str) -> int:
        return sum(file.mark == mark for file in self.files)

    @property
    def text(self) -> str:
        lines = [self._title, *(f"  {line}" for _, line, _ in self._parts), self._summary]
        lines += aligned([[f"  {SIGNS[file.mark]} /{plain(file.path)}", _sizes(file)] for file in self.files[:MOST]])
        return "".join(f"{line}\n" for line in [*lines, *self._more])

    @property
    def html(self) -> str:
        chips = "".join(chip(escape(line), kind) for kind, line, _ in self._parts)
        bars = "".join(f'<div style="flex:{size}" class="k-{kind}"></div>' for kind, _, size in self._parts if size)
        rows = "".join(_row(file) for file in self.files[:MOST])
        more = "".join(f'<div class="note">{escape(line)}</div>' for line in self._more)
        body = (
            f'{CSS}<h3>{escape(self._title)}</h3><div class="row">{chips}</div><div class="bar" style="margin:8px 0">{bars}</div>'
            f"<p>{escape(self._summary)}</p>{rows}{more}"
        )
        return panel(body, label=self._title, kind="comparison", language=self.lang)

    @property
    def _title(self) -> str:
        return say("explorer.compare", self.lang, one=self.one, other=self.other)

    @property
    def _parts(self) -> list[tuple[str, str, int]]:
        """(kind, sentence, bytes) for what is shared, and for what only one has."""
        shared, one, other = (
            sum(layer.size for layer in layers) for layers in (self.shared, self.only_one, self.only_other)
        )
        found = [("shared", say("explorer.shared", self.lang, count=len(self.shared), size=human_size(shared)), shared)]
        for kind, name, layers, size in (
            ("layer", self.one, self.only_one, one),
            ("changed", self.other, self.only_other, other),
        ):
            found.append(
                (kind, say("explorer.only", self.lang, name=name, count=len(layers), size=human_size(size)), size)
            )
        return found

    @property
    def _summary(self) -> str:
        if not self.files:
            return say("explorer.same_tree", self.lang)
        counts = {mark: self.count(mark) for mark in (ADDED, CHANGED, REMOVED)}
        return say("explorer.between", self.lang, one=self.one, other=self.other, **counts)

    @property
    def _more(self) -> list[str]:
        rest = len(self.files) - MOST
        return [f"… {say('explorer.more', self.lang, count=rest)}"] if rest > 0 else []


CSS = (
    "<style>.imagelab.comparison .file{display:grid;grid-template-columns:18px minmax(0,1fr) auto;column-gap:8px;font-size:12px;line-height:1.7;align-items:baseline}"
    ".imagelab.comparison .sign{text-align:center;border-radius:3px;background:var(--fill);color:var(--ink);font-weight:700;line-height:1.3}</style>"
)


def compare(
    one: tuple[str, Sequence[Layer], Tree],
    other: tuple[str, Sequence[Layer], Tree],
    read: Callable[[Node], bytes],
    lang: str = "en",
) -> Comparison:
    """From one image (its name, layers, files) to the other."""
    (name, layers, tree), (other_name, other_layers, other_tree) = one, other
    chains, other_chains = ({layer.chain_id for layer in stack} for stack in (layers, other_layers))
    return Comparison(
        name, other_name,
        tuple(layer for layer in layers if layer.chain_id in other_chains),
        tuple(layer for layer in layers if layer.chain_id not in other_chains),
        tuple(layer for layer in other_layers if layer.chain_id not in chains),
        tuple(_files(tree, other_tree, read)), lang,
    )  # fmt: skip


def _files(one: Tree, other: Tree, read: Callable[[Node], bytes]) -> Iterator[Difference]:
    for change in sorted(diff(one, other), key=lambda change: change.path.split("/")):
        before = one.get(change.path)
        match change:
            case Whiteout(path) if before is not None:
                yield Difference(REMOVED, path, before.size, 0)
            case Put(path, node) if before is None:
                yield Difference(ADDED, path, 0, node.size)
            case Put(path, node) if before is not None and not _same(before, node, read):
                yield Difference(CHANGED, path, before.size, node.size)


def _same(one: Node, other: Node, read: Callable[[Node], bytes]) -> bool:
    """Equal but for where the bytes lie; times are not looked at."""
    if (one.kind, one.mode, one.uid, one.gid, one.size, one.target) != (other.kind, other.mode, other.uid, other.gid, other.size, other.target):  # fmt: skip
        return False
    return one.kind is not Kind.FILE or one.content == other.content or read(one) == read(other)


def _sizes(file: Difference) -> str:
    if file.mark == CHANGED and file.before != file.after:
        return f"{file.before:,} → {file.after:,} B"
    size = file.before if file.mark == REMOVED else file.after
    return human_size(size) if size else ""


def _row(file: Difference) -> str:
    return (
        f'<div class="file k-{KINDS[file.mark]}"><span class="sign">{SIGNS[file.mark]}</span>'
        f'<span class="mono">/{escape(file.path)}</span><span class="note">{_sizes(file)}</span></div>'
    )
