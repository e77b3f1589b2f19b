"""Checks of what is in an image, to the byte: a text, the same file, the same tree, a secret that is nowhere.

text_is("app:1", "/result", "done")        the file says this and nothing else
page_says("web:1", "/index.html", "Hi")    a line of the page is this, tags apart
same_file("app:2", "/app", "app:1")        the same bytes as in the image that had the name at the start
same_files("flat:1", "nginx")              the same tree, but for what Docker puts into every container
secret_gone("app:2", "app:1", "/key")      the bytes of that file are in no layer, and nowhere in the config
starts("app:1", "echo", "hi")              ENTRYPOINT and CMD together
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from zlib import decompressobj
from zlib import error as ZlibError

from imagelab.course.bilingual import Words
from imagelab.course.check import Check
from imagelab.course.lab_snapshot import LabSnapshot, located
from imagelab.layers.tree import Node, Put, Tree, diff
from imagelab.layers.writable_layer import init_layer
from imagelab.oci.documents import ImageConfig

INIT = frozenset(change.path for change in init_layer("", 0).changes)
"""What Docker puts into every container."""
MOST_UNPACKED = 50_000_000
SHORTEST = 5
"""Characters of a line of a secret that is looked for by itself."""

# -- texts --------------------------------------------------------------------------------------------------


def text_is(name: str, path: str, text: str) -> Check:
    """The file says exactly this, white space around it apart."""
    return _text(name, path, text, lambda said: said.strip() == text, Words("says", "内容是"))


def page_says(name: str, path: str, text: str) -> Check:
    """A line of the page is exactly this, once tags are taken away."""
    return _text(name, path, text, lambda said: text in _lines_of(said), Words("has the line", "里有一行是"))


def _lines_of(page: str) -> list[str]:
    return [line.strip() for line in re.sub(r"<[^<>]*>", "\n", page).splitlines()]


def _text(name: str, path: str, text: str, fits: Callable[[str], bool], verb: Words) -> Check:
    def missing(before: LabSnapshot, now: LabSnapshot) -> Words:
        if now.id_of(name) is None:
            return Words(f"there is no image `{name}` yet", f"还没有镜像 `{name}`")
        if now.text(name, path) is None:
            return Words(f"`{name}` has no file `{path}`", f"`{name}` 里没有 `{path}` 这个文件")
        return Words(f"`{path}` of `{name}` says something else", f"`{name}` 的 `{path}` 内容不对")

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        said = now.text(name, path) if now.id_of(name) else None
        return said is not None and fits(said)

    return Check(
        Words(f"`{path}` in the image `{name}` {verb.en} `{text}`", f"镜像 `{name}` 的 `{path}` {verb.zh} `{text}`"),
        missing,
        test,
    )


def same_file(name: str, path: str, was: str) -> Check:
    """The file has the same bytes as in the image that `was` stood for at the start."""

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        return now.id_of(name) is not None and None is not before.data(was, path) == now.data(name, path)

    return Check(
        Words(f"`{name}` has the same `{path}` as `{was}`", f"`{name}` 里的 `{path}` 与 `{was}` 的相同"),
        Words(f"`{name}` does not have the same `{path}` as `{was}`", f"`{name}` 里没有与 `{was}` 相同的 `{path}`"),
        test,
    )


def new_file(name: str, path: str, base: str) -> Check:
    """The image has this file, and the one that it was made from has not."""

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        below = before if before.id_of(base) else now
        here = now.id_of(name) is not None and now.data(name, path) is not None
        return here and located(below.tree(base), path) is None

    return Check(
        Words(f"`{name}` has a file `{path}`, which `{base}` has not", f"`{name}` 比 `{base}` 多一个文件 `{path}`"),
        Words(
            f"`{name}` does not have a file `{path}` more than `{base}`",
            f"`{name}` 并没有比 `{base}` 多出文件 `{path}`",
        ),
        test,
    )


# -- trees --------------------------------------------------------------------------------------------------


def same_files(name: str, was: str, *apart: str) -> Check:
    """The image shows the files that `was` showed at the start, all of them and no others. Apart from these paths and
    what is below them, and from what Docker puts into every container."""
    free = tuple(path.strip("/") for path in apart)

    def is_free(path: str) -> bool:
        return path == "" or path in INIT or path in free or path.startswith(tuple(f"{one}/" for one in free))

    def differing(before: LabSnapshot, now: LabSnapshot) -> list[str]:
        old, new = before.tree(was), now.tree(name)
        paths = sorted(set(old) | set(new))
        return [
            path for path in paths
            if not is_free(path) and not _is_same(before, old.get(path), now, new.get(path))
        ]  # fmt: skip

    def missing(before: LabSnapshot, now: LabSnapshot) -> Words:
        if now.id_of(name) is None:
            return Words(f"no image is called `{name}` yet", f"还没有叫 `{name}` 的镜像")
        path = differing(before, now)[0]
        return Words(f"`{name}` and `{was}` differ in `/{path}`", f"`{name}` 和 `{was}` 的 `/{path}` 不同")

    but = Words(f", apart from {', '.join(f'`{path}`' for path in apart)}", f"（除了 {'、'.join(f'`{path}`' for path in apart)}）") if apart else Words("", "")  # fmt: skip
    return Check(
        Words(f"`{name}` has the files of `{was}`{but.en}, and no others", f"`{name}` 的文件与 `{was}` 的一样{but.zh}，不多也不少"),
        missing,
        lambda before, now: now.id_of(name) is not None and not differing(before, now),
    )  # fmt: skip


def _is_same(before: LabSnapshot, old: Node | None, now: LabSnapshot, new: Node | None) -> bool:
    if old is None or new is None:
        return False
    if (old.kind, old.mode, old.uid, old.gid, old.size, old.target) != (
        new.kind, new.mode, new.uid, new.gid, new.size, new.target,
    ):  # fmt: skip
        return False
    return old.content == new.content or before.read(old) == now.read(new)


def hides(name: str, path: str, was: str) -> Check:
    """This path cannot be seen in the image, and its bytes cannot be seen at another path, either."""

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        if now.id_of(name) is None or path.strip("/") in now.tree(name):
            return False
        hidden = before.data(was, path)
        return not hidden or not any(hidden in data for data in _file_bytes(now, now.tree(name)))

    return Check(
        Words(f"`{path}` cannot be seen in the image `{name}`", f"镜像 `{name}` 里看不到 `{path}`"),
        Words(f"`{path}` can be seen in `{name}`, there or elsewhere, or there is no such image",
              f"`{name}` 里还看得到 `{path}`（在原处或别处），或者还没有这个镜像"),
        test,
    )  # fmt: skip


def _file_bytes(snapshot: LabSnapshot, tree: Tree) -> Iterator[bytes]:
    return (snapshot.read(node) for node in tree.values() if node.size)


# -- secrets ------------------------------------------------------------------------------------------------


def secret_gone(name: str, was: str, path: str) -> Check:
    """What the file says in a layer of the image that `was` stood for at the start is nowhere in this one: in no file of
    any layer, hidden, packed or encoded, in no name, and not in the config with its variables, labels and history."""
    return _nowhere(name, lambda before: _secrets(before, was, path), Words(f"`{path}`", f"`{path}`"))


def bytes_gone(name: str, path: str, data: bytes) -> Check:
    """Neither this path nor a file with these bytes is in any layer of the image."""
    gone = _nowhere(name, lambda before: {data}, Words(f"`{path}`", f"`{path}`"))

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        return gone.test(before, now) and not any(path.strip("/") in tree for tree in now.trees(name))

    return Check(gone.says, gone.unmet, test)


def _nowhere(name: str, secrets: Callable[[LabSnapshot], set[bytes]], what: Words) -> Check:
    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        config, found = now.config(name), secrets(before)
        if config is None or not found:
            return False
        needles = {form for secret in found for form in _forms(secret)}
        return not any(needle in data for data in _everything(now, name, config) for needle in needles)

    return Check(
        Words(f"what {what.en} held is in no layer of `{name}`, nor anywhere else in it", f"`{name}` 的每一层、每一处都没有 {what.zh} 的内容"),
        Words(f"what {what.en} held is still somewhere in `{name}`, or there is no such image", f"{what.zh} 的内容还在 `{name}` 的某处，或者还没有这个镜像"),
        test,
    )  # fmt: skip


def _secrets(before: LabSnapshot, was: str, path: str) -> set[bytes]:
    """The lines of the file, in whichever layers it is; those that only frame a key left out."""
    nodes = [tree[path.strip("/")] for tree in before.trees(was) if path.strip("/") in tree]
    lines = [line.strip() for node in nodes for line in before.read(node).splitlines()]
    return {line for line in lines if len(line) >= SHORTEST and not line.startswith(b"-----")}


def _forms(secret: bytes) -> set[bytes]:
    """A secret, and as it looks when somebody has only encoded it."""
    coded = [b64encode(bytes(shift) + secret) for shift in range(3)]
    return {
        secret,
        secret[::-1],
        secret.hex().encode(),
        *(text[4 if at else 0 : -4] for at, text in enumerate(coded) if len(text) > 8),
    }


def _everything(snapshot: LabSnapshot, name: str, config: ImageConfig) -> Iterator[bytes]:
    yield config.raw
    below = Tree.empty()
    for tree in snapshot.trees(name):
        for change in diff(below, tree):
            yield change.path.encode("utf-8", "surrogateescape")
            if isinstance(change, Put):
                yield from _of_node(snapshot, change.node)
        below = tree


def _of_node(snapshot: LabSnapshot, node: Node) -> Iterator[bytes]:
    yield node.target.encode("utf-8", "surrogateescape")
    yield from (value for _, value in node.xattrs)
    yield from _unpacked(snapshot.read(node))


def _unpacked(data: bytes, depth: int = 2) -> Iterable[bytes]:
    """The bytes, and what is in each gzip stream among them."""
    yield data
    for match in re.finditer(rb"\x1f\x8b\x08", data) if depth else ():
        try:
            yield from _unpacked(decompressobj(31).decompress(data[match.start() :], MOST_UNPACKED), depth - 1)
        except ZlibError:
            continue


# -- what is started ----------------------------------------------------------------------------------------


def starts(name: str, *command: str) -> Check:
    """What the image starts is this program with these arguments: entrypoint and command together, the program by its
    name or by its path."""
    return _starts(name, lambda before, now: command, Words(f"`{' '.join(command)}`", f"`{' '.join(command)}`"))


def starts_as(name: str, was: str) -> Check:
    """The image starts what the image that `was` stood for at the start starts."""

    def wanted(before: LabSnapshot, now: LabSnapshot) -> tuple[str, ...]:
        config = before.config(was)
        return _command(config) if config else ()

    return _starts(name, wanted, Words(f"what `{was}` starts", f"和 `{was}` 一样的程序"))


def _starts(name: str, wanted: Callable[[LabSnapshot, LabSnapshot], tuple[str, ...]], what: Words) -> Check:
    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        config, command = now.config(name), wanted(before, now)
        if config is None or not command:
            return False
        found = _command(config)
        program = _program(now.tree(name), config, found[0]) if found else None
        return (
            program is not None and program == _program(now.tree(name), config, command[0]) and found[1:] == command[1:]
        )

    return Check(
        Words(f"`{name}` starts {what.en}", f"`{name}` 启动的是 {what.zh}"),
        Words(
            f"`{name}` does not start {what.en}: entrypoint and command count together",
            f"`{name}` 启动的不是 {what.zh}：入口点和命令要合起来看",
        ),
        test,
    )


def _command(config: ImageConfig) -> tuple[str, ...]:
    data = config.data.get("config") or {}
    return (*(data.get("Entrypoint") or ()), *(data.get("Cmd") or ()))


def _program(tree: Tree, config: ImageConfig, word: str) -> str | None:
    """Where a program lies: its folder without symlinks, and its name."""
    from imagelab.runtime.execution import DEFAULT_PATH

    data = config.data.get("config") or {}
    env = dict(entry.partition("=")[::2] for entry in data.get("Env") or ())
    folders = env.get("PATH", DEFAULT_PATH).split(":")
    paths = (
        [f"{data.get('WorkingDir') or ''}/{word}" if not word.startswith("/") else word]
        if "/" in word
        else [f"{folder}/{word}" for folder in folders]
    )
    for path in paths:
        folder, _, name = path.rpartition("/")
        at = located(tree, folder)
        if at is not None and f"{at}/{name}".strip("/") in tree:
            return f"{at}/{name}"
    return None
