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
from imagelab.view.explorer.model import ADDED, CHANGED, KINDS, REMOVED, SIGNS
from imagelab.view.explorer.printers import MOST
from imagelab.view.messages import say
from imagelab.view.panel import Panel, aligned, escape, plain
from imagelab.view.style import chip


@dataclass(frozen=True, slots=True)
class Difference:
    """A path that the two images show differently; sizes in bytes."""

    mark: str
    path: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Panel):
    """Two images: names, layers by where they are, files that differ."""

    kind = "comparison"

    left: str
    right: str
    shared: tuple[Layer, ...]
    only_left: tuple[Layer, ...]
    only_right: tuple[Layer, ...]
    files: tuple[Difference, ...]
    lang: str = "en"

    def count(self, mark: str) -> int:
        return sum(file.mark == mark for file in self.files)

    @property
    def title(self) -> str:
        return say("explorer.compare", self.lang, one=self.left, other=self.right)

    def lines(self) -> list[str]:
        files = [[f"  {SIGNS[file.mark]} /{plain(file.path)}", _sizes(file)] for file in self.files[:MOST]]
        parts = [f"  {line}" for _, line, _ in self._parts()]
        return [self.title, *parts, self._summary(), *aligned(files), *self._more()]

    def body(self) -> str:
        parts = self._parts()
        chips = "".join(chip(escape(line), kind) for kind, line, _ in parts)
        bars = "".join(f'<div style="flex:{size}" class="k-{kind}"></div>' for kind, _, size in parts if size)
        rows = "".join(_row(file) for file in self.files[:MOST])
        more = "".join(f'<div class="note">{escape(line)}</div>' for line in self._more())
        bar = f'<div class="bar" style="margin:8px 0">{bars}</div>'
        return f'<div class="row">{chips}</div>{bar}<p>{escape(self._summary())}</p>{rows}{more}'

    def _parts(self) -> list[tuple[str, str, int]]:
        """(kind, sentence, bytes) for what is shared, and for what only one has."""
        parts = []
        for kind, name, layers in (
            ("shared", "", self.shared),
            ("layer", self.left, self.only_left),
            ("changed", self.right, self.only_right),
        ):
            size = sum(layer.size for layer in layers)
            values = {"count": len(layers), "size": human_size(size), **({"name": name} if name else {})}
            parts.append((kind, say("explorer.only" if name else "explorer.shared", self.lang, **values), size))
        return parts

    def _summary(self) -> str:
        if not self.files:
            return say("explorer.same_tree", self.lang)
        counts = {mark: self.count(mark) for mark in (ADDED, CHANGED, REMOVED)}
        return say("explorer.between", self.lang, one=self.left, other=self.right, **counts)

    def _more(self) -> list[str]:
        rest = len(self.files) - MOST
        return [f"… {say('explorer.more', self.lang, count=rest)}"] if rest > 0 else []


def compare(
    left: tuple[str, Sequence[Layer], Tree],
    right: tuple[str, Sequence[Layer], Tree],
    read: Callable[[Node], bytes],
    lang: str = "en",
) -> Comparison:
    """From the left image (its name, layers, files) to the right one."""
    (left_name, left_layers, left_tree), (right_name, right_layers, right_tree) = left, right
    chains = {layer.chain_id for layer in left_layers} & {layer.chain_id for layer in right_layers}
    shared = tuple(layer for layer in left_layers if layer.chain_id in chains)
    only_left = tuple(layer for layer in left_layers if layer.chain_id not in chains)
    only_right = tuple(layer for layer in right_layers if layer.chain_id not in chains)
    files = tuple(_files(left_tree, right_tree, read))
    return Comparison(left_name, right_name, shared, only_left, only_right, files, lang)


def _files(left: Tree, right: Tree, read: Callable[[Node], bytes]) -> Iterator[Difference]:
    for change in sorted(diff(left, right), key=lambda change: change.path.split("/")):
        before = left.get(change.path)
        match change:
            case Whiteout(path) if before is not None:
                yield Difference(REMOVED, path, before.size, 0)
            case Put(path, node) if before is None:
                yield Difference(ADDED, path, 0, node.size)
            case Put(path, node) if before is not None and not _same(before, node, read):
                yield Difference(CHANGED, path, before.size, node.size)


def _same(before: Node, after: Node, read: Callable[[Node], bytes]) -> bool:
    """Equal but for where the bytes lie; times are not looked at."""
    facts = [(node.kind, node.mode, node.uid, node.gid, node.size, node.target) for node in (before, after)]
    if facts[0] != facts[1]:
        return False
    return before.kind is not Kind.FILE or before.content == after.content or read(before) == read(after)


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
