"""What an exercise can ask for: each check is a function of two scenes, and says in both languages what it wants.

    image_exists("app:1")      tag_moved("mongo:3.2")     container_exists("web", "nginx")
    image_absent("redis")      tag_kept("ubuntu")         container_running("web")
    image_deleted("redis")     same_image("one", "two")   container_file("web", "/x", "word")
    file_in_image("app:1", "/x", "word")                  config_has("app", Author="me")

    checks_origin    which image it is, and where it comes from: published, layers_on_top, committed_from, built …
    checks_listing   the whole of what is here: only_images, listing_is, dangling_gone, others_kept …
    checks_content   what is in it, to the byte: text_is, same_files, secret_gone, starts …
    checks_inside    files, history, config, containers

Ask for what the task says, not for a name or a path: who tags another image `nginx` has no nginx.

`says` is the line in the checklist, `missing` the sentence for a learner who is not there yet. `before` is the snapshot the
exercise starts with, so "moved", "kept" and "deleted" have a meaning: they compare. What is not asked for does not
matter: extra images, other names, other ways are all fine.

`~check`, `a & b` and `a | b` make the conditions of hints.
"""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.check import Check
from imagelab.course.checks_content import (
    bytes_gone,
    hides,
    new_file,
    page_says,
    same_file,
    same_files,
    secret_gone,
    starts,
    starts_as,
    text_is,
)
from imagelab.course.checks_inside import (
    config_has,
    container_absent,
    container_exists,
    container_file,
    container_running,
    container_stopped,
    file_in_image,
    history_has,
    in_no_layer,
    layers_shared,
    no_container_file,
    no_containers,
    no_file_in_image,
    only_changed,
)
from imagelab.course.checks_listing import (
    dangling_gone,
    image_intermediate,
    intermediate_gone,
    listing_is,
    only_images,
    others_kept,
)
from imagelab.course.checks_origin import (
    away_and_back,
    built,
    child_of,
    committed_from,
    layers_on_top,
    never_here,
    published,
    step_writes,
    was_here,
)
from imagelab.course.lab_snapshot import LabSnapshot, canonical
from imagelab.oci.reference import familiar

__all__ = [
    "Check",
    "answered",
    "away_and_back",
    "built",
    "bytes_gone",
    "child_of",
    "committed_from",
    "config_has",
    "container_absent",
    "container_exists",
    "container_file",
    "container_running",
    "container_stopped",
    "dangling",
    "dangling_gone",
    "file_in_image",
    "has_digest_name",
    "hides",
    "history_has",
    "image_absent",
    "image_dangles",
    "image_deleted",
    "image_exists",
    "image_intermediate",
    "image_kept",
    "in_no_layer",
    "intermediate",
    "intermediate_gone",
    "is_platform",
    "layers_on_top",
    "layers_shared",
    "listing_is",
    "never_here",
    "new_file",
    "no_container_file",
    "no_containers",
    "no_dangling",
    "no_file_in_image",
    "only_changed",
    "only_images",
    "others_kept",
    "page_says",
    "published",
    "pulled",
    "same_file",
    "same_files",
    "same_image",
    "secret_gone",
    "starts",
    "starts_as",
    "step_writes",
    "tag_kept",
    "tag_moved",
    "tag_points_to",
    "tags_of",
    "text_is",
    "was_here",
]

ANSWER = "answer"
"""The repository whose tags are answers to questions."""

# -- names --------------------------------------------------------------------------------------------------


def image_exists(name: str) -> Check:
    """Some image has this name."""
    return Check(
        Words(f"an image is called `{name}`", f"有一个镜像叫 `{name}`"),
        Words(f"no image is called `{name}` yet", f"还没有叫 `{name}` 的镜像"),
        lambda before, now: now.id_of(name) is not None,
    )


def image_absent(name: str) -> Check:
    """No image has this name."""
    return Check(
        Words(f"no image is called `{name}`", f"没有镜像叫 `{name}`"),
        Words(f"an image is still called `{name}`", f"还有镜像叫 `{name}`"),
        lambda before, now: now.id_of(name) is None,
    )


def tag_moved(name: str) -> Check:
    """The name stood for one image and stands for another."""

    def missing(before: LabSnapshot, now: LabSnapshot) -> Words:
        if now.id_of(name) is None:
            return Words(f"no image is called `{name}` any more", f"已经没有叫 `{name}` 的镜像了")
        return Words(f"`{name}` still stands for the image it stood for", f"`{name}` 指的还是原来那个镜像")

    return Check(
        Words(f"`{name}` stands for another image than before", f"`{name}` 指向了和原来不同的镜像"),
        missing,
        lambda before, now: now.id_of(name) not in (None, before.id_of(name)),
    )


def tag_kept(name: str) -> Check:
    """The name stands for the image it stood for."""
    return Check(
        Words(f"`{name}` still stands for the same image", f"`{name}` 仍然指向原来的镜像"),
        Words(f"`{name}` no longer stands for the image it stood for", f"`{name}` 不再指向原来的镜像"),
        lambda before, now: before.id_of(name) is not None and now.id_of(name) == before.id_of(name),
    )


def tag_points_to(name: str, was: str) -> Check:
    """The name stands for the image that `was` stood for when the exercise began."""

    def missing(before: LabSnapshot, now: LabSnapshot) -> Words:
        if now.id_of(name) is None:
            return Words(f"no image is called `{name}` yet", f"还没有叫 `{name}` 的镜像")
        return Words(
            f"`{name}` stands for another image than the one that was `{was}`", f"`{name}` 指向的不是原来的 `{was}`"
        )

    return Check(
        Words(f"`{name}` is the image that `{was}` was at the start", f"`{name}` 就是开始时的 `{was}`"),
        missing,
        lambda before, now: before.id_of(was) is not None and now.id_of(name) == before.id_of(was),
    )


def same_image(one: str, other: str) -> Check:
    """Two names, one image."""

    def missing(before: LabSnapshot, now: LabSnapshot) -> Words:
        absent = next((name for name in (one, other) if now.id_of(name) is None), None)
        if absent:
            return Words(f"no image is called `{absent}` yet", f"还没有叫 `{absent}` 的镜像")
        return Words(f"`{one}` and `{other}` are two images", f"`{one}` 和 `{other}` 是两个镜像")

    return Check(
        Words(f"`{one}` and `{other}` are one image", f"`{one}` 和 `{other}` 是同一个镜像"),
        missing,
        lambda before, now: now.id_of(one) is not None and now.id_of(one) == now.id_of(other),
    )


def has_digest_name(repository: str) -> Check:
    """An image of this repository is here that has a digest for a name and no tag: pulled by digest, or left behind."""

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        return any(
            _repository(name) == repository
            for image_id in now.state.images
            if not now.state.tags(image_id)
            for name in now.state.digests(image_id)
        )

    return Check(
        Words(f"an image of `{repository}` is here under its digest, without a tag", f"有一个 `{repository}` 的镜像只有摘要，没有标签"),
        Words(f"every image of `{repository}` here has a tag, or there is none", f"`{repository}` 的镜像要么都有标签，要么一个也没有"),
        test,
    )  # fmt: skip


def pulled(name: str) -> Check:
    """Some image has this name and came from there: it has a digest in the same repository."""

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        image_id = now.id_of(name)
        repository = canonical(name).rpartition(":")[0]
        return image_id is not None and any(one.startswith(f"{repository}@") for one in now.state.digests(image_id))

    return Check(
        Words(f"`{name}` has been pulled", f"已经拉取了 `{name}`"),
        Words(f"`{name}` has not been pulled yet", f"还没有拉取 `{name}`"),
        test,
    )


def tags_of(repository: str, count: int) -> Check:
    """That many tags of a repository are here."""

    def found(now: LabSnapshot) -> int:
        return sum("@" not in name and _repository(name) == repository for name in now.state.references)

    return Check(
        Words(f"`{repository}` has {count} tags here", f"本地有 `{repository}` 的 {count} 个标签"),
        lambda before, now: Words(f"`{repository}` has {found(now)} tags here, not {count}", f"本地 `{repository}` 的标签是 {found(now)} 个，不是 {count} 个"),
        lambda before, now: found(now) == count,
    )  # fmt: skip


def _repository(name: str) -> str:
    return familiar(name).partition("@")[0].rpartition(":")[0] if "@" not in name else familiar(name).partition("@")[0]


def answered(question: Words, answer: str) -> Check:
    """A question's answer, given as a tag: any image called `answer:5`, and none with another. The answer is not said."""

    def given(now: LabSnapshot) -> list[str]:
        return [name for name in now.state.references if "@" not in name and _repository(name) == ANSWER]

    def missing(before: LabSnapshot, now: LabSnapshot) -> Words:
        if len(given(now)) > 1:
            return Words(
                "more than one answer is given: take the wrong ones away with `docker rmi`",
                "答案不止一个：用 `docker rmi` 去掉错的",
            )
        return Words(
            "no image is called `answer:` with the right answer behind it yet", "还没有镜像叫 `answer:` 加上正确答案"
        )

    return Check(question, missing, lambda before, now: given(now) == [canonical(f"{ANSWER}:{answer}")])


# -- images -------------------------------------------------------------------------------------------------


def image_deleted(was: str) -> Check:
    """The image that the name stood for at the start is gone, not only its name."""
    return Check(
        Words(f"the image that was `{was}` at the start is gone", f"开始时的 `{was}` 那个镜像已经删除"),
        Words(f"the image that was `{was}` is still here, whatever it is called", f"开始时的 `{was}` 那个镜像还在，不管它现在叫什么"),
        lambda before, now: before.id_of(was) is not None and before.id_of(was) not in now.state.images,
    )  # fmt: skip


def image_kept(was: str) -> Check:
    """The image that the name stood for at the start is still here, under whatever name or none."""
    return Check(
        Words(f"the image that was `{was}` at the start is still here", f"开始时的 `{was}` 那个镜像还在"),
        Words(f"the image that was `{was}` has been deleted", f"开始时的 `{was}` 那个镜像被删掉了"),
        lambda before, now: before.id_of(was) in now.state.images,
    )


def image_dangles(was: str) -> Check:
    """The image that the name stood for at the start is here, and dangling."""

    def missing(before: LabSnapshot, now: LabSnapshot) -> Words:
        image_id = before.id_of(was)
        if image_id not in now.state.images:
            return Words(f"the image that was `{was}` has been deleted", f"开始时的 `{was}` 那个镜像被删掉了")
        return Words(
            f"the image that was `{was}` still has a tag, or a child",
            f"开始时的 `{was}` 那个镜像还有标签，或者还有子镜像",
        )

    return Check(
        Words(f"the image that was `{was}` at the start is dangling", f"开始时的 `{was}` 那个镜像成了虚悬镜像"),
        missing,
        lambda before, now: before.id_of(was) in now.dangling,
    )  # fmt: skip


def no_dangling() -> Check:
    """No image is dangling."""
    return Check(
        Words("no image is dangling", "没有虚悬镜像"),
        lambda before, now: Words(f"dangling images are still here: {len(now.dangling)}", f"还有 {len(now.dangling)} 个虚悬镜像"),
        lambda before, now: not now.dangling,
    )  # fmt: skip


def dangling(count: int | None = None) -> Check:
    """So many images are dangling; without a number: at least one."""
    says = Words("an image is dangling", "有虚悬镜像")
    if count is not None:
        says = Words(f"{_images_are(count)} dangling", f"虚悬镜像有 {count} 个")
    return Check(
        says,
        lambda before, now: Words(f"{_images_are(len(now.dangling))} dangling", f"虚悬镜像有 {len(now.dangling)} 个"),
        lambda before, now: bool(now.dangling) if count is None else len(now.dangling) == count,
    )


def intermediate(count: int | None = None) -> Check:
    """So many images are intermediate: no reference, and a child; without a number: at least one."""
    says = Words("an image is intermediate", "有中间层镜像")
    if count is not None:
        says = Words(f"{_images_are(count)} intermediate", f"中间层镜像有 {count} 个")
    return Check(
        says,
        lambda before, now: Words(f"{_images_are(len(now.intermediate))} intermediate", f"中间层镜像有 {len(now.intermediate)} 个"),
        lambda before, now: bool(now.intermediate) if count is None else len(now.intermediate) == count,
    )  # fmt: skip


def is_platform(name: str, platform: str) -> Check:
    """The image is for that machine: `linux/arm64`."""

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        config = now.config(name)
        return config is not None and str(config.platform).startswith(platform)

    return Check(
        Words(f"`{name}` is an image for {platform}", f"`{name}` 是 {platform} 平台的镜像"),
        Words(f"`{name}` is not an image for {platform}", f"`{name}` 不是 {platform} 平台的镜像"),
        test,
    )


def _images_are(count: int) -> str:
    return "one image is" if count == 1 else f"{count or 'no'} images are"
