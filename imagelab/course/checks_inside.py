"""Checks of what images and containers hold: layers, files, config, history, and how a container ended."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from imagelab.course.bilingual import Words
from imagelab.course.check import Check
from imagelab.course.checks_origin import origins
from imagelab.course.lab_snapshot import LabSnapshot, located
from imagelab.layers.tree import Tree, diff
from imagelab.oci.documents import ImageConfig

IMAGE, CONTAINER = Words("image", "镜像"), Words("container", "容器")
"""Where a file may be."""

# -- what an image is made of -------------------------------------------------------------------------------


def layers_shared(one: str, other: str, least: int = 1) -> Check:
    """Two images have at least so many layers in common, from the base up."""

    def shared(now: LabSnapshot) -> int:
        first, second = now.image(one), now.image(other)
        return len(set(first.layers) & set(second.layers)) if first and second else 0

    return Check(
        Words(f"`{one}` and `{other}` share {'a layer' if least == 1 else f'{least} layers'} or more", f"`{one}` 和 `{other}` 至少共享 {least} 层"),
        lambda before, now: Words(f"`{one}` and `{other}` share {shared(now)} layers", f"`{one}` 和 `{other}` 共享 {shared(now)} 层"),
        lambda before, now: shared(now) >= least,
    )  # fmt: skip


def file_in_image(name: str, path: str, contains: str = "") -> Check:
    """The image has this file, and the text is in it."""
    return _file_there(IMAGE, lambda now: now.id_of(name) is not None, name, path, contains)


def no_file_in_image(name: str, path: str) -> Check:
    """The image is here, and this path is not in it."""
    return _file_not_there(IMAGE, lambda now: now.id_of(name) is not None, name, path)


def in_no_layer(name: str, path: str) -> Check:
    """The image is here, and this path is in none of its layers, hidden ones included."""
    return Check(
        Words(f"`{path}` is in no layer of `{name}`, not even a hidden one", f"`{name}` 的每一层里都没有 `{path}`，藏起来的也没有"),
        Words(f"a layer of `{name}` still has `{path}`, or there is no such image", f"`{name}` 还有一层里有 `{path}`，或者还没有这个镜像"),
        lambda before, now: bool(now.trees(name)) and not any(path.strip("/") in tree for tree in now.trees(name)),
    )  # fmt: skip


def only_changed(name: str, *paths: str) -> Check:
    """The image's top layer has these files, their directories, and nothing else."""
    wanted = {path.strip("/") for path in paths}
    listed = ", ".join(f"`{path}`" for path in paths)

    def extra(now: LabSnapshot) -> list[str]:
        *_, below, above = (Tree.empty(), Tree.empty(), *now.trees(name))
        return [
            change.path for change in diff(below, above) if change.path not in wanted and not _leads_to(change.path)
        ]

    def _leads_to(path: str) -> bool:
        return path == "" or any(file.startswith(f"{path}/") for file in wanted)

    def missing(before: LabSnapshot, now: LabSnapshot) -> Words:
        if now.id_of(name) is None:
            return Words(f"no image is called `{name}` yet", f"还没有叫 `{name}` 的镜像")
        found = ", ".join(f"`/{path}`" for path in extra(now)[:3])
        return Words(f"the top layer of `{name}` also has {found}", f"`{name}` 最上面一层里还有 {found}")

    return Check(
        Words(f"the top layer of `{name}` holds {listed} and nothing else", f"`{name}` 最上面一层里只有 {listed}"),
        missing,
        lambda before, now: now.id_of(name) is not None and not extra(now),
    )


def _says(text: str | None, contains: str) -> bool:
    """Is the text in there, by itself and not as a part of a longer word?"""
    return text is not None and re.search(rf"(?<!\w){re.escape(contains)}(?!\w)", text) is not None


def _file_missing(now: LabSnapshot, name: str, path: str, kind: Words, there: bool) -> Words:
    if not there:
        return Words(f"there is no {kind.en} `{name}` yet", f"还没有{kind.zh} `{name}`")
    if path.strip("/") not in now.tree(name):
        return Words(f"`{name}` has no file `{path}`", f"`{name}` 里没有 `{path}` 这个文件")
    return Words(f"`{path}` of `{name}` says something else", f"`{name}` 的 `{path}` 内容不对")


def config_has(name: str, **wanted: object) -> Check:
    """The image's config has these: `Cmd=["nginx"]`, `Env="A=1"`, `Labels="a=b"`, `ExposedPorts="80/tcp"`, `Author="me"`."""
    listed = ", ".join(
        f"{key} `{json.dumps(value) if isinstance(value, list) else value}`" for key, value in wanted.items()
    )

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        config = now.config(name)
        return config is not None and all(_has(config, key, value) for key, value in wanted.items())

    return Check(
        Words(f"the config of `{name}` has {listed}", f"`{name}` 的配置里有 {listed}"),
        Words(f"the config of `{name}` does not have {listed}", f"`{name}` 的配置里没有 {listed}"),
        test,
    )


def _has(config: ImageConfig, key: str, value: object) -> bool:
    if key == "Author":
        return config.data.get("author") == value
    have = (config.data.get("config") or {}).get(key)
    if isinstance(have, dict):
        name, equals, text = str(value).partition("=")
        return name in have and (not equals or have[name] == text)
    return have == value or (isinstance(have, list) and value in have)


def history_has(name: str, text: str) -> Check:
    """One step in the image's history says this, as its command or its comment."""

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        config = now.config(name)
        return config is not None and any(text in entry.created_by or text in entry.comment for entry in config.history)

    return Check(
        Words(f"the history of `{name}` says `{text}`", f"`{name}` 的历史里写着 `{text}`"),
        Words(f"`{text}` is nowhere in the history of `{name}`", f"`{name}` 的历史里找不到 `{text}`"),
        test,
    )


# -- containers ---------------------------------------------------------------------------------------------


def container_exists(name: str, image: str = "") -> Check:
    """A container has this name, and was made from this image: the one of that name at the start, or one published as that."""
    of = Words(f", made from `{image}`", f"，由 `{image}` 创建") if image else Words("", "")

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        found = now.container(name)
        return found is not None and (not image or found.image in origins(before, now, image))

    return Check(
        Words(f"a container is called `{name}`{of.en}", f"有一个容器叫 `{name}`{of.zh}"),
        Words(f"no container is called `{name}`{of.en}", f"没有这样的容器：`{name}`{of.zh}"),
        test,
    )


def container_absent(name: str) -> Check:
    """No container has this name."""
    return Check(
        Words(f"no container is called `{name}`", f"没有容器叫 `{name}`"),
        Words(f"a container is still called `{name}`", f"还有容器叫 `{name}`"),
        lambda before, now: now.container(name) is None,
    )


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def no_containers() -> Check:
    """No container is left, running or not."""
    return Check(
        Words("no container is left, running or not", "没有任何容器，运行的和停止的都没有"),
        lambda before, now: Words(
            _counted(len(now.state.containers), "container is here", "containers are here"), f"还有 {len(now.state.containers)} 个容器"
        ),
        lambda before, now: not now.state.containers,
    )  # fmt: skip


def container_running(name: str) -> Check:
    """The container runs, and is not paused."""
    return Check(
        Words(f"the container `{name}` runs", f"容器 `{name}` 正在运行"),
        Words(f"the container `{name}` does not run", f"容器 `{name}` 没有在运行"),
        lambda before, now: (found := now.container(name)) is not None and found.status == "running",
    )


def container_stopped(name: str, code: int | None = None) -> Check:
    """The container is there and has ended, with this exit code if one is given."""
    with_code = Words(f" with exit code {code}", f"，退出码是 {code}") if code is not None else Words("", "")

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        found = now.container(name)
        return found is not None and found.status == "exited" and (code is None or found.exit_code == code)

    return Check(
        Words(f"the container `{name}` has ended{with_code.en}", f"容器 `{name}` 已经结束{with_code.zh}"),
        Words(f"there is no container `{name}` that has ended{with_code.en}", f"没有这样的容器：`{name}` 已经结束{with_code.zh}"),
        test,
    )  # fmt: skip


def container_file(name: str, path: str, contains: str = "") -> Check:
    """The container has this file, and the text is in it."""
    return _file_there(CONTAINER, lambda now: now.container(name) is not None, name, path, contains)


def no_container_file(name: str, path: str) -> Check:
    """The container is there, and this path is not in it."""
    return _file_not_there(CONTAINER, lambda now: now.container(name) is not None, name, path)


def _file_there(place: Words, exists: Callable[[LabSnapshot], bool], name: str, path: str, contains: str) -> Check:
    with_text = Words(f" with `{contains}` in it", f"，内容里有 `{contains}`") if contains else Words("", "")
    return Check(
        Words(
            f"`{path}` is in the {place.en} `{name}`{with_text.en}", f"{place.zh} `{name}` 里有 `{path}`{with_text.zh}"
        ),
        lambda before, now: _file_missing(now, name, path, place, exists(now)),
        lambda before, now: exists(now) and _says(now.text(name, path), contains),
    )


def _file_not_there(place: Words, exists: Callable[[LabSnapshot], bool], name: str, path: str) -> Check:
    return Check(
        Words(f"`{path}` is not in the {place.en} `{name}`", f"{place.zh} `{name}` 里没有 `{path}`"),
        Words(f"`{path}` is in the {place.en} `{name}`, or there is no such {place.en}", f"{place.zh} `{name}` 里有 `{path}`，或者还没有这个{place.zh}"),
        lambda before, now: exists(now) and located(now.tree(name), path) is None and path.strip("/") not in now.tree(name),
    )  # fmt: skip
