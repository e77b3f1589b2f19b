"""Listings of images: the tables of `images`, `history` and `system df`, and the lines of `rmi` and `image prune`.

The default tables, which is what is printed nearly always, are written without a template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple

from imagelab.oci.reference import familiar
from imagelab.output import eras
from imagelab.output.rows import NONE, Fields, render
from imagelab.output.tabwriter import columns
from imagelab.state.events import Deleted, Removal, Untagged
from imagelab.state.model import Image, State

if TYPE_CHECKING:
    from imagelab.state.reports import DiskUsage, HistoryRow, ImageUsage, PruneReport

# -- images -------------------------------------------------------------------------------------------------

IMAGE_HEADERS = {
    "ID": "IMAGE ID", "Repository": "REPOSITORY", "Tag": "TAG", "Digest": "DIGEST", "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT", "Size": "SIZE", "Containers": "CONTAINERS", "SharedSize": "SHARED SIZE",
    "UniqueSize": "UNIQUE SIZE", "VirtualSize": "SIZE",
}  # fmt: skip
IMAGE_TYPE = "*formatter.imageContext"
RAW_IMAGES = "repository: {{.Repository}}\ntag: {{.Tag}}\n%simage_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n"


class ListOptions(NamedTuple):
    """The flags of `docker images` that change how it looks."""

    quiet: bool = False
    no_trunc: bool = False
    digests: bool = False
    all: bool = False
    format: str = ""
    tree: bool = False
    reference_patterns: tuple[str, ...] = ()
    dangling: bool | None = None


class ImageRow(NamedTuple):
    """One line of the listing: an image under one of its names."""

    image: Image
    repository: str
    tag: str
    digest: str


def images(
    listed: Sequence[Image], state: State, options: ListOptions, *, era: str = "28", now: int, tz: tzinfo = UTC
) -> str:
    """`docker images`; with `quiet` one ID a row, so an image with two tags is there twice (R3.1)."""
    listed = [
        image for image in listed if not eras.hidden(state, image, era, all=options.all, dangling=options.dangling)
    ]
    collapsed = era == "29" and not (options.quiet or options.no_trunc or options.digests or options.format)
    if collapsed or options.tree:
        from imagelab.output.image_tree import tree_view

        return tree_view(listed, state, options.reference_patterns, expand=options.tree, era=era)
    rows = [row for image in listed for row in image_rows(image, state, options, era)]
    show = _shown_id(era, no_trunc=options.no_trunc)
    text = options.format
    if text in ("", "table"):
        return "".join(f"{show(row)}\n" for row in rows) if options.quiet else _image_table(rows, options, era, now)
    if text == "raw":
        text = (
            "image_id: {{.ID}}" if options.quiet else RAW_IMAGES % ("digest: {{.Digest}}\n" if options.digests else "")
        )
    elif text.startswith("table") and options.digests and "{{.Digest}}" not in text:
        text += "\t{{.Digest}}"
    fields = (_image_fields(row, show, era, now, tz) for row in rows)
    return render(text, fields, IMAGE_HEADERS, go_type=IMAGE_TYPE, minimum=eras.minimum_width(era))


def image_rows(image: Image, state: State, options: ListOptions, era: str) -> list[ImageRow]:
    """One row a tag; with digests one for each tag and digest of its repository (R3.4, R3.6)."""
    names = eras.names(state, image, era)
    if not names:
        return [ImageRow(image, NONE, NONE, NONE)]
    if options.reference_patterns and names:
        from imagelab.state.image_filters import matching_names

        names = matching_names(names, options.reference_patterns)
    tags: dict[str, list[str]] = {}
    digests: dict[str, list[str]] = {}
    for name in names:
        repository, suffix = _split(name)
        (digests if suffix.startswith("sha256:") else tags).setdefault(repository, []).append(suffix)
    if not tags and not digests:
        return [ImageRow(image, NONE, NONE, NONE)]
    wanted = options.digests or "{{.Digest}}" in options.format
    rows = []
    for repository, found_tags in tags.items():
        beside = digests.pop(repository, []) if wanted else digests.pop(repository, []) and []
        rows += [ImageRow(image, repository, tag, digest) for tag in found_tags for digest in beside or [NONE]]
    for repository, alone in digests.items():
        rows += [ImageRow(image, repository, NONE, digest) for digest in (alone if options.digests else [""])]
    return rows


def _split(name: str) -> tuple[str, str]:
    """A canonical reference -> familiar repository, and its tag or digest."""
    tagged, _, digest = name.partition("@")
    repository, colon, tag = tagged.rpartition(":")
    if not colon or "/" in tag:  # the colon was a port's
        repository, tag = tagged, ""
    return familiar(repository), digest or tag


def _shown_id(era: str, *, no_trunc: bool) -> Callable[[ImageRow], str]:
    def show(row: ImageRow) -> str:
        digest = eras.image_id(row.image, era)
        return digest if no_trunc else digest.short

    return show


def _image_table(rows: Sequence[ImageRow], options: ListOptions, era: str, now: int) -> str:
    show = _shown_id(era, no_trunc=options.no_trunc)
    header = ["REPOSITORY", "TAG", *(["DIGEST"] if options.digests else []), "IMAGE ID", "CREATED", "SIZE"]
    lines = ["\t".join(header)]
    for row in rows:
        digest = [row.digest] if options.digests else []
        cells = [row.repository, row.tag, *digest, show(row), eras.ago(row.image.created, now, era)]
        lines.append("\t".join([*cells, eras.size(shown_size(row.image, era), era)]))
    return columns(lines, minimum=eras.minimum_width(era))


def shown_size(image: Image, era: str) -> int:
    """SIZE in bytes: unpacked; in 29 with the compressed blobs (R3.13, R3.38)."""
    return image.size + image.content_size if era == "29" else image.size


def _image_fields(row: ImageRow, show: Callable[[ImageRow], str], era: str, now: int, tz: tzinfo) -> Fields:
    from imagelab.units import go_time

    image = row.image
    count = shown_size(image, era)
    fields: dict[str, Callable[[], Any]] = {
        "ID": lambda: str(show(row)), "Repository": lambda: row.repository, "Tag": lambda: row.tag,
        "Digest": lambda: row.digest, "CreatedSince": lambda: eras.ago(image.created, now, era),
        "CreatedAt": lambda: go_time(image.created, tz), "Size": lambda: eras.size(count, era),
        "Containers": lambda: "N/A", "SharedSize": lambda: "N/A", "UniqueSize": lambda: "N/A",
    }  # fmt: skip
    if era != "29":
        fields["VirtualSize"] = lambda: eras.size(count, era, digits=4)
    return fields


# -- history ------------------------------------------------------------------------------------------------

HISTORY_HEADERS = {
    "ID": "IMAGE", "CreatedSince": "CREATED", "CreatedAt": "CREATED AT", "CreatedBy": "CREATED BY", "Size": "SIZE",
    "Comment": "COMMENT",
}  # fmt: skip
OLDEST = 946_684_800_000_000_000
"""2000-01-01: what is older has no date worth showing (R6.42)."""


def history(
    rows: Sequence[HistoryRow], *, quiet: bool = False, no_trunc: bool = False, human: bool = True, format: str = "",
    era: str = "28", now: int, tz: tzinfo = UTC,
) -> str:  # fmt: skip
    """`docker history` (R6.39-R6.42)."""
    fields = [_history_fields(row, no_trunc=no_trunc, human=human, era=era, now=now, tz=tz) for row in rows]
    if quiet:
        return "".join(f"{row['ID']()}\n" for row in fields)
    if format in ("", "table"):
        created = "{{.CreatedSince}}" if human else "{{.CreatedAt}}"
        format = f"table {{{{.ID}}}}\t{created}\t{{{{.CreatedBy}}}}\t{{{{.Size}}}}\t{{{{.Comment}}}}"
    minimum = eras.minimum_width(era)
    return render(format, fields, HISTORY_HEADERS, go_type="*image.historyContext", minimum=minimum)


def _history_fields(row: HistoryRow, *, no_trunc: bool, human: bool, era: str, now: int, tz: tzinfo) -> Fields:
    from imagelab.units import rfc3339

    created_by = row.created_by.replace("\t", " ")
    shown = "<missing>" if row.id is None else str(row.id) if no_trunc else row.id.short
    return {
        "ID": lambda: shown,
        "CreatedSince": lambda: eras.ago(row.created, now, era) if row.created > OLDEST else "N/A",
        "CreatedAt": lambda: rfc3339(row.created, tz, fraction=False) if row.created > OLDEST else "N/A",
        "CreatedBy": lambda: created_by if no_trunc else _shortened(created_by, era),
        "Size": lambda: eras.size(row.size, era) if human else str(row.size),
        "Comment": lambda: row.comment,
    }


def _shortened(text: str, era: str) -> str:
    """45 wide: an ellipsis today, three dots in 1.13."""
    if len(text) <= 45:
        return text
    return text[:42] + "..." if era == "1.13" else text[:44] + "…"


# -- system df ----------------------------------------------------------------------------------------------

USAGE_HEADERS = {
    "Type": "TYPE", "TotalCount": "TOTAL", "Active": "ACTIVE", "Size": "SIZE", "Reclaimable": "RECLAIMABLE",
}  # fmt: skip
_VERBOSE = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}"


def disk_usage(
    usage: DiskUsage, state: State, *, verbose: bool = False, format: str = "", era: str = "28", now: int,
    tz: tzinfo = UTC,
) -> str:  # fmt: skip
    """`docker system df` (R6.53-R6.57)."""
    if verbose:
        return _verbose_usage(usage, state, format, era, now, tz)
    text = format or "table"
    if text == "table":
        text = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"
    rows = [_usage_fields(*row, era) for row in _usage_rows(usage, era)]
    minimum = eras.minimum_width(era)
    return render(text, rows, USAGE_HEADERS, go_type="*formatter.diskUsageImagesContext", minimum=minimum)


def _usage_rows(usage: DiskUsage, era: str) -> list[tuple[str, int, int, int, int | None]]:
    active = sum(1 for row in usage.images if row.containers)
    total, reclaimable = usage.layers_size, usage.reclaimable
    if era == "29":
        total += sum(row.image.content_size for row in usage.images)
        reclaimable = sum(row.unique + row.image.content_size for row in usage.images if not row.containers)
    idle = sum(container.size for container in usage.containers if not container.running)
    running = sum(container.running for container in usage.containers)
    rows: list[tuple[str, int, int, int, int | None]] = [
        ("Images", len(usage.images), active, total, reclaimable),
        ("Containers", len(usage.containers), running, sum(c.size for c in usage.containers), idle),
        ("Local Volumes", 0, 0, 0, 0),
    ]
    return rows if era == "1.13" else [*rows, ("Build Cache", 0, 0, 0, None)]


def _usage_fields(kind: str, total: int, active: int, count: int, reclaimable: int | None, era: str) -> Fields:
    def share() -> str:
        text = eras.size(reclaimable or 0, era, digits=4)
        return f"{text} ({(reclaimable or 0) * 100 // count}%)" if count and reclaimable is not None else text

    return {
        "Type": lambda: kind, "TotalCount": lambda: str(total), "Active": lambda: str(active),
        "Size": lambda: eras.size(count, era, digits=4), "Reclaimable": share,
    }  # fmt: skip


def _verbose_usage(usage: DiskUsage, state: State, format: str, era: str, now: int, tz: tzinfo) -> str:
    from imagelab.output.containers import disk

    rows = [_usage_image(row, state, era, now, tz) for row in usage.images]
    if format:
        plain = [{key: get() for key, get in row.items()} for row in rows]
        data = {"Images": plain, "Containers": [], "Volumes": [], "BuildCache": []}
        if format == "json":
            import json

            return json.dumps(data, separators=(",", ":"), ensure_ascii=False) + "\n"
        from imagelab.gotemplate.template import Template

        return Template.parse(format).execute(data) + "\n"
    minimum = eras.minimum_width(era)
    table = render(f"table {_VERBOSE}", rows, IMAGE_HEADERS, go_type=IMAGE_TYPE, minimum=minimum)
    containers = disk(usage.containers, state, era=era, now=now, tz=tz)
    volumes = columns(["VOLUME NAME\tLINKS\tSIZE"], minimum=minimum)
    text = f"Images space usage:\n\n{table}\nContainers space usage:\n\n{containers}"
    text += f"\nLocal Volumes space usage:\n\n{volumes}"
    if era == "1.13":
        return text
    cache = columns(["CACHE ID\tCACHE TYPE\tSIZE\tCREATED\tLAST USED\tUSAGE\tSHARED"], minimum=minimum)
    return f"{text}\nBuild cache usage: 0B\n\n{cache}"


def _usage_image(row: ImageUsage, state: State, era: str, now: int, tz: tzinfo) -> Fields:
    """An image's line of `-v`: only its first tag, and no digest reference (R6.56)."""
    tags = [_split(tag) for tag in state.tags(row.image.id)]
    first = ImageRow(row.image, *(tags[0] if tags else (NONE, NONE)), NONE)
    fields = dict(_image_fields(first, _shown_id(era, no_trunc=False), era, now, tz))
    return fields | {
        "SharedSize": lambda: eras.size(row.shared, era, digits=4),
        "UniqueSize": lambda: eras.size(row.unique, era, digits=4),
        "Containers": lambda: str(row.containers),
    }


# -- the rest -----------------------------------------------------------------------------------------------


def removals(removed: Iterable[Removal]) -> str:
    """`Untagged:` and `Deleted:` lines (R5.1)."""
    return "".join(_removal(item, "Untagged", "Deleted") for item in removed)


def prune(report: PruneReport, removed: Sequence[Removal]) -> str:
    """What `image prune` prints after the question (R5.18)."""
    return deleted(removed) + f"Total reclaimed space: {eras.size(report.reclaimed, '28', digits=4)}\n"


def deleted(removed: Sequence[Removal]) -> str:
    """What a prune says of the images that went."""
    lines = "".join(_removal(item, "untagged", "deleted") for item in removed)
    return f"Deleted Images:\n{lines}\n" if lines else ""


def _removal(item: Removal, untagged: str, deleted: str) -> str:
    match item:
        case Untagged(reference):
            return f"{untagged}: {reference}\n"
        case Deleted(digest):
            return f"{deleted}: {digest}\n"
