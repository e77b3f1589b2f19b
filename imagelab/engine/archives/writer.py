"""Images as one file: what `docker save` writes (R6.44-R6.47).

    1.13    <v1 id>/{VERSION,json,layer.tar}    <image id>.json       manifest.json    repositories
    28      blobs/sha256/<hex>                  index.json            manifest.json    oci-layout    repositories
    29      blobs/sha256/<hex>                  index.json            manifest.json    oci-layout

All three hold the same things: each layer, each config, and a list that says which belong together and what they are
called. The first two unpack the layers, so a layer's file is named by its *diff ID*; Docker 29 keeps the bytes as they
came from the registry, so it is named by the *blob's digest*, and the image loads with the digest it was pulled by.

An archive is planned first (its files by name, and where the bytes of each come from), then sorted, then streamed: the
same images give the same bytes, nothing is whole in memory, and the lists come after what they list. Every layer is
hashed on its way out, so that damage on the disk does not travel on.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imagelab.engine.archives.docker_v1 import v1_layers
from imagelab.errors import ImageLabError, StoreError
from imagelab.layers.compression import Inflater
from imagelab.oci.digest import Digest
from imagelab.oci.documents import (
    INDEX_TYPES,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    decode,
)
from imagelab.oci.reference import Reference, familiar

if TYPE_CHECKING:
    from imagelab.engine.archives.names import Chosen
    from imagelab.state.model import Image, Layer
    from imagelab.store.store import Store

PIECE = 1 << 20
LAYOUT = {"imageLayoutVersion": "1.0.0"}
SECOND = 10**9

Pieces = Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class File:
    """One entry of the archive to be. `when`: seconds since 1970; `link`: it is a link to that name."""

    size: int
    pieces: Pieces
    when: int = 0
    kind: bytes = tarfile.REGTYPE
    link: str = ""


def save(store: Store, chosen: Iterable[Chosen], era: str, *, platform_only: bool = False) -> Iterator[bytes]:
    """The archive, piece by piece, in the layout of an era. `platform_only`: a manifest without the index around it.

    StoreError, in the middle of it, when the lab's own bytes are damaged.
    """
    with store.lease():
        plan = _Plan(store, list(chosen), platform_only=platform_only)
        {"1.13": plan.directories, "28": plan.unpacked, "29": plan.as_pulled}[era]()
        for name, file in sorted(plan.files.items()):
            yield _header(name, file)
            yield from file.pieces()
            yield bytes(-file.size % tarfile.BLOCKSIZE)
        yield bytes(2 * tarfile.BLOCKSIZE)


class _Plan:
    """The files of one archive by name; who is there first stays."""

    def __init__(self, store: Store, chosen: list[Chosen], *, platform_only: bool) -> None:
        self.store, self.chosen, self.state = store, chosen, store.state()
        self.files: dict[str, File] = {}
        self._alone = platform_only

    # -- the three layouts ----------------------------------------------------------------------------------

    def directories(self) -> None:
        """Docker 1.13 to 24: a directory for each layer, named by an ID that only this format has (R6.45)."""
        items, repositories = [], dict[str, dict[str, str]]()
        first: dict[Digest, str] = {}
        for choice in self.chosen:
            when, folders = choice.image.created // SECOND, []
            layers = self._layers(choice.image)
            described = v1_layers(self.store.config(choice.image.id), choice.image.layers)
            for (v1_id, text), layer in zip(described, layers, strict=True):
                self._directory(f"{v1_id}/", when)
                self._data(f"{v1_id}/VERSION", b"1.0", when)
                self._data(f"{v1_id}/json", text, when)
                there = first.setdefault(layer.diff_id, v1_id)
                if there == v1_id:
                    self._layer(f"{v1_id}/layer.tar", layer, when)
                else:
                    self._put(f"{v1_id}/layer.tar", File(0, tuple, when, tarfile.SYMTYPE, f"../{there}/layer.tar"))
                folders.append(f"{v1_id}/layer.tar")
            self._data(f"{choice.image.id.hex}.json", self.store.read_blob(choice.image.id), when)
            items.append(self._item(choice, f"{choice.image.id.hex}.json", folders))
            _note(repositories, choice, described[-1][0] if described else "")
        self._lists(items, repositories)

    def unpacked(self) -> None:
        """Docker 25 to 28: an OCI layout whose layers are plain tars, and the old lists beside it (R6.46)."""
        items, repositories, entries = [], dict[str, dict[str, str]](), []
        for choice in self.chosen:
            when, layers = choice.image.created // SECOND, []
            for layer in self._layers(choice.image):
                self._layer(_blob(layer.diff_id), layer, when)
                layers.append(Descriptor(OCI_LAYER, layer.diff_id, self.files[_blob(layer.diff_id)].size))
            described = v1_layers(self.store.config(choice.image.id), choice.image.layers)
            for _, text in described:
                self._data(_blob(Digest.of(text)), text, when)
            config = self.store.read_blob(choice.image.id)
            self._data(_blob(choice.image.id), config, when)
            manifest = manifest_of(Descriptor(OCI_CONFIG, choice.image.id, len(config)), layers)
            self._data(_blob(Digest.of(manifest)), manifest)
            entries += _entries(choice, Descriptor(OCI_MANIFEST, Digest.of(manifest), len(manifest)))
            sources = {str(layer.digest): layer.to_json() for layer in sorted(layers, key=lambda layer: layer.digest)}
            item = self._item(choice, _blob(choice.image.id), [_blob(layer.digest) for layer in layers])
            items.append(item | ({"LayerSources": sources} if sources else {}))
            _note(repositories, choice, layers[-1].digest.hex if layers else "")
        self._lists(items, repositories)
        self._layout(entries)

    def as_pulled(self) -> None:
        """Docker 29: the blobs as they are in the content store, index and all (R6.47)."""
        items, entries = [], []
        for choice in self.chosen:
            target, manifest = self._target(choice.image)
            when = choice.image.created // SECOND
            for data in (target, manifest.raw, self.store.read_blob(choice.image.id)):
                self._data(_blob(Digest.of(data)), data, when)
            for layer in manifest.layers:
                self._put(_blob(layer.digest), File(layer.size, self._compressed(layer.digest), when))
            entries += _entries(choice, Descriptor(_kind(target), Digest.of(target), len(target)))
            items.append(self._item(choice, _blob(choice.image.id), [_blob(layer.digest) for layer in manifest.layers]))
        self._lists(items, {})
        self._layout(entries)

    # -- what they share ------------------------------------------------------------------------------------

    def _layers(self, image: Image) -> list[Layer]:
        return [self.state.layers[chain_id] for chain_id in image.layers]

    def _target(self, image: Image) -> tuple[bytes, Manifest]:
        """What an image is known by, and its own manifest.

        A lab keeps a layer once, however it is compressed. So the manifest an image came with may list a blob that was never
        kept; the image then leaves under a manifest that lists those that are here.
        """
        here = [digest for _, digest, present in image.children_platforms if present]
        for digest in [*here, image.target]:
            if not self.store.has_blob(digest):
                continue
            raw = self.store.read_blob(digest)
            if _kind(raw) in INDEX_TYPES:
                continue
            manifest = Manifest.parse(raw)
            if manifest.config.digest == image.id and all(
                self.store.has_blob(layer.digest) for layer in manifest.layers
            ):
                return (raw if self._alone else self.store.read_blob(image.target)), manifest
        blobs = [Descriptor(layer.media_type, layer.blob, layer.blob_size) for layer in self._layers(image)]
        raw = manifest_of(Descriptor(OCI_CONFIG, image.id, len(self.store.read_blob(image.id))), blobs)
        return raw, Manifest.parse(raw)

    def _item(self, choice: Chosen, config: str, layers: list[str]) -> dict[str, Any]:
        """An image in `manifest.json`; its parent only when that is saved as well (R6.38)."""
        tags, parent = [familiar(tag) for tag in choice.tags], choice.image.parent
        item: dict[str, Any] = {"Config": config, "RepoTags": tags or None, "Layers": layers or None}
        return item | (
            {"Parent": str(parent)} if any(parent == parent_choice.image.id for parent_choice in self.chosen) else {}
        )

    def _lists(self, items: list[dict[str, Any]], repositories: dict[str, dict[str, str]]) -> None:
        self._data("manifest.json", _json(items) + b"\n")
        if repositories:
            self._data(
                "repositories",
                _json({name: dict(sorted(tags.items())) for name, tags in sorted(repositories.items())}) + b"\n",
            )

    def _layout(self, entries: list[dict[str, Any]]) -> None:
        self._directory("blobs/")
        self._directory("blobs/sha256/")
        self._data("index.json", _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}))
        self._data("oci-layout", _json(LAYOUT))

    # -- files ----------------------------------------------------------------------------------------------

    def _put(self, name: str, file: File) -> None:
        self.files.setdefault(name, file)

    def _data(self, name: str, data: bytes, when: int = 0) -> None:
        self._put(name, File(len(data), lambda: [data], when))

    def _directory(self, name: str, when: int = 0) -> None:
        self._put(name, File(0, tuple, when, tarfile.DIRTYPE))

    def _layer(self, name: str, layer: Layer, when: int) -> None:
        index = self.store.layer_index(layer.blob) or self.store.index_of(layer.diff_id)
        self._put(name, File(index.tar_size, lambda: _checked(self._plain(layer.blob), layer.diff_id), when))

    def _plain(self, blob: Digest) -> Iterator[bytes]:
        inflater = Inflater()
        for piece in self._pieces(blob):
            yield from inflater.feed(piece)
        yield from inflater.finish()

    def _compressed(self, blob: Digest) -> Pieces:
        return lambda: _checked(self._pieces(blob), blob)

    def _pieces(self, blob: Digest) -> Iterator[bytes]:
        with self.store.open_blob(blob) as file:
            yield from iter(lambda: file.read(PIECE), b"")


def _checked(pieces: Iterable[bytes], expected: Digest) -> Iterator[bytes]:
    """The pieces; StoreError when they are not what they are called."""
    hashed = hashlib.sha256()
    try:
        for piece in pieces:
            hashed.update(piece)
            yield piece
    except ImageLabError as error:
        raise _damaged(expected) from error
    if "sha256:" + hashed.hexdigest() != expected:
        raise _damaged(expected)


def _damaged(digest: Digest) -> StoreError:
    return StoreError(
        f"layer {digest.short} is damaged, and the archive is not complete", hint="imagelab doctor lists all damage"
    )


def _header(name: str, file: File) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.type, info.linkname = file.size, max(file.when, 0), file.kind, file.link
    info.mode = {tarfile.DIRTYPE: 0o755, tarfile.SYMTYPE: 0o777}.get(file.kind, 0o644)
    return info.tobuf(tarfile.PAX_FORMAT)


def _blob(digest: Digest) -> str:
    return f"blobs/sha256/{digest.hex}"


def _json(data: Any) -> bytes:
    """JSON in the order given: Docker writes the fields of a struct as they are declared."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _kind(raw: bytes) -> str:
    """The media type of a manifest or index, as it says of itself, or by what it has."""
    data = decode(raw, "manifest")
    return str(data.get("mediaType") or (OCI_INDEX if "manifests" in data else OCI_MANIFEST))


def manifest_of(config: Descriptor, layers: Iterable[Descriptor]) -> bytes:
    """A manifest for an image that came without."""
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config.to_json(),
            "layers": [layer.to_json() for layer in layers],
        }
    )


def _entries(choice: Chosen, target: Descriptor) -> list[dict[str, Any]]:
    """One descriptor in `index.json` for each tag; an image without any stands there once."""
    named = [
        {"io.containerd.image.name": tag, "org.opencontainers.image.ref.name": tag.rpartition(":")[2]}
        for tag in choice.tags
    ]
    return [target.to_json() | {"annotations": annotations} for annotations in named] or [target.to_json()]


def _note(repositories: dict[str, dict[str, str]], choice: Chosen, top: str) -> None:
    for tag in choice.tags:
        reference = Reference.canonical(tag)
        repositories.setdefault(reference.familiar_name(), {})[str(reference.tag)] = top
