"""Images out of one file: `docker load` (R6.48).

    the file -> a table of names -> a list of images -> their layers, one pass each -> one transaction, the names last

Nothing an archive says is believed. A config's digest is the image's ID, whatever its file is called; a layer is hashed,
unpacked and hashed again, and must be the one that the config names; a file of a layout must have the digest it is called
by. Nothing is visible before all of it is checked, and what came before a refusal is swept away again.

A layer that is here already is not read. One that is not is kept *as it stands in the archive*: plain where it is plain.
Packing it again would give other bytes under another digest, and with another zlib others still; a plain layer has one
digest, the diff ID that its config names, on every machine. It costs disk and saves the time of packing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING

from imagelab.engine.archives.file import MOST, opened
from imagelab.engine.archives.manifest import DAMAGED, Item, check_size, items
from imagelab.engine.archives.writer import manifest_of
from imagelab.engine.pull import image_of, stacked
from imagelab.errors import ArchiveError, DigestMismatchError
from imagelab.layers.compression import compression_of
from imagelab.oci.digest import Digest
from imagelab.oci.documents import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Descriptor, Manifest, Platform
from imagelab.state.events import Progress, ProgressSink
from imagelab.state.model import Image, Layer, State
from imagelab.store.os_errors import translate_os_errors

if TYPE_CHECKING:
    from imagelab.engine.archives.file import ArchiveFile
    from imagelab.layers.changeset import LayerIndex
    from imagelab.layers.tar_scanner import TarRow
    from imagelab.store.store import Store


@dataclass(frozen=True, slots=True)
class Loaded:
    """One image that came out. `tags` are canonical; `moved` says which of them stood for which image before."""

    image: Image
    tags: tuple[str, ...]
    moved: tuple[tuple[str, Digest], ...] = ()


@dataclass(slots=True)
class Loader:
    """One load: where to, for which platform, and who is told. `now`: nanoseconds since 1970, for tags."""

    store: Store
    host: Platform
    emit: ProgressSink
    now: int
    most: int = MOST
    _new: list[Digest] = field(default_factory=list)
    _here: dict[Digest, LayerIndex] = field(default_factory=dict)

    def load(self, source: IO[bytes], wanted: Platform | None = None) -> list[Loaded]:
        """All images of an archive, or those for one platform.

        Raises ArchiveError, ManifestError, DigestMismatchError, LayerFormatError; then nothing has changed.
        """
        done = False
        try:
            with (
                translate_os_errors(),
                self.store.lease(),
                opened(source, self.store.directory / "partial", most=self.most) as archive,
            ):
                listed = items(archive, self.host, wanted)
                images = [self._image(archive, item) for item in listed]
                loaded = self._commit(listed, images)
                done = True
                return loaded
        finally:
            if not done:
                self.store.drop(self._new)

    # -- one image ------------------------------------------------------------------------------------------

    def _image(self, archive: ArchiveFile, item: Item) -> tuple[Image, list[Layer]]:
        state, indexes = self.store.state(), []
        for number, (name, expected) in enumerate(zip(item.layers, item.config.diff_ids, strict=True)):
            indexes.append(self._known(state, expected) or self._layer(archive, name, number, expected))
            if item.known is not None:
                self._check_size(archive, name, item.known.manifest.layers[number])
        layers = [state.layers.get(layer.chain_id, layer) for layer in stacked(indexes)]
        self._put(item.config.raw)
        if item.known is not None:
            known = item.known
            for data in (known.manifest.raw, known.raw):
                self._put(data)
            return image_of(self.store, known.manifest, layers, known.target, known.own, known.index, known.raw), layers
        blobs = [Descriptor(layer.media_type, layer.blob, layer.blob_size) for layer in layers]
        raw = manifest_of(Descriptor(OCI_CONFIG, item.config.id, len(item.config.raw)), blobs)
        own = Descriptor(OCI_MANIFEST, self._put(raw), len(raw))
        return image_of(self.store, Manifest.parse(raw), layers, own, own, None, raw), layers

    def _check_size(self, archive: ArchiveFile, name: str, descriptor: Descriptor) -> None:
        if name.endswith(descriptor.digest.hex) and name in archive:
            check_size(descriptor, archive.find(name).size)

    def _put(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        if not self.store.has_blob(digest):
            self._new.append(digest)
        return self.store.put_blob(data)

    def _known(self, state: State, diff_id: Digest) -> LayerIndex | None:
        """The layer, if some stack here has it, whatever it was compressed with."""
        if not self._here:
            self._here = {
                layer.diff_id: index for layer in state.layers.values() if (index := self.store.layer_index(layer.blob))
            }
        return self._here.get(diff_id)

    # -- one layer ------------------------------------------------------------------------------------------

    def _layer(self, archive: ArchiveFile, name: str, number: int, expected: Digest) -> LayerIndex:
        """A layer of the archive, received as if it came from a registry."""
        row = archive.find(name)
        packed = compression_of(archive.head(row))
        named = re.fullmatch(r"blobs/sha256/([a-f0-9]{64})", name)
        if named:
            blob = Digest.trusted(f"sha256:{named[1]}")
        else:
            blob = _digest_of(archive.pieces(row)) if packed else expected
        try:
            index = self._receive(archive, row, Descriptor(_media_type(packed), blob, row.size), expected)
        except DigestMismatchError:
            actual = _digest_of(archive.pieces(row))
            if named:
                raise DigestMismatchError(f"blob {blob} has the digest {actual}", hint=DAMAGED) from None
            raise _wrong(number, expected, actual) from None
        if index.diff_id != expected:
            raise _wrong(number, expected, index.diff_id)
        self._here[expected] = index
        return index

    def _receive(self, archive: ArchiveFile, row: TarRow, blob: Descriptor, diff_id: Digest) -> LayerIndex:
        if not self.store.has_blob(blob.digest):
            self._new.append(blob.digest)
        with self.store.receive(blob) as download:
            done = 0
            for piece in archive.pieces(row):
                fresh = piece[max(download.offset - done, 0) :]
                done += len(piece)
                if fresh:
                    download.write(fresh)
                self.emit(Progress("Loading layer", diff_id.short, done, row.size))
            return download.commit()

    # -- the names, last ------------------------------------------------------------------------------------

    def _commit(self, listed: list[Item], images: list[tuple[Image, list[Layer]]]) -> list[Loaded]:
        """Write down what is not here yet, in one transaction."""
        with self.store.transaction() as tx:
            for _, layers in images:
                for layer in layers:
                    tx.put_layer(layer)
            loaded = []
            for item, (new, _) in zip(listed, images, strict=True):
                before = tx.state
                image = self._as_it_will_be(item, new, listed, before)
                if before.images.get(image.id) != image:
                    tx.put_image(image)
                stood = {tag: before.references.get(tag) for tag in item.tags}
                for tag, image_id in stood.items():
                    if image_id != image.id:
                        tx.tag(tag, image.id, self.now)
                loaded.append(
                    Loaded(image, item.tags, tuple((tag, old) for tag, old in stood.items() if old and old != image.id))
                )
        return loaded

    def _as_it_will_be(self, item: Item, image: Image, listed: list[Item], state: State) -> Image:
        """What is known of an image here stays; a parent counts when it came along (R6.38)."""
        image = state.images.get(image.id, image)
        parent = next((candidate for candidate in listed if candidate.config.id == item.parent), None)
        if parent is None or image.parent is not None:
            return image
        if (
            item.config.history[:-1] != parent.config.history or not item.config.history
        ):  # one step more, or there are circles
            raise ArchiveError(f"image {parent.config.id} is not a valid parent for {image.id}", hint=DAMAGED)
        return replace(image, parent=parent.config.id, local=True)


def _wrong(number: int, expected: Digest, actual: Digest) -> ArchiveError:
    return ArchiveError(f'invalid diffID for layer {number}: expected "{expected}", got "{actual}"', hint=DAMAGED)


def _digest_of(pieces: Iterable[bytes]) -> Digest:
    hashed = hashlib.sha256()
    for piece in pieces:
        hashed.update(piece)
    return Digest.trusted("sha256:" + hashed.hexdigest())


def _media_type(packed: str) -> str:
    """What a registry would call a layer; none is packed with bzip2 or xz any more, and the few that were are read all the same."""
    return OCI_LAYER + (f"+{packed}" if packed in ("gzip", "zstd") else "")
