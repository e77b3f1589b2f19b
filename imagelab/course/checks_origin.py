"""Checks of which image it is, and where it comes from: a name proves nothing, the ID does.

published("nginx")                   it is what the publisher has brought out under this name
tag_points_to("old", "nginx")        it is the image that had this name at the start
layers_on_top("app:1", "nginx")      its base is one of these two, whatever is called `nginx` now
committed_from("note", "work")       it was made from the container that had this name at the start
built("app:1", "nginx")              its layers come from steps of a Dockerfile
never_here("redis")                  at no moment since the start was it here
"""

from __future__ import annotations

import json
import re
import shlex

from imagelab.classroom.upstream import images_of
from imagelab.course.bilingual import Words
from imagelab.course.check import Check
from imagelab.course.lab_snapshot import LabSnapshot, canonical
from imagelab.oci.digest import Digest
from imagelab.oci.reference import Reference
from imagelab.state.model import Image

MACHINE = "linux/amd64"


def brought_out(before: LabSnapshot, now: LabSnapshot, name: str, platform: str = MACHINE) -> set[Digest]:
    """The images that have been published under this name since the exercise began, the one that was out then included."""
    reference = Reference.parse(name).with_default_tag()
    key = f"{reference.path}:{reference.tag}"
    builds = images_of(name)[before.releases.get(key, 0) : now.releases.get(key, 0) + 1]
    return {build[platform] for build in builds if platform in build}


def origins(before: LabSnapshot, now: LabSnapshot, name: str) -> set[Digest]:
    """The images that may be meant by a name: what it stood for at the start, what has been published under it; for a
    name that somebody has made up since, what it stands for now."""
    at_start = before.id_of(name)
    known = brought_out(before, now, name) | ({at_start} if at_start else set())
    return known or {image_id for image_id in (now.id_of(name),) if image_id is not None}


def origin_images(before: LabSnapshot, now: LabSnapshot, name: str) -> list[Image]:
    """The same, as far as they are or were here."""
    images = {**before.state.images, **now.state.images}
    return [images[image_id] for image_id in sorted(origins(before, now, name)) if image_id in images]


def published(name: str, of: str = "", platform: str = MACHINE) -> Check:
    """The image of this name is the one that was published: as `of`, for this platform."""
    source = of or name
    machine = Words("", "") if platform == MACHINE else Words(f" for {platform}", f"（{platform} 平台）")
    what = Words(
        "the image that is published under this name" if source == name else f"the `{source}` that is published",
        "以这个名字发布的镜像" if source == name else f"发布的那个 `{source}`",
    )

    def missing(before: LabSnapshot, now: LabSnapshot) -> Words:
        if now.id_of(name) is None and before.id_of(name) is not None:
            return Words(f"no image is called `{name}` any more", f"已经没有叫 `{name}` 的镜像了")
        if now.id_of(name) is None:
            return Words(f"no image is called `{name}` yet", f"还没有叫 `{name}` 的镜像")
        if now.id_of(name) == before.id_of(name):
            return Words(f"`{name}` still stands for the image it stood for", f"`{name}` 指的还是原来那个镜像")
        return Words(f"`{name}` is not {what.en}{machine.en}", f"`{name}` 不是{what.zh}{machine.zh}")

    return Check(
        Words(f"`{name}` is {what.en}{machine.en}", f"`{name}` 就是{what.zh}{machine.zh}"),
        missing,
        lambda before, now: now.id_of(name) in brought_out(before, now, source, platform),
    )


def layers_on_top(name: str, base: str, count: int | None = 1) -> Check:
    """The image is `base`'s layers and that many more; None: one or more."""
    more = {1: "one more layer", None: "one or more layers"}.get(count, f"{count} more layers")
    added_zh = {1: "一层", None: "一层或更多层"}.get(count, f" {count} 层")

    def fits(image: Image, below: Image) -> bool:
        added = len(image.layers) - len(below.layers)
        return image.layers[: len(below.layers)] == below.layers and (added >= 1 if count is None else added == count)

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        image = now.image(name)
        return image is not None and any(fits(image, below) for below in origin_images(before, now, base))

    return Check(
        Words(f"`{name}` is `{base}` with {more} on top", f"`{name}` 是在 `{base}` 上面加{added_zh}"),
        Words(f"`{name}` is not `{base}` with {more} on top", f"`{name}` 不是在 `{base}` 上面加{added_zh}"),
        test,
    )


def was_here(name: str) -> Check:
    """The image of this name is one of those that were here at the start, not a copy of one."""
    return Check(
        Words(f"`{name}` is one of the images that were here at the start", f"`{name}` 是开始时就在这里的一个镜像"),
        Words(f"`{name}` is none of the images that were here at the start", f"`{name}` 不是开始时就在这里的镜像"),
        lambda before, now: now.id_of(name) in before.state.images,
    )


def child_of(name: str, parent: str) -> Check:
    """The image was made here from the image that `parent` stands for, in one step or several."""

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        image = now.image(name)
        wanted = origins(before, now, parent)
        return image is not None and bool(wanted & {image.parent, *now.state.parents(image.id)})

    return Check(
        Words(f"`{name}` was made from `{parent}`", f"`{name}` 是由 `{parent}` 生成的"),
        Words(f"`{name}` was not made from `{parent}`", f"`{name}` 不是由 `{parent}` 生成的"),
        test,
    )


def committed_from(name: str, container: str) -> Check:
    """The image was committed from the container that had this name at the start."""

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        config, source = now.config(name), before.container(container)
        return config is not None and source is not None and config.data.get("container") == source.id

    return Check(
        Words(f"`{name}` was committed from the container `{container}`", f"`{name}` 是从容器 `{container}` 提交的"),
        Words(
            f"`{name}` was not committed from the container `{container}` that was here at the start",
            f"`{name}` 不是从开始时的容器 `{container}` 提交的",
        ),
        test,
    )


def built(name: str, base: str) -> Check:
    """Every layer that the image has on top of its base first came about in a build, so that its history tells how."""

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        image = now.image(name)
        if image is None:
            return False
        made_by = _makers(before, now)
        below = {layer for one in origin_images(before, now, base) for layer in one.layers}
        return all(made_by.get(layer) == "build" for layer in image.layers if layer not in below)

    return Check(
        Words(f"`{name}` was built: its history tells how", f"`{name}` 是构建出来的：历史说得出是怎么做的"),
        Words(
            f"`{name}` has a layer that no step of a Dockerfile made", f"`{name}` 有一层不是由 Dockerfile 的步骤生成的"
        ),
        test,
    )


def _makers(before: LabSnapshot, now: LabSnapshot) -> dict[Digest, str]:
    """Layer -> the verb that brought it about since the start."""
    seen, made_by = set(before.state.layers), dict[Digest, str]()
    for moment in now.since(before.position):
        new = moment.state.layers.keys() - seen
        made_by |= dict.fromkeys(new, moment.verb)
        seen |= new
    return made_by


WRITERS = {"tee", "truncate", "cp", "mv", "fallocate", "install"}
"""Programs that write the file they name."""


def step_writes(name: str, path: str, words: tuple[str, ...]) -> Check:
    """A step that led to the image writes this file, by a command in which one of these words occurs: a `RUN` of a build,
    in whichever stage, or what a container ran that was committed. What is only said does not count."""
    file = path.rpartition("/")[2]

    def writes(command: str) -> bool:
        lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
        lexer.wordchars += "{}[]$%:,@^!"
        try:
            tokens = list(lexer)
        except ValueError:
            return False
        pairs = zip(["", *tokens], tokens, strict=False)
        written = any(
            token.removeprefix("of=").rpartition("/")[2] == file
            and (before.startswith(">") or token.startswith("of=") or bool(WRITERS & set(tokens)))
            for before, token in pairs
        )
        return written and any(word in token for word in words for token in tokens)

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        config, commands = now.config(name), list[str]()
        for moment in now.since(before.position) if config else ():
            commands += _runs(moment.dockerfile)
            if config is not None and config.id in moment.state.images:
                break
        steps = [entry.created_by for entry in config.history] if config else []
        return any(writes(command) for command in [*commands, *steps] if "#(nop)" not in command)

    return Check(
        Words(f"a step of the build of `{name}` writes `{path}`", f"构建 `{name}` 的过程中有一步写出 `{path}`"),
        Words(f"no step of the build of `{name}` writes `{path}`", f"构建 `{name}` 的过程中没有哪一步写出 `{path}`"),
        test,
    )


def _runs(dockerfile: str) -> list[str]:
    """The commands of the RUN lines."""
    lines = re.sub(r"\\[ \t]*\n", " ", dockerfile).splitlines()
    found = [line.strip()[3:].strip() for line in lines if line.strip()[:4].upper() in ("RUN ", "RUN\t")]
    return [" ".join(_exec_form(line)) or line for line in found]


def _exec_form(line: str) -> list[str]:
    """The words of `["sh", "-c", "…"]`, the shell itself left out; [] for anything else."""
    try:
        words = json.loads(line) if line.startswith("[") else []
    except ValueError:
        return []
    return [str(word) for word in words if str(word).rpartition("/")[2] not in ("sh", "bash", "-c")]


# -- what was, on the way -----------------------------------------------------------------------------------


def never_here(name: str) -> Check:
    """At no moment since the start was the image here: not asked for and cleaned away again, either."""

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        states = [now.state, *(moment.state for moment in now.since(before.position))]
        wanted = origins(before, now, name)
        return not any(canonical(name) in state.references or wanted & state.images.keys() for state in states)

    return Check(
        Words(f"`{name}` was never pulled", f"从没有拉取过 `{name}`"),
        Words(
            f"`{name}` is here, or was: it was not to be pulled. Undo back to before that",
            f"`{name}` 在这里，或者来过：说好不拉取的。撤销到那之前",
        ),
        test,
    )


def away_and_back(name: str) -> Check:
    """The image was gone for a while, and is back; and since then no registry has given it a digest."""

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        image_id = before.id_of(name)
        states = [moment.state for moment in now.since(before.position)]
        gone = [at for at, state in enumerate(states) if image_id not in state.images]
        back = states[gone[-1] + 1 :] if gone else []
        return image_id is not None and bool(back) and not any(state.digests(image_id) for state in back)

    return Check(
        Words(f"`{name}` was gone, and came back from a file", f"`{name}` 离开过，又从文件里回来了"),
        Words(
            f"`{name}` was never gone, or has not come back from a file", f"`{name}` 没有离开过，或者不是从文件里回来的"
        ),
        test,
    )
