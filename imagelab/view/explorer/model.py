"""The layer explorer: what each layer of an image holds, what it hides, and what is paid for and never seen.

    layer 4   + app/VERSION          2 B
              ! app/.wh..wh..opq     all that the layers below had in /app is hidden
    layer 3   - app/.wh.id_rsa       /app/id_rsa of layer 2 is hidden
    layer 2   + app/id_rsa         136 B      <- still there: it can be read by all who have the image
    layer 1   + bin/busybox ...

A layer never takes a byte away. It can only *hide*: by a whiteout, by an opaque directory, or by putting another file in
the same place. So there are two sums, and people take one for the other:

    SIZE         what all layers hold together; what `docker images` prints, and what is downloaded and kept
    seen         what the finished image shows; what `du` would say in a container

The difference is *wasted*. A file that three layers hold is wasted twice (the last copy is seen), one that was deleted in
the end three times. It is found here by asking of every byte whether the finished tree still leads to it, so hard links
and directories that moved are right without a rule of their own.

Hidden is not gone: `recover` reads a hidden file out of the layer that holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from imagelab.errors import UsageError
from imagelab.layers.changeset import OPAQUE, WHITEOUT, LayerIndex
from imagelab.layers.tree import Change, Kind, Node, Opaque, Put, Tree, Whiteout, apply
from imagelab.oci.digest import Digest
from imagelab.oci.documents import ImageConfig
from imagelab.view.messages import say
from imagelab.view.panel import BUDGET, Panel

ADDED, CHANGED, REMOVED, CLEARED, KEPT = "added", "changed", "removed", "opaque", "kept"
"""What an entry of a layer is to the layers below; a directory that is only on the way is `kept`."""

SIGNS = {ADDED: "+", CHANGED: "~", REMOVED: "−", CLEARED: "⊘", KEPT: "·"}
KINDS = {ADDED: "added", CHANGED: "changed", REMOVED: "removed", CLEARED: "removed", KEPT: ""}
"""How each is marked: by a sign, and by the colours of a kind in `style`."""

ALL_FILES = 96 * 1024
"""Bytes of file contents that one panel carries; hidden files come first."""

Read = Callable[[Node], bytes]


@dataclass(frozen=True, slots=True)
class TarEntry:
    """One entry of a layer's tar. Sizes in bytes."""

    name: str
    """As the tar has it: `app/.wh.id_rsa`."""
    path: str
    """What it is about: `app/id_rsa`."""
    mark: str
    node: Node | None
    """None for a whiteout."""
    hides: tuple[str, ...] = ()
    """The paths of the layers below that cannot be seen from here on."""
    hidden_bytes: int = 0
    until: int = 0
    """The layer that hides these bytes again; 0 when the finished image shows them, or there are none."""

    @property
    def size(self) -> int:
        return self.node.size if self.node and self.node.kind is Kind.FILE else 0


@dataclass(frozen=True, slots=True)
class LayerView:
    """One layer. `stored`: the blob; `size`: what it adds to SIZE; `total`: SIZE so far; `seen`: what is seen at the end."""

    number: int
    created_by: str
    comment: str
    digest: Digest
    stored: int
    size: int
    total: int
    seen: int
    entries: tuple[TarEntry, ...]

    @property
    def wasted(self) -> int:
        return self.size - self.seen

    def count(self, mark: str) -> int:
        """How many entries are of this kind."""
        return sum(entry.mark == mark for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A file that a layer holds and the finished image does not show."""

    path: str
    node: Node
    layer: int
    by: int
    """The layer that hid it."""


@dataclass(frozen=True, slots=True, repr=False)
class Exploration(Panel):
    """An image, layer by layer, base first."""

    kind = "explorer"
    sheets = ("bytes",)

    name: str
    layers: tuple[LayerView, ...]
    instructions: tuple[tuple[int, str], ...]
    """Those that made no layer, after the number of layers that were there then."""
    hidden: tuple[Hidden, ...]
    tree: Tree
    contents: Mapping[str, bytes] = field(compare=False)
    """The beginnings of files, by `Node.content`; not of all of them."""
    read: Read = field(compare=False)
    lang: str = "en"

    @property
    def size(self) -> int:
        """Docker's SIZE."""
        return sum(layer.size for layer in self.layers)

    @property
    def stored(self) -> int:
        """Bytes of the blobs; one that is there twice counts once."""
        return sum({layer.digest: layer.stored for layer in self.layers}.values())

    @property
    def wasted(self) -> int:
        """Bytes in layers that the finished image does not show."""
        return sum(layer.wasted for layer in self.layers)

    def recover(self, path: str) -> bytes:
        """The bytes of a hidden file, out of the layer that holds it; of several copies the last one hidden."""
        wanted = path.strip("/")
        files = [file for file in self.hidden if file.path == wanted]
        if not files:
            names = ", ".join(f"/{file.path}" for file in self.hidden[:5]) or "nothing"
            raise UsageError(f"{self.name} hides no file /{wanted}", hint=f"it hides {names}")
        return self.read(files[-1].node)

    @property
    def title(self) -> str:
        return say("explorer.title", self.lang, name=self.name)

    def lines(self) -> Iterator[str]:
        from imagelab.view.explorer.printers import lines

        return lines(self)

    def body(self) -> str:
        from imagelab.view.explorer.printers import body

        return body(self)


def explore(
    name: str, indexes: Sequence[LayerIndex], config: ImageConfig | None, read: Read, lang: str = "en"
) -> Exploration:
    """The exploration of a stack, base first. `config` gives the instructions; `read` the bytes behind a node."""
    numbers = {index.diff_id: number for number, index in enumerate(indexes, 1)}
    changes = [index.changes() for index in indexes]
    trees = _trees(changes)
    views = [_contents(tree) for tree in trees]
    hidden = tuple(_hidden(views, numbers))
    ends = {file.node.content: file.by for file in hidden}
    seen = _by_layer(views[-1], numbers)
    steps, instructions = _instructions(config, len(indexes))
    layers, total = [], 0
    for number, (index, step, change, below) in enumerate(zip(indexes, steps, changes, trees, strict=False), 1):
        total += index.size
        entries, size = tuple(_entries(change, below, ends)), index.size
        layers.append(LayerView(number, *step, index.blob, index.blob_size, size, total, seen.get(number, 0), entries))
    contents = dict(_read_some(hidden, layers, read))
    return Exploration(name, tuple(layers), instructions, hidden, trees[-1], contents, read, lang)


def _trees(layers: Sequence[Sequence[Change]]) -> list[Tree]:
    """What is seen before the first layer, and after each."""
    trees = [Tree.empty()]
    for changes in layers:
        trees.append(apply(trees[-1], changes))
    return trees


def _contents(tree: Tree) -> dict[str, tuple[str, Node]]:
    """The files with bytes: where the bytes are -> the first path that leads there."""
    files: dict[str, tuple[str, Node]] = {}
    for path in tree:
        node = tree[path]
        if node.kind is Kind.FILE and node.size:
            files.setdefault(node.content, (path, node))
    return files


def seen_bytes(tree: Tree) -> int:
    """What a tree shows, in bytes; a file with several names once."""
    return sum(node.size for _, node in _contents(tree).values())


def _by_layer(contents: Mapping[str, tuple[str, Node]], numbers: Mapping[Digest, int]) -> dict[int, int]:
    """Bytes by the number of the layer that holds them; of two equal layers the upper one."""
    sums: dict[int, int] = {}
    for _, node in contents.values():
        number = _layer_of(node, numbers)
        sums[number] = sums.get(number, 0) + node.size
    return sums


def _layer_of(node: Node, numbers: Mapping[Digest, int]) -> int:
    return numbers.get(Digest.trusted(node.content.partition("@")[0]), 0)


def _hidden(views: Sequence[Mapping[str, tuple[str, Node]]], numbers: Mapping[Digest, int]) -> Iterator[Hidden]:
    """Files that one tree shows and the next does not, as long as no later one does."""
    for number in range(1, len(views)):
        for content, (path, node) in views[number - 1].items():
            if not any(content in view for view in views[number:]):
                yield Hidden(path, node, _layer_of(node, numbers), number)


def _entries(changes: Sequence[Change], below: Tree, ends: Mapping[str, int]) -> Iterator[TarEntry]:
    for change in changes:
        above, _, last = change.path.rpartition("/")
        match change:
            case Put(path, node):
                yield TarEntry(path, path, _mark(below.get(path), node), node, until=ends.get(node.content, 0))
            case Whiteout(path):
                paths = tuple(_under(below, path))
                yield TarEntry(
                    f"{above}/{WHITEOUT}{last}".lstrip("/"), path, REMOVED, None, paths, _bytes(below, paths)
                )
            case Opaque(path):
                paths = tuple(_under(below, path))[1:]
                yield TarEntry(f"{path}/{OPAQUE}".lstrip("/"), path, CLEARED, None, paths, _bytes(below, paths))


def _mark(before: Node | None, now: Node) -> str:
    if before is None:
        return ADDED
    if before.is_directory and now.is_directory:
        same = (before.mode, before.uid, before.gid, before.xattrs) == (now.mode, now.uid, now.gid, now.xattrs)
        return KEPT if same else CHANGED
    return CHANGED


def _under(tree: Tree, path: str) -> Iterator[str]:
    """A path and everything below it, as far as it is there."""
    if path not in tree:
        return
    yield path
    for name in tree.children(path):
        yield from _under(tree, f"{path}/{name}" if path else name)


def _bytes(tree: Tree, paths: Sequence[str]) -> int:
    return sum({tree[path].content: tree[path].size for path in paths if tree[path].kind is Kind.FILE}.values())


def _instructions(config: ImageConfig | None, count: int) -> tuple[list[tuple[str, str]], tuple[tuple[int, str], ...]]:
    """(what made each layer, and the comment), and the instructions that made none."""
    layers: list[tuple[str, str]] = []
    empty: list[tuple[int, str]] = []
    for entry in config.history if config else ():
        if entry.empty_layer:
            empty.append((len(layers), entry.created_by))
        else:
            layers.append((entry.created_by, entry.comment))
    return [*layers, *[("", "")] * (count - len(layers))], tuple(empty)


def _read_some(hidden: Sequence[Hidden], layers: Sequence[LayerView], read: Read) -> Iterator[tuple[str, bytes]]:
    """Beginnings of files: the hidden ones, then the top layer's, downwards, until there are ALL_FILES bytes."""
    upper = (e.node for layer in reversed(layers) for e in layer.entries if e.node and e.size)
    left, done = ALL_FILES, set[str]()
    for node in (*(file.node for file in hidden), *upper):
        taken = min(node.size, BUDGET)
        if node.content in done or node.size > 64 * BUDGET or taken > left:
            continue
        done.add(node.content)
        left -= taken
        yield node.content, read(node)[:BUDGET]
