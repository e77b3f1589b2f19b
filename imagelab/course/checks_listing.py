"""Checks of the whole of what is here: a listing, and nothing else; what is gone, by whatever name; what nobody touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from imagelab.course.bilingual import Words
from imagelab.course.check import Check
from imagelab.course.lab_snapshot import LabSnapshot, canonical
from imagelab.oci.digest import Digest
from imagelab.oci.reference import familiar


def _quoted(names: Iterable[str]) -> Words:
    quoted = [f"`{name}`" for name in names]
    return Words(", ".join(quoted), "、".join(quoted))


def only_images(*names: str) -> Check:
    """These images under these names, each the one that had the name at the start if there was one; and no other image,
    named or not. Without a name: no image at all."""
    listed = _quoted(names)

    def wanted(before: LabSnapshot, now: LabSnapshot) -> list[Digest | None]:
        return [before.id_of(name) or now.id_of(name) for name in names]

    def lost(before: LabSnapshot, now: LabSnapshot) -> list[str]:
        pairs = zip(names, wanted(before, now), strict=True)
        return [name for name, image_id in pairs if image_id is None or now.id_of(name) != image_id]

    def extra(before: LabSnapshot, now: LabSnapshot) -> int:
        return len(now.state.images.keys() - set(wanted(before, now)))

    def missing(before: LabSnapshot, now: LabSnapshot) -> Words:
        if absent := lost(before, now):
            gone = _quoted(absent)
            return Words(f"not here as it was: {gone.en}", f"不再是原样：{gone.zh}")
        count = extra(before, now)
        return Words(f"{count} image{'' if count == 1 else 's'} too many", f"多了 {count} 个镜像")

    return Check(
        Words(f"no images are here but {listed.en}", f"除了 {listed.zh} 没有别的镜像")
        if names
        else Words("no image is here", "没有任何镜像"),
        missing,
        lambda before, now: not lost(before, now) and not extra(before, now),
    )


def listing_is(*names: str, dangling: tuple[str, ...] = ()) -> Check:
    """`docker images` lists these tags, the dangling images that had those names at the start, and no other row."""
    shown = _quoted(names)

    def extra(before: LabSnapshot, now: LabSnapshot) -> list[str]:
        tags = {name for name in now.state.references if "@" not in name}
        return [familiar(name) for name in sorted(tags - {canonical(name) for name in names})]

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        expected = {now.id_of(name) for name in names} | {before.id_of(name) for name in dangling}
        return not extra(before, now) and now.state.images.keys() == expected

    def missing(before: LabSnapshot, now: LabSnapshot) -> Words:
        more = _quoted(extra(before, now))
        if more.en:
            return Words(f"a row too many: {more.en}", f"多了这样的行：{more.zh}")
        return Words("the listing has a row too many, or one too few", "列表里多了一行，或者少了一行")

    return Check(
        Words(f"the listing has {shown.en} and no other name", f"列表里有 {shown.zh}，没有别的名字"), missing, test
    )


# -- gone, and kept -----------------------------------------------------------------------------------------


def dangling_gone() -> Check:
    """Every image that was dangling at the start is gone, whatever it was called meanwhile; and none dangles now."""
    return _gone(
        lambda before: before.dangling,
        Words("the images that were dangling at the start are gone", "开始时的虚悬镜像都已经删除"),
    )


def intermediate_gone() -> Check:
    """Every image that had no name and a child at the start is gone."""
    return _gone(
        lambda before: before.intermediate,
        Words("the image that had no name at the start is gone", "开始时那个没有名字的镜像已经删除"),
    )


def _gone(which: Callable[[LabSnapshot], tuple[Digest, ...]], says: Words) -> Check:
    def left(before: LabSnapshot, now: LabSnapshot) -> int:
        return sum(image_id in now.state.images for image_id in which(before))

    return Check(
        says,
        lambda before, now: Words(
            f"still here of those that were to go, whatever they are called: {left(before, now)}",
            f"该删的还剩 {left(before, now)} 个，不管它们现在叫什么",
        ),
        lambda before, now: not left(before, now),
    )


def others_kept() -> Check:
    """Every image that was not dangling at the start is still here, under all its names."""

    def lost(before: LabSnapshot, now: LabSnapshot) -> list[str]:
        names = before.state.references.items()
        return [
            familiar(name) for name, image_id in names if "@" not in name and now.state.references.get(name) != image_id
        ]

    def test(before: LabSnapshot, now: LabSnapshot) -> bool:
        kept = before.state.images.keys() - set(before.dangling)
        return not lost(before, now) and kept <= now.state.images.keys()

    def missing(before: LabSnapshot, now: LabSnapshot) -> Words:
        gone = _quoted(lost(before, now))
        if gone.en:
            return Words(f"not here as it was: {gone.en}", f"不再是原样：{gone.zh}")
        return Words("an image that another one stands on has gone", "有一个被别的镜像踩着的镜像没了")

    return Check(Words("every other image is still here, under its names", "其他镜像都还在，名字也没变"), missing, test)


def image_intermediate(was: str) -> Check:
    """The image that the name stood for at the start is here, without a name and with a child."""

    def missing(before: LabSnapshot, now: LabSnapshot) -> Words:
        if before.id_of(was) not in now.state.images:
            return Words(f"the image that was `{was}` has been deleted", f"开始时的 `{was}` 那个镜像被删掉了")
        return Words(
            f"the image that was `{was}` still has a name, or no child",
            f"开始时的 `{was}` 那个镜像还有名字，或者没有子镜像",
        )

    return Check(
        Words(f"the image that was `{was}` at the start is intermediate", f"开始时的 `{was}` 那个镜像成了中间层镜像"),
        missing,
        lambda before, now: before.id_of(was) in now.intermediate,
    )
