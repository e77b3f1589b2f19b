"""What an archive says it holds, in one of two lists: as `Item`s, every digest of them checked.

    manifest.json    Docker's own: [{"Config": …, "RepoTags": […], "Layers": […], "Parent": …}]      files by any name
    index.json       an OCI layout: descriptors -> manifests (or indexes of them) -> config, layers   files by digest

Where there are both, `manifest.json` says which images there are, and the layout adds the manifest each is known by. An
archive of Docker 25 to 27 has a layout whose manifests list no layers; that half of it is then passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imagelab.engine.archives.file import NOT_ONE
from imagelab.engine.pull import candidates
from imagelab.errors import ArchiveError, DigestMismatchError, ManifestError, ReferenceSyntaxError
from imagelab.oci.digest import Digest
from imagelab.oci.documents import (
    INDEX_TYPES,
    Descriptor,
    ImageConfig,
    Index,
    Manifest,
    Platform,
    normalize_platform,
    parsed,
)
from imagelab.oci.reference import Reference

if TYPE_CHECKING:
    from imagelab.engine.archives.file import ArchiveFile

DAMAGED = "the archive is damaged, or was changed after it was made"


@dataclass(frozen=True, slots=True)
class Known:
    """What an image was known by where it comes from: a manifest, alone or in an index."""

    target: Descriptor
    raw: bytes
    own: Descriptor
    manifest: Manifest
    index: Index | None


@dataclass(frozen=True, slots=True)
class Item:
    """One image: its config, the names of its layers' files, its tags (canonical), and its parent's ID if it has one here."""

    config: ImageConfig
    layers: tuple[str, ...]
    tags: tuple[str, ...]
    parent: str = ""
    known: Known | None = None


def items(archive: ArchiveFile, host: Platform, wanted: Platform | None = None) -> list[Item]:
    """The images of an archive; of an index's platforms the one that `host` runs best, or the `wanted` one.

    ArchiveError, ManifestError, DigestMismatchError.
    """
    layout = list(_layout(archive, wanted or host, strict=wanted is not None)) if "index.json" in archive else []
    if "manifest.json" in archive:
        listed = [
            _completed(_docker(archive, entry), layout)
            for entry in _list(_json(archive, "manifest.json"), "manifest.json")
        ]
    elif "index.json" in archive:
        listed = layout
    else:
        raise ArchiveError("invalid archive: does not contain a manifest.json", hint=NOT_ONE)
    if wanted is not None:
        listed = _of_platform([*listed, *layout], wanted)
    for item in listed:
        _check(item)
    joined = _joined(listed)
    _refuse_shared_names(joined)
    return joined


# -- Docker's list ------------------------------------------------------------------------------------------


def _docker(archive: ArchiveFile, data: object) -> Item:
    match data:
        case {"Config": str(config), **rest}:
            layers, tags = rest.get("Layers") or [], rest.get("RepoTags") or []
            if (
                isinstance(layers, list)
                and isinstance(tags, list)
                and all(isinstance(word, str) for word in [*layers, *tags])
            ):
                raw = archive.small(config)
                _check_name(config, raw)
                return Item(
                    ImageConfig.parse(raw), tuple(layers), tuple(map(_tag, tags)), str(rest.get("Parent") or "")
                )
    raise ArchiveError("invalid manifest: an image has Config, RepoTags and Layers", hint=DAMAGED)


def _check_name(name: str, raw: bytes) -> None:
    """A file in `blobs/` is called by its digest, and must have it."""
    if name.startswith("blobs/sha256/") and Digest.of(raw).hex != name.rpartition("/")[2]:
        raise _mismatch(name.rpartition("/")[2], Digest.of(raw))


def _tag(text: str) -> str:
    try:
        reference = Reference.parse(text)
    except ReferenceSyntaxError as error:
        raise ArchiveError(f'invalid tag "{text}": {error}', hint=DAMAGED) from None
    if not reference.tag or reference.digest:
        raise ArchiveError(f'invalid tag "{text}"', hint=DAMAGED)
    return str(reference)


def _completed(item: Item, layout: list[Item]) -> Item:
    same = [
        candidate
        for candidate in layout
        if candidate.config.id == item.config.id and len(candidate.layers) == len(item.layers)
    ]
    return replace(item, known=same[0].known) if same else item


# -- an OCI layout ------------------------------------------------------------------------------------------


def _layout(archive: ArchiveFile, platform: Platform, *, strict: bool) -> Iterator[Item]:
    data = _json(archive, "index.json")
    for entry in _list(data.get("manifests") if isinstance(data, dict) else None, "index.json"):
        target = Descriptor.parse(entry)
        raw = _blob(archive, target)
        for own, manifest, index in _manifests(archive, target, raw, platform, strict=strict):
            config = ImageConfig.parse(_blob(archive, manifest.config))
            names = tuple(f"blobs/sha256/{layer.digest.hex}" for layer in manifest.layers)
            yield Item(config, names, _names(target), known=Known(target, raw, own, manifest, index))


def _manifests(
    archive: ArchiveFile, target: Descriptor, raw: bytes, platform: Platform, *, strict: bool
) -> Iterator[tuple[Descriptor, Manifest, Index | None]]:
    """The manifest that a descriptor leads to: itself, or the best of an index that is here."""
    if target.media_type not in INDEX_TYPES:
        yield target, Manifest.parse(raw, target.media_type), None
        return
    index = Index.parse(raw, target.media_type)
    here = replace(
        index,
        manifests=tuple(
            descriptor
            for descriptor in index.manifests
            if _file(descriptor.digest) in archive and not _attests(descriptor)
        ),
    )
    best = candidates(here, platform) or ([] if strict else list(here.manifests))
    for entry in best[:1]:
        for own, manifest, _ in _manifests(archive, entry, _blob(archive, entry), platform, strict=strict):
            yield own, manifest, index


def _attests(entry: Descriptor) -> bool:
    """Says something about another manifest, and is no image (R7.13)."""
    return entry.platform is not None and entry.platform.os == "unknown"


def _file(digest: Digest) -> str:
    return f"blobs/sha256/{digest.hex}"


def _blob(archive: ArchiveFile, descriptor: Descriptor) -> bytes:
    raw = archive.small(_file(descriptor.digest))
    if Digest.of(raw) != descriptor.digest:
        raise _mismatch(descriptor.digest.hex, Digest.of(raw))
    check_size(descriptor, len(raw))
    return raw


def check_size(descriptor: Descriptor, size: int) -> None:
    """A descriptor says how long its bytes are; DigestMismatchError when they are not."""
    if descriptor.size != size:
        raise DigestMismatchError(
            f"the descriptor of blob {descriptor.digest} says {descriptor.size} bytes, it has {size}", hint=DAMAGED
        )


def _mismatch(name: str, actual: Digest) -> DigestMismatchError:
    return DigestMismatchError(f"blob sha256:{name} has the digest {actual}", hint=DAMAGED)


def _names(entry: Descriptor) -> tuple[str, ...]:
    """The image's name, if an annotation is one: podman writes whole names where Docker writes a tag."""
    name = (
        entry.annotations.get("io.containerd.image.name")
        or entry.annotations.get("org.opencontainers.image.ref.name")
        or ""
    )
    try:
        reference = Reference.parse(name) if ":" in name or "/" in name else None
    except ReferenceSyntaxError:
        return ()
    return (str(reference.with_default_tag()),) if reference is not None and not reference.digest else ()


# -- all of them --------------------------------------------------------------------------------------------


def _check(item: Item) -> None:
    if len(item.layers) != len(item.config.diff_ids):
        expected, got = len(item.layers), len(item.config.diff_ids)
        raise ArchiveError(f"invalid manifest, layers length mismatch: expected {expected}, got {got}", hint=DAMAGED)
    if len(item.layers) > 125:
        raise ManifestError("max depth exceeded")  # R7.6


def _of_platform(listed: list[Item], wanted: Platform) -> list[Item]:
    same = [item for item in listed if normalize_platform(item.config.platform) == normalize_platform(wanted)]
    if not same:
        have = ", ".join(sorted({str(item.config.platform) for item in listed}))
        raise ArchiveError(
            f"requested platform ({wanted}) not found", hint=f"the archive holds {have}" if have else "it is empty"
        )
    return same


def _joined(listed: list[Item]) -> list[Item]:
    """A layout has one entry for each tag; an image comes out once, with all of them."""
    images: dict[Digest, Item] = {}
    for item in listed:
        before = images.get(item.config.id)
        tags = tuple(dict.fromkeys([*before.tags, *item.tags])) if before else item.tags
        images[item.config.id] = replace(before or item, tags=tags)
    return list(images.values())


def _refuse_shared_names(listed: list[Item]) -> None:
    """Which of two images a name would stand for afterwards would be left to chance."""
    owners: dict[str, Digest] = {}
    for item in listed:
        for tag in item.tags:
            owner = owners.setdefault(tag, item.config.id)
            if owner != item.config.id:
                raise ArchiveError(
                    f"the archive has two images called {tag}: {owner.short} and {item.config.id.short}", hint=DAMAGED
                )


def _json(archive: ArchiveFile, name: str) -> object:
    try:
        return parsed(archive.small(name))
    except (ValueError, RecursionError):
        raise ArchiveError(f"{name} is not JSON", hint=DAMAGED) from None


def _list(data: object, name: str) -> list[object]:
    if not isinstance(data, list):
        raise ArchiveError(f"invalid manifest: {name} is no list of images", hint=DAMAGED)
    return data
