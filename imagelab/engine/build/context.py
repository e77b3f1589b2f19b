"""The build context: one tar, of any compression, read as a tree of files without unpacking it.

    tar (plain, gzip, bzip2, xz, zstd) --one pass--> Tree, each file's bytes at `context@offset`

What the client sends is untrusted: a name that leaves the root is refused, devices are just metadata, and nothing is
written anywhere but the inflated tar, where the caller says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import IO

from imagelab.dockerfile.ignore import Ignore
from imagelab.errors import ImageLabError, LayerFormatError
from imagelab.layers.changeset import node_of
from imagelab.layers.compression import PIECE, Inflater, compression_of
from imagelab.layers.tar_scanner import TarScanner
from imagelab.layers.tree import Draft, Node, Put, Tree, apply

PLACE = "context"
OUTSIDE = ".dockerfile."
"""How a Dockerfile is called that comes from outside the context; it is never copied."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where COPY takes files from: the context, a stage, an image."""

    tree: Tree
    read: Callable[[Node], bytes]
    is_context: bool = True


def read_context(file: IO[bytes], place: IO[bytes]) -> Source:
    """A tar as a source; a compressed one is inflated into `place`. Both stay open as long as the source is used.

    ImageLabError when it is no tar, or holds what no context may hold.
    """
    plain = file
    if not _is_plain(file):
        place.writelines(_inflated(file))
        plain = place
    return Source(tree_of(plain), lambda node: _bytes(plain, node))


def without_build_files(source: Source, dockerfile: str) -> Source:
    """What may be copied: `.dockerignore` may hide itself and the Dockerfile, which are sent all the same (R8.26)."""
    node = source.tree.get(".dockerignore")
    ignore = Ignore.parse(source.read(node).decode("utf-8", "replace")) if node is not None and node.size else Ignore()
    from_outside = dockerfile.startswith(OUTSIDE)
    draft = Draft(source.tree)
    for name in (".dockerignore", dockerfile):
        if name in source.tree and (from_outside or ignore.ignores(name)):
            draft.remove(name)
    return replace(source, tree=draft.tree())


def tree_of(plain: IO[bytes], place: str = PLACE) -> Tree:
    """The files of an uncompressed tar. ImageLabError."""
    scanner = TarScanner()
    plain.seek(0)
    try:
        while piece := plain.read(PIECE):
            scanner.feed(piece)
        rows = scanner.finish()
        tree = apply(Tree.empty(), [Put(row.path, node_of(row, place)) for row in rows])
        return _with_first_names(tree, {row.target for row in rows if row.kind == "hardlink"})
    except LayerFormatError as error:
        problem = str(error).replace("the layer", "the build context")
        raise ImageLabError(
            f"Error processing tar file: {problem}", hint="a context is a folder, or a tar of one"
        ) from None


def _with_first_names(tree: Tree, linked: set[str]) -> Tree:
    """The first name of a file that has several says so, too: they are copied as one file."""
    draft = Draft(tree)
    for path in linked:
        if path in tree and not tree[path].link:
            draft.put(path, replace(tree[path], link=path))
    return draft.tree()


def _bytes(plain: IO[bytes], node: Node) -> bytes:
    if not node.size:
        return b""
    plain.seek(int(node.content.rpartition("@")[2]))
    return plain.read(node.size)


def _is_plain(file: IO[bytes]) -> bool:
    file.seek(0)
    head = file.read(10)
    file.seek(0)
    return not compression_of(head)


def _inflated(file: IO[bytes]) -> Iterator[bytes]:
    """The plain bytes of a compressed file, in pieces. ImageLabError when they do not inflate."""
    inflater = Inflater()
    try:
        while piece := file.read(PIECE):
            yield from inflater.feed(piece)
        yield from inflater.finish()
    except LayerFormatError as error:
        raise ImageLabError(
            f"Error processing tar file: {str(error).replace('the layer', 'the build context')}",
            hint="the archive is damaged or cut off",
        ) from None
